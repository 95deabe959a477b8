//! Which rows a caller may see.

use std::sync::Arc;

use sea_orm::Condition;
use sea_orm::prelude::{DateTimeUtc, Expr};

use crate::grant::Coverage;
use crate::{BezirksstelleId, GrantId};

/// The rows a caller may see. Made from the caller by the audit crate; every finder takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// What a grant reaches, announced or not.
    Grant {
        /// The grant.
        id: GrantId,
        /// What it reaches.
        coverage: Arc<Coverage>,
    },
    /// No row.
    Nothing,
}

impl Scope {
    /// The scope of working papers about whole engagements: the audit function sees them all, a grant of whole engagements
    /// theirs, a Bezirksstelle none. `of` says which rows belong to engagements.
    pub(crate) fn papers(&self, of: impl FnOnce(&Coverage) -> Condition) -> Condition {
        match self {
            Self::Everything => Condition::all(),
            Self::Grant { coverage, .. } if coverage.is_whole() => of(coverage),
            Self::Grant { .. } | Self::Bezirksstelle { .. } | Self::Nothing => Self::nothing(),
        }
    }

    /// A condition no row meets.
    pub(crate) fn nothing() -> Condition {
        Condition::all().add(Expr::val(false))
    }
}
