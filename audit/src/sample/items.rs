//! Lists of sample items, and making them visible to their Bezirksstelle.

use std::collections::HashMap;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use entity::sample::State as SampleState;
use entity::sample_item::{CheckResult, Column, Entity, Model, State};
use entity::{
    BezirksstelleId, Cents, EngagementId, ItemId, ListedItem, SampleId, SampleItemId, Scope, StratumId,
    population_item,
};
use sea_orm::sea_query::{Expr, ExprTrait, Func, LikeExpr};
use sea_orm::{ColumnTrait, Condition, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect, Select};
use serde::Serialize;
use serde_json::json;
use unicode_normalization::UnicodeNormalization as _;

use super::record::MAX_RECORDED_ITEMS;
use super::service::{subject, visible_at};
use crate::access::{Action, Class, Classes, authorize, authorize_write, disclose};
use crate::assignment::mine;
use crate::db::among;
use crate::engagement::lock_open;
use crate::grant::charge;
use crate::page::{self, Page, PageArgs};
use crate::refusal::optional_text;
use crate::trail;
use crate::{Code, Ctx, Db, Error, Result};

/// What is noted as read: a drawn item, with the population item and the checks behind it.
pub(super) const KIND: &str = "SampleItem";
/// Longest text looked for in references.
const MAX_TEXT: usize = 200;
/// Ids of one statement.
const AT_ONCE: usize = 500;

/// Which items are listed; what is not named does not restrict.
#[derive(Clone, Debug, Default)]
pub struct ItemFilter {
    /// Of this engagement.
    pub engagement: Option<EngagementId>,
    /// Of this sample.
    pub sample: Option<SampleId>,
    /// Of this Bezirksstelle.
    pub bezirksstelle: Option<BezirksstelleId>,
    /// Of this stratum.
    pub stratum: Option<StratumId>,
    /// Checked so far.
    pub state: Option<State>,
    /// With this result.
    pub result: Option<CheckResult>,
    /// Of this amount or more.
    pub amount_from: Option<Cents>,
    /// Of this amount or less.
    pub amount_to: Option<Cents>,
    /// With this text in the reference, up to 200 characters, taken literally. Letters A to Z match in either case;
    /// others (Ä, é) as written, on both databases.
    pub reference: Option<String>,
    /// Visible to the Bezirksstelle by now, or not.
    pub announced: Option<bool>,
    /// On the caller's own list: assigned to them, open, and not checked by them yet.
    pub mine: bool,
}

/// What items are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ItemSort {
    /// Position in the draw.
    #[default]
    DrawOrder,
    /// Amount.
    Amount,
    /// Reference, bytewise.
    Reference,
    /// Nothing of theirs: as they were written.
    Id,
}

/// How items are sorted; the id decides between equals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ItemOrder {
    /// By what.
    pub by: ItemSort,
    /// From the greatest on.
    pub descending: bool,
}

impl ItemOrder {
    /// The order a caller gets who names none: as drawn, or one that tells nothing where the draw is not theirs to see.
    pub fn usual(ctx: &Ctx) -> Self {
        let by = if ctx.caller.classes().contains(Class::Audit) {
            ItemSort::DrawOrder
        } else {
            ItemSort::Id
        };
        Self {
            by,
            descending: false,
        }
    }
}

/// Totals over a whole list, of the rows the caller may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Totals {
    /// Items.
    pub count: i64,
    /// Their sum.
    pub amount: Cents,
    /// Their hits.
    pub hits: i64,
}

