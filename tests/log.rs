//! The log as an outsider meets it: over HTTP without a token, and as proofs of entries for whoever may see them.

#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

use std::sync::Arc;
use std::time::Duration;

use api::app;
use audit::Db;
use audit::trail::canonical::Entry;
use audit::trail::checkpoint::{Checkpoint, ConsistencyProof, InclusionProof};
use audit::trail::merkle::{TreeHasher, leaf_hash};
use audit::trail::note::VerifierKey;
use entity::{CommentId, comment};
use reqwest::{Method, StatusCode};
use sea_orm::{ConnectionTrait as _, EntityTrait as _, IntoActiveModel as _};
use serde_json::{Value, json};
use tests::grants::{inspection, issued};
use tests::program::Program;
use tests::story::{Audit, change, nodes};
use tests::{Backend, Person, Service, missing, on_both, unique};
use tokio::io::AsyncWriteExt as _;

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

/// What the verifier in Python says, which knows the documentation only: size and root, or why not. Nothing where Python or its
/// packages are missing and nobody named an interpreter.
async fn oracle(arguments: &[&str], input: &Value) -> Option<Result<Value, String>> {
    let named = std::env::var("PYTHON");
    let mut python = tokio::process::Command::new(named.as_deref().unwrap_or("python3"))
        .arg(format!("{}/oracles/log.py", env!("CARGO_MANIFEST_DIR")))
        .args(arguments)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // A command that reads nothing closes its end.
    let mut stdin = python.stdin.take().unwrap();
    let _closed = stdin.write_all(input.to_string().as_bytes()).await;
    drop(stdin);
    let answer = python.wait_with_output().await.unwrap();
    if answer.status.success() {
        return Some(Ok(serde_json::from_slice(&answer.stdout).unwrap()));
    }
    let said = String::from_utf8(answer.stderr).unwrap();
    if let Some(reason) = said.strip_prefix("rejected: ") {
        return Some(Err(reason.trim().to_owned()));
    }
    assert!(named.is_err(), "{said}");
    missing("the Python packages of tests/requirements.txt, for log.py");
    None
}

/// What the service shows: proofs of an engagement's entries, and growth since old checkpoints.
async fn shown(service: &Service, engagement: &str, kept: &[(Checkpoint, String)]) -> Value {
    let (auditor, anybody) = (service.auditor(), service.anybody());
    let data = auditor.data(TRAIL, json!({ "id": engagement })).await;
    let entries: Vec<_> = nodes(&data["engagement"]["trail"])
        .iter()
        .map(|entry| entry["proof"].clone())
        .collect();
    assert!(!entries.is_empty());
    let mut growth = Vec::new();
    for (checkpoint, note) in kept {
        let data = anybody
            .data(CONSISTENCY, json!({ "from": checkpoint.size }))
            .await;
        growth.push(json!({ "old": note, "text": data["logConsistency"]["text"] }));
    }
    json!({ "entries": entries, "growth": growth })
}

async fn checkpoint(service: &Service) -> (Checkpoint, String) {
    let note = String::from_utf8(get(&service.anybody(), "/log/checkpoint").await.3).unwrap();
    (Checkpoint::open(&note, &keys(service)).unwrap(), note)
}

/// What somebody does who has the database in their hands.
async fn unguarded(service: &Service, statements: &[String]) {
    let owner = service.db.owner();
    for table in [
        "trail_entry",
        "log_queue",
        "log_leaf",
        "log_node",
        "log_checkpoint",
    ] {
        let kinds = ["update", "delete", "salt", "replace"];
        for kind in kinds {
            if !service.db.is_postgres() {
                let drop = format!("DROP TRIGGER IF EXISTS {table}_{kind}");
                owner.execute_unprepared(&drop).await.unwrap();
            }
        }
        if service.db.is_postgres() {
            let off = format!("ALTER TABLE {table} DISABLE TRIGGER USER");
            owner.execute_unprepared(&off).await.unwrap();
        }
    }
    let tx = service.db.begin_write().await.unwrap();
    for statement in statements {
        tx.execute_unprepared(statement).await.unwrap();
    }
    tx.commit().await.unwrap();
}

