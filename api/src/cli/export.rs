//! `pruefpfad export`: the same lists as over the API, to a file or to standard output.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use audit::reads::{Reads, Writer};
use audit::trail;
use entity::SampleId;

use super::ExportCommand;
use super::import::operator;
use crate::app;
use crate::config::Settings;
use crate::graphql::NodeKind;
use crate::http::write_sample_items;
use crate::language::Language;

/// Writes a list.
pub(super) async fn run(
    command: &ExportCommand,
    settings: &Settings,
    language: Language,
) -> anyhow::Result<ExitCode> {
    let (db, sources) = (app::connect(settings).await?, app::sources(settings)?);
    app::prepare(settings, &db, &sources, false).await?;
    match command {
        ExportCommand::SampleItems {
            sample,
            output,
            subject,
            format: _,
        } => {
            let ctx = operator(subject, &sources)?;
            let id = NodeKind::Sample.parse(sample).or_else(|| sample.parse().ok());
            let id = id.with_context(|| format!("--sample {sample}"))?;
            let mut writer = open(output.as_deref())?;
            let reads = Reads::new(db.clone(), Writer::start(&db));
            let written = write_sample_items(&ctx, &db, &reads, SampleId(id), language, &mut *writer).await?;
            writer.flush()?;
            super::complain(&format!("{written} {}", language.say("Positionen", "items")));
        }
        ExportCommand::Log { output, subject } => {
            let ctx = operator(subject, &sources)?;
            let written = trail::write_export(&ctx, &db, open(output.as_deref())?).await?;
            super::complain(&format!("{written} {}", language.say("Einträge", "entries")));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn open(output: Option<&Path>) -> anyhow::Result<Box<dyn Write>> {
    Ok(match output {
        Some(path) => Box::new(BufWriter::new(
            File::create(path).with_context(|| path.display().to_string())?,
        )),
        None => Box::new(BufWriter::new(std::io::stdout())),
    })
}
