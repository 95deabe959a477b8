//! Populations: their imports, control totals and differences.

use std::time::Duration;

use async_graphql::{
    Context, Description, Enum, ID, InputObject, Object, Result, SimpleObject, Subscription,
};
use audit::access::Action as May;
use audit::population as service;
use audit::population::reconciliation::Tally;
use entity::population::{Model, State};
use entity::{
    BezirksstelleId, DifferenceId, EngagementId, ImportId, PopulationId, control_total, difference,
    import_rejection, population_import,
};
use futures_util::Stream;
use uuid::Uuid;

use super::admit::{FIGURES, NESTED_PAGE, costs};
use super::disclosure::{Class, disclosure};
use super::engagement::Engagement;
use super::error::{Maybe, bad_input, failure, field, payload};
use super::jobcenter::Bezirksstelle;
use super::loaders::{ControlTotalsOf, ImportsOf, PopulationsOf};
use super::mapping::MappingInput;
use super::node::NodeKind;
use super::page::{Window, by_id, connection, counted};
use super::permissions::{Action, permitted_in};
use super::scalars::{Date, DateTime, Euro, Long, Sha256};
use super::{ContextExt, finish};

const ORDER: &str = "populations";
const DIFFERENCES: &str = "differences";
const REJECTIONS: &str = "rejections";

/// How often a watched import is looked at.
const WATCH: Duration = Duration::from_millis(500);

/// What one item of a population is.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "entity::population::Unit")]
pub(super) enum PopulationUnit {
    /// A decision (Bescheid).
    Decision,
    /// A case in a month (Fallmonat).
    CaseMonth,
    /// A payment line (Zahlung).
    Payment,
    /// A procedure (Vorgang).
    Procedure,
}

/// The state of a population.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "State")]
pub(super) enum PopulationState {
    /// Extracts may be imported, control totals entered.
    Open,
    /// Immutable; samples may be planned and drawn.
    Frozen,
    /// Given up before freezing; its items are gone.
    Discarded,
}

/// The bearer of a part of an expenditure (Kostenträger; §§ 6b (2), 46 SGB II).
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "entity::Fund")]
pub(super) enum Fund {
    /// The federation (Bund).
    Bund,
    /// The Kreis or Stadt (Kommune).
    Kommune,
    /// The Land.
    Land,
    /// The European Union.
    Eu,
}

/// An amount split over those who bear it; the parts sum to the amount.
#[derive(SimpleObject)]
#[graphql(name = "FundSplit", directive = disclosure::apply(Class::Internal))]
pub(super) struct Split {
    /// Borne by the Bund.
    bund: Euro,
    /// Borne by the Kommune.
    kommune: Euro,
    /// Borne by the Land.
    land: Euro,
    /// Borne by the EU.
    eu: Euro,
}

impl From<entity::FundSplit> for Split {
    fn from(split: entity::FundSplit) -> Self {
        Self {
            bund: split.bund.into(),
            kommune: split.kommune.into(),
            land: split.land.into(),
            eu: split.eu.into(),
        }
    }
}

/// A population (Grundgesamtheit): everything a sample is drawn from.
#[derive(Clone, Description)]
pub(super) struct Population(pub(super) Model);

impl From<Model> for Population {
    fn from(row: Model) -> Self {
        Self(row)
    }
}

#[Object(use_type_description, directive = disclosure::apply(Class::Audit))]
impl Population {
    /// Opaque id.
    #[graphql(directive = disclosure::apply(Class::Internal))]
    pub(super) async fn id(&self) -> ID {
        NodeKind::Population.id(self.0.id.0)
    }

    /// The engagement it belongs to.
    async fn engagement(&self, ctx: &Context<'_>) -> Maybe<Engagement> {
        ctx.loaders()
            .one(ctx, self.0.engagement_id)
            .await
            .map(|row| row.map(Engagement))
            .transpose()
    }

    /// Name, unique in the engagement.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// What one item is.
    async fn unit(&self) -> PopulationUnit {
        self.0.unit.into()
    }

    /// Where the extract comes from.
    async fn source(&self) -> &str {
        &self.0.source
    }

