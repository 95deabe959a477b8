//! What leaves the service about its work: traces to a collector that decodes them, and one line a request.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::{Arc, Mutex};

use actix_web::{App, HttpResponse, HttpServer, web};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use serde_json::{Value, json};
use tests::Backend;
use tests::program::Program;

type Received = Arc<Mutex<Vec<ExportTraceServiceRequest>>>;

/// A collector: it takes what a collector takes, and nothing else.
async fn receive(
    body: web::Bytes,
    request: actix_web::HttpRequest,
    received: web::Data<Received>,
) -> HttpResponse {
    let protobuf = request
        .headers()
        .get("content-type")
        .is_some_and(|kind| kind == "application/x-protobuf");
    match ExportTraceServiceRequest::decode(body) {
        Ok(decoded) if protobuf => {
            received.lock().unwrap().push(decoded);
            HttpResponse::Ok().content_type("application/x-protobuf").finish()
        }
        _ => HttpResponse::BadRequest().finish(),
    }
}

fn collector() -> (String, Received) {
    let received = Received::default();
    let data = web::Data::new(received.clone());
    let server = HttpServer::new(move || {
        App::new()
            .app_data(data.clone())
            .app_data(web::PayloadConfig::new(1 << 24))
            .route("/v1/traces", web::post().to(receive))
    })
    .workers(1)
    .disable_signals()
    .bind("127.0.0.1:0")
    .unwrap();
    let endpoint = format!("http://{}", server.addrs()[0]);
    tokio::spawn(server.run());
    (endpoint, received)
}

fn text<'a>(span: &'a Span, attribute: &str) -> Option<&'a str> {
    let found = span.attributes.iter().find(|found| found.key == attribute)?;
    match found.value.as_ref()?.value.as_ref()? {
        Any::StringValue(text) => Some(text),
        _ => None,
    }
}

const KENNUNG: &str = "query Kennung($text: String!) {
    sampleItems(first: 1, filter: { reference: $text }) { totals { count } } viewer { subject } }";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";
const REQUEST: &str = "6f1ff3a5-7a22-4a0e-9c57-3c7f2a3c7a11";

/// What one operation leaves with the collector and in the log, on a database that is asked for it.
async fn traced(backend: Backend) -> Option<(Vec<ExportTraceServiceRequest>, String)> {
    let (endpoint, received) = collector();
    let program = Program::on(backend)
        .await?
        .with("PRUEFPFAD__TELEMETRY__OTLP_ENDPOINT", &endpoint)
        .with("PRUEFPFAD__TELEMETRY__SERVICE_NAME", "pruefpfad-test")
        // More than anybody would let through: what must not leave does not leave at this level either.
        .with("PRUEFPFAD__TELEMETRY__LOG_LEVEL", "debug")
        .with("PRUEFPFAD__TELEMETRY__LOG_FORMAT", "json");
    let token = program
        .succeeds(&["token", "--role", "INNENREVISION", "--subject", "auditor"])
        .await;
    let serving = program.serve(&["serve", "--migrate"]).await;
    let http = reqwest::Client::new();
    let ask = async |token: &str| {
        http.post(format!("{}/graphql", serving.address))
            .bearer_auth(token)
            .header("traceparent", format!("00-{TRACE}-{PARENT}-01"))
            .header("x-request-id", REQUEST)
            .json(&json!({ "query": KENNUNG, "operationName": "Kennung", "variables": { "text": "GEHEIM" } }))
            .send()
            .await
            .unwrap()
    };
    let body: Value = ask(token.trim()).await.json().await.unwrap();
    assert_eq!(
        body["data"],
        json!({ "sampleItems": { "totals": { "count": 0 } }, "viewer": { "subject": "auditor" } }),
        "{body}"
    );
    assert_eq!(ask("GEHEIM").await.status(), 401);
    // The end sends what was not sent yet.
    let ended = serving.interrupt().await;
    assert_eq!(ended.code, 0, "{ended:?}");
    let received = received.lock().unwrap().clone();
    Some((received, ended.err))
}

fn holds_nothing_secret(text: &str) {
    for secret in ["GEHEIM", "SELECT", "INSERT", "sampleItems", "sample_item"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

fn check_traces(received: &[ExportTraceServiceRequest]) {
    let resources: Vec<_> = received
        .iter()
        .flat_map(|request| &request.resource_spans)
        .collect();
    let resource = format!("{:?}", resources.first().unwrap().resource);
    assert!(resource.contains("pruefpfad-test"), "{resource}");
    let spans: Vec<&Span> = resources
        .iter()
        .flat_map(|resource| &resource.scope_spans)
        .flat_map(|scope| &scope.spans)
        .collect();
    let operation = spans.iter().find(|span| span.name == "query Kennung").unwrap();
    assert_eq!(text(operation, "graphql.operation.name"), Some("Kennung"));
    assert_eq!(text(operation, "graphql.operation.type"), Some("query"));
    let request = spans
        .iter()
        .find(|span| span.span_id == operation.parent_span_id)
        .unwrap();
    assert_eq!(request.name, "POST /graphql");
    assert_eq!(text(request, "request.id"), Some(REQUEST));
    assert_eq!(
        (
            hex::encode(&request.trace_id),
            hex::encode(&request.parent_span_id)
        ),
        (TRACE.into(), PARENT.into())
    );
    assert_eq!(operation.trace_id, request.trace_id);
    holds_nothing_secret(&format!("{received:?}"));
}

fn check_log(log: &str) {
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let requests: Vec<_> = lines
        .iter()
        .filter(|line| line["target"] == "pruefpfad::request")
        .collect();
    assert_eq!(requests.len(), 2, "one line a request: {log}");
    for (field, value) in [
        ("level", json!("INFO")),
        ("message", json!("request")),
        ("request.id", json!(REQUEST)),
        ("http.method", json!("POST")),
        ("http.route", json!("/graphql")),
        ("http.status", json!(200)),
        ("actor.subject", json!("auditor")),
        ("actor.membership", json!("INNENREVISION")),
        ("graphql.kind", json!("query")),
        ("graphql.name", json!("Kennung")),
        ("graphql.cached", json!(false)),
    ] {
        assert_eq!(requests[0][field], value, "{field} in {}", requests[0]);
    }
    for field in ["http.response_bytes", "duration_ms", "graphql.cost", "timestamp"] {
        assert!(!requests[0][field].is_null(), "{field} in {}", requests[0]);
    }
    assert_eq!(requests[1]["auth.refused"], "TOKEN_MALFORMED");
    assert_eq!(requests[1].get("actor.subject"), None);
    holds_nothing_secret(log);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn traces_and_lines_name_the_operation_and_nothing_it_was_about_on_sqlite() {
    if let Some((received, log)) = traced(Backend::Sqlite).await {
        check_traces(&received);
        check_log(&log);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn traces_and_lines_name_the_operation_and_nothing_it_was_about_on_postgres() {
    if let Some((received, log)) = traced(Backend::Postgres).await {
        check_traces(&received);
        check_log(&log);
    }
}
