//! The Stringer bound with binomial factors in cents, as samples of the house are evaluated.
//!
//! Sources: K. Stringer 1963; AICPA Audit Guide Audit Sampling (2017), appendix C.

use std::cmp::Reverse;

use num_bigint::BigInt;
use rust_decimal::Decimal;

use super::{Direction, Ranked, Tainting, cents, rounded};
use crate::sampling::evaluation::attribute::{decimal_of, limit_units};
use crate::sampling::evaluation::{Conclusion, EvaluationError, FACTOR_PLACES, VERSION, conclude};
use crate::sampling::numerics::{divide_half_even, divide_up, risk, sum_fractions};

/// Method of [`stringer`].
pub const STRINGER_METHOD: &str = "stringer-binomial";

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
            book: item.book_cents,
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

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

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
