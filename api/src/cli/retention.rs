//! `pruefpfad retention run`: the deletion job by hand, or what it would delete.

use std::fmt::Write as _;
use std::process::ExitCode;

use audit::access::Caller;
use audit::retention::{self, Kind, Run};
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
    for kind in Kind::ALL {
        let done = delete(&ctx, &db, *dry_run, kind).await?;
        super::emit(&report(&done, *dry_run, language)?)?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn delete(ctx: &Ctx, db: &Db, dry_run: bool, kind: Kind) -> audit::Result<Run> {
    if dry_run {
        retention::due(ctx, db, kind).await
    } else {
        retention::run(ctx, db, kind).await
    }
}

/// One line an engagement, and one for all: count, engagement, and of read records the days of the oldest and the newest.
fn report(run: &Run, dry_run: bool, language: Language) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    let none = language.say("ohne Prüfung", "no engagement");
    for part in &run.records {
        let engagement = part
            .engagement
            .map_or_else(|| none.to_owned(), |id| id.to_string());
        write!(text, "{}\t{engagement}", part.count)?;
        for day in [part.from, part.to].into_iter().flatten() {
            write!(text, "\t{}", day.format("%F"))?;
        }
        writeln!(text)?;
    }
    let done = match (run.kind, dry_run) {
        (Kind::ReadRecord, true) => language.say("Leseprotokolle fällig", "read records due"),
        (Kind::ReadRecord, false) => language.say("Leseprotokolle gelöscht", "read records deleted"),
        (Kind::CaseNumber, true) => language.say("Fallnummern fällig", "case numbers due"),
        (Kind::WorkingPaper, true) => language.say(
            "Positionen in Arbeitspapieren fällig",
            "items of working papers due",
        ),
        (Kind::WorkingPaper, false) => language.say(
            "Positionen in Arbeitspapieren gelöscht",
            "items of working papers deleted",
        ),
        (Kind::CaseNumber, false) => language.say("Fallnummern vernichtet", "case numbers destroyed"),
    };
    writeln!(text, "{}\t{done} (< {})", run.count, run.before.format("%F"))?;
    Ok(text)
}
