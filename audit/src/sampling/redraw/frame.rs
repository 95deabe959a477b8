//! The rows of the draw file, and their digest.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::sampling::ceremony::{Bytes32, Fields};

/// A row of the draw file. It is social data: who may receive the file is said in it and nowhere wider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FrameRow {
    /// Id of the item; of the unit, where several lines of one decision are one.
    pub id: String,
    /// Name of the stratum.
    pub stratum: String,
    /// The Bezirksstelle; may be empty.
    pub bezirksstelle: String,
    /// Amount in whole monetary units; only where monetary units are drawn.
    pub amount: Option<i64>,
}

/// Why a draw file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The rows do not ascend by the bytes of the id.
    #[error("row {id} stands after {after}")]
    OutOfOrder {
        /// Id of the row.
        id: String,
        /// Id of the row before.
        after: String,
    },
    /// An id occurs twice.
    #[error("item {0} stands there twice")]
    ItemDoubled(String),
    /// A row without amount, where monetary units are drawn.
    #[error("item {0} has no amount, and its stratum is drawn by monetary units")]
    AmountMissing(String),
    /// A row without id.
    #[error("a row has no id")]
    IdMissing,
}

impl FrameError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::OutOfOrder { .. } => "ITEMS_OUT_OF_ORDER",
            Self::ItemDoubled(_) => "ITEM_DOUBLED",
            Self::AmountMissing(_) | Self::IdMissing => "REQUIRED",
        }
    }

    /// The column that has to change.
    pub fn field(&self) -> &'static str {
        match self {
            Self::AmountMissing(_) => "amount",
            _ => "id",
        }
    }

    /// The same in German.
    pub fn german(&self) -> String {
        match self {
            Self::OutOfOrder { id, after } => {
                format!("Die Zeile {id} steht nach {after}. Bitte die Zeilen aufsteigend nach der Id ordnen.")
            }
            Self::ItemDoubled(id) => format!("Die Position {id} steht zweimal in der Ziehungsdatei."),
            Self::AmountMissing(id) => format!(
                "Die Position {id} hat keinen Betrag, ihre Schicht wird aber nach Geldeinheiten gezogen."
            ),
            Self::IdMissing => "Eine Zeile hat keine Id.".to_owned(),
        }
    }
}

/// The digest of a draw file, row by row: SHA-256 over the tag, each row's id, stratum, Bezirksstelle and
/// amount (decimal, or empty), and at the end the number of rows. The rows ascend by the bytes of their id.
#[derive(Debug, Clone)]
pub struct FrameDigest {
    fields: Fields,
    count: u64,
    last: Option<String>,
}

impl Default for FrameDigest {
    fn default() -> Self {
        Self {
            fields: Fields::new("pruefpfad-draw-frame-1"),
            count: 0,
            last: None,
        }
    }
}

impl FrameDigest {
    /// Adds the next row.
    pub fn add(&mut self, row: &FrameRow) -> Result<(), FrameError> {
        match &mut self.last {
            _ if row.id.is_empty() => return Err(FrameError::IdMissing),
            Some(last) if *last == row.id => return Err(FrameError::ItemDoubled(row.id.clone())),
            Some(last) if *last > row.id => {
                let (id, after) = (row.id.clone(), last.clone());
                return Err(FrameError::OutOfOrder { id, after });
            }
            Some(last) => row.id.clone_into(last),
            None => self.last = Some(row.id.clone()),
        }
        self.count += 1;
        self.fields.add(&row.id);
        self.fields.add(&row.stratum);
        self.fields.add(&row.bezirksstelle);
        let amount = row.amount.map(|amount| amount.to_string());
        self.fields.add(amount.as_deref().unwrap_or_default());
        Ok(())
    }

    /// Rows so far.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The digest.
    pub fn finish(self) -> Bytes32 {
        self.fields.shown(&self.count).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampling::derivation::assert_german;

    #[test]
    fn errors_are_told_in_german() {
        let name = || "A7".to_owned();
        let errors = [
            FrameError::OutOfOrder {
                id: name(),
                after: "B8".to_owned(),
            },
            FrameError::ItemDoubled(name()),
            FrameError::AmountMissing(name()),
            FrameError::IdMissing,
        ];
        assert_german(&errors.map(|error| (error.german(), error.to_string())));
    }
}
