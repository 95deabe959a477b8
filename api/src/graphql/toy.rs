//! A schema for the tests of the edge: every kind of input and output once, no rule behind it.

use std::time::Duration;

use async_graphql::{
    Enum, ID, InputObject, InputValueError, InputValueResult, Object, OneofObject, Result, Scalar,
    ScalarType, Schema, SimpleObject, Subscription, Value,
};
use futures_util::{Stream, StreamExt, stream};

use crate::graphql::admit::{Admission, Limits, NESTED_PAGE, costs};
use crate::graphql::disclosure::{Class, disclosure};

pub(crate) type Toy = Schema<Query, Mutation, Ticks>;

pub(crate) fn schema() -> Toy {
    Schema::build(Query, Mutation, Ticks)
        .limit_recursive_depth(64)
        .finish()
}

pub(crate) fn admission(limits: Limits) -> Admission {
    Admission::new(&schema().sdl(), limits)
        .expect("own SDL")
        .with_scalars(|name, value| match (name, value) {
            ("Euro", Value::String(text)) if euro(text) => Ok(()),
            ("Euro", _) => Err("no amount".to_owned()),
            _ => Ok(()),
        })
}

fn euro(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

#[derive(Clone)]
pub(crate) struct Euro(String);

#[Scalar]
impl ScalarType for Euro {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(text) if euro(&text) => Ok(Self(text)),
            other => Err(InputValueError::expected_type(other)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Color {
    Red,
    Green,
}

#[derive(InputObject)]
pub(crate) struct Filter {
    color: Color,
    amounts: Option<Vec<Euro>>,
    #[graphql(default = 7)]
    limit: i32,
    inner: Option<Box<Filter>>,
}

#[derive(OneofObject)]
pub(crate) enum Target {
    Id(ID),
    Name(String),
}

#[derive(SimpleObject)]
#[graphql(directive = disclosure::apply(Class::Public))]
pub(crate) struct Check {
    remark: String,
}

pub(crate) struct Item;

#[Object(directive = disclosure::apply(Class::Public))]
impl Item {
    async fn id(&self) -> ID {
        ID::from("1")
    }

    #[graphql(directive = costs::apply(NESTED_PAGE))]
    async fn related(&self, first: Option<i32>) -> Items {
        Items {
            total_count: first.unwrap_or(20),
            nodes: Vec::new(),
        }
    }

    async fn parent(&self) -> Option<Item> {
        Some(Self)
    }

    async fn checks(&self) -> Vec<Check> {
        vec![Check {
            remark: "ok".to_owned(),
        }]
    }
}

#[derive(SimpleObject)]
#[graphql(directive = disclosure::apply(Class::Public))]
pub(crate) struct Items {
    total_count: i32,
    nodes: Vec<Item>,
}

pub(crate) struct Query;

#[Object(directive = disclosure::apply(Class::Public))]
impl Query {
    async fn hello(&self) -> &'static str {
        "world"
    }

    async fn double(&self, n: i32) -> i32 {
        n.wrapping_mul(2)
    }

    async fn defaulted(&self, #[graphql(default = 20)] n: i32) -> i32 {
        n
    }

    async fn sum(&self, numbers: Vec<i32>) -> i32 {
        numbers.iter().sum()
    }

    async fn id(&self, id: ID) -> ID {
        id
    }

    async fn color(&self, color: Color) -> Color {
        color
    }

    async fn euro(&self, amount: Euro) -> Euro {
        amount
    }

    async fn filter(&self, input: Filter) -> String {
        format!(
            "{:?} {} {} {}",
            input.color as u8,
            input.amounts.map_or(0, |amounts| amounts.len()),
            input.limit,
            input.inner.is_some()
        )
    }

    async fn target(&self, target: Target) -> String {
        match target {
            Target::Id(id) => id.to_string(),
            Target::Name(name) => name,
        }
    }

    async fn item(&self) -> Item {
        Item
    }

    async fn items(&self, first: Option<i32>, last: Option<i32>) -> Items {
        Items {
            total_count: first.or(last).unwrap_or(20),
            nodes: vec![Item],
        }
    }

    async fn named(&self, ids: Vec<ID>) -> Vec<Item> {
        ids.iter().map(|_| Item).collect()
    }

    async fn fails(&self) -> Result<Option<String>> {
        Err("SELECT * FROM secret".into())
    }

    async fn slow(&self) -> bool {
        tokio::time::sleep(Duration::from_mins(1)).await;
        true
    }
}

pub(crate) struct Mutation;

#[Object(directive = disclosure::apply(Class::Public))]
impl Mutation {
    async fn rename(&self, name: String) -> String {
        name
    }
}

pub(crate) struct Ticks;

#[Subscription]
impl Ticks {
    #[graphql(directive = disclosure::apply(Class::Public))]
    async fn ticks(&self, to: i32) -> impl Stream<Item = i32> {
        stream::iter(0..to)
    }

    #[graphql(directive = disclosure::apply(Class::SocialData))]
    async fn watched(&self, to: i32) -> impl Stream<Item = i32> {
        stream::iter(0..to)
    }

    #[graphql(directive = disclosure::apply(Class::Public))]
    async fn forever(&self) -> impl Stream<Item = i32> {
        stream::iter([0]).chain(stream::pending())
    }
}
