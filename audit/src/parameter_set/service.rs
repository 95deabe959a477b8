//! Proposing, deciding, finding and citing editions.

use chrono::NaiveDate;
use entity::ParameterSetId;
use entity::parameter_set::{ActiveModel, Column, Entity, FactorProfile, Model, State};
use rust_decimal::Decimal;
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, ConnectionTrait, DatabaseTransaction, EntityTrait as _,
    PaginatorTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, Set,
};
use serde::Serialize;
use serde_json::json;

use crate::access::{Action, FourEyes, Permit, authorize, authorize_write};
use crate::db::{among, one_at_a_time};
use crate::error::{must_be_version, required};
use crate::idempotency::{Claimed, claim};
use crate::page::{self, Page, PageArgs};
use crate::refusal::text;
use crate::trail::{self, Subject};
use crate::{Code, Ctx, Db, Error, Refusal, Result};

/// Numbers are given one at a time.
const NUMBER_GATE: i64 = 0x50_19;
/// Longest reason.
const MAX_REASON: usize = 4_000;
/// Most decimal places of a rate.
const MAX_PLACES: u32 = 12;
/// Materiality where a proposal names none: two per cent, a default and no rule.
pub const USUAL_MATERIALITY: (i64, u32) = (2, 2);

/// What proposes an edition.
#[derive(Clone, Debug, Serialize)]
pub struct Propose {
    /// Number of the set that gets another edition; a new set where none is named.
    pub number: Option<i32>,
    /// Name, up to 200 characters.
    pub name: String,
    /// Confidence, above 0 and below 1.
    pub confidence: Decimal,
    /// Materiality as a part of what is audited, above 0 and up to 1; [`USUAL_MATERIALITY`] where none is named.
    pub materiality: Option<Decimal>,
    /// Where factors come from.
    pub factor_profile: FactorProfile,
    /// The first day on which plans may cite it.
    pub valid_from: NaiveDate,
    /// Why these figures, up to 4,000 characters.
    pub reason: String,
}

/// Proposes an edition. No plan cites it before another person approves it.
pub async fn propose(ctx: &Ctx, db: &Db, idempotency_key: &str, input: Propose) -> Result<Model> {
    let permit = authorize_write(ctx, db, Action::ParameterSetPropose).await?;
    let usual = Decimal::new(USUAL_MATERIALITY.0, USUAL_MATERIALITY.1);
    let materiality = input.materiality.unwrap_or(usual);
    let refusals = check(&input, materiality);
    if !refusals.is_empty() {
        return Err(Error::Refused(refusals));
    }
    let tx = db.begin_write().await?;
    one_at_a_time(&tx, NUMBER_GATE).await?;
    let claim = match claim(&tx, ctx, idempotency_key, "proposeParameterSet", &input).await? {
        Claimed::New(claim) => claim,
        Claimed::Repeated(id) => return required(Entity::find_by_id(ParameterSetId(id)).one(&tx).await?),
    };
    let (number, edition) = match input.number {
        Some(number) => {
            let last = last(&tx, Column::Edition, Some(number)).await?;
            let last = last.ok_or_else(|| Error::refused(Code::NotFound, "input.number"))?;
            (number, last + 1)
        }
        None => (last(&tx, Column::Number, None).await?.unwrap_or(0) + 1, 1),
    };
    let row = ActiveModel {
        id: Set(ParameterSetId(ctx.new_id())),
        number: Set(number),
        edition: Set(edition),
        name: Set(input.name),
        confidence: Set(input.confidence.normalize().to_string()),
        materiality: Set(materiality.normalize().to_string()),
        factor_profile: Set(input.factor_profile),
        valid_from: Set(input.valid_from),
        reason: Set(input.reason),
        state: Set(State::Proposed),
        proposed_by: Set(ctx.caller.subject.clone()),
        proposed_at: Set(ctx.now()),
        decided_by: Set(None),
        decided_at: Set(None),
        decision_reason: Set(None),
        version: Set(1),
    }
    .insert(&tx)
    .await?;
    claim.remember(&tx, ctx, row.id.0).await?;
    let detail = json!({ "number": number, "edition": edition, "state": row.state });
    let subject = subject(&row).left(trail::state(ctx, &row)?);
    trail::record(&tx, ctx, &permit, subject, detail).await?;
    tx.commit().await?;
    Ok(row)
}

