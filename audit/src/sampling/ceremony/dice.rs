//! Ten-sided dice, thrown in a recorded session.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::plan::named;
use super::{CeremonyError, Logged};

/// Fewest throws of a session.
///
/// Twenty digits are 66 bits (20 * log2 10 = 66.4). The seed is no secret key that somebody could search for
/// afterwards: plan and contributions are fixed before the first throw, so that whoever wants a certain
/// sample has one try against 10^20 outcomes. Even a die that shows its favourite digit every fifth time
/// leaves 46 bits (20 * log2 5). Twenty is also the practice of risk-limiting election audits (Colorado).
pub const FEWEST_THROWS: u32 = 20;
/// Most throws of a session.
pub const MOST_THROWS: u32 = 1_000;

/// A session in which dice were thrown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Session {
    /// The digits 0 to 9 in the order of the throws, without anything between them.
    pub digits: String,
    /// Time of the first throw, in seconds since 1 January 1970 UTC.
    pub begun_at: i64,
    /// Who threw.
    pub thrown_by: String,
    /// Who watched; at least one who did not throw.
    pub witnesses: Vec<String>,
    /// Where the recording is: file and digest, minutes, or a number of the records.
    pub recording: String,
    /// Where the record of the session stands in the log.
    pub logged: Logged,
}

impl Session {
    /// Whether the session is complete and has the planned number of throws.
    pub fn check(&self, throws: u32) -> Result<(), CeremonyError> {
        if !self.digits.bytes().all(|digit| digit.is_ascii_digit()) {
            return Err(CeremonyError::Invalid("digits"));
        }
        let found = self.digits.len();
        if u32::try_from(found) != Ok(throws) {
            let planned = throws;
            return Err(CeremonyError::ThrowsDiffer { planned, found });
        }
        named("thrownBy", &self.thrown_by)?;
        named("recording", &self.recording)?;
        for witness in &self.witnesses {
            named("witnesses", witness)?;
        }
        let thrower = self.thrown_by.trim();
        if !self.witnesses.iter().any(|witness| witness.trim() != thrower) {
            return Err(CeremonyError::WitnessMissing);
        }
        if self.begun_at > self.logged.at {
            return Err(CeremonyError::LogOutOfOrder("source"));
        }
        Ok(())
    }
}
