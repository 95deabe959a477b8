//! What hangs on several parents at once, for callers that show lists within lists. Bounded by nature: an engagement
//! has a handful of populations, a population a handful of imports and control totals.

use entity::{EngagementId, PopulationId, control_total, population, population_import};
use sea_orm::{EntityTrait, QueryFilter, QueryOrder};

use super::service::find_many;
use crate::access::{Action, authorize};
use crate::db::among;
use crate::{Ctx, Db, Result};

/// Populations of several engagements, those the caller may see, oldest first.
pub async fn of_engagements(
    ctx: &Ctx,
    db: &Db,
    engagements: &[EngagementId],
) -> Result<Vec<population::Model>> {
    authorize(ctx, Action::PopulationRead)?;
    Ok(population::Entity::visible_to(&ctx.caller.scope(ctx.now()))
        .filter(among(
            db.reader(),
            population::Column::EngagementId,
            engagements.iter().copied(),
        ))
        .order_by_asc(population::Column::Id)
        .all(db.reader())
        .await?)
}

/// Imports of several populations, those the caller may see, oldest first.
pub async fn imports_of(
    ctx: &Ctx,
    db: &Db,
    populations: &[PopulationId],
) -> Result<Vec<population_import::Model>> {
    authorize(ctx, Action::PopulationRead)?;
    Ok(
        population_import::Entity::visible_to(&ctx.caller.scope(ctx.now()))
            .filter(among(
                db.reader(),
                population_import::Column::PopulationId,
                populations.iter().copied(),
            ))
            .order_by_asc(population_import::Column::Id)
            .all(db.reader())
            .await?,
    )
}

/// Control totals of several populations, those the caller may see, newest first, superseded ones too.
pub async fn control_totals_of(
    ctx: &Ctx,
    db: &Db,
    populations: &[PopulationId],
) -> Result<Vec<control_total::Model>> {
    let visible: Vec<_> = find_many(ctx, db, populations)
        .await?
        .into_iter()
        .map(|row| row.id)
        .collect();
    Ok(control_total::Entity::find()
        .filter(among(db.reader(), control_total::Column::PopulationId, visible))
        .order_by_desc(control_total::Column::Id)
        .all(db.reader())
        .await?)
}
