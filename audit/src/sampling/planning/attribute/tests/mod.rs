mod objectives;
mod search;
mod stages;

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

/// Expected deviation rates of AICPA tables, in hundredths of a per cent.
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

/// Table A-2: risk of overreliance 10 per cent. The two 113 (7 per cent tolerable, 3.25 and 3.50 expected)
/// are printed as 112, where the probability of at most 4 deviations is still 10.1 per cent.
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

/// Results of the IDEA software, published with the R package `FSaudit`: population, confidence, tolerable,
/// expected, size, c.
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
