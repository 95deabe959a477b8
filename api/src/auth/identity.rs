//! What a verified token says about the caller.

use audit::access::Membership;
use chrono::{DateTime, Utc};

use super::{GrantClaims, MembershipError};

/// A caller whose token was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The `sub` claim.
    pub subject: String,
    /// A name for people, if the token has one.
    pub name: Option<String>,
    /// What the caller may act as; without any, the caller is known and may do nothing.
    pub memberships: Vec<Membership>,
    /// The `jti` claim.
    pub token_id: String,
    /// When the token ends.
    pub expires_at: DateTime<Utc>,
    /// The thumbprint of the key that the token is bound to (`cnf.jkt`): without a proof by it, the token is worth nothing.
    pub bound_to: Option<String>,
    /// The grant, for a token that was made from one.
    pub grant: Option<GrantClaims>,
}

impl Identity {
    /// The membership of a request that names `wanted`. Nobody acts under two at once, and nobody under one by accident.
    pub fn act_as(&self, wanted: Option<&str>) -> Result<Option<Membership>, MembershipError> {
        match (wanted, self.memberships.as_slice()) {
            (Some(text), held) => match held
                .iter()
                .find(|membership| membership.to_string() == text.trim())
            {
                Some(membership) => Ok(Some(membership.clone())),
                None => Err(MembershipError::NotHeld(held.to_vec())),
            },
            (None, []) => Ok(None),
            (None, [only]) => Ok(Some(only.clone())),
            (None, several) => Err(MembershipError::Required(several.to_vec())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(memberships: &[&str]) -> Identity {
        Identity {
            subject: "s".to_owned(),
            name: None,
            memberships: memberships.iter().map(|text| text.parse().unwrap()).collect(),
            token_id: "t".to_owned(),
            expires_at: DateTime::UNIX_EPOCH,
            bound_to: None,
            grant: None,
        }
    }

    #[test]
    fn a_request_acts_under_one_membership() {
        let text = |caller: &Identity, wanted| {
            caller
                .act_as(wanted)
                .map(|chosen| chosen.map(|membership| membership.to_string()))
        };
        let two = caller(&["INNENREVISION", "SACHBEARBEITUNG:03"]);
        assert_eq!(text(&caller(&[]), None), Ok(None));
        assert_eq!(
            text(&caller(&["VORSTAND"]), None),
            Ok(Some("VORSTAND".to_owned()))
        );
        assert_eq!(
            text(&two, Some("SACHBEARBEITUNG:03")),
            Ok(Some("SACHBEARBEITUNG:03".to_owned()))
        );
        assert_eq!(
            text(&two, None),
            Err(MembershipError::Required(two.memberships.clone()))
        );
        assert_eq!(
            text(&two, Some("SACHBEARBEITUNG:04")),
            Err(MembershipError::NotHeld(two.memberships.clone()))
        );
        assert_eq!(
            text(&caller(&[]), Some("VORSTAND")),
            Err(MembershipError::NotHeld(Vec::new()))
        );
    }
}
