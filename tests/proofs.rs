//! A grant in the hands of whoever has the key it is bound to, and of everybody else (RFC 9449).

#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

use std::time::Duration;

use api::auth::ProofError;
use api::language::Language;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use entity::trail_entry;
use futures_util::{SinkExt as _, StreamExt as _};
use reqwest::Method;
use sea_orm::{ColumnTrait as _, EntityTrait as _, PaginatorTrait as _, QueryFilter as _};
use serde_json::{Value, json};
use tests::grants::{RECIPIENT, inspection, issued, of, revoke};
use tests::key::{Key, claims};
use tests::story::{Audit, with};
use tests::{Service, Socket, next_message, on_both};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

/// Somebody with a key, and perhaps a token.
struct Holder<'a> {
    service: &'a Service,
    key: Key,
    token: String,
}

impl Holder<'_> {
    /// What a proof of theirs says for a request.
    fn claims(&self, method: &str, path: &str) -> Value {
        claims(method, &address(self.service, path), Some(&self.token))
    }

    /// Why a request is refused at the door; none where it is let in.
    async fn reason(&self, scheme: &str, door: (&Method, &str), proofs: &[String]) -> Option<String> {
        let (method, path) = door;
        let mut request = self
            .service
            .http
            .request(method.clone(), format!("{}{path}", self.service.address))
            .header("Authorization", format!("{scheme} {}", self.token));
        for proof in proofs {
            request = request.header("DPoP", proof);
        }
        if *method == Method::POST {
            request = request.json(&json!({ "query": "{ viewer { grant { number } } }" }));
        }
        let answer = request.send().await.unwrap();
        let (status, text) = (answer.status().as_u16(), answer.text().await.unwrap());
        if status == 200 {
            assert!(!text.contains("\"errors\""), "{text}");
            return None;
        }
        assert_eq!(status, 401, "{text}");
        let body: Value = serde_json::from_str(&text).unwrap();
        Some(
            body["errors"][0]["extensions"]["reason"]
                .as_str()
                .unwrap()
                .to_owned(),
        )
    }

    /// A socket whose handshake shows this proof, and the first answer.
    async fn socket(&self, proof: &str) -> (Socket, Value) {
        let address = format!("{}/graphql", self.service.address.replace("http://", "ws://"));
        let mut request = address.into_client_request().unwrap();
        for (name, value) in [
            ("Sec-WebSocket-Protocol", "graphql-transport-ws"),
            ("Authorization", &format!("DPoP {}", self.token)),
            ("DPoP", proof),
        ] {
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
        let init = json!({ "type": "connection_init" });
        socket.send(init.to_string().into()).await.unwrap();
        let first = next_message(&mut socket).await;
        (socket, first)
    }
}

/// The address by which proofs name a request.
fn address(service: &Service, path: &str) -> String {
    format!(
        "{}{path}",
        service.settings.server.public_url.trim_end_matches('/')
    )
}

async fn engagement(service: &Service) -> Audit<'_> {
    Audit::small(service, &[("a", "09", 100), ("b", "01", 200)]).await
}

fn details(grant: &Value) -> String {
    json!([{ "type": "pruefpfad_engagement", "identifier": grant["id"] }]).to_string()
}

/// How many redemptions the trail tells of.
async fn redemptions(service: &Service) -> u64 {
    let entries = trail_entry::Entity::find().filter(trail_entry::Column::Action.eq("GRANT_REDEEM"));
    entries.count(service.db.reader()).await.unwrap()
}

/// What a token says of its key.
fn bound_to(token: &str) -> Value {
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    serde_json::from_slice::<Value>(&claims).unwrap()["cnf"].clone()
}

