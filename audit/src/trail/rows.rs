//! Whether the rows of the database are as the trail left them: a row that was changed, removed or added past the service has a
//! state that no entry tells of.
//!
//! Looked at are engagements, populations, complete imports, control totals, differences, samples, ceremonies, replacements, known errors, parameter sets,
//! checks, holds, grants, comments, deadlines, bodies, seats, papers, votes, decisions, minutes and
//! signatures: what changes with an entry of its own. Items of populations are covered by the root in the entry that froze them,
//! the items of a sample by its seed: whoever draws again gets the same ones. Rows made before their states were told are not
//! judged.

use std::collections::HashMap;

use entity::{
    EngagementId, TrailEntryId, body, ceremony, check_answer, comment, contribution, control_total, deadline,
    deadline_date, decision, difference, engagement, grant, item_check, known_error, known_error_part,
    legal_hold, log_leaf, log_queue, minutes, paper, paper_edition, parameter_set, population,
    population_import, replacement, sample, seat, signature, trail_entry, vote,
};
use sea_orm::sea_query::Query;
use sea_orm::{
    AccessMode, ColumnTrait as _, ConnectionTrait, EntityTrait, IsolationLevel, ModelTrait, Order,
    QueryFilter as _, QueryOrder as _, QuerySelect as _, TransactionTrait as _,
};
use serde::Deserialize;
use uuid::Uuid;

use super::log::arrival;
use super::{State, state, state_with};
use crate::db::among;
use crate::retention::without_papers;
use crate::{Ctx, Db, Result};

/// Rows read at once.
const AT_ONCE: usize = 500;

/// What no entry tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// The row is not as its last entry left it.
    Changed,
    /// An entry found it in another state than the one before left it.
    ChangedBetween,
    /// No entry tells of its making.
    Added,
    /// It is gone.
    Removed,
    /// An entry that its leaf in the log speaks of is gone, or its salt: what it said cannot be proven any more.
    Erased,
}

/// A row that no entry explains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unexplained {
    /// Kind, as in the trail.
    pub kind: &'static str,
    /// Its id.
    pub id: Uuid,
    /// What is wrong with it.
    pub wrong: Wrong,
}

/// A column of ids, and the id that a row has in it.
type Key<E> = (<E as EntityTrait>::Column, fn(&<E as EntityTrait>::Model) -> Uuid);

