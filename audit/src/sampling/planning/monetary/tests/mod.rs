mod cell;
mod ec;
mod high_value;

use proptest::prelude::*;

use super::*;
use crate::sampling::planning::monetary_size;

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn input(
    method: MonetaryMethod,
    book: i64,
    confidence: &str,
    tolerable: i64,
    expected: i64,
) -> MonetarySizeInput {
    MonetarySizeInput {
        method,
        unit: Unit::Euro,
        book_value: book,
        confidence: decimal(confidence),
        tolerable,
        expected,
    }
}

fn size(method: MonetaryMethod, book: i64, confidence: &str, tolerable: i64, expected: i64) -> u64 {
    monetary_unit_size(&input(method, book, confidence, tolerable, expected))
        .unwrap()
        .size
}

/// AICPA Audit Guide Audit Sampling (2017), table C-1: risk and ratio of expected to tolerable in per cent;
/// sizes for the tolerable shares of [`SHARES`]; sum of taintings in hundredths.
const C1: [(i64, i64, [u64; 11], i64); 38] = [
    (5, 0, [6, 10, 30, 38, 50, 60, 75, 100, 150, 300, 600], 0),
    (5, 10, [8, 13, 37, 46, 62, 74, 92, 123, 184, 368, 736], 37),
    (5, 20, [10, 16, 47, 58, 78, 93, 116, 155, 232, 463, 925], 93),
    (5, 30, [12, 20, 60, 75, 100, 120, 150, 200, 300, 600, 1199], 180),
    (5, 40, [17, 27, 81, 102, 135, 162, 203, 270, 405, 809, 1618], 324),
    (
        5,
        50,
        [24, 39, 116, 145, 193, 231, 289, 385, 577, 1154, 2308],
        577,
    ),
    (10, 0, [5, 8, 24, 29, 39, 47, 58, 77, 116, 231, 461], 0),
    (10, 20, [7, 12, 35, 43, 57, 69, 86, 114, 171, 341, 682], 69),
    (10, 30, [9, 15, 44, 55, 73, 87, 109, 145, 217, 433, 866], 130),
    (10, 40, [12, 20, 58, 72, 96, 115, 143, 191, 286, 572, 1144], 229),
    (10, 50, [16, 27, 80, 100, 134, 160, 200, 267, 400, 799, 1597], 400),
    (15, 0, [4, 7, 19, 24, 32, 38, 48, 64, 95, 190, 380], 0),
    (15, 20, [6, 10, 28, 35, 46, 55, 69, 91, 137, 273, 545], 55),
    (15, 30, [7, 12, 35, 43, 57, 69, 86, 114, 171, 341, 681], 103),
    (15, 40, [9, 15, 45, 56, 74, 89, 111, 148, 221, 442, 883], 177),
    (15, 50, [13, 21, 61, 76, 101, 121, 151, 202, 302, 604, 1208], 302),
    (20, 0, [4, 6, 17, 21, 27, 33, 41, 54, 81, 161, 322], 0),
    (20, 20, [5, 8, 23, 29, 38, 46, 57, 76, 113, 226, 451], 46),
    (20, 30, [6, 10, 28, 35, 47, 56, 70, 93, 139, 277, 554], 84),
    (20, 40, [8, 12, 36, 45, 59, 71, 89, 118, 177, 354, 707], 142),
    (20, 50, [10, 16, 48, 60, 80, 95, 119, 159, 238, 475, 949], 238),
    (25, 0, [3, 5, 14, 18, 24, 28, 35, 47, 70, 139, 278], 0),
    (25, 20, [4, 7, 19, 24, 32, 38, 48, 64, 95, 190, 380], 38),
    (25, 30, [5, 8, 23, 29, 39, 46, 58, 77, 115, 230, 460], 69),
    (25, 40, [6, 10, 29, 37, 49, 58, 73, 97, 145, 289, 578], 116),
    (25, 50, [8, 13, 38, 48, 64, 76, 95, 127, 190, 380, 760], 190),
    (30, 0, [3, 5, 13, 16, 21, 25, 31, 41, 61, 121, 241], 0),
    (30, 20, [4, 6, 17, 21, 27, 33, 41, 54, 81, 162, 323], 33),
    (30, 40, [5, 8, 24, 30, 40, 48, 60, 80, 120, 239, 477], 96),
    (30, 60, [9, 15, 43, 54, 71, 85, 107, 142, 213, 425, 850], 255),
    (35, 0, [3, 4, 11, 14, 18, 21, 27, 35, 53, 105, 210], 0),
    (35, 20, [3, 5, 14, 18, 23, 28, 35, 46, 69, 138, 276], 28),
    (35, 40, [4, 7, 20, 25, 34, 40, 50, 67, 100, 199, 397], 80),
    (35, 60, [7, 12, 34, 43, 57, 68, 85, 113, 169, 338, 676], 203),
    (50, 0, [2, 3, 7, 9, 12, 14, 18, 24, 35, 70, 139], 0),
    (50, 20, [2, 3, 9, 11, 15, 18, 22, 29, 44, 87, 173], 18),
    (50, 40, [3, 4, 12, 15, 19, 23, 29, 38, 57, 114, 228], 46),
    (50, 60, [4, 6, 17, 22, 29, 34, 43, 57, 85, 170, 340], 102),
];

