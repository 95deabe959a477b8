//! Rows: one file a table, id and money newtypes, and the finders that take a [`Scope`]. No behaviour.
//!
//! A select on scoped rows starts with the table's `visible_to(&Scope)`. There is no GraphQL here and no rule.

mod fund;
mod ids;
mod listed;
mod money;
mod scope;

pub mod assignment;
pub mod bezirksstelle;
pub mod body;
pub mod case_number;
pub mod ceremony;
pub mod check_answer;
pub mod comment;
pub mod contribution;
pub mod control_cell;
pub mod control_total;
pub mod deadline;
pub mod deadline_date;
pub mod deadline_due;
pub mod decision;
pub mod difference;
pub mod draw_event;
pub mod engagement;
pub mod grant;
pub mod idempotency;
pub mod import_rejection;
pub mod item_check;
pub mod jobcenter;
pub mod known_error;
pub mod known_error_part;
pub mod legal_hold;
pub mod log_checkpoint;
pub mod log_cosignature;
pub mod log_leaf;
pub mod log_node;
pub mod log_queue;
pub mod minutes;
pub mod notice;
pub mod notice_read;
pub mod paper;
pub mod paper_edition;
pub mod parameter_set;
pub mod population;
pub mod population_import;
pub mod population_item;
pub mod read_gate;
pub mod read_record;
pub mod replacement;
pub mod retention_gate;
pub mod sample;
pub mod sample_item;
pub mod sample_stratum;
pub mod seat;
pub mod signature;
pub mod trail_entry;
pub mod vote;

pub use fund::{Fund, FundSplit};
pub use ids::{
    AssignmentId, BezirksstelleId, BodyId, CheckId, CommentId, ContributionId, ControlTotalId, DeadlineId,
    DecisionId, DifferenceId, DrawEventId, EngagementId, GrantId, ImportId, ItemId, JobcenterId,
    KnownErrorId, LegalHoldId, MinutesId, NoticeId, PaperEditionId, PaperId, ParameterSetId, PopulationId,
    ReadRecordId, ReplacementId, SampleId, SampleItemId, SeatId, SignatureId, StratumId, TrailEntryId,
    VoteId,
};
pub use listed::{Listed, ListedCheck, ListedItem};
pub use money::Cents;
pub use scope::Scope;

/// A closed list of words, stored as text exactly as the API spells it.
macro_rules! text_enum {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, sea_orm::EnumIter, sea_orm::DeriveActiveEnum, serde::Serialize, serde::Deserialize)]
        #[sea_orm(rs_type = "String", db_type = "Text")]
        pub enum $name {
            $($(#[$doc])* #[sea_orm(string_value = $text)] #[serde(rename = $text)] $variant),+
        }

        impl $name {
            /// Every value, in declared order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The text in database and API.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }
    };
}
pub(crate) use text_enum;
