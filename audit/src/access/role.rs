//! The roles of the house and the membership under which a person acts.
//!
//! The list is closed: a role exists when `permits` answers for it, not when an identity provider sends its name.

use std::fmt;
use std::str::FromStr;

macro_rules! roles {
    ($($(#[$doc:meta])* $variant:ident => $text:literal,)+) => {
        /// What a person is to the Jobcenter; spelled the same in tokens, configuration, database and API.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Role {
            $($(#[$doc])* $variant,)+
        }

        impl Role {
            /// Every role, in the order of the design.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The text of the role.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }

        impl FromStr for Role {
            type Err = UnknownRole;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err(UnknownRole(text.to_owned())),
                }
            }
        }
    };
}

roles! {
    /// Head of the internal audit of the Kreis.
    InnenrevisionLeitung => "INNENREVISION_LEITUNG",
    /// Internal auditor of the Kreis.
    Innenrevision => "INNENREVISION",
    /// Reviewer of the auditors' work.
    Qualitaetssicherung => "QUALITAETSSICHERUNG",
    /// Head of the Fachbereich of the Kreis.
    Fachbereichsleitung => "FACHBEREICHSLEITUNG",
    /// Budget office of the Fachbereich.
    Budget => "BUDGET",
    /// Controlling of the Fachbereich.
    Controlling => "CONTROLLING",
    /// Technical supervision of the casework.
    Fachleitung => "FACHLEITUNG",
    /// Member of the Vorstand, or of another body that decides on papers.
    Vorstand => "VORSTAND",
    /// Head of one Bezirksstelle.
    Bezirksstellenleitung => "BEZIRKSSTELLENLEITUNG",
    /// Caseworker of one Bezirksstelle.
    Sachbearbeitung => "SACHBEARBEITUNG",
    /// Administration of the Stadt that runs one Bezirksstelle.
    StadtLeitung => "STADT_LEITUNG",
    /// Equal opportunities officer.
    Gleichstellung => "GLEICHSTELLUNG",
    /// Data protection officer.
    Datenschutz => "DATENSCHUTZ",
    /// Operator of the service: administers, reads no content.
    Administration => "ADMINISTRATION",
    /// Auditor from outside; sees nothing without a grant.
    ExternalAuditor => "EXTERNAL_AUDITOR",
}

impl Role {
    /// Whether the named group that handles own staff's items is open to this role: it works on items and takes no part
    /// in personnel decisions, as every head does (§ 35 (1) S. 3 SGB I).
    pub const fn may_handle_own_staff(self) -> bool {
        matches!(
            self,
            Self::Innenrevision | Self::Qualitaetssicherung | Self::Sachbearbeitung
        )
    }

    /// Whether it belongs to the audit function.
    pub const fn audits(self) -> bool {
        matches!(
            self,
            Self::InnenrevisionLeitung | Self::Innenrevision | Self::Qualitaetssicherung
        )
    }

    /// Whether a membership in this role needs a Bezirksstelle.
    pub const fn is_local(self) -> bool {
        matches!(
            self,
            Self::Bezirksstellenleitung | Self::Sachbearbeitung | Self::StadtLeitung
        )
    }
}

impl fmt::Display for Role {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl serde::Serialize for Role {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// A text that names no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no role is called {0:?}")]
pub struct UnknownRole(pub String);

/// One role of one person, with its Bezirksstelle where the role is local. Written `INNENREVISION` or `SACHBEARBEITUNG:03`;
/// with `+OWN_STAFF` behind it for whoever belongs to the named group that handles own staff's items.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Membership {
    role: Role,
    bezirksstelle: Option<String>,
    own_staff: bool,
    at_host: bool,
}

/// What a membership of the named group ends with.
const OWN_STAFF: &str = "+OWN_STAFF";

/// Longest number of a Bezirksstelle.
const NUMBER_LENGTH: usize = 16;

impl Membership {
    /// A membership, if role and Bezirksstelle fit together.
    pub fn new(role: Role, bezirksstelle: Option<&str>) -> Result<Self, MembershipTextError> {
        match bezirksstelle {
            None if role.is_local() => Err(MembershipTextError::BezirksstelleMissing(role)),
            Some(_) if !role.is_local() => Err(MembershipTextError::BezirksstelleUnexpected(role)),
            Some(number) if !is_number(number) => {
                Err(MembershipTextError::BezirksstelleMalformed(number.to_owned()))
            }
            number => Ok(Self {
                role,
                bezirksstelle: number.map(str::to_owned),
                own_staff: false,
                at_host: false,
            }),
        }
    }

    /// The same membership in the named group that handles own staff's items, if the group is open to its role.
    pub fn handling_own_staff(mut self) -> Result<Self, MembershipTextError> {
        if self.role.may_handle_own_staff() {
            self.own_staff = true;
            Ok(self)
        } else {
            Err(MembershipTextError::OwnStaffUnexpected(self.role))
        }
    }

    /// The same membership, taken on by who runs the program on the service's own machine: no identity provider vouches for it, and
    /// records say so (`INNENREVISION host`).
    #[must_use]
    pub fn at_host(mut self) -> Self {
        self.at_host = true;
        self
    }

    /// Whether it is of the named group that handles own staff's items.
    pub const fn own_staff(&self) -> bool {
        self.own_staff
    }

    /// The role.
    pub const fn role(&self) -> Role {
        self.role
    }

    /// The number of the Bezirksstelle, for local roles and only for them.
    pub fn bezirksstelle(&self) -> Option<&str> {
        self.bezirksstelle.as_deref()
    }
}

fn is_number(text: &str) -> bool {
    (1..=NUMBER_LENGTH).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

impl fmt::Display for Membership {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.role.as_str())?;
        if let Some(number) = &self.bezirksstelle {
            write!(out, ":{number}")?;
        }
        out.write_str(if self.own_staff { OWN_STAFF } else { "" })?;
        out.write_str(if self.at_host { " host" } else { "" })
    }
}

impl FromStr for Membership {
    type Err = MembershipTextError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (text, own_staff) = match text.strip_suffix(OWN_STAFF) {
            Some(text) => (text, true),
            None => (text, false),
        };
        let membership = match text.split_once(':') {
            Some((role, number)) => Self::new(role.parse()?, Some(number)),
            None => Self::new(text.parse()?, None),
        }?;
        if own_staff {
            membership.handling_own_staff()
        } else {
            Ok(membership)
        }
    }
}

/// Why a text is no membership.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MembershipTextError {
    /// The part before the colon is no role.
    #[error(transparent)]
    Role(#[from] UnknownRole),
    /// A local role without its Bezirksstelle.
    #[error("{0} belongs to a Bezirksstelle: write {0}:03")]
    BezirksstelleMissing(Role),
    /// A role of the Kreis with a Bezirksstelle.
    #[error("{0} belongs to no Bezirksstelle: write {0}")]
    BezirksstelleUnexpected(Role),
    /// A role to which the named group is not open.
    #[error(
        "{0} cannot be in the group that handles own staff's items: INNENREVISION, QUALITAETSSICHERUNG and SACHBEARBEITUNG can"
    )]
    OwnStaffUnexpected(Role),
    /// The part after the colon is no number of a Bezirksstelle.
    #[error("{0:?} is no number of a Bezirksstelle")]
    BezirksstelleMalformed(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_reads_back_from_its_text() {
        assert_eq!(Role::ALL.len(), 15);
        for role in Role::ALL {
            assert_eq!(role.as_str().parse(), Ok(*role));
            assert!(
                role.as_str()
                    .bytes()
                    .all(|byte| byte.is_ascii_uppercase() || byte == b'_')
            );
        }
        assert_eq!(
            "innenrevision".parse::<Role>(),
            Err(UnknownRole("innenrevision".to_owned()))
        );
    }

    #[test]
    fn every_membership_reads_back_from_its_text() {
        for role in Role::ALL {
            let text = if role.is_local() {
                format!("{role}:03")
            } else {
                role.to_string()
            };
            assert_eq!(
                text.parse::<Membership>()
                    .map(|membership| membership.to_string()),
                Ok(text.clone())
            );
            let own_staff = format!("{text}+OWN_STAFF").parse::<Membership>();
            assert_eq!(own_staff.is_ok(), role.may_handle_own_staff(), "{role}");
            if let Ok(membership) = own_staff {
                assert!(membership.own_staff());
                assert_eq!(membership.to_string(), format!("{text}+OWN_STAFF"));
            }
        }
    }

    #[test]
    fn whoever_takes_part_in_personnel_decisions_handles_no_own_staff() {
        let heads = [
            Role::InnenrevisionLeitung,
            Role::Fachbereichsleitung,
            Role::Bezirksstellenleitung,
            Role::StadtLeitung,
            Role::Vorstand,
        ];
        assert!(heads.iter().all(|role| !role.may_handle_own_staff()));
    }

    #[test]
    fn role_and_bezirksstelle_must_fit() {
        let refused = |text: &str| text.parse::<Membership>().err().map(|error| error.to_string());
        assert_eq!(
            refused("SACHBEARBEITUNG").as_deref(),
            Some("SACHBEARBEITUNG belongs to a Bezirksstelle: write SACHBEARBEITUNG:03")
        );
        assert_eq!(
            refused("INNENREVISION:03").as_deref(),
            Some("INNENREVISION belongs to no Bezirksstelle: write INNENREVISION")
        );
        assert_eq!(
            refused("SACHBEARBEITUNG:").as_deref(),
            Some("\"\" is no number of a Bezirksstelle")
        );
        assert_eq!(
            refused("SACHBEARBEITUNG:0 3").as_deref(),
            Some("\"0 3\" is no number of a Bezirksstelle")
        );
        assert_eq!(refused("NOBODY").as_deref(), Some("no role is called \"NOBODY\""));
    }
}
