//! The ceremony of a draw: who contributes to the seed, and the public source.

use async_graphql::{Context, Description, Enum, ID, InputObject, Object, OneofObject, Result, SimpleObject};
use audit::access::{Action as May, Role};
use audit::sample as service;
use audit::sampling::ceremony::drand::Round;
use audit::sampling::ceremony::{self as rules, Bytes32};
use entity::sample::State;
use entity::{ContributionId, contribution};

use super::ContextExt;
use super::disclosure::{Class, disclosure};
use super::error::{Maybe, field, payload};
use super::loaders::ConclusionOf;
use super::node::NodeKind;
use super::page::{Window, by_id, connection};
use super::permissions::{Action, permitted};
use super::sample::SampleState;
use super::scalars::{DateTime, Long, Sha256};

const ORDER: &str = "contributions";

/// How hard it is to steer a draw; stands on every report.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "rules::Assurance")]
pub(super) enum Assurance {
    /// One person, a seed from the operating system, logged.
    Everyday,
    /// Contributions of two parties or more, committed, then opened.
    Witnessed,
    /// The same, all opened before a public source exists that the plan names.
    NotSteerable,
}

impl Assurance {
    /// The level of a sample, with its ceremony if it has one.
    pub(super) fn of(ceremony: Option<service::Ceremony>) -> Self {
        ceremony.map_or(Self::Everyday, |ceremony| ceremony.plan.assurance.into())
    }
}

/// A role in which somebody may speak for a party.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
pub(super) enum ContributorRole {
    /// Head of the internal audit.
    InnenrevisionLeitung,
    /// Internal auditor.
    Innenrevision,
    /// Reviewer of the auditors' work.
    Qualitaetssicherung,
    /// Head of one Bezirksstelle: only where the audit is announced, since whoever is named learns of it.
    Bezirksstellenleitung,
    /// Data protection officer.
    Datenschutz,
    /// Auditor from outside, such as the Rechnungsprüfung; needs no grant for it.
    ExternalAuditor,
}

impl From<ContributorRole> for Role {
    fn from(role: ContributorRole) -> Self {
        match role {
            ContributorRole::InnenrevisionLeitung => Self::InnenrevisionLeitung,
            ContributorRole::Innenrevision => Self::Innenrevision,
            ContributorRole::Qualitaetssicherung => Self::Qualitaetssicherung,
            ContributorRole::Bezirksstellenleitung => Self::Bezirksstellenleitung,
            ContributorRole::Datenschutz => Self::Datenschutz,
            ContributorRole::ExternalAuditor => Self::ExternalAuditor,
        }
    }
}

/// On which side a party stands.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "service::Standing")]
pub(super) enum PartyStanding {
    /// In the audit function.
    AuditFunction,
    /// In a Bezirksstelle, which is audited.
    AuditedUnit,
    /// In neither.
    Outside,
}

/// Who contributes to the seed.
#[derive(InputObject)]
pub(super) struct DrawPartyInput {
    /// Name in the plan, unique in it, up to 200 characters: "Datenschutz".
    name: String,
    /// The one person who speaks for it: subject of their token, as `viewer { subject }` tells it. Nobody speaks for two parties.
    subject: String,
    /// The role in which they do.
    role: ContributorRole,
}

impl From<DrawPartyInput> for service::PartyInput {
    fn from(party: DrawPartyInput) -> Self {
        Self {
            name: party.name,
            subject: party.subject,
            role: party.role.into(),
        }
    }
}

/// A round of the drand beacon that does not exist yet.
#[derive(InputObject)]
pub(super) struct PlannedDrandInput {
    /// Hash of the chain; those of `quicknet` and `default` are known.
    chain: Sha256,
    /// Number of the round; `pruefpfad ceremony round` finds it for a time.
    round: Long,
}

/// Ten-sided dice, to be thrown in a recorded session.
#[derive(InputObject)]
pub(super) struct PlannedDiceInput {
    /// How many throws, 20 to 1,000.
    throws: i32,
}

/// A public source that does not exist yet.
#[derive(OneofObject)]
pub(super) enum PlannedSourceInput {
    /// A round of the drand beacon.
    Drand(PlannedDrandInput),
    /// Ten-sided dice.
    Dice(PlannedDiceInput),
}

