//! The trail of an engagement.

use async_graphql::{Context, Description, Enum, Object, Result};
use entity::{EngagementId, GrantId, trail_entry};

use super::ContextExt;
use super::disclosure::{Class, disclosure};
use super::error::{Maybe, field};
use super::log::LogInclusion;
use super::page::{Window, by_id, connection};
use super::scalars::DateTime;

const ORDER: &str = "trail";

/// How an attempt ended.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "trail_entry::Outcome")]
pub(super) enum TrailOutcome {
    /// Done; written in the same transaction as the change.
    Done,
    /// Refused for lack of a right.
    Denied,
}

/// One entry of the trail (Prüfpfad): who did what to what. Entries are never changed; where one has to be erased,
/// its leaf in the log stays.
#[derive(Description)]
pub(super) struct TrailEntry(trail_entry::Model);

impl From<trail_entry::Model> for TrailEntry {
    fn from(row: trail_entry::Model) -> Self {
        Self(row)
    }
}

#[Object(use_type_description, directive = disclosure::apply(Class::Audit))]
impl TrailEntry {
    /// When.
    async fn at(&self) -> DateTime {
        self.0.at.into()
    }

    /// Who: the subject of the token.
    async fn actor(&self) -> &str {
        &self.0.actor
    }

    /// Under which membership.
    async fn membership(&self) -> &str {
        &self.0.membership
    }

    /// What.
    async fn action(&self) -> &str {
        &self.0.action
    }

    /// Done or denied.
    async fn outcome(&self) -> TrailOutcome {
        self.0.outcome.into()
    }

    /// Kind of what it was done to.
    async fn subject_kind(&self) -> &str {
        &self.0.subject_kind
    }

    /// What changed, as a JSON text. `stateBefore` and `stateAfter` are digests of the subject's row as the change found and left
    /// it, made with a key of the service's own: whether a row is still as it was left, `pruefpfad doctor --rows` says.
    async fn detail(&self) -> &str {
        &self.0.detail
    }

    /// The request it came with, as in log and error messages.
    async fn request_id(&self) -> String {
        self.0.request_id.to_string()
    }

    /// Proof that it is in the log; null until its place is signed, about a second after it was written.
    async fn proof(&self, ctx: &Context<'_>) -> Maybe<LogInclusion> {
        match ctx.loaders().one(ctx, self.0.id).await {
            Ok(placed) => placed.map(|placed| Ok(LogInclusion::of(ctx, &placed, &self.0))),
            Err(error) => Some(Err(error)),
        }
    }
}

connection!(TrailConnection, TrailEdge, TrailEntry, Audit);

/// The trail of a grant that the caller sees.
pub(super) async fn of_grant(ctx: &Context<'_>, grant: GrantId, window: &Window) -> Result<TrailConnection> {
    let args = window.args(ctx, ORDER)?;
    let page = field(
        ctx,
        audit::grant::trail(ctx.audit(), ctx.db(), grant, &args).await,
    )?;
    Ok(TrailConnection::of(ORDER, page, |row| by_id(row.id.0)))
}

/// The trail of an engagement that the caller sees.
pub(super) async fn of(
    ctx: &Context<'_>,
    engagement: EngagementId,
    window: &Window,
) -> Result<TrailConnection> {
    let args = window.args(ctx, ORDER)?;
    let page = field(
        ctx,
        audit::trail::list(ctx.audit(), ctx.db(), engagement, &args).await,
    )?;
    Ok(TrailConnection::of(ORDER, page, |row| by_id(row.id.0)))
}
