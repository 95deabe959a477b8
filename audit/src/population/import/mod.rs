//! From an uploaded file to checked lines: declared mapping, bounded reading, exact parsing. Nothing here knows the database.

pub mod amount;
pub mod line;
pub mod mapping;
pub mod reader;

pub use line::{Line, Rejection, RejectionCode};
pub use mapping::Mapping;
pub use reader::{Failure, Reader, Step};
