//! An engagement (Prüfung): opened with a number, an objective and a legal basis; everything else hangs on it; closed
//! once. A closed engagement changes no more.

mod rules;
mod service;

pub use rules::{Open, check_open};
pub use service::{Close, by_number, close, find, find_many, list, open};
pub(crate) use service::{key, lock, lock_open, must_be_open};
