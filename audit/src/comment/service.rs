//! Making and reading comments.

use entity::comment::{ActiveModel, Column, Entity, Model};
use entity::{CommentId, EngagementId, SampleItemId, engagement, sample_item};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, Set};
use serde::Serialize;
use serde_json::json;

use crate::access::{Action, authorize, authorize_write};
use crate::idempotency::{Claimed, claim};
use crate::page::{self, Page, PageArgs};
use crate::refusal::text;
use crate::trail::{self, Subject};
use crate::{Code, Ctx, Db, Error, Result};

const LONGEST: usize = 4_000;

/// What makes a comment.
#[derive(Clone, Debug, Serialize)]
pub struct Add {
    /// The engagement.
    pub engagement_id: EngagementId,
    /// One of its items, where the comment is about that.
    pub sample_item_id: Option<SampleItemId>,
    /// What is said, up to 4,000 characters.
    pub text: String,
}

/// Comments under the caller's grant; a closed engagement takes comments too.
pub async fn add(ctx: &Ctx, db: &Db, idempotency_key: &str, input: Add) -> Result<Model> {
    let permit = authorize_write(ctx, db, Action::CommentWrite).await?;
    let Some(grant) = ctx.caller.grant.clone() else {
        return Err(Error::Forbidden(Action::CommentWrite));
    };
    if let Some(refusal) = text("input.text", &input.text, LONGEST) {
        return Err(Error::Refused(vec![refusal]));
    }
    let scope = ctx.caller.scope(ctx.now());
    let tx = db.begin_write().await?;
    engagement::Entity::visible_to(&scope)
        .filter(engagement::Column::Id.eq(input.engagement_id))
        .one(&tx)
        .await?
        .ok_or_else(|| Error::refused(Code::NotFound, "input.engagementId"))?;
    let mut own_staff = false;
    if let Some(item) = input.sample_item_id {
        own_staff = sample_item::Entity::visible_to(&scope)
            .filter(sample_item::Column::Id.eq(item))
            .filter(sample_item::Column::EngagementId.eq(input.engagement_id))
            .one(&tx)
            .await?
            .ok_or_else(|| Error::refused(Code::NotFound, "input.sampleItemId"))?
            .own_staff;
    }
    let claim = match claim(&tx, ctx, idempotency_key, "addComment", &input).await? {
        Claimed::New(claim) => claim,
        Claimed::Repeated(id) => {
            return Entity::find_by_id(CommentId(id))
                .one(&tx)
                .await?
                .ok_or_else(|| Error::internal("a comment that is referred to is missing"));
        }
    };
    let row = ActiveModel {
        id: Set(CommentId(ctx.new_id())),
        engagement_id: Set(input.engagement_id),
        sample_item_id: Set(input.sample_item_id),
        grant_id: Set(grant.id),
        author: Set(ctx.caller.subject.clone()),
        author_name: Set(grant.recipient_name.clone()),
        text: Set(input.text),
        at: Set(ctx.now()),
    }
    .insert(&tx)
    .await?;
    claim.remember(&tx, ctx, row.id.0).await?;
    let subject = Subject::new("Comment", row.id.0, row.engagement_id)
        .of_own_staff(own_staff)
        .left(trail::state(ctx, &row)?);
    trail::record(
        &tx,
        ctx,
        &permit,
        subject,
        json!({ "sampleItem": row.sample_item_id }),
    )
    .await?;
    tx.commit().await?;
    Ok(row)
}

/// Comments on an engagement and its items that the caller may see, oldest first.
pub async fn list(ctx: &Ctx, db: &Db, engagement: EngagementId, args: &PageArgs) -> Result<Page<Model>> {
    authorize(ctx, Action::CommentRead)?;
    let select = Entity::visible_to(&ctx.caller.scope(ctx.now())).filter(Column::EngagementId.eq(engagement));
    Ok(page::by_id(select, Column::Id, false, args, db.reader()).await?)
}
