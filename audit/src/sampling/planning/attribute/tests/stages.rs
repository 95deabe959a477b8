use super::*;

#[test]
fn discovery_sizes_of_ez_quant_come_out() {
    let tolerable = ["0.08", "0.06", "0.04", "0.02"];
    let printed: [(&str, u64, [u64; 4]); 9] = [
        ("0.9", 500, [27, 36, 54, 102]),
        ("0.9", 1000, [28, 37, 55, 108]),
        ("0.9", 5000, [28, 38, 57, 113]),
        ("0.95", 500, [35, 47, 69, 129]),
        ("0.95", 1000, [36, 48, 71, 138]),
        ("0.95", 5000, [36, 49, 73, 147]),
        ("0.99", 500, [53, 70, 101, 183]),
        ("0.99", 1000, [54, 72, 107, 204]),
        ("0.99", 5000, [55, 74, 112, 223]),
    ];
    for (confidence, population, sizes) in printed {
        for (rate, size) in tolerable.iter().zip(sizes) {
            let answer = discovery(&DiscoveryInput {
                distribution: Distribution::Hypergeometric,
                population: Some(population),
                critical_rate: Some(decimal(rate)),
                critical_items: None,
                confidence: Some(decimal(confidence)),
                size: None,
            })
            .unwrap();
            assert_eq!(answer.size, size, "{confidence} {population} {rate}");
            assert!(answer.probability_of_finding_one >= decimal(confidence));
        }
    }
}

#[test]
fn discovery_answers_the_probability_and_refuses() {
    let input = DiscoveryInput {
        distribution: Distribution::Hypergeometric,
        population: Some(10),
        critical_rate: None,
        critical_items: Some(2),
        confidence: None,
        size: Some(3),
    };
    // 1 - C(8,3)/C(10,3) = 1 - 56/120
    let answer = discovery(&input).unwrap();
    assert!(
        (answer.probability_of_finding_one - decimal("0.533333333333")).abs() <= decimal("0.000000000001")
    );
    let refused = |change: &dyn Fn(&mut DiscoveryInput)| {
        let mut input = input.clone();
        change(&mut input);
        let error = discovery(&input).unwrap_err();
        (error.code(), error.field())
    };
    assert_eq!(refused(&|input| input.size = None), ("REQUIRED", "confidence"));
    assert_eq!(
        refused(&|input| input.size = Some(11)),
        ("COUNT_OUT_OF_RANGE", "size")
    );
    assert_eq!(
        refused(&|input| input.confidence = Some(decimal("0.9"))),
        ("NOT_TOGETHER", "size")
    );
    assert_eq!(
        refused(&|input| input.critical_items = Some(11)),
        ("COUNT_OUT_OF_RANGE", "criticalItems")
    );
    assert_eq!(
        refused(&|input| input.critical_items = None),
        ("REQUIRED", "criticalRate")
    );
    assert_eq!(
        refused(&|input| input.critical_rate = Some(decimal("0.1"))),
        ("NOT_TOGETHER", "criticalItems")
    );
    assert_eq!(
        refused(&|input| {
            input.distribution = Distribution::Binomial;
            input.population = None;
        }),
        ("REQUIRED", "population")
    );
}

#[test]
fn two_stages_of_touw_and_hoogduin_come_out() {
    let input = TwoStageInput {
        distribution: Distribution::Binomial,
        population: None,
        confidence: decimal("0.9"),
        tolerable: decimal("0.05"),
    };
    // p. 129: 49 and 49
    let plan = two_stage(&input).unwrap();
    assert_eq!((plan.size_per_stage, plan.largest_size), (49, 98));
    assert!(plan.achieved_risk < decimal("0.1"));
    let finite = two_stage(&TwoStageInput {
        distribution: Distribution::Hypergeometric,
        population: Some(200),
        ..input.clone()
    })
    .unwrap();
    assert!(finite.size_per_stage < 49);
    let none = two_stage(&TwoStageInput {
        population: Some(90),
        ..input.clone()
    });
    assert_eq!(none.unwrap_err().code(), "SAMPLE_LARGER_THAN_POPULATION");
    let zero = two_stage(&TwoStageInput {
        tolerable: Decimal::ZERO,
        ..input
    });
    assert_eq!(zero.unwrap_err().field(), "tolerable");
}

#[test]
fn stop_or_go_lists_its_stages_and_its_overall_risk() {
    let input = StopOrGoInput {
        distribution: Distribution::Binomial,
        population: None,
        confidence: decimal("0.95"),
        tolerable: decimal("0.05"),
        most_deviations: 3,
    };
    let plan = stop_or_go(&input).unwrap();
    let sizes: Vec<(u64, u64)> = plan
        .stages
        .iter()
        .map(|stage| (stage.size, stage.additional))
        .collect();
    // the sizes of Touw and Hoogduin p. 126
    assert_eq!(sizes, [(59, 59), (93, 34), (124, 31), (153, 29)]);
    // two stages by hand: P(0 of 59) + P(1 of 59) P(0 of 34)
    let two = stop_or_go(&StopOrGoInput {
        most_deviations: 1,
        ..input.clone()
    })
    .unwrap();
    let by_hand = 0.95f64.powi(59) + 59.0 * 0.05 * 0.95f64.powi(58) * 0.95f64.powi(34);
    assert_eq!(two.overall_risk, up(by_hand, 12));
    assert!(plan.overall_risk > two.overall_risk && plan.overall_risk < decimal("0.15"));
    let refused = stop_or_go(&StopOrGoInput {
        most_deviations: 21,
        ..input
    });
    assert_eq!(refused.unwrap_err().field(), "mostDeviations");
}

#[test]
fn a_page_holds_the_single_sizes() {
    let rates =
        |step: i64, scale: u32| -> Vec<Decimal> { (1..=20).map(|i| Decimal::new(i * step, scale)).collect() };
    for distribution in [
        Distribution::Binomial,
        Distribution::Poisson,
        Distribution::Hypergeometric,
        Distribution::HypergeometricIdea,
    ] {
        let page = GridInput {
            distribution,
            population: Some(20_000),
            confidence: decimal("0.95"),
            tolerable: rates(1, 2),
            expected: rates(5, 3),
        };
        let grid = size_grid(&page).unwrap();
        for (expected, row) in page.expected.iter().zip(&grid.rows) {
            for (tolerable, cell) in page.tolerable.iter().zip(row) {
                let single = attribute_size(&AttributeSizeInput {
                    population: Some(20_000),
                    tolerable: Some(*tolerable),
                    expected_rate: Some(*expected),
                    ..input(distribution, "0.95", "0.5")
                });
                let single = single.ok().map(|plan| (plan.size, plan.planned_deviations));
                assert_eq!(cell.map(|cell| (cell.size, cell.planned_deviations)), single);
            }
        }
    }
    let empty = GridInput {
        distribution: Distribution::Binomial,
        population: None,
        confidence: decimal("0.95"),
        tolerable: vec![],
        expected: vec![Decimal::ZERO],
    };
    assert_eq!(size_grid(&empty).unwrap_err().field(), "tolerable");
}
