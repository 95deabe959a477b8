//! The way of a population through the selection: read once as a stream, selected on a thread of its own. Memory is the
//! sample and a few buffers, whatever the population's size.

use std::collections::{HashMap, HashSet};

use entity::sample::Model;
use entity::{BezirksstelleId, Cents, ItemId, PopulationId, population_item, sample_stratum};
use futures_util::TryStreamExt;
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{ColumnTrait, DatabaseBackend, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use sqlx::postgres::PgPoolCopyExt;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use uuid::Uuid;

use super::copy_out::FixedRows;
use super::draw_plan::{planned_stratum, selection_method};
use super::shuffle::Shuffle;
use super::unit::{Unit, of_bytes};
use crate::sampling::selection::{Seed, Selected, SelectionMethod, Selector};
use crate::{Code, Db, Error, Result};

/// PostgreSQL sends a message a row; they are handed on in buffers of about this size.
const BUFFER: usize = 256 << 10;
/// Rows handed on at once from SQLite.
const ROWS: usize = 4_096;
/// Buffers under way between reading and selecting.
const AHEAD: usize = 4;

/// What selects from the frame: a selector for each stratum.
pub(super) struct Selectors {
    method: SelectionMethod,
    unit: Unit,
    /// Place of the stratum of each Bezirksstelle; empty where there is but one stratum.
    places: HashMap<Uuid, usize>,
    /// None from which nothing is drawn.
    strata: Vec<Option<Box<dyn Selector + Send>>>,
    shuffle: Option<Shuffle>,
}

impl std::fmt::Debug for Selectors {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Selectors")
            .field("method", &self.method)
            .field("strata", &self.strata.len())
            .finish_non_exhaustive()
    }
}

impl Selectors {
    /// Of a planned sample and its strata, by this seed. None for what is drawn elsewhere or chosen.
    pub(super) fn new(row: &Model, strata: &[sample_stratum::Model], seed: &Seed) -> Result<Option<Self>> {
        let sizes: Vec<i64> = strata.iter().map(|stratum| stratum.size).collect();
        Self::of_sizes(row, strata, &sizes, seed)
    }

    /// The same for other sizes than the planned ones.
    pub(super) fn of_sizes(
        row: &Model,
        strata: &[sample_stratum::Model],
        sizes: &[i64],
        seed: &Seed,
    ) -> Result<Option<Self>> {
        let Some(method) = selection_method(row.method) else {
            return Ok(None);
        };
        let of_stratum = |(stratum, size): (&sample_stratum::Model, &i64)| {
            if *size == 0 {
                return Ok(None);
            }
            let (items, cents) = (stratum.item_count, stratum.sum_cents.0);
            planned_stratum(&stratum.label, method, *size, items, cents)
                .selector(seed)
                .map(Some)
                .map_err(|error| Error::internal(error.to_string()))
        };
        Ok(Some(Self {
            method,
            unit: Unit::of(row.method),
            places: strata
                .iter()
                .zip(0..)
                .filter_map(|(stratum, place)| Some((stratum.bezirksstelle_id?.0, place)))
                .collect(),
            strata: strata.iter().zip(sizes).map(of_stratum).collect::<Result<_>>()?,
            shuffle: (method == SelectionMethod::RandomisedInterval).then(|| Shuffle::new(seed)),
        }))
    }

    /// Algorithm and version.
    pub(super) fn algorithm(&self) -> &'static str {
        self.method.algorithm()
    }

    fn needs(&self) -> Needs {
        Needs {
            unit: self.unit,
            bezirksstelle: !self.places.is_empty(),
            positive: self.method.is_monetary(),
            in_order: !matches!(
                self.method,
                SelectionMethod::SimpleRandom | SelectionMethod::RandomisedInterval
            ),
        }
    }

    fn offer(&mut self, unit: Uuid, cents: i64, bezirksstelle: Uuid) -> Result<()> {
        let place = if self.places.is_empty() {
            0
        } else {
            *self.places.get(&bezirksstelle).ok_or_else(changed)?
        };
        match &mut self.shuffle {
            Some(shuffle) => shuffle.add(place, unit, cents),
            None => offer(&mut self.strata, place, unit, cents),
        }
    }

    fn finish(mut self) -> Result<Vec<(usize, Selected)>> {
        if let Some(shuffle) = self.shuffle.take() {
            for row in shuffle.in_random_order()? {
                let (place, unit, cents) = row?;
                offer(&mut self.strata, place, unit, cents)?;
            }
        }
        let mut selected = Vec::new();
        for (place, selector) in self.strata.into_iter().enumerate() {
            if let Some(selector) = selector {
                let found = selector.finish().map_err(|_| changed())?;
                selected.extend(found.into_iter().map(|item| (place, item)));
            }
        }
        Ok(selected)
    }
}

