//! Comparison of a population with a control total from an independent source (HKR statement, booking journal, payment run,
//! register of decisions): count and sum per fund, Bezirksstelle and month, and of all lines per Bezirksstelle and month.
//!
//! A line without money has a part in no fund. Only a cell of all lines counts it, so only that cell shows that a refusal
//! is missing from the extract. A control total that holds one such cell speaks of all lines: those it lacks count as
//! empty. One that holds none says nothing about lines without money, which is enough where a source knows payments only
//! (see [`needs_all_lines`]).

use std::collections::BTreeMap;

use chrono::NaiveDate;
use uuid::Uuid;

use entity::Fund;
use entity::population::Unit;

/// What stands for the fund in the name of a cell of all lines.
pub const ALL_LINES: &str = "ALL";

/// Whether a control total of such items has to speak of all lines: decisions and procedures may end without money, and
/// a refusal that is missing is what an audit must not overlook. A payment or case month is there because money is.
pub const fn needs_all_lines(unit: Unit) -> bool {
    match unit {
        Unit::Decision | Unit::Procedure => true,
        Unit::CaseMonth | Unit::Payment => false,
    }
}

/// Where a line is counted. The order of the fields is the canonical order of cells: fund, all lines first, then
/// Bezirksstelle by the bytes of its id, then month, lines without a month first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cell {
    /// Who bears the money; none in a cell of all lines.
    pub fund: Option<Fund>,
    /// Id of the Bezirksstelle.
    pub bezirksstelle_id: Uuid,
    /// First day of the month.
    pub month: Option<NaiveDate>,
}

/// Count and sum of some lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Number of lines.
    pub count: u64,
    /// Sum in cents.
    pub sum: i64,
}

/// The sum does not fit into 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the sum of the amounts is too large")]
pub struct SumOverflow;

impl Tally {
    /// Counts a line.
    pub fn add(&mut self, cents: i64) -> Result<(), SumOverflow> {
        self.sum = self.sum.checked_add(cents).ok_or(SumOverflow)?;
        self.count += 1;
        Ok(())
    }
}

/// Tallies by cell, in canonical order. A missing cell is one without lines.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cells(pub BTreeMap<Cell, Tally>);

impl Cells {
    /// Counts a line among all lines, and in the cell of every fund that has a share in it: a line split over two funds is
    /// counted in both, a line without money in none (see [`Parts`]).
    pub fn add(
        &mut self,
        bezirksstelle_id: Uuid,
        month: Option<NaiveDate>,
        funds: [i64; 4],
    ) -> Result<(), SumOverflow> {
        let mut add = |fund, cents| {
            let cell = Cell {
                fund,
                bezirksstelle_id,
                month,
            };
            self.0.entry(cell).or_default().add(cents)
        };
        let amount = funds
            .iter()
            .try_fold(0_i64, |sum, share| sum.checked_add(*share))
            .ok_or(SumOverflow)?;
        add(None, amount)?;
        for (fund, share) in Fund::ALL.iter().copied().zip(funds) {
            if share != 0 {
                add(Some(fund), share)?;
            }
        }
        Ok(())
    }

    /// Whether a control total with these cells speaks of all lines.
    pub fn speak_of_all_lines(&self) -> bool {
        self.0.keys().any(|cell| cell.fund.is_none())
    }

    fn get(&self, cell: &Cell) -> Tally {
        self.0.get(cell).copied().unwrap_or_default()
    }
}

/// A cell in which control total and population differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Difference {
    /// The cell.
    pub cell: Cell,
    /// What the control total says.
    pub expected: Tally,
    /// What the population has.
    pub actual: Tally,
}

/// All differences in canonical order. Cells of all lines are compared where the control total speaks of all lines.
pub fn compare(expected: &Cells, actual: &Cells) -> Vec<Difference> {
    let all_lines = expected.speak_of_all_lines();
    let mut cells: Vec<&Cell> = expected.0.keys().chain(actual.0.keys()).collect();
    cells.retain(|cell| all_lines || cell.fund.is_some());
    cells.sort_unstable();
    cells.dedup();
    cells
        .into_iter()
        .map(|cell| Difference {
            cell: *cell,
            expected: expected.get(cell),
            actual: actual.get(cell),
        })
        .filter(|difference| difference.expected != difference.actual)
        .collect()
}

/// Lines by the sign of their amount: zero and negative ones are not drawn like the others and are shown apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Parts {
    /// Lines above zero.
    pub positive: Tally,
    /// Lines of zero.
    pub zero: Tally,
    /// Lines below zero.
    pub negative: Tally,
}

impl Parts {
    /// Counts a line.
    pub fn add(&mut self, amount: i64) -> Result<(), SumOverflow> {
        match amount.signum() {
            1 => self.positive.add(amount),
            0 => self.zero.add(0),
            _ => self.negative.add(amount),
        }
    }

    /// Number of all lines.
    pub fn count(&self) -> u64 {
        self.positive.count + self.zero.count + self.negative.count
    }

