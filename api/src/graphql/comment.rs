//! Comments of people from outside.

use async_graphql::{Context, Description, ID, InputObject, Object, Result};
use audit::comment as service;
use entity::comment::Model;
use entity::{EngagementId, SampleItemId};

use super::ContextExt;
use super::disclosure::{Class, disclosure};
use super::error::{Maybe, field, payload};
use super::loaders::SampleItemsKey;
use super::node::NodeKind;
use super::page::{Window, by_id, connection};
use super::sample::SampleItem;
use super::scalars::DateTime;

const ORDER: &str = "comments";

/// A comment of somebody from outside, on an engagement or one of its items; never changed.
#[derive(Clone, Description)]
pub(super) struct Comment(Model);

impl From<Model> for Comment {
    fn from(row: Model) -> Self {
        Self(row)
    }
}

#[Object(use_type_description, directive = disclosure::apply(Class::Audit))]
impl Comment {
    /// Opaque id.
    async fn id(&self) -> ID {
        NodeKind::Comment.id(self.0.id.0)
    }

    /// The item it is about; null where it is about the engagement.
    async fn sample_item(&self, ctx: &Context<'_>) -> Maybe<SampleItem> {
        ctx.loaders()
            .one(ctx, SampleItemsKey(self.0.sample_item_id?))
            .await
            .map(|row| row.map(SampleItem::from))
            .transpose()
    }

    /// Id of the grant under which it was made.
    async fn grant_id(&self) -> ID {
        NodeKind::Grant.id(self.0.grant_id.0)
    }

    /// Who made it, by the subject of the token.
    async fn author(&self) -> &str {
        &self.0.author
    }

    /// Who made it, by name.
    async fn author_name(&self) -> &str {
        &self.0.author_name
    }

    /// What is said.
    async fn text(&self) -> &str {
        &self.0.text
    }

    /// When.
    async fn at(&self) -> DateTime {
        self.0.at.into()
    }
}

connection!(CommentConnection, CommentEdge, Comment, Audit);

/// Comments on an engagement and its items that the caller may see.
pub(super) async fn of_engagement(
    ctx: &Context<'_>,
    engagement: EngagementId,
    window: &Window,
) -> Result<CommentConnection> {
    let args = window.args(ctx, ORDER)?;
    let page = field(ctx, service::list(ctx.audit(), ctx.db(), engagement, &args).await)?;
    Ok(CommentConnection::of(ORDER, page, |row| by_id(row.id.0)))
}

/// What makes a comment.
#[derive(InputObject)]
pub(super) struct AddCommentInput {
    /// The engagement; a closed one too.
    engagement_id: ID,
    /// One of its items, where the comment is about that.
    sample_item_id: Option<ID>,
    /// What is said, up to 4,000 characters.
    text: String,
    /// Repeating the same input under the same key gives the same answer instead of a second comment.
    idempotency_key: String,
}

payload! {
    /// A comment that was made.
    AddCommentPayload {
        /// The comment.
        comment: Comment
    }
}

/// Makes comments.
#[derive(Default)]
pub(super) struct CommentMutation;

#[Object]
impl CommentMutation {
    /// Comments under a grant.
    async fn add_comment(&self, ctx: &Context<'_>, input: AddCommentInput) -> Result<AddCommentPayload> {
        let item = input.sample_item_id.as_ref();
        let add = service::Add {
            engagement_id: EngagementId(
                NodeKind::Engagement.require(&input.engagement_id, "input.engagementId")?,
            ),
            sample_item_id: item
                .map(|id| NodeKind::SampleItem.require(id, "input.sampleItemId"))
                .transpose()?
                .map(SampleItemId),
            text: input.text,
        };
        AddCommentPayload::of(
            ctx,
            service::add(ctx.audit(), ctx.db(), &input.idempotency_key, add).await,
        )
    }
}
