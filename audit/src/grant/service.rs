//! Proposing, issuing, ending, finding and using grants.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono::Datelike as _;
use entity::grant::{ActiveModel, BodyKind, Column, Coverage, Entity, Model, State};
use entity::{EngagementId, GrantId, bezirksstelle, engagement, trail_entry};
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, DatabaseTransaction, EntityTrait, PaginatorTrait, QueryFilter,
    QuerySelect, Set,
};
use serde::Serialize;
use serde_json::{Value, json};

use super::rules::{
    Details, Propose, Shown, Standing, Unusable, Verpflichtung, check, check_issue, check_reason,
    check_verpflichtung, classes_of, standing, stored_classes, usable,
};
use crate::access::{Action, FourEyes, Granted, Permit, authorize, authorize_write};
use crate::db::{among, one_at_a_time};
use crate::error::{must_be_version, required};
use crate::idempotency::{Claimed, claim};
use crate::page::{self, Page, PageArgs};
use crate::trail::{self, Subject};
use crate::{Code, Ctx, Db, Error, Result};

const NUMBER_GATE: i64 = 0x50_09;

/// The kind of a grant in the trail.
const KIND: &str = "Grant";

/// Proposes a grant. It opens nothing until a second person issues it.
pub async fn propose(ctx: &Ctx, db: &Db, idempotency_key: &str, input: Propose) -> Result<Model> {
    let permit = authorize_write(ctx, db, Action::GrantPropose).await?;
    let now = ctx.now();
    let proposed = check(&input, now).map_err(Error::Refused)?;
    if input.recipient_subject.as_deref() == Some(ctx.caller.subject.as_str()) {
        return Err(Error::refused(
            Code::GrantRecipientInvolved,
            "input.recipientSubject",
        ));
    }
    let tx = db.begin_write().await?;
    one_at_a_time(&tx, NUMBER_GATE).await?;
    let claim = match claim(&tx, ctx, idempotency_key, "proposeGrant", &input).await? {
        Claimed::New(claim) => claim,
        Claimed::Repeated(id) => return required(Entity::find_by_id(GrantId(id)).one(&tx).await?),
    };
    all_known(&tx, ctx, &input).await?;
    let last: Option<i32> = Entity::find()
        .filter(Column::Year.eq(now.year()))
        .select_only()
        .column_as(Column::Serial.max(), "serial")
        .into_tuple::<Option<i32>>()
        .one(&tx)
        .await?
        .flatten();
    let serial = last.unwrap_or(0) + 1;
    let bound = input.verpflichtung.as_ref();
    let row = ActiveModel {
        id: Set(GrantId(ctx.new_id())),
        year: Set(now.year()),
        serial: Set(serial),
        number: Set(format!("G-{}-{serial:03}", now.year())),
        kind: Set(input.kind),
        body_kind: Set(proposed.basis.body_kind),
        recipient_body: Set(input.recipient_body),
        recipient_name: Set(input.recipient_name),
        recipient_subject: Set(input.recipient_subject),
        recipient_key: Set(input.recipient_key),
        basis: Set(proposed.basis.code.to_owned()),
        purpose: Set(input.purpose),
        coverage: Set(
            serde_json::to_string(&proposed.coverage).map_err(|error| Error::internal(error.to_string()))?
        ),
        classes: Set(stored_classes(proposed.classes)),
        not_before: Set(whole(proposed.not_before)),
        expires_at: Set(Some(whole(proposed.expires_at))),
        read_budget: Set(Some(proposed.read_budget)),
        read_used: Set(0),
        addresses: Set(proposed.addresses),
        contract: Set(input.contract),
        team_role: Set(input.team_role),
        retrieval_procedure: Set(input.retrieval_procedure),
        verpflichtung_on: Set(bound.map(|given| given.on)),
        verpflichtung_text: Set(bound.map(|given| given.text.clone())),
        staff_instructed_on: Set(bound.and_then(|given| given.staff_instructed_on)),
        verpflichtung_recorded_by: Set(bound.map(|_| ctx.caller.subject.clone())),
        reads_withheld: Set(input.reads_withheld),
        state: Set(State::Proposed),
        proposed_by: Set(ctx.caller.subject.clone()),
        proposed_at: Set(now),
        issued_by: Set(None),
        issued_at: Set(None),
        ended_by: Set(None),
        ended_at: Set(None),
        end_reason: Set(None),
        version: Set(1),
    }
    .insert(&tx)
    .await?;
    claim.remember(&tx, ctx, row.id.0).await?;
    let detail = json!({
        "number": row.number, "kind": row.kind, "body": row.recipient_body, "basis": row.basis, "coverage": proposed.coverage,
        "classes": row.classes, "notBefore": row.not_before, "expiresAt": row.expires_at, "readBudget": row.read_budget,
    });
    tell(&tx, ctx, &permit, None, &row, detail).await?;
    tx.commit().await?;
    Ok(row)
}

