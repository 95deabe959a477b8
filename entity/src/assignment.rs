//! Assignments: who is to check which item of a sample.

use sea_orm::QueryFilter;
use sea_orm::entity::prelude::*;

use crate::{AssignmentId, EngagementId, SampleId, SampleItemId, Scope, sample_item};

/// One assignment. It is never changed but ended, and stays.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "assignment")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AssignmentId,
    /// Its engagement.
    pub engagement_id: EngagementId,
    /// Its sample.
    pub sample_id: SampleId,
    /// The item.
    pub sample_item_id: SampleItemId,
    /// The item's: concerns a member of the own staff.
    pub own_staff: bool,
    /// Who is to check it.
    pub tester: String,
    /// Who assigned it.
    pub assigned_by: String,
    /// When.
    pub assigned_at: DateTimeUtc,
    /// Who ended it.
    pub ended_by: Option<String>,
    /// When.
    pub ended_at: Option<DateTimeUtc>,
}

/// No typed relations: finders join where they need to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Entity {
    /// Assignments a caller may see: working papers, like the checks of the items they are about.
    pub fn visible_to(scope: &Scope) -> Select<Self> {
        Self::find().filter(sample_item::papers(scope, Column::OwnStaff, Column::SampleItemId))
    }
}
