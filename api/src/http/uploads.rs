//! Files on their way in: the body of `PUT /imports/{id}` streams into a waiting import.

use std::io::{self, Read};
use std::time::Duration;

use actix_web::http::header::CONTENT_LENGTH;
use actix_web::web::{Bytes, Data, Path, Payload, ServiceConfig, put};
use actix_web::{HttpRequest, HttpResponse, ResponseError as _};
use audit::Refusal;
use audit::population::{IntakeLimits, run_import};
use futures_util::StreamExt as _;
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::callers::House;
use crate::auth::{Actor, Refused};
use crate::config::ImportSettings;
use crate::graphql::{NodeKind, refusal_json};
use crate::language::language_of;
use crate::telemetry::Metrics;

/// Chunks between network and reader: a slow reader slows the sender down, and memory stays small.
const CHUNKS: usize = 16;
/// A sender that is silent for so long has gone away: an import must not hold its population for ever.
const SILENCE: Duration = Duration::from_mins(1);

enum Chunk {
    Data(Bytes),
    End,
}

/// The body of a request as a blocking reader. Without its last chunk it ends in an error, not in an end of file: half
/// a file must never pass for a whole one.
struct BodyReader {
    chunks: mpsc::Receiver<Chunk>,
    current: Bytes,
    ended: bool,
}

impl Read for BodyReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            if self.ended {
                return Ok(0);
            }
            match self.chunks.blocking_recv() {
                Some(Chunk::Data(bytes)) => self.current = bytes,
                Some(Chunk::End) => self.ended = true,
                None => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
        let count = buffer.len().min(self.current.len());
        buffer[..count].copy_from_slice(&self.current.split_to(count));
        Ok(count)
    }
}

/// Where files are sent to.
pub fn upload_routes(routes: &mut ServiceConfig) {
    routes.route("/imports/{id}", put().to(upload));
}

/// `PUT /imports/{id}`: reads the file into the import and answers how it ended. Progress meanwhile: the subscription
/// `importProgress`.
async fn upload(
    request: HttpRequest,
    id: Path<String>,
    mut body: Payload,
    actor: Actor,
    house: Data<House>,
    settings: Data<ImportSettings>,
    metrics: Data<Metrics>,
) -> HttpResponse {
    let language = language_of(&request);
    let ctx = match house.context(Some(&actor), &request).await {
        Ok(ctx) => ctx,
        Err(error) => return Refused { error, language }.error_response(),
    };
    let Some(import) = NodeKind::Import.parse(&id) else {
        return refusal_json(
            &audit::Error::refused(audit::Code::NotFound, "id"),
            &ctx,
            language,
        );
    };
    let announced = request
        .headers()
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|bytes| bytes > settings.file_limit_bytes) {
        let error = audit::Error::refused_with(audit::Code::FileTooLarge, "", settings.file_limit_bytes);
        return refusal_json(&error, &ctx, language);
    }
    let (sender, chunks) = mpsc::channel(CHUNKS);
    let reader = BodyReader {
        chunks,
        current: Bytes::new(),
        ended: false,
    };
    let limits = IntakeLimits {
        record_bytes: settings.record_limit_bytes,
        file_bytes: settings.file_limit_bytes,
        rejections_kept: settings.rejections_kept,
    };
    // A task of its own: if the sender goes away, the import still ends cleanly and nothing half-imported stays.
    let reading = tokio::spawn(run_import(
        ctx.clone(),
        house.db.clone(),
        entity::ImportId(import),
        reader,
        limits,
    ));
    let mut complete = true;
    loop {
        let Ok(next) = timeout(SILENCE, body.next()).await else {
            complete = false;
            break;
        };
        let Some(chunk) = next else { break };
        let Ok(bytes) = chunk else {
            complete = false;
            break;
        };
        if sender.send(Chunk::Data(bytes)).await.is_err() {
            // The import has ended already; what it says is the answer.
            break;
        }
    }
    if complete {
        let _ = sender.send(Chunk::End).await;
    }
    drop(sender);
    let ended = match reading.await {
        Ok(ended) => ended,
        Err(error) => Err(audit::Error::internal(format!("an import broke: {error}"))),
    };
    match ended {
        Ok(row) => {
            let counted = |number: i64| u64::try_from(number).unwrap_or(0);
            let accepted = if row.state == entity::population_import::State::Completed {
                row.lines_read
            } else {
                0
            };
            metrics.import_lines(counted(accepted), counted(row.lines_rejected));
            let reason = row
                .failure
                .as_deref()
                .and_then(|code| Refusal::kept(code, row.failure_detail.as_deref().unwrap_or_default()));
            let body = json!({
                "id": id.as_str(),
                "state": row.state,
                "linesRead": row.lines_read,
                "linesRejected": row.lines_rejected,
                "sum": row.sum_cents.to_string(),
                "failure": row.failure,
                "failureDetail": row.failure_detail,
                "failureMessage": reason.map(|reason| reason.message(language)),
            });
            if row.state == entity::population_import::State::Completed {
                HttpResponse::Ok().json(body)
            } else {
                HttpResponse::UnprocessableEntity().json(body)
            }
        }
        Err(error) => refusal_json(&error, &ctx, language),
    }
}
