//! `pruefpfad export`: the same lists as over the API, to a file or to standard output.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::process::ExitCode;

use anyhow::Context as _;
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
    let ExportCommand::SampleItems {
        sample,
        output,
        subject,
        format: _,
    } = command;
    let (db, sources) = (app::connect(settings).await?, app::sources(settings)?);
    app::prepare(settings, &db, &sources, false).await?;
    let ctx = operator(subject, &sources)?;
    let id = NodeKind::Sample.parse(sample).or_else(|| sample.parse().ok());
    let id = id.with_context(|| format!("--sample {sample}"))?;
    let mut writer: Box<dyn Write> = match output {
        Some(path) => Box::new(BufWriter::new(
            File::create(path).with_context(|| path.display().to_string())?,
        )),
        None => Box::new(BufWriter::new(std::io::stdout())),
    };
    let written = write_sample_items(&ctx, &db, SampleId(id), language, &mut *writer).await?;
    writer.flush()?;
    super::complain(&format!("{written} {}", language.say("Positionen", "items")));
    Ok(ExitCode::SUCCESS)
}