    /// Open, frozen or discarded.
    async fn state(&self) -> PopulationState {
        self.0.state.into()
    }

    /// Items of the completed imports; final from freezing on.
    async fn item_count(&self) -> i64 {
        self.0.item_count
    }

    /// Their sum.
    async fn sum(&self) -> Euro {
        self.0.sum_cents.into()
    }

    /// Items above zero.
    async fn positive_count(&self) -> i64 {
        self.0.positive_count
    }

    /// Their sum.
    async fn positive_sum(&self) -> Euro {
        self.0.positive_cents.into()
    }

    /// Items of zero.
    async fn zero_count(&self) -> i64 {
        self.0.zero_count
    }

    /// Items below zero: reversals and recoveries.
    async fn negative_count(&self) -> i64 {
        self.0.negative_count
    }

    /// Their sum.
    async fn negative_sum(&self) -> Euro {
        self.0.negative_cents.into()
    }

    /// Root of the Merkle tree over the salted items (RFC 6962), from freezing on.
    async fn merkle_root(&self) -> Option<Sha256> {
        self.0.merkle_root.as_deref().and_then(Sha256::stored)
    }

    /// Who created it.
    async fn created_by(&self) -> &str {
        &self.0.created_by
    }

    /// When it was created.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// Who froze it.
    async fn frozen_by(&self) -> Option<&str> {
        self.0.frozen_by.as_deref()
    }

    /// When it was frozen.
    async fn frozen_at(&self) -> Option<DateTime> {
        self.0.frozen_at.map(Into::into)
    }

    /// Counts changes; an update names the version it saw.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// What the caller may do with it now.
    async fn permissions(&self, ctx: &Context<'_>) -> Result<Vec<Action>> {
        let now: &[May] = match self.0.state {
            State::Open => &[
                May::PopulationRead,
                May::PopulationImport,
                May::ControlTotalEnter,
                May::DifferenceExplain,
                May::DifferenceApprove,
                May::PopulationFreeze,
                May::PopulationDiscard,
            ],
            State::Frozen => &[
                May::PopulationRead,
                May::SamplePlan,
                May::SampleRecord,
                May::SampleChoose,
            ],
            State::Discarded => &[May::PopulationRead],
        };
        permitted_in(ctx, self.0.engagement_id, now).await
    }

    /// Its imports, oldest first.
    async fn imports(&self, ctx: &Context<'_>) -> Result<Vec<Import>> {
        let rows = ctx.loaders().one(ctx, ImportsOf(self.0.id)).await?;
        Ok(rows.unwrap_or_default().into_iter().map(Import).collect())
    }

    /// Its control totals, newest first; the newest one counts.
    async fn control_totals(&self, ctx: &Context<'_>) -> Result<Vec<ControlTotal>> {
        let rows = ctx.loaders().one(ctx, ControlTotalsOf(self.0.id)).await?;
        Ok(rows.unwrap_or_default().into_iter().map(ControlTotal).collect())
    }

    /// The population beside its control total (Abstimmung), cell by cell in canonical order: all items first, then by
    /// fund; within that by Bezirksstelle and month. Counts all items: ask for it where it is shown, not in lists.
    #[graphql(directive = costs::apply(FIGURES))]
    async fn reconciliation(&self, ctx: &Context<'_>) -> Maybe<Vec<ReconciliationCell>> {
        let cells = service::population_cells(ctx.audit(), ctx.db(), self.0.id).await;
        Some(field(ctx, cells).map(|cells| cells.into_iter().map(ReconciliationCell).collect()))
    }

