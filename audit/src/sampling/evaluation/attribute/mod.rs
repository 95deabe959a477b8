//! Rates of deviations: exact limits, of one sample and of strata.
//!
//! Sources: Clopper and Pearson 1934; W. Hoeffding 1956 (On the distribution of the number of successes in independent
//! trials) for stratified rates.

#[cfg(test)]
mod limit_tests;
mod limits;
mod stages;
mod strata;

use num_bigint::BigInt;
use rust_decimal::{Decimal, RoundingStrategy};

use super::{Conclusion, EvaluationError, FACTOR_PLACES, RATE_PLACES, VERSION, conclude};
use crate::sampling::numerics::{beta_quantile, divide_half_even, float, risk, sum_fractions};

pub use limits::{
    RATE_BINOMIAL, RATE_HYPERGEOMETRIC, RATE_POISSON, RATE_VERSION, RateInput, RateResult, rate_limits,
};
pub use stages::{STAGES_METHOD, STAGES_VERSION, StageDecision, StagesInput, StagesResult, two_stages};
pub use strata::{
    Combination, STRATA_BONFERRONI, STRATA_NORMAL, STRATA_POOLED, STRATA_VERSION, StrataInput, StrataResult,
    StratumInput, StratumRate, strata_limits,
};

/// Method of [`attribute`].
pub const ATTRIBUTE_METHOD: &str = "clopper-pearson-upper";

/// A rate of deviations and its exact upper limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributeResult {
    /// Items checked.
    pub size: u64,
    /// Deviations found.
    pub deviations: u64,
    /// `deviations / size`, half to even at six places; the exact value is the quotient of the two counts.
    pub rate: Decimal,
    /// Upper one-sided limit, rounded up to six places; 1 if every item deviates.
    pub upper_limit: Decimal,
    /// Confidence of the limit.
    pub confidence: Decimal,
    /// Method id.
    pub method: &'static str,
    /// Version of the method.
    pub version: &'static str,
}

impl AttributeResult {
    /// The conclusion for a tolerable rate, from the rounded figures as shown.
    pub fn conclude(&self, tolerable: Decimal) -> Conclusion {
        conclude(&self.rate, &self.upper_limit, &tolerable)
    }
}

/// Rate and exact one-sided upper limit (Clopper-Pearson): the `confidence` quantile of Beta(k + 1, n - k).
///
/// Valid for simple random samples; drawing without replacement makes it conservative. A limit less than 1e-12 above
/// a multiple of 0.000001 is taken as that multiple, since the quantile is a float.
pub fn attribute(
    size: u64,
    deviations: u64,
    confidence: Decimal,
) -> Result<AttributeResult, EvaluationError> {
    let risk = risk(confidence).ok_or(EvaluationError::Confidence(confidence))?;
    if size == 0 {
        return Err(EvaluationError::SampleEmpty);
    }
    if deviations > size {
        return Err(EvaluationError::DeviationsAboveSize { deviations, size });
    }
    let rate = Decimal::from(deviations) / Decimal::from(size);
    Ok(AttributeResult {
        size,
        deviations,
        rate: rate.round_dp_with_strategy(RATE_PLACES, RoundingStrategy::MidpointNearestEven),
        upper_limit: decimal_of(limit_units(risk, size, deviations, RATE_PLACES), RATE_PLACES),
        confidence,
        method: ATTRIBUTE_METHOD,
        version: VERSION,
    })
}

/// The exact upper limit for `k` in `n`, rounded up to a multiple of `10^-places` and counted in it (at most 12 places).
pub(super) fn limit_units(risk: f64, n: u64, k: u64, places: u32) -> u64 {
    let units = 10u64.pow(places);
    if k >= n {
        return units;
    }
    let scaled = beta_quantile(risk, float(k + 1), float(n - k)) * float(units);
    // a float that exceeds a whole number by its noise only is that number
    let noise = if places < FACTOR_PLACES {
        1e-12 * float(units)
    } else {
        scaled * 1e-14
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and 10^12"
    )]
    let rounded = (scaled - noise).ceil().max(0.0) as u64;
    rounded.min(units)
}

