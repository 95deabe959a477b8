//! Samples: plan, draw, abort, record, announce, and the list of their items.

use std::collections::HashMap;

use async_graphql::{Context, Description, Enum, ID, InputObject, Object, Result, SimpleObject};
use audit::access::Action as May;
use audit::sample as service;
use entity::sample::{Method, Model, State};
use entity::{
    BezirksstelleId, EngagementId, ListedCheck, ListedItem, ParameterSetId, PopulationId, SampleId,
    SampleItemId, StratumId, draw_event, sample_item, sample_stratum,
};

use super::admit::{FIGURES, NESTED_PAGE, costs};
use super::assignment::{self, Assignment, CheckProgress};
use super::calculator::{EvaluationBy, evaluation_by};
use super::ceremony::{Assurance, Ceremony, DrawPartyInput, DrawSourceInput, PlannedSourceInput};
use super::check::Check;
use super::disclosure::{Class, disclosure};
use super::engagement::Engagement;
use super::error::{Maybe, bad_input, field, payload};
use super::evaluation::{self, Dimension, Evaluation};
use super::extension::{ExtensionRule, ExtensionRuleKind, SampleExtension};
use super::jobcenter::Bezirksstelle;
use super::known_error::{self, KnownError};
use super::loaders::{
    CaseNumberOf, CeremonyOf, ChecksOf, DetailsOf, DrawEventsOf, ExtensionOf, ExternalReadsOf,
    SampleItemsKey, StrataOf,
};
use super::many::{self, Many, Rows};
use super::node::NodeKind;
use super::page::{Window, by_id, connection, counted};
use super::parameter_set::CitedParameterSet;
use super::permissions::{Action, permitted_in};
use super::population::{Population, Split};
use super::replacement::{self, Replacement};
use super::scalars::{Date, DateTime, Euro, Long, Rate, Sha256};
use super::{ContextExt, finish};

const ORDER: &str = "samples";

/// How items are selected.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "Method")]
pub(super) enum SamplingMethod {
    /// Simple random without replacement, by ticket numbers (consistent sampling).
    SimpleRandom,
    /// The same within each Bezirksstelle, sizes proportional to the numbers of items.
    StratifiedByBezirksstelle,
    /// Cases at random, each with all its lines (Klumpenstichprobe), by ticket numbers of the cases: lines with the same case number are
    /// one sampling unit, a line without one is a unit by itself. The size counts cases.
    SimpleRandomClusters,
    /// Every k-th item in the order of the ids, from a random start.
    RecordInterval,
    /// Monetary unit sampling by fixed interval over the items above zero (Wertstichprobe).
    MonetaryUnitFixedInterval,
    /// The same over the items in random order, that of their tickets. The draw sorts them on disk: 44 bytes an item while it lasts.
    MonetaryUnitRandomisedInterval,
    /// Monetary unit sampling by cells of the size of the interval, over the items above zero; evaluated by the cell bound.
    MonetaryUnitCell,
    /// Items with replacement, by their number: one may be hit more than once, and each hit is a sampling unit.
    RecordsWithReplacement,
    /// A monetary unit sample drawn elsewhere and recorded here.
    RecordedMonetaryUnit,
    /// Chosen by a person for the risk of its items (bewusste Auswahl); never projected.
    Judgemental,
}

/// What the strata of a sample are.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(name = "SampleStratification")]
pub(super) enum Stratification {
    /// Each Bezirksstelle.
    Bezirksstelle,
}

/// The state of a sample.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "State")]
pub(super) enum SampleState {
    /// The plan is fixed.
    Planned,
    /// Drawn; final.
    Drawn,
    /// Given up before drawing; final.
    Aborted,
}

/// How the size of a sample was found.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "service::SizeSource")]
pub(super) enum SizeSource {
    /// Given with the plan.
    Given,
    /// Computed by a planning method.
    Computed,
    /// The sample was drawn elsewhere.
    Recorded,
    /// A person chose the items.
    Chosen,
}

/// The bounds of a sample, and how its size was found.
#[derive(SimpleObject)]
#[graphql(directive = disclosure::apply(Class::Audit))]
pub(super) struct SampleParameters {
    /// How the size was found.
    size_source: SizeSource,
    /// The size before it was shared out to strata: their minimums may add to it.
    requested_size: Long,
    /// Planning method, where the size was computed.
    planning_method: Option<String>,
    /// Its version.
    planning_version: Option<String>,
    /// Errors, or sum of taintings, at which the sample still supports the tolerable error.
    planned_errors: Option<Rate>,
    /// Confidence (Sicherheit).
    confidence: Option<Rate>,
    /// Tolerable error rate.
    tolerable_rate: Option<Rate>,
    /// Expected error rate.
    expected_rate: Option<Rate>,
    /// Tolerable error.
    tolerable_error: Option<Euro>,
    /// Expected error.
    expected_error: Option<Euro>,
    /// What its strata are; null where it is drawn from the whole.
    stratified_by: Option<Stratification>,
    /// How the sample may be extended; null where that was not fixed beforehand.
    extension_rule: Option<ExtensionRule>,
    /// The edition of a parameter set that confidence and materiality come from.
    parameter_set: Option<CitedParameterSet>,
}

impl From<service::Parameters> for SampleParameters {
    fn from(kept: service::Parameters) -> Self {
        Self {
            size_source: kept.size_source.into(),
            requested_size: Long(kept.requested_size),
            planning_method: kept.planning_method,
            planning_version: kept.planning_version,
            planned_errors: kept.planned_errors.map(Rate),
            confidence: kept.confidence.map(Rate),
            tolerable_rate: kept.tolerable_rate.map(Rate),
            expected_rate: kept.expected_rate.map(Rate),
            tolerable_error: kept.tolerable_cents.map(Euro),
            expected_error: kept.expected_cents.map(Euro),
            stratified_by: kept.stratified.then_some(Stratification::Bezirksstelle),
            extension_rule: kept.extension_rule.map(Into::into),
            parameter_set: kept.parameter_set.map(Into::into),
        }
    }
}

/// A sample (Stichprobe): a plan, then a draw. Neither is ever edited; a new draw is a new sample.
#[derive(Clone, Description)]
pub(super) struct Sample(pub(super) Model);

impl Sample {
    /// What is asked of an evaluation.
    fn evaluate(
        &self,
        confidence: Option<Rate>,
        dimension: Option<Dimension>,
        provisional: bool,
    ) -> service::Evaluate {
        service::Evaluate {
            sample_id: self.0.id,
            confidence: confidence.map(|rate| rate.0),
            dimension: dimension.map(Into::into),
            provisional,
        }
    }
}

impl From<Model> for Sample {
    fn from(row: Model) -> Self {
        Self(row)
    }
}

#[Object(use_type_description, directive = disclosure::apply(Class::Internal))]
impl Sample {
    /// Opaque id.
    pub(super) async fn id(&self) -> ID {
        NodeKind::Sample.id(self.0.id.0)
    }

    /// The engagement it belongs to.
    async fn engagement(&self, ctx: &Context<'_>) -> Maybe<Engagement> {
        ctx.loaders()
            .one(ctx, self.0.engagement_id)
            .await
            .map(|row| row.map(Engagement))
            .transpose()
    }