/// What the last entry of a row says it was left in, if it says so, and of which engagement.
type Left = HashMap<(&'static str, Uuid), (Option<String>, Option<EngagementId>)>;

/// Rows that no entry explains, and how many were looked at. Of one moment, whatever is written meanwhile. Memory grows with the
/// number of rows that are looked at, by about 200 bytes each.
pub async fn unexplained(ctx: &Ctx, db: &Db) -> Result<(Vec<Unexplained>, u64)> {
    let moment = db
        .snapshots()
        .begin_with_config(Some(IsolationLevel::RepeatableRead), Some(AccessMode::ReadOnly))
        .await?;
    let mut look = Look {
        ctx,
        found: Vec::new(),
        left: Left::new(),
        rows: 0,
    };
    look.entries(&moment).await?;
    look.rows::<engagement::Entity>(&moment, "Engagement", engagement::Column::Id, |row| row.id.0)
        .await?;
    look.rows::<population::Entity>(&moment, "Population", population::Column::Id, |row| row.id.0)
        .await?;
    look.rows::<control_total::Entity>(&moment, "ControlTotal", control_total::Column::Id, |row| row.id.0)
        .await?;
    look.rows::<sample::Entity>(&moment, "Sample", sample::Column::Id, |row| row.id.0)
        .await?;
    look.rows::<replacement::Entity>(&moment, "Replacement", replacement::Column::Id, |row| row.id.0)
        .await?;
    look.rows::<parameter_set::Entity>(&moment, "ParameterSet", parameter_set::Column::Id, |row| row.id.0)
        .await?;
    look.rows::<legal_hold::Entity>(&moment, "LegalHold", legal_hold::Column::Id, |row| row.id.0)
        .await?;
    look.rows::<comment::Entity>(&moment, "Comment", comment::Column::Id, |row| row.id.0)
        .await?;
    look.rows::<body::Entity>(&moment, "Body", body::Column::Id, |row| row.id.0)
        .await?;
    look.rows::<seat::Entity>(&moment, "Seat", seat::Column::Id, |row| row.id.0)
        .await?;
    look.rows::<vote::Entity>(&moment, "Vote", vote::Column::Id, |row| row.id.0)
        .await?;
    look.rows::<decision::Entity>(&moment, "Decision", decision::Column::Id, |row| row.id.0)
        .await?;
    look.rows::<minutes::Entity>(&moment, "Minutes", minutes::Column::Id, |row| row.id.0)
        .await?;
    look.rows::<signature::Entity>(&moment, "Signature", signature::Column::Id, |row| row.id.0)
        .await?;
    look.with_their_parts(&moment).await?;
    look.grants(&moment).await?;
    look.differences(&moment).await?;
    look.imports(&moment).await?;
    look.erased(&moment).await?;
    let deleted = without_papers(&moment).await?;
    moment.commit().await?;
    let mut found = look.found;
    // The deletion of working papers has an entry of its own.
    let gone = look
        .left
        .into_iter()
        .filter(|((kind, _), (_, of))| !PAPERS.contains(kind) || !of.is_some_and(|of| deleted.contains(&of)));
    found.extend(gone.map(|((kind, id), _)| Unexplained {
        kind,
        id,
        wrong: Wrong::Removed,
    }));
    found.sort_unstable_by_key(|one| (one.kind, one.id));
    Ok((found, look.rows))
}

/// Kinds of working papers, which are deleted ten years after the end of their engagement.
const PAPERS: [&str; 11] = [
    "Deadline",
    "Population",
    "ControlTotal",
    "Sample",
    "Replacement",
    "KnownError",
    "Ceremony",
    "Comment",
    "Check",
    "Difference",
    "Import",
];

const KINDS: [&str; 22] = [
    "Deadline",
    "Engagement",
    "Population",
    "ControlTotal",
    "Sample",
    "Replacement",
    "KnownError",
    "ParameterSet",
    "Ceremony",
    "LegalHold",
    "Comment",
    "Grant",
    "Check",
    "Difference",
    "Import",
    "Body",
    "Seat",
    "Paper",
    "Vote",
    "Decision",
    "Minutes",
    "Signature",
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    state_before: Option<String>,
    state_after: Option<String>,
}

struct Look<'a> {
    ctx: &'a Ctx,
    found: Vec<Unexplained>,
    left: Left,
    rows: u64,
}

