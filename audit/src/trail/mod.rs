//! The trail: who did what to what. Append-only, and provable to outsiders.
//!
//! An entry is written in the transaction of the change it tells of, together with a salted commitment to it. A sequencer gives
//! commitments their place in one log, an RFC 6962 tree, and signs a checkpoint of it; from then on nobody can change, remove,
//! insert or reorder an entry without every checkpoint kept elsewhere telling so. What an entry says can be erased; its leaf
//! stays.
//!
//! | file | owns |
//! |---|---|
//! | [`canonical`] | the bytes of an entry and its commitment |
//! | [`merkle`], [`proof`] | the tree hash; which hashes prove something, and whether they do |
//! | [`note`], [`checkpoint`] | keys and signatures; what is signed; proofs as texts |
//! | [`witness`] | cosignatures, and when a witness gives one |
//! | [`tile`] | the tree in files |
//! | [`export`] | the whole log as JSON lines, and whether such a file holds |
//! | `state`, [`rows`] | what a change found and left, as digests; whether rows are as they were left |
//! | `service`, `log`, `cosigned`, `places` | the use cases: writing and listing entries; sequencing and reading the log; its cosignatures; where entries stand in it |
//!
//! All but the last two lines are pure: an outside auditor can read and run them alone.

pub mod canonical;
pub mod checkpoint;
mod cosigned;
pub mod export;
mod log;
pub mod merkle;
pub mod note;
mod places;
pub mod proof;
pub mod rows;
mod service;
mod state;
pub mod tile;
pub mod witness;

pub use cosigned::{Uncosigned, cosigned_note, store_cosignatures, uncosigned};
pub use log::{
    LogKeys, Placed, checkpoint_at, consistency, entries, growth, integrate, latest_checkpoint, proofs,
    tile_hashes, write_export,
};
pub(crate) use places::{Step, steps};
pub use service::{
    DenialFilter, GrantAttempt, Subject, denials, denied, denied_grant, denied_read, list, record,
};
pub(crate) use service::{denied_opening, denied_seat, of_subject};
pub use state::{State, state, state_with};
