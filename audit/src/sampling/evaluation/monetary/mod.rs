//! Amounts in error, from samples of monetary units: projected error and upper bounds.
//!
//! - [`stringer()`]: the method of the house, in cents
//! - [`stringer_bound`], [`allowances`], [`cell_bound`]: bounds from limits for 0, 1, 2 and more errors
//! - [`moment_bound`], [`rohrbach_bound`], [`cox_snell_bound`]: bounds from moments of the taintings
//! - [`mean_estimate`]: mean tainting and standard error, for many errors
//!
//! All but the first take a [`MonetarySample`] and return a [`BoundResult`]. Over- and understatements are
//! kept apart; what nets them says so in its name and is never the basis of a conclusion. Every hit counts.

mod bound;
#[cfg(test)]
mod bound_tests;
mod cell;
#[cfg(test)]
mod derivation_tests;
mod estimate;
mod factors;
#[cfg(test)]
mod further_tests;
mod moments;
#[cfg(test)]
mod property_tests;
mod result;
mod sample;
mod stringer;

use std::cmp::Ordering;

use num_bigint::BigInt;
use rust_decimal::Decimal;

use super::EvaluationError;
use crate::sampling::numerics::divide_half_even;

pub use bound::{
    ALLOWANCES_EXACT, ALLOWANCES_NEAREST, ALLOWANCES_UP, AllowancesInput, BOUND_VERSION, Offset,
    StringerForm, StringerInput, allowances, stringer_bound,
};
pub use cell::{CELL_VERSION, CellInput, MOST_STAGES, cell_bound};
pub use estimate::{ESTIMATE_VERSION, MeanInput, MeanMethod, mean_estimate};
pub use factors::FactorProfile;
pub(in crate::sampling) use factors::UpperLimits;
pub use moments::{
    COX_SNELL, CoxSnellInput, MOMENT_ACCOUNTS, MOMENT_INVENTORY, MOMENTS_VERSION, MomentInput,
    MomentPopulation, ROHRBACH, RohrbachInput, cox_snell_bound, moment_bound, rohrbach_bound,
};
pub use result::{BoundParameters, BoundResult, BoundSide, NetEstimate};
pub use sample::{ExhaustiveItem, MonetaryItem, MonetarySample, Unit};
pub use stringer::{MonetaryResult, MonetarySide, STRINGER_METHOD, Step, stringer};

/// A checked item of a monetary unit sample. Items without error belong into the list too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tainting {
    /// Book value in cents, positive.
    pub book_cents: i64,
    /// Correct value in cents; may be negative.
    pub audit_cents: i64,
    /// How often the item was hit; each hit counts as a sampling unit with the item's tainting.
    pub hits: u64,
}

impl Tainting {
    /// Size of the error in the given direction, in cents; 0 if there is none.
    fn error(&self, direction: Direction) -> u128 {
        let difference = i128::from(self.book_cents) - i128::from(self.audit_cents);
        match direction {
            Direction::Over => u128::try_from(difference).unwrap_or(0),
            Direction::Under => u128::try_from(-difference).unwrap_or(0),
        }
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Direction {
    Over,
    Under,
}

/// An item in error, ordered by its tainting.
#[derive(Debug, Clone, Copy)]
struct Ranked {
    error: u128,
    book: u128,
    hits: u64,
}

impl Ranked {
    fn new(item: &Tainting, direction: Direction) -> Option<Self> {
        let error = item.error(direction);
        (error > 0).then(|| Self {
            error,
            book: item.book_cents.unsigned_abs().into(),
            hits: item.hits,
        })
    }

    /// The tainting times a number, as a fraction.
    fn times(&self, number: &BigInt) -> (BigInt, BigInt) {
        (number * self.error, self.book.into())
    }
}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> Ordering {
        // both factors stay below 2^65 and 2^63
        (self.error * other.book).cmp(&(other.error * self.book))
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ranked {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Ranked {}

/// A fraction as a decimal, half to even.
fn rounded(fraction: &(BigInt, BigInt), places: u32) -> Result<Decimal, EvaluationError> {
    let scaled = divide_half_even(&(&fraction.0 * 10u64.pow(places)), &fraction.1);
    let scaled = i128::try_from(scaled).map_err(|_| EvaluationError::AmountTooLarge)?;
    Decimal::try_from_i128_with_scale(scaled, places).map_err(|_| EvaluationError::AmountTooLarge)
}

fn cents(amount: BigInt) -> Result<i64, EvaluationError> {
    i64::try_from(amount).map_err(|_| EvaluationError::AmountTooLarge)
}
