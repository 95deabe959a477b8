//! Sizes of monetary unit samples, the interval, and the exhaustive stratum of high values.
//!
//! Amounts are whole units (cents or euros, as the input says) of the population that can be hit: its
//! positive items. Items of zero or below have no chance and are populations of their own.
//!
//! Methods, which differ by a unit now and then and therefore have ids of their own:
//! - Gamma: smallest `n` with `G(confidence; 1 + AE/BV * n)/n < TE/BV` (AICPA table C-1), as
//!   [`super::monetary_size`].
//! - Confidence factor: `F = G(confidence; 1 + AE/TE * F)`, rounded up to two decimals, `n = ceil(F /
//!   (TE/BV))` (AICPA; Stewart 2012, Technical Notes on the AICPA Audit Guide Audit Sampling).
//! - Interpolated hypergeometric, binomial, Poisson over monetary units, as the IDEA software does it: `n(c)`
//!   is the first size at `c` full errors, `c` the smallest with `n(c) * AE/BV <= c`, and the size lies on
//!   the line between `n(c - 1)` and `n(c)` where `n * AE/BV` crosses it, rounded up; decided in integers.
//! - Cell bound, hypergeometric, binomial or Poisson: the first size at which the cell bound of the expected taintings
//!   stays below the tolerable error (Leslie, Teitlebaum and Anderson 1979; `cell.rs`).
//! - EC standard and conservative: [`ec_standard_size`], [`ec_conservative_size`].

mod cell;
mod ec;
mod high_value;

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use ec::{
    EcConservativeInput, EcConservativeSize, EcStandardInput, EcStandardSize, EcStratum, EcStratumSize,
    Pilot, PilotItem, ec_conservative_size, ec_standard_size,
};
pub use high_value::{CutoffRule, HighValueInput, HighValueStratum, high_value_stratum};

use self::cell::cell_size;
use super::attribute::{Criteria, Law, Tolerable};
use super::exact::{LARGEST_POPULATION, Unit, german, risk, up};
use super::stored::gamma_size;
use super::{LARGEST_MONETARY_SIZE, SizeError};
use crate::sampling::derivation::{Step, Text, missing_amounts, outside_the_population, without_amount};
use crate::sampling::evaluation::Distribution;
use crate::sampling::numerics::{Fraction, first_true, float, gamma_tails};

/// Version of the methods of this module.
pub const MONETARY_SIZE_VERSION: &str = "1";

/// How a monetary unit sample is planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum MonetaryMethod {
    /// Gamma distribution, continuous in the expected error (AICPA table C-1).
    Gamma,
    /// Confidence factor rounded up to two decimals.
    ConfidenceFactor,
    /// Hypergeometric over monetary units, interpolated between whole numbers of errors (IDEA).
    HypergeometricInterpolated,
    /// Binomial, interpolated likewise.
    BinomialInterpolated,
    /// Poisson, interpolated likewise.
    PoissonInterpolated,
    /// Cell bound of the expected taintings, hypergeometric over monetary units.
    CellHypergeometric,
    /// Cell bound, binomial.
    CellBinomial,
    /// Cell bound, Poisson.
    CellPoisson,
}

impl MonetaryMethod {
    fn id(self) -> &'static str {
        match self {
            Self::Gamma => "monetary-size-gamma",
            Self::ConfidenceFactor => "monetary-size-confidence-factor",
            Self::HypergeometricInterpolated => "monetary-size-hypergeometric-interpolated",
            Self::BinomialInterpolated => "monetary-size-binomial-interpolated",
            Self::PoissonInterpolated => "monetary-size-poisson-interpolated",
            Self::CellHypergeometric => "monetary-size-cell-hypergeometric",
            Self::CellBinomial => "monetary-size-cell-binomial",
            Self::CellPoisson => "monetary-size-cell-poisson",
        }
    }
}

/// What a monetary unit sample is planned by.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MonetarySizeInput {
    /// The method.
    pub method: MonetaryMethod,
    /// Unit of the amounts. The interpolated hypergeometric method counts in it.
    pub unit: Unit,
    /// Sum of the positive items.
    pub book_value: i64,
    /// Confidence of the conclusion.
    pub confidence: Decimal,
    /// Error that the sample has to speak against, up to the book value.
    pub tolerable: i64,
    /// Expected error, below the tolerable one.
    pub expected: i64,
}

