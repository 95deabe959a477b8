//! The end of a ceremony: the public source is recorded, once and for all, and the seed follows.

use chrono::{DateTime, Utc};
use entity::{SampleId, sample};
use sea_orm::{ActiveModelTrait as _, DatabaseTransaction, Set};
use serde::Serialize;
use serde_json::json;

use super::log::recorded_at;
use super::rules::end_refusal;
use super::{Ceremony, KIND, ceremony_of, write};
use crate::access::Permit;
use crate::refusal::{optional_text, text};
use crate::sample::service::lock_planned;
use crate::sampling::ceremony::drand::Round;
use crate::sampling::ceremony::{self, Logged, Session, Source, conclude};
use crate::trail::{self, Subject};
use crate::{Code, Ctx, Db, Error, Refusal, Result};

/// Longest name and place of a recording, in characters.
const LONGEST_NAME: usize = 200;
/// Most witnesses of a session.
const MOST_WITNESSES: usize = 20;

/// What the public source said.
#[derive(Clone, Debug, Serialize)]
pub enum SourceInput {
    /// A round of the beacon, field by field.
    Drand(Round),
    /// The same as the beacon prints it, as JSON.
    DrandJson(String),
    /// A session with dice.
    Dice(DiceInput),
}

/// A session in which dice were thrown.
#[derive(Clone, Debug, Serialize)]
pub struct DiceInput {
    /// The digits 0 to 9 in the order of the throws.
    pub digits: String,
    /// Time of the first throw.
    pub begun_at: DateTime<Utc>,
    /// Who threw.
    pub thrown_by: String,
    /// Who watched; at least one who did not throw.
    pub witnesses: Vec<String>,
    /// Where the recording is: file and digest, minutes, or a number of the records.
    pub recording: String,
}

impl SourceInput {
    /// Where it stands in the input.
    const fn path(&self) -> &'static str {
        match self {
            Self::Drand(_) => "input.source.drand",
            Self::DrandJson(_) => "input.source.drandJson",
            Self::Dice(_) => "input.source.dice",
        }
    }

    /// As the ceremony takes it. A session stands nowhere in the log yet.
    fn read(&self) -> Result<Source, Vec<Refusal>> {
        match self {
            Self::Drand(round) => Ok(Source::Drand(round.clone())),
            Self::DrandJson(json) => Round::from_json(json)
                .map(Source::Drand)
                .map_err(|_| vec![Refusal::new(Code::InvalidValue, self.path())]),
            Self::Dice(dice) => {
                let path = |field: &str| format!("{}.{field}", self.path());
                let mut refusals = Vec::new();
                refusals.extend(text(&path("thrownBy"), &dice.thrown_by, LONGEST_NAME));
                refusals.extend(text(&path("recording"), &dice.recording, LONGEST_NAME));
                refusals.extend(optional_text(
                    &path("digits"),
                    &dice.digits,
                    ceremony::MOST_THROWS as usize,
                ));
                if dice.witnesses.len() > MOST_WITNESSES {
                    refusals.push(Refusal::new(Code::TooMany, &path("witnesses")).with(MOST_WITNESSES));
                }
                let witnesses = dice.witnesses.iter();
                refusals
                    .extend(witnesses.filter_map(|witness| text(&path("witnesses"), witness, LONGEST_NAME)));
                if !refusals.is_empty() {
                    return Err(refusals);
                }
                Ok(Source::Dice(Session {
                    digits: dice.digits.clone(),
                    begun_at: dice.begun_at.timestamp(),
                    thrown_by: dice.thrown_by.clone(),
                    witnesses: dice.witnesses.clone(),
                    recording: dice.recording.clone(),
                    logged: NOWHERE,
                }))
            }
        }
    }
}

/// What stands nowhere in the log yet.
const NOWHERE: Logged = Logged { position: 0, at: 0 };

