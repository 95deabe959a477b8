//! The samples of the demonstration: three plans, two draws, an abort, announced items, recorded checks.

use anyhow::Context as _;
use audit::check::{AnswerInput, PROGRAMMES, RecordCheck, record_many};
use audit::demo::true_amount;
use audit::page::PageArgs;
use audit::population::find_many;
use audit::sample::{
    Abort, Announce, CeremonyInput, Draw, ItemFilter, ItemOrder, PlanInput, abort, announce, draw, items,
    plan, population_items,
};
use audit::{Ctx, Db};
use entity::check_answer::{Answer, Dimension};
use entity::item_check::ErrorClass;
use entity::sample::{self as row, Method, State};
use entity::{Cents, FundSplit, ListedItem, PopulationId, SampleId, sample_item};
use rust_decimal::Decimal;

use super::import::said;
use crate::language::Language;

/// Checks recorded at once.
const AT_ONCE: u64 = 100;
/// What of the payments of a whole year may be wrong.
const TOLERABLE: Cents = Cents(300_000_000);
/// The seeds of the demonstration: thrown with ten-sided dice, so to speak.
const SEEDS: [&str; 2] = ["48201973650284719365", "90736152840617239458"];

/// Those who act here.
pub(super) struct Roles<'a> {
    /// Plans, draws, announces and checks.
    pub(super) auditor: &'a Ctx,
    /// Gives up a plan.
    pub(super) head: &'a Ctx,
}

/// The demonstration's populations.
pub(super) struct Populations {
    /// Payment lines.
    pub(super) payments: PopulationId,
    /// Decisions.
    pub(super) decisions: PopulationId,
}

impl Roles<'_> {
    /// Plans and draws what is not there yet.
    pub(super) async fn fill(
        &self,
        db: &Db,
        populations: &Populations,
        seed: [u8; 32],
        language: Language,
    ) -> anyhow::Result<()> {
        let tolerable = self.tolerable(db, populations.payments, language).await?;
        let given_up = self
            .planned(db, first_plan(populations.payments, tolerable), language)
            .await?;
        if given_up.state == State::Planned {
            let input = Abort {
                id: given_up.id,
                expected_version: given_up.version,
                reason: "Der Umfang war ohne Erwartungswert berechnet; neuer Plan mit erwartetem Fehler."
                    .to_owned(),
            };
            said(abort(self.head, db, input).await, language)?;
        }
        let plans = [
            payment_plan(populations.payments, tolerable),
            decision_plan(populations.decisions),
        ];
        for (plan, dice) in plans.into_iter().zip(SEEDS) {
            let mut sample = self.planned(db, plan, language).await?;
            if sample.state == State::Planned {
                super::complain(&format!("{} …", sample.name));
                let input = Draw {
                    id: sample.id,
                    expected_version: sample.version,
                    seed: Some(dice.to_owned()),
                    source: None,
                };
                sample = said(draw(self.auditor, db, input).await, language)?;
            }
            if sample.state == State::Drawn {
                self.announce(db, sample.id, language).await?;
                // Payments are checked throughout, so that the evaluation can be seen; decisions have just begun.
                let whole = sample.method == Method::MonetaryUnitFixedInterval;
                self.check(
                    db,
                    sample.id,
                    if whole { u64::MAX } else { AT_ONCE },
                    seed,
                    language,
                )
                .await?;
            }
        }
        Ok(())
    }

    /// What of the payments may be wrong: a smaller demonstration tolerates less.
    async fn tolerable(&self, db: &Db, payments: PopulationId, language: Language) -> anyhow::Result<Cents> {
        let found = said(find_many(self.auditor, db, &[payments]).await, language)?;
        let sum = found.first().context("the population is gone")?.positive_cents;
        Ok(Cents(TOLERABLE.0.min(sum.0 / 20)))
    }

    async fn planned(&self, db: &Db, input: PlanInput, language: Language) -> anyhow::Result<row::Model> {
        let key = format!("demo-{}", input.name);
        said(plan(self.auditor, db, &key, input).await, language)
    }

    async fn announce(&self, db: &Db, sample: SampleId, language: Language) -> anyhow::Result<()> {
        let filter = ItemFilter {
            sample: Some(sample),
            announced: Some(true),
            ..ItemFilter::default()
        };
        if !self.some(db, &filter, 1, language).await?.is_empty() {
            return Ok(());
        }
        // Every second item: what is not announced is not there for its Bezirksstelle.
        let filter = ItemFilter {
            sample: Some(sample),
            ..ItemFilter::default()
        };
        let half = self.some(db, &filter, 1_000, language).await?;
        let ids = half.iter().step_by(2).map(|item| item.id).collect();
        let input = Announce {
            sample_id: sample,
            item_ids: Some(ids),
            from: None,
        };
        said(announce(self.auditor, db, input).await, language)?;
        Ok(())
    }

    async fn check(
        &self,
        db: &Db,
        sample: SampleId,
        most: u64,
        seed: [u8; 32],
        language: Language,
    ) -> anyhow::Result<()> {
        let checked = ItemFilter {
            sample: Some(sample),
            state: Some(sample_item::State::Checked),
            ..ItemFilter::default()
        };
        let mut done = self.some(db, &checked, AT_ONCE, language).await?.len() as u64;
        let open = ItemFilter {
            sample: Some(sample),
            state: Some(sample_item::State::Open),
            ..ItemFilter::default()
        };
        while done < most {
            let found = self.some(db, &open, AT_ONCE, language).await?;
            if found.is_empty() {
                break;
            }
            let ids: Vec<_> = found.iter().map(|item| item.id).collect();
            let details = said(population_items(self.auditor, db, &ids).await, language)?;
            let mut checks = Vec::with_capacity(found.len());
            for item in &found {
                let (_, booked) = details
                    .iter()
                    .find(|(id, _)| *id == item.id)
                    .context("an item has no details")?;
                checks.push(sheet(item, booked.funds(), seed));
            }
            done += checks.len() as u64;
            let key = format!("demo-{}-{done}", sample.0);
            for outcome in said(record_many(self.auditor, db, &key, checks).await, language)? {
                said(outcome, language)?;
            }
        }
        Ok(())
    }

    async fn some(
        &self,
        db: &Db,
        filter: &ItemFilter,
        limit: u64,
        language: Language,
    ) -> anyhow::Result<Vec<ListedItem>> {
        let args = PageArgs {
            after: None,
            before: None,
            limit,
            backward: false,
        };
        let (page, _) = said(
            items(self.auditor, db, filter, ItemOrder::default(), &args, false).await,
            language,
        )?;
        Ok(page.rows)
    }
}

