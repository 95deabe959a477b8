//! How long plans take: `cargo test --release speed -- --ignored --nocapture`.

use std::time::{Duration, Instant};

use super::attribute::{AttributeSizeInput, Distribution, GridInput, attribute_size, size_grid};
use super::monetary::{MonetaryMethod, MonetarySizeInput, monetary_unit_size};
use super::{FiniteCorrection, Unit};
use rust_decimal::Decimal;

/// The best of several runs, so that a busy machine does not decide.
fn best(runs: u32, mut work: impl FnMut()) -> Duration {
    let time = |work: &mut dyn FnMut()| {
        let start = Instant::now();
        work();
        start.elapsed()
    };
    (0..runs).map(|_| time(&mut work)).min().unwrap_or_default()
}

#[test]
#[ignore = "measures time; run in release"]
fn a_page_within_100_ms_and_a_plan_within_one() {
    let rates =
        |step: i64, scale: u32| -> Vec<Decimal> { (1..=20).map(|i| Decimal::new(i * step, scale)).collect() };
    let laws = [
        Distribution::Binomial,
        Distribution::Poisson,
        Distribution::Hypergeometric,
        Distribution::HypergeometricIdea,
    ];
    for distribution in laws {
        for population in [20_000, 1_000_000] {
            let page = GridInput {
                distribution,
                population: Some(population),
                confidence: Decimal::new(95, 2),
                tolerable: rates(1, 2),
                expected: rates(5, 3),
            };
            let time = best(5, || drop(size_grid(&page).unwrap()));
            println!("page {distribution:?} of {population}: {time:?}");
            assert!(time < Duration::from_millis(100));
        }
        let plans = [(5, 2), (5, 4), (2, 1), (50, 49), (1, 0), (20, 19)];
        for (tolerable, expected) in plans {
            for (number, precision) in [(None, None), (Some(3), None), (None, Some(Decimal::new(5, 3)))] {
                let plan = AttributeSizeInput {
                    distribution,
                    population: Some(1_000_000),
                    confidence: Decimal::new(95, 2),
                    tolerable: Some(Decimal::new(tolerable, if tolerable == 50 { 3 } else { 2 })),
                    expected_rate: number
                        .is_none()
                        .then(|| Decimal::new(expected, if expected == 49 { 3 } else { 2 })),
                    expected_deviations: number,
                    precision,
                    finite_correction: FiniteCorrection::None,
                };
                let mut size = None;
                let time = best(5, || size = attribute_size(&plan).ok().map(|plan| plan.size));
                println!(
                    "{distribution:?} {tolerable} {expected} {number:?} {precision:?}: {size:?} in {time:?}"
                );
                assert!(time < Duration::from_millis(1), "{plan:?}");
            }
        }
    }
    for method in [
        MonetaryMethod::Gamma,
        MonetaryMethod::ConfidenceFactor,
        MonetaryMethod::HypergeometricInterpolated,
        MonetaryMethod::BinomialInterpolated,
        MonetaryMethod::PoissonInterpolated,
    ] {
        for expected in [0, 2_000_000_000, 7_000_000_000, 9_500_000_000] {
            let plan = MonetarySizeInput {
                method,
                unit: Unit::Cent,
                book_value: 500_000_000_000,
                confidence: Decimal::new(95, 2),
                tolerable: 10_000_000_000,
                expected,
            };
            let mut size = 0;
            let time = best(5, || size = monetary_unit_size(&plan).unwrap().size);
            println!("{method:?} {expected}: {size} in {time:?}");
            assert!(time < Duration::from_millis(1), "{plan:?}");
        }
    }
}
