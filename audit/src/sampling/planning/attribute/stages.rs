//! Plans for few deviations: discovery, stop-or-go, and two stages.

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ATTRIBUTE_VERSION, Criteria, Distribution, Law, Tolerable, positive, rates_only, tolerable};
use crate::sampling::derivation::{Step, Text, outside_the_population};
use crate::sampling::numerics::first_true;
use crate::sampling::planning::SizeError;
use crate::sampling::planning::exact::{LARGEST_SIZE, german, risk, up};

/// Most deviations of a stop-or-go plan.
const MOST_STAGES: u64 = 20;

/// What discovery sampling is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DiscoveryInput {
    /// The law; `HYPERGEOMETRIC_IDEA` is the same as `HYPERGEOMETRIC` here.
    pub distribution: Distribution,
    /// Items in the population; needed by the hypergeometric law and by `criticalItems`.
    pub population: Option<u64>,
    /// Rate of deviations that must not stay hidden. Exactly one of this and `criticalItems`.
    pub critical_rate: Option<Decimal>,
    /// Number of deviations in the population that must not stay hidden.
    pub critical_items: Option<u64>,
    /// Probability of finding at least one. Exactly one of this and `size`.
    pub confidence: Option<Decimal>,
    /// Items drawn: how probable is it to find at least one?
    pub size: Option<u64>,
}

/// Answer of discovery sampling.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Discovery {
    /// Method id.
    pub method: &'static str,
    /// Version of the method.
    pub version: &'static str,
    /// Items in the population, where given.
    pub population: Option<u64>,
    /// Rate of deviations that must not stay hidden, where given.
    pub critical_rate: Option<Decimal>,
    /// Number of deviations that must not stay hidden, where given.
    pub critical_items: Option<u64>,
    /// The confidence asked for.
    pub confidence: Option<Decimal>,
    /// Items to draw, or drawn.
    pub size: u64,
    /// Probability of finding at least one deviation, rounded down to twelve places.
    pub probability_of_finding_one: Decimal,
    /// How the answer came about.
    pub steps: Vec<Step>,
    /// What such a sample cannot find.
    pub cannot_find: Vec<Text>,
}

/// Discovery sampling: the smallest size that finds at least one deviation with the confidence asked for if
/// there are as many as critical; or how probable that is for a given size.
pub fn discovery(input: &DiscoveryInput) -> Result<Discovery, SizeError> {
    let law = input.distribution.law(input.population)?;
    let critical = critical(input, law)?;
    let limit = input.population.unwrap_or(LARGEST_SIZE).min(LARGEST_SIZE);
    let size = match (input.confidence, input.size) {
        (Some(_), Some(_)) => {
            return Err(SizeError::NotTogether {
                field: "size",
                other: "confidence",
            });
        }
        (None, None) => return Err(SizeError::Required("confidence")),
        (None, Some(size)) if size == 0 || size > limit => {
            return Err(SizeError::Count {
                field: "size",
                value: size,
            });
        }
        (None, Some(size)) => size,
        (Some(confidence), None) => Criteria {
            tolerable: Some(critical),
            ..Criteria::new(law, confidence)?
        }
        .by_number(0, limit)
        .ok_or(SizeError::SampleLargerThanPopulation(limit))?,
    };
    let none = law.tail_up(0, size, critical);
    let probability = Decimal::ONE - none;
    let (method, formula) = match law {
        Law::Binomial => (
            "attribute-discovery-binomial",
            format!("(1 − {}/{})^{size}", critical.units, critical.of),
        ),
        Law::Poisson => (
            "attribute-discovery-poisson",
            format!("e^(−{size} · {}/{})", critical.units, critical.of),
        ),
        Law::Hypergeometric { population } => (
            "attribute-discovery-hypergeometric",
            format!(
                "C({population} − {}, {size}) / C({population}, {size})",
                critical.units
            ),
        ),
    };
    Ok(Discovery {
        method,
        version: ATTRIBUTE_VERSION,
        population: input.population,
        critical_rate: input.critical_rate,
        critical_items: input.critical_items,
        confidence: input.confidence,
        size,
        probability_of_finding_one: probability,
        steps: vec![
            Step::new(
                format!("Wahrscheinlichkeit, keinen einzigen Fehler zu finden: P(0) = {formula}"),
                format!("Probability of finding no deviation at all: P(0) = {formula}"),
                none,
            ),
            Step::new(
                "Wahrscheinlichkeit, mindestens einen zu finden: 1 − P(0)",
                "Probability of finding at least one: 1 − P(0)",
                probability,
            ),
        ],
        cannot_find: vec![outside_the_population(), rates_only()],
    })
}

