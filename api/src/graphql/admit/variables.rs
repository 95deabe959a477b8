//! Coercion of variables as the specification has it, before the engine sees them: the engine
//! reports a missing or overflowing value as if the operation had run, and forgets defaults in
//! `@skip` and `@include`. Every value the operation may use is in the result, defaults filled in.

use std::fmt::Write as _;

use async_graphql::parser::types::{BaseType, Type, VariableDefinition};
use async_graphql::{Name, Number, Positioned, Value, Variables};
use serde_json::{Map, Value as Json};

use super::ScalarCheck;
use super::index::{Index, InputShape, Kind, Scalar};
use super::refusal::{Fault, Reason, Refusal};

/// Faults reported at once; a bulk input may have thousands.
const REPORTED: usize = 20;

/// Coerces what was given to what the operation declares. Variables nobody declared are left out.
pub(super) fn coerce(
    index: &Index,
    scalars: ScalarCheck,
    definitions: &[Positioned<VariableDefinition>],
    fallbacks: &[(Name, Value)],
    mut given: Map<String, Json>,
) -> Result<Variables, Refusal> {
    let mut coercion = Coercion {
        index,
        scalars,
        path: String::new(),
        reasons: Vec::new(),
    };
    let mut variables = Variables::default();
    let mut faults = Vec::new();
    for definition in definitions {
        let name = &definition.node.name.node;
        coercion.path = format!("${name}");
        if let Some(value) = coercion.variable(&definition.node, given.remove(name.as_str())) {
            variables.insert(name.clone(), value);
        } else if let Some((_, default)) = fallbacks.iter().find(|(of, _)| of == name) {
            variables.insert(name.clone(), default.clone());
        }
        faults.extend(coercion.reasons.drain(..).map(|reason| Fault {
            reason,
            locations: vec![definition.pos],
        }));
        if faults.len() >= REPORTED {
            break;
        }
    }
    faults.truncate(REPORTED);
    if faults.is_empty() {
        Ok(variables)
    } else {
        Err(Refusal {
            faults,
            attempted: None,
        })
    }
}

struct Coercion<'a> {
    index: &'a Index,
    scalars: ScalarCheck,
    path: String,
    reasons: Vec<Reason>,
}

