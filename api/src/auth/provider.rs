//! The keys of an identity provider: found by OpenID Connect Discovery 1.0, fetched as a JWK set (RFC 7517), kept fresh.
//!
//! One task for each provider fetches; requests only look up. A key nobody knows may have the task fetch at once, but not
//! more often than the cooldown says, however many such tokens come. While the provider does not answer, the keys fetched
//! last go on holding until they are as old as the configuration allows; then its tokens are refused until it answers.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::{Client, Url, redirect};
use serde_json::Value;
use tokio::sync::{Notify, Semaphore, watch};

use super::keys::{PublicKey, TrustedKey};
use super::{Now, TokenError};
use crate::config::{IssuerSettings, KeyAlgorithm};
use crate::language::Language;

/// Time for one document of the provider.
const PATIENCE: Duration = Duration::from_secs(5);

/// Largest document of the provider.
const MAX_BYTES: usize = 256 * 1024;

/// Whether an address may be asked: over TLS, or on this machine.
pub fn is_safe_address(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else { return false };
    let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    plain
        && url.host_str().is_some()
        && (url.scheme() == "https" || (url.scheme() == "http" && is_local(&url)))
}

/// Whether an address is one of this machine.
pub(crate) fn is_local(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || address
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// Why the keys could not be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FetchError {
    /// The discovery document is that of another issuer.
    OtherIssuer(String),
    /// The keys lie at an address that is neither `https` nor on this machine.
    UnsafeAddress(String),
    /// No answer, or half of one.
    Unreachable(String, String),
    /// Another answer than 200; redirects are not followed.
    Status(String, u16),
    /// More than the largest document.
    TooLarge(String),
    /// Not the JSON it should be.
    Unreadable(String),
    /// No key that can be used.
    NoKeys(String),
}

impl FetchError {
    /// Whether no waiting helps: somebody has to change the configuration, here or there.
    pub const fn is_misconfigured(&self) -> bool {
        matches!(self, Self::OtherIssuer(_) | Self::UnsafeAddress(_))
    }

    /// The same for people.
    pub fn text(&self, language: Language) -> String {
        match (self, language) {
            (Self::OtherIssuer(found), Language::De) => format!(
                "das Discovery-Dokument nennt den Aussteller {found:?}; tragen Sie genau diesen Text als issuer ein oder berichtigen Sie discovery"
            ),
            (Self::OtherIssuer(found), Language::En) => format!(
                "the discovery document names the issuer {found:?}; enter exactly that text as issuer, or correct discovery"
            ),
            (Self::UnsafeAddress(address), Language::De) => {
                format!("jwks_uri {address:?} ist keine Adresse mit https://")
            }
            (Self::UnsafeAddress(address), Language::En) => {
                format!("jwks_uri {address:?} is no address with https://")
            }
            (Self::Unreachable(address, reason), Language::De) => {
                format!("{address} ist nicht erreichbar: {reason}")
            }
            (Self::Unreachable(address, reason), Language::En) => {
                format!("{address} is not reachable: {reason}")
            }
            (Self::Status(address, status), Language::De) => {
                format!("{address} antwortet {status} statt 200 (Weiterleitungen wird nicht gefolgt)")
            }
            (Self::Status(address, status), Language::En) => {
                format!("{address} answers {status} instead of 200 (redirects are not followed)")
            }
            (Self::TooLarge(address), Language::De) => format!("{address} ist größer als {MAX_BYTES} Byte"),
            (Self::TooLarge(address), Language::En) => format!("{address} has more than {MAX_BYTES} bytes"),
            (Self::Unreadable(address), Language::De) => {
                format!("{address} ist nicht das erwartete JSON-Dokument")
            }
            (Self::Unreadable(address), Language::En) => {
                format!("{address} is not the expected JSON document")
            }
            (Self::NoKeys(address), Language::De) => {
                format!("{address} enthält keinen Signaturschlüssel mit kid für ein erlaubtes Verfahren")
            }
            (Self::NoKeys(address), Language::En) => {
                format!("{address} holds no signing key with a kid for an allowed algorithm")
            }
        }
    }
}

impl std::fmt::Display for FetchError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.text(Language::En))
    }
}

impl std::error::Error for FetchError {}

/// Requests that wait for keys at one time.
const WAITING: usize = 64;

