//! What a ceremony has to look like, and which step may be done when. Pure.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use entity::contribution;
use serde::Serialize;

use super::Ceremony;
use crate::access::{Action, Role, permits};
use crate::sampling::ceremony::drand::Chain;
use crate::sampling::ceremony::{Assurance, CeremonyError, Plan, PlannedSource};
use crate::{Code, Refusal, refusal};

/// Most parties of a ceremony.
const MOST_PARTIES: usize = 20;
/// Longest name of a party, and longest subject, in characters.
const LONGEST_NAME: usize = 200;

/// Who contributes to the seed.
#[derive(Clone, Debug, Serialize)]
pub struct PartyInput {
    /// Name in the plan, unique, up to 200 characters: "Datenschutz".
    pub name: String,
    /// The one person who speaks for it: subject of their token.
    pub subject: String,
    /// The role in which they do.
    pub role: Role,
}

/// How the seed of a planned sample comes about.
#[derive(Clone, Debug, Serialize)]
pub struct CeremonyInput {
    /// The level.
    pub assurance: Assurance,
    /// Who contributes, in the order of the seed; none at the level `EVERYDAY`.
    pub parties: Vec<PartyInput>,
    /// The public source; needed at the level `NOT_STEERABLE`.
    pub source: Option<PlannedSource>,
    /// Until when the draw waits for parties that did not open. Without it, until the time of the drand round, or else for all of
    /// them.
    pub open_until: Option<DateTime<Utc>>,
}

impl Default for CeremonyInput {
    fn default() -> Self {
        Self {
            assurance: Assurance::Everyday,
            parties: Vec::new(),
            source: None,
            open_until: None,
        }
    }
}

impl CeremonyInput {
    /// Whether there is none.
    pub(in crate::sample) fn is_none(&self) -> bool {
        self.assurance == Assurance::Everyday
            && self.parties.is_empty()
            && self.source.is_none()
            && self.open_until.is_none()
    }
}

/// On which side somebody stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// In the audit function.
    AuditFunction,
    /// In a Bezirksstelle, which is audited.
    AuditedUnit,
    /// In neither.
    Outside,
}

/// Where a role stands; none for a text that is no role.
pub fn standing(role: &str) -> Option<Standing> {
    let role: Role = role.parse().ok()?;
    Some(if role.audits() {
        Standing::AuditFunction
    } else if role.is_local() {
        Standing::AuditedUnit
    } else {
        Standing::Outside
    })
}

/// What is wrong with a ceremony, whenever it is planned.
pub(in crate::sample) fn check(input: &CeremonyInput) -> Vec<Refusal> {
    if input.assurance == Assurance::Everyday {
        let unused = [
            (!input.parties.is_empty(), "input.parties"),
            (input.source.is_some(), "input.source"),
            (input.open_until.is_some(), "input.openUntil"),
        ];
        let unused = unused.into_iter().filter(|(given, _)| *given);
        return unused
            .map(|(_, path)| Refusal::new(Code::NotUsedAtThisLevel, path))
            .collect();
    }
    if input.parties.len() > MOST_PARTIES {
        return vec![Refusal::new(Code::TooMany, "input.parties").with(MOST_PARTIES)];
    }
    let mut refusals = Vec::new();
    let mut subjects = BTreeSet::new();
    for (place, party) in input.parties.iter().enumerate() {
        let path = |field: &str| format!("input.parties.{place}.{field}");
        refusals.extend(refusal::text(&path("name"), &party.name, LONGEST_NAME));
        refusals.extend(refusal::text(&path("subject"), &party.subject, LONGEST_NAME));
        if !permits(party.role, Action::ContributionCommit) {
            refusals.push(Refusal::new(Code::InvalidValue, &path("role")).with(party.role));
        }
        if !subjects.insert(&party.subject) {
            refusals.push(Refusal::new(Code::PartiesSamePerson, &path("subject")).with(&party.subject));
        }
    }
    let auditors = input.parties.iter().filter(|party| party.role.audits()).count();
    if input.parties.len() >= 2 && (auditors == 0 || auditors == input.parties.len()) {
        refusals.push(Refusal::new(Code::PartiesOneSided, "input.parties"));
    }
    refusals
}

/// Since when a planned source exists, in seconds since 1970, where that is known beforehand.
fn source_time(plan: &Plan) -> Option<i64> {
    match &plan.source {
        Some(PlannedSource::Drand { chain, round }) => Chain::of_hash(*chain)?.round_time(*round).ok(),
        _ => None,
    }
}

