//! Checked items as the projections see them: what of their error is random, and how sub-samples make one.

use num_bigint::BigInt;

use super::{
    super::LARGEST_SIZE,
    error::EcError,
    input::{EcItem, SubItem, Subsample, SubsampleEstimator, Understatements},
};
use crate::sampling::numerics::{Fraction, divide_half_even};

/// Decimal places to which error rates of single items are formed (half to even): with amounts of 64 bits and a million items
/// the projected error is exact to 1e-14 of a unit.
pub(super) const RATE_SCALE: u32 = 40;
/// Sub-items that a sub-sample should have at least (7.6).
const FEW_SUB_ITEMS: usize = 30;

/// An item.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unit {
    pub(super) book: i128,
    /// What is projected.
    pub(super) random: i128,
    pub(super) systemic: i128,
    pub(super) hits: u64,
}

impl Unit {
    /// `amount / book` in units of `1 / scale`.
    pub(super) fn share(&self, amount: i128, scale: &BigInt) -> BigInt {
        if amount == 0 {
            BigInt::ZERO
        } else if amount == self.book {
            scale.clone()
        } else {
            divide_half_even(&(scale * amount), &self.book.into())
        }
    }
}

/// What is found on the way through the items.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Found {
    /// Systemic parts.
    pub(super) systemic: i128,
    /// Anomalous parts.
    pub(super) anomalous: i128,
    /// Items with an error below zero.
    pub(super) understated: u64,
    /// Sum of those errors, without the sign.
    pub(super) understatement: i128,
    /// Sub-samples with few items.
    pub(super) small_subsamples: u64,
    /// Items with an audited value below zero.
    pub(super) negative: u64,
}

/// An item with its random error, and what it adds to `found`.
pub(super) fn unit(
    item: &EcItem,
    by_size: bool,
    rule: Option<Understatements>,
    found: &mut Found,
) -> Result<Unit, EcError> {
    if by_size && item.book_value <= 0 {
        return Err(EcError::ItemBookValue(item.book_value));
    }
    let hits = item.hits.unwrap_or(1);
    if hits == 0 || (hits > 1 && !by_size) || hits > LARGEST_SIZE {
        return Err(EcError::Hits(hits));
    }
    for part in [item.systemic_error, item.anomalous_error] {
        if part < 0 {
            return Err(EcError::ErrorPart(part));
        }
    }
    let book = i128::from(item.book_value);
    let error = match (item.audit_value, &item.subsample) {
        (Some(audit), None) => {
            found.negative += u64::from(audit < 0 && item.book_value >= 0);
            book - i128::from(audit)
        }
        (None, Some(subsample)) => {
            found.small_subsamples += u64::from(subsample.items.len() < FEW_SUB_ITEMS);
            let projected = subsample_error(subsample, item.book_value)?;
            i128::try_from(projected.nearest()).map_err(|_| EcError::AmountTooLarge)?
        }
        _ => return Err(EcError::AuditValue),
    };
    let (systemic, anomalous) = (i128::from(item.systemic_error), i128::from(item.anomalous_error));
    found.systemic += systemic;
    found.anomalous += anomalous;
    let mut random = error - systemic - anomalous;
    if random < 0 {
        found.understated += 1;
        found.understatement -= random;
        match rule {
            Some(Understatements::SetAside) => random = 0,
            Some(Understatements::Net) => {}
            None => return Err(EcError::UnderstatementsUndecided),
        }
    }
    Ok(Unit {
        book,
        random,
        systemic,
        hits,
    })
}

fn error(item: &SubItem) -> i128 {
    i128::from(item.book_value) - i128::from(item.audit_value)
}

/// The projected error of a unit from its sub-items (7.6.3, 6.5.3.3), exactly; the caller rounds it to the unit of the amounts.
pub(super) fn subsample_error(subsample: &Subsample, book_value: i64) -> Result<Fraction, EcError> {
    let exhaustive: i128 = subsample
        .exhaustive
        .iter()
        .map(|item| i128::from(item.book_value))
        .sum();
    let all = i128::from(subsample.book_value) + exhaustive;
    if all != i128::from(book_value) {
        return Err(EcError::SubsampleDiffers {
            item: book_value,
            subsample: all,
        });
    }
    if subsample.book_value <= 0 {
        return Err(EcError::Subsample("bookValue"));
    }
    if subsample.items.is_empty() {
        return Err(EcError::Subsample("items"));
    }
    let size = u64::try_from(subsample.items.len()).unwrap_or(u64::MAX);
    if subsample.population.is_some_and(|population| population < size) {
        return Err(EcError::Subsample("population"));
    }
    let errors: i128 = subsample.items.iter().map(error).sum();
    let books: i128 = subsample
        .items
        .iter()
        .map(|item| i128::from(item.book_value))
        .sum();
    let projected = match subsample.estimator {
        SubsampleEstimator::MeanPerUnit => {
            let population = subsample.population.ok_or(EcError::Subsample("population"))?;
            &Fraction::from(population) * &Fraction::new(errors, size)
        }
        SubsampleEstimator::Ratio => {
            if books <= 0 {
                return Err(EcError::Subsample("items"));
            }
            &Fraction::from(subsample.book_value) * &Fraction::new(errors, books)
        }
        SubsampleEstimator::Pps => {
            if subsample.items.iter().any(|item| item.book_value <= 0) {
                return Err(EcError::Subsample("items"));
            }
            let scale = BigInt::from(10).pow(RATE_SCALE);
            let shares: BigInt = subsample
                .items
                .iter()
                .map(|item| {
                    Unit {
                        book: item.book_value.into(),
                        random: 0,
                        systemic: 0,
                        hits: 1,
                    }
                    .share(error(item), &scale)
                })
                .sum();
            let mean = Fraction::new(shares, scale * size);
            &Fraction::from(subsample.book_value) * &mean
        }
    };
    let complete: i128 = subsample.exhaustive.iter().map(error).sum();
    Ok(&projected + &Fraction::from(complete))
}
