//! What somebody outside does with a draw: repeats it by the program and in Python, and changes what it stands on.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use audit::Ctx;
use audit::trail::rows::unexplained;
use serde_json::{Value, json};
use tests::program::binary;
use tests::redraw::fetched;
use tests::story::{Audit, nodes};
use tests::{Person, Service, missing};

use crate::desk::seen;

/// A download of a sample that is given.
async fn given(person: &Person<'_>, path: &str, sample: &Value) -> String {
    let (status, text) = fetched(person, path, &sample["id"]).await;
    assert_eq!(status, 200);
    text
}

/// The program's answer to these files.
pub(crate) fn redraw(binary: &Path, file: &str, record: &Value, more: &[&str]) -> (i32, Value) {
    tests::redraw::redraw(binary, file, &record.to_string(), more)
}

/// What the oracle in Python says of these files; nothing where there is no Python and nobody named an interpreter.
pub(crate) fn oracle(file: &str, record: &Value) -> Option<Value> {
    let rows: Vec<Value> = file
        .lines()
        .filter(|line| !line.starts_with('#'))
        .skip(1)
        .map(|line| {
            let fields: Vec<&str> = line.split(';').collect();
            json!([
                fields[0],
                fields[1],
                fields[2],
                fields[3].replace('.', "").parse::<i64>().ok()
            ])
        })
        .collect();
    let named = std::env::var("PYTHON");
    let python = Command::new(named.as_deref().unwrap_or("python3"))
        .arg(format!("{}/oracles/draw.py", env!("CARGO_MANIFEST_DIR")))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut python) = python else {
        missing("Python, for draw.py");
        return None;
    };
    let query = json!({ "what": "record", "record": record, "rows": rows });
    writeln!(python.stdin.take().unwrap(), "{query}").unwrap();
    let answer = python.wait_with_output().unwrap();
    assert!(answer.status.success(), "draw.py failed");
    Some(serde_json::from_slice(&answer.stdout).unwrap())
}

/// A record with one thing otherwise.
pub(crate) fn tampered(record: &Value, change: impl Fn(&mut Value)) -> Value {
    let mut record = record.clone();
    change(&mut record);
    record
}

/// The reason why the record's ceremony leads to no seed.
pub(crate) fn reason(binary: &Path, file: &str, record: &Value) -> Value {
    let (code, answer) = redraw(binary, file, record, &[]);
    assert_eq!(code, 1, "{answer}");
    let refused = answer["differences"].as_array().unwrap().iter();
    let mut refused = refused.filter(|one| one["code"] == "CEREMONY_REFUSED");
    refused.next().map_or(Value::Null, |one| one["reason"].clone())
}

/// Repeats the draw from its files: as recorded, by the program and by the oracle. The program, the files and the record.
pub(crate) async fn repeated(
    audit: &Audit<'_>,
    sample: &Value,
) -> Option<(std::path::PathBuf, String, Value)> {
    let file = given(&audit.auditor, "/exports/draw-file.csv", sample).await;
    let record = given(&audit.auditor, "/exports/draw-record.json", sample).await;
    let record: Value = serde_json::from_str(&record).unwrap();
    let told = seen(&audit.auditor, sample).await;
    let digest = told["ceremony"]["planDigest"].as_str().unwrap();
    if let Some(said) = oracle(&file, &record) {
        assert_eq!(said["differences"], json!([]), "{said}");
        assert_eq!(
            (&said["planDigest"], &said["seed"]),
            (&json!(digest), &told["seed"])
        );
    }
    let binary = binary()?;
    let (code, answer) = redraw(&binary, &file, &record, &["--plan", digest]);
    assert_eq!((code, &answer["agrees"]), (0, &json!(true)), "{answer}");
    assert_eq!(
        (&answer["ceremonyChecked"], &answer["seed"]),
        (&json!(true), &told["seed"])
    );
    Some((binary, file, record))
}

/// Waits until all that happened in the engagement has its place in the log.
pub(crate) async fn all_placed(audit: &Audit<'_>) {
    let document =
        "query($id: ID!) { engagement(id: $id) { trail(first: 100) { edges { node { proof { text } } } } } }";
    for _ in 0..100 {
        let data = audit
            .auditor
            .data(document, json!({ "id": audit.engagement }))
            .await;
        let entries = nodes(&data["engagement"]["trail"]);
        if entries.iter().all(|entry| entry["proof"].is_object()) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("the log is not signed");
}

pub(crate) async fn nothing_unexplained(service: &Service) {
    let (found, rows) = unexplained(&Ctx::system(service.sources.clone()), &service.db)
        .await
        .unwrap();
    assert!(found.is_empty() && rows > 0, "{found:?}");
}
