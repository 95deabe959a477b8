//! Evaluations: what the checks of a sample say about its population, with everything needed to repeat it.

use async_graphql::{Context, Description, Enum, Object, Result, SimpleObject, Union};
use audit::Language;
use audit::sample as service;
use audit::sampling::derivation::Step;
use audit::sampling::evaluation as figures;
use entity::{SampleId, StratumId, check_answer, sample_stratum};
use rust_decimal::Decimal;

use super::ContextExt;
use super::check::ErrorClass;
use super::disclosure::{Class, disclosure};
use super::error::{Maybe, field};
use super::extension::ExtensionRule;
use super::jobcenter::Bezirksstelle;
use super::loaders::StrataOf;
use super::parameter_set::CitedParameterSet;
use super::sample::Stratum;
use super::scalars::{Euro, Long, Rate};

/// What an attribute is about.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "check_answer::Dimension")]
pub(super) enum Dimension {
    /// Is the decision lawful (Rechtmäßigkeit)?
    Legality,
    /// Is the file in order (Ordnungsmäßigkeit)?
    Regularity,
    /// Is the amount calculated correctly?
    Calculation,
    /// Was it paid to the right person, in time, once?
    Payment,
    /// Who has to bear it, by reason and amount (§ 6b (4) S. 2 SGB II)?
    Funding,
}

/// What follows for a tolerable error: material above it, not material while the upper limit is below it.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "figures::Conclusion")]
pub(super) enum Conclusion {
    /// The projected error is above the tolerable one.
    Material,
    /// The upper limit is below the tolerable error.
    NotMaterial,
    /// Neither: more sampling units are needed.
    Inconclusive,
}

/// What the checks of a sample say about its population.
#[derive(Description)]
pub(super) struct Evaluation(service::Evaluation);

/// Evaluates a sample.
pub(super) async fn of(ctx: &Context<'_>, input: service::Evaluate) -> Result<Evaluation> {
    field(ctx, service::evaluate(ctx.audit(), ctx.db(), input).await).map(Evaluation)
}

fn long(number: u64) -> Long {
    Long(i64::try_from(number).unwrap_or(i64::MAX))
}

/// Items in error by kind.
#[derive(SimpleObject)]
#[graphql(directive = disclosure::apply(Class::Audit))]
pub(super) struct ErrorClassCount {
    /// The kind.
    error_class: ErrorClass,
    /// Checked items of it.
    count: Long,
}

/// What an evaluation cannot find or does not say.
#[derive(SimpleObject)]
#[graphql(directive = disclosure::apply(Class::Audit))]
pub(super) struct EvaluationExclusion {
    /// Code; never changes.
    code: String,
    /// The sentence, in the language of the request.
    text: String,
}

/// Exclusions with their sentences.
pub(super) fn told(exclusions: &[service::Exclusion], language: Language) -> Vec<EvaluationExclusion> {
    let told = |exclusion: &service::Exclusion| EvaluationExclusion {
        code: exclusion.as_str().to_owned(),
        text: exclusion.text(language).to_owned(),
    };
    exclusions.iter().map(told).collect()
}

/// The figures, by kind of sample.
#[derive(Union)]
pub(super) enum EvaluationFigures {
    /// Items were selected: rates.
    Rate(RateFigures),
    /// Monetary units were selected: amounts.
    Monetary(MonetaryFigures),
    /// Monetary units were selected in each stratum by itself: amounts by stratum.
    MonetaryStrata(MonetaryStrataFigures),
    /// Monetary units were selected by cells: amounts with the cell bound.
    Cell(CellFigures),
    /// The plan fixed an extension: a rate from both stages.
    TwoStage(TwoStageFigures),
    /// A person chose the items: what was found, and nothing projected.
    Found(FoundFigures),
}

#[Object(use_type_description, directive = disclosure::apply(Class::Audit))]
impl Evaluation {
    /// Confidence of every limit; null where nothing is projected.
    async fn confidence(&self) -> Option<Rate> {
        self.0.confidence.map(Rate)
    }

    /// The dimension it is restricted to.
    async fn dimension(&self) -> Option<Dimension> {
        self.0.dimension.map(Into::into)
    }

    /// Items are still open: figures will change.
    async fn provisional(&self) -> bool {
        self.0.provisional
    }

    /// Items of the sample.
    async fn items(&self) -> Long {
        long(self.0.items)
    }

    /// Items checked, which the figures rest on; those that count as not evidenced are among them.
    async fn checked(&self) -> Long {
        long(self.0.checked)
    }

