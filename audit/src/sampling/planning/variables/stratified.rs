//! Sizes of stratified samples, and their shares.
//!
//! - `EC_WEIGHTED`: `n = (N z s_w / (TE - AE))^2` with `s_w^2 = sum(N_h/N s_h^2)` (EC guidance EGESIF
//!   16-0014-01, 6.1.2.2), whatever the allocation. It is exact for proportional shares, and no less than
//!   needed for Neyman's; for shares by book value it can fall short of the precision or exceed it.
//! - `ALLOCATED`: `n = z^2 sum(N_h^2 s_h^2 / a_h) / precision^2` for shares `a_h` of the sample, corrected by
//!   `n / (1 + z^2 sum(N_h s_h^2) / precision^2)` where a correction is asked for (Cochran, Sampling
//!   Techniques, 1977, 5.9).

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    FIRST_DEGREES, MOST_ITEMS, VARIABLES_VERSION, cannot_find, corrected, deviation, factor_step, precision,
    rounding_step, student,
};
use crate::sampling::derivation::{Step, Text};
use crate::sampling::guidance::FactorProfile;
use crate::sampling::numerics::Fraction;
use crate::sampling::planning::SizeError;
use crate::sampling::planning::allocation::{MINIMUM_PER_STRATUM, ShareRounding, Weight, share_out};
use crate::sampling::planning::exact::{FiniteCorrection, Rounding, Unit, german, risk, whole, z};
use crate::sampling::refusal::{Located, Refused as _};

/// How a sample is shared out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Allocation {
    /// In proportion to the items.
    Proportional,
    /// In proportion to items times standard deviation: the smallest variance for a size (Neyman).
    Neyman,
    /// In proportion to the book value.
    EqualValue,
}

/// What variance the size is found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum VarianceBasis {
    /// The weighted variance of the EC guidance.
    EcWeighted,
    /// The variance of the estimate with the shares of the allocation.
    Allocated,
}

/// Where the factor comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SizeFactor {
    /// z of table 3 of the EC guidance.
    EcTables,
    /// The normal quantile, to twelve places.
    Exact,
    /// Student's t with 200 degrees of freedom; if the size is below 201, once more with `n - 1`.
    Student,
}

/// A stratum.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Stratum {
    /// Its name.
    pub label: String,
    /// Its items.
    pub items: u64,
    /// Its book value; needed by `EQUAL_VALUE`.
    pub book_value: Option<i64>,
    /// Standard deviation per item; needed unless it is exhaustive.
    pub deviation: Option<Decimal>,
    /// Every item is audited; the stratum adds no variance.
    #[serde(default)]
    pub exhaustive: bool,
}

/// What a stratified sample is planned by.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StratifiedInput {
    /// How the sample is shared out.
    pub allocation: Allocation,
    /// What variance the size is found by.
    pub basis: VarianceBasis,
    /// Where the factor comes from.
    pub factor: SizeFactor,
    /// Unit of the amounts.
    pub unit: Unit,
    /// Confidence, two-sided.
    pub confidence: Decimal,
    /// Tolerable error of the whole population, with `expected`; or `precision` instead of both.
    pub tolerable: Option<i64>,
    /// Anticipated error of the whole population.
    pub expected: Option<i64>,
    /// Half the width of the interval for the whole population.
    pub precision: Option<i64>,
    /// The strata, 1 to 1,000.
    pub strata: Vec<Stratum>,
    /// Items every stratum gets at least, as far as it has them; 3 where not given.
    pub minimum: Option<u64>,
    /// Correction for the finite population.
    #[serde(default)]
    pub finite_correction: FiniteCorrection,
    /// How the size becomes whole.
    #[serde(default)]
    pub rounding: Rounding,
    /// How the shares become whole.
    #[serde(default)]
    pub share_rounding: ShareRounding,
}

/// Share of a stratum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StratumShare {
    /// Its name.
    pub label: String,
    /// Its items.
    pub items: u64,
    /// Items to draw from it.
    pub size: u64,
    /// Every item is audited.
    pub exhaustive: bool,
}

/// Size of a stratified sample.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StratifiedSize {
    /// Method id.
    pub method: &'static str,
    /// Version of the method.
    pub version: &'static str,
    /// How the sample is shared out.
    pub allocation: Allocation,
    /// Unit of the amounts.
    pub unit: Unit,
    /// Confidence.
    pub confidence: Decimal,
    /// z or t, two-sided.
    pub factor: Decimal,
    /// Degrees of freedom of t.
    pub degrees_of_freedom: Option<u64>,
    /// Precision planned for: `TE - AE`, or as given.
    pub precision: i64,
    /// Items outside the exhaustive strata.
    pub population: u64,
    /// `sum(N_h/N s_h^2)` of the sampled strata, to six places.
    pub weighted_variance: Decimal,
    /// The size before it was rounded, to six places.
    pub raw_size: Decimal,
    /// The size that was shared out.
    pub sampled_size: u64,
    /// Items to audit in all: shares after minimums and rounding, and the exhaustive strata.
    pub size: u64,
    /// The strata, in their order.
    pub strata: Vec<StratumShare>,
    /// How the size came about.
    pub steps: Vec<Step>,
    /// What such a sample cannot find.
    pub cannot_find: Vec<Text>,
}

