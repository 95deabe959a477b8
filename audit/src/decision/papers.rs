//! Handing papers in, revising, withdrawing and finding them.

use chrono::Datelike as _;
use entity::paper::{ActiveModel, Column, Entity, Matter, Model, State};
use entity::{BodyId, PaperEditionId, PaperId, decision, engagement, paper_edition, parameter_set, vote};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, ConnectionTrait, DatabaseTransaction, EntityTrait as _,
    PaginatorTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, Set,
};
use serde::Serialize;
use serde_json::json;

use super::bodies::{described, lock};
use super::content::{Attachment, Content};
use super::rules::{Act, ways};
use crate::access::{Action, authorize, authorize_write};
use crate::db::among;
use crate::error::{must_be_version, required};
use crate::idempotency::{Claimed, claim};
use crate::page::{self, Page, PageArgs};
use crate::refusal::{optional_text, text};
use crate::trail::{self, State as Digest, Subject};
use crate::{Code, Ctx, Db, Error, Refusal, Result};

/// Longest motion, and longest reasons.
const MAX_TEXT: usize = 20_000;
/// Most attachments.
const MAX_ATTACHMENTS: usize = 50;
/// Longest reason.
const MAX_REASON: usize = 4_000;

/// What hands a paper in.
#[derive(Clone, Debug, Serialize)]
pub struct SubmitPaper {
    /// The body that is asked.
    pub body_id: BodyId,
    /// What it is about.
    pub matter: Matter,
    /// What it says.
    pub content: Content,
}

/// Hands a paper in. The members vote on it once it is called to a session.
pub async fn submit_paper(ctx: &Ctx, db: &Db, idempotency_key: &str, input: SubmitPaper) -> Result<Model> {
    let permit = authorize_write(ctx, db, Action::PaperSubmit).await?;
    check(&input.content)?;
    let tx = db.begin_write().await?;
    let body = lock(&tx, ctx, input.body_id, "input.bodyId").await?;
    let claim = match claim(&tx, ctx, idempotency_key, "submitPaper", &input).await? {
        Claimed::New(claim) => claim,
        Claimed::Repeated(id) => return required(Entity::find_by_id(PaperId(id)).one(&tx).await?),
    };
    let described = described(&body)?;
    if !described.competences.contains(&input.matter) {
        return Err(Error::refused_with(
            Code::MatterNotOfBody,
            "input.matter",
            input.matter.as_str(),
        ));
    }
    cited(&tx, ctx, &input.content).await?;
    let year = ctx.now().year();
    let serial = last(&tx, input.body_id, year).await? + 1;
    let hash = input.content.hash(described.key, input.matter);
    let row = ActiveModel {
        id: Set(PaperId(ctx.new_id())),
        body_id: Set(body.id),
        number: Set(format!("{}-{year}-{serial:03}", described.short)),
        year: Set(year),
        serial: Set(serial),
        matter: Set(input.matter),
        author: Set(ctx.caller.subject.clone()),
        submitted_at: Set(ctx.now()),
        state: Set(State::Submitted),
        edition: Set(1),
        content_hash: Set(hash.to_vec()),
        cites_audit: Set(cites_audit(&input.content)),
        round: Set(0),
        session_at: Set(None),
        votes_until: Set(None),
        short_notice: Set(false),
        rules: Set(None),
        withdrawn_by: Set(None),
        withdrawal_reason: Set(None),
        version: Set(1),
    }
    .insert(&tx)
    .await?;
    write_edition(&tx, ctx, &row, input.content).await?;
    claim.remember(&tx, ctx, row.id.0).await?;
    let detail = json!({
        "body": body.key, "number": row.number, "edition": row.edition, "content": hex::encode(hash), "state": row.state,
    });
    let subject = subject(&row).left(digest(&tx, ctx, &row).await?);
    trail::record(&tx, ctx, &permit, subject, detail).await?;
    tx.commit().await?;
    Ok(row)
}

