use proptest::prelude::*;

use super::*;
use crate::sampling::numerics::{binomial_tails, hypergeometric_tails};
use crate::sampling::planning;

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn input(distribution: Distribution, confidence: &str, tolerable: &str) -> AttributeSizeInput {
    AttributeSizeInput {
        distribution,
        population: None,
        confidence: decimal(confidence),
        tolerable: Some(decimal(tolerable)),
        expected_rate: None,
        expected_deviations: None,
        precision: None,
        finite_correction: FiniteCorrection::None,
    }
}

fn by_number(
    distribution: Distribution,
    confidence: &str,
    tolerable: &str,
    k: u64,
    population: Option<u64>,
) -> u64 {
    let input = AttributeSizeInput {
        expected_deviations: Some(k),
        population,
        ..input(distribution, confidence, tolerable)
    };
    attribute_size(&input).unwrap().size
}

fn by_rate(
    distribution: Distribution,
    confidence: &str,
    tolerable: &str,
    rate: &str,
    population: Option<u64>,
) -> u64 {
    let input = AttributeSizeInput {
        expected_rate: Some(decimal(rate)),
        population,
        ..input(distribution, confidence, tolerable)
    };
    attribute_size(&input).unwrap().size
}

/// Expected deviation rates of AICPA tables A-1 and A-2, in hundredths of a per cent.
const ROWS: [i64; 26] = [
    0, 25, 50, 75, 100, 125, 150, 175, 200, 225, 250, 275, 300, 325, 350, 375, 400, 500, 600, 700, 800, 900,
    1000, 1250, 1500, 1750,
];
/// Tolerable deviation rates of both tables, in per cent.
const COLUMNS: [i64; 11] = [2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 20];

/// AICPA Audit Guide Audit Sampling (2017), table A-1: risk of overreliance 5 per cent.
const A1: [&[u64]; 11] = [
    &[149, 236, 313, 386, 590, 1030],
    &[99, 157, 157, 208, 257, 303, 392, 562, 846, 1466],
    &[
        74, 117, 117, 117, 156, 156, 192, 227, 294, 390, 513, 722, 1098, 1936,
    ],
    &[
        59, 93, 93, 93, 93, 124, 124, 153, 181, 208, 234, 286, 361, 458, 624, 877, 1348,
    ],
    &[
        49, 78, 78, 78, 78, 78, 103, 103, 127, 127, 150, 173, 195, 238, 280, 341, 421, 1580,
    ],
    &[
        42, 66, 66, 66, 66, 66, 66, 88, 88, 88, 109, 109, 129, 148, 167, 185, 221, 478, 1832,
    ],
    &[
        36, 58, 58, 58, 58, 58, 58, 77, 77, 77, 77, 95, 95, 112, 112, 129, 146, 240, 532,
    ],
    &[
        32, 51, 51, 51, 51, 51, 51, 51, 68, 68, 68, 68, 84, 84, 84, 100, 100, 158, 266, 585,
    ],
    &[
        29, 46, 46, 46, 46, 46, 46, 46, 46, 61, 61, 61, 61, 61, 76, 76, 89, 116, 179, 298, 649,
    ],
    &[
        19, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 40, 40, 40, 40, 50, 68, 85, 110, 150, 576,
    ],
    &[
        14, 22, 22, 22, 22, 22, 22, 22, 22, 22, 22, 22, 22, 22, 22, 22, 22, 30, 30, 37, 37, 44, 50, 88, 193,
        720,
    ],
];

