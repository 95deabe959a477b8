//! Published bounds, order of the methods, coverage, and what all further methods share.

use rust_decimal::Decimal;

use super::*;
use crate::sampling::evaluation::{Conclusion, Distribution, LARGEST_POPULATION};

pub(super) fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// A sample of `size` hits with items in error `(book, audit, hits)`; the rest is one item without error.
pub(super) fn sample(
    book_value: i64,
    size: u64,
    errors: &[(i64, i64, u64)],
    confidence: &str,
) -> MonetarySample {
    let mut items: Vec<MonetaryItem> = errors
        .iter()
        .map(|&(book, audit, hits)| MonetaryItem { book, audit, hits })
        .collect();
    let rest = size - items.iter().map(|item| item.hits).sum::<u64>();
    if rest > 0 {
        items.push(MonetaryItem {
            book: 1,
            audit: 1,
            hits: rest,
        });
    }
    MonetarySample {
        unit: Unit::Euro,
        book_value,
        size,
        items,
        exhaustive: Vec::new(),
        confidence: decimal(confidence),
        tolerable: None,
    }
}

/// Taintings with eight places, over- and understatements.
pub(super) fn taintings(parts: &[i64]) -> Vec<(i64, i64, u64)> {
    parts
        .iter()
        .map(|part| (100_000_000, 100_000_000 - part, 1))
        .collect()
}

pub(super) fn stringer_of(
    sample: &MonetarySample,
    distribution: Distribution,
    form: StringerForm,
    offset: Option<Offset>,
) -> BoundResult {
    stringer_bound(&StringerInput {
        sample: sample.clone(),
        distribution,
        form,
        offset,
    })
    .unwrap()
}

pub(super) fn money(sample: &MonetarySample, distribution: Distribution) -> BoundResult {
    stringer_of(sample, distribution, StringerForm::Money, None)
}

pub(super) fn cell(sample: &MonetarySample, distribution: Distribution) -> BoundResult {
    cell_bound(&CellInput {
        sample: sample.clone(),
        distribution,
    })
    .unwrap()
}

pub(super) fn upper(side: &BoundSide) -> Decimal {
    side.upper_limit.unwrap()
}

pub(super) const ALL: [Distribution; 3] = [
    Distribution::Hypergeometric,
    Distribution::Binomial,
    Distribution::Poisson,
];

/// Touw and Hoogduin 2011, page 138: receivables of 13,500,000, 145 hits, errors of 100, 20 and 4 %; with the
/// other distributions the tests of `FSaudit`.
#[test]
fn the_stringer_bound_in_whole_units() {
    let receivables = sample(
        13_500_000,
        145,
        &[(100, 0, 1), (250, 200, 1), (400, 384, 1)],
        "0.95",
    );
    let expected = [
        (Distribution::Hypergeometric, "276050", "469616.48"),
        (Distribution::Binomial, "276052", "469619.52"),
        (Distribution::Poisson, "278914", "475998.28"),
    ];
    for (distribution, basic, bound) in expected {
        let over = money(&receivables, distribution).over;
        assert_eq!(over.basic_precision, Some(decimal(basic)));
        assert_eq!(upper(&over).round_dp(2), decimal(bound), "{distribution:?}");
        assert_eq!(over.projected.round_dp(2), decimal("115448.28"));
    }
    // pages 143 and 144
    let two = [(100_000, 0, 1), (100_000, 100_000 - 9_887, 1)];
    let three = [
        (100_000, 50_000, 1),
        (100_000, 60_000, 1),
        (100_000, 100_000 - 19_887, 1),
    ];
    for (errors, printed) in [(&two[..], "449999.9"), (&three[..], "439009.3")] {
        let over = money(
            &sample(13_500_000, 145, errors, "0.95"),
            Distribution::Hypergeometric,
        )
        .over;
        assert_eq!(upper(&over).round_dp(1), decimal(printed));
    }
}

