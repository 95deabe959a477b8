//! What somebody outside needs to repeat a draw, as downloads: the draw file and the draw record.

use std::convert::Infallible;

use actix_web::http::header;
use actix_web::web::{Bytes, Data, Query, ServiceConfig, get};
use actix_web::{HttpRequest, HttpResponse, ResponseError as _};
use async_stream::stream;
use audit::access::Class;
use audit::population::import::amount::{self, Decimals};
use audit::reads::{Asked, Noted, RECORDED, operation_hash};
use audit::sample::{DRAWN_FROM, DrawFrame, draw_frame};
use audit::sampling::redraw::FrameRow;
use audit::{Code, Ctx, Language};
use entity::SampleId;
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::callers::{House, deny};
use super::edge::lacks_right;
use super::exports::{BROKEN_OFF, unrecorded};
use crate::auth::{Actor, Refused};
use crate::graphql::{NodeKind, refusal_json};
use crate::language::language_of;

const FILE: &str = "GET /exports/draw-file.csv";
const RECORD: &str = "GET /exports/draw-record.json";

/// Where they are fetched from.
pub fn draw_file_routes(routes: &mut ServiceConfig) {
    routes.route("/exports/draw-file.csv", get().to(file));
    routes.route("/exports/draw-record.json", get().to(record));
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    sample: String,
}

fn asked(operation: &str) -> Asked {
    Asked {
        classes: DRAWN_FROM.and(RECORDED),
        operation: operation_hash(operation, None),
    }
}

/// The frame asked for, or the refusal; an attempt on social data is told.
async fn frame(
    request: &HttpRequest,
    parameters: Result<Query<Parameters>, actix_web::Error>,
    actor: &Actor,
    house: &House,
    operation: &str,
) -> Result<(Ctx, DrawFrame), HttpResponse> {
    let language = language_of(request);
    let ctx = house
        .context(Some(actor), request)
        .await
        .map_err(|error| Refused { error, language }.error_response())?;
    let sample = parameters
        .ok()
        .and_then(|Query(given)| NodeKind::Sample.parse(&given.sample));
    let Some(sample) = sample else {
        let error = audit::Error::refused(Code::InvalidValue, "sample");
        return Err(refusal_json(&error, &ctx, language));
    };
    match draw_frame(&ctx, &house.db, SampleId(sample)).await {
        Ok(frame) => Ok((ctx, frame)),
        Err(error) => {
            let lacking = asked(operation).classes.beyond(ctx.caller.classes());
            if lacks_right(&error) && !lacking.is_empty() {
                let attempt = Asked {
                    classes: lacking,
                    ..asked(operation)
                };
                deny(&ctx, &house.db, &attempt).await;
            }
            Err(refusal_json(&error, &ctx, language))
        }
    }
}

/// What leaves in both, row by row.
fn kind(frame: &DrawFrame) -> &'static str {
    if frame.is_of_cases() {
        "Case"
    } else {
        "PopulationItem"
    }
}

/// What the records of both say: the sample.
fn query(frame: &DrawFrame) -> String {
    json!({ "sample": NodeKind::Sample.id(frame.sample.id.0).0 }).to_string()
}

