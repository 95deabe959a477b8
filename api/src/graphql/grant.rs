//! Grants: access for people from outside.

use async_graphql::{Context, Description, Enum, ID, InputObject, Object, Result, SimpleObject};
use audit::access::Action as May;
use audit::grant as service;
use entity::grant::{Model, Period};
use entity::{BezirksstelleId, EngagementId, GrantId};

use super::ContextExt;
use super::admit::{NESTED_PAGE, costs};
use super::disclosure::{Class, disclosure};
use super::error::{Maybe, bad_input, field, payload};
use super::jobcenter::Bezirksstelle;
use super::loaders::EngagementsOf;
use super::node::NodeKind;
use super::page::{Window, by_id, connection, counted};
use super::permissions::{Action, permitted};
use super::population::Fund;
use super::scalars::{Date, DateTime, Long, Sha256};
use super::trail::{self, TrailConnection};

const ORDER: &str = "grants";

/// What a grant is for.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "entity::grant::Kind")]
pub(super) enum GrantKind {
    /// To inspect: read, comment, download.
    Inspection,
    /// To work on behalf of the Innenrevision: record checks and notes, always reviewed by own staff.
    Commission,
}

/// What the recipient of a grant is.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "entity::grant::BodyKind")]
pub(super) enum GrantBodyKind {
    /// A public body with a right of its own; its legal basis suffices.
    Public,
    /// Anybody else: bound by a recorded Verpflichtung (§ 78 (1), (2) SGB X).
    NonPublic,
}

/// Where a grant stands: what was decided, and what time and budget made of it.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "service::Standing")]
pub(super) enum GrantState {
    /// Proposed by the first person.
    Proposed,
    /// Issued by the second; usable from its beginning on.
    Issued,
    /// Taken back.
    Revoked,
    /// Given up before it was issued.
    Withdrawn,
    /// Its time has passed.
    Expired,
    /// Its budget is used up.
    Exhausted,
}

/// A legal basis on which a grant may stand.
#[derive(SimpleObject)]
#[graphql(directive = disclosure::apply(Class::Internal))]
pub(super) struct GrantBasis {
    /// Code; never changes.
    code: &'static str,
    /// The norm.
    citation: &'static str,
    /// Whose right it is, in German.
    body: &'static str,
    /// What kind of body that is.
    body_kind: GrantBodyKind,
    /// The right, in German.
    right: &'static str,
    /// Grants it carries.
    kinds: Vec<GrantKind>,
}

impl From<&service::Basis> for GrantBasis {
    fn from(basis: &service::Basis) -> Self {
        Self {
            code: basis.code,
            citation: basis.citation,
            body: basis.body,
            body_kind: basis.body_kind.into(),
            right: basis.right,
            kinds: basis.kinds.iter().map(|kind| (*kind).into()).collect(),
        }
    }
}

/// An engagement as a grant names it: whoever sees the grant sees what it is about, and not more.
#[derive(SimpleObject)]
#[graphql(directive = disclosure::apply(Class::Internal))]
pub(super) struct GrantedEngagement {
    /// Id of the engagement.
    id: ID,
    /// Its number.
    number: String,
    /// Its title.
    title: String,
}

/// A recorded Verpflichtung (§ 78 (1), (2) SGB X).
#[derive(SimpleObject)]
#[graphql(directive = disclosure::apply(Class::Internal))]
pub(super) struct GrantVerpflichtung {
    /// The day it was signed.
    on: Date,
    /// Which text was signed, with its version.
    text: String,
    /// The day by which the recipient's staff were instructed.
    staff_instructed_on: Option<Date>,
    /// Who recorded it.
    recorded_by: Option<String>,
}

/// A grant (Zugangsrecht): what somebody from outside may see, why, and until when. Proposed by one person, issued by another;
/// never extended: more is a new grant. It is redeemed at `/oauth/token` for access tokens of 15 minutes.
#[derive(Clone, Description)]
pub(super) struct Grant(pub(super) Model);

impl From<Model> for Grant {
    fn from(row: Model) -> Self {
        Self(row)
    }
}

impl Grant {
    fn details(&self, ctx: &Context<'_>) -> Result<service::Details> {
        field(ctx, service::details(&self.0))
    }
}

#[Object(use_type_description, directive = disclosure::apply(Class::Internal))]
impl Grant {
    /// Opaque id; the `identifier` in authorization details.
    pub(super) async fn id(&self) -> ID {
        NodeKind::Grant.id(self.0.id.0)
    }

