//! Drawn items and their checks repeat the mark of own staff, so that lists leave them out without a join.

use sea_orm_migration::prelude::*;

use crate::{apply, apply_each};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        apply_each(
            manager,
            &["DROP TRIGGER item_check_update"],
            &["DROP TRIGGER item_check_change ON item_check"],
        )
        .await?;
        apply(manager, COLUMNS).await?;
        apply_each(manager, SQLITE_GUARDS, POSTGRES_GUARDS).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

const COLUMNS: &[&str] = &[
    "ALTER TABLE sample_item ADD COLUMN own_staff boolean NOT NULL DEFAULT FALSE",
    "UPDATE sample_item SET own_staff = TRUE
        WHERE item_id IN (SELECT id FROM population_item WHERE own_staff)",
    "ALTER TABLE item_check ADD COLUMN own_staff boolean NOT NULL DEFAULT FALSE",
    "UPDATE item_check SET own_staff = TRUE
        WHERE sample_item_id IN (SELECT id FROM sample_item WHERE own_staff)",
];

const SQLITE_GUARDS: &[&str] = &[
    "CREATE TRIGGER sample_item_own_staff BEFORE UPDATE ON sample_item WHEN OLD.own_staff <> NEW.own_staff
        BEGIN SELECT RAISE(ABORT, 'a drawn item is never changed'); END",
    "CREATE TRIGGER item_check_update BEFORE UPDATE ON item_check
        BEGIN SELECT RAISE(ABORT, 'a check is never changed'); END",
];

const POSTGRES_GUARDS: &[&str] = &[
    "CREATE TRIGGER sample_item_own_staff BEFORE UPDATE ON sample_item
        FOR EACH ROW WHEN (OLD.own_staff <> NEW.own_staff) EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER item_check_change BEFORE UPDATE OR DELETE ON item_check
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
];
