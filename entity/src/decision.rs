//! Decisions: what became of a paper.

use sea_orm::QueryFilter;
use sea_orm::entity::prelude::*;

use crate::{BodyId, DecisionId, PaperId, paper, text_enum};

text_enum! {
    /// What was decided.
    Outcome {
        /// The motion holds.
        Adopted = "ADOPTED",
        /// The motion does not hold.
        Rejected = "REJECTED",
        /// Advice was given, and nothing decided.
        Advised = "ADVISED",
        /// Nothing was decided.
        None = "NONE",
    }
}

text_enum! {
    /// Who decided.
    DecidedBy {
        /// All who voted, of one mind.
        Consensus = "CONSENSUS",
        /// The majority, in a body of two equal benches.
        Majority = "MAJORITY",
        /// The chair.
        Chair = "CHAIR",
        /// The head of the Jobcenter.
        Leitung = "LEITUNG",
        /// The Kreis.
        Kreis = "KREIS",
        /// Nobody.
        None = "NONE",
    }
}

/// What one call of a paper led to. Nothing of it is changed but the session at which another body is told.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "decision")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: DecisionId,
    /// The paper.
    pub paper_id: PaperId,
    /// The body of the paper.
    pub body_id: BodyId,
    /// The edition that was voted on.
    pub edition: i32,
    /// The call.
    pub round: i32,
    /// Digest of that edition.
    pub content_hash: Vec<u8>,
    /// The rules that held, as JSON.
    pub rules: String,
    /// What was decided.
    pub outcome: Outcome,
    /// Who decided.
    pub decided_by: DecidedBy,
    /// Whether the members were not of one mind.
    pub dissent: bool,
    /// Seats that voted yes.
    pub yes: i32,
    /// Seats that voted no.
    pub no: i32,
    /// Seats that abstained.
    pub abstained: i32,
    /// Seats that did not vote, vacant ones too.
    pub silent: i32,
    /// Why, where one person decided.
    pub reason: Option<String>,
    /// Why somebody stood in for who decides.
    pub stand_in_reason: Option<String>,
    /// Who recorded it; the person who decided, where one did.
    pub recorded_by: String,
    /// When.
    pub at: DateTimeUtc,
    /// Digest of the decision with the votes that counted: what is signed.
    pub decision_hash: Vec<u8>,
    /// The body that has to be told at its next session.
    pub tells_body_id: Option<BodyId>,
    /// The session at which it is told.
    pub told_at_session: Option<DateTimeUtc>,
    /// Counts changes.
    pub version: i32,
}

/// No typed relations: finders join where they need to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Entity {
    /// Decisions on papers somebody may see.
    pub fn visible_to(reader: &paper::Reader) -> Select<Self> {
        Self::find().filter(paper::among_visible(reader, Column::PaperId))
    }
}
