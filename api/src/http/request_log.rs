//! One line for each request.
//!
//! | field | meaning |
//! |---|---|
//! | `request.id` | UUID; taken from `X-Request-Id` if that is one, else new; goes back in the same header |
//! | `http.method`, `http.route` | the route's pattern, never the path: paths hold ids |
//! | `http.status` | status of the answer |
//! | `http.response_bytes` | bytes of the body; absent for streams |
//! | `duration_ms` | until the head of the answer, in milliseconds with a fraction |
//! | `actor.subject`, `actor.membership` | who, acting as what; absent for the anonymous |
//! | `auth.refused` | why a token was refused |
//! | `graphql.kind`, `graphql.name`, `graphql.cost`, `graphql.cached`, `graphql.errors` | of the operation: type, name, cost, whether its plan was known, error codes |
//!
//! The line holds no variable, no SQL and no text of an answer. Its span continues an incoming `traceparent`.

use std::time::Instant;

use actix_web::body::{BodySize, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, HttpRequest, web};
use opentelemetry::propagation::{Extractor, TextMapPropagator as _};
use opentelemetry::trace::TraceContextExt as _;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::{Instrument as _, Span, field};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use uuid::Uuid;

use crate::auth::Authentication;
use crate::http::edge::OperationLog;
use crate::telemetry::Metrics;

/// The header of the request id, in both directions.
pub const REQUEST_ID_HEADER: &str = "x-request-id";

/// The id of a request, in its extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestId(pub Uuid);

/// Middleware: span, log line, metrics and request id. Stands outside everything else.
pub async fn request_log(
    mut request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let begun = Instant::now();
    let id = request_id(request.headers());
    request.extensions_mut().insert(RequestId(id));
    let metrics = request.app_data::<web::Data<Metrics>>().cloned();
    let method = known_method(request.method().as_str());
    let span = span(request.headers_mut(), method, id);

    let outcome = next.call(request).instrument(span.clone()).await;

    let elapsed = begun.elapsed();
    let (status, route) = match &outcome {
        Ok(answer) => (answer.status(), answer.request().match_pattern()),
        Err(error) => (error.as_response_error().status_code(), None),
    };
    let route = route.unwrap_or_else(|| "none".to_owned());
    // The route is known only now, and a recorded `otel.name` no longer reaches a span that has begun.
    span.context().span().update_name(format!("{method} {route}"));
    span.record("http.route", &route);
    span.record("http.response.status_code", status.as_u16());
    if let Some(metrics) = metrics {
        metrics.request(method, &route, status.as_u16(), elapsed);
    }
    let line = Line {
        id,
        method,
        route: &route,
        status: status.as_u16(),
        duration_ms: elapsed.as_secs_f64() * 1000.0,
    };
    outcome
        .map(|mut answer| {
            let bytes = match answer.response().body().size() {
                BodySize::None => Some(0),
                BodySize::Sized(bytes) => Some(bytes),
                BodySize::Stream => None,
            };
            span.in_scope(|| line.write(bytes, Some(answer.request())));
            if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
                answer
                    .headers_mut()
                    .insert(HeaderName::from_static(REQUEST_ID_HEADER), value);
            }
            answer
        })
        .inspect_err(|_| span.in_scope(|| line.write(None, None)))
}

fn request_id(headers: &HeaderMap) -> Uuid {
    let given = headers
        .get(REQUEST_ID_HEADER)
        .and_then(|value| Uuid::try_parse_ascii(value.as_bytes()).ok());
    given.unwrap_or_else(super::random_id)
}

/// Methods are labels of metrics: a client must not be able to invent more of them.
fn known_method(method: &str) -> &'static str {
    ["GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"]
        .into_iter()
        .find(|known| *known == method)
        .unwrap_or("OTHER")
}

fn span(headers: &HeaderMap, method: &'static str, id: Uuid) -> Span {
    let span = tracing::info_span!(
        "request",
        otel.name = method,
        otel.kind = "server",
        http.request.method = method,
        http.route = field::Empty,
        http.response.status_code = field::Empty,
        request.id = %id,
    );
    let parent = TraceContextPropagator::new().extract(&Headers(headers));
    // Without a collector there is no layer that keeps parents, and nothing is lost.
    let _ = span.set_parent(parent);
    span
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

struct Line<'a> {
    id: Uuid,
    method: &'static str,
    route: &'a str,
    status: u16,
    duration_ms: f64,
}

