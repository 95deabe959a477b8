//! Planning by the cell bound: the first size at which the bound of the expected taintings stays below the tolerable error.
//!
//! A sample of `n` hits that projects to the expected error has taintings of `k = n AE/BV` in all. They are planned as `f =
//! floor(k)` full errors and one of the rest `r`. The bound is then that of
//! [`cell_bound`](crate::sampling::evaluation::monetary::cell_bound): with `U(j)` the upper limit for `j` errors in whole units
//! and `SI = BV/n`, the larger of `max over j up to f of U(j) + (f - j) SI`, plus `SI r` (load and spread), and `U(f + 1) k/(f +
//! 1)` (simple spread).
//!
//! Sources: D. Leslie, A. Teitlebaum, R. Anderson, Dollar-Unit Sampling (1979); L. Hoogduin's package `FSaudit` for the
//! planned taintings. That one stops where the bound does not exceed the tolerable error, and always takes the hypergeometric
//! distribution; here the bound lies below it, as the conclusion "not material" demands.

use num_bigint::BigInt;
use rust_decimal::Decimal;

use super::{Checked, share};
use crate::sampling::derivation::Step;
use crate::sampling::evaluation::Distribution;
use crate::sampling::evaluation::monetary::UpperLimits;
use crate::sampling::numerics::{Fraction, first_true};
use crate::sampling::planning::attribute::first_index;
use crate::sampling::planning::exact::german;
use crate::sampling::planning::{LARGEST_MONETARY_SIZE, SizeError};

/// Numbers of full errors that are looked back over, where rounding to whole units lets an earlier one suffice.
const WINDOW: u64 = 8;

/// The first size, with its derivation.
pub(super) fn cell_size(
    plan: &Checked,
    distribution: Distribution,
    steps: &mut Vec<Step>,
) -> Result<u64, SizeError> {
    let search = Search {
        plan,
        distribution,
        limit: plan.book.min(LARGEST_MONETARY_SIZE),
    };
    let beyond = SizeError::SampleLargerThanPopulation(search.limit);
    let most = search.full_errors(search.limit);
    let found = first_index(most, WINDOW, |errors| search.block(errors).is_some());
    let size = found.and_then(|errors| search.block(errors)).ok_or(beyond)?;
    search.tell(size, steps);
    Ok(size)
}

struct Search<'a> {
    plan: &'a Checked,
    distribution: Distribution,
    limit: u64,
}

