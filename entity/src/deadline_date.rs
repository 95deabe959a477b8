//! The ends a deadline had, each for good: an extension adds one.

use sea_orm::entity::prelude::*;

use crate::{DeadlineId, EngagementId, text_enum};

text_enum! {
    /// How an end came about.
    Kind {
        /// It was set, or started by a complete notice.
        Set = "SET",
        /// It was extended before it had passed.
        Extended = "EXTENDED",
        /// It was extended after it had passed (§ 26 (7) SGB X).
        Retroactive = "RETROACTIVE",
    }
}

/// One end. Never changed.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "deadline_date")]
pub struct Model {
    /// Its deadline.
    #[sea_orm(primary_key, auto_increment = false)]
    pub deadline_id: DeadlineId,
    /// Place among its ends, from 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub ordinal: i32,
    /// Its engagement.
    pub engagement_id: EngagementId,
    /// How it came about.
    pub kind: Kind,
    /// The last day.
    pub ends_on: Date,
    /// The midnight at its end.
    pub ends_at: DateTimeUtc,
    /// How it was found: lines in both languages as JSON.
    pub derivation: String,
    /// Why it was extended.
    pub reason: Option<String>,
    /// By whom.
    pub made_by: String,
    /// When.
    pub made_at: DateTimeUtc,
}

/// No typed relations: finders join where they need to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