fn check(content: &Content) -> Result<()> {
    let mut refusals = Vec::new();
    refusals.extend(text("input.content.title", &content.title, 200));
    refusals.extend(text("input.content.motion", &content.motion, MAX_TEXT));
    refusals.extend(optional_text("input.content.reasons", &content.reasons, MAX_TEXT));
    if content.attachments.len() > MAX_ATTACHMENTS {
        refusals.push(Refusal::new(Code::TooMany, "input.content.attachments").with(MAX_ATTACHMENTS));
    }
    for (place, attachment) in content.attachments.iter().enumerate() {
        let path = format!("input.content.attachments.{place}.name");
        refusals.extend(text(&path, &attachment.name, 200));
        let before = &content.attachments[..place];
        if before
            .iter()
            .any(|other| other.name == attachment.name || other.sha256 == attachment.sha256)
        {
            refusals.push(Refusal::new(Code::AttachmentDoubled, &path).with(&attachment.name));
        }
    }
    if refusals.is_empty() {
        Ok(())
    } else {
        Err(Error::Refused(refusals))
    }
}

const fn cites_audit(content: &Content) -> bool {
    content.engagement_id.is_some() || content.parameter_set_id.is_some()
}

/// Refuses to cite what the author may not see.
async fn cited(tx: &DatabaseTransaction, ctx: &Ctx, content: &Content) -> Result<()> {
    let scope = ctx.caller.scope(ctx.now());
    if let Some(id) = content.engagement_id {
        let found = engagement::Entity::visible_to(&scope)
            .filter(engagement::Column::Id.eq(id))
            .count(tx)
            .await?;
        if found == 0 || !ctx.caller.may(Action::EngagementRead) {
            return Err(Error::refused(Code::NotFound, "input.content.engagementId"));
        }
    }
    if let Some(id) = content.parameter_set_id {
        let found = parameter_set::Entity::visible_to(&scope)
            .filter(parameter_set::Column::Id.eq(id))
            .count(tx)
            .await?;
        if found == 0 || !ctx.caller.may(Action::ParameterSetRead) {
            return Err(Error::refused(Code::NotFound, "input.content.parameterSetId"));
        }
    }
    Ok(())
}

async fn last(tx: &DatabaseTransaction, body: BodyId, year: i32) -> Result<i32> {
    let last = Entity::find()
        .filter(Column::BodyId.eq(body))
        .filter(Column::Year.eq(year))
        .select_only()
        .column_as(Column::Serial.max(), "last")
        .into_tuple::<Option<i32>>()
        .one(tx)
        .await?;
    Ok(last.flatten().unwrap_or(0))
}

async fn write_edition(tx: &DatabaseTransaction, ctx: &Ctx, row: &Model, content: Content) -> Result<()> {
    let attachments =
        serde_json::to_string(&content.attachments).map_err(|error| Error::internal(error.to_string()))?;
    paper_edition::ActiveModel {
        id: Set(PaperEditionId(ctx.new_id())),
        paper_id: Set(row.id),
        edition: Set(row.edition),
        title: Set(content.title),
        motion: Set(content.motion),
        reasons: Set(content.reasons),
        attachments: Set(attachments),
        engagement_id: Set(content.engagement_id),
        parameter_set_id: Set(content.parameter_set_id),
        content_hash: Set(row.content_hash.clone()),
        written_by: Set(ctx.caller.subject.clone()),
        written_at: Set(ctx.now()),
    }
    .insert(tx)
    .await?;
    Ok(())
}

/// Files that belong to an edition.
pub fn attachments(edition: &paper_edition::Model) -> Result<Vec<Attachment>> {
    serde_json::from_str(&edition.attachments).map_err(|error| Error::internal(error.to_string()))
}

/// What revises a paper: all of what it says from then on.
#[derive(Clone, Debug)]
pub struct RevisePaper {
    /// The paper.
    pub id: PaperId,
    /// The version the caller saw.
    pub expected_version: i32,
    /// What it says.
    pub content: Content,
}

