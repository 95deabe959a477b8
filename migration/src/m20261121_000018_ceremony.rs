//! Ceremonies of draws: the plan, who contributes to the seed, and the public source. A plan, a commitment, an opened
//! contribution and a recorded source are never replaced.

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
    "CREATE TABLE ceremony (
        sample_id {uuid} NOT NULL PRIMARY KEY REFERENCES sample (id),
        engagement_id {uuid} NOT NULL REFERENCES engagement (id),
        plan {text} NOT NULL,
        open_until {time},
        source {text},
        source_by {text},
        source_at {time}
    )",
    "CREATE INDEX ceremony_engagement ON ceremony (engagement_id)",
    "CREATE TABLE contribution (
        id {uuid} NOT NULL PRIMARY KEY,
        sample_id {uuid} NOT NULL REFERENCES ceremony (sample_id),
        ordinal integer NOT NULL,
        party {text} NOT NULL,
        subject {text} NOT NULL,
        role {text} NOT NULL,
        spoke_as {text},
        digest {bytes},
        committed_at {time},
        salt {bytes},
        words {text},
        opened_at {time},
        version integer NOT NULL,
        UNIQUE (sample_id, ordinal),
        UNIQUE (sample_id, party),
        UNIQUE (sample_id, subject),
        CHECK (salt IS NULL OR digest IS NOT NULL)
    )",
    "CREATE INDEX contribution_subject ON contribution (subject, id)",
];

const SQLITE_GUARDS: &[&str] = &[
    "CREATE TRIGGER ceremony_update BEFORE UPDATE ON ceremony
        WHEN OLD.source IS NOT NULL OR OLD.sample_id <> NEW.sample_id OR OLD.engagement_id <> NEW.engagement_id
            OR OLD.plan <> NEW.plan OR OLD.open_until IS NOT NEW.open_until
        BEGIN SELECT RAISE(ABORT, 'a plan and a recorded source are never changed'); END",
    "CREATE TRIGGER ceremony_delete BEFORE DELETE ON ceremony
        WHEN NOT EXISTS (SELECT 1 FROM retention_gate)
        BEGIN SELECT RAISE(ABORT, 'ceremony rows are deleted by the deletion job alone'); END",
    "CREATE TRIGGER contribution_update BEFORE UPDATE ON contribution
        WHEN OLD.salt IS NOT NULL OR OLD.id <> NEW.id OR OLD.sample_id <> NEW.sample_id OR OLD.ordinal <> NEW.ordinal
            OR OLD.party <> NEW.party OR OLD.subject <> NEW.subject OR OLD.role <> NEW.role
            OR (OLD.digest IS NOT NULL AND (OLD.digest IS NOT NEW.digest OR OLD.spoke_as IS NOT NEW.spoke_as
                OR OLD.committed_at IS NOT NEW.committed_at))
        BEGIN SELECT RAISE(ABORT, 'a commitment and an opened contribution are never changed'); END",
    "CREATE TRIGGER contribution_delete BEFORE DELETE ON contribution
        WHEN NOT EXISTS (SELECT 1 FROM retention_gate)
        BEGIN SELECT RAISE(ABORT, 'contribution rows are deleted by the deletion job alone'); END",
];

const POSTGRES_GUARDS: &[&str] = &[
    "CREATE TRIGGER ceremony_update BEFORE UPDATE ON ceremony
        FOR EACH ROW WHEN (OLD.source IS NOT NULL
            OR (OLD.sample_id, OLD.engagement_id, OLD.plan, OLD.open_until)
            IS DISTINCT FROM (NEW.sample_id, NEW.engagement_id, NEW.plan, NEW.open_until))
        EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER ceremony_delete BEFORE DELETE ON ceremony
        FOR EACH STATEMENT EXECUTE FUNCTION only_through_retention_gate()",
    "CREATE TRIGGER contribution_update BEFORE UPDATE ON contribution
        FOR EACH ROW WHEN (OLD.salt IS NOT NULL
            OR (OLD.id, OLD.sample_id, OLD.ordinal, OLD.party, OLD.subject, OLD.role)
            IS DISTINCT FROM (NEW.id, NEW.sample_id, NEW.ordinal, NEW.party, NEW.subject, NEW.role)
            OR (OLD.digest IS NOT NULL AND (OLD.digest, OLD.spoke_as, OLD.committed_at)
            IS DISTINCT FROM (NEW.digest, NEW.spoke_as, NEW.committed_at)))
        EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER contribution_delete BEFORE DELETE ON contribution
        FOR EACH STATEMENT EXECUTE FUNCTION only_through_retention_gate()",
];
