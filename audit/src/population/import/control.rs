//! The control total as a file: CSV `fund;bezirksstelle;month;count;sum` in UTF-8, months as `2025-11` (empty: lines without a
//! month), sums in German decimals.

use std::io::Read;

use entity::Fund;
use uuid::Uuid;

use super::amount::{self, Decimals, Rounding};
use super::line::{Rejection, RejectionCode};
use crate::population::reconciliation::{Cell, Cells, Tally};

/// Largest file in bytes: cells are at most a few thousand short lines.
pub const MAX_BYTES: u64 = 8 << 20;
const COLUMNS: [&str; 5] = ["fund", "bezirksstelle", "month", "count", "sum"];

/// Reads the cells, or says line by line why not. `bezirksstelle` gives the id of a number.
pub fn read(input: impl Read, bezirksstelle: impl Fn(&str) -> Option<Uuid>) -> Result<Cells, Vec<Rejection>> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(b';')
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(input.take(MAX_BYTES));
    let fits = reader.headers().is_ok_and(|headers| {
        headers
            .iter()
            .map(|name| name.trim_start_matches('\u{feff}'))
            .eq(COLUMNS)
    });
    if !fits {
        return Err(vec![reject(1, None, RejectionCode::FieldCount)]);
    }
    let (mut cells, mut rejections) = (Cells::default(), Vec::new());
    let mut lines = std::collections::BTreeMap::new();
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                rejections.push(reject(line, None, RejectionCode::WrongEncoding));
                break;
            }
        };
        let line = record.position().map_or(0, csv::Position::line);
        match parse(&record, &bezirksstelle) {
            Err((column, code)) => rejections.push(reject(line, column, code)),
            Ok((cell, tally)) => match lines.insert(cell, line) {
                None => drop(cells.0.insert(cell, tally)),
                Some(first_line) => {
                    rejections.push(reject(line, None, RejectionCode::DuplicateKey { first_line }));
                }
            },
        }
    }
    if rejections.is_empty() {
        Ok(cells)
    } else {
        Err(rejections)
    }
}

fn reject(line: u64, column: Option<usize>, code: RejectionCode) -> Rejection {
    Rejection {
        line,
        column: column.map(|column| COLUMNS[column].to_owned()),
        code,
    }
}

type Wrong = (Option<usize>, RejectionCode);

fn parse(
    record: &csv::StringRecord,
    bezirksstelle: &impl Fn(&str) -> Option<Uuid>,
) -> Result<(Cell, Tally), Wrong> {
    let fields: Vec<&str> = record.iter().collect();
    let &[fund, place, month, count, sum] = fields.as_slice() else {
        return Err((None, RejectionCode::FieldCount));
    };
    let fund = Fund::ALL
        .iter()
        .find(|known| known.as_str() == fund)
        .ok_or((Some(0), RejectionCode::UnknownFund))?;
    let bezirksstelle_id = bezirksstelle(place).ok_or((Some(1), RejectionCode::UnknownBezirksstelle))?;
    let month = match month {
        "" => None,
        text => Some(super::line::year_month(text).ok_or((Some(2), RejectionCode::NotAPeriod))?),
    };
    let digits = !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit());
    let count = count
        .parse()
        .ok()
        .filter(|_| digits)
        .ok_or((Some(3), RejectionCode::NotANumber))?;
    let sum =
        amount::parse(sum, Decimals::German, Rounding::Refuse).map_err(|error| (Some(4), error.into()))?;
    Ok((
        Cell {
            fund: *fund,
            bezirksstelle_id,
            month,
        },
        Tally { count, sum },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(text: &str) -> Vec<(u64, &'static str)> {
        let known = |number: &str| (number == "03").then(|| Uuid::from_u128(3));
        match read(text.as_bytes(), known) {
            Ok(cells) => vec![(cells.0.len() as u64, "OK")],
            Err(rejections) => rejections
                .into_iter()
                .map(|rejection| (rejection.line, rejection.code.as_str()))
                .collect(),
        }
    }

    #[test]
    fn reads_cells_and_names_what_is_wrong() {
        let header = "fund;bezirksstelle;month;count;sum\n";
        assert_eq!(
            codes(&format!(
                "\u{feff}{header}BUND;03;2025-11;2;1.234,50\nBUND;03;;1;-5\n"
            )),
            [(2, "OK")]
        );
        assert_eq!(codes(header), [(0, "OK")]);
        for wrong in ["", "fund;sum\n", "\0"] {
            assert_eq!(codes(wrong), [(1, "FIELD_COUNT")], "{wrong:?}");
        }
        let body = "X;03;;1;1\nBUND;93;;1;1\nEU;03;11/2025;1;1\nEU;03;;-1;1\nEU;03;;1;1,234\nEU;03;;1\nEU;03;;1;1\nEU;03;;2;2\n";
        let expected = [
            (2, "UNKNOWN_FUND"),
            (3, "UNKNOWN_BEZIRKSSTELLE"),
            (4, "NOT_A_PERIOD"),
            (5, "NOT_A_NUMBER"),
            (6, "TOO_MANY_DECIMALS"),
            (7, "FIELD_COUNT"),
            (9, "DUPLICATE_KEY"),
        ];
        assert_eq!(codes(&format!("{header}{body}")), expected);
    }
}
