//! The sections of the configuration, each with the rules of its own values.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use audit::deadline::calendar::{Calendar, Land, Yearly, is_communal};
use audit::trail::note::{VerifierKey, is_name};
use audit::trail::witness::WitnessKey;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::{Problem, read_or_create};
use crate::auth::{GroupMap, is_safe_address};
pub use crate::graphql::admit::{Introspection, Limits};

/// The whole configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// What the service is run for.
    pub mode: Mode,
    /// Who may introspect the schema.
    pub introspection: Introspection,
    /// Listening and browsers.
    pub server: ServerSettings,
    /// The database.
    pub database: DatabaseSettings,
    /// Access tokens.
    pub auth: AuthSettings,
    /// Bounds of one operation.
    pub limits: Limits,
    /// Bounds of one caller.
    pub rate: RateSettings,
    /// The explorer in the browser.
    pub explorer: ExplorerSettings,
    /// Logs, traces, metrics.
    pub telemetry: TelemetrySettings,
    /// Words of this Jobcenter.
    pub jobcenter: JobcenterSettings,
    /// How bodies decide, where that is otherwise than in the preset.
    #[serde(default)]
    pub decisions: audit::decision::body::Settings,
    /// Free days of this Jobcenter.
    pub calendar: CalendarSettings,
    /// The log over the trail.
    pub log: LogSettings,
    /// Keys of stored secrets.
    #[serde(default)]
    pub secrets: SecretsSettings,
    /// Bounds of imported files.
    pub import: ImportSettings,
}

impl Settings {
    /// All that must change before the service starts.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        self.server.validate(self.mode, &mut problems);
        self.database.validate(self.mode, &mut problems);
        self.auth.validate(self.mode, &mut problems);
        validate_limits(&self.limits, &mut problems);
        self.rate.validate(&mut problems);
        self.telemetry.validate(&mut problems);
        self.jobcenter.validate(&mut problems);
        self.calendar.validate(&mut problems);
        self.log.validate(self.mode, &mut problems);
        self.secrets.validate(self.mode, &mut problems);
        self.import.validate(&mut problems);
        problems
    }
}

/// What the service is run for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Mode {
    /// A desk or a test.
    Development,
    /// Real data: whatever is only safe on a desk is refused.
    Production,
}

/// Listening and browsers.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerSettings {
    /// Address and port to listen on.
    pub listen: SocketAddr,
    /// Address under which people reach the service.
    pub public_url: String,
    /// Origins whose front ends may call from a browser; `*` for all.
    pub cors_origins: Vec<String>,
    /// Time for running requests to end after a stop signal.
    pub shutdown_seconds: u64,
    /// Worker threads; 0 for one per core.
    pub workers: usize,
    /// Networks of the reverse proxies, whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<String>,
}

impl ServerSettings {
    /// The networks of the reverse proxies; a text that is none was refused before the service starts.
    pub fn proxies(&self) -> Vec<ipnet::IpNet> {
        self.trusted_proxies
            .iter()
            .filter_map(|text| text.parse().ok())
            .collect()
    }

    fn validate(&self, mode: Mode, problems: &mut Vec<Problem>) {
        if !is_http(&self.public_url) {
            problems.push(Problem::new(
                "server.public_url",
                format!("{:?} beginnt nicht mit http:// oder https://.", self.public_url),
                format!("{:?} does not start with http:// or https://.", self.public_url),
            ));
        }
        for origin in &self.cors_origins {
            if origin == "*" {
                if mode == Mode::Production {
                    problems.push(Problem::new(
                        "server.cors_origins",
                        "\"*\" ist im Produktivbetrieb gesperrt. Nennen Sie die Adressen Ihrer Oberflächen, z. B. [\"https://vks.kreis.example\"].",
                        "\"*\" is refused in production. Name the addresses of your front ends, such as [\"https://vks.kreis.example\"].",
                    ));
                }
            } else if !is_http(origin) || origin.ends_with('/') {
                problems.push(Problem::new(
                    "server.cors_origins",
                    format!("{origin:?} ist kein Ursprung. Schreiben Sie Schema und Rechner ohne Schrägstrich am Ende, z. B. https://vks.kreis.example."),
                    format!("{origin:?} is no origin. Write scheme and host without a final slash, such as https://vks.kreis.example."),
                ));
            }
        }
        for proxy in &self.trusted_proxies {
            if proxy.parse::<ipnet::IpNet>().is_err() {
                problems.push(Problem::new(
                    "server.trusted_proxies",
                    format!("{proxy:?} ist kein Netz. Schreiben Sie z. B. 127.0.0.1/32 oder 10.1.0.0/16."),
                    format!("{proxy:?} is no network. Write such as 127.0.0.1/32 or 10.1.0.0/16."),
                ));
            }
        }
        if self.shutdown_seconds > 3600 {
            problems.push(Problem::new(
                "server.shutdown_seconds",
                "höchstens 3600.",
                "at most 3600.",
            ));
        }
        if self.workers > 1024 {
            problems.push(Problem::new(
                "server.workers",
                "höchstens 1024; 0 für einen je Kern.",
                "at most 1024; 0 for one per core.",
            ));
        }
    }
}

