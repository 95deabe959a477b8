//! Minutes and signatures, and decisions as others cite them.

use chrono::NaiveDate;
use entity::decision::Outcome;
use entity::signature::Kind;
use entity::{BodyId, DecisionId, MinutesId, PaperId, SignatureId, decision, minutes, paper, signature};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, ConnectionTrait, DatabaseTransaction, EntityTrait as _,
    PaginatorTrait as _, QueryFilter as _, QueryOrder as _, Set,
};
use serde::Serialize;
use serde_json::json;

use super::content::{Hash, minutes_hash};
use super::papers::{lock_paper, must_be_open};
use super::rules::Act;
use crate::access::{Action, authorize, authorize_write};
use crate::db::among;
use crate::error::{must_be_version, required};
use crate::idempotency::{Claimed, claim};
use crate::page::{self, Page, PageArgs};
use crate::refusal::{optional_text, text};
use crate::trail::{self, Subject};
use crate::{Code, Ctx, Db, Error, Refusal, Result};

/// Longest minutes.
const MAX_TEXT: usize = 50_000;

/// What records minutes.
#[derive(Clone, Debug, Serialize)]
pub struct RecordMinutes {
    /// The paper.
    pub id: PaperId,
    /// The version of it that the caller saw.
    pub expected_version: i32,
    /// What happened, up to 50,000 characters.
    pub text: String,
}

/// Records the minutes of the last call of a paper. Another edition corrects them.
pub async fn record_minutes(
    ctx: &Ctx,
    db: &Db,
    idempotency_key: &str,
    input: RecordMinutes,
) -> Result<minutes::Model> {
    let permit = authorize_write(ctx, db, Action::MinutesRecord).await?;
    if let Some(refusal) = text("input.text", &input.text, MAX_TEXT) {
        return Err(Error::Refused(vec![refusal]));
    }
    let tx = db.begin_write().await?;
    let paper = lock_paper(&tx, ctx, input.id, "input.paperId").await?;
    let claim = match claim(&tx, ctx, idempotency_key, "recordMinutes", &input).await? {
        Claimed::New(claim) => claim,
        Claimed::Repeated(id) => {
            return required(minutes::Entity::find_by_id(MinutesId(id)).one(&tx).await?);
        }
    };
    must_be_open(&paper, Act::Minutes, "input.paperId")?;
    must_be_version(paper.version, input.expected_version)?;
    let before = minutes::Entity::find()
        .filter(minutes::Column::PaperId.eq(paper.id))
        .count(&tx)
        .await?;
    let edition = i32::try_from(before + 1).map_err(|error| Error::internal(error.to_string()))?;
    let hash = minutes_hash(paper.id, edition, paper.round, &input.text);
    let row = minutes::ActiveModel {
        id: Set(MinutesId(ctx.new_id())),
        paper_id: Set(paper.id),
        edition: Set(edition),
        round: Set(paper.round),
        text: Set(input.text),
        content_hash: Set(hash.to_vec()),
        recorded_by: Set(ctx.caller.subject.clone()),
        recorded_at: Set(ctx.now()),
    }
    .insert(&tx)
    .await?;
    claim.remember(&tx, ctx, row.id.0).await?;
    let detail = json!({ "paper": row.paper_id, "edition": edition, "round": row.round, "content": hex::encode(hash) });
    let subject = Subject::apart("Minutes", row.id.0).left(trail::state(ctx, &row)?);
    trail::record(&tx, ctx, &permit, subject, detail).await?;
    tx.commit().await?;
    Ok(row)
}

/// What was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Signed {
    /// A decision.
    Decision(DecisionId),
    /// Minutes.
    Minutes(MinutesId),
}

/// What records a signature.
#[derive(Clone, Debug, Serialize)]
pub struct RecordSignature {
    /// What was signed.
    pub signed: Signed,
    /// Scan or qualified.
    pub kind: Kind,
    /// SHA-256 of the file: the scan, or the signature with its report. It is kept elsewhere.
    pub file_hash: Hash,
    /// Who signed, by name and office, up to 200 characters.
    pub signer: String,
    /// The day on which it was signed.
    pub signed_on: NaiveDate,
    /// By which means a qualified signature was verified outside this service, and with which result, up to 2,000 characters. A scan is
    /// not verified, and has none.
    pub verification: Option<String>,
}

