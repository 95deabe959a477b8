//! Populations (Grundgesamtheiten).

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Query, SelectStatement};
use sea_orm::{Condition, QueryFilter};

use crate::grant::Coverage;
use crate::{Cents, EngagementId, PopulationId, Scope, text_enum};

text_enum! {
    /// What one item of a population is.
    Unit {
        /// A decision (Bescheid).
        Decision = "DECISION",
        /// A case in a month (Fallmonat).
        CaseMonth = "CASE_MONTH",
        /// A payment line (Zahlung).
        Payment = "PAYMENT",
        /// A procedure (Vorgang).
        Procedure = "PROCEDURE",
    }
}

impl Unit {
    /// Whether an item of this unit is money and therefore needs an amount.
    pub const fn needs_amount(self) -> bool {
        matches!(self, Self::Payment | Self::CaseMonth)
    }
}

text_enum! {
    /// The state of a population.
    State {
        /// Extracts may be imported, control totals entered.
        Open = "OPEN",
        /// Immutable; samples may be planned and drawn.
        Frozen = "FROZEN",
        /// Given up before freezing; its items are gone.
        Discarded = "DISCARDED",
    }
}

/// One population. Counts and sums are those at the last completed import; from freezing on they are final.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "population")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PopulationId,
    /// Its engagement.
    pub engagement_id: EngagementId,
    /// Name, unique in the engagement.
    pub name: String,
    /// What one item is.
    pub unit: Unit,
    /// Where the extract comes from.
    pub source: String,
    /// Open, frozen or discarded.
    pub state: State,
    /// Items.
    pub item_count: i64,
    /// Sum of all amounts.
    pub sum_cents: Cents,
    /// Items above zero.
    pub positive_count: i64,
    /// Their sum.
    pub positive_cents: Cents,
    /// Items of zero.
    pub zero_count: i64,
    /// Items below zero.
    pub negative_count: i64,
    /// Their sum.
    pub negative_cents: Cents,
    /// Root over the salted rows (RFC 6962), from freezing on.
    #[sea_orm(column_type = "Blob", nullable)]
    pub merkle_root: Option<Vec<u8>>,
    /// Who created it.
    pub created_by: String,
    /// When it was created.
    pub created_at: DateTimeUtc,
    /// Who froze it.
    pub frozen_by: Option<String>,
    /// When it was frozen.
    pub frozen_at: Option<DateTimeUtc>,
    /// Counts changes.
    pub version: i32,
}

/// No typed relations: finders join where they need to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Entity {
    /// Populations a caller may see: a Bezirksstelle sees none, since a population tells what may yet be drawn.
    pub fn visible_to(scope: &Scope) -> Select<Self> {
        Self::find().filter(scope.papers(granted))
    }
}

fn granted(coverage: &Coverage) -> Condition {
    Condition::all().add(Column::EngagementId.is_in(coverage.engagements()))
}

/// Ids of the populations of granted engagements, for what hangs on them.
pub(crate) fn granted_ids(coverage: &Coverage) -> SelectStatement {
    Query::select()
        .column(Column::Id)
        .from(Entity)
        .cond_where(granted(coverage))
        .to_owned()
}
