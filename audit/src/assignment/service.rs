//! Assigning, releasing, and telling how far checking has come.

use std::collections::{HashMap, HashSet};

use entity::assignment::{ActiveModel, Column, Entity, Model};
use entity::sample_item::State;
use entity::{AssignmentId, SampleId, SampleItemId, Scope, item_check, sample, sample_item};
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, Condition, DatabaseTransaction, EntityTrait as _,
    QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use serde::Serialize;
use serde_json::json;

use super::rules::{self, MAX_ITEMS, Open, check_tester, check_testers};
use crate::access::{Action, Permit, authorize, authorize_write};
use crate::db::among;
use crate::engagement::{lock, must_be_open};
use crate::error::required;
use crate::idempotency::{Claimed, claim};
use crate::sample::visible_at;
use crate::trail::{self, Subject};
use crate::{Code, Ctx, Db, Error, Refusal, Result};

/// Rows of one statement.
const AT_ONCE: usize = 500;

/// What assigns items by hand.
#[derive(Clone, Debug, Serialize)]
pub struct Assign {
    /// The drawn sample.
    pub sample_id: SampleId,
    /// Its items, 1 to [`MAX_ITEMS`].
    pub item_ids: Vec<SampleItemId>,
    /// Who is to check them: the subject of their tokens.
    pub tester: String,
}

/// Assigns items to one person. Items they have already stay theirs. The sample.
pub async fn assign(ctx: &Ctx, db: &Db, idempotency_key: &str, input: Assign) -> Result<sample::Model> {
    let permit = authorize_write(ctx, db, Action::CheckAssign).await?;
    let mut refusals = check_items(&input.item_ids);
    refusals.extend(check_tester("input.tester", &input.tester));
    if !refusals.is_empty() {
        return Err(Error::Refused(refusals));
    }
    let tx = db.begin_write().await?;
    let sample = match open_sample(
        &tx,
        ctx,
        input.sample_id,
        Some((idempotency_key, "assignSampleItems", &input)),
    )
    .await?
    {
        Held::New(sample) => sample,
        Held::Repeated(sample) => return Ok(sample),
    };
    let items = named(&tx, ctx, &sample, &input.item_ids).await?;
    let taken = taken(&tx, &input.item_ids).await?;
    let needed = usize::try_from(sample.checks_per_item).unwrap_or(1);
    let mut refusals = Vec::new();
    let mut new = Vec::new();
    for (place, id) in input.item_ids.iter().enumerate() {
        let Some(item) = items.get(id) else { continue };
        let by = taken.get(id);
        if by.is_some_and(|by| by.contains(&input.tester)) {
            continue;
        }
        let path = format!("input.itemIds.{place}");
        if matches!(item.state, State::Checked | State::Replaced) {
            refusals.push(Refusal::new(Code::AssignmentNotOpen, &path));
        } else if by.is_some_and(|by| by.len() >= needed) {
            refusals.push(Refusal::new(Code::AssignmentComplete, &path).with(needed));
        } else {
            new.push((item.clone(), input.tester.clone()));
        }
    }
    if !refusals.is_empty() {
        return Err(Error::Refused(refusals));
    }
    insert(&tx, ctx, &permit, &sample, new).await?;
    tx.commit().await?;
    Ok(sample)
}

/// What distributes the items of a sample.
#[derive(Clone, Debug, Serialize)]
pub struct Distribute {
    /// The drawn sample.
    pub sample_id: SampleId,
    /// Among whom: the subjects of their tokens, 1 to [`super::MAX_TESTERS`].
    pub testers: Vec<String>,
}