/// Table A-2: risk of overreliance 10 per cent. The two 113 (7 per cent tolerable, 3.25 and 3.50 expected) are printed as 112,
/// where the probability of at most 4 deviations is still 10.1 per cent.
const A2: [&[u64]; 11] = [
    &[114, 194, 194, 265, 398, 708, 1463],
    &[76, 129, 129, 129, 176, 221, 265, 390, 590, 974],
    &[57, 96, 96, 96, 96, 132, 132, 166, 198, 262, 353, 471, 730, 1258],
    &[
        45, 77, 77, 77, 77, 77, 105, 105, 132, 132, 158, 209, 258, 306, 400, 583, 873,
    ],
    &[
        38, 64, 64, 64, 64, 64, 64, 88, 88, 88, 110, 132, 132, 153, 194, 235, 274, 1019,
    ],
    &[
        32, 55, 55, 55, 55, 55, 55, 55, 75, 75, 75, 94, 94, 113, 113, 131, 149, 318, 1150,
    ],
    &[
        28, 48, 48, 48, 48, 48, 48, 48, 48, 65, 65, 65, 65, 82, 82, 98, 98, 160, 349, 1300,
    ],
    &[
        25, 42, 42, 42, 42, 42, 42, 42, 42, 42, 58, 58, 58, 58, 73, 73, 73, 115, 182, 385, 1437,
    ],
    &[
        22, 38, 38, 38, 38, 38, 38, 38, 38, 38, 38, 52, 52, 52, 52, 52, 65, 78, 116, 199, 424, 1577,
    ],
    &[
        15, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 34, 43, 52, 60, 77, 100, 368,
    ],
    &[
        11, 18, 18, 18, 18, 18, 18, 18, 18, 18, 18, 18, 18, 18, 18, 18, 18, 18, 25, 25, 25, 32, 38, 63, 126,
        457,
    ],
];

#[test]
fn every_cell_of_the_aicpa_tables_comes_out() {
    for (confidence, table) in [("0.95", A1), ("0.90", A2)] {
        for (tolerable, column) in COLUMNS.iter().zip(table) {
            for (expected, printed) in ROWS.iter().zip(column) {
                let (tolerable, expected) = (Decimal::new(*tolerable, 2), Decimal::new(*expected, 4));
                let plan = attribute_size(&AttributeSizeInput {
                    tolerable: Some(tolerable),
                    expected_rate: Some(expected),
                    ..input(Distribution::Binomial, confidence, "0.5")
                })
                .unwrap();
                assert_eq!(plan.size, *printed, "{confidence} {tolerable} {expected}");
                let stored =
                    planning::attribute_size(100_000, decimal(confidence), tolerable, expected).unwrap();
                assert_eq!(stored.size, *printed);
            }
        }
    }
}

#[test]
fn hypergeometric_sizes_of_auditsampler_come_out() {
    // population, expected, tolerable, confidence in per cent; hypergeometric and binomial size
    let rows: [(u64, i64, i64, &str, u64, u64); 17] = [
        (500, 1, 8, "0.9", 46, 48),
        (500, 1, 6, "0.9", 61, 64),
        (500, 1, 4, "0.9", 90, 96),
        (500, 2, 5, "0.9", 99, 132),
        (500, 1, 8, "0.95", 55, 58),
        (500, 1, 6, "0.95", 73, 78),
        (500, 1, 4, "0.95", 140, 156),
        (500, 2, 5, "0.95", 139, 181),
        (500, 3, 6, "0.95", 158, 195),
        (500, 4, 7, "0.95", 170, 221),
        (500, 5, 8, "0.95", 178, 240),
        (500, 6, 9, "0.95", 196, 266),
        (5000, 1, 8, "0.95", 58, 58),
        (5000, 1, 6, "0.95", 77, 78),
        (5000, 1, 4, "0.95", 154, 156),
        (15000, 1, 6, "0.95", 78, 78),
        (36000, 1, 4, "0.95", 156, 156),
    ];
    for (population, expected, tolerable, confidence, finite, infinite) in rows {
        let (expected, tolerable) = (
            Decimal::new(expected, 2).to_string(),
            Decimal::new(tolerable, 2).to_string(),
        );
        let size = |law| by_rate(law, confidence, &tolerable, &expected, Some(population));
        assert_eq!(
            size(Distribution::Hypergeometric),
            finite,
            "{population} {expected} {tolerable}"
        );
        assert_eq!(size(Distribution::Binomial), infinite);
    }
}

