//! Who bears an expenditure (Kostenträger): Bund, Kommune, Land or EU.

use crate::{Cents, text_enum};

text_enum! {
    /// The bearer of a part of an expenditure (§ 6b (2), § 46 SGB II).
    Fund {
        /// The federation (Bund).
        Bund = "BUND",
        /// The Kreis or Stadt (Kommune), for instance accommodation costs.
        Kommune = "KOMMUNE",
        /// The Land.
        Land = "LAND",
        /// The European Union, for instance ESF measures.
        Eu = "EU",
    }
}

impl Fund {
    /// Place of this fund in a split.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The fund with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|fund| fund.as_str() == code)
    }
}

/// An amount split over the four funds, in cents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FundSplit {
    /// Borne by the Bund.
    pub bund: Cents,
    /// Borne by the Kommune.
    pub kommune: Cents,
    /// Borne by the Land.
    pub land: Cents,
    /// Borne by the EU.
    pub eu: Cents,
}

impl FundSplit {
    /// The whole amount, or `None` where it overflows.
    pub fn total(&self) -> Option<Cents> {
        self.bund
            .checked_add(self.kommune)?
            .checked_add(self.land)?
            .checked_add(self.eu)
    }

    /// What this is above what is correct, or `None` where it overflows.
    pub fn above(&self, correct: &Self) -> Option<Cents> {
        self.total()?.checked_sub(correct.total()?)
    }

    /// The part of one fund.
    pub const fn of(&self, fund: Fund) -> Cents {
        match fund {
            Fund::Bund => self.bund,
            Fund::Kommune => self.kommune,
            Fund::Land => self.land,
            Fund::Eu => self.eu,
        }
    }
}
