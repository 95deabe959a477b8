//! Why a ceremony does not lead to a seed.

use super::{FEWEST_THROWS, MOST_THROWS};

/// Why a ceremony does not lead to a seed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CeremonyError {
    /// Something is missing.
    #[error("`{0}` is missing")]
    Required(&'static str),
    /// A text is too long.
    #[error("`{0}` is too long")]
    TooLong(&'static str),
    /// A value that cannot be.
    #[error("`{0}` cannot be so")]
    Invalid(&'static str),
    /// The level has no use for it, and what is ignored would look as if it counted.
    #[error("`{0}` has no use at this level of assurance")]
    NotUsed(&'static str),
    /// A single party contributes to a seed that is witnessed.
    #[error("the seed needs contributions of two parties at least")]
    TooFewParties,
    /// A name occurs twice: a party or a stratum.
    #[error("`{1}` occurs twice")]
    Doubled(&'static str, String),
    /// Dice were planned with too few or too many throws.
    #[error("{0} throws: a session has {FEWEST_THROWS} to {MOST_THROWS}")]
    ThrowsOutOfRange(u32),
    /// The beacon's chain is none of those whose keys are known here.
    #[error("the chain {0} is not known")]
    ChainUnknown(String),
    /// The order of the log contradicts the order of the things, or its times do.
    #[error("`{0}` was logged in the wrong order")]
    LogOutOfOrder(&'static str),
    /// Somebody who is not named in the plan.
    #[error("{0} is not a party of the plan")]
    PartyUnknown(String),
    /// A party did not commit.
    #[error("the commitment of {0} is missing")]
    CommitmentMissing(String),
    /// A party committed or opened twice.
    #[error("{0} committed or opened twice")]
    ContributionDoubled(String),
    /// What was opened is not what was committed.
    #[error("what {0} opened is not what was committed")]
    CommitmentDiffers(String),
    /// A contribution was opened before all were committed.
    #[error("{0} opened before everybody had committed")]
    OpenedTooEarly(String),
    /// Nobody opened: the seed would follow from the plan alone.
    #[error("nobody opened a contribution")]
    NobodyOpened,
    /// The source is dated before a contribution, or at the same second.
    #[error("the source existed when the contribution of {0} was not there yet")]
    SourceBeforeContribution(String),
    /// The source is dated before the plan.
    #[error("the source existed when the plan was not fixed yet")]
    SourceBeforePlan,
    /// The plan names a source, another one, or none.
    #[error("the source is not the one of the plan")]
    SourceDiffers,
    /// The beacon's round is not the one of the plan.
    #[error("round {found} is not round {planned} of the plan")]
    RoundDiffers {
        /// Round named in the plan.
        planned: u64,
        /// Round given.
        found: u64,
    },
    /// The round belongs to another chain than the plan's.
    #[error("the round belongs to another chain than the plan's")]
    RoundOfAnotherChain,
    /// The signature does not prove the round.
    #[error("the signature does not prove the round")]
    SignatureWrong,
    /// The randomness is not the SHA-256 digest of the signature.
    #[error("the randomness is not that of the signature")]
    RandomnessDiffers,
    /// The dice's digits are not as many as planned.
    #[error("{found} digits are not the {planned} of the plan")]
    ThrowsDiffer {
        /// Throws named in the plan.
        planned: u32,
        /// Digits given.
        found: usize,
    },
    /// Nobody but the thrower saw the dice.
    #[error("a session needs a witness who did not throw")]
    WitnessMissing,
}

impl CeremonyError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Required(_) => "REQUIRED",
            Self::TooLong(_) => "TOO_LONG",
            Self::Invalid(_) => "INVALID_VALUE",
            Self::NotUsed(_) => "NOT_USED_AT_THIS_LEVEL",
            Self::TooFewParties => "TOO_FEW_PARTIES",
            Self::Doubled(..) => "DOUBLED",
            Self::ThrowsOutOfRange(_) => "DICE_THROWS_OUT_OF_RANGE",
            Self::ChainUnknown(_) => "CHAIN_UNKNOWN",
            Self::LogOutOfOrder(_) => "LOG_OUT_OF_ORDER",
            Self::PartyUnknown(_) => "PARTY_UNKNOWN",
            Self::CommitmentMissing(_) => "COMMITMENT_MISSING",
            Self::ContributionDoubled(_) => "CONTRIBUTION_DOUBLED",
            Self::CommitmentDiffers(_) => "COMMITMENT_DIFFERS",
            Self::OpenedTooEarly(_) => "OPENED_TOO_EARLY",
            Self::NobodyOpened => "NOBODY_OPENED",
            Self::SourceBeforeContribution(_) => "SOURCE_BEFORE_CONTRIBUTION",
            Self::SourceBeforePlan => "SOURCE_BEFORE_PLAN",
            Self::SourceDiffers => "SOURCE_DIFFERS",
            Self::RoundDiffers { .. } => "ROUND_DIFFERS",
            Self::RoundOfAnotherChain => "ROUND_OF_ANOTHER_CHAIN",
            Self::SignatureWrong => "SIGNATURE_WRONG",
            Self::RandomnessDiffers => "RANDOMNESS_DIFFERS",
            Self::ThrowsDiffer { .. } => "DICE_THROWS_DIFFER",
            Self::WitnessMissing => "WITNESS_MISSING",
        }
    }

    /// The input that has to change.
    pub fn field(&self) -> &'static str {
        match self {
            Self::Required(field)
            | Self::TooLong(field)
            | Self::Invalid(field)
            | Self::NotUsed(field)
            | Self::Doubled(field, _)
            | Self::LogOutOfOrder(field) => field,
            Self::TooFewParties => "parties",
            Self::PartyUnknown(_) | Self::ContributionDoubled(_) | Self::CommitmentMissing(_) => {
                "commitments"
            }
            Self::CommitmentDiffers(_) | Self::OpenedTooEarly(_) | Self::NobodyOpened => "openings",
            Self::ThrowsOutOfRange(_)
            | Self::ChainUnknown(_)
            | Self::SourceBeforeContribution(_)
            | Self::SourceBeforePlan
            | Self::SourceDiffers
            | Self::RoundOfAnotherChain => "source",
            Self::RoundDiffers { .. } => "round",
            Self::SignatureWrong => "signature",
            Self::RandomnessDiffers => "randomness",
            Self::ThrowsDiffer { .. } => "digits",
            Self::WitnessMissing => "witnesses",
        }
    }

    /// The same in German.
    pub fn german(&self) -> String {
        match self {
            Self::Required(field) => format!("Die Angabe „{field}“ fehlt."),
            Self::TooLong(field) => format!("Die Angabe „{field}“ ist zu lang."),
            Self::Invalid(field) => format!("Die Angabe „{field}“ ist so nicht möglich."),
            Self::NotUsed(field) => {
                format!("Die Angabe „{field}“ wird auf dieser Stufe nicht verwendet. Bitte weglassen.")
            }
            Self::TooFewParties => {
                "Der Startwert braucht Beiträge von mindestens zwei Beteiligten.".to_owned()
            }
            Self::Doubled(_, name) => format!("„{name}“ kommt zweimal vor."),
            Self::ThrowsOutOfRange(throws) => format!(
                "Die Zahl der Würfe ist {throws}, eine Sitzung hat {FEWEST_THROWS} bis {MOST_THROWS}."
            ),
            Self::ChainUnknown(chain) => format!("Die Kette {chain} des Zufallsdienstes ist nicht bekannt."),
            Self::LogOutOfOrder(field) => {
                format!("„{field}“ wurde in der falschen Reihenfolge protokolliert.")
            }
            Self::PartyUnknown(name) => format!("{name} gehört nicht zu den Beteiligten des Plans."),
            Self::CommitmentMissing(party) => format!("Die Festlegung von {party} fehlt."),
            Self::ContributionDoubled(party) => {
                format!("Von {party} gibt es zwei Festlegungen oder zwei geöffnete Beiträge.")
            }
            Self::CommitmentDiffers(party) => {
                format!("Der geöffnete Beitrag von {party} entspricht nicht der Festlegung.")
            }
            Self::OpenedTooEarly(party) => {
                format!("{party} hat geöffnet, bevor alle Festlegungen vorlagen.")
            }
            Self::NobodyOpened => "Niemand hat einen Beitrag geöffnet.".to_owned(),
            Self::SourceBeforeContribution(party) => {
                format!("Die Quelle gab es schon, als der Beitrag von {party} noch nicht vorlag.")
            }
            Self::SourceBeforePlan => {
                "Die Quelle gab es schon, als der Plan noch nicht feststand.".to_owned()
            }
            Self::SourceDiffers => "Die Quelle ist nicht die des Plans.".to_owned(),
            Self::RoundDiffers { planned, found } => {
                format!("Die Runde {found} ist nicht die Runde {planned} des Plans.")
            }
            Self::RoundOfAnotherChain => {
                "Die Runde gehört zu einer anderen Kette als der des Plans.".to_owned()
            }
            Self::SignatureWrong => "Die Signatur beweist die Runde nicht.".to_owned(),
            Self::RandomnessDiffers => "Der Zufallswert ist nicht der zu dieser Signatur.".to_owned(),
            Self::ThrowsDiffer { planned, found } => {
                format!("Die Zahl der Ziffern ist {found}, geplant ist {planned}.")
            }
            Self::WitnessMissing => {
                "Eine Sitzung braucht mindestens eine Person, die zusieht und nicht selbst würfelt."
                    .to_owned()
            }
        }
    }
}

#[cfg(test)]
impl CeremonyError {
    /// One of each, with the fields of a plan.
    pub(crate) fn each() -> [Self; 24] {
        let name = || "A7".to_owned();
        [
            Self::Required("ownSeed"),
            Self::TooLong("text"),
            Self::Invalid("strata.size"),
            Self::NotUsed("openings"),
            Self::TooFewParties,
            Self::Doubled("parties", name()),
            Self::ThrowsOutOfRange(19),
            Self::ChainUnknown(name()),
            Self::LogOutOfOrder("planned"),
            Self::PartyUnknown(name()),
            Self::CommitmentMissing(name()),
            Self::ContributionDoubled(name()),
            Self::CommitmentDiffers(name()),
            Self::OpenedTooEarly(name()),
            Self::NobodyOpened,
            Self::SourceBeforeContribution(name()),
            Self::SourceBeforePlan,
            Self::SourceDiffers,
            Self::RoundDiffers {
                planned: 12,
                found: 13,
            },
            Self::RoundOfAnotherChain,
            Self::SignatureWrong,
            Self::RandomnessDiffers,
            Self::ThrowsDiffer {
                planned: 20,
                found: 21,
            },
            Self::WitnessMissing,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampling::derivation::assert_german;

    #[test]
    fn errors_are_told_in_german() {
        assert_german(&CeremonyError::each().map(|error| (error.german(), error.to_string())));
    }
}