async fn file(
    request: HttpRequest,
    parameters: Result<Query<Parameters>, actix_web::Error>,
    actor: Actor,
    house: Data<House>,
) -> HttpResponse {
    let language = language_of(&request);
    let (ctx, frame) = match frame(&request, parameters, &actor, &house, FILE).await {
        Ok(found) => found,
        Err(refused) => return refused,
    };
    let first = match frame.rows(&house.db, None).await {
        Ok(rows) => rows,
        Err(error) => return refusal_json(&error, &ctx, language),
    };
    let (reads, db) = (house.reads.clone(), house.db.clone());
    let begun = reads
        .begin_export(
            &ctx,
            asked(FILE),
            &query(&frame),
            Some(frame.sample.engagement_id),
            &[frame.sample.id.0],
        )
        .await;
    let export = match begun {
        Ok(export) => export,
        Err(error) => return unrecorded(&error, &ctx, language),
    };
    let head = head(&frame, language);
    let body = stream! {
        yield Ok::<_, Infallible>(Bytes::from(head));
        let (mut rows, mut count, mut digest) = (first, 0_u64, Sha256::new());
        while let Some(last) = DrawFrame::after(&rows) {
            count += rows.len() as u64;
            for id in rows.iter().filter_map(|row| row.id.parse::<Uuid>().ok()) {
                digest.update(id.as_bytes());
            }
            let next = match frame.rows(&db, Some(last)).await {
                Ok(next) => next,
                Err(error) => {
                    tracing::error!(%error, "a draw file broke off");
                    yield Ok(Bytes::from_static(BROKEN_OFF));
                    return;
                }
            };
            // The last part leaves when the record of the whole is durable.
            if next.is_empty() {
                let ended = reads
                    .end_whole(&ctx, export, frame.sample.engagement_id, kind(&frame), count, digest.finalize().to_vec())
                    .await;
                if let Err(error) = ended {
                    tracing::error!(request_id = %ctx.request_id, %error, "a draw file without read record broke off");
                    yield Ok(Bytes::from_static(BROKEN_OFF));
                    return;
                }
                yield Ok(Bytes::from(lines(&rows)));
                return;
            }
            yield Ok(Bytes::from(lines(&rows)));
            rows = next;
        }
    };
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present"))
        .insert_header((
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"draw-file.csv\"",
        ))
        .streaming(body)
}

/// Who may receive it, and the names of the columns.
fn head(frame: &DrawFrame, language: Language) -> String {
    let said = language.say(
        "Ziehungsdatei: Sozialdaten (§ 67 SGB X). Nur für Stellen mit eigener Prüfbefugnis oder Zugang zu dieser Prüfung; nicht weitergeben.",
        "Draw file: social data (§ 67 SGB X). For bodies with a right of audit or a grant for this engagement alone; do not pass on.",
    );
    let cases = if frame.is_of_cases() {
        language.say(
            "# Jede Zeile ist ein Fall mit allen seinen Zeilen, benannt durch das Pseudonym seiner Nummer.\r\n",
            "# Each row is a case with all its lines, named by the pseudonym of its number.\r\n",
        )
    } else {
        ""
    };
    format!(
        "# {said}\r\n{cases}# {}\r\nitem;stratum;bezirksstelle;amount\r\n",
        frame.sample.name.replace(['\r', '\n'], " ")
    )
}

fn lines(rows: &[FrameRow]) -> Vec<u8> {
    let mut lines = csv::WriterBuilder::new()
        .delimiter(b';')
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::with_capacity(rows.len() * 72));
    for row in rows {
        let amount = row
            .amount
            .map(|cents| amount::format(cents, Decimals::English, false));
        // Writing to memory does not fail.
        let _ = lines.write_record([
            row.id.as_str(),
            &row.stratum,
            &row.bezirksstelle,
            amount.as_deref().unwrap_or_default(),
        ]);
    }
    lines.into_inner().unwrap_or_default()
}

async fn record(
    request: HttpRequest,
    parameters: Result<Query<Parameters>, actix_web::Error>,
    actor: Actor,
    house: Data<House>,
) -> HttpResponse {
    let language = language_of(&request);
    let (ctx, frame) = match frame(&request, parameters, &actor, &house, RECORD).await {
        Ok(found) => found,
        Err(refused) => return refused,
    };
    let record = match frame.record(&house.db).await {
        Ok(record) => record,
        Err(error) => return refusal_json(&error, &ctx, language),
    };
    let engagement = frame.sample.engagement_id;
    let ids = record.items.iter().filter_map(|item| item.id.parse().ok());
    let kind = kind(&frame);
    let noted = ids.map(|id| Noted { engagement, kind, id }).collect();
    let outcome = async {
        let reads = &house.reads;
        let mut export = reads
            .begin_export(
                &ctx,
                asked(RECORD),
                &query(&frame),
                Some(engagement),
                &[frame.sample.id.0],
            )
            .await?;
        export.add(noted);
        reads.end_export(&ctx, export).await
    };
    if let Err(error) = outcome.await {
        return unrecorded(&error, &ctx, language);
    }
    HttpResponse::Ok()
        .insert_header((
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"draw-record.json\"",
        ))
        .json(record)
}

/// A class that is asked for here and recorded nowhere would be a fault of this module.
const _: () = assert!(RECORDED.contains(Class::SocialData));
