//! What a checked sample says: exact limits for rates, projected error and Stringer bound for amounts, conclusion.
//!
//! Limits are one-sided and rounded away from the auditor's wish (up); point estimates are rounded half to even. Over-
//! and understatements are never netted: each side has its own projection, bound and conclusion.
//!
//! Sources: Clopper and Pearson 1934; K. Stringer 1963; AICPA Audit Guide Audit Sampling (2017), appendix C; W.
//! Hoeffding 1956 (On the distribution of the number of successes in independent trials) for stratified rates.

use std::cmp::{Ordering, Reverse};

use num_bigint::BigInt;
use rust_decimal::{Decimal, RoundingStrategy};

use super::{
    numerics::{beta_quantile, divide_half_even, divide_up, float, sum_fractions},
    planning::risk,
};

/// Method of [`attribute`].
pub const ATTRIBUTE_METHOD: &str = "clopper-pearson-upper";
/// Method of [`stringer`].
pub const STRINGER_METHOD: &str = "stringer-binomial";
/// Version of all methods of this module.
pub const VERSION: &str = "1";
/// Decimal places of rates and limits.
pub const RATE_PLACES: u32 = 6;
/// Decimal places to which the Stringer factors `p(j)` are rounded up.
pub const FACTOR_PLACES: u32 = 12;

/// Why a sample cannot be evaluated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvaluationError {
    /// The confidence does not lie strictly between 0 and 1.
    #[error("the confidence {0} does not lie between 0 and 1")]
    Confidence(Decimal),
    /// Nothing was drawn, in the whole or in a stratum that has items.
    #[error("the sample is empty")]
    SampleEmpty,
    /// More deviations than items.
    #[error("{deviations} deviations in {size} items")]
    DeviationsAboveSize {
        /// Deviations found.
        deviations: u64,
        /// Items checked.
        size: u64,
    },
    /// A stratum has more sampled items than items, or there are no items at all.
    #[error("{size} items were drawn from {population}")]
    SizeAbovePopulation {
        /// Items checked.
        size: u64,
        /// Items of the stratum.
        population: u64,
    },
    /// The book value is zero or negative.
    #[error("the book value of {0} cents is not positive")]
    BookValue(i64),
    /// An item without a positive book value or without hits: it had no chance in the sample.
    #[error("an item with {book_cents} cents and {hits} hits cannot be in a monetary unit sample")]
    Item {
        /// Book value of the item.
        book_cents: i64,
        /// Hits of the item.
        hits: u64,
    },
    /// The hits of the items do not add up to the size of the sample: checks are missing.
    #[error("the items have {found} hits, the sample {size}")]
    HitsDiffer {
        /// Size of the sample.
        size: u64,
        /// Sum over the items.
        found: u64,
    },
    /// An amount of the result does not fit into 64 bits.
    #[error("an amount of the result exceeds the range of cents")]
    AmountTooLarge,
}

impl EvaluationError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Confidence(_) => "CONFIDENCE_OUT_OF_RANGE",
            Self::SampleEmpty => "SAMPLE_EMPTY",
            Self::DeviationsAboveSize { .. } => "DEVIATIONS_ABOVE_SIZE",
            Self::SizeAbovePopulation { .. } => "SAMPLE_LARGER_THAN_POPULATION",
            Self::BookValue(_) => "BOOK_VALUE_NOT_POSITIVE",
            Self::Item { .. } => "AMOUNT_NOT_POSITIVE",
            Self::HitsDiffer { .. } => "HITS_DIFFER",
            Self::AmountTooLarge => "AMOUNT_TOO_LARGE",
        }
    }
}

/// What follows for the tolerable error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conclusion {
    /// The projected error exceeds the tolerable one.
    Material,
    /// The upper limit stays below the tolerable error.
    NotMaterial,
    /// Neither: the sample does not decide.
    Inconclusive,
}

