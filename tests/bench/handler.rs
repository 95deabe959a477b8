//! What the benchmark compares the service with: a page of sample items as one would write it by hand for exactly this
//! page, with actix-web and plain SQL. Also sets up the database that the benchmark starts from.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use anyhow::{Context as _, anyhow};
use audit::access::{Caller, Membership, Role};
use audit::engagement::Open;
use audit::{Clock as _, Ctx, Db, OsRandom, Sources, SystemClock, Vault, engagement, jobcenter};
use chrono::{DateTime, NaiveDate, Utc};
use clap::{Parser, ValueEnum};
use entity::engagement::Function;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde::{Deserialize, Serialize};
use sqlx::Row as _;
use tokio::sync::OnceCell;
use uuid::Uuid;

// The service's allocator: the comparison is about the code.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
enum Command {
    /// Applies the migrations, sets the Jobcenter up and opens an engagement; prints the engagement's number.
    Prepare {
        #[arg(long)]
        database: String,
        /// 32 bytes in hexadecimal, as `secrets.case_key`.
        #[arg(long)]
        case_key: String,
    },
    /// Answers pages.
    Serve(Serve),
}

#[derive(Clone, clap::Args)]
struct Serve {
    #[arg(long)]
    driver: Driver,
    #[arg(long)]
    database: String,
    #[arg(long)]
    listen: String,
    #[arg(long, default_value_t = 8)]
    connections: u32,
    /// PEM of the Ed25519 key that signs tokens, its public half.
    #[arg(long)]
    key: PathBuf,
    /// Remember verified tokens, as the service does; without it every request verifies the signature.
    #[arg(long)]
    remember_tokens: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Driver {
    Sqlx,
    TokioPostgres,
}

#[actix_web::main]
async fn main() -> anyhow::Result<()> {
    match Command::parse() {
        Command::Prepare { database, case_key } => prepare(&database, &case_key).await,
        Command::Serve(arguments) => serve(arguments).await,
    }
}

async fn prepare(database: &str, case_key: &str) -> anyhow::Result<()> {
    let db = Db::connect(database, 2).await?;
    migration::up(db.owner()).await?;
    migration::reads::up(db.reads_owner()).await?;
    let mut key = [0; 32];
    hex::decode_to_slice(case_key, &mut key)?;
    let sources = Sources::new(Arc::new(SystemClock), Arc::new(OsRandom::new()?), Vault::new(key));
    let caller = Caller {
        subject: "bench".to_owned(),
        name: None,
        membership: Some(Membership::new(Role::InnenrevisionLeitung, None)?),
        bezirksstelle: None,
        authenticated: true,
        grant: None,
    };
    let request = sources.new_id();
    let ctx = Ctx::new(caller, request, Arc::new(sources));
    let preset = jobcenter::preset("recklinghausen").context("the preset is gone")?;
    jobcenter::set_up(&ctx, &db, preset, None).await?;
    let day = |month, day| NaiveDate::from_ymd_opt(2025, month, day).context("no such day");
    let input = Open {
        title: "Benchmark".to_owned(),
        function: Function::Innenrevision,
        objective: "Benchmark".to_owned(),
        legal_basis: "§ 6b (4) SGB II".to_owned(),
        period_from: day(1, 1)?,
        period_to: day(12, 31)?,
    };
    let row = engagement::open(&ctx, &db, "bench", input).await?;
    println!("{}", row.number);
    Ok(())
}

/// A page of one sample's items in one state, in the order of the draw.
#[derive(Deserialize)]
struct Query {
    sample: Uuid,
    state: String,
    first: i64,
    after_order: i64,
    after_id: Uuid,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    items: Vec<Item>,
    has_next_page: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    id: Uuid,
    draw_order: i64,
    hits: i64,
    reference: String,
    amount_cents: i64,
    state: String,
    result: Option<String>,
    version: i32,
    bezirksstelle: String,
    checks: Vec<Check>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Check {
    #[serde(skip)]
    sample_item_id: Uuid,
    id: Uuid,
    tester: String,
    version: i32,
    error_class: String,
    remark: String,
    at: DateTime<Utc>,
}

const ITEMS: &str =
    "SELECT s.id, s.draw_order, s.hits, s.reference, s.amount_cents, s.state, s.result, s.version,
        b.name AS bezirksstelle
    FROM sample_item s JOIN bezirksstelle b ON b.id = s.bezirksstelle_id
    WHERE s.sample_id = $1 AND s.state = $2 AND (s.draw_order, s.id) > ($3, $4)
    ORDER BY s.draw_order, s.id LIMIT $5";
const CHECKS: &str = "SELECT sample_item_id, id, tester, version, error_class, remark, at
    FROM item_check WHERE sample_item_id = ANY($1) ORDER BY id";

impl Page {
    fn new(mut items: Vec<Item>, first: i64) -> Self {
        let first = usize::try_from(first).unwrap_or(0);
        let has_next_page = items.len() > first;
        items.truncate(first);
        Self { items, has_next_page }
    }

