//! Pages of lists: keyset, in a total order (the id last), never an offset.

use entity::Listed;
use sea_orm::sea_query::{BinOper, Expr, ExprTrait as _};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, Order, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait, Select,
};
use uuid::Uuid;

/// Where a row stands in its list: its id. The value it is sorted by stays in the database, so that a position tells
/// nothing of the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Id.
    pub id: Uuid,
}

/// What part of a list is asked for.
#[derive(Clone, Debug)]
pub struct PageArgs {
    /// Only rows behind this one.
    pub after: Option<Position>,
    /// Only rows before this one.
    pub before: Option<Position>,
    /// How many at the most.
    pub limit: u64,
    /// From the end of the list instead of its beginning.
    pub backward: bool,
}

/// One page.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The rows, in the list's order.
    pub rows: Vec<T>,
    /// There are rows before these.
    pub has_previous: bool,
    /// There are rows behind these.
    pub has_next: bool,
}

/// Fetches a page sorted by id.
pub async fn by_id<E>(
    select: Select<E>,
    id: E::Column,
    descending: bool,
    args: &PageArgs,
    db: &impl ConnectionTrait,
) -> Result<Page<E::Model>, DbErr>
where
    E: EntityTrait,
{
    let place = |position: Position| Expr::tuple([Expr::val(position.id)]);
    fetch::<E, E::Model>(select, &[id], place, descending, args, db).await
}

/// Fetches a page sorted by a column, then by id: the second column. A position outside `visible`, the rows the caller may
/// see in any list, has nothing before or behind it.
pub async fn by_column<E, L>(
    select: Select<E>,
    visible: &Select<E>,
    columns: [E::Column; 2],
    descending: bool,
    args: &PageArgs,
    db: &impl ConnectionTrait,
) -> Result<Page<L>, DbErr>
where
    E: EntityTrait,
    L: Listed<Entity = E>,
{
    let place = |position: Position| {
        let row = visible
            .clone()
            .filter(ColumnTrait::eq(&columns[1], position.id))
            .select_only()
            .columns(columns);
        Expr::SubQuery(None, Box::new(row.into_query().into()))
    };
    fetch(L::of(select), &columns, place, descending, args, db).await
}

/// Positions are compared as rows of values, so that the index leads to the page at any depth of the list; the same
/// spelled with OR reads all that stands before.
async fn fetch<E, M>(
    mut select: Select<E>,
    columns: &[E::Column],
    place: impl Fn(Position) -> Expr,
    descending: bool,
    args: &PageArgs,
    db: &impl ConnectionTrait,
) -> Result<Page<M>, DbErr>
where
    E: EntityTrait,
    M: FromQueryResult,
{
    let key = || Expr::tuple(columns.iter().map(|column| Expr::col((E::default(), *column))));
    if let Some(position) = args.after {
        let behind = if descending {
            BinOper::SmallerThan
        } else {
            BinOper::GreaterThan
        };
        select = select.filter(key().binary(behind, place(position)));
    }
    if let Some(position) = args.before {
        let ahead = if descending {
            BinOper::GreaterThan
        } else {
            BinOper::SmallerThan
        };
        select = select.filter(key().binary(ahead, place(position)));
    }
    let order = if descending == args.backward {
        Order::Asc
    } else {
        Order::Desc
    };
    for column in columns {
        select = select.order_by(*column, order.clone());
    }
    let mut rows = select.limit(args.limit + 1).into_model::<M>().all(db).await?;
    let more = rows.len() as u64 > args.limit;
    if more {
        rows.pop();
    }
    if args.backward {
        rows.reverse();
    }
    let (has_previous, has_next) = if args.backward {
        (more, args.before.is_some())
    } else {
        (args.after.is_some(), more)
    };
    Ok(Page {
        rows,
        has_previous,
        has_next,
    })
}
