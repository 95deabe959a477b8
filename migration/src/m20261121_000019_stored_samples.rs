//! What becomes of samples beside a plan and its draw: a person chooses items, a drawn sample is extended.
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
    "CREATE UNIQUE INDEX sample_extends ON sample (extends_id) WHERE state <> 'ABORTED'",
];

const SQLITE_GUARDS: &[&str] = &[
    "CREATE TRIGGER sample_item_choice BEFORE UPDATE ON sample_item
        WHEN OLD.choice_reason IS NOT NEW.choice_reason
        BEGIN SELECT RAISE(ABORT, 'a chosen item is never changed'); END",
    "CREATE TRIGGER sample_extension BEFORE UPDATE ON sample
        WHEN OLD.extends_id IS NOT NEW.extends_id OR OLD.extension IS NOT NEW.extension
        BEGIN SELECT RAISE(ABORT, 'a plan is never changed'); END",
];

const POSTGRES_GUARDS: &[&str] = &[
    "CREATE TRIGGER sample_item_choice BEFORE UPDATE ON sample_item
        FOR EACH ROW WHEN (OLD.choice_reason IS DISTINCT FROM NEW.choice_reason)
        EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER sample_extension BEFORE UPDATE ON sample
        FOR EACH ROW WHEN ((OLD.extends_id, OLD.extension) IS DISTINCT FROM (NEW.extends_id, NEW.extension))
        EXECUTE FUNCTION refuse_change()",
];
