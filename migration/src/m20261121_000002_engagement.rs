//! Engagements (Prüfungen), their numbered draw events, and the keys that make creating repeatable.

use sea_orm_migration::prelude::*;

use crate::apply;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        apply(
            manager,
            &[
                "CREATE TABLE engagement (
                    id {uuid} NOT NULL PRIMARY KEY,
                    year integer NOT NULL,
                    serial integer NOT NULL,
                    number {text} NOT NULL UNIQUE,
                    title {text} NOT NULL,
                    audit_function {text} NOT NULL,
                    objective {text} NOT NULL,
                    legal_basis {text} NOT NULL,
                    period_from {date} NOT NULL,
                    period_to {date} NOT NULL,
                    state {text} NOT NULL,
                    sealed_key {bytes} NOT NULL,
                    opened_by {text} NOT NULL,
                    opened_at {time} NOT NULL,
                    closed_by {text},
                    closed_at {time},
                    closing_note {text},
                    version integer NOT NULL,
                    UNIQUE (year, serial)
                )",
                "CREATE TABLE idempotency (
                    actor {text} NOT NULL,
                    key {text} NOT NULL,
                    operation {text} NOT NULL,
                    input_digest {bytes} NOT NULL,
                    subject_id {uuid} NOT NULL,
                    at {time} NOT NULL,
                    PRIMARY KEY (actor, key)
                )",
            ],
        )
        .await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
