//! Schema changes, one file a change, forward only, for SQLite and PostgreSQL alike.
//!
//! A change is plain SQL with a few words in braces (`{uuid}`, `{bytes}`, ...) for what the two databases name
//! differently; `apply` fills them in. Migrations spell their own columns and know no entity.

#![expect(
    elided_lifetimes_in_paths,
    reason = "the trait of sea-orm-migration is declared so"
)]

use sea_orm_migration::MigrationStatus;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DatabaseBackend, DatabaseConnection};

mod m20261121_000001_organisation;
mod m20261121_000002_engagement;
mod m20261121_000003_population;
mod m20261121_000004_sample;
mod m20261121_000005_check;
mod m20261121_000006_trail;
mod m20261121_000007_log;
mod m20261121_000009_grant;
mod m20261121_000010_own_staff;
mod m20261121_000011_legal_hold;
mod m20261121_000012_log_rights;
mod m20261121_000013_log_cosignature;
mod m20261121_000014_trail_own_staff;
mod m20261121_000015_trail_denied;
mod m20261121_000016_engagement_restriction;
mod m20261121_000017_retention_gate;
mod m20261121_000018_ceremony;
mod m20261121_000019_stored_samples;
mod m20261121_000020_log_order;
mod m20261122_000021_deadline;
mod m20261122_000022_decision;
mod m20261122_000023_known_error;
mod m20261122_000024_assignment;
pub mod reads;

/// All changes in order.
struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261121_000001_organisation::Migration),
            Box::new(m20261121_000002_engagement::Migration),
            Box::new(m20261121_000003_population::Migration),
            Box::new(m20261121_000004_sample::Migration),
            Box::new(m20261121_000005_check::Migration),
            Box::new(m20261121_000006_trail::Migration),
            Box::new(m20261121_000007_log::Migration),
            Box::new(m20261121_000009_grant::Migration),
            Box::new(m20261121_000010_own_staff::Migration),
            Box::new(m20261121_000011_legal_hold::Migration),
            Box::new(m20261121_000012_log_rights::Migration),
            Box::new(m20261121_000013_log_cosignature::Migration),
            Box::new(m20261121_000014_trail_own_staff::Migration),
            Box::new(m20261121_000015_trail_denied::Migration),
            Box::new(m20261121_000016_engagement_restriction::Migration),
            Box::new(m20261121_000017_retention_gate::Migration),
            Box::new(m20261121_000018_ceremony::Migration),
            Box::new(m20261121_000019_stored_samples::Migration),
            Box::new(m20261121_000020_log_order::Migration),
            Box::new(m20261122_000021_deadline::Migration),
            Box::new(m20261122_000022_decision::Migration),
            Box::new(m20261122_000023_known_error::Migration),
            Box::new(m20261122_000024_assignment::Migration),
        ]
    }
}

/// Applies every missing change.
pub async fn up(db: &DatabaseConnection) -> Result<(), DbErr> {
    Migrator::up(db, None).await
}

/// Every change by name, and whether it was applied. Needs no right to change anything.
pub async fn status(db: &DatabaseConnection) -> Result<Vec<(String, bool)>, DbErr> {
    Ok(listed(&Migrator::get_migration_with_status_read_only(db).await?))
}

fn listed(changes: &[sea_orm_migration::Migration]) -> Vec<(String, bool)> {
    changes
        .iter()
        .map(|change| {
            (
                change.name().to_owned(),
                change.status() == MigrationStatus::Applied,
            )
        })
        .collect()
}

/// Runs the statements of a change, with the database's own type names.
///
/// `{text}` sorts bytewise on both databases, so that a page ends at the same row whatever the locale.
async fn apply(manager: &SchemaManager<'_>, statements: &[&str]) -> Result<(), DbErr> {
    let words: [(&str, &str); 5] = match manager.get_database_backend() {
        DatabaseBackend::Postgres => [
            ("{uuid}", "uuid"),
            ("{bytes}", "bytea"),
            ("{time}", "timestamptz"),
            ("{date}", "date"),
            ("{text}", "text COLLATE \"C\""),
        ],
        _ => [
            ("{uuid}", "uuid_text"),
            ("{bytes}", "blob"),
            ("{time}", "timestamp_with_timezone_text"),
            ("{date}", "date_text"),
            ("{text}", "text"),
        ],
    };
    for statement in statements {
        let sql = words.iter().fold((*statement).to_owned(), |sql, (word, name)| {
            sql.replace(word, name)
        });
        manager.get_connection().execute_unprepared(&sql).await?;
    }
    Ok(())
}

/// Statements for one database only: triggers have no common form.
async fn apply_each(manager: &SchemaManager<'_>, sqlite: &[&str], postgres: &[&str]) -> Result<(), DbErr> {
    match manager.get_database_backend() {
        DatabaseBackend::Postgres => apply(manager, postgres).await,
        _ => apply(manager, sqlite).await,
    }
}
