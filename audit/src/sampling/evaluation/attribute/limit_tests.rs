//! Published limits, order of the distributions, coverage, refusals.

use proptest::prelude::*;

use super::*;
use crate::sampling::evaluation::{Distribution, LARGEST_POPULATION, LARGEST_SIZE, Sides};

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn input(size: u64, deviations: u64, population: Option<u64>, confidence: &str) -> RateInput {
    RateInput {
        size,
        deviations,
        population,
        confidence: decimal(confidence),
        sides: Sides::Upper,
        distribution: Distribution::Binomial,
        tolerable: None,
    }
}

fn upper(input: &RateInput, distribution: Distribution) -> Decimal {
    let result = rate_limits(&RateInput {
        distribution,
        ..input.clone()
    })
    .unwrap();
    assert_eq!(result.lower_limit, None);
    result.upper_limit.unwrap()
}

/// Sizes of the AICPA tables A-3 and A-4.
const SIZES: [u64; 21] = [
    20, 25, 30, 35, 40, 45, 50, 55, 60, 65, 70, 75, 80, 90, 100, 125, 150, 200, 300, 400, 500,
];

/// Table A-3, risk 5 %: limits in tenths of a percent by size (row) and deviations 0 to 10.
const A3: [[u16; 11]; 21] = [
    [140, 217, 283, 344, 402, 456, 508, 559, 607, 654, 699],
    [113, 177, 232, 282, 330, 376, 420, 463, 504, 544, 584],
    [96, 149, 196, 239, 280, 319, 358, 394, 430, 466, 500],
    [83, 129, 170, 207, 243, 278, 311, 344, 375, 406, 437],
    [73, 114, 150, 183, 215, 246, 275, 304, 333, 360, 388],
    [65, 102, 134, 164, 192, 220, 247, 273, 298, 324, 348],
    [59, 92, 121, 148, 174, 199, 224, 247, 271, 294, 316],
    [54, 84, 111, 135, 159, 182, 205, 226, 248, 269, 289],
    [49, 77, 102, 125, 147, 168, 188, 208, 228, 248, 267],
    [46, 71, 94, 115, 136, 155, 175, 193, 212, 230, 247],
    [42, 66, 88, 108, 127, 145, 163, 180, 197, 214, 231],
    [40, 62, 82, 101, 118, 136, 152, 169, 185, 201, 216],
    [37, 58, 77, 95, 111, 127, 143, 159, 174, 189, 203],
    [33, 52, 69, 84, 99, 114, 128, 142, 155, 169, 182],
    [30, 47, 62, 76, 90, 103, 115, 128, 140, 152, 164],
    [24, 38, 50, 61, 72, 83, 93, 103, 113, 123, 132],
    [20, 32, 42, 51, 60, 69, 78, 86, 95, 103, 111],
    [15, 24, 32, 39, 46, 52, 59, 65, 72, 78, 84],
    [10, 16, 21, 26, 31, 35, 40, 44, 48, 52, 56],
    [8, 12, 16, 20, 23, 27, 30, 33, 36, 39, 43],
    [6, 10, 13, 16, 19, 21, 24, 27, 29, 32, 34],
];

/// Table A-4, risk 10 %.
const A4: [[u16; 11]; 21] = [
    [109, 181, 245, 305, 361, 415, 468, 519, 568, 616, 662],
    [88, 147, 200, 249, 295, 340, 384, 426, 468, 508, 548],
    [74, 124, 168, 210, 249, 288, 325, 362, 397, 432, 467],
    [64, 107, 145, 182, 216, 249, 282, 314, 345, 376, 406],
    [56, 94, 128, 160, 190, 220, 249, 277, 305, 332, 359],
    [50, 84, 114, 143, 170, 197, 223, 248, 273, 298, 322],
    [46, 76, 103, 129, 154, 178, 202, 225, 247, 270, 292],
    [42, 69, 94, 118, 141, 163, 184, 205, 226, 246, 267],
    [38, 64, 87, 108, 129, 150, 169, 189, 208, 227, 246],
    [35, 59, 80, 100, 120, 139, 157, 175, 193, 210, 228],
    [33, 55, 75, 93, 111, 129, 146, 163, 180, 196, 212],
    [31, 51, 70, 87, 104, 121, 137, 152, 168, 183, 198],
    [29, 48, 66, 82, 98, 113, 128, 143, 158, 172, 187],
    [26, 43, 59, 73, 87, 101, 115, 128, 141, 154, 167],
    [23, 39, 53, 66, 79, 91, 103, 115, 127, 139, 150],
    [19, 31, 43, 53, 63, 73, 83, 93, 102, 112, 121],
    [16, 26, 36, 44, 53, 61, 70, 78, 86, 94, 101],
    [12, 20, 27, 34, 40, 46, 53, 59, 65, 71, 76],
    [8, 13, 18, 23, 27, 31, 35, 39, 43, 47, 51],
    [6, 10, 14, 17, 20, 24, 27, 30, 33, 36, 39],
    [5, 8, 11, 14, 16, 19, 21, 24, 26, 29, 31],
];

