//! The two methods that stored samples are planned by: binomial for items, gamma for monetary units.
//!
//! Their figures are part of stored plans, so they stay as they are; [`super::attribute`] and
//! [`super::monetary`] hold the whole families. The search for items is proven by the theorem of Berry and
//! Esseen; the faster one of the family is tested against it.

use rust_decimal::Decimal;

use super::PlanError;
use crate::sampling::numerics::{binomial_cdf, decimal_to_float, first_true, float, gamma_tails, risk};

/// Method of [`attribute_size`].
pub const ATTRIBUTE_METHOD: &str = "attribute-binomial";
/// Method of [`monetary_size`].
pub const MONETARY_METHOD: &str = "monetary-gamma";
/// Version of both planning methods.
pub const VERSION: &str = "1";
/// Largest monetary unit sample that is planned: the range in which the quantiles are proven.
pub const LARGEST_MONETARY_SIZE: u64 = 1_000_000;

/// Size of an attribute sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributePlan {
    /// Items to draw.
    pub size: u64,
    /// Deviations at which the sample still supports the tolerable rate: `ceil(expected * size)`.
    pub planned_deviations: u64,
    /// Method id.
    pub method: &'static str,
    /// Version of the method.
    pub version: &'static str,
}

/// Size of a monetary unit sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonetaryPlan {
    /// Hits to draw; an item can be hit more than once.
    pub size: u64,
    /// Sum of taintings at which the sample still supports the tolerable amount: `expected / book value *
    /// size`, rounded up to six places.
    pub planned_taintings: Decimal,
    /// Method id.
    pub method: &'static str,
    /// Version of the method.
    pub version: &'static str,
}

/// Smallest attribute sample by the convention of AICPA tables A-1 and A-2.
///
/// The first `n` that satisfies `P(X <= ceil(expected * n)) <= 1 - confidence` for `n` binomial trials at the
/// tolerable rate. All three rates lie between 0 and 1. The criterion is not monotone in `n` (one more
/// planned deviation makes it fail again), so "first" is part of the definition. The finite population is not
/// taken into account, which errs on the safe side; a size above `population` is refused.
///
/// ```
/// use audit::sampling::planning::attribute_size;
/// let rate = |text: &str| text.parse().expect("a decimal");
/// let plan = attribute_size(3653, rate("0.95"), rate("0.09"), rate("0.02")).expect("a plan");
/// assert_eq!((plan.size, plan.planned_deviations), (68, 2));
/// ```
pub fn attribute_size(
    population: u64,
    confidence: Decimal,
    tolerable: Decimal,
    expected: Decimal,
) -> Result<AttributePlan, PlanError> {
    let risk = risk(confidence).ok_or(PlanError::Confidence(confidence))?;
    if tolerable <= Decimal::ZERO || tolerable > Decimal::ONE {
        return Err(PlanError::Tolerable(tolerable));
    }
    if expected < Decimal::ZERO || expected > Decimal::ONE {
        return Err(PlanError::Expected(expected));
    }
    if tolerable <= expected {
        return Err(PlanError::TolerableNotAboveExpected { tolerable, expected });
    }
    if population == 0 {
        return Err(PlanError::Population);
    }
    let rate = decimal_to_float(tolerable);
    let supports = |k: u64, n: u64| binomial_cdf(k, n, rate) <= risk;
    let margin = decimal_to_float(tolerable - expected);
    let mut first = 1;
    while first <= population {
        let beyond = first + first / 64;
        if all_too_small(first, beyond, risk, rate, margin) {
            first = beyond + 1;
            continue;
        }
        let k = planned(expected, first);
        let last = last_with(expected, k).min(population);
        // within one k the criterion is monotone
        if supports(k, last) {
            let size = first_true(first, last, |n| supports(k, n));
            return Ok(AttributePlan {
                size,
                planned_deviations: k,
                method: ATTRIBUTE_METHOD,
                version: VERSION,
            });
        }
        first = last + 1;
    }
    Err(PlanError::SampleLargerThanPopulation(population))
}

