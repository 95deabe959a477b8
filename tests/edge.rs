//! What stands around the API: GraphQL over HTTP by the letter, the explorer on a closed network, tokens, limits,
//! health, metrics, cross-origin rules.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fmt::Write as _;
use std::path::Path;
use std::process::Stdio;

use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};
use tests::{Backend, Service, attack, missing, on_both};
use tokio::process::Command;

/// Runs a Node script of a folder of this package, its packages installed by `tests/run`.
async fn node(folder: &str, script: &str, environment: &[(&str, &str)]) -> Option<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    if !folder.join("node_modules").is_dir() {
        missing(&format!("the npm packages of {} (npm ci)", folder.display()));
        return None;
    }
    let output = Command::new("node")
        .arg(script)
        .current_dir(folder)
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "{text}");
    Some(text)
}

const VERSION: &str = "{ serviceInfo { version } }";

on_both!(graphql_over_http_by_the_letter, |service| async move {
    let url = format!("{}/graphql", service.address);
    let token = service.token("auditor", &["INNENREVISION"]);
    for token in ["", &token] {
        let Some(text) = node(
            "graphql_http",
            "audit.mjs",
            &[("GRAPHQL_URL", &url), ("GRAPHQL_TOKEN", token)],
        )
        .await
        else {
            return;
        };
        assert!(text.contains("61 of 61 ok"), "{text}");
    }
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_explorer_runs_a_query_and_asks_nobody_else() {
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../api/explorer/dist");
    if !built.join("index.html").is_file() {
        missing("api/explorer (npm ci && npm run build)");
        return;
    }
    let directory = built.display().to_string();
    let settings = [("PRUEFPFAD__EXPLORER__DIRECTORY", directory.as_str())];
    let service = Service::start_with(Backend::Sqlite, &settings).await.unwrap();
    let token = service.token("auditor", &["INNENREVISION"]);
    if let Some(text) = node(
        "explorer",
        "explorer.mjs",
        &[("BASE_URL", &service.address), ("TOKEN", &token)],
    )
    .await
    {
        assert!(text.contains("1 passed, 0 failed"), "{text}");
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_files_the_explorer_says_how_to_get_them() {
    let settings = [("PRUEFPFAD__EXPLORER__DIRECTORY", "/nothing/here")];
    let service = Service::start_with(Backend::Sqlite, &settings).await.unwrap();
    let anybody = service.anybody();
    let answer = anybody
        .request(reqwest::Method::GET, "/explorer")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 503);
    assert!(answer.text().await.unwrap().contains("npm ci && npm run build"));
    let info = anybody.data(VERSION, json!({})).await;
    assert!(info["serviceInfo"]["version"].is_string());
    service.stop().await;
}

on_both!(
    documents_that_would_hang_the_engine_are_refused_at_once,
    |service| async move {
        let auditor = service.auditor();
        let mut doubled = "query { ...F0 } fragment F18 on Query { serviceInfo { version } }".to_owned();
        for level in 0..18 {
            let next = level + 1;
            write!(doubled, " fragment F{level} on Query {{ ...F{next} ...F{next} }}").unwrap();
        }
        let begun = std::time::Instant::now();
        let refused = auditor.graphql(&doubled, json!({})).await;
        assert!(begun.elapsed().as_millis() < 500, "{:?}", begun.elapsed());
        assert_eq!(refused["errors"][0]["extensions"]["code"], "LIMIT_EXCEEDED");
        assert!(refused.get("data").is_none());
        for (document, variables) in [
            (
                "query { ...A } fragment A on Query { ...B } fragment B on Query { ...A }",
                json!({}),
            ),
            (
                "query($n: Int!) { engagements(first: $n) { totalCount } }",
                json!({}),
            ),
            (
                "query($n: Int!) { engagements(first: $n) { totalCount } }",
                json!({ "n": 1_u64 << 40 }),
            ),
            (
                "query { engagements(first: 1099511627776) { totalCount } }",
                json!({}),
            ),
            (
                "query($id: ID!) { engagement(id: $id) { id } }",
                json!({ "id": null }),
            ),
        ] {
            for (accept, status) in [
                ("application/json", 200),
                ("application/graphql-response+json", 400),
            ] {
                let answer = auditor
                    .request(reqwest::Method::POST, "/graphql")
                    .header("accept", accept)
                    .json(&json!({ "query": document, "variables": variables }))
                    .send()
                    .await
                    .unwrap();
                assert_eq!(answer.status(), status, "{document} {variables}");
                let body: Value = answer.json().await.unwrap();
                assert!(
                    body.get("data").is_none() && body["errors"][0]["message"].is_string(),
                    "{document}: {body}"
                );
            }
        }
        let skipped = "query($y: Boolean! = true) { serviceInfo { version @skip(if: $y) name } }";
        let data = auditor.data(skipped, json!({})).await;
        assert_eq!(
            data["serviceInfo"].get("version"),
            None,
            "a default of a variable counts in @skip"
        );
        let data = auditor.data(skipped, json!({ "y": false })).await;
        assert!(data["serviceInfo"]["version"].is_string());
    }
);

on_both!(
    tokens_that_do_not_hold_are_401_with_a_code,
    |service| async move {
        let good = service.token("auditor", &["INNENREVISION"]);
        let (head, rest) = good.split_once('.').unwrap();
        let (claims, signature) = rest.split_once('.').unwrap();
        let none = encoded(r#"{"alg":"none","typ":"at+jwt","kid":"development"}"#);
        let confused = encoded(r#"{"alg":"HS256","typ":"at+jwt","kid":"development"}"#);
        let foreign = encoded(r#"{"alg":"EdDSA","typ":"at+jwt","kid":"somebody"}"#);
        let mut flipped = signature.to_owned();
        flipped.replace_range(0..1, if signature.starts_with('A') { "B" } else { "A" });
        for (token, reason) in [
            ("nonsense".to_owned(), "TOKEN_MALFORMED"),
            (format!("{none}.{claims}."), "TOKEN_WRONG_ALGORITHM"),
            (
                format!("{confused}.{claims}.{signature}"),
                "TOKEN_WRONG_ALGORITHM",
            ),
            (format!("{foreign}.{claims}.{signature}"), "TOKEN_UNKNOWN_KEY"),
            (format!("{head}.{claims}.{flipped}"), "TOKEN_BAD_SIGNATURE"),
        ] {
            let url = |path: &str| format!("{}{path}", service.address);
            let query = json!({ "query": VERSION });
            let answer = service
                .http
                .post(url("/graphql"))
                .bearer_auth(&token)
                .json(&query)
                .send()
                .await
                .unwrap();
            assert_eq!(answer.status(), 401, "{reason}");
            assert!(answer.headers().contains_key("www-authenticate"));
            let body: Value = answer.json().await.unwrap();
            let extensions = &body["errors"][0]["extensions"];
            assert_eq!(
                (&extensions["code"], &extensions["reason"]),
                (&json!("UNAUTHENTICATED"), &json!(reason))
            );
            assert!(body.get("data").is_none());
            for request in [
                service.http.put(url("/imports/x")),
                service.http.get(url("/exports/sample-items.csv?sample=x")),
            ] {
                let answer = request.bearer_auth(&token).send().await.unwrap();
                assert_eq!(answer.status(), 401, "{reason}");
                let body: Value = answer.json().await.unwrap();
                assert_eq!(body["errors"][0]["extensions"]["reason"], reason);
            }
            let probe = service
                .http
                .get(url("/health/ready"))
                .bearer_auth(&token)
                .send()
                .await
                .unwrap();
            assert_eq!(probe.status(), 200, "a probe is answered whatever it sends along");
        }
    }
);

on_both!(forged_tokens_open_no_door, |service| async move {
    let key = service.settings.auth.development_key_file.display().to_string();
    let Some(verdict) = attack("tokens.py", &[&service.address, &key], &Value::Null).await else {
        return;
    };
    // Every refusal a token can meet was met, at every door.
    let reasons: Vec<_> = [
        "TOKEN_BAD_SIGNATURE",
        "TOKEN_EXPIRED",
        "TOKEN_MALFORMED",
        "TOKEN_NOT_YET_VALID",
        "TOKEN_UNKNOWN_KEY",
        "TOKEN_WRONG_ALGORITHM",
        "TOKEN_WRONG_AUDIENCE",
        "TOKEN_WRONG_ISSUER",
        "TOKEN_WRONG_TYPE",
    ]
    .into();
    assert_eq!(verdict["reasons"], json!(reasons));
    assert_eq!(verdict["doors"].as_array().map(Vec::len), Some(6));
    let (attacks, knocks) = (verdict["attacks"].as_u64(), verdict["knocks"].as_u64());
    assert_eq!(attacks.map(|attacks| attacks * 6), knocks);
});

on_both!(
    a_stolen_token_that_is_bound_to_a_key_opens_no_door,
    |service| async move {
        let key = service.settings.auth.development_key_file.display().to_string();
        let public = &service.settings.server.public_url;
        let Some(verdict) = attack("proofs.py", &[&service.address, public, &key], &Value::Null).await else {
            return;
        };
        // Every refusal a proof can meet was met, but for the one that takes thousands of proofs.
        let reasons = [
            "PROOF_BAD_SIGNATURE",
            "PROOF_MALFORMED",
            "PROOF_MISSING",
            "PROOF_OF_UNBOUND_TOKEN",
            "PROOF_REPLAYED",
            "PROOF_WRONG_KEY",
            "PROOF_WRONG_REQUEST",
            "PROOF_WRONG_TIME",
            "PROOF_WRONG_TOKEN",
            "TOKEN_MALFORMED",
        ];
        assert_eq!(verdict["reasons"], json!(reasons));
        assert!(verdict["knocks"].as_u64() > Some(200));
    }
);

/// A header of a token, as whoever forges one writes it.
fn encoded(header: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(header)
}

on_both!(who_holds_several_memberships_says_which, |service| async move {
    let two = service.token("zwei", &["INNENREVISION", "SACHBEARBEITUNG:03"]);
    let ask = async |membership: Option<&str>| {
        let query =
            json!({ "query": "{ viewer { membership { role } memberships bezirksstelle { number } } }" });
        let request = service
            .http
            .post(format!("{}/graphql", service.address))
            .bearer_auth(&two)
            .json(&query);
        let request = match membership {
            Some(name) => request.header("Pruefpfad-Membership", name),
            None => request,
        };
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    for (membership, reason) in [
        (None, "MEMBERSHIP_REQUIRED"),
        (Some("VORSTAND"), "MEMBERSHIP_NOT_HELD"),
    ] {
        let (status, body) = ask(membership).await;
        assert_eq!(
            (status, &body["errors"][0]["extensions"]["reason"]),
            (403, &json!(reason)),
            "{body}"
        );
    }
    let (status, body) = ask(Some("SACHBEARBEITUNG:03")).await;
    let viewer = &body["data"]["viewer"];
    assert_eq!(
        (status, &viewer["membership"]["role"]),
        (200, &json!("SACHBEARBEITUNG")),
        "{body}"
    );
    assert_eq!(viewer["bezirksstelle"]["number"], "03");
    assert_eq!(
        viewer["memberships"],
        json!(["INNENREVISION", "SACHBEARBEITUNG:03"])
    );
});

on_both!(
    refusals_at_the_door_speak_the_language_asked_for,
    |service| async move {
        let two = service.token("zwei", &["INNENREVISION", "SACHBEARBEITUNG:03"]);
        let query = json!({ "query": VERSION });
        for (token, membership, german, english) in [
            (
                "nonsense",
                "",
                "Zugangstoken ist nicht lesbar",
                "The access token cannot be read",
            ),
            (
                &two,
                "",
                "Mehrere Mitgliedschaften: eine davon in der Kopfzeile `Pruefpfad-Membership` nennen",
                "Several memberships: name one of them in the header `Pruefpfad-Membership`",
            ),
            (
                &two,
                "VORSTAND",
                "Diese Mitgliedschaft besteht nicht",
                "This membership is not held",
            ),
        ] {
            for (asked, message) in [("", german), ("de-DE", german), ("en-GB,de;q=0.5", english)] {
                for (method, path) in [
                    (reqwest::Method::POST, "/graphql"),
                    (reqwest::Method::PUT, "/imports/x"),
                    (reqwest::Method::GET, "/exports/sample-items.csv?sample=x"),
                ] {
                    let mut request = service
                        .http
                        .request(method, format!("{}{path}", service.address))
                        .bearer_auth(token)
                        .json(&query);
                    for (name, value) in [("accept-language", asked), ("pruefpfad-membership", membership)] {
                        if !value.is_empty() {
                            request = request.header(name, value);
                        }
                    }
                    let body: Value = request.send().await.unwrap().json().await.unwrap();
                    assert_eq!(body["errors"][0]["message"], message, "{path} in {asked:?}");
                }
            }
        }
    }
);

on_both!(health_metrics_and_headers, |service| async move {
    let anybody = service.anybody();
    let id = "6f1ff3a5-7a22-4a0e-9c57-3c7f2a3c7a11";
    for path in ["/health/live", "/health/ready"] {
        let request = anybody
            .request(reqwest::Method::GET, path)
            .header("x-request-id", id);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
        assert_eq!(answer.headers()["x-request-id"], id);
    }
    let named =
        "query Kennung { serviceInfo { name limits { depth cost aliases directives tokens batch } } }";
    let limits = anybody.data(named, json!({})).await["serviceInfo"]["limits"].clone();
    assert_eq!(limits["depth"], service.settings.limits.depth);
    assert_eq!(limits["batch"], 1);
    anybody.graphql("{ nothing }", json!({})).await;
    anybody.graphql("mutation { nothing", json!({})).await;
    let text = anybody
        .request(reqwest::Method::GET, "/metrics")
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    let counted = |metric: &str, labels: &[&str]| {
        text.lines()
            .any(|line| line.starts_with(metric) && labels.iter().all(|label| line.contains(label)))
    };
    let request = "http_server_request_duration_seconds_count{";
    assert!(
        counted(
            request,
            &["http_route=\"/graphql\"", "http_request_method=\"POST\""]
        ),
        "{text}"
    );
    let operation = "graphql_operation_duration_seconds_count{";
    assert!(
        counted(operation, &["graphql_operation_type=\"query\"", "outcome=\"OK\""]),
        "{text}"
    );
    assert!(counted(operation, &["outcome=\"REFUSED\""]), "{text}");
    assert!(!text.contains("Kennung"), "names are the client's: {text}");
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_of_callers_and_bodies_and_origins_are_the_configured_ones() {
    let settings = [
        ("PRUEFPFAD__RATE__PER_MINUTE", "1"),
        ("PRUEFPFAD__RATE__BURST", "5"),
        ("PRUEFPFAD__LIMITS__BODY_BYTES", "2000"),
        ("PRUEFPFAD__LIMITS__DEPTH", "3"),
        (
            "PRUEFPFAD__SERVER__CORS_ORIGINS",
            "https://revision.kreis.example",
        ),
    ];
    let service = Service::start_with(Backend::Sqlite, &settings).await.unwrap();
    let anybody = service.anybody();
    let preflight = async |origin: &str| {
        let request = anybody
            .request(reqwest::Method::OPTIONS, "/graphql")
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,content-type");
        request
            .send()
            .await
            .unwrap()
            .headers()
            .get("access-control-allow-origin")
            .cloned()
    };
    let ours = "https://revision.kreis.example";
    assert_eq!(preflight(ours).await.unwrap(), ours);
    assert_eq!(preflight("https://elsewhere.example").await, None);

    let head = service.head();
    let large = json!({ "query": format!("{VERSION} #{}", "x".repeat(3_000)) });
    let answer = head
        .request(reqwest::Method::POST, "/graphql")
        .json(&large)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 413);
    assert_eq!(
        head.codes(
            "{ __schema { types { fields { name } } } engagements { edges { node { id } } } }",
            json!({})
        )
        .await,
        ["LIMIT_EXCEEDED"]
    );

    let mut last = None;
    for _ in 0..8 {
        let path = "/graphql?query=%7BserviceInfo%7Bversion%7D%7D";
        last = Some(anybody.request(reqwest::Method::GET, path).send().await.unwrap());
    }
    let last = last.unwrap();
    assert_eq!(last.status(), 429);
    assert!(last.headers().contains_key("retry-after"));
    let body = service.auditor().data("{ viewer { subject } }", json!({})).await;
    assert_eq!(
        body["viewer"]["subject"], "auditor",
        "a token has a limit of its own"
    );
    service.stop().await;
}

on_both!(connections_that_broke_are_not_used_again, |service| async move {
    let auditor = service.auditor();
    let ask = || auditor.data("{ engagements(first: 1) { edges { node { id } } } }", json!({}));
    futures_util::future::join_all((0..12).map(|_| ask())).await;
    if service.db.is_postgres() {
        // As a server does that goes away; those that wait for something else see to themselves.
        let gone = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE '%engagement%'
                AND query NOT LIKE '%deadline_due%'";
        service.db.owner().execute_unprepared(gone).await.unwrap();
    }
    // Each answer is right at once, from however many connections that were kept.
    futures_util::future::join_all((0..24).map(|_| ask())).await;
    service.db.ping().await.unwrap();
});
