//! The checked sample of monetary units, as all further methods take it, and its errors by direction.

use std::cmp::Reverse;

use num_bigint::BigInt;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Direction, Ranked, Tainting};
use crate::sampling::derivation::Text;
use crate::sampling::evaluation::{Distribution, EvaluationError, LARGEST_POPULATION, check_sample};
use crate::sampling::numerics::{divide_half_even, float};
use crate::sampling::refusal::{Located, Refused as _};

pub use crate::sampling::planning::Unit;

/// Name of the part of an input that holds the sample.
pub(super) const SAMPLE: &str = "sample";
/// Decimal places of taintings in sums.
const TAINTING_PLACES: u32 = 30;

/// A checked item that was drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MonetaryItem {
    /// Amount as booked, positive.
    pub book: i64,
    /// Correct amount; may be negative.
    pub audit: i64,
    /// How often the item was hit: every hit is a sampling unit with the item's tainting. One if not given.
    #[serde(default = "one")]
    pub hits: u64,
}

fn one() -> u64 {
    1
}

/// A checked item that was certain to be in the sample (high value): its error is known, not projected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExhaustiveItem {
    /// Amount as booked, positive.
    pub book: i64,
    /// Correct amount; may be negative.
    pub audit: i64,
}

/// A checked sample of monetary units. All amounts are whole numbers of one unit.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MonetarySample {
    /// Unit of all amounts.
    pub unit: Unit,
    /// Sum of the positive amounts that were drawn from, without those checked in full; positive.
    pub book_value: i64,
    /// Hits of the sample, 1 to [`LARGEST_SIZE`](crate::sampling::evaluation::LARGEST_SIZE).
    pub size: u64,
    /// Every item of the sample, without error too; their hits add up to `size`.
    pub items: Vec<MonetaryItem>,
    /// Items checked in full, beside the sample.
    #[serde(default)]
    pub exhaustive: Vec<ExhaustiveItem>,
    /// Confidence of each limit, between 0 and 1.
    pub confidence: Decimal,
    /// Tolerable error, positive, up to the book value with the items checked in full.
    pub tolerable: Option<i64>,
}

impl MonetarySample {
    /// Refuses what cannot be, by its place in the input of a method.
    pub(super) fn check(&self) -> Result<(), Located<EvaluationError>> {
        self.check_parts().map_err(|error| error.at(SAMPLE))
    }

    fn check_parts(&self) -> Result<(), Located<EvaluationError>> {
        let Self { book_value, size, .. } = *self;
        check_sample(self.confidence, size)?;
        if book_value <= 0 {
            return Err(EvaluationError::BookValue(book_value).into());
        }
        let mut found = 0u64;
        for (index, item) in self.items.iter().enumerate() {
            let MonetaryItem { book, hits, .. } = *item;
            let refused = |error: EvaluationError| Err(error.at(format!("items[{index}]")));
            if book <= 0 || hits == 0 {
                return refused(EvaluationError::Item { book, hits });
            }
            if book > book_value {
                return refused(EvaluationError::ItemAboveBookValue {
                    item: book,
                    book_value,
                });
            }
            found = found.saturating_add(hits);
        }
        if found != size {
            return Err(EvaluationError::HitsDiffer { size, found }.into());
        }
        if let Some((index, item)) = (0..).zip(&self.exhaustive).find(|(_, item)| item.book <= 0) {
            let place: u64 = index;
            return Err(EvaluationError::Exhaustive(item.book).at(format!("exhaustive[{place}]")));
        }
        if let Some(tolerable) = self.tolerable
            && (tolerable <= 0 || i128::from(tolerable) > i128::from(book_value) + self.exhaustive_value())
        {
            return Err(EvaluationError::Tolerable(tolerable.into()).into());
        }
        Ok(())
    }

    /// Hits on items in error, in one direction.
    pub(super) fn hits_in_error(&self, direction: Direction) -> u64 {
        let in_error = self.items.iter().filter(|item| match direction {
            Direction::Over => item.audit < item.book,
            Direction::Under => item.audit > item.book,
        });
        in_error.map(|item| item.hits).sum()
    }

