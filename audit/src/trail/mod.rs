//! The trail: who did what to what. Append-only; written in the transaction of the change it tells of.

pub mod merkle;
mod service;

pub use service::{Subject, denied, list, record};
