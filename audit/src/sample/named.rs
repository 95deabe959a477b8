//! Samples whose items are named one by one, by the keys of the extract: drawn elsewhere and recorded, or chosen by hand. They are
//! stored as drawn at once.

use std::collections::HashMap;

use entity::draw_event::Kind;
use entity::sample::{ActiveModel, Method, Model, State};
use entity::{Cents, SampleId, population, population_item};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, Set};
use serde::Serialize;
use serde_json::json;
use unicode_normalization::UnicodeNormalization as _;

use super::draw::{Drawn, insert_items};
use super::record::MAX_RECORDED_ITEMS;
use super::rules::Parameters;
use super::service::{PlannedStratum, frame_of, insert_strata, load, name_free, subject, to_json};
use crate::access::Permit;
use crate::engagement::{key, lock, must_be_open};
use crate::idempotency::{Claimed, claim};
use crate::population::import::line::{KEY_SEPARATOR, MAX_KEY};
use crate::population::number_event;
use crate::trail;
use crate::{Code, Ctx, Db, EngagementKey, Error, Refusal, Result};

/// Most columns of a key.
const MAX_KEY_COLUMNS: usize = 20;
/// Refusals listed at the most.
const LISTED: usize = 100;
/// Pseudonyms of one look-up.
const LOOKED_UP: usize = 500;

/// A sample of named items.
#[derive(Debug)]
pub(super) struct Named<'a> {
    /// The mutation, for its idempotency key.
    pub(super) operation: &'static str,
    /// The numbered event.
    pub(super) event: Kind,
    pub(super) method: Method,
    pub(super) algorithm: Option<&'static str>,
    pub(super) name: &'a str,
    pub(super) reason: &'a str,
    pub(super) checks_per_item: i32,
    pub(super) parameters: Parameters,
    pub(super) items: Vec<NamedItem>,
}

/// An item of it.
#[derive(Debug)]
pub(super) struct NamedItem {
    pub(super) item: population_item::Model,
    pub(super) hits: i64,
    /// Why it was chosen.
    pub(super) reason: Option<String>,
}

/// Stores the sample as drawn, with its numbered event and its entry.
pub(super) async fn store(
    ctx: &Ctx,
    db: &Db,
    permit: &Permit,
    idempotency_key: &str,
    input: &impl Serialize,
    population: &population::Model,
    named: Named<'_>,
) -> Result<Model> {
    let tx = db.begin_write().await?;
    let engagement = lock(&tx, ctx, population.engagement_id, "input.populationId").await?;
    let claim = match claim(&tx, ctx, idempotency_key, named.operation, input).await? {
        Claimed::New(claim) => claim,
        Claimed::Repeated(id) => return load(&tx, SampleId(id)).await,
    };
    must_be_open(&engagement, "input.populationId")?;
    name_free(&tx, population.engagement_id, named.name).await?;
    let (frame, size) = (
        frame_of(population, named.method),
        named.parameters.requested_size,
    );
    let row = row(ctx, population, &named)?.insert(&tx).await?;
    let strata = insert_strata(&tx, ctx, row.id, vec![PlannedStratum::whole(frame, size)]).await?;
    let [stratum] = strata.as_slice() else {
        return Err(Error::internal("an unstratified sample has one stratum"));
    };
    let count = named.items.len();
    let drawn = named.items.into_iter().map(|named| Drawn {
        stratum: *stratum,
        hits: named.hits,
        ticket: None,
        reason: named.reason,
        item: named.item,
    });
    insert_items(&tx, ctx, &row, 1, drawn.collect()).await?;
    let number = number_event(
        &tx,
        ctx,
        row.engagement_id,
        named.event,
        population.id,
        Some(row.id),
        row.reason.clone(),
    )
    .await?;
    claim.remember(&tx, ctx, row.id.0).await?;
    let detail = json!({ "event": number, "name": row.name, "items": count, "hits": size });
    let subject = subject(&row).left(trail::state(ctx, &row)?);
    trail::record(&tx, ctx, permit, subject, detail).await?;
    tx.commit().await?;
    Ok(row)
}

fn row(ctx: &Ctx, population: &population::Model, named: &Named<'_>) -> Result<ActiveModel> {
    let (now, by) = (ctx.now(), ctx.caller.subject.clone());
    let frame = frame_of(population, named.method);
    Ok(ActiveModel {
        id: Set(SampleId(ctx.new_id())),
        engagement_id: Set(population.engagement_id),
        population_id: Set(population.id),
        extends_id: Set(None),
        extension: Set(None),
        name: Set(named.name.to_owned()),
        method: Set(named.method),
        state: Set(State::Drawn),
        size: Set(named.parameters.requested_size),
        parameters: Set(to_json(&named.parameters)?),
        checks_per_item: Set(named.checks_per_item),
        seed: Set(None),
        algorithm: Set(named.algorithm.map(str::to_owned)),
        population_root: Set(population.merkle_root.clone()),
        frame_count: Set(frame.items),
        frame_cents: Set(Cents(frame.cents)),
        reason: Set(Some(named.reason.to_owned())),
        planned_by: Set(by.clone()),
        planned_at: Set(now),
        decided_by: Set(Some(by)),
        decided_at: Set(Some(now)),
        version: Set(1),
    })
}