/// Results of the software IDEA (inventory of 7,360,816, 31 hits), from the tests of `FSaudit`.
#[test]
fn the_stringer_bound_of_idea() {
    let full = |errors| sample(7_360_816, 31, errors, "0.95");
    let one = money(&full(&[(100, 0, 1)]), Distribution::Hypergeometric);
    assert_eq!(one.over.projected.round_dp(2), decimal("237445.68"));
    assert_eq!(
        (upper(&one.over), upper(&one.under)),
        (decimal("1060621"), decimal("678033"))
    );
    let five = money(&full(&[(100, 0, 5)]), Distribution::Hypergeometric);
    assert_eq!(five.over.projected.round_dp(2), decimal("1187228.39"));
    assert_eq!(upper(&five.over), decimal("2279226"));
}

/// Inventory of the documentation of `FSaudit` (23 hits): taintings with eight places.
const OVER: [i64; 11] = [
    27_790_525, 20_879_777, 16_141_417, 15_292_166, 13_350_818, 13_171_490, 9_345_339, 7_392_130, 5_131_091,
    5_117_355, 4_628_248,
];
const UNDER: [i64; 12] = [
    -35_586_180,
    -26_166_133,
    -23_944_050,
    -17_038_330,
    -14_423_702,
    -11_281_971,
    -10_008_035,
    -5_271_624,
    -4_208_696,
    -4_096_296,
    -3_194_661,
    -1_401_186,
];

/// That inventory: only taintings matter, and items must not exceed the book value.
pub(super) fn inventory() -> MonetarySample {
    let mut sample = sample(7_360_816, 23, &[(1, 1, 23)], "0.95");
    sample.items = OVER
        .iter()
        .chain(&UNDER)
        .map(|part| MonetaryItem {
            book: 5_000_000,
            audit: 5_000_000 - part / 20,
            hits: 1,
        })
        .collect();
    sample
}

#[test]
fn the_documented_inventory() {
    let inventory = inventory();
    let result = money(&inventory, Distribution::Hypergeometric);
    let whole = |side: &BoundSide| (side.projected.round_dp(0), upper(side).round_dp(0));
    assert_eq!(whole(&result.over), (decimal("442418"), decimal("1445738")));
    assert_eq!(whole(&result.under), (decimal("501242"), decimal("1532043")));
    assert_eq!(result.over.precision.unwrap().round_dp(0), decimal("1003320"));
    let result = cell(&inventory, Distribution::Hypergeometric);
    assert_eq!(whole(&result.over), (decimal("442418"), decimal("1341344")));
    assert_eq!(whole(&result.under), (decimal("501242"), decimal("1400168")));
    assert_eq!(result.over.precision.unwrap().round_dp(0), decimal("898926"));
}

/// Touw and Hoogduin 2011, page 140; tests of `FSaudit` and results of IDEA in them.
#[test]
fn the_cell_bound() {
    let receivables = sample(
        13_500_000,
        145,
        &[(100, 0, 1), (250, 200, 1), (400, 384, 1)],
        "0.95",
    );
    let over = cell(&receivables, Distribution::Hypergeometric).over;
    assert_eq!(over.projected.round_dp(2), decimal("115448.28"));
    assert_eq!(over.precision.unwrap().round_dp(2), decimal("342903.55"));
    assert_eq!(upper(&over).round_dp(2), decimal("458351.83"));

    // one full error and small ones that add up to a tainting of 0.024038298
    let small = sample(
        1_000_000,
        31,
        &[(100, 0, 1), (323_775, 323_775 - 7_783, 1)],
        "0.95",
    );
    let expected = [
        (Distribution::Hypergeometric, 92_112, "144863.43"),
        (Distribution::Binomial, 92_115, "144866.43"),
        (Distribution::Poisson, 96_637, "153803.43"),
    ];
    for (distribution, basic, bound) in expected {
        let result = cell(&small, distribution);
        assert_eq!(result.over.basic_precision, Some(basic.into()));
        assert_eq!(upper(&result.over).round_dp(2), decimal(bound));
        assert_eq!(upper(&result.under), Decimal::from(basic));
    }

    // IDEA, within the tolerance of the source (1e-4)
    let idea = |errors: &[(i64, i64, u64)], over: &str, under: &str| {
        let result = cell(
            &sample(7_360_816, 31, errors, "0.95"),
            Distribution::Hypergeometric,
        );
        for (side, printed) in [(&result.over, over), (&result.under, under)] {
            let off = (upper(side) / decimal(printed) - Decimal::ONE).abs();
            assert!(off < decimal("0.0001"), "{printed}: {}", upper(side));
        }
    };
    idea(&[(100, 0, 1)], "1060622.35", "678026.13");
    idea(&[(100, 0, 5)], "2279217.31", "678026.13");
    idea(&[(100, 90, 31)], "1414107.73", "678026.13");
    idea(&[(100, 110, 31)], "678026.13", "1414107.73");
    idea(&[(100, 90, 19), (100, 110, 12)], "1129172.92", "962984.69");
}

