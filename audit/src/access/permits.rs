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
            | Action::CheckRead
            | Action::CheckRecord
            | Action::SampleEvaluate
            | Action::TrailRead => true,
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
            | Action::TrailRead => true,
            Action::EngagementClose | Action::DifferenceApprove => false,
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
            | Action::SampleItemAnnounce => false,
        },
        Role::Bezirksstellenleitung | Role::Sachbearbeitung => {
            matches!(
                action,
                Action::EngagementRead | Action::SampleRead | Action::SampleItemRead
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
