//! The deletion job.

use chrono::{DateTime, Months, Utc};
use entity::engagement::State;
use entity::read_record::{Column, Entity};
use entity::{EngagementId, ReadRecordId, engagement, legal_hold, read_gate, trail_entry};
use sea_orm::{
    ColumnTrait as _, Condition, DatabaseTransaction, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, Set,
};
use serde::{Deserialize, Serialize};

use crate::access::{Action, Permit, authorize};
use crate::db::among;
use crate::page::{self, Page, PageArgs};
use crate::trail::{self, Subject};
use crate::{Ctx, Db, Error, Result, legal_hold as holds};

/// How long read records are kept.
const KEPT: Months = Months::new(6);
/// Records deleted in one transaction: others wait no longer than it takes.
const AT_ONCE: u64 = 1_000;

/// Records of one engagement, or of none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The engagement; none for records that belong to none.
    pub engagement: Option<EngagementId>,
    /// How many.
    pub count: u64,
    /// When the oldest was made.
    pub from: DateTime<Utc>,
    /// When the newest was made.
    pub to: DateTime<Utc>,
}

/// How far a run came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RunState {
    /// It began: this is due.
    Begun,
    /// It ended: this was deleted.
    Ended,
}

/// What a run says of itself, as the trail keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Begun or ended.
    pub state: RunState,
    /// Records made before are due, if their engagement was closed before, too.
    pub before: DateTime<Utc>,
    /// How many in all.
    pub count: u64,
    /// The same by engagement.
    pub records: Vec<Part>,
}

impl Run {
    fn of(state: RunState, before: DateTime<Utc>, records: Vec<Part>) -> Self {
        Self {
            state,
            before,
            count: records.iter().map(|part| part.count).sum(),
            records,
        }
    }

    /// What a trail entry of a run says; none for what is no such entry or was erased.
    pub fn told(entry: &trail_entry::Model) -> Option<Self> {
        serde_json::from_str(&entry.detail).ok()
    }
}

/// Engagement, number of records, when the oldest and the newest were made.
type Group = (Option<EngagementId>, i64, DateTime<Utc>, DateTime<Utc>);

/// What is due now.
pub async fn due(ctx: &Ctx, db: &Db) -> Result<Run> {
    let before = before(ctx)?;
    let groups: Vec<Group> = Entity::find()
        .filter(Column::At.lt(before))
        .select_only()
        .column(Column::EngagementId)
        .column_as(Column::Id.count(), "records")
        .column_as(Column::At.min(), "first")
        .column_as(Column::At.max(), "last")
        .group_by(Column::EngagementId)
        .order_by_asc(Column::EngagementId)
        .into_tuple()
        .all(db.reads())
        .await?;
    let named: Vec<EngagementId> = groups.iter().filter_map(|group| group.0).collect();
    let mut ended: Vec<EngagementId> = Vec::new();
    for some in named.chunks(500) {
        let rows = engagement::Entity::find()
            .filter(among(db.reader(), engagement::Column::Id, some.iter().copied()))
            .all(db.reader())
            .await?;
        ended.extend(rows.iter().filter(|row| has_ended(row, before)).map(|row| row.id));
    }
    let held: Vec<EngagementId> = legal_hold::Entity::find()
        .filter(legal_hold::Column::LiftedAt.is_null())
        .select_only()
        .column(legal_hold::Column::EngagementId)
        .into_tuple()
        .all(db.reader())
        .await?;
    let parts = groups
        .into_iter()
        .filter(|(id, ..)| id.is_none_or(|id| ended.contains(&id) && !held.contains(&id)))
        .map(|(engagement, count, from, to)| Part {
            engagement,
            count: count.unsigned_abs(),
            from,
            to,
        })
        .collect();
    Ok(Run::of(RunState::Begun, before, parts))
}

fn before(ctx: &Ctx) -> Result<DateTime<Utc>> {
    ctx.now()
        .checked_sub_months(KEPT)
        .ok_or_else(|| Error::internal("the clock stands before the beginning of the calendar"))
}

fn has_ended(row: &engagement::Model, before: DateTime<Utc>) -> bool {
    row.state == State::Closed && row.closed_at.is_some_and(|at| at < before)
}

