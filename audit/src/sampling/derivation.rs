//! How a result came about, in steps that a person can follow with a calculator, and what a method cannot find.

use schemars::JsonSchema;
use serde::Serialize;

/// A sentence in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Text {
    /// In German.
    pub de: String,
    /// In English.
    pub en: String,
}

impl Text {
    /// The sentence.
    pub fn new(de: impl Into<String>, en: impl Into<String>) -> Self {
        Self {
            de: de.into(),
            en: en.into(),
        }
    }
}

/// One step of a derivation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Step {
    /// What is formed, and how: in words and with the figures, in German.
    pub de: String,
    /// The same in English.
    pub en: String,
    /// What comes of it.
    pub value: String,
}

impl Step {
    /// The step.
    pub fn new(de: impl Into<String>, en: impl Into<String>, value: impl std::fmt::Display) -> Self {
        Self {
            de: de.into(),
            en: en.into(),
            value: value.to_string(),
        }
    }
}

/// What samples of booked amounts cannot find: what is not booked, or booked too low.
pub fn missing_amounts() -> Text {
    Text::new(
        "Zahlungen, die ganz fehlen (etwa zu Unrecht abgelehnte Anträge), und zu niedrig gebuchte Beträge haben keine oder eine \
         geringere Auswahlchance; sie brauchen eine eigene Grundgesamtheit.",
        "Payments that are missing altogether (applications refused by mistake, for instance) and amounts booked too low have no \
         or a smaller chance to be drawn; they need a population of their own.",
    )
}

/// What samples of amounts cannot find: items without a positive amount.
pub fn without_amount() -> Text {
    Text::new(
        "Positionen mit dem Betrag null oder mit negativem Betrag sind nicht in dieser Grundgesamtheit.",
        "Items with an amount of zero or below are not in this population.",
    )
}

/// What no sample finds: errors in rows that the population does not hold.
pub fn outside_the_population() -> Text {
    Text::new(
        "Fehler in Vorgängen, die nicht in der Grundgesamtheit stehen.",
        "Errors in cases that the population does not hold.",
    )
}
