//! The ceremony of a stored sample ([`crate::sampling::ceremony`] judges it): planned with the sample, joined by the named
//! parties, ended by the public source and the draw.
//!
//! | step | who | file |
//! |---|---|---|
//! | the plan is fixed: level, parties, source, digest of what is drawn from. The population's root stands in a signed checkpoint before | whoever plans | `plan` |
//! | each party commits the digest of its contribution, then opens it; one named person in one named role speaks for a party | the parties | `contributing` |
//! | the source is recorded, the seed formed, the sample drawn | whoever draws | `source` |
//!
//! Each step is an entry of the trail with the subject `Ceremony`, and what counts is the entry's place in the log. All steps of
//! an engagement wait for one lock, so that times and places run the same way. What may be done when is in `rules`. A ceremony
//! that came to nothing is given up with its sample; commitments, opened contributions and sources are never replaced.

use entity::{SampleId, contribution};
use sea_orm::{ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _};

use super::service::find_many;
use crate::access::Action;
use crate::db::among;
use crate::sampling::ceremony::{Bytes32, Plan, Source};
use crate::trail::State;
use crate::{Ctx, Db, Error, Result, trail};

mod contributing;
mod log;
mod plan;
mod rules;
mod source;

pub use contributing::{Commit, Contribution, Open, commit, contributions, open};
pub use log::conclusions;
pub(super) use plan::{fix, prepare};
pub(super) use rules::check;
pub use rules::{CeremonyInput, PartyInput, Standing, standing};
pub(super) use source::concluded;
pub use source::{DiceInput, SourceInput};

/// Kind of the subject in the trail.
const KIND: &str = "Ceremony";

/// The ceremony of a sample with its parties.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ceremony {
    /// Its row.
    pub row: entity::ceremony::Model,
    /// The plan.
    pub plan: Plan,
    /// The public source, once recorded. Of a session with dice it does not say where its record stands in the log.
    pub source: Option<Source>,
    /// The parties, in the order of the plan.
    pub parties: Vec<contribution::Model>,
}

impl Ceremony {
    /// Digest of the plan.
    pub fn plan_digest(&self) -> Bytes32 {
        self.plan.digest()
    }

    /// What the caller may do in a planned ceremony now, as far as the ceremony goes: draw, and commit and open where they speak for a
    /// party.
    pub fn possible(&self, ctx: &Ctx) -> Vec<Action> {
        self.possible_for(&ctx.caller.subject, ctx.caller.role(), ctx.now())
    }

    /// Digest of the rows, as the trail keeps it.
    fn state(&self, ctx: &Ctx) -> Result<State> {
        trail::state_with(ctx, &self.row, &self.parties)
    }
}

/// Ceremonies of the samples that the caller may see; none of samples at the level of one person.
pub async fn ceremonies(ctx: &Ctx, db: &Db, samples: &[SampleId]) -> Result<Vec<Ceremony>> {
    let visible = find_many(ctx, db, samples).await?;
    load(db.reader(), visible.iter().map(|sample| sample.id)).await
}

/// The ceremony of a sample, if it has one.
pub(super) async fn ceremony_of(db: &impl ConnectionTrait, sample: SampleId) -> Result<Option<Ceremony>> {
    Ok(load(db, [sample]).await?.pop())
}

async fn load(
    db: &impl ConnectionTrait,
    samples: impl IntoIterator<Item = SampleId>,
) -> Result<Vec<Ceremony>> {
    let rows = entity::ceremony::Entity::find()
        .filter(among(db, entity::ceremony::Column::SampleId, samples))
        .all(db)
        .await?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let of = rows.iter().map(|row| row.sample_id);
    let mut parties = contribution::Entity::find()
        .filter(among(db, contribution::Column::SampleId, of))
        .order_by_asc(contribution::Column::Ordinal)
        .all(db)
        .await?;
    rows.into_iter()
        .map(|row| {
            let (own, others) = parties
                .drain(..)
                .partition(|party| party.sample_id == row.sample_id);
            parties = others;
            Ok(Ceremony {
                plan: read(&row.plan)?,
                source: row.source.as_deref().map(read).transpose()?,
                parties: own,
                row,
            })
        })
        .collect()
}

fn read<T: serde::de::DeserializeOwned>(json: &str) -> Result<T> {
    serde_json::from_str(json).map_err(|error| Error::internal(error.to_string()))
}

fn write(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::internal(error.to_string()))
}