/// Tolerable shares of table C-1, in thousandths.
const SHARES: [i64; 11] = [500, 300, 100, 80, 60, 50, 40, 30, 20, 10, 5];

#[test]
fn every_cell_of_aicpa_table_c1_comes_out() {
    let (mut by_factor, mut one_more) = (0, 0);
    for (risk, ratio, sizes, taintings) in C1 {
        let confidence = Decimal::new(100 - risk, 2).to_string();
        for (share, printed) in SHARES.iter().zip(sizes) {
            let (tolerable, expected) = (share * 1_000_000, share * ratio * 10_000);
            let plan = monetary_unit_size(&input(
                MonetaryMethod::Gamma,
                1_000_000_000,
                &confidence,
                tolerable,
                expected,
            ))
            .unwrap();
            assert_eq!(plan.size, printed, "{risk} {ratio} {share}");
            let stored = monetary_size(1_000_000_000, decimal(&confidence), tolerable, expected).unwrap();
            assert_eq!(
                (stored.size, stored.planned_taintings),
                (printed, plan.planned_taintings)
            );
            let factor = size(
                MonetaryMethod::ConfidenceFactor,
                1_000_000_000,
                &confidence,
                tolerable,
                expected,
            );
            by_factor += u32::from(factor == printed);
            one_more += u32::from(factor == printed + 1);
            if *share == 5 {
                // the printed sum is that of the largest sample, rounded up to hundredths
                let hundredths = (plan.planned_taintings * Decimal::from(100)).ceil();
                assert!(
                    (hundredths - Decimal::from(taintings)).abs() <= Decimal::ONE,
                    "{risk} {ratio}"
                );
            }
        }
    }
    // the factor is rounded up, and with it some sizes
    assert_eq!((by_factor, one_more), (402, 16));
}

/// Results of the IDEA software, published with the R package `FSaudit`: book value, confidence, tolerable,
/// expected, size.
const IDEA: [(i64, i64, i64, i64, u64); 30] = [
    (893_138, 76, 14_271, 467, 94),
    (809_593, 77, 2_552, 468, 618),
    (515_252, 66, 16_271, 635, 36),
    (1_000_000, 99, 5_000, 0, 919),
    (753_812, 97, 14_298, 264, 191),
    (430_537, 90, 3_489, 106, 298),
    (742_865, 98, 19_300, 405, 156),
    (523_530, 93, 5_206, 727, 348),
    (283_687, 98, 17_917, 650, 65),
    (280_362, 72, 5_626, 530, 72),
    (286_409, 97, 17_751, 80, 56),
    (334_605, 93, 17_888, 509, 52),
    (302_519, 60, 17_742, 517, 17),
    (370_601, 66, 17_962, 922, 24),
    (423_742, 64, 13_357, 991, 36),
    (748_335, 73, 1_033, 361, 1711),
    (682_256, 97, 4_420, 0, 540),
    (403_515, 88, 17_018, 984, 55),
    (755_051, 60, 15_968, 833, 46),
    (649_138, 84, 8_556, 999, 168),
    (118_339, 98, 5_102, 0, 89),
    (161_854, 72, 1_223, 344, 261),
    (181_607, 61, 5_386, 120, 33),
    (586_298, 68, 9_074, 952, 85),
    (680_364, 86, 6_230, 923, 275),
    (827_521, 71, 17_426, 362, 61),
    (661_559, 64, 18_393, 311, 38),
    (761_898, 64, 113, 30, 9870),
    (901_199, 67, 10_347, 973, 110),
    (967_317, 60, 3_768, 731, 300),
];

