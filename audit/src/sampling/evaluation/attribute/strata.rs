//! Rates of strata with exact limits each, and one limit over all of them.
//!
//! Sources: EC guidance EGESIF 16-0014 (2017), 7.9, for the normal combination; W. Hoeffding 1956 for
//! pooling; the inequality of Bonferroni for the sum of limits.

use std::collections::HashSet;

use num_bigint::BigInt;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::limits::{RateInput, RateResult, rate_limits, rate_only, warnings};
use super::{StratumCount, is_proportional};
use crate::sampling::derivation::german_decimal as german;
use crate::sampling::derivation::{Step, Text, outside_the_population};
use crate::sampling::evaluation::figures::{SHARE_PLACES, places_down, places_up, shown, shown_float};
use crate::sampling::evaluation::{
    Conclusion, Distribution, EvaluationError, Sides, check_tolerable_rate, conclude,
};
use crate::sampling::numerics::{
    decimal_to_float, divide_half_even, down, float, nearest, normal_quantile, normal_tails, sum_fractions,
    up,
};
use crate::sampling::refusal::{Located, Refused as _};

/// Method of [`strata_limits`] with [`Combination::Pooled`].
pub const STRATA_POOLED: &str = "attribute-strata-pooled";
/// Method of [`strata_limits`] with [`Combination::Normal`].
pub const STRATA_NORMAL: &str = "attribute-strata-normal";
/// Method of [`strata_limits`] with [`Combination::Bonferroni`].
pub const STRATA_BONFERRONI: &str = "attribute-strata-bonferroni";
/// Version of these methods.
pub const STRATA_VERSION: &str = "1";

/// How the limit over all strata is formed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schemars(rename = "RateCombination")]
pub enum Combination {
    /// Exact limit of the pooled counts. Only where every stratum's size differs from its proportional share
    /// by less than one item.
    Pooled,
    /// Weighted rate plus and minus `z * sqrt(sum(W_h^2 * p_h * (1 - p_h) / n_h))` (EC). An approximation:
    /// too narrow where few deviations are found; without limits, and so without a conclusion, where no stratum
    /// has a spread, as when no deviation was found.
    Normal,
    /// Weighted sum of the exact limits of the strata, each with the risk divided by the number of strata.
    /// Always valid, and wide.
    Bonferroni,
}

/// A checked stratum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "RateStratum")]
pub struct StratumInput {
    /// Position of the stratum, each once.
    pub ordinal: u32,
    /// Items of the stratum; a stratum without items is passed over.
    pub population: u64,
    /// Items checked in it.
    pub size: u64,
    /// Deviations found in it.
    pub deviations: u64,
}

/// A checked stratified sample of items, and what is asked of it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "RateStrataInput")]
pub struct StrataInput {
    /// The strata; at least one has items, and every one with items has checked ones.
    pub strata: Vec<StratumInput>,
    /// Confidence of each limit, between 0 and 1.
    pub confidence: Decimal,
    /// Limits asked for.
    pub sides: Sides,
    /// Distribution of the number of deviations behind the exact limits.
    pub distribution: Distribution,
    /// How the limit over all strata is formed.
    pub combination: Combination,
    /// Tolerable rate over all strata, above 0 and up to 1.
    pub tolerable: Option<Decimal>,
}

/// The result of a stratum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StratumRate {
    /// Position of the stratum.
    pub ordinal: u32,
    /// Items of the stratum.
    pub population: u64,
    /// Share of the stratum in all items, half to even at twelve places.
    pub weight: Decimal,
    /// Rate and exact limits, each at the confidence by itself; none for a stratum without items.
    pub result: Option<RateResult>,
}

/// Rates by stratum and over all strata.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StrataResult {
    /// Method id of the limits over all strata.
    pub method: &'static str,
    /// Version of the method.
    pub version: &'static str,
    /// Items of all strata.
    pub population: u64,
    /// Items checked.
    pub size: u64,
    /// Deviations found, not weighted.
    pub deviations: u64,
    /// Confidence of each limit.
    pub confidence: Decimal,
    /// Limits asked for.
    pub sides: Sides,
    /// `sum(N_h / N * k_h / n_h)`, formed exactly, half to even at twelve places.
    pub rate: Decimal,
    /// `sqrt(sum(W_h^2 * p_h * (1 - p_h) / n_h))`, half to even at twelve places; with
    /// [`Combination::Normal`] only.
    pub standard_error: Option<Decimal>,
    /// Lower limit over all strata, rounded down to twelve places, at least 0; none if not asked for or without a
    /// spread.
    pub lower_limit: Option<Decimal>,
    /// Upper limit over all strata, rounded up to twelve places, at most 1; none if not asked for or without a
    /// spread.
    pub upper_limit: Option<Decimal>,
    /// The tolerable rate.
    pub tolerable: Option<Decimal>,
    /// The largest confidence at which the upper limit stays below the tolerable rate; with pooling exact,
    /// with [`Combination::Normal`] `Phi((tolerable - rate) / standard error)` (EC 7.7, one-sided), else
    /// none.
    pub achieved_confidence: Option<Decimal>,
    /// What follows for the tolerable rate; none without an upper limit.
    pub conclusion: Option<Conclusion>,
    /// Results by stratum, in the order given.
    pub strata: Vec<StratumRate>,
    /// How the figures came about.
    pub steps: Vec<Step>,
    /// What is improbable in the input, and where an approximation does not hold.
    pub warnings: Vec<Text>,
    /// What the method cannot find.
    pub cannot_find: Vec<Text>,
}

