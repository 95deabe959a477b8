//! What a grant permits and shows: the tables for people from outside.

use std::sync::Arc;

use entity::GrantId;
use entity::grant::{BodyKind, Coverage, Kind};

use super::{Action, Class, Classes};

/// A grant in use: what was stored, or less where the token says less.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    /// The grant.
    pub id: GrantId,
    /// What it is for.
    pub kind: Kind,
    /// What it reaches.
    pub coverage: Arc<Coverage>,
    /// The classes it shows.
    pub classes: Classes,
    /// Name of the recipient, as the grant has it.
    pub recipient_name: String,
}

impl Granted {
    /// May whoever comes under this grant do this?
    pub fn permits(&self, action: Action) -> bool {
        granted(self.kind, action) && (self.coverage.is_whole() || !needs_whole(action))
    }
}

/// Does a grant of this kind permit this? One exhaustive match.
///
/// An inspection reads, comments and downloads. A commission records checks and notes in its engagements, and reads what
/// that takes.
pub const fn granted(kind: Kind, action: Action) -> bool {
    match action {
        Action::EngagementRead
        | Action::SampleRead
        | Action::SampleItemRead
        | Action::CheckRead
        | Action::GrantRead
        | Action::VisibilityState
        | Action::CommentRead
        | Action::CommentWrite => true,
        Action::PopulationRead | Action::SampleEvaluate | Action::TrailRead | Action::DeadlineRead => {
            matches!(kind, Kind::Inspection)
        }
        Action::CheckRecord => matches!(kind, Kind::Commission),
        Action::EngagementOpen
        | Action::EngagementClose
        | Action::EngagementRestrict
        | Action::PopulationCreate
        | Action::PopulationImport
        | Action::PopulationDiscard
        | Action::ControlTotalEnter
        | Action::DifferenceExplain
        | Action::DifferenceApprove
        | Action::PopulationFreeze
        | Action::SamplePlan
        | Action::SampleDraw
        | Action::ContributionRead
        | Action::ContributionCommit
        | Action::ContributionOpen
        | Action::SampleAbort
        | Action::SampleRecord
        | Action::SampleChoose
        | Action::SampleItemAnnounce
        | Action::CheckAssign
        | Action::ReplacementRequest
        | Action::ReplacementApprove
        | Action::KnownErrorPropose
        | Action::KnownErrorApprove
        | Action::KnownErrorRevoke
        | Action::ParameterSetRead
        | Action::ParameterSetPropose
        | Action::ParameterSetApprove
        | Action::PaperRead
        | Action::PaperSubmit
        | Action::PaperCall
        | Action::PaperVote
        | Action::DissentDecide
        | Action::MinutesRecord
        | Action::SignatureRecord
        | Action::SeatFill
        | Action::GrantPropose
        | Action::GrantIssue
        | Action::GrantRevoke
        | Action::GrantLift
        | Action::GrantRedeem
        | Action::CaseNumberRead
        | Action::ExternalReadList
        | Action::Reidentify
        | Action::LegalHoldPlace
        | Action::LegalHoldLift
        | Action::ReadRecordList
        | Action::DeadlineSet
        | Action::DeadlineAcknowledge
        | Action::DeadlineObject
        | Action::DeadlineMeet
        | Action::DeadlineExtend
        | Action::DeadlineCancel
        | Action::DeadlineConfirm
        | Action::DeadlineRun
        | Action::NoticeRead
        | Action::RetentionRun
        | Action::JobcenterSetUp => false,
    }
}

/// What tells of all items of an engagement alike, so that a grant of some of them does not permit it.
pub const fn needs_whole(action: Action) -> bool {
    matches!(
        action,
        Action::PopulationRead | Action::SampleEvaluate | Action::TrailRead | Action::DeadlineRead
    )
}

/// The classes a grant of this kind may show to such a recipient; it names which of them it does.
///
/// Special social data and data of staff go to public bodies alone: for their audits the restriction of § 76 (1) SGB X is lifted
/// (§ 76 (2) No. 2, § 69 (5) SGB X). Figures of the benchmarking and records of reading go to nobody outside.
pub const fn grantable(kind: Kind, body: BodyKind) -> Classes {
    use Class::{Audit, Budget, Internal, Personnel, Public, SocialData, Special};
    match (kind, body) {
        (Kind::Inspection, BodyKind::Public) => {
            Classes::of(&[Public, Internal, Budget, Audit, SocialData, Special, Personnel])
        }
        (Kind::Inspection, BodyKind::NonPublic) => {
            Classes::of(&[Public, Internal, Budget, Audit, SocialData])
        }
        (Kind::Commission, BodyKind::Public | BodyKind::NonPublic) => {
            Classes::of(&[Public, Internal, Audit, SocialData])
        }
    }
}