    /// The number people use: `G-2026-003`.
    async fn number(&self) -> &str {
        &self.0.number
    }

    /// What it is for.
    async fn kind(&self) -> GrantKind {
        self.0.kind.into()
    }

    /// Where it stands now.
    async fn state(&self, ctx: &Context<'_>) -> GrantState {
        service::standing(&self.0, ctx.audit().now()).into()
    }

    /// The legal basis.
    async fn basis(&self) -> Option<GrantBasis> {
        service::basis(&self.0.basis).map(Into::into)
    }

    /// What the recipient is.
    async fn body_kind(&self) -> GrantBodyKind {
        self.0.body_kind.into()
    }

    /// The recipient's body.
    async fn recipient_body(&self) -> &str {
        &self.0.recipient_body
    }

    /// The person.
    async fn recipient_name(&self) -> &str {
        &self.0.recipient_name
    }

    /// The person's subject at the identity provider.
    async fn recipient_subject(&self) -> Option<&str> {
        self.0.recipient_subject.as_deref()
    }

    /// Thumbprint of the person's key (RFC 7638, SHA-256, base64url).
    async fn recipient_key(&self) -> Option<&str> {
        self.0.recipient_key.as_deref()
    }

    /// What it is needed for.
    async fn purpose(&self) -> &str {
        &self.0.purpose
    }

    /// The engagements it reaches.
    async fn engagements(&self, ctx: &Context<'_>) -> Maybe<Vec<GrantedEngagement>> {
        let rows = ctx.loaders().one(ctx, EngagementsOf(self.0.id)).await;
        Some(rows.map(|rows| {
            rows.unwrap_or_default()
                .into_iter()
                .map(|row| GrantedEngagement {
                    id: NodeKind::Engagement.id(row.id.0),
                    number: row.number,
                    title: row.title,
                })
                .collect()
        }))
    }

    /// Only items of these Bezirksstellen; null where that does not restrict.
    async fn bezirksstellen(&self, ctx: &Context<'_>) -> Maybe<Vec<Bezirksstelle>> {
        let ids = match self.details(ctx) {
            Ok(details) => details.coverage.bezirksstellen?,
            Err(error) => return Some(Err(error)),
        };
        let known = ids.into_iter().filter_map(|id| ctx.info().bezirksstelle(id));
        Some(Ok(known.collect()))
    }

    /// First day of the only period; null where that does not restrict.
    async fn period_from(&self, ctx: &Context<'_>) -> Maybe<Date> {
        let period = self.details(ctx).map(|details| details.coverage.period);
        period
            .map(|period| period.map(|period| period.from.into()))
            .transpose()
    }

    /// Last day of the only period.
    async fn period_to(&self, ctx: &Context<'_>) -> Maybe<Date> {
        let period = self.details(ctx).map(|details| details.coverage.period);
        period
            .map(|period| period.map(|period| period.to.into()))
            .transpose()
    }

    /// Only items that one of these funds bears a part of; null where that does not restrict.
    async fn funds(&self, ctx: &Context<'_>) -> Maybe<Vec<Fund>> {
        let funds = self.details(ctx).map(|details| details.coverage.funds);
        funds
            .map(|funds| funds.map(|funds| funds.into_iter().map(Into::into).collect()))
            .transpose()
    }

    /// The disclosure classes it shows.
    async fn classes(&self, ctx: &Context<'_>) -> Maybe<Vec<Class>> {
        let details = self.details(ctx);
        Some(details.map(|details| details.classes.iter().map(Into::into).collect()))
    }

    /// From when.
    async fn not_before(&self) -> DateTime {
        self.0.not_before.into()
    }

    /// Until when; null where the recipient had the end lifted.
    async fn expires_at(&self) -> Option<DateTime> {
        self.0.expires_at.map(Into::into)
    }

    /// Sample items it may hand out, each time counted; null where the recipient had the budget lifted.
    async fn read_budget(&self) -> Option<Long> {
        self.0.read_budget.map(Long)
    }

    /// Sample items handed out so far.
    async fn read_used(&self) -> Long {
        Long(self.0.read_used)
    }

    /// Networks it may be used from; from everywhere where there is none.
    async fn addresses(&self) -> Vec<&str> {
        self.0.addresses.split_whitespace().collect()
    }

    /// The contract of a commission.
    async fn contract(&self) -> Option<&str> {
        self.0.contract.as_deref()
    }