    fn ids(&self) -> Vec<Uuid> {
        self.items.iter().map(|item| item.id).collect()
    }

    fn attach(&mut self, checks: impl IntoIterator<Item = Check>) {
        let places: HashMap<Uuid, usize> = self
            .items
            .iter()
            .enumerate()
            .map(|(place, item)| (item.id, place))
            .collect();
        for check in checks {
            if let Some(place) = places.get(&check.sample_item_id) {
                self.items[*place].checks.push(check);
            }
        }
    }
}

/// Who may ask: issuer, audience, expiry and type as the service checks them.
struct Tokens {
    key: DecodingKey,
    validation: Validation,
    remembered: Option<Mutex<HashMap<String, i64>>>,
}

#[derive(Deserialize)]
struct Claims {
    exp: i64,
}

impl Tokens {
    fn new(pem: &[u8], remember: bool) -> anyhow::Result<Self> {
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&["pruefpfad-development"]);
        validation.set_audience(&["pruefpfad"]);
        Ok(Self {
            key: DecodingKey::from_ed_pem(pem)?,
            validation,
            remembered: remember.then(Mutex::default),
        })
    }

    fn check(&self, request: &HttpRequest) -> Option<()> {
        let header = request.headers().get("authorization")?.to_str().ok()?;
        let token = header.strip_prefix("Bearer ")?;
        if let Some(remembered) = &self.remembered {
            let remembered = remembered.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(expiry) = remembered.get(token) {
                return (*expiry > SystemClock.now().timestamp()).then_some(());
            }
        }
        let data = decode::<Claims>(token, &self.key, &self.validation).ok()?;
        if data.header.typ.as_deref() != Some("at+jwt") {
            return None;
        }
        if let Some(remembered) = &self.remembered {
            let mut remembered = remembered.lock().unwrap_or_else(PoisonError::into_inner);
            remembered.insert(token.to_owned(), data.claims.exp);
        }
        Some(())
    }
}

/// Each worker's way to the database.
enum Store {
    Sqlx(sqlx::PgPool),
    /// One connection a worker: requests are pipelined on it.
    TokioPostgres {
        database: String,
        client: Box<OnceCell<Prepared>>,
    },
}

struct Prepared {
    client: tokio_postgres::Client,
    items: tokio_postgres::Statement,
    checks: tokio_postgres::Statement,
}

impl Prepared {
    async fn connect(database: &str) -> anyhow::Result<Self> {
        let (client, connection) = tokio_postgres::connect(database, tokio_postgres::NoTls).await?;
        actix_web::rt::spawn(connection);
        Ok(Self {
            items: client.prepare(ITEMS).await?,
            checks: client.prepare(CHECKS).await?,
            client,
        })
    }
}

impl Store {
    async fn page(&self, query: &Query) -> anyhow::Result<Page> {
        match self {
            Self::Sqlx(pool) => with_sqlx(pool, query).await,
            Self::TokioPostgres { database, client } => {
                let prepared = client.get_or_try_init(|| Prepared::connect(database)).await?;
                with_tokio_postgres(prepared, query).await
            }
        }
    }
}

async fn with_sqlx(pool: &sqlx::PgPool, query: &Query) -> anyhow::Result<Page> {
    let rows = sqlx::query(ITEMS)
        .bind(query.sample)
        .bind(&query.state)
        .bind(query.after_order)
        .bind(query.after_id)
        .bind(query.first + 1)
        .fetch_all(pool)
        .await?;
    let items = rows
        .iter()
        .map(|row| {
            Ok(Item {
                id: row.try_get(0)?,
                draw_order: row.try_get(1)?,
                hits: row.try_get(2)?,
                reference: row.try_get(3)?,
                amount_cents: row.try_get(4)?,
                state: row.try_get(5)?,
                result: row.try_get(6)?,
                version: row.try_get(7)?,
                bezirksstelle: row.try_get(8)?,
                checks: Vec::new(),
            })
        })
        .collect::<Result<_, sqlx::Error>>()?;
    let mut page = Page::new(items, query.first);
    let rows = sqlx::query(CHECKS).bind(page.ids()).fetch_all(pool).await?;
    let checks = rows
        .iter()
        .map(|row| {
            Ok(Check {
                sample_item_id: row.try_get(0)?,
                id: row.try_get(1)?,
                tester: row.try_get(2)?,
                version: row.try_get(3)?,
                error_class: row.try_get(4)?,
                remark: row.try_get(5)?,
                at: row.try_get(6)?,
            })
        })
        .collect::<Result<Vec<_>, sqlx::Error>>()?;
    page.attach(checks);
    Ok(page)
}

async fn with_tokio_postgres(prepared: &Prepared, query: &Query) -> anyhow::Result<Page> {
    let limit = query.first + 1;
    let rows = prepared
        .client
        .query(
            &prepared.items,
            &[
                &query.sample,
                &query.state,
                &query.after_order,
                &query.after_id,
                &limit,
            ],
        )
        .await?;
    let items = rows
        .iter()
        .map(|row| {
            Ok(Item {
                id: row.try_get(0)?,
                draw_order: row.try_get(1)?,
                hits: row.try_get(2)?,
                reference: row.try_get(3)?,
                amount_cents: row.try_get(4)?,
                state: row.try_get(5)?,
                result: row.try_get(6)?,
                version: row.try_get(7)?,
                bezirksstelle: row.try_get(8)?,
                checks: Vec::new(),
            })
        })
        .collect::<Result<_, tokio_postgres::Error>>()?;
    let mut page = Page::new(items, query.first);
    let rows = prepared.client.query(&prepared.checks, &[&page.ids()]).await?;
    let checks = rows
        .iter()
        .map(|row| {
            Ok(Check {
                sample_item_id: row.try_get(0)?,
                id: row.try_get(1)?,
                tester: row.try_get(2)?,
                version: row.try_get(3)?,
                error_class: row.try_get(4)?,
                remark: row.try_get(5)?,
                at: row.try_get(6)?,
            })
        })
        .collect::<Result<Vec<_>, tokio_postgres::Error>>()?;
    page.attach(checks);
    Ok(page)
}

async fn items(
    request: HttpRequest,
    query: web::Query<Query>,
    tokens: web::Data<Tokens>,
    store: web::ThinData<Arc<Store>>,
) -> HttpResponse {
    if tokens.check(&request).is_none() {
        return HttpResponse::Unauthorized().finish();
    }
    match store.page(&query).await {
        Ok(page) => HttpResponse::Ok().json(page),
        Err(error) => HttpResponse::InternalServerError().body(error.to_string()),
    }
}

/// What somebody reads who watches an import: the population and the import, the rows that it changes.
async fn progress(store: web::ThinData<Arc<Store>>) -> HttpResponse {
    let Store::Sqlx(pool) = &**store else {
        return HttpResponse::NotImplemented().finish();
    };
    let rows = sqlx::query_as::<_, (String, i64, Option<i64>)>(
        "SELECT p.name, p.item_count, max(i.lines_read)
         FROM population p LEFT JOIN population_import i ON i.population_id = p.id GROUP BY p.id",
    )
    .fetch_all(pool)
    .await;
    match rows {
        Ok(rows) => HttpResponse::Ok().json(rows),
        Err(error) => HttpResponse::InternalServerError().body(error.to_string()),
    }
}

async fn serve(arguments: Serve) -> anyhow::Result<()> {
    let tokens = web::Data::new(Tokens::new(
        &fs::read(&arguments.key)?,
        arguments.remember_tokens,
    )?);
    let pool = match arguments.driver {
        Driver::Sqlx => Some(
            sqlx::postgres::PgPoolOptions::new()
                .max_connections(arguments.connections)
                .test_before_acquire(false)
                .connect(&arguments.database)
                .await?,
        ),
        Driver::TokioPostgres => None,
    };
    let database = arguments.database.clone();
    HttpServer::new(move || {
        let store = pool.clone().map_or_else(
            || Store::TokioPostgres {
                database: database.clone(),
                client: Box::default(),
            },
            Store::Sqlx,
        );
        App::new()
            .app_data(tokens.clone())
            .app_data(web::ThinData(Arc::new(store)))
            .route("/items", web::get().to(items))
            .route("/progress", web::get().to(progress))
    })
    .bind(&arguments.listen)
    .map_err(|error| anyhow!("{}: {error}", arguments.listen))?
    .run()
    .await?;
    Ok(())
}
