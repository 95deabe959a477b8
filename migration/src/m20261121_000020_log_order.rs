//! The order in which entries came to wait for their place in the log; on SQLite the number of the row tells it.

use sea_orm_migration::prelude::*;

use crate::apply_each;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        apply_each(
            manager,
            &[],
            &["ALTER TABLE log_queue ADD COLUMN arrival bigint GENERATED ALWAYS AS IDENTITY"],
        )
        .await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
