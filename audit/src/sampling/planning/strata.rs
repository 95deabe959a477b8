//! Where to cut a population into strata by amount.
//!
//! - Cumulative root of frequencies (Dalenius and Hodges 1959): classes of equal width over the exact
//!   amounts, a class being `ceil((x - min) * J / (max - min))`; cut so that the sums of `sqrt(f)` are as
//!   equal as possible, by least squares over all cuts between classes.
//! - Equal book value: items by amount, cumulated; a stratum is `floor(cumulated * L / total) + 1`.
//!
//! Equal amounts are always in one stratum, and the order of the rows does not matter. Amounts are whole
//! units above zero: items of zero or below are populations of their own.

use num_bigint::BigInt;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SizeError;
use super::exact::{Unit, german, nearest};
use crate::sampling::derivation::{Step, Text, missing_amounts, outside_the_population};
use crate::sampling::numerics::{Fraction, float};
use crate::sampling::refusal::{Located, Refused as _};

/// Version of both methods.
pub const STRATA_VERSION: &str = "1";
/// Most strata.
const MOST_STRATA: u64 = 50;
/// Most classes.
const MOST_CLASSES: u64 = 2_000;

/// What a population is cut by.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "StratificationInput")]
pub struct StrataInput {
    /// Unit of the amounts.
    pub unit: Unit,
    /// Amounts of all items, above zero.
    pub amounts: Vec<i64>,
    /// Strata, 2 to 50.
    pub strata: u64,
    /// Classes of the cumulative root method, more than strata, up to 2,000; none for equal book value.
    pub classes: Option<u64>,
}

/// A stratum by amount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AmountStratum {
    /// Smallest amount in it.
    pub lowest: i64,
    /// Largest amount in it: an item belongs to the first stratum whose largest amount is not below its own.
    pub highest: i64,
    /// Its items.
    pub items: u64,
    /// Its book value.
    pub book_value: i64,
    /// Standard deviation of the amounts with `n - 1` below, to six places; none for a single item.
    pub deviation: Option<Decimal>,
    /// Sum of the roots of its class frequencies, to six places, where the method has classes.
    pub roots: Option<Decimal>,
}

/// Strata by amount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Strata {
    /// Method id.
    pub method: &'static str,
    /// Version of the method.
    pub version: &'static str,
    /// Unit of the amounts.
    pub unit: Unit,
    /// The strata, ascending; fewer than asked for where the amounts are too alike.
    pub strata: Vec<AmountStratum>,
    /// How they came about.
    pub steps: Vec<Step>,
    /// What the method cannot find.
    pub cannot_find: Vec<Text>,
}

/// Cuts by the cumulative root of frequencies.
pub fn strata_by_root(input: &StrataInput) -> Result<Strata, Located<SizeError>> {
    let (sorted, _) = check(input)?;
    let classes = input.classes.ok_or(SizeError::Required("classes"))?;
    if classes <= input.strata || classes > MOST_CLASSES {
        return Err(SizeError::Count {
            field: "classes",
            value: classes,
        }
        .into());
    }
    let (lowest, highest) = ends(&sorted);
    let width = i128::from(highest) - i128::from(lowest);
    let class_of = |amount: i64| {
        let product = (i128::from(amount) - i128::from(lowest)) * i128::from(classes);
        let class = product
            .unsigned_abs()
            .div_ceil(width.unsigned_abs().max(1))
            .max(1);
        usize::try_from(class - 1).unwrap_or(usize::MAX)
    };
    let mut frequencies = vec![0u64; usize::try_from(classes).unwrap_or_default()];
    for amount in &sorted {
        if let Some(count) = frequencies.get_mut(class_of(*amount)) {
            *count += 1;
        }
    }
    let cuts = cut_by_roots(&frequencies, input.strata);
    let mut steps = vec![Step::new(
        format!("Klassenbreite: ({highest} − {lowest}) / {classes}"),
        format!("Class width: ({highest} − {lowest}) / {classes}"),
        Fraction::from(highest)
            .minus(&Fraction::from(lowest))
            .over(&Fraction::from(classes))
            .map_or(Decimal::ZERO, |width| width.decimal(6)),
    )];
    let total: f64 = frequencies.iter().map(|count| float(*count).sqrt()).sum();
    steps.push(Step::new(
        format!(
            "Summe der Wurzeln der Häufigkeiten, je Schicht ein {}-tel davon",
            input.strata
        ),
        format!(
            "Sum of the roots of the frequencies; one part in {} of it for each stratum",
            input.strata
        ),
        nearest(total, 6),
    ));
    let stratum_of = |amount: i64| {
        let class = class_of(amount);
        cuts.partition_point(|cut| *cut <= class)
    };
    let roots = |stratum: usize| {
        let from = stratum
            .checked_sub(1)
            .and_then(|before| cuts.get(before))
            .copied()
            .unwrap_or(0);
        let to = cuts.get(stratum).copied().unwrap_or(frequencies.len());
        let sum: f64 = frequencies[from..to]
            .iter()
            .map(|count| float(*count).sqrt())
            .sum();
        nearest(sum, 6)
    };
    Ok(strata(
        "strata-cumulative-root",
        input.unit,
        &sorted,
        |_, amount| stratum_of(amount),
        |stratum| Some(roots(stratum)),
        steps,
    ))
}

