//! Precisions of the guidance.

use std::collections::BTreeMap;

use num_bigint::BigInt;
use rust_decimal::{Decimal, RoundingStrategy};

use super::{
    super::{
        Conclusion,
        errors::TotalErrorResult,
        figures::{AMOUNT_PLACES, SHARE_PLACES},
    },
    Allowance, ConservativePrecision, EcError, EcInput, EcMethod, RecalculatedConfidence,
    part::Part,
    units::RATE_SCALE,
};
use crate::sampling::numerics::{Fraction, decimal_to_float, normal_tails};

/// So many allowances are listed at most; with more errors than that nobody needs the conservative approach.
const MOST_ALLOWANCES: u64 = 100_000;

/// What a method knows about its sampling error.
#[derive(Debug, Clone)]
pub(super) enum Precision {
    /// Nothing: not statistical.
    None,
    /// `z` times a standard error.
    Normal(Fraction),
    /// Basic precision and allowances.
    Conservative(Box<Conservative>),
}

/// The figures of the conservative approach.
#[derive(Debug, Clone)]
pub(super) struct Conservative {
    /// Basic precision and allowances, extended to what was excluded.
    amount: Fraction,
    /// Projected error of the drawn part, which has the planned interval; extended.
    pub(super) projected: Fraction,
    /// Book value by planned size.
    interval: Fraction,
    /// Factor for no error.
    basic_factor: Decimal,
    /// Interval times that factor.
    basic: Fraction,
    /// Rank, error rate, factor and amount of each hit with an error.
    allowances: Vec<(u64, Fraction, Decimal, Fraction)>,
}

impl Precision {
    /// The amount.
    pub(super) fn amount(&self) -> Option<&Fraction> {
        match self {
            Self::None => None,
            Self::Normal(amount) => Some(amount),
            Self::Conservative(conservative) => Some(&conservative.amount),
        }
    }

    /// The conservative one as it is shown.
    pub(super) fn report(&self) -> Result<Option<ConservativePrecision>, EcError> {
        let Self::Conservative(conservative) = self else {
            return Ok(None);
        };
        let allowances = &conservative.allowances;
        let amount = |value: &Fraction| value.even(AMOUNT_PLACES).ok_or(EcError::AmountTooLarge);
        let sum: Fraction = allowances.iter().map(|row| row.3.clone()).sum();
        Ok(Some(ConservativePrecision {
            interval: amount(&conservative.interval)?,
            basic_factor: conservative.basic_factor,
            basic_precision: amount(&conservative.basic)?,
            incremental_allowance: amount(&sum)?,
            allowances: allowances
                .iter()
                .map(|(rank, rate, factor, value)| {
                    Ok(Allowance {
                        rank: *rank,
                        error_rate: rate.even(SHARE_PLACES).ok_or(EcError::AmountTooLarge)?,
                        factor: *factor,
                        amount: amount(value)?,
                    })
                })
                .collect::<Result<_, EcError>>()?,
        }))
    }
}

