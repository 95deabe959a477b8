//! Keys that make creating repeatable: same key and input, same answer.

use sea_orm::entity::prelude::*;

/// One used key.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "idempotency")]
pub struct Model {
    /// Who used it; keys of different callers never meet.
    #[sea_orm(primary_key, auto_increment = false)]
    pub actor: String,
    /// The key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    /// The operation it was used for.
    pub operation: String,
    /// SHA-256 of the operation's input.
    #[sea_orm(column_type = "Blob")]
    pub input_digest: Vec<u8>,
    /// What was created.
    pub subject_id: Uuid,
    /// When.
    pub at: DateTimeUtc,
}

/// No typed relations: finders join where they need to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
