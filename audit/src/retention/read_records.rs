//! Read records: six months after their engagement ended, and after the grant under which somebody read.

use chrono::{DateTime, Utc};
use entity::read_record::{Column, Entity};
use entity::{EngagementId, GrantId, ReadRecordId, engagement, grant, read_gate};

use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, Set,
};

use super::service::{AT_ONCE, Part, has_ended, held, may_go};
use crate::db::among;
use crate::{Ctx, Db, Result};

/// Engagement, number of records, when the oldest and the newest were made.
type Group = (Option<EngagementId>, i64, DateTime<Utc>, DateTime<Utc>);

/// What is due now.
pub(super) async fn due(db: &Db, before: DateTime<Utc>) -> Result<Vec<Part>> {
    let groups: Vec<Group> = Entity::find()
        .filter(past(db, before, &under_grants(db, before).await?))
        .select_only()
        .column(Column::EngagementId)
        .column_as(Column::Id.count(), "records")
        .column_as(Column::At.min(), "first")
        .column_as(Column::At.max(), "last")
        .group_by(Column::EngagementId)
        .order_by_asc(Column::EngagementId)
        .into_tuple()
        .all(db.reads())
        .await?;
    let named: Vec<EngagementId> = groups.iter().filter_map(|group| group.0).collect();
    let mut ended: Vec<EngagementId> = Vec::new();
    for some in named.chunks(500) {
        let rows = engagement::Entity::find()
            .filter(among(db.reader(), engagement::Column::Id, some.iter().copied()))
            .all(db.reader())
            .await?;
        ended.extend(rows.iter().filter(|row| has_ended(row, before)).map(|row| row.id));
    }
    let held = held(db).await?;
    Ok(groups
        .into_iter()
        .filter(|(id, ..)| match id {
            Some(id) => ended.contains(id) && !held.contains(id),
            // What hangs on no engagement may be about one that is held.
            None => held.is_empty(),
        })
        .map(|(engagement, count, from, to)| Part {
            engagement,
            count: count.unsigned_abs(),
            from: Some(from),
            to: Some(to),
        })
        .collect())
}

/// Grants whose records are kept, because they go on or ended not long ago: until then their Bezirksstelle is to be told.
async fn under_grants(db: &Db, before: DateTime<Utc>) -> Result<Vec<GrantId>> {
    let going_on = Condition::all()
        .add(grant::Column::State.eq(grant::State::Issued))
        .add(
            Condition::any()
                .add(grant::Column::ExpiresAt.is_null())
                .add(grant::Column::ExpiresAt.gte(before)),
        );
    let revoked = Condition::all()
        .add(grant::Column::State.eq(grant::State::Revoked))
        .add(grant::Column::EndedAt.gte(before));
    Ok(grant::Entity::find()
        .filter(Condition::any().add(going_on).add(revoked))
        .select_only()
        .column(grant::Column::Id)
        .into_tuple()
        .all(db.reader())
        .await?)
}

/// Records made before, under none of these grants.
fn past(db: &Db, before: DateTime<Utc>, grants: &[GrantId]) -> Condition {
    let kept = among(db.reads(), Column::GrantId, grants.iter().copied());
    Condition::all().add(Column::At.lt(before)).add(
        Condition::any()
            .add(Column::GrantId.is_null())
            .add(sea_orm::sea_query::ExprTrait::not(kept)),
    )
}

/// Deletes what is due of one engagement, or of none.
pub(super) async fn delete(
    ctx: &Ctx,
    db: &Db,
    engagement: Option<EngagementId>,
    before: DateTime<Utc>,
) -> Result<Option<Part>> {
    let mut gone = Vec::new();
    loop {
        let some = delete_at_once(ctx, db, engagement, before).await?;
        let count = some.as_ref().map_or(0, |part| part.count);
        gone.extend(some);
        if count < AT_ONCE {
            break;
        }
    }
    Ok(gone.into_iter().reduce(|one, other| Part {
        engagement: one.engagement,
        count: one.count + other.count,
        from: one.from.min(other.from),
        to: one.to.max(other.to),
    }))
}

/// Deletes some records; under a lock on their engagement, so that no hold is placed meanwhile.
async fn delete_at_once(
    ctx: &Ctx,
    db: &Db,
    engagement: Option<EngagementId>,
    before: DateTime<Utc>,
) -> Result<Option<Part>> {
    let tx = db.begin_write().await?;
    let outcome = match engagement {
        Some(id) if !may_go(&tx, id, before).await? => Ok(None),
        None if !held(db).await?.is_empty() => Ok(None),
        _ => delete_some(ctx, db, engagement, before).await,
    };
    tx.rollback().await?;
    outcome
}

async fn delete_some(
    ctx: &Ctx,
    db: &Db,
    engagement: Option<EngagementId>,
    before: DateTime<Utc>,
) -> Result<Option<Part>> {
    let grants = under_grants(db, before).await?;
    let tx = db.begin_reads().await?;
    let gate = read_gate::ActiveModel {
        id: Set(ctx.new_id()),
        engagement_id: Set(engagement),
        before: Set(before),
    };
    let gate = read_gate::Entity::insert(gate).exec(&tx).await?.last_insert_id;
    let of = match engagement {
        Some(id) => Column::EngagementId.eq(id),
        None => Column::EngagementId.is_null(),
    };
    let due: Vec<(ReadRecordId, DateTime<Utc>)> = Entity::find()
        .filter(past(db, before, &grants).add(of))
        .order_by_asc(Column::Id)
        .limit(AT_ONCE)
        .select_only()
        .column(Column::Id)
        .column(Column::At)
        .into_tuple()
        .all(&tx)
        .await?;
    let count = Entity::delete_many()
        .filter(among(&tx, Column::Id, due.iter().map(|(id, _)| *id)))
        .exec(&tx)
        .await?
        .rows_affected;
    read_gate::Entity::delete_by_id(gate).exec(&tx).await?;
    tx.commit().await?;
    let times = || due.iter().map(|(_, at)| *at);
    Ok(times().min().zip(times().max()).map(|(from, to)| Part {
        engagement,
        count,
        from: Some(from),
        to: Some(to),
    }))
}
