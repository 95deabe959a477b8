//! Fractions: everything but quantiles is formed exactly, and only the root is cut, far behind the shown places.

use std::{
    cmp::Ordering,
    ops::{Add, Div, Mul, Neg, Sub},
};

use num_bigint::{BigInt, Sign};
use rust_decimal::Decimal;

use super::exact::{divide_half_even, divide_up};

/// Decimal places after which a root is cut (upwards).
const ROOT_PLACES: u32 = 24;

/// Beyond so many bits of the denominator a fraction is reduced: divisors cost more than short multiplications.
const LONG: u64 = 512;

/// A fraction with a positive denominator.
#[derive(Debug, Clone)]
pub(in crate::sampling) struct Fraction {
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
    pub(in crate::sampling) fn new(numerator: impl Into<BigInt>, denominator: impl Into<BigInt>) -> Self {
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

    /// Nothing.
    pub(in crate::sampling) fn zero() -> Self {
        Self::from(0u64)
    }

    /// One.
    pub(in crate::sampling) fn one() -> Self {
        Self::from(1u64)
    }

    pub(in crate::sampling) fn is_zero(&self) -> bool {
        self.numerator.sign() == Sign::NoSign
    }

    pub(in crate::sampling) fn is_positive(&self) -> bool {
        self.numerator.sign() == Sign::Plus
    }

    pub(in crate::sampling) fn is_negative(&self) -> bool {
        self.numerator.sign() == Sign::Minus
    }

    pub(in crate::sampling) fn square(&self) -> Self {
        self * self
    }

    /// The sum; as the product and the others a method too, for chains.
    pub(in crate::sampling) fn plus(&self, other: &Self) -> Self {
        self + other
    }

    /// The difference.
    pub(in crate::sampling) fn minus(&self, other: &Self) -> Self {
        self - other
    }

    /// The product.
    pub(in crate::sampling) fn times(&self, other: &Self) -> Self {
        self * other
    }

    /// The quotient by a positive fraction; none where it is not positive.
    pub(in crate::sampling) fn over(&self, other: &Self) -> Option<Self> {
        other.is_positive().then(|| self / other)
    }

    /// The root, cut upwards after 24 places; exact where it has no more. Zero for negative numbers.
    pub(in crate::sampling) fn root(&self) -> Self {
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
    pub(in crate::sampling) fn even(&self, places: u32) -> Option<Decimal> {
        let numerator = &self.numerator * BigInt::from(10).pow(places);
        Self::scaled(divide_half_even(&numerator, &self.denominator), places)
    }

    /// Up, towards the larger number.
    pub(in crate::sampling) fn up(&self, places: u32) -> Option<Decimal> {
        let numerator = &self.numerator * BigInt::from(10).pow(places);
        Self::scaled(divide_up(&numerator, &self.denominator), places)
    }

    /// Down, towards the smaller number.
    pub(in crate::sampling) fn down(&self, places: u32) -> Option<Decimal> {
        let numerator = -(&self.numerator * BigInt::from(10).pow(places));
        Self::scaled(-divide_up(&numerator, &self.denominator), places)
    }

    /// Half to even to a whole number.
    pub(in crate::sampling) fn nearest(&self) -> BigInt {
        divide_half_even(&self.numerator, &self.denominator)
    }

    /// Up to a whole number.
    pub(in crate::sampling) fn ceil(&self) -> BigInt {
        divide_up(&self.numerator, &self.denominator)
    }

    /// The whole number below and what is left of it, for numbers from zero on; none beyond 64 bits.
    pub(in crate::sampling) fn split(&self) -> Option<(u64, Self)> {
        let whole = &self.numerator / &self.denominator;
        let rest = Self {
            numerator: &self.numerator - &whole * &self.denominator,
            denominator: self.denominator.clone(),
        };
        u64::try_from(&whole).ok().map(|whole| (whole, rest))
    }

    /// The same to this many decimal places, halves to the even digit.
    pub(in crate::sampling) fn rounded(&self, places: u32) -> Self {
        let unit = BigInt::from(10).pow(places);
        Self::new(
            divide_half_even(&(&self.numerator * &unit), &self.denominator),
            unit,
        )
    }

    /// Half to even, without trailing zeros; the largest decimal where it is larger.
    pub(in crate::sampling) fn decimal(&self, places: u32) -> Decimal {
        self.even(places).map_or(Decimal::MAX, |value| value.normalize())
    }

    /// For derivations: at most six places behind the first digits, trailing zeros cut.
    pub(in crate::sampling) fn show(&self) -> String {
        let small = self.numerator.magnitude() * 1_000u32 < *self.denominator.magnitude();
        let places = if small { 15 } else { 6 };
        self.even(places)
            .map_or_else(|| "…".into(), |value| value.normalize().to_string())
    }
}

impl From<BigInt> for Fraction {
    fn from(numerator: BigInt) -> Self {
        Self {
            numerator,
            denominator: BigInt::from(1),
        }
    }
}

macro_rules! whole_numbers {
    ($($number:ty),+) => {$(
        impl From<$number> for Fraction {
            fn from(number: $number) -> Self {
                BigInt::from(number).into()
            }
        }
    )+};
}

whole_numbers!(i32, u64, i64, i128);

/// The decimal, exactly.
impl From<Decimal> for Fraction {
    fn from(value: Decimal) -> Self {
        Self::new(value.mantissa(), BigInt::from(10).pow(value.scale()))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_are_exact_and_rounded_as_named() {
        let third = Fraction::new(1, 3);
        assert_eq!(&(&third + &third) + &third, Fraction::one());
        assert_eq!(&Fraction::new(2, -6) / &third, Fraction::from(-1i64));
        assert_eq!(Fraction::new(5, 0), Fraction::zero());
        let text = |value: Option<Decimal>| value.unwrap().to_string();
        assert_eq!(text(Fraction::new(2, 3).even(6)), "0.666667");
        assert_eq!(text(Fraction::new(1, 3).up(6)), "0.333334");
        assert_eq!(text(Fraction::new(2, 3).down(6)), "0.666666");
        assert_eq!(text(Fraction::new(-2, 3).down(6)), "-0.666667");
        assert_eq!(text(Fraction::new(5, 2).even(0)), "2");
        assert_eq!(text(Fraction::zero().down(6)), "0.000000");
        assert_eq!(Fraction::new(2, 6), third);
        assert_eq!(Fraction::one().over(&Fraction::zero()), None);
        let half = Fraction::new(5, 2);
        assert_eq!((half.ceil(), half.nearest()), (3.into(), 2.into()));
        assert_eq!(half.rounded(0), Fraction::from(2u64));
        assert_eq!(half.split(), Some((2, Fraction::new(1, 2))));
        assert_eq!(half.square().decimal(1).to_string(), "6.2");
        assert_eq!(Fraction::from(i128::MAX).square().decimal(1), Decimal::MAX);
        // long ones are reduced, and stay exact
        let long: Fraction = (1..400).map(|n| Fraction::new(1, n * (n + 1))).sum();
        assert_eq!(long, Fraction::new(399, 400));
        assert!(long.denominator.bits() < 1_000);
        assert_eq!(Fraction::from(i128::MAX).square().even(6), None);
    }

    #[test]
    fn roots_are_exact_where_they_can_be_and_never_too_small() {
        assert_eq!(Fraction::new(9, 16).root(), Fraction::new(3, 4));
        assert_eq!(Fraction::from(-4i64).root(), Fraction::zero());
        let two = Fraction::from(2u64).root();
        assert!(two.square() > Fraction::from(2u64));
        assert_eq!(two.even(20).unwrap().to_string(), "1.41421356237309504880");
    }
}
