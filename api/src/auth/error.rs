//! Refusals of tokens and memberships, and how they look over HTTP.

use std::fmt::{Display, Formatter};

use actix_web::http::StatusCode;
use actix_web::http::header::WWW_AUTHENTICATE;
use actix_web::{HttpResponse, ResponseError};
use audit::access::Membership;
use audit::grant::Unusable;
use serde_json::{Value, json};

use super::ProofError;
use crate::language::Language;

/// Why a token is refused. The texts say nothing about keys; the code is the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenError {
    /// No token where one is needed.
    Missing,
    /// Not a signed token of the expected form.
    Malformed,
    /// After its end.
    Expired,
    /// Before its begin.
    NotYetValid,
    /// From somebody else.
    WrongIssuer,
    /// For somebody else.
    WrongAudience,
    /// An ID token, say.
    WrongType,
    /// Signed with a key that is not configured.
    UnknownKey,
    /// Not the algorithm of the key, or none at all.
    WrongAlgorithm,
    /// Altered, or signed by another key.
    BadSignature,
    /// The issuer's keys were never fetched, or so long ago that they are believed no more.
    KeysUnavailable,
}

impl TokenError {
    /// Every refusal.
    pub const ALL: [Self; 11] = [
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
        Self::KeysUnavailable,
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
            Self::KeysUnavailable => "TOKEN_KEYS_UNAVAILABLE",
        }
    }

    /// What is wrong, and what to do where somebody can do something.
    pub fn message(self, language: Language) -> &'static str {
        match self {
            Self::Missing => language.say(
                "Zugangstoken fehlt: Kopfzeile `Authorization: Bearer <Token>` senden",
                "Access token missing: send the header `Authorization: Bearer <token>`",
            ),
            Self::Malformed => {
                language.say("Zugangstoken ist nicht lesbar", "The access token cannot be read")
            }
            Self::Expired => language.say(
                "Zugangstoken ist abgelaufen: bitte neu anmelden",
                "The access token has expired: sign in again",
            ),
            Self::NotYetValid => language.say(
                "Zugangstoken gilt noch nicht: Uhren von Anmeldedienst und Dienst vergleichen",
                "The access token is not valid yet: compare the clocks of identity provider and service",
            ),
            Self::WrongIssuer => language.say(
                "Zugangstoken stammt von einem fremden Aussteller",
                "The access token comes from another issuer",
            ),
            Self::WrongAudience => language.say(
                "Zugangstoken ist für einen anderen Dienst ausgestellt",
                "The access token was issued for another service",
            ),
            Self::WrongType => language.say(
                "Kein Zugangstoken: `typ` passt nicht",
                "Not an access token: `typ` does not fit",
            ),
            Self::UnknownKey => language.say(
                "Zugangstoken ist mit einem unbekannten Schlüssel unterschrieben",
                "The access token is signed with an unknown key",
            ),
            Self::WrongAlgorithm => language.say(
                "Zugangstoken nennt ein unzulässiges Verfahren",
                "The access token names an algorithm that is not allowed",
            ),
            Self::BadSignature => language.say(
                "Unterschrift des Zugangstokens stimmt nicht",
                "The signature of the access token is wrong",
            ),
            Self::KeysUnavailable => language.say(
                "Der Anmeldedienst antwortet dem Dienst nicht, Zugangstoken sind nicht prüfbar: bitte später noch einmal versuchen",
                "The identity provider does not answer the service, access tokens cannot be verified: try again later",
            ),
        }
    }
}

/// Why no membership could be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MembershipError {
    /// Several are held and none was named.
    Required(Vec<Membership>),
    /// The named one is not held.
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

    /// What is wrong and what to do.
    pub fn message(&self, language: Language) -> &'static str {
        match self {
            Self::Required(_) => language.say(
                "Mehrere Mitgliedschaften: eine davon in der Kopfzeile `Pruefpfad-Membership` nennen",
                "Several memberships: name one of them in the header `Pruefpfad-Membership`",
            ),
            Self::NotHeld(_) => language.say(
                "Diese Mitgliedschaft besteht nicht",
                "This membership is not held",
            ),
        }
    }

    /// The memberships that may be named.
    pub fn held(&self) -> &[Membership] {
        let (Self::Required(held) | Self::NotHeld(held)) = self;
        held
    }
}

/// Why a grant does not let anybody in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GrantError {
    /// It does not hold now.
    Unusable(Unusable),
    /// It could not be looked up.
    Unchecked,
}

