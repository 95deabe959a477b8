//! Pages of lists: keyset, in a total order (the id last), never an offset.

use entity::InOrder;
use sea_orm::{
    ConnectionTrait, Cursor, DbErr, EntityTrait, FromQueryResult, IntoIdentity, Select, SelectModel, Value,
};
use uuid::Uuid;

/// Where a row stands in its list: the value it is sorted by, and its id.
#[derive(Clone, Debug, PartialEq)]
pub struct Position {
    /// Value of the sort column; `None` where the list is sorted by id alone.
    pub sort: Option<SortValue>,
    /// Id.
    pub id: Uuid,
}

/// A value lists are sorted by.
#[derive(Clone, Debug, PartialEq)]
pub enum SortValue {
    /// A whole number: cents, positions.
    Int(i64),
    /// A text, compared bytewise.
    Text(String),
}

impl From<SortValue> for Value {
    fn from(value: SortValue) -> Self {
        match value {
            SortValue::Int(number) => number.into(),
            SortValue::Text(text) => text.into(),
        }
    }
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
pub async fn by_id<E, C>(
    select: Select<E>,
    id: C,
    descending: bool,
    args: &PageArgs,
    db: &impl ConnectionTrait,
) -> Result<Page<E::Model>, DbErr>
where
    E: EntityTrait<Model: Sync>,
    C: IntoIdentity,
{
    let mut cursor = select.cursor_by(id);
    if let Some(position) = &args.after {
        cursor.after(position.id);
    }
    if let Some(position) = &args.before {
        cursor.before(position.id);
    }
    fetch(cursor, descending, args, db).await
}

/// Fetches a page sorted by a column, then by id. A position without a sort value belongs to another list.
pub async fn by_column<E, C>(
    select: Select<E>,
    columns: C,
    descending: bool,
    args: &PageArgs,
    db: &impl ConnectionTrait,
) -> Result<Page<E::Model>, DbErr>
where
    E: EntityTrait<Model: Sync>,
    InOrder<E::Model>: FromQueryResult + Send + Sync,
    C: IntoIdentity,
{
    let mut cursor = select.cursor_by(columns).into_model::<InOrder<E::Model>>();
    if let Some(Position { sort: Some(sort), id }) = &args.after {
        cursor.after((Value::from(sort.clone()), Value::from(*id)));
    }
    if let Some(Position { sort: Some(sort), id }) = &args.before {
        cursor.before((Value::from(sort.clone()), Value::from(*id)));
    }
    let page = fetch(cursor, descending, args, db).await?;
    Ok(Page {
        rows: page.rows.into_iter().map(|InOrder(row)| row).collect(),
        has_previous: page.has_previous,
        has_next: page.has_next,
    })
}

async fn fetch<M>(
    mut cursor: Cursor<SelectModel<M>>,
    descending: bool,
    args: &PageArgs,
    db: &impl ConnectionTrait,
) -> Result<Page<M>, DbErr>
where
    M: FromQueryResult + Send + Sync,
{
    if descending {
        cursor.desc();
    }
    if args.backward {
        cursor.last(args.limit + 1);
    } else {
        cursor.first(args.limit + 1);
    }
    let mut rows = cursor.all(db).await?;
    let more = rows.len() as u64 > args.limit;
    if more {
        if args.backward {
            rows.remove(0);
        } else {
            rows.pop();
        }
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
