use proptest::prelude::*;

use super::*;

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// Figures of a published sample: units, units with a difference, sums, sums of squares and products.
type Sums = [i128; 7];

fn part(name: &str, population: u64, book_value: i64, sums: Sums) -> Part {
    let [size, errors, book, audit, book_squares, audit_squares, products] = sums;
    Part {
        name: name.into(),
        population,
        book_value,
        moments: Moments {
            size: u64::try_from(size).unwrap(),
            errors: u64::try_from(errors).unwrap(),
            book: book.into(),
            audit: audit.into(),
            book_squares: book_squares.into(),
            audit_squares: audit_squares.into(),
            products: products.into(),
        },
    }
}

fn input(estimator: Estimator) -> VariablesInput {
    VariablesInput {
        estimator,
        combination: None,
        unit: AmountUnit::Cent,
        confidence: decimal("0.95"),
        sides: Sides::TwoSided,
        quantile: QuantileChoice::StudentT,
        finite_correction: FiniteCorrection::Population,
        few_errors: FewErrors::None,
        sampling_unit: SamplingUnit::Item,
        strata: Vec::new(),
        tolerable: None,
    }
}

fn items(pairs: &[(i64, i64)]) -> Vec<VariablesItem> {
    pairs
        .iter()
        .map(|&(book_value, audit_value)| VariablesItem {
            id: None,
            cluster: None,
            book_value,
            audit_value,
        })
        .collect()
}

fn stratum(name: &str, population: u64, book_value: i64, pairs: &[(i64, i64)]) -> VariablesStratum {
    VariablesStratum {
        name: name.into(),
        population,
        book_value,
        items: items(pairs),
    }
}

/// Whether `value` is within `share` of the printed figure.
fn near(value: Decimal, printed: &str, share: &str) -> bool {
    let printed = decimal(printed);
    (value - printed).abs() <= printed.abs() * decimal(share)
}

const CENT: Decimal = Decimal::ONE_HUNDRED;

/// The sample of `FSaudit`'s comparison with IDEA: strata of its inventory file, in cents.
const IDEA: [(u64, i64); 3] = [(1826, 124_339_138), (1193, 311_493_439), (481, 300_249_023)];

fn idea(estimator: Estimator, sums: [Sums; 3]) -> VariablesResult {
    let mut input = input(estimator);
    input.few_errors = FewErrors::Idea;
    if matches!(estimator, Estimator::Ratio | Estimator::Regression) {
        input.combination = Some(Combination::Combined);
    }
    let parts: Vec<Part> = IDEA
        .iter()
        .zip(sums)
        .map(|(&(population, book), sums)| part(&population.to_string(), population, book, sums))
        .collect();
    project(&input, &parts).unwrap()
}

