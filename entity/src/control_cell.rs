//! Cells of a control total: count and sum per fund, Bezirksstelle and month, or of all lines of a Bezirksstelle and month.

use sea_orm::entity::prelude::*;

use crate::{BezirksstelleId, Cents, ControlTotalId, Fund};

/// One cell.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "control_cell")]
pub struct Model {
    /// Its control total.
    #[sea_orm(primary_key, auto_increment = false)]
    pub control_total_id: ControlTotalId,
    /// Position.
    #[sea_orm(primary_key, auto_increment = false)]
    pub ordinal: i32,
    /// Fund; none in a cell of all lines.
    pub fund: Option<Fund>,
    /// Bezirksstelle.
    pub bezirksstelle_id: BezirksstelleId,
    /// First day of the month; none for items without a period.
    pub month: Option<Date>,
    /// Lines with a part in this fund, or all lines.
    pub item_count: i64,
    /// Sum of their parts, or of their amounts.
    pub sum_cents: Cents,
}

/// No typed relations: finders join where they need to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