    /// Cells in which it differs from the control total that counts.
    #[graphql(directive = costs::apply(NESTED_PAGE))]
    async fn differences(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Maybe<DifferenceConnection> {
        Some(
            differences(
                ctx,
                self.0.id,
                &Window {
                    first,
                    after,
                    last,
                    before,
                },
            )
            .await,
        )
    }
}

async fn differences(ctx: &Context<'_>, id: PopulationId, window: &Window) -> Result<DifferenceConnection> {
    let args = window.args(ctx, DIFFERENCES)?;
    let page = field(ctx, service::differences(ctx.audit(), ctx.db(), id, &args).await)?;
    Ok(DifferenceConnection::of(DIFFERENCES, page, |row| by_id(row.id.0)))
}

/// Populations of an engagement, batched with those of its siblings.
pub(super) async fn of_engagement(ctx: &Context<'_>, id: EngagementId) -> Result<Vec<Population>> {
    let rows = ctx.loaders().one(ctx, PopulationsOf(id)).await?;
    Ok(rows.unwrap_or_default().into_iter().map(Population).collect())
}

connection!(
    PopulationConnection,
    PopulationEdge,
    Population,
    Audit,
    total_count
);
connection!(DifferenceConnection, DifferenceEdge, Difference, Audit);
connection!(RejectionConnection, RejectionEdge, Rejection, Audit);

/// The state of an import.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "population_import::State")]
pub(super) enum ImportState {
    /// Opened; the file has not been sent yet.
    Waiting,
    /// Lines are being read.
    Running,
    /// All lines are in.
    Completed,
    /// Lines were refused; nothing was imported.
    Rejected,
    /// Reading broke off; nothing was imported.
    Failed,
}

/// An import of a population extract: one file, all or nothing. The file is sent by `PUT /imports/{id}`.
#[derive(Clone, Description)]
pub(super) struct Import(pub(super) population_import::Model);

impl From<population_import::Model> for Import {
    fn from(row: population_import::Model) -> Self {
        Self(row)
    }
}

#[Object(use_type_description, directive = disclosure::apply(Class::Audit))]
impl Import {
    /// Opaque id.
    #[graphql(directive = disclosure::apply(Class::Internal))]
    pub(super) async fn id(&self) -> ID {
        NodeKind::Import.id(self.0.id.0)
    }

    /// The population it fills.
    async fn population(&self, ctx: &Context<'_>) -> Maybe<Population> {
        ctx.loaders()
            .one(ctx, self.0.population_id)
            .await
            .map(|row| row.map(Population))
            .transpose()
    }

    /// Name of the file as given.
    async fn file_name(&self) -> &str {
        &self.0.file_name
    }

    /// How far it is.
    async fn state(&self) -> ImportState {
        self.0.state.into()
    }

    /// Size of the file where it was told beforehand.
    async fn bytes_expected(&self) -> Option<Long> {
        self.0.bytes_expected.map(Long)
    }

    /// Bytes read so far.
    async fn bytes_read(&self) -> Long {
        Long(self.0.bytes_read)
    }

    /// Lines read so far.
    async fn lines_read(&self) -> i64 {
        self.0.lines_read
    }

    /// Lines refused.
    async fn lines_rejected(&self) -> i64 {
        self.0.lines_rejected
    }

    /// Sum of the amounts read so far.
    async fn sum(&self) -> Euro {
        self.0.sum_cents.into()
    }

    /// Digest of the file, once it was read to its end.
    async fn sha256(&self) -> Option<Sha256> {
        self.0.sha256.as_deref().and_then(Sha256::stored)
    }

    /// Why nothing was imported: a code as in `userErrors`.
    async fn failure(&self) -> Option<&str> {
        self.0.failure.as_deref()
    }

    /// What the failure names: a line, a column, a number.
    async fn failure_detail(&self) -> Option<&str> {
        self.0.failure_detail.as_deref()
    }

    /// Who opened it.
    async fn created_by(&self) -> &str {
        &self.0.created_by
    }

    /// When it was opened.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// When it ended.
    async fn finished_at(&self) -> Option<DateTime> {
        self.0.finished_at.map(Into::into)
    }

    /// What the caller may do with it now.
    async fn permissions(&self, ctx: &Context<'_>) -> Result<Vec<Action>> {
        let own = self.0.created_by == ctx.caller().subject;
        let now: &[May] = match self.0.state {
            population_import::State::Waiting if own => &[May::PopulationImport],
            _ => &[],
        };
        permitted_of(ctx, self.0.population_id, &[May::PopulationRead], now).await
    }