/// Size of a monetary unit sample.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MonetarySize {
    /// Method id.
    pub method: &'static str,
    /// Version of the method.
    pub version: &'static str,
    /// Unit of the amounts.
    pub unit: Unit,
    /// Book value.
    pub book_value: i64,
    /// Confidence.
    pub confidence: Decimal,
    /// Tolerable error.
    pub tolerable: i64,
    /// Expected error.
    pub expected: i64,
    /// Hits to draw; an item can be hit more than once.
    pub size: u64,
    /// Book value per hit, to six places.
    pub interval: Decimal,
    /// Sum of taintings at which the sample still speaks against the tolerable error, `AE/BV * n` rounded up
    /// to six places.
    pub planned_taintings: Decimal,
    /// Confidence factor, where the method has one.
    pub factor: Option<Decimal>,
    /// How the size came about.
    pub steps: Vec<Step>,
    /// What such a sample cannot find.
    pub cannot_find: Vec<Text>,
}

/// A checked input: amounts above zero.
struct Checked {
    book: u64,
    tolerable: u64,
    expected: u64,
    risk: f64,
    confidence: Decimal,
}

/// Size of a monetary unit sample by the method asked for.
pub fn monetary_unit_size(input: &MonetarySizeInput) -> Result<MonetarySize, SizeError> {
    let plan = check(input)?;
    let mut steps = vec![Step::new(
        format!(
            "Tragbarer und erwarteter Anteil: TE/BV = {}/{}, AE/BV = {}/{}",
            plan.tolerable, plan.book, plan.expected, plan.book
        ),
        format!(
            "Tolerable and expected share: TE/BV = {}/{}, AE/BV = {}/{}",
            plan.tolerable, plan.book, plan.expected, plan.book
        ),
        share(plan.tolerable, plan.book).decimal(12),
    )];
    let (size, factor) = match input.method {
        MonetaryMethod::Gamma => (gamma(&plan, &mut steps)?, None),
        MonetaryMethod::ConfidenceFactor => {
            let (size, factor) = confidence_factor(&plan, &mut steps)?;
            (size, Some(factor))
        }
        MonetaryMethod::HypergeometricInterpolated => {
            let law = Law::Hypergeometric {
                population: plan.book,
            };
            (interpolated(&plan, law, &mut steps)?, None)
        }
        MonetaryMethod::BinomialInterpolated => (interpolated(&plan, Law::Binomial, &mut steps)?, None),
        MonetaryMethod::PoissonInterpolated => (interpolated(&plan, Law::Poisson, &mut steps)?, None),
        MonetaryMethod::CellHypergeometric => {
            (cell_size(&plan, Distribution::Hypergeometric, &mut steps)?, None)
        }
        MonetaryMethod::CellBinomial => (cell_size(&plan, Distribution::Binomial, &mut steps)?, None),
        MonetaryMethod::CellPoisson => (cell_size(&plan, Distribution::Poisson, &mut steps)?, None),
    };
    let interval = share(plan.book, size).decimal(6);
    steps.push(Step::new(
        format!("Auswahlintervall: BV/n = {}/{size}", plan.book),
        format!("Sampling interval: BV/n = {}/{size}", plan.book),
        interval,
    ));
    let micro = (u128::from(plan.expected) * u128::from(size) * 1_000_000).div_ceil(u128::from(plan.book));
    Ok(MonetarySize {
        method: input.method.id(),
        version: MONETARY_SIZE_VERSION,
        unit: input.unit,
        book_value: input.book_value,
        confidence: input.confidence,
        tolerable: input.tolerable,
        expected: input.expected,
        size,
        interval,
        planned_taintings: Decimal::from_i128_with_scale(i128::try_from(micro).unwrap_or(i128::MAX), 6)
            .normalize(),
        factor,
        steps,
        cannot_find: cannot_find(),
    })
}

/// What monetary unit samples cannot find.
fn cannot_find() -> Vec<Text> {
    vec![outside_the_population(), without_amount(), missing_amounts()]
}

/// An amount above zero.
fn positive(field: &'static str, value: i64) -> Result<u64, SizeError> {
    u64::try_from(value)
        .ok()
        .filter(|value| *value > 0)
        .ok_or(SizeError::Amount {
            field,
            value: value.into(),
        })
}

