//! Sizes by the cell bound: they are the first at which the bound of the planned result stays below the tolerable error.

use proptest::prelude::*;

use super::*;
use crate::sampling::evaluation::monetary::{CellInput, MonetaryItem, MonetarySample, cell_bound};
use crate::sampling::evaluation::{Conclusion, Distribution};

fn planned(
    method: MonetaryMethod,
    book_value: i64,
    tolerable: i64,
    expected: i64,
    confidence: &str,
) -> MonetarySize {
    monetary_unit_size(&MonetarySizeInput {
        method,
        unit: Unit::Euro,
        book_value,
        confidence: decimal(confidence),
        tolerable,
        expected,
    })
    .unwrap()
}

/// The planned result as it would be evaluated: full errors and one of the rest.
fn evaluated(distribution: Distribution, size: u64, plan: &MonetarySize) -> Conclusion {
    let units = i128::from(plan.expected) * i128::from(size);
    let (full, rest) = (
        units / i128::from(plan.book_value),
        units % i128::from(plan.book_value),
    );
    let item = |audit: i64, hits: u64| MonetaryItem {
        book: plan.book_value,
        audit,
        hits,
    };
    let full = u64::try_from(full).unwrap();
    let rest = i64::try_from(rest).unwrap();
    let mut items = vec![
        item(0, full),
        item(plan.book_value - rest, u64::from(rest > 0)),
        item(plan.book_value, size - full - u64::from(rest > 0)),
    ];
    items.retain(|item| item.hits > 0);
    let sample = MonetarySample {
        unit: plan.unit,
        book_value: plan.book_value,
        size,
        items,
        exhaustive: Vec::new(),
        confidence: plan.confidence,
        tolerable: Some(plan.tolerable),
    };
    let result = cell_bound(&CellInput { sample, distribution }).unwrap();
    result.over.conclusion.unwrap()
}

const METHODS: [(MonetaryMethod, Distribution); 3] = [
    (MonetaryMethod::CellHypergeometric, Distribution::Hypergeometric),
    (MonetaryMethod::CellBinomial, Distribution::Binomial),
    (MonetaryMethod::CellPoisson, Distribution::Poisson),
];

/// Without an expected error nothing is loaded or spread: the size is that of the distribution for no error.
#[test]
fn without_expected_errors_the_size_is_that_for_no_error() {
    for (cell, interpolated) in [
        (
            MonetaryMethod::CellHypergeometric,
            MonetaryMethod::HypergeometricInterpolated,
        ),
        (MonetaryMethod::CellBinomial, MonetaryMethod::BinomialInterpolated),
        (MonetaryMethod::CellPoisson, MonetaryMethod::PoissonInterpolated),
    ] {
        for (book, tolerable, confidence) in [
            (1_000_000, 100_000, "0.95"),
            (12_000_000, 120_000, "0.95"),
            (500_000, 20_000, "0.9"),
        ] {
            let size = |method| planned(method, book, tolerable, 0, confidence).size;
            assert_eq!(size(cell), size(interpolated), "{cell:?} {book}");
        }
    }
    // Touw and Hoogduin 2011, 5.5.2, as the tests of FSaudit have it: subsidies of 12,000,000, tolerable 1 %
    let size = planned(MonetaryMethod::CellHypergeometric, 12_000_000, 120_000, 0, "0.95").size;
    assert_eq!(size, 299);
}

/// `tests/oracles/cell_size.py`, which knows nothing but the formula and whole numbers.
#[test]
fn sizes_equal_those_computed_in_python() {
    let sizes = |book, tolerable, expected, confidence| {
        METHODS.map(|(method, _)| planned(method, book, tolerable, expected, confidence).size)
    };
    for (book, tolerable, expected, confidence, oracle) in ORACLE {
        assert_eq!(
            sizes(book, tolerable, expected, confidence)[..2],
            oracle,
            "{book} {tolerable} {expected} {confidence}"
        );
    }
}

const ORACLE: [(i64, i64, i64, &str, [u64; 2]); 5] = [
    (3_000, 900, 400, "0.8", [11, 11]),
    (5_000, 400, 0, "0.95", [36, 37]),
    (13_500, 1_000, 300, "0.9", [54, 54]),
    (20_000, 2_000, 400, "0.95", [36, 36]),
    (50_000, 2_500, 900, "0.75", [43, 43]),
];

#[test]
fn a_size_has_a_derivation_and_its_place_among_the_others() {
    let plan = planned(MonetaryMethod::CellPoisson, 1_000_000, 50_000, 10_000, "0.95");
    assert_eq!(plan.method, "monetary-size-cell-poisson");
    let stringer = planned(
        MonetaryMethod::PoissonInterpolated,
        1_000_000,
        50_000,
        10_000,
        "0.95",
    );
    assert!(plan.size <= stringer.size, "{} {}", plan.size, stringer.size);
    let values: Vec<Decimal> = plan.steps.iter().map(|step| decimal(&step.value)).collect();
    let [.., at, before, interval] = values[..] else {
        panic!("{values:?}")
    };
    assert!(at < decimal("50000") && before >= decimal("50000") && interval == plan.interval);
    let close = monetary_unit_size(&MonetarySizeInput {
        method: MonetaryMethod::CellBinomial,
        unit: Unit::Euro,
        book_value: 1_000_000_000,
        confidence: decimal("0.95"),
        tolerable: 1_000_001,
        expected: 1_000_000,
    });
    assert_eq!(close.unwrap_err().code(), "SAMPLE_LARGER_THAN_POPULATION");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_size_is_the_first_that_suffices(
        book in 2_000i64..2_000_000, share in 30i64..600, part in 0i64..75, confidence in 50i64..99, kind in 0usize..3,
    ) {
        let (method, distribution) = METHODS[kind];
        let tolerable = (book * share / 1_000).max(1);
        let expected = tolerable * part / 100;
        let input = MonetarySizeInput {
            method, unit: Unit::Euro, book_value: book, confidence: Decimal::new(confidence, 2), tolerable, expected,
        };
        let Ok(plan) = monetary_unit_size(&input) else { return Ok(()) };
        prop_assume!(plan.size < 400);
        let first = (1..=plan.size).find(|size| evaluated(distribution, *size, &plan) == Conclusion::NotMaterial);
        prop_assert_eq!(first, Some(plan.size));
    }
}
