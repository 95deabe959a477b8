//! What HTTP and WebSocket share: who asks, what may run, and how an answer is made presentable.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use async_graphql::{ObjectType, Request, Response, Schema, ServerError, SubscriptionType, Value};
use audit::access::Classes;
use audit::reads::{Asked, Noted, Notes};
use futures_util::future::{BoxFuture, FutureExt as _, LocalBoxFuture};
use futures_util::stream::BoxStream;
use serde_json::value::{RawValue, to_raw_value};
use tracing::Instrument as _;

use super::transport::Fault;
use crate::graphql::admit::{
    Admission, Admitted, Code, Facts, Incoming, Introspection, OperationKind, Refusal, coded,
};
use crate::language::Language;
use crate::telemetry::Metrics;

/// What runs an admitted request. A schema does, as long as it is built without extensions.
pub trait GraphqlService: Send + Sync + 'static {
    /// Runs a query or mutation.
    fn execute(&self, request: Request) -> BoxFuture<'_, Response>;
    /// Runs a subscription.
    fn subscribe(&self, request: Request) -> BoxStream<'static, Response>;
}

impl<Q, M, S> GraphqlService for Schema<Q, M, S>
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    fn execute(&self, request: Request) -> BoxFuture<'_, Response> {
        Schema::execute(self, request).boxed()
    }

    fn subscribe(&self, request: Request) -> BoxStream<'static, Response> {
        Schema::execute_stream(self, request)
    }
}

/// What a WebSocket says in `connection_init`, spelled as in the headers of the same names.
#[derive(Debug, Clone, Copy)]
pub struct Credentials<'a> {
    /// `Authorization`.
    pub authorization: &'a str,
    /// `DPoP`.
    pub proof: Option<&'a str>,
}

/// Finds out who asks. Called before anything of the request is read; for a WebSocket at the handshake and for
/// `connection_init`.
pub trait Callers: Send + Sync + 'static {
    /// The visitor behind a request.
    ///
    /// `credentials` are those given in `connection_init`; without them the request's own headers
    /// count. No token at all is an anonymous visitor; a token that does not hold is denied.
    fn identify<'a>(
        &'a self,
        request: &'a HttpRequest,
        credentials: Option<Credentials<'a>>,
    ) -> LocalBoxFuture<'a, Result<Visitor, Denied>>;
}

/// Adds what the resolvers need (caller, loaders, request id) to one request; what its use cases hand out is noted.
pub type Attach = Box<dyn Fn(Request, Notes) -> Request + Send + Sync>;

/// Makes the read record of an answer durable: why it needs one, and what it holds.
pub type Record = Box<dyn Fn(Asked, Vec<Noted>) -> BoxFuture<'static, Result<(), Unrecorded>> + Send + Sync>;

/// Tells the trail of a refused attempt to read what is recorded. The refusal stands, whether it can be told or not.
pub type Deny = Box<dyn Fn(Asked) -> BoxFuture<'static, ()> + Send + Sync>;

/// A read record that could not be written; the log knows why.
#[derive(Debug, Clone, Copy)]
pub struct Unrecorded;

/// Asks again whether somebody is let in.
pub type Still = Box<dyn Fn() -> BoxFuture<'static, Result<(), Denied>> + Send + Sync>;

/// Somebody who asks.
pub struct Visitor {
    /// Who it is, where there was a valid token.
    pub subject: Option<String>,
    /// Whether there was a valid token.
    pub authenticated: bool,
    /// The classes of fields it may see.
    pub classes: Classes,
    /// When the token ends; a WebSocket is closed then.
    pub expires: Option<Instant>,
    /// Asks whether access still holds, where it can end before the token does; from time to time while a WebSocket is open.
    pub still: Option<Still>,
    /// Called once for every operation, so that loaders live no longer than it.
    pub attach: Attach,
    /// Called before an answer with recorded classes leaves.
    pub record: Record,
    /// Called where somebody who is known is refused such an answer.
    pub deny: Deny,
}

/// Somebody whose token does not hold.
#[derive(Debug, Clone)]
pub struct Denied {
    /// 401 or 403, or 429 where a rate limit stands here.
    pub status: StatusCode,
    /// Goes into `extensions.code`.
    pub code: &'static str,
    /// Goes into `extensions.reason`: which check it did not pass.
    pub reason: &'static str,
    /// For people.
    pub message: String,
    /// The value of `WWW-Authenticate`.
    pub challenge: Option<&'static str>,
}