#[test]
fn sizes_of_the_idea_software_come_out() {
    for (book, confidence, tolerable, expected, printed) in IDEA {
        let confidence = Decimal::new(confidence, 2).to_string();
        let found = size(
            MonetaryMethod::HypergeometricInterpolated,
            book,
            &confidence,
            tolerable,
            expected,
        );
        assert_eq!(found, printed, "{book} {confidence} {tolerable} {expected}");
    }
}

#[test]
fn sizes_of_touw_and_hoogduin_come_out() {
    use MonetaryMethod::{BinomialInterpolated, HypergeometricInterpolated, PoissonInterpolated};
    // p. 131, 134, 144
    assert_eq!(
        size(HypergeometricInterpolated, 12_000_000, "0.95", 120_000, 0),
        299
    );
    assert_eq!(
        size(HypergeometricInterpolated, 13_500_000, "0.95", 450_000, 100_000),
        145
    );
    // the line crosses at exactly 745; printed is 746, since a float lay a trifle above
    assert_eq!(
        size(HypergeometricInterpolated, 13_500_000, "0.95", 450_000, 300_000),
        745
    );
    assert_eq!(
        size(BinomialInterpolated, 13_500_000, "0.95", 450_000, 100_000),
        145
    );
    // FSaudit, a population of 1,000,000
    assert_eq!(
        size(HypergeometricInterpolated, 1_000_000, "0.95", 100_000, 20_000),
        44
    );
    assert_eq!(
        size(HypergeometricInterpolated, 1_000_000, "0.95", 100_000, 0),
        29
    );
    assert_eq!(size(BinomialInterpolated, 1_000_000, "0.95", 100_000, 0), 29);
    assert_eq!(size(BinomialInterpolated, 1_000_000, "0.95", 100_000, 20_000), 44);
    assert_eq!(size(BinomialInterpolated, 1_000_000, "0.95", 100_000, 40_000), 78);
    assert_eq!(size(PoissonInterpolated, 1_000_000, "0.95", 100_000, 0), 30);
    assert_eq!(size(PoissonInterpolated, 1_000_000, "0.95", 100_000, 20_000), 47);
    // exactly 60 again; a float made it 61 there
    assert_eq!(size(PoissonInterpolated, 1_000_000, "0.95", 100_000, 30_000), 60);
    // the continuous method knows no whole errors and names another size
    assert_eq!(
        size(MonetaryMethod::Gamma, 13_500_000, "0.95", 450_000, 100_000),
        147
    );
}

#[test]
fn an_interpolation_that_ends_on_a_whole_number_stays_there() {
    // between n(0) = 10 and n(1) = 20 at the share 1/15: the line crosses at 30, beyond both; at 1/20 exactly
    // at 20
    assert_eq!(between(0, 10, 20, 1, 20), Some(20));
    // (0 - 10/10) / (1/30 - 1/10) = 15 exactly, which floats put at 15.000000000000002
    assert_eq!(between(0, 10, 20, 1, 30), Some(15));
    assert_eq!(between(0, 10, 20, 1, 31), Some(15));
    assert_eq!(between(0, 10, 20, 2, 59), Some(16));
}

