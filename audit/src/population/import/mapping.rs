//! The declared reading of a file: what each column means, and that no column is left without meaning (data minimisation:
//! a name or an account number that nobody mapped must not get in by accident).

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

use super::amount::{Decimals, Rounding};
use entity::Fund;
use entity::population::Unit;

/// Most free attributes of a line.
pub const MAX_ATTRIBUTES: usize = 8;
/// Longest name of an attribute in characters.
pub const MAX_ATTRIBUTE_NAME: usize = 40;

/// Character encoding of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Encoding {
    /// UTF-8, with or without byte order mark.
    #[serde(rename = "UTF_8")]
    Utf8,
    /// Windows-1252, the usual encoding of older German exports.
    #[serde(rename = "WINDOWS_1252")]
    Windows1252,
}

/// What stands between two fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Delimiter {
    /// `,`
    Comma,
    /// `;`
    Semicolon,
}

impl Delimiter {
    /// The byte itself.
    pub const fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Semicolon => b';',
        }
    }
}

/// Notation of days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DateFormat {
    /// `2026-03-31`
    Iso,
    /// `31.03.2026`
    German,
}

/// Columns of the fund split; a fund without a column, or with an empty cell, bears nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FundColumns {
    /// Column with the share of the federation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bund: Option<String>,
    /// Column with the share of the municipality.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kommune: Option<String>,
    /// Column with the share of the state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub land: Option<String>,
    /// Column with the share of the European Union.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eu: Option<String>,
}

impl FundColumns {
    fn in_order(&self) -> [Option<&String>; 4] {
        [
            self.bund.as_ref(),
            self.kommune.as_ref(),
            self.land.as_ref(),
            self.eu.as_ref(),
        ]
    }
}

/// A free attribute for strata and filters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AttributeColumn {
    /// Name in the population.
    pub name: String,
    /// Column in the file.
    pub column: String,
}

/// How a file is to be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Mapping {
    /// Character encoding.
    pub encoding: Encoding,
    /// Field delimiter.
    pub delimiter: Delimiter,
    /// Decimal notation.
    pub decimals: Decimals,
    /// What happens to more than two decimals.
    #[serde(default)]
    pub rounding: Rounding,
    /// Notation of days.
    pub date_format: DateFormat,
    /// Columns that together identify a line.
    pub key: Vec<String>,
    /// Column with the case number (Aktenzeichen, BG-Nummer); kept apart and encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case_number: Option<String>,
    /// Column with the booking reference by which people name the line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Column with the number of the Bezirksstelle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bezirksstelle: Option<String>,
    /// Number of the one Bezirksstelle of the whole file, instead of a column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bezirksstelle_constant: Option<String>,
    /// Column with the amount; without it the amount is zero (units without money only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
    /// Columns of the fund split.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub funds: Option<FundColumns>,
    /// The one fund that bears every whole amount, instead of a split.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub single_fund: Option<Fund>,
    /// Column with product or budget title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// Column with the month the line is for: `2026-03`, `03/2026` or a day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<String>,
    /// Column with the day of the decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision_date: Option<String>,
    /// Column with the kind of line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Column that marks cases of own staff (§ 35 (1) S. 3 SGB I): ja/nein, j/n, y/n, true/false, 1/0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_staff: Option<String>,
    /// Free attributes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<AttributeColumn>,
}

/// What is wrong with a field of a mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum MappingErrorCode {
    /// The field must be given.
    Required,
    /// The field is given but empty.
    Empty,
    /// The field excludes another given one, or needs one that is not given.
    Conflict,
    /// Named twice.
    Doubled,
    /// More than allowed.
    TooMany,
    /// Longer than allowed.
    TooLong,
}

/// A wrong field of a mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappingError {
    /// Path of the field, such as `attributes.2.name`.
    pub field: String,
    /// What is wrong with it.
    pub code: MappingErrorCode,
}

/// A file's header row that does not fit the mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeaderError {
    /// A mapped column is not in the file.
    Missing(String),
    /// The column at this place, counted from one, has the name of an earlier one.
    Doubled(usize),
    /// The column at this place, counted from one, has no name.
    Unnamed(usize),
    /// The column at this place, counted from one, has no meaning in the mapping.
    Unmapped(usize),
}