impl Denied {
    pub(super) fn error(&self) -> ServerError {
        let mut error = coded(self.code, self.message.clone());
        error
            .extensions
            .get_or_insert_default()
            .set("reason", self.reason);
        error
    }
}

/// What the request log says about an operation. In the extensions of the HTTP request when the
/// answer leaves; neither text nor variables are in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OperationLog {
    /// The operation's name, cut to 100 characters.
    pub operation_name: Option<String>,
    /// `query`, `mutation`, `subscription`; none if it did not come so far.
    pub operation_type: Option<&'static str>,
    /// What it cost.
    pub cost: u64,
    /// Codes of the errors in the answer, each once.
    pub error_codes: Vec<String>,
    /// The document came from the cache.
    pub cached: bool,
}

/// The way in for GraphQL: one for the whole service, shared by its workers.
#[derive(Clone)]
pub struct Edge {
    pub(super) service: Arc<dyn GraphqlService>,
    known: Arc<dyn GraphqlService>,
    pub(super) admission: Arc<Admission>,
    pub(super) callers: Arc<dyn Callers>,
    introspection: Introspection,
    metrics: Option<Arc<Metrics>>,
}

/// What came of a request.
pub(super) enum Answer {
    /// Nothing ran.
    Refused(Vec<ServerError>),
    /// It ran, for good or ill.
    Executed(Executed),
}

/// What an operation answers, written already: while it waits for its read record nothing but this is held.
pub(super) struct Executed {
    pub(super) body: Box<RawValue>,
    errors: Vec<ServerError>,
    /// There is no data.
    is_empty: bool,
}

impl Answer {
    pub(super) fn errors(&self) -> &[ServerError] {
        match self {
            Self::Refused(errors) => errors,
            Self::Executed(executed) => &executed.errors,
        }
    }

    fn executed(response: Response) -> Self {
        match to_raw_value(&response) {
            Ok(body) => Self::Executed(Executed {
                body,
                is_empty: response.data == Value::Null,
                errors: response.errors,
            }),
            Err(error) => {
                tracing::error!(%error, "an answer could not be written");
                Self::Refused(vec![Fault::Internal.error(Language::De)])
            }
        }
    }
}

impl Edge {
    /// The way in to a service through a check.
    pub fn new(
        service: impl GraphqlService,
        admission: Arc<Admission>,
        callers: impl Callers,
        introspection: Introspection,
    ) -> Self {
        let service: Arc<dyn GraphqlService> = Arc::new(service);
        Self {
            known: Arc::clone(&service),
            service,
            admission,
            callers: Arc::new(callers),
            introspection,
            metrics: None,
        }
    }

    /// Runs documents that were accepted before on a service that does not validate them again.
    #[must_use]
    pub fn with_known(self, known: impl GraphqlService) -> Self {
        Self {
            known: Arc::new(known),
            ..self
        }
    }

    /// Counts and times every operation from now on.
    #[must_use]
    pub fn measured_by(self, metrics: Arc<Metrics>) -> Self {
        Self {
            metrics: Some(metrics),
            ..self
        }
    }

    /// Begins to time an operation.
    pub(super) fn measure(&self, kind: &'static str) -> Measure {
        Measure {
            metrics: self.metrics.clone(),
            kind,
            begun: Instant::now(),
            outcome: "CANCELLED".to_owned(),
        }
    }

    pub(super) fn admit(
        &self,
        incoming: Incoming,
        visitor: &Visitor,
        method_get: bool,
    ) -> Result<Admitted, Refusal> {
        let facts = Facts {
            authenticated: visitor.authenticated,
            introspection_allowed: self.introspection.allows(visitor.authenticated),
            method_get,
            classes: visitor.classes,
        };
        let begun = Instant::now();
        self.admission.admit(incoming, facts).inspect_err(|_| {
            if let Some(metrics) = &self.metrics {
                metrics.operation("unknown", "REFUSED", begun.elapsed());
            }
        })
    }

