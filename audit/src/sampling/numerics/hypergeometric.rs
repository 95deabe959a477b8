//! The hypergeometric distribution: deviations in a sample drawn without replacement.

use rust_decimal::Decimal;

use super::{
    decimal_to_float, first_true, float,
    saddle::{deviance, factorial_rest},
};

/// Both tails of the hypergeometric distribution: `(P(X <= k), P(X > k))` deviations in a sample of `size` items, drawn
/// without replacement from a `population` in which `deviating` items deviate. The smaller one is accurate relatively.
///
/// `size` and `deviating` above the population are taken as the population.
pub fn hypergeometric_tails(k: u64, population: u64, deviating: u64, size: u64) -> (f64, f64) {
    let (deviating, size) = (deviating.min(population), size.min(population));
    let least = (deviating + size).saturating_sub(population);
    if k < least {
        return (0.0, 1.0);
    }
    if k >= deviating.min(size) {
        return (1.0, 0.0);
    }
    let mean = float(deviating) * float(size) / float(population);
    if float(k) < mean {
        let lower = density(k, population, deviating, size) * downward(k, population, deviating, size);
        (lower, 1.0 - lower)
    } else {
        // deviating and other items change places
        let (k, deviating) = (size - k - 1, population - deviating);
        let upper = density(k, population, deviating, size) * downward(k, population, deviating, size);
        (1.0 - upper, upper)
    }
}

/// `P(X = k)` for a `k` that can be.
fn density(k: u64, population: u64, deviating: u64, size: u64) -> f64 {
    let (others, rest) = (population - deviating, population - size);
    let product = |a: u64, b: u64| i128::from(a) * i128::from(b);
    #[expect(
        clippy::cast_precision_loss,
        reason = "rounded once, after the exact difference"
    )]
    let difference = (product(k, population) - product(deviating, size)) as f64 / float(population);
    let expected = |a: u64, b: u64| float(a) * float(b) / float(population);
    let deviances = deviance(float(k), expected(deviating, size), difference)
        + deviance(float(deviating - k), expected(deviating, rest), -difference)
        + deviance(float(size - k), expected(others, size), -difference)
        + deviance(float(others + k - size), expected(others, rest), difference);
    let margins = [deviating, others, size, rest].map(|n| factorial_rest(float(n)));
    let cells = [k, deviating - k, size - k, others + k - size, population].map(|n| factorial_rest(float(n)));
    (margins.iter().sum::<f64>() - cells.iter().sum::<f64>() - deviances).exp()
}

/// `P(X <= k) / P(X = k)`, by the recurrence downward from `k`, which lies below the mean.
fn downward(k: u64, population: u64, deviating: u64, size: u64) -> f64 {
    let mut below = float(k);
    let mut others = float(population + k - deviating - size);
    let mut left = float(deviating - k);
    let mut more = float(size - k);
    let mut term = 1.0;
    let mut sum = 1.0;
    while below > 0.0 && others > 0.0 {
        left += 1.0;
        more += 1.0;
        term *= below * others / (left * more);
        sum += term;
        if term < 1e-17 * sum {
            break;
        }
        below -= 1.0;
        others -= 1.0;
    }
    sum
}

/// The largest number of deviating items that a sample does not speak against: `max{K : P(X <= k) > risk}`, with `k`
/// deviations found in `size` of `population` items; `0 < risk < 1`.
pub fn hypergeometric_upper(population: u64, size: u64, k: u64, risk: Decimal) -> u64 {
    let risk = decimal_to_float(risk);
    let size = size.min(population);
    let k = k.min(size);
    if k >= size {
        return population;
    }
    // at `highest` fewer than size - k items are in order: that many cannot be
    let highest = population - (size - k) + 1;
    first_true(k + 1, highest, |deviating| {
        hypergeometric_tails(k, population, deviating, size).0 <= risk
    }) - 1
}

/// The smallest number of deviating items that a sample does not speak against: `min{K : P(X >= k) > risk}`, with `k`
/// deviations found in `size` of `population` items; `0 < risk < 1`.
pub fn hypergeometric_lower(population: u64, size: u64, k: u64, risk: Decimal) -> u64 {
    let size = size.min(population);
    let k = k.min(size);
    population - hypergeometric_upper(population, size, size - k, risk)
}
