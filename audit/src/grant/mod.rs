//! Grants: access for people from outside, made for a purpose.
//!
//! An inspection reads, comments and downloads; a commission works in a team by contract. Either names its recipient, the
//! legal basis, what it reaches and until when. It is proposed by one person and issued by another, can be revoked at any
//! time with effect on the next request, and is never extended: more is a new grant.
//!
//! ```text
//! PROPOSED -> ISSUED -> REVOKED
//!    |          |-> EXPIRED    by time
//!    |          '-> EXHAUSTED  by budget
//!    '-> WITHDRAWN
//! ```
//!
//! | file | owns |
//! |---|---|
//! | `bases` | the legal bases |
//! | `rules` | what a grant has to look like, and whether it can be used now |
//! | `service` | the use cases |
//! | `statement` | what is visible under a grant, as counts and roots |

mod bases;
mod rules;
mod service;
mod statement;

pub use bases::{BASES, Basis, basis};
pub use rules::{
    Details, Propose, STANDING, Shown, Standing, USUAL, USUAL_BUDGET, Unusable, Verpflichtung, standing,
    usable,
};
pub use service::{
    Change, End, Named, RecordVerpflichtung, details, engagements_of, find, find_many, in_use, issue, lift,
    list, propose, record_verpflichtung, redeem, redeemable, revoke, trail, withdraw,
};
pub(crate) use service::{charge, row_state};
pub use statement::{Statement, Visible, state};
