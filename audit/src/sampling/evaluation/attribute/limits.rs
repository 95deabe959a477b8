//! Exact limits for a rate of deviations, on either side or both, with the p-value of a tolerable rate.
//!
//! Sources: Clopper and Pearson 1934 (binomial); Garwood 1936 (Poisson); Talens 2005 and Buonaccorsi 1987
//! (hypergeometric); AICPA Audit Guide Audit Sampling (2017), tables.

use num_bigint::BigInt;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::sampling::derivation::german_decimal as german;
use crate::sampling::derivation::{Step, Text, outside_the_population};
use crate::sampling::evaluation::figures::{SHARE_PLACES, places_down, places_up, shown};
use crate::sampling::evaluation::{
    Conclusion, Distribution, EvaluationError, LARGEST_POPULATION, Sides, check_sample, check_tolerable_rate,
    conclude,
};
use crate::sampling::numerics::{
    beta_quantile, binomial_tails, decimal_to_float, divide_up, down, float, gamma_quantile,
    hypergeometric_lower, hypergeometric_tails, hypergeometric_upper, poisson_tails, up,
};

/// Method of [`rate_limits`] with [`Distribution::Binomial`].
pub const RATE_BINOMIAL: &str = "attribute-clopper-pearson";
/// Method of [`rate_limits`] with [`Distribution::Poisson`].
pub const RATE_POISSON: &str = "attribute-poisson";
/// Method of [`rate_limits`] with [`Distribution::Hypergeometric`].
pub const RATE_HYPERGEOMETRIC: &str = "attribute-hypergeometric";
/// Version of these methods.
pub const RATE_VERSION: &str = "1";

/// A checked sample of items, and what is asked of it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RateInput {
    /// Items checked, 1 to [`LARGEST_SIZE`](crate::sampling::evaluation::LARGEST_SIZE).
    pub size: u64,
    /// Deviations found, at most `size`.
    pub deviations: u64,
    /// Items in the population, at least `size`; the hypergeometric distribution needs it.
    pub population: Option<u64>,
    /// Confidence of the limits together, between 0 and 1.
    pub confidence: Decimal,
    /// Limits asked for.
    pub sides: Sides,
    /// Distribution of the number of deviations.
    pub distribution: Distribution,
    /// Tolerable rate, above 0 and up to 1.
    pub tolerable: Option<Decimal>,
}

/// A rate of deviations with its limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RateResult {
    /// Method id.
    pub method: &'static str,
    /// Version of the method.
    pub version: &'static str,
    /// Items checked.
    pub size: u64,
    /// Deviations found.
    pub deviations: u64,
    /// Items in the population, where known.
    pub population: Option<u64>,
    /// Confidence of the limits together.
    pub confidence: Decimal,
    /// Limits asked for.
    pub sides: Sides,
    /// `deviations / size`, half to even at twelve places.
    pub rate: Decimal,
    /// Lower limit, rounded down to twelve places; none if not asked for.
    pub lower_limit: Option<Decimal>,
    /// Upper limit, rounded up to twelve places, at most 1; none if not asked for.
    pub upper_limit: Option<Decimal>,
    /// Lower limit in items of the population, rounded down; exact for the hypergeometric distribution.
    pub lower_items: Option<u64>,
    /// Upper limit in items of the population, rounded up; exact for the hypergeometric distribution.
    pub upper_items: Option<u64>,
    /// The tolerable rate.
    pub tolerable: Option<Decimal>,
    /// Probability of so few deviations at the tolerable rate (p-value of "the rate lies below it"), rounded
    /// up to twelve places.
    pub p_value: Option<Decimal>,
    /// The largest confidence at which the upper limit stays below the tolerable rate, rounded down to twelve
    /// places.
    pub achieved_confidence: Option<Decimal>,
    /// What follows for the tolerable rate; none without an upper limit.
    pub conclusion: Option<Conclusion>,
    /// How the figures came about.
    pub steps: Vec<Step>,
    /// What is improbable in the input.
    pub warnings: Vec<Text>,
    /// What the method cannot find.
    pub cannot_find: Vec<Text>,
}