impl Look<'_> {
    /// Entries in the order of the log, then those that wait for their place in it.
    async fn entries(&mut self, db: &impl ConnectionTrait) -> Result<()> {
        let mut next = 0;
        loop {
            let leaves = log_leaf::Entity::find()
                .filter(log_leaf::Column::Idx.gte(next))
                .order_by_asc(log_leaf::Column::Idx)
                .limit(AT_ONCE as u64)
                .all(db)
                .await?;
            let Some(end) = leaves.last() else { break };
            next = end.idx + 1;
            let ids: Vec<TrailEntryId> = leaves.into_iter().map(|leaf| leaf.entry_id).collect();
            self.entries_of(db, &ids).await?;
        }
        let waiting: Vec<TrailEntryId> = log_queue::Entity::find()
            .order_by(arrival(db), Order::Asc)
            .select_only()
            .column(log_queue::Column::Id)
            .into_tuple()
            .all(db)
            .await?;
        for ids in waiting.chunks(AT_ONCE) {
            self.entries_of(db, ids).await?;
        }
        Ok(())
    }

    /// Entries in the order of their ids here.
    async fn entries_of(&mut self, db: &impl ConnectionTrait, ids: &[TrailEntryId]) -> Result<()> {
        let found = trail_entry::Entity::find()
            .filter(among(db, trail_entry::Column::Id, ids.iter().copied()))
            .filter(trail_entry::Column::SubjectId.is_not_null())
            .filter(trail_entry::Column::SubjectKind.is_in(KINDS))
            .all(db)
            .await?;
        let found: HashMap<TrailEntryId, trail_entry::Model> =
            found.into_iter().map(|row| (row.id, row)).collect();
        for row in ids.iter().filter_map(|id| found.get(id)) {
            self.entry(row);
        }
        Ok(())
    }

    fn entry(&mut self, row: &trail_entry::Model) {
        let kind = KINDS.into_iter().find(|kind| *kind == row.subject_kind);
        let (Some(kind), Some(id)) = (kind, row.subject_id) else {
            return;
        };
        let told: Option<Told> = serde_json::from_str(&row.detail).ok();
        let of = row.engagement_id;
        let known = self.left.get(&(kind, id)).map(|(known, _)| known.clone());
        let Some(Told {
            state_before,
            state_after: Some(after),
        }) = told
        else {
            // It says nothing of the row's state, or was erased.
            let erased = row.salt.is_none();
            if known.is_none() || erased {
                self.left.insert((kind, id), (None, of));
            }
            return;
        };
        if let (Some(before), Some(Some(known))) = (state_before, known)
            && before != known
            // How far an import came is no entry each time.
            && kind != "Import"
        {
            self.wrong(kind, id, Wrong::ChangedBetween);
        }
        self.left.insert((kind, id), (Some(after), of));
    }

    fn wrong(&mut self, kind: &'static str, id: Uuid, wrong: Wrong) {
        self.found.push(Unexplained { kind, id, wrong });
    }

    fn row(&mut self, kind: &'static str, id: Uuid, state: State) {
        self.rows += 1;
        match self.left.remove(&(kind, id)) {
            Some((Some(left), _)) if left != state.hex() => self.wrong(kind, id, Wrong::Changed),
            Some(_) => {}
            None => self.wrong(kind, id, Wrong::Added),
        }
    }

    async fn rows<E>(
        &mut self,
        db: &impl ConnectionTrait,
        kind: &'static str,
        id: E::Column,
        id_of: fn(&E::Model) -> Uuid,
    ) -> Result<()>
    where
        E: EntityTrait,
        E::Model: ModelTrait<Entity = E> + Send + Sync,
    {
        let mut last = Uuid::nil();
        loop {
            let rows = page::<E>(db, id, last).await?;
            let Some(end) = rows.last() else { return Ok(()) };
            last = id_of(end);
            for row in &rows {
                let state = state(self.ctx, row)?;
                self.row(kind, id_of(row), state);
            }
        }
    }

    /// What is judged with its editions, contributions, ends, answers or items.
    async fn with_their_parts(&mut self, db: &impl ConnectionTrait) -> Result<()> {
        self.with_parts::<paper::Entity, paper_edition::Entity>(
            db,
            "Paper",
            (paper::Column::Id, |row| row.id.0),
            (paper_edition::Column::PaperId, |part| part.paper_id.0),
            |part| u128::from(part.edition.unsigned_abs()),
        )
        .await?;
        self.with_parts::<ceremony::Entity, contribution::Entity>(
            db,
            "Ceremony",
            (ceremony::Column::SampleId, |row| row.sample_id.0),
            (contribution::Column::SampleId, |part| part.sample_id.0),
            |part| u128::from(part.ordinal.unsigned_abs()),
        )
        .await?;
        self.with_parts::<deadline::Entity, deadline_date::Entity>(
            db,
            "Deadline",
            (deadline::Column::Id, |row| row.id.0),
            (deadline_date::Column::DeadlineId, |part| part.deadline_id.0),
            |part| u128::from(part.ordinal.unsigned_abs()),
        )
        .await?;
        self.with_parts::<item_check::Entity, check_answer::Entity>(
            db,
            "Check",
            (item_check::Column::Id, |row| row.id.0),
            (check_answer::Column::CheckId, |part| part.check_id.0),
            |part| crate::check::place(&part.attribute) as u128,
        )
        .await?;
        self.with_parts::<known_error::Entity, known_error_part::Entity>(
            db,
            "KnownError",
            (known_error::Column::Id, |row| row.id.0),
            (known_error_part::Column::KnownErrorId, |part| {
                part.known_error_id.0
            }),
            |part| part.sample_item_id.0.as_u128(),
        )
        .await?;
        Ok(())
    }

    /// Rows that are judged with those that belong to them, in the order of what `place` says.
    async fn with_parts<E, P>(
        &mut self,
        db: &impl ConnectionTrait,
        kind: &'static str,
        (id, id_of): Key<E>,
        (belongs_to, whole_of): Key<P>,
        place: fn(&P::Model) -> u128,
    ) -> Result<()>
    where
        E: EntityTrait,
        E::Model: ModelTrait<Entity = E> + Send + Sync,
        P: EntityTrait,
        P::Model: ModelTrait<Entity = P> + Send + Sync,
    {
        let mut last = Uuid::nil();
        loop {
            let rows = page::<E>(db, id, last).await?;
            let Some(end) = rows.last() else { return Ok(()) };
            last = id_of(end);
            let parts = P::find()
                .filter(among(db, belongs_to, rows.iter().map(id_of)))
                .all(db)
                .await?;
            let mut by_row: HashMap<Uuid, Vec<P::Model>> = HashMap::new();
            for part in parts {
                by_row.entry(whole_of(&part)).or_default().push(part);
            }
            for row in &rows {
                let mut own = by_row.remove(&id_of(row)).unwrap_or_default();
                own.sort_by_key(place);
                let state = state_with(self.ctx, row, &own)?;
                self.row(kind, id_of(row), state);
            }
        }
    }

    async fn grants(&mut self, db: &impl ConnectionTrait) -> Result<()> {
        let mut last = Uuid::nil();
        loop {
            let rows = page::<grant::Entity>(db, grant::Column::Id, last).await?;
            let Some(end) = rows.last() else { return Ok(()) };
            last = end.id.0;
            for row in &rows {
                let state = crate::grant::row_state(self.ctx, row)?;
                self.row("Grant", row.id.0, state);
            }
        }
    }
}

