//! Floats as decimals, with a named rounding.

use rust_decimal::{Decimal, RoundingStrategy};

/// What floats are off by relatively at most where their exact value is a decimal: what exceeds a decimal by no more is that
/// decimal.
const NOISE: f64 = 1e-14;

/// Half to even; none for what is no number, or beyond 28 digits.
pub(in crate::sampling) fn nearest(value: f64, places: u32) -> Option<Decimal> {
    Decimal::from_f64_retain(value)
        .map(|value| value.round_dp_with_strategy(places, RoundingStrategy::MidpointNearestEven))
}

/// Up; none as for [`nearest`].
pub(in crate::sampling) fn up(value: f64, places: u32) -> Option<Decimal> {
    let scaled = value * scale(places);
    decimal((scaled - scaled.abs() * NOISE).ceil(), places)
}

/// Down; none as for [`nearest`].
pub(in crate::sampling) fn down(value: f64, places: u32) -> Option<Decimal> {
    let scaled = value * scale(places);
    decimal((scaled + scaled.abs() * NOISE).floor(), places)
}

fn scale(places: u32) -> f64 {
    10f64.powi(i32::try_from(places).unwrap_or(28))
}

fn decimal(scaled: f64, places: u32) -> Option<Decimal> {
    if !scaled.is_finite() || scaled.abs() >= 7e28 {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "below 10^29")]
    let whole = scaled as i128;
    Decimal::try_from_i128_with_scale(whole, places).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: Option<Decimal>) -> String {
        value.unwrap().to_string()
    }

    #[test]
    fn the_noise_of_floats_is_not_rounded_away_from_a_decimal() {
        let (noisy, short) = (0.1 + 0.2, 1.0 - 0.9);
        assert!(noisy > 0.3 && short < 0.1);
        assert_eq!(text(up(noisy, 12)), "0.300000000000");
        assert_eq!(text(down(short, 12)), "0.100000000000");
        assert_eq!(text(up(-short, 12)), "-0.100000000000");
        assert_eq!(text(up(0.300_000_000_000_1, 12)), "0.300000000001");
        assert_eq!(text(down(-0.5, 0)), "-1");
        assert_eq!(text(nearest(0.125, 2)), "0.12");
        assert_eq!(text(nearest(1.644_853_626_951_472_2, 12)), "1.644853626951");
    }

    #[test]
    fn what_is_no_decimal_is_none() {
        for value in [f64::NAN, f64::INFINITY, 1e300] {
            assert_eq!(
                (nearest(value, 6), up(value, 6), down(value, 6)),
                (None, None, None)
            );
        }
    }
}
