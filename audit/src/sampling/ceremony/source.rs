//! Public sources of a seed: what they say, and since when it could be known.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::drand::{Chain, Round};
use super::{CeremonyError, Fields, PlannedSource, Session};

/// What a public source said, as given by hand or read from a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Source {
    /// A round of the drand beacon.
    Drand(Round),
    /// A session with dice.
    Dice(Session),
}

/// A source that was checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SourceUsed {
    /// `DRAND` or `DICE`.
    pub kind: &'static str,
    /// Which one: hash of the chain and round, or the recording.
    pub name: String,
    /// Since when its value existed, in seconds since 1 January 1970 UTC.
    pub at: i64,
    /// Its value: the round's randomness, or the digits.
    pub value: String,
    /// What of it goes into the seed.
    #[serde(skip)]
    pub(super) fields: Vec<String>,
}

impl SourceUsed {
    pub(super) fn append(&self, fields: Fields) -> Fields {
        self.fields.iter().fold(fields.text(self.kind), Fields::text)
    }
}

impl Source {
    /// Whether this is the source of the plan, and genuine.
    pub fn check(&self, planned: &PlannedSource) -> Result<SourceUsed, CeremonyError> {
        match (self, planned) {
            (Self::Drand(round), PlannedSource::Drand { chain, round: number }) => {
                let hash = *chain;
                let chain =
                    Chain::of_hash(hash).ok_or_else(|| CeremonyError::ChainUnknown(hash.to_string()))?;
                if round.round != *number {
                    let (planned, found) = (*number, round.round);
                    return Err(CeremonyError::RoundDiffers { planned, found });
                }
                let randomness = chain.verify(round)?.to_string();
                Ok(SourceUsed {
                    kind: "DRAND",
                    name: format!("{hash}/{number}"),
                    at: chain.round_time(*number)?,
                    value: randomness.clone(),
                    fields: vec![hash.to_string(), number.to_string(), randomness],
                })
            }
            (Self::Dice(session), PlannedSource::Dice { throws }) => {
                session.check(*throws)?;
                Ok(SourceUsed {
                    kind: "DICE",
                    name: session.recording.clone(),
                    at: session.begun_at,
                    value: session.digits.clone(),
                    fields: vec![session.digits.clone()],
                })
            }
            _ => Err(CeremonyError::SourceDiffers),
        }
    }
}