impl From<PlannedSourceInput> for rules::PlannedSource {
    // What is no number of rounds or throws is refused as none.
    fn from(source: PlannedSourceInput) -> Self {
        match source {
            PlannedSourceInput::Drand(drand) => Self::Drand {
                chain: Bytes32(drand.chain.0),
                round: u64::try_from(drand.round.0).unwrap_or(0),
            },
            PlannedSourceInput::Dice(dice) => Self::Dice {
                throws: u32::try_from(dice.throws).unwrap_or(0),
            },
        }
    }
}

/// A round of the beacon, as it prints it.
#[derive(InputObject)]
pub(super) struct DrandRoundInput {
    /// Number of the round.
    round: Long,
    /// Signature, in hexadecimal.
    signature: String,
    /// Signature of the round before, in hexadecimal: on the chain `default`.
    previous_signature: Option<String>,
    /// Randomness, in hexadecimal; compared with the signature's digest.
    randomness: Option<String>,
    /// Hash of the chain, in hexadecimal; compared with the plan's.
    chain_hash: Option<String>,
}

/// A session in which ten-sided dice were thrown.
#[derive(InputObject)]
pub(super) struct DiceSessionInput {
    /// The digits 0 to 9 in the order of the throws, without anything between them.
    digits: String,
    /// Time of the first throw: after the last contribution that is to count.
    begun_at: DateTime,
    /// Who threw.
    thrown_by: String,
    /// Who watched, up to 20; one at least who did not throw.
    witnesses: Vec<String>,
    /// Where the recording is: file and digest, minutes, or a number of the records.
    recording: String,
}

/// What the planned public source said.
#[derive(OneofObject)]
pub(super) enum DrawSourceInput {
    /// A round of the beacon, field by field.
    Drand(DrandRoundInput),
    /// The same as one text: the JSON of `https://api.drand.sh/{chain}/public/{round}`, from a file for instance.
    DrandJson(String),
    /// A session with dice.
    Dice(DiceSessionInput),
}

impl From<DrawSourceInput> for service::SourceInput {
    fn from(source: DrawSourceInput) -> Self {
        match source {
            DrawSourceInput::Drand(round) => Self::Drand(Round {
                round: u64::try_from(round.round.0).unwrap_or(0),
                signature: round.signature,
                previous_signature: round.previous_signature,
                randomness: round.randomness,
                chain_hash: round.chain_hash,
            }),
            DrawSourceInput::DrandJson(json) => Self::DrandJson(json),
            DrawSourceInput::Dice(dice) => Self::Dice(service::DiceInput {
                digits: dice.digits,
                begun_at: dice.begun_at.0,
                thrown_by: dice.thrown_by,
                witnesses: dice.witnesses,
                recording: dice.recording,
            }),
        }
    }
}

/// A public source as the plan names it: a drand round with chain, round and time, or dice with throws.
#[derive(SimpleObject)]
#[graphql(directive = disclosure::apply(Class::Internal))]
pub(super) struct PlannedSource {
    /// Hash of the chain.
    chain: Option<Sha256>,
    /// Number of the round.
    round: Option<Long>,
    /// Since when the round exists.
    at: Option<DateTime>,
    /// How many throws.
    throws: Option<Long>,
}

impl PlannedSource {
    fn of(ceremony: &service::Ceremony) -> Option<Self> {
        let long = |number: u64| Long(i64::try_from(number).unwrap_or(i64::MAX));
        Some(match ceremony.plan.source.as_ref()? {
            rules::PlannedSource::Drand { chain, round } => Self {
                chain: Some(Sha256(chain.0)),
                round: Some(long(*round)),
                at: ceremony.source_at().map(Into::into),
                throws: None,
            },
            rules::PlannedSource::Dice { throws } => Self {
                chain: None,
                round: None,
                at: None,
                throws: Some(long(u64::from(*throws))),
            },
        })
    }
}

/// The public source, as it was recorded.
#[derive(SimpleObject)]
#[graphql(directive = disclosure::apply(Class::Audit))]
pub(super) struct RecordedSource {
    /// What it said, as JSON: the round, or the session with digits, time, people and recording. As in the draw record, but for the
    /// place in the log.
    text: String,
    /// Who recorded it.
    recorded_by: Option<String>,
    /// When.
    recorded_at: Option<DateTime>,
}

/// One step of how a seed came about.
#[derive(SimpleObject)]
#[graphql(directive = disclosure::apply(Class::Audit))]
pub(super) struct CeremonyStep {
    /// What is formed, and how, in the language of the request.
    text: String,
    /// What comes of it.
    value: String,
}

