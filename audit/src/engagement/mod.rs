//! An engagement (Prüfung): opened with a number, an objective and a legal basis; everything else hangs on it; closed
//! once. A closed engagement changes no more.
//!
//! Open or closed it may be restricted, as for an inquiry into fraud: then no Bezirksstelle is told which bodies from outside read
//! its items in it. A Bezirksstelle does not see that either, and so the version does not count it.

mod rules;
mod service;

pub use rules::{Open, check_open};
pub use service::{
    Close, Restrict, by_number, close, find, find_many, lift_restriction, list, open, restrict,
};
pub(crate) use service::{key, lock, lock_open, lock_within, must_be_open};