impl Line<'_> {
    fn write(&self, bytes: Option<u64>, request: Option<&HttpRequest>) {
        let extensions = request.map(HttpRequest::extensions);
        let authentication = extensions.as_ref().and_then(|all| all.get::<Authentication>());
        let actor = authentication.and_then(Authentication::actor);
        let refused = match authentication {
            Some(Authentication::Refused(error)) => Some(error.reason()),
            _ => None,
        };
        let operation = extensions.as_ref().and_then(|all| all.get::<OperationLog>());
        let errors = operation
            .map(|operation| operation.error_codes.join(","))
            .filter(|codes| !codes.is_empty());
        tracing::info!(
            target: "pruefpfad::request",
            {
            request.id = %self.id,
            http.method = self.method,
            http.route = self.route,
            http.status = self.status,
            http.response_bytes = bytes,
            duration_ms = self.duration_ms,
            actor.subject = actor.map(|actor| actor.identity.subject.as_str()),
            actor.membership = actor.and_then(|actor| actor.membership.as_ref()).map(field::display),
            auth.refused = refused,
            graphql.kind = operation.and_then(|operation| operation.operation_type),
            graphql.name = operation.and_then(|operation| operation.operation_name.as_deref()),
            graphql.cost = operation.map(|operation| operation.cost),
            graphql.cached = operation.map(|operation| operation.cached),
            graphql.errors = errors,
            },
            "request"
        );
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use actix_web::middleware::from_fn;
    use actix_web::{App, HttpResponse, test};
    use serde_json::json;

    use super::*;

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[actix_web::test]
    async fn a_request_is_one_line_with_its_operation() {
        let sink = Sink::default();
        let writer = sink.clone();
        let subscriber = tracing_subscriber::fmt()
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .with_writer(move || writer.clone())
            .finish();
        let guard = tracing::subscriber::set_default(subscriber);
        let metrics = web::Data::new(Metrics::new("test").unwrap());
        let app = test::init_service(
            App::new()
                .app_data(metrics.clone())
                .wrap(from_fn(request_log))
                .route(
                    "/items/{id}",
                    web::get().to(async |request: HttpRequest| {
                        request.extensions_mut().insert(OperationLog {
                            operation_name: Some("Items".to_owned()),
                            operation_type: Some("query"),
                            cost: 42,
                            error_codes: vec!["FORBIDDEN".to_owned()],
                            cached: true,
                        });
                        HttpResponse::Ok().body("four")
                    }),
                ),
        )
        .await;
        let id = "6f1ff3a5-7a22-4a0e-9c57-3c7f2a3c7a11";
        let request = test::TestRequest::get()
            .uri("/items/7")
            .insert_header((REQUEST_ID_HEADER, id))
            .to_request();
        let answer = test::call_service(&app, request).await;
        assert_eq!(
            answer.headers().get(REQUEST_ID_HEADER).unwrap().to_str().unwrap(),
            id
        );
        let request = test::TestRequest::get()
            .uri("/nowhere")
            .insert_header((REQUEST_ID_HEADER, "a\tb"))
            .to_request();
        let answer = test::call_service(&app, request).await;
        assert_eq!(answer.headers().get(REQUEST_ID_HEADER).unwrap().len(), 36);
        drop(guard);

        let text = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
        let lines: Vec<serde_json::Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines.len(), 2, "{text}");
        for (field, value) in [
            ("request.id", json!(id)),
            ("http.method", json!("GET")),
            ("http.route", json!("/items/{id}")),
            ("http.status", json!(200)),
            ("http.response_bytes", json!(4)),
            ("graphql.kind", json!("query")),
            ("graphql.name", json!("Items")),
            ("graphql.cost", json!(42)),
            ("graphql.errors", json!("FORBIDDEN")),
        ] {
            let found = &lines[0][field];
            assert_eq!(found, &value, "{field} in {text}");
        }
        assert_eq!(lines[1]["http.status"], 404);
        assert!(lines[1].get("actor.subject").is_none());
        let rendered = metrics.render().unwrap();
        assert!(
            rendered.contains("/items/{id}")
                && !rendered.contains("/items/7")
                && !rendered.contains("nowhere"),
            "{rendered}"
        );
    }
}
