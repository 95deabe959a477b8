//! What somebody outside needs to repeat a draw: the draw file (what was drawn from) and the draw record (plan, seed, sample).
//!
//! Both are of the whole frame, with own staff's items among it that nobody can tell apart there; whoever compared them with what
//! else he sees could. So they go to those alone who see all of it: the named group of the audit function, and a grant of whole
//! engagements that names `PERSONNEL`.

use std::collections::HashMap;

use entity::sample::{Model, State};
use entity::{ItemId, SampleId, Scope, StratumId, engagement, replacement, sample_item, sample_stratum};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, PaginatorTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
};
use uuid::Uuid;

use super::ceremony::{Ceremony, ceremony_of};
use super::draw_plan::{Frame, everyday_plan, planned_stratum, selection_method, stored_root};
use super::extension::drawn_before;
use super::rules::WHOLE;
use super::service::{parameters, visible_one};
use super::unit::Unit;
use crate::access::{Action, Class, Classes, authorize, disclose};
use crate::sampling::ceremony::Plan;
use crate::sampling::redraw::{DrawRecord, DrawnItem, FrameRow};
use crate::{Code, Ctx, Db, Error, Result};

/// What a file or record gives away.
pub const DRAWN_FROM: Classes = Classes::of(&[Class::Internal, Class::Audit, Class::SocialData]);

/// What a drawn sample was drawn from.
#[derive(Debug)]
pub struct DrawFrame {
    /// The sample.
    pub sample: Model,
    engagement: String,
    strata: Vec<sample_stratum::Model>,
    frame: Frame,
    ceremony: Option<Ceremony>,
}

/// The frame of a sample that was drawn here.
pub async fn draw_frame(ctx: &Ctx, db: &Db, id: SampleId) -> Result<DrawFrame> {
    authorize(ctx, Action::PopulationRead)?;
    disclose(ctx, Action::PopulationRead, DRAWN_FROM)?;
    let scope = ctx.caller.scope(ctx.now());
    let sample = visible_one(db.reader(), &scope, id).await?;
    if !scope.holds_own_staff() {
        return Err(Error::Forbidden(Action::PopulationRead));
    }
    let Some(method) = selection_method(sample.method) else {
        return Err(Error::refused(Code::SampleNotDrawnHere, "sample"));
    };
    if sample.state != State::Drawn {
        return Err(Error::refused(Code::SampleNotDrawn, "sample"));
    }
    let strata = sample_stratum::Entity::find()
        .filter(sample_stratum::Column::SampleId.eq(sample.id))
        .order_by_asc(sample_stratum::Column::Ordinal)
        .all(db.reader())
        .await?;
    let engagement = engagement::Entity::find_by_id(sample.engagement_id)
        .one(db.reader())
        .await?
        .ok_or_else(|| Error::internal("an engagement that is referred to is missing"))?;
    let names = strata
        .iter()
        .map(|stratum| (stratum.bezirksstelle_id, stratum.label.as_str()));
    let before = drawn_before(db.reader(), sample.extends_id, sample.method).await?;
    Ok(DrawFrame {
        engagement: engagement.number,
        frame: Frame::of(
            db,
            sample.population_id,
            method,
            Unit::of(sample.method),
            before,
            names,
        )
        .await?,
        ceremony: ceremony_of(db.reader(), sample.id).await?,
        strata,
        sample,
    })
}

impl DrawFrame {
    /// Whether each row is a case with all its lines, by the pseudonym of its number; otherwise it is an item.
    pub fn is_of_cases(&self) -> bool {
        Unit::of(self.sample.method) == Unit::Cluster
    }

    /// The next rows, ascending by id: empty at the end. Amounts only where monetary units were drawn.
    pub async fn rows(&self, db: &Db, after: Option<Uuid>) -> Result<Vec<FrameRow>> {
        self.frame.rows(db, after).await
    }

