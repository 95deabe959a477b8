//! Editions of papers: what a body votes on.

use async_graphql::{Context, Description, ID, InputObject, Object, Result, SimpleObject};
use audit::decision as service;
use audit::decision::content;
use entity::{EngagementId, ParameterSetId, paper_edition};

use super::disclosure::{Class, disclosure};
use super::error::field;
use super::node::NodeKind;
use super::scalars::{DateTime, Sha256};

/// A file that belongs to a paper and is kept elsewhere.
#[derive(SimpleObject)]
#[graphql(directive = disclosure::apply(Class::Internal))]
pub(super) struct PaperAttachment {
    /// Its name.
    name: String,
    /// SHA-256 of its bytes.
    sha256: Sha256,
}

impl From<content::Attachment> for PaperAttachment {
    fn from(attachment: content::Attachment) -> Self {
        Self {
            name: attachment.name,
            sha256: Sha256(attachment.sha256),
        }
    }
}

/// A digest that a row keeps.
pub(super) fn digest(kept: &[u8]) -> Sha256 {
    Sha256(kept.try_into().unwrap_or_default())
}

/// One edition of a paper (Fassung); never changed.
#[derive(Clone, Description)]
pub(super) struct PaperEdition(pub(super) paper_edition::Model);

#[Object(use_type_description, directive = disclosure::apply(Class::Internal))]
impl PaperEdition {
    /// Its number, from 1.
    async fn number(&self) -> i32 {
        self.0.edition
    }

    /// What the paper is called.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// What is to be decided (Beschlussvorschlag).
    async fn motion(&self) -> &str {
        &self.0.motion
    }

    /// Why.
    async fn reasons(&self) -> &str {
        &self.0.reasons
    }

    /// Files that belong to it, in their order.
    async fn attachments(&self, ctx: &Context<'_>) -> Result<Vec<PaperAttachment>> {
        let kept = field(ctx, service::attachments(&self.0))?;
        Ok(kept.into_iter().map(Into::into).collect())
    }

    /// Opaque id of the engagement it cites.
    async fn engagement_id(&self) -> Option<ID> {
        self.0.engagement_id.map(|id| NodeKind::Engagement.id(id.0))
    }

    /// Opaque id of the edition of a parameter set it cites.
    async fn parameter_set_id(&self) -> Option<ID> {
        self.0.parameter_set_id.map(|id| NodeKind::ParameterSet.id(id.0))
    }

    /// Digest of all that: what is voted on. `audit/src/decision/content.rs` says how it is made.
    async fn content_hash(&self) -> Sha256 {
        digest(&self.0.content_hash)
    }

    /// Who wrote it.
    async fn written_by(&self) -> &str {
        &self.0.written_by
    }

    /// When.
    async fn written_at(&self) -> DateTime {
        self.0.written_at.into()
    }
}

/// A file that belongs to a paper and is kept elsewhere.
#[derive(InputObject)]
pub(super) struct PaperAttachmentInput {
    /// Its name, up to 200 characters.
    name: String,
    /// SHA-256 of its bytes.
    sha256: Sha256,
}

/// What a paper says. It holds no social data: a case is named by the number of its finding.
#[derive(InputObject)]
pub(super) struct PaperContentInput {
    /// What it is called, up to 200 characters.
    title: String,
    /// What is to be decided (Beschlussvorschlag), up to 20,000 characters.
    motion: String,
    /// Why, up to 20,000 characters.
    #[graphql(default)]
    reasons: String,
    /// Files that belong to it, at most 50.
    #[graphql(default)]
    attachments: Vec<PaperAttachmentInput>,
    /// The engagement it cites, if the caller may see it.
    engagement_id: Option<ID>,
    /// The edition of a parameter set it cites, if the caller may see it.
    parameter_set_id: Option<ID>,
}

impl PaperContentInput {
    /// The same for the use case.
    pub(super) fn content(self) -> Result<content::Content> {
        let engagement = self
            .engagement_id
            .map(|id| NodeKind::Engagement.require(&id, "input.content.engagementId"))
            .transpose()?;
        let parameter_set = self
            .parameter_set_id
            .map(|id| NodeKind::ParameterSet.require(&id, "input.content.parameterSetId"))
            .transpose()?;
        let attachment = |attachment: PaperAttachmentInput| content::Attachment {
            name: attachment.name,
            sha256: attachment.sha256.0,
        };
        Ok(content::Content {
            title: self.title,
            motion: self.motion,
            reasons: self.reasons,
            attachments: self.attachments.into_iter().map(attachment).collect(),
            engagement_id: engagement.map(EngagementId),
            parameter_set_id: parameter_set.map(ParameterSetId),
        })
    }
}
