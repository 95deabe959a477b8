//! Which rows a caller may see.

use std::sync::Arc;

use sea_orm::Condition;
use sea_orm::prelude::{DateTimeUtc, Expr};

use crate::grant::Coverage;
use crate::{BezirksstelleId, GrantId};

/// The rows a caller may see. Made from the caller by the audit crate; every finder takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// What a grant reaches, announced or not.
    Grant {
        /// The grant.
        id: GrantId,
        /// What it reaches.
        coverage: Arc<Coverage>,
        /// Whether own staff's items are among them.
        own_staff: bool,
    },
    /// No row.
    Nothing,
}

impl Scope {
    /// The scope of working papers about whole engagements: the audit function sees them all, a grant of whole engagements
    /// theirs, a Bezirksstelle none. `of` says which rows belong to engagements.
    pub(crate) fn papers(&self, of: impl FnOnce(&Coverage) -> Condition) -> Condition {
        match self {
            Self::Everything | Self::WithoutOwnStaff => Condition::all(),
            Self::Grant { coverage, .. } if coverage.is_whole() => of(coverage),
            Self::Grant { .. } | Self::Bezirksstelle { .. } | Self::Nothing => Self::nothing(),
        }
    }

    /// Whether own staff's items are in it.
    pub const fn holds_own_staff(&self) -> bool {
        match self {
            Self::Everything => true,
            Self::WithoutOwnStaff | Self::Nothing => false,
            Self::Bezirksstelle { own_staff, .. } | Self::Grant { own_staff, .. } => *own_staff,
        }
    }

    /// A condition no row meets.
    pub(crate) fn nothing() -> Condition {
        Condition::all().add(Expr::val(false))
    }
}
