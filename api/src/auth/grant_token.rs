//! Tokens of grants: short, signed by the service itself, and good only together with the stored grant.
//!
//! A token says whom it is for, which grant it comes from, and in `authorization_details` (RFC 9396) what it reaches. What it
//! says is compared with the stored grant at every request; in every part the narrower wins.

use audit::access::{Class, Classes, Membership, Role};
use audit::grant::Details;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use entity::grant::{Coverage, Period};
use entity::{BezirksstelleId, EngagementId, Fund, GrantId};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::{Identity, TokenError};
use crate::graphql::NodeKind;

/// How long a token holds.
pub const LIFETIME: TimeDelta = TimeDelta::minutes(15);

/// The type of the authorization details.
pub const DETAIL_TYPE: &str = "pruefpfad_engagement";

/// The `typ` of these tokens, whatever the identity provider calls its own.
const TYP: &str = "at+jwt";

/// What a token of a grant says about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantClaims {
    /// The grant.
    pub id: GrantId,
    /// What the token reaches and shows.
    pub details: Details,
}

/// Authorization details (RFC 9396) of type [`DETAIL_TYPE`], on the wire. Ids are those of the API. What a request leaves out
/// is as the grant has it; a token says all that restricts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub struct AuthorizationDetail {
    /// [`DETAIL_TYPE`].
    #[serde(rename = "type")]
    pub kind: String,
    /// The grant.
    pub identifier: String,
    /// Engagements.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engagements: Option<Vec<String>>,
    /// Only these Bezirksstellen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bezirksstellen: Option<Vec<String>>,
    /// First day of the only period; together with `period_to`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period_from: Option<NaiveDate>,
    /// Last day of the only period.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period_to: Option<NaiveDate>,
    /// Only these funds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub funds: Option<Vec<Fund>>,
    /// Disclosure classes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub datatypes: Option<Vec<String>>,
}

impl AuthorizationDetail {
    /// Details of a grant as they are sent.
    pub fn of(grant: GrantId, details: &Details) -> Self {
        let coverage = &details.coverage;
        Self {
            kind: DETAIL_TYPE.to_owned(),
            identifier: NodeKind::Grant.id(grant.0).to_string(),
            engagements: Some(
                coverage
                    .engagements
                    .iter()
                    .map(|id| NodeKind::Engagement.id(id.0).to_string())
                    .collect(),
            ),
            bezirksstellen: coverage.bezirksstellen.as_ref().map(|ids| {
                ids.iter()
                    .map(|id| NodeKind::Bezirksstelle.id(id.0).to_string())
                    .collect()
            }),
            period_from: coverage.period.map(|period| period.from),
            period_to: coverage.period.map(|period| period.to),
            funds: coverage.funds.clone(),
            datatypes: Some(
                details
                    .classes
                    .iter()
                    .map(|class| class.as_str().to_owned())
                    .collect(),
            ),
        }
    }

    /// The grant it names; none where it is of another type.
    pub fn grant(&self) -> Option<GrantId> {
        (self.kind == DETAIL_TYPE)
            .then(|| NodeKind::Grant.parse(&self.identifier).map(GrantId))
            .flatten()
    }

    /// What it says, with what it leaves out taken from `otherwise`. None where it cannot be meant.
    pub fn details(&self, otherwise: &Details) -> Option<Details> {
        let ids = |given: &Option<Vec<String>>, kind: NodeKind| match given {
            None => Some(None),
            Some(list) => list
                .iter()
                .map(|id| kind.parse(id))
                .collect::<Option<Vec<_>>>()
                .map(Some),
        };
        let period = match (self.period_from, self.period_to) {
            (None, None) => otherwise.coverage.period,
            (Some(from), Some(to)) => Some(Period { from, to }),
            _ => return None,
        };
        let classes = match &self.datatypes {
            None => otherwise.classes,
            Some(words) => words
                .iter()
                .map(|word| Class::ALL.iter().copied().find(|class| class.as_str() == word))
                .collect::<Option<Vec<_>>>()
                .map(|classes| Classes::of(&classes))?,
        };
        Some(Details {
            coverage: Coverage {
                engagements: match ids(&self.engagements, NodeKind::Engagement)? {
                    Some(list) => list.into_iter().map(EngagementId).collect(),
                    None => otherwise.coverage.engagements.clone(),
                },
                bezirksstellen: ids(&self.bezirksstellen, NodeKind::Bezirksstelle)?
                    .map(|list| list.into_iter().map(BezirksstelleId).collect())
                    .or_else(|| otherwise.coverage.bezirksstellen.clone()),
                period,
                funds: self.funds.clone().or_else(|| otherwise.coverage.funds.clone()),
            },
            classes,
        })
    }
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    jti: String,
    exp: i64,
    name: Option<String>,
    cnf: Option<Confirmation>,
    authorization_details: Vec<AuthorizationDetail>,
}

