//! The log as an outsider meets it: over HTTP without a token, and as proofs of entries for whoever may see them.

#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

use std::sync::Arc;
use std::time::Duration;

use api::app;
use audit::trail::canonical::Entry;
use audit::trail::checkpoint::{Checkpoint, ConsistencyProof, InclusionProof};
use audit::trail::merkle::{TreeHasher, leaf_hash};
use audit::trail::note::VerifierKey;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tests::story::{change, nodes};
use tests::{Person, Service, on_both};

const TRAIL: &str = "query($id: ID!) { engagement(id: $id) { trail(first: 200) { edges { node {
    action actor proof { index commitment path line text } } } } } }";
const CHECKPOINT: &str = "query($size: Long) { logCheckpoint(size: $size) { size root keyId note } logKeys }";
const CONSISTENCY: &str =
    "query($from: Long!, $to: Long) { logConsistency(from: $from, to: $to) { path text } }";

async fn opened(person: &Person<'_>, title: &str) -> String {
    let input = json!({
        "title": title, "function": "INNENREVISION", "objective": "Rechtmäßigkeit", "legalBasis": "§ 6b (4) SGB II",
        "periodFrom": "2025-01-01", "periodTo": "2025-12-31", "idempotencyKey": title,
    });
    let payload = person
        .done(&change("openEngagement", "engagement { id }"), input)
        .await;
    payload["engagement"]["id"].as_str().unwrap().to_owned()
}

