//! Known errors: systemic ones that are delimited, and anomalous ones. They are not projected (EC guidance EGESIF 16-0014-01, appendix
//! 1), so one person proposes them with a reason and a second one approves. Until then, and after they are revoked, they count as
//! random.
//!
//! A known error belongs to a stratum; one that runs through several strata is delimited in each. It names what of it was found in
//! items of the sample. Errors in own staff's items always count as random: set apart, an amount would tell of a single case.

use std::collections::{HashMap, HashSet};

use entity::known_error::{ActiveModel, Class, Column, Entity, Model, State};
use entity::{
    Cents, EngagementId, KnownErrorId, SampleId, SampleItemId, Scope, StratumId, item_check,
    known_error_part as part, sample_item,
};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, ConnectionTrait, DatabaseTransaction, EntityTrait as _,
    QueryFilter as _, QueryOrder as _, QuerySelect as _, Set,
};
use serde::Serialize;
use serde_json::json;

use super::rules::sets_known_errors_apart;
use super::service::visible_at;
use crate::access::{Action, FourEyes, Permit, authorize, authorize_write};
use crate::check::current_versions;
use crate::db::among;
use crate::engagement::{lock, lock_open, must_be_open};
use crate::error::{must_be_version, required};
use crate::idempotency::{Claimed, claim};
use crate::refusal::text;
use crate::trail::{self, Subject};
use crate::{Code, Ctx, Db, Error, Refusal, Result};

/// Most items of one known error.
pub const MAX_KNOWN_ITEMS: usize = 200;
/// Longest cause.
const MAX_CAUSE: usize = 200;
/// Longest reason.
const MAX_REASON: usize = 4_000;

/// What proposes a known error.
#[derive(Clone, Debug, Serialize)]
pub struct ProposeKnownError {
    /// The drawn sample.
    pub sample_id: SampleId,
    /// Systemic or anomalous.
    pub class: Class,
    /// What caused it, up to 200 characters.
    pub cause: String,
    /// How it was delimited, or why it is not representative, up to 4,000 characters.
    pub reason: String,
    /// The amount of a systemic error in the whole stratum; none of an anomalous one, which has that of its items.
    pub delimited: Option<Cents>,
    /// Corrected before the audit ended.
    pub corrected: bool,
    /// Where it was found; 1 to [`MAX_KNOWN_ITEMS`] items of one stratum.
    pub items: Vec<KnownItem>,
}

/// An item in which a known error was found.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct KnownItem {
    /// The item, which is checked and in error.
    pub sample_item_id: SampleItemId,
    /// The part of its error; what of it is not known yet, where none is given.
    pub amount: Option<Cents>,
}

/// Proposes that an error is known. It counts as random until another person approves.
pub async fn propose_known_error(
    ctx: &Ctx,
    db: &Db,
    idempotency_key: &str,
    input: ProposeKnownError,
) -> Result<Model> {
    let permit = authorize_write(ctx, db, Action::KnownErrorPropose).await?;
    let refusals = check(&input);
    if !refusals.is_empty() {
        return Err(Error::Refused(refusals));
    }
    let path = "input.sampleId";
    let tx = db.begin_write().await?;
    let scope = ctx.caller.scope(ctx.now());
    let sample = visible_at(&tx, &scope, input.sample_id, path).await?;
    let engagement = lock(&tx, ctx, sample.engagement_id, path).await?;
    let claim = match claim(&tx, ctx, idempotency_key, "proposeKnownError", &input).await? {
        Claimed::New(claim) => claim,
        Claimed::Repeated(id) => return required(Entity::find_by_id(KnownErrorId(id)).one(&tx).await?),
    };
    must_be_open(&engagement, path)?;
    if !sets_known_errors_apart(sample.method) {
        return Err(Error::refused_with(
            Code::KnownErrorNotForSample,
            path,
            sample.method.as_str(),
        ));
    }
    let (stratum, parts) = found_parts(&tx, ctx, &scope, &input).await?;
    let found = parts
        .iter()
        .try_fold(Cents(0), |sum, (_, amount)| sum.checked_add(*amount))
        .ok_or_else(|| Error::refused(Code::AmountOverflow, "input.items"))?;
    let amount = input.delimited.unwrap_or(found);
    if amount < found {
        return Err(Error::refused_with(
            Code::KnownErrorNotDelimited,
            "input.delimitedAmount",
            found,
        ));
    }
    let row = ActiveModel {
        id: Set(KnownErrorId(ctx.new_id())),
        engagement_id: Set(sample.engagement_id),
        sample_id: Set(sample.id),
        stratum_id: Set(stratum),
        class: Set(input.class),
        cause: Set(input.cause),
        reason: Set(input.reason),
        amount_cents: Set(amount),
        corrected: Set(input.corrected),
        state: Set(State::Proposed),
        proposed_by: Set(ctx.caller.subject.clone()),
        proposed_at: Set(ctx.now()),
        approved_by: Set(None),
        approved_at: Set(None),
        revoked_by: Set(None),
        revoked_at: Set(None),
        revocation_reason: Set(None),
        version: Set(1),
    }
    .insert(&tx)
    .await?;
    let parts: Vec<part::Model> = parts
        .into_iter()
        .map(|(sample_item_id, amount_cents)| part::Model {
            known_error_id: row.id,
            sample_item_id,
            amount_cents,
        })
        .collect();
    let rows = parts
        .iter()
        .cloned()
        .map(|part| part::ActiveModel::from(part).reset_all());
    part::Entity::insert_many(rows)
        .exec_without_returning(&tx)
        .await?;
    claim.remember(&tx, ctx, row.id.0).await?;
    let detail = json!({ "class": row.class, "amountCents": row.amount_cents, "state": row.state });
    let subject = subject(&row).left(trail::state_with(ctx, &row, &parts)?);
    trail::record(&tx, ctx, &permit, subject, detail).await?;
    tx.commit().await?;
    Ok(row)
}

