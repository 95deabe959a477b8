//! `pruefpfad log-key`: makes the key that signs the log, and prints what outsiders verify it with.

use std::fmt::Write as _;
use std::process::ExitCode;

use anyhow::{Context as _, bail};

use super::LogKeyCommand;
use crate::app;
use crate::config::{Loaded, key_or_create};
use crate::language::Language;

/// Makes a key, which needs no configuration, or prints the configured ones.
pub(super) fn run(
    command: &LogKeyCommand,
    load: impl FnOnce() -> anyhow::Result<Loaded>,
    language: Language,
) -> anyhow::Result<ExitCode> {
    match command {
        LogKeyCommand::New { file } => {
            if file.exists() {
                bail!(
                    "{}: {}",
                    file.display(),
                    language.say(
                        "Die Datei gibt es schon. Ein Schlüssel wird nicht überschrieben; nennen Sie eine neue Datei.",
                        "the file exists. A key is not overwritten; name a new file.",
                    )
                );
            }
            key_or_create(file).with_context(|| file.display().to_string())?;
            super::complain(language.say(
                "Nennen Sie die Datei in secrets.log_key_file. Ersetzt sie einen Schlüssel, kommt dessen Prüfschlüssel (log-key show) nach log.verifier_keys.",
                "Name the file in secrets.log_key_file. If it replaces a key, that one's verifier key (log-key show) goes to log.verifier_keys.",
            ));
        }
        LogKeyCommand::Show => {
            let keys = app::log_keys(&load()?.settings)?;
            let mut text = String::new();
            for key in keys.known() {
                writeln!(text, "{key}")?;
            }
            super::emit(&text)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
