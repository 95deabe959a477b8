//! What anybody may know about the service.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, Enum, Object, SimpleObject};
use audit::deadline::calendar::Calendar;
use audit::trail::witness::{Cosignature, Quorum, cosignatures};
use entity::{BezirksstelleId, bezirksstelle};

use super::ContextExt;
use super::admit;
use super::disclosure::{Class, disclosure};
use super::jobcenter::Bezirksstelle;

/// What the service tells about itself.
#[derive(Clone, Debug)]
pub struct Info {
    /// Bounds of one operation.
    pub limits: admit::Limits,
    /// Who may introspect.
    pub introspection: admit::Introspection,
    /// Verifier keys of the log, the one that signs first.
    pub log_keys: Vec<String>,
    /// The witnesses of the log, and how many of them prove a checkpoint.
    pub quorum: Quorum,
    /// Whether it holds real data.
    pub production: bool,
    /// The free days of this Jobcenter.
    pub calendar: Arc<Calendar>,
    /// The parts of the Jobcenter: set up once, then unchanging, and named in nearly every row of every list.
    pub bezirksstellen: HashMap<BezirksstelleId, Arc<bezirksstelle::Model>>,
}

impl Info {
    /// The Bezirksstelle with this id.
    pub(super) fn bezirksstelle(&self, id: BezirksstelleId) -> Option<Bezirksstelle> {
        self.bezirksstellen.get(&id).cloned().map(Bezirksstelle)
    }

    /// The cosignatures of the configured witnesses on a checkpoint, and whether they prove it; the latter is unknown where no
    /// quorum is configured. They are verified here again: whoever writes into the database proves nothing.
    pub(super) fn witnessed(&self, note: &str) -> (Vec<Cosignature>, Option<bool>) {
        let found = cosignatures(note, &self.quorum.keys).unwrap_or_else(|error| {
            tracing::error!(%error, "stored cosignatures of a checkpoint do not hold");
            Vec::new()
        });
        let proved = (self.quorum.needed > 0).then(|| self.quorum.is_met(&found));
        (found, proved)
    }
}

/// Who may introspect the schema.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "admit::Introspection")]
pub(super) enum Introspection {
    /// Anybody, with or without a token.
    Everyone,
    /// Whoever has a valid token.
    Authenticated,
    /// Nobody: the contract is `schema.graphql`.
    Nobody,
}

/// Bounds of one operation. What exceeds them is refused before anything runs, with the code `LIMIT_EXCEEDED`.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(directive = disclosure::apply(Class::Public))]
pub(super) struct Limits {
    /// Nested fields.
    depth: usize,
    /// Sum of fields, each counted once for every row it may be resolved for: 1, or what its `@cost` says.
    cost: u64,
    /// Fields under another name than their own.
    aliases: usize,
    /// Directives in the operation.
    directives: usize,
    /// Lexical tokens of the document.
    tokens: usize,
    /// Operations in one HTTP request.
    batch: usize,
    /// Bytes of a request body.
    body_bytes: usize,
    /// Milliseconds an operation may run.
    timeout_ms: u64,
    /// Rows of a page where neither `first` nor `last` is given.
    page_default: u64,
    /// Rows of a page at most.
    page_max: u64,
    /// Rows assumed for a list without pages when the cost is reckoned.
    list_size: u64,
    /// Selections visited with all fragments expanded.
    selections: usize,
}

impl From<&admit::Limits> for Limits {
    fn from(limits: &admit::Limits) -> Self {
        Self {
            depth: limits.depth,
            cost: limits.cost,
            aliases: limits.aliases,
            directives: limits.directives,
            tokens: limits.tokens,
            batch: limits.batch,
            body_bytes: limits.body_bytes,
            timeout_ms: limits.timeout_ms,
            page_default: limits.page_default,
            page_max: limits.page_max,
            list_size: limits.list_size,
            selections: limits.selections,
        }
    }
}

/// The service: open to the anonymous.
#[derive(SimpleObject)]
#[graphql(directive = disclosure::apply(Class::Public))]
pub(super) struct ServiceInfo {
    /// Name of the product.
    name: &'static str,
    /// Its version.
    version: &'static str,
    /// Bounds of one operation.
    limits: Limits,
    /// Who may introspect the schema.
    introspection: Introspection,
    /// Whether it holds real data; false on a desk and in a demonstration.
    production: bool,
}

/// Asks about the service.
#[derive(Default)]
pub(super) struct ServiceInfoQuery;

#[Object]
impl ServiceInfoQuery {
    /// What the service says about itself; needs no token.
    #[graphql(directive = disclosure::apply(Class::Public))]
    async fn service_info(&self, ctx: &Context<'_>) -> ServiceInfo {
        let info = ctx.info();
        ServiceInfo {
            name: "Prüfpfad",
            version: env!("CARGO_PKG_VERSION"),
            limits: Limits::from(&info.limits),
            introspection: info.introspection.into(),
            production: info.production,
        }
    }
}
