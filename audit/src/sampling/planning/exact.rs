//! Exact figures: rates as whole trillionths, fractions of big integers, and their rounding.

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SizeError;
pub(super) use crate::sampling::derivation::german_decimal as german;
use crate::sampling::guidance::FactorProfile;
use crate::sampling::numerics::{self, Fraction, float};

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

/// The two-sided normal factor z.
pub(super) fn z(profile: FactorProfile, confidence: Decimal) -> Result<Decimal, SizeError> {
    Ok(profile.z(confidence)?)
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

/// A float that is no rate where it is too large for a decimal, rounded up.
pub(super) fn up(value: f64, places: u32) -> Decimal {
    numerics::up(value, places).unwrap_or(Decimal::MAX).normalize()
}

/// The same as the nearest decimal.
pub(super) fn nearest(value: f64, places: u32) -> Decimal {
    numerics::nearest(value, places)
        .unwrap_or(Decimal::MAX)
        .normalize()
}

/// A fraction as a whole number; none beyond 64 bits.
pub(super) fn whole(value: &Fraction, rounding: Rounding) -> Option<u64> {
    let whole = match rounding {
        Rounding::Up => value.ceil(),
        Rounding::Nearest => value.nearest(),
    };
    u64::try_from(&whole).ok()
}

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
    fn sizes_become_whole_as_named() {
        let half = Fraction::new(5, 2);
        assert_eq!(whole(&half, Rounding::Up), Some(3));
        assert_eq!(whole(&half, Rounding::Nearest), Some(2));
        assert_eq!(whole(&Fraction::from(i128::MAX), Rounding::Up), None);
    }
}
