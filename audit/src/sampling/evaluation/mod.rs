//! What a checked sample says: exact limits for rates, projected errors and bounds for amounts, conclusion.
//!
//! Limits are rounded away from the auditor's wish (upper ones up, lower ones down); point estimates are rounded half to
//! even. Over- and understatements are never netted: each side has its own projection, bound and conclusion.
//!
//! - [`mod@attribute`]: rates, of one sample and of strata
//! - [`monetary`]: amounts, from samples of monetary units
//! - [`conclusion`]: what follows for the tolerable error

pub mod attribute;
pub mod conclusion;
pub mod monetary;

use rust_decimal::Decimal;

use super::numerics::decimal_to_float;

pub use attribute::{
    ATTRIBUTE_METHOD, AttributeResult, OverallLimit, StratifiedResult, StratumCount, StratumResult,
    attribute, stratified,
};
pub use conclusion::{Conclusion, conclude};
pub use monetary::{MonetaryResult, MonetarySide, STRINGER_METHOD, Step, Tainting, stringer};

/// Version of all methods of this module.
pub const VERSION: &str = "1";
/// Decimal places of rates and limits.
pub const RATE_PLACES: u32 = 6;
/// Decimal places to which the Stringer factors `p(j)` are rounded up.
pub const FACTOR_PLACES: u32 = 12;

/// Why a sample cannot be evaluated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvaluationError {
    /// The confidence does not lie strictly between 0 and 1.
    #[error("the confidence {0} does not lie between 0 and 1")]
    Confidence(Decimal),
    /// Nothing was drawn, in the whole or in a stratum that has items.
    #[error("the sample is empty")]
    SampleEmpty,
    /// More deviations than items.
    #[error("{deviations} deviations in {size} items")]
    DeviationsAboveSize {
        /// Deviations found.
        deviations: u64,
        /// Items checked.
        size: u64,
    },
    /// A stratum has more sampled items than items, or there are no items at all.
    #[error("{size} items were drawn from {population}")]
    SizeAbovePopulation {
        /// Items checked.
        size: u64,
        /// Items of the stratum.
        population: u64,
    },
    /// The book value is zero or negative.
    #[error("the book value of {0} cents is not positive")]
    BookValue(i64),
    /// An item without a positive book value or without hits: it had no chance in the sample.
    #[error("an item with {book_cents} cents and {hits} hits cannot be in a monetary unit sample")]
    Item {
        /// Book value of the item.
        book_cents: i64,
        /// Hits of the item.
        hits: u64,
    },
    /// The hits of the items do not add up to the size of the sample: checks are missing.
    #[error("the items have {found} hits, the sample {size}")]
    HitsDiffer {
        /// Size of the sample.
        size: u64,
        /// Sum over the items.
        found: u64,
    },
    /// An amount of the result does not fit into 64 bits.
    #[error("an amount of the result exceeds the range of cents")]
    AmountTooLarge,
}

impl EvaluationError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Confidence(_) => "CONFIDENCE_OUT_OF_RANGE",
            Self::SampleEmpty => "SAMPLE_EMPTY",
            Self::DeviationsAboveSize { .. } => "DEVIATIONS_ABOVE_SIZE",
            Self::SizeAbovePopulation { .. } => "SAMPLE_LARGER_THAN_POPULATION",
            Self::BookValue(_) => "BOOK_VALUE_NOT_POSITIVE",
            Self::Item { .. } => "AMOUNT_NOT_POSITIVE",
            Self::HitsDiffer { .. } => "HITS_DIFFER",
            Self::AmountTooLarge => "AMOUNT_TOO_LARGE",
        }
    }
}

/// Checks a confidence and returns its complement, formed exactly.
fn risk(confidence: Decimal) -> Option<f64> {
    (confidence > Decimal::ZERO && confidence < Decimal::ONE)
        .then(|| decimal_to_float(Decimal::ONE - confidence))
}
