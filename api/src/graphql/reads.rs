//! Read records and runs of the deletion job, for the data protection officer.

use async_graphql::{Context, Description, Enum, ID, InputObject, Object, Result, SimpleObject};
use audit::reads::{self, ReadFilter};
use audit::retention::{self, Kind as Deleted, Part, Run, RunState};
use audit::trail::{self, DenialFilter};
use entity::engagement::Function;
use entity::read_record::{Kind, Model};
use entity::trail_entry;
use entity::{EngagementId, GrantId};
use serde::Deserialize;

use super::ContextExt;
use super::disclosure::{Class, disclosure};
use super::engagement::EngagementFunction;
use super::error::{Maybe, bad_input, field};
use super::node::NodeKind;
use super::page::{Window, by_id, connection, counted};
use super::scalars::{DateTime, Long, Sha256};

const RECORDS: &str = "readRecords";
const RUNS: &str = "retentionRuns";
const DENIALS: &str = "deniedAttempts";

/// What a read record is about.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "Kind")]
pub(super) enum ReadRecordKind {
    /// One answer; the ids of what was in it.
    Answer,
    /// A download began; what it asked for.
    ExportBegun,
    /// A download was complete; count and digest of the ids.
    ExportEnded,
}

/// Who read which social data (Lesezugriff): one answer or download, in one engagement. It holds ids and never what was read; the
/// ids lead nowhere for whoever may not see what they name.
#[derive(Description)]
pub(super) struct ReadRecord(Model);

impl From<Model> for ReadRecord {
    fn from(row: Model) -> Self {
        Self(row)
    }
}

#[Object(use_type_description, directive = disclosure::apply(Class::AccessLog))]
impl ReadRecord {
    /// When: after the data was fetched, before it left.
    async fn at(&self) -> DateTime {
        self.0.at.into()
    }

    /// Answer or download.
    async fn kind(&self) -> ReadRecordKind {
        self.0.kind.into()
    }

    /// Who: the subject of the token.
    async fn actor(&self) -> &str {
        &self.0.actor
    }

    /// Under which membership.
    async fn membership(&self) -> &str {
        &self.0.membership
    }

    /// Id of the grant, for somebody from outside.
    async fn grant_id(&self) -> Option<ID> {
        self.0.grant_id.map(|id| NodeKind::Grant.id(id.0))
    }

    /// Id of the engagement; null where what was read belongs to none, or nothing was found.
    async fn engagement_id(&self) -> Option<ID> {
        self.0.engagement_id.map(|id| NodeKind::Engagement.id(id.0))
    }

    /// For what: the function of the engagement.
    async fn purpose(&self) -> Option<EngagementFunction> {
        let purpose = self.0.purpose.as_deref()?;
        let function = Function::ALL.iter().find(|known| known.as_str() == purpose)?;
        Some((*function).into())
    }

    /// The classes that made the record necessary: of the fields selected, and of those searched or sorted by.
    async fn classes(&self) -> Vec<Class> {
        let known = audit::access::Class::ALL.iter().copied();
        known
            .filter(|class| self.0.classes.split(' ').any(|word| word == class.as_str()))
            .map(Class::from)
            .collect()
    }

    /// Names the operation: SHA-256 over the document as it was sent, a zero byte, and the name of the operation chosen in it. Of
    /// a download, the document is its address without parameters: `GET /exports/sample-items.csv`.
    async fn operation_hash(&self) -> Option<Sha256> {
        Sha256::stored(&self.0.operation_hash)
    }

    /// What a download asked for, as a JSON text. A text that was searched for is `*`.
    async fn query(&self) -> Option<&str> {
        self.0.query.as_deref()
    }

    /// Kind of the objects; null where there are none.
    async fn object_kind(&self) -> Option<&str> {
        Some(self.0.object_kind.as_str()).filter(|kind| !kind.is_empty())
    }

    /// How many objects left; 0 where a download begins.
    async fn object_count(&self) -> Long {
        Long(self.0.object_count)
    }

