//! Bodies that decide on papers: Vorstand, Steuerungsgruppe, Leitungsgruppe, Beirat, Kooperationsausschuss.

use sea_orm::QueryFilter;
use sea_orm::entity::prelude::*;

use crate::{BodyId, paper, text_enum};

text_enum! {
    /// What happens where a body is not of one mind.
    OnDissent {
        /// The chair decides.
        ChairDecides = "CHAIR_DECIDES",
        /// The head of the Jobcenter decides, and another body is told.
        LeitungDecides = "LEITUNG_DECIDES",
        /// The Kreis decides, except in what is reserved.
        KreisDecides = "KREIS_DECIDES",
        /// Nobody decides: the body gives advice.
        AdviceOnly = "ADVICE_ONLY",
        /// The majority decides in a body of two equal benches; a tie is no decision.
        Parity = "PARITY",
    }
}

text_enum! {
    /// What an abstention is.
    Abstention {
        /// Neither assent nor dissent.
        Neither = "NEITHER",
        /// A lack of unanimity.
        Dissent = "DISSENT",
    }
}

text_enum! {
    /// How many seats have to take part, abstentions included. In a body of two benches it holds for each of them.
    Quorum {
        /// One.
        One = "ONE",
        /// More than half of them, vacant ones counted.
        MoreThanHalf = "MORE_THAN_HALF",
        /// All that are filled, and none may be vacant.
        All = "ALL",
    }
}

/// One body.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "body")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: BodyId,
    /// Name in the preset: `VORSTAND`.
    pub key: String,
    /// What it is called.
    pub name: String,
    /// How it decides, as JSON.
    pub rules: String,
    /// Counts changes of its rules.
    pub version: i32,
}

/// No typed relations: finders join where they need to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Entity {
    /// Bodies somebody sees: all, or none. Who sits in them is known to whoever deals with papers.
    pub fn visible_to(reader: &paper::Reader) -> Select<Self> {
        let select = Self::find();
        match reader {
            paper::Reader::Nobody => select.filter(crate::Scope::nothing()),
            _ => select,
        }
    }
}