#[test]
fn combined_estimates_equal_those_of_idea() {
    use Estimator::{Difference, MeanPerUnit, Ratio, Regression};
    let scenarios: [([Sums; 3], [(&str, &str); 4]); 5] = [
        (
            [
                [
                    113,
                    113,
                    7_714_732,
                    7_598_300,
                    756_481_968_592,
                    744_744_890_000,
                    735_969_142_600,
                ],
                [
                    121,
                    121,
                    31_177_192,
                    30_859_900,
                    8_656_848_345_360,
                    8_796_144_690_000,
                    8_564_270_779_800,
                ],
                [
                    127,
                    127,
                    79_361_684,
                    81_752_000,
                    53_679_595_098_202,
                    59_903_116_520_000,
                    55_429_784_039_100,
                ],
            ],
            [
                ("7366741.14", "289551.46"),
                ("7401248.86", "157689.18"),
                ("7401439.30", "157711.17"),
                ("7400953.35", "158327"),
            ],
        ),
        (
            [
                [
                    113,
                    21,
                    7_714_732,
                    7_516_425,
                    756_481_968_592,
                    753_841_176_287,
                    753_841_176_287,
                ],
                [
                    121,
                    21,
                    31_177_192,
                    27_656_133,
                    8_656_848_345_360,
                    8_065_560_744_509,
                    8_065_560_744_509,
                ],
                [
                    127,
                    21,
                    79_361_684,
                    70_246_611,
                    53_679_595_098_202,
                    49_721_009_948_731,
                    49_721_009_948_731,
                ],
            ],
            [
                ("6601879.89", "358457.63"),
                ("6636387.62", "174826.85"),
                ("6632975.48", "186833.70"),
                ("6647284.02", "157269"),
            ],
        ),
        (
            [
                [
                    113,
                    11,
                    7_714_732,
                    7_661_183,
                    756_481_968_592,
                    756_115_201_133,
                    756_115_201_133,
                ],
                [
                    121,
                    11,
                    31_177_192,
                    29_393_468,
                    8_656_848_345_360,
                    8_367_504_226_112,
                    8_367_504_226_112,
                ],
                [
                    127,
                    11,
                    79_361_684,
                    74_682_122,
                    53_679_595_098_202,
                    51_688_567_756_784,
                    51_688_567_756_784,
                ],
            ],
            [
                ("6964554.99", "310558.99"),
                ("6999062.71", "128570.44"),
                ("6997358.82", "132897.52"),
                ("7004785.27", "122418"),
            ],
        ),
        (
            [
                [
                    113,
                    9,
                    7_714_732,
                    7_680_902,
                    756_481_968_592,
                    756_310_005_178,
                    756_310_005_178,
                ],
                [
                    121,
                    9,
                    31_177_192,
                    29_728_071,
                    8_656_848_345_360,
                    8_423_484_433_761,
                    8_423_484_433_761,
                ],
                [
                    127,
                    9,
                    79_361_684,
                    75_549_815,
                    53_679_595_098_202,
                    52_065_016_895_029,
                    52_065_016_895_029,
                ],
            ],
            [
                ("7033594.66", "299773.16"),
                ("7068102.38", "144273.30"),
                ("7066723.67", "161199.80"),
                ("7072777.42", "140366"),
            ],
        ),
        (
            [
                [
                    113,
                    4,
                    7_714_732,
                    7_708_319,
                    756_481_968_592,
                    756_470_924_773,
                    756_470_924_773,
                ],
                [
                    121,
                    4,
                    31_177_192,
                    30_539_971,
                    8_656_848_345_360,
                    8_555_334_347_005,
                    8_555_334_347_005,
                ],
                [
                    127,
                    4,
                    79_361_684,
                    77_679_457,
                    53_679_595_098_202,
                    52_972_112_712_037,
                    52_972_112_712_037,
                ],
            ],
            [
                ("7198732.46", "270891.67"),
                ("7233240.18", "128074.60"),
                ("7232639.29", "152456.10"),
                ("7235304.16", "126961"),
            ],
        ),
    ];
    for (sums, printed) in scenarios {
        for (estimator, (audited, precision)) in [MeanPerUnit, Difference, Ratio, Regression]
            .into_iter()
            .zip(printed)
        {
            let result = idea(estimator, sums);
            let euros = (result.audited_value.estimate / CENT).round_dp(2);
            assert_eq!(euros, decimal(audited), "{}", result.method);
            // IDEA's t quantile is that of whole degrees of freedom, in one direction or the other
            assert!(near(result.precision / CENT, precision, "0.00002"), "{result:?}");
        }
    }
}

#[test]
fn variances_of_idea_for_few_errors() {
    let sums = [
        [
            113,
            9,
            7_714_732,
            7_680_902,
            756_481_968_592,
            756_310_005_178,
            756_310_005_178,
        ],
        [
            121,
            9,
            31_177_192,
            29_728_071,
            8_656_848_345_360,
            8_423_484_433_761,
            8_423_484_433_761,
        ],
        [
            127,
            9,
            79_361_684,
            75_549_815,
            53_679_595_098_202,
            52_065_016_895_029,
            52_065_016_895_029,
        ],
    ];
    for (estimator, printed) in [
        (Estimator::MeanPerUnit, ["209124", "933081", "5652310"]),
        (Estimator::Difference, ["238", "280142", "1787948"]),
        (Estimator::Ratio, ["1164", "351471", "2200436"]),
        (Estimator::Regression, ["3486", "258065", "1682447"]),
    ] {
        let result = idea(estimator, sums);
        for (stratum, printed) in result.strata.iter().zip(printed) {
            let euros = (stratum.variance / (CENT * CENT)).round_dp(0);
            assert!(
                (euros - decimal(printed)).abs() <= Decimal::ONE,
                "{estimator:?} {euros}"
            );
        }
    }
}

