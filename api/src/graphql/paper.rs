//! Papers: what a body is asked to decide.

use async_graphql::{Context, Description, Enum, ID, InputObject, Object, Result};
use audit::decision as service;
use entity::paper::{Matter, Model, State};
use entity::{BodyId, PaperId};

use super::ContextExt;
use super::body::{Body, BodyRules, kept_rules};
use super::decision::Decision;
use super::disclosure::{Class, disclosure};
use super::error::{Maybe, field, payload};
use super::loaders::{DecisionsOf, EditionsOf, MinutesOf, SeatsOf, SignaturesOf, VotesOf};
use super::minutes::{Minutes, Signature};
use super::node::NodeKind;
use super::page::{Window, by_id, connection, counted};
use super::paper_edition::{PaperContentInput, PaperEdition, digest};
use super::permissions::Action;
use super::scalars::{DateTime, Sha256};
use super::vote::Vote;

const ORDER: &str = "papers";

/// The state of a paper.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "State")]
pub(super) enum PaperState {
    /// Handed in, and called to no session yet.
    Submitted,
    /// Called to a session: from its beginning on the members vote.
    Called,
    /// The members are not of one mind; somebody decides.
    Dissent,
    /// Decided; final.
    Decided,
    /// Advice was given; final.
    Advised,
    /// No decision came about. It may be called or revised again.
    Undecided,
    /// Withdrawn by who wrote it; final.
    Withdrawn,
}

/// What a paper is about.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "Matter")]
pub(super) enum PaperMatter {
    /// A matter of principle (Grundsatzangelegenheit).
    Principle,
    /// Current matters of operative steering (laufende Angelegenheiten).
    Operations,
    /// Budgets and their use.
    Budget,
    /// Benchmarking of the Bezirksstellen.
    Benchmarking,
    /// Targets and their agreement (Zielvereinbarung).
    Targets,
    /// The labour market programme (Arbeitsmarkt- und Integrationsprogramm).
    Programme,
    /// The internal audit: its plan, its parameters, findings in dispute, risks accepted.
    Audit,
    /// Staff.
    Personnel,
    /// Organisation of offices.
    Organisation,
}

/// A paper (Vorlage): what a body is asked to decide. A change makes another edition, on which nobody voted yet. It holds no social data.
#[derive(Clone, Description)]
pub(super) struct Paper(pub(super) Model);

impl From<Model> for Paper {
    fn from(row: Model) -> Self {
        Self(row)
    }
}

impl Paper {
    async fn editions_of(&self, ctx: &Context<'_>) -> Result<Vec<PaperEdition>> {
        let rows = ctx.loaders().one(ctx, EditionsOf(self.0.id)).await?;
        Ok(rows.unwrap_or_default().into_iter().map(PaperEdition).collect())
    }
}

#[Object(use_type_description, directive = disclosure::apply(Class::Internal))]
impl Paper {
    /// Opaque id.
    pub(super) async fn id(&self) -> ID {
        NodeKind::Paper.id(self.0.id.0)
    }

    /// The number people see, counted by body and year: `VS-2026-003`.
    async fn number(&self) -> &str {
        &self.0.number
    }

    /// The body that is asked.
    async fn body(&self, ctx: &Context<'_>) -> Maybe<Body> {
        let row = ctx.loaders().one(ctx, self.0.body_id).await;
        row.map(|row| row.map(Body)).transpose()
    }

    /// What it is about.
    async fn matter(&self) -> PaperMatter {
        self.0.matter.into()
    }

    /// Who wrote it.
    async fn author(&self) -> &str {
        &self.0.author
    }

    /// When it was handed in first.
    async fn submitted_at(&self) -> DateTime {
        self.0.submitted_at.into()
    }

    /// How far it came.
    async fn state(&self) -> PaperState {
        self.0.state.into()
    }

    /// Its newest edition: what is voted on.
    async fn edition(&self, ctx: &Context<'_>) -> Maybe<PaperEdition> {
        let editions = self.editions_of(ctx).await;
        editions.map(|mut editions| editions.pop()).transpose()
    }

    /// All its editions, oldest first.
    async fn editions(&self, ctx: &Context<'_>) -> Result<Vec<PaperEdition>> {
        self.editions_of(ctx).await
    }