fn offer(
    strata: &mut [Option<Box<dyn Selector + Send>>],
    place: usize,
    unit: Uuid,
    cents: i64,
) -> Result<()> {
    let mut text = Uuid::encode_buffer();
    match strata.get_mut(place).ok_or_else(changed)? {
        Some(selector) => selector
            .offer(unit.hyphenated().encode_lower(&mut text), cents)
            .map_err(|_| changed()),
        None => Ok(()),
    }
}

/// What was selected, in draw order, and what was seen on the way.
#[derive(Debug)]
pub(super) struct Selection {
    /// Place of the stratum, and the item.
    pub(super) selected: Vec<(usize, Selected)>,
    pub(super) count: i64,
    pub(super) sum: i64,
}

/// Reads the frame, that is the population without the items that are gone, and selects from it.
pub(super) async fn select(
    db: &Db,
    population: PopulationId,
    gone: HashSet<Uuid>,
    selectors: Selectors,
) -> Result<Selection> {
    let (sender, receiver) = channel(AHEAD);
    let needs = selectors.needs();
    let work = tokio::task::spawn_blocking(move || consume(receiver, selectors, gone));
    let read = match db.postgres() {
        Some(pool) => read_copy(pool, population, needs, sender).await,
        None => read_rows(db, population, needs, sender).await,
    };
    let selection = work.await.map_err(|error| Error::internal(error.to_string()))?;
    read?;
    selection
}

/// What a selector needs of the frame.
#[derive(Clone, Copy, Debug)]
struct Needs {
    unit: Unit,
    bezirksstelle: bool,
    positive: bool,
    in_order: bool,
}

#[derive(Debug)]
enum Chunk {
    Copy(Vec<u8>),
    Rows(Vec<(ItemId, Cents, BezirksstelleId)>),
}

async fn read_copy(
    pool: &sqlx::PgPool,
    population: PopulationId,
    needs: Needs,
    sender: Sender<Chunk>,
) -> Result<()> {
    let column = if needs.bezirksstelle {
        ", bezirksstelle_id"
    } else {
        ""
    };
    let part = if needs.positive {
        "AND amount_cents > 0"
    } else {
        ""
    };
    let order = if needs.in_order { "ORDER BY 1" } else { "" };
    let unit = needs.unit.sql(DatabaseBackend::Postgres);
    let (amount, group) = match needs.unit {
        Unit::Item => ("amount_cents", ""),
        Unit::Cluster => ("sum(amount_cents)::bigint", "GROUP BY 1"),
    };
    let sql = format!(
        "COPY (SELECT {unit}, {amount}{column} FROM population_item WHERE population_id = '{population}' {part} {group} {order})
         TO STDOUT (FORMAT binary)"
    );
    let mut stream = pool.copy_out_raw(&sql).await?;
    let mut buffer = Vec::with_capacity(BUFFER + 128);
    while let Some(bytes) = stream.try_next().await? {
        buffer.extend_from_slice(&bytes);
        if buffer.len() >= BUFFER {
            let full = std::mem::replace(&mut buffer, Vec::with_capacity(BUFFER + 128));
            if sender.send(Chunk::Copy(full)).await.is_err() {
                return Ok(());
            }
        }
    }
    // A closed channel has an error at its other end, which is the one to report.
    let _closed = sender.send(Chunk::Copy(buffer)).await;
    Ok(())
}

