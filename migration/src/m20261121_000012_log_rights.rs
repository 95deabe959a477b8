//! On PostgreSQL nobody but the owner of the tables may change or remove a row of the log and of the trail: the service
//! runs under another role. (SQLite knows no roles; its triggers refuse.)

use sea_orm_migration::prelude::*;

use crate::apply_each;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        apply_each(manager, &[], POSTGRES).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

// Whoever was granted these rights by the default privileges of the schema loses them, whatever the role is called.
const POSTGRES: &[&str] = &["DO $$
    DECLARE
        held record;
    BEGIN
        FOR held IN
            SELECT DISTINCT table_name, CASE grantee WHEN 'PUBLIC' THEN 'PUBLIC' ELSE quote_ident(grantee) END AS grantee
            FROM information_schema.role_table_grants
            WHERE table_schema = current_schema() AND grantee <> current_user
                AND table_name IN ('trail_entry', 'log_leaf', 'log_node', 'log_checkpoint')
        LOOP
            EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON %I FROM %s', held.table_name, held.grantee);
        END LOOP;
    END $$"];