on_both!(
    files_are_verified_without_the_service,
    |service: Arc<Service>| async move {
        let Some(program) = Program::beside(&service) else {
            return;
        };
        let auditor = service.auditor();
        let first = opened(&auditor, "Erste").await;
        proven(&auditor, &first).await;
        let (old, old_note) = checkpoint(&service).await;
        for title in ["Zweite", "Dritte", "Vierte", "Fünfte"] {
            let engagement = opened(&auditor, title).await;
            proven(&auditor, &engagement).await;
        }
        let (now, note) = checkpoint(&service).await;
        let key = keys(&service)[0].to_string();
        let entry = &proven(&auditor, &first).await[0];
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let growth = auditor.data(CONSISTENCY, json!({ "from": old.size })).await;
        program.file("old", &old_note);
        program.file("now", &note);
        program.file("entry", &text(&entry["proof"]["text"]));
        program.file("growth", &text(&growth["logConsistency"]["text"]));
        let verify = async |arguments: &[&str]| {
            let all = [&["verify", "--json", "--key", &key], arguments].concat();
            let ended = program.run(&all).await;
            let said: Value = serde_json::from_str(&ended.out).unwrap();
            (ended.code, said)
        };

        let root = hex::encode(now.root);
        let (code, said) = verify(&["checkpoint", "now", "--kept", "old", "--kept", "now"]).await;
        assert_eq!(
            (code, &said["size"], &said["root"]),
            (0, &json!(now.size), &json!(root)),
            "{said}"
        );
        let (code, said) = verify(&["inclusion", "entry"]).await;
        assert_eq!((code, &said["entry"]["actor"]), (0, &json!("auditor")), "{said}");
        let (code, said) = verify(&["consistency", "old", "growth"]).await;
        assert_eq!((code, &said["grownFrom"]), (0, &json!(old.size)), "{said}");

        program
            .succeeds(&["export", "log", "--output", "log.jsonl"])
            .await;
        let (code, said) = verify(&["export", "log.jsonl", "--kept", "old"]).await;
        assert_eq!(
            (code, &said["erased"], &said["size"]),
            (0, &json!(0), &json!(now.size))
        );
        let in_folder = |name: &str| program.folder().join(name).display().to_string();
        let (file, kept) = (in_folder("log.jsonl"), in_folder("old"));
        let python = async |file: &str| oracle(&["export", file, &key, &kept], &Value::Null).await;
        if let Some(found) = python(&file).await {
            assert_eq!(found.unwrap(), json!({ "size": now.size, "root": root }));
            let folder = program.folder().display().to_string();
            let tampered = oracle(&["tamper", &file, &folder], &Value::Null)
                .await
                .unwrap()
                .unwrap();
            let tampered = tampered.as_array().unwrap().clone();
            assert_eq!(tampered.len(), 13);
            for wrong in &tampered {
                let wrong = wrong.as_str().unwrap();
                let (code, said) = verify(&["export", wrong]).await;
                assert_eq!((code, &said["result"]), (1, &json!("REFUTED")), "{wrong}");
                assert!(python(wrong).await.unwrap().is_err(), "{wrong}");
            }
        }

        // Other files than these, and other keys.
        program.file(
            "changed",
            &note.replacen(&format!("\n{}\n", now.size), "\n9999\n", 1),
        );
        for (arguments, code) in [
            (&["checkpoint", "changed"][..], "FORGED"),
            (&["checkpoint", "entry"], "FORGED"),
            (&["checkpoint", "old", "--kept", "now"], "SET_BACK"),
            (&["consistency", "now", "growth"], "PROOF"),
            (&["consistency", "old", "entry"], "FORM"),
            (&["inclusion", "growth"], "FORM"),
            (&["inclusion", "entry", "--commitment", &"00".repeat(32)], "PROOF"),
        ] {
            let (exit, said) = verify(arguments).await;
            assert_eq!((exit, &said["code"]), (1, &json!(code)), "{arguments:?}: {said}");
        }
        let (exit, said) = verify(&["checkpoint", "nowhere"]).await;
        assert_eq!((exit, &said["result"]), (2, &json!("UNCHECKED")));
        let stranger = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
        assert_eq!(
            program
                .run(&["verify", "checkpoint", "now", "--key", stranger])
                .await
                .code,
            1
        );
        assert_eq!(program.run(&["verify", "checkpoint", "now"]).await.code, 2);
        assert_eq!(
            program
                .run(&["verify", "checkpoint", "now", "--key", "x"])
                .await
                .code,
            2
        );
        let german = program.with("PRUEFPFAD_LANG", "de");
        let said = german
            .succeeds(&["verify", "consistency", "old", "growth", "--key", &key])
            .await;
        assert!(
            said.starts_with("In Ordnung: ") && said.contains("nur gewachsen"),
            "{said}"
        );
        let said = german
            .run(&["verify", "checkpoint", "changed", "--key", &key])
            .await;
        assert!(said.out.starts_with("NICHT in Ordnung: "), "{said:?}");
    }
);

