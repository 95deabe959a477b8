//! Entries of the trail say whether they concern own staff, so that only its group is told. Beside what is proven.

use sea_orm_migration::prelude::*;

use crate::apply;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        apply(
            manager,
            &["ALTER TABLE trail_entry ADD COLUMN own_staff boolean NOT NULL DEFAULT FALSE"],
        )
        .await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
