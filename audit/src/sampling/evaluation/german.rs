//! Why a sample cannot be evaluated, in German.

use super::EvaluationError;
use crate::sampling::derivation::german_decimal;

impl EvaluationError {
    /// The same in German.
    pub fn german(&self) -> String {
        match self {
            Self::Confidence(confidence) => format!(
                "Die Sicherheit {} liegt nicht zwischen 0 und 1. Bitte als Dezimalzahl angeben, etwa 0,95.",
                german_decimal(confidence)
            ),
            Self::SampleEmpty => {
                "Die Stichprobe ist leer, im Ganzen oder in einer Schicht, die Positionen hat.".to_owned()
            }
            Self::DeviationsAboveSize { deviations, size } => {
                format!("Unter {size} geprüften Positionen kann es nicht {deviations} Abweichungen geben.")
            }
            Self::SizeAbovePopulation { size, population } => {
                format!("Aus einer Grundgesamtheit von {population} können nicht {size} gezogen worden sein.")
            }
            Self::SizeAboveBookValue { size, book_value } => {
                format!(
                    "Aus {book_value} Geldeinheiten können nicht {size} Treffer ohne Zurücklegen gezogen worden sein."
                )
            }
            Self::BookValue(value) => {
                format!("Der Buchwert der Grundgesamtheit muss positiv sein, angegeben ist {value}.")
            }
            Self::Item { book, hits } => format!(
                "Eine Position mit dem Buchwert {book} und der Trefferzahl {hits} kann nicht in einer \
                 Wertstichprobe sein: Beide müssen positiv sein."
            ),
            Self::HitsDiffer { size, found } => format!(
                "Die Positionen haben zusammen {found} Treffer, die Stichprobe hat {size}. Bitte prüfen, \
                 ob alle Prüfergebnisse da sind."
            ),
            Self::AmountTooLarge => {
                "Ein Betrag des Ergebnisses ist größer, als ein Betrag sein kann.".to_owned()
            }
            Self::Tolerable(tolerable) => format!(
                "Der tragbare Fehler {} liegt außerhalb seines Bereichs: Er muss positiv sein und darf als \
                 Quote höchstens 1, als Betrag höchstens so groß wie der Buchwert sein.",
                german_decimal(tolerable)
            ),
            Self::PopulationMissing => {
                "Das Verfahren braucht den Umfang der Grundgesamtheit. Bitte angeben.".to_owned()
            }
            Self::PopulationTooLarge { size, limit } => format!(
                "Die Grundgesamtheit von {size} übersteigt {limit}: Nur bis dahin ist die Verteilung \
                 nachgewiesen."
            ),
            Self::SizeTooLarge { size, limit } => format!(
                "Der Stichprobenumfang {size} übersteigt {limit}: Nur bis dahin sind die Quantile \
                 nachgewiesen."
            ),
            Self::SizeTooSmall { size, least } => format!(
                "Der Stichprobenumfang {size} ist zu klein: Das Verfahren braucht mindestens {least}."
            ),
            Self::TooManyErrors { hits, limit } => format!(
                "{hits} fehlerhafte Treffer sind mehr als die {limit} Stufen dieses Verfahrens. Bitte ein Verfahren für viele Fehler \
                 wählen, etwa die Hochrechnung über mittlere Fehlerquoten."
            ),
            Self::StrataEmpty => "Keine Schicht hat Positionen.".to_owned(),
            Self::StratumTwice(ordinal) => format!("Die Schicht {ordinal} ist zweimal angegeben."),
            Self::NotProportional => {
                "Die Stichprobe ist nicht im Verhältnis der Schichten aufgeteilt, die gemeinsame Quote wäre \
                 verzerrt. Bitte die Schichten auf andere Art zusammenfassen."
                    .to_owned()
            }
            Self::ItemAboveBookValue { item, book_value } => format!(
                "Eine Position mit dem Buchwert {item} ist größer als der Buchwert {book_value}, zu dem \
                 sie gehört."
            ),
            Self::Exhaustive(value) => format!(
                "Eine Position mit dem Buchwert {value} kann nicht unter den vollständig geprüften sein: Ihr \
                 Buchwert muss positiv sein."
            ),
            Self::Parameter { field, value } => format!(
                "„{field}“: Der Wert {} liegt außerhalb des zulässigen Bereichs.",
                german_decimal(value)
            ),
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
        let (size, population, limit, value) = (31, 17, 1_000, Decimal::new(125, 2));
        let errors = [
            EvaluationError::Confidence(value),
            EvaluationError::SampleEmpty,
            EvaluationError::DeviationsAboveSize { deviations: 44, size },
            EvaluationError::SizeAbovePopulation { size, population },
            EvaluationError::SizeAboveBookValue { size, book_value: 19 },
            EvaluationError::BookValue(-7),
            EvaluationError::Item { book: -5, hits: 3 },
            EvaluationError::HitsDiffer { size, found: 29 },
            EvaluationError::AmountTooLarge,
            EvaluationError::Tolerable(value),
            EvaluationError::PopulationMissing,
            EvaluationError::PopulationTooLarge { size, limit },
            EvaluationError::SizeTooLarge { size, limit },
            EvaluationError::SizeTooSmall { size, least: 32 },
            EvaluationError::TooManyErrors { hits: 41, limit },
            EvaluationError::StrataEmpty,
            EvaluationError::StratumTwice(4),
            EvaluationError::NotProportional,
            EvaluationError::ItemAboveBookValue {
                item: 12,
                book_value: 11,
            },
            EvaluationError::Exhaustive(-2),
            EvaluationError::Parameter {
                field: "priorMu",
                value,
            },
        ];
        assert!(errors[20].german().contains("„priorMu“"));
        assert_german(&errors.map(|error| (error.german(), error.to_string())));
    }
}
