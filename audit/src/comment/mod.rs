//! Comments of people from outside: notes of an inspection or a commission, on an engagement or one of its items. They are kept as
//! they were made; the Innenrevision reads them, other bodies do not.

mod service;

pub use service::{Add, add, list};
