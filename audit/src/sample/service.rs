//! Planning, giving up and finding samples.

use entity::draw_event::{self, Kind};
use entity::sample::{ActiveModel, Column, Entity, Method, Model, State};
use entity::{
    BezirksstelleId, Cents, EngagementId, PopulationId, SampleId, Scope, StratumId, bezirksstelle,
    population, population_item, sample_stratum,
};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, EntityTrait,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Set,
};
use serde::Serialize;
use serde_json::json;

use super::ceremony;
use super::cited::with_cited;
use super::extension::{Extended, Taken, extended};
use super::rules::{FrameSize, Parameters, PlanInput, WHOLE, check_plan, find_size, is_monetary, share_out};
use super::unit::Unit;
use crate::access::{Action, authorize, authorize_write};
use crate::db::among;
use crate::engagement::{lock, lock_open, must_be_open};
use crate::error::must_be_version;
use crate::idempotency::{Claimed, claim};
use crate::page::{self, Page, PageArgs};
use crate::population::number_event;
use crate::trail::{self, Subject};
use crate::{Code, Ctx, Db, Error, Result};

/// Plans a sample of a frozen population. From here on method, size and bounds are final.
pub async fn plan(ctx: &Ctx, db: &Db, idempotency_key: &str, input: PlanInput) -> Result<Model> {
    let permit = authorize_write(ctx, db, Action::SamplePlan).await?;
    let input = input.plainly();
    let (plan, cited) = with_cited(ctx, db, &input).await?;
    let refusals = check_plan(&plan);
    if !refusals.is_empty() {
        return Err(Error::Refused(refusals));
    }
    let population = frozen(ctx, db.reader(), input.population_id).await?;
    // A frozen population does not change: the long part needs no transaction.
    let extended = extended(ctx, db, &population, &plan).await?;
    let mut frame = frame_of(&population, input.method);
    if Unit::of(input.method) == Unit::Cluster {
        frame.items = Unit::Cluster.count(db, population.id).await?;
    }
    let frame = extended.as_ref().map_or(frame, |extended| extended.rest(frame));
    let by_rule = extended.as_ref().map(Extended::by_rule).transpose()?.flatten();
    let mut parameters = match by_rule {
        Some(parameters) => parameters,
        None => size(plan, frame).await?,
    };
    parameters.parameter_set = cited;
    let taken = extended.as_ref().map(|extended| &extended.taken);
    let strata = plan_strata(db, &population, &input, frame, taken, parameters.requested_size).await?;
    let fixed = ceremony::prepare(db, &population, &strata, &parameters, &input).await?;
    let tx = db.begin_write().await?;
    let engagement = lock(&tx, ctx, population.engagement_id, "input.populationId").await?;
    let claim = match claim(&tx, ctx, idempotency_key, "planSample", &input).await? {
        Claimed::New(claim) => claim,
        Claimed::Repeated(id) => return load(&tx, SampleId(id)).await,
    };
    must_be_open(&engagement, "input.populationId")?;
    name_free(&tx, population.engagement_id, &input.name).await?;
    reason_given(&tx, population.id, input.reason.as_deref()).await?;
    if let Some(extended) = &extended {
        extended.may_go_on(&tx).await?;
    }
    let row = ActiveModel {
        id: Set(SampleId(ctx.new_id())),
        engagement_id: Set(population.engagement_id),
        population_id: Set(population.id),
        extends_id: Set(extended.as_ref().map(Extended::id)),
        extension: Set(extended.as_ref().map(Extended::kind)),
        name: Set(input.name),
        method: Set(input.method),
        state: Set(State::Planned),
        size: Set(strata.iter().map(|stratum| stratum.size).sum()),
        parameters: Set(to_json(&parameters)?),
        checks_per_item: Set(input.checks_per_item),
        seed: Set(None),
        algorithm: Set(None),
        population_root: Set(None),
        frame_count: Set(frame.items),
        frame_cents: Set(Cents(frame.cents)),
        reason: Set(input.reason),
        planned_by: Set(ctx.caller.subject.clone()),
        planned_at: Set(ctx.now()),
        decided_by: Set(None),
        decided_at: Set(None),
        version: Set(1),
    }
    .insert(&tx)
    .await?;
    insert_strata(&tx, ctx, row.id, strata).await?;
    claim.remember(&tx, ctx, row.id.0).await?;
    let mut detail = json!({ "name": row.name, "method": row.method, "size": row.size });
    if let Some(first) = row.extends_id {
        detail["extends"] = json!(first);
        detail["extension"] = json!(row.extension);
    }
    let subject = subject(&row).left(trail::state(ctx, &row)?);
    trail::record(&tx, ctx, &permit, subject, detail).await?;
    if let Some(fixed) = fixed {
        ceremony::fix(&tx, ctx, &permit, &row, fixed).await?;
    }
    tx.commit().await?;
    Ok(row)
}

