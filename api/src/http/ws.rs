//! Subscriptions (and queries, and mutations) over WebSocket: the protocol `graphql-transport-ws`.
//!
//! Every `subscribe` goes through the same check as a request over HTTP. The token comes in
//! `connection_init` (`{"authorization": "Bearer ..."}`), since browsers cannot set headers here, and
//! so does the proof of a bound token (`{"authorization": "DPoP ...", "dpop": "..."}`), made for the
//! handshake: GET, and the address with `http` or `https`; without them the headers of the handshake count. One that does not hold is refused where it
//! comes: as answer to the handshake, or by close code 4403 with the same codes. A socket under a grant ends with it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use actix_web::http::header;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse, rt};
use actix_ws::{AggregatedMessage, AggregatedMessageStream, CloseCode, CloseReason, ProtocolError, Session};
use async_graphql::ServerError;
use audit::reads::Notes;
use futures_util::StreamExt as _;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value as Json};
use tokio::task::AbortHandle;
use tokio::time::{MissedTickBehavior, interval, sleep_until};
use tracing::Instrument as _;

use super::edge::{Answer, Credentials, Edge, Visitor, log_of, present, span, streams};
use super::graphql::failed;
use super::rate_limit::RateLimit;
use super::transport::{Fault, well_formed};
use crate::auth::PROOF_HEADER;
use crate::graphql::admit::{Admitted, Incoming};
use crate::language::{Language, language_of};

const PROTOCOL: &str = "graphql-transport-ws";
const INIT_TIMEOUT: Duration = Duration::from_secs(10);
const PING_EVERY: Duration = Duration::from_secs(25);
/// A client that answers no ping for so long is gone.
const SILENCE: Duration = Duration::from_mins(1);
/// How often it is asked whether a grant still holds.
const STILL_EVERY: Duration = Duration::from_secs(2);
/// Operations of one socket at the same time.
const OPERATIONS: usize = 20;

/// Whether a request wants to become a WebSocket.
pub(super) fn wanted(request: &HttpRequest) -> bool {
    request
        .headers()
        .get(header::UPGRADE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.eq_ignore_ascii_case("websocket"))
}

/// Opens a socket and serves it until one side closes it.
pub(super) fn open(request: &HttpRequest, payload: Payload, edge: Data<Edge>) -> HttpResponse {
    let language = language_of(request);
    let offered = request
        .headers()
        .get_all(header::SEC_WEBSOCKET_PROTOCOL)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|protocol| protocol.trim() == PROTOCOL);
    if !offered {
        return failed(request, Fault::Subprotocol, language);
    }
    let (response, session, messages) = match actix_ws::handle_with_protocols(request, payload, &[PROTOCOL]) {
        Ok(opened) => opened,
        Err(error) => return error.error_response(),
    };
    let limit = edge.admission.limits().body_bytes;
    let messages = messages
        .max_frame_size(limit)
        .aggregate_continuations()
        .max_continuation_size(limit);
    let socket = Socket {
        edge,
        request: request.clone(),
        session,
        language,
        visitor: None,
        running: Rc::default(),
    };
    rt::spawn(socket.serve(messages));
    response
}

/// Why the service closes a socket, by the codes of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Close {
    Invalid,
    Unauthorized,
    /// With `code` and `reason` of the refusal.
    Forbidden(&'static str, &'static str),
    InitTimeout,
    Duplicate,
    TooManyInits,
    TooLarge,
}

impl Close {
    fn reason(self) -> CloseReason {
        let (code, text) = match self {
            Self::Invalid => (4400, "Invalid message".to_owned()),
            Self::Unauthorized => (4401, "Unauthorized".to_owned()),
            Self::Forbidden(code, reason) => (4403, format!("{code}: {reason}")),
            Self::InitTimeout => (4408, "Connection initialisation timeout".to_owned()),
            Self::Duplicate => (4409, "Subscriber already exists".to_owned()),
            Self::TooManyInits => (4429, "Too many initialisation requests".to_owned()),
            Self::TooLarge => (1009, "Message too large".to_owned()),
        };
        CloseReason {
            code: CloseCode::from(code),
            description: Some(text),
        }
    }
}

