//! Worked examples of the guidance. Where it prints sums without decimals, the last digit of results can differ by one.

use super::*;
use crate::sampling::evaluation::Conclusion;

#[test]
fn simple_random_sampling_6_1_1_6() {
    // the sum of errors is printed as 7,797; both results are those of 7,797.31
    let mean = printed(46_501_186, 3_852, 53, "7797.31", "758");
    let result = ec(&input(EcMethod::MeanPerUnit, "0.8", vec![mean])).unwrap();
    assert_printed(result.overall.total.projected, 566_703, 0);
    assert_printed(precision(&result), 514_169, 0);
    assert_eq!(result.z, Some(decimal("1.282")));
    let ratio = printed(46_501_186, 3_852, 53, "7797.31", "755").books("661580");
    let result = ec(&input(EcMethod::Ratio, "0.8", vec![ratio])).unwrap();
    assert_printed(result.overall.total.projected, 548_058, 0);
    assert_printed(precision(&result), 512_134, 0);
    assert_printed(result.overall.total.tolerable, 930_024, 0);
    assert_eq!(result.overall.total.conclusion, Conclusion::Inconclusive);
}

#[test]
fn stratified_random_sampling_6_1_2_6() {
    // standard deviations are printed in whole euros, means too: 126 and 3,319
    let strata = |deviations: [&str; 2]| {
        vec![
            printed(43_226_801, 3_582, 90, "11378", deviations[0])
                .named("1")
                .books("1055043"),
            printed(1_348_417_361, 1_225, 31, "102899", deviations[1])
                .named("2")
                .books("35377240"),
            EcStratum::default()
                .named("high value")
                .complete(5, 4_891_157, 889),
        ]
    };
    let result = ec(&input(EcMethod::MeanPerUnit, "0.8", strata(["698", "13012"]))).unwrap();
    assert_printed(result.overall.total.projected, 4_519_900, 5);
    assert_printed(precision(&result), 3_695_304, 700);
    let result = ec(&input(EcMethod::Ratio, "0.8", strata(["695", "13148"]))).unwrap();
    assert_printed(result.overall.total.projected, 4_389_095, 5);
    // the formula is printed with the root of 59, the result is that of 121
    assert_printed(precision(&result), 3_733_563, 700);
    assert_printed(result.overall.total.book_value, 1_396_535_319, 0);
    assert_eq!(result.overall.total.conclusion, Conclusion::NotMaterial);
    assert_eq!(result.overall.exhaustive_items, 5);
}

#[test]
fn simple_random_sampling_in_two_periods_6_1_3_6() {
    let strata = |deviations: [&str; 2]| {
        vec![
            printed(1_237_952_015, 3_852, 49, "199185", deviations[0])
                .in_period("1")
                .books("13039581"),
            printed(2_961_930_008, 3_852, 52, "374790", deviations[1])
                .in_period("2")
                .books("34323574"),
        ]
    };
    let result = ec(&input(EcMethod::MeanPerUnit, "0.6", strata(["69815", "59489"]))).unwrap();
    assert_printed(result.overall.total.projected, 43_421_670, 1);
    assert_printed(precision(&result), 41_980_051, 1);
    let result = ec(&input(EcMethod::Ratio, "0.6", strata(["54897", "57659"]))).unwrap();
    assert_printed(result.overall.total.projected, 51_252_484, 1);
    assert_printed(precision(&result), 36_325_544, 1);
    assert_printed(upper(&result), 87_578_028, 1);
    assert_printed(result.overall.total.tolerable, 83_997_640, 0);
    assert_eq!(result.overall.total.conclusion, Conclusion::Inconclusive);
}

#[test]
fn difference_estimation_6_2_1_6() {
    let stratum = printed(4_199_882_024, 3_852, 101, "1339765", "162976");
    let result = ec(&input(EcMethod::Difference, "0.6", vec![stratum])).unwrap();
    assert_printed(result.overall.total.projected, 51_096_780, 0);
    assert_printed(precision(&result), 52_597_044, 0);
    let view = result.overall.corrected_book_value.clone().unwrap();
    assert_printed(view.corrected, 4_148_785_244, 0);
    assert_printed(view.lower_limit, 4_096_188_200, 0);
    assert_printed(view.least, 4_115_884_384, 0);
    // 2.47 % in the guidance
    let rate = result.overall.total.upper_limit_rate.unwrap();
    assert_eq!(rate.round_dp(4), decimal("0.0247"));
    assert_eq!(result.overall.total.conclusion, Conclusion::Inconclusive);
}