#[test]
fn the_worked_example_of_touw_and_hoogduin() {
    // Data Analytics for Auditors, chapter 4: 400 of 3,500 items; squares are printed in whole euros
    let sums = [
        400,
        400,
        86_320_137,
        86_421_248,
        35_860_869_820_000,
        36_499_779_840_000,
        35_504_374_640_000,
    ];
    for (estimator, audited, precision) in [
        (Estimator::MeanPerUnit, "7561859", "684415"),
        (Estimator::Regression, "7373882", "188123"),
        (Estimator::Difference, "7369663", "188467"),
        (Estimator::Ratio, "7369438", "188530"),
    ] {
        let result = project(&input(estimator), &[part("all", 3_500, 736_081_600, sums)]).unwrap();
        let euros = |value: Decimal| (value / CENT).round_dp(0);
        assert_eq!(euros(result.audited_value.estimate), decimal(audited));
        assert!(
            (euros(result.precision) - decimal(precision)).abs() <= Decimal::ONE,
            "{result:?}"
        );
        assert_eq!(result.degrees_of_freedom, Some(decimal("399")));
    }
}

#[test]
fn the_figures_of_jfa() {
    // first 100 items of its data set BuildIt, without finite correction; misstatement and limits
    let sums = [
        100,
        5,
        3_936_968,
        3_838_972,
        181_050_999_148,
        176_265_154_460,
        177_632_552_621,
    ];
    for (estimator, printed) in [
        (Estimator::MeanPerUnit, ["59580.62", "-59050.61", "178211.90"]),
        (Estimator::Difference, ["34298.60", "3437.26", "65159.94"]),
    ] {
        let mut input = input(estimator);
        input.finite_correction = FiniteCorrection::None;
        let result = project(&input, &[part("all", 3_500, 140_322_082, sums)]).unwrap();
        let limits = [
            result.misstatement.estimate,
            result.misstatement.lower.unwrap(),
            result.misstatement.upper.unwrap(),
        ];
        for (limit, printed) in limits.into_iter().zip(printed) {
            assert!(near(limit / CENT, printed, "0.000001"), "{limit} {printed}");
        }
    }
}

/// Lohr, Sampling: Design and Analysis, example of dead trees: count on the photo and in the field, 25 of 100 plots.
const TREES: [(i64, i64); 25] = [
    (10, 15),
    (12, 14),
    (7, 9),
    (13, 14),
    (13, 8),
    (6, 5),
    (17, 18),
    (16, 15),
    (15, 13),
    (10, 15),
    (14, 11),
    (12, 15),
    (10, 12),
    (5, 8),
    (12, 13),
    (10, 9),
    (10, 11),
    (9, 12),
    (6, 9),
    (11, 12),
    (7, 13),
    (9, 11),
    (11, 10),
    (10, 9),
    (10, 8),
];

#[test]
fn the_regression_of_lohr() {
    let mut input = input(Estimator::Regression);
    input.strata = vec![stratum("plots", 100, 1_130, &TREES)];
    let result = variables(&input).unwrap();
    assert_eq!(result.method, "regression-estimation");
    assert_eq!(result.strata[0].factor.unwrap().round_dp(6), decimal("0.613274"));
    assert_eq!(result.audited_value.estimate.round_dp(0), decimal("1199"));
    // Lohr divides by n - 1 and has 0.408 a plot; with n - 2 it is 0.417
    let with_less = result.standard_error * result.standard_error * Decimal::from(23) / Decimal::from(24);
    assert!(near(with_less, "1664", "0.001"), "{with_less}");
    assert_eq!((result.standard_error / CENT).round_dp(3), decimal("0.417"));
}

