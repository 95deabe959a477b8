//! The gamma distribution and the logarithm of the gamma function.

use std::f64::consts::TAU;

use super::{
    MAX_TERMS, TINY,
    normal::normal_quantile,
    root::solve,
    saddle::{CONVERGED, deviance, stirling_rest},
};

/// Natural logarithm of the gamma function for `z > 0`.
pub fn ln_gamma(z: f64) -> f64 {
    let mut shifted = z;
    let mut product = 1.0;
    while shifted < 16.0 {
        product *= shifted;
        shifted += 1.0;
    }
    let below = shifted - 1.0;
    (below + 0.5) * below.ln() - below + 0.5 * TAU.ln() + stirling_rest(below) - product.ln()
}

/// Both tails of the gamma distribution (scale 1) at `x`: `(P(X <= x), P(X > x))`.
pub fn gamma_tails(shape: f64, x: f64) -> (f64, f64) {
    if x <= 0.0 {
        return (0.0, 1.0);
    }
    // x^shape e^-x / Γ(shape + 1)
    let factor = gamma_factor(shape, x);
    if x < shape + 1.0 {
        let mut term = 1.0;
        let mut sum = 1.0;
        let mut divisor = shape;
        for _ in 0..MAX_TERMS {
            divisor += 1.0;
            term *= x / divisor;
            sum += term;
            if term <= CONVERGED * sum {
                break;
            }
        }
        let lower = factor * sum;
        (lower, 1.0 - lower)
    } else {
        let upper = factor * shape * gamma_fraction(shape, x);
        (1.0 - upper, upper)
    }
}

/// `x^shape e^-x / Γ(shape + 1)`.
fn gamma_factor(shape: f64, x: f64) -> f64 {
    (-stirling_rest(shape) - deviance(shape, x, shape - x)).exp() / (TAU * shape).sqrt()
}

/// Continued fraction of the upper incomplete gamma function without its leading factor (DLMF 8.9.2).
fn gamma_fraction(shape: f64, x: f64) -> f64 {
    let mut b = x + 1.0 - shape;
    let mut c = 1.0 / TINY;
    let mut d = 1.0 / b;
    let mut value = d;
    for i in 1..MAX_TERMS {
        let i = f64::from(i);
        let numerator = -i * (i - shape);
        b += 2.0;
        d = numerator * d + b;
        if d.abs() < TINY {
            d = TINY;
        }
        c = b + numerator / c;
        if c.abs() < TINY {
            c = TINY;
        }
        d = 1.0 / d;
        let change = d * c;
        value *= change;
        if (change - 1.0).abs() <= CONVERGED {
            break;
        }
    }
    value
}

/// Quantile of the gamma distribution with scale 1, given by its upper tail: the `x` with `P(X > x) = tail`.
///
/// `shape` is positive, `0 < tail < 1`. Relative error below 1e-10 for shapes up to 1,000,000.
pub fn gamma_quantile(tail: f64, shape: f64) -> f64 {
    // Wilson and Hilferty: the cube root is nearly normal
    let root = 1.0 - 1.0 / (9.0 * shape) + normal_quantile(tail) / (3.0 * shape.sqrt());
    let start = if root > 0.1 { shape * root.powi(3) } else { shape };
    let highest = shape + 40.0 * shape.sqrt() + 800.0;
    solve(tail, start, 0.0, highest, |x| {
        (gamma_tails(shape, x), gamma_factor(shape, x) * shape / x)
    })
}
