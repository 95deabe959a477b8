//! Which front ends may call from a browser.

use actix_cors::Cors;

use crate::auth::{MEMBERSHIP_HEADER, PROOF_HEADER};
use crate::config::ServerSettings;
use crate::http::REQUEST_ID_HEADER;

/// The rules of the configuration; without origins, browsers refuse every foreign front end.
///
/// Credentials are not allowed: tokens travel in a header, and no cookie is ever read.
pub fn cors(settings: &ServerSettings) -> Cors {
    let rules = Cors::default()
        .allowed_methods(["GET", "POST"])
        .allowed_headers([
            "authorization",
            "content-type",
            "accept",
            "traceparent",
            MEMBERSHIP_HEADER,
            PROOF_HEADER,
            REQUEST_ID_HEADER,
        ])
        .expose_headers([
            REQUEST_ID_HEADER,
            "retry-after",
            "content-disposition",
            "www-authenticate",
        ])
        .max_age(3600);
    settings.cors_origins.iter().fold(rules, |rules, origin| {
        if origin == "*" {
            rules.allow_any_origin().send_wildcard()
        } else {
            rules.allowed_origin(origin)
        }
    })
}

#[cfg(test)]
mod tests {
    use actix_web::http::Method;
    use actix_web::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN};
    use actix_web::{App, HttpResponse, test, web};

    use super::*;
    use crate::config::Layers;

    #[actix_web::test]
    async fn only_named_origins_are_allowed() {
        for (origins, origin, expected) in [
            (vec![], "https://a.example", None),
            (
                vec!["https://a.example"],
                "https://a.example",
                Some("https://a.example"),
            ),
            (vec!["https://a.example"], "https://b.example", None),
            (vec!["*"], "https://b.example", Some("*")),
        ] {
            let mut settings = Layers::default().load().unwrap().settings.server;
            settings.cors_origins = origins.into_iter().map(str::to_owned).collect();
            let app = test::init_service(
                App::new()
                    .wrap(cors(&settings))
                    .route("/", web::post().to(HttpResponse::Ok)),
            )
            .await;
            let request = test::TestRequest::default()
                .method(Method::OPTIONS)
                .insert_header((ORIGIN, origin))
                .insert_header((ACCESS_CONTROL_REQUEST_METHOD, "POST"))
                .to_request();
            let answer = match test::try_call_service(&app, request).await {
                Ok(answer) => answer.map_into_boxed_body().into_parts().1,
                Err(error) => error.error_response(),
            };
            let allowed = answer
                .headers()
                .get(ACCESS_CONTROL_ALLOW_ORIGIN)
                .map(|value| value.to_str().unwrap());
            assert_eq!(allowed, expected, "{origin}");
        }
    }
}