/// Keys as they were at one time.
struct KeySet {
    fetched: DateTime<Utc>,
    // With the text each was read from: a key that has not changed stays the same object.
    keys: HashMap<String, (Value, Arc<TrustedKey>)>,
}

/// What keeps tokens with unknown keys from flooding the provider.
#[derive(Default)]
struct Misses {
    last: Option<Instant>,
    pending: bool,
}

/// What a provider did so far, and how old its keys are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderReport {
    /// Its issuer.
    pub issuer: String,
    /// Seconds since the keys in use were fetched; none if they never were.
    pub age_seconds: Option<i64>,
    /// Whether its tokens can be verified now.
    pub usable: bool,
    /// Fetches that brought keys.
    pub fetched: u64,
    /// Fetches that brought none.
    pub failed: u64,
    /// Tokens refused because the keys were too old, or not there yet.
    pub refused: u64,
}

/// An identity provider and its keys.
pub struct Provider {
    issuer: String,
    audience: String,
    discovery: String,
    algorithms: Vec<KeyAlgorithm>,
    refresh: Duration,
    cooldown: Duration,
    maximum_age: TimeDelta,
    client: Client,
    now: Now,
    keys: RwLock<Option<Arc<KeySet>>>,
    waiting: Semaphore,
    misses: Mutex<Misses>,
    wake: Notify,
    ended: watch::Sender<u64>,
    fetched: AtomicU64,
    failed: AtomicU64,
    refused: AtomicU64,
}

impl Provider {
    /// A provider that was not asked yet.
    pub(super) fn new(settings: &IssuerSettings, audience: &str, now: Now) -> reqwest::Result<Self> {
        let discovery = settings.discovery_address();
        let mut client = Client::builder()
            .redirect(redirect::Policy::none())
            .connect_timeout(PATIENCE)
            .timeout(PATIENCE)
            .user_agent(concat!("pruefpfad/", env!("CARGO_PKG_VERSION")));
        if Url::parse(&discovery).is_ok_and(|url| is_local(&url)) {
            client = client.no_proxy();
        }
        Ok(Self {
            issuer: settings.issuer.clone(),
            audience: audience.to_owned(),
            discovery,
            algorithms: settings.algorithms.clone(),
            refresh: Duration::from_secs(u64::from(settings.refresh_seconds)),
            cooldown: Duration::from_secs(u64::from(settings.cooldown_seconds)),
            maximum_age: TimeDelta::seconds(i64::from(settings.maximum_age_seconds)),
            client: client.build()?,
            now,
            keys: RwLock::default(),
            misses: Mutex::default(),
            waiting: Semaphore::new(WAITING),
            wake: Notify::new(),
            ended: watch::Sender::default(),
            fetched: AtomicU64::default(),
            failed: AtomicU64::default(),
            refused: AtomicU64::default(),
        })
    }

    /// Its issuer.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    fn current(&self) -> Option<Arc<KeySet>> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The key of that name, if the keys are young enough to be believed.
    pub(super) fn key(&self, kid: &str) -> Result<Arc<TrustedKey>, TokenError> {
        match self.current() {
            Some(set) if self.holds(&set) => {
                let known = set.keys.get(kid).map(|(_, key)| Arc::clone(key));
                known.ok_or(TokenError::UnknownKey)
            }
            _ => Err(TokenError::KeysUnavailable),
        }
    }

    /// Counts a token that could not be verified for want of keys.
    pub(super) fn count_refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    fn holds(&self, set: &KeySet) -> bool {
        (self.now)() - set.fetched <= self.maximum_age
    }

    /// What it did so far.
    pub fn report(&self) -> ProviderReport {
        let set = self.current();
        ProviderReport {
            issuer: self.issuer.clone(),
            age_seconds: set.as_ref().map(|set| ((self.now)() - set.fetched).num_seconds()),
            usable: set.is_some_and(|set| self.holds(&set)),
            fetched: self.fetched.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
        }
    }

