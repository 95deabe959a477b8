//! Evaluation by the guidance of the European Commission on sampling for audit authorities, EGESIF 16-0014-01 of 20 January
//! 2017 (section numbers in brackets are its own).
//!
//! Random errors are projected, exhaustive items add theirs without sampling error, delimited systemic and uncorrected
//! anomalous errors are added (`super::errors`). Precisions are those of the normal approximation: with few or no
//! errors they are too small, and the result warns of it; the conservative approach does not have that weakness.
//!
//! Everything is exact but the factors, which are decimals of the tables or of twelve places, and error rates of single items,
//! which have 40 places. Strata of one period have one precision, `N * z * s_w / sqrt(n)` with `s_w^2 = sum(N_h / N * s_h^2)`
//! (6.1.2.4), which supposes a proportional allocation; periods are added (6.1.3). Groups (7.8) are Bezirksstellen or
//! programmes: each has a result of its strata beside that of the whole.

pub(crate) mod error;
pub(crate) mod input;
mod part;
mod precision;
mod report;
#[cfg(test)]
mod tests;
mod units;

use std::collections::{BTreeSet, HashSet};

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;

pub use crate::sampling::guidance::FactorProfile;

pub use self::{
    error::EcError,
    input::{
        EcInput, EcItem, EcMethod, EcStratum, EcSummary, Excluded, ExhaustiveSummary, SubItem, Subsample,
        SubsampleEstimator, Understatements,
    },
};
use self::{
    part::{Part, parts},
    precision::{Precision, precision, recalculated},
};
use super::{
    errors::{ErrorClass, KnownError, TotalErrorResult, check_known, total},
    figures::{AMOUNT_PLACES, SHARE_PLACES},
    monetary::Unit,
};
use crate::sampling::derivation::{Step, Text, missing_amounts, outside_the_population, without_amount};
use crate::sampling::numerics::Fraction;
use crate::sampling::refusal::{Located, Refused as _};

/// Version of the methods of this module.
pub const EC_VERSION: &str = "1";

/// What a stratum contributes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EcStratumResult {
    /// Name.
    pub name: String,
    /// Period.
    pub period: Option<String>,
    /// Items checked, or hits, of the drawn part.
    pub size: u64,
    /// Items that were all checked.
    pub exhaustive_items: u64,
    /// Error of those, extended to what was excluded.
    pub exhaustive_error: Decimal,
    /// Items that were excluded, of both parts, as far as their number was given.
    pub excluded_items: u64,
    /// Their book value, to which the result is extended.
    pub excluded_book_value: i64,
    /// Projected error of the drawn part, extended; half to even at six places.
    pub projected: Decimal,
    /// Book value by size (MUS), half to even at six places.
    pub interval: Option<Decimal>,
    /// Standard deviation that entered the precision, rounded up at twelve places.
    pub standard_deviation: Option<Decimal>,
}

/// An allowance of the conservative approach, for one hit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Allowance {
    /// Rank of the hit by error rate, from 1 (largest).
    pub rank: u64,
    /// Error by book value, half to even at twelve places.
    pub error_rate: Decimal,
    /// `RF(rank) - RF(rank - 1) - 1`.
    pub factor: Decimal,
    /// Factor times interval times error rate, half to even at six places.
    pub amount: Decimal,
}

/// How the precision of the conservative approach came about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConservativePrecision {
    /// Book value by planned size, half to even at six places.
    pub interval: Decimal,
    /// Reliability factor for no error.
    pub basic_factor: Decimal,
    /// Interval times that factor, half to even at six places.
    pub basic_precision: Decimal,
    /// Sum of the allowances, half to even at six places.
    pub incremental_allowance: Decimal,
    /// The allowances, largest error rate first.
    pub allowances: Vec<Allowance>,
}

/// The confidence at which the sample would have been conclusive (7.7).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecalculatedConfidence {
    /// `z * (tolerable - total error) / precision`, rounded down at twelve places.
    pub z: Decimal,
    /// `2 * Phi(z) - 1`, rounded down at six places.
    pub confidence: Decimal,
}