/// What is wrong with a list of named items, by their places: the first hundred of it.
pub(super) fn check_items<T>(items: &[T], check_item: impl Fn(usize, &T) -> Vec<Refusal>) -> Vec<Refusal> {
    if items.is_empty() {
        return vec![Refusal::new(Code::Required, "input.items")];
    }
    if items.len() > MAX_RECORDED_ITEMS {
        return vec![Refusal::new(Code::TooMany, "input.items").with(MAX_RECORDED_ITEMS)];
    }
    items
        .iter()
        .enumerate()
        .flat_map(|(place, item)| check_item(place, item))
        .take(LISTED)
        .collect()
}

/// Whether a key can be one: the values of the extract's key columns.
pub(super) fn check_key(place: usize, key: &[String]) -> Option<Refusal> {
    let path = format!("input.items.{place}.key");
    if key.iter().all(|value| value.trim().is_empty()) {
        Some(Refusal::new(Code::Required, &path))
    } else if key.len() > MAX_KEY_COLUMNS {
        Some(Refusal::new(Code::TooMany, &path).with(MAX_KEY_COLUMNS))
    } else if key.iter().any(|value| value.trim().chars().count() > MAX_KEY) {
        Some(Refusal::new(Code::TooLong, &path).with(MAX_KEY))
    } else {
        None
    }
}

/// The pseudonym of an item's business key, formed as at import: trimmed, NFC, joined by U+001F.
fn item_key(pseudonyms: &EngagementKey, columns: &[String]) -> [u8; 16] {
    let mut joined = String::new();
    for (place, column) in columns.iter().enumerate() {
        if place > 0 {
            joined.push(KEY_SEPARATOR);
        }
        joined.extend(column.trim().nfc());
    }
    pseudonyms.item(&joined)
}

/// The named items in the order given; every one that is unknown or doubled is refused by its place, and where only `positive` ones
/// could be drawn, every one that is not above zero.
pub(super) async fn look_up(
    ctx: &Ctx,
    db: &Db,
    population: &population::Model,
    keys: &[&[String]],
    positive: bool,
) -> Result<Vec<population_item::Model>> {
    let pseudonyms = key(ctx, db.reader(), population.engagement_id).await?;
    let own_staff = ctx.caller.scope(ctx.now()).holds_own_staff();
    let keys: Vec<Vec<u8>> = keys
        .iter()
        .map(|key| item_key(&pseudonyms, key).to_vec())
        .collect();
    let mut known: HashMap<Vec<u8>, population_item::Model> = HashMap::with_capacity(keys.len());
    for chunk in keys.chunks(LOOKED_UP) {
        let rows = population_item::Entity::find()
            .filter(population_item::Column::PopulationId.eq(population.id))
            .filter(population_item::Column::ItemKey.is_in(chunk.iter().cloned()))
            .all(db.reader())
            .await?;
        known.extend(rows.into_iter().map(|row| (row.item_key.clone(), row)));
    }
    let mut found = Vec::with_capacity(keys.len());
    let mut refusals = Vec::new();
    let mut first: HashMap<&[u8], usize> = HashMap::with_capacity(keys.len());
    for (place, key) in keys.iter().enumerate() {
        let path = format!("input.items.{place}.key");
        if let Some(earlier) = first.insert(key, place) {
            refusals.push(Refusal::new(Code::ItemDoubled, &path).with(format!("{earlier}, {place}")));
            continue;
        }
        match known.remove(key) {
            // Own staff's items are recorded by their group; nobody else learns that they are there.
            Some(row) if row.own_staff && !own_staff => {
                refusals.push(Refusal::new(Code::ItemNotInPopulation, &path).with(place));
            }
            None => refusals.push(Refusal::new(Code::ItemNotInPopulation, &path).with(place)),
            Some(row) if positive && row.amount_cents <= Cents(0) => {
                refusals.push(Refusal::new(Code::ItemNotPositive, &path).with(place));
            }
            Some(row) => found.push(row),
        }
    }
    if refusals.is_empty() {
        return Ok(found);
    }
    refusals.truncate(LISTED);
    Err(Error::Refused(refusals))
}
