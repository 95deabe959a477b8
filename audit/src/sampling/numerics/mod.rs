//! Distribution functions and quantiles of sampling, their exact comparison with a risk, and exact sums of
//! fractions.
//!
//! Accuracy: 1e-12 relatively, of probabilities in the smaller tail and of quantiles; measured 3e-14 at
//! worst. The range that is proven: sizes, means, shapes and degrees of freedom from 0.25 to 1,000,000,
//! populations up to 1e12 units, tails from 1e-10 to 1 - 1e-10. `vectors/` holds 2,100 rows for each family,
//! which `tests/oracles/quantiles.py` computes from other formulas with 60 digits. Beyond that range the
//! functions stay right and become slow: the time grows with the standard deviation. At its ends a
//! probability or quantile takes up to 0.02 ms, a hypergeometric limit up to 0.3 ms (`speed.rs`).
//!
//! Where a decision hangs on a tie, [`hypergeometric_compare`] and [`binomial_compare`] decide in whole
//! numbers. A Poisson probability with a rational mean is irrational: it ties with no decimal.
//!
//! All is implemented here from the formulas; each file names its sources. (At a million draws the crates
//! `statrs` 0.19.1, `special` 0.14.2 and `puruspe` 0.4.4 miss 1e-12 in beta quantiles, and at a billion items
//! `scipy` 1.17.1 in the hypergeometric distribution.)

#![expect(clippy::many_single_char_names, reason = "the letters of the formulas")]

mod beta;
mod binomial;
mod exact;
mod fraction;
mod gamma;
mod hypergeometric;
mod normal;
mod poisson;
#[cfg(test)]
mod properties;
mod root;
mod rounding;
mod saddle;
#[cfg(test)]
mod speed;
mod student;
#[cfg(test)]
mod vectors;

use rust_decimal::Decimal;

pub use beta::{beta_quantile, beta_tails};
pub use binomial::{binomial_cdf, binomial_compare, binomial_tails};
pub(in crate::sampling) use exact::{divide_half_even, divide_up, sum_fractions};
pub(in crate::sampling) use fraction::Fraction;
pub use gamma::{gamma_quantile, gamma_tails, ln_gamma};
pub use hypergeometric::{
    hypergeometric_compare, hypergeometric_exact_compare, hypergeometric_lower, hypergeometric_tails,
    hypergeometric_upper,
};
pub use normal::{normal_quantile, normal_tails};
pub use poisson::poisson_tails;
pub(in crate::sampling) use rounding::{down, nearest, up};
pub use student::{f_quantile, student_quantile, student_tails};

/// Smallest magnitude a denominator of a continued fraction may take (modified Lentz).
const TINY: f64 = 1e-300;
/// No series or fraction needs more terms: they grow with the root of the shape, 10,000 at a million.
const MAX_TERMS: u32 = 100_000_000;

/// A count as a float. Exact up to 2^53; beyond that half a unit in the last place, far below the stated
/// tolerance.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts above 2^53 need no more than 53 bits here"
)]
pub fn float(count: u64) -> f64 {
    count as f64
}

/// Checks a confidence and returns its complement, formed exactly.
pub(in crate::sampling) fn risk(confidence: Decimal) -> Option<f64> {
    (confidence > Decimal::ZERO && confidence < Decimal::ONE)
        .then(|| decimal_to_float(Decimal::ONE - confidence))
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

/// The smallest number from `low` to `high` for which `holds`, where all larger ones hold too and `high`
/// does.
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