/// Rates of a stratified sample: exact limits by stratum, and limits over all strata as [`Combination`] says.
///
/// The overall rate is weighted with the items of the strata. The limits of single strata hold each for
/// itself.
pub fn strata_limits(input: &StrataInput) -> Result<StrataResult, Located<EvaluationError>> {
    check(input)?;
    let population = input.strata.iter().map(|stratum| stratum.population).sum();
    let filled: Vec<&StratumInput> = input.strata.iter().filter(|s| s.population > 0).collect();
    let mut strata = Vec::with_capacity(input.strata.len());
    for (index, stratum) in input.strata.iter().enumerate() {
        let result = (stratum.population > 0)
            .then(|| rate_limits(&one(input, stratum, input.confidence, None)))
            .transpose()
            .map_err(|error| located(error, index))?;
        let weight = Decimal::from(stratum.population) / Decimal::from(population);
        strata.push(StratumRate {
            ordinal: stratum.ordinal,
            population: stratum.population,
            weight: weight.round_dp(SHARE_PLACES),
            result,
        });
    }
    let size = filled.iter().map(|stratum| stratum.size).sum();
    let deviations = filled.iter().map(|stratum| stratum.deviations).sum();
    let rate = weighted_rate(&filled, population);
    let mut steps = vec![Step::new(
        "Anteil über alle Schichten: Summe aus N_h / N * k_h / n_h",
        "Rate over all strata: sum of N_h / N * k_h / n_h",
        shown(rate),
    )];
    let overall = match input.combination {
        Combination::Pooled => pooled(input, population, size, deviations, &mut steps)?,
        Combination::Normal => normal(input, &filled, population, rate, &mut steps),
        Combination::Bonferroni => bonferroni(input, &filled, population, &mut steps)?,
    };
    let mut warnings = warnings(size, deviations);
    if input.combination == Combination::Normal && filled.iter().any(|s| few(s)) {
        warnings.push(Text::new(
            "In mindestens einer Schicht sind weniger als fünf Abweichungen oder weniger als fünf \
             Nichtabweichungen: Die \
             Näherung über die Normalverteilung kann zu schmal sein; je Schicht gelten die exakten Grenzen.",
            "At least one stratum has fewer than five deviations or fewer than five non-deviations: the \
             normal approximation \
             may be too narrow; the exact limits hold for each stratum.",
        ));
    }
    if input.combination == Combination::Normal && overall.standard_error == Some(Decimal::ZERO) {
        warnings.push(Text::new(
            "In keiner Schicht streuen die Ergebnisse: Die Näherung über die Normalverteilung hat dann keine Grenzen, und aus \
             ihr folgt nichts über den tragbaren Anteil. Je Schicht gelten die exakten Grenzen; BONFERRONI fasst sie zusammen.",
            "The results do not vary in any stratum: the normal approximation has no limits then, and nothing follows from it \
             for the tolerable rate. The exact limits hold for each stratum; BONFERRONI combines them.",
        ));
    }
    let conclusion = input
        .tolerable
        .zip(overall.upper)
        .map(|(tolerable, upper)| conclude(&rate, &upper, &tolerable));
    Ok(StrataResult {
        method: match input.combination {
            Combination::Pooled => STRATA_POOLED,
            Combination::Normal => STRATA_NORMAL,
            Combination::Bonferroni => STRATA_BONFERRONI,
        },
        version: STRATA_VERSION,
        population,
        size,
        deviations,
        confidence: input.confidence,
        sides: input.sides,
        rate,
        standard_error: overall.standard_error,
        lower_limit: overall.lower,
        upper_limit: overall.upper,
        tolerable: input.tolerable,
        achieved_confidence: overall.achieved,
        conclusion,
        strata,
        steps,
        warnings,
        cannot_find: vec![outside_the_population(), rate_only()],
    })
}

