//! Bezirksstellen: the parts of the Jobcenter that do the casework, and its Fachbereich.

use sea_orm::entity::prelude::*;

use crate::{BezirksstelleId, JobcenterId, text_enum};

text_enum! {
    /// What a part of the Jobcenter is.
    Kind {
        /// A local office in a Stadt.
        Bezirksstelle = "BEZIRKSSTELLE",
        /// The central department at the Kreis.
        Fachbereich = "FACHBEREICH",
    }
}

/// One part of the Jobcenter. Names and numbers are public knowledge: visible to every caller with a token.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "bezirksstelle")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: BezirksstelleId,
    /// The Jobcenter it is part of.
    pub jobcenter_id: JobcenterId,
    /// Its number in extracts: "01".
    pub number: String,
    /// Its name, usually the Stadt's.
    pub name: String,
    /// Local office or Fachbereich.
    pub kind: Kind,
}

/// No typed relations: finders join where they need to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
