//! The GraphQL side of the gateway: one file a noun, its types, queries and mutations together.
//!
//! A resolver parses ids, makes one call of a use case, and wraps what it says. It holds no query, no role, no clock.

pub mod admit;
mod assignment;
mod body;
mod calculator;
mod ceremony;
mod check;
mod comment;
mod deadline;
mod decision;
mod disclosure;
mod engagement;
mod error;
mod evaluation;
mod extension;
mod grant;
mod jobcenter;
mod known_error;
mod legal_hold;
mod loaders;
mod log;
mod many;
mod mapping;
mod minutes;
mod node;
mod page;
mod paper;
mod paper_edition;
mod parameter_set;
mod permissions;
mod population;
mod reads;
mod replacement;
mod sample;
mod scalars;
mod service_info;
#[cfg(test)]
pub(crate) mod toy;
mod trail;
mod viewer;
mod vote;

use std::sync::Arc;

use async_graphql::{
    Context, MergedObject, MergedSubscription, Request, Result, SDLExportOptions, Schema, ValidationMode,
};
use audit::{Ctx, Db, Language};

pub use error::refusal_json;
use loaders::Loaders;
pub use node::NodeKind;
pub use scalars::{check_scalar, euro};
pub use service_info::Info;

/// What can be asked.
#[derive(MergedObject, Default)]
#[graphql(directive = disclosure::disclosure::apply(disclosure::Class::Internal))]
pub struct Query(
    service_info::ServiceInfoQuery,
    viewer::ViewerQuery,
    node::NodeQuery,
    jobcenter::JobcenterQuery,
    engagement::EngagementQuery,
    population::PopulationQuery,
    sample::SampleQuery,
    ceremony::ContributionQuery,
    check::CheckQuery,
    log::LogQuery,
    grant::GrantQuery,
    reads::ReadQuery,
    parameter_set::ParameterSetQuery,
    deadline::DeadlineQuery,
    body::BodyQuery,
    paper::PaperQuery,
    decision::DecisionQuery,
    calculator::CalculatorQuery,
);

/// What can be changed. Expected refusals come back as `userErrors` of the payload.
#[derive(MergedObject, Default)]
#[graphql(directive = disclosure::disclosure::apply(disclosure::Class::Internal))]
pub struct Mutation(
    engagement::EngagementMutation,
    population::PopulationMutation,
    sample::SampleMutation,
    ceremony::ContributionMutation,
    check::CheckMutation,
    grant::GrantMutation,
    comment::CommentMutation,
    legal_hold::LegalHoldMutation,
    assignment::AssignmentMutation,
    replacement::ReplacementMutation,
    known_error::KnownErrorMutation,
    parameter_set::ParameterSetMutation,
    deadline::DeadlineMutation,
    body::BodyMutation,
    paper::PaperMutation,
    vote::VoteMutation,
    minutes::MinutesMutation,
);

/// What a person can wait for.
#[derive(MergedSubscription, Default)]
pub struct Subscription(population::PopulationSubscription, assignment::CheckSubscription);

/// The schema, without data.
///
/// No extension may be registered: each one makes every field of every row slower (about a quarter of the whole
/// request in a list of fifty). Limits, telemetry and time-outs stand around the execution instead, see [`admit`].
/// Suggestions are off because they spell out the schema to whoever guesses.
pub fn schema() -> Schema<Query, Mutation, Subscription> {
    validating(ValidationMode::Strict)
}

/// The same for documents that [`schema`] has accepted before: `admit` has coerced their variables, and nothing else of
/// an operation can have changed.
pub fn schema_for_known() -> Schema<Query, Mutation, Subscription> {
    validating(ValidationMode::Fast)
}

fn validating(mode: ValidationMode) -> Schema<Query, Mutation, Subscription> {
    Schema::build(Query::default(), Mutation::default(), Subscription::default())
        .validation_mode(mode)
        .disable_suggestions()
        .limit_recursive_depth(64)
        .finish()
}

/// The contract as text, the same on every machine: what `schema.graphql` holds.
pub fn sdl() -> String {
    schema().sdl_with_options(
        SDLExportOptions::new()
            .sorted_fields()
            .sorted_arguments()
            .sorted_enum_items()
            .include_specified_by()
            .use_space_ident()
            .prefer_single_line_descriptions(),
    )
}

/// What resolvers take from a request.
struct Visit {
    ctx: Ctx,
    db: Db,
    info: Arc<Info>,
    memberships: Arc<[String]>,
    loaders: Loaders,
}

/// Gives a request what its resolvers need: who asks, the database, and loaders that live as long as the request.
pub fn attach(request: Request, ctx: Ctx, db: Db, info: Arc<Info>, memberships: Arc<[String]>) -> Request {
    let loaders = Loaders::new(ctx.clone(), db.clone());
    request.data(Visit {
        ctx,
        db,
        info,
        memberships,
        loaders,
    })
}

/// What resolvers reach for.
pub(crate) trait ContextExt {
    /// The use case's context.
    fn audit(&self) -> &Ctx;
    /// Who asks.
    fn caller(&self) -> &audit::access::Caller {
        &self.audit().caller
    }
    /// The database.
    fn db(&self) -> &Db;
    /// What the service says about itself.
    fn info(&self) -> &Info;
    /// Memberships of the token, as text.
    fn memberships(&self) -> &[String];
    /// Batches of look-ups.
    fn loaders(&self) -> &Loaders;
    /// The language of messages.
    fn language(&self) -> Language;
    /// Refuses whoever showed no token.
    fn signed_in(&self) -> Result<()>;
}

