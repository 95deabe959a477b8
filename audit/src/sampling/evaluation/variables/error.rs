//! Why amounts cannot be projected.

use rust_decimal::Decimal;

use crate::sampling::derivation::german_decimal;

/// Why amounts cannot be projected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VariablesError {
    /// The confidence does not lie strictly between 0 and 1, or so near to one of them that its quantile is no number.
    #[error("the confidence {0} does not lie between 0 and 1")]
    Confidence(Decimal),
    /// There is no stratum.
    #[error("there is no stratum")]
    NoStratum,
    /// More strata than can be put together.
    #[error("{0} strata are too many")]
    TooManyStrata(usize),
    /// Two strata have the same name.
    #[error("the stratum {0} is there twice")]
    DuplicateStratum(String),
    /// Two items of the sample have the same id.
    #[error("the item {0} is there twice")]
    DuplicateItem(String),
    /// A variance needs two units, a regression three.
    #[error("stratum {stratum} has {size} checked units, {needed} are needed")]
    SampleTooSmall {
        /// The stratum.
        stratum: String,
        /// Units checked.
        size: u64,
        /// Units needed.
        needed: u64,
    },
    /// More units checked than there are.
    #[error("stratum {stratum} has {size} checked units of {population}")]
    SizeAbovePopulation {
        /// The stratum.
        stratum: String,
        /// Units checked.
        size: u64,
        /// Units of the population.
        population: u64,
    },
    /// A population beyond the range in which the distributions are proven.
    #[error("a population of {0} is too large")]
    PopulationTooLarge(u64),
    /// The book value of a stratum is zero or negative.
    #[error("the book value {book_value} of stratum {stratum} is not positive")]
    BookValue {
        /// The stratum.
        stratum: String,
        /// Its book value.
        book_value: i64,
    },
    /// Ratio or regression over several strata without a way to put them together.
    #[error("several strata need a combination")]
    CombinationMissing,
    /// Mean per unit and difference add up over strata; there is nothing to choose.
    #[error("the estimator does not know combinations")]
    CombinationNotApplicable,
    /// A ratio to book values that add up to zero or less.
    #[error("the book values of the sample in stratum {0} do not add up to a positive amount")]
    SampleBookValue(String),
    /// A slope on book values that are all alike.
    #[error("the book values of the sample are all alike: there is no slope")]
    BookValuesAlike,
    /// An item without cluster where clusters were drawn.
    #[error("an item belongs to no cluster")]
    ClusterMissing,
    /// An item with a cluster where items were drawn.
    #[error("an item names a cluster, but items were drawn")]
    ClusterUnexpected,
    /// A cluster with lines in two strata.
    #[error("the cluster {0} lies in two strata")]
    ClusterInTwoStrata(String),
    /// The rules for few errors are described for combined estimators only.
    #[error("the rules for few errors are not described for separate estimators")]
    FewErrorsSeparate,
    /// The number of units in error leaves no degree of freedom.
    #[error("{errors} units in error in {strata} strata leave no degree of freedom")]
    TooFewErrors {
        /// Units in error.
        errors: u64,
        /// Strata.
        strata: u64,
    },
    /// The tolerable misstatement is zero or negative.
    #[error("the tolerable misstatement {0} is not positive")]
    Tolerable(i64),
    /// An amount of the result does not fit.
    #[error("an amount of the result is too large")]
    AmountTooLarge,
}