/// A count of `10^-places` as a decimal.
pub(super) fn decimal_of(units: u64, places: u32) -> Decimal {
    Decimal::from_i128_with_scale(units.into(), places)
}

/// The counts of a stratum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StratumCount {
    /// Position of the stratum.
    pub ordinal: u32,
    /// Items in the population of the stratum.
    pub population: u64,
    /// Items checked.
    pub size: u64,
    /// Deviations found.
    pub deviations: u64,
}

/// The result of a stratum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StratumResult {
    /// Position of the stratum.
    pub ordinal: u32,
    /// Items in the population of the stratum.
    pub population: u64,
    /// Rate and limit of the stratum; none for a stratum without items.
    pub result: Option<AttributeResult>,
}

/// Upper limit of the rate over all strata, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OverallLimit {
    /// Exact limit of the pooled counts, rounded up to six places.
    Pooled(Decimal),
    /// The allocation is not proportional: an exact limit has no closed form, and pooling would be biased.
    NotProportional,
}

/// Rates by stratum and over all strata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StratifiedResult {
    /// Results in the order given.
    pub strata: Vec<StratumResult>,
    /// Items checked.
    pub size: u64,
    /// Deviations found, not weighted.
    pub deviations: u64,
    /// `sum(N_h / N * k_h / n_h)`, formed exactly, half to even at six places.
    pub rate: Decimal,
    /// Limit over all strata.
    pub upper_limit: OverallLimit,
    /// Confidence of the limits.
    pub confidence: Decimal,
}

/// Rates of a stratified sample.
///
/// The overall rate is weighted with the strata's items. The overall limit is that of the pooled counts if the
/// allocation is proportional, that is if every stratum's size differs from `n * N_h / N` by less than one item; the
/// number of deviations then varies less than in a simple random sample (Hoeffding 1956), so the limit is
/// conservative. Strata without items are passed over; a stratum with items but none checked is an error.
pub fn stratified(strata: &[StratumCount], confidence: Decimal) -> Result<StratifiedResult, EvaluationError> {
    let mut results = Vec::with_capacity(strata.len());
    for stratum in strata {
        if stratum.size > stratum.population {
            let StratumCount { size, population, .. } = *stratum;
            return Err(EvaluationError::SizeAbovePopulation { size, population });
        }
        let result = match stratum.population {
            0 => None,
            _ => Some(attribute(stratum.size, stratum.deviations, confidence)?),
        };
        results.push(StratumResult {
            ordinal: stratum.ordinal,
            population: stratum.population,
            result,
        });
    }
    let size = strata.iter().map(|stratum| stratum.size).sum();
    let deviations = strata.iter().map(|stratum| stratum.deviations).sum();
    let pooled = attribute(size, deviations, confidence)?;
    let upper_limit = if is_proportional(strata) {
        OverallLimit::Pooled(pooled.upper_limit)
    } else {
        OverallLimit::NotProportional
    };
    let rate = weighted_rate(strata);
    Ok(StratifiedResult {
        strata: results,
        size,
        deviations,
        rate,
        upper_limit,
        confidence,
    })
}

fn is_proportional(strata: &[StratumCount]) -> bool {
    let population: u128 = strata.iter().map(|stratum| u128::from(stratum.population)).sum();
    let size: u128 = strata.iter().map(|stratum| u128::from(stratum.size)).sum();
    strata.iter().all(|stratum| {
        let (exact, taken) = (
            size * u128::from(stratum.population),
            u128::from(stratum.size) * population,
        );
        exact.abs_diff(taken) < population
    })
}

