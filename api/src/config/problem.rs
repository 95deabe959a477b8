//! What is wrong with a configuration, said so that a person can act on it.

use std::ffi::OsStr;

/// The language of messages to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// The default.
    #[default]
    German,
    /// With `PRUEFPFAD_LANG=en`.
    English,
}

impl Language {
    /// The language that the value of `PRUEFPFAD_LANG` asks for.
    pub fn from_variable(value: Option<&OsStr>) -> Self {
        match value.and_then(OsStr::to_str) {
            Some(text) if text.to_ascii_lowercase().starts_with("en") => Self::English,
            _ => Self::German,
        }
    }

    /// The text in this language. Both stand at the place of use, so that none can be missing.
    pub fn say<T>(self, german: T, english: T) -> T {
        match self {
            Self::German => german,
            Self::English => english,
        }
    }
}

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
        Self { key: key.to_owned(), german: german.into(), english: english.into() }
    }

    /// The message.
    pub fn text(&self, language: Language) -> String {
        format!("{}: {}", self.key, language.say(&self.german, &self.english))
    }
}
