//! Quantiles and tail probabilities of the beta, gamma and binomial distributions, and exact sums of fractions.
//!
//! Accuracy: quantiles within 1e-10 relative for shapes up to 1,000,000. Measured on `vectors.csv`, a table computed
//! with 50 digits by `tests/oracles/quantiles.py`: 1e-12 at worst. The error of beta and
//! binomial grows in proportion to the size beyond that.
//!
//! Sources, all implemented here from the formulas:
//! - regularised incomplete beta by its continued fraction (NIST DLMF 8.17.22) with the method of modified Lentz
//! - regularised incomplete gamma by series (DLMF 8.11.4) and continued fraction (DLMF 8.9.2)
//! - their leading factors in saddle-point form (C. Loader 2000, Fast and Accurate Computation of Binomial
//!   Probabilities): the difference of log-gammas of a million would lose six digits
//! - log-gamma by Stirling's series (DLMF 5.11.1) after shifting the argument to 15 or more
//!
//! Quantiles start from a normal approximation and are solved by Newton's method inside a bracket. (The crate `puruspe`
//! 0.4.4 would give closer ones, but panics in the gamma quantile for shapes from 100 at probabilities up to 0.1.)

#![expect(clippy::many_single_char_names, reason = "the letters of the formulas")]

use std::f64::consts::TAU;

use num_bigint::{BigInt, Sign};
use rust_decimal::Decimal;

/// Smallest magnitude a denominator of a continued fraction may take (modified Lentz).
const TINY: f64 = 1e-300;
/// Relative change at which series, fractions and Newton steps have converged.
const CONVERGED: f64 = 2e-16;
/// No fraction needs more terms: they grow with the root of the shape.
const MAX_TERMS: u32 = 200_000;

/// A count as a float. Exact up to 2^53; beyond that half a unit in the last place, far below the stated tolerance.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts above 2^53 need no more than 53 bits here"
)]
pub fn float(count: u64) -> f64 {
    count as f64
}

/// A decimal as the nearest float (within one unit in the last place).
#[expect(
    clippy::cast_precision_loss,
    reason = "96 bits to 53: the rounding is the purpose"
)]
pub fn decimal_to_float(value: Decimal) -> f64 {
    let scale = i32::try_from(value.scale()).unwrap_or(28);
    value.mantissa() as f64 / 10f64.powi(scale)
}

/// What Stirling's formula leaves over: `ln Γ(z + 1) - ((z + 1/2) ln z - z + ln(2π)/2)`, for `z > 0`.
fn stirling_rest(z: f64) -> f64 {
    if z < 15.0 {
        return ln_gamma(z + 1.0) - ((z + 0.5) * z.ln() - z + 0.5 * TAU.ln());
    }
    let s = 1.0 / (z * z);
    let series = 1.0 / 12.0 - s * (1.0 / 360.0 - s * (1.0 / 1260.0 - s * (1.0 / 1680.0 - s / 1188.0)));
    series / z
}

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

/// Deviance term `x ln(x/m) + m - x`, without cancellation where `x` is near `m`; `difference` is `x - m`, which the
/// caller may know better than `m`.
fn deviance(x: f64, m: f64, difference: f64) -> f64 {
    let v = difference / (x + m);
    if v.abs() >= 0.1 {
        return x * (x / m).ln() - difference;
    }
    // x ln((1+v)/(1-v)) - difference with the odd powers of v
    let square = v * v;
    let mut sum = difference * v;
    let mut power = 2.0 * x * v;
    let mut odd = 3.0;
    loop {
        power *= square;
        let next = sum + power / odd;
        if (next - sum).abs() <= CONVERGED * sum.abs() {
            return next;
        }
        sum = next;
        odd += 2.0;
    }
}

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

/// Normal quantile to three decimals (Hastings 1955, in Abramowitz and Stegun 26.2.23), for start values only.
fn normal_quantile(tail: f64) -> f64 {
    let t = (-2.0 * tail.min(1.0 - tail).ln()).sqrt();
    let numerator = 2.515_517 + t * (0.802_853 + t * 0.010_328);
    let denominator = 1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308));
    (t - numerator / denominator).copysign(0.5 - tail)
}

/// Newton's method on the distribution function, kept inside a bracket that shrinks with every evaluation.
fn solve(
    tail: f64,
    start: f64,
    mut low: f64,
    mut high: f64,
    tails_and_density: impl Fn(f64) -> ((f64, f64), f64),
) -> f64 {
    let mut x = start;
    for _ in 0..200 {
        let ((lower, upper), density) = tails_and_density(x);
        // the smaller tail carries more digits
        let excess = if tail < 0.5 {
            tail - upper
        } else {
            lower - (1.0 - tail)
        };
        if excess < 0.0 {
            low = x;
        } else {
            high = x;
        }
        let newton = x - excess / density;
        let next = if newton > low && newton < high {
            newton
        } else {
            f64::midpoint(low, high)
        };
        if (next - x).abs() <= 4.0 * CONVERGED * x {
            return next;
        }
        x = next;
    }
    x
}

