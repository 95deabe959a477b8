//! Pages of lists, the same for all of them: arguments, opaque cursors, connection types.
//!
//! The library's connection types are not used: they cannot carry directives.

use async_graphql::{Context, Result, SimpleObject};
use audit::page::{Page, PageArgs, Position, SortValue};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::ContextExt;
use super::disclosure::{Class, disclosure};
use super::error::bad_input;

/// Where a page stands in its list.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(directive = disclosure::apply(Class::Public))]
pub(super) struct PageInfo {
    /// There are rows before this page.
    has_previous_page: bool,
    /// There are rows behind this page.
    has_next_page: bool,
    /// Cursor of the first row.
    start_cursor: Option<String>,
    /// Cursor of the last row.
    end_cursor: Option<String>,
}

/// The page arguments of a field, as they came in.
pub(super) struct Window {
    pub(super) first: Option<i32>,
    pub(super) after: Option<String>,
    pub(super) last: Option<i32>,
    pub(super) before: Option<String>,
}

impl Window {
    /// Checks the arguments for the list in this order. Cursors of another list or order are refused.
    pub(super) fn args(&self, ctx: &Context<'_>, order: &str) -> Result<PageArgs> {
        let limits = &ctx.info().limits;
        let (limit, backward) = match (self.first, self.last) {
            (Some(_), Some(_)) => return Err(bad_input("last", "give first or last, not both")),
            (None, Some(last)) => (size("last", last, limits.page_max)?, true),
            (Some(first), None) => (size("first", first, limits.page_max)?, false),
            (None, None) => (limits.page_default, false),
        };
        let position = |input: &str, cursor: &Option<String>| {
            cursor.as_deref().map(|cursor| {
                Cursor::decode(cursor, order)
                    .ok_or_else(|| bad_input(input, "no cursor of this list in this order"))
            })
        };
        Ok(PageArgs {
            after: position("after", &self.after).transpose()?,
            before: position("before", &self.before).transpose()?,
            limit,
            backward,
        })
    }
}

fn size(input: &str, asked: i32, most: u64) -> Result<u64> {
    u64::try_from(asked)
        .ok()
        .filter(|rows| *rows <= most)
        .ok_or_else(|| bad_input(input, format!("between 0 and {most}")))
}

/// Whether somebody wants the count, which costs a query of its own.
pub(super) fn counted(ctx: &Context<'_>) -> bool {
    ctx.look_ahead().field("totalCount").exists()
}

/// What a cursor says: the list and order it belongs to, and where it stands in it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cursor<'a> {
    o: &'a str,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    n: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    t: Option<String>,
    i: Uuid,
}

impl Cursor<'_> {
    fn decode(text: &str, order: &str) -> Option<Position> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let cursor: Cursor<'_> = serde_json::from_slice(&bytes).ok()?;
        let sort = match (cursor.n, cursor.t) {
            (None, None) => None,
            (Some(number), None) => Some(SortValue::Int(number)),
            (None, Some(text)) => Some(SortValue::Text(text)),
            (Some(_), Some(_)) => return None,
        };
        (cursor.o == order).then_some(Position { sort, id: cursor.i })
    }
}

/// The cursor of a row of the list in this order.
pub(super) fn cursor(order: &str, position: Position) -> String {
    let (number, text) = match position.sort {
        None => (None, None),
        Some(SortValue::Int(number)) => (Some(number), None),
        Some(SortValue::Text(text)) => (None, Some(text)),
    };
    let cursor = Cursor {
        o: order,
        n: number,
        t: text,
        i: position.id,
    };
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(&cursor).unwrap_or_default())
}

/// A row with its cursor, before it becomes an edge.
pub(super) struct Row<T> {
    pub(super) cursor: String,
    pub(super) node: T,
}

/// Cursors for a page, and what is told about it.
pub(super) fn rows<M, T>(
    page: Page<M>,
    order: &str,
    position: impl Fn(&M) -> Position,
    mut view: impl FnMut(M) -> T,
) -> (Vec<Row<T>>, PageInfo) {
    let rows: Vec<Row<T>> = page
        .rows
        .into_iter()
        .map(|row| Row {
            cursor: cursor(order, position(&row)),
            node: view(row),
        })
        .collect();
    let info = PageInfo {
        has_previous_page: page.has_previous,
        has_next_page: page.has_next,
        start_cursor: rows.first().map(|row| row.cursor.clone()),
        end_cursor: rows.last().map(|row| row.cursor.clone()),
    };
    (rows, info)
}

/// The position of a row in a list sorted by id.
pub(super) const fn by_id(id: Uuid) -> Position {
    Position { sort: None, id }
}

/// The connection and edge types of a list, with the class of its rows; `total` where the list can be counted.
macro_rules! connection {
    ($connection:ident, $edge:ident, $node:ty, $class:ident $(, $total:ident)?) => {
        #[doc = concat!("One ", stringify!($node), " in a list.")]
        #[derive(async_graphql::SimpleObject)]
        #[graphql(directive = $crate::graphql::disclosure::disclosure::apply($crate::graphql::disclosure::Class::$class))]
        pub(super) struct $edge {
            /// Where it stands; for `after` and `before` of the same list in the same order.
            cursor: String,
            /// The row itself.
            node: $node,
        }

        #[doc = concat!("A page of ", stringify!($node), " rows.")]
        #[derive(async_graphql::SimpleObject)]
        #[graphql(directive = $crate::graphql::disclosure::disclosure::apply($crate::graphql::disclosure::Class::$class))]
        pub(super) struct $connection {
            /// The rows of this page.
            edges: Vec<$edge>,
            /// Where the page stands in its list.
            page_info: $crate::graphql::page::PageInfo,
            $(
                /// Rows of the whole list that the caller may see.
                #[graphql(name = "totalCount")]
                $total: Option<u64>,
            )?
        }

        impl $connection {
            /// The connection of a page.
            fn of<M>(
                order: &str,
                page: audit::page::Page<M>,
                $($total: Option<u64>,)?
                position: impl Fn(&M) -> audit::page::Position,
            ) -> Self
            where
                $node: From<M>,
            {
                let (rows, page_info) = $crate::graphql::page::rows(page, order, position, <$node>::from);
                let edges = rows.into_iter().map(|row| $edge { cursor: row.cursor, node: row.node }).collect();
                Self { edges, page_info, $($total)? }
            }
        }
    };
}
pub(super) use connection;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_belongs_to_one_list_in_one_order() {
        for sort in [
            None,
            Some(SortValue::Int(-7)),
            Some(SortValue::Text("Ä".to_owned())),
        ] {
            let position = Position {
                sort,
                id: Uuid::from_u128(5),
            };
            let text = cursor("items:AMOUNT", position.clone());
            assert_eq!(Cursor::decode(&text, "items:AMOUNT"), Some(position));
            assert_eq!(Cursor::decode(&text, "items:REFERENCE"), None);
        }
        for wrong in ["", "AAAA", "eyJvIjoiaXRlbXMifQ", "%%%"] {
            assert_eq!(Cursor::decode(wrong, "items"), None);
        }
    }
}
