//! Retention: what is kept no longer is deleted, and the deletion leaves its trace.
//!
//! Read records are kept for six calendar months after their engagement was closed, and for six months after they were made
//! where that is later or where they belong to no engagement (§ 79 (4) SGB X for standing online retrieval). A legal hold on
//! the engagement stops it ([`crate::legal_hold`]).
//!
//! A run that has something to delete says so in the trail before it begins (`BEGUN`: what is due) and when it has ended
//! (`ENDED`: what was deleted), with count, period and engagements. One that was interrupted has a beginning without an end;
//! the next run deletes the rest. Two instances that run at once delete nothing twice, and each says what it deleted.

mod service;

pub use service::{Part, Run, RunState, due, run, runs};
