//! What a checked sample says: exact limits for rates, projected errors and bounds for amounts, conclusion.
//!
//! Limits are rounded away from the auditor's wish (upper ones up, lower ones down); point estimates are rounded half to
//! even. Over- and understatements are never netted: each side has its own projection, bound and conclusion.
//!
//! - [`mod@attribute`]: rates, of one sample and of strata
//! - [`monetary`]: amounts, from samples of monetary units
//! - [`variables`]: amounts, from samples of equal probability
//! - [`ec`]: amounts by the guidance of the European Commission
//! - [`errors`]: classes of errors, total and residual error rate
//! - [`conclusion`]: what follows for the tolerable error

pub mod attribute;
pub mod conclusion;
pub mod ec;
pub mod errors;
mod figures;
mod german;
pub mod monetary;
pub mod variables;

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use attribute::{
    ATTRIBUTE_METHOD, AttributeResult, OverallLimit, STAGES_METHOD, STAGES_VERSION, StageDecision,
    StagesInput, StagesResult, StratifiedResult, StratumCount, StratumResult, attribute, stratified,
    two_stages,
};
pub use conclusion::{Conclusion, conclude};
pub use monetary::{MonetaryResult, MonetarySide, STRINGER_METHOD, Step, Tainting, stringer};

/// Version of all methods of this module.
pub const VERSION: &str = "1";
/// Decimal places of rates and limits.
pub const RATE_PLACES: u32 = 6;
/// Decimal places to which the Stringer factors `p(j)` are rounded up.
pub const FACTOR_PLACES: u32 = 12;

/// Largest sample of the methods with steps: the range in which the quantiles are proven.
pub const LARGEST_SIZE: u64 = 1_000_000;
/// Largest population of the hypergeometric distribution, in items or monetary units: the range in which it is proven.
pub const LARGEST_POPULATION: u64 = 1_000_000_000_000;

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
    /// More hits than monetary units, which the hypergeometric distribution cannot draw.
    #[error("{size} hits were drawn from {book_value} monetary units")]
    SizeAboveBookValue {
        /// Hits of the sample.
        size: u64,
        /// Monetary units of the population.
        book_value: u64,
    },
    /// The book value is zero or negative.
    #[error("the book value {0} is not positive")]
    BookValue(i64),
    /// An item without a positive book value or without hits: it had no chance in the sample.
    #[error("an item with the book value {book} and {hits} hits cannot be in a monetary unit sample")]
    Item {
        /// Book value of the item.
        book: i64,
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
    #[error("an amount of the result is larger than an amount can be")]
    AmountTooLarge,
    /// The tolerable rate or amount does not lie above 0 and up to the whole.
    #[error("the tolerable error {0} lies outside its range")]
    Tolerable(Decimal),
    /// The method needs the number of items in the population.
    #[error("the method needs the size of the population")]
    PopulationMissing,
    /// The population is larger than the range in which the distribution is proven.
    #[error("the population of {size} exceeds {limit}")]
    PopulationTooLarge {
        /// Items or monetary units given.
        size: u64,
        /// [`LARGEST_POPULATION`].
        limit: u64,
    },
    /// The sample is larger than the range in which the quantiles are proven.
    #[error("the sample of {size} exceeds {limit}")]
    SizeTooLarge {
        /// Sampling units given.
        size: u64,
        /// [`LARGEST_SIZE`].
        limit: u64,
    },
    /// The method needs more sampling units, for a variance for instance.
    #[error("a sample of {size} is too small: the method needs {least}")]
    SizeTooSmall {
        /// Sampling units given.
        size: u64,
        /// Sampling units needed.
        least: u64,
    },
    /// More hits in error than the method forms stages for.
    #[error("{hits} hits in error are more than the {limit} stages of this method")]
    TooManyErrors {
        /// Hits in error.
        hits: u64,
        /// Most of them.
        limit: u64,
    },
    /// No stratum has items.
    #[error("there are no strata with items")]
    StrataEmpty,
    /// Two strata have the same position.
    #[error("there are two strata {0}")]
    StratumTwice(u32),
    /// Pooling was asked for, and the allocation is not proportional: the pooled rate would be biased.
    #[error("the allocation is not proportional to the strata")]
    NotProportional,
    /// An item is larger than the book value it belongs to.
    #[error("an item with {item} is larger than the book value {book_value}")]
    ItemAboveBookValue {
        /// Book value of the item.
        item: i64,
        /// Book value of the population.
        book_value: i64,
    },
    /// An item among those checked in full has no positive book value.
    #[error("an item with {0} cannot be among those checked in full")]
    Exhaustive(i64),
    /// A parameter of the method lies outside its range.
    #[error("{field} = {value} lies outside its range")]
    Parameter {
        /// Name of the input.
        field: &'static str,
        /// What was given.
        value: Decimal,
    },
}

