//! What becomes of samples beside a plan and its draw: a person chooses items, a drawn sample is
//! extended, an item that cannot be checked is replaced; and the
//! parameter sets by which they are planned.
//!
//! A sample is extended once; whoever extends further extends the extension.

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
    "ALTER TABLE sample_item ADD COLUMN choice_reason {text}",
    "ALTER TABLE sample ADD COLUMN extends_id {uuid} REFERENCES sample (id)",
    "ALTER TABLE sample ADD COLUMN extension {text}",
    "CREATE TABLE replacement (
        id {uuid} NOT NULL PRIMARY KEY,
        engagement_id {uuid} NOT NULL REFERENCES engagement (id),
        sample_id {uuid} NOT NULL REFERENCES sample (id),
        sample_item_id {uuid} NOT NULL REFERENCES sample_item (id),
        own_staff boolean NOT NULL,
        state {text} NOT NULL,
        cause {text} NOT NULL,
        reason {text} NOT NULL,
        requested_by {text} NOT NULL,
        requested_at {time} NOT NULL,
        decided_by {text},
        decided_at {time},
        decision_reason {text},
        by_item_id {uuid} REFERENCES sample_item (id),
        version integer NOT NULL,
        CHECK (decided_by <> requested_by)
    )",
    "CREATE INDEX replacement_sample ON replacement (sample_id, id)",
    "CREATE UNIQUE INDEX replacement_item ON replacement (sample_item_id) WHERE state <> 'DECLINED'",
    "CREATE TABLE parameter_set (
        id {uuid} NOT NULL PRIMARY KEY,
        number integer NOT NULL,
        edition integer NOT NULL,
        name {text} NOT NULL,
        confidence {text} NOT NULL,
        materiality {text} NOT NULL,
        factor_profile {text} NOT NULL,
        valid_from {date} NOT NULL,
        reason {text} NOT NULL,
        state {text} NOT NULL,
        proposed_by {text} NOT NULL,
        proposed_at {time} NOT NULL,
        decided_by {text},
        decided_at {time},
        decision_reason {text},
        version integer NOT NULL,
        UNIQUE (number, edition),
        CHECK (decided_by <> proposed_by)
    )",
    "CREATE UNIQUE INDEX sample_extends ON sample (extends_id) WHERE state <> 'ABORTED'",
];

const SQLITE_GUARDS: &[&str] = &[
    "CREATE TRIGGER sample_item_choice BEFORE UPDATE ON sample_item
        WHEN OLD.choice_reason IS NOT NEW.choice_reason
        BEGIN SELECT RAISE(ABORT, 'a chosen item is never changed'); END",
    "CREATE TRIGGER sample_extension BEFORE UPDATE ON sample
        WHEN OLD.extends_id IS NOT NEW.extends_id OR OLD.extension IS NOT NEW.extension
        BEGIN SELECT RAISE(ABORT, 'a plan is never changed'); END",
    "CREATE TRIGGER replacement_update BEFORE UPDATE ON replacement
        WHEN OLD.state <> 'REQUESTED' OR OLD.engagement_id <> NEW.engagement_id OR OLD.sample_id <> NEW.sample_id
            OR OLD.sample_item_id <> NEW.sample_item_id OR OLD.own_staff <> NEW.own_staff OR OLD.cause <> NEW.cause
            OR OLD.reason <> NEW.reason OR OLD.requested_by <> NEW.requested_by OR OLD.requested_at <> NEW.requested_at
        BEGIN SELECT RAISE(ABORT, 'a replacement is decided once, never changed'); END",
    "CREATE TRIGGER replacement_delete BEFORE DELETE ON replacement
        WHEN NOT EXISTS (SELECT 1 FROM retention_gate)
        BEGIN SELECT RAISE(ABORT, 'replacement rows are deleted by the deletion job alone'); END",
    "CREATE TRIGGER parameter_set_update BEFORE UPDATE ON parameter_set
        WHEN OLD.state <> 'PROPOSED' OR OLD.number <> NEW.number OR OLD.edition <> NEW.edition OR OLD.name <> NEW.name
            OR OLD.confidence <> NEW.confidence OR OLD.materiality <> NEW.materiality
            OR OLD.factor_profile <> NEW.factor_profile OR OLD.valid_from <> NEW.valid_from OR OLD.reason <> NEW.reason
            OR OLD.proposed_by <> NEW.proposed_by OR OLD.proposed_at <> NEW.proposed_at
        BEGIN SELECT RAISE(ABORT, 'an edition is decided once, never changed'); END",
    "CREATE TRIGGER parameter_set_delete BEFORE DELETE ON parameter_set
        BEGIN SELECT RAISE(ABORT, 'an edition is never deleted'); END",
    "CREATE TRIGGER sample_item_replaced BEFORE UPDATE ON sample_item WHEN OLD.state = 'REPLACED'
        BEGIN SELECT RAISE(ABORT, 'a replaced item is never changed'); END",
];

const POSTGRES_GUARDS: &[&str] = &[
    "CREATE TRIGGER sample_item_choice BEFORE UPDATE ON sample_item
        FOR EACH ROW WHEN (OLD.choice_reason IS DISTINCT FROM NEW.choice_reason)
        EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER sample_extension BEFORE UPDATE ON sample
        FOR EACH ROW WHEN ((OLD.extends_id, OLD.extension) IS DISTINCT FROM (NEW.extends_id, NEW.extension))
        EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER replacement_update BEFORE UPDATE ON replacement
        FOR EACH ROW WHEN (OLD.state <> 'REQUESTED'
            OR (OLD.engagement_id, OLD.sample_id, OLD.sample_item_id, OLD.own_staff, OLD.cause, OLD.reason,
                OLD.requested_by, OLD.requested_at)
            IS DISTINCT FROM (NEW.engagement_id, NEW.sample_id, NEW.sample_item_id, NEW.own_staff, NEW.cause, NEW.reason,
                NEW.requested_by, NEW.requested_at))
        EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER replacement_delete BEFORE DELETE ON replacement
        FOR EACH STATEMENT EXECUTE FUNCTION only_through_retention_gate()",
    "CREATE TRIGGER parameter_set_update BEFORE UPDATE ON parameter_set
        FOR EACH ROW WHEN (OLD.state <> 'PROPOSED'
            OR (OLD.number, OLD.edition, OLD.name, OLD.confidence, OLD.materiality, OLD.factor_profile, OLD.valid_from,
                OLD.reason, OLD.proposed_by, OLD.proposed_at)
            IS DISTINCT FROM (NEW.number, NEW.edition, NEW.name, NEW.confidence, NEW.materiality, NEW.factor_profile,
                NEW.valid_from, NEW.reason, NEW.proposed_by, NEW.proposed_at))
        EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER parameter_set_delete BEFORE DELETE ON parameter_set
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER sample_item_replaced BEFORE UPDATE ON sample_item
        FOR EACH ROW WHEN (OLD.state = 'REPLACED') EXECUTE FUNCTION refuse_change()",
];
