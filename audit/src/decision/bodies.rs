//! Setting bodies up, and who sits in them.

use chrono::{DateTime, Utc};
use entity::body::{ActiveModel, Column, Entity, Model};
use entity::{BodyId, SeatId, jobcenter, seat};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, Condition, ConnectionTrait, DatabaseTransaction,
    EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, Set,
};
use serde::Serialize;
use serde_json::json;

use super::body::{Body, Rules, SeatKind, Settings};
use super::presets::{bodies, body};
use crate::access::{Action, Permit, authorize, authorize_write};
use crate::db::{among, one_at_a_time};
use crate::error::{must_be_version, required};
use crate::idempotency::{Claimed, claim};
use crate::refusal::{optional_text, text};
use crate::trail::{self, Subject};
use crate::{Code, Ctx, Db, Error, Result};

const SETUP_GATE: i64 = 0x50_22;
/// Longest subject of a token.
const MAX_PERSON: usize = 200;
/// Longest reason.
const MAX_REASON: usize = 4_000;

/// Makes the bodies of the Jobcenter's preset where they are missing, and gives them the rules that the operator set. A paper that was
/// called before keeps the rules of its call.
pub async fn set_up(ctx: &Ctx, db: &Db, settings: &Settings) -> Result<()> {
    let Some(jobcenter) = jobcenter::Entity::find().one(db.reader()).await? else {
        return Ok(());
    };
    if as_set(db.reader(), &jobcenter.preset, settings).await? {
        return Ok(());
    }
    let permit = Permit::own_work(Action::JobcenterSetUp);
    let tx = db.begin_write().await?;
    one_at_a_time(&tx, SETUP_GATE).await?;
    let known = Entity::find().all(&tx).await?;
    for body in bodies(&jobcenter.preset) {
        let rules = spelled(&body.rules.with(settings))?;
        let row = match known.iter().find(|row| row.key == body.key) {
            Some(row) if row.rules == rules => continue,
            Some(row) => {
                let before = trail::state(ctx, row)?;
                let mut change: ActiveModel = row.clone().into();
                change.rules = Set(rules);
                change.version = Set(row.version + 1);
                let row = change.update(&tx).await?;
                let subject = subject(&row).changed(before, trail::state(ctx, &row)?);
                (row, subject)
            }
            None => {
                let row = ActiveModel {
                    id: Set(BodyId(ctx.new_id())),
                    key: Set(body.key.to_owned()),
                    name: Set(body.name.to_owned()),
                    rules: Set(rules),
                    version: Set(1),
                }
                .insert(&tx)
                .await?;
                let subject = subject(&row).left(trail::state(ctx, &row)?);
                (row, subject)
            }
        };
        let (row, subject) = row;
        let detail = json!({ "body": row.key, "rules": body.rules.with(settings) });
        trail::record(&tx, ctx, &permit, subject, detail).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Whether every body is there, with these rules.
async fn as_set(db: &impl ConnectionTrait, preset: &str, settings: &Settings) -> Result<bool> {
    let known = Entity::find().all(db).await?;
    for body in bodies(preset) {
        let rules = spelled(&body.rules.with(settings))?;
        if !known.iter().any(|row| row.key == body.key && row.rules == rules) {
            return Ok(false);
        }
    }
    Ok(true)
}

const fn subject(row: &Model) -> Subject {
    Subject::apart("Body", row.id.0)
}

fn spelled(rules: &Rules) -> Result<String> {
    serde_json::to_string(rules).map_err(|error| Error::internal(error.to_string()))
}

/// The rules that a row keeps.
pub fn rules(kept: &str) -> Result<Rules> {
    serde_json::from_str(kept).map_err(|error| Error::internal(error.to_string()))
}

/// What the preset says of a body.
pub fn described(row: &Model) -> Result<&'static Body> {
    required(body(&row.key))
}

/// All bodies by name: a handful.
pub async fn list(ctx: &Ctx, db: &Db) -> Result<Vec<Model>> {
    authorize(ctx, Action::PaperRead)?;
    Ok(Entity::visible_to(&ctx.caller.papers(ctx.now()))
        .order_by_asc(Column::Key)
        .all(db.reader())
        .await?)
}

/// Bodies by id, those the caller may see.
pub async fn find_many(ctx: &Ctx, db: &Db, ids: &[BodyId]) -> Result<Vec<Model>> {
    authorize(ctx, Action::PaperRead)?;
    Ok(Entity::visible_to(&ctx.caller.papers(ctx.now()))
        .filter(among(db.reader(), Column::Id, ids.iter().copied()))
        .all(db.reader())
        .await?)
}

/// Who sits in bodies and who sat there, by kind, place and time.
pub async fn seats_of(ctx: &Ctx, db: &Db, of: &[BodyId]) -> Result<Vec<seat::Model>> {
    authorize(ctx, Action::PaperRead)?;
    Ok(seat::Entity::visible_to(&ctx.caller.papers(ctx.now()))
        .filter(among(db.reader(), seat::Column::BodyId, of.iter().copied()))
        .order_by_asc(seat::Column::Kind)
        .order_by_asc(seat::Column::Place)
        .order_by_asc(seat::Column::SeatedFrom)
        .order_by_asc(seat::Column::Id)
        .all(db.reader())
        .await?)
}

/// What records that somebody sits in a body.
#[derive(Clone, Debug, Serialize)]
pub struct SeatMember {
    /// The body.
    pub body_id: BodyId,
    /// Which kind of seat, as the preset names it.
    pub kind: String,
    /// Which of the seats of its kind, from 1.
    pub place: i32,
    /// The member, by the subject of the token.
    pub holder: String,
    /// Who votes where the member does not.
    pub deputy: Option<String>,
    /// Who named them, up to 200 characters.
    pub named_by: String,
    /// Since when; from now on where it is not said.
    pub seated_from: Option<DateTime<Utc>>,
}

/// Records that somebody sits in a body. A seat is taken by one member at a time, and nobody has two seats of a body.
pub async fn seat_member(
    ctx: &Ctx,
    db: &Db,
    idempotency_key: &str,
    input: SeatMember,
) -> Result<seat::Model> {
    let permit = authorize_write(ctx, db, Action::SeatFill).await?;
    let mut refusals = Vec::new();
    refusals.extend(text("input.holder", &input.holder, MAX_PERSON));
    refusals.extend(text("input.namedBy", &input.named_by, MAX_PERSON));
    if let Some(deputy) = &input.deputy {
        refusals.extend(text("input.deputy", deputy, MAX_PERSON));
    }
    if !refusals.is_empty() {
        return Err(Error::Refused(refusals));
    }
    let tx = db.begin_write().await?;
    let body = lock(&tx, ctx, input.body_id, "input.bodyId").await?;
    let claim = match claim(&tx, ctx, idempotency_key, "seatMember", &input).await? {
        Claimed::New(claim) => claim,
        Claimed::Repeated(id) => return required(seat::Entity::find_by_id(SeatId(id)).one(&tx).await?),
    };
    if described(&body)?
        .kind(&input.kind)
        .is_none_or(|kind| !(1..=kind.most).contains(&input.place))
    {
        let seat = format!("{}/{}", input.kind, input.place);
        return Err(Error::refused_with(Code::SeatUnknown, "input.kind", seat));
    }
    let from = input.seated_from.unwrap_or_else(|| ctx.now());
    free(&tx, &input, from).await?;
    let row = seat::ActiveModel {
        id: Set(SeatId(ctx.new_id())),
        body_id: Set(body.id),
        kind: Set(input.kind),
        place: Set(input.place),
        holder: Set(input.holder),
        deputy: Set(input.deputy),
        named_by: Set(input.named_by),
        seated_from: Set(from),
        seated_until: Set(None),
        recorded_by: Set(ctx.caller.subject.clone()),
        recorded_at: Set(ctx.now()),
        released_by: Set(None),
        release_reason: Set(None),
        version: Set(1),
    }
    .insert(&tx)
    .await?;
    claim.remember(&tx, ctx, row.id.0).await?;
    let detail = json!({ "body": body.key, "seat": row.kind, "place": row.place });
    let subject = Subject::apart("Seat", row.id.0).left(trail::state(ctx, &row)?);
    trail::record(&tx, ctx, &permit, subject, detail).await?;
    tx.commit().await?;
    Ok(row)
}

/// Refuses a seat that is taken from then on, and a person who has another one.
async fn free(tx: &DatabaseTransaction, input: &SeatMember, from: DateTime<Utc>) -> Result<()> {
    if input.deputy.as_ref() == Some(&input.holder) {
        return Err(Error::refused_with(
            Code::SeatPersonTwice,
            "input.deputy",
            &input.holder,
        ));
    }
    let later = Condition::any()
        .add(seat::Column::SeatedUntil.is_null())
        .add(seat::Column::SeatedUntil.gt(from));
    let others = seat::Entity::find()
        .filter(seat::Column::BodyId.eq(input.body_id))
        .filter(later)
        .all(tx)
        .await?;
    if others
        .iter()
        .any(|other| other.kind == input.kind && other.place == input.place)
    {
        return Err(Error::refused(Code::SeatTaken, "input.place"));
    }
    for (path, person) in [
        ("input.holder", Some(&input.holder)),
        ("input.deputy", input.deputy.as_ref()),
    ] {
        let Some(person) = person else { continue };
        if others
            .iter()
            .any(|other| other.holder == *person || other.deputy.as_ref() == Some(person))
        {
            return Err(Error::refused_with(Code::SeatPersonTwice, path, person));
        }
    }
    Ok(())
}

/// What records that somebody no longer sits in a body.
#[derive(Clone, Debug)]
pub struct ReleaseSeat {
    /// Who sits there, and in which seat.
    pub id: SeatId,
    /// The version the caller saw.
    pub expected_version: i32,
    /// Why, up to 4,000 characters.
    pub reason: String,
}

/// Records that somebody no longer sits in a body, from now on. Votes cast before stay votes for the seat.
pub async fn release_seat(ctx: &Ctx, db: &Db, input: ReleaseSeat) -> Result<seat::Model> {
    let permit = authorize_write(ctx, db, Action::SeatFill).await?;
    if let Some(refusal) = text("input.reason", &input.reason, MAX_REASON) {
        return Err(Error::Refused(vec![refusal]));
    }
    let tx = db.begin_write().await?;
    let row = seat::Entity::visible_to(&ctx.caller.papers(ctx.now()))
        .filter(seat::Column::Id.eq(input.id))
        .lock_exclusive()
        .one(&tx)
        .await?
        .ok_or_else(|| Error::refused(Code::NotFound, "input.id"))?;
    if row.seated_until.is_some() {
        return Err(Error::refused(Code::SeatReleased, "input.id"));
    }
    must_be_version(row.version, input.expected_version)?;
    let before = trail::state(ctx, &row)?;
    let mut change: seat::ActiveModel = row.into();
    change.seated_until = Set(Some(ctx.now()));
    change.released_by = Set(Some(ctx.caller.subject.clone()));
    change.release_reason = Set(Some(input.reason));
    change.version = Set(input.expected_version + 1);
    let row = change.update(&tx).await?;
    let detail = json!({ "seat": row.kind, "place": row.place });
    let subject = Subject::apart("Seat", row.id.0).changed(before, trail::state(ctx, &row)?);
    trail::record(&tx, ctx, &permit, subject, detail).await?;
    tx.commit().await?;
    Ok(row)
}

/// A visible body, until the transaction ends for nobody else to change or to number papers of.
pub(super) async fn lock(tx: &DatabaseTransaction, ctx: &Ctx, id: BodyId, path: &str) -> Result<Model> {
    Entity::visible_to(&ctx.caller.papers(ctx.now()))
        .filter(Column::Id.eq(id))
        .lock_exclusive()
        .one(tx)
        .await?
        .ok_or_else(|| Error::refused(Code::NotFound, path))
}

/// Seats of a body that are taken now.
pub(super) async fn taken_now(
    db: &impl ConnectionTrait,
    id: BodyId,
    now: DateTime<Utc>,
) -> Result<Vec<seat::Model>> {
    Ok(seat::Entity::find()
        .filter(seat::Column::BodyId.eq(id))
        .filter(seat::taken(now))
        .all(db)
        .await?)
}

/// The kind of a seat.
pub(super) fn kind_of(body: &Body, seat: &seat::Model) -> Result<&'static SeatKind> {
    required(super::presets::body(body.key).and_then(|body| body.kind(&seat.kind)))
}

/// A reason that may be missing.
pub(super) fn optional(path: &str, given: Option<&String>) -> Option<crate::Refusal> {
    given.and_then(|given| optional_text(path, given, MAX_REASON))
}