#[test]
fn the_aicpa_tables_of_limits() {
    for (table, confidence) in [(A3, "0.95"), (A4, "0.9")] {
        for (size, row) in SIZES.into_iter().zip(table) {
            for (k, printed) in (0..).zip(row) {
                let limit = upper(&input(size, k, None, confidence), Distribution::Binomial);
                let tenths = (limit * Decimal::ONE_THOUSAND).ceil();
                assert_eq!(tenths, Decimal::from(printed), "{confidence}: {k} in {size}");
            }
        }
    }
}

/// Reliability factors of EC guidance EGESIF 16-0014, appendix 3 (0 errors and more), printed with two
/// places.
#[test]
fn the_reliability_factors_of_the_ec_guidance() {
    let columns: [(&str, &[&str]); 5] = [
        (
            "0.99",
            &[
                "4.61", "6.64", "8.41", "10.05", "11.60", "13.11", "14.57", "16.00",
            ],
        ),
        (
            "0.95",
            &[
                "3.00", "4.74", "6.30", "7.75", "9.15", "10.51", "11.84", "13.15", "14.43", "15.71", "16.96",
            ],
        ),
        (
            "0.9",
            &[
                "2.30", "3.89", "5.32", "6.68", "7.99", "9.27", "10.53", "11.77", "12.99", "14.21", "15.41",
            ],
        ),
        (
            "0.8",
            &[
                "1.61", "2.99", "4.28", "5.52", "6.72", "7.91", "9.08", "10.23", "11.38", "12.52",
            ],
        ),
        ("0.6", &["0.92", "2.02", "3.11", "4.18", "5.24", "6.29"]),
    ];
    for (confidence, printed) in columns {
        for (k, factor) in (0..).zip(printed) {
            let limit = upper(&input(1_000, k, None, confidence), Distribution::Poisson);
            let rounded = (limit * Decimal::ONE_THOUSAND).round_dp(2);
            assert_eq!(rounded, decimal(factor), "{confidence}, {k} errors");
        }
    }
}

/// Figures of Touw and Hoogduin 2011, pages 125 and 137, and of the tests of `FSaudit` (items of the
/// population).
#[test]
fn hypergeometric_limits_in_items() {
    let items = |n, k, population, confidence: &str| {
        let result = rate_limits(&RateInput {
            distribution: Distribution::Hypergeometric,
            ..input(n, k, Some(population), confidence)
        });
        result.unwrap().upper_items.unwrap()
    };
    let of_1200: Vec<u64> = (0..4).map(|k| items(102, k, 1_200, "0.9")).collect();
    assert_eq!(of_1200, [25, 43, 59, 75]);
    let of_monetary_units: Vec<u64> = (0..4).map(|k| items(145, k, 13_500_000, "0.95")).collect();
    assert_eq!(of_monetary_units, [276_050, 436_007, 577_535, 710_132]);
    assert_eq!(items(59, 0, 500, "0.95"), 23);
    assert_eq!(items(20, 3, 1_000, "0.9"), 302);
    assert_eq!(items(30, 30, 50_000, "0.95"), 50_000);
    assert_eq!(items(59, 5, 1_000_000, "0.95"), 169_960);
    // inventory of 7,360,816, 23 hits
    let inventory: Vec<u64> = (0..13).map(|k| items(23, k, 7_360_816, "0.95")).collect();
    let printed = [
        898_926, 1_400_054, 1_834_672, 2_235_019, 2_612_590, 2_973_023, 3_319_544, 3_654_165, 3_978_194,
        4_292_493, 4_597_611, 4_893_854, 5_181_325,
    ];
    assert_eq!(inventory, printed);
}

