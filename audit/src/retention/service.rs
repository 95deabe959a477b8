//! The deletion job.

use std::collections::HashSet;

use chrono::{DateTime, Months, Utc};
use entity::engagement::State;
use entity::{EngagementId, engagement, legal_hold, trail_entry};
use sea_orm::sea_query::IntoCondition;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DatabaseTransaction, EntityTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _,
};
use serde::{Deserialize, Serialize};

use super::{case_numbers, read_records, working_papers};
use crate::access::{Action, Permit, authorize};
use crate::page::{self, Page, PageArgs};
use crate::trail::{self, Subject};
use crate::{Ctx, Db, Error, Result, legal_hold as holds};

/// Rows deleted in one transaction: others wait no longer than it takes.
pub(super) const AT_ONCE: u64 = 1_000;

/// What is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Kind {
    /// Who read what.
    #[default]
    ReadRecord,
    /// Case numbers, and the key that makes the pseudonyms of an engagement's cases.
    CaseNumber,
    /// Populations, samples, checks and comments.
    WorkingPaper,
}

impl Kind {
    /// All of them, in the order of a run.
    pub const ALL: [Self; 3] = [Self::ReadRecord, Self::CaseNumber, Self::WorkingPaper];

    /// How long it is kept after the end of its engagement.
    const fn kept(self) -> Months {
        match self {
            Self::ReadRecord => Months::new(6),
            Self::CaseNumber => Months::new(12),
            Self::WorkingPaper => Months::new(120),
        }
    }

    const fn subject(self) -> &'static str {
        match self {
            Self::ReadRecord => "ReadRecord",
            Self::CaseNumber => "CaseNumber",
            Self::WorkingPaper => "WorkingPaper",
        }
    }
}

/// What is of one engagement, or of none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The engagement; none for records that belong to none.
    pub engagement: Option<EngagementId>,
    /// How many.
    pub count: u64,
    /// When the oldest was made, of read records.
    pub from: Option<DateTime<Utc>>,
    /// When the newest was made, of read records.
    pub to: Option<DateTime<Utc>>,
}

impl Part {
    /// What is counted of an engagement, without times.
    pub(super) const fn of(engagement: EngagementId, count: u64) -> Self {
        Self {
            engagement: Some(engagement),
            count,
            from: None,
            to: None,
        }
    }
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
    /// What was deleted.
    #[serde(default)]
    pub kind: Kind,
    /// Begun or ended.
    pub state: RunState,
    /// What is of engagements that were closed before is due; read records, if they were made before, too.
    pub before: DateTime<Utc>,
    /// How many in all.
    pub count: u64,
    /// The same by engagement.
    pub records: Vec<Part>,
}

