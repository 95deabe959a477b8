//! Parameter sets: confidence, materiality and factor profile of samples, in editions.

use async_graphql::{Context, Description, Enum, ID, InputObject, Object, Result, SimpleObject};
use audit::access::Action as May;
use audit::parameter_set as service;
use audit::sample::CitedParameterSet as Cited;
use entity::ParameterSetId;
use entity::parameter_set::{FactorProfile, Model, State};

use super::ContextExt;
use super::disclosure::{Class, disclosure};
use super::error::{Maybe, field, payload};
use super::node::NodeKind;
use super::page::{Window, by_id, connection, counted};
use super::permissions::{Action, permitted};
use super::scalars::{Date, DateTime, Rate};

const ORDER: &str = "parameterSets";

/// The state of an edition.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "State")]
pub(super) enum ParameterSetState {
    /// Proposed; cited by no plan.
    Proposed,
    /// Approved by another person; final.
    Approved,
    /// Declined by another person; final.
    Declined,
}

/// Where the factors of limits and sizes come from.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "FactorProfile", name = "ParameterSetFactorProfile")]
pub(super) enum Profile {
    /// The quantile itself.
    Exact,
    /// The printed tables of the EC guidance (EGESIF 16-0014). A plan that cites it gives its size, found by the guidance's calculators
    /// (`ecStandardSize`, `ecConservativeSize`), and `evaluationBy.ec` evaluates it so.
    EcTables,
}

/// One edition of a parameter set: what samples are planned by. A later edition changes no sample.
#[derive(Clone, Description)]
pub(super) struct ParameterSet(Model);

impl From<Model> for ParameterSet {
    fn from(row: Model) -> Self {
        Self(row)
    }
}

#[Object(use_type_description, directive = disclosure::apply(Class::Audit))]
impl ParameterSet {
    /// Opaque id.
    async fn id(&self) -> ID {
        NodeKind::ParameterSet.id(self.0.id.0)
    }

    /// Number of the set, from 1; all its editions share it.
    async fn number(&self) -> i32 {
        self.0.number
    }

    /// Edition (Fassung) of the set, from 1.
    async fn edition(&self) -> i32 {
        self.0.edition
    }

    /// Name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Confidence (Sicherheit).
    async fn confidence(&self) -> Rate {
        Rate(self.0.confidence.parse().unwrap_or_default())
    }

    /// Materiality (Wesentlichkeit) as a part of what is audited.
    async fn materiality(&self) -> Rate {
        Rate(self.0.materiality.parse().unwrap_or_default())
    }

    /// Where factors come from.
    async fn factor_profile(&self) -> Profile {
        self.0.factor_profile.into()
    }

    /// The first day on which plans may cite it.
    async fn valid_from(&self) -> Date {
        Date(self.0.valid_from)
    }

    /// Why these figures.
    async fn reason(&self) -> &str {
        &self.0.reason
    }

    /// Proposed, approved or declined.
    async fn state(&self) -> ParameterSetState {
        self.0.state.into()
    }

    /// Who proposed it.
    async fn proposed_by(&self) -> &str {
        &self.0.proposed_by
    }

    /// When.
    async fn proposed_at(&self) -> DateTime {
        self.0.proposed_at.into()
    }

    /// Who decided; never who proposed.
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
    async fn permissions(&self, ctx: &Context<'_>) -> Vec<Action> {
        let own = self.0.proposed_by == ctx.caller().subject;
        match self.0.state {
            State::Proposed if !own => permitted(ctx, &[May::ParameterSetRead, May::ParameterSetApprove]),
            _ => permitted(ctx, &[May::ParameterSetRead]),
        }
    }
}

connection!(
    ParameterSetConnection,
    ParameterSetEdge,
    ParameterSet,
    Audit,
    total_count
);

/// The edition that a plan cites, with what it says of materiality.
#[derive(SimpleObject)]
#[graphql(directive = disclosure::apply(Class::Audit))]
pub(super) struct CitedParameterSet {
    /// Opaque id of the edition.
    id: ID,
    /// Number of the set.
    number: i32,
    /// Edition of the set.
    edition: i32,
    /// Its materiality: the tolerable rate for samples of items; the part of the frame, rounded down to the cent, that is the tolerable
    /// error for monetary units.
    materiality: Rate,
    /// Where its factors come from.
    factor_profile: Profile,
}

impl From<Cited> for CitedParameterSet {
    fn from(cited: Cited) -> Self {
        Self {
            id: NodeKind::ParameterSet.id(cited.id.0),
            number: cited.number,
            edition: cited.edition,
            materiality: Rate(cited.materiality),
            factor_profile: cited.factor_profile.into(),
        }
    }
}

