//! Populations: import, reconciliation, canonical rows.

pub mod canonical;
pub mod import;
pub mod reconciliation;
