//! Calling a paper to a session, voting on it, and what comes of it.

use chrono::{DateTime, TimeDelta, Utc};
use entity::body::OnDissent;
use entity::decision::{DecidedBy, Outcome};
use entity::paper::{ActiveModel, Model, State};
use entity::vote::{Capacity, Choice};
use entity::{BodyId, DecisionId, PaperId, VoteId, body, decision, paper_edition, seat, vote};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, ConnectionTrait, DatabaseTransaction, EntityTrait as _,
    QueryFilter as _, Set,
};
use serde::Serialize;
use serde_json::json;

use super::bodies::{described, kind_of, lock, optional, rules, taken_now};
use super::body::{Body, Office, Rules};
use super::content::{Content, Counted, Decided, Hash};
use super::papers::{attachments, digest, lock_paper, must_be_open, subject};
use super::rules::{Act, Ballot, Sitting, Tally, TooFew, Verdict, counted, tally, verdict, ways};
use crate::access::{Action, Permit, authorize_write};
use crate::error::{must_be_version, required};
use crate::idempotency::{Claimed, claim};
use crate::refusal::text;
use crate::trail::{self, Subject};
use crate::{Code, Ctx, Db, Error, Result};

/// How long the voting goes on after the beginning of the session where nothing else is said.
const VOTING: TimeDelta = TimeDelta::hours(24);
/// Longest opinion, and longest reason.
const MAX_TEXT: usize = 20_000;

/// What calls a paper to a session.
#[derive(Clone, Copy, Debug)]
pub struct CallPaper {
    /// The paper.
    pub id: PaperId,
    /// The version the caller saw.
    pub expected_version: i32,
    /// Beginning of the session, from which on the members vote.
    pub session_at: DateTime<Utc>,
    /// End of the voting; a day after the beginning of the session where it is not said.
    pub votes_until: Option<DateTime<Utc>>,
}

/// Calls a paper to a session. Votes of an earlier call count no more. At shorter notice than the calling period the call holds only
/// where everybody who sits in the body votes and waives the period. What the body has to be told since its last session is told
/// at this one.
pub async fn call_paper(ctx: &Ctx, db: &Db, input: CallPaper) -> Result<Model> {
    let permit = authorize_write(ctx, db, Action::PaperCall).await?;
    let votes_until = input.votes_until.unwrap_or(input.session_at + VOTING);
    if input.session_at < ctx.now() || votes_until <= input.session_at {
        return Err(Error::refused(Code::SessionPast, "input.sessionAt"));
    }
    let tx = db.begin_write().await?;
    let row = lock_paper(&tx, ctx, input.id, "input.id").await?;
    let body = lock(&tx, ctx, row.body_id, "input.id").await?;
    must_be_open(&row, Act::Call, "input.id")?;
    must_be_version(row.version, input.expected_version)?;
    let days = input.session_at.date_naive() - ctx.now().date_naive();
    let short_notice = days < TimeDelta::days(rules(&body.rules)?.calling_days.into());
    let before = digest(&tx, ctx, &row).await?;
    let round = row.round + 1;
    let mut change: ActiveModel = row.into();
    change.state = Set(State::Called);
    change.round = Set(round);
    change.session_at = Set(Some(input.session_at));
    change.votes_until = Set(Some(votes_until));
    change.short_notice = Set(short_notice);
    change.rules = Set(Some(body.rules));
    change.version = Set(input.expected_version + 1);
    let row = change.update(&tx).await?;
    let detail = json!({
        "state": row.state, "round": round, "sessionAt": row.session_at, "votesUntil": row.votes_until,
        "shortNotice": short_notice, "content": hex::encode(&row.content_hash),
    });
    let subject = subject(&row).changed(before, digest(&tx, ctx, &row).await?);
    trail::record(&tx, ctx, &permit, subject, detail).await?;
    tell(&tx, ctx, &permit, body.id, input.session_at).await?;
    tx.commit().await?;
    Ok(row)
}

