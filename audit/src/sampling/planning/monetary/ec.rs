//! Monetary unit sizes of the EC guidance EGESIF 16-0014-01 (2017): standard (6.3.1.2, stratified 6.3.2.2)
//! and conservative (6.3.5.2). Standard deviations are decimals; the sizes are formed as fractions, so that
//! no rounding decides.

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{MONETARY_SIZE_VERSION, cannot_find, check_amounts, positive, share};
use crate::sampling::derivation::{Step, Text};
use crate::sampling::guidance::{FactorProfile, expansion};
use crate::sampling::numerics::Fraction;
use crate::sampling::planning::allocation::{ShareRounding, Weight, share_out};
use crate::sampling::planning::exact::{Rounding, Unit, german, risk, whole, z};
use crate::sampling::planning::{LARGEST_MONETARY_SIZE, SizeError};
use crate::sampling::refusal::{Located, Refused as _};

/// A pilot sample, to estimate the standard deviation of error rates from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Pilot {
    /// Sampling units of the pilot, at least 2, one entry for each.
    pub items: Vec<PilotItem>,
}

/// A sampling unit of a pilot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PilotItem {
    /// Book value, above zero.
    pub book: i64,
    /// Error, positive where too much is booked.
    pub error: i64,
}

/// A stratum of the standard approach.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "EcPlanStratum")]
pub struct EcStratum {
    /// Its name.
    pub label: String,
    /// Its book value.
    pub book_value: i64,
    /// Standard deviation of its error rates. Exactly one of this and `pilot`.
    pub deviation: Option<Decimal>,
    /// A pilot sample of it.
    pub pilot: Option<Pilot>,
}

/// What a sample of the standard approach is planned by.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EcStandardInput {
    /// Where z comes from.
    pub profile: FactorProfile,
    /// Unit of the amounts.
    pub unit: Unit,
    /// Confidence, two-sided as in the guidance.
    pub confidence: Decimal,
    /// Tolerable error of the whole population; 2 per cent of its book value in the guidance.
    pub tolerable: i64,
    /// Anticipated error of the whole population.
    pub expected: i64,
    /// The strata; a single one where the population is not stratified.
    pub strata: Vec<EcStratum>,
    /// How the size becomes whole.
    #[serde(default)]
    pub rounding: Rounding,
    /// How the shares of the strata become whole.
    #[serde(default)]
    pub share_rounding: ShareRounding,
}

/// Share of a stratum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EcStratumSize {
    /// Its name.
    pub label: String,
    /// Its book value.
    pub book_value: i64,
    /// Standard deviation of its error rates, to twelve places.
    pub deviation: Decimal,
    /// Its sampling units.
    pub size: u64,
    /// Cut-off of its exhaustive stratum, `BV_h/n_h`, to six places.
    pub cutoff: Decimal,
}

/// Size of a sample of the standard approach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EcStandardSize {
    /// Method id.
    pub method: &'static str,
    /// Version of the method.
    pub version: &'static str,
    /// Where z came from.
    pub profile: FactorProfile,
    /// Unit of the amounts.
    pub unit: Unit,
    /// Book value of all strata.
    pub book_value: i64,
    /// Confidence.
    pub confidence: Decimal,
    /// z.
    pub factor: Decimal,
    /// Tolerable error.
    pub tolerable: i64,
    /// Anticipated error.
    pub expected: i64,
    /// Variance of the error rates, weighted by book value, to twelve places.
    pub variance: Decimal,
    /// The size before it was rounded, to six places.
    pub raw_size: Decimal,
    /// Sampling units, those of the exhaustive stratum included.
    pub size: u64,
    /// The strata, in their order.
    pub strata: Vec<EcStratumSize>,
    /// How the size came about.
    pub steps: Vec<Step>,
    /// What such a sample cannot find.
    pub cannot_find: Vec<Text>,
}