/// A ceremony that led to a seed.
#[derive(Debug)]
pub(in crate::sample) struct Concluded {
    ceremony: Ceremony,
    /// The seed, and how it came about.
    pub(in crate::sample) conclusion: ceremony::Ceremony,
}

/// Ends the ceremony of a planned sample: records the source it is given, once everything else holds, and forms the seed from what the
/// log says. A source that was recorded before need not be given again.
pub(in crate::sample) async fn concluded(
    ctx: &Ctx,
    db: &Db,
    permit: &Permit,
    sample: &sample::Model,
    found: Ceremony,
    given: Option<&SourceInput>,
) -> Result<Concluded> {
    let refused = |refusal| Error::Refused(vec![refusal]);
    found.may_end(ctx.now()).map_err(refused)?;
    let path = given.map_or("input.source", SourceInput::path);
    let given = given.map(SourceInput::read).transpose().map_err(Error::Refused)?;
    let ceremony = match (&found.source, given) {
        (Some(recorded), Some(given)) if *recorded != given => {
            return Err(Error::refused(Code::SourceRecorded, path));
        }
        (None, Some(given)) => {
            let mut material = found.logged_material(db, sample.population_id).await?;
            let last = Logged {
                position: u64::MAX,
                at: ctx.now().timestamp(),
            };
            material.source = Some(recorded_at(given.clone(), last));
            conclude(&found.plan, &material).map_err(|error| refused(end_refusal(&error, path)))?;
            record(ctx, db, permit, sample, &found, given).await?
        }
        _ => found,
    };
    let material = ceremony.logged_material(db, sample.population_id).await?;
    let conclusion =
        conclude(&ceremony.plan, &material).map_err(|error| refused(end_refusal(&error, path)))?;
    Ok(Concluded { ceremony, conclusion })
}

/// Records the source of the ceremony that was found: it has its place in the log before anything is drawn.
async fn record(
    ctx: &Ctx,
    db: &Db,
    permit: &Permit,
    sample: &sample::Model,
    found: &Ceremony,
    source: Source,
) -> Result<Ceremony> {
    let tx = db.begin_write().await?;
    lock_planned(&tx, ctx, sample.id, sample.version).await?;
    unchanged(&tx, sample.id, found).await?;
    let before = found.state(ctx)?;
    let mut change = entity::ceremony::ActiveModel::from(found.row.clone());
    change.source = Set(Some(write(&source)?));
    change.source_by = Set(Some(ctx.caller.subject.clone()));
    change.source_at = Set(Some(ctx.now()));
    let ceremony = Ceremony {
        row: change.update(&tx).await?,
        source: Some(source),
        ..found.clone()
    };
    let subject = Subject::new(KIND, sample.id.0, sample.engagement_id).changed(before, ceremony.state(ctx)?);
    trail::record(&tx, ctx, permit, subject, json!({ "source": ceremony.source })).await?;
    tx.commit().await?;
    Ok(ceremony)
}

/// Refuses where something was opened or recorded since: it has no place in the log yet.
async fn unchanged(tx: &DatabaseTransaction, sample: SampleId, found: &Ceremony) -> Result<()> {
    if ceremony_of(tx, sample).await?.as_ref() == Some(found) {
        Ok(())
    } else {
        Err(Error::refused(Code::LogPending, "input.id"))
    }
}

impl Concluded {
    /// Refuses where the ceremony went on since the seed was formed. The sample is locked.
    pub(in crate::sample) async fn still_holds(&self, tx: &DatabaseTransaction) -> Result<()> {
        unchanged(tx, self.ceremony.row.sample_id, &self.ceremony).await
    }

    /// What the entry of the draw tells of it.
    pub(in crate::sample) fn told(&self) -> serde_json::Value {
        let conclusion = &self.conclusion;
        json!({
            "assurance": conclusion.assurance, "planDigest": conclusion.plan_digest, "opened": conclusion.opened,
            "silent": conclusion.silent, "source": conclusion.source,
        })
    }
}
