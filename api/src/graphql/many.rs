//! Objects that lists hold many of.
//!
//! The engine makes every field of every row a future of its own, boxes and joins them. Most fields of a row only copy a
//! value out of it, so a page of fifty rows spends more on that than on anything else. Here these fields are answered at
//! once, the others are asked once, and only those that have to wait are joined.

use std::borrow::Cow;
use std::sync::Arc;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{Field, Selection};
use async_graphql::registry::Registry;
use async_graphql::resolver_utils::{resolve_container, resolve_list};
use async_graphql::{
    ContextSelectionSet, Name, ObjectType, OutputType, Positioned, ServerError, ServerResult, Value,
};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, try_join_all};

/// An object with fields that never wait: their resolvers copy, and ask neither a loader nor the database.
pub(super) trait Row: ObjectType {
    /// Names of these fields. One that waits nevertheless is left to the engine, with its whole list.
    const AT_ONCE: &'static [&'static str];
}

/// One of many; in the contract it is the object itself.
pub(super) struct Many<T>(pub(super) T);

/// Many of them; in the contract it is the list.
pub(super) struct Rows<T>(Arc<[T]>);

impl<T> Clone for Rows<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> FromIterator<T> for Rows<T> {
    fn from_iter<I: IntoIterator<Item = T>>(rows: I) -> Self {
        Self(rows.into_iter().collect())
    }
}

/// What is selected from each row.
struct Shape<'a> {
    /// The answer of a row before it is filled in.
    empty: IndexMap<Name, Value>,
    /// Where its values come from, in the same order, and whether they are there at once.
    fields: Vec<(&'a Positioned<Field>, bool)>,
}

impl<'a> Shape<'a> {
    /// The shape, where every selection is a plain field under a name of its own; the engine knows what the others mean.
    fn of<T: Row>(ctx: &ContextSelectionSet<'a>) -> Option<Self> {
        let selections = &ctx.item.node.items;
        let mut empty = IndexMap::with_capacity(selections.len());
        let mut fields = Vec::with_capacity(selections.len());
        for selection in selections {
            let Selection::Field(field) = &selection.node else {
                return None;
            };
            let name = field.node.name.node.as_str();
            if name == "__typename" || !field.node.directives.is_empty() {
                return None;
            }
            let key = field.node.response_key().node.clone();
            if empty.insert(key, Value::Null).is_some() {
                return None;
            }
            fields.push((field, T::AT_ONCE.contains(&name)));
        }
        Some(Self { empty, fields })
    }

    /// Asks a row for its fields. None where one waits that should not.
    fn ask<'b, T: Row>(&self, ctx: &ContextSelectionSet<'b>, row: &'b T) -> ServerResult<Option<Asked<'b>>>
    where
        'a: 'b,
    {
        let mut object = self.empty.clone();
        let mut waiting = Vec::new();
        for (place, &(field, at_once)) in self.fields.iter().enumerate() {
            if at_once {
                match row.resolve_field(&ctx.with_field(field)).now_or_never() {
                    Some(value) => object[place] = value?.unwrap_or_default(),
                    None => return Ok(None),
                }
                continue;
            }
            let ctx = ctx.clone();
            let mut value = async move { row.resolve_field(&ctx.with_field(field)).await }.boxed();
            match (&mut value).now_or_never() {
                Some(value) => object[place] = value?.unwrap_or_default(),
                None => waiting.push((place, value)),
            }
        }
        Ok(Some(Asked { object, waiting }))
    }
}

/// A row that is answered but for the fields that wait.
struct Asked<'a> {
    object: IndexMap<Name, Value>,
    waiting: Vec<(usize, BoxFuture<'a, ServerResult<Option<Value>>>)>,
}

impl Asked<'_> {
    async fn answer(self) -> ServerResult<Value> {
        let mut object = self.object;
        if !self.waiting.is_empty() {
            let values = self.waiting.into_iter().map(|(place, value)| async move {
                Ok::<_, ServerError>((place, value.await?.unwrap_or_default()))
            });
            for (place, value) in try_join_all(values).await? {
                object[place] = value;
            }
        }
        Ok(Value::Object(object))
    }
}

impl<T: Row> OutputType for Many<T> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        if let Some(shape) = Shape::of::<T>(ctx)
            && let Some(asked) = shape.ask(ctx, &self.0)?
        {
            return asked.answer().await;
        }
        resolve_container(ctx, &self.0).await
    }
}

