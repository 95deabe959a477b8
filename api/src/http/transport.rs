//! What can be wrong with a request before it is GraphQL, and with an answer after it was.

use actix_web::http::StatusCode;
use async_graphql::ServerError;
use serde::Serialize;
use serde_json::{Map, Value as Json};

use crate::graphql::admit::{Incoming, coded};
use crate::language::Language;

/// A fault of the transport, of time or of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    Method,
    NotAcceptable,
    ContentType,
    TooLarge(usize),
    Interrupted,
    NotJson,
    NotAnObject,
    Query,
    OperationName,
    Variables,
    Extensions,
    SubscriptionOverHttp,
    Subprotocol,
    TooManyOperations(usize),
    /// How many seconds to wait.
    TooOften(u64),
    Timeout(u64),
    /// The read record of an answer could not be written; whether the operation changed something.
    Unrecorded {
        changed: bool,
    },
    Internal,
}

impl Fault {
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Method => "METHOD_NOT_ALLOWED",
            Self::NotAcceptable => "NOT_ACCEPTABLE",
            Self::ContentType => "UNSUPPORTED_MEDIA_TYPE",
            Self::TooLarge(_) | Self::TooManyOperations(_) | Self::TooOften(_) => "LIMIT_EXCEEDED",
            Self::Interrupted
            | Self::NotJson
            | Self::NotAnObject
            | Self::Query
            | Self::OperationName
            | Self::Variables
            | Self::Extensions
            | Self::SubscriptionOverHttp
            | Self::Subprotocol => "BAD_USER_INPUT",
            Self::Timeout(_) => "TIMEOUT",
            Self::Unrecorded { .. } => "READ_RECORD_UNAVAILABLE",
            Self::Internal => "INTERNAL",
        }
    }

    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Self::ContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Interrupted
            | Self::NotJson
            | Self::NotAnObject
            | Self::Query
            | Self::OperationName
            | Self::Variables
            | Self::Extensions
            | Self::SubscriptionOverHttp
            | Self::Subprotocol
            | Self::TooManyOperations(_) => StatusCode::BAD_REQUEST,
            Self::TooOften(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Timeout(_) | Self::Unrecorded { .. } | Self::Internal => StatusCode::OK,
        }
    }

    fn message(self, language: Language) -> String {
        match (self, language) {
            (Self::Method, Language::De) => "Hier sind nur GET und POST möglich.".to_owned(),
            (Self::Method, Language::En) => "Only GET and POST are possible here.".to_owned(),
            (Self::NotAcceptable, Language::De) => {
                "Antworten gibt es als application/json und application/graphql-response+json.".to_owned()
            }
            (Self::NotAcceptable, Language::En) => {
                "Answers come as application/json and application/graphql-response+json.".to_owned()
            }
            (Self::ContentType, Language::De) => "Der Inhalt muss application/json in UTF-8 sein.".to_owned(),
            (Self::ContentType, Language::En) => "The content must be application/json in UTF-8.".to_owned(),
            (Self::TooLarge(bytes), Language::De) => {
                format!("Die Anfrage ist zu groß: höchstens {bytes} Bytes.")
            }
            (Self::TooLarge(bytes), Language::En) => {
                format!("The request is too large: at most {bytes} bytes.")
            }
            (Self::Interrupted, Language::De) => "Die Anfrage brach ab.".to_owned(),
            (Self::Interrupted, Language::En) => "The request broke off.".to_owned(),
            (Self::NotJson, Language::De) => "Die Anfrage ist kein gültiges JSON.".to_owned(),
            (Self::NotJson, Language::En) => "The request is not valid JSON.".to_owned(),
            (Self::NotAnObject, Language::De) => {
                "Die Anfrage muss ein JSON-Objekt sein; mehrere auf einmal gibt es nicht.".to_owned()
            }
            (Self::NotAnObject, Language::En) => {
                "The request must be a JSON object; there is no batching.".to_owned()
            }
            (Self::Query, Language::De) => "query fehlt oder ist kein Text.".to_owned(),
            (Self::Query, Language::En) => "query is missing or not a string.".to_owned(),
            (Self::OperationName, Language::De) => "operationName ist kein Text.".to_owned(),
            (Self::OperationName, Language::En) => "operationName is not a string.".to_owned(),
            (Self::Variables, Language::De) => "variables ist kein JSON-Objekt.".to_owned(),
            (Self::Variables, Language::En) => "variables is not a JSON object.".to_owned(),
            (Self::Extensions, Language::De) => "extensions ist kein JSON-Objekt.".to_owned(),
            (Self::Extensions, Language::En) => "extensions is not a JSON object.".to_owned(),
            (Self::SubscriptionOverHttp, Language::De) => {
                "Subscriptions laufen über WebSocket (graphql-transport-ws).".to_owned()
            }
            (Self::SubscriptionOverHttp, Language::En) => {
                "Subscriptions run over WebSocket (graphql-transport-ws).".to_owned()
            }
            (Self::Subprotocol, Language::De) => {
                "Das WebSocket-Protokoll muss graphql-transport-ws sein.".to_owned()
            }
            (Self::Subprotocol, Language::En) => {
                "The WebSocket protocol must be graphql-transport-ws.".to_owned()
            }
            (Self::TooManyOperations(count), Language::De) => {
                format!("Zu viele Operationen zugleich: höchstens {count} je Verbindung.")
            }
            (Self::TooManyOperations(count), Language::En) => {
                format!("Too many operations at a time: at most {count} a connection.")
            }
            (Self::TooOften(seconds), Language::De) => format!("Zu viele Anfragen: bitte {seconds} s warten."),
            (Self::TooOften(seconds), Language::En) => format!("Too many requests: wait {seconds} s."),
            (Self::Timeout(ms), Language::De) => format!(
                "Die Operation wurde nach {ms} ms abgebrochen; ob Änderungen wirksam wurden, ist zu prüfen."
            ),
            (Self::Timeout(ms), Language::En) => {
                format!("The operation was stopped after {ms} ms; check whether changes took effect.")
            }
            (Self::Unrecorded { changed: false }, Language::De) => {
                "Der Lesezugriff konnte nicht protokolliert werden, deshalb gibt es keine Antwort. Bitte in einer Minute noch einmal versuchen; hält es an, die Administration verständigen.".to_owned()
            }
            (Self::Unrecorded { changed: false }, Language::En) => {
                "The read could not be recorded, and so there is no answer. Try again in a minute; if it lasts, tell the administration.".to_owned()
            }
            (Self::Unrecorded { changed: true }, Language::De) => {
                "Was die Operation geändert hat, ist gespeichert. Der Lesezugriff konnte aber nicht protokolliert werden, deshalb gibt es keine Antwort. Bitte den Stand in einer Minute neu laden; hält es an, die Administration verständigen.".to_owned()
            }
            (Self::Unrecorded { changed: true }, Language::En) => {
                "What the operation changed is saved. But the read could not be recorded, and so there is no answer. Reload in a minute; if it lasts, tell the administration.".to_owned()
            }
            (Self::Internal, Language::De) => "Interner Fehler.".to_owned(),
            (Self::Internal, Language::En) => "Internal error.".to_owned(),
        }
    }

    pub(super) fn error(self, language: Language) -> ServerError {
        coded(self.code(), self.message(language))
    }
}

/// A body without `data`: nothing ran.
#[derive(Serialize)]
pub(super) struct Errors<'a> {
    pub(super) errors: &'a [ServerError],
}

/// Reads the parameters of a request by type: a missing query is not an empty one.
pub(super) fn well_formed(mut body: Map<String, Json>) -> Result<Incoming, Fault> {
    let Some(Json::String(query)) = body.remove("query") else {
        return Err(Fault::Query);
    };
    let operation_name = match body.remove("operationName") {
        None | Some(Json::Null) => None,
        Some(Json::String(name)) => Some(name),
        Some(_) => return Err(Fault::OperationName),
    };
    Ok(Incoming {
        query,
        operation_name,
        variables: object(body.remove("variables")).ok_or(Fault::Variables)?,
        extensions: object(body.remove("extensions")).ok_or(Fault::Extensions)?,
    })
}

fn object(value: Option<Json>) -> Option<Map<String, Json>> {
    match value {
        None | Some(Json::Null) => Some(Map::new()),
        Some(Json::Object(map)) => Some(map),
        Some(_) => None,
    }
}