/// A bound token opens nothing without a fresh proof by its key, for this request and this token.
async fn only_with_its_proof(holder: &Holder<'_>) {
    let thief = Key::default();
    let graphql = (&Method::POST, "/graphql");
    let download = (&Method::GET, "/exports/sample-items.csv");
    for (door, other) in [(graphql, download), (download, graphql)] {
        let said = holder.claims(door.0.as_str(), door.1);
        let good = holder.key.proof(&said);
        assert_eq!(
            holder.reason("DPoP", door, std::slice::from_ref(&good)).await,
            None
        );
        let of = |changed: Value| {
            let fresh = holder.claims(door.0.as_str(), door.1);
            holder.key.proof(&with(&fresh, &changed))
        };
        let fresh = || of(json!({}));
        let elsewhere = address(holder.service, other.1);
        let now = said["iat"].as_i64().unwrap();
        for (name, scheme, proofs, expected) in [
            ("shown before", "DPoP", vec![good.clone()], ProofError::Replayed),
            ("as a bearer token", "Bearer", vec![], ProofError::Missing),
            (
                "beside a good proof",
                "Bearer",
                vec![fresh()],
                ProofError::Missing,
            ),
            ("without a proof", "DPoP", vec![], ProofError::Missing),
            (
                "two proofs",
                "DPoP",
                vec![fresh(), fresh()],
                ProofError::Malformed,
            ),
            (
                "another's key",
                "DPoP",
                vec![thief.proof(&holder.claims(door.0.as_str(), door.1))],
                ProofError::WrongKey,
            ),
            (
                "another method",
                "DPoP",
                vec![of(json!({ "htm": other.0.as_str() }))],
                ProofError::WrongRequest,
            ),
            (
                "another path",
                "DPoP",
                vec![of(json!({ "htu": elsewhere }))],
                ProofError::WrongRequest,
            ),
            (
                "another token",
                "DPoP",
                vec![of(json!({ "ath": claims("", "", Some("x"))["ath"] }))],
                ProofError::WrongToken,
            ),
            (
                "no token",
                "DPoP",
                vec![of(json!({ "ath": null }))],
                ProofError::WrongToken,
            ),
            (
                "too old",
                "DPoP",
                vec![of(json!({ "iat": now - 120 }))],
                ProofError::WrongTime,
            ),
            (
                "of tomorrow",
                "DPoP",
                vec![of(json!({ "iat": now + 86_400 }))],
                ProofError::WrongTime,
            ),
        ] {
            let reason = holder.reason(scheme, door, &proofs).await;
            assert_eq!(reason.as_deref(), Some(expected.code()), "{} {name}", door.1);
        }
        assert_eq!(holder.reason("DPoP", door, &[fresh()]).await, None);
    }
}

/// A socket is opened by one proof, carries subscriptions, and ends with the grant; so does all else.
async fn until_it_is_revoked(audit: &Audit<'_>, holder: &Holder<'_>, grant: &Value) {
    let proof = holder.key.proof(&holder.claims("GET", "/graphql"));
    let (mut socket, first) = holder.socket(&proof).await;
    assert_eq!(first["type"], "connection_ack");
    let imports = audit.seen("imports { id }").await["imports"].clone();
    let watch = "subscription($id: ID!) { importProgress(id: $id) { state } }";
    let payload = json!({ "query": watch, "variables": { "id": imports[0]["id"] } });
    let start = json!({ "type": "subscribe", "id": "1", "payload": payload });
    socket.send(start.to_string().into()).await.unwrap();
    let told = next_message(&mut socket).await;
    assert_eq!(
        told["payload"]["data"]["importProgress"]["state"], "COMPLETED",
        "{told}"
    );
    // The same proof opens no second one.
    let again = holder.reason("DPoP", (&Method::GET, "/graphql"), &[proof]).await;
    assert_eq!(again.as_deref(), Some(ProofError::Replayed.code()));

    let end = with(&of(grant), &json!({ "reason": "Widerruf" }));
    audit.head.done(&revoke(), end).await;
    let fresh = holder.key.proof(&holder.claims("POST", "/graphql"));
    let reason = holder.reason("DPoP", (&Method::POST, "/graphql"), &[fresh]).await;
    assert_eq!(reason.as_deref(), Some("GRANT_REVOKED"));
    let closed = tokio::time::timeout(Duration::from_secs(10), async {
        loop {
            if let Some(Ok(tokio_tungstenite::tungstenite::Message::Close(frame))) = socket.next().await {
                return frame.unwrap();
            }
        }
    })
    .await
    .unwrap();
    assert_eq!(
        (u16::from(closed.code), closed.reason.as_str()),
        (4403, "UNAUTHENTICATED: GRANT_REVOKED")
    );
}

