//! Case numbers (Aktenzeichen) of drawn items: for the Bezirksstelle of which they are requested, and for an auditor who
//! says why.

use std::collections::HashMap;

use entity::{ItemId, SampleItemId, case_number, population_item, sample_item};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter};
use serde_json::json;

use super::items::KIND;
use crate::access::{Action, authorize, authorize_write};
use crate::db::among;
use crate::population::open_case_number;
use crate::refusal::{Refusal, text};
use crate::trail::{self, Subject};
use crate::{Code, Ctx, Db, Error, Result};

/// Items of one re-identification at the most.
pub const MAX_REIDENTIFIED: usize = 200;
/// Longest reason of a re-identification.
const MAX_REASON: usize = 500;
/// Ids of one statement.
const AT_ONCE: usize = 200;

/// What shows case numbers to an auditor.
#[derive(Clone, Debug)]
pub struct Reidentify {
    /// The drawn items, 1 to [`MAX_REIDENTIFIED`].
    pub sample_item_ids: Vec<SampleItemId>,
    /// Why, up to 500 characters; part of the trail, so without personal data.
    pub reason: String,
}

/// The case numbers of drawn items, each named in the trail with the reason. All of them, or none: an item that is not
/// there, or whose extract had no case number or whose case number was destroyed, is refused by its place.
pub async fn reidentify(ctx: &Ctx, db: &Db, input: Reidentify) -> Result<Vec<(SampleItemId, String)>> {
    let permit = authorize_write(ctx, db, Action::Reidentify).await?;
    let mut refusals: Vec<Refusal> = text("input.reason", &input.reason, MAX_REASON)
        .into_iter()
        .collect();
    if input.sample_item_ids.is_empty() {
        refusals.push(Refusal::new(Code::Required, "input.sampleItemIds"));
    }
    if input.sample_item_ids.len() > MAX_REIDENTIFIED {
        refusals.push(Refusal::new(Code::TooMany, "input.sampleItemIds").with(MAX_REIDENTIFIED));
    }
    if !refusals.is_empty() {
        return Err(Error::Refused(refusals));
    }
    let tx = db.begin_write().await?;
    let items = visible(ctx, &tx, &input.sample_item_ids).await?;
    let mut numbers = opened(ctx, &tx, &items).await?;
    let mut found = Vec::with_capacity(items.len());
    for (place, id) in input.sample_item_ids.iter().enumerate() {
        let path = format!("input.sampleItemIds.{place}");
        let Some(item) = items.iter().find(|item| item.id == *id) else {
            refusals.push(Refusal::new(Code::NotFound, &path));
            continue;
        };
        let Some(number) = numbers.remove(id) else {
            // Named twice, it was found at its first place.
            if !found.iter().any(|(known, _)| known == id) {
                refusals.push(Refusal::new(Code::CaseNumberMissing, &path));
            }
            continue;
        };
        found.push((*id, number));
        let subject = Subject::new("SampleItem", id.0, item.engagement_id).of_own_staff(item.own_staff);
        trail::record(&tx, ctx, &permit, subject, json!({ "reason": input.reason })).await?;
    }
    if !refusals.is_empty() {
        return Err(Error::Refused(refusals));
    }
    tx.commit().await?;
    Ok(found)
}

/// Case numbers of items that are requested from the caller's Bezirksstelle, where the extract had them.
pub async fn case_numbers(ctx: &Ctx, db: &Db, ids: &[SampleItemId]) -> Result<Vec<(SampleItemId, String)>> {
    authorize(ctx, Action::CaseNumberRead)?;
    let mut found = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(AT_ONCE) {
        let items = visible(ctx, db.reader(), chunk).await?;
        found.extend(opened(ctx, db.reader(), &items).await?);
    }
    Ok(found)
}

async fn visible(
    ctx: &Ctx,
    db: &impl ConnectionTrait,
    ids: &[SampleItemId],
) -> Result<Vec<sample_item::Model>> {
    let rows = sample_item::Entity::visible_to(&ctx.caller.scope(ctx.now()))
        .filter(among(db, sample_item::Column::Id, ids.iter().copied()))
        .all(db)
        .await?;
    ctx.notes
        .add(KIND, rows.iter().map(|row| (row.engagement_id, row.id.0)));
    Ok(rows)
}

/// What is sealed for these items, opened.
async fn opened(
    ctx: &Ctx,
    db: &impl ConnectionTrait,
    items: &[sample_item::Model],
) -> Result<HashMap<SampleItemId, String>> {
    let rows = population_item::Entity::find()
        .filter(among(
            db,
            population_item::Column::Id,
            items.iter().map(|item| item.item_id),
        ))
        .all(db)
        .await?;
    let keys: HashMap<ItemId, (entity::ImportId, Vec<u8>)> = rows
        .into_iter()
        .filter_map(|row| Some((row.id, (row.import_id, row.case_key?))))
        .collect();
    let mut wanted: Vec<_> = keys.values().cloned().collect();
    wanted.sort();
    wanted.dedup();
    if wanted.is_empty() {
        return Ok(HashMap::new());
    }
    let of_one = |(import, key): (entity::ImportId, Vec<u8>)| {
        Condition::all()
            .add(case_number::Column::ImportId.eq(import))
            .add(case_number::Column::CaseKey.eq(key))
    };
    let sealed = case_number::Entity::find()
        .filter(
            wanted
                .into_iter()
                .map(of_one)
                .fold(Condition::any(), Condition::add),
        )
        .all(db)
        .await?;
    let mut numbers = HashMap::with_capacity(sealed.len());
    for row in sealed {
        let number = open_case_number(&ctx.sources, &row)?;
        numbers.insert((row.import_id, row.case_key), number);
    }
    Ok(items
        .iter()
        .filter_map(|item| Some((item.id, numbers.get(keys.get(&item.item_id)?)?.clone())))
        .collect())
}
