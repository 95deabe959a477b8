//! What the use cases of one operation handed out.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use entity::EngagementId;
use uuid::Uuid;

/// An object that was handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Noted {
    /// The engagement it belongs to.
    pub engagement: EngagementId,
    /// Kind, as in the API's type names.
    pub kind: &'static str,
    /// Id; nil for what was told about many together.
    pub id: Uuid,
}

/// What was handed out so far. Clones are the same notes.
#[derive(Clone, Debug, Default)]
pub struct Notes(Arc<Mutex<Vec<Noted>>>);

impl Notes {
    /// Notes objects of one kind. Every use case that hands out rows with social data or data of the own staff does.
    pub fn add(&self, kind: &'static str, objects: impl IntoIterator<Item = (EngagementId, Uuid)>) {
        self.lock().extend(
            objects
                .into_iter()
                .map(|(engagement, id)| Noted { engagement, kind, id }),
        );
    }

    /// Notes that something was told about objects of an engagement together, and of none by itself.
    pub fn add_whole(&self, kind: &'static str, engagement: EngagementId) {
        self.add(kind, [(engagement, Uuid::nil())]);
    }

    /// Takes what was noted, by engagement and kind, ids ascending, each once.
    pub fn take(&self) -> Vec<Noted> {
        let mut noted = std::mem::take(&mut *self.lock());
        noted.sort_unstable();
        noted.dedup();
        noted
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Noted>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