#[test]
fn limits_of_the_three_distributions_in_items() {
    let limits = |distribution, sides| {
        let result = rate_limits(&RateInput {
            sides,
            distribution,
            ..input(59, 5, Some(1_000_000), "0.95")
        });
        let result = result.unwrap();
        (result.lower_items, result.upper_items)
    };
    assert_eq!(limits(Distribution::Poisson, Sides::Upper), (None, Some(178_188)));
    assert_eq!(
        limits(Distribution::Binomial, Sides::Upper),
        (None, Some(169_963))
    );
    assert_eq!(limits(Distribution::Poisson, Sides::Lower), (Some(33_392), None));
    assert_eq!(limits(Distribution::Binomial, Sides::Lower), (Some(33_987), None));
    assert_eq!(
        limits(Distribution::Hypergeometric, Sides::Lower),
        (Some(33_989), None)
    );
    let lower = |n, k, population, confidence: &str| {
        rate_limits(&RateInput {
            distribution: Distribution::Hypergeometric,
            sides: Sides::Lower,
            ..input(n, k, Some(population), confidence)
        })
        .unwrap()
        .lower_items
    };
    assert_eq!(lower(59, 6, 1_000_000, "0.95"), Some(45_224));
    assert_eq!(lower(201 / 2 + 1, 48, 201, "0.25"), Some(100));
    assert_eq!(lower(59, 0, 1_000_000, "0.95"), Some(0));
}

/// Touw and Hoogduin 2011, page 137 (binomial): 0.02044826 and so on.
#[test]
fn binomial_limits_of_touw_and_hoogduin() {
    let limit = |k| upper(&input(145, k, None, "0.95"), Distribution::Binomial).round_dp(8);
    let expected = ["0.02044826", "0.03229696", "0.04278054", "0.05260260"].map(decimal);
    assert_eq!([limit(0), limit(1), limit(2), limit(3)], expected);
}

#[test]
fn two_sides_share_the_risk() {
    let both = rate_limits(&RateInput {
        sides: Sides::TwoSided,
        ..input(100, 5, None, "0.9")
    })
    .unwrap();
    let above = rate_limits(&input(100, 5, None, "0.95")).unwrap();
    let below = RateInput {
        sides: Sides::Lower,
        ..input(100, 5, None, "0.95")
    };
    assert_eq!(both.upper_limit, above.upper_limit);
    assert_eq!(both.lower_limit, rate_limits(&below).unwrap().lower_limit);
    // Clopper and Pearson: 5 in 100, 90 %: 2.0 to 10.2 %
    assert_eq!(both.upper_limit.unwrap().round_dp(4), decimal("0.1023"));
    assert_eq!(both.lower_limit.unwrap().round_dp(4), decimal("0.0199"));
}

#[test]
fn the_p_value_and_the_achieved_confidence_belong_together() {
    for distribution in [
        Distribution::Binomial,
        Distribution::Poisson,
        Distribution::Hypergeometric,
    ] {
        let asked = RateInput {
            distribution,
            tolerable: Some(decimal("0.05")),
            ..input(93, 1, Some(5_000), "0.95")
        };
        let result = rate_limits(&asked).unwrap();
        let (p, achieved) = (result.p_value.unwrap(), result.achieved_confidence.unwrap());
        assert_eq!(p + achieved, Decimal::ONE);
        let at = |confidence| {
            let asked = RateInput {
                confidence,
                ..asked.clone()
            };
            rate_limits(&asked).unwrap().upper_limit.unwrap()
        };
        let a_little = decimal("0.000000001");
        assert!(at(achieved - a_little) < decimal("0.05"), "{distribution:?}");
        assert!(at(achieved + a_little) >= decimal("0.05"), "{distribution:?}");
        let expected = if p <= decimal("0.05") {
            Conclusion::NotMaterial
        } else {
            Conclusion::Inconclusive
        };
        assert_eq!(result.conclusion, Some(expected));
    }
    // 0.95^93 + 93 * 0.05 * 0.95^92
    let asked = RateInput {
        tolerable: Some(decimal("0.05")),
        ..input(93, 1, None, "0.95")
    };
    let p = rate_limits(&asked).unwrap().p_value.unwrap();
    let exact = 0.95f64.powi(92) * (0.95 + 93.0 * 0.05);
    assert!((crate::sampling::numerics::decimal_to_float(p) - exact).abs() < 2e-12);
}