/// Figures of `jfa` 0.7.3: three overstatements of 60 % and three understatements of 50 % in 60 items.
#[test]
fn the_offset_of_leslie_teitlebaum_and_anderson() {
    let errors = [(100, 40, 1), (100, 40, 1), (100, 40, 1), (100, 150, 3)];
    let sample = sample(100_000_000, 60, &errors, "0.95");
    let result = stringer_of(
        &sample,
        Distribution::Binomial,
        StringerForm::Rate,
        Some(Offset::Lta),
    );
    assert_eq!(result.method, "stringer-rate-binomial-lta");
    assert_eq!(upper(&result.over).round_dp(0), decimal("6899349"));
    let gross = stringer_of(&sample, Distribution::Binomial, StringerForm::Rate, None);
    assert_eq!(gross.over.net_upper_limit, result.over.upper_limit);
    assert_eq!(result.warnings.len(), gross.warnings.len() + 1);
    // Touw and Hoogduin, page 138, as jfa gives it
    let taintings = taintings(&[100_000_000, 20_000_072, 3_999_931]);
    let receivables = self::sample(10_000_000_000, 145, &taintings, "0.95");
    let over = stringer_of(&receivables, Distribution::Binomial, StringerForm::Rate, None).over;
    let rate = upper(&over) / Decimal::from(10_000_000_000u64);
    assert_eq!(rate.round_dp(8), decimal("0.03478656"));
}

/// AICPA: basic precision 26,882 * 3.0; allowances with the printed factors 3.00, 4.75, 6.30, 7.76 at 95 %.
#[test]
fn allowances_with_printed_factors() {
    let allow = |sample: &MonetarySample, factors| {
        allowances(&AllowancesInput {
            sample: sample.clone(),
            factors,
        })
        .unwrap()
    };
    let clean = sample(93 * 26_882, 93, &[], "0.95");
    let result = allow(&clean, FactorProfile::TwoPlacesUp);
    assert_eq!(result.over.upper_limit, Some(decimal("80646")));
    // interval 11,333, taintings of 10 and 5 %, 212 in an item checked in full: projected error 1,912
    let mut handout = sample(88 * 11_333, 88, &[(6_500, 5_850, 1), (100, 95, 1)], "0.95");
    handout.exhaustive = vec![ExhaustiveItem {
        book: 11_700,
        audit: 11_488,
    }];
    let over = allow(&handout, FactorProfile::TwoPlacesUp).over;
    assert_eq!(over.projected.round_dp(0), decimal("1912"));
    // 3.00 * 11333, 0.75 * 1133.3, 0.55 * 566.65
    let values: Vec<&str> = over.steps.iter().map(|step| step.value.as_str()).collect();
    let expected = [
        "11333",
        "1699.95",
        "33999",
        "849.975",
        "311.6575",
        "36860.5825",
        "37072.5825",
    ];
    assert_eq!(values, expected);
    assert_eq!(upper(&over), decimal("37072.5825"));
    // at 90 % the two tables differ: 2.31 and 2.30
    let clean = sample(1_000, 10, &[], "0.9");
    assert_eq!(
        upper(&allow(&clean, FactorProfile::TwoPlacesUp).over),
        decimal("231")
    );
    assert_eq!(
        upper(&allow(&clean, FactorProfile::TwoPlacesNearest).over),
        decimal("230")
    );
    // the exact ones are the Poisson Stringer bound in another order
    let receivables = sample(
        13_500_000,
        145,
        &[(100, 0, 1), (250, 200, 2), (400, 384, 1)],
        "0.95",
    );
    let exact = upper(&allow(&receivables, FactorProfile::Exact).over);
    let poisson = upper(&stringer_of(&receivables, Distribution::Poisson, StringerForm::Rate, None).over);
    assert!((exact - poisson).abs() < decimal("0.0002"), "{exact} {poisson}");
}

