//! Decimal text to cents and back: exact, without floats, by declared separators only (`1.234` alone is ambiguous).

use serde::{Deserialize, Serialize};

/// Largest amount of one line in cents (a hundred thousand million euros): beyond it stands a slipped column, and below it
/// the sums of nine hundred thousand such lines still fit.
pub const MAX_CENTS: i64 = 10_000_000_000_000;

/// Which separators a file uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Decimals {
    /// `1.234,56`
    German,
    /// `1,234.56`
    English,
}

impl Decimals {
    const fn separators(self) -> (u8, u8) {
        match self {
            Self::German => (b'.', b','),
            Self::English => (b',', b'.'),
        }
    }
}

/// What happens to more than two decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Rounding {
    /// The line is refused, even where the further digits are zeros: `12,500` may be a foreign thousand.
    #[default]
    Refuse,
    /// Rounded to the nearest cent, halves to the even one.
    HalfEven,
}

/// Why a text is not an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AmountError {
    /// Not a number in the declared notation.
    NotANumber,
    /// Larger than [`MAX_CENTS`] in either direction.
    Overflow,
    /// More than two decimals without declared rounding.
    TooManyDecimals,
}

/// Cents of a decimal text: an optional leading sign, digits plain or in strict groups of three, and after the decimal
/// separator at least one digit.
pub fn parse(text: &str, decimals: Decimals, rounding: Rounding) -> Result<i64, AmountError> {
    let (thousands, point) = decimals.separators();
    let (negative, digits) = match text.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        all => (false, all),
    };
    let split = digits.iter().position(|byte| *byte == point);
    let (whole, fraction) = match split {
        Some(at) => (&digits[..at], Some(&digits[at + 1..])),
        None => (digits, None),
    };
    let euros = whole_part(whole, thousands);
    let cents = fraction.map_or(Ok(0), |fraction| {
        fraction_part(fraction, rounding, euros.unwrap_or(0))
    });
    // Notation first: an oversized text that is no number at all is not an overflow.
    let (euros, cents) = match (euros, cents) {
        (Err(AmountError::NotANumber), _) | (_, Err(AmountError::NotANumber)) => {
            return Err(AmountError::NotANumber);
        }
        (euros, cents) => (euros?, cents?),
    };
    let total = euros * 100 + cents;
    if total > MAX_CENTS {
        return Err(AmountError::Overflow);
    }
    Ok(if negative { -total } else { total })
}

fn digit(byte: u8) -> Result<i64, AmountError> {
    if byte.is_ascii_digit() {
        Ok(i64::from(byte - b'0'))
    } else {
        Err(AmountError::NotANumber)
    }
}

fn whole_part(text: &[u8], thousands: u8) -> Result<i64, AmountError> {
    let grouped = text.contains(&thousands);
    let length = text.len();
    // Groups of three with their separators are multiples of four: what remains in front has one to three digits.
    if text.is_empty() || (grouped && length.is_multiple_of(4)) {
        return Err(AmountError::NotANumber);
    }
    let mut euros = 0_i64;
    let mut overflow = false;
    for (index, byte) in text.iter().enumerate() {
        let separator_here = grouped && index > 0 && (length - index).is_multiple_of(4);
        if separator_here {
            if *byte != thousands {
                return Err(AmountError::NotANumber);
            }
            continue;
        }
        // Saturated rather than left early, so that later bytes are still checked for being digits.
        euros = euros * 10 + digit(*byte)?;
        if euros > MAX_CENTS {
            overflow = true;
            euros = MAX_CENTS;
        }
    }
    if overflow {
        Err(AmountError::Overflow)
    } else {
        Ok(euros)
    }
}

fn fraction_part(text: &[u8], rounding: Rounding, euros: i64) -> Result<i64, AmountError> {
    if text.is_empty() {
        return Err(AmountError::NotANumber);
    }
    let mut digits = [0_i64; 3];
    let mut beyond = false;
    for (index, byte) in text.iter().enumerate() {
        let value = digit(*byte)?;
        match digits.get_mut(index) {
            Some(place) => *place = value,
            None => beyond |= value != 0,
        }
    }
    if text.len() > 2 && rounding == Rounding::Refuse {
        return Err(AmountError::TooManyDecimals);
    }
    let cents = digits[0] * 10 + digits[1];
    let odd = (euros * 100 + cents) % 2 != 0;
    let up = digits[2] > 5 || (digits[2] == 5 && (beyond || odd));
    Ok(cents + i64::from(up))
}

