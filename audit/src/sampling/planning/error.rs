//! Why no sample size follows from the given figures.

use rust_decimal::Decimal;

use crate::sampling::derivation::german_decimal;
use crate::sampling::guidance::NoFactor;

/// Why no sample size follows from the given figures.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The confidence does not lie strictly between 0 and 1.
    #[error("the confidence {0} does not lie between 0 and 1")]
    Confidence(Decimal),
    /// The tolerable rate does not lie above 0 and up to 1, or the tolerable amount above 0 and up to the
    /// book value.
    #[error("the tolerable error {0} lies outside its range")]
    Tolerable(Decimal),
    /// The expected rate does not lie between 0 and 1, or the expected amount is negative.
    #[error("the expected error {0} lies outside its range")]
    Expected(Decimal),
    /// The tolerable error does not exceed the expected one: no sample could show it.
    #[error("the tolerable error {tolerable} is not above the expected error {expected}")]
    TolerableNotAboveExpected {
        /// The tolerable rate or amount in cents.
        tolerable: Decimal,
        /// The expected rate or amount in cents.
        expected: Decimal,
    },
    /// The population has no items.
    #[error("the population is empty")]
    Population,
    /// The book value is zero or negative.
    #[error("the book value of {0} cents is not positive")]
    BookValue(i64),
    /// More items (or cents) would be needed than there are, or than
    /// [`LARGEST_MONETARY_SIZE`](super::LARGEST_MONETARY_SIZE).
    #[error("more than {0} sampling units would be needed")]
    SampleLargerThanPopulation(u64),
}

impl PlanError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Confidence(_) => "CONFIDENCE_OUT_OF_RANGE",
            Self::Tolerable(_) => "TOLERABLE_OUT_OF_RANGE",
            Self::Expected(_) => "EXPECTED_OUT_OF_RANGE",
            Self::TolerableNotAboveExpected { .. } => "TOLERABLE_NOT_ABOVE_EXPECTED",
            Self::Population => "POPULATION_EMPTY",
            Self::BookValue(_) => "BOOK_VALUE_NOT_POSITIVE",
            Self::SampleLargerThanPopulation(_) => "SAMPLE_LARGER_THAN_POPULATION",
        }
    }

    /// Name of the input that has to change.
    pub fn field(&self) -> &'static str {
        match self {
            Self::Confidence(_) => "confidence",
            Self::Tolerable(_) | Self::TolerableNotAboveExpected { .. } => "tolerable",
            Self::Expected(_) => "expected",
            Self::Population | Self::SampleLargerThanPopulation(_) => "population",
            Self::BookValue(_) => "bookValue",
        }
    }

    /// The same in German.
    pub fn german(&self) -> String {
        match self {
            Self::Confidence(confidence) => format!(
                "Die Sicherheit {} liegt nicht zwischen 0 und 1. Bitte als Dezimalzahl angeben, etwa 0,95.",
                german_decimal(confidence)
            ),
            Self::Tolerable(tolerable) => format!(
                "Der tragbare Fehler {} liegt außerhalb seines Bereichs: Er muss positiv sein und darf als \
                 Quote höchstens 1, als Betrag höchstens so groß wie der Buchwert sein.",
                german_decimal(tolerable)
            ),
            Self::Expected(expected) => format!(
                "Der erwartete Fehler {} liegt außerhalb seines Bereichs: Als Quote muss er zwischen 0 und \
                 1 liegen, als Betrag darf er nicht negativ sein.",
                german_decimal(expected)
            ),
            Self::TolerableNotAboveExpected { tolerable, expected } => not_above(tolerable, expected),
            Self::Population => "Die Grundgesamtheit ist leer.".to_owned(),
            Self::BookValue(cents) => format!("Der Buchwert von {cents} Cent ist nicht positiv."),
            Self::SampleLargerThanPopulation(limit) => larger(*limit),
        }
    }
}

/// No sample could show it.
fn not_above(tolerable: &Decimal, expected: &Decimal) -> String {
    format!(
        "Der tragbare Fehler {} liegt nicht über dem erwarteten Fehler {}: Das kann keine Stichprobe zeigen.",
        german_decimal(tolerable),
        german_decimal(expected)
    )
}

/// More would be needed than there are.
fn larger(limit: u64) -> String {
    format!(
        "Es wären mehr als {limit} Auswahleinheiten nötig. Bitte die Grundgesamtheit, die Sicherheit und die \
         Fehlergrenzen prüfen."
    )
}