fn is_http(text: &str) -> bool {
    ["http://", "https://"]
        .iter()
        .any(|scheme| text.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()))
}

/// The database.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseSettings {
    /// `sqlite://…` or `postgres://…`; holds what `url_file` says where that is set.
    pub url: SecretString,
    /// File whose only line is the address; goes before `url`.
    #[serde(default)]
    pub url_file: Option<PathBuf>,
    /// Connections for reading; on PostgreSQL half as many beside for writing.
    pub max_connections: u32,
    /// How long a request waits for a connection.
    pub acquire_timeout_ms: u64,
    /// Whether `serve` applies missing migrations instead of refusing to start.
    pub migrate_on_start: bool,
}

impl DatabaseSettings {
    /// Whether the database is `SQLite`.
    pub fn is_sqlite(&self) -> bool {
        self.url.expose_secret().starts_with("sqlite:")
    }

    /// How long a request waits for a connection.
    pub const fn acquire_timeout(&self) -> Duration {
        Duration::from_millis(self.acquire_timeout_ms)
    }

    fn validate(&self, mode: Mode, problems: &mut Vec<Problem>) {
        let url = self.url.expose_secret();
        if !["sqlite:", "postgres://", "postgresql://"]
            .iter()
            .any(|scheme| url.starts_with(scheme))
        {
            problems.push(Problem::new(
                "database.url",
                "beginnt weder mit sqlite:// noch mit postgres://.",
                "starts neither with sqlite:// nor with postgres://.",
            ));
        }
        if mode == Mode::Production && self.is_sqlite() && url.contains("memory") {
            problems.push(Problem::new(
                "database.url",
                "Eine Datenbank im Arbeitsspeicher verliert im Produktivbetrieb alles. Nennen Sie eine Datei (sqlite:///var/lib/pruefpfad/pruefpfad.sqlite) oder postgres://….",
                "A database in memory loses everything in production. Name a file (sqlite:///var/lib/pruefpfad/pruefpfad.sqlite) or postgres://….",
            ));
        }
        at_least_one(
            "database.max_connections",
            u64::from(self.max_connections),
            problems,
        );
        at_least_one("database.acquire_timeout_ms", self.acquire_timeout_ms, problems);
    }
}

fn at_least_one(key: &str, value: u64, problems: &mut Vec<Problem>) {
    if value == 0 {
        problems.push(Problem::new(
            key,
            "muss mindestens 1 sein.",
            "must be at least 1.",
        ));
    }
}

/// Access tokens.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthSettings {
    /// The `iss` claim of accepted tokens.
    pub issuer: String,
    /// The `aud` claim of accepted tokens.
    pub audience: String,
    /// The `typ` header of accepted tokens.
    pub typ: String,
    /// Tolerated difference between the issuer's clock and ours.
    pub leeway_seconds: u32,
    /// Verified tokens kept.
    pub cached_tokens: usize,
    /// The claim that lists the caller's groups.
    pub groups_claim: String,
    /// Whether tokens signed with the development key are accepted.
    pub development_key: bool,
    /// Where the development key lies.
    pub development_key_file: PathBuf,
    /// Public keys of the issuer.
    #[serde(default)]
    pub keys: Vec<KeySettings>,
    /// Group of the identity provider to the text of a membership.
    #[serde(default)]
    pub groups: BTreeMap<String, String>,
    /// Identity providers whose keys are fetched.
    #[serde(default)]
    pub issuers: Vec<IssuerSettings>,
}

/// The issuer that only the development key has.
const DEVELOPMENT_ISSUER: &str = "pruefpfad-development";

