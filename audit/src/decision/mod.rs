//! Decisions: a body is asked by a paper (Vorlage), its members vote, and what comes of it is kept.
//!
//! | file | owns |
//! |---|---|
//! | [`body`], [`presets`] | what a body is, and the bodies of each preset |
//! | [`rules`] | the way of a paper, and what votes add up to |
//! | [`content`] | digests of what is voted on and what is signed |
//! | `bodies`, `papers`, `session`, `record` | the use cases: who sits in a body; papers and their editions; call, votes and decision; minutes and signatures |
//!
//! All but the last line are pure.
//!
//! A vote is for an edition of a paper, in one call of it: whoever votes names the digest of what they read, and a change of the paper
//! makes another edition, which has to be called anew and on which nobody voted yet. Papers hold no social data: a case is named by
//! the number of its finding.

mod bodies;
pub mod body;
pub mod content;
mod papers;
pub mod presets;
mod record;
pub mod rules;
mod session;

pub use bodies::{
    ReleaseSeat, SeatMember, described, find_many as find_bodies, list as bodies, release_seat,
    rules as kept_rules, seat_member, seats_of, set_up,
};
pub use papers::{
    PaperFilter, RevisePaper, SubmitPaper, WithdrawPaper, attachments, decisions_of, editions_of,
    find_many as find_papers, list as papers, revise_paper, submit_paper, votes_of, withdraw_paper,
};
pub use record::{
    DecisionFilter, RecordMinutes, RecordSignature, Signed, adopted, decisions, find_decisions, minutes_of,
    record_minutes, sign, signatures_of,
};
pub use session::{
    CallPaper, CastVote, CloseVote, DecideOnDissent, call_paper, close_vote, decide_on_dissent, open_to, vote,
};
