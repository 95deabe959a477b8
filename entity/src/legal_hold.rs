//! Legal holds: while one of them stands, nothing that hangs on its engagement is deleted for its age.

use sea_orm::entity::prelude::*;
use sea_orm::{Condition, QueryFilter};

use crate::{EngagementId, LegalHoldId, Scope};

/// One legal hold.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "legal_hold")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: LegalHoldId,
    /// What it holds.
    pub engagement_id: EngagementId,
    /// Why.
    pub reason: String,
    /// Who placed it.
    pub placed_by: String,
    /// Since when.
    pub placed_at: DateTimeUtc,
    /// Why it was lifted.
    pub lift_reason: Option<String>,
    /// Who lifted it; never who placed it.
    pub lifted_by: Option<String>,
    /// When it was lifted; it stands until then.
    pub lifted_at: Option<DateTimeUtc>,
}

/// No typed relations: finders join where they need to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Entity {
    /// Holds a caller may see: working papers, which stay with the audit function.
    pub fn visible_to(scope: &Scope) -> Select<Self> {
        Self::find().filter(
            scope.papers(|coverage| Condition::all().add(Column::EngagementId.is_in(coverage.engagements()))),
        )
    }
}