fn critical(input: &DiscoveryInput, law: Law) -> Result<Tolerable, SizeError> {
    match (input.critical_rate, input.critical_items) {
        (Some(_), Some(_)) => Err(SizeError::NotTogether {
            field: "criticalItems",
            other: "criticalRate",
        }),
        (None, None) => Err(SizeError::Required("criticalRate")),
        (Some(rate), None) => Ok(tolerable(law, positive("criticalRate", rate)?)),
        (None, Some(items)) => {
            let of = input.population.ok_or(SizeError::Required("population"))?;
            if items == 0 || items > of {
                return Err(SizeError::Count {
                    field: "criticalItems",
                    value: items,
                });
            }
            Ok(Tolerable { units: items, of })
        }
    }
}

/// What a stop-or-go plan is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StopOrGoInput {
    /// The law.
    pub distribution: Distribution,
    /// Items in the population; needed by the hypergeometric law.
    pub population: Option<u64>,
    /// Confidence of each stage.
    pub confidence: Decimal,
    /// Rate of deviations that the sample has to speak against.
    pub tolerable: Decimal,
    /// Deviations at which the plan ends without acceptance if they are exceeded, up to 20.
    pub most_deviations: u64,
}

/// A stage of a stop-or-go plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Stage {
    /// Accept at this stage if no more deviations were found in all.
    pub deviations: u64,
    /// Items drawn in all up to this stage.
    pub size: u64,
    /// Items more than at the stage before.
    pub additional: u64,
}

/// A stop-or-go plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StopOrGo {
    /// Method id.
    pub method: &'static str,
    /// Version of the method.
    pub version: &'static str,
    /// Items in the population, where given.
    pub population: Option<u64>,
    /// Confidence of each stage.
    pub confidence: Decimal,
    /// Tolerable rate.
    pub tolerable: Decimal,
    /// Deviations at which the plan ends without acceptance if they are exceeded.
    pub most_deviations: u64,
    /// The stages: where `k` deviations were found, more than the stage accepts, go on to the stage of `k`.
    pub stages: Vec<Stage>,
    /// Probability of accepting at any stage although the rate is the tolerable one, rounded up to twelve
    /// places. It is above one minus the confidence, since every stage is one more chance.
    pub overall_risk: Decimal,
    /// How the plan came about.
    pub steps: Vec<Step>,
    /// What such a sample cannot find.
    pub cannot_find: Vec<Text>,
}

