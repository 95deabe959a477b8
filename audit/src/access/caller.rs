//! Who asks, and which rows they see.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::grant::Reader;
use entity::{BezirksstelleId, Scope, paper};

use super::{Action, Class, Classes, Granted, Membership, Role, classes, permits};

/// The person (or the service itself) behind a request, under one membership.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Subject of the token.
    pub subject: String,
    /// Name as the identity provider gives it.
    pub name: Option<String>,
    /// The membership the request is made under; none for the anonymous and for people without a role.
    pub membership: Option<Membership>,
    /// The row of the membership's Bezirksstelle.
    pub bezirksstelle: Option<BezirksstelleId>,
    /// Whether a token was shown.
    pub authenticated: bool,
    /// The grant the request is made under: it takes the place of what the role may and sees.
    pub grant: Option<Arc<Granted>>,
}

impl Caller {
    /// Nobody: no token was shown.
    pub const fn anonymous() -> Self {
        Self {
            subject: String::new(),
            name: None,
            membership: None,
            bezirksstelle: None,
            authenticated: false,
            grant: None,
        }
    }

    /// The service itself.
    pub fn system() -> Self {
        Self {
            subject: "pruefpfad".to_owned(),
            name: None,
            membership: None,
            bezirksstelle: None,
            authenticated: true,
            grant: None,
        }
    }

    /// The role of the membership.
    pub fn role(&self) -> Option<Role> {
        self.membership.as_ref().map(Membership::role)
    }

    /// The membership as the trail names it, with the grant where there is one: `EXTERNAL_AUDITOR grant:<id>`.
    pub fn acting_as(&self) -> String {
        let membership = self
            .membership
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default();
        match &self.grant {
            Some(grant) => format!("{membership} grant:{}", grant.id),
            None => membership,
        }
    }

    /// May this caller do this?
    pub fn may(&self, action: Action) -> bool {
        match &self.grant {
            Some(grant) => grant.permits(action),
            None => self.role().is_some_and(|role| permits(role, action)),
        }
    }

    /// The classes of fields this caller sees.
    pub fn classes(&self) -> Classes {
        if let Some(grant) = &self.grant {
            return grant.classes;
        }
        let held = self.role().map(classes);
        match (held, self.authenticated) {
            (Some(held), _) if self.handles_own_staff() => held.with(Class::Personnel),
            (Some(held), _) => held,
            // Somebody without a role is known, and nothing more: enough to learn who one is.
            (None, true) => Classes::of(&[Class::Public, Class::Internal]),
            (None, false) => Classes::of(&[Class::Public]),
        }
    }

    /// The rows this caller sees.
    pub fn scope(&self, now: DateTime<Utc>) -> Scope {
        if let Some(grant) = &self.grant {
            return Scope::Grant {
                id: grant.id,
                coverage: grant.coverage.clone(),
                own_staff: grant.classes.contains(Class::Personnel),
            };
        }
        match self.role() {
            Some(role) if role.audits() => {
                if self.handles_own_staff() {
                    Scope::Everything
                } else {
                    Scope::WithoutOwnStaff
                }
            }
            Some(Role::Bezirksstellenleitung | Role::Sachbearbeitung) => {
                let own_staff = self.handles_own_staff();
                self.bezirksstelle
                    .map_or(Scope::Nothing, |id| Scope::Bezirksstelle { id, now, own_staff })
            }
            _ => Scope::Nothing,
        }
    }

    /// The grants this caller sees: whoever administers or controls them all, a recipient their own.
    pub fn grants(&self) -> Reader {
        match self.role() {
            Some(
                Role::InnenrevisionLeitung
                | Role::Innenrevision
                | Role::Fachbereichsleitung
                | Role::Datenschutz,
            ) => Reader::All,
            Some(Role::ExternalAuditor) => Reader::Recipient(self.subject.clone()),
            _ => Reader::Nobody,
        }
    }

    /// The papers of bodies this caller sees: the office of the bodies all, a member those of the body, the audit function what was
    /// decided on its matters, others their own.
    pub fn papers(&self, now: DateTime<Utc>) -> paper::Reader {
        if self.grant.is_some() {
            return paper::Reader::Nobody;
        }
        let subject = self.subject.clone();
        match self.role() {
            Some(Role::Fachbereichsleitung) => paper::Reader::Office,
            Some(Role::Vorstand | Role::StadtLeitung) => paper::Reader::Member { subject, now },
            Some(role) if role.audits() => paper::Reader::Audit(subject),
            Some(Role::Budget | Role::Controlling) => paper::Reader::Author(subject),
            _ => paper::Reader::Nobody,
        }
    }

    /// Whether the caller acts for the named group that handles own staff's items.
    fn handles_own_staff(&self) -> bool {
        self.membership.as_ref().is_some_and(Membership::own_staff)
    }
}