/// The key a token is bound to (RFC 9449, section 6.1).
#[derive(Deserialize)]
struct Confirmation {
    jkt: String,
}

/// Whom a token is for, and what it says.
#[derive(Debug, Clone)]
pub struct GrantToken<'a> {
    /// The subject: the person's at the identity provider.
    pub subject: &'a str,
    /// The person's name, as the grant has it.
    pub name: &'a str,
    /// The grant.
    pub grant: GrantId,
    /// What the token reaches and shows.
    pub details: &'a Details,
    /// Thumbprint of the key that its holder proves to have at every use.
    pub bound_to: Option<&'a str>,
    /// The end of the grant; a token does not outlast it.
    pub grant_ends: Option<DateTime<Utc>>,
}

/// Signs tokens of grants, and knows its own again.
pub struct GrantIssuer {
    kid: String,
    issuer: String,
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
    audience: String,
}

impl GrantIssuer {
    /// The issuer with this key. `issuer` is the service's public address; none where the key cannot be used.
    pub fn new(seed: &[u8; 32], issuer: &str, audience: &str) -> Option<Self> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).ok()?;
        let pkcs8 = pair.to_pkcs8v1().ok()?;
        let public = pair.public_key().as_ref();
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[audience]);
        validation.required_spec_claims = ["iss", "aud", "sub", "exp"].map(str::to_owned).into();
        // The library reads the system's clock; `verify` compares with ours.
        validation.validate_exp = false;
        Some(Self {
            kid: format!("grant-{}", hex::encode(&Sha256::digest(public)[..8])),
            issuer: issuer.to_owned(),
            encoding: EncodingKey::from_ed_der(pkcs8.as_ref()),
            decoding: DecodingKey::from_ed_der(public),
            validation,
            audience: audience.to_owned(),
        })
    }

    /// A token and when it ends.
    pub fn issue(
        &self,
        token: &GrantToken<'_>,
        now: DateTime<Utc>,
    ) -> Result<(String, DateTime<Utc>), jsonwebtoken::errors::Error> {
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(self.kid.clone());
        header.typ = Some(TYP.to_owned());
        let ends = match token.grant_ends {
            Some(end) => end.min(now + LIFETIME),
            None => now + LIFETIME,
        };
        let mut claims = json!({
            "iss": self.issuer,
            "aud": self.audience,
            "sub": token.subject,
            "name": token.name,
            "client_id": "pruefpfad-grant",
            "jti": crate::http::random_id().to_string(),
            "iat": now.timestamp(),
            "exp": ends.timestamp(),
            "authorization_details": [AuthorizationDetail::of(token.grant, token.details)],
        });
        if let Some(thumbprint) = token.bound_to {
            claims["cnf"] = json!({ "jkt": thumbprint });
        }
        Ok((encode(&header, &claims, &self.encoding)?, ends))
    }

    /// Whether a token names this issuer's key; whether it holds is another question.
    pub fn names(&self, kid: &str) -> bool {
        kid == self.kid
    }

    /// Who holds this token, which names this issuer's key.
    pub fn verify(&self, token: &str, typ: Option<&str>, now: DateTime<Utc>) -> Result<Identity, TokenError> {
        if typ != Some(TYP) {
            return Err(TokenError::WrongType);
        }
        let claims = decode::<Claims>(token, &self.decoding, &self.validation)
            .map_err(|error| match error.kind() {
                ErrorKind::InvalidSignature => TokenError::BadSignature,
                ErrorKind::InvalidIssuer => TokenError::WrongIssuer,
                ErrorKind::InvalidAudience => TokenError::WrongAudience,
                ErrorKind::InvalidAlgorithm => TokenError::WrongAlgorithm,
                _ => TokenError::Malformed,
            })?
            .claims;
        let expires_at = DateTime::from_timestamp(claims.exp, 0).ok_or(TokenError::Malformed)?;
        if expires_at <= now {
            return Err(TokenError::Expired);
        }
        let [detail] = claims.authorization_details.as_slice() else {
            return Err(TokenError::Malformed);
        };
        // A token says all it reaches: what it leaves out of engagements and classes is nothing.
        let nothing = Details {
            coverage: Coverage {
                engagements: Vec::new(),
                bezirksstellen: None,
                period: None,
                funds: None,
            },
            classes: Classes::NONE,
        };
        let (Some(id), Some(details)) = (detail.grant(), detail.details(&nothing)) else {
            return Err(TokenError::Malformed);
        };
        Ok(Identity {
            subject: claims.sub,
            name: claims.name,
            memberships: Membership::new(Role::ExternalAuditor, None).into_iter().collect(),
            token_id: claims.jti,
            expires_at,
            bound_to: claims.cnf.map(|confirmation| confirmation.jkt),
            grant: Some(GrantClaims { id, details }),
        })
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn details() -> Details {
        Details {
            coverage: Coverage {
                engagements: vec![EngagementId(Uuid::from_u128(1))],
                bezirksstellen: Some(vec![BezirksstelleId(Uuid::from_u128(2))]),
                period: Some(Period {
                    from: NaiveDate::from_ymd_opt(2025, 1, 1).unwrap(),
                    to: NaiveDate::from_ymd_opt(2025, 3, 31).unwrap(),
                }),
                funds: Some(vec![Fund::Bund]),
            },
            classes: Classes::of(&[Class::Public, Class::Internal, Class::Audit]),
        }
    }

    #[test]
    fn a_token_is_known_again_until_it_ends_and_by_its_own_issuer_only() {
        let issuer = GrantIssuer::new(&[7; 32], "https://vks.example", "pruefpfad").unwrap();
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let (grant, details) = (GrantId(Uuid::from_u128(9)), details());
        let asked = GrantToken {
            subject: "brh-1",
            name: "R. Prüfer",
            grant,
            details: &details,
            bound_to: None,
            grant_ends: None,
        };
        let (token, ends) = issuer.issue(&asked, now).unwrap();
        assert_eq!(ends, now + LIFETIME);
        let identity = issuer.verify(&token, Some(TYP), now).unwrap();
        assert_eq!(
            (identity.subject.as_str(), identity.grant),
            (
                "brh-1",
                Some(GrantClaims {
                    id: grant,
                    details: details.clone()
                })
            )
        );
        assert_eq!(
            issuer.verify(&token, Some("JWT"), now),
            Err(TokenError::WrongType)
        );
        assert_eq!(issuer.verify(&token, Some(TYP), ends), Err(TokenError::Expired));
        for (other, refusal) in [
            (
                GrantIssuer::new(&[8; 32], "https://vks.example", "pruefpfad"),
                TokenError::BadSignature,
            ),
            (
                GrantIssuer::new(&[7; 32], "https://other.example", "pruefpfad"),
                TokenError::WrongIssuer,
            ),
            (
                GrantIssuer::new(&[7; 32], "https://vks.example", "other"),
                TokenError::WrongAudience,
            ),
        ] {
            assert_eq!(other.unwrap().verify(&token, Some(TYP), now), Err(refusal));
        }
        let soon = now + TimeDelta::minutes(1);
        let asked = GrantToken {
            grant_ends: Some(soon),
            ..asked
        };
        assert_eq!(issuer.issue(&asked, now).unwrap().1, soon);
    }

    #[test]
    fn details_read_back_and_half_a_period_is_none() {
        let (grant, details) = (GrantId(Uuid::from_u128(9)), details());
        let mut sent = AuthorizationDetail::of(grant, &details);
        let text = serde_json::to_string(&sent).unwrap();
        assert_eq!(serde_json::from_str::<AuthorizationDetail>(&text).unwrap(), sent);
        assert_eq!(
            (sent.grant(), sent.details(&details)),
            (Some(grant), Some(details.clone()))
        );
        sent.period_to = None;
        assert_eq!(sent.details(&details), None);
        sent.kind = "payment_initiation".to_owned();
        assert_eq!(sent.grant(), None);
    }
}