impl ContextExt for Context<'_> {
    fn audit(&self) -> &Ctx {
        &visit(self).ctx
    }

    fn db(&self) -> &Db {
        &visit(self).db
    }

    fn info(&self) -> &Info {
        &visit(self).info
    }

    fn memberships(&self) -> &[String] {
        &visit(self).memberships
    }

    fn loaders(&self) -> &Loaders {
        &visit(self).loaders
    }

    fn language(&self) -> Language {
        self.data_opt::<Language>().copied().unwrap_or_default()
    }

    fn signed_in(&self) -> Result<()> {
        if self.caller().authenticated {
            Ok(())
        } else {
            Err(error::unauthenticated(self))
        }
    }
}

/// Runs work that takes as long as its rows take, to its end whatever becomes of the request: a time-out or a closed
/// connection must not throw half an hour's hashing away.
async fn finish<T: Send + 'static>(
    work: impl Future<Output = audit::Result<T>> + Send + 'static,
) -> audit::Result<T> {
    tokio::spawn(work)
        .await
        .unwrap_or_else(|error| Err(audit::Error::internal(error.to_string())))
}

fn visit<'a>(ctx: &'a Context<'_>) -> &'a Visit {
    ctx.data_unchecked::<Visit>()
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::types::BaseType;

    /// The type behind lists.
    fn named(ty: &BaseType) -> String {
        match ty {
            BaseType::Named(name) => name.to_string(),
            BaseType::List(inner) => named(&inner.base),
        }
    }

    #[test]
    fn the_contract_is_the_one_that_was_reviewed() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../schema.graphql");
        let reviewed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            reviewed == super::sdl(),
            "schema.graphql differs: print it with `pruefpfad schema print` and review it"
        );
    }

    /// Fields of the contract that have no class: neither their own nor their type's. An interface's fields have those of
    /// its implementors. Of inputs, those that a query can search by have one each.
    #[test]
    fn everything_in_the_contract_has_its_class() {
        use async_graphql::parser::types::{TypeKind, TypeSystemDefinition};
        let document = async_graphql::parser::parse_schema(super::sdl()).unwrap();
        let classed =
            |directives: &[async_graphql::Positioned<async_graphql::parser::types::ConstDirective>]| {
                directives
                    .iter()
                    .any(|directive| directive.node.name.node == "disclosure")
            };
        let types: std::collections::BTreeMap<_, _> = document
            .definitions
            .into_iter()
            .filter_map(|definition| match definition {
                TypeSystemDefinition::Type(ty) => Some((ty.node.name.node.to_string(), ty.node)),
                _ => None,
            })
            .collect();
        let (mut unclassed, mut inputs) = (Vec::new(), Vec::new());
        for (name, ty) in &types {
            let TypeKind::Object(object) = &ty.kind else {
                continue;
            };
            for field in &object.fields {
                if !classed(&ty.directives) && !classed(&field.node.directives) {
                    unclassed.push(format!("{name}.{}", field.node.name.node));
                }
                if name != "Mutation" {
                    inputs.extend(
                        field
                            .node
                            .arguments
                            .iter()
                            .map(|argument| named(&argument.node.ty.node.base)),
                    );
                }
            }
        }
        let mut searched = std::collections::BTreeSet::new();
        while let Some(name) = inputs.pop() {
            let Some(ty) = types.get(&name).filter(|_| searched.insert(name.clone())) else {
                continue;
            };
            match &ty.kind {
                TypeKind::InputObject(input) => {
                    for field in &input.fields {
                        if !classed(&field.node.directives) {
                            unclassed.push(format!("{name}.{}", field.node.name.node));
                        }
                        inputs.push(named(&field.node.ty.node.base));
                    }
                }
                // What a list is sorted by tells its values.
                TypeKind::Enum(values) if name.ends_with("Sort") => {
                    for value in &values.values {
                        if !classed(&value.node.directives) {
                            unclassed.push(format!("{name}.{}", value.node.value.node));
                        }
                    }
                }
                _ => {}
            }
        }
        assert_eq!(unclassed, Vec::<String>::new());
        assert!(searched.contains("SampleItemFilter") && searched.contains("SampleItemSort"));
    }

    #[test]
    fn everything_in_the_contract_is_described() {
        use async_graphql::parser::types::{TypeKind, TypeSystemDefinition};
        let document = async_graphql::parser::parse_schema(super::sdl()).unwrap();
        let mut undescribed = Vec::new();
        for definition in document.definitions {
            let TypeSystemDefinition::Type(ty) = definition else {
                continue;
            };
            let name = ty.node.name.node.to_string();
            let parts: Vec<(String, bool)> = match &ty.node.kind {
                TypeKind::Object(object) => object
                    .fields
                    .iter()
                    .map(|field| (field.node.name.node.to_string(), field.node.description.is_some()))
                    .collect(),
                TypeKind::Interface(interface) => interface
                    .fields
                    .iter()
                    .map(|field| (field.node.name.node.to_string(), field.node.description.is_some()))
                    .collect(),
                TypeKind::InputObject(input) => input
                    .fields
                    .iter()
                    .map(|field| (field.node.name.node.to_string(), field.node.description.is_some()))
                    .collect(),
                TypeKind::Enum(values) => values
                    .values
                    .iter()
                    .map(|value| {
                        (
                            value.node.value.node.to_string(),
                            value.node.description.is_some(),
                        )
                    })
                    .collect(),
                TypeKind::Scalar | TypeKind::Union(_) => Vec::new(),
            };
            if ty.node.description.is_none() {
                undescribed.push(name.clone());
            }
            undescribed.extend(
                parts
                    .into_iter()
                    .filter(|(_, described)| !described)
                    .map(|(part, _)| format!("{name}.{part}")),
            );
        }
        assert_eq!(undescribed, Vec::<String>::new());
    }
}
