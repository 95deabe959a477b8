//! A check (Prüfblatt) of a sample item: answers to every attribute of a programme, and what would have been correct.
//!
//! Nothing is overwritten: a correction is a new version by the same tester. Where four eyes are asked, the second
//! check is another person's, and both have to agree before the item counts as checked.

mod programme;
mod rules;
mod service;

pub use programme::{Attribute, PROGRAMMES, Programme, programme};
pub use rules::{AnswerInput, MAX_BULK, RecordCheck};
pub(crate) use rules::{current_versions, failed};
pub(crate) use service::place;
pub use service::{answers_of, find_many, of_items, record, record_many};