    /// The frozen population it is drawn from.
    #[graphql(directive = disclosure::apply(Class::Audit))]
    async fn population(&self, ctx: &Context<'_>) -> Maybe<Population> {
        ctx.loaders()
            .one(ctx, self.0.population_id)
            .await
            .map(|row| row.map(Population))
            .transpose()
    }

    /// Name, unique in the engagement.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// How items are selected.
    async fn method(&self) -> SamplingMethod {
        self.0.method.into()
    }

    /// Planned, drawn or aborted.
    async fn state(&self) -> SampleState {
        self.0.state.into()
    }

    /// Number of sampling units.
    #[graphql(directive = disclosure::apply(Class::Audit))]
    async fn size(&self) -> Long {
        Long(self.0.size)
    }

    /// Bounds and planning.
    #[graphql(directive = disclosure::apply(Class::Audit))]
    async fn parameters(&self, ctx: &Context<'_>) -> Maybe<SampleParameters> {
        Some(field(ctx, service::parameters(&self.0)).map(Into::into))
    }

    /// Checks an item needs: 2 where four eyes are asked for.
    async fn checks_per_item(&self) -> i32 {
        self.0.checks_per_item
    }

    /// The seed, once drawn.
    #[graphql(directive = disclosure::apply(Class::Audit))]
    async fn seed(&self) -> Option<&str> {
        self.0.seed.as_deref()
    }

    /// How hard it is to steer the draw; null for a sample drawn elsewhere.
    #[graphql(directive = disclosure::apply(Class::Audit))]
    async fn assurance(&self, ctx: &Context<'_>) -> Maybe<Assurance> {
        if self.0.method == Method::RecordedMonetaryUnit {
            return None;
        }
        let ceremony = ctx.loaders().one(ctx, CeremonyOf(self.0.id)).await;
        Some(ceremony.map(Assurance::of))
    }

    /// Who contributes to the seed, and which public source; null at the level `EVERYDAY`.
    #[graphql(directive = disclosure::apply(Class::Audit))]
    async fn ceremony(&self, ctx: &Context<'_>) -> Maybe<Ceremony> {
        let ceremony = ctx.loaders().one(ctx, CeremonyOf(self.0.id)).await;
        ceremony
            .map(|found| found.map(|found| Ceremony::new(found, self.0.state)))
            .transpose()
    }

    /// Its number among the freezes, draws, aborts and records of the engagement; null while it is planned.
    #[graphql(directive = disclosure::apply(Class::Audit))]
    async fn draw_number(&self, ctx: &Context<'_>) -> Maybe<DrawNumber> {
        let events = match events_of(ctx, self.0.engagement_id).await {
            Ok(events) => events,
            Err(error) => return Some(Err(error)),
        };
        let of = events.iter().map(|event| event.number).max()?;
        let own = events.iter().find(|event| event.sample_id == Some(self.0.id))?;
        Some(Ok(DrawNumber {
            number: own.number,
            of,
        }))
    }

    /// Selection algorithm with version, once drawn.
    async fn algorithm(&self) -> Option<&str> {
        self.0.algorithm.as_deref()
    }

    /// Root of the population drawn from.
    #[graphql(directive = disclosure::apply(Class::Audit))]
    async fn population_root(&self) -> Option<Sha256> {
        self.0.population_root.as_deref().and_then(Sha256::stored)
    }

    /// Items that could be selected.
    #[graphql(directive = disclosure::apply(Class::Audit))]
    async fn frame_count(&self) -> Long {
        Long(self.0.frame_count)
    }

    /// Their sum.
    #[graphql(directive = disclosure::apply(Class::Audit))]
    async fn frame_sum(&self) -> Euro {
        self.0.frame_cents.into()
    }

    /// The sample that this one extends.
    #[graphql(directive = disclosure::apply(Class::Audit))]
    async fn extends(&self, ctx: &Context<'_>) -> Maybe<Sample> {
        let id = self.0.extends_id?;
        ctx.loaders()
            .one(ctx, id)
            .await
            .map(|row| row.map(Sample))
            .transpose()
    }

    /// What it is of the sample it extends; null where it extends none.
    #[graphql(directive = disclosure::apply(Class::Audit))]
    async fn extension(&self) -> Option<SampleExtension> {
        self.0.extension.map(Into::into)
    }

    /// The sample that extends this one; null where none does, or it was given up.
    #[graphql(directive = disclosure::apply(Class::Audit))]
    async fn extended_by(&self, ctx: &Context<'_>) -> Maybe<Sample> {
        ctx.loaders()
            .one(ctx, ExtensionOf(self.0.id))
            .await
            .map(|row| row.map(Sample))
            .transpose()
    }

    /// Why there is another sample of the population, or why it was given up.
    #[graphql(directive = disclosure::apply(Class::Audit))]
    async fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }

    /// Who planned it.
    async fn planned_by(&self) -> &str {
        &self.0.planned_by
    }

    /// When it was planned.
    async fn planned_at(&self) -> DateTime {
        self.0.planned_at.into()
    }

    /// Who drew, aborted or recorded it.
    async fn decided_by(&self) -> Option<&str> {
        self.0.decided_by.as_deref()
    }

    /// When it was drawn, aborted or recorded.
    async fn decided_at(&self) -> Option<DateTime> {
        self.0.decided_at.map(Into::into)
    }

    /// Counts changes; an update names the version it saw.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// What the caller may do with it now.
    async fn permissions(&self, ctx: &Context<'_>) -> Result<Vec<Action>> {
        let now = match self.0.state {
            State::Planned => {
                // Above the level of one person it depends on how far the ceremony is, and on who asks.
                let ceremony = ctx.loaders().one(ctx, CeremonyOf(self.0.id)).await?;
                let possible = ceremony.map_or_else(
                    || vec![May::SampleDraw],
                    |ceremony| ceremony.possible(ctx.audit()),
                );
                [vec![May::SampleRead], possible, vec![May::SampleAbort]].concat()
            }
            State::Drawn => {
                let mut now = vec![
                    May::SampleRead,
                    May::SampleItemRead,
                    May::SampleItemAnnounce,
                    May::CheckRead,
                    May::CheckRecord,
                    May::CheckAssign,
                    May::SampleEvaluate,
                ];
                now.extend(service::sets_known_errors_apart(self.0.method).then_some(May::KnownErrorPropose));
                now
            }
            State::Aborted => vec![May::SampleRead],
        };
        permitted_in(ctx, self.0.engagement_id, &now).await
    }

    /// Its strata (Schichten), in order; a Bezirksstelle sees its own.
    async fn strata(&self, ctx: &Context<'_>) -> Maybe<Vec<Stratum>> {
        let rows = ctx.loaders().one(ctx, StrataOf(self.0.id)).await;
        Some(rows.map(|rows| rows.unwrap_or_default().into_iter().map(Stratum).collect()))
    }

    /// How far checking has come.
    #[graphql(directive = disclosure::apply(Class::Audit))]
    async fn progress(&self, ctx: &Context<'_>) -> Maybe<CheckProgress> {
        Some(assignment::of_sample(ctx, self.0.id).await)
    }

    /// Drawn items that cannot be checked, and what became of them; oldest first.
    #[graphql(directive = disclosure::apply(Class::Audit))]
    async fn replacements(&self, ctx: &Context<'_>) -> Maybe<Vec<Replacement>> {
        Some(replacement::of_sample(ctx, self.0.id).await)
    }

    /// Errors that are known in the whole population and therefore not projected; oldest first.
    #[graphql(directive = disclosure::apply(Class::Audit))]
    async fn known_errors(&self, ctx: &Context<'_>) -> Maybe<Vec<KnownError>> {
        Some(known_error::of_sample(ctx, self.0.id).await)
    }

    /// What the checks say about the population.
    #[graphql(directive = disclosure::apply(Class::Audit), directive = costs::apply(FIGURES))]
    async fn evaluation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Confidence; the plan's where none is given, 0.95 where the plan has none.")]
        confidence: Option<Rate>,
        #[graphql(desc = "Count only errors of this dimension.")] dimension: Option<Dimension>,
        #[graphql(
            desc = "Evaluate what is checked so far, instead of refusing while items are open.",
            default = false
        )]
        provisional: bool,
    ) -> Maybe<Evaluation> {
        Some(evaluation::of(ctx, self.evaluate(confidence, dimension, provisional)).await)
    }

    /// What the checks say about the population by another method than the usual one of its draw.
    #[graphql(directive = disclosure::apply(Class::Audit), directive = costs::apply(FIGURES))]
    async fn evaluation_by(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Confidence; the plan's where none is given, 0.95 where the plan has none.")]
        confidence: Option<Rate>,
        #[graphql(desc = "Count only errors of this dimension.")] dimension: Option<Dimension>,
        #[graphql(
            desc = "Evaluate what is checked so far, instead of refusing while items are open.",
            default = false
        )]
        provisional: bool,
    ) -> Maybe<EvaluationBy> {
        Some(evaluation_by(ctx, self.evaluate(confidence, dimension, provisional)).await)
    }

    /// Its items that the caller may see.
    #[graphql(directive = costs::apply(NESTED_PAGE))]
    #[expect(
        clippy::too_many_arguments,
        reason = "page, filter and order of a list are its arguments"
    )]
    async fn items(
        &self,
        ctx: &Context<'_>,
        filter: Option<SampleItemFilter>,
        order: Option<SampleItemOrder>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Maybe<SampleItemConnection> {
        let window = Window {
            first,
            after,
            last,
            before,
        };
        let filter = match filter.unwrap_or_default().resolve() {
            Ok(filter) => service::ItemFilter {
                sample: Some(self.0.id),
                ..filter
            },
            Err(error) => return Some(Err(error)),
        };
        Some(items(ctx, filter, order, &window).await)
    }
}

