//! The exhaustive stratum: items so large that every one is audited.

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{MONETARY_SIZE_VERSION, share};
use crate::sampling::derivation::{Step, Text};
use crate::sampling::planning::exact::{Unit, german};
use crate::sampling::planning::{LARGEST_MONETARY_SIZE, SizeError};
use crate::sampling::refusal::{Located, Refused as _};

/// Which items are audited exhaustively.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CutoffRule {
    /// Above the interval of what is left, again and again until none is (EC guidance 6.3.1.3, MUS standard
    /// approach).
    AboveIterated,
    /// Above `BV/n`, once; the interval stays `BV/n` (EC guidance 6.3.5.3, conservative approach).
    AboveOnce,
    /// At least the interval of what is left, again and again (R package MUS).
    AtLeastIterated,
}

/// What the exhaustive stratum is formed from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HighValueInput {
    /// The rule.
    pub rule: CutoffRule,
    /// Unit of the amounts.
    pub unit: Unit,
    /// Planned sampling units of the whole population.
    pub size: u64,
    /// Amounts of all items, above zero.
    pub amounts: Vec<i64>,
}

/// The exhaustive stratum and the sample of the rest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HighValueStratum {
    /// Method id.
    pub method: &'static str,
    /// Version of the method.
    pub version: &'static str,
    /// Unit of the amounts.
    pub unit: Unit,
    /// Positions of the items that are audited exhaustively, ascending, counted from 0.
    pub exhaustive: Vec<usize>,
    /// Their sum.
    pub exhaustive_value: i64,
    /// Sum of the other items.
    pub sampling_value: i64,
    /// Sampling units among the others. For `ABOVE_ONCE` the most that the interval can hit.
    pub sampling_size: u64,
    /// Interval among the others, to six places; none where all items are audited.
    pub interval: Option<Decimal>,
    /// How often the cut-off was formed anew and found further items.
    pub rounds: u32,
    /// How the stratum came about.
    pub steps: Vec<Step>,
    /// What the method cannot find.
    pub cannot_find: Vec<Text>,
}

/// Separates the items that are audited exhaustively. All comparisons are of integers.
pub fn high_value_stratum(input: &HighValueInput) -> Result<HighValueStratum, Located<SizeError>> {
    if input.size == 0 || input.size > LARGEST_MONETARY_SIZE {
        return Err(SizeError::Count {
            field: "size",
            value: input.size,
        }
        .into());
    }
    let mut total: i128 = 0;
    for (index, amount) in input.amounts.iter().enumerate() {
        if *amount <= 0 {
            let (field, value) = ("amounts", (*amount).into());
            return Err(SizeError::Amount { field, value }.at(format!("amounts[{index}]")));
        }
        total += i128::from(*amount);
    }
    let Some(book) = i64::try_from(total).ok().filter(|book| *book > 0) else {
        return Err(SizeError::Required("amounts").into());
    };
    let mut order: Vec<usize> = (0..input.amounts.len()).collect();
    order.sort_by_key(|position| (std::cmp::Reverse(input.amounts[*position]), *position));
    let (mut taken, mut rest, mut rounds) = (0usize, i128::from(book), 0u32);
    let mut steps = Vec::new();
    let units = |taken: usize| i128::from(input.size) - i128::try_from(taken).unwrap_or(i128::MAX);
    loop {
        let (left, value) = (units(taken), rest);
        if left <= 0 && value > 0 {
            return Err(SizeError::NothingLeftToSample(input.size).into());
        }
        let is_high = |amount: i64| {
            let product = i128::from(amount) * left;
            match input.rule {
                CutoffRule::AboveIterated | CutoffRule::AboveOnce => product > value,
                CutoffRule::AtLeastIterated => product >= value,
            }
        };
        let found = order[taken..]
            .iter()
            .take_while(|position| is_high(input.amounts[**position]))
            .count();
        let more: i128 = order[taken..taken + found]
            .iter()
            .map(|position| i128::from(input.amounts[*position]))
            .sum();
        steps.push(cutoff_step(input.rule, value, left, found, more));
        if found == 0 {
            break;
        }
        taken += found;
        rest -= more;
        rounds += 1;
        if input.rule == CutoffRule::AboveOnce || rest == 0 {
            break;
        }
    }
    Ok(finish(input, book, &order[..taken], rest, rounds, steps)?)
}

fn cutoff_step(rule: CutoffRule, value: i128, left: i128, found: usize, more: i128) -> Step {
    let (de, en) = match rule {
        CutoffRule::AtLeastIterated => ("ab", "at or above"),
        CutoffRule::AboveIterated | CutoffRule::AboveOnce => ("über", "above"),
    };
    let cutoff = match (u64::try_from(value), u64::try_from(left)) {
        (Ok(value), Ok(left)) if left > 0 => share(value, left).decimal(6),
        _ => Decimal::ZERO,
    };
    Step::new(
        format!(
            "Schwelle {value}/{left} = {}: {found} Positionen {de} der Schwelle, zusammen {more}",
            german(&cutoff)
        ),
        format!("Cut-off {value}/{left} = {cutoff}: {found} items {en} the cut-off, {more} in all"),
        found,
    )
}

fn finish(
    input: &HighValueInput,
    book: i64,
    taken: &[usize],
    rest: i128,
    rounds: u32,
    mut steps: Vec<Step>,
) -> Result<HighValueStratum, SizeError> {
    let count = u64::try_from(taken.len()).unwrap_or(u64::MAX);
    let (book_units, rest_units) = (
        u64::try_from(book).unwrap_or_default(),
        u64::try_from(rest).unwrap_or_default(),
    );
    let (sampling_size, interval) = match input.rule {
        _ if rest == 0 => (0, None),
        CutoffRule::AboveOnce => {
            let hits = (u128::from(rest_units) * u128::from(input.size)).div_ceil(u128::from(book_units));
            let hits = u64::try_from(hits).unwrap_or(input.size);
            (hits, Some(share(book_units, input.size).decimal(6)))
        }
        CutoffRule::AboveIterated | CutoffRule::AtLeastIterated => {
            let left = input
                .size
                .checked_sub(count)
                .filter(|left| *left > 0)
                .ok_or(SizeError::NothingLeftToSample(input.size))?;
            (left, Some(share(rest_units, left).decimal(6)))
        }
    };
    if let Some(interval) = interval {
        steps.push(Step::new(
            format!("Auswahlintervall der übrigen Positionen bei {sampling_size} Treffern"),
            format!("Sampling interval of the other items at {sampling_size} hits"),
            interval,
        ));
    }
    let mut exhaustive = taken.to_vec();
    exhaustive.sort_unstable();
    let sampling_value = i64::try_from(rest).unwrap_or(i64::MAX);
    Ok(HighValueStratum {
        cannot_find: super::cannot_find(),
        method: match input.rule {
            CutoffRule::AboveIterated => "high-value-above-iterated",
            CutoffRule::AboveOnce => "high-value-above-once",
            CutoffRule::AtLeastIterated => "high-value-at-least-iterated",
        },
        version: MONETARY_SIZE_VERSION,
        unit: input.unit,
        exhaustive,
        exhaustive_value: book - sampling_value,
        sampling_value,
        sampling_size,
        interval,
        rounds,
        steps,
    })
}
