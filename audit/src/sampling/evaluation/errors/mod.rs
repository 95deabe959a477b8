//! Classes of errors, total error rate and residual error rate.
//!
//! The rule (EC guidance EGESIF 16-0014-01, appendix 1 and glossary; Regulation (EU) 2021/1060, article 2 (35) and (36)):
//!
//! - **random** errors are projected to the population;
//! - **systemic** errors that are delimited, that is found out in the whole population, are added once in full and not
//!   projected; a systemic error that is not delimited counts as random;
//! - **anomalous** errors, of which it is shown that they are not representative, are added only as far as they are not
//!   corrected, and never projected.
//!
//! `total error = projected random + delimited systemic + uncorrected anomalous`, its rate is the part of the book value.
//! Upper limit of error: total error plus precision (4.12). The residual error rate is what is left after corrections, by
//! the template CPRE 23-0013-01, annex 3.

mod german;

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Conclusion, conclude,
    figures::{AMOUNT_PLACES, SHARE_PLACES},
    monetary::Unit,
};
use crate::sampling::derivation::german_decimal as german;
use crate::sampling::derivation::{Step, Text, missing_amounts, outside_the_population};
use crate::sampling::numerics::Fraction;
use crate::sampling::refusal::{Located, Refused as _};

/// Method of [`total_error`].
pub const TOTAL_ERROR_METHOD: &str = "total-error-rate";
/// Method of [`residual_error`].
pub const RESIDUAL_ERROR_METHOD: &str = "residual-error-rate";
/// Version of the methods of this module.
pub const ERRORS_VERSION: &str = "1";

/// What kind of error was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ErrorClass {
    /// Projected to the population.
    Random,
    /// Delimited in the whole population: added once in full, not projected.
    Systemic,
    /// Shown not to be representative: added as far as it is not corrected, not projected.
    Anomalous,
}

/// An error that is known in the whole population and therefore not projected.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KnownError {
    /// `SYSTEMIC` or `ANOMALOUS`.
    pub class: ErrorClass,
    /// Its amount in the whole population, not negative.
    pub amount: i64,
    /// Whether it was corrected before the audit ended; needed for anomalous errors. A systemic error stays in the total
    /// error rate when it is corrected: corrections belong to the residual error rate.
    #[serde(default)]
    pub corrected: Option<bool>,
    /// Why it is systemic or anomalous; needed for anomalous errors.
    #[serde(default)]
    pub reason: Option<String>,
    /// Group (Bezirksstelle, programme) to which it belongs, if results by group are asked for.
    #[serde(default)]
    pub group: Option<String>,
}

/// Why an error rate cannot be formed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ErrorRateError {
    /// The book value or population is zero or negative, or nothing is left of it.
    #[error("the book value {0} is not positive")]
    BookValue(i64),
    /// The materiality does not lie strictly between 0 and 1.
    #[error("the materiality {0} does not lie between 0 and 1")]
    Materiality(Decimal),
    /// The precision is negative.
    #[error("the precision {0} is negative")]
    Precision(Decimal),
    /// A random error was given as one that is not projected.
    #[error("random errors are projected, not added")]
    RandomNotProjected,
    /// A known error is negative.
    #[error("the known error {0} is negative")]
    NegativeError(i64),
    /// An anomalous error without a reason.
    #[error("an anomalous error needs a reason")]
    ReasonMissing,
    /// An anomalous error that does not say whether it was corrected.
    #[error("an anomalous error has to say whether it was corrected")]
    CorrectedMissing,
    /// The total error rate does not lie from 0 to 1.
    #[error("the total error rate {0} does not lie from 0 to 1")]
    TotalErrorRate(Decimal),
    /// A deduction or correction is negative.
    #[error("the amount {amount} of {field} is negative")]
    NegativeAmount {
        /// The input.
        field: &'static str,
        /// Its amount.
        amount: i64,
    },
    /// More was corrected than there is.
    #[error("corrections of {corrections} exceed the population of {population}")]
    CorrectionsAbovePopulation {
        /// Corrections.
        corrections: i64,
        /// Population after deductions.
        population: i128,
    },
    /// An amount of the result does not fit.
    #[error("an amount of the result is too large")]
    AmountTooLarge,
}