/// Decisions of another body that this one has to be told, at its next session.
async fn tell(
    tx: &DatabaseTransaction,
    ctx: &Ctx,
    permit: &Permit,
    body: BodyId,
    session_at: DateTime<Utc>,
) -> Result<()> {
    let waiting = decision::Entity::find()
        .filter(decision::Column::TellsBodyId.eq(body))
        .filter(decision::Column::ToldAtSession.is_null())
        .all(tx)
        .await?;
    for row in waiting {
        let (before, version) = (trail::state(ctx, &row)?, row.version);
        let mut change: decision::ActiveModel = row.into();
        change.told_at_session = Set(Some(session_at));
        change.version = Set(version + 1);
        let row = change.update(tx).await?;
        let subject = of_decision(&row).changed(before, trail::state(ctx, &row)?);
        let detail = json!({ "tellsBody": row.tells_body_id, "toldAtSession": row.told_at_session });
        trail::record(tx, ctx, permit, subject, detail).await?;
    }
    Ok(())
}

const fn of_decision(row: &decision::Model) -> Subject {
    Subject::apart("Decision", row.id.0)
}

/// A vote.
#[derive(Clone, Debug, Serialize)]
pub struct CastVote {
    /// The paper.
    pub id: PaperId,
    /// The version the caller saw; votes are none.
    pub expected_version: i32,
    /// Digest of what the caller read and votes on.
    pub content_hash: Hash,
    /// Yes, no, or neither.
    pub choice: Choice,
    /// The dissenting opinion, or a remark, up to 20,000 characters.
    pub opinion: Option<String>,
    /// Whether the caller waives the calling period.
    pub waives_calling_period: bool,
}

/// Votes for one's seat, or as its deputy. A vote is final. A deputy's counts where the member does not vote. Whoever tries without a seat
/// leaves an entry in the trail.
pub async fn vote(ctx: &Ctx, db: &Db, idempotency_key: &str, input: CastVote) -> Result<vote::Model> {
    let permit = authorize_write(ctx, db, Action::PaperVote).await?;
    if let Some(opinion) = &input.opinion
        && let Some(refusal) = text("input.opinion", opinion, MAX_TEXT)
    {
        return Err(Error::Refused(vec![refusal]));
    }
    let paper = input.id;
    let outcome = cast(ctx, db, &permit, idempotency_key, input).await;
    kept_denial(ctx, db, Action::PaperVote, paper, outcome).await
}

/// Whoever tried what needs a seat without having it is named in the trail.
async fn kept_denial<T>(ctx: &Ctx, db: &Db, action: Action, paper: PaperId, outcome: Result<T>) -> Result<T> {
    if let Err(Error::Refused(refusals)) = &outcome {
        let without_seat = refusals
            .iter()
            .find(|refusal| matches!(refusal.code, Code::NotAMember | Code::NotTheDecider));
        if let Some(refusal) = without_seat {
            trail::denied_seat(db, ctx, action, paper, refusal.code).await?;
        }
    }
    outcome
}

