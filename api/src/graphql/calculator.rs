//! Sampling methods as calculators: pure figures, nothing stored. Their types are those of the methods: each calculator is a
//! field, its input and result come from the schemas that `audit::sampling::calculator` tells, so that command line and API take
//! and give the same.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::LazyLock;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::Field;
use async_graphql::registry::{
    Deprecation, MetaEnumValue, MetaField, MetaInputValue, MetaType, MetaTypeId, Registry,
};
use async_graphql::resolver_utils::{ContainerType, resolve_container};
use async_graphql::{
    CacheControl, Context, ContextSelectionSet, InputType, InputValueResult, Object, OutputType, Positioned,
    Result, ServerError, ServerResult, Value,
};
use audit::sampling::calculator::{CALCULATORS, Calculator, Fault, Purpose};
use serde_json::{Value as Json, json};
use tokio::sync::Semaphore;

use super::ContextExt;
use super::admit::{FIGURES, costs};
use super::disclosure::{Class, disclosure};
use super::error::UserError;
use super::scalars::{Decimal, Long};

mod of_sample;

pub(super) use of_sample::{EvaluationBy, of as evaluation_by};

/// How many calculate at a time, beside all else that the service does.
static PLACES: Semaphore = Semaphore::const_new(2);

/// Prefix of the types of results and choices.
const PREFIX: &str = "Sampling";

/// Asks the calculators.
#[derive(Default)]
pub(super) struct CalculatorQuery;

#[Object]
impl CalculatorQuery {
    /// How large a sample has to be, by the method asked for. Pure: nothing stored is read, and nothing is stored.
    async fn plan_sample(&self, ctx: &Context<'_>) -> Result<Calculators<Planning>> {
        ctx.signed_in()?;
        Ok(Calculators(PhantomData))
    }

    /// Which items of a given population a sample holds, by method and seed. Pure.
    async fn select_sample(&self, ctx: &Context<'_>) -> Result<Calculators<Selecting>> {
        ctx.signed_in()?;
        Ok(Calculators(PhantomData))
    }

    /// What given results of a sample say, by the method asked for. Pure.
    async fn evaluate_sample(&self, ctx: &Context<'_>) -> Result<Calculators<Evaluating>> {
        ctx.signed_in()?;
        Ok(Calculators(PhantomData))
    }
}

/// What some of the calculators are for.
trait Kind: Send + Sync + 'static {
    const PURPOSE: Purpose;
    /// Name of the type whose fields they are.
    const TYPE: &'static str;
    const DESCRIPTION: &'static str;
}

macro_rules! kinds {
    ($($kind:ident $purpose:ident $type:literal $description:literal)+) => {$(
        #[derive(Clone, Copy)]
        struct $kind;

        impl Kind for $kind {
            const PURPOSE: Purpose = Purpose::$purpose;
            const TYPE: &'static str = $type;
            const DESCRIPTION: &'static str = $description;
        }
    )+};
}

kinds! {
    Planning Plan "SamplePlanning" "Sizes of samples and their shares. Amounts are whole units of the input's `unit`."
    Selecting Select "SampleSelection" "Draws from a population that is given with the request."
    Evaluating Evaluate "SampleEvaluationMethods" "What results of a sample say. Amounts are whole units of the input's `unit`."
}

/// The calculators of one kind, a field each.
struct Calculators<K>(PhantomData<K>);

impl<K: Kind> OutputType for Calculators<K> {
    fn type_name() -> Cow<'static, str> {
        K::TYPE.into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_output_type::<Self, _>(MetaTypeId::Object, |registry| {
            <Decimal as OutputType>::create_type_info(registry);
            <Long as OutputType>::create_type_info(registry);
            UserError::create_type_info(registry);
            TYPES.register(registry);
            let fields = CALCULATORS.iter().filter(|one| one.purpose == K::PURPOSE);
            let fields = fields.map(|one| {
                let input = format!("{}!", TYPES.inputs[one.name]);
                calculator_field(one, Some(("The figures.", input)))
            });
            object(
                K::TYPE,
                Some(K::DESCRIPTION.to_owned()),
                fields.collect(),
                Some(std::any::type_name::<Self>()),
            )
        })
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        resolve_container(ctx, self).await
    }
}