/// Names come from the mapping only. A file without a header row has its first line in this place, and nobody's name or
/// bank account may end up in a message: what the file calls a column is told by its place.
impl std::fmt::Display for HeaderError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing(name) => write!(f, "{} {name:?}", self.code()),
            Self::Doubled(place) | Self::Unmapped(place) | Self::Unnamed(place) => {
                write!(f, "{} {place}", self.code())
            }
        }
    }
}

impl HeaderError {
    /// The code in the API.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Missing(_) => "MISSING_COLUMN",
            Self::Doubled(_) => "DOUBLED_COLUMN",
            Self::Unnamed(_) => "UNNAMED_COLUMN",
            Self::Unmapped(_) => "UNMAPPED_COLUMN",
        }
    }
}

/// A mapping whose columns have been found in a header row.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// Names of the file's columns.
    pub(super) headers: Vec<String>,
    pub(super) decimals: Decimals,
    pub(super) rounding: Rounding,
    pub(super) date_format: DateFormat,
    pub(super) key: Vec<usize>,
    pub(super) case_number: Option<usize>,
    pub(super) reference: Option<usize>,
    pub(super) bezirksstelle: Option<usize>,
    pub(super) bezirksstelle_constant: String,
    pub(super) amount: Option<usize>,
    pub(super) funds: [Option<usize>; 4],
    pub(super) single_fund: Option<Fund>,
    pub(super) product: Option<usize>,
    pub(super) period: Option<usize>,
    pub(super) decision_date: Option<usize>,
    pub(super) kind: Option<usize>,
    pub(super) own_staff: Option<usize>,
    /// Sorted by name.
    pub(super) attributes: Vec<(Arc<str>, usize)>,
}

/// Names are compared in NFC and without surrounding space: exports differ in both.
fn normal(name: &str) -> String {
    name.trim().nfc().collect()
}

impl Mapping {
    /// Errors of the mapping itself for a population of this unit; empty when it can be used.
    pub fn check(&self, unit: Unit) -> Vec<MappingError> {
        let mut errors = Vec::new();
        let mut wrong = |field: &str, code| {
            errors.push(MappingError {
                field: field.to_owned(),
                code,
            });
        };
        if self.key.is_empty() {
            wrong("key", MappingErrorCode::Required);
        }
        let mut seen = BTreeSet::new();
        for (index, column) in self.key.iter().enumerate() {
            if !seen.insert(normal(column)) {
                wrong(&format!("key.{index}"), MappingErrorCode::Doubled);
            }
        }
        for (field, column) in self.columns() {
            if normal(column).is_empty() {
                wrong(&field, MappingErrorCode::Empty);
            }
        }
        match (&self.bezirksstelle, &self.bezirksstelle_constant) {
            (None, None) => wrong("bezirksstelle", MappingErrorCode::Required),
            (Some(_), Some(_)) => wrong("bezirksstelleConstant", MappingErrorCode::Conflict),
            (None, Some(number)) if number.trim().is_empty() => {
                wrong("bezirksstelleConstant", MappingErrorCode::Empty);
            }
            _ => {}
        }
        if self.amount.is_none() && matches!(unit, Unit::Payment | Unit::CaseMonth) {
            wrong("amount", MappingErrorCode::Required);
        }
        self.check_funds(&mut wrong);
        self.check_attributes(&mut wrong);
        errors
    }

    fn check_funds(&self, wrong: &mut impl FnMut(&str, MappingErrorCode)) {
        match (&self.funds, self.single_fund) {
            (None, None) if self.amount.is_some() => wrong("funds", MappingErrorCode::Required),
            (Some(_), Some(_)) => wrong("singleFund", MappingErrorCode::Conflict),
            (Some(_), None) if self.amount.is_none() => wrong("funds", MappingErrorCode::Conflict),
            (Some(funds), None) => {
                let columns: Vec<String> = funds
                    .in_order()
                    .into_iter()
                    .flatten()
                    .map(|column| normal(column))
                    .collect();
                if columns.is_empty() {
                    wrong("funds", MappingErrorCode::Empty);
                }
                if columns.iter().collect::<BTreeSet<_>>().len() < columns.len() {
                    wrong("funds", MappingErrorCode::Doubled);
                }
            }
            _ => {}
        }
    }

