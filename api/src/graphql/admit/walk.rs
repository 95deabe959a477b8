//! One walk over a document, with a budget, that makes the plan of the chosen operation.
//!
//! Every operation is walked with its fragments expanded, since the engine expands all of them too
//! before it looks which one is asked for; only the chosen one is counted and planned. What the
//! schema does not know is passed over: the engine's validation reports it, in words that fit.
//!
//! [`Walk::field`] is the one place where a field meets its definition: whatever has to be known
//! about each use of a field is added there, beside its cost.

use std::collections::{HashMap, HashSet};

use async_graphql::parser::types::{
    BaseType, Directive, ExecutableDocument, Field, OperationDefinition, OperationType, Selection,
    SelectionSet, Type, VariableDefinition,
};
use async_graphql::{Name, Pos, Positioned, Value, Variables};
use async_graphql_value::Value as InputValue;
use audit::access::{Class, Classes};

use super::cost::{Cost, Rows, ids_page, page};
use super::disclosure::{Condition, Disclosures, Search, Use};
use super::index::{FieldShape, Fields, Index, InputField, Kind, SIZES, Scalar, named};
use super::refusal::{Limit, Reason, Refusal};
use super::{Limits, OperationKind, ScalarCheck};

/// Fields and fragments within each other, of any kind: what the recursion of parser, walk and
/// engine may use of the stack.
pub(super) const NESTING: usize = 64;

/// Depth of introspection: the introspection query of `GraphiQL` has 15 levels.
const INTROSPECTION_DEPTH: usize = 16;

/// Lists of the introspection schema within each other: from a type to its fields and back to a
/// type is exponential otherwise. The usual introspection query has one.
const INTROSPECTION_LISTS: usize = 2;

/// What is known about one operation of one document before any variable is given. Depends on the
/// schema and the document alone.
#[derive(Debug)]
pub struct Plan {
    pub(super) kind: OperationKind,
    pub(super) depth: usize,
    pub(super) introspects: bool,
    pub(super) cost: Cost,
    pub(super) variables: Vec<Positioned<VariableDefinition>>,
    pub(super) disclosures: Disclosures,
    /// Defaults of arguments whose value is a variable that may be left out: the engine passes null
    /// for it where the specification says that the argument was not given.
    pub(super) fallbacks: Vec<(Name, Value)>,
}

impl Plan {
    /// Query, mutation or subscription.
    pub fn kind(&self) -> OperationKind {
        self.kind
    }

    /// Levels of fields.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// Whether `__schema` or `__type` is selected.
    pub fn introspects(&self) -> bool {
        self.introspects
    }

    /// What the operation costs with these variables (coerced, defaults filled in).
    pub fn cost(&self, variables: &Variables, limits: &Limits) -> u64 {
        self.cost.evaluate(variables, limits)
    }
}

/// Walks all of the document and plans `chosen`.
pub(super) fn plan(
    index: &Index,
    limits: &Limits,
    scalars: ScalarCheck,
    document: &ExecutableDocument,
    chosen: &Positioned<OperationDefinition>,
) -> Result<Plan, Refusal> {
    let mut walk = Walk {
        index,
        limits,
        scalars,
        document,
        variables: &chosen.node.variable_definitions,
        selections: 0,
        aliases: 0,
        directives: 0,
        depth: 0,
        nesting: 0,
        introspects: false,
        fallbacks: Vec::new(),
        disclosures: Disclosures::default(),
        path: Vec::new(),
        conditions: Vec::new(),
        trail: Vec::new(),
        reached: HashSet::new(),
    };
    for (_, operation) in document.operations.iter() {
        walk.variable_types(&operation.node)?;
        if operation.pos != chosen.pos {
            walk.operation(&operation.node, false)?;
        }
    }
    let cost = walk.operation(&chosen.node, true)?;
    walk.unused_fragments()?;
    Ok(Plan {
        kind: chosen.node.ty.into(),
        depth: walk.depth,
        introspects: walk.introspects,
        cost,
        variables: chosen.node.variable_definitions.clone(),
        fallbacks: walk.fallbacks,
        disclosures: walk.disclosures,
    })
}