impl Run {
    fn of(kind: Kind, state: RunState, before: DateTime<Utc>, records: Vec<Part>) -> Self {
        Self {
            kind,
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

/// What is due now.
pub async fn due(ctx: &Ctx, db: &Db, kind: Kind) -> Result<Run> {
    let before = ctx
        .now()
        .checked_sub_months(kind.kept())
        .ok_or_else(|| Error::internal("the clock stands before the beginning of the calendar"))?;
    let parts = match kind {
        Kind::ReadRecord => read_records::due(db, before).await?,
        Kind::CaseNumber => case_numbers::due(db, before).await?,
        Kind::WorkingPaper => working_papers::due(db, before).await?,
    };
    Ok(Run::of(kind, RunState::Begun, before, parts))
}

/// Deletes what is due, and says what it deleted. Nobody is asked for a right: it is the service's duty, done by itself or
/// by who runs the program on its host.
pub async fn run(ctx: &Ctx, db: &Db, kind: Kind) -> Result<Run> {
    let begun = due(ctx, db, kind).await?;
    let before = begun.before;
    if begun.records.is_empty() {
        return Ok(Run::of(kind, RunState::Ended, before, Vec::new()));
    }
    tell(ctx, db, &begun).await?;
    let mut deleted = Vec::new();
    for part in begun.records {
        deleted.extend(match (kind, part.engagement) {
            (Kind::ReadRecord, of) => read_records::delete(ctx, db, of, before).await?,
            (Kind::CaseNumber, Some(of)) => case_numbers::delete(ctx, db, of, before).await?,
            (Kind::WorkingPaper, Some(of)) => working_papers::delete(ctx, db, of, before).await?,
            (Kind::CaseNumber | Kind::WorkingPaper, None) => None,
        });
    }
    let ended = Run::of(kind, RunState::Ended, before, deleted);
    tell(ctx, db, &ended).await?;
    Ok(ended)
}

async fn tell(ctx: &Ctx, db: &Db, run: &Run) -> Result<()> {
    let detail = serde_json::to_value(run).map_err(|error| Error::internal(error.to_string()))?;
    let subject = Subject::all(run.kind.subject());
    let tx = db.begin_write().await?;
    trail::record(&tx, ctx, &Permit::own_work(Action::RetentionRun), subject, detail).await?;
    tx.commit().await?;
    Ok(())
}

pub(super) fn has_ended(row: &engagement::Model, before: DateTime<Utc>) -> bool {
    row.state == State::Closed && row.closed_at.is_some_and(|at| at < before)
}

/// Engagements whose content is not deleted.
pub(super) async fn held(db: &Db) -> Result<Vec<EngagementId>> {
    Ok(legal_hold::Entity::find()
        .filter(legal_hold::Column::LiftedAt.is_null())
        .select_only()
        .column(legal_hold::Column::EngagementId)
        .into_tuple()
        .all(db.reader())
        .await?)
}

/// Engagements that ended before, are under no hold, and still have something.
pub(super) async fn ended_with(
    db: &Db,
    before: DateTime<Utc>,
    something: impl IntoCondition,
) -> Result<Vec<EngagementId>> {
    let ended: Vec<EngagementId> = engagement::Entity::find()
        .filter(engagement::Column::State.eq(State::Closed))
        .filter(engagement::Column::ClosedAt.lt(before))
        .filter(something.into_condition())
        .order_by_asc(engagement::Column::Id)
        .select_only()
        .column(engagement::Column::Id)
        .into_tuple()
        .all(db.reader())
        .await?;
    let held = held(db).await?;
    Ok(ended.into_iter().filter(|id| !held.contains(id)).collect())
}

/// Whether what hangs on an engagement may go; locks it, so that no hold is placed meanwhile.
pub(super) async fn may_go(
    tx: &DatabaseTransaction,
    id: EngagementId,
    before: DateTime<Utc>,
) -> Result<bool> {
    let row = engagement::Entity::find_by_id(id)
        .lock_exclusive()
        .one(tx)
        .await?;
    Ok(row.is_some_and(|row| has_ended(&row, before)) && !holds::stands(tx, id).await?)
}

/// Engagements whose working papers were deleted, or are being deleted.
pub(crate) async fn without_papers(db: &impl ConnectionTrait) -> Result<HashSet<EngagementId>> {
    let entries = trail_entry::Entity::find()
        .filter(trail_entry::Column::Action.eq(Action::RetentionRun.as_str()))
        .filter(trail_entry::Column::SubjectKind.eq(Kind::WorkingPaper.subject()))
        .all(db)
        .await?;
    let runs = entries.iter().filter_map(Run::told);
    Ok(runs
        .flat_map(|run| run.records)
        .filter_map(|part| part.engagement)
        .collect())
}

/// What the runs that deleted something said of themselves, newest first.
pub async fn runs(ctx: &Ctx, db: &Db, args: &PageArgs) -> Result<Page<trail_entry::Model>> {
    authorize(ctx, Action::ReadRecordList)?;
    let select = trail_entry::Entity::find()
        .filter(trail_entry::Column::Action.eq(Action::RetentionRun.as_str()))
        .filter(trail_entry::Column::SubjectKind.is_in(Kind::ALL.map(Kind::subject)))
        .filter(trail_entry::Column::Outcome.eq(trail_entry::Outcome::Done));
    Ok(page::by_id(select, trail_entry::Column::Id, true, args, db.reader()).await?)
}
