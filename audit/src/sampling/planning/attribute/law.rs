//! The search for the smallest size: which probability has to fall below the risk, and how its first size is
//! found.
//!
//! All comparisons are of distribution functions, none of quantiles. With the number of planned deviations
//! fixed, the probability of finding at most so many falls with the size and with the rate; from that follows
//! a bound for a whole range of sizes ([`Criteria::none_in`]), by which ranges without an answer are passed
//! over ([`Criteria::first_in`]).

use std::cmp::Ordering;

use rust_decimal::Decimal;

use super::super::SizeError;
use super::super::exact::{PARTS, last_with, nearest, planned, rate_of, risk, up};
use crate::sampling::numerics::{
    binomial_cdf, binomial_compare, first_true, float, gamma_tails, hypergeometric_compare,
    hypergeometric_tails, poisson_tails,
};

/// Counts of planned deviations that are tried one by one before the search leaps.
const ONE_BY_ONE: u64 = 64;
/// Most counts that are looked back over after a leap.
const LARGEST_WINDOW: u64 = 256;

/// What law the number of deviations in the sample follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Law {
    Binomial,
    Poisson,
    Hypergeometric { population: u64 },
}

/// The error that the sample has to speak against: the numerator and the denominator of its rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Tolerable {
    /// Deviating units of `of`. For the hypergeometric law these are the deviations in the population.
    pub(in super::super) units: u64,
    /// Units in all.
    pub(in super::super) of: u64,
}

/// What a size has to satisfy at the planned deviations.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Criteria {
    pub(in super::super) law: Law,
    pub(in super::super) risk: f64,
    /// The same exactly: decides where floats cannot.
    pub(in super::super) exact_risk: Decimal,
    /// `P(X <= k) <= risk` at the tolerable rate.
    pub(in super::super) tolerable: Option<Tolerable>,
    /// The upper limit exceeds `k/n` by less than this many [`PARTS`].
    pub(in super::super) precision: Option<u64>,
}

impl Law {
    /// `P(X <= k)` for `n` units at the tolerable rate.
    pub(in super::super) fn tail(self, k: u64, n: u64, tolerable: Tolerable) -> f64 {
        let rate = float(tolerable.units) / float(tolerable.of);
        match self {
            Self::Binomial => binomial_cdf(k, n, rate),
            Self::Poisson => poisson_tails(k, float(n) * rate).0,
            Self::Hypergeometric { population } => hypergeometric_tails(k, population, tolerable.units, n).0,
        }
    }
}

impl Law {
    /// `P(X <= k)` for `n` units at the tolerable rate, rounded up to twelve places: by whole numbers where floats are too near
    /// to a decimal to tell.
    pub(in super::super) fn tail_up(self, k: u64, n: u64, tolerable: Tolerable) -> Decimal {
        let tail = self.tail(k, n, tolerable);
        let nearest = nearest(tail, 12);
        match self.compare(k, n, tolerable, nearest) {
            Some(Ordering::Greater) => nearest + Decimal::new(1, 12),
            Some(_) => nearest,
            None => up(tail, 12),
        }
    }

    /// How that probability compares with a decimal, decided exactly; nothing where it is irrational or its rate no decimal.
    fn compare(self, k: u64, n: u64, tolerable: Tolerable, with: Decimal) -> Option<Ordering> {
        match self {
            Self::Poisson => None,
            Self::Binomial => {
                let rate = Decimal::from(tolerable.units) / Decimal::from(tolerable.of);
                let exact = rate * Decimal::from(tolerable.of) == Decimal::from(tolerable.units);
                exact.then(|| binomial_compare(k, n, rate, with))
            }
            Self::Hypergeometric { population } => {
                Some(hypergeometric_compare(k, population, tolerable.units, n, with))
            }
        }
    }
}

impl Criteria {
    /// Of a law at a confidence, without an objective so far.
    pub(in super::super) fn new(law: Law, confidence: Decimal) -> Result<Self, SizeError> {
        Ok(Self {
            law,
            risk: risk(confidence)?,
            exact_risk: Decimal::ONE - confidence,
            tolerable: None,
            precision: None,
        })
    }

