//! `/health/live`: the process answers. `/health/ready`: it can serve.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use actix_web::{HttpResponse, web};
use serde_json::json;

/// How long a readiness check may take; a probe that waits longer has given up.
const PATIENCE: Duration = Duration::from_secs(3);

/// The answer of one check: nothing, or a short reason without any secret.
type Outcome = Pin<Box<dyn Future<Output = Result<(), &'static str>> + Send>>;

#[derive(Clone)]
struct Check {
    name: &'static str,
    run: Arc<dyn Fn() -> Outcome + Send + Sync>,
    needed: bool,
}

/// Named checks of what the service needs.
#[derive(Clone, Default)]
pub struct Readiness {
    checks: Vec<Check>,
}

impl Readiness {
    /// Adds a check, such as `database` (reachable) or `migrations` (current).
    #[must_use]
    pub fn with<F, O>(self, name: &'static str, check: F) -> Self
    where
        F: Fn() -> O + Send + Sync + 'static,
        O: Future<Output = Result<(), &'static str>> + Send + 'static,
    {
        self.and(name, true, check)
    }

    /// Adds a check whose outcome is told, and does not make the service unavailable.
    #[must_use]
    pub fn telling<F, O>(self, name: &'static str, check: F) -> Self
    where
        F: Fn() -> O + Send + Sync + 'static,
        O: Future<Output = Result<(), &'static str>> + Send + 'static,
    {
        self.and(name, false, check)
    }

    fn and<F, O>(mut self, name: &'static str, needed: bool, check: F) -> Self
    where
        F: Fn() -> O + Send + Sync + 'static,
        O: Future<Output = Result<(), &'static str>> + Send + 'static,
    {
        let run = Arc::new(move || -> Outcome { Box::pin(check()) });
        self.checks.push(Check { name, run, needed });
        self
    }

    async fn answer(&self) -> HttpResponse {
        let mut failed = false;
        let mut report = serde_json::Map::new();
        for check in &self.checks {
            let outcome = tokio::time::timeout(PATIENCE, (check.run)())
                .await
                .unwrap_or(Err("timeout"));
            failed |= check.needed && outcome.is_err();
            report.insert(check.name.to_owned(), json!(outcome.err().unwrap_or("ok")));
        }
        let body = json!({"status": if failed { "unavailable" } else { "ok" }, "checks": report});
        if failed {
            HttpResponse::ServiceUnavailable().json(body)
        } else {
            HttpResponse::Ok().json(body)
        }
    }
}

/// Both routes; open to everybody.
pub fn health_routes(readiness: Readiness) -> impl FnOnce(&mut web::ServiceConfig) {
    move |routes| {
        routes
            .route(
                "/health/live",
                web::get().to(async || HttpResponse::Ok().json(json!({"status": "ok"}))),
            )
            .route(
                "/health/ready",
                web::get().to(move || {
                    let readiness = readiness.clone();
                    async move { readiness.answer().await }
                }),
            );
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::StatusCode;
    use actix_web::{App, test};

    use super::*;

    #[actix_web::test]
    async fn ready_means_every_check_passes() {
        let good = Readiness::default().with("database", async || Ok(()));
        let told = good.clone().telling("issuers", async || Err("keys unavailable"));
        let bad = good.clone().with("migrations", async || Err("pending"));
        for (readiness, status, body) in [
            (
                good,
                StatusCode::OK,
                r#"{"checks":{"database":"ok"},"status":"ok"}"#,
            ),
            (
                told,
                StatusCode::OK,
                r#"{"checks":{"database":"ok","issuers":"keys unavailable"},"status":"ok"}"#,
            ),
            (
                bad,
                StatusCode::SERVICE_UNAVAILABLE,
                r#"{"checks":{"database":"ok","migrations":"pending"},"status":"unavailable"}"#,
            ),
        ] {
            let app = test::init_service(App::new().configure(health_routes(readiness))).await;
            let live =
                test::call_service(&app, test::TestRequest::get().uri("/health/live").to_request()).await;
            assert_eq!(live.status(), StatusCode::OK);
            let ready =
                test::call_service(&app, test::TestRequest::get().uri("/health/ready").to_request()).await;
            assert_eq!(ready.status(), status);
            assert_eq!(test::read_body(ready).await, body);
        }
    }
}