impl AuthSettings {
    fn validate(&self, mode: Mode, problems: &mut Vec<Problem>) {
        for (key, value) in [
            ("auth.issuer", &self.issuer),
            ("auth.audience", &self.audience),
            ("auth.typ", &self.typ),
            ("auth.groups_claim", &self.groups_claim),
        ] {
            if value.trim().is_empty() {
                problems.push(Problem::new(key, "darf nicht leer sein.", "must not be empty."));
            }
        }
        if self.leeway_seconds > 300 {
            problems.push(Problem::new(
                "auth.leeway_seconds",
                "höchstens 300.",
                "at most 300.",
            ));
        }
        at_least_one("auth.cached_tokens", self.cached_tokens as u64, problems);
        self.validate_keys(problems);
        validate_groups("auth.groups", &self.groups, problems);
        let mut issuers = BTreeSet::from([self.issuer.as_str()]);
        let mut prefixes = BTreeSet::new();
        if !self.keys.is_empty() {
            prefixes.insert("");
        }
        for issuer in &self.issuers {
            if !issuers.insert(&issuer.issuer) {
                problems.push(Problem::new(
                    "auth.issuers",
                    format!("{:?} steht doppelt da oder schon in auth.issuer.", issuer.issuer),
                    format!(
                        "{:?} stands there twice, or in auth.issuer already.",
                        issuer.issuer
                    ),
                ));
            }
            if !prefixes.insert(&issuer.subject_prefix) {
                problems.push(Problem::new(
                    "auth.issuers",
                    format!("{:?}: mehrere Anmeldedienste brauchen je ein eigenes subject_prefix, z. B. \"stadt:\", sonst könnten zwei Menschen für einen gelten.", issuer.issuer),
                    format!("{:?}: several identity providers need a subject_prefix each, such as \"stadt:\"; else two people could pass for one.", issuer.issuer),
                ));
            }
            issuer.validate(problems);
        }
        if mode == Mode::Production {
            self.validate_production(problems);
        }
    }

    fn validate_keys(&self, problems: &mut Vec<Problem>) {
        let mut kids = BTreeSet::new();
        for key in &self.keys {
            if key.kid.is_empty() || key.kid == crate::auth::DEVELOPMENT_KID || !kids.insert(&key.kid) {
                problems.push(Problem::new(
                    "auth.keys",
                    format!(
                        "kid {:?} ist leer, doppelt oder dem Entwicklungsschlüssel vorbehalten.",
                        key.kid
                    ),
                    format!(
                        "kid {:?} is empty, doubled or reserved for the development key.",
                        key.kid
                    ),
                ));
            }
            if key.public_key_file.is_some() == key.public_key_pem.is_some() {
                problems.push(Problem::new(
                    "auth.keys",
                    format!(
                        "kid {:?} braucht genau eines von public_key_file und public_key_pem.",
                        key.kid
                    ),
                    format!(
                        "kid {:?} needs exactly one of public_key_file and public_key_pem.",
                        key.kid
                    ),
                ));
            }
        }
    }

    fn validate_production(&self, problems: &mut Vec<Problem>) {
        if self.development_key {
            problems.push(Problem::new(
                "auth.development_key",
                "ist im Produktivbetrieb gesperrt: wer die Datei hat, hat jede Rolle. Setzen Sie den Wert auf false und tragen Sie Ihren Anmeldedienst in auth.issuers ein.",
                "is refused in production: whoever has the file has every role. Set it to false and enter your identity provider in auth.issuers.",
            ));
        }
        let nobody = self.keys.is_empty() && self.issuers.is_empty();
        if nobody {
            problems.push(Problem::new(
                "auth.issuers",
                "Ohne Anmeldedienst kann sich niemand anmelden. Tragen Sie { issuer, groups } Ihres Anmeldedienstes ein, oder seine Schlüssel in auth.keys.",
                "Without an identity provider nobody can sign in. Enter { issuer, groups } of yours, or its keys in auth.keys.",
            ));
        }
        if !self.keys.is_empty() && self.issuer == DEVELOPMENT_ISSUER {
            problems.push(Problem::new(
                "auth.issuer",
                "Tragen Sie den Aussteller (iss) Ihres Anmeldedienstes ein.",
                "Enter the issuer (iss) of your identity provider.",
            ));
        }
    }
}

fn validate_groups(key: &str, groups: &BTreeMap<String, String>, problems: &mut Vec<Problem>) {
    for (group, error) in GroupMap::new(groups).err().into_iter().flatten() {
        let text = &groups[&group];
        problems.push(Problem::new(
            key,
            format!("Gruppe {group:?}: {text:?} ist keine Mitgliedschaft dazu. Schreiben Sie z. B. INNENREVISION oder SACHBEARBEITUNG:03, oder auf beiden Seiten einmal {{number}}: \"stelle-{{number}}\" = \"SACHBEARBEITUNG:{{number}}\"."),
            format!("group {group:?}: {text:?}: {error}."),
        ));
    }
}

