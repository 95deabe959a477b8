//! Replacing a drawn item that cannot be checked: one person asks with a reason, a second one approves, and the next ticket takes the
//! place. The replaced item stays, as replaced. Until then, and for good where it is declined, the item counts as not evidenced.
//!
//! Only samples by tickets have a next one. Of monetary units every hit stands for an interval: an item that cannot be checked counts
//! as not evidenced there (ISA 530, paragraph 11).

use entity::draw_event::Kind;
use entity::replacement::{ActiveModel, Cause, Column, Entity, Model, State};
use entity::{ReplacementId, SampleId, SampleItemId, Scope, sample, sample_item, sample_stratum};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, ConnectionTrait, DatabaseTransaction, EntityTrait as _,
    PaginatorTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, Set,
};
use serde::Serialize;
use serde_json::json;

use super::draw::{Drawn, details, insert_items, open_engagement};
use super::extension::{drawn_before, extension_of, items_of};
use super::frame::{Selectors, changed, select};
use super::rules::is_by_tickets;
use super::service::load;
use crate::access::{Action, FourEyes, Permit, authorize, authorize_write};
use crate::db::among;
use crate::engagement::{lock, lock_open, must_be_open};
use crate::error::{must_be_version, required};
use crate::idempotency::{Claimed, claim};
use crate::population::number_event;
use crate::refusal::text;
use crate::sampling::selection::Seed;
use crate::trail::{self, Subject};
use crate::{Code, Ctx, Db, Error, Result};

/// Longest reason.
const MAX_REASON: usize = 4_000;

/// What asks for a replacement.
#[derive(Clone, Debug, Serialize)]
pub struct RequestReplacement {
    /// The drawn item, which nobody checked yet.
    pub sample_item_id: SampleItemId,
    /// The version of it that the caller saw.
    pub expected_version: i32,
    /// Why it cannot be checked.
    pub cause: Cause,
    /// The same in words, up to 4,000 characters.
    pub reason: String,
}

/// Asks for a replacement. From here on the item counts as not evidenced, until another person approves.
pub async fn request_replacement(
    ctx: &Ctx,
    db: &Db,
    idempotency_key: &str,
    input: RequestReplacement,
) -> Result<Model> {
    let permit = authorize_write(ctx, db, Action::ReplacementRequest).await?;
    if let Some(refusal) = text("input.reason", &input.reason, MAX_REASON) {
        return Err(Error::Refused(vec![refusal]));
    }
    let path = "input.sampleItemId";
    let tx = db.begin_write().await?;
    let visible = || {
        sample_item::Entity::visible_to(&ctx.caller.scope(ctx.now()))
            .filter(sample_item::Column::Id.eq(input.sample_item_id))
    };
    let missing = || Error::refused(Code::NotFound, path);
    let item = visible().one(&tx).await?.ok_or_else(missing)?;
    ctx.notes.add("SampleItem", [(item.engagement_id, item.id.0)]);
    let engagement = lock(&tx, ctx, item.engagement_id, path).await?;
    let claim = match claim(&tx, ctx, idempotency_key, "requestReplacement", &input).await? {
        Claimed::New(claim) => claim,
        Claimed::Repeated(id) => return required(Entity::find_by_id(ReplacementId(id)).one(&tx).await?),
    };
    must_be_open(&engagement, path)?;
    // Read again: whoever held the lock before may have checked it meanwhile.
    let item = visible().one(&tx).await?.ok_or_else(missing)?;
    must_be_version(item.version, input.expected_version)?;
    has_next_ticket(&tx, &load(&tx, item.sample_id).await?, path).await?;
    unchecked(&item, path)?;
    let asked = Entity::find()
        .filter(Column::SampleItemId.eq(item.id))
        .filter(Column::State.eq(State::Requested))
        .count(&tx)
        .await?;
    if asked > 0 {
        return Err(Error::refused(Code::ReplacementRequested, path));
    }
    let row = ActiveModel {
        id: Set(ReplacementId(ctx.new_id())),
        engagement_id: Set(item.engagement_id),
        sample_id: Set(item.sample_id),
        sample_item_id: Set(item.id),
        own_staff: Set(item.own_staff),
        state: Set(State::Requested),
        cause: Set(input.cause),
        reason: Set(input.reason),
        requested_by: Set(ctx.caller.subject.clone()),
        requested_at: Set(ctx.now()),
        decided_by: Set(None),
        decided_at: Set(None),
        decision_reason: Set(None),
        by_item_id: Set(None),
        version: Set(1),
    }
    .insert(&tx)
    .await?;
    claim.remember(&tx, ctx, row.id.0).await?;
    let detail = json!({ "sampleItem": item.id, "cause": row.cause, "state": row.state });
    let subject = subject(&row).left(trail::state(ctx, &row)?);
    trail::record(&tx, ctx, &permit, subject, detail).await?;
    tx.commit().await?;
    Ok(row)
}

/// What approves a replacement.
#[derive(Clone, Copy, Debug)]
pub struct ApproveReplacement {
    /// The replacement.
    pub id: ReplacementId,
    /// The version the caller saw.
    pub expected_version: i32,
}

