//! Placing, lifting and finding legal holds.

use entity::legal_hold::{ActiveModel, Column, Entity, Model};
use entity::{EngagementId, LegalHoldId};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, ConnectionTrait, EntityTrait as _, PaginatorTrait as _,
    QueryFilter as _, QueryOrder as _, Set,
};
use serde::Serialize;
use serde_json::json;

use crate::access::{Action, FourEyes, authorize, authorize_write};
use crate::db::among;
use crate::engagement;
use crate::error::required;
use crate::idempotency::{Claimed, claim};
use crate::trail::{self, Subject};
use crate::{Code, Ctx, Db, Error, Result, refusal};

/// Longest reason.
const MAX_REASON: usize = 4_000;

/// What places a hold.
#[derive(Clone, Debug, Serialize)]
pub struct Place {
    /// What is held.
    pub engagement_id: EngagementId,
    /// Why, up to 4,000 characters.
    pub reason: String,
}

/// Stops the deletion of what hangs on an engagement, open or closed.
pub async fn place(ctx: &Ctx, db: &Db, idempotency_key: &str, input: Place) -> Result<Model> {
    let permit = authorize_write(ctx, db, Action::LegalHoldPlace).await?;
    if let Some(refusal) = refusal::text("input.reason", &input.reason, MAX_REASON) {
        return Err(Error::Refused(vec![refusal]));
    }
    let tx = db.begin_write().await?;
    let engagement = engagement::lock(&tx, ctx, input.engagement_id, "input.engagementId").await?;
    let claim = match claim(&tx, ctx, idempotency_key, "placeLegalHold", &input).await? {
        Claimed::New(claim) => claim,
        Claimed::Repeated(id) => return required(Entity::find_by_id(LegalHoldId(id)).one(&tx).await?),
    };
    let row = ActiveModel {
        id: Set(LegalHoldId(ctx.new_id())),
        engagement_id: Set(engagement.id),
        reason: Set(input.reason),
        placed_by: Set(ctx.caller.subject.clone()),
        placed_at: Set(ctx.now()),
        lift_reason: Set(None),
        lifted_by: Set(None),
        lifted_at: Set(None),
    }
    .insert(&tx)
    .await?;
    claim.remember(&tx, ctx, row.id.0).await?;
    let subject = Subject::new("LegalHold", row.id.0, engagement.id).left(trail::state(ctx, &row)?);
    trail::record(&tx, ctx, &permit, subject, json!({ "state": "PLACED" })).await?;
    tx.commit().await?;
    Ok(row)
}

/// What lifts a hold.
#[derive(Clone, Debug)]
pub struct Lift {
    /// The hold.
    pub id: LegalHoldId,
    /// Why, up to 4,000 characters.
    pub reason: String,
}

/// Lets deletion go on, unless another hold stands; never by who placed it.
pub async fn lift(ctx: &Ctx, db: &Db, input: Lift) -> Result<Model> {
    let permit = authorize_write(ctx, db, Action::LegalHoldLift).await?;
    if let Some(refusal) = refusal::text("input.reason", &input.reason, MAX_REASON) {
        return Err(Error::Refused(vec![refusal]));
    }
    let tx = db.begin_write().await?;
    let missing = || Error::refused(Code::NotFound, "input.id");
    let find = || Entity::visible_to(&ctx.caller.scope(ctx.now())).filter(Column::Id.eq(input.id));
    let row = find().one(&tx).await?.ok_or_else(missing)?;
    engagement::lock(&tx, ctx, row.engagement_id, "input.id").await?;
    // Read again: whoever held the lock before may have lifted it meanwhile.
    let row = find().one(&tx).await?.ok_or_else(missing)?;
    if row.lifted_at.is_some() {
        return Err(Error::refused(Code::LegalHoldLifted, "input.id"));
    }
    FourEyes::LegalHold.another(ctx, [row.placed_by.as_str()], "input.id")?;
    let before = trail::state(ctx, &row)?;
    let mut change: ActiveModel = row.into();
    change.lift_reason = Set(Some(input.reason));
    change.lifted_by = Set(Some(ctx.caller.subject.clone()));
    change.lifted_at = Set(Some(ctx.now()));
    let row = change.update(&tx).await?;
    let subject =
        Subject::new("LegalHold", row.id.0, row.engagement_id).changed(before, trail::state(ctx, &row)?);
    trail::record(&tx, ctx, &permit, subject, json!({ "state": "LIFTED" })).await?;
    tx.commit().await?;
    Ok(row)
}

/// Holds of these engagements that the caller may see, oldest first.
pub async fn of_engagements(ctx: &Ctx, db: &Db, ids: &[EngagementId]) -> Result<Vec<Model>> {
    authorize(ctx, Action::EngagementRead)?;
    Ok(Entity::visible_to(&ctx.caller.scope(ctx.now()))
        .filter(among(db.reader(), Column::EngagementId, ids.iter().copied()))
        .order_by_asc(Column::Id)
        .all(db.reader())
        .await?)
}

/// Whether a hold stands on the engagement. Certain as long as the engagement is locked.
pub(crate) async fn stands(db: &impl ConnectionTrait, engagement: EngagementId) -> Result<bool> {
    let standing = Entity::find()
        .filter(Column::EngagementId.eq(engagement))
        .filter(Column::LiftedAt.is_null());
    Ok(standing.count(db).await? > 0)
}
