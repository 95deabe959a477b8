//! The product seen from outside: a whole service per test, on a database of its own, spoken to over HTTP.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a test ends where something is missing"
)]

pub mod contract;
pub mod grants;
pub mod key;
pub mod oracle;
pub mod program;
pub mod redraw;
pub mod story;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use api::app::{self, Running};
use api::auth::{DevelopmentKey, TokenRequest, system_clock};
use api::config::{Layers, Settings};
use audit::{Clock, Ctx, Db, OsRandom, Sources, SystemClock, Vault};
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};

/// Which database a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// A SQLite file.
    Sqlite,
    /// A database of the cluster at `TEST_POSTGRES_URL`.
    Postgres,
}

/// A running service with its database.
pub struct Service {
    /// Its configuration.
    pub settings: Settings,
    /// Its database, for what cannot be seen from outside.
    pub db: Db,
    /// Its sources.
    pub sources: Arc<Sources>,
    /// Where it listens: `http://127.0.0.1:4711`.
    pub address: String,
    /// For requests by hand.
    pub http: reqwest::Client,
    statements: Arc<AtomicU64>,
    running: Running,
    // Holds database and keys; gone with the service.
    folder: tempfile::TempDir,
}

/// A database that counts statements; not those of the log's sequencer and of the scheduler, which ask whenever it is their turn.
async fn connected(settings: &Settings, statements: &Arc<AtomicU64>) -> Db {
    let mut db = app::connect(settings).await.unwrap();
    let counter = statements.clone();
    db.on_statement(move |sql| {
        if !sql.contains("\"log_") && !sql.contains("\"deadline_due\"") {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    });
    db
}

impl Service {
    /// A service on an empty database of its own; none where the cluster for it is not named.
    pub async fn start(backend: Backend) -> Option<Self> {
        Self::start_with(backend, &[]).await
    }

    /// The same with settings of its own, spelled as in the environment: `PRUEFPFAD__LIMITS__DEPTH`.
    pub async fn start_with(backend: Backend, settings: &[(&str, &str)]) -> Option<Self> {
        Self::start_by(backend, settings, None).await
    }

    /// The same, whose time is what this clock says.
    pub async fn start_by(
        backend: Backend,
        settings: &[(&str, &str)],
        clock: Option<Arc<dyn Clock>>,
    ) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let url = match backend {
            Backend::Sqlite => format!("sqlite://{}", folder.path().join("test.sqlite").display()),
            Backend::Postgres => fresh_database().await?,
        };
        let at = |name: &str| folder.path().join(name).display().to_string();
        let mut environment: BTreeMap<String, String> = [
            ("PRUEFPFAD__DATABASE__URL", url),
            ("PRUEFPFAD__SERVER__LISTEN", "127.0.0.1:0".to_owned()),
            ("PRUEFPFAD__SERVER__WORKERS", "1".to_owned()),
            ("PRUEFPFAD__SERVER__SHUTDOWN_SECONDS", "1".to_owned()),
            ("PRUEFPFAD__AUTH__DEVELOPMENT_KEY", "true".to_owned()),
            ("PRUEFPFAD__AUTH__DEVELOPMENT_KEY_FILE", at("key.pem")),
            ("PRUEFPFAD__RATE__PER_MINUTE", "0".to_owned()),
            ("PRUEFPFAD__DATABASE__MIGRATE_ON_START", "true".to_owned()),
        ]
        .map(|(key, value)| (key.to_owned(), value))
        .into();
        environment.extend(
            settings
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned())),
        );
        let settings = Layers {
            environment,
            ..Layers::default()
        }
        .load()
        .expect("settings of the test")
        .settings;
        let sources = match clock {
            None => app::sources(&settings).unwrap(),
            Some(clock) => sources_by(&settings, clock),
        };
        let statements = Arc::new(AtomicU64::new(0));
        let db = connected(&settings, &statements).await;
        let migrate = settings.database.migrate_on_start;
        app::prepare(&settings, &db, &sources, migrate).await.unwrap();
        let running = app::start(&settings, db.clone(), sources.clone()).await.unwrap();
        let address = format!("http://{}", running.address);
        let http = reqwest::Client::new();
        Some(Self {
            settings,
            db,
            sources,
            address,
            http,
            statements,
            running,
            folder,
        })
    }

    /// The service's own context some days from now.
    pub fn later(&self, days: i64) -> Ctx {
        Ctx::system(self.sources_later(days))
    }

    /// The service's sources some days from now.
    pub fn sources_later(&self, days: i64) -> Arc<Sources> {
        sources_by(&self.settings, Arc::new(Moved(TimeDelta::days(days))))
    }

    /// Ends the service, lets something happen to its database meanwhile, and starts it again.
    pub async fn restarted(self, meanwhile: impl AsyncFnOnce(&Db, &Arc<Sources>)) -> Self {
        self.running.stop().await.unwrap();
        // Connections that the service opened end with it.
        let db = connected(&self.settings, &self.statements).await;
        meanwhile(&db, &self.sources).await;
        let running = app::start(&self.settings, db.clone(), self.sources.clone())
            .await
            .unwrap();
        Self {
            db,
            address: format!("http://{}", running.address),
            running,
            ..self
        }
    }

    /// Ends the service.
    pub async fn stop(self) {
        self.running.stop().await.unwrap();
        self.folder.close().unwrap();
    }

    /// Somebody with one membership: `INNENREVISION`, `SACHBEARBEITUNG:03`.
    pub fn person(&self, subject: &str, membership: &str) -> Person<'_> {
        Person {
            service: self,
            token: Some(self.token(subject, &[membership])),
            english: true,
        }
    }

    /// A token of somebody with any number of memberships.
    pub fn token(&self, subject: &str, memberships: &[&str]) -> String {
        let request = TokenRequest {
            subject: subject.to_owned(),
            name: Some(format!("Test {subject}")),
            memberships: memberships
                .iter()
                .map(|membership| membership.parse().unwrap())
                .collect(),
            lifetime: chrono::TimeDelta::minutes(10),
        };
        let key = DevelopmentKey::open(&self.settings.auth.development_key_file).unwrap();
        key.issue(&self.settings.auth, &request, system_clock()())
            .unwrap()
    }

    /// Somebody with a token and no membership.
    pub fn nobody(&self, subject: &str) -> Person<'_> {
        Person {
            service: self,
            token: Some(self.token(subject, &[])),
            english: true,
        }
    }

    /// Somebody with this token.
    pub fn bearer(&self, token: &str) -> Person<'_> {
        Person {
            service: self,
            token: Some(token.to_owned()),
            english: true,
        }
    }

    /// Somebody who shows no token.
    pub const fn anybody(&self) -> Person<'_> {
        Person {
            service: self,
            token: None,
            english: true,
        }
    }

    /// An auditor of the Innenrevision, to whom own staff's items are open too.
    pub fn auditor(&self) -> Person<'_> {
        self.person("auditor", "INNENREVISION+OWN_STAFF")
    }

    /// The head of the Innenrevision.
    pub fn head(&self) -> Person<'_> {
        self.person("head", "INNENREVISION_LEITUNG")
    }

    /// Statements sent to the database while something runs.
    pub async fn statements<T>(&self, work: impl Future<Output = T>) -> (T, u64) {
        let before = self.statements.load(Ordering::Relaxed);
        let done = work.await;
        (done, self.statements.load(Ordering::Relaxed) - before)
    }
}

