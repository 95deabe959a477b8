//! Sizes for deviations in items: by number or rate of expected deviations, for a tolerable rate or a
//! precision.
//!
//! Conventions, which differ between tables and therefore belong to a method's id:
//! - The size is the first `n` that satisfies `P(X <= k) <= 1 - confidence` at the tolerable rate (AICPA
//!   tables A-1, A-2).
//! - Expected by number: `k` is fixed. By rate: `k = ceil(rate * n)`, exactly, for the binomial and
//!   hypergeometric laws; `rate * n` unrounded for Poisson. The criterion is not monotone in `n` then, so
//!   "first" is part of the definition.
//! - Hypergeometric: the tolerable rate of `N` items is `K = ceil(tolerable * N)` deviations.
//! - As the IDEA software does it: the expected rate is `E = ceil(expected * N)` deviations in the
//!   population, and the plan is the smallest `c` with `n(c) * E / N <= c`, where `n(c)` is the
//!   hypergeometric size at `c` deviations.

mod grid;
mod law;
mod stages;

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use grid::{GridCell, GridInput, SizeGrid, size_grid};
pub(super) use law::{Criteria, Law, Tolerable, first_index};
pub(in crate::sampling) use stages::two_stage_parts;
pub use stages::{
    Discovery, DiscoveryInput, Stage, StopOrGo, StopOrGoInput, TwoStage, TwoStageInput, discovery,
    stop_or_go, two_stage,
};

use super::SizeError;
use super::exact::{
    FiniteCorrection, LARGEST_POPULATION, LARGEST_SIZE, PARTS, corrected, decimal_of, german, parts, planned,
    rate_of, risk, up,
};
use crate::sampling::derivation::{Step, Text, outside_the_population};
use crate::sampling::numerics::{beta_quantile, float, gamma_quantile, gamma_tails, hypergeometric_upper};

/// Version of the methods of this module.
pub const ATTRIBUTE_VERSION: &str = "1";

/// The law by which a size is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schemars(rename = "SizeDistribution")]
pub enum Distribution {
    /// Binomial: drawing with replacement, or from a large population.
    Binomial,
    /// Poisson: rare deviations; a little larger than binomial.
    Poisson,
    /// Hypergeometric: drawing without replacement from a population of known size.
    Hypergeometric,
    /// Hypergeometric, expected deviations as the IDEA software takes them.
    HypergeometricIdea,
}

impl Distribution {
    /// Method id of [`attribute_size`].
    fn method(self) -> &'static str {
        match self {
            Self::Binomial => "attribute-size-binomial",
            Self::Poisson => "attribute-size-poisson",
            Self::Hypergeometric => "attribute-size-hypergeometric",
            Self::HypergeometricIdea => "attribute-size-hypergeometric-idea",
        }
    }

    /// The law, with the population where it needs one.
    pub(super) fn law(self, population: Option<u64>) -> Result<Law, SizeError> {
        match (self, population) {
            (_, Some(value)) if value == 0 || value > LARGEST_POPULATION => Err(SizeError::Count {
                field: "population",
                value,
            }),
            (Self::Binomial, _) => Ok(Law::Binomial),
            (Self::Poisson, _) => Ok(Law::Poisson),
            (_, Some(population)) => Ok(Law::Hypergeometric { population }),
            (_, None) => Err(SizeError::Required("population")),
        }
    }
}

/// What an attribute sample is planned by. Rates and the confidence lie between 0 and 1.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AttributeSizeInput {
    /// The law.
    pub distribution: Distribution,
    /// Items in the population: needed by the hypergeometric laws and by a finite correction, a bound for the
    /// others.
    pub population: Option<u64>,
    /// Confidence of the conclusion.
    pub confidence: Decimal,
    /// Rate of deviations that the sample has to speak against. This or `precision`, or both.
    pub tolerable: Option<Decimal>,
    /// Expected rate of deviations. Exactly one of this and `expectedDeviations`.
    pub expected_rate: Option<Decimal>,
    /// Deviations at which the sample shall still be accepted.
    pub expected_deviations: Option<u64>,
    /// The upper limit shall exceed the rate found by less than this.
    pub precision: Option<Decimal>,
    /// Correction for the finite population, an approximation to the hypergeometric law.
    #[serde(default)]
    pub finite_correction: FiniteCorrection,
}