#[test]
fn the_ratio_of_lohr() {
    // census of agriculture: 300 of 3,078 counties, acres of 1992 by those of 1987, printed with s_e = 31,657.218
    let (book, audit): (i128, i128) = (90_586_117, 89_369_114);
    let ratio = Fraction::new(audit, book);
    // any squares with this residual variance: audit = ratio * book with a disturbance
    let residuals = &Fraction::decimal(decimal("31657.218")).square() * &Fraction::whole(299);
    let book_squares = 61_000_000_000_000i128;
    let products = i128::try_from((&ratio * &Fraction::whole(book_squares)).nearest()).unwrap();
    let fitted = &ratio.square() * &Fraction::whole(book_squares);
    let audit_squares = i128::try_from((&fitted + &residuals).nearest()).unwrap();
    let sums = [300, 300, book, audit, book_squares, audit_squares, products];
    let parts = [part("counties", 3_078, 964_470_625, sums)];
    let result = project(&input(Estimator::Ratio), &parts).unwrap();
    assert_eq!(result.strata[0].factor.unwrap().round_dp(6), decimal("0.986565"));
    assert_eq!(result.audited_value.estimate.round_dp(0), decimal("951513191"));
    // s_e is printed with three places
    assert!(near(result.standard_error, "5344568", "0.0000002"));
}

#[test]
fn the_choices_decide_the_limits() {
    let mut input = input(Estimator::Difference);
    input.strata = vec![stratum("plots", 100, 1_130, &TREES)];
    let plain = variables(&input).unwrap();
    let ratio = |a: Decimal, b: Decimal| (a * a / (b * b)).round_dp(6);
    input.finite_correction = FiniteCorrection::None;
    let without = variables(&input).unwrap();
    assert_eq!(
        ratio(plain.standard_error, without.standard_error),
        decimal("0.75")
    );
    input.finite_correction = FiniteCorrection::PopulationLessOne;
    let less = variables(&input).unwrap();
    assert_eq!(
        ratio(less.standard_error, without.standard_error),
        decimal("0.757576")
    );
    input.quantile = QuantileChoice::Normal;
    let normal = variables(&input).unwrap();
    assert_eq!(normal.quantile_value, decimal("1.959963984540"));
    assert_eq!(normal.degrees_of_freedom, None);
    assert_eq!(less.quantile_value.round_dp(6), decimal("2.063899"));
    input.sides = Sides::Upper;
    input.tolerable = Some(50);
    let upper = variables(&input).unwrap();
    assert_eq!(
        (upper.quantile_value, upper.misstatement.lower),
        (decimal("1.644853626951"), None)
    );
    assert_eq!(upper.audited_value.upper, None);
    assert_eq!(
        upper.audited_value.lower.unwrap() + upper.misstatement.upper.unwrap(),
        decimal("1130")
    );
    assert_eq!(upper.conclusion, Some(Conclusion::NotMaterial));
    input.sides = Sides::Lower;
    let lower = variables(&input).unwrap();
    assert_eq!((lower.misstatement.upper, lower.conclusion), (None, None));
    assert!(lower.misstatement.lower.unwrap() < lower.misstatement.estimate);
    assert!(!upper.steps.is_empty() && upper.steps.iter().all(|step| !step.value.is_empty()));
}