/// How the seed of a sample comes about: planned, contributed to, ended by the draw.
#[derive(Description)]
pub(super) struct Ceremony {
    found: service::Ceremony,
    state: State,
}

impl Ceremony {
    pub(super) const fn new(found: service::Ceremony, state: State) -> Self {
        Self { found, state }
    }

    /// How it led to a seed; none before the draw.
    async fn conclusion(&self, ctx: &Context<'_>) -> Result<Option<rules::Ceremony>> {
        if self.state != State::Drawn {
            return Ok(None);
        }
        let id = self.found.row.sample_id;
        ctx.loaders().one(ctx, ConclusionOf(id)).await
    }
}

#[Object(use_type_description, directive = disclosure::apply(Class::Audit))]
impl Ceremony {
    /// Digest of the plan, for which the parties commit; how it is formed: `audit/README.md`.
    async fn plan_digest(&self) -> Sha256 {
        Sha256(self.found.plan_digest().0)
    }

    /// Root of the frozen population, as planned.
    async fn population_root(&self) -> Sha256 {
        Sha256(self.found.plan.population_root.0)
    }

    /// Digest of the draw file's rows, as planned: it was fixed before anybody contributed.
    async fn frame_digest(&self) -> Sha256 {
        Sha256(self.found.plan.frame_digest.0)
    }

    /// Until when the draw waits for parties that did not open, where the plan says so.
    async fn open_until(&self) -> Option<DateTime> {
        self.found.row.open_until.map(Into::into)
    }

    /// The public source that the plan names.
    async fn planned_source(&self) -> Option<PlannedSource> {
        PlannedSource::of(&self.found)
    }

    /// The parties, in the order of the seed.
    async fn parties(&self, ctx: &Context<'_>) -> Maybe<Vec<CeremonyParty>> {
        let conclusion = match self.conclusion(ctx).await {
            Ok(conclusion) => conclusion,
            Err(error) => return Some(Err(error)),
        };
        let decided = self.state != State::Planned;
        let party = |row: &contribution::Model| CeremonyParty::new(row.clone(), decided, conclusion.as_ref());
        Some(Ok(self.found.parties.iter().map(party).collect()))
    }

    /// What the public source said; null until it is recorded.
    async fn source(&self) -> Option<RecordedSource> {
        Some(RecordedSource {
            text: serde_json::to_string(&without_place(self.found.source.as_ref()?)).ok()?,
            recorded_by: self.found.row.source_by.clone(),
            recorded_at: self.found.row.source_at.map(Into::into),
        })
    }

    /// The seed, formed again from what the log says; null before the draw, and where it does not come out any more.
    async fn seed(&self, ctx: &Context<'_>) -> Maybe<String> {
        let conclusion = self.conclusion(ctx).await.transpose()?;
        Some(conclusion.map(|conclusion| conclusion.seed))
    }

    /// How the seed came about; empty before the draw.
    async fn steps(&self, ctx: &Context<'_>) -> Maybe<Vec<CeremonyStep>> {
        let language = ctx.language();
        let step = |step: audit::sampling::derivation::Step| CeremonyStep {
            text: language.say(&step.de, &step.en).to_owned(),
            value: step.value,
        };
        let told = |found: Option<rules::Ceremony>| {
            let steps = found.map(|found| found.steps).unwrap_or_default();
            steps.into_iter().map(step).collect()
        };
        Some(self.conclusion(ctx).await.map(told))
    }

    /// What the level cannot rule out, in the language of the request; empty before the draw.
    async fn cannot_rule_out(&self, ctx: &Context<'_>) -> Maybe<Vec<String>> {
        let language = ctx.language();
        let told = |found: Option<rules::Ceremony>| {
            let texts = found.map(|found| found.cannot_rule_out).unwrap_or_default();
            let said = texts
                .iter()
                .map(|text| language.say(&text.de, &text.en).to_owned());
            said.collect()
        };
        Some(self.conclusion(ctx).await.map(told))
    }
}

/// A source without its place in the log, which only a session has.
fn without_place(source: &rules::Source) -> serde_json::Value {
    let mut json = serde_json::to_value(source).unwrap_or_default();
    if let Some(fields) = json.as_object_mut() {
        fields.remove("logged");
    }
    json
}

