//! The schema as the walk needs it, read once from our own SDL.

use std::collections::{HashMap, HashSet};

use async_graphql::parser::types::{
    BaseType, ConstDirective, FieldDefinition, InputValueDefinition, OperationType, ServiceDocument, Type,
    TypeKind, TypeSystemDefinition,
};
use async_graphql::{Name, Positioned, Value};

/// Fields of an object type or interface. A union has none.
pub(super) type Fields = HashMap<Name, FieldShape>;

/// What a type name stands for.
pub(super) enum Kind {
    /// A leaf with a value.
    Scalar(Scalar),
    /// A leaf with one of some names.
    Enum(HashSet<Name>),
    /// An object, interface or union.
    Composite(Fields),
    /// An input object.
    Input(InputShape),
}

/// The scalars of the specification, and ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scalar {
    Int,
    Float,
    String,
    Boolean,
    Id,
    Custom,
}

/// Arguments that say how many rows a field returns.
pub(super) const SIZES: [&str; 3] = ["first", "last", "ids"];

/// A field of an object type or interface.
pub(super) struct FieldShape {
    /// The type behind lists and exclamation marks.
    pub(super) returns: Name,
    /// A list of objects, so that what is selected below runs once a row.
    pub(super) rows: bool,
    /// Takes the number of rows, or their ids: one of [`SIZES`].
    pub(super) paged: bool,
    /// What it counts for by itself: 1, or what `@cost` says.
    pub(super) weight: u64,
    /// Arguments by name.
    pub(super) arguments: HashMap<Name, InputField>,
}

/// An argument, or a field of an input object.
pub(super) struct InputField {
    pub(super) ty: Type,
    pub(super) default: Option<Value>,
}

impl InputField {
    /// Whether leaving it out is a mistake.
    pub(super) fn required(&self) -> bool {
        !self.ty.nullable && self.default.is_none()
    }
}

/// An input object; its fields in the order of the schema, so that errors have an order.
pub(super) struct InputShape {
    pub(super) fields: Vec<(Name, InputField)>,
    pub(super) one_of: bool,
}

/// All types of the schema by name.
pub(super) struct Index {
    query: Name,
    mutation: Option<Name>,
    subscription: Option<Name>,
    kinds: HashMap<Name, Kind>,
}

impl Index {
    pub(super) fn new(document: ServiceDocument) -> Self {
        let mut index = Self {
            query: Name::new("Query"),
            mutation: None,
            subscription: None,
            kinds: HashMap::new(),
        };
        for (name, scalar) in [
            ("Int", Scalar::Int),
            ("Float", Scalar::Float),
            ("String", Scalar::String),
            ("Boolean", Scalar::Boolean),
            ("ID", Scalar::Id),
        ] {
            index.kinds.insert(Name::new(name), Kind::Scalar(scalar));
        }
        let mut leaves: HashSet<Name> = index.kinds.keys().cloned().collect();
        for definition in &document.definitions {
            if let TypeSystemDefinition::Type(ty) = definition
                && matches!(ty.node.kind, TypeKind::Scalar | TypeKind::Enum(_))
            {
                leaves.insert(ty.node.name.node.clone());
            }
        }
        for definition in document.definitions {
            index.define(definition, &leaves);
        }
        index
    }

    fn define(&mut self, definition: TypeSystemDefinition, leaves: &HashSet<Name>) {
        match definition {
            TypeSystemDefinition::Schema(schema) => {
                if let Some(query) = schema.node.query {
                    self.query = query.node;
                }
                self.mutation = schema.node.mutation.map(|name| name.node);
                self.subscription = schema.node.subscription.map(|name| name.node);
            }
            TypeSystemDefinition::Type(ty) => {
                let one_of = ty
                    .node
                    .directives
                    .iter()
                    .any(|directive| directive.node.name.node == "oneOf");
                let kind = match ty.node.kind {
                    TypeKind::Scalar => Kind::Scalar(Scalar::Custom),
                    TypeKind::Enum(values) => Kind::Enum(
                        values
                            .values
                            .into_iter()
                            .map(|value| value.node.value.node)
                            .collect(),
                    ),
                    TypeKind::Object(object) => Kind::Composite(fields(object.fields, leaves)),
                    TypeKind::Interface(interface) => Kind::Composite(fields(interface.fields, leaves)),
                    TypeKind::Union(_) => Kind::Composite(Fields::new()),
                    TypeKind::InputObject(input) => Kind::Input(InputShape {
                        fields: input.fields.into_iter().map(input_field).collect(),
                        one_of,
                    }),
                };
                self.kinds.insert(ty.node.name.node, kind);
            }
            TypeSystemDefinition::Directive(_) => {}
        }
    }

