//! `pruefpfad import`: the same import as over the API, with a bar in the terminal.

use std::fs::File;
use std::io::{BufReader, Read};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use audit::access::{Caller, Membership, Role};
use audit::page::PageArgs;
use audit::population::import::Mapping;
use audit::population::{self, Create, IntakeLimits, OpenImport, import_file, rejections};
use audit::{Ctx, Db, Error, Refusal, Sources, engagement};
use entity::population::Unit;
use entity::population_import::{Model, State};
use indicatif::{ProgressBar, ProgressStyle};

use super::ImportArgs;
use crate::app;
use crate::config::Settings;
use crate::language::Language;

/// Refused lines shown in the terminal; the API lists all that were kept.
const SHOWN: u64 = 20;

/// Imports a file into a population of an engagement. Exit code 1 when nothing was imported.
pub(super) async fn run(
    arguments: &ImportArgs,
    settings: &Settings,
    language: Language,
) -> anyhow::Result<ExitCode> {
    let (db, sources) = (app::connect(settings).await?, app::sources(settings)?);
    app::prepare(settings, &db, &sources, false).await?;
    let ctx = operator(&arguments.subject, &sources)?;
    let mapping = std::fs::read_to_string(&arguments.mapping)
        .with_context(|| arguments.mapping.display().to_string())?;
    let mapping: Mapping = serde_json::from_str(&mapping)
        .with_context(|| format!("{}: Spaltenzuordnung/mapping", arguments.mapping.display()))?;
    let file = File::open(&arguments.file).with_context(|| arguments.file.display().to_string())?;
    let population = find_or_create(arguments, &ctx, &db, language).await?;
    let bytes = file.metadata()?.len();
    let name = arguments
        .file
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let row = import(
        &ctx, &db, population, &name, bytes, mapping, file, settings, language,
    )
    .await?;
    report(&ctx, &db, &row, language).await
}

/// Whoever works at the service's own machine, with the rights of an auditor; trail and read records name them as given, and that
/// nobody vouches for it (`INNENREVISION host`).
pub(super) fn operator(subject: &str, sources: &Arc<Sources>) -> anyhow::Result<Ctx> {
    let caller = Caller {
        subject: subject.to_owned(),
        name: None,
        membership: Some(Membership::new(Role::Innenrevision, None)?.at_host()),
        bezirksstelle: None,
        authenticated: true,
        grant: None,
    };
    Ok(Ctx::new(caller, sources.new_id(), sources.clone()))
}

/// Reads a file into a population, with a bar in the terminal.
#[expect(
    clippy::too_many_arguments,
    reason = "what an import is made of, each used once"
)]
pub(super) async fn import(
    ctx: &Ctx,
    db: &Db,
    population: entity::PopulationId,
    file_name: &str,
    bytes: u64,
    mapping: Mapping,
    file: impl Read + Send + 'static,
    settings: &Settings,
    language: Language,
) -> anyhow::Result<Model> {
    let open = OpenImport {
        population_id: population,
        file_name: file_name.to_owned(),
        bytes_expected: i64::try_from(bytes).ok(),
        mapping,
    };
    let key = ctx.new_id().to_string();
    let bar = ProgressBar::new(bytes).with_style(
        ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta}")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    let limits = IntakeLimits {
        record_bytes: settings.import.record_limit_bytes,
        file_bytes: settings.import.file_limit_bytes,
        rejections_kept: settings.import.rejections_kept,
    };
    let input = BufReader::with_capacity(1 << 18, bar.wrap_read(file));
    let ended = import_file(ctx.clone(), db.clone(), &key, open, input, limits).await;
    bar.finish_and_clear();
    said(ended, language)
}

async fn find_or_create(
    arguments: &ImportArgs,
    ctx: &Ctx,
    db: &Db,
    language: Language,
) -> anyhow::Result<entity::PopulationId> {
    let Some(engagement) = said(
        engagement::by_number(ctx, db, &arguments.engagement).await,
        language,
    )?
    else {
        bail!(
            "{} {}",
            language.say("Diese Prüfung gibt es nicht:", "There is no such engagement:"),
            arguments.engagement
        );
    };
    let all = PageArgs {
        after: None,
        before: None,
        limit: 1_000,
        backward: false,
    };
    let (page, _) = said(
        population::list(ctx, db, engagement.id, &all, false).await,
        language,
    )?;
    if let Some(row) = page.rows.into_iter().find(|row| row.name == arguments.population) {
        return Ok(row.id);
    }
    let unit = Unit::ALL
        .iter()
        .copied()
        .find(|unit| unit.as_str() == arguments.unit.as_str());
    let create = Create {
        engagement_id: engagement.id,
        name: arguments.population.clone(),
        unit: unit.context("unit")?,
        source: arguments.file.display().to_string(),
    };
    Ok(said(
        population::create(ctx, db, &ctx.new_id().to_string(), create).await,
        language,
    )?
    .id)
}

async fn report(ctx: &Ctx, db: &Db, row: &Model, language: Language) -> anyhow::Result<ExitCode> {
    if row.state == State::Completed {
        super::emit(&format!(
            "{} {} {}, {} {}\n",
            row.lines_read,
            language.say("Zeilen importiert, Summe", "lines imported, sum"),
            row.sum_cents,
            language.say("SHA-256", "SHA-256"),
            row.sha256.as_deref().map(hex::encode).unwrap_or_default(),
        ))?;
        return Ok(ExitCode::SUCCESS);
    }
    super::complain(&format!(
        "{} {} {}",
        language.say("Nicht importiert:", "Not imported:"),
        row.failure.as_deref().unwrap_or_default(),
        row.failure_detail.as_deref().unwrap_or_default(),
    ));
    let reason = Refusal::kept(
        row.failure.as_deref().unwrap_or_default(),
        row.failure_detail.as_deref().unwrap_or_default(),
    );
    if let Some(reason) = reason {
        super::complain(&reason.message(language));
    }
    for rejection in said(rejections(ctx, db, row.id, None, SHOWN).await, language)? {
        super::complain(&format!(
            "  {} {}: {} {} {}",
            language.say("Zeile", "line"),
            rejection.line,
            rejection.column_name.as_deref().unwrap_or_default(),
            rejection.code,
            rejection
                .other_line
                .map(|line| format!("({line})"))
                .unwrap_or_default(),
        ));
    }
    Ok(ExitCode::FAILURE)
}

/// The result of a use case, its refusals in words.
pub(super) fn said<T>(result: audit::Result<T>, language: Language) -> anyhow::Result<T> {
    result.map_err(|error| match error {
        Error::Refused(refusals) => anyhow::anyhow!(
            refusals
                .iter()
                .map(|refusal| format!(
                    "{} [{}] {}",
                    refusal.message(language),
                    refusal.code.as_str(),
                    refusal.path
                ))
                .collect::<Vec<_>>()
                .join("\n")
        ),
        other => other.into(),
    })
}
