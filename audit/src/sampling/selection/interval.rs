//! Samples at a fixed interval: over monetary units, over items in random order, over records.

use std::fmt::Display;
use std::num::NonZeroU64;

use super::{Amounts, Order, Seed, Selected, SelectionError, Selector, Tickets, Uniforms, push};

/// Monetary unit sample by a fixed interval, streaming and in whole numbers.
///
/// The interval is `total / n`, not rounded: positions are counted in `1/n` cents. With the random start `r`,
/// a whole number in `0..total`, hit `i` (from 0 to `n - 1`) lies at `r + i * total`. An item covers the
/// positions from `n` times the sum before it up to, not including, `n` times the sum with it: a hit belongs
/// to the first item whose cumulative sum times `n` is strictly greater than the hit. Each item is therefore
/// hit with a probability in exact proportion to its amount, and an item of `k` intervals is hit `floor(k)`
/// or `ceil(k)` times.
///
/// The items are offered in canonical order (bytewise by id), each with a positive amount.
/// [`Selector::offer`] holds the caller to the order; [`FixedInterval::offer`] trusts it, and makes no text
/// of an id that is not hit.
///
/// The random start is the first number below `total` of [`Uniforms`].
#[derive(Debug, Clone)]
pub struct FixedInterval {
    size: u128,
    amounts: Amounts,
    /// Position of the next hit, in `1/n` cents.
    next: u128,
    order: Order,
    selected: Vec<Selected>,
}

impl FixedInterval {
    /// A selector of `size` hits in a population of `total_cents`.
    pub fn new(seed: &Seed, context: &str, total_cents: i64, size: u64) -> Result<Self, SelectionError> {
        let amounts = Amounts::for_size(total_cents, size)?;
        let total = NonZeroU64::new(amounts.total).ok_or(SelectionError::TotalNotPositive(total_cents))?;
        Ok(Self {
            size: size.into(),
            amounts,
            next: Uniforms::new(seed, context).below(total).into(),
            order: Order::default(),
            selected: Vec::new(),
        })
    }

    /// Position of the first hit, in `1/n` cents, while no item was offered.
    pub(super) fn start(&self) -> u128 {
        self.next
    }

    /// Offers the next item in canonical order. `id` is turned into text only if the item is hit.
    pub fn offer(&mut self, id: impl Display, cents: i64) -> Result<(), SelectionError> {
        self.amounts.add(&id, cents)?;
        let total = u128::from(self.amounts.total);
        let end = self.amounts.offered * self.size;
        if end > self.next {
            let hits = (end - self.next).div_ceil(total);
            self.next += hits * total;
            push(
                &mut self.selected,
                id.to_string(),
                u64::try_from(hits).unwrap_or(u64::MAX),
            );
        }
        Ok(())
    }

    /// The items hit, in the order of the offers; refused if the amounts do not add up to the total.
    pub fn finish(self) -> Result<Vec<Selected>, SelectionError> {
        self.amounts.complete()?;
        Ok(self.selected)
    }
}

impl Selector for FixedInterval {
    fn offer(&mut self, id: &str, amount: i64) -> Result<(), SelectionError> {
        self.order.next(id)?;
        Self::offer(self, id, amount)
    }

    fn finish(self: Box<Self>) -> Result<Vec<Selected>, SelectionError> {
        Self::finish(*self)
    }
}

/// Monetary unit sample by a fixed interval over the items in random order: in the order of their tickets.
///
/// The caller sorts the items by the pair of ticket number ([`Tickets::of`], the ticket of a simple random
/// sample with the same seed) and id, both bytewise, and offers them so; the order is checked. Then
/// [`FixedInterval`] with the same seed and context selects. The random order takes away what a hidden period
/// in the canonical order could do.
#[derive(Debug, Clone)]
pub struct RandomisedInterval {
    tickets: Tickets,
    /// Ticket and id of the item before.
    last: Option<(String, String)>,
    inner: FixedInterval,
}

impl RandomisedInterval {
    /// A selector of `size` hits in a population of `total_cents`.
    pub fn new(seed: &Seed, context: &str, total_cents: i64, size: u64) -> Result<Self, SelectionError> {
        Ok(Self {
            tickets: Tickets::new(seed),
            last: None,
            inner: FixedInterval::new(seed, context, total_cents, size)?,
        })
    }
}

impl Selector for RandomisedInterval {
    fn offer(&mut self, id: &str, amount: i64) -> Result<(), SelectionError> {
        let this = (self.tickets.of(id), id.to_owned());
        match &self.last {
            Some(last) if *last == this => return Err(SelectionError::ItemDoubled(this.1)),
            Some(last) if *last > this => {
                let after = last.1.clone();
                return Err(SelectionError::OutOfOrder { id: this.1, after });
            }
            _ => self.last = Some(this),
        }
        FixedInterval::offer(&mut self.inner, id, amount)
    }

    fn finish(self: Box<Self>) -> Result<Vec<Selected>, SelectionError> {
        FixedInterval::finish(self.inner)
    }
}

