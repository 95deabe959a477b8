//! Working papers: populations, samples, checks, comments and deadlines, ten years after their engagement ended. What stays is that there
//! was an engagement, its grants, and the trail.

use chrono::{DateTime, Utc};
use entity::{
    EngagementId, assignment, case_number, ceremony, check_answer, comment, contribution, control_cell,
    control_total, deadline, deadline_date, deadline_due, difference, draw_event, engagement,
    import_rejection, item_check, known_error, known_error_part, notice, notice_read, population,
    population_import, population_item, replacement, retention_gate, sample, sample_item, sample_stratum,
};
use sea_orm::sea_query::{IntoCondition, Query, SelectStatement};
use sea_orm::{
    ColumnTrait as _, Condition, DatabaseTransaction, EntityTrait, PaginatorTrait as _, QueryFilter as _, Set,
};

use super::service::{AT_ONCE, Part, ended_with, may_go};
use crate::{Ctx, Db, Result};

/// Engagements that still have papers, and how many items of populations and samples of each.
pub(super) async fn due(db: &Db, before: DateTime<Utc>) -> Result<Vec<Part>> {
    let with_papers = Condition::any()
        .add(engagement::Column::Id.in_subquery(all::<population::Entity>(population::Column::EngagementId)))
        .add(engagement::Column::Id.in_subquery(all::<comment::Entity>(comment::Column::EngagementId)))
        .add(engagement::Column::Id.in_subquery(all::<deadline::Entity>(deadline::Column::EngagementId)));
    let mut parts = Vec::new();
    for id in ended_with(db, before, with_papers).await? {
        let lines = population_item::Entity::find()
            .filter(population_item::Column::PopulationId.in_subquery(populations(id)))
            .count(db.reader())
            .await?;
        let drawn = sample_item::Entity::find()
            .filter(sample_item::Column::EngagementId.eq(id))
            .count(db.reader())
            .await?;
        parts.push(Part::of(id, lines + drawn));
    }
    Ok(parts)
}

/// Deletes the papers of an engagement.
pub(super) async fn delete(
    ctx: &Ctx,
    db: &Db,
    id: EngagementId,
    before: DateTime<Utc>,
) -> Result<Option<Part>> {
    let mut items = 0;
    let mut any = false;
    loop {
        let tx = db.begin_write().await?;
        if !may_go(&tx, id, before).await? {
            tx.rollback().await?;
            break;
        }
        let gate = retention_gate::ActiveModel {
            id: Set(ctx.new_id()),
            engagement_id: Set(id),
        };
        let gate = retention_gate::Entity::insert(gate)
            .exec(&tx)
            .await?
            .last_insert_id;
        let (gone, counted) = match delete_deadlines(&tx, id).await? {
            0 => delete_some(&tx, id).await?,
            gone => (gone, false),
        };
        retention_gate::Entity::delete_by_id(gate).exec(&tx).await?;
        tx.commit().await?;
        if gone == 0 {
            break;
        }
        any = true;
        items += if counted { gone } else { 0 };
    }
    Ok(any.then(|| Part::of(id, items)))
}