/// Distributes what is not assigned yet evenly, in the order of the draw. Own staff's items are assigned by hand alone, by their group. The sample.
pub async fn distribute(
    ctx: &Ctx,
    db: &Db,
    idempotency_key: &str,
    input: Distribute,
) -> Result<sample::Model> {
    let permit = authorize_write(ctx, db, Action::CheckAssign).await?;
    let refusals = check_testers(&input.testers);
    if !refusals.is_empty() {
        return Err(Error::Refused(refusals));
    }
    let tx = db.begin_write().await?;
    let sample = match open_sample(
        &tx,
        ctx,
        input.sample_id,
        Some((idempotency_key, "distributeSampleItems", &input)),
    )
    .await?
    {
        Held::New(sample) => sample,
        Held::Repeated(sample) => return Ok(sample),
    };
    let items = sample_item::Entity::visible_to(&Scope::WithoutOwnStaff)
        .filter(sample_item::Column::SampleId.eq(sample.id))
        .filter(sample_item::Column::State.is_in([State::Open, State::PartlyChecked, State::Disputed]))
        .order_by_asc(sample_item::Column::DrawOrder)
        .all(&tx)
        .await?;
    let ids: Vec<SampleItemId> = items.iter().map(|item| item.id).collect();
    let mut taken = taken(&tx, &ids).await?;
    let mut load: HashMap<String, usize> = HashMap::new();
    for tester in taken.values().flatten() {
        *load.entry(tester.clone()).or_default() += 1;
    }
    let open: Vec<Open> = ids
        .iter()
        .map(|item| Open {
            item: *item,
            taken_by: taken.remove(item).unwrap_or_default(),
        })
        .collect();
    let needed = usize::try_from(sample.checks_per_item).unwrap_or(1);
    let given = rules::distribute(&open, needed, &input.testers, &load);
    let by_id: HashMap<SampleItemId, sample_item::Model> =
        items.into_iter().map(|item| (item.id, item)).collect();
    let mut new = Vec::with_capacity(given.len());
    for (id, tester) in given {
        let item = required(by_id.get(&id))?;
        new.push((item.clone(), tester.to_owned()));
    }
    insert(&tx, ctx, &permit, &sample, new).await?;
    tx.commit().await?;
    Ok(sample)
}

/// What releases items.
#[derive(Clone, Debug)]
pub struct Release {
    /// The sample.
    pub sample_id: SampleId,
    /// Its items, 1 to [`MAX_ITEMS`].
    pub item_ids: Vec<SampleItemId>,
    /// Whose they are no longer.
    pub tester: String,
}

/// Ends one person's assignments. Items that are not theirs stay as they are. The sample.
pub async fn release(ctx: &Ctx, db: &Db, input: Release) -> Result<sample::Model> {
    let permit = authorize_write(ctx, db, Action::CheckAssign).await?;
    let mut refusals = check_items(&input.item_ids);
    refusals.extend(check_tester("input.tester", &input.tester));
    if !refusals.is_empty() {
        return Err(Error::Refused(refusals));
    }
    let tx = db.begin_write().await?;
    let sample = match open_sample::<()>(&tx, ctx, input.sample_id, None).await? {
        Held::New(sample) | Held::Repeated(sample) => sample,
    };
    let items = named(&tx, ctx, &sample, &input.item_ids).await?;
    let ended = Entity::find()
        .filter(among(&tx, Column::SampleItemId, items.keys().copied()))
        .filter(Column::Tester.eq(&input.tester))
        .filter(Column::EndedAt.is_null())
        .order_by_asc(Column::Id)
        .all(&tx)
        .await?;
    if !ended.is_empty() {
        Entity::update_many()
            .col_expr(Column::EndedAt, Expr::val(ctx.now()))
            .col_expr(Column::EndedBy, Expr::val(ctx.caller.subject.clone()))
            .filter(among(&tx, Column::Id, ended.iter().map(|row| row.id)))
            .exec(&tx)
            .await?;
        let left: Vec<Model> = ended
            .iter()
            .cloned()
            .map(|row| Model {
                ended_at: Some(ctx.now()),
                ended_by: Some(ctx.caller.subject.clone()),
                ..row
            })
            .collect();
        record(&tx, ctx, &permit, &sample, "RELEASED", &left).await?;
    }
    tx.commit().await?;
    Ok(sample)
}

enum Held {
    New(sample::Model),
    /// The same was asked before under the same key.
    Repeated(sample::Model),
}

