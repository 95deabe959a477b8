//! Recording a sample that was drawn elsewhere: it can be checked and evaluated here, and never looks drawn by us.

use std::collections::HashMap;

use entity::draw_event::Kind;
use entity::sample::{ActiveModel, Method, Model, State};
use entity::{Cents, PopulationId, SampleId, population_item};
use rust_decimal::Decimal;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, Set};
use serde::Serialize;
use serde_json::json;
use unicode_normalization::UnicodeNormalization as _;

use super::draw::{Drawn, insert_items};
use super::rules::{FrameSize, Parameters, SizeSource, check_checks_per_item, check_confidence};
use super::service::{PlannedStratum, frame_of, frozen, insert_strata, load, name_free, subject, to_json};
use crate::access::{Action, authorize_write};
use crate::engagement::{key, lock, must_be_open};
use crate::idempotency::{Claimed, claim};
use crate::population::import::line::{KEY_SEPARATOR, MAX_KEY};
use crate::population::number_event;
use crate::trail;
use crate::{Code, Ctx, Db, EngagementKey, Error, Refusal, Result};

/// Most items of a recorded sample.
pub const MAX_RECORDED_ITEMS: usize = 10_000;
/// Most columns of a key.
const MAX_KEY_COLUMNS: usize = 20;
/// Most hits of one item: no sample is larger.
const MAX_HITS: i64 = super::LARGEST_SAMPLE;
/// Refusals listed at the most.
const LISTED: usize = 100;
/// Pseudonyms of one look-up.
const LOOKED_UP: usize = 500;

/// What records a monetary unit sample drawn elsewhere.
#[derive(Clone, Debug, Serialize)]
pub struct Record {
    /// The frozen population.
    pub population_id: PopulationId,
    /// Name, unique in the engagement, up to 200 characters.
    pub name: String,
    /// Who drew it, how, and why it is recorded; up to 4,000 characters.
    pub reason: String,
    /// Checks every item needs: 1, or 2 for four eyes.
    pub checks_per_item: i32,
    /// Confidence, above 0 and below 1.
    pub confidence: Option<Decimal>,
    /// Tolerable error.
    pub tolerable_cents: Option<Cents>,
    /// The items, up to [`MAX_RECORDED_ITEMS`], in draw order.
    pub items: Vec<RecordItem>,
}

/// One item of a recorded sample.
#[derive(Clone, Debug, Serialize)]
pub struct RecordItem {
    /// The values of the extract's key columns, in the order of the mapping.
    pub key: Vec<String>,
    /// How often it was hit.
    pub hits: i64,
}

/// Records a sample drawn elsewhere, as drawn.
pub async fn record(ctx: &Ctx, db: &Db, idempotency_key: &str, input: Record) -> Result<Model> {
    let permit = authorize_write(ctx, db, Action::SampleRecord).await?;
    let refusals = check(&input);
    if !refusals.is_empty() {
        return Err(Error::Refused(refusals));
    }
    let population = frozen(ctx, db.reader(), input.population_id).await?;
    let frame = frame_of(&population, Method::RecordedMonetaryUnit);
    let pseudonyms = key(ctx, db.reader(), population.engagement_id).await?;
    let own_staff = ctx.caller.scope(ctx.now()).holds_own_staff();
    let found = look_up(db, population.id, own_staff, &pseudonyms, &input.items).await?;
    let size: i64 = input.items.iter().map(|item| item.hits).sum();
    if size > super::LARGEST_SAMPLE || size > frame.cents {
        return Err(Error::refused_with(
            Code::TooMany,
            "input.items",
            super::LARGEST_SAMPLE,
        ));
    }

    let tx = db.begin_write().await?;
    let engagement = lock(&tx, ctx, population.engagement_id, "input.populationId").await?;
    let claim = match claim(&tx, ctx, idempotency_key, "recordSample", &input).await? {
        Claimed::New(claim) => claim,
        Claimed::Repeated(id) => return load(&tx, SampleId(id)).await,
    };
    must_be_open(&engagement, "input.populationId")?;
    name_free(&tx, population.engagement_id, &input.name).await?;
    let row = row(ctx, &input, &population, frame, size)?.insert(&tx).await?;
    let strata = insert_strata(&tx, ctx, row.id, vec![PlannedStratum::whole(frame, size)]).await?;
    let [stratum] = strata.as_slice() else {
        return Err(Error::internal("an unstratified sample has one stratum"));
    };
    let drawn = found
        .into_iter()
        .zip(&input.items)
        .map(|(item, given)| Drawn {
            stratum: *stratum,
            hits: given.hits,
            ticket: None,
            item,
        })
        .collect();
    insert_items(&tx, ctx, &row, drawn).await?;
    let event = Kind::Record;
    let number = number_event(
        &tx,
        ctx,
        row.engagement_id,
        event,
        population.id,
        Some(row.id),
        Some(input.reason),
    )
    .await?;
    claim.remember(&tx, ctx, row.id.0).await?;
    let detail = json!({ "event": number, "name": row.name, "items": input.items.len(), "hits": size });
    let subject = subject(&row).left(trail::state(ctx, &row)?);
    trail::record(&tx, ctx, &permit, subject, detail).await?;
    tx.commit().await?;
    Ok(row)
}

