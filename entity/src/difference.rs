//! Differences between a population and its control total: found, explained, approved by a second person.

use sea_orm::entity::prelude::*;
use sea_orm::{Condition, QueryFilter};

use crate::{
    BezirksstelleId, Cents, ControlTotalId, DifferenceId, Fund, PopulationId, Scope, population, text_enum,
};

text_enum! {
    /// The state of a difference.
    State {
        /// Found.
        Open = "OPEN",
        /// Explained, not yet approved.
        Explained = "EXPLAINED",
        /// Approved by somebody else than who explained it.
        Approved = "APPROVED",
    }
}

/// One difference of one cell.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "difference")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: DifferenceId,
    /// The control total it was found against.
    pub control_total_id: ControlTotalId,
    /// Its population.
    pub population_id: PopulationId,
    /// Fund; none in a cell of all lines.
    pub fund: Option<Fund>,
    /// Bezirksstelle.
    pub bezirksstelle_id: BezirksstelleId,
    /// First day of the month.
    pub month: Option<Date>,
    /// Count by the control total.
    pub expected_count: i64,
    /// Sum by the control total.
    pub expected_cents: Cents,
    /// Count in the population.
    pub actual_count: i64,
    /// Sum in the population.
    pub actual_cents: Cents,
    /// State.
    pub state: State,
    /// Why it is so.
    pub explanation: Option<String>,
    /// Who explained it.
    pub explained_by: Option<String>,
    /// When it was explained.
    pub explained_at: Option<DateTimeUtc>,
    /// Who approved the explanation.
    pub approved_by: Option<String>,
    /// When it was approved.
    pub approved_at: Option<DateTimeUtc>,
    /// Counts changes.
    pub version: i32,
}

/// No typed relations: finders join where they need to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Entity {
    /// Differences a caller may see, like their population.
    pub fn visible_to(scope: &Scope) -> Select<Self> {
        Self::find().filter(scope.papers(|coverage| {
            Condition::all().add(Column::PopulationId.in_subquery(population::granted_ids(coverage)))
        }))
    }
}