impl Look<'_> {
    /// Differences are made by a control total, and told of from their explanation on.
    async fn differences(&mut self, db: &impl ConnectionTrait) -> Result<()> {
        let mut last = Uuid::nil();
        loop {
            let rows = page::<difference::Entity>(db, difference::Column::Id, last).await?;
            let Some(end) = rows.last() else { return Ok(()) };
            last = end.id.0;
            for row in &rows {
                if row.state != difference::State::Open || self.left.contains_key(&("Difference", row.id.0)) {
                    let state = state(self.ctx, row)?;
                    self.row("Difference", row.id.0, state);
                } else {
                    self.rows += 1;
                }
            }
        }
    }

    /// Imports are judged when they are complete.
    async fn imports(&mut self, db: &impl ConnectionTrait) -> Result<()> {
        let mut last = Uuid::nil();
        loop {
            let rows = page::<population_import::Entity>(db, population_import::Column::Id, last).await?;
            let Some(end) = rows.last() else { return Ok(()) };
            last = end.id.0;
            for row in &rows {
                if row.state == population_import::State::Completed {
                    let state = state(self.ctx, row)?;
                    self.row("Import", row.id.0, state);
                } else {
                    self.rows += 1;
                    self.left.remove(&("Import", row.id.0));
                }
            }
        }
    }

    /// Leaves whose entry is gone, or can be proven no more. No use case erases one.
    async fn erased(&mut self, db: &impl ConnectionTrait) -> Result<()> {
        let whole = Query::select()
            .column(trail_entry::Column::Id)
            .from(trail_entry::Entity)
            .cond_where(trail_entry::Column::Salt.is_not_null())
            .take();
        let gone: Vec<TrailEntryId> = log_leaf::Entity::find()
            .filter(log_leaf::Column::EntryId.not_in_subquery(whole))
            .order_by_asc(log_leaf::Column::Idx)
            .select_only()
            .column(log_leaf::Column::EntryId)
            .into_tuple()
            .all(db)
            .await?;
        for id in gone {
            self.wrong("TrailEntry", id.0, Wrong::Erased);
        }
        Ok(())
    }
}

async fn page<E: EntityTrait>(
    db: &impl ConnectionTrait,
    id: E::Column,
    after: Uuid,
) -> Result<Vec<E::Model>> {
    Ok(E::find()
        .filter(id.gt(after))
        .order_by_asc(id)
        .limit(AT_ONCE as u64)
        .all(db)
        .await?)
}