/// Material if `projected > tolerable`, not material if `upper < tolerable`, otherwise inconclusive.
///
/// All three in the same unit. Equality of limit and tolerable error is inconclusive (EC guidance EGESIF 16-0014, 4.12).
pub fn conclude<T: Ord>(projected: &T, upper: &T, tolerable: &T) -> Conclusion {
    if projected > tolerable {
        Conclusion::Material
    } else if upper < tolerable {
        Conclusion::NotMaterial
    } else {
        Conclusion::Inconclusive
    }
}

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
fn limit_units(risk: f64, n: u64, k: u64, places: u32) -> u64 {
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
fn decimal_of(units: u64, places: u32) -> Decimal {
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

/// A checked item of a monetary unit sample. Items without error belong into the list too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tainting {
    /// Book value in cents, positive.
    pub book_cents: i64,
    /// Correct value in cents; may be negative.
    pub audit_cents: i64,
    /// How often the item was hit; each hit counts as a sampling unit with the item's tainting.
    pub hits: u64,
}

impl Tainting {
    /// Size of the error in the given direction, in cents; 0 if there is none.
    fn error(&self, direction: Direction) -> u128 {
        let difference = i128::from(self.book_cents) - i128::from(self.audit_cents);
        match direction {
            Direction::Over => u128::try_from(difference).unwrap_or(0),
            Direction::Under => u128::try_from(-difference).unwrap_or(0),
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Direction {
    Over,
    Under,
}

/// One step of a Stringer bound: what the error of one hit adds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Rank of the hit by tainting, from 1 (largest).
    pub rank: u64,
    /// Error by book value, half to even at twelve places.
    pub tainting: Decimal,
    /// `p(rank)`: upper limit for that many errors, rounded up to twelve places.
    pub factor: Decimal,
    /// `(p(rank) - p(rank - 1)) * tainting * book value` in cents, half to even at four places.
    pub increment_cents: Decimal,
}

/// Errors in one direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonetarySide {
    /// Items in error.
    pub items: u64,
    /// Hits on items in error.
    pub hits: u64,
    /// Sum of the errors found, each item once, in cents.
    pub known_cents: i64,
    /// Projected error in cents: `book value / n * sum(hits * tainting)`, formed exactly, half to even.
    pub projected_cents: i64,
    /// `p(0) * max(1, largest tainting) * book value` in cents, half to even at four places.
    pub basic_precision_cents: Decimal,
    /// Stringer bound in cents, formed exactly from the factors, rounded up.
    pub upper_limit_cents: i64,
    /// Derivation of the bound behind the basic precision; the unrounded increments add up to it.
    pub steps: Vec<Step>,
}

impl MonetarySide {
    /// The conclusion for a tolerable error in cents.
    pub fn conclude(&self, tolerable_cents: i64) -> Conclusion {
        conclude(&self.projected_cents, &self.upper_limit_cents, &tolerable_cents)
    }
}

/// Evaluation of a monetary unit sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonetaryResult {
    /// Hits of the sample.
    pub size: u64,
    /// Book value of the population in cents.
    pub book_value_cents: i64,
    /// `p(0)`: upper limit for no error, rounded up to twelve places.
    pub basic_factor: Decimal,
    /// Book value above the correct one.
    pub over: MonetarySide,
    /// Book value below the correct one.
    pub under: MonetarySide,
    /// Confidence of each bound.
    pub confidence: Decimal,
    /// Method id.
    pub method: &'static str,
    /// Version of the method.
    pub version: &'static str,
}

/// Projected error and Stringer bound of a monetary unit sample, separately for over- and understatements.
///
/// For either direction the hits in error are ranked by tainting `t` (error / book value), largest first. With `p(j)`
/// the exact binomial upper limit for `j` errors in `n` hits at `confidence`, the bound is
/// `BV * (p(0) * max(1, t(1)) + sum over j of (p(j) - p(j - 1)) * t(j))`.
///
/// - Every hit is a unit: an item hit three times takes three ranks with the same tainting.
/// - Taintings above 1 (the error exceeds the book value, as with a payment that should have been a claim) count in
///   full; the basic precision grows with the largest of them, since an unseen error may be as large.
/// - `p(j)` is rounded up to twelve places, all else is exact; the bound exceeds the one of unrounded factors by at
///   most `BV * max(1, t(1)) * 1e-12` before it is rounded up to cents.
/// - Items of an interval or more are treated like all others, which is conservative: their part is known in full.
///
/// `hits` holds every item of the sample, without error too; their hits must add up to `size`. `book_value_cents` is the
/// sum of the positive items, the population that was drawn from.
///
/// What this cannot find: items with zero or negative amounts (they have no chance and belong into populations of
/// their own), and payments that are missing altogether. Understatements are bounded only as far as an understated
/// item is still booked: the bound assumes that no unseen one is understated by more than its book value (or the
/// largest tainting seen).
pub fn stringer(
    hits: &[Tainting],
    size: u64,
    book_value_cents: i64,
    confidence: Decimal,
) -> Result<MonetaryResult, EvaluationError> {
    let risk = risk(confidence).ok_or(EvaluationError::Confidence(confidence))?;
    if size == 0 {
        return Err(EvaluationError::SampleEmpty);
    }
    if book_value_cents <= 0 {
        return Err(EvaluationError::BookValue(book_value_cents));
    }
    if let Some(item) = hits.iter().find(|item| item.book_cents <= 0 || item.hits == 0) {
        return Err(EvaluationError::Item {
            book_cents: item.book_cents,
            hits: item.hits,
        });
    }
    let found = hits.iter().fold(0u64, |sum, item| sum.saturating_add(item.hits));
    if found != size {
        return Err(EvaluationError::HitsDiffer { size, found });
    }
    let mut factors = Factors {
        risk,
        size,
        known: Vec::new(),
    };
    Ok(MonetaryResult {
        size,
        book_value_cents,
        basic_factor: decimal_of(factors.get(0), FACTOR_PLACES),
        over: side(hits, Direction::Over, book_value_cents, &mut factors)?,
        under: side(hits, Direction::Under, book_value_cents, &mut factors)?,
        confidence,
        method: STRINGER_METHOD,
        version: VERSION,
    })
}

/// The limits `p(j)` in units of `10^-FACTOR_PLACES`, computed once.
struct Factors {
    risk: f64,
    size: u64,
    known: Vec<u64>,
}

impl Factors {
    fn get(&mut self, errors: usize) -> u64 {
        while self.known.len() <= errors {
            let count = u64::try_from(self.known.len()).unwrap_or(u64::MAX);
            self.known
                .push(limit_units(self.risk, self.size, count, FACTOR_PLACES));
        }
        self.known[errors]
    }
}

fn side(
    items: &[Tainting],
    direction: Direction,
    book_value_cents: i64,
    factors: &mut Factors,
) -> Result<MonetarySide, EvaluationError> {
    let mut errors: Vec<Ranked> = items
        .iter()
        .filter_map(|item| Ranked::new(item, direction))
        .collect();
    errors.sort_by(|left, right| Reverse(left).cmp(&Reverse(right)));
    let book_value = BigInt::from(book_value_cents);
    let units = BigInt::from(10u64.pow(FACTOR_PLACES));

    let projected = sum_fractions(
        &errors
            .iter()
            .map(|e| e.times(&BigInt::from(e.hits)))
            .collect::<Vec<_>>(),
    );
    let projected = divide_half_even(&(projected.0 * &book_value), &(projected.1 * factors.size));

    let whole = (BigInt::from(1), BigInt::from(1));
    let largest = errors
        .first()
        .filter(|e| e.error > e.book)
        .map_or(whole, |e| e.times(&BigInt::from(1)));
    let basic = (largest.0 * factors.get(0) * &book_value, largest.1 * &units);

    let mut steps = Vec::new();
    let mut terms = vec![basic.clone()];
    for error in &errors {
        let before = factors.get(steps.len());
        for _ in 0..error.hits {
            let (last, next) = (factors.get(steps.len()), factors.get(steps.len() + 1));
            let increment = error.times(&(&book_value * (next - last)));
            steps.push(Step {
                rank: u64::try_from(steps.len() + 1).unwrap_or(u64::MAX),
                tainting: rounded(&error.times(&BigInt::from(1)), FACTOR_PLACES)?,
                factor: decimal_of(next, FACTOR_PLACES),
                increment_cents: rounded(&(increment.0, increment.1 * &units), 4)?,
            });
        }
        let (numerator, denominator) = error.times(&(&book_value * (factors.get(steps.len()) - before)));
        terms.push((numerator, denominator * &units));
    }
    let bound = sum_fractions(&terms);
    let known: u128 = errors.iter().map(|e| e.error).sum();
    Ok(MonetarySide {
        items: u64::try_from(errors.len()).unwrap_or(u64::MAX),
        hits: errors.iter().map(|e| e.hits).sum(),
        known_cents: i64::try_from(known).map_err(|_| EvaluationError::AmountTooLarge)?,
        projected_cents: cents(projected)?,
        basic_precision_cents: rounded(&basic, 4)?,
        upper_limit_cents: cents(divide_up(&bound.0, &bound.1))?,
        steps,
    })
}

/// An item in error, ordered by its tainting.
#[derive(Debug, Clone, Copy)]
struct Ranked {
    error: u128,
    book: u128,
    hits: u64,
}

impl Ranked {
    fn new(item: &Tainting, direction: Direction) -> Option<Self> {
        let error = item.error(direction);
        (error > 0).then(|| Self {
            error,
            book: item.book_cents.unsigned_abs().into(),
            hits: item.hits,
        })
    }

    /// The tainting times a number, as a fraction.
    fn times(&self, number: &BigInt) -> (BigInt, BigInt) {
        (number * self.error, self.book.into())
    }
}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> Ordering {
        // both factors stay below 2^65 and 2^63
        (self.error * other.book).cmp(&(other.error * self.book))
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ranked {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Ranked {}

/// A fraction as a decimal, half to even.
fn rounded(fraction: &(BigInt, BigInt), places: u32) -> Result<Decimal, EvaluationError> {
    let scaled = divide_half_even(&(&fraction.0 * 10u64.pow(places)), &fraction.1);
    let scaled = i128::try_from(scaled).map_err(|_| EvaluationError::AmountTooLarge)?;
    Decimal::try_from_i128_with_scale(scaled, places).map_err(|_| EvaluationError::AmountTooLarge)
}

fn cents(amount: BigInt) -> Result<i64, EvaluationError> {
    i64::try_from(amount).map_err(|_| EvaluationError::AmountTooLarge)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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

    fn item(book_cents: i64, audit_cents: i64, hits: u64) -> Tainting {
        Tainting {
            book_cents,
            audit_cents,
            hits,
        }
    }

    #[test]
    fn a_sample_without_errors_has_its_basic_precision() {
        let result = stringer(&[item(100, 100, 60)], 60, 100_000_000, confidence()).unwrap();
        // 1 - 0.05^(1/60) = 0.048702913...
        assert_eq!(result.over.upper_limit_cents, 4_870_292);
        assert_eq!((result.over.projected_cents, result.over.known_cents), (0, 0));
        assert_eq!(result.over, result.under);
        assert!(result.over.steps.is_empty());
    }

    #[test]
    fn the_bound_equals_the_one_computed_in_python() {
        // tests/oracles/stringer.py 100 50000000 0.95
        let items = [
            item(10_000, 10_000, 90),
            item(1_000, 400, 3),
            item(777, 700, 2),
            item(5_000, -2_500, 1),
            item(300, 100, 2),
            item(400, 900, 1),
            item(900, 1_000, 1),
        ];
        let result = stringer(&items, 100, 50_000_000, confidence()).unwrap();
        assert_eq!(
            (result.over.projected_cents, result.over.upper_limit_cents),
            (2_415_766, 5_764_465)
        );
        assert_eq!(
            (result.under.projected_cents, result.under.upper_limit_cents),
            (680_556, 2_993_652)
        );
        assert_eq!(
            (result.over.items, result.over.hits, result.over.known_cents),
            (4, 8, 600 + 77 + 7_500 + 200)
        );
        assert_eq!(
            (result.under.items, result.under.hits, result.under.known_cents),
            (2, 2, 600)
        );
        let ranks: Vec<String> = result
            .over
            .steps
            .iter()
            .map(|step| step.tainting.normalize().to_string())
            .collect();
        let expected = [
            "1.5",
            "0.666666666667",
            "0.666666666667",
            "0.6",
            "0.6",
            "0.6",
            "0.099099099099",
            "0.099099099099",
        ];
        assert_eq!(ranks, expected);
        let sum: Decimal = result.over.steps.iter().map(|step| step.increment_cents).sum();
        let difference =
            Decimal::from(result.over.upper_limit_cents) - result.over.basic_precision_cents - sum;
        assert!(
            difference > decimal("-0.01") && difference < decimal("1.01"),
            "{difference}"
        );
    }

    #[test]
    fn items_that_cannot_be_drawn_are_refused() {
        let code =
            |items: &[Tainting], size, book| stringer(items, size, book, confidence()).unwrap_err().code();
        assert_eq!(code(&[item(0, 0, 1)], 1, 5), "AMOUNT_NOT_POSITIVE");
        assert_eq!(code(&[item(5, 0, 0)], 1, 5), "AMOUNT_NOT_POSITIVE");
        assert_eq!(code(&[item(5, 0, 1)], 2, 5), "HITS_DIFFER");
        assert_eq!(code(&[item(5, 0, 1)], 0, 5), "SAMPLE_EMPTY");
        assert_eq!(code(&[item(5, 0, 1)], 1, 0), "BOOK_VALUE_NOT_POSITIVE");
        assert_eq!(code(&[item(1, i64::MIN, 1)], 1, i64::MAX), "AMOUNT_TOO_LARGE");
    }

    #[test]
    fn the_conclusion_follows_the_rule() {
        assert_eq!(conclude(&6, &9, &5), Conclusion::Material);
        assert_eq!(conclude(&3, &4, &5), Conclusion::NotMaterial);
        assert_eq!(conclude(&3, &5, &5), Conclusion::Inconclusive);
        assert_eq!(conclude(&5, &9, &5), Conclusion::Inconclusive);
        let result = attribute(68, 2, confidence()).unwrap();
        assert_eq!(result.conclude(decimal("0.09")), Conclusion::NotMaterial);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn the_limit_has_its_confidence(n in 1u64..3_000, share in 0u64..1_000) {
            let k = n * share / 1_000;
            prop_assume!(k < n);
            let result = attribute(n, k, confidence()).unwrap();
            let limit = super::super::numerics::decimal_to_float(result.upper_limit);
            let at = |rate: f64| super::super::numerics::binomial_cdf(k, n, rate);
            prop_assert!(at(limit) <= 0.05 + 1e-9);
            prop_assert!(at(limit - 1e-6) > 0.05 - 1e-9);
        }

        #[test]
        fn order_and_grouping_of_hits_change_nothing(
            items in prop::collection::vec((1i64..100_000, -50_000i64..150_000, 1u64..4), 1..30),
        ) {
            let items: Vec<Tainting> = items.into_iter().map(|(b, a, h)| item(b, a, h)).collect();
            let size = items.iter().map(|item| item.hits).sum();
            let single: Vec<Tainting> = items
                .iter()
                .rev()
                .flat_map(|i| (0..i.hits).map(|_| item(i.book_cents, i.audit_cents, 1)))
                .collect();
            let grouped = stringer(&items, size, 1_000_000_000, confidence()).unwrap();
            let apart = stringer(&single, size, 1_000_000_000, confidence()).unwrap();
            for (left, right) in [(&grouped.over, &apart.over), (&grouped.under, &apart.under)] {
                prop_assert_eq!(&left.steps, &right.steps);
                prop_assert_eq!(left.projected_cents, right.projected_cents);
                prop_assert_eq!(left.upper_limit_cents, right.upper_limit_cents);
                prop_assert!(left.upper_limit_cents >= left.projected_cents);
            }
        }
    }
}