/// What is wrong with a proposal by itself.
fn check(input: &ProposeKnownError) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    refusals.extend(text("input.cause", &input.cause, MAX_CAUSE));
    refusals.extend(text("input.reason", &input.reason, MAX_REASON));
    let systemic = input.class == Class::Systemic;
    if systemic && input.delimited.is_none() {
        refusals.push(Refusal::new(Code::Required, "input.delimitedAmount"));
    } else if !systemic && input.delimited.is_some() {
        refusals.push(Refusal::new(Code::InvalidValue, "input.delimitedAmount").with(input.class.as_str()));
    }
    if input.items.is_empty() {
        refusals.push(Refusal::new(Code::Required, "input.items"));
    }
    if input.items.len() > MAX_KNOWN_ITEMS {
        return vec![Refusal::new(Code::TooMany, "input.items").with(MAX_KNOWN_ITEMS)];
    }
    let mut named = HashSet::new();
    for (place, item) in input.items.iter().enumerate() {
        if !named.insert(item.sample_item_id) {
            let path = format!("input.items.{place}.sampleItemId");
            refusals.push(Refusal::new(Code::ItemDoubled, &path).with(place + 1));
        }
        if item.amount.is_some_and(|amount| amount <= Cents(0)) {
            let path = format!("input.items.{place}.amount");
            refusals.push(Refusal::new(Code::InvalidValue, &path));
        }
    }
    refusals
}

/// The stratum, and the parts in the order of their items. Each item is the sample's, checked, and has so much error left.
async fn found_parts(
    tx: &DatabaseTransaction,
    ctx: &Ctx,
    scope: &Scope,
    input: &ProposeKnownError,
) -> Result<(StratumId, Vec<(SampleItemId, Cents)>)> {
    let ids: Vec<SampleItemId> = input.items.iter().map(|item| item.sample_item_id).collect();
    let rows: HashMap<SampleItemId, sample_item::Model> = sample_item::Entity::visible_to(scope)
        .filter(sample_item::Column::SampleId.eq(input.sample_id))
        .filter(among(tx, sample_item::Column::Id, ids.iter().copied()))
        .all(tx)
        .await?
        .into_iter()
        .map(|row| (row.id, row))
        .collect();
    let noted = rows.values().map(|row| (row.engagement_id, row.id.0));
    ctx.notes.add("SampleItem", noted);
    let left = left(tx, &ids).await?;
    let mut refusals = Vec::new();
    let mut strata = HashSet::new();
    let mut parts = Vec::with_capacity(ids.len());
    for (place, item) in input.items.iter().enumerate() {
        let path = |field: &str| format!("input.items.{place}.{field}");
        let Some(row) = rows.get(&item.sample_item_id) else {
            refusals.push(Refusal::new(Code::NotFound, &path("sampleItemId")));
            continue;
        };
        if row.own_staff {
            refusals.push(Refusal::new(Code::KnownErrorOwnStaff, &path("sampleItemId")));
            continue;
        }
        let left = left.get(&row.id).copied().unwrap_or(Cents(0));
        if row.state != sample_item::State::Checked || left <= Cents(0) {
            refusals.push(Refusal::new(Code::KnownErrorNotFound, &path("sampleItemId")));
            continue;
        }
        let amount = item.amount.unwrap_or(left);
        if amount > left {
            refusals.push(Refusal::new(Code::KnownErrorAboveError, &path("amount")).with(left));
        }
        strata.insert(row.stratum_id);
        parts.push((row.id, amount));
    }
    if strata.len() > 1 {
        refusals.push(Refusal::new(Code::KnownErrorStrata, "input.items"));
    }
    parts.sort_by_key(|(id, _)| id.0);
    match strata.into_iter().next() {
        Some(stratum) if refusals.is_empty() => Ok((stratum, parts)),
        _ => Err(Error::Refused(refusals)),
    }
}

