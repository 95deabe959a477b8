//! The configuration: defaults, then a TOML file, then the environment, then flags.
//!
//! Owns the names, meanings and bounds of all settings. Reads files of secrets; opens nothing else.

mod key;
mod layers;
mod print;
mod private_file;
mod problem;
mod sections;

pub use key::{KEYS, Key, Kind};
pub use layers::{ConfigError, Layers, Loaded};
pub use print::print;
pub use private_file::read_or_create;
pub use problem::Problem;
pub use sections::*;
