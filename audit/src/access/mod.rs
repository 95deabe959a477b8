//! Who may do what, and which rows they may see.

mod role;

pub use role::*;
