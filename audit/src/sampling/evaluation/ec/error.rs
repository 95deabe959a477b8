//! Why a sample cannot be evaluated by the guidance.

use rust_decimal::Decimal;

use super::super::errors::ErrorRateError;
use crate::sampling::derivation::german_decimal;
use crate::sampling::guidance::NoFactor;
use crate::sampling::refusal::Located;

/// Why a sample cannot be evaluated by the guidance.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EcError {
    /// The confidence does not lie strictly between 0 and 1, or so near to one of them that its quantile is no number.
    #[error("the confidence {0} does not lie between 0 and 1")]
    Confidence(Decimal),
    /// A statistical method without confidence.
    #[error("the method needs a confidence")]
    ConfidenceMissing,
    /// A method that is not statistical with a confidence or factors.
    #[error("a method that is not statistical has neither confidence nor factors")]
    NotStatistical,
    /// A statistical method without factor profile.
    #[error("the method needs a factor profile")]
    ProfileMissing,
    /// The guidance's tables do not have the confidence.
    #[error("the tables have no confidence {0}")]
    ConfidenceNotInTable(Decimal),
    /// More errors than appendix 3 has factors for, or than the exact ones are listed.
    #[error("there are no factors for {0} errors")]
    TooManyErrors(u64),
    /// There is no stratum.
    #[error("there is no stratum")]
    NoStratum,
    /// Two strata have the same name and period.
    #[error("the stratum {0} is there twice")]
    DuplicateStratum(String),
    /// Two items have the same id.
    #[error("the item {0} is there twice")]
    DuplicateItem(String),
    /// Some strata have a group and some have none.
    #[error("the stratum {0} has no group, others have")]
    GroupMissing(String),
    /// A known error names a group that no stratum has.
    #[error("no stratum has the group {0}")]
    GroupUnknown(String),
    /// Items and their sums are given both.
    #[error("stratum {0} has items and their sums")]
    ItemsAndSummary(String),
    /// The conservative approach needs the error rates themselves.
    #[error("the method needs the items, not their sums")]
    SummaryNotPossible,
    /// Sums without what the method needs of them.
    #[error("the sums of stratum {stratum} lack {field}")]
    SummaryIncomplete {
        /// The stratum.
        stratum: String,
        /// What is missing.
        field: &'static str,
    },
    /// A stratum with a book value from which nothing was checked.
    #[error("stratum {0} has a book value but no sample")]
    SampleEmpty(String),
    /// A variance needs two items.
    #[error("stratum {0} has a single checked item: there is no variance")]
    SampleTooSmall(String),
    /// More items checked than there are.
    #[error("stratum {stratum} has {size} checked items of {population}")]
    SizeAbovePopulation {
        /// The stratum.
        stratum: String,
        /// Items checked.
        size: u64,
        /// Items of the part.
        population: u64,
    },
    /// A number of items beyond any population.
    #[error("{0} items are too many")]
    CountTooLarge(u64),
    /// The method needs the number of items.
    #[error("stratum {0} lacks the number of its items")]
    PopulationMissing(String),
    /// A book value is negative, or zero where something was drawn.
    #[error("the book value {book_value} of stratum {stratum} is not positive")]
    BookValue {
        /// The stratum.
        stratum: String,
        /// Its book value.
        book_value: i64,
    },
    /// An item without a positive book value in a sample drawn by size.
    #[error("an item with book value {0} cannot be drawn by size")]
    ItemBookValue(i64),
    /// An item with hits where every item is drawn once at most, or with none.
    #[error("{0} hits are not possible")]
    Hits(u64),
    /// An item without audited value and sub-sample, or with both.
    #[error("an item has either an audited value or a sub-sample")]
    AuditValue,
    /// A negative systemic or anomalous part.
    #[error("the part {0} of an error is negative")]
    ErrorPart(i64),
    /// Systemic errors were found that are not delimited.
    #[error("systemic errors of {found} were found, {delimited} are delimited")]
    SystemicNotDelimited {
        /// Sum in the sample.
        found: i128,
        /// Sum of the known errors.
        delimited: i128,
    },
    /// The anomalous errors of the items are not those that are known.
    #[error("anomalous errors of {found} were found, {known} are known")]
    AnomalousDiffer {
        /// Sum in the sample.
        found: i128,
        /// Sum of the known errors.
        known: i128,
    },
    /// There are errors below zero and no word on what happens to them.
    #[error("errors below zero were found: they are set aside or netted, which has to be said")]
    UnderstatementsUndecided,
    /// A ratio to book values that add up to zero or less.
    #[error("the book values of the sample in stratum {0} do not add up to a positive amount")]
    SampleBookValue(String),
    /// The conservative approach without planned size, or another method with one.
    #[error("the planned size belongs to the conservative approach, and only to it")]
    PlannedSize,
    /// Strata where the guidance describes a single one.
    #[error("the method is described for a single stratum")]
    StrataNotPossible,
    /// Exclusions that the guidance does not describe.
    #[error("exclusions are not described for several strata of this method")]
    ExclusionNotPossible,
    /// An exclusion that is negative, or of a part that has nothing left to project from.
    #[error("the exclusion of stratum {0} is not possible")]
    Exclusion(String),
    /// A sub-sample without items, with an impossible book value or number of items.
    #[error("the sub-sample of an item is not possible: {0}")]
    Subsample(&'static str),
    /// A book value of an item that its sub-sample does not have.
    #[error("the item has {item}, its sub-sample {subsample}")]
    SubsampleDiffers {
        /// Book value of the item.
        item: i64,
        /// Book value of the sub-sample.
        subsample: i128,
    },
    /// The total error cannot be formed.
    #[error(transparent)]
    Total(#[from] ErrorRateError),
    /// An amount of the result does not fit.
    #[error("an amount of the result is too large")]
    AmountTooLarge,
}

impl From<NoFactor> for EcError {
    fn from(none: NoFactor) -> Self {
        match none {
            NoFactor::NotInTable(confidence) => Self::ConfidenceNotInTable(confidence),
            NoFactor::TooManyErrors(errors) => Self::TooManyErrors(errors),
            NoFactor::Confidence(confidence) => Self::Confidence(confidence),
        }
    }
}

/// The refusal with the part of the input in which it showed.
pub(super) fn within(refusal: impl Into<Located<EcError>>, place: impl Into<String>) -> Located<EcError> {
    let refusal = refusal.into();
    if refusal.is_of_the_whole() {
        return refusal;
    }
    refusal.at(place)
}

impl EcError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Confidence(_) => "CONFIDENCE_OUT_OF_RANGE",
            Self::ConfidenceMissing => "CONFIDENCE_MISSING",
            Self::NotStatistical => "NOT_STATISTICAL",
            Self::ProfileMissing => "PROFILE_MISSING",
            Self::ConfidenceNotInTable(_) => "CONFIDENCE_NOT_IN_TABLE",
            Self::TooManyErrors(_) => "TOO_MANY_ERRORS",
            Self::NoStratum => "STRATA_EMPTY",
            Self::DuplicateStratum(_) => "DUPLICATE_STRATUM",
            Self::DuplicateItem(_) => "DUPLICATE_ITEM",
            Self::GroupMissing(_) => "GROUP_MISSING",
            Self::GroupUnknown(_) => "GROUP_UNKNOWN",
            Self::ItemsAndSummary(_) => "ITEMS_AND_SUMMARY",
            Self::SummaryNotPossible => "SUMMARY_NOT_POSSIBLE",
            Self::SummaryIncomplete { .. } => "SUMMARY_INCOMPLETE",
            Self::SampleEmpty(_) => "SAMPLE_EMPTY",
            Self::SampleTooSmall(_) => "SAMPLE_TOO_SMALL",
            Self::SizeAbovePopulation { .. } => "SAMPLE_LARGER_THAN_POPULATION",
            Self::CountTooLarge(_) => "POPULATION_TOO_LARGE",
            Self::PopulationMissing(_) => "POPULATION_MISSING",
            Self::BookValue { .. } => "BOOK_VALUE_NOT_POSITIVE",
            Self::ItemBookValue(_) => "AMOUNT_NOT_POSITIVE",
            Self::Hits(_) => "HITS_NOT_POSSIBLE",
            Self::AuditValue => "AUDIT_VALUE_OR_SUBSAMPLE",
            Self::ErrorPart(_) => "ERROR_PART_NEGATIVE",
            Self::SystemicNotDelimited { .. } => "SYSTEMIC_NOT_DELIMITED",
            Self::AnomalousDiffer { .. } => "ANOMALOUS_DIFFER",
            Self::UnderstatementsUndecided => "UNDERSTATEMENTS_UNDECIDED",
            Self::SampleBookValue(_) => "SAMPLE_BOOK_VALUE_NOT_POSITIVE",
            Self::PlannedSize => "PLANNED_SIZE",
            Self::StrataNotPossible => "STRATA_NOT_POSSIBLE",
            Self::ExclusionNotPossible => "EXCLUSION_NOT_POSSIBLE",
            Self::Exclusion(_) => "EXCLUSION_OUT_OF_RANGE",
            Self::Subsample(_) => "SUBSAMPLE_NOT_POSSIBLE",
            Self::SubsampleDiffers { .. } => "SUBSAMPLE_DIFFERS",
            Self::Total(error) => error.code(),
            Self::AmountTooLarge => "AMOUNT_TOO_LARGE",
        }
    }

    /// Whether it is about an input of the whole, wherever it shows.
    fn is_of_the_whole(&self) -> bool {
        matches!(self, Self::UnderstatementsUndecided | Self::AmountTooLarge)
    }

    /// The input that has to change.
    pub fn field(&self) -> &'static str {
        match self {
            Self::Confidence(_)
            | Self::ConfidenceMissing
            | Self::NotStatistical
            | Self::ConfidenceNotInTable(_) => "confidence",
            Self::ProfileMissing | Self::TooManyErrors(_) => "profile",
            Self::NoStratum | Self::DuplicateStratum(_) | Self::StrataNotPossible => "strata",
            Self::GroupMissing(_) => "group",
            Self::ItemsAndSummary(_) | Self::SummaryNotPossible => "summary",
            Self::SummaryIncomplete { field, .. } => field,
            Self::DuplicateItem(_) => "id",
            Self::SampleEmpty(_) | Self::SampleTooSmall(_) | Self::SampleBookValue(_) => "items",
            Self::SizeAbovePopulation { .. } | Self::PopulationMissing(_) | Self::CountTooLarge(_) => {
                "population"
            }
            Self::BookValue { .. } | Self::ItemBookValue(_) | Self::AmountTooLarge => "bookValue",
            Self::Hits(_) => "hits",
            Self::AuditValue => "auditValue",
            Self::ErrorPart(_) => "systemicError",
            Self::GroupUnknown(_) | Self::SystemicNotDelimited { .. } | Self::AnomalousDiffer { .. } => {
                "knownErrors"
            }
            Self::UnderstatementsUndecided => "understatements",
            Self::PlannedSize => "plannedSize",
            Self::ExclusionNotPossible | Self::Exclusion(_) => "excluded",
            Self::Subsample(_) | Self::SubsampleDiffers { .. } => "subsample",
            Self::Total(error) => error.field(),
        }
    }

    /// The same in German.
    #[expect(clippy::too_many_lines, reason = "a text for each error")]
    pub fn german(&self) -> String {
        match self {
            Self::Confidence(confidence) => format!(
                "Die Sicherheit {} liegt nicht zwischen 0 und 1 oder zu nahe an einer dieser Grenzen. \
                 Bitte als Dezimalzahl angeben, etwa 0,95.",
                german_decimal(confidence)
            ),
            Self::ConfidenceMissing => "Das Verfahren braucht eine Sicherheit.".to_owned(),
            Self::NotStatistical => {
                "Ein nichtstatistisches Verfahren hat weder Sicherheit noch Faktoren. Bitte beides weglassen."
                    .to_owned()
            }
            Self::ProfileMissing => {
                "Das Verfahren braucht ein Faktorprofil: die Tabellen des Leitfadens oder genaue Faktoren."
                    .to_owned()
            }
            Self::ConfidenceNotInTable(confidence) => format!(
                "Die Tabellen des Leitfadens haben die Sicherheit {} nicht. Bitte eine Sicherheit der \
                 Tabellen oder das Profil mit genauen Faktoren wählen.",
                german_decimal(confidence)
            ),
            Self::TooManyErrors(errors) => format!("Für {errors} Fehler gibt es keine Faktoren."),
            Self::NoStratum => "Es ist keine Schicht angegeben.".to_owned(),
            Self::DuplicateStratum(name) => format!("Die Schicht {name} ist zweimal angegeben."),
            Self::DuplicateItem(id) => format!("Die Position {id} ist zweimal angegeben."),
            Self::GroupMissing(name) => format!("Die Schicht {name} hat keine Gruppe, andere haben eine."),
            Self::GroupUnknown(group) => format!("Keine Schicht gehört zur Gruppe {group}."),
            Self::ItemsAndSummary(name) => format!(
                "Für die Schicht {name} sind Positionen und deren Summen angegeben. Bitte nur eines davon \
                 angeben."
            ),
            Self::SummaryNotPossible => {
                "Das Verfahren braucht die einzelnen Positionen, nicht ihre Summen.".to_owned()
            }
            Self::SummaryIncomplete { stratum, field } => {
                format!("Den Summen der Schicht {stratum} fehlt die Angabe „{field}“.")
            }
            Self::SampleEmpty(name) => {
                format!("Die Schicht {name} hat einen Buchwert, aber keine Stichprobe.")
            }
            Self::SampleTooSmall(name) => format!(
                "In der Schicht {name} ist nur eine einzige Position geprüft: Daraus folgt keine Varianz."
            ),
            Self::SizeAbovePopulation {
                stratum,
                size,
                population,
            } => format!(
                "In der Schicht {stratum} sind mehr Positionen geprüft ({size}), als sie hat ({population})."
            ),
            Self::CountTooLarge(count) => format!("{count} Positionen sind zu viele."),
            Self::PopulationMissing(name) => {
                format!("Bei der Schicht {name} fehlt die Anzahl ihrer Positionen.")
            }
            Self::BookValue { stratum, book_value } => {
                format!("Der Buchwert {book_value} der Schicht {stratum} ist nicht positiv.")
            }
            Self::ItemBookValue(value) => format!(
                "Eine Position mit dem Buchwert {value} kann nicht größenproportional gezogen worden sein: \
                 Ihr Buchwert muss positiv sein."
            ),
            Self::Hits(hits) => format!("Die Trefferzahl {hits} ist bei diesem Verfahren nicht möglich."),
            Self::AuditValue => {
                "Eine Position hat entweder einen geprüften Wert oder eine Unterstichprobe.".to_owned()
            }
            Self::ErrorPart(part) => {
                format!("Der systemische oder anomale Teil {part} eines Fehlers ist negativ.")
            }
            Self::SystemicNotDelimited { found, delimited } => {
                format!("Festgestellt sind systemische Fehler von {found}, abgegrenzt sind {delimited}.")
            }
            Self::AnomalousDiffer { found, known } => {
                format!("Festgestellt sind anomale Fehler von {found}, als bekannt angegeben sind {known}.")
            }
            Self::UnderstatementsUndecided => {
                "Es gibt Fehler unter null. Bitte angeben, ob sie außer Ansatz bleiben oder saldiert werden."
                    .to_owned()
            }
            Self::SampleBookValue(name) => {
                format!("Die Buchwerte der Stichprobe in der Schicht {name} ergeben keine positive Summe.")
            }
            Self::PlannedSize => {
                "Der geplante Stichprobenumfang gehört zum konservativen Ansatz, und nur zu ihm.".to_owned()
            }
            Self::StrataNotPossible => {
                "Das Verfahren ist nur für eine einzige Schicht beschrieben.".to_owned()
            }
            Self::ExclusionNotPossible => {
                "Ausschlüsse sind bei diesem Verfahren nicht für mehrere Schichten beschrieben.".to_owned()
            }
            Self::Exclusion(name) => format!(
                "Der Ausschluss in der Schicht {name} ist nicht möglich. Bitte Beträge und Anzahlen prüfen."
            ),
            Self::Subsample(field) => format!(
                "Die Unterstichprobe einer Position ist nicht möglich. Bitte die Angabe „{field}“ prüfen."
            ),
            Self::SubsampleDiffers { item, subsample } => {
                format!("Die Position hat den Buchwert {item}, ihre Unterstichprobe hat {subsample}.")
            }
            Self::Total(error) => error.german(),
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
        let confidence = Decimal::new(85, 2);
        let errors = [
            EcError::Confidence(confidence),
            EcError::ConfidenceMissing,
            EcError::NotStatistical,
            EcError::ProfileMissing,
            EcError::ConfidenceNotInTable(confidence),
            EcError::TooManyErrors(51),
            EcError::NoStratum,
            EcError::DuplicateStratum(name()),
            EcError::DuplicateItem(name()),
            EcError::GroupMissing(name()),
            EcError::GroupUnknown(name()),
            EcError::ItemsAndSummary(name()),
            EcError::SummaryNotPossible,
            EcError::SummaryIncomplete {
                stratum: name(),
                field: "bookSum",
            },
            EcError::SampleEmpty(name()),
            EcError::SampleTooSmall(name()),
            EcError::SizeAbovePopulation {
                stratum: name(),
                size: 31,
                population: 17,
            },
            EcError::CountTooLarge(88),
            EcError::PopulationMissing(name()),
            EcError::BookValue {
                stratum: name(),
                book_value: -4,
            },
            EcError::ItemBookValue(-5),
            EcError::Hits(6),
            EcError::AuditValue,
            EcError::ErrorPart(-8),
            EcError::SystemicNotDelimited {
                found: 12,
                delimited: 11,
            },
            EcError::AnomalousDiffer { found: 14, known: 13 },
            EcError::UnderstatementsUndecided,
            EcError::SampleBookValue(name()),
            EcError::PlannedSize,
            EcError::StrataNotPossible,
            EcError::ExclusionNotPossible,
            EcError::Exclusion(name()),
            EcError::Subsample("items"),
            EcError::SubsampleDiffers {
                item: 21,
                subsample: 22,
            },
            EcError::Total(ErrorRateError::Materiality(Decimal::TWO)),
            EcError::AmountTooLarge,
        ];
        assert!(errors[13].german().contains("„bookSum“"));
        assert!(errors[32].german().contains("„items“"));
        assert_german(&errors.map(|error| (error.german(), error.to_string())));
    }
}