    /// The role in the team, for a commission.
    async fn team_role(&self) -> Option<&str> {
        self.0.team_role.as_deref()
    }

    /// The recorded Abrufverfahren (§ 79 (2) SGB X) of standing online access.
    async fn retrieval_procedure(&self) -> Option<&str> {
        self.0.retrieval_procedure.as_deref()
    }

    /// The Verpflichtung, once recorded.
    async fn verpflichtung(&self) -> Option<GrantVerpflichtung> {
        Some(GrantVerpflichtung {
            on: self.0.verpflichtung_on?.into(),
            text: self.0.verpflichtung_text.clone().unwrap_or_default(),
            staff_instructed_on: self.0.staff_instructed_on.map(Into::into),
            recorded_by: self.0.verpflichtung_recorded_by.clone(),
        })
    }

    /// Whether Bezirksstellen are not told afterwards what was read (§ 96 (4) BHO).
    async fn reads_withheld(&self) -> bool {
        self.0.reads_withheld
    }

    /// Who proposed it.
    async fn proposed_by(&self) -> &str {
        &self.0.proposed_by
    }

    /// When it was proposed.
    async fn proposed_at(&self) -> DateTime {
        self.0.proposed_at.into()
    }

    /// Who issued it.
    async fn issued_by(&self) -> Option<&str> {
        self.0.issued_by.as_deref()
    }

    /// When it was issued.
    async fn issued_at(&self) -> Option<DateTime> {
        self.0.issued_at.map(Into::into)
    }

    /// Who revoked or withdrew it.
    async fn ended_by(&self) -> Option<&str> {
        self.0.ended_by.as_deref()
    }

    /// When it was revoked or withdrawn.
    async fn ended_at(&self) -> Option<DateTime> {
        self.0.ended_at.map(Into::into)
    }

    /// Why.
    async fn end_reason(&self) -> Option<&str> {
        self.0.end_reason.as_deref()
    }

    /// Counts changes; an update names the version it saw. What is handed out is no change.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// What the caller may do with it now.
    async fn permissions(&self, ctx: &Context<'_>) -> Vec<Action> {
        let (standing, me) = (
            service::standing(&self.0, ctx.audit().now()),
            ctx.caller().subject.as_str(),
        );
        let mut now = vec![May::GrantRead, May::VisibilityState];
        match standing {
            service::Standing::Proposed => {
                now.push(May::GrantPropose);
                if self.0.proposed_by != me && self.0.recipient_subject.as_deref() != Some(me) {
                    now.push(May::GrantIssue);
                }
            }
            service::Standing::Issued | service::Standing::Exhausted => {
                now.push(May::GrantRevoke);
                if self.0.body_kind == entity::grant::BodyKind::Public {
                    now.push(May::GrantLift);
                }
            }
            service::Standing::Expired => now.push(May::GrantRevoke),
            service::Standing::Revoked | service::Standing::Withdrawn => {}
        }
        permitted(ctx, &now)
    }

    /// What happened to it, oldest first: proposed, issued, redeemed, ended, and what was stated to be visible.
    #[graphql(directive = disclosure::apply(Class::Audit), directive = costs::apply(NESTED_PAGE))]
    async fn trail(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Maybe<TrailConnection> {
        let window = Window {
            first,
            after,
            last,
            before,
        };
        Some(trail::of_grant(ctx, self.0.id, &window).await)
    }
}

connection!(GrantConnection, GrantEdge, Grant, Internal, total_count);

/// Finds grants.
#[derive(Default)]
pub(super) struct GrantQuery;

#[Object]
impl GrantQuery {
    /// A grant; null where it does not exist or is not visible to the caller. Whoever administers grants sees all of them, a
    /// recipient their own.
    async fn grant(&self, ctx: &Context<'_>, id: ID) -> Maybe<Grant> {
        let id = match NodeKind::Grant.require(&id, "id") {
            Ok(id) => GrantId(id),
            Err(error) => return Some(Err(error)),
        };
        field(ctx, service::find(ctx.audit(), ctx.db(), id).await)
            .map(|row| row.map(Grant))
            .transpose()
    }

