//! Totals from samples of equal probability: mean per unit, difference, ratio and regression estimates.
//!
//! The misstatement is book less audited value: overstatements are positive, and as a total it is net by nature; the result
//! warns where both directions occur. Sums, squares and variances are whole
//! numbers and fractions, exact; the root is cut upwards after 24 places and the quantile is the decimal of twelve places
//! that the result shows. Limits are therefore those of exact arithmetic with that quantile, rounded away from the
//! misstatement at six places.
//!
//! Sources: W. G. Cochran 1977 (Sampling Techniques, chapters 2, 5 to 7) for estimators and strata; F. E. Satterthwaite
//! 1946 for the degrees of freedom; D. M. Roberts 1978 (Statistical Auditing) for their use in audits. The rules for few
//! errors and the divisor `n - 2` of the regression are those of the software IDEA, as P. Touw and L. Hoogduin describe
//! them (package `FSaudit`).

pub(in crate::sampling) mod error;
pub(in crate::sampling) mod estimate;
pub(in crate::sampling) mod input;
pub(in crate::sampling) mod moments;
mod report;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;

pub use self::{
    error::VariablesError,
    input::{
        Combination, Estimator, FewErrors, FiniteCorrection, QuantileChoice, SamplingUnit, VariablesInput,
        VariablesItem, VariablesStratum,
    },
};
use self::{
    estimate::{Choices, Estimate, Part, Source, estimate},
    moments::Moments,
};
use super::{
    Conclusion, LARGEST_POPULATION, Sides, conclude,
    figures::{AMOUNT_PLACES, SHARE_PLACES},
    monetary::Unit,
};
use crate::sampling::refusal::{Located, Refused as _};
use crate::sampling::{
    derivation::{Step, Text, missing_amounts, outside_the_population},
    numerics::{Fraction, decimal_to_float, nearest, normal_quantile, student_quantile},
};

/// Version of the methods of this module.
pub const VARIABLES_VERSION: &str = "1";

/// A point estimate with its limits, in the unit of the amounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EstimateLimits {
    /// Half to even at six places.
    pub estimate: Decimal,
    /// Rounded down at six places; none if there is no limit on this side.
    pub lower: Option<Decimal>,
    /// Rounded up at six places; none if there is no limit on this side.
    pub upper: Option<Decimal>,
}

/// Most strata: sums over them are exact, and their denominators grow with each.
const MOST_STRATA: usize = 100;

/// What a stratum contributes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VariablesStratumResult {
    /// Name of the stratum.
    pub name: String,
    /// Units of the population.
    pub population: u64,
    /// Units checked.
    pub size: u64,
    /// Units with a difference between book and audited value.
    pub errors: u64,
    /// Mean of book less audited value, half to even at six places.
    pub mean_misstatement: Decimal,
    /// Ratio or slope, half to even at twelve places; none for the other estimators.
    pub factor: Option<Decimal>,
    /// Variance with which the limits were formed, half to even at six places.
    pub variance: Decimal,
}

/// A projected total with its limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VariablesResult {
    /// Method id.
    pub method: &'static str,
    /// Version of the method.
    pub version: &'static str,
    /// What the amounts count.
    pub unit: Unit,
    /// Confidence of the limits.
    pub confidence: Decimal,
    /// Sides of the limits.
    pub sides: Sides,
    /// Distribution of the limits.
    pub quantile: QuantileChoice,
    /// Finite population factor.
    pub finite_correction: FiniteCorrection,
    /// Rule for few errors.
    pub few_errors: FewErrors,
    /// What was drawn.
    pub sampling_unit: SamplingUnit,
    /// Units of the population.
    pub population: u64,
    /// Units checked.
    pub size: u64,
    /// Units with a difference.
    pub errors: u64,
    /// Book value of the population.
    pub book_value: Decimal,
    /// Misstatement: book less audited value, overstatements positive.
    pub misstatement: EstimateLimits,
    /// Audited value of the population: book value less misstatement.
    pub audited_value: EstimateLimits,
    /// Misstatement by book value, half to even at twelve places.
    pub rate: Decimal,
    /// Rounded up at six places.
    pub standard_error: Decimal,
    /// Quantile times standard error, rounded up at six places.
    pub precision: Decimal,
    /// Degrees of freedom, half to even at six places; none for the normal distribution.
    pub degrees_of_freedom: Option<Decimal>,
    /// The quantile, at twelve places.
    pub quantile_value: Decimal,
    /// The strata in the order given.
    pub strata: Vec<VariablesStratumResult>,
    /// Tolerable misstatement, if given.
    pub tolerable: Option<i64>,
    /// Conclusion on overstatement; none without a tolerable misstatement or without an upper limit.
    pub conclusion: Option<Conclusion>,
    /// How it came about.
    pub steps: Vec<Step>,
    /// What in the input is improbable.
    pub warnings: Vec<Text>,
    /// What the method cannot find.
    pub cannot_find: Vec<Text>,
}

