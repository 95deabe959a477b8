//! The schema as the walk needs it, read once from our own SDL.

use std::collections::{HashMap, HashSet};

use async_graphql::parser::types::{
    BaseType, ConstDirective, FieldDefinition, InputValueDefinition, OperationType, ServiceDocument, Type,
    TypeKind, TypeSystemDefinition,
};
use async_graphql::{Name, Positioned, Value};
use audit::access::{Class, Classes};

use super::disclosure::class;

/// Fields of an object type or interface. A union has none.
pub(super) type Fields = HashMap<Name, FieldShape>;

/// What a type name stands for.
pub(super) enum Kind {
    /// A leaf with a value.
    Scalar(Scalar),
    /// A leaf with one of some names, and what it takes to ask by each.
    Enum(HashMap<Name, Option<Class>>),
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
    /// What it gives away: its class or its type's; of an interface, whatever its implementors give away. A field
    /// without a class gives away everything.
    pub(super) classes: Classes,
    /// `Type.field`.
    pub(super) coordinate: String,
    /// Arguments by name.
    pub(super) arguments: HashMap<Name, InputField>,
}

/// An argument, or a field of an input object.
pub(super) struct InputField {
    pub(super) ty: Type,
    pub(super) default: Option<Value>,
    /// What it takes to search by it.
    pub(super) class: Option<Class>,
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
        let mut implemented = Vec::new();
        for definition in document.definitions {
            index.define(definition, &leaves, &mut implemented);
        }
        index.cover(implemented);
        index
    }

    /// Gives the fields of interfaces the classes of all their implementors.
    fn cover(&mut self, implemented: Vec<(Name, HashMap<Name, Classes>)>) {
        let mut given: HashMap<Name, HashMap<Name, Classes>> = HashMap::new();
        for (interface, fields) in implemented {
            let of = given.entry(interface).or_default();
            for (field, classes) in fields {
                let known = of.entry(field).or_default();
                *known = known.or(classes);
            }
        }
        for (interface, classes) in given {
            if let Some(Kind::Composite(fields)) = self.kinds.get_mut(&interface) {
                for (name, shape) in fields {
                    shape.classes = classes.get(name).copied().unwrap_or(shape.classes);
                }
            }
        }
    }

    /// Whether something of this type can be searched by what is classed.
    pub(super) fn classed(&self, ty: &Type) -> bool {
        let (mut seen, mut next) = (HashSet::new(), vec![named(ty)]);
        while let Some(name) = next.pop() {
            match self.kinds.get(name) {
                Some(Kind::Enum(values)) if values.values().any(Option::is_some) => return true,
                Some(Kind::Input(shape)) if seen.insert(name) => {
                    if shape.fields.iter().any(|(_, field)| field.class.is_some()) {
                        return true;
                    }
                    next.extend(shape.fields.iter().map(|(_, field)| named(&field.ty)));
                }
                _ => {}
            }
        }
        false
    }

    fn define(
        &mut self,
        definition: TypeSystemDefinition,
        leaves: &HashSet<Name>,
        interfaces: &mut Vec<(Name, HashMap<Name, Classes>)>,
    ) {
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
                            .map(|value| (value.node.value.node, class(&value.node.directives)))
                            .collect(),
                    ),
                    TypeKind::Object(object) => {
                        let class = class(&ty.node.directives);
                        let fields = fields(&ty.node.name.node, class, object.fields, leaves);
                        let implements = object.implements.into_iter().map(|name| name.node);
                        interfaces.extend(implements.map(|name| (name, fields_given(&fields))));
                        Kind::Composite(fields)
                    }
                    TypeKind::Interface(interface) => {
                        Kind::Composite(fields(&ty.node.name.node, None, interface.fields, leaves))
                    }
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

fn fields_given(fields: &Fields) -> HashMap<Name, Classes> {
    fields
        .iter()
        .map(|(name, shape)| (name.clone(), shape.classes))
        .collect()
}

fn fields(
    ty_name: &Name,
    ty_class: Option<Class>,
    definitions: Vec<Positioned<FieldDefinition>>,
    leaves: &HashSet<Name>,
) -> Fields {
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
                classes: class(&directives)
                    .or(ty_class)
                    .map_or(Classes::ALL, |class| Classes::of(&[class])),
                coordinate: format!("{ty_name}.{}", name.node),
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
        directives,
        ..
    } = definition.node;
    let field = InputField {
        class: class(&directives),
        ty: ty.node,
        default: default_value.map(|value| value.node),
    };
    (name.node, field)
}