/// Probability of at most `k` deviations in `n` independent trials at `rate` (between 0 and 1).
pub fn binomial_cdf(k: u64, n: u64, rate: f64) -> f64 {
    if k >= n || rate <= 0.0 {
        return 1.0;
    }
    if k == 0 {
        return (float(n) * (-rate).ln_1p()).exp();
    }
    beta_tails(float(k + 1), float(n - k), rate).1
}

/// Exact sum of fractions as numerator and positive denominator, not reduced. Denominators must be positive.
pub(super) fn sum_fractions(terms: &[(BigInt, BigInt)]) -> (BigInt, BigInt) {
    match terms {
        [] => (BigInt::from(0), BigInt::from(1)),
        [(numerator, denominator)] => (numerator.clone(), denominator.clone()),
        _ => {
            // halves of like size, so that large numbers meet large numbers only
            let (left, right) = terms.split_at(terms.len() / 2);
            let (a, b) = sum_fractions(left);
            let (c, d) = sum_fractions(right);
            (a * &d + c * &b, b * d)
        }
    }
}

/// `numerator / denominator` rounded half to even; the denominator is positive.
pub(super) fn divide_half_even(numerator: &BigInt, denominator: &BigInt) -> BigInt {
    let (quotient, rest) = divide_floor(numerator, denominator);
    let twice: BigInt = rest * 2;
    let odd = quotient.bit(0);
    if twice > *denominator || (twice == *denominator && odd) {
        quotient + 1
    } else {
        quotient
    }
}

/// `numerator / denominator` rounded up; the denominator is positive.
pub(super) fn divide_up(numerator: &BigInt, denominator: &BigInt) -> BigInt {
    let (quotient, rest) = divide_floor(numerator, denominator);
    if rest.sign() == Sign::NoSign {
        quotient
    } else {
        quotient + 1
    }
}

fn divide_floor(numerator: &BigInt, denominator: &BigInt) -> (BigInt, BigInt) {
    let quotient = numerator / denominator;
    let rest = numerator - &quotient * denominator;
    if rest.sign() == Sign::Minus {
        (quotient - 1, rest + denominator)
    } else {
        (quotient, rest)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TOLERANCE: f64 = 1e-10;

    /// Rows of `family,tail,first,second,expected`; see `tests/oracles/quantiles.py`.
    fn vectors(family: &str) -> Vec<[f64; 4]> {
        let rows: Vec<[f64; 4]> = include_str!("vectors.csv")
            .lines()
            .filter_map(|line| line.strip_prefix(family)?.strip_prefix(','))
            .map(|rest| {
                let cells: Vec<f64> = rest.split(',').map(|cell| cell.parse().unwrap()).collect();
                cells.try_into().unwrap()
            })
            .collect();
        assert!(rows.len() >= 45, "{family}: only {} vectors", rows.len());
        rows
    }

    fn check(family: &str, computed: impl Fn(f64, f64, f64) -> f64) {
        let mut worst = 0f64;
        for [tail, first, second, expected] in vectors(family) {
            let value = computed(tail, first, second);
            let error = ((value - expected) / expected).abs();
            assert!(
                error < TOLERANCE,
                "{family}({tail}, {first}, {second}) = {value}, not {expected}: {error:e}"
            );
            worst = worst.max(error);
        }
        println!("{family}: worst relative error {worst:e}");
    }

    #[test]
    fn beta_quantiles_match_fifty_digits() {
        check("beta", beta_quantile);
    }

    #[test]
    fn gamma_quantiles_match_fifty_digits() {
        check("gamma", |tail, shape, _| gamma_quantile(tail, shape));
    }

    #[test]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole numbers in the table"
    )]
    fn binomial_probabilities_match_fifty_digits() {
        check("binomial", |rate, k, n| binomial_cdf(k as u64, n as u64, rate));
    }

    #[test]
    fn log_gamma_matches_known_values() {
        assert!(ln_gamma(1.0).abs() < 1e-14);
        assert!((ln_gamma(0.5) - 0.572_364_942_924_700_1).abs() < 1e-14);
        assert!((ln_gamma(10.0) - 12.801_827_480_081_469).abs() < 1e-13);
        assert!((ln_gamma(1e6) - 12_815_504.569_147_612).abs() < 1e-7);
    }

    #[test]
    fn division_rounds_as_named() {
        let case = |n: i64, d: i64| {
            let (n, d) = (BigInt::from(n), BigInt::from(d));
            (divide_half_even(&n, &d), divide_up(&n, &d))
        };
        assert_eq!(case(5, 2), (2.into(), 3.into()));
        assert_eq!(case(7, 2), (4.into(), 4.into()));
        assert_eq!(case(-5, 2), ((-2).into(), (-2).into()));
        assert_eq!(case(-7, 2), ((-4).into(), (-3).into()));
        assert_eq!(case(6, 3), (2.into(), 2.into()));
    }

    proptest! {
        #[test]
        fn a_quantile_has_its_tail(k in 0u64..500, more in 1u64..5_000, tail in 0.001f64..0.999) {
            let (a, b) = (float(k + 1), float(more));
            let x = beta_quantile(tail, a, b);
            prop_assert!((beta_tails(a, b, x).1 - tail).abs() < 1e-12);
            let x = gamma_quantile(tail, a + 0.3);
            prop_assert!((gamma_tails(a + 0.3, x).1 - tail).abs() < 1e-12);
        }
    }
}
