//! Editions of papers: what a body votes on.

use sea_orm::QueryFilter;
use sea_orm::entity::prelude::*;

use crate::{EngagementId, PaperEditionId, PaperId, ParameterSetId, paper};

/// One edition of a paper; never changed.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "paper_edition")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PaperEditionId,
    /// The paper.
    pub paper_id: PaperId,
    /// Its number, from 1.
    pub edition: i32,
    /// What it is called.
    pub title: String,
    /// What is to be decided (Beschlussvorschlag).
    pub motion: String,
    /// Why.
    pub reasons: String,
    /// Names and digests of the attachments in their order, as JSON.
    pub attachments: String,
    /// The engagement it cites.
    pub engagement_id: Option<EngagementId>,
    /// The edition of a parameter set it cites.
    pub parameter_set_id: Option<ParameterSetId>,
    /// Digest of all that.
    pub content_hash: Vec<u8>,
    /// Who wrote it.
    pub written_by: String,
    /// When.
    pub written_at: DateTimeUtc,
}

/// No typed relations: finders join where they need to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Entity {
    /// Editions of papers somebody may see.
    pub fn visible_to(reader: &paper::Reader) -> Select<Self> {
        Self::find().filter(paper::among_visible(reader, Column::PaperId))
    }
}
