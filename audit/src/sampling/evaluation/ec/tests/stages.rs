//! Worked examples without statistics, and of two stages.

use super::*;
use crate::sampling::evaluation::Conclusion;

#[test]
fn by_size_6_4_7() {
    // the book value is once printed as 9,619,623
    let stratum = printed(9_619_263, 32, 4, "0.0272", "").complete(4, 12_411_965, 80_028);
    let result = ec(&non_statistical(EcMethod::NonStatisticalPps, vec![stratum])).unwrap();
    assert_printed(result.overall.total.projected, 145_439, 0);
    assert_printed(result.overall.total.tolerable, 440_625, 0);
    assert_eq!(result.overall.total.conclusion, Conclusion::NotMaterial);
    assert_eq!(
        (result.overall.total.upper_limit, result.z, result.confidence),
        (None, None, None)
    );
}

#[test]
fn two_periods_of_equal_probability_6_4_9_1() {
    let strata = vec![
        printed(19_930_259 - 3_388_144, 40, 3, "4801", "")
            .in_period("1")
            .books("1150398")
            .complete(1, 3_388_144, 127),
        printed(40_378_264 - 6_756_739, 58, 3, "5287", "")
            .in_period("2")
            .books("1200987")
            .complete(3, 6_756_739, 432_076),
    ];
    let result = ec(&non_statistical(EcMethod::NonStatisticalRatio, strata)).unwrap();
    // printed as 649,247.94, with 33,621,524 in place of 33,621,525
    assert_eq!(result.overall.total.projected.round_dp(1), decimal("649247.9"));
    assert_printed(result.overall.total.tolerable, 1_206_170, 0);
    assert_eq!(result.overall.total.conclusion, Conclusion::NotMaterial);
}

#[test]
fn two_periods_by_size_6_4_9_2() {
    let strata = vec![
        printed(16_930_259, 34, 3, "0.066", "").in_period("1"),
        printed(49_378_264 - 21_895_357, 44, 3, "0.0475", "")
            .in_period("2")
            .complete(2, 21_895_357, 56_823),
    ];
    let result = ec(&non_statistical(EcMethod::NonStatisticalPps, strata)).unwrap();
    assert_printed(result.overall.total.projected, 864_435, 1);
    assert_printed(result.overall.total.tolerable, 1_326_170, 0);
}

#[test]
fn a_replaced_operation_by_size_7_10_3_1() {
    // 7 of 8 operations of high value audited
    let audited = 1_697_136_654;
    let stratum = printed(4_199_882_024 - 290_309_600 - audited, 0, 23, "0.52", "")
        .complete(7, audited, 420)
        .without(Excluded {
            exhaustive_book_value: 290_309_600,
            exhaustive_items: 1,
            ..Excluded::default()
        });
    let result = ec(&non_statistical(EcMethod::NonStatisticalPps, vec![stratum])).unwrap();
    assert_printed(result.overall.total.projected, 50_020_779, 1);
    assert_printed(result.overall.total.book_value, 4_199_882_024, 0);
}

/// 7.6.5: book value, payment claims, audited expenditure, error, printed projection.
const OPERATIONS: [(i64, u64, i64, i64, i64); 8] = [
    (90_142_818, 629, 7_829, 845, 9_729_299),
    (89_027_451, 1_239, 1_409, 76, 4_802_048),
    (79_908_909, 729, 56_729, 1_991, 2_804_538),
    (79_271_094, 769, 48_392, 3_080, 5_045_358),
    (89_771_154, 2_839, 3_078, 81, 2_362_399),
    (100_525_834, 4_818, 67_128, 419, 627_463),
    (165_336_715, 1_972, 12_345, 1_220, 16_339_473),
    (92_853_106, 1_256, 29_735, 1_544, 4_821_429),
];

/// 40 sub-items with these sums.
fn claims(book: i64, error: i64) -> Vec<SubItem> {
    let mut claims = vec![
        SubItem {
            book_value: 1,
            audit_value: 1
        };
        39
    ];
    claims.push(SubItem {
        book_value: book - 39,
        audit_value: book - 39 - error,
    });
    claims
}

