//! `pruefpfad witness`: cosigns the checkpoints of other people's logs (C2SP `tlog-witness`), without database, service and
//! configuration.
//!
//! All it keeps is the last checkpoint of each log, one file a log. What it cosigns is on the disk before it answers: a witness
//! that forgets would cosign a log that was set back. Judging and keeping is one step for each log, whoever asks at once.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io::{ErrorKind, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{App, HttpResponse, HttpServer, web};
use anyhow::{Context as _, bail};
use audit::trail::checkpoint::Checkpoint;
use audit::trail::note::VerifierKey;
use audit::trail::witness::{Refusal, Submission, WitnessSigner};
use futures_util::StreamExt as _;
use sha2::{Digest as _, Sha256};

use super::WitnessArgs;
use crate::auth::Now;
use crate::config::{LogFormat, TelemetrySettings, key_or_create};
use crate::language::Language;
use crate::telemetry::Telemetry;

/// Largest request: the longest proof has 63 hashes, a note at most a hundred signatures.
const LARGEST: usize = 64 * 1024;

/// How long a request may take to arrive.
const PATIENCE: Duration = Duration::from_secs(10);

/// Connections at once.
const CONNECTIONS: usize = 256;

/// Serves until a signal ends it.
pub(super) async fn run(
    arguments: &WitnessArgs,
    listen: Option<&str>,
    now: Now,
    language: Language,
) -> anyhow::Result<ExitCode> {
    let Some(listen) = listen else {
        bail!(language.say(
            "Nennen Sie mit --listen Adresse und Port, z. B. 127.0.0.1:8440.",
            "name address and port with --listen, such as 127.0.0.1:8440.",
        ));
    };
    let listen: SocketAddr = listen.parse().with_context(|| format!("--listen {listen}"))?;
    let telemetry = Telemetry::start(&TelemetrySettings {
        log_format: LogFormat::Text,
        log_level: "info".to_owned(),
        otlp_endpoint: None,
        service_name: "pruefpfad-witness".to_owned(),
    })?;
    let witness = web::Data::new(Witness::open(arguments, now, language)?);
    let listener = TcpListener::bind(listen).with_context(|| listen.to_string())?;
    let address = listener.local_addr()?;
    super::emit(&format!("{}\n", witness.signer.verifier()))?;
    let server = HttpServer::new(move || {
        App::new()
            .app_data(witness.clone())
            .route("/add-checkpoint", web::post().to(add_checkpoint))
    })
    .workers(2)
    .max_connections(CONNECTIONS)
    .client_request_timeout(PATIENCE)
    .shutdown_timeout(5)
    .listen(listener)?
    .run();
    tracing::info!(%address, logs = arguments.logs.len(), "serving as a witness");
    server.await?;
    telemetry.shutdown().await;
    Ok(ExitCode::SUCCESS)
}

/// A witness and what it knows.
struct Witness {
    signer: WitnessSigner,
    now: Now,
    logs: BTreeMap<String, Log>,
    // Held as long as it runs: two witnesses on one state would cosign beside each other.
    _alone: File,
}

/// One log.
struct Log {
    keys: Vec<VerifierKey>,
    file: PathBuf,
    known: Mutex<Option<Checkpoint>>,
}

impl Witness {
    fn open(arguments: &WitnessArgs, now: Now, language: Language) -> anyhow::Result<Self> {
        let (key, state) = (&arguments.key_file, &arguments.state);
        if key.exists() && !state.exists() {
            bail!(
                "{}: {}",
                state.display(),
                language.say(
                    "Der Schlüssel ist da, der Zustand fehlt. Ein Zeuge ohne Gedächtnis unterschriebe auch ein zurückgesetztes Log: Stellen Sie den Ordner wieder her, oder beginnen Sie mit neuem Namen und neuem Schlüssel.",
                    "the key is there, the state is missing. A witness without memory would cosign a log that was set back: restore the folder, or begin with a new name and a new key.",
                )
            );
        }
        fs::create_dir_all(state).with_context(|| state.display().to_string())?;
        let alone = File::create(state.join("lock")).with_context(|| state.display().to_string())?;
        match alone.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!(
                "{}: {}",
                state.display(),
                language.say(
                    "Ein anderer Zeuge nutzt diesen Zustand.",
                    "another witness uses this state.",
                )
            ),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        let seed = key_or_create(key).with_context(|| key.display().to_string())?;
        let signer = WitnessSigner::new(&arguments.name, seed).context("--name")?;
        let mut logs = BTreeMap::<String, Log>::new();
        for key in &arguments.logs {
            if let Some(log) = logs.get_mut(key.name()) {
                log.keys.push(key.clone());
                continue;
            }
            let file = state.join(hex::encode(Sha256::digest(key.name())));
            let known = remembered(&file, key.name()).with_context(|| file.display().to_string())?;
            let log = Log {
                keys: vec![key.clone()],
                file,
                known: Mutex::new(known),
            };
            logs.insert(key.name().to_owned(), log);
        }
        Ok(Self {
            signer,
            now,
            logs,
            _alone: alone,
        })
    }

