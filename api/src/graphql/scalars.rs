//! The contract's own scalars. Money and rates travel as text, so that no client reads them as floats.

use std::str::FromStr;

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::{NaiveDate, SecondsFormat, Utc};
use entity::Cents;

/// Most digits of an amount before the point: what fits into 64 bits of cents with a digit to spare.
const EURO_DIGITS: usize = 16;

/// An amount of money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Euro(pub Cents);

/// Euro as a decimal text with a point and exactly two places: `"-1234.50"`. Exact: whole cents stand behind it.
#[Scalar]
impl ScalarType for Euro {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => euro(text)
                .map(Self)
                .ok_or_else(|| InputValueError::custom("write euro as text with two places: \"1234.50\"")),
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

impl From<Cents> for Euro {
    fn from(cents: Cents) -> Self {
        Self(cents)
    }
}

/// Exactly `-?digits.dd`, without leading zeros and without a negative zero, so that one amount has one spelling.
pub fn euro(text: &str) -> Option<Cents> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, part) = digits.split_once('.')?;
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > EURO_DIGITS || part.len() != 2 || !plain(whole) || !plain(part) {
        return None;
    }
    let magnitude = i64::from_str(&format!("{whole}{part}")).ok()?;
    let cents = Cents(if digits.len() < text.len() {
        -magnitude
    } else {
        magnitude
    });
    (cents.to_string() == text).then_some(cents)
}

/// A rate or a quantile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rate(pub rust_decimal::Decimal);

/// An exact decimal as text: `"0.95"` is 95 percent.
#[Scalar]
impl ScalarType for Rate {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => rust_decimal::Decimal::from_str_exact(text)
                .map(Self)
                .map_err(|_| InputValueError::custom("write a rate as a decimal text: \"0.95\"")),
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// An exact decimal of a calculator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Decimal(pub rust_decimal::Decimal);

/// An exact decimal as text with a point: `"0.95"`, `"1234.567"`.
#[Scalar]
impl ScalarType for Decimal {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => rust_decimal::Decimal::from_str_exact(text)
                .map(Self)
                .map_err(|_| InputValueError::custom("write a decimal as text: \"0.95\"")),
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// A SHA-256 digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sha256(pub [u8; 32]);

/// A SHA-256 digest in 64 lower-case hexadecimal digits.
#[Scalar(specified_by_url = "https://datatracker.ietf.org/doc/html/rfc6234")]
impl ScalarType for Sha256 {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else {
            return Err(InputValueError::expected_type(value));
        };
        let mut digest = [0; 32];
        hex::decode_to_slice(text, &mut digest)
            .map_err(|_| InputValueError::custom("write 64 hexadecimal digits"))?;
        Ok(Self(digest))
    }

    fn to_value(&self) -> Value {
        Value::String(hex::encode(self.0))
    }
}

impl Sha256 {
    /// A stored digest; none where the column holds something else.
    pub(super) fn stored(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

/// A calendar day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Date(pub NaiveDate);

/// A calendar day: `2026-03-31`.
#[Scalar(specified_by_url = "https://datatracker.ietf.org/doc/html/rfc3339#section-5.6")]
impl ScalarType for Date {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else {
            return Err(InputValueError::expected_type(value));
        };
        NaiveDate::parse_from_str(text, "%Y-%m-%d")
            .ok()
            .filter(|day| day.to_string() == *text)
            .map(Self)
            .ok_or_else(|| InputValueError::custom("write a day as 2026-03-31"))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

impl From<NaiveDate> for Date {
    fn from(day: NaiveDate) -> Self {
        Self(day)
    }
}

/// A point in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DateTime(pub chrono::DateTime<Utc>);

/// A point in time in UTC with microseconds: `2026-03-31T08:15:00.000000Z`.
#[Scalar(specified_by_url = "https://datatracker.ietf.org/doc/html/rfc3339")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else {
            return Err(InputValueError::expected_type(value));
        };
        chrono::DateTime::parse_from_rfc3339(text)
            .map(|time| Self(time.with_timezone(&Utc)))
            .map_err(|_| InputValueError::custom("write a time as 2026-03-31T08:15:00Z"))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_rfc3339_opts(SecondsFormat::Micros, true))
    }
}

impl From<chrono::DateTime<Utc>> for DateTime {
    fn from(time: chrono::DateTime<Utc>) -> Self {
        Self(time)
    }
}

/// A whole number beyond 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Long(pub i64);

/// A whole number that may exceed 32 bits: sizes of files, places in the log. A JSON number, exact up to 2^53.
#[Scalar]
impl ScalarType for Long {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::Number(number) => number
                .as_i64()
                .map(Self)
                .ok_or_else(|| InputValueError::custom("write a whole number")),
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::Number(self.0.into())
    }
}

/// Judges a value of one of these scalars before the operation runs: see [`super::admit::ScalarCheck`].
pub fn check_scalar(name: &str, value: &Value) -> Result<(), String> {
    fn judge<T: async_graphql::InputType>(value: &Value) -> Result<(), String> {
        let said = <T as async_graphql::InputType>::parse(Some(value.clone()))
            .err()
            .map(|error| error.into_server_error(async_graphql::Pos::default()).message);
        said.map_or(Ok(()), |message| match message.split_once(": ") {
            Some((_, reason)) => Err(reason.to_owned()),
            None => Err(message),
        })
    }
    match name {
        "Euro" => judge::<Euro>(value),
        "Rate" => judge::<Rate>(value),
        "Decimal" => judge::<Decimal>(value),
        "Sha256" => judge::<Sha256>(value),
        "Date" => judge::<Date>(value),
        "DateTime" => judge::<DateTime>(value),
        "Long" => judge::<Long>(value),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_has_one_spelling_and_comes_back_exactly() {
        for (text, expected) in [
            ("0.00", 0),
            ("-0.05", -5),
            ("1234.50", 123_450),
            ("9999999999999999.99", 999_999_999_999_999_999),
        ] {
            let euro = Euro::parse(text.into()).unwrap();
            assert_eq!((euro.0.0, euro.to_value()), (expected, text.into()));
        }
        for wrong in [
            "1234.5",
            "1,00",
            "01.00",
            "-0.00",
            "1.000",
            ".50",
            "1e3",
            " 1.00",
            "+1.00",
            "99999999999999999.99",
            "1_0.00",
        ] {
            assert!(Euro::parse(wrong.into()).is_err(), "{wrong}");
        }
        assert!(Euro::parse(Value::Number(5.into())).is_err());
    }

    #[test]
    fn values_are_judged_by_the_name_of_their_scalar() {
        assert_eq!(check_scalar("Date", &"2026-03-31".into()), Ok(()));
        assert!(check_scalar("Date", &"2026-02-30".into()).is_err());
        assert!(check_scalar("Date", &"2026-3-1".into()).is_err());
        assert_eq!(check_scalar("Rate", &"0.95".into()), Ok(()));
        assert!(check_scalar("Rate", &"95 %".into()).is_err());
        assert_eq!(check_scalar("Unknown", &"x".into()), Ok(()));
        assert!(check_scalar("Sha256", &"ab".into()).is_err());
        assert!(check_scalar("DateTime", &"yesterday".into()).is_err());
    }
}
