//! Read records: who read which social data, when and for what. On SQLite in a file of their own. Append-only; the deletion
//! job alone removes them. They hold ids and never what was read.

use sea_orm::entity::prelude::*;

use crate::{EngagementId, GrantId, ReadRecordId, text_enum};

text_enum! {
    /// What a record is about.
    Kind {
        /// One answer: the ids of what was in it.
        Answer = "ANSWER",
        /// A download began: what it asked for. Written before its first byte.
        ExportBegun = "EXPORT_BEGUN",
        /// A download was complete: count and digest of the ids. Written before its last part.
        ExportEnded = "EXPORT_ENDED",
    }
}

/// One record: of one answer or download, what it read in one engagement.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "read_record")]
pub struct Model {
    /// Id; ascending with time.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ReadRecordId,
    /// When: after the data was fetched, before it left.
    pub at: DateTimeUtc,
    /// Answer or download.
    pub kind: Kind,
    /// The request it belongs to. Several records may share one: an answer over several engagements, a download's begin
    /// and end, the events of a subscription.
    pub request_id: Uuid,
    /// Who: the subject of the token.
    pub actor: String,
    /// Under which membership; empty where there was none.
    pub membership: String,
    /// Under which grant, for somebody from outside.
    pub grant_id: Option<GrantId>,
    /// In which engagement; none where what was read hangs on none, or nothing was found.
    pub engagement_id: Option<EngagementId>,
    /// For what: the function of the engagement.
    pub purpose: Option<String>,
    /// The disclosure classes that made the record necessary, by a space each.
    pub classes: String,
    /// SHA-256 that names the operation; see `audit::reads::operation_hash`.
    pub operation_hash: Vec<u8>,
    /// What a download asked for; texts that were searched for are left out.
    pub query: Option<String>,
    /// Kind of the objects, as in the API's type names.
    pub object_kind: String,
    /// How many objects; 0 where a download begins.
    pub object_count: i64,
    /// Ids of the objects, 16 bytes each, ascending. Where a download begins: of the sample, Bezirksstelle and stratum it keeps to,
    /// if any. Empty where one ended.
    pub object_ids: Vec<u8>,
    /// For a download that is complete: SHA-256 over the ids, 16 bytes each, ascending.
    pub object_digest: Option<Vec<u8>>,
}

impl Model {
    /// The ids of the objects.
    pub fn objects(&self) -> impl Iterator<Item = Uuid> {
        self.object_ids
            .as_chunks::<16>()
            .0
            .iter()
            .map(|bytes| Uuid::from_bytes(*bytes))
    }
}

/// No typed relations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