/// Book value, tolerable and expected error in their order.
fn check_amounts(book_value: i64, tolerable: i64, expected: i64) -> Result<(u64, u64, u64), SizeError> {
    let book = positive("bookValue", book_value)?;
    let limit = positive("tolerable", tolerable)?;
    if limit > book {
        return Err(SizeError::Amount {
            field: "tolerable",
            value: tolerable.into(),
        });
    }
    let likely = u64::try_from(expected).map_err(|_| SizeError::Amount {
        field: "expected",
        value: expected.into(),
    })?;
    if limit <= likely {
        return Err(SizeError::TolerableNotAboveExpected {
            tolerable: tolerable.into(),
            expected: expected.into(),
        });
    }
    Ok((book, limit, likely))
}

fn check(input: &MonetarySizeInput) -> Result<Checked, SizeError> {
    let risk = risk(input.confidence)?;
    let (book, tolerable, expected) = check_amounts(input.book_value, input.tolerable, input.expected)?;
    let finite = matches!(
        input.method,
        MonetaryMethod::HypergeometricInterpolated | MonetaryMethod::CellHypergeometric
    );
    if finite && book > LARGEST_POPULATION {
        return Err(SizeError::Amount {
            field: "bookValue",
            value: input.book_value.into(),
        });
    }
    Ok(Checked {
        book,
        tolerable,
        expected,
        risk,
        confidence: input.confidence,
    })
}

/// `numerator/denominator`; the denominator is positive.
fn share(numerator: u64, denominator: u64) -> Fraction {
    Fraction::from(numerator)
        .over(&Fraction::from(denominator))
        .unwrap_or_else(Fraction::zero)
}

fn gamma(plan: &Checked, steps: &mut Vec<Step>) -> Result<u64, SizeError> {
    let limit = plan.book.min(LARGEST_MONETARY_SIZE);
    let size = gamma_size(plan.book, plan.risk, plan.tolerable, plan.expected)
        .ok_or(SizeError::SampleLargerThanPopulation(limit))?;
    let tail = |n: u64| {
        let per_unit = float(n) / float(plan.book);
        up(
            gamma_tails(
                1.0 + per_unit * float(plan.expected),
                per_unit * float(plan.tolerable),
            )
            .1,
            12,
        )
    };
    let mut at = |n: u64, de: &str, en: &str| {
        let (k, mean) = (
            share(plan.expected, plan.book)
                .times(&Fraction::from(n))
                .decimal(6),
            share(plan.tolerable, plan.book)
                .times(&Fraction::from(n))
                .decimal(6),
        );
        steps.push(Step::new(
            format!(
                "Gammaverteilung mit der Form 1 + {}: Wahrscheinlichkeit oberhalb von n · TE/BV = {} \
                 bei n = {n} ({de})",
                german(&k),
                german(&mean)
            ),
            format!(
                "Gamma distribution of shape 1 + {k}: probability above n · TE/BV = {mean} at n = {n} ({en})"
            ),
            tail(n),
        ));
    };
    at(size, "kleiner als das Risiko", "below the risk");
    if size > 1 {
        at(
            size - 1,
            "zum Vergleich: ein Treffer weniger",
            "for comparison: one hit less",
        );
    }
    steps.push(Step::new(
        "Kleinster Umfang n, der die Bedingung erfüllt",
        "Smallest size n that satisfies the condition",
        size,
    ));
    Ok(size)
}

