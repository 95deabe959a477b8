//! Samples (Stichproben), their strata and items, and the numbered events of drawing.
//!
//! A drawn sample and its plan are never edited: triggers let a sample change state once and its items only in
//! what checking changes.

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
    "CREATE TABLE sample (
        id {uuid} NOT NULL PRIMARY KEY,
        engagement_id {uuid} NOT NULL REFERENCES engagement (id),
        population_id {uuid} NOT NULL REFERENCES population (id),
        name {text} NOT NULL,
        method {text} NOT NULL,
        state {text} NOT NULL,
        size bigint NOT NULL,
        parameters {text} NOT NULL,
        checks_per_item integer NOT NULL,
        seed {text},
        algorithm {text},
        population_root {bytes},
        frame_count bigint NOT NULL,
        frame_cents bigint NOT NULL,
        reason {text},
        planned_by {text} NOT NULL,
        planned_at {time} NOT NULL,
        decided_by {text},
        decided_at {time},
        version integer NOT NULL,
        UNIQUE (engagement_id, name)
    )",
    "CREATE INDEX sample_population ON sample (population_id, id)",
    "CREATE TABLE sample_stratum (
        id {uuid} NOT NULL PRIMARY KEY,
        sample_id {uuid} NOT NULL REFERENCES sample (id),
        ordinal integer NOT NULL,
        bezirksstelle_id {uuid} REFERENCES bezirksstelle (id),
        label {text} NOT NULL,
        item_count bigint NOT NULL,
        sum_cents bigint NOT NULL,
        size bigint NOT NULL,
        UNIQUE (sample_id, ordinal)
    )",
    "CREATE TABLE sample_item (
        id {uuid} NOT NULL PRIMARY KEY,
        sample_id {uuid} NOT NULL REFERENCES sample (id),
        stratum_id {uuid} NOT NULL REFERENCES sample_stratum (id),
        item_id {uuid} NOT NULL REFERENCES population_item (id),
        engagement_id {uuid} NOT NULL REFERENCES engagement (id),
        draw_order bigint NOT NULL,
        ticket {text},
        hits bigint NOT NULL,
        bezirksstelle_id {uuid} NOT NULL REFERENCES bezirksstelle (id),
        amount_cents bigint NOT NULL,
        reference {text} NOT NULL,
        visible_from {time},
        state {text} NOT NULL,
        result {text},
        version integer NOT NULL,
        UNIQUE (sample_id, item_id)
    )",
    "CREATE INDEX sample_item_order ON sample_item (sample_id, draw_order, id)",
    "CREATE INDEX sample_item_amount ON sample_item (sample_id, amount_cents, id)",
    "CREATE INDEX sample_item_reference ON sample_item (sample_id, reference, id)",
    "CREATE INDEX sample_item_bezirksstelle ON sample_item (bezirksstelle_id, visible_from, id)",
    "CREATE INDEX sample_item_engagement ON sample_item (engagement_id, id)",
    "CREATE TABLE draw_event (
        id {uuid} NOT NULL PRIMARY KEY,
        engagement_id {uuid} NOT NULL REFERENCES engagement (id),
        number integer NOT NULL,
        kind {text} NOT NULL,
        population_id {uuid} NOT NULL REFERENCES population (id),
        sample_id {uuid} REFERENCES sample (id),
        reason {text},
        by_subject {text} NOT NULL,
        at {time} NOT NULL,
        UNIQUE (engagement_id, number)
    )",
];

const SQLITE_GUARDS: &[&str] = &[
    "CREATE TRIGGER sample_decided BEFORE UPDATE ON sample WHEN OLD.state <> 'PLANNED'
        BEGIN SELECT RAISE(ABORT, 'a drawn or aborted sample is never changed'); END",
    "CREATE TRIGGER sample_plan BEFORE UPDATE ON sample
        WHEN OLD.population_id <> NEW.population_id OR OLD.method <> NEW.method OR OLD.size <> NEW.size
            OR OLD.parameters <> NEW.parameters OR OLD.checks_per_item <> NEW.checks_per_item
            OR OLD.frame_count <> NEW.frame_count OR OLD.frame_cents <> NEW.frame_cents
        BEGIN SELECT RAISE(ABORT, 'a plan is never changed'); END",
    "CREATE TRIGGER sample_delete BEFORE DELETE ON sample
        BEGIN SELECT RAISE(ABORT, 'a sample is never deleted'); END",
    "CREATE TRIGGER sample_item_selection BEFORE UPDATE ON sample_item
        WHEN OLD.sample_id <> NEW.sample_id OR OLD.item_id <> NEW.item_id OR OLD.stratum_id <> NEW.stratum_id
            OR OLD.draw_order <> NEW.draw_order OR OLD.hits <> NEW.hits OR OLD.ticket IS NOT NEW.ticket
            OR OLD.amount_cents <> NEW.amount_cents OR OLD.bezirksstelle_id <> NEW.bezirksstelle_id
            OR OLD.reference <> NEW.reference
        BEGIN SELECT RAISE(ABORT, 'a drawn item is never changed'); END",
    "CREATE TRIGGER sample_item_delete BEFORE DELETE ON sample_item
        BEGIN SELECT RAISE(ABORT, 'a drawn item is never deleted'); END",
    "CREATE TRIGGER sample_stratum_update BEFORE UPDATE ON sample_stratum
        BEGIN SELECT RAISE(ABORT, 'a stratum is never changed'); END",
    "CREATE TRIGGER sample_stratum_delete BEFORE DELETE ON sample_stratum
        BEGIN SELECT RAISE(ABORT, 'a stratum is never deleted'); END",
    "CREATE TRIGGER draw_event_update BEFORE UPDATE ON draw_event
        BEGIN SELECT RAISE(ABORT, 'a draw event is never changed'); END",
    "CREATE TRIGGER draw_event_delete BEFORE DELETE ON draw_event
        BEGIN SELECT RAISE(ABORT, 'a draw event is never deleted'); END",
];

const POSTGRES_GUARDS: &[&str] = &[
    "CREATE TRIGGER sample_decided BEFORE UPDATE ON sample
        FOR EACH ROW WHEN (OLD.state <> 'PLANNED') EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER sample_plan BEFORE UPDATE ON sample
        FOR EACH ROW WHEN ((OLD.population_id, OLD.method, OLD.size, OLD.parameters, OLD.checks_per_item,
                OLD.frame_count, OLD.frame_cents)
            IS DISTINCT FROM (NEW.population_id, NEW.method, NEW.size, NEW.parameters, NEW.checks_per_item,
                NEW.frame_count, NEW.frame_cents))
        EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER sample_delete BEFORE DELETE ON sample
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER sample_item_selection BEFORE UPDATE ON sample_item
        FOR EACH ROW WHEN ((OLD.sample_id, OLD.item_id, OLD.stratum_id, OLD.draw_order, OLD.hits, OLD.ticket,
                OLD.amount_cents, OLD.bezirksstelle_id, OLD.reference)
            IS DISTINCT FROM (NEW.sample_id, NEW.item_id, NEW.stratum_id, NEW.draw_order, NEW.hits, NEW.ticket,
                NEW.amount_cents, NEW.bezirksstelle_id, NEW.reference))
        EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER sample_item_delete BEFORE DELETE ON sample_item
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER sample_stratum_change BEFORE UPDATE OR DELETE ON sample_stratum
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER draw_event_change BEFORE UPDATE OR DELETE ON draw_event
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
];
