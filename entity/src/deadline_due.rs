//! What the scheduler has to look at, and when: at most one row a deadline, none once nothing more will happen by itself.

use sea_orm::entity::prelude::*;

use crate::DeadlineId;

/// One look that is due. No part of what happened: it comes and goes with the deadline's state.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "deadline_due")]
pub struct Model {
    /// The deadline.
    #[sea_orm(primary_key, auto_increment = false)]
    pub deadline_id: DeadlineId,
    /// When.
    pub at: DateTimeUtc,
    /// The lease of the instance that looks; none where nobody does.
    pub lease: Option<Uuid>,
    /// Since when.
    pub leased_at: Option<DateTimeUtc>,
    /// Until when nobody else looks.
    pub leased_until: Option<DateTimeUtc>,
}

/// No typed relations: finders join where they need to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
