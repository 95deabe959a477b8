//! Witnesses of the log as whoever runs one meets them: real processes that cosign a real service's checkpoints, and refuse
//! what is not the log they know.

#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

use std::path::Path;
use std::time::Duration;

use audit::trail::checkpoint::{Checkpoint, ConsistencyProof};
use audit::trail::merkle::{Hash, TreeHasher, leaf_hash, node_hash};
use audit::trail::note::SigningKey;
use audit::trail::witness::{WitnessKey, WitnessSigner, cosignatures};
use reqwest::Method;
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};
use tests::program::{Program, Serving};
use tests::story::{change, nodes};
use tests::{Backend, Person, Service, missing};

const ORIGIN: &str = "development.invalid/log";
const CHECKPOINT: &str = "{ logCheckpoint { size note proved cosignatures { witness at } } }";
const CONSISTENCY: &str = "query($from: Long!) { logConsistency(from: $from) { text } }";
const TRAIL: &str = "query($id: ID!) { engagement(id: $id) { trail(first: 200) { edges { node {
    proof { line text proved } } } } } }";

fn log_key() -> SigningKey {
    SigningKey::new(ORIGIN, [0x11; 32]).unwrap()
}

/// A witness in a folder of its own.
struct Witness {
    program: Program,
    name: &'static str,
    logs: Vec<String>,
    running: Option<Serving>,
    address: String,
    key: String,
}

impl Witness {
    /// A running witness of these logs; none where the binary was not built.
    async fn start(name: &'static str, logs: &[String]) -> Option<Self> {
        let mut witness = Self {
            program: Program::on(Backend::Sqlite).await?,
            name,
            logs: logs.to_vec(),
            running: None,
            address: "http://127.0.0.1:0".to_owned(),
            key: String::new(),
        };
        witness.up().await;
        Some(witness)
    }

    fn arguments(&self) -> Vec<&str> {
        let listen = self.address.trim_start_matches("http://");
        let mut arguments = vec!["witness", "--listen", listen, "--name", self.name];
        arguments.extend(["--key-file", "key", "--state", "state"]);
        arguments.extend(self.logs.iter().flat_map(|log| ["--log", log.as_str()]));
        arguments
    }

