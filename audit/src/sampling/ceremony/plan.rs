//! The plan of a draw: what is fixed and logged before anybody contributes to the seed.

use std::collections::BTreeSet;

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::drand::Chain;
use super::{Bytes32, CeremonyError, FEWEST_THROWS, Fields, MOST_THROWS};
use crate::sampling::selection::drawing::selector;
use crate::sampling::selection::{DrawInput, Seed, SelectionError, SelectionMethod, Selector};

/// Longest name, in characters.
const LONGEST_NAME: usize = 200;
/// Longest rule, in characters.
const LONGEST_RULE: usize = 4_000;

/// How hard it is to steer a draw; stands on every report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Assurance {
    /// One person, a seed from the operating system, logged.
    Everyday,
    /// Contributions of two parties or more, committed, then opened.
    Witnessed,
    /// The same, all opened before a public source exists that the plan names.
    NotSteerable,
}

impl Assurance {
    /// The name in digests and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Everyday => "EVERYDAY",
            Self::Witnessed => "WITNESSED",
            Self::NotSteerable => "NOT_STEERABLE",
        }
    }
}

/// A public source that does not exist yet when the plan is fixed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(
    tag = "kind",
    rename_all = "SCREAMING_SNAKE_CASE",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum PlannedSource {
    /// A round of the drand beacon.
    Drand {
        /// Hash of the chain, 64 hexadecimal digits.
        chain: Bytes32,
        /// Number of the round; [`Chain::first_round_after`] finds it for a time.
        round: u64,
    },
    /// Ten-sided dice in a recorded session.
    Dice {
        /// How many throws.
        throws: u32,
    },
}

/// One stratum of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlannedStratum {
    /// Its name, unique in the plan: the context of its draw. `gesamt` where there is but one.
    pub name: String,
    /// How its items are found.
    pub method: SelectionMethod,
    /// Items or hits; the mean of items for the sieve; all items for the census.
    pub size: u64,
    /// Items of the stratum.
    pub population_size: u64,
    /// Sum of their amounts in whole monetary units; needed where monetary units are drawn.
    pub book_value: Option<i64>,
}

impl PlannedStratum {
    /// What draws it by this seed.
    pub fn selector(&self, seed: &Seed) -> Result<Box<dyn Selector + Send>, SelectionError> {
        let input = DrawInput {
            method: self.method,
            seed: seed.as_str().to_owned(),
            context: self.name.clone(),
            size: self.size,
            population_size: Some(self.population_size),
            book_value: self.book_value,
        };
        selector(&input, seed, &mut Vec::new())
    }
}

/// The plan of a draw. Its digest stands in the log before the first commitment, and in every commitment and
/// seed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Plan {
    /// The engagement, by its number.
    pub engagement: String,
    /// The sample, by its name.
    pub sample: String,
    /// Merkle root of the frozen population.
    pub population_root: Bytes32,
    /// Digest of the draw file's rows ([`crate::sampling::redraw::FrameDigest`]): binds what is drawn from.
    pub frame_digest: Bytes32,
    /// The strata, in draw order.
    pub strata: Vec<PlannedStratum>,
    /// Confidence, above 0 and below 1.
    pub confidence: Option<Decimal>,
    /// Tolerable rate of deviations, above 0 and below 1.
    pub tolerable_rate: Option<Decimal>,
    /// Expected rate, from 0 and below the tolerable one.
    pub expected_rate: Option<Decimal>,
    /// Tolerable error in whole monetary units, above 0.
    pub tolerable_error: Option<i64>,
    /// Expected error, from 0 and below the tolerable one.
    pub expected_error: Option<i64>,
    /// When and how the sample is extended, if it may be: size and rule.
    pub extension_rule: Option<String>,
    /// The level.
    pub assurance: Assurance,
    /// Who contributes to the seed, in the order of the seed; none at the level `EVERYDAY`.
    #[serde(default)]
    pub parties: Vec<String>,
    /// The public source; needed at the level `NOT_STEERABLE`.
    pub source: Option<PlannedSource>,
}

impl Plan {
    /// SHA-256 over the fields of the plan; `audit/README.md` lists them.
    pub fn digest(&self) -> Bytes32 {
        let decimal =
            |value: Option<Decimal>| value.map_or(String::new(), |value| value.normalize().to_string());
        let whole = |value: Option<i64>| value.map_or(String::new(), |value| value.to_string());
        let mut fields = Fields::new("pruefpfad-draw-plan-1")
            .text(&self.engagement)
            .text(&self.sample)
            .shown(&self.population_root)
            .shown(&self.frame_digest)
            .shown(&self.strata.len());
        for stratum in &self.strata {
            fields = fields
                .text(&stratum.name)
                .text(stratum.method.algorithm())
                .shown(&stratum.size)
                .shown(&stratum.population_size)
                .text(whole(stratum.book_value));
        }
        fields = fields
            .text(decimal(self.confidence))
            .text(decimal(self.tolerable_rate))
            .text(decimal(self.expected_rate))
            .text(whole(self.tolerable_error))
            .text(whole(self.expected_error))
            .text(self.extension_rule.as_deref().unwrap_or_default())
            .text(self.assurance.name())
            .shown(&self.parties.len());
        for party in &self.parties {
            fields = fields.text(party);
        }
        match &self.source {
            None => fields.text("NONE"),
            Some(PlannedSource::Drand { chain, round }) => fields.text("DRAND").shown(chain).shown(round),
            Some(PlannedSource::Dice { throws }) => fields.text("DICE").shown(throws),
        }
        .finish()
    }

