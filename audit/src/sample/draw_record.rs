//! What somebody outside needs to repeat a draw: the draw file (what was drawn from) and the draw record (plan, seed, sample).
//!
//! Both are of the whole frame, with own staff's items among it that nobody can tell apart there; whoever compared them with what
//! else he sees could. So they go to those alone who see all of it: the named group of the audit function, and a grant of whole
//! engagements that names `PERSONNEL`.

use std::collections::HashMap;

use entity::sample::{Method, Model, State};
use entity::{
    BezirksstelleId, Cents, ItemId, SampleId, Scope, StratumId, bezirksstelle, engagement, population_item,
    replacement, sample_item, sample_stratum,
};
use sea_orm::sea_query::Query;
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, PaginatorTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
};

use super::extension::{ExtensionRule, drawn_before};
use super::rules::{Parameters, WHOLE};
use super::service::visible_one;
use crate::access::{Action, Class, Classes, authorize, disclose};
use crate::sampling::ceremony::{Assurance, Bytes32, Plan, PlannedStratum};
use crate::sampling::redraw::{DrawRecord, DrawnItem, FrameDigest, FrameRow};
use crate::sampling::selection::SelectionMethod;
use crate::{Code, Ctx, Db, Error, Result};

/// Rows read at once.
const AT_ONCE: u64 = 5_000;

/// What a file or record gives away.
pub const DRAWN_FROM: Classes = Classes::of(&[Class::Internal, Class::Audit, Class::SocialData]);

/// What a drawn sample was drawn from.
#[derive(Debug)]
pub struct DrawFrame {
    /// The sample.
    pub sample: Model,
    engagement: String,
    strata: Vec<sample_stratum::Model>,
    method: SelectionMethod,
    /// Samples whose items were drawn before this one and are not in its frame.
    before: Vec<SampleId>,
    /// Name of the stratum of each Bezirksstelle; empty where there is but one.
    names: HashMap<BezirksstelleId, String>,
    parts: HashMap<BezirksstelleId, String>,
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
    let method = match (sample.state, sample.method) {
        (State::Drawn, Method::SimpleRandom | Method::StratifiedByBezirksstelle) => {
            SelectionMethod::SimpleRandom
        }
        (State::Drawn, Method::MonetaryUnitFixedInterval) => SelectionMethod::FixedInterval,
        (State::Drawn, Method::MonetaryUnitCell) => SelectionMethod::Cell,
        (State::Drawn, Method::RecordsWithReplacement) => SelectionMethod::RecordsWithReplacement,
        _ => return Err(Error::refused(Code::SampleNotDrawn, "sample")),
    };
    let strata = sample_stratum::Entity::find()
        .filter(sample_stratum::Column::SampleId.eq(sample.id))
        .order_by_asc(sample_stratum::Column::Ordinal)
        .all(db.reader())
        .await?;
    let engagement = engagement::Entity::find_by_id(sample.engagement_id)
        .one(db.reader())
        .await?
        .ok_or_else(|| Error::internal("an engagement that is referred to is missing"))?;
    let parts = bezirksstelle::Entity::find().all(db.reader()).await?;
    Ok(DrawFrame {
        engagement: engagement.number,
        before: drawn_before(db.reader(), &sample).await?,
        names: strata
            .iter()
            .filter_map(|stratum| Some((stratum.bezirksstelle_id?, stratum.label.clone())))
            .collect(),
        parts: parts.into_iter().map(|part| (part.id, part.number)).collect(),
        strata,
        method,
        sample,
    })
}