/// A page of the sample items the caller may see; totals only where asked for.
pub async fn items(
    ctx: &Ctx,
    db: &Db,
    filter: &ItemFilter,
    order: ItemOrder,
    args: &PageArgs,
    counted: bool,
) -> Result<(Page<ListedItem>, Option<Totals>)> {
    authorize(ctx, Action::SampleItemRead)?;
    disclose(ctx, Action::SampleItemRead, told(filter, order))?;
    let select = filtered(ctx, filter)?;
    let totals = if counted {
        Some(totals(select.clone(), db).await?)
    } else {
        None
    };
    let sort = match order.by {
        ItemSort::DrawOrder => Column::DrawOrder,
        ItemSort::Amount => Column::AmountCents,
        ItemSort::Reference => Column::Reference,
        ItemSort::Id => Column::Id,
    };
    let visible = Entity::visible_to(&ctx.caller.scope(ctx.now()));
    let (columns, down) = ([sort, Column::Id], order.descending);
    let page: Page<ListedItem> = page::by_column(select, &visible, columns, down, args, db.reader()).await?;
    charge(ctx, db, page.rows.len()).await?;
    let seen = page.rows.iter().map(|row| (row.engagement_id, row.id.0));
    ctx.notes.add(KIND, seen);
    if counted && page.rows.is_empty() {
        // A sum is told, though no row is.
        if let Some(engagement) = engagement_of(db, filter).await? {
            ctx.notes.add_whole(KIND, engagement);
        }
    }
    Ok((page, totals))
}

/// The engagement that a filter keeps to.
async fn engagement_of(db: &Db, filter: &ItemFilter) -> Result<Option<EngagementId>> {
    let Some(sample) = filter.sample else {
        return Ok(filter.engagement);
    };
    Ok(entity::sample::Entity::find_by_id(sample)
        .one(db.reader())
        .await?
        .map(|row| row.engagement_id))
}

/// What searching and sorting tell: nobody learns by them what they do not see.
fn told(filter: &ItemFilter, order: ItemOrder) -> Classes {
    let papers =
        filter.mine || filter.state.is_some() || filter.result.is_some() || order.by == ItemSort::DrawOrder;
    let social = filter.amount_from.is_some()
        || filter.amount_to.is_some()
        || filter.reference.is_some()
        || matches!(order.by, ItemSort::Amount | ItemSort::Reference);
    let one_of = |told: bool, class| {
        if told {
            Classes::of(&[class])
        } else {
            Classes::NONE
        }
    };
    one_of(papers, Class::Audit).or(one_of(social, Class::SocialData))
}

fn filtered(ctx: &Ctx, filter: &ItemFilter) -> Result<Select<Entity>> {
    let now = ctx.now();
    let mut select = Entity::visible_to(&ctx.caller.scope(now)).filter(
        Condition::all()
            .add_option(filter.engagement.map(|id| Column::EngagementId.eq(id)))
            .add_option(filter.sample.map(|id| Column::SampleId.eq(id)))
            .add_option(filter.bezirksstelle.map(|id| Column::BezirksstelleId.eq(id)))
            .add_option(filter.stratum.map(|id| Column::StratumId.eq(id)))
            .add_option(filter.mine.then(|| mine(&ctx.caller.subject)))
            .add_option(filter.state.map(|state| Column::State.eq(state)))
            .add_option(filter.result.map(|result| Column::Result.eq(result)))
            .add_option(filter.amount_from.map(|cents| Column::AmountCents.gte(cents)))
            .add_option(filter.amount_to.map(|cents| Column::AmountCents.lte(cents))),
    );
    select = match filter.announced {
        None => select,
        Some(true) => select.filter(Column::VisibleFrom.lte(now)),
        Some(false) => select.filter(not_announced(now)),
    };
    match filter.reference.as_deref().filter(|text| !text.trim().is_empty()) {
        None => Ok(select),
        Some(text) => {
            if let Some(refusal) = optional_text("filter.reference", text, MAX_TEXT) {
                return Err(Error::Refused(vec![refusal]));
            }
            // LOWER knows A to Z only: on SQLite always, on PostgreSQL by the column's collation "C".
            let reference = Func::lower(Expr::col((Entity, Column::Reference)));
            Ok(select.filter(Expr::expr(reference).like(LikeExpr::new(pattern(text)).escape('\\'))))
        }
    }
}

/// Not visible to the Bezirksstelle by now: never announced, or for later.
fn not_announced(now: DateTime<Utc>) -> Condition {
    Condition::any()
        .add(Column::VisibleFrom.is_null())
        .add(Column::VisibleFrom.gt(now))
}

/// A LIKE pattern that finds the text literally, in NFC and with small letters A to Z.
fn pattern(text: &str) -> String {
    let mut pattern = "%".to_owned();
    for letter in text.trim().nfc() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter.to_ascii_lowercase());
    }
    pattern.push('%');
    pattern
}

