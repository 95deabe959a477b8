//! Sessions: a paper is called, its members vote, and somebody decides where they are not of one mind.

use async_graphql::{Context, Description, Enum, ID, InputObject, Object, Result};
use audit::decision as service;
use entity::PaperId;
use entity::vote::{Capacity, Choice, Model};

use super::ContextExt;
use super::disclosure::{Class, disclosure};
use super::error::{Maybe, payload};
use super::node::NodeKind;
use super::paper::Paper;
use super::paper_edition::digest;
use super::scalars::{DateTime, Sha256};

/// How somebody votes.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "Choice")]
pub(super) enum VoteChoice {
    /// For the motion.
    Yes,
    /// Against it.
    No,
    /// Neither (Enthaltung).
    Abstain,
}

/// As what somebody votes.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "Capacity")]
pub(super) enum VoteCapacity {
    /// As the member.
    Member,
    /// As the deputy (Stellvertretung): counts where the member does not vote.
    Deputy,
}

/// A vote on one edition of a paper, in one call; never changed.
#[derive(Description)]
pub(super) struct Vote(Model);

impl From<Model> for Vote {
    fn from(row: Model) -> Self {
        Self(row)
    }
}

#[Object(use_type_description, directive = disclosure::apply(Class::Internal))]
impl Vote {
    /// The paper.
    async fn paper(&self, ctx: &Context<'_>) -> Maybe<Paper> {
        let row = ctx.loaders().one(ctx, self.0.paper_id).await;
        row.map(|row| row.map(Paper)).transpose()
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

    /// Kind of the seat: `LANDRAT`.
    async fn seat_kind(&self) -> &str {
        &self.0.seat_kind
    }

    /// Which of the seats of its kind.
    async fn seat_place(&self) -> i32 {
        self.0.seat_place
    }

    /// As member or deputy.
    async fn capacity(&self) -> VoteCapacity {
        self.0.capacity.into()
    }

    /// Who voted, by the subject of the token.
    async fn voter(&self) -> &str {
        &self.0.voter
    }

    /// Yes, no, or neither.
    async fn choice(&self) -> VoteChoice {
        self.0.choice.into()
    }

    /// The dissenting opinion (Sondervotum), or a remark.
    async fn opinion(&self) -> Option<&str> {
        self.0.opinion.as_deref()
    }

    /// Whether the voter waived the calling period.
    async fn waives_calling_period(&self) -> bool {
        self.0.waives_calling_period
    }

    /// When.
    async fn at(&self) -> DateTime {
        self.0.at.into()
    }
}

/// What calls a paper to a session.
#[derive(InputObject)]
pub(super) struct CallPaperInput {
    /// The paper.
    id: ID,
    /// The version the caller saw.
    expected_version: i32,
    /// Beginning of the session, from which on the members vote.
    session_at: DateTime,
    /// End of the voting; a day after the beginning of the session where it is not given.
    votes_until: Option<DateTime>,
}

/// A vote.
#[derive(InputObject)]
pub(super) struct CastVoteInput {
    /// The paper.
    paper_id: ID,
    /// The version the caller saw.
    expected_version: i32,
    /// Digest of the edition that the caller read and votes on.
    content_hash: Sha256,
    /// Yes, no, or neither.
    choice: VoteChoice,
    /// The dissenting opinion (Sondervotum), or a remark, up to 20,000 characters.
    opinion: Option<String>,
    /// Whether the caller waives the calling period, where the paper was called at shorter notice.
    #[graphql(default)]
    waives_calling_period: bool,
    /// Repeating the same input under the same key gives the same answer.
    idempotency_key: String,
}

/// What ends the voting on a paper.
#[derive(InputObject)]
pub(super) struct CloseVoteInput {
    /// The paper.
    id: ID,
    /// The version the caller saw.
    expected_version: i32,
}

/// What decides over a dissent.
#[derive(InputObject)]
pub(super) struct DecideOnDissentInput {
    /// The paper.
    id: ID,
    /// The version the caller saw.
    expected_version: i32,
    /// Whether the motion holds.
    adopted: bool,
    /// Why, up to 20,000 characters.
    reason: String,
    /// Why the caller stands in for who decides, up to 4,000 characters; needed from whoever does.
    stand_in_reason: Option<String>,
}

payload! {
    /// A paper that was called.
    CallPaperPayload {
        /// The paper.
        paper: Paper
    }
}

payload! {
    /// A vote that was cast.
    CastVotePayload {
        /// The vote.
        vote: Vote
    }
}

payload! {
    /// A paper whose voting has ended.
    CloseVotePayload {
        /// The paper.
        paper: Paper
    }
}

payload! {
    /// A paper that was decided over a dissent.
    DecideOnDissentPayload {
        /// The paper.
        paper: Paper
    }
}

/// What happens in sessions.
#[derive(Default)]
pub(super) struct VoteMutation;

#[Object]
impl VoteMutation {
    /// Calls a paper to a session. Votes of an earlier call count no more. Decisions of another body that this one has to be told are
    /// told at this session.
    async fn call_paper(&self, ctx: &Context<'_>, input: CallPaperInput) -> Result<CallPaperPayload> {
        let call = service::CallPaper {
            id: PaperId(NodeKind::Paper.require(&input.id, "input.id")?),
            expected_version: input.expected_version,
            session_at: input.session_at.0,
            votes_until: input.votes_until.map(|at| at.0),
        };
        CallPaperPayload::of(ctx, service::call_paper(ctx.audit(), ctx.db(), call).await)
    }

    /// Votes for one's seat, or as its deputy. A vote is final; a deputy's counts where the member does not vote.
    async fn cast_vote(&self, ctx: &Context<'_>, input: CastVoteInput) -> Result<CastVotePayload> {
        let vote = service::CastVote {
            id: PaperId(NodeKind::Paper.require(&input.paper_id, "input.paperId")?),
            expected_version: input.expected_version,
            content_hash: input.content_hash.0,
            choice: input.choice.into(),
            opinion: input.opinion,
            waives_calling_period: input.waives_calling_period,
        };
        CastVotePayload::of(
            ctx,
            service::vote(ctx.audit(), ctx.db(), &input.idempotency_key, vote).await,
        )
    }

    /// Ends the voting and says what came of it. Not before its end, unless every member voted: whoever counts does not choose the
    /// moment.
    async fn close_vote(&self, ctx: &Context<'_>, input: CloseVoteInput) -> Result<CloseVotePayload> {
        let close = service::CloseVote {
            id: PaperId(NodeKind::Paper.require(&input.id, "input.id")?),
            expected_version: input.expected_version,
        };
        CloseVotePayload::of(ctx, service::close_vote(ctx.audit(), ctx.db(), close).await)
    }

    /// Decides over a dissent: as chair, as head of the Jobcenter or for the Kreis, as the body's rules say.
    async fn decide_on_dissent(
        &self,
        ctx: &Context<'_>,
        input: DecideOnDissentInput,
    ) -> Result<DecideOnDissentPayload> {
        let decide = service::DecideOnDissent {
            id: PaperId(NodeKind::Paper.require(&input.id, "input.id")?),
            expected_version: input.expected_version,
            adopted: input.adopted,
            reason: input.reason,
            stand_in_reason: input.stand_in_reason,
        };
        DecideOnDissentPayload::of(
            ctx,
            service::decide_on_dissent(ctx.audit(), ctx.db(), decide).await,
        )
    }
}
