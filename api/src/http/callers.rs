//! From a verified token to the caller of a use case.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use actix_web::{HttpMessage as _, HttpRequest};
use audit::access::Caller;
use audit::grant::{Shown, in_use};
use audit::reads::Reads;
use audit::{Ctx, Db, Sources};
use entity::BezirksstelleId;
use futures_util::future::{FutureExt as _, LocalBoxFuture};
use ipnet::IpNet;

use super::RequestId;
use super::edge::{Callers, Denied, Unrecorded, Visitor};
use crate::auth::{
    Actor, AuthError, Authentication, GrantError, GrantIssuer, Identity, MEMBERSHIP_HEADER, TokenVerifier,
    authentication,
};
use crate::graphql;
use crate::language::{Language, language_of};

/// What every request needs to become a use case: the sources, the database, and who has which Bezirksstelle.
#[derive(Clone)]
pub struct House {
    /// Clock, randomness, ids, keys.
    pub sources: Arc<Sources>,
    /// The database.
    pub db: Db,
    /// Makes read records durable.
    pub reads: Arc<Reads>,
    /// Bezirksstellen by number; set up once, then unchanging.
    pub bezirksstellen: Arc<HashMap<String, BezirksstelleId>>,
    /// What the schema tells about the service.
    pub info: Arc<graphql::Info>,
    /// Signs the tokens of grants.
    pub issuer: Arc<GrantIssuer>,
    /// Networks of the reverse proxies.
    pub proxies: Arc<[IpNet]>,
}

impl House {
    /// The context of a request: under the membership its token and header came to, or under the grant the token names. The
    /// grant is looked up each time: one that was revoked a moment ago lets nobody in.
    pub async fn context(&self, actor: Option<&Actor>, request: &HttpRequest) -> Result<Ctx, AuthError> {
        let Some(actor) = actor else {
            return Ok(self.anonymous(request_id(request)));
        };
        let caller = Caller {
            membership: actor.membership.clone(),
            bezirksstelle: actor
                .membership
                .as_ref()
                .and_then(|membership| membership.bezirksstelle())
                .and_then(|number| self.bezirksstellen.get(number).copied()),
            ..known(&actor.identity)
        };
        let mut ctx = Ctx::new(caller, request_id(request).0, self.sources.clone());
        if let Some(claims) = &actor.identity.grant {
            let (holder, shown) = (&actor.identity.subject, self.shown(request));
            let found = in_use(&ctx, &self.db, claims.id, holder, &claims.details, shown).await;
            let granted = found.map_err(|error| {
                tracing::error!(request_id = %ctx.request_id, cause = %error, "a grant could not be looked up");
                GrantError::Unchecked
            })?;
            ctx.caller.grant = Some(Arc::new(granted.map_err(GrantError::Unusable)?));
        }
        Ok(ctx)
    }

    /// The context of somebody who showed no token.
    pub fn anonymous(&self, request_id: RequestId) -> Ctx {
        Ctx::new(Caller::anonymous(), request_id.0, self.sources.clone())
    }

    /// The context of a person who is known and acts as nothing: at the moment a grant is redeemed.
    pub(super) fn person(&self, identity: &Identity, request_id: RequestId) -> Ctx {
        Ctx::new(known(identity), request_id.0, self.sources.clone())
    }

    /// What a request shows beside its token: where it comes from. A key is not proven here: whoever is bound to one has to
    /// wait for a way in that asks for its proof.
    pub(super) fn shown(&self, request: &HttpRequest) -> Shown<'static> {
        let peer = request.peer_addr().map(|address| address.ip());
        Shown {
            from: super::address::client(peer, request.headers(), &self.proxies),
            key: None,
        }
    }

    async fn visitor(&self, actor: Option<&Actor>, request: &HttpRequest) -> Result<Visitor, AuthError> {
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
            self.context(actor, request).await?,
            self.db.clone(),
            self.info.clone(),
        );
        let (reader, reads) = (ctx.clone(), self.reads.clone());
        Ok(Visitor {
            authenticated: actor.is_some(),
            classes: ctx.caller.classes(),
            expires,
            revocable: ctx.caller.grant.is_some(),
            record: Box::new(move |asked, noted| {
                let (ctx, reads) = (reader.clone(), reads.clone());
                async move {
                    reads.answered(&ctx, &asked, &noted).await.map_err(|error| {
                        tracing::error!(request_id = %ctx.request_id, %error, "an answer without read record was refused");
                        Unrecorded
                    })
                }
                .boxed()
            }),
            attach: Box::new(move |request, notes| {
                graphql::attach(
                    request,
                    ctx.noting(notes),
                    db.clone(),
                    info.clone(),
                    memberships.clone(),
                )
            }),
        })
    }
}

/// A person whose token was verified, before a membership is chosen.
fn known(identity: &Identity) -> Caller {
    Caller {
        subject: identity.subject.clone(),
        name: identity.name.clone(),
        membership: None,
        bezirksstelle: None,
        authenticated: true,
        grant: None,
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
            let visitor = match found {
                Authentication::Anonymous => self.house.visitor(None, request).await,
                Authentication::Known(actor) => self.house.visitor(Some(&actor), request).await,
                Authentication::Refused(error) => Err(error),
            };
            visitor.map_err(|error| denied(&error, language_of(request)))
        }
        .boxed_local()
    }
}

fn denied(error: &AuthError, language: Language) -> Denied {
    Denied {
        status: error.status(),
        code: error.code(),
        reason: error.reason(),
        message: error.message(language).to_owned(),
    }
}