/// Sums over the sampled strata.
struct Sums {
    items: u64,
    /// `sum(N_h s_h^2)`.
    variance: Fraction,
    /// `sum(N_h^2 s_h^2 / a_h)` with the shares of the allocation.
    allocated: Fraction,
    weights: Vec<Weight>,
}

/// Size of a stratified sample, and its shares.
pub fn stratified_size(input: &StratifiedInput) -> Result<StratifiedSize, Located<SizeError>> {
    let risk = risk(input.confidence)?;
    let width = precision(input.tolerable, input.expected, input.precision)?;
    let sums = sums(input)?;
    let mut steps = Vec::new();
    let mut at = |factor: Decimal, name: &str| -> Result<(Fraction, u64), SizeError> {
        steps.push(factor_step(input.confidence, name, factor));
        let raw = raw_size(input, &sums, factor, width, &mut steps);
        let size = whole(&raw, input.rounding).unwrap_or(u64::MAX).max(1);
        if size > sums.items {
            return Err(SizeError::SampleLargerThanPopulation(sums.items));
        }
        Ok((raw, size))
    };
    let (mut factor, mut degrees) = match input.factor {
        SizeFactor::EcTables => (z(FactorProfile::EcTables, input.confidence)?, None),
        SizeFactor::Exact => (z(FactorProfile::Exact, input.confidence)?, None),
        SizeFactor::Student => (student(risk, FIRST_DEGREES), Some(FIRST_DEGREES)),
    };
    let (mut raw, mut size) = match degrees {
        None => at(factor, "z")?,
        Some(degrees) => at(factor, &format!("t({degrees})"))?,
    };
    if degrees.is_some() && size <= FIRST_DEGREES && size > 1 {
        let fewer = size - 1;
        degrees = Some(fewer);
        factor = student(risk, fewer);
        (raw, size) = at(factor, &format!("t({fewer})"))?;
    }
    steps.push(rounding_step(input.rounding, size));
    let strata = shares(input, &sums, size, &mut steps);
    let items = Fraction::from(sums.items);
    Ok(StratifiedSize {
        method: match input.basis {
            VarianceBasis::EcWeighted => "variables-size-stratified-ec",
            VarianceBasis::Allocated => "variables-size-stratified-allocated",
        },
        version: VARIABLES_VERSION,
        allocation: input.allocation,
        unit: input.unit,
        confidence: input.confidence,
        factor,
        degrees_of_freedom: degrees,
        precision: i64::try_from(width).unwrap_or(i64::MAX),
        population: sums.items,
        weighted_variance: sums
            .variance
            .over(&items)
            .map_or(Decimal::ZERO, |variance| variance.decimal(6)),
        raw_size: raw.decimal(6),
        sampled_size: size,
        size: strata.iter().map(|stratum| stratum.size).sum(),
        strata,
        steps,
        cannot_find: cannot_find(),
    })
}

/// The standard deviation of a stratum and its weight in the allocation; none where every item is audited.
fn spread_and_weight(
    allocation: Allocation,
    stratum: &Stratum,
) -> Result<Option<(Fraction, Fraction)>, SizeError> {
    if stratum.items == 0 || stratum.items > MOST_ITEMS {
        return Err(SizeError::Count {
            field: "items",
            value: stratum.items,
        });
    }
    if stratum.exhaustive {
        return Ok(None);
    }
    let spread = deviation(stratum.deviation.ok_or(SizeError::Required("deviation"))?)?;
    let units = Fraction::from(stratum.items);
    let weight = match (allocation, stratum.book_value) {
        (Allocation::Proportional, _) => units,
        (Allocation::Neyman, _) => units.times(&spread),
        (Allocation::EqualValue, None) => return Err(SizeError::Required("bookValue")),
        (Allocation::EqualValue, Some(value)) if value <= 0 => {
            return Err(SizeError::Amount {
                field: "bookValue",
                value: value.into(),
            });
        }
        (Allocation::EqualValue, Some(value)) => Fraction::from(value),
    };
    Ok(Some((spread, weight)))
}

