//! Legal holds.

use async_graphql::{Context, Description, ID, InputObject, Object, Result};
use audit::access::Action as May;
use audit::legal_hold as service;
use entity::legal_hold::Model;
use entity::{EngagementId, LegalHoldId};

use super::ContextExt;
use super::disclosure::{Class, disclosure};
use super::error::payload;
use super::loaders::LegalHoldsOf;
use super::node::NodeKind;
use super::permissions::{Action, permitted};
use super::scalars::DateTime;

/// A legal hold (Löschsperre): while it stands, nothing that hangs on its engagement is deleted for its age.
#[derive(Description)]
pub(super) struct LegalHold(Model);

impl From<Model> for LegalHold {
    fn from(row: Model) -> Self {
        Self(row)
    }
}

#[Object(use_type_description, directive = disclosure::apply(Class::Audit))]
impl LegalHold {
    /// Opaque id.
    async fn id(&self) -> ID {
        NodeKind::LegalHold.id(self.0.id.0)
    }

    /// Why it was placed.
    async fn reason(&self) -> &str {
        &self.0.reason
    }

    /// Who placed it.
    async fn placed_by(&self) -> &str {
        &self.0.placed_by
    }

    /// Since when it stands.
    async fn placed_at(&self) -> DateTime {
        self.0.placed_at.into()
    }

    /// Why it was lifted; null while it stands.
    async fn lift_reason(&self) -> Option<&str> {
        self.0.lift_reason.as_deref()
    }

    /// Who lifted it; never who placed it.
    async fn lifted_by(&self) -> Option<&str> {
        self.0.lifted_by.as_deref()
    }

    /// When it was lifted.
    async fn lifted_at(&self) -> Option<DateTime> {
        self.0.lifted_at.map(Into::into)
    }

    /// What the caller may do with it now.
    async fn permissions(&self, ctx: &Context<'_>) -> Vec<Action> {
        let own = self.0.placed_by == ctx.caller().subject;
        if self.0.lifted_at.is_some() || own {
            Vec::new()
        } else {
            permitted(ctx, &[May::LegalHoldLift])
        }
    }
}

/// The holds of a visible engagement.
pub(super) async fn of_engagement(ctx: &Context<'_>, id: EngagementId) -> Result<Vec<LegalHold>> {
    let rows = ctx.loaders().one(ctx, LegalHoldsOf(id)).await?;
    Ok(rows.unwrap_or_default().into_iter().map(LegalHold).collect())
}

/// What places a legal hold.
#[derive(InputObject)]
pub(super) struct PlaceLegalHoldInput {
    /// The engagement, open or closed.
    engagement_id: ID,
    /// Why, up to 4,000 characters.
    reason: String,
    /// Repeating the same input under the same key gives the same answer instead of a second hold.
    idempotency_key: String,
}

/// What lifts a legal hold. A hold is lifted once and changes in no other way: there is no version to name.
#[derive(InputObject)]
pub(super) struct LiftLegalHoldInput {
    /// The hold.
    id: ID,
    /// Why, up to 4,000 characters.
    reason: String,
}

payload! {
    /// A placed legal hold.
    PlaceLegalHoldPayload {
        /// The hold.
        legal_hold: LegalHold
    }
}

payload! {
    /// A lifted legal hold.
    LiftLegalHoldPayload {
        /// The hold.
        legal_hold: LegalHold
    }
}

/// Changes legal holds.
#[derive(Default)]
pub(super) struct LegalHoldMutation;

#[Object]
impl LegalHoldMutation {
    /// Stops the deletion of what hangs on an engagement.
    async fn place_legal_hold(
        &self,
        ctx: &Context<'_>,
        input: PlaceLegalHoldInput,
    ) -> Result<PlaceLegalHoldPayload> {
        let place = service::Place {
            engagement_id: EngagementId(
                NodeKind::Engagement.require(&input.engagement_id, "input.engagementId")?,
            ),
            reason: input.reason,
        };
        let placed = service::place(ctx.audit(), ctx.db(), &input.idempotency_key, place).await;
        PlaceLegalHoldPayload::of(ctx, placed)
    }

    /// Lets deletion go on, unless another hold stands. Who placed the hold cannot lift it.
    async fn lift_legal_hold(
        &self,
        ctx: &Context<'_>,
        input: LiftLegalHoldInput,
    ) -> Result<LiftLegalHoldPayload> {
        let lift = service::Lift {
            id: LegalHoldId(NodeKind::LegalHold.require(&input.id, "input.id")?),
            reason: input.reason,
        };
        LiftLegalHoldPayload::of(ctx, service::lift(ctx.audit(), ctx.db(), lift).await)
    }
}
