//! The GraphQL side of the gateway.

pub mod admit;
#[cfg(test)]
pub(crate) mod toy;