async fn size(input: PlanInput, frame: FrameSize) -> Result<Parameters> {
    tokio::task::spawn_blocking(move || find_size(&input, frame))
        .await
        .map_err(|error| Error::internal(error.to_string()))?
        .map_err(|refusal| Error::Refused(vec![refusal]))
}

/// The visible population, if it is frozen.
pub(super) async fn frozen(
    ctx: &Ctx,
    db: &impl ConnectionTrait,
    id: PopulationId,
) -> Result<population::Model> {
    let row = population::Entity::visible_to(&ctx.caller.scope(ctx.now()))
        .filter(population::Column::Id.eq(id))
        .one(db)
        .await?
        .ok_or_else(|| Error::refused(Code::NotFound, "input.populationId"))?;
    match row.state {
        population::State::Frozen => Ok(row),
        population::State::Open => Err(Error::refused(Code::PopulationNotFrozen, "input.populationId")),
        population::State::Discarded => Err(Error::refused(Code::PopulationDiscarded, "input.populationId")),
    }
}

/// Monetary units are selected from the items above zero, everything else from all items.
pub(super) const fn frame_of(population: &population::Model, method: Method) -> FrameSize {
    if is_monetary(method) {
        FrameSize {
            items: population.positive_count,
            cents: population.positive_cents.0,
        }
    } else {
        FrameSize {
            items: population.item_count,
            cents: population.sum_cents.0,
        }
    }
}

/// A stratum before it has an id.
#[derive(Debug)]
pub(super) struct PlannedStratum {
    pub(super) bezirksstelle: Option<BezirksstelleId>,
    pub(super) label: String,
    pub(super) items: i64,
    pub(super) cents: i64,
    pub(super) size: i64,
}

impl PlannedStratum {
    /// The one stratum of an unstratified sample.
    pub(super) fn whole(frame: FrameSize, size: i64) -> Self {
        Self {
            bezirksstelle: None,
            label: WHOLE.to_owned(),
            items: frame.items,
            cents: frame.cents,
            size,
        }
    }
}

async fn plan_strata(
    db: &Db,
    population: &population::Model,
    input: &PlanInput,
    frame: FrameSize,
    taken: Option<&Taken>,
    size: i64,
) -> Result<Vec<PlannedStratum>> {
    if !input.is_stratified() {
        return Ok(vec![PlannedStratum::whole(frame, size)]);
    }
    let monetary = is_monetary(input.method);
    let counted = count_by_bezirksstelle(db, population.id, monetary).await?;
    let parts = bezirksstelle::Entity::find()
        .order_by_asc(bezirksstelle::Column::Number)
        .all(db.reader())
        .await?;
    let mut strata: Vec<PlannedStratum> = parts
        .into_iter()
        .filter_map(|part| {
            let (_, items, cents) = *counted.iter().find(|(id, ..)| *id == part.id)?;
            let (gone, gone_cents) = taken
                .and_then(|taken| taken.get(&part.id).copied())
                .unwrap_or_default();
            Some(PlannedStratum {
                bezirksstelle: Some(part.id),
                label: format!("{} {}", part.number, part.name),
                items: items - gone,
                cents: cents - gone_cents,
                size: 0,
            })
        })
        .collect();
    let items: Vec<i64> = strata.iter().map(|stratum| stratum.items).collect();
    if items.iter().sum::<i64>() != frame.items {
        return Err(Error::refused(Code::FrameChanged, "input.populationId"));
    }
    let weights = if monetary {
        strata.iter().map(|stratum| stratum.cents).collect()
    } else {
        items
    };
    for (stratum, share) in strata.iter_mut().zip(share_out(size, &weights)) {
        stratum.size = share;
    }
    Ok(strata)
}

