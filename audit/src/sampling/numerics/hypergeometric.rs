//! The hypergeometric distribution: deviations in a sample drawn without replacement.
//!
//! Sources: one probability in saddle-point form (after C. Loader 2000, here by the deviances of all four
//! cells of the table, whose differences from expectation are equal and formed in whole numbers), the tail
//! from it by recurrence away from the mean. Limits as Talens 2005 defines them. The search uses the exact
//! difference of the distribution function for one deviating item more, and as start Wise's binomial
//! approximation (1954).

use std::cmp::Ordering;

use num_bigint::BigInt;
use rust_decimal::Decimal;

use super::{
    beta, decimal_to_float,
    exact::{compare_with, ways},
    first_true, float,
    saddle::{deviance, factorial_rest},
};

/// Relative distance of a probability from a risk below which floats do not decide. Measured errors stay
/// below a hundredth of it.
pub(super) const TIE: f64 = 1e-11;
/// Digits (binary) of the largest number of samples that is formed to decide a tie; half a millisecond.
pub(super) const LARGEST_EXACT: f64 = 8_000.0;

/// A population, what deviates in it, and a sample.
#[derive(Debug, Clone, Copy)]
struct Draw {
    population: u64,
    deviating: u64,
    others: u64,
    size: u64,
    /// What stays outside the sample.
    rest: u64,
}

impl Draw {
    fn new(population: u64, deviating: u64, size: u64) -> Self {
        let (deviating, size) = (deviating.min(population), size.min(population));
        Self {
            population,
            deviating,
            others: population - deviating,
            size,
            rest: population - size,
        }
    }

    /// Deviating and other items in each other's place.
    fn mirrored(self) -> Self {
        Self {
            deviating: self.others,
            others: self.deviating,
            ..self
        }
    }

    /// The fewest deviating items that the sample can hold.
    fn least(&self) -> u64 {
        self.size.saturating_sub(self.others)
    }

    /// The most deviating items that the sample can hold.
    fn most(&self) -> u64 {
        self.deviating.min(self.size)
    }

    /// `k` less the mean.
    #[expect(clippy::cast_precision_loss, reason = "rounded after the exact difference")]
    fn difference(&self, k: u64) -> f64 {
        let product = |a: u64, b: u64| u128::from(a) * u128::from(b);
        let (observed, expected) = (product(k, self.population), product(self.deviating, self.size));
        let distance = observed.abs_diff(expected) as f64 / float(self.population);
        if observed < expected { -distance } else { distance }
    }

    /// `P(X = k)` for a `k` that can be.
    fn probability(&self, k: u64) -> f64 {
        let Self {
            population,
            deviating,
            others,
            size,
            rest,
        } = *self;
        let cells = [k, deviating - k, size - k, rest - (deviating - k)];
        let expected = |a: u64, b: u64| float(a) * (float(b) / float(population));
        let difference = self.difference(k);
        let deviances = deviance(float(cells[0]), expected(deviating, size), difference)
            + deviance(float(cells[1]), expected(deviating, rest), -difference)
            + deviance(float(cells[2]), expected(others, size), -difference)
            + deviance(float(cells[3]), expected(others, rest), difference);
        let sum = |counts: &[u64]| {
            counts
                .iter()
                .map(|count| factorial_rest(float(*count)))
                .sum::<f64>()
        };
        (sum(&[deviating, others, size, rest]) - sum(&cells) - sum(&[population]) - deviances).exp()
    }

    /// `P(X <= k)` for a `k` that can be, by the recurrence downward: short where `k` does not lie above the
    /// mean.
    fn at_most(&self, k: u64) -> f64 {
        let mut found = float(k);
        let mut left = float(self.deviating - k);
        let mut other = float(self.size - k);
        let mut other_left = float(self.rest - (self.deviating - k));
        let mut term = 1.0;
        let mut sum = 1.0;
        while term > 1e-17 * sum && found > 0.0 && other_left > 0.0 {
            left += 1.0;
            other += 1.0;
            term *= found * other_left / (left * other);
            sum += term;
            found -= 1.0;
            other_left -= 1.0;
        }
        self.probability(k) * sum
    }