/// Size of an attribute sample.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AttributeSize {
    /// Method id.
    pub method: &'static str,
    /// Version of the method.
    pub version: &'static str,
    /// Items in the population, where given.
    pub population: Option<u64>,
    /// Confidence.
    pub confidence: Decimal,
    /// Tolerable rate.
    pub tolerable: Option<Decimal>,
    /// Expected rate, where planned by rate.
    pub expected_rate: Option<Decimal>,
    /// Expected deviations, where planned by number.
    pub expected_deviations: Option<u64>,
    /// Precision asked for.
    pub precision: Option<Decimal>,
    /// Correction for the finite population.
    pub finite_correction: FiniteCorrection,
    /// Items to draw.
    pub size: u64,
    /// The size before the finite correction, where there is one.
    pub uncorrected_size: Option<u64>,
    /// Deviations at which the sample still meets the objective; whole except for Poisson by rate.
    pub planned_deviations: Decimal,
    /// `P(X <= planned deviations)` at the tolerable rate: the risk actually run, rounded up to twelve
    /// places. None where no tolerable rate is given, or after a finite correction, which follows no law.
    pub achieved_risk: Option<Decimal>,
    /// Upper limit of the rate if the planned deviations are found, rounded up to twelve places. None after a
    /// correction.
    pub planned_limit: Option<Decimal>,
    /// How the size came about.
    pub steps: Vec<Step>,
    /// What such a sample cannot find.
    pub cannot_find: Vec<Text>,
}

/// Expected deviations after the check of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    Number(u64),
    Rate(u64),
}

/// A checked input.
struct Plan<'a> {
    input: &'a AttributeSizeInput,
    criteria: Criteria,
    expected: Expected,
    limit: u64,
}

/// A size with its planned deviations in [`PARTS`].
struct Found {
    size: u64,
    deviations: u128,
}

/// Smallest attribute sample by the law and the objective asked for.
///
/// ```
/// use audit::sampling::planning::attribute::{AttributeSizeInput, Distribution, attribute_size};
/// let rate = |text: &str| text.parse().ok();
/// let plan = attribute_size(&AttributeSizeInput {
///     distribution: Distribution::Binomial,
///     population: None,
///     confidence: "0.95".parse().expect("a decimal"),
///     tolerable: rate("0.09"),
///     expected_rate: rate("0.02"),
///     expected_deviations: None,
///     precision: None,
///     finite_correction: Default::default(),
/// })
/// .expect("a plan");
/// assert_eq!((plan.size, plan.planned_deviations), (68, 2.into()));
/// ```
pub fn attribute_size(input: &AttributeSizeInput) -> Result<AttributeSize, SizeError> {
    let plan = check(input)?;
    let found = find(&plan).ok_or(SizeError::SampleLargerThanPopulation(plan.limit))?;
    let Some(population) = input
        .population
        .filter(|_| input.finite_correction != FiniteCorrection::None)
    else {
        if let Some(population) = input.population
            && found.size > population
        {
            return Err(SizeError::SampleLargerThanPopulation(population));
        }
        return Ok(result(&plan, &found, None));
    };
    let size = corrected(found.size, population, input.finite_correction);
    let deviations = match plan.expected {
        Expected::Number(number) => u128::from(number) * u128::from(PARTS),
        Expected::Rate(rate) if plan.criteria.law == Law::Poisson => u128::from(rate) * u128::from(size),
        Expected::Rate(rate) => u128::from(planned(rate, size)) * u128::from(PARTS),
    };
    Ok(result(&plan, &Found { size, deviations }, Some(found.size)))
}

fn check(input: &AttributeSizeInput) -> Result<Plan<'_>, SizeError> {
    risk(input.confidence)?;
    let law = input.distribution.law(input.population)?;
    let expected = check_expected(input)?;
    let precision = input
        .precision
        .map(|width| positive("precision", width))
        .transpose()?;
    let rate = input
        .tolerable
        .map(|rate| positive("tolerable", rate))
        .transpose()?;
    if rate.is_none() && precision.is_none() {
        return Err(SizeError::Required("tolerable"));
    }
    let tolerable = rate.map(|rate| tolerable(law, rate));
    check_order(input, law, expected, tolerable)?;
    if input.distribution == Distribution::HypergeometricIdea && precision.is_some() {
        return Err(SizeError::NotTogether {
            field: "precision",
            other: "distribution",
        });
    }
    if precision.is_some()
        && let Expected::Rate(rate) = expected
        && rate > PARTS / 2
    {
        return Err(SizeError::Rate {
            field: "expectedRate",
            value: decimal_of(rate),
        });
    }
    let limit = check_correction(input, law)?;
    let criteria = Criteria {
        tolerable,
        precision,
        ..Criteria::new(law, input.confidence)?
    };
    Ok(Plan {
        input,
        criteria,
        expected,
        limit,
    })
}

