//! Exact figures: rates as whole trillionths, fractions of big integers, and their rounding.

use std::cmp::Ordering;

use num_bigint::BigInt;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SizeError;
pub(super) use crate::sampling::derivation::german_decimal as german;
use crate::sampling::numerics::{self, divide_half_even, divide_up, float, normal_quantile};

/// Parts of one in which rates are counted: twelve decimal places.
pub(super) const PARTS: u64 = 1_000_000_000_000;
/// Most items, and most monetary units of a finite law: the range in which the distribution functions are
/// proven.
pub(super) const LARGEST_POPULATION: u64 = 1_000_000_000_000;
/// Largest sample that is planned without a population.
pub(super) const LARGEST_SIZE: u64 = 10_000_000;

/// The unit in which amounts are counted, and in which methods round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Unit {
    /// Cents.
    Cent,
    /// Whole euros.
    Euro,
}

impl Unit {
    /// Its name, in both languages.
    pub(in crate::sampling) fn name(self) -> &'static str {
        match self {
            Self::Cent => "Cent",
            Self::Euro => "Euro",
        }
    }
}

/// How a size that is no whole number becomes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Rounding {
    /// To the next whole number above: the objective is met.
    #[default]
    Up,
    /// To the nearest whole number, halves to the even one: some printed examples do so.
    Nearest,
}

/// The correction for a finite population, an approximation; the hypergeometric methods need none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schemars(rename = "SizeCorrection")]
pub enum FiniteCorrection {
    /// None.
    #[default]
    None,
    /// `n / (1 + n/N)` (EC guidance EGESIF 16-0014, footnote 25).
    Ec,
    /// `n / (1 + (n - 1)/N)` (Cochran, Sampling Techniques, 1977, 4.4).
    Cochran,
}

/// Where the factors of the EC methods come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schemars(rename = "PlanFactorProfile")]
pub enum FactorProfile {
    /// The printed tables of EGESIF 16-0014: 3 (z), 4 (reliability), 5 (expansion). Only their confidence
    /// levels.
    EcTables,
    /// The quantile itself, rounded to twelve places. Expansion factors exist as table 5 only.
    Exact,
}

/// z of table 3, by confidence in per cent; two-sided.
const Z: [(i64, &str); 5] = [
    (60, "0.842"),
    (70, "1.036"),
    (80, "1.282"),
    (90, "1.645"),
    (95, "1.960"),
];

/// The row of a table for a confidence.
pub(super) fn row(table: &[(i64, &str)], confidence: Decimal) -> Result<Decimal, SizeError> {
    table
        .iter()
        .find(|(percent, _)| Decimal::new(*percent, 2) == confidence)
        .and_then(|(_, factor)| factor.parse().ok())
        .ok_or(SizeError::ConfidenceNotInTable(confidence))
}

impl FactorProfile {
    /// The two-sided normal factor z.
    pub(super) fn z(self, confidence: Decimal) -> Result<Decimal, SizeError> {
        let risk = risk(confidence)?;
        match self {
            Self::EcTables => row(&Z, confidence),
            Self::Exact => Ok(nearest(normal_quantile(risk / 2.0), 12)),
        }
    }
}

/// One minus the confidence, formed exactly.
pub(super) fn risk(confidence: Decimal) -> Result<f64, SizeError> {
    numerics::risk(confidence).ok_or(SizeError::Confidence(confidence))
}

/// A rate from 0 to 1 in whole [`PARTS`].
pub(super) fn parts(field: &'static str, value: Decimal) -> Result<u64, SizeError> {
    if value < Decimal::ZERO || value > Decimal::ONE {
        return Err(SizeError::Rate { field, value });
    }
    let normal = value.normalize();
    let missing = 12u32
        .checked_sub(normal.scale())
        .ok_or(SizeError::RateTooFine { field, value })?;
    let parts = normal.mantissa().unsigned_abs() * 10u128.pow(missing);
    u64::try_from(parts).map_err(|_| SizeError::RateTooFine { field, value })
}

/// [`PARTS`] as a decimal.
pub(super) fn decimal_of(parts: u64) -> Decimal {
    Decimal::from_i128_with_scale(i128::from(parts), 12).normalize()
}

/// [`PARTS`] as the nearest float.
pub(super) fn rate_of(parts: u64) -> f64 {
    float(parts) / float(PARTS)
}

/// `ceil(rate * count)` with the rate in [`PARTS`].
pub(super) fn planned(parts: u64, count: u64) -> u64 {
    let product = (u128::from(parts) * u128::from(count)).div_ceil(u128::from(PARTS));
    u64::try_from(product).unwrap_or(u64::MAX)
}