/// Method id of an estimator.
pub(in crate::sampling) fn method(
    estimator: Estimator,
    combination: Combination,
    strata: usize,
) -> &'static str {
    match (estimator, combination, strata) {
        (Estimator::MeanPerUnit, _, 1) => "mean-per-unit",
        (Estimator::MeanPerUnit, _, _) => "stratified-mean-per-unit",
        (Estimator::Difference, _, 1) => "difference-estimation",
        (Estimator::Difference, _, _) => "stratified-difference-estimation",
        (Estimator::Ratio, _, 1) => "ratio-estimation",
        (Estimator::Ratio, Combination::Separate, _) => "separate-ratio-estimation",
        (Estimator::Ratio, Combination::Combined, _) => "combined-ratio-estimation",
        (Estimator::Regression, _, 1) => "regression-estimation",
        (Estimator::Regression, Combination::Separate, _) => "separate-regression-estimation",
        (Estimator::Regression, Combination::Combined, _) => "combined-regression-estimation",
    }
}

/// Projects a sample to the population.
///
/// Amounts in whole units of `input.unit`. With one stratum a combination is not needed. A Student quantile has the
/// degrees of freedom of the result, which are real numbers for several strata. Refused as [`VariablesError`] says.
pub fn variables(input: &VariablesInput) -> Result<VariablesResult, Located<VariablesError>> {
    if input.strata.len() > MOST_STRATA {
        return Err(VariablesError::TooManyStrata(input.strata.len()).into());
    }
    check_duplicates(input)?;
    let parts = input
        .strata
        .iter()
        .enumerate()
        .map(|(index, stratum)| {
            let moments = Moments::of(&stratum.items, input.sampling_unit);
            Ok(Part {
                name: stratum.name.clone(),
                population: stratum.population,
                book_value: stratum.book_value,
                moments: moments.map_err(|refusal| refusal.at(format!("strata[{index}]")))?,
            })
        })
        .collect::<Result<Vec<Part>, Located<VariablesError>>>()?;
    project(input, &parts)
}

fn check_duplicates(input: &VariablesInput) -> Result<(), Located<VariablesError>> {
    let mut names = HashSet::new();
    let mut ids = HashSet::new();
    let mut clusters: HashMap<&str, usize> = HashMap::new();
    for (ordinal, stratum) in input.strata.iter().enumerate() {
        if !names.insert(&stratum.name) {
            let refusal = VariablesError::DuplicateStratum(stratum.name.clone());
            return Err(refusal.at(format!("strata[{ordinal}]")));
        }
        for (row, item) in stratum.items.iter().enumerate() {
            let refused = |error: VariablesError| Err(error.at(format!("strata[{ordinal}].items[{row}]")));
            if let Some(id) = &item.id
                && !ids.insert(id)
            {
                return refused(VariablesError::DuplicateItem(id.clone()));
            }
            if let Some(cluster) = &item.cluster
                && *clusters.entry(cluster).or_insert(ordinal) != ordinal
            {
                return refused(VariablesError::ClusterInTwoStrata(cluster.clone()));
            }
        }
    }
    Ok(())
}

fn check(input: &VariablesInput, parts: &[Part]) -> Result<Combination, Located<VariablesError>> {
    if input.confidence <= Decimal::ZERO || input.confidence >= Decimal::ONE {
        return Err(VariablesError::Confidence(input.confidence).into());
    }
    if parts.is_empty() {
        return Err(VariablesError::NoStratum.into());
    }
    if let Some(tolerable) = input.tolerable
        && tolerable <= 0
    {
        return Err(VariablesError::Tolerable(tolerable).into());
    }
    for (index, part) in parts.iter().enumerate() {
        check_part(input.estimator, part).map_err(|refusal| refusal.at(format!("strata[{index}]")))?;
    }
    let combinable = matches!(input.estimator, Estimator::Ratio | Estimator::Regression);
    match input.combination {
        Some(_) if !combinable => Err(VariablesError::CombinationNotApplicable.into()),
        None if combinable && parts.len() > 1 => Err(VariablesError::CombinationMissing.into()),
        Some(Combination::Separate) if input.few_errors == FewErrors::Idea && parts.len() > 1 => {
            Err(VariablesError::FewErrorsSeparate.into())
        }
        combination => Ok(combination.unwrap_or(Combination::Combined)),
    }
}

fn check_part(estimator: Estimator, part: &Part) -> Result<(), VariablesError> {
    let stratum = || part.name.clone();
    let (size, population, book_value) = (part.moments.size, part.population, part.book_value);
    let needed = match estimator {
        Estimator::Regression => 3,
        _ => 2,
    };
    if size < needed {
        return Err(VariablesError::SampleTooSmall {
            stratum: stratum(),
            size,
            needed,
        });
    }
    if population > LARGEST_POPULATION {
        return Err(VariablesError::PopulationTooLarge(population));
    }
    if size > population {
        return Err(VariablesError::SizeAbovePopulation {
            stratum: stratum(),
            size,
            population,
        });
    }
    if book_value <= 0 {
        return Err(VariablesError::BookValue {
            stratum: stratum(),
            book_value,
        });
    }
    Ok(())
}

