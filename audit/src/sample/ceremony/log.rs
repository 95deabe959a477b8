//! What the log says of a ceremony: which step stands where, and the seed that follows.

use std::time::Duration;

use entity::sample::State;
use entity::{PopulationId, SampleId, sample};
use sea_orm::{ConnectionTrait, QueryFilter as _};

use super::{Ceremony, KIND, load};
use crate::access::Action;
use crate::db::among;
use crate::sample::service::find_many;
use crate::sampling::ceremony::{
    self, Bytes32, Commitment, Contribution, Logged, Material, Opening, Source, conclude,
};
use crate::trail::{Step, steps};
use crate::{Code, Ctx, Db, Error, Result};

/// How often the log is asked for the places of the last steps, and how long between: the sequencer takes its turn every second.
const ASKED: u32 = 40;
const PAUSE: Duration = Duration::from_millis(100);

/// The freezing of a population among some steps.
fn freezing(steps: &[Step], population: PopulationId) -> Option<&Step> {
    steps
        .iter()
        .find(|step| step.is(Action::PopulationFreeze, "Population", population.0))
}

/// Refuses until a signed checkpoint covers the freezing of a population with this root.
pub(super) async fn root_is_signed(db: &Db, population: PopulationId, root: Bytes32) -> Result<()> {
    let steps = steps(db.reader(), [population.0]).await?;
    let path = "input.populationId";
    let Some(Step {
        entry,
        position: Some(_),
    }) = freezing(&steps, population)
    else {
        return Err(Error::refused(Code::RootNotSigned, path));
    };
    let told: serde_json::Value =
        serde_json::from_str(&entry.detail).map_err(|error| Error::internal(error.to_string()))?;
    if told["root"] == root.to_string() {
        Ok(())
    } else {
        Err(Error::refused(Code::FrameChanged, path))
    }
}

fn logged(step: &Step) -> Option<Logged> {
    Some(Logged {
        position: step.position?,
        at: step.entry.at.timestamp(),
    })
}

impl Ceremony {
    /// What the log holds of it; none while a step has no place there yet.
    fn material(&self, population: PopulationId, steps: &[Step]) -> Option<Material> {
        let id = self.row.sample_id.0;
        let of = |action, actor: Option<&str>| {
            let step = steps.iter().find(|step| {
                step.is(action, KIND, id) && actor.is_none_or(|actor| actor == step.entry.actor)
            });
            step.and_then(logged)
        };
        let mut commitments = Vec::new();
        let mut openings = Vec::new();
        for row in &self.parties {
            let Some(digest) = &row.digest else { continue };
            commitments.push(Commitment {
                party: row.party.clone(),
                digest: bytes32(digest)?,
                logged: of(Action::ContributionCommit, Some(&row.subject))?,
            });
            let Some(salt) = &row.salt else { continue };
            openings.push(Opening {
                contribution: Contribution {
                    party: row.party.clone(),
                    salt: bytes32(salt)?,
                    text: row.words.clone().unwrap_or_default(),
                },
                logged: of(Action::ContributionOpen, Some(&row.subject))?,
            });
        }
        let source = match &self.source {
            None => None,
            Some(source) => {
                let place = of(Action::SampleDraw, None)?;
                Some(recorded_at(source.clone(), place))
            }
        };
        Some(Material {
            frozen: freezing(steps, population).and_then(logged)?,
            planned: of(Action::SamplePlan, None)?,
            commitments,
            openings,
            source,
            own_seed: None,
        })
    }

    /// The same, once all of it has its place; refused where that takes too long.
    pub(in crate::sample) async fn logged_material(
        &self,
        db: &Db,
        population: PopulationId,
    ) -> Result<Material> {
        for pause in 0..ASKED {
            if pause > 0 {
                tokio::time::sleep(PAUSE).await;
            }
            let steps = steps(db.reader(), [self.row.sample_id.0, population.0]).await?;
            if let Some(material) = self.material(population, &steps) {
                return Ok(material);
            }
        }
        Err(Error::refused(Code::LogPending, "input.id"))
    }
}

/// A source with the place of its record; a round proves its time by itself and has none.
pub(super) fn recorded_at(source: Source, place: Logged) -> Source {
    match source {
        Source::Dice(session) => Source::Dice(ceremony::Session {
            logged: place,
            ..session
        }),
        round @ Source::Drand(_) => round,
    }
}

fn bytes32(stored: &[u8]) -> Option<Bytes32> {
    stored.try_into().ok().map(Bytes32)
}

/// How the seeds of drawn samples came about, of those that had a ceremony and are visible to the caller.
pub async fn conclusions(
    ctx: &Ctx,
    db: &Db,
    samples: &[SampleId],
) -> Result<Vec<(SampleId, ceremony::Ceremony)>> {
    let drawn: Vec<sample::Model> = find_many(ctx, db, samples)
        .await?
        .into_iter()
        .filter(|sample| sample.state == State::Drawn)
        .collect();
    let found = load(db.reader(), drawn.iter().map(|sample| sample.id)).await?;
    let subjects = drawn
        .iter()
        .flat_map(|sample| [sample.id.0, sample.population_id.0]);
    let steps = if found.is_empty() {
        Vec::new()
    } else {
        steps(db.reader(), subjects).await?
    };
    let concluded = |ceremony: &Ceremony| {
        let id = ceremony.row.sample_id;
        let sample = drawn.iter().find(|sample| sample.id == id)?;
        let material = ceremony.material(sample.population_id, &steps)?;
        // What does not lead to the seed any more was changed past the service: redraw and `doctor --rows` say what.
        let concluded = conclude(&ceremony.plan, &material).ok()?;
        (sample.seed.as_ref() == Some(&concluded.seed)).then_some((id, concluded))
    };
    Ok(found.iter().filter_map(concluded).collect())
}

/// The sample of a ceremony, whoever asks: a part in the ceremony shows nothing of it.
pub(super) async fn samples_of(
    db: &impl ConnectionTrait,
    ids: impl IntoIterator<Item = SampleId>,
) -> Result<Vec<sample::Model>> {
    Ok(sample::Entity::visible_to(&entity::Scope::Everything)
        .filter(among(db, sample::Column::Id, ids))
        .all(db)
        .await?)
}
