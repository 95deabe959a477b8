//! The Jobcenter: a Kreis that carries SGB II.

use sea_orm::entity::prelude::*;

use crate::JobcenterId;

/// One Jobcenter; a database holds exactly one.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "jobcenter")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: JobcenterId,
    /// Name, for instance "Jobcenter Kreis Recklinghausen".
    pub name: String,
    /// The preset it was set up with: `recklinghausen`, `ennepe-ruhr`.
    pub preset: String,
    /// What one part is called here: "Bezirksstelle", "Regionalstelle".
    pub label: String,
    /// The plural of the label.
    pub label_plural: String,
}

/// No typed relations: finders join where they need to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
