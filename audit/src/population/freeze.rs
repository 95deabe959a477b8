//! Freezing: the population is reconciled, its root computed over every row, and from then on nothing changes.

use entity::difference::{self, State as DifferenceState};
use entity::draw_event::{self, Kind};
use entity::population::{ActiveModel, Model, State};
use entity::{
    Cents, DrawEventId, EngagementId, PopulationId, SampleId, control_cell, control_total, population_item,
};
use futures_util::TryStreamExt;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, Set,
};
use serde_json::json;

use super::canonical::{CanonicalRow, leaf_in};
use super::control::current;
use super::reconciliation::{Parts, needs_all_lines};
use super::service::{lock_unfrozen, no_running_import};
use crate::access::{Action, authorize_write};
use crate::error::must_be_version;
use crate::trail::merkle::{Hash, TreeHasher};
use crate::trail::{self, Subject};
use crate::{Code, Ctx, Db, Error, Result};

/// Freezes a population. Needs a control total entered after the last import, by somebody who imported nothing, and an
/// approved explanation for every difference. That of decisions and procedures has to speak of all lines: otherwise a
/// missing refusal would show nowhere.
///
/// The root is computed before the write transaction, so that nobody waits for it; the expected version makes sure that
/// nothing was added meanwhile.
pub async fn freeze(ctx: &Ctx, db: &Db, id: PopulationId, expected_version: i32) -> Result<Model> {
    let permit = authorize_write(ctx, db, Action::PopulationFreeze).await?;
    ready(ctx, db, id, expected_version).await?;
    let (root, parts) = root(db, id).await?;
    let tx = db.begin_write().await?;
    let row = lock_unfrozen(&tx, ctx, id, "input.id").await?;
    let total = check(&tx, &row, expected_version).await?;
    let counted = (
        (row.positive_count, row.positive_cents.0),
        row.zero_count,
        (row.negative_count, row.negative_cents.0),
    );
    let found = (
        (count(parts.positive.count), parts.positive.sum),
        count(parts.zero.count),
        (count(parts.negative.count), parts.negative.sum),
    );
    if counted != found {
        return Err(Error::refused(Code::FrameChanged, "input.id"));
    }
    let (engagement, before) = (row.engagement_id, trail::state(ctx, &row)?);
    let mut change: ActiveModel = row.into();
    change.state = Set(State::Frozen);
    change.merkle_root = Set(Some(root.to_vec()));
    change.frozen_by = Set(Some(ctx.caller.subject.clone()));
    change.frozen_at = Set(Some(ctx.now()));
    change.version = Set(expected_version + 1);
    let row = change.update(&tx).await?;
    let number = number_event(&tx, ctx, engagement, Kind::Freeze, id, None, None).await?;
    let detail = json!({
        "root": hex::encode(root),
        "items": row.item_count,
        "sum": row.sum_cents.to_string(),
        "controlTotal": total.id.0,
        "event": number,
    });
    let subject = Subject::new("Population", id.0, engagement).changed(before, trail::state(ctx, &row)?);
    trail::record(&tx, ctx, &permit, subject, detail).await?;
    tx.commit().await?;
    Ok(row)
}

fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// What can be said before the long computation.
async fn ready(ctx: &Ctx, db: &Db, id: PopulationId, expected_version: i32) -> Result<()> {
    let tx = db.begin_write().await?;
    let row = lock_unfrozen(&tx, ctx, id, "input.id").await?;
    check(&tx, &row, expected_version).await?;
    Ok(())
}

/// What stands in the way of freezing; otherwise the control total it is frozen by.
async fn check(tx: &DatabaseTransaction, row: &Model, expected_version: i32) -> Result<control_total::Model> {
    must_be_version(row.version, expected_version)?;
    no_running_import(tx, row.id, "input.id").await?;
    if row.item_count == 0 {
        return Err(Error::refused(Code::PopulationEmpty, "input.id"));
    }
    let total = current(tx, row.id)
        .await?
        .ok_or_else(|| Error::refused(Code::ControlTotalMissing, "input.id"))?;
    if total.population_version != row.version {
        return Err(Error::refused(Code::ControlTotalOutdated, "input.id"));
    }
    if needs_all_lines(row.unit) && !speaks_of_all_lines(tx, &total).await? {
        return Err(Error::refused(Code::ControlTotalWithoutAllLines, "input.id"));
    }
    let open = open_differences(tx, &total).await?;
    if open > 0 {
        return Err(Error::refused_with(Code::DifferencesOpen, "input.id", open));
    }
    Ok(total)
}