/// The precision of the parts.
pub(super) fn precision(
    input: &EcInput,
    parts: &[&Part<'_>],
    z: Option<Decimal>,
) -> Result<Precision, EcError> {
    if let (EcMethod::MusConservative, Some(size)) = (input.method, input.planned_size) {
        return conservative(input, parts, size);
    }
    let Some(z) = z else {
        return Ok(Precision::None);
    };
    let variance = if input.method.by_size() {
        by_size(parts)
    } else {
        by_period(parts)
    };
    Ok(Precision::Normal(&Fraction::from(z) * &variance.root()))
}

/// `sum(BV_h^2 / n_h * s_h^2)` (6.3.2.5).
fn by_size(parts: &[&Part<'_>]) -> Fraction {
    parts
        .iter()
        .filter_map(|part| {
            let sample = part.sample.as_ref()?;
            let book = &part.drawn_book_value() * &part.extension;
            let share = &book.square() * &Fraction::new(1, sample.size);
            Some(&share * sample.variance.as_ref()?)
        })
        .sum()
}

/// `N^2 / n * sum(N_h / N * s_h^2)` for each period, added (6.1.2.4, 6.1.3.4).
fn by_period(parts: &[&Part<'_>]) -> Fraction {
    let mut periods: BTreeMap<Option<&str>, (Fraction, u64, Fraction)> = BTreeMap::new();
    for part in parts {
        let Some((sample, variance)) = part
            .sample
            .as_ref()
            .and_then(|sample| Some((sample, sample.variance.as_ref()?)))
        else {
            continue;
        };
        let population = &part.population() * &part.extension;
        let period =
            periods
                .entry(part.stratum.period.as_deref())
                .or_insert((Fraction::zero(), 0, Fraction::zero()));
        period.0 = &period.0 + &population;
        period.1 += sample.size;
        period.2 = &period.2 + &(&population * variance);
    }
    periods
        .into_values()
        .map(|(population, size, weighted)| &(&population * &Fraction::new(1, size)) * &weighted)
        .sum()
}

/// Basic precision with the factor of table 4, allowances with those of appendix 3 (6.3.5.5); each hit has one.
fn conservative(input: &EcInput, parts: &[&Part<'_>], size: u64) -> Result<Precision, EcError> {
    let (Some(confidence), Some(profile)) = (input.confidence, input.profile) else {
        return Err(EcError::ConfidenceMissing);
    };
    let part = parts.first().ok_or(EcError::NoStratum)?;
    let interval = &Fraction::from(part.book_value()) / &Fraction::from(size);
    let basic_factor = profile.basic(confidence)?;
    let basic = &Fraction::from(basic_factor) * &interval;
    let scale = BigInt::from(10).pow(RATE_SCALE);
    let mut allowances = Vec::new();
    let mut rank = 0;
    let mut last = profile.reliability(0, confidence)?;
    let rates = part.sample.as_ref().map_or(&[][..], |sample| &sample.rates);
    for (rate, hits) in rates {
        let rate = Fraction::new(rate.clone(), scale.clone());
        for _ in 0..*hits {
            rank += 1;
            if rank > MOST_ALLOWANCES {
                return Err(EcError::TooManyErrors(rank));
            }
            let next = profile.reliability(rank, confidence)?;
            let factor = next - last - Decimal::ONE;
            last = next;
            let amount = &(&Fraction::from(factor) * &interval) * &rate;
            allowances.push((rank, rate.clone(), factor, amount));
        }
    }
    let incremental: Fraction = allowances.iter().map(|row| row.3.clone()).sum();
    let rates = part
        .sample
        .as_ref()
        .map_or_else(Fraction::zero, |sample| sample.error_sum.clone());
    Ok(Precision::Conservative(Box::new(Conservative {
        amount: &(&basic + &incremental) * &part.extension,
        projected: &(&interval * &rates) * &part.extension,
        interval,
        basic_factor,
        basic,
        allowances,
    })))
}

/// The confidence at which an inconclusive sample would have been conclusive (7.7).
pub(super) fn recalculated(
    total: &TotalErrorResult,
    z: Option<Decimal>,
    precision: &Precision,
) -> Result<Option<RecalculatedConfidence>, EcError> {
    let (Some(z), Precision::Normal(amount)) = (z, precision) else {
        return Ok(None);
    };
    if total.conclusion != Conclusion::Inconclusive || amount.is_zero() {
        return Ok(None);
    }
    let room = &Fraction::from(total.tolerable) - &Fraction::from(total.total_error);
    let z = (&(&Fraction::from(z) * &room) / amount)
        .down(SHARE_PLACES)
        .ok_or(EcError::AmountTooLarge)?;
    let (_, upper) = normal_tails(decimal_to_float(z));
    // one less twice the upper tail; the float's noise is far below the sixth place
    let confidence = Decimal::from_f64_retain(1.0 - 2.0 * upper).ok_or(EcError::AmountTooLarge)?;
    Ok(Some(RecalculatedConfidence {
        z,
        confidence: confidence.round_dp_with_strategy(6, RoundingStrategy::ToZero),
    }))
}
