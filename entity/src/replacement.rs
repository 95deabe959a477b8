//! Replacements: a drawn item that cannot be checked gives its place to the next ticket.

use sea_orm::QueryFilter;
use sea_orm::entity::prelude::*;

use crate::{EngagementId, ReplacementId, SampleId, SampleItemId, Scope, sample_item, text_enum};

text_enum! {
    /// The state of a replacement.
    State {
        /// Asked for; until a second person approves, the item counts as not evidenced.
        Requested = "REQUESTED",
        /// Approved: the next ticket took the place; final.
        Approved = "APPROVED",
        /// Declined: the item counts as not evidenced unless it is checked; final.
        Declined = "DECLINED",
    }
}

text_enum! {
    /// Why an item cannot be checked.
    Cause {
        /// The file no longer exists.
        FileDestroyed = "FILE_DESTROYED",
        /// The item does not belong to the population.
        WrongPopulation = "WRONG_POPULATION",
        /// Something else, which the reason says.
        Other = "OTHER",
    }
}

/// One replacement.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "replacement")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ReplacementId,
    /// Its engagement.
    pub engagement_id: EngagementId,
    /// Its sample.
    pub sample_id: SampleId,
    /// The item that cannot be checked.
    pub sample_item_id: SampleItemId,
    /// The item's: concerns a member of the own staff.
    pub own_staff: bool,
    /// Asked for, approved or declined.
    pub state: State,
    /// Why the item cannot be checked.
    pub cause: Cause,
    /// The same in words.
    pub reason: String,
    /// Who asked.
    pub requested_by: String,
    /// When.
    pub requested_at: DateTimeUtc,
    /// Who decided; never who asked.
    pub decided_by: Option<String>,
    /// When.
    pub decided_at: Option<DateTimeUtc>,
    /// Why it was declined.
    pub decision_reason: Option<String>,
    /// The item that took the place.
    pub by_item_id: Option<SampleItemId>,
    /// Counts changes.
    pub version: i32,
}

/// No typed relations: finders join where they need to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Entity {
    /// Replacements a caller may see: working papers, like the checks of the items they are about.
    pub fn visible_to(scope: &Scope) -> Select<Self> {
        Self::find().filter(sample_item::papers(scope, Column::OwnStaff, Column::SampleItemId))
    }
}
