//! The control system: access, trail, engagements, populations, samples, checks.

pub mod demo;
pub mod population;
pub mod trail;
