//! What stands around the API: GraphQL over HTTP by the letter, the explorer on a closed network, tokens, limits,
//! health, metrics, cross-origin rules.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fmt::Write as _;
use std::process::Stdio;

use serde_json::json;
use tests::{Backend, Ground, on_both};
use tokio::process::Command;

/// Runs a Node script of a folder of this package, its packages installed by `tests/run`.
async fn node(folder: &str, script: &str, environment: &[(&str, &str)]) -> Option<String> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    if !folder.join("node_modules").is_dir() {
        println!("skipped: npm packages of tests/{} are not installed (npm ci)", folder.display());
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
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{text}");
    Some(text)
}

on_both!(graphql_over_http_by_the_letter, |service| async move {
    let url = format!("{}/graphql", service.address);
    let auditor = service.auditor();
    for token in ["", auditor.token()] {
        let Some(text) = node("graphql_http", "audit.mjs", &[("GRAPHQL_URL", &url), ("GRAPHQL_TOKEN", token)]).await
        else {
            return;
        };
        assert!(text.contains("61"), "{text}");
    }
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_explorer_runs_a_query_and_asks_nobody_else() {
    let mut ground = Ground::lay(Backend::Sqlite).await.unwrap();
    let built = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../api/explorer/dist");
    ground.settings.explorer.directory = built.clone();
    let service = ground.build().await;
    if !built.join("index.html").is_file() {
        let answer = service.http.get(format!("{}/explorer", service.address)).send().await.unwrap();
        assert_eq!(answer.status(), 503);
        assert!(answer.text().await.unwrap().contains("npm run build"));
        println!("skipped: api/explorer is not built (npm ci && npm run build)");
        return;
    }
    let auditor = service.auditor();
    if let Some(text) = node("explorer", "explorer.mjs", &[("BASE_URL", &service.address), ("TOKEN", auditor.token())]).await {
        assert!(text.contains("1 passed, 0 failed"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_files_the_explorer_says_how_to_get_them() {
    let mut ground = Ground::lay(Backend::Sqlite).await.unwrap();
    ground.settings.explorer.directory = ground.folder().join("nothing");
    let service = ground.build().await;
    let answer = service.http.get(format!("{}/explorer", service.address)).send().await.unwrap();
    assert_eq!(answer.status(), 503);
    assert!(answer.text().await.unwrap().contains("npm ci"));
    let info = service.anybody().data("{ serviceInfo { version } }", json!({})).await;
    assert!(info["serviceInfo"]["version"].is_string());
}

on_both!(documents_that_would_hang_the_engine_are_refused_at_once, |service| async move {
    let auditor = service.auditor();
    let mut doubled = "query { ...F0 } fragment F18 on Query { serviceInfo { version } }".to_owned();
    for level in 0..18 {
        write!(doubled, " fragment F{level} on Query {{ ...F{0} ...F{0} }}", level + 1).unwrap();
    }
    let begun = std::time::Instant::now();
    assert_eq!(auditor.codes(&doubled, json!({})).await, ["LIMIT_EXCEEDED"]);
    assert!(begun.elapsed().as_millis() < 1_000, "{:?}", begun.elapsed());
    let cycle = "query { ...A } fragment A on Query { ...B } fragment B on Query { ...A }";
    let body = auditor.graphql(cycle, json!({})).await;
    assert!(body["errors"][0]["message"].is_string() && body.get("data").is_none(), "{body}");

    for (query, variables) in [
        ("query($n: Int!) { engagements(first: $n) { totalCount } }", json!({})),
        ("query($n: Int!) { engagements(first: $n) { totalCount } }", json!({ "n": 1_i64 << 40 })),
        ("query { engagements(first: 1099511627776) { totalCount } }", json!({})),
        ("query($id: ID!) { engagement(id: $id) { id } }", json!({ "id": null })),
    ] {
        let body = auditor.graphql(query, variables).await;
        assert!(body.get("data").is_none() && body["errors"].is_array(), "{query}: {body}");
    }
    let skipped = "query($y: Boolean! = true) { serviceInfo { version @skip(if: $y) name } }";
    let data = auditor.data(skipped, json!({})).await;
    assert!(data["serviceInfo"].get("version").is_none(), "a default of a variable counts in @skip: {data}");
});

on_both!(tokens_that_do_not_hold_are_401_with_a_code, |service| async move {
    let good = service.auditor().token().to_owned();
    let (head, rest) = good.split_once('.').unwrap();
    let (claims, signature) = rest.split_once('.').unwrap();
    let none = {
        use base64::Engine as _;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"at+jwt","kid":"development"}"#)
    };
    let mut flipped = signature.to_owned();
    flipped.replace_range(0..1, if signature.starts_with('A') { "B" } else { "A" });
    for (token, reason) in [
        ("nonsense".to_owned(), "TOKEN_MALFORMED"),
        (format!("{none}.{claims}."), "TOKEN_WRONG_ALGORITHM"),
        (format!("{head}.{claims}.{flipped}"), "TOKEN_BAD_SIGNATURE"),
    ] {
        let answer = service
            .http
            .post(format!("{}/graphql", service.address))
            .bearer_auth(&token)
            .json(&json!({ "query": "{ serviceInfo { version } }" }))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 401, "{reason}");
        assert!(answer.headers().contains_key("www-authenticate"));
        let body: serde_json::Value = answer.json().await.unwrap();
        assert_eq!(body["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
        assert_eq!(body["errors"][0]["extensions"]["reason"], reason);
        for path in ["imports/x", "exports/sample-items.csv?sample=x"] {
            let method = if path.starts_with("imports") { reqwest::Method::PUT } else { reqwest::Method::GET };
            let answer =
                service.http.request(method, format!("{}/{path}", service.address)).bearer_auth(&token).send().await;
            assert_eq!(answer.unwrap().status(), 401, "{path}");
        }
    }
    let two = service.token_of("zwei", &["INNENREVISION", "SACHBEARBEITUNG:03"]);
    let ask = |membership: Option<&'static str>| {
        let request = service
            .http
            .post(format!("{}/graphql", service.address))
            .bearer_auth(&two)
            .json(&json!({ "query": "{ viewer { membership { text } } }" }));
        match membership {
            Some(name) => request.header("Pruefpfad-Membership", name),
            None => request,
        }
        .send()
    };
    assert_eq!(ask(None).await.unwrap().status(), 403);
    let body: serde_json::Value = ask(Some("SACHBEARBEITUNG:03")).await.unwrap().json().await.unwrap();
    assert_eq!(body["data"]["viewer"]["membership"]["text"], "SACHBEARBEITUNG:03", "{body}");
});

on_both!(health_metrics_and_headers, |service| async move {
    for path in ["health/live", "health/ready"] {
        let answer = service.http.get(format!("{}/{path}", service.address)).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
        assert!(answer.headers().contains_key("x-request-id"));
    }
    service.anybody().data("query Kennung { serviceInfo { name limits { depth cost aliases } } }", json!({})).await;
    let text = service.http.get(format!("{}/metrics", service.address)).send().await.unwrap().text().await.unwrap();
    assert!(text.contains("http_server_request_duration_seconds_bucket"), "{text}");
    assert!(text.contains("graphql_operation_duration_seconds_bucket"), "{text}");
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_of_callers_and_bodies_and_origins_are_the_configured_ones() {
    let mut ground = Ground::lay(Backend::Sqlite).await.unwrap();
    ground.settings.rate.per_minute = 1;
    ground.settings.rate.burst = 5;
    ground.settings.limits.body_bytes = 2_000;
    ground.settings.server.cors_origins = vec!["https://revision.kreis.example".to_owned()];
    let service = ground.build().await;
    let preflight = |origin: &'static str| {
        service
            .http
            .request(reqwest::Method::OPTIONS, format!("{}/graphql", service.address))
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,content-type")
            .send()
    };
    let allowed = preflight("https://revision.kreis.example").await.unwrap();
    assert_eq!(allowed.headers()["access-control-allow-origin"], "https://revision.kreis.example");
    assert!(!preflight("https://elsewhere.example").await.unwrap().headers().contains_key("access-control-allow-origin"));
    let large = json!({ "query": format!("{{ serviceInfo {{ version }} }} #{}", "x".repeat(3_000)) });
    let answer = service.http.post(format!("{}/graphql", service.address)).json(&large).send().await.unwrap();
    assert_eq!(answer.status(), 413);
    let mut last = 0;
    for _ in 0..8 {
        let answer = service.http.get(format!("{}/graphql?query=%7BserviceInfo%7Bversion%7D%7D", service.address)).send().await;
        last = answer.unwrap().status().as_u16();
    }
    assert_eq!(last, 429);
    let auditor = service.auditor();
    let body = auditor.graphql("{ viewer { subject } }", json!({})).await;
    assert_eq!(body["data"]["viewer"]["subject"], "auditor", "a token has a limit of its own");
}