impl<K: Kind> ContainerType for Calculators<K> {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        let name = ctx.item.node.name.node.as_str();
        let Some(calculator) = Calculator::named(name).filter(|one| one.purpose == K::PURPOSE) else {
            return Ok(None);
        };
        let (_, Figures(figures)) = ctx.param_value::<Figures>("input", None)?;
        answer(ctx, calculator, move || calculator.run(figures)).await
    }
}

/// A calculator as a field, with what is said of its input and the type of that.
fn calculator_field(one: &Calculator, figures: Option<(&str, String)>) -> (String, MetaField) {
    let title = format!("{} ({}). Source: {}.", one.title.1, one.title.0, one.source);
    let mut field = field(one.name, Some(title), format!("{}!", answer_type(one)));
    if let Some((said, ty)) = figures {
        let input = input("input", Some(said.to_owned()), ty);
        field.args.insert("input".to_owned(), input);
    }
    field.directive_invocations.push(costs::apply(FIGURES));
    (one.name.to_owned(), field)
}

/// The answer of a calculator as the request wants it: the result of the work, or why there is none.
async fn answer(
    ctx: &Context<'_>,
    calculator: &'static Calculator,
    work: impl FnOnce() -> std::result::Result<Json, Fault> + Send + 'static,
) -> ServerResult<Option<Value>> {
    // It may compute for a while: not where other requests wait, and few at a time. One that nobody waits for any more still has
    // its place.
    let place = PLACES
        .acquire()
        .await
        .map_err(|_| ServerError::new("calculator", Some(ctx.item.pos)))?;
    let outcome = tokio::task::spawn_blocking(move || {
        let _place = place;
        work()
    })
    .await;
    let outcome = outcome.map_err(|error| {
        tracing::error!(cause = %error, calculator = calculator.name, "a calculator failed");
        ServerError::new("calculator", Some(ctx.item.pos))
    })?;
    let json = match outcome {
        Ok(result) => json!({ "result": result, "userErrors": [] }),
        Err(fault) => {
            let message = ctx.language().say(&fault.message.de, &fault.message.en);
            let parts = fault.field.split(['.', '[']).filter(|part| !part.is_empty());
            // a place in a list is a part of its own: `strata[2].size` is `strata`, `2`, `size`
            let parts = parts.map(|part| part.trim_end_matches(']'));
            let path: Vec<&str> = std::iter::once("input").chain(parts).collect();
            json!({ "result": null, "userErrors": [{ "code": fault.code, "path": path, "message": message }] })
        }
    };
    let node = Node {
        json: &json,
        of: answer_type(calculator),
    };
    let selection = ctx.with_selection_set(&ctx.item.node.selection_set);
    resolve_container(&selection, &node).await.map(Some)
}

/// The figures of a request, as they are: the method judges them.
struct Figures(Json);

impl InputType for Figures {
    type RawValueType = Self;

    fn type_name() -> Cow<'static, str> {
        "SamplingFigures".into()
    }

    fn create_type_info(_: &mut Registry) -> String {
        Self::qualified_type_name()
    }

    fn parse(value: Option<Value>) -> InputValueResult<Self> {
        let json = value.unwrap_or_default().into_json().unwrap_or_default();
        Ok(Self(without_nulls(json)))
    }

    fn to_value(&self) -> Value {
        Value::from_json(self.0.clone()).unwrap_or_default()
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }
}

