//! The Jobcenter and its Bezirksstellen.

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
                "CREATE TABLE jobcenter (
                    id {uuid} NOT NULL PRIMARY KEY,
                    name {text} NOT NULL,
                    preset {text} NOT NULL,
                    label {text} NOT NULL,
                    label_plural {text} NOT NULL
                )",
                "CREATE TABLE bezirksstelle (
                    id {uuid} NOT NULL PRIMARY KEY,
                    jobcenter_id {uuid} NOT NULL REFERENCES jobcenter (id),
                    number {text} NOT NULL UNIQUE,
                    name {text} NOT NULL,
                    kind {text} NOT NULL
                )",
            ],
        )
        .await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