    /// Has the keys fetched for a token whose key is not known, and waits for the end of it. Whether it is worth looking
    /// again: not while the last such fetch is too young.
    pub(super) async fn ask_for_unknown_key(&self) -> bool {
        // Whoever comes when many wait already is told at once.
        let Ok(_waiting) = self.waiting.try_acquire() else {
            return false;
        };
        let mut ended = self.ended.subscribe();
        {
            let mut misses = self.misses.lock().unwrap_or_else(PoisonError::into_inner);
            if !misses.pending {
                if misses.last.is_some_and(|last| last.elapsed() < self.cooldown) {
                    return false;
                }
                misses.last = Some(Instant::now());
                misses.pending = true;
                self.wake.notify_one();
            }
        }
        matches!(tokio::time::timeout(PATIENCE, ended.changed()).await, Ok(Ok(())))
    }

    /// Fetches for as long as it runs: at the usual pace, sooner after a failure, at once for an unknown key.
    pub async fn keep_fresh(self: Arc<Self>, mut last: Result<(), FetchError>) {
        loop {
            let rest = if last.is_ok() { self.refresh } else { self.cooldown };
            tokio::select! {
                () = tokio::time::sleep(rest) => {}
                () = self.wake.notified() => {}
            }
            last = self.refresh().await;
        }
    }

    /// Fetches the keys once; after a failure those fetched before stay, unless the provider answers that there are none.
    pub async fn refresh(&self) -> Result<(), FetchError> {
        self.misses.lock().unwrap_or_else(PoisonError::into_inner).pending = true;
        let begun = (self.now)();
        let outcome = self.fetch().await;
        match &outcome {
            Ok(keys) => self.take(begun, keys),
            Err(error) => {
                if matches!(error, FetchError::NoKeys(_)) {
                    // The provider was reached and has withdrawn them all.
                    *self.keys.write().unwrap_or_else(PoisonError::into_inner) = None;
                }
                self.complain(error);
            }
        }
        self.misses.lock().unwrap_or_else(PoisonError::into_inner).pending = false;
        self.ended.send_modify(|count| *count += 1);
        outcome.map(drop)
    }

