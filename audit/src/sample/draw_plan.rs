//! What a sample is drawn from, row by row, and its plan as the ceremony and the draw record have it.

use std::collections::HashMap;

use entity::sample::Method;
use entity::{BezirksstelleId, Cents, PopulationId, SampleId, bezirksstelle, population_item, sample_item};
use sea_orm::sea_query::{Expr, ExprTrait as _, Query};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, JoinType, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use uuid::Uuid;

use super::extension::ExtensionRule;
use super::rules::{Parameters, WHOLE};
use super::unit::{Unit, of_bytes};
use crate::sampling::ceremony::{Assurance, Bytes32, Plan, PlannedStratum};
use crate::sampling::redraw::{FrameDigest, FrameRow};
use crate::sampling::selection::SelectionMethod;
use crate::{Db, Error, Result};

/// Rows read at once.
const AT_ONCE: u64 = 5_000;
/// Cases read at once: no index has them, so each time takes a look at the whole population.
const CASES_AT_ONCE: u64 = 100_000;

/// How the items of a method are found; none for what is drawn elsewhere or chosen.
pub(super) const fn selection_method(method: Method) -> Option<SelectionMethod> {
    match method {
        Method::SimpleRandom | Method::StratifiedByBezirksstelle | Method::SimpleRandomClusters => {
            Some(SelectionMethod::SimpleRandom)
        }
        Method::RecordInterval => Some(SelectionMethod::RecordInterval),
        Method::MonetaryUnitFixedInterval => Some(SelectionMethod::FixedInterval),
        Method::MonetaryUnitRandomisedInterval => Some(SelectionMethod::RandomisedInterval),
        Method::MonetaryUnitCell => Some(SelectionMethod::Cell),
        Method::RecordsWithReplacement => Some(SelectionMethod::RecordsWithReplacement),
        Method::RecordedMonetaryUnit | Method::Judgemental => None,
    }
}

/// The rows that are drawn from.
#[derive(Debug)]
pub(super) struct Frame {
    population: PopulationId,
    pub(super) method: SelectionMethod,
    unit: Unit,
    /// Samples whose items were drawn before this one and are not in its frame.
    before: Vec<SampleId>,
    /// Name of the stratum of each Bezirksstelle; empty where there is but one.
    names: HashMap<BezirksstelleId, String>,
    parts: HashMap<BezirksstelleId, String>,
}

impl Frame {
    /// The frame of a population by method and strata: Bezirksstelle and name of each.
    pub(super) async fn of<'a>(
        db: &Db,
        population: PopulationId,
        method: SelectionMethod,
        unit: Unit,
        before: Vec<SampleId>,
        strata: impl Iterator<Item = (Option<BezirksstelleId>, &'a str)>,
    ) -> Result<Self> {
        let parts = bezirksstelle::Entity::find().all(db.reader()).await?;
        Ok(Self {
            population,
            method,
            unit,
            before,
            names: strata
                .filter_map(|(part, name)| Some((part?, name.to_owned())))
                .collect(),
            parts: parts.into_iter().map(|part| (part.id, part.number)).collect(),
        })
    }

    /// The next rows, ascending by id: empty at the end. Amounts only where monetary units are drawn.
    pub(super) async fn rows(&self, db: &Db, after: Option<Uuid>) -> Result<Vec<FrameRow>> {
        match self.unit {
            Unit::Item => self.items(db, after).await,
            Unit::Cluster => self.cases(db, after).await,
        }
    }

    async fn items(&self, db: &Db, after: Option<Uuid>) -> Result<Vec<FrameRow>> {
        let mut select = population_item::Entity::find()
            .filter(population_item::Column::PopulationId.eq(self.population))
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
        let rows: Vec<(Uuid, Cents, BezirksstelleId)> = select.into_tuple().all(db.reader()).await?;
        let row = |(id, amount, part): (Uuid, Cents, BezirksstelleId)| FrameRow {
            id: id.hyphenated().to_string(),
            stratum: self.names.get(&part).map_or(WHOLE, String::as_str).to_owned(),
            bezirksstelle: self.parts.get(&part).cloned().unwrap_or_default(),
            amount: monetary.then_some(amount.0),
        };
        Ok(rows.into_iter().map(row).collect())
    }

