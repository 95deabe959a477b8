//! Why amounts cannot be projected.

use rust_decimal::Decimal;

/// Why amounts cannot be projected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VariablesError {
    /// The confidence does not lie strictly between 0 and 1, or so near to one of them that its quantile is no number.
    #[error("the confidence {0} does not lie between 0 and 1")]
    Confidence(Decimal),
    /// There is no stratum.
    #[error("there is no stratum")]
    NoStratum,
    /// Two strata have the same name.
    #[error("the stratum {0} is there twice")]
    DuplicateStratum(String),
    /// Two items of the sample have the same id.
    #[error("the item {0} is there twice")]
    DuplicateItem(String),
    /// A variance needs two units, a regression three.
    #[error("stratum {stratum} has {size} checked units, {needed} are needed")]
    SampleTooSmall {
        /// The stratum.
        stratum: String,
        /// Units checked.
        size: u64,
        /// Units needed.
        needed: u64,
    },
    /// More units checked than there are.
    #[error("stratum {stratum} has {size} checked units of {population}")]
    SizeAbovePopulation {
        /// The stratum.
        stratum: String,
        /// Units checked.
        size: u64,
        /// Units of the population.
        population: u64,
    },
    /// A population beyond the range in which the distributions are proven.
    #[error("a population of {0} is too large")]
    PopulationTooLarge(u64),
    /// The book value of a stratum is zero or negative.
    #[error("the book value {book_value} of stratum {stratum} is not positive")]
    BookValue {
        /// The stratum.
        stratum: String,
        /// Its book value.
        book_value: i64,
    },
    /// Ratio or regression over several strata without a way to put them together.
    #[error("several strata need a combination")]
    CombinationMissing,
    /// Mean per unit and difference add up over strata; there is nothing to choose.
    #[error("the estimator does not know combinations")]
    CombinationNotApplicable,
    /// A ratio to book values that add up to zero or less.
    #[error("the book values of the sample in stratum {0} do not add up to a positive amount")]
    SampleBookValue(String),
    /// A slope on book values that are all alike.
    #[error("the book values of the sample are all alike: there is no slope")]
    BookValuesAlike,
    /// An item without cluster where clusters were drawn.
    #[error("an item belongs to no cluster")]
    ClusterMissing,
    /// An item with a cluster where items were drawn.
    #[error("an item names a cluster, but items were drawn")]
    ClusterUnexpected,
    /// A cluster with lines in two strata.
    #[error("the cluster {0} lies in two strata")]
    ClusterInTwoStrata(String),
    /// The rules for few errors are described for combined estimators only.
    #[error("the rules for few errors are not described for separate estimators")]
    FewErrorsSeparate,
    /// The number of units in error leaves no degree of freedom.
    #[error("{errors} units in error in {strata} strata leave no degree of freedom")]
    TooFewErrors {
        /// Units in error.
        errors: u64,
        /// Strata.
        strata: u64,
    },
    /// The tolerable misstatement is zero or negative.
    #[error("the tolerable misstatement {0} is not positive")]
    Tolerable(i64),
    /// An amount of the result does not fit.
    #[error("an amount of the result is too large")]
    AmountTooLarge,
}

impl VariablesError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Confidence(_) => "CONFIDENCE_OUT_OF_RANGE",
            Self::NoStratum => "STRATA_EMPTY",
            Self::DuplicateStratum(_) => "DUPLICATE_STRATUM",
            Self::DuplicateItem(_) => "DUPLICATE_ITEM",
            Self::SampleTooSmall { .. } => "SAMPLE_TOO_SMALL",
            Self::SizeAbovePopulation { .. } => "SAMPLE_LARGER_THAN_POPULATION",
            Self::PopulationTooLarge(_) => "POPULATION_TOO_LARGE",
            Self::BookValue { .. } => "BOOK_VALUE_NOT_POSITIVE",
            Self::CombinationMissing => "COMBINATION_MISSING",
            Self::CombinationNotApplicable => "COMBINATION_NOT_APPLICABLE",
            Self::SampleBookValue(_) => "SAMPLE_BOOK_VALUE_NOT_POSITIVE",
            Self::BookValuesAlike => "BOOK_VALUES_ALIKE",
            Self::ClusterMissing => "CLUSTER_MISSING",
            Self::ClusterUnexpected => "CLUSTER_UNEXPECTED",
            Self::ClusterInTwoStrata(_) => "CLUSTER_IN_TWO_STRATA",
            Self::FewErrorsSeparate => "FEW_ERRORS_SEPARATE",
            Self::TooFewErrors { .. } => "TOO_FEW_ERRORS",
            Self::Tolerable(_) => "TOLERABLE_NOT_POSITIVE",
            Self::AmountTooLarge => "AMOUNT_TOO_LARGE",
        }
    }

    /// The input that has to change.
    pub fn field(&self) -> &'static str {
        match self {
            Self::Confidence(_) => "confidence",
            Self::NoStratum | Self::DuplicateStratum(_) => "strata",
            Self::DuplicateItem(_)
            | Self::SampleTooSmall { .. }
            | Self::SampleBookValue(_)
            | Self::ClusterMissing
            | Self::ClusterUnexpected
            | Self::ClusterInTwoStrata(_) => "items",
            Self::SizeAbovePopulation { .. } | Self::PopulationTooLarge(_) => "population",
            Self::BookValue { .. } | Self::AmountTooLarge => "bookValue",
            Self::CombinationMissing | Self::CombinationNotApplicable => "combination",
            Self::BookValuesAlike => "estimator",
            Self::FewErrorsSeparate | Self::TooFewErrors { .. } => "fewErrors",
            Self::Tolerable(_) => "tolerable",
        }
    }
}
