//! What a redraw can find.

use schemars::JsonSchema;
use serde::Serialize;

use super::DrawnItem;
use crate::sampling::ceremony::{Bytes32, CeremonyError};
use crate::sampling::derivation::Text;
use crate::sampling::selection::SelectionError;

/// One thing in which record, draw file and redraw differ: `expected` comes out here, `found` is in record or
/// file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(
    tag = "code",
    rename_all = "SCREAMING_SNAKE_CASE",
    rename_all_fields = "camelCase"
)]
pub enum Difference {
    /// The plan could not be drawn from at its level.
    PlanRefused {
        /// Code of what is wrong.
        reason: &'static str,
        /// What is wrong.
        message: String,
    },
    /// The plan is not the one known from elsewhere.
    PlanDiffers {
        /// Digest known.
        expected: Bytes32,
        /// Digest of the record's plan.
        found: Bytes32,
    },
    /// The population is not the one planned for, or not the one known from elsewhere.
    RootDiffers {
        /// Root known, or of the plan.
        expected: Bytes32,
        /// Root in the record.
        found: Bytes32,
    },
    /// The ceremony does not lead to a seed.
    CeremonyRefused {
        /// Code of what is wrong.
        reason: &'static str,
        /// What is wrong.
        message: String,
        /// The same in German.
        #[serde(skip)]
        german: String,
    },
    /// The ceremony leads to another seed.
    SeedDiffers {
        /// Seed that comes out.
        expected: String,
        /// Seed in the record.
        found: String,
    },
    /// The draw file is not the one planned for.
    FrameDiffers {
        /// Digest in the plan.
        expected: Bytes32,
        /// Digest of the file.
        found: Bytes32,
    },
    /// A stratum has not as many rows as planned.
    CountDiffers {
        /// The stratum.
        stratum: String,
        /// Rows planned.
        planned: u64,
        /// Rows in the file.
        found: u64,
    },
    /// The amounts of a stratum do not add up to what was planned.
    AmountDiffers {
        /// The stratum.
        stratum: String,
        /// Sum planned.
        planned: i64,
        /// Sum in the file.
        found: i128,
    },
    /// A row belongs to a stratum that was not planned.
    StratumUnknown {
        /// The item.
        id: String,
        /// Its stratum.
        stratum: String,
    },
    /// A stratum cannot be drawn from these rows.
    StratumNotDrawn {
        /// The stratum.
        stratum: String,
        /// Code of what is wrong.
        reason: &'static str,
        /// What is wrong.
        message: String,
    },
    /// An item comes out that the record does not have.
    ItemMissing {
        /// The item.
        item: DrawnItem,
    },
    /// The record has an item that does not come out.
    ItemExtra {
        /// The item.
        item: DrawnItem,
    },
    /// The record has an item twice.
    ItemDoubled {
        /// The item.
        id: String,
    },
    /// An item comes out in another stratum.
    OtherStratum {
        /// The item.
        id: String,
        /// Stratum that comes out.
        expected: String,
        /// Stratum in the record.
        found: String,
    },
    /// An item comes out with another ticket.
    OtherTicket {
        /// The item.
        id: String,
        /// Ticket that comes out.
        expected: Option<String>,
        /// Ticket in the record.
        found: Option<String>,
    },
    /// An item comes out with another number of hits.
    OtherHits {
        /// The item.
        id: String,
        /// Hits that come out.
        expected: u64,
        /// Hits in the record.
        found: u64,
    },
    /// An item comes out at another place.
    OtherOrder {
        /// The item.
        id: String,
        /// Place that comes out.
        expected: u64,
        /// Place in the record.
        found: u64,
    },
}

impl Difference {
    pub(super) fn plan_refused(error: &CeremonyError) -> Self {
        let (reason, message) = (error.code(), error.to_string());
        Self::PlanRefused { reason, message }
    }

    pub(super) fn ceremony_refused(error: &CeremonyError) -> Self {
        Self::CeremonyRefused {
            reason: error.code(),
            message: error.to_string(),
            german: error.german(),
        }
    }

    pub(super) fn stratum_not_drawn(stratum: &str, error: &SelectionError) -> Self {
        Self::StratumNotDrawn {
            stratum: stratum.to_owned(),
            reason: error.code(),
            message: error.to_string(),
        }
    }

