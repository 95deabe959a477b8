//! `pruefpfad verify`: checks what the log gave out, without database, service and configuration.
//!
//! Exit code 0: it holds. 1: it does not. 2: it could not be checked (a file or key that cannot be read, wrong arguments).

use std::fs::{self, File};
use std::io::BufReader;
use std::path::Path;
use std::process::ExitCode;

use audit::trail::canonical::Entry;
use audit::trail::checkpoint::{Checkpoint, ConsistencyProof, InclusionProof, Refuted};
use audit::trail::export::{self, Wrong};
use audit::trail::note::{NoteError, VerifierKey};
use audit::trail::witness::{Cosignature, Quorum};
use chrono::DateTime;
use serde_json::{Value, json};

use super::{VerifyArgs, VerifyCommand};
use crate::language::Language;

/// What was found to hold.
struct Holds {
    checkpoint: Checkpoint,
    /// Its signed note.
    note: String,
    /// Witnesses that cosigned it, of those that were named.
    witnesses: Vec<Cosignature>,
    /// Place and content of an entry, as far as it was opened.
    entry: Option<(u64, Option<Entry>)>,
    /// Size of the older checkpoint that the log grew from.
    grown_from: Option<u64>,
    /// Entries of an export that were erased.
    erased: Option<u64>,
}

impl Holds {
    fn new(checkpoint: Checkpoint, note: String) -> Self {
        Self {
            checkpoint,
            note,
            witnesses: Vec::new(),
            entry: None,
            grown_from: None,
            erased: None,
        }
    }
}

/// Why it does not hold, or could not be checked.
enum Failed {
    Refuted(Wrong),
    Unchecked(String),
}

impl<E: Into<Wrong>> From<E> for Failed {
    fn from(wrong: E) -> Self {
        match wrong.into() {
            Wrong::Read(error) => Self::Unchecked(error.to_string()),
            wrong => Self::Refuted(wrong),
        }
    }
}

/// Checks, and says what came out.
pub(super) fn run(arguments: &VerifyArgs, language: Language) -> anyhow::Result<ExitCode> {
    let outcome = quorum(arguments, language).and_then(|quorum| {
        let mut holds = check(&arguments.command, &arguments.keys, language)?;
        holds.witnesses = quorum.proves(&holds.note)?;
        Ok(holds)
    });
    let (answer, code) = match outcome {
        Ok(holds) => (told(&holds, language), 0),
        Err(Failed::Refuted(wrong)) => (refused(&wrong, language), 1),
        Err(Failed::Unchecked(message)) => (json!({ "result": "UNCHECKED", "message": message }), 2),
    };
    let text = if arguments.json {
        answer.to_string()
    } else {
        answer["message"].as_str().unwrap_or_default().to_owned()
    };
    super::emit(&format!("{text}\n"))?;
    Ok(ExitCode::from(code))
}

/// The witnesses that were named, and how many of them are asked for.
fn quorum(arguments: &VerifyArgs, language: Language) -> Result<Quorum, Failed> {
    let mut quorum = Quorum {
        keys: arguments.witnesses.clone(),
        needed: 0,
    };
    quorum.needed = arguments.quorum.unwrap_or_else(|| quorum.witnesses());
    if quorum.needed > quorum.witnesses() {
        let message = language.say(
            "--quorum verlangt mehr Zeugen, als mit --witness genannt sind.",
            "--quorum asks for more witnesses than were named with --witness.",
        );
        return Err(Failed::Unchecked(message.to_owned()));
    }
    Ok(quorum)
}