/// Size of the standard approach: `n = (z BV s_r / (TE - AE))^2` with `s_r^2 = sum(BV_h/BV s_rh^2)`, shared
/// out by book value.
pub fn ec_standard_size(input: &EcStandardInput) -> Result<EcStandardSize, Located<SizeError>> {
    risk(input.confidence)?;
    let z = z(input.profile, input.confidence)?;
    let mut total: i64 = 0;
    let place = |index: usize| format!("strata[{index}]");
    for (index, stratum) in input.strata.iter().enumerate() {
        let sum = positive("bookValue", stratum.book_value).and_then(|_| {
            total.checked_add(stratum.book_value).ok_or(SizeError::Amount {
                field: "bookValue",
                value: stratum.book_value.into(),
            })
        });
        total = sum.map_err(|error| error.at(place(index)))?;
    }
    if input.strata.is_empty() {
        return Err(SizeError::Required("strata").into());
    }
    let (book, tolerable, expected) = check_amounts(total, input.tolerable, input.expected)?;
    let mut steps = vec![Step::new(
        format!("Faktor z zur Sicherheit {}", german(&input.confidence)),
        format!("Factor z for the confidence {}", input.confidence),
        z,
    )];
    let variances = input
        .strata
        .iter()
        .enumerate()
        .map(|(index, stratum)| variance(stratum, &mut steps).map_err(|error| error.at(place(index))))
        .collect::<Result<Vec<Fraction>, Located<SizeError>>>()?;
    let variance = input
        .strata
        .iter()
        .zip(&variances)
        .map(|(stratum, variance)| Fraction::from(stratum.book_value).times(variance))
        .fold(Fraction::zero(), |sum, part| sum.plus(&part))
        .over(&Fraction::from(book))
        .unwrap_or_else(Fraction::zero);
    let root = Fraction::from(z)
        .times(&Fraction::from(book))
        .over(&Fraction::from(tolerable - expected));
    let raw = root.map_or_else(Fraction::zero, |root| root.square().times(&variance));
    let size = whole(&raw, input.rounding)
        .filter(|size| *size <= book.min(LARGEST_MONETARY_SIZE))
        .ok_or(SizeError::SampleLargerThanPopulation(
            book.min(LARGEST_MONETARY_SIZE),
        ))?
        .max(1);
    steps.push(Step::new(
        "Gewichtete Varianz der Fehlerquoten: s_r² = Σ BV_h/BV · s_rh²",
        "Weighted variance of the error rates: s_r² = Σ BV_h/BV · s_rh²",
        variance.decimal(12),
    ));
    steps.push(Step::new(
        format!(
            "Umfang: n = z² · BV² · s_r² / (TE − AE)² = {}² · {book}² · s_r² / ({tolerable} − {expected})²",
            german(&z)
        ),
        format!(
            "Size: n = z² · BV² · s_r² / (TE − AE)² = {z}² · {book}² · s_r² / ({tolerable} − {expected})²"
        ),
        raw.decimal(6),
    ));
    let strata = strata(input, &variances, size, &mut steps);
    Ok(EcStandardSize {
        method: if strata.len() == 1 {
            "monetary-size-ec-standard"
        } else {
            "monetary-size-ec-standard-stratified"
        },
        version: MONETARY_SIZE_VERSION,
        profile: input.profile,
        unit: input.unit,
        book_value: total,
        confidence: input.confidence,
        factor: z,
        tolerable: input.tolerable,
        expected: input.expected,
        variance: variance.decimal(12),
        raw_size: raw.decimal(6),
        size: strata.iter().map(|stratum| stratum.size).sum(),
        strata,
        steps,
        cannot_find: cannot_find(),
    })
}

/// The sizes of the strata, by book value.
fn strata(
    input: &EcStandardInput,
    variances: &[Fraction],
    size: u64,
    steps: &mut Vec<Step>,
) -> Vec<EcStratumSize> {
    let weights: Vec<Weight> = input
        .strata
        .iter()
        .map(|stratum| Weight {
            weight: Fraction::from(stratum.book_value),
            most: u64::try_from(stratum.book_value).unwrap_or_default(),
        })
        .collect();
    let shares = share_out(size, &weights, 1, input.share_rounding);
    let sizes: Vec<EcStratumSize> = input
        .strata
        .iter()
        .zip(shares)
        .zip(variances)
        .map(|((stratum, size), variance)| EcStratumSize {
            label: stratum.label.clone(),
            book_value: stratum.book_value,
            deviation: variance.root().decimal(12),
            size,
            cutoff: share(u64::try_from(stratum.book_value).unwrap_or_default(), size).decimal(6),
        })
        .collect();
    for stratum in &sizes {
        steps.push(Step::new(
            format!(
                "Anteil von {}: n_h = {size} · BV_h/BV mit BV_h = {}; Schwelle BV_h/n_h = {}",
                stratum.label,
                stratum.book_value,
                german(&stratum.cutoff)
            ),
            format!(
                "Share of {}: n_h = {size} · BV_h/BV with BV_h = {}; cut-off BV_h/n_h = {}",
                stratum.label, stratum.book_value, stratum.cutoff
            ),
            stratum.size,
        ));
    }
    sizes
}

