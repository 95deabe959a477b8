//! An import from its first byte to its last: a thread reads and checks lines, a task writes them, and one short
//! transaction at the end makes them count. All or nothing.

use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use entity::population_import::{ActiveModel, Column, Entity, Model, State};
use entity::{Cents, EngagementId, ImportId, Scope, import_rejection, population, population_item};
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, DatabaseBackend, DatabaseTransaction,
    EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, Set,
};
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use super::import::reader::Failure;
use super::import::{Line, Mapping, Reader, Rejection, RejectionCode, Step};
use super::reconciliation::Parts;
use super::service::{OpenImport, lock_unfrozen, no_running_import, opened};
use super::sink::{self, Batch, Row, SealedCase};
use crate::access::{Action, Permit, authorize_write};
use crate::trail::{self, Subject};
use crate::{Code, Ctx, Db, EngagementKey, Error, Result, Sources, engagement, jobcenter};

/// Bounds of an import.
#[derive(Clone, Copy, Debug)]
pub struct IntakeLimits {
    /// Longest record in bytes.
    pub record_bytes: usize,
    /// Largest file in bytes.
    pub file_bytes: u64,
    /// How many refused lines are kept; all are counted.
    pub rejections_kept: usize,
}

/// An import without a sign of life for this long has lost its reader.
const LEASE: TimeDelta = TimeDelta::seconds(20);
const HEARTBEAT: Duration = Duration::from_secs(2);
const PROGRESS: Duration = Duration::from_millis(400);
/// Ids and salts are made for this many lines at once.
const PROVISION: usize = 1_024;
/// Case numbers remembered as already sealed; forgetting costs a repeated insert, nothing else.
const CASES_REMEMBERED: usize = 100_000;

/// Reads a file into a waiting import. Answers the import as it ended: completed, rejected or failed.
///
/// Must run as a task of its own: when the caller goes away the import still ends cleanly.
pub async fn run_import(
    ctx: Ctx,
    db: Db,
    import: ImportId,
    input: impl Read + Send + 'static,
    limits: IntakeLimits,
) -> Result<Model> {
    let permit = authorize_write(&ctx, &db, Action::PopulationImport).await?;
    sweep(&ctx.sources, &db).await?;
    let numbers = numbers(&db).await?;
    let tx = db.begin_write().await?;
    let job = start(&tx, &ctx, &permit, import, numbers).await?;
    tx.commit().await?;
    read_into(ctx, db, permit, job, input, limits).await
}

/// The same for somebody who has the file at hand: opens the import and starts it at once. One that cannot start is not
/// opened either.
pub async fn import_file(
    ctx: Ctx,
    db: Db,
    idempotency_key: &str,
    open: OpenImport,
    input: impl Read + Send + 'static,
    limits: IntakeLimits,
) -> Result<Model> {
    let permit = authorize_write(&ctx, &db, Action::PopulationImport).await?;
    sweep(&ctx.sources, &db).await?;
    let numbers = numbers(&db).await?;
    let tx = db.begin_write().await?;
    let import = opened(&tx, &ctx, &permit, idempotency_key, open).await?;
    let job = start(&tx, &ctx, &permit, import.id, numbers).await?;
    tx.commit().await?;
    read_into(ctx, db, permit, job, input, limits).await
}

async fn read_into(
    ctx: Ctx,
    db: Db,
    permit: Permit,
    job: Job,
    input: impl Read + Send + 'static,
    limits: IntakeLimits,
) -> Result<Model> {
    let import = job.import;
    let held = Held::new(&ctx.sources, import);
    let _alive = Heartbeat::start(&ctx, &db, import);
    let (sender, mut batches) = mpsc::channel(2);
    let reading = tokio::task::spawn_blocking({
        let (sources, job) = (ctx.sources.clone(), job.clone());
        move || job.read(&sources, input, limits, &sender)
    });
    let written = write_all(&ctx, &db, import, &mut batches).await;
    // A writer that failed closes the channel, and with it the reader.
    drop(batches);
    let read = reading
        .await
        .map_err(|error| Error::internal(format!("the reader broke: {error}")))?;
    let ending = match written {
        Err(error) => End::from_error(&error),
        Ok(()) => read.end,
    };
    let ending = match ending {
        End::Complete => checked(&db, &job, &read.progress, limits.rejections_kept)
            .await
            .unwrap_or_else(|error| End::from_error(&error)),
        other => other,
    };
    finish(&ctx, &db, permit, held, &job, &read.progress, ending).await
}

/// What the lines are checked for once all of them are there.
async fn checked(db: &Db, job: &Job, progress: &Progress, kept: usize) -> Result<End> {
    match twin(db.reader(), job.population.engagement_id, progress).await? {
        Some(end) => Ok(end),
        None => duplicates(db, job, kept).await,
    }
}

