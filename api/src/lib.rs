//! The gateway: HTTP, GraphQL, tokens, command line, configuration, telemetry. Knows no rule.

<<<<<<< HEAD
pub mod auth;
pub mod cli;
pub mod config;
pub mod http;
pub mod telemetry;
=======
pub mod graphql;
pub mod http;
pub mod language;
>>>>>>> main
