//! What a checked sample says about its population: rates with exact limits, or projected amounts with Stringer bounds. A
//! judgemental sample says what was found.

mod cases;
mod exclusion;
mod figures;
mod stages;
mod units;

use entity::check_answer::Dimension;
use entity::item_check::ErrorClass;
use entity::sample::{Method, State};
use entity::{BezirksstelleId, Cents, SampleId, StratumId, sample_item, sample_stratum};
use rust_decimal::Decimal;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

pub use self::exclusion::Exclusion;
use self::figures::Checked;
pub use self::stages::TwoStageFigures;
use self::stages::{Stages, is_unplanned, stages_of};
use self::units::{Drawn, Unit, units};
use super::cited::CitedParameterSet;
use super::known_error::known_of;
use super::replacement::uncheckable;
use super::rules::check_confidence;
use super::service::visible_one;
use super::unit;
use crate::access::{Action, Aggregate, authorize};
use crate::sampling::evaluation::monetary::BoundResult;
use crate::sampling::evaluation::{AttributeResult, Conclusion, MonetaryResult};
use crate::sampling::of_sample::CheckedSample;
use crate::{Code, Ctx, Db, Error, Result};

/// What is to be evaluated.
#[derive(Clone, Debug)]
pub struct Evaluate {
    /// The drawn sample.
    pub sample_id: SampleId,
    /// Confidence; the plan's where none is named, 0.95 where the plan has none.
    pub confidence: Option<Decimal>,
    /// Only errors in this dimension: items with an attribute of it not met or not evidenced.
    pub dimension: Option<Dimension>,
    /// Evaluate what is checked so far, instead of refusing while items are open.
    pub provisional: bool,
}

/// The result, with everything needed to understand and repeat it.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// The sample.
    pub sample_id: SampleId,
    /// Confidence of every limit; none where nothing is projected.
    pub confidence: Option<Decimal>,
    /// The dimension it is restricted to.
    pub dimension: Option<Dimension>,
    /// Items are still open: figures will change.
    pub provisional: bool,
    /// Items of the sample.
    pub items: u64,
    /// Items checked, which the figures rest on. Those that cannot be checked and were not replaced count as checked and not evidenced.
    pub checked: u64,
    /// Items that gave their place to another.
    pub replaced: u64,
    /// Items that count as not evidenced because they cannot be checked and were not replaced.
    pub not_evidenced: u64,
    /// Sampling units checked: hits, items, or cases whose lines are all checked.
    pub units: u64,
    /// Checked items in error.
    pub errors: u64,
    /// Sampling units in error.
    pub error_units: u64,
    /// Checked items by kind of error, without those that have none; kinds in declared order.
    pub error_classes: Vec<(ErrorClass, u64)>,
    /// The figures.
    pub figures: Figures,
    /// The edition of a parameter set that the plan took confidence and materiality from.
    pub parameter_set: Option<CitedParameterSet>,
    /// What this evaluation cannot find or does not say.
    pub exclusions: Vec<Exclusion>,
}

/// Figures by kind of sample.
#[derive(Clone, Debug)]
pub enum Figures {
    /// Items were selected: rates.
    Rate(RateFigures),
    /// Monetary units were selected: amounts.
    Monetary(MonetaryFigures),
    /// Monetary units were selected in each stratum by itself: amounts by stratum.
    MonetaryStrata(MonetaryStrataFigures),
    /// Monetary units were selected by cells: amounts with the cell bound.
    Cell(Box<CellFigures>),
    /// The plan fixed an extension: a rate from both stages.
    TwoStage(TwoStageFigures),
    /// A person chose the items: what was found, without limits.
    Found(FoundFigures),
}

/// Amounts of a monetary unit sample by cells; over- and understatements are never netted.
#[derive(Clone, Debug)]
pub struct CellFigures {
    /// Projections, bounds and their derivation, in cents.
    pub result: BoundResult,
}

/// What was found in a judgemental sample: nothing is projected.
#[derive(Clone, Debug)]
pub struct FoundFigures {
    /// Amount of the checked items.
    pub book: Cents,
    /// What was paid too much.
    pub over: FoundSide,
    /// What was paid too little.
    pub under: FoundSide,
}

