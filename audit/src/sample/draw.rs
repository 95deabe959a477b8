//! Drawing: the seed selects, and the selection is written once and for good.

use std::collections::HashMap;

use entity::draw_event::Kind;
use entity::sample::{ActiveModel, Model, State};
use entity::{
    EngagementId, PopulationId, SampleId, SampleItemId, StratumId, population_item, sample_item,
    sample_stratum,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, Set,
};
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::ceremony::{SourceInput, ceremony_of, concluded};
use super::extension::{drawn_before, fresh_seed, items_of};
use super::frame::{Selection, Selectors, changed, select};
use super::rules::LARGEST_SAMPLE;
use super::service::{lock_planned, planned, subject, visible_one};
use super::unit::Unit;
use crate::access::{Action, authorize_write};
use crate::population::number_event;
use crate::sampling::selection::Seed;
use crate::trail;
use crate::{Code, Ctx, Db, Error, Result};

/// Rows of one insert: 16 columns each, below SQLite's limit of 32,766 parameters.
const INSERTED: usize = 1_000;
/// Digits of a seed we make: as many as 20 ten-sided dice.
const SEED_DIGITS: usize = 20;

/// What draws a planned sample.
#[derive(Clone, Debug, Serialize)]
pub struct Draw {
    /// The sample.
    pub id: SampleId,
    /// The version the caller saw.
    pub expected_version: i32,
    /// The seed of a sample without ceremony, 1 to 200 characters, for instance from dice; 20 random digits where none is given.
    pub seed: Option<String>,
    /// The public source of a sample with ceremony, where its plan names one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceInput>,
}

/// Draws a planned sample. The population is read and selected from before the write transaction, so that nobody waits
/// for it; the transaction makes sure that the plan is still the one selected for.
pub async fn draw(ctx: &Ctx, db: &Db, input: Draw) -> Result<Model> {
    let permit = authorize_write(ctx, db, Action::SampleDraw).await?;
    let row = ready(ctx, db, &input).await?;
    let unused = |path| Err(Error::refused(Code::NotUsedAtThisLevel, path));
    let ceremony = match ceremony_of(db.reader(), row.id).await? {
        None if input.source.is_some() => return unused("input.source"),
        None => None,
        Some(_) if input.seed.is_some() => return unused("input.seed"),
        Some(found) => Some(concluded(ctx, db, &permit, &row, found, input.source.as_ref()).await?),
    };
    let text = match &ceremony {
        Some(ceremony) => ceremony.conclusion.seed.clone(),
        None => input.seed.unwrap_or_else(|| random_seed(ctx)),
    };
    let seed = Seed::new(text).map_err(|_| Error::refused(Code::SeedInvalid, "input.seed"))?;
    fresh_seed(db, &row, seed.as_str()).await?;
    let strata = sample_stratum::Entity::find()
        .filter(sample_stratum::Column::SampleId.eq(row.id))
        .order_by_asc(sample_stratum::Column::Ordinal)
        .all(db.reader())
        .await?;
    let not_drawn_here = || Error::refused(Code::SampleNotPlanned, "input.id");
    let selectors = Selectors::new(&row, &strata, &seed)?.ok_or_else(not_drawn_here)?;
    let algorithm = selectors.algorithm();
    let gone = items_of(db, &drawn_before(db.reader(), row.extends_id, row.method).await?).await?;
    let selection = select(db, row.population_id, gone, selectors).await?;
    if (selection.count, selection.sum) != (row.frame_count, row.frame_cents.0) {
        return Err(changed());
    }
    let drawn = details(db, &row, &strata, selection).await?;
    let root = root(db, row.population_id).await?;

    let tx = db.begin_write().await?;
    let row = lock_planned(&tx, ctx, input.id, input.expected_version).await?;
    if let Some(ceremony) = &ceremony {
        ceremony.still_holds(&tx).await?;
    }
    let count = drawn.len();
    insert_items(&tx, ctx, &row, 1, drawn).await?;
    let (population, engagement) = (row.population_id, row.engagement_id);
    let (reason, before) = (row.reason.clone(), trail::state(ctx, &row)?);
    let mut change: ActiveModel = row.into();
    change.state = Set(State::Drawn);
    change.seed = Set(Some(seed.as_str().to_owned()));
    change.algorithm = Set(Some(algorithm.to_owned()));
    change.population_root = Set(Some(root));
    change.decided_by = Set(Some(ctx.caller.subject.clone()));
    change.decided_at = Set(Some(ctx.now()));
    change.version = Set(input.expected_version + 1);
    let row = change.update(&tx).await?;
    let number = number_event(&tx, ctx, engagement, Kind::Draw, population, Some(row.id), reason).await?;
    let mut detail = json!({ "event": number, "seed": row.seed, "algorithm": algorithm, "items": count });
    if let Some(ceremony) = &ceremony {
        detail["ceremony"] = ceremony.told();
    }
    let subject = subject(&row).changed(before, trail::state(ctx, &row)?);
    trail::record(&tx, ctx, &permit, subject, detail).await?;
    tx.commit().await?;
    Ok(row)
}