/// A party of a ceremony. Salt and text are told once the sample is drawn or given up: until then whoever opens last learns nothing
/// here of what the others contributed.
#[derive(SimpleObject)]
#[graphql(directive = disclosure::apply(Class::Audit))]
pub(super) struct CeremonyParty {
    /// Id of its contribution.
    id: ID,
    /// Name, as in the plan.
    name: String,
    /// Who speaks for it.
    subject: String,
    /// In which role.
    role: String,
    /// Whether it lies in the audit function, in an audited unit, or outside of both.
    standing: Option<PartyStanding>,
    /// The membership under which it was committed: `BEZIRKSSTELLENLEITUNG:03`.
    spoke_as: Option<String>,
    /// The commitment.
    commitment: Option<Sha256>,
    /// When it was committed.
    committed_at: Option<DateTime>,
    /// When it was opened.
    opened_at: Option<DateTime>,
    /// The 32 random bytes.
    salt: Option<Sha256>,
    /// The text.
    text: Option<String>,
    /// Did not open, or too late to count; null before the draw.
    silent: Option<bool>,
    /// Opened when the source existed already; null before the draw.
    late: Option<bool>,
    /// Whether silence left a choice between two results; null before the draw.
    could_steer: Option<bool>,
    /// Counts changes.
    version: i32,
}

impl CeremonyParty {
    fn new(row: contribution::Model, decided: bool, conclusion: Option<&rules::Ceremony>) -> Self {
        let silence = conclusion.map(|found| found.silent.iter().find(|one| one.party == row.party));
        let stored = |bytes: Option<&Vec<u8>>| bytes.and_then(|bytes| Sha256::stored(bytes));
        Self {
            id: NodeKind::Contribution.id(row.id.0),
            standing: service::standing(&row.role).map(Into::into),
            commitment: stored(row.digest.as_ref()),
            committed_at: row.committed_at.map(Into::into),
            opened_at: row.opened_at.map(Into::into),
            salt: stored(row.salt.as_ref().filter(|_| decided)),
            text: row.words.filter(|_| decided),
            silent: silence.map(|silence| silence.is_some()),
            late: silence.map(|silence| silence.is_some_and(|one| one.late)),
            could_steer: silence.map(|silence| silence.is_some_and(|one| one.could_steer)),
            name: row.party,
            subject: row.subject,
            role: row.role,
            spoke_as: row.spoke_as,
            version: row.version,
        }
    }
}

/// One's own contribution to the seed of a draw. It shows nothing of what is drawn.
#[derive(Description)]
pub(super) struct Contribution(service::Contribution);

impl From<service::Contribution> for Contribution {
    fn from(found: service::Contribution) -> Self {
        Self(found)
    }
}

#[Object(use_type_description, directive = disclosure::apply(Class::Internal))]
impl Contribution {
    /// Opaque id.
    async fn id(&self) -> ID {
        NodeKind::Contribution.id(self.0.row.id.0)
    }

    /// Number of the engagement, as in the plan: `P-2026-014`.
    async fn engagement_number(&self) -> &str {
        &self.0.engagement
    }

    /// Whether the sample is planned, drawn or given up.
    async fn sample_state(&self) -> SampleState {
        self.0.state.into()
    }

    /// The level.
    async fn assurance(&self) -> Assurance {
        self.0.ceremony.plan.assurance.into()
    }

    /// Name of the party, as in the plan: part of the commitment.
    async fn party(&self) -> &str {
        &self.0.row.party
    }

    /// Digest of the plan: part of the commitment. Keep it; the draw record shows later what the plan was.
    async fn plan_digest(&self) -> Sha256 {
        Sha256(self.0.ceremony.plan_digest().0)
    }

    /// The public source that the plan names. What is opened after it exists does not count.
    async fn planned_source(&self) -> Option<PlannedSource> {
        PlannedSource::of(&self.0.ceremony)
    }

    /// Until when the draw waits for parties that did not open, where the plan says so.
    async fn open_until(&self) -> Option<DateTime> {
        self.0.ceremony.row.open_until.map(Into::into)
    }

    /// Parties that did not commit yet: nobody opens before they have.
    async fn waiting_for(&self) -> Vec<&str> {
        let missing = self.0.ceremony.uncommitted();
        missing.map(|party| party.party.as_str()).collect()
    }

    /// The commitment, once committed.
    async fn commitment(&self) -> Option<Sha256> {
        self.0.row.digest.as_deref().and_then(Sha256::stored)
    }

    /// When it was committed.
    async fn committed_at(&self) -> Option<DateTime> {
        self.0.row.committed_at.map(Into::into)
    }

