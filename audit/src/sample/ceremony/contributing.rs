//! Contributions: committed by their digest, then opened, by the one person who speaks for the party.

use std::collections::HashMap;

use entity::contribution::{ActiveModel, Column, Entity, Model};
use entity::{ContributionId, EngagementId, SampleId, Scope, engagement, sample};
use sea_orm::{ActiveModelTrait as _, ColumnTrait as _, ConnectionTrait, QueryFilter as _, Set};
use serde::Serialize;
use serde_json::json;

use super::log::samples_of;
use super::rules::must_speak;
use super::{Ceremony, KIND, load};
use crate::access::{Action, Permit, authorize, authorize_write};
use crate::db::among;
use crate::engagement::{lock_within, must_be_open};
use crate::error::must_be_version;
use crate::idempotency::{Claimed, claim};
use crate::page::{self, Page, PageArgs};
use crate::refusal::optional_text;
use crate::sample::service::must_be_planned;
use crate::sampling::ceremony::{self, Bytes32, LONGEST_TEXT, commitment};
use crate::trail::{self, Subject};
use crate::{Code, Ctx, Db, Error, Refusal, Result};

/// A contribution with what whoever makes it has to know: nothing of what is drawn.
#[derive(Clone, Debug)]
pub struct Contribution {
    /// Its row.
    pub row: Model,
    /// The ceremony it is part of.
    pub ceremony: Ceremony,
    /// How far its sample is.
    pub state: sample::State,
    /// Number of the engagement.
    pub engagement: String,
    /// Whether the engagement is open.
    pub open: bool,
}

impl Contribution {
    /// What whoever asks may do with it now, as far as the ceremony goes.
    pub fn possible(&self, ctx: &Ctx) -> Vec<Action> {
        if self.state != sample::State::Planned || !self.open {
            return Vec::new();
        }
        let possible = self.ceremony.possible(ctx).into_iter();
        let own = possible.filter(|action| *action != Action::SampleDraw);
        own.collect()
    }
}

/// What commits a contribution.
#[derive(Clone, Debug, Serialize)]
pub struct Commit {
    /// The contribution.
    pub id: ContributionId,
    /// The version the caller saw.
    pub expected_version: i32,
    /// The commitment ([`commitment`]).
    pub digest: Bytes32,
}

/// Commits a contribution, once and for all.
pub async fn commit(ctx: &Ctx, db: &Db, idempotency_key: &str, input: Commit) -> Result<Contribution> {
    let permit = authorize_write(ctx, db, Action::ContributionCommit).await?;
    let step = Step {
        operation: "commitContribution",
        key: idempotency_key,
        id: input.id,
        expected_version: input.expected_version,
    };
    let changed = |ceremony: &Ceremony, row: &Model| {
        ceremony.may_commit(row, ctx.now())?;
        let mut change = ActiveModel::from(row.clone());
        change.digest = Set(Some(input.digest.0.to_vec()));
        change.spoke_as = Set(Some(ctx.caller.acting_as()));
        change.committed_at = Set(Some(ctx.now()));
        Ok(change)
    };
    step.done(ctx, db, &permit, &input, changed).await
}

/// What opens a contribution.
#[derive(Clone, Debug, Serialize)]
pub struct Open {
    /// The contribution.
    pub id: ContributionId,
    /// The version the caller saw.
    pub expected_version: i32,
    /// The 32 random bytes.
    pub salt: Bytes32,
    /// The text, up to 1,000 characters; it may be empty.
    pub text: String,
}

/// Opens a committed contribution: exactly what was committed. That somebody tried other content leaves an entry.
pub async fn open(ctx: &Ctx, db: &Db, idempotency_key: &str, input: Open) -> Result<Contribution> {
    let permit = authorize_write(ctx, db, Action::ContributionOpen).await?;
    if let Some(refusal) = optional_text("input.text", &input.text, LONGEST_TEXT) {
        return Err(Error::Refused(vec![refusal]));
    }
    let step = Step {
        operation: "openContribution",
        key: idempotency_key,
        id: input.id,
        expected_version: input.expected_version,
    };
    let changed = |ceremony: &Ceremony, row: &Model| {
        ceremony.may_open(row)?;
        let opened = ceremony::Contribution {
            party: row.party.clone(),
            salt: input.salt,
            text: input.text.clone(),
        };
        let digest = commitment(ceremony.plan_digest(), &opened).ok();
        if digest.is_none_or(|digest| row.digest.as_deref() != Some(&digest.0)) {
            return Err(Refusal::new(Code::CommitmentDiffers, "input.salt").with(&row.party));
        }
        let mut change = ActiveModel::from(row.clone());
        change.salt = Set(Some(input.salt.0.to_vec()));
        change.words = Set(Some(input.text.clone()));
        change.opened_at = Set(Some(ctx.now()));
        Ok(change)
    };
    let done = step.done(ctx, db, &permit, &input, changed).await;
    if let Err(Error::Refused(refusals)) = &done
        && refusals
            .iter()
            .any(|refusal| refusal.code == Code::CommitmentDiffers)
    {
        trail::denied_opening(db, ctx, input.id).await?;
    }
    done
}