/// Approves a replacement: the next ticket of the stratum takes the place. The population is read before the transaction, so that
/// nobody waits for it.
pub async fn approve_replacement(ctx: &Ctx, db: &Db, input: ApproveReplacement) -> Result<Model> {
    let permit = authorize_write(ctx, db, Action::ReplacementApprove).await?;
    let scope = ctx.caller.scope(ctx.now());
    let row = asked(db.reader(), ctx, &scope, input.id, input.expected_version).await?;
    open_engagement(ctx, db, row.engagement_id).await?;
    let item = required(
        sample_item::Entity::find_by_id(row.sample_item_id)
            .one(db.reader())
            .await?,
    )?;
    let sample = load(db.reader(), row.sample_id).await?;
    has_next_ticket(db.reader(), &sample, "input.id").await?;
    unchecked(&item, "input.id")?;
    let (next, known) = next_ticket(db, &sample, &item).await?;

    let tx = db.begin_write().await?;
    lock_open(&tx, ctx, row.engagement_id, "input.id").await?;
    // Whoever held the lock before may have decided it, checked the item, or drawn something into the sample meanwhile.
    let row = asked(&tx, ctx, &scope, input.id, input.expected_version).await?;
    let item = required(
        sample_item::Entity::find_by_id(row.sample_item_id)
            .one(&tx)
            .await?,
    )?;
    has_next_ticket(&tx, &sample, "input.id").await?;
    unchecked(&item, "input.id")?;
    if drawn_so_far(&tx, sample.id).await? != known {
        return Err(Error::refused_with(
            Code::StaleVersion,
            "input.expectedVersion",
            row.version,
        ));
    }
    let [by] = insert_items(&tx, ctx, &sample, known + 1, vec![next]).await?[..] else {
        return Err(Error::internal("one item takes the place of one"));
    };
    let (before, version) = (trail::state(ctx, &item)?, item.version);
    let mut change: sample_item::ActiveModel = item.into();
    change.state = Set(sample_item::State::Replaced);
    change.version = Set(version + 1);
    let item = change.update(&tx).await?;
    let number = number_event(
        &tx,
        ctx,
        sample.engagement_id,
        Kind::Replace,
        sample.population_id,
        Some(sample.id),
        // Every auditor sees the event: why an item of own staff was replaced is told to its group alone.
        (!row.own_staff).then(|| row.reason.clone()),
    )
    .await?;
    let detail = json!({
        "event": number,
        "sampleItem": item.id,
        "by": by,
        "state": State::Approved,
        "itemBefore": before.hex(),
        "itemAfter": trail::state(ctx, &item)?.hex(),
    });
    let row = decide(&tx, ctx, &permit, row, State::Approved, None, Some(by), detail).await?;
    tx.commit().await?;
    Ok(row)
}

/// What declines a replacement.
#[derive(Clone, Debug)]
pub struct DeclineReplacement {
    /// The replacement.
    pub id: ReplacementId,
    /// The version the caller saw.
    pub expected_version: i32,
    /// Why, up to 4,000 characters.
    pub reason: String,
}

/// Declines a replacement: the item keeps its place, and counts as not evidenced unless it is checked.
pub async fn decline_replacement(ctx: &Ctx, db: &Db, input: DeclineReplacement) -> Result<Model> {
    let permit = authorize_write(ctx, db, Action::ReplacementApprove).await?;
    if let Some(refusal) = text("input.reason", &input.reason, MAX_REASON) {
        return Err(Error::Refused(vec![refusal]));
    }
    let scope = ctx.caller.scope(ctx.now());
    let tx = db.begin_write().await?;
    let row = asked(&tx, ctx, &scope, input.id, input.expected_version).await?;
    lock_open(&tx, ctx, row.engagement_id, "input.id").await?;
    let row = asked(&tx, ctx, &scope, input.id, input.expected_version).await?;
    let detail = json!({ "sampleItem": row.sample_item_id, "state": State::Declined });
    let reason = Some(input.reason);
    let row = decide(&tx, ctx, &permit, row, State::Declined, reason, None, detail).await?;
    tx.commit().await?;
    Ok(row)
}

#[expect(clippy::too_many_arguments, reason = "what a decision writes")]
async fn decide(
    tx: &DatabaseTransaction,
    ctx: &Ctx,
    permit: &Permit,
    row: Model,
    state: State,
    reason: Option<String>,
    by: Option<SampleItemId>,
    detail: serde_json::Value,
) -> Result<Model> {
    let (before, version) = (trail::state(ctx, &row)?, row.version);
    let mut change: ActiveModel = row.into();
    change.state = Set(state);
    change.decided_by = Set(Some(ctx.caller.subject.clone()));
    change.decided_at = Set(Some(ctx.now()));
    change.decision_reason = Set(reason);
    change.by_item_id = Set(by);
    change.version = Set(version + 1);
    let row = change.update(tx).await?;
    let subject = subject(&row).changed(before, trail::state(ctx, &row)?);
    trail::record(tx, ctx, permit, subject, detail).await?;
    Ok(row)
}

