//! Opaque ids that name their type, and the fields that find anything by one.

use std::collections::HashMap;

use async_graphql::{Context, ID, Interface, Object, Result};
use audit::access::Action as May;
use audit::{deadline, decision, engagement, grant, population, sample};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use entity::{
    BezirksstelleId, BodyId, DeadlineId, DecisionId, DifferenceId, EngagementId, GrantId, ImportId, PaperId,
    PopulationId, SampleId, SampleItemId,
};
use uuid::Uuid;

use super::ContextExt;
use super::body::Body;
use super::deadline::Deadline;
use super::decision::Decision;
use super::engagement::Engagement;
use super::error::{Maybe, bad_input, field};
use super::grant::Grant;
use super::jobcenter::Bezirksstelle;
use super::paper::Paper;
use super::population::{Difference, Import, Population};
use super::sample::{Sample, SampleItem};

/// Most ids of one `nodes`.
const MOST: usize = 100;

/// The types that have a global id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeKind {
    /// A part of the Jobcenter.
    Bezirksstelle,
    /// An engagement.
    Engagement,
    /// A population.
    Population,
    /// An import.
    Import,
    /// A difference.
    Difference,
    /// A sample.
    Sample,
    /// A stratum: found through its sample, but named in filters.
    Stratum,
    /// An item of a sample.
    SampleItem,
    /// A version of a check: found through its item.
    Check,
    /// A grant.
    Grant,
    /// A comment: found through its engagement.
    Comment,
    /// A legal hold: found through its engagement.
    LegalHold,
    /// An edition of a parameter set: found in their list.
    ParameterSet,
    /// A replacement: found through its sample.
    Replacement,
    /// A known error: found through its sample.
    KnownError,
    /// A contribution to a seed: found through its sample, or by whoever makes it.
    Contribution,
    /// A body that decides on papers.
    Body,
    /// A seat of a body: found through it.
    Seat,
    /// A paper.
    Paper,
    /// A decision.
    Decision,
    /// Minutes: found through their paper.
    Minutes,
    /// A signature: found through its paper.
    Signature,
    /// A deadline.
    Deadline,
    /// A notice: found in its inbox.
    Notice,
}

impl NodeKind {
    /// Every kind.
    pub const ALL: [Self; 24] = [
        Self::Bezirksstelle,
        Self::Engagement,
        Self::Population,
        Self::Import,
        Self::Difference,
        Self::Sample,
        Self::Stratum,
        Self::SampleItem,
        Self::Check,
        Self::Grant,
        Self::Comment,
        Self::LegalHold,
        Self::ParameterSet,
        Self::Replacement,
        Self::KnownError,
        Self::Contribution,
        Self::Body,
        Self::Seat,
        Self::Paper,
        Self::Decision,
        Self::Minutes,
        Self::Signature,
        Self::Deadline,
        Self::Notice,
    ];

    /// The name of the type.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bezirksstelle => "Bezirksstelle",
            Self::Engagement => "Engagement",
            Self::Population => "Population",
            Self::Import => "Import",
            Self::Difference => "Difference",
            Self::Sample => "Sample",
            Self::Stratum => "Stratum",
            Self::SampleItem => "SampleItem",
            Self::Check => "Check",
            Self::Grant => "Grant",
            Self::Comment => "Comment",
            Self::LegalHold => "LegalHold",
            Self::ParameterSet => "ParameterSet",
            Self::Replacement => "Replacement",
            Self::KnownError => "KnownError",
            Self::Contribution => "Contribution",
            Self::Body => "Body",
            Self::Seat => "Seat",
            Self::Paper => "Paper",
            Self::Decision => "Decision",
            Self::Minutes => "Minutes",
            Self::Signature => "Signature",
            Self::Deadline => "Deadline",
            Self::Notice => "Notice",
        }
    }

    /// The global id of a row.
    pub fn id(self, row: Uuid) -> ID {
        ID(URL_SAFE_NO_PAD.encode(format!("{}:{row}", self.name())))
    }

    /// The row behind a global id of this kind; none for anything else.
    pub fn parse(self, id: &str) -> Option<Uuid> {
        decode(id).filter(|(kind, _)| *kind == self).map(|(_, row)| row)
    }

    /// The same, or an error that names the input.
    pub(super) fn require(self, id: &ID, input: &str) -> Result<Uuid> {
        self.parse(id)
            .ok_or_else(|| bad_input(input, format!("no id of {}", self.name())))
    }
}

fn decode(id: &str) -> Option<(NodeKind, Uuid)> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(id).ok()?).ok()?;
    let (name, row) = text.split_once(':')?;
    let kind = NodeKind::ALL.into_iter().find(|kind| kind.name() == name)?;
    let row: Uuid = row.parse().ok()?;
    // One row has one id: other spellings of the UUID are refused.
    (kind.id(row).as_str() == id).then_some((kind, row))
}

/// Anything with a global id.
#[derive(Clone, Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "Opaque id; names its type."))]
pub(super) enum Node {
    /// A part of the Jobcenter.
    Bezirksstelle(Box<Bezirksstelle>),
    /// An engagement.
    Engagement(Box<Engagement>),
    /// A population.
    Population(Box<Population>),
    /// An import.
    Import(Box<Import>),
    /// A difference.
    Difference(Box<Difference>),
    /// A sample.
    Sample(Box<Sample>),
    /// An item of a sample.
    SampleItem(Box<SampleItem>),
    /// A grant.
    Grant(Box<Grant>),
    /// A body that decides on papers.
    Body(Box<Body>),
    /// A paper.
    Paper(Box<Paper>),
    /// A decision.
    Decision(Box<Decision>),
    /// A deadline.
    Deadline(Box<Deadline>),
}

/// Finds nodes.
#[derive(Default)]
pub(super) struct NodeQuery;