    /// Grants the caller may see, newest first.
    async fn grants(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Maybe<GrantConnection> {
        let window = Window {
            first,
            after,
            last,
            before,
        };
        Some(list(ctx, &window).await)
    }

    /// The legal bases on which a grant may stand.
    async fn grant_bases(&self, ctx: &Context<'_>) -> Result<Vec<GrantBasis>> {
        ctx.signed_in()?;
        Ok(service::BASES.iter().map(Into::into).collect())
    }
}

/// The grant of the request.
pub(super) async fn of_caller(ctx: &Context<'_>) -> Maybe<Grant> {
    let id = ctx.caller().grant.as_ref()?.id;
    field(ctx, service::find(ctx.audit(), ctx.db(), id).await)
        .map(|row| row.map(Grant))
        .transpose()
}

async fn list(ctx: &Context<'_>, window: &Window) -> Result<GrantConnection> {
    let args = window.args(ctx, ORDER)?;
    let (page, total) = field(
        ctx,
        service::list(ctx.audit(), ctx.db(), &args, counted(ctx)).await,
    )?;
    Ok(GrantConnection::of(ORDER, page, total, |row| by_id(row.id.0)))
}

/// A Verpflichtung (§ 78 (1), (2) SGB X) to be recorded.
#[derive(InputObject)]
pub(super) struct GrantVerpflichtungInput {
    /// The day it was signed; not in the future.
    on: Date,
    /// Which text was signed, with its version, up to 200 characters.
    text: String,
    /// The day by which the recipient's staff were instructed; needed for a body that is not public.
    staff_instructed_on: Option<Date>,
}

impl From<GrantVerpflichtungInput> for service::Verpflichtung {
    fn from(input: GrantVerpflichtungInput) -> Self {
        Self {
            on: input.on.0,
            text: input.text,
            staff_instructed_on: input.staff_instructed_on.map(|on| on.0),
        }
    }
}

/// What proposes a grant.
#[derive(InputObject)]
pub(super) struct ProposeGrantInput {
    /// What it is for.
    kind: GrantKind,
    /// Code of the legal basis: one of `grantBases`.
    basis: String,
    /// The recipient's body, up to 200 characters.
    recipient_body: String,
    /// The person, up to 200 characters.
    recipient_name: String,
    /// The person's subject at the identity provider; needed unless a key stands for the person.
    recipient_subject: Option<String>,
    /// Thumbprint of the person's key (RFC 7638, SHA-256, base64url), where there is no identity provider.
    recipient_key: Option<String>,
    /// What it is needed for, up to 2,000 characters.
    purpose: String,
    /// The engagements, open or closed; at least one, at most 50.
    engagement_ids: Vec<ID>,
    /// Only items of these Bezirksstellen.
    bezirksstelle_ids: Option<Vec<ID>>,
    /// First day of the only period; together with the last. Items count by their month, or by the date of their decision.
    period_from: Option<Date>,
    /// Last day of the only period.
    period_to: Option<Date>,
    /// Only items that one of these funds bears a part of.
    funds: Option<Vec<Fund>>,
    /// Disclosure classes beside `PUBLIC` and `INTERNAL`; a commission needs `AUDIT` and `SOCIAL_DATA`.
    classes: Vec<Class>,
    /// From when; at once where nothing is said.
    not_before: Option<DateTime>,
    /// Until when: 90 days where nothing is said and at most; for a public body with a recorded Abrufverfahren 366 days.
    expires_at: Option<DateTime>,
    /// Sample items it may hand out, each time counted; 10,000 where nothing is said.
    read_budget: Option<Long>,
    /// Networks (`192.0.2.0/24`) or addresses it may be used from; from everywhere where none is named.
    addresses: Option<Vec<String>>,
    /// The contract; for a commission, and needed there.
    contract: Option<String>,
    /// The role in the team; for a commission, and needed there.
    team_role: Option<String>,
    /// The recorded Abrufverfahren (§ 79 (2) SGB X), for more than 90 days.
    retrieval_procedure: Option<String>,
    /// The Verpflichtung, where it is signed already; else before the grant is issued.
    verpflichtung: Option<GrantVerpflichtungInput>,
    /// Bezirksstellen are not told afterwards what was read (§ 96 (4) BHO, inquiries into fraud).
    reads_withheld: Option<bool>,
    /// Repeating the same input under the same key gives the same answer instead of a second grant.
    idempotency_key: String,
}

impl ProposeGrantInput {
    fn resolve(self) -> Result<service::Propose> {
        let ids = |list: &[ID], kind: NodeKind, path: &str| {
            list.iter()
                .map(|id| kind.require(id, path))
                .collect::<Result<Vec<_>>>()
        };
        let period = match (self.period_from, self.period_to) {
            (None, None) => None,
            (Some(from), Some(to)) => Some(Period {
                from: from.0,
                to: to.0,
            }),
            _ => {
                return Err(bad_input(
                    "input.periodTo",
                    "give both days of the period, or none",
                ));
            }
        };
        let bezirksstellen = self
            .bezirksstelle_ids
            .map(|list| ids(&list, NodeKind::Bezirksstelle, "input.bezirksstelleIds"))
            .transpose()?;
        Ok(service::Propose {
            kind: self.kind.into(),
            basis: self.basis,
            recipient_body: self.recipient_body,
            recipient_name: self.recipient_name,
            recipient_subject: self.recipient_subject,
            recipient_key: self.recipient_key,
            purpose: self.purpose,
            engagements: ids(&self.engagement_ids, NodeKind::Engagement, "input.engagementIds")?
                .into_iter()
                .map(EngagementId)
                .collect(),
            bezirksstellen: bezirksstellen.map(|list| list.into_iter().map(BezirksstelleId).collect()),
            period,
            funds: self.funds.map(|list| list.into_iter().map(Into::into).collect()),
            classes: self.classes.into_iter().map(Into::into).collect(),
            not_before: self.not_before.map(|time| time.0),
            expires_at: self.expires_at.map(|time| time.0),
            read_budget: self.read_budget.map(|budget| budget.0),
            addresses: self.addresses.unwrap_or_default(),
            contract: self.contract,
            team_role: self.team_role,
            retrieval_procedure: self.retrieval_procedure,
            verpflichtung: self.verpflichtung.map(Into::into),
            reads_withheld: self.reads_withheld.unwrap_or(false),
        })
    }
}

/// What records the Verpflichtung of a proposed grant.
#[derive(InputObject)]
pub(super) struct RecordGrantVerpflichtungInput {
    /// The grant.
    id: ID,
    /// The version the caller saw.
    expected_version: i32,
    /// What was signed.
    verpflichtung: GrantVerpflichtungInput,
}

/// What issues a proposed grant.
#[derive(InputObject)]
pub(super) struct IssueGrantInput {
    /// The grant.
    id: ID,
    /// The version the caller saw.
    expected_version: i32,
}

macro_rules! ending {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(InputObject)]
        pub(super) struct $name {
            /// The grant.
            id: ID,
            /// The version the caller saw.
            expected_version: i32,
            /// Why, up to 2,000 characters.
            reason: String,
        }