    /// Monetary units as a population of the distribution.
    pub(super) fn check_population(
        &self,
        distribution: Distribution,
    ) -> Result<(), Located<EvaluationError>> {
        if distribution != Distribution::Hypergeometric {
            return Ok(());
        }
        let population = self.book_value.unsigned_abs();
        if population > LARGEST_POPULATION {
            return Err(EvaluationError::PopulationTooLarge {
                size: population,
                limit: LARGEST_POPULATION,
            }
            .into());
        }
        if self.size > population {
            return Err(EvaluationError::SizeAboveBookValue {
                size: self.size,
                book_value: population,
            }
            .at(SAMPLE));
        }
        Ok(())
    }

    /// Book value of the items checked in full.
    pub(super) fn exhaustive_value(&self) -> i128 {
        self.exhaustive.iter().map(|item| i128::from(item.book)).sum()
    }

    /// Error of the items checked in full, in one direction.
    pub(super) fn exhaustive_error(&self, direction: Direction) -> i128 {
        self.exhaustive
            .iter()
            .map(|item| i128::from(item.book) - i128::from(item.audit))
            .map(|error| match direction {
                Direction::Over => error.max(0),
                Direction::Under => (-error).max(0),
            })
            .sum()
    }

    pub(super) fn errors(&self, direction: Direction) -> Errors {
        let mut ranked: Vec<Ranked> = self
            .items
            .iter()
            .filter_map(|item| {
                let tainting = Tainting {
                    book_cents: item.book,
                    audit_cents: item.audit,
                    hits: item.hits,
                };
                Ranked::new(&tainting, direction)
            })
            .collect();
        ranked.sort_unstable_by(|left, right| Reverse(left).cmp(&Reverse(right)));
        let mut groups: Vec<Group> = Vec::new();
        let mut last: Option<Ranked> = None;
        let one = BigInt::from(10u128.pow(TAINTING_PLACES));
        for item in &ranked {
            match (groups.last_mut(), last) {
                (Some(group), Some(before)) if before == *item => group.hits += item.hits,
                _ => {
                    #[expect(clippy::cast_precision_loss, reason = "the nearest float is wanted")]
                    let rounded = item.error as f64 / item.book as f64;
                    groups.push(Group {
                        hits: item.hits,
                        tainting: divide_half_even(&(&one * item.error), &item.book.into()),
                        rounded,
                    });
                }
            }
            last = Some(*item);
        }
        Errors {
            items: u64::try_from(ranked.len()).unwrap_or(u64::MAX),
            hits: ranked.iter().map(|item| item.hits).sum(),
            known: ranked.iter().fold(0, |sum, item| sum + item.error),
            sum: groups.iter().map(|group| &group.tainting * group.hits).sum(),
            groups,
            size: self.size,
            book_value: self.book_value,
        }
    }