/// Where the walk stands.
struct Place<'a> {
    /// Fields of the type selected from; none where the schema does not know it.
    fields: Option<&'a Fields>,
    depth: usize,
    /// Whether this belongs to the chosen operation and is not skipped by a literal.
    counted: bool,
    /// Rows of the page whose object this is, for the lists in it (`edges`, `nodes`).
    page: Option<Rows>,
    /// Lists passed inside introspection.
    introspection: Option<usize>,
}

struct Walk<'a> {
    index: &'a Index,
    limits: &'a Limits,
    scalars: ScalarCheck,
    document: &'a ExecutableDocument,
    variables: &'a [Positioned<VariableDefinition>],
    selections: usize,
    aliases: usize,
    directives: usize,
    depth: usize,
    nesting: usize,
    introspects: bool,
    fallbacks: Vec<(Name, Value)>,
    disclosures: Disclosures,
    /// Response keys down to where the walk stands.
    path: Vec<&'a Name>,
    /// What the selections down to there depend on.
    conditions: Vec<Condition>,
    trail: Vec<&'a Name>,
    reached: HashSet<&'a Name>,
}

impl<'a> Walk<'a> {
    /// The engine panics on some defaults of types it does not know, so they do not get there.
    fn variable_types(&self, operation: &OperationDefinition) -> Result<(), Refusal> {
        let Some(definition) = operation
            .variable_definitions
            .iter()
            .find(|definition| !self.index.takes_input(&definition.node.var_type.node))
        else {
            return Ok(());
        };
        Err(Refusal::new(
            Reason::VariableType {
                variable: definition.node.name.node.to_string(),
                declared: definition.node.var_type.node.to_string(),
            },
            [definition.node.var_type.pos],
        ))
    }

    fn operation(&mut self, operation: &'a OperationDefinition, counted: bool) -> Result<Cost, Refusal> {
        let place = Place {
            fields: self.index.root(operation.ty),
            depth: 0,
            counted,
            page: None,
            introspection: None,
        };
        self.directives(&operation.directives, &place)?;
        self.selection_set(&operation.selection_set.node, &place)
    }

    fn unused_fragments(&self) -> Result<(), Refusal> {
        let unused = self
            .document
            .fragments
            .iter()
            .filter(|(name, _)| !self.reached.contains(name))
            .min_by_key(|(_, fragment)| fragment.pos);
        match unused {
            None => Ok(()),
            Some((name, fragment)) => Err(Refusal::new(
                Reason::UnusedFragment(name.to_string()),
                [fragment.pos],
            )),
        }
    }

    fn selection_set(&mut self, set: &'a SelectionSet, place: &Place<'a>) -> Result<Cost, Refusal> {
        self.nesting += 1;
        let mut sum = Cost::default();
        for selection in &set.items {
            sum.add(self.selection(selection, place)?);
        }
        self.nesting -= 1;
        Ok(sum)
    }

    fn selection(
        &mut self,
        selection: &'a Positioned<Selection>,
        place: &Place<'a>,
    ) -> Result<Cost, Refusal> {
        self.selections += 1;
        let at = Some(selection.pos);
        if self.selections > self.limits.selections {
            return Err(Refusal::limit(Limit::Selections, self.limits.selections, at));
        }
        if self.nesting > NESTING {
            return Err(Refusal::limit(Limit::Nesting, NESTING, at));
        }
        self.directives(selection.node.directives(), place)?;
        let place = &Place {
            counted: place.counted && !skipped(selection.node.directives()),
            page: place.page.clone(),
            ..*place
        };
        let outside = self.conditions.len();
        self.conditions.extend(Condition::of(selection.node.directives()));
        let cost = self.selected(selection, place);
        self.conditions.truncate(outside);
        cost
    }

