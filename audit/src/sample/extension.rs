//! Extensions: a further sample of a population of which one was drawn. The first one stays as it is.
//!
//! Of items the extension is drawn from those that no sample of the chain has drawn yet; of monetary units, and with
//! replacement, it is an independent second selection of all. It is planned only if its size and the acceptance numbers were fixed with the first plan; both are evaluated
//! together then. Otherwise each is evaluated for itself, and both say that the extension was unplanned. A sample is extended once:
//! whoever extends further extends the extension.

use std::collections::{HashMap, HashSet};

use entity::sample::{Column, Entity, Extension, Method, Model, State};
use entity::{BezirksstelleId, ItemId, SampleId, Scope, population, sample_item};
use rust_decimal::Decimal;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::rules::{FrameSize, Parameters, PlanInput, SizeSource, draws_the_rest};
use super::service::{parameters, visible_at};
use crate::db::among;
use crate::sampling::planning::SizeError;
use crate::sampling::planning::attribute::{Distribution, TwoStageInput, two_stage};
use crate::{Code, Ctx, Db, Error, Refusal, Result};

/// A kind of rule by which a sample may be extended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RuleKind {
    /// Two equal stages: accept at no error; at exactly one draw as many again and accept at none among these.
    TwoStage,
}

/// A rule of extension, as fixed with the first plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExtensionRule {
    /// Its kind.
    pub kind: RuleKind,
    /// Items of each stage.
    pub size: i64,
    /// Errors of the first stage at which the plan accepts.
    pub accept_at: i64,
    /// Errors of the first stage at which the second one is drawn.
    pub extend_at: i64,
    /// Errors of the second stage at which the plan accepts.
    pub accept_extended_at: i64,
    /// Probability of accepting although the rate is the tolerable one, rounded up to twelve places.
    pub risk: Decimal,
    /// Planning method.
    pub method: String,
    /// Its version.
    pub version: String,
}

impl ExtensionRule {
    /// The rule in the plan of a draw record, one line for good.
    pub(super) fn text(&self) -> String {
        let Self {
            size,
            accept_at,
            extend_at,
            accept_extended_at,
            method,
            version,
            ..
        } = self;
        format!(
            "{method} {version}: accept at {accept_at}, at {extend_at} draw {size} more and accept at {accept_extended_at} of them"
        )
    }
}

/// What is wrong with a plan that names a rule, before its population is looked at.
pub(super) fn check_rule(input: &PlanInput) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    if input.method != Method::SimpleRandom {
        return vec![Refusal::new(Code::InvalidValue, "input.extensionRule").with(input.method.as_str())];
    }
    if input.extends.is_some() {
        refusals.push(Refusal::new(Code::InvalidValue, "input.extensionRule").with("extends"));
    }
    if input.size.is_some() {
        refusals.push(Refusal::new(Code::SizeInvalid, "input.size"));
    }
    if input.expected_rate.is_some() {
        refusals.push(Refusal::new(Code::InvalidValue, "input.expectedRate").with("extensionRule"));
    }
    for (given, path) in [
        (input.confidence.is_some(), "input.confidence"),
        (input.tolerable_rate.is_some(), "input.tolerableRate"),
    ] {
        refusals.extend((!given).then(|| Refusal::new(Code::Required, path)));
    }
    refusals
}

/// The rule for a checked plan: both stages are drawn without replacement, so the law is the hypergeometric one.
pub(super) fn two_stages(input: &PlanInput, frame: FrameSize) -> Result<ExtensionRule, Refusal> {
    let plan = two_stage(&TwoStageInput {
        distribution: Distribution::Hypergeometric,
        population: Some(frame.items.unsigned_abs()),
        confidence: input.confidence.unwrap_or_default(),
        tolerable: input.tolerable_rate.unwrap_or_default(),
    })
    .map_err(|error| match error {
        SizeError::SampleLargerThanPopulation(items) => {
            Refusal::new(Code::SampleLargerThanPopulation, "input.tolerableRate").with(format!("> {items}"))
        }
        SizeError::Confidence(_) => Refusal::new(Code::ConfidenceOutOfRange, "input.confidence"),
        _ => Refusal::new(Code::RateOutOfRange, "input.tolerableRate"),
    })?;
    Ok(ExtensionRule {
        kind: RuleKind::TwoStage,
        size: i64::try_from(plan.size_per_stage).unwrap_or(i64::MAX),
        accept_at: 0,
        extend_at: 1,
        accept_extended_at: 0,
        risk: plan.achieved_risk,
        method: plan.method.to_owned(),
        version: plan.version.to_owned(),
    })
}

