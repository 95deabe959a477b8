//! Derivation and warnings.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::{
    super::errors::TotalErrorResult,
    EcError, EcInput, EcMethod, EcStratumResult, RecalculatedConfidence,
    part::{Part, Sample},
    precision::Precision,
};
use super::{AMOUNT_PLACES, Fraction};
use crate::sampling::derivation::german_decimal as german;
use crate::sampling::derivation::{Step, Text};

/// Below so many checked items the guidance warns of statistical methods (footnote 37, 7.8.1).
const FEW_ITEMS: u64 = 30;
/// Below so many items a stratum has no usable variance (6.1.2.2).
const FEW_IN_STRATUM: u64 = 3;
/// From so many items on the regulation wants a statistical sample (Regulation (EU) 2021/1060, article 79).
const STATISTICAL_FROM: u64 = 300;

fn show(value: Decimal) -> Decimal {
    value.normalize()
}

/// The derivation up to the precision.
pub(super) fn steps(
    input: &EcInput,
    parts: &[&Part<'_>],
    strata: &[EcStratumResult],
    precision: &Precision,
    z: Option<Decimal>,
) -> Result<Vec<Step>, EcError> {
    let mut steps = Vec::new();
    for (part, stratum) in parts.iter().zip(strata) {
        stratum_steps(input, part, stratum, &mut steps);
    }
    let projected: Decimal = strata
        .iter()
        .map(|stratum| stratum.projected + stratum.exhaustive_error)
        .sum();
    steps.push(Step::new(
        "Hochgerechneter Fehler = Summe der hochgerechneten und der vollständig geprüften Fehler aller Schichten",
        "Projected error = sum of projected and of exhaustive errors of all strata",
        show(projected),
    ));
    match precision {
        Precision::None => {}
        Precision::Normal(amount) => {
            let z = z.map(show).unwrap_or_default();
            steps.push(Step::new(
                format!(
                    "z zur Sicherheit {}",
                    german(&input.confidence.unwrap_or_default())
                ),
                format!("z for the confidence {}", input.confidence.unwrap_or_default()),
                z,
            ));
            let formula = if input.method.by_size() {
                "z * sqrt(sum(BV_h^2 / n_h * s_h^2))"
            } else {
                "z * sqrt(sum over periods(N^2 / n * sum(N_h / N * s_h^2)))"
            };
            let amount = amount.up(AMOUNT_PLACES).ok_or(EcError::AmountTooLarge)?;
            steps.push(Step::new(
                format!("Genauigkeit SE = {formula}"),
                format!("Precision SE = {formula}"),
                show(amount),
            ));
        }
        Precision::Conservative(_) => conservative_steps(precision, &mut steps)?,
    }
    Ok(steps)
}

fn stratum_steps(input: &EcInput, part: &Part<'_>, stratum: &EcStratumResult, steps: &mut Vec<Step>) {
    let name = label(part);
    if part.exhaustive.items > 0 {
        steps.push(Step::new(
            format!(
                "Schicht {name}: Fehler der {} vollständig geprüften Positionen, ausgeweitet mit {}",
                part.exhaustive.items,
                german(&part.exhaustive_extension.show())
            ),
            format!(
                "Stratum {name}: errors of the {} items that were all checked, extended by {}",
                part.exhaustive.items,
                part.exhaustive_extension.show()
            ),
            show(stratum.exhaustive_error),
        ));
    }
    let Some(sample) = &part.sample else {
        return;
    };
    let (formula, figures) = projection(input, part, sample);
    let extension = if part.extension == Fraction::one() {
        String::new()
    } else {
        format!(" * {}", part.extension.show())
    };
    steps.push(Step::new(
        format!(
            "Schicht {name}: hochgerechneter Fehler = {formula} = {}{}",
            german(&figures),
            german(&extension)
        ),
        format!("Stratum {name}: projected error = {formula} = {figures}{extension}"),
        show(stratum.projected),
    ));
    if let Some(deviation) = stratum.standard_deviation {
        let (de, en) = if input.method.by_ratio() {
            (
                "der um das Verhältnis bereinigten Fehler",
                "of the errors less ratio times book value",
            )
        } else if input.method.by_size() {
            (
                "der Fehlerquoten der Positionen",
                "of the error rates of the items",
            )
        } else {
            ("der Fehler", "of the errors")
        };
        steps.push(Step::new(
            format!("Schicht {name}: Standardabweichung {de} (n - 1)"),
            format!("Stratum {name}: standard deviation {en} (n - 1)"),
            show(deviation),
        ));
    }
}

/// Name of a stratum with its period.
fn label(part: &Part<'_>) -> String {
    match &part.stratum.period {
        Some(period) => format!("{} ({period})", part.stratum.name),
        None => part.stratum.name.clone(),
    }
}

fn projection(input: &EcInput, part: &Part<'_>, sample: &Sample) -> (&'static str, String) {
    let errors = sample.error_sum.show();
    let books = sample.book_sum.as_ref().map(Fraction::show).unwrap_or_default();
    let book = part.stratum.book_value;
    let rest = i128::from(book) - i128::from(part.stratum.systemic_error);
    match input.method {
        EcMethod::MeanPerUnit | EcMethod::Difference | EcMethod::NonStatisticalMeanPerUnit => (
            "N * sum E / n",
            format!("{} * {errors} / {}", part.population().show(), sample.size),
        ),
        EcMethod::Ratio | EcMethod::NonStatisticalRatio => {
            ("BV' * sum E / sum BV'", format!("{rest} * {errors} / {books}"))
        }
        EcMethod::MusRatio => (
            "BV' * sum(E / BV) / sum(BV' / BV)",
            format!("{rest} * {errors} / {books}"),
        ),
        EcMethod::MusStandard | EcMethod::NonStatisticalPps => (
            "BV / n * sum(E / BV)",
            format!("{book} / {} * {errors}", sample.size),
        ),
        EcMethod::MusConservative => (
            "SI * sum(E / BV), SI = BV / n",
            format!(
                "{} / {} * {errors}",
                part.book_value(),
                input.planned_size.unwrap_or_default()
            ),
        ),
    }
}

fn conservative_steps(precision: &Precision, steps: &mut Vec<Step>) -> Result<(), EcError> {
    let Some(report) = precision.report()? else {
        return Ok(());
    };
    let (interval, factor) = (show(report.interval), report.basic_factor);
    steps.push(Step::new(
        "Intervall SI = Buchwert / geplanter Umfang",
        "Interval SI = book value / planned size",
        interval,
    ));
    steps.push(Step::new(
        german(&format!("Basisgenauigkeit = SI * RF(0) = {interval} * {factor}")),
        format!("Basic precision = SI * RF(0) = {interval} * {factor}"),
        show(report.basic_precision),
    ));
    for row in &report.allowances {
        let (rank, rate, factor) = (row.rank, show(row.error_rate), row.factor);
        let formula = format!("(RF({rank}) - RF({}) - 1) * SI * E / BV", rank - 1);
        steps.push(Step::new(
            german(&format!(
                "Zuschlag {rank} = {formula} = {factor} * {interval} * {rate}"
            )),
            format!("Allowance {rank} = {formula} = {factor} * {interval} * {rate}"),
            show(row.amount),
        ));
    }
    let amount = precision
        .amount()
        .and_then(|amount| amount.up(AMOUNT_PLACES))
        .ok_or(EcError::AmountTooLarge)?;
    steps.push(Step::new(
        "Genauigkeit SE = Basisgenauigkeit + Zuschläge, ausgeweitet auf Ausgeschlossenes",
        "Precision SE = basic precision + allowances, extended to what was excluded",
        show(amount),
    ));
    Ok(())
}

/// The step of the recalculated confidence.
pub(super) fn recalculated(
    total: &TotalErrorResult,
    z: Option<Decimal>,
    result: &RecalculatedConfidence,
) -> Step {
    let figures = format!(
        "{} * ({} - {}) / {} = {}",
        z.map(show).unwrap_or_default(),
        show(total.tolerable),
        show(total.total_error),
        total.precision.map(show).unwrap_or_default(),
        show(result.z)
    );
    Step::new(
        format!(
            "Sicherheit, bei der die Obergrenze den tragbaren Fehler erreicht: z* = {}, 2 * Phi(z*) - 1",
            german(&figures)
        ),
        format!(
            "Confidence at which the upper limit reaches the tolerable error: z* = {figures}, 2 * Phi(z*) - 1"
        ),
        show(result.confidence),
    )
}

/// What is improbable, and what weakens the result.
pub(super) fn warnings(
    input: &EcInput,
    parts: &[&Part<'_>],
    strata: &[EcStratumResult],
    total: &TotalErrorResult,
) -> Vec<Text> {
    let mut warnings = Vec::new();
    let size: u64 = strata.iter().map(|stratum| stratum.size).sum();
    if input.method.is_statistical() {
        if size < FEW_ITEMS {
            warnings.push(Text::new(
                format!(
                    "Nur {size} gezogene Positionen: Unter {FEW_ITEMS} ist die Genauigkeit nicht belastbar."
                ),
                format!(
                    "Only {size} items were drawn: below {FEW_ITEMS} the precision cannot be relied upon."
                ),
            ));
        }
        if total.precision == Some(Decimal::ZERO) && size > 0 {
            warnings.push(Text::new(
                "Die Fehler streuen nicht (meist, weil keiner gefunden wurde): Die Genauigkeit ist scheinbar vollkommen. Der \
                 konservative Ansatz oder eine Grenze ohne Normalverteilung sagt mehr.",
                "The errors do not vary (mostly because none was found): the precision seems perfect. The conservative approach or \
                 a limit without the normal distribution says more.",
            ));
        }
    } else {
        coverage(parts, &mut warnings);
    }
    if input.materiality > Decimal::new(2, 2) {
        warnings.push(Text::new(
            "Die Wesentlichkeit liegt über den 2 %, die der Leitfaden höchstens zulässt (4.10).",
            "The materiality exceeds the 2 % that the guidance allows at most (4.10).",
        ));
    }
    if input.method.is_statistical() && !input.method.by_size() {
        allocation(parts, &mut warnings);
    }
    for (part, stratum) in parts.iter().zip(strata) {
        stratum_warnings(input, part, stratum, &mut warnings);
    }
    warnings
}

/// The precision of strata supposes that every stratum's size is its share of the items, give or take less than one.
fn allocation(parts: &[&Part<'_>], warnings: &mut Vec<Text>) {
    let mut periods: BTreeMap<Option<&str>, Vec<(u128, u128)>> = BTreeMap::new();
    for part in parts {
        if let Some((sample, population)) = part.sample.as_ref().zip(part.stratum.population) {
            periods
                .entry(part.stratum.period.as_deref())
                .or_default()
                .push((population.into(), sample.size.into()));
        }
    }
    let proportional = periods.values().all(|strata| {
        let population: u128 = strata.iter().map(|stratum| stratum.0).sum();
        let size: u128 = strata.iter().map(|stratum| stratum.1).sum();
        strata
            .iter()
            .all(|stratum| (size * stratum.0).abs_diff(stratum.1 * population) < population)
    });
    if !proportional {
        warnings.push(Text::new(
            "Die Stichprobe ist nicht im Verhältnis der Schichten verteilt, was die Genauigkeit des Leitfadens voraussetzt \
             (6.1.2.4).",
            "The sample is not allocated in proportion to the strata, which the guidance's precision supposes (6.1.2.4).",
        ));
    }
}

fn coverage(parts: &[&Part<'_>], warnings: &mut Vec<Text>) {
    let known = parts
        .iter()
        .all(|part| part.sample.is_none() || part.stratum.population.is_some());
    if !known {
        return;
    }
    let exhaustive: u64 = parts.iter().map(|part| part.exhaustive.items).sum();
    let drawn: u64 = parts
        .iter()
        .filter_map(|part| part.sample.as_ref())
        .map(|sample| sample.items)
        .sum();
    let population: u64 = parts
        .iter()
        .filter_map(|part| part.stratum.population)
        .sum::<u64>()
        + exhaustive;
    if population >= STATISTICAL_FROM {
        warnings.push(Text::new(
            format!(
                "{population} Positionen: Ab {STATISTICAL_FROM} ist ein statistisches Verfahren vorgesehen."
            ),
            format!("{population} items: from {STATISTICAL_FROM} on a statistical method is prescribed."),
        ));
    }
    if (exhaustive + drawn) * 10 < population {
        warnings.push(Text::new(
            "Weniger als 10 % der Positionen wurden geprüft.",
            "Less than 10 % of the items were checked.",
        ));
    }
}

fn stratum_warnings(input: &EcInput, part: &Part<'_>, stratum: &EcStratumResult, warnings: &mut Vec<Text>) {
    let name = label(part);
    let Some(sample) = &part.sample else {
        return;
    };
    if input.method.is_statistical() && sample.size < FEW_IN_STRATUM {
        warnings.push(Text::new(
            format!("Schicht {name}: Weniger als {FEW_IN_STRATUM} Positionen gezogen (6.1.2.2)."),
            format!("Stratum {name}: fewer than {FEW_IN_STRATUM} items drawn (6.1.2.2)."),
        ));
    }
    if let Some(interval) = stratum.interval {
        placement(part, sample, interval, &name, warnings);
    }
    let equal = matches!(input.method, EcMethod::MeanPerUnit | EcMethod::Ratio);
    if let Some(ratio) = sample.ratio_recommended
        && equal
        && ratio != input.method.by_ratio()
    {
        let (de, en) = if ratio {
            ("der Verhältnisschätzung", "the ratio")
        } else {
            ("der Mittelwertschätzung", "the mean per unit")
        };
        warnings.push(Text::new(
            format!("Schicht {name}: Kovarianz und Varianz sprechen nach 6.1.1.3 für {de}."),
            format!("Stratum {name}: covariance and variance speak for {en} (6.1.1.3)."),
        ));
    }
    if sample
        .book_values
        .is_some_and(|books| books > i128::from(part.stratum.book_value))
    {
        warnings.push(Text::new(
            format!("Schicht {name}: Die Stichprobe hat einen höheren Buchwert als der Teil, aus dem sie gezogen wurde."),
            format!("Stratum {name}: the sample has a higher book value than the part from which it was drawn."),
        ));
    }
    let found = &part.found;
    if found.understated > 0 && sample.error_sum <= Fraction::zero() {
        warnings.push(Text::new(
            format!("Schicht {name}: Es gibt nur Fehler unter null; sind die Spalten für gebucht und geprüft vertauscht?"),
            format!("Stratum {name}: there are only errors below zero; are booked and audited columns swapped?"),
        ));
    }
    if found.negative > 0 {
        warnings.push(Text::new(
            format!(
                "Schicht {name}: {} geprüfte Beträge liegen unter null.",
                found.negative
            ),
            format!(
                "Stratum {name}: {} audited values are below zero.",
                found.negative
            ),
        ));
    }
    if found.small_subsamples > 0 {
        warnings.push(Text::new(
            format!(
                "Schicht {name}: {} Unterstichproben haben weniger als {FEW_ITEMS} Teile (7.6).",
                found.small_subsamples
            ),
            format!(
                "Stratum {name}: {} sub-samples have fewer than {FEW_ITEMS} parts (7.6).",
                found.small_subsamples
            ),
        ));
    }
}

/// Items above the interval belong into the exhaustive part, items up to it do not.
fn placement(part: &Part<'_>, sample: &Sample, interval: Decimal, name: &str, warnings: &mut Vec<Text>) {
    let interval = Fraction::from(interval);
    if sample
        .largest
        .is_some_and(|largest| Fraction::from(largest) > interval)
    {
        warnings.push(Text::new(
            format!("Schicht {name}: Gezogene Positionen über dem Intervall gehören in die Vollerhebung (6.3.1.3)."),
            format!("Stratum {name}: drawn items above the interval belong into the exhaustive part (6.3.1.3)."),
        ));
    }
    if part
        .exhaustive
        .smallest
        .is_some_and(|smallest| Fraction::from(smallest) <= interval)
    {
        warnings.push(Text::new(
            format!("Schicht {name}: Vollständig geprüfte Positionen liegen nicht über dem Intervall."),
            format!("Stratum {name}: items that were all checked are not above the interval."),
        ));
    }
}
