//! The table of roles and actions: one exhaustive match.

use super::{Action, Role};

/// May this role do this?
///
/// The Innenrevision does the audit; its head closes and approves; the quality assurance approves and checks as a
/// second person. A Bezirksstelle reads its own announced items. The data protection officer sees who read what, never what
/// was read. Whoever administers reads no content.
///
/// A grant takes two people. The head of the Innenrevision proposes, or an auditor in the head's place; the head of the
/// Fachbereich issues, or, where an auditor proposed, the head of the Innenrevision. Each of them revokes it alone.
/// Whoever comes under a grant has the rights of [`super::granted`], and none of a role.
///
/// A role lets somebody vote; whether they do is a matter of the seat. Whoever sits in a body beside another function, as the head of a
/// Regionalstelle in the Leitungsgruppe, acts there as VORSTAND. Who holds the office of the bodies calls, counts and records;
/// the audit function sees what was decided on its matters.
#[expect(clippy::too_many_lines, reason = "a table")]
pub const fn permits(role: Role, action: Action) -> bool {
    match role {
        Role::InnenrevisionLeitung => match action {
            Action::EngagementRead
            | Action::EngagementOpen
            | Action::EngagementClose
            | Action::EngagementRestrict
            | Action::PopulationRead
            | Action::PopulationCreate
            | Action::PopulationImport
            | Action::PopulationDiscard
            | Action::ControlTotalEnter
            | Action::DifferenceExplain
            | Action::DifferenceApprove
            | Action::PopulationFreeze
            | Action::SampleRead
            | Action::SamplePlan
            | Action::SampleDraw
            | Action::ContributionRead
            | Action::ContributionCommit
            | Action::ContributionOpen
            | Action::SampleAbort
            | Action::SampleRecord
            | Action::SampleChoose
            | Action::SampleItemRead
            | Action::SampleItemAnnounce
            | Action::Reidentify
            | Action::CheckRead
            | Action::CheckRecord
            | Action::CheckAssign
            | Action::ReplacementRequest
            | Action::KnownErrorPropose
            | Action::ReplacementApprove
            | Action::KnownErrorApprove
            | Action::KnownErrorRevoke
            | Action::ParameterSetRead
            | Action::ParameterSetPropose
            | Action::SampleEvaluate
            | Action::TrailRead
            | Action::GrantRead
            | Action::GrantPropose
            | Action::GrantIssue
            | Action::GrantRevoke
            | Action::GrantLift
            | Action::VisibilityState
            | Action::CommentRead
            | Action::LegalHoldPlace
            | Action::LegalHoldLift
            | Action::PaperRead
            | Action::PaperSubmit
            | Action::DeadlineRead
            | Action::DeadlineSet
            | Action::DeadlineAcknowledge
            | Action::DeadlineObject
            | Action::DeadlineMeet
            | Action::DeadlineExtend
            | Action::DeadlineCancel
            | Action::DeadlineConfirm
            | Action::NoticeRead => true,
            Action::GrantRedeem
            | Action::ParameterSetApprove
            | Action::CommentWrite
            | Action::CaseNumberRead
            | Action::ExternalReadList
            | Action::ReadRecordList
            | Action::RetentionRun
            | Action::PaperCall
            | Action::PaperVote
            | Action::DissentDecide
            | Action::MinutesRecord
            | Action::SignatureRecord
            | Action::SeatFill
            | Action::DeadlineRun
            | Action::JobcenterSetUp => false,
        },
        Role::Innenrevision => match action {
            Action::EngagementRead
            | Action::EngagementOpen
            | Action::PopulationRead
            | Action::PopulationCreate
            | Action::PopulationImport
            | Action::PopulationDiscard
            | Action::ControlTotalEnter
            | Action::DifferenceExplain
            | Action::PopulationFreeze
            | Action::SampleRead
            | Action::SamplePlan
            | Action::SampleDraw
            | Action::ContributionRead
            | Action::ContributionCommit
            | Action::ContributionOpen
            | Action::SampleAbort
            | Action::SampleRecord
            | Action::SampleChoose
            | Action::SampleItemRead
            | Action::SampleItemAnnounce
            | Action::Reidentify
            | Action::CheckRead
            | Action::CheckRecord
            | Action::CheckAssign
            | Action::ReplacementRequest
            | Action::KnownErrorPropose
            | Action::ParameterSetRead
            | Action::ParameterSetApprove
            | Action::SampleEvaluate
            | Action::TrailRead
            | Action::GrantRead
            | Action::GrantPropose
            | Action::GrantRevoke
            | Action::VisibilityState
            | Action::CommentRead
            | Action::LegalHoldPlace
            | Action::LegalHoldLift
            | Action::PaperRead
            | Action::DeadlineRead
            | Action::DeadlineSet
            | Action::DeadlineAcknowledge
            | Action::DeadlineObject
            | Action::DeadlineMeet
            | Action::DeadlineExtend
            | Action::DeadlineCancel
            | Action::NoticeRead => true,
            Action::EngagementClose
            | Action::EngagementRestrict
            | Action::DifferenceApprove
            | Action::ReplacementApprove
            | Action::KnownErrorApprove
            | Action::KnownErrorRevoke
            | Action::ParameterSetPropose
            | Action::GrantIssue
            | Action::GrantLift
            | Action::GrantRedeem
            | Action::CommentWrite
            | Action::CaseNumberRead
            | Action::ExternalReadList
            | Action::ReadRecordList
            | Action::RetentionRun
            | Action::PaperSubmit
            | Action::PaperCall
            | Action::PaperVote
            | Action::DissentDecide
            | Action::MinutesRecord
            | Action::SignatureRecord
            | Action::SeatFill
            | Action::DeadlineConfirm
            | Action::DeadlineRun
            | Action::JobcenterSetUp => false,
        },
        Role::Qualitaetssicherung => match action {
            Action::EngagementRead
            | Action::PopulationRead
            | Action::ControlTotalEnter
            | Action::DifferenceApprove
            | Action::SampleRead
            | Action::ContributionRead
            | Action::ContributionCommit
            | Action::ContributionOpen
            | Action::SampleItemRead
            | Action::CheckRead
            | Action::CheckRecord
            | Action::ReplacementApprove
            | Action::KnownErrorApprove
            | Action::KnownErrorRevoke
            | Action::ParameterSetRead
            | Action::ParameterSetApprove
            | Action::SampleEvaluate
            | Action::TrailRead
            | Action::CommentRead
            | Action::LegalHoldPlace
            | Action::LegalHoldLift
            | Action::PaperRead
            | Action::DeadlineRead
            | Action::DeadlineConfirm
            | Action::NoticeRead => true,
            Action::EngagementOpen
            | Action::EngagementClose
            | Action::EngagementRestrict
            | Action::PopulationCreate
            | Action::PopulationImport
            | Action::PopulationDiscard
            | Action::DifferenceExplain
            | Action::PopulationFreeze
            | Action::SamplePlan
            | Action::SampleDraw
            | Action::SampleAbort
            | Action::SampleRecord
            | Action::SampleChoose
            | Action::SampleItemAnnounce
            | Action::CheckAssign
            | Action::ReplacementRequest
            | Action::KnownErrorPropose
            | Action::ParameterSetPropose
            | Action::GrantRead
            | Action::GrantPropose
            | Action::GrantIssue
            | Action::GrantRevoke
            | Action::GrantLift
            | Action::GrantRedeem
            | Action::VisibilityState
            | Action::CommentWrite
            | Action::CaseNumberRead
            | Action::ExternalReadList
            | Action::Reidentify
            | Action::ReadRecordList
            | Action::RetentionRun
            | Action::PaperSubmit
            | Action::PaperCall
            | Action::PaperVote
            | Action::DissentDecide
            | Action::MinutesRecord
            | Action::SignatureRecord
            | Action::SeatFill
            | Action::DeadlineSet
            | Action::DeadlineAcknowledge
            | Action::DeadlineObject
            | Action::DeadlineMeet
            | Action::DeadlineExtend
            | Action::DeadlineCancel
            | Action::DeadlineRun
            | Action::JobcenterSetUp => false,
        },
        Role::Bezirksstellenleitung => contributes(action) || reads_own_items(action),
        Role::Sachbearbeitung => reads_own_items(action),
        // It has the office of the bodies (Geschäftsstelle) too.
        Role::Fachbereichsleitung => matches!(
            action,
            Action::GrantRead
                | Action::GrantIssue
                | Action::GrantRevoke
                | Action::GrantLift
                | Action::PaperRead
                | Action::PaperSubmit
                | Action::PaperCall
                | Action::PaperVote
                | Action::DissentDecide
                | Action::MinutesRecord
                | Action::SignatureRecord
                | Action::SeatFill
                | Action::NoticeRead
        ),
        Role::Vorstand => matches!(
            action,
            Action::PaperRead
                | Action::PaperSubmit
                | Action::PaperVote
                | Action::DissentDecide
                // Told where a deadline was missed in spite of everything, and nothing else of it.
                | Action::NoticeRead
        ),
        Role::StadtLeitung => matches!(
            action,
            Action::PaperRead | Action::PaperSubmit | Action::PaperVote
        ),
        // Papers of one's own.
        Role::Budget | Role::Controlling => matches!(action, Action::PaperRead | Action::PaperSubmit),
        // Who was let in, by whom and for what, and who read what.
        Role::Datenschutz => {
            contributes(action) || matches!(action, Action::GrantRead | Action::ReadRecordList)
        }
        // One's own grants, before any is redeemed.
        Role::ExternalAuditor => contributes(action) || matches!(action, Action::GrantRead),
        Role::Fachleitung | Role::Gleichstellung | Role::Administration => false,
    }
}