/// An identity provider: found by OpenID Connect Discovery, its keys fetched and kept fresh.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerSettings {
    /// The `iss` claim of its tokens, spelled as in its discovery document.
    pub issuer: String,
    /// Address of the discovery document; without it `issuer` followed by `/.well-known/openid-configuration`.
    #[serde(default)]
    pub discovery: Option<String>,
    /// The `aud` claim of its tokens; without it `auth.audience`.
    #[serde(default)]
    pub audience: Option<String>,
    /// The `typ` header of its tokens; without it `auth.typ`.
    #[serde(default)]
    pub typ: Option<String>,
    /// Goes in front of its subjects, so that two providers never name one person: `stadt:`.
    #[serde(default)]
    pub subject_prefix: String,
    /// The algorithms its keys may have.
    #[serde(default = "KeyAlgorithm::all")]
    pub algorithms: Vec<KeyAlgorithm>,
    /// The claim that lists the caller's groups, or the path to it; without it `auth.groups_claim`.
    #[serde(default)]
    pub groups_claim: Option<String>,
    /// Group to the text of a membership; `{number}` on both sides stands for the number of a Bezirksstelle.
    #[serde(default)]
    pub groups: BTreeMap<String, String>,
    /// How often its keys are fetched.
    #[serde(default = "seconds::<300>")]
    pub refresh_seconds: u32,
    /// Shortest time between two fetches for unknown keys, and after a failure.
    #[serde(default = "seconds::<30>")]
    pub cooldown_seconds: u32,
    /// How long the keys fetched last hold while it does not answer.
    #[serde(default = "seconds::<86_400>")]
    pub maximum_age_seconds: u32,
}

const fn seconds<const N: u32>() -> u32 {
    N
}

impl IssuerSettings {
    /// Where the discovery document lies (OpenID Connect Discovery 1.0, section 4).
    pub fn discovery_address(&self) -> String {
        self.discovery.clone().unwrap_or_else(|| {
            format!(
                "{}/.well-known/openid-configuration",
                self.issuer.trim_end_matches('/')
            )
        })
    }

    fn validate(&self, problems: &mut Vec<Problem>) {
        let key = "auth.issuers";
        let issuer = &self.issuer;
        let address = self.discovery_address();
        if !is_safe_address(&address) {
            problems.push(Problem::new(
                key,
                format!("{address:?} ist keine Adresse mit https:// (http:// nur auf diesem Rechner)."),
                format!("{address:?} is no address with https:// (http:// on this machine only)."),
            ));
        }
        for (name, value) in [
            ("audience", &self.audience),
            ("typ", &self.typ),
            ("groups_claim", &self.groups_claim),
        ] {
            if value.as_ref().is_some_and(|value| value.trim().is_empty()) {
                problems.push(Problem::new(
                    key,
                    format!("{issuer:?}: {name} darf nicht leer sein."),
                    format!("{issuer:?}: {name} must not be empty."),
                ));
            }
        }
        if self.algorithms.is_empty() {
            problems.push(Problem::new(
                key,
                format!("{issuer:?}: algorithms darf nicht leer sein."),
                format!("{issuer:?}: algorithms must not be empty."),
            ));
        }
        let (cooldown, refresh, oldest) = (
            self.cooldown_seconds,
            self.refresh_seconds,
            self.maximum_age_seconds,
        );
        if cooldown == 0 || cooldown > refresh || refresh >= oldest {
            problems.push(Problem::new(
                key,
                format!("{issuer:?}: es muss 1 ≤ cooldown_seconds ({cooldown}) ≤ refresh_seconds ({refresh}) < maximum_age_seconds ({oldest}) gelten."),
                format!("{issuer:?}: it has to be 1 ≤ cooldown_seconds ({cooldown}) ≤ refresh_seconds ({refresh}) < maximum_age_seconds ({oldest})."),
            ));
        }
        validate_groups(key, &self.groups, problems);
    }
}

/// One public key of the issuer. A key has one algorithm, so that no token can choose another.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeySettings {
    /// The `kid` header of tokens signed with it.
    pub kid: String,
    /// The only algorithm it verifies.
    pub algorithm: KeyAlgorithm,
    /// PEM file of the public key.
    #[serde(default)]
    pub public_key_file: Option<PathBuf>,
    /// The public key itself, as PEM.
    #[serde(default)]
    pub public_key_pem: Option<String>,
}

/// The algorithms the service verifies. Shared secrets (`HS…`) are none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum KeyAlgorithm {
    /// Ed25519.
    EdDSA,
    /// ECDSA on P-256 with SHA-256.
    ES256,
    /// RSA PKCS#1 v1.5 with SHA-256, from 2048 bits.
    RS256,
}

impl KeyAlgorithm {
    fn all() -> Vec<Self> {
        vec![Self::EdDSA, Self::ES256, Self::RS256]
    }

