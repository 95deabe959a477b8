//! `admit`: the check in front of every execution and every subscription.
//!
//! Size, document from the cache or parsed, one walk with a budget, operation chosen, variables
//! coerced and defaults filled in, cost. What passes is a request the engine runs without parsing;
//! what does not is refused before anything runs. It is no engine extension, because a registered
//! extension makes every field slower, and because the engine's own limits come too late: fragments
//! that use the next one twice keep its checks busy for minutes.

mod cache;
mod cost;
mod disclosure;
mod index;
mod limits;
mod refusal;
mod tokens;
mod variables;
mod walk;

use std::sync::Arc;

use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, OperationDefinition};
use async_graphql::parser::{Error as ParseError, parse_query, parse_schema};
use async_graphql::{Positioned, Request, Value, Variables};
use audit::access::{Class, Classes};
use audit::reads::{Asked, RECORDED, operation_hash};
use serde_json::{Map, Value as Json};

use cache::{Cache, Prepared};
use index::Index;

pub(in crate::graphql) use cost::{FIGURES, NESTED_PAGE, costs};
pub use disclosure::Offence;
pub use limits::{Introspection, Limits};
pub use refusal::{Code, Fault, Limit, Reason, Refusal, coded};
pub use walk::Plan;

/// Judges a value of a scalar the specification does not know, by the scalar's name, before the
/// operation runs. Names it does not know it lets pass.
pub type ScalarCheck = fn(&str, &Value) -> Result<(), String>;

/// Bytes of a name: paths of errors are made of names.
const NAME: usize = 256;

/// What GET serves.
const BY_GET: Classes = Classes::of(&[Class::Public, Class::Internal]);

/// A GraphQL request as it came in, well-formed but not yet looked at.
#[derive(Debug, Clone, Default)]
pub struct Incoming {
    /// The document.
    pub query: String,
    /// The operation to run; empty is the same as none.
    pub operation_name: Option<String>,
    /// The variables by name.
    pub variables: Map<String, Json>,
    /// Whatever the client adds.
    pub extensions: Map<String, Json>,
}

/// What the check must know about caller and transport.
#[derive(Debug, Clone, Copy)]
pub struct Facts {
    /// The caller has a valid token.
    pub authenticated: bool,
    /// The caller may introspect, see [`Introspection::allows`].
    pub introspection_allowed: bool,
    /// The request came by GET, which serves queries only, and nothing confidential: addresses end up in logs.
    pub method_get: bool,
    /// The classes of fields the caller sees.
    pub classes: Classes,
}

/// The three kinds of operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OperationKind {
    /// Reads.
    Query,
    /// Writes.
    Mutation,
    /// Goes on answering.
    Subscription,
}

impl OperationKind {
    /// The keyword of the language.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Mutation => "mutation",
            Self::Subscription => "subscription",
        }
    }
}

/// A request that may run.
#[derive(Debug)]
pub struct Admitted {
    /// For the engine: parsed, variables coerced. Caller and loaders are still to be added.
    pub request: Request,
    /// What is known about the operation without its variables.
    pub plan: Arc<Plan>,
    /// The operation's name, if it has one.
    pub operation_name: Option<String>,
    /// Query, mutation or subscription.
    pub operation_kind: OperationKind,
    /// What it costs with its variables.
    pub cost: u64,
    /// The document came from the cache.
    pub cached: bool,
    /// Why the answer needs a read record, if it does: what it selects or searches with these variables.
    pub recorded: Option<Asked>,
    prepared: Arc<Prepared>,
}

/// The check cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum AdmissionError {
    /// Our own SDL could not be read.
    #[error("schema: {0}")]
    Schema(#[from] ParseError),
    /// The configuration promises batches.
    #[error("limits.batch is {0}, but only 1 is supported: there is no batching over HTTP")]
    Batch(usize),
}

/// The check, made once for a schema.
pub struct Admission {
    index: Index,
    limits: Limits,
    scalars: ScalarCheck,
    cache: Cache,
}

impl Admission {
    /// The check for the schema with this SDL.
    pub fn new(sdl: &str, limits: Limits) -> Result<Self, AdmissionError> {
        if limits.batch != 1 {
            return Err(AdmissionError::Batch(limits.batch));
        }
        Ok(Self {
            index: Index::new(parse_schema(sdl)?),
            limits,
            scalars: |_, _| Ok(()),
            cache: Cache::new(),
        })
    }

    /// The same with a check of our own scalars.
    #[must_use]
    pub fn with_scalars(self, scalars: ScalarCheck) -> Self {
        Self { scalars, ..self }
    }

