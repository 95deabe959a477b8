//! Who is to check which item, and how far checking has come.

use std::time::Duration;

use async_graphql::{Context, Description, ID, InputObject, Object, Result, SimpleObject, Subscription};
use audit::assignment as service;
use entity::assignment::Model;
use entity::{SampleId, SampleItemId};
use futures_util::Stream;

use super::ContextExt;
use super::disclosure::{Class, disclosure};
use super::error::{failure, field, payload};
use super::loaders::{AssignmentsOf, ProgressOf};
use super::node::NodeKind;
use super::sample::Sample;
use super::scalars::{DateTime, Long};

/// How often progress is looked at for those who watch it.
const WATCH: Duration = Duration::from_millis(500);

/// Somebody who is to check an item. It organises the work and gives no right.
#[derive(Description)]
pub(super) struct Assignment(Model);

#[Object(use_type_description, directive = disclosure::apply(Class::Audit))]
impl Assignment {
    /// Who is to check it: the subject of their tokens.
    async fn tester(&self) -> &str {
        &self.0.tester
    }

    /// Who assigned it.
    async fn assigned_by(&self) -> &str {
        &self.0.assigned_by
    }

    /// When.
    async fn assigned_at(&self) -> DateTime {
        self.0.assigned_at.into()
    }
}

/// Assignments of a visible item.
pub(super) async fn of_item(ctx: &Context<'_>, id: SampleItemId) -> Result<Vec<Assignment>> {
    let rows = ctx.loaders().one(ctx, AssignmentsOf(id)).await?;
    Ok(rows.unwrap_or_default().into_iter().map(Assignment).collect())
}

/// How far the checking of a sample has come, of the items the caller may see. No figure is told of a person.
#[derive(Clone, SimpleObject)]
#[graphql(directive = disclosure::apply(Class::Audit))]
pub(super) struct CheckProgress {
    /// Items, without replaced ones.
    items: Long,
    /// Not checked by anybody.
    open: Long,
    /// Checked by some of those who have to.
    partly_checked: Long,
    /// Checked with different results.
    disputed: Long,
    /// Checked.
    checked: Long,
    /// Not checked yet, and assigned to nobody.
    unassigned: Long,
}

impl From<service::Progress> for CheckProgress {
    fn from(progress: service::Progress) -> Self {
        Self {
            items: Long(progress.items),
            open: Long(progress.open),
            partly_checked: Long(progress.partly_checked),
            disputed: Long(progress.disputed),
            checked: Long(progress.checked),
            unassigned: Long(progress.unassigned),
        }
    }
}

/// How far the checking of a visible sample has come.
pub(super) async fn of_sample(ctx: &Context<'_>, id: SampleId) -> Result<CheckProgress> {
    let progress = ctx.loaders().one(ctx, ProgressOf(id)).await?;
    Ok(progress.unwrap_or_default().into())
}

/// What assigns items to one person.
#[derive(InputObject)]
pub(super) struct AssignSampleItemsInput {
    /// The drawn sample.
    sample_id: ID,
    /// Its items, 1 to 200, which are not checked yet; those the person has already stay theirs.
    item_ids: Vec<ID>,
    /// Who is to check them: the subject of their tokens, up to 200 characters.
    tester: String,
    /// Repeating the same input under the same key gives the same answer.
    idempotency_key: String,
}

/// What distributes the items of a sample.
#[derive(InputObject)]
pub(super) struct DistributeSampleItemsInput {
    /// The drawn sample.
    sample_id: ID,
    /// Among whom, 1 to 50: the subjects of their tokens.
    testers: Vec<String>,
    /// Repeating the same input under the same key gives the same answer.
    idempotency_key: String,
}

/// What ends one person's assignments.
#[derive(InputObject)]
pub(super) struct ReleaseSampleItemsInput {
    /// The sample.
    sample_id: ID,
    /// Its items, 1 to 200; those that are not the person's stay as they are.
    item_ids: Vec<ID>,
    /// Whose they are no longer.
    tester: String,
}

payload! {
    /// The sample with its assignments.
    AssignSampleItemsPayload {
        /// The sample.
        sample: Sample
    }
}

