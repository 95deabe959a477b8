//! Fractions: everything but quantiles is formed exactly, and only the root is cut, far behind the shown places.

use std::{
    cmp::Ordering,
    ops::{Add, Div, Mul, Neg, Sub},
};

use num_bigint::{BigInt, Sign};
use rust_decimal::{Decimal, RoundingStrategy};

use crate::sampling::numerics::{divide_half_even, divide_up};

/// Decimal places of amounts in results.
pub(crate) const AMOUNT_PLACES: u32 = 6;
/// Decimal places of rates and quantiles in results.
pub(crate) const RATE_PLACES: u32 = 12;
/// Decimal places after which a root is cut (upwards).
const ROOT_PLACES: u32 = 24;

/// Beyond so many bits of the denominator a fraction is reduced: divisors cost more than short multiplications.
const LONG: u64 = 512;

/// A fraction with a positive denominator.
#[derive(Debug, Clone)]
pub(crate) struct Fraction {
    numerator: BigInt,
    denominator: BigInt,
}

/// Greatest common divisor; both not negative.
fn divisor(mut left: BigInt, mut right: BigInt) -> BigInt {
    while right.sign() != Sign::NoSign {
        let rest = left % &right;
        left = right;
        right = rest;
    }
    left
}

impl Fraction {
    /// `numerator / denominator`; zero where the denominator is zero, which callers have ruled out.
    pub(crate) fn new(numerator: impl Into<BigInt>, denominator: impl Into<BigInt>) -> Self {
        let (mut numerator, mut denominator) = (numerator.into(), denominator.into());
        if denominator.sign() == Sign::NoSign {
            return Self::zero();
        }
        if denominator.sign() == Sign::Minus {
            numerator = -numerator;
            denominator = -denominator;
        }
        if denominator.bits() <= LONG {
            return Self {
                numerator,
                denominator,
            };
        }
        let common = divisor(BigInt::from(numerator.magnitude().clone()), denominator.clone());
        numerator /= &common;
        denominator /= &common;
        Self {
            numerator,
            denominator,
        }
    }

    /// A whole number.
    pub(crate) fn whole(number: impl Into<BigInt>) -> Self {
        Self {
            numerator: number.into(),
            denominator: BigInt::from(1),
        }
    }

    /// Nothing.
    pub(crate) fn zero() -> Self {
        Self::whole(0)
    }

    /// The decimal, exactly.
    pub(crate) fn decimal(value: Decimal) -> Self {
        Self::new(value.mantissa(), BigInt::from(10).pow(value.scale()))
    }

    pub(crate) fn is_zero(&self) -> bool {
        self.numerator.sign() == Sign::NoSign
    }

    pub(crate) fn is_negative(&self) -> bool {
        self.numerator.sign() == Sign::Minus
    }

    pub(crate) fn square(&self) -> Self {
        self * self
    }

    /// The root, cut upwards after 24 places; exact where it has no more. Zero for negative numbers.
    pub(crate) fn root(&self) -> Self {
        if self.numerator.sign() != Sign::Plus {
            return Self::zero();
        }
        let scaled = divide_up(
            &(&self.numerator * BigInt::from(10).pow(2 * ROOT_PLACES)),
            &self.denominator,
        );
        let mut root = scaled.sqrt();
        if &root * &root < scaled {
            root += 1;
        }
        Self::new(root, BigInt::from(10).pow(ROOT_PLACES))
    }

    fn scaled(value: BigInt, places: u32) -> Option<Decimal> {
        Decimal::try_from_i128_with_scale(i128::try_from(value).ok()?, places).ok()
    }

    /// Half to even.
    pub(crate) fn even(&self, places: u32) -> Option<Decimal> {
        let numerator = &self.numerator * BigInt::from(10).pow(places);
        Self::scaled(divide_half_even(&numerator, &self.denominator), places)
    }

    /// Up, towards the larger number.
    pub(crate) fn up(&self, places: u32) -> Option<Decimal> {
        let numerator = &self.numerator * BigInt::from(10).pow(places);
        Self::scaled(divide_up(&numerator, &self.denominator), places)
    }

    /// Down, towards the smaller number.
    pub(crate) fn down(&self, places: u32) -> Option<Decimal> {
        let numerator = -(&self.numerator * BigInt::from(10).pow(places));
        Self::scaled(-divide_up(&numerator, &self.denominator), places)
    }

    /// Half to even to a whole number.
    pub(crate) fn nearest(&self) -> BigInt {
        divide_half_even(&self.numerator, &self.denominator)
    }

