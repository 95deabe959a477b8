//! Bounds from moments of the taintings: modified moment, Rohrbach's augmented variance, Cox and Snell.
//!
//! Floats throughout; limits are within 1e-10 of their size, then rounded up to six places.
//!
//! Sources: L. Dworin, R. Grimlund 1984 (Dollar Unit Sampling for Accounts Receivable and Inventory); K.
//! Rohrbach 1993 (Variance Augmentation to Achieve Nominal Coverage Probability in Sampling from Audit
//! Populations); D. Cox, E. Snell 1979 (On Sampling and the Estimation of Rare Errors).

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::result::{Bound, BoundResult, Method, evaluate};
use super::sample::{Errors, MonetarySample};
use crate::sampling::derivation::{Step, Text};
use crate::sampling::evaluation::EvaluationError;
use crate::sampling::evaluation::figures::{Rounding, amount_of, shown, shown_float};
use crate::sampling::numerics::{decimal_to_float, f_quantile, float, normal_quantile};

/// Version of [`moment_bound`], [`rohrbach_bound`] and [`cox_snell_bound`].
pub const MOMENTS_VERSION: &str = "1";
/// Method of [`moment_bound`] with [`MomentPopulation::Accounts`].
pub const MOMENT_ACCOUNTS: &str = "modified-moment-accounts";
/// Method of [`moment_bound`] with [`MomentPopulation::Inventory`].
pub const MOMENT_INVENTORY: &str = "modified-moment-inventory";
/// Method of [`rohrbach_bound`].
pub const ROHRBACH: &str = "rohrbach";
/// Method of [`cox_snell_bound`].
pub const COX_SNELL: &str = "cox-snell";

/// Which hypothetical tainting the modified moment bound takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum MomentPopulation {
    /// Accounts receivable and payments: `0.81 (1 - 0.667 tanh(10 mean)) (1 + 0.667 tanh(m / 10))`.
    Accounts,
    /// Inventories: without the last factor.
    Inventory,
}

/// A sample to be evaluated by the modified moment bound.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MomentInput {
    /// The checked sample.
    pub sample: MonetarySample,
    /// Kind of population.
    pub population_type: MomentPopulation,
}

/// A sample to be evaluated by Rohrbach's bound.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RohrbachInput {
    /// The checked sample, of at least two hits.
    pub sample: MonetarySample,
    /// Factor of the augmentation, above 0 and up to twice the size; Rohrbach takes 2.7.
    pub delta: Decimal,
    /// Sampling units of the population for the finite correction `1 - n / N`; no correction if not given.
    pub population: Option<u64>,
}

/// A sample to be evaluated by the bound of Cox and Snell.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CoxSnellInput {
    /// The checked sample.
    pub sample: MonetarySample,
    /// Prior: shape of the error rate, positive; usually 1.
    pub prior_a: Decimal,
    /// Prior: shape of the mean tainting, above 1; usually 3.
    pub prior_b: Decimal,
    /// Prior: expected mean tainting, above 0 and up to 1; usually 0.5.
    pub prior_mu: Decimal,
    /// Prior: expected error rate, above 0 and up to 1; usually 0.5.
    pub prior_pi: Decimal,
}

/// Modified moment bound, separately for over- and understatements.
///
/// The distribution of the total is fitted by a three-parameter gamma distribution over its first three
/// moments, after a hypothetical tainting is added to the `m` ones found (divisor `m + 1`). Where errors are
/// so many that the third central moment is negative, the gamma distribution is mirrored; where it vanishes,
/// the normal distribution takes its place. Limits are at least 0.
pub fn moment_bound(input: &MomentInput) -> Result<BoundResult, EvaluationError> {
    input.sample.check()?;
    with_large_taintings(evaluate(&input.sample, &Moment(input.population_type))?)
}

