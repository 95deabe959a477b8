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

use super::result::{Bound, BoundParameters, BoundResult, Method, evaluate};
use super::sample::{Errors, MonetarySample, SAMPLE};
use crate::sampling::derivation::german_decimal as german;
use crate::sampling::derivation::{Step, Text};
use crate::sampling::evaluation::EvaluationError;
use crate::sampling::evaluation::figures::{Rounding, amount_of, shown, shown_float};
use crate::sampling::numerics::{decimal_to_float, f_quantile, float, normal_quantile};
use crate::sampling::refusal::{Located, Refused as _};

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
pub fn moment_bound(input: &MomentInput) -> Result<BoundResult, Located<EvaluationError>> {
    input.sample.check()?;
    Ok(with_large_taintings(evaluate(
        &input.sample,
        &Moment(input.population_type),
    )?))
}

/// Rohrbach's bound with augmented variance, separately for over- and understatements.
///
/// With `w = 1 - t` over all hits and `q = sum(w^2) / n`: `v = q - (2 - delta / n) / 2 * (q - var(w))`
/// (variance with `n - 1`), and the limit is `BV * (mean t + z * sqrt((1 - n / N) * v / n))`.
pub fn rohrbach_bound(input: &RohrbachInput) -> Result<BoundResult, Located<EvaluationError>> {
    input.sample.check()?;
    let size = input.sample.size;
    if size < 2 {
        return Err(EvaluationError::SizeTooSmall { size, least: 2 }.at(SAMPLE));
    }
    if input.delta <= Decimal::ZERO || input.delta > Decimal::from(size) * Decimal::TWO {
        let (field, value) = ("delta", input.delta);
        return Err(EvaluationError::Parameter { field, value }.into());
    }
    if let Some(population) = input.population
        && population < size
    {
        return Err(EvaluationError::SizeAbovePopulation { size, population }.into());
    }
    let correction = input
        .population
        .map_or(1.0, |population| 1.0 - float(size) / float(population));
    evaluate(
        &input.sample,
        &Rohrbach {
            delta: decimal_to_float(input.delta),
            correction,
            parameters: BoundParameters {
                delta: Some(input.delta),
                population: input.population,
                ..BoundParameters::default()
            },
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
pub fn cox_snell_bound(input: &CoxSnellInput) -> Result<BoundResult, Located<EvaluationError>> {
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
            return Err(EvaluationError::Parameter { field, value }.into());
        }
    }
    Ok(with_large_taintings(evaluate(
        &input.sample,
        &CoxSnell {
            a: decimal_to_float(input.prior_a),
            b: decimal_to_float(input.prior_b),
            mu: decimal_to_float(input.prior_mu),
            pi: decimal_to_float(input.prior_pi),
            parameters: BoundParameters {
                prior_a: Some(input.prior_a),
                prior_b: Some(input.prior_b),
                prior_mu: Some(input.prior_mu),
                prior_pi: Some(input.prior_pi),
                ..BoundParameters::default()
            },
        },
    )?))
}

/// These methods are made for taintings up to one.
fn with_large_taintings(mut result: BoundResult) -> BoundResult {
    let above = |warning: &Text| warning.en.contains("tainting above 1");
    if result.warnings.iter().any(above) {
        result.warnings.push(Text::new(
            "Dieses Verfahren ist für Taintings bis 1 gemacht.",
            "This method is made for taintings up to 1.",
        ));
    }
    result
}

/// A bound as a share of the book value, with its derivation.
fn bound(errors: &Errors, share: f64, mut steps: Vec<Step>) -> Result<Bound, EvaluationError> {
    let upper = amount_of(share * errors.book(), Rounding::Up)?;
    steps.push(Step::new(
        format!(
            "Obergrenze: Anteil * Buchwert = {} * {}",
            german(&shown_float(share)),
            errors.book_value
        ),
        format!(
            "Upper limit: share * book value = {} * {}",
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

/// The step of the normal quantile.
fn normal_step(risk: Decimal) -> Step {
    let confidence = shown(Decimal::ONE - risk);
    Step::new(
        format!("Quantil z der Normalverteilung zu {}", german(&confidence)),
        format!("Quantile z of the normal distribution at {confidence}"),
        shown_float(normal_quantile(decimal_to_float(risk))),
    )
}

struct Moment(MomentPopulation);

/// What the modified moment bound forms.
struct Fit {
    /// Mean tainting of the hits in error.
    mean: f64,
    /// Sums of the taintings to the powers one to three.
    sums: [f64; 3],
    hypothetical: f64,
    /// Means of the taintings, the hypothetical one among them, to these powers.
    z: [f64; 3],
    e: [f64; 3],
    u: [f64; 3],
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
        let sums = [1, 2, 3].map(|power| errors.power_sum(power));
        let [s1, s2, s3] = sums;
        let z = [
            (hypothetical + s1) / (m + 1.0),
            (hypothetical.powi(2) + s2) / (m + 1.0),
            (hypothetical.powi(3) + s3) / (m + 1.0),
        ];
        let [z1, z2, z3] = z;
        let e1 = (m + 1.0) / (n + 2.0);
        let e2 = e1 * (m + 2.0) / (n + 3.0);
        let e3 = e2 * (m + 3.0) / (n + 4.0);
        let u1 = e1 * z1;
        let u2 = (e1 * z2 + (n - 1.0) * e2 * z1 * z1) / n;
        let u3 =
            (e1 * z3 + 3.0 * (n - 1.0) * e2 * z1 * z2 + (n - 1.0) * (n - 2.0) * e3 * z1.powi(3)) / (n * n);
        Fit {
            mean,
            sums,
            hypothetical,
            z,
            e: [e1, e2, e3],
            u: [u1, u2, u3],
            c2: u2 - u1 * u1,
            c3: u3 - 3.0 * u1 * u2 + 2.0 * u1.powi(3),
        }
    }
}

impl Fit {
    /// The quantile as a share of the book value, and `A`, `B` and `G` of the gamma distribution it comes from; none where the
    /// third moment vanishes, and the distribution is the normal one.
    fn share(&self, risk: f64) -> (f64, Option<[f64; 3]>) {
        let z = normal_quantile(risk);
        let Self { c2, c3, .. } = *self;
        let u1 = self.u[0];
        if c3.abs() < 1e-9 * c2.powf(1.5) {
            return ((u1 + z * c2.sqrt()).max(0.0), None);
        }
        let a = 4.0 * c2.powi(3) / (c3 * c3);
        let b = c3 / (2.0 * c2);
        let g = u1 - 2.0 * c2 * c2 / c3;
        let root = 1.0 + z.copysign(z * c3) / (9.0 * a).sqrt() - 1.0 / (9.0 * a);
        ((g + a * b * root.powi(3)).max(0.0), Some([a, b, g]))
    }

    /// The moments, each from the figures before it.
    fn steps(&self, population: MomentPopulation, m: u64, n: u64) -> Vec<Step> {
        let [s1, s2, s3] = self.sums.map(shown_float);
        let [z1, z2, z3] = self.z.map(shown_float);
        let [e1, e2, e3] = self.e.map(shown_float);
        let [u1, u2, u3] = self.u.map(shown_float);
        let (mean, t) = (shown_float(self.mean), shown_float(self.hypothetical));
        let last = match population {
            MomentPopulation::Accounts => format!(" * (1 + 0.667 * tanh({m} / 10))"),
            MomentPopulation::Inventory => String::new(),
        };
        let formula = |name: &str, figures: String, value: f64| {
            Step::new(
                german(&format!("{name} = {figures}")),
                format!("{name} = {figures}"),
                shown_float(value),
            )
        };
        let told = |de: &str, en: &str, figures: String, value: f64| {
            Step::new(
                format!("{de} = {}", german(&figures)),
                format!("{en} = {figures}"),
                shown_float(value),
            )
        };
        vec![
            told(
                "Mittleres Tainting der fehlerhaften Treffer: Summe t / m",
                "Mean tainting of the hits in error: sum of t / m",
                if m == 0 {
                    "0".to_owned()
                } else {
                    format!("{s1} / {m}")
                },
                self.mean,
            ),
            told(
                "Hypothetisches Tainting t*",
                "Hypothetical tainting t*",
                format!("0.81 * (1 - 0.667 * tanh(10 * {mean})){last}"),
                self.hypothetical,
            ),
            formula(
                "z1 = (t* + Σ t) / (m + 1)",
                format!("({t} + {s1}) / ({m} + 1)"),
                self.z[0],
            ),
            formula(
                "z2 = (t*² + Σ t²) / (m + 1)",
                format!("({t}² + {s2}) / ({m} + 1)"),
                self.z[1],
            ),
            formula(
                "z3 = (t*³ + Σ t³) / (m + 1)",
                format!("({t}³ + {s3}) / ({m} + 1)"),
                self.z[2],
            ),
            formula(
                "e1 = (m + 1) / (n + 2)",
                format!("({m} + 1) / ({n} + 2)"),
                self.e[0],
            ),
            formula(
                "e2 = e1 * (m + 2) / (n + 3)",
                format!("{e1} * ({m} + 2) / ({n} + 3)"),
                self.e[1],
            ),
            formula(
                "e3 = e2 * (m + 3) / (n + 4)",
                format!("{e2} * ({m} + 3) / ({n} + 4)"),
                self.e[2],
            ),
            formula("u1 = e1 * z1", format!("{e1} * {z1}"), self.u[0]),
            formula(
                "u2 = (e1 * z2 + (n - 1) * e2 * z1²) / n",
                format!("({e1} * {z2} + ({n} - 1) * {e2} * {z1}²) / {n}"),
                self.u[1],
            ),
            formula(
                "u3 = (e1 * z3 + 3 * (n - 1) * e2 * z1 * z2 + (n - 1) * (n - 2) * e3 * z1³) / n²",
                format!(
                    "({e1} * {z3} + 3 * ({n} - 1) * {e2} * {z1} * {z2} + ({n} - 1) * ({n} - 2) * {e3} * {z1}³) / {n}²"
                ),
                self.u[2],
            ),
            formula("c2 = u2 - u1²", format!("{u2} - {u1}²"), self.c2),
            formula(
                "c3 = u3 - 3 * u1 * u2 + 2 * u1³",
                format!("{u3} - 3 * {u1} * {u2} + 2 * {u1}³"),
                self.c3,
            ),
        ]
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
        let mut steps = fit.steps(self.0, errors.hits, errors.size);
        steps.push(normal_step(risk));
        let risk = decimal_to_float(risk);
        let (share, gamma) = fit.share(risk);
        let z = shown_float(normal_quantile(risk));
        let [u1, c2, c3] = [fit.u[0], fit.c2, fit.c3].map(shown_float);
        let mut formula = |name: &str, figures: String, value: f64| {
            let text = format!("{name} = {figures}");
            steps.push(Step::new(german(&text), text, shown_float(value)));
        };
        match gamma {
            None => formula("u1 + z * √c2", format!("{u1} + {z} * √{c2}"), share),
            Some(gamma) => {
                let [a, b, g] = gamma.map(shown_float);
                formula("A = 4 * c2³ / c3²", format!("4 * {c2}³ / {c3}²"), gamma[0]);
                formula("B = c3 / (2 * c2)", format!("{c3} / (2 * {c2})"), gamma[1]);
                formula(
                    "G = u1 - 2 * c2² / c3",
                    format!("{u1} - 2 * {c2}² / {c3}"),
                    gamma[2],
                );
                formula(
                    "G + A * B * (1 + z / √(9 * A) - 1 / (9 * A))³",
                    format!("{g} + {a} * {b} * (1 + {z} / √(9 * {a}) - 1 / (9 * {a}))³"),
                    share,
                );
            }
        }
        bound(errors, share, steps)
    }

    fn limit(&self, errors: &Errors, _other: &Errors, risk: Decimal) -> Option<f64> {
        Some(self.fit(errors).share(decimal_to_float(risk)).0 * errors.book())
    }
}

struct Rohrbach {
    delta: f64,
    correction: f64,
    parameters: BoundParameters,
}

impl Rohrbach {
    /// Mean tainting; mean square and variance of `w = 1 - t`; augmented variance.
    fn moments(&self, errors: &Errors) -> [f64; 4] {
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
        [mean, w_square, variance, augmented.max(0.0)]
    }

    fn share(&self, errors: &Errors, risk: f64) -> f64 {
        let [mean, .., variance] = self.moments(errors);
        (mean + normal_quantile(risk) * (self.correction * variance / float(errors.size)).sqrt()).max(0.0)
    }
}

impl Method for Rohrbach {
    fn id(&self) -> &'static str {
        ROHRBACH
    }

    fn parameters(&self) -> Option<BoundParameters> {
        Some(self.parameters)
    }

    fn version(&self) -> &'static str {
        MOMENTS_VERSION
    }

    fn bound(&self, errors: &Errors, _other: &Errors, risk: Decimal) -> Result<Bound, EvaluationError> {
        let [mean, w_square, variance, augmented] = self.moments(errors);
        let share = self.share(errors, decimal_to_float(risk));
        let size = errors.size;
        let [delta, correction, sum, squares] = [
            self.delta,
            self.correction,
            errors.power_sum(1),
            errors.power_sum(2),
        ]
        .map(shown_float);
        let [mean_shown, square_shown, variance_shown, v] =
            [mean, w_square, variance, augmented].map(shown_float);
        let z = shown_float(normal_quantile(decimal_to_float(risk)));
        let told = |de: &str, en: &str, figures: String, value: f64| {
            Step::new(
                format!("{de} = {}", german(&figures)),
                format!("{en} = {figures}"),
                shown_float(value),
            )
        };
        let steps = vec![
            told(
                "Mittleres Tainting aller Treffer: Summe t / n",
                "Mean tainting of all hits: sum of t / n",
                format!("{sum} / {size}"),
                mean,
            ),
            told(
                "Mittleres Quadrat q von w = 1 - t: 1 - 2 * Mittelwert + Summe t² / n",
                "Mean square q of w = 1 - t: 1 - 2 * mean + sum of t² / n",
                format!("1 - 2 * {mean_shown} + {squares} / {size}"),
                w_square,
            ),
            told(
                "Varianz s² von w: (Summe t² - n * Mittelwert²) / (n - 1)",
                "Variance s² of w: (sum of t² - n * mean²) / (n - 1)",
                format!("({squares} - {size} * {mean_shown}²) / ({size} - 1)"),
                variance,
            ),
            told(
                "Vergrößerte Varianz v = q - (2 - delta / n) / 2 * (q - s²)",
                "Augmented variance v = q - (2 - delta / n) / 2 * (q - s²)",
                format!("{square_shown} - (2 - {delta} / {size}) / 2 * ({square_shown} - {variance_shown})"),
                augmented,
            ),
            normal_step(risk),
            told(
                "Anteil: Mittelwert + z * √((1 - n/N) * v / n)",
                "Share: mean + z * √((1 - n/N) * v / n)",
                format!("{mean_shown} + {z} * √({correction} * {v} / {size})"),
                share,
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
    parameters: BoundParameters,
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

    fn parameters(&self) -> Option<BoundParameters> {
        Some(self.parameters)
    }

    fn version(&self) -> &'static str {
        MOMENTS_VERSION
    }

    fn bound(&self, errors: &Errors, _other: &Errors, risk: Decimal) -> Result<Bound, EvaluationError> {
        let (factor, quantile) = (self.factor(errors), self.quantile(errors, decimal_to_float(risk)));
        let (m, n) = (errors.hits, errors.size);
        let [a, b, mu, pi] = [self.a, self.b, self.mu, self.pi].map(shown_float);
        let sum = shown_float(errors.power_sum(1));
        let figures = format!("({m} + {a}) / ({m} + {b}) * ({mu} * ({b} - 1) + {sum}) / ({n} + {a} / {pi})");
        let (degrees, others) = (2.0 * (float(m) + self.a), 2.0 * (float(m) + self.b));
        let (degrees, others) = (shown_float(degrees), shown_float(others));
        let confidence = shown(Decimal::ONE - risk);
        let product = format!("{} * {}", shown_float(factor), shown_float(quantile));
        let steps = vec![
            Step::new(
                format!(
                    "Faktor: (m + a) / (m + b) * (mu * (b - 1) + Summe t) / (n + a / pi) = {}",
                    german(&figures)
                ),
                format!("Factor: (m + a) / (m + b) * (mu * (b - 1) + sum of t) / (n + a / pi) = {figures}"),
                shown_float(factor),
            ),
            Step::new(
                german(&format!(
                    "Quantil der F-Verteilung mit 2 * (m + a) = {degrees} und 2 * (m + b) = {others} Freiheitsgraden zu {confidence}"
                )),
                format!(
                    "Quantile of the F distribution with 2 * (m + a) = {degrees} and 2 * (m + b) = {others} degrees of freedom at \
                     {confidence}"
                ),
                shown_float(quantile),
            ),
            Step::new(
                format!("Anteil: Faktor * Quantil = {}", german(&product)),
                format!("Share: factor * quantile = {product}"),
                shown_float(factor * quantile),
            ),
        ];
        bound(errors, factor * quantile, steps)
    }

    fn limit(&self, errors: &Errors, _other: &Errors, risk: Decimal) -> Option<f64> {
        let quantile = self.quantile(errors, decimal_to_float(risk));
        Some(self.factor(errors) * quantile * errors.book())
    }
}
