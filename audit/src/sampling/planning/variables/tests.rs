use proptest::prelude::*;

use super::*;
use crate::sampling::planning::allocation::ShareRounding;

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn ec_input(
    population: u64,
    deviation: &str,
    confidence: &str,
    tolerable: i64,
    expected: i64,
) -> VariablesSizeInput {
    VariablesSizeInput {
        method: VariablesMethod::Ec,
        profile: Some(FactorProfile::EcTables),
        unit: Unit::Euro,
        population,
        confidence: decimal(confidence),
        deviation: decimal(deviation),
        tolerable: Some(tolerable),
        expected: Some(expected),
        precision: None,
        finite_correction: FiniteCorrection::None,
        rounding: Rounding::Up,
    }
}

fn student_input(population: u64, deviation: &str, precision: i64) -> VariablesSizeInput {
    VariablesSizeInput {
        method: VariablesMethod::Student,
        profile: None,
        tolerable: None,
        expected: None,
        precision: Some(precision),
        ..ec_input(population, deviation, "0.95", 2, 1)
    }
}

#[test]
fn unstratified_sizes_of_the_guidance_come_out() {
    // 6.1.1.6: 3,852 operations, 46,501,186 euros, s_e 518, 80 per cent, AE 1.24 per cent: 52.39, so 53
    let plan = variables_size(&ec_input(3852, "518", "0.80", 930_024, 576_615)).unwrap();
    assert_eq!((plan.size, plan.factor), (53, decimal("1.282")));
    assert_eq!(plan.raw_size.round_dp(2), decimal("52.39"));
    // 6.2.1.6, difference estimation: 4,199,882,024 euros, s_e 168,397, 60 per cent, AE 0.7 per cent: 101
    let plan = variables_size(&ec_input(3852, "168397", "0.60", 83_997_640, 29_399_174)).unwrap();
    assert_eq!(plan.size, 101);
    assert_eq!(plan.raw_size.round_dp(2), decimal("100.07"));
    assert_eq!(plan.steps.len(), 3);
    // footnote 25: 100.07 / (1 + 100.07/3852) = 97.53
    let corrected = variables_size(&VariablesSizeInput {
        finite_correction: FiniteCorrection::Ec,
        ..ec_input(3852, "168397", "0.60", 83_997_640, 29_399_174)
    })
    .unwrap();
    assert_eq!(
        (corrected.size, corrected.raw_size.round_dp(2)),
        (98, decimal("97.54"))
    );
}

#[test]
fn sizes_by_students_t_come_out() {
    // FSaudit on its data of 2,222 salaries
    let size =
        |deviation: &str, precision: i64| variables_size(&student_input(2222, deviation, precision)).unwrap();
    assert_eq!(size("1537.55", 300_000).size, 411);
    assert_eq!(size("1747.804524", 300_000).size, 504);
    let again = size("1747.804524", 600_000);
    assert_eq!(again.size, 153);
    assert_eq!(again.degrees_of_freedom, Some(151));
}

fn stratum(label: &str, items: u64, deviation: &str) -> Stratum {
    Stratum {
        label: label.to_owned(),
        items,
        book_value: None,
        deviation: Some(decimal(deviation)),
        exhaustive: false,
    }
}

fn stratified(strata: Vec<Stratum>, confidence: &str, tolerable: i64, expected: i64) -> StratifiedInput {
    StratifiedInput {
        allocation: Allocation::Proportional,
        basis: VarianceBasis::EcWeighted,
        factor: SizeFactor::EcTables,
        unit: Unit::Euro,
        confidence: decimal(confidence),
        tolerable: Some(tolerable),
        expected: Some(expected),
        precision: None,
        strata,
        minimum: None,
        finite_correction: FiniteCorrection::None,
        rounding: Rounding::Up,
        share_rounding: ShareRounding::LargestRemainder,
    }
}

fn sizes(plan: &StratifiedSize) -> Vec<u64> {
    plan.strata.iter().map(|stratum| stratum.size).collect()
}

fn high_value(items: u64) -> Stratum {
    Stratum {
        deviation: None,
        exhaustive: true,
        ..stratum("Hochwert", items, "1")
    }
}