#[Object]
impl NodeQuery {
    /// Anything by its id; null where it does not exist or is not visible to the caller.
    async fn node(&self, ctx: &Context<'_>, id: ID) -> Maybe<Node> {
        find(ctx, std::slice::from_ref(&id), "id")
            .await
            .map(|mut found| found.pop().flatten())
            .transpose()
    }

    /// Several by their ids, in the same order, at most 100; null in the place of what is not there for the caller.
    async fn nodes(&self, ctx: &Context<'_>, ids: Vec<ID>) -> Result<Vec<Option<Node>>> {
        if ids.len() > MOST {
            return Err(bad_input("ids", format!("at most {MOST} ids at once")));
        }
        find(ctx, &ids, "ids").await
    }
}

/// Nodes in the order of their ids: one look-up a kind.
async fn find(ctx: &Context<'_>, ids: &[ID], input: &str) -> Result<Vec<Option<Node>>> {
    let mut wanted = Vec::with_capacity(ids.len());
    for id in ids {
        wanted.push(decode(id).ok_or_else(|| bad_input(input, "no id of this service"))?);
    }
    let mut nodes = vec![None; ids.len()];
    for kind in NodeKind::ALL {
        let rows: Vec<Uuid> = wanted
            .iter()
            .filter(|(of, _)| *of == kind)
            .map(|(_, row)| *row)
            .collect();
        if rows.is_empty() {
            continue;
        }
        let found: HashMap<Uuid, Node> = of_kind(ctx, kind, &rows).await?.into_iter().collect();
        for (place, (_, row)) in wanted.iter().enumerate().filter(|(_, (of, _))| *of == kind) {
            nodes[place] = found.get(row).cloned();
        }
    }
    Ok(nodes)
}

async fn of_kind(ctx: &Context<'_>, kind: NodeKind, rows: &[Uuid]) -> Result<Vec<(Uuid, Node)>> {
    let (audit, db) = (ctx.audit(), ctx.db());
    // What a role sees nothing of is not there for it: null, like anything else that is hidden.
    let readable = match kind {
        NodeKind::Bezirksstelle
        | NodeKind::Stratum
        | NodeKind::Check
        | NodeKind::Comment
        | NodeKind::LegalHold
        | NodeKind::ParameterSet
        | NodeKind::Replacement
        | NodeKind::KnownError
        | NodeKind::Contribution
        | NodeKind::Seat
        | NodeKind::Minutes
        | NodeKind::Signature
        | NodeKind::Notice => true,
        NodeKind::Deadline => ctx.caller().may(May::DeadlineRead),
        NodeKind::Body | NodeKind::Paper | NodeKind::Decision => ctx.caller().may(May::PaperRead),
        NodeKind::Grant => ctx.caller().may(May::GrantRead),
        NodeKind::Engagement => ctx.caller().may(May::EngagementRead),
        NodeKind::Population | NodeKind::Import | NodeKind::Difference => {
            ctx.caller().may(May::PopulationRead)
        }
        NodeKind::Sample => ctx.caller().may(May::SampleRead),
        NodeKind::SampleItem => ctx.caller().may(May::SampleItemRead),
    };
    ctx.signed_in()?;
    if !readable {
        return Ok(Vec::new());
    }
    macro_rules! through {
        ($service:path, $id:path, $node:path, $view:expr) => {{
            let ids: Vec<_> = rows.iter().copied().map($id).collect();
            let found = field(ctx, $service(audit, db, &ids).await)?;
            found
                .into_iter()
                .map(|row| (row.id.0, $node(Box::new($view(row)))))
                .collect()
        }};
    }
    Ok(match kind {
        NodeKind::Bezirksstelle => {
            let known = |row: &Uuid| Some((*row, ctx.info().bezirksstelle(BezirksstelleId(*row))?));
            rows.iter()
                .filter_map(known)
                .map(|(row, place)| (row, Node::Bezirksstelle(Box::new(place))))
                .collect()
        }
        NodeKind::Engagement => through!(engagement::find_many, EngagementId, Node::Engagement, Engagement),
        NodeKind::Population => through!(population::find_many, PopulationId, Node::Population, Population),
        NodeKind::Import => through!(population::find_imports, ImportId, Node::Import, Import),
        NodeKind::Difference => through!(
            population::find_differences,
            DifferenceId,
            Node::Difference,
            Difference
        ),
        NodeKind::Sample => through!(sample::find_many, SampleId, Node::Sample, Sample),
        NodeKind::SampleItem => through!(
            sample::items_by_id,
            SampleItemId,
            Node::SampleItem,
            SampleItem::from
        ),
        NodeKind::Grant => through!(grant::find_many, GrantId, Node::Grant, Grant),
        NodeKind::Body => through!(decision::find_bodies, BodyId, Node::Body, Body),
        NodeKind::Paper => through!(decision::find_papers, PaperId, Node::Paper, Paper),
        NodeKind::Decision => through!(decision::find_decisions, DecisionId, Node::Decision, Decision),
        NodeKind::Deadline => {
            let ids: Vec<_> = rows.iter().copied().map(DeadlineId).collect();
            field(ctx, deadline::find_many(audit, db, &ids).await)?
                .into_iter()
                .map(|found| (found.row.id.0, Node::Deadline(Box::new(found.into()))))
                .collect()
        }
        NodeKind::Stratum
        | NodeKind::Check
        | NodeKind::Comment
        | NodeKind::LegalHold
        | NodeKind::ParameterSet
        | NodeKind::Replacement
        | NodeKind::KnownError
        | NodeKind::Contribution
        | NodeKind::Seat
        | NodeKind::Minutes
        | NodeKind::Signature
        | NodeKind::Notice => Vec::new(),
    })
}