connection!(SampleConnection, SampleEdge, Sample, Internal, total_count);

/// A stratum (Schicht) of a sample; an unstratified sample has one.
#[derive(Clone, Description)]
pub(super) struct Stratum(pub(super) sample_stratum::Model);

#[Object(use_type_description, directive = disclosure::apply(Class::Internal))]
impl Stratum {
    /// Opaque id; for the filter of items.
    async fn id(&self) -> ID {
        NodeKind::Stratum.id(self.0.id.0)
    }

    /// Position, from 1.
    async fn ordinal(&self) -> i32 {
        self.0.ordinal
    }

    /// Name.
    async fn label(&self) -> &str {
        &self.0.label
    }

    /// The Bezirksstelle it stands for, when stratified so.
    async fn bezirksstelle(&self, ctx: &Context<'_>) -> Option<Bezirksstelle> {
        ctx.info().bezirksstelle(self.0.bezirksstelle_id?)
    }

    /// Items of the frame in it.
    #[graphql(directive = disclosure::apply(Class::Audit))]
    async fn item_count(&self) -> Long {
        Long(self.0.item_count)
    }

    /// Their sum.
    #[graphql(directive = disclosure::apply(Class::Audit))]
    async fn sum(&self) -> Euro {
        self.0.sum_cents.into()
    }

    /// Sampling units to draw.
    #[graphql(directive = disclosure::apply(Class::Audit))]
    async fn size(&self) -> Long {
        Long(self.0.size)
    }
}

/// What happened.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "draw_event::Kind")]
pub(super) enum DrawEventKind {
    /// A population was frozen.
    Freeze,
    /// A sample was drawn.
    Draw,
    /// A planned sample was given up.
    Abort,
    /// A sample drawn elsewhere was recorded.
    Record,
    /// Items were chosen by hand.
    Choose,
    /// A drawn item that cannot be checked gave its place to the next ticket.
    Replace,
}

/// "Draw k of m": freezes and aborts count too.
#[derive(SimpleObject)]
#[graphql(directive = disclosure::apply(Class::Audit))]
pub(super) struct DrawNumber {
    /// Number of the sample's draw, abort or record, from 1.
    number: i32,
    /// Events of the engagement so far.
    of: i32,
}

/// A numbered event of drawing: "draw k of m" counts freezes and aborts too.
#[derive(Clone, Description)]
pub(super) struct DrawEvent(draw_event::Model);

#[Object(use_type_description, directive = disclosure::apply(Class::Audit))]
impl DrawEvent {
    /// Number within the engagement, from 1.
    async fn number(&self) -> i32 {
        self.0.number
    }

    /// What happened.
    async fn kind(&self) -> DrawEventKind {
        self.0.kind.into()
    }

    /// The population.
    async fn population(&self, ctx: &Context<'_>) -> Maybe<Population> {
        ctx.loaders()
            .one(ctx, self.0.population_id)
            .await
            .map(|row| row.map(Population))
            .transpose()
    }

    /// The sample; none for a freeze.
    async fn sample(&self, ctx: &Context<'_>) -> Maybe<Sample> {
        let id = self.0.sample_id?;
        ctx.loaders()
            .one(ctx, id)
            .await
            .map(|row| row.map(Sample))
            .transpose()
    }

    /// Why, where a reason is asked for.
    async fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }

    /// Who did it.
    async fn by(&self) -> &str {
        &self.0.by_subject
    }

    /// When.
    async fn at(&self) -> DateTime {
        self.0.at.into()
    }
}

/// How far checking has come.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "sample_item::State")]
pub(super) enum SampleItemState {
    /// No check yet.
    Open,
    /// Checked, but a second person's check is still asked for.
    PartlyChecked,
    /// Two checks say different things.
    Disputed,
    /// As many checks as asked for, and they agree.
    Checked,
    /// Cannot be checked; another item took its place.
    Replaced,
}

/// What checking found, once it is complete.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "sample_item::CheckResult")]
pub(super) enum CheckResult {
    /// Legal and correct.
    NoError,
    /// At least one error.
    Error,
}

/// An item drawn into a sample: a decision, case month, payment or procedure under its pseudonym.
#[derive(Clone, Description)]
pub(super) struct SampleItem {
    row: ListedItem,
    /// Its checks, where the list it came with fetched them already.
    checks: Option<Rows<Check>>,
}

impl From<sample_item::Model> for SampleItem {
    fn from(row: sample_item::Model) -> Self {
        Self {
            row: row.into(),
            checks: None,
        }
    }
}

impl SampleItem {
    async fn details(&self, ctx: &Context<'_>) -> Result<Option<entity::population_item::Model>> {
        ctx.loaders().one(ctx, DetailsOf(self.row.id)).await
    }
}