/// Rohrbach's bound with augmented variance, separately for over- and understatements.
///
/// With `w = 1 - t` over all hits and `q = sum(w^2) / n`: `v = q - (2 - delta / n) / 2 * (q - var(w))`
/// (variance with `n - 1`), and the limit is `BV * (mean t + z * sqrt((1 - n / N) * v / n))`.
pub fn rohrbach_bound(input: &RohrbachInput) -> Result<BoundResult, EvaluationError> {
    input.sample.check()?;
    let size = input.sample.size;
    if size < 2 {
        return Err(EvaluationError::SizeTooSmall { size, least: 2 });
    }
    if input.delta <= Decimal::ZERO || input.delta > Decimal::from(size) * Decimal::TWO {
        let (field, value) = ("delta", input.delta);
        return Err(EvaluationError::Parameter { field, value });
    }
    if let Some(population) = input.population
        && population < size
    {
        return Err(EvaluationError::SizeAbovePopulation { size, population });
    }
    let correction = input
        .population
        .map_or(1.0, |population| 1.0 - float(size) / float(population));
    evaluate(
        &input.sample,
        &Rohrbach {
            delta: decimal_to_float(input.delta),
            correction,
        },
    )
}

/// Bound of Cox and Snell, a Bayesian one, separately for over- and understatements.
///
/// With `m` taintings of mean `t` in `n` hits and the prior `a, b, mu, pi`, the limit is
/// `BV * (m + a) / (m + b) * (mu (b - 1) + m t) / (n + a / pi) * F`.
///
/// `F` is the quantile of the F distribution with `2 (m + a)` and `2 (m + b)` degrees of freedom. The result depends
/// on the prior, which is part of the input.
pub fn cox_snell_bound(input: &CoxSnellInput) -> Result<BoundResult, EvaluationError> {
    input.sample.check()?;
    let largest = Decimal::from(1_000_000);
    let limits = [
        ("priorA", input.prior_a, Decimal::ZERO, largest),
        ("priorB", input.prior_b, Decimal::ONE, largest),
        ("priorMu", input.prior_mu, Decimal::ZERO, Decimal::ONE),
        ("priorPi", input.prior_pi, Decimal::ZERO, Decimal::ONE),
    ];
    for (field, value, low, high) in limits {
        if value <= low || value > high {
            return Err(EvaluationError::Parameter { field, value });
        }
    }
    with_large_taintings(evaluate(
        &input.sample,
        &CoxSnell {
            a: decimal_to_float(input.prior_a),
            b: decimal_to_float(input.prior_b),
            mu: decimal_to_float(input.prior_mu),
            pi: decimal_to_float(input.prior_pi),
        },
    )?)
}

/// These methods are made for taintings up to one.
#[expect(clippy::unnecessary_wraps, reason = "closes a chain of results")]
fn with_large_taintings(mut result: BoundResult) -> Result<BoundResult, EvaluationError> {
    let above = |warning: &Text| warning.en.contains("tainting above 1");
    if result.warnings.iter().any(above) {
        result.warnings.push(Text::new(
            "Dieses Verfahren ist für Taintings bis 1 gemacht.",
            "This method is made for taintings up to 1.",
        ));
    }
    Ok(result)
}

/// A bound as a share of the book value, with its derivation.
fn bound(errors: &Errors, share: f64, mut steps: Vec<Step>) -> Result<Bound, EvaluationError> {
    let upper = amount_of(share * errors.book(), Rounding::Up)?;
    steps.push(Step::new(
        format!(
            "Obergrenze: {} * Buchwert {}",
            shown_float(share),
            errors.book_value
        ),
        format!(
            "Upper limit: {} * book value {}",
            shown_float(share),
            errors.book_value
        ),
        shown(upper),
    ));
    Ok(Bound {
        basic_precision: None,
        upper_limit: Some(upper),
        steps,
    })
}

struct Moment(MomentPopulation);

/// What the modified moment bound forms.
struct Fit {
    hypothetical: f64,
    u1: f64,
    c2: f64,
    c3: f64,
}

impl Moment {
    fn fit(&self, errors: &Errors) -> Fit {
        let (n, m) = (float(errors.size), float(errors.hits));
        let mean = if errors.hits == 0 {
            0.0
        } else {
            errors.power_sum(1) / m
        };
        let usual = 0.81 * (1.0 - 0.667 * (10.0 * mean).tanh());
        let hypothetical = match self.0 {
            MomentPopulation::Accounts => usual * (1.0 + 0.667 * (m / 10.0).tanh()),
            MomentPopulation::Inventory => usual,
        };
        let z = |j: i32| (hypothetical.powi(j) + errors.power_sum(j)) / (m + 1.0);
        let (z1, z2, z3) = (z(1), z(2), z(3));
        let e1 = (m + 1.0) / (n + 2.0);
        let e2 = e1 * (m + 2.0) / (n + 3.0);
        let e3 = e2 * (m + 3.0) / (n + 4.0);
        let u1 = e1 * z1;
        let u2 = (e1 * z2 + (n - 1.0) * e2 * z1 * z1) / n;
        let u3 =
            (e1 * z3 + 3.0 * (n - 1.0) * e2 * z1 * z2 + (n - 1.0) * (n - 2.0) * e3 * z1.powi(3)) / (n * n);
        Fit {
            hypothetical,
            u1,
            c2: u2 - u1 * u1,
            c3: u3 - 3.0 * u1 * u2 + 2.0 * u1.powi(3),
        }
    }
}

