//! Strata (Schichten) of a sample; an unstratified sample has one.

use sea_orm::entity::prelude::*;

use crate::{BezirksstelleId, Cents, SampleId, StratumId};

/// One stratum.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sample_stratum")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: StratumId,
    /// Its sample.
    pub sample_id: SampleId,
    /// Position.
    pub ordinal: i32,
    /// The Bezirksstelle it stands for, when stratified so.
    pub bezirksstelle_id: Option<BezirksstelleId>,
    /// Name.
    pub label: String,
    /// Items of the frame in it.
    pub item_count: i64,
    /// Their sum.
    pub sum_cents: Cents,
    /// Sampling units to draw.
    pub size: i64,
}

/// No typed relations: finders join where they need to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
