//! Draw file and draw record of a sample, and what `pruefpfad redraw` says of them.

use std::path::Path;
use std::process::{Command, Output};

use reqwest::Method;
use serde_json::Value;

use crate::Person;

/// Lines to draw from: key, Bezirksstelle, cents.
pub const LINES: [(&str, &str, i64); 8] = [
    ("a", "09", 100),
    ("b", "01", 200),
    ("c", "09", 0),
    ("d", "01", 50_000),
    ("e", "02", 700),
    ("f", "02", 90),
    ("g", "09", 1_200),
    ("h", "01", 3),
];

/// Status and text of a download of a sample, named by its id.
pub async fn fetched(person: &Person<'_>, path: &str, sample: &Value) -> (u16, String) {
    let path = format!("{path}?sample={}", sample.as_str().unwrap());
    let answer = person.request(Method::GET, &path).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// The program's exit code and answer to these files.
pub fn redraw(binary: &Path, file: &str, record: &str, more: &[&str]) -> (i32, Value) {
    let folder = tempfile::tempdir().unwrap();
    let paths = ["draw.csv", "record.json"].map(|name| folder.path().join(name));
    for (path, text) in paths.iter().zip([file, record]) {
        std::fs::write(path, text).unwrap();
    }
    let Output { status, stdout, .. } = Command::new(binary)
        .args(["redraw", "--json", "--file"])
        .arg(&paths[0])
        .arg("--record")
        .arg(&paths[1])
        .args(more)
        .output()
        .unwrap();
    (status.code().unwrap(), serde_json::from_slice(&stdout).unwrap())
}