#[Object(use_type_description, directive = disclosure::apply(Class::SocialData))]
impl SampleItem {
    /// Opaque id.
    #[graphql(directive = disclosure::apply(Class::Internal))]
    pub(super) async fn id(&self) -> ID {
        NodeKind::SampleItem.id(self.row.id.0)
    }

    /// The sample it was drawn into.
    #[graphql(directive = disclosure::apply(Class::Internal))]
    async fn sample(&self, ctx: &Context<'_>) -> Maybe<Sample> {
        ctx.loaders()
            .one(ctx, self.row.sample_id)
            .await
            .map(|row| row.map(Sample))
            .transpose()
    }

    /// Its stratum.
    #[graphql(directive = disclosure::apply(Class::Internal))]
    async fn stratum(&self, ctx: &Context<'_>) -> Maybe<Stratum> {
        let strata = match ctx.loaders().one(ctx, StrataOf(self.row.sample_id)).await {
            Ok(strata) => strata.unwrap_or_default(),
            Err(error) => return Some(Err(error)),
        };
        strata
            .into_iter()
            .find(|row| row.id == self.row.stratum_id)
            .map(|row| Ok(Stratum(row)))
    }

    /// Position in the draw, from 1.
    #[graphql(directive = disclosure::apply(Class::Audit))]
    async fn draw_order(&self) -> Long {
        Long(self.row.draw_order)
    }

    /// Ticket number by which it was selected.
    #[graphql(directive = disclosure::apply(Class::Audit))]
    async fn ticket(&self) -> Option<&str> {
        self.row.ticket.as_deref()
    }

    /// Why a person chose it, in a judgemental sample, where the sample's reason does not say it.
    #[graphql(directive = disclosure::apply(Class::Audit))]
    async fn choice_reason(&self) -> Option<&str> {
        self.row.choice_reason.as_deref()
    }

    /// How often it was hit; each hit is one sampling unit.
    async fn hits(&self) -> Long {
        Long(self.row.hits)
    }

    /// Its Bezirksstelle.
    #[graphql(directive = disclosure::apply(Class::Internal))]
    async fn bezirksstelle(&self, ctx: &Context<'_>) -> Option<Many<Bezirksstelle>> {
        ctx.info().bezirksstelle(self.row.bezirksstelle_id).map(Many)
    }

    /// Its amount.
    async fn amount(&self) -> Euro {
        self.row.amount_cents.into()
    }

    /// Booking reference, or the pseudonym where the extract has none.
    async fn reference(&self) -> &str {
        &self.row.reference
    }

    /// From when its Bezirksstelle may see it: announced or requested.
    #[graphql(directive = disclosure::apply(Class::Internal))]
    async fn visible_from(&self) -> Option<DateTime> {
        self.row.visible_from.map(Into::into)
    }

    /// How far checking has come.
    #[graphql(directive = disclosure::apply(Class::Audit))]
    async fn state(&self) -> SampleItemState {
        self.row.state.into()
    }

    /// Who is to check it.
    #[graphql(directive = disclosure::apply(Class::Audit))]
    async fn assignments(&self, ctx: &Context<'_>) -> Maybe<Vec<Assignment>> {
        Some(assignment::of_item(ctx, self.row.id).await)
    }

    /// What checking found; null until complete.
    #[graphql(directive = disclosure::apply(Class::Audit))]
    async fn result(&self) -> Option<CheckResult> {
        self.row.result.map(Into::into)
    }

    /// Counts changes; a check names the version it saw. It tells how often the item was checked.
    #[graphql(directive = disclosure::apply(Class::Audit))]
    async fn version(&self) -> i32 {
        self.row.version
    }

    /// What the caller may do with it now.
    #[graphql(directive = disclosure::apply(Class::Internal))]
    async fn permissions(&self, ctx: &Context<'_>) -> Result<Vec<Action>> {
        let mut now = vec![
            May::SampleItemRead,
            May::CaseNumberRead,
            May::ExternalReadList,
            May::Reidentify,
            May::CheckRead,
        ];
        now.extend(match self.row.state {
            sample_item::State::Replaced => &[][..],
            sample_item::State::Open => &[May::CheckRecord, May::ReplacementRequest],
            _ => &[May::CheckRecord],
        });
        permitted_in(ctx, self.row.engagement_id, &now).await
    }

    /// How the amount is split over the funds.
    async fn funds(&self, ctx: &Context<'_>) -> Maybe<Split> {
        self.details(ctx)
            .await
            .map(|row| row.map(|row| row.funds().into()))
            .transpose()
    }

    /// Product or title (Haushaltstitel).
    async fn product(&self, ctx: &Context<'_>) -> Maybe<String> {
        self.details(ctx)
            .await
            .map(|row| row.map(|row| row.product))
            .transpose()
    }

    /// First day of the month it is for.
    async fn period(&self, ctx: &Context<'_>) -> Maybe<Date> {
        self.details(ctx)
            .await
            .map(|row| row.and_then(|row| row.period).map(Into::into))
            .transpose()
    }

    /// Date of the decision.
    async fn decision_date(&self, ctx: &Context<'_>) -> Maybe<Date> {
        self.details(ctx)
            .await
            .map(|row| row.and_then(|row| row.decision_date).map(Into::into))
            .transpose()
    }

    /// Kind as the extract names it.
    async fn kind(&self, ctx: &Context<'_>) -> Maybe<String> {
        self.details(ctx)
            .await
            .map(|row| row.map(|row| row.kind))
            .transpose()
    }

    /// Concerns a member of the own staff (§ 35 (1) S. 3 SGB I).
    #[graphql(directive = disclosure::apply(Class::Personnel))]
    async fn own_staff(&self, ctx: &Context<'_>) -> Maybe<bool> {
        self.details(ctx)
            .await
            .map(|row| row.map(|row| row.own_staff))
            .transpose()
    }

    /// Pseudonym of the case, as 32 hexadecimal digits: lines of one decision share it.
    async fn case_pseudonym(&self, ctx: &Context<'_>) -> Maybe<String> {
        self.details(ctx)
            .await
            .map(|row| row.and_then(|row| row.case_key).map(hex::encode))
            .transpose()
    }

    /// Case number (Aktenzeichen), for the Bezirksstelle of which the item is requested; null where the extract had none
    /// or it was destroyed on schedule. Auditors ask by `reidentify`, which needs a reason.
    async fn case_number(&self, ctx: &Context<'_>) -> Maybe<String> {
        ctx.loaders()
            .one(ctx, CaseNumberOf(self.row.id))
            .await
            .transpose()
    }

    /// Which bodies from outside read it, for its Bezirksstelle: told once a grant has ended, for at least six months, unless the
    /// grant withholds it (§ 96 (4) BHO) or the engagement is restricted. In the order of the grants.
    #[graphql(directive = disclosure::apply(Class::Internal))]
    async fn external_reads(&self, ctx: &Context<'_>) -> Maybe<Vec<ExternalRead>> {
        let reads = ctx.loaders().one(ctx, ExternalReadsOf(self.row.id)).await;
        Some(reads.map(|reads| reads.into_iter().flatten().map(Into::into).collect()))
    }

    /// Free attributes of the extract, by name.
    async fn attributes(&self, ctx: &Context<'_>) -> Maybe<Vec<ItemAttribute>> {
        self.details(ctx)
            .await
            .map(|row| row.map(|row| attributes(&row.attributes)))
            .transpose()
    }