/// Revises a paper: another edition, on which nobody voted yet, and which has to be called anew.
pub async fn revise_paper(ctx: &Ctx, db: &Db, input: RevisePaper) -> Result<Model> {
    let permit = authorize_write(ctx, db, Action::PaperSubmit).await?;
    check(&input.content)?;
    let tx = db.begin_write().await?;
    let row = own(&tx, ctx, input.id, input.expected_version, Act::Revise).await?;
    cited(&tx, ctx, &input.content).await?;
    let body = required(entity::body::Entity::find_by_id(row.body_id).one(&tx).await?)?;
    let hash = input.content.hash(&body.key, row.matter);
    if hash.as_slice() == row.content_hash {
        return Err(Error::refused(Code::PaperUnchanged, "input.content"));
    }
    let before = digest(&tx, ctx, &row).await?;
    let edition = row.edition + 1;
    let mut change: ActiveModel = row.into();
    change.state = Set(State::Submitted);
    change.edition = Set(edition);
    change.content_hash = Set(hash.to_vec());
    change.cites_audit = Set(cites_audit(&input.content));
    change.session_at = Set(None);
    change.votes_until = Set(None);
    change.short_notice = Set(false);
    change.rules = Set(None);
    change.version = Set(input.expected_version + 1);
    let row = change.update(&tx).await?;
    write_edition(&tx, ctx, &row, input.content).await?;
    let detail = json!({ "edition": edition, "content": hex::encode(hash), "state": row.state });
    let subject = subject(&row).changed(before, digest(&tx, ctx, &row).await?);
    trail::record(&tx, ctx, &permit, subject, detail).await?;
    tx.commit().await?;
    Ok(row)
}

/// What withdraws a paper.
#[derive(Clone, Debug)]
pub struct WithdrawPaper {
    /// The paper.
    pub id: PaperId,
    /// The version the caller saw.
    pub expected_version: i32,
    /// Why, up to 4,000 characters.
    pub reason: String,
}

/// Withdraws a paper for good.
pub async fn withdraw_paper(ctx: &Ctx, db: &Db, input: WithdrawPaper) -> Result<Model> {
    let permit = authorize_write(ctx, db, Action::PaperSubmit).await?;
    if let Some(refusal) = text("input.reason", &input.reason, MAX_REASON) {
        return Err(Error::Refused(vec![refusal]));
    }
    let tx = db.begin_write().await?;
    let row = own(&tx, ctx, input.id, input.expected_version, Act::Withdraw).await?;
    let before = digest(&tx, ctx, &row).await?;
    let mut change: ActiveModel = row.into();
    change.state = Set(State::Withdrawn);
    change.withdrawn_by = Set(Some(ctx.caller.subject.clone()));
    change.withdrawal_reason = Set(Some(input.reason));
    change.version = Set(input.expected_version + 1);
    let row = change.update(&tx).await?;
    let subject = subject(&row).changed(before, digest(&tx, ctx, &row).await?);
    trail::record(&tx, ctx, &permit, subject, json!({ "state": row.state })).await?;
    tx.commit().await?;
    Ok(row)
}

/// A paper of the caller's own, in the version the caller saw, where the act is open.
async fn own(tx: &DatabaseTransaction, ctx: &Ctx, id: PaperId, expected: i32, act: Act) -> Result<Model> {
    let row = lock_paper(tx, ctx, id, "input.id").await?;
    if row.author != ctx.caller.subject {
        return Err(Error::refused(Code::PaperNotOwn, "input.id"));
    }
    must_be_open(&row, act, "input.id")?;
    must_be_version(row.version, expected)?;
    Ok(row)
}

/// A visible paper, until the transaction ends for nobody else to change or vote on.
pub(super) async fn lock_paper(
    tx: &DatabaseTransaction,
    ctx: &Ctx,
    id: PaperId,
    path: &str,
) -> Result<Model> {
    Entity::visible_to(&ctx.caller.papers(ctx.now()))
        .filter(Column::Id.eq(id))
        .lock_exclusive()
        .one(tx)
        .await?
        .ok_or_else(|| Error::refused(Code::NotFound, path))
}

/// Refuses what the table of ways does not name.
pub(super) fn must_be_open(row: &Model, act: Act, path: &str) -> Result<()> {
    if ways(row.state, act).is_some() {
        Ok(())
    } else {
        Err(Error::refused_with(Code::PaperState, path, row.state.as_str()))
    }
}

