//! The trail: who changed what, append-only in the database too.

use sea_orm_migration::prelude::*;

use crate::{apply, apply_each};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        apply(
            manager,
            &[
                "CREATE TABLE trail_entry (
                    id {uuid} NOT NULL PRIMARY KEY,
                    at {time} NOT NULL,
                    actor {text} NOT NULL,
                    membership {text} NOT NULL,
                    action {text} NOT NULL,
                    outcome {text} NOT NULL,
                    engagement_id {uuid},
                    subject_kind {text} NOT NULL,
                    subject_id {uuid},
                    request_id {uuid} NOT NULL,
                    detail {text} NOT NULL
                )",
                "CREATE INDEX trail_entry_subject ON trail_entry (subject_id, id)",
                "CREATE INDEX trail_entry_engagement ON trail_entry (engagement_id, id)",
            ],
        )
        .await?;
        apply_each(
            manager,
            &[
                "CREATE TRIGGER trail_entry_update BEFORE UPDATE ON trail_entry
                    BEGIN SELECT RAISE(ABORT, 'the trail is append-only'); END",
                "CREATE TRIGGER trail_entry_delete BEFORE DELETE ON trail_entry
                    BEGIN SELECT RAISE(ABORT, 'the trail is append-only'); END",
            ],
            &[
                "CREATE TRIGGER trail_entry_change BEFORE UPDATE OR DELETE ON trail_entry
                    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
                "CREATE TRIGGER trail_entry_truncate BEFORE TRUNCATE ON trail_entry
                    FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate()",
            ],
        )
        .await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