on_both!(
    whoever_has_the_database_is_found_out,
    |service: Arc<Service>| async move {
        let auditor = service.auditor();
        let key = keys(&service)[0].to_string();
        let first = opened(&auditor, "Erste").await;
        let second = opened(&auditor, "Zweite").await;
        proven(&auditor, &first).await;
        proven(&auditor, &second).await;
        let mut kept = vec![checkpoint(&service).await];
        let third = opened(&auditor, "Dritte").await;
        proven(&auditor, &third).await;
        kept.push(checkpoint(&service).await);
        let judged = async || {
            let shown = shown(&service, &second, &kept).await;
            oracle(&["service", &service.address, &key], &shown).await
        };
        let Some(found) = judged().await else {
            return;
        };
        let now = &kept[1].0;
        assert_eq!(
            found.unwrap(),
            json!({ "size": now.size, "root": hex::encode(now.root) })
        );

        // Each lie and its way back: what an entry says, the order of the entries, a leaf, the hashes of the tree.
        let entry = "WHERE id = (SELECT entry_id FROM log_leaf WHERE idx = 3)";
        let changed = format!("UPDATE trail_entry SET actor = 'x' {entry}");
        let right = format!("UPDATE trail_entry SET actor = 'auditor' {entry}");
        let swap = |table: &str| {
            [(0, -1), (1, 0), (-1, 1)].map(|(from, to)| {
                let level = if table == "log_node" { "AND level = 0" } else { "" };
                format!("UPDATE {table} SET idx = {to} WHERE idx = {from} {level}")
            })
        };
        let away = "UPDATE log_leaf SET idx = -5 WHERE idx = 1";
        let again = "UPDATE log_leaf SET idx = 1 WHERE idx = -5";
        for (lie, back) in [
            (vec![changed], vec![right]),
            (swap("log_leaf").to_vec(), swap("log_leaf").to_vec()),
            (vec![away.to_owned()], vec![again.to_owned()]),
            (swap("log_node").to_vec(), swap("log_node").to_vec()),
        ] {
            unguarded(&service, &lie).await;
            assert!(judged().await.unwrap().is_err(), "{lie:?}");
            unguarded(&service, &back).await;
            assert!(judged().await.unwrap().is_ok(), "{back:?}");
        }

        // The operator, with the signing key, writes the log anew without its first entry: whole in itself, and found out by
        // every checkpoint that was kept.
        unguarded(
        &service,
        &[
            "INSERT INTO log_queue (id, commitment) SELECT entry_id, commitment FROM log_leaf WHERE idx > 0 ORDER BY idx",
            "DELETE FROM log_leaf",
            "DELETE FROM log_node",
            "DELETE FROM log_checkpoint",
        ]
        .map(str::to_owned),
    )
    .await;
        proven(&auditor, &third).await;
        let (rewritten, note) = checkpoint(&service).await;
        assert_eq!(rewritten.size, now.size - 1);
        let itself = shown(&service, &third, &[]).await;
        assert!(
            oracle(&["service", &service.address, &key], &itself)
                .await
                .unwrap()
                .is_ok()
        );
        for old in &kept {
            let shown = shown(&service, &third, std::slice::from_ref(old)).await;
            let outcome = oracle(&["service", &service.address, &key], &shown)
                .await
                .unwrap();
            assert!(outcome.is_err(), "{}", old.0.size);
        }
        if let Some(program) = Program::beside(&service) {
            program.file("rewritten", &note);
            program.file("kept", &kept[1].1);
            program.file("older", &kept[0].1);
            program
                .succeeds(&["export", "log", "--output", "log.jsonl"])
                .await;
            for (arguments, code) in [
                (["checkpoint", "rewritten", "--kept", "kept"], "SET_BACK"),
                (["export", "log.jsonl", "--kept", "kept"], "SET_BACK"),
                (["export", "log.jsonl", "--kept", "older"], "FORKED"),
            ] {
                let all = [&["verify", "--json", "--key", &key], &arguments[..]].concat();
                let ended = program.run(&all).await;
                let said: Value = serde_json::from_str(&ended.out).unwrap();
                assert_eq!((ended.code, &said["code"]), (1, &json!(code)), "{arguments:?}");
            }
        }
    }
);

