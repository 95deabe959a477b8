//! What a result says about the tolerable error, and with which confidence it could say it.

use rust_decimal::Decimal;
use serde::Serialize;

/// Steps of a confidence that is looked for: twelve decimal places.
const GRID: i64 = 1_000_000_000_000;

/// What follows for the tolerable error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
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

/// The largest confidence, with twelve places, at which a limit stays below the tolerable error; 0 if none.
///
/// `below` says for a risk (one minus the confidence) whether the limit does; it must hold for smaller confidences where
/// it holds for a larger one.
pub(super) fn achieved(below: impl Fn(Decimal) -> bool) -> Decimal {
    let (mut low, mut high) = (0, GRID);
    // below at `low` (or nowhere), not below at `high`
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if below(Decimal::new(GRID - middle, 12)) {
            low = middle;
        } else {
            high = middle;
        }
    }
    Decimal::new(low, 12)
}

#[cfg(test)]
mod tests {
    use super::super::attribute;
    use super::*;

    #[test]
    fn the_achieved_confidence_is_the_last_one_below() {
        let edge: Decimal = "0.123456789012".parse().unwrap();
        assert_eq!(achieved(|risk| Decimal::ONE - risk <= edge), edge);
        assert_eq!(achieved(|_| false), Decimal::ZERO);
        assert_eq!(achieved(|_| true), "0.999999999999".parse().unwrap());
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
