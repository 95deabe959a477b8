//! Why a sample cannot be evaluated by the guidance.

use rust_decimal::Decimal;

use super::super::errors::ErrorRateError;

/// Why a sample cannot be evaluated by the guidance.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EcError {
    /// The confidence does not lie strictly between 0 and 1, or so near to one of them that its quantile is no number.
    #[error("the confidence {0} does not lie between 0 and 1")]
    Confidence(Decimal),
    /// A statistical method without confidence.
    #[error("the method needs a confidence")]
    ConfidenceMissing,
    /// A method that is not statistical with a confidence or factors.
    #[error("a method that is not statistical has neither confidence nor factors")]
    NotStatistical,
    /// A statistical method without factor profile.
    #[error("the method needs a factor profile")]
    ProfileMissing,
    /// The guidance's tables do not have the confidence.
    #[error("the tables have no confidence {0}")]
    ConfidenceNotInTable(Decimal),
    /// More errors than appendix 3 has factors for, or than the exact ones are listed.
    #[error("there are no factors for {0} errors")]
    TooManyErrors(u64),
    /// There is no stratum.
    #[error("there is no stratum")]
    NoStratum,
    /// Two strata have the same name and period.
    #[error("the stratum {0} is there twice")]
    DuplicateStratum(String),
    /// Two items have the same id.
    #[error("the item {0} is there twice")]
    DuplicateItem(String),
    /// Some strata have a group and some have none.
    #[error("the stratum {0} has no group, others have")]
    GroupMissing(String),
    /// A known error names a group that no stratum has.
    #[error("no stratum has the group {0}")]
    GroupUnknown(String),
    /// Items and their sums are given both.
    #[error("stratum {0} has items and their sums")]
    ItemsAndSummary(String),
    /// The conservative approach needs the error rates themselves.
    #[error("the method needs the items, not their sums")]
    SummaryNotPossible,
    /// Sums without what the method needs of them.
    #[error("the sums of stratum {stratum} lack {field}")]
    SummaryIncomplete {
        /// The stratum.
        stratum: String,
        /// What is missing.
        field: &'static str,
    },
    /// A stratum with a book value from which nothing was checked.
    #[error("stratum {0} has a book value but no sample")]
    SampleEmpty(String),
    /// A variance needs two items.
    #[error("stratum {0} has a single checked item: there is no variance")]
    SampleTooSmall(String),
    /// More items checked than there are.
    #[error("stratum {stratum} has {size} checked items of {population}")]
    SizeAbovePopulation {
        /// The stratum.
        stratum: String,
        /// Items checked.
        size: u64,
        /// Items of the part.
        population: u64,
    },
    /// A number of items beyond any population.
    #[error("{0} items are too many")]
    CountTooLarge(u64),
    /// The method needs the number of items.
    #[error("stratum {0} lacks the number of its items")]
    PopulationMissing(String),
    /// A book value is negative, or zero where something was drawn.
    #[error("the book value {book_value} of stratum {stratum} is not positive")]
    BookValue {
        /// The stratum.
        stratum: String,
        /// Its book value.
        book_value: i64,
    },
    /// An item without a positive book value in a sample drawn by size.
    #[error("an item with book value {0} cannot be drawn by size")]
    ItemBookValue(i64),
    /// An item with hits where every item is drawn once at most, or with none.
    #[error("{0} hits are not possible")]
    Hits(u64),
    /// An item without audited value and sub-sample, or with both.
    #[error("an item has either an audited value or a sub-sample")]
    AuditValue,
    /// A negative systemic or anomalous part.
    #[error("the part {0} of an error is negative")]
    ErrorPart(i64),
    /// Systemic errors were found that are not delimited.
    #[error("systemic errors of {found} were found, {delimited} are delimited")]
    SystemicNotDelimited {
        /// Sum in the sample.
        found: i128,
        /// Sum of the known errors.
        delimited: i128,
    },
    /// The anomalous errors of the items are not those that are known.
    #[error("anomalous errors of {found} were found, {known} are known")]
    AnomalousDiffer {
        /// Sum in the sample.
        found: i128,
        /// Sum of the known errors.
        known: i128,
    },
    /// There are errors below zero and no word on what happens to them.
    #[error("errors below zero were found: they are set aside or netted, which has to be said")]
    UnderstatementsUndecided,
    /// A ratio to book values that add up to zero or less.
    #[error("the book values of the sample in stratum {0} do not add up to a positive amount")]
    SampleBookValue(String),
    /// The conservative approach without planned size, or another method with one.
    #[error("the planned size belongs to the conservative approach, and only to it")]
    PlannedSize,
    /// Strata where the guidance describes a single one.
    #[error("the method is described for a single stratum")]
    StrataNotPossible,
    /// Exclusions that the guidance does not describe.
    #[error("exclusions are not described for several strata of this method")]
    ExclusionNotPossible,
    /// An exclusion that is negative, or of a part that has nothing left to project from.
    #[error("the exclusion of stratum {0} is not possible")]
    Exclusion(String),
    /// A sub-sample without items, with an impossible book value or number of items.
    #[error("the sub-sample of an item is not possible: {0}")]
    Subsample(&'static str),
    /// A book value of an item that its sub-sample does not have.
    #[error("the item has {item}, its sub-sample {subsample}")]
    SubsampleDiffers {
        /// Book value of the item.
        item: i64,
        /// Book value of the sub-sample.
        subsample: i128,
    },
    /// The total error cannot be formed.
    #[error(transparent)]
    Total(#[from] ErrorRateError),
    /// An amount of the result does not fit.
    #[error("an amount of the result is too large")]
    AmountTooLarge,
}

impl EcError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Confidence(_) => "CONFIDENCE_OUT_OF_RANGE",
            Self::ConfidenceMissing => "CONFIDENCE_MISSING",
            Self::NotStatistical => "NOT_STATISTICAL",
            Self::ProfileMissing => "PROFILE_MISSING",
            Self::ConfidenceNotInTable(_) => "CONFIDENCE_NOT_IN_TABLE",
            Self::TooManyErrors(_) => "TOO_MANY_ERRORS",
            Self::NoStratum => "STRATA_EMPTY",
            Self::DuplicateStratum(_) => "DUPLICATE_STRATUM",
            Self::DuplicateItem(_) => "DUPLICATE_ITEM",
            Self::GroupMissing(_) => "GROUP_MISSING",
            Self::GroupUnknown(_) => "GROUP_UNKNOWN",
            Self::ItemsAndSummary(_) => "ITEMS_AND_SUMMARY",
            Self::SummaryNotPossible => "SUMMARY_NOT_POSSIBLE",
            Self::SummaryIncomplete { .. } => "SUMMARY_INCOMPLETE",
            Self::SampleEmpty(_) => "SAMPLE_EMPTY",
            Self::SampleTooSmall(_) => "SAMPLE_TOO_SMALL",
            Self::SizeAbovePopulation { .. } => "SAMPLE_LARGER_THAN_POPULATION",
            Self::CountTooLarge(_) => "POPULATION_TOO_LARGE",
            Self::PopulationMissing(_) => "POPULATION_MISSING",
            Self::BookValue { .. } => "BOOK_VALUE_NOT_POSITIVE",
            Self::ItemBookValue(_) => "AMOUNT_NOT_POSITIVE",
            Self::Hits(_) => "HITS_NOT_POSSIBLE",
            Self::AuditValue => "AUDIT_VALUE_OR_SUBSAMPLE",
            Self::ErrorPart(_) => "ERROR_PART_NEGATIVE",
            Self::SystemicNotDelimited { .. } => "SYSTEMIC_NOT_DELIMITED",
            Self::AnomalousDiffer { .. } => "ANOMALOUS_DIFFER",
            Self::UnderstatementsUndecided => "UNDERSTATEMENTS_UNDECIDED",
            Self::SampleBookValue(_) => "SAMPLE_BOOK_VALUE_NOT_POSITIVE",
            Self::PlannedSize => "PLANNED_SIZE",
            Self::StrataNotPossible => "STRATA_NOT_POSSIBLE",
            Self::ExclusionNotPossible => "EXCLUSION_NOT_POSSIBLE",
            Self::Exclusion(_) => "EXCLUSION_OUT_OF_RANGE",
            Self::Subsample(_) => "SUBSAMPLE_NOT_POSSIBLE",
            Self::SubsampleDiffers { .. } => "SUBSAMPLE_DIFFERS",
            Self::Total(error) => error.code(),
            Self::AmountTooLarge => "AMOUNT_TOO_LARGE",
        }
    }

    /// The input that has to change.
    pub fn field(&self) -> &'static str {
        match self {
            Self::Confidence(_)
            | Self::ConfidenceMissing
            | Self::NotStatistical
            | Self::ConfidenceNotInTable(_) => "confidence",
            Self::ProfileMissing | Self::TooManyErrors(_) => "profile",
            Self::NoStratum | Self::DuplicateStratum(_) | Self::StrataNotPossible => "strata",
            Self::GroupMissing(_) => "group",
            Self::ItemsAndSummary(_) | Self::SummaryNotPossible => "summary",
            Self::SummaryIncomplete { field, .. } => field,
            Self::DuplicateItem(_)
            | Self::SampleEmpty(_)
            | Self::SampleTooSmall(_)
            | Self::ItemBookValue(_)
            | Self::SampleBookValue(_) => "items",
            Self::SizeAbovePopulation { .. } | Self::PopulationMissing(_) | Self::CountTooLarge(_) => {
                "population"
            }
            Self::BookValue { .. } | Self::AmountTooLarge => "bookValue",
            Self::Hits(_) => "hits",
            Self::AuditValue => "auditValue",
            Self::ErrorPart(_) => "systemicError",
            Self::GroupUnknown(_) | Self::SystemicNotDelimited { .. } | Self::AnomalousDiffer { .. } => {
                "knownErrors"
            }
            Self::UnderstatementsUndecided => "understatements",
            Self::PlannedSize => "plannedSize",
            Self::ExclusionNotPossible | Self::Exclusion(_) => "excluded",
            Self::Subsample(_) | Self::SubsampleDiffers { .. } => "subsample",
            Self::Total(error) => error.field(),
        }
    }
}
