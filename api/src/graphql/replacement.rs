//! Replacements: a drawn item that cannot be checked gives its place to the next ticket.

use async_graphql::{Context, Description, Enum, ID, InputObject, Object, Result};
use audit::access::Action as May;
use audit::sample as service;
use entity::replacement::{Cause, Model, State};
use entity::{ReplacementId, SampleId, SampleItemId};

use super::disclosure::{Class, disclosure};
use super::error::{Maybe, payload};
use super::loaders::{ReplacementsOf, SampleItemsKey};
use super::node::NodeKind;
use super::permissions::{Action, permitted_in};
use super::sample::SampleItem;
use super::scalars::DateTime;
use super::{ContextExt, finish};

/// The state of a replacement.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "State")]
pub(super) enum ReplacementState {
    /// Asked for; until a second person approves, the item counts as not evidenced.
    Requested,
    /// Approved: the next ticket took the place; final.
    Approved,
    /// Declined: the item counts as not evidenced unless it is checked; final.
    Declined,
}

/// Why an item cannot be checked.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "Cause")]
pub(super) enum ReplacementCause {
    /// The file no longer exists.
    FileDestroyed,
    /// The item does not belong to the population.
    WrongPopulation,
    /// Something else, which the reason says.
    Other,
}

/// The replacement of a drawn item that cannot be checked, in a sample by tickets. The replaced item stays in the sample as REPLACED.
#[derive(Description)]
pub(super) struct Replacement(Model);

impl From<Model> for Replacement {
    fn from(row: Model) -> Self {
        Self(row)
    }
}

#[Object(use_type_description, directive = disclosure::apply(Class::Audit))]
impl Replacement {
    /// Opaque id.
    async fn id(&self) -> ID {
        NodeKind::Replacement.id(self.0.id.0)
    }

    /// The item that cannot be checked.
    async fn item(&self, ctx: &Context<'_>) -> Maybe<SampleItem> {
        item(ctx, self.0.sample_item_id).await
    }

    /// The item that took its place; null until approved.
    async fn by(&self, ctx: &Context<'_>) -> Maybe<SampleItem> {
        item(ctx, self.0.by_item_id?).await
    }

    /// Asked for, approved or declined.
    async fn state(&self) -> ReplacementState {
        self.0.state.into()
    }

    /// Why the item cannot be checked.
    async fn cause(&self) -> ReplacementCause {
        self.0.cause.into()
    }

    /// The same in words.
    async fn reason(&self) -> &str {
        &self.0.reason
    }

    /// Who asked for it.
    async fn requested_by(&self) -> &str {
        &self.0.requested_by
    }

    /// When.
    async fn requested_at(&self) -> DateTime {
        self.0.requested_at.into()
    }

    /// Who decided; never who asked.
    async fn decided_by(&self) -> Option<&str> {
        self.0.decided_by.as_deref()
    }

    /// When.
    async fn decided_at(&self) -> Option<DateTime> {
        self.0.decided_at.map(Into::into)
    }

    /// Why it was declined.
    async fn decision_reason(&self) -> Option<&str> {
        self.0.decision_reason.as_deref()
    }

    /// Counts changes; a decision names the version it saw.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// What the caller may do with it now.
    async fn permissions(&self, ctx: &Context<'_>) -> Result<Vec<Action>> {
        let own = self.0.requested_by == ctx.caller().subject;
        let now: &[May] = if own || self.0.state != State::Requested {
            &[]
        } else {
            &[May::ReplacementApprove]
        };
        permitted_in(ctx, self.0.engagement_id, now).await
    }
}

/// A drawn item, if it is visible.
pub(super) async fn item(ctx: &Context<'_>, id: SampleItemId) -> Maybe<SampleItem> {
    ctx.loaders()
        .one(ctx, SampleItemsKey(id))
        .await
        .map(|row| row.map(SampleItem::from))
        .transpose()
}