/// Decimal text of cents, with or without thousands separators.
pub fn format(cents: i64, decimals: Decimals, grouped: bool) -> String {
    let (thousands, point) = decimals.separators();
    let euros = (cents.unsigned_abs() / 100).to_string();
    let mut text = String::with_capacity(euros.len() * 2 + 4);
    if cents < 0 {
        text.push('-');
    }
    for (index, digit) in euros.chars().enumerate() {
        if grouped && index > 0 && (euros.len() - index).is_multiple_of(3) {
            text.push(char::from(thousands));
        }
        text.push(digit);
    }
    text.push(char::from(point));
    let rest = cents.unsigned_abs() % 100;
    if rest < 10 {
        text.push('0');
    }
    text.push_str(&rest.to_string());
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn german(text: &str) -> Result<i64, AmountError> {
        parse(text, Decimals::German, Rounding::Refuse)
    }

    #[test]
    fn accepts_the_declared_notation() {
        for (text, cents) in [
            ("0", 0),
            ("-0,00", 0),
            ("5", 500),
            ("5,1", 510),
            ("5,12", 512),
            ("+5,12", 512),
            ("-5,12", -512),
            ("1234,56", 123_456),
            ("1.234,56", 123_456),
            ("-12.345.678,90", -1_234_567_890),
            ("007", 700),
            ("100.000.000.000,00", MAX_CENTS),
        ] {
            assert_eq!(german(text), Ok(cents), "{text}");
        }
        assert_eq!(
            parse("1,234.56", Decimals::English, Rounding::Refuse),
            Ok(123_456)
        );
        assert_eq!(parse("1600.0", Decimals::English, Rounding::Refuse), Ok(160_000));
    }

    #[test]
    fn refuses_everything_else() {
        for text in [
            "",
            "-",
            "+",
            ",",
            "5,",
            ",5",
            "5-",
            "--5",
            "+-5",
            " 5",
            "5 ",
            "1 234",
            "1.23",
            "12.34",
            "1234.567",
            "1.2345",
            ".123",
            "1..234",
            "1.234.",
            "1,234,567",
            "1,2.3",
            "5 €",
            "5e3",
            "0x10",
            "NaN",
            "inf",
            "٣",
            "−5",
            "1.234.56,00",
            "99999999999999999999999x",
        ] {
            assert_eq!(german(text), Err(AmountError::NotANumber), "{text}");
        }
        for text in [
            "100.000.000.000,01",
            "-100.000.000.000,01",
            "92233720368547758,08",
            "999999999999999999999999999999999999999999",
        ] {
            assert_eq!(german(text), Err(AmountError::Overflow), "{text}");
        }
        for text in ["12,500", "12,345", "12,0000"] {
            assert_eq!(german(text), Err(AmountError::TooManyDecimals), "{text}");
        }
    }

    #[test]
    fn rounds_halves_to_the_even_cent() {
        for (text, cents) in [
            ("0,005", 0),
            ("0,015", 2),
            ("0,025", 2),
            ("0,0250", 2),
            ("0,02500001", 3),
            ("0,0249", 2),
            ("0,026", 3),
            ("-0,015", -2),
            ("-0,025", -2),
            ("0,995", 100),
            ("1,995", 200),
            ("1,985", 198),
            ("1,1234", 112),
        ] {
            assert_eq!(
                parse(text, Decimals::German, Rounding::HalfEven),
                Ok(cents),
                "{text}"
            );
        }
        assert_eq!(
            parse("100.000.000.000,005", Decimals::German, Rounding::HalfEven),
            Ok(MAX_CENTS)
        );
        assert_eq!(
            parse("100.000.000.000,006", Decimals::German, Rounding::HalfEven),
            Err(AmountError::Overflow)
        );
    }

    proptest! {
        #[test]
        fn text_and_back(cents in -MAX_CENTS..=MAX_CENTS, english: bool, grouped: bool) {
            let decimals = if english { Decimals::English } else { Decimals::German };
            prop_assert_eq!(parse(&format(cents, decimals, grouped), decimals, Rounding::Refuse), Ok(cents));
        }

        #[test]
        fn any_text_is_answered(text in "\\PC{0,40}") {
            let strict = parse(&text, Decimals::German, Rounding::Refuse);
            let rounded = parse(&text, Decimals::German, Rounding::HalfEven);
            // Rounding accepts more texts, but never reads an accepted one differently.
            if strict.is_ok() { prop_assert_eq!(strict, rounded); }
        }

        #[test]
        fn rounding_agrees_with_integers(euros in 0_i64..1_000_000, fraction in 0_i64..10_000, negative: bool) {
            let text = std::format!("{}{euros}.{fraction:04}", if negative { "-" } else { "" });
            let units = euros * 10_000 + fraction;
            let (floor, rest) = (units / 100, units % 100);
            let up = rest > 50 || (rest == 50 && floor % 2 == 1);
            let expected = (floor + i64::from(up)) * if negative { -1 } else { 1 };
            prop_assert_eq!(parse(&text, Decimals::English, Rounding::HalfEven), Ok(expected));
        }
    }
}
