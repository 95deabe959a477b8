use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::http::{Method, StatusCode, header};
use actix_web::{App, HttpRequest, HttpServer, test};
use futures_util::future::{FutureExt as _, LocalBoxFuture};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value as Json, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::edge::{Callers, Credentials, Denied, Edge, Unrecorded, Visitor};
use super::graphql::configure;
use crate::graphql::admit::{Introspection, Limits};
use crate::graphql::toy;

const JSON: &str = "application/json";
const GRAPHQL: &str = "application/graphql-response+json";

/// "Bearer good" is somebody, "Bearer brief" for half a second, and no read of "Bearer unrecorded" can be recorded; no token is
/// nobody.
struct Tokens;

impl Callers for Tokens {
    fn identify<'a>(
        &'a self,
        request: &'a HttpRequest,
        credentials: Option<Credentials<'a>>,
    ) -> LocalBoxFuture<'a, Result<Visitor, Denied>> {
        let header = request.headers().get(header::AUTHORIZATION);
        let given = credentials.map(|credentials| credentials.authorization);
        let token = given.or_else(|| header?.to_str().ok());
        let unrecorded = token == Some("Bearer unrecorded");
        let visitor = |authenticated, expires| {
            Ok(Visitor {
                subject: None,
                classes: audit::access::Classes::ALL,
                authenticated,
                expires,
                still: None,
                attach: Box::new(|request, _| request),
                record: Box::new(move |_, _| {
                    let outcome = if unrecorded { Err(Unrecorded) } else { Ok(()) };
                    async move { outcome }.boxed()
                }),
                deny: Box::new(|_| async {}.boxed()),
            })
        };
        let result = match token {
            None => visitor(false, None),
            Some("Bearer good" | "Bearer unrecorded") => visitor(true, None),
            Some("Bearer brief") => visitor(true, Some(Instant::now() + Duration::from_millis(500))),
            Some(_) => Err(Denied {
                status: StatusCode::UNAUTHORIZED,
                code: "UNAUTHENTICATED",
                reason: "TOKEN_MALFORMED",
                message: "Token ungültig".to_owned(),
                challenge: Some("Bearer error=\"invalid_token\""),
            }),
        };
        async move { result }.boxed_local()
    }
}

fn edge() -> Edge {
    let limits = Limits {
        timeout_ms: 200,
        body_bytes: 10_000,
        ..Limits::default()
    };
    Edge::new(
        toy::schema(),
        Arc::new(toy::admission(limits)),
        Tokens,
        Introspection::Everyone,
    )
}

struct Answered {
    status: StatusCode,
    content_type: String,
    allow: Option<String>,
    body: Json,
}

async fn call(request: test::TestRequest) -> Answered {
    let app = test::init_service(App::new().configure(configure(edge(), "/graphql"))).await;
    let response = test::call_service(&app, request.to_request()).await;
    let text = |name| {
        let value = response.headers().get(name)?;
        Some(value.to_str().unwrap().to_owned())
    };
    Answered {
        status: response.status(),
        content_type: text(header::CONTENT_TYPE).unwrap(),
        allow: text(header::ALLOW),
        body: test::read_body_json(response).await,
    }
}

fn post(accept: &str, body: &Json) -> test::TestRequest {
    test::TestRequest::post()
        .uri("/graphql")
        .insert_header((header::ACCEPT, accept))
        .insert_header((header::CONTENT_TYPE, "application/json; charset=UTF-8"))
        .set_payload(body.to_string())
}

fn code(body: &Json) -> &str {
    body["errors"][0]["extensions"]["code"].as_str().unwrap()
}

