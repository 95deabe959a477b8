use super::*;
use crate::sampling::refusal::Located;

fn high(rule: CutoffRule, size: u64, amounts: &[i64]) -> Result<HighValueStratum, Located<SizeError>> {
    high_value_stratum(&HighValueInput {
        rule,
        unit: Unit::Cent,
        size,
        amounts: amounts.to_vec(),
    })
}

#[test]
fn the_exhaustive_stratum_of_the_guidance_comes_out() {
    // 6.3.1.7: 8 operations above the cut-off, 786,837,081 in all; interval 3,413,044,943 / 69 = 49,464,419
    let top = [
        120_000_000,
        115_000_000,
        110_000_000,
        105_000_000,
        95_000_000,
        90_000_000,
        80_000_000,
        71_837_081,
    ];
    let rest = 4_199_882_024 - top.iter().sum::<i64>();
    let mut amounts = top.to_vec();
    amounts.extend((0..3844).map(|i| rest / 3844 + i64::from(i < rest % 3844)));
    let found = high(CutoffRule::AboveIterated, 77, &amounts).unwrap();
    assert_eq!(found.exhaustive, (0..8).collect::<Vec<usize>>());
    assert_eq!((found.exhaustive_value, found.sampling_size), (786_837_081, 69));
    assert_eq!(found.interval.unwrap().round(), decimal("49464419"));
    assert_eq!(found.rounds, 1);
    let once = high(CutoffRule::AboveOnce, 77, &amounts).unwrap();
    assert_eq!(once.interval.unwrap().round(), decimal("54543922"));
    assert_eq!(once.sampling_size, 63);
}

#[test]
fn the_cut_off_is_formed_again_until_nothing_exceeds_it() {
    // 100/4 = 25: 60 is above; 40/3 = 13.3: 14 is above; 26/2 = 13: 13 is not above
    let amounts = [13, 60, 14, 13];
    let found = high(CutoffRule::AboveIterated, 4, &amounts).unwrap();
    assert_eq!(
        (found.exhaustive.as_slice(), found.rounds),
        ([1usize, 2].as_slice(), 2)
    );
    assert_eq!((found.sampling_size, found.interval), (2, Some(decimal("13"))));
    // at least the interval: everything, and nothing is left to sample
    let all = high(CutoffRule::AtLeastIterated, 4, &amounts).unwrap();
    assert_eq!(
        (all.exhaustive.len(), all.sampling_size, all.interval),
        (4, 0, None)
    );
    let refused = |size, amounts: &[i64]| {
        let error = high(CutoffRule::AboveIterated, size, amounts).unwrap_err();
        (error.code(), error.field())
    };
    assert_eq!(refused(0, &amounts), ("COUNT_OUT_OF_RANGE", "size"));
    assert_eq!(refused(3, &[5, 0]), ("AMOUNT_OUT_OF_RANGE", "amounts"));
    assert_eq!(refused(3, &[]), ("REQUIRED", "amounts"));
    assert_eq!(refused(1, &[i64::MAX, i64::MAX]), ("REQUIRED", "amounts"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn above_every_cut_off_lie_the_exhaustive_items_alone(
        amounts in prop::collection::vec(1i64..1_000_000, 20..200), size in 1u64..15,
    ) {
        let Ok(found) = high(CutoffRule::AboveIterated, size, &amounts) else { return Ok(()) };
        let total: i64 = amounts.iter().sum();
        prop_assert_eq!(found.exhaustive_value + found.sampling_value, total);
        for (position, amount) in amounts.iter().enumerate() {
            let product = i128::from(*amount) * i128::from(found.sampling_size);
            let is_high = product > i128::from(found.sampling_value);
            prop_assert_eq!(is_high, found.exhaustive.contains(&position));
        }
        let mut turned = amounts.clone();
        turned.reverse();
        let again = high(CutoffRule::AboveIterated, size, &turned).unwrap();
        prop_assert_eq!((again.exhaustive_value, again.interval), (found.exhaustive_value, found.interval));
    }
}
