//! Cosignatures of checkpoints by witnesses: append-only as the log is, and for the role of the service too.

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
    "CREATE TABLE log_cosignature (
        checkpoint bigint NOT NULL,
        witness {text} NOT NULL,
        key_id {text} NOT NULL,
        at {time} NOT NULL,
        line {text} NOT NULL,
        PRIMARY KEY (checkpoint, witness, key_id)
    )",
    // The last one of a witness.
    "CREATE INDEX log_cosignature_witness ON log_cosignature (witness, key_id, checkpoint)",
];

const SQLITE_GUARDS: &[&str] = &[
    "CREATE TRIGGER log_cosignature_update BEFORE UPDATE ON log_cosignature
        BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END",
    "CREATE TRIGGER log_cosignature_delete BEFORE DELETE ON log_cosignature
        BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END",
    // REPLACE would remove a row without asking the triggers above.
    "CREATE TRIGGER log_cosignature_replace BEFORE INSERT ON log_cosignature
        WHEN EXISTS (SELECT 1 FROM log_cosignature
            WHERE checkpoint = NEW.checkpoint AND witness = NEW.witness AND key_id = NEW.key_id)
        BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END",
];

const POSTGRES_GUARDS: &[&str] = &[
    "CREATE TRIGGER log_cosignature_change BEFORE UPDATE OR DELETE ON log_cosignature
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER log_cosignature_truncate BEFORE TRUNCATE ON log_cosignature
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate()",
    // Whoever was granted these rights by the default privileges of the schema loses them, whatever the role is called.
    "DO $$
    DECLARE
        held record;
    BEGIN
        FOR held IN
            SELECT DISTINCT CASE grantee WHEN 'PUBLIC' THEN 'PUBLIC' ELSE quote_ident(grantee) END AS grantee
            FROM information_schema.role_table_grants
            WHERE table_schema = current_schema() AND grantee <> current_user AND table_name = 'log_cosignature'
        LOOP
            EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON log_cosignature FROM %s', held.grantee);
        END LOOP;
    END $$",
];
