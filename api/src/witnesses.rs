//! The witnesses of the log: each is shown the last checkpoint, and what it cosigns is kept (C2SP `tlog-witness`).
//!
//! One task for each witness, so that none holds up another, nor the sequencer. Several instances may ask for the same: a witness
//! cosigns a checkpoint as often as it is asked, and one cosignature is stored.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use audit::Db;
use audit::trail::witness::{Quorum, WitnessKey, cosignatures};
use audit::trail::{self, Uncosigned};
use reqwest::{Client, Url, redirect};

use crate::auth::is_local;
use crate::config::LogSettings;
use crate::language::Language;

/// Time for one question.
const PATIENCE: Duration = Duration::from_secs(10);

/// Largest answer.
const MAX_BYTES: usize = 64 * 1024;

/// How often a witness is shown what is new.
const PACE: Duration = Duration::from_secs(1);

/// The longest rest after failures; the first one is [`PACE`], and each is twice the one before.
const LONGEST_REST: Duration = Duration::from_mins(1);

/// Questions of one turn: where the witness stands, the checkpoint, and one more where another instance was faster.
const QUESTIONS: usize = 4;

/// Why a witness did not cosign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unwitnessed {
    /// The witness cosigned a larger log than this one is: the database was set back.
    SetBack(i64),
    /// The witness cosigned a log that is not the beginning of this one.
    Forked,
    /// The witness does not know this log or its key.
    Unknown(u16),
    /// No answer, or none that is of use.
    Failed(String),
}

impl Unwitnessed {
    /// Whether the witness says that the log is not the one it was.
    pub const fn accuses(&self) -> bool {
        matches!(self, Self::SetBack(_) | Self::Forked)
    }

    /// What it is, and what to do.
    pub fn text(&self, language: Language) -> String {
        match (self, language) {
            (Self::SetBack(size), Language::De) => format!(
                "Der Zeuge hat ein Log der Größe {size} mitunterschrieben, das hiesige ist kürzer: Die Datenbank wurde zurückgesetzt. Klären Sie, welche Sicherung eingespielt wurde"
            ),
            (Self::SetBack(size), Language::En) => format!(
                "the witness cosigned a log of size {size}, this one is shorter: the database was set back. Find out which backup was restored"
            ),
            (Self::Forked, Language::De) => "Der Zeuge hat ein anderes Log mitunterschrieben: Dieses wurde zurückgesetzt und fortgeschrieben oder verändert. Sichern Sie die Datenbank und klären Sie, was geschah".to_owned(),
            (Self::Forked, Language::En) => "the witness cosigned another log: this one was set back and went on, or was changed. Save the database and find out what happened".to_owned(),
            (Self::Unknown(status), Language::De) => format!(
                "Der Zeuge kennt dieses Log oder seinen Schlüssel nicht ({status}): Geben Sie ihm den Prüfschlüssel (pruefpfad log-key show)"
            ),
            (Self::Unknown(status), Language::En) => format!(
                "the witness does not know this log or its key ({status}): give it the verifier key (pruefpfad log-key show)"
            ),
            (Self::Failed(reason), Language::De) => format!("Der Zeuge antwortet nicht, wie er soll: {reason}"),
            (Self::Failed(reason), Language::En) => format!("the witness does not answer as it should: {reason}"),
        }
    }
}

impl fmt::Display for Unwitnessed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Language::En))
    }
}

impl From<audit::Error> for Unwitnessed {
    fn from(error: audit::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

/// What came of asking a witness so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WitnessReport {
    /// Checkpoints that it cosigned.
    pub cosigned: u64,
    /// Questions without a cosignature.
    pub failed: u64,
    /// Whether it says that the log is not the one it was.
    pub accuses: bool,
}

/// A witness that is asked for its cosignatures.
pub struct Witness {
    key: WitnessKey,
    address: String,
    client: Client,
    cosigned: AtomicU64,
    failed: AtomicU64,
    last: Mutex<Option<Unwitnessed>>,
}

/// The answer of a witness.
enum Answer {
    Lines(String),
    StandsAt(i64),
}

impl Witness {
    /// The configured witnesses.
    pub fn all(settings: &LogSettings) -> reqwest::Result<Vec<Arc<Self>>> {
        settings
            .witness_keys()
            .into_iter()
            .map(|(url, key)| Self::new(url, key).map(Arc::new))
            .collect()
    }

    fn new(url: &str, key: WitnessKey) -> reqwest::Result<Self> {
        let address = format!("{}/add-checkpoint", url.trim_end_matches('/'));
        let mut client = Client::builder()
            .redirect(redirect::Policy::none())
            .connect_timeout(PATIENCE)
            .timeout(PATIENCE)
            .user_agent(concat!("pruefpfad/", env!("CARGO_PKG_VERSION")));
        if Url::parse(&address).is_ok_and(|url| is_local(&url)) {
            client = client.no_proxy();
        }
        Ok(Self {
            key,
            address,
            client: client.build()?,
            cosigned: AtomicU64::default(),
            failed: AtomicU64::default(),
            last: Mutex::default(),
        })
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        self.key.name()
    }

    /// What came of asking it so far.
    pub fn report(&self) -> WitnessReport {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        WitnessReport {
            cosigned: self.cosigned.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            accuses: last.as_ref().is_some_and(Unwitnessed::accuses),
        }
    }

