//! The way of a population through the selection: read once as a stream, selected on a thread of its own. Memory is the
//! sample and a few buffers, whatever the population's size.

use std::collections::{HashMap, HashSet};

use entity::{BezirksstelleId, Cents, ItemId, PopulationId, population_item};
use futures_util::TryStreamExt;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use sqlx::postgres::PgPoolCopyExt;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use uuid::Uuid;

use super::copy_out::FixedRows;
use crate::sampling::selection::{
    Cell, FixedInterval, RecordsWithReplacement, Selected, SelectionError, Selector as _, SimpleRandom,
};
use crate::{Code, Db, Error, Result};

/// PostgreSQL sends a message a row; they are handed on in buffers of about this size.
const BUFFER: usize = 256 << 10;
/// Rows handed on at once from SQLite.
const ROWS: usize = 4_096;
/// Buffers under way between reading and selecting.
const AHEAD: usize = 4;

/// What selects from the frame.
#[derive(Debug)]
pub(super) enum Selector {
    /// From all items.
    Whole(SimpleRandom),
    /// From the items of each Bezirksstelle; strata by their place.
    Strata {
        places: HashMap<Uuid, usize>,
        selectors: Vec<SimpleRandom>,
    },
    /// From the items above zero, in order.
    Interval(FixedInterval),
    /// The same by cells.
    Cell(Cell),
    /// From all items in order, with replacement.
    WithReplacement(RecordsWithReplacement),
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
    selector: Selector,
) -> Result<Selection> {
    let (sender, receiver) = channel(AHEAD);
    let needs = Needs {
        bezirksstelle: matches!(selector, Selector::Strata { .. }),
        positive: matches!(selector, Selector::Interval(_) | Selector::Cell(_)),
        in_order: !matches!(selector, Selector::Whole(_) | Selector::Strata { .. }),
    };
    let work = tokio::task::spawn_blocking(move || consume(receiver, selector, gone, needs));
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
    let order = if needs.in_order { "ORDER BY id" } else { "" };
    let sql = format!(
        "COPY (SELECT id, amount_cents{column} FROM population_item WHERE population_id = '{population}' {part} {order})
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
    let mut query = population_item::Entity::find()
        .select_only()
        .column(population_item::Column::Id)
        .column(population_item::Column::AmountCents)
        .column(population_item::Column::BezirksstelleId)
        .filter(population_item::Column::PopulationId.eq(population));
    if needs.positive {
        query = query.filter(population_item::Column::AmountCents.gt(0));
    }
    if needs.in_order {
        query = query.order_by_asc(population_item::Column::Id);
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
fn consume(
    mut receiver: Receiver<Chunk>,
    selector: Selector,
    gone: HashSet<Uuid>,
    needs: Needs,
) -> Result<Selection> {
    let mut frame = Frame {
        selector,
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
                    frame.offer(uuid(id)?, bigint(cents)?, uuid(bezirksstelle)?)
                })?;
            }
            Chunk::Copy(bytes) => {
                copied = true;
                two.feed(&bytes, |[id, cents]| {
                    frame.offer(uuid(id)?, bigint(cents)?, Uuid::nil())
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

fn uuid(bytes: &[u8]) -> Result<Uuid> {
    Uuid::from_slice(bytes).map_err(|error| Error::internal(error.to_string()))
}

fn bigint(bytes: &[u8]) -> Result<i64> {
    let bytes = bytes
        .try_into()
        .map_err(|_| Error::internal("a bigint has eight bytes"))?;
    Ok(i64::from_be_bytes(bytes))
}

#[derive(Debug)]
struct Frame {
    selector: Selector,
    gone: HashSet<Uuid>,
    count: i64,
    sum: i64,
}

impl Frame {
    fn offer(&mut self, id: Uuid, cents: i64, bezirksstelle: Uuid) -> Result<()> {
        if self.gone.contains(&id) {
            return Ok(());
        }
        self.count += 1;
        self.sum = self.sum.checked_add(cents).ok_or_else(changed)?;
        let mut text = Uuid::encode_buffer();
        match &mut self.selector {
            Selector::Whole(selector) => selector.offer(id.hyphenated().encode_lower(&mut text)),
            Selector::Strata { places, selectors } => {
                let place = places.get(&bezirksstelle).copied();
                let selector = place
                    .and_then(|place| selectors.get_mut(place))
                    .ok_or_else(changed)?;
                selector.offer(id.hyphenated().encode_lower(&mut text));
            }
            Selector::Interval(selector) => selector.offer(id.hyphenated(), cents).map_err(|_| changed())?,
            Selector::Cell(selector) => {
                let id = id.hyphenated().encode_lower(&mut text);
                selector.offer(id, cents).map_err(|_| changed())?;
            }
            Selector::WithReplacement(selector) => {
                let id = id.hyphenated().encode_lower(&mut text);
                selector.offer(id, cents).map_err(|_| changed())?;
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<Selection> {
        let whole = |selected: Vec<Selected>| selected.into_iter().map(|item| (0, item)).collect();
        let selected = match self.selector {
            Selector::Whole(selector) => whole(selector.finish()),
            Selector::Strata { selectors, .. } => (0..)
                .zip(selectors)
                .flat_map(|(place, selector)| selector.finish().into_iter().map(move |item| (place, item)))
                .collect(),
            Selector::Interval(selector) => whole(selector.finish().map_err(|_: SelectionError| changed())?),
            Selector::Cell(selector) => whole(Box::new(selector).finish().map_err(|_| changed())?),
            Selector::WithReplacement(selector) => whole(Box::new(selector).finish().map_err(|_| changed())?),
        };
        Ok(Selection {
            selected,
            count: self.count,
            sum: self.sum,
        })
    }
}

/// The items are not those the plan was made for.
pub(super) fn changed() -> Error {
    Error::refused(Code::FrameChanged, "input.id")
}
