//! Changes of the store of read records: on PostgreSQL the same database, on SQLite a file of its own. Their names are kept
//! in a table of their own.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DatabaseConnection;

mod m20261121_000001_read_record;

struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(m20261121_000001_read_record::Migration)]
    }

    fn migration_table_name() -> DynIden {
        Alias::new("read_migrations").into_iden()
    }
}

/// Applies every missing change.
pub async fn up(reads: &DatabaseConnection) -> Result<(), DbErr> {
    Migrator::up(reads, None).await
}

/// Every change by name, and whether it was applied. Needs no right to change anything.
pub async fn status(reads: &DatabaseConnection) -> Result<Vec<(String, bool)>, DbErr> {
    Ok(crate::listed(
        &Migrator::get_migration_with_status_read_only(reads).await?,
    ))
}