/// In whole microseconds: what both databases keep.
fn whole(time: chrono::DateTime<chrono::Utc>) -> chrono::DateTime<chrono::Utc> {
    use chrono::SubsecRound as _;
    time.trunc_subsecs(6)
}

/// Engagements and Bezirksstellen have to be there. Closed engagements are granted like open ones.
async fn all_known(tx: &DatabaseTransaction, ctx: &Ctx, input: &Propose) -> Result<()> {
    let seen: HashSet<_> = engagement::Entity::visible_to(&ctx.caller.scope(ctx.now()))
        .filter(engagement::Column::Id.is_in(input.engagements.iter().copied()))
        .all(tx)
        .await?
        .into_iter()
        .map(|row| row.id)
        .collect();
    if let Some(place) = input.engagements.iter().position(|id| !seen.contains(id)) {
        return Err(Error::refused(
            Code::NotFound,
            &format!("input.engagementIds.{place}"),
        ));
    }
    let wanted = input.bezirksstellen.clone().unwrap_or_default();
    let known: HashSet<_> = bezirksstelle::Entity::find()
        .all(tx)
        .await?
        .into_iter()
        .map(|row| row.id)
        .collect();
    match wanted.iter().position(|id| !known.contains(id)) {
        None => Ok(()),
        Some(place) => Err(Error::refused(
            Code::NotFound,
            &format!("input.bezirksstelleIds.{place}"),
        )),
    }
}

/// What names a grant that is to change.
#[derive(Clone, Debug, Serialize)]
pub struct Change {
    /// The grant.
    pub id: GrantId,
    /// The version the caller saw.
    pub expected_version: i32,
}

/// What records a Verpflichtung.
#[derive(Clone, Debug, Serialize)]
pub struct RecordVerpflichtung {
    /// The grant.
    pub of: Change,
    /// What was signed, and when.
    pub verpflichtung: Verpflichtung,
}

/// What ends a grant.
#[derive(Clone, Debug, Serialize)]
pub struct End {
    /// The grant.
    pub of: Change,
    /// Why, up to 2,000 characters.
    pub reason: String,
}

/// The visible grant in the version the caller saw, locked until the transaction ends.
async fn locked(tx: &DatabaseTransaction, ctx: &Ctx, of: &Change) -> Result<Model> {
    let row = Entity::visible_to(&ctx.caller.grants())
        .filter(Column::Id.eq(of.id))
        .lock_exclusive()
        .one(tx)
        .await?
        .ok_or_else(|| Error::refused(Code::NotFound, "input.id"))?;
    must_be_version(row.version, of.expected_version)?;
    Ok(row)
}

/// Records the Verpflichtung of a proposed grant.
pub async fn record_verpflichtung(ctx: &Ctx, db: &Db, input: RecordVerpflichtung) -> Result<Model> {
    let permit = authorize_write(ctx, db, Action::GrantPropose).await?;
    let refusals = check_verpflichtung(&input.verpflichtung, ctx.now(), "input.verpflichtung");
    if !refusals.is_empty() {
        return Err(Error::Refused(refusals));
    }
    let tx = db.begin_write().await?;
    let row = locked(&tx, ctx, &input.of).await?;
    if row.state != State::Proposed {
        return Err(Error::refused(Code::GrantDecided, "input.id"));
    }
    let (given, version) = (input.verpflichtung, row.version + 1);
    let detail = json!({ "verpflichtung": given });
    let before = row_state(ctx, &row)?;
    let mut change: ActiveModel = row.into();
    change.verpflichtung_on = Set(Some(given.on));
    change.verpflichtung_text = Set(Some(given.text));
    change.staff_instructed_on = Set(given.staff_instructed_on);
    change.verpflichtung_recorded_by = Set(Some(ctx.caller.subject.clone()));
    change.version = Set(version);
    let row = change.update(&tx).await?;
    tell(&tx, ctx, &permit, Some(before), &row, detail).await?;
    tx.commit().await?;
    Ok(row)
}