/// Rate of deviations and its exact limits.
///
/// With the risk `a = 1 - confidence` (half of it on either side for [`Sides::TwoSided`]), `k` deviations in
/// `n` items:
/// - binomial: upper `B(1 - a; k + 1, n - k)`, lower `B(a; k, n - k + 1)`, `B` the beta quantile
/// - Poisson: upper `G(1 - a; k + 1) / n` (at most 1), lower `G(a; k) / n`, `G` the gamma quantile
/// - hypergeometric: upper `max{K : P(X <= k) > a} / N`, lower `min{K : P(X >= k) > a} / N`
///
/// The lower limit is 0 without deviations, the upper one 1 if every item deviates (hypergeometric: where the
/// rest of the population may deviate too). The p-value is the lower tail at the tolerable rate; for the
/// hypergeometric distribution at `ceil(tolerable * N)` deviating items. Floats within 1e-12; whole numbers
/// of items are exact.
///
/// Valid for simple random samples. Binomial and Poisson are conservative for samples drawn without
/// replacement.
pub fn rate_limits(input: &RateInput) -> Result<RateResult, EvaluationError> {
    check(input)?;
    let RateInput {
        size,
        deviations,
        population,
        confidence,
        sides,
        distribution,
        tolerable,
    } = *input;
    let risk = sides.risk(confidence);
    let counts = Counts {
        size,
        deviations,
        population: population.unwrap_or(0),
    };
    let upper = (sides != Sides::Lower).then(|| counts.upper(distribution, risk));
    let lower = (sides != Sides::Upper).then(|| counts.lower(distribution, risk));
    let p_value = tolerable.map(|tolerable| counts.p_value(distribution, tolerable));
    let rate = Decimal::from(deviations) / Decimal::from(size);
    let rate = rate.round_dp(SHARE_PLACES);
    let achieved_confidence = p_value.and_then(|p| match sides {
        Sides::Upper => Some(Decimal::ONE - p),
        Sides::TwoSided => Some((Decimal::ONE - p * Decimal::TWO).max(Decimal::ZERO)),
        Sides::Lower => None,
    });
    let items = |limit: &Limit, up: bool| {
        let population = population?;
        limit.items.or_else(|| {
            let items = limit.rate * Decimal::from(population);
            u64::try_from(if up { items.ceil() } else { items.floor() }).ok()
        })
    };
    let conclusion = tolerable
        .zip(upper.as_ref())
        .map(|(tolerable, upper)| conclude(&rate, &upper.rate, &tolerable));
    Ok(RateResult {
        method: method(distribution),
        version: RATE_VERSION,
        size,
        deviations,
        population,
        confidence,
        sides,
        rate,
        lower_items: lower.as_ref().and_then(|limit| items(limit, false)),
        upper_items: upper.as_ref().and_then(|limit| items(limit, true)),
        lower_limit: lower.as_ref().map(|limit| limit.rate),
        upper_limit: upper.as_ref().map(|limit| limit.rate),
        tolerable,
        p_value,
        achieved_confidence,
        conclusion,
        steps: steps(input, rate, risk, upper.as_ref(), lower.as_ref(), p_value),
        warnings: warnings(size, deviations),
        cannot_find: vec![outside_the_population(), rate_only()],
    })
}

/// Method id by distribution.
pub(super) fn method(distribution: Distribution) -> &'static str {
    match distribution {
        Distribution::Binomial => RATE_BINOMIAL,
        Distribution::Poisson => RATE_POISSON,
        Distribution::Hypergeometric => RATE_HYPERGEOMETRIC,
    }
}

fn check(input: &RateInput) -> Result<(), EvaluationError> {
    let RateInput { size, deviations, .. } = *input;
    check_sample(input.confidence, size)?;
    if deviations > size {
        return Err(EvaluationError::DeviationsAboveSize { deviations, size });
    }
    match input.population {
        None if input.distribution == Distribution::Hypergeometric => {
            return Err(EvaluationError::PopulationMissing);
        }
        Some(population) if population < size => {
            return Err(EvaluationError::SizeAbovePopulation { size, population });
        }
        Some(size) if size > LARGEST_POPULATION => {
            let limit = LARGEST_POPULATION;
            return Err(EvaluationError::PopulationTooLarge { size, limit });
        }
        _ => {}
    }
    check_tolerable_rate(input.tolerable)
}

/// A limit as a rate, and in items where it is a whole number of them.
struct Limit {
    rate: Decimal,
    items: Option<u64>,
}

