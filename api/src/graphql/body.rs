//! Bodies that decide on papers, and who sits in them.

use async_graphql::{Context, Description, Enum, ID, InputObject, Object, Result, SimpleObject};
use audit::access::Action as May;
use audit::decision as service;
use audit::decision::body::{Rules, SeatKind as Kind};
use entity::body::{Abstention, Model, OnDissent, Quorum};
use entity::{BodyId, SeatId, seat};

use super::ContextExt;
use super::disclosure::{Class, disclosure};
use super::error::{Maybe, field, payload};
use super::loaders::SeatsOf;
use super::node::NodeKind;
use super::paper::PaperMatter;
use super::permissions::{Action, permitted};
use super::scalars::DateTime;

/// What happens where a body is not of one mind. Dissent is the lack of unanimity.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "OnDissent", name = "OnDissent")]
pub(super) enum DissentRule {
    /// The chair decides.
    ChairDecides,
    /// The head of the Jobcenter (Leitung) decides, and another body is told at its next session.
    LeitungDecides,
    /// The Kreis decides, except in what is reserved.
    KreisDecides,
    /// Nobody decides: the body gives advice.
    AdviceOnly,
    /// The majority decides in a body of two equal benches; a tie is no decision.
    Parity,
}

/// What an abstention is.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "Abstention", name = "Abstention")]
pub(super) enum AbstentionRule {
    /// Neither assent nor dissent.
    Neither,
    /// A lack of unanimity.
    Dissent,
}

/// How many seats have to take part, abstentions included. In a body of two benches it holds for each of them.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "Quorum", name = "Quorum")]
pub(super) enum QuorumRule {
    /// One.
    One,
    /// More than half of them, vacant ones counted.
    MoreThanHalf,
    /// All that the body has.
    All,
}

/// How a body decides. What its source leaves open is the operator's setting.
#[derive(SimpleObject)]
#[graphql(directive = disclosure::apply(Class::Internal))]
pub(super) struct BodyRules {
    /// What happens where it is not of one mind.
    on_dissent: DissentRule,
    /// What an abstention is.
    abstention: AbstentionRule,
    /// How many seats have to take part.
    quorum: QuorumRule,
    /// Days between the call and the session; fewer only where everybody who sits in the body waives them.
    calling_days: i32,
    /// Whether a member votes on a paper of his or her own.
    author_votes: bool,
    /// Whether the chair's vote settles a tie of a parity body.
    casting_vote: bool,
}

impl From<Rules> for BodyRules {
    fn from(rules: Rules) -> Self {
        Self {
            on_dissent: rules.on_dissent.into(),
            abstention: rules.abstention.into(),
            quorum: rules.quorum.into(),
            calling_days: rules.calling_days,
            author_votes: rules.author_votes,
            casting_vote: rules.casting_vote,
        }
    }
}

/// The rules that a row keeps.
pub(super) fn kept_rules(ctx: &Context<'_>, kept: &str) -> Result<BodyRules> {
    field(ctx, service::kept_rules(kept)).map(Into::into)
}

/// A kind of seat in a body.
#[derive(SimpleObject)]
#[graphql(directive = disclosure::apply(Class::Internal))]
pub(super) struct SeatKind {
    /// Name, as `seatMember` takes it: `LANDRAT`.
    key: &'static str,
    /// Whose seat it is, in German.
    name: &'static str,
    /// Seats of this kind that the body has in any case: vacant ones count for the quorum.
    least: i32,
    /// Most seats of this kind.
    most: i32,
    /// Who names the member, in German.
    named_by: &'static str,
}

impl From<&Kind> for SeatKind {
    fn from(kind: &Kind) -> Self {
        Self {
            key: kind.key,
            name: kind.name,
            least: kind.least,
            most: kind.most,
            named_by: kind.named_by,
        }
    }
}

