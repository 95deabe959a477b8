//! The result of a further method, and what all of them have in common.

use num_bigint::BigInt;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;

use super::Direction;
use super::sample::{Errors, MonetarySample, SAMPLE, Unit, shown_tainting};
use crate::sampling::derivation::german_decimal as german;
use crate::sampling::derivation::{Step, Text, missing_amounts, outside_the_population, without_amount};
use crate::sampling::evaluation::conclusion::achieved;
use crate::sampling::evaluation::figures::{Rounding, amount, shown};
use crate::sampling::evaluation::{Conclusion, EvaluationError, Sides, conclude};
use crate::sampling::numerics::decimal_to_float;
use crate::sampling::refusal::{Located, Refused as _};

/// Errors in one direction. Amounts are in the unit of the sample, with six places where they are estimated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BoundSide {
    /// Items of the sample in error.
    pub items: u64,
    /// Hits on them.
    pub hits: u64,
    /// Sum of the errors of the sample, each item once.
    pub known: i64,
    /// Sum of the errors of the items checked in full; part of projection and limit.
    pub exhaustive: i64,
    /// Projected error: `book value / n * sum of the taintings + exhaustive`, formed exactly, half to even.
    pub projected: Decimal,
    /// Limit for no error, where the method has one, half to even.
    pub basic_precision: Option<Decimal>,
    /// Upper limit less projected error.
    pub precision: Option<Decimal>,
    /// Upper limit, rounded up; none where the method has none for these errors (a warning says so).
    pub upper_limit: Option<Decimal>,
    /// Additional figure, never the basis of a conclusion: upper limit less the projected errors in the other
    /// direction. Where the limit is net already (LTA), the same.
    pub net_upper_limit: Option<Decimal>,
    /// The largest confidence at which the upper limit stays below the tolerable error, rounded down to
    /// twelve places.
    pub achieved_confidence: Option<Decimal>,
    /// What follows for the tolerable error. With errors but no limit (which would be infinite) it is material where the
    /// projected error exceeds it, and inconclusive otherwise; without errors and limit there is no conclusion.
    pub conclusion: Option<Conclusion>,
    /// How the figures came about.
    pub steps: Vec<Step>,
}

/// Additional figure of methods that estimate a mean: over- and understatements netted (overstatements
/// positive). Never the basis of a conclusion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NetEstimate {
    /// Estimated net error with that of the items checked in full, half to even at six places.
    pub projected: Decimal,
    /// Standard error of the estimate, half to even at six places.
    pub standard_error: Decimal,
    /// Degrees of freedom of Student's t; none for the normal distribution.
    pub degrees_of_freedom: Option<u64>,
    /// Limits asked for.
    pub sides: Sides,
    /// Lower limit, rounded down to six places; none if not asked for or without a spread.
    pub lower_limit: Option<Decimal>,
    /// Upper limit, rounded up to six places; none if not asked for or without a spread.
    pub upper_limit: Option<Decimal>,
}

/// What a method was given beside the sample, where its id does not say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BoundParameters {
    /// Factor of Rohrbach's augmentation.
    pub delta: Option<Decimal>,
    /// Sampling units of the population, for Rohrbach's finite correction.
    pub population: Option<u64>,
    /// Prior of Cox and Snell: shape of the error rate.
    pub prior_a: Option<Decimal>,
    /// Prior of Cox and Snell: shape of the mean tainting.
    pub prior_b: Option<Decimal>,
    /// Prior of Cox and Snell: expected mean tainting.
    pub prior_mu: Option<Decimal>,
    /// Prior of Cox and Snell: expected error rate.
    pub prior_pi: Option<Decimal>,
}

