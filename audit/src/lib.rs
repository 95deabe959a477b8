//! The control system (Verwaltungs- und Kontrollsystem): access, trail, engagements, populations, samples, checks.
//!
//! Knows rows and rules; knows no HTTP and no GraphQL. One folder a noun: `rules.rs` is pure, `service.rs` has the use
//! cases (authorize, load, apply the rule, write, trail, commit).

pub mod access;
pub mod assignment;
pub mod check;
pub mod comment;
mod copy;
mod ctx;
mod db;
pub mod deadline;
pub mod decision;
pub mod demo;
pub mod engagement;
mod error;
pub mod grant;
pub mod idempotency;
pub mod jobcenter;
mod language;
pub mod legal_hold;
pub mod page;
pub mod parameter_set;
pub mod population;
pub mod reads;
mod refusal;
pub mod retention;
pub mod sample;
pub mod sampling;
pub mod trail;
mod vault;

pub use ctx::{Clock, Ctx, OsRandom, Random, Sources, SystemClock};
pub use db::{Db, Reader};
pub use error::{Error, Result};
pub use language::{Language, UnknownLanguage};
pub use refusal::{Code, Refusal};
pub use vault::{EngagementKey, Vault};
