//! Recording and reading checks.

use entity::item_check::{ActiveModel, Column, Entity, Model};
use entity::{
    CheckId, FundSplit, Listed as _, ListedCheck, SampleItemId, Scope, check_answer, population_item, sample,
    sample_item,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter,
    QueryOrder, Set,
};
use serde_json::json;

use super::programme::{PROGRAMMES, Programme, programme};
use super::rules::{
    MAX_BULK, RecordCheck, check, current_versions, needed, outcome, outside_has_place, version_for,
};
use crate::access::{Action, Permit, authorize, authorize_write};
use crate::db::among;
use crate::engagement::{lock, must_be_open};
use crate::error::{must_be_version, required};
use crate::idempotency::{Claimed, claim};
use crate::sample::known;
use crate::trail::{self, Subject};
use crate::{Code, Ctx, Db, Error, Result};

/// Longest key of a bulk: each check's own key is this one with its place.
const MAX_BULK_KEY: usize = 190;
/// Ids of one statement.
const AT_ONCE: usize = 500;

/// Records a check of a drawn item, or a new version of the caller's own.
pub async fn record(ctx: &Ctx, db: &Db, idempotency_key: &str, input: RecordCheck) -> Result<Model> {
    let permit = authorize_write(ctx, db, Action::CheckRecord).await?;
    record_one(ctx, db, &permit, idempotency_key, input).await
}

/// Records up to [`MAX_BULK`] checks, each in a transaction of its own and answered by itself, in their order. A repeat
/// under the same key answers what was recorded before and records the rest.
pub async fn record_many(
    ctx: &Ctx,
    db: &Db,
    idempotency_key: &str,
    inputs: Vec<RecordCheck>,
) -> Result<Vec<Result<Model>>> {
    let permit = authorize_write(ctx, db, Action::CheckRecord).await?;
    if inputs.len() > MAX_BULK {
        return Err(Error::refused_with(Code::TooMany, "input.checks", MAX_BULK));
    }
    if inputs.is_empty() {
        return Err(Error::refused(Code::Required, "input.checks"));
    }
    if idempotency_key.is_empty() || idempotency_key.len() > MAX_BULK_KEY {
        return Err(Error::refused(
            Code::IdempotencyKeyInvalid,
            "input.idempotencyKey",
        ));
    }
    let mut answers = Vec::with_capacity(inputs.len());
    for (place, input) in inputs.into_iter().enumerate() {
        answers.push(record_one(ctx, db, &permit, &format!("{idempotency_key}/{place}"), input).await);
    }
    Ok(answers)
}