    /// Refused lines in the order found, the first thousand of them.
    #[graphql(directive = costs::apply(NESTED_PAGE))]
    async fn rejections(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Maybe<RejectionConnection> {
        Some(
            rejections(
                ctx,
                self.0.id,
                Window {
                    first,
                    after,
                    last: None,
                    before: None,
                },
            )
            .await,
        )
    }
}

/// A rejection has no id of its own: its ordinal stands in the cursor.
fn rejection_id(ordinal: i32) -> Uuid {
    Uuid::from_u128(u128::from(ordinal.unsigned_abs()))
}

async fn rejections(ctx: &Context<'_>, id: ImportId, window: Window) -> Result<RejectionConnection> {
    let args = window.args(ctx, REJECTIONS)?;
    let after = match &args.after {
        None => None,
        Some(position) => Some(
            i32::try_from(position.id.as_u128()).map_err(|_| bad_input("after", "no cursor of this list"))?,
        ),
    };
    let mut rows = field(
        ctx,
        service::rejections(ctx.audit(), ctx.db(), id, after, args.limit + 1).await,
    )?;
    let has_next = rows.len() as u64 > args.limit;
    if has_next {
        rows.pop();
    }
    let page = audit::page::Page {
        rows,
        has_previous: after.is_some(),
        has_next,
    };
    Ok(RejectionConnection::of(REJECTIONS, page, |row| {
        by_id(rejection_id(row.ordinal))
    }))
}

/// A refused line. The value itself is not kept: it may be social data.
#[derive(SimpleObject)]
#[graphql(directive = disclosure::apply(Class::Audit))]
pub(super) struct Rejection {
    /// Line of the file, the header being line 1.
    line: Long,
    /// Column as the file names it.
    column: Option<String>,
    /// Why it was refused.
    code: String,
    /// The other line of a pair of duplicates.
    other_line: Option<Long>,
}

impl From<import_rejection::Model> for Rejection {
    fn from(row: import_rejection::Model) -> Self {
        Self {
            line: Long(row.line),
            column: row.column_name,
            code: row.code,
            other_line: row.other_line.map(Long),
        }
    }
}

/// Where a control total comes from.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "control_total::Source")]
pub(super) enum ControlTotalSource {
    /// Statement of the Bund's budget system (HKR-Verfahren).
    HkrStatement,
    /// Booking journal of the Kreis.
    BookingJournal,
    /// Protocol of the payment run.
    PaymentRun,
    /// Register of decisions, for populations without payments.
    DecisionRegister,
}

/// A control total (Kontrollsumme) from a source independent of the extract, entered by a second person.
#[derive(Description)]
pub(super) struct ControlTotal(control_total::Model);

impl From<control_total::Model> for ControlTotal {
    fn from(row: control_total::Model) -> Self {
        Self(row)
    }
}

#[Object(use_type_description, directive = disclosure::apply(Class::Audit))]
impl ControlTotal {
    /// Kind of source.
    async fn source(&self) -> ControlTotalSource {
        self.0.source.into()
    }

    /// Which document: number and date.
    async fn document_reference(&self) -> &str {
        &self.0.document_reference
    }

    /// Who entered it.
    async fn entered_by(&self) -> &str {
        &self.0.entered_by
    }

    /// When it was entered.
    async fn entered_at(&self) -> DateTime {
        self.0.entered_at.into()
    }

    /// When a later one took its place.
    async fn superseded_at(&self) -> Option<DateTime> {
        self.0.superseded_at.map(Into::into)
    }
}

/// Count and sum of some items.
#[derive(SimpleObject)]
#[graphql(directive = disclosure::apply(Class::Audit))]
pub(super) struct CountAndSum {
    /// Items with a part in the fund, or all items.
    count: u64,
    /// Sum of their parts, or of their amounts.
    sum: Euro,
}

impl From<Tally> for CountAndSum {
    fn from(tally: Tally) -> Self {
        Self {
            count: tally.count,
            sum: Euro(entity::Cents(tally.sum)),
        }
    }
}

/// One cell of the reconciliation.
#[derive(Description)]
pub(super) struct ReconciliationCell(service::Comparison);

#[Object(use_type_description, directive = disclosure::apply(Class::Audit))]
impl ReconciliationCell {
    /// Fund; null in a cell of all items, those without an amount included.
    async fn fund(&self) -> Option<Fund> {
        self.0.cell.fund.map(Into::into)
    }

