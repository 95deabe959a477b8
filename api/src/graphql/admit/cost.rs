//! What an operation costs, as an expression: plans are cached by document, page sizes come with
//! each request's variables, so the sum is made again for every request over the few pages whose
//! size is a variable; all else is folded into one number when the plan is made.

use async_graphql::{Name, TypeDirective, Value, Variables};

use super::Limits;

/// A page below another object: a statement or two for every parent, since pages cannot be batched.
pub(in crate::graphql) const NESTED_PAGE: u32 = 100;

/// Figures over all rows of an object, however many there are.
pub(in crate::graphql) const FIGURES: u32 = 500;

/// What the field itself counts for in the cost of an operation, for every object it is selected on; a field without
/// this counts 1 and is fetched together with its siblings'.
#[TypeDirective(name = "cost", location = "FieldDefinition")]
pub(in crate::graphql) fn costs(weight: u32) {}

/// Rows a field may return.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Rows {
    /// Known from the document and the schema.
    Fixed(u64),
    /// The larger one of some variables and a number; the default page if all of them are null.
    Variables { names: Vec<Name>, at_least: u64 },
}

impl Rows {
    fn count(&self, variables: &Variables, limits: &Limits) -> u64 {
        match self {
            Self::Fixed(rows) => *rows,
            Self::Variables { names, at_least } => {
                let given = names.iter().filter_map(|name| match variables.get(name) {
                    None | Some(Value::Null) => None,
                    Some(value) => Some(page(value, limits)),
                });
                given
                    .max()
                    .map_or((*at_least).max(limits.page_default), |rows| rows.max(*at_least))
            }
        }
    }
}

/// Rows asked for by a value: a number of them, or their ids. Negative counts as none: the service refuses it.
pub(super) fn page(value: &Value, limits: &Limits) -> u64 {
    match value {
        Value::List(ids) => ids_page(ids.len(), limits),
        Value::Number(number) if number.as_i64().is_some_and(|rows| rows < 0) => 0,
        Value::Number(number) => number
            .as_u64()
            .map_or(limits.page_max, |rows| rows.min(limits.page_max)),
        _ => limits.page_max,
    }
}

/// Rows asked for by their ids.
pub(super) fn ids_page(ids: usize, limits: &Limits) -> u64 {
    u64::try_from(ids).map_or(limits.page_max, |rows| rows.min(limits.page_max))
}

/// A sum of fields and of multiplied sums.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Cost {
    fixed: u64,
    multiplied: Vec<(Rows, Cost)>,
}

impl Cost {
    /// The cost of one field by itself.
    pub(super) const fn field(weight: u64) -> Self {
        Self {
            fixed: weight,
            multiplied: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, other: Self) {
        self.fixed = self.fixed.saturating_add(other.fixed);
        self.multiplied.extend(other.multiplied);
    }

    pub(super) fn times(self, rows: &Rows) -> Self {
        match rows {
            Rows::Fixed(rows) if self.multiplied.is_empty() => Self {
                fixed: self.fixed.saturating_mul(*rows),
                multiplied: Vec::new(),
            },
            rows => Self {
                fixed: 0,
                multiplied: vec![(rows.clone(), self)],
            },
        }
    }

    pub(super) fn evaluate(&self, variables: &Variables, limits: &Limits) -> u64 {
        self.multiplied.iter().fold(self.fixed, |sum, (rows, cost)| {
            let rows = rows.count(variables, limits);
            sum.saturating_add(rows.saturating_mul(cost.evaluate(variables, limits)))
        })
    }
}
