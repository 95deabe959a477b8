//! The log over the trail: leaves, tree and checkpoints, append-only in the database too.
//!
//! What an entry says, or the salt that binds it to its leaf, may be erased once the leaf is in the tree; the leaf stays.

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
    "ALTER TABLE trail_entry ADD COLUMN salt {bytes}",
    "CREATE TABLE log_queue (
        id {uuid} NOT NULL PRIMARY KEY,
        commitment {bytes} NOT NULL
    )",
    "CREATE TABLE log_leaf (
        idx bigint NOT NULL PRIMARY KEY,
        entry_id {uuid} NOT NULL UNIQUE,
        commitment {bytes} NOT NULL
    )",
    "CREATE TABLE log_node (
        level integer NOT NULL,
        idx bigint NOT NULL,
        hash {bytes} NOT NULL,
        PRIMARY KEY (level, idx)
    )",
    "CREATE TABLE log_checkpoint (
        number bigint NOT NULL PRIMARY KEY,
        size bigint NOT NULL,
        root {bytes} NOT NULL,
        key_id {text} NOT NULL,
        at {time} NOT NULL,
        note {text} NOT NULL
    )",
    "CREATE INDEX log_checkpoint_size ON log_checkpoint (size, number)",
];

const SQLITE_GUARDS: &[&str] = &[
    "DROP TRIGGER trail_entry_update",
    "DROP TRIGGER trail_entry_delete",
    "CREATE TRIGGER trail_entry_update BEFORE UPDATE ON trail_entry
        WHEN NEW.salt IS NOT NULL OR OLD.id IS NOT NEW.id OR OLD.at IS NOT NEW.at OR OLD.actor IS NOT NEW.actor OR
            OLD.membership IS NOT NEW.membership OR OLD.action IS NOT NEW.action OR
            OLD.outcome IS NOT NEW.outcome OR OLD.engagement_id IS NOT NEW.engagement_id OR
            OLD.subject_kind IS NOT NEW.subject_kind OR OLD.subject_id IS NOT NEW.subject_id OR
            OLD.request_id IS NOT NEW.request_id OR OLD.detail IS NOT NEW.detail
        BEGIN SELECT RAISE(ABORT, 'the trail is append-only'); END",
    "CREATE TRIGGER trail_entry_salt BEFORE UPDATE ON trail_entry
        WHEN NOT EXISTS (SELECT 1 FROM log_leaf WHERE entry_id = OLD.id)
        BEGIN SELECT RAISE(ABORT, 'only what has its leaf in the log is erased'); END",
    "CREATE TRIGGER trail_entry_delete BEFORE DELETE ON trail_entry
        WHEN NOT EXISTS (SELECT 1 FROM log_leaf WHERE entry_id = OLD.id)
        BEGIN SELECT RAISE(ABORT, 'only what has its leaf in the log is erased'); END",
    "CREATE TRIGGER log_queue_update BEFORE UPDATE ON log_queue
        BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END",
    "CREATE TRIGGER log_queue_delete BEFORE DELETE ON log_queue
        WHEN NOT EXISTS (SELECT 1 FROM log_leaf WHERE entry_id = OLD.id)
        BEGIN SELECT RAISE(ABORT, 'only what has its leaf in the log leaves the queue'); END",
    "CREATE TRIGGER log_leaf_update BEFORE UPDATE ON log_leaf
        BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END",
    "CREATE TRIGGER log_leaf_delete BEFORE DELETE ON log_leaf
        BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END",
    "CREATE TRIGGER log_node_update BEFORE UPDATE ON log_node
        BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END",
    "CREATE TRIGGER log_node_delete BEFORE DELETE ON log_node
        BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END",
    "CREATE TRIGGER log_checkpoint_update BEFORE UPDATE ON log_checkpoint
        BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END",
    "CREATE TRIGGER log_checkpoint_delete BEFORE DELETE ON log_checkpoint
        BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END",
    // REPLACE would remove a row without asking the triggers above.
    "CREATE TRIGGER log_queue_replace BEFORE INSERT ON log_queue
        WHEN EXISTS (SELECT 1 FROM log_queue WHERE id = NEW.id)
        BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END",
    "CREATE TRIGGER log_leaf_replace BEFORE INSERT ON log_leaf
        WHEN EXISTS (SELECT 1 FROM log_leaf WHERE idx = NEW.idx OR entry_id = NEW.entry_id)
        BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END",
    "CREATE TRIGGER log_node_replace BEFORE INSERT ON log_node
        WHEN EXISTS (SELECT 1 FROM log_node WHERE level = NEW.level AND idx = NEW.idx)
        BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END",
    "CREATE TRIGGER log_checkpoint_replace BEFORE INSERT ON log_checkpoint
        WHEN EXISTS (SELECT 1 FROM log_checkpoint WHERE number = NEW.number)
        BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END",
];

const POSTGRES_GUARDS: &[&str] = &[
    "CREATE FUNCTION only_with_leaf() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NOT EXISTS (SELECT 1 FROM log_leaf WHERE entry_id = OLD.id) THEN
                RAISE EXCEPTION '% rows go only once the log holds their leaf', TG_TABLE_NAME
                    USING ERRCODE = 'restrict_violation';
            END IF;
            RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
        END $$",
    "DROP TRIGGER trail_entry_change ON trail_entry",
    "CREATE TRIGGER trail_entry_update BEFORE UPDATE ON trail_entry
        FOR EACH ROW WHEN (NEW.salt IS NOT NULL
            OR (OLD.id, OLD.at, OLD.actor, OLD.membership, OLD.action, OLD.outcome, OLD.engagement_id,
                OLD.subject_kind, OLD.subject_id, OLD.request_id, OLD.detail)
            IS DISTINCT FROM (NEW.id, NEW.at, NEW.actor, NEW.membership, NEW.action, NEW.outcome, NEW.engagement_id,
                NEW.subject_kind, NEW.subject_id, NEW.request_id, NEW.detail))
        EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER trail_entry_salt BEFORE UPDATE ON trail_entry
        FOR EACH ROW EXECUTE FUNCTION only_with_leaf()",
    "CREATE TRIGGER trail_entry_delete BEFORE DELETE ON trail_entry
        FOR EACH ROW EXECUTE FUNCTION only_with_leaf()",
    "CREATE TRIGGER log_queue_update BEFORE UPDATE ON log_queue
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER log_queue_delete BEFORE DELETE ON log_queue
        FOR EACH ROW EXECUTE FUNCTION only_with_leaf()",
    "CREATE TRIGGER log_queue_truncate BEFORE TRUNCATE ON log_queue
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate()",
    "CREATE TRIGGER log_leaf_change BEFORE UPDATE OR DELETE ON log_leaf
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER log_leaf_truncate BEFORE TRUNCATE ON log_leaf
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate()",
    "CREATE TRIGGER log_node_change BEFORE UPDATE OR DELETE ON log_node
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER log_node_truncate BEFORE TRUNCATE ON log_node
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate()",
    "CREATE TRIGGER log_checkpoint_change BEFORE UPDATE OR DELETE ON log_checkpoint
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER log_checkpoint_truncate BEFORE TRUNCATE ON log_checkpoint
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate()",
];
