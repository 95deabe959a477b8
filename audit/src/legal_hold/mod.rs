//! Legal holds (Löschsperren): while one stands, nothing that hangs on its engagement is deleted for its age.
//!
//! Anyone of the audit function places one, on an open or closed engagement; another person of it lifts it. A hold is lifted
//! once and changes in no other way, so that lifting names no version.

mod service;

pub(crate) use service::stands;
pub use service::{Lift, Place, lift, of_engagements, place};
