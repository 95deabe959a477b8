//! The GraphQL explorer: static files built beforehand, served by us alone, so that it works on a closed network.

use std::path::PathBuf;

use actix_files::{Files, NamedFile};
use actix_web::http::header;
use actix_web::middleware::DefaultHeaders;
use actix_web::{HttpRequest, HttpResponse, Responder as _, web};

use crate::config::ExplorerSettings;
use crate::language::language_of;

/// What the page needs and nothing else: scripts, styles, fonts and connections of this host.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; font-src 'self' data:; connect-src 'self'; worker-src 'self'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";

/// Whether the built files are there.
pub fn is_built(settings: &ExplorerSettings) -> bool {
    settings.directory.join("index.html").is_file()
}

/// The page at `/explorer` and its files. Where they were not built, the page says how to build them.
pub fn explorer_routes(settings: &ExplorerSettings) -> impl FnOnce(&mut web::ServiceConfig) + use<> {
    let settings = settings.clone();
    move |routes| {
        if !settings.enabled {
            return;
        }
        let assets = settings.directory.join("assets");
        // Where the explorer is not built, its page says so.
        if assets.is_dir() {
            routes.service(
                web::scope("/explorer/assets")
                    .wrap(
                        DefaultHeaders::new()
                            .add((header::CACHE_CONTROL, "public, max-age=31536000, immutable")),
                    )
                    .service(Files::new("", assets)),
            );
        }
        let index = settings.directory.join("index.html");
        let page = move |request: HttpRequest| page(request, index.clone());
        routes
            .route("/explorer", web::get().to(page.clone()))
            .route("/explorer/", web::get().to(page));
    }
}

async fn page(request: HttpRequest, index: PathBuf) -> HttpResponse {
    let mut answer = match NamedFile::open_async(&index).await {
        Ok(file) => file
            .use_last_modified(true)
            .respond_to(&request)
            .map_into_boxed_body(),
        Err(_) => HttpResponse::ServiceUnavailable()
            .content_type("text/plain; charset=utf-8")
            .body(language_of(&request).say(
                "Der Explorer ist nicht gebaut. Mit Node.js und npm im Quellverzeichnis ausführen:\n\n    \
                 cd api/explorer && npm ci && npm run build\n\nAlles andere arbeitet ohne ihn.\n",
                "The explorer is not built. With Node.js and npm run in the source folder:\n\n    \
                 cd api/explorer && npm ci && npm run build\n\nEverything else works without it.\n",
            )),
    };
    let headers = answer.headers_mut();
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        header::HeaderValue::from_static(POLICY),
    );
    headers.insert(
        header::CACHE_CONTROL,
        header::HeaderValue::from_static("no-cache"),
    );
    answer
}
