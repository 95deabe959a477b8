//! Checked items beside what was found in them.

use std::collections::{HashMap, HashSet};

use entity::check_answer::{self, Dimension};
use entity::item_check::{self, ErrorClass};
use entity::{BezirksstelleId, Cents, CheckId, ItemId, SampleId, SampleItemId, StratumId, sample_item};
use sea_orm::{ColumnTrait, EntityTrait, FromQueryResult, QueryFilter};
use uuid::Uuid;

use crate::check::{current_versions, failed};
use crate::db::among;
use crate::sampling::of_sample::CheckedItem;
use crate::{Db, Error, Result};

/// Ids of one statement.
const AT_ONCE: usize = 500;

/// A drawn item, as far as figures need it.
#[derive(Debug, FromQueryResult)]
pub(super) struct Drawn {
    pub(super) id: SampleItemId,
    pub(super) item_id: ItemId,
    pub(super) sample_id: SampleId,
    pub(super) stratum_id: StratumId,
    pub(super) bezirksstelle_id: BezirksstelleId,
    pub(super) hits: i64,
    pub(super) amount_cents: Cents,
    pub(super) state: sample_item::State,
    pub(super) own_staff: bool,
}

/// A checked item beside what was found.
#[derive(Clone, Debug)]
pub(super) struct Unit {
    pub(super) id: SampleItemId,
    pub(super) item: ItemId,
    /// The case it is a line of, where cases were drawn.
    pub(super) case: Option<Uuid>,
    pub(super) sample: SampleId,
    pub(super) stratum: StratumId,
    pub(super) bezirksstelle: BezirksstelleId,
    /// A case with lines of several Bezirksstellen: it is no one's.
    pub(super) of_several: bool,
    pub(super) hits: u64,
    pub(super) book: Cents,
    pub(super) correct: Cents,
    pub(super) class: ErrorClass,
    pub(super) error: bool,
}

impl Unit {
    /// An item that cannot be checked: in error with its full amount (ISA 530, paragraph 11).
    pub(super) fn not_evidenced(item: &Drawn) -> Self {
        Self {
            id: item.id,
            item: item.item_id,
            case: None,
            sample: item.sample_id,
            stratum: item.stratum_id,
            bezirksstelle: item.bezirksstelle_id,
            of_several: false,
            hits: u64::try_from(item.hits).unwrap_or(0),
            book: item.amount_cents,
            correct: Cents(0),
            class: ErrorClass::NotEvidenced,
            error: true,
        }
    }

    /// What is right: the booked amount where it is not in error.
    pub(super) const fn audited(&self) -> Cents {
        if self.error { self.correct } else { self.book }
    }

    /// As the methods of evaluation take it.
    pub(super) fn for_methods(&self) -> CheckedItem {
        CheckedItem {
            id: self.item.0.to_string(),
            cluster: self.case.map(|case| case.to_string()),
            book: self.book.0,
            audit: self.audited().0,
            hits: self.hits,
            systemic: 0,
            anomalous: 0,
        }
    }
}

/// What was found in each of the items, which are all checked.
pub(super) async fn units(db: &Db, items: Vec<Drawn>, dimension: Option<Dimension>) -> Result<Vec<Unit>> {
    let mut units = Vec::with_capacity(items.len());
    for chunk in items.chunks(AT_ONCE) {
        let mut checks: HashMap<SampleItemId, Vec<item_check::Model>> = HashMap::new();
        let rows = item_check::Entity::visible_to(&entity::Scope::Everything)
            .filter(among(
                db.reader(),
                item_check::Column::SampleItemId,
                chunk.iter().map(|item| item.id),
            ))
            .all(db.reader())
            .await?;
        for row in rows {
            checks.entry(row.sample_item_id).or_default().push(row);
        }
        let failing = match dimension {
            Some(dimension) => Some(failing(db, &checks, dimension).await?),
            None => None,
        };
        for item in chunk {
            let current = current_versions(checks.get(&item.id).map_or(&[], Vec::as_slice));
            let first = *current
                .first()
                .ok_or_else(|| Error::internal("an item counts as checked and has no check"))?;
            let error = match &failing {
                // Whoever of two testers found the attribute wanting is enough.
                Some(failing) => current.iter().any(|check| failing.contains(&check.id)),
                None => first.error_class != ErrorClass::None,
            };
            units.push(Unit {
                id: item.id,
                item: item.item_id,
                case: None,
                sample: item.sample_id,
                stratum: item.stratum_id,
                bezirksstelle: item.bezirksstelle_id,
                of_several: false,
                hits: u64::try_from(item.hits).unwrap_or(0),
                book: item.amount_cents,
                correct: first
                    .correct()
                    .total()
                    .ok_or_else(|| Error::internal("a correct amount overflows"))?,
                class: first.error_class,
                error,
            });
        }
    }
    Ok(units)
}

/// Checks with an attribute of the dimension that is not met or not evidenced.
async fn failing(
    db: &Db,
    checks: &HashMap<SampleItemId, Vec<item_check::Model>>,
    dimension: Dimension,
) -> Result<HashSet<CheckId>> {
    let current: Vec<CheckId> = checks
        .values()
        .flat_map(|checks| current_versions(checks))
        .map(|check| check.id)
        .collect();
    let mut failing = HashSet::new();
    for chunk in current.chunks(AT_ONCE) {
        let answers = check_answer::Entity::find()
            .filter(among(
                db.reader(),
                check_answer::Column::CheckId,
                chunk.iter().copied(),
            ))
            .filter(check_answer::Column::Dimension.eq(dimension))
            .all(db.reader())
            .await?;
        failing.extend(
            answers
                .iter()
                .filter(|answer| failed(answer.answer))
                .map(|answer| answer.check_id),
        );
    }
    Ok(failing)
}