/// The largest `n` with `n * numerator / denominator <= k`; without bound where the numerator is zero.
pub(super) fn last_with(k: u64, numerator: u64, denominator: u64) -> u64 {
    let product = u128::from(k) * u128::from(denominator);
    match product.checked_div(u128::from(numerator)) {
        Some(last) => u64::try_from(last).unwrap_or(u64::MAX),
        None => u64::MAX,
    }
}

/// A size after its correction, rounded up.
pub(super) fn corrected(size: u64, population: u64, correction: FiniteCorrection) -> u64 {
    let (n, all) = (u128::from(size), u128::from(population));
    let below = match correction {
        FiniteCorrection::None => return size,
        FiniteCorrection::Ec => all + n,
        FiniteCorrection::Cochran => all + n.saturating_sub(1),
    };
    u64::try_from((n * all).div_ceil(below)).unwrap_or(u64::MAX)
}

/// A non-negative float as a decimal, rounded up.
pub(super) fn up(value: f64, places: u32) -> Decimal {
    scaled(value, places, f64::ceil)
}

/// A non-negative float as a decimal, rounded down.
pub(super) fn down(value: f64, places: u32) -> Decimal {
    scaled(value, places, f64::floor)
}

/// A float as the nearest decimal.
pub(super) fn nearest(value: f64, places: u32) -> Decimal {
    scaled(value, places, f64::round_ties_even)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the cast of floats saturates, and so large a figure is no rate"
)]
fn scaled(value: f64, places: u32, round: impl Fn(f64) -> f64) -> Decimal {
    let whole = round(value * 10f64.powi(i32::try_from(places).unwrap_or(12))) as i64;
    Decimal::new(whole, places).normalize()
}

/// A fraction of big integers with a positive denominator, not reduced.
#[derive(Debug, Clone)]
pub(super) struct Fraction {
    numerator: BigInt,
    denominator: BigInt,
}

impl From<BigInt> for Fraction {
    fn from(numerator: BigInt) -> Self {
        Self {
            numerator,
            denominator: 1.into(),
        }
    }
}

impl From<u64> for Fraction {
    fn from(value: u64) -> Self {
        Self {
            numerator: value.into(),
            denominator: 1.into(),
        }
    }
}

impl From<i64> for Fraction {
    fn from(value: i64) -> Self {
        Self {
            numerator: value.into(),
            denominator: 1.into(),
        }
    }
}

impl From<Decimal> for Fraction {
    fn from(value: Decimal) -> Self {
        Self {
            numerator: value.mantissa().into(),
            denominator: BigInt::from(10).pow(value.scale()),
        }
    }
}

impl Fraction {
    /// The sum.
    pub(super) fn plus(&self, other: &Self) -> Self {
        if self.denominator == other.denominator {
            return Self {
                numerator: &self.numerator + &other.numerator,
                denominator: self.denominator.clone(),
            };
        }
        Self {
            numerator: &self.numerator * &other.denominator + &other.numerator * &self.denominator,
            denominator: &self.denominator * &other.denominator,
        }
    }

    /// The difference.
    pub(super) fn minus(&self, other: &Self) -> Self {
        self.plus(&Self {
            numerator: -&other.numerator,
            denominator: other.denominator.clone(),
        })
    }

    /// The same to this many decimal places, halves to the even digit.
    pub(super) fn rounded(&self, places: u32) -> Self {
        let unit = BigInt::from(10).pow(places);
        Self {
            numerator: divide_half_even(&(&self.numerator * &unit), &self.denominator),
            denominator: unit,
        }
    }

    /// The root to `places` decimal places, rounded down; zero of a negative number.
    pub(super) fn root(&self, places: u32) -> Self {
        let unit = BigInt::from(10).pow(places);
        let square = &self.numerator * &unit * &unit / &self.denominator;
        Self {
            numerator: if square > BigInt::ZERO {
                square.sqrt()
            } else {
                BigInt::ZERO
            },
            denominator: unit,
        }
    }

    /// The product.
    pub(super) fn times(&self, other: &Self) -> Self {
        Self {
            numerator: &self.numerator * &other.numerator,
            denominator: &self.denominator * &other.denominator,
        }
    }

    /// The quotient by a positive fraction; none where it is not positive.
    pub(super) fn over(&self, other: &Self) -> Option<Self> {
        (other.is_positive()).then(|| Self {
            numerator: &self.numerator * &other.denominator,
            denominator: &self.denominator * &other.numerator,
        })
    }

    /// The square.
    pub(super) fn squared(&self) -> Self {
        self.times(self)
    }

    /// Whether it is above zero.
    pub(super) fn is_positive(&self) -> bool {
        self.numerator > BigInt::ZERO
    }

