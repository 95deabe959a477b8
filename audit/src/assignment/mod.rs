//! Assignments: who is to check which item of a sample, by hand or evenly; one's own list; and how far checking has come.
//!
//! An assignment organises the work and gives no right: whoever may check an item may check it unassigned. It is never changed but
//! ended. How far checking has come is told of a sample, never of a person.

mod rules;
mod service;

pub use rules::{MAX_ITEMS, MAX_TESTERS};
pub use service::{
    Assign, Distribute, Progress, Release, assign, current_of, distribute, mine, progress, release,
};
