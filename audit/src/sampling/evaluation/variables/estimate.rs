//! The estimators themselves: a total of audited values, the variance of each stratum, the standard error.

use num_bigint::BigInt;
use rust_decimal::Decimal;

use super::{
    error::VariablesError,
    input::{Combination, Estimator, FewErrors, FiniteCorrection},
    moments::Moments,
};
use crate::sampling::numerics::{Fraction, hypergeometric_upper};
use crate::sampling::refusal::{Located, Refused as _};

/// A stratum as the estimators see it.
#[derive(Debug, Clone)]
pub(in crate::sampling) struct Part {
    pub(in crate::sampling) name: String,
    pub(in crate::sampling) population: u64,
    pub(in crate::sampling) book_value: i64,
    pub(in crate::sampling) moments: Moments,
}

/// Choices that decide the figures.
#[derive(Debug, Clone, Copy)]
pub(in crate::sampling) struct Choices {
    pub(in crate::sampling) estimator: Estimator,
    pub(in crate::sampling) combination: Combination,
    pub(in crate::sampling) correction: FiniteCorrection,
    pub(in crate::sampling) few_errors: FewErrors,
    pub(in crate::sampling) confidence: Decimal,
}

/// Which variance a stratum has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sampling) enum Source {
    /// The estimator's own.
    Own,
    /// Enlarged, as there are three to nine units in error.
    FewErrors,
    /// That of the audited values, as there are fewer than three.
    AuditedValues,
}

/// A total and how it came about; everything is exact but the root, which is cut upwards after 24 places.
#[derive(Debug, Clone)]
pub(in crate::sampling) struct Estimate {
    /// Total of the audited values.
    pub(in crate::sampling) audited: Fraction,
    /// Ratio or slope of each stratum; the same in all strata for combined ones.
    pub(in crate::sampling) factors: Vec<Fraction>,
    /// `g`: by which the variances are multiplied.
    pub(in crate::sampling) weights: Vec<Fraction>,
    /// Variance of each stratum, and where it is from.
    pub(in crate::sampling) variances: Vec<(Fraction, Source)>,
    /// `sqrt(sum g v)`.
    pub(in crate::sampling) standard_error: Fraction,
    /// Degrees of freedom: Satterthwaite's, or units in error less strata.
    pub(in crate::sampling) freedom: Fraction,
    /// Whether the units in error are the degrees of freedom.
    pub(in crate::sampling) freedom_of_errors: bool,
}

/// `N^2 / n` times the square of the finite population factor.
fn weight(part: &Part, correction: FiniteCorrection) -> Fraction {
    let (population, size) = (BigInt::from(part.population), BigInt::from(part.moments.size));
    let plain = Fraction::new(&population * &population, size.clone());
    match correction {
        FiniteCorrection::None => plain,
        FiniteCorrection::Population => &plain * &Fraction::new(&population - &size, population),
        FiniteCorrection::PopulationLessOne => &plain * &Fraction::new(&population - &size, population - 1),
    }
}

fn total(parts: &[Part], value: impl Fn(&Part) -> Fraction) -> Fraction {
    parts
        .iter()
        .map(|part| &Fraction::from(part.population) * &value(part))
        .sum()
}

fn ratios(parts: &[Part], combination: Combination) -> Result<Vec<Fraction>, Located<VariablesError>> {
    for (index, part) in parts.iter().enumerate() {
        let lone = combination == Combination::Separate || parts.len() == 1;
        if lone && part.moments.book.sign() != num_bigint::Sign::Plus {
            let refusal = VariablesError::SampleBookValue(part.name.clone());
            return Err(refusal.at(format!("strata[{index}]")));
        }
    }
    if combination == Combination::Separate {
        return Ok(parts
            .iter()
            .map(|part| Fraction::new(part.moments.audit.clone(), part.moments.book.clone()))
            .collect());
    }
    let book = total(parts, |part| part.moments.book_mean());
    if book <= Fraction::zero() {
        return Err(VariablesError::SampleBookValue(parts[0].name.clone()).at("strata[0]"));
    }
    let ratio = &total(parts, |part| part.moments.audit_mean()) / &book;
    Ok(vec![ratio; parts.len()])
}

fn slopes(
    parts: &[Part],
    combination: Combination,
    weights: &[Fraction],
) -> Result<Vec<Fraction>, VariablesError> {
    let slope = |covariance: &Fraction, variance: &Fraction| {
        if variance.is_zero() {
            Err(VariablesError::BookValuesAlike)
        } else {
            Ok(covariance / variance)
        }
    };
    if combination == Combination::Separate {
        return parts
            .iter()
            .map(|part| slope(&part.moments.covariance(), &part.moments.book_variance()))
            .collect();
    }
    // where every unit was checked, all weights are zero and the uncorrected ones decide
    let complete = weights.iter().all(Fraction::is_zero);
    let weights: Vec<Fraction> = parts
        .iter()
        .zip(weights)
        .map(|(part, own)| {
            if complete {
                weight(part, FiniteCorrection::None)
            } else {
                own.clone()
            }
        })
        .collect();
    let sum = |value: &dyn Fn(&Moments) -> Fraction| -> Fraction {
        parts
            .iter()
            .zip(&weights)
            .map(|(part, weight)| weight * &value(&part.moments))
            .sum()
    };
    let slope = slope(&sum(&Moments::covariance), &sum(&Moments::book_variance))?;
    Ok(vec![slope; parts.len()])
}

