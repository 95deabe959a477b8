//! Imports of population extracts: one row a file.

use sea_orm::entity::prelude::*;
use sea_orm::{Condition, QueryFilter};

use crate::{Cents, ImportId, PopulationId, Scope, population, text_enum};

text_enum! {
    /// The state of an import.
    State {
        /// Opened; the file has not been sent yet.
        Waiting = "WAITING",
        /// Lines are being read.
        Running = "RUNNING",
        /// All lines are in.
        Completed = "COMPLETED",
        /// Lines were refused; nothing was imported.
        Rejected = "REJECTED",
        /// Reading broke off; nothing was imported.
        Failed = "FAILED",
    }
}

/// One import. All or nothing: items exist for readers only once it is completed.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "population_import")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ImportId,
    /// The population it fills.
    pub population_id: PopulationId,
    /// Name of the file as given.
    pub file_name: String,
    /// The column mapping, as JSON.
    pub mapping: String,
    /// State.
    pub state: State,
    /// Size of the file where it is known beforehand.
    pub bytes_expected: Option<i64>,
    /// Bytes read so far.
    pub bytes_read: i64,
    /// Lines (records) read so far.
    pub lines_read: i64,
    /// Lines refused so far.
    pub lines_rejected: i64,
    /// Sum of the amounts read so far.
    pub sum_cents: Cents,
    /// SHA-256 of the file's bytes, once read to the end.
    #[sea_orm(column_type = "Blob", nullable)]
    pub sha256: Option<Vec<u8>>,
    /// Code of the failure.
    pub failure: Option<String>,
    /// What the failure names: a line, a column. Never content.
    pub failure_detail: Option<String>,
    /// Who opened it.
    pub created_by: String,
    /// When it was opened.
    pub created_at: DateTimeUtc,
    /// Last sign of life of the reader.
    pub heartbeat_at: Option<DateTimeUtc>,
    /// When it ended.
    pub finished_at: Option<DateTimeUtc>,
}

/// No typed relations: finders join where they need to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Entity {
    /// Imports a caller may see, like their population.
    pub fn visible_to(scope: &Scope) -> Select<Self> {
        Self::find().filter(scope.papers(|coverage| {
            Condition::all().add(Column::PopulationId.in_subquery(population::granted_ids(coverage)))
        }))
    }
}