    /// Bezirksstelle.
    async fn bezirksstelle(&self, ctx: &Context<'_>) -> Option<Bezirksstelle> {
        ctx.info()
            .bezirksstelle(BezirksstelleId(self.0.cell.bezirksstelle_id))
    }

    /// First day of the month; null for items without a period.
    async fn month(&self) -> Option<Date> {
        self.0.cell.month.map(Into::into)
    }

    /// By the control total; null where there is none yet, and in a cell of all items where it does not speak of all.
    async fn expected(&self) -> Option<CountAndSum> {
        self.0.expected.map(Into::into)
    }

    /// In the population.
    async fn actual(&self) -> CountAndSum {
        self.0.actual.into()
    }
}

/// The state of a difference.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "difference::State")]
pub(super) enum DifferenceState {
    /// Found.
    Open,
    /// Explained, not yet approved.
    Explained,
    /// Approved by somebody else than who explained it.
    Approved,
}

/// A cell in which population and control total differ (Abweichung).
#[derive(Clone, Description)]
pub(super) struct Difference(pub(super) difference::Model);

impl From<difference::Model> for Difference {
    fn from(row: difference::Model) -> Self {
        Self(row)
    }
}

#[Object(use_type_description, directive = disclosure::apply(Class::Audit))]
impl Difference {
    /// Opaque id.
    #[graphql(directive = disclosure::apply(Class::Internal))]
    pub(super) async fn id(&self) -> ID {
        NodeKind::Difference.id(self.0.id.0)
    }

    /// Fund; null in a cell of all items, those without an amount included.
    async fn fund(&self) -> Option<Fund> {
        self.0.fund.map(Into::into)
    }

    /// Bezirksstelle.
    async fn bezirksstelle(&self, ctx: &Context<'_>) -> Option<Bezirksstelle> {
        ctx.info().bezirksstelle(self.0.bezirksstelle_id)
    }

    /// First day of the month; null for items without a period.
    async fn month(&self) -> Option<Date> {
        self.0.month.map(Into::into)
    }

    /// Count by the control total.
    async fn expected_count(&self) -> i64 {
        self.0.expected_count
    }

    /// Sum by the control total.
    async fn expected_sum(&self) -> Euro {
        self.0.expected_cents.into()
    }

    /// Count in the population.
    async fn actual_count(&self) -> i64 {
        self.0.actual_count
    }

    /// Sum in the population.
    async fn actual_sum(&self) -> Euro {
        self.0.actual_cents.into()
    }

    /// Open, explained or approved.
    async fn state(&self) -> DifferenceState {
        self.0.state.into()
    }

    /// Why it is so.
    async fn explanation(&self) -> Option<&str> {
        self.0.explanation.as_deref()
    }

    /// Who explained it.
    async fn explained_by(&self) -> Option<&str> {
        self.0.explained_by.as_deref()
    }

    /// Who approved the explanation.
    async fn approved_by(&self) -> Option<&str> {
        self.0.approved_by.as_deref()
    }

    /// When it was approved.
    async fn approved_at(&self) -> Option<DateTime> {
        self.0.approved_at.map(Into::into)
    }

    /// Counts changes; an update names the version it saw.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// What the caller may do with it now.
    async fn permissions(&self, ctx: &Context<'_>) -> Result<Vec<Action>> {
        let own = self.0.explained_by.as_deref() == Some(ctx.caller().subject.as_str());
        let now: &[May] = match self.0.state {
            difference::State::Explained if !own => &[May::DifferenceExplain, May::DifferenceApprove],
            difference::State::Open | difference::State::Explained => &[May::DifferenceExplain],
            difference::State::Approved => &[],
        };
        permitted_of(ctx, self.0.population_id, &[], now).await
    }
}

/// What the caller may do with what hangs on a population: `always`, and `open` as long as it is neither frozen nor discarded.
async fn permitted_of(
    ctx: &Context<'_>,
    population: PopulationId,
    always: &[May],
    open: &[May],
) -> Result<Vec<Action>> {
    let Some(row) = ctx.loaders().one(ctx, population).await? else {
        return Ok(Vec::new());
    };
    let open = if row.state == State::Open { open } else { &[] };
    permitted_in(ctx, row.engagement_id, &[always, open].concat()).await
}

/// Finds populations.
#[derive(Default)]
pub(super) struct PopulationQuery;

#[Object]
impl PopulationQuery {
    /// A population; null where it does not exist or is not visible to the caller.
    async fn population(&self, ctx: &Context<'_>, id: ID) -> Maybe<Population> {
        let id = match NodeKind::Population.require(&id, "id") {
            Ok(id) => PopulationId(id),
            Err(error) => return Some(Err(error)),
        };
        let found = service::find_many(ctx.audit(), ctx.db(), &[id]).await;
        field(ctx, found)
            .map(|mut rows| rows.pop().map(Population))
            .transpose()
    }