/// What a test says that ends early because something is not there which `tests/run` installs. Where everything has to be
/// there (`CI` is set), it fails.
pub fn missing(what: &str) {
    let ci = std::env::var("CI").is_ok_and(|value| !["", "0", "false"].contains(&value.as_str()));
    assert!(!ci, "missing: {what}; tests/run installs it");
    println!("skipped: without {what}");
}

/// A new database on the test cluster.
pub(crate) async fn fresh_database() -> Option<String> {
    let Ok(cluster) = std::env::var("TEST_POSTGRES_URL") else {
        missing("PostgreSQL: TEST_POSTGRES_URL is not set");
        return None;
    };
    let name = unique("tests");
    let owner = Db::connect(&cluster, 2).await.unwrap();
    owner
        .owner()
        .execute_unprepared(&format!("CREATE DATABASE {name}"))
        .await
        .unwrap();
    let (server, _) = cluster.rsplit_once('/').unwrap();
    Some(format!("{server}/{name}"))
}

/// A name nobody else has.
pub fn unique(kind: &str) -> String {
    use audit::Random as _;
    let mut bytes = [0; 16];
    audit::OsRandom::new().unwrap().fill(&mut bytes);
    format!("{kind}_{}", uuid::Uuid::from_bytes(bytes).simple())
}