fn check(input: &StrataInput) -> Result<(), Located<EvaluationError>> {
    let mut seen = HashSet::new();
    let mut population = 0u64;
    for (index, stratum) in input.strata.iter().enumerate() {
        if !seen.insert(stratum.ordinal) {
            return Err(located(EvaluationError::StratumTwice(stratum.ordinal), index));
        }
        if stratum.size > stratum.population {
            let StratumInput { size, population, .. } = *stratum;
            let error = EvaluationError::SizeAbovePopulation { size, population };
            return Err(located(error, index));
        }
        population = population.saturating_add(stratum.population);
    }
    if population == 0 {
        return Err(EvaluationError::StrataEmpty.into());
    }
    if population > super::super::LARGEST_POPULATION {
        let limit = super::super::LARGEST_POPULATION;
        return Err(EvaluationError::PopulationTooLarge {
            size: population,
            limit,
        }
        .at("strata"));
    }
    Ok(check_tolerable_rate(input.tolerable)?)
}

/// The refusal of a stratum: with its place, unless it is about an input of all of them.
fn located(error: EvaluationError, index: usize) -> Located<EvaluationError> {
    match error.field() {
        "confidence" | "distribution" => error.into(),
        _ => error.at(format!("strata[{index}]")),
    }
}

/// A stratum as a sample of its own.
fn one(
    input: &StrataInput,
    stratum: &StratumInput,
    confidence: Decimal,
    tolerable: Option<Decimal>,
) -> RateInput {
    RateInput {
        size: stratum.size,
        deviations: stratum.deviations,
        population: Some(stratum.population),
        confidence,
        sides: input.sides,
        distribution: input.distribution,
        tolerable,
    }
}

/// Whether the normal approximation is doubtful.
fn few(stratum: &StratumInput) -> bool {
    stratum.deviations < 5 || stratum.size - stratum.deviations < 5
}

/// Figures over all strata.
struct Overall {
    lower: Option<Decimal>,
    upper: Option<Decimal>,
    standard_error: Option<Decimal>,
    achieved: Option<Decimal>,
}

fn pooled(
    input: &StrataInput,
    population: u64,
    size: u64,
    deviations: u64,
    steps: &mut Vec<Step>,
) -> Result<Overall, EvaluationError> {
    let counts: Vec<StratumCount> = input
        .strata
        .iter()
        .map(|stratum| StratumCount {
            ordinal: stratum.ordinal,
            population: stratum.population,
            size: stratum.size,
            deviations: stratum.deviations,
        })
        .collect();
    if !is_proportional(&counts) {
        return Err(EvaluationError::NotProportional);
    }
    let all = StratumInput {
        ordinal: 0,
        population,
        size,
        deviations,
    };
    let result = rate_limits(&one(input, &all, input.confidence, input.tolerable))?;
    steps.extend(result.steps);
    Ok(Overall {
        lower: result.lower_limit,
        upper: result.upper_limit,
        standard_error: None,
        achieved: result.achieved_confidence,
    })
}

fn normal(
    input: &StrataInput,
    strata: &[&StratumInput],
    population: u64,
    rate: Decimal,
    steps: &mut Vec<Step>,
) -> Overall {
    let mut variance = 0.0;
    for stratum in strata {
        let weight = float(stratum.population) / float(population);
        let (k, n) = (stratum.deviations, stratum.size);
        let p = float(k) / float(n);
        let term = weight * weight * p * (1.0 - p) / float(n);
        variance += term;
        steps.push(Step::new(
            format!(
                "Schicht {}: ({} / {population})² * ({k} / {n}) * (1 - {k} / {n}) / {n}",
                stratum.ordinal, stratum.population
            ),
            format!(
                "Stratum {}: ({} / {population})^2 * ({k} / {n}) * (1 - {k} / {n}) / {n}",
                stratum.ordinal, stratum.population
            ),
            shown_float(term),
        ));
    }
    let error = variance.sqrt();
    let risk = decimal_to_float(input.sides.risk(input.confidence));
    let z = normal_quantile(risk);
    steps.push(Step::new(
        "Standardfehler: Wurzel aus der Summe der Schichten",
        "Standard error: root of the sum over the strata",
        shown_float(error),
    ));
    steps.push(Step::new(
        format!(
            "Quantil z der Normalverteilung zu 1 - {}",
            german(&shown(input.sides.risk(input.confidence)))
        ),
        format!(
            "Quantile z of the normal distribution at 1 - {}",
            shown(input.sides.risk(input.confidence))
        ),
        shown_float(z),
    ));
    let width = z * error;
    let center = decimal_to_float(rate);
    // without a spread the limits would be the rate itself, as if it were known
    let limit = |limit: Option<Decimal>| {
        limit
            .filter(|_| error > 0.0)
            .map(|limit| limit.clamp(Decimal::ZERO, Decimal::ONE))
    };
    let upper = limit(up(center + width, SHARE_PLACES)).filter(|_| input.sides != Sides::Lower);
    let lower = limit(down(center - width, SHARE_PLACES)).filter(|_| input.sides != Sides::Upper);
    if let Some(upper) = upper {
        steps.push(Step::new(
            "Obergrenze: Anteil + z * Standardfehler",
            "Upper limit: rate + z * standard error",
            shown(upper),
        ));
    }
    if let Some(lower) = lower {
        steps.push(Step::new(
            "Untergrenze: Anteil - z * Standardfehler",
            "Lower limit: rate - z * standard error",
            shown(lower),
        ));
    }
    let achieved = input.tolerable.filter(|_| error > 0.0).and_then(|tolerable| {
        let distance = decimal_to_float(tolerable - rate) / error;
        down(normal_tails(distance).0, SHARE_PLACES)
    });
    Overall {
        lower,
        upper,
        standard_error: nearest(error, SHARE_PLACES),
        achieved,
    }
}

