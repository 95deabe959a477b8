//! Known errors: systemic ones that are delimited, and anomalous ones; they are not projected.

use async_graphql::{Context, Description, Enum, ID, InputObject, Object, Result};
use audit::access::Action as May;
use audit::sample as service;
use entity::known_error::{Class as Kind, Model, State};
use entity::{KnownErrorId, SampleId, SampleItemId, known_error_part};

use super::ContextExt;
use super::disclosure::{Class, disclosure};
use super::error::{Maybe, payload};
use super::loaders::{KnownErrorPartsOf, KnownErrorsOf};
use super::node::NodeKind;
use super::permissions::{Action, permitted_in};
use super::replacement;
use super::sample::SampleItem;
use super::scalars::{DateTime, Euro};

/// Why an error is not projected.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "Kind")]
pub(super) enum KnownErrorClass {
    /// It runs through part of the population, and all of it was found out there: added once in full.
    Systemic,
    /// It is shown not to be representative: added as far as it is not corrected.
    Anomalous,
}

/// The state of a known error.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "State")]
pub(super) enum KnownErrorState {
    /// Proposed; until a second person approves, it is projected like any other.
    Proposed,
    /// Approved: it is not projected.
    Approved,
    /// Revoked, or never approved: it is projected like any other; final.
    Revoked,
}

/// An error that is known in a whole stratum of the population, and therefore not projected (EC guidance EGESIF 16-0014-01, appendix
/// 1): `Sample.evaluationBy.ec` adds it. All other figures project it like any other.
#[derive(Description)]
pub(super) struct KnownError(Model);

impl From<Model> for KnownError {
    fn from(row: Model) -> Self {
        Self(row)
    }
}

#[Object(use_type_description, directive = disclosure::apply(Class::Audit))]
impl KnownError {
    /// Opaque id.
    async fn id(&self) -> ID {
        NodeKind::KnownError.id(self.0.id.0)
    }

    /// Systemic or anomalous.
    async fn class(&self) -> KnownErrorClass {
        self.0.class.into()
    }

    /// What caused it.
    async fn cause(&self) -> &str {
        &self.0.cause
    }

    /// How it was delimited, or why it is not representative.
    async fn reason(&self) -> &str {
        &self.0.reason
    }

    /// Its amount in the whole stratum of the population.
    async fn amount(&self) -> Euro {
        self.0.amount_cents.into()
    }

    /// The stratum in which it is known: `Stratum.id`.
    async fn stratum_id(&self) -> ID {
        NodeKind::Stratum.id(self.0.stratum_id.0)
    }

    /// Whether it was corrected before the audit ended. An anomalous error that was is not added; a systemic one is.
    async fn corrected(&self) -> bool {
        self.0.corrected
    }

    /// Proposed, approved or revoked.
    async fn state(&self) -> KnownErrorState {
        self.0.state.into()
    }

    /// The items of the sample in which it was found, with the part of their errors that is known.
    async fn items(&self, ctx: &Context<'_>) -> Maybe<Vec<KnownErrorItem>> {
        let rows = ctx.loaders().one(ctx, KnownErrorPartsOf(self.0.id)).await;
        Some(rows.map(|rows| rows.unwrap_or_default().into_iter().map(KnownErrorItem).collect()))
    }

    /// Who proposed it.
    async fn proposed_by(&self) -> &str {
        &self.0.proposed_by
    }

    /// When.
    async fn proposed_at(&self) -> DateTime {
        self.0.proposed_at.into()
    }

    /// Who approved it; never who proposed it.
    async fn approved_by(&self) -> Option<&str> {
        self.0.approved_by.as_deref()
    }

    /// When.
    async fn approved_at(&self) -> Option<DateTime> {
        self.0.approved_at.map(Into::into)
    }

    /// Who revoked it.
    async fn revoked_by(&self) -> Option<&str> {
        self.0.revoked_by.as_deref()
    }

    /// When.
    async fn revoked_at(&self) -> Option<DateTime> {
        self.0.revoked_at.map(Into::into)
    }

    /// Why it was revoked.
    async fn revocation_reason(&self) -> Option<&str> {
        self.0.revocation_reason.as_deref()
    }

    /// Counts changes; a decision names the version it saw.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// What the caller may do with it now.
    async fn permissions(&self, ctx: &Context<'_>) -> Result<Vec<Action>> {
        let own = self.0.proposed_by == ctx.caller().subject;
        let now: &[May] = match self.0.state {
            State::Proposed if !own => &[May::KnownErrorApprove, May::KnownErrorRevoke],
            State::Proposed | State::Approved => &[May::KnownErrorRevoke],
            State::Revoked => &[],
        };
        permitted_in(ctx, self.0.engagement_id, now).await
    }
}

/// An item in which a known error was found.
#[derive(Description)]
pub(super) struct KnownErrorItem(known_error_part::Model);

#[Object(use_type_description, directive = disclosure::apply(Class::Audit))]
impl KnownErrorItem {
    /// The item.
    async fn item(&self, ctx: &Context<'_>) -> Maybe<SampleItem> {
        replacement::item(ctx, self.0.sample_item_id).await
    }