/// What is null was not given: optional figures have their default then.
fn without_nulls(json: Json) -> Json {
    match json {
        Json::Object(fields) => fields
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name, without_nulls(value)))
            .collect(),
        Json::Array(items) => items.into_iter().map(without_nulls).collect(),
        other => other,
    }
}

/// A part of a result.
struct Node<'a> {
    json: &'a Json,
    of: String,
}

impl Node<'_> {
    async fn value(ctx: &Context<'_>, json: &Json, ty: &str) -> ServerResult<Value> {
        let ty = ty.trim_end_matches('!');
        match json {
            Json::Array(items) => {
                let of = ty.trim_start_matches('[').trim_end_matches(']');
                let mut values = Vec::with_capacity(items.len());
                for (index, item) in items.iter().enumerate() {
                    let value = Box::pin(Self::value(ctx, item, of)).await;
                    values.push(value.map_err(|error| ServerError {
                        path: [error.path, vec![async_graphql::PathSegment::Index(index)]].concat(),
                        ..error
                    })?);
                }
                Ok(Value::List(values))
            }
            Json::Object(_) => {
                let node = Node {
                    json,
                    of: ty.to_owned(),
                };
                let selection = ctx.with_selection_set(&ctx.item.node.selection_set);
                Box::pin(resolve_container(&selection, &node)).await
            }
            plain => Value::from_json(plain.clone())
                .map_err(|error| ServerError::new(error.to_string(), Some(ctx.item.pos))),
        }
    }
}

impl OutputType for Node<'_> {
    fn type_name() -> Cow<'static, str> {
        "SamplingNode".into()
    }

    fn create_type_info(_: &mut Registry) -> String {
        Self::qualified_type_name()
    }

    fn introspection_type_name(&self) -> Cow<'static, str> {
        self.of.clone().into()
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        resolve_container(ctx, self).await
    }
}

impl ContainerType for Node<'_> {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        let name = ctx.item.node.name.node.as_str();
        let Some(json) = self.json.get(name) else {
            return Ok(None);
        };
        let ty = match TYPES.meta.get(&self.of) {
            Some(MetaType::Object { fields, .. }) => fields.get(name).map_or("", |field| field.ty.as_str()),
            _ => "",
        };
        Self::value(ctx, json, ty).await.map(Some)
    }
}

/// Name of the type a calculator answers with.
fn answer_type(calculator: &Calculator) -> String {
    let mut letters = calculator.name.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    let name: String = first.into_iter().chain(letters).collect();
    format!("{PREFIX}{name}Answer")
}

/// The types of all calculators, from their schemas.
struct Types {
    /// Objects, inputs and choices by name.
    meta: BTreeMap<String, MetaType>,
    /// Name of the input of each calculator.
    inputs: BTreeMap<&'static str, String>,
    /// Type of the input of each where a stored sample gives the rest; those without need none.
    of_sample: BTreeMap<&'static str, String>,
}

impl Types {
    /// Tells the contract of all of them.
    fn register(&self, registry: &mut Registry) {
        for (name, meta) in &self.meta {
            registry.types.entry(name.clone()).or_insert_with(|| meta.clone());
        }
    }
}

static TYPES: LazyLock<Types> = LazyLock::new(|| {
    let mut types = Types {
        meta: BTreeMap::new(),
        inputs: BTreeMap::new(),
        of_sample: BTreeMap::new(),
    };
    for calculator in CALCULATORS.iter() {
        let input = Described::new(calculator.input(), true).root(&mut types.meta);
        types.inputs.insert(calculator.name, input);
        if let Some(input) = of_sample::input_type(calculator, &mut types.meta) {
            types.of_sample.insert(calculator.name, input);
        }
        let result = Described::new(calculator.result(), false).root(&mut types.meta);
        let name = answer_type(calculator);
        let said = |text: &str| Some(text.to_owned());
        let fields = [
            field("result", said("The result; null where it was refused."), result),
            field(
                "userErrors",
                said("Why it was refused; empty where it was not."),
                "[UserError!]!".to_owned(),
            ),
        ];
        let fields = fields.into_iter().map(|field| (field.name.clone(), field));
        let meta = object(
            &name,
            said("A result, or why there is none."),
            fields.collect(),
            None,
        );
        types.meta.insert(name, meta);
    }
    types
});