    /// `(P(X <= k), P(X > k))`.
    fn tails(&self, k: u64) -> (f64, f64) {
        if k < self.least() {
            return (0.0, 1.0);
        }
        if k >= self.most() {
            return (1.0, 0.0);
        }
        if self.difference(k) < 0.0 {
            let lower = self.at_most(k);
            if lower < 0.6 {
                return (lower, 1.0 - lower);
            }
        }
        let upper = self.mirrored().at_most(self.size - k - 1);
        (1.0 - upper, upper)
    }

    /// `P(X <= k)` as numerator and denominator, for a `k` that can be; nothing where they are too large.
    fn exact(&self, k: u64) -> Option<(BigInt, BigInt)> {
        let chosen = self.size.min(self.rest).max(1);
        // C(N, n) is below (e N / n)^n
        if float(chosen) * (1.0 + (float(self.population) / float(chosen)).ln())
            > LARGEST_EXACT * std::f64::consts::LN_2
        {
            return None;
        }
        let all = ways(self.population, self.size);
        // the side with fewer terms
        Some(if k - self.least() <= self.most() - k {
            (self.ways_at_most(k), all)
        } else {
            (&all - self.mirrored().ways_at_most(self.size - k - 1), all)
        })
    }

    /// The samples that hold at most `k` deviating items.
    fn ways_at_most(&self, k: u64) -> BigInt {
        let product = |a: u64, b: u64| u128::from(a) * u128::from(b);
        let mut term = ways(self.deviating, k) * ways(self.others, self.size - k);
        let mut sum = term.clone();
        for found in (self.least() + 1..=k).rev() {
            let (left, other) = (self.deviating - found, self.size - found);
            term = term * product(found, self.rest - left) / product(left + 1, other + 1);
            sum += &term;
        }
        sum
    }
}

/// Both tails of the hypergeometric distribution: `(P(X <= k), P(X > k))` deviations in a sample of `size`
/// items, drawn without replacement from a `population` in which `deviating` items deviate. The smaller one
/// is accurate relatively.
///
/// `size` and `deviating` above the population are taken as the population. The time grows with the standard
/// deviation of `X`.
pub fn hypergeometric_tails(k: u64, population: u64, deviating: u64, size: u64) -> (f64, f64) {
    Draw::new(population, deviating, size).tails(k)
}

/// How `P(X <= k)` compares with `risk`, in whole numbers; nothing where the number of possible samples has
/// more than 8,000 binary digits. Arguments as for [`hypergeometric_tails`].
pub fn hypergeometric_exact_compare(
    k: u64,
    population: u64,
    deviating: u64,
    size: u64,
    risk: Decimal,
) -> Option<Ordering> {
    let draw = Draw::new(population, deviating, size);
    if k < draw.least() {
        return Some(Decimal::ZERO.cmp(&risk));
    }
    if k >= draw.most() {
        return Some(Decimal::ONE.cmp(&risk));
    }
    let (numerator, denominator) = draw.exact(k)?;
    Some(compare_with(&numerator, &denominator, risk))
}

/// How `P(X <= k)` compares with `risk`. Where floats are too near to tell (1e-11 relatively), whole numbers
/// decide; if these would be too large, the float that stands.
pub fn hypergeometric_compare(k: u64, population: u64, deviating: u64, size: u64, risk: Decimal) -> Ordering {
    let (lower, upper) = hypergeometric_tails(k, population, deviating, size);
    let by_float = if lower <= upper {
        near(lower, decimal_to_float(risk))
    } else {
        near(upper, decimal_to_float(Decimal::ONE - risk)).map(Ordering::reverse)
    };
    by_float
        .or_else(|| hypergeometric_exact_compare(k, population, deviating, size, risk))
        .unwrap_or_else(|| lower.total_cmp(&decimal_to_float(risk)))
}