fn check(input: &Propose, materiality: Decimal) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    refusals.extend(text("input.name", &input.name, 200));
    refusals.extend(text("input.reason", &input.reason, MAX_REASON));
    let confidence = input.confidence;
    if confidence <= Decimal::ZERO
        || confidence >= Decimal::ONE
        || confidence.normalize().scale() > MAX_PLACES
    {
        refusals.push(Refusal::new(Code::ConfidenceOutOfRange, "input.confidence"));
    }
    if materiality <= Decimal::ZERO
        || materiality > Decimal::ONE
        || materiality.normalize().scale() > MAX_PLACES
    {
        refusals.push(Refusal::new(Code::RateOutOfRange, "input.materiality"));
    }
    refusals
}

/// The largest number, or the largest edition of a set.
async fn last(tx: &DatabaseTransaction, of: Column, number: Option<i32>) -> Result<Option<i32>> {
    let mut select = Entity::find();
    if let Some(number) = number {
        select = select.filter(Column::Number.eq(number));
    }
    Ok(select
        .select_only()
        .column_as(of.max(), "last")
        .into_tuple::<Option<i32>>()
        .one(tx)
        .await?
        .flatten())
}

/// What approves an edition.
#[derive(Clone, Copy, Debug)]
pub struct Approve {
    /// The edition.
    pub id: ParameterSetId,
    /// The version the caller saw.
    pub expected_version: i32,
}

/// Approves an edition that another person proposed.
pub async fn approve(ctx: &Ctx, db: &Db, input: Approve) -> Result<Model> {
    let permit = authorize_write(ctx, db, Action::ParameterSetApprove).await?;
    decide(ctx, db, &permit, input.id, input.expected_version, None).await
}

/// What declines an edition.
#[derive(Clone, Debug)]
pub struct Decline {
    /// The edition.
    pub id: ParameterSetId,
    /// The version the caller saw.
    pub expected_version: i32,
    /// Why, up to 4,000 characters.
    pub reason: String,
}

/// Declines an edition that another person proposed.
pub async fn decline(ctx: &Ctx, db: &Db, input: Decline) -> Result<Model> {
    let permit = authorize_write(ctx, db, Action::ParameterSetApprove).await?;
    if let Some(refusal) = text("input.reason", &input.reason, MAX_REASON) {
        return Err(Error::Refused(vec![refusal]));
    }
    decide(
        ctx,
        db,
        &permit,
        input.id,
        input.expected_version,
        Some(input.reason),
    )
    .await
}

/// Approved where no reason against it is given.
async fn decide(
    ctx: &Ctx,
    db: &Db,
    permit: &Permit,
    id: ParameterSetId,
    expected_version: i32,
    against: Option<String>,
) -> Result<Model> {
    let tx = db.begin_write().await?;
    let row = Entity::visible_to(&ctx.caller.scope(ctx.now()))
        .filter(Column::Id.eq(id))
        .lock_exclusive()
        .one(&tx)
        .await?
        .ok_or_else(|| Error::refused(Code::NotFound, "input.id"))?;
    if row.state != State::Proposed {
        return Err(Error::refused(Code::ParameterSetDecided, "input.id"));
    }
    must_be_version(row.version, expected_version)?;
    FourEyes::ParameterSet.another(ctx, [row.proposed_by.as_str()], "input.id")?;
    let before = trail::state(ctx, &row)?;
    let mut change: ActiveModel = row.into();
    change.state = Set(if against.is_some() {
        State::Declined
    } else {
        State::Approved
    });
    change.decided_by = Set(Some(ctx.caller.subject.clone()));
    change.decided_at = Set(Some(ctx.now()));
    change.decision_reason = Set(against);
    change.version = Set(expected_version + 1);
    let row = change.update(&tx).await?;
    let detail = json!({ "number": row.number, "edition": row.edition, "state": row.state });
    let subject = subject(&row).changed(before, trail::state(ctx, &row)?);
    trail::record(&tx, ctx, permit, subject, detail).await?;
    tx.commit().await?;
    Ok(row)
}