    pub(super) fn kind(&self, name: &str) -> Option<&Kind> {
        self.kinds.get(name)
    }

    /// The fields below a type, if it has any.
    pub(super) fn fields(&self, name: &str) -> Option<&Fields> {
        match self.kinds.get(name)? {
            Kind::Composite(fields) => Some(fields),
            Kind::Scalar(_) | Kind::Enum(_) | Kind::Input(_) => None,
        }
    }

    /// The fields an operation starts from.
    pub(super) fn root(&self, operation: OperationType) -> Option<&Fields> {
        let name = match operation {
            OperationType::Query => Some(&self.query),
            OperationType::Mutation => self.mutation.as_ref(),
            OperationType::Subscription => self.subscription.as_ref(),
        };
        self.fields(name?)
    }

    /// Every field of the types an operation does not start from, with its type's name.
    #[cfg(test)]
    pub(super) fn below_the_roots(&self) -> impl Iterator<Item = (&Name, &Name, &FieldShape)> {
        let roots = [
            Some(&self.query),
            self.mutation.as_ref(),
            self.subscription.as_ref(),
        ];
        self.kinds
            .iter()
            .filter(move |(parent, _)| !roots.contains(&Some(parent)))
            .filter_map(|(parent, kind)| match kind {
                Kind::Composite(fields) => Some((parent, fields)),
                Kind::Scalar(_) | Kind::Enum(_) | Kind::Input(_) => None,
            })
            .flat_map(|(parent, fields)| fields.iter().map(move |(name, shape)| (parent, name, shape)))
    }

    /// Whether values of this type can come in.
    pub(super) fn takes_input(&self, ty: &Type) -> bool {
        match self.kinds.get(named(ty)) {
            Some(Kind::Scalar(_) | Kind::Enum(_) | Kind::Input(_)) => true,
            Some(Kind::Composite(_)) | None => false,
        }
    }
}

/// The name behind lists and exclamation marks.
pub(super) fn named(ty: &Type) -> &Name {
    match &ty.base {
        BaseType::Named(name) => name,
        BaseType::List(inner) => named(inner),
    }
}

fn fields(definitions: Vec<Positioned<FieldDefinition>>, leaves: &HashSet<Name>) -> Fields {
    definitions
        .into_iter()
        .map(|definition| {
            let FieldDefinition {
                name,
                arguments,
                ty,
                directives,
                ..
            } = definition.node;
            let arguments: HashMap<_, _> = arguments.into_iter().map(input_field).collect();
            let returns = named(&ty.node).clone();
            let shape = FieldShape {
                rows: matches!(ty.node.base, BaseType::List(_)) && !leaves.contains(&returns),
                paged: SIZES.iter().any(|name| arguments.contains_key(*name)),
                weight: weight(&directives),
                returns,
                arguments,
            };
            (name.node, shape)
        })
        .collect()
}

fn weight(directives: &[Positioned<ConstDirective>]) -> u64 {
    directives
        .iter()
        .find(|directive| directive.node.name.node == "cost")
        .and_then(|directive| match &directive.node.get_argument("weight")?.node {
            Value::Number(weight) => weight.as_u64(),
            _ => None,
        })
        .unwrap_or(1)
}

fn input_field(definition: Positioned<InputValueDefinition>) -> (Name, InputField) {
    let InputValueDefinition {
        name,
        ty,
        default_value,
        ..
    } = definition.node;
    let field = InputField {
        ty: ty.node,
        default: default_value.map(|value| value.node),
    };
    (name.node, field)
}