#[test]
fn difference_estimation_in_two_periods_6_2_3_6() {
    // sizes are printed as 142 and 68, a deviation as 78,849: the results are those of 73 and 47, and of 78,489
    let strata = vec![
        printed(1_237_952_015, 3_852, 73, "577230", "52815").in_period("1"),
        printed(5_202_775_175, 3_852, 47, "588336", "78489").in_period("2"),
    ];
    let result = ec(&input(EcMethod::Difference, "0.9", strata)).unwrap();
    assert_printed(result.overall.total.projected, 78_677_283, 0);
    assert_printed(precision(&result), 82_444_754, 1);
    let view = result.overall.corrected_book_value.clone().unwrap();
    assert_printed(view.corrected, 6_362_049_907, 0);
    assert_printed(view.lower_limit, 6_279_605_153, 1);
    assert_printed(view.least, 6_311_912_646, 0);
}

#[test]
fn monetary_units_6_3_1_7() {
    let stratum =
        printed(4_199_882_024 - 786_837_081, 0, 69, "1.096", "0.09").complete(8, 786_837_081, 7_616_805);
    let result = ec(&input(EcMethod::MusStandard, "0.9", vec![stratum])).unwrap();
    assert_printed(result.overall.strata[0].interval.unwrap(), 49_464_419, 0);
    assert_printed(result.overall.strata[0].projected, 54_213_004, 1);
    assert_printed(result.overall.total.projected, 61_829_809, 1);
    assert_printed(precision(&result), 60_831_129, 0);
    assert_printed(upper(&result), 122_660_937, 1);
    assert_eq!(result.overall.total.conclusion, Conclusion::Inconclusive);
}

#[test]
fn monetary_units_in_strata_6_3_2_7() {
    // variances are printed: 0.000036 and 0.0081
    let strata = vec![
        printed(1_643_963_923, 0, 73, "1.0234", "0.006")
            .named("1")
            .complete(1, 1, 15_460_340),
        printed(1_059_467_668, 0, 47, "1.176", "0.09").named("2"),
    ];
    let result = ec(&input(EcMethod::MusStandard, "0.9", strata)).unwrap();
    assert_printed(result.overall.total.projected, 65_016_597, 0);
    assert_printed(precision(&result), 22_958_216, 0);
    assert_printed(upper(&result), 87_974_813, 1);
}

#[test]
fn monetary_units_in_two_periods_6_3_3_7() {
    let strata = vec![
        printed(936_162_740, 0, 34, "1.4256", "0.085")
            .in_period("1")
            .complete(1, 891_767_519, 19_240_855),
        printed(2_546_691_025, 0, 96, "1.1875", "0.29")
            .in_period("2")
            .complete(1, 415_238_983, 9_340_755),
    ];
    let result = ec(&input(EcMethod::MusStandard, "0.6", strata)).unwrap();
    assert_printed(result.overall.total.projected, 99_336_400, 1);
    assert_printed(precision(&result), 64_499_188, 1);
    assert_printed(upper(&result), 163_835_589, 2);
    assert_printed(result.overall.total.tolerable, 95_797_205, 0);
    assert_eq!(result.overall.total.conclusion, Conclusion::Material);
}

#[test]
fn monetary_units_of_two_programmes_in_two_periods_6_3_4_7() {
    let strata = |first: &str| {
        vec![
            printed(24_147_946, 0, 27, "0.0823", first)
                .named("1")
                .in_period("1")
                .complete(1, 7_765_225, 13_768),
            printed(10_697_561, 0, 13, "0.1145", "0.0696")
                .named("2")
                .in_period("1"),
            printed(25_740_723, 0, 18, "0.1345", "0.0737")
                .named("1")
                .in_period("2"),
            printed(11_914_400, 0, 8, "0.0934", "0.0401")
                .named("2")
                .in_period("2")
                .complete(1, 11_556_146, 0),
        ]
    };
    let result = ec(&input(EcMethod::MusStandard, "0.9", strata("0.0868"))).unwrap();
    assert_printed(result.overall.total.projected, 513_036, 0);
    assert_printed(result.overall.total.tolerable, 1_836_440, 0);
    assert_eq!(result.overall.total.conclusion, Conclusion::NotMaterial);
    assert_printed(precision(&result), 1_083_499, 1);
    // the guidance prints the precision of the sum of rates in place of the first deviation
    let misprint = ec(&input(EcMethod::MusStandard, "0.9", strata("0.0823"))).unwrap();
    assert_printed(precision(&misprint), 1_062_778, 1);
}