    /// Ids of the objects, ascending by their UUID; empty for downloads.
    async fn object_ids(&self) -> Vec<ID> {
        let kind = NodeKind::ALL
            .into_iter()
            .find(|kind| kind.name() == self.0.object_kind);
        kind.map(|kind| self.0.objects().map(|id| kind.id(id)).collect())
            .unwrap_or_default()
    }

    /// For a complete download: SHA-256 over the UUIDs of its objects in this engagement, 16 bytes each, ascending.
    async fn object_digest(&self) -> Option<Sha256> {
        Sha256::stored(self.0.object_digest.as_deref()?)
    }

    /// The request it belongs to, as in log and error messages. An answer over several engagements has one record for each, a
    /// download one at its beginning too.
    async fn request_id(&self) -> String {
        self.0.request_id.to_string()
    }
}

connection!(
    ReadRecordConnection,
    ReadRecordEdge,
    ReadRecord,
    AccessLog,
    total_count
);

/// Which read records are listed; what is not named does not restrict.
#[derive(InputObject)]
pub(super) struct ReadRecordFilter {
    /// In this engagement.
    #[graphql(directive = disclosure::apply(Class::AccessLog))]
    engagement_id: Option<ID>,
    /// By this person: the subject of the token.
    #[graphql(directive = disclosure::apply(Class::AccessLog))]
    actor: Option<String>,
    /// Under this grant.
    #[graphql(directive = disclosure::apply(Class::AccessLog))]
    grant_id: Option<ID>,
    /// In this request.
    #[graphql(directive = disclosure::apply(Class::AccessLog))]
    request_id: Option<String>,
    /// Answers that held this sample item. Downloads keep a digest instead of ids: ask for those of its engagement.
    #[graphql(directive = disclosure::apply(Class::AccessLog))]
    object_id: Option<ID>,
    /// Answers or downloads.
    #[graphql(directive = disclosure::apply(Class::AccessLog))]
    kind: Option<ReadRecordKind>,
    /// Made at this time or later.
    #[graphql(directive = disclosure::apply(Class::AccessLog))]
    from: Option<DateTime>,
    /// Made before this time.
    #[graphql(directive = disclosure::apply(Class::AccessLog))]
    until: Option<DateTime>,
}

impl ReadRecordFilter {
    fn resolve(self) -> Result<ReadFilter> {
        let row = |kind: NodeKind, id: Option<ID>, input| id.map(|id| kind.require(&id, input)).transpose();
        let request = self.request_id.map(|id| {
            id.parse()
                .map_err(|_| bad_input("filter.requestId", "no id of a request"))
        });
        Ok(ReadFilter {
            engagement: row(NodeKind::Engagement, self.engagement_id, "filter.engagementId")?
                .map(EngagementId),
            actor: self.actor,
            grant: row(NodeKind::Grant, self.grant_id, "filter.grantId")?.map(GrantId),
            request: request.transpose()?,
            object: row(NodeKind::SampleItem, self.object_id, "filter.objectId")?,
            kind: self.kind.map(Into::into),
            from: self.from.map(|from| from.0),
            until: self.until.map(|until| until.0),
        })
    }
}

/// How far a run of the deletion job came.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "RunState")]
pub(super) enum RetentionState {
    /// It began: this was due.
    Begun,
    /// It ended: this was deleted.
    Ended,
}

/// What the deletion job deletes.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "Deleted")]
pub(super) enum RetentionKind {
    /// Read records, six months after their engagement was closed.
    ReadRecord,
    /// Case numbers and the key of an engagement's pseudonyms, twelve months after it was closed.
    CaseNumber,
    /// Populations, samples, checks and comments, ten years after their engagement was closed; counted are the items of populations and samples.
    WorkingPaper,
}

/// What was due or deleted of one engagement.
#[derive(SimpleObject)]
#[graphql(directive = disclosure::apply(Class::AccessLog))]
pub(super) struct RetentionPart {
    /// Id of the engagement; null for records that belonged to none.
    engagement_id: Option<ID>,
    /// How many.
    count: Long,
    /// When the oldest was made, of read records.
    from: Option<DateTime>,
    /// When the newest was made, of read records.
    to: Option<DateTime>,
}

