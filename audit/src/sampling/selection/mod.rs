//! Which items a sample holds, given a public seed.
//!
//! | Method | Type | Unit | Order of the offers | Memory |
//! |---|---|---|---|---|
//! | [`TICKETS`] | [`SimpleRandom`] | item | any | the sample |
//! | [`RECORD_INTERVAL`] | [`RecordInterval`] | item | canonical | the sample |
//! | [`RECORDS_WITH_REPLACEMENT`] | [`RecordsWithReplacement`] | item | canonical | the sample |
//! | [`FIXED_INTERVAL`] | [`FixedInterval`] | monetary | canonical | the sample |
//! | [`RANDOMISED_INTERVAL`] | [`RandomisedInterval`] | monetary | that of the tickets | the sample |
//! | [`CELL`] | [`Cell`] | monetary | canonical | the sample |
//! | [`UNITS_WITH_REPLACEMENT`] | [`UnitsWithReplacement`] | monetary | canonical | the sample |
//! | [`SIEVE`] | [`Sieve`] | monetary | any | the sample |
//! | [`MODIFIED_SIEVE`] | [`ModifiedSieve`] | monetary | any | the sample |
//! | [`CENSUS`] | [`Census`] | item | any | all items |
//!
//! The canonical order is that of the ids, bytewise. Every selector takes the items one by one and is a
//! function of seed, context, items and size alone: `audit/README.md` has each algorithm down to the bytes,
//! and `tests/oracles/draw.py` redoes them in Python from that text. There are no floats; uniform numbers
//! come from SHA-256 ([`Uniforms`]), and every comparison is one of whole numbers.
//!
//! Items may be hit several times; each hit is a sampling unit of its own ([`Selected::hits`]). Amounts of
//! zero and below have no chance in a monetary unit sample and are refused: they are parts of their own.
//! Several lines of one decision become one unit by [`Clusters`]; items drawn before are left out by
//! [`Remaining`].
//!
//! [`Drawing`] chooses the selector by its [`SelectionMethod`] and explains the result.

use std::fmt::Display;

use schemars::JsonSchema;
use serde::Serialize;

pub mod adapters;
pub mod cell;
pub mod drawing;
pub mod error;
pub mod interval;
pub mod judgement;
pub mod method;
#[cfg(test)]
mod properties;
pub mod replacement;
pub mod seed;
pub mod sieve;
pub mod tickets;

pub use adapters::{Census, Clusters, Remaining};
pub use cell::Cell;
pub use drawing::{DrawInput, Drawing, Selection};
pub use error::SelectionError;
pub use interval::{FixedInterval, RandomisedInterval, RecordInterval};
pub use judgement::{Judgement, JudgementError, Replacement, check_judgement, check_replacement};
pub use method::{
    CELL, CENSUS, FIXED_INTERVAL, JUDGEMENTAL, MODIFIED_SIEVE, RANDOMISED_INTERVAL, RECORD_INTERVAL,
    RECORDS_WITH_REPLACEMENT, SIEVE, SelectionMethod, TICKETS, UNITS_WITH_REPLACEMENT,
};
pub use replacement::{MOST_WITH_REPLACEMENT, RecordsWithReplacement, UnitsWithReplacement};
pub use seed::{LONGEST_SEED, Seed, Uniforms};
pub use sieve::{ModifiedSieve, Sieve};
pub use tickets::{SimpleRandom, Tickets, ticket};

/// A selected item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Selected {
    /// Place in the sample, from 1: ticket order for tickets, rank for the modified sieve, ascending by id
    /// for the sieve, otherwise the order of the offers.
    pub order: u64,
    /// Id of the item, as offered.
    pub id: String,
    /// How often the item was hit; each hit is a sampling unit. Always 1 for tickets, sieves and the census.
    pub hits: u64,
    /// Ticket number `0.ddd…`, all digits; only for tickets.
    pub ticket: Option<String>,
}

/// What selects items that are offered one by one.
pub trait Selector {
    /// Offers the next item with its amount; methods whose unit is the item take no notice of the amount.
    fn offer(&mut self, id: &str, amount: i64) -> Result<(), SelectionError>;

    /// The sample; refused if the items were not those announced at the start.
    fn finish(self: Box<Self>) -> Result<Vec<Selected>, SelectionError>;
}

impl<S: Selector + ?Sized> Selector for Box<S> {
    fn offer(&mut self, id: &str, amount: i64) -> Result<(), SelectionError> {
        (**self).offer(id, amount)
    }

    fn finish(self: Box<Self>) -> Result<Vec<Selected>, SelectionError> {
        (*self).finish()
    }
}

/// The amounts offered, against the total given at the start.
#[derive(Debug, Clone)]
struct Amounts {
    total: u64,
    total_cents: i64,
    /// Sum of the offered amounts.
    offered: u128,
}

impl Amounts {
    fn new(total_cents: i64) -> Result<Self, SelectionError> {
        let total = u64::try_from(total_cents).ok().filter(|total| *total > 0);
        Ok(Self {
            total: total.ok_or(SelectionError::TotalNotPositive(total_cents))?,
            total_cents,
            offered: 0,
        })
    }

    /// With a size that has to fit: an interval is not below one monetary unit.
    fn for_size(total_cents: i64, size: u64) -> Result<Self, SelectionError> {
        if size == 0 {
            return Err(SelectionError::SizeZero);
        }
        let amounts = Self::new(total_cents)?;
        if size > amounts.total {
            return Err(SelectionError::SizeAboveTotal { size, total_cents });
        }
        Ok(amounts)
    }

    /// Adds an amount and gives it back as the positive number it is.
    fn add(&mut self, id: &dyn Display, cents: i64) -> Result<u64, SelectionError> {
        let Some(amount) = u64::try_from(cents).ok().filter(|amount| *amount > 0) else {
            let id = id.to_string();
            return Err(SelectionError::AmountNotPositive { id, cents });
        };
        self.offered += u128::from(amount);
        if self.offered > u128::from(self.total) {
            return Err(self.differ());
        }
        Ok(amount)
    }

    fn complete(&self) -> Result<(), SelectionError> {
        if self.offered == u128::from(self.total) {
            Ok(())
        } else {
            Err(self.differ())
        }
    }

    fn differ(&self) -> SelectionError {
        SelectionError::TotalDiffers {
            total_cents: self.total_cents,
            offered_cents: i128::try_from(self.offered).unwrap_or(i128::MAX),
        }
    }
}

/// Holds the offers to the canonical order, which also finds doubled ids.
#[derive(Debug, Clone, Default)]
struct Order {
    last: Option<String>,
}

impl Order {
    fn next(&mut self, id: &str) -> Result<(), SelectionError> {
        match &mut self.last {
            None => self.last = Some(id.to_owned()),
            Some(last) if id > last.as_str() => {
                last.clear();
                last.push_str(id);
            }
            Some(last) if id == last => return Err(SelectionError::ItemDoubled(id.to_owned())),
            Some(last) => {
                return Err(SelectionError::OutOfOrder {
                    id: id.to_owned(),
                    after: last.clone(),
                });
            }
        }
        Ok(())
    }
}

/// Adds an item that was hit, at its place.
fn push(selected: &mut Vec<Selected>, id: String, hits: u64) {
    selected.push(Selected {
        order: u64::try_from(selected.len() + 1).unwrap_or(u64::MAX),
        id,
        hits,
        ticket: None,
    });
}