impl ErrorRateError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::BookValue(_) => "BOOK_VALUE_NOT_POSITIVE",
            Self::Materiality(_) => "MATERIALITY_OUT_OF_RANGE",
            Self::Precision(_) => "PRECISION_NEGATIVE",
            Self::RandomNotProjected => "RANDOM_NOT_PROJECTED",
            Self::NegativeError(_) => "ERROR_NEGATIVE",
            Self::ReasonMissing => "REASON_MISSING",
            Self::CorrectedMissing => "CORRECTED_MISSING",
            Self::TotalErrorRate(_) => "TOTAL_ERROR_RATE_OUT_OF_RANGE",
            Self::NegativeAmount { .. } => "AMOUNT_NEGATIVE",
            Self::CorrectionsAbovePopulation { .. } => "CORRECTIONS_ABOVE_POPULATION",
            Self::AmountTooLarge => "AMOUNT_TOO_LARGE",
        }
    }

    /// The input that has to change.
    pub fn field(&self) -> &'static str {
        match self {
            Self::BookValue(_) | Self::AmountTooLarge => "bookValue",
            Self::Materiality(_) => "materiality",
            Self::Precision(_) => "precision",
            Self::RandomNotProjected => "class",
            Self::NegativeError(_) => "amount",
            Self::ReasonMissing => "reason",
            Self::CorrectedMissing => "corrected",
            Self::TotalErrorRate(_) => "totalErrorRate",
            Self::NegativeAmount { field, .. } => field,
            Self::CorrectionsAbovePopulation { .. } => "corrections",
        }
    }
}

/// A projection of random errors, of whatever method, and the errors that are known.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TotalErrorInput {
    /// What the amounts count.
    pub unit: Unit,
    /// Book value of the population, positive.
    pub book_value: i64,
    /// Tolerable part of the book value, such as 0.02.
    pub materiality: Decimal,
    /// Projected random error.
    pub projected: Decimal,
    /// Upper limit less projected random error; none for samples that are not statistical.
    #[serde(default)]
    pub precision: Option<Decimal>,
    /// Delimited systemic and anomalous errors.
    #[serde(default)]
    pub known_errors: Vec<KnownError>,
}

/// A total error with its rate, limit and conclusion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TotalErrorResult {
    /// Method id.
    pub method: &'static str,
    /// Version of the method.
    pub version: &'static str,
    /// What the amounts count.
    pub unit: Unit,
    /// Book value of the population.
    pub book_value: Decimal,
    /// Tolerable part of the book value.
    pub materiality: Decimal,
    /// Materiality times book value, half to even at six places.
    pub tolerable: Decimal,
    /// Projected random error, half to even at six places.
    pub projected: Decimal,
    /// Delimited systemic errors.
    pub systemic: Decimal,
    /// Anomalous errors that are not corrected.
    pub anomalous: Decimal,
    /// Anomalous errors that are corrected and therefore left out.
    pub anomalous_corrected: Decimal,
    /// Sum of projected, systemic and uncorrected anomalous errors, half to even at six places.
    pub total_error: Decimal,
    /// Total error by book value, half to even at twelve places.
    pub total_error_rate: Decimal,
    /// Precision, rounded up at six places.
    pub precision: Option<Decimal>,
    /// Total error plus precision, rounded up at six places.
    pub upper_limit: Option<Decimal>,
    /// Upper limit by book value, rounded up at twelve places.
    pub upper_limit_rate: Option<Decimal>,
    /// Material if the total error exceeds the tolerable one, not material if the upper limit is below it; without an upper
    /// limit the total error alone decides (6.4.6).
    pub conclusion: Conclusion,
    /// How it came about.
    pub steps: Vec<Step>,
    /// What the method cannot find.
    pub cannot_find: Vec<Text>,
}

