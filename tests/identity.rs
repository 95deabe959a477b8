//! A real identity provider: its tokens, its keys as they change, its absence.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use api::auth::GroupMap;
use api::config::Layers;
use audit::access::Role;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::program::Program;
use tests::{Backend, Service, missing};
use tokio::process::{Child, Command};

/// How long a test waits for what is about to happen.
const PATIENCE: Duration = Duration::from_secs(30);

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("oidc")
}

/// A port nobody listens on.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// npm `oidc-provider`, on a port that stays the same over restarts.
struct Idp {
    port: u16,
    folder: tempfile::TempDir,
    http: reqwest::Client,
    process: Option<Child>,
}

impl Idp {
    /// A provider that does not run yet; none where its packages are not installed (`tests/run` does).
    fn new() -> Option<Self> {
        if !scripts().join("node_modules").is_dir() {
            missing("the npm packages of tests/oidc (npm ci)");
            return None;
        }
        Some(Self {
            port: free_port(),
            folder: tempfile::tempdir().unwrap(),
            http: reqwest::Client::new(),
            process: None,
        })
    }

    async fn started() -> Option<Self> {
        let mut idp = Self::new()?;
        idp.start().await;
        Some(idp)
    }

    fn issuer(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    async fn start(&mut self) {
        let process = Command::new("node")
            .arg("provider.mjs")
            .current_dir(scripts())
            .env("PORT", self.port.to_string())
            .env("KEYS", self.folder.path().join("keys.json"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        self.process = Some(process);
        let begun = Instant::now();
        while self.requests().await.is_none() {
            assert!(begun.elapsed() < PATIENCE, "the provider does not start");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn stop(&mut self) {
        self.process.take().unwrap().kill().await.unwrap();
    }

    /// How often it was asked for its discovery document and its keys; none if it does not answer.
    async fn requests(&self) -> Option<u64> {
        let address = format!("{}/control/requests", self.issuer());
        let text = self.http.get(address).send().await.ok()?.text().await.ok()?;
        text.parse().ok()
    }

    async fn rotate(&self, how: &str) {
        let address = format!("{}/control/rotate{how}", self.issuer());
        let answer = self.http.post(address).send().await.unwrap();
        assert_eq!(answer.status(), 200);
    }

    /// An access token of a service, by client credentials.
    async fn token(&self, client: &str, resource: &str) -> String {
        let form = format!("grant_type=client_credentials&scope=read&resource={resource}");
        let answer = self
            .http
            .post(format!("{}/token", self.issuer()))
            .basic_auth(client, Some("secret"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form)
            .send()
            .await
            .unwrap();
        let answer: Value = answer.json().await.unwrap();
        answer["access_token"]
            .as_str()
            .unwrap_or_else(|| panic!("{answer}"))
            .to_owned()
    }

    /// What a person gets who logs in: access token and ID token.
    async fn login(&self, name: &str) -> Value {
        let output = Command::new("node")
            .arg("login.mjs")
            .current_dir(scripts())
            .env("ISSUER", self.issuer())
            .env("LOGIN", name)
            .output()
            .await
            .unwrap();
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
    }

    /// How a service is answered whose token the provider bound to its key.
    async fn bound(&self, service: &Service) -> Value {
        let output = Command::new("node")
            .arg("bound.mjs")
            .current_dir(scripts())
            .env("ISSUER", self.issuer())
            .env("SERVICE", &service.address)
            .env("PUBLIC_URL", &service.settings.server.public_url)
            .output()
            .await
            .unwrap();
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
    }

    /// The configuration of a service that trusts it.
    fn settings(&self, others: &Value) -> String {
        let mut issuer = json!({
            "issuer": self.issuer(),
            "groups_claim": "realm_access.roles",
            "groups": {
                "vks-revision": "INNENREVISION",
                "vks-bezirksstelle-{number}": "SACHBEARBEITUNG:{number}",
                "vks-bezirksstelle-{number}-leitung": "BEZIRKSSTELLENLEITUNG:{number}",
            },
        });
        for (name, value) in others.as_object().unwrap() {
            issuer[name] = value.clone();
        }
        json!([issuer]).to_string()
    }
}

const VKS: &str = "https://vks.example/";

/// Who somebody is to the service: status, viewer, and the reason of a refusal.
async fn viewer(service: &Service, token: &str) -> (u16, Value, String) {
    let query = "{ viewer { subject memberships membership { role } bezirksstelle { number } } }";
    let answer = service
        .http
        .post(format!("{}/graphql", service.address))
        .bearer_auth(token)
        .json(&json!({ "query": query }))
        .send()
        .await
        .unwrap();
    let status = answer.status().as_u16();
    let body: Value = answer.json().await.unwrap();
    let reason = body["errors"][0]["extensions"]["reason"]
        .as_str()
        .unwrap_or_default();
    (status, body["data"]["viewer"].clone(), reason.to_owned())
}

async fn reason(service: &Service, token: &str) -> String {
    viewer(service, token).await.2
}

/// Waits until a token is answered so; an empty reason is a welcome.
async fn until(service: &Service, token: &str, wanted: &str) {
    let begun = Instant::now();
    loop {
        let found = reason(service, token).await;
        if found == wanted {
            return;
        }
        assert!(
            begun.elapsed() < PATIENCE,
            "still {found:?} instead of {wanted:?}"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn story(backend: Backend) {
    let Some(mut idp) = Idp::started().await else {
        return;
    };
    let issuers = idp.settings(&json!({
        "refresh_seconds": 1, "cooldown_seconds": 1, "maximum_age_seconds": 6,
    }));
    let Some(service) = Service::start_with(backend, &[("PRUEFPFAD__AUTH__ISSUERS", &issuers)]).await else {
        return;
    };

    // Groups are memberships here, by name and by pattern; other groups are nothing.
    let auditor = idp.token("revision", VKS).await;
    let (status, known, _) = viewer(&service, &auditor).await;
    assert_eq!((status, &known["subject"]), (200, &json!("revision")));
    assert_eq!(known["memberships"], json!(["INNENREVISION"]));
    let (_, head, _) = viewer(&service, &idp.token("stelle", VKS).await).await;
    assert_eq!(head["membership"]["role"], "BEZIRKSSTELLENLEITUNG");
    assert_eq!(head["bezirksstelle"]["number"], "03");
    let (status, nobody, _) = viewer(&service, &idp.token("niemand", VKS).await).await;
    assert_eq!((status, &nobody["memberships"]), (200, &json!([])));

    // A person who logs in gets in by the access token, and by nothing else.
    let person = idp.login("muster").await;
    let (_, known, _) = viewer(&service, person["access_token"].as_str().unwrap()).await;
    assert_eq!(known["subject"], "muster");
    assert_eq!(known["membership"]["role"], "INNENREVISION");
    assert_eq!(
        reason(&service, person["id_token"].as_str().unwrap()).await,
        "TOKEN_WRONG_TYPE"
    );
    let foreign = idp.token("revision", "https://drucker.example/").await;
    assert_eq!(reason(&service, &foreign).await, "TOKEN_WRONG_AUDIENCE");

    // A token the provider bound to a key is good with its proof alone, and each proof once.
    assert_eq!(
        idp.bound(&service).await,
        json!({
            "type": "DPoP", "proven": "revision", "again": "PROOF_REPLAYED", "bearer": "PROOF_MISSING",
        })
    );

    // A new key beside the old one is known at its first token.
    idp.rotate("").await;
    let renewed = idp.token("revision", VKS).await;
    assert_eq!(reason(&service, &renewed).await, "");
    assert_eq!(reason(&service, &auditor).await, "");
    // A withdrawn key holds no longer, not even for a token that was verified before.
    idp.rotate("?withdraw").await;
    until(&service, &renewed, "TOKEN_UNKNOWN_KEY").await;
    assert_eq!(reason(&service, &auditor).await, "TOKEN_UNKNOWN_KEY");

    // Without the provider the known keys go on holding, for tokens not seen yet too, but not for ever.
    let (seen, unseen) = (idp.token("revision", VKS).await, idp.token("stelle", VKS).await);
    assert_eq!(reason(&service, &seen).await, "");
    idp.stop().await;
    let begun = Instant::now();
    assert_eq!(reason(&service, &seen).await, "");
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(reason(&service, &seen).await, "");
    assert_eq!(reason(&service, &unseen).await, "");
    until(&service, &seen, "TOKEN_KEYS_UNAVAILABLE").await;
    assert!(begun.elapsed() > Duration::from_secs(4), "{:?}", begun.elapsed());
    assert_eq!(reason(&service, &unseen).await, "TOKEN_KEYS_UNAVAILABLE");
    // The others go on.
    assert_eq!(
        service.auditor().data("{ viewer { subject } }", json!({})).await["viewer"]["subject"],
        "auditor"
    );
    let ready = service
        .http
        .get(format!("{}/health/ready", service.address))
        .send()
        .await
        .unwrap();
    assert_eq!(ready.status(), 200);
    let ready: Value = ready.json().await.unwrap();
    assert_eq!(ready["checks"]["issuers"], "keys unavailable");
    let metrics = service.http.get(format!("{}/metrics", service.address)).send();
    let metrics = metrics.await.unwrap().text().await.unwrap();
    let label = format!("issuer=\"{}\"", idp.issuer());
    for name in [
        "pruefpfad_issuer_fetches_total{",
        "pruefpfad_issuer_refused_total{",
        "pruefpfad_issuer_keys_age_seconds{",
    ] {
        assert!(
            metrics
                .lines()
                .any(|line| line.starts_with(name) && line.contains(&label) && !line.ends_with(" 0")),
            "{name} in\n{metrics}"
        );
    }

    // Back again, and nobody has to start anything anew.
    idp.start().await;
    until(&service, &seen, "").await;
    assert_eq!(reason(&service, &unseen).await, "");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_of_a_real_provider_come_and_go_with_its_keys_sqlite() {
    story(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_of_a_real_provider_come_and_go_with_its_keys_postgres() {
    story(Backend::Postgres).await;
}

/// The same token with another name of its key.
fn renamed(token: &str, kid: &str) -> String {
    let (header, rest) = token.split_once('.').unwrap();
    let mut header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap();
    header["kid"] = json!(kid);
    format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header.to_string()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forged_key_names_do_not_flood_the_provider() {
    let Some(idp) = Idp::started().await else { return };
    let issuers = idp.settings(&json!({ "cooldown_seconds": 60 }));
    let settings = [("PRUEFPFAD__AUTH__ISSUERS", issuers.as_str())];
    let service = Service::start_with(Backend::Sqlite, &settings).await.unwrap();
    let good = idp.token("revision", VKS).await;
    assert_eq!(reason(&service, &good).await, "");
    assert_eq!(idp.requests().await, Some(2), "discovery and keys at the start");
    for round in 0..3 {
        let forged: Vec<_> = (0..100)
            .map(|number| renamed(&good, &format!("forged-{round}-{number}")))
            .collect();
        let reasons = join_all(forged.iter().map(|token| reason(&service, token))).await;
        assert!(reasons.iter().all(|reason| reason == "TOKEN_UNKNOWN_KEY"));
    }
    assert_eq!(
        idp.requests().await,
        Some(4),
        "three hundred unknown keys were one more fetch"
    );
    assert_eq!(reason(&service, &good).await, "");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_is_down_hinders_no_start_and_another_one_does() {
    let Some(mut idp) = Idp::new() else { return };
    let issuers = idp.settings(&json!({ "cooldown_seconds": 1 }));
    let Some(program) = Program::on(Backend::Sqlite).await else {
        return;
    };
    let program = program.with("PRUEFPFAD__AUTH__ISSUERS", &issuers);
    program.succeeds(&["migrate", "up"]).await;
    let doctor = program.run(&["doctor"]).await;
    let line = format!("FAILED  identity provider {}: ", idp.issuer());
    assert!(
        doctor.code == 1 && doctor.out.contains(&line) && doctor.out.contains("is not reachable"),
        "{doctor:?}"
    );
    let serving = program.serve(&["serve"]).await;
    assert!(
        serving.err().contains("its tokens are refused until it answers"),
        "{}",
        serving.err()
    );
    idp.start().await;
    let token = idp.token("revision", VKS).await;
    let http = reqwest::Client::new();
    let begun = Instant::now();
    loop {
        let answer = http
            .post(format!("{}/graphql", serving.address))
            .bearer_auth(&token)
            .json(&json!({ "query": "{ viewer { subject } }" }))
            .send()
            .await
            .unwrap();
        if answer.status() == 200 {
            break;
        }
        let body: Value = answer.json().await.unwrap();
        assert_eq!(
            body["errors"][0]["extensions"]["reason"],
            "TOKEN_KEYS_UNAVAILABLE"
        );
        assert!(begun.elapsed() < PATIENCE, "{}", serving.err());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let line = format!("ok      identity provider {}\n", idp.issuer());
    assert!(program.succeeds(&["doctor"]).await.contains(&line));
    serving.interrupt().await;

    let discovery = format!("{}/.well-known/openid-configuration", idp.issuer());
    let other = idp.settings(&json!({ "issuer": "https://anmeldung.kreis.example", "discovery": discovery }));
    let program = program.with("PRUEFPFAD__AUTH__ISSUERS", &other);
    let ended = program.run(&["serve"]).await;
    let said = format!(
        "identity provider https://anmeldung.kreis.example: the discovery document names the issuer \"{}\"",
        idp.issuer()
    );
    assert!(ended.code != 0 && ended.err.contains(&said), "{ended:?}");
}

/// The example configuration knows every group of the example realm, and every role but the one that only a grant gives.
#[test]
fn the_example_realm_and_the_example_configuration_fit() {
    let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy");
    let layers = Layers {
        file: Some(deploy.join("pruefpfad.example.toml")),
        ..Layers::default()
    };
    let settings = layers.load_unchecked().unwrap().settings.auth;
    let [issuer] = settings.issuers.as_slice() else {
        panic!("one issuer")
    };
    let map = GroupMap::new(&issuer.groups).unwrap();
    let realm = std::fs::read_to_string(deploy.join("keycloak/realm.json")).unwrap();
    let realm: Value = serde_json::from_str(&realm).unwrap();
    let mut roles = BTreeSet::from([Role::ExternalAuditor]);
    for group in realm["groups"].as_array().unwrap() {
        let name = group["name"].as_str().unwrap();
        let membership = map.membership(name).unwrap_or_else(|| panic!("{name} is mapped"));
        roles.insert(membership.role());
    }
    assert_eq!(roles, Role::ALL.iter().copied().collect());
    let mappers = realm["clients"][0]["protocolMappers"].as_array().unwrap();
    let config = |name: &str, key: &str| {
        let mapper = mappers.iter().find(|mapper| mapper["name"] == name).unwrap();
        mapper["config"][key].as_str().unwrap().to_owned()
    };
    assert_eq!(config("audience", "included.custom.audience"), settings.audience);
    assert_eq!(
        Some(config("groups", "claim.name")),
        issuer.groups_claim,
        "the claim is the one that is read"
    );
}
