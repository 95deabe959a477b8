//! Creating, discarding and finding populations; opening imports.

use entity::population::{ActiveModel, Column, Entity, Model, State, Unit};
use entity::population_import::{self, State as ImportState};
use entity::{Cents, EngagementId, ImportId, PopulationId, Scope, engagement, import_rejection};
use sea_orm::prelude::{DateTimeUtc, Expr};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, EntityTrait,
    PaginatorTrait, QueryFilter, QuerySelect, Set,
};
use serde::Serialize;
use serde_json::json;

use super::import::Mapping;
use super::intake::clear;
use crate::access::{Action, Permit, authorize, authorize_write};
use crate::db::among;
use crate::engagement::{lock, must_be_open};
use crate::error::must_be_version;
use crate::idempotency::{Claimed, claim};
use crate::page::{self, Page, PageArgs};
use crate::trail::{self, Subject};
use crate::{Code, Ctx, Db, Error, Refusal, Result, jobcenter};

/// What creates a population.
#[derive(Clone, Debug, Serialize)]
pub struct Create {
    /// Its engagement.
    pub engagement_id: EngagementId,
    /// Name, unique in the engagement, up to 200 characters.
    pub name: String,
    /// What one item is.
    pub unit: Unit,
    /// Where the extract comes from, up to 500 characters.
    pub source: String,
}

/// Creates an empty population.
pub async fn create(ctx: &Ctx, db: &Db, idempotency_key: &str, input: Create) -> Result<Model> {
    let permit = authorize_write(ctx, db, Action::PopulationCreate).await?;
    let refusals: Vec<Refusal> = [
        ("input.name", &input.name, 200),
        ("input.source", &input.source, 500),
    ]
    .into_iter()
    .filter_map(|(path, text, most)| crate::refusal::text(path, text, most))
    .collect();
    if !refusals.is_empty() {
        return Err(Error::Refused(refusals));
    }
    let tx = db.begin_write().await?;
    let engagement = lock(&tx, ctx, input.engagement_id, "input.engagementId").await?;
    let claim = match claim(&tx, ctx, idempotency_key, "createPopulation", &input).await? {
        Claimed::New(claim) => claim,
        Claimed::Repeated(id) => return load(&tx, PopulationId(id)).await,
    };
    must_be_open(&engagement, "input.engagementId")?;
    let named = Entity::find()
        .filter(Column::EngagementId.eq(input.engagement_id))
        .filter(Column::Name.eq(input.name.as_str()))
        .count(&tx)
        .await?;
    if named > 0 {
        return Err(Error::refused(Code::NameTaken, "input.name"));
    }
    let id = PopulationId(ctx.new_id());
    let row = ActiveModel {
        id: Set(id),
        engagement_id: Set(input.engagement_id),
        name: Set(input.name),
        unit: Set(input.unit),
        source: Set(input.source),
        state: Set(State::Open),
        item_count: Set(0),
        sum_cents: Set(Cents(0)),
        positive_count: Set(0),
        positive_cents: Set(Cents(0)),
        zero_count: Set(0),
        negative_count: Set(0),
        negative_cents: Set(Cents(0)),
        merkle_root: Set(None),
        created_by: Set(ctx.caller.subject.clone()),
        created_at: Set(ctx.now()),
        frozen_by: Set(None),
        frozen_at: Set(None),
        version: Set(1),
    }
    .insert(&tx)
    .await?;
    claim.remember(&tx, ctx, id.0).await?;
    let subject = Subject::new("Population", id.0, engagement.id).left(trail::state(ctx, &row)?);
    trail::record(&tx, ctx, &permit, subject, json!({ "name": row.name })).await?;
    tx.commit().await?;
    Ok(row)
}

/// Gives up a population that is not frozen: its items and case numbers go.
pub async fn discard(
    ctx: &Ctx,
    db: &Db,
    id: PopulationId,
    expected_version: i32,
    reason: &str,
) -> Result<Model> {
    let permit = authorize_write(ctx, db, Action::PopulationDiscard).await?;
    if let Some(refusal) = crate::refusal::text("input.reason", reason, 4_000) {
        return Err(Error::Refused(vec![refusal]));
    }
    let tx = db.begin_write().await?;
    let row = lock_unfrozen(&tx, ctx, id, "input.id").await?;
    must_be_version(row.version, expected_version)?;
    no_running_import(&tx, id, "input.id").await?;
    let (engagement, version) = (row.engagement_id, row.version + 1);
    let before = trail::state(ctx, &row)?;
    let mut change: ActiveModel = row.into();
    change.state = Set(State::Discarded);
    change.version = Set(version);
    let row = change.update(&tx).await?;
    // Its imports no longer count; whatever comes between here and the end of the removal, the sweep goes on with it.
    population_import::Entity::update_many()
        .col_expr(
            population_import::Column::State,
            Expr::val(ImportState::Failed.as_str()),
        )
        .col_expr(
            population_import::Column::Failure,
            Expr::val(Code::PopulationDiscarded.as_str()),
        )
        .col_expr(
            population_import::Column::FinishedAt,
            Expr::val(None::<DateTimeUtc>),
        )
        .filter(population_import::Column::PopulationId.eq(id))
        .filter(population_import::Column::State.eq(ImportState::Completed))
        .exec(&tx)
        .await?;
    let subject = Subject::new("Population", id.0, engagement).changed(before, trail::state(ctx, &row)?);
    trail::record(&tx, ctx, &permit, subject, json!({ "reason": reason })).await?;
    tx.commit().await?;
    clear(&ctx.sources, db).await?;
    Ok(row)
}