/// Items and cents that a chain has taken from each Bezirksstelle.
pub(super) type Taken = HashMap<BezirksstelleId, (i64, i64)>;

/// What is extended, and how.
#[derive(Debug)]
pub(super) struct Extended {
    first: Model,
    /// The rule that was fixed with the first plan, where the extension follows it.
    rule: Option<ExtensionRule>,
    chain: Vec<SampleId>,
    pub(super) taken: Taken,
}

impl Extended {
    pub(super) const fn id(&self) -> SampleId {
        self.first.id
    }

    pub(super) const fn kind(&self) -> Extension {
        if self.rule.is_some() {
            Extension::Planned
        } else {
            Extension::Unplanned
        }
    }

    /// What is left of the frame.
    pub(super) fn rest(&self, frame: FrameSize) -> FrameSize {
        let (items, cents) = self
            .taken
            .values()
            .fold((0, 0), |(items, cents), taken| (items + taken.0, cents + taken.1));
        FrameSize {
            items: frame.items - items,
            cents: frame.cents - cents,
        }
    }

    /// Size and bounds, where the rule fixed them.
    pub(super) fn by_rule(&self) -> Result<Option<Parameters>> {
        let Some(rule) = &self.rule else {
            return Ok(None);
        };
        let plan = parameters(&self.first)?;
        Ok(Some(Parameters {
            planning_method: Some(rule.method.clone()),
            planning_version: Some(rule.version.clone()),
            planned_errors: Some(Decimal::from(rule.accept_extended_at)),
            confidence: plan.confidence,
            tolerable_rate: plan.tolerable_rate,
            ..Parameters::unplanned(SizeSource::Computed, rule.size)
        }))
    }

    /// Refuses where the sample is extended already, where the rule does not call for it, or where something was drawn into the chain
    /// since it was looked at. Certain as long as the engagement is locked.
    pub(super) async fn may_go_on(&self, tx: &DatabaseTransaction) -> Result<()> {
        let path = "input.extends";
        if let Some(by) = extension_of(tx, self.first.id).await? {
            return Err(Error::refused_with(Code::SampleExtended, path, by.name));
        }
        let drawn = sample_item::Entity::find()
            .filter(sample_item::Column::SampleId.is_in(self.chain.iter().copied()))
            .count(tx)
            .await?;
        let counted: i64 = self.taken.values().map(|(items, _)| items).sum();
        if !self.taken.is_empty() && i64::try_from(drawn) != Ok(counted) {
            return Err(Error::refused_with(Code::StaleVersion, path, self.first.version));
        }
        match &self.rule {
            Some(rule) => due(tx, self.first.id, rule).await,
            None => Ok(()),
        }
    }
}

/// What a plan extends, if it may.
pub(super) async fn extended(
    ctx: &Ctx,
    db: &Db,
    population: &population::Model,
    input: &PlanInput,
) -> Result<Option<Extended>> {
    let Some(id) = input.extends else {
        return Ok(None);
    };
    let path = "input.extends";
    let first = visible_at(db.reader(), &ctx.caller.scope(ctx.now()), id, path).await?;
    if first.state != State::Drawn {
        return Err(Error::refused(Code::SampleNotDrawn, path));
    }
    if first.population_id != population.id {
        return Err(Error::refused(Code::InvalidValue, path));
    }
    // A further draw of cases would draw some again.
    if first.seed.is_none() || first.method == Method::SimpleRandomClusters {
        return Err(Error::refused_with(
            Code::InvalidValue,
            path,
            first.method.as_str(),
        ));
    }
    if first.method != input.method {
        return Err(Error::refused_with(
            Code::InvalidValue,
            "input.method",
            first.method.as_str(),
        ));
    }
    if parameters(&first)?.stratified != input.is_stratified()
        && first.method != Method::StratifiedByBezirksstelle
    {
        return Err(Error::refused(Code::InvalidValue, "input.stratifiedBy"));
    }
    let left_to_it = input.size.is_none() && !input.is_bounded();
    let rule = parameters(&first)?.extension_rule.filter(|_| left_to_it);
    if left_to_it && rule.is_none() {
        return Err(Error::refused(Code::SizeInvalid, "input.size"));
    }
    let (chain, taken) = if draws_the_rest(first.method) {
        let chain = chain(db.reader(), id).await?;
        let taken = taken_by_bezirksstelle(db, &chain).await?;
        (chain, taken)
    } else {
        (Vec::new(), Taken::new())
    };
    Ok(Some(Extended {
        first,
        rule,
        chain,
        taken,
    }))
}