/// What can be said before the long selection.
async fn ready(ctx: &Ctx, db: &Db, input: &Draw) -> Result<Model> {
    let row = visible_one(db.reader(), &ctx.caller.scope(ctx.now()), input.id).await?;
    planned(&row, input.expected_version)?;
    open_engagement(ctx, db, row.engagement_id).await?;
    Ok(row)
}

/// Refuses a closed engagement before the long selection; the transaction behind it asks again.
pub(super) async fn open_engagement(ctx: &Ctx, db: &Db, id: EngagementId) -> Result<()> {
    let engagement = crate::engagement::find(ctx, db, id).await?;
    if engagement.is_none_or(|engagement| engagement.state == entity::engagement::State::Closed) {
        return Err(Error::refused(Code::EngagementClosed, "input.id"));
    }
    Ok(())
}

/// Random digits; the remainder of 128 random bits favours none of them by more than 10^-18.
fn random_seed(ctx: &Ctx) -> String {
    let number = u128::from_be_bytes(ctx.sources.random_bytes()) % 10_u128.pow(20);
    format!("{number:0SEED_DIGITS$}")
}

/// A selected item with what its row repeats.
#[derive(Debug)]
pub(super) struct Drawn {
    pub(super) stratum: StratumId,
    pub(super) hits: i64,
    pub(super) ticket: Option<String>,
    /// Why it was chosen, where a person chose it.
    pub(super) reason: Option<String>,
    pub(super) item: population_item::Model,
}

/// Looks the selected items up, in draw order.
pub(super) async fn details(
    db: &Db,
    row: &Model,
    strata: &[sample_stratum::Model],
    selection: Selection,
) -> Result<Vec<Drawn>> {
    let unit = Unit::of(row.method);
    let most = usize::try_from(LARGEST_SAMPLE).unwrap_or(usize::MAX);
    let mut drawn = Vec::with_capacity(selection.selected.len());
    for chunk in selection.selected.chunks(unit.at_once()) {
        let ids: Vec<Uuid> = chunk
            .iter()
            .map(|(_, selected)| Uuid::parse_str(&selected.id))
            .collect::<std::result::Result<_, _>>()
            .map_err(|error| Error::internal(error.to_string()))?;
        let left = most.saturating_sub(drawn.len());
        let lines = unit.lines(db, row.population_id, &ids, left).await?;
        if lines.len() > left {
            return Err(Error::refused_with(Code::TooMany, "input.id", LARGEST_SAMPLE));
        }
        let mut found: HashMap<Uuid, Vec<population_item::Model>> = HashMap::new();
        for item in lines {
            let key = unit.key(item.id, item.case_key.as_deref())?;
            found.entry(key).or_default().push(item);
        }
        for ((place, selected), id) in chunk.iter().zip(ids) {
            let mut lines = found.remove(&id).ok_or_else(changed)?;
            lines.sort_unstable_by_key(|item| item.id);
            for item in lines {
                drawn.push(Drawn {
                    stratum: strata.get(*place).ok_or_else(changed)?.id,
                    hits: i64::try_from(selected.hits).unwrap_or(i64::MAX),
                    ticket: selected.ticket.clone(),
                    reason: None,
                    item,
                });
            }
        }
    }
    Ok(drawn)
}

async fn root(db: &Db, population: PopulationId) -> Result<Vec<u8>> {
    entity::population::Entity::find_by_id(population)
        .one(db.reader())
        .await?
        .and_then(|population| population.merkle_root)
        .ok_or_else(|| Error::refused(Code::PopulationNotFrozen, "input.id"))
}

/// Writes items of a sample in draw order, from this place on; their ids.
pub(super) async fn insert_items(
    tx: &DatabaseTransaction,
    ctx: &Ctx,
    row: &Model,
    from: i64,
    drawn: Vec<Drawn>,
) -> Result<Vec<SampleItemId>> {
    let ids: Vec<SampleItemId> = ctx.sources.new_ids(drawn.len()).map(SampleItemId).collect();
    let rows: Vec<sample_item::ActiveModel> = (from..)
        .zip(&ids)
        .zip(drawn)
        .map(|((order, id), drawn)| sample_item::ActiveModel {
            id: Set(*id),
            sample_id: Set(row.id),
            stratum_id: Set(drawn.stratum),
            item_id: Set(drawn.item.id),
            engagement_id: Set(row.engagement_id),
            draw_order: Set(order),
            ticket: Set(drawn.ticket),
            hits: Set(drawn.hits),
            bezirksstelle_id: Set(drawn.item.bezirksstelle_id),
            amount_cents: Set(drawn.item.amount_cents),
            reference: Set(drawn.item.reference),
            choice_reason: Set(drawn.reason),
            own_staff: Set(drawn.item.own_staff),
            visible_from: Set(None),
            state: Set(sample_item::State::Open),
            result: Set(None),
            version: Set(1),
        })
        .collect();
    for chunk in rows.chunks(INSERTED) {
        sample_item::Entity::insert_many(chunk.to_vec())
            .exec_without_returning(tx)
            .await?;
    }
    Ok(ids)
}
