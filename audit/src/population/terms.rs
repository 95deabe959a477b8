//! The two closed lists every population speaks: who bears the money, and what one line is.

use serde::{Deserialize, Serialize};

/// Who bears the money (Mittelgeber; § 6b (4) S. 2 SGB II asks for it by reason and amount).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Fund {
    /// Federation.
    Bund,
    /// District or town.
    Kommune,
    /// State.
    Land,
    /// European Union (ESF).
    Eu,
}

impl Fund {
    /// All funds in the order in which a split stores them.
    pub const ALL: [Self; 4] = [Self::Bund, Self::Kommune, Self::Land, Self::Eu];

    /// Place of this fund in a split.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The code in files and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bund => "BUND",
            Self::Kommune => "KOMMUNE",
            Self::Land => "LAND",
            Self::Eu => "EU",
        }
    }

    /// The fund with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fund| fund.as_str() == code)
    }
}

/// What one line of a population is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Unit {
    /// A decision (Bescheid).
    Decision,
    /// A case in a month.
    CaseMonth,
    /// A payment line.
    Payment,
    /// A procedure (Vorgang).
    Procedure,
}

impl Unit {
    /// Whether a line of this unit is money and therefore needs an amount.
    pub const fn needs_amount(self) -> bool {
        matches!(self, Self::Payment | Self::CaseMonth)
    }
}