impl From<Part> for RetentionPart {
    fn from(part: Part) -> Self {
        Self {
            engagement_id: part.engagement.map(|id| NodeKind::Engagement.id(id.0)),
            count: Long(i64::try_from(part.count).unwrap_or(i64::MAX)),
            from: part.from.map(Into::into),
            to: part.to.map(Into::into),
        }
    }
}

/// What a run of the deletion job said of itself: once when it began, once when it ended. Runs with nothing to delete say
/// nothing.
#[derive(Description)]
pub(super) struct RetentionRun {
    entry: trail_entry::Model,
    run: Option<Run>,
}

impl From<trail_entry::Model> for RetentionRun {
    fn from(entry: trail_entry::Model) -> Self {
        Self {
            run: Run::told(&entry),
            entry,
        }
    }
}

#[Object(use_type_description, directive = disclosure::apply(Class::AccessLog))]
impl RetentionRun {
    /// When.
    async fn at(&self) -> DateTime {
        self.entry.at.into()
    }

    /// Who: the service itself, or whoever ran the command on its host.
    async fn actor(&self) -> &str {
        &self.entry.actor
    }

    /// Beginning and end of one run have the same.
    async fn request_id(&self) -> String {
        self.entry.request_id.to_string()
    }

    /// What it is about.
    async fn kind(&self) -> Option<RetentionKind> {
        self.run.as_ref().map(|run| run.kind.into())
    }

    /// Begun or ended.
    async fn state(&self) -> Option<RetentionState> {
        self.run.as_ref().map(|run| run.state.into())
    }

    /// Due was what belongs to engagements that were closed before, under no legal hold; of read records, those made before.
    async fn before(&self) -> Option<DateTime> {
        self.run.as_ref().map(|run| run.before.into())
    }

    /// How many in all.
    async fn count(&self) -> Option<Long> {
        let count = self.run.as_ref()?.count;
        Some(Long(i64::try_from(count).unwrap_or(i64::MAX)))
    }

    /// The same by engagement.
    async fn records(&self) -> Vec<RetentionPart> {
        let records = self.run.iter().flat_map(|run| run.records.iter().cloned());
        records.map(Into::into).collect()
    }
}

connection!(RetentionRunConnection, RetentionRunEdge, RetentionRun, AccessLog);

/// An attempt that was denied (verweigerter Zugriff): to read social data, or to change something.
#[derive(Description)]
pub(super) struct DeniedAttempt(trail_entry::Model);

impl From<trail_entry::Model> for DeniedAttempt {
    fn from(entry: trail_entry::Model) -> Self {
        Self(entry)
    }
}

/// What the entry of a refused read says.
#[derive(Default, Deserialize)]
struct Attempted {
    classes: Vec<String>,
    operation: String,
}

impl DeniedAttempt {
    fn attempted(&self) -> Attempted {
        serde_json::from_str(&self.0.detail).unwrap_or_default()
    }
}

#[Object(use_type_description, directive = disclosure::apply(Class::AccessLog))]
impl DeniedAttempt {
    /// When.
    async fn at(&self) -> DateTime {
        self.0.at.into()
    }

    /// Who: the subject of the token. Who showed none leaves nothing.
    async fn actor(&self) -> &str {
        &self.0.actor
    }

    /// Under which membership or grant.
    async fn membership(&self) -> &str {
        &self.0.membership
    }

    /// What: `SENSITIVE_READ`; `GRANT_USE` and `GRANT_REDEEM` of a grant that does not hold, or is another's; or the action that
    /// would have changed something.
    async fn action(&self) -> &str {
        &self.0.action
    }

    /// Of a read: the classes whose reading is recorded and that the caller lacks; where none is lacking, but the rows or a grant
    /// that reaches so far, those asked for.
    async fn classes(&self) -> Vec<Class> {
        let named = self.attempted().classes;
        let known = audit::access::Class::ALL.iter().copied();
        known
            .filter(|class| named.iter().any(|name| name == class.as_str()))
            .map(Class::from)
            .collect()
    }