/// Records that somebody signed a decision or minutes. It says which digest was signed, by which kind of evidence, and who recorded it; the
/// service verifies nothing of it.
pub async fn sign(
    ctx: &Ctx,
    db: &Db,
    idempotency_key: &str,
    input: RecordSignature,
) -> Result<signature::Model> {
    let permit = authorize_write(ctx, db, Action::SignatureRecord).await?;
    check(ctx, &input)?;
    let tx = db.begin_write().await?;
    let path = match input.signed {
        Signed::Decision(_) => "input.decisionId",
        Signed::Minutes(_) => "input.minutesId",
    };
    let (paper, decision_id, minutes_id, content_hash) = signed(&tx, ctx, input.signed, path).await?;
    let paper = lock_paper(&tx, ctx, paper, path).await?;
    let claim = match claim(&tx, ctx, idempotency_key, "recordSignature", &input).await? {
        Claimed::New(claim) => claim,
        Claimed::Repeated(id) => {
            return required(signature::Entity::find_by_id(SignatureId(id)).one(&tx).await?);
        }
    };
    must_be_open(&paper, Act::Sign, path)?;
    let row = signature::ActiveModel {
        id: Set(SignatureId(ctx.new_id())),
        paper_id: Set(paper.id),
        decision_id: Set(decision_id),
        minutes_id: Set(minutes_id),
        content_hash: Set(content_hash),
        kind: Set(input.kind),
        file_hash: Set(input.file_hash.to_vec()),
        signer: Set(input.signer),
        signed_on: Set(input.signed_on),
        verification: Set(input.verification),
        recorded_by: Set(ctx.caller.subject.clone()),
        recorded_at: Set(ctx.now()),
    }
    .insert(&tx)
    .await?;
    claim.remember(&tx, ctx, row.id.0).await?;
    let detail = json!({
        "paper": row.paper_id, "decision": row.decision_id, "minutes": row.minutes_id, "kind": row.kind,
        "content": hex::encode(&row.content_hash), "file": hex::encode(&row.file_hash),
    });
    let subject = Subject::apart("Signature", row.id.0).left(trail::state(ctx, &row)?);
    trail::record(&tx, ctx, &permit, subject, detail).await?;
    tx.commit().await?;
    Ok(row)
}

fn check(ctx: &Ctx, input: &RecordSignature) -> Result<()> {
    let mut refusals = Vec::new();
    refusals.extend(text("input.signer", &input.signer, 200));
    let path = "input.verification";
    match (input.kind, &input.verification) {
        (Kind::Qualified, given) => {
            refusals.extend(text(path, given.as_deref().unwrap_or_default(), 2_000));
        }
        (Kind::Scan, Some(given)) => {
            refusals.extend(optional_text(path, given, 2_000));
            refusals.push(Refusal::new(Code::InvalidValue, path));
        }
        (Kind::Scan, None) => {}
    }
    if input.signed_on > ctx.now().date_naive() {
        refusals.push(Refusal::new(Code::InvalidValue, "input.signedOn").with(input.signed_on));
    }
    if refusals.is_empty() {
        Ok(())
    } else {
        Err(Error::Refused(refusals))
    }
}

type Found = (PaperId, Option<DecisionId>, Option<MinutesId>, Vec<u8>);

/// The paper of what was signed, and the digest of that.
async fn signed(tx: &DatabaseTransaction, ctx: &Ctx, signed: Signed, path: &str) -> Result<Found> {
    let reader = ctx.caller.papers(ctx.now());
    match signed {
        Signed::Decision(id) => decision::Entity::visible_to(&reader)
            .filter(decision::Column::Id.eq(id))
            .one(tx)
            .await?
            .map(|row| (row.paper_id, Some(row.id), None, row.decision_hash))
            .ok_or_else(|| Error::refused(Code::NotFound, path)),
        Signed::Minutes(id) => minutes::Entity::visible_to(&reader)
            .filter(minutes::Column::Id.eq(id))
            .one(tx)
            .await?
            .map(|row| (row.paper_id, None, Some(row.id), row.content_hash))
            .ok_or_else(|| Error::refused(Code::NotFound, path)),
    }
}