/// A schema on its way to types of the contract.
struct Described {
    schema: Json,
    is_input: bool,
}

impl Described {
    fn new(schema: Json, is_input: bool) -> Self {
        Self { schema, is_input }
    }

    /// Name of the type at the top.
    fn root(&self, types: &mut BTreeMap<String, MetaType>) -> String {
        let title = self.schema["title"].as_str().unwrap_or_default();
        self.object(title, &self.schema, types)
    }

    fn object(&self, title: &str, schema: &Json, types: &mut BTreeMap<String, MetaType>) -> String {
        let name = match (self.is_input, title.ends_with("Input")) {
            (true, false) => format!("{PREFIX}{title}Input"),
            _ => format!("{PREFIX}{title}"),
        };
        if types.contains_key(&name) {
            return name;
        }
        let required = |field: &str| {
            schema["required"]
                .as_array()
                .is_some_and(|all| all.iter().any(|one| one == field))
        };
        let properties = schema["properties"].as_object().into_iter().flatten();
        let fields: Vec<_> = properties
            .map(|(field, of)| {
                let (ty, nullable) = self.of(of, types);
                let bang = if required(field) && !nullable { "!" } else { "" };
                let mut about = description(of);
                if let Some(default) = of
                    .get("default")
                    .filter(|value| self.is_input && !value.is_null())
                {
                    let said = format!("Default: {default}.");
                    about = Some(about.map_or(said.clone(), |text| format!("{text} {said}")));
                }
                (field.clone(), about, format!("{ty}{bang}"))
            })
            .collect();
        let about = description(schema);
        let meta = if self.is_input {
            MetaType::InputObject {
                name: name.clone(),
                description: about,
                input_fields: fields
                    .into_iter()
                    .map(|(field, about, ty)| {
                        let mut input = input(&field, about, ty);
                        input
                            .directive_invocations
                            .push(disclosure::apply(Class::Internal));
                        (field, input)
                    })
                    .collect(),
                visible: None,
                inaccessible: false,
                tags: Vec::new(),
                rust_typename: None,
                oneof: false,
                directive_invocations: Vec::new(),
            }
        } else {
            let fields = fields
                .into_iter()
                .map(|(name, about, ty)| (name.clone(), field(&name, about, ty)));
            object(&name, about, fields.collect(), None)
        };
        types.insert(name.clone(), meta);
        name
    }

    /// The type of a value, and whether it may be null.
    fn of(&self, schema: &Json, types: &mut BTreeMap<String, MetaType>) -> (String, bool) {
        if let Some(parts) = schema.get("anyOf").and_then(Json::as_array) {
            let nullable = parts.iter().any(|part| part["type"] == "null");
            let other = parts.iter().find(|part| part["type"] != "null");
            return (
                other.map_or_else(String::new, |part| self.of(part, types).0),
                nullable,
            );
        }
        if let Some(path) = schema.get("$ref").and_then(Json::as_str) {
            let title = path.rsplit('/').next().unwrap_or_default();
            let of = &self.schema["$defs"][title];
            let choices = choices(of);
            if choices.is_empty() && of.get("properties").is_none() {
                return self.of(of, types);
            }
            if choices.is_empty() {
                return (self.object(title, of, types), false);
            }
            let name = format!("{PREFIX}{title}");
            types
                .entry(name.clone())
                .or_insert_with(|| choice(&name, description(of), choices));
            return (name, false);
        }
        let kinds: Vec<&str> = match &schema["type"] {
            Json::String(kind) => vec![kind],
            Json::Array(kinds) => kinds.iter().filter_map(Json::as_str).collect(),
            _ => Vec::new(),
        };
        let nullable = kinds.contains(&"null");
        let ty = if kinds.contains(&"array") {
            let (of, nullable) = self.of(&schema["items"], types);
            format!("[{of}{}]", if nullable { "" } else { "!" })
        } else if kinds.contains(&"number") {
            "Decimal".to_owned()
        } else if kinds.contains(&"integer") {
            "Long".to_owned()
        } else if kinds.contains(&"boolean") {
            "Boolean".to_owned()
        } else {
            let decimal = schema["pattern"]
                .as_str()
                .is_some_and(|pattern| pattern.contains("\\d"));
            if decimal { "Decimal" } else { "String" }.to_owned()
        };
        (ty, nullable)
    }
}

