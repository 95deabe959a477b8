//! Engagements.

use async_graphql::{Context, Description, Enum, ID, InputObject, Object, Result};
use audit::access::{Action as May, needs_open};
use audit::engagement as service;
use entity::EngagementId;
use entity::engagement::{Model, State};

use super::ContextExt;
use super::admit::{NESTED_PAGE, costs};
use super::comment::{self, CommentConnection};
use super::disclosure::{Class, disclosure};
use super::error::{Maybe, field, payload};
use super::legal_hold::{self, LegalHold};
use super::node::NodeKind;
use super::page::{Window, by_id, connection, counted};
use super::permissions::{Action, permitted};
use super::population::{Population, of_engagement};
use super::sample::{self, DrawEvent, SampleConnection};
use super::scalars::{Date, DateTime};
use super::trail::{self, TrailConnection};

const ORDER: &str = "engagements";

/// For whom an engagement is done.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "entity::engagement::Function")]
pub(super) enum EngagementFunction {
    /// The internal audit of the Kreis (Innenrevision, § 6b (4) SGB II).
    Innenrevision,
    /// Supervision of the casework by superiors (Fachaufsicht).
    Fachaufsicht,
    /// Control of payments and books (Finanzkontrolle).
    Finanzkontrolle,
    /// Municipal audit office (örtliche Rechnungsprüfung).
    Rechnungspruefung,
}

/// The state of an engagement.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "State")]
pub(super) enum EngagementState {
    /// Work goes on.
    Open,
    /// Nothing changes any more.
    Closed,
}

/// An engagement (Prüfung): populations, samples and checks hang on it.
#[derive(Clone, Description)]
pub(super) struct Engagement(pub(super) Model);

impl From<Model> for Engagement {
    fn from(row: Model) -> Self {
        Self(row)
    }
}

#[Object(use_type_description, directive = disclosure::apply(Class::Internal))]
impl Engagement {
    /// Opaque id.
    pub(super) async fn id(&self) -> ID {
        NodeKind::Engagement.id(self.0.id.0)
    }

    /// The number people use: `P-2026-014`.
    async fn number(&self) -> &str {
        &self.0.number
    }

    /// Title.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// For whom it is done.
    async fn function(&self) -> EngagementFunction {
        self.0.function.into()
    }

    /// What is to be found out.
    async fn objective(&self) -> &str {
        &self.0.objective
    }

    /// The norm it stands on.
    async fn legal_basis(&self) -> &str {
        &self.0.legal_basis
    }

    /// First day of the audited period.
    async fn period_from(&self) -> Date {
        self.0.period_from.into()
    }

    /// Last day of the audited period.
    async fn period_to(&self) -> Date {
        self.0.period_to.into()
    }

    /// Open or closed.
    async fn state(&self) -> EngagementState {
        self.0.state.into()
    }

    /// Who opened it.
    async fn opened_by(&self) -> &str {
        &self.0.opened_by
    }

    /// When it was opened.
    async fn opened_at(&self) -> DateTime {
        self.0.opened_at.into()
    }

    /// Who closed it.
    async fn closed_by(&self) -> Option<&str> {
        self.0.closed_by.as_deref()
    }

    /// When it was closed.
    async fn closed_at(&self) -> Option<DateTime> {
        self.0.closed_at.map(Into::into)
    }

    /// What was said at closing about work left undone.
    #[graphql(directive = disclosure::apply(Class::Audit))]
    async fn closing_note(&self) -> Option<&str> {
        self.0.closing_note.as_deref()
    }

    /// Counts changes; an update names the version it saw.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// Why it is restricted, as for an inquiry into fraud: no Bezirksstelle is told which bodies from outside read its items in
    /// it. Null where it is not.
    #[graphql(directive = disclosure::apply(Class::Audit))]
    async fn restriction(&self) -> Option<&str> {
        self.0.restriction.as_deref()
    }