fn two_stage(book_value: i64, subsample: Subsample) -> EcItem {
    EcItem {
        book_value,
        subsample: Some(subsample),
        ..EcItem::default()
    }
}

#[test]
fn two_stages_7_6_5() {
    let exhaustive: Vec<EcItem> = OPERATIONS
        .iter()
        .map(|&(book_value, population, audited, error, _)| {
            two_stage(
                book_value,
                Subsample {
                    estimator: SubsampleEstimator::Ratio,
                    book_value,
                    population: Some(population),
                    items: claims(audited, error),
                    exhaustive: Vec::new(),
                },
            )
        })
        .collect();
    for (operation, &(book_value, .., printed)) in exhaustive.iter().zip(&OPERATIONS) {
        let subsample = operation.subsample.as_ref().unwrap();
        let projected = units::subsample_error(subsample, book_value).unwrap();
        assert_printed(projected.even(6).unwrap(), printed, 0);
    }
    let drawn: Vec<EcItem> = (0..69)
        .map(|ordinal| item(1_000_000, 1_000_000 - if ordinal < 47 { 22_000 } else { 0 }))
        .collect();
    let stratum = EcStratum {
        name: "programme".into(),
        book_value: 4_199_882_024 - 786_837_081,
        items: drawn,
        exhaustive,
        ..EcStratum::default()
    };
    let result = ec(&input(EcMethod::MusStandard, "0.9", vec![stratum])).unwrap();
    assert_printed(result.overall.strata[0].exhaustive_error, 46_532_007, 0);
    assert_printed(result.overall.total.projected, 97_678_216, 1);
    assert_eq!(
        result.overall.total.total_error_rate.round_dp(4),
        decimal("0.0233")
    );
    assert_eq!(result.overall.total.conclusion, Conclusion::Material);
}

/// 6.5.3.3.2: lead partner, its error, partners, audited partner, its error, printed error of the operation.
const COOPERATION: [(i64, i64, i64, i64, i64, i64); 9] = [
    (890_563, 0, 234_567, 37_147, 0, 0),
    (1_278_327, 0, 834_459, 164_152, 0, 0),
    (658_748, 5_274, 766_567, 152_024, 23, 5_390),
    (234_739, 20_327, 666_578, 83_384, 0, 20_327),
    (987_329, 0, 245_538, 56_318, 127, 554),
    (1_045_698, 0, 344_765, 101_258, 0, 0),
    (895_398, 0, 678_927, 97_656, 0, 0),
    (444_584, 0, 1_023_346, 213_216, 1_264, 6_067),
    (678_927, 0, 789_491, 137_311, 0, 0),
];

#[test]
fn lead_partners_and_a_sample_of_partners_6_5_3_3_2() {
    let items: Vec<EcItem> = COOPERATION
        .iter()
        .map(|&(lead, lead_error, partners, audited, error, printed)| {
            let subsample = Subsample {
                estimator: SubsampleEstimator::Ratio,
                book_value: partners,
                population: None,
                items: vec![SubItem {
                    book_value: audited,
                    audit_value: audited - error,
                }],
                exhaustive: vec![SubItem {
                    book_value: lead,
                    audit_value: lead - lead_error,
                }],
            };
            let projected = units::subsample_error(&subsample, lead + partners).unwrap();
            assert_printed(projected.even(6).unwrap(), printed, 0);
            two_stage(lead + partners, subsample)
        })
        .collect();
    assert_eq!(items.iter().map(|item| item.book_value).sum::<i64>(), 12_698_551);
    let stratum = EcStratum {
        name: "programme".into(),
        book_value: 113_300_285 - 4_411_965,
        population: Some(46),
        items,
        ..EcStratum::default()
    }
    .complete(1, 4_411_965, 80_328);
    let result = ec(&non_statistical(EcMethod::NonStatisticalRatio, vec![stratum])).unwrap();
    assert_printed(result.overall.total.projected, 357_622, 1);
    assert_printed(result.overall.total.tolerable, 2_266_006, 0);
    assert!(
        result
            .overall
            .warnings
            .iter()
            .any(|text| text.en.contains("sub-samples"))
    );
}
