//! Rounding of results, and figures as text.

use num_bigint::BigInt;
use rust_decimal::{Decimal, RoundingStrategy};

use super::EvaluationError;
use crate::sampling::numerics::{divide_half_even, divide_up};

/// Decimal places of amounts that are estimated.
pub(super) const AMOUNT_PLACES: u32 = 6;
/// Decimal places of shares, quantiles and confidences that are computed.
pub(super) const SHARE_PLACES: u32 = 12;
/// Decimal places to which sums are formed before they are rounded to [`AMOUNT_PLACES`], so that what is a
/// tie or a whole number exactly is one here too.
const GUARD_PLACES: u32 = 18;

/// Rounded up to so many places.
pub(super) fn places_up(value: Decimal, places: u32) -> Decimal {
    value.round_dp_with_strategy(places, RoundingStrategy::ToPositiveInfinity)
}

/// Rounded down to so many places.
pub(super) fn places_down(value: Decimal, places: u32) -> Decimal {
    value.round_dp_with_strategy(places, RoundingStrategy::ToNegativeInfinity)
}

/// A whole float as an integer; none beyond 28 digits or if it is no number.
fn whole(value: f64) -> Option<i128> {
    #[expect(clippy::cast_possible_truncation, reason = "below 10^28")]
    (value.abs() < 7e28).then_some(value as i128)
}

/// How an amount is rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rounding {
    /// To the nearest, half to even.
    HalfEven,
    /// Up.
    Up,
}

/// An amount from floats, rounded to six places.
pub(super) fn amount_of(value: f64, rounding: Rounding) -> Result<Decimal, EvaluationError> {
    let scaled = value * 1e6;
    let scaled = match rounding {
        Rounding::HalfEven => scaled.round_ties_even(),
        Rounding::Up => scaled.ceil(),
    };
    let scaled = whole(scaled).ok_or(EvaluationError::AmountTooLarge)?;
    Decimal::try_from_i128_with_scale(scaled, AMOUNT_PLACES).map_err(|_| EvaluationError::AmountTooLarge)
}

/// `numerator / denominator` (positive) rounded to six places, by way of 18.
pub(super) fn amount(
    numerator: &BigInt,
    denominator: &BigInt,
    rounding: Rounding,
) -> Result<Decimal, EvaluationError> {
    let guarded = divide_half_even(&(numerator * 10u64.pow(GUARD_PLACES)), denominator);
    let step = BigInt::from(10u64.pow(GUARD_PLACES - AMOUNT_PLACES));
    let scaled = match rounding {
        Rounding::HalfEven => divide_half_even(&guarded, &step),
        Rounding::Up => divide_up(&guarded, &step),
    };
    let scaled = i128::try_from(scaled).map_err(|_| EvaluationError::AmountTooLarge)?;
    Decimal::try_from_i128_with_scale(scaled, AMOUNT_PLACES).map_err(|_| EvaluationError::AmountTooLarge)
}

/// A figure without trailing zeros.
pub(super) fn shown(value: Decimal) -> String {
    value.normalize().to_string()
}

/// A float for a derivation: 12 significant digits are more than a person checks.
pub(super) fn shown_float(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let digits = 11.0 - value.abs().log10().floor();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to 0..=18"
    )]
    let places = digits.clamp(0.0, 18.0) as usize;
    let text = format!("{value:.places$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}