#[test]
fn sizes_of_touw_and_hoogduin_come_out() {
    use Distribution::{Binomial, Hypergeometric, Poisson};
    // p. 123 and DAfA
    assert_eq!(by_number(Hypergeometric, "0.9", "0.05", 0, Some(1200)), 45);
    assert_eq!(by_number(Hypergeometric, "0.9", "0.05", 1, Some(1200)), 75);
    assert_eq!(by_number(Hypergeometric, "0.9", "0.05", 2, Some(1200)), 102);
    assert_eq!(by_number(Binomial, "0.9", "0.05", 2, None), 105);
    assert_eq!(by_number(Poisson, "0.9", "0.05", 2, None), 107);
    // p. 126
    let row = |confidence: &str, tolerable: &str| -> Vec<u64> {
        (0..4)
            .map(|k| by_number(Binomial, confidence, tolerable, k, None))
            .collect()
    };
    assert_eq!(row("0.95", "0.01"), [299, 473, 628, 773]);
    assert_eq!(row("0.95", "0.05"), [59, 93, 124, 153]);
    assert_eq!(row("0.95", "0.1"), [29, 46, 61, 76]);
    assert_eq!(row("0.95", "0.15"), [19, 30, 40, 50]);
    assert_eq!(row("0.95", "0.2"), [14, 22, 30, 37]);
    assert_eq!(row("0.9", "0.01"), [230, 388, 531, 667]);
    assert_eq!(row("0.9", "0.05"), [45, 77, 105, 132]);
    assert_eq!(row("0.9", "0.1"), [22, 38, 52, 65]);
    assert_eq!(row("0.9", "0.15"), [15, 25, 34, 43]);
    assert_eq!(row("0.9", "0.2"), [11, 18, 25, 32]);
    // p. 17 and 23
    assert_eq!(by_number(Poisson, "0.95", "0.01", 0, None), 300);
    assert_eq!(by_number(Poisson, "0.5", "0.01", 0, None), 70);
    assert_eq!(by_number(Poisson, "0.95", "0.02", 0, None), 150);
    assert_eq!(by_number(Poisson, "0.875", "0.02", 0, None), 104);
}

#[test]
fn poisson_takes_the_expected_rate_unrounded() {
    // AICPA table C-1, 5 per cent risk, 5 per cent tolerable, ratio 0.2: 93 units and a sum of 0.93
    let plan = attribute_size(&AttributeSizeInput {
        expected_rate: Some(decimal("0.01")),
        ..input(Distribution::Poisson, "0.95", "0.05")
    })
    .unwrap();
    assert_eq!((plan.size, plan.planned_deviations), (93, decimal("0.93")));
}

/// Results of the IDEA software, published with the R package FSaudit: population, confidence, tolerable, expected, size, c.
const IDEA: [(u64, &str, &str, &str, u64, u64); 50] = [
    (778, "53", "7", "3", 25, 1),
    (808, "30", "73", "4", 2, 1),
    (547, "80", "49", "5", 5, 1),
    (1503, "95", "5", "0", 57, 0),
    (1741, "53", "62", "5", 3, 1),
    (922, "85", "18", "4", 18, 1),
    (198, "57", "27", "4", 7, 1),
    (998, "22", "79", "3", 2, 1),
    (804, "95", "48", "0", 5, 0),
    (645, "71", "38", "3", 6, 1),
    (63, "22", "3", "0", 8, 0),
    (841, "72", "61", "3", 4, 1),
    (440, "31", "23", "1", 5, 1),
    (88, "92", "69", "5", 5, 1),
    (60, "44", "98", "3", 2, 1),
    (231, "27", "72", "0", 1, 0),
    (746, "98", "63", "2", 7, 1),
    (682, "6", "53", "0", 1, 0),
    (161, "82", "5", "2.48", 69, 2),
    (945, "45", "96", "1", 2, 1),
    (1870, "95", "8", "0", 36, 0),
    (591, "92", "69", "0", 3, 0),
    (443, "95", "20", "3", 22, 1),
    (661, "90", "11", "4", 46, 2),
    (682, "99", "8", "3.1", 148, 5),
    (100, "80", "47", "4", 6, 1),
    (57, "90", "7.01", "3.5", 49, 2),
    (1181, "67", "10", "4", 23, 1),
    (79, "85", "10", "2", 28, 1),
    (1397, "79", "14", "4", 20, 1),
    (3262, "50", "30", "5", 6, 1),
    (8819, "98", "19", "5", 37, 2),
    (5848, "29", "68", "5", 2, 1),
    (2551, "72", "49", "0", 2, 0),
    (9399, "99", "88", "0", 3, 0),
    (8668, "60", "32", "0", 3, 0),
    (4035, "37", "8", "4", 16, 1),
    (3301, "91", "44", "1", 8, 1),
    (9461, "28", "23", "1", 5, 1),
    (5303, "81", "53", "4", 5, 1),
    (4898, "95", "9", "0", 32, 0),
    (8475, "89", "21", "5", 17, 1),
    (9087, "14", "42", "3", 2, 1),
    (9010, "95", "8", "4", 145, 6),
    (8127, "1", "16", "2", 2, 1),
    (8808, "41", "7", "3", 20, 1),
    (5651, "69", "76", "0", 1, 0),
    (9387, "80", "4", "0", 40, 0),
    (3109, "57", "31", "3", 6, 1),
    (2329, "90", "4", "3", 562, 17),
];

