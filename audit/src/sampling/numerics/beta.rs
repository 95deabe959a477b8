//! The beta distribution: exact limits of rates.

use std::f64::consts::TAU;

use super::{
    MAX_TERMS, TINY,
    normal::normal_quantile,
    root::solve,
    saddle::{CONVERGED, deviance, stirling_rest},
};

/// Binomial probability of `x` in `n` at rate `p` (`q = 1 - p`), for real `0 < x < n`.
fn binomial_density(x: f64, n: f64, p: f64, q: f64) -> f64 {
    let y = n - x;
    // the smaller rate has the smaller rounding error
    let difference = if p < q { x - n * p } else { n * q - y };
    let divergence = deviance(x, n * p, difference) + deviance(y, n * q, -difference);
    let exponent = stirling_rest(n) - stirling_rest(x) - stirling_rest(y) - divergence;
    (n / (TAU * x * y)).sqrt() * exponent.exp()
}

/// Continued fraction of the incomplete beta function (DLMF 8.17.22).
fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    let guard = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / guard(1.0 - (a + b) * x / (a + 1.0));
    let mut value = d;
    for m in 1..MAX_TERMS {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / guard(1.0 + even * d);
        c = guard(1.0 + even / c);
        value *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / guard(1.0 + odd * d);
        c = guard(1.0 + odd / c);
        let change = d * c;
        value *= change;
        if (change - 1.0).abs() <= CONVERGED {
            break;
        }
    }
    value
}

/// `x^a (1-x)^b / B(a, b)` for `0 < x < 1`; `y = 1 - x` is given so that it need not be rounded twice.
fn beta_factor(a: f64, b: f64, x: f64, y: f64) -> f64 {
    binomial_density(a, a + b, x, y) * a * b / (a + b)
}

/// Both tails of the beta distribution at `x`: `(P(X <= x), P(X > x))`; the smaller one is accurate relatively.
pub fn beta_tails(a: f64, b: f64, x: f64) -> (f64, f64) {
    if x <= 0.0 {
        return (0.0, 1.0);
    }
    if x >= 1.0 {
        return (1.0, 0.0);
    }
    let y = 1.0 - x;
    let factor = beta_factor(a, b, x, y);
    if x < (a + 1.0) / (a + b + 2.0) {
        let lower = factor * beta_fraction(a, b, x) / a;
        (lower, 1.0 - lower)
    } else {
        let upper = factor * beta_fraction(b, a, y) / b;
        (1.0 - upper, upper)
    }
}

/// Quantile of the beta distribution, given by its upper tail: the `x` with `P(X > x) = tail`.
///
/// `a` and `b` are positive shapes, `0 < tail < 1`. Relative error below 1e-10 for shapes up to 1,000,000.
/// The one-sided Clopper-Pearson limit of `k` deviations in `n` is `beta_quantile(1 - CL, k + 1, n - k)`.
pub fn beta_quantile(tail: f64, a: f64, b: f64) -> f64 {
    #[expect(
        clippy::float_cmp,
        reason = "no deviation found: the closed form holds for exactly 1"
    )]
    if a == 1.0 {
        return -(tail.ln() / b).exp_m1();
    }
    let mean = a / (a + b);
    let normal = mean + normal_quantile(tail) * (mean * (1.0 - mean) / (a + b + 1.0)).sqrt();
    let start = if normal > 0.0 && normal < 1.0 {
        normal
    } else {
        mean
    };
    solve(tail, start, 0.0, 1.0, |x| {
        let density = beta_factor(a, b, x, 1.0 - x) / (x * (1.0 - x));
        (beta_tails(a, b, x), density)
    })
}
