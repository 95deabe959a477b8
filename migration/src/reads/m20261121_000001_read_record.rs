//! Read records: who read which social data. Append-only; the deletion job says first, in `read_gate`, what it is about to
//! delete, and nothing else can be deleted.

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
    "CREATE TABLE read_record (
        id {uuid} NOT NULL PRIMARY KEY,
        at {time} NOT NULL,
        kind {text} NOT NULL,
        request_id {uuid} NOT NULL,
        actor {text} NOT NULL,
        membership {text} NOT NULL,
        grant_id {uuid},
        engagement_id {uuid},
        purpose {text},
        classes {text} NOT NULL,
        operation_hash {bytes} NOT NULL,
        query {text},
        object_kind {text} NOT NULL,
        object_count bigint NOT NULL,
        object_ids {bytes} NOT NULL,
        object_digest {bytes}
    )",
    "CREATE INDEX read_record_engagement ON read_record (engagement_id, id)",
    "CREATE INDEX read_record_actor ON read_record (actor, id)",
    "CREATE INDEX read_record_at ON read_record (at)",
    "CREATE INDEX read_record_request ON read_record (request_id)",
    "CREATE INDEX read_record_grant ON read_record (grant_id, id) WHERE grant_id IS NOT NULL",
    "CREATE TABLE read_gate (
        id {uuid} NOT NULL PRIMARY KEY,
        engagement_id {uuid},
        before {time} NOT NULL
    )",
];

// Times are compared as SQLite keeps them: text of one form, in UTC.
const SQLITE_GUARDS: &[&str] = &[
    "CREATE TRIGGER read_record_update BEFORE UPDATE ON read_record
        BEGIN SELECT RAISE(ABORT, 'a read record is never changed'); END",
    "CREATE TRIGGER read_record_delete BEFORE DELETE ON read_record
        WHEN NOT EXISTS (SELECT 1 FROM read_gate
            WHERE engagement_id IS OLD.engagement_id AND OLD.at < before)
        BEGIN SELECT RAISE(ABORT, 'a read record is deleted by the deletion job alone'); END",
    // REPLACE would remove a row without asking the trigger above.
    "CREATE TRIGGER read_record_replace BEFORE INSERT ON read_record
        WHEN EXISTS (SELECT 1 FROM read_record WHERE id = NEW.id)
        BEGIN SELECT RAISE(ABORT, 'a read record is never changed'); END",
];

const POSTGRES_GUARDS: &[&str] = &[
    "CREATE FUNCTION refuse_read_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'read records are never changed' USING ERRCODE = 'restrict_violation';
        END $$",
    "CREATE FUNCTION only_through_read_gate() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NOT EXISTS (SELECT 1 FROM read_gate
                WHERE engagement_id IS NOT DISTINCT FROM OLD.engagement_id AND OLD.at < before) THEN
                RAISE EXCEPTION 'read records are deleted by the deletion job alone'
                    USING ERRCODE = 'restrict_violation';
            END IF;
            RETURN OLD;
        END $$",
    "CREATE TRIGGER read_record_update BEFORE UPDATE ON read_record
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_read_change()",
    "CREATE TRIGGER read_record_truncate BEFORE TRUNCATE ON read_record
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_read_change()",
    "CREATE TRIGGER read_record_delete BEFORE DELETE ON read_record
        FOR EACH ROW EXECUTE FUNCTION only_through_read_gate()",
];