/// The view of difference estimation (6.2.1.5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CorrectedBookValue {
    /// Book value less total error.
    pub corrected: Decimal,
    /// That less precision.
    pub lower_limit: Decimal,
    /// Book value less tolerable error, with which the limit is compared.
    pub least: Decimal,
}

/// The figures of a population or of one of its groups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EcFigures {
    /// Items checked, or hits, without the exhaustive ones.
    pub size: u64,
    /// Items that were all checked.
    pub exhaustive_items: u64,
    /// Total error with rate, limit and conclusion; `projected` holds the exhaustive error too.
    pub total: TotalErrorResult,
    /// If the sample is inconclusive: the confidence at which it is not. None for the conservative approach.
    pub recalculated: Option<RecalculatedConfidence>,
    /// For difference estimation.
    pub corrected_book_value: Option<CorrectedBookValue>,
    /// For the conservative approach.
    pub conservative: Option<ConservativePrecision>,
    /// The strata in the order given.
    pub strata: Vec<EcStratumResult>,
    /// How it came about.
    pub steps: Vec<Step>,
    /// What in the input is improbable, and what weakens the result.
    pub warnings: Vec<Text>,
}

/// The figures of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EcGroup {
    /// Name.
    pub group: String,
    /// Its figures, at the same confidence and materiality.
    pub figures: EcFigures,
}

/// The result of an evaluation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EcResult {
    /// Method id.
    pub method: &'static str,
    /// Version of the method.
    pub version: &'static str,
    /// What the amounts count.
    pub unit: Unit,
    /// Confidence; none for methods that are not statistical.
    pub confidence: Option<Decimal>,
    /// Where the factors come from.
    pub profile: Option<FactorProfile>,
    /// `z`; none for the conservative approach and for methods that are not statistical.
    pub z: Option<Decimal>,
    /// Planned size of the conservative approach.
    pub planned_size: Option<u64>,
    /// What happened to errors below zero, if there were any.
    pub understatements: Option<Understatements>,
    /// Items with an error below zero.
    pub understated_items: u64,
    /// Sum of those errors, without the sign.
    pub understatement: Decimal,
    /// The figures of the population.
    pub overall: EcFigures,
    /// The figures of the groups in the order of their names; empty if there are none.
    pub groups: Vec<EcGroup>,
    /// What the method cannot find.
    pub cannot_find: Vec<Text>,
}

/// Evaluates a sample by the guidance. Amounts in whole units of `input.unit`; refused as [`EcError`] says.
pub fn ec(input: &EcInput) -> Result<EcResult, Located<EcError>> {
    check(input)?;
    let parts = parts(input)?;
    check_parts(input, &parts)?;
    let z = match (input.method, input.confidence, input.profile) {
        (EcMethod::MusConservative, _, _) => None,
        (_, Some(confidence), Some(profile)) => Some(profile.z(confidence).map_err(EcError::from)?),
        _ => None,
    };
    let all: Vec<&Part<'_>> = parts.iter().collect();
    let known: Vec<&KnownError> = input.known_errors.iter().collect();
    let overall = figures(input, &all, z, &known)?;
    let names: BTreeSet<&str> = input
        .strata
        .iter()
        .filter_map(|stratum| stratum.group.as_deref())
        .collect();
    let mut groups = Vec::with_capacity(names.len());
    for name in names {
        let own: Vec<&Part<'_>> = parts
            .iter()
            .filter(|part| part.stratum.group.as_deref() == Some(name))
            .collect();
        let known: Vec<&KnownError> = input
            .known_errors
            .iter()
            .filter(|error| error.group.as_deref() == Some(name))
            .collect();
        groups.push(EcGroup {
            group: name.into(),
            figures: figures(input, &own, z, &known)?,
        });
    }
    let understated: u64 = parts.iter().map(|part| part.found.understated).sum();
    let understatement: i128 = parts.iter().map(|part| part.found.understatement).sum();
    let mut cannot_find = vec![outside_the_population(), missing_amounts()];
    if input.method.by_size() {
        cannot_find.push(without_amount());
    }
    Ok(EcResult {
        method: input.method.id(),
        version: EC_VERSION,
        unit: input.unit,
        confidence: input.confidence,
        profile: input.profile,
        z,
        planned_size: input.planned_size,
        understatements: input.understatements,
        understated_items: understated,
        understatement: Fraction::from(understatement)
            .even(0)
            .ok_or(EcError::AmountTooLarge)?,
        overall,
        groups,
        cannot_find,
    })
}

