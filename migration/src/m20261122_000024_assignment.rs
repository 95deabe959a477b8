//! Who is to check which item of a sample.

use sea_orm_migration::prelude::*;

use crate::{apply, apply_each};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        apply(manager, TABLES).await?;
        apply_each(manager, SQLITE_GUARDS, POSTGRES_GUARDS).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

const TABLES: &[&str] = &[
    "CREATE TABLE assignment (
        id {uuid} NOT NULL PRIMARY KEY,
        engagement_id {uuid} NOT NULL REFERENCES engagement (id),
        sample_id {uuid} NOT NULL REFERENCES sample (id),
        sample_item_id {uuid} NOT NULL REFERENCES sample_item (id),
        own_staff boolean NOT NULL,
        tester {text} NOT NULL,
        assigned_by {text} NOT NULL,
        assigned_at {time} NOT NULL,
        ended_by {text},
        ended_at {time}
    )",
    "CREATE UNIQUE INDEX assignment_item ON assignment (sample_item_id, tester) WHERE ended_at IS NULL",
    "CREATE INDEX assignment_sample ON assignment (sample_id) WHERE ended_at IS NULL",
    "CREATE INDEX assignment_engagement ON assignment (engagement_id)",
];

const SQLITE_GUARDS: &[&str] = &[
    "CREATE TRIGGER assignment_update BEFORE UPDATE ON assignment
        WHEN OLD.ended_at IS NOT NULL OR OLD.engagement_id <> NEW.engagement_id OR OLD.sample_id <> NEW.sample_id
            OR OLD.sample_item_id <> NEW.sample_item_id OR OLD.own_staff <> NEW.own_staff OR OLD.tester <> NEW.tester
            OR OLD.assigned_by <> NEW.assigned_by OR OLD.assigned_at <> NEW.assigned_at
        BEGIN SELECT RAISE(ABORT, 'an assignment is ended once, never changed'); END",
    "CREATE TRIGGER assignment_delete BEFORE DELETE ON assignment
        WHEN NOT EXISTS (SELECT 1 FROM retention_gate)
        BEGIN SELECT RAISE(ABORT, 'assignments are deleted by the deletion job alone'); END",
];

const POSTGRES_GUARDS: &[&str] = &[
    "CREATE TRIGGER assignment_update BEFORE UPDATE ON assignment
        FOR EACH ROW WHEN (OLD.ended_at IS NOT NULL
            OR (OLD.engagement_id, OLD.sample_id, OLD.sample_item_id, OLD.own_staff, OLD.tester, OLD.assigned_by,
                OLD.assigned_at)
            IS DISTINCT FROM (NEW.engagement_id, NEW.sample_id, NEW.sample_item_id, NEW.own_staff, NEW.tester,
                NEW.assigned_by, NEW.assigned_at))
        EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER assignment_delete BEFORE DELETE ON assignment
        FOR EACH STATEMENT EXECUTE FUNCTION only_through_retention_gate()",
];