/// The factor `F = G(1 - risk; 1 + r F)` with `r = AE/TE`, and `ceil(F_up * BV/TE)`.
///
/// `F` is the only point where the probability above `F` is the risk: below it that is larger, above it
/// smaller (the reason is that of the gamma method). So the factor rounded up is the smallest number of
/// hundredths whose probability is not above the risk, and no quantile is formed.
fn confidence_factor(plan: &Checked, steps: &mut Vec<Step>) -> Result<(u64, Decimal), SizeError> {
    let ratio = float(plan.expected) / float(plan.tolerable);
    let suffices = |hundredths: u64| {
        let factor = float(hundredths) / 100.0;
        gamma_tails(1.0 + ratio * factor, factor).1 <= plan.risk
    };
    let most = LARGEST_MONETARY_SIZE * 100;
    if !suffices(most) {
        return Err(SizeError::SampleLargerThanPopulation(LARGEST_MONETARY_SIZE));
    }
    let hundredths = first_true(1, most, suffices);
    let factor = Decimal::from_i128_with_scale(hundredths.into(), 2);
    let size = u128::from(hundredths) * u128::from(plan.book);
    let size = size.div_ceil(u128::from(plan.tolerable) * 100);
    let limit = plan.book.min(LARGEST_MONETARY_SIZE);
    let size = u64::try_from(size)
        .ok()
        .filter(|size| *size <= limit)
        .ok_or(SizeError::SampleLargerThanPopulation(limit))?;
    let r = share(plan.expected, plan.tolerable).decimal(6);
    steps.push(Step::new(
        format!(
            "Sicherheitsfaktor: F = G(1 − Risiko; 1 + r · F) mit r = AE/TE = {}, auf zwei Stellen \
             aufgerundet",
            german(&r)
        ),
        format!(
            "Confidence factor: F = G(1 − risk; 1 + r · F) with r = AE/TE = {r}, rounded up to two \
             decimals"
        ),
        factor,
    ));
    steps.push(Step::new(
        format!(
            "Umfang: n = ⌈F · BV/TE⌉ = ⌈{} · {}/{}⌉",
            german(&factor),
            plan.book,
            plan.tolerable
        ),
        format!(
            "Size: n = ⌈F · BV/TE⌉ = ⌈{factor} · {}/{}⌉",
            plan.book, plan.tolerable
        ),
        size,
    ));
    Ok((size, factor))
}

/// The size on the line between the sizes for `c - 1` and `c` full errors.
fn interpolated(plan: &Checked, law: Law, steps: &mut Vec<Step>) -> Result<u64, SizeError> {
    let limit = plan.book.min(LARGEST_MONETARY_SIZE);
    let beyond = || SizeError::SampleLargerThanPopulation(limit);
    let criteria = Criteria {
        tolerable: Some(Tolerable {
            units: plan.tolerable,
            of: plan.book,
        }),
        ..Criteria::new(law, plan.confidence)?
    };
    let expected = Tolerable {
        units: plan.expected,
        of: plan.book,
    };
    let most = limit.min(plan.tolerable - 1);
    let (c, size) = criteria.by_units(expected, most, limit).ok_or_else(beyond)?;
    let mut name = |c: u64, size: u64| {
        steps.push(Step::new(
            format!(
                "Umfang bei {c} vollen Fehlern: n({c}); n({c}) · AE/BV = {size} · {}/{}",
                plan.expected, plan.book
            ),
            format!(
                "Size at {c} full errors: n({c}); n({c}) · AE/BV = {size} · {}/{}",
                plan.expected, plan.book
            ),
            size,
        ));
    };
    let Some(less) = c.checked_sub(1) else {
        name(0, size);
        return Ok(size);
    };
    let before = criteria.by_number(less, limit).ok_or_else(beyond)?;
    name(less, before);
    name(c, size);
    let between = between(less, before, size, plan.expected, plan.book).ok_or_else(beyond)?;
    let gap = size - before;
    steps.push(Step::new(
        format!(
            "Zwischenwert: n = ⌈({less} − {before}/{gap}) / ({}/{} − 1/{gap})⌉",
            plan.expected, plan.book
        ),
        format!(
            "Interpolation: n = ⌈({less} − {before}/{gap}) / ({}/{} − 1/{gap})⌉",
            plan.expected, plan.book
        ),
        between,
    ));
    Ok(between)
}

/// `ceil((less - before/gap) / (expected/book - 1/gap))` in integers: both parts are negative, since more
/// errors would have been allowed before and the line rises faster than the expected ones.
fn between(less: u64, before: u64, size: u64, expected: u64, book: u64) -> Option<u64> {
    let gap = i128::from(size.checked_sub(before)?);
    let numerator = (i128::from(before) - i128::from(less) * gap).checked_mul(i128::from(book))?;
    let denominator = i128::from(book) - i128::from(expected) * gap;
    if denominator <= 0 || numerator < 0 {
        return Some(size);
    }
    let whole = numerator.unsigned_abs().div_ceil(denominator.unsigned_abs());
    u64::try_from(whole).ok().map(|whole| whole.min(size))
}

#[cfg(test)]
mod tests;