/// What of the errors of items is not known yet: what was booked above what is correct, less the parts of known errors.
async fn left(tx: &DatabaseTransaction, ids: &[SampleItemId]) -> Result<HashMap<SampleItemId, Cents>> {
    let mut checks: HashMap<SampleItemId, Vec<item_check::Model>> = HashMap::new();
    let rows = item_check::Entity::visible_to(&Scope::Everything)
        .filter(among(tx, item_check::Column::SampleItemId, ids.iter().copied()))
        .all(tx)
        .await?;
    for row in rows {
        checks.entry(row.sample_item_id).or_default().push(row);
    }
    let known = known(tx, ids).await?;
    let mut left = HashMap::new();
    for (id, checks) in checks {
        let error = current_versions(&checks)
            .first()
            .and_then(|check| check.booked().above(&check.correct()));
        let known = known.get(&id).copied().unwrap_or(Cents(0));
        left.extend(
            error
                .and_then(|error| error.checked_sub(known))
                .map(|rest| (id, rest)),
        );
    }
    Ok(left)
}

/// What of the errors of items is known, proposed ones too.
pub(crate) async fn known(
    db: &impl ConnectionTrait,
    ids: &[SampleItemId],
) -> Result<HashMap<SampleItemId, Cents>> {
    let parts = part::Entity::find()
        .filter(among(db, part::Column::SampleItemId, ids.iter().copied()))
        .all(db)
        .await?;
    if parts.is_empty() {
        return Ok(HashMap::new());
    }
    let holding: HashSet<KnownErrorId> = Entity::visible_to(&Scope::Everything)
        .filter(among(
            db,
            Column::Id,
            parts.iter().map(|part| part.known_error_id),
        ))
        .filter(Column::State.ne(State::Revoked))
        .select_only()
        .column(Column::Id)
        .into_tuple()
        .all(db)
        .await?
        .into_iter()
        .collect();
    let mut known = HashMap::new();
    for part in parts.iter().filter(|part| holding.contains(&part.known_error_id)) {
        let sum: &mut Cents = known.entry(part.sample_item_id).or_default();
        *sum = sum
            .checked_add(part.amount_cents)
            .ok_or_else(|| Error::internal("parts of an error overflow"))?;
    }
    Ok(known)
}

/// What approves a known error.
#[derive(Clone, Copy, Debug)]
pub struct ApproveKnownError {
    /// The known error.
    pub id: KnownErrorId,
    /// The version the caller saw.
    pub expected_version: i32,
}

/// Approves a known error that another person proposed: from here on it is not projected.
pub async fn approve_known_error(ctx: &Ctx, db: &Db, input: ApproveKnownError) -> Result<Model> {
    let permit = authorize_write(ctx, db, Action::KnownErrorApprove).await?;
    let tx = db.begin_write().await?;
    let row = one(&tx, ctx, input.id, input.expected_version).await?;
    if row.state != State::Proposed {
        return Err(Error::refused(Code::KnownErrorDecided, "input.id"));
    }
    FourEyes::KnownError.another(ctx, [row.proposed_by.as_str()], "input.id")?;
    let (who, when) = (ctx.caller.subject.clone(), ctx.now());
    let row = change(&tx, ctx, &permit, row, |change| {
        change.state = Set(State::Approved);
        change.approved_by = Set(Some(who));
        change.approved_at = Set(Some(when));
    })
    .await?;
    tx.commit().await?;
    Ok(row)
}

/// What revokes a known error.
#[derive(Clone, Debug)]
pub struct RevokeKnownError {
    /// The known error.
    pub id: KnownErrorId,
    /// The version the caller saw.
    pub expected_version: i32,
    /// Why, up to 4,000 characters.
    pub reason: String,
}

/// Revokes a known error, proposed or approved: it is projected again. One person is enough for what makes a result no milder.
pub async fn revoke_known_error(ctx: &Ctx, db: &Db, input: RevokeKnownError) -> Result<Model> {
    let permit = authorize_write(ctx, db, Action::KnownErrorRevoke).await?;
    if let Some(refusal) = text("input.reason", &input.reason, MAX_REASON) {
        return Err(Error::Refused(vec![refusal]));
    }
    let tx = db.begin_write().await?;
    let row = one(&tx, ctx, input.id, input.expected_version).await?;
    if row.state == State::Revoked {
        return Err(Error::refused(Code::KnownErrorDecided, "input.id"));
    }
    let (who, when) = (ctx.caller.subject.clone(), ctx.now());
    let row = change(&tx, ctx, &permit, row, |change| {
        change.state = Set(State::Revoked);
        change.revoked_by = Set(Some(who));
        change.revoked_at = Set(Some(when));
        change.revocation_reason = Set(Some(input.reason));
    })
    .await?;
    tx.commit().await?;
    Ok(row)
}

