//! A parameter set: confidence, materiality and factor profile by which samples are planned, in editions. One person proposes an
//! edition with a reason, another approves it; then plans cite it from its first day on, and until the next edition holds.
//!
//! What a plan took from an edition is kept with the sample, and no later edition changes it.

mod service;

pub use service::{Approve, Decline, Propose, USUAL_MATERIALITY, approve, decline, find_many, list, propose};
pub(crate) use service::{Figures, in_force};
