//! Derivation and warnings of the estimators.

use num_bigint::{BigInt, Sign};

use super::{
    Choices, Combination, Estimate, Estimator, FewErrors, Fraction, Part, QuantileChoice, SamplingUnit,
    Sides, Source, VariablesInput, VariablesResult,
};
use crate::sampling::derivation::german_decimal as german;
use crate::sampling::derivation::{Step, Text};

/// Below so many checked units or units in error, limits of these estimators are not reliable.
const FEW_UNITS: u64 = 30;
/// Below so many units in error the normal approximation of differences is in doubt.
const FEW_DIFFERENCES: u64 = 20;

/// What of the input is improbable; nothing of it is refused.
pub(super) fn warnings(input: &VariablesInput, parts: &[Part]) -> Vec<Text> {
    let mut warnings = Vec::new();
    let size: u64 = parts.iter().map(|part| part.moments.size).sum();
    let errors: u64 = parts.iter().map(|part| part.moments.errors).sum();
    if size < FEW_UNITS {
        warnings.push(Text::new(
            format!("Nur {size} geprüfte Einheiten: Die Grenzen setzen etwa {FEW_UNITS} oder mehr voraus."),
            format!("Only {size} units were checked: the limits presuppose about {FEW_UNITS} or more."),
        ));
    }
    if errors < FEW_DIFFERENCES
        && input.estimator != Estimator::MeanPerUnit
        && input.few_errors == FewErrors::None
    {
        warnings.push(Text::new(
            format!(
                "Nur {errors} Einheiten mit Abweichung: Streuung und Grenzen sind unsicher; ohne Abweichung wäre die \
                 Genauigkeit scheinbar vollkommen."
            ),
            format!(
                "Only {errors} units have a difference: variance and limits are uncertain; without any difference the \
                 precision would seem perfect."
            ),
        ));
    }
    let understated: u64 = parts.iter().map(|part| part.moments.understated).sum();
    if understated > 0 && understated < errors {
        warnings.push(Text::new(
            format!(
                "{understated} von {errors} Abweichungen sind zu niedrig gebucht; im Fehlbetrag heben sie zu hoch gebuchte auf."
            ),
            format!(
                "{understated} of {errors} differences are understatements; in the misstatement they offset overstatements."
            ),
        ));
    }
    for part in parts {
        stratum_warnings(part, &mut warnings);
    }
    warnings
}

fn stratum_warnings(part: &Part, warnings: &mut Vec<Text>) {
    let (moments, name) = (&part.moments, &part.name);
    let differences = moments.differences();
    if moments.errors >= 3 && differences.sign() == Sign::Minus {
        warnings.push(Text::new(
            format!(
                "Schicht {name}: Die geprüften Beträge liegen in der Summe über den gebuchten; sind die Spalten vertauscht?"
            ),
            format!("Stratum {name}: audited values exceed book values in sum; are the columns swapped?"),
        ));
    }
    if moments.audit.sign() == Sign::NoSign && moments.book.sign() != Sign::NoSign {
        warnings.push(Text::new(
            format!("Schicht {name}: Alle geprüften Beträge sind null; fehlen die Prüfergebnisse?"),
            format!("Stratum {name}: all audited values are zero; are results missing?"),
        ));
    }
    let expanded = &moments.book * part.population;
    let expected = BigInt::from(part.book_value) * moments.size;
    if expanded > &expected * 10 || &expanded * 10 < expected {
        warnings.push(Text::new(
            format!(
                "Schicht {name}: Der Mittelwert der Stichprobe weicht um mehr als das Zehnfache vom Mittelwert der \
                 Grundgesamtheit ab; stimmt die Einheit (Cent, Euro)?"
            ),
            format!(
                "Stratum {name}: the mean of the sample differs from that of the population more than tenfold; is the \
                 unit (cents, euros) right?"
            ),
        ));
    }
    if moments.book > BigInt::from(part.book_value) {
        warnings.push(Text::new(
            format!("Schicht {name}: Die Stichprobe hat einen höheren Buchwert als die Grundgesamtheit."),
            format!("Stratum {name}: the sample has a higher book value than the population."),
        ));
    }
}