const fn subject(row: &Model) -> Subject {
    Subject::new("Replacement", row.id.0, row.engagement_id).of_own_staff(row.own_staff)
}

/// The visible replacement that another person asked for, in the version the caller saw, if it waits for a decision.
async fn asked(
    db: &impl ConnectionTrait,
    ctx: &Ctx,
    scope: &Scope,
    id: ReplacementId,
    expected_version: i32,
) -> Result<Model> {
    let row = Entity::visible_to(scope)
        .filter(Column::Id.eq(id))
        .one(db)
        .await?
        .ok_or_else(|| Error::refused(Code::NotFound, "input.id"))?;
    if row.state != State::Requested {
        return Err(Error::refused(Code::ReplacementDecided, "input.id"));
    }
    must_be_version(row.version, expected_version)?;
    FourEyes::Replacement.another(ctx, [row.requested_by.as_str()], "input.id")?;
    Ok(row)
}

/// Only tickets have a next one; and what was drawn behind it may not move any more.
async fn has_next_ticket(db: &impl ConnectionTrait, sample: &sample::Model, path: &str) -> Result<()> {
    if !is_by_tickets(sample.method) {
        return Err(Error::refused_with(
            Code::ReplacementNotByTickets,
            path,
            sample.method.as_str(),
        ));
    }
    match extension_of(db, sample.id).await? {
        None => Ok(()),
        Some(by) => Err(Error::refused_with(Code::SampleExtended, path, by.name)),
    }
}

/// Whoever has checked an item has shown that it can be.
fn unchecked(item: &sample_item::Model, path: &str) -> Result<()> {
    match item.state {
        sample_item::State::Open => Ok(()),
        sample_item::State::Replaced => Err(Error::refused(Code::ItemReplaced, path)),
        _ => Err(Error::refused(Code::ReplacementItemChecked, path)),
    }
}

/// Items of the sample, replaced ones too.
async fn drawn_so_far(db: &impl ConnectionTrait, sample: SampleId) -> Result<i64> {
    let drawn = sample_item::Entity::find()
        .filter(sample_item::Column::SampleId.eq(sample))
        .count(db)
        .await?;
    i64::try_from(drawn).map_err(|error| Error::internal(error.to_string()))
}

/// The item with the smallest ticket of those in the stratum that were not drawn yet, and how many were.
async fn next_ticket(db: &Db, sample: &sample::Model, item: &sample_item::Model) -> Result<(Drawn, i64)> {
    let seed = sample.seed.clone().unwrap_or_default();
    let seed = Seed::new(seed).map_err(|error| Error::internal(error.to_string()))?;
    let strata = sample_stratum::Entity::find()
        .filter(sample_stratum::Column::SampleId.eq(sample.id))
        .order_by_asc(sample_stratum::Column::Ordinal)
        .all(db.reader())
        .await?;
    let place = strata.iter().position(|stratum| stratum.id == item.stratum_id);
    let place = required(place)?;
    let mut sizes = vec![0; strata.len()];
    sizes[place] = 1;
    let selectors = required(Selectors::of_sizes(sample, &strata, &sizes, &seed)?)?;
    let known = drawn_so_far(db.reader(), sample.id).await?;
    let mut before = drawn_before(db.reader(), sample.extends_id, sample.method).await?;
    before.push(sample.id);
    let gone = items_of(db, &before).await?;
    let selection = select(db, sample.population_id, gone, selectors).await?;
    if selection.count != sample.frame_count - known {
        return Err(changed());
    }
    let found = details(db, sample, &strata, selection).await?.pop();
    let next = found.ok_or_else(|| Error::refused(Code::NothingToSelect, "input.id"))?;
    Ok((next, known))
}

/// Replacements of samples, those the caller may see, oldest first.
pub async fn replacements(ctx: &Ctx, db: &Db, samples: &[SampleId]) -> Result<Vec<Model>> {
    authorize(ctx, Action::CheckRead)?;
    let rows = Entity::visible_to(&ctx.caller.scope(ctx.now()))
        .filter(among(db.reader(), Column::SampleId, samples.iter().copied()))
        .order_by_asc(Column::Id)
        .all(db.reader())
        .await?;
    ctx.notes.add(
        "SampleItem",
        rows.iter().map(|row| (row.engagement_id, row.sample_item_id.0)),
    );
    Ok(rows)
}

/// Items of samples that cannot be checked as somebody said, and were not replaced; and how many were. Of all items: figures count
/// them.
pub(super) async fn uncheckable(db: &Db, samples: &[SampleId]) -> Result<(Vec<SampleItemId>, usize)> {
    let rows: Vec<(SampleItemId, State)> = Entity::visible_to(&Scope::Everything)
        .filter(among(db.reader(), Column::SampleId, samples.iter().copied()))
        .select_only()
        .column(Column::SampleItemId)
        .column(Column::State)
        .into_tuple()
        .all(db.reader())
        .await?;
    let (done, not): (Vec<_>, Vec<_>) = rows.into_iter().partition(|(_, state)| *state == State::Approved);
    Ok((not.into_iter().map(|(id, _)| id).collect(), done.len()))
}
