//! Opening, closing and finding engagements.

use chrono::Datelike;
use entity::engagement::{ActiveModel, Column, Entity, Model, State};
use entity::{EngagementId, Scope, deadline, population, population_import, sample, sample_item};
use sea_orm::sea_query::Query;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, PaginatorTrait,
    QueryFilter, QuerySelect, Set,
};
use serde::Serialize;
use serde_json::json;

use super::rules::{Open, check_open, number};
use crate::access::{Action, Aggregate, authorize, authorize_write};
use crate::db::among;
use crate::db::one_at_a_time;
use crate::error::{must_be_version, required};
use crate::idempotency::{Claimed, claim};
use crate::page::{self, Page, PageArgs};
use crate::trail::{self, Subject};
use crate::{Code, Ctx, Db, EngagementKey, Error, Result};

const NUMBER_GATE: i64 = 0x50_02;

/// Opens an engagement under the next number of the year.
pub async fn open(ctx: &Ctx, db: &Db, idempotency_key: &str, input: Open) -> Result<Model> {
    let permit = authorize_write(ctx, db, Action::EngagementOpen).await?;
    let refusals = check_open(&input);
    if !refusals.is_empty() {
        return Err(Error::Refused(refusals));
    }
    let tx = db.begin_write().await?;
    one_at_a_time(&tx, NUMBER_GATE).await?;
    let claim = match claim(&tx, ctx, idempotency_key, "openEngagement", &input).await? {
        Claimed::New(claim) => claim,
        Claimed::Repeated(id) => return required(Entity::find_by_id(EngagementId(id)).one(&tx).await?),
    };
    let now = ctx.now();
    let last: Option<i32> = Entity::find()
        .filter(Column::Year.eq(now.year()))
        .select_only()
        .column_as(Column::Serial.max(), "serial")
        .into_tuple::<Option<i32>>()
        .one(&tx)
        .await?
        .flatten();
    let serial = last.unwrap_or(0) + 1;
    let id = EngagementId(ctx.new_id());
    let key: [u8; 32] = ctx.sources.random_bytes();
    let sealed_key = ctx
        .sources
        .vault()
        .seal(ctx.sources.random_bytes(), id.0.as_bytes(), &key)?;
    let row = ActiveModel {
        id: Set(id),
        year: Set(now.year()),
        serial: Set(serial),
        number: Set(number(now.year(), serial)),
        title: Set(input.title),
        function: Set(input.function),
        objective: Set(input.objective),
        legal_basis: Set(input.legal_basis),
        period_from: Set(input.period_from),
        period_to: Set(input.period_to),
        state: Set(State::Open),
        sealed_key: Set(sealed_key),
        opened_by: Set(ctx.caller.subject.clone()),
        opened_at: Set(now),
        closed_by: Set(None),
        closed_at: Set(None),
        closing_note: Set(None),
        version: Set(1),
        restriction: Set(None),
    }
    .insert(&tx)
    .await?;
    claim.remember(&tx, ctx, id.0).await?;
    let subject = Subject::new("Engagement", id.0, id).left(trail::state(ctx, &row)?);
    trail::record(
        &tx,
        ctx,
        &permit,
        subject,
        json!({ "number": row.number, "function": row.function }),
    )
    .await?;
    tx.commit().await?;
    Ok(row)
}

/// What closes an engagement.
#[derive(Clone, Debug, Serialize)]
pub struct Close {
    /// The engagement.
    pub id: EngagementId,
    /// The version the caller saw.
    pub expected_version: i32,
    /// What is said at closing; needed where work is left undone.
    pub note: Option<String>,
}

