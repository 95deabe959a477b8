//! Signatures: recorded evidence that somebody signed a decision or its minutes elsewhere.

use sea_orm::QueryFilter;
use sea_orm::entity::prelude::*;

use crate::{DecisionId, MinutesId, PaperId, SignatureId, paper, text_enum};

text_enum! {
    /// What kind of evidence it is.
    Kind {
        /// A scan of a signed page.
        Scan = "SCAN",
        /// A qualified electronic signature, verified outside this service.
        Qualified = "QUALIFIED",
    }
}

/// One recorded signature; never changed.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "signature")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SignatureId,
    /// The paper it belongs to.
    pub paper_id: PaperId,
    /// The decision that was signed.
    pub decision_id: Option<DecisionId>,
    /// The minutes that were signed.
    pub minutes_id: Option<MinutesId>,
    /// Digest of what was signed.
    pub content_hash: Vec<u8>,
    /// Scan or qualified.
    pub kind: Kind,
    /// Digest of the file: the scan, or the signature with its report.
    pub file_hash: Vec<u8>,
    /// Who signed, by name and office.
    pub signer: String,
    /// The day on which it was signed.
    pub signed_on: Date,
    /// By which means a qualified signature was verified, and with which result.
    pub verification: Option<String>,
    /// Who recorded it.
    pub recorded_by: String,
    /// When.
    pub recorded_at: DateTimeUtc,
}

/// No typed relations: finders join where they need to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Entity {
    /// Signatures under what became of papers somebody may see.
    pub fn visible_to(reader: &paper::Reader) -> Select<Self> {
        Self::find().filter(paper::among_visible(reader, Column::PaperId))
    }
}