async fn cast(
    ctx: &Ctx,
    db: &Db,
    permit: &Permit,
    idempotency_key: &str,
    input: CastVote,
) -> Result<vote::Model> {
    let tx = db.begin_write().await?;
    let row = lock_paper(&tx, ctx, input.id, "input.paperId").await?;
    let claim = match claim(&tx, ctx, idempotency_key, "castVote", &input).await? {
        Claimed::New(claim) => claim,
        Claimed::Repeated(id) => return required(vote::Entity::find_by_id(VoteId(id)).one(&tx).await?),
    };
    let (seat, capacity) = seat_of(&tx, ctx, row.body_id)
        .await?
        .ok_or_else(|| Error::refused(Code::NotAMember, "input.paperId"))?;
    // Whoever read an earlier edition is told so, whatever became of the paper.
    if row.content_hash != input.content_hash {
        return Err(Error::refused(Code::PaperChanged, "input.contentHash"));
    }
    must_be_open(&row, Act::Vote, "input.paperId")?;
    must_be_version(row.version, input.expected_version)?;
    let rules = rules(row.rules.as_deref().unwrap_or_default())?;
    if row.author == ctx.caller.subject && !rules.author_votes {
        return Err(Error::refused(Code::AuthorVotes, "input.paperId"));
    }
    let now = ctx.now();
    begun(&row, now, "input.paperId")?;
    if let Some(until) = row.votes_until.filter(|until| now >= *until) {
        return Err(Error::refused_with(
            Code::VotingEnded,
            "input.paperId",
            until.to_rfc3339(),
        ));
    }
    let of_seat = vote::Entity::find()
        .filter(vote::Column::PaperId.eq(row.id))
        .filter(vote::Column::Round.eq(row.round))
        .filter(vote::Column::SeatKind.eq(&seat.kind))
        .filter(vote::Column::SeatPlace.eq(seat.place))
        .all(&tx)
        .await?;
    if of_seat
        .iter()
        .any(|vote| vote.capacity == Capacity::Member || capacity == Capacity::Deputy)
    {
        return Err(Error::refused(Code::SeatHasVoted, "input.paperId"));
    }
    let vote = vote::ActiveModel {
        id: Set(VoteId(ctx.new_id())),
        paper_id: Set(row.id),
        edition: Set(row.edition),
        round: Set(row.round),
        content_hash: Set(row.content_hash),
        seat_id: Set(seat.id),
        seat_kind: Set(seat.kind),
        seat_place: Set(seat.place),
        capacity: Set(capacity),
        voter: Set(ctx.caller.subject.clone()),
        choice: Set(input.choice),
        opinion: Set(input.opinion),
        waives_calling_period: Set(input.waives_calling_period),
        at: Set(now),
    }
    .insert(&tx)
    .await?;
    claim.remember(&tx, ctx, vote.id.0).await?;
    let detail = json!({
        "paper": vote.paper_id, "edition": vote.edition, "round": vote.round, "content": hex::encode(&vote.content_hash),
        "seat": vote.seat_kind, "place": vote.seat_place, "capacity": vote.capacity, "choice": vote.choice,
        "waivesCallingPeriod": vote.waives_calling_period,
    });
    let subject = Subject::apart("Vote", vote.id.0).left(trail::state(ctx, &vote)?);
    trail::record(&tx, ctx, permit, subject, detail).await?;
    tx.commit().await?;
    Ok(vote)
}

fn begun(row: &Model, now: DateTime<Utc>, path: &str) -> Result<()> {
    match row.session_at {
        Some(at) if now >= at => Ok(()),
        at => {
            let at = at.map(|at| at.to_rfc3339()).unwrap_or_default();
            Err(Error::refused_with(Code::VotingNotBegun, path, at))
        }
    }
}

/// The seat of a body that the caller has now, and as what.
async fn seat_of(
    db: &impl ConnectionTrait,
    ctx: &Ctx,
    body: BodyId,
) -> Result<Option<(seat::Model, Capacity)>> {
    let subject = &ctx.caller.subject;
    let found = seat::Entity::find()
        .filter(seat::Column::BodyId.eq(body))
        .filter(seat::taken(ctx.now()))
        .filter(seat::of_person(subject))
        .one(db)
        .await?;
    Ok(found.map(|seat| {
        let capacity = capacity_of(&seat, subject);
        (seat, capacity)
    }))
}

fn capacity_of(seat: &seat::Model, subject: &str) -> Capacity {
    if seat.holder == subject {
        Capacity::Member
    } else {
        Capacity::Deputy
    }
}

/// What ends the voting on a paper.
#[derive(Clone, Copy, Debug)]
pub struct CloseVote {
    /// The paper.
    pub id: PaperId,
    /// The version the caller saw.
    pub expected_version: i32,
}

