//! `pruefpfad redraw`: repeats a draw from the draw file and the draw record, without database, service and configuration.
//!
//! Exit code 0: the sample comes out as recorded. 1: something differs. 2: it could not be repeated (a file that cannot be read).

use std::fs::File;
use std::io::BufReader;
use std::process::ExitCode;

use anyhow::Context as _;
use audit::Language;
use audit::population::import::amount::{self, Decimals, Rounding};
use audit::sampling::redraw::{DrawRecord, FrameRow, Known, Redraw, Redrawn};
use serde::Deserialize;
use serde_json::json;

use super::RedrawArgs;

/// A line of the draw file.
#[derive(Deserialize)]
struct Line {
    item: String,
    stratum: String,
    bezirksstelle: String,
    amount: String,
}

/// Repeats, and says what came out.
pub(super) fn run(arguments: &RedrawArgs, language: Language) -> anyhow::Result<ExitCode> {
    let (text, code) = match redrawn(arguments, language) {
        Ok(redrawn) if arguments.json => (serde_json::to_string(&redrawn)?, u8::from(!redrawn.agrees)),
        Ok(redrawn) => (told(&redrawn, language), u8::from(!redrawn.agrees)),
        Err(error) if arguments.json => (
            json!({ "agrees": null, "message": format!("{error:#}") }).to_string(),
            2,
        ),
        Err(error) => (format!("{error:#}"), 2),
    };
    super::emit(&format!("{text}\n"))?;
    Ok(ExitCode::from(code))
}

fn redrawn(arguments: &RedrawArgs, language: Language) -> anyhow::Result<Redrawn> {
    let name = |path: &std::path::Path| path.display().to_string();
    let record = File::open(&arguments.record).with_context(|| name(&arguments.record))?;
    let record: DrawRecord =
        serde_json::from_reader(BufReader::new(record)).with_context(|| name(&arguments.record))?;
    let known = Known {
        population_root: arguments.root,
        plan_digest: arguments.plan,
    };
    let said = |german: String, english: String| anyhow::anyhow!(language.say(german, english));
    let mut redraw = Redraw::new(record, known).map_err(|error| said(error.german(), error.to_string()))?;
    let mut lines = csv::ReaderBuilder::new()
        .delimiter(b';')
        .comment(Some(b'#'))
        .from_path(&arguments.file)
        .with_context(|| name(&arguments.file))?;
    for line in lines.deserialize() {
        let Line {
            item: id,
            stratum,
            bezirksstelle,
            amount,
        } = line.with_context(|| name(&arguments.file))?;
        let amount = match amount.as_str() {
            "" => None,
            text => Some(
                amount::parse(text, Decimals::English, Rounding::Refuse).map_err(|_| {
                    said(
                        format!("Der Betrag {text} der Position {id} ist nicht lesbar."),
                        format!("The amount {text} of item {id} cannot be read."),
                    )
                })?,
            ),
        };
        let row = FrameRow {
            id,
            stratum,
            bezirksstelle,
            amount,
        };
        redraw
            .offer(&row)
            .map_err(|error| said(error.german(), error.to_string()))?;
    }
    Ok(redraw.finish())
}

fn told(redrawn: &Redrawn, language: Language) -> String {
    let mut lines: Vec<String> = redrawn
        .steps
        .iter()
        .map(|step| format!("{}: {}", language.say(&step.de, &step.en), step.value))
        .collect();
    lines.extend(redrawn.differences.iter().map(|difference| {
        let text = difference.text();
        format!("! {}", language.say(text.de, text.en))
    }));
    lines.push(if redrawn.agrees {
        language
            .say(
                "Die Stichprobe ergibt sich wie aufgezeichnet.",
                "The sample comes out as recorded.",
            )
            .to_owned()
    } else {
        language
            .say(
                "Die Ziehung ergibt etwas anderes als aufgezeichnet.",
                "The draw gives something else than recorded.",
            )
            .to_owned()
    });
    lines.join("\n")
}
