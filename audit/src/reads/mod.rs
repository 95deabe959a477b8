//! Read records: no social data without a trace.
//!
//! Use cases note which objects they hand out ([`Notes`]). What stands in front of them knows whether an answer gives away
//! [`RECORDED`] classes; then it hands the notes to [`Reads`], and lets the answer go only once the record is durable. A record
//! that cannot be written refuses the answer.
//!
//! One answer leaves one record for each engagement it read in, so that purpose and retention of each are clear; an answer
//! that found nothing, or sums only, leaves one without engagement. Records hold ids and hashes, never what was read.
//!
//! Records are written by one task a process ([`Writer`]), all that wait at once, over connections of its own and on SQLite
//! into a file of its own: neither waits for an import, nor for the trail.

mod external;
mod notes;
mod service;
mod writer;

pub use external::{ExternalRead, external_reads};
pub use notes::{Noted, Notes};
pub(crate) use service::MAX_ACTOR;
pub use service::{Asked, Export, ReadFilter, Reads, list, matching, operation_hash};
pub use writer::{KeepsReads, Writer};

use crate::access::{Class, Classes};

/// Classes whose disclosure leaves a record.
pub const RECORDED: Classes = Classes::of(&[Class::SocialData, Class::Special, Class::Personnel]);
