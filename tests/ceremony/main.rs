//! Draws that are witnessed, and draws nobody can steer, as the people of a Jobcenter make them.

#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

mod desk;
mod dice;
mod methods;
mod outside;
mod planned;
mod steered;
mod witnessed;

/// Two tests of one story, whose service has a clock that is set by hand: `name::sqlite` and `name::postgres`.
macro_rules! by_hand {
    ($name:ident, $story:expr) => {
        mod $name {
            use super::*;

            async fn on(backend: Backend) {
                let clock = Hand::at(BEGIN);
                if let Some(service) = Service::start_by(backend, &[], Some(clock.clone())).await {
                    let story: fn(Service, Arc<Hand>) -> _ = $story;
                    let service: Service = story(service, clock).await;
                    service.stop().await;
                }
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                on(Backend::Sqlite).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                on(Backend::Postgres).await;
            }
        }
    };
}
pub(crate) use by_hand;