#[test]
fn sizes_of_the_idea_software_come_out() {
    for (population, confidence, tolerable, expected, size, c) in IDEA {
        let hundredth = |text: &str| decimal(text) / Decimal::from(100);
        let plan = attribute_size(&AttributeSizeInput {
            population: Some(population),
            confidence: hundredth(confidence),
            tolerable: Some(hundredth(tolerable)),
            expected_rate: Some(hundredth(expected)),
            ..input(Distribution::HypergeometricIdea, "0.5", "0.5")
        })
        .unwrap();
        assert_eq!(
            (plan.size, plan.planned_deviations),
            (size, c.into()),
            "{population} {confidence} {tolerable} {expected}"
        );
        assert_eq!(plan.method, "attribute-size-hypergeometric-idea");
    }
}

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
    let finite = |change: &dyn Fn(&mut AttributeSizeInput)| {
        with(&|input| {
            input.distribution = Distribution::Hypergeometric;
            input.population = Some(500);
            change(input);
        })
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

/// The definition word by word: the first size for which the tail at `ceil(expected * n)` is within the risk.
fn defined(limit: u64, expected: Decimal, holds: impl Fn(u64, u64) -> bool) -> Option<u64> {
    (1..=limit).find(|n| {
        let k = (expected * Decimal::from(*n)).ceil().to_string().parse().unwrap();
        holds(k, *n)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn the_search_finds_what_the_definition_says(
        percent in 2u32..30,
        expected in 0u32..2500,
        confidence in prop::sample::select(vec!["0.05", "0.5", "0.8", "0.9", "0.99"]),
        population in 300u64..3_000,
    ) {
        let tolerable = Decimal::new(percent.into(), 2);
        let expected = Decimal::new(expected.into(), 4);
        prop_assume!(expected < tolerable);
        let risk = 1.0 - rate_of(parts("", decimal(confidence)).unwrap());
        let rate = f64::from(percent) / 100.0;
        let base = AttributeSizeInput {
            population: Some(population),
            tolerable: Some(tolerable),
            expected_rate: Some(expected),
            ..input(Distribution::Binomial, confidence, "0.5")
        };
        let found = attribute_size(&base).ok().map(|plan| plan.size);
        prop_assert_eq!(found, defined(population, expected, |k, n| binomial_tails(k, n, rate).0 <= risk));
        let units = planned(parts("", tolerable).unwrap(), population);
        if planned(parts("", expected).unwrap(), population) < units {
            let finite = AttributeSizeInput { distribution: Distribution::Hypergeometric, ..base.clone() };
            let found = attribute_size(&finite).ok().map(|plan| plan.size);
            let holds = |k, n| hypergeometric_tails(k, population, units, n).0 <= risk;
            prop_assert_eq!(found, defined(population, expected, holds));
        }
        let poisson = AttributeSizeInput { distribution: Distribution::Poisson, ..base };
        let found = attribute_size(&poisson).ok().map(|plan| plan.size);
        let e = rate_of(parts("", expected).unwrap());
        let first = (1..=population).find(|n| gamma_tails(1.0 + e * float(*n), float(*n) * rate).1 <= risk);
        prop_assert_eq!(found, first);
    }

    #[test]
    fn a_narrow_margin_agrees_with_the_proven_search(
        tolerable in 100u32..2_000, below in 1u32..40, confidence in prop::sample::select(vec!["0.8", "0.9", "0.95"]),
    ) {
        let (tolerable, expected) = (Decimal::new(tolerable.into(), 4), Decimal::new((tolerable - below.min(tolerable)).into(), 4));
        let stored = planning::attribute_size(10_000_000, decimal(confidence), tolerable, expected).ok();
        let found = attribute_size(&AttributeSizeInput {
            population: Some(10_000_000),
            tolerable: Some(tolerable),
            expected_rate: Some(expected),
            ..input(Distribution::Binomial, confidence, "0.5")
        }).ok();
        prop_assert_eq!(found.map(|plan| plan.size), stored.map(|plan| plan.size));
    }

    #[test]
    fn a_precision_is_met_first_at_the_size_found(
        width in 20u32..200,
        expected in 0u32..200,
        number in prop::option::of(0u64..8),
        confidence in prop::sample::select(vec!["0.8", "0.9", "0.95"]),
        law in prop::sample::select(vec![Distribution::Binomial, Distribution::Poisson, Distribution::Hypergeometric]),
        population in 500u64..5_000,
    ) {
        let plan = AttributeSizeInput {
            population: Some(population),
            tolerable: None,
            expected_rate: number.is_none().then(|| Decimal::new(expected.into(), 3)),
            expected_deviations: number,
            precision: Some(Decimal::new(width.into(), 3)),
            ..input(law, confidence, "0.5")
        };
        let found = attribute_size(&plan).ok();
        let risk = Decimal::ONE - decimal(confidence);
        let (e, w) = (f64::from(expected) / 1000.0, f64::from(width) / 1000.0);
        let limit = |n: u64, k: u64| match law {
            Distribution::Binomial => beta_quantile(rate_of(parts("", risk).unwrap()), float(k + 1), float(n - k)),
            _ => gamma_quantile(rate_of(parts("", risk).unwrap()), float(k + 1)) / float(n),
        };
        let first = (1..=population).find(|n| {
            let k = number.unwrap_or_else(|| planned(u64::from(expected) * 1_000_000_000, *n));
            if law == Distribution::Poisson && number.is_none() {
                let n = float(*n);
                return gamma_quantile(rate_of(parts("", risk).unwrap()), 1.0 + e * n) / n - e < w;
            }
            if *n <= k || *n < 2 * k {
                return false;
            }
            if law == Distribution::Hypergeometric {
                // exactly: the limit is a count
                let items = hypergeometric_upper(population, *n, k, risk);
                return items * *n * 1000 < population * (u64::from(width) * *n + 1000 * k);
            }
            limit(*n, k) - float(k) / float(*n) < w
        });
        prop_assert_eq!(found.map(|plan| plan.size), first);
    }

    #[test]
    fn finite_is_smaller_than_binomial_is_smaller_than_poisson(
        k in 0u64..6, percent in 3u32..20, population in 500u64..100_000,
    ) {
        let tolerable = Decimal::new(percent.into(), 2).to_string();
        prop_assume!(u64::from(percent) * population / 100 > k + 1);
        let size = |law, population| by_number(law, "0.95", &tolerable, k, population);
        let finite = size(Distribution::Hypergeometric, Some(population));
        let (binomial, poisson) = (size(Distribution::Binomial, None), size(Distribution::Poisson, None));
        prop_assert!(finite <= binomial && binomial <= poisson, "{finite} {binomial} {poisson}");
    }
}
