//! Samples (Stichproben): a plan, then a draw or an abort.

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Query;
use sea_orm::{Condition, QueryFilter};

use crate::{Cents, EngagementId, PopulationId, SampleId, Scope, sample_item, text_enum};

text_enum! {
    /// How items are selected.
    Method {
        /// Simple random without replacement by ticket numbers (consistent sampling).
        SimpleRandom = "SIMPLE_RANDOM",
        /// The same within each Bezirksstelle, sizes proportional to the numbers of items.
        StratifiedByBezirksstelle = "STRATIFIED_BY_BEZIRKSSTELLE",
        /// Cases at random, each with all its lines: simple random without replacement by ticket numbers of the cases.
        SimpleRandomClusters = "SIMPLE_RANDOM_CLUSTERS",
        /// Every k-th item from a random start.
        RecordInterval = "RECORD_INTERVAL",
        /// Monetary unit sampling by fixed interval over the items above zero.
        MonetaryUnitFixedInterval = "MONETARY_UNIT_FIXED_INTERVAL",
        /// The same over the items in random order, that of their tickets.
        MonetaryUnitRandomisedInterval = "MONETARY_UNIT_RANDOMISED_INTERVAL",
        /// Monetary unit sampling by cells of the size of the interval, over the items above zero.
        MonetaryUnitCell = "MONETARY_UNIT_CELL",
        /// Items with replacement, by their number: one may be hit more than once.
        RecordsWithReplacement = "RECORDS_WITH_REPLACEMENT",
        /// Drawn elsewhere and recorded here; only evaluated, never presented as drawn by us.
        RecordedMonetaryUnit = "RECORDED_MONETARY_UNIT",
        /// Chosen by a person for the risk of its items; never projected.
        Judgemental = "JUDGEMENTAL",
    }
}

text_enum! {
    /// The state of a sample.
    State {
        /// The plan is fixed.
        Planned = "PLANNED",
        /// Drawn; final.
        Drawn = "DRAWN",
        /// Given up before drawing; final.
        Aborted = "ABORTED",
    }
}

text_enum! {
    /// What an extension is of the sample it extends.
    Extension {
        /// Size and acceptance numbers were fixed with the first plan: both are evaluated together.
        Planned = "PLANNED",
        /// They were not: each is evaluated for itself.
        Unplanned = "UNPLANNED",
    }
}

/// One sample.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sample")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SampleId,
    /// Its engagement.
    pub engagement_id: EngagementId,
    /// The frozen population it is drawn from.
    pub population_id: PopulationId,
    /// The drawn sample that it extends.
    pub extends_id: Option<SampleId>,
    /// What it is of that sample.
    pub extension: Option<Extension>,
    /// Name, unique in the engagement.
    pub name: String,
    /// How items are selected.
    pub method: Method,
    /// Planned, drawn or aborted.
    pub state: State,
    /// Number of sampling units.
    pub size: i64,
    /// Confidence, tolerable and expected error and how the size was found, as JSON.
    pub parameters: String,
    /// Checks an item needs: 2 where four eyes are asked.
    pub checks_per_item: i32,
    /// The seed, once drawn.
    pub seed: Option<String>,
    /// Selection algorithm with version, once drawn.
    pub algorithm: Option<String>,
    /// Root of the population drawn from.
    #[sea_orm(column_type = "Blob", nullable)]
    pub population_root: Option<Vec<u8>>,
    /// Items that could be selected.
    pub frame_count: i64,
    /// Their sum.
    pub frame_cents: Cents,
    /// Why it was drawn again, or aborted.
    pub reason: Option<String>,
    /// Who planned it.
    pub planned_by: String,
    /// When it was planned.
    pub planned_at: DateTimeUtc,
    /// Who drew or aborted it.
    pub decided_by: Option<String>,
    /// When it was drawn or aborted.
    pub decided_at: Option<DateTimeUtc>,
    /// Counts changes.
    pub version: i32,
}

/// No typed relations: finders join where they need to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Entity {
    /// Samples a caller may see. Whoever sees a part of the items, a Bezirksstelle or somebody
    /// under a grant, sees those samples in which one of them is visible.
    pub fn visible_to(scope: &Scope) -> Select<Self> {
        Self::find().filter(match scope {
            Scope::Everything | Scope::WithoutOwnStaff => Condition::all(),
            Scope::Grant { coverage, .. } if coverage.is_whole() => {
                Condition::all().add(Column::EngagementId.is_in(coverage.engagements()))
            }
            Scope::Bezirksstelle { .. } | Scope::Grant { .. } => Condition::all().add(
                Column::Id.in_subquery(
                    Query::select()
                        .column(sample_item::Column::SampleId)
                        .from(sample_item::Entity)
                        .cond_where(sample_item::condition(scope))
                        .to_owned(),
                ),
            ),
            Scope::Nothing => Scope::nothing(),
        })
    }
}
