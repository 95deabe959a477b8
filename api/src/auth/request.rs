//! The caller of one HTTP request.

use std::future::{Ready, ready};
use std::sync::Arc;

use actix_web::body::MessageBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use actix_web::middleware::Next;
use actix_web::{Error, FromRequest, HttpMessage as _, HttpRequest, web};
use audit::access::Membership;

use super::{AuthError, Identity, PROOF_HEADER, ProofError, Proofs, Refused, TokenError, TokenVerifier};
use crate::language::language_of;

/// The header that names the membership to act under.
pub const MEMBERSHIP_HEADER: &str = "pruefpfad-membership";

/// A known caller and the membership of this request. A handler that takes it as argument refuses bad tokens and the
/// anonymous; a handler that does not is open to everybody.
#[derive(Debug, Clone)]
pub struct Actor {
    /// Who calls.
    pub identity: Arc<Identity>,
    /// What the caller acts as; none if the caller holds none.
    pub membership: Option<Membership>,
}

/// What the token of a request came to.
#[derive(Debug, Clone)]
pub enum Authentication {
    /// No token.
    Anonymous,
    /// A good token.
    Known(Actor),
    /// A token that does not let anybody in.
    Refused(AuthError),
}

impl Authentication {
    /// The actor, if the token was good.
    pub const fn actor(&self) -> Option<&Actor> {
        match self {
            Self::Known(actor) => Some(actor),
            Self::Anonymous | Self::Refused(_) => None,
        }
    }
}

impl FromRequest for Actor {
    type Error = Refused;
    type Future = Ready<Result<Self, Refused>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let error = match request.extensions().get::<Authentication>() {
            Some(Authentication::Known(actor)) => return ready(Ok(actor.clone())),
            Some(Authentication::Refused(error)) => error.clone(),
            Some(Authentication::Anonymous) | None => TokenError::Missing.into(),
        };
        ready(Err(Refused {
            error,
            language: language_of(request),
        }))
    }
}

/// What a request shows of its caller.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// The method, as a proof has to name it.
    pub method: &'a str,
    /// The path, as a proof has to name it.
    pub path: &'a str,
    /// Token, proof and membership.
    pub headers: &'a HeaderMap,
}

/// How a token is presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Bearer,
    Dpop,
}

/// The caller that a request shows.
pub async fn authentication(verifier: &TokenVerifier, proofs: &Proofs, shown: Shown<'_>) -> Authentication {
    known(verifier, proofs, shown)
        .await
        .unwrap_or_else(Authentication::Refused)
}

async fn known(
    verifier: &TokenVerifier,
    proofs: &Proofs,
    shown: Shown<'_>,
) -> Result<Authentication, AuthError> {
    let Some((scheme, token)) = token(shown.headers)? else {
        return Ok(Authentication::Anonymous);
    };
    let identity = verifier.verify_with_new_keys(token).await?;
    match (&identity.bound_to, scheme) {
        (None, Scheme::Bearer) => {}
        (None, Scheme::Dpop) => return Err(ProofError::Unbound.into()),
        (Some(_), Scheme::Bearer) => return Err(ProofError::Missing.into()),
        (Some(thumbprint), Scheme::Dpop) => {
            let proof = proofs.check(proof(shown.headers)?, shown.method, shown.path, Some(token))?;
            if proof.thumbprint() != thumbprint {
                return Err(ProofError::WrongKey.into());
            }
            proofs.remember(&proof)?;
        }
    }
    // A header that is no text names no membership anybody holds.
    let wanted = shown
        .headers
        .get(MEMBERSHIP_HEADER)
        .map(|value| value.to_str().unwrap_or_default());
    let membership = identity.act_as(wanted)?;
    Ok(Authentication::Known(Actor { identity, membership }))
}

fn token(headers: &HeaderMap) -> Result<Option<(Scheme, &str)>, TokenError> {
    let mut values = headers.get_all(AUTHORIZATION);
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(TokenError::Malformed);
    }
    let (scheme, token) = value
        .to_str()
        .ok()
        .and_then(|text| text.split_once(' '))
        .ok_or(TokenError::Malformed)?;
    let scheme = if scheme.eq_ignore_ascii_case("bearer") {
        Scheme::Bearer
    } else if scheme.eq_ignore_ascii_case("dpop") {
        Scheme::Dpop
    } else {
        return Err(TokenError::Malformed);
    };
    Ok(Some((scheme, token.trim())))
}