/// Every `N/n`-th item from a random start: `n` of `N` items, each at most once.
///
/// With a random start `r`, a whole number in `0..N`, the items at the places `ceil((r + 1 + i * N) / n)`,
/// counted from 1 in canonical order, are the sample, for `i` from 0 to `n - 1`. This is `ceil(start + i *
/// N/n)` with a start that is above 0 and up to one interval, in steps of `1/n`, so that every item has the
/// chance `n/N` exactly; and it is [`FixedInterval`] over items of one unit each, from which the random start
/// comes too.
#[derive(Debug, Clone)]
pub struct RecordInterval {
    count: u64,
    size: u64,
    inner: FixedInterval,
}

impl RecordInterval {
    /// A selector of `size` of `count` items.
    pub fn new(seed: &Seed, context: &str, count: u64, size: u64) -> Result<Self, SelectionError> {
        let total = i64::try_from(count).unwrap_or(i64::MAX);
        let inner = FixedInterval::new(seed, context, total, size);
        Ok(Self {
            count,
            size,
            inner: inner.map_err(|error| of_records(error, count, size))?,
        })
    }
}

impl Selector for RecordInterval {
    fn offer(&mut self, id: &str, _amount: i64) -> Result<(), SelectionError> {
        let offered = Selector::offer(&mut self.inner, id, 1);
        offered.map_err(|error| of_records(error, self.count, self.size))
    }

    fn finish(self: Box<Self>) -> Result<Vec<Selected>, SelectionError> {
        let selected = FixedInterval::finish(self.inner);
        selected.map_err(|error| of_records(error, self.count, self.size))
    }
}

/// An error of items that count one unit each, in the words of records.
pub(super) fn of_records(error: SelectionError, count: u64, size: u64) -> SelectionError {
    match error {
        SelectionError::TotalNotPositive(_) => SelectionError::PopulationEmpty,
        SelectionError::SizeAboveTotal { .. } => SelectionError::SizeAboveCount { size, count },
        SelectionError::TotalDiffers { offered_cents, .. } => SelectionError::CountDiffers {
            count,
            offered: u64::try_from(offered_cents).unwrap_or(u64::MAX),
        },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seed(text: &str) -> Seed {
        Seed::new(text).unwrap()
    }

    #[test]
    fn wrong_totals_and_amounts_are_refused() {
        let new = |total, size| FixedInterval::new(&seed("s"), "c", total, size);
        assert_eq!(new(0, 1).unwrap_err(), SelectionError::TotalNotPositive(0));
        assert_eq!(new(5, 0).unwrap_err(), SelectionError::SizeZero);
        assert_eq!(new(5, 6).unwrap_err().code(), "SAMPLE_LARGER_THAN_POPULATION");
        let mut selector = new(100, 2).unwrap();
        assert_eq!(selector.offer("a", 0).unwrap_err().code(), "AMOUNT_NOT_POSITIVE");
        assert_eq!(selector.offer("a", -5).unwrap_err().code(), "AMOUNT_NOT_POSITIVE");
        selector.offer("a", 60).unwrap();
        let short = SelectionError::TotalDiffers {
            total_cents: 100,
            offered_cents: 60,
        };
        assert_eq!(selector.clone().finish().unwrap_err(), short);
        assert_eq!(selector.offer("b", 41).unwrap_err().code(), "TOTAL_DIFFERS");
    }

    #[test]
    fn the_largest_total_does_not_overflow() {
        let mut selector = FixedInterval::new(&seed("s"), "c", i64::MAX, 1_000_000_000).unwrap();
        selector.offer("all", i64::MAX).unwrap();
        assert_eq!(selector.finish().unwrap()[0].hits, 1_000_000_000);
    }

    #[test]
    fn every_start_serves_every_cent_alike() {
        // all starts of a population of 12 cents and 5 hits: the hits of an item add up to its share exactly
        let amounts = [3i64, 1, 6, 2];
        let mut hits = [0u64; 4];
        for start in 0..12u128 {
            let mut selector = FixedInterval::new(&seed("s"), "c", 12, 5).unwrap();
            selector.next = start;
            for (index, cents) in amounts.iter().enumerate() {
                selector.offer(index, *cents).unwrap();
            }
            for item in selector.finish().unwrap() {
                hits[item.id.parse::<usize>().unwrap()] += item.hits;
            }
        }
        assert_eq!(hits, [15, 5, 30, 10]);
    }

    proptest! {
        #[test]
        fn hits_are_floor_or_ceil_of_the_intervals(
            amounts in prop::collection::vec(1i64..100_000, 1..80), size in 1u64..200, text in "[a-z]{1,9}",
        ) {
            let total: i64 = amounts.iter().sum();
            prop_assume!(size <= total.unsigned_abs());
            let mut selector = FixedInterval::new(&seed(&text), "c", total, size).unwrap();
            for (index, cents) in amounts.iter().enumerate() {
                selector.offer(index, *cents).unwrap();
            }
            let drawn = selector.finish().unwrap();
            prop_assert_eq!(drawn.iter().map(|item| item.hits).sum::<u64>(), size);
            let mut hits = vec![0; amounts.len()];
            for item in drawn {
                hits[item.id.parse::<usize>().unwrap()] = item.hits;
            }
            for (amount, hits) in amounts.iter().zip(hits) {
                let parts = amount.unsigned_abs() * size;
                let total = total.unsigned_abs();
                prop_assert!(hits == parts / total || hits == parts.div_ceil(total));
            }
        }
    }
}
