//! The log for everybody, without a token: `/log/checkpoint`, `/log/tile/…` and `/log/tile/entries/…` of C2SP `tlog-tiles`.
//!
//! Commitments reveal nothing of what they commit to. Tiles never change and may be kept by whoever passes them on.

use actix_web::http::header;
use actix_web::web::{Data, Path, ServiceConfig, get};
use actix_web::{HttpRequest, HttpResponse};
use audit::trail::tile::Tile;
use audit::trail::{cosigned_note, entries, latest_checkpoint, tile_hashes};

use super::callers::{House, request_id};
use crate::graphql::refusal_json;
use crate::language::language_of;

/// What a checkpoint may be kept for: it is asked for anew each time.
const CHANGES: &str = "no-cache";

/// What a tile may be kept for.
const STAYS: &str = "public, max-age=31536000, immutable";

/// Where the log is read from.
pub fn log_routes(routes: &mut ServiceConfig) {
    routes
        .route("/log/checkpoint", get().to(checkpoint))
        .route("/log/tile/entries/{place:.*}", get().to(bundle))
        .route("/log/tile/{path:.*}", get().to(tile));
}

async fn checkpoint(request: HttpRequest, house: Data<House>) -> HttpResponse {
    let note = match latest_checkpoint(&house.db).await {
        Ok(Some(row)) => cosigned_note(&house.db, &row)
            .await
            .map(|note| Some(note.into_bytes())),
        Ok(None) => Ok(None),
        Err(error) => Err(error),
    };
    answer(&request, &house, "text/plain; charset=utf-8", CHANGES, note)
}

async fn tile(request: HttpRequest, path: Path<String>, house: Data<House>) -> HttpResponse {
    let found = match Tile::parse(&path) {
        Some(tile) => tile_hashes(&house.db, tile).await,
        None => Ok(None),
    };
    answer(&request, &house, "application/octet-stream", STAYS, found)
}

async fn bundle(request: HttpRequest, place: Path<String>, house: Data<House>) -> HttpResponse {
    let found = match Tile::parse_entries(&place) {
        Some(bundle) => entries(&house.db, bundle).await,
        None => Ok(None),
    };
    answer(&request, &house, "application/octet-stream", STAYS, found)
}

fn answer(
    request: &HttpRequest,
    house: &House,
    kind: &'static str,
    kept: &'static str,
    found: audit::Result<Option<Vec<u8>>>,
) -> HttpResponse {
    let language = language_of(request);
    match found {
        Ok(Some(bytes)) => HttpResponse::Ok()
            .insert_header((header::CONTENT_TYPE, kind))
            .insert_header((header::CACHE_CONTROL, kept))
            .body(bytes),
        Ok(None) => HttpResponse::NotFound()
            .content_type("text/plain; charset=utf-8")
            .body(language.say(
                "Das Log reicht (noch) nicht so weit. /log/checkpoint nennt seine Größe.\n",
                "The log does not reach so far (yet). /log/checkpoint says its size.\n",
            )),
        Err(error) => refusal_json(&error, &house.anonymous(request_id(request)), language),
    }
}