/// The total error rate.
pub fn total_error(input: &TotalErrorInput) -> Result<TotalErrorResult, Located<ErrorRateError>> {
    for (index, error) in input.known_errors.iter().enumerate() {
        check_known(error).map_err(|refusal| refusal.at(format!("knownErrors[{index}]")))?;
    }
    if let Some(precision) = input.precision
        && precision < Decimal::ZERO
    {
        return Err(ErrorRateError::Precision(precision).into());
    }
    if input.book_value <= 0 {
        return Err(ErrorRateError::BookValue(input.book_value).into());
    }
    Ok(total(
        input.unit,
        &Fraction::from(input.book_value),
        input.materiality,
        &Fraction::from(input.projected),
        input.precision.map(Fraction::from).as_ref(),
        &input.known_errors.iter().collect::<Vec<_>>(),
    )?)
}

/// Refuses a known error that cannot be added.
pub(super) fn check_known(error: &KnownError) -> Result<(), ErrorRateError> {
    if error.amount < 0 {
        return Err(ErrorRateError::NegativeError(error.amount));
    }
    match error.class {
        ErrorClass::Random => return Err(ErrorRateError::RandomNotProjected),
        ErrorClass::Systemic => {}
        ErrorClass::Anomalous => {
            if error
                .reason
                .as_deref()
                .is_none_or(|reason| reason.trim().is_empty())
            {
                return Err(ErrorRateError::ReasonMissing);
            }
            if error.corrected.is_none() {
                return Err(ErrorRateError::CorrectedMissing);
            }
        }
    }
    Ok(())
}

/// Sums of the known errors, which have been checked: systemic, anomalous not corrected, anomalous corrected.
fn known(errors: &[&KnownError]) -> [i128; 3] {
    let mut sums = [0; 3];
    for error in errors {
        let place = match error.class {
            ErrorClass::Random | ErrorClass::Systemic => 0,
            ErrorClass::Anomalous => 1 + usize::from(error.corrected == Some(true)),
        };
        sums[place] += i128::from(error.amount);
    }
    sums
}

/// The total error of a projection whose figures are exact, with known errors that have been checked.
pub(super) fn total(
    unit: Unit,
    book_value: &Fraction,
    materiality: Decimal,
    projected: &Fraction,
    precision: Option<&Fraction>,
    errors: &[&KnownError],
) -> Result<TotalErrorResult, ErrorRateError> {
    if materiality <= Decimal::ZERO || materiality >= Decimal::ONE {
        return Err(ErrorRateError::Materiality(materiality));
    }
    let large = || ErrorRateError::AmountTooLarge;
    let amount = |value: &Fraction| value.even(AMOUNT_PLACES).ok_or_else(large);
    let [systemic, anomalous, anomalous_corrected] = known(errors).map(Fraction::from);
    let tolerable = amount(&(&Fraction::from(materiality) * book_value))?;
    let sum = &(projected + &systemic) + &anomalous;
    let upper = precision.map(|precision| &sum + precision);
    let upper_limit = upper
        .as_ref()
        .map(|upper| upper.up(AMOUNT_PLACES).ok_or_else(large))
        .transpose()?;
    let total_error = amount(&sum)?;
    let mut result = TotalErrorResult {
        cannot_find: vec![outside_the_population(), missing_amounts()],
        method: TOTAL_ERROR_METHOD,
        version: ERRORS_VERSION,
        unit,
        book_value: amount(book_value)?,
        materiality,
        tolerable,
        projected: amount(projected)?,
        systemic: amount(&systemic)?,
        anomalous: amount(&anomalous)?,
        anomalous_corrected: amount(&anomalous_corrected)?,
        total_error,
        total_error_rate: (&sum / book_value).even(SHARE_PLACES).ok_or_else(large)?,
        precision: precision
            .map(|precision| precision.up(AMOUNT_PLACES).ok_or_else(large))
            .transpose()?,
        upper_limit,
        upper_limit_rate: upper
            .map(|upper| (&upper / book_value).up(SHARE_PLACES).ok_or_else(large))
            .transpose()?,
        conclusion: conclude(&total_error, &upper_limit.unwrap_or(total_error), &tolerable),
        steps: Vec::new(),
    };
    result.steps = total_steps(&result);
    Ok(result)
}

