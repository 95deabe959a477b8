//! Contributions to the seed: a text nobody else knows, committed by its digest, opened when all have
//! committed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Bytes32, CeremonyError, Fields};

/// Longest text of a contribution, in characters.
pub const LONGEST_TEXT: usize = 1_000;

/// Where and when something stands in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Logged {
    /// Position in the log; decides what came first.
    pub position: u64,
    /// Time of the entry, in seconds since 1 January 1970 UTC; compared with the time of a public source.
    pub at: i64,
}

/// What a party contributes: 32 random bytes, and a text of its own choice, which may be empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Contribution {
    /// The party, as the plan names it.
    pub party: String,
    /// 32 random bytes: they keep the text from being guessed and the contribution from being steered.
    pub salt: Bytes32,
    /// The text, up to 1,000 characters.
    #[serde(default)]
    pub text: String,
}

/// A committed contribution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Commitment {
    /// The party.
    pub party: String,
    /// The digest of its contribution ([`commitment`]).
    pub digest: Bytes32,
    /// Its place in the log.
    pub logged: Logged,
}

/// An opened contribution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Opening {
    /// What was committed.
    pub contribution: Contribution,
    /// Its place in the log.
    pub logged: Logged,
}

/// The digest by which a party commits: SHA-256 over tag, plan digest, party, salt and text. It holds for
/// this plan only.
pub fn commitment(plan: Bytes32, contribution: &Contribution) -> Result<Bytes32, CeremonyError> {
    if contribution.text.chars().count() > LONGEST_TEXT {
        return Err(CeremonyError::TooLong("text"));
    }
    Ok(Fields::new("pruefpfad-draw-commitment-1")
        .shown(&plan)
        .text(&contribution.party)
        .shown(&contribution.salt)
        .text(&contribution.text)
        .finish())
}
