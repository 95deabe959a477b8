//! What a checked sample says about its population: rates with exact limits, or projected amounts with Stringer bounds.

use std::collections::{BTreeMap, HashMap, HashSet};

use entity::check_answer::{self, Dimension};
use entity::item_check::{self, ErrorClass};
use entity::sample::{Method, Model, State};
use entity::{
    BezirksstelleId, Cents, CheckId, SampleId, SampleItemId, StratumId, sample_item, sample_stratum,
};
use rust_decimal::Decimal;
use sea_orm::{ColumnTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect};

use super::rules::{Parameters, check_confidence, is_monetary};
use super::service::{parameters, visible_one};
use crate::access::{Action, Aggregate, authorize};
use crate::check::{current_versions, failed};
use crate::db::among;
use crate::sampling::evaluation::{
    self, AttributeResult, Conclusion, EvaluationError, MonetaryResult, OverallLimit, StratumCount, Tainting,
};
use crate::{Code, Ctx, Db, Error, Language, Result};

/// Confidence where neither question nor plan names one.
const USUAL_CONFIDENCE: (i64, u32) = (95, 2);
/// Ids of one statement.
const AT_ONCE: usize = 500;

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
    /// Confidence of every limit.
    pub confidence: Decimal,
    /// The dimension it is restricted to.
    pub dimension: Option<Dimension>,
    /// Items are still open: figures will change.
    pub provisional: bool,
    /// Items of the sample.
    pub items: u64,
    /// Items checked, which the figures rest on.
    pub checked: u64,
    /// Sampling units checked: hits, or items.
    pub units: u64,
    /// Checked items in error.
    pub errors: u64,
    /// Sampling units in error.
    pub error_units: u64,
    /// Checked items by kind of error, without those that have none; kinds in declared order.
    pub error_classes: Vec<(ErrorClass, u64)>,
    /// The figures.
    pub figures: Figures,
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

/// What an evaluation cannot find or does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exclusion {
    /// Items that are missing from the population.
    MissingItems,
    /// Items of zero and below zero, in monetary unit samples.
    NotPositive,
    /// Errors that leave the total as it is, in monetary unit samples.
    WithoutEffectOnTotal,
    /// The limit of a rate says nothing about amounts.
    RateOnly,
    /// Strata are not proportional: no limit over all of them.
    NoOverallLimit,
    /// Limits of single Bezirksstellen hold each for itself, not all at once.
    LimitsHoldSingly,
    /// Items are still open.
    Provisional,
    /// Only errors of one dimension are counted.
    OneDimension,
    /// The sample was drawn elsewhere: the selection is not proven here.
    DrawnElsewhere,
    /// Own staff's items are among those counted, and the caller is not of their group: by its parts the caller would learn
    /// of single ones.
    PartsWithheld,
}

impl Exclusion {
    /// The code in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MissingItems => "MISSING_ITEMS",
            Self::NotPositive => "NOT_POSITIVE",
            Self::WithoutEffectOnTotal => "WITHOUT_EFFECT_ON_TOTAL",
            Self::RateOnly => "RATE_ONLY",
            Self::NoOverallLimit => "NO_OVERALL_LIMIT",
            Self::LimitsHoldSingly => "LIMITS_HOLD_SINGLY",
            Self::Provisional => "PROVISIONAL",
            Self::OneDimension => "ONE_DIMENSION",
            Self::DrawnElsewhere => "DRAWN_ELSEWHERE",
            Self::PartsWithheld => "PARTS_WITHHELD",
        }
    }

    /// The sentence for people.
    pub const fn text(self, language: Language) -> &'static str {
        let (german, english) = match self {
            Self::MissingItems => (
                "Was in der Grundgesamtheit fehlt, kann keine Stichprobe finden.",
                "No sample can find what is missing from the population.",
            ),
            Self::NotPositive => (
                "Positionen mit Null oder negativem Betrag hatten keine Auswahlchance und sind gesondert zu prüfen.",
                "Items of zero or below zero had no chance of selection and have to be examined apart.",
            ),
            Self::WithoutEffectOnTotal => (
                "Formfehler, falscher Kostenträger und falsches Jahr ändern den Gesamtbetrag nicht und zählen hier mit null; in den Fehlerarten sind sie enthalten.",
                "Formal errors, a wrong bearer and a wrong year leave the total as it is and count as zero here; the kinds of error include them.",
            ),
            Self::RateOnly => (
                "Der Anteil fehlerhafter Positionen sagt nichts über fehlerhafte Beträge.",
                "The rate of items in error says nothing about amounts in error.",
            ),
            Self::NoOverallLimit => (
                "Die Schichten sind nicht proportional aufgeteilt; eine exakte Obergrenze über alle gibt es nicht, nur je Schicht.",
                "The strata are not allocated in proportion; there is no exact upper limit over all, only one for each.",
            ),
            Self::LimitsHoldSingly => (
                "Die Obergrenzen je Bezirksstelle gelten jede für sich mit der genannten Sicherheit, nicht alle zugleich.",
                "The upper limits of the Bezirksstellen hold each for itself with the given confidence, not all at once.",
            ),
            Self::Provisional => (
                "Vorläufig: noch nicht alle Positionen sind geprüft.",
                "Provisional: not all items are checked yet.",
            ),
            Self::OneDimension => (
                "Gezählt sind nur Positionen mit Fehlern in der gewählten Dimension.",
                "Only items with errors in the chosen dimension are counted.",
            ),
            Self::DrawnElsewhere => (
                "Die Stichprobe wurde anderswo gezogen; die Auswahl ist hier nicht nachvollzogen.",
                "The sample was drawn elsewhere; the selection is not retraced here.",
            ),
            Self::PartsWithheld => (
                "Unter den Positionen sind solche des eigenen Personals; Aufgliederungen sieht nur, wer sie bearbeitet (§ 35 Abs. 1 S. 3 SGB I).",
                "Items of own staff are among those counted; the breakdown is for those who handle them (§ 35 (1) S. 3 SGB I).",
            ),
        };
        match language {
            Language::De => german,
            Language::En => english,
        }
    }
}