    async fn up(&mut self) {
        let running = self.program.serve(&self.arguments()).await;
        self.address.clone_from(&running.address);
        for _ in 0..100 {
            if !running.out().is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let key = running.out().trim().to_owned();
        assert!(self.key.is_empty() || self.key == key, "the key stays: {key}");
        self.key = key;
        self.running = Some(running);
    }

    /// Ends it as a power cut does.
    async fn kill(&mut self) {
        let Some(running) = self.running.take() else {
            return;
        };
        let process = format!("/proc/{}/exe", running.pid());
        drop(running);
        while std::fs::read_link(&process).is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn verifier(&self) -> WitnessKey {
        self.key.parse().unwrap()
    }

    async fn asked(&self, body: impl Into<reqwest::Body>) -> (u16, String, String) {
        let address = format!("{}/add-checkpoint", self.address);
        let answer = reqwest::Client::new()
            .post(address)
            .body(body)
            .send()
            .await
            .unwrap();
        let kind = answer.headers().get("content-type");
        let kind = kind
            .and_then(|kind| kind.to_str().ok())
            .unwrap_or_default()
            .to_owned();
        (answer.status().as_u16(), kind, answer.text().await.unwrap())
    }
}

/// The settings of a service with these witnesses.
fn settings(witnesses: &[&Witness], quorum: usize) -> Vec<(&'static str, String)> {
    let list: Vec<_> = witnesses
        .iter()
        .map(|witness| json!({ "url": witness.address, "key": witness.key }))
        .collect();
    vec![
        ("PRUEFPFAD__SECRETS__LOG_KEY", "11".repeat(32)),
        ("PRUEFPFAD__LOG__WITNESSES", json!(list).to_string()),
        ("PRUEFPFAD__LOG__QUORUM", quorum.to_string()),
    ]
}

fn engagement(title: &str) -> Value {
    json!({
        "title": title, "function": "INNENREVISION", "objective": "Rechtmäßigkeit", "legalBasis": "§ 6b (4) SGB II",
        "periodFrom": "2025-01-01", "periodTo": "2025-12-31", "idempotencyKey": title,
    })
}

async fn opened(person: &Person<'_>, title: &str) -> String {
    let document = change("openEngagement", "engagement { id }");
    let payload = person.done(&document, engagement(title)).await;
    payload["engagement"]["id"].as_str().unwrap().to_owned()
}

/// The last checkpoint, once it is of this size at least and these witnesses have cosigned it, and no other.
async fn cosigned(person: &Person<'_>, size: u64, names: &[&str]) -> Value {
    let mut last = Value::Null;
    for _ in 0..900 {
        last = person.data(CHECKPOINT, json!({})).await["logCheckpoint"].take();
        let cosigned = last["cosignatures"].as_array().cloned().unwrap_or_default();
        let found: Vec<_> = cosigned
            .iter()
            .filter_map(|one| one["witness"].as_str())
            .collect();
        if found == names && last["size"].as_u64() >= Some(size) {
            return last;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("not cosigned: {last}");
}

/// What the verifier in Python says of the service, with what it shows in public and what the auditor sees; none without Python.
async fn python(
    service: &Service,
    shown: &Value,
    quorum: &str,
    witnesses: &[&str],
) -> Option<Result<Value, String>> {
    use tokio::io::AsyncWriteExt as _;
    let named = std::env::var("PYTHON");
    let mut python = tokio::process::Command::new(named.as_deref().unwrap_or("python3"))
        .arg(format!("{}/oracles/log.py", env!("CARGO_MANIFEST_DIR")))
        .args([
            "service",
            &service.address,
            &log_key().verifier().to_string(),
            quorum,
        ])
        .args(witnesses)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = python.stdin.take().unwrap();
    stdin.write_all(shown.to_string().as_bytes()).await.unwrap();
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

/// The command says the same without the service, of what the service gave out.
async fn verified_alone(program: &Program, key: &str, all: &[&str; 2], stranger: &str) {
    for (words, witnesses, quorum, code) in [
        (&["checkpoint", "now"][..], &all[..], None, None),
        (&["inclusion", "entry"], all, None, None),
        (&["consistency", "old", "growth"], all, Some("2"), None),
        (&["checkpoint", "lacking"], all, Some("1"), None),
        (&["checkpoint", "lacking"], all, None, Some("NOT_PROVED")),
        (&["checkpoint", "lacking"], &all[1..], None, Some("NOT_PROVED")),
        (&["checkpoint", "now"], &[stranger], None, Some("NOT_PROVED")),
    ] {
        let mut arguments = [&["verify", "--json", "--key", key], words].concat();
        arguments.extend(witnesses.iter().flat_map(|witness| ["--witness", witness]));
        arguments.extend(quorum.into_iter().flat_map(|quorum| ["--quorum", quorum]));
        let ended = program.run(&arguments).await;
        let said: Value = serde_json::from_str(&ended.out).unwrap();
        assert_eq!(
            (ended.code, said["code"].as_str()),
            (i32::from(code.is_some()), code),
            "{arguments:?}: {said}"
        );
        if code.is_none() {
            let expected = if words.contains(&"lacking") { 1 } else { 2 };
            assert_eq!(said["witnesses"].as_array().unwrap().len(), expected);
        }
    }
    let mut too_many = vec!["verify", "checkpoint", "now", "--key", key];
    too_many.extend(["--quorum", "3", "--witness", all[0]]);
    assert_eq!(program.run(&too_many).await.code, 2);
}

async fn proved_by_the_quorum(backend: Backend) {
    let logs = [log_key().verifier().to_string()];
    let Some(one) = Witness::start("rpa.example", &logs).await else {
        return;
    };
    let mut two = Witness::start("stadt.example", &logs).await.unwrap();
    let given = settings(&[&one, &two], 2);
    let given: Vec<_> = given
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let Some(service) = Service::start_with(backend, &given).await else {
        return;
    };
    let (auditor, anybody) = (service.auditor(), service.anybody());
    let both = ["rpa.example", "stadt.example"];

    // Two of two: proved, for whoever reads the log and for whoever sees the entry.
    let first = opened(&auditor, "Erste").await;
    let old = cosigned(&anybody, 3, &both).await;
    assert_eq!(old["proved"], true);
    let proof = auditor.data(TRAIL, json!({ "id": first })).await;
    let proof = nodes(&proof["engagement"]["trail"])[0]["proof"].clone();
    assert_eq!(proof["proved"], true);
    let answer = anybody.request(Method::GET, "/log/checkpoint").send().await;
    let note = answer.unwrap().text().await.unwrap();
    assert_eq!(note, old["note"].as_str().unwrap());
    let found = cosignatures(&note, &[one.verifier(), two.verifier()]).unwrap();
    assert_eq!(found.len(), 2);

    // What is stored stays.
    for statement in [
        "UPDATE log_cosignature SET line = ''",
        "DELETE FROM log_cosignature",
    ] {
        let changed = service.db.owner().execute_unprepared(statement).await;
        assert!(changed.is_err(), "{statement}");
    }

    // One is gone: the log goes on, and does not say that it is proved.
    two.kill().await;
    let size = old["size"].as_u64().unwrap();
    opened(&auditor, "Zweite").await;
    let lacking = cosigned(&anybody, size + 1, &both[..1]).await;
    assert_eq!(lacking["proved"], false);
    opened(&auditor, "Dritte").await;
    cosigned(&anybody, size + 2, &both[..1]).await;

    // Back with what it knew: it is shown that the log grew from there.
    two.up().await;
    let now = cosigned(&anybody, size + 2, &both).await;
    assert_eq!(now["proved"], true);
    let metrics = anybody.request(Method::GET, "/metrics").send().await.unwrap();
    let metrics = metrics.text().await.unwrap();
    for (part, value) in [
        ("requests_total{outcome=\"FAILED\"", None),
        ("accuses{", Some(" 0")),
    ] {
        let found = metrics.lines().any(|line| {
            line.starts_with(&format!("pruefpfad_witness_{part}"))
                && line.contains("stadt.example")
                && value.is_none_or(|value| line.ends_with(value))
        });
        assert!(found, "{part} in\n{metrics}");
    }

    // The same without the service.
    let growth = anybody.data(CONSISTENCY, json!({ "from": size })).await;
    let growth = &growth["logConsistency"]["text"];
    let program = Program::beside(&service).unwrap();
    for (name, value) in [
        ("old", &old["note"]),
        ("now", &now["note"]),
        ("lacking", &lacking["note"]),
        ("entry", &proof["text"]),
        ("growth", growth),
    ] {
        program.file(name, value.as_str().unwrap());
    }
    let (key, all) = (logs[0].as_str(), [one.key.as_str(), two.key.as_str()]);
    let stranger = WitnessSigner::new("rpa.example", [9; 32])
        .unwrap()
        .verifier()
        .to_string();
    verified_alone(&program, key, &all, &stranger).await;
    // Not a byte of a cosignature can be changed.
    let note = now["note"].as_str().unwrap();
    let known = cosignatures(note, &[one.verifier()]).unwrap().remove(0).line;
    program.file("forged", &note.replace(&known, &known.replace("AAA", "AAB")));
    let arguments = [
        "verify",
        "checkpoint",
        "forged",
        "--key",
        key,
        "--witness",
        all[0],
    ];
    let ended = program.run(&arguments).await;
    assert_eq!(ended.code, 1, "{ended:?}");

    let shown = json!({ "entries": [proof], "growth": [{ "old": old["note"], "text": growth }] });
    if let Some(found) = python(&service, &shown, "2", &all).await {
        assert_eq!(found.unwrap()["size"], now["size"]);
        let told = python(&service, &shown, "2", &[all[0], &stranger]).await.unwrap();
        assert!(told.unwrap_err().contains("witness"));
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn proved_by_the_quorum_sqlite() {
    proved_by_the_quorum(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn proved_by_the_quorum_postgres() {
    proved_by_the_quorum(Backend::Postgres).await;
}

/// Waits for something that a process says or shows.
async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..900 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{what}");
}

async fn posted(address: &str, token: &str, document: &str, variables: &Value) -> Value {
    let body = json!({ "query": document, "variables": variables });
    let request = reqwest::Client::new().post(format!("{address}/graphql"));
    let answer = request.bearer_auth(token).json(&body).send().await.unwrap();
    answer.json().await.unwrap()
}

async fn is_proved(address: &str, token: &str, size: u64) -> bool {
    let answer = posted(address, token, CHECKPOINT, &json!({})).await;
    let last = &answer["data"]["logCheckpoint"];
    last["proved"] == true && last["size"].as_u64() >= Some(size)
}

fn copied(from: &Path, to: &Path) {
    for part in ["", "-wal", "-shm"] {
        let [from, to] = [from, to].map(|file| format!("{}{part}", file.display()));
        let _gone = std::fs::remove_file(&to);
        if Path::new(&from).exists() {
            std::fs::copy(from, to).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_was_set_back_is_found_out() {
    let logs = [log_key().verifier().to_string()];
    let Some(witness) = Witness::start("rpa.example", &logs).await else {
        return;
    };
    let program = settings(&[&witness], 1).iter().fold(
        Program::on(Backend::Sqlite).await.unwrap(),
        |program, (name, value)| program.with(name, value),
    );
    let token = program.succeeds(&["token", "--role", "INNENREVISION"]).await;
    let token = token.trim();
    let open = async |address: &str, title: &str| {
        let document = change("openEngagement", "engagement { id }");
        let answer = posted(address, token, &document, &json!({ "input": engagement(title) })).await;
        assert_eq!(
            answer["data"]["openEngagement"]["userErrors"],
            json!([]),
            "{answer}"
        );
    };
    let (file, copy) = (
        program.folder().join("test.sqlite"),
        program.folder().join("copy"),
    );

    let serving = program.serve(&["serve", "--migrate"]).await;
    open(&serving.address, "Erste").await;
    until("not proved", async || is_proved(&serving.address, token, 3).await).await;
    let doctor = program.succeeds(&["doctor"]).await;
    assert!(doctor.contains("ok      witness rpa.example"), "{doctor}");
    serving.interrupt().await;
    copied(&file, &copy);
    let serving = program.serve(&["serve"]).await;
    open(&serving.address, "Zweite").await;
    until("not proved", async || is_proved(&serving.address, token, 4).await).await;
    serving.interrupt().await;

    // Set back, it is told at once, though nothing new happens.
    copied(&copy, &file);
    let serving = program.serve(&["serve"]).await;
    until("nothing said", async || serving.err().contains("set back")).await;
    assert!(serving.err().contains("ERROR"), "{}", serving.err());
    let metrics = reqwest::get(format!("{}/metrics", serving.address))
        .await
        .unwrap();
    let metrics = metrics.text().await.unwrap();
    let accused = metrics
        .lines()
        .any(|line| line.starts_with("pruefpfad_witness_accuses{") && line.ends_with(" 1"));
    assert!(accused, "{metrics}");
    let doctor = program.run(&["doctor"]).await;
    assert_eq!(doctor.code, 1);
    assert!(doctor.out.contains("FAILED  witness rpa.example"), "{doctor:?}");

    // Going on from there makes another log, which is never proved.
    open(&serving.address, "Andere zweite").await;
    open(&serving.address, "Andere dritte").await;
    until("nothing said", async || {
        serving.err().contains("cosigned another log")
    })
    .await;
    assert!(!is_proved(&serving.address, token, 4).await);
    serving.interrupt().await;
}

fn leaves(count: u8) -> Vec<Hash> {
    (0..count).map(|leaf| leaf_hash(&[leaf])).collect()
}

fn note(key: &SigningKey, leaves: &[Hash]) -> String {
    let mut tree = TreeHasher::new();
    for leaf in leaves {
        tree.push(*leaf);
    }
    let checkpoint = Checkpoint {
        origin: key.verifier().name().to_owned(),
        size: tree.leaves(),
        root: tree.root(),
    };
    key.sign(&checkpoint.to_string())
}

fn body(old: u64, path: &[Hash], note: &str) -> String {
    let path = path.to_vec();
    let note = note.to_owned();
    ConsistencyProof { old, path, note }.to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_witness_answers_as_the_specification_says() {
    let key = log_key();
    let logs = [key.verifier().to_string()];
    let Some(mut witness) = Witness::start("rpa.example", &logs).await else {
        return;
    };
    let all = leaves(4);
    let (two, three) = (note(&key, &all[..2]), note(&key, &all[..3]));

    // Somebody else's log, one of the same name by another key, no request at all.
    let other = SigningKey::new("example.com/log", [1; 32]).unwrap();
    let namesake = SigningKey::new(ORIGIN, [1; 32]).unwrap();
    for (body, status) in [
        (body(0, &[], &note(&other, &all)), 404),
        (body(0, &[], &note(&namesake, &all)), 403),
        (body(0, &[], &two.replacen("\n2\n", "\n1\n", 1)), 403),
        (body(3, &[], &two), 400),
        ("old 0\n".to_owned(), 400),
        ("x".repeat(100_000), 413),
    ] {
        assert_eq!(witness.asked(body.clone()).await.0, status, "{body:.80}");
    }

    // The first it sees, whatever its size; then what grew from it.
    let (status, _, line) = witness.asked(body(0, &[], &two)).await;
    assert_eq!(status, 200);
    assert_eq!(
        cosignatures(&format!("{two}{line}"), &[witness.verifier()])
            .unwrap()
            .len(),
        1
    );
    let (status, kind, size) = witness.asked(body(0, &[], &three)).await;
    assert_eq!(
        (status, kind.as_str(), size.as_str()),
        (409, "text/x.tlog.size", "2\n")
    );

    // What it knows survives it.
    witness.kill().await;
    witness.up().await;
    let mut forked = all.clone();
    forked.swap(0, 1);
    for (body, status) in [
        (body(2, &[], &note(&key, &forked[..2])), 409),
        (body(2, &[all[2]], &note(&key, &forked[..3])), 422),
        (body(2, &[all[3]], &three), 422),
        (body(2, &[], &three), 422),
        (body(2, &[all[2]], &three), 200),
        (body(2, &[all[2]], &three), 409),
        (body(3, &[], &three), 200),
        (body(2, &[], &two), 409),
    ] {
        assert_eq!(witness.asked(body.clone()).await.0, status, "{body}");
    }

    // Of two ways to go on that are asked for at once, it goes one.
    let last = leaf_hash(b"other");
    let other_way = [&all[..3], &[last]].concat();
    let grown = |leaves: &[Hash]| {
        body(
            3,
            &[all[2], leaves[3], node_hash(&all[0], &all[1])],
            &note(&key, leaves),
        )
    };
    let (here, there) = (grown(&all), grown(&other_way));
    let (here, there) = tokio::join!(witness.asked(here), witness.asked(there));
    let mut statuses = [here.0, there.0];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);

    // Nobody else uses its state, and it does not begin anew without it.
    let second = witness.program.run(&witness.arguments()).await;
    assert!(
        second.code != 0 && second.err.contains("another witness"),
        "{second:?}"
    );
    witness.kill().await;
    std::fs::remove_dir_all(witness.program.folder().join("state")).unwrap();
    let forgetful = witness.program.run(&witness.arguments()).await;
    assert!(
        forgetful.code != 0 && forgetful.err.contains("memory"),
        "{forgetful:?}"
    );
}