fn weighted_rate(strata: &[StratumCount]) -> Decimal {
    let terms: Vec<(BigInt, BigInt)> = strata
        .iter()
        .filter(|stratum| stratum.size > 0)
        .map(|stratum| {
            (
                BigInt::from(stratum.population) * stratum.deviations,
                stratum.size.into(),
            )
        })
        .collect();
    let population: BigInt = strata
        .iter()
        .map(|stratum| BigInt::from(stratum.population))
        .sum();
    let (numerator, denominator) = sum_fractions(&terms);
    let scaled = divide_half_even(&(numerator * 10u64.pow(RATE_PLACES)), &(denominator * population));
    Decimal::from_i128_with_scale(i128::try_from(scaled).unwrap_or(0), RATE_PLACES)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sampling::numerics::{binomial_cdf, decimal_to_float};

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn confidence() -> Decimal {
        decimal("0.95")
    }

    #[test]
    fn limits_of_the_aicpa_table() {
        let limit = |n, k, cl: &str| attribute(n, k, decimal(cl)).unwrap().upper_limit;
        // A-3, 5 % risk: 60 items with 0, 1, 2 deviations 4.9, 7.7, 10.2 %
        let percent = |n, k| (limit(n, k, "0.95") * decimal("1000")).ceil();
        assert_eq!(
            [percent(60, 0), percent(60, 1), percent(60, 2)],
            [decimal("49"), decimal("77"), decimal("102")]
        );
        // 1 - 0.05^(1/59) = 0.0495076...
        assert_eq!(limit(59, 0, "0.95"), decimal("0.049508"));
        assert_eq!(limit(7, 7, "0.95"), Decimal::ONE);
        // exactly the confidence: float noise adds no millionth
        assert_eq!(limit(1, 0, "0.95"), decimal("0.95"));
        assert_eq!(limit(1, 0, "0.9"), decimal("0.9"));
    }

    #[test]
    fn rates_round_half_to_even() {
        let rate = |n, k| attribute(n, k, confidence()).unwrap().rate;
        assert_eq!(rate(3, 1), decimal("0.333333"));
        assert_eq!(rate(2_000_000, 1), decimal("0.000000"));
        assert_eq!(rate(2_000_000, 3), decimal("0.000002"));
    }

    #[test]
    fn impossible_counts_are_refused() {
        assert_eq!(attribute(0, 0, confidence()).unwrap_err().code(), "SAMPLE_EMPTY");
        assert_eq!(
            attribute(1, 2, confidence()).unwrap_err().code(),
            "DEVIATIONS_ABOVE_SIZE"
        );
        assert_eq!(
            attribute(1, 0, Decimal::ONE).unwrap_err().code(),
            "CONFIDENCE_OUT_OF_RANGE"
        );
    }

    fn strata(counts: &[(u64, u64, u64)]) -> Vec<StratumCount> {
        (0..)
            .zip(counts)
            .map(|(ordinal, &(population, size, deviations))| StratumCount {
                ordinal,
                population,
                size,
                deviations,
            })
            .collect()
    }

    #[test]
    fn strata_are_weighted_and_pooled_only_in_proportion() {
        let even = stratified(&strata(&[(500, 50, 5), (300, 30, 0), (200, 20, 1)]), confidence()).unwrap();
        assert_eq!(even.rate, decimal("0.06"));
        let pooled = attribute(100, 6, confidence()).unwrap().upper_limit;
        assert_eq!(even.upper_limit, OverallLimit::Pooled(pooled));
        let uneven = stratified(&strata(&[(900, 30, 3), (100, 30, 6), (0, 0, 0)]), confidence()).unwrap();
        assert_eq!(
            (uneven.rate, uneven.size, uneven.deviations),
            (decimal("0.11"), 60, 9)
        );
        assert_eq!(uneven.upper_limit, OverallLimit::NotProportional);
        assert_eq!(uneven.strata[2].result, None);
        assert_eq!(
            uneven.strata[1].result,
            Some(attribute(30, 6, confidence()).unwrap())
        );
        assert_eq!(
            stratified(&strata(&[(9, 0, 0), (9, 5, 0)]), confidence())
                .unwrap_err()
                .code(),
            "SAMPLE_EMPTY"
        );
        let error = stratified(&strata(&[(9, 10, 0)]), confidence()).unwrap_err();
        assert_eq!(error.code(), "SAMPLE_LARGER_THAN_POPULATION");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn the_limit_has_its_confidence(n in 1u64..3_000, share in 0u64..1_000) {
            let k = n * share / 1_000;
            prop_assume!(k < n);
            let result = attribute(n, k, confidence()).unwrap();
            let limit = decimal_to_float(result.upper_limit);
            let at = |rate: f64| binomial_cdf(k, n, rate);
            prop_assert!(at(limit) <= 0.05 + 1e-9);
            prop_assert!(at(limit - 1e-6) > 0.05 - 1e-9);
        }
    }
}
