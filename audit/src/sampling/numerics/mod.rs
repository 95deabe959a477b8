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
#[cfg(test)]
mod properties;
mod root;
mod saddle;
#[cfg(test)]
mod speed;
mod student;
#[cfg(test)]
mod vectors;

use rust_decimal::Decimal;

pub use beta::{beta_quantile, beta_tails};
pub use binomial::{binomial_cdf, binomial_compare, binomial_tails};
pub(in crate::sampling) use fractions::{divide_half_even, divide_up, sum_fractions};
pub use gamma::{gamma_quantile, gamma_tails, ln_gamma};
pub use hypergeometric::{
    hypergeometric_compare, hypergeometric_exact_compare, hypergeometric_lower, hypergeometric_tails,
    hypergeometric_upper,
};
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

/// A decimal as the nearest float.
#[expect(
    clippy::cast_precision_loss,
    reason = "the mantissa is below 2^53 where it is cast"
)]
pub fn decimal_to_float(value: Decimal) -> f64 {
    // one rounding of an exact quotient: powers of ten up to the 22nd are floats
    match i32::try_from(value.scale()) {
        Ok(scale) if scale <= 22 && value.mantissa().unsigned_abs() < 1 << 53 => {
            value.mantissa() as f64 / 10f64.powi(scale)
        }
        // the parser rounds rightly at any length
        _ => value.to_string().parse().unwrap_or(f64::NAN),
    }
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
