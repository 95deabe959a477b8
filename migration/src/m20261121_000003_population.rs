//! Populations (Grundgesamtheiten), their imports, items, case numbers and control totals.
//!
//! A frozen population is immutable in the database too: triggers refuse what the service never asks for.

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
    "CREATE TABLE population (
        id {uuid} NOT NULL PRIMARY KEY,
        engagement_id {uuid} NOT NULL REFERENCES engagement (id),
        name {text} NOT NULL,
        unit {text} NOT NULL,
        source {text} NOT NULL,
        state {text} NOT NULL,
        item_count bigint NOT NULL,
        sum_cents bigint NOT NULL,
        positive_count bigint NOT NULL,
        positive_cents bigint NOT NULL,
        zero_count bigint NOT NULL,
        negative_count bigint NOT NULL,
        negative_cents bigint NOT NULL,
        merkle_root {bytes},
        created_by {text} NOT NULL,
        created_at {time} NOT NULL,
        frozen_by {text},
        frozen_at {time},
        version integer NOT NULL,
        UNIQUE (engagement_id, name)
    )",
    "CREATE TABLE population_import (
        id {uuid} NOT NULL PRIMARY KEY,
        population_id {uuid} NOT NULL REFERENCES population (id),
        file_name {text} NOT NULL,
        mapping {text} NOT NULL,
        state {text} NOT NULL,
        bytes_expected bigint,
        bytes_read bigint NOT NULL,
        lines_read bigint NOT NULL,
        lines_rejected bigint NOT NULL,
        sum_cents bigint NOT NULL,
        sha256 {bytes},
        failure {text},
        failure_detail {text},
        created_by {text} NOT NULL,
        created_at {time} NOT NULL,
        heartbeat_at {time},
        finished_at {time}
    )",
    "CREATE INDEX population_import_population ON population_import (population_id, id)",
    "CREATE TABLE import_rejection (
        import_id {uuid} NOT NULL REFERENCES population_import (id),
        ordinal integer NOT NULL,
        line bigint NOT NULL,
        column_name {text},
        code {text} NOT NULL,
        other_line bigint,
        PRIMARY KEY (import_id, ordinal)
    )",
    "CREATE TABLE population_item (
        id {uuid} NOT NULL PRIMARY KEY,
        population_id {uuid} NOT NULL,
        import_id {uuid} NOT NULL,
        line bigint NOT NULL,
        item_key {bytes} NOT NULL,
        case_key {bytes},
        bezirksstelle_id {uuid} NOT NULL,
        amount_cents bigint NOT NULL,
        bund_cents bigint NOT NULL,
        kommune_cents bigint NOT NULL,
        land_cents bigint NOT NULL,
        eu_cents bigint NOT NULL,
        product {text} NOT NULL,
        period {date},
        decision_date {date},
        kind {text} NOT NULL,
        own_staff boolean NOT NULL,
        attributes {text} NOT NULL,
        reference {text} NOT NULL,
        salt {bytes} NOT NULL
    )",
    "CREATE INDEX population_item_key ON population_item (population_id, item_key)",
    "CREATE TABLE case_number (
        import_id {uuid} NOT NULL REFERENCES population_import (id),
        case_key {bytes} NOT NULL,
        sealed {bytes} NOT NULL,
        PRIMARY KEY (import_id, case_key)
    )",
    "CREATE TABLE control_total (
        id {uuid} NOT NULL PRIMARY KEY,
        population_id {uuid} NOT NULL REFERENCES population (id),
        source {text} NOT NULL,
        document_reference {text} NOT NULL,
        entered_by {text} NOT NULL,
        entered_at {time} NOT NULL,
        population_version integer NOT NULL,
        superseded_at {time}
    )",
    "CREATE INDEX control_total_population ON control_total (population_id, id)",
    "CREATE TABLE control_cell (
        control_total_id {uuid} NOT NULL REFERENCES control_total (id),
        ordinal integer NOT NULL,
        fund {text},
        bezirksstelle_id {uuid} NOT NULL REFERENCES bezirksstelle (id),
        month {date},
        item_count bigint NOT NULL,
        sum_cents bigint NOT NULL,
        PRIMARY KEY (control_total_id, ordinal)
    )",
    "CREATE TABLE difference (
        id {uuid} NOT NULL PRIMARY KEY,
        control_total_id {uuid} NOT NULL REFERENCES control_total (id),
        population_id {uuid} NOT NULL REFERENCES population (id),
        fund {text},
        bezirksstelle_id {uuid} NOT NULL REFERENCES bezirksstelle (id),
        month {date},
        expected_count bigint NOT NULL,
        expected_cents bigint NOT NULL,
        actual_count bigint NOT NULL,
        actual_cents bigint NOT NULL,
        state {text} NOT NULL,
        explanation {text},
        explained_by {text},
        explained_at {time},
        approved_by {text},
        approved_at {time},
        version integer NOT NULL
    )",
    "CREATE INDEX difference_control_total ON difference (control_total_id, id)",
];

