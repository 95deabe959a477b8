//! Monetary unit samples by cells.

use std::num::NonZeroU64;

use super::{Amounts, Order, Seed, Selected, SelectionError, Selector, Uniforms, push};

/// Monetary unit sample by cells: the total is cut into `n` equal cells, and one monetary unit is drawn in
/// each.
///
/// Positions are counted in `1/n` cents as for [`super::FixedInterval`]: cell `i` (from 0 to `n - 1`) has the
/// positions from `i * total` up to, not including, `(i + 1) * total`, and its hit lies at `i * total + r_i`,
/// where `r_i` is the next number below `total` of [`Uniforms`]. A hit belongs to the first item whose
/// cumulative sum times `n` is strictly greater than it. An item of at least two intervals is always hit, a
/// smaller one may be hit twice from both sides of a border.
///
/// The items are offered in canonical order, each with a positive amount. Memory: the sample. Source: Leslie,
/// Teitlebaum and Anderson, Dollar-Unit Sampling (1979).
#[derive(Debug, Clone)]
pub struct Cell {
    size: u64,
    amounts: Amounts,
    range: NonZeroU64,
    uniforms: Uniforms,
    /// Number of the cell whose hit is the next one.
    current: u64,
    /// Position of the next hit, in `1/n` cents.
    next: u128,
    order: Order,
    selected: Vec<Selected>,
}

impl Cell {
    /// A selector of `size` hits in a population of `total_cents`.
    pub fn new(seed: &Seed, context: &str, total_cents: i64, size: u64) -> Result<Self, SelectionError> {
        let amounts = Amounts::for_size(total_cents, size)?;
        let range = NonZeroU64::new(amounts.total).ok_or(SelectionError::TotalNotPositive(total_cents))?;
        let mut uniforms = Uniforms::new(seed, context);
        let next = uniforms.below(range).into();
        Ok(Self {
            size,
            amounts,
            range,
            uniforms,
            current: 0,
            next,
            order: Order::default(),
            selected: Vec::new(),
        })
    }
}

impl Selector for Cell {
    fn offer(&mut self, id: &str, amount: i64) -> Result<(), SelectionError> {
        self.order.next(id)?;
        self.amounts.add(&id, amount)?;
        let end = self.amounts.offered * u128::from(self.size);
        let mut hits = 0;
        while self.current < self.size && self.next < end {
            hits += 1;
            self.current += 1;
            if self.current < self.size {
                let inside = self.uniforms.below(self.range);
                self.next = u128::from(self.current) * u128::from(self.range.get()) + u128::from(inside);
            }
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
