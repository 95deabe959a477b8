//! The numerics against tables of 50 digits and more, which `tests/oracles/quantiles.py` writes.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts in the tables are whole numbers below 2^53"
)]

use super::*;

/// Relative error in the smaller tail, or of a quantile: a tenth of what the module promises.
const TOLERANCE: f64 = 1e-13;

/// Compares each row's last cell with the quantile computed from the others.
fn check<const INPUTS: usize>(rows: &str, quantile: impl Fn([f64; INPUTS]) -> f64) {
    compare(rows, |inputs, _| quantile(inputs));
}

/// Compares each row's last cell with the lower tail computed from the others, or less the upper one, as it
/// is given.
fn check_tails<const INPUTS: usize>(rows: &str, tails: impl Fn([f64; INPUTS]) -> (f64, f64)) {
    compare(rows, |inputs, expected| {
        let (lower, upper) = tails(inputs);
        assert!((lower + upper - 1.0).abs() <= f64::EPSILON, "{inputs:?}");
        if expected > 0.0 { lower } else { -upper }
    });
}

fn compare<const INPUTS: usize>(rows: &str, computed: impl Fn([f64; INPUTS], f64) -> f64) {
    let mut worst = (0.0, "");
    let mut count = 0;
    for line in rows.lines() {
        let mut inputs = [0.0; INPUTS];
        let mut cells = line.split(',');
        for (input, cell) in inputs.iter_mut().zip(&mut cells) {
            *input = cell.parse().unwrap();
        }
        let expected: f64 = cells.next().unwrap().parse().unwrap();
        assert_eq!(cells.next(), None, "{line}");
        let value = computed(inputs, expected);
        let error = if expected == 0.0 {
            value.abs()
        } else {
            (value / expected - 1.0).abs()
        };
        assert!(error < TOLERANCE, "{line}: computed {value:e}, off by {error:e}");
        count += 1;
        if error > worst.0 {
            worst = (error, line);
        }
    }
    assert!(count >= 2_000, "only {count} rows");
    println!("{count} rows, worst relative error {:e} at {}", worst.0, worst.1);
}

#[test]
fn beta_quantiles() {
    check(include_str!("vectors/beta.csv"), |[tail, a, b]| {
        beta_quantile(tail, a, b)
    });
}

#[test]
fn gamma_quantiles() {
    check(include_str!("vectors/gamma.csv"), |[tail, shape]| {
        gamma_quantile(tail, shape)
    });
}

#[test]
fn normal_quantiles() {
    check(include_str!("vectors/normal.csv"), |[tail]| normal_quantile(tail));
}

#[test]
fn student_quantiles() {
    check(include_str!("vectors/student.csv"), |[tail, df]| {
        student_quantile(tail, df)
    });
}

#[test]
fn f_quantiles() {
    check(include_str!("vectors/f.csv"), |[tail, d1, d2]| {
        f_quantile(tail, d1, d2)
    });
}

#[test]
fn binomial_probabilities() {
    check_tails(include_str!("vectors/binomial.csv"), |[k, n, rate]| {
        binomial_tails(k as u64, n as u64, rate)
    });
}

#[test]
fn poisson_probabilities() {
    check_tails(include_str!("vectors/poisson.csv"), |[k, mean]| {
        poisson_tails(k as u64, mean)
    });
}

#[test]
fn hypergeometric_probabilities() {
    check_tails(
        include_str!("vectors/hypergeometric.csv"),
        |[k, population, deviating, size]| {
            let [k, population, deviating, size] = [k, population, deviating, size].map(|count| count as u64);
            hypergeometric_tails(k, population, deviating, size)
        },
    );
}

/// Limits are whole numbers: equal to the last item of a trillion.
#[test]
fn hypergeometric_limits() {
    let mut count = 0;
    for line in include_str!("vectors/limits.csv").lines() {
        let cells: Vec<&str> = line.split(',').collect();
        let &[k, population, size, risk, upper, lower] = cells.as_slice() else {
            panic!("{line}");
        };
        let whole = |cell: &str| cell.parse::<u64>().unwrap();
        let risk = risk.parse().unwrap();
        let (k, population, size) = (whole(k), whole(population), whole(size));
        assert_eq!(
            hypergeometric_upper(population, size, k, risk),
            whole(upper),
            "{line}"
        );
        assert_eq!(
            hypergeometric_lower(population, size, k, risk),
            whole(lower),
            "{line}"
        );
        count += 1;
    }
    assert!(count >= 2_000, "only {count} rows");
}