/// Ends the voting and says what came of it. Not before its end, unless every member voted: whoever counts does not choose the moment.
pub async fn close_vote(ctx: &Ctx, db: &Db, input: CloseVote) -> Result<Model> {
    let permit = authorize_write(ctx, db, Action::PaperCall).await?;
    let tx = db.begin_write().await?;
    let row = lock_paper(&tx, ctx, input.id, "input.id").await?;
    must_be_open(&row, Act::Close, "input.id")?;
    must_be_version(row.version, input.expected_version)?;
    let now = ctx.now();
    begun(&row, now, "input.id")?;
    let session = Session::of(&tx, &row, now).await?;
    if let Some(until) = row
        .votes_until
        .filter(|until| now < *until && !session.tally.members_voted)
    {
        return Err(Error::refused_with(
            Code::VotingRuns,
            "input.id",
            until.to_rfc3339(),
        ));
    }
    let found = session.verdict(&row).map_err(|TooFew { took_part, needed }| {
        Error::refused_with(Code::VotesTooFew, "input.id", format!("{took_part} < {needed}"))
    })?;
    if row.short_notice && !session.tally.waived {
        return Err(Error::refused(Code::CallingPeriod, "input.id"));
    }
    unchanged(&tx, &row, session.body).await?;
    let (state, outcome, by) = match found {
        Verdict::Decided { adopted, by } => (State::Decided, outcome(adopted), by),
        Verdict::Advised => (State::Advised, Outcome::Advised, DecidedBy::None),
        Verdict::Undecided => (State::Undecided, Outcome::None, DecidedBy::None),
        Verdict::Dissent { .. } => {
            let row = conclude(&tx, ctx, &permit, row, State::Dissent).await?;
            tx.commit().await?;
            return Ok(row);
        }
    };
    let row = conclude(&tx, ctx, &permit, row, state).await?;
    let said = Said {
        outcome,
        by,
        reason: None,
        stand_in_reason: None,
        tells: None,
    };
    session.decide(&tx, ctx, &permit, &row, said).await?;
    tx.commit().await?;
    Ok(row)
}

const fn outcome(adopted: bool) -> Outcome {
    if adopted {
        Outcome::Adopted
    } else {
        Outcome::Rejected
    }
}

/// Refuses to count votes on an edition that is not what its digest says: somebody changed it past the service.
async fn unchanged(tx: &DatabaseTransaction, row: &Model, body: &Body) -> Result<()> {
    let edition = required(
        paper_edition::Entity::find()
            .filter(paper_edition::Column::PaperId.eq(row.id))
            .filter(paper_edition::Column::Edition.eq(row.edition))
            .one(tx)
            .await?,
    )?;
    let attachments = attachments(&edition)?;
    let content = Content {
        title: edition.title,
        motion: edition.motion,
        reasons: edition.reasons,
        attachments,
        engagement_id: edition.engagement_id,
        parameter_set_id: edition.parameter_set_id,
    };
    if content.hash(body.key, row.matter).as_slice() == row.content_hash {
        Ok(())
    } else {
        Err(Error::internal("a paper is not what was voted on"))
    }
}

async fn conclude(
    tx: &DatabaseTransaction,
    ctx: &Ctx,
    permit: &Permit,
    row: Model,
    state: State,
) -> Result<Model> {
    let (before, version) = (digest(tx, ctx, &row).await?, row.version);
    let mut change: ActiveModel = row.into();
    change.state = Set(state);
    change.version = Set(version + 1);
    let row = change.update(tx).await?;
    let subject = subject(&row).changed(before, digest(tx, ctx, &row).await?);
    let detail = json!({ "state": state, "round": row.round });
    trail::record(tx, ctx, permit, subject, detail).await?;
    Ok(row)
}