    /// Items that gave their place to another; they are in no other figure.
    async fn replaced(&self) -> Long {
        long(self.0.replaced)
    }

    /// Items that cannot be checked and were not replaced: in error with their full amount.
    async fn not_evidenced(&self) -> Long {
        long(self.0.not_evidenced)
    }

    /// Sampling units checked: hits, items, or cases whose lines are all checked.
    async fn units(&self) -> Long {
        long(self.0.units)
    }

    /// Checked items in error.
    async fn errors(&self) -> Long {
        long(self.0.errors)
    }

    /// Sampling units in error.
    async fn error_units(&self) -> Long {
        long(self.0.error_units)
    }

    /// Checked items in error by kind.
    async fn error_classes(&self) -> Vec<ErrorClassCount> {
        let count = |(class, number): &(entity::item_check::ErrorClass, u64)| ErrorClassCount {
            error_class: (*class).into(),
            count: long(*number),
        };
        self.0.error_classes.iter().map(count).collect()
    }

    /// The figures.
    async fn figures(&self) -> EvaluationFigures {
        match &self.0.figures {
            service::Figures::Rate(rate) => EvaluationFigures::Rate(RateFigures {
                figures: rate.clone(),
                sample: self.0.sample_id,
            }),
            service::Figures::Monetary(money) => EvaluationFigures::Monetary(MonetaryFigures(money.clone())),
            service::Figures::MonetaryStrata(figures) => {
                EvaluationFigures::MonetaryStrata(MonetaryStrataFigures {
                    figures: figures.clone(),
                    sample: self.0.sample_id,
                })
            }
            service::Figures::Cell(cells) => EvaluationFigures::Cell((&cells.result).into()),
            service::Figures::TwoStage(stages) => EvaluationFigures::TwoStage(stages.into()),
            service::Figures::Found(found) => EvaluationFigures::Found(found.into()),
        }
    }

    /// The edition of a parameter set that the plan took confidence and materiality from.
    async fn parameter_set(&self) -> Option<CitedParameterSet> {
        self.0.parameter_set.clone().map(Into::into)
    }

    /// What it cannot find or does not say.
    async fn exclusions(&self, ctx: &Context<'_>) -> Vec<EvaluationExclusion> {
        told(&self.0.exclusions, ctx.language())
    }
}

/// Errors in one direction in a monetary unit sample by cells.
#[derive(SimpleObject)]
#[graphql(directive = disclosure::apply(Class::Audit))]
pub(super) struct CellSide {
    /// Items in error.
    items: Long,
    /// Hits on items in error.
    hits: Long,
    /// Sum of the errors found, each item once.
    known_error: Euro,
    /// Projected error in euro: book value by size times the sum of the taintings.
    projected_error: Rate,
    /// Limit for no error at all, in euro.
    basic_precision: Option<Rate>,
    /// Cell bound in euro, rounded up.
    upper_limit: Option<Rate>,
    /// How the bound came about, in the language of the request.
    steps: Vec<String>,
    /// What follows for the tolerable error.
    conclusion: Option<Conclusion>,
}

/// Amounts of a monetary unit sample by cells (Leslie, Teitlebaum, Anderson); over- and understatements are never netted.
#[derive(Description)]
pub(super) struct CellFigures(Box<figures::monetary::BoundResult>);

impl From<&figures::monetary::BoundResult> for CellFigures {
    fn from(result: &figures::monetary::BoundResult) -> Self {
        Self(Box::new(result.clone()))
    }
}

fn cell_side(ctx: &Context<'_>, side: &figures::monetary::BoundSide) -> CellSide {
    let euro = |cents: Decimal| Rate((cents / Decimal::ONE_HUNDRED).normalize());
    let language = ctx.language();
    CellSide {
        items: long(side.items),
        hits: long(side.hits),
        known_error: Euro(entity::Cents(side.known)),
        projected_error: euro(side.projected),
        basic_precision: side.basic_precision.map(euro),
        upper_limit: side.upper_limit.map(euro),
        steps: side.steps.iter().map(|step| step_text(step, language)).collect(),
        conclusion: side.conclusion.map(Into::into),
    }
}

fn step_text(step: &Step, language: Language) -> String {
    let said = match language {
        Language::De => &step.de,
        Language::En => &step.en,
    };
    format!("{said} = {}", step.value)
}

