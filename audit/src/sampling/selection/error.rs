//! Why a selection is impossible.

use super::{LONGEST_SEED, MOST_WITH_REPLACEMENT};

/// Why a selection is impossible.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    /// The seed is empty.
    #[error("the seed is empty")]
    SeedEmpty,
    /// The seed has more than [`LONGEST_SEED`] characters.
    #[error("the seed has {0} characters, more than {LONGEST_SEED}")]
    SeedTooLong(usize),
    /// The sample would have no items.
    #[error("a sample has at least one item")]
    SizeZero,
    /// More hits with replacement than are kept in memory.
    #[error("{0} hits with replacement are more than {MOST_WITH_REPLACEMENT}")]
    SizeTooLarge(u64),
    /// The total is zero or negative.
    #[error("the total of {0} cents is not positive")]
    TotalNotPositive(i64),
    /// The population has no items.
    #[error("the population has no items")]
    PopulationEmpty,
    /// There are fewer cents than hits: an interval below one cent.
    #[error("{size} hits do not fit into {total_cents} cents")]
    SizeAboveTotal {
        /// Hits asked for.
        size: u64,
        /// Total of the population.
        total_cents: i64,
    },
    /// There are fewer items than the sample would have.
    #[error("{size} of {count} items cannot be drawn without replacement")]
    SizeAboveCount {
        /// Items asked for.
        size: u64,
        /// Items of the population.
        count: u64,
    },
    /// A zero or negative amount was offered: it has no chance in a monetary unit sample.
    #[error("item {id} has {cents} cents: only positive amounts can be hit")]
    AmountNotPositive {
        /// The item.
        id: String,
        /// Its amount.
        cents: i64,
    },
    /// The lines of a cluster add up to more than an amount can be.
    #[error("the lines of {0} add up to more than an amount can be")]
    AmountTooLarge(String),
    /// The offered amounts do not add up to the total given at the start.
    #[error("the items add up to {offered_cents} cents, not to {total_cents}")]
    TotalDiffers {
        /// Total given at the start.
        total_cents: i64,
        /// Sum of the offered amounts, up to the first one that exceeded the total.
        offered_cents: i128,
    },
    /// Not as many items were offered as were given at the start.
    #[error("{offered} items were offered, not {count}")]
    CountDiffers {
        /// Items given at the start.
        count: u64,
        /// Items offered, up to the first one too many.
        offered: u64,
    },
    /// An item was offered after one that follows it.
    #[error("item {id} was offered after {after}")]
    OutOfOrder {
        /// The item.
        id: String,
        /// The one before it.
        after: String,
    },
    /// An item was offered twice.
    #[error("item {0} was offered twice")]
    ItemDoubled(String),
    /// The method needs a figure of the population that was not given.
    #[error("the method needs `{0}`")]
    Required(&'static str),
    /// A judgemental sample is chosen by a person.
    #[error("a judgemental sample has no seed: a person chooses its items")]
    NotByChance,
}

impl SelectionError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::SeedEmpty => "SEED_EMPTY",
            Self::SeedTooLong(_) => "SEED_TOO_LONG",
            Self::SizeZero => "SAMPLE_SIZE_ZERO",
            Self::SizeTooLarge(_) => "SAMPLE_TOO_LARGE",
            Self::TotalNotPositive(_) => "BOOK_VALUE_NOT_POSITIVE",
            Self::PopulationEmpty => "POPULATION_EMPTY",
            Self::SizeAboveTotal { .. } | Self::SizeAboveCount { .. } => "SAMPLE_LARGER_THAN_POPULATION",
            Self::AmountNotPositive { .. } => "AMOUNT_NOT_POSITIVE",
            Self::AmountTooLarge(_) => "AMOUNT_TOO_LARGE",
            Self::TotalDiffers { .. } => "TOTAL_DIFFERS",
            Self::CountDiffers { .. } => "COUNT_DIFFERS",
            Self::OutOfOrder { .. } => "ITEMS_OUT_OF_ORDER",
            Self::ItemDoubled(_) => "ITEM_DOUBLED",
            Self::Required(_) => "REQUIRED",
            Self::NotByChance => "METHOD_NOT_BY_CHANCE",
        }
    }

    /// The input that has to change.
    pub fn field(&self) -> &'static str {
        match self {
            Self::SeedEmpty | Self::SeedTooLong(_) => "seed",
            Self::SizeZero
            | Self::SizeTooLarge(_)
            | Self::SizeAboveTotal { .. }
            | Self::SizeAboveCount { .. } => "size",
            Self::TotalNotPositive(_) | Self::TotalDiffers { .. } => "bookValue",
            Self::PopulationEmpty | Self::CountDiffers { .. } => "populationSize",
            Self::AmountNotPositive { .. }
            | Self::AmountTooLarge(_)
            | Self::OutOfOrder { .. }
            | Self::ItemDoubled(_) => "items",
            Self::Required(field) => field,
            Self::NotByChance => "method",
        }
    }
}