/// `ceil(tolerable * N)` in integers: a rate of 28 places is not cut.
#[test]
fn the_tolerable_number_of_items_is_exact() {
    let p = |tolerable: &str| {
        let asked = RateInput {
            distribution: Distribution::Hypergeometric,
            tolerable: Some(decimal(tolerable)),
            ..input(20, 0, Some(100), "0.95")
        };
        rate_limits(&asked).unwrap().p_value.unwrap()
    };
    assert_eq!(p("0.05"), p("0.0400000000000000000000000001"));
    assert!(p("0.05") < p("0.04"));
}

#[test]
fn no_confidence_is_too_extreme() {
    let nearly_one = "0.9999999999999999999999999999";
    let nearly_zero = "0.0000000000000000000000000001";
    for distribution in [
        Distribution::Binomial,
        Distribution::Poisson,
        Distribution::Hypergeometric,
    ] {
        for (n, k) in [(1, 0), (1, 1), (60, 3), (1_000_000, 0), (1_000_000, 500_000)] {
            let high = upper(&input(n, k, Some(2_000_000), nearly_one), distribution);
            let usual = upper(&input(n, k, Some(2_000_000), "0.5"), distribution);
            let low = upper(&input(n, k, Some(2_000_000), nearly_zero), distribution);
            assert!(
                high <= Decimal::ONE && high >= usual && usual >= low,
                "{distribution:?}: {k} in {n}"
            );
        }
    }
}

#[test]
fn improbable_counts_are_warned_of() {
    let warnings = |n, k| rate_limits(&input(n, k, None, "0.95")).unwrap().warnings.len();
    assert_eq!(
        [
            warnings(60, 60),
            warnings(60, 31),
            warnings(60, 30),
            warnings(1, 1)
        ],
        [1, 1, 0, 1]
    );
}

#[test]
fn impossible_rates_are_refused() {
    let refusal = |input: RateInput| {
        let error = rate_limits(&input).unwrap_err();
        (error.code(), error.field())
    };
    let good = input(60, 1, Some(600), "0.95");
    for confidence in ["0", "1", "100", "-0.5"] {
        let asked = input(60, 1, None, confidence);
        assert_eq!(refusal(asked), ("CONFIDENCE_OUT_OF_RANGE", "confidence"));
    }
    assert_eq!(refusal(input(0, 0, None, "0.95")), ("SAMPLE_EMPTY", "size"));
    assert_eq!(
        refusal(input(LARGEST_SIZE + 1, 0, None, "0.95")),
        ("SAMPLE_TOO_LARGE", "size")
    );
    assert_eq!(
        refusal(input(60, 61, None, "0.95")),
        ("DEVIATIONS_ABOVE_SIZE", "deviations")
    );
    assert_eq!(
        refusal(input(60, 1, Some(59), "0.95")),
        ("SAMPLE_LARGER_THAN_POPULATION", "population")
    );
    let asked = RateInput {
        distribution: Distribution::Hypergeometric,
        population: None,
        ..good.clone()
    };
    assert_eq!(refusal(asked), ("POPULATION_MISSING", "population"));
    assert_eq!(
        refusal(input(60, 1, Some(LARGEST_POPULATION + 1), "0.95")).0,
        "POPULATION_TOO_LARGE"
    );
    for tolerable in ["0", "-0.1", "1.1"] {
        let asked = RateInput {
            tolerable: Some(decimal(tolerable)),
            ..good.clone()
        };
        assert_eq!(refusal(asked), ("TOLERABLE_OUT_OF_RANGE", "tolerable"));
    }
}

