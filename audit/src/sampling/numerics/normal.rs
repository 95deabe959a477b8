//! The normal distribution.
//!
//! Sources: power series around 0 (Abramowitz and Stegun 26.2.11), continued fraction outside (of the
//! incomplete gamma function, NIST DLMF 8.9.2). Quantiles by Halley's method from a start value good to three
//! decimals (C. Hastings 1955, in Abramowitz and Stegun 26.2.23).

use std::f64::consts::TAU;

use super::{gamma::gamma_fraction, saddle::CONVERGED};

/// Both tails of the standard normal distribution at `x`: `(P(X <= x), P(X > x))`; the smaller one is
/// accurate relatively. Both are NaN if `x` is.
pub fn normal_tails(x: f64) -> (f64, f64) {
    // the continued fraction would look for its end in vain
    if x.is_nan() {
        return (f64::NAN, f64::NAN);
    }
    if x.is_infinite() {
        return if x < 0.0 { (0.0, 1.0) } else { (1.0, 0.0) };
    }
    let outside = if x.abs() < 2.0 {
        0.5 - centre(x.abs())
    } else {
        outside(x.abs())
    };
    if x < 0.0 {
        (outside, 1.0 - outside)
    } else {
        (1.0 - outside, outside)
    }
}

/// Quantile of the standard normal distribution, given by its upper tail: the `x` with `P(X > x) =
/// upper_tail`.
///
/// `0 < upper_tail < 1`; at and beyond these bounds the answer is infinite. Relative error below 1e-14, near
/// the median too. NaN if `upper_tail` is.
pub fn normal_quantile(upper_tail: f64) -> f64 {
    if upper_tail.is_nan() {
        return f64::NAN;
    }
    if upper_tail <= 0.0 || upper_tail >= 1.0 {
        return f64::INFINITY.copysign(0.5 - upper_tail);
    }
    let tail = upper_tail.min(1.0 - upper_tail);
    let mut x = start(tail);
    for _ in 0..8 {
        let newton = if tail > 0.023 {
            (0.5 - tail - centre(x)) / density(x)
        } else {
            // the logarithm of the tail is nearly straight
            let outside = outside(x);
            (outside / tail).ln() * outside / density(x)
        };
        let bend = if tail > 0.023 {
            -x
        } else {
            density(x) / outside(x) - x
        };
        let step = newton / (1.0 + 0.5 * newton * bend);
        x += step;
        if step.abs() < 1e-5 * x {
            break;
        }
    }
    x.copysign(0.5 - upper_tail)
}

/// Density at `x`.
fn density(x: f64) -> f64 {
    let square = x * x;
    // what the square lost in rounding
    let rest = x.mul_add(x, -square);
    (-0.5 * square).exp() * (1.0 - 0.5 * rest) / TAU.sqrt()
}

/// `P(0 < X <= x)` for moderate `x >= 0`.
fn centre(x: f64) -> f64 {
    let mut term = x;
    let mut sum = x;
    let mut odd = 1.0;
    while term > CONVERGED * sum {
        odd += 2.0;
        term *= x * x / odd;
        sum += term;
    }
    density(x) * sum
}

/// `P(X > x)` for `x` not near 0.
fn outside(x: f64) -> f64 {
    0.5 * density(x) * x * gamma_fraction(0.5, 0.5 * x * x)
}

/// Quantile to three decimals for a tail up to a half.
fn start(tail: f64) -> f64 {
    let t = (-2.0 * tail.ln()).sqrt();
    let numerator = 2.515_517 + t * (0.802_853 + t * 0.010_328);
    let denominator = 1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308));
    (t - numerator / denominator).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A hundred million terms of the fraction, twenty times, take far longer than the second.
    #[test]
    fn what_is_no_number_is_answered_at_once() {
        let start = std::time::Instant::now();
        for _ in 0..20 {
            let (lower, upper) = normal_tails(std::hint::black_box(f64::NAN));
            assert!(lower.is_nan() && upper.is_nan());
            assert!(normal_quantile(std::hint::black_box(f64::NAN)).is_nan());
        }
        assert!(start.elapsed() < std::time::Duration::from_secs(1));
    }

    /// Values of 40 digits by mpmath: the rounding of the square counts here.
    #[test]
    fn the_farthest_tails_keep_their_digits() {
        for (x, expected) in [
            (30.1, 2.422_667_217_985_758_8e-199),
            (36.7, 3.651_529_302_803_418e-295),
        ] {
            assert!((normal_tails(x).1 / expected - 1.0).abs() < 1e-14, "{x}");
            assert!((normal_tails(-x).0 / expected - 1.0).abs() < 1e-14, "{x}");
        }
    }
}