/// Issues a proposed grant, as the second person.
pub async fn issue(ctx: &Ctx, db: &Db, input: Change) -> Result<Model> {
    let permit = authorize_write(ctx, db, Action::GrantIssue).await?;
    let tx = db.begin_write().await?;
    let row = locked(&tx, ctx, &input).await?;
    FourEyes::GrantIssue.another(ctx, [row.proposed_by.as_str()], "input.id")?;
    check_issue(&row, &ctx.caller.subject, ctx.now()).map_err(|code| Error::refused(code, "input.id"))?;
    let version = row.version + 1;
    let before = row_state(ctx, &row)?;
    let mut change: ActiveModel = row.into();
    change.state = Set(State::Issued);
    change.issued_by = Set(Some(ctx.caller.subject.clone()));
    change.issued_at = Set(Some(ctx.now()));
    change.version = Set(version);
    let row = change.update(&tx).await?;
    tell(
        &tx,
        ctx,
        &permit,
        Some(before),
        &row,
        json!({ "number": row.number }),
    )
    .await?;
    tx.commit().await?;
    Ok(row)
}

/// Gives up a grant that was not issued.
pub async fn withdraw(ctx: &Ctx, db: &Db, input: End) -> Result<Model> {
    let permit = authorize_write(ctx, db, Action::GrantPropose).await?;
    end(ctx, db, &permit, input, State::Proposed, State::Withdrawn).await
}

/// Takes an issued grant back, with effect on the next request.
pub async fn revoke(ctx: &Ctx, db: &Db, input: End) -> Result<Model> {
    let permit = authorize_write(ctx, db, Action::GrantRevoke).await?;
    end(ctx, db, &permit, input, State::Issued, State::Revoked).await
}

async fn end(ctx: &Ctx, db: &Db, permit: &Permit, input: End, from: State, to: State) -> Result<Model> {
    if let Some(refusal) = check_reason(&input.reason) {
        return Err(Error::Refused(vec![refusal]));
    }
    let tx = db.begin_write().await?;
    let row = locked(&tx, ctx, &input.of).await?;
    if row.state != from {
        let code = match from {
            State::Proposed => Code::GrantDecided,
            _ => Code::GrantNotIssued,
        };
        return Err(Error::refused(code, "input.id"));
    }
    let version = row.version + 1;
    let before = row_state(ctx, &row)?;
    let mut change: ActiveModel = row.into();
    change.state = Set(to);
    change.ended_by = Set(Some(ctx.caller.subject.clone()));
    change.ended_at = Set(Some(ctx.now()));
    change.end_reason = Set(Some(input.reason));
    change.version = Set(version);
    let row = change.update(&tx).await?;
    let detail = json!({ "state": row.state, "readUsed": row.read_used });
    tell(&tx, ctx, permit, Some(before), &row, detail).await?;
    tx.commit().await?;
    Ok(row)
}

/// Lifts end and budget of a public body's grant: they are our habit, not a limit of its right. What it reaches stays.
pub async fn lift(ctx: &Ctx, db: &Db, input: End) -> Result<Model> {
    let permit = authorize_write(ctx, db, Action::GrantLift).await?;
    if let Some(refusal) = check_reason(&input.reason) {
        return Err(Error::Refused(vec![refusal]));
    }
    let tx = db.begin_write().await?;
    let row = locked(&tx, ctx, &input.of).await?;
    if row.body_kind != BodyKind::Public {
        return Err(Error::refused(Code::GrantNotExtendable, "input.id"));
    }
    match standing(&row, ctx.now()) {
        Standing::Issued | Standing::Exhausted => {}
        Standing::Expired => return Err(Error::refused(Code::GrantNotExtendable, "input.id")),
        Standing::Proposed | Standing::Revoked | Standing::Withdrawn => {
            return Err(Error::refused(Code::GrantNotIssued, "input.id"));
        }
    }
    let detail =
        json!({ "reason": input.reason, "expiresAt": row.expires_at, "readBudget": row.read_budget });
    let version = row.version + 1;
    let before = row_state(ctx, &row)?;
    let mut change: ActiveModel = row.into();
    change.expires_at = Set(None);
    change.read_budget = Set(None);
    change.version = Set(version);
    let row = change.update(&tx).await?;
    tell(&tx, ctx, &permit, Some(before), &row, detail).await?;
    tx.commit().await?;
    Ok(row)
}

