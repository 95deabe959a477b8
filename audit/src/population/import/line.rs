//! One record of a file as a checked line of a population, or the reasons why it is none. A reason never carries the
//! refused value: it may be social data, and it goes into logs and answers.

use std::sync::Arc;

use chrono::{Datelike as _, NaiveDate};
use serde::{Deserialize, Serialize};
use unicode_normalization::{UnicodeNormalization as _, is_nfc};

use super::amount::{self, AmountError};
use super::mapping::{DateFormat, Resolved};

/// Longest case number, reference, product and number of a Bezirksstelle in characters.
pub const MAX_TEXT: usize = 64;
/// Longest kind in characters.
pub const MAX_KIND: usize = 40;
/// Longest value of an attribute in characters.
pub const MAX_ATTRIBUTE: usize = 100;
/// Longest key column in characters.
pub const MAX_KEY: usize = 200;
/// Stands between the key columns; being a control character it cannot stand in them.
pub const KEY_SEPARATOR: char = '\u{1f}';

/// A checked line. All text is NFC without surrounding space; line breaks and tabs inside have become spaces.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Line {
    /// Physical line of the file on which the record begins, counted from one.
    pub number: u64,
    /// Key columns joined by U+001F.
    pub key: String,
    /// Case number, if one is mapped and given.
    pub case_number: Option<String>,
    /// Booking reference, if one is mapped and given.
    pub reference: Option<String>,
    /// Number of the Bezirksstelle.
    pub bezirksstelle: String,
    /// Amount in cents.
    pub amount: i64,
    /// Shares of Bund, Kommune, Land, EU in cents; they sum to the amount.
    pub funds: [i64; 4],
    /// Product or budget title.
    pub product: String,
    /// First day of the month the line is for.
    pub period: Option<NaiveDate>,
    /// Day of the decision.
    pub decision_date: Option<NaiveDate>,
    /// Kind of line.
    pub kind: String,
    /// Case of own staff.
    pub own_staff: bool,
    /// Free attributes, sorted by the bytes of their names.
    pub attributes: Vec<(Arc<str>, String)>,
}

/// Why a record is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(
    tag = "code",
    rename_all = "SCREAMING_SNAKE_CASE",
    rename_all_fields = "camelCase"
)]
pub enum RejectionCode {
    /// A needed value is empty.
    EmptyValue,
    /// Not a number in the declared notation.
    NotANumber,
    /// Larger than any plausible amount.
    AmountOverflow,
    /// More than two decimals without declared rounding.
    TooManyDecimals,
    /// Not a day in the declared notation.
    NotADate,
    /// Not a month.
    NotAPeriod,
    /// Neither yes nor no.
    NotABoolean,
    /// Longer than the field.
    TextTooLong,
    /// A control character in a text.
    ControlCharacter,
    /// The shares of the funds are not the amount.
    FundSplitDoesNotSum,
    /// No Bezirksstelle has this number.
    UnknownBezirksstelle,
    /// More or fewer fields than the header row.
    FieldCount,
    /// Bytes that the declared encoding does not have.
    WrongEncoding,
    /// Longer than a record may be.
    RecordTooLong,
    /// The file ends inside a quoted field.
    UnclosedQuote,
    /// The key stands on an earlier line already.
    DuplicateKey {
        /// That earlier line.
        first_line: u64,
    },
}

impl RejectionCode {
    /// The code in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EmptyValue => "EMPTY_VALUE",
            Self::NotANumber => "NOT_A_NUMBER",
            Self::AmountOverflow => "AMOUNT_OVERFLOW",
            Self::TooManyDecimals => "TOO_MANY_DECIMALS",
            Self::NotADate => "NOT_A_DATE",
            Self::NotAPeriod => "NOT_A_PERIOD",
            Self::NotABoolean => "NOT_A_BOOLEAN",
            Self::TextTooLong => "TEXT_TOO_LONG",
            Self::ControlCharacter => "CONTROL_CHARACTER",
            Self::FundSplitDoesNotSum => "FUND_SPLIT_DOES_NOT_SUM",
            Self::UnknownBezirksstelle => "UNKNOWN_BEZIRKSSTELLE",
            Self::FieldCount => "FIELD_COUNT",
            Self::WrongEncoding => "WRONG_ENCODING",
            Self::RecordTooLong => "RECORD_TOO_LONG",
            Self::UnclosedQuote => "UNCLOSED_QUOTE",
            Self::DuplicateKey { .. } => "DUPLICATE_KEY",
        }
    }
}

