//! Where cases were drawn: all lines of one as one sampling unit.

use std::collections::{HashMap, HashSet};

use entity::{Cents, ItemId};
use uuid::Uuid;

use super::units::{Drawn, Unit};
use crate::sample::unit;
use crate::{Code, Db, Error, Result};

/// Gives each line its case, and returns the cases whose lines are all checked, in draw order. A case is in error where one of its
/// lines is; its amounts are the sums of its lines; its kind of error is that of the first line in error. Figures of
/// Bezirksstellen leave out cases with lines of several.
pub(super) async fn cases(db: &Db, lines: &mut [Unit], open: &[Drawn]) -> Result<Vec<Unit>> {
    let ids: Vec<ItemId> = lines
        .iter()
        .map(|line| line.item)
        .chain(open.iter().map(|item| item.item_id))
        .collect();
    let keys = unit::Unit::Cluster.of_items(db, &ids).await?;
    let key = |id: &ItemId| *keys.get(id).unwrap_or(&id.0);
    let unfinished: HashSet<Uuid> = open.iter().map(|item| key(&item.item_id)).collect();
    let mut places: HashMap<Uuid, usize> = HashMap::new();
    let mut cases: Vec<Unit> = Vec::new();
    for line in lines {
        let case = key(&line.item);
        line.case = Some(case);
        if unfinished.contains(&case) {
            continue;
        }
        if let Some(unit) = places.get(&case).and_then(|place| cases.get_mut(*place)) {
            unit.add(&line.as_found())?;
        } else {
            places.insert(case, cases.len());
            cases.push(line.as_found());
        }
    }
    Ok(cases)
}

impl Unit {
    /// The same with its book value as correct where it is not in error.
    fn as_found(&self) -> Self {
        Self {
            correct: self.audited(),
            ..self.clone()
        }
    }

    fn add(&mut self, line: &Self) -> Result<()> {
        let sum = |a: Cents, b: Cents| a.0.checked_add(b.0).map(Cents);
        let overflow = || Error::refused(Code::AmountOverflow, "input.id");
        self.book = sum(self.book, line.book).ok_or_else(overflow)?;
        self.correct = sum(self.correct, line.correct).ok_or_else(overflow)?;
        self.of_several |= line.bezirksstelle != self.bezirksstelle;
        if line.error && !self.error {
            (self.error, self.class) = (true, line.class);
        }
        Ok(())
    }
}
