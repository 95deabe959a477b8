//! Legal holds: what hangs on an engagement is not deleted while one of them stands.

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
                "CREATE TABLE legal_hold (
                    id {uuid} NOT NULL PRIMARY KEY,
                    engagement_id {uuid} NOT NULL REFERENCES engagement (id),
                    reason {text} NOT NULL,
                    placed_by {text} NOT NULL,
                    placed_at {time} NOT NULL,
                    lift_reason {text},
                    lifted_by {text},
                    lifted_at {time},
                    CHECK (lifted_by <> placed_by)
                )",
                "CREATE INDEX legal_hold_engagement ON legal_hold (engagement_id, id)",
                // Runs of the deletion job are listed by what they are.
                "CREATE INDEX trail_entry_action ON trail_entry (action, id)",
            ],
        )
        .await?;
        apply_each(
            manager,
            &[
                "CREATE TRIGGER legal_hold_update BEFORE UPDATE ON legal_hold
                    WHEN OLD.lifted_at IS NOT NULL OR OLD.id <> NEW.id OR OLD.engagement_id <> NEW.engagement_id OR
                        OLD.reason <> NEW.reason OR OLD.placed_by <> NEW.placed_by OR OLD.placed_at <> NEW.placed_at
                    BEGIN SELECT RAISE(ABORT, 'a legal hold is lifted, never changed'); END",
                "CREATE TRIGGER legal_hold_delete BEFORE DELETE ON legal_hold
                    BEGIN SELECT RAISE(ABORT, 'a legal hold is lifted, never deleted'); END",
            ],
            &[
                "CREATE TRIGGER legal_hold_update BEFORE UPDATE ON legal_hold
                    FOR EACH ROW WHEN (OLD.lifted_at IS NOT NULL
                        OR (OLD.id, OLD.engagement_id, OLD.reason, OLD.placed_by, OLD.placed_at)
                        IS DISTINCT FROM (NEW.id, NEW.engagement_id, NEW.reason, NEW.placed_by, NEW.placed_at))
                    EXECUTE FUNCTION refuse_change()",
                "CREATE TRIGGER legal_hold_delete BEFORE DELETE ON legal_hold
                    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
            ],
        )
        .await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