    /// Whether no size from `first` to `last` can satisfy the criteria with `k` planned deviations.
    ///
    /// The tail falls with the size and with the rate. Over the range the size is at most `last`, and the
    /// rate `k/n + w` at which the precision is judged at most that of `first`. For a single size the bound
    /// is the criterion itself.
    fn none_in(&self, k: u64, first: u64, last: u64) -> bool {
        if let Some(tolerable) = self.tolerable
            && self.exceeds(k, last, tolerable)
        {
            return true;
        }
        self.precision.is_some_and(|width| {
            let tail = self.limit_tail(k, first, last, width);
            // the finite limit is the largest count with a tail above the risk; the others are where the tail
            // is the risk
            tail > self.risk || (tail >= self.risk && !matches!(self.law, Law::Hypergeometric { .. }))
        })
    }

    /// Whether `P(X <= k)` for `n` units at the tolerable rate exceeds the risk: by whole numbers where floats are too near to tell.
    fn exceeds(&self, k: u64, n: u64, tolerable: Tolerable) -> bool {
        let tail = self.law.tail(k, n, tolerable);
        if (tail - self.risk).abs() > 1e-11 * self.risk {
            return tail > self.risk;
        }
        self.law
            .compare(k, n, tolerable, self.exact_risk)
            .map_or(tail > self.risk, Ordering::is_gt)
    }

    /// `P(X <= k)` for `last` units at the rate `k/first + width`; zero where that rate is above one.
    fn limit_tail(&self, k: u64, first: u64, last: u64, width: u64) -> f64 {
        let (k_parts, all) = (
            u128::from(k) * u128::from(PARTS),
            u128::from(first) * u128::from(PARTS),
        );
        let limit = u128::from(width) * u128::from(first) + k_parts;
        if limit > all {
            return 0.0;
        }
        match self.law {
            Law::Poisson => {
                let rate = float(k) / float(first) + rate_of(width);
                poisson_tails(k, float(last) * rate).0
            }
            Law::Binomial => {
                let rate = float(k) / float(first) + rate_of(width);
                if rate >= 1.0 {
                    return if k < last { 0.0 } else { 1.0 };
                }
                binomial_cdf(k, last, rate)
            }
            Law::Hypergeometric { population } => {
                let deviating = (limit * u128::from(population)).div_ceil(all);
                let deviating = u64::try_from(deviating).unwrap_or(population).min(population);
                hypergeometric_tails(k, population, deviating, last).0
            }
        }
    }

    /// The first size from `first` to `last` that satisfies the criteria with `k` planned deviations.
    pub(in super::super) fn first_in(&self, k: u64, first: u64, last: u64) -> Option<u64> {
        if first > last || self.none_in(k, first, last) {
            return None;
        }
        if first == last {
            return Some(first);
        }
        let middle = first + (last - first) / 2;
        self.first_in(k, first, middle)
            .or_else(|| self.first_in(k, middle + 1, last))
    }

    /// The smallest size a plan with `k` deviations may have: more than `k`, and where a precision is asked
    /// at least twice as many, since near `k = n` every limit is close to `k/n`.
    fn lowest(&self, k: u64) -> u64 {
        if self.precision.is_some() {
            (2 * k).max(k + 1)
        } else {
            k + 1
        }
    }

    /// The first size up to `limit` that satisfies the criteria with a fixed number of deviations.
    pub(in super::super) fn by_number(&self, k: u64, limit: u64) -> Option<u64> {
        let mut first = self.lowest(k);
        let mut length = first.max(64);
        while first <= limit {
            let last = limit.min(first.saturating_add(length));
            if let Some(size) = self.first_in(k, first, last) {
                return Some(size);
            }
            first = last.saturating_add(1);
            length = length.saturating_mul(2);
        }
        None
    }

    /// The first size `n` up to `limit` that satisfies the criteria with `ceil(expected * n)` deviations, and
    /// these.
    ///
    /// One more planned deviation makes the criteria fail again, so they are looked at in blocks of sizes
    /// with the same number of deviations.
    pub(in super::super) fn by_rate(&self, expected: u64, limit: u64) -> Option<(u64, u64)> {
        if expected == 0 {
            return self.by_number(0, limit).map(|size| (size, 0));
        }
        let block = |k: u64| {
            let first = match k.checked_sub(1) {
                Some(before) => last_with(before, expected, PARTS).saturating_add(1),
                None => 1,
            };
            let last = last_with(k, expected, PARTS).min(limit);
            self.first_in(k, first.max(self.lowest(k)), last)
        };
        let most = planned(expected, limit);
        let k = first_index(most, self.window(expected), |k| block(k).is_some())?;
        block(k).map(|size| (size, k))
    }