pub(super) const fn subject(row: &Model) -> Subject {
    Subject::apart("Paper", row.id.0)
}

/// The state of a paper with its editions.
pub(super) async fn digest(db: &impl ConnectionTrait, ctx: &Ctx, row: &Model) -> Result<Digest> {
    let editions = paper_edition::Entity::find()
        .filter(paper_edition::Column::PaperId.eq(row.id))
        .order_by_asc(paper_edition::Column::Edition)
        .all(db)
        .await?;
    trail::state_with(ctx, row, &editions)
}

/// Which papers are listed; what is not named does not restrict.
#[derive(Clone, Debug, Default)]
pub struct PaperFilter {
    /// Of this body.
    pub body: Option<BodyId>,
    /// In one of these states.
    pub states: Option<Vec<State>>,
    /// About this.
    pub matter: Option<Matter>,
}

/// Papers the caller may see, newest first. The count only where asked for.
pub async fn list(
    ctx: &Ctx,
    db: &Db,
    filter: &PaperFilter,
    args: &PageArgs,
    counted: bool,
) -> Result<(Page<Model>, Option<u64>)> {
    authorize(ctx, Action::PaperRead)?;
    let mut select = Entity::visible_to(&ctx.caller.papers(ctx.now()));
    if let Some(body) = filter.body {
        select = select.filter(Column::BodyId.eq(body));
    }
    if let Some(states) = &filter.states {
        select = select.filter(Column::State.is_in(states.iter().copied()));
    }
    if let Some(matter) = filter.matter {
        select = select.filter(Column::Matter.eq(matter));
    }
    let total = if counted {
        Some(select.clone().count(db.reader()).await?)
    } else {
        None
    };
    Ok((
        page::by_id(select, Column::Id, true, args, db.reader()).await?,
        total,
    ))
}

/// Papers by id, those the caller may see.
pub async fn find_many(ctx: &Ctx, db: &Db, ids: &[PaperId]) -> Result<Vec<Model>> {
    authorize(ctx, Action::PaperRead)?;
    Ok(Entity::visible_to(&ctx.caller.papers(ctx.now()))
        .filter(among(db.reader(), Column::Id, ids.iter().copied()))
        .all(db.reader())
        .await?)
}

/// Editions of papers the caller may see, oldest first.
pub async fn editions_of(ctx: &Ctx, db: &Db, of: &[PaperId]) -> Result<Vec<paper_edition::Model>> {
    authorize(ctx, Action::PaperRead)?;
    Ok(paper_edition::Entity::visible_to(&ctx.caller.papers(ctx.now()))
        .filter(among(
            db.reader(),
            paper_edition::Column::PaperId,
            of.iter().copied(),
        ))
        .order_by_asc(paper_edition::Column::Edition)
        .all(db.reader())
        .await?)
}

/// Votes on papers the caller may see, by call and seat.
pub async fn votes_of(ctx: &Ctx, db: &Db, of: &[PaperId]) -> Result<Vec<vote::Model>> {
    authorize(ctx, Action::PaperRead)?;
    Ok(vote::Entity::visible_to(&ctx.caller.papers(ctx.now()))
        .filter(among(db.reader(), vote::Column::PaperId, of.iter().copied()))
        .order_by_asc(vote::Column::Round)
        .order_by_asc(vote::Column::SeatKind)
        .order_by_asc(vote::Column::SeatPlace)
        .order_by_desc(vote::Column::Capacity)
        .all(db.reader())
        .await?)
}

/// Decisions on papers the caller may see, by call.
pub async fn decisions_of(ctx: &Ctx, db: &Db, of: &[PaperId]) -> Result<Vec<decision::Model>> {
    authorize(ctx, Action::PaperRead)?;
    Ok(decision::Entity::visible_to(&ctx.caller.papers(ctx.now()))
        .filter(among(db.reader(), decision::Column::PaperId, of.iter().copied()))
        .order_by_asc(decision::Column::Round)
        .all(db.reader())
        .await?)
}