/// Why a calculator names no size. Every variant says which input has to change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SizeError {
    /// The confidence does not lie strictly between 0 and 1.
    #[error("the confidence {0} does not lie between 0 and 1")]
    Confidence(Decimal),
    /// The tables of the chosen profile have no row for this confidence.
    #[error("the table has no row for the confidence {0}")]
    ConfidenceNotInTable(Decimal),
    /// A rate lies outside its range between 0 and 1.
    #[error("{field}: the rate {value} lies outside its range")]
    Rate {
        /// The input.
        field: &'static str,
        /// Its value.
        value: Decimal,
    },
    /// A rate has more decimal places than products with counts can carry exactly.
    #[error("{field}: the rate {value} has more than 12 decimal places")]
    RateTooFine {
        /// The input.
        field: &'static str,
        /// Its value.
        value: Decimal,
    },
    /// An amount or a standard deviation lies outside its range.
    #[error("{field}: {value} lies outside its range")]
    Amount {
        /// The input.
        field: &'static str,
        /// Its value.
        value: Decimal,
    },
    /// A count lies outside its range.
    #[error("{field}: the count {value} lies outside its range")]
    Count {
        /// The input.
        field: &'static str,
        /// Its value.
        value: u64,
    },
    /// The method needs this input.
    #[error("{0} is missing")]
    Required(&'static str),
    /// The method knows no such input beside the other one.
    #[error("{field} does not go together with {other}")]
    NotTogether {
        /// The input that has to go.
        field: &'static str,
        /// The one it contradicts.
        other: &'static str,
    },
    /// The tolerable error does not exceed the expected one: no sample could show it.
    #[error("the tolerable error {tolerable} is not above the expected error {expected}")]
    TolerableNotAboveExpected {
        /// The tolerable rate, count or amount.
        tolerable: Decimal,
        /// The expected rate, count or amount.
        expected: Decimal,
    },
    /// More units would be needed than there are, or than the method can name.
    #[error("more than {0} sampling units would be needed")]
    SampleLargerThanPopulation(u64),
    /// Inherent and control risk alone are not above the audit risk: no sample is needed.
    #[error("at the audit risk {0} the detection risk is not below 1: the other risks alone suffice")]
    NoDetectionNeeded(Decimal),
    /// Every sampling unit falls on items that are audited anyway.
    #[error("the {0} sampling units are used up by items above the interval")]
    NothingLeftToSample(u64),
}

impl From<NoFactor> for SizeError {
    fn from(none: NoFactor) -> Self {
        match none {
            NoFactor::NotInTable(confidence) => Self::ConfidenceNotInTable(confidence),
            // a plan asks for the factor of no error only
            NoFactor::Confidence(confidence) => Self::Confidence(confidence),
            NoFactor::TooManyErrors(value) => Self::Count {
                field: "expected",
                value,
            },
        }
    }
}

