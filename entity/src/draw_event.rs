//! Numbered events of drawing: "draw k of m" counts freezes and aborts too.

use sea_orm::entity::prelude::*;

use crate::{DrawEventId, EngagementId, PopulationId, SampleId, text_enum};

text_enum! {
    /// What happened.
    Kind {
        /// A population was frozen.
        Freeze = "FREEZE",
        /// A sample was drawn.
        Draw = "DRAW",
        /// A planned sample was given up.
        Abort = "ABORT",
        /// A sample drawn elsewhere was recorded.
        Record = "RECORD",
        /// Items were chosen by hand.
        Choose = "CHOOSE",
        /// A drawn item that cannot be checked gave its place to the next ticket.
        Replace = "REPLACE",
    }
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "draw_event")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: DrawEventId,
    /// Its engagement.
    pub engagement_id: EngagementId,
    /// Number within the engagement, from 1.
    pub number: i32,
    /// What happened.
    pub kind: Kind,
    /// The population.
    pub population_id: PopulationId,
    /// The sample.
    pub sample_id: Option<SampleId>,
    /// Why, where a reason is asked for.
    pub reason: Option<String>,
    /// Who did it.
    pub by_subject: String,
    /// When.
    pub at: DateTimeUtc,
}

/// No typed relations: finders join where they need to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