/// What is used of its budget is no part of its state: it changes with every read.
pub(crate) fn row_state(ctx: &Ctx, row: &Model) -> Result<trail::State> {
    let row = Model {
        read_used: 0,
        ..row.clone()
    };
    trail::state(ctx, &row)
}

async fn tell(
    tx: &DatabaseTransaction,
    ctx: &Ctx,
    permit: &Permit,
    before: Option<trail::State>,
    row: &Model,
    detail: Value,
) -> Result<()> {
    let (subject, after) = (Subject::apart(KIND, row.id.0), row_state(ctx, row)?);
    let subject = match before {
        Some(before) => subject.changed(before, after),
        None => subject.left(after),
    };
    trail::record(tx, ctx, permit, subject, detail).await
}

/// The grant, if the caller may see it.
pub async fn find(ctx: &Ctx, db: &Db, id: GrantId) -> Result<Option<Model>> {
    Ok(find_many(ctx, db, &[id]).await?.pop())
}

/// Grants by id, those the caller may see.
pub async fn find_many(ctx: &Ctx, db: &Db, ids: &[GrantId]) -> Result<Vec<Model>> {
    authorize(ctx, Action::GrantRead)?;
    Ok(Entity::visible_to(&ctx.caller.grants())
        .filter(among(db.reader(), Column::Id, ids.iter().copied()))
        .all(db.reader())
        .await?)
}

/// Grants the caller may see, newest first; the count only where asked for.
pub async fn list(ctx: &Ctx, db: &Db, args: &PageArgs, counted: bool) -> Result<(Page<Model>, Option<u64>)> {
    authorize(ctx, Action::GrantRead)?;
    let select = Entity::visible_to(&ctx.caller.grants());
    let total = if counted {
        Some(select.clone().count(db.reader()).await?)
    } else {
        None
    };
    let page = page::by_id(select, Column::Id, true, args, db.reader()).await?;
    Ok((page, total))
}

/// The trail of a grant, oldest first: proposed, issued, redeemed, ended, what was stated. For whoever may see the grant.
pub async fn trail(ctx: &Ctx, db: &Db, id: GrantId, args: &PageArgs) -> Result<Page<trail_entry::Model>> {
    if find(ctx, db, id).await?.is_none() {
        return Err(Error::refused(Code::NotFound, "id"));
    }
    trail::of_subject(db, KIND, id.0, args).await
}

/// An engagement as grants name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Id.
    pub id: EngagementId,
    /// The number people see.
    pub number: String,
    /// Title.
    pub title: String,
}

/// The engagements that grants name, of those the caller may see: whoever sees a grant sees what it is about.
pub async fn engagements_of(ctx: &Ctx, db: &Db, grants: &[GrantId]) -> Result<Vec<(GrantId, Vec<Named>)>> {
    let mut named = Vec::new();
    for grant in find_many(ctx, db, grants).await? {
        named.push((grant.id, details(&grant)?.coverage.engagements));
    }
    let ids: HashSet<EngagementId> = named.iter().flat_map(|(_, ids)| ids).copied().collect();
    let rows: Vec<(EngagementId, String, String)> = engagement::Entity::find()
        .filter(among(db.reader(), engagement::Column::Id, ids))
        .select_only()
        .column(engagement::Column::Id)
        .column(engagement::Column::Number)
        .column(engagement::Column::Title)
        .into_tuple()
        .all(db.reader())
        .await?;
    let known: HashMap<EngagementId, (String, String)> = rows
        .into_iter()
        .map(|(id, number, title)| (id, (number, title)))
        .collect();
    let name = |id: EngagementId| {
        let (number, title) = known.get(&id)?.clone();
        Some(Named { id, number, title })
    };
    Ok(named
        .into_iter()
        .map(|(grant, ids)| (grant, ids.into_iter().filter_map(name).collect()))
        .collect())
}