#[actix_web::test]
async fn what_did_not_run_has_no_data() {
    let long = "2".repeat(20);
    for (query, variables, expected) in [
        ("{", json!({}), "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", json!({}), "GRAPHQL_VALIDATION_FAILED"),
        ("{ double(n: \"x\") }", json!({}), "GRAPHQL_VALIDATION_FAILED"),
        ("query($n: Int!) { double(n: $n) }", json!({}), "BAD_USER_INPUT"),
        (
            "query($n: Int!) { double(n: $n) }",
            json!({ "n": 1_u64 << 40 }),
            "BAD_USER_INPUT",
        ),
        ("{ double(n: 1099511627776) }", json!({}), "BAD_USER_INPUT"),
        ("subscription { forever }", json!({}), "BAD_USER_INPUT"),
        (
            &format!("{{ sum(numbers: {}{long} }}", "[".repeat(90)),
            json!({}),
            "LIMIT_EXCEEDED",
        ),
    ] {
        let body = json!({ "query": query, "variables": variables });
        for (accept, status) in [(JSON, 200), (GRAPHQL, 400)] {
            let answered = call(post(accept, &body)).await;
            assert_eq!(answered.status, status, "{query}");
            assert_eq!(answered.content_type, format!("{accept}; charset=utf-8"));
            assert!(answered.body.get("data").is_none(), "{query}");
            assert_eq!(code(&answered.body), expected, "{query}");
        }
    }
}

#[actix_web::test]
async fn what_ran_has_data_and_no_inner_words() {
    for accept in [JSON, GRAPHQL] {
        let answered = call(post(accept, &json!({ "query": "{ hello fails }" }))).await;
        assert_eq!(answered.status, 200);
        assert_eq!(answered.body["data"], Json::Null);
        assert_eq!(code(&answered.body), "INTERNAL");
        assert!(!answered.body.to_string().contains("SELECT"));
        let answered = call(post(accept, &json!({ "query": "{ slow }" }))).await;
        assert_eq!(answered.status, 200);
        assert_eq!(answered.body.get("data"), Some(&Json::Null));
        assert_eq!(code(&answered.body), "TIMEOUT");
    }
}

#[actix_web::test]
async fn suggestions_are_for_those_with_a_token() {
    let body = json!({ "query": "{ helo }" });
    let anonymous = call(post(JSON, &body)).await.body.to_string();
    assert!(
        anonymous.contains("helo") && !anonymous.contains("hello"),
        "{anonymous}"
    );
    let known = post(JSON, &body).insert_header((header::AUTHORIZATION, "Bearer good"));
    assert!(call(known).await.body.to_string().contains("hello"));
}

#[actix_web::test]
async fn messages_are_german_unless_english_is_asked_for() {
    let body = json!({ "query": "{" });
    let german = call(post(JSON, &body)).await;
    assert_eq!(
        german.body["errors"][0]["message"],
        "Das Dokument ist kein gültiges GraphQL."
    );
    let english = post(JSON, &body).insert_header((header::ACCEPT_LANGUAGE, "en"));
    let english = call(english).await;
    assert_eq!(
        english.body["errors"][0]["message"],
        "The document is not valid GraphQL."
    );
}

#[actix_web::test]
async fn a_token_that_does_not_hold_is_answered_before_anything_else() {
    let request = test::TestRequest::post()
        .uri("/graphql")
        .insert_header((header::AUTHORIZATION, "Bearer bad"))
        .set_payload("{ not json");
    let answered = call(request).await;
    assert_eq!(answered.status, 401);
    assert_eq!(
        answered.body,
        json!({ "errors": [{
            "message": "Token ungültig",
            "extensions": { "code": "UNAUTHENTICATED", "reason": "TOKEN_MALFORMED" },
        }] })
    );
}

#[actix_web::test]
async fn malformed_requests_are_client_errors() {
    for body in [
        json!([{ "query": "{ hello }" }]),
        json!("{ hello }"),
        json!({}),
        json!({ "query": 1 }),
        json!({ "query": "{ hello }", "operationName": 1 }),
        json!({ "query": "{ hello }", "variables": [] }),
        json!({ "query": "{ hello }", "extensions": "x" }),
    ] {
        for accept in [JSON, GRAPHQL] {
            let answered = call(post(accept, &body)).await;
            assert_eq!(answered.status, 400, "{body}");
            assert_eq!(code(&answered.body), "BAD_USER_INPUT");
        }
    }
    let answered = call(post(JSON, &json!({ "query": " ".repeat(20_000) }))).await;
    assert_eq!(answered.status, 413);
    let answered = call(post("text/html", &json!({ "query": "{ hello }" }))).await;
    assert_eq!(answered.status, 406);
    for content in ["text/plain", "application/json; charset=latin1"] {
        let request =
            post(JSON, &json!({ "query": "{ hello }" })).insert_header((header::CONTENT_TYPE, content));
        assert_eq!(call(request).await.status, 415);
    }
    let answered = call(test::TestRequest::with_uri("/graphql").method(Method::PUT)).await;
    assert_eq!(answered.status, 405);
    assert_eq!(answered.allow.as_deref(), Some("GET, POST"));
}

