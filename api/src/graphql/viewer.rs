//! Who asks.

use async_graphql::{Context, Description, Object, Result, SimpleObject};

use super::disclosure::{Class, disclosure};
use super::error::Maybe;
use super::grant::Grant;
use super::permissions::{Action, permitted};
use super::{ContextExt, jobcenter::Bezirksstelle};

/// The person behind the request, under one membership at a time.
#[derive(Description)]
pub(super) struct Viewer;

/// One role of a person (Zugehörigkeit), with its Bezirksstelle where the role is local.
#[derive(SimpleObject)]
#[graphql(directive = disclosure::apply(Class::Internal))]
pub(super) struct Membership {
    /// As tokens and the request header `Pruefpfad-Membership` spell it: `SACHBEARBEITUNG:03`.
    text: String,
    /// The role.
    role: String,
    /// Number of the Bezirksstelle, for local roles.
    bezirksstelle_number: Option<String>,
}

#[Object(use_type_description, directive = disclosure::apply(Class::Internal))]
impl Viewer {
    /// Subject of the token, as trail and log know the person.
    async fn subject<'a>(&self, ctx: &Context<'a>) -> String {
        ctx.caller().subject.clone()
    }

    /// Name as the identity provider gives it.
    async fn name(&self, ctx: &Context<'_>) -> Option<String> {
        ctx.caller().name.clone()
    }

    /// The membership this request is made under; null where none was chosen among several.
    async fn membership(&self, ctx: &Context<'_>) -> Option<Membership> {
        ctx.caller().membership.as_ref().map(|membership| Membership {
            text: membership.to_string(),
            role: membership.role().as_str().to_owned(),
            bezirksstelle_number: membership.bezirksstelle().map(str::to_owned),
        })
    }

    /// Every membership of the token; one of them can be chosen by the header `Pruefpfad-Membership`.
    async fn memberships(&self, ctx: &Context<'_>) -> Vec<String> {
        ctx.memberships().to_vec()
    }

    /// The Bezirksstelle of the membership.
    async fn bezirksstelle(&self, ctx: &Context<'_>) -> Option<Bezirksstelle> {
        ctx.info().bezirksstelle(ctx.caller().bezirksstelle?)
    }

    /// The grant the request is made under.
    async fn grant(&self, ctx: &Context<'_>) -> Maybe<Grant> {
        super::grant::of_caller(ctx).await
    }

    /// The classes of fields that the membership's role or the grant sees: what `@disclosure` in the contract has to be one of.
    async fn classes(&self, ctx: &Context<'_>) -> Vec<Class> {
        ctx.caller().classes().iter().map(Into::into).collect()
    }

    /// All that the membership's role or the grant permits somewhere.
    async fn actions(&self, ctx: &Context<'_>) -> Vec<Action> {
        permitted(ctx, audit::access::Action::ALL)
    }
}

/// Asks who one is.
#[derive(Default)]
pub(super) struct ViewerQuery;

#[Object]
impl ViewerQuery {
    /// The caller.
    async fn viewer(&self, ctx: &Context<'_>) -> Result<Viewer> {
        ctx.signed_in()?;
        Ok(Viewer)
    }
}