    /// Its checks, newest first.
    #[graphql(directive = disclosure::apply(Class::Audit))]
    async fn checks(&self, ctx: &Context<'_>) -> Maybe<Rows<Check>> {
        if let Some(checks) = &self.checks {
            return Some(Ok(checks.clone()));
        }
        let rows = ctx.loaders().one(ctx, ChecksOf(self.row.id)).await;
        Some(rows.map(|rows| rows.unwrap_or_default().into_iter().map(Check).collect()))
    }
}

impl many::Row for SampleItem {
    const AT_ONCE: &'static [&'static str] = &[
        "id",
        "drawOrder",
        "ticket",
        "hits",
        "amount",
        "reference",
        "visibleFrom",
        "state",
        "result",
        "version",
    ];
}

/// What a body from outside read of one item, under one grant that has ended.
#[derive(SimpleObject)]
#[graphql(directive = disclosure::apply(Class::Internal))]
pub(super) struct ExternalRead {
    /// The body: "Bundesrechnungshof".
    body: String,
    /// Number of the grant.
    grant_number: String,
    /// Code of the legal basis, as in `grantBases`.
    basis: String,
    /// When it was read first.
    first_at: DateTime,
    /// When it was read last.
    last_at: DateTime,
    /// Answers that held it.
    answers: Long,
    /// Downloads that may have held it, complete or not: of downloads no ids are kept, so these are all that could.
    downloads: Long,
}

impl From<audit::reads::ExternalRead> for ExternalRead {
    fn from(read: audit::reads::ExternalRead) -> Self {
        let long = |count: u64| Long(i64::try_from(count).unwrap_or(i64::MAX));
        Self {
            body: read.body,
            grant_number: read.grant,
            basis: read.basis,
            first_at: read.first.into(),
            last_at: read.last.into(),
            answers: long(read.answers),
            downloads: long(read.downloads),
        }
    }
}

/// A free attribute of an item.
#[derive(SimpleObject)]
#[graphql(directive = disclosure::apply(Class::SocialData))]
pub(super) struct ItemAttribute {
    /// Name, as the mapping gave it.
    name: String,
    /// Value, as in the extract.
    value: String,
}

fn attributes(json: &str) -> Vec<ItemAttribute> {
    let pairs: std::collections::BTreeMap<String, String> = serde_json::from_str(json).unwrap_or_default();
    pairs
        .into_iter()
        .map(|(name, value)| ItemAttribute { name, value })
        .collect()
}

/// Totals over a whole list of items, of the rows the caller may see.
#[derive(SimpleObject)]
#[graphql(directive = disclosure::apply(Class::Internal))]
pub(super) struct SampleItemTotals {
    /// Items.
    count: Long,
    /// Their sum.
    #[graphql(directive = disclosure::apply(Class::SocialData))]
    amount: Euro,
    /// Their hits.
    #[graphql(directive = disclosure::apply(Class::SocialData))]
    hits: Long,
}

/// One item in a list.
#[derive(SimpleObject)]
#[graphql(directive = disclosure::apply(Class::Internal))]
pub(super) struct SampleItemEdge {
    /// Where it stands; for `after` and `before` of the same list in the same order.
    cursor: String,
    /// The item itself.
    node: Many<SampleItem>,
}

impl many::Row for SampleItemEdge {
    const AT_ONCE: &'static [&'static str] = &["cursor"];
}

/// A page of sample items.
#[derive(SimpleObject)]
#[graphql(directive = disclosure::apply(Class::Internal))]
pub(super) struct SampleItemConnection {
    /// The rows of this page.
    edges: Rows<SampleItemEdge>,
    /// Where the page stands in its list.
    page_info: super::page::PageInfo,
    /// Rows of the whole list that the caller may see; computed only when selected.
    total_count: Option<Long>,
    /// Totals over the whole list; computed only when selected.
    totals: Option<SampleItemTotals>,
}

/// Which items. All conditions must hold.
#[derive(Default, InputObject)]
pub(super) struct SampleItemFilter {
    /// Of this engagement.
    #[graphql(directive = disclosure::apply(Class::Internal))]
    engagement: Option<ID>,
    /// Of this sample.
    #[graphql(directive = disclosure::apply(Class::Internal))]
    sample: Option<ID>,
    /// Of this Bezirksstelle.
    #[graphql(directive = disclosure::apply(Class::Internal))]
    bezirksstelle: Option<ID>,
    /// Of this stratum.
    #[graphql(directive = disclosure::apply(Class::Internal))]
    stratum: Option<ID>,
    /// Checked so far.
    #[graphql(directive = disclosure::apply(Class::Audit))]
    state: Option<SampleItemState>,
    /// With this result.
    #[graphql(directive = disclosure::apply(Class::Audit))]
    result: Option<CheckResult>,
    /// Of this amount or more.
    #[graphql(directive = disclosure::apply(Class::SocialData))]
    amount_from: Option<Euro>,
    /// Of this amount or less.
    #[graphql(directive = disclosure::apply(Class::SocialData))]
    amount_to: Option<Euro>,
    /// With this text in the reference, up to 200 characters, taken literally; A to Z match in either case.
    #[graphql(directive = disclosure::apply(Class::SocialData))]
    reference: Option<String>,
    /// Visible to the Bezirksstelle by now, or not.
    #[graphql(directive = disclosure::apply(Class::Internal))]
    announced: Option<bool>,
    /// The caller's own list: assigned to them, open, and not checked by them yet.
    #[graphql(directive = disclosure::apply(Class::Audit))]
    mine: Option<bool>,
}

impl SampleItemFilter {
    fn resolve(self) -> Result<service::ItemFilter> {
        let id = |given: Option<ID>, kind: NodeKind, input: &str| {
            given.map(|id| kind.require(&id, input)).transpose()
        };
        Ok(service::ItemFilter {
            engagement: id(self.engagement, NodeKind::Engagement, "filter.engagement")?.map(EngagementId),
            sample: id(self.sample, NodeKind::Sample, "filter.sample")?.map(SampleId),
            bezirksstelle: id(
                self.bezirksstelle,
                NodeKind::Bezirksstelle,
                "filter.bezirksstelle",
            )?
            .map(BezirksstelleId),
            stratum: id(self.stratum, NodeKind::Stratum, "filter.stratum")?.map(StratumId),
            state: self.state.map(Into::into),
            result: self.result.map(Into::into),
            amount_from: self.amount_from.map(|euro| euro.0),
            amount_to: self.amount_to.map(|euro| euro.0),
            reference: self.reference,
            announced: self.announced,
            mine: self.mine.unwrap_or(false),
        })
    }
}

/// What items are sorted by.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "service::ItemSort")]
pub(super) enum SampleItemSort {
    /// Position in the draw.
    #[graphql(directive = disclosure::apply(Class::Audit))]
    DrawOrder,
    /// Amount.
    #[graphql(directive = disclosure::apply(Class::SocialData))]
    Amount,
    /// Reference, bytewise.
    #[graphql(directive = disclosure::apply(Class::SocialData))]
    Reference,
    /// Nothing that would tell of them: as they were written.
    #[graphql(directive = disclosure::apply(Class::Internal))]
    Id,
}

