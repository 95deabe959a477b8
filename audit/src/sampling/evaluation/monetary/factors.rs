//! The limits for 0, 1, 2 and more errors in the sample, in the form in which a bound needs them.

use num_bigint::BigInt;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::sampling::evaluation::attribute::limit_units;
use crate::sampling::evaluation::{Distribution, FACTOR_PLACES};
use crate::sampling::numerics::{
    beta_quantile, decimal_to_float, float, gamma_quantile, hypergeometric_upper,
};

/// Reliability factors of the Poisson distribution, as tables print them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schemars(rename = "ReliabilityProfile")]
pub enum FactorProfile {
    /// Computed, rounded up to twelve places.
    Exact,
    /// Rounded up to two places, as AICPA table C-3 prints them (2.31, 3.89, 5.33 at 90 %).
    TwoPlacesUp,
    /// Rounded to the nearest at two places, as EC guidance EGESIF 16-0014, appendix 3, prints them (2.30,
    /// 3.89, 5.32).
    TwoPlacesNearest,
}

/// What a factor is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// A rate, rounded up to twelve places; exact (in monetary units) for the hypergeometric distribution.
    Rate(Distribution),
    /// A rate times the book value, rounded up to a whole unit.
    Money(Distribution),
    /// A reliability factor, which is a rate times the size.
    Reliability(FactorProfile),
}

/// The upper limits `U(j)` of a cell bound: for `j` errors, in whole monetary units.
pub(in crate::sampling) struct UpperLimits(Factors);

impl UpperLimits {
    /// For so many hits in so many monetary units.
    pub(in crate::sampling) fn new(
        distribution: Distribution,
        size: u64,
        book_value: u64,
        risk: Decimal,
    ) -> Self {
        Self(Factors {
            kind: Kind::Money(distribution),
            size,
            book_value,
            risk,
            float_risk: decimal_to_float(risk),
        })
    }

    /// The limit for so many errors.
    pub(in crate::sampling) fn at(&self, errors: u64) -> u64 {
        self.0.at(errors)
    }
}

/// The factors at one risk.
pub(super) struct Factors {
    kind: Kind,
    size: u64,
    book_value: u64,
    risk: Decimal,
    float_risk: f64,
}

impl Factors {
    pub(super) fn new(kind: Kind, size: u64, book_value: i64, risk: Decimal) -> Self {
        Self {
            kind,
            size,
            book_value: book_value.unsigned_abs(),
            risk,
            float_risk: decimal_to_float(risk),
        }
    }

    /// The factor for so many errors, counted in the unit of [`Self::amount`].
    pub(super) fn at(&self, errors: u64) -> u64 {
        match self.kind {
            Kind::Rate(Distribution::Hypergeometric) | Kind::Money(Distribution::Hypergeometric) => {
                hypergeometric_upper(self.book_value, self.size, errors, self.risk)
            }
            Kind::Rate(Distribution::Binomial) => {
                limit_units(self.float_risk, self.size, errors, FACTOR_PLACES)
            }
            Kind::Rate(Distribution::Poisson) => {
                let units = 10u64.pow(FACTOR_PLACES);
                up(self.poisson(errors) / float(self.size) * float(units)).min(units)
            }
            Kind::Money(_) if errors >= self.size => self.book_value,
            Kind::Money(Distribution::Binomial) => {
                let rate = beta_quantile(self.float_risk, float(errors + 1), float(self.size - errors));
                up(rate * float(self.book_value)).min(self.book_value)
            }
            Kind::Money(Distribution::Poisson) => {
                let rate = self.poisson(errors) / float(self.size);
                up(rate * float(self.book_value)).min(self.book_value)
            }
            Kind::Reliability(FactorProfile::Exact) => up(self.poisson(errors) * 1e12),
            Kind::Reliability(FactorProfile::TwoPlacesUp) => up(self.poisson(errors) * 1e2),
            Kind::Reliability(FactorProfile::TwoPlacesNearest) => {
                whole((self.poisson(errors) * 1e2).round_ties_even())
            }
        }
    }

    fn poisson(&self, errors: u64) -> f64 {
        gamma_quantile(self.float_risk, float(errors + 1))
    }

    /// What a factor of one is worth at a tainting of one: numerator and denominator of an amount.
    pub(super) fn amount(&self) -> (BigInt, BigInt) {
        let book = BigInt::from(self.book_value);
        match self.kind {
            Kind::Rate(Distribution::Hypergeometric) | Kind::Money(_) => (1.into(), 1.into()),
            Kind::Rate(_) => (book, 10u64.pow(FACTOR_PLACES).into()),
            Kind::Reliability(profile) => (book, BigInt::from(self.size) * self.parts(profile)),
        }
    }

    /// The same as a float.
    pub(super) fn amount_float(&self) -> f64 {
        match self.kind {
            Kind::Rate(Distribution::Hypergeometric) | Kind::Money(_) => 1.0,
            Kind::Rate(_) => float(self.book_value) / 1e12,
            Kind::Reliability(profile) => {
                float(self.book_value) / (float(self.size) * float(self.parts(profile)))
            }
        }
    }

    #[expect(clippy::unused_self, reason = "reads as a property of the factors")]
    fn parts(&self, profile: FactorProfile) -> u64 {
        match profile {
            FactorProfile::Exact => 1_000_000_000_000,
            FactorProfile::TwoPlacesUp | FactorProfile::TwoPlacesNearest => 100,
        }
    }

    /// A factor as a person reads it.
    pub(super) fn shown(&self, factor: u64) -> String {
        let places = match self.kind {
            Kind::Rate(Distribution::Hypergeometric) | Kind::Money(_) => 0,
            Kind::Rate(_) | Kind::Reliability(FactorProfile::Exact) => 12,
            Kind::Reliability(_) => 2,
        };
        let text = Decimal::from_i128_with_scale(factor.into(), places).normalize();
        match self.kind {
            Kind::Rate(Distribution::Hypergeometric) => format!("{text} / {}", self.book_value),
            _ => text.to_string(),
        }
    }
}

/// Rounded up; what exceeds a whole number by the noise of the floats only is that number.
fn up(value: f64) -> u64 {
    whole((value - value * 1e-14).ceil())
}

/// A whole float that is not negative; the largest number beyond 64 bits, and for what is no number.
fn whole(value: f64) -> u64 {
    if value.is_nan() {
        return u64::MAX;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "not negative; saturates"
    )]
    let whole = value as u64;
    whole
}