/// Whoever adds the values of the steps up comes to the limit.
#[test]
fn the_steps_add_up() {
    let errors = [(100, -40, 2), (100, 30, 1), (300, 100, 3), (100, 99, 1)];
    let sample = sample(13_500_000, 145, &errors, "0.95");
    for distribution in ALL {
        for form in [StringerForm::Rate, StringerForm::Money] {
            let over = stringer_of(&sample, distribution, form, None).over;
            let values: Vec<Decimal> = over.steps.iter().map(|step| decimal(&step.value)).collect();
            // interval, projection, basic precision, four taintings, limit
            assert_eq!(values.len(), 8);
            let sum: Decimal = values[2..7].iter().sum();
            assert!(
                (sum - values[7]).abs() < decimal("0.00001"),
                "{sum} {}",
                values[7]
            );
            assert_eq!(
                (values[1], values[2]),
                (over.projected, over.basic_precision.unwrap())
            );
            assert_eq!(values[7], upper(&over));
        }
        let over = cell(&sample, distribution).over;
        // a stage for each of the seven hits
        assert_eq!(over.steps.len(), 2 + 1 + 7 + 1);
        assert_eq!(decimal(&over.steps[10].value), upper(&over));
    }
}

#[test]
fn items_checked_in_full_are_known() {
    let mut with = sample(1_000_000, 100, &[(100, 40, 1)], "0.95");
    let without = money(&with, Distribution::Binomial);
    with.exhaustive = vec![
        ExhaustiveItem {
            book: 500_000,
            audit: 480_000,
        },
        ExhaustiveItem {
            book: 70_000,
            audit: 70_500,
        },
    ];
    with.tolerable = Some(70_000);
    let result = money(&with, Distribution::Binomial);
    let more = |side: &BoundSide, before: &BoundSide| {
        (
            upper(side) - upper(before),
            side.projected - before.projected,
            side.exhaustive,
        )
    };
    assert_eq!(
        more(&result.over, &without.over),
        (20_000.into(), 20_000.into(), 20_000)
    );
    assert_eq!(more(&result.under, &without.under), (500.into(), 500.into(), 500));
    assert_eq!(
        (result.exhaustive_items, result.exhaustive_book_value),
        (2, 570_000)
    );
    assert_eq!(
        result.over.net_upper_limit,
        Some(upper(&result.over) - decimal("500"))
    );
    assert_eq!(result.over.conclusion, Some(Conclusion::NotMaterial));
    with.tolerable = Some(25_999);
    assert_eq!(
        money(&with, Distribution::Binomial).over.conclusion,
        Some(Conclusion::Material)
    );
    with.tolerable = Some(26_000);
    assert_eq!(
        money(&with, Distribution::Binomial).over.conclusion,
        Some(Conclusion::Inconclusive)
    );
}

#[test]
fn the_achieved_confidence_is_where_the_limit_meets_the_tolerable_error() {
    let mut asked = sample(
        100_000_000,
        60,
        &[(100, 40, 2), (100, 90, 1), (100, 130, 1)],
        "0.95",
    );
    asked.tolerable = Some(7_000_000);
    let a_little = decimal("0.00000000001");
    let tolerable = Decimal::from(7_000_000);
    for distribution in ALL {
        for method in [money, cell] {
            let achieved = method(&asked, distribution).over.achieved_confidence.unwrap();
            let at = |confidence| {
                let sample = MonetarySample {
                    confidence,
                    ..asked.clone()
                };
                upper(&method(&sample, distribution).over)
            };
            assert!(at(achieved) < tolerable, "{distribution:?}");
            // limits in whole units move in steps
            assert!(
                at(achieved + a_little) >= tolerable,
                "{distribution:?} {}",
                at(achieved + a_little)
            );
        }
    }
}