/// The trail of an engagement, once all of it has its place.
async fn proven(person: &Person<'_>, engagement: &str) -> Vec<Value> {
    for _ in 0..600 {
        let data = person.data(TRAIL, json!({ "id": engagement })).await;
        let entries = nodes(&data["engagement"]["trail"]);
        if entries.iter().all(|entry| !entry["proof"].is_null()) {
            return entries;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the log does not go on");
}

async fn get(person: &Person<'_>, path: &str) -> (StatusCode, String, String, Vec<u8>) {
    let answer = person.request(Method::GET, path).send().await.unwrap();
    let header = |name: &str| {
        let value = answer.headers().get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let (status, kind, kept) = (answer.status(), header("content-type"), header("cache-control"));
    (status, kind, kept, answer.bytes().await.unwrap().to_vec())
}

fn keys(service: &Service) -> Vec<VerifierKey> {
    app::log_keys(&service.settings).unwrap().known().to_vec()
}

on_both!(
    anybody_reads_the_log_and_an_auditor_proves_entries,
    |service: Arc<Service>| async move {
        let (auditor, anybody) = (service.auditor(), service.anybody());
        let keys = keys(&service);
        let engagement = opened(&auditor, "Erste").await;
        let entries = proven(&auditor, &engagement).await;
        let (status, kind, kept, note) = get(&anybody, "/log/checkpoint").await;
        assert_eq!(
            (status, kind.as_str(), kept.as_str()),
            (StatusCode::OK, "text/plain; charset=utf-8", "no-cache")
        );
        let first = Checkpoint::open(&String::from_utf8(note).unwrap(), &keys).unwrap();
        assert_eq!(first.origin, service.settings.log.origin);

        // Proofs of entries, for whoever may see them.
        assert_eq!(entries.len(), 1);
        let proof = &entries[0]["proof"];
        let inclusion: InclusionProof = proof["text"].as_str().unwrap().parse().unwrap();
        let commitment = inclusion.commitment().unwrap();
        assert_eq!(proof["commitment"], hex::encode(commitment));
        assert_eq!(proof["index"], inclusion.index);
        assert!(inclusion.proves(&commitment, &keys).is_ok());
        let told = Entry::from_opening(inclusion.opening.as_ref().unwrap()).unwrap();
        assert_eq!(
            (entries[0]["action"].as_str(), entries[0]["actor"].as_str()),
            (Some(told.action.as_str()), Some("auditor"))
        );
        let line: Value = serde_json::from_str(proof["line"].as_str().unwrap()).unwrap();
        assert_eq!(line["entry"]["id"], told.id.to_string());
        assert_eq!(line["commitment"], proof["commitment"]);
        let local = service.person("stelle", "SACHBEARBEITUNG:03");
        for (stranger, code) in [(&local, "FORBIDDEN"), (&anybody, "UNAUTHENTICATED")] {
            let codes = stranger.codes(TRAIL, json!({ "id": engagement })).await;
            assert!(
                !codes.is_empty() && codes.iter().all(|given| given == code),
                "{codes:?}"
            );
        }

        // The log grows, and says so to everybody.
        let second = opened(&auditor, "Zweite").await;
        proven(&auditor, &second).await;
        let data = anybody.data(CHECKPOINT, json!({})).await;
        assert_eq!(data["logKeys"], json!([keys[0].to_string()]));
        let last = &data["logCheckpoint"];
        assert_eq!(last["keyId"], keys[0].id().to_string());
        let now = Checkpoint::open(last["note"].as_str().unwrap(), &keys).unwrap();
        assert_eq!(
            (&last["size"], &last["root"]),
            (&json!(now.size), &json!(hex::encode(now.root)))
        );
        assert!(now.size > first.size);
        let again = anybody.data(CHECKPOINT, json!({ "size": first.size })).await;
        assert_eq!(again["logCheckpoint"]["root"], hex::encode(first.root));
        let growth = anybody
            .data(CONSISTENCY, json!({ "from": first.size, "to": now.size }))
            .await;
        let growth: ConsistencyProof = growth["logConsistency"]["text"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        assert_eq!(growth.proves(&first, &keys).unwrap(), now);
        for (from, to) in [(now.size + 1, None), (0, Some(now.size + 1))] {
            let nothing = anybody.data(CONSISTENCY, json!({ "from": from, "to": to })).await;
            assert_eq!(nothing["logConsistency"], Value::Null);
        }
        let none = anybody.data(CHECKPOINT, json!({ "size": now.size + 1 })).await;
        assert_eq!(none["logCheckpoint"], Value::Null);

        // The tree in tiles: leaves from the bundle of entries, the root from the leaves.
        let (status, kind, kept, tile) = get(&anybody, &format!("/log/tile/0/000.p/{}", now.size)).await;
        assert_eq!(
            (status, kind.as_str(), kept.as_str()),
            (
                StatusCode::OK,
                "application/octet-stream",
                "public, max-age=31536000, immutable"
            )
        );
        let (_, _, _, bundle) = get(&anybody, &format!("/log/tile/entries/000.p/{}", now.size)).await;
        let mut tree = TreeHasher::new();
        for (entry, leaf) in bundle.chunks_exact(34).zip(tile.chunks_exact(32)) {
            assert_eq!(entry[..2], [0, 32]);
            assert_eq!(leaf_hash(&entry[2..]), leaf);
            tree.push(leaf.try_into().unwrap());
        }
        assert_eq!((tree.leaves(), tree.root()), (now.size, now.root));
        for path in [
            "0/000",
            "1/000.p/1",
            &format!("0/000.p/{}", now.size + 1),
            "0/000.p/0",
            "0/0",
            "64/000",
            "entries/001",
            "entries/0",
            "",
            "..%2Fcheckpoint",
        ] {
            let (status, _, kept, _) = get(&anybody, &format!("/log/tile/{path}")).await;
            assert_eq!(
                (status, kept.as_str()),
                (StatusCode::NOT_FOUND, "no-store"),
                "{path}"
            );
        }
    }
);

on_both!(another_instance_goes_on_where_one_ended, |service: Arc<
    Service,
>| async move {
    let auditor = service.auditor();
    let keys = keys(&service);
    let other = app::start(&service.settings, service.db.clone(), service.sources.clone())
        .await
        .unwrap();
    let mut kept = Vec::new();
    for number in 0..6 {
        let engagement = opened(&auditor, &format!("Prüfung {number}")).await;
        proven(&auditor, &engagement).await;
        let address = if number % 2 == 0 {
            service.address.clone()
        } else {
            format!("http://{}", other.address)
        };
        let note = reqwest::get(format!("{address}/log/checkpoint")).await.unwrap();
        kept.push(Checkpoint::open(&note.text().await.unwrap(), &keys).unwrap());
    }
    other.stop().await.unwrap();
    let engagement = opened(&auditor, "Danach").await;
    proven(&auditor, &engagement).await;
    for old in &kept {
        let data = auditor.data(CONSISTENCY, json!({ "from": old.size })).await;
        let growth: ConsistencyProof = data["logConsistency"]["text"].as_str().unwrap().parse().unwrap();
        assert_eq!(growth.proves(old, &keys).unwrap().size, kept[5].size + 1);
    }
});