/// The visible known error in the version the caller saw, its engagement open and locked.
async fn one(tx: &DatabaseTransaction, ctx: &Ctx, id: KnownErrorId, expected_version: i32) -> Result<Model> {
    let scope = ctx.caller.scope(ctx.now());
    let visible = || Entity::visible_to(&scope).filter(Column::Id.eq(id));
    let missing = || Error::refused(Code::NotFound, "input.id");
    let row = visible().one(tx).await?.ok_or_else(missing)?;
    lock_open(tx, ctx, row.engagement_id, "input.id").await?;
    // Whoever held the lock before may have decided it meanwhile.
    let row = visible().one(tx).await?.ok_or_else(missing)?;
    must_be_version(row.version, expected_version)?;
    Ok(row)
}

async fn change(
    tx: &DatabaseTransaction,
    ctx: &Ctx,
    permit: &Permit,
    row: Model,
    set: impl FnOnce(&mut ActiveModel),
) -> Result<Model> {
    let parts = part::Entity::find()
        .filter(part::Column::KnownErrorId.eq(row.id))
        .order_by_asc(part::Column::SampleItemId)
        .all(tx)
        .await?;
    let (before, version) = (trail::state_with(ctx, &row, &parts)?, row.version);
    let mut change: ActiveModel = row.into();
    set(&mut change);
    change.version = Set(version + 1);
    let row = change.update(tx).await?;
    let subject = subject(&row).changed(before, trail::state_with(ctx, &row, &parts)?);
    trail::record(tx, ctx, permit, subject, json!({ "state": row.state })).await?;
    Ok(row)
}

const fn subject(row: &Model) -> Subject {
    Subject::new("KnownError", row.id.0, row.engagement_id)
}

/// Known errors of samples, those the caller may see, oldest first.
pub async fn known_errors(ctx: &Ctx, db: &Db, samples: &[SampleId]) -> Result<Vec<Model>> {
    authorize(ctx, Action::CheckRead)?;
    Ok(Entity::visible_to(&ctx.caller.scope(ctx.now()))
        .filter(among(db.reader(), Column::SampleId, samples.iter().copied()))
        .order_by_asc(Column::Id)
        .all(db.reader())
        .await?)
}

/// The parts of known errors, those the caller may see, in the order of their items.
pub async fn known_error_parts(ctx: &Ctx, db: &Db, errors: &[KnownErrorId]) -> Result<Vec<part::Model>> {
    authorize(ctx, Action::CheckRead)?;
    let visible: HashMap<KnownErrorId, EngagementId> = Entity::visible_to(&ctx.caller.scope(ctx.now()))
        .filter(among(db.reader(), Column::Id, errors.iter().copied()))
        .select_only()
        .columns([Column::Id, Column::EngagementId])
        .into_tuple()
        .all(db.reader())
        .await?
        .into_iter()
        .collect();
    let rows = part::Entity::find()
        .filter(among(
            db.reader(),
            part::Column::KnownErrorId,
            visible.keys().copied(),
        ))
        .order_by_asc(part::Column::SampleItemId)
        .all(db.reader())
        .await?;
    let noted = rows
        .iter()
        .filter_map(|row| Some((*visible.get(&row.known_error_id)?, row.sample_item_id.0)));
    ctx.notes.add("SampleItem", noted);
    Ok(rows)
}

/// The known errors of a sample for its evaluation.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Approved ones, each with its parts.
    pub(super) errors: Vec<(Model, Vec<part::Model>)>,
    /// Others wait for approval.
    pub(super) waiting: bool,
}

/// What is known of the errors of a sample.
pub(super) async fn known_of(db: &Db, sample: SampleId) -> Result<Known> {
    let rows = Entity::visible_to(&Scope::Everything)
        .filter(Column::SampleId.eq(sample))
        .filter(Column::State.ne(State::Revoked))
        .order_by_asc(Column::Id)
        .all(db.reader())
        .await?;
    let (approved, waiting): (Vec<_>, Vec<_>) =
        rows.into_iter().partition(|row| row.state == State::Approved);
    let mut errors: Vec<_> = approved.into_iter().map(|row| (row, Vec::new())).collect();
    if !errors.is_empty() {
        let ids = errors.iter().map(|(row, _)| row.id);
        let parts = part::Entity::find()
            .filter(among(db.reader(), part::Column::KnownErrorId, ids))
            .all(db.reader())
            .await?;
        for part in parts {
            let of = errors.iter_mut().find(|(row, _)| row.id == part.known_error_id);
            if let Some((_, parts)) = of {
                parts.push(part);
            }
        }
    }
    Ok(Known {
        errors,
        waiting: !waiting.is_empty(),
    })
}