/// Finds parameter sets.
#[derive(Default)]
pub(super) struct ParameterSetQuery;

#[Object]
impl ParameterSetQuery {
    /// Editions of all parameter sets, newest first.
    async fn parameter_sets(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Maybe<ParameterSetConnection> {
        let window = Window {
            first,
            after,
            last,
            before,
        };
        Some(list(ctx, &window).await)
    }
}

async fn list(ctx: &Context<'_>, window: &Window) -> Result<ParameterSetConnection> {
    let args = window.args(ctx, ORDER)?;
    let found = service::list(ctx.audit(), ctx.db(), &args, counted(ctx)).await;
    let (page, total) = field(ctx, found)?;
    Ok(ParameterSetConnection::of(ORDER, page, total, |row| {
        by_id(row.id.0)
    }))
}

/// What proposes an edition of a parameter set.
#[derive(InputObject)]
pub(super) struct ProposeParameterSetInput {
    /// Number of the set that gets another edition; a new set where none is given.
    number: Option<i32>,
    /// Name, up to 200 characters.
    name: String,
    /// Confidence, above 0 and below 1.
    confidence: Rate,
    /// Materiality as a part of what is audited, above 0 and up to 1; 0.02 where none is given.
    materiality: Option<Rate>,
    /// Where factors come from.
    #[graphql(default_with = "Profile::Exact")]
    factor_profile: Profile,
    /// The first day on which plans may cite it.
    valid_from: Date,
    /// Why these figures, up to 4,000 characters.
    reason: String,
    /// Repeating the same input under the same key gives the same answer.
    idempotency_key: String,
}

/// What approves an edition.
#[derive(InputObject)]
pub(super) struct ApproveParameterSetInput {
    /// The edition, which another person proposed.
    id: ID,
    /// The version the caller saw.
    expected_version: i32,
}

/// What declines an edition.
#[derive(InputObject)]
pub(super) struct DeclineParameterSetInput {
    /// The edition, which another person proposed.
    id: ID,
    /// The version the caller saw.
    expected_version: i32,
    /// Why, up to 4,000 characters.
    reason: String,
}

payload! {
    /// A proposed edition.
    ProposeParameterSetPayload {
        /// The edition.
        parameter_set: ParameterSet
    }
}

payload! {
    /// An approved edition.
    ApproveParameterSetPayload {
        /// The edition.
        parameter_set: ParameterSet
    }
}

payload! {
    /// A declined edition.
    DeclineParameterSetPayload {
        /// The edition.
        parameter_set: ParameterSet
    }
}

/// Changes parameter sets.
#[derive(Default)]
pub(super) struct ParameterSetMutation;

#[Object]
impl ParameterSetMutation {
    /// Proposes an edition of a parameter set. No plan cites it before another person approves it.
    async fn propose_parameter_set(
        &self,
        ctx: &Context<'_>,
        input: ProposeParameterSetInput,
    ) -> Result<ProposeParameterSetPayload> {
        let propose = service::Propose {
            number: input.number,
            name: input.name,
            confidence: input.confidence.0,
            materiality: input.materiality.map(|rate| rate.0),
            factor_profile: input.factor_profile.into(),
            valid_from: input.valid_from.0,
            reason: input.reason,
        };
        ProposeParameterSetPayload::of(
            ctx,
            service::propose(ctx.audit(), ctx.db(), &input.idempotency_key, propose).await,
        )
    }

    /// Approves an edition: plans may cite it from its first day on.
    async fn approve_parameter_set(
        &self,
        ctx: &Context<'_>,
        input: ApproveParameterSetInput,
    ) -> Result<ApproveParameterSetPayload> {
        let approve = service::Approve {
            id: ParameterSetId(NodeKind::ParameterSet.require(&input.id, "input.id")?),
            expected_version: input.expected_version,
        };
        ApproveParameterSetPayload::of(ctx, service::approve(ctx.audit(), ctx.db(), approve).await)
    }

    /// Declines an edition: no plan will cite it.
    async fn decline_parameter_set(
        &self,
        ctx: &Context<'_>,
        input: DeclineParameterSetInput,
    ) -> Result<DeclineParameterSetPayload> {
        let decline = service::Decline {
            id: ParameterSetId(NodeKind::ParameterSet.require(&input.id, "input.id")?),
            expected_version: input.expected_version,
            reason: input.reason,
        };
        DeclineParameterSetPayload::of(ctx, service::decline(ctx.audit(), ctx.db(), decline).await)
    }
}