#[test]
fn stratified_sizes_of_the_guidance_come_out() {
    // 6.1.2.6: 121 and 5; 90, 31 and 5. The guidance takes 4,802 items in all, though 3,582 and 1,225 are
    // 4,807: with these the weighted variance is 24,711,404 and not the printed 24,737,134
    let strata = vec![
        stratum("Programm 1", 3582, "444"),
        stratum("Programm 2", 1225, "9818"),
        high_value(5),
    ];
    let input = stratified(strata, "0.80", 27_930_706, 25_137_636);
    let plan = stratified_size(&input).unwrap();
    assert_eq!((plan.sampled_size, plan.size), (121, 126));
    assert_eq!(sizes(&plan), [90, 31, 5]);
    assert_eq!(plan.weighted_variance.round(), decimal("24711404"));
    let nearest = StratifiedInput {
        share_rounding: ShareRounding::Nearest,
        ..input
    };
    assert_eq!(sizes(&stratified_size(&nearest).unwrap()), [90, 31, 5]);
    // 6.2.2.6: weighted variance 32,092,103,451; 51 and 5; 16, 35 and 5 (the formula misprints z as 0.845)
    let strata = vec![
        stratum("Programm 1", 1520, "21312"),
        stratum("Programm 2", 3347, "215546"),
        high_value(5),
    ];
    let plan = stratified_size(&stratified(strata, "0.60", 128_814_544, 25_762_909)).unwrap();
    assert_eq!(plan.weighted_variance.round(), decimal("32092103451"));
    assert_eq!(plan.raw_size.round_dp(2), decimal("50.75"));
    assert_eq!((plan.size, sizes(&plan)), (56, vec![16, 35, 5]));
}

#[test]
fn neyman_shares_of_fsaudit_come_out() {
    // table 4.5 of Touw and Hoogduin's data: strata by the cumulative root, precision 200,000, 95 per cent:
    // 226, 259, 98
    let strata = vec![
        stratum("1", 2030, "524.12"),
        stratum("2", 1217, "1001.24"),
        stratum("3", 253, "1828.32"),
    ];
    let input = StratifiedInput {
        allocation: Allocation::Neyman,
        basis: VarianceBasis::Allocated,
        factor: SizeFactor::Student,
        tolerable: None,
        expected: None,
        precision: Some(200_000),
        finite_correction: FiniteCorrection::Ec,
        rounding: Rounding::Nearest,
        share_rounding: ShareRounding::Nearest,
        ..stratified(strata, "0.95", 2, 1)
    };
    let plan = stratified_size(&input).unwrap();
    assert_eq!(sizes(&plan), [226, 259, 98]);
    assert_eq!(plan.method, "variables-size-stratified-allocated");
    assert_eq!(plan.degrees_of_freedom, Some(200));
}

#[test]
fn proportional_shares_have_one_variance_on_either_basis() {
    let strata = vec![stratum("1", 300, "10.5"), stratum("2", 700, "30")];
    let ec = stratified(strata, "0.90", 5_000, 1_000);
    let allocated = StratifiedInput {
        basis: VarianceBasis::Allocated,
        ..ec.clone()
    };
    let (ec, allocated) = (
        stratified_size(&ec).unwrap(),
        stratified_size(&allocated).unwrap(),
    );
    assert_eq!((ec.raw_size, sizes(&ec)), (allocated.raw_size, sizes(&allocated)));
    // without a correction the shares hold the precision of 4,000: 1.645 * sqrt(sum N_h^2 s_h^2 / n_h)
    let part = |h: usize, items: f64, spread: f64| (items * spread).powi(2) / float(ec.strata[h].size);
    let half = 1.645 * (part(0, 300.0, 10.5) + part(1, 700.0, 30.0)).sqrt();
    assert!(half <= 4_000.0 && half > 3_900.0, "{half} with {}", ec.size);
}

#[test]
fn shares_by_value_take_the_values() {
    let mut strata = vec![stratum("1", 300, "10"), stratum("2", 700, "30")];
    let by_value = |strata: &[Stratum]| StratifiedInput {
        allocation: Allocation::EqualValue,
        ..stratified(strata.to_vec(), "0.90", 5_000, 1_000)
    };
    assert_eq!(
        stratified_size(&by_value(&strata)).unwrap_err().field(),
        "bookValue"
    );
    strata[0].book_value = Some(75_000);
    strata[1].book_value = Some(25_000);
    let plan = stratified_size(&by_value(&strata)).unwrap();
    let shares = sizes(&plan);
    assert_eq!(shares.iter().sum::<u64>(), plan.sampled_size);
    assert!(
        shares[0] >= 3 * shares[1] - 3 && shares[0] <= 3 * shares[1] + 3,
        "{shares:?}"
    );
    strata[0].book_value = Some(0);
    assert_eq!(
        stratified_size(&by_value(&strata)).unwrap_err().code(),
        "AMOUNT_OUT_OF_RANGE"
    );
}