fn total_steps(result: &TotalErrorResult) -> Vec<Step> {
    let show = |value: Decimal| value.normalize();
    let (book, projected) = (show(result.book_value), show(result.projected));
    let (systemic, anomalous) = (show(result.systemic), show(result.anomalous));
    let total = show(result.total_error);
    let mut steps = vec![
        Step::new(
            german(&format!("Tragbarer Fehler = {} * {book}", result.materiality)),
            format!("Tolerable error = {} * {book}", result.materiality),
            show(result.tolerable),
        ),
        Step::new(
            german(&format!(
                "Gesamtfehler = hochgerechnete zufällige + abgegrenzte systemische + nicht korrigierte anomale Fehler = \
                 {projected} + {systemic} + {anomalous}"
            )),
            format!(
                "Total error = projected random + delimited systemic + uncorrected anomalous errors = {projected} + \
                 {systemic} + {anomalous}"
            ),
            total,
        ),
        Step::new(
            german(&format!("Gesamtfehlerquote = {total} / {book}")),
            format!("Total error rate = {total} / {book}"),
            show(result.total_error_rate),
        ),
    ];
    if let Some((precision, upper)) = result.precision.zip(result.upper_limit) {
        let precision = show(precision);
        steps.push(Step::new(
            german(&format!(
                "Fehlerobergrenze = Gesamtfehler + Genauigkeit = {total} + {precision}"
            )),
            format!("Upper limit of error = total error + precision = {total} + {precision}"),
            show(upper),
        ));
    }
    let (de, en) = match result.conclusion {
        Conclusion::Material => (
            "Der Gesamtfehler liegt über dem tragbaren Fehler",
            "The total error exceeds the tolerable error",
        ),
        Conclusion::NotMaterial => (
            "Auch die Obergrenze liegt unter dem tragbaren Fehler",
            "Even the upper limit is below the tolerable error",
        ),
        Conclusion::Inconclusive => (
            "Der tragbare Fehler liegt zwischen Gesamtfehler und Obergrenze",
            "The tolerable error lies between total error and upper limit",
        ),
    };
    let value = match result.conclusion {
        Conclusion::Material => "MATERIAL",
        Conclusion::NotMaterial => "NOT_MATERIAL",
        Conclusion::Inconclusive => "INCONCLUSIVE",
    };
    steps.push(Step::new(de, en, value));
    steps
}

/// What was done after the audit, by the rows of the template.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResidualErrorInput {
    /// What the amounts count.
    pub unit: Unit,
    /// A: book value of the audited population, positive.
    pub book_value: i64,
    /// D: total error rate, 0 to 1.
    pub total_error_rate: Decimal,
    /// E1: amounts taken out as their assessment goes on, not negative.
    pub ongoing_assessment: i64,
    /// E2: other amounts taken out, not negative.
    pub other_deductions: i64,
    /// H: corrections made because of the errors found, not negative.
    pub corrections: i64,
    /// Tolerable part of the book value, such as 0.02.
    pub materiality: Decimal,
}