/// Evaluates a drawn sample. Refused while items are open or disputed, unless a provisional result is asked for.
pub async fn evaluate(ctx: &Ctx, db: &Db, input: Evaluate) -> Result<Evaluation> {
    authorize(ctx, Action::SampleEvaluate)?;
    if let Some(refusal) = check_confidence(input.confidence) {
        return Err(Error::Refused(vec![refusal]));
    }
    let scope = ctx.caller.scope(ctx.now());
    let sample = visible_one(db.reader(), &scope, input.sample_id).await?;
    if sample.state != State::Drawn {
        return Err(Error::refused(Code::SampleNotDrawn, "input.id"));
    }
    let hidden_from = scope.clone();
    let rows = sample_item::Entity::visible_to(&Aggregate::Evaluation.rows(scope))
        .filter(sample_item::Column::SampleId.eq(sample.id))
        .order_by_asc(sample_item::Column::DrawOrder)
        .select_only()
        .columns([
            sample_item::Column::Id,
            sample_item::Column::StratumId,
            sample_item::Column::BezirksstelleId,
            sample_item::Column::Hits,
            sample_item::Column::AmountCents,
            sample_item::Column::State,
            sample_item::Column::OwnStaff,
        ])
        .into_model::<Item>()
        .all(db.reader())
        .await?;
    let total = rows.len();
    let withheld = !hidden_from.holds_own_staff() && rows.iter().any(|row| row.own_staff);
    let checked: Vec<Item> = rows
        .into_iter()
        .filter(|row| row.state == sample_item::State::Checked)
        .collect();
    let open = total - checked.len();
    if checked.is_empty() || (open > 0 && !input.provisional) {
        return Err(Error::refused_with(
            Code::SampleNotEvaluable,
            "input.id",
            format!("{} / {total}", checked.len()),
        ));
    }
    let units = units(db, checked, input.dimension).await?;
    let strata = sample_stratum::Entity::find()
        .filter(sample_stratum::Column::SampleId.eq(sample.id))
        .order_by_asc(sample_stratum::Column::Ordinal)
        .all(db.reader())
        .await?;
    let checked = Checked {
        sample,
        units,
        strata,
        items: total,
        open,
    };
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
        }
        self.exclusions.push(Exclusion::PartsWithheld);
        self
    }
}

/// A drawn item, as far as figures need it.
#[derive(Debug, FromQueryResult)]
struct Item {
    id: SampleItemId,
    stratum_id: StratumId,
    bezirksstelle_id: BezirksstelleId,
    hits: i64,
    amount_cents: Cents,
    state: sample_item::State,
    own_staff: bool,
}

/// A checked item beside what was found.
#[derive(Debug)]
struct Unit {
    stratum: StratumId,
    bezirksstelle: BezirksstelleId,
    hits: u64,
    book: Cents,
    correct: Cents,
    class: ErrorClass,
    error: bool,
}