/// What opens an import.
#[derive(Clone, Debug, Serialize)]
pub struct OpenImport {
    /// The population to fill.
    pub population_id: PopulationId,
    /// Name of the file, up to 255 characters.
    pub file_name: String,
    /// Size of the file where it is known: progress is shown in per cent then.
    pub bytes_expected: Option<i64>,
    /// Which column means what, and how values are written.
    pub mapping: Mapping,
}

/// Opens an import that waits for its file.
pub async fn open_import(
    ctx: &Ctx,
    db: &Db,
    idempotency_key: &str,
    input: OpenImport,
) -> Result<population_import::Model> {
    let permit = authorize_write(ctx, db, Action::PopulationImport).await?;
    let tx = db.begin_write().await?;
    let row = opened(&tx, ctx, &permit, idempotency_key, input).await?;
    tx.commit().await?;
    Ok(row)
}

/// The import that a key opens, in a transaction of the caller's.
pub(super) async fn opened(
    tx: &DatabaseTransaction,
    ctx: &Ctx,
    permit: &Permit,
    idempotency_key: &str,
    input: OpenImport,
) -> Result<population_import::Model> {
    if let Some(refusal) = crate::refusal::text("input.fileName", &input.file_name, 255) {
        return Err(Error::Refused(vec![refusal]));
    }
    let locked = lock_population(tx, ctx, input.population_id, "input.populationId").await?;
    let claim = match claim(tx, ctx, idempotency_key, "openImport", &input).await? {
        Claimed::New(claim) => claim,
        Claimed::Repeated(id) => {
            let row = population_import::Entity::find_by_id(ImportId(id))
                .one(tx)
                .await?;
            return row.ok_or_else(|| Error::internal("a remembered import is missing"));
        }
    };
    let population = locked.must_be_open("input.populationId")?;
    let faults = input.mapping.check(population.unit);
    if !faults.is_empty() {
        return Err(Error::Refused(
            faults
                .iter()
                .map(|fault| {
                    Refusal::new(Code::MappingInvalid, &format!("input.mapping.{}", fault.field))
                        .with(format_args!("{}: {:?}", fault.field, fault.code))
                })
                .collect(),
        ));
    }
    if let Some(number) = &input.mapping.bezirksstelle_constant
        && jobcenter::by_number(tx, number).await?.is_none()
    {
        let path = "input.mapping.bezirksstelleConstant";
        return Err(Error::refused_with(Code::BezirksstelleUnknown, path, number));
    }
    let id = ImportId(ctx.new_id());
    let row = population_import::ActiveModel {
        id: Set(id),
        population_id: Set(population.id),
        file_name: Set(input.file_name),
        mapping: Set(
            serde_json::to_string(&input.mapping).map_err(|error| Error::internal(error.to_string()))?
        ),
        state: Set(ImportState::Waiting),
        bytes_expected: Set(input.bytes_expected.filter(|bytes| *bytes >= 0)),
        bytes_read: Set(0),
        lines_read: Set(0),
        lines_rejected: Set(0),
        sum_cents: Set(Cents(0)),
        sha256: Set(None),
        failure: Set(None),
        failure_detail: Set(None),
        created_by: Set(ctx.caller.subject.clone()),
        created_at: Set(ctx.now()),
        heartbeat_at: Set(None),
        finished_at: Set(None),
    }
    .insert(tx)
    .await?;
    claim.remember(tx, ctx, id.0).await?;
    let subject = Subject::new("Import", id.0, population.engagement_id).left(trail::state(ctx, &row)?);
    trail::record(tx, ctx, permit, subject, json!({ "fileName": row.file_name })).await?;
    Ok(row)
}

/// Populations by id, those the caller may see.
pub async fn find_many(ctx: &Ctx, db: &Db, ids: &[PopulationId]) -> Result<Vec<Model>> {
    authorize(ctx, Action::PopulationRead)?;
    Ok(visible(ctx)
        .filter(among(db.reader(), Column::Id, ids.iter().copied()))
        .all(db.reader())
        .await?)
}