/// What an import needs to know while it reads.
#[derive(Clone, Debug)]
struct Job {
    import: ImportId,
    population: population::Model,
    mapping: Arc<Mapping>,
    key: Arc<EngagementKey>,
    bezirksstellen: Arc<Numbers>,
    postgres: bool,
}

/// An import, for the trail.
const fn subject(import: ImportId, engagement: EngagementId) -> Subject {
    Subject::new("Import", import.0, engagement)
}

/// How far reading has come.
#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    bytes: u64,
    lines: u64,
    rejected: u64,
    parts: Parts,
    sha256: Option<[u8; 32]>,
}

/// How reading ended.
#[derive(Debug)]
enum End {
    Complete,
    Rejected {
        code: Code,
        detail: String,
        list: Vec<Rejection>,
    },
    Failed {
        code: Code,
        detail: String,
    },
}

impl End {
    fn from_error(error: &Error) -> Self {
        let refusal = match error {
            Error::Refused(refusals) => refusals.first(),
            _ => None,
        };
        let (code, detail) = if let Some(refusal) = refusal {
            (refusal.code, refusal.detail.clone())
        } else {
            tracing::error!(%error, "an import could not be written");
            (Code::Interrupted, String::new())
        };
        Self::Failed { code, detail }
    }

    fn from_failure(failure: &Failure, mapping: &Mapping) -> Self {
        let rejected = |code, detail: String| Self::Rejected {
            code,
            detail,
            list: failure.rejection().into_iter().collect(),
        };
        match failure {
            Failure::Io(error) if error.kind() == std::io::ErrorKind::FileTooLarge => {
                rejected(Code::FileTooLarge, error.to_string())
            }
            Failure::Io(_) => Self::Failed {
                code: Code::UploadBroken,
                detail: String::new(),
            },
            Failure::Mapping(errors) => rejected(
                Code::MappingInvalid,
                errors
                    .iter()
                    .map(|error| error.field.as_str())
                    .collect::<Vec<_>>()
                    .join(", "),
            ),
            Failure::Headers(errors) => rejected(
                Code::HeaderRefused,
                errors
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join(", "),
            ),
            Failure::Empty => rejected(Code::FileEmpty, String::new()),
            Failure::HeaderOnly => rejected(Code::HeaderOnly, String::new()),
            Failure::Encoding { line, byte, .. } => rejected(
                Code::WrongEncoding,
                format!("{:?}, Zeile/line {line}, Byte {byte}", mapping.encoding),
            ),
            Failure::RecordTooLong { line, limit } => {
                rejected(Code::RecordTooLong, format!("Zeile/line {line}, {limit} Bytes"))
            }
            Failure::UnclosedQuote { line } => rejected(Code::RecordTooLong, format!("Zeile/line {line}")),
        }
    }
}

/// What the reader hands over.
#[derive(Debug)]
struct Filled {
    batch: Batch,
    cases: Vec<SealedCase>,
    progress: Progress,
}

/// What the reader found.
#[derive(Debug)]
struct Outcome {
    progress: Progress,
    end: End,
}

/// Bezirksstellen by the number that stands in extracts.
type Numbers = HashMap<String, Uuid>;

async fn numbers(db: &Db) -> Result<Numbers> {
    let rows = jobcenter::bezirksstellen(db).await?;
    Ok(rows.into_iter().map(|row| (row.number, row.id.0)).collect())
}

async fn start(
    tx: &DatabaseTransaction,
    ctx: &Ctx,
    permit: &Permit,
    id: ImportId,
    numbers: Numbers,
) -> Result<Job> {
    let row = Entity::visible_to(&ctx.caller.scope(ctx.now()))
        .filter(Column::Id.eq(id))
        .one(tx)
        .await?
        .ok_or_else(|| Error::refused(Code::NotFound, "id"))?;
    let population = lock_unfrozen(tx, ctx, row.population_id, "id").await?;
    // Only under the population's lock the state is certain.
    let row = Entity::find_by_id(id)
        .one(tx)
        .await?
        .ok_or_else(|| Error::refused(Code::NotFound, "id"))?;
    if row.state != State::Waiting {
        return Err(Error::refused(Code::ImportNotWaiting, "id"));
    }
    // Who brought the extract is one person: the control total must come from another one.
    if row.created_by != ctx.caller.subject {
        return Err(Error::refused(Code::ImportOfAnother, "id"));
    }
    no_running_import(tx, population.id, "id").await?;
    let mapping: Mapping =
        serde_json::from_str(&row.mapping).map_err(|error| Error::internal(error.to_string()))?;
    let key = engagement::key(ctx, tx, population.engagement_id).await?;
    let before = trail::state(ctx, &row)?;
    let mut change: ActiveModel = row.into();
    change.state = Set(State::Running);
    change.heartbeat_at = Set(Some(ctx.now()));
    let row = change.update(tx).await?;
    let started = subject(id, population.engagement_id).changed(before, trail::state(ctx, &row)?);
    trail::record(tx, ctx, permit, started, json!({ "state": row.state })).await?;
    Ok(Job {
        import: id,
        population,
        mapping: Arc::new(mapping),
        key: Arc::new(key),
        bezirksstellen: Arc::new(numbers),
        postgres: tx.get_database_backend() == DatabaseBackend::Postgres,
    })
}

