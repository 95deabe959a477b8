//! What a check of a demonstration line finds: about six percent are wrong. Only seed and reference decide, so that any sample
//! gets the same answers.

use entity::item_check::ErrorClass;
use sha2::{Digest as _, Sha256};

/// What would have been right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrueAmount {
    /// The kind of error, or none.
    pub class: ErrorClass,
    /// Correct amount in cents.
    pub amount: i64,
    /// Correct shares of Bund, Kommune, Land, EU in cents; they sum to the amount.
    pub funds: [i64; 4],
}

/// The correct amount of the line with this reference and these booked shares.
pub fn true_amount(seed: [u8; 32], reference: &str, booked: [i64; 4]) -> TrueAmount {
    let digest: [u8; 32] = Sha256::new()
        .chain_update(seed)
        .chain_update("demo-error")
        .chain_update(reference)
        .finalize()
        .into();
    let [high, middle, low, percent, bearer, ..] = digest;
    let dice = u32::from_be_bytes([0, high, middle, low]) % 1000;
    // Five to thirty percent of what was booked.
    let share = |cents: i64| cents * (5 + i64::from(percent % 26)) / 100;
    let (class, funds) = match dice {
        _ if booked == [0; 4] => (
            if dice < 60 {
                ErrorClass::Formal
            } else {
                ErrorClass::None
            },
            booked,
        ),
        0..30 => (ErrorClass::Overpayment, booked.map(|cents| cents - share(cents))),
        30..42 => (ErrorClass::Underpayment, booked.map(|cents| cents + share(cents))),
        42..48 => (ErrorClass::NotEvidenced, [0; 4]),
        48..54 => (ErrorClass::WrongFund, wrong_fund(booked, bearer)),
        54..60 => (ErrorClass::Formal, booked),
        _ => (ErrorClass::None, booked),
    };
    let amount: i64 = funds.iter().sum();
    let class = match class {
        // A share too small to change by percents of a cent is right after all.
        ErrorClass::Formal | ErrorClass::None => class,
        _ if funds == booked => ErrorClass::None,
        // The less of a reversal is the more of the payment.
        ErrorClass::Overpayment if amount > booked.iter().sum() => ErrorClass::Underpayment,
        ErrorClass::Underpayment if amount < booked.iter().sum() => ErrorClass::Overpayment,
        class => class,
    };
    TrueAmount { class, amount, funds }
}

/// The whole amount belongs to the Kommune or, where it stood there alone, to the Bund.
fn wrong_fund(booked: [i64; 4], byte: u8) -> [i64; 4] {
    let amount: i64 = booked.iter().sum();
    let kommune = [0, amount, 0, 0];
    if booked == kommune || (byte.is_multiple_of(4) && booked[0] != amount) {
        [amount, 0, 0, 0]
    } else {
        kommune
    }
}
