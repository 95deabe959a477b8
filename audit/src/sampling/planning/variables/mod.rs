//! Sizes for estimates of an amount from items drawn with equal probability.
//!
//! - EC: `n = (N z s_e / (TE - AE))^2`, with or without the correction of footnote 25 (EC guidance EGESIF
//!   16-0014-01, 6.1.1.2; the same for difference estimation, 6.2.1.2), z two-sided.
//! - Student: `n = ceil(N / (1 + g))`, `g = precision^2 / ((N - 1) t^2 s^2)`, t two-sided with 200 degrees of
//!   freedom; if that is below 201, once more with `n - 1` (Hoogduin, `FSaudit`, after IDEA). The
//!   correction is part of it.
//! - Stratified: [`stratified_size`].
//!
//! The factors are decimals of at most twelve places; sizes are formed as fractions from there, so that no
//! rounding decides.

mod stratified;

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use stratified::{
    Allocation, SizeFactor, StratifiedInput, StratifiedSize, Stratum, StratumShare, VarianceBasis,
    stratified_size,
};

use super::SizeError;
use super::attribute::correction_formula;
use super::exact::{FiniteCorrection, Rounding, Unit, german, nearest, risk, whole, z};
use crate::sampling::derivation::{Step, Text, missing_amounts, outside_the_population};
use crate::sampling::guidance::FactorProfile;
use crate::sampling::numerics::{Fraction, float, student_quantile};

/// Version of the methods of this module.
pub const VARIABLES_VERSION: &str = "1";
/// Degrees of freedom Student's t is taken with before the size is known.
const FIRST_DEGREES: u64 = 200;
/// Most items of a population here: 2^53, up to which counts are exact floats.
const MOST_ITEMS: u64 = 1 << 53;

/// How an unstratified sample is planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum VariablesMethod {
    /// EC guidance 6.1.1.2.
    Ec,
    /// Student's t.
    Student,
}

/// What an unstratified sample is planned by.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VariablesSizeInput {
    /// The method.
    pub method: VariablesMethod,
    /// Where z comes from; needed by `EC`, unknown to `STUDENT`.
    pub profile: Option<FactorProfile>,
    /// Unit of the amounts.
    pub unit: Unit,
    /// Items in the population.
    pub population: u64,
    /// Confidence, two-sided.
    pub confidence: Decimal,
    /// Standard deviation per item: of the errors for `EC`, of the audited amounts for a mean per unit.
    pub deviation: Decimal,
    /// Tolerable error, with `expected`; or `precision` instead of both.
    pub tolerable: Option<i64>,
    /// Anticipated error.
    pub expected: Option<i64>,
    /// Half the width of the interval for the whole population.
    pub precision: Option<i64>,
    /// Correction of `EC` for the finite population.
    #[serde(default)]
    pub finite_correction: FiniteCorrection,
    /// How the size becomes whole.
    #[serde(default)]
    pub rounding: Rounding,
}

/// Size of an unstratified sample.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VariablesSize {
    /// Method id.
    pub method: &'static str,
    /// Version of the method.
    pub version: &'static str,
    /// Unit of the amounts.
    pub unit: Unit,
    /// Items in the population.
    pub population: u64,
    /// Confidence.
    pub confidence: Decimal,
    /// Where z came from.
    pub profile: Option<FactorProfile>,
    /// Standard deviation per item.
    pub deviation: Decimal,
    /// Tolerable error, where given.
    pub tolerable: Option<i64>,
    /// Anticipated error, where given.
    pub expected: Option<i64>,
    /// Correction for the finite population.
    pub finite_correction: FiniteCorrection,
    /// How the size became whole.
    pub rounding: Rounding,
    /// z or t, two-sided.
    pub factor: Decimal,
    /// Degrees of freedom of t.
    pub degrees_of_freedom: Option<u64>,
    /// Precision planned for: `TE - AE`, or as given.
    pub precision: i64,
    /// The size before it was rounded, to six places.
    pub raw_size: Decimal,
    /// Items to draw, never more than there are.
    pub size: u64,
    /// How the size came about.
    pub steps: Vec<Step>,
    /// What such a sample cannot find.
    pub cannot_find: Vec<Text>,
}