impl Job {
    const fn subject(&self) -> Subject {
        subject(self.import, self.population.engagement_id)
    }

    /// Reads the file to its end or to its first fatal fault. Behind a rejected line nothing is handed over any more, but
    /// reading goes on, so that the user gets the whole list at once.
    fn read(
        &self,
        sources: &Sources,
        input: impl Read,
        limits: IntakeLimits,
        sender: &mpsc::Sender<Filled>,
    ) -> Outcome {
        let mut progress = Progress::default();
        let input = Bounded {
            input,
            left: limits.file_bytes,
            limit: limits.file_bytes,
        };
        let mut reader =
            match Reader::with_limit(input, &self.mapping, self.population.unit, limits.record_bytes) {
                Ok(reader) => reader,
                Err(failure) => {
                    return Outcome {
                        progress,
                        end: End::from_failure(&failure, &self.mapping),
                    };
                }
            };
        let mut writer = Preparation::new(self, sources);
        let mut line = Line::default();
        let (mut found, mut kept) = (Vec::new(), Vec::new());
        loop {
            let step = reader.read(
                |number| self.bezirksstellen.contains_key(number),
                &mut line,
                &mut found,
            );
            progress.bytes = reader.bytes();
            progress.lines = reader.records();
            match step {
                Ok(Step::Line) => {
                    if progress.parts.add(line.amount).is_err() {
                        found.push(Rejection {
                            line: line.number,
                            column: None,
                            code: RejectionCode::AmountOverflow,
                        });
                    }
                }
                Ok(Step::Rejected) => {}
                Ok(Step::End) => {
                    progress.sha256 = Some(reader.sha256());
                    break;
                }
                Err(failure) => {
                    let mut end = End::from_failure(&failure, &self.mapping);
                    if let End::Rejected { list, .. } = &mut end {
                        kept.append(list);
                        *list = kept;
                    }
                    return Outcome { progress, end };
                }
            }
            if !found.is_empty() {
                progress.rejected += 1;
                let room = limits.rejections_kept.saturating_sub(kept.len());
                kept.extend(found.drain(..).take(room));
            }
            if progress.rejected == 0 {
                match writer.push(&line) {
                    Ok(Some((batch, cases))) => {
                        if sender
                            .blocking_send(Filled {
                                batch,
                                cases,
                                progress,
                            })
                            .is_err()
                        {
                            break;
                        }
                    }
                    Ok(None) => {}
                    Err(error) => {
                        return Outcome {
                            progress,
                            end: End::from_error(&error),
                        };
                    }
                }
            }
        }
        if progress.rejected > 0 {
            let end = End::Rejected {
                code: Code::LinesRejected,
                detail: progress.rejected.to_string(),
                list: kept,
            };
            return Outcome { progress, end };
        }
        let (batch, cases) = writer.rest();
        // A closed channel means that writing failed, which the writer reports.
        let _ = sender.blocking_send(Filled {
            batch,
            cases,
            progress,
        });
        Outcome {
            progress,
            end: End::Complete,
        }
    }
}

/// Stops a file that is larger than allowed.
#[derive(Debug)]
struct Bounded<R> {
    input: R,
    left: u64,
    limit: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.left = self.left.checked_sub(count as u64).ok_or_else(|| {
            std::io::Error::new(std::io::ErrorKind::FileTooLarge, format!("{} Bytes", self.limit))
        })?;
        Ok(count)
    }
}

/// Turns lines into rows: pseudonyms, ids, salts, sealed case numbers.
struct Preparation<'a> {
    job: &'a Job,
    sources: &'a Sources,
    batch: Batch,
    cases: Vec<SealedCase>,
    sealed: HashSet<[u8; 16]>,
    ids: std::vec::IntoIter<Uuid>,
    salts: Vec<[u8; 32]>,
    attributes: String,
    reference: String,
}

impl<'a> Preparation<'a> {
    fn new(job: &'a Job, sources: &'a Sources) -> Self {
        Self {
            job,
            sources,
            batch: Batch::new(job.postgres),
            cases: Vec::new(),
            sealed: HashSet::new(),
            ids: Vec::new().into_iter(),
            salts: Vec::new(),
            attributes: String::new(),
            reference: String::new(),
        }
    }