    /// The whole number below and what is left of it, for numbers from zero on; none beyond 64 bits.
    pub(super) fn split(&self) -> Option<(u64, Self)> {
        let whole = &self.numerator / &self.denominator;
        let rest = Self {
            numerator: &self.numerator - &whole * &self.denominator,
            denominator: self.denominator.clone(),
        };
        u64::try_from(&whole).ok().map(|whole| (whole, rest))
    }

    /// As a whole number; none beyond 64 bits.
    pub(super) fn whole(&self, rounding: Rounding) -> Option<u64> {
        let whole = match rounding {
            Rounding::Up => divide_up(&self.numerator, &self.denominator),
            Rounding::Nearest => divide_half_even(&self.numerator, &self.denominator),
        };
        u64::try_from(&whole).ok()
    }

    /// As a decimal, rounded down, for numbers from zero on; zero where it is too large.
    pub(super) fn floored(&self, places: u32) -> Decimal {
        let scaled: BigInt = &self.numerator * BigInt::from(10).pow(places) / &self.denominator;
        i128::try_from(&scaled)
            .ok()
            .and_then(|whole| Decimal::try_from_i128_with_scale(whole, places).ok())
            .map_or(Decimal::ZERO, |value| value.normalize())
    }

    /// As a decimal, halves to the even digit; the largest decimal where it is larger.
    pub(super) fn decimal(&self, places: u32) -> Decimal {
        let scaled = &self.numerator * BigInt::from(10).pow(places);
        let whole = divide_half_even(&scaled, &self.denominator);
        i128::try_from(&whole)
            .ok()
            .and_then(|whole| Decimal::try_from_i128_with_scale(whole, places).ok())
            .map_or(Decimal::MAX, |value| value.normalize())
    }
}

impl PartialOrd for Fraction {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Fraction {
    fn cmp(&self, other: &Self) -> Ordering {
        (&self.numerator * &other.denominator).cmp(&(&other.numerator * &self.denominator))
    }
}

impl PartialEq for Fraction {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Fraction {}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn rates_are_counted_exactly() {
        let seven = parts("rate", decimal("0.07")).unwrap();
        // 0.07 * 100 is 7.000000000000001 in floats
        assert_eq!((planned(seven, 100), planned(seven, 101)), (7, 8));
        assert_eq!(last_with(7, seven, PARTS), 100);
        assert_eq!(last_with(7, 0, PARTS), u64::MAX);
        assert_eq!(decimal_of(seven), decimal("0.07"));
        assert_eq!(
            parts("rate", decimal("0.0000000000001")).unwrap_err().code(),
            "RATE_TOO_FINE"
        );
        assert_eq!(
            parts("rate", decimal("1.1")).unwrap_err().code(),
            "RATE_OUT_OF_RANGE"
        );
        assert_eq!(parts("rate", decimal("-0.1")).unwrap_err().field(), "rate");
    }

    #[test]
    fn corrections_are_exact() {
        // 100 of 100: half; the largest size is never above the population
        assert_eq!(corrected(100, 100, FiniteCorrection::Ec), 50);
        assert_eq!(corrected(101, 100, FiniteCorrection::Cochran), 51);
        assert_eq!(corrected(100, 100, FiniteCorrection::None), 100);
        assert_eq!(corrected(1_000_000_000, 7, FiniteCorrection::Ec), 7);
    }

    #[test]
    fn factors_are_those_of_the_table_or_exact() {
        assert_eq!(FactorProfile::EcTables.z(decimal("0.90")), Ok(decimal("1.645")));
        assert_eq!(
            FactorProfile::Exact.z(decimal("0.9")),
            Ok(decimal("1.644853626951"))
        );
        assert_eq!(
            FactorProfile::EcTables.z(decimal("0.85")).unwrap_err().code(),
            "CONFIDENCE_NOT_IN_TABLE"
        );
        assert_eq!(
            FactorProfile::Exact.z(Decimal::ONE).unwrap_err().code(),
            "CONFIDENCE_OUT_OF_RANGE"
        );
    }

    #[test]
    fn fractions_round_as_named() {
        let half = Fraction::from(5u64).over(&Fraction::from(2u64)).unwrap();
        assert_eq!(half.whole(Rounding::Up), Some(3));
        assert_eq!(half.whole(Rounding::Nearest), Some(2));
        assert_eq!(half.squared().decimal(1), decimal("6.2"));
        assert_eq!(Fraction::from(2u64).root(6).decimal(6), decimal("1.414213"));
        assert_eq!(half.minus(&Fraction::from(3u64)).root(6), Fraction::from(0u64));
        assert_eq!(half.rounded(0), Fraction::from(2u64));
        assert!(half > Fraction::from(2u64));
        assert_eq!(Fraction::from(1u64).over(&Fraction::from(0u64)), None);
    }
}