    /// Digest of the newest edition: a vote names it.
    async fn content_hash(&self) -> Sha256 {
        digest(&self.0.content_hash)
    }

    /// How often it was called. Votes are of one call.
    async fn round(&self) -> i32 {
        self.0.round
    }

    /// Beginning of the session it is called to, from which on the members vote.
    async fn session_at(&self) -> Option<DateTime> {
        self.0.session_at.map(Into::into)
    }

    /// End of the voting.
    async fn votes_until(&self) -> Option<DateTime> {
        self.0.votes_until.map(Into::into)
    }

    /// Whether it was called at shorter notice than the calling period: then it holds only where everybody who sits in the body votes and
    /// waives the period.
    async fn short_notice(&self) -> bool {
        self.0.short_notice
    }

    /// The rules of the body when it was called.
    async fn rules(&self, ctx: &Context<'_>) -> Maybe<BodyRules> {
        Some(kept_rules(ctx, self.0.rules.as_deref()?))
    }

    /// Votes of all calls, by call and seat. They are by name.
    async fn votes(&self, ctx: &Context<'_>) -> Result<Vec<Vote>> {
        let rows = ctx.loaders().one(ctx, VotesOf(self.0.id)).await?;
        Ok(rows.unwrap_or_default().into_iter().map(Into::into).collect())
    }

    /// What its calls led to.
    async fn decisions(&self, ctx: &Context<'_>) -> Result<Vec<Decision>> {
        let rows = ctx.loaders().one(ctx, DecisionsOf(self.0.id)).await?;
        Ok(rows.unwrap_or_default().into_iter().map(Into::into).collect())
    }

    /// Minutes, oldest edition first.
    async fn minutes(&self, ctx: &Context<'_>) -> Result<Vec<Minutes>> {
        let rows = ctx.loaders().one(ctx, MinutesOf(self.0.id)).await?;
        Ok(rows.unwrap_or_default().into_iter().map(Into::into).collect())
    }

    /// Signatures under its decisions and minutes.
    async fn signatures(&self, ctx: &Context<'_>) -> Result<Vec<Signature>> {
        let rows = ctx.loaders().one(ctx, SignaturesOf(self.0.id)).await?;
        Ok(rows.unwrap_or_default().into_iter().map(Into::into).collect())
    }

    /// Why it was withdrawn.
    async fn withdrawal_reason(&self) -> Option<&str> {
        self.0.withdrawal_reason.as_deref()
    }

    /// Counts changes; votes are none. A change and a vote name the version they saw.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// What the caller may do with it now, with the seat he or she has.
    async fn permissions(&self, ctx: &Context<'_>) -> Result<Vec<Action>> {
        let loaders = ctx.loaders();
        let Some(body) = loaders.one(ctx, self.0.body_id).await? else {
            return Ok(Vec::new());
        };
        let seats = loaders.one(ctx, SeatsOf(self.0.body_id)).await?;
        let votes = loaders.one(ctx, VotesOf(self.0.id)).await?;
        let (seats, votes) = (seats.unwrap_or_default(), votes.unwrap_or_default());
        let open = field(ctx, service::open_to(ctx.audit(), &self.0, &body, &seats, &votes))?;
        Ok(open.into_iter().map(Into::into).collect())
    }
}

connection!(PaperConnection, PaperEdge, Paper, Internal, total_count);

/// Which papers are listed; what is not given does not restrict.
#[derive(Default, InputObject)]
pub(super) struct PaperFilter {
    /// Of this body.
    #[graphql(directive = disclosure::apply(Class::Internal))]
    body: Option<ID>,
    /// In one of these states.
    #[graphql(directive = disclosure::apply(Class::Internal))]
    states: Option<Vec<PaperState>>,
    /// About this.
    #[graphql(directive = disclosure::apply(Class::Internal))]
    matter: Option<PaperMatter>,
}

/// Finds papers.
#[derive(Default)]
pub(super) struct PaperQuery;

