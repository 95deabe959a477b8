//! `pruefpfad schema print` and `pruefpfad schema check`.

use std::process::ExitCode;

use anyhow::Context as _;

use super::SchemaCommand;
use crate::graphql;
use crate::language::Language;

/// Prints the schema, or compares it with a file.
pub(super) fn run(command: &SchemaCommand, language: Language) -> anyhow::Result<ExitCode> {
    let built = graphql::sdl();
    match command {
        SchemaCommand::Print => {
            super::emit(&built)?;
            Ok(ExitCode::SUCCESS)
        }
        SchemaCommand::Check { file } => {
            let kept = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
            if kept == built {
                return Ok(ExitCode::SUCCESS);
            }
            let line = kept
                .lines()
                .zip(built.lines())
                .take_while(|(kept, built)| kept == built)
                .count()
                + 1;
            super::complain(&format!(
                "{} {}:{line}\n- {}\n+ {}\n{}",
                language.say("Das Schema weicht ab:", "The schema differs:"),
                file.display(),
                kept.lines().nth(line - 1).unwrap_or_default(),
                built.lines().nth(line - 1).unwrap_or_default(),
                language.say(
                    "Wenn das so sein soll: pruefpfad schema print > schema.graphql",
                    "If it is meant to: pruefpfad schema print > schema.graphql"
                ),
            ));
            Ok(ExitCode::FAILURE)
        }
    }
}