impl GrantError {
    /// Every refusal.
    pub const ALL: [Self; 8] = [
        Self::Unusable(Unusable::Unknown),
        Self::Unusable(Unusable::NotYetValid),
        Self::Unusable(Unusable::Expired),
        Self::Unusable(Unusable::Revoked),
        Self::Unusable(Unusable::Exhausted),
        Self::Unusable(Unusable::Address),
        Self::Unusable(Unusable::Key),
        Self::Unchecked,
    ];

    /// Its code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unusable(Unusable::Unknown) => "GRANT_UNKNOWN",
            Self::Unusable(Unusable::NotYetValid) => "GRANT_NOT_YET_VALID",
            Self::Unusable(Unusable::Expired) => "GRANT_EXPIRED",
            Self::Unusable(Unusable::Revoked) => "GRANT_REVOKED",
            Self::Unusable(Unusable::Exhausted) => "GRANT_EXHAUSTED",
            Self::Unusable(Unusable::Address) => "GRANT_ADDRESS",
            Self::Unusable(Unusable::Key) => "GRANT_KEY",
            Self::Unchecked => "GRANT_UNCHECKED",
        }
    }

    /// What is wrong and what to do.
    pub fn message(self, language: Language) -> &'static str {
        match self {
            Self::Unusable(Unusable::Unknown) => language.say(
                "Diesen Zugang gibt es für Sie nicht: bitte die Kennung im Schreiben des Jobcenters vergleichen",
                "There is no such grant for you: compare the id in the letter of the Jobcenter",
            ),
            Self::Unusable(Unusable::NotYetValid) => language.say(
                "Der Zugang gilt noch nicht",
                "The grant is not valid yet",
            ),
            Self::Unusable(Unusable::Expired) => language.say(
                "Der Zugang ist abgelaufen: bitte bei der Innenrevision einen neuen erbitten",
                "The grant has expired: ask the Innenrevision for a new one",
            ),
            Self::Unusable(Unusable::Revoked) => language.say(
                "Der Zugang wurde widerrufen: bitte an die Innenrevision wenden",
                "The grant was revoked: turn to the Innenrevision",
            ),
            Self::Unusable(Unusable::Exhausted) => language.say(
                "Das Leseguthaben des Zugangs ist verbraucht: bitte bei der Innenrevision einen neuen erbitten",
                "The read budget of the grant is used up: ask the Innenrevision for a new one",
            ),
            Self::Unusable(Unusable::Address) => language.say(
                "Von dieser Adresse gilt der Zugang nicht: bitte aus dem vereinbarten Netz anmelden",
                "The grant does not hold from this address: come from the agreed network",
            ),
            Self::Unusable(Unusable::Key) => language.say(
                "Der Zugang ist an einen Schlüssel gebunden, dessen Besitz nicht nachgewiesen ist",
                "The grant is bound to a key, and its possession is not proven",
            ),
            Self::Unchecked => language.say(
                "Der Zugang konnte nicht geprüft werden: bitte später noch einmal versuchen",
                "The grant could not be checked: try again later",
            ),
        }
    }

    const fn status(self) -> StatusCode {
        match self {
            Self::Unusable(Unusable::Exhausted | Unusable::Address) => StatusCode::FORBIDDEN,
            Self::Unusable(_) => StatusCode::UNAUTHORIZED,
            Self::Unchecked => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// Why a request is not let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthError {
    /// The token: 401.
    Token(TokenError),
    /// The proof that goes with the token: 401.
    Proof(ProofError),
    /// The membership: 403.
    Membership(MembershipError),
    /// The grant: 401, or 403 where it holds but not here or no longer for reading.
    Grant(GrantError),
}

impl From<ProofError> for AuthError {
    fn from(error: ProofError) -> Self {
        Self::Proof(error)
    }
}

impl From<TokenError> for AuthError {
    fn from(error: TokenError) -> Self {
        Self::Token(error)
    }
}

impl From<GrantError> for AuthError {
    fn from(error: GrantError) -> Self {
        Self::Grant(error)
    }
}

impl From<MembershipError> for AuthError {
    fn from(error: MembershipError) -> Self {
        Self::Membership(error)
    }
}

impl AuthError {
    /// The code that stands as `reason`.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Token(error) => error.code(),
            Self::Proof(error) => error.code(),
            Self::Membership(error) => error.code(),
            Self::Grant(error) => error.code(),
        }
    }

    /// The code of the error: what kind of refusal it is.
    pub fn code(&self) -> &'static str {
        match self.status() {
            StatusCode::UNAUTHORIZED => "UNAUTHENTICATED",
            StatusCode::FORBIDDEN => "FORBIDDEN",
            _ => "INTERNAL",
        }
    }

    /// The status of the answer.
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::Token(_) | Self::Proof(_) => StatusCode::UNAUTHORIZED,
            Self::Membership(_) => StatusCode::FORBIDDEN,
            Self::Grant(error) => error.status(),
        }
    }

    /// The same in words.
    pub fn message(&self, language: Language) -> &'static str {
        match self {
            Self::Token(error) => error.message(language),
            Self::Proof(error) => error.message(language),
            Self::Membership(error) => error.message(language),
            Self::Grant(error) => error.message(language),
        }
    }

    /// The answer's body.
    pub fn body(&self, language: Language) -> Value {
        let mut extensions = json!({"code": self.code(), "reason": self.reason()});
        if let Self::Membership(error) = self {
            let held: Vec<_> = error.held().iter().map(ToString::to_string).collect();
            extensions["memberships"] = json!(held);
        }
        json!({"errors": [{"message": self.message(language), "extensions": extensions}]})
    }

    /// The value of `WWW-Authenticate`, where another token may help.
    pub fn challenge(&self) -> Option<&'static str> {
        match self {
            // RFC 6750, section 3.1: without credentials the challenge carries no error.
            Self::Token(TokenError::Missing) => Some("Bearer"),
            Self::Token(_) => Some("Bearer error=\"invalid_token\""),
            Self::Proof(error) => Some(error.challenge()),
            Self::Grant(error) if error.status() == StatusCode::UNAUTHORIZED => {
                Some("Bearer error=\"invalid_token\"")
            }
            Self::Membership(_) | Self::Grant(_) => None,
        }
    }
}