/// Items and sum of each Bezirksstelle, of those above zero only where monetary units are drawn. The sum over a bigint column is
/// numeric on PostgreSQL, hence the cast.
async fn count_by_bezirksstelle(
    db: &Db,
    population: PopulationId,
    monetary: bool,
) -> Result<Vec<(BezirksstelleId, i64, i64)>> {
    let positive = monetary.then(|| population_item::Column::AmountCents.gt(0));
    let amount = Expr::col((population_item::Entity, population_item::Column::AmountCents));
    Ok(population_item::Entity::find()
        .filter(population_item::Column::PopulationId.eq(population))
        .filter(Condition::all().add_option(positive))
        .select_only()
        .column(population_item::Column::BezirksstelleId)
        .column_as(population_item::Column::Id.count(), "items")
        .column_as(amount.sum().cast_as("bigint"), "cents")
        .group_by(population_item::Column::BezirksstelleId)
        .into_tuple()
        .all(db.reader())
        .await?)
}

/// Names of samples are unique in their engagement, which the caller has locked.
pub(super) async fn name_free(tx: &DatabaseTransaction, engagement: EngagementId, name: &str) -> Result<()> {
    let named = Entity::visible_to(&Scope::Everything)
        .filter(Column::EngagementId.eq(engagement))
        .filter(Column::Name.eq(name))
        .count(tx)
        .await?;
    if named > 0 {
        Err(Error::refused(Code::NameTaken, "input.name"))
    } else {
        Ok(())
    }
}

/// Another sample of the same population says why. One that is only planned counts too: otherwise two could be planned
/// beforehand, and the one that pleases more be used.
async fn reason_given(
    tx: &DatabaseTransaction,
    population: PopulationId,
    reason: Option<&str>,
) -> Result<()> {
    if reason.is_some() {
        return Ok(());
    }
    let others = Entity::visible_to(&Scope::Everything)
        .filter(Column::PopulationId.eq(population))
        .count(tx)
        .await?;
    if others > 0 {
        Err(Error::refused(Code::ReasonRequired, "input.reason"))
    } else {
        Ok(())
    }
}

/// Writes the strata of a sample; their ids in order.
pub(super) async fn insert_strata(
    tx: &DatabaseTransaction,
    ctx: &Ctx,
    sample: SampleId,
    strata: Vec<PlannedStratum>,
) -> Result<Vec<StratumId>> {
    let ids: Vec<StratumId> = ctx.sources.new_ids(strata.len()).map(StratumId).collect();
    let rows = (1..)
        .zip(&ids)
        .zip(strata)
        .map(|((ordinal, id), stratum)| sample_stratum::ActiveModel {
            id: Set(*id),
            sample_id: Set(sample),
            ordinal: Set(ordinal),
            bezirksstelle_id: Set(stratum.bezirksstelle),
            label: Set(stratum.label),
            item_count: Set(stratum.items),
            sum_cents: Set(Cents(stratum.cents)),
            size: Set(stratum.size),
        });
    sample_stratum::Entity::insert_many(rows)
        .exec_without_returning(tx)
        .await?;
    Ok(ids)
}

/// A sample, as the subject of an entry.
pub(super) const fn subject(row: &Model) -> Subject {
    Subject::new("Sample", row.id.0, row.engagement_id)
}

pub(super) fn to_json(parameters: &Parameters) -> Result<String> {
    serde_json::to_string(parameters).map_err(|error| Error::internal(error.to_string()))
}

/// The bounds of a sample and how its size was found.
pub fn parameters(row: &Model) -> Result<Parameters> {
    serde_json::from_str(&row.parameters).map_err(|error| Error::internal(error.to_string()))
}