    fn selected(&mut self, selection: &'a Positioned<Selection>, place: &Place<'a>) -> Result<Cost, Refusal> {
        match &selection.node {
            Selection::Field(field) => self.field(field, place),
            Selection::InlineFragment(fragment) => {
                let condition = fragment.node.type_condition.as_ref();
                let fields = match condition {
                    Some(condition) => self.index.fields(&condition.node.on.node),
                    None => place.fields,
                };
                self.fragment(&fragment.node.selection_set.node, fields, place)
            }
            Selection::FragmentSpread(spread) => {
                let name = &spread.node.fragment_name;
                let Some((key, fragment)) = self.document.fragments.get_key_value(&name.node) else {
                    return Ok(Cost::default());
                };
                if self.trail.contains(&key) {
                    return Err(Refusal::new(Reason::FragmentCycle(key.to_string()), [name.pos]));
                }
                self.reached.insert(key);
                self.trail.push(key);
                self.directives(&fragment.node.directives, place)?;
                let fields = self.index.fields(&fragment.node.type_condition.node.on.node);
                let cost = self.fragment(&fragment.node.selection_set.node, fields, place)?;
                self.trail.pop();
                Ok(cost)
            }
        }
    }

    fn fragment(
        &mut self,
        set: &'a SelectionSet,
        fields: Option<&'a Fields>,
        place: &Place<'a>,
    ) -> Result<Cost, Refusal> {
        let place = Place {
            fields,
            page: place.page.clone(),
            ..*place
        };
        self.selection_set(set, &place)
    }

    fn field(&mut self, field: &'a Positioned<Field>, place: &Place<'a>) -> Result<Cost, Refusal> {
        let name = &field.node.name.node;
        let depth = place.depth + 1;
        let introspection = self.introspection(field, place)?;
        if place.counted {
            self.count(field, depth, introspection.is_some())?;
        }
        let shape = place.fields.and_then(|fields| fields.get(name));
        self.path.push(&field.node.response_key().node);
        if let Some(shape) = shape {
            self.arguments(&field.node, shape)?;
            if place.counted {
                self.disclose(&field.node, shape);
            }
        }
        let rows = shape.and_then(|shape| self.rows(&field.node, shape, place));
        let below = Place {
            fields: shape.and_then(|shape| self.index.fields(&shape.returns)),
            depth,
            counted: place.counted,
            page: shape
                .filter(|shape| shape.paged && !shape.rows)
                .map(|shape| self.page(&field.node, shape)),
            introspection,
        };
        let inside = self.selection_set(&field.node.selection_set.node, &below)?;
        self.path.pop();
        if !place.counted || introspection.is_some() || name == "__typename" {
            return Ok(Cost::default());
        }
        let mut cost = Cost::field(shape.map_or(1, |shape| shape.weight));
        cost.add(match &rows {
            Some(rows) => inside.times(rows),
            None => inside,
        });
        Ok(cost)
    }

    /// Notes what the field gives away, and what its arguments search by.
    fn disclose(&mut self, field: &'a Field, shape: &'a FieldShape) {
        let path = self
            .path
            .iter()
            .map(|key| key.as_str())
            .collect::<Vec<_>>()
            .join(".");
        self.note(shape.classes, &path, &shape.coordinate);
        for (name, value) in &field.arguments {
            if let Some(argument) = shape.arguments.get(&name.node) {
                let path = format!("{path}({})", name.node);
                self.input(
                    argument,
                    &value.node,
                    &path,
                    &format!("{}({})", shape.coordinate, name.node),
                );
            }
        }
    }

    fn note(&mut self, classes: Classes, path: &str, field: &str) {
        self.disclosures.add(Use {
            classes,
            path: path.to_owned(),
            field: field.to_owned(),
            conditions: self.conditions.clone(),
        });
    }