/// The check sheet of an item: what the demonstration knows to be right, and answers to match.
fn sheet(item: &ListedItem, booked: FundSplit, seed: [u8; 32]) -> RecordCheck {
    let cents = [booked.bund.0, booked.kommune.0, booked.land.0, booked.eu.0];
    let truth = true_amount(seed, &item.reference, cents);
    let [bund, kommune, land, eu] = truth.funds.map(Cents);
    let failing = match truth.class {
        ErrorClass::None => None,
        ErrorClass::Formal => Some((Dimension::Regularity, Answer::No)),
        ErrorClass::NotEvidenced => Some((Dimension::Legality, Answer::NotEvidenced)),
        ErrorClass::WrongFund | ErrorClass::WrongYear => Some((Dimension::Funding, Answer::No)),
        ErrorClass::SuspectedFraud => Some((Dimension::Payment, Answer::No)),
        ErrorClass::Overpayment | ErrorClass::Underpayment => Some((Dimension::Calculation, Answer::No)),
    };
    let mut told = false;
    let attributes = PROGRAMMES
        .first()
        .map_or(&[][..], |programme| programme.attributes);
    let answers = attributes
        .iter()
        .map(|attribute| {
            let answer = match failing {
                Some((dimension, answer)) if dimension == attribute.dimension && !told => {
                    told = true;
                    answer
                }
                _ => Answer::Yes,
            };
            AnswerInput {
                attribute: attribute.code.to_owned(),
                answer,
                remark: String::new(),
            }
        })
        .collect();
    RecordCheck {
        sample_item_id: item.id,
        expected_version: item.version,
        programme: None,
        correction: false,
        error_class: truth.class,
        correct: FundSplit {
            bund,
            kommune,
            land,
            eu,
        },
        remark: String::new(),
        answers,
    }
}

fn first_plan(population: PopulationId, tolerable: Cents) -> PlanInput {
    PlanInput {
        name: "Auszahlungen, Wertstichprobe, erster Plan".to_owned(),
        expected_cents: Some(Cents(0)),
        reason: None,
        ..payment_plan(population, tolerable)
    }
}

fn payment_plan(population: PopulationId, tolerable: Cents) -> PlanInput {
    PlanInput {
        population_id: population,
        name: "Auszahlungen, Wertstichprobe".to_owned(),
        method: Method::MonetaryUnitFixedInterval,
        stratified: false,
        size: None,
        confidence: Some(Decimal::new(95, 2)),
        tolerable_rate: None,
        expected_rate: None,
        tolerable_cents: Some(tolerable),
        expected_cents: Some(Cents(tolerable.0 / 5)),
        checks_per_item: 1,
        reason: Some("Neuer Plan mit erwartetem Fehler, siehe aufgegebenen ersten Plan.".to_owned()),
        extends: None,
        extension_rule: None,
        parameter_set: None,
        ceremony: CeremonyInput::default(),
    }
}

fn decision_plan(population: PopulationId) -> PlanInput {
    PlanInput {
        population_id: population,
        name: "Bescheide, geschichtet nach Bezirksstellen".to_owned(),
        method: Method::StratifiedByBezirksstelle,
        stratified: false,
        size: None,
        confidence: Some(Decimal::new(95, 2)),
        tolerable_rate: Some(Decimal::new(10, 2)),
        expected_rate: Some(Decimal::new(5, 2)),
        tolerable_cents: None,
        expected_cents: None,
        checks_per_item: 1,
        reason: None,
        extends: None,
        extension_rule: None,
        parameter_set: None,
        ceremony: CeremonyInput::default(),
    }
}
