//! Engagements may be restricted: then no Bezirksstelle is told who read its items.

use sea_orm_migration::prelude::*;

use crate::apply;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        apply(manager, &["ALTER TABLE engagement ADD COLUMN restriction {text}"]).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
