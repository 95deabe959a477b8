//! Disclosure classes: what a field of the contract gives away, and which role may see it.

use super::Role;

words! {
    /// What a field gives away. Part of the contract: a class never changes, and never depends on a row's state.
    Class {
        /// For everybody, without a token.
        Public = "PUBLIC",
        /// For whoever has a token: rows still need their right and scope.
        Internal = "INTERNAL",
        /// Budgets and their use.
        Budget = "BUDGET",
        /// Working papers of an audit, until they are issued.
        Audit = "AUDIT",
        /// Social data (§ 35 SGB I, § 67 SGB X), pseudonymous or not.
        SocialData = "SOCIAL_DATA",
        /// Social data that needs special protection (§ 76 SGB X, Art. 9 GDPR).
        Special = "SPECIAL",
        /// Figures of the benchmarking, confidential to its participants.
        Benchmark = "BENCHMARK",
        /// Data of the own staff.
        Personnel = "PERSONNEL",
        /// Who read what.
        AccessLog = "ACCESS_LOG",
    }
}

/// A set of classes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Classes(u16);

impl Classes {
    /// No class.
    pub const NONE: Self = Self(0);

    /// Every class.
    pub const ALL: Self = Self::of(Class::ALL);

    /// These classes.
    pub const fn of(classes: &[Class]) -> Self {
        let mut set = Self::NONE;
        let mut place = 0;
        while place < classes.len() {
            set = set.with(classes[place]);
            place += 1;
        }
        set
    }

    /// The set and one class more.
    #[must_use]
    pub const fn with(self, class: Class) -> Self {
        Self(self.0 | 1 << class as u16)
    }

    /// The classes of either set.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The classes of both sets.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The classes that the other set lacks.
    #[must_use]
    pub const fn beyond(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether this class is one of them.
    pub const fn contains(self, class: Class) -> bool {
        self.0 & (1 << class as u16) != 0
    }

    /// The classes, in declared order.
    pub fn iter(self) -> impl Iterator<Item = Class> {
        Class::ALL
            .iter()
            .copied()
            .filter(move |class| self.contains(*class))
    }
}

/// The classes a role sees: one exhaustive match. Whoever shows no token sees what is public.
///
/// The audit function sees its papers and the social data behind them (§ 67c (3) SGB X); the casework sees social data of
/// its own Bezirksstelle. Who administers reads no content. An auditor from outside sees no rows without a grant, and so
/// nothing but how the house is organised.
pub const fn classes(role: Role) -> Classes {
    use Class::{AccessLog, Audit, Benchmark, Budget, Internal, Public, SocialData};
    match role {
        Role::InnenrevisionLeitung | Role::Innenrevision | Role::Qualitaetssicherung => {
            Classes::of(&[Public, Internal, Audit, SocialData])
        }
        Role::Bezirksstellenleitung | Role::Sachbearbeitung => Classes::of(&[Public, Internal, SocialData]),
        Role::Fachbereichsleitung | Role::Budget | Role::StadtLeitung => {
            Classes::of(&[Public, Internal, Budget])
        }
        Role::Controlling | Role::Vorstand => Classes::of(&[Public, Internal, Budget, Benchmark]),
        Role::Fachleitung | Role::Gleichstellung | Role::Administration | Role::ExternalAuditor => {
            Classes::of(&[Public, Internal])
        }
        Role::Datenschutz => Classes::of(&[Public, Internal, AccessLog]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Action, permits};

    #[test]
    fn whoever_may_read_rows_sees_their_fields() {
        for role in Role::ALL {
            for (action, class) in [
                (Action::SampleItemRead, Class::SocialData),
                (Action::PopulationRead, Class::Audit),
                (Action::CheckRead, Class::Audit),
                (Action::SampleEvaluate, Class::Audit),
                (Action::TrailRead, Class::Audit),
                (Action::ReadRecordList, Class::AccessLog),
            ] {
                assert!(
                    !permits(*role, action) || classes(*role).contains(class),
                    "{role}: {}",
                    action.as_str()
                );
            }
        }
    }

    #[test]
    fn sets_hold_what_was_put_in() {
        let set = Classes::of(&[Class::Audit, Class::Public]);
        assert!(set.iter().eq([Class::Public, Class::Audit]));
        let asked = set.with(Class::AccessLog);
        assert!(asked.beyond(set).iter().eq([Class::AccessLog]));
        assert!(set.beyond(asked).is_empty());
        assert!(
            Class::ALL
                .iter()
                .all(|class| Classes::of(Class::ALL).contains(*class))
        );
    }
}