#[test]
fn the_improbable_is_warned_of() {
    let codes = |errors: &[(i64, i64, u64)], size| {
        let result = money(&sample(1_000_000, size, errors, "0.95"), Distribution::Binomial);
        let said = |text: &str| result.warnings.iter().any(|warning| warning.en.contains(text));
        [
            said("changed places"),
            said("Every item"),
            said("factor of 100"),
            said("above 1"),
            said("interval"),
            said("twice"),
        ]
    };
    let under = [(100, 120, 1), (200, 210, 1), (300, 330, 1)];
    assert_eq!(codes(&under, 60), [true, false, false, false, false, false]);
    assert_eq!(codes(&under, 3), [true, true, false, false, false, false]);
    assert_eq!(codes(&[(100, 120, 1), (200, 210, 1)], 60), [false; 6]);
    let cents = [(10_000, 100, 1), (20_000, 200, 1), (300, 3, 1)];
    assert_eq!(codes(&cents, 60), [false, false, true, false, true, false]);
    assert_eq!(
        codes(&[(100, -1, 1)], 60),
        [false, false, false, true, false, false]
    );
    let twice = [(600_000, 600_000, 1), (600_000, 600_000, 1)];
    assert_eq!(codes(&twice, 60), [false, false, false, false, true, true]);
}

#[test]
fn impossible_samples_are_refused() {
    let refusal = |sample: MonetarySample, distribution| {
        let input = StringerInput {
            sample: sample.clone(),
            distribution,
            form: StringerForm::Rate,
            offset: None,
        };
        let error = stringer_bound(&input).unwrap_err();
        assert_eq!(
            cell_bound(&CellInput { sample, distribution }).unwrap_err(),
            error
        );
        (error.code(), error.field())
    };
    let binomial = |sample| refusal(sample, Distribution::Binomial);
    let good = sample(1_000, 10, &[(100, 40, 1)], "0.95");
    for confidence in ["0", "1", "95", "-0.1"] {
        assert_eq!(
            binomial(sample(1_000, 10, &[], confidence)),
            ("CONFIDENCE_OUT_OF_RANGE", "confidence")
        );
    }
    let with = |change: fn(&mut MonetarySample)| {
        let mut sample = good.clone();
        change(&mut sample);
        binomial(sample)
    };
    assert_eq!(with(|s| s.size = 0), ("SAMPLE_EMPTY", "size"));
    assert_eq!(with(|s| s.size = 1_000_001), ("SAMPLE_TOO_LARGE", "size"));
    assert_eq!(with(|s| s.size = 11), ("HITS_DIFFER", "items"));
    assert_eq!(with(|s| s.items[0].hits = u64::MAX), ("HITS_DIFFER", "items"));
    assert_eq!(with(|s| s.items[0].hits = 0), ("AMOUNT_NOT_POSITIVE", "hits"));
    assert_eq!(with(|s| s.items[0].book = 0), ("AMOUNT_NOT_POSITIVE", "book"));
    assert_eq!(
        with(|s| s.items[0].book = 1_001),
        ("ITEM_ABOVE_BOOK_VALUE", "book")
    );
    assert_eq!(
        with(|s| s.book_value = 0),
        ("BOOK_VALUE_NOT_POSITIVE", "bookValue")
    );
    let item = |book| ExhaustiveItem { book, audit: 5 };
    let mut full = good.clone();
    full.exhaustive = vec![item(0)];
    assert_eq!(binomial(full), ("EXHAUSTIVE_NOT_POSITIVE", "book"));
    for tolerable in [0, -1, 1_001] {
        let mut sample = good.clone();
        sample.tolerable = Some(tolerable);
        assert_eq!(binomial(sample), ("TOLERABLE_OUT_OF_RANGE", "tolerable"));
    }
    let mut extreme = good.clone();
    extreme.items[0].audit = i64::MIN;
    assert_eq!(binomial(extreme).0, "AMOUNT_TOO_LARGE");
    let mut large = good.clone();
    large.book_value = i64::try_from(LARGEST_POPULATION).unwrap() + 1;
    assert_eq!(
        refusal(large, Distribution::Hypergeometric),
        ("POPULATION_TOO_LARGE", "distribution")
    );
    let few = sample(9, 10, &[], "0.95");
    assert_eq!(
        refusal(few, Distribution::Hypergeometric),
        ("SAMPLE_LARGER_THAN_POPULATION", "size")
    );
    // a stage for each hit in error
    let stages = |hits| {
        let many = sample(1_000_000, 20_000, &[(100, 40, hits)], "0.95");
        cell_bound(&CellInput {
            sample: many,
            distribution: Distribution::Poisson,
        })
    };
    assert!(stages(MOST_STAGES).is_ok());
    assert_eq!(stages(MOST_STAGES + 1).unwrap_err().code(), "TOO_MANY_ERRORS");
}