on_both!(
    a_key_alone_redeems_the_grant_that_names_it,
    |service| async move {
        let audit = engagement(&service).await;
        let (key, thief) = (Key::default(), Key::default());
        let fields = json!({ "recipientSubject": null, "recipientKey": key.thumbprint() });
        let grant = issued(&audit, inspection(&audit.engagement, &fields)).await;
        let details = details(&grant);
        let form = [
            ("grant_type", "client_credentials"),
            ("authorization_details", details.as_str()),
        ];
        let endpoint = address(&service, "/oauth/token");
        let of = |changed: Value| key.proof(&with(&claims("POST", &endpoint, None), &changed));
        let good = of(json!({}));
        let (status, answer) = service.exchange_with(&form, &[&good]).await;
        assert_eq!((status, &answer["token_type"]), (200, &json!("DPoP")), "{answer}");
        let token = answer["access_token"].as_str().unwrap().to_owned();
        assert_eq!(bound_to(&token), json!({ "jkt": key.thumbprint() }));

        let redeemed = redemptions(&service).await;
        let now = claims("", "", None)["iat"].as_i64().unwrap();
        let elsewhere = address(&service, "/graphql");
        for (proofs, expected) in [
            (vec![good], ProofError::Replayed),
            (vec![], ProofError::Missing),
            (vec![of(json!({})), of(json!({}))], ProofError::Malformed),
            (vec![of(json!({ "htm": "GET" }))], ProofError::WrongRequest),
            (vec![of(json!({ "htu": elsewhere }))], ProofError::WrongRequest),
            (vec![of(json!({ "iat": now - 120 }))], ProofError::WrongTime),
            (vec![of(json!({ "jti": "" }))], ProofError::Malformed),
        ] {
            let shown: Vec<&str> = proofs.iter().map(String::as_str).collect();
            let (status, answer) = service.exchange_with(&form, &shown).await;
            assert_eq!(
                (
                    status,
                    answer["error"].as_str(),
                    answer["error_description"].as_str()
                ),
                (
                    400,
                    Some("invalid_dpop_proof"),
                    Some(expected.message(Language::En))
                ),
                "{}",
                expected.code()
            );
        }
        assert_eq!(
            redemptions(&service).await,
            redeemed,
            "what is refused redeems nothing"
        );
        // Of another key it is nobody's grant; and a log-in is no key, not even beside it.
        let others = thief.proof(&claims("POST", &endpoint, None));
        let (status, answer) = service.exchange_with(&form, &[&others]).await;
        assert_eq!((status, &answer["error"]), (400, &json!("invalid_grant")));
        let login = service.token(RECIPIENT, &[]);
        let exchange = exchange(&login, &details);
        for shown in [vec![], vec![of(json!({}))]] {
            let shown: Vec<&str> = shown.iter().map(String::as_str).collect();
            let (status, answer) = service.exchange_with(&exchange, &shown).await;
            assert_eq!((status, &answer["error"]), (400, &json!("invalid_grant")));
        }

        let holder = Holder {
            service: &service,
            key,
            token,
        };
        only_with_its_proof(&holder).await;
        until_it_is_revoked(&audit, &holder, &grant).await;
        let fresh = holder.key.proof(&claims("POST", &endpoint, None));
        let (status, answer) = service.exchange_with(&form, &[&fresh]).await;
        assert_eq!((status, &answer["error"]), (400, &json!("invalid_grant")));
    }
);

/// The form of a token exchange.
fn exchange<'a>(login: &'a str, details: &'a str) -> [(&'static str, &'a str); 4] {
    [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token", login),
        (
            "subject_token_type",
            "urn:ietf:params:oauth:token-type:access_token",
        ),
        ("authorization_details", details),
    ]
}

on_both!(
    a_token_is_bound_to_the_key_it_was_asked_with,
    |service| async move {
        let audit = engagement(&service).await;
        let endpoint = address(&service, "/oauth/token");
        let login = service.token(RECIPIENT, &[]);
        for named in [false, true] {
            let (key, thief) = (Key::default(), Key::default());
            let fields = if named {
                json!({ "recipientKey": key.thumbprint() })
            } else {
                json!({})
            };
            let grant = issued(&audit, inspection(&audit.engagement, &fields)).await;
            let details = details(&grant);
            let form = exchange(&login, &details);
            let proof = key.proof(&claims("POST", &endpoint, None));
            let (status, answer) = service.exchange_with(&form, &[&proof]).await;
            assert_eq!((status, &answer["token_type"]), (200, &json!("DPoP")), "{answer}");
            let token = answer["access_token"].as_str().unwrap().to_owned();
            assert_eq!(bound_to(&token), json!({ "jkt": key.thumbprint() }));
            let (status, answer) = service.exchange_with(&form, &[&proof]).await;
            assert_eq!((status, &answer["error"]), (400, &json!("invalid_dpop_proof")));

            // Whoever has log-in and token, and another key: a grant that names its key is not redeemed with it.
            let others = thief.proof(&claims("POST", &endpoint, None));
            let (status, _) = service.exchange_with(&form, &[&others]).await;
            assert_eq!(status, if named { 400 } else { 200 });
            let others = Holder {
                service: &service,
                key: thief,
                token: token.clone(),
            };
            let shown = others.key.proof(&others.claims("POST", "/graphql"));
            let reason = others.reason("DPoP", (&Method::POST, "/graphql"), &[shown]).await;
            assert_eq!(reason.as_deref(), Some(ProofError::WrongKey.code()));

            let holder = Holder {
                service: &service,
                key,
                token,
            };
            only_with_its_proof(&holder).await;
            until_it_is_revoked(&audit, &holder, &grant).await;
        }
    }
);