/// Whether no size in `first..=last` can satisfy the criterion, by the theorem of Berry and Esseen (constant
/// 0.4748: Shevtsova 2011). It spares the exact probability of every single size where the margin between
/// tolerable and expected rate is so narrow that the sample becomes huge.
fn all_too_small(first: u64, last: u64, risk: f64, tolerable: f64, margin: f64) -> bool {
    let variance = tolerable * (1.0 - tolerable);
    if variance <= 0.0 {
        return false;
    }
    // k is at least expected * n, so the deviations planned are at most this far below those at the tolerable
    // rate
    let distance = margin * (float(last) / variance).sqrt();
    let normal = 0.5 * gamma_tails(0.5, 0.5 * distance * distance).1;
    let error = 0.4748 * (1.0 - 2.0 * variance) / (float(first) * variance).sqrt();
    normal - error > risk * 1.000_001
}

/// `ceil(rate * n)`, exactly.
fn planned(rate: Decimal, n: u64) -> u64 {
    let (numerator, denominator) = ratio(rate);
    // the mantissa has 96 bits: split n to stay within 128
    match numerator.checked_mul(u128::from(n)) {
        Some(product) => u64::try_from(product.div_ceil(denominator)).unwrap_or(n),
        None => n,
    }
}

/// The largest `n` with `ceil(rate * n) <= k`.
fn last_with(rate: Decimal, k: u64) -> u64 {
    let (numerator, denominator) = ratio(rate);
    if numerator == 0 {
        return u64::MAX;
    }
    match denominator.checked_mul(u128::from(k)) {
        Some(product) => u64::try_from(product / numerator).unwrap_or(u64::MAX),
        None => u64::MAX,
    }
}

/// A non-negative decimal as a reduced fraction.
fn ratio(rate: Decimal) -> (u128, u128) {
    let rate = rate.normalize();
    (rate.mantissa().unsigned_abs(), 10u128.pow(rate.scale()))
}

/// Smallest monetary unit sample by the gamma (Poisson) method of AICPA table C-1.
///
/// The smallest whole `n` with `G(confidence; 1 + expected/book * n) / n < tolerable/book`, `G` being the
/// gamma quantile. Amounts are in cents: the sum of the positive items, and the tolerable and the expected
/// error in it. A size above the number of cents or above [`LARGEST_MONETARY_SIZE`] is refused.
pub fn monetary_size(
    book_value_cents: i64,
    confidence: Decimal,
    tolerable_cents: i64,
    expected_cents: i64,
) -> Result<MonetaryPlan, PlanError> {
    let risk = risk(confidence).ok_or(PlanError::Confidence(confidence))?;
    let book = u64::try_from(book_value_cents).ok().filter(|book| *book > 0);
    let book = book.ok_or(PlanError::BookValue(book_value_cents))?;
    let tolerable = u64::try_from(tolerable_cents)
        .ok()
        .filter(|amount| *amount > 0 && *amount <= book);
    let tolerable = tolerable.ok_or(PlanError::Tolerable(tolerable_cents.into()))?;
    let expected = u64::try_from(expected_cents).map_err(|_| PlanError::Expected(expected_cents.into()))?;
    if tolerable <= expected {
        return Err(PlanError::TolerableNotAboveExpected {
            tolerable: tolerable_cents.into(),
            expected: expected_cents.into(),
        });
    }
    let limit = book.min(LARGEST_MONETARY_SIZE);
    let size = gamma_size(book, risk, tolerable, expected);
    let size = size.ok_or(PlanError::SampleLargerThanPopulation(limit))?;
    let micro = (u128::from(expected) * u128::from(size) * 1_000_000).div_ceil(u128::from(book));
    let planned_taintings = Decimal::from_i128_with_scale(i128::try_from(micro).unwrap_or(i128::MAX), 6);
    Ok(MonetaryPlan {
        size,
        planned_taintings,
        method: MONETARY_METHOD,
        version: VERSION,
    })
}