/// Cuts into strata of about equal book value.
pub fn strata_by_value(input: &StrataInput) -> Result<Strata, Located<SizeError>> {
    let (sorted, total) = check(input)?;
    if input.classes.is_some() {
        return Err(SizeError::NotTogether {
            field: "classes",
            other: "method",
        }
        .into());
    }
    let steps = vec![Step::new(
        format!("Buchwert je Schicht: {total} / {}", input.strata),
        format!("Book value per stratum: {total} / {}", input.strata),
        Fraction::from(total)
            .over(&Fraction::from(input.strata))
            .map_or(Decimal::ZERO, |value| value.decimal(6)),
    )];
    let last = usize::try_from(input.strata - 1).unwrap_or_default();
    let stratum_of = |before: i128, amount: i64| {
        let reached = (before + i128::from(amount)) * i128::from(input.strata) / i128::from(total);
        usize::try_from(reached).unwrap_or(last).min(last)
    };
    Ok(strata(
        "strata-equal-value",
        input.unit,
        &sorted,
        stratum_of,
        |_| None,
        steps,
    ))
}

/// The amounts in order, and their sum.
fn check(input: &StrataInput) -> Result<(Vec<i64>, i64), Located<SizeError>> {
    if !(2..=MOST_STRATA).contains(&input.strata) {
        return Err(SizeError::Count {
            field: "strata",
            value: input.strata,
        }
        .into());
    }
    let mut total = 0i64;
    for (index, amount) in input.amounts.iter().enumerate() {
        let sum = total.checked_add(*amount).filter(|_| *amount > 0);
        let (field, value) = ("amounts", (*amount).into());
        total = sum.ok_or_else(|| SizeError::Amount { field, value }.at(format!("amounts[{index}]")))?;
    }
    let items = u64::try_from(input.amounts.len()).unwrap_or(u64::MAX);
    if items < 2 * input.strata {
        return Err(SizeError::Count {
            field: "strata",
            value: input.strata,
        }
        .into());
    }
    let mut sorted = input.amounts.clone();
    sorted.sort_unstable();
    Ok((sorted, total))
}

fn ends(sorted: &[i64]) -> (i64, i64) {
    (
        sorted.first().copied().unwrap_or_default(),
        sorted.last().copied().unwrap_or_default(),
    )
}

/// Where to cut classes into strata, as the index of the first class of each stratum but the first.
///
/// The cuts make the sum of the squared distances of the sums of roots from their mean smallest, and so the
/// sum of their squares; of equal ones the lowest. Every stratum has at least one class.
pub fn cut_by_roots(frequencies: &[u64], strata: u64) -> Vec<usize> {
    let count = usize::try_from(strata)
        .unwrap_or(usize::MAX)
        .clamp(1, frequencies.len().max(1));
    let mut cumulated = vec![0.0];
    let mut sum = 0.0;
    for frequency in frequencies {
        sum += float(*frequency).sqrt();
        cumulated.push(sum);
    }
    let classes = frequencies.len();
    // least[j]: smallest sum of squares of the first j classes in the strata so far; from[h][j]: where the
    // last one begins
    let mut least: Vec<f64> = cumulated.iter().map(|sum| sum * sum).collect();
    let mut from: Vec<Vec<usize>> = Vec::new();
    for stratum in 1..count {
        let mut next = vec![f64::INFINITY; classes + 1];
        let mut begins = vec![0; classes + 1];
        for to in stratum + 1..=classes {
            for begin in stratum..to {
                let own = cumulated[to] - cumulated[begin];
                let squares = least[begin] + own * own;
                if squares < next[to] {
                    (next[to], begins[to]) = (squares, begin);
                }
            }
        }
        least = next;
        from.push(begins);
    }
    let mut cuts = Vec::new();
    let mut end = classes;
    for begins in from.iter().rev() {
        end = begins[end];
        cuts.push(end);
    }
    cuts.reverse();
    cuts
}