fn description(schema: &Json) -> Option<String> {
    let text = schema["description"].as_str()?;
    Some(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// The words of a closed list, with what they mean.
fn choices(schema: &Json) -> Vec<(String, Option<String>)> {
    let listed = schema["enum"].as_array().into_iter().flatten();
    let listed = listed.filter_map(|word| Some((word.as_str()?.to_owned(), None)));
    let told = schema["oneOf"].as_array().into_iter().flatten().flat_map(|one| {
        let alone = one["const"]
            .as_str()
            .map(|word| (word.to_owned(), description(one)));
        let several = one["enum"].as_array().into_iter().flatten();
        let several = several.filter_map(|word| Some((word.as_str()?.to_owned(), description(one))));
        alone.into_iter().chain(several).collect::<Vec<_>>()
    });
    listed.chain(told).collect()
}

fn choice(name: &str, description: Option<String>, words: Vec<(String, Option<String>)>) -> MetaType {
    let values = words.into_iter().map(|(word, description)| {
        let value = MetaEnumValue {
            name: word.clone(),
            description,
            deprecation: Deprecation::NoDeprecated,
            visible: None,
            inaccessible: false,
            tags: Vec::new(),
            directive_invocations: Vec::new(),
        };
        (word, value)
    });
    MetaType::Enum {
        name: name.to_owned(),
        description,
        enum_values: values.collect(),
        visible: None,
        inaccessible: false,
        tags: Vec::new(),
        rust_typename: None,
        directive_invocations: Vec::new(),
        requires_scopes: Vec::new(),
    }
}

fn object(
    name: &str,
    description: Option<String>,
    fields: IndexMap<String, MetaField>,
    rust_typename: Option<&'static str>,
) -> MetaType {
    MetaType::Object {
        name: name.to_owned(),
        description,
        fields,
        cache_control: CacheControl::default(),
        extends: false,
        shareable: false,
        resolvable: true,
        keys: None,
        visible: None,
        inaccessible: false,
        interface_object: false,
        tags: Vec::new(),
        is_subscription: false,
        rust_typename,
        directive_invocations: vec![disclosure::apply(Class::Internal)],
        requires_scopes: Vec::new(),
    }
}

fn field(name: &str, description: Option<String>, ty: String) -> MetaField {
    MetaField {
        name: name.to_owned(),
        description,
        args: IndexMap::new(),
        ty,
        deprecation: Deprecation::NoDeprecated,
        cache_control: CacheControl::default(),
        external: false,
        requires: None,
        provides: None,
        visible: None,
        shareable: false,
        inaccessible: false,
        tags: Vec::new(),
        override_from: None,
        compute_complexity: None,
        directive_invocations: Vec::new(),
        requires_scopes: Vec::new(),
    }
}

fn input(name: &str, description: Option<String>, ty: String) -> MetaInputValue {
    MetaInputValue {
        name: name.to_owned(),
        description,
        ty,
        deprecation: Deprecation::NoDeprecated,
        default_value: None,
        visible: None,
        inaccessible: false,
        tags: Vec::new(),
        is_secret: false,
        directive_invocations: Vec::new(),
    }
}