    /// The id at which the next rows begin.
    pub fn after(rows: &[FrameRow]) -> Option<Uuid> {
        Frame::after(rows)
    }

    /// Plan, ceremony, seed and sample. Without a ceremony, which has the digest of the draw file in its plan, it reads all of the
    /// frame once.
    pub async fn record(&self, db: &Db) -> Result<DrawRecord> {
        let root = stored_root(self.sample.population_root.as_deref())?;
        let material = match &self.ceremony {
            Some(ceremony) => Some(ceremony.logged_material(db, self.sample.population_id).await?),
            None => None,
        };
        let plan = match &self.ceremony {
            Some(ceremony) => ceremony.plan.clone(),
            None => self.plan(db).await?,
        };
        Ok(DrawRecord {
            plan,
            material,
            seed: self.sample.seed.clone().unwrap_or_default(),
            population_root: root,
            items: self.items(db).await?,
        })
    }

    async fn plan(&self, db: &Db) -> Result<Plan> {
        let method = self.frame.method;
        let strata = self.strata.iter().map(|stratum| {
            let (items, cents) = (stratum.item_count, stratum.sum_cents.0);
            planned_stratum(&stratum.label, method, stratum.size, items, cents)
        });
        Ok(everyday_plan(
            self.engagement.clone(),
            self.sample.name.clone(),
            stored_root(self.sample.population_root.as_deref())?,
            self.frame.digest(db).await?,
            strata,
            &parameters(&self.sample)?,
        ))
    }

    /// The items of the draw itself.
    async fn drawn(&self, db: &Db) -> Result<i64> {
        let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        let all = sample_item::Entity::find()
            .filter(sample_item::Column::SampleId.eq(self.sample.id))
            .count(db.reader())
            .await?;
        let later = replacement::Entity::visible_to(&Scope::Everything)
            .filter(replacement::Column::SampleId.eq(self.sample.id))
            .filter(replacement::Column::ByItemId.is_not_null())
            .count(db.reader())
            .await?;
        Ok(count(all) - count(later))
    }

    async fn items(&self, db: &Db) -> Result<Vec<DrawnItem>> {
        let rows: Vec<(i64, StratumId, ItemId, i64, Option<String>)> = sample_item::Entity::find()
            .filter(sample_item::Column::SampleId.eq(self.sample.id))
            // What took the place of another was not of the draw.
            .filter(sample_item::Column::DrawOrder.lte(self.drawn(db).await?))
            .order_by_asc(sample_item::Column::DrawOrder)
            .select_only()
            .column(sample_item::Column::DrawOrder)
            .column(sample_item::Column::StratumId)
            .column(sample_item::Column::ItemId)
            .column(sample_item::Column::Hits)
            .column(sample_item::Column::Ticket)
            .into_tuple()
            .all(db.reader())
            .await?;
        let names: HashMap<StratumId, &str> = self
            .strata
            .iter()
            .map(|stratum| (stratum.id, stratum.label.as_str()))
            .collect();
        let unit = Unit::of(self.sample.method);
        let keys = match unit {
            Unit::Item => HashMap::new(),
            Unit::Cluster => {
                let ids: Vec<ItemId> = rows.iter().map(|(_, _, id, ..)| *id).collect();
                unit.of_items(db, &ids).await?
            }
        };
        let mut items: Vec<DrawnItem> = Vec::new();
        for (_, stratum, id, hits, ticket) in rows {
            let id = keys.get(&id).unwrap_or(&id.0).hyphenated().to_string();
            // Lines of a case follow one another.
            if items.last().is_some_and(|last| last.id == id) {
                continue;
            }
            items.push(DrawnItem {
                order: items.len() as u64 + 1,
                stratum: names.get(&stratum).copied().unwrap_or(WHOLE).to_owned(),
                id,
                hits: hits.unsigned_abs(),
                ticket,
            });
        }
        Ok(items)
    }
}
