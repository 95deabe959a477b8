//! The Jobcenter and its parts: set up once from a preset, then only read.

mod presets;
mod service;

pub use presets::{PRESETS, Preset, preset};
pub use service::{bezirksstellen, by_number, current, set_up};
