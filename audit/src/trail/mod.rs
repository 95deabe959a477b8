//! The trail: who did what to what. Append-only; written in the transaction of the change it tells of.
//!
//! [`merkle`] is the pure part: the tree hash that commits to rows without showing them.

pub mod merkle;
mod service;

pub use service::{Subject, denied, list, record};
