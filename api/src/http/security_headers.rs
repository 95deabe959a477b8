//! Headers that tell browsers what they must not do with an answer.

use actix_web::http::header;
use actix_web::middleware::DefaultHeaders;

use crate::config::Mode;

/// Headers of every answer that does not set its own; the explorer's pages set their own content policy.
pub fn security_headers(mode: Mode) -> DefaultHeaders {
    let headers = DefaultHeaders::new()
        .add((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .add((header::X_FRAME_OPTIONS, "DENY"))
        .add((header::REFERRER_POLICY, "no-referrer"))
        .add((
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'",
        ))
        .add(("cross-origin-resource-policy", "same-site"))
        // Answers hold social data: no browser and no proxy keeps them.
        .add((header::CACHE_CONTROL, "no-store"));
    match mode {
        Mode::Development => headers,
        Mode::Production => headers.add((header::STRICT_TRANSPORT_SECURITY, "max-age=63072000")),
    }
}

#[cfg(test)]
mod tests {
    use actix_web::{App, HttpResponse, test, web};

    use super::*;

    #[actix_web::test]
    async fn an_answer_may_set_its_own_policy() {
        for mode in [Mode::Development, Mode::Production] {
            let app = test::init_service(
                App::new()
                    .wrap(security_headers(mode))
                    .route("/", web::get().to(HttpResponse::Ok))
                    .route(
                        "/own",
                        web::get().to(async || {
                            HttpResponse::Ok()
                                .insert_header((header::CONTENT_SECURITY_POLICY, "own"))
                                .finish()
                        }),
                    ),
            )
            .await;
            let answer = test::call_service(&app, test::TestRequest::get().uri("/").to_request()).await;
            assert_eq!(
                answer
                    .headers()
                    .get(header::X_CONTENT_TYPE_OPTIONS)
                    .map(header::HeaderValue::as_bytes),
                Some(&b"nosniff"[..])
            );
            assert_eq!(
                answer.headers().contains_key(header::STRICT_TRANSPORT_SECURITY),
                mode == Mode::Production
            );
            let answer = test::call_service(&app, test::TestRequest::get().uri("/own").to_request()).await;
            assert_eq!(
                answer.headers().get_all(header::CONTENT_SECURITY_POLICY).count(),
                1
            );
        }
    }
}