payload! {
    /// The sample with its assignments.
    DistributeSampleItemsPayload {
        /// The sample.
        sample: Sample
    }
}

payload! {
    /// The sample with its assignments.
    ReleaseSampleItemsPayload {
        /// The sample.
        sample: Sample
    }
}

fn items(ids: &[ID]) -> Result<Vec<SampleItemId>> {
    let id = |(place, id)| {
        let path = format!("input.itemIds.{place}");
        NodeKind::SampleItem.require(id, &path).map(SampleItemId)
    };
    ids.iter().enumerate().map(id).collect()
}

/// Assigns items.
#[derive(Default)]
pub(super) struct AssignmentMutation;

#[Object]
impl AssignmentMutation {
    /// Assigns items to one person, who finds them by `sampleItems(filter: { mine: true })`.
    async fn assign_sample_items(
        &self,
        ctx: &Context<'_>,
        input: AssignSampleItemsInput,
    ) -> Result<AssignSampleItemsPayload> {
        let assign = service::Assign {
            sample_id: SampleId(NodeKind::Sample.require(&input.sample_id, "input.sampleId")?),
            item_ids: items(&input.item_ids)?,
            tester: input.tester,
        };
        AssignSampleItemsPayload::of(
            ctx,
            service::assign(ctx.audit(), ctx.db(), &input.idempotency_key, assign).await,
        )
    }

    /// Distributes what is not assigned yet evenly among several people, in the order of the draw, so that each item has as many as the
    /// plan asks for. Own staff's items are assigned by hand alone, by their group.
    async fn distribute_sample_items(
        &self,
        ctx: &Context<'_>,
        input: DistributeSampleItemsInput,
    ) -> Result<DistributeSampleItemsPayload> {
        let distribute = service::Distribute {
            sample_id: SampleId(NodeKind::Sample.require(&input.sample_id, "input.sampleId")?),
            testers: input.testers,
        };
        DistributeSampleItemsPayload::of(
            ctx,
            service::distribute(ctx.audit(), ctx.db(), &input.idempotency_key, distribute).await,
        )
    }

    /// Ends one person's assignments; what they have checked stays.
    async fn release_sample_items(
        &self,
        ctx: &Context<'_>,
        input: ReleaseSampleItemsInput,
    ) -> Result<ReleaseSampleItemsPayload> {
        let release = service::Release {
            sample_id: SampleId(NodeKind::Sample.require(&input.sample_id, "input.sampleId")?),
            item_ids: items(&input.item_ids)?,
            tester: input.tester,
        };
        ReleaseSampleItemsPayload::of(ctx, service::release(ctx.audit(), ctx.db(), release).await)
    }
}

/// What one waits for with checks.
#[derive(Default)]
pub(super) struct CheckSubscription;

#[Subscription]
impl CheckSubscription {
    /// How far the checking of a sample has come, at most twice a second where something changed; ends when all of it is checked.
    #[graphql(directive = disclosure::apply(Class::Audit))]
    async fn check_progress<'a>(
        &self,
        ctx: &Context<'a>,
        id: ID,
    ) -> Result<impl Stream<Item = Result<CheckProgress>> + use<'a>> {
        let id = SampleId(NodeKind::Sample.require(&id, "id")?);
        let ctx = ctx.clone();
        if watched(&ctx, id).await?.is_none() {
            return Err(failure(&ctx, &audit::Error::refused(audit::Code::NotFound, "id")));
        }
        Ok(async_stream::try_stream! {
            let mut last = None;
            let mut ticks = tokio::time::interval(WATCH);
            loop {
                ticks.tick().await;
                let Some(progress) = watched(&ctx, id).await? else { break };
                if last != Some(progress) {
                    last = Some(progress);
                    yield progress.into();
                }
                if progress.is_complete() {
                    break;
                }
            }
        })
    }
}

async fn watched(ctx: &Context<'_>, id: SampleId) -> Result<Option<service::Progress>> {
    let found = field(ctx, service::progress(ctx.audit(), ctx.db(), &[id]).await)?;
    Ok(found.into_iter().next().map(|(_, progress)| progress))
}