fn check(command: &VerifyCommand, keys: &[VerifierKey], language: Language) -> Result<Holds, Failed> {
    if keys.is_empty() {
        let message = language.say(
            "Nennen Sie mit --key den Prüfschlüssel des Logs, den Sie auf anderem Weg als vom Log selbst erhielten.",
            "Name the log's verifier key with --key, which you got by other means than from the log itself.",
        );
        return Err(Failed::Unchecked(message.to_owned()));
    }
    let kept = |files: &[std::path::PathBuf]| {
        files
            .iter()
            .map(|file| Ok(Checkpoint::open(&text(file)?, keys)?))
            .collect::<Result<Vec<Checkpoint>, Failed>>()
    };
    match command {
        VerifyCommand::Checkpoint { file, kept: files } => {
            let note = text(file)?;
            let checkpoint = Checkpoint::open(&note, keys)?;
            for kept in kept(files)? {
                checkpoint.follows(&kept)?;
            }
            Ok(Holds::new(checkpoint, note))
        }
        VerifyCommand::Inclusion { file, commitment } => {
            let proof: InclusionProof = text(file)?.parse()?;
            let committed = match commitment {
                Some(given) => {
                    let mut committed = [0; 32];
                    hex::decode_to_slice(given, &mut committed)
                        .map_err(|error| Failed::Unchecked(format!("--commitment: {error}")))?;
                    if proof.commitment().is_some_and(|opened| opened != committed) {
                        return Err(Refuted::Root.into());
                    }
                    committed
                }
                None => proof.commitment().ok_or_else(|| {
                    Failed::Unchecked(
                        language
                            .say(
                                "Der Eintrag wurde gelöscht: Nennen Sie mit --commitment, was an seiner Stelle steht.",
                                "The entry was erased: name what stands in its place with --commitment.",
                            )
                            .to_owned(),
                    )
                })?,
            };
            let checkpoint = proof.proves(&committed, keys)?;
            let entry = match &proof.opening {
                None => None,
                Some(opening) => Some(Entry::from_opening(opening).ok_or(Refuted::Form)?),
            };
            Ok(Holds {
                entry: Some((proof.index, entry)),
                ..Holds::new(checkpoint, proof.note)
            })
        }
        VerifyCommand::Consistency { old, file } => {
            let old = Checkpoint::open(&text(old)?, keys)?;
            let proof: ConsistencyProof = text(file)?.parse()?;
            Ok(Holds {
                grown_from: Some(old.size),
                ..Holds::new(proof.proves(&old, keys)?, proof.note)
            })
        }
        VerifyCommand::Export { file, kept: files } => {
            let kept = kept(files)?;
            let input = File::open(file).map_err(|error| unreadable(file, &error))?;
            let found = export::verify(BufReader::new(input), keys, &kept)?;
            Ok(Holds {
                erased: Some(found.erased),
                ..Holds::new(found.checkpoint, found.note)
            })
        }
    }
}

fn text(file: &Path) -> Result<String, Failed> {
    let bytes = fs::read(file).map_err(|error| unreadable(file, &error))?;
    String::from_utf8(bytes).map_err(|_| Refuted::Form.into())
}

fn unreadable(file: &Path, error: &std::io::Error) -> Failed {
    Failed::Unchecked(format!("{}: {error}", file.display()))
}

fn told(holds: &Holds, language: Language) -> Value {
    let checkpoint = &holds.checkpoint;
    let root = hex::encode(checkpoint.root);
    let (origin, size) = (&checkpoint.origin, checkpoint.size);
    let mut lines = vec![match language {
        Language::De => format!("In Ordnung: {origin}, Größe {size}, Wurzel {root}"),
        Language::En => format!("Holds: {origin}, size {size}, root {root}"),
    }];
    let mut answer = json!({ "result": "HOLDS", "origin": origin, "size": size, "root": root });
    if let Some(size) = holds.grown_from {
        lines.push(match language {
            Language::De => format!("Das Log ist seit Größe {size} nur gewachsen."),
            Language::En => format!("The log has only grown since size {size}."),
        });
        answer["grownFrom"] = json!(size);
    }
    if let Some(erased) = holds.erased {
        lines.push(match language {
            Language::De => format!("Alle Einträge stehen an ihrer Stelle; gelöscht sind {erased}."),
            Language::En => format!("All entries are in their place; {erased} were erased."),
        });
        answer["erased"] = json!(erased);
    }
    if !holds.witnesses.is_empty() {
        let named: Vec<_> = holds
            .witnesses
            .iter()
            .map(|found| format!("{} ({})", found.witness, time(found)))
            .collect();
        lines.push(format!(
            "{} {}",
            language.say("Mitunterschrieben von", "Cosigned by"),
            named.join(", ")
        ));
        let told = |found: &Cosignature| json!({ "name": found.witness, "at": time(found) });
        answer["witnesses"] = holds.witnesses.iter().map(told).collect();
    }
    if let Some((index, entry)) = &holds.entry {
        let said = match entry {
            // Nothing of what others wrote reaches the terminal as a command to it.
            Some(entry) => format!("{} {} {} {}", entry.at, entry.actor, entry.action, entry.detail)
                .escape_debug()
                .to_string()
                .replace("\\\"", "\""),
            None => language.say("(gelöscht)", "(erased)").to_owned(),
        };
        lines.push(format!("{} {index}: {said}", language.say("Eintrag", "Entry")));
        answer["index"] = json!(index);
        answer["entry"] = json!(entry);
    }
    answer["message"] = json!(lines.join("\n"));
    answer
}