/// Evaluation of a monetary unit sample by one of the further methods.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BoundResult {
    /// Method id.
    pub method: &'static str,
    /// Version of the method.
    pub version: &'static str,
    /// Unit of all amounts, to which the method rounds where it does.
    pub unit: Unit,
    /// Hits of the sample.
    pub size: u64,
    /// Book value that was drawn from.
    pub book_value: i64,
    /// `book value / n`, half to even at six places.
    pub interval: Decimal,
    /// Items checked in full.
    pub exhaustive_items: u64,
    /// Their book value, which is not part of `book_value`.
    pub exhaustive_book_value: i64,
    /// Confidence of each limit.
    pub confidence: Decimal,
    /// The tolerable error.
    pub tolerable: Option<i64>,
    /// What else the method was given; none where its id says it all.
    pub parameters: Option<BoundParameters>,
    /// Book value above the correct one.
    pub over: BoundSide,
    /// Book value below the correct one.
    pub under: BoundSide,
    /// Net estimate, of methods that have one.
    pub net: Option<NetEstimate>,
    /// What is improbable in the input, and where the method does not hold.
    pub warnings: Vec<Text>,
    /// What the method cannot find.
    pub cannot_find: Vec<Text>,
}

/// What a method says about the errors in one direction, without the items checked in full.
pub(super) struct Bound {
    pub(super) basic_precision: Option<Decimal>,
    pub(super) upper_limit: Option<Decimal>,
    pub(super) steps: Vec<Step>,
}

/// A method for one direction.
pub(super) trait Method {
    /// Its id.
    fn id(&self) -> &'static str;
    /// Its version.
    fn version(&self) -> &'static str;
    /// The bound with its derivation.
    fn bound(&self, errors: &Errors, other: &Errors, risk: Decimal) -> Result<Bound, EvaluationError>;
    /// What it was given beside the sample, where its id does not say it.
    fn parameters(&self) -> Option<BoundParameters> {
        None
    }
    /// Whether the limit is one of the net error.
    fn is_net(&self) -> bool {
        false
    }
    /// The limit alone, as a float; none where there is none.
    fn limit(&self, errors: &Errors, other: &Errors, risk: Decimal) -> Option<f64>;
}

/// Applies a method to both directions.
pub(super) fn evaluate(
    sample: &MonetarySample,
    method: &impl Method,
) -> Result<BoundResult, Located<EvaluationError>> {
    both_sides(sample, method).map_err(|error| error.at(SAMPLE))
}

fn both_sides(sample: &MonetarySample, method: &impl Method) -> Result<BoundResult, EvaluationError> {
    let (over, under) = (sample.errors(Direction::Over), sample.errors(Direction::Under));
    let projected = [
        projected(sample, &over, Direction::Over)?,
        projected(sample, &under, Direction::Under)?,
    ];
    let over_side = side(sample, method, [&over, &under], projected, Direction::Over)?;
    let [over_projected, under_projected] = projected;
    let projected = [under_projected, over_projected];
    let under_side = side(sample, method, [&under, &over], projected, Direction::Under)?;
    let interval = amount(&sample.book_value.into(), &sample.size.into(), Rounding::HalfEven)?;
    Ok(BoundResult {
        method: method.id(),
        version: method.version(),
        unit: sample.unit,
        size: sample.size,
        book_value: sample.book_value,
        interval,
        exhaustive_items: u64::try_from(sample.exhaustive.len()).unwrap_or(u64::MAX),
        exhaustive_book_value: narrow(sample.exhaustive_value())?,
        confidence: sample.confidence,
        tolerable: sample.tolerable,
        parameters: method.parameters(),
        over: over_side,
        under: under_side,
        net: None,
        warnings: sample.warnings(),
        cannot_find: vec![outside_the_population(), missing_amounts(), without_amount()],
    })
}

/// An amount that has to fit into 64 bits.
pub(super) fn narrow(amount: i128) -> Result<i64, EvaluationError> {
    i64::try_from(amount).map_err(|_| EvaluationError::AmountTooLarge)
}

/// The projected error of the sample.
fn sampled(errors: &Errors) -> Result<Decimal, EvaluationError> {
    let denominator = BigInt::from(errors.size) * Errors::one();
    amount(
        &(&errors.sum * errors.book_value),
        &denominator,
        Rounding::HalfEven,
    )
}

