//! What a caller may do, as the API spells it.

use async_graphql::{Context, Enum, Result};
use audit::access::needs_open;
use entity::EngagementId;
use entity::engagement::State;

use super::ContextExt;

/// Something a caller may or may not do.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "audit::access::Action")]
pub(super) enum Action {
    /// See engagements.
    EngagementRead,
    /// Open an engagement.
    EngagementOpen,
    /// Close an engagement.
    EngagementClose,
    /// Restrict an engagement, or lift its restriction.
    EngagementRestrict,
    /// See populations, imports and reconciliations.
    PopulationRead,
    /// Create a population.
    PopulationCreate,
    /// Import an extract.
    PopulationImport,
    /// Give up a population that is not frozen.
    PopulationDiscard,
    /// Enter a control total.
    ControlTotalEnter,
    /// Explain a difference.
    DifferenceExplain,
    /// Approve an explanation.
    DifferenceApprove,
    /// Freeze a population.
    PopulationFreeze,
    /// See samples and draws.
    SampleRead,
    /// Plan a sample.
    SamplePlan,
    /// Draw a planned sample.
    SampleDraw,
    /// See the draws to whose seed one contributes.
    ContributionRead,
    /// Commit one's contribution to a seed.
    ContributionCommit,
    /// Open one's committed contribution.
    ContributionOpen,
    /// Give up a planned sample.
    SampleAbort,
    /// Record a sample drawn elsewhere.
    SampleRecord,
    /// Choose the items of a sample by hand.
    SampleChoose,
    /// See sample items within one's scope.
    SampleItemRead,
    /// Make sample items visible to their Bezirksstelle.
    SampleItemAnnounce,
    /// See case numbers of items that are requested from one's Bezirksstelle.
    CaseNumberRead,
    /// See who from outside read items of one's Bezirksstelle, once their access has ended.
    ExternalReadList,
    /// See the case number of a drawn item, with a reason.
    Reidentify,
    /// See checks.
    CheckRead,
    /// Record a check.
    CheckRecord,
    /// Say who is to check which item.
    CheckAssign,
    /// Ask for a drawn item that cannot be checked to be replaced.
    ReplacementRequest,
    /// Approve or decline a replacement that another person asked for.
    ReplacementApprove,
    /// Propose that an error is systemic or anomalous.
    KnownErrorPropose,
    /// Approve a known error that another person proposed.
    KnownErrorApprove,
    /// Revoke a known error.
    KnownErrorRevoke,
    /// See parameter sets of samples.
    ParameterSetRead,
    /// Propose an edition of a parameter set.
    ParameterSetPropose,
    /// Approve or decline an edition that another person proposed.
    ParameterSetApprove,
    /// Evaluate a sample.
    SampleEvaluate,
    /// See bodies, who sits in them, and papers with what became of them.
    PaperRead,
    /// Hand a paper in, revise and withdraw one's own.
    PaperSubmit,
    /// Call papers to sessions, and end the voting.
    PaperCall,
    /// Vote on papers: with a seat, or as its deputy.
    PaperVote,
    /// Decide where a body is not of one mind: with the seat that does.
    DissentDecide,
    /// Record the minutes of a paper.
    MinutesRecord,
    /// Record that a decision or its minutes were signed.
    SignatureRecord,
    /// Record who sits in a body, and who no longer does.
    SeatFill,
    /// See the trail.
    TrailRead,
    /// See grants: all of them, or one's own.
    GrantRead,
    /// Propose a grant, complete it and withdraw it.
    GrantPropose,
    /// Issue a grant that another person proposed.
    GrantIssue,
    /// Revoke a grant.
    GrantRevoke,
    /// Lift end and budget of a public body's grant.
    GrantLift,
    /// Redeem a grant for a token. No role's right: the person's whom the grant names.
    GrantRedeem,
    /// State what is visible under a grant.
    VisibilityState,
    /// See comments.
    CommentRead,
    /// Comment. No role's right: that of a grant.
    CommentWrite,
    /// Stop the deletion of what hangs on an engagement.
    LegalHoldPlace,
    /// Let deletion go on; never by who stopped it.
    LegalHoldLift,
    /// See who read what, and what the deletion job deleted.
    ReadRecordList,
    /// See deadlines.
    DeadlineRead,
    /// Set a deadline.
    DeadlineSet,
    /// Acknowledge the notice as complete that starts a deadline.
    DeadlineAcknowledge,
    /// Object in time, which stops a deadline.
    DeadlineObject,
    /// Record that what a deadline was set for was done.
    DeadlineMeet,
    /// Extend a deadline.
    DeadlineExtend,
    /// Cancel a deadline.
    DeadlineCancel,
    /// Confirm that a right is barred; never by who set the deadline.
    DeadlineConfirm,
    /// See notices to oneself or one's place.
    NoticeRead,
    /// Let deadlines pass and tell of it. Nobody's right: the service does it by itself.
    DeadlineRun,
    /// Delete what is kept no longer. Nobody's right: the service does it by itself.
    RetentionRun,
    /// Set the Jobcenter up. Nobody's right: the service does it when it starts for the first time.
    JobcenterSetUp,
}

/// Those of these actions that the caller's role permits.
pub(super) fn permitted(ctx: &Context<'_>, candidates: &[audit::access::Action]) -> Vec<Action> {
    candidates
        .iter()
        .filter(|action| ctx.caller().may(**action))
        .map(|action| Action::from(*action))
        .collect()
}

/// The same for what hangs on an engagement: once that is closed, nothing of it is changed any more.
pub(super) async fn permitted_in(
    ctx: &Context<'_>,
    engagement: EngagementId,
    candidates: &[audit::access::Action],
) -> Result<Vec<Action>> {
    let engagement = ctx.loaders().one(ctx, engagement).await?;
    let open = engagement.is_some_and(|row| row.state == State::Open);
    let now: Vec<_> = candidates
        .iter()
        .copied()
        .filter(|action| open || !needs_open(*action))
        .collect();
    Ok(permitted(ctx, &now))
}

#[cfg(test)]
mod tests {
    use async_graphql::resolver_utils::EnumType as _;

    #[test]
    fn the_contract_spells_actions_as_the_trail_does() {
        for (known, action) in super::Action::items().iter().zip(audit::access::Action::ALL) {
            assert_eq!(known.name, action.as_str());
        }
    }
}