        impl $name {
            fn resolve(self) -> Result<service::End> {
                Ok(service::End { of: change(&self.id, self.expected_version)?, reason: self.reason })
            }
        }
    };
}

ending! {
    /// What withdraws a proposed grant.
    WithdrawGrantInput
}
ending! {
    /// What revokes an issued grant.
    RevokeGrantInput
}
ending! {
    /// What lifts end and budget of a public body's grant.
    LiftGrantLimitsInput
}

fn change(id: &ID, expected_version: i32) -> Result<service::Change> {
    Ok(service::Change {
        id: GrantId(NodeKind::Grant.require(id, "input.id")?),
        expected_version,
    })
}

payload! {
    /// A proposed grant.
    ProposeGrantPayload {
        /// The grant.
        grant: Grant
    }
}
payload! {
    /// A grant whose Verpflichtung is recorded.
    RecordGrantVerpflichtungPayload {
        /// The grant.
        grant: Grant
    }
}
payload! {
    /// An issued grant.
    IssueGrantPayload {
        /// The grant.
        grant: Grant
    }
}
payload! {
    /// A withdrawn grant.
    WithdrawGrantPayload {
        /// The grant.
        grant: Grant
    }
}
payload! {
    /// A revoked grant.
    RevokeGrantPayload {
        /// The grant.
        grant: Grant
    }
}
payload! {
    /// A grant without end and budget.
    LiftGrantLimitsPayload {
        /// The grant.
        grant: Grant
    }
}

/// What is visible of one list under a grant.
#[derive(SimpleObject)]
#[graphql(directive = disclosure::apply(Class::Internal))]
pub(super) struct VisibleList {
    /// `ENGAGEMENTS`, `SAMPLES`, `SAMPLE_ITEMS`; `CHECKS` and `POPULATIONS` where the grant shows them.
    list: &'static str,
    /// Rows.
    count: Long,
    /// Root of the Merkle tree (RFC 6962) over the rows: for each, ascending by id, the 16 bytes of the UUID and the
    /// version as 4 bytes, big-endian; the version of sample items counts as 0 where the grant does not show AUDIT.
    root: Sha256,
}