/// What is wrong with the times of a plan that is fixed now: what lies in the past decides nothing.
pub(super) fn check_times(
    plan: &Plan,
    open_until: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<(), Refusal> {
    let source = source_time(plan);
    if source.is_some_and(|at| at <= now.timestamp()) {
        return Err(Refusal::new(Code::SourceExists, "input.source.drand.round"));
    }
    let wrong = |until: DateTime<Utc>| until <= now || source.is_some_and(|at| until.timestamp() > at);
    match open_until {
        Some(until) if wrong(until) => Err(Refusal::new(Code::InvalidValue, "input.openUntil").with(until)),
        _ => Ok(()),
    }
}

impl Ceremony {
    /// Since when the planned source exists, where that is known beforehand.
    pub fn source_at(&self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp(source_time(&self.plan)?, 0)
    }

    fn source_exists(&self, now: DateTime<Utc>) -> bool {
        self.source.is_some() || source_time(&self.plan).is_some_and(|at| at <= now.timestamp())
    }

    /// Parties that did not commit, in the order of the plan.
    pub fn uncommitted(&self) -> impl Iterator<Item = &contribution::Model> {
        self.parties.iter().filter(|party| party.digest.is_none())
    }

    /// Parties that did not open, in the order of the plan.
    pub fn unopened(&self) -> impl Iterator<Item = &contribution::Model> {
        self.parties.iter().filter(|party| party.salt.is_none())
    }

    /// Whether a party may commit.
    pub(super) fn may_commit(&self, party: &contribution::Model, now: DateTime<Utc>) -> Result<(), Refusal> {
        if party.digest.is_some() {
            Err(Refusal::new(Code::ContributionCommitted, "input.id").with(&party.party))
        } else if self.source_exists(now) {
            // It would not count, and neither would the others without it.
            Err(Refusal::new(Code::SourceBeforeContribution, "input.id").with(&party.party))
        } else {
            Ok(())
        }
    }

    /// Whether a party may open. Once the source exists, it does not count; until the source is recorded it is taken all the same, so
    /// that the log tells late from silent.
    pub(super) fn may_open(&self, party: &contribution::Model) -> Result<(), Refusal> {
        self.all_committed()?;
        if party.salt.is_some() {
            Err(Refusal::new(Code::ContributionOpened, "input.id").with(&party.party))
        } else if self.source.is_some() {
            Err(Refusal::new(Code::SourceRecorded, "input.id"))
        } else {
            Ok(())
        }
    }

    fn all_committed(&self) -> Result<(), Refusal> {
        match names(self.uncommitted()) {
            None => Ok(()),
            Some(missing) => Err(Refusal::new(Code::CommitmentMissing, "input.id").with(missing)),
        }
    }

    /// Whether it may end: all committed, and all opened or had their time; and the source exists, as far as that can be told.
    pub(super) fn may_end(&self, now: DateTime<Utc>) -> Result<(), Refusal> {
        self.all_committed()?;
        if self.parties.iter().all(|party| party.salt.is_none()) {
            return Err(Refusal::new(Code::NobodyOpened, "input.id"));
        }
        let until = self.row.open_until.or_else(|| self.source_at());
        if until.is_none_or(|until| now < until)
            && let Some(silent) = names(self.unopened())
        {
            return Err(Refusal::new(Code::ContributionsNotOpened, "input.id").with(silent));
        }
        match self.source_at() {
            Some(at) if now < at => Err(Refusal::new(Code::SourceNotYet, "input.source").with(at)),
            _ => Ok(()),
        }
    }

    /// What somebody in this role may do at this time.
    pub(super) fn possible_for(&self, subject: &str, role: Option<Role>, now: DateTime<Utc>) -> Vec<Action> {
        let mut possible = Vec::new();
        let own = self.parties.iter().find(|party| speaks(party, subject, role));
        if own.is_some_and(|party| self.may_commit(party, now).is_ok()) {
            possible.push(Action::ContributionCommit);
        }
        if own.is_some_and(|party| self.may_open(party).is_ok()) {
            possible.push(Action::ContributionOpen);
        }
        if self.may_end(now).is_ok() {
            possible.push(Action::SampleDraw);
        }
        possible
    }
}

fn speaks(party: &contribution::Model, subject: &str, role: Option<Role>) -> bool {
    party.subject == subject && role.is_some_and(|role| role.as_str() == party.role)
}

/// Refuses whoever does not speak for the party.
pub(super) fn must_speak(
    party: &contribution::Model,
    subject: &str,
    role: Option<Role>,
) -> Result<(), Refusal> {
    if speaks(party, subject, role) {
        Ok(())
    } else if party.subject == subject {
        Err(Refusal::new(Code::PartyOtherRole, "input.id").with(&party.role))
    } else {
        Err(Refusal::new(Code::PartyOfAnother, "input.id").with(&party.party))
    }
}

fn names<'a>(parties: impl Iterator<Item = &'a contribution::Model>) -> Option<String> {
    let names: Vec<&str> = parties.map(|party| party.party.as_str()).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

/// What the module says of a plan, as a refusal of its input.
pub(super) fn plan_refusal(error: &CeremonyError) -> Refusal {
    let path = match (error, error.field()) {
        (CeremonyError::ChainUnknown(_), _) => "input.source.drand.chain",
        (CeremonyError::ThrowsOutOfRange(_), _) => "input.source.dice.throws",
        (_, "round") => "input.source.drand.round",
        (_, "source") => "input.source",
        (_, "parties") => "input.parties",
        (_, "confidence") => "input.confidence",
        (_, "tolerableRate") => "input.tolerableRate",
        (_, "expectedRate") => "input.expectedRate",
        (_, "tolerableError") => "input.tolerableError",
        (_, "expectedError") => "input.expectedError",
        (_, "strata.size") => "input.size",
        (_, "sample") => "input.name",
        _ => "input.populationId",
    };
    of(error, path)
}

/// What the module says of contributions and source at the end, as a refusal of the input; `source` is the path of the source given.
pub(super) fn end_refusal(error: &CeremonyError, source: &str) -> Refusal {
    let path = match (error, error.field()) {
        (CeremonyError::LogOutOfOrder("source"), _) => format!("{source}.begunAt"),
        (CeremonyError::SourceBeforeContribution(_) | CeremonyError::SourceBeforePlan, _) => {
            "input.source".to_owned()
        }
        (_, "source") => source.to_owned(),
        (
            _,
            field @ ("round" | "signature" | "previousSignature" | "randomness" | "chainHash" | "digits"
            | "thrownBy" | "recording" | "witnesses"),
        ) => {
            // Pasted as one text, it has no parts.
            if source.ends_with("drandJson") {
                source.to_owned()
            } else {
                format!("{source}.{field}")
            }
        }
        _ => "input.id".to_owned(),
    };
    of(error, &path)
}

fn of(error: &CeremonyError, path: &str) -> Refusal {
    let plain = |code| Refusal::new(code, path);
    match error {
        CeremonyError::Required(_) => plain(Code::Required),
        CeremonyError::TooLong(_) => plain(Code::TooLong),
        CeremonyError::Invalid(_) => plain(Code::InvalidValue),
        CeremonyError::NotUsed(_) => plain(Code::NotUsedAtThisLevel),
        CeremonyError::TooFewParties => plain(Code::TooFewParties),
        CeremonyError::Doubled(_, name) => plain(Code::Doubled).with(name),
        CeremonyError::ThrowsOutOfRange(throws) => plain(Code::DiceThrowsOutOfRange).with(throws),
        CeremonyError::ChainUnknown(_) => plain(Code::ChainUnknown),
        CeremonyError::LogOutOfOrder(what) => plain(Code::LogOutOfOrder).with(what),
        CeremonyError::PartyUnknown(name) => plain(Code::PartyUnknown).with(name),
        CeremonyError::CommitmentMissing(party) => plain(Code::CommitmentMissing).with(party),
        CeremonyError::ContributionDoubled(party) => plain(Code::ContributionDoubled).with(party),
        CeremonyError::CommitmentDiffers(party) => plain(Code::CommitmentDiffers).with(party),
        CeremonyError::OpenedTooEarly(party) => plain(Code::OpenedTooEarly).with(party),
        CeremonyError::NobodyOpened => plain(Code::NobodyOpened),
        CeremonyError::SourceBeforeContribution(party) => plain(Code::SourceBeforeContribution).with(party),
        CeremonyError::SourceBeforePlan => plain(Code::SourceBeforePlan),
        CeremonyError::SourceDiffers => plain(Code::SourceDiffers),
        CeremonyError::RoundDiffers { planned, .. } => plain(Code::RoundDiffers).with(planned),
        CeremonyError::RoundOfAnotherChain => plain(Code::RoundOfAnotherChain),
        CeremonyError::SignatureWrong => plain(Code::SignatureWrong),
        CeremonyError::RandomnessDiffers => plain(Code::RandomnessDiffers),
        CeremonyError::ThrowsDiffer { planned, found } => {
            plain(Code::DiceThrowsDiffer).with(format!("{found} / {planned}"))
        }
        CeremonyError::WitnessMissing => plain(Code::WitnessMissing),
    }
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
