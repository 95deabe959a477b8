//! Planning: the plan is fixed, and each party has its place in it.

use chrono::{DateTime, SubsecRound as _, Utc};
use entity::{ContributionId, contribution, engagement, population, sample};
use sea_orm::{ActiveModelTrait as _, DatabaseTransaction, EntityTrait as _};
use serde_json::json;

use super::log::root_is_signed;
use super::rules::{check_times, plan_refusal};
use super::{Ceremony, KIND, write};
use crate::access::{Permit, Role};
use crate::sample::draw_plan::{Frame, everyday_plan, planned_stratum, selection_method, stored_root};
use crate::sample::extension::drawn_before;
use crate::sample::rules::{Parameters, PlanInput};
use crate::sample::service::PlannedStratum;
use crate::sample::unit::Unit;
use crate::sampling::ceremony::Plan;
use crate::trail::{self, Subject};
use crate::{Ctx, Db, Error, Result};

/// A checked plan, before there is a sample.
#[derive(Debug)]
pub(in crate::sample) struct FixedPlan {
    plan: Plan,
    people: Vec<(String, Role)>,
    open_until: Option<DateTime<Utc>>,
}

/// The plan of a ceremony, if there is one: of a population whose root stands in a signed checkpoint. Reads all of the frame once.
pub(in crate::sample) async fn prepare(
    db: &Db,
    population: &population::Model,
    strata: &[PlannedStratum],
    parameters: &Parameters,
    input: &PlanInput,
) -> Result<Option<FixedPlan>> {
    let Some(method) = selection_method(input.method).filter(|_| !input.ceremony.is_none()) else {
        return Ok(None);
    };
    let root = stored_root(population.merkle_root.as_deref())?;
    root_is_signed(db, population.id, root).await?;
    let engagement = engagement::Entity::find_by_id(population.engagement_id)
        .one(db.reader())
        .await?
        .ok_or_else(|| Error::internal("an engagement that is referred to is missing"))?;
    let names = strata
        .iter()
        .map(|stratum| (stratum.bezirksstelle, stratum.label.as_str()));
    let before = drawn_before(db.reader(), input.extends, input.method).await?;
    let frame = Frame::of(db, population.id, method, Unit::of(input.method), before, names).await?;
    let digest = frame.digest(db).await?;
    let planned = strata.iter().map(|stratum| {
        let (size, items, cents) = (stratum.size, stratum.items, stratum.cents);
        planned_stratum(&stratum.label, method, size, items, cents)
    });
    let ceremony = &input.ceremony;
    let plan = Plan {
        assurance: ceremony.assurance,
        parties: ceremony.parties.iter().map(|party| party.name.clone()).collect(),
        source: ceremony.source.clone(),
        ..everyday_plan(
            engagement.number,
            input.name.clone(),
            root,
            digest,
            planned,
            parameters,
        )
    };
    plan.check()
        .map_err(|error| Error::Refused(vec![plan_refusal(&error)]))?;
    let people = ceremony.parties.iter();
    Ok(Some(FixedPlan {
        plan,
        people: people.map(|party| (party.subject.clone(), party.role)).collect(),
        open_until: ceremony.open_until.map(|until| until.trunc_subsecs(6)),
    }))
}

/// Writes the ceremony of a planned sample.
pub(in crate::sample) async fn fix(
    tx: &DatabaseTransaction,
    ctx: &Ctx,
    permit: &Permit,
    sample: &sample::Model,
    fixed: FixedPlan,
) -> Result<()> {
    let FixedPlan {
        plan,
        people,
        open_until,
    } = fixed;
    check_times(&plan, open_until, ctx.now()).map_err(|refusal| Error::Refused(vec![refusal]))?;
    let row = entity::ceremony::Model {
        sample_id: sample.id,
        engagement_id: sample.engagement_id,
        plan: write(&plan)?,
        open_until,
        source: None,
        source_by: None,
        source_at: None,
    };
    let row = entity::ceremony::ActiveModel::from(row).reset_all();
    let row = entity::ceremony::Entity::insert(row)
        .exec_with_returning(tx)
        .await?;
    let ids = ctx.sources.new_ids(people.len()).map(ContributionId);
    let parties: Vec<contribution::Model> = (1..)
        .zip(ids)
        .zip(plan.parties.iter().zip(people))
        .map(|((ordinal, id), (party, (subject, role)))| contribution::Model {
            id,
            sample_id: sample.id,
            ordinal,
            party: party.clone(),
            subject,
            role: role.as_str().to_owned(),
            spoke_as: None,
            digest: None,
            committed_at: None,
            salt: None,
            words: None,
            opened_at: None,
            version: 1,
        })
        .collect();
    let rows = parties.iter().cloned();
    let rows = rows.map(|party| contribution::ActiveModel::from(party).reset_all());
    contribution::Entity::insert_many(rows)
        .exec_without_returning(tx)
        .await?;
    let people = parties.iter();
    let people =
        people.map(|party| json!({ "name": party.party, "subject": party.subject, "role": party.role }));
    let detail = json!({
        "planDigest": plan.digest(), "assurance": plan.assurance, "populationRoot": plan.population_root,
        "parties": people.collect::<Vec<_>>(), "source": plan.source, "openUntil": open_until,
    });
    let ceremony = Ceremony {
        row,
        plan,
        source: None,
        parties,
    };
    let subject = Subject::new(KIND, sample.id.0, sample.engagement_id).left(ceremony.state(ctx)?);
    trail::record(tx, ctx, permit, subject, detail).await
}
