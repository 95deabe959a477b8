//! Checkpoints of the log: what was signed, never changed.

use sea_orm::entity::prelude::*;

/// One checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "log_checkpoint")]
pub struct Model {
    /// Number, from 1 without gaps.
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i64,
    /// Leaves of the tree.
    pub size: i64,
    /// Root of the tree.
    pub root: Vec<u8>,
    /// Id of the signing key, in eight hexadecimal digits.
    pub key_id: String,
    /// When it was signed.
    pub at: DateTimeUtc,
    /// The signed note.
    pub note: String,
}

/// No typed relations: finders join where they need to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