impl DrawFrame {
    /// The next rows, ascending by id: empty at the end. Amounts only where monetary units were drawn.
    pub async fn rows(&self, db: &Db, after: Option<ItemId>) -> Result<Vec<FrameRow>> {
        let mut select = population_item::Entity::find()
            .filter(population_item::Column::PopulationId.eq(self.sample.population_id))
            .select_only()
            .column(population_item::Column::Id)
            .column(population_item::Column::AmountCents)
            .column(population_item::Column::BezirksstelleId)
            .order_by_asc(population_item::Column::Id)
            .limit(AT_ONCE);
        let monetary = self.method.is_monetary();
        if monetary {
            select = select.filter(population_item::Column::AmountCents.gt(0));
        }
        if !self.before.is_empty() {
            let drawn = Query::select()
                .column(sample_item::Column::ItemId)
                .from(sample_item::Entity)
                .cond_where(sample_item::Column::SampleId.is_in(self.before.iter().copied()))
                .to_owned();
            select = select.filter(population_item::Column::Id.not_in_subquery(drawn));
        }
        if let Some(after) = after {
            select = select.filter(population_item::Column::Id.gt(after));
        }
        let rows: Vec<(ItemId, Cents, BezirksstelleId)> = select.into_tuple().all(db.reader()).await?;
        let row = |(id, amount, part): (ItemId, Cents, BezirksstelleId)| FrameRow {
            id: id.0.hyphenated().to_string(),
            stratum: self.names.get(&part).map_or(WHOLE, String::as_str).to_owned(),
            bezirksstelle: self.parts.get(&part).cloned().unwrap_or_default(),
            amount: monetary.then_some(amount.0),
        };
        Ok(rows.into_iter().map(row).collect())
    }

    /// The id at which the next rows begin.
    pub fn after(rows: &[FrameRow]) -> Option<ItemId> {
        rows.last()?.id.parse().ok().map(ItemId)
    }

    /// Plan, seed and sample, with the digest of the draw file: reads all of the frame once.
    pub async fn record(&self, db: &Db) -> Result<DrawRecord> {
        let mut digest = FrameDigest::default();
        let mut after = None;
        loop {
            let rows = self.rows(db, after).await?;
            for row in &rows {
                digest
                    .add(row)
                    .map_err(|error| Error::internal(error.to_string()))?;
            }
            match Self::after(&rows) {
                Some(last) => after = Some(last),
                None => break,
            }
        }
        let root = self.sample.population_root.as_deref().unwrap_or_default();
        let root = Bytes32(
            root.try_into()
                .map_err(|_| Error::internal("a root has 32 bytes"))?,
        );
        let seed = self.sample.seed.clone().unwrap_or_default();
        Ok(DrawRecord {
            plan: self.plan(root, digest.finish())?,
            material: None,
            seed,
            population_root: root,
            items: self.items(db).await?,
        })
    }

    fn plan(&self, population_root: Bytes32, frame_digest: Bytes32) -> Result<Plan> {
        let parameters: Parameters = serde_json::from_str(&self.sample.parameters)
            .map_err(|error| Error::internal(error.to_string()))?;
        let count = |count: i64| count.unsigned_abs();
        // Nothing was drawn from a stratum without items.
        let strata = self.strata.iter().filter(|stratum| stratum.item_count > 0);
        let strata = strata.map(|stratum| PlannedStratum {
            name: stratum.label.clone(),
            method: self.method,
            size: count(stratum.size),
            population_size: count(stratum.item_count),
            book_value: self.method.is_monetary().then_some(stratum.sum_cents.0),
        });
        Ok(Plan {
            engagement: self.engagement.clone(),
            sample: self.sample.name.clone(),
            population_root,
            frame_digest,
            strata: strata.collect(),
            confidence: parameters.confidence,
            tolerable_rate: parameters.tolerable_rate,
            expected_rate: parameters.expected_rate,
            tolerable_error: parameters.tolerable_cents.map(|cents| cents.0),
            expected_error: parameters.expected_cents.map(|cents| cents.0),
            extension_rule: parameters.extension_rule.as_ref().map(ExtensionRule::text),
            assurance: Assurance::Everyday,
            parties: Vec::new(),
            source: None,
        })
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
        let item =
            |(order, stratum, id, hits, ticket): (i64, StratumId, ItemId, i64, Option<String>)| DrawnItem {
                order: order.unsigned_abs(),
                stratum: names.get(&stratum).copied().unwrap_or(WHOLE).to_owned(),
                id: id.0.hyphenated().to_string(),
                hits: hits.unsigned_abs(),
                ticket,
            };
        Ok(rows.into_iter().map(item).collect())
    }
}
