//! The product seen from outside: a real service on a port of its own, a fresh database for each test, real tokens.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot start fails")]

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use api::app::{self, Running};
use api::auth::{DevelopmentKey, TokenRequest};
use api::config::{Layers, Settings};
use audit::access::Membership;
use audit::{Clock as _, Db, Sources, SystemClock};
use chrono::TimeDelta;
use sea_orm::ConnectionTrait as _;
use secrecy::SecretString;
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

/// Which database a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// A file of its own.
    Sqlite,
    /// A database of its own in the cluster that `TEST_POSTGRES_URL` names.
    Postgres,
}

/// A database of a test's own, and the configuration of a service on it.
pub struct Ground {
    /// The configuration.
    pub settings: Settings,
    folder: TempDir,
}

impl Ground {
    /// A fresh, empty database; none where PostgreSQL is asked for and no cluster is named.
    pub async fn lay(backend: Backend) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let url = match backend {
            Backend::Sqlite => format!("sqlite://{}", folder.path().join("test.sqlite").display()),
            Backend::Postgres => {
                let Ok(cluster) = std::env::var("TEST_POSTGRES_URL") else {
                    println!("skipped: TEST_POSTGRES_URL is not set");
                    return None;
                };
                let name = format!("test_{}", random_id().simple());
                let owner = Db::connect(&cluster, 2).await.unwrap();
                owner.owner().execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
                format!("{}/{name}", cluster.rsplit_once('/').unwrap().0)
            }
        };
        let mut settings = Layers::default().load().map_err(|error| error.to_string()).unwrap().settings;
        settings.server.listen = SocketAddr::from(([127, 0, 0, 1], 0));
        settings.server.workers = 2;
        settings.server.shutdown_seconds = 2;
        settings.database.url = SecretString::from(url);
        settings.database.max_connections = 6;
        settings.auth.development_key = true;
        settings.auth.development_key_file = folder.path().join("development-key.pem");
        settings.rate.per_minute = 0;
        Some(Self { settings, folder })
    }

    /// A folder that goes with the test.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The address of the database.
    pub fn database_url(&self) -> &str {
        secrecy::ExposeSecret::expose_secret(&self.settings.database.url)
    }

    /// Starts a service here.
    pub async fn build(self) -> Service {
        let db = app::connect(&self.settings).await.unwrap();
        let sources = app::sources(&self.settings).unwrap();
        app::prepare(&self.settings, &db, &sources, true).await.unwrap();
        let running = app::start(&self.settings, db.clone(), sources.clone()).await.unwrap();
        let key = DevelopmentKey::open(&self.settings.auth.development_key_file).unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Service { url: format!("http://{}", running.address), db, sources, http, key, ground: self, running }
    }
}

/// A running service.
pub struct Service {
    /// Where it listens: `http://127.0.0.1:12345`.
    pub url: String,
    /// Its database.
    pub db: Db,
    /// Its clock, randomness and keys.
    pub sources: Arc<Sources>,
    /// A client.
    pub http: reqwest::Client,
    /// What it runs on.
    pub ground: Ground,
    key: DevelopmentKey,
    running: Running,
}

impl Service {
    /// A service with the usual configuration on a fresh database.
    pub async fn start(backend: Backend) -> Option<Self> {
        Some(Ground::lay(backend).await?.build().await)
    }

    /// A token of somebody with one membership: `INNENREVISION`, `SACHBEARBEITUNG:03`. One person a membership.
    pub fn token(&self, membership: &str) -> String {
        self.token_of(&membership.to_lowercase(), &[membership])
    }

    /// A token of a named person with these memberships.
    pub fn token_of(&self, subject: &str, memberships: &[&str]) -> String {
        let request = TokenRequest {
            subject: subject.to_owned(),
            name: Some(format!("Person {subject}")),
            memberships: memberships.iter().map(|text| text.parse::<Membership>().unwrap()).collect(),
            lifetime: TimeDelta::minutes(30),
        };
        self.key.issue(&self.ground.settings.auth, &request, SystemClock.now()).unwrap()
    }

    /// Asks and answers with the whole body; the status must be 200.
    pub async fn ask(&self, token: &str, query: &str, variables: Value) -> Value {
        let mut request =
            self.http.post(format!("{}/graphql", self.url)).json(&json!({ "query": query, "variables": variables }));
        if !token.is_empty() {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await.unwrap();
        let (status, body) = (answer.status(), answer.text().await.unwrap());
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).unwrap()
    }

    /// Asks and answers with `data`; there must be no error.
    pub async fn data(&self, token: &str, query: &str, variables: Value) -> Value {
        let mut body = self.ask(token, query, variables).await;
        assert!(body.get("errors").is_none(), "{query}: {body}");
        body["data"].take()
    }

    /// Asks and answers with the code of the first error.
    pub async fn error(&self, token: &str, query: &str, variables: Value) -> String {
        let body = self.ask(token, query, variables).await;
        body["errors"][0]["extensions"]["code"].as_str().unwrap_or_else(|| panic!("no error: {body}")).to_owned()
    }

    /// Changes something: `field` is the mutation; its payload, which must have no `userErrors`.
    pub async fn change(&self, token: &str, field: &str, selection: &str, input: Value) -> Value {
        let payload = self.payload(token, field, selection, input).await;
        assert_eq!(payload["userErrors"], json!([]), "{field}");
        payload
    }

    /// Tries to change something: the code and the dotted path of the first user error.
    pub async fn refusal(&self, token: &str, field: &str, input: Value) -> (String, String) {
        let payload = self.payload(token, field, "", input).await;
        let first = &payload["userErrors"][0];
        let path: Vec<_> =
            first["path"].as_array().into_iter().flatten().filter_map(|part| part.as_str()).collect();
        let code = first["code"].as_str().unwrap_or_else(|| panic!("{field} was not refused: {payload}"));
        (code.to_owned(), path.join("."))
    }

    /// The payload of a mutation.
    pub async fn payload(&self, token: &str, field: &str, selection: &str, input: Value) -> Value {
        let mut name = field.to_owned();
        name[..1].make_ascii_uppercase();
        let query = format!(
            "mutation Change($input: {name}Input!) {{ {field}(input: $input) {{ {selection} userErrors {{ code message path }} }} }}"
        );
        self.data(token, &query, json!({ "input": input })).await[field].take()
    }

    /// Ends the service.
    pub async fn stop(self) -> Ground {
        self.running.stop().await.unwrap();
        self.ground
    }
}

/// A key nobody used before.
pub fn fresh_key() -> String {
    random_id().to_string()
}

/// A random id.
fn random_id() -> Uuid {
    let random = audit::OsRandom::new().expect("randomness of the operating system");
    let mut bytes = [0; 16];
    audit::Random::fill(&random, &mut bytes);
    Uuid::from_bytes(bytes)
}

/// Two tests of one story: `name::sqlite` and `name::postgres`.
#[macro_export]
macro_rules! on_both {
    ($name:ident, $story:expr) => {
        mod $name {
            use super::*;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                if let Some(service) = $crate::Service::start($crate::Backend::Sqlite).await {
                    ($story)(service).await;
                }
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                if let Some(service) = $crate::Service::start($crate::Backend::Postgres).await {
                    ($story)(service).await;
                }
            }
        }
    };
}
