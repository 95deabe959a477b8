//! The HTTP side of the gateway.

mod accept;
pub mod edge;
pub mod graphql;
mod transport;
pub mod ws;

#[cfg(test)]
mod tests;