/// Replacements in a visible sample.
pub(super) async fn of_sample(ctx: &Context<'_>, id: SampleId) -> Result<Vec<Replacement>> {
    let rows = ctx.loaders().one(ctx, ReplacementsOf(id)).await?;
    Ok(rows.unwrap_or_default().into_iter().map(Replacement).collect())
}

/// What asks for a replacement.
#[derive(InputObject)]
pub(super) struct RequestReplacementInput {
    /// The drawn item, which nobody checked yet.
    sample_item_id: ID,
    /// The version of it that the caller saw.
    expected_version: i32,
    /// Why it cannot be checked.
    cause: ReplacementCause,
    /// The same in words, up to 4,000 characters, without personal data.
    reason: String,
    /// Repeating the same input under the same key gives the same answer.
    idempotency_key: String,
}

/// What approves a replacement.
#[derive(InputObject)]
pub(super) struct ApproveReplacementInput {
    /// The replacement, which another person asked for.
    id: ID,
    /// The version the caller saw.
    expected_version: i32,
}

/// What declines a replacement.
#[derive(InputObject)]
pub(super) struct DeclineReplacementInput {
    /// The replacement, which another person asked for.
    id: ID,
    /// The version the caller saw.
    expected_version: i32,
    /// Why, up to 4,000 characters.
    reason: String,
}

payload! {
    /// A replacement that was asked for.
    RequestReplacementPayload {
        /// The replacement.
        replacement: Replacement
    }
}

payload! {
    /// An approved replacement.
    ApproveReplacementPayload {
        /// The replacement.
        replacement: Replacement
    }
}

payload! {
    /// A declined replacement.
    DeclineReplacementPayload {
        /// The replacement.
        replacement: Replacement
    }
}

/// Replaces items.
#[derive(Default)]
pub(super) struct ReplacementMutation;

#[Object]
impl ReplacementMutation {
    /// Asks for a drawn item that cannot be checked to be replaced. It counts as not evidenced, with its full amount, until another
    /// person approves.
    async fn request_replacement(
        &self,
        ctx: &Context<'_>,
        input: RequestReplacementInput,
    ) -> Result<RequestReplacementPayload> {
        let request = service::RequestReplacement {
            sample_item_id: SampleItemId(
                NodeKind::SampleItem.require(&input.sample_item_id, "input.sampleItemId")?,
            ),
            expected_version: input.expected_version,
            cause: input.cause.into(),
            reason: input.reason,
        };
        RequestReplacementPayload::of(
            ctx,
            service::request_replacement(ctx.audit(), ctx.db(), &input.idempotency_key, request).await,
        )
    }

    /// Approves a replacement: the next ticket of the stratum takes the place. It counts among the numbered draws.
    async fn approve_replacement(
        &self,
        ctx: &Context<'_>,
        input: ApproveReplacementInput,
    ) -> Result<ApproveReplacementPayload> {
        let approve = service::ApproveReplacement {
            id: ReplacementId(NodeKind::Replacement.require(&input.id, "input.id")?),
            expected_version: input.expected_version,
        };
        let (audit, db) = (ctx.audit().clone(), ctx.db().clone());
        ApproveReplacementPayload::of(
            ctx,
            finish(async move { service::approve_replacement(&audit, &db, approve).await }).await,
        )
    }

    /// Declines a replacement: the item keeps its place, and counts as not evidenced unless it is checked.
    async fn decline_replacement(
        &self,
        ctx: &Context<'_>,
        input: DeclineReplacementInput,
    ) -> Result<DeclineReplacementPayload> {
        let decline = service::DeclineReplacement {
            id: ReplacementId(NodeKind::Replacement.require(&input.id, "input.id")?),
            expected_version: input.expected_version,
            reason: input.reason,
        };
        DeclineReplacementPayload::of(
            ctx,
            service::decline_replacement(ctx.audit(), ctx.db(), decline).await,
        )
    }
}
