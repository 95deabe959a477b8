//! What happened, and the proof that it was not changed afterwards.

pub mod merkle;
