//! Redrawing: whoever holds the draw file and the draw record repeats the draw, offline, and learns what
//! differs.
//!
//! The draw file holds the rows that were drawn from ([`FrameRow`]) and nothing else; their digest
//! ([`FrameDigest`]) is part of the plan and was logged before anybody contributed to the seed. The draw
//! record ([`DrawRecord`]) holds plan, ceremony, seed and sample. Memory is the sample, except for the method
//! over randomised order, which has to sort the rows it draws from.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::sampling::ceremony::{Assurance, Bytes32, Material, Plan, PlannedStratum, conclude};
use crate::sampling::derivation::Step;
use crate::sampling::selection::{Seed, Selected, SelectionError, SelectionMethod, Selector, Tickets};

mod difference;
mod frame;
#[cfg(test)]
mod tests;

pub use difference::Difference;
pub use frame::{FrameDigest, FrameError, FrameRow};

/// Method id of the redraw.
pub const REDRAW: &str = "redraw";
/// Its version.
pub const REDRAW_VERSION: &str = "1";

/// A drawn item as the record has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DrawnItem {
    /// Place in the whole sample, from 1: the strata in the order of the plan, in each the order of its
    /// method.
    pub order: u64,
    /// Name of the stratum.
    pub stratum: String,
    /// Id of the item.
    pub id: String,
    /// How often it was hit.
    pub hits: u64,
    /// Ticket number, where the method has tickets.
    pub ticket: Option<String>,
}

/// The draw record: what was planned, how the seed came about, what was drawn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DrawRecord {
    /// The plan.
    pub plan: Plan,
    /// The ceremony, as logged; without it the seed is taken as it is.
    pub material: Option<Material>,
    /// The seed.
    pub seed: String,
    /// Root of the frozen population when it was drawn from.
    pub population_root: Bytes32,
    /// The sample.
    pub items: Vec<DrawnItem>,
}

/// What is known from elsewhere: a signed checkpoint, a report, minutes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Known {
    /// Root of the frozen population.
    pub population_root: Option<Bytes32>,
    /// Digest of the plan.
    pub plan_digest: Option<Bytes32>,
}

/// A redraw under way.
pub struct Redraw {
    record: DrawRecord,
    seed: Seed,
    frame: FrameDigest,
    places: HashMap<String, usize>,
    strata: Vec<Stratum>,
    differences: Vec<Difference>,
}

struct Stratum {
    monetary: bool,
    way: Way,
    count: u64,
    /// Sum of the amounts that rows have.
    sum: i128,
}

enum Way {
    Streamed(Box<dyn Selector + Send>),
    /// Ticket, id and amount of all rows, to be sorted before they are offered.
    Sorted(Box<dyn Selector + Send>, Tickets, Vec<(String, String, i64)>),
    Failed(SelectionError),
}

/// A finished redraw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Redrawn {
    /// Id of the method.
    pub method: &'static str,
    /// Its version.
    pub version: &'static str,
    /// Whether nothing differs.
    pub agrees: bool,
    /// Level of assurance; proved only where the record holds the ceremony.
    pub assurance: Assurance,
    /// Whether the record holds the ceremony, so that the seed could be formed again.
    pub ceremony_checked: bool,
    /// Digest of the plan.
    pub plan_digest: Bytes32,
    /// Root of the frozen population, as the plan has it.
    pub population_root: Bytes32,
    /// Digest of the draw file.
    pub frame_digest: Bytes32,
    /// The seed that was drawn with here.
    pub seed: String,
    /// Rows of the draw file.
    pub rows: u64,
    /// The sample as it comes out here.
    pub items: Vec<DrawnItem>,
    /// What differs.
    pub differences: Vec<Difference>,
    /// How it was found.
    pub steps: Vec<Step>,
}

impl std::fmt::Debug for Redraw {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Redraw")
            .field("record", &self.record)
            .field("differences", &self.differences)
            .finish_non_exhaustive()
    }
}

