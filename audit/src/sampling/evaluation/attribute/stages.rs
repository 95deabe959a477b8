//! Two stages whose sizes and acceptance numbers were fixed before the first one.
//!
//! Source of the plan: Touw and Hoogduin 2011, p. 129 ([`crate::sampling::planning::attribute`]). The limit orders the outcomes by
//! stage (Jennison and Turnbull 1999, 8.5): no deviation in the first stage speaks for less than one there and none in the second.

use rust_decimal::Decimal;

use super::{Conclusion, EvaluationError, RATE_PLACES, attribute};
use crate::sampling::numerics::{first_true, risk};
use crate::sampling::planning::attribute::two_stage_parts;

/// Method of [`two_stages`].
pub const STAGES_METHOD: &str = "two-stages-hypergeometric";
/// Its version.
pub const STAGES_VERSION: &str = "1";

/// Two stages, as planned and as found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StagesInput {
    /// Items of the population before the first stage.
    pub population: u64,
    /// Items of each stage.
    pub size_per_stage: u64,
    /// Confidence of the plan.
    pub confidence: Decimal,
    /// Tolerable rate of the plan.
    pub tolerable: Decimal,
    /// Deviations in the first stage.
    pub first: u64,
    /// Deviations in the second one, if it was drawn.
    pub second: Option<u64>,
}

/// What the acceptance numbers say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StageDecision {
    /// No deviation in the first stage, or one there and none in the second.
    Accepted,
    /// Exactly one deviation in the first stage: the second one decides.
    Extend,
    /// More deviations than the plan accepts.
    NotAccepted,
}

/// What two stages say together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StagesResult {
    /// Items checked in both stages.
    pub size: u64,
    /// Deviations in both.
    pub deviations: u64,
    /// Deviations by items checked, half to even at six places.
    pub rate: Decimal,
    /// Upper one-sided limit, rounded up to six places; none unless the plan accepts.
    pub upper_limit: Option<Decimal>,
    /// What the acceptance numbers say.
    pub decision: StageDecision,
    /// What follows for the tolerable rate.
    pub conclusion: Conclusion,
    /// Method id.
    pub method: &'static str,
    /// Version of the method.
    pub version: &'static str,
}