#[test]
fn an_enlarged_sample_7_3_2_2() {
    let first = 1_827_930_259 - 891_767_519 - 83_678_923;
    let strata = vec![
        printed(first, 0, 57, "0.8391", "0.059").in_period("1").complete(
            1,
            1_827_930_259 - first,
            28_581_610,
        ),
        printed(2_546_691_025, 0, 107, "0.2875", "0.129").in_period("2"),
    ];
    let result = ec(&input(EcMethod::MusStandard, "0.6", strata)).unwrap();
    assert_printed(result.overall.total.projected, 47_973_814, 1);
    assert_printed(precision(&result), 27_323_507, 1);
    assert_printed(upper(&result), 75_297_320, 1);
}

/// Items of one million with error rates that add up to the given one.
fn rates(size: u64, rates: &[i64]) -> Vec<EcItem> {
    (0..usize::try_from(size).unwrap())
        .map(|ordinal| item(1_000_000, 1_000_000 - rates.get(ordinal).copied().unwrap_or(0)))
        .collect()
}

#[test]
fn conservative_approach_6_3_5_7() {
    let mut stratum = printed(2_832_370_231, 0, 1, "0", "").complete(24, 1_367_511_793, 7_843_574);
    stratum.summary = None;
    stratum.items = rates(112, &[250_000, 500_000, 27_000, 300_000]);
    let mut input = input(EcMethod::MusConservative, "0.9", vec![stratum]);
    input.planned_size = Some(136);
    let result = ec(&input).unwrap();
    let details = result.overall.conservative.clone().unwrap();
    assert_printed(details.interval, 30_881_485, 0);
    assert_printed(result.overall.total.projected, 41_102_934, 1);
    assert_eq!(details.basic_factor, decimal("2.31"));
    assert_printed(details.basic_precision, 71_336_231, 1);
    // factors of the allowances: appendix 3 begins with 2.30
    let factors: Vec<Decimal> = details.allowances.iter().map(|row| row.factor).collect();
    assert_eq!(
        factors,
        ["0.59", "0.43", "0.36", "0.31"].map(decimal),
        "3.89 - 2.30 - 1, 5.32 - 3.89 - 1, ..."
    );
    let rates: Vec<Decimal> = details.allowances.iter().map(|row| row.error_rate).collect();
    assert_eq!(
        rates,
        ["0.5", "0.3", "0.25", "0.027"].map(decimal),
        "largest first"
    );
    let sum: Decimal = details.allowances.iter().map(|row| row.amount).sum();
    assert!((precision(&result) - details.basic_precision - sum).abs() < decimal("0.00001"));
    // 7.10.3.3: low-value part of 2,824,751,647, extended to 2,832,370,231
    input.strata[0].book_value = 2_824_751_647;
    input.strata[0].excluded = Some(Excluded {
        book_value: 2_832_370_231 - 2_824_751_647,
        items: 1,
        ..Excluded::default()
    });
    let extended = ec(&input).unwrap();
    assert_printed(extended.overall.strata[0].projected, 33_349_063, 1);
    assert_printed(extended.overall.total.projected, 41_192_637, 1);
    let factor = precision(&extended) / precision(&result);
    // 85,766,992 becomes 85,998,313
    assert_printed(factor * decimal("85766992"), 85_998_313, 1);
}

#[test]
fn the_twelfth_allowance_6_3_5_7() {
    // row 12 of the printed table: 0.18 * 741,156 = 133,408
    let mut stratum = printed(4_199_882_024, 0, 1, "0", "");
    stratum.summary = None;
    stratum.items = rates(112, &[24_000; 16]);
    let mut input = input(EcMethod::MusConservative, "0.9", vec![stratum]);
    input.planned_size = Some(136);
    let rows = ec(&input).unwrap().overall.conservative.unwrap().allowances;
    assert_eq!(rows.len(), 16);
    assert_printed(rows[11].amount, 133_408, 1);
    assert_eq!(
        [rows[11].factor, rows[12].factor, rows[15].factor],
        ["0.18", "0.18", "0.16"].map(decimal)
    );
}

#[test]
fn the_first_allowance_6_3_5_5() {
    // 25 % at an interval of 200,000: the text has 0.58 * 50,000 from table 4, the worked example follows appendix 3
    let mut stratum = printed(2_000_000, 0, 1, "0", "");
    stratum.summary = None;
    stratum.items = vec![item(40_000, 30_000), item(40_000, 40_000)];
    let mut input = input(EcMethod::MusConservative, "0.9", vec![stratum]);
    input.planned_size = Some(10);
    let details = ec(&input).unwrap().overall.conservative.unwrap();
    assert_eq!(details.allowances[0].amount, decimal("29500"));
    assert_eq!(details.allowances[0].error_rate, decimal("0.25"));
}