/// The visible sample, its engagement open and locked, and the key remembered.
async fn open_sample<I: Serialize + Sync>(
    tx: &DatabaseTransaction,
    ctx: &Ctx,
    id: SampleId,
    once: Option<(&str, &'static str, &I)>,
) -> Result<Held> {
    let path = "input.sampleId";
    let sample = visible_at(tx, &ctx.caller.scope(ctx.now()), id, path).await?;
    let engagement = lock(tx, ctx, sample.engagement_id, path).await?;
    if let Some((key, operation, input)) = once {
        match claim(tx, ctx, key, operation, input).await? {
            Claimed::New(claim) => claim.remember(tx, ctx, sample.id.0).await?,
            Claimed::Repeated(_) => return Ok(Held::Repeated(sample)),
        }
    }
    must_be_open(&engagement, path)?;
    Ok(Held::New(sample))
}

fn check_items(ids: &[SampleItemId]) -> Vec<Refusal> {
    if ids.is_empty() {
        return vec![Refusal::new(Code::Required, "input.itemIds")];
    }
    if ids.len() > MAX_ITEMS {
        return vec![Refusal::new(Code::TooMany, "input.itemIds").with(MAX_ITEMS)];
    }
    let mut named = HashSet::new();
    let doubled = ids.iter().enumerate().filter(|(_, id)| !named.insert(**id));
    doubled
        .map(|(place, _)| Refusal::new(Code::ItemDoubled, &format!("input.itemIds.{place}")).with(place + 1))
        .collect()
}

/// The named items, all of the sample and visible to the caller.
async fn named(
    tx: &DatabaseTransaction,
    ctx: &Ctx,
    sample: &sample::Model,
    ids: &[SampleItemId],
) -> Result<HashMap<SampleItemId, sample_item::Model>> {
    let rows = sample_item::Entity::visible_to(&ctx.caller.scope(ctx.now()))
        .filter(sample_item::Column::SampleId.eq(sample.id))
        .filter(among(tx, sample_item::Column::Id, ids.iter().copied()))
        .all(tx)
        .await?;
    ctx.notes
        .add("SampleItem", rows.iter().map(|row| (row.engagement_id, row.id.0)));
    let items: HashMap<SampleItemId, sample_item::Model> =
        rows.into_iter().map(|row| (row.id, row)).collect();
    let missing = ids.iter().enumerate().filter(|(_, id)| !items.contains_key(id));
    let refusals: Vec<Refusal> = missing
        .map(|(place, _)| Refusal::new(Code::NotFound, &format!("input.itemIds.{place}")))
        .collect();
    if refusals.is_empty() {
        Ok(items)
    } else {
        Err(Error::Refused(refusals))
    }
}

/// To whom items are assigned, and who has checked them.
async fn taken(
    tx: &DatabaseTransaction,
    ids: &[SampleItemId],
) -> Result<HashMap<SampleItemId, HashSet<String>>> {
    let mut taken: HashMap<SampleItemId, HashSet<String>> = HashMap::new();
    for chunk in ids.chunks(AT_ONCE) {
        let assigned: Vec<(SampleItemId, String)> = Entity::find()
            .filter(among(tx, Column::SampleItemId, chunk.iter().copied()))
            .filter(Column::EndedAt.is_null())
            .select_only()
            .columns([Column::SampleItemId, Column::Tester])
            .into_tuple()
            .all(tx)
            .await?;
        let checked: Vec<(SampleItemId, String)> = item_check::Entity::visible_to(&Scope::Everything)
            .filter(among(tx, item_check::Column::SampleItemId, chunk.iter().copied()))
            .select_only()
            .columns([item_check::Column::SampleItemId, item_check::Column::Tester])
            .into_tuple()
            .all(tx)
            .await?;
        for (item, tester) in assigned.into_iter().chain(checked) {
            taken.entry(item).or_default().insert(tester);
        }
    }
    Ok(taken)
}

async fn insert(
    tx: &DatabaseTransaction,
    ctx: &Ctx,
    permit: &Permit,
    sample: &sample::Model,
    new: Vec<(sample_item::Model, String)>,
) -> Result<()> {
    if new.is_empty() {
        return Ok(());
    }
    let rows: Vec<Model> = new
        .into_iter()
        .map(|(item, tester)| Model {
            id: AssignmentId(ctx.new_id()),
            engagement_id: item.engagement_id,
            sample_id: item.sample_id,
            sample_item_id: item.id,
            own_staff: item.own_staff,
            tester,
            assigned_by: ctx.caller.subject.clone(),
            assigned_at: ctx.now(),
            ended_by: None,
            ended_at: None,
        })
        .collect();
    for chunk in rows.chunks(AT_ONCE) {
        let chunk = chunk
            .iter()
            .cloned()
            .map(|row| ActiveModel::from(row).reset_all());
        Entity::insert_many(chunk).exec_without_returning(tx).await?;
    }
    record(tx, ctx, permit, sample, "ASSIGNED", &rows).await
}

/// One entry for what everybody of the audit function sees, and one for own staff's items, which is told to their group alone.
async fn record(
    tx: &DatabaseTransaction,
    ctx: &Ctx,
    permit: &Permit,
    sample: &sample::Model,
    what: &'static str,
    rows: &[Model],
) -> Result<()> {
    for own_staff in [false, true] {
        let part: Vec<Model> = rows
            .iter()
            .filter(|row| row.own_staff == own_staff)
            .cloned()
            .collect();
        if part.is_empty() {
            continue;
        }
        let testers: HashSet<&str> = part.iter().map(|row| row.tester.as_str()).collect();
        let mut testers: Vec<&str> = testers.into_iter().collect();
        testers.sort_unstable();
        let detail = json!({
            "what": what,
            "items": part.len(),
            "testers": testers,
            "assignments": trail::state_with(ctx, sample, &part)?.hex(),
        });
        let subject = Subject::new("Sample", sample.id.0, sample.engagement_id).of_own_staff(own_staff);
        trail::record(tx, ctx, permit, subject, detail).await?;
    }
    Ok(())
}

/// The condition on sample items by which they are on somebody's list: assigned to them, open, and not checked by them yet.
pub fn mine(subject: &str) -> Condition {
    let assigned = Query::select()
        .column(Column::SampleItemId)
        .from(Entity)
        .cond_where(
            Condition::all()
                .add(Column::Tester.eq(subject))
                .add(Column::EndedAt.is_null()),
        )
        .take();
    let checked = Query::select()
        .column(item_check::Column::SampleItemId)
        .from(item_check::Entity)
        .cond_where(item_check::Column::Tester.eq(subject))
        .take();
    Condition::all()
        .add(sample_item::Column::Id.in_subquery(assigned))
        .add(sample_item::Column::Id.not_in_subquery(checked))
        .add(sample_item::Column::State.is_in([State::Open, State::PartlyChecked]))
}

/// Assignments of items that hold now, those the caller may see, oldest first.
pub async fn current_of(ctx: &Ctx, db: &Db, items: &[SampleItemId]) -> Result<Vec<Model>> {
    authorize(ctx, Action::CheckRead)?;
    let mut rows = Vec::new();
    for chunk in items.chunks(AT_ONCE) {
        let found: Vec<Model> = Entity::visible_to(&ctx.caller.scope(ctx.now()))
            .filter(among(db.reader(), Column::SampleItemId, chunk.iter().copied()))
            .filter(Column::EndedAt.is_null())
            .order_by_asc(Column::Id)
            .all(db.reader())
            .await?;
        rows.extend(found);
    }
    Ok(rows)
}

/// How far the checking of a sample has come, of the items the caller may see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Items, without replaced ones.
    pub items: i64,
    /// Not checked by anybody.
    pub open: i64,
    /// Checked by some of those who have to.
    pub partly_checked: i64,
    /// Checked with different results.
    pub disputed: i64,
    /// Checked.
    pub checked: i64,
    /// Not checked yet, and assigned to nobody.
    pub unassigned: i64,
}