    /// What a value in the document searches by. A variable's value is looked at when it is known.
    fn input(&mut self, input: &'a InputField, value: &'a InputValue, path: &str, field: &str) {
        let outside = self.conditions.len();
        match value {
            InputValue::Null => return,
            InputValue::Variable(name) => {
                self.conditions.push(Condition::Given(name.clone()));
                if self.index.classed(&input.ty) {
                    self.disclosures.search(Search {
                        variable: name.clone(),
                        ty: input.ty.clone(),
                        path: path.to_owned(),
                        conditions: self.conditions.clone(),
                    });
                }
            }
            _ => {}
        }
        if let Some(class) = input.class {
            self.note(Classes::of(&[class]), path, field);
        }
        self.conditions.truncate(outside);
        let ty = named(&input.ty);
        match (self.index.kind(ty), value) {
            (Some(Kind::Input(_)), InputValue::List(items)) => {
                for item in items {
                    self.object(ty, item, path);
                }
            }
            (Some(Kind::Input(_)), value) => self.object(ty, value, path),
            (Some(Kind::Enum(values)), InputValue::Enum(word)) => self.word(ty, values, word, path),
            (Some(Kind::Enum(values)), InputValue::List(words)) => {
                for word in words {
                    if let InputValue::Enum(word) = word {
                        self.word(ty, values, word, path);
                    }
                }
            }
            _ => {}
        }
    }

    fn object(&mut self, ty: &Name, value: &'a InputValue, path: &str) {
        let (Some(Kind::Input(shape)), InputValue::Object(given)) = (self.index.kind(ty), value) else {
            return;
        };
        for (name, input) in &shape.fields {
            if let Some(value) = given.get(name) {
                self.input(input, value, &format!("{path}.{name}"), &format!("{ty}.{name}"));
            }
        }
    }

    fn word(&mut self, ty: &Name, values: &HashMap<Name, Option<Class>>, word: &Name, path: &str) {
        if let Some(Some(class)) = values.get(word) {
            self.note(Classes::of(&[*class]), path, &format!("{ty}.{word}"));
        }
    }

    /// Counts what the chosen operation has of a kind.
    fn count(&mut self, field: &Positioned<Field>, depth: usize, introspection: bool) -> Result<(), Refusal> {
        let at = Some(field.pos);
        if field.node.alias.is_some() {
            self.aliases += 1;
            if self.aliases > self.limits.aliases {
                return Err(Refusal::limit(Limit::Aliases, self.limits.aliases, at));
            }
        }
        let allowed = if introspection {
            self.limits.depth.max(INTROSPECTION_DEPTH)
        } else {
            self.limits.depth
        };
        if depth > allowed {
            return Err(Refusal::limit(Limit::Depth, allowed, at));
        }
        self.depth = self.depth.max(depth);
        Ok(())
    }

    /// The number of lists passed, if the field belongs to introspection.
    fn introspection(
        &mut self,
        field: &Positioned<Field>,
        place: &Place<'_>,
    ) -> Result<Option<usize>, Refusal> {
        let name = field.node.name.node.as_str();
        let Some(lists) = place.introspection else {
            let enters = matches!(name, "__schema" | "__type");
            self.introspects |= enters && place.counted;
            return Ok(enters.then_some(0));
        };
        let lists = match name {
            "fields" | "inputFields" | "interfaces" | "possibleTypes" => lists + 1,
            _ => lists,
        };
        if lists > INTROSPECTION_LISTS {
            return Err(Refusal::limit(
                Limit::Introspection,
                INTROSPECTION_LISTS,
                Some(field.pos),
            ));
        }
        Ok(Some(lists))
    }

    fn directives(&mut self, directives: &[Positioned<Directive>], place: &Place<'_>) -> Result<(), Refusal> {
        if place.counted {
            self.directives += directives.len();
        }
        if self.directives > self.limits.directives {
            return Err(Refusal::limit(
                Limit::Directives,
                self.limits.directives,
                directives.first().map(|directive| directive.pos),
            ));
        }
        Ok(())
    }

    /// How often what is selected below the field is resolved, if that is not once.
    fn rows(&self, field: &Field, shape: &FieldShape, place: &Place<'_>) -> Option<Rows> {
        if !shape.rows {
            return None;
        }
        if shape.paged {
            return Some(self.page(field, shape));
        }
        Some(place.page.clone().unwrap_or(Rows::Fixed(self.limits.list_size)))
    }

