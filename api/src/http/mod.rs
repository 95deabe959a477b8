//! The HTTP side of the gateway.

mod accept;
mod address;
pub mod callers;
mod cors;
mod draw_files;
pub mod edge;
mod explorer;
mod exports;
pub mod graphql;
mod health;
mod log;
mod rate_limit;
mod request_log;
mod security_headers;
mod token;
mod transport;
mod uploads;
pub mod ws;

#[cfg(test)]
mod tests;

pub use cors::cors;
pub use draw_files::draw_file_routes;
pub use explorer::{explorer_routes, is_built};
pub use exports::{export_routes, write_sample_items};
pub use health::{Readiness, health_routes};
pub use log::log_routes;
pub use rate_limit::{RateLimit, rate_limit};
pub use request_log::{REQUEST_ID_HEADER, RequestId, request_log};
pub use security_headers::security_headers;
pub use token::token_routes;
pub use uploads::upload_routes;

/// A random id (UUID version 4).
pub(crate) fn random_id() -> uuid::Uuid {
    uuid::Builder::from_random_bytes(rand::random()).into_uuid()
}