/// How two floats compare; nothing where they are too near to tell.
pub(super) fn near(value: f64, bound: f64) -> Option<Ordering> {
    if (value - bound).abs() <= TIE * bound.abs() {
        return None;
    }
    value.partial_cmp(&bound)
}

/// The largest number of deviating items that a sample does not speak against: `max{K : P(X <= k) > risk}`,
/// with `k` deviations found in `size` of `population` items; `0 < risk < 1`. Ties as
/// [`hypergeometric_compare`] decides them.
///
/// Of figures that cannot be, `size` above the population is taken as the population and `k` above `size` as
/// `size`; without a `K` that satisfies (a risk of 1) the answer is 0.
pub fn hypergeometric_upper(population: u64, size: u64, k: u64, risk: Decimal) -> u64 {
    let size = size.min(population);
    let k = k.min(size);
    if risk >= Decimal::ONE {
        return 0;
    }
    if k == size {
        return population;
    }
    // with more, fewer than size - k items would be in order
    let most = population - (size - k);
    if risk <= Decimal::ZERO {
        return most;
    }
    let (risk_float, confidence) = (decimal_to_float(risk), decimal_to_float(Decimal::ONE - risk));
    let supports =
        |deviating: u64| hypergeometric_compare(k, population, deviating, size, risk) == Ordering::Greater;
    let near = newton(population, size, k, (risk_float, confidence)).clamp(k, most);
    // the limit lies between `low`, which is supported, and `high`, which is not: at most most + 1
    let (mut low, mut high) = (near, near);
    let mut width = 1;
    if supports(near) {
        loop {
            high = (low + width).min(most + 1);
            if high > most || !supports(high) {
                break;
            }
            low = high;
            width *= 2;
        }
    } else {
        loop {
            low = high.saturating_sub(width).max(k);
            if low == k || supports(low) {
                break;
            }
            high = low;
            width *= 2;
        }
    }
    first_true(low + 1, high, |deviating| !supports(deviating)) - 1
}

/// The smallest number of deviating items that a sample does not speak against: `min{K : P(X >= k) > risk}`,
/// with `k` deviations found in `size` of `population` items; `0 < risk < 1`. Ties as
/// [`hypergeometric_compare`] decides them.
///
/// Of figures that cannot be, `size` above the population is taken as the population and `k` above `size` as
/// `size`; without a `K` that satisfies (a risk of 1) the answer is the population.
pub fn hypergeometric_lower(population: u64, size: u64, k: u64, risk: Decimal) -> u64 {
    let size = size.min(population);
    let k = k.min(size);
    // what is in order, seen the same way
    population - hypergeometric_upper(population, size, size - k, risk)
}

/// About the number of deviating items at which `P(X <= k)` is the risk, by Newton's method on the logarithm
/// of the smaller tail. `k < size`; the risk lies between 0 and 1 and comes with 1 less it.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a place to start the search from, between 0 and the population"
)]
fn newton(population: u64, size: u64, k: u64, (risk, confidence): (f64, f64)) -> u64 {
    let (mut low, mut high) = (k, population - (size - k) + 1);
    let rate = beta::start(float(k + 1), float(size - k), (confidence, risk)).0;
    let wise = 0.5 * (rate * (2.0 * float(population) - float(size) + 1.0) + float(k));
    let mut at = (wise as u64).clamp(low, high - 1);
    for _ in 0..60 {
        let draw = Draw::new(population, at, size);
        let (lower, upper) = draw.tails(k);
        if lower > risk {
            low = at;
        } else {
            high = at;
        }
        if high - low <= 1 {
            break;
        }
        // P(X <= k) falls by this for one deviating item more
        let fall = draw.probability(k) * float(size - k) / float(draw.others);
        let step = if risk <= confidence {
            (lower / risk).ln() * lower / fall
        } else {
            -(upper / confidence).ln() * upper / fall
        };
        if step.abs() < 0.5 {
            break;
        }
        let next = (float(at) + step).round();
        at = if next > float(low) && next < float(high) {
            next as u64
        } else {
            low + (high - low) / 2
        };
    }
    at
}
