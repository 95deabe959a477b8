use super::*;

#[test]
fn both_objectives_hold_together() {
    // 3 per cent tolerable, 1.3 expected, precision 5 per cent: 303 with 4 deviations
    let both = AttributeSizeInput {
        expected_rate: Some(decimal("0.013")),
        precision: Some(decimal("0.05")),
        ..input(Distribution::Binomial, "0.95", "0.03")
    };
    let plan = attribute_size(&both).unwrap();
    assert_eq!((plan.size, plan.planned_deviations), (303, 4.into()));
    // with the precision binding: 4 of 303 has a limit 1.69 per cent above its rate
    let tight = AttributeSizeInput {
        precision: Some(decimal("0.01")),
        ..both
    };
    let plan = attribute_size(&tight).unwrap();
    let (limit, rate) = (
        plan.planned_limit.unwrap(),
        plan.planned_deviations / Decimal::from(plan.size),
    );
    assert!(plan.size > 303 && limit - rate < decimal("0.01"), "{plan:?}");
    assert!(plan.achieved_risk.unwrap() <= decimal("0.05"));
}

#[test]
fn a_precision_alone_is_enough() {
    let plan = attribute_size(&AttributeSizeInput {
        tolerable: None,
        expected_deviations: Some(0),
        precision: Some(decimal("0.02")),
        ..input(Distribution::Poisson, "0.95", "0.5")
    })
    .unwrap();
    // ln(20) / 0.02 = 149.8
    assert_eq!((plan.size, plan.achieved_risk), (150, None));
    assert!(plan.planned_limit.unwrap() < decimal("0.02"));
}

#[test]
fn corrections_are_named_and_follow_no_law() {
    let plan = attribute_size(&AttributeSizeInput {
        expected_rate: Some(decimal("0.02")),
        population: Some(500),
        finite_correction: FiniteCorrection::Ec,
        ..input(Distribution::Binomial, "0.95", "0.05")
    })
    .unwrap();
    // 181 / (1 + 181/500) = 132.9; the hypergeometric law itself asks 139
    assert_eq!((plan.size, plan.uncorrected_size), (133, Some(181)));
    assert_eq!((plan.planned_deviations, plan.achieved_risk), (3.into(), None));
    assert!(plan.steps.last().unwrap().de.contains("181 / (1 + 181/500)"));
    // a population below the uncorrected size is no refusal then
    let small = attribute_size(&AttributeSizeInput {
        expected_rate: Some(decimal("0.02")),
        population: Some(100),
        finite_correction: FiniteCorrection::Cochran,
        ..input(Distribution::Binomial, "0.95", "0.05")
    });
    assert_eq!(small.unwrap().size, 65);
}

#[test]
fn the_derivation_can_be_followed() {
    let plan = attribute_size(&AttributeSizeInput {
        expected_rate: Some(decimal("0.02")),
        population: Some(500),
        ..input(Distribution::Hypergeometric, "0.95", "0.05")
    })
    .unwrap();
    let values: Vec<&str> = plan.steps.iter().map(|step| step.value.as_str()).collect();
    let tail = |k, n| up(hypergeometric_tails(k, 500, 25, n).0, 12).to_string();
    assert_eq!(values, ["0.05", "25", "3", &tail(3, 139), &tail(3, 138), "139"]);
    assert_eq!(
        plan.steps[1].de,
        "Tragbare Fehler in der Grundgesamtheit: K = ⌈0,05 · 500⌉"
    );
    assert_eq!(
        plan.steps[1].en,
        "Tolerable deviations in the population: K = ⌈0.05 · 500⌉"
    );
    let json = serde_json::to_value(&plan).unwrap();
    assert_eq!(json["plannedDeviations"], "3");
    assert_eq!(json["confidence"], "0.95");
}

#[test]
fn inputs_come_from_json() {
    let input: AttributeSizeInput = serde_json::from_str(
        r#"{"distribution":"BINOMIAL","confidence":"0.95","tolerable":0.09,"expectedRate":"0.02"}"#,
    )
    .unwrap();
    assert_eq!(attribute_size(&input).unwrap().size, 68);
    let unknown = r#"{"distribution":"BINOMIAL","confidence":"0.95","tolerabel":0.09}"#;
    assert!(serde_json::from_str::<AttributeSizeInput>(unknown).is_err());
}