/// Confidence, profile and planned size belong to some methods only.
fn check_choices(input: &EcInput) -> Result<(), EcError> {
    if input.method.is_statistical() {
        let confidence = input.confidence.ok_or(EcError::ConfidenceMissing)?;
        if confidence <= Decimal::ZERO || confidence >= Decimal::ONE {
            return Err(EcError::Confidence(confidence));
        }
        if input.profile.is_none() {
            return Err(EcError::ProfileMissing);
        }
    } else if input.confidence.is_some() || input.profile.is_some() {
        return Err(EcError::NotStatistical);
    }
    let conservative = input.method == EcMethod::MusConservative;
    if conservative != input.planned_size.is_some_and(|size| size > 0)
        || (!conservative && input.planned_size.is_some())
    {
        return Err(EcError::PlannedSize);
    }
    if input.strata.is_empty() {
        return Err(EcError::NoStratum);
    }
    Ok(())
}

fn check(input: &EcInput) -> Result<(), Located<EcError>> {
    check_choices(input)?;
    let grouped = input.strata.iter().any(|stratum| stratum.group.is_some());
    let mut names = HashSet::new();
    let mut groups = HashSet::new();
    let mut ids = HashSet::new();
    for (index, stratum) in input.strata.iter().enumerate() {
        let place = format!("strata[{index}]");
        if !names.insert((&stratum.name, &stratum.period)) {
            return Err(EcError::DuplicateStratum(stratum.name.clone()).at(place));
        }
        if grouped && stratum.group.is_none() {
            return Err(EcError::GroupMissing(stratum.name.clone()).at(place));
        }
        groups.insert(stratum.group.as_deref());
        for (list, items) in [("items", &stratum.items), ("exhaustive", &stratum.exhaustive)] {
            for (row, item) in items.iter().enumerate() {
                // an item may be drawn again in another period
                if let Some(id) = &item.id
                    && !ids.insert((id, &stratum.period))
                {
                    return Err(EcError::DuplicateItem(id.clone()).at(format!("{place}.{list}[{row}]")));
                }
            }
        }
    }
    for (index, error) in input.known_errors.iter().enumerate() {
        let place = || format!("knownErrors[{index}]");
        if let Some(group) = &error.group
            && !groups.contains(&Some(group.as_str()))
        {
            return Err(EcError::GroupUnknown(group.clone()).at(place()));
        }
        check_known(error).map_err(|refusal| EcError::from(refusal).at(place()))?;
    }
    Ok(())
}

