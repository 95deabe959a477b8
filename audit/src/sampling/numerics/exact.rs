//! Exact sums of fractions and divisions with a named rounding.

use std::cmp::Ordering;

use num_bigint::{BigInt, Sign};
use rust_decimal::Decimal;

/// Exact sum of fractions as numerator and positive denominator, not reduced. Denominators must be positive.
pub(in crate::sampling) fn sum_fractions(terms: &[(BigInt, BigInt)]) -> (BigInt, BigInt) {
    match terms {
        [] => (BigInt::from(0), BigInt::from(1)),
        [(numerator, denominator)] => (numerator.clone(), denominator.clone()),
        _ => {
            // halves of like size, so that large numbers meet large numbers only
            let (left, right) = terms.split_at(terms.len() / 2);
            let (a, b) = sum_fractions(left);
            let (c, d) = sum_fractions(right);
            (a * &d + c * &b, b * d)
        }
    }
}

/// `numerator / denominator` rounded half to even; the denominator is positive.
pub(in crate::sampling) fn divide_half_even(numerator: &BigInt, denominator: &BigInt) -> BigInt {
    let (quotient, rest) = divide_floor(numerator, denominator);
    let twice: BigInt = rest * 2;
    let odd = quotient.bit(0);
    if twice > *denominator || (twice == *denominator && odd) {
        quotient + 1
    } else {
        quotient
    }
}

/// `numerator / denominator` rounded up; the denominator is positive.
pub(in crate::sampling) fn divide_up(numerator: &BigInt, denominator: &BigInt) -> BigInt {
    let (quotient, rest) = divide_floor(numerator, denominator);
    if rest.sign() == Sign::NoSign {
        quotient
    } else {
        quotient + 1
    }
}

fn divide_floor(numerator: &BigInt, denominator: &BigInt) -> (BigInt, BigInt) {
    let quotient = numerator / denominator;
    let rest = numerator - &quotient * denominator;
    if rest.sign() == Sign::Minus {
        (quotient - 1, rest + denominator)
    } else {
        (quotient, rest)
    }
}

/// The ways to choose `k` of `n`, the binomial coefficient; 0 for `k > n`.
pub(super) fn ways(n: u64, k: u64) -> BigInt {
    if k > n {
        return BigInt::from(0);
    }
    let mut ways = BigInt::from(1);
    for i in 0..k.min(n - k) {
        ways = ways * (n - i) / (i + 1);
    }
    ways
}

/// How the fraction of `numerator` and positive `denominator` compares with a decimal.
pub(super) fn compare_with(numerator: &BigInt, denominator: &BigInt, value: Decimal) -> Ordering {
    (numerator * power_of_ten(value.scale())).cmp(&(denominator * value.mantissa()))
}

/// `10^exponent`.
pub(super) fn power_of_ten(exponent: u32) -> BigInt {
    BigInt::from(10).pow(exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn division_rounds_as_named() {
        let case = |n: i64, d: i64| {
            let (n, d) = (BigInt::from(n), BigInt::from(d));
            (divide_half_even(&n, &d), divide_up(&n, &d))
        };
        assert_eq!(case(5, 2), (2.into(), 3.into()));
        assert_eq!(case(7, 2), (4.into(), 4.into()));
        assert_eq!(case(-5, 2), ((-2).into(), (-2).into()));
        assert_eq!(case(-7, 2), ((-4).into(), (-3).into()));
        assert_eq!(case(6, 3), (2.into(), 2.into()));
    }
}
