//! What holds for all figures: limits move the right way, quantiles have their tails, ties are decided
//! exactly.

use std::cmp::Ordering;

use num_bigint::BigInt;
use proptest::prelude::*;

use super::*;

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// `P(X <= k)` as fraction, from the definition.
fn by_definition(k: u64, population: u64, deviating: u64, size: u64) -> (BigInt, BigInt) {
    let ways = exact::ways;
    let sum = (0..=k)
        .filter(|i| *i <= size)
        .map(|i| ways(deviating, i) * ways(population - deviating, size - i))
        .sum();
    (sum, ways(population, size))
}

/// Whether `P(X <= k)` is above the risk, from the definition.
fn supported(k: u64, population: u64, deviating: u64, size: u64, risk: Decimal) -> bool {
    let (numerator, denominator) = by_definition(k, population, deviating, size);
    exact::compare_with(&numerator, &denominator, risk) == Ordering::Greater
}

#[test]
fn every_limit_of_a_small_population_is_the_defined_one() {
    for population in 1..=14 {
        for size in 1..=population {
            for k in 0..=size {
                for risk in ["0.05", "0.1", "0.2", "0.25", "0.5", "0.75", "0.95"].map(decimal) {
                    let upper = (0..=population)
                        .rfind(|deviating| supported(k, population, *deviating, size, risk))
                        .unwrap();
                    let lower = (0..=population)
                        .find(|deviating| {
                            // P(X >= k) = 1 - P(X <= k - 1) above the risk
                            k == 0 || {
                                let (numerator, denominator) =
                                    by_definition(k - 1, population, *deviating, size);
                                let rest = &denominator - numerator;
                                exact::compare_with(&rest, &denominator, risk) == Ordering::Greater
                            }
                        })
                        .unwrap();
                    let found = hypergeometric_upper(population, size, k, risk);
                    assert_eq!(found, upper, "upper {population} {size} {k} {risk}");
                    let found = hypergeometric_lower(population, size, k, risk);
                    assert_eq!(found, lower, "lower {population} {size} {k} {risk}");
                }
            }
        }
    }
}

#[test]
fn ties_are_decided_in_whole_numbers() {
    // one of two, one of four, two of four drawn
    assert_eq!(
        hypergeometric_compare(0, 2, 1, 1, decimal("0.5")),
        Ordering::Equal
    );
    assert_eq!(
        hypergeometric_compare(0, 4, 1, 3, decimal("0.25")),
        Ordering::Equal
    );
    assert_eq!(hypergeometric_upper(4, 2, 0, decimal("0.5")), 0);
    assert_eq!(
        hypergeometric_upper(4, 2, 0, decimal("0.4999999999999999999999999999")),
        1
    );
    // a trillion monetary units, one of them drawn: P(0) = 1 - K/N
    let trillion = 1_000_000_000_000;
    assert_eq!(
        hypergeometric_upper(trillion, 1, 0, decimal("0.05")),
        949_999_999_999
    );
    assert_eq!(
        hypergeometric_upper(trillion, 1, 0, decimal("0.049999999999")),
        950_000_000_000
    );
    assert_eq!(
        hypergeometric_lower(trillion, 1, 1, decimal("0.05")),
        50_000_000_001
    );
    assert_eq!(
        hypergeometric_exact_compare(0, trillion, 1, 1_000_000, decimal("0.5")),
        None,
        "too large"
    );
    assert_eq!(
        hypergeometric_compare(0, trillion, 1, 1_000_000, decimal("0.999999")),
        Ordering::Equal,
        "the float that stands"
    );
    assert_eq!(
        binomial_compare(0, 2, decimal("0.5"), decimal("0.25")),
        Ordering::Equal
    );
    assert_eq!(
        binomial_compare(1, 3, decimal("0.50"), decimal("0.5")),
        Ordering::Equal
    );
    assert_eq!(
        binomial_compare(0, 3, decimal("0.1"), decimal("0.729")),
        Ordering::Equal
    );
    assert_eq!(
        binomial_compare(1, 2, decimal("0.1"), decimal("0.99")),
        Ordering::Equal
    );
    assert_eq!(
        binomial_compare(0, 3, decimal("0.1"), decimal("0.7289999999999999999999999999")),
        Ordering::Greater
    );
    assert_eq!(
        binomial_compare(0, 3, decimal("0.1"), decimal("0.7290000000000000000000000001")),
        Ordering::Less
    );
}

