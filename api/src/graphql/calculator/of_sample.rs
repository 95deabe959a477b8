//! The methods of evaluation on a stored sample: the fields of the pure calculators, whose inputs are without what the sample gives.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use async_graphql::parser::types::Field;
use async_graphql::registry::{MetaType, MetaTypeId, Registry};
use async_graphql::resolver_utils::{ContainerType, resolve_container};
use async_graphql::{Context, ContextSelectionSet, OutputType, Positioned, Result, ServerResult, Value};
use audit::sample::{self as service, Exclusion};
use audit::sampling::calculator::{CALCULATORS, Calculator};
use audit::sampling::of_sample::{CheckedSample, GIVEN_BY_PARAMETER_SET, given};
use serde_json::{Value as Json, json};

use super::{Described, Figures, TYPES, answer, calculator_field, field, object};
use crate::graphql::ContextExt;
use crate::graphql::error;
use crate::graphql::evaluation::{EvaluationExclusion, told};

/// The field beside the methods.
const EXCLUSIONS: &str = "exclusions";

/// The name of the type.
const TYPE: &str = "SampleEvaluationBy";

/// The methods for one sample, a field each.
pub(in crate::graphql) struct EvaluationBy {
    sample: Arc<CheckedSample>,
    exclusions: Vec<Exclusion>,
}

/// The methods for a sample, if it can be evaluated by one.
pub(in crate::graphql) async fn of(ctx: &Context<'_>, wanted: service::Evaluate) -> Result<EvaluationBy> {
    let found = service::checked_sample(ctx.audit(), ctx.db(), wanted).await;
    let (sample, exclusions) = error::field(ctx, found)?;
    Ok(EvaluationBy {
        sample: Arc::new(sample),
        exclusions,
    })
}

/// The schema of what a request gives where a sample gives these.
fn rest(mut schema: Json, given: &[&str]) -> Json {
    let is_given = |name: &str| given.contains(&name);
    if let Some(fields) = schema["properties"].as_object_mut() {
        fields.retain(|name, _| !is_given(name));
    }
    if let Some(required) = schema["required"].as_array_mut() {
        required.retain(|name| {
            let name = name.as_str().unwrap_or_default();
            !is_given(name) && !GIVEN_BY_PARAMETER_SET.contains(&name)
        });
    }
    let title = schema["title"].as_str().unwrap_or_default();
    schema["title"] = format!("{}OfSampleInput", title.trim_end_matches("Input")).into();
    schema
}

/// Name of the input of a calculator on a sample, and whether it has to be given; none where nothing is left to be asked.
pub(super) fn input_type(calculator: &Calculator, types: &mut BTreeMap<String, MetaType>) -> Option<String> {
    let schema = rest(calculator.input(), given(calculator)?);
    if schema["properties"].as_object()?.is_empty() {
        return None;
    }
    let needed = schema["required"].as_array().is_some_and(|all| !all.is_empty());
    let name = Described::new(schema, true).root(types);
    Some(if needed { format!("{name}!") } else { name })
}

impl OutputType for EvaluationBy {
    fn type_name() -> Cow<'static, str> {
        TYPE.into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_output_type::<Self, _>(MetaTypeId::Object, |registry| {
            TYPES.register(registry);
            let fields = CALCULATORS.iter().filter(|one| given(one).is_some()).map(|one| {
                let input = TYPES.of_sample.get(one.name);
                calculator_field(one, input.map(|ty| ("What the sample does not give.", ty.clone())))
            });
            EvaluationExclusion::create_type_info(registry);
            let said = "What the methods cannot find or do not say of this sample.".to_owned();
            let exclusions = field(EXCLUSIONS, Some(said), "[EvaluationExclusion!]!".to_owned());
            let fields = std::iter::once((EXCLUSIONS.to_owned(), exclusions)).chain(fields);
            object(
                TYPE,
                Some(
                    "A checked sample by the method asked for. What was drawn and found, confidence and tolerable error come from the \
                     sample, materiality and factor profile from the parameter set it cites where none are asked for; amounts are cents. A method for \
                     samples of another kind is refused."
                        .to_owned(),
                ),
                fields.collect(),
                Some(std::any::type_name::<Self>()),
            )
        })
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        resolve_container(ctx, self).await
    }
}

impl ContainerType for EvaluationBy {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        let name = ctx.item.node.name.node.as_str();
        if name == EXCLUSIONS {
            let exclusions = told(&self.exclusions, ctx.language());
            let selection = ctx.with_selection_set(&ctx.item.node.selection_set);
            return exclusions.resolve(&selection, ctx.item).await.map(Some);
        }
        let Some(calculator) = Calculator::named(name).filter(|one| given(one).is_some()) else {
            return Ok(None);
        };
        let settings = match TYPES.of_sample.get(name) {
            Some(_) => ctx.param_value::<Option<Figures>>("input", None)?.1,
            None => None,
        };
        let settings = settings.map_or_else(|| json!({}), |Figures(json)| json);
        let sample = Arc::clone(&self.sample);
        let withheld = self.exclusions.contains(&Exclusion::PartsWithheld);
        answer(ctx, calculator, move || {
            let mut result = sample.evaluate(calculator, settings)?;
            if withheld {
                without_parts(&mut result);
            }
            Ok(result)
        })
        .await
    }
}

/// Leaves figures over all items alone: whatever is a list is told part by part.
fn without_parts(result: &mut Json) {
    match result {
        Json::Object(fields) => fields.values_mut().for_each(without_parts),
        Json::Array(parts) => parts.clear(),
        _ => {}
    }
}
