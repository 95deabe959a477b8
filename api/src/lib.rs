//! The gateway: HTTP, GraphQL, tokens, command line, configuration, telemetry. Knows no rule.

pub mod graphql;
pub mod http;
pub mod language;
