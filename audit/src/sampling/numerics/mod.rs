//! Distribution functions and quantiles of sampling, and exact sums of fractions.
//!
//! Sources, all implemented here from the formulas: each file names its own.

#![expect(clippy::many_single_char_names, reason = "the letters of the formulas")]

mod beta;
mod binomial;
mod fractions;
mod gamma;
mod hypergeometric;
mod normal;
mod poisson;
mod root;
mod saddle;
mod student;

use rust_decimal::Decimal;

pub use beta::{beta_quantile, beta_tails};
pub use binomial::{binomial_cdf, binomial_tails};
pub(in crate::sampling) use fractions::{divide_half_even, divide_up, sum_fractions};
pub use gamma::{gamma_quantile, gamma_tails, ln_gamma};
pub use hypergeometric::{hypergeometric_lower, hypergeometric_tails, hypergeometric_upper};
pub use normal::{normal_quantile, normal_tails};
pub use poisson::poisson_tails;
pub use student::{f_quantile, student_quantile, student_tails};

/// Smallest magnitude a denominator of a continued fraction may take (modified Lentz).
const TINY: f64 = 1e-300;
/// No fraction needs more terms: they grow with the root of the shape.
const MAX_TERMS: u32 = 200_000;

/// A count as a float. Exact up to 2^53; beyond that half a unit in the last place, far below the stated tolerance.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts above 2^53 need no more than 53 bits here"
)]
pub fn float(count: u64) -> f64 {
    count as f64
}

/// A decimal as the nearest float (within one unit in the last place).
#[expect(
    clippy::cast_precision_loss,
    reason = "96 bits to 53: the rounding is the purpose"
)]
pub fn decimal_to_float(value: Decimal) -> f64 {
    let scale = i32::try_from(value.scale()).unwrap_or(28);
    value.mantissa() as f64 / 10f64.powi(scale)
}

/// The smallest number from `low` to `high` for which `holds`, where all larger ones hold too and `high` does.
pub fn first_true(mut low: u64, mut high: u64, holds: impl Fn(u64) -> bool) -> u64 {
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TOLERANCE: f64 = 1e-10;

    /// Rows of `family,tail,first,second,expected`; see `tests/oracles/quantiles.py`.
    fn vectors(family: &str) -> Vec<[f64; 4]> {
        let rows: Vec<[f64; 4]> = include_str!("vectors.csv")
            .lines()
            .filter_map(|line| line.strip_prefix(family)?.strip_prefix(','))
            .map(|rest| {
                let cells: Vec<f64> = rest.split(',').map(|cell| cell.parse().unwrap()).collect();
                cells.try_into().unwrap()
            })
            .collect();
        assert!(rows.len() >= 45, "{family}: only {} vectors", rows.len());
        rows
    }

    fn check(family: &str, computed: impl Fn(f64, f64, f64) -> f64) {
        let mut worst = 0f64;
        for [tail, first, second, expected] in vectors(family) {
            let value = computed(tail, first, second);
            let error = ((value - expected) / expected).abs();
            assert!(
                error < TOLERANCE,
                "{family}({tail}, {first}, {second}) = {value}, not {expected}: {error:e}"
            );
            worst = worst.max(error);
        }
        println!("{family}: worst relative error {worst:e}");
    }

    #[test]
    fn beta_quantiles_match_fifty_digits() {
        check("beta", beta_quantile);
    }

    #[test]
    fn gamma_quantiles_match_fifty_digits() {
        check("gamma", |tail, shape, _| gamma_quantile(tail, shape));
    }

    #[test]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole numbers in the table"
    )]
    fn binomial_probabilities_match_fifty_digits() {
        check("binomial", |rate, k, n| binomial_cdf(k as u64, n as u64, rate));
    }

    #[test]
    fn log_gamma_matches_known_values() {
        assert!(ln_gamma(1.0).abs() < 1e-14);
        assert!((ln_gamma(0.5) - 0.572_364_942_924_700_1).abs() < 1e-14);
        assert!((ln_gamma(10.0) - 12.801_827_480_081_469).abs() < 1e-13);
        assert!((ln_gamma(1e6) - 12_815_504.569_147_612).abs() < 1e-7);
    }

    proptest! {
        #[test]
        fn a_quantile_has_its_tail(k in 0u64..500, more in 1u64..5_000, tail in 0.001f64..0.999) {
            let (a, b) = (float(k + 1), float(more));
            let x = beta_quantile(tail, a, b);
            prop_assert!((beta_tails(a, b, x).1 - tail).abs() < 1e-12);
            let x = gamma_quantile(tail, a + 0.3);
            prop_assert!((gamma_tails(a + 0.3, x).1 - tail).abs() < 1e-12);
        }
    }
}
