//! How a sample is shared out over strata.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::exact::{Rounding, whole};
use crate::sampling::numerics::Fraction;

/// How the shares of strata become whole numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ShareRounding {
    /// By largest remainder, so that the shares add up to the size; equal remainders go to the earlier
    /// stratum.
    #[default]
    LargestRemainder,
    /// Each share up; the sum can exceed the size.
    Up,
    /// Each share to the nearest whole number; the sum can differ from the size.
    Nearest,
    /// Each share up but the last, which takes the rest (as the EC guidance does in its example 6.3.2.7).
    UpLastRest,
}

/// Items every stratum gets at least, as far as it has them (EC guidance EGESIF 16-0014, 6.1.2: three for a
/// variance).
pub const MINIMUM_PER_STRATUM: u64 = 3;

/// A stratum to share a sample out to: its ordinal, and how many items it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StratumSize {
    /// Position of the stratum; decides between equal remainders.
    pub ordinal: u32,
    /// Items in the stratum.
    pub items: u64,
}

/// Shares `size` items out in proportion to the strata, by largest remainder; the result follows the order of
/// `strata`.
///
/// Equal remainders go to the lower ordinal. A stratum gets at least `minimum` items, or all it has if it has
/// fewer ([`MINIMUM_PER_STRATUM`] by default), and never more than it has. Strata whose share would fall
/// short are set to their minimum first, the rest is shared out in proportion among the others. The total is
/// therefore `size`, but more where the minimums alone exceed it, and less where the population is smaller.
pub fn allocate(size: u64, strata: &[StratumSize], minimum: u64) -> Vec<u64> {
    let least = |stratum: &StratumSize| minimum.min(stratum.items);
    let mut fixed = vec![false; strata.len()];
    loop {
        let taken: u64 = strata
            .iter()
            .zip(&fixed)
            .filter(|(_, fixed)| **fixed)
            .map(|(s, _)| least(s))
            .sum();
        let free: Vec<usize> = (0..strata.len()).filter(|i| !fixed[*i]).collect();
        let shares = largest_remainder(size.saturating_sub(taken), strata, &free);
        let short: Vec<usize> = free
            .iter()
            .zip(&shares)
            .filter(|(i, share)| **share < least(&strata[**i]))
            .map(|(i, _)| *i)
            .collect();
        if short.is_empty() {
            let mut result: Vec<u64> = strata.iter().map(least).collect();
            for (index, share) in free.into_iter().zip(shares) {
                result[index] = share;
            }
            return result;
        }
        for index in short {
            fixed[index] = true;
        }
    }
}

/// Shares for the strata at the positions `free`, in that order, never above the items of a stratum.
fn largest_remainder(size: u64, strata: &[StratumSize], free: &[usize]) -> Vec<u64> {
    let total: u128 = free.iter().map(|i| u128::from(strata[*i].items)).sum();
    if total <= u128::from(size) {
        return free.iter().map(|i| strata[*i].items).collect();
    }
    let exact = |i: usize| u128::from(size) * u128::from(strata[i].items);
    let mut shares: Vec<u64> = free
        .iter()
        .map(|i| u64::try_from(exact(*i) / total).unwrap_or(u64::MAX))
        .collect();
    let open = size - shares.iter().sum::<u64>();
    let mut order: Vec<usize> = (0..free.len()).collect();
    order.sort_by_key(|position| {
        let index = free[*position];
        (
            std::cmp::Reverse(exact(index) % total),
            strata[index].ordinal,
            index,
        )
    });
    for position in order.into_iter().zip(0..open).map(|(position, _)| position) {
        shares[position] += 1;
    }
    shares
}

/// A stratum to share out to by any weight.
#[derive(Debug, Clone)]
pub(super) struct Weight {
    /// What its share is in proportion to, zero or above.
    pub(super) weight: Fraction,
    /// Sampling units it has.
    pub(super) most: u64,
}