/// What a stored grant reaches and shows.
pub fn details(row: &Model) -> Result<Details> {
    let coverage: Coverage =
        serde_json::from_str(&row.coverage).map_err(|error| Error::internal(error.to_string()))?;
    Ok(Details {
        coverage,
        classes: classes_of(&row.classes),
    })
}

/// The grant a token names, as it stands now: read from the primary at every request, so that a revocation counts from
/// the next one on. Token and stored grant both hold: in every part the narrower wins.
pub async fn in_use(
    ctx: &Ctx,
    db: &Db,
    id: GrantId,
    holder: &str,
    told: &Details,
    shown: Shown<'_>,
) -> Result<Result<Granted, Unusable>> {
    let Some(row) = Entity::find_by_id(id).one(db.primary()).await? else {
        return Ok(Err(Unusable::Unknown));
    };
    if row.holder() != holder {
        return Ok(Err(Unusable::Unknown));
    }
    if let Err(why) = usable(&row, ctx.now(), shown) {
        return Ok(Err(why));
    }
    let held = details(&row)?.narrowed(told);
    Ok(Ok(Granted {
        id,
        kind: row.kind,
        coverage: Arc::new(held.coverage),
        classes: held.classes,
        recipient_name: row.recipient_name,
    }))
}

/// The grant that the caller, whom it names, is about to redeem, and what a token of it may say. Another's grant is no grant at
/// all.
pub async fn redeemable(
    ctx: &Ctx,
    db: &Db,
    id: GrantId,
    shown: Shown<'_>,
) -> Result<Result<(Model, Details), Unusable>> {
    let row = Entity::find_by_id(id).one(db.primary()).await?;
    let Some(row) = row.filter(|row| row.holder() == ctx.caller.subject) else {
        return Ok(Err(Unusable::Unknown));
    };
    if let Err(why) = usable(&row, ctx.now(), shown) {
        return Ok(Err(why));
    }
    let held = details(&row)?;
    Ok(Ok((row, held)))
}

/// Leaves the trail entry of a redemption, before its token goes out: every token begins here.
pub async fn redeem(ctx: &Ctx, db: &Db, row: &Model) -> Result<()> {
    let permit = Permit::own_work(Action::GrantRedeem);
    let subject = Subject::apart(KIND, row.id.0);
    let tx = db.begin_write().await?;
    trail::record(&tx, ctx, &permit, subject, json!({ "number": row.number })).await?;
    tx.commit().await?;
    Ok(())
}

/// Counts sample items that are about to be handed out under a grant. Refused, with nothing handed out, where the budget does
/// not hold them all, or where the grant was ended meanwhile: a long download ends with its grant.
pub(crate) async fn charge(ctx: &Ctx, db: &Db, items: usize) -> Result<()> {
    let Some(grant) = &ctx.caller.grant else {
        return Ok(());
    };
    if items == 0 {
        return Ok(());
    }
    let items = i64::try_from(items).map_err(|_| Error::internal("more items than can be counted"))?;
    let used = || Expr::col(Column::ReadUsed).add(items);
    let tx = db.begin_write().await?;
    let done = Entity::update_many()
        .col_expr(Column::ReadUsed, used())
        .filter(Column::Id.eq(grant.id))
        .filter(Column::State.eq(State::Issued))
        .filter(
            Condition::any()
                .add(Column::ExpiresAt.is_null())
                .add(Column::ExpiresAt.gt(ctx.now())),
        )
        .filter(
            Condition::any()
                .add(Column::ReadBudget.is_null())
                .add(used().lte(Expr::col(Column::ReadBudget))),
        )
        .exec(&tx)
        .await?;
    if done.rows_affected == 1 {
        tx.commit().await?;
        return Ok(());
    }
    let row = required(Entity::find_by_id(grant.id).one(&tx).await?)?;
    Err(match (standing(&row, ctx.now()), row.read_budget) {
        (Standing::Issued | Standing::Exhausted, Some(budget)) => {
            Error::refused_with(Code::GrantBudgetExceeded, "", budget - row.read_used)
        }
        _ => Error::refused(Code::GrantEnded, ""),
    })
}