    /// What the caller may do with it now.
    async fn permissions(&self, ctx: &Context<'_>) -> Vec<Action> {
        let all = [
            May::EngagementRead,
            May::TrailRead,
            May::EngagementClose,
            May::EngagementRestrict,
            May::PopulationCreate,
            May::SamplePlan,
            May::SampleRecord,
            May::SampleChoose,
            May::CommentRead,
            May::CommentWrite,
            May::LegalHoldPlace,
        ];
        let open = self.0.state == State::Open;
        let now: Vec<_> = all
            .into_iter()
            .filter(|action| open || !needs_open(*action))
            .collect();
        permitted(ctx, &now)
    }

    /// Its populations, oldest first.
    #[graphql(directive = disclosure::apply(Class::Audit))]
    async fn populations(&self, ctx: &Context<'_>) -> Maybe<Vec<Population>> {
        Some(of_engagement(ctx, self.0.id).await)
    }

    /// Its legal holds, lifted ones too, oldest first: while one stands, nothing that hangs on the engagement is deleted for
    /// its age.
    #[graphql(directive = disclosure::apply(Class::Audit))]
    async fn legal_holds(&self, ctx: &Context<'_>) -> Maybe<Vec<LegalHold>> {
        Some(legal_hold::of_engagement(ctx, self.0.id).await)
    }