#[test]
fn published_limits_and_quantiles() {
    let close = |value: f64, printed: f64| assert!((value - printed).abs() < 0.5001e-3, "{value} {printed}");
    // tables of t and F at 5 % and 2.5 %
    close(student_quantile(0.025, 10.0), 2.228);
    close(student_quantile(0.05, 29.0), 1.699);
    close(student_quantile(0.025, 120.0), 1.980);
    close(f_quantile(0.05, 5.0, 10.0), 3.326);
    close(f_quantile(0.01, 1.0, 30.0), 7.562);
    // EC guidance EGESIF 16-0014, table 3
    close(normal_quantile(0.2), 0.842);
    close(normal_quantile(0.15), 1.036);
    close(normal_quantile(0.05), 1.645);
    close(normal_quantile(0.025), 1.960);
    // reliability factors at 95 %
    close(gamma_quantile(0.05, 1.0), 2.996);
    close(gamma_quantile(0.05, 2.0), 4.744);
    close(gamma_quantile(0.05, 11.0), 16.962);
}

#[test]
fn impossible_figures_have_answers_too() {
    for (k, population, deviating, size) in [
        (0, 0, 0, 0),
        (5, 3, 9, 9),
        (u64::MAX, u64::MAX, u64::MAX, 1),
        (7, 10, 3, 5),
    ] {
        let (lower, upper) = hypergeometric_tails(k, population, deviating, size);
        assert!(
            (0.0..=1.0).contains(&lower) && (0.0..=1.0).contains(&upper),
            "{k} {population}"
        );
    }
    assert_eq!(hypergeometric_tails(2, 10, 8, 5), (0.0, 1.0));
    for risk in ["0", "1", "-1", "2"].map(decimal) {
        for (population, size, k) in [(0, 0, 0), (10, 20, 3), (10, 5, 9), (10, 5, 0), (10, 0, 0)] {
            assert!(hypergeometric_upper(population, size, k, risk) <= population);
            assert!(hypergeometric_lower(population, size, k, risk) <= population);
        }
    }
    for tail in [-1.0, 0.0, 1.0, 2.0] {
        for value in [
            beta_quantile(tail, 2.0, 3.0),
            beta_quantile(tail, 1.0, 3.0),
            gamma_quantile(tail, 2.0),
            normal_quantile(tail),
            student_quantile(tail, 3.0),
            f_quantile(tail, 2.0, 3.0),
        ] {
            assert!(!value.is_nan(), "{tail}");
        }
    }
    assert!(
        (beta_quantile(0.05, 6.0, 0.0) - 1.0).abs() < f64::EPSILON,
        "all deviate"
    );
    assert_eq!(normal_tails(f64::INFINITY), (1.0, 0.0));
    assert!(normal_tails(-50.0).0 <= 0.0);
    assert_eq!(poisson_tails(3, 0.0), (1.0, 0.0));
    assert_eq!(binomial_tails(3, 9, 1.0), (0.0, 1.0));
    assert!(student_quantile(0.5, 7.0).abs() <= 0.0);
}

/// Beyond the proven range, by asymptotic formulas: nothing is cut off.
#[test]
fn far_larger_figures_are_right_too() {
    let shape = 1e10_f64;
    // the median is a third below the mean
    let expected = 0.5 + 1.0 / (3.0 * (std::f64::consts::TAU * shape).sqrt());
    assert!((gamma_tails(shape, shape).0 - expected).abs() < 1e-12);
    assert!((gamma_quantile(0.5, shape) - (shape - 1.0 / 3.0)).abs() < 1e-4);
    let x = 0.5 + 0.5 / (2.0 * shape + 1.0).sqrt();
    assert!((beta_tails(shape, shape, x).1 - normal_tails(1.0).1).abs() < 1e-10);
    assert!((beta_quantile(normal_tails(1.0).1, shape, shape) / x - 1.0).abs() < 1e-14);
    let (lower, upper) = hypergeometric_tails(4_999_999_999, 1 << 40, 1 << 39, 9_999_999_999);
    assert!((lower - 0.5).abs() < 1e-12 && (upper - 0.5).abs() < 1e-12);
}

#[test]
fn decimals_become_the_nearest_floats() {
    for text in [
        "0.05",
        "0.1",
        "0.7290000000000000000000000001",
        "79228162514264337593543950335",
        "-0.3",
        "1e-28",
    ] {
        let value = Decimal::from_scientific(text).or_else(|_| text.parse()).unwrap();
        let nearest: f64 = text.parse().unwrap();
        assert_eq!(decimal_to_float(value).to_bits(), nearest.to_bits(), "{text}");
    }
}

