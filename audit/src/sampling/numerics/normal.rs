//! The normal distribution.

use super::gamma::gamma_tails;

/// Both tails of the standard normal distribution at `x`: `(P(X <= x), P(X > x))`; the smaller one is accurate
/// relatively.
pub fn normal_tails(x: f64) -> (f64, f64) {
    let outside = 0.5 * gamma_tails(0.5, 0.5 * x * x).1;
    if x < 0.0 {
        (outside, 1.0 - outside)
    } else {
        (1.0 - outside, outside)
    }
}

/// Quantile of the standard normal distribution, given by its upper tail: the `x` with `P(X > x) = upper_tail`,
/// `0 < upper_tail < 1`.
pub fn normal_quantile(upper_tail: f64) -> f64 {
    let mut x = start(upper_tail);
    for _ in 0..4 {
        let (lower, upper) = normal_tails(x);
        let excess = if upper_tail < 0.5 {
            upper - upper_tail
        } else {
            (1.0 - upper_tail) - lower
        };
        let step = excess / ((-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt());
        x += step / (1.0 + 0.5 * x * step);
    }
    x
}

/// Normal quantile to three decimals (Hastings 1955, in Abramowitz and Stegun 26.2.23), for start values only.
fn start(tail: f64) -> f64 {
    let t = (-2.0 * tail.min(1.0 - tail).ln()).sqrt();
    let numerator = 2.515_517 + t * (0.802_853 + t * 0.010_328);
    let denominator = 1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308));
    (t - numerator / denominator).copysign(0.5 - tail)
}