async fn read_rows(db: &Db, population: PopulationId, needs: Needs, sender: Sender<Chunk>) -> Result<()> {
    let unit = needs.unit.expr(db.reader());
    let amount = Expr::col(population_item::Column::AmountCents);
    let mut query = population_item::Entity::find()
        .select_only()
        .expr_as(unit.clone(), "unit")
        .filter(population_item::Column::PopulationId.eq(population));
    query = match needs.unit {
        Unit::Item => query
            .expr_as(amount, "cents")
            .column(population_item::Column::BezirksstelleId),
        Unit::Cluster => query
            .expr_as(amount.sum(), "cents")
            .expr_as(Expr::value(Uuid::nil()), "bezirksstelle_id")
            .group_by(unit.clone()),
    };
    if needs.positive {
        query = query.filter(population_item::Column::AmountCents.gt(0));
    }
    if needs.in_order {
        query = query.order_by_asc(unit);
    }
    let mut stream = query
        .into_tuple::<(ItemId, Cents, BezirksstelleId)>()
        .stream(db.reader())
        .await?;
    let mut rows = Vec::with_capacity(ROWS);
    while let Some(row) = stream.try_next().await? {
        rows.push(row);
        if rows.len() == ROWS {
            let full = std::mem::replace(&mut rows, Vec::with_capacity(ROWS));
            if sender.send(Chunk::Rows(full)).await.is_err() {
                return Ok(());
            }
        }
    }
    let _closed = sender.send(Chunk::Rows(rows)).await;
    Ok(())
}

/// Selects from what arrives until the reader is done.
fn consume(mut receiver: Receiver<Chunk>, selectors: Selectors, gone: HashSet<Uuid>) -> Result<Selection> {
    let needs = selectors.needs();
    let mut frame = Frame {
        selectors,
        gone,
        count: 0,
        sum: 0,
    };
    let mut two = FixedRows::new([16, 8]);
    let mut three = FixedRows::new([16, 8, 16]);
    let mut copied = false;
    while let Some(chunk) = receiver.blocking_recv() {
        match chunk {
            Chunk::Rows(rows) => {
                for (id, cents, bezirksstelle) in rows {
                    frame.offer(id.0, cents.0, bezirksstelle.0)?;
                }
            }
            Chunk::Copy(bytes) if needs.bezirksstelle => {
                copied = true;
                three.feed(&bytes, |[id, cents, bezirksstelle]| {
                    frame.offer(of_bytes(id)?, bigint(cents)?, of_bytes(bezirksstelle)?)
                })?;
            }
            Chunk::Copy(bytes) => {
                copied = true;
                two.feed(&bytes, |[id, cents]| {
                    frame.offer(of_bytes(id)?, bigint(cents)?, Uuid::nil())
                })?;
            }
        }
    }
    match (copied, needs.bezirksstelle) {
        (false, _) => {}
        (true, true) => three.finish()?,
        (true, false) => two.finish()?,
    }
    frame.finish()
}

fn bigint(bytes: &[u8]) -> Result<i64> {
    let bytes = bytes
        .try_into()
        .map_err(|_| Error::internal("a bigint has eight bytes"))?;
    Ok(i64::from_be_bytes(bytes))
}

#[derive(Debug)]
struct Frame {
    selectors: Selectors,
    gone: HashSet<Uuid>,
    count: i64,
    sum: i64,
}

impl Frame {
    fn offer(&mut self, unit: Uuid, cents: i64, bezirksstelle: Uuid) -> Result<()> {
        if self.gone.contains(&unit) {
            return Ok(());
        }
        self.count += 1;
        self.sum = self.sum.checked_add(cents).ok_or_else(changed)?;
        self.selectors.offer(unit, cents, bezirksstelle)
    }

    fn finish(self) -> Result<Selection> {
        Ok(Selection {
            count: self.count,
            sum: self.sum,
            selected: self.selectors.finish()?,
        })
    }
}

/// The items are not those the plan was made for.
pub(super) fn changed() -> Error {
    Error::refused(Code::FrameChanged, "input.id")
}
