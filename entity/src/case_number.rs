//! Case numbers (Aktenzeichen), encrypted, apart from the items they belong to.

use sea_orm::entity::prelude::*;

use crate::ImportId;

/// One case number of an import; it goes when its import's items go.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "case_number")]
pub struct Model {
    /// The import it came with.
    #[sea_orm(primary_key, auto_increment = false)]
    pub import_id: ImportId,
    /// Pseudonym of the case number, keyed per engagement.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Blob")]
    pub case_key: Vec<u8>,
    /// AES-256-GCM: nonce, ciphertext, tag.
    #[sea_orm(column_type = "Blob")]
    pub sealed: Vec<u8>,
}

/// No typed relations: finders join where they need to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
