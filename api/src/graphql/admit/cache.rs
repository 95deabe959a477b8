//! Parsed documents and their plans, the least recently used thrown out.
//!
//! Bounded by number and by text: a parsed document takes some twenty times its text. A document is
//! kept only once the engine has accepted it, so that nobody fills the cache with rubbish.

use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::parser::types::ExecutableDocument;
use lru::LruCache;

use super::Plan;

const ENTRIES: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1023);
const TEXT_BYTES: usize = 4 * 1024 * 1024;

/// A document with the plan of one of its operations.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) text: String,
    /// The operation asked for, as it was asked for.
    pub(super) asked: Option<String>,
    pub(super) document: ExecutableDocument,
    /// The operation's own name.
    pub(super) name: Option<String>,
    pub(super) plan: Arc<Plan>,
    /// Names the operation in read records.
    pub(super) hash: [u8; 32],
}

impl Prepared {
    /// Bytes it is counted with: its text, and what its fragments expand to.
    fn weight(&self) -> usize {
        self.text.len() + self.plan.disclosures.weight()
    }

    fn is(&self, text: &str, asked: Option<&str>) -> bool {
        self.text == text && self.asked.as_deref() == asked
    }
}

struct Entries {
    lru: LruCache<u64, Arc<Prepared>>,
    bytes: usize,
}

pub(super) struct Cache {
    hasher: RandomState,
    entries: Mutex<Entries>,
}

impl Cache {
    pub(super) fn new() -> Self {
        Self {
            hasher: RandomState::new(),
            entries: Mutex::new(Entries {
                lru: LruCache::new(ENTRIES),
                bytes: 0,
            }),
        }
    }

    /// The hash finds the entry, the text proves it: a collision is a miss.
    pub(super) fn get(&self, text: &str, asked: Option<&str>) -> Option<Arc<Prepared>> {
        let key = self.hasher.hash_one((text, asked));
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries
            .lru
            .get(&key)
            .filter(|prepared| prepared.is(text, asked))
            .cloned()
    }

    pub(super) fn put(&self, prepared: Arc<Prepared>) {
        let key = self
            .hasher
            .hash_one((prepared.text.as_str(), prepared.asked.as_deref()));
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.bytes += prepared.weight();
        if let Some((_, out)) = entries.lru.push(key, prepared) {
            entries.bytes -= out.weight();
        }
        while entries.bytes > TEXT_BYTES {
            let Some((_, out)) = entries.lru.pop_lru() else {
                break;
            };
            entries.bytes -= out.weight();
        }
    }
}
