//! Judgemental samples (bewusste Auswahl): a person chooses items for their risk and says why. They are checked like any other,
//! and nothing is projected from them: their evaluation is what was found.

use entity::PopulationId;
use entity::draw_event::Kind;
use entity::sample::{Method, Model};
use serde::Serialize;

use super::named::{Named, NamedItem, check_items, check_key, look_up, store};
use super::rules::{Parameters, SizeSource, check_checks_per_item};
use super::service::frozen;
use crate::access::{Action, authorize_write};
use crate::refusal::{optional_text, text};
use crate::sampling::selection::JUDGEMENTAL;
use crate::{Ctx, Db, Error, Refusal, Result};

/// Longest reason of one item.
const MAX_REASON: usize = 1_000;

/// What chooses a sample.
#[derive(Clone, Debug, Serialize)]
pub struct Choose {
    /// The frozen population.
    pub population_id: PopulationId,
    /// Name, unique in the engagement, up to 200 characters.
    pub name: String,
    /// By what features of risk the items were chosen, and why; up to 4,000 characters.
    pub reason: String,
    /// Checks every item needs: 1, or 2 for four eyes.
    pub checks_per_item: i32,
    /// The items, up to [`super::MAX_RECORDED_ITEMS`], in the order they are to be listed.
    pub items: Vec<ChosenItem>,
}

/// One chosen item.
#[derive(Clone, Debug, Serialize)]
pub struct ChosenItem {
    /// The values of the extract's key columns, in the order of the mapping.
    pub key: Vec<String>,
    /// Why this one, where the reason of all does not say it; up to 1,000 characters.
    pub reason: Option<String>,
}

/// Stores a sample of items that a person chose from a frozen population.
pub async fn choose(ctx: &Ctx, db: &Db, idempotency_key: &str, input: Choose) -> Result<Model> {
    let permit = authorize_write(ctx, db, Action::SampleChoose).await?;
    let refusals = check(&input);
    if !refusals.is_empty() {
        return Err(Error::Refused(refusals));
    }
    let population = frozen(ctx, db.reader(), input.population_id).await?;
    let keys: Vec<&[String]> = input.items.iter().map(|item| item.key.as_slice()).collect();
    let found = look_up(ctx, db, &population, &keys, false).await?;
    let size = i64::try_from(found.len()).unwrap_or(i64::MAX);
    let named = Named {
        operation: "chooseSample",
        event: Kind::Choose,
        method: Method::Judgemental,
        algorithm: Some(JUDGEMENTAL),
        name: &input.name,
        reason: &input.reason,
        checks_per_item: input.checks_per_item,
        parameters: Parameters::unplanned(SizeSource::Chosen, size),
        items: found
            .into_iter()
            .zip(&input.items)
            .map(|(item, given)| NamedItem {
                item,
                hits: 1,
                reason: given.reason.clone().filter(|reason| !reason.trim().is_empty()),
            })
            .collect(),
    };
    store(ctx, db, &permit, idempotency_key, &input, &population, named).await
}

fn check(input: &Choose) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    refusals.extend(text("input.name", &input.name, 200));
    refusals.extend(text("input.reason", &input.reason, 4_000));
    refusals.extend(check_checks_per_item(input.checks_per_item));
    refusals.extend(check_items(&input.items, check_item));
    refusals
}

fn check_item(place: usize, item: &ChosenItem) -> Vec<Refusal> {
    let path = format!("input.items.{place}.reason");
    let reason = item.reason.as_deref();
    let too_long = reason.and_then(|reason| optional_text(&path, reason, MAX_REASON));
    check_key(place, &item.key).into_iter().chain(too_long).collect()
}
