//! `POST /oauth/token`: a grant is redeemed for a short access token by the person it names (RFC 8693, RFC 9396).
//!
//! Without an identity provider, whoever has the key that the grant names: `grant_type=client_credentials` and a `DPoP` proof by
//! it (RFC 9449) instead of a subject token. A proof may come with a subject token, too: the token is bound to its key then.
//!
//! Form fields: `grant_type` = `urn:ietf:params:oauth:grant-type:token-exchange`, `subject_token` = the person's access token
//! from the identity provider, `subject_token_type` = `urn:ietf:params:oauth:token-type:access_token`, and
//! `authorization_details` = a JSON list of one object of type `pruefpfad_engagement` whose `identifier` is the grant's id. It may
//! ask for less than the grant (engagements, Bezirksstellen, period, funds, classes as `datatypes`), never for more. Refusals
//! are those of RFC 6749 section 5.2 and RFC 9396 section 5, with the reason in `error_description`.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, PRAGMA};
use actix_web::web::{self, Bytes, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use audit::grant::{Details, Shown, redeem, redeemable};
use audit::trail::GrantAttempt;
use entity::grant::KEY_HOLDER;
use serde_json::json;

use super::callers::{House, deny_grant};
use crate::auth::{
    AuthorizationDetail, GrantError, GrantToken, Identity, PROOF_HEADER, Proof, ProofError, Proofs,
    TokenVerifier,
};
use crate::language::{Language, language_of};

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
/// For whoever is known by a key alone.
const BY_KEY: &str = "client_credentials";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const LONGEST: usize = 32 * 1024;

/// Where grants are redeemed.
pub fn token_routes(routes: &mut ServiceConfig) {
    routes.route("/oauth/token", web::post().to(token));
}

/// Why no token is given: the code of the specifications, and words for a person.
struct Refusal {
    code: &'static str,
    description: String,
}

fn refuse(code: &'static str, description: impl Into<String>) -> Refusal {
    Refusal {
        code,
        description: description.into(),
    }
}

async fn token(
    request: HttpRequest,
    payload: Payload,
    house: Data<House>,
    verifier: Data<TokenVerifier>,
    proofs: Data<Proofs>,
) -> HttpResponse {
    let language = language_of(&request);
    let answer = match exchange(&request, payload, &house, &verifier, &proofs, language).await {
        Ok(answer) => HttpResponse::Ok().json(answer),
        Err(refusal) if refusal.code == "server_error" => HttpResponse::InternalServerError()
            .json(json!({ "error": refusal.code, "error_description": refusal.description })),
        Err(refusal) => HttpResponse::BadRequest()
            .json(json!({ "error": refusal.code, "error_description": refusal.description })),
    };
    kept_by_nobody(answer)
}

/// RFC 6749, section 5.1.
fn kept_by_nobody(mut answer: HttpResponse) -> HttpResponse {
    use actix_web::http::header::HeaderValue;
    let headers = answer.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    answer
}

async fn exchange(
    request: &HttpRequest,
    payload: Payload,
    house: &House,
    verifier: &TokenVerifier,
    proofs: &Proofs,
    language: Language,
) -> Result<serde_json::Value, Refusal> {
    let form = form(request, payload, language).await?;
    let proof = proof(request, proofs, language)?;
    let key = proof.as_ref().map(Proof::thumbprint);
    let (subject, name) = redeemer(&form, key, verifier, language)?;
    let detail = detail(&form, language)?;
    let shown = Shown {
        from: house.from(request),
        key,
    };
    let ctx = house.redeemer(subject, name, super::callers::request_id(request));
    let grant = detail.grant().ok_or_else(|| unknown_detail(language))?;
    let failed = |error: audit::Error| {
        tracing::error!(request_id = %ctx.request_id, cause = %error, "a grant could not be redeemed");
        server_error(language)
    };
    let found = redeemable(&ctx, &house.db, grant, shown).await.map_err(failed)?;
    let (row, held) = match found {
        Ok(found) => found,
        Err(why) => {
            let error = GrantError::Unusable(why);
            deny_grant(&ctx, &house.db, GrantAttempt::Redeem, grant, error).await;
            return Err(refuse("invalid_grant", error.message(language)));
        }
    };
    let asked: Details = detail.details(&held).ok_or_else(|| unknown_detail(language))?;
    if !asked.is_within(&held) {
        return Err(refuse(
            "invalid_authorization_details",
            language.say(
                "Das geht über den Zugang hinaus: bitte höchstens verlangen, was er nennt",
                "This goes beyond the grant: ask for what it names at most",
            ),
        ));
    }
    if let Some(proof) = &proof {
        let remembered = proofs.remember(proof);
        remembered.map_err(|error| refuse("invalid_dpop_proof", error.message(language)))?;
    }
    redeem(&ctx, &house.db, &row).await.map_err(failed)?;
    let now = ctx.now();
    let token = GrantToken {
        subject: &ctx.caller.subject,
        bound_to: key,
        name: &row.recipient_name,
        grant,
        details: &asked,
        grant_ends: row.expires_at,
    };
    let (text, ends) = house.issuer.issue(&token, now).map_err(|error| {
        tracing::error!(request_id = %ctx.request_id, cause = %error, "a token could not be signed");
        server_error(language)
    })?;
    Ok(json!({
        "access_token": text,
        "issued_token_type": ACCESS_TOKEN,
        "token_type": if key.is_some() { "DPoP" } else { "Bearer" },
        "expires_in": (ends - now).num_seconds(),
        "authorization_details": [AuthorizationDetail::of(grant, &asked)],
    }))
}

fn server_error(language: Language) -> Refusal {
    refuse("server_error", GrantError::Unchecked.message(language))
}

fn unknown_detail(language: Language) -> Refusal {
    refuse(
        "invalid_authorization_details",
        language.say(
            "authorization_details: eine Liste mit einem Eintrag vom Typ pruefpfad_engagement, der den Zugang nennt",
            "authorization_details: a list of one entry of type pruefpfad_engagement that names the grant",
        ),
    )
}

/// The fields of a form; none of them twice (RFC 6749, section 3.2).
struct Form(Vec<(String, String)>);

impl Form {
    fn field(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

async fn form(request: &HttpRequest, payload: Payload, language: Language) -> Result<Form, Refusal> {
    let malformed = || {
        refuse(
            "invalid_request",
            language.say(
                "Ein Formular (application/x-www-form-urlencoded) senden, jedes Feld einmal",
                "Send a form (application/x-www-form-urlencoded), each field once",
            ),
        )
    };
    let is_form = request
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|media| {
            media
                .trim()
                .eq_ignore_ascii_case("application/x-www-form-urlencoded")
        });
    if !is_form {
        return Err(malformed());
    }
    let body: Bytes = match payload.to_bytes_limited(LONGEST).await {
        Ok(Ok(body)) => body,
        _ => return Err(malformed()),
    };
    let mut fields: Vec<(String, String)> = Vec::new();
    for (name, value) in form_urlencoded::parse(&body) {
        if fields.iter().any(|(known, _)| *known == name) {
            return Err(malformed());
        }
        fields.push((name.into_owned(), value.into_owned()));
    }
    Ok(Form(fields))
}

/// The proof that a request carries, if any.
fn proof(request: &HttpRequest, proofs: &Proofs, language: Language) -> Result<Option<Proof>, Refusal> {
    let mut values = request.headers().get_all(PROOF_HEADER);
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let (Ok(text), None) = (value.to_str(), values.next()) else {
        return Err(refuse(
            "invalid_dpop_proof",
            ProofError::Malformed.message(language),
        ));
    };
    proofs
        .check(text, request.method().as_str(), request.path(), None)
        .map(Some)
        .map_err(|error| refuse("invalid_dpop_proof", error.message(language)))
}

/// Who redeems: the holder of the subject token, or of the key alone.
fn redeemer(
    form: &Form,
    key: Option<&str>,
    verifier: &TokenVerifier,
    language: Language,
) -> Result<(String, Option<String>), Refusal> {
    match (form.field("grant_type"), key) {
        (Some(EXCHANGE), _) => {
            let person = person(form, key, verifier, language)?;
            Ok((person.subject.clone(), person.name.clone()))
        }
        (Some(BY_KEY), Some(key)) => Ok((format!("{KEY_HOLDER}{key}"), None)),
        (Some(BY_KEY), None) => Err(refuse(
            "invalid_dpop_proof",
            ProofError::Missing.message(language),
        )),
        _ => Err(refuse(
            "unsupported_grant_type",
            language.say(
                "Angenommen werden der Tausch eines Zugangstokens (RFC 8693) und client_credentials mit DPoP-Nachweis",
                "Accepted are the exchange of an access token (RFC 8693) and client_credentials with a DPoP proof",
            ),
        )),
    }
}

/// Who holds the subject token. A token that came from a grant is nobody's log-in, and one that is bound to a key is its
/// holder's alone.
fn person(
    form: &Form,
    key: Option<&str>,
    verifier: &TokenVerifier,
    language: Language,
) -> Result<std::sync::Arc<Identity>, Refusal> {
    if form.field("subject_token_type") != Some(ACCESS_TOKEN) {
        return Err(refuse(
            "invalid_request",
            format!("subject_token_type: {ACCESS_TOKEN}"),
        ));
    }
    let token = form.field("subject_token").unwrap_or_default();
    let identity = verifier
        .verify(token)
        .map_err(|error| refuse("invalid_request", error.message(language)))?;
    if identity.grant.is_some() {
        return Err(refuse(
            "invalid_request",
            language.say(
                "Ein Zugang wird mit dem Zugangstoken des Anmeldedienstes eingelöst, nicht mit dem eines Zugangs",
                "A grant is redeemed with an access token of the identity provider, not with that of a grant",
            ),
        ));
    }
    if identity.bound_to.is_some() && identity.bound_to.as_deref() != key {
        return Err(refuse(
            "invalid_dpop_proof",
            ProofError::WrongKey.message(language),
        ));
    }
    Ok(identity)
}

fn detail(form: &Form, language: Language) -> Result<AuthorizationDetail, Refusal> {
    let given = form.field("authorization_details").unwrap_or_default();
    match serde_json::from_str::<Vec<AuthorizationDetail>>(given) {
        Ok(mut list) if list.len() == 1 => list.pop().ok_or_else(|| unknown_detail(language)),
        _ => Err(unknown_detail(language)),
    }
}
