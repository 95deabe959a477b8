//! The trail: who did what to what. Append-only; what an entry says can be erased once the log holds its leaf.

use sea_orm::entity::prelude::*;

use crate::{EngagementId, TrailEntryId, text_enum};

text_enum! {
    /// How an attempt ended.
    Outcome {
        /// Done; written in the same transaction as the change.
        Done = "DONE",
        /// Refused for lack of a right.
        Denied = "DENIED",
    }
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "trail_entry")]
pub struct Model {
    /// Id; ascending.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TrailEntryId,
    /// When.
    pub at: DateTimeUtc,
    /// Who.
    pub actor: String,
    /// Under which membership.
    pub membership: String,
    /// What.
    pub action: String,
    /// Done or denied.
    pub outcome: Outcome,
    /// In which engagement.
    pub engagement_id: Option<EngagementId>,
    /// Kind of the subject.
    pub subject_kind: String,
    /// Id of the subject.
    pub subject_id: Option<Uuid>,
    /// The request it came with.
    pub request_id: Uuid,
    /// Whether it concerns a member of the own staff. Not part of what is proven: it says who is told.
    pub own_staff: bool,
    /// What changed, as JSON; never social data.
    pub detail: String,
    /// 32 random bytes of the commitment in the log. Without them the entry can no longer be proven: erased, or written before
    /// there was a log.
    pub salt: Option<Vec<u8>>,
}

/// No typed relations: finders join where they need to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
