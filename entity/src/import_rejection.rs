//! Lines an import refused. The value itself is never kept: it may be social data.

use sea_orm::entity::prelude::*;

use crate::ImportId;

/// One refused line and column.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "import_rejection")]
pub struct Model {
    /// The import.
    #[sea_orm(primary_key, auto_increment = false)]
    pub import_id: ImportId,
    /// Position in the list of refusals.
    #[sea_orm(primary_key, auto_increment = false)]
    pub ordinal: i32,
    /// Line of the file, the header being line 1.
    pub line: i64,
    /// Column as the file names it.
    pub column_name: Option<String>,
    /// Why it was refused.
    pub code: String,
    /// The other line of a pair, for duplicates.
    pub other_line: Option<i64>,
}

/// No typed relations: finders join where they need to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