#[test]
fn impossible_figures_are_refused_by_name() {
    let base = AttributeSizeInput {
        expected_rate: Some(decimal("0.02")),
        ..input(Distribution::Binomial, "0.95", "0.05")
    };
    let refused = |input: AttributeSizeInput| {
        let error = attribute_size(&input).unwrap_err();
        assert!(!error.to_string().is_empty());
        (error.code(), error.field())
    };
    let with = |change: &dyn Fn(&mut AttributeSizeInput)| {
        let mut input = base.clone();
        change(&mut input);
        refused(input)
    };
    for confidence in ["0", "1", "100", "-0.5"] {
        let answer = with(&|input| input.confidence = decimal(confidence));
        assert_eq!(answer, ("CONFIDENCE_OUT_OF_RANGE", "confidence"));
    }
    for tolerable in ["0", "-0.1", "1.1"] {
        let answer = with(&|input| input.tolerable = Some(decimal(tolerable)));
        assert_eq!(answer, ("RATE_OUT_OF_RANGE", "tolerable"));
    }
    assert_eq!(
        with(&|input| input.expected_rate = Some(decimal("-0.1"))),
        ("RATE_OUT_OF_RANGE", "expectedRate")
    );
    assert_eq!(
        with(&|input| input.expected_rate = Some(decimal("0.05"))),
        ("TOLERABLE_NOT_ABOVE_EXPECTED", "tolerable")
    );
    assert_eq!(
        with(&|input| input.tolerable = Some(decimal("0.0500000000001"))),
        ("RATE_TOO_FINE", "tolerable")
    );
    assert_eq!(with(&|input| input.tolerable = None), ("REQUIRED", "tolerable"));
    assert_eq!(
        with(&|input| input.expected_rate = None),
        ("REQUIRED", "expectedRate")
    );
    assert_eq!(
        with(&|input| input.expected_deviations = Some(2)),
        ("NOT_TOGETHER", "expectedDeviations")
    );
    assert_eq!(
        with(&|input| input.precision = Some(Decimal::ZERO)),
        ("RATE_OUT_OF_RANGE", "precision")
    );
    assert_eq!(
        with(&|input| {
            input.precision = Some(decimal("0.1"));
            input.tolerable = Some(decimal("0.9"));
            input.expected_rate = Some(decimal("0.6"));
        }),
        ("RATE_OUT_OF_RANGE", "expectedRate")
    );
    assert_eq!(
        with(&|input| {
            input.expected_rate = None;
            input.expected_deviations = Some(u64::MAX);
        }),
        ("COUNT_OUT_OF_RANGE", "expectedDeviations")
    );
    assert_eq!(
        with(&|input| input.population = Some(0)),
        ("COUNT_OUT_OF_RANGE", "population")
    );
    assert_eq!(
        with(&|input| input.population = Some(180)),
        ("SAMPLE_LARGER_THAN_POPULATION", "population")
    );
    assert_eq!(
        with(&|input| input.finite_correction = FiniteCorrection::Ec),
        ("REQUIRED", "population")
    );
    assert_eq!(
        with(&|input| input.distribution = Distribution::Hypergeometric),
        ("REQUIRED", "population")
    );
}

#[test]
fn what_does_not_go_together_is_refused_by_name() {
    let base = AttributeSizeInput {
        expected_rate: Some(decimal("0.02")),
        ..input(Distribution::Binomial, "0.95", "0.05")
    };
    let finite = |change: &dyn Fn(&mut AttributeSizeInput)| {
        let mut input = AttributeSizeInput {
            distribution: Distribution::Hypergeometric,
            population: Some(500),
            ..base.clone()
        };
        change(&mut input);
        let error = attribute_size(&input).unwrap_err();
        (error.code(), error.field())
    };
    assert_eq!(
        finite(&|input| input.finite_correction = FiniteCorrection::Cochran),
        ("NOT_TOGETHER", "finiteCorrection")
    );
    // both rates mean 11 deviations of 500
    assert_eq!(
        finite(&|input| {
            input.tolerable = Some(decimal("0.022"));
            input.expected_rate = Some(decimal("0.0201"));
        }),
        ("TOLERABLE_NOT_ABOVE_EXPECTED", "tolerable")
    );
    assert_eq!(
        finite(&|input| {
            input.expected_rate = None;
            input.expected_deviations = Some(25);
        }),
        ("TOLERABLE_NOT_ABOVE_EXPECTED", "tolerable")
    );
    let idea = |change: &dyn Fn(&mut AttributeSizeInput)| {
        finite(&|input| {
            input.distribution = Distribution::HypergeometricIdea;
            change(input);
        })
    };
    assert_eq!(
        idea(&|input| input.precision = Some(decimal("0.1"))),
        ("NOT_TOGETHER", "precision")
    );
    assert_eq!(
        idea(&|input| {
            input.expected_rate = None;
            input.expected_deviations = Some(2);
        }),
        ("NOT_TOGETHER", "expectedDeviations")
    );
}