impl Fit {
    /// The quantile as a share of the book value.
    fn share(&self, risk: f64) -> f64 {
        let z = normal_quantile(risk);
        let Self { u1, c2, c3, .. } = *self;
        if c3.abs() < 1e-9 * c2.powf(1.5) {
            return (u1 + z * c2.sqrt()).max(0.0);
        }
        let a = 4.0 * c2.powi(3) / (c3 * c3);
        let b = c3 / (2.0 * c2);
        let g = u1 - 2.0 * c2 * c2 / c3;
        let root = 1.0 + z.copysign(z * c3) / (9.0 * a).sqrt() - 1.0 / (9.0 * a);
        (g + a * b * root.powi(3)).max(0.0)
    }
}

impl Method for Moment {
    fn id(&self) -> &'static str {
        match self.0 {
            MomentPopulation::Accounts => MOMENT_ACCOUNTS,
            MomentPopulation::Inventory => MOMENT_INVENTORY,
        }
    }

    fn version(&self) -> &'static str {
        MOMENTS_VERSION
    }

    fn bound(&self, errors: &Errors, _other: &Errors, risk: Decimal) -> Result<Bound, EvaluationError> {
        let fit = self.fit(errors);
        let risk = decimal_to_float(risk);
        let step = |de: &str, en: &str, value: f64| Step::new(de, en, shown_float(value));
        let steps = vec![
            step(
                "Hypothetisches Tainting t*",
                "Hypothetical tainting t*",
                fit.hypothetical,
            ),
            step(
                "Erstes Moment u1 = (m + 1) / (n + 2) * (t* + Summe t) / (m + 1)",
                "First moment u1 = (m + 1) / (n + 2) * (t* + sum of t) / (m + 1)",
                fit.u1,
            ),
            step("Zweites zentrales Moment c2", "Second central moment c2", fit.c2),
            step("Drittes zentrales Moment c3", "Third central moment c3", fit.c3),
            step(
                "Quantil z der Normalverteilung",
                "Quantile z of the normal distribution",
                normal_quantile(risk),
            ),
            step(
                "Anteil: G + A * B * (1 + z / Wurzel(9A) - 1 / (9A))³ mit A = 4 c2³ / c3², B = c3 / (2 \
                 c2), G = u1 - 2 c2² / c3",
                "Share: G + A * B * (1 + z / root(9A) - 1 / (9A))^3 with A = 4 c2^3 / c3^2, B = c3 / (2 \
                 c2), G = u1 - 2 c2^2 / c3",
                fit.share(risk),
            ),
        ];
        bound(errors, fit.share(risk), steps)
    }

    fn limit(&self, errors: &Errors, _other: &Errors, risk: Decimal) -> Option<f64> {
        Some(self.fit(errors).share(decimal_to_float(risk)) * errors.book())
    }
}

struct Rohrbach {
    delta: f64,
    correction: f64,
}

impl Rohrbach {
    /// Mean tainting and augmented variance.
    fn moments(&self, errors: &Errors) -> (f64, f64) {
        let n = float(errors.size);
        let mean = errors.power_sum(1) / n;
        let square = errors.power_sum(2) / n;
        // of w = 1 - t
        let w_square = 1.0 - 2.0 * mean + square;
        let deviations: f64 = errors
            .groups
            .iter()
            .map(|group| float(group.hits) * (group.rounded - mean).powi(2))
            .sum();
        let variance = (deviations + (n - float(errors.hits)) * mean * mean) / (n - 1.0);
        let augmented = w_square - 0.5 * (2.0 - self.delta / n) * (w_square - variance);
        (mean, augmented.max(0.0))
    }

