//! From a verified token to the caller of a use case.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use actix_web::{HttpMessage as _, HttpRequest};
use audit::access::{Caller, Granted};
use audit::grant::{Shown, in_use};
use audit::reads::{Asked, Reads};
use audit::trail::GrantAttempt;
use audit::{Ctx, Db, Sources};
use entity::{BezirksstelleId, GrantId};
use futures_util::future::{FutureExt as _, LocalBoxFuture};
use ipnet::IpNet;

use super::RequestId;
use super::edge::{Callers, Credentials, Denied, Still, Unrecorded, Visitor};
use crate::auth::{
    Actor, AuthError, Authentication, GrantClaims, GrantError, GrantIssuer, Identity, MEMBERSHIP_HEADER,
    PROOF_HEADER, Proofs, TokenVerifier, authentication,
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
            ..known(actor.identity.subject.clone(), actor.identity.name.clone())
        };
        let mut ctx = Ctx::new(caller, request_id(request).0, self.sources.clone());
        if let Some(claims) = &actor.identity.grant {
            let granted = self
                .granted(&ctx, claims, &actor.identity, self.from(request))
                .await;
            if let Err(AuthError::Grant(error)) = &granted {
                deny_grant(&ctx, &self.db, GrantAttempt::Use, claims.id, *error).await;
            }
            ctx.caller.grant = Some(Arc::new(granted?));
        }
        Ok(ctx)
    }

    /// What a grant gives at this moment. The key is the one by which the token was proven to be the caller's.
    async fn granted(
        &self,
        ctx: &Ctx,
        claims: &GrantClaims,
        identity: &Identity,
        from: Option<IpAddr>,
    ) -> Result<Granted, AuthError> {
        let shown = Shown {
            from,
            key: identity.bound_to.as_deref(),
        };
        let found = in_use(
            ctx,
            &self.db,
            claims.id,
            &identity.subject,
            &claims.details,
            shown,
        )
        .await;
        let granted = found.map_err(|error| {
            tracing::error!(request_id = %ctx.request_id, cause = %error, "a grant could not be looked up");
            GrantError::Unchecked
        })?;
        Ok(granted.map_err(GrantError::Unusable)?)
    }

    /// The context of somebody who showed no token.
    pub fn anonymous(&self, request_id: RequestId) -> Ctx {
        Ctx::new(Caller::anonymous(), request_id.0, self.sources.clone())
    }

    /// The context of somebody who is known and acts as nothing: at the moment a grant is redeemed.
    pub(super) fn redeemer(&self, subject: String, name: Option<String>, request_id: RequestId) -> Ctx {
        Ctx::new(known(subject, name), request_id.0, self.sources.clone())
    }

    /// Where a request comes from.
    pub(super) fn from(&self, request: &HttpRequest) -> Option<IpAddr> {
        let peer = request.peer_addr().map(|address| address.ip());
        super::address::client(peer, request.headers(), &self.proxies)
    }

    /// Asks again whether the grant of a caller holds; for what goes on after the request.
    fn still(&self, actor: Option<&Actor>, request: &HttpRequest, ctx: &Ctx) -> Option<Still> {
        let identity = Arc::clone(&actor?.identity);
        let claims = identity.grant.clone()?;
        let (house, ctx, from) = (self.clone(), ctx.clone(), self.from(request));
        let language = language_of(request);
        Some(Box::new(move || {
            let (house, ctx) = (house.clone(), ctx.clone());
            let (identity, claims) = (Arc::clone(&identity), claims.clone());
            async move {
                let granted = house.granted(&ctx, &claims, &identity, from).await;
                granted.map(drop).map_err(|error| denied(&error, language))
            }
            .boxed()
        }))
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
        let (denied, trail) = (ctx.clone(), self.db.clone());
        Ok(Visitor {
            subject: actor.map(|actor| actor.identity.subject.clone()),
            authenticated: actor.is_some(),
            classes: ctx.caller.classes(),
            expires,
            still: self.still(actor, request, &ctx),
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
            deny: Box::new(move |asked| {
                let (ctx, db) = (denied.clone(), trail.clone());
                async move { deny(&ctx, &db, &asked).await }.boxed()
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

/// Tells the trail of a refused attempt.
pub(super) async fn deny(ctx: &Ctx, db: &Db, asked: &Asked) {
    if let Err(error) = audit::trail::denied_read(db, ctx, asked).await {
        tracing::error!(request_id = %ctx.request_id, %error, "a refused attempt could not be told to the trail");
    }
}

/// Tells the trail of somebody who tried a grant that does not hold.
pub(super) async fn deny_grant(ctx: &Ctx, db: &Db, attempt: GrantAttempt, id: GrantId, error: GrantError) {
    if !matches!(error, GrantError::Unusable(_)) {
        return;
    }
    if let Err(error) = audit::trail::denied_grant(db, ctx, attempt, id, error.code()).await {
        tracing::error!(request_id = %ctx.request_id, %error, "a refused attempt could not be told to the trail");
    }
}

/// A person whose token was verified, before a membership is chosen.
fn known(subject: String, name: Option<String>) -> Caller {
    Caller {
        subject,
        name,
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
    /// Checks a proof given there; the same as the middleware's, so that none is good at both.
    pub proofs: Arc<Proofs>,
}

impl Callers for HouseCallers {
    fn identify<'a>(
        &'a self,
        request: &'a HttpRequest,
        credentials: Option<Credentials<'a>>,
    ) -> LocalBoxFuture<'a, Result<Visitor, Denied>> {
        async move {
            let found = match credentials {
                None => request
                    .extensions()
                    .get::<Authentication>()
                    .cloned()
                    .unwrap_or(Authentication::Anonymous),
                Some(credentials) => {
                    let mut headers = HeaderMap::new();
                    // What cannot stand in a header is no token and no proof.
                    let value = |text: &str| {
                        HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static("?"))
                    };
                    headers.insert(AUTHORIZATION, value(credentials.authorization));
                    if let Some(proof) = credentials.proof {
                        headers.insert(HeaderName::from_static(PROOF_HEADER), value(proof));
                    }
                    if let Some(membership) = request.headers().get(MEMBERSHIP_HEADER) {
                        headers.insert(HeaderName::from_static(MEMBERSHIP_HEADER), membership.clone());
                    }
                    let shown = crate::auth::Shown {
                        method: request.method().as_str(),
                        path: request.uri().path(),
                        headers: &headers,
                    };
                    authentication(&self.verifier, &self.proofs, shown).await
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
        challenge: error.challenge(),
    }
}
