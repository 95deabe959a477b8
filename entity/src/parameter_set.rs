//! Parameter sets: confidence, materiality and factor profile of samples, in editions that two people stand for.

use sea_orm::entity::prelude::*;
use sea_orm::{Condition, QueryFilter};

use crate::{ParameterSetId, Scope, text_enum};

text_enum! {
    /// The state of an edition.
    State {
        /// Proposed; cited by no plan.
        Proposed = "PROPOSED",
        /// Approved by another person; final.
        Approved = "APPROVED",
        /// Declined by another person; final.
        Declined = "DECLINED",
    }
}

text_enum! {
    /// Where the factors of limits and sizes come from.
    FactorProfile {
        /// The quantile itself.
        Exact = "EXACT",
        /// The printed tables of the EC guidance (EGESIF 16-0014).
        EcTables = "EC_TABLES",
    }
}

/// One edition of a parameter set.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "parameter_set")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ParameterSetId,
    /// Number of the set, from 1; all its editions share it.
    pub number: i32,
    /// Edition of the set, from 1.
    pub edition: i32,
    /// Name.
    pub name: String,
    /// Confidence, an exact decimal as text.
    pub confidence: String,
    /// Materiality as a part of what is audited, an exact decimal as text.
    pub materiality: String,
    /// Where factors come from.
    pub factor_profile: FactorProfile,
    /// The first day on which plans may cite it.
    pub valid_from: Date,
    /// Why these figures.
    pub reason: String,
    /// Proposed, approved or declined.
    pub state: State,
    /// Who proposed it.
    pub proposed_by: String,
    /// When.
    pub proposed_at: DateTimeUtc,
    /// Who decided; never who proposed.
    pub decided_by: Option<String>,
    /// When.
    pub decided_at: Option<DateTimeUtc>,
    /// Why it was declined.
    pub decision_reason: Option<String>,
    /// Counts changes.
    pub version: i32,
}

/// No typed relations: finders join where they need to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Entity {
    /// Editions a caller may see: the audit function all of them, nobody else any.
    pub fn visible_to(scope: &Scope) -> Select<Self> {
        Self::find().filter(match scope {
            Scope::Everything | Scope::WithoutOwnStaff => Condition::all(),
            Scope::Bezirksstelle { .. } | Scope::Grant { .. } | Scope::Nothing => Scope::nothing(),
        })
    }
}