/// Shares `size` out in proportion to the weights; the result follows their order.
///
/// A stratum gets at least `minimum`, or all it has if it has fewer, and never more than it has. Strata whose
/// exact share lies beyond a bound are set to it ([`allocate`] judges the rounded share, and can differ by one where minimums bind), the rest is shared out among the others anew; where shares
/// fall short of minimums and exceed what others have at once, the greater gap in sum is closed first. Where
/// no weight is left, nothing is shared out beyond that.
pub(super) fn share_out(size: u64, strata: &[Weight], minimum: u64, rounding: ShareRounding) -> Vec<u64> {
    let least = |stratum: &Weight| minimum.min(stratum.most);
    let mut fixed: Vec<Option<u64>> = vec![None; strata.len()];
    loop {
        let taken: u64 = fixed.iter().flatten().sum();
        let open = size.saturating_sub(taken);
        let free: Vec<usize> = (0..strata.len()).filter(|i| fixed[*i].is_none()).collect();
        let total = free
            .iter()
            .fold(Fraction::zero(), |sum, i| sum.plus(&strata[*i].weight));
        let exact: Vec<Fraction> = free
            .iter()
            .map(|i| {
                let share = Fraction::from(open).times(&strata[*i].weight).over(&total);
                share.unwrap_or_else(Fraction::zero)
            })
            .collect();
        let pairs = || free.iter().zip(&exact);
        let short: Vec<usize> = pairs()
            .filter(|(i, share)| **share < Fraction::from(least(&strata[**i])))
            .map(|(i, _)| *i)
            .collect();
        let long: Vec<usize> = pairs()
            .filter(|(i, share)| **share > Fraction::from(strata[**i].most))
            .map(|(i, _)| *i)
            .collect();
        // the greater of the two gaps is closed first, since closing it can only widen the other way
        let gap = pairs().fold(Fraction::zero(), |sum, (i, share)| {
            let (low, high) = (
                Fraction::from(least(&strata[*i])),
                Fraction::from(strata[*i].most),
            );
            sum.plus(&share.clone().max(low).min(high).minus(share))
        });
        let nothing = Fraction::zero();
        if gap >= nothing {
            for index in &short {
                fixed[*index] = Some(least(&strata[*index]));
            }
        }
        if gap <= nothing {
            for index in &long {
                fixed[*index] = Some(strata[*index].most);
            }
        }
        if short.is_empty() && long.is_empty() {
            let most: Vec<u64> = free.iter().map(|i| strata[*i].most).collect();
            let mut shares = whole_shares(open, &exact, &most, rounding).into_iter();
            return fixed
                .into_iter()
                .zip(strata)
                .map(|(fixed, stratum)| fixed.or_else(|| shares.next()).unwrap_or_else(|| least(stratum)))
                .collect();
        }
    }
}

