//! Setting up and reading the Jobcenter.

use entity::bezirksstelle::{self, Kind};
use entity::{BezirksstelleId, JobcenterId, jobcenter};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, Set,
};
use serde_json::json;

use super::Preset;
use crate::access::{Action, Permit};
use crate::db::one_at_a_time;
use crate::trail::{self, Subject};
use crate::{Ctx, Db, Result};

const SETUP_GATE: i64 = 0x50_01;

/// Sets the Jobcenter up from a preset where the database has none yet; `label` replaces the preset's words.
pub async fn set_up(ctx: &Ctx, db: &Db, preset: &Preset, label: Option<(&str, &str)>) -> Result<()> {
    if jobcenter::Entity::find().count(db.reader()).await? > 0 {
        return Ok(());
    }
    let tx = db.begin_write().await?;
    one_at_a_time(&tx, SETUP_GATE).await?;
    if jobcenter::Entity::find().count(&tx).await? > 0 {
        return Ok(());
    }
    let (one, many) = label.unwrap_or((preset.label, preset.label_plural));
    let id = JobcenterId(ctx.new_id());
    let row = jobcenter::ActiveModel {
        id: Set(id),
        name: Set(preset.name.to_owned()),
        preset: Set(preset.key.to_owned()),
        label: Set(one.to_owned()),
        label_plural: Set(many.to_owned()),
    }
    .insert(&tx)
    .await?;
    let parts = std::iter::once((preset.fachbereich, Kind::Fachbereich)).chain(
        preset
            .bezirksstellen
            .iter()
            .map(|name| (*name, Kind::Bezirksstelle)),
    );
    let parts: Vec<_> = parts
        .enumerate()
        .map(|(number, (name, kind))| bezirksstelle::Model {
            id: BezirksstelleId(ctx.new_id()),
            jobcenter_id: id,
            number: format!("{number:02}"),
            name: name.to_owned(),
            kind,
        })
        .collect();
    let rows = parts
        .iter()
        .map(|part| bezirksstelle::ActiveModel::from(part.clone()).reset_all());
    bezirksstelle::Entity::insert_many(rows).exec(&tx).await?;
    let subject = Subject::apart("Jobcenter", id.0).left(trail::state_with(ctx, &row, &parts)?);
    let detail = json!({ "preset": preset.key, "bezirksstellen": parts.len() });
    trail::record(
        &tx,
        ctx,
        &Permit::own_work(Action::JobcenterSetUp),
        subject,
        detail,
    )
    .await?;
    tx.commit().await?;
    Ok(())
}

/// The Jobcenter, once it is set up.
pub async fn current(db: &Db) -> Result<Option<jobcenter::Model>> {
    Ok(jobcenter::Entity::find().one(db.reader()).await?)
}

/// All parts by number: a few dozen at the most.
pub async fn bezirksstellen(db: &Db) -> Result<Vec<bezirksstelle::Model>> {
    Ok(bezirksstelle::Entity::find()
        .order_by_asc(bezirksstelle::Column::Number)
        .all(db.reader())
        .await?)
}

/// The part with this number.
pub async fn by_number(db: &impl ConnectionTrait, number: &str) -> Result<Option<bezirksstelle::Model>> {
    Ok(bezirksstelle::Entity::find()
        .filter(bezirksstelle::Column::Number.eq(number))
        .one(db)
        .await?)
}
