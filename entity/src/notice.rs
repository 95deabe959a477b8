//! Notices: what the service tells a person or a place about a deadline. No social data: number, day and what happened.

use sea_orm::entity::prelude::*;
use sea_orm::{Condition, QueryFilter};

use crate::{BezirksstelleId, DeadlineId, EngagementId, NoticeId, text_enum};

text_enum! {
    /// What a notice tells.
    Kind {
        /// A deadline was set.
        Set = "SET",
        /// A complete notice started it.
        Started = "STARTED",
        /// It got a later end.
        Extended = "EXTENDED",
        /// An objection stopped it.
        Stopped = "STOPPED",
        /// It was cancelled.
        Cancelled = "CANCELLED",
        /// It is overdue.
        Overdue = "OVERDUE",
        /// It is still overdue.
        Reminder = "REMINDER",
        /// It is overdue in spite of reminders.
        Escalation = "ESCALATION",
        /// Nobody objected in time: what was announced may be done. No approval.
        MayProceed = "MAY_PROCEED",
        /// The right is presumed to be barred; a person has to confirm it.
        PresumedBarred = "PRESUMED_BARRED",
    }
}

/// One notice. Never changed; who has read it is in [`crate::notice_read`].
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "notice")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: NoticeId,
    /// The engagement of its deadline.
    pub engagement_id: EngagementId,
    /// The deadline.
    pub deadline_id: DeadlineId,
    /// The deadline's number.
    pub number: String,
    /// What it tells.
    pub kind: Kind,
    /// The deadline's last day at that time.
    pub ends_on: Option<Date>,
    /// The person it is for.
    pub to_subject: Option<String>,
    /// Or the role it is for.
    pub to_role: Option<String>,
    /// The Bezirksstelle of a local role.
    pub bezirksstelle_id: Option<BezirksstelleId>,
    /// When.
    pub at: DateTimeUtc,
}

/// No typed relations: finders join where they need to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Whose inbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inbox {
    /// The person, where notices for a person are told under this membership.
    pub subject: Option<String>,
    /// The role.
    pub role: String,
    /// The Bezirksstelle of a local role.
    pub bezirksstelle: Option<BezirksstelleId>,
}

impl Entity {
    /// Notices in an inbox; none where there is no inbox.
    pub fn visible_to(inbox: Option<&Inbox>) -> Select<Self> {
        Self::find().filter(match inbox {
            None => crate::Scope::nothing(),
            Some(inbox) => {
                Condition::any()
                    .add_option(
                        inbox
                            .subject
                            .as_deref()
                            .map(|subject| Column::ToSubject.eq(subject)),
                    )
                    .add(Condition::all().add(Column::ToRole.eq(&inbox.role)).add(
                        match inbox.bezirksstelle {
                            Some(id) => Column::BezirksstelleId.eq(id),
                            None => Column::BezirksstelleId.is_null(),
                        },
                    ))
            }
        })
    }
}