/// The precision: `tolerable - expected`, or as given.
fn precision(
    tolerable: Option<i64>,
    expected: Option<i64>,
    precision: Option<i64>,
) -> Result<u64, SizeError> {
    let refused = |field, value: i64| SizeError::Amount {
        field,
        value: value.into(),
    };
    match (tolerable, expected, precision) {
        (None, None, Some(value)) => u64::try_from(value)
            .ok()
            .filter(|value| *value > 0)
            .ok_or(refused("precision", value)),
        (_, _, Some(_)) => Err(SizeError::NotTogether {
            field: "precision",
            other: "tolerable",
        }),
        (None, _, None) => Err(SizeError::Required("tolerable")),
        (Some(_), None, None) => Err(SizeError::Required("expected")),
        (Some(tolerable), Some(_), None) if tolerable <= 0 => Err(refused("tolerable", tolerable)),
        (Some(_), Some(expected), None) if expected < 0 => Err(refused("expected", expected)),
        (Some(tolerable), Some(expected), None) => u64::try_from(tolerable - expected)
            .ok()
            .filter(|margin| *margin > 0)
            .ok_or(SizeError::TolerableNotAboveExpected {
                tolerable: tolerable.into(),
                expected: expected.into(),
            }),
    }
}

/// A standard deviation above zero, with at most twelve places.
fn deviation(value: Decimal) -> Result<Fraction, SizeError> {
    let largest = Decimal::from(i64::MAX);
    if value <= Decimal::ZERO || value > largest || value.normalize().scale() > 12 {
        return Err(SizeError::Amount {
            field: "deviation",
            value,
        });
    }
    Ok(Fraction::from(value))
}

/// Student's t, two-sided, to twelve places.
fn student(risk: f64, degrees: u64) -> Decimal {
    nearest(student_quantile(risk / 2.0, float(degrees)), 12)
}

/// What samples of items with equal probability cannot find.
fn cannot_find() -> Vec<Text> {
    vec![outside_the_population(), missing_amounts()]
}

/// Size of an unstratified sample by the method asked for.
pub fn variables_size(input: &VariablesSizeInput) -> Result<VariablesSize, SizeError> {
    let risk = risk(input.confidence)?;
    if !(2..=MOST_ITEMS).contains(&input.population) {
        return Err(SizeError::Count {
            field: "population",
            value: input.population,
        });
    }
    let spread = deviation(input.deviation)?;
    let width = precision(input.tolerable, input.expected, input.precision)?;
    match (input.method, input.profile) {
        (VariablesMethod::Ec, None) => Err(SizeError::Required("profile")),
        (VariablesMethod::Student, Some(_)) => Err(SizeError::NotTogether {
            field: "profile",
            other: "method",
        }),
        (VariablesMethod::Student, None) if input.finite_correction != FiniteCorrection::None => {
            Err(SizeError::NotTogether {
                field: "finiteCorrection",
                other: "method",
            })
        }
        (VariablesMethod::Ec, Some(profile)) => ec(input, z(profile, input.confidence)?, &spread, width),
        (VariablesMethod::Student, None) => Ok(by_student(input, risk, &spread, width)),
    }
}

/// A step that says where the factor comes from.
fn factor_step(confidence: Decimal, name: &str, factor: Decimal) -> Step {
    Step::new(
        format!(
            "Faktor {name} zur zweiseitigen Sicherheit {}",
            german(&confidence)
        ),
        format!("Factor {name} for the two-sided confidence {confidence}"),
        factor,
    )
}

fn ec(
    input: &VariablesSizeInput,
    z: Decimal,
    spread: &Fraction,
    width: u64,
) -> Result<VariablesSize, SizeError> {
    let all = Fraction::from(input.population);
    let ratio = all
        .times(&Fraction::from(z))
        .times(spread)
        .over(&Fraction::from(width));
    let uncorrected = ratio.map_or_else(Fraction::zero, |ratio| ratio.square());
    let mut steps = vec![
        factor_step(input.confidence, "z", z),
        Step::new(
            format!(
                "Umfang: n = (N · z · s / (TE − AE))² = ({} · {} · {} / {width})²",
                input.population,
                german(&z),
                german(&input.deviation)
            ),
            format!(
                "Size: n = (N · z · s / (TE − AE))² = ({} · {z} · {} / {width})²",
                input.population, input.deviation
            ),
            uncorrected.decimal(6),
        ),
    ];
    let raw = corrected(
        &uncorrected,
        input.population,
        input.finite_correction,
        &mut steps,
    );
    let size = whole(&raw, input.rounding).unwrap_or(u64::MAX).max(1);
    if size > input.population {
        return Err(SizeError::SampleLargerThanPopulation(input.population));
    }
    steps.push(rounding_step(input.rounding, size));
    Ok(result(
        input,
        ("variables-size-ec", z, None),
        width,
        &raw,
        size,
        steps,
    ))
}