    /// The part of its error that is known.
    async fn amount(&self) -> Euro {
        self.0.amount_cents.into()
    }
}

/// Known errors of a visible sample.
pub(super) async fn of_sample(ctx: &Context<'_>, id: SampleId) -> Result<Vec<KnownError>> {
    let rows = ctx.loaders().one(ctx, KnownErrorsOf(id)).await?;
    Ok(rows.unwrap_or_default().into_iter().map(KnownError).collect())
}

/// What proposes a known error.
#[derive(InputObject)]
pub(super) struct ProposeKnownErrorInput {
    /// The drawn sample, of items or of monetary units.
    sample_id: ID,
    /// Systemic or anomalous.
    class: KnownErrorClass,
    /// What caused it, up to 200 characters, without personal data.
    cause: String,
    /// How it was delimited, or why it is not representative, up to 4,000 characters, without personal data.
    reason: String,
    /// The amount of a systemic error in the whole stratum of the population, at least what was found in the items; not for an
    /// anomalous one, which has the amount of its items.
    delimited_amount: Option<Euro>,
    /// Whether it was corrected before the audit ended.
    corrected: bool,
    /// The items in which it was found, 1 to 200 of one stratum; an error that runs through several strata is proposed for each.
    items: Vec<KnownErrorItemInput>,
    /// Repeating the same input under the same key gives the same answer.
    idempotency_key: String,
}

/// An item in which a known error was found.
#[derive(InputObject)]
pub(super) struct KnownErrorItemInput {
    /// The item: checked, with an error that lowers its amount.
    sample_item_id: ID,
    /// The part of its error that is known; all of it that is not known yet, where none is given.
    amount: Option<Euro>,
}

/// What approves a known error.
#[derive(InputObject)]
pub(super) struct ApproveKnownErrorInput {
    /// The known error, which another person proposed.
    id: ID,
    /// The version the caller saw.
    expected_version: i32,
}

/// What revokes a known error.
#[derive(InputObject)]
pub(super) struct RevokeKnownErrorInput {
    /// The known error, proposed or approved.
    id: ID,
    /// The version the caller saw.
    expected_version: i32,
    /// Why, up to 4,000 characters.
    reason: String,
}

payload! {
    /// A known error that was proposed.
    ProposeKnownErrorPayload {
        /// The known error.
        known_error: KnownError
    }
}

payload! {
    /// An approved known error.
    ApproveKnownErrorPayload {
        /// The known error.
        known_error: KnownError
    }
}

payload! {
    /// A revoked known error.
    RevokeKnownErrorPayload {
        /// The known error.
        known_error: KnownError
    }
}

/// Classifies errors.
#[derive(Default)]
pub(super) struct KnownErrorMutation;

#[Object]
impl KnownErrorMutation {
    /// Proposes that an error is systemic and delimited, or anomalous. It counts as random until another person approves. Errors in own
    /// staff's items always count as random.
    async fn propose_known_error(
        &self,
        ctx: &Context<'_>,
        input: ProposeKnownErrorInput,
    ) -> Result<ProposeKnownErrorPayload> {
        let mut items = Vec::with_capacity(input.items.len());
        for (place, item) in input.items.iter().enumerate() {
            let path = format!("input.items.{place}.sampleItemId");
            items.push(service::KnownItem {
                sample_item_id: SampleItemId(NodeKind::SampleItem.require(&item.sample_item_id, &path)?),
                amount: item.amount.map(|amount| amount.0),
            });
        }
        let propose = service::ProposeKnownError {
            sample_id: SampleId(NodeKind::Sample.require(&input.sample_id, "input.sampleId")?),
            class: input.class.into(),
            cause: input.cause,
            reason: input.reason,
            delimited: input.delimited_amount.map(|amount| amount.0),
            corrected: input.corrected,
            items,
        };
        ProposeKnownErrorPayload::of(
            ctx,
            service::propose_known_error(ctx.audit(), ctx.db(), &input.idempotency_key, propose).await,
        )
    }

    /// Approves a known error: from here on it is not projected.
    async fn approve_known_error(
        &self,
        ctx: &Context<'_>,
        input: ApproveKnownErrorInput,
    ) -> Result<ApproveKnownErrorPayload> {
        let approve = service::ApproveKnownError {
            id: KnownErrorId(NodeKind::KnownError.require(&input.id, "input.id")?),
            expected_version: input.expected_version,
        };
        ApproveKnownErrorPayload::of(
            ctx,
            service::approve_known_error(ctx.audit(), ctx.db(), approve).await,
        )
    }

    /// Revokes a known error, proposed or approved: it is projected again.
    async fn revoke_known_error(
        &self,
        ctx: &Context<'_>,
        input: RevokeKnownErrorInput,
    ) -> Result<RevokeKnownErrorPayload> {
        let revoke = service::RevokeKnownError {
            id: KnownErrorId(NodeKind::KnownError.require(&input.id, "input.id")?),
            expected_version: input.expected_version,
            reason: input.reason,
        };
        RevokeKnownErrorPayload::of(
            ctx,
            service::revoke_known_error(ctx.audit(), ctx.db(), revoke).await,
        )
    }
}
