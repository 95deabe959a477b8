//! Checks (Prüfblätter) of sample items. A correction is a new version by the same tester.

use sea_orm::QueryFilter;
use sea_orm::entity::prelude::*;

use crate::{Cents, CheckId, FundSplit, GrantId, SampleItemId, Scope, sample_item, text_enum};

text_enum! {
    /// What kind of error a check found.
    ErrorClass {
        /// None.
        None = "NONE",
        /// A breach of form without effect on money.
        Formal = "FORMAL",
        /// Too much was paid.
        Overpayment = "OVERPAYMENT",
        /// Too little was paid.
        Underpayment = "UNDERPAYMENT",
        /// The file does not show it; counts with the full amount (ISA 530, paragraph 11).
        NotEvidenced = "NOT_EVIDENCED",
        /// Right amount, wrong bearer (Bund, Kommune, Land, EU).
        WrongFund = "WRONG_FUND",
        /// Booked in the wrong budget year.
        WrongYear = "WRONG_YEAR",
        /// Signs of fraud.
        SuspectedFraud = "SUSPECTED_FRAUD",
    }
}

/// One version of one tester's check.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "item_check")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CheckId,
    /// The item.
    pub sample_item_id: SampleItemId,
    /// The item's: concerns a member of the own staff.
    pub own_staff: bool,
    /// Test programme with version.
    pub programme: String,
    /// Who checked.
    pub tester: String,
    /// Their name as the identity provider gave it.
    pub tester_name: Option<String>,
    /// Version of this tester's check, from 1; the highest counts.
    pub version: i32,
    /// Kind of error.
    pub error_class: ErrorClass,
    /// Booked on the Bund.
    pub booked_bund_cents: Cents,
    /// Booked on the Kommune.
    pub booked_kommune_cents: Cents,
    /// Booked on the Land.
    pub booked_land_cents: Cents,
    /// Booked on the EU.
    pub booked_eu_cents: Cents,
    /// Correct for the Bund.
    pub correct_bund_cents: Cents,
    /// Correct for the Kommune.
    pub correct_kommune_cents: Cents,
    /// Correct for the Land.
    pub correct_land_cents: Cents,
    /// Correct for the EU.
    pub correct_eu_cents: Cents,
    /// Remark.
    pub remark: String,
    /// When.
    pub at: DateTimeUtc,
    /// The commission under which somebody from outside checked; none for own staff.
    pub grant_id: Option<GrantId>,
}

impl Model {
    /// The booked amounts per fund.
    pub const fn booked(&self) -> FundSplit {
        FundSplit {
            bund: self.booked_bund_cents,
            kommune: self.booked_kommune_cents,
            land: self.booked_land_cents,
            eu: self.booked_eu_cents,
        }
    }

    /// The correct amounts per fund.
    pub const fn correct(&self) -> FundSplit {
        FundSplit {
            bund: self.correct_bund_cents,
            kommune: self.correct_kommune_cents,
            land: self.correct_land_cents,
            eu: self.correct_eu_cents,
        }
    }
}

/// No typed relations: finders join where they need to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Entity {
    /// Checks a caller may see: working papers stay with the audit function, a Bezirksstelle sees none; those of own
    /// staff's items stay with its named group. A grant reaches those of its items.
    pub fn visible_to(scope: &Scope) -> Select<Self> {
        Self::find().filter(sample_item::papers(scope, Column::OwnStaff, Column::SampleItemId))
    }
}