/// The residual error rate, by the rows of the template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResidualErrorResult {
    /// Method id.
    pub method: &'static str,
    /// Version of the method.
    pub version: &'static str,
    /// What the amounts count.
    pub unit: Unit,
    /// F = A - E1 - E2.
    pub population: Decimal,
    /// G = D * F: amount at risk, half to even at six places.
    pub amount_at_risk: Decimal,
    /// I = F - H: what can be declared.
    pub certifiable: Decimal,
    /// J = G - H: amount that stays at risk, half to even at six places; negative where more was corrected.
    pub residual_amount: Decimal,
    /// K = J / I, half to even at twelve places; none if I is zero.
    pub residual_error_rate: Option<Decimal>,
    /// K as the template compares it: half up at four places.
    pub rounded_rate: Option<Decimal>,
    /// Tolerable part.
    pub materiality: Decimal,
    /// Whether the rounded K exceeds the materiality.
    pub exceeds_materiality: bool,
    /// L = (J - materiality * I) / (1 - materiality), rounded up at six places: the further correction that brings the rate
    /// down to the materiality; none if the rate does not exceed it.
    pub extrapolated_correction: Option<Decimal>,
    /// M = (J - L) / (I - L), half to even at twelve places.
    pub rate_after_correction: Option<Decimal>,
    /// How it came about.
    pub steps: Vec<Step>,
    /// What in the input is improbable.
    pub warnings: Vec<Text>,
    /// What the method cannot find.
    pub cannot_find: Vec<Text>,
}

/// The residual error rate after corrections (template CPRE 23-0013-01, annex 3).
pub fn residual_error(input: &ResidualErrorInput) -> Result<ResidualErrorResult, ErrorRateError> {
    check_residual(input)?;
    let large = || ErrorRateError::AmountTooLarge;
    let population = i128::from(input.book_value)
        - i128::from(input.ongoing_assessment)
        - i128::from(input.other_deductions);
    if population <= 0 {
        return Err(ErrorRateError::BookValue(
            i64::try_from(population).unwrap_or(i64::MIN),
        ));
    }
    let certifiable = population - i128::from(input.corrections);
    if certifiable < 0 {
        return Err(ErrorRateError::CorrectionsAbovePopulation {
            corrections: input.corrections,
            population,
        });
    }
    let amount = |value: &Fraction| value.even(AMOUNT_PLACES).ok_or_else(large);
    let materiality = Fraction::from(input.materiality);
    let risk = &Fraction::from(input.total_error_rate) * &Fraction::from(population);
    let residual = &risk - &Fraction::from(input.corrections);
    let whole = Fraction::from(certifiable);
    let rate = (certifiable > 0).then(|| &residual / &whole);
    let exact = rate
        .as_ref()
        .map(|rate| rate.even(SHARE_PLACES).ok_or_else(large))
        .transpose()?;
    // the template rounds half up, and from the exact quotient
    let rounded = rate
        .as_ref()
        .map(|rate| {
            let half = Fraction::from(Decimal::new(5, 5));
            (rate + &half).down(4).ok_or_else(large)
        })
        .transpose()?;
    let exceeds = rounded.is_some_and(|rounded| rounded > input.materiality);
    let correction =
        exceeds.then(|| &(&residual - &(&materiality * &whole)) / &(&Fraction::one() - &materiality));
    let after = correction
        .as_ref()
        .map(|correction| &(&residual - correction) / &(&whole - correction));
    let mut result = ResidualErrorResult {
        cannot_find: vec![outside_the_population(), missing_amounts()],
        method: RESIDUAL_ERROR_METHOD,
        version: ERRORS_VERSION,
        unit: input.unit,
        population: amount(&Fraction::from(population))?,
        amount_at_risk: amount(&risk)?,
        certifiable: amount(&whole)?,
        residual_amount: amount(&residual)?,
        residual_error_rate: exact,
        rounded_rate: rounded,
        materiality: input.materiality,
        exceeds_materiality: exceeds,
        extrapolated_correction: correction
            .map(|correction| correction.up(AMOUNT_PLACES).ok_or_else(large))
            .transpose()?,
        rate_after_correction: after
            .map(|rate| rate.even(SHARE_PLACES).ok_or_else(large))
            .transpose()?,
        steps: Vec::new(),
        warnings: Vec::new(),
    };
    if residual.is_negative() {
        result.warnings.push(Text::new(
            "Es wurde mehr berichtigt, als der Risikobetrag ausmacht: Die Restfehlerquote ist negativ.",
            "More was corrected than the amount at risk: the residual error rate is negative.",
        ));
    }
    result.steps = residual_steps(input, &result);
    Ok(result)
}