/// A WebSocket that speaks `graphql-transport-ws`.
pub type Socket =
    tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

/// The next message; pings between the messages are none.
pub async fn next_message(socket: &mut Socket) -> Value {
    use futures_util::StreamExt as _;
    loop {
        let frame = socket.next().await.expect("a message").unwrap();
        if frame.is_text() {
            return serde_json::from_str(frame.to_text().unwrap()).unwrap();
        }
        assert!(!frame.is_close(), "closed: {frame:?}");
    }
}

/// Somebody who speaks to the service.
pub struct Person<'a> {
    service: &'a Service,
    token: Option<String>,
    english: bool,
}

impl Person<'_> {
    /// The same person, asking in German.
    #[must_use]
    pub fn in_german(self) -> Self {
        Self {
            english: false,
            ..self
        }
    }

    /// A request with this person's token.
    pub fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        let request = self
            .service
            .http
            .request(method, format!("{}{path}", self.service.address));
        let request = request.header("Accept-Language", if self.english { "en" } else { "de" });
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// The whole answer to an operation: `data`, `errors`.
    pub async fn graphql(&self, document: &str, variables: Value) -> Value {
        let body = json!({ "query": document, "variables": variables });
        let answer = self
            .request(reqwest::Method::POST, "/graphql")
            .json(&body)
            .send()
            .await
            .unwrap();
        answer.json().await.expect("an answer in JSON")
    }

    /// The data of an operation that must have no errors.
    pub async fn data(&self, document: &str, variables: Value) -> Value {
        let mut answer = self.graphql(document, variables).await;
        assert_eq!(answer.get("errors"), None, "{document}");
        answer["data"].take()
    }

    /// The payload of a mutation without user errors; `document` selects one mutation with `userErrors { code path }`.
    pub async fn done(&self, document: &str, input: Value) -> Value {
        let payload = self.payload(document, input).await;
        assert_eq!(payload["userErrors"], json!([]), "{document}");
        payload
    }

    /// The payload of a mutation.
    pub async fn payload(&self, document: &str, input: Value) -> Value {
        let mut data = self.data(document, json!({ "input": input })).await;
        let payload = data
            .as_object_mut()
            .and_then(|fields| fields.values_mut().next())
            .expect("one mutation");
        payload.take()
    }

    /// Code and path of every user error of a mutation.
    pub async fn refused(&self, document: &str, input: Value) -> Vec<(String, String)> {
        let payload = self.payload(document, input).await;
        let errors = payload["userErrors"].as_array().cloned().unwrap_or_default();
        errors
            .iter()
            .map(|error| {
                let path: Vec<_> = error["path"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .filter_map(Value::as_str)
                    .collect();
                (error["code"].as_str().unwrap().to_owned(), path.join("."))
            })
            .collect()
    }

    /// A WebSocket whose connection was acknowledged.
    pub async fn subscribe(&self) -> Socket {
        use futures_util::SinkExt as _;
        use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
        let address = format!("{}/graphql", self.service.address.replace("http://", "ws://"));
        let mut request = address.into_client_request().unwrap();
        request
            .headers_mut()
            .insert("Sec-WebSocket-Protocol", "graphql-transport-ws".parse().unwrap());
        if let Some(token) = &self.token {
            request
                .headers_mut()
                .insert("Authorization", format!("Bearer {token}").parse().unwrap());
        }
        let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
        socket
            .send(json!({ "type": "connection_init" }).to_string().into())
            .await
            .unwrap();
        assert_eq!(next_message(&mut socket).await["type"], "connection_ack");
        socket
    }

    /// The codes of the errors of an operation.
    pub async fn codes(&self, document: &str, variables: Value) -> Vec<String> {
        let answer = self.graphql(document, variables).await;
        let errors = answer["errors"].as_array().cloned().unwrap_or_default();
        errors
            .iter()
            .map(|error| error["extensions"]["code"].as_str().unwrap_or("none").to_owned())
            .collect()
    }
}

