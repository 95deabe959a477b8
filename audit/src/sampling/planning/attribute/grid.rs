//! A page of sizes: every tolerable rate against every expected one.

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Criteria, Distribution, Law, SizeError, Tolerable, positive, rates_only, tolerable};
use crate::sampling::derivation::{Text, outside_the_population};
use crate::sampling::planning::exact::{LARGEST_SIZE, decimal_of, parts, planned, risk};
use crate::sampling::refusal::{Located, Refused as _};

/// Most rates on one side of a page.
const LONGEST_SIDE: usize = 50;

/// What a page of sizes is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GridInput {
    /// The law.
    pub distribution: Distribution,
    /// Items in the population; needed by the hypergeometric laws.
    pub population: Option<u64>,
    /// Confidence of the conclusion.
    pub confidence: Decimal,
    /// Tolerable rates, one per column, 1 to 50.
    pub tolerable: Vec<Decimal>,
    /// Expected rates, one per row, 1 to 50.
    pub expected: Vec<Decimal>,
}

/// A size on the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GridCell {
    /// Items to draw.
    pub size: u64,
    /// Deviations at which the sample still speaks against the tolerable rate.
    pub planned_deviations: Decimal,
}

/// A page of sizes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SizeGrid {
    /// Method id of the single sizes.
    pub method: &'static str,
    /// Version of the method.
    pub version: &'static str,
    /// Items in the population, where given.
    pub population: Option<u64>,
    /// Confidence.
    pub confidence: Decimal,
    /// Tolerable rates, one per column.
    pub tolerable: Vec<Decimal>,
    /// Expected rates, one per row.
    pub expected: Vec<Decimal>,
    /// Rows of sizes. None where the expected rate is not below the tolerable one, or the population too
    /// small.
    pub rows: Vec<Vec<Option<GridCell>>>,
    /// What the method cannot find.
    pub cannot_find: Vec<Text>,
}

/// A page of sizes by [`super::attribute_size`] with expected rates.
pub fn size_grid(input: &GridInput) -> Result<SizeGrid, Located<SizeError>> {
    risk(input.confidence)?;
    let law = input.distribution.law(input.population)?;
    let at_confidence = Criteria::new(law, input.confidence)?;
    let columns = side("tolerable", &input.tolerable, positive)?;
    let rows = side("expected", &input.expected, parts)?;
    let cell = |expected: u64, column: u64| {
        let criteria = Criteria {
            tolerable: Some(tolerable(law, column)),
            ..at_confidence
        };
        cell(input.distribution, &criteria, expected, column, input.population)
    };
    let sizes = |expected: &u64| columns.iter().map(|column| cell(*expected, *column)).collect();
    Ok(SizeGrid {
        cannot_find: vec![outside_the_population(), rates_only()],
        method: input.distribution.method(),
        version: super::ATTRIBUTE_VERSION,
        population: input.population,
        confidence: input.confidence,
        tolerable: input.tolerable.clone(),
        expected: input.expected.clone(),
        rows: rows.iter().map(sizes).collect(),
    })
}

fn side(
    field: &'static str,
    rates: &[Decimal],
    check: impl Fn(&'static str, Decimal) -> Result<u64, SizeError>,
) -> Result<Vec<u64>, Located<SizeError>> {
    if rates.is_empty() || rates.len() > LONGEST_SIDE {
        return Err(SizeError::Count {
            field,
            value: u64::try_from(rates.len()).unwrap_or(u64::MAX),
        }
        .into());
    }
    let located = |(index, rate): (usize, &Decimal)| {
        check(field, *rate).map_err(|error| error.at(format!("{field}[{index}]")))
    };
    rates.iter().enumerate().map(located).collect()
}

fn cell(
    distribution: Distribution,
    criteria: &Criteria,
    expected: u64,
    column: u64,
    population: Option<u64>,
) -> Option<GridCell> {
    let limit = population.unwrap_or(LARGEST_SIZE).min(LARGEST_SIZE);
    if expected >= column || is_as_large(criteria, expected) {
        return None;
    }
    let (size, deviations) = match (distribution, criteria.law) {
        (Distribution::Poisson, _) => {
            let size = criteria.by_unrounded_rate(expected, limit)?;
            (size, decimal_of(expected) * Decimal::from(size))
        }
        (Distribution::HypergeometricIdea, Law::Hypergeometric { population }) => {
            let units = Tolerable {
                units: planned(expected, population),
                of: population,
            };
            let most = criteria.tolerable?.units.saturating_sub(1);
            let (number, size) = criteria.by_units(units, most, limit)?;
            (size, number.into())
        }
        _ => {
            let (size, number) = criteria.by_rate(expected, limit)?;
            (size, number.into())
        }
    };
    Some(GridCell {
        size,
        planned_deviations: deviations.normalize(),
    })
}

/// Whether the expected deviations of the population are not below the tolerable ones.
fn is_as_large(criteria: &Criteria, expected: u64) -> bool {
    match (criteria.law, criteria.tolerable) {
        (Law::Hypergeometric { population }, Some(tolerable)) => {
            planned(expected, population) >= tolerable.units
        }
        _ => false,
    }
}
