use super::*;
use crate::sampling::guidance::FactorProfile;
use crate::sampling::planning::allocation::ShareRounding;
use crate::sampling::planning::exact::Rounding;

fn standard(strata: Vec<EcStratum>, confidence: &str, tolerable: i64, expected: i64) -> EcStandardInput {
    EcStandardInput {
        profile: FactorProfile::EcTables,
        unit: Unit::Cent,
        confidence: decimal(confidence),
        tolerable,
        expected,
        strata,
        rounding: Rounding::Up,
        share_rounding: ShareRounding::LargestRemainder,
    }
}

fn stratum(label: &str, book_value: i64, deviation: Option<&str>) -> EcStratum {
    EcStratum {
        label: label.to_owned(),
        book_value,
        deviation: deviation.map(decimal),
        pilot: None,
    }
}

#[test]
fn the_standard_approach_of_the_guidance_comes_out() {
    // 6.3.1.7: BV 4,199,882,024 euros, s_r 0.085, 90 per cent, TE 2 per cent, AE 0.4 per cent
    let book = 419_988_202_400;
    let input = standard(
        vec![stratum("gesamt", book, Some("0.085"))],
        "0.90",
        8_399_764_048,
        1_679_952_810,
    );
    let plan = ec_standard_size(&input).unwrap();
    assert_eq!((plan.size, plan.factor), (77, decimal("1.645")));
    assert_eq!(plan.raw_size.round_dp(2), decimal("76.37"));
    assert_eq!(plan.method, "monetary-size-ec-standard");
    // the guidance misprints the cut-off as 54,593,922
    assert_eq!(plan.strata[0].cutoff.round_dp(0), decimal("5454392239"));
    assert_eq!(
        (plan.strata[0].cutoff / Decimal::from(100)).round(),
        decimal("54543922")
    );
    let exact = ec_standard_size(&EcStandardInput {
        profile: FactorProfile::Exact,
        ..input.clone()
    })
    .unwrap();
    assert_eq!((exact.size, exact.factor), (77, decimal("1.644853626951")));
    let nearest = ec_standard_size(&EcStandardInput {
        rounding: Rounding::Nearest,
        ..input
    });
    assert_eq!(nearest.unwrap().size, 76);
}

#[test]
fn the_stratified_standard_approach_of_the_guidance_comes_out() {
    // 6.3.2.7: variances 0.000045 and 0.010909, weighted 0.004425; 148 in all, printed as 89 and 59
    let strata = vec![
        stratum("Programm 1", 250_662_629_200, Some("0.00670820393249937")),
        stratum("Programm 2", 169_325_573_200, Some("0.10444615837840")),
    ];
    let input = EcStandardInput {
        share_rounding: ShareRounding::UpLastRest,
        ..standard(strata, "0.90", 8_399_764_048, 4_619_870_226)
    };
    let plan = ec_standard_size(&input).unwrap();
    assert_eq!(plan.variance.round_dp(6), decimal("0.004425"));
    assert_eq!(
        (plan.size, plan.strata[0].size, plan.strata[1].size),
        (148, 89, 59)
    );
    assert_eq!(plan.method, "monetary-size-ec-standard-stratified");
    let rest = ec_standard_size(&EcStandardInput {
        share_rounding: ShareRounding::LargestRemainder,
        ..input
    });
    assert_eq!(rest.unwrap().strata[0].size, 88);
}

#[test]
fn pilot_rates_above_the_interval_are_cut_as_in_the_guidance() {
    // 6.3.1.7: E/(BV/50) = 0.0491 and 0.0371
    let book = 4_199_882_024;
    let rate = |error: i64, item: i64| {
        let pilot = |first: PilotItem| Pilot {
            items: std::iter::once(first)
                .chain((1..50).map(|_| PilotItem {
                    book: 1_000_000,
                    error: 0,
                }))
                .collect(),
        };
        let input = standard(
            vec![EcStratum {
                pilot: Some(pilot(PilotItem { book: item, error })),
                ..stratum("gesamt", book, None)
            }],
            "0.90",
            83_997_640,
            16_799_528,
        );
        // one rate r among 49 zeros has the variance r^2/50
        let plan = ec_standard_size(&input).unwrap();
        plan.strata[0].deviation * decimal("7.0710678118654752")
    };
    assert_eq!(rate(4_122_399, 142_151_692).round_dp(4), decimal("0.0491"));
    assert_eq!(rate(3_118_456, 103_948_529).round_dp(4), decimal("0.0371"));
    assert_eq!(rate(500_000, 1_000_000).round_dp(6), decimal("0.5"));
}