/// The variance of the error rates of a stratum: given, or of its pilot with `n - 1` below. Pilot units above
/// `BV/n_p` are taken with the rate `E/(BV/n_p)` (6.3.1.2).
fn variance(stratum: &EcStratum, steps: &mut Vec<Step>) -> Result<Fraction, Located<SizeError>> {
    match (stratum.deviation, &stratum.pilot) {
        (Some(_), Some(_)) => Err(SizeError::NotTogether {
            field: "pilot",
            other: "deviation",
        }
        .into()),
        (None, None) => Err(SizeError::Required("deviation").into()),
        (Some(deviation), None) => {
            if deviation <= Decimal::ZERO || deviation.scale() > 20 || deviation > Decimal::from(1_000) {
                return Err(SizeError::Amount {
                    field: "deviation",
                    value: deviation,
                }
                .into());
            }
            Ok(Fraction::from(deviation).square())
        }
        (None, Some(pilot)) => {
            let variance = pilot_variance(pilot, positive("bookValue", stratum.book_value)?)?;
            steps.push(Step::new(
                format!(
                    "Varianz der Fehlerquoten in der Vorstichprobe von {} ({} Einheiten): \
                     Σ (r − r̄)²/(n − 1)",
                    stratum.label,
                    pilot.items.len()
                ),
                format!(
                    "Variance of the error rates in the pilot of {} ({} units): Σ (r − r̄)²/(n − 1)",
                    stratum.label,
                    pilot.items.len()
                ),
                variance.decimal(12),
            ));
            Ok(variance)
        }
    }
}

fn pilot_variance(pilot: &Pilot, book: u64) -> Result<Fraction, Located<SizeError>> {
    let count = u64::try_from(pilot.items.len()).unwrap_or(u64::MAX);
    if !(2..=10_000).contains(&count) {
        return Err(SizeError::Count {
            field: "pilot",
            value: count,
        }
        .into());
    }
    let mut rates = Vec::with_capacity(pilot.items.len());
    for (index, item) in pilot.items.iter().enumerate() {
        let below = positive("book", item.book).map_err(|error| error.at(format!("pilot.items[{index}]")))?;
        let is_above = u128::from(below) * u128::from(count) > u128::from(book);
        let base = if is_above {
            share(book, count)
        } else {
            Fraction::from(below)
        };
        let rate = Fraction::from(item.error)
            .over(&base)
            .unwrap_or_else(Fraction::zero);
        // twenty places keep the sums short; the guidance prints four
        rates.push(rate.rounded(20));
    }
    let n = Fraction::from(count);
    let zero = || Fraction::zero();
    let first = rates.iter().fold(zero(), |sum, rate| sum.plus(rate));
    let second = rates.iter().fold(zero(), |sum, rate| sum.plus(&rate.square()));
    let squares = n.times(&second).minus(&first.square());
    let below = n.times(&Fraction::from(count - 1));
    match squares.over(&below) {
        Some(variance) if variance.is_positive() => Ok(variance),
        _ => Err(SizeError::Amount {
            field: "pilot",
            value: Decimal::ZERO,
        }
        .into()),
    }
}

/// What a sample of the conservative approach is planned by.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EcConservativeInput {
    /// Where the reliability factor comes from. The expansion factor is always that of table 5.
    pub profile: FactorProfile,
    /// Unit of the amounts.
    pub unit: Unit,
    /// Book value.
    pub book_value: i64,
    /// Confidence.
    pub confidence: Decimal,
    /// Tolerable error; 2 per cent of the book value in the guidance.
    pub tolerable: i64,
    /// Anticipated error.
    pub expected: i64,
    /// How the size becomes whole.
    #[serde(default)]
    pub rounding: Rounding,
}