/// Why the socket is served no longer.
enum End {
    /// The client has closed it or is gone.
    Gone,
    /// We close it.
    Close(Close),
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum FromClient {
    ConnectionInit { payload: Option<Map<String, Json>> },
    Ping { payload: Option<Map<String, Json>> },
    Pong {},
    Subscribe { id: String, payload: Map<String, Json> },
    Complete { id: String },
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ToClient<'a, T: Serialize> {
    ConnectionAck,
    Pong {
        #[serde(skip_serializing_if = "Option::is_none")]
        payload: Option<Map<String, Json>>,
    },
    Next {
        id: &'a str,
        payload: &'a T,
    },
    Error {
        id: &'a str,
        payload: &'a [ServerError],
    },
    Complete {
        id: &'a str,
    },
}

/// A message without a payload of its own type.
type Plain<'a> = ToClient<'a, ()>;

async fn send<T: Serialize>(session: &mut Session, message: &ToClient<'_, T>) -> Result<(), End> {
    let text = serde_json::to_string(message).map_err(|error| {
        tracing::error!(%error, "a message could not be written");
        End::Gone
    })?;
    session.text(text).await.map_err(|_| End::Gone)
}

type Running = Rc<RefCell<HashMap<String, AbortHandle>>>;

struct Socket {
    edge: Data<Edge>,
    request: HttpRequest,
    session: Session,
    language: Language,
    visitor: Option<Rc<Visitor>>,
    running: Running,
}

impl Socket {
    async fn serve(mut self, mut messages: AggregatedMessageStream) {
        let end = self.talk(&mut messages).await;
        for (_, operation) in self.running.borrow_mut().drain() {
            operation.abort();
        }
        if let End::Close(close) = end {
            // A client that is gone already needs no farewell.
            let _ = self.session.close(Some(close.reason())).await;
        } else {
            let _ = self.session.close(None).await;
        }
    }

    async fn talk(&mut self, messages: &mut AggregatedMessageStream) -> End {
        let opened = Instant::now();
        let mut heard = opened;
        let mut ping = interval(PING_EVERY);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut still = interval(STILL_EVERY);
        still.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let deadline = match &self.visitor {
                None => Some(opened + INIT_TIMEOUT),
                Some(visitor) => visitor.expires,
            };
            tokio::select! {
                message = messages.recv() => {
                    heard = Instant::now();
                    let told = match message {
                        Some(Err(ProtocolError::Overflow | ProtocolError::Io(_))) => {
                            Err(End::Close(Close::TooLarge))
                        }
                        None | Some(Err(_)) => Err(End::Gone),
                        Some(Ok(message)) => self.message(message).await,
                    };
                    if let Err(end) = told {
                        return end;
                    }
                }
                () = passed(deadline) => {
                    return End::Close(match &self.visitor {
                        None => Close::InitTimeout,
                        Some(_) => Close::Forbidden("UNAUTHENTICATED", "TOKEN_EXPIRED"),
                    });
                }
                _ = still.tick(), if self.revocable() => {
                    if let Err(end) = self.still_allowed().await {
                        return end;
                    }
                }
                _ = ping.tick() => {
                    if heard.elapsed() > SILENCE || self.session.ping(b"").await.is_err() {
                        return End::Gone;
                    }
                }
            }
        }
    }

    async fn message(&mut self, message: AggregatedMessage) -> Result<(), End> {
        match message {
            AggregatedMessage::Text(text) => match serde_json::from_str(&text) {
                Ok(message) => self.told(message).await,
                Err(_) => Err(End::Close(Close::Invalid)),
            },
            AggregatedMessage::Binary(_) => Err(End::Close(Close::Invalid)),
            AggregatedMessage::Ping(bytes) => self.session.pong(&bytes).await.map_err(|_| End::Gone),
            AggregatedMessage::Pong(_) => Ok(()),
            AggregatedMessage::Close(_) => Err(End::Gone),
        }
    }

    async fn told(&mut self, message: FromClient) -> Result<(), End> {
        match message {
            FromClient::ConnectionInit { payload } => self.init(payload).await,
            FromClient::Ping { payload } => send(&mut self.session, &Plain::Pong { payload }).await,
            FromClient::Pong {} => Ok(()),
            FromClient::Subscribe { id, payload } => self.subscribe(id, payload).await,
            FromClient::Complete { id } => {
                if let Some(operation) = self.running.borrow_mut().remove(&id) {
                    operation.abort();
                }
                Ok(())
            }
        }
    }

    async fn init(&mut self, payload: Option<Map<String, Json>>) -> Result<(), End> {
        if self.visitor.is_some() {
            return Err(End::Close(Close::TooManyInits));
        }
        let said = |wanted: &str| {
            payload.iter().flatten().find_map(|(name, value)| {
                name.eq_ignore_ascii_case(wanted)
                    .then(|| value.as_str())
                    .flatten()
            })
        };
        let credentials = said("authorization").map(|authorization| Credentials {
            authorization,
            proof: said(PROOF_HEADER),
        });
        let visitor = self
            .edge
            .callers
            .identify(&self.request, credentials)
            .await
            .map_err(|denied| End::Close(Close::Forbidden(denied.code, denied.reason)))?;
        self.visitor = Some(Rc::new(visitor));
        send(&mut self.session, &Plain::ConnectionAck).await
    }

    fn revocable(&self) -> bool {
        self.visitor
            .as_ref()
            .is_some_and(|visitor| visitor.still.is_some())
    }

    /// A grant may have been revoked since: then the socket ends with all that runs on it.
    async fn still_allowed(&self) -> Result<(), End> {
        match self.visitor.as_ref().and_then(|visitor| visitor.still.as_ref()) {
            None => Ok(()),
            Some(still) => still()
                .await
                .map_err(|denied| End::Close(Close::Forbidden(denied.code, denied.reason))),
        }
    }