/// What two stages say together. A second stage that was drawn without need (after none or several deviations in the first) changes
/// nothing of the decision, as the plan has it.
///
/// ```
/// use audit::sampling::evaluation::{StageDecision, StagesInput, two_stages};
/// let rate = |text: &str| text.parse().expect("a decimal");
/// let found = two_stages(&StagesInput {
///     population: 1_000, size_per_stage: 65, confidence: rate("0.95"), tolerable: rate("0.05"), first: 1, second: Some(0),
/// });
/// let found = found.expect("a result");
/// assert_eq!((found.decision, found.size, found.deviations), (StageDecision::Accepted, 130, 1));
/// assert!(found.upper_limit.expect("a limit") < rate("0.05"));
/// ```
pub fn two_stages(input: &StagesInput) -> Result<StagesResult, EvaluationError> {
    let allowed = risk(input.confidence).ok_or(EvaluationError::Confidence(input.confidence))?;
    let (population, n) = (input.population, input.size_per_stage);
    for deviations in [Some(input.first), input.second].into_iter().flatten() {
        if deviations > n {
            return Err(EvaluationError::DeviationsAboveSize { deviations, size: n });
        }
    }
    let size = if input.second.is_some() { 2 * n } else { n };
    if size > population {
        return Err(EvaluationError::SizeAbovePopulation { size, population });
    }
    let deviations = input.first + input.second.unwrap_or(0);
    let rate = attribute(size, deviations, input.confidence)?.rate;
    let decision = match (input.first, input.second) {
        (0, _) | (1, Some(0)) => StageDecision::Accepted,
        (1, None) => StageDecision::Extend,
        _ => StageDecision::NotAccepted,
    };
    let upper_limit = (decision == StageDecision::Accepted).then(|| {
        let at_most_so_extreme = |deviating: u64| {
            let (none, one, second) = two_stage_parts(population, deviating, n);
            if input.first == 0 {
                none
            } else {
                none + one * second
            }
        };
        // More deviating items are found more often: the first number that is too improbable ends the interval.
        let beyond = first_true(1, population, |deviating| {
            at_most_so_extreme(deviating) <= allowed
        });
        let units = u128::from(beyond - 1) * 10_u128.pow(RATE_PLACES);
        let units = i128::try_from(units.div_ceil(u128::from(population))).unwrap_or(i128::MAX);
        Decimal::from_i128_with_scale(units, RATE_PLACES)
    });
    let conclusion = match decision {
        StageDecision::Accepted => Conclusion::NotMaterial,
        _ if rate > input.tolerable => Conclusion::Material,
        _ => Conclusion::Inconclusive,
    };
    Ok(StagesResult {
        size,
        deviations,
        rate,
        upper_limit,
        decision,
        conclusion,
        method: STAGES_METHOD,
        version: STAGES_VERSION,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampling::numerics::float;
    use crate::sampling::planning::attribute::{Distribution, TwoStageInput, two_stage};

    fn rate(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn found(population: u64, n: u64, first: u64, second: Option<u64>) -> StagesResult {
        let (confidence, tolerable) = (rate("0.95"), rate("0.05"));
        two_stages(&StagesInput {
            population,
            size_per_stage: n,
            confidence,
            tolerable,
            first,
            second,
        })
        .unwrap()
    }

    /// Ways to choose, as whole numbers: nothing is rounded.
    fn choose(n: u64, k: u64) -> f64 {
        (0..k).fold(1.0, |product, i| product * float(n - i) / float(i + 1))
    }

    #[test]
    fn the_limit_is_the_last_number_that_is_not_too_improbable() {
        // 40 items, 8 a stage: every number of deviating items, from the ways to choose alone.
        let (population, n) = (40_u64, 8_u64);
        let none = |all: u64, bad: u64| {
            if all < bad + n {
                0.0
            } else {
                choose(all - bad, n) / choose(all, n)
            }
        };
        let one = |all: u64, bad: u64| {
            if bad == 0 || all + 1 < bad + n {
                0.0
            } else {
                float(bad) * choose(all - bad, n - 1) / choose(all, n)
            }
        };
        let last = |probability: &dyn Fn(u64) -> f64| {
            let last = (0..=population)
                .rev()
                .find(|bad| probability(*bad) > 0.05)
                .unwrap();
            Decimal::from(last) / Decimal::from(population)
        };
        let first = last(&|bad| none(population, bad));
        let both = last(&|bad| {
            let second = if bad == 0 {
                1.0
            } else {
                none(population - n, bad - 1)
            };
            none(population, bad) + one(population, bad) * second
        });
        assert_eq!(found(population, n, 0, None).upper_limit, Some(first));
        assert_eq!(found(population, n, 1, Some(0)).upper_limit, Some(both));
        assert!(both >= first);
    }

    #[test]
    fn acceptance_is_what_the_plan_is_made_for() {
        for population in [200, 1_000, 50_000] {
            let plan = two_stage(&TwoStageInput {
                distribution: Distribution::Hypergeometric,
                population: Some(population),
                confidence: rate("0.95"),
                tolerable: rate("0.05"),
            })
            .unwrap();
            let n = plan.size_per_stage;
            for (first, second, decision, conclusion) in [
                (0, None, StageDecision::Accepted, Conclusion::NotMaterial),
                (1, None, StageDecision::Extend, Conclusion::Inconclusive),
                (1, Some(0), StageDecision::Accepted, Conclusion::NotMaterial),
                (1, Some(1), StageDecision::NotAccepted, Conclusion::Inconclusive),
                (2, None, StageDecision::NotAccepted, Conclusion::Inconclusive),
                (n, None, StageDecision::NotAccepted, Conclusion::Material),
                // Drawn without need.
                (0, Some(3), StageDecision::Accepted, Conclusion::NotMaterial),
                (2, Some(0), StageDecision::NotAccepted, Conclusion::Inconclusive),
            ] {
                let result = found(population, n, first, second);
                assert_eq!(
                    (result.decision, result.conclusion),
                    (decision, conclusion),
                    "{first} {second:?}"
                );
                assert_eq!(result.upper_limit.is_some(), decision == StageDecision::Accepted);
                assert!(
                    result.upper_limit.is_none_or(|limit| limit < rate("0.05")),
                    "{population}"
                );
            }
        }
    }

    #[test]
    fn impossible_counts_are_refused() {
        let input = StagesInput {
            population: 100,
            size_per_stage: 60,
            confidence: rate("0.95"),
            tolerable: rate("0.05"),
            first: 1,
            second: Some(0),
        };
        let code = |input: StagesInput| two_stages(&input).unwrap_err().code();
        assert_eq!(code(input), "SAMPLE_LARGER_THAN_POPULATION");
        assert_eq!(code(StagesInput { first: 61, ..input }), "DEVIATIONS_ABOVE_SIZE");
        assert_eq!(
            code(StagesInput {
                confidence: Decimal::ONE,
                ..input
            }),
            "CONFIDENCE_OUT_OF_RANGE"
        );
    }
}
