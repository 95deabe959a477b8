//! Decisions: a body is asked by a paper (Vorlage), its members vote, and what comes of it is kept.
//!
//! | file | owns |
//! |---|---|
//! | [`body`], [`presets`] | what a body is, and the bodies of each preset |
//! | [`rules`] | the way of a paper, and what votes add up to |
//! | [`content`] | digests of what is voted on and what is signed |
//!
//! All of them are pure.

pub mod body;
pub mod content;
pub mod presets;
pub mod rules;