#[test]
fn the_conservative_approach_of_the_guidance_comes_out() {
    // 6.3.5.7: 90 per cent, AE 0.2 per cent: RF 2.31, EF 1.5, 136, interval 30,881,485
    let input = EcConservativeInput {
        profile: FactorProfile::EcTables,
        unit: Unit::Cent,
        book_value: 419_988_202_400,
        confidence: decimal("0.9"),
        tolerable: 8_399_764_048,
        expected: 839_976_405,
        rounding: Rounding::Up,
    };
    let plan = ec_conservative_size(&input).unwrap();
    assert_eq!(plan.size, 136);
    assert_eq!(
        (plan.reliability_factor, plan.expansion_factor),
        (decimal("2.31"), Some(decimal("1.5")))
    );
    assert_eq!((plan.interval / Decimal::from(100)).round(), decimal("30881485"));
    let exact = ec_conservative_size(&EcConservativeInput {
        profile: FactorProfile::Exact,
        expected: 0,
        confidence: decimal("0.92"),
        ..input.clone()
    })
    .unwrap();
    assert_eq!((exact.expansion_factor, exact.size), (None, 127));
    let refused = |change: &dyn Fn(&mut EcConservativeInput)| {
        let mut input = input.clone();
        change(&mut input);
        let error = ec_conservative_size(&input).unwrap_err();
        (error.code(), error.field())
    };
    assert_eq!(
        refused(&|input| input.confidence = decimal("0.92")),
        ("CONFIDENCE_NOT_IN_TABLE", "confidence")
    );
    assert_eq!(
        refused(&|input| input.expected = 5_599_842_699),
        ("TOLERABLE_NOT_ABOVE_EXPECTED", "tolerable")
    );
    assert_eq!(
        refused(&|input| input.book_value = 0),
        ("AMOUNT_OUT_OF_RANGE", "bookValue")
    );
}

#[test]
fn impossible_strata_are_refused_by_name() {
    let base = standard(
        vec![stratum("gesamt", 1_000_000, Some("0.1"))],
        "0.90",
        20_000,
        5_000,
    );
    let refused = |change: &dyn Fn(&mut EcStandardInput)| {
        let mut input = base.clone();
        change(&mut input);
        let error = ec_standard_size(&input).unwrap_err();
        (error.code(), error.field())
    };
    assert_eq!(refused(&|input| input.strata.clear()), ("REQUIRED", "strata"));
    assert_eq!(
        refused(&|input| input.strata[0].deviation = None),
        ("REQUIRED", "deviation")
    );
    assert_eq!(
        refused(&|input| input.strata[0].deviation = Some(Decimal::ZERO)),
        ("AMOUNT_OUT_OF_RANGE", "deviation")
    );
    assert_eq!(
        refused(&|input| input.strata[0].book_value = -1),
        ("AMOUNT_OUT_OF_RANGE", "bookValue")
    );
    assert_eq!(
        refused(&|input| input.confidence = decimal("0.99")),
        ("CONFIDENCE_NOT_IN_TABLE", "confidence")
    );
    assert_eq!(
        refused(&|input| input.expected = 20_000),
        ("TOLERABLE_NOT_ABOVE_EXPECTED", "tolerable")
    );
    assert_eq!(
        refused(&|input| input.expected = 19_999),
        ("SAMPLE_LARGER_THAN_POPULATION", "population")
    );
    let pilot = |items: &[(i64, i64)]| Pilot {
        items: items
            .iter()
            .map(|(book, error)| PilotItem {
                book: *book,
                error: *error,
            })
            .collect(),
    };
    assert_eq!(
        refused(&|input| input.strata[0].pilot = Some(pilot(&[(1, 0), (1, 1)]))),
        ("NOT_TOGETHER", "pilot")
    );
    let piloted = |items: &[(i64, i64)]| {
        refused(&|input| {
            input.strata[0].deviation = None;
            input.strata[0].pilot = Some(pilot(items));
        })
    };
    assert_eq!(piloted(&[(1, 0)]), ("COUNT_OUT_OF_RANGE", "pilot"));
    assert_eq!(piloted(&[(0, 0), (1, 1)]), ("AMOUNT_OUT_OF_RANGE", "book"));
    // without any difference there is no variance to plan by
    assert_eq!(piloted(&[(9, 0), (5, 0)]), ("AMOUNT_OUT_OF_RANGE", "pilot"));
}