/// The same with the errors of the items checked in full.
fn projected(
    sample: &MonetarySample,
    errors: &Errors,
    direction: Direction,
) -> Result<Decimal, EvaluationError> {
    let exhaustive = narrow(sample.exhaustive_error(direction))?;
    sampled(errors)?
        .checked_add(exhaustive.into())
        .ok_or(EvaluationError::AmountTooLarge)
}

/// One direction; errors and projections are its own and those of the other one.
fn side(
    sample: &MonetarySample,
    method: &impl Method,
    [errors, other]: [&Errors; 2],
    [projected, other_projected]: [Decimal; 2],
    direction: Direction,
) -> Result<BoundSide, EvaluationError> {
    let exhaustive = narrow(sample.exhaustive_error(direction))?;
    let known = i64::try_from(errors.known).map_err(|_| EvaluationError::AmountTooLarge)?;
    let sampled = sampled(errors)?;
    let add = |amount: Decimal| {
        amount
            .checked_add(exhaustive.into())
            .ok_or(EvaluationError::AmountTooLarge)
    };
    let mut steps = vec![
        Step::new(
            format!(
                "Auswahlintervall in {}: {} / {}",
                sample.unit.name(),
                errors.book_value,
                errors.size
            ),
            format!(
                "Sampling interval in {}: {} / {}",
                sample.unit.name(),
                errors.book_value,
                errors.size
            ),
            shown(amount(
                &errors.book_value.into(),
                &errors.size.into(),
                Rounding::HalfEven,
            )?),
        ),
        Step::new(
            format!(
                "Hochgerechneter Fehler der Stichprobe: Intervall * Summe der Taintings {}",
                german(&shown_tainting(&errors.sum))
            ),
            format!(
                "Projected error of the sample: interval * sum of the taintings {}",
                shown_tainting(&errors.sum)
            ),
            shown(sampled),
        ),
    ];
    let risk = Decimal::ONE - sample.confidence;
    let bound = method.bound(errors, other, risk)?;
    steps.extend(bound.steps);
    let upper_limit = bound.upper_limit.map(add).transpose()?;
    if exhaustive != 0
        && let Some(limit) = upper_limit
    {
        steps.push(Step::new(
            format!("Obergrenze mit den bekannten Fehlern {exhaustive} der voll geprüften Positionen"),
            format!("Upper limit with the known errors {exhaustive} of the items checked in full"),
            shown(limit),
        ));
    }
    let achieved_confidence = sample
        .tolerable
        .filter(|_| upper_limit.is_some())
        .map(|tolerable| {
            let room = decimal_to_float(Decimal::from(tolerable) - Decimal::from(exhaustive));
            achieved(|risk| {
                method
                    .limit(errors, other, risk)
                    .map_or(f64::NAN, |limit| limit - room)
            })
        });
    if let Some((tolerable, confidence)) = sample.tolerable.zip(achieved_confidence) {
        steps.push(Step::new(
            format!("Größte Sicherheit, bei der die Obergrenze unter {tolerable} bleibt"),
            format!("Largest confidence at which the upper limit stays below {tolerable}"),
            shown(confidence),
        ));
    }
    // A limit that is net already is compared with the net projection.
    let (compared, net_upper_limit) = if method.is_net() {
        (projected - other_projected, upper_limit)
    } else {
        (projected, upper_limit.map(|limit| limit - other_projected))
    };
    // Errors without a limit leave the tolerable error open at best; without any error such a method says nothing.
    let conclusion = sample
        .tolerable
        .map(Decimal::from)
        .and_then(|tolerable| match upper_limit {
            Some(limit) => Some(conclude(&compared, &limit, &tolerable)),
            None if compared > tolerable => Some(Conclusion::Material),
            None if errors.hits > 0 => Some(Conclusion::Inconclusive),
            None => None,
        });
    Ok(BoundSide {
        items: errors.items,
        hits: errors.hits,
        known,
        exhaustive,
        projected,
        basic_precision: bound.basic_precision,
        precision: upper_limit.map(|limit| limit - compared),
        upper_limit,
        net_upper_limit,
        achieved_confidence,
        conclusion,
        steps,
    })
}