const SQLITE_GUARDS: &[&str] = &[
    "CREATE TRIGGER population_frozen_update BEFORE UPDATE ON population WHEN OLD.state = 'FROZEN'
        BEGIN SELECT RAISE(ABORT, 'population is frozen'); END",
    "CREATE TRIGGER population_frozen_delete BEFORE DELETE ON population WHEN OLD.state = 'FROZEN'
        BEGIN SELECT RAISE(ABORT, 'population is frozen'); END",
    "CREATE TRIGGER population_item_update BEFORE UPDATE ON population_item
        BEGIN SELECT RAISE(ABORT, 'population items are never updated'); END",
    "CREATE TRIGGER population_item_delete BEFORE DELETE ON population_item
        WHEN (SELECT state FROM population WHERE id = OLD.population_id) = 'FROZEN'
        BEGIN SELECT RAISE(ABORT, 'population is frozen'); END",
    "CREATE TRIGGER control_cell_update BEFORE UPDATE ON control_cell
        BEGIN SELECT RAISE(ABORT, 'a control total is never changed'); END",
    "CREATE TRIGGER control_cell_delete BEFORE DELETE ON control_cell
        BEGIN SELECT RAISE(ABORT, 'a control total is never deleted'); END",
    "CREATE TRIGGER control_total_delete BEFORE DELETE ON control_total
        BEGIN SELECT RAISE(ABORT, 'a control total is never deleted'); END",
    "CREATE TRIGGER difference_frozen BEFORE UPDATE ON difference
        WHEN (SELECT state FROM population WHERE id = OLD.population_id) = 'FROZEN'
        BEGIN SELECT RAISE(ABORT, 'population is frozen'); END",
    "CREATE TRIGGER difference_delete BEFORE DELETE ON difference
        BEGIN SELECT RAISE(ABORT, 'a difference is never deleted'); END",
    "CREATE TRIGGER population_item_insert BEFORE INSERT ON population_item
        WHEN (SELECT state FROM population WHERE id = NEW.population_id) IS NOT 'OPEN'
        BEGIN SELECT RAISE(ABORT, 'population is not open'); END",
];

// Transition tables make the check once a statement, not once a row. The check on insert stands for the foreign key on
// population too: a key checked row by row would take a third of the time of a bulk load.
const POSTGRES_GUARDS: &[&str] = &[
    "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION '% rows are never changed', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END $$",
    "CREATE FUNCTION only_open_population() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            -- The lock keeps a freeze waiting until these rows are committed, or these rows until the freeze is.
            PERFORM 1 FROM population WHERE id IN (SELECT DISTINCT population_id FROM touched) FOR SHARE;
            IF EXISTS (
                SELECT 1 FROM (SELECT DISTINCT population_id FROM touched) AS given
                LEFT JOIN population ON population.id = given.population_id
                WHERE population.state IS DISTINCT FROM 'OPEN'
            ) THEN
                RAISE EXCEPTION 'population is not open' USING ERRCODE = 'restrict_violation';
            END IF;
            RETURN NULL;
        END $$",
    "CREATE FUNCTION not_frozen_population() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF EXISTS (
                SELECT 1 FROM (SELECT DISTINCT population_id FROM touched) AS given
                JOIN population ON population.id = given.population_id
                WHERE population.state = 'FROZEN'
            ) THEN
                RAISE EXCEPTION 'population is frozen' USING ERRCODE = 'restrict_violation';
            END IF;
            RETURN NULL;
        END $$",
    "CREATE TRIGGER population_frozen BEFORE UPDATE OR DELETE ON population
        FOR EACH ROW WHEN (OLD.state = 'FROZEN') EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER population_item_update BEFORE UPDATE ON population_item
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER population_item_insert AFTER INSERT ON population_item
        REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION only_open_population()",
    "CREATE TRIGGER population_item_delete AFTER DELETE ON population_item
        REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION not_frozen_population()",
    "CREATE TRIGGER control_cell_change BEFORE UPDATE OR DELETE ON control_cell
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER control_total_delete BEFORE DELETE ON control_total
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER difference_frozen AFTER UPDATE ON difference
        REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION not_frozen_population()",
    "CREATE TRIGGER difference_delete BEFORE DELETE ON difference
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    "CREATE FUNCTION refuse_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION '% is never truncated', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END $$",
    "CREATE TRIGGER population_item_truncate BEFORE TRUNCATE ON population_item
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate()",
];
