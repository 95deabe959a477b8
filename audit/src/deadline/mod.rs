//! Deadlines (Fristen): when they end, and what their end means.
//!
//! The pure part computes: [`calendar`] says which days are free, [`period`] when a period ends, [`rules`] what may become of a
//! deadline, [`clock`] which clocks of the law run for a case.
//!
//! A stored deadline belongs to an engagement and is set for a Bezirksstelle or for the audit function itself. An extension adds an
//! end and deletes none. Where its end passes, the service says so by itself ([`run`]), in the inboxes of those concerned; what that
//! means was fixed when it was set. Silence is no approval, and no right is barred without a person who confirms it.

pub mod calendar;
pub mod clock;
mod due;
mod notice;
pub mod period;
pub mod rules;
mod service;

pub use due::run;
pub use notice::{Told, mark_read, notices};
pub use service::{
    Acknowledge, Deadline, DeadlineFilter, Decide, Extend, NewEnd, Set, acknowledge_complete, cancel,
    confirm, extend, find_many, list, meet, object, set,
};