    fn page(&self, field: &Field, shape: &FieldShape) -> Rows {
        let mut names = Vec::new();
        let mut given = None;
        for argument in SIZES {
            let rows = match field.get_argument(argument).map(|value| &value.node) {
                None | Some(InputValue::Null) => continue,
                Some(InputValue::Variable(name)) if self.declared(name) => {
                    names.push(name.clone());
                    continue;
                }
                Some(InputValue::Number(number)) => page(&Value::Number(number.clone()), self.limits),
                Some(InputValue::List(ids)) => ids_page(ids.len(), self.limits),
                Some(_) => self.limits.page_max,
            };
            given = given.max(Some(rows));
        }
        if names.is_empty() {
            Rows::Fixed(given.unwrap_or_else(|| self.default_page(shape)))
        } else {
            Rows::Variables {
                names,
                at_least: given.unwrap_or(0),
            }
        }
    }

    fn default_page(&self, shape: &FieldShape) -> u64 {
        SIZES
            .iter()
            .filter_map(|name| shape.arguments.get(*name)?.default.as_ref())
            .filter(|default| **default != Value::Null)
            .map(|default| page(default, self.limits))
            .max()
            .unwrap_or(self.limits.page_default)
    }

    fn declared(&self, name: &Name) -> bool {
        self.variables
            .iter()
            .any(|definition| definition.node.name.node == *name)
    }

    fn arguments(&mut self, field: &'a Field, shape: &'a FieldShape) -> Result<(), Refusal> {
        for (name, value) in &field.arguments {
            let Some(argument) = shape.arguments.get(&name.node) else {
                continue;
            };
            if let (InputValue::Variable(variable), Some(default)) = (&value.node, &argument.default) {
                self.fallbacks.push((variable.clone(), default.clone()));
            }
            self.literal(&argument.ty, &value.node, &name.node, value.pos)?;
        }
        Ok(())
    }

    /// The engine reads literals when the field is resolved and so reports a number that is too
    /// large, or a scalar that does not parse, as if the operation had run. All else about literals
    /// it validates beforehand.
    fn literal(&self, ty: &Type, value: &InputValue, path: &str, at: Pos) -> Result<(), Refusal> {
        let name = match (&ty.base, value) {
            (_, InputValue::Null | InputValue::Variable(_)) => return Ok(()),
            (BaseType::List(inner), InputValue::List(items)) => {
                return items
                    .iter()
                    .try_for_each(|item| self.literal(inner, item, path, at));
            }
            (BaseType::List(inner), value) => return self.literal(inner, value, path, at),
            (BaseType::Named(name), _) => name,
        };
        match (self.index.kind(name), value) {
            (Some(Kind::Input(shape)), InputValue::Object(given)) => {
                shape.fields.iter().try_for_each(|(name, field)| {
                    let Some(value) = given.get(name) else {
                        return Ok(());
                    };
                    self.literal(&field.ty, value, &format!("{path}.{name}"), at)
                })
            }
            (Some(Kind::Scalar(Scalar::Int)), InputValue::Number(number))
                if number.as_i64().is_none_or(|n| i32::try_from(n).is_err()) =>
            {
                Err(Refusal::new(
                    Reason::Unfit {
                        path: path.to_owned(),
                        expected: ty.to_string(),
                    },
                    [at],
                ))
            }
            (Some(Kind::Scalar(Scalar::Custom)), value) => {
                let Some(value) = value.clone().into_const() else {
                    return Ok(());
                };
                (self.scalars)(named(ty), &value).map_err(|detail| {
                    Refusal::new(
                        Reason::Scalar {
                            path: path.to_owned(),
                            scalar: named(ty).to_string(),
                            detail,
                        },
                        [at],
                    )
                })
            }
            _ => Ok(()),
        }
    }
}

/// Whether a literal condition removes a selection from whatever is asked for.
fn skipped(directives: &[Positioned<Directive>]) -> bool {
    directives.iter().any(|directive| {
        let condition = directive.node.get_argument("if").map(|value| &value.node);
        match directive.node.name.node.as_str() {
            "skip" => condition == Some(&InputValue::Boolean(true)),
            "include" => condition == Some(&InputValue::Boolean(false)),
            _ => false,
        }
    })
}

impl From<OperationType> for OperationKind {
    fn from(ty: OperationType) -> Self {
        match ty {
            OperationType::Query => Self::Query,
            OperationType::Mutation => Self::Mutation,
            OperationType::Subscription => Self::Subscription,
        }
    }
}