    /// The limits it holds operations to.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Lets a request pass, or says why not.
    pub fn admit(&self, incoming: Incoming, facts: Facts) -> Result<Admitted, Refusal> {
        let asked = incoming.operation_name.filter(|name| !name.is_empty());
        let (prepared, cached) = match self.cache.get(&incoming.query, asked.as_deref()) {
            Some(prepared) => (prepared, true),
            None => (Arc::new(self.prepare(incoming.query, asked)?), false),
        };
        let plan = Arc::clone(&prepared.plan);
        check(&plan, facts)?;
        let variables = variables::coerce(
            &self.index,
            self.scalars,
            &plan.variables,
            &plan.fallbacks,
            incoming.variables,
        )?;
        let classes = plan.disclosures.among(RECORDED, &self.index, &variables);
        let recorded = (!classes.is_empty()).then(|| Asked {
            classes,
            operation: prepared.hash,
        });
        self.disclose(&plan, facts, &variables)
            .map_err(|refusal| Refusal {
                attempted: recorded
                    .map(|asked| Asked {
                        classes: asked.classes.beyond(facts.classes),
                        ..asked
                    })
                    .filter(|asked| facts.authenticated && !asked.classes.is_empty()),
                ..refusal
            })?;
        let cost = plan.cost(&variables, &self.limits);
        if cost > self.limits.cost {
            return Err(Refusal::new(
                Reason::Limit {
                    limit: Limit::Cost,
                    allowed: self.limits.cost,
                },
                None,
            ));
        }
        let mut request = Request::new(String::new()).variables(variables);
        // The engine knows an operation name only where there is one to choose by.
        if let DocumentOperations::Multiple(_) = prepared.document.operations {
            request.operation_name.clone_from(&prepared.name);
        }
        if !incoming.extensions.is_empty() {
            request.extensions =
                serde_json::from_value(Json::Object(incoming.extensions)).unwrap_or_default();
        }
        request.set_parsed_query(prepared.document.clone());
        Ok(Admitted {
            request,
            operation_name: prepared.name.clone(),
            operation_kind: plan.kind,
            plan,
            cost,
            cached,
            recorded,
            prepared,
        })
    }

    /// Lets an operation pass that gives away no more than the caller may see, as a whole.
    fn disclose(&self, plan: &Plan, facts: Facts, variables: &Variables) -> Result<(), Refusal> {
        let offences = plan.disclosures.beyond(facts.classes, &self.index, variables);
        if !offences.is_empty() {
            return Err(Refusal::disclosure(offences, facts.authenticated));
        }
        let by_get = facts.method_get && !plan.disclosures.beyond(BY_GET, &self.index, variables).is_empty();
        if by_get {
            return Err(Refusal::new(Reason::ConfidentialByGet, None));
        }
        Ok(())
    }

    /// Keeps what [`Admitted::kept`] gave, once the engine has accepted the document.
    pub fn keep(&self, kept: Kept) {
        if let Some(prepared) = kept.0 {
            self.cache.put(prepared);
        }
    }

    fn prepare(&self, text: String, asked: Option<String>) -> Result<Prepared, Refusal> {
        if text.len() > self.limits.body_bytes {
            return Err(Refusal::limit(Limit::Bytes, self.limits.body_bytes, None));
        }
        let measure = tokens::measure(&text);
        if measure.tokens > self.limits.tokens {
            return Err(Refusal::limit(Limit::Tokens, self.limits.tokens, None));
        }
        if measure.nesting > walk::NESTING {
            return Err(Refusal::limit(Limit::Nesting, walk::NESTING, None));
        }
        if measure.name > NAME {
            return Err(Refusal::limit(Limit::Name, NAME, None));
        }
        let document = parse_query(&text).map_err(unparsed)?;
        let (name, chosen) = choose(&document, asked.as_deref())?;
        let plan = walk::plan(&self.index, &self.limits, self.scalars, &document, chosen)?;
        let hash = operation_hash(&text, name.as_deref());
        Ok(Prepared {
            name,
            hash,
            plan: Arc::new(plan),
            text,
            asked,
            document,
        })
    }
}

impl Admitted {
    /// The document for [`Admission::keep`]; nothing if it is kept already.
    pub fn kept(&self) -> Kept {
        Kept((!self.cached).then(|| Arc::clone(&self.prepared)))
    }
}

/// A document that may be kept.
pub struct Kept(Option<Arc<Prepared>>);

fn check(plan: &Plan, facts: Facts) -> Result<(), Refusal> {
    if facts.method_get && plan.kind != OperationKind::Query {
        return Err(Refusal::new(Reason::OnlyQueriesByGet, None));
    }
    if plan.introspects && !facts.introspection_allowed {
        return Err(Refusal::new(Reason::IntrospectionForbidden, None));
    }
    Ok(())
}

/// The operation to run, by the rules of the specification.
fn choose<'a>(
    document: &'a ExecutableDocument,
    asked: Option<&str>,
) -> Result<(Option<String>, &'a Positioned<OperationDefinition>), Refusal> {
    match (&document.operations, asked) {
        (DocumentOperations::Single(operation), None) => Ok((None, operation)),
        (DocumentOperations::Multiple(operations), Some(asked)) => operations
            .get_key_value(asked)
            .map(|(name, operation)| (Some(name.to_string()), operation))
            .ok_or_else(|| Refusal::new(Reason::UnknownOperation(asked.to_owned()), None)),
        (DocumentOperations::Single(_), Some(asked)) => {
            Err(Refusal::new(Reason::UnknownOperation(asked.to_owned()), None))
        }
        (DocumentOperations::Multiple(operations), None) => {
            let mut all = operations.iter();
            match (all.next(), all.next()) {
                (Some((name, operation)), None) => Ok((Some(name.to_string()), operation)),
                _ => Err(Refusal::new(Reason::OperationNameRequired, None)),
            }
        }
    }
}

/// The parser's messages are drawings over several lines; ours are sentences.
fn unparsed(error: ParseError) -> Refusal {
    let locations: Vec<_> = error.positions().collect();
    let reason = match error {
        ParseError::MultipleOperations { .. } => Reason::AnonymousBesideOthers,
        ParseError::OperationDuplicated { operation, .. } => Reason::DuplicateName(operation.to_string()),
        ParseError::FragmentDuplicated { fragment, .. } => Reason::DuplicateName(fragment.to_string()),
        ParseError::MissingOperation => Reason::NoOperation,
        ParseError::RecursionLimitExceeded => {
            return Refusal::limit(Limit::Nesting, walk::NESTING, None);
        }
        _ => Reason::NotGraphql,
    };
    Refusal::new(reason, locations)
}

#[cfg(test)]
mod tests;
