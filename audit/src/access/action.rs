//! What can be done.

words! {
    /// An action of a use case.
    Action {
        /// See engagements.
        EngagementRead = "ENGAGEMENT_READ",
        /// Open an engagement.
        EngagementOpen = "ENGAGEMENT_OPEN",
        /// Close an engagement.
        EngagementClose = "ENGAGEMENT_CLOSE",
        /// Restrict an engagement, or lift its restriction.
        EngagementRestrict = "ENGAGEMENT_RESTRICT",
        /// See populations, imports and reconciliations.
        PopulationRead = "POPULATION_READ",
        /// Create a population.
        PopulationCreate = "POPULATION_CREATE",
        /// Import an extract.
        PopulationImport = "POPULATION_IMPORT",
        /// Give up a population that is not frozen.
        PopulationDiscard = "POPULATION_DISCARD",
        /// Enter a control total.
        ControlTotalEnter = "CONTROL_TOTAL_ENTER",
        /// Explain a difference.
        DifferenceExplain = "DIFFERENCE_EXPLAIN",
        /// Approve an explanation.
        DifferenceApprove = "DIFFERENCE_APPROVE",
        /// Freeze a population.
        PopulationFreeze = "POPULATION_FREEZE",
        /// See samples and draws.
        SampleRead = "SAMPLE_READ",
        /// Plan a sample.
        SamplePlan = "SAMPLE_PLAN",
        /// Draw a planned sample.
        SampleDraw = "SAMPLE_DRAW",
        /// See the draws to whose seed one contributes.
        ContributionRead = "CONTRIBUTION_READ",
        /// Commit one's contribution to a seed.
        ContributionCommit = "CONTRIBUTION_COMMIT",
        /// Open one's committed contribution.
        ContributionOpen = "CONTRIBUTION_OPEN",
        /// Give up a planned sample.
        SampleAbort = "SAMPLE_ABORT",
        /// Record a sample drawn elsewhere.
        SampleRecord = "SAMPLE_RECORD",
        /// Choose the items of a sample by hand.
        SampleChoose = "SAMPLE_CHOOSE",
        /// See sample items within one's scope.
        SampleItemRead = "SAMPLE_ITEM_READ",
        /// Make sample items visible to their Bezirksstelle.
        SampleItemAnnounce = "SAMPLE_ITEM_ANNOUNCE",
        /// See case numbers of items that are requested from one's Bezirksstelle.
        CaseNumberRead = "CASE_NUMBER_READ",
        /// See who from outside read items of one's Bezirksstelle, once their access has ended.
        ExternalReadList = "EXTERNAL_READ_LIST",
        /// See the case number of a drawn item, with a reason.
        Reidentify = "REIDENTIFY",
        /// See checks.
        CheckRead = "CHECK_READ",
        /// Record a check.
        CheckRecord = "CHECK_RECORD",
        /// Say who is to check which item.
        CheckAssign = "CHECK_ASSIGN",
        /// Ask for a drawn item that cannot be checked to be replaced.
        ReplacementRequest = "REPLACEMENT_REQUEST",
        /// Approve or decline a replacement that another person asked for.
        ReplacementApprove = "REPLACEMENT_APPROVE",
        /// Propose that an error is systemic or anomalous.
        KnownErrorPropose = "KNOWN_ERROR_PROPOSE",
        /// Approve a known error that another person proposed.
        KnownErrorApprove = "KNOWN_ERROR_APPROVE",
        /// Revoke a known error.
        KnownErrorRevoke = "KNOWN_ERROR_REVOKE",
        /// See parameter sets of samples.
        ParameterSetRead = "PARAMETER_SET_READ",
        /// Propose an edition of a parameter set.
        ParameterSetPropose = "PARAMETER_SET_PROPOSE",
        /// Approve or decline an edition that another person proposed.
        ParameterSetApprove = "PARAMETER_SET_APPROVE",
        /// Evaluate a sample.
        SampleEvaluate = "SAMPLE_EVALUATE",
        /// See bodies, who sits in them, and papers with what became of them.
        PaperRead = "PAPER_READ",
        /// Hand a paper in, revise and withdraw one's own.
        PaperSubmit = "PAPER_SUBMIT",
        /// Call papers to sessions, and end the voting.
        PaperCall = "PAPER_CALL",
        /// Vote on papers: with a seat, or as its deputy.
        PaperVote = "PAPER_VOTE",
        /// Decide where a body is not of one mind: with the seat that does.
        DissentDecide = "DISSENT_DECIDE",
        /// Record the minutes of a paper.
        MinutesRecord = "MINUTES_RECORD",
        /// Record that a decision or its minutes were signed.
        SignatureRecord = "SIGNATURE_RECORD",
        /// Record who sits in a body, and who no longer does.
        SeatFill = "SEAT_FILL",
        /// See the trail.
        TrailRead = "TRAIL_READ",
        /// See grants: all of them, or one's own.
        GrantRead = "GRANT_READ",
        /// Propose a grant, complete it and withdraw it.
        GrantPropose = "GRANT_PROPOSE",
        /// Issue a grant that another person proposed.
        GrantIssue = "GRANT_ISSUE",
        /// Revoke a grant.
        GrantRevoke = "GRANT_REVOKE",
        /// Lift end and budget of a public body's grant.
        GrantLift = "GRANT_LIFT",
        /// Redeem a grant for a token. No role's right: the person's whom the grant names.
        GrantRedeem = "GRANT_REDEEM",
        /// State what is visible under a grant.
        VisibilityState = "VISIBILITY_STATE",
        /// See comments.
        CommentRead = "COMMENT_READ",
        /// Comment. No role's right: that of a grant.
        CommentWrite = "COMMENT_WRITE",
        /// Stop the deletion of what hangs on an engagement.
        LegalHoldPlace = "LEGAL_HOLD_PLACE",
        /// Let deletion go on; never by who stopped it.
        LegalHoldLift = "LEGAL_HOLD_LIFT",
        /// See who read what, and what the deletion job deleted.
        ReadRecordList = "READ_RECORD_LIST",
        /// See deadlines.
        DeadlineRead = "DEADLINE_READ",
        /// Set a deadline.
        DeadlineSet = "DEADLINE_SET",
        /// Acknowledge the notice as complete that starts a deadline.
        DeadlineAcknowledge = "DEADLINE_ACKNOWLEDGE",
        /// Object in time, which stops a deadline.
        DeadlineObject = "DEADLINE_OBJECT",
        /// Record that what a deadline was set for was done.
        DeadlineMeet = "DEADLINE_MEET",
        /// Extend a deadline.
        DeadlineExtend = "DEADLINE_EXTEND",
        /// Cancel a deadline.
        DeadlineCancel = "DEADLINE_CANCEL",
        /// Confirm that a right is barred; never by who set the deadline.
        DeadlineConfirm = "DEADLINE_CONFIRM",
        /// See notices to oneself or one's place.
        NoticeRead = "NOTICE_READ",
        /// Let deadlines pass and tell of it. Nobody's right: the service does it by itself.
        DeadlineRun = "DEADLINE_RUN",
        /// Delete what is kept no longer. Nobody's right: the service does it by itself.
        RetentionRun = "RETENTION_RUN",
        /// Set the Jobcenter up. Nobody's right: the service does it when it starts for the first time.
        JobcenterSetUp = "JOBCENTER_SET_UP",
    }
}
