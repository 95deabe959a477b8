//! `pruefpfad retention run`: the deletion job by hand, or what it would delete.

use std::fmt::Write as _;
use std::process::ExitCode;

use audit::access::Caller;
use audit::retention::{self, Run};
use audit::{Ctx, Db};

use super::RetentionCommand;
use crate::app;
use crate::config::Settings;
use crate::language::Language;

/// Deletes what is kept no longer, or says what is due.
pub(super) async fn run(
    command: &RetentionCommand,
    settings: &Settings,
    language: Language,
) -> anyhow::Result<ExitCode> {
    let RetentionCommand::Run { dry_run, subject } = command;
    let (db, sources) = (app::connect(settings).await?, app::sources(settings)?);
    app::prepare(settings, &db, &sources, false).await?;
    let caller = Caller {
        subject: subject.clone(),
        ..Caller::system()
    };
    let ctx = Ctx::new(caller, sources.new_id(), sources);
    let done = delete(&ctx, &db, *dry_run).await?;
    super::emit(&report(&done, *dry_run, language)?)?;
    Ok(ExitCode::SUCCESS)
}

async fn delete(ctx: &Ctx, db: &Db, dry_run: bool) -> audit::Result<Run> {
    if dry_run {
        retention::due(ctx, db).await
    } else {
        retention::run(ctx, db).await
    }
}

/// One line an engagement, and one for all: count, engagement, oldest, newest.
fn report(run: &Run, dry_run: bool, language: Language) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    let none = language.say("ohne Prüfung", "no engagement");
    for part in &run.records {
        let engagement = part
            .engagement
            .map_or_else(|| none.to_owned(), |id| id.to_string());
        let (from, to) = (part.from.format("%F"), part.to.format("%F"));
        writeln!(text, "{}\t{engagement}\t{from}\t{to}", part.count)?;
    }
    let done = if dry_run {
        language.say("Leseprotokolle fällig", "read records due")
    } else {
        language.say("Leseprotokolle gelöscht", "read records deleted")
    };
    writeln!(text, "{}\t{done} (< {})", run.count, run.before.format("%F"))?;
    Ok(text)
}
