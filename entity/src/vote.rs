//! Votes on papers, by name.

use sea_orm::QueryFilter;
use sea_orm::entity::prelude::*;

use crate::{PaperId, SeatId, VoteId, paper, text_enum};

text_enum! {
    /// How somebody votes.
    Choice {
        /// For the motion.
        Yes = "YES",
        /// Against it.
        No = "NO",
        /// Neither.
        Abstain = "ABSTAIN",
    }
}

text_enum! {
    /// As what somebody votes.
    Capacity {
        /// As the member.
        Member = "MEMBER",
        /// As the deputy: counts where the member does not vote.
        Deputy = "DEPUTY",
    }
}

/// One vote on one edition of a paper, in one call; never changed.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "vote")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: VoteId,
    /// The paper.
    pub paper_id: PaperId,
    /// Its edition.
    pub edition: i32,
    /// The call.
    pub round: i32,
    /// Digest of what was voted on.
    pub content_hash: Vec<u8>,
    /// Under which term the seat was held.
    pub seat_id: SeatId,
    /// Kind of the seat.
    pub seat_kind: String,
    /// Place of the seat in its kind.
    pub seat_place: i32,
    /// As member or deputy.
    pub capacity: Capacity,
    /// Who voted, by the subject of the token.
    pub voter: String,
    /// Yes, no, or neither.
    pub choice: Choice,
    /// The dissenting opinion, or a remark.
    pub opinion: Option<String>,
    /// Whether the voter waived the calling period.
    pub waives_calling_period: bool,
    /// When.
    pub at: DateTimeUtc,
}

/// No typed relations: finders join where they need to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Entity {
    /// Votes on papers somebody may see.
    pub fn visible_to(reader: &paper::Reader) -> Select<Self> {
        Self::find().filter(paper::among_visible(reader, Column::PaperId))
    }
}
