//! Seats: who sits in a body, for whom, and since when.

use sea_orm::entity::prelude::*;
use sea_orm::{Condition, QueryFilter};

use crate::{BodyId, SeatId, paper};

/// Somebody's time in a seat of a body.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "seat")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SeatId,
    /// The body.
    pub body_id: BodyId,
    /// Which kind of seat, as the preset names it: `LANDRAT`.
    pub kind: String,
    /// Which of the seats of its kind, from 1.
    pub place: i32,
    /// The member, by the subject of the token.
    pub holder: String,
    /// Who votes where the member does not, by the subject of the token.
    pub deputy: Option<String>,
    /// Who named them.
    pub named_by: String,
    /// Since when.
    pub seated_from: DateTimeUtc,
    /// Until when; this moment no more.
    pub seated_until: Option<DateTimeUtc>,
    /// Who recorded it.
    pub recorded_by: String,
    /// When.
    pub recorded_at: DateTimeUtc,
    /// Who recorded the end.
    pub released_by: Option<String>,
    /// Why it ended.
    pub release_reason: Option<String>,
    /// Counts changes.
    pub version: i32,
}

/// No typed relations: finders join where they need to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Seats that are taken at this moment.
pub fn taken(now: DateTimeUtc) -> Condition {
    Condition::all().add(Column::SeatedFrom.lte(now)).add(
        Condition::any()
            .add(Column::SeatedUntil.is_null())
            .add(Column::SeatedUntil.gt(now)),
    )
}

/// Seats of somebody, as member or deputy.
pub fn of_person(subject: &str) -> Condition {
    Condition::any()
        .add(Column::Holder.eq(subject))
        .add(Column::Deputy.eq(subject))
}

impl Entity {
    /// Seats somebody sees, those of the past too: all, or none.
    pub fn visible_to(reader: &paper::Reader) -> Select<Self> {
        let select = Self::find();
        match reader {
            paper::Reader::Nobody => select.filter(crate::Scope::nothing()),
            _ => select,
        }
    }
}
