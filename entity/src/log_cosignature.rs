//! Cosignatures of checkpoints by witnesses: verified before they are stored, never changed.

use sea_orm::entity::prelude::*;

/// One cosignature.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "log_cosignature")]
pub struct Model {
    /// Number of the checkpoint.
    #[sea_orm(primary_key, auto_increment = false)]
    pub checkpoint: i64,
    /// Name of the witness.
    #[sea_orm(primary_key, auto_increment = false)]
    pub witness: String,
    /// Id of its key, in eight hexadecimal digits.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key_id: String,
    /// When the witness signed, by its own clock.
    pub at: DateTimeUtc,
    /// The signature line of the note, with its end.
    pub line: String,
}

/// No typed relations: finders join where they need to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
