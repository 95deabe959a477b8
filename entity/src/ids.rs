//! One id type a table, so that an id of another table does not type-check.

use sea_orm::DeriveValueType;
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$meta:meta])* $name:ident),+ $(,)?) => {
        $(
            $(#[$meta])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, DeriveValueType, serde::Serialize, serde::Deserialize)]
            #[serde(transparent)]
            pub struct $name(pub Uuid);

            impl std::fmt::Display for $name {
                fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    self.0.fmt(f)
                }
            }

            impl sea_orm::TryFromU64 for $name {
                fn try_from_u64(_: u64) -> Result<Self, sea_orm::DbErr> {
                    Err(sea_orm::DbErr::ConvertFromU64(stringify!($name)))
                }
            }
        )+
    };
}

ids! {
    /// Id of a Jobcenter.
    JobcenterId,
    /// Id of a Bezirksstelle.
    BezirksstelleId,
    /// Id of an engagement.
    EngagementId,
    /// Id of a population.
    PopulationId,
    /// Id of an import of a population extract.
    ImportId,
    /// Id of a population item: random, never derived from the case, and outliving re-identification.
    ItemId,
    /// Id of a control total.
    ControlTotalId,
    /// Id of a difference between population and control total.
    DifferenceId,
    /// Id of a sample.
    SampleId,
    /// Id of a stratum of a sample.
    StratumId,
    /// Id of a contribution to the seed of a sample.
    ContributionId,
    /// Id of an item drawn into a sample.
    SampleItemId,
    /// Id of one version of a check.
    CheckId,
    /// Id of a numbered event of drawing.
    DrawEventId,
    /// Id of a grant to somebody from outside.
    GrantId,
    /// Id of a comment.
    CommentId,
    /// Id of an entry of the trail.
    TrailEntryId,
    /// Id of a read record.
    ReadRecordId,
    /// Id of a legal hold.
    LegalHoldId,
    /// Id of an edition of a parameter set.
    ParameterSetId,
    /// Id of a replacement.
    ReplacementId,
    /// Id of an assignment.
    AssignmentId,
    /// Id of a known error.
    KnownErrorId,
    /// Id of a body that decides.
    BodyId,
    /// Id of somebody's time in a seat of a body.
    SeatId,
    /// Id of a paper.
    PaperId,
    /// Id of one edition of a paper.
    PaperEditionId,
    /// Id of a vote.
    VoteId,
    /// Id of a decision.
    DecisionId,
    /// Id of one edition of minutes.
    MinutesId,
    /// Id of a recorded signature.
    SignatureId,
    /// Id of a deadline.
    DeadlineId,
    /// Id of a notice.
    NoticeId,
}
