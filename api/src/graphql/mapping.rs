//! The column mapping of an import, as the API takes it.

use async_graphql::{Enum, InputObject};
use audit::population::import::amount;
use audit::population::import::mapping;

use super::population::Fund;

/// Character encoding of a file.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "mapping::Encoding")]
pub(super) enum Encoding {
    /// UTF-8, with or without byte order mark.
    #[graphql(name = "UTF_8")]
    Utf8,
    /// Windows-1252, the usual encoding of older German exports.
    #[graphql(name = "WINDOWS_1252")]
    Windows1252,
}

/// What stands between two fields.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "mapping::Delimiter")]
pub(super) enum Delimiter {
    /// A comma.
    Comma,
    /// A semicolon.
    Semicolon,
}

/// Notation of days.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "mapping::DateFormat")]
pub(super) enum DateFormat {
    /// `2026-03-31`
    Iso,
    /// `31.03.2026`
    German,
}

/// Which separators amounts use.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "amount::Decimals")]
pub(super) enum Decimals {
    /// `1.234,56`
    German,
    /// `1,234.56`
    English,
}

/// What happens to more than two decimals.
#[derive(Clone, Copy, Debug, Default, Enum, PartialEq, Eq)]
#[graphql(remote = "amount::Rounding")]
pub(super) enum Rounding {
    /// The line is refused.
    #[default]
    Refuse,
    /// Rounded to the nearest cent, halves to the even one.
    HalfEven,
}

/// Columns of the fund split; a fund without a column, or with an empty cell, bears nothing.
#[derive(InputObject)]
pub(super) struct FundColumnsInput {
    /// Column with the share of the Bund.
    bund: Option<String>,
    /// Column with the share of the Kommune.
    kommune: Option<String>,
    /// Column with the share of the Land.
    land: Option<String>,
    /// Column with the share of the European Union.
    eu: Option<String>,
}

/// A free attribute for strata and filters.
#[derive(InputObject)]
pub(super) struct AttributeColumnInput {
    /// Name in the population.
    name: String,
    /// Column in the file.
    column: String,
}

/// How a file is to be read (Spaltenzuordnung).
#[derive(InputObject)]
pub(super) struct MappingInput {
    /// Character encoding.
    encoding: Encoding,
    /// Field delimiter.
    delimiter: Delimiter,
    /// Decimal notation.
    decimals: Decimals,
    /// What happens to more than two decimals.
    #[graphql(default_with = "Rounding::Refuse")]
    rounding: Rounding,
    /// Notation of days.
    date_format: DateFormat,
    /// Columns that together identify a line.
    key: Vec<String>,
    /// Column with the case number (Aktenzeichen, BG-Nummer); kept apart and encrypted.
    case_number: Option<String>,
    /// Column with the booking reference by which people name the line.
    reference: Option<String>,
    /// Column with the number of the Bezirksstelle.
    bezirksstelle: Option<String>,
    /// Number of the one Bezirksstelle of the whole file, instead of a column.
    bezirksstelle_constant: Option<String>,
    /// Column with the amount; without it amounts are zero (units without money only).
    amount: Option<String>,
    /// Columns of the fund split.
    funds: Option<FundColumnsInput>,
    /// The one fund that bears every whole amount, instead of a split.
    single_fund: Option<Fund>,
    /// Column with product or budget title.
    product: Option<String>,
    /// Column with the month the line is for: `2026-03`, `03/2026` or a day.
    period: Option<String>,
    /// Column with the day of the decision.
    decision_date: Option<String>,
    /// Column with the kind of line.
    kind: Option<String>,
    /// Column that marks cases of own staff (§ 35 (1) S. 3 SGB I): ja/nein, j/n, y/n, true/false, 1/0.
    own_staff: Option<String>,
    /// Free attributes, at most eight.
    #[graphql(default)]
    attributes: Vec<AttributeColumnInput>,
}

impl From<MappingInput> for mapping::Mapping {
    fn from(input: MappingInput) -> Self {
        Self {
            encoding: input.encoding.into(),
            delimiter: input.delimiter.into(),
            decimals: input.decimals.into(),
            rounding: input.rounding.into(),
            date_format: input.date_format.into(),
            key: input.key,
            case_number: input.case_number,
            reference: input.reference,
            bezirksstelle: input.bezirksstelle,
            bezirksstelle_constant: input.bezirksstelle_constant,
            amount: input.amount,
            funds: input.funds.map(|funds| mapping::FundColumns {
                bund: funds.bund,
                kommune: funds.kommune,
                land: funds.land,
                eu: funds.eu,
            }),
            single_fund: input.single_fund.map(Into::into),
            product: input.product,
            period: input.period,
            decision_date: input.decision_date,
            kind: input.kind,
            own_staff: input.own_staff,
            attributes: input
                .attributes
                .into_iter()
                .map(|attribute| mapping::AttributeColumn {
                    name: attribute.name,
                    column: attribute.column,
                })
                .collect(),
        }
    }
}