/// What a Bezirksstelle does: it reads its own announced items, who else read them, and the deadlines set for it.
const fn reads_own_items(action: Action) -> bool {
    matches!(
        action,
        Action::EngagementRead
            | Action::SampleRead
            | Action::SampleItemRead
            | Action::CaseNumberRead
            | Action::ExternalReadList
            | Action::DeadlineRead
            | Action::NoticeRead
    )
}

/// What whoever speaks for a party of a draw does. It shows nothing of what is drawn: the second party lies outside the audit
/// function, and for an audit that is not announced outside the audited unit.
const fn contributes(action: Action) -> bool {
    matches!(
        action,
        Action::ContributionRead | Action::ContributionCommit | Action::ContributionOpen
    )
}

/// Whether it changes what hangs on an engagement, so that the engagement has to be open.
pub const fn needs_open(action: Action) -> bool {
    matches!(
        action,
        Action::EngagementClose
            | Action::PopulationCreate
            | Action::PopulationImport
            | Action::PopulationDiscard
            | Action::ControlTotalEnter
            | Action::DifferenceExplain
            | Action::DifferenceApprove
            | Action::PopulationFreeze
            | Action::SamplePlan
            | Action::SampleDraw
            | Action::ContributionCommit
            | Action::ContributionOpen
            | Action::SampleAbort
            | Action::SampleRecord
            | Action::SampleChoose
            | Action::SampleItemAnnounce
            | Action::CheckRecord
            | Action::CheckAssign
            | Action::ReplacementRequest
            | Action::KnownErrorPropose
            | Action::ReplacementApprove
            | Action::KnownErrorApprove
            | Action::KnownErrorRevoke
            | Action::DeadlineSet
            | Action::DeadlineAcknowledge
            | Action::DeadlineObject
            | Action::DeadlineMeet
            | Action::DeadlineExtend
            | Action::DeadlineCancel
            | Action::DeadlineConfirm
    )
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use entity::grant::{BodyKind, Kind};

    use super::*;
    use crate::access::{Class, FourEyes, classes, grantable, granted, needs_whole};

    /// One table: a row a thing, a column a role, a tick where it holds.
    fn ticked<T: Copy>(
        title: &str,
        rows: &[T],
        name: fn(T) -> &'static str,
        holds: fn(Role, T) -> bool,
    ) -> String {
        let mut text = format!("| {title} |");
        for role in Role::ALL {
            write!(text, " {role} |").unwrap();
        }
        text.push_str("\n|---|");
        text.push_str(&":-:|".repeat(Role::ALL.len()));
        for row in rows {
            write!(text, "\n| {} |", name(*row)).unwrap();
            for role in Role::ALL {
                text.push_str(if holds(*role, *row) { " x |" } else { " |" });
            }
        }
        text.push('\n');
        text
    }

    /// The same for grants: a column a kind, or a kind and a recipient.
    fn granted_table<C: Copy>(
        title: &str,
        rows: &[&str],
        columns: &[(&str, C)],
        cell: impl Fn(usize, C) -> &'static str,
    ) -> String {
        let mut text = format!("| {title} |");
        for (name, _) in columns {
            write!(text, " {name} |").unwrap();
        }
        text.push_str("\n|---|");
        text.push_str(&":-:|".repeat(columns.len()));
        for (place, row) in rows.iter().enumerate() {
            write!(text, "\n| {row} |").unwrap();
            for (_, column) in columns {
                text.push_str(cell(place, *column));
            }
        }
        text.push('\n');
        text
    }

    fn grants() -> String {
        let kinds = [("INSPECTION", Kind::Inspection), ("COMMISSION", Kind::Commission)];
        let actions: Vec<_> = Action::ALL.iter().map(|action| action.as_str()).collect();
        let permitted = granted_table("action", &actions, &kinds, |place, kind| {
            let action = Action::ALL[place];
            match (granted(kind, action), needs_whole(action)) {
                (false, _) => " |",
                (true, false) => " x |",
                (true, true) => " whole |",
            }
        });
        let recipients = [
            (
                "INSPECTION of a public body",
                (Kind::Inspection, BodyKind::Public),
            ),
            ("INSPECTION of another", (Kind::Inspection, BodyKind::NonPublic)),
            (
                "COMMISSION of a public body",
                (Kind::Commission, BodyKind::Public),
            ),
            ("COMMISSION of another", (Kind::Commission, BodyKind::NonPublic)),
        ];
        let classes: Vec<_> = Class::ALL.iter().map(|class| class.as_str()).collect();
        let shown = granted_table("class", &classes, &recipients, |place, (kind, body)| {
            if grantable(kind, body).contains(Class::ALL[place]) {
                " x |"
            } else {
                " |"
            }
        });
        format!(
            "Under a grant the tables of `granted` and `grantable` hold instead; \"whole\" where the grant reaches its engagements as a \
             whole, and of the classes those which the grant names.\n\n{permitted}\n{shown}"
        )
    }

    /// Who stands in where another person is needed: a row a rule.
    fn four_eyes() -> String {
        let mut text = "| four eyes | done by whoever may | by another who may | usually | or |\n".to_owned();
        text.push_str(&"|---".repeat(5));
        for rule in FourEyes::ALL {
            let or: Vec<&str> = rule.substitutes().iter().map(|role| role.as_str()).collect();
            write!(
                text,
                "|\n| {} | {} | {} | {} | {} ",
                rule.as_str(),
                rule.first().as_str(),
                rule.second().as_str(),
                rule.usual(),
                or.join(", ")
            )
            .unwrap();
        }
        text.push_str("|\n");
        text
    }

    #[test]
    fn the_tables_are_the_ones_that_were_reviewed() {
        let found = format!(
            "# Who may do what, and who sees what\n\nThe tables of `permits`, `classes`, `FourEyes`, `granted` and `grantable`, for review; a test compares them. PERSONNEL, and rows of own\nstaff, are for memberships of the named group alone (`+OWN_STAFF`), which is open to these roles.\n\n{}\n{}\n{}\n{}\n{}",
            ticked("action", Action::ALL, Action::as_str, permits),
            ticked("class", Class::ALL, Class::as_str, |role, class| classes(role)
                .contains(class)),
            ticked(
                "group",
                &["OWN_STAFF"],
                |name| name,
                |role, _| role.may_handle_own_staff()
            ),
            four_eyes(),
            grants(),
        );
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/access/tables.md");
        let reviewed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            reviewed == found,
            "audit/src/access/tables.md differs; reviewed, it would be:\n\n{found}"
        );
    }

    /// A grant shows what belongs to what it permits, and nothing that no kind of recipient may see.
    #[test]
    fn nothing_is_granted_that_grants_do_not_carry() {
        for (kind, body) in [
            (Kind::Inspection, BodyKind::Public),
            (Kind::Inspection, BodyKind::NonPublic),
            (Kind::Commission, BodyKind::Public),
            (Kind::Commission, BodyKind::NonPublic),
        ] {
            let classes = grantable(kind, body);
            assert!(classes.contains(Class::Audit) && classes.contains(Class::SocialData));
            for class in [Class::Benchmark, Class::AccessLog] {
                assert!(!classes.contains(class));
            }
            for class in [Class::Special, Class::Personnel] {
                let public = kind == Kind::Inspection && body == BodyKind::Public;
                assert_eq!(classes.contains(class), public, "{}", class.as_str());
            }
        }
        for action in Action::ALL {
            let writes = [Action::CheckRecord, Action::CommentWrite, Action::VisibilityState];
            let reads = action.as_str().ends_with("_READ") || *action == Action::SampleEvaluate;
            for kind in [Kind::Inspection, Kind::Commission] {
                assert!(
                    !granted(kind, *action) || reads || writes.contains(action),
                    "{}",
                    action.as_str()
                );
            }
        }
        assert!(!granted(Kind::Inspection, Action::CheckRecord));
    }

    #[test]
    fn whoever_administers_reads_no_content() {
        for action in Action::ALL {
            assert!(!permits(Role::Administration, *action), "{}", action.as_str());
        }
        for class in [
            Class::Audit,
            Class::SocialData,
            Class::Special,
            Class::Personnel,
            Class::Benchmark,
        ] {
            assert!(
                !classes(Role::Administration).contains(class),
                "{}",
                class.as_str()
            );
        }
    }
}