#[test]
fn impossible_figures_are_refused_by_name() {
    let base = ec_input(1000, "50", "0.90", 9_000, 1_000);
    let refused = |change: &dyn Fn(&mut VariablesSizeInput)| {
        let mut input = base.clone();
        change(&mut input);
        let error = variables_size(&input).unwrap_err();
        (error.code(), error.field())
    };
    assert_eq!(
        refused(&|input| input.confidence = decimal("1")),
        ("CONFIDENCE_OUT_OF_RANGE", "confidence")
    );
    assert_eq!(
        refused(&|input| input.confidence = decimal("0.99")),
        ("CONFIDENCE_NOT_IN_TABLE", "confidence")
    );
    for population in [0, 1, u64::MAX] {
        let answer = refused(&|input| input.population = population);
        assert_eq!(answer, ("COUNT_OUT_OF_RANGE", "population"));
    }
    for deviation in ["0", "-1", "0.0000000000001"] {
        let answer = refused(&|input| input.deviation = decimal(deviation));
        assert_eq!(answer, ("AMOUNT_OUT_OF_RANGE", "deviation"));
    }
    assert_eq!(refused(&|input| input.profile = None), ("REQUIRED", "profile"));
    assert_eq!(
        refused(&|input| input.tolerable = None),
        ("REQUIRED", "tolerable")
    );
    assert_eq!(refused(&|input| input.expected = None), ("REQUIRED", "expected"));
    assert_eq!(
        refused(&|input| input.tolerable = Some(0)),
        ("AMOUNT_OUT_OF_RANGE", "tolerable")
    );
    assert_eq!(
        refused(&|input| input.expected = Some(-1)),
        ("AMOUNT_OUT_OF_RANGE", "expected")
    );
    assert_eq!(
        refused(&|input| input.expected = Some(9_000)),
        ("TOLERABLE_NOT_ABOVE_EXPECTED", "tolerable")
    );
    assert_eq!(
        refused(&|input| input.precision = Some(1)),
        ("NOT_TOGETHER", "precision")
    );
    assert_eq!(
        refused(&|input| {
            (input.tolerable, input.expected) = (None, None);
            input.precision = Some(0);
        }),
        ("AMOUNT_OUT_OF_RANGE", "precision")
    );
    assert_eq!(
        refused(&|input| input.deviation = decimal("5000")),
        ("SAMPLE_LARGER_THAN_POPULATION", "population")
    );
    assert_eq!(
        refused(&|input| input.method = VariablesMethod::Student),
        ("NOT_TOGETHER", "profile")
    );
    assert_eq!(
        refused(&|input| {
            input.method = VariablesMethod::Student;
            input.profile = None;
            input.finite_correction = FiniteCorrection::Ec;
        }),
        ("NOT_TOGETHER", "finiteCorrection")
    );
}

#[test]
fn impossible_strata_are_refused_by_name() {
    let base = stratified(
        vec![stratum("1", 300, "10"), stratum("2", 700, "30")],
        "0.90",
        5_000,
        1_000,
    );
    let refused = |change: &dyn Fn(&mut StratifiedInput)| {
        let mut input = base.clone();
        change(&mut input);
        let error = stratified_size(&input).unwrap_err();
        (error.code(), error.field())
    };
    assert_eq!(
        refused(&|input| input.strata.clear()),
        ("COUNT_OUT_OF_RANGE", "strata")
    );
    assert_eq!(
        refused(&|input| input.strata[0].items = 0),
        ("COUNT_OUT_OF_RANGE", "items")
    );
    assert_eq!(
        refused(&|input| input.strata[0].deviation = None),
        ("REQUIRED", "deviation")
    );
    assert_eq!(
        refused(&|input| input
            .strata
            .iter_mut()
            .for_each(|stratum| stratum.exhaustive = true)),
        ("REQUIRED", "strata")
    );
    assert_eq!(
        refused(&|input| input.strata[0].deviation = Some(decimal("5000"))),
        ("SAMPLE_LARGER_THAN_POPULATION", "population")
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn neyman_needs_no_more_than_proportional_shares(
        strata in prop::collection::vec((10u64..5_000, 1u32..1_000), 1..8), width in 100_000i64..10_000_000,
    ) {
        let made = |(items, spread): &(u64, u32)| stratum("", *items, &spread.to_string());
        let strata: Vec<Stratum> = strata.iter().map(made).collect();
        let raw = |allocation| stratified_size(&StratifiedInput {
            allocation,
            basis: VarianceBasis::Allocated,
            finite_correction: FiniteCorrection::Ec,
            ..stratified(strata.clone(), "0.95", width + 1, 1)
        }).map(|plan| plan.raw_size);
        if let (Ok(neyman), Ok(proportional)) = (raw(Allocation::Neyman), raw(Allocation::Proportional)) {
            prop_assert!(neyman <= proportional);
        }
    }

    #[test]
    fn the_size_found_reaches_the_precision(
        population in 100u64..100_000, spread in 1u32..10_000, width in 1_000i64..10_000_000,
    ) {
        let input = VariablesSizeInput {
            finite_correction: FiniteCorrection::Ec,
            ..ec_input(population, &spread.to_string(), "0.95", width + 5, 5)
        };
        let Ok(plan) = variables_size(&input) else { return Ok(()) };
        let (all, width) = (float(population), width.to_string().parse::<f64>().unwrap());
        let half = |n: u64| all * 1.96 * f64::from(spread) * ((1.0 - float(n) / all) / float(n)).sqrt();
        prop_assert!(half(plan.size) <= width * 1.000_001);
        if plan.size > 1 {
            prop_assert!(half(plan.size - 1) >= width * 0.999_999);
        }
    }
}
