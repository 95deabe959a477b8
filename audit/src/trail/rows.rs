//! Whether the rows of the database are as the trail left them: a row that was changed, removed or added past the service has a
//! state that no entry tells of.
//!
//! Looked at are the rows that change with an entry of their own only. Items of populations are covered by the root in the entry
//! that froze them; rows made before their states were told are not judged.

use std::collections::HashMap;

use entity::{
    check_answer, comment, control_total, engagement, grant, item_check, legal_hold, population, sample,
    trail_entry,
};
use sea_orm::{
    AccessMode, ColumnTrait as _, ConnectionTrait, EntityTrait, IsolationLevel, ModelTrait, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, TransactionTrait as _,
};
use serde::Deserialize;
use uuid::Uuid;

use super::{State, state, state_with};
use crate::db::among;
use crate::{Ctx, Db, Result};

/// Rows read at once.
const AT_ONCE: u64 = 500;

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

/// What the entries of a row say it was left in; nothing where the last one does not say.
type Left = HashMap<(&'static str, Uuid), Option<String>>;

/// Rows that no entry explains, and how many were looked at. Of one moment, whatever is written meanwhile. Memory grows with the
/// number of rows that are looked at, by about 200 bytes each.
pub async fn unexplained(ctx: &Ctx, db: &Db) -> Result<(Vec<Unexplained>, u64)> {
    let moment = db
        .reader()
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
    look.rows::<legal_hold::Entity>(&moment, "LegalHold", legal_hold::Column::Id, |row| row.id.0)
        .await?;
    look.rows::<comment::Entity>(&moment, "Comment", comment::Column::Id, |row| row.id.0)
        .await?;
    look.grants(&moment).await?;
    look.checks(&moment).await?;
    moment.commit().await?;
    let mut found = look.found;
    found.extend(look.left.into_keys().map(|(kind, id)| Unexplained {
        kind,
        id,
        wrong: Wrong::Removed,
    }));
    found.sort_unstable_by_key(|one| (one.kind, one.id));
    Ok((found, look.rows))
}

const KINDS: [&str; 8] = [
    "Engagement",
    "Population",
    "ControlTotal",
    "Sample",
    "LegalHold",
    "Comment",
    "Grant",
    "Check",
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
    async fn entries(&mut self, db: &impl ConnectionTrait) -> Result<()> {
        let mut last = Uuid::nil();
        loop {
            let rows = trail_entry::Entity::find()
                .filter(trail_entry::Column::Id.gt(last))
                .filter(trail_entry::Column::SubjectId.is_not_null())
                .filter(trail_entry::Column::SubjectKind.is_in(KINDS))
                .order_by_asc(trail_entry::Column::Id)
                .limit(AT_ONCE)
                .all(db)
                .await?;
            let Some(end) = rows.last() else { return Ok(()) };
            last = end.id.0;
            for row in rows {
                self.entry(&row);
            }
        }
    }

    fn entry(&mut self, row: &trail_entry::Model) {
        let kind = KINDS.into_iter().find(|kind| *kind == row.subject_kind);
        let (Some(kind), Some(id)) = (kind, row.subject_id) else {
            return;
        };
        let told: Option<Told> = serde_json::from_str(&row.detail).ok();
        let known = self.left.get(&(kind, id)).cloned();
        let Some(Told {
            state_before,
            state_after: Some(after),
        }) = told
        else {
            // It says nothing of the row's state, or was erased.
            let erased = row.salt.is_none();
            if known.is_none() || erased {
                self.left.insert((kind, id), None);
            }
            return;
        };
        if let (Some(before), Some(Some(known))) = (state_before, known)
            && before != known
        {
            self.wrong(kind, id, Wrong::ChangedBetween);
        }
        self.left.insert((kind, id), Some(after));
    }

    fn wrong(&mut self, kind: &'static str, id: Uuid, wrong: Wrong) {
        self.found.push(Unexplained { kind, id, wrong });
    }

    fn row(&mut self, kind: &'static str, id: Uuid, state: State) {
        self.rows += 1;
        match self.left.remove(&(kind, id)) {
            Some(Some(left)) if left != state.hex() => self.wrong(kind, id, Wrong::Changed),
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

    async fn checks(&mut self, db: &impl ConnectionTrait) -> Result<()> {
        let mut last = Uuid::nil();
        loop {
            let rows = page::<item_check::Entity>(db, item_check::Column::Id, last).await?;
            let Some(end) = rows.last() else { return Ok(()) };
            last = end.id.0;
            let ids = rows.iter().map(|row| row.id);
            let answers = check_answer::Entity::find()
                .filter(among(db, check_answer::Column::CheckId, ids))
                .all(db)
                .await?;
            for row in &rows {
                let own = answers.iter().filter(|answer| answer.check_id == row.id);
                let mut own: Vec<_> = own.cloned().collect();
                own.sort_by_key(|answer| crate::check::place(&answer.attribute));
                let state = state_with(self.ctx, row, &own)?;
                self.row("Check", row.id.0, state);
            }
        }
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
        .limit(AT_ONCE)
        .all(db)
        .await?)
}