/// Size of a sample of the conservative approach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EcConservativeSize {
    /// Method id.
    pub method: &'static str,
    /// Version of the method.
    pub version: &'static str,
    /// Where the reliability factor came from.
    pub profile: FactorProfile,
    /// Unit of the amounts.
    pub unit: Unit,
    /// Book value.
    pub book_value: i64,
    /// Confidence.
    pub confidence: Decimal,
    /// Tolerable error.
    pub tolerable: i64,
    /// Anticipated error.
    pub expected: i64,
    /// Reliability factor RF.
    pub reliability_factor: Decimal,
    /// Expansion factor EF; none where no error is anticipated.
    pub expansion_factor: Option<Decimal>,
    /// The size before it was rounded, to six places.
    pub raw_size: Decimal,
    /// Sampling units.
    pub size: u64,
    /// Interval and cut-off of the exhaustive stratum, `BV/n`, to six places.
    pub interval: Decimal,
    /// How the size came about.
    pub steps: Vec<Step>,
    /// What such a sample cannot find.
    pub cannot_find: Vec<Text>,
}

/// Size of the conservative approach: `n = BV RF / (TE - AE EF)`.
pub fn ec_conservative_size(input: &EcConservativeInput) -> Result<EcConservativeSize, SizeError> {
    risk(input.confidence)?;
    let (book, tolerable, expected) = check_amounts(input.book_value, input.tolerable, input.expected)?;
    let reliability = input.profile.basic(input.confidence)?;
    let expansion = (expected > 0).then(|| expansion(input.confidence)).transpose()?;
    let grown = Fraction::from(expected).times(&Fraction::from(expansion.unwrap_or(Decimal::ONE)));
    let margin = Fraction::from(tolerable).minus(&grown);
    let raw = Fraction::from(book)
        .times(&Fraction::from(reliability))
        .over(&margin)
        .ok_or(SizeError::TolerableNotAboveExpected {
            tolerable: input.tolerable.into(),
            expected: grown.decimal(6),
        })?;
    let limit = book.min(LARGEST_MONETARY_SIZE);
    let size = whole(&raw, input.rounding)
        .filter(|size| *size <= limit)
        .ok_or(SizeError::SampleLargerThanPopulation(limit))?
        .max(1);
    let interval = share(book, size).decimal(6);
    let shown = expansion.unwrap_or(Decimal::ONE);
    let steps = vec![
        Step::new(
            format!(
                "Zuverlässigkeitsfaktor RF für null Fehler zur Sicherheit {}",
                german(&input.confidence)
            ),
            format!(
                "Reliability factor RF for no error at the confidence {}",
                input.confidence
            ),
            reliability,
        ),
        Step::new(
            "Erweiterungsfaktor EF für erwartete Fehler (Tabelle 5)",
            "Expansion factor EF for expected errors (table 5)",
            shown,
        ),
        Step::new(
            format!(
                "Umfang: n = BV · RF / (TE − AE · EF) = {book} · {} / ({tolerable} − {expected} · {})",
                german(&reliability),
                german(&shown)
            ),
            format!(
                "Size: n = BV · RF / (TE − AE · EF) = {book} · {reliability} / \
                 ({tolerable} − {expected} · {shown})"
            ),
            raw.decimal(6),
        ),
        Step::new(
            format!("Auswahlintervall: SI = BV/n = {book}/{size}"),
            format!("Sampling interval: SI = BV/n = {book}/{size}"),
            interval,
        ),
    ];
    Ok(EcConservativeSize {
        method: "monetary-size-ec-conservative",
        version: MONETARY_SIZE_VERSION,
        profile: input.profile,
        unit: input.unit,
        book_value: input.book_value,
        confidence: input.confidence,
        tolerable: input.tolerable,
        expected: input.expected,
        reliability_factor: reliability,
        expansion_factor: expansion,
        raw_size: raw.decimal(6),
        size,
        interval,
        steps,
        cannot_find: cannot_find(),
    })
}