proptest! {
    #[test]
    fn a_quantile_has_its_tail(
        a in 0.05f64..3_000.0,
        b in 0.05f64..3_000.0,
        tail in 1e-10f64..1.0,
    ) {
        let near = |computed: f64| (computed / tail - 1.0).abs() < 1e-12 || (computed - tail).abs() < 1e-12;
        let x = beta_quantile(tail, a, b);
        // next to 1 the float itself is too coarse
        if x < 0.999 {
            prop_assert!(near(beta_tails(a, b, x).1), "beta {a} {b} {tail}: {x}");
        }
        let x = gamma_quantile(tail, a);
        if x > 1e-300 {
            prop_assert!(near(gamma_tails(a, x).1), "gamma {a} {tail}: {x}");
        }
        let x = student_quantile(tail, a);
        if x.abs() < 1e100 {
            prop_assert!(near(student_tails(a, x).1), "student {a} {tail}: {x}");
        }
        prop_assert!(near(normal_tails(normal_quantile(tail)).1));
    }

    #[test]
    fn limits_fall_with_the_size_and_rise_with_the_deviations(
        size in 2u64..20_000,
        more in 1u64..500,
        share in 0.0f64..1.0,
        beyond in 0u64..1_000_000,
        risk in 1i64..50,
    ) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of the size")]
        let k = (share * float(size - 1)) as u64;
        let risk = Decimal::new(risk, 2);
        let tail = decimal_to_float(risk);
        let population = size + more + beyond;
        let binomial = |k: u64, size: u64| beta_quantile(tail, float(k + 1), float(size - k));
        prop_assert!(binomial(k, size + more) < binomial(k, size));
        prop_assert!(binomial(k + 1, size) > binomial(k, size));
        let poisson = |k: u64, size: u64| gamma_quantile(tail, float(k + 1)) / float(size);
        prop_assert!(poisson(k, size + more) < poisson(k, size));
        prop_assert!(poisson(k + 1, size) > poisson(k, size));
        let upper = |k, size| hypergeometric_upper(population, size, k, risk);
        prop_assert!(upper(k, size + more) <= upper(k, size));
        prop_assert!(upper(k + 1, size) > upper(k, size));
        let lower = |k, size| hypergeometric_lower(population, size, k, risk);
        prop_assert!(lower(k, size + more) <= lower(k, size));
        prop_assert!(lower(k + 1, size) > lower(k, size));
        prop_assert!(lower(k, size) <= upper(k, size));
        // on both sides of the limit
        let found = upper(k, size);
        prop_assert!(hypergeometric_tails(k, population, found, size).0 > tail - 1e-12);
        prop_assert!(hypergeometric_tails(k, population, found + 1, size).0 <= tail + 1e-12);
    }

    #[test]
    fn the_less_is_known_the_higher_the_limit(
        size in 1u64..20_000,
        share in 0.0f64..0.5,
        beyond in 1u64..1_000_000_000,
        risk in 1i64..=100,
    ) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of the size")]
        let k = (share * float(size)) as u64;
        let risk = Decimal::new(risk, 3);
        let tail = decimal_to_float(risk);
        let population = size + beyond;
        let without = float(hypergeometric_upper(population, size, k, risk)) / float(population);
        let with = beta_quantile(tail, float(k + 1), float(size - k));
        let endless = gamma_quantile(tail, float(k + 1)) / float(size);
        prop_assert!(without <= with * (1.0 + 1e-12), "{without} {with}");
        prop_assert!(with <= endless, "{with} {endless}");
    }

    #[test]
    fn tails_of_small_populations_are_the_defined_ones(
        population in 1u64..400,
        deviating in 0.0f64..=1.0,
        size in 0.0f64..=1.0,
        k in 0.0f64..=1.0,
    ) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "shares")]
        let part = |share: f64, of: u64| (share * float(of)).round() as u64;
        let (deviating, size) = (part(deviating, population), part(size, population));
        let k = part(k, size);
        let (numerator, denominator) = by_definition(k, population, deviating, size);
        // 60 binary digits of the fraction
        let scaled: u64 = ((numerator << 60u32) / denominator).try_into().unwrap();
        let expected = float(scaled) / float(1 << 60);
        let (lower, upper) = hypergeometric_tails(k, population, deviating, size);
        prop_assert!((lower - expected).abs() < 1e-13 && (upper - (1.0 - expected)).abs() < 1e-13);
        prop_assert_eq!(
            hypergeometric_exact_compare(k, population, deviating, size, Decimal::new(5, 1)).unwrap(),
            scaled.cmp(&(1 << 59))
        );
    }
}
