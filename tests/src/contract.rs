//! The contract (`schema.graphql`) as a source of questions: whatever can be asked of a field, generated, so that a new field
//! is asked for as well.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use async_graphql::Positioned;
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    BaseType, ConstDirective, FieldDefinition, InputValueDefinition, Type, TypeDefinition, TypeKind,
    TypeSystemDefinition,
};
use rand::Rng as _;
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use rand_chacha::ChaCha8Rng;

/// What pages are asked for by.
const WINDOW: [&str; 4] = ["first", "after", "last", "before"];

/// The contract.
pub struct Contract {
    types: BTreeMap<String, TypeDefinition>,
    // `Type.field`, never asked for.
    exempt: Vec<&'static str>,
}

/// Values for arguments and inputs, as literals. None where the contract says enough: of an enum, or true and false.
pub trait Values {
    /// Of an argument of a field of the root.
    fn argument(&self, field: &str, argument: &str) -> Option<Vec<String>>;
    /// Of a field of an input object.
    fn input(&self, of: &str, field: &str) -> Option<Vec<String>>;
    /// Where pages begin, with what else the cursor asks for: `after: "…", order: { by: AMOUNT }`.
    fn cursors(&self, field: &str) -> Vec<String>;
}

/// How often one type is unfolded in a question.
const UNFOLDED: u32 = 1;

/// Sets of arguments of one field.
const SETS: usize = 14;

/// Where a selection stands.
struct Way<'a> {
    within: Vec<String>,
    unfolded: BTreeMap<String, u32>,
    random: &'a mut ChaCha8Rng,
}

/// A question: the field with its arguments, and its type.
struct Question {
    asked: String,
    arguments: Vec<String>,
}

impl Contract {
    /// The contract without these fields, spelled `Type.field`.
    pub fn without(exempt: Vec<&'static str>) -> Self {
        let mut types = BTreeMap::new();
        for definition in parse_schema(include_str!("../../schema.graphql"))
            .unwrap()
            .definitions
        {
            if let TypeSystemDefinition::Type(ty) = definition {
                types.insert(ty.node.name.node.to_string(), ty.node);
            }
        }
        let contract = Self { types, exempt };
        for name in &contract.exempt {
            let (ty, field) = name.split_once('.').unwrap();
            assert!(
                contract
                    .fields(ty)
                    .iter()
                    .any(|known| known.node.name.node == field),
                "{name} is not in the contract"
            );
        }
        contract
    }

    /// Every question about the fields of `Query` to somebody who sees these classes, deep where a field is asked for the
    /// first time. What a field needs and `values` does not know ends the test: it has to be given there.
    pub fn questions(&self, classes: &[String], values: &dyn Values, random: &mut ChaCha8Rng) -> Vec<String> {
        let mut questions = Vec::new();
        for field in self.fields("Query") {
            let field = &field.node;
            let name = field.name.node.as_str();
            if self.exempt("Query", name) || !self.sees(classes, "Query", field) {
                continue;
            }
            let base = base(&field.ty.node);
            for parts in self.parts(base) {
                let (deep, flat) = (
                    self.selection(&parts, classes, 5, random),
                    self.selection(&parts, classes, 0, random),
                );
                let within = |selection: &str| match (selection.is_empty(), parts == base) {
                    (true, _) => String::new(),
                    (false, true) => format!("{{ {selection} }}"),
                    (false, false) => format!("{{ ... on {parts} {{ {selection} }} }}"),
                };
                if deep.is_empty() && self.is_object(&parts) {
                    continue;
                }
                let mut sets = self.arguments(classes, field, values, random);
                // The first in depth; of many, some.
                sets[1..].shuffle(random);
                sets.truncate(SETS);
                for (place, arguments) in sets.into_iter().enumerate() {
                    let question = Question {
                        asked: within(if place == 0 { &deep } else { &flat }),
                        arguments,
                    };
                    let arguments = match question.arguments.join(", ") {
                        none if none.is_empty() => none,
                        some => format!("({some})"),
                    };
                    questions.push(format!("{name}{arguments} {}", question.asked));
                }
            }
        }
        questions
    }