/// A refusal on its way out, in the language of its request.
#[derive(Debug)]
pub struct Refused {
    /// Why.
    pub error: AuthError,
    /// The language asked for.
    pub language: Language,
}

impl Display for Refused {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.error.reason())
    }
}

impl ResponseError for Refused {
    fn status_code(&self) -> StatusCode {
        self.error.status()
    }

    fn error_response(&self) -> HttpResponse {
        let mut answer = HttpResponse::build(self.status_code());
        if let Some(challenge) = self.error.challenge() {
            answer.insert_header((WWW_AUTHENTICATE, challenge));
        }
        answer.json(self.error.body(self.language))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn refused(error: impl Into<AuthError>) -> Refused {
        Refused {
            error: error.into(),
            language: Language::En,
        }
    }

    #[test]
    fn refused_tokens_answer_401_with_a_code() {
        for error in TokenError::ALL {
            let refusal = refused(error);
            let answer = refusal.error_response();
            assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
            assert!(answer.headers().contains_key(WWW_AUTHENTICATE));
            let extensions = &refusal.error.body(Language::De)["errors"][0]["extensions"];
            assert_eq!(extensions["code"], "UNAUTHENTICATED");
            assert!(
                extensions["reason"]
                    .as_str()
                    .is_some_and(|code| code.starts_with("TOKEN_"))
            );
        }
    }

    #[test]
    fn refused_proofs_ask_for_proofs() {
        for error in ProofError::ALL {
            let refusal = refused(error);
            let answer = refusal.error_response();
            assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
            let challenge = answer.headers().get(WWW_AUTHENTICATE).unwrap().to_str().unwrap();
            assert!(challenge.starts_with("DPoP error=\"invalid_") && challenge.contains("algs="));
            assert!(refusal.error.reason().starts_with("PROOF_"));
        }
    }

    #[test]
    fn every_refusal_has_words_of_its_own_in_both_languages() {
        let errors: Vec<AuthError> = TokenError::ALL
            .into_iter()
            .map(AuthError::from)
            .chain(ProofError::ALL.into_iter().map(AuthError::from))
            .chain(GrantError::ALL.map(AuthError::from))
            .chain([
                MembershipError::Required(Vec::new()).into(),
                MembershipError::NotHeld(Vec::new()).into(),
            ])
            .collect();
        let texts: HashSet<_> = errors
            .iter()
            .flat_map(|error| [Language::De, Language::En].map(|language| error.message(language)))
            .collect();
        assert_eq!(texts.len(), 2 * errors.len());
    }

    #[test]
    fn an_undecided_caller_is_told_the_choice() {
        let refusal = refused(MembershipError::Required(
            "INNENREVISION".parse().into_iter().collect(),
        ));
        assert_eq!(refusal.error_response().status(), StatusCode::FORBIDDEN);
        assert_eq!(
            refusal.error.body(Language::De)["errors"][0]["extensions"],
            json!({"code": "FORBIDDEN", "reason": "MEMBERSHIP_REQUIRED", "memberships": ["INNENREVISION"]})
        );
    }
}