    /// Its samples that the caller may see, oldest first.
    #[graphql(directive = costs::apply(NESTED_PAGE))]
    async fn samples(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Maybe<SampleConnection> {
        Some(
            sample::of_engagement(
                ctx,
                self.0.id,
                &Window {
                    first,
                    after,
                    last,
                    before,
                },
            )
            .await,
        )
    }

    /// Every freeze, draw, abort and record in it, numbered.
    #[graphql(directive = disclosure::apply(Class::Audit))]
    async fn draw_events(&self, ctx: &Context<'_>) -> Maybe<Vec<DrawEvent>> {
        Some(sample::events(ctx, self.0.id).await)
    }

    /// Comments of people from outside on it and its items, oldest first; under a grant those made under it.
    #[graphql(directive = disclosure::apply(Class::Audit), directive = costs::apply(NESTED_PAGE))]
    async fn comments(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Maybe<CommentConnection> {
        let window = Window {
            first,
            after,
            last,
            before,
        };
        Some(comment::of_engagement(ctx, self.0.id, &window).await)
    }

    /// Who did what in it, oldest first.
    #[graphql(directive = disclosure::apply(Class::Audit), directive = costs::apply(NESTED_PAGE))]
    async fn trail(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Maybe<TrailConnection> {
        Some(
            trail::of(
                ctx,
                self.0.id,
                &Window {
                    first,
                    after,
                    last,
                    before,
                },
            )
            .await,
        )
    }
}

connection!(
    EngagementConnection,
    EngagementEdge,
    Engagement,
    Internal,
    total_count
);

/// Finds engagements.
#[derive(Default)]
pub(super) struct EngagementQuery;

#[Object]
impl EngagementQuery {
    /// An engagement; null where it does not exist or is not visible to the caller.
    async fn engagement(&self, ctx: &Context<'_>, id: ID) -> Maybe<Engagement> {
        let id = match NodeKind::Engagement.require(&id, "id") {
            Ok(id) => EngagementId(id),
            Err(error) => return Some(Err(error)),
        };
        field(ctx, service::find(ctx.audit(), ctx.db(), id).await)
            .map(|row| row.map(Engagement))
            .transpose()
    }

    /// Engagements the caller may see, newest first.
    async fn engagements(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those in this state.")] state: Option<EngagementState>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Maybe<EngagementConnection> {
        let window = Window {
            first,
            after,
            last,
            before,
        };
        Some(list(ctx, state, &window).await)
    }
}

async fn list(
    ctx: &Context<'_>,
    state: Option<EngagementState>,
    window: &Window,
) -> Result<EngagementConnection> {
    let args = window.args(ctx, ORDER)?;
    let state = state.map(State::from);
    let (page, total) = field(
        ctx,
        service::list(ctx.audit(), ctx.db(), state, &args, counted(ctx)).await,
    )?;
    Ok(EngagementConnection::of(ORDER, page, total, |row| {
        by_id(row.id.0)
    }))
}

/// What opens an engagement.
#[derive(InputObject)]
pub(super) struct OpenEngagementInput {
    /// Title, up to 200 characters.
    title: String,
    /// For whom it is done.
    function: EngagementFunction,
    /// What is to be found out, up to 4,000 characters.
    objective: String,
    /// The norm it stands on, up to 500 characters.
    legal_basis: String,
    /// First day of the audited period.
    period_from: Date,
    /// Last day of the audited period.
    period_to: Date,
    /// Repeating the same input under the same key gives the same answer instead of a second engagement.
    idempotency_key: String,
}

/// What closes an engagement.
#[derive(InputObject)]
pub(super) struct CloseEngagementInput {
    /// The engagement.
    id: ID,
    /// The version the caller saw.
    expected_version: i32,
    /// Needed where work is left undone: why.
    note: Option<String>,
}

/// What restricts an engagement.
#[derive(InputObject)]
pub(super) struct RestrictEngagementInput {
    /// The engagement, open or closed.
    id: ID,
    /// Why, up to 4,000 characters.
    reason: String,
}

/// What lifts the restriction of an engagement.
#[derive(InputObject)]
pub(super) struct LiftEngagementRestrictionInput {
    /// The engagement, open or closed.
    id: ID,
    /// Why, up to 4,000 characters.
    reason: String,
}

payload! {
    /// An opened engagement.
    OpenEngagementPayload {
        /// The engagement.
        engagement: Engagement
    }
}

payload! {
    /// A closed engagement.
    CloseEngagementPayload {
        /// The engagement.
        engagement: Engagement
    }
}

payload! {
    /// An engagement that is restricted now.
    RestrictEngagementPayload {
        /// The engagement.
        engagement: Engagement
    }
}

payload! {
    /// An engagement that is restricted no more.
    LiftEngagementRestrictionPayload {
        /// The engagement.
        engagement: Engagement
    }
}

/// Changes engagements.
#[derive(Default)]
pub(super) struct EngagementMutation;

#[Object]
impl EngagementMutation {
    /// Opens an engagement under the next number of the year.
    async fn open_engagement(
        &self,
        ctx: &Context<'_>,
        input: OpenEngagementInput,
    ) -> Result<OpenEngagementPayload> {
        let open = service::Open {
            title: input.title,
            function: input.function.into(),
            objective: input.objective,
            legal_basis: input.legal_basis,
            period_from: input.period_from.0,
            period_to: input.period_to.0,
        };
        OpenEngagementPayload::of(
            ctx,
            service::open(ctx.audit(), ctx.db(), &input.idempotency_key, open).await,
        )
    }

    /// Closes an engagement for good.
    async fn close_engagement(
        &self,
        ctx: &Context<'_>,
        input: CloseEngagementInput,
    ) -> Result<CloseEngagementPayload> {
        let close = service::Close {
            id: EngagementId(NodeKind::Engagement.require(&input.id, "input.id")?),
            expected_version: input.expected_version,
            note: input.note,
        };
        CloseEngagementPayload::of(ctx, service::close(ctx.audit(), ctx.db(), close).await)
    }
    /// Restricts an engagement: no Bezirksstelle is told any more which bodies from outside read its items in it (§ 96 (4) BHO,
    /// inquiries into fraud). Its version stays, since a Bezirksstelle sees that.
    async fn restrict_engagement(
        &self,
        ctx: &Context<'_>,
        input: RestrictEngagementInput,
    ) -> Result<RestrictEngagementPayload> {
        let restrict = service::Restrict {
            id: EngagementId(NodeKind::Engagement.require(&input.id, "input.id")?),
            reason: input.reason,
        };
        RestrictEngagementPayload::of(ctx, service::restrict(ctx.audit(), ctx.db(), restrict).await)
    }

    /// Lifts the restriction of an engagement: each Bezirksstelle is told again, of what was read meanwhile too.
    async fn lift_engagement_restriction(
        &self,
        ctx: &Context<'_>,
        input: LiftEngagementRestrictionInput,
    ) -> Result<LiftEngagementRestrictionPayload> {
        let lift = service::Restrict {
            id: EngagementId(NodeKind::Engagement.require(&input.id, "input.id")?),
            reason: input.reason,
        };
        let lifted = service::lift_restriction(ctx.audit(), ctx.db(), lift).await;
        LiftEngagementRestrictionPayload::of(ctx, lifted)
    }
}