    fn check_attributes(&self, wrong: &mut impl FnMut(&str, MappingErrorCode)) {
        if self.attributes.len() > MAX_ATTRIBUTES {
            wrong("attributes", MappingErrorCode::TooMany);
        }
        let mut seen = BTreeSet::new();
        for (index, attribute) in self.attributes.iter().enumerate() {
            let name = normal(&attribute.name);
            let code = if name.is_empty() || name.chars().any(char::is_control) {
                MappingErrorCode::Empty
            } else if name.chars().count() > MAX_ATTRIBUTE_NAME {
                MappingErrorCode::TooLong
            } else if seen.insert(name) {
                continue;
            } else {
                MappingErrorCode::Doubled
            };
            wrong(&format!("attributes.{index}.name"), code);
        }
    }

    /// Every mapped column with the path of its field.
    fn columns(&self) -> Vec<(String, &String)> {
        let roles = [
            ("caseNumber", &self.case_number),
            ("reference", &self.reference),
            ("bezirksstelle", &self.bezirksstelle),
            ("amount", &self.amount),
            ("product", &self.product),
            ("period", &self.period),
            ("decisionDate", &self.decision_date),
            ("kind", &self.kind),
            ("ownStaff", &self.own_staff),
        ];
        let funds = self.funds.iter().flat_map(|funds| {
            ["bund", "kommune", "land", "eu"]
                .into_iter()
                .zip(funds.in_order())
        });
        let key = self
            .key
            .iter()
            .enumerate()
            .map(|(index, column)| (format!("key.{index}"), column));
        let attributes = self
            .attributes
            .iter()
            .enumerate()
            .map(|(index, attribute)| (format!("attributes.{index}.column"), &attribute.column));
        key.chain(
            roles
                .into_iter()
                .filter_map(|(field, column)| Some((field.to_owned(), column.as_ref()?))),
        )
        .chain(funds.filter_map(|(field, column)| Some((format!("funds.{field}"), column?))))
        .chain(attributes)
        .collect()
    }

    /// Finds the mapped columns in a header row. Every column of the file must have a name of its own and a meaning.
    pub fn resolve<S: AsRef<str>>(&self, headers: &[S]) -> Result<Resolved, Vec<HeaderError>> {
        let headers: Vec<String> = headers.iter().map(|header| normal(header.as_ref())).collect();
        let errors = self.header_errors(&headers);
        if !errors.is_empty() {
            return Err(errors);
        }
        let place = |column: &String| {
            let name = normal(column);
            headers.iter().position(|header| *header == name)
        };
        let optional = |column: &Option<String>| column.as_ref().and_then(place);
        let mut funds = [None; 4];
        if let Some(columns) = &self.funds {
            funds = columns.in_order().map(|column| column.and_then(place));
        }
        let mut attributes: Vec<(Arc<str>, usize)> = self
            .attributes
            .iter()
            .filter_map(|attribute| Some((Arc::from(normal(&attribute.name)), place(&attribute.column)?)))
            .collect();
        attributes.sort();
        Ok(Resolved {
            decimals: self.decimals,
            rounding: self.rounding,
            date_format: self.date_format,
            key: self.key.iter().filter_map(place).collect(),
            case_number: optional(&self.case_number),
            reference: optional(&self.reference),
            bezirksstelle: optional(&self.bezirksstelle),
            bezirksstelle_constant: self
                .bezirksstelle_constant
                .as_deref()
                .map(normal)
                .unwrap_or_default(),
            amount: optional(&self.amount),
            funds,
            single_fund: self.single_fund,
            product: optional(&self.product),
            period: optional(&self.period),
            decision_date: optional(&self.decision_date),
            kind: optional(&self.kind),
            own_staff: optional(&self.own_staff),
            attributes,
            headers,
        })
    }