/// Builds the strata. `stratum_of` takes the sum of all smaller amounts before an item, and its own; equal
/// amounts follow the first of them.
fn strata(
    method: &'static str,
    unit: Unit,
    sorted: &[i64],
    stratum_of: impl Fn(i128, i64) -> usize,
    roots: impl Fn(usize) -> Option<Decimal>,
    mut steps: Vec<Step>,
) -> Strata {
    let mut found: Vec<(usize, Vec<i64>)> = Vec::new();
    let mut before = 0i128;
    let mut current: Option<(i64, usize)> = None;
    for amount in sorted {
        let stratum = match current {
            Some((same, stratum)) if same == *amount => stratum,
            _ => stratum_of(before, *amount),
        };
        current = Some((*amount, stratum));
        before += i128::from(*amount);
        match found.last_mut() {
            Some((last, amounts)) if *last == stratum => amounts.push(*amount),
            _ => found.push((stratum, vec![*amount])),
        }
    }
    let strata: Vec<AmountStratum> = found
        .iter()
        .map(|(stratum, amounts)| {
            let (lowest, highest) = ends(amounts);
            AmountStratum {
                lowest,
                highest,
                items: u64::try_from(amounts.len()).unwrap_or(u64::MAX),
                book_value: amounts.iter().sum(),
                deviation: deviation(amounts),
                roots: roots(*stratum),
            }
        })
        .collect();
    for (number, stratum) in (1..).zip(&strata) {
        let (lowest, highest) = (stratum.lowest, stratum.highest);
        let roots = stratum
            .roots
            .map(|sum| (format!(", Wurzeln {}", german(&sum)), format!(", roots {sum}")));
        let (de, en) = roots.unwrap_or_default();
        steps.push(Step::new(
            format!(
                "Schicht {number}: von {lowest} bis {highest}, Buchwert {}{de}",
                stratum.book_value
            ),
            format!(
                "Stratum {number}: from {lowest} to {highest}, book value {}{en}",
                stratum.book_value
            ),
            stratum.items,
        ));
    }
    Strata {
        cannot_find: vec![outside_the_population(), missing_amounts()],
        method,
        version: STRATA_VERSION,
        unit,
        strata,
        steps,
    }
}