    /// The difference as a sentence.
    pub fn text(&self) -> Text {
        let none = |ticket: &Option<String>| ticket.clone().unwrap_or_else(|| "–".to_owned());
        match self {
            Self::PlanRefused { reason, message } => Text::new(
                format!("Nach diesem Plan darf nicht gezogen werden ({reason})."),
                format!("This plan cannot be drawn from: {message}."),
            ),
            Self::PlanDiffers { expected, found } => Text::new(
                format!("Der Plan hat den Hashwert {found}, bekannt ist {expected}."),
                format!("The plan has the digest {found}, known is {expected}."),
            ),
            Self::RootDiffers { expected, found } => Text::new(
                format!("Die Wurzel der Grundgesamtheit ist {found}, erwartet ist {expected}."),
                format!("The root of the population is {found}, expected is {expected}."),
            ),
            Self::CeremonyRefused { message, german, .. } => Text::new(
                format!("Die Beiträge ergeben keinen Startwert: {german}"),
                format!("The contributions lead to no seed: {message}."),
            ),
            Self::SeedDiffers { expected, found } => Text::new(
                format!("Die Beiträge ergeben den Startwert {expected}, im Protokoll steht {found}."),
                format!("The contributions lead to the seed {expected}, the record has {found}."),
            ),
            Self::FrameDiffers { expected, found } => Text::new(
                format!("Die Ziehungsdatei hat den Hashwert {found}, geplant ist {expected}."),
                format!("The draw file has the digest {found}, planned is {expected}."),
            ),
            Self::CountDiffers {
                stratum,
                planned,
                found,
            } => Text::new(
                format!("Schicht {stratum}: {found} Zeilen, geplant sind {planned}."),
                format!("Stratum {stratum}: {found} rows, planned are {planned}."),
            ),
            Self::AmountDiffers {
                stratum,
                planned,
                found,
            } => Text::new(
                format!("Schicht {stratum}: Summe {found}, geplant ist {planned}."),
                format!("Stratum {stratum}: sum {found}, planned is {planned}."),
            ),
            Self::StratumUnknown { id, stratum } => Text::new(
                format!("Position {id} gehört zur Schicht {stratum}, die nicht geplant ist."),
                format!("Item {id} belongs to stratum {stratum}, which was not planned."),
            ),
            Self::StratumNotDrawn {
                stratum,
                reason,
                message,
            } => Text::new(
                format!("Schicht {stratum} lässt sich aus diesen Zeilen nicht ziehen ({reason})."),
                format!("Stratum {stratum} cannot be drawn from these rows: {message}."),
            ),
            Self::ItemMissing { item } => Text::new(
                format!("Position {} wird gezogen, fehlt aber im Protokoll.", item.id),
                format!("Item {} is drawn, and is not in the record.", item.id),
            ),
            Self::ItemExtra { item } => Text::new(
                format!(
                    "Position {} steht im Protokoll, wird aber nicht gezogen.",
                    item.id
                ),
                format!("Item {} is in the record, and is not drawn.", item.id),
            ),
            Self::ItemDoubled { id } => Text::new(
                format!("Position {id} steht zweimal im Protokoll."),
                format!("Item {id} is in the record twice."),
            ),
            Self::OtherStratum { id, expected, found } => Text::new(
                format!("Position {id}: Schicht {expected}, im Protokoll {found}."),
                format!("Item {id}: stratum {expected}, in the record {found}."),
            ),
            Self::OtherTicket { id, expected, found } => {
                let (expected, found) = (none(expected), none(found));
                Text::new(
                    format!("Position {id}: Los {expected}, im Protokoll {found}."),
                    format!("Item {id}: ticket {expected}, in the record {found}."),
                )
            }
            Self::OtherHits { id, expected, found } => Text::new(
                format!("Position {id}: {expected} Treffer, im Protokoll {found}."),
                format!("Item {id}: {expected} hits, in the record {found}."),
            ),
            Self::OtherOrder { id, expected, found } => Text::new(
                format!("Position {id}: Platz {expected}, im Protokoll {found}."),
                format!("Item {id}: place {expected}, in the record {found}."),
            ),
        }
    }
}
