//! The scheduler: lets deadlines pass when their time has come, and tells of it.
//!
//! What is due is a row with a time. An instance takes a lease on it by compare-and-set, so that others leave it alone; what happens
//! then, state, notices, entry and the next time, is one transaction that holds only with that lease. An instance that dies leaves a
//! lease that ends. A clock that is put back does nothing twice: what happened is told by the state, not by the time.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use entity::deadline::{ActiveModel, Expiry, State};
use entity::deadline_due::{Column, Entity, Model};
use entity::notice::Kind as Tells;
use entity::{Scope, deadline, engagement};
use sea_orm::sea_query::{LockBehavior, LockType};
use sea_orm::{
    ColumnTrait as _, Condition, DatabaseTransaction, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, Set,
};
use uuid::Uuid;

use super::calendar::Calendar;
use super::notice::{For, setter, tell, tell_addressee};
use super::period::day_of;
use super::rules::{self, Event, To, ladder, rung_at};
use super::service::{Deadline, change, look_at, state_of, with_dates};
use crate::access::{Action, Permit};
use crate::{Ctx, Db, Result, Sources};

/// How long an instance may take. Who is slower does nothing wrong: the lease is looked at again.
const LEASE: TimeDelta = TimeDelta::minutes(2);

/// Does all that is due: how much that was. What fails is left, with its lease, to whoever comes after; the first failure is told once
/// the rest is done.
pub async fn run(sources: &Arc<Sources>, db: &Db, calendar: &Calendar) -> Result<u64> {
    let ctx = Ctx::system(sources.clone());
    let (mut done, mut failed) = (0, None);
    while let Some(lease) = take(&ctx, db).await? {
        match act(&ctx, db, calendar, &lease).await {
            Ok(acted) => done += u64::from(acted),
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    failed.map_or(Ok(done), Err)
}

struct Lease {
    due: Model,
    id: Uuid,
}

/// What is due and leased by nobody. A lease from the future is that of a clock that was put back, and is none.
fn free(now: DateTime<Utc>) -> Condition {
    Condition::all().add(Column::At.lte(now)).add(
        Condition::any()
            .add(Column::Lease.is_null())
            .add(Column::LeasedUntil.lte(now))
            .add(Column::LeasedAt.gt(now)),
    )
}

/// Takes a lease on what is due longest.
async fn take(ctx: &Ctx, db: &Db) -> Result<Option<Lease>> {
    let now = ctx.now();
    let looked = Entity::find().filter(free(now)).one(db.primary()).await?;
    if looked.is_none() {
        return Ok(None);
    }
    let tx = db.begin_write().await?;
    let mut select = Entity::find().filter(free(now)).order_by_asc(Column::At).limit(1);
    if db.is_postgres() {
        select = select.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
    }
    let Some(due) = select.one(&tx).await? else {
        tx.rollback().await?;
        return Ok(None);
    };
    let id = ctx.new_id();
    let unchanged = match due.lease {
        Some(lease) => Column::Lease.eq(lease),
        None => Column::Lease.is_null(),
    };
    let leased = Entity::update_many()
        .set(entity::deadline_due::ActiveModel {
            lease: Set(Some(id)),
            leased_at: Set(Some(now)),
            leased_until: Set(Some(now + LEASE)),
            ..Default::default()
        })
        .filter(Column::DeadlineId.eq(due.deadline_id))
        .filter(unchanged)
        .exec(&tx)
        .await?
        .rows_affected;
    tx.commit().await?;
    Ok((leased == 1).then_some(Lease { due, id }))
}

/// Does what is due, if the lease still holds and it still is.
async fn act(ctx: &Ctx, db: &Db, calendar: &Calendar, lease: &Lease) -> Result<bool> {
    let tx = db.begin_write().await?;
    let id = lease.due.deadline_id;
    let of = with_dates(&tx, id).await?.row.engagement_id;
    // Every transaction that locks more than one row locks the engagement first.
    let engagement = crate::engagement::lock_within(&tx, &Scope::Everything, of, "").await?;
    let held = Entity::find_by_id(id)
        .filter(Column::Lease.eq(lease.id))
        .filter(Column::At.lte(ctx.now()))
        .one(&tx)
        .await?;
    if held.is_none() {
        tx.rollback().await?;
        return Ok(false);
    }
    let deadline = with_dates(&tx, id).await?;
    let acted = if engagement.state == engagement::State::Closed {
        look_at(&tx, id, None).await?;
        false
    } else {
        step(&tx, ctx, calendar, deadline).await?
    };
    tx.commit().await?;
    Ok(acted)
}

async fn step(tx: &DatabaseTransaction, ctx: &Ctx, calendar: &Calendar, deadline: Deadline) -> Result<bool> {
    let (state, expiry) = (deadline.row.state, deadline.row.expiry);
    let place = usize::try_from(deadline.row.rung).unwrap_or_default();
    let today = day_of(ctx.now());
    let rung = ladder(expiry).get(place);
    let before = state_of(ctx, &deadline)?;
    let mut changed: ActiveModel = deadline.row.clone().into();
    let next = match (rules::next(state, Event::Expire, expiry), state, rung) {
        (Some(expired), ..) => {
            changed.state = Set(expired);
            let yesterday = today.pred_opt().unwrap_or(today);
            let from = deadline.row.ends_on.map_or(yesterday, |day| day.max(yesterday));
            rung_at(calendar, expiry, 0, from)
        }
        (None, State::Expired, Some(_)) => {
            changed.rung = Set(deadline.row.rung + 1);
            rung_at(calendar, expiry, place + 1, today)
        }
        _ => {
            look_at(tx, deadline.row.id, None).await?;
            return Ok(false);
        }
    };
    look_at(tx, deadline.row.id, next).await?;
    let permit = Permit::own_work(Action::DeadlineRun);
    let row = change(tx, ctx, &permit, before, deadline, changed).await?.row;
    if let (State::Expired, Some(rung)) = (state, rung) {
        tell_rung(tx, ctx, &row, rung.to).await?;
    } else {
        tell_passed(tx, ctx, &row).await?;
    }
    Ok(true)
}

/// Tells those concerned that the deadline has passed, and what that means.
async fn tell_passed(tx: &DatabaseTransaction, ctx: &Ctx, row: &deadline::Model) -> Result<()> {
    let kind = match row.expiry {
        Expiry::Remind | Expiry::Escalate => Tells::Overdue,
        Expiry::MayProceed => Tells::MayProceed,
        Expiry::PresumedBarred => Tells::PresumedBarred,
    };
    tell_addressee(tx, ctx, row, kind).await?;
    if row.bezirksstelle_id.is_some() {
        tell(tx, ctx, row, kind, setter(row)).await?;
    }
    Ok(())
}

/// Tells whom a rung of the ladder names; of an escalation who set the deadline is told too.
async fn tell_rung(tx: &DatabaseTransaction, ctx: &Ctx, row: &deadline::Model, to: To) -> Result<()> {
    let place = match to {
        To::Addressee => return tell_addressee(tx, ctx, row, Tells::Reminder).await,
        // Where it binds the own house, there is no such place.
        To::Role(role) if role.is_local() => row.bezirksstelle_id.map(|id| For::Role(role, Some(id))),
        To::Role(role) => Some(For::Role(role, None)),
    };
    if let Some(place) = place {
        tell(tx, ctx, row, Tells::Escalation, place).await?;
    }
    tell(tx, ctx, row, Tells::Escalation, setter(row)).await
}