#[test]
fn separate_and_combined_ratios_agree_for_one_stratum_and_differ_for_two() {
    let pairs = [&TREES[..12], &TREES[12..]];
    let mut input = input(Estimator::Ratio);
    input.strata = vec![stratum("a", 40, 500, pairs[0]), stratum("b", 60, 630, pairs[1])];
    input.combination = Some(Combination::Separate);
    let separate = variables(&input).unwrap();
    input.combination = Some(Combination::Combined);
    let combined = variables(&input).unwrap();
    assert_eq!(
        (separate.method, combined.method),
        ("separate-ratio-estimation", "combined-ratio-estimation")
    );
    assert_ne!(separate.strata[0].factor, separate.strata[1].factor);
    assert_eq!(combined.strata[0].factor, combined.strata[1].factor);
    // 500 * 149/145 + 630 * 140/130
    let sums: Vec<(i64, i64)> = pairs
        .iter()
        .map(|pairs| (pairs.iter().map(|p| p.0).sum(), pairs.iter().map(|p| p.1).sum()))
        .collect();
    let expected: Fraction = sums
        .iter()
        .zip([500, 630])
        .map(|(&(book, audit), value)| &Fraction::new(audit, book) * &Fraction::whole(value))
        .sum();
    assert_eq!(separate.audited_value.estimate, expected.even(6).unwrap());
    input.estimator = Estimator::Regression;
    let slopes = variables(&input).unwrap();
    input.combination = Some(Combination::Separate);
    let own = variables(&input).unwrap();
    assert_eq!(slopes.strata[0].factor, slopes.strata[1].factor);
    assert_ne!(own.strata[0].factor, own.strata[1].factor);
    assert_eq!(own.method, "separate-regression-estimation");
}

#[test]
fn lines_of_a_cluster_are_one_unit() {
    let mut lines = Vec::new();
    for (ordinal, &(book, audit)) in TREES.iter().enumerate() {
        for (book, audit) in [(book - 3, audit - 4), (3, 4)] {
            lines.push(VariablesItem {
                id: None,
                cluster: Some(format!("decision {ordinal}")),
                book_value: book,
                audit_value: audit,
            });
        }
    }
    for estimator in [
        Estimator::MeanPerUnit,
        Estimator::Difference,
        Estimator::Ratio,
        Estimator::Regression,
    ] {
        let mut input = input(estimator);
        input.strata = vec![stratum("plots", 100, 1_130, &TREES)];
        let alone = variables(&input).unwrap();
        input.sampling_unit = SamplingUnit::Cluster;
        input.strata[0].items.clone_from(&lines);
        let clusters = variables(&input).unwrap();
        assert_eq!(clusters.size, 25);
        assert_eq!(clusters.misstatement, alone.misstatement);
    }
}

#[test]
fn improbable_input_is_warned_of() {
    let mut input = input(Estimator::Difference);
    let words = |input: &VariablesInput| -> String {
        let warnings = variables(input).unwrap().warnings;
        warnings.iter().map(|text| text.en.clone()).collect()
    };
    let right: Vec<(i64, i64)> = (0..40)
        .map(|i| (1_000, if i < 5 { 900 } else { 1_000 }))
        .collect();
    input.strata = vec![stratum("a", 1_000, 1_000_000, &right)];
    let quiet = words(&input);
    assert!(!quiet.contains("swapped") && !quiet.contains("tenfold") && quiet.contains("Only 5 units"));
    let swapped: Vec<(i64, i64)> = right.iter().map(|&(book, audit)| (audit, book)).collect();
    input.strata = vec![stratum("a", 1_000, 1_000_000, &swapped)];
    assert!(words(&input).contains("swapped"));
    input.strata = vec![stratum("a", 1_000, 100_000_000, &right)];
    assert!(words(&input).contains("tenfold"));
    input.strata = vec![stratum("a", 40, 39_000, &right)];
    assert!(words(&input).contains("higher book value"));
    let empty: Vec<(i64, i64)> = right.iter().map(|&(book, _)| (book, 0)).collect();
    input.strata = vec![stratum("a", 1_000, 1_000_000, &empty[..20])];
    let empty = words(&input);
    assert!(empty.contains("results missing") && empty.contains("Only 20 units were checked"));
}

