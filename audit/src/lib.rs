//! Placeholder.

pub mod sampling;