impl Coercion<'_> {
    fn variable(&mut self, definition: &VariableDefinition, given: Option<Json>) -> Option<Value> {
        let ty = &definition.var_type.node;
        let value = match (given, &definition.default_value) {
            (Some(given), _) => self.converted(ty, given)?,
            (None, Some(default)) => default.node.clone(),
            (None, None) if ty.nullable => return None,
            (None, None) => {
                self.missing(ty);
                return None;
            }
        };
        Some(self.value(ty, value))
    }

    fn converted(&mut self, ty: &Type, given: Json) -> Option<Value> {
        let value = Value::from_json(given).ok();
        if value.is_none() {
            self.unfit(ty);
        }
        value
    }

    fn value(&mut self, ty: &Type, value: Value) -> Value {
        if self.reasons.len() >= REPORTED {
            return Value::Null;
        }
        match (&ty.base, value) {
            (_, Value::Null) => {
                if !ty.nullable {
                    self.unfit(ty);
                }
                Value::Null
            }
            (BaseType::List(inner), Value::List(items)) => Value::List(
                items
                    .into_iter()
                    .enumerate()
                    .map(|(at, item)| self.at(format_args!("[{at}]"), |this| this.value(inner, item)))
                    .collect(),
            ),
            (BaseType::List(inner), single) => Value::List(vec![self.value(inner, single)]),
            (BaseType::Named(name), value) => self.named(ty, name, value),
        }
    }

    fn named(&mut self, ty: &Type, name: &Name, value: Value) -> Value {
        match self.index.kind(name) {
            Some(Kind::Scalar(Scalar::Custom)) => {
                if let Err(detail) = (self.scalars)(name, &value) {
                    self.reasons.push(Reason::Scalar {
                        path: self.path.clone(),
                        scalar: name.to_string(),
                        detail,
                    });
                }
                value
            }
            Some(Kind::Scalar(scalar)) => {
                let coerced = built_in(*scalar, value);
                if coerced.is_none() {
                    self.unfit(ty);
                }
                coerced.unwrap_or_default()
            }
            Some(Kind::Enum(names)) => {
                let known = match &value {
                    Value::Enum(name) => names.contains_key(name.as_str()),
                    Value::String(name) => names.contains_key(name.as_str()),
                    _ => false,
                };
                if !known {
                    self.unfit(ty);
                }
                value
            }
            Some(Kind::Input(shape)) => {
                if let Value::Object(given) = value {
                    let fields = given.into_iter().collect();
                    self.object(name, shape, fields)
                } else {
                    self.unfit(ty);
                    Value::Null
                }
            }
            Some(Kind::Composite(_)) | None => {
                self.unfit(ty);
                Value::Null
            }
        }
    }

    fn object(&mut self, parent: &Name, shape: &InputShape, given: Vec<(Name, Value)>) -> Value {
        if shape.one_of && !matches!(given.as_slice(), [(_, value)] if *value != Value::Null) {
            self.reasons.push(Reason::OneOf {
                path: self.path.clone(),
                parent: parent.to_string(),
            });
        }
        for (name, _) in &given {
            if !shape.fields.iter().any(|(known, _)| known == name) {
                let path = format!("{}.{name}", self.path);
                self.reasons.push(Reason::UnknownField {
                    path,
                    parent: parent.to_string(),
                });
            }
        }
        let mut given: std::collections::HashMap<_, _> = given.into_iter().collect();
        let fields = shape.fields.iter().filter_map(|(name, field)| {
            let value = match (given.remove(name), &field.default) {
                (Some(value), _) => value,
                (None, Some(default)) => default.clone(),
                (None, None) => {
                    if field.required() {
                        self.at(format_args!(".{name}"), |this| this.missing(&field.ty));
                    }
                    return None;
                }
            };
            let value = self.at(format_args!(".{name}"), |this| this.value(&field.ty, value));
            Some((name.clone(), value))
        });
        Value::Object(fields.collect())
    }

    /// Does something one step further down.
    fn at<T>(&mut self, step: std::fmt::Arguments<'_>, inner: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.path.len();
        let _ = self.path.write_fmt(step);
        let result = inner(self);
        self.path.truncate(length);
        result
    }

    fn missing(&mut self, ty: &Type) {
        self.reasons.push(Reason::Missing {
            path: self.path.clone(),
            expected: ty.to_string(),
        });
    }

    fn unfit(&mut self, ty: &Type) {
        self.reasons.push(Reason::Unfit {
            path: self.path.clone(),
            expected: ty.to_string(),
        });
    }
}

fn built_in(scalar: Scalar, value: Value) -> Option<Value> {
    match (scalar, value) {
        (Scalar::Int, Value::Number(number)) => integer(&number).map(|number| Value::Number(number.into())),
        (Scalar::Id, Value::Number(number)) if number.is_i64() || number.is_u64() => {
            Some(Value::String(number.to_string()))
        }
        (Scalar::Float, value @ Value::Number(_))
        | (Scalar::String | Scalar::Id, value @ Value::String(_))
        | (Scalar::Boolean, value @ Value::Boolean(_))
        | (Scalar::Custom, value) => Some(value),
        _ => None,
    }
}

/// An `Int` of the specification: 32 bits. JSON has no integers, so 3.0 is 3.
fn integer(number: &Number) -> Option<i32> {
    if let Some(integer) = number.as_i64() {
        return i32::try_from(integer).ok();
    }
    let float = number.as_f64()?;
    let in_range = float >= f64::from(i32::MIN) && float <= f64::from(i32::MAX);
    (number.is_f64() && float.fract() == 0.0 && in_range)
        .then(|| format!("{float:.0}").parse().ok())
        .flatten()
}
