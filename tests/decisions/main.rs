//! How bodies decide: papers, votes, dissent, and what is kept of it.

#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

mod refused;
mod room;
mod seen;
mod stories;
mod ways;

/// Two tests of one story in a Jobcenter of this preset, whose service has a clock that is set by hand.
macro_rules! in_jobcenter {
    ($name:ident, $settings:expr, $story:expr) => {
        mod $name {
            use super::*;

            async fn on(backend: tests::Backend) {
                let clock = tests::Hand::at($crate::room::BEGIN);
                let service = tests::Service::start_by(backend, &$settings, Some(clock.clone())).await;
                if let Some(service) = service {
                    let story: fn(std::sync::Arc<tests::Service>, std::sync::Arc<tests::Hand>) -> _ = $story;
                    let service = std::sync::Arc::new(service);
                    story(service.clone(), clock).await;
                    if let Some(service) = std::sync::Arc::into_inner(service) {
                        service.stop().await;
                    }
                }
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                on(tests::Backend::Sqlite).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                on(tests::Backend::Postgres).await;
            }
        }
    };
}
pub(crate) use in_jobcenter;