#[Object(use_type_description, directive = disclosure::apply(Class::Audit))]
impl CellFigures {
    /// Hits of the sample.
    async fn size(&self) -> Long {
        long(self.0.size)
    }

    /// Book value of the items that could be selected.
    async fn book_value(&self) -> Euro {
        Euro(entity::Cents(self.0.book_value))
    }

    /// Amount above the correct one (overpayments).
    async fn over(&self, ctx: &Context<'_>) -> CellSide {
        cell_side(ctx, &self.0.over)
    }

    /// Amount below the correct one (underpayments).
    async fn under(&self, ctx: &Context<'_>) -> CellSide {
        cell_side(ctx, &self.0.under)
    }

    /// The plan's tolerable error.
    async fn tolerable_error(&self) -> Option<Euro> {
        self.0.tolerable.map(|cents| Euro(entity::Cents(cents)))
    }

    /// Method of the bounds.
    async fn method(&self) -> &'static str {
        self.0.method
    }

    /// Version of the method.
    async fn version(&self) -> &'static str {
        self.0.version
    }
}

/// What the acceptance numbers of a two-stage plan say.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "figures::StageDecision")]
pub(super) enum StageDecision {
    /// No error in the first stage, or one there and none in the second.
    Accepted,
    /// Exactly one error in the first stage: the second one decides.
    Extend,
    /// More errors than the plan accepts.
    NotAccepted,
}

/// What both stages of a plan say together; the same for either of its samples. The limit orders outcomes by stage (Jennison and
/// Turnbull), under the hypergeometric law.
#[derive(SimpleObject)]
#[graphql(directive = disclosure::apply(Class::Audit))]
pub(super) struct TwoStageFigures {
    /// The rule, as fixed with the first plan.
    rule: ExtensionRule,
    /// The plan's tolerable rate.
    tolerable_rate: Rate,
    /// Errors in the first stage.
    first_errors: Long,
    /// Errors in the second one; null unless it is drawn.
    second_errors: Option<Long>,
    /// Errors by items checked in both, half to even at six places.
    rate: Rate,
    /// One-sided upper limit, rounded up to six places; null unless the rule accepts.
    upper_limit: Option<Rate>,
    /// What the rule says; null while items are open.
    decision: Option<StageDecision>,
    /// What follows for the tolerable rate; null while items are open.
    conclusion: Option<Conclusion>,
    /// Method of the limit.
    method: &'static str,
    /// Version of the method.
    version: &'static str,
}

impl From<&service::TwoStageFigures> for TwoStageFigures {
    fn from(found: &service::TwoStageFigures) -> Self {
        Self {
            rule: found.rule.clone().into(),
            tolerable_rate: Rate(found.tolerable_rate),
            first_errors: long(found.first_errors),
            second_errors: found.second_errors.map(long),
            rate: Rate(found.rate),
            upper_limit: found.upper_limit.map(Rate),
            decision: found.decision.map(Into::into),
            conclusion: found.conclusion.map(Into::into),
            method: found.method,
            version: found.version,
        }
    }
}

/// What was found in a judgemental sample. It has no rate, no limit and no conclusion: nothing follows for other items.
#[derive(SimpleObject)]
#[graphql(directive = disclosure::apply(Class::Audit))]
pub(super) struct FoundFigures {
    /// Amount of the checked items.
    book_value: Euro,
    /// Amount above the correct one (overpayments).
    over: FoundSide,
    /// Amount below the correct one (underpayments).
    under: FoundSide,
}

/// Errors found in one direction.
#[derive(SimpleObject)]
#[graphql(directive = disclosure::apply(Class::Audit))]
pub(super) struct FoundSide {
    /// Items in error.
    items: Long,
    /// Sum of the errors.
    known_error: Euro,
}

impl From<&service::FoundFigures> for FoundFigures {
    fn from(found: &service::FoundFigures) -> Self {
        let side = |side: service::FoundSide| FoundSide {
            items: long(side.items),
            known_error: Euro(side.cents),
        };
        Self {
            book_value: Euro(found.book),
            over: side(found.over),
            under: side(found.under),
        }
    }
}

/// Error rate and its exact one-sided upper limit (Clopper and Pearson).
#[derive(SimpleObject)]
#[graphql(directive = disclosure::apply(Class::Audit))]
pub(super) struct RateResult {
    /// Items checked.
    size: Long,
    /// Items in error.
    errors: Long,
    /// Errors by size, half to even at six places.
    rate: Rate,
    /// Upper limit, rounded up to six places.
    upper_limit: Rate,
    /// Method of the limit.
    method: &'static str,
    /// Version of the method.
    version: &'static str,
}

