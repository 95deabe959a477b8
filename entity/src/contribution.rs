//! Contributions to the seed of a sample: committed by a digest, then opened.

use sea_orm::entity::prelude::*;
use sea_orm::{Condition, QueryFilter};

use crate::{ContributionId, SampleId, Scope, ceremony};

/// What one party contributes.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "contribution")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ContributionId,
    /// The sample.
    pub sample_id: SampleId,
    /// Place of the party in the plan, from 1.
    pub ordinal: i32,
    /// Name of the party, as in the plan.
    pub party: String,
    /// Who speaks for it.
    pub subject: String,
    /// In which role.
    pub role: String,
    /// The membership under which it was committed.
    pub spoke_as: Option<String>,
    /// The commitment.
    #[sea_orm(column_type = "Blob", nullable)]
    pub digest: Option<Vec<u8>>,
    /// When it was committed.
    pub committed_at: Option<DateTimeUtc>,
    /// The 32 random bytes, once opened.
    #[sea_orm(column_type = "Blob", nullable)]
    pub salt: Option<Vec<u8>>,
    /// The text, once opened.
    pub words: Option<String>,
    /// When it was opened.
    pub opened_at: Option<DateTimeUtc>,
    /// Counts changes.
    pub version: i32,
}

/// No typed relations: finders join where they need to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Entity {
    /// Contributions of which somebody may know: those to speak for, and, as working papers, those of whole engagements.
    pub fn visible_to(scope: &Scope, subject: &str) -> Select<Self> {
        let papers = scope.papers(|coverage| {
            Condition::all().add(
                Column::SampleId.in_subquery(
                    sea_orm::sea_query::Query::select()
                        .column(ceremony::Column::SampleId)
                        .from(ceremony::Entity)
                        .and_where(ceremony::Column::EngagementId.is_in(coverage.engagements()))
                        .to_owned(),
                ),
            )
        });
        Self::find().filter(Condition::any().add(Column::Subject.eq(subject)).add(papers))
    }
}