    fn push(&mut self, line: &Line) -> Result<Option<(Batch, Vec<SealedCase>)>> {
        let item_key = self.job.key.item(&line.key);
        let case_key = line
            .case_number
            .as_deref()
            .map(|number| self.case(number))
            .transpose()?;
        let (id, salt) = self.next_identity();
        attributes_json(&line.attributes, &mut self.attributes)?;
        let reference = if let Some(reference) = &line.reference {
            reference
        } else {
            crockford(&item_key, &mut self.reference);
            &self.reference
        };
        let row = Row {
            id,
            line: i64::try_from(line.number).unwrap_or(i64::MAX),
            item_key,
            case_key,
            bezirksstelle: self
                .job
                .bezirksstellen
                .get(&line.bezirksstelle)
                .copied()
                .unwrap_or_default(),
            amount: line.amount,
            funds: line.funds,
            product: &line.product,
            period: line.period,
            decision_date: line.decision_date,
            kind: &line.kind,
            own_staff: line.own_staff,
            attributes: &self.attributes,
            reference,
            salt,
        };
        let full = self.batch.push(self.job.population.id, self.job.import, &row);
        Ok(full.then(|| self.rest()))
    }

    /// What is ready so far.
    fn rest(&mut self) -> (Batch, Vec<SealedCase>) {
        (
            std::mem::replace(&mut self.batch, Batch::new(self.job.postgres)),
            std::mem::take(&mut self.cases),
        )
    }

    fn case(&mut self, number: &str) -> Result<[u8; 16]> {
        let key = self.job.key.case(number);
        if self.sealed.len() >= CASES_REMEMBERED {
            self.sealed.clear();
        }
        if self.sealed.insert(key) {
            let bound_to = case_binding(self.job.import, &key);
            let sealed =
                self.sources
                    .vault()
                    .seal(self.sources.random_bytes(), &bound_to, number.as_bytes())?;
            self.cases.push((key, sealed));
        }
        Ok(key)
    }

    fn next_identity(&mut self) -> (Uuid, [u8; 32]) {
        loop {
            if let (Some(id), Some(salt)) = (self.ids.next(), self.salts.pop()) {
                return (id, salt);
            }
            self.ids = self.sources.new_ids(PROVISION).collect::<Vec<_>>().into_iter();
            let mut bytes = vec![0; PROVISION * 32];
            self.sources.fill_random(&mut bytes);
            self.salts = bytes.as_chunks::<32>().0.to_vec();
        }
    }
}

/// A case number, opened.
pub(crate) fn open_case_number(sources: &Sources, row: &entity::case_number::Model) -> Result<String> {
    let key: [u8; 16] = row
        .case_key
        .as_slice()
        .try_into()
        .map_err(|_| Error::internal("a case key has not 16 bytes"))?;
    let number = sources
        .vault()
        .open(&case_binding(row.import_id, &key), &row.sealed)?;
    String::from_utf8(number).map_err(|_| Error::internal("a case number is no text"))
}

/// What a sealed case number is bound to: its row.
fn case_binding(import: ImportId, key: &[u8; 16]) -> [u8; 32] {
    let mut bound_to = [0; 32];
    bound_to[..16].copy_from_slice(import.0.as_bytes());
    bound_to[16..].copy_from_slice(key);
    bound_to
}

/// Attributes as a JSON object; they come sorted by name.
fn attributes_json(attributes: &[(Arc<str>, String)], json: &mut String) -> Result<()> {
    json.clear();
    json.push('{');
    for (position, (name, value)) in attributes.iter().enumerate() {
        if position > 0 {
            json.push(',');
        }
        for (text, end) in [(&**name, ":"), (value.as_str(), "")] {
            json.push_str(&serde_json::to_string(text).map_err(|error| Error::internal(error.to_string()))?);
            json.push_str(end);
        }
    }
    json.push('}');
    Ok(())
}

/// A pseudonym to read aloud: 80 of its bits in Crockford's base 32, `7K3M-92QT-X0AB-4CDE`.
fn crockford(key: &[u8; 16], text: &mut String) {
    const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let bits = key[..10]
        .iter()
        .fold(0_u128, |bits, byte| (bits << 8) | u128::from(*byte));
    text.clear();
    for position in 0..16_u32 {
        if position > 0 && position % 4 == 0 {
            text.push('-');
        }
        let digit = (bits >> (75 - 5 * position)) & 31;
        text.push(char::from(DIGITS[usize::try_from(digit).unwrap_or(0)]));
    }
}

/// Writes batches as they come, and says so in the import's row: people watch it, and it proves that somebody reads.
async fn write_all(ctx: &Ctx, db: &Db, import: ImportId, batches: &mut mpsc::Receiver<Filled>) -> Result<()> {
    let mut told = Instant::now();
    let mut last = Progress::default();
    loop {
        match timeout(HEARTBEAT, batches.recv()).await {
            Ok(Some(filled)) => {
                sink::write_cases(db, import, filled.cases).await?;
                sink::write(db, filled.batch).await?;
                last = filled.progress;
            }
            Ok(None) => return Ok(()),
            Err(_) => {}
        }
        if told.elapsed() >= PROGRESS {
            tell(ctx, db, import, &last).await?;
            told = Instant::now();
        }
    }
}

