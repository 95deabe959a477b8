//! Four eyes: whose work needs another person, who that usually is, and who stands in.

use super::{Action, Role};
use crate::{Code, Ctx, Error, Result};

words! {
    /// A rule by which one person's work holds only with another's.
    FourEyes {
        /// Whoever imported an extract does not say what it has to add up to.
        ControlTotal = "CONTROL_TOTAL",
        /// Whoever explains a difference does not approve the explanation.
        DifferenceApproval = "DIFFERENCE_APPROVAL",
        /// Whoever checked an item does not make its second check, where the plan asks for one.
        SecondCheck = "SECOND_CHECK",
        /// Whoever asks for a drawn item to be replaced does not approve it.
        Replacement = "REPLACEMENT",
        /// Whoever proposes that an error is known does not approve it.
        KnownError = "KNOWN_ERROR",
        /// Whoever proposes an edition of a parameter set does not approve it.
        ParameterSet = "PARAMETER_SET",
        /// Whoever proposes a grant does not issue it.
        GrantIssue = "GRANT_ISSUE",
        /// Whoever placed a legal hold does not lift it.
        LegalHold = "LEGAL_HOLD",
        /// Whoever set a deadline does not confirm that the right is barred.
        DeadlineBarred = "DEADLINE_BARRED",
    }
}

impl FourEyes {
    /// What the first person does.
    pub const fn first(self) -> Action {
        match self {
            Self::ControlTotal => Action::PopulationImport,
            Self::DifferenceApproval => Action::DifferenceExplain,
            Self::SecondCheck => Action::CheckRecord,
            Self::Replacement => Action::ReplacementRequest,
            Self::KnownError => Action::KnownErrorPropose,
            Self::ParameterSet => Action::ParameterSetPropose,
            Self::GrantIssue => Action::GrantPropose,
            Self::LegalHold => Action::LegalHoldPlace,
            Self::DeadlineBarred => Action::DeadlineSet,
        }
    }

    /// What the other person does.
    pub const fn second(self) -> Action {
        match self {
            Self::ControlTotal => Action::ControlTotalEnter,
            Self::DifferenceApproval => Action::DifferenceApprove,
            Self::SecondCheck => Action::CheckRecord,
            Self::Replacement => Action::ReplacementApprove,
            Self::KnownError => Action::KnownErrorApprove,
            Self::ParameterSet => Action::ParameterSetApprove,
            Self::GrantIssue => Action::GrantIssue,
            Self::LegalHold => Action::LegalHoldLift,
            Self::DeadlineBarred => Action::DeadlineConfirm,
        }
    }

    /// Who the other person usually is.
    pub const fn usual(self) -> Role {
        match self {
            Self::ControlTotal | Self::SecondCheck => Role::Innenrevision,
            Self::DifferenceApproval
            | Self::Replacement
            | Self::KnownError
            | Self::LegalHold
            | Self::DeadlineBarred => Role::InnenrevisionLeitung,
            Self::ParameterSet => Role::Qualitaetssicherung,
            Self::GrantIssue => Role::Fachbereichsleitung,
        }
    }

    /// Who stands in where there is no such person, or it is the first one.
    pub const fn substitutes(self) -> &'static [Role] {
        match self {
            Self::ControlTotal | Self::SecondCheck => {
                &[Role::InnenrevisionLeitung, Role::Qualitaetssicherung]
            }
            Self::DifferenceApproval | Self::Replacement | Self::KnownError | Self::DeadlineBarred => {
                &[Role::Qualitaetssicherung]
            }
            Self::ParameterSet => &[Role::Innenrevision],
            Self::GrantIssue => &[Role::InnenrevisionLeitung],
            Self::LegalHold => &[Role::Innenrevision, Role::Qualitaetssicherung],
        }
    }

    /// What the first person is told.
    pub(crate) const fn refusal(self) -> Code {
        match self {
            Self::ControlTotal => Code::ControlTotalSamePerson,
            Self::DifferenceApproval => Code::ApproverIsAuthor,
            Self::SecondCheck => Code::SecondCheckSamePerson,
            Self::Replacement => Code::ReplacementOwn,
            Self::KnownError => Code::KnownErrorOwn,
            Self::ParameterSet => Code::ParameterSetOwn,
            Self::GrantIssue => Code::GrantSamePerson,
            Self::LegalHold => Code::LegalHoldOwn,
            Self::DeadlineBarred => Code::DeadlineConfirmOwn,
        }
    }

    /// Refuses where the caller did the first part.
    pub(crate) fn another<'a>(
        self,
        ctx: &Ctx,
        first: impl IntoIterator<Item = &'a str>,
        path: &str,
    ) -> Result<()> {
        if first.into_iter().any(|subject| subject == ctx.caller.subject) {
            Err(Error::refused(self.refusal(), path))
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::permits;

    #[test]
    fn whoever_may_do_the_second_part_is_named() {
        for rule in FourEyes::ALL {
            for role in Role::ALL {
                let named = rule.usual() == *role || rule.substitutes().contains(role);
                assert_eq!(permits(*role, rule.second()), named, "{}: {role}", rule.as_str());
            }
        }
    }

    /// The head explains nothing where she alone could approve; everything else anybody may begin.
    #[test]
    fn two_auditors_and_a_head_are_enough() {
        let house = [
            Role::Innenrevision,
            Role::Innenrevision,
            Role::InnenrevisionLeitung,
        ];
        for rule in FourEyes::ALL {
            let pairs =
                (0..house.len()).flat_map(|first| (0..house.len()).map(move |second| (first, second)));
            let mut workable = pairs.filter(|(first, second)| {
                first != second
                    && permits(house[*first], rule.first())
                    && permits(house[*second], rule.second())
            });
            assert!(workable.next().is_some(), "{}", rule.as_str());
        }
    }
}