    /// For derivations: at most six places behind the first digits, trailing zeros cut.
    pub(crate) fn show(&self) -> String {
        let small = self.numerator.magnitude() * 1_000u32 < *self.denominator.magnitude();
        let places = if small { 15 } else { AMOUNT_PLACES };
        self.even(places)
            .map_or_else(|| "…".into(), |value| value.normalize().to_string())
    }
}

impl Ord for Fraction {
    fn cmp(&self, other: &Self) -> Ordering {
        (&self.numerator * &other.denominator).cmp(&(&other.numerator * &self.denominator))
    }
}

impl PartialEq for Fraction {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Fraction {}

impl PartialOrd for Fraction {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Add for &Fraction {
    type Output = Fraction;
    fn add(self, other: Self) -> Fraction {
        if self.denominator == other.denominator {
            return Fraction {
                numerator: &self.numerator + &other.numerator,
                denominator: self.denominator.clone(),
            };
        }
        Fraction::new(
            &self.numerator * &other.denominator + &other.numerator * &self.denominator,
            &self.denominator * &other.denominator,
        )
    }
}

impl Sub for &Fraction {
    type Output = Fraction;
    fn sub(self, other: Self) -> Fraction {
        self + &-other
    }
}

impl Mul for &Fraction {
    type Output = Fraction;
    fn mul(self, other: Self) -> Fraction {
        Fraction::new(
            &self.numerator * &other.numerator,
            &self.denominator * &other.denominator,
        )
    }
}

impl Div for &Fraction {
    type Output = Fraction;
    fn div(self, other: Self) -> Fraction {
        Fraction::new(
            &self.numerator * &other.denominator,
            &self.denominator * &other.numerator,
        )
    }
}

impl Neg for &Fraction {
    type Output = Fraction;
    fn neg(self) -> Fraction {
        Fraction {
            numerator: -&self.numerator,
            denominator: self.denominator.clone(),
        }
    }
}

impl std::iter::Sum for Fraction {
    fn sum<I: Iterator<Item = Self>>(terms: I) -> Self {
        terms.fold(Self::zero(), |sum, term| &sum + &term)
    }
}

/// A float quantile as the decimal of twelve places with which everything further is formed exactly.
pub(crate) fn quantile(value: f64) -> Option<Decimal> {
    Decimal::from_f64_retain(value)
        .map(|q| q.round_dp_with_strategy(RATE_PLACES, RoundingStrategy::MidpointNearestEven))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_are_exact_and_rounded_as_named() {
        let third = Fraction::new(1, 3);
        assert_eq!(&(&third + &third) + &third, Fraction::whole(1));
        assert_eq!(&Fraction::new(2, -6) / &third, Fraction::whole(-1));
        assert_eq!(Fraction::new(5, 0), Fraction::zero());
        let text = |value: Option<Decimal>| value.unwrap().to_string();
        assert_eq!(text(Fraction::new(2, 3).even(6)), "0.666667");
        assert_eq!(text(Fraction::new(1, 3).up(6)), "0.333334");
        assert_eq!(text(Fraction::new(2, 3).down(6)), "0.666666");
        assert_eq!(text(Fraction::new(-2, 3).down(6)), "-0.666667");
        assert_eq!(text(Fraction::new(5, 2).even(0)), "2");
        assert_eq!(text(Fraction::zero().down(6)), "0.000000");
        assert_eq!(Fraction::new(2, 6), third);
        // long ones are reduced, and stay exact
        let long: Fraction = (1..400).map(|n| Fraction::new(1, n * (n + 1))).sum();
        assert_eq!(long, Fraction::new(399, 400));
        assert!(long.denominator.bits() < 1_000);
        assert_eq!(Fraction::whole(i128::MAX).square().even(6), None);
    }

    #[test]
    fn roots_are_exact_where_they_can_be_and_never_too_small() {
        assert_eq!(Fraction::new(9, 16).root(), Fraction::new(3, 4));
        assert_eq!(Fraction::whole(-4).root(), Fraction::zero());
        let two = Fraction::whole(2).root();
        assert!(two.square() > Fraction::whole(2));
        assert_eq!(two.even(20).unwrap().to_string(), "1.41421356237309504880");
    }

    #[test]
    fn quantiles_are_decimals() {
        assert_eq!(
            quantile(1.644_853_626_951_472_2).unwrap().to_string(),
            "1.644853626951"
        );
        assert_eq!(quantile(f64::NAN), None);
    }
}