impl VariablesError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Confidence(_) => "CONFIDENCE_OUT_OF_RANGE",
            Self::NoStratum => "STRATA_EMPTY",
            Self::TooManyStrata(_) => "TOO_MANY_STRATA",
            Self::DuplicateStratum(_) => "DUPLICATE_STRATUM",
            Self::DuplicateItem(_) => "DUPLICATE_ITEM",
            Self::SampleTooSmall { .. } => "SAMPLE_TOO_SMALL",
            Self::SizeAbovePopulation { .. } => "SAMPLE_LARGER_THAN_POPULATION",
            Self::PopulationTooLarge(_) => "POPULATION_TOO_LARGE",
            Self::BookValue { .. } => "BOOK_VALUE_NOT_POSITIVE",
            Self::CombinationMissing => "COMBINATION_MISSING",
            Self::CombinationNotApplicable => "COMBINATION_NOT_APPLICABLE",
            Self::SampleBookValue(_) => "SAMPLE_BOOK_VALUE_NOT_POSITIVE",
            Self::BookValuesAlike => "BOOK_VALUES_ALIKE",
            Self::ClusterMissing => "CLUSTER_MISSING",
            Self::ClusterUnexpected => "CLUSTER_UNEXPECTED",
            Self::ClusterInTwoStrata(_) => "CLUSTER_IN_TWO_STRATA",
            Self::FewErrorsSeparate => "FEW_ERRORS_SEPARATE",
            Self::TooFewErrors { .. } => "TOO_FEW_ERRORS",
            Self::Tolerable(_) => "TOLERABLE_NOT_POSITIVE",
            Self::AmountTooLarge => "AMOUNT_TOO_LARGE",
        }
    }

    /// The input that has to change.
    pub fn field(&self) -> &'static str {
        match self {
            Self::Confidence(_) => "confidence",
            Self::NoStratum | Self::TooManyStrata(_) => "strata",
            Self::DuplicateStratum(_) => "name",
            Self::DuplicateItem(_) => "id",
            Self::SampleTooSmall { .. } | Self::SampleBookValue(_) => "items",
            Self::ClusterMissing | Self::ClusterUnexpected | Self::ClusterInTwoStrata(_) => "cluster",
            Self::SizeAbovePopulation { .. } | Self::PopulationTooLarge(_) => "population",
            Self::BookValue { .. } | Self::AmountTooLarge => "bookValue",
            Self::CombinationMissing | Self::CombinationNotApplicable => "combination",
            Self::BookValuesAlike => "estimator",
            Self::FewErrorsSeparate | Self::TooFewErrors { .. } => "fewErrors",
            Self::Tolerable(_) => "tolerable",
        }
    }

    /// The same in German.
    pub fn german(&self) -> String {
        match self {
            Self::Confidence(confidence) => format!(
                "Die Sicherheit {} liegt nicht zwischen 0 und 1 oder zu nahe an einer dieser Grenzen. \
                 Bitte als Dezimalzahl angeben, etwa 0,95.",
                german_decimal(confidence)
            ),
            Self::NoStratum => "Es ist keine Schicht angegeben.".to_owned(),
            Self::TooManyStrata(count) => format!("{count} Schichten sind zu viele."),
            Self::DuplicateStratum(name) => format!("Die Schicht {name} ist zweimal angegeben."),
            Self::DuplicateItem(id) => format!("Die Position {id} ist zweimal angegeben."),
            Self::SampleTooSmall {
                stratum,
                size,
                needed,
            } => format!(
                "In der Schicht {stratum} sind zu wenige Einheiten geprüft: {size}, nötig sind {needed}."
            ),
            Self::SizeAbovePopulation {
                stratum,
                size,
                population,
            } => format!(
                "In der Schicht {stratum} sind mehr Einheiten geprüft ({size}), als sie hat ({population})."
            ),
            Self::PopulationTooLarge(population) => {
                format!("Eine Grundgesamtheit von {population} ist zu groß.")
            }
            Self::BookValue { stratum, book_value } => {
                format!("Der Buchwert {book_value} der Schicht {stratum} ist nicht positiv.")
            }
            Self::CombinationMissing => {
                "Bei mehreren Schichten ist anzugeben, ob getrennt oder kombiniert geschätzt wird.".to_owned()
            }
            Self::CombinationNotApplicable => {
                "Bei diesem Schätzverfahren gibt es keine Wahl zwischen getrennter und kombinierter \
                 Schätzung. Bitte die Angabe weglassen."
                    .to_owned()
            }
            Self::SampleBookValue(stratum) => {
                format!("Die Buchwerte der Stichprobe in der Schicht {stratum} ergeben keine positive Summe.")
            }
            Self::BookValuesAlike => {
                "Die Buchwerte der Stichprobe sind alle gleich: Es gibt keine Steigung. Bitte ein anderes \
                 Schätzverfahren wählen."
                    .to_owned()
            }
            Self::ClusterMissing => {
                "Eine Position gehört zu keinem Klumpen, gezogen wurden aber Klumpen.".to_owned()
            }
            Self::ClusterUnexpected => {
                "Eine Position nennt einen Klumpen, gezogen wurden aber Positionen.".to_owned()
            }
            Self::ClusterInTwoStrata(cluster) => format!("Der Klumpen {cluster} liegt in zwei Schichten."),
            Self::FewErrorsSeparate => {
                "Die Regeln für wenige Fehler sind für die getrennte Schätzung nicht beschrieben. Bitte \
                 kombiniert schätzen oder die Regeln weglassen."
                    .to_owned()
            }
            Self::TooFewErrors { errors, strata } => format!(
                "{errors} Einheiten mit Abweichung in {strata} Schichten lassen keinen Freiheitsgrad übrig."
            ),
            Self::Tolerable(tolerable) => format!("Der tragbare Fehler {tolerable} ist nicht positiv."),
            Self::AmountTooLarge => {
                "Ein Betrag des Ergebnisses ist größer, als ein Betrag sein kann.".to_owned()
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
        let name = || "A7".to_owned();
        let errors = [
            VariablesError::Confidence(Decimal::new(125, 2)),
            VariablesError::NoStratum,
            VariablesError::TooManyStrata(101),
            VariablesError::DuplicateStratum(name()),
            VariablesError::DuplicateItem(name()),
            VariablesError::SampleTooSmall {
                stratum: name(),
                size: 1,
                needed: 3,
            },
            VariablesError::SizeAbovePopulation {
                stratum: name(),
                size: 31,
                population: 17,
            },
            VariablesError::PopulationTooLarge(88),
            VariablesError::BookValue {
                stratum: name(),
                book_value: -4,
            },
            VariablesError::CombinationMissing,
            VariablesError::CombinationNotApplicable,
            VariablesError::SampleBookValue(name()),
            VariablesError::BookValuesAlike,
            VariablesError::ClusterMissing,
            VariablesError::ClusterUnexpected,
            VariablesError::ClusterInTwoStrata(name()),
            VariablesError::FewErrorsSeparate,
            VariablesError::TooFewErrors { errors: 4, strata: 5 },
            VariablesError::Tolerable(-3),
            VariablesError::AmountTooLarge,
        ];
        assert_german(&errors.map(|error| (error.german(), error.to_string())));
    }
}