async fn record_one(
    ctx: &Ctx,
    db: &Db,
    permit: &Permit,
    idempotency_key: &str,
    input: RecordCheck,
) -> Result<Model> {
    let programme = named(input.programme.as_deref())?;
    let tx = db.begin_write().await?;
    let scope = ctx.caller.scope(ctx.now());
    let item = visible_item(&tx, &scope, input.sample_item_id).await?;
    ctx.notes.add("SampleItem", [(item.engagement_id, item.id.0)]);
    let engagement = lock(&tx, ctx, item.engagement_id, "input.sampleItemId").await?;
    let claim = match claim(&tx, ctx, idempotency_key, "recordCheck", &input).await? {
        Claimed::New(claim) => claim,
        Claimed::Repeated(id) => return required(Entity::find_by_id(CheckId(id)).one(&tx).await?),
    };
    must_be_open(&engagement, "input.sampleItemId")?;
    // Read again: whoever held the lock before may have checked it meanwhile.
    let item = visible_item(&tx, &scope, input.sample_item_id).await?;
    if item.state == sample_item::State::Replaced {
        return Err(Error::refused(Code::ItemReplaced, "input.sampleItemId"));
    }
    must_be_version(item.version, input.expected_version)?;
    let sample = required(sample::Entity::find_by_id(item.sample_id).one(&tx).await?)?;
    let population_item = required(population_item::Entity::find_by_id(item.item_id).one(&tx).await?)?;
    let refusals = check(&input, programme, population_item.funds());
    if !refusals.is_empty() {
        return Err(Error::Refused(refusals));
    }
    if item.state == sample_item::State::Checked {
        keeps_known_error(&tx, item.id, population_item.funds(), input.correct).await?;
    }
    let mut checks = Entity::visible_to(&Scope::Everything)
        .filter(Column::SampleItemId.eq(item.id))
        .all(&tx)
        .await?;
    let testers: Vec<(&str, i32)> = current_versions(&checks)
        .into_iter()
        .map(|check| (check.tester.as_str(), check.version))
        .collect();
    let outside = from_outside(&checks);
    let known = testers.iter().any(|(tester, _)| *tester == ctx.caller.subject);
    if ctx.caller.grant.is_some() && !known && !outside_has_place(sample.checks_per_item, outside) {
        return Err(Error::refused(Code::ChecksComplete, "input.correction"));
    }
    let version = version_for(
        needed(sample.checks_per_item, outside),
        &testers,
        &ctx.caller.subject,
        input.correction,
    )
    .map_err(|code| Error::refused(code, "input.correction"))?;

    let (row, answers) = insert(&tx, ctx, programme, &population_item, version, input).await?;
    checks.push(row.clone());
    let before = trail::state(ctx, &item)?;
    let item = settle(
        &tx,
        item,
        needed(sample.checks_per_item, from_outside(&checks)),
        &checks,
    )
    .await?;
    claim.remember(&tx, ctx, row.id.0).await?;
    let subject = Subject::new("Check", row.id.0, item.engagement_id)
        .of_own_staff(item.own_staff)
        .left(trail::state_with(ctx, &row, &answers)?);
    let detail = json!({
        "sampleItem": item.id,
        "version": version,
        "state": item.state,
        "itemBefore": before.hex(),
        "itemAfter": trail::state(ctx, &item)?.hex(),
    });
    trail::record(&tx, ctx, permit, subject, detail).await?;
    tx.commit().await?;
    Ok(row)
}

/// What of an item's error is known to be systemic or anomalous stays part of it.
async fn keeps_known_error(
    tx: &DatabaseTransaction,
    item: SampleItemId,
    booked: FundSplit,
    correct: FundSplit,
) -> Result<()> {
    let Some(known) = known(tx, &[item]).await?.remove(&item) else {
        return Ok(());
    };
    if booked.above(&correct).is_some_and(|error| error >= known) {
        return Ok(());
    }
    Err(Error::refused_with(
        Code::CheckBelowKnownError,
        "input.correct",
        known,
    ))
}

fn named(id: Option<&str>) -> Result<&'static Programme> {
    match id {
        Some(id) => programme(id).ok_or_else(|| Error::refused(Code::ProgrammeUnknown, "input.programme")),
        None => required(PROGRAMMES.first()),
    }
}

async fn visible_item(
    db: &impl ConnectionTrait,
    scope: &Scope,
    id: SampleItemId,
) -> Result<sample_item::Model> {
    sample_item::Entity::visible_to(scope)
        .filter(sample_item::Column::Id.eq(id))
        .one(db)
        .await?
        .ok_or_else(|| Error::refused(Code::NotFound, "input.sampleItemId"))
}

async fn insert(
    tx: &DatabaseTransaction,
    ctx: &Ctx,
    programme: &'static Programme,
    item: &population_item::Model,
    version: i32,
    input: RecordCheck,
) -> Result<(Model, Vec<check_answer::Model>)> {
    let row = ActiveModel {
        id: Set(CheckId(ctx.new_id())),
        sample_item_id: Set(input.sample_item_id),
        own_staff: Set(item.own_staff),
        programme: Set(programme.id.to_owned()),
        tester: Set(ctx.caller.subject.clone()),
        tester_name: Set(ctx.caller.name.clone()),
        version: Set(version),
        error_class: Set(input.error_class),
        booked_bund_cents: Set(item.bund_cents),
        booked_kommune_cents: Set(item.kommune_cents),
        booked_land_cents: Set(item.land_cents),
        booked_eu_cents: Set(item.eu_cents),
        correct_bund_cents: Set(input.correct.bund),
        correct_kommune_cents: Set(input.correct.kommune),
        correct_land_cents: Set(input.correct.land),
        correct_eu_cents: Set(input.correct.eu),
        remark: Set(input.remark),
        at: Set(ctx.now()),
        grant_id: Set(ctx.caller.grant.as_ref().map(|grant| grant.id)),
    }
    .insert(tx)
    .await?;
    let given = input.answers.into_iter().filter_map(|given| {
        let attribute = programme.attribute(&given.attribute)?;
        Some(check_answer::Model {
            check_id: row.id,
            attribute: given.attribute,
            dimension: attribute.dimension,
            answer: given.answer,
            remark: given.remark,
        })
    });
    let mut answers: Vec<_> = given.collect();
    answers.sort_by_key(|answer| place(&answer.attribute));
    let rows = answers
        .iter()
        .cloned()
        .map(|answer| check_answer::ActiveModel::from(answer).reset_all());
    check_answer::Entity::insert_many(rows)
        .exec_without_returning(tx)
        .await?;
    Ok((row, answers))
}

