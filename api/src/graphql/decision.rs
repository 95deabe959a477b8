//! Decisions: what became of papers.

use async_graphql::{Context, Description, Enum, ID, InputObject, Object, Result};
use audit::access::Action as May;
use audit::decision as service;
use entity::BodyId;
use entity::decision::{DecidedBy, Model, Outcome};

use super::ContextExt;
use super::body::{Body, BodyRules, kept_rules};
use super::disclosure::{Class, disclosure};
use super::error::{Maybe, field};
use super::node::NodeKind;
use super::page::{Window, by_id, connection, counted};
use super::paper::Paper;
use super::paper_edition::digest;
use super::permissions::{Action, permitted};
use super::scalars::{DateTime, Sha256};

const ORDER: &str = "decisions";

/// What was decided.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "Outcome")]
pub(super) enum DecisionOutcome {
    /// The motion holds.
    Adopted,
    /// The motion does not hold.
    Rejected,
    /// Advice was given, and nothing decided.
    Advised,
    /// Nothing was decided.
    None,
}

/// Who decided.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "DecidedBy", name = "DecidedBy")]
pub(super) enum Decider {
    /// All who voted, of one mind.
    Consensus,
    /// The majority, in a body of two equal benches.
    Majority,
    /// The chair.
    Chair,
    /// The head of the Jobcenter (Leitung).
    Leitung,
    /// The Kreis.
    Kreis,
    /// Nobody.
    None,
}

/// What one call of a paper led to (Beschluss); never changed, but for the session at which another body is told.
#[derive(Clone, Description)]
pub(super) struct Decision(pub(super) Model);

impl From<Model> for Decision {
    fn from(row: Model) -> Self {
        Self(row)
    }
}

#[Object(use_type_description, directive = disclosure::apply(Class::Internal))]
impl Decision {
    /// Opaque id.
    pub(super) async fn id(&self) -> ID {
        NodeKind::Decision.id(self.0.id.0)
    }

    /// The paper.
    async fn paper(&self, ctx: &Context<'_>) -> Maybe<Paper> {
        let row = ctx.loaders().one(ctx, self.0.paper_id).await;
        row.map(|row| row.map(Paper)).transpose()
    }

    /// The body of the paper.
    async fn body(&self, ctx: &Context<'_>) -> Maybe<Body> {
        body(ctx, self.0.body_id).await
    }

    /// Number of the edition that was voted on.
    async fn edition(&self) -> i32 {
        self.0.edition
    }

    /// The call.
    async fn round(&self) -> i32 {
        self.0.round
    }

    /// Digest of that edition.
    async fn content_hash(&self) -> Sha256 {
        digest(&self.0.content_hash)
    }

    /// The rules that held.
    async fn rules(&self, ctx: &Context<'_>) -> Result<BodyRules> {
        kept_rules(ctx, &self.0.rules)
    }

    /// What was decided.
    async fn outcome(&self) -> DecisionOutcome {
        self.0.outcome.into()
    }

    /// Who decided.
    async fn decided_by(&self) -> Decider {
        self.0.decided_by.into()
    }

    /// Whether the members were not of one mind.
    async fn dissent(&self) -> bool {
        self.0.dissent
    }

    /// Seats that voted yes.
    async fn yes(&self) -> i32 {
        self.0.yes
    }

    /// Seats that voted no.
    async fn no(&self) -> i32 {
        self.0.no
    }

    /// Seats that abstained.
    async fn abstained(&self) -> i32 {
        self.0.abstained
    }

    /// Seats that did not vote, vacant ones too.
    async fn silent(&self) -> i32 {
        self.0.silent
    }

    /// Why, where one person decided.
    async fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }

    /// Why somebody stood in for who decides.
    async fn stand_in_reason(&self) -> Option<&str> {
        self.0.stand_in_reason.as_deref()
    }

    /// Who recorded it; where one person decided, that person.
    async fn recorded_by(&self) -> &str {
        &self.0.recorded_by
    }

    /// When.
    async fn at(&self) -> DateTime {
        self.0.at.into()
    }

    /// Digest of the decision with the votes that counted: what is signed. `audit/src/decision/content.rs` says how it is made.
    async fn decision_hash(&self) -> Sha256 {
        digest(&self.0.decision_hash)
    }

    /// The body that is told at its next session.
    async fn tells(&self, ctx: &Context<'_>) -> Maybe<Body> {
        body(ctx, self.0.tells_body_id?).await
    }

    /// The session at which it is told; null until that is called.
    async fn told_at_session(&self) -> Option<DateTime> {
        self.0.told_at_session.map(Into::into)
    }

    /// What the caller may do with it now.
    async fn permissions(&self, ctx: &Context<'_>) -> Vec<Action> {
        permitted(ctx, &[May::PaperRead])
    }
}

async fn body(ctx: &Context<'_>, id: BodyId) -> Maybe<Body> {
    let row = ctx.loaders().one(ctx, id).await;
    row.map(|row| row.map(Body)).transpose()
}

connection!(DecisionConnection, DecisionEdge, Decision, Internal, total_count);

/// Which decisions are listed; what is not given does not restrict.
#[derive(Default, InputObject)]
pub(super) struct DecisionFilter {
    /// Of this body.
    #[graphql(directive = disclosure::apply(Class::Internal))]
    body: Option<ID>,
    /// With this outcome.
    #[graphql(directive = disclosure::apply(Class::Internal))]
    outcome: Option<DecisionOutcome>,
    /// That this body has to be told, or was.
    #[graphql(directive = disclosure::apply(Class::Internal))]
    tells: Option<ID>,
}

/// Finds decisions.
#[derive(Default)]
pub(super) struct DecisionQuery;

#[Object]
impl DecisionQuery {
    /// Decisions on the papers that the caller sees, newest first.
    async fn decisions(
        &self,
        ctx: &Context<'_>,
        filter: Option<DecisionFilter>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Maybe<DecisionConnection> {
        let window = Window {
            first,
            after,
            last,
            before,
        };
        Some(list(ctx, filter.unwrap_or_default(), &window).await)
    }
}

async fn list(ctx: &Context<'_>, filter: DecisionFilter, window: &Window) -> Result<DecisionConnection> {
    let args = window.args(ctx, ORDER)?;
    let id = |id: Option<ID>, path| {
        id.map(|id| NodeKind::Body.require(&id, path).map(BodyId))
            .transpose()
    };
    let filter = service::DecisionFilter {
        body: id(filter.body, "filter.body")?,
        outcome: filter.outcome.map(Into::into),
        tells: id(filter.tells, "filter.tells")?,
    };
    let found = service::decisions(ctx.audit(), ctx.db(), &filter, &args, counted(ctx)).await;
    let (page, total) = field(ctx, found)?;
    Ok(DecisionConnection::of(ORDER, page, total, |row| by_id(row.id.0)))
}