/// Deletes what is due, and says what it deleted. Nobody is asked for a right: it is the service's duty, done by itself or
/// by who runs the program on its host.
pub async fn run(ctx: &Ctx, db: &Db) -> Result<Run> {
    let begun = due(ctx, db).await?;
    let before = begun.before;
    if begun.records.is_empty() {
        return Ok(Run::of(RunState::Ended, before, Vec::new()));
    }
    tell(ctx, db, &begun).await?;
    let mut deleted = Vec::new();
    for part in begun.records {
        let mut gone = Vec::new();
        loop {
            let some = delete(ctx, db, part.engagement, before).await?;
            let count = some.as_ref().map_or(0, |part| part.count);
            gone.extend(some);
            if count < AT_ONCE {
                break;
            }
        }
        deleted.extend(gone.into_iter().reduce(|one, other| Part {
            engagement: one.engagement,
            count: one.count + other.count,
            from: one.from.min(other.from),
            to: one.to.max(other.to),
        }));
    }
    let ended = Run::of(RunState::Ended, before, deleted);
    tell(ctx, db, &ended).await?;
    Ok(ended)
}

async fn tell(ctx: &Ctx, db: &Db, run: &Run) -> Result<()> {
    let detail = serde_json::to_value(run).map_err(|error| Error::internal(error.to_string()))?;
    let subject = Subject::all("ReadRecord");
    let tx = db.begin_write().await?;
    trail::record(&tx, ctx, &Permit::own_work(Action::RetentionRun), subject, detail).await?;
    tx.commit().await?;
    Ok(())
}

/// Deletes some records; under a lock on their engagement, so that no hold is placed meanwhile.
async fn delete(
    ctx: &Ctx,
    db: &Db,
    engagement: Option<EngagementId>,
    before: DateTime<Utc>,
) -> Result<Option<Part>> {
    let tx = db.begin_write().await?;
    let outcome = match engagement {
        Some(id) if !may_go(&tx, id, before).await? => Ok(None),
        _ => delete_some(ctx, db, engagement, before).await,
    };
    tx.rollback().await?;
    outcome
}

async fn may_go(tx: &DatabaseTransaction, id: EngagementId, before: DateTime<Utc>) -> Result<bool> {
    let row = engagement::Entity::find_by_id(id)
        .lock_exclusive()
        .one(tx)
        .await?;
    Ok(row.is_some_and(|row| has_ended(&row, before)) && !holds::stands(tx, id).await?)
}

async fn delete_some(
    ctx: &Ctx,
    db: &Db,
    engagement: Option<EngagementId>,
    before: DateTime<Utc>,
) -> Result<Option<Part>> {
    let tx = db.begin_reads().await?;
    let gate = read_gate::ActiveModel {
        id: Set(ctx.new_id()),
        engagement_id: Set(engagement),
        before: Set(before),
    };
    let gate = read_gate::Entity::insert(gate).exec(&tx).await?.last_insert_id;
    let of = match engagement {
        Some(id) => Column::EngagementId.eq(id),
        None => Column::EngagementId.is_null(),
    };
    let due: Vec<(ReadRecordId, DateTime<Utc>)> = Entity::find()
        .filter(Condition::all().add(of).add(Column::At.lt(before)))
        .order_by_asc(Column::Id)
        .limit(AT_ONCE)
        .select_only()
        .column(Column::Id)
        .column(Column::At)
        .into_tuple()
        .all(&tx)
        .await?;
    let count = Entity::delete_many()
        .filter(among(&tx, Column::Id, due.iter().map(|(id, _)| *id)))
        .exec(&tx)
        .await?
        .rows_affected;
    read_gate::Entity::delete_by_id(gate).exec(&tx).await?;
    tx.commit().await?;
    let times = || due.iter().map(|(_, at)| *at);
    Ok(times().min().zip(times().max()).map(|(from, to)| Part {
        engagement,
        count,
        from,
        to,
    }))
}

/// What the runs that deleted something said of themselves, newest first.
pub async fn runs(ctx: &Ctx, db: &Db, args: &PageArgs) -> Result<Page<trail_entry::Model>> {
    authorize(ctx, Action::ReadRecordList)?;
    let select = trail_entry::Entity::find()
        .filter(trail_entry::Column::Action.eq(Action::RetentionRun.as_str()))
        .filter(trail_entry::Column::Outcome.eq(trail_entry::Outcome::Done));
    Ok(page::by_id(select, trail_entry::Column::Id, true, args, db.reader()).await?)
}
