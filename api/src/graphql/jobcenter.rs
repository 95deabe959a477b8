//! The Jobcenter and its Bezirksstellen.

use std::sync::Arc;

use async_graphql::{Context, Description, Enum, ID, Object, Result};
use entity::{bezirksstelle, jobcenter};

use super::ContextExt;
use super::disclosure::{Class, disclosure};
use super::error::{Maybe, field};
use super::many;
use super::node::NodeKind;
use super::permissions::Action;

/// The Jobcenter: a Kreis that carries SGB II by itself (zugelassener kommunaler Träger).
#[derive(Description)]
pub(super) struct Jobcenter(jobcenter::Model);

#[Object(use_type_description, directive = disclosure::apply(Class::Internal))]
impl Jobcenter {
    /// Its name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// What one of its parts is called here: "Bezirksstelle", "Regionalstelle".
    async fn label(&self) -> &str {
        &self.0.label
    }

    /// The plural of the label.
    async fn label_plural(&self) -> &str {
        &self.0.label_plural
    }
}

/// What a part of the Jobcenter is.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "bezirksstelle::Kind")]
pub(super) enum BezirksstelleKind {
    /// A local office in a Stadt.
    Bezirksstelle,
    /// The central department at the Kreis.
    Fachbereich,
}

/// A part of the Jobcenter that does the casework (Bezirksstelle), or its Fachbereich.
#[derive(Clone, Description)]
pub(super) struct Bezirksstelle(pub(super) Arc<bezirksstelle::Model>);

#[Object(use_type_description, directive = disclosure::apply(Class::Internal))]
impl Bezirksstelle {
    /// Opaque id.
    pub(super) async fn id(&self) -> ID {
        NodeKind::Bezirksstelle.id(self.0.id.0)
    }

    /// Its number in extracts: `01`.
    async fn number(&self) -> &str {
        &self.0.number
    }

    /// Its name, usually the Stadt's.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Local office or Fachbereich.
    async fn kind(&self) -> BezirksstelleKind {
        self.0.kind.into()
    }

    /// What the caller may do with it now: nothing, whoever it is. The operator sets up which there are.
    async fn permissions(&self) -> [Action; 0] {
        []
    }
}

impl many::Row for Bezirksstelle {
    const AT_ONCE: &'static [&'static str] = &["id", "number", "name", "kind"];
}

/// Asks how the Jobcenter is organised.
#[derive(Default)]
pub(super) struct JobcenterQuery;

#[Object]
impl JobcenterQuery {
    /// The Jobcenter; null before it is set up.
    async fn jobcenter(&self, ctx: &Context<'_>) -> Maybe<Jobcenter> {
        if let Err(error) = ctx.signed_in() {
            return Some(Err(error));
        }
        field(ctx, audit::jobcenter::current(ctx.db()).await)
            .map(|row| row.map(Jobcenter))
            .transpose()
    }

    /// Its Bezirksstellen and the Fachbereich, by number.
    async fn bezirksstellen(&self, ctx: &Context<'_>) -> Result<Vec<Bezirksstelle>> {
        ctx.signed_in()?;
        let rows = field(ctx, audit::jobcenter::bezirksstellen(ctx.db()).await)?;
        Ok(rows.into_iter().map(Arc::new).map(Bezirksstelle).collect())
    }
}
