//! The language of messages to people. Codes never change with it.

use std::str::FromStr;

/// German by default, English on request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Language {
    /// Deutsch.
    #[default]
    De,
    /// English.
    En,
}

impl Language {
    /// The language an `Accept-Language` header asks for: the known one of highest weight, the
    /// first one among equals, German if none is known.
    pub fn from_header(header: &str) -> Self {
        let mut best: Option<(Self, f32)> = None;
        for range in header.split(',') {
            let mut parts = range.split(';');
            let tag = parts.next().unwrap_or_default().trim();
            let Ok(language) = tag.parse::<Self>() else {
                continue;
            };
            let weight = parts
                .find_map(|part| part.trim().strip_prefix("q="))
                .map_or(1.0, |q| q.trim().parse().unwrap_or(0.0));
            if weight > 0.0 && best.is_none_or(|(_, highest)| weight > highest) {
                best = Some((language, weight));
            }
        }
        best.map_or_else(Self::default, |(language, _)| language)
    }

    /// The text in this language. Both stand at the place of use, so that none can be missing.
    pub fn say<T>(self, german: T, english: T) -> T {
        match self {
            Self::De => german,
            Self::En => english,
        }
    }

    /// The primary subtag, as it is written in `Content-Language`.
    pub fn tag(self) -> &'static str {
        match self {
            Self::De => "de",
            Self::En => "en",
        }
    }
}

/// The tag names a language this service does not speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown language")]
pub struct UnknownLanguage;

impl FromStr for Language {
    type Err = UnknownLanguage;

    fn from_str(tag: &str) -> Result<Self, Self::Err> {
        let primary = tag.split('-').next().unwrap_or_default();
        if primary.eq_ignore_ascii_case("de") {
            Ok(Self::De)
        } else if primary.eq_ignore_ascii_case("en") {
            Ok(Self::En)
        } else {
            Err(UnknownLanguage)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Language;

    #[test]
    fn the_heaviest_known_language_wins() {
        assert_eq!(Language::from_header(""), Language::De);
        assert_eq!(Language::from_header("fr, *"), Language::De);
        assert_eq!(Language::from_header("en"), Language::En);
        assert_eq!(Language::from_header("en-GB,en;q=0.9"), Language::En);
        assert_eq!(Language::from_header("de;q=0.5, en;q=0.8"), Language::En);
        assert_eq!(Language::from_header("de, en"), Language::De);
        assert_eq!(Language::from_header("en;q=0"), Language::De);
    }
}
