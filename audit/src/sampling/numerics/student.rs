//! Student's t and the F distribution.

use super::beta::{beta_quantile, beta_tails};

/// Both tails of Student's t distribution with `df > 0` degrees of freedom at `t`: `(P(T <= t), P(T > t))`.
pub fn student_tails(df: f64, t: f64) -> (f64, f64) {
    let outside = 0.5 * beta_tails(0.5, 0.5 * df, t * t / (df + t * t)).1;
    if t < 0.0 {
        (outside, 1.0 - outside)
    } else {
        (1.0 - outside, outside)
    }
}

/// Quantile of Student's t distribution with `df > 0` degrees of freedom, given by its upper tail: the `t` with
/// `P(T > t) = upper_tail`, `0 < upper_tail < 1`.
pub fn student_quantile(upper_tail: f64, df: f64) -> f64 {
    let x = beta_quantile(2.0 * upper_tail.min(1.0 - upper_tail), 0.5, 0.5 * df);
    (df * x / (1.0 - x)).sqrt().copysign(0.5 - upper_tail)
}

/// Quantile of the F distribution with `d1` and `d2` degrees of freedom, given by its upper tail: the `f` with
/// `P(F > f) = upper_tail`, `0 < upper_tail < 1`.
pub fn f_quantile(upper_tail: f64, d1: f64, d2: f64) -> f64 {
    let x = beta_quantile(upper_tail, 0.5 * d1, 0.5 * d2);
    d2 * x / (d1 * (1.0 - x))
}