impl Progress {
    /// Nothing is left to check.
    pub const fn is_complete(&self) -> bool {
        self.checked == self.items
    }
}

/// How far the checking of samples has come; of those the caller may see.
pub async fn progress(ctx: &Ctx, db: &Db, samples: &[SampleId]) -> Result<Vec<(SampleId, Progress)>> {
    authorize(ctx, Action::CheckRead)?;
    let scope = ctx.caller.scope(ctx.now());
    let visible: Vec<SampleId> = sample::Entity::visible_to(&scope)
        .filter(among(db.reader(), sample::Column::Id, samples.iter().copied()))
        .select_only()
        .column(sample::Column::Id)
        .into_tuple()
        .all(db.reader())
        .await?;
    let mut found: HashMap<SampleId, Progress> =
        visible.iter().map(|id| (*id, Progress::default())).collect();
    for (id, state, count) in counted(db, &scope, &visible, Condition::all()).await? {
        let Some(progress) = found.get_mut(&id) else {
            continue;
        };
        match state {
            State::Open => progress.open += count,
            State::PartlyChecked => progress.partly_checked += count,
            State::Disputed => progress.disputed += count,
            State::Checked => progress.checked += count,
            State::Replaced => continue,
        }
        progress.items += count;
    }
    let assigned = Query::select()
        .column(Column::SampleItemId)
        .from(Entity)
        .cond_where(Column::EndedAt.is_null())
        .take();
    let free = Condition::all()
        .add(sample_item::Column::Id.not_in_subquery(assigned))
        .add(sample_item::Column::State.is_in([State::Open, State::PartlyChecked, State::Disputed]));
    for (id, _, count) in counted(db, &scope, &visible, free).await? {
        if let Some(progress) = found.get_mut(&id) {
            progress.unassigned += count;
        }
    }
    Ok(found.into_iter().collect())
}

async fn counted(
    db: &Db,
    scope: &Scope,
    samples: &[SampleId],
    which: Condition,
) -> Result<Vec<(SampleId, State, i64)>> {
    Ok(sample_item::Entity::visible_to(scope)
        .filter(among(
            db.reader(),
            sample_item::Column::SampleId,
            samples.iter().copied(),
        ))
        .filter(which)
        .select_only()
        .column(sample_item::Column::SampleId)
        .column(sample_item::Column::State)
        .column_as(sample_item::Column::Id.count(), "items")
        .group_by(sample_item::Column::SampleId)
        .group_by(sample_item::Column::State)
        .into_tuple()
        .all(db.reader())
        .await?)
}