impl From<&figures::AttributeResult> for RateResult {
    fn from(result: &figures::AttributeResult) -> Self {
        Self {
            size: long(result.size),
            errors: long(result.deviations),
            rate: Rate(result.rate),
            upper_limit: Rate(result.upper_limit),
            method: result.method,
            version: result.version,
        }
    }
}

/// The strata of a sample that the caller may see.
struct Strata(Vec<sample_stratum::Model>);

impl Strata {
    async fn of(ctx: &Context<'_>, sample: SampleId) -> Result<Self> {
        let rows = ctx.loaders().one(ctx, StrataOf(sample)).await?;
        Ok(Self(rows.unwrap_or_default()))
    }

    fn find(&self, id: StratumId) -> Option<Stratum> {
        self.0.iter().find(|row| row.id == id).cloned().map(Stratum)
    }
}

/// Rates of a sample of items.
#[derive(Description)]
pub(super) struct RateFigures {
    figures: service::RateFigures,
    sample: SampleId,
}

/// The rate of a stratum.
#[derive(SimpleObject)]
#[graphql(directive = disclosure::apply(Class::Audit))]
pub(super) struct StratumRate {
    /// The stratum.
    stratum: Option<Stratum>,
    /// Items of the frame in it.
    population: Long,
    /// Rate and limit.
    result: RateResult,
}

/// The rate of a Bezirksstelle.
#[derive(SimpleObject)]
#[graphql(directive = disclosure::apply(Class::Audit))]
pub(super) struct BezirksstelleRate {
    /// The Bezirksstelle.
    bezirksstelle: Option<Bezirksstelle>,
    /// Rate and limit; each limit holds for itself.
    result: RateResult,
}

#[Object(use_type_description, directive = disclosure::apply(Class::Audit))]
impl RateFigures {
    /// Error rate of the population, weighted by strata.
    async fn rate(&self) -> Rate {
        Rate(self.figures.rate)
    }

    /// Its one-sided upper limit; null where the strata are not proportional to their items.
    async fn upper_limit(&self) -> Option<Rate> {
        self.figures.upper_limit.map(Rate)
    }

    /// Method of all limits.
    async fn method(&self) -> &'static str {
        self.figures.method
    }

    /// Version of the method.
    async fn version(&self) -> &'static str {
        self.figures.version
    }

    /// The plan's tolerable rate.
    async fn tolerable_rate(&self) -> Option<Rate> {
        self.figures.tolerable_rate.map(Rate)
    }

    /// What follows for it; null without a tolerable rate or without a limit.
    async fn conclusion(&self) -> Option<Conclusion> {
        self.figures.conclusion.map(Into::into)
    }

    /// Rates by stratum, where there are several.
    async fn strata(&self, ctx: &Context<'_>) -> Maybe<Vec<StratumRate>> {
        let rows = match Strata::of(ctx, self.sample).await {
            Ok(rows) => rows,
            Err(error) => return Some(Err(error)),
        };
        let rate = |rate: &service::StratumRate| StratumRate {
            stratum: rows.find(rate.stratum_id),
            population: long(rate.population),
            result: (&rate.result).into(),
        };
        Some(Ok(self.figures.strata.iter().map(rate).collect()))
    }

    /// Rates by Bezirksstelle, each with its own exact limit.
    async fn bezirksstellen(&self, ctx: &Context<'_>) -> Vec<BezirksstelleRate> {
        let rate = |rate: &service::BezirksstelleRate| BezirksstelleRate {
            bezirksstelle: ctx.info().bezirksstelle(rate.bezirksstelle_id),
            result: (&rate.result).into(),
        };
        self.figures.bezirksstellen.iter().map(rate).collect()
    }
}

/// Amounts of a monetary unit sample; over- and understatements are never netted.
#[derive(Description)]
pub(super) struct MonetaryFigures(service::MonetaryFigures);

/// Amounts of a stratified monetary unit sample. Bounds hold for their stratum; none holds over all.
#[derive(Description)]
pub(super) struct MonetaryStrataFigures {
    figures: service::MonetaryStrataFigures,
    sample: SampleId,
}

/// The amounts of a stratum.
#[derive(SimpleObject)]
#[graphql(directive = disclosure::apply(Class::Audit))]
pub(super) struct MonetaryStratum {
    /// The stratum.
    stratum: Option<Stratum>,
    /// Its amounts.
    figures: MonetaryFigures,
}