/// Closes an engagement. Planned samples, unchecked items and running deadlines need a note that says why; a running import has to end
/// first.
pub async fn close(ctx: &Ctx, db: &Db, input: Close) -> Result<Model> {
    let permit = authorize_write(ctx, db, Action::EngagementClose).await?;
    let tx = db.begin_write().await?;
    let row = lock_open(&tx, ctx, input.id, "input.id").await?;
    must_be_version(row.version, input.expected_version)?;
    let note = input.note.filter(|note| !note.trim().is_empty());
    if let Some(refusal) = note
        .as_deref()
        .and_then(|note| crate::refusal::text("input.note", note, 4_000))
    {
        return Err(Error::Refused(vec![refusal]));
    }
    let running = running_imports(&tx, input.id).await?;
    if running > 0 {
        return Err(Error::refused(Code::ImportRunning, "input.id"));
    }
    let open = open_work(&tx, ctx.caller.scope(ctx.now()), input.id).await?;
    if let (Some(open), None) = (&open, &note) {
        return Err(Error::refused_with(
            Code::EngagementHasOpenWork,
            "input.note",
            open,
        ));
    }
    let (version, before) = (row.version + 1, trail::state(ctx, &row)?);
    let mut change: ActiveModel = row.into();
    change.state = Set(State::Closed);
    change.closed_by = Set(Some(ctx.caller.subject.clone()));
    change.closed_at = Set(Some(ctx.now()));
    change.closing_note = Set(note);
    change.version = Set(version);
    let row = change.update(&tx).await?;
    let subject = Subject::new("Engagement", row.id.0, row.id).changed(before, trail::state(ctx, &row)?);
    trail::record(&tx, ctx, &permit, subject, json!({ "open": open })).await?;
    tx.commit().await?;
    Ok(row)
}

/// What restricts an engagement, or lifts its restriction.
#[derive(Clone, Debug)]
pub struct Restrict {
    /// The engagement.
    pub id: EngagementId,
    /// Why, up to 4,000 characters.
    pub reason: String,
}

/// Keeps from every Bezirksstelle who from outside read its items in the engagement.
pub async fn restrict(ctx: &Ctx, db: &Db, input: Restrict) -> Result<Model> {
    set_restriction(ctx, db, input, true).await
}

/// Lets each Bezirksstelle be told again, also of what was read meanwhile.
pub async fn lift_restriction(ctx: &Ctx, db: &Db, input: Restrict) -> Result<Model> {
    set_restriction(ctx, db, input, false).await
}

async fn set_restriction(ctx: &Ctx, db: &Db, input: Restrict, restricted: bool) -> Result<Model> {
    let permit = authorize_write(ctx, db, Action::EngagementRestrict).await?;
    if let Some(refusal) = crate::refusal::text("input.reason", &input.reason, 4_000) {
        return Err(Error::Refused(vec![refusal]));
    }
    let tx = db.begin_write().await?;
    let row = lock(&tx, ctx, input.id, "input.id").await?;
    if row.restriction.is_some() == restricted {
        let code = if restricted {
            Code::EngagementRestricted
        } else {
            Code::EngagementNotRestricted
        };
        return Err(Error::refused(code, "input.id"));
    }
    let before = trail::state(ctx, &row)?;
    let detail = json!({ "restricted": restricted, "reason": input.reason });
    let mut change: ActiveModel = row.into();
    change.restriction = Set(restricted.then_some(input.reason));
    let row = change.update(&tx).await?;
    let subject = Subject::new("Engagement", row.id.0, row.id).changed(before, trail::state(ctx, &row)?);
    trail::record(&tx, ctx, &permit, subject, detail).await?;
    tx.commit().await?;
    Ok(row)
}

async fn running_imports(tx: &DatabaseTransaction, id: EngagementId) -> Result<u64> {
    Ok(population_import::Entity::find()
        .filter(population_import::Column::State.eq(population_import::State::Running))
        .filter(
            population_import::Column::PopulationId.in_subquery(
                Query::select()
                    .column(population::Column::Id)
                    .from(population::Entity)
                    .cond_where(population::Column::EngagementId.eq(id))
                    .to_owned(),
            ),
        )
        .count(tx)
        .await?)
}

/// What is left undone, in words of counts.
async fn open_work(tx: &DatabaseTransaction, scope: Scope, id: EngagementId) -> Result<Option<String>> {
    let planned = sample::Entity::find()
        .filter(sample::Column::EngagementId.eq(id))
        .filter(sample::Column::State.eq(sample::State::Planned))
        .count(tx)
        .await?;
    let unchecked = sample_item::Entity::visible_to(&Aggregate::OpenWork.rows(scope))
        .filter(sample_item::Column::EngagementId.eq(id))
        .filter(
            sample_item::Column::State.is_not_in([sample_item::State::Checked, sample_item::State::Replaced]),
        )
        .count(tx)
        .await?;
    let running = deadline::Entity::find()
        .filter(deadline::Column::EngagementId.eq(id))
        .filter(deadline::Column::State.is_in([
            deadline::State::NotStarted,
            deadline::State::Running,
            deadline::State::Stopped,
        ]))
        .count(tx)
        .await?;
    let deadlines = if running > 0 {
        format!(", Fristen/deadlines {running}")
    } else {
        String::new()
    };
    Ok((planned + unchecked + running > 0)
        .then(|| format!("Stichproben/samples {planned}, Positionen/items {unchecked}{deadlines}")))
}

