//! Why an error rate cannot be formed, in German.

use super::ErrorRateError;
use crate::sampling::derivation::german_decimal;

impl ErrorRateError {
    /// The same in German.
    pub fn german(&self) -> String {
        match self {
            Self::BookValue(value) => {
                format!("Der Buchwert {value} ist nicht positiv; auch nach den Abzügen muss er es sein.")
            }
            Self::Materiality(materiality) => format!(
                "Die Wesentlichkeit {} liegt nicht zwischen 0 und 1. Bitte als Dezimalzahl angeben, etwa \
                 0,02.",
                german_decimal(materiality)
            ),
            Self::Precision(precision) => {
                format!("Die Genauigkeit {} ist negativ.", german_decimal(precision))
            }
            Self::RandomNotProjected => {
                "Zufällige Fehler werden hochgerechnet, nicht hinzugerechnet. Bitte nur abgegrenzte \
                 systemische und anomale Fehler als bekannt angeben."
                    .to_owned()
            }
            Self::NegativeError(amount) => format!("Der bekannte Fehler {amount} ist negativ."),
            Self::ReasonMissing => "Ein anomaler Fehler braucht eine Begründung.".to_owned(),
            Self::CorrectedMissing => {
                "Zu einem anomalen Fehler gehört die Angabe, ob er berichtigt wurde.".to_owned()
            }
            Self::TotalErrorRate(rate) => format!(
                "Die Gesamtfehlerquote {} liegt nicht im Bereich von 0 bis 1.",
                german_decimal(rate)
            ),
            Self::NegativeAmount { field, amount } => {
                format!("„{field}“: Der Betrag {amount} ist negativ.")
            }
            Self::CorrectionsAbovePopulation {
                corrections,
                population,
            } => format!(
                "Die Berichtigungen von {corrections} übersteigen die Grundgesamtheit von {population}, \
                 die nach den Abzügen bleibt."
            ),
            Self::AmountTooLarge => {
                "Ein Betrag des Ergebnisses ist größer, als ein Betrag sein kann.".to_owned()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;

    use super::*;
    use crate::sampling::derivation::assert_german;

    #[test]
    fn errors_are_told_in_german() {
        let value = Decimal::new(-125, 2);
        let errors = [
            ErrorRateError::BookValue(-7),
            ErrorRateError::Materiality(value),
            ErrorRateError::Precision(value),
            ErrorRateError::RandomNotProjected,
            ErrorRateError::NegativeError(-8),
            ErrorRateError::ReasonMissing,
            ErrorRateError::CorrectedMissing,
            ErrorRateError::TotalErrorRate(value),
            ErrorRateError::NegativeAmount {
                field: "corrections",
                amount: -9,
            },
            ErrorRateError::CorrectionsAbovePopulation {
                corrections: 12,
                population: 11,
            },
            ErrorRateError::AmountTooLarge,
        ];
        assert!(errors[8].german().contains("„corrections“"));
        assert_german(&errors.map(|error| (error.german(), error.to_string())));
    }
}