impl Search<'_> {
    /// Full errors planned among so many hits.
    fn full_errors(&self, size: u64) -> u64 {
        let full = u128::from(self.plan.expected) * u128::from(size) / u128::from(self.plan.book);
        u64::try_from(full).unwrap_or(u64::MAX)
    }

    /// The first size that is planned with so many full errors.
    fn first_with(&self, errors: u64) -> u64 {
        match (errors, self.plan.expected) {
            (0, _) => 1,
            (_, 0) => u64::MAX,
            (errors, expected) => {
                let units = u128::from(errors) * u128::from(self.plan.book);
                u64::try_from(units.div_ceil(u128::from(expected))).unwrap_or(u64::MAX)
            }
        }
    }

    /// The first size with so many full errors that suffices. Among these the loaded limit falls with the size, and the
    /// simple spread does not.
    fn block(&self, errors: u64) -> Option<u64> {
        let first = self.first_with(errors);
        let last = (self.first_with(errors + 1) - 1).min(self.limit);
        if first > last || !self.at(first).spread_suffices() || !self.at(last).load_suffices() {
            return None;
        }
        let size = first_true(first, last, |size| self.at(size).load_suffices());
        self.at(size).suffices().then_some(size)
    }

    fn at(&self, size: u64) -> Planned<'_> {
        let errors = self.full_errors(size);
        let units = i128::from(self.plan.expected) * i128::from(size);
        Planned {
            plan: self.plan,
            size,
            errors,
            rest: units - i128::from(errors) * i128::from(self.plan.book),
            limits: UpperLimits::new(
                self.distribution,
                size,
                self.plan.book,
                Decimal::ONE - self.plan.confidence,
            ),
        }
    }

    fn tell(&self, size: u64, steps: &mut Vec<Step>) {
        let at = self.at(size);
        let (book, expected) = (self.plan.book, self.plan.expected);
        let (full, rest) = (at.errors, at.rest_tainting().decimal(12));
        let planned = share(expected, book).times(&Fraction::from(size));
        steps.push(Step::new(
            format!("Eingeplante Taintings: k = n · AE/BV = {size} · {expected}/{book}, also {full} volle Fehler und ein Rest r"),
            format!("Planned taintings: k = n · AE/BV = {size} · {expected}/{book}, that is {full} full errors and a rest r"),
            planned.decimal(12),
        ));
        steps.push(Step::new(
            format!("U({full}): Obergrenze für {full} Fehler unter {size} Treffern mal BV = {book}, auf ganze Einheiten aufgerundet"),
            format!("U({full}): upper limit for {full} errors among {size} hits times BV = {book}, rounded up to whole units"),
            at.limits.at(full),
        ));
        let loaded = at.loaded().decimal(6);
        steps.push(Step::new(
            format!(
                "Laden: größter Wert aus U(j) + ({full} − j) · SI für j bis {full}, plus SI · r mit SI = {book}/{size} und r = {}",
                german(&rest)
            ),
            format!(
                "Load: largest of U(j) + ({full} − j) · SI for j up to {full}, plus SI · r with SI = {book}/{size} and r = {rest}"
            ),
            loaded,
        ));
        if let Some(spread) = at.spread() {
            let (next, above) = (full + 1, at.limits.at(full + 1));
            steps.push(Step::new(
                format!("Verteilen: U({next}) · k/{next} mit U({next}) = {above}"),
                format!("Spread: U({next}) · k/{next} with U({next}) = {above}"),
                spread.decimal(6),
            ));
        }
        let tolerable = self.plan.tolerable;
        steps.push(Step::new(
            format!("Zellengrenze: der größere der beiden Werte, kleiner als TE = {tolerable}"),
            format!("Cell bound: the larger of both, below TE = {tolerable}"),
            at.bound().decimal(6),
        ));
        if size > 1 {
            let before = size - 1;
            steps.push(Step::new(
                format!(
                    "Zum Vergleich die Zellengrenze bei n = {before}, nicht kleiner als TE = {tolerable}"
                ),
                format!("For comparison the cell bound at n = {before}, not below TE = {tolerable}"),
                self.at(before).bound().decimal(6),
            ));
        }
    }
}

/// The planned result of a size.
struct Planned<'a> {
    plan: &'a Checked,
    size: u64,
    /// Full errors.
    errors: u64,
    /// What is left of the taintings, in parts of the book value.
    rest: i128,
    limits: UpperLimits,
}

impl Planned<'_> {
    fn rest_tainting(&self) -> Fraction {
        Fraction::new(self.rest, self.plan.book)
    }

    fn interval(&self) -> Fraction {
        share(self.plan.book, self.size)
    }

    /// `U(j) + (f - j) SI` of the `j` at which it is largest: it rises with `j` and then falls.
    fn full(&self) -> Fraction {
        let staged = |errors: u64| {
            let loads = Fraction::from(self.errors - errors).times(&self.interval());
            Fraction::from(self.limits.at(errors)).plus(&loads)
        };
        let last = staged(self.errors);
        if self.errors == 0 || staged(self.errors - 1) <= last {
            return last;
        }
        let peak = first_true(0, self.errors - 1, |errors| staged(errors + 1) < staged(errors));
        staged(peak)
    }

    fn loaded(&self) -> Fraction {
        self.full().plus(&self.interval().times(&self.rest_tainting()))
    }

    /// None without a rest.
    fn spread(&self) -> Option<Fraction> {
        let next = self.errors + 1;
        (self.rest > 0).then(|| {
            let taintings = BigInt::from(self.plan.expected) * self.size;
            Fraction::new(
                taintings * self.limits.at(next),
                BigInt::from(self.plan.book) * next,
            )
        })
    }

    fn bound(&self) -> Fraction {
        let loaded = self.loaded();
        self.spread().map_or(loaded.clone(), |spread| spread.max(loaded))
    }

    fn load_suffices(&self) -> bool {
        self.loaded() < Fraction::from(self.plan.tolerable)
    }

    fn spread_suffices(&self) -> bool {
        self.spread()
            .is_none_or(|spread| spread < Fraction::from(self.plan.tolerable))
    }

    fn suffices(&self) -> bool {
        self.load_suffices() && self.spread_suffices()
    }
}
