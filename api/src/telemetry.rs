//! Logs, traces and metrics of the process.
//!
//! Traces leave by OTLP over HTTP with the blocking client: its batch thread has no async runtime, and the async client
//! would end that thread at the first export. Neither variables nor SQL become part of a span.

use std::io::IsTerminal as _;
use std::time::Duration;

use actix_web::{HttpResponse, web};
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Histogram, MeterProvider as _};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use prometheus::{Encoder as _, Registry, TextEncoder};
use tracing_subscriber::filter::{FilterFn, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, fmt};

use crate::config::{LogFormat, TelemetrySettings};

/// The running telemetry; to be shut down before the process ends.
#[must_use = "spans not yet sent are lost without a shutdown"]
pub struct Telemetry {
    traces: Option<SdkTracerProvider>,
}

impl Telemetry {
    /// Starts logging, and tracing if a collector is configured. Once a process.
    pub fn start(settings: &TelemetrySettings) -> anyhow::Result<Self> {
        let lines = match settings.log_format {
            LogFormat::Json => fmt::layer()
                .json()
                .flatten_event(true)
                .with_current_span(false)
                .with_span_list(false)
                .with_writer(std::io::stderr)
                .boxed(),
            LogFormat::Text => fmt::layer()
                .with_ansi(std::io::stderr().is_terminal())
                .with_writer(std::io::stderr)
                .boxed(),
        };
        // A line says all it has to say itself; to spell spans out for lines would cost every request as much again.
        let lines = lines.with_filter(events());
        let traces = settings
            .otlp_endpoint
            .as_deref()
            .map(|endpoint| tracer(endpoint, &settings.service_name))
            .transpose()?;
        let spans = traces.as_ref().map(|provider| {
            tracing_opentelemetry::layer()
                .with_location(false)
                .with_threads(false)
                .with_tracer(provider.tracer("pruefpfad"))
        });
        // Where nobody collects spans, none are made.
        let no_spans = traces.is_none().then(|| events());
        let filter = EnvFilter::try_new(&settings.log_level)?;
        tracing_subscriber::registry()
            .with(filter)
            .with(no_spans)
            .with(lines)
            .with(spans)
            .try_init()?;
        Ok(Self { traces })
    }

    /// Sends what is left. The exporter blocks, so it must not do so on a thread of the runtime.
    pub async fn shutdown(self) {
        let Some(provider) = self.traces else { return };
        match tokio::task::spawn_blocking(move || provider.shutdown()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "spans not delivered"),
            Err(error) => tracing::warn!(%error, "spans not delivered"),
        }
    }
}

/// Events, and no spans.
#[expect(
    clippy::redundant_closure_for_method_calls,
    reason = "the method itself is for one lifetime, the filter for all"
)]
fn events() -> FilterFn {
    filter_fn(|data| data.is_event())
}

fn resource(service_name: &str) -> Resource {
    Resource::builder()
        .with_service_name(service_name.to_owned())
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build()
}

fn tracer(endpoint: &str, service_name: &str) -> anyhow::Result<SdkTracerProvider> {
    let address = format!("{}/v1/traces", endpoint.trim_end_matches('/'));
    // The blocking client refuses to be built on a thread of an async runtime.
    let exporter =
        std::thread::spawn(move || SpanExporter::builder().with_http().with_endpoint(address).build())
            .join()
            .map_err(|_| anyhow::anyhow!("the OTLP exporter could not be built"))??;
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(resource(service_name))
        .build())
}

/// The instruments of the process, readable as `/metrics`; one for all workers, as `web::Data`.
pub struct Metrics {
    registry: Registry,
    provider: SdkMeterProvider,
    requests: Histogram<f64>,
    operations: Histogram<f64>,
    read_records: Histogram<f64>,
    import_lines: Counter<u64>,
}

/// Bounds in seconds, from a cached answer to the longest allowed operation.
const SECONDS: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];

impl Metrics {
    /// Instruments and their registry.
    pub fn new(service_name: &str) -> anyhow::Result<Self> {
        let registry = Registry::new();
        let exporter = opentelemetry_prometheus::exporter()
            .with_registry(registry.clone())
            .build()?;
        let provider = SdkMeterProvider::builder()
            .with_reader(exporter)
            .with_resource(resource(service_name))
            .build();
        let meter = provider.meter("pruefpfad");
        let seconds = |name: &'static str, what: &'static str| {
            meter
                .f64_histogram(name)
                .with_unit("s")
                .with_description(what)
                .with_boundaries(SECONDS.to_vec())
                .build()
        };
        Ok(Self {
            requests: seconds(
                "http.server.request.duration",
                "Requests by method, route and status",
            ),
            operations: seconds(
                "graphql.operation.duration",
                "GraphQL operations by type and outcome",
            ),
            read_records: seconds(
                "pruefpfad.read_record.duration",
                "Waiting for read records to be durable, by outcome",
            ),
            import_lines: meter
                .u64_counter("pruefpfad.import.lines")
                .with_description("Imported lines by outcome")
                .build(),
            registry,
            provider,
        })
    }