async fn tell(ctx: &Ctx, db: &Db, import: ImportId, progress: &Progress) -> Result<()> {
    let tx = db.begin_write().await?;
    let told = Entity::update_many()
        .col_expr(Column::BytesRead, Expr::val(signed(progress.bytes)))
        .col_expr(Column::LinesRead, Expr::val(signed(progress.lines)))
        .col_expr(Column::SumCents, Expr::val(progress.parts.sum()))
        .col_expr(Column::HeartbeatAt, Expr::val(ctx.now()))
        .filter(Column::Id.eq(import))
        .filter(Column::State.eq(State::Running))
        .exec(&tx)
        .await?;
    tx.commit().await?;
    if told.rows_affected == 0 {
        return Err(Error::internal(
            "the import was given up by another instance of the service",
        ));
    }
    Ok(())
}

/// Business keys that stand twice, in this file or against an earlier import. Both lines are named.
async fn duplicates(db: &Db, job: &Job, kept: usize) -> Result<End> {
    let keys: Vec<Vec<u8>> = population_item::Entity::find()
        .select_only()
        .column(population_item::Column::ItemKey)
        .filter(population_item::Column::PopulationId.eq(job.population.id))
        .group_by(population_item::Column::ItemKey)
        .having(population_item::Column::Id.count().gt(1))
        .limit(kept.max(1) as u64)
        .into_tuple()
        .all(db.reader())
        .await?;
    if keys.is_empty() {
        return Ok(End::Complete);
    }
    let mut list = Vec::new();
    for chunk in keys.chunks(500) {
        let lines: Vec<(Vec<u8>, ImportId, i64)> = population_item::Entity::find()
            .select_only()
            .columns([
                population_item::Column::ItemKey,
                population_item::Column::ImportId,
                population_item::Column::Line,
            ])
            .filter(population_item::Column::PopulationId.eq(job.population.id))
            .filter(population_item::Column::ItemKey.is_in(chunk.to_vec()))
            .order_by_asc(population_item::Column::Id)
            .into_tuple()
            .all(db.reader())
            .await?;
        let mut first: HashMap<Vec<u8>, i64> = HashMap::new();
        for (key, import, line) in lines {
            match first.get(&key) {
                None => {
                    first.insert(key, line);
                }
                Some(first_line) if import == job.import => list.push(Rejection {
                    line: unsigned(line),
                    column: None,
                    code: RejectionCode::DuplicateKey {
                        first_line: unsigned(*first_line),
                    },
                }),
                Some(_) => {}
            }
        }
    }
    list.sort_by_key(|rejection| rejection.line);
    list.truncate(kept);
    let (lines, distinct): (i64, i64) = population_item::Entity::find()
        .select_only()
        .column_as(population_item::Column::Id.count(), "lines")
        .column_as(
            Expr::col(population_item::Column::ItemKey).count_distinct(),
            "distinct_keys",
        )
        .filter(population_item::Column::PopulationId.eq(job.population.id))
        .into_tuple()
        .one(db.reader())
        .await?
        .unwrap_or_default();
    Ok(End::Rejected {
        code: Code::LinesRejected,
        detail: (lines - distinct).to_string(),
        list,
    })
}

/// Ends an import: what it wrote counts from now on, or is removed.
async fn finish(
    ctx: &Ctx,
    db: &Db,
    permit: Permit,
    held: Held,
    job: &Job,
    progress: &Progress,
    end: End,
) -> Result<Model> {
    let end = match end {
        End::Complete => match complete(ctx, db, &permit, job, progress).await {
            Ok(Ok(row)) => return Ok(row),
            Ok(Err(end)) => end,
            Err(error) => End::from_error(&error),
        },
        end => end,
    };
    let (code, detail, list) = match end {
        End::Rejected { code, detail, list } => (code, detail, list),
        End::Failed { code, detail } => {
            let failed = Failed {
                ctx: ctx.clone(),
                db: db.clone(),
                permit,
                _held: held,
                job: job.clone(),
                progress: *progress,
                code,
                detail,
            };
            return failed.end().await;
        }
        End::Complete => return Err(Error::internal("a complete import is not removed")),
    };
    sink::remove(db, job.population.id, job.import).await?;
    // Of refused lines the detail is their number; the list has those that are kept.
    let counted = detail.parse().unwrap_or(list.len() as u64);
    let tx = db.begin_write().await?;
    let row = locked(&tx, job.import).await?;
    if row.state != State::Running {
        return Ok(row);
    }
    let mut change: ActiveModel = row.into();
    change.state = Set(State::Rejected);
    change.failure = Set(Some(code.as_str().to_owned()));
    change.failure_detail = Set(Some(detail));
    write_progress(&mut change, progress, counted, ctx.now());
    let row = change.update(&tx).await?;
    for (chunk, rejections) in list.chunks(500).enumerate() {
        let rows = rejections
            .iter()
            .enumerate()
            .map(|(offset, rejection)| import_rejection::ActiveModel {
                import_id: Set(job.import),
                ordinal: Set(i32::try_from(chunk * 500 + offset + 1).unwrap_or(i32::MAX)),
                line: Set(signed(rejection.line)),
                column_name: Set(rejection.column.clone()),
                code: Set(rejection.code.as_str().to_owned()),
                other_line: Set(match rejection.code {
                    RejectionCode::DuplicateKey { first_line } => Some(signed(first_line)),
                    _ => None,
                }),
            });
        import_rejection::Entity::insert_many(rows)
            .exec_without_returning(&tx)
            .await?;
    }
    ended(&tx, ctx, &permit, job.subject(), State::Rejected, code).await?;
    tx.commit().await?;
    Ok(row)
}