    /// The same in the library's words.
    pub const fn algorithm(self) -> jsonwebtoken::Algorithm {
        match self {
            Self::EdDSA => jsonwebtoken::Algorithm::EdDSA,
            Self::ES256 => jsonwebtoken::Algorithm::ES256,
            Self::RS256 => jsonwebtoken::Algorithm::RS256,
        }
    }
}

fn validate_limits(limits: &Limits, problems: &mut Vec<Problem>) {
    for (key, value) in [
        ("limits.depth", limits.depth as u64),
        ("limits.cost", limits.cost),
        ("limits.tokens", limits.tokens as u64),
        ("limits.selections", limits.selections as u64),
        ("limits.body_bytes", limits.body_bytes as u64),
        ("limits.timeout_ms", limits.timeout_ms),
        ("limits.page_default", limits.page_default),
        ("limits.list_size", limits.list_size),
    ] {
        at_least_one(key, value, problems);
    }
    if limits.page_default > limits.page_max {
        problems.push(Problem::new(
            "limits.page_default",
            format!("ist größer als limits.page_max ({}).", limits.page_max),
            format!("is greater than limits.page_max ({}).", limits.page_max),
        ));
    }
    if limits.page_max > 1000 {
        problems.push(Problem::new(
            "limits.page_max",
            "höchstens 1000.",
            "at most 1000.",
        ));
    }
    if limits.batch != 1 {
        problems.push(Problem::new(
            "limits.batch",
            "muss 1 sein: mehrere Operationen in einer Anfrage werden nicht angenommen.",
            "must be 1: several operations in one request are not accepted.",
        ));
    }
}

/// Bounds of one caller.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateSettings {
    /// Requests a minute; 0 for no limit.
    pub per_minute: u32,
    /// Requests at once.
    pub burst: u32,
}

impl RateSettings {
    fn validate(&self, problems: &mut Vec<Problem>) {
        at_least_one("rate.burst", u64::from(self.burst), problems);
    }
}

/// The explorer in the browser.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExplorerSettings {
    /// Whether it is served.
    pub enabled: bool,
    /// Where its built files lie.
    pub directory: PathBuf,
}

/// Logs, traces, metrics.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TelemetrySettings {
    /// How a log line looks.
    pub log_format: LogFormat,
    /// Filter of log lines and spans.
    pub log_level: String,
    /// Collector of traces (OTLP over HTTP), such as `http://127.0.0.1:4318`; none without it.
    #[serde(default)]
    pub otlp_endpoint: Option<String>,
    /// Name of the service in traces and metrics.
    pub service_name: String,
}

impl TelemetrySettings {
    fn validate(&self, problems: &mut Vec<Problem>) {
        if let Err(error) = tracing_subscriber::EnvFilter::try_new(&self.log_level) {
            problems.push(Problem::new(
                "telemetry.log_level",
                format!(
                    "{:?} ist kein Filter: {error}. Schreiben Sie z. B. info oder info,api=debug.",
                    self.log_level
                ),
                format!(
                    "{:?} is no filter: {error}. Write such as info or info,api=debug.",
                    self.log_level
                ),
            ));
        }
        if self
            .otlp_endpoint
            .as_deref()
            .is_some_and(|endpoint| !is_http(endpoint))
        {
            problems.push(Problem::new(
                "telemetry.otlp_endpoint",
                "beginnt nicht mit http:// oder https://. Schreiben Sie z. B. http://127.0.0.1:4318.",
                "does not start with http:// or https://. Write such as http://127.0.0.1:4318.",
            ));
        }
    }
}

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// Words of this Jobcenter.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobcenterSettings {
    /// The Jobcenter whose words and places are taken.
    pub preset: JobcenterPreset,
    /// What one Bezirksstelle is called here.
    #[serde(default)]
    pub label: Option<String>,
    /// What several are called.
    #[serde(default)]
    pub label_plural: Option<String>,
}

/// Jobcenters whose words and places are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JobcenterPreset {
    /// Kreis Recklinghausen: ten Bezirksstellen.
    Recklinghausen,
    /// Ennepe-Ruhr-Kreis: Regionalstellen.
    EnnepeRuhr,
    /// A cooperative Jobcenter of a municipality and the Agentur für Arbeit: Standorte.
    Kooperativ,
}

impl JobcenterPreset {
    /// Its text in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Recklinghausen => "recklinghausen",
            Self::EnnepeRuhr => "ennepe-ruhr",
            Self::Kooperativ => "kooperativ",
        }
    }
}

