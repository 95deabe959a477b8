//! The control system: rules and services. Knows no HTTP and no GraphQL.

pub mod access;
