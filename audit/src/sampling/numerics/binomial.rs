//! The binomial distribution: deviations in a sample drawn with replacement, or from a population without end.

use super::{beta::beta_tails, float};

/// Both tails of the binomial distribution: `(P(X <= k), P(X > k))` deviations in `n` independent trials at `rate`
/// (between 0 and 1). The smaller one is accurate relatively.
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
