//! What the methods of the guidance are given.

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::{errors::KnownError, monetary::Unit};
use crate::sampling::guidance::FactorProfile;

/// A method of the guidance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EcMethod {
    /// Simple random sampling, mean per unit (6.1).
    MeanPerUnit,
    /// Simple random sampling, ratio (6.1; appendix 1, 2.3).
    Ratio,
    /// Difference estimation (6.2).
    Difference,
    /// Monetary unit sampling, standard approach (6.3.1 to 6.3.4).
    MusStandard,
    /// Monetary unit sampling, ratio in the presence of systemic errors (appendix 1, 4.2).
    MusRatio,
    /// Monetary unit sampling, conservative approach (6.3.5).
    MusConservative,
    /// Not statistical, equal probabilities, mean per unit (6.4.5).
    NonStatisticalMeanPerUnit,
    /// Not statistical, equal probabilities, ratio (6.4.5).
    NonStatisticalRatio,
    /// Not statistical, probabilities by size (6.4.5).
    NonStatisticalPps,
}

impl EcMethod {
    /// Method id.
    pub fn id(self) -> &'static str {
        match self {
            Self::MeanPerUnit => "ec-mean-per-unit",
            Self::Ratio => "ec-ratio",
            Self::Difference => "ec-difference",
            Self::MusStandard => "ec-mus-standard",
            Self::MusRatio => "ec-mus-ratio",
            Self::MusConservative => "ec-mus-conservative",
            Self::NonStatisticalMeanPerUnit => "ec-non-statistical-mean-per-unit",
            Self::NonStatisticalRatio => "ec-non-statistical-ratio",
            Self::NonStatisticalPps => "ec-non-statistical-pps",
        }
    }

    /// Whether there is a precision.
    pub fn is_statistical(self) -> bool {
        !matches!(
            self,
            Self::NonStatisticalMeanPerUnit | Self::NonStatisticalRatio | Self::NonStatisticalPps
        )
    }

    /// Whether items were drawn by size, so that they have hits and book values above zero.
    pub(super) fn by_size(self) -> bool {
        matches!(
            self,
            Self::MusStandard | Self::MusRatio | Self::MusConservative | Self::NonStatisticalPps
        )
    }

    /// Whether the projection is to the number of items.
    pub(super) fn by_count(self) -> bool {
        matches!(
            self,
            Self::MeanPerUnit | Self::Difference | Self::NonStatisticalMeanPerUnit
        )
    }

    /// Whether the projection is by the ratio of two sums.
    pub(super) fn by_ratio(self) -> bool {
        matches!(self, Self::Ratio | Self::MusRatio | Self::NonStatisticalRatio)
    }
}

/// What happens to errors below zero (audited above booked).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Understatements {
    /// They count as no error in the projection; the result says how many there are and of what sum.
    SetAside,
    /// They are projected with their sign and lower the projected error.
    Net,
}

/// How the error of a unit is projected from its sub-items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SubsampleEstimator {
    /// Equal probabilities, number of sub-items by mean error.
    MeanPerUnit,
    /// Equal probabilities, book value by ratio of the sums.
    Ratio,
    /// Probabilities by size, book value by mean tainting.
    Pps,
}

/// A sub-item, such as a payment claim of an operation or a month of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SubItem {
    /// Book value.
    pub book_value: i64,
    /// Audited value.
    pub audit_value: i64,
}

/// The sub-items of a unit that was checked in part (two stages, 7.6). Their projected error, rounded half to even to a whole
/// unit, becomes the error of the item; the precision is that of a single stage (7.6.4).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Subsample {
    /// How the error of the unit is projected.
    pub estimator: SubsampleEstimator,
    /// Book value of the part of the unit from which sub-items were drawn.
    pub book_value: i64,
    /// Sub-items of that part; needed for mean per unit.
    #[serde(default)]
    pub population: Option<u64>,
    /// Checked sub-items.
    pub items: Vec<SubItem>,
    /// Sub-items that were all checked, beside that part (such as the lead partner's).
    #[serde(default)]
    pub exhaustive: Vec<SubItem>,
}

