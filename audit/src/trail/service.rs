//! Writing and reading the trail.

use entity::trail_entry::{ActiveModel, Column, Entity, Model, Outcome};
use entity::{EngagementId, TrailEntryId};
use sea_orm::{ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, Set};
use serde_json::Value;
use uuid::Uuid;

use crate::access::{Action, Permit, authorize};
use crate::page::{self, Page, PageArgs};
use crate::{Ctx, Db, Result};

/// What an entry is about.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    /// Kind, as in the API's type names.
    pub kind: &'static str,
    /// Id.
    pub id: Option<Uuid>,
    /// The engagement it belongs to.
    pub engagement: Option<EngagementId>,
}

impl Subject {
    /// A subject of an engagement.
    pub const fn new(kind: &'static str, id: Uuid, engagement: EngagementId) -> Self {
        Self {
            kind,
            id: Some(id),
            engagement: Some(engagement),
        }
    }
}

/// Appends that the permitted action was done. `detail` names what changed and never carries social data.
pub async fn record(
    tx: &DatabaseTransaction,
    ctx: &Ctx,
    permit: &Permit,
    subject: Subject,
    detail: Value,
) -> Result<()> {
    entry(ctx, permit.action(), Outcome::Done, subject, &detail)
        .insert(tx)
        .await?;
    Ok(())
}

/// Appends that an attempt was denied, in a transaction of its own.
pub async fn denied(db: &Db, ctx: &Ctx, action: Action) -> Result<()> {
    let tx = db.begin_write().await?;
    let subject = Subject {
        kind: "Service",
        id: None,
        engagement: None,
    };
    entry(ctx, action, Outcome::Denied, subject, &Value::Null)
        .insert(&tx)
        .await?;
    tx.commit().await?;
    Ok(())
}

fn entry(ctx: &Ctx, action: Action, outcome: Outcome, subject: Subject, detail: &Value) -> ActiveModel {
    ActiveModel {
        id: Set(TrailEntryId(ctx.new_id())),
        at: Set(ctx.now()),
        actor: Set(ctx.caller.subject.clone()),
        membership: Set(ctx
            .caller
            .membership
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default()),
        action: Set(action.as_str().to_owned()),
        outcome: Set(outcome),
        engagement_id: Set(subject.engagement),
        subject_kind: Set(subject.kind.to_owned()),
        subject_id: Set(subject.id),
        request_id: Set(ctx.request_id),
        detail: Set(detail.to_string()),
    }
}

/// What happened in an engagement, oldest first.
pub async fn list(ctx: &Ctx, db: &Db, engagement: EngagementId, args: &PageArgs) -> Result<Page<Model>> {
    authorize(ctx, Action::TrailRead)?;
    let select = Entity::find().filter(Column::EngagementId.eq(engagement));
    Ok(page::by_id(select, Column::Id, false, args, db.reader()).await?)
}