/// The derivation.
pub(super) fn steps(
    parts: &[Part],
    estimate: &Estimate,
    result: &VariablesResult,
    choices: Choices,
) -> Vec<Step> {
    let mut steps = Vec::new();
    for (ordinal, part) in parts.iter().enumerate() {
        stratum_steps(part, ordinal, estimate, result, choices, &mut steps);
    }
    steps.push(total_step(parts, estimate, result, choices));
    steps.push(Step::new(
        format!(
            "Fehlbetrag = Buchwert - geprüfter Wert = {} - {}",
            result.book_value,
            german(&estimate.audited.show())
        ),
        format!(
            "Misstatement = book value - audited value = {} - {}",
            result.book_value,
            estimate.audited.show()
        ),
        result.misstatement.estimate.normalize(),
    ));
    steps.push(Step::new(
        "Standardfehler = Wurzel aus der Summe von g * Varianz über alle Schichten",
        "Standard error = root of the sum of g * variance over all strata",
        result.standard_error.normalize(),
    ));
    if let Some(freedom) = result.degrees_of_freedom {
        let (de, en) = if estimate.freedom_of_errors {
            (
                "Freiheitsgrade = Einheiten mit Abweichung - Schichten",
                "Degrees of freedom = units with a difference - strata",
            )
        } else if parts.len() == 1 {
            ("Freiheitsgrade = n - 1", "Degrees of freedom = n - 1")
        } else {
            (
                "Freiheitsgrade nach Satterthwaite = (Summe g v)^2 / Summe((g v)^2 / (n - 1))",
                "Degrees of freedom after Satterthwaite = (sum g v)^2 / sum((g v)^2 / (n - 1))",
            )
        };
        steps.push(Step::new(de, en, freedom.normalize()));
    }
    let (de_sides, en_sides) = match result.sides {
        Sides::TwoSided => ("zweiseitig", "two-sided"),
        Sides::Upper | Sides::Lower => ("einseitig", "one-sided"),
    };
    let (de_quantile, en_quantile) = match result.quantile {
        QuantileChoice::StudentT => ("der t-Verteilung", "of the t distribution"),
        QuantileChoice::Normal => ("der Normalverteilung", "of the normal distribution"),
    };
    steps.push(Step::new(
        format!(
            "Quantil {de_quantile}, {de_sides}, Sicherheit {}",
            german(&result.confidence)
        ),
        format!(
            "Quantile {en_quantile}, {en_sides}, confidence {}",
            result.confidence
        ),
        result.quantile_value.normalize(),
    ));
    steps.push(Step::new(
        format!(
            "Genauigkeit = Quantil * Standardfehler = {} * {}",
            german(&result.quantile_value.normalize()),
            german(&result.standard_error.normalize())
        ),
        format!(
            "Precision = quantile * standard error = {} * {}",
            result.quantile_value.normalize(),
            result.standard_error.normalize()
        ),
        result.precision.normalize(),
    ));
    let (middle, precision) = (
        result.misstatement.estimate.normalize(),
        result.precision.normalize(),
    );
    if let Some(upper) = result.misstatement.upper {
        steps.push(Step::new(
            german(&format!("Obergrenze des Fehlbetrags = {middle} + {precision}")) + ", aufgerundet",
            format!("Upper limit of the misstatement = {middle} + {precision}, rounded up"),
            upper.normalize(),
        ));
    }
    if let Some(lower) = result.misstatement.lower {
        steps.push(Step::new(
            german(&format!("Untergrenze des Fehlbetrags = {middle} - {precision}")) + ", abgerundet",
            format!("Lower limit of the misstatement = {middle} - {precision}, rounded down"),
            lower.normalize(),
        ));
    }
    steps
}

