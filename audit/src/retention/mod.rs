//! Retention: what is kept no longer is deleted, and the deletion leaves its trace.
//!
//! | what | kept | file |
//! |---|---|---|
//! | read records | six calendar months after their engagement was closed, and six months after they were made where that is later or where they belong to no engagement (§ 79 (4) SGB X for standing online retrieval); those made under a grant six months after its end too, so that the Bezirksstelle can be told | `read_records` |
//! | case numbers, and the key of an engagement's pseudonyms | twelve calendar months after the engagement was closed | `case_numbers` |
//! | working papers: populations, samples, checks, comments, deadlines | ten years after the engagement was closed | `working_papers` |
//! | papers of bodies with their votes, decisions, minutes and signatures, and who sat in the bodies | as long as the Jobcenter exists: plans, parameter sets and allotments cite them, and a decision is proven only with its votes and the seats they were cast for. They hold no social data; what a Kreis has to offer its archive, it takes from a copy | no job deletes them, and the database refuses to |
//!
//! A legal hold on the engagement stops it ([`crate::legal_hold`]); any hold stops the deletion of records of no engagement.
//!
//! A run that has something to delete says so in the trail before it begins (`BEGUN`: what is due) and when it has ended
//! (`ENDED`: what was deleted), with count, period and engagements. One that was interrupted has a beginning without an end;
//! the next run deletes the rest. Two instances that run at once delete nothing twice, and each says what it deleted.

mod case_numbers;
mod read_records;
mod service;
mod working_papers;

pub(crate) use service::without_papers;
pub use service::{Kind, Part, Run, RunState, due, run, runs};