/// The raw size after its correction.
fn corrected(
    raw: &Fraction,
    population: u64,
    correction: FiniteCorrection,
    steps: &mut Vec<Step>,
) -> Fraction {
    let all = Fraction::from(population);
    let below = match correction {
        FiniteCorrection::None => return raw.clone(),
        FiniteCorrection::Ec => all.plus(raw),
        FiniteCorrection::Cochran => all.plus(raw).minus(&Fraction::one()),
    };
    let corrected = raw.times(&all).over(&below).unwrap_or_else(|| raw.clone());
    let formula = correction_formula(correction, &raw.decimal(6).to_string(), population);
    steps.push(Step::new(
        format!("Endlichkeitskorrektur: {}", german(&formula)),
        format!("Finite population correction: {formula}"),
        corrected.decimal(6),
    ));
    corrected
}

fn rounding_step(rounding: Rounding, size: u64) -> Step {
    match rounding {
        Rounding::Up => Step::new("Aufgerundet", "Rounded up", size),
        Rounding::Nearest => Step::new(
            "Auf die nächste ganze Zahl gerundet",
            "Rounded to the nearest whole number",
            size,
        ),
    }
}

fn by_student(input: &VariablesSizeInput, risk: f64, spread: &Fraction, width: u64) -> VariablesSize {
    let all = Fraction::from(input.population);
    let mut steps = Vec::new();
    let mut at = |degrees: u64| {
        let t = student(risk, degrees);
        let root = Fraction::from(t).times(spread);
        let below = Fraction::from(input.population - 1).times(&root.square());
        let g = Fraction::from(width).square().over(&below);
        let below = Fraction::one().plus(&g.unwrap_or_else(Fraction::zero));
        let raw = all.over(&below).unwrap_or_else(|| all.clone());
        let size = whole(&raw, input.rounding).unwrap_or(input.population).max(1);
        steps.push(factor_step(input.confidence, &format!("t({degrees})"), t));
        steps.push(Step::new(
            format!(
                "Umfang: n = N / (1 + g) mit g = {width}² / ((N − 1) · t² · {}²), N = {}",
                german(&input.deviation),
                input.population
            ),
            format!(
                "Size: n = N / (1 + g) with g = {width}² / ((N − 1) · t² · {}²), N = {}",
                input.deviation, input.population
            ),
            raw.decimal(6),
        ));
        (t, raw, size)
    };
    let (mut degrees, (mut t, mut raw, mut size)) = (FIRST_DEGREES, at(FIRST_DEGREES));
    if size <= FIRST_DEGREES && size > 1 {
        degrees = size - 1;
        (t, raw, size) = at(degrees);
    }
    steps.push(rounding_step(input.rounding, size));
    result(
        input,
        ("variables-size-student", t, Some(degrees)),
        width,
        &raw,
        size,
        steps,
    )
}

fn result(
    input: &VariablesSizeInput,
    (method, factor, degrees_of_freedom): (&'static str, Decimal, Option<u64>),
    width: u64,
    raw: &Fraction,
    size: u64,
    steps: Vec<Step>,
) -> VariablesSize {
    VariablesSize {
        method,
        version: VARIABLES_VERSION,
        unit: input.unit,
        population: input.population,
        confidence: input.confidence,
        profile: input.profile,
        deviation: input.deviation,
        tolerable: input.tolerable,
        expected: input.expected,
        finite_correction: input.finite_correction,
        rounding: input.rounding,
        factor,
        degrees_of_freedom,
        precision: i64::try_from(width).unwrap_or(i64::MAX),
        raw_size: raw.decimal(6),
        size,
        steps,
        cannot_find: cannot_find(),
    }
}

#[cfg(test)]
mod tests;