/// The one proof of a request.
fn proof(headers: &HeaderMap) -> Result<&str, ProofError> {
    let mut values = headers.get_all(PROOF_HEADER);
    let value = values.next().ok_or(ProofError::Missing)?;
    if values.next().is_some() {
        return Err(ProofError::Malformed);
    }
    value.to_str().map_err(|_| ProofError::Malformed)
}

/// Middleware: puts the [`Authentication`] of the request where handlers, rate limit and request log find it.
///
/// It refuses nobody, so that bad tokens count against the rate limit and `/health` answers whatever a probe sends along.
pub async fn authenticate(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    if let (Some(verifier), Some(proofs)) = (
        request.app_data::<web::Data<TokenVerifier>>(),
        request.app_data::<web::Data<Proofs>>(),
    ) {
        let shown = Shown {
            method: request.method().as_str(),
            path: request.uri().path(),
            headers: request.headers(),
        };
        let outcome = authentication(verifier, proofs, shown).await;
        request.extensions_mut().insert(outcome);
    }
    next.call(request).await
}

#[cfg(test)]
mod tests {
    use actix_web::http::StatusCode;
    use actix_web::middleware::from_fn;
    use actix_web::{App, test};
    use chrono::TimeDelta;

    use super::*;
    use crate::auth::{DevelopmentKey, TokenRequest, system_clock, verifier};
    use crate::config::Layers;

    #[actix_web::test]
    async fn a_handler_learns_who_calls() {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = Layers::default().load().unwrap().settings.auth;
        settings.development_key_file = folder.path().join("key.pem");
        settings.development_key = true;
        let key = DevelopmentKey::open(&settings.development_key_file).unwrap();
        let token = |memberships: &[&str]| {
            let request = TokenRequest {
                subject: "u".to_owned(),
                name: None,
                memberships: memberships.iter().map(|text| text.parse().unwrap()).collect(),
                lifetime: TimeDelta::minutes(5),
            };
            format!(
                "Bearer {}",
                key.issue(&settings, &request, system_clock()()).unwrap()
            )
        };
        let verifier = web::Data::new(verifier(&settings, system_clock()).unwrap());
        let proofs = web::Data::new(Proofs::new("http://127.0.0.1:8080", 30, system_clock()));
        let app = test::init_service(
            App::new()
                .app_data(verifier)
                .app_data(proofs)
                .wrap(from_fn(authenticate))
                .route(
                    "/",
                    web::get().to(async |actor: Actor| match actor.membership {
                        Some(membership) => membership.to_string(),
                        None => "known".to_owned(),
                    }),
                ),
        )
        .await;
        let two = token(&["INNENREVISION", "SACHBEARBEITUNG:03"]);
        for (authorization, membership, status, expected) in [
            (None, None, StatusCode::UNAUTHORIZED, "TOKEN_MISSING"),
            (Some(token(&[])), None, StatusCode::OK, "known"),
            (Some(token(&["VORSTAND"])), None, StatusCode::OK, "VORSTAND"),
            (
                Some(two.clone()),
                Some("SACHBEARBEITUNG:03"),
                StatusCode::OK,
                "SACHBEARBEITUNG:03",
            ),
            (
                Some(two.clone()),
                None,
                StatusCode::FORBIDDEN,
                "MEMBERSHIP_REQUIRED",
            ),
            (
                Some(two.clone()),
                Some("VORSTAND"),
                StatusCode::FORBIDDEN,
                "MEMBERSHIP_NOT_HELD",
            ),
            (Some(format!("{two}x")), None, StatusCode::UNAUTHORIZED, "TOKEN_"),
            (
                Some(token(&[]).replace("Bearer", "DPoP")),
                None,
                StatusCode::UNAUTHORIZED,
                "PROOF_OF_UNBOUND_TOKEN",
            ),
            (
                Some("Basic dTpw".to_owned()),
                None,
                StatusCode::UNAUTHORIZED,
                "TOKEN_MALFORMED",
            ),
        ] {
            let mut request = test::TestRequest::get().uri("/");
            if let Some(value) = authorization {
                request = request.insert_header((AUTHORIZATION, value));
            }
            if let Some(value) = membership {
                request = request.insert_header((MEMBERSHIP_HEADER, value));
            }
            let answer = test::call_service(&app, request.to_request()).await;
            assert_eq!(answer.status(), status);
            let body = test::read_body(answer).await;
            let body = std::str::from_utf8(&body).unwrap();
            assert!(body.contains(expected), "{body}");
        }
    }
}
