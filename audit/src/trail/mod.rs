//! The trail: who did what to what. Append-only; written in the transaction of the change it tells of.

mod service;

pub use service::{Subject, denied, list, record};
