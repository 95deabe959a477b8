//! Estimates of the mean tainting with a standard error: for samples with many errors.
//!
//! Sources: Touw and Hoogduin 2011, chapter 5 (Student's t, degrees of freedom from the taintings that are
//! not zero); M. Hansen, W. Hurwitz 1943 (On the Theory of Sampling from Finite Populations); S. Lohr,
//! Sampling (2010), 6.2.

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Direction;
use super::result::{Bound, BoundResult, Method, NetEstimate, evaluate, narrow};
use super::sample::{Errors, MonetarySample, SAMPLE};
use crate::sampling::derivation::german_decimal as german;
use crate::sampling::derivation::{Step, Text};
use crate::sampling::evaluation::figures::{Rounding, amount_of, shown, shown_float};
use crate::sampling::evaluation::{EvaluationError, Sides};
use crate::sampling::numerics::{decimal_to_float, float, normal_quantile, student_quantile};
use crate::sampling::refusal::{Located, Refused as _};

/// Version of [`mean_estimate`].
pub const ESTIMATE_VERSION: &str = "1";
/// Errors below which the distribution of a mean is far from normal.
const MANY_ERRORS: u64 = 20;

/// How a mean tainting is given limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum MeanMethod {
    /// Mean per unit: quantile of the normal distribution.
    MeanPerUnit,
    /// Student's t with one degree of freedom less than there are taintings that are not zero.
    StudentT,
    /// Drawing with replacement (Hansen and Hurwitz): Student's t with `n - 1` degrees of freedom.
    HansenHurwitz,
}

/// A sample to be evaluated by an estimate of the mean tainting.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MeanInput {
    /// The checked sample, of at least two hits.
    pub sample: MonetarySample,
    /// The method.
    pub method: MeanMethod,
    /// Limits of the additional net estimate; over- and understatements always have an upper one.
    pub net_sides: Sides,
}

/// Mean tainting times book value with its standard error, separately for over- and understatements, and the
/// net estimate as an additional figure.
///
/// `BV * (mean t + q * s / sqrt(n))`, `s` the standard deviation over all `n` hits with `n - 1`; `q` as
/// [`MeanMethod`] says. A direction without errors has no limit, since it has no spread; with
/// [`MeanMethod::StudentT`] neither has one with a single error: `t` has no distribution without a degree of freedom
/// ("Student" 1908), and its quantile grows beyond all bounds as they approach zero. The conclusion is then that of an infinite
/// limit: material if the projected error exceeds the tolerable one (EC guidance EGESIF 16-0014, 4.12), else inconclusive.
/// Floats; limits within 1e-12 of the book
/// value, then rounded away from the auditor's wish.
pub fn mean_estimate(input: &MeanInput) -> Result<BoundResult, Located<EvaluationError>> {
    input.sample.check()?;
    let size = input.sample.size;
    if size < 2 {
        return Err(EvaluationError::SizeTooSmall { size, least: 2 }.at(SAMPLE));
    }
    let method = Mean(input.method);
    let mut result = evaluate(&input.sample, &method)?;
    result.net = Some(method.net(input).map_err(|error| error.at(SAMPLE))?);
    let fewest = result.over.hits.min(result.under.hits);
    if fewest < MANY_ERRORS {
        result.warnings.push(Text::new(
            "Weniger als 20 fehlerhafte Treffer in einer Richtung: Die Grenze aus Mittelwert und \
             Standardfehler kann dort zu niedrig sein.",
            "Fewer than 20 hits in error in one direction: the limit from mean and standard error may be \
             too low there.",
        ));
    }
    if result.over.upper_limit.is_none() || result.under.upper_limit.is_none() {
        result.warnings.push(Text::new(
            "Eine Richtung hat zu wenige Fehler für eine Streuung oder einen Freiheitsgrad; sie hat keine Obergrenze. Ohne Fehler \
             folgt dort nichts, mit einem Fehler ist die Aussage nur über den hochgerechneten Fehler möglich.",
            "One direction has too few errors for a spread or a degree of freedom; it has no upper limit. Without errors nothing \
             follows there, with one error only what the projected error says.",
        ));
    }
    Ok(result)
}

struct Mean(MeanMethod);

impl Mean {
    /// Degrees of freedom for so many taintings that are not zero; none for the normal distribution.
    fn degrees(&self, nonzero: u64, size: u64) -> Option<u64> {
        match self.0 {
            MeanMethod::MeanPerUnit => None,
            MeanMethod::StudentT => Some(nonzero.saturating_sub(1)),
            MeanMethod::HansenHurwitz => Some(size - 1),
        }
    }

    /// The quantile; none where the errors have no spread or no degree of freedom.
    fn quantile(&self, nonzero: u64, size: u64, risk: f64) -> Option<f64> {
        match self.degrees(nonzero, size) {
            _ if nonzero == 0 => None,
            None => Some(normal_quantile(risk)),
            Some(0) => None,
            Some(degrees) => Some(student_quantile(risk, float(degrees))),
        }
    }