/// What decides over a dissent.
#[derive(Clone, Debug)]
pub struct DecideOnDissent {
    /// The paper.
    pub id: PaperId,
    /// The version the caller saw.
    pub expected_version: i32,
    /// Whether the motion holds.
    pub adopted: bool,
    /// Why, up to 20,000 characters.
    pub reason: String,
    /// Why the caller stands in for who decides; needed from whoever does.
    pub stand_in_reason: Option<String>,
}

/// Decides over a dissent: with the seat that does in this body, or in its place. Whoever tries without leaves an entry in the trail.
pub async fn decide_on_dissent(ctx: &Ctx, db: &Db, input: DecideOnDissent) -> Result<Model> {
    let permit = authorize_write(ctx, db, Action::DissentDecide).await?;
    let mut refusals = Vec::new();
    refusals.extend(text("input.reason", &input.reason, MAX_TEXT));
    refusals.extend(optional("input.standInReason", input.stand_in_reason.as_ref()));
    if !refusals.is_empty() {
        return Err(Error::Refused(refusals));
    }
    let paper = input.id;
    let outcome = decide(ctx, db, &permit, input).await;
    kept_denial(ctx, db, Action::DissentDecide, paper, outcome).await
}

async fn decide(ctx: &Ctx, db: &Db, permit: &Permit, input: DecideOnDissent) -> Result<Model> {
    let tx = db.begin_write().await?;
    let row = lock_paper(&tx, ctx, input.id, "input.id").await?;
    must_be_open(&row, Act::Decide, "input.id")?;
    must_be_version(row.version, input.expected_version)?;
    let session = Session::of(&tx, &row, ctx.now()).await?;
    let by = required(decider(session.rules.on_dissent))?;
    let Some(stands_in) = stands_in(&tx, ctx, &session, by).await? else {
        return Err(Error::refused_with(Code::NotTheDecider, "input.id", by.as_str()));
    };
    let reason = input.stand_in_reason.filter(|_| stands_in);
    if stands_in && reason.as_ref().is_none_or(|reason| reason.trim().is_empty()) {
        return Err(Error::refused(Code::Required, "input.standInReason"));
    }
    unchanged(&tx, &row, session.body).await?;
    let tells = match session.body.tells {
        Some(key) => body::Entity::find()
            .filter(body::Column::Key.eq(key))
            .one(&tx)
            .await?
            .map(|body| body.id),
        None => None,
    };
    let row = conclude(&tx, ctx, permit, row, State::Decided).await?;
    let said = Said {
        outcome: outcome(input.adopted),
        by,
        reason: Some(input.reason),
        stand_in_reason: reason,
        tells,
    };
    session.decide(&tx, ctx, permit, &row, said).await?;
    tx.commit().await?;
    Ok(row)
}

/// Who decides over a dissent; nobody in a body that gives advice, or decides by votes alone.
const fn decider(rule: OnDissent) -> Option<DecidedBy> {
    match rule {
        OnDissent::ChairDecides => Some(DecidedBy::Chair),
        OnDissent::LeitungDecides => Some(DecidedBy::Leitung),
        OnDissent::KreisDecides => Some(DecidedBy::Kreis),
        OnDissent::AdviceOnly | OnDissent::Parity => None,
    }
}

/// Whether the caller stands in for who decides; none where the caller does not decide at all.
async fn stands_in(
    tx: &DatabaseTransaction,
    ctx: &Ctx,
    session: &Session,
    by: DecidedBy,
) -> Result<Option<bool>> {
    let Some((seat, capacity)) = seat_of(tx, ctx, session.body_id).await? else {
        return Ok(None);
    };
    Ok(decides(
        kind_of(session.body, &seat)?.office,
        seat.place,
        capacity,
        by,
    ))
}