    /// Populations of an engagement, oldest first.
    async fn populations(
        &self,
        ctx: &Context<'_>,
        engagement_id: ID,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Maybe<PopulationConnection> {
        Some(
            list(
                ctx,
                &engagement_id,
                &Window {
                    first,
                    after,
                    last,
                    before,
                },
            )
            .await,
        )
    }
}

async fn list(ctx: &Context<'_>, engagement: &ID, window: &Window) -> Result<PopulationConnection> {
    let engagement = EngagementId(NodeKind::Engagement.require(engagement, "engagementId")?);
    let args = window.args(ctx, ORDER)?;
    let found = service::list(ctx.audit(), ctx.db(), engagement, &args, counted(ctx)).await;
    let (page, total) = field(ctx, found)?;
    Ok(PopulationConnection::of(ORDER, page, total, |row| {
        by_id(row.id.0)
    }))
}

/// What creates a population.
#[derive(InputObject)]
pub(super) struct CreatePopulationInput {
    /// Its engagement.
    engagement_id: ID,
    /// Name, unique in the engagement, up to 200 characters.
    name: String,
    /// What one item is.
    unit: PopulationUnit,
    /// Where the extract comes from, up to 500 characters.
    source: String,
    /// Repeating the same input under the same key gives the same answer instead of a second population.
    idempotency_key: String,
}

/// What gives a population up.
#[derive(InputObject)]
pub(super) struct DiscardPopulationInput {
    /// The population.
    id: ID,
    /// The version the caller saw.
    expected_version: i32,
    /// Why.
    reason: String,
}

/// What freezes a population.
#[derive(InputObject)]
pub(super) struct FreezePopulationInput {
    /// The population.
    id: ID,
    /// The version the caller saw.
    expected_version: i32,
}

/// What opens an import.
#[derive(InputObject)]
pub(super) struct OpenImportInput {
    /// The population to fill.
    population_id: ID,
    /// Name of the file, up to 255 characters.
    file_name: String,
    /// Size of the file where it is known: progress can be shown in per cent then.
    bytes_expected: Option<Long>,
    /// Which column means what, and how values are written. A column of the file without a meaning here is refused.
    mapping: MappingInput,
    /// Repeating the same input under the same key gives the same answer instead of a second import.
    idempotency_key: String,
}

/// One cell of a control total.
#[derive(InputObject)]
pub(super) struct ControlCellInput {
    /// Fund; null for all items of the Bezirksstelle and month, those without an amount (refusals) included.
    fund: Option<Fund>,
    /// Number of the Bezirksstelle.
    bezirksstelle: String,
    /// Any day of the month; none for items without a period.
    month: Option<Date>,
    /// Items with a part in this fund, or all items.
    count: i64,
    /// Sum of their parts, or of their amounts.
    sum: Euro,
}

/// What records a control total: cells, or the same as CSV.
///
/// A control total that holds one cell of all items speaks of all of them. That of a population of decisions or procedures
/// has to, or the population is not frozen: refusals have no part in a fund, and a missing one would go unnoticed.
#[derive(InputObject)]
pub(super) struct RecordControlTotalInput {
    /// The population to reconcile.
    population_id: ID,
    /// Kind of source.
    source: ControlTotalSource,
    /// Which document: number and date, up to 500 characters.
    document_reference: String,
    /// Cells; a cell that is missing counts as empty, cells of all items only where there is at least one of them.
    #[graphql(default)]
    cells: Vec<ControlCellInput>,
    /// Further cells as CSV: `fund;bezirksstelle;month;count;sum`, fund as in the enum or `ALL` for all items, month as
    /// `2025-03` or empty, decimal comma.
    csv: Option<String>,
    /// Repeating the same input under the same key gives the same answer instead of a second control total.
    idempotency_key: String,
}

/// What explains a difference.
#[derive(InputObject)]
pub(super) struct ExplainDifferenceInput {
    /// The difference.
    id: ID,
    /// The version the caller saw.
    expected_version: i32,
    /// Why it is so, up to 4,000 characters.
    explanation: String,
}

/// What approves the explanation of a difference.
#[derive(InputObject)]
pub(super) struct ApproveDifferenceInput {
    /// The difference.
    id: ID,
    /// The version the caller saw.
    expected_version: i32,
}

payload! {
    /// A created population.
    CreatePopulationPayload {
        /// The population.
        population: Population
    }
}

payload! {
    /// A discarded population.
    DiscardPopulationPayload {
        /// The population.
        population: Population
    }
}

payload! {
    /// A frozen population.
    FreezePopulationPayload {
        /// The population.
        population: Population
    }
}

payload! {
    /// An opened import; it waits for its file at `PUT /imports/{id}`.
    OpenImportPayload {
        /// The import.
        import: Import
    }
}

payload! {
    /// A recorded control total.
    RecordControlTotalPayload {
        /// The control total.
        control_total: ControlTotal
    }
}

payload! {
    /// An explained difference.
    ExplainDifferencePayload {
        /// The difference.
        difference: Difference
    }
}

payload! {
    /// An approved difference.
    ApproveDifferencePayload {
        /// The difference.
        difference: Difference
    }
}

/// Changes populations.
#[derive(Default)]
pub(super) struct PopulationMutation;

#[Object]
impl PopulationMutation {
    /// Creates an empty population.
    async fn create_population(
        &self,
        ctx: &Context<'_>,
        input: CreatePopulationInput,
    ) -> Result<CreatePopulationPayload> {
        let create = service::Create {
            engagement_id: EngagementId(
                NodeKind::Engagement.require(&input.engagement_id, "input.engagementId")?,
            ),
            name: input.name,
            unit: input.unit.into(),
            source: input.source,
        };
        CreatePopulationPayload::of(
            ctx,
            service::create(ctx.audit(), ctx.db(), &input.idempotency_key, create).await,
        )
    }

