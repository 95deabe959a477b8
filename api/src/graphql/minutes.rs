//! Minutes of what bodies did, and recorded signatures.

use async_graphql::{Context, Description, Enum, ID, InputObject, Object, Result};
use audit::decision as service;
use entity::{DecisionId, MinutesId, PaperId, minutes, signature};

use super::ContextExt;
use super::disclosure::{Class, disclosure};
use super::error::{bad_input, payload};
use super::node::NodeKind;
use super::paper_edition::digest;
use super::scalars::{Date, DateTime, Sha256};

/// One edition of minutes (Niederschrift); a correction is another edition.
#[derive(Description)]
pub(super) struct Minutes(minutes::Model);

impl From<minutes::Model> for Minutes {
    fn from(row: minutes::Model) -> Self {
        Self(row)
    }
}

#[Object(use_type_description, directive = disclosure::apply(Class::Internal))]
impl Minutes {
    /// Opaque id.
    async fn id(&self) -> ID {
        NodeKind::Minutes.id(self.0.id.0)
    }

    /// Its number, from 1.
    async fn edition(&self) -> i32 {
        self.0.edition
    }

    /// The call of the paper it tells of.
    async fn round(&self) -> i32 {
        self.0.round
    }

    /// What happened.
    async fn text(&self) -> &str {
        &self.0.text
    }

    /// Digest of it: what is signed.
    async fn content_hash(&self) -> Sha256 {
        digest(&self.0.content_hash)
    }

    /// Who recorded it.
    async fn recorded_by(&self) -> &str {
        &self.0.recorded_by
    }

    /// When.
    async fn recorded_at(&self) -> DateTime {
        self.0.recorded_at.into()
    }
}

/// What kind of evidence a signature is.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "signature::Kind", name = "SignatureKind")]
pub(super) enum Evidence {
    /// A scan of a signed page. Nobody verified anything.
    Scan,
    /// A qualified electronic signature, verified outside this service.
    Qualified,
}

/// Recorded evidence that somebody signed a decision or minutes elsewhere. This service verifies nothing of it.
#[derive(Description)]
pub(super) struct Signature(signature::Model);

impl From<signature::Model> for Signature {
    fn from(row: signature::Model) -> Self {
        Self(row)
    }
}

#[Object(use_type_description, directive = disclosure::apply(Class::Internal))]
impl Signature {
    /// Opaque id.
    async fn id(&self) -> ID {
        NodeKind::Signature.id(self.0.id.0)
    }

    /// Opaque id of the decision that was signed.
    async fn decision_id(&self) -> Option<ID> {
        self.0.decision_id.map(|id| NodeKind::Decision.id(id.0))
    }

    /// Opaque id of the minutes that were signed.
    async fn minutes_id(&self) -> Option<ID> {
        self.0.minutes_id.map(|id| NodeKind::Minutes.id(id.0))
    }

    /// Digest of what was signed.
    async fn content_hash(&self) -> Sha256 {
        digest(&self.0.content_hash)
    }

    /// Scan or qualified.
    async fn kind(&self) -> Evidence {
        self.0.kind.into()
    }

    /// SHA-256 of the file: the scan, or the signature with its report.
    async fn file_hash(&self) -> Sha256 {
        digest(&self.0.file_hash)
    }

    /// Who signed, by name and office.
    async fn signer(&self) -> &str {
        &self.0.signer
    }

    /// The day on which it was signed.
    async fn signed_on(&self) -> Date {
        self.0.signed_on.into()
    }

    /// By which means a qualified signature was verified outside this service, and with which result.
    async fn verification(&self) -> Option<&str> {
        self.0.verification.as_deref()
    }

    /// Who recorded it.
    async fn recorded_by(&self) -> &str {
        &self.0.recorded_by
    }

    /// When.
    async fn recorded_at(&self) -> DateTime {
        self.0.recorded_at.into()
    }
}

/// What records minutes.
#[derive(InputObject)]
pub(super) struct RecordMinutesInput {
    /// The paper.
    paper_id: ID,
    /// The version of it that the caller saw.
    expected_version: i32,
    /// What happened, up to 50,000 characters, without social data.
    text: String,
    /// Repeating the same input under the same key gives the same answer.
    idempotency_key: String,
}

/// What records a signature under a decision or under minutes: one of the two.
#[derive(InputObject)]
pub(super) struct RecordSignatureInput {
    /// The decision that was signed.
    decision_id: Option<ID>,
    /// The minutes that were signed.
    minutes_id: Option<ID>,
    /// Scan or qualified.
    kind: Evidence,
    /// SHA-256 of the file: the scan, or the signature with its report. It is kept elsewhere.
    file_hash: Sha256,
    /// Who signed, by name and office, up to 200 characters.
    signer: String,
    /// The day on which it was signed.
    signed_on: Date,
    /// By which means a qualified signature was verified outside this service, and with which result, up to 2,000 characters; none for a
    /// scan.
    verification: Option<String>,
    /// Repeating the same input under the same key gives the same answer.
    idempotency_key: String,
}

payload! {
    /// Recorded minutes.
    RecordMinutesPayload {
        /// The minutes.
        minutes: Minutes
    }
}

payload! {
    /// A recorded signature.
    RecordSignaturePayload {
        /// The signature.
        signature: Signature
    }
}

/// Records what was written down and signed.
#[derive(Default)]
pub(super) struct MinutesMutation;

#[Object]
impl MinutesMutation {
    /// Records the minutes of the last call of a paper. Another edition corrects them.
    async fn record_minutes(
        &self,
        ctx: &Context<'_>,
        input: RecordMinutesInput,
    ) -> Result<RecordMinutesPayload> {
        let record = service::RecordMinutes {
            id: PaperId(NodeKind::Paper.require(&input.paper_id, "input.paperId")?),
            expected_version: input.expected_version,
            text: input.text,
        };
        RecordMinutesPayload::of(
            ctx,
            service::record_minutes(ctx.audit(), ctx.db(), &input.idempotency_key, record).await,
        )
    }

    /// Records that somebody signed a decision or minutes, by which kind of evidence. The service verifies nothing of it.
    async fn record_signature(
        &self,
        ctx: &Context<'_>,
        input: RecordSignatureInput,
    ) -> Result<RecordSignaturePayload> {
        let signed = match (&input.decision_id, &input.minutes_id) {
            (Some(id), None) => {
                service::Signed::Decision(DecisionId(NodeKind::Decision.require(id, "input.decisionId")?))
            }
            (None, Some(id)) => {
                service::Signed::Minutes(MinutesId(NodeKind::Minutes.require(id, "input.minutesId")?))
            }
            _ => return Err(bad_input("input", "name the decision or the minutes")),
        };
        let record = service::RecordSignature {
            signed,
            kind: input.kind.into(),
            file_hash: input.file_hash.0,
            signer: input.signer,
            signed_on: input.signed_on.0,
            verification: input.verification,
        };
        RecordSignaturePayload::of(
            ctx,
            service::sign(ctx.audit(), ctx.db(), &input.idempotency_key, record).await,
        )
    }
}