impl From<AmountError> for RejectionCode {
    fn from(error: AmountError) -> Self {
        match error {
            AmountError::NotANumber => Self::NotANumber,
            AmountError::Overflow => Self::AmountOverflow,
            AmountError::TooManyDecimals => Self::TooManyDecimals,
        }
    }
}

/// A reason why a record is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// Physical line on which the record begins, counted from one.
    pub line: u64,
    /// Name of the column in the file; none when the whole record is meant.
    pub column: Option<String>,
    /// The reason.
    #[serde(flatten)]
    pub code: RejectionCode,
}

/// The fields of a record in one text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'a> {
    pub(super) text: &'a str,
    pub(super) ends: &'a [usize],
}

impl<'a> Fields<'a> {
    pub(super) fn len(self) -> usize {
        self.ends.len()
    }

    fn get(self, index: usize) -> &'a str {
        let start = index
            .checked_sub(1)
            .and_then(|before| self.ends.get(before))
            .copied()
            .unwrap_or(0);
        self.ends
            .get(index)
            .and_then(|end| self.text.get(start..*end))
            .unwrap_or_default()
    }

    pub(super) fn iter(self) -> impl Iterator<Item = &'a str> {
        (0..self.len()).map(move |index| self.get(index))
    }
}

/// Collects the reasons of one record.
struct Reasons<'a> {
    line: u64,
    headers: &'a [String],
    list: &'a mut Vec<Rejection>,
}

impl Reasons<'_> {
    fn add(&mut self, column: Option<usize>, code: RejectionCode) {
        let column = column.and_then(|index| self.headers.get(index)).cloned();
        self.list.push(Rejection {
            line: self.line,
            column,
            code,
        });
    }

    /// The value, or its neutral element and a reason.
    fn take<T: Default>(&mut self, column: usize, result: Result<T, RejectionCode>) -> T {
        result.unwrap_or_else(|code| {
            self.add(Some(column), code);
            T::default()
        })
    }
}

impl Resolved {
    /// Fills `line` from a record and appends the reasons against it; true when there are none. `known` says whether a
    /// Bezirksstelle has this number.
    pub(super) fn parse(
        &self,
        number: u64,
        fields: Fields<'_>,
        known: impl Fn(&str) -> bool,
        line: &mut Line,
        rejections: &mut Vec<Rejection>,
    ) -> bool {
        let before = rejections.len();
        let mut reasons = Reasons {
            line: number,
            headers: &self.headers,
            list: rejections,
        };
        line.number = number;
        if fields.len() == self.headers.len() {
            self.parse_identity(fields, known, line, &mut reasons);
            self.parse_money(fields, line, &mut reasons);
            self.parse_details(fields, line, &mut reasons);
        } else {
            reasons.add(None, RejectionCode::FieldCount);
        }
        rejections.len() == before
    }

