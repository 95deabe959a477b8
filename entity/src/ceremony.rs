//! Ceremonies of draws: what was planned, and the public source, of samples whose seed is not one person's alone.

use sea_orm::entity::prelude::*;

use crate::{EngagementId, SampleId};

/// The ceremony of one sample.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ceremony")]
pub struct Model {
    /// The sample.
    #[sea_orm(primary_key, auto_increment = false)]
    pub sample_id: SampleId,
    /// Its engagement.
    pub engagement_id: EngagementId,
    /// The plan, as JSON.
    pub plan: String,
    /// Until when the draw waits for whoever did not open.
    pub open_until: Option<DateTimeUtc>,
    /// What the public source said, as JSON.
    pub source: Option<String>,
    /// Who recorded it.
    pub source_by: Option<String>,
    /// When it was recorded.
    pub source_at: Option<DateTimeUtc>,
}

/// No typed relations: finders join where they need to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