/// Whether a seat decides over a dissent, and if so whether only in place of another.
pub(super) fn decides(office: Office, place: i32, capacity: Capacity, by: DecidedBy) -> Option<bool> {
    if place != 1 {
        return None;
    }
    match (by, office, capacity) {
        (DecidedBy::Chair, Office::Chair, capacity)
        | (DecidedBy::Leitung | DecidedBy::Kreis, Office::Decides, capacity) => {
            Some(capacity == Capacity::Deputy)
        }
        (DecidedBy::Chair, Office::DeputyChair, Capacity::Member) => Some(true),
        _ => None,
    }
}

/// What the caller may do with a visible paper now, with the seats of its body and the votes on it.
pub fn open_to(
    ctx: &Ctx,
    row: &Model,
    body: &body::Model,
    seats: &[seat::Model],
    votes: &[vote::Model],
) -> Result<Vec<Action>> {
    let (subject, now) = (&ctx.caller.subject, ctx.now());
    let open = |act| ways(row.state, act).is_some();
    let mut actions = vec![Action::PaperRead];
    if row.author == *subject && open(Act::Withdraw) {
        actions.push(Action::PaperSubmit);
    }
    if open(Act::Call) || open(Act::Close) {
        actions.push(Action::PaperCall);
    }
    let own = seats.iter().find(|seat| {
        let since = seat.seated_from <= now && seat.seated_until.is_none_or(|until| until > now);
        since && (seat.holder == *subject || seat.deputy.as_ref() == Some(subject))
    });
    if let (Some(seat), Some(kept)) = (own, row.rules.as_deref()) {
        let rules = rules(kept)?;
        let capacity = capacity_of(seat, subject);
        let taken = votes.iter().any(|vote| {
            vote.round == row.round
                && (&vote.seat_kind, vote.seat_place) == (&seat.kind, seat.place)
                && (vote.capacity == Capacity::Member || capacity == Capacity::Deputy)
        });
        let running =
            row.session_at.is_some_and(|at| now >= at) && row.votes_until.is_some_and(|until| now < until);
        let as_author = row.author != *subject || rules.author_votes;
        if open(Act::Vote) && running && as_author && !taken {
            actions.push(Action::PaperVote);
        }
        let office = described(body)?.kind(&seat.kind).map(|kind| kind.office);
        let decider = decider(rules.on_dissent);
        if open(Act::Decide)
            && office
                .zip(decider)
                .and_then(|(office, by)| decides(office, seat.place, capacity, by))
                .is_some()
        {
            actions.push(Action::DissentDecide);
        }
    }
    if open(Act::Minutes) {
        actions.push(Action::MinutesRecord);
    }
    if open(Act::Sign) {
        actions.push(Action::SignatureRecord);
    }
    actions.retain(|action| ctx.caller.may(*action));
    Ok(actions)
}