    /// Gives up a population that is not frozen: its items and case numbers go.
    async fn discard_population(
        &self,
        ctx: &Context<'_>,
        input: DiscardPopulationInput,
    ) -> Result<DiscardPopulationPayload> {
        let id = PopulationId(NodeKind::Population.require(&input.id, "input.id")?);
        let (audit, db) = (ctx.audit().clone(), ctx.db().clone());
        let done =
            finish(
                async move { service::discard(&audit, &db, id, input.expected_version, &input.reason).await },
            );
        DiscardPopulationPayload::of(ctx, done.await)
    }

    /// Makes a population immutable, once it is reconciled to a control total. That of decisions or procedures has to
    /// speak of all items, so that a missing refusal shows.
    async fn freeze_population(
        &self,
        ctx: &Context<'_>,
        input: FreezePopulationInput,
    ) -> Result<FreezePopulationPayload> {
        let id = PopulationId(NodeKind::Population.require(&input.id, "input.id")?);
        let (audit, db) = (ctx.audit().clone(), ctx.db().clone());
        let done = finish(async move { service::freeze(&audit, &db, id, input.expected_version).await });
        FreezePopulationPayload::of(ctx, done.await)
    }

    /// Opens an import that waits for its file.
    async fn open_import(&self, ctx: &Context<'_>, input: OpenImportInput) -> Result<OpenImportPayload> {
        let open = service::OpenImport {
            population_id: PopulationId(
                NodeKind::Population.require(&input.population_id, "input.populationId")?,
            ),
            file_name: input.file_name,
            bytes_expected: input.bytes_expected.map(|bytes| bytes.0),
            mapping: input.mapping.into(),
        };
        OpenImportPayload::of(
            ctx,
            service::open_import(ctx.audit(), ctx.db(), &input.idempotency_key, open).await,
        )
    }

