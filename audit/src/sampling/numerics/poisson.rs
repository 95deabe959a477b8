//! The Poisson distribution: deviations where the number of trials does not matter, only their expected
//! number.

use super::{float, gamma::gamma_tails};

/// Both tails of the Poisson distribution: `(P(X <= k), P(X > k))` with the given `mean`, which is not
/// negative. The smaller one is accurate relatively.
pub fn poisson_tails(k: u64, mean: f64) -> (f64, f64) {
    if k == 0 && mean > 0.0 {
        return ((-mean).exp(), -(-mean).exp_m1());
    }
    let (lower, upper) = gamma_tails(float(k) + 1.0, mean);
    (upper, lower)
}
