//! The gateway: HTTP, GraphQL, tokens, command line, configuration, telemetry. Knows no rule.

pub mod app;
pub mod auth;
pub mod cli;
pub mod config;
pub mod graphql;
pub mod http;
pub mod language;
pub mod telemetry;
pub mod witnesses;
