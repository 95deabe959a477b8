//! How a sample is shared out over strata.

/// Items every stratum gets at least, as far as it has them (EC guidance EGESIF 16-0014, 6.1.2: three for a variance).
pub const MINIMUM_PER_STRATUM: u64 = 3;

/// A stratum to share a sample out to: its ordinal, and how many items it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StratumSize {
    /// Position of the stratum; decides between equal remainders.
    pub ordinal: u32,
    /// Items in the stratum.
    pub items: u64,
}

/// Shares `size` items out in proportion to the strata, by largest remainder; the result follows the order of `strata`.
///
/// Equal remainders go to the lower ordinal. A stratum gets at least `minimum` items, or all it has if it has fewer
/// ([`MINIMUM_PER_STRATUM`] by default), and never more than it has. Strata whose share would fall short are set to
/// their minimum first, the rest is shared out in proportion among the others. The total is therefore `size`, but more
/// where the minimums alone exceed it, and less where the population is smaller.
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

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

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