/// Minutes of papers the caller may see, oldest first.
pub async fn minutes_of(ctx: &Ctx, db: &Db, of: &[PaperId]) -> Result<Vec<minutes::Model>> {
    authorize(ctx, Action::PaperRead)?;
    Ok(minutes::Entity::visible_to(&ctx.caller.papers(ctx.now()))
        .filter(among(db.reader(), minutes::Column::PaperId, of.iter().copied()))
        .order_by_asc(minutes::Column::Edition)
        .all(db.reader())
        .await?)
}

/// Signatures recorded for papers the caller may see, oldest first.
pub async fn signatures_of(ctx: &Ctx, db: &Db, of: &[PaperId]) -> Result<Vec<signature::Model>> {
    authorize(ctx, Action::PaperRead)?;
    Ok(signature::Entity::visible_to(&ctx.caller.papers(ctx.now()))
        .filter(among(db.reader(), signature::Column::PaperId, of.iter().copied()))
        .order_by_asc(signature::Column::Id)
        .all(db.reader())
        .await?)
}

/// Which decisions are listed; what is not named does not restrict.
#[derive(Clone, Copy, Debug, Default)]
pub struct DecisionFilter {
    /// Of this body.
    pub body: Option<BodyId>,
    /// With this outcome.
    pub outcome: Option<Outcome>,
    /// That this body has to be told, or was.
    pub tells: Option<BodyId>,
}

/// Decisions the caller may see, newest first. The count only where asked for.
pub async fn decisions(
    ctx: &Ctx,
    db: &Db,
    filter: &DecisionFilter,
    args: &PageArgs,
    counted: bool,
) -> Result<(Page<decision::Model>, Option<u64>)> {
    authorize(ctx, Action::PaperRead)?;
    let mut select = decision::Entity::visible_to(&ctx.caller.papers(ctx.now()));
    if let Some(body) = filter.body {
        select = select.filter(decision::Column::BodyId.eq(body));
    }
    if let Some(outcome) = filter.outcome {
        select = select.filter(decision::Column::Outcome.eq(outcome));
    }
    if let Some(tells) = filter.tells {
        select = select.filter(decision::Column::TellsBodyId.eq(tells));
    }
    let total = if counted {
        Some(select.clone().count(db.reader()).await?)
    } else {
        None
    };
    Ok((
        page::by_id(select, decision::Column::Id, true, args, db.reader()).await?,
        total,
    ))
}

/// Decisions by id, those the caller may see.
pub async fn find_decisions(ctx: &Ctx, db: &Db, ids: &[DecisionId]) -> Result<Vec<decision::Model>> {
    authorize(ctx, Action::PaperRead)?;
    Ok(decision::Entity::visible_to(&ctx.caller.papers(ctx.now()))
        .filter(among(db.reader(), decision::Column::Id, ids.iter().copied()))
        .all(db.reader())
        .await?)
}

/// A decision by which something may be done: the motion holds, and the paper was about this. For whatever cites one; `path` is where
/// the input names it.
pub async fn adopted(
    db: &impl ConnectionTrait,
    id: DecisionId,
    matter: paper::Matter,
    path: &str,
) -> Result<decision::Model> {
    let missing = || Error::refused(Code::NotFound, path);
    let row = decision::Entity::find_by_id(id)
        .one(db)
        .await?
        .ok_or_else(missing)?;
    let paper = required(paper::Entity::find_by_id(row.paper_id).one(db).await?)?;
    if row.outcome == Outcome::Adopted && paper.matter == matter {
        Ok(row)
    } else {
        Err(missing())
    }
}