#[test]
fn the_shape_of_input_and_result() {
    let text = r#"{"size":60,"deviations":0,"confidence":"0.95","sides":"UPPER",
        "distribution":"BINOMIAL","tolerable":0.05}"#;
    let asked: RateInput = serde_json::from_str(text).unwrap();
    let json = serde_json::to_value(rate_limits(&asked).unwrap()).unwrap();
    assert_eq!(json["method"], "attribute-clopper-pearson");
    assert_eq!(json["upperLimit"], "0.048702913311");
    assert_eq!(json["pValue"], "0.046069798987");
    assert_eq!(json["conclusion"], "NOT_MATERIAL");
    let unknown = text.replace("size", "sise");
    assert!(serde_json::from_str::<RateInput>(&unknown).is_err());
}

/// Share of samples whose limit holds the true rate, with a fixed sequence of pseudo-random numbers.
fn coverage(distribution: Distribution, confidence: &str) -> f64 {
    let (population, deviating, size) = (400u64, 24u64, 60u64);
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        u64::try_from((u128::from(state) * u128::from(below)) >> 64).unwrap()
    };
    let rounds = 3_000u32;
    let limits: Vec<Decimal> = (0..=deviating)
        .map(|k| upper(&input(size, k, Some(population), confidence), distribution))
        .collect();
    let truth = Decimal::from(deviating) / Decimal::from(population);
    let held: u32 = (0..rounds)
        .map(|_| {
            let (mut left, mut bad) = (population, deviating);
            let mut k = 0;
            for _ in 0..size {
                if random(left) < bad {
                    bad -= 1;
                    k += 1;
                }
                left -= 1;
            }
            u32::from(limits[k] >= truth)
        })
        .sum();
    f64::from(held) / f64::from(rounds)
}

#[test]
fn limits_cover_at_their_confidence() {
    for confidence in ["0.8", "0.9", "0.95"] {
        let nominal: f64 = confidence.parse().unwrap();
        let [exact, binomial, poisson] = [
            Distribution::Hypergeometric,
            Distribution::Binomial,
            Distribution::Poisson,
        ]
        .map(|distribution| coverage(distribution, confidence));
        // three standard errors of the simulation
        let noise = 3.0 * (nominal * (1.0 - nominal) / 3_000.0).sqrt();
        assert!(exact >= nominal - noise, "{confidence}: {exact}");
        // the same samples: whoever is wider holds at least as often
        assert!(binomial >= exact && poisson >= binomial);
    }
}

fn strata_input(counts: &[(u64, u64, u64)], combination: Combination) -> StrataInput {
    StrataInput {
        strata: (0..)
            .zip(counts)
            .map(|(ordinal, &(population, size, deviations))| StratumInput {
                ordinal,
                population,
                size,
                deviations,
            })
            .collect(),
        confidence: decimal("0.95"),
        sides: Sides::Upper,
        distribution: Distribution::Binomial,
        combination,
        tolerable: Some(decimal("0.2")),
    }
}

#[test]
fn strata_are_combined_as_asked() {
    let even = [(500, 50, 5), (300, 30, 0), (200, 20, 1), (0, 0, 0)];
    let pooled = strata_limits(&strata_input(&even, Combination::Pooled)).unwrap();
    let all = rate_limits(&RateInput {
        tolerable: Some(decimal("0.2")),
        ..input(100, 6, Some(1_000), "0.95")
    })
    .unwrap();
    assert_eq!(
        (pooled.rate, pooled.upper_limit),
        (decimal("0.06"), all.upper_limit)
    );
    assert_eq!(pooled.achieved_confidence, all.achieved_confidence);
    assert_eq!(pooled.strata[3].result, None);

    let uneven = [(900, 30, 3), (100, 30, 6)];
    let normal = strata_limits(&strata_input(&uneven, Combination::Normal)).unwrap();
    assert_eq!(normal.rate, decimal("0.11"));
    // sqrt(0.81 * 0.09 / 30 + 0.01 * 0.16 / 30) = 0.0498330... ; * 1.644853627
    assert_eq!(normal.standard_error.unwrap().round_dp(6), decimal("0.049833"));
    assert_eq!(normal.upper_limit.unwrap().round_dp(5), decimal("0.19197"));
    assert_eq!(normal.conclusion, Some(Conclusion::NotMaterial));
    // Phi(0.09 / 0.0498330) = Phi(1.80604)
    assert_eq!(normal.achieved_confidence.unwrap().round_dp(4), decimal("0.9645"));
    assert_eq!(normal.warnings.len(), 1, "three deviations are few");

    let sum = strata_limits(&strata_input(&uneven, Combination::Bonferroni)).unwrap();
    let single = |n, k| upper(&input(n, k, None, "0.975"), Distribution::Binomial);
    let expected = single(30, 3) * decimal("0.9") + single(30, 6) * decimal("0.1");
    let difference = sum.upper_limit.unwrap() - expected;
    assert!(difference >= Decimal::ZERO && difference < decimal("0.00000000001"));
    assert!(sum.upper_limit > normal.upper_limit);
}

