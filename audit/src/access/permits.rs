//! The table of roles and actions: one exhaustive match.

use super::{Action, Role};

/// May this role do this?
///
/// The Innenrevision does the audit; its head closes and approves; the quality assurance approves and checks as a
/// second person. A Bezirksstelle reads its own announced items. Whoever administers reads no content.
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
            | Action::Reidentify
            | Action::CheckRead
            | Action::CheckRecord
            | Action::SampleEvaluate
            | Action::TrailRead => true,
            Action::CaseNumberRead => false,
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
            | Action::Reidentify
            | Action::CheckRead
            | Action::CheckRecord
            | Action::SampleEvaluate
            | Action::TrailRead => true,
            Action::EngagementClose | Action::DifferenceApprove | Action::CaseNumberRead => false,
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
            | Action::TrailRead => true,
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
            | Action::CaseNumberRead
            | Action::Reidentify => false,
        },
        Role::Bezirksstellenleitung | Role::Sachbearbeitung => {
            matches!(
                action,
                Action::EngagementRead | Action::SampleRead | Action::SampleItemRead | Action::CaseNumberRead
            )
        }
        Role::Fachbereichsleitung
        | Role::Budget
        | Role::Controlling
        | Role::Fachleitung
        | Role::Vorstand
        | Role::StadtLeitung
        | Role::Gleichstellung
        | Role::Datenschutz
        | Role::Administration
        | Role::ExternalAuditor => false,
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use crate::access::{Class, FourEyes, classes};

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
            "# Who may do what, and who sees what\n\nThe tables of `permits`, `classes` and `FourEyes`, for review; a test compares them. PERSONNEL, and rows of own\nstaff, are for memberships of the named group alone (`+OWN_STAFF`), which is open to these roles.\n\n{}\n{}\n{}\n{}",
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