/// How items are sorted; the id decides between equals.
#[derive(Clone, Copy, InputObject)]
pub(super) struct SampleItemOrder {
    /// By what.
    #[graphql(directive = disclosure::apply(Class::Internal))]
    by: SampleItemSort,
    /// From the greatest on.
    #[graphql(default = false, directive = disclosure::apply(Class::Internal))]
    descending: bool,
}

/// The order as cursors name it.
const fn name(order: service::ItemOrder) -> &'static str {
    match (order.by, order.descending) {
        (service::ItemSort::DrawOrder, false) => "sampleItems:DRAW_ORDER",
        (service::ItemSort::DrawOrder, true) => "sampleItems:DRAW_ORDER:DESC",
        (service::ItemSort::Amount, false) => "sampleItems:AMOUNT",
        (service::ItemSort::Amount, true) => "sampleItems:AMOUNT:DESC",
        (service::ItemSort::Reference, false) => "sampleItems:REFERENCE",
        (service::ItemSort::Reference, true) => "sampleItems:REFERENCE:DESC",
        (service::ItemSort::Id, false) => "sampleItems:ID",
        (service::ItemSort::Id, true) => "sampleItems:ID:DESC",
    }
}

async fn items(
    ctx: &Context<'_>,
    filter: service::ItemFilter,
    order: Option<SampleItemOrder>,
    window: &Window,
) -> Result<SampleItemConnection> {
    let usual = service::ItemOrder::usual(ctx.audit());
    let order = order.map_or(usual, |order| service::ItemOrder {
        by: order.by.into(),
        descending: order.descending,
    });
    let args = window.args(ctx, name(order))?;
    let wanted = counted(ctx) || ctx.look_ahead().field("totals").exists();
    let (page, totals) = field(
        ctx,
        service::items(ctx.audit(), ctx.db(), &filter, order, &args, wanted).await,
    )?;
    let mut checks = checks_of(ctx, &page.rows).await?;
    let position = |row: &ListedItem| audit::page::Position { id: row.id.0 };
    let view = |row: ListedItem| {
        let checks = checks.as_mut().map(|checks| {
            let checks = checks.remove(&row.id).unwrap_or_default();
            checks.into_iter().map(Check).collect()
        });
        Many(SampleItem { row, checks })
    };
    let (rows, page_info) = super::page::rows(page, name(order), position, view);
    Ok(SampleItemConnection {
        edges: rows
            .into_iter()
            .map(|row| SampleItemEdge {
                cursor: row.cursor,
                node: row.node,
            })
            .collect(),
        page_info,
        total_count: totals.as_ref().map(|totals| Long(totals.count)),
        totals: totals.map(|totals| SampleItemTotals {
            count: Long(totals.count),
            amount: totals.amount.into(),
            hits: Long(totals.hits),
        }),
    })
}

/// The checks of a page in one query, where they are selected: a batch by loader would cost a task and a map for it.
async fn checks_of(
    ctx: &Context<'_>,
    rows: &[ListedItem],
) -> Result<Option<HashMap<SampleItemId, Vec<ListedCheck>>>> {
    if rows.is_empty() || !ctx.caller().may(May::CheckRead) || !selects_checks(ctx) {
        return Ok(None);
    }
    let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
    let mut checks: HashMap<_, Vec<_>> = HashMap::with_capacity(rows.len());
    for check in field(ctx, audit::check::of_items(ctx.audit(), ctx.db(), &ids).await)? {
        checks.entry(check.sample_item_id).or_default().push(check);
    }
    Ok(Some(checks))
}

fn selects_checks(ctx: &Context<'_>) -> bool {
    ctx.look_ahead()
        .field("edges")
        .field("node")
        .field("checks")
        .exists()
}

/// Samples of an engagement, oldest first.
pub(super) async fn of_engagement(
    ctx: &Context<'_>,
    engagement: EngagementId,
    window: &Window,
) -> Result<SampleConnection> {
    let args = window.args(ctx, ORDER)?;
    let found = service::list(ctx.audit(), ctx.db(), Some(engagement), &args, counted(ctx)).await;
    let (page, total) = field(ctx, found)?;
    Ok(SampleConnection::of(ORDER, page, total, |row| by_id(row.id.0)))
}

/// Numbered events of an engagement, batched with those of its siblings.
pub(super) async fn events(ctx: &Context<'_>, engagement: EngagementId) -> Result<Vec<DrawEvent>> {
    Ok(events_of(ctx, engagement)
        .await?
        .into_iter()
        .map(DrawEvent)
        .collect())
}

async fn events_of(ctx: &Context<'_>, engagement: EngagementId) -> Result<Vec<draw_event::Model>> {
    let rows = ctx.loaders().one(ctx, DrawEventsOf(engagement)).await?;
    Ok(rows.unwrap_or_default())
}

/// Finds samples and their items.
#[derive(Default)]
pub(super) struct SampleQuery;

#[Object]
impl SampleQuery {
    /// A sample; null where it does not exist or is not visible to the caller.
    async fn sample(&self, ctx: &Context<'_>, id: ID) -> Maybe<Sample> {
        let id = match NodeKind::Sample.require(&id, "id") {
            Ok(id) => SampleId(id),
            Err(error) => return Some(Err(error)),
        };
        field(ctx, service::find(ctx.audit(), ctx.db(), id).await)
            .map(|row| row.map(Sample))
            .transpose()
    }

    /// An item of a sample; null where it does not exist or is not visible to the caller.
    async fn sample_item(&self, ctx: &Context<'_>, id: ID) -> Maybe<SampleItem> {
        let id = match NodeKind::SampleItem.require(&id, "id") {
            Ok(id) => SampleItemId(id),
            Err(error) => return Some(Err(error)),
        };
        ctx.loaders()
            .one(ctx, SampleItemsKey(id))
            .await
            .map(|row| row.map(SampleItem::from))
            .transpose()
    }

    /// Items of samples that the caller may see. A Bezirksstelle sees its own, from the moment they were announced.
    #[expect(
        clippy::too_many_arguments,
        reason = "page, filter and order of a list are its arguments"
    )]
    async fn sample_items(
        &self,
        ctx: &Context<'_>,
        filter: Option<SampleItemFilter>,
        order: Option<SampleItemOrder>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Maybe<SampleItemConnection> {
        let window = Window {
            first,
            after,
            last,
            before,
        };
        let filter = match filter.unwrap_or_default().resolve() {
            Ok(filter) => filter,
            Err(error) => return Some(Err(error)),
        };
        Some(items(ctx, filter, order, &window).await)
    }
}

