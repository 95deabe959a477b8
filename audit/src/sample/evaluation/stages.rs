//! Samples whose extension was fixed with the first plan: both stages are evaluated together.

use entity::SampleId;
use entity::sample::{Extension, Model, State};
use rust_decimal::Decimal;

use super::units::Unit;
use crate::sample::extension::{ExtensionRule, extension_of};
use crate::sample::service::{load, parameters};
use crate::sampling::evaluation::{
    Conclusion, EvaluationError, STAGES_METHOD, STAGES_VERSION, StageDecision, StagesInput, attribute,
    two_stages,
};
use crate::{Db, Result};

/// What two stages say together.
#[derive(Clone, Debug)]
pub struct TwoStageFigures {
    /// The rule.
    pub rule: ExtensionRule,
    /// The plan's tolerable rate.
    pub tolerable_rate: Decimal,
    /// Errors in the first stage.
    pub first_errors: u64,
    /// Errors in the second one, where it is drawn.
    pub second_errors: Option<u64>,
    /// Errors by items checked, in both.
    pub rate: Decimal,
    /// One-sided upper limit; none unless the rule accepts.
    pub upper_limit: Option<Decimal>,
    /// What the rule says; none while items are open.
    pub decision: Option<StageDecision>,
    /// What follows for the tolerable rate; none while items are open.
    pub conclusion: Option<Conclusion>,
    /// Method.
    pub method: &'static str,
    /// Version of the method.
    pub version: &'static str,
}

/// Both stages of a plan.
#[derive(Debug)]
pub(super) struct Stages {
    rule: ExtensionRule,
    pub(super) confidence: Decimal,
    tolerable: Decimal,
    population: u64,
    first: SampleId,
    second: Option<SampleId>,
}

/// The stages of which the sample is one, if its extension was fixed with the first plan.
pub(super) async fn stages_of(db: &Db, sample: &Model) -> Result<Option<Stages>> {
    let first = match (sample.extension, sample.extends_id) {
        (Some(Extension::Planned), Some(first)) => load(db.reader(), first).await?,
        _ => sample.clone(),
    };
    let plan = parameters(&first)?;
    let Some(rule) = plan.extension_rule else {
        return Ok(None);
    };
    let second = extension_of(db.reader(), first.id)
        .await?
        .filter(|second| second.extension == Some(Extension::Planned) && second.state == State::Drawn);
    Ok(Some(Stages {
        rule,
        confidence: plan.confidence.unwrap_or_default(),
        tolerable: plan.tolerable_rate.unwrap_or_default(),
        population: first.frame_count.unsigned_abs(),
        first: first.id,
        second: second.map(|second| second.id),
    }))
}

/// Whether the sample is an unplanned extension, or has one.
pub(super) async fn is_unplanned(db: &Db, sample: &Model) -> Result<bool> {
    let by = extension_of(db.reader(), sample.id).await?;
    Ok([sample.extension, by.and_then(|by| by.extension)].contains(&Some(Extension::Unplanned)))
}

impl Stages {
    /// The samples.
    pub(super) fn samples(&self) -> Vec<SampleId> {
        [Some(self.first), self.second].into_iter().flatten().collect()
    }

    /// The figures of what is checked.
    pub(super) fn figures(
        &self,
        units: &[Unit],
        open: bool,
    ) -> std::result::Result<TwoStageFigures, EvaluationError> {
        let errors = |sample: SampleId| {
            units
                .iter()
                .filter(|unit| unit.sample == sample && unit.error)
                .count() as u64
        };
        let (first, second) = (errors(self.first), self.second.map(errors));
        let so_far = attribute(units.len() as u64, first + second.unwrap_or(0), self.confidence)?;
        let decided = if open {
            None
        } else {
            Some(two_stages(&StagesInput {
                population: self.population,
                size_per_stage: self.rule.size.unsigned_abs(),
                confidence: self.confidence,
                tolerable: self.tolerable,
                first,
                second,
            })?)
        };
        Ok(TwoStageFigures {
            rule: self.rule.clone(),
            tolerable_rate: self.tolerable,
            first_errors: first,
            second_errors: second,
            rate: so_far.rate,
            upper_limit: decided.as_ref().and_then(|decided| decided.upper_limit),
            decision: decided.as_ref().map(|decided| decided.decision),
            conclusion: decided.as_ref().map(|decided| decided.conclusion),
            method: STAGES_METHOD,
            version: STAGES_VERSION,
        })
    }
}
