//! The gateway: HTTP, GraphQL, tokens, command line, configuration, telemetry. Knows no rule.

pub mod auth;
pub mod cli;
pub mod config;
pub mod http;
pub mod telemetry;