impl JobcenterSettings {
    /// What one Bezirksstelle is called here.
    pub fn label(&self) -> &str {
        self.label.as_deref().unwrap_or(match self.preset {
            JobcenterPreset::Recklinghausen => "Bezirksstelle",
            JobcenterPreset::EnnepeRuhr => "Regionalstelle",
            JobcenterPreset::Kooperativ => "Standort",
        })
    }

    /// What several are called.
    pub fn label_plural(&self) -> &str {
        self.label_plural.as_deref().unwrap_or(match self.preset {
            JobcenterPreset::Recklinghausen => "Bezirksstellen",
            JobcenterPreset::EnnepeRuhr => "Regionalstellen",
            JobcenterPreset::Kooperativ => "Standorte",
        })
    }

    fn validate(&self, problems: &mut Vec<Problem>) {
        if self.label.is_some() != self.label_plural.is_some() {
            problems.push(Problem::new(
                "jobcenter.label",
                "label und label_plural gehören zusammen.",
                "label and label_plural belong together.",
            ));
        }
    }
}

/// The log over the trail.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogSettings {
    /// Name of the log in its checkpoints.
    pub origin: String,
    /// Verifier keys of earlier signing keys.
    pub verifier_keys: Vec<String>,
    /// Witnesses that are asked to cosign each checkpoint.
    pub witnesses: Vec<WitnessSettings>,
    /// How many of them must have cosigned a checkpoint for it to be called proved; 0: none is called so.
    pub quorum: usize,
}

/// A witness of the log (C2SP `tlog-witness`).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WitnessSettings {
    /// Its address, to which `/add-checkpoint` is added.
    pub url: String,
    /// Its verifier key, got from whoever runs it.
    pub key: String,
}

impl LogSettings {
    /// The earlier keys; a text that is none was refused before the service starts.
    pub fn earlier_keys(&self) -> Vec<VerifierKey> {
        self.verifier_keys
            .iter()
            .filter_map(|text| text.parse().ok())
            .collect()
    }

    /// Address and key of each witness; a text that is no key was refused before the service starts.
    pub fn witness_keys(&self) -> Vec<(&str, WitnessKey)> {
        self.witnesses
            .iter()
            .filter_map(|witness| Some((witness.url.as_str(), witness.key.parse().ok()?)))
            .collect()
    }

    fn validate_witnesses(&self, problems: &mut Vec<Problem>) {
        let key = "log.witnesses";
        let mut names = BTreeSet::new();
        for WitnessSettings { url, key: text } in &self.witnesses {
            if !is_safe_address(url) {
                problems.push(Problem::new(
                    key,
                    format!("{url:?} ist keine Adresse mit https:// (http:// nur auf diesem Rechner)."),
                    format!("{url:?} is no address with https:// (http:// on this machine only)."),
                ));
            }
            match text.parse::<WitnessKey>() {
                Ok(witness) if names.insert(witness.name().to_owned()) => {}
                Ok(witness) => problems.push(Problem::new(
                    key,
                    format!("{} steht zweimal da: Ein Zeuge zählt einmal.", witness.name()),
                    format!("{} is there twice: a witness counts once.", witness.name()),
                )),
                Err(error) => problems.push(Problem::new(
                    key,
                    format!("{text} ist kein Prüfschlüssel eines Zeugen ({error}). `pruefpfad witness` gibt ihn beim Start aus."),
                    format!("{text} is no verifier key of a witness ({error}). `pruefpfad witness` prints it when it starts."),
                )),
            }
        }
        if self.quorum > self.witnesses.len() {
            problems.push(Problem::new(
                "log.quorum",
                format!("ist größer als die Zahl der Zeugen ({}).", self.witnesses.len()),
                format!(
                    "is greater than the number of witnesses ({}).",
                    self.witnesses.len()
                ),
            ));
        }
    }

    fn validate(&self, mode: Mode, problems: &mut Vec<Problem>) {
        self.validate_witnesses(problems);
        let origin = &self.origin;
        if !is_name(origin) || origin.contains("://") {
            problems.push(Problem::new(
                "log.origin",
                "ist kein Name: ohne https://, Leerzeichen und Pluszeichen, z. B. pruefpfad.kreis.example/log.",
                "is no name: without https://, spaces and plus signs, such as pruefpfad.kreis.example/log.",
            ));
        } else if mode == Mode::Production
            && origin
                .split('/')
                .next()
                .is_some_and(|host| host.ends_with(".invalid"))
        {
            problems.push(Problem::new(
                "log.origin",
                "ist der Name der Entwicklung. Nennen Sie die öffentliche Adresse des Dienstes ohne https://, gefolgt von /log; der Name bleibt für immer.",
                "is the name of development. Name the service's public address without https://, followed by /log; the name stays for good.",
            ));
        }
        for text in &self.verifier_keys {
            match text.parse::<VerifierKey>() {
                Ok(key) if key.name() == origin => {}
                Ok(_) => problems.push(Problem::new(
                    "log.verifier_keys",
                    format!(
                        "{text} gehört nicht zum Log {origin}: Ein neuer Schlüssel ändert den Namen nicht."
                    ),
                    format!(
                        "{text} does not belong to the log {origin}: a new key does not change the name."
                    ),
                )),
                Err(error) => problems.push(Problem::new(
                    "log.verifier_keys",
                    format!(
                        "{text} ist kein Prüfschlüssel ({error}). `pruefpfad log-key show` gibt ihn aus."
                    ),
                    format!("{text} is no verifier key ({error}). `pruefpfad log-key show` prints it."),
                )),
            }
        }
    }
}

