//! Which language a request asks for.

use actix_web::HttpRequest;
use actix_web::http::header::ACCEPT_LANGUAGE;
pub use audit::Language;

/// The language a request asks for.
pub fn language_of(request: &HttpRequest) -> Language {
    request
        .headers()
        .get(ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok())
        .map_or_else(Language::default, from_header)
}

/// The language an `Accept-Language` header asks for: the known one of highest weight, the
/// first one among equals, German if none is known.
fn from_header(header: &str) -> Language {
    let mut best: Option<(Language, f32)> = None;
    for range in header.split(',') {
        let mut parts = range.split(';');
        let tag = parts.next().unwrap_or_default().trim();
        let Ok(language) = tag.parse::<Language>() else {
            continue;
        };
        let weight = parts
            .find_map(|part| part.trim().strip_prefix("q="))
            .map_or(1.0, |q| q.trim().parse().unwrap_or(0.0));
        if weight > 0.0 && best.is_none_or(|(_, highest)| weight > highest) {
            best = Some((language, weight));
        }
    }
    best.map_or_else(Language::default, |(language, _)| language)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heaviest_known_language_wins() {
        assert_eq!(from_header(""), Language::De);
        assert_eq!(from_header("fr, *"), Language::De);
        assert_eq!(from_header("en"), Language::En);
        assert_eq!(from_header("en-GB,en;q=0.9"), Language::En);
        assert_eq!(from_header("de;q=0.5, en;q=0.8"), Language::En);
        assert_eq!(from_header("de, en"), Language::De);
        assert_eq!(from_header("en;q=0"), Language::De);
    }
}