#[Object(use_type_description, directive = disclosure::apply(Class::Audit))]
impl MonetaryStrataFigures {
    /// Projected amount above the correct one (overpayments), over all strata.
    async fn projected_over(&self) -> Euro {
        Euro(self.figures.over)
    }

    /// Projected amount below the correct one (underpayments), over all strata.
    async fn projected_under(&self) -> Euro {
        Euro(self.figures.under)
    }

    /// Amounts by stratum.
    async fn strata(&self, ctx: &Context<'_>) -> Maybe<Vec<MonetaryStratum>> {
        let rows = match Strata::of(ctx, self.sample).await {
            Ok(rows) => rows,
            Err(error) => return Some(Err(error)),
        };
        let stratum = |(id, result): &(StratumId, figures::MonetaryResult)| MonetaryStratum {
            stratum: rows.find(*id),
            figures: MonetaryFigures(service::MonetaryFigures {
                result: result.clone(),
                tolerable: None,
                over: None,
                under: None,
            }),
        };
        Some(Ok(self.figures.strata.iter().map(stratum).collect()))
    }
}

/// One step of the derivation of a Stringer bound.
#[derive(SimpleObject)]
#[graphql(directive = disclosure::apply(Class::Audit))]
pub(super) struct StringerStep {
    /// Rank of the hit by tainting, from 1 (largest).
    rank: Long,
    /// Error by book value, half to even at twelve places.
    tainting: Rate,
    /// Upper limit for so many errors, rounded up to twelve places.
    factor: Rate,
    /// What the step adds to the bound, in euro, half to even at six places.
    increment: Rate,
}

/// Errors in one direction.
#[derive(SimpleObject)]
#[graphql(directive = disclosure::apply(Class::Audit))]
pub(super) struct MonetarySide {
    /// Items in error.
    items: Long,
    /// Hits on items in error.
    hits: Long,
    /// Sum of the errors found, each item once.
    known_error: Euro,
    /// Projected error: book value by size times the sum of the taintings, half to even.
    projected_error: Euro,
    /// Limit for no error at all, in euro, half to even at six places.
    basic_precision: Rate,
    /// Stringer bound, rounded up to the cent.
    upper_limit: Euro,
    /// Derivation of the bound behind the basic precision.
    steps: Vec<StringerStep>,
    /// What follows for the tolerable error.
    conclusion: Option<Conclusion>,
}

fn side(side: &figures::MonetarySide, conclusion: Option<figures::Conclusion>) -> MonetarySide {
    let euro = |cents: i64| Euro(entity::Cents(cents));
    let exact = |cents: Decimal| Rate(cents / Decimal::ONE_HUNDRED);
    MonetarySide {
        items: long(side.items),
        hits: long(side.hits),
        known_error: euro(side.known_cents),
        projected_error: euro(side.projected_cents),
        basic_precision: exact(side.basic_precision_cents),
        upper_limit: euro(side.upper_limit_cents),
        steps: side
            .steps
            .iter()
            .map(|step| StringerStep {
                rank: long(step.rank),
                tainting: Rate(step.tainting),
                factor: Rate(step.factor),
                increment: exact(step.increment_cents),
            })
            .collect(),
        conclusion: conclusion.map(Into::into),
    }
}

#[Object(use_type_description, directive = disclosure::apply(Class::Audit))]
impl MonetaryFigures {
    /// Hits of the sample.
    async fn size(&self) -> Long {
        long(self.0.result.size)
    }

    /// Book value of the items that could be selected.
    async fn book_value(&self) -> Euro {
        Euro(entity::Cents(self.0.result.book_value_cents))
    }

    /// Limit for no error by hits, rounded up to twelve places.
    async fn basic_factor(&self) -> Rate {
        Rate(self.0.result.basic_factor)
    }

    /// Book value above the correct one (overpayments).
    async fn over(&self) -> MonetarySide {
        side(&self.0.result.over, self.0.over)
    }

    /// Book value below the correct one (underpayments).
    async fn under(&self) -> MonetarySide {
        side(&self.0.result.under, self.0.under)
    }

    /// The plan's tolerable error.
    async fn tolerable_error(&self) -> Option<Euro> {
        self.0.tolerable.map(Euro)
    }

    /// Method of the bounds.
    async fn method(&self) -> &'static str {
        self.0.result.method
    }

    /// Version of the method.
    async fn version(&self) -> &'static str {
        self.0.result.version
    }
}
