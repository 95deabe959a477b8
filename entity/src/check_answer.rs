//! Answers of a check to the attributes (Prüfmerkmale) of its programme.

use sea_orm::entity::prelude::*;

use crate::{CheckId, text_enum};

text_enum! {
    /// What an attribute is about.
    Dimension {
        /// Is the decision lawful (Rechtmäßigkeit)?
        Legality = "LEGALITY",
        /// Is the file in order (Ordnungsmäßigkeit)?
        Regularity = "REGULARITY",
        /// Is the amount calculated correctly?
        Calculation = "CALCULATION",
        /// Was it paid to the right person, in time, once?
        Payment = "PAYMENT",
        /// Who has to bear it, by reason and amount (§ 6b (4) S. 2 SGB II)?
        Funding = "FUNDING",
    }
}

text_enum! {
    /// The answer to an attribute.
    Answer {
        /// Met.
        Yes = "YES",
        /// Not met.
        No = "NO",
        /// Does not apply to this item.
        NotApplicable = "NOT_APPLICABLE",
        /// The file does not show it.
        NotEvidenced = "NOT_EVIDENCED",
    }
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "check_answer")]
pub struct Model {
    /// Its check.
    #[sea_orm(primary_key, auto_increment = false)]
    pub check_id: CheckId,
    /// Code of the attribute.
    #[sea_orm(primary_key, auto_increment = false)]
    pub attribute: String,
    /// What the attribute is about.
    pub dimension: Dimension,
    /// The answer.
    pub answer: Answer,
    /// Remark.
    pub remark: String,
}

/// No typed relations: finders join where they need to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