    fn take(&self, begun: DateTime<Utc>, found: &[(String, Value)]) {
        let before = self.current();
        let mut keys = HashMap::new();
        for (kid, jwk) in found {
            let same = before
                .as_ref()
                .and_then(|set| set.keys.get(kid))
                .filter(|(text, _)| text == jwk);
            let key = match same {
                Some((_, key)) => Arc::clone(key),
                None => match PublicKey::read(jwk) {
                    Some(key) => Arc::new(TrustedKey::new(
                        &self.issuer,
                        &self.audience,
                        key.algorithm,
                        key.decoding,
                    )),
                    None => continue,
                },
            };
            keys.insert(kid.clone(), (jwk.clone(), key));
        }
        let changed = before.as_ref().is_none_or(|set| {
            set.keys.len() != keys.len() || set.keys.keys().any(|kid| !keys.contains_key(kid))
        });
        if changed || !before.as_ref().is_some_and(|set| self.holds(set)) {
            let mut kids: Vec<_> = keys.keys().collect();
            kids.sort();
            tracing::info!(issuer = %self.issuer, ?kids, "keys of the issuer fetched");
        }
        self.fetched.fetch_add(1, Ordering::Relaxed);
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) =
            Some(Arc::new(KeySet { fetched: begun, keys }));
    }

    fn complain(&self, error: &FetchError) {
        self.failed.fetch_add(1, Ordering::Relaxed);
        let report = self.report();
        if report.usable {
            tracing::warn!(issuer = %self.issuer, %error, keys_age_seconds = report.age_seconds, "keys of the issuer not fetched; those known go on holding");
        } else {
            tracing::error!(issuer = %self.issuer, %error, keys_age_seconds = report.age_seconds, "keys of the issuer not fetched; its tokens are refused until it answers");
        }
    }

    /// The keys of the provider that can be used, as JSON Web Keys by `kid`.
    async fn fetch(&self) -> Result<Vec<(String, Value)>, FetchError> {
        let document = self.get(&self.discovery).await?;
        let text = |member: &str| document.get(member).and_then(Value::as_str);
        let (Some(issuer), Some(address)) = (text("issuer"), text("jwks_uri")) else {
            return Err(FetchError::Unreadable(self.discovery.clone()));
        };
        if issuer != self.issuer {
            return Err(FetchError::OtherIssuer(issuer.to_owned()));
        }
        if !is_safe_address(address) {
            return Err(FetchError::UnsafeAddress(address.to_owned()));
        }
        let set = self.get(address).await?;
        let Some(keys) = set.get("keys").and_then(Value::as_array) else {
            return Err(FetchError::Unreadable(address.to_owned()));
        };
        // What is not for us (encryption, other algorithms) is passed over, not an error.
        let usable: Vec<_> = keys
            .iter()
            .filter_map(|jwk| {
                let kid = jwk.get("kid")?.as_str().filter(|kid| !kid.is_empty())?;
                let algorithm = PublicKey::read(jwk)?.algorithm;
                let allowed = self
                    .algorithms
                    .iter()
                    .any(|allowed| allowed.algorithm() == algorithm);
                allowed.then(|| (kid.to_owned(), jwk.clone()))
            })
            .collect();
        if usable.is_empty() {
            return Err(FetchError::NoKeys(address.to_owned()));
        }
        Ok(usable)
    }

    async fn get(&self, address: &str) -> Result<Value, FetchError> {
        let broken =
            |error: reqwest::Error| FetchError::Unreachable(address.to_owned(), reason(&error.without_url()));
        let mut answer = self
            .client
            .get(address)
            .header("accept", "application/json")
            .send()
            .await
            .map_err(broken)?;
        if answer.status() != 200 {
            return Err(FetchError::Status(address.to_owned(), answer.status().as_u16()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(broken)? {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_BYTES {
                return Err(FetchError::TooLarge(address.to_owned()));
            }
        }
        serde_json::from_slice(&body).map_err(|_| FetchError::Unreadable(address.to_owned()))
    }
}

/// An error with all that led to it: the outermost alone says only that something went wrong.
fn reason(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicI64;

    use actix_web::{App, HttpResponse, HttpServer, web};
    use serde_json::json;

    use super::*;

    const KEY: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

    /// What the provider answers; changed while it runs.
    #[derive(Clone, Default)]
    struct Answers {
        discovery: Arc<Mutex<Option<Value>>>,
        keys: Arc<Mutex<Value>>,
    }

    impl Answers {
        async fn serve(&self) -> String {
            let answers = self.clone();
            let server = HttpServer::new(move || {
                let (of_discovery, of_keys) = (answers.clone(), answers.clone());
                App::new()
                    .route(
                        "/.well-known/openid-configuration",
                        web::get().to(move || {
                            let document = of_discovery.discovery.lock().unwrap().clone();
                            async move {
                                match document {
                                    Some(document) => HttpResponse::Ok().json(document),
                                    None => HttpResponse::Found()
                                        .insert_header(("location", "/elsewhere"))
                                        .finish(),
                                }
                            }
                        }),
                    )
                    .route(
                        "/keys",
                        web::get().to(move || {
                            let document = of_keys.keys.lock().unwrap().clone();
                            async move { HttpResponse::Ok().json(document) }
                        }),
                    )
                    .route(
                        "/elsewhere",
                        web::get().to(async || HttpResponse::Ok().json(json!({}))),
                    )
            })
            .workers(1)
            .bind("127.0.0.1:0")
            .unwrap();
            let address = format!("http://{}", server.addrs()[0]);
            actix_web::rt::spawn(server.run());
            address
        }

        fn says(&self, discovery: Value, keys: Value) {
            *self.discovery.lock().unwrap() = Some(discovery);
            *self.keys.lock().unwrap() = keys;
        }
    }

    fn provider(issuer: &str, clock: &Arc<AtomicI64>) -> Provider {
        let settings: IssuerSettings = serde_json::from_value(json!({"issuer": issuer})).unwrap();
        let hand = Arc::clone(clock);
        let now: Now = Arc::new(move || DateTime::from_timestamp(hand.load(Ordering::Relaxed), 0).unwrap());
        Provider::new(&settings, "pruefpfad", now).unwrap()
    }

    fn key(kid: &str) -> Value {
        json!({"kty": "OKP", "crv": "Ed25519", "x": KEY, "kid": kid, "use": "sig"})
    }

    #[actix_web::test]
    async fn whatever_is_not_right_brings_no_keys() {
        let answers = Answers::default();
        let issuer = answers.serve().await;
        let provider = provider(&issuer, &Arc::default());
        let good = json!({"issuer": issuer, "jwks_uri": format!("{issuer}/keys")});
        let (address, keys) = (
            format!("{issuer}/.well-known/openid-configuration"),
            format!("{issuer}/keys"),
        );
        assert_eq!(
            provider.refresh().await,
            Err(FetchError::Status(address.clone(), 302))
        );
        let with = |member: &str, value: Value| {
            let mut document = good.clone();
            document[member] = value;
            document
        };
        for (discovery, set, expected) in [
            (json!([]), json!({}), FetchError::Unreadable(address.clone())),
            (
                json!({"issuer": issuer}),
                json!({}),
                FetchError::Unreadable(address.clone()),
            ),
            (
                with("issuer", json!(format!("{issuer}/"))),
                json!({}),
                FetchError::OtherIssuer(format!("{issuer}/")),
            ),
            (
                with("jwks_uri", json!("http://keys.example/")),
                json!({}),
                FetchError::UnsafeAddress("http://keys.example/".to_owned()),
            ),
            (
                with("filler", json!("x".repeat(MAX_BYTES))),
                json!({}),
                FetchError::TooLarge(address.clone()),
            ),
            (
                good.clone(),
                json!({"keys": {}}),
                FetchError::Unreadable(keys.clone()),
            ),
            (
                good.clone(),
                json!({"keys": []}),
                FetchError::NoKeys(keys.clone()),
            ),
            (
                good.clone(),
                json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": KEY}, {"kty": "oct", "k": "AAAA", "kid": "s"}, 7]}),
                FetchError::NoKeys(keys.clone()),
            ),
        ] {
            answers.says(discovery, set);
            let outcome = provider.refresh().await;
            assert_eq!(outcome, Err(expected));
            assert_eq!(provider.key("a").err(), Some(TokenError::KeysUnavailable));
        }
        assert!(provider.report().failed > 8 && provider.report().age_seconds.is_none());
        answers.says(
            good,
            json!({"keys": [key("a"), {"kty": "unheard of", "kid": "u"}]}),
        );
        assert_eq!(provider.refresh().await, Ok(()));
        assert!(provider.key("a").is_ok());
        assert_eq!(provider.key("u").err(), Some(TokenError::UnknownKey));
    }

    #[actix_web::test]
    async fn keys_hold_until_they_are_withdrawn_or_too_old() {
        let answers = Answers::default();
        let issuer = answers.serve().await;
        let clock = Arc::new(AtomicI64::new(1_800_000_000));
        let provider = provider(&issuer, &clock);
        let good = json!({"issuer": issuer, "jwks_uri": format!("{issuer}/keys")});
        answers.says(good.clone(), json!({"keys": [key("a"), key("b")]}));
        provider.refresh().await.unwrap();
        let (a, b) = (provider.key("a").unwrap(), provider.key("b").unwrap());
        let mut other = key("b");
        other["use"] = Value::Null;
        other.as_object_mut().unwrap().remove("use");
        answers.says(good.clone(), json!({"keys": [key("a"), other]}));
        provider.refresh().await.unwrap();
        assert!(
            Arc::ptr_eq(&a, &provider.key("a").unwrap()),
            "the same key stays the same"
        );
        assert!(
            !Arc::ptr_eq(&b, &provider.key("b").unwrap()),
            "a changed one does not"
        );
        answers.says(good, json!({"keys": [key("a")]}));
        provider.refresh().await.unwrap();
        assert_eq!(provider.key("b").err(), Some(TokenError::UnknownKey));

        *answers.discovery.lock().unwrap() = None;
        for (later, usable) in [(86_400, true), (1, false)] {
            clock.fetch_add(later, Ordering::Relaxed);
            assert!(provider.refresh().await.is_err());
            assert_eq!(provider.key("a").is_ok(), usable);
            assert_eq!(provider.report().usable, usable);
        }
    }

    #[test]
    fn only_tls_and_this_machine_are_asked() {
        for (address, safe) in [
            ("https://idp.example/realms/vks", true),
            ("http://127.0.0.1:4711/", true),
            ("http://localhost/", true),
            ("http://[::1]:4711/", true),
            ("http://idp.example/", false),
            ("http://127.0.0.1.example/", false),
            ("http://localhost.example/", false),
            ("https://user@idp.example/", false),
            ("https://idp.example/#x", false),
            ("file:///etc/passwd", false),
            ("idp.example", false),
            ("", false),
        ] {
            assert_eq!(is_safe_address(address), safe, "{address}");
        }
    }
}