impl Redraw {
    /// Begins with what can be said before the rows: ceremony, seed and root.
    pub fn new(record: DrawRecord, known: Known) -> Result<Self, SelectionError> {
        let mut differences = Vec::new();
        let plan = &record.plan;
        if let Err(error) = plan.check() {
            differences.push(Difference::plan_refused(&error));
        }
        let digest = plan.digest();
        if let Some(expected) = known.plan_digest.filter(|known| *known != digest) {
            let found = digest;
            differences.push(Difference::PlanDiffers { expected, found });
        }
        let expected = known.population_root.unwrap_or(plan.population_root);
        let mut roots = vec![plan.population_root, record.population_root];
        roots.dedup();
        let others = roots.into_iter().filter(|found| *found != expected);
        differences.extend(others.map(|found| Difference::RootDiffers { expected, found }));
        let mut text = record.seed.clone();
        match record.material.as_ref().map(|material| conclude(plan, material)) {
            None => {}
            Some(Err(error)) => differences.push(Difference::ceremony_refused(&error)),
            Some(Ok(ceremony)) if ceremony.seed == text => {}
            Some(Ok(ceremony)) => {
                let (expected, found) = (ceremony.seed.clone(), text);
                differences.push(Difference::SeedDiffers { expected, found });
                text = ceremony.seed;
            }
        }
        let seed = Seed::new(text)?;
        let strata = plan.strata.iter().map(|stratum| Stratum::new(stratum, &seed));
        Ok(Self {
            strata: strata.collect(),
            places: plan
                .strata
                .iter()
                .map(|stratum| stratum.name.clone())
                .zip(0..)
                .collect(),
            seed,
            frame: FrameDigest::default(),
            record,
            differences,
        })
    }

    /// Offers the next row of the draw file, ascending by id.
    pub fn offer(&mut self, row: &FrameRow) -> Result<(), FrameError> {
        self.frame.add(row)?;
        let place = self.places.get(&row.stratum).copied();
        if let Some(stratum) = place.and_then(|place| self.strata.get_mut(place)) {
            return stratum.offer(row);
        }
        self.differences.push(Difference::StratumUnknown {
            id: row.id.clone(),
            stratum: row.stratum.clone(),
        });
        Ok(())
    }

    /// Compares what comes out with the record.
    pub fn finish(self) -> Redrawn {
        let Self {
            record,
            seed,
            frame,
            strata,
            mut differences,
            ..
        } = self;
        let rows = frame.count();
        let digest = frame.finish();
        if digest != record.plan.frame_digest {
            let (expected, found) = (record.plan.frame_digest, digest);
            differences.push(Difference::FrameDiffers { expected, found });
        }
        let mut items: Vec<DrawnItem> = Vec::new();
        let mut not_drawn = BTreeSet::new();
        for (planned, stratum) in record.plan.strata.iter().zip(strata) {
            stratum.totals(planned, &mut differences);
            match stratum.finish() {
                Ok(selected) => items.extend(selected.into_iter().map(|item| DrawnItem {
                    order: 0,
                    stratum: planned.name.clone(),
                    id: item.id,
                    hits: item.hits,
                    ticket: item.ticket,
                })),
                Err(error) => {
                    differences.push(Difference::stratum_not_drawn(&planned.name, &error));
                    not_drawn.insert(planned.name.as_str());
                }
            }
        }
        (1..).zip(&mut items).for_each(|(order, item)| item.order = order);
        compare(&items, &record.items, &not_drawn, &mut differences);
        let steps = steps(&record, &seed, digest, rows, items.len(), differences.len());
        Redrawn {
            method: REDRAW,
            version: REDRAW_VERSION,
            agrees: differences.is_empty(),
            assurance: record.plan.assurance,
            ceremony_checked: record.material.is_some(),
            plan_digest: record.plan.digest(),
            population_root: record.plan.population_root,
            frame_digest: digest,
            seed: seed.as_str().to_owned(),
            rows,
            items,
            differences,
            steps,
        }
    }
}

impl Stratum {
    fn new(planned: &PlannedStratum, seed: &Seed) -> Self {
        let way = match planned.selector(seed) {
            Ok(selector) if planned.method == SelectionMethod::RandomisedInterval => {
                Way::Sorted(selector, Tickets::new(seed), Vec::new())
            }
            Ok(selector) => Way::Streamed(selector),
            Err(error) => Way::Failed(error),
        };
        Self {
            monetary: planned.method.is_monetary(),
            way,
            count: 0,
            sum: 0,
        }
    }

    fn offer(&mut self, row: &FrameRow) -> Result<(), FrameError> {
        if self.monetary && row.amount.is_none() {
            return Err(FrameError::AmountMissing(row.id.clone()));
        }
        let amount = row.amount.unwrap_or(0);
        self.count += 1;
        self.sum += i128::from(amount);
        let failed = match &mut self.way {
            Way::Streamed(selector) => selector.offer(&row.id, amount).err(),
            Way::Sorted(_, tickets, rows) => {
                rows.push((tickets.of(&row.id), row.id.clone(), amount));
                None
            }
            Way::Failed(_) => None,
        };
        if let Some(error) = failed {
            self.way = Way::Failed(error);
        }
        Ok(())
    }