async fn units(db: &Db, items: Vec<Item>, dimension: Option<Dimension>) -> Result<Vec<Unit>> {
    let mut units = Vec::with_capacity(items.len());
    for chunk in items.chunks(AT_ONCE) {
        let mut checks: HashMap<SampleItemId, Vec<item_check::Model>> = HashMap::new();
        let rows = item_check::Entity::visible_to(&entity::Scope::Everything)
            .filter(among(
                db.reader(),
                item_check::Column::SampleItemId,
                chunk.iter().map(|item| item.id),
            ))
            .all(db.reader())
            .await?;
        for row in rows {
            checks.entry(row.sample_item_id).or_default().push(row);
        }
        let failing = match dimension {
            Some(dimension) => Some(failing(db, &checks, dimension).await?),
            None => None,
        };
        for item in chunk {
            let current = current_versions(checks.get(&item.id).map_or(&[], Vec::as_slice));
            let first = *current
                .first()
                .ok_or_else(|| Error::internal("an item counts as checked and has no check"))?;
            let error = match &failing {
                // Whoever of two testers found the attribute wanting is enough.
                Some(failing) => current.iter().any(|check| failing.contains(&check.id)),
                None => first.error_class != ErrorClass::None,
            };
            units.push(Unit {
                stratum: item.stratum_id,
                bezirksstelle: item.bezirksstelle_id,
                hits: u64::try_from(item.hits).unwrap_or(0),
                book: item.amount_cents,
                correct: first
                    .correct()
                    .total()
                    .ok_or_else(|| Error::internal("a correct amount overflows"))?,
                class: first.error_class,
                error,
            });
        }
    }
    Ok(units)
}

/// Checks with an attribute of the dimension that is not met or not evidenced.
async fn failing(
    db: &Db,
    checks: &HashMap<SampleItemId, Vec<item_check::Model>>,
    dimension: Dimension,
) -> Result<HashSet<CheckId>> {
    let current: Vec<CheckId> = checks
        .values()
        .flat_map(|checks| current_versions(checks))
        .map(|check| check.id)
        .collect();
    let mut failing = HashSet::new();
    for chunk in current.chunks(AT_ONCE) {
        let answers = check_answer::Entity::find()
            .filter(among(
                db.reader(),
                check_answer::Column::CheckId,
                chunk.iter().copied(),
            ))
            .filter(check_answer::Column::Dimension.eq(dimension))
            .all(db.reader())
            .await?;
        failing.extend(
            answers
                .iter()
                .filter(|answer| failed(answer.answer))
                .map(|answer| answer.check_id),
        );
    }
    Ok(failing)
}

#[derive(Debug)]
struct Checked {
    sample: Model,
    units: Vec<Unit>,
    strata: Vec<sample_stratum::Model>,
    items: usize,
    open: usize,
}

impl Checked {
    fn evaluate(&self, input: &Evaluate) -> Result<Evaluation> {
        let bounds = parameters(&self.sample)?;
        let usual = Decimal::new(USUAL_CONFIDENCE.0, USUAL_CONFIDENCE.1);
        let confidence = input.confidence.or(bounds.confidence).unwrap_or(usual);
        let figures = if is_monetary(self.sample.method) {
            Figures::Monetary(self.monetary(confidence, &bounds)?)
        } else {
            Figures::Rate(self.rates(confidence, &bounds)?)
        };
        let in_error = || self.units.iter().filter(|unit| unit.error);
        Ok(Evaluation {
            sample_id: self.sample.id,
            confidence,
            dimension: input.dimension,
            provisional: self.open > 0,
            items: self.items as u64,
            checked: self.units.len() as u64,
            units: self.units.iter().map(|unit| unit.hits).sum(),
            errors: in_error().count() as u64,
            error_units: in_error().map(|unit| unit.hits).sum(),
            error_classes: self.error_classes(),
            exclusions: self.exclusions(&figures, input.dimension),
            figures,
        })
    }

    fn error_classes(&self) -> Vec<(ErrorClass, u64)> {
        let count = |class| {
            self.units
                .iter()
                .filter(|unit| unit.error && unit.class == class)
                .count() as u64
        };
        let classes = ErrorClass::ALL.iter().filter(|class| **class != ErrorClass::None);
        classes
            .map(|class| (*class, count(*class)))
            .filter(|(_, count)| *count > 0)
            .collect()
    }