/// The result for parts whose moments are known.
pub(in crate::sampling) fn project(
    input: &VariablesInput,
    parts: &[Part],
) -> Result<VariablesResult, Located<VariablesError>> {
    let combination = check(input, parts)?;
    let choices = Choices {
        estimator: input.estimator,
        combination,
        correction: input.finite_correction,
        few_errors: input.few_errors,
        confidence: input.confidence,
    };
    let estimate = estimate(parts, choices)?;
    let large = || VariablesError::AmountTooLarge;

    let freedom = estimate.freedom.even(AMOUNT_PLACES).ok_or_else(large)?;
    let risk = Decimal::ONE - input.confidence;
    let tail = match input.sides {
        Sides::TwoSided => risk / Decimal::TWO,
        Sides::Upper | Sides::Lower => risk,
    };
    let tail = decimal_to_float(tail);
    let value = match input.quantile {
        QuantileChoice::StudentT => student_quantile(tail, decimal_to_float(freedom)),
        QuantileChoice::Normal => normal_quantile(tail),
    };
    let value = nearest(value, SHARE_PLACES).ok_or(VariablesError::Confidence(input.confidence))?;

    let book: Fraction = parts.iter().map(|part| Fraction::from(part.book_value)).sum();
    let misstated = &book - &estimate.audited;
    let precision = &Fraction::from(value) * &estimate.standard_error;
    let (low, high) = (&misstated - &precision, &misstated + &precision);
    let misstatement = EstimateLimits {
        estimate: misstated.even(AMOUNT_PLACES).ok_or_else(large)?,
        lower: match input.sides {
            Sides::Upper => None,
            Sides::Lower | Sides::TwoSided => Some(low.down(AMOUNT_PLACES).ok_or_else(large)?),
        },
        upper: match input.sides {
            Sides::Lower => None,
            Sides::Upper | Sides::TwoSided => Some(high.up(AMOUNT_PLACES).ok_or_else(large)?),
        },
    };
    let book_value = book.even(0).ok_or_else(large)?;
    let audited_value = EstimateLimits {
        estimate: book_value - misstatement.estimate,
        lower: misstatement.upper.map(|limit| book_value - limit),
        upper: misstatement.lower.map(|limit| book_value - limit),
    };
    let conclusion = input
        .tolerable
        .zip(misstatement.upper)
        .map(|(tolerable, upper)| conclude(&misstatement.estimate, &upper, &Decimal::from(tolerable)));
    let warnings = report::warnings(input, parts);
    let mut result = VariablesResult {
        method: method(input.estimator, combination, parts.len()),
        version: VARIABLES_VERSION,
        unit: input.unit,
        confidence: input.confidence,
        sides: input.sides,
        quantile: input.quantile,
        finite_correction: input.finite_correction,
        few_errors: input.few_errors,
        sampling_unit: input.sampling_unit,
        population: parts.iter().map(|part| part.population).sum(),
        size: parts.iter().map(|part| part.moments.size).sum(),
        errors: parts.iter().map(|part| part.moments.errors).sum(),
        book_value,
        misstatement,
        audited_value,
        rate: (&misstated / &book).even(SHARE_PLACES).ok_or_else(large)?,
        standard_error: estimate.standard_error.up(AMOUNT_PLACES).ok_or_else(large)?,
        precision: precision.up(AMOUNT_PLACES).ok_or_else(large)?,
        degrees_of_freedom: (input.quantile == QuantileChoice::StudentT).then_some(freedom),
        quantile_value: value,
        strata: strata(input.estimator, parts, &estimate)?,
        tolerable: input.tolerable,
        conclusion,
        steps: Vec::new(),
        warnings,
        cannot_find: vec![outside_the_population(), missing_amounts()],
    };
    result.steps = report::steps(parts, &estimate, &result, choices);
    Ok(result)
}

fn strata(
    estimator: Estimator,
    parts: &[Part],
    estimate: &Estimate,
) -> Result<Vec<VariablesStratumResult>, VariablesError> {
    let large = || VariablesError::AmountTooLarge;
    let combinable = matches!(estimator, Estimator::Ratio | Estimator::Regression);
    parts
        .iter()
        .zip(&estimate.factors)
        .zip(&estimate.variances)
        .map(|((part, factor), (variance, _))| {
            let mean = Fraction::new(part.moments.differences(), part.moments.size);
            let factor = if combinable {
                Some(factor.even(SHARE_PLACES).ok_or_else(large)?)
            } else {
                None
            };
            Ok(VariablesStratumResult {
                name: part.name.clone(),
                population: part.population,
                size: part.moments.size,
                errors: part.moments.errors,
                mean_misstatement: mean.even(AMOUNT_PLACES).ok_or_else(large)?,
                factor,
                variance: variance.even(AMOUNT_PLACES).ok_or_else(large)?,
            })
        })
        .collect()
}