    /// How far one size less in a block can outweigh one deviation more: so many counts have to be looked
    /// back over.
    fn window(&self, expected: u64) -> u64 {
        let rate = rate_of(expected);
        let tolerable = self
            .tolerable
            .map_or(1.0, |tolerable| float(tolerable.units) / float(tolerable.of));
        let limit = self
            .precision
            .map_or(tolerable, |width| tolerable.min(rate + rate_of(width)));
        let window = 8.0 + 4.0 * rate * limit / (limit - rate).max(1e-12);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "positive, and capped"
        )]
        let window = window.min(float(LARGEST_WINDOW)) as u64;
        window
    }

    /// The first size up to `limit` that satisfies the criteria with `expected * n` deviations, unrounded:
    /// the Poisson law, continued to the gamma distribution.
    ///
    /// The probability falls with the size (see [`super::super::stored`] for the reason), so bisection finds
    /// the first.
    pub(in super::super) fn by_unrounded_rate(&self, expected: u64, limit: u64) -> Option<u64> {
        let rate = rate_of(expected);
        let holds = |n: u64| {
            let n = float(n);
            let tail = |mean: f64| gamma_tails(1.0 + rate * n, mean).1;
            let tolerable = self.tolerable.is_none_or(|tolerable| {
                tail(n * (float(tolerable.units) / float(tolerable.of))) <= self.risk
            });
            tolerable
                && self
                    .precision
                    .is_none_or(|width| tail(n * rate_of(width + expected)) < self.risk)
        };
        let mut high = 64;
        while !holds(high.min(limit)) {
            if high >= limit {
                return None;
            }
            high *= 2;
        }
        Some(first_true(1, high.min(limit), holds))
    }

    /// The smallest number `c` of deviations, up to `most`, with `n(c) * units / of <= c`, where `n(c)` is
    /// the first size that satisfies the criteria with `c` deviations; and `n(c)`.
    ///
    /// Since the probability falls with the size, `n(c)` is at most `c * of / units` exactly if that size
    /// satisfies them.
    pub(in super::super) fn by_units(
        &self,
        expected: Tolerable,
        most: u64,
        limit: u64,
    ) -> Option<(u64, u64)> {
        if expected.units == 0 {
            return self.by_number(0, limit).map(|size| (0, size));
        }
        let last = |c: u64| last_with(c, expected.units, expected.of).min(limit);
        let rate = float(expected.units) / float(expected.of);
        let window = self.window(planned_parts(rate));
        let c = first_index(most, window, |c| {
            let last = last(c);
            last > c && !self.none_in(c, last, last)
        })?;
        self.by_number(c, last(c)).map(|size| (c, size))
    }
}

/// A rate in [`PARTS`], to judge a window by.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate from 0 to 1"
)]
fn planned_parts(rate: f64) -> u64 {
    (rate * float(PARTS)) as u64
}

/// The first index up to `most` for which `holds`, where it holds throughout from some index on but for
/// neighbours that differ by rounding: the first ones are tried one by one, then the search leaps, halves and
/// looks back.
pub(in super::super) fn first_index(most: u64, window: u64, holds: impl Fn(u64) -> bool) -> Option<u64> {
    if let Some(found) = (0..=most.min(ONE_BY_ONE)).find(|index| holds(*index)) {
        return Some(found);
    }
    let mut low = ONE_BY_ONE + 1;
    let mut high = 2 * ONE_BY_ONE;
    loop {
        if low > most {
            let from = most.saturating_sub(window).max(ONE_BY_ONE + 1);
            return (from..=most).find(|index| holds(*index));
        }
        if holds(high.min(most)) {
            break;
        }
        low = high + 1;
        high = high.saturating_mul(2);
    }
    let mut found = first_true(low, high.min(most), &holds);
    // rounding may let an earlier one hold
    loop {
        let from = found.saturating_sub(window).max(ONE_BY_ONE + 1);
        match (from..found).find(|index| holds(*index)) {
            Some(earlier) => found = earlier,
            None => return Some(found),
        }
    }
}
