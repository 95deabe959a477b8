//! `pruefpfad migrate up` and `pruefpfad migrate status`.

use std::fmt::Write as _;
use std::process::ExitCode;

use super::MigrateCommand;
use crate::app;
use crate::config::Settings;
use crate::language::Language;

/// Applies missing changes, or lists all with whether they were applied.
pub(super) async fn run(
    command: MigrateCommand,
    settings: &Settings,
    language: Language,
) -> anyhow::Result<ExitCode> {
    let db = app::connect(settings).await?;
    if matches!(command, MigrateCommand::Up) {
        app::migrate(&db).await?;
    }
    let changes = app::migrations(&db).await?;
    let mut text = String::new();
    for (name, applied) in &changes {
        let state = if *applied {
            language.say("angewandt", "applied")
        } else {
            language.say("fehlt", "missing")
        };
        writeln!(text, "{state}\t{name}")?;
    }
    super::emit(&text)?;
    let current = changes.iter().all(|(_, applied)| *applied);
    Ok(if current {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
