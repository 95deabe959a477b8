//! Case numbers: a year after their engagement ended, with the key of its pseudonyms. With the key, a case number could be found
//! again by trying them all; without it pseudonyms are mere numbers.

use chrono::{DateTime, Utc};
use entity::{EngagementId, ImportId, case_number, engagement, population, population_import};
use sea_orm::sea_query::Query;
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, DatabaseTransaction, EntityTrait as _, PaginatorTrait as _,
    QueryFilter as _, QueryOrder as _, QuerySelect as _, Select, Set,
};
use serde_json::json;

use super::service::{AT_ONCE, Part, ended_with, may_go};
use crate::access::{Action, Permit};
use crate::trail::{self, Subject};
use crate::{Ctx, Db, Error, Result};

/// Engagements that still have their key, and how many case numbers of each.
pub(super) async fn due(db: &Db, before: DateTime<Utc>) -> Result<Vec<Part>> {
    let with_key = engagement::Column::SealedKey.ne(Vec::<u8>::new());
    let mut parts = Vec::new();
    for id in ended_with(db, before, with_key).await? {
        parts.push(Part::of(id, of(id).count(db.reader()).await?));
    }
    Ok(parts)
}

/// The case numbers of an engagement.
fn of(id: EngagementId) -> Select<case_number::Entity> {
    let populations = Query::select()
        .column(population::Column::Id)
        .from(population::Entity)
        .cond_where(population::Column::EngagementId.eq(id))
        .take();
    let imports = Query::select()
        .column(population_import::Column::Id)
        .from(population_import::Entity)
        .cond_where(population_import::Column::PopulationId.in_subquery(populations))
        .take();
    case_number::Entity::find().filter(case_number::Column::ImportId.in_subquery(imports))
}

/// Destroys the case numbers of an engagement, and at last its key.
pub(super) async fn delete(
    ctx: &Ctx,
    db: &Db,
    id: EngagementId,
    before: DateTime<Utc>,
) -> Result<Option<Part>> {
    let mut count = 0;
    loop {
        let tx = db.begin_write().await?;
        if !may_go(&tx, id, before).await? {
            tx.rollback().await?;
            return Ok((count > 0).then(|| Part::of(id, count)));
        }
        let gone = delete_some(&tx, id).await?;
        count += gone;
        if gone == 0 {
            forget_key(&tx, ctx, id).await?;
            tx.commit().await?;
            return Ok(Some(Part::of(id, count)));
        }
        tx.commit().await?;
    }
}

async fn delete_some(tx: &DatabaseTransaction, id: EngagementId) -> Result<u64> {
    let some: Vec<(ImportId, Vec<u8>)> = of(id)
        .order_by_asc(case_number::Column::ImportId)
        .order_by_asc(case_number::Column::CaseKey)
        .limit(AT_ONCE)
        .select_only()
        .column(case_number::Column::ImportId)
        .column(case_number::Column::CaseKey)
        .into_tuple()
        .all(tx)
        .await?;
    let mut gone = 0;
    for same in some.chunk_by(|one, other| one.0 == other.0) {
        let keys = same.iter().map(|(_, key)| key.clone());
        gone += case_number::Entity::delete_many()
            .filter(case_number::Column::ImportId.eq(same[0].0))
            .filter(case_number::Column::CaseKey.is_in(keys))
            .exec(tx)
            .await?
            .rows_affected;
    }
    Ok(gone)
}

async fn forget_key(tx: &DatabaseTransaction, ctx: &Ctx, id: EngagementId) -> Result<()> {
    let row = engagement::Entity::find_by_id(id)
        .one(tx)
        .await?
        .ok_or_else(|| Error::internal("an engagement that was locked is gone"))?;
    if row.sealed_key.is_empty() {
        // Another instance was here meanwhile.
        return Ok(());
    }
    let before = trail::state(ctx, &row)?;
    let mut change: engagement::ActiveModel = row.into();
    change.sealed_key = Set(Vec::new());
    let row = change.update(tx).await?;
    let subject = Subject::new("Engagement", id.0, id).changed(before, trail::state(ctx, &row)?);
    let permit = Permit::own_work(Action::RetentionRun);
    trail::record(tx, ctx, &permit, subject, json!({ "key": "DESTROYED" })).await
}
