//! Student's t and the F distribution, both by the beta distribution (Abramowitz and Stegun 26.7.1, 26.6.2).

use super::beta::Beta;

/// Both tails of Student's t distribution with `df > 0` degrees of freedom at `t`: `(P(T <= t), P(T > t))`;
/// the smaller one is accurate relatively.
pub fn student_tails(df: f64, t: f64) -> (f64, f64) {
    let square = t * t;
    // t^2 / (df + t^2) has a beta distribution
    let x = 1.0 / (1.0 + df / square);
    let y = 1.0 / (1.0 + square / df);
    let outside = 0.5 * Beta::new(0.5, 0.5 * df).tails(x, y).1;
    if t < 0.0 {
        (outside, 1.0 - outside)
    } else {
        (1.0 - outside, outside)
    }
}

/// Quantile of Student's t distribution with `df > 0` degrees of freedom, given by its upper tail: the `t`
/// with `P(T > t) = upper_tail`, `0 < upper_tail < 1`; at and beyond these bounds the answer is infinite.
pub fn student_quantile(upper_tail: f64, df: f64) -> f64 {
    if upper_tail <= 0.0 || upper_tail >= 1.0 {
        return f64::INFINITY.copysign(0.5 - upper_tail);
    }
    let inside = 2.0 * (0.5 - upper_tail).abs();
    if inside <= 0.0 {
        return 0.0;
    }
    let outside = 2.0 * upper_tail.min(1.0 - upper_tail);
    let (x, y) = Beta::new(0.5, 0.5 * df).quantile((inside, outside));
    (df * x / y).sqrt().copysign(0.5 - upper_tail)
}

/// Quantile of the F distribution with `d1` and `d2` degrees of freedom, both positive, given by its upper
/// tail: the `f` with `P(F > f) = upper_tail`, `0 < upper_tail < 1`; at and beyond these bounds the answer is
/// 0 or infinite.
pub fn f_quantile(upper_tail: f64, d1: f64, d2: f64) -> f64 {
    if upper_tail <= 0.0 {
        return f64::INFINITY;
    }
    if upper_tail >= 1.0 {
        return 0.0;
    }
    let (x, y) = Beta::new(0.5 * d1, 0.5 * d2).quantile((1.0 - upper_tail, upper_tail));
    d2 / d1 * (x / y)
}
