//! GraphQL over HTTP, as its specification and the audits of graphql-http have it.
//!
//! | what is wrong | `application/json` | `application/graphql-response+json` |
//! |---|---|---|
//! | method, `Accept`, content type, size | 405, 406, 415, 413 | the same |
//! | token | 401 | 401 |
//! | parameters (no JSON, no `query`, a list) | 400 | 400 |
//! | document, variables, limits | 200 without `data` | 400 without `data` |
//! | mutation by GET | 405 | 405 |
//! | a resolver, or the time | 200 with `data` | 200 with `data` |

use actix_web::http::{Method, StatusCode, header};
use actix_web::web::{self, Bytes, Data, Payload, ServiceConfig};
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse};
use async_graphql::ServerError;
use serde::Serialize;
use serde_json::{Map, Value as Json};

use super::accept::{Format, negotiate};
use super::edge::{Answer, Denied, Edge, OperationLog, log_of_refusal, streams};
use super::transport::{Errors, Fault, well_formed};
use super::ws;
use crate::graphql::admit::Incoming;
use crate::language::{Language, language_of};

/// Serves GraphQL at `path`, over HTTP and WebSocket alike.
pub fn configure(edge: Edge, path: &'static str) -> impl FnOnce(&mut ServiceConfig) {
    let edge = Data::new(edge);
    move |config: &mut ServiceConfig| {
        config.service(web::resource(path).app_data(edge).route(web::route().to(handle)));
    }
}

/// Answers one request.
pub async fn handle(request: HttpRequest, payload: Payload, edge: Data<Edge>) -> HttpResponse {
    let language = language_of(&request);
    if !matches!(*request.method(), Method::GET | Method::POST) {
        let mut response = failed(&request, Fault::Method, language);
        allow(&mut response, "GET, POST");
        return response;
    }
    let visitor = match edge.callers.identify(&request, None).await {
        Ok(visitor) => visitor,
        Err(denied) => return refused_visitor(&request, &denied),
    };
    if ws::wanted(&request) {
        return ws::open(&request, payload, edge);
    }
    let accepted = request
        .headers()
        .get_all(header::ACCEPT)
        .filter_map(|value| value.to_str().ok());
    let Some(format) = negotiate(accepted) else {
        return failed(&request, Fault::NotAcceptable, language);
    };
    let incoming = match read(&request, payload, &edge).await {
        Ok(incoming) => incoming,
        Err(fault) => return failed(&request, fault, language),
    };
    let asked = incoming.operation_name.clone();
    let get = *request.method() == Method::GET;
    let admitted = match edge.admit(incoming, &visitor, get) {
        Ok(admitted) => admitted,
        Err(refusal) => {
            if let Some(attempted) = refusal.attempted {
                (visitor.deny)(attempted).await;
            }
            let errors = refusal.errors(language);
            note(&request, log_of_refusal(asked.as_deref(), &errors));
            let mut response = unrun(format, &errors);
            if refusal.needs_post() {
                *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
                allow(&mut response, "POST");
            }
            return response;
        }
    };
    if streams(&admitted) {
        let errors = [Fault::SubscriptionOverHttp.error(language)];
        edge.measure("subscription").end("REFUSED");
        note(&request, log_of_refusal(asked.as_deref(), &errors));
        return unrun(format, &errors);
    }
    let (answer, log) = edge.execute(admitted, &visitor, language).await;
    note(&request, log);
    match answer {
        Answer::Refused(errors) => unrun(format, &errors),
        Answer::Executed(executed) => written(
            StatusCode::OK,
            format,
            String::from(Box::<str>::from(executed.body)).into_bytes(),
        ),
    }
}

async fn read(request: &HttpRequest, payload: Payload, edge: &Edge) -> Result<Incoming, Fault> {
    let limit = edge.admission.limits().body_bytes;
    let parameters = if *request.method() == Method::GET {
        from_url(request.query_string(), limit)?
    } else {
        json_content(request)?;
        let body = payload
            .to_bytes_limited(limit)
            .await
            .map_err(|_| Fault::TooLarge(limit))?
            .map_err(|_| Fault::Interrupted)?;
        from_body(&body)?
    };
    well_formed(parameters)
}

/// A form cannot send JSON across sites without asking first; anything else is not let in.
fn json_content(request: &HttpRequest) -> Result<(), Fault> {
    let content = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .ok_or(Fault::ContentType)?;
    let mut parts = content.split(';').map(str::trim);
    let json = parts
        .next()
        .is_some_and(|media| media.eq_ignore_ascii_case("application/json"));
    let utf8 = parts
        .filter_map(|parameter| parameter.split_once('='))
        .filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))
        .all(|(_, value)| value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8"));
    if json && utf8 {
        Ok(())
    } else {
        Err(Fault::ContentType)
    }
}

fn from_body(body: &Bytes) -> Result<Map<String, Json>, Fault> {
    match serde_json::from_slice(body) {
        Ok(Json::Object(map)) => Ok(map),
        Ok(_) => Err(Fault::NotAnObject),
        Err(_) => Err(Fault::NotJson),
    }
}

fn from_url(query: &str, limit: usize) -> Result<Map<String, Json>, Fault> {
    if query.len() > limit {
        return Err(Fault::TooLarge(limit));
    }
    let mut parameters = Map::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let value = match &*name {
            "variables" => serde_json::from_str(&value).map_err(|_| Fault::Variables)?,
            "extensions" => serde_json::from_str(&value).map_err(|_| Fault::Extensions)?,
            _ => Json::String(value.into_owned()),
        };
        parameters.insert(name.into_owned(), value);
    }
    Ok(parameters)
}

fn note(request: &HttpRequest, log: OperationLog) {
    request.extensions_mut().insert(log);
}

fn refused_visitor(request: &HttpRequest, denied: &Denied) -> HttpResponse {
    let errors = [denied.error()];
    note(request, log_of_refusal(None, &errors));
    let mut response = respond(denied.status, Format::Json, &Errors { errors: &errors });
    if let Some(challenge) = denied.challenge {
        response.headers_mut().insert(
            header::WWW_AUTHENTICATE,
            header::HeaderValue::from_static(challenge),
        );
    }
    response
}

/// What fails before the answer type matters is answered as plain JSON.
pub(super) fn failed(request: &HttpRequest, fault: Fault, language: Language) -> HttpResponse {
    let errors = [fault.error(language)];
    note(request, log_of_refusal(None, &errors));
    respond(fault.status(), Format::Json, &Errors { errors: &errors })
}

fn unrun(format: Format, errors: &[ServerError]) -> HttpResponse {
    let status = match format {
        Format::Json => StatusCode::OK,
        Format::Graphql => StatusCode::BAD_REQUEST,
    };
    respond(status, format, &Errors { errors })
}

fn respond(status: StatusCode, format: Format, body: &impl Serialize) -> HttpResponse {
    match serde_json::to_vec(body) {
        Ok(body) => written(status, format, body),
        Err(error) => {
            tracing::error!(%error, "an answer could not be written");
            HttpResponse::InternalServerError().finish()
        }
    }
}

fn written(status: StatusCode, format: Format, body: Vec<u8>) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header((header::CONTENT_TYPE, format.content_type()))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(body)
}

fn allow(response: &mut HttpResponse, methods: &'static str) {
    response
        .headers_mut()
        .insert(header::ALLOW, header::HeaderValue::from_static(methods));
}