fn sums(input: &StratifiedInput) -> Result<Sums, Located<SizeError>> {
    let count = u64::try_from(input.strata.len()).unwrap_or(u64::MAX);
    if !(1..=1_000).contains(&count) {
        return Err(SizeError::Count {
            field: "strata",
            value: count,
        }
        .into());
    }
    let zero = || Fraction::zero();
    let (mut items, mut variance, mut total) = (0u64, zero(), zero());
    let mut parts = Vec::new();
    for (index, stratum) in input.strata.iter().enumerate() {
        let Some((spread, weight)) = spread_and_weight(input.allocation, stratum)
            .map_err(|error| error.at(format!("strata[{index}]")))?
        else {
            continue;
        };
        let units = Fraction::from(stratum.items);
        items += stratum.items;
        let part = units.times(&spread.square());
        variance = variance.plus(&part);
        total = total.plus(&weight);
        // N_h^2 s_h^2 / weight; times the sum of the weights that is the part for its share
        let own = part.times(&units).over(&weight).unwrap_or_else(zero);
        parts.push((
            own,
            Weight {
                weight,
                most: stratum.items,
            },
        ));
    }
    if items < 2 {
        return Err(SizeError::Required("strata").into());
    }
    let mut sum = zero();
    for (own, _) in &parts {
        sum = sum.plus(own);
    }
    Ok(Sums {
        items,
        variance,
        allocated: sum.times(&total),
        weights: parts.into_iter().map(|(_, weight)| weight).collect(),
    })
}

/// The size before it is rounded.
fn raw_size(
    input: &StratifiedInput,
    sums: &Sums,
    factor: Decimal,
    width: u64,
    steps: &mut Vec<Step>,
) -> Fraction {
    let per_width = Fraction::from(factor)
        .over(&Fraction::from(width))
        .map_or_else(Fraction::zero, |ratio| ratio.square());
    let all = Fraction::from(sums.items);
    match input.basis {
        VarianceBasis::EcWeighted => {
            let raw = per_width.times(&all).times(&sums.variance);
            let weighted = sums
                .variance
                .over(&all)
                .map_or(Decimal::ZERO, |variance| variance.decimal(6));
            steps.push(Step::new(
                "Gewichtete Varianz: s_w² = Σ N_h/N · s_h²",
                "Weighted variance: s_w² = Σ N_h/N · s_h²",
                weighted,
            ));
            steps.push(Step::new(
                format!(
                    "Umfang: n = N² · z² · s_w² / (TE − AE)² = {}² · {}² · s_w² / {width}²",
                    sums.items,
                    german(&factor)
                ),
                format!(
                    "Size: n = N² · z² · s_w² / (TE − AE)² = {}² · {factor}² · s_w² / {width}²",
                    sums.items
                ),
                raw.decimal(6),
            ));
            corrected(&raw, sums.items, input.finite_correction, steps)
        }
        VarianceBasis::Allocated => {
            let raw = per_width.times(&sums.allocated);
            steps.push(Step::new(
                "Varianzsumme der Aufteilung: Σ N_h² · s_h² / a_h mit den Anteilen a_h an der Stichprobe",
                "Sum of variances of the allocation: Σ N_h² · s_h² / a_h with the shares a_h of the sample",
                sums.allocated.decimal(6),
            ));
            steps.push(Step::new(
                format!(
                    "Umfang: n = z² · Σ / Genauigkeit² = {}² · Σ / {width}²",
                    german(&factor)
                ),
                format!("Size: n = z² · Σ / precision² = {factor}² · Σ / {width}²"),
                raw.decimal(6),
            ));
            if input.finite_correction == FiniteCorrection::None {
                return raw;
            }
            let below = Fraction::one().plus(&per_width.times(&sums.variance));
            let corrected = raw.over(&below).unwrap_or(raw);
            steps.push(Step::new(
                "Endlichkeitskorrektur: n / (1 + z² · Σ N_h · s_h² / Genauigkeit²)",
                "Finite population correction: n / (1 + z² · Σ N_h · s_h² / precision²)",
                corrected.decimal(6),
            ));
            corrected
        }
    }
}

/// The shares, exhaustive strata with all their items.
fn shares(input: &StratifiedInput, sums: &Sums, size: u64, steps: &mut Vec<Step>) -> Vec<StratumShare> {
    let minimum = input.minimum.unwrap_or(MINIMUM_PER_STRATUM);
    let mut sampled = share_out(size, &sums.weights, minimum, input.share_rounding).into_iter();
    let strata: Vec<StratumShare> = input
        .strata
        .iter()
        .map(|stratum| StratumShare {
            label: stratum.label.clone(),
            items: stratum.items,
            size: if stratum.exhaustive {
                stratum.items
            } else {
                sampled.next().unwrap_or_default()
            },
            exhaustive: stratum.exhaustive,
        })
        .collect();
    let (de, en) = match input.allocation {
        Allocation::Proportional => ("N_h", "N_h"),
        Allocation::Neyman => ("N_h · s_h", "N_h · s_h"),
        Allocation::EqualValue => ("BV_h", "BV_h"),
    };
    for stratum in &strata {
        let step = if stratum.exhaustive {
            Step::new(
                format!("{}: vollständig geprüft", stratum.label),
                format!("{}: audited exhaustively", stratum.label),
                stratum.size,
            )
        } else {
            Step::new(
                format!(
                    "{}: Anteil an {size} im Verhältnis {de}, mindestens {minimum}",
                    stratum.label
                ),
                format!(
                    "{}: share of {size} in proportion to {en}, at least {minimum}",
                    stratum.label
                ),
                stratum.size,
            )
        };
        steps.push(step);
    }
    strata
}