    /// The same of cases; the Bezirksstelle of those whose lines are all of one.
    async fn cases(&self, db: &Db, after: Option<Uuid>) -> Result<Vec<FrameRow>> {
        let unit = self.unit.expr(db.reader());
        let number = || Expr::col((bezirksstelle::Entity, bezirksstelle::Column::Number));
        let mut select = population_item::Entity::find()
            .filter(population_item::Column::PopulationId.eq(self.population))
            .join(
                JoinType::InnerJoin,
                population_item::Entity::belongs_to(bezirksstelle::Entity)
                    .from(population_item::Column::BezirksstelleId)
                    .to(bezirksstelle::Column::Id)
                    .into(),
            )
            .select_only()
            .expr_as(unit.clone(), "unit")
            .expr_as(number().min(), "first")
            .expr_as(number().max(), "last")
            .group_by(unit.clone())
            .order_by_asc(unit.clone())
            .limit(CASES_AT_ONCE);
        if let Some(after) = after {
            select = select.filter(unit.gt(after.as_bytes().to_vec()));
        }
        let rows: Vec<(Vec<u8>, String, String)> = select.into_tuple().all(db.reader()).await?;
        let row = |(id, first, last): (Vec<u8>, String, String)| {
            Ok(FrameRow {
                id: of_bytes(&id)?.hyphenated().to_string(),
                stratum: WHOLE.to_owned(),
                bezirksstelle: if first == last { first } else { String::new() },
                amount: None,
            })
        };
        rows.into_iter().map(row).collect()
    }

    /// The id at which the next rows begin.
    pub(super) fn after(rows: &[FrameRow]) -> Option<Uuid> {
        rows.last()?.id.parse().ok()
    }

    /// Digest of all rows: reads them once.
    pub(super) async fn digest(&self, db: &Db) -> Result<Bytes32> {
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
                None => return Ok(digest.finish()),
            }
        }
    }
}

/// A stratum of a plan.
pub(super) fn planned_stratum(
    name: &str,
    method: SelectionMethod,
    size: i64,
    items: i64,
    cents: i64,
) -> PlannedStratum {
    PlannedStratum {
        name: name.to_owned(),
        method,
        size: size.unsigned_abs(),
        population_size: items.unsigned_abs(),
        book_value: method.is_monetary().then_some(cents),
    }
}

/// The plan of a sample at the level of one person. Nothing is drawn from a stratum without items: it has no part in it.
pub(super) fn everyday_plan(
    engagement: String,
    sample: String,
    population_root: Bytes32,
    frame_digest: Bytes32,
    strata: impl Iterator<Item = PlannedStratum>,
    parameters: &Parameters,
) -> Plan {
    Plan {
        engagement,
        sample,
        population_root,
        frame_digest,
        strata: strata.filter(|stratum| stratum.population_size > 0).collect(),
        confidence: parameters.confidence,
        tolerable_rate: parameters.tolerable_rate,
        expected_rate: parameters.expected_rate,
        tolerable_error: parameters.tolerable_cents.map(|cents| cents.0),
        expected_error: parameters.expected_cents.map(|cents| cents.0),
        extension_rule: parameters.extension_rule.as_ref().map(ExtensionRule::text),
        assurance: Assurance::Everyday,
        parties: Vec::new(),
        source: None,
    }
}

/// A stored root.
pub(super) fn stored_root(root: Option<&[u8]>) -> Result<Bytes32> {
    root.and_then(|root| root.try_into().ok())
        .map(Bytes32)
        .ok_or_else(|| Error::internal("a root has 32 bytes"))
}