#[test]
fn recalculated_confidence_7_7() {
    let interval_error = printed(1_858_233_036, 0, 100, "0.784011", "0.085698");
    let mut input = input(EcMethod::MusStandard, "0.9", vec![interval_error]);
    let result = ec(&input).unwrap();
    assert_printed(result.overall.total.projected, 14_568_765, 100);
    assert_printed(precision(&result), 26_195_819, 1_000);
    let recalculated = result.overall.recalculated.clone().unwrap();
    assert_eq!(recalculated.z.round_dp(3), decimal("1.419"));
    assert_eq!(recalculated.confidence.round_dp(3), decimal("0.844"));
    // at that confidence, the limit is the tolerable error
    input.profile = Some(FactorProfile::Exact);
    let exact = ec(&input).unwrap();
    input.confidence = Some(exact.overall.recalculated.unwrap().confidence);
    let at = ec(&input).unwrap().overall.total;
    assert!((at.upper_limit.unwrap() - at.tolerable).abs() < decimal("100"));
}

#[test]
fn a_group_of_programmes_7_8_2() {
    let strata = vec![
        printed(85_672_981, 4_987, 95, "47728", "674")
            .named("1")
            .of_group("programme 1")
            .complete(1, 12_286_448, 1_983),
        printed(19_885_000, 1_728, 33, "3298", "1183")
            .named("2")
            .of_group("programme 2")
            .complete(1, 6_143_224, 992),
    ];
    let mut input = input(EcMethod::MeanPerUnit, "0.8", strata);
    let result = ec(&input).unwrap();
    assert_printed(result.overall.total.projected, 2_681_139, 0);
    let [one, two] = &result.groups[..] else {
        panic!("two groups")
    };
    assert_eq!(
        (one.group.as_str(), two.group.as_str()),
        ("programme 1", "programme 2")
    );
    assert_printed(one.figures.total.precision.unwrap(), 442_105, 1);
    assert_printed(one.figures.total.projected, 2_507_452, 0);
    assert_eq!(one.figures.total.total_error_rate.round_dp(4), decimal("0.0256"));
    assert_printed(two.figures.total.precision.unwrap(), 456_204, 1);
    assert_printed(two.figures.total.projected, 173_687, 0);
    assert_eq!(two.figures.total.total_error_rate.round_dp(4), decimal("0.0067"));
    // printed as 2.90 %
    assert_eq!(
        one.figures.total.upper_limit_rate.unwrap().round_dp(4),
        decimal("0.0301")
    );
    // the enlarged sample of programme 2
    input.strata[1].summary = printed(1, 1, 89, "8278", "1122").summary;
    let result = ec(&input).unwrap();
    assert_printed(result.groups[1].figures.total.precision.unwrap(), 263_469, 1);
    assert_printed(result.groups[1].figures.total.projected, 161_715, 0);
}

#[test]
fn excluded_operations_of_monetary_units_7_10_3_2() {
    let drawn = 4_187_175_607 - 586_837_081;
    let stratum = printed(drawn, 0, 87, "1.026", "0.0832")
        .complete(6, 586_837_081, 7_616_805)
        .without(Excluded {
            book_value: 12_706_417,
            items: 4,
            ..Excluded::default()
        });
    let result = ec(&input(EcMethod::MusStandard, "0.9", vec![stratum])).unwrap();
    assert_printed(result.overall.total.projected, 50_225_817, 1);
    assert_printed(precision(&result), 53_015_513, 1);
    assert_printed(upper(&result), 103_241_330, 2);
    assert_printed(result.overall.total.tolerable, 83_997_640, 0);
    assert_eq!(result.overall.total.conclusion, Conclusion::Inconclusive);
}

#[test]
fn excluded_operations_of_equal_probability_7_10_3_4() {
    let stratum = printed(2_004_707_008, 3_512, 45, "378906", "28199")
        .books("23424898")
        .complete(2, 203_577_481, 469_301)
        .without(Excluded {
            book_value: 2_006_876_728 - 2_004_707_008,
            items: 5,
            exhaustive_book_value: 295_006_242 - 203_577_481,
            exhaustive_items: 1,
        });
    let result = ec(&input(EcMethod::MeanPerUnit, "0.7", vec![stratum.clone()])).unwrap();
    let hundredths = |value: Decimal| value.round_dp(2);
    assert_eq!(hundredths(result.overall.total.projected), decimal("30317560.43"));
    assert_eq!(hundredths(precision(&result)), decimal("15316501.38"));
    assert_printed(result.overall.total.book_value, 2_301_882_970, 0);
    assert_eq!(hundredths(upper(&result)), decimal("45634061.81"));
    assert_eq!(result.overall.total.conclusion, Conclusion::NotMaterial);
    let ratio = ec(&input(EcMethod::Ratio, "0.7", vec![stratum])).unwrap();
    assert_eq!(hundredths(ratio.overall.total.projected), decimal("33142008.96"));
}