    /// Records a control total from an independent source; an earlier one is superseded, with its differences. Whoever
    /// imported an extract of the population must not do it.
    async fn record_control_total(
        &self,
        ctx: &Context<'_>,
        input: RecordControlTotalInput,
    ) -> Result<RecordControlTotalPayload> {
        let key = input.idempotency_key.clone();
        let outcome = match control_total_input(input)? {
            Ok(total) => {
                let (audit, db) = (ctx.audit().clone(), ctx.db().clone());
                finish(async move { service::enter_control_total(&audit, &db, &key, total).await }).await
            }
            Err(refused) => Err(refused),
        };
        RecordControlTotalPayload::of(ctx, outcome)
    }

    /// Explains a difference.
    async fn explain_difference(
        &self,
        ctx: &Context<'_>,
        input: ExplainDifferenceInput,
    ) -> Result<ExplainDifferencePayload> {
        let id = DifferenceId(NodeKind::Difference.require(&input.id, "input.id")?);
        let (audit, db) = (ctx.audit(), ctx.db());
        let outcome =
            service::explain_difference(audit, db, id, input.expected_version, &input.explanation).await;
        ExplainDifferencePayload::of(ctx, outcome)
    }

    /// Approves the explanation of a difference, as a second person.
    async fn approve_difference(
        &self,
        ctx: &Context<'_>,
        input: ApproveDifferenceInput,
    ) -> Result<ApproveDifferencePayload> {
        let id = DifferenceId(NodeKind::Difference.require(&input.id, "input.id")?);
        let outcome = service::approve_difference(ctx.audit(), ctx.db(), id, input.expected_version).await;
        ApproveDifferencePayload::of(ctx, outcome)
    }
}

fn control_total_input(input: RecordControlTotalInput) -> Result<audit::Result<service::ControlTotalInput>> {
    let population_id =
        PopulationId(NodeKind::Population.require(&input.population_id, "input.populationId")?);
    let typed = input.cells.into_iter().map(|cell| service::CellInput {
        fund: cell.fund.map(Into::into),
        bezirksstelle: cell.bezirksstelle,
        month: cell.month.map(|day| day.0),
        count: cell.count,
        sum: cell.sum.0,
    });
    let read = input
        .csv
        .as_deref()
        .map_or_else(|| Ok(Vec::new()), service::cells_from_csv);
    Ok(read.map(|read| service::ControlTotalInput {
        population_id,
        source: input.source.into(),
        document_reference: input.document_reference,
        cells: typed.chain(read).collect(),
    }))
}

/// What one waits for with populations.
#[derive(Default)]
pub(super) struct PopulationSubscription;

#[Subscription]
impl PopulationSubscription {
    /// An import as it goes on, about twice a second where something changed; ends after its last state.
    #[graphql(directive = disclosure::apply(Class::Audit))]
    async fn import_progress<'a>(
        &self,
        ctx: &Context<'a>,
        id: ID,
    ) -> Result<impl Stream<Item = Result<Import>> + use<'a>> {
        let id = ImportId(NodeKind::Import.require(&id, "id")?);
        let ctx = ctx.clone();
        if watched(&ctx, id).await?.is_none() {
            return Err(failure(&ctx, &audit::Error::refused(audit::Code::NotFound, "id")));
        }
        Ok(async_stream::try_stream! {
            let mut last = None;
            let mut ticks = tokio::time::interval(WATCH);
            loop {
                ticks.tick().await;
                let Some(row) = watched(&ctx, id).await? else { break };
                let ended = row.finished_at.is_some();
                if last.as_ref() != Some(&row) {
                    last = Some(row.clone());
                    yield Import(row);
                }
                if ended {
                    break;
                }
            }
        })
    }
}

async fn watched(ctx: &Context<'_>, id: ImportId) -> Result<Option<population_import::Model>> {
    field(ctx, service::find_imports(ctx.audit(), ctx.db(), &[id]).await).map(|mut rows| rows.pop())
}
