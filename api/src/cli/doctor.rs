//! `pruefpfad doctor`: looks at what has to be right before the service can serve, and says what to do. It makes and
//! changes nothing.

use std::path::Path;
use std::process::ExitCode;

use audit::trail::rows::{Unexplained, Wrong, unexplained};
use audit::{Ctx, Db};
use secrecy::ExposeSecret as _;

use super::DoctorArgs;
use crate::app;
use crate::auth::{start_check, system_clock, verifier};
use crate::config::Settings;
use crate::http::is_built;
use crate::language::Language;
use crate::witnesses::Witness;

/// One line a check; the exit code tells whether all of them passed.
pub(super) async fn run(
    arguments: DoctorArgs,
    settings: &Settings,
    language: Language,
) -> anyhow::Result<ExitCode> {
    let mut report = Report {
        language,
        failed: false,
    };
    report.line(language.say("Konfiguration", "configuration"), Ok(()), "");
    report.line(
        language.say("Signaturprüfung", "signature check"),
        start_check().map_err(|error| error.to_string()),
        "",
    );
    report.keys(settings);
    report.issuers(settings).await;
    report.database(arguments, settings).await;
    if settings.explorer.enabled {
        report.line(
            language.say("Explorer gebaut", "explorer built"),
            if is_built(&settings.explorer) {
                Ok(())
            } else {
                Err(settings.explorer.directory.display().to_string())
            },
            "cd api/explorer && npm ci && npm run build",
        );
    }
    Ok(if report.failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

struct Report {
    language: Language,
    failed: bool,
}

impl Report {
    fn line(&mut self, what: &str, outcome: Result<(), String>, remedy: &str) {
        let text = match outcome {
            Ok(()) => format!("ok      {what}\n"),
            Err(problem) => {
                self.failed = true;
                let hint = self.language.say("Abhilfe", "remedy");
                if remedy.is_empty() {
                    format!("FEHLER  {what}: {problem}\n")
                } else {
                    format!("FEHLER  {what}: {problem} ({hint}: {remedy})\n")
                }
            }
        };
        let text = if self.language == Language::En {
            text.replacen("FEHLER", "FAILED", 1)
        } else {
            text
        };
        // A reader that has gone away needs no report.
        let _ = super::emit(&text);
    }

    /// A key that the first start makes is right, too.
    fn to_come(&self, what: &str, file: &Path) {
        let hint = self
            .language
            .say("entsteht beim ersten Start:", "made at the first start:");
        let _ = super::emit(&format!("ok      {what} ({hint} {})\n", file.display()));
    }

    fn keys(&mut self, settings: &Settings) {
        let language = self.language;
        let tokens = language.say("Schlüssel der Zugangstoken", "keys of access tokens");
        let mut auth = settings.auth.clone();
        let to_come = auth.development_key && is_missing(&auth.development_key_file);
        auth.development_key &= !to_come;
        match verifier(&auth, system_clock()) {
            Ok(_) if to_come => self.to_come(tokens, &auth.development_key_file),
            checked => self.line(
                tokens,
                checked.map(drop).map_err(|error| error.to_string()),
                "auth.keys",
            ),
        }
        let cases = language.say("Schlüssel der Fallnummern", "key of case numbers");
        let file = app::case_key_file(settings);
        if settings.secrets.case_key().is_none() && is_missing(&file) {
            self.to_come(cases, &file);
        } else {
            self.line(
                cases,
                app::sources(settings)
                    .map(drop)
                    .map_err(|error| error.to_string()),
                "secrets.case_key_file",
            );
        }
        let log = language.say("Schlüssel des Logs", "key of the log");
        let file = app::log_key_file(settings);
        if settings.secrets.log_key().is_none() && is_missing(&file) {
            self.to_come(log, &file);
        } else {
            self.line(
                log,
                app::log_keys(settings)
                    .map(drop)
                    .map_err(|error| error.to_string()),
                "secrets.log_key_file",
            );
        }
    }

    async fn issuers(&mut self, settings: &Settings) {
        let mut auth = settings.auth.clone();
        // Their keys have lines of their own.
        auth.development_key = false;
        auth.keys.clear();
        let providers = verifier(&auth, system_clock()).map(|verifier| verifier.providers());
        for provider in providers.unwrap_or_default() {
            let what = self.language.say("Anmeldedienst", "identity provider");
            let outcome = provider
                .refresh()
                .await
                .map_err(|error| error.text(self.language));
            self.line(&format!("{what} {}", provider.issuer()), outcome, "auth.issuers");
        }
    }

    async fn database(&mut self, arguments: DoctorArgs, settings: &Settings) {
        let language = self.language;
        let reachable = language.say("Datenbank erreichbar", "database reachable");
        let url = settings.database.url.expose_secret();
        let db = match Db::look(url, settings.database.acquire_timeout()).await {
            Ok(Some(db)) => db,
            Ok(None) => {
                let missing = language.say("die Datei fehlt", "the file is missing");
                return self.line(reachable, Err(missing.to_owned()), "pruefpfad migrate up");
            }
            Err(error) => return self.line(reachable, Err(error.to_string()), "database.url"),
        };
        self.line(reachable, Ok(()), "");
        let missing = match app::migrations(&db).await {
            Ok(changes) => changes
                .into_iter()
                .filter(|(_, applied)| !applied)
                .map(|(name, _)| name)
                .collect(),
            Err(error) => vec![error.to_string()],
        };
        self.line(
            language.say("Schema der Datenbank aktuell", "database schema current"),
            if missing.is_empty() {
                Ok(())
            } else {
                Err(missing.join(", "))
            },
            "pruefpfad migrate up",
        );
        if missing.is_empty() {
            self.witnesses(settings, &db).await;
            if arguments.rows {
                self.rows(settings, &db).await;
            }
        }
    }

    /// A line for each row that no entry of the trail explains.
    async fn rows(&mut self, settings: &Settings, db: &Db) {
        let language = self.language;
        let what = language.say("Zeilen wie im Prüfpfad", "rows as in the trail");
        if settings.secrets.case_key().is_none() && is_missing(&app::case_key_file(settings)) {
            // With another key every row would seem changed.
            let missing = language.say(
                "der Schlüssel der Fallnummern fehlt",
                "the key of case numbers is missing",
            );
            return self.line(what, Err(missing.to_owned()), "secrets.case_key_file");
        }
        let looked = match app::sources(settings) {
            Ok(sources) => unexplained(&Ctx::system(sources), db)
                .await
                .map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        match looked {
            Ok((found, rows)) if found.is_empty() => self.line(&format!("{what} ({rows})"), Ok(()), ""),
            Ok((found, _)) => {
                let remedy = language.say(
                    "klären, wer an der Datenbank war; mit einer Sicherung vergleichen",
                    "find out who was at the database; compare with a backup",
                );
                for one in &found {
                    self.line(what, Err(row(language, one)), remedy);
                }
            }
            Err(error) => self.line(what, Err(error), ""),
        }
    }

    /// Each is shown the last checkpoint, as a running service does it; its answer is not kept.
    async fn witnesses(&mut self, settings: &Settings, db: &Db) {
        let what = self.language.say("Zeuge", "witness");
        for witness in Witness::all(&settings.log).unwrap_or_default() {
            let outcome = witness
                .try_once(db)
                .await
                .map_err(|error| error.text(self.language));
            self.line(&format!("{what} {}", witness.name()), outcome, "log.witnesses");
        }
    }
}

/// What is wrong with a row, and which one.
fn row(language: Language, one: &Unexplained) -> String {
    let wrong = match one.wrong {
        Wrong::Changed => language.say("nicht wie zuletzt hinterlassen", "not as it was left last"),
        Wrong::ChangedBetween => {
            language.say("zwischen zwei Einträgen geändert", "changed between two entries")
        }
        Wrong::Added => language.say("ohne Eintrag entstanden", "made without an entry"),
        Wrong::Removed => language.say("verschwunden", "gone"),
        Wrong::Erased => language.say("gelöscht oder unbeweisbar gemacht", "erased, or made unprovable"),
    };
    format!("{} {}: {wrong}", one.kind, one.id)
}

/// Certainly not there; what cannot be told is left to whoever reads it.
fn is_missing(file: &Path) -> bool {
    matches!(file.try_exists(), Ok(false))
}