impl Limit {
    fn of_items(items: u64, population: u64, up: bool) -> Self {
        let rate = Decimal::from(items) / Decimal::from(population);
        let rounded = if up { places_up } else { places_down };
        Self {
            rate: rounded(rate, SHARE_PLACES),
            items: Some(items),
        }
    }
}

/// What was counted.
struct Counts {
    size: u64,
    deviations: u64,
    population: u64,
}

impl Counts {
    fn upper(&self, distribution: Distribution, risk: Decimal) -> Limit {
        let (n, k) = (self.size, self.deviations);
        let float_risk = decimal_to_float(risk);
        let rate = match distribution {
            Distribution::Hypergeometric => {
                let items = hypergeometric_upper(self.population, n, k, risk);
                return Limit::of_items(items, self.population, true);
            }
            Distribution::Binomial if k == n => 1.0,
            Distribution::Binomial => beta_quantile(float_risk, float(k + 1), float(n - k)),
            Distribution::Poisson => gamma_quantile(float_risk, float(k + 1)) / float(n),
        };
        Limit {
            rate: share_up(rate).min(Decimal::ONE),
            items: None,
        }
    }

    fn lower(&self, distribution: Distribution, risk: Decimal) -> Limit {
        let (n, k) = (self.size, self.deviations);
        let above = 1.0 - decimal_to_float(risk);
        let rate = match distribution {
            Distribution::Hypergeometric => {
                let items = hypergeometric_lower(self.population, n, k, risk);
                return Limit::of_items(items, self.population, false);
            }
            _ if k == 0 => 0.0,
            Distribution::Binomial => beta_quantile(above, float(k), float(n - k + 1)),
            Distribution::Poisson => gamma_quantile(above, float(k)) / float(n),
        };
        Limit {
            rate: share_down(rate),
            items: None,
        }
    }

    fn p_value(&self, distribution: Distribution, tolerable: Decimal) -> Decimal {
        let (n, k) = (self.size, self.deviations);
        let rate = decimal_to_float(tolerable);
        let p = match distribution {
            Distribution::Binomial => binomial_tails(k, n, rate).0,
            Distribution::Poisson => poisson_tails(k, float(n) * rate).0,
            Distribution::Hypergeometric => {
                hypergeometric_tails(k, self.population, self.tolerable_items(tolerable), n).0
            }
        };
        share_up(p).min(Decimal::ONE)
    }

    /// `ceil(tolerable * N)`, formed in integers.
    fn tolerable_items(&self, tolerable: Decimal) -> u64 {
        let product = BigInt::from(tolerable.mantissa()) * self.population;
        let items = divide_up(&product, &BigInt::from(10u128.pow(tolerable.scale())));
        u64::try_from(items).unwrap_or(self.population)
    }
}

/// A share rounded up to twelve places; all of it where it is no number.
fn share_up(share: f64) -> Decimal {
    up(share, SHARE_PLACES).unwrap_or(Decimal::ONE)
}

/// A share rounded down to twelve places; nothing of it where it is no number.
fn share_down(share: f64) -> Decimal {
    down(share, SHARE_PLACES).unwrap_or(Decimal::ZERO)
}