/// Deletes rows of the first table that still has some, what hangs on others first: how many, and whether they are items.
#[expect(clippy::too_many_lines, reason = "a table")]
async fn delete_some(tx: &DatabaseTransaction, id: EngagementId) -> Result<(u64, bool)> {
    let checks = || {
        of::<item_check::Entity>(
            item_check::Column::Id,
            item_check::Column::SampleItemId.in_subquery(items(id)),
        )
    };
    let totals = || {
        of::<control_total::Entity>(
            control_total::Column::Id,
            control_total::Column::PopulationId.in_subquery(populations(id)),
        )
    };
    let imports = || {
        of::<population_import::Entity>(
            population_import::Column::Id,
            population_import::Column::PopulationId.in_subquery(populations(id)),
        )
    };
    let known_errors =
        || of::<known_error::Entity>(known_error::Column::Id, known_error::Column::EngagementId.eq(id));
    let samples = || of::<sample::Entity>(sample::Column::Id, sample::Column::EngagementId.eq(id));
    macro_rules! delete {
        ($table:ident, $filter:expr, $counted:literal) => {
            let gone = $table::Entity::delete_many()
                .filter($filter)
                .exec(tx)
                .await?
                .rows_affected;
            if gone > 0 {
                return Ok((gone, $counted));
            }
        };
    }
    delete!(
        check_answer,
        check_answer::Column::CheckId.in_subquery(checks()),
        false
    );
    delete!(
        item_check,
        item_check::Column::SampleItemId.in_subquery(items(id)),
        false
    );
    delete!(comment, comment::Column::EngagementId.eq(id), false);
    delete!(assignment, assignment::Column::EngagementId.eq(id), false);
    delete!(replacement, replacement::Column::EngagementId.eq(id), false);
    delete!(
        known_error_part,
        known_error_part::Column::KnownErrorId.in_subquery(known_errors()),
        false
    );
    delete!(known_error, known_error::Column::EngagementId.eq(id), false);
    delete!(sample_item, sample_item::Column::EngagementId.eq(id), true);
    delete!(draw_event, draw_event::Column::EngagementId.eq(id), false);
    delete!(
        sample_stratum,
        sample_stratum::Column::SampleId.in_subquery(samples()),
        false
    );
    let of_samples = contribution::Column::SampleId.in_subquery(samples());
    delete!(contribution, of_samples, false);
    delete!(ceremony, ceremony::Column::EngagementId.eq(id), false);
    delete!(sample, sample::Column::EngagementId.eq(id), false);
    delete!(
        difference,
        difference::Column::PopulationId.in_subquery(populations(id)),
        false
    );
    delete!(
        control_cell,
        control_cell::Column::ControlTotalId.in_subquery(totals()),
        false
    );
    delete!(
        control_total,
        control_total::Column::PopulationId.in_subquery(populations(id)),
        false
    );
    delete!(
        import_rejection,
        import_rejection::Column::ImportId.in_subquery(imports()),
        false
    );
    delete!(
        case_number,
        case_number::Column::ImportId.in_subquery(imports()),
        false
    );
    let some = of::<population_item::Entity>(
        population_item::Column::Id,
        population_item::Column::PopulationId.in_subquery(populations(id)),
    )
    .limit(AT_ONCE)
    .take();
    delete!(
        population_item,
        population_item::Column::Id.in_subquery(some),
        true
    );
    delete!(
        population_import,
        population_import::Column::PopulationId.in_subquery(populations(id)),
        false
    );
    delete!(population, population::Column::EngagementId.eq(id), false);
    Ok((0, false))
}

/// Deletes deadlines with all that hangs on them.
async fn delete_deadlines(tx: &DatabaseTransaction, id: EngagementId) -> Result<u64> {
    let deadlines = of::<deadline::Entity>(deadline::Column::Id, deadline::Column::EngagementId.eq(id));
    let notices = of::<notice::Entity>(notice::Column::Id, notice::Column::EngagementId.eq(id));
    let marks = notice_read::Column::NoticeId.in_subquery(notices);
    let looks = deadline_due::Column::DeadlineId.in_subquery(deadlines);
    let mut gone = 0;
    macro_rules! delete {
        ($table:ident, $filter:expr) => {
            gone += $table::Entity::delete_many()
                .filter($filter)
                .exec(tx)
                .await?
                .rows_affected;
        };
    }
    delete!(notice_read, marks);
    delete!(notice, notice::Column::EngagementId.eq(id));
    delete!(deadline_due, looks);
    delete!(deadline_date, deadline_date::Column::EngagementId.eq(id));
    delete!(deadline, deadline::Column::EngagementId.eq(id));
    Ok(gone)
}

/// The column of all rows.
fn all<E: EntityTrait>(column: E::Column) -> SelectStatement {
    Query::select().column(column).from(E::default()).take()
}

/// The column of the rows that fit.
fn of<E: EntityTrait>(column: E::Column, fits: impl IntoCondition) -> SelectStatement {
    all::<E>(column).cond_where(fits).take()
}

fn populations(id: EngagementId) -> SelectStatement {
    of::<population::Entity>(population::Column::Id, population::Column::EngagementId.eq(id))
}

fn items(id: EngagementId) -> SelectStatement {
    of::<sample_item::Entity>(sample_item::Column::Id, sample_item::Column::EngagementId.eq(id))
}