/// Has an attacker written in Python (`tests/attacks/`) try a service, told what it knows by `situation`. Its verdict, without
/// failures; none where its packages are missing.
pub async fn attack(script: &str, arguments: &[&str], situation: &Value) -> Option<Value> {
    use tokio::io::AsyncWriteExt as _;
    let named = std::env::var("PYTHON");
    let mut attacker = tokio::process::Command::new(named.as_deref().unwrap_or("python3"))
        .arg(format!("{}/attacks/{script}", env!("CARGO_MANIFEST_DIR")))
        .args(arguments)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut input = attacker.stdin.take().unwrap();
    // Whoever reads nothing is told nothing.
    let _ = input.write_all(situation.to_string().as_bytes()).await;
    drop(input);
    let ended = attacker.wait_with_output().await.unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    if named.is_err() && said.contains("ModuleNotFoundError") {
        missing(&format!(
            "the Python packages of tests/requirements.txt, for attacks/{script}"
        ));
        return None;
    }
    let verdict: Value = serde_json::from_slice(&ended.stdout).unwrap_or_default();
    assert_eq!(verdict["failures"], json!([]), "{said}");
    assert!(ended.status.success(), "{said}");
    Some(verdict)
}

/// Two tests of one story: `name::sqlite` and `name::postgres`; with settings of its own after `with`.
#[macro_export]
macro_rules! on_both {
    ($name:ident, $story:expr) => {
        $crate::on_both!($name with [], $story);
    };
    ($name:ident with $settings:expr, $story:expr) => {
        mod $name {
            use super::*;

            async fn on(backend: $crate::Backend) {
                if let Some(service) = $crate::Service::start_with(backend, &$settings).await {
                    let story: fn(std::sync::Arc<$crate::Service>) -> _ = $story;
                    let service = std::sync::Arc::new(service);
                    story(service.clone()).await;
                    if let Some(service) = std::sync::Arc::into_inner(service) {
                        service.stop().await;
                    }
                }
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                on($crate::Backend::Sqlite).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                on($crate::Backend::Postgres).await;
            }
        }
    };
}

/// The sources of a service by a clock of its own.
fn sources_by(settings: &Settings, clock: Arc<dyn Clock>) -> Arc<Sources> {
    let random = Arc::new(OsRandom::new().unwrap());
    let key = settings.secrets.case_key_or_create(&app::case_key_file(settings));
    Arc::new(Sources::new(clock, random, Vault::new(key.unwrap())))
}

/// A clock that is set by hand.
pub struct Hand(Mutex<DateTime<Utc>>);

impl Hand {
    /// A clock that stands at this second since 1970.
    pub fn at(seconds: i64) -> Arc<Self> {
        let hand = Self(Mutex::default());
        hand.set(seconds);
        Arc::new(hand)
    }

    /// Sets it to this second since 1970.
    pub fn set(&self, seconds: i64) {
        *self.0.lock().unwrap() = DateTime::from_timestamp(seconds, 0).unwrap();
    }
}

impl Clock for Hand {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }
}

/// A clock that is ahead.
struct Moved(TimeDelta);

impl Clock for Moved {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + self.0
    }
}