/// What gives up a planned sample.
#[derive(Clone, Debug, Serialize)]
pub struct Abort {
    /// The sample.
    pub id: SampleId,
    /// The version the caller saw.
    pub expected_version: i32,
    /// Why, up to 4,000 characters.
    pub reason: String,
}

/// Gives up a planned sample. It stays visible, and counts among the draws.
pub async fn abort(ctx: &Ctx, db: &Db, input: Abort) -> Result<Model> {
    let permit = authorize_write(ctx, db, Action::SampleAbort).await?;
    if input.reason.trim().is_empty() {
        return Err(Error::refused(Code::ReasonRequired, "input.reason"));
    }
    if let Some(refusal) = crate::refusal::text("input.reason", &input.reason, 4_000) {
        return Err(Error::Refused(vec![refusal]));
    }
    let tx = db.begin_write().await?;
    let row = lock_planned(&tx, ctx, input.id, input.expected_version).await?;
    let (population, engagement) = (row.population_id, row.engagement_id);
    let before = trail::state(ctx, &row)?;
    let mut change: ActiveModel = row.into();
    change.state = Set(State::Aborted);
    change.reason = Set(Some(input.reason.clone()));
    change.decided_by = Set(Some(ctx.caller.subject.clone()));
    change.decided_at = Set(Some(ctx.now()));
    change.version = Set(input.expected_version + 1);
    let row = change.update(&tx).await?;
    let number = number_event(
        &tx,
        ctx,
        engagement,
        Kind::Abort,
        population,
        Some(row.id),
        Some(input.reason),
    )
    .await?;
    let subject = subject(&row).changed(before, trail::state(ctx, &row)?);
    trail::record(&tx, ctx, &permit, subject, json!({ "event": number })).await?;
    tx.commit().await?;
    Ok(row)
}

/// The visible planned sample of an open engagement in the version the caller saw, locked until the transaction ends.
pub(super) async fn lock_planned(
    tx: &DatabaseTransaction,
    ctx: &Ctx,
    id: SampleId,
    expected_version: i32,
) -> Result<Model> {
    let scope = ctx.caller.scope(ctx.now());
    let row = visible_one(tx, &scope, id).await?;
    lock_open(tx, ctx, row.engagement_id, "input.id").await?;
    // Whoever held the lock before may have drawn it meanwhile.
    let row = visible_one(tx, &scope, id).await?;
    planned(&row, expected_version)?;
    Ok(row)
}

/// Refuses a sample that is drawn or given up.
pub(super) fn must_be_planned(state: State) -> Result<()> {
    match state {
        State::Planned => Ok(()),
        State::Drawn | State::Aborted => Err(Error::refused(Code::SampleNotPlanned, "input.id")),
    }
}

/// Refuses unless the sample is planned and in the version the caller saw.
pub(super) fn planned(row: &Model, expected_version: i32) -> Result<()> {
    must_be_planned(row.state)?;
    must_be_version(row.version, expected_version)?;
    Ok(())
}

pub(super) async fn visible_one(db: &impl ConnectionTrait, scope: &Scope, id: SampleId) -> Result<Model> {
    visible_at(db, scope, id, "input.id").await
}

/// The sample that the input at this path names, if the caller may see it.
pub(crate) async fn visible_at(
    db: &impl ConnectionTrait,
    scope: &Scope,
    id: SampleId,
    path: &str,
) -> Result<Model> {
    Entity::visible_to(scope)
        .filter(Column::Id.eq(id))
        .one(db)
        .await?
        .ok_or_else(|| Error::refused(Code::NotFound, path))
}

pub(super) async fn load(db: &impl ConnectionTrait, id: SampleId) -> Result<Model> {
    Entity::find_by_id(id)
        .one(db)
        .await?
        .ok_or_else(|| Error::internal("a sample that is referred to is missing"))
}

/// The sample, if the caller may see it.
pub async fn find(ctx: &Ctx, db: &Db, id: SampleId) -> Result<Option<Model>> {
    Ok(find_many(ctx, db, &[id]).await?.pop())
}