    /// When it was opened.
    async fn opened_at(&self) -> Option<DateTime> {
        self.0.row.opened_at.map(Into::into)
    }

    /// Counts changes; committing and opening name the version they saw.
    async fn version(&self) -> i32 {
        self.0.row.version
    }

    /// What the caller may do with it now.
    async fn permissions(&self, ctx: &Context<'_>) -> Vec<Action> {
        let possible = [vec![May::ContributionRead], self.0.possible(ctx.audit())].concat();
        permitted(ctx, &possible)
    }
}

connection!(ContributionConnection, ContributionEdge, Contribution, Internal);

/// Finds contributions.
#[derive(Default)]
pub(super) struct ContributionQuery;

#[Object]
impl ContributionQuery {
    /// Contributions to seeds that the caller was named for, newest first.
    async fn contributions(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Maybe<ContributionConnection> {
        let window = Window {
            first,
            after,
            last,
            before,
        };
        let args = match window.args(ctx, ORDER) {
            Ok(args) => args,
            Err(error) => return Some(Err(error)),
        };
        let found = service::contributions(ctx.audit(), ctx.db(), &args).await;
        let connected =
            |page| ContributionConnection::of(ORDER, page, |one: &service::Contribution| by_id(one.row.id.0));
        Some(field(ctx, found).map(connected))
    }
}

/// What commits a contribution.
#[derive(InputObject)]
pub(super) struct CommitContributionInput {
    /// The contribution.
    id: ID,
    /// The version the caller saw.
    expected_version: i32,
    /// The commitment: SHA-256 over plan digest, party, salt and text, as `audit/README.md` says and `pruefpfad ceremony commit` makes it.
    commitment: Sha256,
    /// Repeating the same input under the same key gives the same answer.
    idempotency_key: String,
}

/// What opens a contribution.
#[derive(InputObject)]
pub(super) struct OpenContributionInput {
    /// The contribution.
    id: ID,
    /// The version the caller saw.
    expected_version: i32,
    /// The 32 random bytes, in 64 hexadecimal digits.
    salt: Sha256,
    /// The text, up to 1,000 characters, exactly as committed.
    #[graphql(default)]
    text: String,
    /// Repeating the same input under the same key gives the same answer.
    idempotency_key: String,
}

payload! {
    /// A committed contribution.
    CommitContributionPayload {
        /// The contribution.
        contribution: Contribution
    }
}

payload! {
    /// An opened contribution.
    OpenContributionPayload {
        /// The contribution.
        contribution: Contribution
    }
}

/// Changes contributions.
#[derive(Default)]
pub(super) struct ContributionMutation;

#[Object]
impl ContributionMutation {
    /// Commits one's contribution to a seed, once and for all: a commitment is not replaced.
    async fn commit_contribution(
        &self,
        ctx: &Context<'_>,
        input: CommitContributionInput,
    ) -> Result<CommitContributionPayload> {
        let commit = service::Commit {
            id: ContributionId(NodeKind::Contribution.require(&input.id, "input.id")?),
            expected_version: input.expected_version,
            digest: Bytes32(input.commitment.0),
        };
        let done = service::commit(ctx.audit(), ctx.db(), &input.idempotency_key, commit).await;
        CommitContributionPayload::of(ctx, done)
    }

    /// Opens one's committed contribution, once all parties have committed.
    async fn open_contribution(
        &self,
        ctx: &Context<'_>,
        input: OpenContributionInput,
    ) -> Result<OpenContributionPayload> {
        let open = service::Open {
            id: ContributionId(NodeKind::Contribution.require(&input.id, "input.id")?),
            expected_version: input.expected_version,
            salt: Bytes32(input.salt.0),
            text: input.text,
        };
        let done = service::open(ctx.audit(), ctx.db(), &input.idempotency_key, open).await;
        OpenContributionPayload::of(ctx, done)
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::resolver_utils::EnumType as _;
    use audit::access::permits;

    use super::*;

    #[test]
    fn contributors_are_the_roles_that_may() {
        let named: Vec<Role> = ContributorRole::items()
            .iter()
            .map(|known| known.value.into())
            .collect();
        for role in Role::ALL {
            let may = permits(*role, May::ContributionCommit) && permits(*role, May::ContributionOpen);
            assert_eq!(named.contains(role), may, "{role}");
        }
        for (known, role) in ContributorRole::items().iter().zip(named) {
            assert_eq!(known.name, role.as_str());
        }
    }
}