    /// Runs a query or mutation within its time.
    pub(super) async fn execute(
        &self,
        admitted: Admitted,
        visitor: &Visitor,
        language: Language,
    ) -> (Answer, OperationLog) {
        let kept = admitted.kept();
        let mut log = log_of(&admitted);
        let measure = self.measure(admitted.operation_kind.as_str());
        let span = span(&log);
        let service = if admitted.cached {
            &self.known
        } else {
            &self.service
        };
        let notes = Notes::default();
        let (kind, recorded) = (admitted.operation_kind, admitted.recorded);
        let request = (visitor.attach)(admitted.request.data(language), notes.clone());
        let limit = self.admission.limits().timeout_ms;
        let run = tokio::time::timeout(Duration::from_millis(limit), service.execute(request));
        let answer = match run.instrument(span.clone()).await {
            Ok(response) => present(response, visitor, language),
            Err(_) => Answer::executed(Response::from_errors(vec![Fault::Timeout(limit).error(language)])),
        };
        if let Answer::Executed(_) = answer {
            self.admission.keep(kept);
        }
        let answer = self
            .leave(answer, recorded, &notes, kind, visitor, language)
            .await;
        log.error_codes = codes(answer.errors());
        if !log.error_codes.is_empty() {
            span.record("graphql.errors", log.error_codes.join(","));
        }
        measure.end(outcome(&answer, &log));
        (answer, log)
    }

    /// Lets an answer go once its read record is durable, and no other way. What did not run, or was stopped, holds nothing.
    pub(super) async fn leave(
        &self,
        answer: Answer,
        recorded: Option<Asked>,
        notes: &Notes,
        kind: OperationKind,
        visitor: &Visitor,
        language: Language,
    ) -> Answer {
        let read = notes.take();
        // A mutation tells of its refusal itself, and where something was read the record tells of it.
        if let Some(asked) = recorded.filter(|_| kind != OperationKind::Mutation && visitor.authenticated)
            && read.is_empty()
            && is_forbidden(answer.errors())
        {
            (visitor.deny)(asked).await;
        }
        let (Answer::Executed(Executed { is_empty: false, .. }), Some(asked)) = (&answer, recorded) else {
            return answer;
        };
        let begun = Instant::now();
        let outcome = (visitor.record)(asked, read).await;
        if let Some(metrics) = &self.metrics {
            metrics.read_record(outcome.is_ok(), begun.elapsed());
        }
        if outcome.is_ok() {
            return answer;
        }
        let changed = kind == OperationKind::Mutation;
        let error = Fault::Unrecorded { changed }.error(language);
        Answer::executed(Response::from_errors(vec![error]))
    }
}

/// An operation while it runs; whoever hangs up before its end cancels it.
pub(super) struct Measure {
    metrics: Option<Arc<Metrics>>,
    kind: &'static str,
    begun: Instant,
    outcome: String,
}

impl Measure {
    pub(super) fn end(mut self, outcome: &str) {
        outcome.clone_into(&mut self.outcome);
    }
}

impl Drop for Measure {
    fn drop(&mut self) {
        if let Some(metrics) = &self.metrics {
            metrics.operation(self.kind, &self.outcome, self.begun.elapsed());
        }
    }
}

/// Whether somebody lacks a right, and not a thing.
fn is_forbidden(errors: &[ServerError]) -> bool {
    errors.iter().any(|error| {
        code_of(error) == Some(Code::Forbidden.as_str())
            || BEYOND_GRANT
                .iter()
                .any(|beyond| reason_of(error) == Some(beyond.as_str()))
    })
}

/// What a refusal gives as its reason.
fn reason_of(error: &ServerError) -> Option<&str> {
    match error.extensions.as_ref()?.get("reason")? {
        Value::String(reason) => Some(reason),
        _ => None,
    }
}

/// Codes of those whose grant does not reach so far.
const BEYOND_GRANT: [audit::Code; 2] = [audit::Code::GrantBudgetExceeded, audit::Code::GrantEnded];

/// The same for what a use case says.
pub(super) fn lacks_right(error: &audit::Error) -> bool {
    match error {
        audit::Error::Forbidden(_) => true,
        audit::Error::Refused(refusals) => refusals.iter().any(|one| BEYOND_GRANT.contains(&one.code)),
        _ => false,
    }
}

