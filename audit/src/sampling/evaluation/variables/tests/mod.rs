use super::*;

mod published;
mod rules;

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn input(estimator: Estimator) -> VariablesInput {
    VariablesInput {
        estimator,
        combination: None,
        unit: Unit::Cent,
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