/// A seat of a body: its kind, and which of them.
type Place = (&'static str, i32);

/// One call of a paper, with its votes.
struct Session {
    body_id: BodyId,
    body: &'static Body,
    rules: Rules,
    votes: Vec<Counted>,
    tally: Tally,
}

/// What is said by a decision.
struct Said {
    outcome: Outcome,
    by: DecidedBy,
    reason: Option<String>,
    stand_in_reason: Option<String>,
    tells: Option<BodyId>,
}

impl Session {
    async fn of(tx: &DatabaseTransaction, row: &Model, now: DateTime<Utc>) -> Result<Self> {
        let body = required(body::Entity::find_by_id(row.body_id).one(tx).await?)?;
        let described = described(&body)?;
        let votes = vote::Entity::find()
            .filter(vote::Column::PaperId.eq(row.id))
            .filter(vote::Column::Round.eq(row.round))
            .filter(vote::Column::ContentHash.eq(row.content_hash.clone()))
            .all(tx)
            .await?;
        let seats = taken_now(tx, body.id, now).await?;
        let sittings = sittings(described, &seats, &votes);
        let ballots: Vec<Ballot<Place>> = votes
            .iter()
            .filter_map(|vote| {
                Some(Ballot {
                    place: (described.kind(&vote.seat_kind)?.key, vote.seat_place),
                    by: vote.capacity,
                    choice: vote.choice,
                    waives: vote.waives_calling_period,
                })
            })
            .collect();
        let counted = counted(&sittings, &ballots).into_values().map(|ballot| Counted {
            kind: ballot.place.0.to_owned(),
            place: ballot.place.1,
            by: ballot.by,
            choice: ballot.choice,
        });
        Ok(Self {
            body_id: body.id,
            body: described,
            rules: rules(row.rules.as_deref().unwrap_or_default())?,
            votes: counted.collect(),
            tally: tally(&sittings, &ballots),
        })
    }

    fn verdict(&self, row: &Model) -> Result<Verdict, TooFew> {
        verdict(&self.rules, self.body.reserves(row.matter), &self.tally)
    }

    async fn decide(
        self,
        tx: &DatabaseTransaction,
        ctx: &Ctx,
        permit: &Permit,
        paper: &Model,
        said: Said,
    ) -> Result<()> {
        let decided = Decided {
            paper: paper.id,
            edition: paper.edition,
            round: paper.round,
            content_hash: &paper.content_hash,
            outcome: said.outcome,
            by: said.by,
            reason: said.reason.as_deref(),
            stand_in_reason: said.stand_in_reason.as_deref(),
        };
        let hash = decided.hash(self.votes);
        let count = |count: u32| i32::try_from(count).map_err(|error| Error::internal(error.to_string()));
        let dissent = said.by != DecidedBy::Consensus && said.outcome != Outcome::Advised
            || self.tally.yes > 0 && self.tally.no > 0;
        let row = decision::ActiveModel {
            id: Set(DecisionId(ctx.new_id())),
            paper_id: Set(paper.id),
            body_id: Set(paper.body_id),
            edition: Set(paper.edition),
            round: Set(paper.round),
            content_hash: Set(paper.content_hash.clone()),
            rules: Set(paper.rules.clone().unwrap_or_default()),
            outcome: Set(said.outcome),
            decided_by: Set(said.by),
            dissent: Set(dissent),
            yes: Set(count(self.tally.yes)?),
            no: Set(count(self.tally.no)?),
            abstained: Set(count(self.tally.abstained)?),
            silent: Set(count(self.tally.silent)?),
            reason: Set(said.reason),
            stand_in_reason: Set(said.stand_in_reason),
            recorded_by: Set(ctx.caller.subject.clone()),
            at: Set(ctx.now()),
            decision_hash: Set(hash.to_vec()),
            tells_body_id: Set(said.tells),
            told_at_session: Set(None),
            version: Set(1),
        }
        .insert(tx)
        .await?;
        let detail = json!({
            "paper": row.paper_id, "edition": row.edition, "round": row.round, "outcome": row.outcome,
            "decidedBy": row.decided_by, "dissent": row.dissent, "yes": row.yes, "no": row.no, "abstained": row.abstained,
            "silent": row.silent, "decision": hex::encode(hash),
        });
        let subject = of_decision(&row).left(trail::state(ctx, &row)?);
        trail::record(tx, ctx, permit, subject, detail).await
    }
}

/// The seats of a body: those it has in any case, those that are taken, and those that voted before they were released.
fn sittings(body: &'static Body, seats: &[seat::Model], votes: &[vote::Model]) -> Vec<Sitting<Place>> {
    let mut sittings = Vec::new();
    for kind in body.kinds {
        for place in 1..=kind.most {
            let filled = seats
                .iter()
                .any(|seat| seat.kind == kind.key && seat.place == place);
            let has_voted = votes
                .iter()
                .any(|vote| vote.seat_kind == kind.key && vote.seat_place == place);
            if filled || has_voted || place <= kind.least {
                sittings.push(Sitting {
                    place: (kind.key, place),
                    bench: kind.bench,
                    chair: kind.office == Office::Chair && place == 1,
                    filled,
                });
            }
        }
    }
    sittings
}