    /// One answered request.
    pub fn request(&self, method: &'static str, route: &str, status: u16, elapsed: Duration) {
        let labels = [
            KeyValue::new("http.request.method", method),
            KeyValue::new("http.route", route.to_owned()),
            KeyValue::new("http.response.status_code", i64::from(status)),
        ];
        self.requests.record(elapsed.as_secs_f64(), &labels);
    }

    /// One operation: its type (`unknown` if it did not come so far), and `OK`, the first error's code, `REFUSED`, or
    /// `CANCELLED` by a client that hung up.
    pub fn operation(&self, kind: &'static str, outcome: &str, elapsed: Duration) {
        let labels = [
            KeyValue::new("graphql.operation.type", kind),
            KeyValue::new("outcome", outcome.to_owned()),
        ];
        self.operations.record(elapsed.as_secs_f64(), &labels);
    }

    /// One answer or part of a download that waited for its read record.
    pub fn read_record(&self, written: bool, elapsed: Duration) {
        let outcome = if written { "WRITTEN" } else { "FAILED" };
        self.read_records
            .record(elapsed.as_secs_f64(), &[KeyValue::new("outcome", outcome)]);
    }

    /// Lines of an import.
    pub fn import_lines(&self, accepted: u64, rejected: u64) {
        self.import_lines
            .add(accepted, &[KeyValue::new("outcome", "ACCEPTED")]);
        self.import_lines
            .add(rejected, &[KeyValue::new("outcome", "REJECTED")]);
    }

    /// Watches the pool of the database: `sample` answers open and idle connections.
    pub fn watch_pool(&self, sample: impl Fn() -> (u64, u64) + Send + Sync + 'static) {
        self.provider
            .meter("pruefpfad")
            .u64_observable_gauge("db.client.connection.count")
            .with_description("Connections of the pool by state")
            .with_callback(move |gauge| {
                let (open, idle) = sample();
                gauge.observe(idle, &[KeyValue::new("state", "idle")]);
                gauge.observe(open.saturating_sub(idle), &[KeyValue::new("state", "used")]);
            })
            .build();
    }

    /// The present values in the text format of Prometheus.
    pub fn render(&self) -> Result<String, prometheus::Error> {
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}

/// Handler of `/metrics`.
pub async fn metrics(metrics: web::Data<Metrics>) -> HttpResponse {
    match metrics.render() {
        Ok(text) => HttpResponse::Ok()
            .content_type("text/plain; version=0.0.4; charset=utf-8")
            .body(text),
        Err(error) => {
            tracing::error!(%error, "metrics not readable");
            HttpResponse::InternalServerError().finish()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instruments_can_be_read() {
        let metrics = Metrics::new("vks").unwrap();
        metrics.request("GET", "/graphql", 200, Duration::from_millis(3));
        metrics.operation("query", "OK", Duration::from_millis(2));
        metrics.import_lines(10, 1);
        metrics.read_record(true, Duration::from_millis(1));
        metrics.watch_pool(|| (5, 2));
        let text = metrics.render().unwrap();
        for part in [
            "http_server_request_duration_seconds_count{",
            "graphql_operation_duration_seconds_bucket{",
            "pruefpfad_import_lines_total{",
            "pruefpfad_read_record_duration_seconds_count{",
            "db_client_connection_count{",
            "service_name=\"vks\"",
        ] {
            assert!(text.contains(part), "{part} in\n{text}");
        }
    }

    #[actix_web::test]
    async fn a_collector_that_is_not_there_hinders_nobody() {
        let provider = tracer("http://127.0.0.1:9", "vks").unwrap();
        let telemetry = Telemetry {
            traces: Some(provider),
        };
        telemetry.shutdown().await;
    }

    #[actix_web::test]
    async fn spans_reach_the_collector_before_the_end() {
        use std::io::{Read as _, Write as _};

        let collector = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}/", collector.local_addr().unwrap());
        let received = std::thread::spawn(move || {
            let (mut connection, _) = collector.accept().unwrap();
            let mut request = Vec::new();
            let mut part = [0; 4096];
            while !String::from_utf8_lossy(&request).contains("query SampleItems") {
                let length = connection.read(&mut part).unwrap();
                assert!(
                    length > 0,
                    "the exporter gave up: {}",
                    String::from_utf8_lossy(&request)
                );
                request.extend_from_slice(&part[..length]);
            }
            connection
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                .unwrap();
            String::from_utf8_lossy(&request).into_owned()
        });
        let provider = tracer(&endpoint, "vks").unwrap();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            tracing::info_span!("query SampleItems").in_scope(|| {});
        });
        Telemetry {
            traces: Some(provider),
        }
        .shutdown()
        .await;
        assert!(received.join().unwrap().starts_with("POST /v1/traces HTTP/1.1"));
    }
}
