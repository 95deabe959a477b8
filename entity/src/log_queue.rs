//! Commitments of trail entries that wait for their place in the log. A row is written with its entry and leaves the queue in the
//! transaction that makes it a leaf.

use sea_orm::entity::prelude::*;

use crate::TrailEntryId;

/// One waiting commitment.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "log_queue")]
pub struct Model {
    /// Id of the trail entry.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TrailEntryId,
    /// SHA-256 that commits to the entry.
    pub commitment: Vec<u8>,
}

/// No typed relations: finders join where they need to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
