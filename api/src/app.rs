//! The service as a whole: what it is built from, its routes, its start and its end.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::middleware::{Compress, from_fn};
use actix_web::{App, HttpServer, web};
use anyhow::{Context as _, bail};
use audit::deadline::calendar::Calendar;
use audit::reads::{self, KeepsReads, Reads};
use audit::trail::note::SigningKey;
use audit::trail::{self, LogKeys};
use audit::{
    Ctx, Db, OsRandom, Sources, SystemClock, Vault, deadline, decision, jobcenter, population, retention,
};
use futures_util::future::join_all;
use secrecy::ExposeSecret as _;
use tokio::task::JoinHandle;

use crate::auth::{
    GrantIssuer, Proofs, Provider, TokenVerifier, authenticate, start_check, system_clock, verifier,
};
use crate::config::{Mode, Settings};
use crate::graphql::admit::Admission;
use crate::graphql::{self, Info};
use crate::http::callers::{House, HouseCallers};
use crate::http::edge::Edge;
use crate::http::{
    RateLimit, Readiness, cors, draw_file_routes, explorer_routes, export_routes, health_routes, log_routes,
    rate_limit, request_log, security_headers, token_routes, upload_routes,
};
use crate::language::Language;
use crate::telemetry::{Metrics, metrics};
use crate::witnesses::{self, Witness};

/// How often imports are looked for whose reader is gone.
const SWEEP: Duration = Duration::from_secs(15);

/// How often waiting entries of the trail are given their place in the log.
const SEQUENCE: Duration = Duration::from_secs(1);

/// How often deadlines are looked for that have passed.
const DEADLINES: Duration = Duration::from_secs(5);

/// How often the deletion job runs.
const DELETE: Duration = Duration::from_hours(24);

/// How long the sequencer rests after a failure.
const RECOVER: Duration = Duration::from_secs(5);

/// Where a development installation keeps the key of case numbers: beside its development key.
pub fn case_key_file(settings: &Settings) -> PathBuf {
    settings.auth.development_key_file.with_file_name("case.key")
}

/// The sources of a real service: the machine's clock and randomness, and the configured key.
pub fn sources(settings: &Settings) -> anyhow::Result<Arc<Sources>> {
    let key = settings.secrets.case_key_or_create(&case_key_file(settings))?;
    let random = OsRandom::new().context("the operating system gives no randomness")?;
    Ok(Arc::new(Sources::new(
        Arc::new(SystemClock),
        Arc::new(random),
        Vault::new(key),
    )))
}

/// Where a development installation keeps the signing key of the log.
pub fn log_key_file(settings: &Settings) -> PathBuf {
    settings.auth.development_key_file.with_file_name("log.key")
}

/// The configured keys of the log.
pub fn log_keys(settings: &Settings) -> anyhow::Result<LogKeys> {
    let seed = settings.secrets.log_key_or_create(&log_key_file(settings))?;
    let signer = SigningKey::new(&settings.log.origin, seed).context("log.origin")?;
    Ok(LogKeys::new(signer, settings.log.earlier_keys()))
}

/// Where a development installation keeps the signing key of grants' tokens.
pub fn grant_key_file(settings: &Settings) -> PathBuf {
    settings.auth.development_key_file.with_file_name("grant.key")
}

/// What signs the tokens of grants.
pub fn grant_issuer(settings: &Settings) -> anyhow::Result<GrantIssuer> {
    let seed = settings.secrets.grant_key_or_create(&grant_key_file(settings))?;
    GrantIssuer::new(&seed, &settings.server.public_url, &settings.auth.audience).context("secrets.grant_key")
}

/// Connects to the database; the folder of a SQLite file is made.
pub async fn connect(settings: &Settings) -> anyhow::Result<Db> {
    let url = settings.database.url.expose_secret();
    if let Some(path) = url
        .strip_prefix("sqlite://")
        .or_else(|| url.strip_prefix("sqlite:"))
    {
        let path = Path::new(path.split('?').next().unwrap_or(path));
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder)?;
        }
    }
    let database = &settings.database;
    let connected = Db::connect_within(url, database.max_connections, database.acquire_timeout()).await;
    connected.map_err(|error| anyhow::anyhow!("Datenbank nicht erreichbar / database not reachable: {error}"))
}