impl EvaluationError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Confidence(_) => "CONFIDENCE_OUT_OF_RANGE",
            Self::SampleEmpty => "SAMPLE_EMPTY",
            Self::DeviationsAboveSize { .. } => "DEVIATIONS_ABOVE_SIZE",
            Self::SizeAbovePopulation { .. } | Self::SizeAboveBookValue { .. } => {
                "SAMPLE_LARGER_THAN_POPULATION"
            }
            Self::BookValue(_) => "BOOK_VALUE_NOT_POSITIVE",
            Self::Item { .. } => "AMOUNT_NOT_POSITIVE",
            Self::HitsDiffer { .. } => "HITS_DIFFER",
            Self::AmountTooLarge => "AMOUNT_TOO_LARGE",
            Self::Tolerable(_) => "TOLERABLE_OUT_OF_RANGE",
            Self::PopulationMissing => "POPULATION_MISSING",
            Self::PopulationTooLarge { .. } => "POPULATION_TOO_LARGE",
            Self::SizeTooLarge { .. } => "SAMPLE_TOO_LARGE",
            Self::SizeTooSmall { .. } => "SAMPLE_TOO_SMALL",
            Self::TooManyErrors { .. } => "TOO_MANY_ERRORS",
            Self::StrataEmpty => "STRATA_EMPTY",
            Self::StratumTwice(_) => "STRATUM_TWICE",
            Self::NotProportional => "ALLOCATION_NOT_PROPORTIONAL",
            Self::ItemAboveBookValue { .. } => "ITEM_ABOVE_BOOK_VALUE",
            Self::Exhaustive(_) => "EXHAUSTIVE_NOT_POSITIVE",
            Self::Parameter { .. } => "PARAMETER_OUT_OF_RANGE",
        }
    }

    /// Name of the input that has to change.
    pub fn field(&self) -> &'static str {
        match self {
            Self::Confidence(_) => "confidence",
            Self::SampleEmpty
            | Self::SizeTooLarge { .. }
            | Self::SizeTooSmall { .. }
            | Self::SizeAboveBookValue { .. } => "size",
            Self::DeviationsAboveSize { .. } => "deviations",
            Self::SizeAbovePopulation { .. } | Self::PopulationMissing => "population",
            Self::PopulationTooLarge { .. } => "distribution",
            Self::BookValue(_) => "bookValue",
            Self::Item { book, .. } if *book > 0 => "hits",
            Self::Item { .. } | Self::ItemAboveBookValue { .. } | Self::Exhaustive(_) => "book",
            Self::HitsDiffer { .. } | Self::TooManyErrors { .. } | Self::AmountTooLarge => "items",
            Self::Tolerable(_) => "tolerable",
            Self::StrataEmpty => "strata",
            Self::StratumTwice(_) => "ordinal",
            Self::NotProportional => "combination",
            Self::Parameter { field, .. } => field,
        }
    }
}

/// Confidence and size as every method with steps takes them.
fn check_sample(confidence: Decimal, size: u64) -> Result<(), EvaluationError> {
    if confidence <= Decimal::ZERO || confidence >= Decimal::ONE {
        return Err(EvaluationError::Confidence(confidence));
    }
    if size == 0 {
        return Err(EvaluationError::SampleEmpty);
    }
    if size > LARGEST_SIZE {
        let limit = LARGEST_SIZE;
        return Err(EvaluationError::SizeTooLarge { size, limit });
    }
    Ok(())
}

/// A tolerable rate: above 0 and up to 1.
fn check_tolerable_rate(tolerable: Option<Decimal>) -> Result<(), EvaluationError> {
    match tolerable {
        Some(rate) if rate <= Decimal::ZERO || rate > Decimal::ONE => Err(EvaluationError::Tolerable(rate)),
        _ => Ok(()),
    }
}

/// The distribution of the number of errors behind a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Distribution {
    /// Drawn with replacement, or few of many.
    Binomial,
    /// Many units and few errors: the limit of the binomial, always above it.
    Poisson,
    /// Drawn without replacement from a known number of items or monetary units.
    Hypergeometric,
}

/// The sides on which a limit is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Sides {
    /// At most so much: the whole risk lies above.
    Upper,
    /// At least so much: the whole risk lies below.
    Lower,
    /// Both, with half of the risk on either side.
    TwoSided,
}

impl Sides {
    /// The risk of a single limit.
    fn risk(self, confidence: Decimal) -> Decimal {
        let risk = Decimal::ONE - confidence;
        match self {
            Self::TwoSided => risk / Decimal::TWO,
            Self::Upper | Self::Lower => risk,
        }
    }
}