#[test]
fn what_cannot_be_projected_is_refused() {
    let good = || {
        let mut input = input(Estimator::Ratio);
        input.strata = vec![stratum("plots", 100, 1_130, &TREES)];
        input
    };
    let refused = |change: &dyn Fn(&mut VariablesInput)| {
        let mut input = good();
        change(&mut input);
        let error = variables(&input).unwrap_err();
        (error.code(), error.field())
    };
    assert!(variables(&good()).is_ok());
    for wrong in ["0", "1", "100", "-0.5"] {
        assert_eq!(
            refused(&|input| input.confidence = decimal(wrong)),
            ("CONFIDENCE_OUT_OF_RANGE", "confidence")
        );
    }
    assert_eq!(refused(&|input| input.strata.clear()), ("STRATA_EMPTY", "strata"));
    let twice = |input: &mut VariablesInput| input.strata.push(input.strata[0].clone());
    assert_eq!(refused(&twice), ("DUPLICATE_STRATUM", "strata"));
    let other = |input: &mut VariablesInput| {
        twice(input);
        input.strata[1].name = "other".into();
    };
    assert_eq!(refused(&other), ("COMBINATION_MISSING", "combination"));
    let separate = |input: &mut VariablesInput| {
        other(input);
        input.combination = Some(Combination::Separate);
        input.few_errors = FewErrors::Idea;
    };
    assert_eq!(refused(&separate), ("FEW_ERRORS_SEPARATE", "fewErrors"));
    let useless = |input: &mut VariablesInput| {
        input.estimator = Estimator::Difference;
        input.combination = Some(Combination::Combined);
    };
    assert_eq!(refused(&useless), ("COMBINATION_NOT_APPLICABLE", "combination"));
    let same_id = |input: &mut VariablesInput| {
        for item in &mut input.strata[0].items[..2] {
            item.id = Some("7".into());
        }
    };
    assert_eq!(refused(&same_id), ("DUPLICATE_ITEM", "items"));
    assert_eq!(
        refused(&|input| input.strata[0].items.truncate(1)),
        ("SAMPLE_TOO_SMALL", "items")
    );
    let slope_of_two = |input: &mut VariablesInput| {
        input.estimator = Estimator::Regression;
        input.strata[0].items.truncate(2);
    };
    assert_eq!(refused(&slope_of_two), ("SAMPLE_TOO_SMALL", "items"));
    assert_eq!(
        refused(&|input| input.strata[0].population = 24),
        ("SAMPLE_LARGER_THAN_POPULATION", "population")
    );
    for value in [0, -1] {
        assert_eq!(
            refused(&|input| input.strata[0].book_value = value),
            ("BOOK_VALUE_NOT_POSITIVE", "bookValue")
        );
        assert_eq!(
            refused(&|input| input.tolerable = Some(value)),
            ("TOLERABLE_NOT_POSITIVE", "tolerable")
        );
    }
    let nothing = |input: &mut VariablesInput| {
        for item in &mut input.strata[0].items {
            item.book_value = 0;
        }
    };
    assert_eq!(refused(&nothing), ("SAMPLE_BOOK_VALUE_NOT_POSITIVE", "items"));
    let alike = |input: &mut VariablesInput| {
        nothing(input);
        input.estimator = Estimator::Regression;
    };
    assert_eq!(refused(&alike), ("BOOK_VALUES_ALIKE", "estimator"));
    assert_eq!(
        refused(&|input| input.sampling_unit = SamplingUnit::Cluster),
        ("CLUSTER_MISSING", "items")
    );
    assert_eq!(
        refused(&|input| input.strata[0].items[0].cluster = Some("x".into())),
        ("CLUSTER_UNEXPECTED", "items")
    );
    let torn = |input: &mut VariablesInput| {
        other(input);
        for stratum in &mut input.strata {
            stratum.items[0].cluster = Some("x".into());
        }
    };
    assert_eq!(refused(&torn), ("CLUSTER_IN_TWO_STRATA", "items"));
    let few = |input: &mut VariablesInput| {
        input.few_errors = FewErrors::Idea;
        input.combination = Some(Combination::Combined);
        input.strata = (0..3)
            .map(|ordinal| {
                let pairs: Vec<(i64, i64)> = (0..20)
                    .map(|i| (100 + i, 100 + i - i64::from(i == 0) * 9))
                    .collect();
                stratum(&ordinal.to_string(), 500, 55_000, &pairs)
            })
            .collect();
    };
    assert_eq!(refused(&few), ("TOO_FEW_ERRORS", "fewErrors"));
    let huge = |input: &mut VariablesInput| {
        input.estimator = Estimator::MeanPerUnit;
        input.strata[0].population = u64::MAX;
        input.strata[0].items = items(&[(i64::MIN, i64::MAX), (i64::MAX, i64::MIN)]);
    };
    assert_eq!(refused(&huge).0, "AMOUNT_TOO_LARGE");
}