/// What is visible under a grant at one moment. It is kept in the trail of the grant, and so in the log: that nothing was
/// withheld can be checked later.
#[derive(SimpleObject)]
#[graphql(directive = disclosure::apply(Class::Internal))]
pub(super) struct VisibilityStatement {
    /// When.
    at: DateTime,
    /// Each list.
    lists: Vec<VisibleList>,
}

impl From<service::Statement> for VisibilityStatement {
    fn from(statement: service::Statement) -> Self {
        Self {
            at: statement.at.into(),
            lists: statement
                .lists
                .into_iter()
                .map(|visible| VisibleList {
                    list: visible.list,
                    count: Long(i64::try_from(visible.count).unwrap_or(i64::MAX)),
                    root: Sha256(visible.root),
                })
                .collect(),
        }
    }
}

/// What states what is visible under a grant.
#[derive(InputObject)]
pub(super) struct StateVisibilityInput {
    /// The grant: under a grant that one.
    grant_id: ID,
}

payload! {
    /// A statement of what is visible.
    StateVisibilityPayload {
        /// The statement.
        statement: VisibilityStatement
    }
}

/// Changes grants.
#[derive(Default)]
pub(super) struct GrantMutation;

#[Object]
impl GrantMutation {
    /// Proposes a grant. It opens nothing until another person issues it.
    async fn propose_grant(
        &self,
        ctx: &Context<'_>,
        mut input: ProposeGrantInput,
    ) -> Result<ProposeGrantPayload> {
        let key = std::mem::take(&mut input.idempotency_key);
        let propose = input.resolve()?;
        ProposeGrantPayload::of(ctx, service::propose(ctx.audit(), ctx.db(), &key, propose).await)
    }

    /// Records the Verpflichtung (§ 78 (1), (2) SGB X) of a proposed grant.
    async fn record_grant_verpflichtung(
        &self,
        ctx: &Context<'_>,
        input: RecordGrantVerpflichtungInput,
    ) -> Result<RecordGrantVerpflichtungPayload> {
        let record = service::RecordVerpflichtung {
            of: change(&input.id, input.expected_version)?,
            verpflichtung: input.verpflichtung.into(),
        };
        RecordGrantVerpflichtungPayload::of(
            ctx,
            service::record_verpflichtung(ctx.audit(), ctx.db(), record).await,
        )
    }

    /// Issues a grant that another person proposed: the head of the Fachbereich, or the head of the Innenrevision what an
    /// auditor proposed.
    async fn issue_grant(&self, ctx: &Context<'_>, input: IssueGrantInput) -> Result<IssueGrantPayload> {
        let issue = change(&input.id, input.expected_version)?;
        IssueGrantPayload::of(ctx, service::issue(ctx.audit(), ctx.db(), issue).await)
    }

    /// Gives up a grant that was not issued.
    async fn withdraw_grant(
        &self,
        ctx: &Context<'_>,
        input: WithdrawGrantInput,
    ) -> Result<WithdrawGrantPayload> {
        let end = input.resolve()?;
        WithdrawGrantPayload::of(ctx, service::withdraw(ctx.audit(), ctx.db(), end).await)
    }

    /// Takes an issued grant back: the next request under it is refused.
    async fn revoke_grant(&self, ctx: &Context<'_>, input: RevokeGrantInput) -> Result<RevokeGrantPayload> {
        let end = input.resolve()?;
        RevokeGrantPayload::of(ctx, service::revoke(ctx.audit(), ctx.db(), end).await)
    }

    /// Lifts end and budget of a public body's grant, when it asks for that: they are habit, not a limit of its right. What
    /// the grant reaches stays as it is.
    async fn lift_grant_limits(
        &self,
        ctx: &Context<'_>,
        input: LiftGrantLimitsInput,
    ) -> Result<LiftGrantLimitsPayload> {
        let end = input.resolve()?;
        LiftGrantLimitsPayload::of(ctx, service::lift(ctx.audit(), ctx.db(), end).await)
    }

    /// States what is visible under a grant, as counts and roots, and keeps that in the trail and the log.
    async fn state_visibility(
        &self,
        ctx: &Context<'_>,
        input: StateVisibilityInput,
    ) -> Result<StateVisibilityPayload> {
        let id = GrantId(NodeKind::Grant.require(&input.grant_id, "input.grantId")?);
        StateVisibilityPayload::of(ctx, service::state(ctx.audit(), ctx.db(), id).await)
    }
}