/// What plans a sample.
#[derive(InputObject)]
pub(super) struct PlanSampleInput {
    /// The frozen population.
    population_id: ID,
    /// Name, unique in the engagement, up to 200 characters.
    name: String,
    /// How items are to be selected; what is recorded or chosen by hand is not planned.
    method: SamplingMethod,
    /// In which parts they are selected, each by itself, with sizes in proportion to items, or to amounts where monetary units are drawn;
    /// the whole where none is named. `SIMPLE_RANDOM` becomes `STRATIFIED_BY_BEZIRKSSTELLE`; cases and cells are not stratified.
    stratified_by: Option<Stratification>,
    /// Number of sampling units; computed from confidence, tolerable and expected error where it is not given.
    size: Option<Long>,
    /// Confidence, above 0 and below 1.
    confidence: Option<Rate>,
    /// Tolerable error rate, for samples of items.
    tolerable_rate: Option<Rate>,
    /// Expected error rate, for samples of items.
    expected_rate: Option<Rate>,
    /// Tolerable error, for monetary unit samples.
    tolerable_error: Option<Euro>,
    /// Expected error, for monetary unit samples.
    expected_error: Option<Euro>,
    /// Checks every item needs: 1, or 2 for four eyes.
    #[graphql(default = 1)]
    checks_per_item: i32,
    /// Why there is another sample of the same population; needed from the second on.
    reason: Option<String>,
    /// The drawn sample that this one extends: of the same population, by the same method, and not extended yet. Items are drawn from
    /// those that no sample of the chain has drawn; monetary units, and items with replacement, are an independent second selection; samples
    /// of cases are not extended. Without size and bounds it is
    /// the extension that the first plan fixed (PLANNED), with them it is UNPLANNED.
    extends: Option<ID>,
    /// Fixes now how the sample may be extended, for simple random samples; size and acceptance numbers follow from confidence and
    /// tolerable rate.
    extension_rule: Option<ExtensionRuleKind>,
    /// The edition of a parameter set that confidence and materiality come from; then neither is given here. For samples of items its
    /// materiality is the tolerable rate; for monetary units this part of the frame is the tolerable error.
    parameter_set: Option<ID>,
    /// How hard the draw is to steer. Above `EVERYDAY` the population's root has to stand in a signed checkpoint.
    #[graphql(default_with = "Assurance::Everyday")]
    assurance: Assurance,
    /// Who contributes to the seed, in the order of the seed, 2 to 20: one at least of the audit function, one at least not. None at
    /// the level `EVERYDAY`.
    #[graphql(default)]
    parties: Vec<DrawPartyInput>,
    /// The public source; needed at the level `NOT_STEERABLE`, possible at `WITNESSED`.
    source: Option<PlannedSourceInput>,
    /// Until when the draw waits for parties that did not open: not after the time of a drand round. Without it, until that time, or,
    /// where no time is known beforehand, until all have opened.
    open_until: Option<DateTime>,
    /// Repeating the same input under the same key gives the same answer.
    idempotency_key: String,
}

/// What draws a planned sample.
#[derive(InputObject)]
pub(super) struct DrawSampleInput {
    /// The planned sample.
    id: ID,
    /// The version the caller saw.
    expected_version: i32,
    /// The seed at the level `EVERYDAY`, 1 to 200 characters; made by the service where none is given. Above that level it is formed
    /// from the contributions and the source.
    seed: Option<String>,
    /// What the planned public source said; needed once. It is recorded before anything is drawn, and not replaced.
    source: Option<DrawSourceInput>,
}

/// What gives a planned sample up.
#[derive(InputObject)]
pub(super) struct AbortSampleInput {
    /// The planned sample.
    id: ID,
    /// The version the caller saw.
    expected_version: i32,
    /// Why, up to 4,000 characters.
    reason: String,
}

/// An item of a sample drawn elsewhere.
#[derive(InputObject)]
pub(super) struct RecordedItemInput {
    /// Its business key: the values of the mapping's key columns, in order.
    key: Vec<String>,
    /// How often it was hit, at least 1.
    #[graphql(default = 1)]
    hits: i32,
}

/// What records a sample drawn elsewhere.
#[derive(InputObject)]
pub(super) struct RecordSampleInput {
    /// The frozen population.
    population_id: ID,
    /// Name, unique in the engagement, up to 200 characters.
    name: String,
    /// Who drew it, how, and where that is documented.
    reason: String,
    /// Checks every item needs: 1, or 2 for four eyes.
    #[graphql(default = 1)]
    checks_per_item: i32,
    /// Confidence of the later evaluation.
    confidence: Option<Rate>,
    /// Tolerable error of the later evaluation.
    tolerable_error: Option<Euro>,
    /// The items, at most 10,000.
    items: Vec<RecordedItemInput>,
    /// Repeating the same input under the same key gives the same answer.
    idempotency_key: String,
}

/// An item that a person chooses.
#[derive(InputObject)]
pub(super) struct ChosenItemInput {
    /// Its business key: the values of the mapping's key columns, in order.
    key: Vec<String>,
    /// Why this one, where the reason of all does not say it; up to 1,000 characters, without personal data.
    reason: Option<String>,
}

/// What chooses a sample by hand.
#[derive(InputObject)]
pub(super) struct ChooseSampleInput {
    /// The frozen population.
    population_id: ID,
    /// Name, unique in the engagement, up to 200 characters.
    name: String,
    /// By what features of risk the items were chosen, and why; up to 4,000 characters, without personal data.
    reason: String,
    /// Checks every item needs: 1, or 2 for four eyes.
    #[graphql(default = 1)]
    checks_per_item: i32,
    /// The items, at most 10,000. Any of the population, with an amount or without.
    items: Vec<ChosenItemInput>,
    /// Repeating the same input under the same key gives the same answer.
    idempotency_key: String,
}

/// What makes items visible to their Bezirksstelle.
#[derive(InputObject)]
pub(super) struct AnnounceSampleItemsInput {
    /// The drawn sample.
    sample_id: ID,
    /// Some of its items; all where none are named.
    item_ids: Option<Vec<ID>>,
    /// From when; at once where nothing is given. Nothing is backdated.
    from: Option<DateTime>,
}

payload! {
    /// A planned sample.
    PlanSamplePayload {
        /// The sample.
        sample: Sample
    }
}

payload! {
    /// A drawn sample.
    DrawSamplePayload {
        /// The sample.
        sample: Sample
    }
}

payload! {
    /// A sample that was given up.
    AbortSamplePayload {
        /// The sample.
        sample: Sample
    }
}

payload! {
    /// A recorded sample.
    RecordSamplePayload {
        /// The sample.
        sample: Sample
    }
}

payload! {
    /// A sample chosen by hand.
    ChooseSamplePayload {
        /// The sample.
        sample: Sample
    }
}

/// How many items were announced.
#[derive(Clone, Copy)]
pub(super) struct Announced(u64);

impl From<u64> for Announced {
    fn from(count: u64) -> Self {
        Self(count)
    }
}

#[Object(directive = disclosure::apply(Class::Internal))]
/// How many items were announced.
impl Announced {
    /// Items that became visible, or whose date was set; those already visible are not counted.
    async fn count(&self) -> Long {
        Long(i64::try_from(self.0).unwrap_or(i64::MAX))
    }
}

payload! {
    /// Announced items.
    AnnounceSampleItemsPayload {
        /// How many.
        announced: Announced
    }
}

fn sample_item_ids(ids: &[ID], path: &str) -> Result<Vec<SampleItemId>> {
    let one = |id| NodeKind::SampleItem.require(id, path).map(SampleItemId);
    ids.iter().map(one).collect()
}

/// What shows the case numbers of drawn items.
#[derive(InputObject)]
pub(super) struct ReidentifyInput {
    /// The items, 1 to 200.
    sample_item_ids: Vec<ID>,
    /// Why, up to 500 characters. It becomes part of the trail: name no person and no case in it.
    reason: String,
}

/// A drawn item's case number.
#[derive(SimpleObject)]
#[graphql(directive = disclosure::apply(Class::SocialData))]
pub(super) struct Reidentified {
    /// The item.
    #[graphql(directive = disclosure::apply(Class::Internal))]
    sample_item_id: ID,
    /// Its case number (Aktenzeichen).
    case_number: String,
}