/// Sends a statement as somebody, and tells why it was refused.
async fn refused(db: &Db, statement: &str) -> Option<String> {
    let outcome = db.owner().execute_unprepared(statement).await;
    outcome.err().map(|error| error.to_string())
}

/// Roles and database as the operator makes them; the addresses of owner and service.
async fn as_deployed() -> Option<(String, String)> {
    let Ok(cluster) = std::env::var("TEST_POSTGRES_URL") else {
        missing("PostgreSQL: TEST_POSTGRES_URL is not set");
        return None;
    };
    let name = unique("deployed");
    let ended = tokio::process::Command::new("psql")
        .args([
            "-X",
            "-q",
            "-v",
            "ON_ERROR_STOP=1",
            "-v",
            "owner_password=o",
            "-v",
            "service_password=s",
        ])
        .args(["-v", &format!("name={name}"), "-f"])
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../deploy/postgres-roles.sql"
        ))
        .arg(&cluster)
        .output()
        .await
        .unwrap();
    assert!(
        ended.status.success(),
        "{}",
        String::from_utf8_lossy(&ended.stderr)
    );
    let (server, _) = cluster.rsplit_once('/').unwrap();
    let host = server
        .rsplit_once('@')
        .map_or_else(|| server.trim_start_matches("postgres://"), |(_, host)| host);
    Some((
        format!("postgres://{name}_owner:o@{host}/{name}"),
        format!("postgres://{name}:s@{host}/{name}"),
    ))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_role_of_the_service_can_add_to_the_log_and_nothing_else() {
    let Some((owner, service)) = as_deployed().await else {
        return;
    };
    let owner = Db::connect(&owner, 2).await.unwrap();
    app::migrate(&owner).await.unwrap();
    let settings = [
        ("PRUEFPFAD__DATABASE__URL", service.as_str()),
        ("PRUEFPFAD__DATABASE__MIGRATE_ON_START", "false"),
    ];
    let service = Service::start_with(Backend::Postgres, &settings).await.unwrap();

    // All of the main job is done under it.
    let audit = Audit::demo(&service).await;
    let sample = audit.drawn("klein", "SIMPLE_RANDOM", &json!({ "size": 5 })).await;
    audit.check_truly(&audit.items(&sample).await).await;
    let entries = proven(&audit.auditor, &audit.engagement).await;
    assert!(entries.len() > 8, "{entries:?}");

    // What happened stays, whoever has taken the service over; the owner's triggers refuse the owner, too.
    for table in [
        "trail_entry",
        "log_leaf",
        "log_node",
        "log_checkpoint",
        "log_cosignature",
    ] {
        for statement in [
            format!("DELETE FROM {table}"),
            format!("TRUNCATE {table}"),
            format!("ALTER TABLE {table} DISABLE TRIGGER ALL"),
            format!("DROP TABLE {table}"),
        ] {
            let told = refused(&service.db, &statement).await.unwrap_or_default();
            assert!(
                told.contains("permission denied") || told.contains("must be owner"),
                "{statement}: {told}"
            );
        }
    }
    for statement in [
        "UPDATE trail_entry SET actor = 'niemand'",
        "UPDATE trail_entry SET salt = NULL",
        "UPDATE log_leaf SET commitment = '\\x00'",
        "UPDATE log_node SET hash = '\\x00'",
        "UPDATE log_checkpoint SET size = 0",
        "UPDATE log_cosignature SET line = ''",
    ] {
        let told = refused(&service.db, statement).await.unwrap_or_default();
        assert!(told.contains("permission denied"), "{statement}: {told}");
    }
    assert!(refused(&owner, "UPDATE log_leaf SET idx = 7").await.is_some());
    assert!(refused(&owner, "DELETE FROM log_checkpoint").await.is_some());
    service.stop().await;
}