/// Whole shares from exact ones, none above its bound.
fn whole_shares(size: u64, exact: &[Fraction], most: &[u64], rounding: ShareRounding) -> Vec<u64> {
    let bounded = |share: &Fraction, most: u64, rounding| whole(share, rounding).unwrap_or(most).min(most);
    let each = |rounding| -> Vec<u64> {
        let pairs = exact.iter().zip(most);
        pairs
            .map(|(share, most)| bounded(share, *most, rounding))
            .collect()
    };
    match rounding {
        ShareRounding::Up => each(Rounding::Up),
        ShareRounding::Nearest => each(Rounding::Nearest),
        ShareRounding::UpLastRest => {
            let mut shares = each(Rounding::Up);
            if let Some(last) = shares.pop() {
                let taken: u64 = shares.iter().sum();
                shares.push(size.saturating_sub(taken).min(last));
            }
            shares
        }
        ShareRounding::LargestRemainder => {
            let parts: Vec<(u64, Fraction)> = exact.iter().filter_map(Fraction::split).collect();
            let mut shares: Vec<u64> = parts.iter().map(|(whole, _)| *whole).collect();
            let given: u64 = shares.iter().sum();
            let mut order: Vec<usize> = (0..parts.len())
                .filter(|i| parts[*i].1.is_positive() && shares[*i] < most[*i])
                .collect();
            order.sort_by(|a, b| parts[*b].1.cmp(&parts[*a].1).then(a.cmp(b)));
            for (index, _) in order.into_iter().zip(given..size) {
                shares[index] += 1;
            }
            shares
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn strata(items: &[u64]) -> Vec<StratumSize> {
        (0..)
            .zip(items)
            .map(|(ordinal, items)| StratumSize {
                ordinal,
                items: *items,
            })
            .collect()
    }

    #[test]
    fn shares_follow_the_largest_remainder() {
        assert_eq!(allocate(10, &strata(&[500, 300, 200]), 3), [4, 3, 3]);
        assert_eq!(allocate(3, &strata(&[10, 10]), 0), [2, 1]);
        assert_eq!(allocate(100, &strata(&[2, 1000, 1000]), 3), [2, 49, 49]);
        assert_eq!(allocate(1, &strata(&[5, 5]), 3), [3, 3]);
        assert_eq!(allocate(100, &strata(&[5, 0, 7]), 3), [5, 0, 7]);
        assert_eq!(allocate(100, &[], 3), Vec::<u64>::new());
    }

    fn weights(weights: &[(u64, u64)]) -> Vec<Weight> {
        let weight = |(weight, most): &(u64, u64)| Weight {
            weight: Fraction::from(*weight),
            most: *most,
        };
        weights.iter().map(weight).collect()
    }

    #[test]
    fn shares_become_whole_as_declared() {
        let strata = weights(&[(2_506_626_292, 9_000), (1_693_255_732, 9_000)]);
        let shares = |rounding| share_out(148, &strata, 3, rounding);
        // EC guidance 6.3.2.7: 88.33 and 59.67, printed as 89 and 59
        assert_eq!(shares(ShareRounding::LargestRemainder), [88, 60]);
        assert_eq!(shares(ShareRounding::Nearest), [88, 60]);
        assert_eq!(shares(ShareRounding::Up), [89, 60]);
        assert_eq!(shares(ShareRounding::UpLastRest), [89, 59]);
        // all items of a stratum that has too few, the rest to the other
        assert_eq!(
            share_out(50, &weights(&[(9, 10), (1, 100)]), 3, ShareRounding::Up),
            [10, 40]
        );
        assert_eq!(
            share_out(5, &weights(&[(0, 10), (0, 2)]), 3, ShareRounding::Up),
            [3, 2]
        );
        assert_eq!(share_out(9, &[], 3, ShareRounding::Up), Vec::<u64>::new());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn shares_by_items_are_those_of_the_proportional_allocation(
            items in prop::collection::vec(0u64..2_000, 1..20), size in 0u64..5_000,
        ) {
            let pairs: Vec<(u64, u64)> = items.iter().map(|items| (*items, *items)).collect();
            let shares = share_out(size, &weights(&pairs), 0, ShareRounding::LargestRemainder);
            prop_assert_eq!(shares, allocate(size, &strata(&items), 0));
        }

        #[test]
        fn shares_of_any_weight_keep_their_limits(
            pairs in prop::collection::vec((1u64..1_000, 0u64..500), 1..12),
            size in 0u64..5_000,
            minimum in 0u64..6,
        ) {
            let shares = share_out(size, &weights(&pairs), minimum, ShareRounding::LargestRemainder);
            let least: u64 = pairs.iter().map(|(_, most)| minimum.min(*most)).sum();
            let total: u64 = pairs.iter().map(|(_, most)| *most).sum();
            prop_assert_eq!(shares.iter().sum::<u64>(), size.max(least).min(total));
            for (share, (_, most)) in shares.iter().zip(&pairs) {
                prop_assert!(share <= most && *share >= minimum.min(*most));
            }
        }

        #[test]
        fn shares_add_up_and_keep_their_limits(
            items in prop::collection::vec(0u64..2_000, 1..20), size in 0u64..5_000, minimum in 0u64..6,
        ) {
            let shares = allocate(size, &strata(&items), minimum);
            let least: u64 = items.iter().map(|items| minimum.min(*items)).sum();
            let total: u64 = items.iter().sum();
            prop_assert_eq!(shares.iter().sum::<u64>(), size.max(least).min(total));
            for (share, items) in shares.iter().zip(&items) {
                prop_assert!(share <= items && *share >= minimum.min(*items));
            }
        }
    }
}