/// Errors found in one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FoundSide {
    /// Items in error.
    pub items: u64,
    /// Sum of the errors.
    pub cents: Cents,
}

/// Rates of a sample of items.
#[derive(Clone, Debug)]
pub struct RateFigures {
    /// Error rate of the population, weighted by strata.
    pub rate: Decimal,
    /// Its one-sided upper limit; none where the strata are not proportional to their items.
    pub upper_limit: Option<Decimal>,
    /// Method of all limits.
    pub method: &'static str,
    /// Version of the method.
    pub version: &'static str,
    /// The plan's tolerable rate.
    pub tolerable_rate: Option<Decimal>,
    /// What follows for it; none without a tolerable rate or without a limit.
    pub conclusion: Option<Conclusion>,
    /// Rates by stratum, where there are several.
    pub strata: Vec<StratumRate>,
    /// Rates by Bezirksstelle, each with its own exact limit.
    pub bezirksstellen: Vec<BezirksstelleRate>,
}

/// The rate of a stratum.
#[derive(Clone, Debug)]
pub struct StratumRate {
    /// The stratum.
    pub stratum_id: StratumId,
    /// Items of the frame in it.
    pub population: u64,
    /// Rate and limit.
    pub result: AttributeResult,
}

/// The rate of a Bezirksstelle.
#[derive(Clone, Debug)]
pub struct BezirksstelleRate {
    /// The Bezirksstelle.
    pub bezirksstelle_id: BezirksstelleId,
    /// Rate and limit.
    pub result: AttributeResult,
}

/// Amounts of a monetary unit sample; over- and understatements are never netted.
#[derive(Clone, Debug)]
pub struct MonetaryFigures {
    /// Projections, bounds and their derivation.
    pub result: MonetaryResult,
    /// The plan's tolerable error.
    pub tolerable: Option<Cents>,
    /// What follows for overstatements.
    pub over: Option<Conclusion>,
    /// What follows for understatements.
    pub under: Option<Conclusion>,
}

/// Amounts of a stratified monetary unit sample. Bounds hold for their stratum; none holds over all.
#[derive(Clone, Debug)]
pub struct MonetaryStrataFigures {
    /// Projected overstatement over all strata.
    pub over: Cents,
    /// Projected understatement over all strata.
    pub under: Cents,
    /// Amounts by stratum, without those of nothing.
    pub strata: Vec<(StratumId, MonetaryResult)>,
}

/// Evaluates a drawn sample. Refused while items are open or disputed, unless a provisional result is asked for.
pub async fn evaluate(ctx: &Ctx, db: &Db, input: Evaluate) -> Result<Evaluation> {
    authorize(ctx, Action::SampleEvaluate)?;
    let (checked, withheld) = checked(ctx, db, &input).await?;
    // Quantiles of a large sample take a while.
    let evaluation = tokio::task::spawn_blocking(move || checked.evaluate(&input))
        .await
        .map_err(|error| Error::internal(error.to_string()))??;
    Ok(if withheld {
        evaluation.without_parts()
    } else {
        evaluation
    })
}

/// A drawn sample as the methods of evaluation take it, with what they do not say. [`Exclusion::PartsWithheld`] is among that where own
/// staff's items are counted and the caller is not of their group: nothing but figures over all items may be shown then. Refused as
/// [`evaluate`] is; and where nothing is projected, or where the rule of an extension fixed the method.
pub async fn checked_sample(ctx: &Ctx, db: &Db, input: Evaluate) -> Result<(CheckedSample, Vec<Exclusion>)> {
    authorize(ctx, Action::SampleEvaluate)?;
    let (checked, withheld) = checked(ctx, db, &input).await?;
    let sample = checked.for_methods(&input)?;
    let mut exclusions = checked.exclusions_of_methods(input.dimension);
    exclusions.extend(withheld.then_some(Exclusion::PartsWithheld));
    Ok((sample, exclusions))
}

