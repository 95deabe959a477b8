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

/// A figure as German writes it: with a comma.
pub(in crate::sampling) fn german_decimal(value: &impl ToString) -> String {
    value.to_string().replace('.', ",")
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

/// Whether texts, given as `(german, english)`, are whole German sentences with the same figures and names of
/// inputs as the English ones, each with a text of its own.
#[cfg(test)]
pub(in crate::sampling) fn assert_german(texts: &[(String, String)]) {
    for (german, english) in texts {
        assert_ne!(german, english);
        assert!(german.ends_with('.'), "no sentence: {german}");
        let words = english.split_whitespace();
        for word in words.map(|word| word.trim_matches(|c: char| !c.is_alphanumeric() && c != '-')) {
            let shown = if word
                .trim_start_matches('-')
                .starts_with(|c: char| c.is_ascii_digit())
            {
                german_decimal(&word)
            } else {
                word.to_owned()
            };
            let is_figure = shown.contains(|c: char| c.is_ascii_digit());
            assert!(
                !is_figure || german.contains(&shown),
                "{shown} is not in: {german}"
            );
        }
        for name in english.split('`').skip(1).step_by(2) {
            assert!(
                german.contains(&format!("„{name}“")),
                "{name} is not in: {german}"
            );
        }
    }
    let own: std::collections::BTreeSet<_> = texts.iter().map(|(german, _)| german).collect();
    assert_eq!(own.len(), texts.len(), "two variants have one text: {texts:#?}");
}
