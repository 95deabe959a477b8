//! The binomial distribution: deviations in a sample drawn with replacement, or from a population without
//! end.
//!
//! Source: the tails are those of a beta distribution (NIST DLMF 8.17.5).

use std::cmp::Ordering;

use num_bigint::BigInt;
use rust_decimal::Decimal;

use super::{
    beta::beta_tails,
    decimal_to_float,
    exact::{compare_with, power_of_ten, ways},
    float,
    hypergeometric::{LARGEST_EXACT, near},
};

/// Both tails of the binomial distribution: `(P(X <= k), P(X > k))` deviations in `n` independent trials at
/// `rate` (between 0 and 1). The smaller one is accurate relatively.
pub fn binomial_tails(k: u64, n: u64, rate: f64) -> (f64, f64) {
    if k >= n || rate <= 0.0 {
        return (1.0, 0.0);
    }
    if rate >= 1.0 {
        return (0.0, 1.0);
    }
    if k == 0 {
        let exponent = float(n) * (-rate).ln_1p();
        return (exponent.exp(), -exponent.exp_m1());
    }
    let (lower, upper) = beta_tails(float(k + 1), float(n - k), rate);
    (upper, lower)
}

/// Probability of at most `k` deviations in `n` independent trials at `rate` (between 0 and 1).
pub fn binomial_cdf(k: u64, n: u64, rate: f64) -> f64 {
    binomial_tails(k, n, rate).0
}

/// How `P(X <= k)` of `n` trials at `rate` compares with `risk`. Where floats are too near to tell (1e-11
/// relatively), whole numbers decide; if these would be too large (8,000 binary digits), the float that
/// stands.
pub fn binomial_compare(k: u64, n: u64, rate: Decimal, risk: Decimal) -> Ordering {
    let (lower, upper) = binomial_tails(k, n, decimal_to_float(rate));
    let by_float = if lower <= upper {
        near(lower, decimal_to_float(risk))
    } else {
        near(upper, decimal_to_float(Decimal::ONE - risk)).map(Ordering::reverse)
    };
    by_float
        .or_else(|| exact_compare(k, n, rate, risk))
        .unwrap_or_else(|| lower.total_cmp(&decimal_to_float(risk)))
}

/// The same in whole numbers; nothing where they would be too large.
fn exact_compare(k: u64, n: u64, rate: Decimal, risk: Decimal) -> Option<Ordering> {
    if k >= n || rate <= Decimal::ZERO {
        return Some(Decimal::ONE.cmp(&risk));
    }
    if rate >= Decimal::ONE {
        return Some(Decimal::ZERO.cmp(&risk));
    }
    let rate = rate.normalize();
    let trials = u32::try_from(n).ok()?;
    if float(n) * f64::from(rate.scale()) * std::f64::consts::LOG2_10 > LARGEST_EXACT {
        return None;
    }
    let one = power_of_ten(rate.scale());
    let deviates = BigInt::from(rate.mantissa());
    let other = &one - &deviates;
    // of the terms of (other + deviates)^n those up to k
    let mut sum = BigInt::from(0);
    let mut power = other.pow(trials - u32::try_from(k).ok()?) * ways(n, k);
    let mut left = deviates.pow(u32::try_from(k).ok()?);
    for i in (0..=k).rev() {
        sum += &power * &left;
        if i > 0 {
            power = power * &other * i / (n - i + 1);
            left /= &deviates;
        }
    }
    Some(compare_with(&sum, &one.pow(trials), risk))
}
