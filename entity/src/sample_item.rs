//! Items drawn into a sample.
//!
//! Bezirksstelle, amount, reference and own staff's mark repeat the population item's: they never change after freezing, and lists
//! filter, sort and scope on them with one index.

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Query;
use sea_orm::{Condition, ExprTrait as _, QueryFilter};

use crate::grant::Coverage;
use crate::{
    BezirksstelleId, Cents, EngagementId, ItemId, SampleId, SampleItemId, Scope, StratumId, population_item,
    text_enum,
};

text_enum! {
    /// How far checking has come.
    State {
        /// No check yet.
        Open = "OPEN",
        /// Checked, but a second person's check is still asked for.
        PartlyChecked = "PARTLY_CHECKED",
        /// Two checks say different things.
        Disputed = "DISPUTED",
        /// As many checks as asked for, and they agree.
        Checked = "CHECKED",
        /// Cannot be checked; another item took its place.
        Replaced = "REPLACED",
    }
}

text_enum! {
    /// What checking found, once it is complete.
    CheckResult {
        /// Legal and correct.
        NoError = "NO_ERROR",
        /// At least one error.
        Error = "ERROR",
    }
}

/// One drawn item.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sample_item")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SampleItemId,
    /// Its sample.
    pub sample_id: SampleId,
    /// Its stratum.
    pub stratum_id: StratumId,
    /// The population item.
    pub item_id: ItemId,
    /// Its engagement.
    pub engagement_id: EngagementId,
    /// Position in the draw, from 1.
    pub draw_order: i64,
    /// Ticket number, for simple random selection.
    pub ticket: Option<String>,
    /// How often it was hit; each hit is one sampling unit.
    pub hits: i64,
    /// Its Bezirksstelle.
    pub bezirksstelle_id: BezirksstelleId,
    /// Its amount.
    pub amount_cents: Cents,
    /// Its reference.
    pub reference: String,
    /// Concerns a member of the own staff.
    pub own_staff: bool,
    /// Why it was chosen, in a judgemental sample, where that was said of it alone.
    pub choice_reason: Option<String>,
    /// From when its Bezirksstelle may see it: announced or requested.
    pub visible_from: Option<DateTimeUtc>,
    /// How far checking has come.
    pub state: State,
    /// What checking found.
    pub result: Option<CheckResult>,
    /// Counts changes.
    pub version: i32,
}

/// No typed relations: finders join where they need to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Entity {
    /// Items a caller may see. A Bezirksstelle sees its own from the moment they were announced or requested.
    pub fn visible_to(scope: &Scope) -> Select<Self> {
        Self::find().filter(condition(scope))
    }
}

/// The scope as a condition on sample items.
pub fn condition(scope: &Scope) -> Condition {
    match scope {
        Scope::Everything => Condition::all(),
        Scope::WithoutOwnStaff => Condition::all().add(Column::OwnStaff.eq(false)),
        Scope::Bezirksstelle { id, now, own_staff } => Condition::all()
            .add(Column::BezirksstelleId.eq(*id))
            .add(Column::VisibleFrom.lte(*now))
            .add_option((!own_staff).then(|| Column::OwnStaff.eq(false))),
        Scope::Grant {
            coverage, own_staff, ..
        } => granted(coverage).add_option((!own_staff).then(|| Column::OwnStaff.eq(false))),
        Scope::Nothing => Scope::nothing(),
    }
}

/// Items a grant reaches; period and funds are the population item's.
fn granted(coverage: &Coverage) -> Condition {
    let item = population_item::granted(coverage).map(|granted| {
        Expr::exists(
            Query::select()
                .expr(Expr::val(1))
                .from(population_item::Entity)
                .cond_where(
                    Condition::all()
                        .add(
                            Expr::col((population_item::Entity, population_item::Column::Id))
                                .equals((Entity, Column::ItemId)),
                        )
                        .add(granted),
                )
                .to_owned(),
        )
    });
    Condition::all()
        .add(Column::EngagementId.is_in(coverage.engagements()))
        .add_option(
            coverage
                .bezirksstellen
                .as_ref()
                .map(|ids| Column::BezirksstelleId.is_in(ids.iter().copied())),
        )
        .add_option(item)
}

/// Working papers on items: they stay with the audit function, those of own staff's items with its named group; a grant reaches
/// those of its items.
pub(crate) fn papers<C: ColumnTrait>(scope: &Scope, own_staff: C, item: C) -> Condition {
    match scope {
        Scope::Everything => Condition::all(),
        Scope::WithoutOwnStaff => Condition::all().add(own_staff.eq(false)),
        Scope::Grant { .. } => Condition::all().add(
            item.in_subquery(
                Query::select()
                    .column(Column::Id)
                    .from(Entity)
                    .cond_where(condition(scope))
                    .to_owned(),
            ),
        ),
        Scope::Bezirksstelle { .. } | Scope::Nothing => Scope::nothing(),
    }
}