/// A rate above 0 and up to 1.
pub(super) fn positive(field: &'static str, value: Decimal) -> Result<u64, SizeError> {
    match parts(field, value)? {
        0 => Err(SizeError::Rate { field, value }),
        rate => Ok(rate),
    }
}

/// A tolerable rate as the law takes it.
pub(super) fn tolerable(law: Law, rate: u64) -> Tolerable {
    match law {
        Law::Hypergeometric { population } => Tolerable {
            units: planned(rate, population),
            of: population,
        },
        Law::Binomial | Law::Poisson => Tolerable {
            units: rate,
            of: PARTS,
        },
    }
}

fn check_expected(input: &AttributeSizeInput) -> Result<Expected, SizeError> {
    match (input.expected_rate, input.expected_deviations) {
        (Some(_), Some(_)) => Err(SizeError::NotTogether {
            field: "expectedDeviations",
            other: "expectedRate",
        }),
        (None, None) => Err(SizeError::Required("expectedRate")),
        (Some(rate), None) => Ok(Expected::Rate(parts("expectedRate", rate)?)),
        (None, Some(value)) if value > LARGEST_SIZE => Err(SizeError::Count {
            field: "expectedDeviations",
            value,
        }),
        (None, Some(_)) if input.distribution == Distribution::HypergeometricIdea => {
            Err(SizeError::NotTogether {
                field: "expectedDeviations",
                other: "distribution",
            })
        }
        (None, Some(number)) => Ok(Expected::Number(number)),
    }
}

/// What is expected lies below what is tolerable, in the population too.
fn check_order(
    input: &AttributeSizeInput,
    law: Law,
    expected: Expected,
    tolerable: Option<Tolerable>,
) -> Result<(), SizeError> {
    let Some(tolerable) = tolerable else { return Ok(()) };
    let (expected, limit) = match (law, expected) {
        (Law::Hypergeometric { population }, Expected::Rate(rate)) => {
            if input.tolerable.is_some_and(|limit| limit <= decimal_of(rate)) {
                (decimal_of(rate), input.tolerable.unwrap_or_default())
            } else {
                (planned(rate, population).into(), tolerable.units.into())
            }
        }
        (Law::Hypergeometric { .. }, Expected::Number(number)) => (number.into(), tolerable.units.into()),
        (_, Expected::Rate(rate)) => (decimal_of(rate), input.tolerable.unwrap_or_default()),
        (_, Expected::Number(_)) => return Ok(()),
    };
    if limit <= expected {
        return Err(SizeError::TolerableNotAboveExpected {
            tolerable: limit,
            expected,
        });
    }
    Ok(())
}

/// A correction needs a population and a law without one; the largest size that is looked at.
fn check_correction(input: &AttributeSizeInput, law: Law) -> Result<u64, SizeError> {
    let corrects = input.finite_correction != FiniteCorrection::None;
    match law {
        Law::Hypergeometric { .. } if corrects => Err(SizeError::NotTogether {
            field: "finiteCorrection",
            other: "distribution",
        }),
        Law::Hypergeometric { population } => Ok(population),
        _ if corrects && input.population.is_none() => Err(SizeError::Required("population")),
        _ if corrects => Ok(LARGEST_SIZE),
        _ => Ok(input.population.unwrap_or(LARGEST_SIZE).min(LARGEST_SIZE)),
    }
}

fn find(plan: &Plan<'_>) -> Option<Found> {
    let whole = |size: u64, number: u64| Found {
        size,
        deviations: u128::from(number) * u128::from(PARTS),
    };
    let criteria = &plan.criteria;
    match (plan.input.distribution, plan.expected, criteria.law) {
        (_, Expected::Number(number), _) => {
            let size = criteria.by_number(number, plan.limit)?;
            Some(whole(size, number))
        }
        (Distribution::Poisson, Expected::Rate(rate), _) => {
            let size = criteria.by_unrounded_rate(rate, plan.limit)?;
            Some(Found {
                size,
                deviations: u128::from(rate) * u128::from(size),
            })
        }
        (Distribution::HypergeometricIdea, Expected::Rate(rate), Law::Hypergeometric { population }) => {
            let units = planned(rate, population);
            let most = criteria.tolerable?.units.saturating_sub(1);
            let expected = Tolerable {
                units,
                of: population,
            };
            let (number, size) = criteria.by_units(expected, most, plan.limit)?;
            Some(whole(size, number))
        }
        (_, Expected::Rate(rate), _) => {
            let (size, number) = criteria.by_rate(rate, plan.limit)?;
            Some(whole(size, number))
        }
    }
}