/// Tells the trail how an import ended that did not come in.
async fn ended(
    tx: &DatabaseTransaction,
    ctx: &Ctx,
    permit: &Permit,
    subject: Subject,
    state: State,
    code: Code,
) -> Result<()> {
    let detail = json!({ "state": state, "failure": code.as_str() });
    trail::record(tx, ctx, permit, subject, detail).await
}

/// Ends an import as failed, in its row and in the trail. It is finished when its lines are gone.
async fn fail(
    tx: &DatabaseTransaction,
    ctx: &Ctx,
    permit: &Permit,
    subject: Subject,
    mut row: ActiveModel,
    code: Code,
    detail: &str,
) -> Result<()> {
    row.state = Set(State::Failed);
    row.failure = Set(Some(code.as_str().to_owned()));
    row.failure_detail = Set(Some(detail.to_owned()));
    row.finished_at = Set(None);
    row.update(tx).await?;
    ended(tx, ctx, permit, subject, State::Failed, code).await
}

/// The end of an import that failed.
struct Failed {
    ctx: Ctx,
    db: Db,
    permit: Permit,
    _held: Held,
    job: Job,
    progress: Progress,
    code: Code,
    detail: String,
}

impl Failed {
    /// Ends the import. On a disk so full that not even this can be written, it is written as soon as there is room.
    async fn end(self) -> Result<Model> {
        match self.write().await {
            Err(error) if error.is_storage_full() => {
                let row = found(self.db.reader(), self.job.import).await?;
                let row = Model {
                    state: State::Failed,
                    failure: Some(self.code.as_str().to_owned()),
                    failure_detail: Some(self.detail.clone()),
                    ..row
                };
                tokio::spawn(self.end_when_there_is_room());
                Ok(row)
            }
            written => written,
        }
    }

    async fn end_when_there_is_room(self) {
        tracing::warn!("the disk is so full that the end of an import cannot be written yet");
        loop {
            tokio::time::sleep(HEARTBEAT).await;
            match self.write().await {
                Ok(_) => return,
                Err(error) if error.is_storage_full() => {}
                Err(error) => {
                    tracing::error!(%error, "the end of an import could not be written");
                    return;
                }
            }
        }
    }

    /// First the import says that it failed, which takes next to no room; then its lines go. Where they cannot go yet, the
    /// sweep goes on with them, and until then no other import starts.
    ///
    /// One that another instance gave up, while this one stood still, is failed already and its lines are gone; but what
    /// this one had in hand came after that. It is taken up again for as long as those lines are there. The other one could
    /// not know why: what the reader knows stands, and the trail has both.
    async fn write(&self) -> Result<Model> {
        let (ctx, db, import) = (&self.ctx, &self.db, self.job.import);
        let tx = db.begin_write().await?;
        let row = locked(&tx, import).await?;
        let guessed = row.failure.as_deref() == Some(Code::Interrupted.as_str());
        let mut change: ActiveModel = row.clone().into();
        match row.state {
            State::Failed if !guessed || self.code == Code::Interrupted => {
                change.finished_at = Set(None);
                change.update(&tx).await?;
            }
            State::Running | State::Failed => {
                write_progress(&mut change, &self.progress, 0, ctx.now());
                let subject = self.job.subject();
                fail(&tx, ctx, &self.permit, subject, change, self.code, &self.detail).await?;
            }
            State::Waiting | State::Completed | State::Rejected => return Ok(row),
        }
        tx.commit().await?;
        if let Err(error) = remove_lines(&ctx.sources, db, &row).await {
            tracing::warn!(%error, "the lines of a failed import could not be removed yet");
        }
        found(db.reader(), import).await
    }
}