    /// Has the last checkpoint cosigned for as long as it runs: as soon as there is a new one, more seldom while that fails.
    ///
    /// The first time it asks in any case: of a database that was set back, what the witness saw last is not known here.
    pub async fn keep_cosigned(self: Arc<Self>, db: Db) {
        let (mut rest, mut in_any_case) = (PACE, true);
        loop {
            rest = match self.turn(&db, in_any_case).await {
                Ok(asked) => {
                    in_any_case &= !asked;
                    PACE
                }
                Err(error) => {
                    self.complain(error);
                    (rest * 2).min(LONGEST_REST)
                }
            };
            tokio::time::sleep(rest).await;
        }
    }

    /// Whether there was something to ask.
    async fn turn(&self, db: &Db, in_any_case: bool) -> Result<bool, Unwitnessed> {
        let Some(due) = self.due(db, in_any_case).await? else {
            return Ok(false);
        };
        let (checkpoint, lines) = self.ask(db, due).await?;
        trail::store_cosignatures(db, &checkpoint, &self.key, &lines).await?;
        self.cosigned.fetch_add(1, Ordering::Relaxed);
        let before = self.last.lock().unwrap_or_else(PoisonError::into_inner).take();
        if before.is_some() {
            tracing::info!(witness = self.name(), "the witness cosigns again");
        }
        Ok(true)
    }

    /// What is to be asked; in any case: even if the witness cosigned the last checkpoint, by which it must still stand.
    async fn due(&self, db: &Db, in_any_case: bool) -> Result<Option<Uncosigned>, Unwitnessed> {
        let due = trail::uncosigned(db, &self.key).await?;
        if due.is_some() || !in_any_case {
            return Ok(due);
        }
        let last = trail::latest_checkpoint(db).await?;
        Ok(last.map(|checkpoint| Uncosigned {
            from: checkpoint.size,
            checkpoint,
        }))
    }

    fn complain(&self, error: Unwitnessed) {
        self.failed.fetch_add(1, Ordering::Relaxed);
        if error.accuses() {
            tracing::error!(witness = self.name(), %error, "THE LOG IS NOT THE ONE THAT WAS COSIGNED");
        } else {
            tracing::warn!(witness = self.name(), %error, "checkpoint not cosigned");
        }
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }

    /// Asks once and stores nothing: whether the witness cosigns the last checkpoint.
    pub async fn try_once(&self, db: &Db) -> Result<(), Unwitnessed> {
        match self.due(db, true).await? {
            Some(due) => self.ask(db, due).await.map(drop),
            None => Ok(()),
        }
    }

    /// The signature lines of the witness for a checkpoint, which is a later one where another instance was faster.
    async fn ask(
        &self,
        db: &Db,
        due: Uncosigned,
    ) -> Result<(entity::log_checkpoint::Model, String), Unwitnessed> {
        let Uncosigned {
            mut checkpoint,
            mut from,
        } = due;
        for _ in 0..QUESTIONS {
            let Some(body) = trail::growth(db, from, &checkpoint).await? else {
                return Err(Unwitnessed::SetBack(from));
            };
            match self.post(body.to_string()).await? {
                Answer::Lines(lines) => {
                    let note = format!("{}{lines}", checkpoint.note);
                    return match cosignatures(&note, std::slice::from_ref(&self.key)) {
                        Ok(found) if !found.is_empty() => Ok((checkpoint, lines)),
                        _ => Err(Unwitnessed::Failed(
                            "its answer is not signed by the configured key".to_owned(),
                        )),
                    };
                }
                // It stands where it was said to stand, and does not see this log there.
                Answer::StandsAt(size) if size == from => return Err(Unwitnessed::Forked),
                Answer::StandsAt(size) if size > checkpoint.size => {
                    let last = trail::latest_checkpoint(db).await?;
                    match last.filter(|last| size <= last.size) {
                        Some(last) => (checkpoint, from) = (last, size),
                        None => return Err(Unwitnessed::SetBack(size)),
                    }
                }
                Answer::StandsAt(size) => from = size,
            }
        }
        Err(Unwitnessed::Failed(
            "it says another size whenever it is asked".to_owned(),
        ))
    }

    async fn post(&self, body: String) -> Result<Answer, Unwitnessed> {
        let broken = |error: reqwest::Error| Unwitnessed::Failed(reason(&error.without_url()));
        let mut answer = self
            .client
            .post(&self.address)
            .header("content-type", "text/plain; charset=utf-8")
            .body(body)
            .send()
            .await
            .map_err(broken)?;
        let status = answer.status().as_u16();
        let mut bytes = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(broken)? {
            bytes.extend_from_slice(&part);
            if bytes.len() > MAX_BYTES {
                return Err(Unwitnessed::Failed("its answer is too large".to_owned()));
            }
        }
        let text = String::from_utf8(bytes).unwrap_or_default();
        match status {
            200 => Ok(Answer::Lines(text)),
            403 | 404 => Err(Unwitnessed::Unknown(status)),
            409 => text
                .trim_end()
                .parse()
                .ok()
                .filter(|size| *size >= 0)
                .map(Answer::StandsAt)
                .ok_or_else(|| Unwitnessed::Failed("409 without a size".to_owned())),
            422 => Err(Unwitnessed::Forked),
            _ => Err(Unwitnessed::Failed(format!("status {status}"))),
        }
    }
}

/// An error with all that led to it.
fn reason(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

/// The quorum as it was configured.
pub fn quorum(settings: &LogSettings) -> Quorum {
    Quorum {
        keys: settings.witness_keys().into_iter().map(|(_, key)| key).collect(),
        needed: settings.quorum,
    }
}