/// `P(X <= planned)` at the tolerable rate, rounded up to twelve places; continued to the gamma distribution where the
/// planned count is not whole.
fn tail_at(plan: &Plan<'_>, size: u64, deviations: u128) -> Option<Decimal> {
    let tolerable = plan.criteria.tolerable?;
    let parts = u128::from(PARTS);
    if deviations.is_multiple_of(parts) {
        let whole = u64::try_from(deviations / parts).ok()?;
        return Some(plan.criteria.law.tail_up(whole, size, tolerable));
    }
    let rate = float(tolerable.units) / float(tolerable.of);
    let tail = gamma_tails(1.0 + rate_of(u64::try_from(deviations).ok()?), float(size) * rate).1;
    Some(up(tail, 12))
}

/// Upper limit of the rate at the planned deviations.
fn limit_at(plan: &Plan<'_>, found: &Found) -> Option<Decimal> {
    let (risk, n) = (plan.criteria.risk, float(found.size));
    let k = rate_of(u64::try_from(found.deviations).ok()?);
    let whole = u64::try_from(found.deviations / u128::from(PARTS)).ok()?;
    match plan.criteria.law {
        Law::Binomial if whole >= found.size => Some(Decimal::ONE),
        Law::Binomial => Some(up(beta_quantile(risk, k + 1.0, n - k), 12)),
        Law::Poisson => Some(up(gamma_quantile(risk, k + 1.0) / n, 12)),
        Law::Hypergeometric { population } => {
            let risk = Decimal::ONE - plan.input.confidence;
            let items = hypergeometric_upper(population, found.size, whole, risk);
            Some(up(float(items) / float(population), 12))
        }
    }
}

fn result(plan: &Plan<'_>, found: &Found, uncorrected: Option<u64>) -> AttributeSize {
    let input = plan.input;
    let deviations = i128::try_from(found.deviations).unwrap_or(i128::MAX);
    let planned_deviations = Decimal::from_i128_with_scale(deviations, 12).normalize();
    let exact = uncorrected.is_none();
    AttributeSize {
        method: input.distribution.method(),
        version: ATTRIBUTE_VERSION,
        population: input.population,
        confidence: input.confidence,
        tolerable: input.tolerable,
        expected_rate: input.expected_rate,
        expected_deviations: input.expected_deviations,
        precision: input.precision,
        finite_correction: input.finite_correction,
        size: found.size,
        uncorrected_size: uncorrected,
        planned_deviations,
        achieved_risk: tail_at(plan, found.size, found.deviations).filter(|_| exact),
        planned_limit: limit_at(plan, found).filter(|_| exact),
        steps: steps(plan, found, uncorrected, planned_deviations),
        cannot_find: vec![outside_the_population(), rates_only()],
    }
}

/// What samples of items cannot find: how much money is at stake.
pub(super) fn rates_only() -> Text {
    Text::new(
        "Der Umfang gilt für den Anteil fehlerhafter Positionen; über Beträge sagt er nichts.",
        "The size is for the share of items with a deviation; it says nothing about amounts.",
    )
}

fn steps(plan: &Plan<'_>, found: &Found, uncorrected: Option<u64>, deviations: Decimal) -> Vec<Step> {
    let input = plan.input;
    let confidence = input.confidence;
    let mut steps = vec![Step::new(
        format!("Risiko: 1 − Sicherheit = 1 − {}", german(&confidence)),
        format!("Risk: 1 − confidence = 1 − {confidence}"),
        Decimal::ONE - confidence,
    )];
    let size = uncorrected.unwrap_or(found.size);
    if let (Law::Hypergeometric { population }, Some(rate), Some(tolerable)) =
        (plan.criteria.law, input.tolerable, plan.criteria.tolerable)
    {
        steps.push(Step::new(
            format!(
                "Tragbare Fehler in der Grundgesamtheit: K = ⌈{} · {population}⌉",
                german(&rate)
            ),
            format!("Tolerable deviations in the population: K = ⌈{rate} · {population}⌉"),
            tolerable.units,
        ));
    }
    steps.push(expected_step(plan, size, deviations, uncorrected));
    if let Some(width) = input.precision {
        let limit = limit_at(plan, found).unwrap_or_default();
        steps.push(Step::new(
            format!(
                "Obere Grenze beim eingeplanten Ergebnis; ihr Abstand zum gefundenen Anteil ist \
                 kleiner als {}",
                german(&width)
            ),
            format!("Upper limit at the planned result; its distance to the rate found is less than {width}"),
            limit,
        ));
    }
    if let Some(rate) = input.tolerable {
        steps.extend(tail_steps(plan, size, rate));
    }
    let Some(before) = uncorrected else {
        steps.push(Step::new(
            "Kleinster Umfang n, der die Bedingung als erster erfüllt",
            "Smallest size n, the first to satisfy the condition",
            found.size,
        ));
        return steps;
    };
    steps.push(correction_step(
        input.finite_correction,
        before,
        input.population.unwrap_or_default(),
        found.size,
    ));
    steps
}

