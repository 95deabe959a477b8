//! Objects that lists hold many of.
//!
//! The engine makes every field of every row a future of its own and joins them. Most fields of a row only copy a value
//! out of it, so a page of fifty rows spends more on that than on anything else; these fields are answered at once.

use std::borrow::Cow;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{Field, Selection};
use async_graphql::registry::Registry;
use async_graphql::resolver_utils::resolve_container;
use async_graphql::{
    ContextSelectionSet, ObjectType, OutputType, Positioned, ServerError, ServerResult, Value,
};
use futures_util::FutureExt as _;
use futures_util::future::try_join_all;

/// An object with fields that never wait: their resolvers copy, and ask neither a loader nor the database.
pub(super) trait Row: ObjectType {
    /// Names of these fields. One that waits nevertheless is left to the engine, with the whole row.
    const AT_ONCE: &'static [&'static str];
}

/// One of many; in the contract it is the object itself.
pub(super) struct Many<T>(pub(super) T);

impl<T: Row> Many<T> {
    /// The row, where every selection is a plain field under a name of its own; the engine knows what the others mean.
    async fn plain(&self, ctx: &ContextSelectionSet<'_>) -> ServerResult<Option<Value>> {
        let selections = &ctx.item.node.items;
        let mut object = IndexMap::with_capacity(selections.len());
        let mut waiting = Vec::new();
        for selection in selections {
            let Selection::Field(field) = &selection.node else {
                return Ok(None);
            };
            let (name, key) = (field.node.name.node.as_str(), &field.node.response_key().node);
            if name == "__typename" || !field.node.directives.is_empty() {
                return Ok(None);
            }
            let value = if T::AT_ONCE.contains(&name) {
                match self.0.resolve_field(&ctx.with_field(field)).now_or_never() {
                    Some(value) => value?.unwrap_or_default(),
                    None => return Ok(None),
                }
            } else {
                let field = async move {
                    let value = self.0.resolve_field(&ctx.with_field(field)).await?;
                    Ok::<_, ServerError>((key.clone(), value.unwrap_or_default()))
                };
                waiting.push(field.boxed());
                Value::Null
            };
            if object.insert(key.clone(), value).is_some() {
                return Ok(None);
            }
        }
        object.extend(try_join_all(waiting).await?);
        Ok(Some(Value::Object(object)))
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
        match self.plain(ctx).await? {
            Some(row) => Ok(row),
            None => resolve_container(ctx, &self.0).await,
        }
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
            for list in ["engine", "many"] {
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
            assert!(
                answers[0].contains("list") || selection.contains("fails"),
                "{selection}: {}",
                answers[0]
            );
        }
    }
}