#[Object]
impl PaperQuery {
    /// Papers, newest first: of bodies in which the caller has a seat, and the caller's own. The office of the bodies sees all, the
    /// audit function those with a decision that cite an engagement or a parameter set.
    async fn papers(
        &self,
        ctx: &Context<'_>,
        filter: Option<PaperFilter>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Maybe<PaperConnection> {
        let window = Window {
            first,
            after,
            last,
            before,
        };
        Some(list(ctx, filter.unwrap_or_default(), &window).await)
    }
}

async fn list(ctx: &Context<'_>, filter: PaperFilter, window: &Window) -> Result<PaperConnection> {
    let args = window.args(ctx, ORDER)?;
    let body = filter
        .body
        .map(|id| NodeKind::Body.require(&id, "filter.body"))
        .transpose()?;
    let filter = service::PaperFilter {
        body: body.map(BodyId),
        states: filter
            .states
            .map(|states| states.into_iter().map(Into::into).collect()),
        matter: filter.matter.map(Into::into),
    };
    let found = service::papers(ctx.audit(), ctx.db(), &filter, &args, counted(ctx)).await;
    let (page, total) = field(ctx, found)?;
    Ok(PaperConnection::of(ORDER, page, total, |row| by_id(row.id.0)))
}

/// What hands a paper in.
#[derive(InputObject)]
pub(super) struct SubmitPaperInput {
    /// The body that is asked.
    body_id: ID,
    /// What it is about.
    matter: PaperMatter,
    /// What it says.
    content: PaperContentInput,
    /// Repeating the same input under the same key gives the same answer.
    idempotency_key: String,
}

/// What revises a paper.
#[derive(InputObject)]
pub(super) struct RevisePaperInput {
    /// The paper, which the caller wrote.
    id: ID,
    /// The version the caller saw.
    expected_version: i32,
    /// All of what it says from then on.
    content: PaperContentInput,
}

/// What withdraws a paper.
#[derive(InputObject)]
pub(super) struct WithdrawPaperInput {
    /// The paper, which the caller wrote.
    id: ID,
    /// The version the caller saw.
    expected_version: i32,
    /// Why, up to 4,000 characters.
    reason: String,
}

payload! {
    /// A paper that was handed in.
    SubmitPaperPayload {
        /// The paper.
        paper: Paper
    }
}

payload! {
    /// A revised paper.
    RevisePaperPayload {
        /// The paper.
        paper: Paper
    }
}

payload! {
    /// A withdrawn paper.
    WithdrawPaperPayload {
        /// The paper.
        paper: Paper
    }
}

/// Changes papers.
#[derive(Default)]
pub(super) struct PaperMutation;

#[Object]
impl PaperMutation {
    /// Hands a paper in. The members vote on it once it is called to a session.
    async fn submit_paper(&self, ctx: &Context<'_>, input: SubmitPaperInput) -> Result<SubmitPaperPayload> {
        let submit = service::SubmitPaper {
            body_id: BodyId(NodeKind::Body.require(&input.body_id, "input.bodyId")?),
            matter: input.matter.into(),
            content: input.content.content()?,
        };
        SubmitPaperPayload::of(
            ctx,
            service::submit_paper(ctx.audit(), ctx.db(), &input.idempotency_key, submit).await,
        )
    }

    /// Revises a paper: another edition, on which nobody voted yet, and which has to be called anew.
    async fn revise_paper(&self, ctx: &Context<'_>, input: RevisePaperInput) -> Result<RevisePaperPayload> {
        let revise = service::RevisePaper {
            id: PaperId(NodeKind::Paper.require(&input.id, "input.id")?),
            expected_version: input.expected_version,
            content: input.content.content()?,
        };
        RevisePaperPayload::of(ctx, service::revise_paper(ctx.audit(), ctx.db(), revise).await)
    }

    /// Withdraws a paper for good.
    async fn withdraw_paper(
        &self,
        ctx: &Context<'_>,
        input: WithdrawPaperInput,
    ) -> Result<WithdrawPaperPayload> {
        let withdraw = service::WithdrawPaper {
            id: PaperId(NodeKind::Paper.require(&input.id, "input.id")?),
            expected_version: input.expected_version,
            reason: input.reason,
        };
        WithdrawPaperPayload::of(
            ctx,
            service::withdraw_paper(ctx.audit(), ctx.db(), withdraw).await,
        )
    }
}