    /// Notes where count and sum are not those of the plan; sums only where they were drawn from.
    fn totals(&self, planned: &PlannedStratum, differences: &mut Vec<Difference>) {
        if self.count != planned.population_size {
            differences.push(Difference::CountDiffers {
                stratum: planned.name.clone(),
                planned: planned.population_size,
                found: self.count,
            });
        }
        match planned.book_value {
            Some(total) if self.monetary && i128::from(total) != self.sum => {
                differences.push(Difference::AmountDiffers {
                    stratum: planned.name.clone(),
                    planned: total,
                    found: self.sum,
                });
            }
            _ => {}
        }
    }

    fn finish(self) -> Result<Vec<Selected>, SelectionError> {
        match self.way {
            Way::Streamed(selector) => selector.finish(),
            Way::Sorted(mut selector, _, mut rows) => {
                rows.sort_unstable();
                for (_, id, amount) in rows {
                    selector.offer(&id, amount)?;
                }
                selector.finish()
            }
            Way::Failed(error) => Err(error),
        }
    }
}

/// Notes what the record has that does not come out, what comes out that it does not have, and what is
/// otherwise than it says. Strata that could not be drawn are left out.
fn compare(
    computed: &[DrawnItem],
    recorded: &[DrawnItem],
    not_drawn: &BTreeSet<&str>,
    differences: &mut Vec<Difference>,
) {
    let mut open: BTreeMap<&str, &DrawnItem> = BTreeMap::new();
    for item in recorded {
        if not_drawn.contains(item.stratum.as_str()) {
            continue;
        }
        if open.insert(&item.id, item).is_some() {
            let id = item.id.clone();
            differences.push(Difference::ItemDoubled { id });
        }
    }
    // places are comparable only where everything was drawn; otherwise by their order in each stratum
    let places = not_drawn.is_empty();
    for item in computed {
        let Some(found) = open.remove(item.id.as_str()) else {
            differences.push(Difference::ItemMissing { item: item.clone() });
            continue;
        };
        let id = || item.id.clone();
        if item.stratum != found.stratum {
            differences.push(Difference::OtherStratum {
                id: id(),
                expected: item.stratum.clone(),
                found: found.stratum.clone(),
            });
        }
        if item.ticket != found.ticket {
            differences.push(Difference::OtherTicket {
                id: id(),
                expected: item.ticket.clone(),
                found: found.ticket.clone(),
            });
        }
        if item.hits != found.hits {
            differences.push(Difference::OtherHits {
                id: id(),
                expected: item.hits,
                found: found.hits,
            });
        }
        if places && item.order != found.order {
            differences.push(Difference::OtherOrder {
                id: id(),
                expected: item.order,
                found: found.order,
            });
        }
    }
    let extra = recorded
        .iter()
        .filter(|item| open.get(item.id.as_str()).is_some_and(|left| *left == *item));
    differences.extend(extra.map(|item| Difference::ItemExtra { item: item.clone() }));
}

fn steps(
    record: &DrawRecord,
    seed: &Seed,
    digest: Bytes32,
    rows: u64,
    items: usize,
    differences: usize,
) -> Vec<Step> {
    let plan = &record.plan;
    let mut steps = vec![
        Step::new(
            "Plan: SHA-256 über seine Felder",
            "Plan: SHA-256 over its fields",
            plan.digest(),
        ),
        Step::new(
            format!(
                "Ziehungsdatei: SHA-256 über {rows} Zeilen, im Plan {}",
                plan.frame_digest
            ),
            format!(
                "Draw file: SHA-256 over {rows} rows, in the plan {}",
                plan.frame_digest
            ),
            digest,
        ),
        match &record.material {
            Some(_) => Step::new(
                "Startwert: aus den protokollierten Beiträgen und der Quelle neu gebildet",
                "Seed: formed again from the logged contributions and the source",
                seed.as_str(),
            ),
            None => Step::new(
                "Startwert: wie im Ziehungsprotokoll; wie er entstand, ist nicht geprüft",
                "Seed: as in the draw record; how it came about was not checked",
                seed.as_str(),
            ),
        },
    ];
    steps.extend(plan.strata.iter().map(|stratum| {
        let (name, algorithm, size) = (&stratum.name, stratum.method.algorithm(), stratum.size);
        Step::new(
            format!("Schicht {name}: {size} nach {algorithm}"),
            format!("Stratum {name}: {size} by {algorithm}"),
            size,
        )
    }));
    steps.push(Step::new(
        format!(
            "Neu gezogen: {items} Positionen, im Protokoll {}",
            record.items.len()
        ),
        format!("Drawn again: {items} items, in the record {}", record.items.len()),
        format!("{differences}"),
    ));
    steps
}
