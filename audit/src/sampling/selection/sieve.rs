//! Monetary unit samples by sieve: every item meets a random number of its own.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::seed::ItemValues;
use super::{Amounts, Seed, Selected, SelectionError, Selector, push};

/// The uniform number of an item is `w / 2^65` with `w = 2v + 1`: the middle of one of 2^64 equal parts of
/// the way from 0 to 1, never 0 and never 1. `v` is the first 8 bytes, big-endian, of SHA-256 over: length of
/// the seed in bytes (4 bytes, big-endian), seed, length of the context, context, length of the id, id (all
/// UTF-8).
fn odd(value: u64) -> u128 {
    u128::from(value) << 1 | 1
}

/// Sieve: an item is in the sample if its amount is strictly greater than `u` times the interval `total / n`.
///
/// In whole numbers: if `amount * n` is greater than `floor(w * total / 2^65)`. The size of the sample is
/// random with mean at most `n`; items of at least one interval are always in it and have to be evaluated as
/// examined in full. Every item is drawn once at most and independently of all others, so that the order of
/// the offers has no effect.
///
/// Memory: the sample. Source: Rietveld (1978), after Hoogduin, Hall and Tsay (2010).
#[derive(Debug, Clone)]
pub struct Sieve {
    size: u64,
    amounts: Amounts,
    values: ItemValues,
    kept: BTreeSet<String>,
}

impl Sieve {
    /// A selector with the interval `total_cents / size`.
    pub fn new(seed: &Seed, context: &str, total_cents: i64, size: u64) -> Result<Self, SelectionError> {
        Ok(Self {
            size,
            amounts: Amounts::for_size(total_cents, size)?,
            values: ItemValues::new(seed, context),
            kept: BTreeSet::new(),
        })
    }
}

impl Selector for Sieve {
    fn offer(&mut self, id: &str, amount: i64) -> Result<(), SelectionError> {
        let amount = self.amounts.add(&id, amount)?;
        let bar = (odd(self.values.of(id)) * u128::from(self.amounts.total)) >> 65;
        if u128::from(amount) * u128::from(self.size) > bar && !self.kept.insert(id.to_owned()) {
            return Err(SelectionError::ItemDoubled(id.to_owned()));
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Vec<Selected>, SelectionError> {
        self.amounts.complete()?;
        let mut selected = Vec::with_capacity(self.kept.len());
        self.kept.into_iter().for_each(|id| push(&mut selected, id, 1));
        Ok(selected)
    }
}

/// Modified sieve: the `n` items whose amount divided by `u` is largest, of equal ones those with the smaller
/// id.
///
/// In whole numbers: `a` ranks before `b` if `amount_a * w_b` is greater than `amount_b * w_a`. Chances are
/// nearly in proportion to the amounts, each item is drawn once at most, the size is fixed; a smaller sample
/// begins a larger one, and the order of the offers has no effect. All items are the sample where fewer than
/// `n` are offered.
///
/// Memory: the sample. Source: Hoogduin, Hall and Tsay, Modified Sieve Sampling, Auditing: A Journal of
/// Practice and Theory 29 (2010).
#[derive(Debug, Clone)]
pub struct ModifiedSieve {
    size: usize,
    values: ItemValues,
    /// In the order of their rank; the last one is the one to leave.
    kept: BTreeSet<Ranked>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Ranked {
    amount: u64,
    odd: u128,
    id: String,
}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> Ordering {
        let mine = u128::from(self.amount) * other.odd;
        let theirs = u128::from(other.amount) * self.odd;
        theirs.cmp(&mine).then_with(|| self.id.cmp(&other.id))
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl ModifiedSieve {
    /// A selector of `size` items (all of them where fewer are offered).
    pub fn new(seed: &Seed, context: &str, size: u64) -> Result<Self, SelectionError> {
        if size == 0 {
            return Err(SelectionError::SizeZero);
        }
        Ok(Self {
            size: usize::try_from(size).unwrap_or(usize::MAX),
            values: ItemValues::new(seed, context),
            kept: BTreeSet::new(),
        })
    }
}

impl Selector for ModifiedSieve {
    fn offer(&mut self, id: &str, cents: i64) -> Result<(), SelectionError> {
        let Some(amount) = u64::try_from(cents).ok().filter(|amount| *amount > 0) else {
            let id = id.to_owned();
            return Err(SelectionError::AmountNotPositive { id, cents });
        };
        let odd = odd(self.values.of(id));
        let full = self.kept.len() >= self.size;
        if full
            && let Some(last) = self.kept.last()
            && u128::from(last.amount) * odd > u128::from(amount) * last.odd
        {
            return Ok(());
        }
        let id = id.to_owned();
        self.kept.insert(Ranked { amount, odd, id });
        if self.kept.len() > self.size {
            self.kept.pop_last();
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Vec<Selected>, SelectionError> {
        let mut selected = Vec::with_capacity(self.kept.len());
        self.kept
            .into_iter()
            .for_each(|item| push(&mut selected, item.id, 1));
        Ok(selected)
    }
}
