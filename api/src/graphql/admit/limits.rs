//! What one operation may ask for at most, and who may ask for the schema.

use serde::{Deserialize, Serialize};

/// Limits of one operation, from the configuration; public through `serviceInfo`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Nested fields. Introspection has a bound of its own, since the usual introspection query is
    /// deeper than any business query needs to be.
    pub depth: usize,
    /// Sum of fields, each counted once for every row it may be resolved for: 1, or its `@cost` where it takes
    /// statements of its own for each row.
    pub cost: u64,
    /// Fields under another name than their own.
    pub aliases: usize,
    /// Directives in the operation.
    pub directives: usize,
    /// Lexical tokens of the document.
    pub tokens: usize,
    /// Operations in one HTTP request. Only 1 is supported and anything else refused at the start:
    /// an array is answered with 400, as the audits of graphql-http ask for.
    pub batch: usize,
    /// Bytes of a request body, of a GET query, and of a WebSocket message.
    pub body_bytes: usize,
    /// Milliseconds an operation may run. Subscriptions run until somebody ends them.
    pub timeout_ms: u64,
    /// Rows of a page if neither `first` nor `last` is given.
    pub page_default: u64,
    /// Rows of a page at most; what asks for more is counted with this and refused by its service.
    pub page_max: u64,
    /// Rows assumed for a list that cannot be paged (the checks of one item).
    pub list_size: u64,
    /// Selections visited with all fragments expanded, over all operations of the document.
    pub selections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: 15,
            cost: 20_000,
            aliases: 30,
            directives: 30,
            tokens: 5_000,
            batch: 1,
            body_bytes: 1024 * 1024,
            timeout_ms: 10_000,
            page_default: 20,
            page_max: 200,
            list_size: 5,
            selections: 5_000,
        }
    }
}

/// Who may introspect the schema. `__typename` is open to everyone always.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Introspection {
    /// Anybody, with or without a token.
    #[default]
    Everyone,
    /// Whoever has a valid token.
    Authenticated,
    /// Nobody: clients get the SDL file.
    Nobody,
}

impl Introspection {
    /// Whether a caller may introspect.
    pub fn allows(self, authenticated: bool) -> bool {
        match self {
            Self::Everyone => true,
            Self::Authenticated => authenticated,
            Self::Nobody => false,
        }
    }
}