/// Keys of stored secrets.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretsSettings {
    /// 32 bytes in hexadecimal: encrypts case numbers and the keys of engagements. Holds what `case_key_file` says where that is set.
    #[serde(default)]
    pub case_key: Option<SecretString>,
    /// File whose only line is the key; goes before `case_key`.
    #[serde(default)]
    pub case_key_file: Option<PathBuf>,
    /// 32 bytes in hexadecimal: signs the checkpoints of the log. Holds what `log_key_file` says where that is set.
    #[serde(default)]
    pub log_key: Option<SecretString>,
    /// File whose only line is the key; goes before `log_key`.
    #[serde(default)]
    pub log_key_file: Option<PathBuf>,
    /// 32 bytes in hexadecimal: signs the tokens of grants. Holds what `grant_key_file` says where that is set.
    #[serde(default)]
    pub grant_key: Option<SecretString>,
    /// File whose only line is the key; goes before `grant_key`.
    #[serde(default)]
    pub grant_key_file: Option<PathBuf>,
}

impl SecretsSettings {
    /// The configured key of case numbers.
    pub fn case_key(&self) -> Option<[u8; 32]> {
        key_of(self.case_key.as_ref())
    }

    /// The configured key of case numbers, or on a desk the one in `file`, made on first use.
    pub fn case_key_or_create(&self, file: &Path) -> std::io::Result<[u8; 32]> {
        self.case_key().map_or_else(|| key_or_create(file), Ok)
    }

    /// The configured signing key of the log.
    pub fn log_key(&self) -> Option<[u8; 32]> {
        key_of(self.log_key.as_ref())
    }

    /// The configured signing key of the log, or on a desk the one in `file`, made on first use.
    pub fn log_key_or_create(&self, file: &Path) -> std::io::Result<[u8; 32]> {
        self.log_key().map_or_else(|| key_or_create(file), Ok)
    }

    /// The configured signing key of grants' tokens.
    pub fn grant_key(&self) -> Option<[u8; 32]> {
        key_of(self.grant_key.as_ref())
    }

    /// The configured signing key of grants' tokens, or on a desk the one in `file`, made on first use.
    pub fn grant_key_or_create(&self, file: &Path) -> std::io::Result<[u8; 32]> {
        self.grant_key().map_or_else(|| key_or_create(file), Ok)
    }

    fn validate(&self, mode: Mode, problems: &mut Vec<Problem>) {
        for (name, text, key) in [
            ("secrets.case_key", &self.case_key, self.case_key()),
            ("secrets.log_key", &self.log_key, self.log_key()),
            ("secrets.grant_key", &self.grant_key, self.grant_key()),
        ] {
            if text.is_some() && key.is_none() {
                problems.push(Problem::new(
                    name,
                    "sind nicht 32 Byte hexadezimal. Erzeugen Sie den Schlüssel mit: openssl rand -hex 32",
                    "is not 32 bytes in hexadecimal. Make the key with: openssl rand -hex 32",
                ));
            }
        }
        if mode == Mode::Production && self.case_key.is_none() {
            problems.push(Problem::new(
                "secrets.case_key_file",
                "fehlt: ohne ihn können Fallnummern nicht verschlüsselt werden. Erzeugen Sie ihn mit `openssl rand -hex 32 > case.key && chmod 600 case.key`, nennen Sie die Datei hier und sichern Sie sie getrennt von der Datenbank.",
                "is missing: case numbers cannot be encrypted without it. Make it with `openssl rand -hex 32 > case.key && chmod 600 case.key`, name the file here and back it up apart from the database.",
            ));
        }
        if mode == Mode::Production && self.log_key.is_none() {
            problems.push(Problem::new(
                "secrets.log_key_file",
                "fehlt: ohne ihn kann das Log des Prüfpfads nicht unterschrieben werden. Erzeugen Sie ihn mit `pruefpfad log-key new log.key` und nennen Sie die Datei hier.",
                "is missing: the log over the trail cannot be signed without it. Make it with `pruefpfad log-key new log.key` and name the file here.",
            ));
        }
        if mode == Mode::Production && self.grant_key.is_none() {
            problems.push(Problem::new(
                "secrets.grant_key_file",
                "fehlt: ohne ihn können Zugänge für externe Prüfer nicht eingelöst werden. Erzeugen Sie ihn mit `openssl rand -hex 32 > grant.key && chmod 600 grant.key` und nennen Sie die Datei hier.",
                "is missing: grants to auditors from outside cannot be redeemed without it. Make it with `openssl rand -hex 32 > grant.key && chmod 600 grant.key` and name the file here.",
            ));
        }
    }
}

