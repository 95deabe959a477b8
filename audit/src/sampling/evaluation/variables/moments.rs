//! Sums, sums of squares and of products of a stratum: whole numbers, formed exactly.

use std::collections::BTreeMap;

use num_bigint::BigInt;

use super::{
    error::VariablesError,
    input::{SamplingUnit, VariablesItem},
};
use crate::sampling::numerics::Fraction;
use crate::sampling::refusal::{Located, Refused as _};

/// A sum that leaves 128 bits only when it has to.
#[derive(Debug, Default)]
struct Sum {
    small: i128,
    large: BigInt,
}

impl Sum {
    fn add(&mut self, term: i128) {
        match self.small.checked_add(term) {
            Some(sum) => self.small = sum,
            None => self.large += std::mem::replace(&mut self.small, term),
        }
    }

    fn add_product(&mut self, left: i128, right: i128) {
        match left.checked_mul(right) {
            Some(product) => self.add(product),
            None => self.large += BigInt::from(left) * right,
        }
    }

    fn total(self) -> BigInt {
        self.large + self.small
    }
}

/// What a stratum's sample comes to: all that the estimators need of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::sampling) struct Moments {
    /// Units checked.
    pub(in crate::sampling) size: u64,
    /// Units with a difference.
    pub(in crate::sampling) errors: u64,
    /// Of those, units audited above their book value.
    pub(in crate::sampling) understated: u64,
    /// Sum of the book values.
    pub(in crate::sampling) book: BigInt,
    /// Sum of the audited values.
    pub(in crate::sampling) audit: BigInt,
    /// Sum of the squares of the book values.
    pub(in crate::sampling) book_squares: BigInt,
    /// Sum of the squares of the audited values.
    pub(in crate::sampling) audit_squares: BigInt,
    /// Sum of the products of book and audited value.
    pub(in crate::sampling) products: BigInt,
}

impl Moments {
    /// The moments of items, or of the sums of their clusters.
    pub(in crate::sampling) fn of(
        items: &[VariablesItem],
        unit: SamplingUnit,
    ) -> Result<Self, Located<VariablesError>> {
        match unit {
            SamplingUnit::Item => {
                if let Some(index) = items.iter().position(|item| item.cluster.is_some()) {
                    return Err(VariablesError::ClusterUnexpected.at(format!("items[{index}]")));
                }
                Ok(Self::of_pairs(
                    items
                        .iter()
                        .map(|item| (item.book_value.into(), item.audit_value.into())),
                ))
            }
            SamplingUnit::Cluster => {
                let mut clusters: BTreeMap<&str, (i128, i128)> = BTreeMap::new();
                for (index, item) in items.iter().enumerate() {
                    let name = item
                        .cluster
                        .as_deref()
                        .ok_or_else(|| VariablesError::ClusterMissing.at(format!("items[{index}]")))?;
                    let sums = clusters.entry(name).or_default();
                    sums.0 += i128::from(item.book_value);
                    sums.1 += i128::from(item.audit_value);
                }
                Ok(Self::of_pairs(clusters.into_values()))
            }
        }
    }

    /// The moments of pairs of book and audited value.
    pub(in crate::sampling) fn of_pairs(pairs: impl Iterator<Item = (i128, i128)>) -> Self {
        let mut moments = Self::default();
        let [
            mut books,
            mut audits,
            mut book_squares,
            mut audit_squares,
            mut products,
        ] = [(); 5].map(|()| Sum::default());
        for (book, audit) in pairs {
            moments.size += 1;
            moments.errors += u64::from(book != audit);
            moments.understated += u64::from(audit > book);
            books.add(book);
            audits.add(audit);
            book_squares.add_product(book, book);
            audit_squares.add_product(audit, audit);
            products.add_product(book, audit);
        }
        moments.book = books.total();
        moments.audit = audits.total();
        moments.book_squares = book_squares.total();
        moments.audit_squares = audit_squares.total();
        moments.products = products.total();
        moments
    }

    /// Sum of the differences, book less audited.
    pub(in crate::sampling) fn differences(&self) -> BigInt {
        &self.book - &self.audit
    }

    /// Sum of their squares.
    pub(in crate::sampling) fn difference_squares(&self) -> BigInt {
        &self.book_squares - &self.products * 2 + &self.audit_squares
    }

    /// `(sum xy - sum x sum y / n) / (n - 1)`, with `n` of at least 2.
    fn spread(&self, products: &BigInt, left: &BigInt, right: &BigInt) -> Fraction {
        Fraction::new(
            products * self.size - left * right,
            BigInt::from(self.size) * (self.size - 1),
        )
    }

    /// Variance of the book values.
    pub(in crate::sampling) fn book_variance(&self) -> Fraction {
        self.spread(&self.book_squares, &self.book, &self.book)
    }

    /// Variance of the audited values.
    pub(in crate::sampling) fn audit_variance(&self) -> Fraction {
        self.spread(&self.audit_squares, &self.audit, &self.audit)
    }

    /// Covariance of book and audited values.
    pub(in crate::sampling) fn covariance(&self) -> Fraction {
        self.spread(&self.products, &self.book, &self.audit)
    }

    /// Variance of the differences.
    pub(in crate::sampling) fn difference_variance(&self) -> Fraction {
        let sum = self.differences();
        self.spread(&self.difference_squares(), &sum, &sum)
    }

    /// Variance of the differences among the units that have one, and its mean; with at least two of them.
    pub(in crate::sampling) fn among_errors(&self) -> (Fraction, Fraction) {
        let sum = self.differences();
        let variance = Fraction::new(
            self.difference_squares() * self.errors - &sum * &sum,
            BigInt::from(self.errors) * (self.errors - 1),
        );
        (variance, Fraction::new(sum, self.errors))
    }

    /// Variance of `audit - factor * book`.
    pub(in crate::sampling) fn residual_variance(&self, factor: &Fraction) -> Fraction {
        let mixed = &(factor * &self.covariance()) * &Fraction::from(2u64);
        &(&self.audit_variance() - &mixed) + &(&factor.square() * &self.book_variance())
    }

    /// Mean of the audited values.
    pub(in crate::sampling) fn audit_mean(&self) -> Fraction {
        Fraction::new(self.audit.clone(), self.size)
    }

    /// Mean of the book values.
    pub(in crate::sampling) fn book_mean(&self) -> Fraction {
        Fraction::new(self.book.clone(), self.size)
    }
}