on_both!(rows_are_as_the_trail_left_them, |service| async move {
    let Some(program) = Program::beside(&service) else {
        return;
    };
    let audit = Audit::small(&service, &[("a", "09", 100), ("b", "01", 200)]).await;
    let sample = audit.drawn("alle", "SIMPLE_RANDOM", &json!({ "size": 2 })).await;
    let items = audit.items(&sample).await;
    audit.check_truly(&items).await;
    let aborted =
        audit.planned(audit.plan_input("noch eine", "SIMPLE_RANDOM", &json!({ "size": 1, "reason": "x" })));
    let aborted = aborted.await;
    let witnessed = audit.witnessed("bezeugt").await;
    let input = json!({ "id": witnessed["id"], "expectedVersion": 1, "reason": "nicht zustande gekommen" });
    audit
        .auditor
        .done(&change("abortSample", "sample { id }"), input)
        .await;
    let hold = json!({ "engagementId": audit.engagement, "reason": "Klage", "idempotencyKey": "h" });
    audit
        .auditor
        .done(&change("placeLegalHold", "legalHold { id }"), hold)
        .await;
    let grant = issued(&audit, inspection(&audit.engagement, &json!({}))).await;
    let comment = json!({ "engagementId": audit.engagement, "text": "Woher?", "idempotencyKey": "k" });
    let holder = service.holder(&grant).await;
    holder
        .done(&change("addComment", "comment { id }"), comment)
        .await;
    holder
        .data(
            "{ sampleItems(first: 5) { edges { node { reference } } } }",
            json!({}),
        )
        .await;

    // Whatever the service did, every row is explained.
    let rows = async |code: i32| {
        let ended = program.run(&["doctor", "--rows"]).await;
        assert_eq!(ended.code, code, "{ended:?}");
        let lines = ended
            .out
            .lines()
            .filter(|line| line.contains("rows as in the trail"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    // Body, engagement, population, import, control total, three samples, ceremony, two checks, hold, grant, comment.
    assert_eq!(rows(0).await, ["ok      rows as in the trail (14)"]);

    // What somebody does to the database past the service shows, and what.
    let owner = service.db.owner();
    for (table, trigger) in [
        ("check_answer", "update"),
        ("legal_hold", "delete"),
        ("contribution", "update"),
    ] {
        let unguarded = if service.db.is_postgres() {
            format!("ALTER TABLE {table} DISABLE TRIGGER USER")
        } else {
            format!("DROP TRIGGER {table}_{trigger}")
        };
        owner.execute_unprepared(&unguarded).await.unwrap();
    }
    for statement in [
        "UPDATE check_answer SET remark = remark || '.'",
        "UPDATE engagement SET objective = 'Zweckmäßigkeit'",
        "UPDATE contribution SET subject = 'jemand anders' WHERE party = 'Datenschutz'",
        "DELETE FROM legal_hold",
    ] {
        owner.execute_unprepared(statement).await.unwrap();
    }
    let more = comment::Entity::find().one(owner).await.unwrap().unwrap();
    let more = comment::Model {
        id: CommentId(service.sources.new_id()),
        ..more
    };
    comment::Entity::insert(more.into_active_model())
        .exec(owner)
        .await
        .unwrap();
    let found = rows(1).await;
    for (kind, wrong, count) in [
        ("Check", "not as it was left last", 2),
        ("Engagement", "not as it was left last", 1),
        ("Ceremony", "not as it was left last", 1),
        ("LegalHold", "gone", 1),
        ("Comment", "made without an entry", 1),
    ] {
        let told = found
            .iter()
            .filter(|line| line.contains(&format!(": {kind} ")) && line.contains(wrong));
        assert_eq!(told.count(), count, "{kind} in {found:#?}");
    }
    assert_eq!(found.len(), 6);

    // A change through the service afterwards does not cover it.
    owner
        .execute_unprepared("UPDATE sample SET name = 'eine andere' WHERE state = 'PLANNED'")
        .await
        .unwrap();
    let input = json!({ "id": aborted["id"], "expectedVersion": 1, "reason": "nicht nötig" });
    audit
        .auditor
        .done(&change("abortSample", "sample { id }"), input)
        .await;
    // Nor does it help to remove the entry, or its salt, or to approve a difference past the service.
    let erased = if service.db.is_postgres() {
        "UPDATE trail_entry SET salt = NULL WHERE id IN (SELECT entry_id FROM log_leaf WHERE idx = 0)"
    } else {
        "DELETE FROM trail_entry WHERE id IN (SELECT entry_id FROM log_leaf WHERE idx = 0)"
    };
    let mut gone = 0;
    for _ in 0..100 {
        gone = owner.execute_unprepared(erased).await.unwrap().rows_affected();
        if gone > 0 {
            break;
        }
        // Its leaf is not in the log yet.
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(gone, 1);
    let found = rows(1).await;
    assert!(
        found
            .iter()
            .any(|line| line.contains("TrailEntry ") && line.contains("erased")),
        "{found:#?}"
    );
    let between = found
        .iter()
        .filter(|line| line.contains("Sample ") && line.contains("changed between two entries"));
    assert_eq!(between.count(), 1, "{found:#?}");
});
