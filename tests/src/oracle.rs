//! Oracles in Python: the same figures, made independently.

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::missing;

/// What an oracle in Python prints; nothing where Python or its packages are missing and nobody named an interpreter.
pub fn oracle(script: &str, arguments: &[&str], input: &str) -> Option<String> {
    let named = std::env::var("PYTHON");
    let mut python = Command::new(named.as_deref().unwrap_or("python3"))
        .arg(format!("{}/oracles/{script}", env!("CARGO_MANIFEST_DIR")))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // A script that fails at once closes its end.
    let _closed = python.stdin.take().unwrap().write_all(input.as_bytes());
    let answer = python.wait_with_output().unwrap();
    if !answer.status.success() {
        assert!(named.is_err(), "{script} failed");
        missing(&format!(
            "the Python packages of tests/requirements.txt, for {script}"
        ));
        return None;
    }
    Some(String::from_utf8(answer.stdout).unwrap())
}