/// What was found in a sample, and whether parts of it are withheld from the caller.
async fn checked(ctx: &Ctx, db: &Db, input: &Evaluate) -> Result<(Checked, bool)> {
    if let Some(refusal) = check_confidence(input.confidence) {
        return Err(Error::Refused(vec![refusal]));
    }
    let scope = ctx.caller.scope(ctx.now());
    let sample = visible_one(db.reader(), &scope, input.sample_id).await?;
    if sample.state != State::Drawn {
        return Err(Error::refused(Code::SampleNotDrawn, "input.id"));
    }
    let hidden_from = scope.clone();
    // What is not projected is as right for some of the items: whoever does not see own staff's gets figures of the others.
    let counted = if sample.method == Method::Judgemental {
        scope
    } else {
        Aggregate::Evaluation.rows(scope)
    };
    let stages = stages_of(db, &sample).await?;
    let samples = stages.as_ref().map_or_else(|| vec![sample.id], Stages::samples);
    let rows = sample_item::Entity::visible_to(&counted)
        .filter(sample_item::Column::SampleId.is_in(samples.iter().copied()))
        .order_by_asc(sample_item::Column::SampleId)
        .order_by_asc(sample_item::Column::DrawOrder)
        .select_only()
        .columns([
            sample_item::Column::Id,
            sample_item::Column::ItemId,
            sample_item::Column::SampleId,
            sample_item::Column::StratumId,
            sample_item::Column::BezirksstelleId,
            sample_item::Column::Hits,
            sample_item::Column::AmountCents,
            sample_item::Column::State,
            sample_item::Column::OwnStaff,
        ])
        .into_model::<Drawn>()
        .all(db.reader())
        .await?;
    let (uncheckable, replaced) = uncheckable(db, &samples).await?;
    // What was replaced has its place among the items that were drawn instead.
    let rows: Vec<Drawn> = rows
        .into_iter()
        .filter(|row| row.state != sample_item::State::Replaced)
        .collect();
    let total = rows.len();
    let withheld = !hidden_from.holds_own_staff() && rows.iter().any(|row| row.own_staff);
    let (checked, unchecked): (Vec<Drawn>, Vec<Drawn>) = rows
        .into_iter()
        .partition(|row| row.state == sample_item::State::Checked);
    let (missing, unchecked): (Vec<Drawn>, Vec<Drawn>) = unchecked
        .into_iter()
        .partition(|row| row.state == sample_item::State::Open && uncheckable.contains(&row.id));
    let open = unchecked.len();
    if open == total || (open > 0 && !input.provisional) {
        return Err(Error::refused_with(
            Code::SampleNotEvaluable,
            "input.id",
            format!("{} / {total}", total - open),
        ));
    }
    let not_evidenced = missing.len();
    let mut units = units(db, checked, input.dimension).await?;
    units.extend(missing.iter().map(Unit::not_evidenced));
    let cases = match unit::Unit::of(sample.method) {
        unit::Unit::Item => None,
        unit::Unit::Cluster => Some(cases::cases(db, &mut units, &unchecked).await?),
    };
    let strata = sample_stratum::Entity::find()
        .filter(sample_stratum::Column::SampleId.eq(sample.id))
        .order_by_asc(sample_stratum::Column::Ordinal)
        .all(db.reader())
        .await?;
    let sample_id = sample.id;
    let checked = Checked {
        unplanned: is_unplanned(db, &sample).await?,
        stages,
        sample,
        units,
        cases,
        strata,
        known: known_of(db, sample_id).await?,
        replaced,
        not_evidenced,
        items: total,
        open,
    };
    Ok((checked, withheld))
}

impl Evaluation {
    /// The same without what tells of single items: kinds of error, strata, Bezirksstellen, the steps of a bound.
    fn without_parts(mut self) -> Self {
        self.error_classes.clear();
        match &mut self.figures {
            Figures::Rate(figures) => {
                figures.strata.clear();
                figures.bezirksstellen.clear();
            }
            Figures::Monetary(figures) => {
                figures.result.over.steps.clear();
                figures.result.under.steps.clear();
            }
            Figures::MonetaryStrata(figures) => figures.strata.clear(),
            Figures::Cell(figures) => {
                figures.result.over.steps.clear();
                figures.result.under.steps.clear();
            }
            Figures::TwoStage(_) | Figures::Found(_) => {}
        }
        self.exclusions.push(Exclusion::PartsWithheld);
        self
    }
}
