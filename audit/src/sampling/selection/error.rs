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
    #[error("the total {0} is not positive")]
    TotalNotPositive(i64),
    /// The population has no items.
    #[error("the population has no items")]
    PopulationEmpty,
    /// There are fewer cents than hits: an interval below one cent.
    #[error("{size} hits do not fit into {total_cents} monetary units")]
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
    #[error("item {id} has the amount {cents}: only positive amounts can be hit")]
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
    #[error("the items add up to {offered_cents}, not to {total_cents}")]
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

    /// The same in German.
    pub fn german(&self) -> String {
        match self {
            Self::SeedEmpty => "Der Startwert ist leer.".to_owned(),
            Self::SeedTooLong(length) => {
                format!("Der Startwert hat {length} Zeichen, möglich sind {LONGEST_SEED}.")
            }
            Self::SizeZero => "Eine Stichprobe hat mindestens eine Position.".to_owned(),
            Self::SizeTooLarge(size) => format!(
                "{size} Treffer mit Zurücklegen sind mehr, als möglich sind ({MOST_WITH_REPLACEMENT})."
            ),
            Self::TotalNotPositive(total) => {
                format!("Der Buchwert der Grundgesamtheit muss positiv sein, angegeben ist {total}.")
            }
            Self::PopulationEmpty => "Die Grundgesamtheit hat keine Positionen.".to_owned(),
            Self::SizeAboveTotal { size, total_cents } => format!(
                "{size} Treffer passen nicht in den Buchwert {total_cents}: Das Auswahlintervall läge \
                 unter einer Geldeinheit."
            ),
            Self::SizeAboveCount { size, count } => {
                format!("Aus {count} Positionen lassen sich ohne Zurücklegen nicht {size} ziehen.")
            }
            Self::AmountNotPositive { id, cents } => {
                format!(
                    "Die Position {id} hat den Betrag {cents}: Nur positive Beträge können getroffen werden."
                )
            }
            Self::AmountTooLarge(id) => {
                format!("Die Zeilen von {id} ergeben zusammen mehr, als ein Betrag sein kann.")
            }
            Self::TotalDiffers {
                total_cents,
                offered_cents,
            } => format!(
                "Die Positionen ergeben zusammen {offered_cents}, als Buchwert angegeben ist {total_cents}."
            ),
            Self::CountDiffers { count, offered } => {
                format!("Angeboten wurden {offered} Positionen, angegeben sind {count}.")
            }
            Self::OutOfOrder { id, after } => {
                format!("Die Position {id} wurde nach {after} angeboten, sie gehört davor.")
            }
            Self::ItemDoubled(id) => format!("Die Position {id} wurde zweimal angeboten."),
            Self::Required(field) => format!("Das Verfahren braucht die Angabe „{field}“."),
            Self::NotByChance => {
                "Eine bewusste Auswahl hat keinen Startwert: Ihre Positionen wählt ein Mensch aus.".to_owned()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampling::derivation::assert_german;

    #[test]
    fn errors_are_told_in_german() {
        let (id, after) = ("A7".to_owned(), "B8".to_owned());
        let errors = [
            SelectionError::SeedEmpty,
            SelectionError::SeedTooLong(201),
            SelectionError::SizeZero,
            SelectionError::SizeTooLarge(99_000_000),
            SelectionError::TotalNotPositive(-4),
            SelectionError::PopulationEmpty,
            SelectionError::SizeAboveTotal {
                size: 12,
                total_cents: 11,
            },
            SelectionError::SizeAboveCount { size: 31, count: 17 },
            SelectionError::AmountNotPositive {
                id: id.clone(),
                cents: -5,
            },
            SelectionError::AmountTooLarge(id.clone()),
            SelectionError::TotalDiffers {
                total_cents: 21,
                offered_cents: 22,
            },
            SelectionError::CountDiffers {
                count: 41,
                offered: 42,
            },
            SelectionError::OutOfOrder {
                id: id.clone(),
                after,
            },
            SelectionError::ItemDoubled(id),
            SelectionError::Required("bookValue"),
            SelectionError::NotByChance,
        ];
        assert_german(&errors.map(|error| (error.german(), error.to_string())));
    }
}
