//! What the estimators of amounts are given.

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::{Sides, monetary::Unit};

/// The estimator of the total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Estimator {
    /// Mean audited value times the number of units; book values play no part.
    MeanPerUnit,
    /// Mean difference between book and audited value times the number of units.
    Difference,
    /// Book value of the population times the ratio of the sums.
    Ratio,
    /// Mean per unit, corrected by the slope of audited on book values.
    Regression,
}

/// How ratio and regression estimates of several strata become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schemars(rename = "EstimatorCombination")]
pub enum Combination {
    /// A ratio or slope of its own for each stratum.
    Separate,
    /// One ratio or slope over all strata.
    Combined,
}

/// The distribution of the limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum QuantileChoice {
    /// Student's t with `n - 1` degrees of freedom; for strata with Satterthwaite's number of them.
    StudentT,
    /// The normal distribution.
    Normal,
}

/// The factor for samples that are a noticeable part of the population.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FiniteCorrection {
    /// None: as if drawn with replacement.
    None,
    /// `sqrt((N - n) / N)`, the unbiased one with the divisor `n - 1` of the variance (Cochran 1977, 2.6).
    Population,
    /// `sqrt((N - n) / (N - 1))`, as in many textbooks.
    PopulationLessOne,
}

/// What happens where a stratum has few units in error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FewErrors {
    /// Nothing.
    None,
    /// The rules of the software IDEA: three to nine units in error enlarge the variance with the upper limit of their
    /// rate, fewer are replaced by the variance of the audited values; below 20 in all, they are the degrees of freedom.
    Idea,
}

/// What was drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SamplingUnit {
    /// The items themselves.
    Item,
    /// Clusters, such as decisions with several lines: the sums of a cluster are the unit, and the numbers of the
    /// population are numbers of clusters.
    Cluster,
}

/// A checked item.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VariablesItem {
    /// Id of the item; must not repeat within the sample.
    #[serde(default)]
    pub id: Option<String>,
    /// Cluster to which it belongs; given if and only if clusters were drawn.
    #[serde(default)]
    pub cluster: Option<String>,
    /// Book value, whole units.
    pub book_value: i64,
    /// Audited (correct) value, whole units.
    pub audit_value: i64,
}

/// A stratum with its part of the sample, drawn with equal probabilities and without replacement.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VariablesStratum {
    /// Name; must not repeat.
    pub name: String,
    /// Units in the population.
    pub population: u64,
    /// Their book value.
    pub book_value: i64,
    /// What was checked, with and without errors.
    pub items: Vec<VariablesItem>,
}

/// A sample to be projected by an estimator of amounts.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VariablesInput {
    /// The estimator.
    pub estimator: Estimator,
    /// How strata are put together; needed for ratio and regression with two or more strata.
    #[serde(default)]
    pub combination: Option<Combination>,
    /// What the amounts count.
    pub unit: Unit,
    /// Confidence of the limits.
    pub confidence: Decimal,
    /// Sides of the misstatement on which there is a limit.
    pub sides: Sides,
    /// Distribution of the limits.
    pub quantile: QuantileChoice,
    /// Finite population factor.
    pub finite_correction: FiniteCorrection,
    /// Rule for few errors.
    pub few_errors: FewErrors,
    /// What was drawn.
    pub sampling_unit: SamplingUnit,
    /// The strata; one for an unstratified sample.
    pub strata: Vec<VariablesStratum>,
    /// Tolerable misstatement, for a conclusion.
    #[serde(default)]
    pub tolerable: Option<i64>,
}