/// The variance of a stratum, with its source.
fn variance(part: &Part, factor: &Fraction, choices: Choices) -> (Fraction, Source) {
    let moments = &part.moments;
    let own = || match choices.estimator {
        Estimator::MeanPerUnit => moments.audit_variance(),
        Estimator::Difference => moments.difference_variance(),
        Estimator::Ratio => {
            // separately the residuals have the mean zero; combined, their own mean is taken off
            moments.residual_variance(factor)
        }
        Estimator::Regression => {
            let correction = Fraction::new(moments.size - 1, moments.size - 2);
            &correction * &moments.residual_variance(factor)
        }
    };
    if choices.few_errors == FewErrors::None
        || choices.estimator == Estimator::MeanPerUnit
        || moments.errors > 9
    {
        return (own(), Source::Own);
    }
    if moments.errors < 3 {
        return (moments.audit_variance(), Source::AuditedValues);
    }
    let risk = Decimal::ONE - choices.confidence;
    let limit = hypergeometric_upper(part.population, moments.size, moments.errors, risk);
    let rate = Fraction::new(limit, part.population);
    let (among, mean) = moments.among_errors();
    let difference = &(&rate * &among) + &(&(&rate * &(&Fraction::one() - &rate)) * &mean.square());
    let enlarged = match choices.estimator {
        Estimator::MeanPerUnit | Estimator::Difference => difference,
        Estimator::Ratio => {
            let share = Fraction::new(moments.size - 1, moments.errors - 1);
            &(&rate * &share) * &moments.residual_variance(factor)
        }
        Estimator::Regression => {
            let excess = factor - &Fraction::one();
            let book = moments.book_variance();
            let mixed = &(&Fraction::from(2u64) * &excess) * &(&moments.covariance() - &book);
            &(&difference - &mixed) + &(&excess.square() * &book)
        }
    };
    (enlarged, Source::FewErrors)
}

/// Projects the sample. Strata are as checked by the caller: at least two units each, three for a regression.
pub(in crate::sampling) fn estimate(
    parts: &[Part],
    choices: Choices,
) -> Result<Estimate, Located<VariablesError>> {
    let weights: Vec<Fraction> = parts
        .iter()
        .map(|part| weight(part, choices.correction))
        .collect();
    let book_values: Fraction = parts.iter().map(|part| Fraction::from(part.book_value)).sum();
    let mean_per_unit = total(parts, |part| part.moments.audit_mean());
    let (factors, audited) = match choices.estimator {
        Estimator::MeanPerUnit => (vec![Fraction::zero(); parts.len()], mean_per_unit),
        Estimator::Difference => {
            let differences = total(parts, |part| {
                Fraction::new(part.moments.differences(), part.moments.size)
            });
            (vec![Fraction::one(); parts.len()], &book_values - &differences)
        }
        Estimator::Ratio => {
            let ratios = ratios(parts, choices.combination)?;
            let audited = parts
                .iter()
                .zip(&ratios)
                .map(|(part, ratio)| ratio * &Fraction::from(part.book_value))
                .sum();
            (ratios, audited)
        }
        Estimator::Regression => {
            let slopes = slopes(parts, choices.combination, &weights)?;
            let correction: Fraction = parts
                .iter()
                .zip(&slopes)
                .map(|(part, slope)| {
                    let expanded = &Fraction::from(part.population) * &part.moments.book_mean();
                    slope * &(&Fraction::from(part.book_value) - &expanded)
                })
                .sum();
            (slopes, &mean_per_unit + &correction)
        }
    };
    let variances: Vec<(Fraction, Source)> = parts
        .iter()
        .zip(&factors)
        .map(|(part, factor)| variance(part, factor, choices))
        .collect();
    let shares: Vec<Fraction> = weights
        .iter()
        .zip(&variances)
        .map(|(weight, (variance, _))| weight * variance)
        .collect();
    let sum: Fraction = shares.iter().cloned().sum();
    let errors: u64 = parts.iter().map(|part| part.moments.errors).sum();
    let freedom_of_errors = choices.few_errors == FewErrors::Idea
        && choices.estimator != Estimator::MeanPerUnit
        && (3..20).contains(&errors);
    let strata = u64::try_from(parts.len()).unwrap_or(u64::MAX);
    let freedom = if freedom_of_errors {
        if errors <= strata {
            return Err(VariablesError::TooFewErrors { errors, strata }.into());
        }
        Fraction::from(errors - strata)
    } else {
        satterthwaite(parts, &shares, &sum)
    };
    Ok(Estimate {
        audited,
        factors,
        weights,
        standard_error: sum.root(),
        variances,
        freedom,
        freedom_of_errors,
    })
}

/// `(sum g v)^2 / sum((g v)^2 / (n - 1))`; without any variance, the units less the strata.
fn satterthwaite(parts: &[Part], shares: &[Fraction], sum: &Fraction) -> Fraction {
    let squares: Fraction = parts
        .iter()
        .zip(shares)
        .map(|(part, share)| &share.square() * &Fraction::new(1, part.moments.size - 1))
        .sum();
    if squares.is_zero() {
        return Fraction::from(parts.iter().map(|part| part.moments.size - 1).sum::<u64>());
    }
    &sum.square() / &squares
}