    fn rates(&self, confidence: Decimal, bounds: &Parameters) -> Result<RateFigures> {
        let mut counts: HashMap<StratumId, (u64, u64)> = HashMap::new();
        let mut parts: BTreeMap<BezirksstelleId, (u64, u64)> = BTreeMap::new();
        for unit in &self.units {
            let error = u64::from(unit.error);
            let (size, errors) = counts.entry(unit.stratum).or_default();
            (*size, *errors) = (*size + 1, *errors + error);
            let (size, errors) = parts.entry(unit.bezirksstelle).or_default();
            (*size, *errors) = (*size + 1, *errors + error);
        }
        let strata: Vec<StratumCount> = (1..)
            .zip(&self.strata)
            .map(|(ordinal, stratum)| {
                let (size, deviations) = counts.get(&stratum.id).copied().unwrap_or_default();
                let population = u64::try_from(stratum.item_count).unwrap_or(0);
                StratumCount {
                    ordinal,
                    population,
                    size,
                    deviations,
                }
            })
            .collect();
        let result = evaluation::stratified(&strata, confidence).map_err(|error| self.refusal(&error))?;
        let upper_limit = match result.upper_limit {
            OverallLimit::Pooled(limit) => Some(limit),
            OverallLimit::NotProportional => None,
        };
        let conclusion = bounds
            .tolerable_rate
            .zip(upper_limit)
            .map(|(tolerable, limit)| evaluation::conclude(&result.rate, &limit, &tolerable));
        let by_stratum = self
            .strata
            .iter()
            .zip(result.strata)
            .filter_map(|(stratum, part)| {
                let (stratum_id, population) = (stratum.id, part.population);
                Some(StratumRate {
                    stratum_id,
                    population,
                    result: part.result?,
                })
            });
        let bezirksstellen = parts
            .into_iter()
            .map(|(bezirksstelle_id, (size, errors))| {
                let result = evaluation::attribute(size, errors, confidence);
                Ok(BezirksstelleRate {
                    bezirksstelle_id,
                    result: result.map_err(|error| self.refusal(&error))?,
                })
            })
            .collect::<Result<_>>()?;
        Ok(RateFigures {
            rate: result.rate,
            upper_limit,
            method: evaluation::ATTRIBUTE_METHOD,
            version: evaluation::VERSION,
            tolerable_rate: bounds.tolerable_rate,
            conclusion,
            strata: if self.strata.len() > 1 {
                by_stratum.collect()
            } else {
                Vec::new()
            },
            bezirksstellen,
        })
    }

    fn monetary(&self, confidence: Decimal, bounds: &Parameters) -> Result<MonetaryFigures> {
        let taintings: Vec<Tainting> = self
            .units
            .iter()
            .map(|unit| Tainting {
                book_cents: unit.book.0,
                audit_cents: if unit.error { unit.correct.0 } else { unit.book.0 },
                hits: unit.hits,
            })
            .collect();
        let size = taintings.iter().map(|unit| unit.hits).sum();
        let result = evaluation::stringer(&taintings, size, self.sample.frame_cents.0, confidence)
            .map_err(|error| self.refusal(&error))?;
        let tolerable = bounds.tolerable_cents;
        Ok(MonetaryFigures {
            over: tolerable.map(|tolerable| result.over.conclude(tolerable.0)),
            under: tolerable.map(|tolerable| result.under.conclude(tolerable.0)),
            tolerable,
            result,
        })
    }

    /// An unchecked stratum or an amount out of range; anything else is our own mistake.
    fn refusal(&self, error: &EvaluationError) -> Error {
        match error {
            EvaluationError::Confidence(_) => Error::refused(Code::ConfidenceOutOfRange, "input.confidence"),
            EvaluationError::SampleEmpty => {
                let detail = format!("{} / {}", self.units.len(), self.items);
                Error::refused_with(Code::SampleNotEvaluable, "input.id", detail)
            }
            EvaluationError::AmountTooLarge => Error::refused(Code::AmountOverflow, "input.id"),
            other => Error::internal(other.to_string()),
        }
    }

    fn exclusions(&self, figures: &Figures, dimension: Option<Dimension>) -> Vec<Exclusion> {
        let mut exclusions = vec![Exclusion::MissingItems];
        match figures {
            Figures::Monetary(_) => {
                exclusions.extend([Exclusion::NotPositive, Exclusion::WithoutEffectOnTotal]);
            }
            Figures::Rate(rates) => {
                exclusions.extend([Exclusion::RateOnly, Exclusion::LimitsHoldSingly]);
                exclusions.extend(rates.upper_limit.is_none().then_some(Exclusion::NoOverallLimit));
            }
        }
        exclusions.extend((self.open > 0).then_some(Exclusion::Provisional));
        exclusions.extend(dimension.map(|_| Exclusion::OneDimension));
        let elsewhere = self.sample.method == Method::RecordedMonetaryUnit;
        exclusions.extend(elsewhere.then_some(Exclusion::DrawnElsewhere));
        exclusions
    }
}
