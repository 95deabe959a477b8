//! Control totals: counts and sums from a source independent of the extract.

use sea_orm::entity::prelude::*;

use crate::{ControlTotalId, PopulationId, text_enum};

text_enum! {
    /// Where a control total comes from.
    Source {
        /// Statement of the Bund's budget system (HKR-Verfahren).
        HkrStatement = "HKR_STATEMENT",
        /// Booking journal of the Kreis.
        BookingJournal = "BOOKING_JOURNAL",
        /// Protocol of the payment run.
        PaymentRun = "PAYMENT_RUN",
        /// Register of decisions, for populations without payments.
        DecisionRegister = "DECISION_REGISTER",
    }
}

/// One control total; the newest not superseded one counts.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "control_total")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ControlTotalId,
    /// The population it reconciles.
    pub population_id: PopulationId,
    /// Kind of source.
    pub source: Source,
    /// Which document: number and date.
    pub document_reference: String,
    /// Who entered it; never who imported the extract.
    pub entered_by: String,
    /// When it was entered.
    pub entered_at: DateTimeUtc,
    /// The population's version it was compared with: an extract imported later is not covered.
    pub population_version: i32,
    /// When a later control total took its place.
    pub superseded_at: Option<DateTimeUtc>,
}

/// No typed relations: finders join where they need to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