/// Applies every missing change of the schema, of the database and of the store of read records.
pub async fn migrate(db: &Db) -> anyhow::Result<()> {
    migration::up(db.owner()).await?;
    migration::reads::up(db.reads_owner()).await?;
    Ok(())
}

/// Every change of the schema by name, those of the read records last, and whether it was applied.
pub async fn migrations(db: &Db) -> anyhow::Result<Vec<(String, bool)>> {
    let mut changes = migration::status(db.snapshots()).await?;
    changes.extend(migration::reads::status(db.reads()).await?);
    Ok(changes)
}

/// Brings the database to where the service can start: no change of its schema is missing, and the Jobcenter is there.
pub async fn prepare(
    settings: &Settings,
    db: &Db,
    sources: &Arc<Sources>,
    migrate: bool,
) -> anyhow::Result<()> {
    if migrate {
        self::migrate(db).await?;
    }
    let missing = migrations(db)
        .await?
        .into_iter()
        .filter(|(_, applied)| !applied)
        .count();
    if missing > 0 {
        bail!(
            "Der Datenbank fehlen {missing} Änderungen. Bitte erst sichern, dann `pruefpfad migrate up` ausführen. / \
             The database lacks {missing} migrations. Back it up, then run `pruefpfad migrate up`."
        );
    }
    let Some(preset) = jobcenter::preset(settings.jobcenter.preset.as_str()) else {
        bail!("jobcenter.preset");
    };
    let label = (settings.jobcenter.label(), settings.jobcenter.label_plural());
    jobcenter::set_up(&Ctx::system(sources.clone()), db, preset, Some(label)).await?;
    decision::set_up(&Ctx::system(sources.clone()), db, &settings.decisions).await?;
    Ok(())
}

/// A service that listens.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    server: ServerHandle,
    serving: JoinHandle<std::io::Result<()>>,
    beside: Vec<JoinHandle<()>>,
}

impl Running {
    /// Waits until the service ends: by a signal of the operating system, or by [`Self::stop`].
    pub async fn wait(self) -> anyhow::Result<()> {
        let ended = self.serving.await;
        for task in self.beside {
            task.abort();
        }
        Ok(ended??)
    }

    /// Ends the service; running requests may end first.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.server.stop(true).await;
        self.wait().await
    }
}

/// Starts to serve on a prepared database. Port 0 takes a free one.
pub async fn start(settings: &Settings, db: Db, sources: Arc<Sources>) -> anyhow::Result<Running> {
    let writer = reads::Writer::start(&db);
    start_keeping(settings, db, sources, writer).await
}