#[test]
fn the_factor_and_the_derivation_can_be_followed() {
    let plan = monetary_unit_size(&input(
        MonetaryMethod::ConfidenceFactor,
        1_000_000,
        "0.95",
        50_000,
        10_000,
    ))
    .unwrap();
    // 4.63 of the AICPA confidence factors for the ratio 0.20
    assert_eq!((plan.factor, plan.size), (Some(decimal("4.63")), 93));
    let values: Vec<&str> = plan.steps.iter().map(|step| step.value.as_str()).collect();
    assert_eq!(values, ["0.05", "4.63", "93", "10752.688172"]);
    assert!(plan.steps[2].de.ends_with("⌈4,63 · 1000000/50000⌉"));
    assert_eq!(plan.planned_taintings, decimal("0.93"));
    assert_eq!(plan.cannot_find.len(), 3);
    let plan = monetary_unit_size(&input(
        MonetaryMethod::HypergeometricInterpolated,
        13_500_000,
        "0.95",
        450_000,
        100_000,
    ))
    .unwrap();
    let values: Vec<&str> = plan.steps.iter().map(|step| step.value.as_str()).collect();
    assert_eq!(values, ["0.033333333333", "141", "187", "145", "93103.448276"]);
}

#[test]
fn impossible_figures_are_refused_by_name() {
    let refused = |book, confidence: &str, tolerable, expected| {
        let error = monetary_unit_size(&input(
            MonetaryMethod::Gamma,
            book,
            confidence,
            tolerable,
            expected,
        ))
        .unwrap_err();
        (error.code(), error.field())
    };
    assert_eq!(refused(0, "0.95", 1, 0), ("AMOUNT_OUT_OF_RANGE", "bookValue"));
    assert_eq!(refused(-5, "0.95", 1, 0), ("AMOUNT_OUT_OF_RANGE", "bookValue"));
    assert_eq!(refused(100, "1", 5, 0), ("CONFIDENCE_OUT_OF_RANGE", "confidence"));
    assert_eq!(refused(100, "0.95", 0, 0), ("AMOUNT_OUT_OF_RANGE", "tolerable"));
    assert_eq!(refused(100, "0.95", 101, 0), ("AMOUNT_OUT_OF_RANGE", "tolerable"));
    assert_eq!(refused(100, "0.95", 5, -1), ("AMOUNT_OUT_OF_RANGE", "expected"));
    assert_eq!(
        refused(100, "0.95", 5, 5),
        ("TOLERABLE_NOT_ABOVE_EXPECTED", "tolerable")
    );
    assert_eq!(
        refused(100, "0.95", 1, 0),
        ("SAMPLE_LARGER_THAN_POPULATION", "population")
    );
    for method in [
        MonetaryMethod::ConfidenceFactor,
        MonetaryMethod::BinomialInterpolated,
        MonetaryMethod::PoissonInterpolated,
    ] {
        let error = monetary_unit_size(&input(method, 100, "0.95", 2, 1)).unwrap_err();
        assert_eq!(error.code(), "SAMPLE_LARGER_THAN_POPULATION", "{method:?}");
    }
    let large = input(
        MonetaryMethod::HypergeometricInterpolated,
        1_000_000_000_001,
        "0.95",
        1_000_000_000,
        0,
    );
    assert_eq!(monetary_unit_size(&large).unwrap_err().field(), "bookValue");
    let json =
        r#"{"method":"GAMMA","unit":"CENT","bookValue":100,"confidence":0.95,"tolerable":10,"expected":0}"#;
    assert_eq!(
        monetary_unit_size(&serde_json::from_str(json).unwrap())
            .unwrap()
            .size,
        30
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn interpolated_sizes_lie_between_their_whole_errors(
        book in 10_000i64..5_000_000, percent in 1i64..20, ratio in 0i64..80,
    ) {
        let (tolerable, expected) = (book * percent / 100, book * percent * ratio / 10_000);
        prop_assume!(tolerable > expected && tolerable > 0);
        for method in [
            MonetaryMethod::HypergeometricInterpolated,
            MonetaryMethod::BinomialInterpolated,
            MonetaryMethod::PoissonInterpolated,
        ] {
            let plan = monetary_unit_size(&input(method, book, "0.9", tolerable, expected)).unwrap();
            // share, n(c - 1), n(c), the size between them, interval
            if plan.steps.len() == 5 {
                let value = |step: usize| plan.steps[step].value.parse::<u64>().unwrap();
                prop_assert!(plan.size > value(1) && plan.size <= value(2), "{plan:?}");
            }
        }
    }
}