/// A stop-or-go plan: begin with the size for no deviation; if `k` were found, go on to the size for `k` in
/// all.
pub fn stop_or_go(input: &StopOrGoInput) -> Result<StopOrGo, SizeError> {
    let law = input.distribution.law(input.population)?;
    risk(input.confidence)?;
    let rate = tolerable(law, positive("tolerable", input.tolerable)?);
    let most = input.most_deviations;
    if most > MOST_STAGES || (matches!(law, Law::Hypergeometric { .. }) && most >= rate.units) {
        return Err(SizeError::Count {
            field: "mostDeviations",
            value: most,
        });
    }
    let limit = input.population.unwrap_or(LARGEST_SIZE).min(LARGEST_SIZE);
    let criteria = Criteria {
        tolerable: Some(rate),
        ..Criteria::new(law, input.confidence)?
    };
    let mut stages: Vec<Stage> = Vec::new();
    for deviations in 0..=most {
        let size = criteria
            .by_number(deviations, limit)
            .ok_or(SizeError::SampleLargerThanPopulation(limit))?;
        let before = stages.last().map_or(0, |stage| stage.size);
        stages.push(Stage {
            deviations,
            size,
            additional: size - before,
        });
    }
    let steps = stages
        .iter()
        .map(|stage| {
            let (k, n) = (stage.deviations, stage.size);
            let (rate, rate_of_plan) = (input.tolerable, rate);
            Step::new(
                format!(
                    "Höchstens {k} Fehler unter {n} Positionen: annehmen, denn P(X ≤ {k}) bei der \
                     Fehlerquote {} liegt nicht über \
                     dem Risiko",
                    german(&rate)
                ),
                format!(
                    "At most {k} deviations among {n} items: accept, since P(X ≤ {k}) at the rate {rate} is \
                     not above the risk"
                ),
                law.tail_up(k, n, rate_of_plan),
            )
        })
        .collect();
    Ok(StopOrGo {
        method: match law {
            Law::Binomial => "attribute-stop-or-go-binomial",
            Law::Poisson => "attribute-stop-or-go-poisson",
            Law::Hypergeometric { .. } => "attribute-stop-or-go-hypergeometric",
        },
        version: ATTRIBUTE_VERSION,
        population: input.population,
        confidence: input.confidence,
        tolerable: input.tolerable,
        most_deviations: most,
        overall_risk: up(overall_risk(law, rate, &stages).min(1.0), 12),
        stages,
        steps,
        cannot_find: vec![outside_the_population(), rates_only()],
    })
}

/// `P(X = i)` among `n` further items after `drawn` items with `found` deviations.
fn chance(law: Law, rate: Tolerable, (drawn, found): (u64, u64), n: u64, i: u64) -> f64 {
    let (law, rate) = match law {
        Law::Hypergeometric { population } => {
            let left = population - drawn;
            let rest = Tolerable {
                units: rate.units.saturating_sub(found),
                of: left,
            };
            (Law::Hypergeometric { population: left }, rest)
        }
        Law::Binomial | Law::Poisson => (law, rate),
    };
    let below = i.checked_sub(1).map_or(0.0, |below| law.tail(below, n, rate));
    (law.tail(i, n, rate) - below).max(0.0)
}

/// Probability of acceptance at the tolerable rate, over all ways through the stages. Float rounding stays
/// below 1e-12.
fn overall_risk(law: Law, rate: Tolerable, stages: &[Stage]) -> f64 {
    let count = stages.len();
    let step = |from: u64, found: u64, to: u64, more: usize| {
        chance(
            law,
            rate,
            (from, found),
            to - from,
            u64::try_from(more).unwrap_or(u64::MAX),
        )
    };
    let Some(first) = stages.first() else { return 0.0 };
    let mut accepted = step(0, 0, first.size, 0);
    // ways[j][k]: the probability of leaving stage j with k deviations in all, and so of going on to stage k
    let mut ways = vec![vec![0.0; count]; count];
    for (k, way) in ways[0].iter_mut().enumerate().skip(1) {
        *way = step(0, 0, first.size, k);
    }
    for k in 1..count {
        let here = stages[k];
        for j in 0..k {
            let (way, from) = (ways[j][k], stages[j].size);
            accepted += way * step(from, here.deviations, here.size, 0);
            for (more, further) in (1..).zip(&mut ways[k][k + 1..]) {
                *further += way * step(from, here.deviations, here.size, more);
            }
        }
    }
    accepted
}

/// The parts of acceptance in two stages of `n` items each: `P(0)` and `P(1)` in the first, and `P(0)` in the second after one
/// deviation.
fn stage_parts(law: Law, rate: Tolerable, n: u64) -> (f64, f64, f64) {
    let second = if rate.units == 0 {
        1.0
    } else {
        chance(law, rate, (n, 1), n, 0)
    };
    (
        chance(law, rate, (0, 0), n, 0),
        chance(law, rate, (0, 0), n, 1),
        second,
    )
}