/// The case numbers of one re-identification.
#[derive(SimpleObject)]
#[graphql(directive = disclosure::apply(Class::Internal))]
pub(super) struct Reidentification {
    /// One for each item, in the order they were named.
    cases: Vec<Reidentified>,
}

impl From<Vec<(SampleItemId, String)>> for Reidentification {
    fn from(found: Vec<(SampleItemId, String)>) -> Self {
        let one = |(id, case_number): (SampleItemId, String)| Reidentified {
            sample_item_id: NodeKind::SampleItem.id(id.0),
            case_number,
        };
        Self {
            cases: found.into_iter().map(one).collect(),
        }
    }
}

payload! {
    /// Case numbers that were shown.
    ReidentifyPayload {
        /// The case numbers.
        reidentification: Reidentification
    }
}

/// Changes samples.
#[derive(Default)]
pub(super) struct SampleMutation;

#[Object]
impl SampleMutation {
    /// Plans a sample of a frozen population. The plan is fixed: another plan is another sample.
    async fn plan_sample(&self, ctx: &Context<'_>, input: PlanSampleInput) -> Result<PlanSamplePayload> {
        let parameter_set = input
            .parameter_set
            .map(|id| NodeKind::ParameterSet.require(&id, "input.parameterSet"));
        let extends = input
            .extends
            .map(|id| NodeKind::Sample.require(&id, "input.extends"));
        let plan = service::PlanInput {
            population_id: PopulationId(
                NodeKind::Population.require(&input.population_id, "input.populationId")?,
            ),
            name: input.name,
            method: input.method.into(),
            stratified: input.stratified_by.is_some(),
            size: input.size.map(|size| size.0),
            confidence: input.confidence.map(|rate| rate.0),
            tolerable_rate: input.tolerable_rate.map(|rate| rate.0),
            expected_rate: input.expected_rate.map(|rate| rate.0),
            tolerable_cents: input.tolerable_error.map(|euro| euro.0),
            expected_cents: input.expected_error.map(|euro| euro.0),
            checks_per_item: input.checks_per_item,
            reason: input.reason,
            extends: extends.transpose()?.map(SampleId),
            extension_rule: input.extension_rule.map(Into::into),
            parameter_set: parameter_set.transpose()?.map(ParameterSetId),
            ceremony: service::CeremonyInput {
                assurance: input.assurance.into(),
                parties: input.parties.into_iter().map(Into::into).collect(),
                source: input.source.map(Into::into),
                open_until: input.open_until.map(|until| until.0),
            },
        };
        PlanSamplePayload::of(
            ctx,
            service::plan(ctx.audit(), ctx.db(), &input.idempotency_key, plan).await,
        )
    }

    /// Draws a planned sample: the same population, plan and seed give the same items on any machine. Above the level `EVERYDAY` it ends
    /// the ceremony, and waits up to four seconds for the log.
    async fn draw_sample(&self, ctx: &Context<'_>, input: DrawSampleInput) -> Result<DrawSamplePayload> {
        let draw = service::Draw {
            id: SampleId(NodeKind::Sample.require(&input.id, "input.id")?),
            expected_version: input.expected_version,
            seed: input.seed,
            source: input.source.map(Into::into),
        };
        let (audit, db) = (ctx.audit().clone(), ctx.db().clone());
        DrawSamplePayload::of(
            ctx,
            finish(async move { service::draw(&audit, &db, draw).await }).await,
        )
    }

    /// Gives a planned sample up; the event is counted like a draw.
    async fn abort_sample(&self, ctx: &Context<'_>, input: AbortSampleInput) -> Result<AbortSamplePayload> {
        let abort = service::Abort {
            id: SampleId(NodeKind::Sample.require(&input.id, "input.id")?),
            expected_version: input.expected_version,
            reason: input.reason,
        };
        AbortSamplePayload::of(ctx, service::abort(ctx.audit(), ctx.db(), abort).await)
    }

    /// Records a monetary unit sample that was drawn elsewhere; it is evaluated here, never presented as drawn by us.
    async fn record_sample(
        &self,
        ctx: &Context<'_>,
        input: RecordSampleInput,
    ) -> Result<RecordSamplePayload> {
        let record = service::Record {
            population_id: PopulationId(
                NodeKind::Population.require(&input.population_id, "input.populationId")?,
            ),
            name: input.name,
            reason: input.reason,
            checks_per_item: input.checks_per_item,
            confidence: input.confidence.map(|rate| rate.0),
            tolerable_cents: input.tolerable_error.map(|euro| euro.0),
            items: input
                .items
                .into_iter()
                .map(|item| service::RecordItem {
                    key: item.key,
                    hits: i64::from(item.hits),
                })
                .collect(),
        };
        RecordSamplePayload::of(
            ctx,
            service::record(ctx.audit(), ctx.db(), &input.idempotency_key, record).await,
        )
    }

    /// Stores a sample whose items a person chose for their risk (bewusste Auswahl). It counts among the numbered draws; its evaluation
    /// is what was found, and nothing is projected.
    async fn choose_sample(
        &self,
        ctx: &Context<'_>,
        input: ChooseSampleInput,
    ) -> Result<ChooseSamplePayload> {
        let choose = service::Choose {
            population_id: PopulationId(
                NodeKind::Population.require(&input.population_id, "input.populationId")?,
            ),
            name: input.name,
            reason: input.reason,
            checks_per_item: input.checks_per_item,
            items: input
                .items
                .into_iter()
                .map(|item| service::ChosenItem {
                    key: item.key,
                    reason: item.reason,
                })
                .collect(),
        };
        ChooseSamplePayload::of(
            ctx,
            service::choose(ctx.audit(), ctx.db(), &input.idempotency_key, choose).await,
        )
    }

    /// Shows the case numbers of drawn items to an auditor, all or none. Each is named in the trail with the reason.
    async fn reidentify(&self, ctx: &Context<'_>, input: ReidentifyInput) -> Result<ReidentifyPayload> {
        let reidentify = service::Reidentify {
            sample_item_ids: sample_item_ids(&input.sample_item_ids, "input.sampleItemIds")?,
            reason: input.reason,
        };
        ReidentifyPayload::of(ctx, service::reidentify(ctx.audit(), ctx.db(), reidentify).await)
    }

    /// Announces items: from then on their Bezirksstelle sees them.
    async fn announce_sample_items(
        &self,
        ctx: &Context<'_>,
        input: AnnounceSampleItemsInput,
    ) -> Result<AnnounceSampleItemsPayload> {
        let ids = input.item_ids.map(|ids| sample_item_ids(&ids, "input.itemIds"));
        let announce = service::Announce {
            sample_id: SampleId(NodeKind::Sample.require(&input.sample_id, "input.sampleId")?),
            item_ids: ids.transpose()?,
            from: input.from.map(|from| from.0),
        };
        if announce.item_ids.as_ref().is_some_and(Vec::is_empty) {
            return Err(bad_input(
                "input.itemIds",
                "leave it out for all items, or name some",
            ));
        }
        AnnounceSampleItemsPayload::of(ctx, service::announce(ctx.audit(), ctx.db(), announce).await)
    }
}
