//! Recording a sample that was drawn elsewhere: it can be checked and evaluated here, and never looks drawn by us.

use entity::draw_event::Kind;
use entity::sample::{Method, Model};
use entity::{Cents, PopulationId};
use rust_decimal::Decimal;
use serde::Serialize;

use super::named::{Named, NamedItem, check_items, check_key, look_up, store};
use super::rules::{Parameters, SizeSource, check_checks_per_item, check_confidence};
use super::service::{frame_of, frozen};
use crate::access::{Action, authorize_write};
use crate::{Code, Ctx, Db, Error, Refusal, Result};

/// Most items of a recorded sample.
pub const MAX_RECORDED_ITEMS: usize = 10_000;
/// Most hits of one item: no sample is larger.
const MAX_HITS: i64 = super::LARGEST_SAMPLE;

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
    let keys: Vec<&[String]> = input.items.iter().map(|item| item.key.as_slice()).collect();
    let found = look_up(ctx, db, &population, &keys, true).await?;
    let size: i64 = input.items.iter().map(|item| item.hits).sum();
    if size > super::LARGEST_SAMPLE || size > frame_of(&population, Method::RecordedMonetaryUnit).cents {
        return Err(Error::refused_with(
            Code::TooMany,
            "input.items",
            super::LARGEST_SAMPLE,
        ));
    }
    let named = Named {
        operation: "recordSample",
        event: Kind::Record,
        method: Method::RecordedMonetaryUnit,
        algorithm: None,
        name: &input.name,
        reason: &input.reason,
        checks_per_item: input.checks_per_item,
        parameters: Parameters {
            confidence: input.confidence,
            tolerable_cents: input.tolerable_cents,
            ..Parameters::unplanned(SizeSource::Recorded, size)
        },
        items: found
            .into_iter()
            .zip(&input.items)
            .map(|(item, given)| NamedItem {
                item,
                hits: given.hits,
                reason: None,
            })
            .collect(),
    };
    store(ctx, db, &permit, idempotency_key, &input, &population, named).await
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
    refusals.extend(check_items(&input.items, check_item));
    refusals
}

fn check_item(place: usize, item: &RecordItem) -> Vec<Refusal> {
    let mut refusals: Vec<Refusal> = check_key(place, &item.key).into_iter().collect();
    if !(1..=MAX_HITS).contains(&item.hits) {
        let path = format!("input.items.{place}.hits");
        refusals.push(Refusal::new(Code::InvalidValue, &path).with(item.hits));
    }
    refusals
}
