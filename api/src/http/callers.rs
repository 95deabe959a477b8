//! From a verified token to the caller of a use case.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use actix_web::{HttpMessage as _, HttpRequest};
use audit::access::Caller;
use audit::{Ctx, Db, Sources};
use entity::BezirksstelleId;
use futures_util::future::{FutureExt as _, LocalBoxFuture};

use super::RequestId;
use super::edge::{Callers, Denied, Visitor};
use crate::auth::{Actor, AuthError, Authentication, MEMBERSHIP_HEADER, TokenVerifier, authentication};
use crate::graphql;
use crate::language::{Language, language_of};

/// What every request needs to become a use case: the sources, the database, and who has which Bezirksstelle.
#[derive(Clone)]
pub struct House {
    /// Clock, randomness, ids, keys.
    pub sources: Arc<Sources>,
    /// The database.
    pub db: Db,
    /// Bezirksstellen by number; set up once, then unchanging.
    pub bezirksstellen: Arc<HashMap<String, BezirksstelleId>>,
    /// What the schema tells about the service.
    pub info: Arc<graphql::Info>,
}

impl House {
    /// The context of a request: under the membership its token and header came to.
    pub fn context(&self, actor: Option<&Actor>, request_id: RequestId) -> Ctx {
        let caller = actor.map_or_else(Caller::anonymous, |actor| Caller {
            subject: actor.identity.subject.clone(),
            name: actor.identity.name.clone(),
            membership: actor.membership.clone(),
            bezirksstelle: actor
                .membership
                .as_ref()
                .and_then(|membership| membership.bezirksstelle())
                .and_then(|number| self.bezirksstellen.get(number).copied()),
            authenticated: true,
            grant: None,
        });
        Ctx::new(caller, request_id.0, self.sources.clone())
    }

    fn visitor(&self, actor: Option<&Actor>, request_id: RequestId) -> Visitor {
        let expires = actor.and_then(|actor| {
            let left = (actor.identity.expires_at - self.sources.now())
                .to_std()
                .unwrap_or(Duration::ZERO);
            Instant::now().checked_add(left)
        });
        let memberships: Arc<[String]> = actor.map_or_else(Arc::default, |actor| {
            actor
                .identity
                .memberships
                .iter()
                .map(ToString::to_string)
                .collect()
        });
        let (ctx, db, info) = (
            self.context(actor, request_id),
            self.db.clone(),
            self.info.clone(),
        );
        Visitor {
            authenticated: actor.is_some(),
            classes: ctx.caller.classes(),
            expires,
            attach: Box::new(move |request| {
                graphql::attach(
                    request,
                    ctx.clone(),
                    db.clone(),
                    info.clone(),
                    memberships.clone(),
                )
            }),
        }
    }
}

/// The id the request log gave to the request.
pub(super) fn request_id(request: &HttpRequest) -> RequestId {
    request
        .extensions()
        .get::<RequestId>()
        .copied()
        .unwrap_or_else(|| RequestId(super::random_id()))
}

/// Finds the caller of a GraphQL request or socket.
pub struct HouseCallers {
    /// The house.
    pub house: House,
    /// Verifies a token given in `connection_init`; tokens in headers were verified by the middleware.
    pub verifier: Arc<TokenVerifier>,
}

impl Callers for HouseCallers {
    fn identify<'a>(
        &'a self,
        request: &'a HttpRequest,
        authorization: Option<&'a str>,
    ) -> LocalBoxFuture<'a, Result<Visitor, Denied>> {
        async move {
            let found = match authorization {
                None => request
                    .extensions()
                    .get::<Authentication>()
                    .cloned()
                    .unwrap_or(Authentication::Anonymous),
                Some(value) => {
                    let mut headers = HeaderMap::new();
                    let value =
                        HeaderValue::from_str(value).unwrap_or_else(|_| HeaderValue::from_static("?"));
                    headers.insert(AUTHORIZATION, value);
                    if let Some(membership) = request.headers().get(MEMBERSHIP_HEADER) {
                        headers.insert(
                            actix_web::http::header::HeaderName::from_static(MEMBERSHIP_HEADER),
                            membership.clone(),
                        );
                    }
                    authentication(&self.verifier, &headers)
                }
            };
            match found {
                Authentication::Anonymous => Ok(self.house.visitor(None, request_id(request))),
                Authentication::Known(actor) => Ok(self.house.visitor(Some(&actor), request_id(request))),
                Authentication::Refused(error) => Err(denied(&error, language_of(request))),
            }
        }
        .boxed_local()
    }
}

fn denied(error: &AuthError, language: Language) -> Denied {
    let status = error.status();
    let code = if status == StatusCode::FORBIDDEN {
        "FORBIDDEN"
    } else {
        "UNAUTHENTICATED"
    };
    Denied {
        status,
        code,
        reason: error.reason(),
        message: error.message(language).to_owned(),
    }
}