    /// Of a read: names the operation, as in read records.
    async fn operation_hash(&self) -> Option<Sha256> {
        Sha256::stored(&hex::decode(self.attempted().operation).ok()?)
    }

    /// The request it came with, as in log and error messages.
    async fn request_id(&self) -> String {
        self.0.request_id.to_string()
    }
}

/// Which denied attempts are listed; what is not named does not restrict.
#[derive(InputObject)]
pub(super) struct DeniedAttemptFilter {
    /// By this person: the subject of the token.
    #[graphql(directive = disclosure::apply(Class::AccessLog))]
    actor: Option<String>,
    /// Made at this time or later.
    #[graphql(directive = disclosure::apply(Class::AccessLog))]
    from: Option<DateTime>,
    /// Made before this time.
    #[graphql(directive = disclosure::apply(Class::AccessLog))]
    until: Option<DateTime>,
}

impl From<DeniedAttemptFilter> for DenialFilter {
    fn from(filter: DeniedAttemptFilter) -> Self {
        Self {
            actor: filter.actor,
            from: filter.from.map(|from| from.0),
            until: filter.until.map(|until| until.0),
        }
    }
}

connection!(
    DeniedAttemptConnection,
    DeniedAttemptEdge,
    DeniedAttempt,
    AccessLog
);

/// Asks for read records.
#[derive(Default)]
pub(super) struct ReadQuery;

#[Object]
impl ReadQuery {
    /// Who read what, newest first. Asking for it is recorded in the trail, with the filter.
    #[graphql(directive = disclosure::apply(Class::AccessLog))]
    async fn read_records(
        &self,
        ctx: &Context<'_>,
        filter: Option<ReadRecordFilter>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Maybe<ReadRecordConnection> {
        let window = Window {
            first,
            after,
            last,
            before,
        };
        Some(records(ctx, filter, &window).await)
    }

    /// Attempts that were denied, newest first.
    #[graphql(directive = disclosure::apply(Class::AccessLog))]
    async fn denied_attempts(
        &self,
        ctx: &Context<'_>,
        filter: Option<DeniedAttemptFilter>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Maybe<DeniedAttemptConnection> {
        let window = Window {
            first,
            after,
            last,
            before,
        };
        Some(denials(ctx, filter, &window).await)
    }

    /// What the deletion job deleted, newest first.
    #[graphql(directive = disclosure::apply(Class::AccessLog))]
    async fn retention_runs(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Maybe<RetentionRunConnection> {
        let window = Window {
            first,
            after,
            last,
            before,
        };
        Some(runs(ctx, &window).await)
    }
}

async fn records(
    ctx: &Context<'_>,
    filter: Option<ReadRecordFilter>,
    window: &Window,
) -> Result<ReadRecordConnection> {
    let args = window.args(ctx, RECORDS)?;
    let filter = filter
        .map(ReadRecordFilter::resolve)
        .transpose()?
        .unwrap_or_default();
    let (page, total) = field(
        ctx,
        reads::list(ctx.audit(), ctx.db(), &filter, &args, counted(ctx)).await,
    )?;
    Ok(ReadRecordConnection::of(RECORDS, page, total, |row| {
        by_id(row.id.0)
    }))
}

async fn denials(
    ctx: &Context<'_>,
    filter: Option<DeniedAttemptFilter>,
    window: &Window,
) -> Result<DeniedAttemptConnection> {
    let args = window.args(ctx, DENIALS)?;
    let filter = filter.map_or_else(DenialFilter::default, Into::into);
    let page = field(ctx, trail::denials(ctx.audit(), ctx.db(), &filter, &args).await)?;
    Ok(DeniedAttemptConnection::of(DENIALS, page, |row| by_id(row.id.0)))
}

async fn runs(ctx: &Context<'_>, window: &Window) -> Result<RetentionRunConnection> {
    let args = window.args(ctx, RUNS)?;
    let page = field(ctx, retention::runs(ctx.audit(), ctx.db(), &args).await)?;
    Ok(RetentionRunConnection::of(RUNS, page, |row| by_id(row.id.0)))
}
