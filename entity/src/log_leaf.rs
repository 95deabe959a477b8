//! Leaves of the log: numbered without gaps from 0, never changed.

use sea_orm::entity::prelude::*;

use crate::TrailEntryId;

/// One leaf.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "log_leaf")]
pub struct Model {
    /// Its place.
    #[sea_orm(primary_key, auto_increment = false)]
    pub idx: i64,
    /// Id of the trail entry, which may be erased.
    pub entry_id: TrailEntryId,
    /// SHA-256 that commits to the entry.
    pub commitment: Vec<u8>,
}

/// No typed relations: finders join where they need to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