/// Populations of an engagement, oldest first.
pub async fn list(
    ctx: &Ctx,
    db: &Db,
    engagement: EngagementId,
    args: &PageArgs,
    counted: bool,
) -> Result<(Page<Model>, Option<u64>)> {
    authorize(ctx, Action::PopulationRead)?;
    let select = visible(ctx).filter(Column::EngagementId.eq(engagement));
    let total = if counted {
        Some(select.clone().count(db.reader()).await?)
    } else {
        None
    };
    Ok((
        page::by_id(select, Column::Id, false, args, db.reader()).await?,
        total,
    ))
}

/// Imports by id, those the caller may see.
pub async fn find_imports(ctx: &Ctx, db: &Db, ids: &[ImportId]) -> Result<Vec<population_import::Model>> {
    authorize(ctx, Action::PopulationRead)?;
    Ok(
        population_import::Entity::visible_to(&ctx.caller.scope(ctx.now()))
            .filter(among(
                db.reader(),
                population_import::Column::Id,
                ids.iter().copied(),
            ))
            .all(db.reader())
            .await?,
    )
}

/// Imports of a population, oldest first.
pub async fn imports(
    ctx: &Ctx,
    db: &Db,
    population: PopulationId,
    args: &PageArgs,
) -> Result<Page<population_import::Model>> {
    authorize(ctx, Action::PopulationRead)?;
    let select = population_import::Entity::visible_to(&ctx.caller.scope(ctx.now()))
        .filter(population_import::Column::PopulationId.eq(population));
    Ok(page::by_id(select, population_import::Column::Id, false, args, db.reader()).await?)
}

/// Refused lines of a visible import, in the order found. The position of a row is its ordinal.
pub async fn rejections(
    ctx: &Ctx,
    db: &Db,
    import: ImportId,
    after: Option<i32>,
    limit: u64,
) -> Result<Vec<import_rejection::Model>> {
    if find_imports(ctx, db, &[import]).await?.is_empty() {
        return Ok(Vec::new());
    }
    let mut cursor = import_rejection::Entity::find()
        .filter(import_rejection::Column::ImportId.eq(import))
        .cursor_by(import_rejection::Column::Ordinal);
    if let Some(after) = after {
        cursor.after(after);
    }
    Ok(cursor.first(limit).all(db.reader()).await?)
}

fn visible(ctx: &Ctx) -> sea_orm::Select<Entity> {
    Entity::visible_to(&ctx.caller.scope(ctx.now()))
}

async fn load(db: &impl ConnectionTrait, id: PopulationId) -> Result<Model> {
    Entity::find_by_id(id)
        .one(db)
        .await?
        .ok_or_else(|| Error::internal("a population that is referred to is missing"))
}

/// A visible population with its engagement, both locked until the transaction ends, the engagement first.
pub(super) struct Locked {
    pub(super) engagement: engagement::Model,
    pub(super) population: Model,
}

impl Locked {
    /// Refuses a closed engagement, a frozen and a discarded population. After the look-up of an idempotency key.
    pub(super) fn must_be_open(self, path: &str) -> Result<Model> {
        must_be_open(&self.engagement, path)?;
        match self.population.state {
            State::Open => Ok(self.population),
            State::Frozen => Err(Error::refused(Code::PopulationFrozen, path)),
            State::Discarded => Err(Error::refused(Code::PopulationDiscarded, path)),
        }
    }
}

/// Locks a visible population and its engagement.
pub(super) async fn lock_population(
    tx: &DatabaseTransaction,
    ctx: &Ctx,
    id: PopulationId,
    path: &str,
) -> Result<Locked> {
    let missing = || Error::refused(Code::NotFound, path);
    let find = || visible(ctx).filter(Column::Id.eq(id));
    let row = find().one(tx).await?.ok_or_else(missing)?;
    let engagement = lock(tx, ctx, row.engagement_id, path).await?;
    let population = find().lock_exclusive().one(tx).await?.ok_or_else(missing)?;
    Ok(Locked {
        engagement,
        population,
    })
}

/// The visible population of an open engagement, not frozen, locked.
pub(super) async fn lock_unfrozen(
    tx: &DatabaseTransaction,
    ctx: &Ctx,
    id: PopulationId,
    path: &str,
) -> Result<Model> {
    lock_population(tx, ctx, id, path).await?.must_be_open(path)
}

/// Refuses while an import is reading into the population, or a failed one's lines are being removed.
pub(super) async fn no_running_import(tx: &DatabaseTransaction, id: PopulationId, path: &str) -> Result<()> {
    let running = population_import::Entity::visible_to(&Scope::Everything)
        .filter(population_import::Column::PopulationId.eq(id))
        .filter(
            Condition::any()
                .add(population_import::Column::State.eq(ImportState::Running))
                .add(
                    Condition::all()
                        .add(population_import::Column::State.eq(ImportState::Failed))
                        .add(population_import::Column::FinishedAt.is_null()),
                ),
        )
        .count(tx)
        .await?;
    if running > 0 {
        Err(Error::refused(Code::ImportRunning, path))
    } else {
        Ok(())
    }
}