    fn parse_identity(
        &self,
        fields: Fields<'_>,
        known: impl Fn(&str) -> bool,
        line: &mut Line,
        reasons: &mut Reasons<'_>,
    ) {
        let before = reasons.list.len();
        line.key.clear();
        let mut filled = false;
        for (place, column) in self.key.iter().enumerate() {
            if place > 0 {
                line.key.push(KEY_SEPARATOR);
            }
            let start = line.key.len();
            reasons.take(*column, append(fields.get(*column), MAX_KEY, &mut line.key));
            filled |= line.key.len() > start;
        }
        if !filled && reasons.list.len() == before {
            reasons.add(self.key.first().copied(), RejectionCode::EmptyValue);
        }
        optional_text(self.case_number, fields, &mut line.case_number, reasons);
        optional_text(self.reference, fields, &mut line.reference, reasons);
        line.bezirksstelle.clear();
        match self.bezirksstelle {
            None => line.bezirksstelle.push_str(&self.bezirksstelle_constant),
            Some(column) => {
                if let Err(code) = append(fields.get(column), MAX_TEXT, &mut line.bezirksstelle) {
                    return reasons.add(Some(column), code);
                }
            }
        }
        if line.bezirksstelle.is_empty() {
            reasons.add(self.bezirksstelle, RejectionCode::EmptyValue);
        } else if !known(&line.bezirksstelle) {
            reasons.add(self.bezirksstelle, RejectionCode::UnknownBezirksstelle);
        }
    }

    fn parse_money(&self, fields: Fields<'_>, line: &mut Line, reasons: &mut Reasons<'_>) {
        line.amount = 0;
        line.funds = [0; 4];
        let Some(amount_column) = self.amount else { return };
        let before = reasons.list.len();
        let value = fields.get(amount_column).trim();
        line.amount = reasons.take(
            amount_column,
            if value.is_empty() {
                Err(RejectionCode::EmptyValue)
            } else {
                self.cents(value)
            },
        );
        if let Some(fund) = self.single_fund {
            line.funds[fund as usize] = line.amount;
            return;
        }
        for (share, column) in line.funds.iter_mut().zip(self.funds) {
            let Some(column) = column else { continue };
            let value = fields.get(column).trim();
            if !value.is_empty() {
                *share = reasons.take(column, self.cents(value));
            }
        }
        // A share that could not be read is reported as such; the sum would only repeat it.
        if reasons.list.len() == before && line.funds.iter().sum::<i64>() != line.amount {
            reasons.add(Some(amount_column), RejectionCode::FundSplitDoesNotSum);
        }
    }

    fn cents(&self, value: &str) -> Result<i64, RejectionCode> {
        amount::parse(value, self.decimals, self.rounding).map_err(RejectionCode::from)
    }

    fn parse_details(&self, fields: Fields<'_>, line: &mut Line, reasons: &mut Reasons<'_>) {
        line.product.clear();
        if let Some(column) = self.product {
            reasons.take(column, append(fields.get(column), MAX_TEXT, &mut line.product));
        }
        line.kind.clear();
        if let Some(column) = self.kind {
            reasons.take(column, append(fields.get(column), MAX_KIND, &mut line.kind));
        }
        line.period = self.period.and_then(|column| {
            let value = fields.get(column).trim();
            if value.is_empty() {
                None
            } else {
                reasons.take(
                    column,
                    self.month(value).map(Some).ok_or(RejectionCode::NotAPeriod),
                )
            }
        });
        line.decision_date = self.decision_date.and_then(|column| {
            let value = fields.get(column).trim();
            if value.is_empty() {
                None
            } else {
                reasons.take(column, self.day(value).map(Some).ok_or(RejectionCode::NotADate))
            }
        });
        line.own_staff = self
            .own_staff
            .is_some_and(|column| reasons.take(column, yes_or_no(fields.get(column).trim())));
        line.attributes
            .resize_with(self.attributes.len(), || (Arc::from(""), String::new()));
        for ((name, column), (target, value)) in self.attributes.iter().zip(&mut line.attributes) {
            if target != name {
                *target = Arc::clone(name);
            }
            value.clear();
            reasons.take(*column, append(fields.get(*column), MAX_ATTRIBUTE, value));
        }
    }