    /// The answer to a request, or why there is none.
    fn answer(&self, body: &[u8]) -> Result<String, Failed> {
        let body = str::from_utf8(body).map_err(|_| Refusal::Form)?;
        let asked = Submission::read(body)?;
        let log = self
            .logs
            .get(&asked.checkpoint().origin)
            .ok_or(Refusal::UnknownLog)?;
        asked.signed_by(&log.keys)?;
        let mut known = log.known.lock().unwrap_or_else(PoisonError::into_inner);
        let checkpoint = match asked.judged(known.as_ref()) {
            Ok(checkpoint) => checkpoint.clone(),
            Err(refusal) => {
                if matches!(refusal, Refusal::Forked(_) | Refusal::Proof) {
                    // The signed note is the evidence.
                    tracing::error!(log = %asked.checkpoint().origin, known = ?known, note = asked.note(), "not cosigned: {refusal}");
                }
                return Err(refusal.into());
            }
        };
        let at = u64::try_from((self.now)().timestamp()).unwrap_or_default();
        let line = asked.cosigned(&self.signer, at)?;
        if known.as_ref() != Some(&checkpoint) {
            remember(&log.file, asked.note()).map_err(|error| {
                tracing::error!(file = %log.file.display(), %error, "what was to be cosigned cannot be kept");
                Failed::Disk
            })?;
            *known = Some(checkpoint);
        }
        Ok(line)
    }
}

/// Why a request is not answered with a cosignature.
#[derive(Debug)]
enum Failed {
    Refused(Refusal),
    Disk,
}

impl From<Refusal> for Failed {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// The checkpoint that was cosigned last; none for a log that is new here.
fn remembered(file: &Path, origin: &str) -> anyhow::Result<Option<Checkpoint>> {
    let note = match fs::read_to_string(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    let text = note.rsplit_once("\n\n").map(|(text, _)| format!("{text}\n"));
    let checkpoint: Checkpoint = text.unwrap_or_default().parse()?;
    if checkpoint.origin != origin {
        bail!("{}", checkpoint.origin);
    }
    Ok(Some(checkpoint))
}

/// Keeps a checkpoint: after this it is on the disk, whole, whatever happens.
fn remember(file: &Path, note: &str) -> std::io::Result<()> {
    let draft = file.with_extension("new");
    let mut written = File::create(&draft)?;
    written.write_all(note.as_bytes())?;
    written.sync_all()?;
    fs::rename(&draft, file)?;
    match file.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

async fn add_checkpoint(witness: web::Data<Witness>, mut body: web::Payload) -> HttpResponse {
    let read = async {
        let mut bytes = Vec::new();
        while let Some(part) = body.next().await {
            bytes.extend_from_slice(&part.map_err(|_| StatusCode::BAD_REQUEST)?);
            if bytes.len() > LARGEST {
                return Err(StatusCode::PAYLOAD_TOO_LARGE);
            }
        }
        Ok(bytes)
    };
    let bytes = match tokio::time::timeout(PATIENCE, read).await {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(status)) => return HttpResponse::new(status),
        Err(_) => return HttpResponse::new(StatusCode::REQUEST_TIMEOUT),
    };
    // Goes on to its end even if whoever asked has gone.
    let answer = web::block(move || witness.answer(&bytes)).await;
    let plain = (CONTENT_TYPE, "text/plain; charset=utf-8");
    match answer {
        Ok(Ok(line)) => HttpResponse::Ok().insert_header(plain).body(line),
        Ok(Err(Failed::Refused(refusal))) => {
            let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::BAD_REQUEST);
            match refusal.size() {
                Some(size) => HttpResponse::build(status)
                    .insert_header((CONTENT_TYPE, "text/x.tlog.size"))
                    .body(format!("{size}\n")),
                None => HttpResponse::build(status)
                    .insert_header(plain)
                    .body(format!("{refusal}\n")),
            }
        }
        Ok(Err(Failed::Disk)) | Err(_) => HttpResponse::new(StatusCode::INTERNAL_SERVER_ERROR),
    }
}