    fn net(&self, input: &MeanInput) -> Result<NetEstimate, EvaluationError> {
        let sample = &input.sample;
        let (over, under) = (sample.errors(Direction::Over), sample.errors(Direction::Under));
        let n = float(sample.size);
        let nonzero = over.hits + under.hits;
        let mean = (over.power_sum(1) - under.power_sum(1)) / n;
        let squares =
            deviations(&over, mean) + deviations(&under, -mean) + (n - float(nonzero)) * mean * mean;
        let error = over.book() * (squares / (n - 1.0) / n).sqrt();
        let known =
            narrow(sample.exhaustive_error(Direction::Over) - sample.exhaustive_error(Direction::Under))?;
        let add = |amount: Decimal| {
            amount
                .checked_add(known.into())
                .ok_or(EvaluationError::AmountTooLarge)
        };
        let center = over.book() * mean;
        let risk = decimal_to_float(input.net_sides.risk(sample.confidence));
        let width = self
            .quantile(nonzero, sample.size, risk)
            .filter(|_| error > 0.0)
            .map(|quantile| quantile * error);
        let upper = width.filter(|_| input.net_sides != Sides::Lower);
        let lower = width.filter(|_| input.net_sides != Sides::Upper);
        Ok(NetEstimate {
            projected: add(amount_of(center, Rounding::HalfEven)?)?,
            standard_error: amount_of(error, Rounding::HalfEven)?,
            degrees_of_freedom: self.degrees(nonzero, sample.size),
            sides: input.net_sides,
            lower_limit: lower
                .map(|width| amount_of(width - center, Rounding::Up).and_then(|limit| add(-limit)))
                .transpose()?,
            upper_limit: upper
                .map(|width| amount_of(center + width, Rounding::Up).and_then(add))
                .transpose()?,
        })
    }
}

/// Squared distances of the taintings in error from a mean.
fn deviations(errors: &Errors, mean: f64) -> f64 {
    errors
        .groups
        .iter()
        .map(|group| float(group.hits) * (group.rounded - mean).powi(2))
        .sum()
}

/// Mean tainting over all hits and the standard error of it.
fn mean_and_error(errors: &Errors) -> (f64, f64) {
    let n = float(errors.size);
    let mean = errors.power_sum(1) / n;
    let squares = deviations(errors, mean) + (n - float(errors.hits)) * mean * mean;
    (mean, (squares / (n - 1.0) / n).sqrt())
}

impl Method for Mean {
    fn id(&self) -> &'static str {
        match self.0 {
            MeanMethod::MeanPerUnit => "tainting-mean-per-unit",
            MeanMethod::StudentT => "tainting-student-t",
            MeanMethod::HansenHurwitz => "hansen-hurwitz",
        }
    }

    fn version(&self) -> &'static str {
        ESTIMATE_VERSION
    }

    fn bound(&self, errors: &Errors, _other: &Errors, risk: Decimal) -> Result<Bound, EvaluationError> {
        let (mean, error) = mean_and_error(errors);
        let n = errors.size;
        let (sum, squares) = (errors.power_sum(1), errors.power_sum(2));
        let deviation = error * float(n).sqrt();
        let [sum, squares, shown_mean, shown_deviation, shown_error] =
            [sum, squares, mean, deviation, error].map(shown_float);
        let mut steps = vec![
            Step::new(
                format!(
                    "Mittleres Tainting aller {n} Treffer: Summe t / n = {} / {n}",
                    german(&sum)
                ),
                format!("Mean tainting of all {n} hits: sum of t / n = {sum} / {n}"),
                &shown_mean,
            ),
            Step::new(
                german(&format!(
                    "Standardabweichung s = Wurzel((Summe t² - n * Mittelwert²) / (n - 1)) = Wurzel(({squares} - {n} * \
                     {shown_mean}²) / ({n} - 1))"
                )),
                format!(
                    "Standard deviation s = root((sum of t² - n * mean²) / (n - 1)) = root(({squares} - {n} * {shown_mean}²) / \
                     ({n} - 1))"
                ),
                &shown_deviation,
            ),
            Step::new(
                german(&format!(
                    "Standardfehler: s / Wurzel(n) = {shown_deviation} / Wurzel({n})"
                )),
                format!("Standard error: s / root(n) = {shown_deviation} / root({n})"),
                &shown_error,
            ),
        ];
        let Some(quantile) = self.quantile(errors.hits, n, decimal_to_float(risk)) else {
            return Ok(Bound {
                basic_precision: None,
                upper_limit: None,
                steps,
            });
        };
        let (confidence, shown_quantile) = (shown(Decimal::ONE - risk), shown_float(quantile));
        let (de, en) = match self.degrees(errors.hits, n) {
            None => (
                format!("Quantil q der Normalverteilung zu {confidence}"),
                format!("Quantile q of the normal distribution at {confidence}"),
            ),
            Some(degrees) => (
                format!("Quantil q der t-Verteilung mit {degrees} Freiheitsgraden zu {confidence}"),
                format!("Quantile q of Student's t with {degrees} degrees of freedom at {confidence}"),
            ),
        };
        steps.push(Step::new(german(&de), en, &shown_quantile));
        let upper = amount_of(errors.book() * (mean + quantile * error), Rounding::Up)?;
        let figures = format!(
            "{} * ({shown_mean} + {shown_quantile} * {shown_error})",
            errors.book_value
        );
        steps.push(Step::new(
            format!(
                "Obergrenze: Buchwert * (Mittelwert + q * Standardfehler) = {}",
                german(&figures)
            ),
            format!("Upper limit: book value * (mean + q * standard error) = {figures}"),
            shown(upper),
        ));
        Ok(Bound {
            basic_precision: None,
            upper_limit: Some(upper),
            steps,
        })
    }

    fn limit(&self, errors: &Errors, _other: &Errors, risk: Decimal) -> Option<f64> {
        let (mean, error) = mean_and_error(errors);
        let quantile = self.quantile(errors.hits, errors.size, decimal_to_float(risk))?;
        Some(errors.book() * (mean + quantile * error))
    }
}
