//! Hashes of the log's tree: the roots of all complete subtrees, never changed.

use sea_orm::entity::prelude::*;

/// One hash.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "log_node")]
pub struct Model {
    /// Height over the leaves: the subtree has 2 to the power of `level` of them.
    #[sea_orm(primary_key, auto_increment = false)]
    pub level: i32,
    /// Place among the nodes of its level.
    #[sea_orm(primary_key, auto_increment = false)]
    pub idx: i64,
    /// The hash.
    pub hash: Vec<u8>,
}

/// No typed relations: finders join where they need to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
