//! Of which engagement the deletion job deletes working papers right now: the guards of these let nothing else go. Empty between
//! its transactions.

use sea_orm::entity::prelude::*;

use crate::EngagementId;

/// One permission to delete.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "retention_gate")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The engagement; closed, and under no legal hold.
    pub engagement_id: EngagementId,
}

/// No typed relations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