/// Samples by id, those the caller may see.
pub async fn find_many(ctx: &Ctx, db: &Db, ids: &[SampleId]) -> Result<Vec<Model>> {
    authorize(ctx, Action::SampleRead)?;
    Ok(Entity::visible_to(&ctx.caller.scope(ctx.now()))
        .filter(among(db.reader(), Column::Id, ids.iter().copied()))
        .all(db.reader())
        .await?)
}

/// The samples that extend these and were not given up, those the caller may see.
pub async fn extensions(ctx: &Ctx, db: &Db, of: &[SampleId]) -> Result<Vec<Model>> {
    authorize(ctx, Action::SampleRead)?;
    Ok(Entity::visible_to(&ctx.caller.scope(ctx.now()))
        .filter(among(db.reader(), Column::ExtendsId, of.iter().copied()))
        .filter(Column::State.ne(State::Aborted))
        .all(db.reader())
        .await?)
}

/// Samples the caller may see, oldest first; of one engagement where it is named. The count only where asked for.
pub async fn list(
    ctx: &Ctx,
    db: &Db,
    engagement: Option<EngagementId>,
    args: &PageArgs,
    counted: bool,
) -> Result<(Page<Model>, Option<u64>)> {
    authorize(ctx, Action::SampleRead)?;
    let mut select = Entity::visible_to(&ctx.caller.scope(ctx.now()));
    if let Some(engagement) = engagement {
        select = select.filter(Column::EngagementId.eq(engagement));
    }
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

/// Strata of samples, by sample and position. A Bezirksstelle sees its own stratum only: the others tell of others. A grant of
/// some Bezirksstellen shows theirs.
pub async fn strata(ctx: &Ctx, db: &Db, samples: &[SampleId]) -> Result<Vec<sample_stratum::Model>> {
    let visible = find_many(ctx, db, samples).await?;
    let mut select = sample_stratum::Entity::find().filter(among(
        db.reader(),
        sample_stratum::Column::SampleId,
        visible.iter().map(|sample| sample.id),
    ));
    match ctx.caller.scope(ctx.now()) {
        Scope::Bezirksstelle { id, .. } => {
            select = select.filter(sample_stratum::Column::BezirksstelleId.eq(id));
        }
        // Numbers of a stratum tell of all its items: whoever is granted some of them sees it where it is granted whole.
        Scope::Grant { coverage, .. } if !coverage.is_whole() => {
            let mine = match (&coverage.bezirksstellen, coverage.period, &coverage.funds) {
                (Some(mine), None, None) => mine.clone(),
                _ => Vec::new(),
            };
            select = select.filter(sample_stratum::Column::BezirksstelleId.is_in(mine));
        }
        Scope::Everything | Scope::WithoutOwnStaff | Scope::Grant { .. } | Scope::Nothing => {}
    }
    Ok(select
        .order_by_asc(sample_stratum::Column::SampleId)
        .order_by_asc(sample_stratum::Column::Ordinal)
        .all(db.reader())
        .await?)
}

/// Every freeze, draw, abort and record of some engagements, each engagement's by number: "draw k of m". A Bezirksstelle
/// sees none, since they tell what may yet be drawn.
pub async fn draws(ctx: &Ctx, db: &Db, engagements: &[EngagementId]) -> Result<Vec<draw_event::Model>> {
    authorize(ctx, Action::SampleRead)?;
    let scope = ctx.caller.scope(ctx.now());
    let seen: Vec<EngagementId> = match scope {
        Scope::Everything | Scope::WithoutOwnStaff => engagements.to_vec(),
        Scope::Grant { coverage, .. } if coverage.is_whole() => engagements
            .iter()
            .copied()
            .filter(|id| coverage.engagements.contains(id))
            .collect(),
        Scope::Grant { .. } | Scope::Bezirksstelle { .. } | Scope::Nothing => return Ok(Vec::new()),
    };
    Ok(draw_event::Entity::find()
        .filter(among(db.reader(), draw_event::Column::EngagementId, seen))
        .order_by_asc(draw_event::Column::Number)
        .all(db.reader())
        .await?)
}