impl<T: Row> OutputType for Rows<T> {
    fn type_name() -> Cow<'static, str> {
        Vec::<T>::type_name()
    }

    fn qualified_type_name() -> String {
        Vec::<T>::qualified_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        Vec::<T>::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        let Some(shape) = Shape::of::<T>(ctx) else {
            return resolve_list(ctx, field, self.0.iter(), Some(self.0.len())).await;
        };
        let mut rows = Vec::with_capacity(self.0.len());
        let mut waiting = Vec::new();
        for (index, row) in self.0.iter().enumerate() {
            let at = ctx.with_index(index);
            match shape.ask(&at, row).map_err(|error| at.set_error_path(error))? {
                None => return resolve_list(ctx, field, self.0.iter(), Some(self.0.len())).await,
                Some(asked) if asked.waiting.is_empty() => rows.push(Value::Object(asked.object)),
                Some(asked) => {
                    rows.push(Value::Null);
                    waiting.push(async move {
                        let row = asked.answer().await.map_err(|error| at.set_error_path(error))?;
                        Ok::<_, ServerError>((index, row))
                    });
                }
            }
        }
        for (index, row) in try_join_all(waiting).await? {
            rows[index] = row;
        }
        Ok(Value::List(rows))
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::{EmptyMutation, EmptySubscription, Error, Object, Result, Schema};

    use super::*;

    struct Thing(i32);

    #[Object]
    impl Thing {
        async fn id(&self) -> i32 {
            self.0
        }

        async fn name(&self) -> Option<String> {
            (self.0 != 2).then(|| format!("no {}", self.0))
        }

        async fn fails(&self) -> Result<i32> {
            Err(Error::new("at once"))
        }

        async fn late(&self, #[graphql(default = 1)] times: i32) -> i32 {
            tokio::task::yield_now().await;
            self.0 * times
        }

        async fn later(&self) -> i32 {
            tokio::task::yield_now().await;
            self.0
        }

        async fn fails_late(&self) -> Option<Result<i32>> {
            tokio::task::yield_now().await;
            Some(Err(Error::new("late")))
        }

        async fn next(&self) -> Many<Self> {
            Many(Self(self.0 + 1))
        }
    }

    impl Row for Thing {
        // One of them waits, against the rule.
        const AT_ONCE: &'static [&'static str] = &["id", "name", "fails", "later"];
    }

    struct Query;

    #[Object]
    impl Query {
        async fn engine(&self) -> Vec<Thing> {
            (1..4).map(Thing).collect()
        }

        async fn many(&self) -> Vec<Many<Thing>> {
            (1..4).map(|number| Many(Thing(number))).collect()
        }

        async fn rows(&self) -> Rows<Thing> {
            (1..4).map(Thing).collect()
        }
    }

    #[tokio::test]
    async fn many_answer_like_one() {
        let schema = Schema::new(Query, EmptyMutation, EmptySubscription);
        for selection in [
            "id name",
            "name id name",
            "a: id b: name c: late(times: 3) d: late",
            "__typename id",
            "id ...Rest late",
            "id ... on Thing { name next { id } }",
            "id name @include(if: false) late @skip(if: true)",
            "id next { late id } next { name }",
            "late next { next { id late } } name",
            "id later name",
            "id fails name",
            "id failsLate name",
        ] {
            let mut answers = Vec::new();
            for list in ["engine", "many", "rows"] {
                let document =
                    format!("{{ list: {list} {{ {selection} }} }} fragment Rest on Thing {{ name b: id }}");
                let document = if selection.contains("Rest") {
                    document
                } else {
                    document.split(" fragment").next().unwrap_or_default().to_owned()
                };
                let answer = schema.execute(document).await;
                let errors: Vec<_> = answer
                    .errors
                    .iter()
                    .map(|error| (&error.message, &error.path))
                    .collect();
                answers.push(format!("{} {errors:?}", answer.data));
            }
            assert_eq!(answers[0], answers[1], "{selection}");
            assert_eq!(answers[0], answers[2], "{selection}");
            assert!(
                answers[0].contains("list") || selection.contains("fails"),
                "{selection}: {}",
                answers[0]
            );
        }
    }
}