/// A body that decides on papers, or gives advice (Gremium): Vorstand, Steuerungsgruppe, Leitungsgruppe, Arbeitsmarktbeirat,
/// Kooperationsausschuss. Which there are follows from the preset of the Jobcenter.
#[derive(Clone, Description)]
pub(super) struct Body(pub(super) Model);

impl From<Model> for Body {
    fn from(row: Model) -> Self {
        Self(row)
    }
}

#[Object(use_type_description, directive = disclosure::apply(Class::Internal))]
impl Body {
    /// Opaque id.
    pub(super) async fn id(&self) -> ID {
        NodeKind::Body.id(self.0.id.0)
    }

    /// Name in the preset: `VORSTAND`.
    async fn key(&self) -> &str {
        &self.0.key
    }

    /// What it is called.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// How it decides now. A paper keeps the rules of its call.
    async fn rules(&self, ctx: &Context<'_>) -> Result<BodyRules> {
        kept_rules(ctx, &self.0.rules)
    }

    /// Where that is written, in German.
    async fn source(&self, ctx: &Context<'_>) -> Result<&'static str> {
        Ok(field(ctx, service::described(&self.0))?.source)
    }

    /// What it decides, or advises on.
    async fn competences(&self, ctx: &Context<'_>) -> Result<Vec<PaperMatter>> {
        let body = field(ctx, service::described(&self.0))?;
        Ok(body.competences.iter().copied().map(Into::into).collect())
    }

    /// Of these, what nobody decides over a dissent.
    async fn reserved_matters(&self, ctx: &Context<'_>) -> Result<Vec<PaperMatter>> {
        let body = field(ctx, service::described(&self.0))?;
        Ok(body.reserved.iter().copied().map(Into::into).collect())
    }

    /// The seats it has, by kind.
    async fn seat_kinds(&self, ctx: &Context<'_>) -> Result<Vec<SeatKind>> {
        let body = field(ctx, service::described(&self.0))?;
        Ok(body.kinds.iter().map(Into::into).collect())
    }

    /// Who sits in it and who sat there, by kind, place and time.
    async fn seats(&self, ctx: &Context<'_>) -> Result<Vec<Seat>> {
        let rows = ctx.loaders().one(ctx, SeatsOf(self.0.id)).await?;
        Ok(rows.unwrap_or_default().into_iter().map(Seat).collect())
    }

    /// Counts changes of its rules.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// What the caller may do with it now.
    async fn permissions(&self, ctx: &Context<'_>) -> Vec<Action> {
        permitted(ctx, &[May::PaperRead, May::PaperSubmit, May::SeatFill])
    }
}

/// Somebody's time in a seat of a body. One seat has one vote.
#[derive(Clone, Description)]
pub(super) struct Seat(seat::Model);

impl From<seat::Model> for Seat {
    fn from(row: seat::Model) -> Self {
        Self(row)
    }
}

#[Object(use_type_description, directive = disclosure::apply(Class::Internal))]
impl Seat {
    /// Opaque id.
    async fn id(&self) -> ID {
        NodeKind::Seat.id(self.0.id.0)
    }

    /// Which kind of seat: `LANDRAT`.
    async fn kind(&self) -> &str {
        &self.0.kind
    }

    /// Which of the seats of its kind, from 1.
    async fn place(&self) -> i32 {
        self.0.place
    }

    /// The member, by the subject of the token.
    async fn holder(&self) -> &str {
        &self.0.holder
    }

    /// The deputy (Stellvertretung), who votes where the member does not.
    async fn deputy(&self) -> Option<&str> {
        self.0.deputy.as_deref()
    }

    /// Who named them.
    async fn named_by(&self) -> &str {
        &self.0.named_by
    }

    /// Since when.
    async fn seated_from(&self) -> DateTime {
        self.0.seated_from.into()
    }

    /// Until when; null while it lasts.
    async fn seated_until(&self) -> Option<DateTime> {
        self.0.seated_until.map(Into::into)
    }