async fn speaks_of_all_lines(tx: &DatabaseTransaction, total: &control_total::Model) -> Result<bool> {
    let cells = control_cell::Entity::find()
        .filter(control_cell::Column::ControlTotalId.eq(total.id))
        .filter(control_cell::Column::Fund.is_null())
        .count(tx)
        .await?;
    Ok(cells > 0)
}

async fn open_differences(tx: &DatabaseTransaction, total: &control_total::Model) -> Result<u64> {
    Ok(difference::Entity::find()
        .filter(difference::Column::ControlTotalId.eq(total.id))
        .filter(difference::Column::State.ne(DifferenceState::Approved))
        .count(tx)
        .await?)
}

/// The root over all rows in canonical order (bytewise by id), and what was counted on the way. Constant memory.
async fn root(db: &Db, id: PopulationId) -> Result<(Hash, Parts)> {
    let mut tree = TreeHasher::new();
    let mut parts = Parts::default();
    let mut buffer = Vec::with_capacity(512);
    let mut rows = population_item::Entity::find()
        .filter(population_item::Column::PopulationId.eq(id))
        .order_by_asc(population_item::Column::Id)
        .stream(db.reader())
        .await?;
    while let Some(row) = rows.try_next().await? {
        tree.push(row_leaf(&row, &mut buffer)?);
        parts
            .add(row.amount_cents.0)
            .map_err(|error| Error::internal(error.to_string()))?;
    }
    Ok((tree.root(), parts))
}

fn row_leaf(row: &population_item::Model, buffer: &mut Vec<u8>) -> Result<Hash> {
    let fixed = |bytes: &[u8]| {
        <[u8; 16]>::try_from(bytes).map_err(|_| Error::internal("a pseudonym has a wrong length"))
    };
    let salt = <[u8; 32]>::try_from(row.salt.as_slice())
        .map_err(|_| Error::internal("a salt has a wrong length"))?;
    let attributes: std::collections::BTreeMap<String, String> =
        serde_json::from_str(&row.attributes).map_err(|error| Error::internal(error.to_string()))?;
    let attributes: Vec<(&str, &str)> = attributes
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let cents = |cents: Cents| cents.0;
    let canonical = CanonicalRow {
        id: row.id.0,
        item_key: fixed(&row.item_key)?,
        case_key: row.case_key.as_deref().map(fixed).transpose()?,
        bezirksstelle_id: row.bezirksstelle_id.0,
        amount: cents(row.amount_cents),
        funds: [row.bund_cents, row.kommune_cents, row.land_cents, row.eu_cents].map(cents),
        product: &row.product,
        period: row.period,
        decision_date: row.decision_date,
        kind: &row.kind,
        own_staff: row.own_staff,
        attributes: &attributes,
        reference: &row.reference,
    };
    Ok(leaf_in(&salt, &canonical, buffer))
}

/// Appends the next numbered event of an engagement. The engagement is locked by the caller.
pub(crate) async fn number_event(
    tx: &DatabaseTransaction,
    ctx: &Ctx,
    engagement: EngagementId,
    kind: Kind,
    population: PopulationId,
    sample: Option<SampleId>,
    reason: Option<String>,
) -> Result<i32> {
    let last: Option<i32> = draw_event::Entity::find()
        .filter(draw_event::Column::EngagementId.eq(engagement))
        .select_only()
        .column_as(draw_event::Column::Number.max(), "number")
        .into_tuple::<Option<i32>>()
        .one(tx)
        .await?
        .flatten();
    let number = last.unwrap_or(0) + 1;
    draw_event::ActiveModel {
        id: Set(DrawEventId(ctx.new_id())),
        engagement_id: Set(engagement),
        number: Set(number),
        kind: Set(kind),
        population_id: Set(population),
        sample_id: Set(sample),
        reason: Set(reason),
        by_subject: Set(ctx.caller.subject.clone()),
        at: Set(ctx.now()),
    }
    .insert(tx)
    .await?;
    Ok(number)
}