fn row(
    ctx: &Ctx,
    input: &Record,
    population: &entity::population::Model,
    frame: FrameSize,
    size: i64,
) -> Result<ActiveModel> {
    let parameters = Parameters {
        size_source: SizeSource::Recorded,
        requested_size: size,
        planning_method: None,
        planning_version: None,
        planned_errors: None,
        confidence: input.confidence,
        tolerable_rate: None,
        expected_rate: None,
        tolerable_cents: input.tolerable_cents,
        expected_cents: None,
    };
    let (now, by) = (ctx.now(), ctx.caller.subject.clone());
    Ok(ActiveModel {
        id: Set(SampleId(ctx.new_id())),
        engagement_id: Set(population.engagement_id),
        population_id: Set(population.id),
        name: Set(input.name.clone()),
        method: Set(Method::RecordedMonetaryUnit),
        state: Set(State::Drawn),
        size: Set(size),
        parameters: Set(to_json(&parameters)?),
        checks_per_item: Set(input.checks_per_item),
        seed: Set(None),
        algorithm: Set(None),
        population_root: Set(population.merkle_root.clone()),
        frame_count: Set(frame.items),
        frame_cents: Set(Cents(frame.cents)),
        reason: Set(Some(input.reason.clone())),
        planned_by: Set(by.clone()),
        planned_at: Set(now),
        decided_by: Set(Some(by)),
        decided_at: Set(Some(now)),
        version: Set(1),
    })
}

fn check(input: &Record) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    refusals.extend(crate::refusal::text("input.name", &input.name, 200));
    refusals.extend(crate::refusal::text("input.reason", &input.reason, 4_000));
    refusals.extend(check_checks_per_item(input.checks_per_item));
    refusals.extend(check_confidence(input.confidence));
    if let Some(tolerable) = input.tolerable_cents.filter(|cents| *cents <= Cents(0)) {
        refusals.push(Refusal::new(Code::InvalidValue, "input.tolerableError").with(tolerable));
    }
    if input.items.is_empty() {
        refusals.push(Refusal::new(Code::Required, "input.items"));
    }
    if input.items.len() > MAX_RECORDED_ITEMS {
        refusals.push(Refusal::new(Code::TooMany, "input.items").with(MAX_RECORDED_ITEMS));
        return refusals;
    }
    let items = input.items.iter().enumerate();
    refusals.extend(
        items
            .flat_map(|(place, item)| check_item(place, item))
            .take(LISTED),
    );
    refusals
}

fn check_item(place: usize, item: &RecordItem) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    let path = format!("input.items.{place}.key");
    if item.key.iter().all(|value| value.trim().is_empty()) {
        refusals.push(Refusal::new(Code::Required, &path));
    } else if item.key.len() > MAX_KEY_COLUMNS {
        refusals.push(Refusal::new(Code::TooMany, &path).with(MAX_KEY_COLUMNS));
    } else if item
        .key
        .iter()
        .any(|value| value.trim().chars().count() > MAX_KEY)
    {
        refusals.push(Refusal::new(Code::TooLong, &path).with(MAX_KEY));
    }
    if !(1..=MAX_HITS).contains(&item.hits) {
        let path = format!("input.items.{place}.hits");
        refusals.push(Refusal::new(Code::InvalidValue, &path).with(item.hits));
    }
    refusals
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

/// The named items in the order given; every one that is unknown, doubled or not above zero is refused by its place.
async fn look_up(
    db: &Db,
    population: PopulationId,
    own_staff: bool,
    pseudonyms: &EngagementKey,
    items: &[RecordItem],
) -> Result<Vec<population_item::Model>> {
    let keys: Vec<Vec<u8>> = items
        .iter()
        .map(|item| item_key(pseudonyms, &item.key).to_vec())
        .collect();
    let mut known: HashMap<Vec<u8>, population_item::Model> = HashMap::with_capacity(items.len());
    for chunk in keys.chunks(LOOKED_UP) {
        let rows = population_item::Entity::find()
            .filter(population_item::Column::PopulationId.eq(population))
            .filter(population_item::Column::ItemKey.is_in(chunk.iter().cloned()))
            .all(db.reader())
            .await?;
        known.extend(rows.into_iter().map(|row| (row.item_key.clone(), row)));
    }
    let mut found = Vec::with_capacity(items.len());
    let mut refusals = Vec::new();
    let mut first: HashMap<&[u8], usize> = HashMap::with_capacity(items.len());
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
            Some(row) if row.amount_cents <= Cents(0) => {
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