/// The sum over a bigint column is numeric on PostgreSQL, hence the casts.
async fn totals(select: Select<Entity>, db: &Db) -> Result<Totals> {
    let sum = |column: Column| {
        let sum = Expr::col((Entity, column)).sum().cast_as("bigint");
        Expr::expr(Func::coalesce([sum, Expr::val(0_i64)]))
    };
    let (count, amount, hits) = select
        .select_only()
        .column_as(Column::Id.count(), "items")
        .column_as(sum(Column::AmountCents), "amount")
        .column_as(sum(Column::Hits), "hits")
        .into_tuple::<(i64, i64, i64)>()
        .one(db.reader())
        .await?
        .unwrap_or((0, 0, 0));
    Ok(Totals {
        count,
        amount: Cents(amount),
        hits,
    })
}

/// Sample items by id, those the caller may see.
pub async fn items_by_id(ctx: &Ctx, db: &Db, ids: &[SampleItemId]) -> Result<Vec<Model>> {
    authorize(ctx, Action::SampleItemRead)?;
    let mut rows = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(AT_ONCE) {
        let select = Entity::visible_to(&ctx.caller.scope(ctx.now()));
        rows.extend(
            select
                .filter(among(db.reader(), Column::Id, chunk.iter().copied()))
                .all(db.reader())
                .await?,
        );
    }
    charge(ctx, db, rows.len()).await?;
    ctx.notes
        .add(KIND, rows.iter().map(|row| (row.engagement_id, row.id.0)));
    Ok(rows)
}

/// The population items behind sample items, those the caller may see.
pub async fn population_items(
    ctx: &Ctx,
    db: &Db,
    ids: &[SampleItemId],
) -> Result<Vec<(SampleItemId, population_item::Model)>> {
    authorize(ctx, Action::SampleItemRead)?;
    let mut found = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(AT_ONCE) {
        let rows: Vec<(SampleItemId, ItemId, EngagementId)> =
            Entity::visible_to(&ctx.caller.scope(ctx.now()))
                .filter(among(db.reader(), Column::Id, chunk.iter().copied()))
                .select_only()
                .column(Column::Id)
                .column(Column::ItemId)
                .column(Column::EngagementId)
                .into_tuple()
                .all(db.reader())
                .await?;
        ctx.notes
            .add(KIND, rows.iter().map(|(id, _, engagement)| (*engagement, id.0)));
        let pairs: Vec<(SampleItemId, ItemId)> = rows.into_iter().map(|(id, item, _)| (id, item)).collect();
        // Several samples may hold one item.
        let rows: HashMap<ItemId, population_item::Model> = population_item::Entity::find()
            .filter(among(
                db.reader(),
                population_item::Column::Id,
                pairs.iter().map(|(_, item)| *item),
            ))
            .all(db.reader())
            .await?
            .into_iter()
            .map(|row| (row.id, row))
            .collect();
        found.extend(
            pairs
                .into_iter()
                .filter_map(|(id, item)| Some((id, rows.get(&item)?.clone()))),
        );
    }
    Ok(found)
}

/// No announcement lies farther ahead; a slip of the year would hide items for good.
const FARTHEST: TimeDelta = TimeDelta::days(3_653);

/// What makes items visible to their Bezirksstelle.
#[derive(Clone, Debug, Serialize)]
pub struct Announce {
    /// The drawn sample.
    pub sample_id: SampleId,
    /// Some of its items; all where none are named.
    pub item_ids: Option<Vec<SampleItemId>>,
    /// From when; at once where nothing is named. A time that has passed means at once: nothing is backdated.
    pub from: Option<DateTime<Utc>>,
}