/// Refuses unless the rule calls for the second stage: all items of the first are checked, and as many are in error as it says.
async fn due(tx: &DatabaseTransaction, first: SampleId, rule: &ExtensionRule) -> Result<()> {
    let of_first = || sample_item::Entity::find().filter(sample_item::Column::SampleId.eq(first));
    let open = of_first()
        .filter(
            sample_item::Column::State.is_not_in([sample_item::State::Checked, sample_item::State::Replaced]),
        )
        .count(tx)
        .await?;
    if open > 0 {
        return Err(Error::refused_with(
            Code::SampleNotEvaluable,
            "input.extends",
            open,
        ));
    }
    let errors = of_first()
        .filter(sample_item::Column::Result.eq(sample_item::CheckResult::Error))
        .count(tx)
        .await?;
    if i64::try_from(errors) == Ok(rule.extend_at) {
        Ok(())
    } else {
        let detail = format!("{errors} / {}", rule.extend_at);
        Err(Error::refused_with(
            Code::ExtensionNotDue,
            "input.extends",
            detail,
        ))
    }
}

/// The sample that extends this one, unless it was given up.
pub(super) async fn extension_of(db: &impl ConnectionTrait, id: SampleId) -> Result<Option<Model>> {
    Ok(Entity::visible_to(&Scope::Everything)
        .filter(Column::ExtendsId.eq(id))
        .filter(Column::State.ne(State::Aborted))
        .one(db)
        .await?)
}

/// A sample with all that it extends, the latest first.
pub(super) async fn chain(db: &impl ConnectionTrait, from: SampleId) -> Result<Vec<SampleId>> {
    let mut chain = Vec::new();
    let mut next = Some(from);
    while let Some(id) = next {
        chain.push(id);
        next = super::service::load(db, id).await?.extends_id;
    }
    Ok(chain)
}

/// The samples whose items are not in the frame of this one: what it extends, where items are drawn without replacement.
pub(super) async fn drawn_before(
    db: &impl ConnectionTrait,
    extends: Option<SampleId>,
    method: Method,
) -> Result<Vec<SampleId>> {
    match extends {
        Some(id) if draws_the_rest(method) => chain(db, id).await,
        _ => Ok(Vec::new()),
    }
}

/// The items of these samples.
pub(super) async fn items_of(db: &Db, samples: &[SampleId]) -> Result<HashSet<Uuid>> {
    if samples.is_empty() {
        return Ok(HashSet::new());
    }
    let ids: Vec<ItemId> = sample_item::Entity::find()
        .filter(among(
            db.reader(),
            sample_item::Column::SampleId,
            samples.iter().copied(),
        ))
        .select_only()
        .column(sample_item::Column::ItemId)
        .into_tuple()
        .all(db.reader())
        .await?;
    Ok(ids.into_iter().map(|id| id.0).collect())
}

/// A seed of the chain is not used again: of monetary units it would select the same ones, of items it would go on where the first draw
/// ended, which everybody could have known.
pub(super) async fn fresh_seed(db: &Db, row: &Model, seed: &str) -> Result<()> {
    let Some(first) = row.extends_id else {
        return Ok(());
    };
    let chain = chain(db.reader(), first).await?;
    let used = Entity::visible_to(&Scope::Everything)
        .filter(among(db.reader(), Column::Id, chain))
        .filter(Column::Seed.eq(seed))
        .count(db.reader())
        .await?;
    if used > 0 {
        Err(Error::refused(Code::SeedUsed, "input.seed"))
    } else {
        Ok(())
    }
}

/// The sum over a bigint column is numeric on PostgreSQL, hence the cast.
async fn taken_by_bezirksstelle(db: &Db, samples: &[SampleId]) -> Result<Taken> {
    let amount = Expr::col((sample_item::Entity, sample_item::Column::AmountCents));
    let rows: Vec<(BezirksstelleId, i64, i64)> = sample_item::Entity::find()
        .filter(among(
            db.reader(),
            sample_item::Column::SampleId,
            samples.iter().copied(),
        ))
        .select_only()
        .column(sample_item::Column::BezirksstelleId)
        .column_as(sample_item::Column::Id.count(), "items")
        .column_as(amount.sum().cast_as("bigint"), "cents")
        .group_by(sample_item::Column::BezirksstelleId)
        .into_tuple()
        .all(db.reader())
        .await?;
    Ok(rows
        .into_iter()
        .map(|(id, items, cents)| (id, (items, cents)))
        .collect())
}