/// How many people checked under a commission.
fn from_outside(checks: &[Model]) -> i32 {
    let current = current_versions(checks);
    let outside = current.iter().filter(|check| check.grant_id.is_some());
    i32::try_from(outside.count()).unwrap_or(i32::MAX - 1)
}

/// Brings the item's state and result in line with its checks.
async fn settle(
    tx: &DatabaseTransaction,
    item: sample_item::Model,
    checks_per_item: i32,
    checks: &[Model],
) -> Result<sample_item::Model> {
    let said: Vec<_> = current_versions(checks)
        .into_iter()
        .map(|check| (check.error_class, check.correct()))
        .collect();
    let (state, result) = outcome(checks_per_item, &said);
    let version = item.version + 1;
    let mut change: sample_item::ActiveModel = item.into();
    change.state = Set(state);
    change.result = Set(result);
    change.version = Set(version);
    Ok(change.update(tx).await?)
}

/// Checks of items in all versions, newest first; those the caller may see.
pub async fn of_items(ctx: &Ctx, db: &Db, items: &[SampleItemId]) -> Result<Vec<ListedCheck>> {
    authorize(ctx, Action::CheckRead)?;
    let mut rows = Vec::new();
    for chunk in items.chunks(AT_ONCE) {
        let found = ListedCheck::of(Entity::visible_to(&ctx.caller.scope(ctx.now())))
            .filter(among(db.reader(), Column::SampleItemId, chunk.iter().copied()))
            .order_by_desc(Column::Id)
            .into_model()
            .all(db.reader())
            .await?;
        rows.extend::<Vec<ListedCheck>>(found);
    }
    Ok(rows)
}

/// Checks by id, in full; those the caller may see.
pub async fn find_many(ctx: &Ctx, db: &Db, ids: &[CheckId]) -> Result<Vec<Model>> {
    authorize(ctx, Action::CheckRead)?;
    let mut rows = Vec::new();
    for chunk in ids.chunks(AT_ONCE) {
        let visible = Entity::visible_to(&ctx.caller.scope(ctx.now()));
        let found = visible.filter(among(db.reader(), Column::Id, chunk.iter().copied()));
        rows.extend(found.all(db.reader()).await?);
    }
    Ok(rows)
}

/// Answers of checks, by check and in the programme's order; of those the caller may see.
pub async fn answers_of(ctx: &Ctx, db: &Db, checks: &[CheckId]) -> Result<Vec<check_answer::Model>> {
    authorize(ctx, Action::CheckRead)?;
    let scope = ctx.caller.scope(ctx.now());
    let mut rows = Vec::new();
    for chunk in checks.chunks(AT_ONCE) {
        let visible = Entity::visible_to(&scope)
            .filter(among(db.reader(), Column::Id, chunk.iter().copied()))
            .all(db.reader())
            .await?;
        let found = check_answer::Entity::find()
            .filter(among(
                db.reader(),
                check_answer::Column::CheckId,
                visible.iter().map(|check| check.id),
            ))
            .all(db.reader())
            .await?;
        rows.extend(found);
    }
    rows.sort_by_key(|row| (row.check_id, place(&row.attribute)));
    Ok(rows)
}

/// Where an attribute stands in its programme; codes are unique within a programme, and only one has them so far.
pub(crate) fn place(attribute: &str) -> usize {
    let attributes = PROGRAMMES.iter().flat_map(|programme| programme.attributes);
    attributes
        .into_iter()
        .position(|known| known.code == attribute)
        .unwrap_or(usize::MAX)
}
