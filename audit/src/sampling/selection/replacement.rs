//! Samples with replacement, of monetary units and of records.

use std::num::NonZeroU64;

use super::interval::of_records;
use super::{Amounts, Order, Seed, Selected, SelectionError, Selector, Uniforms, push};

/// Most hits with replacement: they are kept in memory and sorted.
pub const MOST_WITH_REPLACEMENT: u64 = 10_000_000;

/// Monetary unit sample with replacement: `n` times, each cent of the total has the same chance.
///
/// Hit `i` is the next number `r_i` below `total` of [`Uniforms`], for `i` from 0 to `n - 1`; it belongs to
/// the first item whose cumulative sum is strictly greater than `r_i`. The hits are kept in memory, up to
/// [`MOST_WITH_REPLACEMENT`] of them, and worked through in ascending order.
///
/// The items are offered in canonical order, each with a positive amount.
#[derive(Debug, Clone)]
pub struct UnitsWithReplacement {
    amounts: Amounts,
    /// Hits, descending: the next one is the last.
    hits: Vec<u64>,
    order: Order,
    selected: Vec<Selected>,
}

impl UnitsWithReplacement {
    /// A selector of `size` hits in a population of `total_cents`.
    pub fn new(seed: &Seed, context: &str, total_cents: i64, size: u64) -> Result<Self, SelectionError> {
        match size {
            0 => return Err(SelectionError::SizeZero),
            1..=MOST_WITH_REPLACEMENT => {}
            _ => return Err(SelectionError::SizeTooLarge(size)),
        }
        let amounts = Amounts::new(total_cents)?;
        let range = NonZeroU64::new(amounts.total).ok_or(SelectionError::TotalNotPositive(total_cents))?;
        let mut uniforms = Uniforms::new(seed, context);
        let hits = (0..size).map(|_| uniforms.below(range)).collect();
        Ok(Self::hitting(amounts, hits))
    }

    pub(super) fn hitting(amounts: Amounts, mut hits: Vec<u64>) -> Self {
        hits.sort_unstable_by(|left, right| right.cmp(left));
        Self {
            amounts,
            hits,
            order: Order::default(),
            selected: Vec::new(),
        }
    }
}

impl Selector for UnitsWithReplacement {
    fn offer(&mut self, id: &str, amount: i64) -> Result<(), SelectionError> {
        self.order.next(id)?;
        self.amounts.add(&id, amount)?;
        let mut hits = 0;
        while self
            .hits
            .pop_if(|hit| u128::from(*hit) < self.amounts.offered)
            .is_some()
        {
            hits += 1;
        }
        if hits > 0 {
            push(&mut self.selected, id.to_owned(), hits);
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Vec<Selected>, SelectionError> {
        self.amounts.complete()?;
        Ok(self.selected)
    }
}

/// Record sample with replacement by item number: `n` times, each of the `N` items has the same chance.
///
/// [`UnitsWithReplacement`] over items of one unit each: hit `i` is the next number `r_i` below `N` of
/// [`Uniforms`] and belongs to the item with number `r_i`, counted from 0 in canonical order.
#[derive(Debug, Clone)]
pub struct RecordsWithReplacement {
    count: u64,
    size: u64,
    inner: UnitsWithReplacement,
}

impl RecordsWithReplacement {
    /// A selector of `size` hits among `count` items.
    pub fn new(seed: &Seed, context: &str, count: u64, size: u64) -> Result<Self, SelectionError> {
        let total = i64::try_from(count).unwrap_or(i64::MAX);
        let inner = UnitsWithReplacement::new(seed, context, total, size);
        Ok(Self {
            count,
            size,
            inner: inner.map_err(|error| of_records(error, count, size))?,
        })
    }
}

impl Selector for RecordsWithReplacement {
    fn offer(&mut self, id: &str, _amount: i64) -> Result<(), SelectionError> {
        let offered = self.inner.offer(id, 1);
        offered.map_err(|error| of_records(error, self.count, self.size))
    }

    fn finish(self: Box<Self>) -> Result<Vec<Selected>, SelectionError> {
        let selected = Box::new(self.inner).finish();
        selected.map_err(|error| of_records(error, self.count, self.size))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hits_belong_to_the_item_that_covers_them() {
        // Arens, Elder, Beasley: Auditing and Assurance Services, selection of dollars with replacement from
        // twelve accounts over 7,376; dollar d of the book, counted from 1, is hit d - 1 here.
        let amounts = [357, 1281, 60, 573, 691, 143, 1425, 278, 942, 826, 404, 396];
        let dollars = [6_586, 1_756, 850, 6_499];
        let hits = dollars.iter().map(|dollar| dollar - 1).collect();
        let mut selector = UnitsWithReplacement::hitting(Amounts::new(7_376).unwrap(), hits);
        for (number, amount) in (1..).zip(amounts) {
            selector.offer(&format!("{number:02}"), amount).unwrap();
        }
        let drawn = Box::new(selector).finish().unwrap();
        let ids: Vec<&str> = drawn.iter().map(|item| item.id.as_str()).collect();
        assert_eq!(ids, ["02", "04", "10", "11"]);
    }

    #[test]
    fn records_are_counted_and_sizes_bounded() {
        let seed = Seed::new("s").unwrap();
        let records = |count, size| RecordsWithReplacement::new(&seed, "c", count, size);
        assert_eq!(records(0, 1).unwrap_err(), SelectionError::PopulationEmpty);
        assert_eq!(records(5, 0).unwrap_err(), SelectionError::SizeZero);
        let large = MOST_WITH_REPLACEMENT + 1;
        assert_eq!(
            records(5, large).unwrap_err(),
            SelectionError::SizeTooLarge(large)
        );
        // with replacement there may be more hits than items
        let mut selector = records(2, 9).unwrap();
        selector.offer("a", -7).unwrap();
        let short = SelectionError::CountDiffers { count: 2, offered: 1 };
        assert_eq!(Box::new(selector.clone()).finish().unwrap_err(), short);
        assert_eq!(selector.offer("a", 0).unwrap_err().code(), "ITEM_DOUBLED");
        selector.offer("b", 0).unwrap();
        assert_eq!(selector.offer("c", 0).unwrap_err().code(), "COUNT_DIFFERS");
        let drawn = Box::new(selector).finish();
        assert_eq!(
            drawn.unwrap_err(),
            SelectionError::CountDiffers { count: 2, offered: 3 }
        );
    }
}