fn check_parts(input: &EcInput, parts: &[Part<'_>]) -> Result<(), EcError> {
    let drawn = parts.iter().filter(|part| part.sample.is_some()).count();
    let extended = parts
        .iter()
        .any(|part| part.sample.is_some() && part.extension != Fraction::one());
    match input.method {
        EcMethod::MusConservative if parts.len() > 1 => return Err(EcError::StrataNotPossible),
        EcMethod::MusRatio if drawn > 1 => return Err(EcError::StrataNotPossible),
        // extended after the precision of the reduced population, which is described for one stratum
        EcMethod::Ratio if drawn > 1 && extended => return Err(EcError::ExclusionNotPossible),
        _ => {}
    }
    let sum = |class: ErrorClass| -> i128 {
        input
            .known_errors
            .iter()
            .filter(|error| error.class == class)
            .map(|error| i128::from(error.amount))
            .sum()
    };
    let found: i128 = parts.iter().map(|part| part.found.systemic).sum();
    let lowered: i128 = parts
        .iter()
        .map(|part| i128::from(part.stratum.systemic_error))
        .sum();
    let delimited = sum(ErrorClass::Systemic);
    if found.max(lowered) > delimited {
        return Err(EcError::SystemicNotDelimited {
            found: found.max(lowered),
            delimited,
        });
    }
    let found: i128 = parts.iter().map(|part| part.found.anomalous).sum();
    let known = sum(ErrorClass::Anomalous);
    let from_items = parts
        .iter()
        .all(|part| part.stratum.summary.is_none() && part.stratum.exhaustive_summary.is_none());
    if from_items && found != known {
        return Err(EcError::AnomalousDiffer { found, known });
    }
    Ok(())
}

fn figures(
    input: &EcInput,
    parts: &[&Part<'_>],
    z: Option<Decimal>,
    known: &[&KnownError],
) -> Result<EcFigures, EcError> {
    let large = || EcError::AmountTooLarge;
    let amount = |value: &Fraction| value.even(AMOUNT_PLACES).ok_or_else(large);
    let book_value: i128 = parts.iter().map(|part| part.book_value()).sum();
    if book_value <= 0 {
        return Err(EcError::BookValue {
            stratum: parts
                .first()
                .map_or_else(String::new, |part| part.stratum.name.clone()),
            book_value: i64::try_from(book_value).unwrap_or(i64::MIN),
        });
    }
    let book_value = Fraction::from(book_value);
    let precision = precision(input, parts, z)?;
    let projected: Fraction = match &precision {
        // the interval of the conservative approach is that of the plan
        Precision::Conservative(conservative) => conservative.projected.clone(),
        _ => parts.iter().map(|part| part.projected(input.method)).sum(),
    };
    let exhaustive: Fraction = parts.iter().map(|part| part.exhaustive_error()).sum();
    let all = &projected + &exhaustive;
    let mut total = total(
        input.unit,
        &book_value,
        input.materiality,
        &all,
        precision.amount(),
        known,
    )?;
    let mut strata = Vec::with_capacity(parts.len());
    for part in parts {
        let sample = part.sample.as_ref();
        let own = match &precision {
            Precision::Conservative(conservative) => conservative.projected.clone(),
            _ => part.projected(input.method),
        };
        let excluded = part.stratum.excluded.unwrap_or_default();
        strata.push(EcStratumResult {
            name: part.stratum.name.clone(),
            period: part.stratum.period.clone(),
            size: sample.map_or(0, |sample| sample.size),
            exhaustive_items: part.exhaustive.items,
            exhaustive_error: amount(&part.exhaustive_error())?,
            excluded_items: excluded.items.saturating_add(excluded.exhaustive_items),
            excluded_book_value: excluded
                .book_value
                .checked_add(excluded.exhaustive_book_value)
                .ok_or_else(large)?,
            projected: amount(&own)?,
            interval: sample
                .filter(|_| input.method.by_size())
                .map(|sample| match input.planned_size {
                    Some(size) => amount(&(&book_value / &Fraction::from(size))),
                    None => amount(&(&part.drawn_book_value() / &Fraction::from(sample.size))),
                })
                .transpose()?,
            standard_deviation: sample
                .filter(|_| z.is_some())
                .and_then(|sample| sample.variance.as_ref())
                .map(|variance| variance.root().up(SHARE_PLACES).ok_or_else(large))
                .transpose()?,
        });
    }
    let corrected_book_value = match (input.method, total.upper_limit) {
        (EcMethod::Difference, Some(upper)) => Some(CorrectedBookValue {
            corrected: total.book_value - total.total_error,
            lower_limit: total.book_value - upper,
            least: total.book_value - total.tolerable,
        }),
        _ => None,
    };
    let recalculated = recalculated(&total, z, &precision)?;
    let conservative = precision.report()?;
    let mut steps = report::steps(input, parts, &strata, &precision, z)?;
    steps.append(&mut total.steps);
    if let Some(recalculated) = &recalculated {
        steps.push(report::recalculated(&total, z, recalculated));
    }
    Ok(EcFigures {
        size: strata.iter().map(|stratum| stratum.size).sum(),
        exhaustive_items: strata.iter().map(|stratum| stratum.exhaustive_items).sum(),
        warnings: report::warnings(input, parts, &strata, &total),
        total,
        recalculated,
        corrected_book_value,
        conservative,
        strata,
        steps,
    })
}
