//! Known errors: what is systemic and delimited in the whole population, or anomalous, and therefore not projected.

use sea_orm::QueryFilter;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Condition;

use crate::{Cents, EngagementId, KnownErrorId, SampleId, Scope, StratumId, text_enum};

text_enum! {
    /// Why an error is not projected.
    Class {
        /// It runs through part of the population, and all of it was found out there: added once in full.
        Systemic = "SYSTEMIC",
        /// It is shown not to be representative: added as far as it is not corrected.
        Anomalous = "ANOMALOUS",
    }
}

text_enum! {
    /// The state of a known error.
    State {
        /// Proposed; until a second person approves, it is projected like any other.
        Proposed = "PROPOSED",
        /// Approved: it is not projected.
        Approved = "APPROVED",
        /// Revoked, or never approved: it is projected like any other; final.
        Revoked = "REVOKED",
    }
}

/// One known error.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "known_error")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: KnownErrorId,
    /// Its engagement.
    pub engagement_id: EngagementId,
    /// Its sample.
    pub sample_id: SampleId,
    /// The stratum in which it is known.
    pub stratum_id: StratumId,
    /// Systemic or anomalous.
    pub class: Class,
    /// What caused it.
    pub cause: String,
    /// How it was delimited, or why it is not representative.
    pub reason: String,
    /// Its amount in the whole stratum.
    pub amount_cents: Cents,
    /// Corrected before the audit ended.
    pub corrected: bool,
    /// Proposed, approved or revoked.
    pub state: State,
    /// Who proposed it.
    pub proposed_by: String,
    /// When.
    pub proposed_at: DateTimeUtc,
    /// Who approved it; never who proposed it.
    pub approved_by: Option<String>,
    /// When.
    pub approved_at: Option<DateTimeUtc>,
    /// Who revoked it.
    pub revoked_by: Option<String>,
    /// When.
    pub revoked_at: Option<DateTimeUtc>,
    /// Why.
    pub revocation_reason: Option<String>,
    /// Counts changes.
    pub version: i32,
}

/// No typed relations: finders join where they need to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Entity {
    /// Known errors a caller may see: the audit function all of them, nobody else any. None is of own staff's items.
    pub fn visible_to(scope: &Scope) -> Select<Self> {
        Self::find().filter(match scope {
            Scope::Everything | Scope::WithoutOwnStaff => Condition::all(),
            Scope::Bezirksstelle { .. } | Scope::Grant { .. } | Scope::Nothing => Scope::nothing(),
        })
    }
}