    /// Sets of arguments of a field of the root.
    fn arguments(
        &self,
        classes: &[String],
        field: &FieldDefinition,
        values: &dyn Values,
        random: &mut ChaCha8Rng,
    ) -> Vec<Vec<String>> {
        let name = field.name.node.as_str();
        // What is needed, in every combination.
        let mut needed = vec![Vec::new()];
        let mut optional = Vec::new();
        let mut paged = false;
        for argument in &field.arguments {
            let argument = &argument.node;
            let called = argument.name.node.as_str();
            if WINDOW.contains(&called) {
                paged = true;
                continue;
            }
            let given = values.argument(name, called);
            let required = !argument.ty.node.nullable && argument.default_value.is_none();
            if let Some(given) = given {
                needed = needed
                    .iter()
                    .flat_map(|so_far: &Vec<String>| {
                        given
                            .iter()
                            .map(|value| joined(so_far, &format!("{called}: {value}")))
                    })
                    .collect();
            } else {
                assert!(!required, "{name}({called}:) has no values");
                let found = self.values(classes, base(&argument.ty.node), values);
                optional.extend(found.into_iter().map(|value| format!("{called}: {value}")));
            }
        }
        if paged {
            needed = needed.into_iter().map(|with| joined(&with, "first: 4")).collect();
        }
        let mut sets = needed.clone();
        let windows = ["first: 1", "last: 1", "first: 200", "last: 2"];
        for with in &needed {
            let bare = &with[..with.len() - usize::from(paged)];
            for other in &optional {
                let window = windows.choose(random).unwrap();
                let with = joined(bare, other);
                sets.push(if paged { joined(&with, window) } else { with });
            }
            if paged {
                sets.extend(windows.iter().map(|window| joined(bare, window)));
                sets.extend(values.cursors(name).iter().map(|cursor| joined(bare, cursor)));
            }
        }
        // Two conditions at once.
        for _ in 0..optional.len().min(8) {
            let (one, other) = (optional.choose(random).unwrap(), optional.choose(random).unwrap());
            if one.split(':').next() != other.split(':').next() {
                sets.push(joined(&joined(&sets[0].clone(), one), other));
            }
        }
        sets
    }

    /// Values of an enum, an input object with one field at a time, true and false.
    fn values(&self, classes: &[String], ty: &str, values: &dyn Values) -> Vec<String> {
        if ty == "Boolean" {
            return vec!["true".to_owned(), "false".to_owned()];
        }
        match self.types.get(ty).map(|ty| &ty.kind) {
            Some(TypeKind::Enum(kind)) => kind
                .values
                .iter()
                .filter(|value| class(&value.node.directives).is_none_or(|class| classes.contains(&class)))
                .map(|value| value.node.value.node.to_string())
                .collect(),
            Some(TypeKind::InputObject(kind)) => {
                let mut found = Vec::new();
                let required: Vec<&InputValueDefinition> = kind
                    .fields
                    .iter()
                    .map(|field| &field.node)
                    .filter(|field| !field.ty.node.nullable && field.default_value.is_none())
                    .collect();
                for field in kind.fields.iter().map(|field| &field.node) {
                    if class(&field.directives).is_some_and(|class| !classes.contains(&class)) {
                        continue;
                    }
                    let of = field.name.node.as_str();
                    for value in self.input(classes, ty, field, values) {
                        // Beside it whatever the input cannot do without.
                        let mut sets = vec![format!("{of}: {value}")];
                        for other in required.iter().filter(|other| other.name.node != of) {
                            let with = self.input(classes, ty, other, values);
                            sets = sets
                                .iter()
                                .flat_map(|so_far| {
                                    with.iter()
                                        .map(move |value| format!("{so_far}, {}: {value}", other.name.node))
                                })
                                .collect();
                        }
                        found.extend(sets.into_iter().map(|set| format!("{{ {set} }}")));
                    }
                }
                found
            }
            _ => panic!("values of {ty} have to be given"),
        }
    }

    fn input(
        &self,
        classes: &[String],
        of: &str,
        field: &InputValueDefinition,
        values: &dyn Values,
    ) -> Vec<String> {
        let name = field.name.node.as_str();
        values.input(of, name).unwrap_or_else(|| {
            let ty = base(&field.ty.node);
            let known = ty == "Boolean"
                || self
                    .types
                    .get(ty)
                    .is_some_and(|ty| matches!(ty.kind, TypeKind::Enum(_)));
            assert!(known, "{of}.{name} has no values");
            self.values(classes, ty, values)
        })
    }

    /// All fields of a type as far as these classes see them, and of some types below it: on a random way, since all ways
    /// would be too many.
    fn selection(&self, ty: &str, classes: &[String], depth: usize, random: &mut ChaCha8Rng) -> String {
        let mut way = Way {
            within: Vec::new(),
            unfolded: BTreeMap::new(),
            random,
        };
        self.below(ty, classes, depth, &mut way)
    }

