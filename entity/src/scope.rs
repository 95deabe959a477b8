//! Which rows a caller may see.

use sea_orm::Condition;
use sea_orm::prelude::{DateTimeUtc, Expr};

use crate::BezirksstelleId;

/// The rows a caller may see. Made from the caller by the audit crate; every finder takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Every row: the Innenrevision and the service itself.
    Everything,
    /// Sample items of one Bezirksstelle that were announced or requested by `now`, and what they hang on.
    Bezirksstelle {
        /// The caller's Bezirksstelle.
        id: BezirksstelleId,
        /// The time of the request.
        now: DateTimeUtc,
    },
    /// No row.
    Nothing,
}

impl Scope {
    /// The scope of working papers: the audit function sees them all, a Bezirksstelle none.
    pub(crate) fn papers(&self) -> Condition {
        match self {
            Self::Everything => Condition::all(),
            Self::Bezirksstelle { .. } | Self::Nothing => Self::nothing(),
        }
    }

    /// A condition no row meets.
    pub(crate) fn nothing() -> Condition {
        Condition::all().add(Expr::val(false))
    }
}