fn key_of(text: Option<&SecretString>) -> Option<[u8; 32]> {
    let mut key = [0; 32];
    hex::decode_to_slice(text?.expose_secret().trim(), &mut key).ok()?;
    Some(key)
}

/// The key in a private file, made on first use.
pub fn key_or_create(file: &Path) -> std::io::Result<[u8; 32]> {
    let text = read_or_create(file, || {
        let mut fresh = [0; 32];
        aws_lc_rs::rand::fill(&mut fresh)
            .map_err(|_| std::io::Error::other("no random bytes from the operating system"))?;
        Ok(hex::encode(fresh))
    })?;
    let mut key = [0; 32];
    hex::decode_to_slice(text.trim(), &mut key).map_err(|_| {
        std::io::Error::other(format!(
            "{} does not hold 32 bytes in hexadecimal",
            file.display()
        ))
    })?;
    Ok(key)
}

/// Free days of this Jobcenter.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalendarSettings {
    /// The Land whose holidays hold.
    pub land: Land,
    /// Holidays of some communes of the Land that hold here too.
    pub communal_holidays: Vec<String>,
    /// Single days on which the office is closed.
    pub closed_dates: Vec<String>,
    /// Days of every year on which the office is closed: `12-24`.
    pub closed_yearly: Vec<String>,
}

impl CalendarSettings {
    /// The calendar; a text that is no day was refused before the service starts.
    pub fn calendar(&self) -> Calendar {
        Calendar::of(self.land)
            .with_communal(self.communal_holidays.iter().cloned())
            .with_closed(
                self.closed_dates.iter().filter_map(|text| text.parse().ok()),
                self.closed_yearly.iter().filter_map(|text| yearly(text)),
            )
    }

    fn validate(&self, problems: &mut Vec<Problem>) {
        for code in &self.communal_holidays {
            if !is_communal(self.land, code) {
                problems.push(Problem::new(
                    "calendar.communal_holidays",
                    format!("{code:?} ist in diesem Land kein Feiertag einzelner Gemeinden (z. B. MARIAE_HIMMELFAHRT in BY)."),
                    format!("{code:?} is no holiday of single communes in this Land (such as MARIAE_HIMMELFAHRT in BY)."),
                ));
            }
        }
        for text in &self.closed_dates {
            if text.parse::<chrono::NaiveDate>().is_err() {
                problems.push(Problem::new(
                    "calendar.closed_dates",
                    format!("{text:?} ist kein Tag. Schreiben Sie z. B. 2026-05-15."),
                    format!("{text:?} is no day. Write such as 2026-05-15."),
                ));
            }
        }
        for text in &self.closed_yearly {
            if yearly(text).is_none() {
                problems.push(Problem::new(
                    "calendar.closed_yearly",
                    format!("{text:?} ist kein Tag eines Jahres. Schreiben Sie Monat und Tag, z. B. 12-24."),
                    format!("{text:?} is no day of a year. Write month and day, such as 12-24."),
                ));
            }
        }
    }
}

/// Month and day: `12-24`.
fn yearly(text: &str) -> Option<Yearly> {
    let (month, day) = text.split_once('-')?;
    Yearly::new(month.parse().ok()?, day.parse().ok()?)
}

/// Bounds of imported files.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportSettings {
    /// Longest record of a file.
    pub record_limit_bytes: usize,
    /// Largest file.
    pub file_limit_bytes: u64,
    /// Rejected lines that are listed.
    pub rejections_kept: usize,
}

impl ImportSettings {
    fn validate(&self, problems: &mut Vec<Problem>) {
        at_least_one(
            "import.record_limit_bytes",
            self.record_limit_bytes as u64,
            problems,
        );
        at_least_one("import.file_limit_bytes", self.file_limit_bytes, problems);
        at_least_one("import.rejections_kept", self.rejections_kept as u64, problems);
    }
}
