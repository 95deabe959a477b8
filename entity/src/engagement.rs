//! Engagements (Prüfungen).

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Query;
use sea_orm::{Condition, QueryFilter};

use crate::{EngagementId, Scope, sample_item, text_enum};

text_enum! {
    /// For whom an engagement is done.
    Function {
        /// The internal audit of the Kreis (Innenrevision, § 6b (4), model § 49 SGB II).
        Innenrevision = "INNENREVISION",
        /// Supervision of the casework by superiors (Fachaufsicht).
        Fachaufsicht = "FACHAUFSICHT",
        /// Control of payments and books (Finanzkontrolle).
        Finanzkontrolle = "FINANZKONTROLLE",
        /// Municipal audit office (örtliche Rechnungsprüfung).
        Rechnungspruefung = "RECHNUNGSPRUEFUNG",
    }
}

text_enum! {
    /// The state of an engagement.
    State {
        /// Work goes on.
        Open = "OPEN",
        /// Nothing changes any more.
        Closed = "CLOSED",
    }
}

/// One engagement.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "engagement")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: EngagementId,
    /// Year of the number.
    pub year: i32,
    /// Serial within the year.
    pub serial: i32,
    /// The number people see: `P-2026-014`.
    pub number: String,
    /// Title.
    pub title: String,
    /// For whom it is done.
    #[sea_orm(column_name = "audit_function")]
    pub function: Function,
    /// What is to be found out.
    pub objective: String,
    /// The norm it stands on.
    pub legal_basis: String,
    /// First day of the audited period.
    pub period_from: Date,
    /// Last day of the audited period.
    pub period_to: Date,
    /// Open or closed.
    pub state: State,
    /// The engagement's pseudonym key, sealed with the service's key.
    #[sea_orm(column_type = "Blob")]
    pub sealed_key: Vec<u8>,
    /// Who opened it.
    pub opened_by: String,
    /// When it was opened.
    pub opened_at: DateTimeUtc,
    /// Who closed it.
    pub closed_by: Option<String>,
    /// When it was closed.
    pub closed_at: Option<DateTimeUtc>,
    /// What was said at closing.
    pub closing_note: Option<String>,
    /// Counts changes; an update names the version it saw.
    pub version: i32,
    /// Why no Bezirksstelle is told who read its items in it; nothing where it is told.
    pub restriction: Option<String>,
}

/// No typed relations: finders join where they need to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Entity {
    /// Engagements a caller may see. A Bezirksstelle sees those in which one of its own items is visible to it.
    pub fn visible_to(scope: &Scope) -> Select<Self> {
        Self::find().filter(condition(scope))
    }
}

fn condition(scope: &Scope) -> Condition {
    match scope {
        Scope::Everything | Scope::WithoutOwnStaff => Condition::all(),
        Scope::Bezirksstelle { .. } => Condition::all().add(
            Column::Id.in_subquery(
                Query::select()
                    .column(sample_item::Column::EngagementId)
                    .from(sample_item::Entity)
                    .cond_where(sample_item::condition(scope))
                    .to_owned(),
            ),
        ),
        Scope::Grant { coverage, .. } => Condition::all().add(Column::Id.is_in(coverage.engagements())),
        Scope::Nothing => Scope::nothing(),
    }
}
