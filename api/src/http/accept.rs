//! Which of the two answer types of GraphQL over HTTP a client takes.

/// The answer types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// `application/json`: status 200 whatever is wrong with the document.
    Json,
    /// `application/graphql-response+json`: status 400 for what did not run.
    Graphql,
}

impl Format {
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json; charset=utf-8",
            Self::Graphql => "application/graphql-response+json; charset=utf-8",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Graphql => "application/graphql-response+json",
        }
    }
}

struct Range<'a> {
    media: &'a str,
    weight: f32,
}

impl Range<'_> {
    /// 2 for a named type, 1 for a subtype wildcard, 0 for everything.
    fn exactness(&self) -> u8 {
        if self.media == "*/*" {
            0
        } else if self.media.ends_with("/*") {
            1
        } else {
            2
        }
    }

    fn names(&self, format: Format) -> bool {
        self.media.eq_ignore_ascii_case(format.name())
    }
}

/// The answer type for the values of the `Accept` headers; none if the client takes neither.
///
/// Without a wish it is `application/json`, which every client reads. Among several wishes the
/// highest weight wins, then the more exact range, then the first.
pub(super) fn negotiate<'a>(headers: impl Iterator<Item = &'a str>) -> Option<Format> {
    let ranges: Vec<Range<'a>> = headers
        .flat_map(|header| header.split(','))
        .filter_map(range)
        .collect();
    if ranges.is_empty() {
        return Some(Format::Json);
    }
    let excluded = |format| {
        ranges
            .iter()
            .any(|range| range.weight <= 0.0 && range.names(format))
    };
    let mut best: Option<(f32, u8, Format)> = None;
    for range in ranges.iter().filter(|range| range.weight > 0.0) {
        let Some(format) = offered(range).filter(|format| !excluded(*format)) else {
            continue;
        };
        let rank = (range.weight, range.exactness());
        if best.is_none_or(|(weight, exactness, _)| rank > (weight, exactness)) {
            best = Some((rank.0, rank.1, format));
        }
    }
    best.map(|(_, _, format)| format)
}

fn offered(range: &Range<'_>) -> Option<Format> {
    if range.names(Format::Graphql) {
        Some(Format::Graphql)
    } else if range.names(Format::Json)
        || range.media == "*/*"
        || range.media.eq_ignore_ascii_case("application/*")
    {
        Some(Format::Json)
    } else {
        None
    }
}

fn range(text: &str) -> Option<Range<'_>> {
    let mut parts = text.split(';');
    let media = parts.next()?.trim();
    if media.is_empty() {
        return None;
    }
    let weight = parts
        .find_map(|part| {
            let (name, value) = part.split_once('=')?;
            name.trim().eq_ignore_ascii_case("q").then_some(value)
        })
        .map_or(1.0, |q| q.trim().parse().unwrap_or(0.0));
    Some(Range { media, weight })
}

#[cfg(test)]
mod tests {
    use super::{Format, negotiate};

    #[test]
    fn the_client_chooses() {
        let of = |header: &str| negotiate(std::iter::once(header));
        assert_eq!(negotiate(std::iter::empty()), Some(Format::Json));
        assert_eq!(of(""), Some(Format::Json));
        assert_eq!(of("*/*"), Some(Format::Json));
        assert_eq!(of("application/*"), Some(Format::Json));
        assert_eq!(of("application/json; charset=utf-8"), Some(Format::Json));
        assert_eq!(of("Application/GraphQL-Response+JSON"), Some(Format::Graphql));
        assert_eq!(
            of("application/graphql-response+json, application/json;q=0.9"),
            Some(Format::Graphql)
        );
        assert_eq!(
            of("application/graphql-response+json;q=0.5, application/json;q=0.9"),
            Some(Format::Json)
        );
        assert_eq!(
            of("*/*, application/graphql-response+json"),
            Some(Format::Graphql)
        );
        assert_eq!(
            of("application/json, application/graphql-response+json"),
            Some(Format::Json)
        );
        assert_eq!(of("text/html"), None);
        assert_eq!(of("application/json;q=0"), None);
        assert_eq!(of("*/*, application/json;q=0"), None);
        assert_eq!(of("text/html, */*;q=0.1"), Some(Format::Json));
    }
}