async fn found(db: &impl ConnectionTrait, id: ImportId) -> Result<Model> {
    Entity::find_by_id(id)
        .one(db)
        .await?
        .ok_or_else(|| Error::internal("the import is gone"))
}

/// The same, locked: whoever ends an import looks at its state under this lock, and only one ends it.
async fn locked(tx: &DatabaseTransaction, id: ImportId) -> Result<Model> {
    Entity::find_by_id(id)
        .lock_exclusive()
        .one(tx)
        .await?
        .ok_or_else(|| Error::internal("the import is gone"))
}

/// Lets the lines count, in one short transaction; or says why not.
async fn complete(
    ctx: &Ctx,
    db: &Db,
    permit: &Permit,
    job: &Job,
    progress: &Progress,
) -> Result<std::result::Result<Model, End>> {
    let tx = db.begin_write().await?;
    let population = lock_unfrozen(&tx, ctx, job.population.id, "id").await?;
    let row = locked(&tx, job.import).await?;
    match row.state {
        State::Running => {}
        State::Completed => return Ok(Ok(row)),
        // Another instance gave it up. Nothing of it counts, so nothing of it stays.
        State::Waiting | State::Rejected | State::Failed => {
            return Ok(Err(End::Failed {
                code: Code::Interrupted,
                detail: String::new(),
            }));
        }
    }
    let digest = progress.sha256.map(|digest| digest.to_vec());
    if let Some(end) = twin(&tx, population.engagement_id, progress).await? {
        return Ok(Err(end));
    }
    let Some(counts) = Counts::of(&population).plus(&progress.parts) else {
        return Ok(Err(End::Rejected {
            code: Code::AmountOverflow,
            detail: String::new(),
            list: Vec::new(),
        }));
    };
    let (version, found) = (population.version + 1, trail::state(ctx, &population)?);
    let mut change: population::ActiveModel = population.into();
    counts.write(&mut change);
    change.version = Set(version);
    let population = change.update(&tx).await?;
    let before = trail::state(ctx, &row)?;
    let mut change: ActiveModel = row.into();
    change.state = Set(State::Completed);
    change.sha256 = Set(digest);
    write_progress(&mut change, progress, 0, ctx.now());
    let row = change.update(&tx).await?;
    let detail = json!({
        "state": State::Completed,
        "lines": row.lines_read,
        "sum": row.sum_cents.to_string(),
        "sha256": progress.sha256.map(hex::encode),
    });
    let subject = job.subject().changed(before, trail::state(ctx, &row)?);
    trail::record(&tx, ctx, permit, subject, detail).await?;
    let subject = Subject::new("Population", population.id.0, population.engagement_id)
        .changed(found, trail::state(ctx, &population)?);
    trail::record(&tx, ctx, permit, subject, json!({ "import": row.id })).await?;
    tx.commit().await?;
    Ok(Ok(row))
}

/// The same file, imported before into this engagement.
async fn twin(
    db: &impl ConnectionTrait,
    engagement: EngagementId,
    progress: &Progress,
) -> Result<Option<End>> {
    let populations = Query::select()
        .column(population::Column::Id)
        .from(population::Entity)
        .cond_where(
            Condition::all()
                .add(population::Column::EngagementId.eq(engagement))
                .add(population::Column::State.ne(population::State::Discarded)),
        )
        .to_owned();
    let found = Entity::visible_to(&Scope::Everything)
        .filter(Column::State.eq(State::Completed))
        .filter(Column::Sha256.eq(progress.sha256.map(|digest| digest.to_vec())))
        .filter(Column::PopulationId.in_subquery(populations))
        .one(db)
        .await?;
    Ok(found.map(|twin| End::Rejected {
        code: Code::FileAlreadyImported,
        detail: format!("{}, {}", twin.file_name, twin.created_at.format("%Y-%m-%d %H:%M")),
        list: Vec::new(),
    }))
}

fn write_progress(
    change: &mut ActiveModel,
    progress: &Progress,
    rejected: u64,
    now: chrono::DateTime<chrono::Utc>,
) {
    change.bytes_read = Set(signed(progress.bytes));
    change.lines_read = Set(signed(progress.lines));
    change.lines_rejected = Set(signed(rejected));
    change.sum_cents = Set(Cents(progress.parts.sum()));
    change.finished_at = Set(Some(now));
}

/// Counts and sums of a population by the sign of the amounts.
struct Counts {
    positive: (i64, i64),
    zero: i64,
    negative: (i64, i64),
}

impl Counts {
    const fn of(row: &population::Model) -> Self {
        Self {
            positive: (row.positive_count, row.positive_cents.0),
            zero: row.zero_count,
            negative: (row.negative_count, row.negative_cents.0),
        }
    }