#[test]
fn impossible_strata_are_refused() {
    let refusal = |input: &StrataInput| {
        let error = strata_limits(input).unwrap_err();
        (error.code(), error.field())
    };
    let uneven = [(900, 30, 3), (100, 30, 6)];
    assert_eq!(
        refusal(&strata_input(&uneven, Combination::Pooled)),
        ("ALLOCATION_NOT_PROPORTIONAL", "combination")
    );
    let normal = |counts: &[(u64, u64, u64)]| strata_input(counts, Combination::Normal);
    assert_eq!(refusal(&normal(&[(0, 0, 0)])), ("STRATA_EMPTY", "strata"));
    assert_eq!(refusal(&normal(&[])), ("STRATA_EMPTY", "strata"));
    assert_eq!(refusal(&normal(&[(9, 0, 0)])).0, "SAMPLE_EMPTY");
    assert_eq!(refusal(&normal(&[(9, 10, 0)])).0, "SAMPLE_LARGER_THAN_POPULATION");
    assert_eq!(refusal(&normal(&[(9, 5, 6)])).0, "DEVIATIONS_ABOVE_SIZE");
    assert_eq!(
        refusal(&normal(&[(LARGEST_POPULATION, 5, 0), (1, 1, 0)])).0,
        "POPULATION_TOO_LARGE"
    );
    let mut twice = normal(&[(9, 5, 0), (9, 5, 0)]);
    twice.strata[1].ordinal = 0;
    assert_eq!(refusal(&twice), ("STRATUM_TWICE", "ordinal"));
    let mut sure = normal(&[(9, 5, 0)]);
    sure.confidence = Decimal::ONE;
    assert_eq!(refusal(&sure).0, "CONFIDENCE_OUT_OF_RANGE");
    let mut all = normal(&[(9, 5, 0)]);
    all.tolerable = Some(Decimal::ZERO);
    assert_eq!(refusal(&all).0, "TOLERABLE_OUT_OF_RANGE");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn limits_fall_with_the_size_and_rise_with_deviations(
        n in 2u64..2_000, share in 0u64..1_000, confidence in 50u32..999,
    ) {
        let k = n * share / 1_000;
        prop_assume!(k + 1 < n);
        let confidence = Decimal::new(i64::from(confidence), 3).to_string();
        let population = Some(5_000);
        for distribution in [Distribution::Binomial, Distribution::Poisson, Distribution::Hypergeometric] {
            let limit = |n, k| upper(&input(n, k, population, &confidence), distribution);
            prop_assert!(limit(n + 1, k) <= limit(n, k));
            prop_assert!(limit(n, k + 1) >= limit(n, k));
        }
    }

    #[test]
    fn exact_below_binomial_below_poisson(
        n in 2u64..1_000, share in 0u64..=500, more in 0u64..3_000, confidence in 900u32..=999,
    ) {
        let k = n * share / 1_000;
        let population = n + more;
        let confidence = Decimal::new(i64::from(confidence), 3).to_string();
        let limit = |distribution| upper(&input(n, k, Some(population), &confidence), distribution);
        let [exact, binomial, poisson] =
            [Distribution::Hypergeometric, Distribution::Binomial, Distribution::Poisson].map(limit);
        prop_assert!(exact <= binomial, "{exact} {binomial}");
        prop_assert!(binomial <= poisson, "{binomial} {poisson}");
    }
}