#[actix_web::test]
async fn get_serves_queries_only() {
    let get = |query: &str| {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("query", query)
            .append_pair("variables", r#"{"n": 4}"#)
            .finish();
        test::TestRequest::get().uri(&format!("/graphql?{query}"))
    };
    let answered = call(get("query($n: Int!) { double(n: $n) }")).await;
    assert_eq!(answered.body, json!({ "data": { "double": 8 } }));
    let answered = call(get("mutation { rename(name: \"x\") }")).await;
    assert_eq!(answered.status, 405);
    assert_eq!(answered.allow.as_deref(), Some("POST"));
}

async fn server() -> SocketAddr {
    let edge = edge();
    let server = HttpServer::new(move || App::new().configure(configure(edge.clone(), "/graphql")))
        .workers(1)
        .bind(("127.0.0.1", 0))
        .unwrap();
    let address = server.addrs()[0];
    actix_web::rt::spawn(server.run());
    address
}

struct Client(tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>);

impl Client {
    async fn open(address: SocketAddr) -> Self {
        let mut request = format!("ws://{address}/graphql").into_client_request().unwrap();
        request.headers_mut().insert(
            "Sec-WebSocket-Protocol",
            HeaderValue::from_static("graphql-transport-ws"),
        );
        Self(tokio_tungstenite::connect_async(request).await.unwrap().0)
    }

    async fn ready(address: SocketAddr) -> Self {
        let mut client = Self::open(address).await;
        client.send(json!({ "type": "connection_init" })).await;
        assert_eq!(client.heard().await, json!({ "type": "connection_ack" }));
        client
    }

    async fn send(&mut self, message: Json) {
        self.0.send(Message::text(message.to_string())).await.unwrap();
    }

    async fn subscribe(&mut self, id: &str, query: &str) {
        self.send(json!({ "type": "subscribe", "id": id, "payload": { "query": query } }))
            .await;
    }

    async fn next(&mut self) -> Message {
        loop {
            let message = tokio::time::timeout(Duration::from_secs(15), self.0.next());
            let message = message.await.unwrap().unwrap().unwrap();
            if !message.is_ping() {
                return message;
            }
        }
    }

    async fn heard(&mut self) -> Json {
        serde_json::from_str(self.next().await.to_text().unwrap()).unwrap()
    }

    async fn closed(&mut self) -> u16 {
        match self.next().await {
            Message::Close(Some(CloseFrame { code, .. })) => code.into(),
            other => panic!("{other:?}"),
        }
    }
}

#[actix_web::test]
async fn each_event_of_a_subscription_waits_for_its_record() {
    let address = server().await;
    for (token, kept) in [("Bearer good", true), ("Bearer unrecorded", false)] {
        let mut client = Client::open(address).await;
        let init = json!({ "type": "connection_init", "payload": { "authorization": token } });
        client.send(init).await;
        assert_eq!(client.heard().await, json!({ "type": "connection_ack" }));
        client.subscribe("1", "subscription { watched(to: 3) }").await;
        for event in 0..3 {
            let heard = client.heard().await["payload"].take();
            if kept {
                assert_eq!(heard, json!({ "data": { "watched": event } }));
            } else {
                assert_eq!(heard["data"], Json::Null);
                assert_eq!(
                    heard["errors"][0]["extensions"]["code"],
                    "READ_RECORD_UNAVAILABLE"
                );
            }
        }
        assert_eq!(client.heard().await["type"], "complete");
        // What is public needs no record.
        client.subscribe("1", "subscription { ticks(to: 1) }").await;
        assert_eq!(client.heard().await["payload"], json!({ "data": { "ticks": 0 } }));
    }
}

#[actix_web::test]
async fn subscriptions_queries_and_refusals_over_websocket() {
    let mut client = Client::ready(server().await).await;
    client
        .send(json!({ "type": "ping", "payload": { "a": 1 } }))
        .await;
    assert_eq!(
        client.heard().await,
        json!({ "type": "pong", "payload": { "a": 1 } })
    );
    client.subscribe("1", "subscription { ticks(to: 2) }").await;
    for n in 0..2 {
        assert_eq!(
            client.heard().await,
            json!({ "type": "next", "id": "1", "payload": { "data": { "ticks": n } } })
        );
    }
    assert_eq!(client.heard().await, json!({ "type": "complete", "id": "1" }));
    client.subscribe("1", "{ hello }").await;
    assert_eq!(
        client.heard().await["payload"],
        json!({ "data": { "hello": "world" } })
    );
    assert_eq!(client.heard().await["type"], "complete");
    for (query, expected) in [
        ("subscription { ticks(to: 1099511627776) }", "BAD_USER_INPUT"),
        ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("{", "GRAPHQL_PARSE_FAILED"),
    ] {
        client.subscribe("2", query).await;
        let heard = client.heard().await;
        assert_eq!(heard["type"], "error");
        assert_eq!(heard["payload"][0]["extensions"]["code"], expected);
    }
    client.subscribe("3", "subscription { forever }").await;
    assert_eq!(
        client.heard().await["payload"],
        json!({ "data": { "forever": 0 } })
    );
    client.send(json!({ "type": "complete", "id": "3" })).await;
    client.subscribe("3", "{ hello }").await;
    assert_eq!(client.heard().await["type"], "next");
}

#[actix_web::test]
async fn the_protocol_is_held_to_by_close_codes() {
    let address = server().await;
    let mut client = Client::open(address).await;
    client.subscribe("1", "{ hello }").await;
    assert_eq!(client.closed().await, 4401);
    for message in [
        json!({ "type": "nonsense" }),
        json!({ "type": "subscribe", "id": "1", "payload": {} }),
    ] {
        let mut client = Client::ready(address).await;
        client.send(message).await;
        assert_eq!(client.closed().await, 4400);
    }
    let mut client = Client::ready(address).await;
    client.send(json!({ "type": "connection_init" })).await;
    assert_eq!(client.closed().await, 4429);
    let mut client = Client::ready(address).await;
    for _ in 0..2 {
        client.subscribe("1", "{ slow }").await;
    }
    assert_eq!(client.closed().await, 4409);
    let mut client = Client::ready(address).await;
    client.subscribe("1", &" ".repeat(20_000)).await;
    assert_eq!(client.closed().await, 1009);
    for (token, patience) in [("Bearer bad", false), ("Bearer brief", true)] {
        let mut client = Client::open(address).await;
        client
            .send(json!({ "type": "connection_init", "payload": { "authorization": token } }))
            .await;
        if patience {
            assert_eq!(client.heard().await["type"], "connection_ack");
        }
        assert_eq!(client.closed().await, 4403);
    }
    let mut client = Client::open(address).await;
    assert_eq!(client.closed().await, 4408);
}

#[actix_web::test]
async fn a_socket_runs_twenty_operations_at_a_time() {
    let mut client = Client::ready(server().await).await;
    for id in 0..20 {
        client
            .subscribe(&id.to_string(), "subscription { forever }")
            .await;
        assert_eq!(client.heard().await["type"], "next");
    }
    client.subscribe("20", "{ hello }").await;
    let heard = client.heard().await;
    assert_eq!(heard["payload"][0]["extensions"]["code"], "LIMIT_EXCEEDED");
    client.send(json!({ "type": "complete", "id": "0" })).await;
    client.subscribe("20", "{ hello }").await;
    assert_eq!(client.heard().await["type"], "next");
}

#[actix_web::test]
async fn another_protocol_is_refused_at_the_handshake() {
    let request = format!("ws://{}/graphql", server().await);
    assert!(tokio_tungstenite::connect_async(request).await.is_err());
}
