//! Minutes (Niederschrift) of what a body did with a paper.

use sea_orm::QueryFilter;
use sea_orm::entity::prelude::*;

use crate::{MinutesId, PaperId, paper};

/// One edition of minutes; a correction is another edition.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "minutes")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MinutesId,
    /// The paper.
    pub paper_id: PaperId,
    /// Its number, from 1.
    pub edition: i32,
    /// The call of the paper it tells of.
    pub round: i32,
    /// What happened.
    pub text: String,
    /// Digest of the text.
    pub content_hash: Vec<u8>,
    /// Who recorded it.
    pub recorded_by: String,
    /// When.
    pub recorded_at: DateTimeUtc,
}

/// No typed relations: finders join where they need to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Entity {
    /// Minutes about papers somebody may see.
    pub fn visible_to(reader: &paper::Reader) -> Select<Self> {
        Self::find().filter(paper::among_visible(reader, Column::PaperId))
    }
}
