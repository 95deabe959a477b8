//! Access: which role may do what, which rows a caller sees, and which fields. One table each.
//!
//! Every use case starts with [`authorize`] or, where it writes, with [`authorize_write`]; a write hands the
//! [`Permit`] on to the trail, so that nothing is written without having been asked for.

/// A closed list of words, spelled as contract and trail spell them.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $word:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$doc])* $word),+ }

        impl $name {
            /// Every one, in declared order.
            pub const ALL: &'static [Self] = &[$(Self::$word),+];

            /// The word as contract and trail spell it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$word => $text),+ }
            }
        }
    };
}
pub(crate) use words;

mod action;
mod aggregate;
mod caller;
mod class;
mod four_eyes;
mod granted;
mod permits;
mod role;

pub use action::Action;
pub use aggregate::Aggregate;
pub use caller::Caller;
pub use class::{Class, Classes, classes};
pub use four_eyes::FourEyes;
pub use granted::{Granted, grantable, granted, needs_whole};
pub use permits::{needs_open, permits};
pub use role::{Membership, MembershipTextError, Role};

use crate::{Ctx, Db, Error, Result, trail};

/// Proof that the caller may do an action. Only [`authorize`] and [`authorize_write`] make one, and the service itself for
/// what it does unasked.
#[derive(Debug)]
pub struct Permit(Action);

impl Permit {
    /// The permitted action.
    pub const fn action(&self) -> Action {
        self.0
    }

    /// For what the service does by itself, under [`Ctx::system`]: it goes on with what somebody was permitted.
    pub(crate) const fn own_work(action: Action) -> Self {
        Self(action)
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

/// May the caller see these classes? GraphQL asks before an operation runs; a use case asks for what depends on its input,
/// a download for what it holds.
pub fn disclose(ctx: &Ctx, action: Action, classes: Classes) -> Result<()> {
    if classes.beyond(ctx.caller.classes()).is_empty() {
        Ok(())
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
