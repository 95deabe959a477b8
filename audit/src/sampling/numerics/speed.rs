//! How long the functions take at the ends of their ranges; for release builds:
//! `cargo test --release -p audit numerics::speed -- --ignored --nocapture`.

use std::time::{Duration, Instant};

use super::*;

/// Time that a probability or a quantile may take.
const FUNCTION: Duration = Duration::from_micros(200);
/// Time that a limit may take.
const LIMIT: Duration = Duration::from_millis(1);

/// The best of some runs, so that other work on the machine does not count.
fn measure<T>(name: &str, bound: Duration, compute: impl Fn() -> T) {
    let best = (0..20)
        .map(|_| {
            let start = Instant::now();
            std::hint::black_box(compute());
            start.elapsed()
        })
        .min()
        .unwrap();
    println!("{name:60} {best:?}");
    assert!(best < bound, "{name}: {best:?}");
}

#[test]
#[ignore = "measures time"]
fn functions_are_fast_at_the_extremes() {
    for (a, b) in [
        (500_000.0_f64, 500_000.0_f64),
        (1_000_000.0, 1_000_000.0),
        (1.0, 1e6),
        (2.0, 1e6),
        (1e6, 3.0),
        (101.0, 999_900.0),
        (0.5, 0.25),
    ] {
        for z in [-6.0, -0.1, 0.1, 6.0] {
            let x = a / (a + b) + z * (a * b / (a + b + 1.0)).sqrt() / (a + b);
            measure(&format!("beta_tails {a} {b} {x}"), FUNCTION, || {
                beta_tails(a, b, x)
            });
        }
        for tail in [1e-10, 0.05, 0.49, 0.6, 1.0 - 1e-10] {
            measure(&format!("beta_quantile {tail} {a} {b}"), FUNCTION, || {
                beta_quantile(tail, a, b)
            });
        }
    }
    for shape in [0.25, 1.0, 1e3, 1e6] {
        for tail in [1e-10, 0.05, 0.49, 0.6, 1.0 - 1e-10] {
            measure(&format!("gamma_quantile {tail} {shape}"), FUNCTION, || {
                gamma_quantile(tail, shape)
            });
            measure(&format!("student_quantile {tail} {shape}"), FUNCTION, || {
                student_quantile(tail, shape)
            });
            for other in [1.0, 1e6] {
                measure(&format!("f_quantile {tail} {shape} {other}"), FUNCTION, || {
                    f_quantile(tail, shape, other)
                });
            }
        }
    }
    for k in [990_000, 999_999, 1_000_001, 1_010_000] {
        measure(&format!("poisson_tails {k} 1e6"), FUNCTION, || {
            poisson_tails(k, 1e6)
        });
    }
    for k in [498_000, 499_999, 500_001, 503_000] {
        measure(&format!("binomial_tails {k} 1e6 0.5"), FUNCTION, || {
            binomial_tails(k, 1_000_000, 0.5)
        });
        measure(
            &format!("hypergeometric_tails {k} 1e12 5e11 1e6"),
            FUNCTION,
            || hypergeometric_tails(k, 1_000_000_000_000, 500_000_000_000, 1_000_000),
        );
    }
    for tail in [1e-10, 0.05, 0.49] {
        measure(&format!("normal_quantile {tail}"), FUNCTION, || {
            normal_quantile(tail)
        });
    }
}

#[test]
#[ignore = "measures time"]
fn limits_are_fast_at_the_extremes() {
    for population in [20, 10_000, 1_000_000, 1_000_000_000, 1_000_000_000_000] {
        for size in [1, 10, 60, 200, 220, 300, 5_000, 100_000, 1_000_000] {
            if size > population {
                continue;
            }
            let mut ks = vec![0, 1, size / 100, size / 3, size / 2, size - 1];
            ks.dedup();
            for k in ks {
                for risk in [
                    Decimal::new(5, 2),
                    Decimal::new(1, 10),
                    Decimal::new(4999, 4),
                    Decimal::new(9, 1),
                ] {
                    let name = format!("{population} {size} {k} {risk}");
                    measure(&format!("hypergeometric_upper {name}"), LIMIT, || {
                        hypergeometric_upper(population, size, k, risk)
                    });
                    measure(&format!("hypergeometric_lower {name}"), LIMIT, || {
                        hypergeometric_lower(population, size, k, risk)
                    });
                }
            }
        }
    }
    // a tie at the largest numbers that decide it
    for (k, population, deviating, size) in [(0, 8_000, 1, 4_000), (1_000, 8_000, 2_001, 4_000)] {
        measure(&format!("tie {k} {population} {deviating} {size}"), LIMIT, || {
            hypergeometric_compare(k, population, deviating, size, Decimal::new(5, 1))
        });
    }
}
