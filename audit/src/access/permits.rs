//! The table of roles and actions: one exhaustive match.

use super::{Action, Role};

/// May this role do this?
///
/// The Innenrevision does the audit; its head closes and approves; the quality assurance approves and checks as a
/// second person. A Bezirksstelle reads its own announced items. Whoever administers reads no content.
///
/// A grant takes two people. The head of the Innenrevision proposes, or an auditor in the head's place; the head of the
/// Fachbereich issues, or, where an auditor proposed, the head of the Innenrevision. Each of them revokes it alone.
/// Whoever comes under a grant has the rights of [`super::granted`], and none of a role.
pub const fn permits(role: Role, action: Action) -> bool {
    match role {
        Role::InnenrevisionLeitung => match action {
            Action::EngagementRead
            | Action::EngagementOpen
            | Action::EngagementClose
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
            | Action::SampleAbort
            | Action::SampleRecord
            | Action::SampleItemRead
            | Action::SampleItemAnnounce
            | Action::CheckRead
            | Action::CheckRecord
            | Action::SampleEvaluate
            | Action::TrailRead
            | Action::GrantRead
            | Action::GrantPropose
            | Action::GrantIssue
            | Action::GrantRevoke
            | Action::GrantLift
            | Action::VisibilityState
            | Action::CommentRead => true,
            Action::GrantRedeem | Action::CommentWrite => false,
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
            | Action::SampleAbort
            | Action::SampleRecord
            | Action::SampleItemRead
            | Action::SampleItemAnnounce
            | Action::CheckRead
            | Action::CheckRecord
            | Action::SampleEvaluate
            | Action::TrailRead
            | Action::GrantRead
            | Action::GrantPropose
            | Action::GrantRevoke
            | Action::VisibilityState
            | Action::CommentRead => true,
            Action::EngagementClose
            | Action::DifferenceApprove
            | Action::GrantIssue
            | Action::GrantLift
            | Action::GrantRedeem
            | Action::CommentWrite => false,
        },
        Role::Qualitaetssicherung => match action {
            Action::EngagementRead
            | Action::PopulationRead
            | Action::ControlTotalEnter
            | Action::DifferenceApprove
            | Action::SampleRead
            | Action::SampleItemRead
            | Action::CheckRead
            | Action::CheckRecord
            | Action::SampleEvaluate
            | Action::TrailRead
            | Action::CommentRead => true,
            Action::EngagementOpen
            | Action::EngagementClose
            | Action::PopulationCreate
            | Action::PopulationImport
            | Action::PopulationDiscard
            | Action::DifferenceExplain
            | Action::PopulationFreeze
            | Action::SamplePlan
            | Action::SampleDraw
            | Action::SampleAbort
            | Action::SampleRecord
            | Action::SampleItemAnnounce
            | Action::GrantRead
            | Action::GrantPropose
            | Action::GrantIssue
            | Action::GrantRevoke
            | Action::GrantLift
            | Action::GrantRedeem
            | Action::VisibilityState
            | Action::CommentWrite => false,
        },
        Role::Bezirksstellenleitung | Role::Sachbearbeitung => {
            matches!(
                action,
                Action::EngagementRead | Action::SampleRead | Action::SampleItemRead
            )
        }
        Role::Fachbereichsleitung => matches!(
            action,
            Action::GrantRead | Action::GrantIssue | Action::GrantRevoke | Action::GrantLift
        ),
        // Who was let in, by whom and for what; and one's own grants, before any is redeemed.
        Role::Datenschutz | Role::ExternalAuditor => matches!(action, Action::GrantRead),
        Role::Budget
        | Role::Controlling
        | Role::Fachleitung
        | Role::Vorstand
        | Role::StadtLeitung
        | Role::Gleichstellung
        | Role::Administration => false,
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use crate::access::{Class, classes};

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

    #[test]
    fn the_tables_are_the_ones_that_were_reviewed() {
        let found = format!(
            "# Who may do what, and who sees what\n\nThe tables of `permits` and `classes`, for review; a test compares them.\n\n{}\n{}",
            ticked("action", Action::ALL, Action::as_str, permits),
            ticked("class", Class::ALL, Class::as_str, |role, class| classes(role)
                .contains(class)),
        );
        let reviewed = include_str!("tables.md");
        assert!(
            reviewed == found,
            "audit/src/access/tables.md differs; reviewed, it would be:\n\n{found}"
        );
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