/// Announces items, of those the caller sees: own staff's are announced by their group. The number of those announced. Items that are visible already stay as they are; a date that has
/// not come yet may be moved.
pub async fn announce(ctx: &Ctx, db: &Db, input: Announce) -> Result<u64> {
    let permit = authorize_write(ctx, db, Action::SampleItemAnnounce).await?;
    let ids = input.item_ids.unwrap_or_default();
    let all = ids.is_empty();
    if ids.len() > MAX_RECORDED_ITEMS {
        return Err(Error::refused_with(
            Code::TooMany,
            "input.itemIds",
            MAX_RECORDED_ITEMS,
        ));
    }
    let tx = db.begin_write().await?;
    let scope = ctx.caller.scope(ctx.now());
    let sample = visible_at(&tx, &scope, input.sample_id, "input.sampleId").await?;
    lock_open(&tx, ctx, sample.engagement_id, "input.sampleId").await?;
    if sample.state != SampleState::Drawn {
        return Err(Error::refused(Code::SampleNotDrawn, "input.sampleId"));
    }
    let now = ctx.now();
    if input.from.is_some_and(|from| from > now + FARTHEST) {
        return Err(Error::refused(Code::InvalidValue, "input.from"));
    }
    let from = input
        .from
        .map_or(now, |from| std::cmp::Ord::max(from.trunc_subsecs(6), now));
    if !all {
        all_known(&tx, &scope, sample.id, &ids).await?;
    }
    let mut changed = [Vec::new(), Vec::new()];
    for (found, own_staff) in changed.iter_mut().zip([false, true]) {
        let which = entity::sample_item::condition(&scope)
            .add(Column::SampleId.eq(sample.id))
            .add(Column::OwnStaff.eq(own_staff));
        if all {
            *found = update(&tx, which, from, now).await?;
        } else {
            for chunk in ids.chunks(AT_ONCE) {
                let some = which.clone().add(Column::Id.is_in(chunk.iter().copied()));
                found.extend(update(&tx, some, from, now).await?);
            }
        }
        found.sort_unstable_by_key(|item| item.id);
    }
    // That own staff's items were announced is told to their group alone.
    let [others, own] = changed;
    let count = others.len() + own.len();
    for (found, own_staff) in [(others, false), (own, true)] {
        if found.is_empty() && (own_staff || count > 0) {
            continue;
        }
        let before = trail::state_with(ctx, &sample, &found)?;
        let left: Vec<Model> = found.into_iter().map(|item| announced(item, from)).collect();
        let detail = json!({
            "items": left.len(),
            "from": from,
            "itemsBefore": before.hex(),
            "itemsAfter": trail::state_with(ctx, &sample, &left)?.hex(),
        });
        let subject = subject(&sample).of_own_staff(own_staff);
        trail::record(&tx, ctx, &permit, subject, detail).await?;
    }
    tx.commit().await?;
    Ok(count as u64)
}

/// Announces those that are not visible yet, and answers them as they were. The engagement is locked: nobody changes them between.
async fn update(
    tx: &DatabaseTransaction,
    which: Condition,
    from: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Vec<Model>> {
    let which = which
        .add(not_announced(now))
        .add(Column::State.ne(State::Replaced));
    let found = Entity::find().filter(which.clone()).all(tx).await?;
    Entity::update_many()
        .col_expr(Column::VisibleFrom, Expr::val(from))
        .col_expr(Column::Version, Expr::col(Column::Version).add(1))
        .filter(which)
        .exec(tx)
        .await?;
    Ok(found)
}

/// The item as [`update`] leaves it.
fn announced(item: Model, from: DateTime<Utc>) -> Model {
    Model {
        visible_from: Some(from),
        version: item.version + 1,
        ..item
    }
}

async fn all_known(
    tx: &DatabaseTransaction,
    scope: &Scope,
    sample: SampleId,
    ids: &[SampleItemId],
) -> Result<()> {
    let mut known = std::collections::HashSet::with_capacity(ids.len());
    for chunk in ids.chunks(AT_ONCE) {
        let found: Vec<SampleItemId> = Entity::visible_to(scope)
            .filter(Column::SampleId.eq(sample))
            .filter(Column::Id.is_in(chunk.iter().copied()))
            .select_only()
            .column(Column::Id)
            .into_tuple()
            .all(tx)
            .await?;
        known.extend(found);
    }
    match ids.iter().position(|id| !known.contains(id)) {
        None => Ok(()),
        Some(place) => Err(Error::refused(Code::NotFound, &format!("input.itemIds.{place}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::pattern;

    #[test]
    fn wildcards_are_text_like_any_other() {
        assert_eq!(pattern(" 50%_A\\Ä "), "%50\\%\\_a\\\\Ä%");
        assert_eq!(pattern("u\u{308}"), "%ü%");
    }
}