fn time(cosignature: &Cosignature) -> String {
    i64::try_from(cosignature.at)
        .ok()
        .and_then(|at| DateTime::from_timestamp(at, 0))
        .map_or_else(String::new, |at| at.format("%Y-%m-%dT%H:%M:%SZ").to_string())
}

fn refused(wrong: &Wrong, language: Language) -> Value {
    let (code, line, german) = match wrong {
        Wrong::Read(error) => ("UNREADABLE", None, error.to_string()),
        Wrong::Form(line) => ("FORM", Some(*line), format!("Zeile {line} hat nicht die erwartete Form.")),
        Wrong::Order(line) => (
            "ORDER",
            Some(*line),
            format!("Zeile {line} steht nicht an ihrer Stelle: Einträge fehlen, kamen hinzu oder wurden umgestellt."),
        ),
        Wrong::Entry(line) => (
            "ENTRY",
            Some(*line),
            format!("Der Eintrag in Zeile {line} wurde verändert."),
        ),
        Wrong::Root => (
            "ENTRIES",
            None,
            "Die Einträge sind nicht die des unterschriebenen Prüfpunkts: verändert, entfernt, eingefügt oder umgestellt."
                .to_owned(),
        ),
        Wrong::Checkpoint(refuted) => {
            let (code, german) = refuted_in_german(*refuted);
            (code, None, german)
        }
    };
    let message = match language {
        Language::De => format!("NICHT in Ordnung: {german}"),
        Language::En => format!("Does NOT hold: {wrong}"),
    };
    json!({ "result": "REFUTED", "code": code, "line": line, "message": message })
}

fn refuted_in_german(refuted: Refuted) -> (&'static str, String) {
    match refuted {
        Refuted::Form => ("FORM", "Die Datei hat nicht die erwartete Form.".to_owned()),
        Refuted::Note(NoteError::Form) => (
            "FORM",
            "Der Prüfpunkt ist keine unterschriebene Notiz.".to_owned(),
        ),
        Refuted::Note(NoteError::Unsigned) => (
            "UNSIGNED",
            "Der Prüfpunkt trägt keine Unterschrift der genannten Schlüssel.".to_owned(),
        ),
        Refuted::Note(NoteError::Forged) => (
            "FORGED",
            "Die Unterschrift des Prüfpunkts gehört nicht zu seinem Text.".to_owned(),
        ),
        Refuted::Origin => (
            "OTHER_LOG",
            "Der Prüfpunkt gehört zu einem anderen Log.".to_owned(),
        ),
        Refuted::Root => (
            "PROOF",
            "Der Nachweis führt nicht zur unterschriebenen Wurzel.".to_owned(),
        ),
        Refuted::Unwitnessed { found, needed } => (
            "NOT_PROVED",
            format!(
                "Von den genannten Zeugen haben {found} den Prüfpunkt mitunterschrieben, nötig sind {needed}."
            ),
        ),
        Refuted::SetBack(size) => (
            "SET_BACK",
            format!(
                "Das Log ist kürzer als der aufbewahrte Prüfpunkt der Größe {size}: Es wurde zurückgesetzt."
            ),
        ),
        Refuted::Forked(size) => (
            "FORKED",
            format!(
                "Das Log weicht vom aufbewahrten Prüfpunkt der Größe {size} ab: Es wurde neu geschrieben."
            ),
        ),
    }
}