    fn day(&self, value: &str) -> Option<NaiveDate> {
        match (self.date_format, value.as_bytes()) {
            (DateFormat::Iso, [y @ .., b'-', m1, m2, b'-', d1, d2])
            | (DateFormat::German, [d1, d2, b'.', m1, m2, b'.', y @ ..]) => {
                NaiveDate::from_ymd_opt(year(y)?, digits(&[*m1, *m2])?, digits(&[*d1, *d2])?)
            }
            _ => None,
        }
    }

    /// `2026-03`, `03/2026`, or any day of the month: no two of these can be confused.
    fn month(&self, value: &str) -> Option<NaiveDate> {
        match value.as_bytes() {
            [m1, m2, b'/', y @ ..] => NaiveDate::from_ymd_opt(year(y)?, digits(&[*m1, *m2])?, 1),
            [_, _, _, _, b'-', _, _] => year_month(value),
            _ => self.day(value)?.with_day(1),
        }
    }
}

/// First day of a month written `2026-03`.
pub(super) fn year_month(value: &str) -> Option<NaiveDate> {
    let (y, m) = value.as_bytes().split_at_checked(5)?;
    let valid = m.len() == 2 && y[4] == b'-';
    if valid {
        NaiveDate::from_ymd_opt(year(&y[..4])?, digits(m)?, 1)
    } else {
        None
    }
}

fn digits(bytes: &[u8]) -> Option<u32> {
    bytes.iter().try_fold(0_u32, |value, byte| {
        byte.is_ascii_digit().then(|| value * 10 + u32::from(byte - b'0'))
    })
}

/// Four digits from 1900 to 2199: other years are typing errors.
fn year(bytes: &[u8]) -> Option<i32> {
    let value = if bytes.len() == 4 {
        digits(bytes)?
    } else {
        return None;
    };
    if (1900..2200).contains(&value) {
        i32::try_from(value).ok()
    } else {
        None
    }
}

fn yes_or_no(value: &str) -> Result<bool, RejectionCode> {
    let is = |words: [&str; 5]| words.iter().any(|word| value.eq_ignore_ascii_case(word));
    // An empty mark is no "no": the cases of own staff are kept from others by it.
    if value.is_empty() {
        Err(RejectionCode::EmptyValue)
    } else if is(["nein", "n", "false", "0", "no"]) {
        Ok(false)
    } else if is(["ja", "j", "true", "1", "y"]) || value.eq_ignore_ascii_case("yes") {
        Ok(true)
    } else {
        Err(RejectionCode::NotABoolean)
    }
}

fn optional_text(
    column: Option<usize>,
    fields: Fields<'_>,
    target: &mut Option<String>,
    reasons: &mut Reasons<'_>,
) {
    // The buffer of the line before is used again.
    let mut text = target.take().unwrap_or_default();
    text.clear();
    if let Some(column) = column {
        reasons.take(column, append(fields.get(column), MAX_TEXT, &mut text));
    }
    *target = Some(text).filter(|text| !text.is_empty());
}

/// Appends a trimmed text in NFC with at most `max` characters.
fn append(value: &str, max: usize, target: &mut String) -> Result<(), RejectionCode> {
    let value = value.trim();
    let plain = value.bytes().all(|byte| byte >= 0x20 && byte != 0x7f);
    if plain && value.is_ascii() {
        if value.len() > max {
            return Err(RejectionCode::TextTooLong);
        }
        target.push_str(value);
        return Ok(());
    }
    append_slowly(value, max, target)
}

fn append_slowly(value: &str, max: usize, target: &mut String) -> Result<(), RejectionCode> {
    let start = target.len();
    if is_nfc(value) {
        target.push_str(value);
    } else {
        target.extend(value.nfc());
    }
    let mut text = target.split_off(start);
    if text.contains(['\n', '\r', '\t']) {
        text = text.replace("\r\n", " ").replace(['\n', '\r', '\t'], " ");
    }
    if text.chars().any(char::is_control) {
        return Err(RejectionCode::ControlCharacter);
    }
    if text.chars().count() > max {
        return Err(RejectionCode::TextTooLong);
    }
    target.push_str(&text);
    Ok(())
}
