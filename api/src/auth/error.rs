//! Refusals of tokens and memberships, and how they look over HTTP.

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use audit::access::Membership;
use serde_json::{Value, json};

/// Why a token is refused. The texts say nothing about keys; the code is the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum TokenError {
    /// No token where one is needed.
    #[error("Zugangstoken fehlt: Kopfzeile `Authorization: Bearer <Token>` senden")]
    Missing,
    /// Not a signed token of the expected form.
    #[error("Zugangstoken ist nicht lesbar")]
    Malformed,
    /// After its end.
    #[error("Zugangstoken ist abgelaufen: bitte neu anmelden")]
    Expired,
    /// Before its begin.
    #[error("Zugangstoken gilt noch nicht: Uhren von Anmeldedienst und Dienst vergleichen")]
    NotYetValid,
    /// From somebody else.
    #[error("Zugangstoken stammt von einem fremden Aussteller")]
    WrongIssuer,
    /// For somebody else.
    #[error("Zugangstoken ist für einen anderen Dienst ausgestellt")]
    WrongAudience,
    /// An ID token, say.
    #[error("Kein Zugangstoken: `typ` passt nicht")]
    WrongType,
    /// Signed with a key that is not configured.
    #[error("Zugangstoken ist mit einem unbekannten Schlüssel unterschrieben")]
    UnknownKey,
    /// Not the algorithm of the key, or none at all.
    #[error("Zugangstoken nennt ein unzulässiges Verfahren")]
    WrongAlgorithm,
    /// Altered, or signed by another key.
    #[error("Unterschrift des Zugangstokens stimmt nicht")]
    BadSignature,
}

impl TokenError {
    /// Every refusal.
    pub const ALL: [Self; 10] = [
        Self::Missing,
        Self::Malformed,
        Self::Expired,
        Self::NotYetValid,
        Self::WrongIssuer,
        Self::WrongAudience,
        Self::WrongType,
        Self::UnknownKey,
        Self::WrongAlgorithm,
        Self::BadSignature,
    ];

    /// Its code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Missing => "TOKEN_MISSING",
            Self::Malformed => "TOKEN_MALFORMED",
            Self::Expired => "TOKEN_EXPIRED",
            Self::NotYetValid => "TOKEN_NOT_YET_VALID",
            Self::WrongIssuer => "TOKEN_WRONG_ISSUER",
            Self::WrongAudience => "TOKEN_WRONG_AUDIENCE",
            Self::WrongType => "TOKEN_WRONG_TYPE",
            Self::UnknownKey => "TOKEN_UNKNOWN_KEY",
            Self::WrongAlgorithm => "TOKEN_WRONG_ALGORITHM",
            Self::BadSignature => "TOKEN_BAD_SIGNATURE",
        }
    }
}

/// Why no membership could be chosen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MembershipError {
    /// Several are held and none was named.
    #[error("Mehrere Mitgliedschaften: eine davon in der Kopfzeile `Pruefpfad-Membership` nennen")]
    Required(Vec<Membership>),
    /// The named one is not held.
    #[error("Diese Mitgliedschaft besteht nicht")]
    NotHeld(Vec<Membership>),
}

impl MembershipError {
    /// Its code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Required(_) => "MEMBERSHIP_REQUIRED",
            Self::NotHeld(_) => "MEMBERSHIP_NOT_HELD",
        }
    }

    /// The memberships that may be named.
    pub fn held(&self) -> &[Membership] {
        let (Self::Required(held) | Self::NotHeld(held)) = self;
        held
    }
}

/// Why a request is not let in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// The token: 401.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The membership: 403.
    #[error(transparent)]
    Membership(#[from] MembershipError),
}

impl AuthError {
    /// The code that stands as `reason`.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Token(error) => error.code(),
            Self::Membership(error) => error.code(),
        }
    }

    /// The answer's body.
    pub fn body(&self) -> Value {
        let mut extensions = match self {
            Self::Token(_) => json!({"code": "UNAUTHENTICATED", "reason": self.reason()}),
            Self::Membership(_) => json!({"code": "FORBIDDEN", "reason": self.reason()}),
        };
        if let Self::Membership(error) = self {
            let held: Vec<_> = error.held().iter().map(ToString::to_string).collect();
            extensions["memberships"] = json!(held);
        }
        json!({"errors": [{"message": self.to_string(), "extensions": extensions}]})
    }

    fn challenge(&self) -> Option<HeaderValue> {
        match self {
            // RFC 6750, section 3.1: without credentials the challenge carries no error.
            Self::Token(TokenError::Missing) => Some(HeaderValue::from_static("Bearer")),
            Self::Token(_) => Some(HeaderValue::from_static("Bearer error=\"invalid_token\"")),
            Self::Membership(_) => None,
        }
    }
}

impl ResponseError for AuthError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Token(_) => StatusCode::UNAUTHORIZED,
            Self::Membership(_) => StatusCode::FORBIDDEN,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut answer = HttpResponse::build(self.status_code());
        if let Some(challenge) = self.challenge() {
            answer.insert_header((WWW_AUTHENTICATE, challenge));
        }
        answer.json(self.body())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refused_tokens_answer_401_with_a_code() {
        for error in TokenError::ALL {
            let refusal = AuthError::from(error);
            let answer = refusal.error_response();
            assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
            assert!(answer.headers().contains_key(WWW_AUTHENTICATE));
            let extensions = &refusal.body()["errors"][0]["extensions"];
            assert_eq!(extensions["code"], "UNAUTHENTICATED");
            assert!(
                extensions["reason"]
                    .as_str()
                    .is_some_and(|code| code.starts_with("TOKEN_"))
            );
        }
    }

    #[test]
    fn an_undecided_caller_is_told_the_choice() {
        let refusal = AuthError::from(MembershipError::Required(
            "INNENREVISION".parse().into_iter().collect(),
        ));
        assert_eq!(refusal.error_response().status(), StatusCode::FORBIDDEN);
        assert_eq!(
            refusal.body()["errors"][0]["extensions"],
            json!({"code": "FORBIDDEN", "reason": "MEMBERSHIP_REQUIRED", "memberships": ["INNENREVISION"]})
        );
    }
}