/// A party's step.
#[derive(Clone, Copy)]
struct Step<'a> {
    operation: &'static str,
    key: &'a str,
    id: ContributionId,
    expected_version: i32,
}

impl Step<'_> {
    /// Does the step, if whoever asks speaks for the party and the ceremony is so far. The entry names party and commitment; what is
    /// opened is bound by the commitment and shown once the sample is drawn.
    async fn done(
        self,
        ctx: &Ctx,
        db: &Db,
        permit: &Permit,
        input: &impl Serialize,
        changed: impl FnOnce(&Ceremony, &Model) -> Result<ActiveModel, Refusal>,
    ) -> Result<Contribution> {
        let refused = |refusal| Error::Refused(vec![refusal]);
        let tx = db.begin_write().await?;
        let row = self.visible(&tx, ctx).await?;
        let caller = &ctx.caller;
        must_speak(&row, &caller.subject, caller.role()).map_err(refused)?;
        // Whoever is named in the plan has a part in it, and sees nothing of the engagement by that.
        let id = one(&tx, row.clone()).await?.ceremony.row.engagement_id;
        let engagement = lock_within(&tx, &Scope::Everything, id, "input.id").await?;
        let claim = match claim(&tx, ctx, self.key, self.operation, input).await? {
            Claimed::New(claim) => claim,
            Claimed::Repeated(_) => return one(&tx, self.visible(&tx, ctx).await?).await,
        };
        must_be_open(&engagement, "input.id")?;
        // Read again: something may have been done while the lock was waited for.
        let found = one(&tx, self.visible(&tx, ctx).await?).await?;
        must_be_planned(found.state)?;
        must_be_version(found.row.version, self.expected_version)?;
        let before = found.ceremony.state(ctx)?;
        let mut change = changed(&found.ceremony, &found.row).map_err(refused)?;
        change.version = Set(self.expected_version + 1);
        let done = one(&tx, change.update(&tx).await?).await?;
        claim.remember(&tx, ctx, self.id.0).await?;
        let (row, sample) = (&done.row, done.row.sample_id);
        let subject = Subject::new(KIND, sample.0, engagement.id).changed(before, done.ceremony.state(ctx)?);
        let detail = json!({
            "party": row.party, "commitment": row.digest.as_deref().map(hex::encode),
            "planDigest": done.ceremony.plan_digest(),
        });
        trail::record(&tx, ctx, permit, subject, detail).await?;
        tx.commit().await?;
        Ok(done)
    }

    async fn visible(&self, db: &impl ConnectionTrait, ctx: &Ctx) -> Result<Model> {
        let caller = &ctx.caller;
        Entity::visible_to(&caller.scope(ctx.now()), &caller.subject)
            .filter(Column::Id.eq(self.id))
            .one(db)
            .await?
            .ok_or_else(|| Error::refused(Code::NotFound, "input.id"))
    }
}

/// Contributions that the caller was named for, newest first.
pub async fn contributions(ctx: &Ctx, db: &Db, args: &PageArgs) -> Result<Page<Contribution>> {
    authorize(ctx, Action::ContributionRead)?;
    let own = Entity::visible_to(&Scope::Nothing, &ctx.caller.subject);
    let page = page::by_id(own, Column::Id, true, args, db.reader()).await?;
    Ok(Page {
        rows: told(db.reader(), page.rows).await?,
        has_previous: page.has_previous,
        has_next: page.has_next,
    })
}

async fn one(db: &impl ConnectionTrait, row: Model) -> Result<Contribution> {
    told(db, vec![row])
        .await?
        .pop()
        .ok_or_else(|| Error::internal("a ceremony that is referred to is missing"))
}

/// The contributions with what is told of them.
async fn told(db: &impl ConnectionTrait, rows: Vec<Model>) -> Result<Vec<Contribution>> {
    let ids = || rows.iter().map(|row| row.sample_id);
    let ceremonies: HashMap<SampleId, Ceremony> = load(db, ids())
        .await?
        .into_iter()
        .map(|ceremony| (ceremony.row.sample_id, ceremony))
        .collect();
    let states: HashMap<SampleId, sample::State> = samples_of(db, ids())
        .await?
        .into_iter()
        .map(|sample| (sample.id, sample.state))
        .collect();
    let engagements = ceremonies.values().map(|ceremony| ceremony.row.engagement_id);
    let engagements: HashMap<EngagementId, engagement::Model> =
        engagement::Entity::visible_to(&Scope::Everything)
            .filter(among(db, engagement::Column::Id, engagements))
            .all(db)
            .await?
            .into_iter()
            .map(|engagement| (engagement.id, engagement))
            .collect();
    let one = |row: Model| {
        let ceremony = ceremonies.get(&row.sample_id)?.clone();
        let engagement = engagements.get(&ceremony.row.engagement_id)?;
        Some(Contribution {
            state: *states.get(&row.sample_id)?,
            engagement: engagement.number.clone(),
            open: engagement.state == engagement::State::Open,
            row,
            ceremony,
        })
    };
    Ok(rows.into_iter().filter_map(one).collect())
}