    /// Who recorded it.
    async fn recorded_by(&self) -> &str {
        &self.0.recorded_by
    }

    /// Who recorded the end.
    async fn released_by(&self) -> Option<&str> {
        self.0.released_by.as_deref()
    }

    /// Why it ended.
    async fn release_reason(&self) -> Option<&str> {
        self.0.release_reason.as_deref()
    }

    /// Counts changes; a release names the version it saw.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// What the caller may do with it now.
    async fn permissions(&self, ctx: &Context<'_>) -> Vec<Action> {
        let now: &[May] = if self.0.seated_until.is_some() {
            &[May::PaperRead]
        } else {
            &[May::PaperRead, May::SeatFill]
        };
        permitted(ctx, now)
    }
}

/// Finds bodies.
#[derive(Default)]
pub(super) struct BodyQuery;

#[Object]
impl BodyQuery {
    /// The bodies of the Jobcenter: a handful.
    async fn bodies(&self, ctx: &Context<'_>) -> Maybe<Vec<Body>> {
        let found = service::bodies(ctx.audit(), ctx.db()).await;
        Some(field(ctx, found).map(|rows| rows.into_iter().map(Body).collect()))
    }
}

/// What records that somebody sits in a body.
#[derive(InputObject)]
pub(super) struct SeatMemberInput {
    /// The body.
    body_id: ID,
    /// Which kind of seat, as `seatKinds` names it.
    kind: String,
    /// Which of the seats of its kind, from 1.
    #[graphql(default = 1)]
    place: i32,
    /// The member, by the subject of the token.
    holder: String,
    /// The deputy, who votes where the member does not.
    deputy: Option<String>,
    /// Who named them, up to 200 characters.
    named_by: String,
    /// Since when; from now on where it is not given.
    seated_from: Option<DateTime>,
    /// Repeating the same input under the same key gives the same answer.
    idempotency_key: String,
}

/// What records that somebody no longer sits in a body.
#[derive(InputObject)]
pub(super) struct ReleaseSeatInput {
    /// Who sits there, and in which seat.
    id: ID,
    /// The version the caller saw.
    expected_version: i32,
    /// Why, up to 4,000 characters.
    reason: String,
}

payload! {
    /// A seat that was taken.
    SeatMemberPayload {
        /// The seat.
        seat: Seat
    }
}

payload! {
    /// A seat that was released.
    ReleaseSeatPayload {
        /// The seat.
        seat: Seat
    }
}

/// Changes who sits in bodies.
#[derive(Default)]
pub(super) struct BodyMutation;

#[Object]
impl BodyMutation {
    /// Records that somebody sits in a body. A seat is taken by one member at a time, and nobody has two seats of a body.
    async fn seat_member(&self, ctx: &Context<'_>, input: SeatMemberInput) -> Result<SeatMemberPayload> {
        let seat = service::SeatMember {
            body_id: BodyId(NodeKind::Body.require(&input.body_id, "input.bodyId")?),
            kind: input.kind,
            place: input.place,
            holder: input.holder,
            deputy: input.deputy,
            named_by: input.named_by,
            seated_from: input.seated_from.map(|at| at.0),
        };
        SeatMemberPayload::of(
            ctx,
            service::seat_member(ctx.audit(), ctx.db(), &input.idempotency_key, seat).await,
        )
    }

    /// Records that somebody no longer sits in a body, from now on. Votes cast before stay votes for the seat.
    async fn release_seat(&self, ctx: &Context<'_>, input: ReleaseSeatInput) -> Result<ReleaseSeatPayload> {
        let release = service::ReleaseSeat {
            id: SeatId(NodeKind::Seat.require(&input.id, "input.id")?),
            expected_version: input.expected_version,
            reason: input.reason,
        };
        ReleaseSeatPayload::of(ctx, service::release_seat(ctx.audit(), ctx.db(), release).await)
    }
}
