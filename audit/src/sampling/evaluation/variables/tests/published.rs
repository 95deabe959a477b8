//! Results of the software IDEA, of textbooks and of other packages.

use super::*;

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
            ..Moments::default()
        },
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

fn idea(estimator: Estimator, sums: &[Sums; 3]) -> VariablesResult {
    let mut input = input(estimator);
    input.few_errors = FewErrors::Idea;
    if matches!(estimator, Estimator::Ratio | Estimator::Regression) {
        input.combination = Some(Combination::Combined);
    }
    let parts: Vec<Part> = IDEA
        .iter()
        .zip(sums)
        .map(|(&(population, book), sums)| part(&population.to_string(), population, book, *sums))
        .collect();
    project(&input, &parts).unwrap()
}

/// The sums of three strata, and estimate and precision by each estimator.
type Scenario = ([Sums; 3], [(&'static str, &'static str); 4]);

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn combined_estimates_equal_those_of_idea() {
    use Estimator::{Difference, MeanPerUnit, Ratio, Regression};
    let scenarios: [Scenario; 5] = [
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
            let result = idea(estimator, &sums);
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
        let result = idea(estimator, &sums);
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
    let residuals = &Fraction::from(decimal("31657.218")).square() * &Fraction::from(299);
    let book_squares = 61_000_000_000_000i128;
    let products = i128::try_from((&ratio * &Fraction::from(book_squares)).nearest()).unwrap();
    let fitted = &ratio.square() * &Fraction::from(book_squares);
    let audit_squares = i128::try_from((&fitted + &residuals).nearest()).unwrap();
    let sums = [300, 300, book, audit, book_squares, audit_squares, products];
    let parts = [part("counties", 3_078, 964_470_625, sums)];
    let result = project(&input(Estimator::Ratio), &parts).unwrap();
    assert_eq!(result.strata[0].factor.unwrap().round_dp(6), decimal("0.986565"));
    assert_eq!(result.audited_value.estimate.round_dp(0), decimal("951513191"));
    // s_e is printed with three places
    assert!(near(result.standard_error, "5344568", "0.0000002"));
}