    /// Whether the plan can lead to a draw at its level.
    pub fn check(&self) -> Result<(), CeremonyError> {
        named("engagement", &self.engagement)?;
        named("sample", &self.sample)?;
        self.check_strata()?;
        self.check_bounds()?;
        match &self.extension_rule {
            Some(rule) if rule.trim().is_empty() => return Err(CeremonyError::Required("extensionRule")),
            Some(rule) if rule.chars().count() > LONGEST_RULE => {
                return Err(CeremonyError::TooLong("extensionRule"));
            }
            _ => {}
        }
        self.check_level()
    }

    fn check_strata(&self) -> Result<(), CeremonyError> {
        if self.strata.is_empty() {
            return Err(CeremonyError::Required("strata"));
        }
        let mut names = BTreeSet::new();
        for stratum in &self.strata {
            named("strata.name", &stratum.name)?;
            if !names.insert(&stratum.name) {
                return Err(CeremonyError::Doubled("strata.name", stratum.name.clone()));
            }
            let method = stratum.method;
            if !method.projects() {
                return Err(CeremonyError::Invalid("strata.method"));
            }
            if stratum.population_size == 0 {
                return Err(CeremonyError::Invalid("strata.populationSize"));
            }
            let fits = match (method, stratum.book_value) {
                _ if stratum.size == 0 => false,
                (SelectionMethod::Census, _) => stratum.size == stratum.population_size,
                (SelectionMethod::RecordsWithReplacement | SelectionMethod::UnitsWithReplacement, _) => true,
                (
                    SelectionMethod::FixedInterval
                    | SelectionMethod::RandomisedInterval
                    | SelectionMethod::Cell
                    | SelectionMethod::Sieve,
                    Some(total),
                ) => stratum.size <= u64::try_from(total).unwrap_or(0),
                _ => stratum.size <= stratum.population_size,
            };
            if method.is_monetary() && stratum.book_value.is_none() {
                return Err(CeremonyError::Required("strata.bookValue"));
            }
            if method.is_monetary() && stratum.book_value.is_some_and(|total| total <= 0) {
                return Err(CeremonyError::Invalid("strata.bookValue"));
            }
            if !fits {
                return Err(CeremonyError::Invalid("strata.size"));
            }
        }
        Ok(())
    }

    fn check_bounds(&self) -> Result<(), CeremonyError> {
        let inside = |rate: Decimal| rate > Decimal::ZERO && rate < Decimal::ONE;
        if self.confidence.is_some_and(|confidence| !inside(confidence)) {
            return Err(CeremonyError::Invalid("confidence"));
        }
        if self.tolerable_rate.is_some_and(|rate| !inside(rate)) {
            return Err(CeremonyError::Invalid("tolerableRate"));
        }
        let below = self.tolerable_rate.unwrap_or(Decimal::ONE);
        if self
            .expected_rate
            .is_some_and(|rate| rate < Decimal::ZERO || rate >= below)
        {
            return Err(CeremonyError::Invalid("expectedRate"));
        }
        if self.tolerable_error.is_some_and(|error| error <= 0) {
            return Err(CeremonyError::Invalid("tolerableError"));
        }
        let below = self.tolerable_error.unwrap_or(i64::MAX);
        if self
            .expected_error
            .is_some_and(|error| error < 0 || error >= below)
        {
            return Err(CeremonyError::Invalid("expectedError"));
        }
        Ok(())
    }

    fn check_level(&self) -> Result<(), CeremonyError> {
        let mut names = BTreeSet::new();
        for party in &self.parties {
            named("parties", party)?;
            if !names.insert(party.trim()) {
                return Err(CeremonyError::Doubled("parties", party.clone()));
            }
        }
        match self.assurance {
            Assurance::Everyday if !self.parties.is_empty() => return Err(CeremonyError::NotUsed("parties")),
            Assurance::Everyday if self.source.is_some() => return Err(CeremonyError::NotUsed("source")),
            Assurance::Everyday => {}
            _ if self.parties.len() < 2 => return Err(CeremonyError::TooFewParties),
            Assurance::NotSteerable if self.source.is_none() => {
                return Err(CeremonyError::Required("source"));
            }
            Assurance::Witnessed | Assurance::NotSteerable => {}
        }
        match &self.source {
            Some(PlannedSource::Drand { chain, round }) => {
                let chain =
                    Chain::of_hash(*chain).ok_or_else(|| CeremonyError::ChainUnknown(chain.to_string()))?;
                chain.round_time(*round).map(|_| ())
            }
            Some(PlannedSource::Dice { throws }) if !(FEWEST_THROWS..=MOST_THROWS).contains(throws) => {
                Err(CeremonyError::ThrowsOutOfRange(*throws))
            }
            _ => Ok(()),
        }
    }
}

/// Whether a name is there and not too long.
pub(super) fn named(field: &'static str, text: &str) -> Result<(), CeremonyError> {
    if text.trim().is_empty() {
        return Err(CeremonyError::Required(field));
    }
    if text.chars().count() > LONGEST_NAME {
        return Err(CeremonyError::TooLong(field));
    }
    Ok(())
}