    fn share(&self, errors: &Errors, risk: f64) -> f64 {
        let (mean, variance) = self.moments(errors);
        (mean + normal_quantile(risk) * (self.correction * variance / float(errors.size)).sqrt()).max(0.0)
    }
}

impl Method for Rohrbach {
    fn id(&self) -> &'static str {
        ROHRBACH
    }

    fn version(&self) -> &'static str {
        MOMENTS_VERSION
    }

    fn bound(&self, errors: &Errors, _other: &Errors, risk: Decimal) -> Result<Bound, EvaluationError> {
        let (mean, variance) = self.moments(errors);
        let risk = decimal_to_float(risk);
        let share = self.share(errors, risk);
        let n = errors.size;
        let delta = shown_float(self.delta);
        let correction = shown_float(self.correction);
        let steps = vec![
            Step::new(
                format!("Mittleres Tainting aller {n} Treffer"),
                format!("Mean tainting of all {n} hits"),
                shown_float(mean),
            ),
            Step::new(
                format!(
                    "Vergrößerte Varianz v = q - (2 - {delta} / {n}) / 2 * (q - Varianz von w), w = 1 - \
                     t, q = Summe w² / {n}"
                ),
                format!(
                    "Augmented variance v = q - (2 - {delta} / {n}) / 2 * (q - variance of w), w = 1 - \
                     t, q = sum of w^2 / {n}"
                ),
                shown_float(variance),
            ),
            Step::new(
                "Quantil z der Normalverteilung",
                "Quantile z of the normal distribution",
                shown_float(normal_quantile(risk)),
            ),
            Step::new(
                format!("Anteil: mittleres Tainting + z * Wurzel({correction} * v / {n})"),
                format!("Share: mean tainting + z * root({correction} * v / {n})"),
                shown_float(share),
            ),
        ];
        bound(errors, share, steps)
    }

    fn limit(&self, errors: &Errors, _other: &Errors, risk: Decimal) -> Option<f64> {
        Some(self.share(errors, decimal_to_float(risk)) * errors.book())
    }
}

struct CoxSnell {
    a: f64,
    b: f64,
    mu: f64,
    pi: f64,
}

impl CoxSnell {
    fn factor(&self, errors: &Errors) -> f64 {
        let m = float(errors.hits);
        let taintings = self.mu * (self.b - 1.0) + errors.power_sum(1);
        (m + self.a) / (m + self.b) * taintings / (float(errors.size) + self.a / self.pi)
    }

    fn quantile(&self, errors: &Errors, risk: f64) -> f64 {
        let m = float(errors.hits);
        f_quantile(risk, 2.0 * (m + self.a), 2.0 * (m + self.b))
    }
}

impl Method for CoxSnell {
    fn id(&self) -> &'static str {
        COX_SNELL
    }

    fn version(&self) -> &'static str {
        MOMENTS_VERSION
    }

    fn bound(&self, errors: &Errors, _other: &Errors, risk: Decimal) -> Result<Bound, EvaluationError> {
        let (factor, quantile) = (self.factor(errors), self.quantile(errors, decimal_to_float(risk)));
        let (m, n) = (errors.hits, errors.size);
        let [a, b, mu, pi] = [self.a, self.b, self.mu, self.pi].map(shown_float);
        let steps = vec![
            Step::new(
                format!(
                    "Faktor: ({m} + {a}) / ({m} + {b}) * ({mu} * ({b} - 1) + Summe t) / ({n} + {a} / {pi})"
                ),
                format!(
                    "Factor: ({m} + {a}) / ({m} + {b}) * ({mu} * ({b} - 1) + sum of t) / ({n} + {a} / {pi})"
                ),
                shown_float(factor),
            ),
            Step::new(
                format!("Quantil der F-Verteilung mit 2 * ({m} + {a}) und 2 * ({m} + {b}) Freiheitsgraden"),
                format!(
                    "Quantile of the F distribution with 2 * ({m} + {a}) and 2 * ({m} + {b}) degrees of \
                     freedom"
                ),
                shown_float(quantile),
            ),
        ];
        bound(errors, factor * quantile, steps)
    }

    fn limit(&self, errors: &Errors, _other: &Errors, risk: Decimal) -> Option<f64> {
        let quantile = self.quantile(errors, decimal_to_float(risk));
        Some(self.factor(errors) * quantile * errors.book())
    }
}