/// The same with another keeper of read records. The benchmark measures by one that keeps nothing what they cost; no
/// configuration leads here.
pub async fn start_keeping(
    settings: &Settings,
    db: Db,
    sources: Arc<Sources>,
    keeper: impl KeepsReads,
) -> anyhow::Result<Running> {
    start_check()?;
    let issuer = Arc::new(grant_issuer(settings)?);
    let verifier: web::Data<TokenVerifier> =
        web::Data::new(verifier(&settings.auth, system_clock())?.with_grants(issuer.clone()));
    let metrics_data = web::Data::new(Metrics::new(&settings.telemetry.service_name)?);
    let reads = Reads::new(db.clone(), keeper);
    let house = house(settings, db.clone(), sources.clone(), issuer, reads).await?;
    let proofs = web::Data::new(Proofs::new(
        &settings.server.public_url,
        settings.auth.leeway_seconds,
        system_clock(),
    ));
    let callers = HouseCallers {
        house: house.clone(),
        verifier: verifier.clone().into_inner(),
        proofs: proofs.clone().into_inner(),
    };
    let edge = edge(settings, callers)?.measured_by(metrics_data.clone().into_inner());
    let rate = web::Data::new(RateLimit::new(&settings.rate));
    let import = web::Data::new(settings.import.clone());
    let house = web::Data::new(house);
    let providers = verifier.providers();
    let readiness = readiness(&db, &providers);
    metrics_data.watch_issuers(providers.clone());
    let witnesses = Witness::all(&settings.log)?;
    metrics_data.watch_witnesses(witnesses.clone());
    let mut beside = fetch_keys(providers).await?;
    beside.push(tokio::spawn(sequence(
        sources.clone(),
        db.clone(),
        log_keys(settings)?,
    )));
    for witness in witnesses {
        beside.push(tokio::spawn(witness.keep_cosigned(db.clone())));
    }
    beside.push(tokio::spawn(delete(sources.clone(), db.clone())));
    beside.push(tokio::spawn(deadlines(
        sources.clone(),
        db.clone(),
        settings.calendar.calendar(),
    )));
    beside.push(tokio::spawn(sweep(sources, db)));

    let listener = TcpListener::bind(settings.server.listen)
        .with_context(|| format!("{} ist belegt / is taken", settings.server.listen))?;
    let address = listener.local_addr()?;
    let routes = settings.clone();
    let mut server = HttpServer::new(move || {
        let mode = routes.mode;
        App::new()
            .app_data(verifier.clone())
            .app_data(proofs.clone())
            .app_data(metrics_data.clone())
            .app_data(rate.clone())
            .app_data(import.clone())
            .app_data(house.clone())
            .wrap(from_fn(rate_limit))
            .wrap(from_fn(authenticate))
            .wrap(cors(&routes.server))
            .wrap(Compress::default())
            .wrap(security_headers(mode))
            .wrap(from_fn(request_log))
            .configure(crate::http::graphql::configure(edge.clone(), "/graphql"))
            .configure(health_routes(readiness.clone()))
            .configure(explorer_routes(&routes.explorer))
            .configure(upload_routes)
            .configure(draw_file_routes)
            .configure(export_routes)
            .configure(log_routes)
            .configure(token_routes)
            .route("/metrics", web::get().to(metrics))
    })
    .shutdown_timeout(settings.server.shutdown_seconds);
    if settings.server.workers > 0 {
        server = server.workers(settings.server.workers);
    }
    let server = server.listen(listener)?.run();
    let handle = server.handle();
    Ok(Running {
        address,
        server: handle,
        serving: tokio::spawn(server),
        beside,
    })
}

async fn house(
    settings: &Settings,
    db: Db,
    sources: Arc<Sources>,
    issuer: Arc<GrantIssuer>,
    reads: Arc<Reads>,
) -> anyhow::Result<House> {
    let rows = jobcenter::bezirksstellen(&db).await?;
    Ok(House {
        sources,
        db,
        issuer,
        proxies: settings.server.proxies().into(),
        reads,
        bezirksstellen: Arc::new(rows.iter().map(|row| (row.number.clone(), row.id)).collect()),
        info: Arc::new(Info {
            limits: settings.limits.clone(),
            introspection: settings.introspection,
            log_keys: log_keys(settings)?
                .known()
                .iter()
                .map(ToString::to_string)
                .collect(),
            quorum: witnesses::quorum(&settings.log),
            production: settings.mode == Mode::Production,
            calendar: Arc::new(settings.calendar.calendar()),
            bezirksstellen: rows.into_iter().map(|row| (row.id, Arc::new(row))).collect(),
        }),
    })
}

fn edge(settings: &Settings, callers: HouseCallers) -> anyhow::Result<Edge> {
    let schema = graphql::schema();
    let admission = Admission::new(&graphql::sdl(), settings.limits.clone())
        .map_err(|error| anyhow::anyhow!("{error}"))?
        .with_scalars(graphql::check_scalar);
    Ok(
        Edge::new(schema, Arc::new(admission), callers, settings.introspection)
            .with_known(graphql::schema_for_known()),
    )
}

