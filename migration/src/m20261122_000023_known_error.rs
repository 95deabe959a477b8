//! Errors that are known in the whole population, and therefore not projected: systemic ones that are delimited, and anomalous ones.

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
    "CREATE TABLE known_error (
        id {uuid} NOT NULL PRIMARY KEY,
        engagement_id {uuid} NOT NULL REFERENCES engagement (id),
        sample_id {uuid} NOT NULL REFERENCES sample (id),
        stratum_id {uuid} NOT NULL REFERENCES sample_stratum (id),
        class {text} NOT NULL,
        cause {text} NOT NULL,
        reason {text} NOT NULL,
        amount_cents bigint NOT NULL CHECK (amount_cents > 0),
        corrected boolean NOT NULL,
        state {text} NOT NULL,
        proposed_by {text} NOT NULL,
        proposed_at {time} NOT NULL,
        approved_by {text},
        approved_at {time},
        revoked_by {text},
        revoked_at {time},
        revocation_reason {text},
        version integer NOT NULL,
        CHECK (approved_by <> proposed_by)
    )",
    "CREATE INDEX known_error_sample ON known_error (sample_id, id)",
    "CREATE TABLE known_error_part (
        known_error_id {uuid} NOT NULL REFERENCES known_error (id),
        sample_item_id {uuid} NOT NULL REFERENCES sample_item (id),
        amount_cents bigint NOT NULL CHECK (amount_cents > 0),
        PRIMARY KEY (known_error_id, sample_item_id)
    )",
    "CREATE INDEX known_error_part_item ON known_error_part (sample_item_id)",
];

const SQLITE_GUARDS: &[&str] = &[
    "CREATE TRIGGER known_error_update BEFORE UPDATE ON known_error
        WHEN OLD.state = 'REVOKED' OR OLD.engagement_id <> NEW.engagement_id OR OLD.sample_id <> NEW.sample_id
            OR OLD.stratum_id <> NEW.stratum_id OR OLD.class <> NEW.class OR OLD.cause <> NEW.cause
            OR OLD.reason <> NEW.reason OR OLD.amount_cents <> NEW.amount_cents OR OLD.corrected <> NEW.corrected
            OR OLD.proposed_by <> NEW.proposed_by OR OLD.proposed_at <> NEW.proposed_at
        BEGIN SELECT RAISE(ABORT, 'a known error is approved and revoked, never changed'); END",
    "CREATE TRIGGER known_error_delete BEFORE DELETE ON known_error
        WHEN NOT EXISTS (SELECT 1 FROM retention_gate)
        BEGIN SELECT RAISE(ABORT, 'known errors are deleted by the deletion job alone'); END",
    "CREATE TRIGGER known_error_part_update BEFORE UPDATE ON known_error_part
        BEGIN SELECT RAISE(ABORT, 'a known error is approved and revoked, never changed'); END",
    "CREATE TRIGGER known_error_part_delete BEFORE DELETE ON known_error_part
        WHEN NOT EXISTS (SELECT 1 FROM retention_gate)
        BEGIN SELECT RAISE(ABORT, 'known errors are deleted by the deletion job alone'); END",
];

const POSTGRES_GUARDS: &[&str] = &[
    "CREATE TRIGGER known_error_update BEFORE UPDATE ON known_error
        FOR EACH ROW WHEN (OLD.state = 'REVOKED'
            OR (OLD.engagement_id, OLD.sample_id, OLD.stratum_id, OLD.class, OLD.cause, OLD.reason, OLD.amount_cents,
                OLD.corrected, OLD.proposed_by, OLD.proposed_at)
            IS DISTINCT FROM (NEW.engagement_id, NEW.sample_id, NEW.stratum_id, NEW.class, NEW.cause, NEW.reason,
                NEW.amount_cents, NEW.corrected, NEW.proposed_by, NEW.proposed_at))
        EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER known_error_delete BEFORE DELETE ON known_error
        FOR EACH STATEMENT EXECUTE FUNCTION only_through_retention_gate()",
    "CREATE TRIGGER known_error_part_update BEFORE UPDATE ON known_error_part
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER known_error_part_delete BEFORE DELETE ON known_error_part
        FOR EACH STATEMENT EXECUTE FUNCTION only_through_retention_gate()",
];
