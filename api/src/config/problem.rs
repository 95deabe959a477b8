//! What is wrong with a configuration, said so that a person can act on it.

use crate::language::Language;

/// One thing that must change before the service starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The setting, as `section.key`.
    pub key: String,
    german: String,
    english: String,
}

impl Problem {
    /// A problem with the setting `key`, told in both languages.
    pub fn new(key: &str, german: impl Into<String>, english: impl Into<String>) -> Self {
        Self {
            key: key.to_owned(),
            german: german.into(),
            english: english.into(),
        }
    }

    /// The message.
    pub fn text(&self, language: Language) -> String {
        format!("{}: {}", self.key, language.say(&self.german, &self.english))
    }
}