    fn plus(self, parts: &Parts) -> Option<Self> {
        Some(Self {
            positive: (
                self.positive.0.checked_add_unsigned(parts.positive.count)?,
                self.positive.1.checked_add(parts.positive.sum)?,
            ),
            zero: self.zero.checked_add_unsigned(parts.zero.count)?,
            negative: (
                self.negative.0.checked_add_unsigned(parts.negative.count)?,
                self.negative.1.checked_add(parts.negative.sum)?,
            ),
        })
    }

    fn write(&self, change: &mut population::ActiveModel) {
        change.item_count = Set(self.positive.0 + self.zero + self.negative.0);
        change.sum_cents = Set(Cents(self.positive.1 + self.negative.1));
        change.positive_count = Set(self.positive.0);
        change.positive_cents = Set(Cents(self.positive.1));
        change.zero_count = Set(self.zero);
        change.negative_count = Set(self.negative.0);
        change.negative_cents = Set(Cents(self.negative.1));
    }
}

/// Ends imports whose reader is gone (the process was killed), and removes what they left: the import can be repeated.
///
/// Those that this process holds are its reader's to end, however long ago their last sign of life was: on a full disk no
/// sign of life can be written either.
pub async fn sweep(sources: &Arc<Sources>, db: &Db) -> Result<u64> {
    let lost = Entity::visible_to(&Scope::Everything)
        .filter(Column::State.eq(State::Running))
        .filter(Column::HeartbeatAt.lt(sources.now() - LEASE))
        .all(db.reader())
        .await?;
    let (ctx, permit) = (
        Ctx::system(sources.clone()),
        Permit::own_work(Action::PopulationImport),
    );
    let mut ended = 0;
    for seen in lost.iter().filter(|row| !sources.has_in_hand(row.id.0)) {
        // First the state, then the lines: a reader that is alive after all finds out before anything of it counts.
        let tx = db.begin_write().await?;
        let row = locked(&tx, seen.id).await?;
        if (row.state, row.heartbeat_at) != (State::Running, seen.heartbeat_at) {
            continue;
        }
        let population = population::Entity::find_by_id(row.population_id)
            .one(&tx)
            .await?
            .ok_or_else(|| Error::internal("the population of an import is gone"))?;
        let subject = subject(row.id, population.engagement_id);
        fail(&tx, &ctx, &permit, subject, row.into(), Code::Interrupted, "").await?;
        tx.commit().await?;
        ended += 1;
    }
    clear(sources, db).await?;
    Ok(ended)
}

/// Removes the lines of imports that failed and are not finished: those given up and those of discarded populations.
pub(super) async fn clear(sources: &Arc<Sources>, db: &Db) -> Result<()> {
    let left = Entity::visible_to(&Scope::Everything)
        .filter(Column::State.eq(State::Failed))
        .filter(Column::FinishedAt.is_null())
        .all(db.reader())
        .await?;
    for row in left {
        remove_lines(sources, db, &row).await?;
    }
    Ok(())
}

/// Removes the lines of an import that failed, and says then that it is finished.
async fn remove_lines(sources: &Arc<Sources>, db: &Db, row: &Model) -> Result<()> {
    sink::remove(db, row.population_id, row.id).await?;
    let tx = db.begin_write().await?;
    Entity::update_many()
        .col_expr(Column::FinishedAt, Expr::val(sources.now()))
        .filter(Column::Id.eq(row.id))
        .filter(Column::State.eq(State::Failed))
        .exec(&tx)
        .await?;
    tx.commit().await?;
    Ok(())
}

/// An import in this process's hands, from its first byte until its end is written.
struct Held(Arc<Sources>, ImportId);

impl Held {
    fn new(sources: &Arc<Sources>, import: ImportId) -> Self {
        sources.take_in_hand(import.0);
        Self(sources.clone(), import)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.let_go(self.1.0);
    }
}

/// Shows that somebody works on the import, until it is dropped: checking and removing take as long as there are lines.
struct Heartbeat(tokio::task::JoinHandle<()>);

impl Heartbeat {
    fn start(ctx: &Ctx, db: &Db, import: ImportId) -> Self {
        let (ctx, db) = (ctx.clone(), db.clone());
        Self(tokio::spawn(async move {
            let mut pace = tokio::time::interval(HEARTBEAT);
            loop {
                pace.tick().await;
                if let Err(error) = beat(&ctx, &db, import).await {
                    tracing::warn!(%error, "an import could not show that it is alive");
                }
            }
        }))
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn beat(ctx: &Ctx, db: &Db, import: ImportId) -> Result<()> {
    let tx = db.begin_write().await?;
    Entity::update_many()
        .col_expr(Column::HeartbeatAt, Expr::val(ctx.now()))
        .filter(Column::Id.eq(import))
        .filter(Column::State.eq(State::Running))
        .exec(&tx)
        .await?;
    tx.commit().await?;
    Ok(())
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