/// The smallest whole `n` with `G(1 - risk; 1 + expected/book * n) / n < tolerable/book`, up to the cents (or
/// euros) of the book value and to [`LARGEST_MONETARY_SIZE`].
///
/// Bisection finds it: with `e = expected/book` and `t = tolerable/book` the criterion is `G(1 + e n) < t n`.
/// In its shape the gamma quantile is concave above the median, so that `G(1 + e n) - t n`, positive at 0,
/// changes its sign once; below the median its slope stays under 1, so that the difference falls throughout.
/// (Both are observed, not proven here; the tests compare with sizes found one by one.)
pub(super) fn gamma_size(book: u64, risk: f64, tolerable: u64, expected: u64) -> Option<u64> {
    let supports = |n: u64| {
        let per_unit = float(n) / float(book);
        gamma_tails(1.0 + per_unit * float(expected), per_unit * float(tolerable)).1 < risk
    };
    let limit = book.min(LARGEST_MONETARY_SIZE);
    supports(limit).then(|| first_true(1, limit, supports))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn attribute(confidence: &str, tolerable: &str, expected: &str) -> (u64, u64) {
        let plan = attribute_size(
            100_000,
            decimal(confidence),
            decimal(tolerable),
            decimal(expected),
        )
        .unwrap();
        (plan.size, plan.planned_deviations)
    }

    #[test]
    fn the_aicpa_table_comes_out() {
        assert_eq!(attribute("0.95", "0.09", "0.02"), (68, 2));
        let row = [
            "0.02", "0.03", "0.04", "0.05", "0.06", "0.07", "0.08", "0.09", "0.10", "0.15", "0.20",
        ];
        let sizes =
            |expected: &str| -> Vec<u64> { row.iter().map(|t| attribute("0.95", t, expected).0).collect() };
        assert_eq!(sizes("0"), [149, 99, 74, 59, 49, 42, 36, 32, 29, 19, 14]);
        assert_eq!(sizes("0.0025"), [236, 157, 117, 93, 78, 66, 58, 51, 46, 30, 22]);
    }

    /// The definition word by word, for comparison with the search.
    fn first_size(confidence: Decimal, tolerable: Decimal, expected: Decimal, limit: u64) -> Option<u64> {
        let risk = decimal_to_float(Decimal::ONE - confidence);
        (1..=limit).find(|n| {
            let k = (expected * Decimal::from(*n)).ceil().to_string().parse().unwrap();
            binomial_cdf(k, *n, decimal_to_float(tolerable)) <= risk
        })
    }

    #[test]
    fn a_product_that_is_whole_plans_no_further_deviation() {
        // 0.07 * 100 is 7.000000000000001 in floats
        assert_eq!(planned(decimal("0.07"), 100), 7);
        assert_eq!(planned(decimal("0.07"), 101), 8);
        assert_eq!(last_with(decimal("0.07"), 7), 100);
    }

    #[test]
    fn monetary_sizes_of_the_aicpa_table() {
        let size = |tolerable: i64, expected: i64| {
            monetary_size(1_000_000, decimal("0.95"), tolerable, expected)
                .unwrap()
                .size
        };
        // zero errors: ln(20) / rate, rounded up
        assert_eq!(size(50_000, 0), 60);
        assert_eq!(size(100_000, 0), 30);
        assert_eq!(size(10_000, 0), 300);
        // table C-1, 5 % risk: ratio of expected to tolerable 0.20 at 5 %, 0.50 at 10 %
        assert_eq!(size(50_000, 10_000), 93);
        assert_eq!(
            [size(500_000, 50_000), size(300_000, 90_000), size(20_000, 8_000)],
            [8, 20, 405]
        );
        assert_eq!(size(100_000, 50_000), 116);
    }

    #[test]
    fn the_monetary_size_is_the_smallest_at_low_confidence_too() {
        for confidence in ["0.2", "0.5", "0.8", "0.99"] {
            let found = monetary_size(1_000_000, decimal(confidence), 40_000, 13_000)
                .unwrap()
                .size;
            let holds = |n: u64| {
                let n = float(n);
                gamma_tails(1.0 + n * 0.013, n * 0.04).1
                    < decimal_to_float(Decimal::ONE - decimal(confidence))
            };
            assert_eq!(Some(found), (1..=found).find(|n| holds(*n)), "{confidence}");
        }
    }

    #[test]
    fn impossible_figures_are_refused_by_name() {
        let attribute = |population, confidence: &str, tolerable: &str, expected: &str| {
            let error = attribute_size(
                population,
                decimal(confidence),
                decimal(tolerable),
                decimal(expected),
            )
            .unwrap_err();
            (error.code(), error.field())
        };
        assert_eq!(
            attribute(10, "1", "0.1", "0"),
            ("CONFIDENCE_OUT_OF_RANGE", "confidence")
        );
        assert_eq!(
            attribute(10, "0", "0.1", "0"),
            ("CONFIDENCE_OUT_OF_RANGE", "confidence")
        );
        assert_eq!(
            attribute(10, "0.9", "1.1", "0"),
            ("TOLERABLE_OUT_OF_RANGE", "tolerable")
        );
        assert_eq!(
            attribute(10, "0.9", "0.1", "-0.1"),
            ("EXPECTED_OUT_OF_RANGE", "expected")
        );
        assert_eq!(
            attribute(10, "0.9", "0.1", "0.1"),
            ("TOLERABLE_NOT_ABOVE_EXPECTED", "tolerable")
        );
        assert_eq!(
            attribute(0, "0.9", "0.1", "0"),
            ("POPULATION_EMPTY", "population")
        );
        assert_eq!(
            attribute(28, "0.95", "0.1", "0"),
            ("SAMPLE_LARGER_THAN_POPULATION", "population")
        );
        let monetary = |book, tolerable, expected| {
            monetary_size(book, decimal("0.95"), tolerable, expected)
                .unwrap_err()
                .code()
        };
        assert_eq!(monetary(0, 1, 0), "BOOK_VALUE_NOT_POSITIVE");
        assert_eq!(monetary(100, 101, 0), "TOLERABLE_OUT_OF_RANGE");
        assert_eq!(monetary(100, 5, -1), "EXPECTED_OUT_OF_RANGE");
        assert_eq!(monetary(100, 5, 5), "TOLERABLE_NOT_ABOVE_EXPECTED");
        assert_eq!(monetary(100, 1, 0), "SAMPLE_LARGER_THAN_POPULATION");
    }

    #[test]
    fn a_hopeless_plan_ends() {
        let error =
            attribute_size(5_000_000, decimal("0.99"), decimal("0.5"), decimal("0.4999999")).unwrap_err();
        assert_eq!(error.code(), "SAMPLE_LARGER_THAN_POPULATION");
        let plan = attribute_size(u64::MAX, decimal("0.99"), decimal("0.00000001"), decimal("0")).unwrap();
        assert_eq!(plan.size, 460_517_017);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn the_search_finds_what_the_definition_says(
            percent in 2u32..30,
            expected in 0u32..1500,
            confidence in prop::sample::select(vec!["0.8", "0.9", "0.95"]),
        ) {
            let tolerable = Decimal::new(percent.into(), 2);
            let expected = Decimal::new(expected.into(), 4);
            prop_assume!(expected < tolerable);
            let defined = first_size(decimal(confidence), tolerable, expected, 2_000);
            let found = attribute_size(2_000, decimal(confidence), tolerable, expected);
            let found = found.ok().map(|plan| plan.size);
            prop_assert_eq!(found, defined);
        }
    }
}