    fn below(&self, ty: &str, classes: &[String], depth: usize, way: &mut Way<'_>) -> String {
        let mut text = String::new();
        // Pages and their edges are no step down.
        let page = ty.ends_with("Connection") || ty.ends_with("Edge");
        let often = way.unfolded.entry(ty.to_owned()).or_default();
        *often += 1;
        let unfold = page || (depth > 0 && *often <= UNFOLDED);
        let left = if page { depth } else { depth.saturating_sub(1) };
        way.within.push(ty.to_owned());
        let mut fields: Vec<&FieldDefinition> = self.fields(ty).iter().map(|field| &field.node).collect();
        fields.shuffle(way.random);
        for field in fields {
            let name = field.name.node.as_str();
            if self.exempt(ty, name) || !self.sees(classes, ty, field) {
                continue;
            }
            let of = base(&field.ty.node);
            if !self.is_object(of) {
                write!(text, "{name} ").unwrap();
                continue;
            }
            if !unfold || way.within.iter().any(|known| known == of) {
                continue;
            }
            let mut selected = String::new();
            for part in self.parts(of) {
                let part_of = self.below(&part, classes, left, way);
                if part == of {
                    selected = part_of;
                } else if !part_of.is_empty() {
                    write!(selected, "... on {part} {{ {part_of}}} ").unwrap();
                }
            }
            if selected.is_empty() {
                continue;
            }
            write!(text, "{name}{} {{ {selected}}} ", window(field, way.random)).unwrap();
        }
        way.within.pop();
        text
    }

    fn fields(&self, ty: &str) -> &[Positioned<FieldDefinition>] {
        match self.types.get(ty).map(|ty| &ty.kind) {
            Some(TypeKind::Object(object)) => &object.fields,
            Some(TypeKind::Interface(interface)) => &interface.fields,
            _ => &[],
        }
    }

    /// The types a value of a type may be of.
    fn parts(&self, ty: &str) -> Vec<String> {
        match self.types.get(ty).map(|ty| &ty.kind) {
            Some(TypeKind::Union(union)) => union.members.iter().map(|name| name.node.to_string()).collect(),
            Some(TypeKind::Interface(_)) => self
                .types
                .values()
                .filter(|other| match &other.kind {
                    TypeKind::Object(object) => object.implements.iter().any(|name| name.node == ty),
                    _ => false,
                })
                .map(|other| other.name.node.to_string())
                .collect(),
            _ => vec![ty.to_owned()],
        }
    }

    fn is_object(&self, ty: &str) -> bool {
        self.types.get(ty).is_some_and(|ty| {
            matches!(
                ty.kind,
                TypeKind::Object(_) | TypeKind::Interface(_) | TypeKind::Union(_)
            )
        })
    }

    fn exempt(&self, ty: &str, field: &str) -> bool {
        self.exempt
            .iter()
            .any(|known| known.split_once('.') == Some((ty, field)))
    }

    fn sees(&self, classes: &[String], ty: &str, field: &FieldDefinition) -> bool {
        let of_type = self.types.get(ty).and_then(|ty| class(&ty.directives));
        class(&field.directives)
            .or(of_type)
            .is_none_or(|class| classes.contains(&class))
    }
}

/// A random page of a list that has pages.
fn window(field: &FieldDefinition, random: &mut ChaCha8Rng) -> &'static str {
    let has = |name: &str| {
        field
            .arguments
            .iter()
            .any(|argument| argument.node.name.node == name)
    };
    match random.random_range(0..8) {
        _ if !has("first") => "",
        0 => "(first: 1)",
        1 if has("last") => "(last: 2)",
        _ => "(first: 10)",
    }
}

fn joined(with: &[String], more: &str) -> Vec<String> {
    with.iter().cloned().chain([more.to_owned()]).collect()
}

/// The class that `@disclosure` names.
fn class(directives: &[Positioned<ConstDirective>]) -> Option<String> {
    let directive = directives
        .iter()
        .find(|directive| directive.node.name.node == "disclosure")?;
    let value = directive.node.get_argument("class")?;
    Some(value.node.to_string())
}

/// The name of a type without lists.
fn base(ty: &Type) -> &str {
    match &ty.base {
        BaseType::Named(name) => name,
        BaseType::List(of) => base(of),
    }
}
