//! Size of a document before it is parsed: the parser costs 1.5 µs a field and recurses without a
//! bound of its own into lists and types, so tokens and nesting are counted first, in one pass.

/// What one pass over the text found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Measure {
    /// Lexical tokens.
    pub(super) tokens: usize,
    /// Brackets open at the same time, of all three kinds.
    pub(super) nesting: usize,
    /// Bytes of the longest name or number.
    pub(super) name: usize,
}

/// Measures a text; malformed text is measured as well as it goes, the parser reports it.
pub(super) fn measure(text: &str) -> Measure {
    let bytes = text.as_bytes();
    let mut measure = Measure::default();
    let mut open = 0_usize;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let length = match byte {
            b' ' | b'\t' | b'\r' | b'\n' | b',' => {
                at += 1;
                continue;
            }
            b'#' => {
                at += comment(&bytes[at..]);
                continue;
            }
            b'"' => string(&bytes[at..]),
            b'.' if bytes[at..].starts_with(b"...") => 3,
            b'{' | b'[' | b'(' => {
                open += 1;
                measure.nesting = measure.nesting.max(open);
                1
            }
            b'}' | b']' | b')' => {
                open = open.saturating_sub(1);
                1
            }
            _ if word(byte) => {
                let length = bytes[at..].iter().take_while(|&&b| word(b)).count();
                measure.name = measure.name.max(length);
                length
            }
            _ => 1,
        };
        at += length;
        measure.tokens += 1;
    }
    measure
}

/// Names and numbers, which need not be told apart to be counted.
fn word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+') || !byte.is_ascii()
}

fn comment(rest: &[u8]) -> usize {
    rest.iter()
        .take_while(|&&byte| byte != b'\n' && byte != b'\r')
        .count()
}

fn string(rest: &[u8]) -> usize {
    if rest.starts_with(b"\"\"\"") {
        return block(rest);
    }
    let mut at = 1;
    while let Some(&byte) = rest.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' | b'\n' | b'\r' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

fn block(rest: &[u8]) -> usize {
    let mut at = 3;
    while at < rest.len() {
        if rest[at..].starts_with(b"\\\"\"\"") {
            at += 4;
        } else if rest[at..].starts_with(b"\"\"\"") {
            return at + 3;
        } else {
            at += 1;
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::{Measure, measure};

    #[test]
    fn tokens_and_nesting() {
        let of = |text| {
            let Measure { tokens, nesting, .. } = measure(text);
            (tokens, nesting)
        };
        assert_eq!(of(""), (0, 0));
        assert_eq!(of("{ a, b }"), (4, 1));
        assert_eq!(of("query Q($x: [Int!]! = 1) { ...F @skip(if: $x) }"), (26, 2));
        assert_eq!(of("{ a # { { {\n }"), (3, 1));
        assert_eq!(of(r#"{ a(b: "{ \" {") }"#), (8, 2));
        assert_eq!(of("{ a(b: \"\"\"{ \" \\\"\"\" { \"\"\") }"), (8, 2));
        assert_eq!(of("\"open"), (1, 0));
        assert_eq!(of("\"\"\"open"), (1, 0));
        assert_eq!(of("\"\\"), (1, 0));
    }
}
