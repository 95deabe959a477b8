//! The parts of a known error that were found in items of the sample.

use sea_orm::entity::prelude::*;

use crate::{Cents, KnownErrorId, SampleItemId};

/// What of an item's error is known.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "known_error_part")]
pub struct Model {
    /// The known error.
    #[sea_orm(primary_key, auto_increment = false)]
    pub known_error_id: KnownErrorId,
    /// The checked item.
    #[sea_orm(primary_key, auto_increment = false)]
    pub sample_item_id: SampleItemId,
    /// That part of the item's error.
    pub amount_cents: Cents,
}

/// No typed relations: finders join where they need to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