/// The engagement, if the caller may see it.
pub async fn find(ctx: &Ctx, db: &Db, id: EngagementId) -> Result<Option<Model>> {
    Ok(find_many(ctx, db, &[id]).await?.pop())
}

/// The engagement with this number, if the caller may see it.
pub async fn by_number(ctx: &Ctx, db: &Db, number: &str) -> Result<Option<Model>> {
    authorize(ctx, Action::EngagementRead)?;
    let visible = Entity::visible_to(&ctx.caller.scope(ctx.now()));
    Ok(visible.filter(Column::Number.eq(number)).one(db.reader()).await?)
}

/// Engagements by id, those the caller may see.
pub async fn find_many(ctx: &Ctx, db: &Db, ids: &[EngagementId]) -> Result<Vec<Model>> {
    authorize(ctx, Action::EngagementRead)?;
    Ok(Entity::visible_to(&ctx.caller.scope(ctx.now()))
        .filter(among(db.reader(), Column::Id, ids.iter().copied()))
        .all(db.reader())
        .await?)
}

/// Engagements the caller may see, newest first; the count only where asked for.
pub async fn list(
    ctx: &Ctx,
    db: &Db,
    state: Option<State>,
    args: &PageArgs,
    counted: bool,
) -> Result<(Page<Model>, Option<u64>)> {
    authorize(ctx, Action::EngagementRead)?;
    let mut select = Entity::visible_to(&ctx.caller.scope(ctx.now()));
    if let Some(state) = state {
        select = select.filter(Column::State.eq(state));
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

/// The visible engagement, locked until the transaction ends: what hangs on it is numbered under this lock. Every
/// transaction that locks more than one row locks the engagement first.
pub(crate) async fn lock(tx: &DatabaseTransaction, ctx: &Ctx, id: EngagementId, path: &str) -> Result<Model> {
    lock_within(tx, &ctx.caller.scope(ctx.now()), id, path).await
}

/// The engagement within a scope, locked: whoever has a part in it may know nothing else of it.
pub(crate) async fn lock_within(
    tx: &DatabaseTransaction,
    scope: &Scope,
    id: EngagementId,
    path: &str,
) -> Result<Model> {
    Entity::visible_to(scope)
        .filter(Column::Id.eq(id))
        .lock_exclusive()
        .one(tx)
        .await?
        .ok_or_else(|| Error::refused(Code::NotFound, path))
}

/// Refuses a closed engagement. After the look-up of an idempotency key: a repeat is answered whatever happened since.
pub(crate) fn must_be_open(row: &Model, path: &str) -> Result<()> {
    match row.state {
        State::Open => Ok(()),
        State::Closed => Err(Error::refused(Code::EngagementClosed, path)),
    }
}

/// The visible, open engagement, locked.
pub(crate) async fn lock_open(
    tx: &DatabaseTransaction,
    ctx: &Ctx,
    id: EngagementId,
    path: &str,
) -> Result<Model> {
    let row = lock(tx, ctx, id, path).await?;
    must_be_open(&row, path)?;
    Ok(row)
}

/// The key of an engagement's pseudonyms.
pub(crate) async fn key(ctx: &Ctx, db: &impl ConnectionTrait, id: EngagementId) -> Result<EngagementKey> {
    let row = required(Entity::find_by_id(id).one(db).await?)?;
    if row.sealed_key.is_empty() {
        // Destroyed with the case numbers, a year after the end.
        return Err(Error::refused(Code::EngagementClosed, "input.populationId"));
    }
    Ok(EngagementKey::new(
        &ctx.sources.vault().open(id.0.as_bytes(), &row.sealed_key)?,
    ))
}
