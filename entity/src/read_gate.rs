//! What the deletion job is deleting right now: the guard of `read_record` lets nothing else go. Empty between its
//! transactions.

use sea_orm::entity::prelude::*;

use crate::EngagementId;

/// One permission to delete.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "read_gate")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Records of this engagement; none for those of no engagement.
    pub engagement_id: Option<EngagementId>,
    /// Only those made before.
    pub before: DateTimeUtc,
}

/// No typed relations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