/// The same without replacement, where `deviating` items of `population` deviate.
pub(in crate::sampling) fn two_stage_parts(population: u64, deviating: u64, n: u64) -> (f64, f64, f64) {
    let rate = Tolerable {
        units: deviating,
        of: population,
    };
    stage_parts(Law::Hypergeometric { population }, rate, n)
}

/// What a two-stage plan is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TwoStageInput {
    /// The law.
    pub distribution: Distribution,
    /// Items in the population; needed by the hypergeometric law.
    pub population: Option<u64>,
    /// Confidence of the whole plan.
    pub confidence: Decimal,
    /// Rate of deviations that the sample has to speak against.
    pub tolerable: Decimal,
}

/// A two-stage plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TwoStage {
    /// Method id.
    pub method: &'static str,
    /// Version of the method.
    pub version: &'static str,
    /// Items in the population, where given.
    pub population: Option<u64>,
    /// Confidence of the whole plan.
    pub confidence: Decimal,
    /// Tolerable rate.
    pub tolerable: Decimal,
    /// Items of each stage.
    pub size_per_stage: u64,
    /// Items if both stages are drawn.
    pub largest_size: u64,
    /// Probability of acceptance at the tolerable rate, rounded up to twelve places.
    pub achieved_risk: Decimal,
    /// How the plan came about.
    pub steps: Vec<Step>,
    /// What such a sample cannot find.
    pub cannot_find: Vec<Text>,
}

/// A plan in two equal stages: accept at no deviation; at exactly one draw as many again and accept at none
/// among these. The smallest size per stage with `P(0) + P(1) P(0) < 1 - confidence` at the tolerable rate
/// (Touw and Hoogduin 2011, p. 129); without replacement the second `P(0)` is that of what is left.
pub fn two_stage(input: &TwoStageInput) -> Result<TwoStage, SizeError> {
    let law = input.distribution.law(input.population)?;
    let risk = risk(input.confidence)?;
    let rate = tolerable(law, positive("tolerable", input.tolerable)?);
    let limit = input
        .population
        .map_or(LARGEST_SIZE, |items| items / 2)
        .min(LARGEST_SIZE);
    let parts = |n: u64| stage_parts(law, rate, n);
    let accepted = |n: u64| {
        let (none, one, second) = parts(n);
        none + one * second
    };
    if limit == 0 || accepted(limit) >= risk {
        return Err(SizeError::SampleLargerThanPopulation(
            input.population.unwrap_or(LARGEST_SIZE),
        ));
    }
    // more items find more, so acceptance gets rarer
    let size = first_true(1, limit, |n| accepted(n) < risk);
    let (none, one, second) = parts(size);
    let shown = german(&input.tolerable);
    Ok(TwoStage {
        method: match law {
            Law::Binomial => "attribute-two-stage-binomial",
            Law::Poisson => "attribute-two-stage-poisson",
            Law::Hypergeometric { .. } => "attribute-two-stage-hypergeometric",
        },
        version: ATTRIBUTE_VERSION,
        population: input.population,
        confidence: input.confidence,
        tolerable: input.tolerable,
        size_per_stage: size,
        largest_size: 2 * size,
        achieved_risk: up(none + one * second, 12),
        steps: vec![
            Step::new(
                format!("Kein Fehler unter {size} Positionen bei der Fehlerquote {shown}: P(0)"),
                format!(
                    "No deviation among {size} items at the rate {}: P(0)",
                    input.tolerable
                ),
                up(none, 12),
            ),
            Step::new(
                format!("Genau ein Fehler unter {size} Positionen: P(1)"),
                format!("Exactly one deviation among {size} items: P(1)"),
                up(one, 12),
            ),
            Step::new(
                format!("Kein Fehler unter {size} weiteren Positionen: P₂(0)"),
                format!("No deviation among {size} further items: P₂(0)"),
                up(second, 12),
            ),
            Step::new(
                "Annahme insgesamt: P(0) + P(1) · P₂(0), kleiner als das Risiko",
                "Acceptance in all: P(0) + P(1) · P₂(0), below the risk",
                up(none + one * second, 12),
            ),
        ],
        cannot_find: vec![outside_the_population(), rates_only()],
    })
}
