//! How many requests one caller may send: counted by subject where a token was verified, else by address.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::RETRY_AFTER;
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, HttpResponse, web};
use governor::clock::{Clock, DefaultClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use serde_json::json;

use crate::auth::Authentication;
use crate::config::RateSettings;

/// Requests between two removals of callers that have been quiet.
const TIDY_EVERY: usize = 1024;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Caller {
    Subject(String),
    Address(Option<IpAddr>),
}

impl Caller {
    fn of(request: &ServiceRequest) -> Self {
        if let Some(actor) = request
            .extensions()
            .get::<Authentication>()
            .and_then(Authentication::actor)
        {
            return Self::Subject(actor.identity.subject.clone());
        }
        Self::Address(request.peer_addr().map(|address| network(address.ip())))
    }
}

/// One household or server has a /64 of IPv6 addresses, and would otherwise have 2^64 limits.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

type Limiter<C> = RateLimiter<Caller, DashMapStateStore<Caller>, C, NoOpMiddleware<<C as Clock>::Instant>>;

/// The counters of all callers; one for all workers, as `web::Data`.
pub struct RateLimit<C: Clock = DefaultClock> {
    limiter: Option<Limiter<C>>,
    clock: C,
    seen: AtomicUsize,
}

impl RateLimit {
    /// The limits of the configuration.
    pub fn new(settings: &RateSettings) -> Self {
        Self::with_clock(settings, DefaultClock::default())
    }
}

impl<C: Clock + Clone> RateLimit<C> {
    fn with_clock(settings: &RateSettings, clock: C) -> Self {
        let burst = NonZeroU32::new(settings.burst).unwrap_or(NonZeroU32::MIN);
        let limiter = NonZeroU32::new(settings.per_minute).map(|minute| {
            RateLimiter::new(
                Quota::per_minute(minute).allow_burst(burst),
                DashMapStateStore::default(),
                clock.clone(),
            )
        });
        Self {
            limiter,
            clock,
            seen: AtomicUsize::new(0),
        }
    }

    /// Counts a request; the time to wait if it is one too many.
    fn check(&self, caller: &Caller) -> Result<(), Duration> {
        let Some(limiter) = &self.limiter else {
            return Ok(());
        };
        if self.seen.fetch_add(1, Ordering::Relaxed) % TIDY_EVERY == TIDY_EVERY - 1 {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
        limiter
            .check_key(caller)
            .map_err(|denied| denied.wait_time_from(self.clock.now()))
    }
}

impl RateLimit {
    /// Counts one operation of a socket as a request; how many seconds to wait if it is one too many.
    pub(super) fn check_operation(&self, subject: Option<&str>, address: Option<IpAddr>) -> Result<(), u64> {
        let caller = match subject {
            Some(subject) => Caller::Subject(subject.to_owned()),
            None => Caller::Address(address.map(network)),
        };
        self.check(&caller).map_err(|wait| wait.as_secs() + 1)
    }
}

/// Middleware: answers 429 with `Retry-After` and the code `LIMIT_EXCEEDED`. Stands inside `authenticate`.
pub async fn rate_limit<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let limit = request.app_data::<web::Data<RateLimit>>().cloned();
    let caller = Caller::of(&request);
    match limit.map_or(Ok(()), |limit| limit.check(&caller)) {
        Ok(()) => Ok(next.call(request).await?.map_into_left_body()),
        Err(wait) => Ok(request.into_response(refusal(wait)).map_into_right_body()),
    }
}

fn refusal(wait: Duration) -> HttpResponse {
    let seconds = wait.as_secs() + 1;
    HttpResponse::TooManyRequests()
        .insert_header((RETRY_AFTER, seconds))
        .json(json!({"errors": [{
            "message": format!("Zu viele Anfragen: bitte {seconds} s warten"),
            "extensions": {"code": "LIMIT_EXCEEDED", "reason": "RATE", "retryAfterSeconds": seconds},
        }]}))
}

#[cfg(test)]
mod tests {
    use actix_web::http::StatusCode;
    use actix_web::middleware::from_fn;
    use actix_web::{App, test};
    use governor::clock::FakeRelativeClock;

    use super::*;

    #[actix_web::test]
    async fn one_too_many_is_told_when_to_come_back() {
        let limit = web::Data::new(RateLimit::new(&RateSettings {
            per_minute: 1,
            burst: 2,
        }));
        let app = test::init_service(
            App::new()
                .app_data(limit)
                .wrap(from_fn(rate_limit))
                .route("/", web::get().to(HttpResponse::Ok)),
        )
        .await;
        let ask = || {
            test::TestRequest::get()
                .uri("/")
                .peer_addr("192.0.2.1:1".parse().unwrap())
                .to_request()
        };
        for _ in 0..2 {
            assert_eq!(test::call_service(&app, ask()).await.status(), StatusCode::OK);
        }
        let answer = test::call_service(&app, ask()).await;
        assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
        let seconds: u64 = answer
            .headers()
            .get(RETRY_AFTER)
            .unwrap()
            .to_str()
            .unwrap()
            .parse()
            .unwrap();
        assert!((1..=60).contains(&seconds), "{seconds}");
        let body: serde_json::Value = test::read_body_json(answer).await;
        assert_eq!(body["errors"][0]["extensions"]["code"], "LIMIT_EXCEEDED");
        let other = test::TestRequest::get()
            .uri("/")
            .peer_addr("192.0.2.2:1".parse().unwrap())
            .to_request();
        assert_eq!(test::call_service(&app, other).await.status(), StatusCode::OK);
    }

    #[test]
    async fn quiet_callers_are_forgotten() {
        let clock = FakeRelativeClock::default();
        let limit = RateLimit::with_clock(
            &RateSettings {
                per_minute: 60,
                burst: 1,
            },
            clock.clone(),
        );
        for number in 0..10_000 {
            limit.check(&Caller::Subject(number.to_string())).unwrap();
            clock.advance(Duration::from_millis(100));
        }
        assert!(limit.limiter.as_ref().unwrap().len() <= TIDY_EVERY + 10);
        assert!(limit.check(&Caller::Subject("9999".to_owned())).is_err());
    }

    #[test]
    async fn zero_switches_the_limit_off() {
        let limit = RateLimit::new(&RateSettings {
            per_minute: 0,
            burst: 1,
        });
        assert!((0..1000).all(|_| limit.check(&Caller::Address(None)).is_ok()));
    }

    #[test]
    async fn addresses_of_one_network_count_together() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }
}
