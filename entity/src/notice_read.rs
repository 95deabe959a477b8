//! Who has read which notice.

use sea_orm::entity::prelude::*;

use crate::NoticeId;

/// One person's mark.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "notice_read")]
pub struct Model {
    /// The notice.
    #[sea_orm(primary_key, auto_increment = false)]
    pub notice_id: NoticeId,
    /// Who.
    #[sea_orm(primary_key, auto_increment = false)]
    pub reader: String,
    /// When.
    pub at: DateTimeUtc,
}

/// No typed relations: finders join where they need to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
