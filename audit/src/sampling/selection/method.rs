//! The methods by name and version.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::sampling::derivation::{Text, missing_amounts, outside_the_population, without_amount};

/// Algorithm and version of [`super::SimpleRandom`].
pub const TICKETS: &str = "tickets-1";
/// Algorithm and version of [`super::FixedInterval`].
pub const FIXED_INTERVAL: &str = "fixed-interval-1";
/// Algorithm and version of [`super::RandomisedInterval`].
pub const RANDOMISED_INTERVAL: &str = "randomised-interval-1";
/// Algorithm and version of [`super::UnitsWithReplacement`].
pub const UNITS_WITH_REPLACEMENT: &str = "units-with-replacement-1";
/// Algorithm and version of [`super::RecordsWithReplacement`].
pub const RECORDS_WITH_REPLACEMENT: &str = "records-with-replacement-1";
/// Algorithm and version of [`super::RecordInterval`].
pub const RECORD_INTERVAL: &str = "record-interval-1";
/// Algorithm and version of [`super::Cell`].
pub const CELL: &str = "cell-1";
/// Algorithm and version of [`super::Sieve`].
pub const SIEVE: &str = "sieve-1";
/// Algorithm and version of [`super::ModifiedSieve`].
pub const MODIFIED_SIEVE: &str = "modified-sieve-1";
/// Algorithm and version of [`super::Census`].
pub const CENSUS: &str = "census-1";
/// Kind and version of samples that a person chose ([`super::Judgement`]).
pub const JUDGEMENTAL: &str = "judgemental-1";

/// How the items of a sample are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SelectionMethod {
    /// Items without replacement, by tickets (einfache Zufallsstichprobe).
    SimpleRandom,
    /// Every k-th item from a random start.
    RecordInterval,
    /// Items with replacement, by their number.
    RecordsWithReplacement,
    /// Monetary units at a fixed interval from a random start.
    FixedInterval,
    /// The same over the items in random order.
    RandomisedInterval,
    /// One monetary unit at random in each of equal cells.
    Cell,
    /// Monetary units with replacement.
    UnitsWithReplacement,
    /// Items larger than a random part of the interval; the size is random.
    Sieve,
    /// The items largest in relation to a random number; the size is fixed.
    ModifiedSieve,
    /// All items (Vollprüfung).
    Census,
    /// Items chosen by a person for their risk; never projected (bewusste Auswahl).
    Judgemental,
}

impl SelectionMethod {
    /// All methods.
    pub const ALL: [Self; 11] = [
        Self::SimpleRandom,
        Self::RecordInterval,
        Self::RecordsWithReplacement,
        Self::FixedInterval,
        Self::RandomisedInterval,
        Self::Cell,
        Self::UnitsWithReplacement,
        Self::Sieve,
        Self::ModifiedSieve,
        Self::Census,
        Self::Judgemental,
    ];

    /// Algorithm and version, as stored with a sample.
    pub fn algorithm(self) -> &'static str {
        match self {
            Self::SimpleRandom => TICKETS,
            Self::RecordInterval => RECORD_INTERVAL,
            Self::RecordsWithReplacement => RECORDS_WITH_REPLACEMENT,
            Self::FixedInterval => FIXED_INTERVAL,
            Self::RandomisedInterval => RANDOMISED_INTERVAL,
            Self::Cell => CELL,
            Self::UnitsWithReplacement => UNITS_WITH_REPLACEMENT,
            Self::Sieve => SIEVE,
            Self::ModifiedSieve => MODIFIED_SIEVE,
            Self::Census => CENSUS,
            Self::Judgemental => JUDGEMENTAL,
        }
    }

    /// The method whose current algorithm this is.
    pub fn of_algorithm(algorithm: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|method| method.algorithm() == algorithm)
    }

    /// The algorithm without its version.
    pub fn id(self) -> &'static str {
        self.parts().0
    }

    /// The version of the algorithm.
    pub fn version(self) -> &'static str {
        self.parts().1
    }

    fn parts(self) -> (&'static str, &'static str) {
        let algorithm = self.algorithm();
        algorithm.rsplit_once('-').unwrap_or((algorithm, ""))
    }

    /// Whether the unit drawn is the monetary unit, so that items below or at zero have no chance.
    pub fn is_monetary(self) -> bool {
        matches!(
            self,
            Self::FixedInterval
                | Self::RandomisedInterval
                | Self::Cell
                | Self::UnitsWithReplacement
                | Self::Sieve
                | Self::ModifiedSieve
        )
    }

    /// Whether its result may be projected to the population.
    pub fn projects(self) -> bool {
        self != Self::Judgemental
    }

    /// What samples of this kind cannot find.
    pub fn cannot_find(self) -> Vec<Text> {
        let mut texts = vec![outside_the_population()];
        if self.is_monetary() {
            texts.extend([missing_amounts(), without_amount()]);
        }
        if !self.projects() {
            texts.push(Text::new(
                "Eine bewusste Auswahl sagt nur über ihre eigenen Positionen etwas aus; sie wird nicht \
                 hochgerechnet.",
                "A judgemental sample speaks of its own items only; it is not projected.",
            ));
        }
        texts
    }
}