/// Standard deviation with `n - 1` below, rounded to six places from exact sums.
fn deviation(amounts: &[i64]) -> Option<Decimal> {
    let count = u64::try_from(amounts.len()).ok().filter(|count| *count > 1)?;
    let sum: i128 = amounts.iter().map(|amount| i128::from(*amount)).sum();
    let squares = amounts.iter().fold(BigInt::ZERO, |sum, amount| {
        sum + i128::from(*amount) * i128::from(*amount)
    });
    let spread = squares * BigInt::from(count) - BigInt::from(sum) * BigInt::from(sum);
    let below = Fraction::from(count).times(&Fraction::from(count - 1));
    Fraction::from(spread)
        .over(&below)
        .map(|variance| variance.root().decimal(6))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn input(amounts: &[i64], strata: u64, classes: Option<u64>) -> StrataInput {
        StrataInput {
            unit: Unit::Cent,
            amounts: amounts.to_vec(),
            strata,
            classes,
        }
    }

    #[test]
    fn classes_of_touw_and_hoogduin_are_cut_as_printed() {
        // tables 4.3 and 4.4: ten classes, the ninth empty; strata of 2030, 1217 and 253 items, roots 45.06,
        // 48.25 and 30.89
        let frequencies = [2030, 857, 360, 154, 63, 24, 7, 4, 0, 1];
        assert_eq!(cut_by_roots(&frequencies, 3), [1, 3]);
        let amounts: Vec<i64> = (0..)
            .zip(frequencies)
            .flat_map(|(class, count)| std::iter::repeat_n(class * 100 + 50, usize::try_from(count).unwrap()))
            .chain([1_000])
            .collect();
        let mut amounts = amounts;
        // the ends fix the classes: 0 to 1,000 would be the width of 100
        amounts[0] = 1;
        let found = strata_by_root(&input(&amounts, 3, Some(10))).unwrap();
        let items: Vec<u64> = found.strata.iter().map(|stratum| stratum.items).collect();
        assert_eq!(items, [2030, 1217, 254]);
        assert_eq!(found.strata[0].roots, Some(decimal("45.055521")));
        assert_eq!(found.strata[1].roots, Some(decimal("48.248228")));
        assert_eq!((found.strata[0].lowest, found.strata[0].highest), (1, 50));
    }

    #[test]
    fn cuts_are_the_best_of_all() {
        let roots = |frequencies: &[u64]| -> f64 { frequencies.iter().map(|f| float(*f).sqrt()).sum() };
        let frequencies = [9, 4, 1, 25, 16, 0, 4, 36, 1];
        let cost = |a: usize, b: usize| {
            let parts = [&frequencies[..a], &frequencies[a..b], &frequencies[b..]];
            parts.iter().map(|part| roots(part).powi(2)).sum::<f64>()
        };
        let best = (1..8)
            .flat_map(|a| (a + 1..9).map(move |b| (a, b)))
            .min_by(|x, y| cost(x.0, x.1).total_cmp(&cost(y.0, y.1)))
            .unwrap();
        let cuts = cut_by_roots(&frequencies, 3);
        assert!((cost(cuts[0], cuts[1]) - cost(best.0, best.1)).abs() < 1e-9);
        assert_eq!(cut_by_roots(&frequencies, 1), Vec::<usize>::new());
        assert_eq!(cut_by_roots(&[1, 1], 9), [1]);
    }

    #[test]
    fn equal_values_are_reached_by_cumulation() {
        // total 100: 10 20 30 reach 60; a stratum ends before half is reached
        let found = strata_by_value(&input(&[40, 10, 20, 30], 2, None)).unwrap();
        let values: Vec<(i64, u64)> = found.strata.iter().map(|s| (s.book_value, s.items)).collect();
        assert_eq!(values, [(30, 2), (70, 2)]);
        assert_eq!(found.strata[0].deviation, Some(decimal("7.071068")));
        // equal amounts stay together, in the stratum of the first
        let found = strata_by_value(&input(&[5, 5, 5, 5], 2, None)).unwrap();
        assert_eq!(found.strata.len(), 1);
    }

    #[test]
    fn impossible_cuts_are_refused_by_name() {
        let amounts: Vec<i64> = (1..=100).collect();
        let root = |input: StrataInput| {
            let error = strata_by_root(&input).unwrap_err();
            (error.code(), error.field())
        };
        assert_eq!(
            root(input(&amounts, 1, Some(10))),
            ("COUNT_OUT_OF_RANGE", "strata")
        );
        assert_eq!(
            root(input(&amounts, 51, Some(60))),
            ("COUNT_OUT_OF_RANGE", "strata")
        );
        assert_eq!(
            root(input(&amounts[..5], 3, Some(10))),
            ("COUNT_OUT_OF_RANGE", "strata")
        );
        assert_eq!(root(input(&amounts, 3, None)), ("REQUIRED", "classes"));
        assert_eq!(
            root(input(&amounts, 3, Some(3))),
            ("COUNT_OUT_OF_RANGE", "classes")
        );
        assert_eq!(
            root(input(&amounts, 3, Some(2_001))),
            ("COUNT_OUT_OF_RANGE", "classes")
        );
        assert_eq!(
            root(input(&[1, 2, 0, 4], 2, Some(3))),
            ("AMOUNT_OUT_OF_RANGE", "amounts")
        );
        assert_eq!(
            root(input(&[i64::MAX; 4], 2, Some(3))),
            ("AMOUNT_OUT_OF_RANGE", "amounts")
        );
        let error = strata_by_value(&input(&amounts, 3, Some(10))).unwrap_err();
        assert_eq!((error.code(), error.field()), ("NOT_TOGETHER", "classes"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn strata_hold_every_item_once_in_any_order(
            mut amounts in prop::collection::vec(1i64..10_000, 20..200),
            strata in 2u64..8,
            classes in 10u64..60,
        ) {
            let by_root = strata_by_root(&input(&amounts, strata, Some(classes))).unwrap();
            let by_value = strata_by_value(&input(&amounts, strata, None)).unwrap();
            let total: i64 = amounts.iter().sum();
            let count = u64::try_from(amounts.len()).unwrap();
            for found in [&by_root, &by_value] {
                prop_assert_eq!(found.strata.iter().map(|s| s.book_value).sum::<i64>(), total);
                prop_assert_eq!(found.strata.iter().map(|s| s.items).sum::<u64>(), count);
                for pair in found.strata.windows(2) {
                    prop_assert!(pair[0].highest < pair[1].lowest);
                }
            }
            amounts.reverse();
            prop_assert_eq!(strata_by_root(&input(&amounts, strata, Some(classes))).unwrap(), by_root);
            prop_assert_eq!(strata_by_value(&input(&amounts, strata, None)).unwrap(), by_value);
        }
    }
}