    async fn subscribe(&mut self, id: String, payload: Map<String, Json>) -> Result<(), End> {
        let Some(visitor) = self.visitor.clone() else {
            return Err(End::Close(Close::Unauthorized));
        };
        self.still_allowed().await?;
        let incoming = well_formed(payload).map_err(|_| End::Close(Close::Invalid))?;
        if self.running.borrow().contains_key(&id) {
            return Err(End::Close(Close::Duplicate));
        }
        if self.running.borrow().len() >= OPERATIONS {
            let payload = &[Fault::TooManyOperations(OPERATIONS).error(self.language)];
            return send(&mut self.session, &Plain::Error { id: &id, payload }).await;
        }
        let peer = self.request.peer_addr().map(|address| address.ip());
        let limit = self.request.app_data::<Data<RateLimit>>();
        let counted = limit.map_or(Ok(()), |limit| {
            limit.check_operation(visitor.subject.as_deref(), peer)
        });
        if let Err(seconds) = counted {
            let payload = &[Fault::TooOften(seconds).error(self.language)];
            return send(&mut self.session, &Plain::Error { id: &id, payload }).await;
        }
        let operation = Operation {
            edge: self.edge.clone(),
            visitor,
            language: self.language,
            id: id.clone(),
            session: self.session.clone(),
            running: Rc::clone(&self.running),
        };
        let task = rt::spawn(operation.run(incoming));
        self.running.borrow_mut().insert(id, task.abort_handle());
        Ok(())
    }
}

async fn passed(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}

/// One operation of a socket, in a task of its own; dropped where it stands when the client
/// completes it or the socket ends.
struct Operation {
    edge: Data<Edge>,
    visitor: Rc<Visitor>,
    language: Language,
    id: String,
    session: Session,
    running: Running,
}

impl Operation {
    async fn run(mut self, incoming: Incoming) {
        // An error means that the socket is gone, and then nobody waits for this operation.
        let _ = match self.edge.admit(incoming, &self.visitor, false) {
            Err(refusal) => {
                if let Some(attempted) = refusal.attempted {
                    (self.visitor.deny)(attempted).await;
                }
                let errors = refusal.errors(self.language);
                self.refuse(&errors).await
            }
            Ok(admitted) if streams(&admitted) => self.stream(admitted).await,
            Ok(admitted) => self.once(admitted).await,
        };
    }

    async fn once(&mut self, admitted: Admitted) -> Result<(), End> {
        let edge = self.edge.clone();
        let (answer, log) = edge.execute(admitted, &self.visitor, self.language).await;
        tracing::info!(operation = ?log, "operation over websocket");
        match answer {
            Answer::Refused(errors) => self.refuse(&errors).await,
            Answer::Executed(executed) => {
                self.next(&executed.body).await?;
                self.complete().await
            }
        }
    }

    async fn stream(&mut self, admitted: Admitted) -> Result<(), End> {
        let kept = admitted.kept();
        let log = log_of(&admitted);
        let measure = self.edge.measure("subscription");
        let span = span(&log);
        tracing::info!(operation = ?log, "operation over websocket");
        let notes = Notes::default();
        let (kind, recorded) = (admitted.operation_kind, admitted.recorded);
        let request = (self.visitor.attach)(admitted.request.data(self.language), notes.clone());
        let mut responses = self.edge.service.subscribe(request);
        let mut kept = Some(kept);
        while let Some(response) = responses.next().instrument(span.clone()).await {
            let answer = present(response, &self.visitor, self.language);
            let answer = self
                .edge
                .leave(answer, recorded, &notes, kind, &self.visitor, self.language)
                .await;
            match answer {
                Answer::Refused(errors) => {
                    measure.end("REFUSED");
                    return self.refuse(&errors).await;
                }
                Answer::Executed(executed) => {
                    if let Some(kept) = kept.take() {
                        self.edge.admission.keep(kept);
                    }
                    self.next(&executed.body).await?;
                }
            }
        }
        measure.end("OK");
        self.complete().await
    }

    async fn next(&mut self, payload: &RawValue) -> Result<(), End> {
        let id = &self.id;
        send(
            &mut self.session,
            &ToClient::Next {
                id,
                payload: &payload,
            },
        )
        .await
    }

    /// The id is free again before the client hears of the end, so that it may use it at once.
    async fn complete(&mut self) -> Result<(), End> {
        self.running.borrow_mut().remove(&self.id);
        send(&mut self.session, &Plain::Complete { id: &self.id }).await
    }

    async fn refuse(&mut self, payload: &[ServerError]) -> Result<(), End> {
        self.running.borrow_mut().remove(&self.id);
        let id = &self.id;
        send(&mut self.session, &Plain::Error { id, payload }).await
    }
}