    /// Sum of all lines. It fits whenever its two parts do: they have opposite signs.
    pub fn sum(&self) -> i64 {
        self.positive.sum + self.negative.sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn month(number: u32) -> Option<NaiveDate> {
        NaiveDate::from_ymd_opt(2025, number, 1)
    }

    #[test]
    fn a_split_line_counts_for_each_fund_with_a_share_and_every_line_among_all() {
        let place = Uuid::from_u128(1);
        let mut cells = Cells::default();
        cells.add(place, month(1), [500, 300, 0, 0]).unwrap();
        cells.add(place, month(1), [-500, 0, 0, 0]).unwrap();
        cells.add(place, month(1), [0; 4]).unwrap();
        let found: Vec<_> = cells
            .0
            .iter()
            .map(|(cell, tally)| (cell.fund, tally.count, tally.sum))
            .collect();
        assert_eq!(
            found,
            [
                (None, 3, 300),
                (Some(Fund::Bund), 2, 0),
                (Some(Fund::Kommune), 1, 300)
            ]
        );
    }

    #[test]
    fn a_missing_refusal_shows_among_all_lines_only() {
        let place = Uuid::from_u128(1);
        let (mut register, mut extract) = (Cells::default(), Cells::default());
        for cells in [&mut register, &mut extract] {
            cells.add(place, month(1), [500, 0, 0, 0]).unwrap();
        }
        register.add(place, month(1), [0; 4]).unwrap();
        register.add(place, month(2), [0; 4]).unwrap();
        let found: Vec<_> = compare(&register, &extract)
            .into_iter()
            .map(|found| {
                (
                    found.cell.fund,
                    found.cell.month,
                    found.expected.count,
                    found.actual.count,
                )
            })
            .collect();
        assert_eq!(found, [(None, month(1), 2, 1), (None, month(2), 1, 0)]);

        let funds_only = Cells(
            register
                .0
                .iter()
                .filter(|(cell, _)| cell.fund.is_some())
                .map(|(cell, tally)| (*cell, *tally))
                .collect(),
        );
        assert!(!funds_only.speak_of_all_lines());
        assert_eq!(compare(&funds_only, &extract), []);
        // One such cell speaks for all: what it does not name it says is not there.
        let mut one = funds_only;
        let (cell, tally) = register.0.iter().next_back().unwrap();
        assert_eq!(cell.fund, Some(Fund::Bund));
        one.0.insert(
            Cell {
                fund: None,
                month: month(3),
                ..*cell
            },
            *tally,
        );
        assert_eq!(
            compare(&one, &extract)
                .iter()
                .map(|found| found.cell.month)
                .collect::<Vec<_>>(),
            [month(1), month(3)]
        );
    }

    #[test]
    fn differences_in_canonical_order() {
        let (a, b) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let (mut expected, mut actual) = (Cells::default(), Cells::default());
        for (place, at, funds) in [
            (b, month(2), [0, 7, 0, 0]),
            (a, None, [5, 0, 0, 0]),
            (a, month(1), [1, 1, 0, 0]),
        ] {
            expected.add(place, at, funds).unwrap();
        }
        for (place, at, funds) in [
            (b, month(1), [0, 7, 0, 0]),
            (a, None, [5, 0, 0, 0]),
            (a, month(1), [1, 2, 0, 0]),
        ] {
            actual.add(place, at, funds).unwrap();
        }
        let found: Vec<_> = compare(&expected, &actual)
            .into_iter()
            .map(|found| {
                (
                    found.cell.bezirksstelle_id,
                    found.cell.month,
                    found.expected.sum,
                    found.actual.sum,
                )
            })
            .collect();
        let by_fund = [(a, month(1), 1, 2), (b, month(1), 0, 7), (b, month(2), 7, 0)];
        let all_lines = [(a, month(1), 2, 3), (b, month(1), 0, 7), (b, month(2), 7, 0)];
        assert_eq!(found, [all_lines, by_fund].concat());
        assert_eq!(compare(&actual, &actual), []);
    }

    #[test]
    fn overflow_is_an_answer() {
        let mut parts = Parts::default();
        parts.add(i64::MAX).unwrap();
        assert_eq!(parts.add(1), Err(SumOverflow));
        parts.add(i64::MIN).unwrap();
        assert_eq!((parts.count(), parts.sum()), (2, -1));
    }

    proptest! {
        #[test]
        fn the_order_of_lines_does_not_matter(lines in proptest::collection::vec((0_u128..3, proptest::option::of(1_u32..4), proptest::array::uniform4(-3_i64..4)), 0..40)) {
            let tally = |lines: &mut dyn Iterator<Item = &(u128, Option<u32>, [i64; 4])>| {
                let mut cells = Cells::default();
                for (place, at, funds) in lines {
                    cells.add(Uuid::from_u128(*place), at.and_then(month), *funds).unwrap();
                }
                cells
            };
            let (forward, backward) = (tally(&mut lines.iter()), tally(&mut lines.iter().rev()));
            prop_assert_eq!(compare(&forward, &backward), []);
            let sum = |all_lines: bool| forward.0.iter().filter(|(cell, _)| cell.fund.is_none() == all_lines).map(|(_, tally)| tally.sum).sum::<i64>();
            let money = lines.iter().flat_map(|line| line.2).sum::<i64>();
            prop_assert_eq!((sum(true), sum(false)), (money, money));
            let counted = forward.0.iter().filter(|(cell, _)| cell.fund.is_none()).map(|(_, tally)| tally.count).sum::<u64>();
            prop_assert_eq!(counted, lines.len() as u64);
        }
    }
}