    fn header_errors(&self, headers: &[String]) -> Vec<HeaderError> {
        let mapped: BTreeSet<String> = self
            .columns()
            .into_iter()
            .map(|(_, column)| normal(column))
            .collect();
        let mut errors = Vec::new();
        let mut seen = BTreeSet::new();
        for (index, header) in headers.iter().enumerate() {
            if header.is_empty() {
                errors.push(HeaderError::Unnamed(index + 1));
            } else if !seen.insert(header.as_str()) {
                errors.push(HeaderError::Doubled(index + 1));
            } else if !mapped.contains(header) {
                errors.push(HeaderError::Unmapped(index + 1));
            }
        }
        errors.extend(
            mapped
                .iter()
                .filter(|name| !seen.contains(name.as_str()))
                .cloned()
                .map(HeaderError::Missing),
        );
        errors
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minimal() -> Mapping {
        serde_json::from_value(serde_json::json!({
            "encoding": "UTF_8", "delimiter": "SEMICOLON", "decimals": "GERMAN", "dateFormat": "ISO",
            "key": ["Beleg"], "bezirksstelle": "Ort", "amount": "Betrag", "singleFund": "BUND",
        }))
        .unwrap()
    }

    fn codes(mapping: &Mapping, unit: Unit) -> Vec<(String, MappingErrorCode)> {
        mapping
            .check(unit)
            .into_iter()
            .map(|error| (error.field, error.code))
            .collect()
    }

    #[test]
    fn reads_and_writes_its_notation() {
        let mapping = minimal();
        assert_eq!(mapping.rounding, Rounding::Refuse);
        assert!(codes(&mapping, Unit::Payment).is_empty());
        let text = serde_json::to_string(&mapping).unwrap();
        assert!(
            text.contains(r#""encoding":"UTF_8""#) && text.contains(r#""rounding":"REFUSE""#),
            "{text}"
        );
        assert_eq!(serde_json::from_str::<Mapping>(&text).unwrap(), mapping);
        assert!(
            serde_json::from_str::<Mapping>(&text.replace("\"key\"", "\"name\":\"Name\",\"key\"")).is_err()
        );
    }

    #[test]
    fn names_what_is_wrong() {
        let mut mapping = minimal();
        mapping.key.clear();
        mapping.bezirksstelle_constant = Some("03".to_owned());
        mapping.funds = Some(FundColumns::default());
        mapping.kind = Some(" ".to_owned());
        mapping.attributes = vec![
            AttributeColumn {
                name: "Art".to_owned(),
                column: "Art".to_owned()
            };
            9
        ];
        let found = codes(&mapping, Unit::Payment);
        for expected in [
            ("key", MappingErrorCode::Required),
            ("bezirksstelleConstant", MappingErrorCode::Conflict),
            ("singleFund", MappingErrorCode::Conflict),
            ("kind", MappingErrorCode::Empty),
            ("attributes", MappingErrorCode::TooMany),
            ("attributes.1.name", MappingErrorCode::Doubled),
        ] {
            assert!(
                found.contains(&(expected.0.to_owned(), expected.1)),
                "{expected:?} in {found:?}"
            );
        }
        let mut mapping = minimal();
        mapping.amount = None;
        assert_eq!(
            codes(&mapping, Unit::Payment),
            [("amount".to_owned(), MappingErrorCode::Required)]
        );
        assert!(codes(&mapping, Unit::Decision).is_empty());
        mapping.single_fund = None;
        assert!(codes(&mapping, Unit::Decision).is_empty());
        mapping.funds = Some(FundColumns {
            bund: Some("Bund".to_owned()),
            ..FundColumns::default()
        });
        assert_eq!(
            codes(&mapping, Unit::Decision),
            [("funds".to_owned(), MappingErrorCode::Conflict)]
        );
        let mut mapping = minimal();
        mapping.single_fund = None;
        assert_eq!(
            codes(&mapping, Unit::Payment),
            [("funds".to_owned(), MappingErrorCode::Required)]
        );
        mapping.funds = Some(FundColumns {
            bund: Some("B".to_owned()),
            eu: Some(" B ".to_owned()),
            ..FundColumns::default()
        });
        assert_eq!(
            codes(&mapping, Unit::Payment),
            [("funds".to_owned(), MappingErrorCode::Doubled)]
        );
    }

    #[test]
    fn header_rows_must_fit_exactly() {
        let mapping = minimal();
        assert!(mapping.resolve(&["Betrag", " Beleg ", "Ort"]).is_ok());
        assert_eq!(
            mapping
                .resolve(&["Beleg", "Betrag", "", "Name", "Beleg", "Beleg"])
                .unwrap_err(),
            [
                HeaderError::Unnamed(3),
                HeaderError::Unmapped(4),
                HeaderError::Doubled(5),
                HeaderError::Doubled(6),
                HeaderError::Missing("Ort".to_owned())
            ]
        );
        // The same name in decomposed form is the same column.
        let mut mapping = minimal();
        mapping.kind = Some("Behörde".to_owned());
        assert!(
            mapping
                .resolve(&["Beleg", "Betrag", "Ort", "Beho\u{308}rde"])
                .is_ok()
        );
        // One column may have several meanings.
        let mut mapping = minimal();
        mapping.reference = Some("Beleg".to_owned());
        assert!(mapping.resolve(&["Beleg", "Betrag", "Ort"]).is_ok());
    }
}
