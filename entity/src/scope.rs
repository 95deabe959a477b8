//! Which rows a caller may see.

use sea_orm::Condition;
use sea_orm::prelude::{DateTimeUtc, Expr};

use crate::BezirksstelleId;

/// The rows a caller may see. Made from the caller by the audit crate; every finder takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Every row: the service itself, and the named group of the audit function that handles own staff's items.
    Everything,
    /// Every row but the items of own staff (§ 35 (1) S. 3 SGB I): the audit function.
    WithoutOwnStaff,
    /// Sample items of one Bezirksstelle that were announced or requested by `now`, and what they hang on.
    Bezirksstelle {
        /// The caller's Bezirksstelle.
        id: BezirksstelleId,
        /// The time of the request.
        now: DateTimeUtc,
        /// Whether own staff's items are among them.
        own_staff: bool,
    },
    /// No row.
    Nothing,
}

impl Scope {
    /// The scope of working papers: the audit function sees them all, a Bezirksstelle none.
    pub(crate) fn papers(&self) -> Condition {
        if self.holds_papers() {
            Condition::all()
        } else {
            Self::nothing()
        }
    }

    /// Whether working papers are in it.
    pub const fn holds_papers(&self) -> bool {
        match self {
            Self::Everything | Self::WithoutOwnStaff => true,
            Self::Bezirksstelle { .. } | Self::Nothing => false,
        }
    }

    /// A condition no row meets.
    pub(crate) fn nothing() -> Condition {
        Condition::all().add(Expr::val(false))
    }
}