fn check_residual(input: &ResidualErrorInput) -> Result<(), ErrorRateError> {
    if input.book_value <= 0 {
        return Err(ErrorRateError::BookValue(input.book_value));
    }
    if input.total_error_rate < Decimal::ZERO || input.total_error_rate > Decimal::ONE {
        return Err(ErrorRateError::TotalErrorRate(input.total_error_rate));
    }
    if input.materiality <= Decimal::ZERO || input.materiality >= Decimal::ONE {
        return Err(ErrorRateError::Materiality(input.materiality));
    }
    for (field, amount) in [
        ("ongoingAssessment", input.ongoing_assessment),
        ("otherDeductions", input.other_deductions),
        ("corrections", input.corrections),
    ] {
        if amount < 0 {
            return Err(ErrorRateError::NegativeAmount { field, amount });
        }
    }
    Ok(())
}

fn residual_steps(input: &ResidualErrorInput, result: &ResidualErrorResult) -> Vec<Step> {
    let show = |value: Decimal| value.normalize();
    let (population, risk) = (show(result.population), show(result.amount_at_risk));
    let (corrections, certifiable) = (input.corrections, show(result.certifiable));
    let (residual, total) = (show(result.residual_amount), input.total_error_rate);
    let mut steps = vec![
        Step::new(
            german(&format!(
                "F = A - E1 - E2 = {} - {} - {}",
                input.book_value, input.ongoing_assessment, input.other_deductions
            )),
            format!(
                "F = A - E1 - E2 = {} - {} - {}",
                input.book_value, input.ongoing_assessment, input.other_deductions
            ),
            population,
        ),
        Step::new(
            german(&format!("Risikobetrag G = D * F = {total} * {population}")),
            format!("Amount at risk G = D * F = {total} * {population}"),
            risk,
        ),
        Step::new(
            german(&format!(
                "Verbleibende Ausgaben I = F - H = {population} - {corrections}"
            )),
            format!("Remaining expenditure I = F - H = {population} - {corrections}"),
            certifiable,
        ),
        Step::new(
            german(&format!(
                "Verbleibender Risikobetrag J = G - H = {risk} - {corrections}"
            )),
            format!("Remaining amount at risk J = G - H = {risk} - {corrections}"),
            residual,
        ),
    ];
    if let Some((rate, rounded)) = result.residual_error_rate.zip(result.rounded_rate) {
        steps.push(Step::new(
            german(&format!(
                "Restfehlerquote K = J / I = {residual} / {certifiable}, gerundet {rounded}"
            )),
            format!("Residual error rate K = J / I = {residual} / {certifiable}, rounded {rounded}"),
            show(rate),
        ));
    }
    if let Some((correction, after)) = result.extrapolated_correction.zip(result.rate_after_correction) {
        let share = input.materiality;
        steps.push(Step::new(
            german(&format!(
                "Weitere Berichtigung L = (J - {share} * I) / (1 - {share})"
            )),
            format!("Further correction L = (J - {share} * I) / (1 - {share})"),
            show(correction),
        ));
        steps.push(Step::new(
            "Restfehlerquote danach M = (J - L) / (I - L)",
            "Residual error rate afterwards M = (J - L) / (I - L)",
            show(after),
        ));
    }
    steps
}

#[cfg(test)]
mod tests;
