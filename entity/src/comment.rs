//! Comments of people from outside, on an engagement or one of its sample items. Never changed.

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Query;
use sea_orm::{Condition, QueryFilter};

use crate::{CommentId, EngagementId, GrantId, SampleItemId, Scope, sample_item};

/// One comment.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "comment")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CommentId,
    /// Its engagement.
    pub engagement_id: EngagementId,
    /// The item it is about; none where it is about the engagement.
    pub sample_item_id: Option<SampleItemId>,
    /// The grant under which it was made.
    pub grant_id: GrantId,
    /// Who made it.
    pub author: String,
    /// Their name as the grant has it.
    pub author_name: String,
    /// What they say.
    pub text: String,
    /// When.
    pub at: DateTimeUtc,
}

/// No typed relations: finders join where they need to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Entity {
    /// Comments a caller may see: the audit function all but those on own staff's items, whoever comes under a grant those made under it. What another body
    /// notes is not theirs to know (§ 96 (4) BHO).
    pub fn visible_to(scope: &Scope) -> Select<Self> {
        Self::find().filter(match scope {
            Scope::Everything => Condition::all(),
            Scope::WithoutOwnStaff => Condition::any().add(Column::SampleItemId.is_null()).add(
                Column::SampleItemId.in_subquery(
                    Query::select()
                        .column(sample_item::Column::Id)
                        .from(sample_item::Entity)
                        .cond_where(sample_item::condition(scope))
                        .to_owned(),
                ),
            ),
            Scope::Grant { id, .. } => Condition::all().add(Column::GrantId.eq(*id)),
            Scope::Bezirksstelle { .. } | Scope::Nothing => Scope::nothing(),
        })
    }
}