impl SizeError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Confidence(_) => "CONFIDENCE_OUT_OF_RANGE",
            Self::ConfidenceNotInTable(_) => "CONFIDENCE_NOT_IN_TABLE",
            Self::Rate { .. } => "RATE_OUT_OF_RANGE",
            Self::RateTooFine { .. } => "RATE_TOO_FINE",
            Self::Amount { .. } => "AMOUNT_OUT_OF_RANGE",
            Self::Count { .. } => "COUNT_OUT_OF_RANGE",
            Self::Required(_) => "REQUIRED",
            Self::NotTogether { .. } => "NOT_TOGETHER",
            Self::TolerableNotAboveExpected { .. } => "TOLERABLE_NOT_ABOVE_EXPECTED",
            Self::SampleLargerThanPopulation(_) => "SAMPLE_LARGER_THAN_POPULATION",
            Self::NoDetectionNeeded(_) => "NO_DETECTION_NEEDED",
            Self::NothingLeftToSample(_) => "NOTHING_LEFT_TO_SAMPLE",
        }
    }

    /// Name of the input that has to change.
    pub fn field(&self) -> &'static str {
        match self {
            Self::Confidence(_) | Self::ConfidenceNotInTable(_) => "confidence",
            Self::Rate { field, .. }
            | Self::RateTooFine { field, .. }
            | Self::Amount { field, .. }
            | Self::Count { field, .. }
            | Self::Required(field)
            | Self::NotTogether { field, .. } => field,
            Self::TolerableNotAboveExpected { .. } => "tolerable",
            Self::SampleLargerThanPopulation(_) => "population",
            Self::NoDetectionNeeded(_) => "auditRisk",
            Self::NothingLeftToSample(_) => "size",
        }
    }

    /// The same in German.
    pub fn german(&self) -> String {
        match self {
            Self::Confidence(confidence) => format!(
                "Die Sicherheit {} liegt nicht zwischen 0 und 1. Bitte als Dezimalzahl angeben, etwa 0,95.",
                german_decimal(confidence)
            ),
            Self::ConfidenceNotInTable(confidence) => format!(
                "Die Tabelle hat keine Zeile für die Sicherheit {}. Bitte eine Sicherheit der Tabelle oder \
                 ein Profil mit genauen Faktoren wählen.",
                german_decimal(confidence)
            ),
            Self::Rate { field, value } => format!(
                "„{field}“: Der Anteil {} liegt außerhalb des zulässigen Bereichs. Anteile sind \
                 Dezimalzahlen, 5 % sind 0,05.",
                german_decimal(value)
            ),
            Self::RateTooFine { field, value } => format!(
                "„{field}“: Der Anteil {} hat mehr als 12 Nachkommastellen. Bitte runden.",
                german_decimal(value)
            ),
            Self::Amount { field, value } => format!(
                "„{field}“: Der Wert {} liegt außerhalb des zulässigen Bereichs.",
                german_decimal(value)
            ),
            Self::Count { field, value } => {
                format!("„{field}“: Die Anzahl {value} liegt außerhalb des zulässigen Bereichs.")
            }
            Self::Required(field) => format!("Die Angabe „{field}“ fehlt."),
            Self::NotTogether { field, other } => format!(
                "Die Angabe „{field}“ verträgt sich nicht mit „{other}“. Bitte „{field}“ weglassen oder \
                 „{other}“ ändern."
            ),
            Self::TolerableNotAboveExpected { tolerable, expected } => not_above(tolerable, expected),
            Self::SampleLargerThanPopulation(limit) => larger(*limit),
            Self::NoDetectionNeeded(risk) => format!(
                "Die übrigen Risiken halten das Prüfungsrisiko {} schon allein ein: Das Entdeckungsrisiko \
                 läge nicht unter 1, eine Stichprobe ist dafür nicht nötig.",
                german_decimal(risk)
            ),
            Self::NothingLeftToSample(size) => format!(
                "Die {size} Auswahleinheiten sind durch Positionen oberhalb des Auswahlintervalls \
                 aufgebraucht. Bitte den Stichprobenumfang erhöhen."
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampling::derivation::assert_german;

    #[test]
    fn plan_errors_are_told_in_german() {
        let rate = Decimal::new(125, 2);
        let (tolerable, expected) = (Decimal::new(2, 2), Decimal::new(35, 3));
        let errors = [
            PlanError::Confidence(rate),
            PlanError::Tolerable(rate),
            PlanError::Expected(-rate),
            PlanError::TolerableNotAboveExpected { tolerable, expected },
            PlanError::Population,
            PlanError::BookValue(-7),
            PlanError::SampleLargerThanPopulation(48),
        ];
        assert_german(&errors.map(|error| (error.german(), error.to_string())));
        let not_above = PlanError::TolerableNotAboveExpected { tolerable, expected };
        assert_eq!(
            not_above.german(),
            "Der tragbare Fehler 0,02 liegt nicht über dem erwarteten Fehler 0,035: Das kann keine \
             Stichprobe zeigen."
        );
    }

    #[test]
    fn size_errors_are_told_in_german() {
        let (field, value, other) = ("tolerable", Decimal::new(-125, 2), "precision");
        let errors = [
            SizeError::Confidence(value),
            SizeError::ConfidenceNotInTable(Decimal::new(85, 2)),
            SizeError::Rate { field, value },
            SizeError::RateTooFine { field, value },
            SizeError::Amount { field, value },
            SizeError::Count { field, value: 31 },
            SizeError::Required(field),
            SizeError::NotTogether { field, other },
            SizeError::TolerableNotAboveExpected {
                tolerable: value,
                expected: Decimal::TEN,
            },
            SizeError::SampleLargerThanPopulation(48),
            SizeError::NoDetectionNeeded(Decimal::new(5, 2)),
            SizeError::NothingLeftToSample(17),
        ];
        for error in &errors[2..8] {
            assert!(error.german().contains("„tolerable“"), "{error}");
        }
        assert!(errors[7].german().contains("„precision“"));
        assert_german(&errors.map(|error| (error.german(), error.to_string())));
    }
}