/// Codes are ours, never the client's: a label of metrics must not grow with what clients send.
fn outcome<'a>(answer: &Answer, log: &'a OperationLog) -> &'a str {
    match answer {
        Answer::Refused(_) => "REFUSED",
        Answer::Executed(_) => log.error_codes.first().map_or("OK", String::as_str),
    }
}

pub(super) fn span(log: &OperationLog) -> tracing::Span {
    let kind = log.operation_type.unwrap_or_default();
    let name = log.operation_name.as_deref().unwrap_or_default();
    tracing::info_span!(
        "graphql.operation",
        otel.name = format!("{kind} {name}").trim_end(),
        graphql.operation.name = name,
        graphql.operation.type = kind,
        graphql.cost = log.cost,
        graphql.cached = log.cached,
        graphql.errors = tracing::field::Empty,
    )
}

pub(super) fn log_of(admitted: &Admitted) -> OperationLog {
    OperationLog {
        operation_name: admitted.operation_name.as_deref().map(short),
        operation_type: Some(admitted.operation_kind.as_str()),
        cost: admitted.cost,
        error_codes: Vec::new(),
        cached: admitted.cached,
    }
}

/// The log of what was refused before its operation was known.
pub(super) fn log_of_refusal(asked: Option<&str>, errors: &[ServerError]) -> OperationLog {
    OperationLog {
        operation_name: asked.map(short),
        error_codes: codes(errors),
        ..OperationLog::default()
    }
}

/// Names are chosen by the client, and as long as it likes.
fn short(name: &str) -> String {
    name.chars().take(100).collect()
}

fn codes(errors: &[ServerError]) -> Vec<String> {
    let mut codes = Vec::new();
    for code in errors.iter().filter_map(code_of) {
        if !codes.iter().any(|known| known == code) {
            codes.push(code.to_owned());
        }
    }
    codes
}

fn code_of(error: &ServerError) -> Option<&str> {
    match error.extensions.as_ref()?.get("code")? {
        Value::String(code) => Some(code),
        Value::Enum(code) => Some(code),
        _ => None,
    }
}

/// Tells what did not run from what did, and gives every error a code and presentable words.
///
/// The engine marks neither. What it refuses has no data and no path; all that it would report with
/// a path although nothing ran (variables) was refused by `admit` already.
pub(super) fn present(mut response: Response, visitor: &Visitor, language: Language) -> Answer {
    let refused = response.data == Value::Null
        && !response.errors.is_empty()
        && response.errors.iter().all(|error| error.path.is_empty());
    for error in &mut response.errors {
        if code_of(error).is_some() {
            continue;
        }
        let plain = if refused {
            invalid(&error.message, visitor.authenticated, language)
        } else if of_input(&error.message) {
            coded("BAD_USER_INPUT", error.message.clone())
        } else {
            tracing::error!(message = %error.message, path = ?error.path, "unforeseen error in a resolver");
            Fault::Internal.error(language)
        };
        error.message = plain.message;
        let extensions = error.extensions.get_or_insert_default();
        if let Some(code) = plain.extensions.as_ref().and_then(|of| of.get("code")) {
            extensions.set("code", code.clone());
        }
        error.source = None;
    }
    if refused {
        Answer::Refused(response.errors)
    } else {
        Answer::executed(response)
    }
}

/// An error of the engine's validation. Suggestions spell out the schema, so the anonymous get none.
fn invalid(message: &str, authenticated: bool, language: Language) -> ServerError {
    let detail = match message.split_once(" Did you mean") {
        Some((before, _)) if !authenticated => before,
        _ => message,
    };
    let message = match language {
        Language::De => format!("Das Dokument passt nicht zum Schema: {detail}"),
        Language::En => format!("The document does not fit the schema: {detail}"),
    };
    coded("GRAPHQL_VALIDATION_FAILED", message)
}

/// Whether the engine found an argument unfit when it was about to call the resolver.
fn of_input(message: &str) -> bool {
    [
        "Failed to parse \"",
        "Expected input type \"",
        "Invalid value for argument ",
    ]
    .iter()
    .any(|start| message.starts_with(start))
}

/// Whether an operation goes on answering.
pub(super) fn streams(admitted: &Admitted) -> bool {
    admitted.operation_kind == OperationKind::Subscription
}