fn steps(
    input: &RateInput,
    rate: Decimal,
    risk: Decimal,
    upper: Option<&Limit>,
    lower: Option<&Limit>,
    p_value: Option<Decimal>,
) -> Vec<Step> {
    let (n, k) = (input.size, input.deviations);
    let mut steps = vec![Step::new(
        format!("Anteil der Abweichungen: {k} / {n}"),
        format!("Rate of deviations: {k} / {n}"),
        shown(rate),
    )];
    let a = shown(risk);
    steps.push(Step::new(
        format!(
            "Risiko je Grenze aus der Sicherheit {}",
            german(&shown(input.confidence))
        ),
        format!(
            "Risk of each limit from the confidence {}",
            shown(input.confidence)
        ),
        &a,
    ));
    let population = input.population.unwrap_or(0);
    if let Some(limit) = upper {
        let (de, en) = match input.distribution {
            Distribution::Binomial => (
                format!(
                    "Obergrenze p: P(X <= {k}) = {a} bei {n} Ziehungen, Beta-Quantil ({}; {}) zu 1 - {a}",
                    k + 1,
                    n - k
                ),
                format!(
                    "Upper limit p: P(X <= {k}) = {a} in {n} trials, beta quantile ({}; {}) at 1 - {a}",
                    k + 1,
                    n - k
                ),
            ),
            Distribution::Poisson => (
                format!(
                    "Obergrenze: Gamma-Quantil mit Form {} zu 1 - {a}, geteilt durch {n}, höchstens 1",
                    k + 1
                ),
                format!(
                    "Upper limit: gamma quantile of shape {} at 1 - {a}, divided by {n}, at most 1",
                    k + 1
                ),
            ),
            Distribution::Hypergeometric => (
                format!(
                    "Obergrenze: größtes K mit P(X <= {k}) > {a} bei K Abweichungen in {population}, \
                     Stichprobe {n}, geteilt durch {population}; K = {}",
                    limit.items.unwrap_or(0)
                ),
                format!(
                    "Upper limit: largest K with P(X <= {k}) > {a} for K deviations in {population}, \
                     sample {n}, divided by {population}; K = {}",
                    limit.items.unwrap_or(0)
                ),
            ),
        };
        steps.push(Step::new(german(&de), en, shown(limit.rate)));
    }
    if let Some(limit) = lower {
        let (de, en) = match input.distribution {
            _ if k == 0 => (
                "Untergrenze: keine Abweichung gefunden".to_owned(),
                "Lower limit: no deviation found".to_owned(),
            ),
            Distribution::Binomial => (
                format!(
                    "Untergrenze p: P(X >= {k}) = {a} bei {n} Ziehungen, Beta-Quantil ({k}; {}) zu {a}",
                    n - k + 1
                ),
                format!(
                    "Lower limit p: P(X >= {k}) = {a} in {n} trials, beta quantile ({k}; {}) at {a}",
                    n - k + 1
                ),
            ),
            Distribution::Poisson => (
                format!("Untergrenze: Gamma-Quantil mit Form {k} zu {a}, geteilt durch {n}"),
                format!("Lower limit: gamma quantile of shape {k} at {a}, divided by {n}"),
            ),
            Distribution::Hypergeometric => (
                format!(
                    "Untergrenze: kleinstes K mit P(X >= {k}) > {a} bei K Abweichungen in {population}, \
                     Stichprobe {n}, geteilt durch {population}; K = {}",
                    limit.items.unwrap_or(0)
                ),
                format!(
                    "Lower limit: smallest K with P(X >= {k}) > {a} for K deviations in {population}, \
                     sample {n}, divided by {population}; K = {}",
                    limit.items.unwrap_or(0)
                ),
            ),
        };
        steps.push(Step::new(german(&de), en, shown(limit.rate)));
    }
    steps.extend(
        input
            .tolerable
            .zip(p_value)
            .map(|(rate, p)| p_value_step(k, rate, p)),
    );
    steps
}

fn p_value_step(k: u64, tolerable: Decimal, p: Decimal) -> Step {
    let tolerable = shown(tolerable);
    Step::new(
        format!("p-Wert: P(X <= {k}) beim tragbaren Anteil {}", german(&tolerable)),
        format!("p-value: P(X <= {k}) at the tolerable rate {tolerable}"),
        shown(p),
    )
}

/// Counts that are more likely a mistake than a result.
pub(super) fn warnings(size: u64, deviations: u64) -> Vec<Text> {
    let mut warnings = Vec::new();
    if deviations == size && size > 1 {
        warnings.push(Text::new(
            "Jede geprüfte Position weicht ab: Sind Abweichungen und Nichtabweichungen vertauscht?",
            "Every item checked deviates: have deviations and non-deviations changed places?",
        ));
    } else if deviations > size / 2 {
        warnings.push(Text::new(
            "Mehr als die Hälfte der geprüften Positionen weicht ab: Sind Abweichungen und \
             Nichtabweichungen vertauscht?",
            "More than half of the items checked deviate: have deviations and non-deviations changed places?",
        ));
    }
    warnings
}

/// What no rate says.
pub(super) fn rate_only() -> Text {
    Text::new(
        "Wie hoch die fehlerhaften Beträge sind: Der Anteil zählt Positionen, keine Euro.",
        "How large the amounts in error are: the rate counts items, not euros.",
    )
}