    /// What is more likely a mistake in the input than a result.
    pub(super) fn warnings(&self) -> Vec<Text> {
        let mut warnings = Vec::new();
        let differing = || {
            let sampled = self.items.iter().map(|item| (item.book, item.audit));
            sampled
                .chain(self.exhaustive.iter().map(|item| (item.book, item.audit)))
                .filter(|(book, audit)| book != audit)
        };
        let count = differing().count();
        let several = count >= 3;
        if several && differing().all(|(book, audit)| audit > book) {
            warnings.push(Text::new(
                "In jeder fehlerhaften Position liegt der richtige Betrag über dem gebuchten: Sind die \
                 beiden Spalten vertauscht?",
                "In every item in error the correct amount exceeds the booked one: have the two columns \
                 changed places?",
            ));
        }
        if several && count == self.items.len() + self.exhaustive.len() {
            warnings.push(Text::new(
                "Jede geprüfte Position ist fehlerhaft: Gehören gebuchte und richtige Beträge zusammen?",
                "Every item checked is in error: do booked and correct amounts belong together?",
            ));
        }
        let hundredfold = |a: i64, b: i64| a != 0 && i128::from(a) * 100 == i128::from(b);
        if several && differing().all(|(b, a)| hundredfold(b, a) || hundredfold(a, b)) {
            warnings.push(Text::new(
                "Gebuchte und richtige Beträge unterscheiden sich um das Hundertfache: Steht eine Spalte \
                 in Euro, die andere in Cent?",
                "Booked and correct amounts differ by a factor of 100: is one column in euros, the other \
                 in cents?",
            ));
        }
        if self.items.iter().any(|item| excess(item.book, item.audit)) {
            warnings.push(Text::new(
                "Mindestens ein Fehler übersteigt den gebuchten Betrag (Tainting über 1).",
                "At least one error exceeds the booked amount (tainting above 1).",
            ));
        }
        let certain = |item: &MonetaryItem| {
            i128::from(item.book) * i128::from(self.size) >= i128::from(self.book_value)
        };
        if self.size > 1 && self.items.iter().any(certain) {
            warnings.push(Text::new(
                "Mindestens eine gezogene Position erreicht das Auswahlintervall; bei fester Auswahl mit \
                 Intervall war sie sicher in der \
                 Stichprobe und gehört zu den voll geprüften.",
                "At least one item drawn reaches the sampling interval; with fixed intervals it was \
                 certain to be drawn and \
                 belongs to those checked in full.",
            ));
        }
        let drawn: i128 = self.items.iter().map(|item| i128::from(item.book)).sum();
        if drawn > i128::from(self.book_value) {
            warnings.push(Text::new(
                "Die gezogenen Positionen sind zusammen größer als der Buchwert, aus dem sie gezogen \
                 wurden: Stehen Positionen doppelt in \
                 der Liste?",
                "The items drawn exceed the book value they were drawn from: are there items twice in \
                 the list?",
            ));
        }
        warnings
    }
}

/// Whether the error exceeds the booked amount.
fn excess(book: i64, audit: i64) -> bool {
    (i128::from(book) - i128::from(audit)).abs() > i128::from(book)
}

/// Hits with the same tainting.
pub(super) struct Group {
    /// Hits.
    pub(super) hits: u64,
    /// The tainting with 30 places, half to even.
    pub(super) tainting: BigInt,
    /// The tainting as the nearest float.
    pub(super) rounded: f64,
}

/// The errors of a sample in one direction, largest tainting first.
pub(super) struct Errors {
    /// Items in error.
    pub(super) items: u64,
    /// Hits on them.
    pub(super) hits: u64,
    /// Sum of the errors, each item once.
    pub(super) known: u128,
    /// Sum of the taintings over the hits, with 30 places.
    pub(super) sum: BigInt,
    /// Hits by tainting.
    pub(super) groups: Vec<Group>,
    /// Hits of the sample.
    pub(super) size: u64,
    /// Book value that was drawn from.
    pub(super) book_value: i64,
}

impl Errors {
    /// One, as taintings are written.
    pub(super) fn one() -> BigInt {
        BigInt::from(10u128.pow(TAINTING_PLACES))
    }

    /// The largest tainting, at least one.
    pub(super) fn largest(&self) -> BigInt {
        let one = Self::one();
        match self.groups.first() {
            Some(group) if group.tainting > one => group.tainting.clone(),
            _ => one,
        }
    }

    /// The largest tainting as a float, at least one.
    pub(super) fn largest_float(&self) -> f64 {
        self.groups.first().map_or(1.0, |group| group.rounded.max(1.0))
    }

    /// Sum of the taintings to a power.
    pub(super) fn power_sum(&self, power: i32) -> f64 {
        self.groups
            .iter()
            .map(|group| float(group.hits) * group.rounded.powi(power))
            .sum()
    }

    /// Book value as a float.
    pub(super) fn book(&self) -> f64 {
        float(self.book_value.unsigned_abs())
    }
}

/// A tainting with 30 places as a decimal with twelve, half to even.
pub(super) fn shown_tainting(tainting: &BigInt) -> String {
    let scaled = divide_half_even(tainting, &BigInt::from(10u64.pow(TAINTING_PLACES - 12)));
    i128::try_from(scaled)
        .ok()
        .and_then(|scaled| Decimal::try_from_i128_with_scale(scaled, 12).ok())
        .map_or_else(String::new, |tainting| tainting.normalize().to_string())
}