#[test]
fn shapes_are_those_of_json() {
    let text = r#"{"estimator":"DIFFERENCE","unit":"CENT","confidence":"0.9","sides":"UPPER","quantile":"STUDENT_T",
        "finiteCorrection":"POPULATION_LESS_ONE","fewErrors":"IDEA","samplingUnit":"ITEM","tolerable":900,
        "strata":[{"name":"all","population":10,"bookValue":1000,"items":[{"bookValue":100,"auditValue":90},
        {"id":"b","bookValue":100,"auditValue":100}]}]}"#;
    let input: VariablesInput = serde_json::from_str(text).unwrap();
    let result = serde_json::to_value(variables(&input).unwrap()).unwrap();
    assert_eq!(result["method"], "difference-estimation");
    assert_eq!(result["misstatement"]["estimate"], "50.000000");
    assert_eq!(result["auditedValue"]["estimate"], "950.000000");
    assert_eq!(result["fewErrors"], "IDEA");
    assert!(serde_json::from_str::<VariablesInput>(&text.replace("\"tolerable\"", "\"tolerabel\"")).is_err());
}

#[test]
fn a_complete_check_leaves_no_doubt() {
    for estimator in [
        Estimator::MeanPerUnit,
        Estimator::Difference,
        Estimator::Ratio,
        Estimator::Regression,
    ] {
        let mut input = input(estimator);
        let book = TREES.iter().map(|pair| pair.0).sum();
        let audit: i64 = TREES.iter().map(|pair| pair.1).sum();
        input.strata = vec![stratum("plots", 25, book, &TREES)];
        let result = variables(&input).unwrap();
        assert_eq!(result.audited_value.estimate, Decimal::from(audit));
        assert_eq!(result.precision, Decimal::ZERO);
        assert_eq!(result.audited_value.lower, result.audited_value.upper);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_order_of_rows_and_strata_changes_nothing(
        rows in prop::collection::vec((1i64..100_000, 0i64..100_000, 0u8..2), 8..40),
    ) {
        for estimator in [Estimator::MeanPerUnit, Estimator::Difference, Estimator::Ratio, Estimator::Regression] {
            let mut input = input(estimator);
            if matches!(estimator, Estimator::Ratio | Estimator::Regression) {
                input.combination = Some(Combination::Combined);
            }
            let of = |which: u8| -> Vec<(i64, i64)> {
                let mut pairs: Vec<(i64, i64)> =
                    rows.iter().filter(|row| row.2 == which).map(|row| (row.0, row.1)).collect();
                pairs.extend([(10, 10), (20, 15), (40, 40)]);
                pairs
            };
            let (one, two) = (of(0), of(1));
            input.strata = vec![stratum("a", 100, 5_000_000, &one), stratum("b", 200, 9_000_000, &two)];
            let forward = variables(&input).unwrap();
            input.strata.reverse();
            for stratum in &mut input.strata {
                stratum.items.reverse();
            }
            let backward = variables(&input).unwrap();
            prop_assert_eq!(&forward.misstatement, &backward.misstatement);
            prop_assert_eq!(forward.degrees_of_freedom, backward.degrees_of_freedom);
            prop_assert!(forward.misstatement.lower <= Some(forward.misstatement.estimate));
            prop_assert!(forward.misstatement.upper >= Some(forward.misstatement.estimate));
        }
    }

    #[test]
    fn a_higher_confidence_never_narrows_the_limits(low in 50u32..98, more in 1u32..2) {
        let mut input = input(Estimator::Difference);
        input.strata = vec![stratum("plots", 100, 1_130, &TREES)];
        input.confidence = Decimal::new(low.into(), 2);
        let narrow = variables(&input).unwrap();
        input.confidence = Decimal::new((low + more).into(), 2);
        let wide = variables(&input).unwrap();
        prop_assert!(wide.precision > narrow.precision);
        prop_assert_eq!(wide.misstatement.estimate, narrow.misstatement.estimate);
    }
}