fn bonferroni(
    input: &StrataInput,
    strata: &[&StratumInput],
    population: u64,
    steps: &mut Vec<Step>,
) -> Result<Overall, EvaluationError> {
    let count = Decimal::from(strata.len());
    let confidence = Decimal::ONE - (Decimal::ONE - input.confidence) / count;
    steps.push(Step::new(
        format!(
            "Sicherheit je Schicht: 1 - (1 - {}) / {count}",
            german(&shown(input.confidence))
        ),
        format!(
            "Confidence of each stratum: 1 - (1 - {}) / {count}",
            shown(input.confidence)
        ),
        shown(confidence),
    ));
    let (mut upper, mut lower) = (Decimal::ZERO, Decimal::ZERO);
    for stratum in strata {
        let result = rate_limits(&one(input, stratum, confidence, None))?;
        let items = Decimal::from(stratum.population);
        upper += result.upper_limit.unwrap_or_default() * items;
        lower += result.lower_limit.unwrap_or_default() * items;
        let name = stratum.ordinal;
        if let Some(limit) = result.upper_limit {
            steps.push(Step::new(
                format!(
                    "Schicht {name}: {} * Obergrenze {}",
                    stratum.population,
                    german(&shown(limit))
                ),
                format!(
                    "Stratum {name}: {} * upper limit {}",
                    stratum.population,
                    shown(limit)
                ),
                shown(limit * items),
            ));
        }
        if let Some(limit) = result.lower_limit {
            steps.push(Step::new(
                format!(
                    "Schicht {name}: {} * Untergrenze {}",
                    stratum.population,
                    german(&shown(limit))
                ),
                format!(
                    "Stratum {name}: {} * lower limit {}",
                    stratum.population,
                    shown(limit)
                ),
                shown(limit * items),
            ));
        }
    }
    let all = Decimal::from(population);
    let upper = places_up(upper / all, SHARE_PLACES).min(Decimal::ONE);
    let lower = places_down(lower / all, SHARE_PLACES);
    let upper = (input.sides != Sides::Lower).then_some(upper);
    let lower = (input.sides != Sides::Upper).then_some(lower);
    for (limit, de, en) in [
        (upper, "Obergrenze", "Upper limit"),
        (lower, "Untergrenze", "Lower limit"),
    ] {
        if let Some(limit) = limit {
            steps.push(Step::new(
                format!("{de}: Summe der Schichten / {population}"),
                format!("{en}: sum of the strata / {population}"),
                shown(limit),
            ));
        }
    }
    Ok(Overall {
        lower,
        upper,
        standard_error: None,
        achieved: None,
    })
}

fn weighted_rate(strata: &[&StratumInput], population: u64) -> Decimal {
    let terms: Vec<(BigInt, BigInt)> = strata
        .iter()
        .map(|stratum| {
            (
                BigInt::from(stratum.population) * stratum.deviations,
                stratum.size.into(),
            )
        })
        .collect();
    let (numerator, denominator) = sum_fractions(&terms);
    let scaled = divide_half_even(
        &(numerator * 10u64.pow(SHARE_PLACES)),
        &(denominator * population),
    );
    Decimal::from_i128_with_scale(i128::try_from(scaled).unwrap_or(0), SHARE_PLACES)
}