#[test]
fn the_shape_of_input_and_result() {
    let text = r#"{"sample":{"unit":"CENT","bookValue":1000000,"size":60,"confidence":0.95,"tolerable":60000,
        "items":[{"book":100,"audit":40},{"book":7,"audit":7,"hits":59}]},
        "distribution":"BINOMIAL","form":"MONEY"}"#;
    let input: StringerInput = serde_json::from_str(text).unwrap();
    let json = serde_json::to_value(stringer_bound(&input).unwrap()).unwrap();
    assert_eq!(json["method"], "stringer-money-binomial");
    assert_eq!(json["unit"], "CENT");
    assert_eq!(json["over"]["projected"], "10000.000000");
    assert_eq!(json["over"]["conclusion"], "INCONCLUSIVE");
    assert_eq!(json["cannotFind"].as_array().unwrap().len(), 3);
    assert!(serde_json::from_str::<StringerInput>(&text.replace("hits", "hit")).is_err());
}

/// Pseudo-random numbers below a limit, always the same.
pub(super) fn sequence() -> impl FnMut(u64) -> u64 {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        u64::try_from((u128::from(state) * u128::from(below)) >> 64).unwrap()
    }
}

/// Monetary units with taintings: 4 % full errors, 3 % of half, 5 % of a tenth. True error 6 % of the book
/// value.
pub(super) fn coverage(confidence: &str, rounds: u32, limit: impl Fn(&MonetarySample) -> Decimal) -> f64 {
    let mut random = sequence();
    let (book_value, truth) = (1_000_000, Decimal::from(60_000));
    let held: u32 = (0..rounds)
        .map(|_| {
            let mut hits = [0u64; 3];
            for _ in 0..80 {
                match random(100) {
                    0..4 => hits[0] += 1,
                    4..7 => hits[1] += 1,
                    7..12 => hits[2] += 1,
                    _ => {}
                }
            }
            let errors: Vec<(i64, i64, u64)> = [0, 50, 90]
                .into_iter()
                .zip(hits)
                .filter(|(_, hits)| *hits > 0)
                .map(|(audit, hits)| (100, audit, hits))
                .collect();
            u32::from(limit(&sample(book_value, 80, &errors, confidence)) >= truth)
        })
        .sum();
    f64::from(held) / f64::from(rounds)
}

#[test]
fn bounds_cover_at_their_confidence() {
    for confidence in ["0.8", "0.95"] {
        let nominal: f64 = confidence.parse().unwrap();
        let noise = 3.0 * (nominal * (1.0 - nominal) / 400.0).sqrt();
        let stringer = coverage(confidence, 400, |s| upper(&money(s, Distribution::Binomial).over));
        let cell = coverage(confidence, 400, |s| upper(&cell(s, Distribution::Binomial).over));
        assert!(stringer >= nominal - noise, "{confidence}: {stringer}");
        assert!(cell >= nominal - noise, "{confidence}: {cell}");
    }
}
