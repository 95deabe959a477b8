//! Working papers are never deleted, except by the deletion job: of a closed engagement without legal hold, through a gate that
//! stands open within its transaction alone.

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
                "CREATE TABLE retention_gate (
                    id {uuid} NOT NULL PRIMARY KEY,
                    engagement_id {uuid} NOT NULL REFERENCES engagement (id)
                )",
                // Whoever deletes an item of a population is asked whether it was drawn.
                "CREATE INDEX sample_item_item ON sample_item (item_id)",
            ],
        )
        .await?;
        let mut sqlite = SQLITE.map(str::to_owned).to_vec();
        for (trigger, table) in DELETED {
            sqlite.push(format!("DROP TRIGGER {trigger}"));
            sqlite.push(format!(
                "CREATE TRIGGER {trigger} BEFORE DELETE ON {table}
                    WHEN NOT EXISTS (SELECT 1 FROM retention_gate)
                    BEGIN SELECT RAISE(ABORT, '{table} rows are deleted by the deletion job alone'); END"
            ));
        }
        let mut postgres = POSTGRES.map(str::to_owned).to_vec();
        for (trigger, table) in CHANGED {
            let update = trigger.replace("_change", "_update");
            let delete = trigger.replace("_change", "_delete");
            postgres.extend([
                format!("DROP TRIGGER {trigger} ON {table}"),
                format!(
                    "CREATE TRIGGER {delete} BEFORE DELETE ON {table}
                        FOR EACH STATEMENT EXECUTE FUNCTION only_through_retention_gate()"
                ),
            ]);
            if *trigger != delete {
                postgres.push(format!(
                    "CREATE TRIGGER {update} BEFORE UPDATE ON {table}
                        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
                ));
            }
        }
        let sqlite: Vec<&str> = sqlite.iter().map(String::as_str).collect();
        let postgres: Vec<&str> = postgres.iter().map(String::as_str).collect();
        apply_each(manager, &sqlite, &postgres).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

/// Guards against deleting, and their tables, on SQLite.
const DELETED: &[(&str, &str)] = &[
    ("control_cell_delete", "control_cell"),
    ("control_total_delete", "control_total"),
    ("difference_delete", "difference"),
    ("sample_delete", "sample"),
    ("sample_item_delete", "sample_item"),
    ("sample_stratum_delete", "sample_stratum"),
    ("draw_event_delete", "draw_event"),
    ("item_check_delete", "item_check"),
    ("check_answer_delete", "check_answer"),
    ("comment_delete", "comment"),
];

/// The same on PostgreSQL, where some guard against any change.
const CHANGED: &[(&str, &str)] = &[
    ("control_cell_change", "control_cell"),
    ("control_total_delete", "control_total"),
    ("difference_delete", "difference"),
    ("sample_delete", "sample"),
    ("sample_item_delete", "sample_item"),
    ("sample_stratum_change", "sample_stratum"),
    ("draw_event_change", "draw_event"),
    ("item_check_change", "item_check"),
    ("check_answer_change", "check_answer"),
    ("comment_change", "comment"),
];

const SQLITE: [&str; 5] = [
    "CREATE TRIGGER retention_gate_insert BEFORE INSERT ON retention_gate
        WHEN (SELECT state FROM engagement WHERE id = NEW.engagement_id) IS NOT 'CLOSED'
            OR EXISTS (SELECT 1 FROM legal_hold WHERE engagement_id = NEW.engagement_id AND lifted_at IS NULL)
        BEGIN SELECT RAISE(ABORT, 'only closed engagements without legal hold are deleted'); END",
    "DROP TRIGGER population_frozen_delete",
    "CREATE TRIGGER population_frozen_delete BEFORE DELETE ON population
        WHEN OLD.state = 'FROZEN' AND NOT EXISTS (SELECT 1 FROM retention_gate)
        BEGIN SELECT RAISE(ABORT, 'population is frozen'); END",
    "DROP TRIGGER population_item_delete",
    "CREATE TRIGGER population_item_delete BEFORE DELETE ON population_item
        WHEN (SELECT state FROM population WHERE id = OLD.population_id) = 'FROZEN'
            AND NOT EXISTS (SELECT 1 FROM retention_gate)
        BEGIN SELECT RAISE(ABORT, 'population is frozen'); END",
];

const POSTGRES: [&str; 9] = [
    "CREATE FUNCTION only_closed_without_hold() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NOT EXISTS (SELECT 1 FROM engagement WHERE id = NEW.engagement_id AND state = 'CLOSED')
                OR EXISTS (SELECT 1 FROM legal_hold WHERE engagement_id = NEW.engagement_id AND lifted_at IS NULL)
            THEN
                RAISE EXCEPTION 'only closed engagements without legal hold are deleted'
                    USING ERRCODE = 'restrict_violation';
            END IF;
            RETURN NEW;
        END $$",
    "CREATE TRIGGER retention_gate_insert BEFORE INSERT ON retention_gate
        FOR EACH ROW EXECUTE FUNCTION only_closed_without_hold()",
    "CREATE FUNCTION only_through_retention_gate() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NOT EXISTS (SELECT 1 FROM retention_gate) THEN
                RAISE EXCEPTION '% rows are deleted by the deletion job alone', TG_TABLE_NAME
                    USING ERRCODE = 'restrict_violation';
            END IF;
            RETURN OLD;
        END $$",
    "DROP TRIGGER population_frozen ON population",
    "CREATE TRIGGER population_frozen BEFORE UPDATE ON population
        FOR EACH ROW WHEN (OLD.state = 'FROZEN') EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER population_frozen_delete BEFORE DELETE ON population
        FOR EACH ROW WHEN (OLD.state = 'FROZEN') EXECUTE FUNCTION only_through_retention_gate()",
    "CREATE FUNCTION not_frozen_or_gate() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NOT EXISTS (SELECT 1 FROM retention_gate) AND EXISTS (
                SELECT 1 FROM (SELECT DISTINCT population_id FROM touched) AS given
                JOIN population ON population.id = given.population_id
                WHERE population.state = 'FROZEN'
            ) THEN
                RAISE EXCEPTION 'population is frozen' USING ERRCODE = 'restrict_violation';
            END IF;
            RETURN NULL;
        END $$",
    "DROP TRIGGER population_item_delete ON population_item",
    "CREATE TRIGGER population_item_delete AFTER DELETE ON population_item
        REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION not_frozen_or_gate()",
];