fn stratum_steps(
    part: &Part,
    ordinal: usize,
    estimate: &Estimate,
    result: &VariablesResult,
    choices: Choices,
    steps: &mut Vec<Step>,
) {
    let (name, moments) = (&part.name, &part.moments);
    let (de_units, en_units) = match result.sampling_unit {
        SamplingUnit::Item => ("Positionen", "items"),
        SamplingUnit::Cluster => ("Klumpen", "clusters"),
    };
    steps.push(Step::new(
        format!(
            "Schicht {name}: {} von {} {de_units} geprüft, Summe gebucht {}, Summe geprüft {}, {} mit Abweichung; mittlere \
             Abweichung (gebucht - geprüft)",
            moments.size, part.population, moments.book, moments.audit, moments.errors
        ),
        format!(
            "Stratum {name}: {} of {} {en_units} checked, sum booked {}, sum audited {}, {} with a difference; mean difference \
             (booked - audited)",
            moments.size, part.population, moments.book, moments.audit, moments.errors
        ),
        Fraction::new(moments.differences(), moments.size).show(),
    ));
    let own = choices.combination == Combination::Separate || result.strata.len() == 1;
    let factor = &estimate.factors[ordinal];
    if own || ordinal == 0 {
        match choices.estimator {
            Estimator::Ratio if own => steps.push(Step::new(
                format!("Schicht {name}: Verhältnis = Summe geprüft / Summe gebucht"),
                format!("Stratum {name}: ratio = sum audited / sum booked"),
                factor.show(),
            )),
            Estimator::Ratio => steps.push(Step::new(
                "Verhältnis über alle Schichten = Summe(N * Mittel geprüft) / Summe(N * Mittel gebucht)",
                "Ratio over all strata = sum(N * mean audited) / sum(N * mean booked)",
                factor.show(),
            )),
            Estimator::Regression if own => steps.push(Step::new(
                format!("Schicht {name}: Steigung = Kovarianz / Varianz der gebuchten Beträge"),
                format!("Stratum {name}: slope = covariance / variance of the book values"),
                factor.show(),
            )),
            Estimator::Regression => steps.push(Step::new(
                "Steigung über alle Schichten = Summe(g * Kovarianz) / Summe(g * Varianz der gebuchten Beträge)",
                "Slope over all strata = sum(g * covariance) / sum(g * variance of the book values)",
                factor.show(),
            )),
            Estimator::MeanPerUnit | Estimator::Difference => {}
        }
    }
    let (variance, source) = &estimate.variances[ordinal];
    let (de, en) = variance_words(choices.estimator, *source);
    steps.push(Step::new(
        format!("Schicht {name}: Varianz {de}"),
        format!("Stratum {name}: variance {en}"),
        variance.show(),
    ));
    steps.push(Step::new(
        format!("Schicht {name}: g = N^2 / n, mit dem Quadrat der gewählten Endlichkeitskorrektur"),
        format!("Stratum {name}: g = N^2 / n, with the square of the chosen finite population factor"),
        estimate.weights[ordinal].show(),
    ));
}

fn variance_words(estimator: Estimator, source: Source) -> (&'static str, &'static str) {
    match (source, estimator) {
        (Source::FewErrors, _) => (
            "nach der Regel für drei bis neun Abweichungen (IDEA)",
            "by the rule for three to nine differences (IDEA)",
        ),
        (Source::AuditedValues, _) => (
            "der geprüften Beträge, da weniger als drei Abweichungen gefunden wurden (IDEA)",
            "of the audited values, as fewer than three differences were found (IDEA)",
        ),
        (Source::Own, Estimator::MeanPerUnit) => {
            ("der geprüften Beträge (n - 1)", "of the audited values (n - 1)")
        }
        (Source::Own, Estimator::Difference) => ("der Abweichungen (n - 1)", "of the differences (n - 1)"),
        (Source::Own, Estimator::Ratio) => (
            "von geprüft - Verhältnis * gebucht (n - 1)",
            "of audited - ratio * booked (n - 1)",
        ),
        (Source::Own, Estimator::Regression) => (
            "von geprüft - Steigung * gebucht (n - 2)",
            "of audited - slope * booked (n - 2)",
        ),
    }
}

fn total_step(parts: &[Part], estimate: &Estimate, result: &VariablesResult, choices: Choices) -> Step {
    let (de, en) = match choices.estimator {
        Estimator::MeanPerUnit => (
            "Geprüfter Wert = Summe(N * Mittel der geprüften Beträge)",
            "Audited value = sum(N * mean of the audited values)",
        ),
        Estimator::Difference => (
            "Geprüfter Wert = Buchwert - Summe(N * mittlere Abweichung)",
            "Audited value = book value - sum(N * mean difference)",
        ),
        Estimator::Ratio => (
            "Geprüfter Wert = Summe(Buchwert * Verhältnis)",
            "Audited value = sum(book value * ratio)",
        ),
        Estimator::Regression => (
            "Geprüfter Wert = Summe(N * Mittel geprüft + Steigung * (Buchwert - N * Mittel gebucht))",
            "Audited value = sum(N * mean audited + slope * (book value - N * mean booked))",
        ),
    };
    let strata = parts.len();
    Step::new(
        format!("{de}; {strata} Schicht(en), Buchwert {}", result.book_value),
        format!("{en}; {strata} strata, book value {}", result.book_value),
        estimate.audited.show(),
    )
}
