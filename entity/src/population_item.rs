//! Items of populations. Reached through a sample item or a rule of the audit crate, never listed by themselves.

use chrono::Datelike as _;
use sea_orm::Condition;
use sea_orm::entity::prelude::*;

use crate::grant::Coverage;
use crate::{BezirksstelleId, Cents, Fund, FundSplit, ImportId, ItemId, PopulationId};

/// One item: a decision, case month, payment or procedure, under a pseudonym.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "population_item")]
pub struct Model {
    /// Random id that outlives re-identification.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ItemId,
    /// Its population.
    pub population_id: PopulationId,
    /// The import it came with.
    pub import_id: ImportId,
    /// Line of the file.
    pub line: i64,
    /// Pseudonym of the line's business key, keyed per engagement (16 bytes).
    #[sea_orm(column_type = "Blob")]
    pub item_key: Vec<u8>,
    /// Pseudonym of the case number (16 bytes): the cluster several lines of one decision share.
    #[sea_orm(column_type = "Blob", nullable)]
    pub case_key: Option<Vec<u8>>,
    /// Its Bezirksstelle.
    pub bezirksstelle_id: BezirksstelleId,
    /// Amount.
    pub amount_cents: Cents,
    /// Part of the Bund.
    pub bund_cents: Cents,
    /// Part of the Kommune.
    pub kommune_cents: Cents,
    /// Part of the Land.
    pub land_cents: Cents,
    /// Part of the EU.
    pub eu_cents: Cents,
    /// Product or title (Haushaltstitel).
    pub product: String,
    /// First day of the month it is for.
    pub period: Option<Date>,
    /// Date of the decision.
    pub decision_date: Option<Date>,
    /// Kind as the extract names it.
    pub kind: String,
    /// Concerns a member of the own staff.
    pub own_staff: bool,
    /// Free attributes for strata: a JSON object, names sorted bytewise.
    pub attributes: String,
    /// Booking reference, or the pseudonym where none is mapped.
    pub reference: String,
    /// 32 random bytes of the row's Merkle leaf.
    #[sea_orm(column_type = "Blob")]
    pub salt: Vec<u8>,
}

impl Model {
    /// The amount's split over the funds.
    pub const fn funds(&self) -> FundSplit {
        FundSplit {
            bund: self.bund_cents,
            kommune: self.kommune_cents,
            land: self.land_cents,
            eu: self.eu_cents,
        }
    }
}

/// No typed relations: finders join where they need to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The part of a grant that only the population item can meet: period and funds. None where neither restricts.
pub(crate) fn granted(coverage: &Coverage) -> Option<Condition> {
    if coverage.period.is_none() && coverage.funds.is_none() {
        return None;
    }
    let period = coverage.period.map(|period| {
        // A month counts by its first day.
        let month = period.from.with_day(1).unwrap_or(period.from);
        let decided = Condition::all()
            .add(Column::Period.is_null())
            .add(Column::DecisionDate.between(period.from, period.to));
        Condition::any()
            .add(Column::Period.between(month, period.to))
            .add(decided)
    });
    let funds = coverage.funds.as_ref().map(|funds| {
        // An empty list of alternatives would be no restriction at all.
        let none = Condition::any().add(Expr::val(false));
        funds.iter().fold(none, |any, fund| {
            any.add(
                match fund {
                    Fund::Bund => Column::BundCents,
                    Fund::Kommune => Column::KommuneCents,
                    Fund::Land => Column::LandCents,
                    Fund::Eu => Column::EuCents,
                }
                .ne(0_i64),
            )
        })
    });
    Some(Condition::all().add_option(period).add_option(funds))
}
