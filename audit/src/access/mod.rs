//! Access: which role may do what, which rows a caller sees, and which fields. One table each.
//!
//! Every use case starts with [`authorize`] or, where it writes, with [`authorize_write`]; a write hands the
//! [`Permit`] on to the trail, so that nothing is written without having been asked for.

mod action;
mod caller;
mod class;
mod permits;
mod role;

pub use action::Action;
pub use caller::Caller;
pub use class::{Class, Classes, classes};
pub use permits::permits;
pub use role::{Membership, Role};

use crate::{Ctx, Db, Error, Result, trail};

/// Proof that the caller may do an action. Only [`authorize`] and [`authorize_write`] make one.
#[derive(Debug)]
pub struct Permit(Action);

impl Permit {
    /// The permitted action.
    pub const fn action(&self) -> Action {
        self.0
    }
}

/// May the caller do this?
pub fn authorize(ctx: &Ctx, action: Action) -> Result<Permit> {
    if ctx.caller.may(action) {
        Ok(Permit(action))
    } else {
        Err(Error::Forbidden(action))
    }
}

/// May the caller change something? A denied attempt is kept in the trail, with the name of who made it: the anonymous
/// have none and leave nothing.
pub async fn authorize_write(ctx: &Ctx, db: &Db, action: Action) -> Result<Permit> {
    let decision = authorize(ctx, action);
    if decision.is_err() && ctx.caller.authenticated {
        trail::denied(db, ctx, action).await?;
    }
    decision
}