const fn subject(row: &Model) -> Subject {
    Subject::apart("ParameterSet", row.id.0)
}

/// The figures of an edition, with its number as samples keep it.
#[derive(Clone, Debug)]
pub(crate) struct Figures {
    pub(crate) id: ParameterSetId,
    pub(crate) number: i32,
    pub(crate) edition: i32,
    pub(crate) confidence: Decimal,
    pub(crate) materiality: Decimal,
    pub(crate) factor_profile: FactorProfile,
}

/// The figures of an edition that a plan may cite today: approved, begun, and the latest of its set that is.
pub(crate) async fn in_force(ctx: &Ctx, db: &Db, id: ParameterSetId, path: &str) -> Result<Figures> {
    let row = Entity::visible_to(&ctx.caller.scope(ctx.now()))
        .filter(Column::Id.eq(id))
        .one(db.reader())
        .await?
        .ok_or_else(|| Error::refused(Code::NotFound, path))?;
    let today = ctx.now().date_naive();
    if row.state != State::Approved || row.valid_from > today {
        return Err(Error::refused_with(
            Code::ParameterSetNotInForce,
            path,
            name(&row),
        ));
    }
    if let Some(later) = later(db.reader(), &row, today).await? {
        return Err(Error::refused_with(
            Code::ParameterSetOutdated,
            path,
            name(&later),
        ));
    }
    let decimal = |text: &str| {
        text.parse::<Decimal>()
            .map_err(|error| Error::internal(error.to_string()))
    };
    Ok(Figures {
        id: row.id,
        number: row.number,
        edition: row.edition,
        confidence: decimal(&row.confidence)?,
        materiality: decimal(&row.materiality)?,
        factor_profile: row.factor_profile,
    })
}

/// A later edition that holds already.
async fn later(db: &impl ConnectionTrait, row: &Model, today: NaiveDate) -> Result<Option<Model>> {
    Ok(Entity::find()
        .filter(Column::Number.eq(row.number))
        .filter(Column::Edition.gt(row.edition))
        .filter(Column::State.eq(State::Approved))
        .filter(Column::ValidFrom.lte(today))
        .order_by_desc(Column::Edition)
        .one(db)
        .await?)
}

fn name(row: &Model) -> String {
    format!("{}/{}", row.number, row.edition)
}

/// Editions the caller may see, newest first. The count only where asked for.
pub async fn list(ctx: &Ctx, db: &Db, args: &PageArgs, counted: bool) -> Result<(Page<Model>, Option<u64>)> {
    authorize(ctx, Action::ParameterSetRead)?;
    let select = Entity::visible_to(&ctx.caller.scope(ctx.now()));
    let total = if counted {
        Some(select.clone().count(db.reader()).await?)
    } else {
        None
    };
    Ok((
        page::by_id(select, Column::Id, true, args, db.reader()).await?,
        total,
    ))
}

/// Editions by id, those the caller may see.
pub async fn find_many(ctx: &Ctx, db: &Db, ids: &[ParameterSetId]) -> Result<Vec<Model>> {
    authorize(ctx, Action::ParameterSetRead)?;
    Ok(Entity::visible_to(&ctx.caller.scope(ctx.now()))
        .filter(among(db.reader(), Column::Id, ids.iter().copied()))
        .all(db.reader())
        .await?)
}