/// A checked item.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EcItem {
    /// Id of the item; must not repeat within the sample.
    #[serde(default)]
    pub id: Option<String>,
    /// Book value.
    pub book_value: i64,
    /// Audited value; not given if and only if there is a sub-sample.
    #[serde(default)]
    pub audit_value: Option<i64>,
    /// Sub-sample from which the error of the item is projected.
    #[serde(default)]
    pub subsample: Option<Subsample>,
    /// How often the item was hit, by methods that draw by size; 1 if not given. Each hit counts.
    #[serde(default)]
    pub hits: Option<u64>,
    /// Part of the error that is systemic and delimited; it is not projected.
    #[serde(default)]
    pub systemic_error: i64,
    /// Part of the error that is anomalous; it is not projected.
    #[serde(default)]
    pub anomalous_error: i64,
}

/// The sums of a sample, in place of its items.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EcSummary {
    /// Items checked, or hits for methods that draw by size.
    pub size: u64,
    /// Sum of the random errors; for methods that draw by size, sum of error by book value.
    pub error_sum: Decimal,
    /// For ratios: sum of the book values less their systemic errors; for the MUS ratio of `book value less systemic error by
    /// book value`.
    #[serde(default)]
    pub book_sum: Option<Decimal>,
    /// Standard deviation (`n - 1`) of the errors, of `q` for ratios, of the error rates for methods that draw by size; needed
    /// for statistical methods.
    #[serde(default)]
    pub standard_deviation: Option<Decimal>,
}

/// The sums of the items that were all checked, in place of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExhaustiveSummary {
    /// Items.
    pub items: u64,
    /// Their book value.
    pub book_value: i64,
    /// Sum of their random errors.
    pub error_sum: i64,
}

/// What was taken out of the population or could not be checked (7.10), to which the result is extended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Excluded {
    /// Book value taken out of the part from which was drawn.
    pub book_value: i64,
    /// Items taken out of it.
    pub items: u64,
    /// Book value taken out of the exhaustive part.
    pub exhaustive_book_value: i64,
    /// Items taken out of it.
    pub exhaustive_items: u64,
}

/// A stratum with its part of the sample.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EcStratum {
    /// Name; must not repeat within a period.
    pub name: String,
    /// Period in which it was drawn; strata of a period have one precision, the periods are added (6.1.3, 6.3.3).
    #[serde(default)]
    pub period: Option<String>,
    /// Group for which there is a result too, such as a Bezirksstelle or a programme (7.8).
    #[serde(default)]
    pub group: Option<String>,
    /// Book value of the part from which was drawn, without the exhaustive items and without what is excluded. 0 if there
    /// are exhaustive items only.
    pub book_value: i64,
    /// Items of that part; needed for simple random sampling and difference estimation.
    #[serde(default)]
    pub population: Option<u64>,
    /// Checked items.
    #[serde(default)]
    pub items: Vec<EcItem>,
    /// Their sums, in place of the items.
    #[serde(default)]
    pub summary: Option<EcSummary>,
    /// Items that were all checked.
    #[serde(default)]
    pub exhaustive: Vec<EcItem>,
    /// Their sums, in place of the items.
    #[serde(default)]
    pub exhaustive_summary: Option<ExhaustiveSummary>,
    /// Delimited systemic errors of the part from which was drawn, by which ratios lower its book value (appendix 1).
    #[serde(default)]
    pub systemic_error: i64,
    /// What is excluded.
    #[serde(default)]
    pub excluded: Option<Excluded>,
}

/// A sample to be evaluated by the guidance.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EcInput {
    /// The method.
    pub method: EcMethod,
    /// What the amounts count.
    pub unit: Unit,
    /// Confidence (two-sided, as in table 3); given if and only if the method is statistical.
    #[serde(default)]
    pub confidence: Option<Decimal>,
    /// Where the factors come from; given if and only if the method is statistical.
    #[serde(default)]
    pub profile: Option<FactorProfile>,
    /// Tolerable part of the book value, such as 0.02.
    pub materiality: Decimal,
    /// Planned size `n` of the conservative approach, with which `SI = BV / n` was formed; for that method only.
    #[serde(default)]
    pub planned_size: Option<u64>,
    /// What happens to errors below zero; needed if there are any.
    #[serde(default)]
    pub understatements: Option<Understatements>,
    /// The strata; one for an unstratified sample.
    pub strata: Vec<EcStratum>,
    /// Delimited systemic and anomalous errors of the whole population.
    #[serde(default)]
    pub known_errors: Vec<KnownError>,
}