/// The step of a finite correction.
fn correction_step(correction: FiniteCorrection, before: u64, population: u64, size: u64) -> Step {
    let formula = correction_formula(correction, &before.to_string(), population);
    Step::new(
        format!("Endlichkeitskorrektur (Näherung), aufgerundet: {formula}"),
        format!("Finite population correction (approximation), rounded up: {formula}"),
        size,
    )
}

/// A finite correction with its figures.
pub(super) fn correction_formula(correction: FiniteCorrection, before: &str, population: u64) -> String {
    match correction {
        FiniteCorrection::Cochran => format!("{before} / (1 + ({before} − 1)/{population})"),
        FiniteCorrection::Ec | FiniteCorrection::None => format!("{before} / (1 + {before}/{population})"),
    }
}

fn expected_step(plan: &Plan<'_>, size: u64, deviations: Decimal, uncorrected: Option<u64>) -> Step {
    match (plan.expected, plan.input.distribution) {
        (Expected::Number(number), _) => Step::new(
            format!("Eingeplante Fehler: k = {number} (vorgegeben)"),
            format!("Planned deviations: k = {number} (given)"),
            number,
        ),
        (Expected::Rate(rate), Distribution::HypergeometricIdea) => {
            let population = plan.input.population.unwrap_or_default();
            let units = planned(rate, population);
            Step::new(
                format!(
                    "Erwartete Fehler in der Grundgesamtheit E = ⌈{} · {population}⌉ = {units}; \
                     kleinstes c mit n(c) · E/N = \
                     {size} · {units}/{population} ≤ c",
                    german(&decimal_of(rate))
                ),
                format!(
                    "Expected deviations in the population E = ⌈{} · {population}⌉ = {units}; \
                     smallest c with n(c) · E/N = \
                     {size} · {units}/{population} ≤ c",
                    decimal_of(rate)
                ),
                deviations,
            )
        }
        (Expected::Rate(rate), distribution) => {
            let at = if uncorrected.is_some() { size } else { size.max(1) };
            let (open, close, value) = if distribution == Distribution::Poisson {
                ("", "", decimal_of(rate) * Decimal::from(at))
            } else {
                ("⌈", "⌉", planned(rate, at).into())
            };
            Step::new(
                format!(
                    "Eingeplante Fehler: k = {open}{} · {at}{close}",
                    german(&decimal_of(rate))
                ),
                format!("Planned deviations: k = {open}{} · {at}{close}", decimal_of(rate)),
                value,
            )
        }
    }
}

/// The probability at the size, and at the one before it: the first is within the risk, the second above it.
fn tail_steps(plan: &Plan<'_>, size: u64, rate: Decimal) -> Vec<Step> {
    let deviations = |n: u64| match (plan.expected, plan.input.distribution) {
        (Expected::Number(number), _) => u128::from(number) * u128::from(PARTS),
        (Expected::Rate(rate), Distribution::Poisson) => u128::from(rate) * u128::from(n),
        (Expected::Rate(rate), Distribution::HypergeometricIdea) => {
            let units = planned(rate, plan.input.population.unwrap_or_default());
            let of = u128::from(plan.input.population.unwrap_or(1));
            (u128::from(size) * u128::from(units)).div_ceil(of) * u128::from(PARTS)
        }
        (Expected::Rate(rate), _) => u128::from(planned(rate, n)) * u128::from(PARTS),
    };
    let step = |n: u64, de: &str, en: &str| {
        let k = deviations(n);
        let tail = tail_at(plan, n, k)?;
        let shown = Decimal::from_i128_with_scale(i128::try_from(k).ok()?, 12).normalize();
        Some(Step::new(
            format!(
                "Wahrscheinlichkeit, unter {n} Positionen bei der Fehlerquote {} höchstens {} Fehler zu \
                 finden ({de})",
                german(&rate),
                german(&shown)
            ),
            format!(
                "Probability of finding at most {shown} deviations among {n} items at the rate {rate} ({en})"
            ),
            tail,
        ))
    };
    let at = step(size, "nicht über dem Risiko", "not above the risk");
    let before = (size > 1)
        .then(|| {
            step(
                size - 1,
                "zum Vergleich: eine Position weniger",
                "for comparison: one item less",
            )
        })
        .flatten();
    at.into_iter().chain(before).collect()
}

#[cfg(test)]
mod tests;