/// Fetches the keys of all identity providers, and has them kept fresh. A provider that does not answer hinders no start:
/// the others' users and everybody's documents do not depend on it. One that is not the configured one does.
async fn fetch_keys(providers: Vec<Arc<Provider>>) -> anyhow::Result<Vec<JoinHandle<()>>> {
    let first = join_all(providers.iter().map(|provider| provider.refresh())).await;
    let refused = providers
        .iter()
        .zip(&first)
        .filter_map(|(provider, outcome)| Some((provider, outcome.as_ref().err()?)))
        .find(|(_, error)| error.is_misconfigured());
    if let Some((provider, error)) = refused {
        bail!(
            "auth.issuers: Anmeldedienst {issuer}: {german}. / identity provider {issuer}: {english}.",
            issuer = provider.issuer(),
            german = error.text(Language::De),
            english = error.text(Language::En),
        );
    }
    Ok(providers
        .into_iter()
        .zip(first)
        .map(|(provider, first)| tokio::spawn(provider.keep_fresh(first)))
        .collect())
}

fn readiness(db: &Db, providers: &[Arc<Provider>]) -> Readiness {
    let (ping, records, current) = (db.clone(), db.clone(), db.clone());
    let readiness = if providers.is_empty() {
        Readiness::default()
    } else {
        let providers = providers.to_vec();
        // It only tells: to take the service away helps nobody whose provider does not answer.
        Readiness::default().telling("issuers", move || {
            let usable = providers.iter().all(|provider| provider.report().usable);
            async move { if usable { Ok(()) } else { Err("keys unavailable") } }
        })
    };
    readiness
        .with("database", move || {
            let db = ping.clone();
            async move { db.ping().await.map_err(|_| "unreachable") }
        })
        .with("read-records", move || {
            let db = records.clone();
            async move { db.ping_reads().await.map_err(|_| "unreachable") }
        })
        .with("migrations", move || {
            let db = current.clone();
            async move {
                let changes = migrations(&db).await.map_err(|_| "unreachable")?;
                if changes.iter().all(|(_, applied)| *applied) {
                    Ok(())
                } else {
                    Err("pending")
                }
            }
        })
}

async fn sweep(sources: Arc<Sources>, db: Db) {
    let mut pace = tokio::time::interval(SWEEP);
    loop {
        pace.tick().await;
        match population::sweep(&sources, &db).await {
            Ok(0) => {}
            Ok(swept) => tracing::warn!(imports = swept, "imports whose reader was gone were ended"),
            Err(error) => tracing::error!(%error, "imports could not be swept"),
        }
    }
}

/// Lets deadlines pass when their time has come, whichever instance comes first.
async fn deadlines(sources: Arc<Sources>, db: Db, calendar: Calendar) {
    let mut pace = tokio::time::interval(DEADLINES);
    loop {
        pace.tick().await;
        match deadline::run(&sources, &db, &calendar).await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "deadlines passed or were reminded of"),
            Err(error) => tracing::error!(%error, "deadlines could not be looked at"),
        }
    }
}

/// Deletes what is kept no longer: at the start, and then once a day.
async fn delete(sources: Arc<Sources>, db: Db) {
    let mut pace = tokio::time::interval(DELETE);
    loop {
        pace.tick().await;
        for kind in retention::Kind::ALL {
            match retention::run(&Ctx::system(sources.clone()), &db, kind).await {
                Ok(run) if run.records.is_empty() => {}
                Ok(run) => tracing::info!(?kind, count = run.count, "what is kept no longer was deleted"),
                Err(error) => tracing::error!(?kind, %error, "what is kept no longer could not be deleted"),
            }
        }
    }
}

/// Keeps the log up with the trail, whichever instance writes to it.
async fn sequence(sources: Arc<Sources>, db: Db, keys: LogKeys) {
    loop {
        let rest = match trail::integrate(&sources, &db, &keys).await {
            Ok(_) => SEQUENCE,
            Err(error) => {
                tracing::error!(%error, "the log cannot be signed");
                RECOVER
            }
        };
        tokio::time::sleep(rest).await;
    }
}
