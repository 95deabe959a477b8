//! What a result says about the tolerable error, and with which confidence it could say it.

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;

use crate::sampling::numerics::{normal_quantile, normal_tails};

/// Steps of a confidence that is looked for: twelve decimal places.
const GRID: i64 = 1_000_000_000_000;

/// What follows for the tolerable error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
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
/// All three in the same unit. Equality of limit and tolerable error is inconclusive (EC guidance EGESIF
/// 16-0014, 4.12).
pub fn conclude<T: Ord>(projected: &T, upper: &T, tolerable: &T) -> Conclusion {
    if projected > tolerable {
        Conclusion::Material
    } else if upper < tolerable {
        Conclusion::NotMaterial
    } else {
        Conclusion::Inconclusive
    }
}

/// The largest confidence, with twelve places, at which a limit stays below the tolerable error; 0 if none.
///
/// `excess` gives the limit less the tolerable error for a risk (one minus the confidence); it must not fall
/// where the confidence rises. Limits are nearly straight lines over the normal quantile of the confidence:
/// secants over it arrive in some ten steps, where bisection would take forty; bisection steps in where they
/// do not.
pub(super) fn achieved(excess: impl Fn(Decimal) -> f64) -> Decimal {
    // the limit is below at `low` (or nowhere), not below at `high`
    let (mut low, mut high) = (0, GRID);
    let mut last: Option<(f64, f64)> = None;
    let mut guess = GRID / 20 * 19;
    let mut reach = 1;
    let mut tried = [false; 2];
    for round in 0.. {
        if high - low <= 1 {
            break;
        }
        let probe = guess.clamp(low + 1, high - 1);
        let over = excess(Decimal::new(GRID - probe, 12));
        let below = over < 0.0;
        if below {
            low = probe;
        } else {
            high = probe;
        }
        let here = (normal_quantile(share(GRID - probe)), over);
        let secant = last.map_or(here.0 + if below { 0.5 } else { -0.5 }, |(z, before)| {
            here.0 - over * (here.0 - z) / (over - before)
        });
        last = Some(here);
        // the grid ends at 7.04; without a number, where the limits are equal, the middle follows
        guess = of_share(
            normal_tails(if secant.is_nan() {
                0.0
            } else {
                secant.clamp(-8.0, 8.0)
            })
            .0,
        );
        let near = (guess - probe).abs() <= 1_000;
        if near && high - low > 2 * reach && round < 40 {
            // the secant has arrived: look just beyond it for the other end
            guess = if below { low + reach } else { high - reach };
            reach *= 16;
        } else if !secant.is_finite() || near || round >= 16 {
            guess = low + (high - low) / 2;
        } else if guess <= low || guess >= high {
            // beyond the bracket: look at its very end once, where limits lie that never meet the tolerable error
            let side = usize::from(guess >= high);
            guess = if tried[side] {
                low + (high - low) / 2
            } else {
                [low + 1, high - 1][side]
            };
            tried[side] = true;
        }
    }
    Decimal::new(low, 12)
}

/// A point of the grid as a float.
#[expect(clippy::cast_precision_loss, reason = "below 2^53")]
fn share(point: i64) -> f64 {
    point as f64 / GRID as f64
}

/// The point of the grid at a share.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "between 0 and 10^12"
)]
fn of_share(share: f64) -> i64 {
    (share * GRID as f64) as i64
}

#[cfg(test)]
mod tests {
    use super::super::attribute;
    use super::*;
    use crate::sampling::numerics::decimal_to_float;

    #[test]
    fn the_achieved_confidence_is_the_last_one_below() {
        let edge: Decimal = "0.123456789012".parse().unwrap();
        let step = |risk| if Decimal::ONE - risk <= edge { -1.0 } else { 1.0 };
        assert_eq!(achieved(step), edge);
        assert_eq!(achieved(|_| 1.0), Decimal::ZERO);
        assert_eq!(achieved(|_| f64::NAN), Decimal::ZERO);
        assert_eq!(achieved(|_| f64::INFINITY), Decimal::ZERO);
        assert_eq!(achieved(|_| -1.0), "0.999999999999".parse().unwrap());
    }

    #[test]
    fn few_steps_suffice() {
        for tolerable in [0.5, 1.0, 2.0, 3.0, 5.0] {
            let steps = std::cell::Cell::new(0);
            let found = achieved(|risk| {
                steps.set(steps.get() + 1);
                // no straight line
                let quantile = normal_quantile(decimal_to_float(risk));
                (0.6 + 0.3 * quantile).exp() - tolerable
            });
            let at = normal_tails((f64::ln(tolerable) - 0.6) / 0.3).0;
            assert!(
                (decimal_to_float(found) - at).abs() < 1e-8,
                "{tolerable}: {found} {at}"
            );
            assert!(steps.get() <= 20, "{tolerable}: {} steps", steps.get());
        }
    }

    #[test]
    fn the_conclusion_follows_the_rule() {
        assert_eq!(conclude(&6, &9, &5), Conclusion::Material);
        assert_eq!(conclude(&3, &4, &5), Conclusion::NotMaterial);
        assert_eq!(conclude(&3, &5, &5), Conclusion::Inconclusive);
        assert_eq!(conclude(&5, &9, &5), Conclusion::Inconclusive);
        let result = attribute(68, 2, "0.95".parse().unwrap()).unwrap();
        assert_eq!(result.conclude("0.09".parse().unwrap()), Conclusion::NotMaterial);
    }
}
