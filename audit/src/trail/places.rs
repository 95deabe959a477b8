//! Where entries stand in the log: for what depends on the order of things.

use std::collections::HashMap;

use entity::trail_entry::{self, Outcome};
use entity::{TrailEntryId, log_leaf};
use sea_orm::{ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _};
use uuid::Uuid;

use crate::Result;
use crate::access::Action;
use crate::db::among;

/// Something that was done, with its place in the log.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// The entry that tells of it.
    pub(crate) entry: trail_entry::Model,
    /// The place; none until a checkpoint covers it.
    pub(crate) position: Option<u64>,
}

impl Step {
    /// Whether it is this action on this subject.
    pub(crate) fn is(&self, action: Action, kind: &str, id: Uuid) -> bool {
        let entry = &self.entry;
        entry.action == action.as_str() && entry.subject_kind == kind && entry.subject_id == Some(id)
    }
}

/// What was done to these subjects, oldest first.
pub(crate) async fn steps(
    db: &impl ConnectionTrait,
    subjects: impl IntoIterator<Item = Uuid>,
) -> Result<Vec<Step>> {
    let entries = trail_entry::Entity::find()
        .filter(among(db, trail_entry::Column::SubjectId, subjects))
        .filter(trail_entry::Column::Outcome.eq(Outcome::Done))
        .order_by_asc(trail_entry::Column::Id)
        .all(db)
        .await?;
    let leaves = log_leaf::Entity::find()
        .filter(among(
            db,
            log_leaf::Column::EntryId,
            entries.iter().map(|entry| entry.id.0),
        ))
        .all(db)
        .await?;
    let positions: HashMap<TrailEntryId, u64> = leaves
        .into_iter()
        .filter_map(|leaf| Some((leaf.entry_id, u64::try_from(leaf.idx).ok()?)))
        .collect();
    let step = |entry: trail_entry::Model| Step {
        position: positions.get(&entry.id).copied(),
        entry,
    };
    Ok(entries.into_iter().map(step).collect())
}
