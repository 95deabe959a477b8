//! Deadlines (Fristen): until when something has to be done, and what it means when it was not.

use sea_orm::entity::prelude::*;
use sea_orm::{Condition, QueryFilter};

use crate::{BezirksstelleId, DeadlineId, EngagementId, Scope, text_enum};

text_enum! {
    /// What the length of a period is counted in.
    Unit {
        /// Days of the calendar.
        Day = "DAY",
        /// Days that are neither Saturday, Sunday, holiday nor free by the office's own rule.
        WorkingDay = "WORKING_DAY",
        /// Weeks.
        Week = "WEEK",
        /// Months.
        Month = "MONTH",
        /// Years.
        Year = "YEAR",
    }
}

text_enum! {
    /// What the end of a deadline means.
    Expiry {
        /// It is overdue: the addressee is reminded.
        Remind = "REMIND",
        /// The same, and after the reminders the next higher places are told.
        Escalate = "ESCALATE",
        /// Nobody objected in time: what was announced may be done. No approval.
        MayProceed = "MAY_PROCEED",
        /// The right is presumed to be barred, until a person confirms it with a reason.
        PresumedBarred = "PRESUMED_BARRED",
    }
}

text_enum! {
    /// The state of a deadline.
    State {
        /// Waits for a complete notice: an incomplete one does not start it.
        NotStarted = "NOT_STARTED",
        /// Runs.
        Running = "RUNNING",
        /// Stopped by an objection in time.
        Stopped = "STOPPED",
        /// What it was set for was done; final.
        Met = "MET",
        /// Its end passed.
        Expired = "EXPIRED",
        /// A person confirmed that the right is barred; final.
        Confirmed = "CONFIRMED",
        /// Cancelled; final.
        Cancelled = "CANCELLED",
    }
}

text_enum! {
    /// What becomes of an end on a Saturday, Sunday or holiday.
    FreeDays {
        /// It moves to the next day that is none.
        Move = "MOVE",
        /// It stays: the authority named the day, with a reference to the rule (§ 26 (3) sentence 2 SGB X).
        NamedDay = "NAMED_DAY",
        /// It stays: it is a Termin (§ 26 (5) SGB X).
        Termin = "TERMIN",
    }
}

text_enum! {
    /// What the period begins with.
    Start {
        /// An event, whose day is not counted (§ 187 (1) BGB).
        Event = "EVENT",
        /// The beginning of a day, which is counted (§ 187 (2) BGB).
        DayBegins = "DAY_BEGINS",
        /// Notification of a period that an authority sets (§ 26 (2) SGB X). Only such a period can be extended.
        Notification = "NOTIFICATION",
    }
}

/// One deadline. Its end changes by extension alone; each end it had is a row of [`crate::deadline_date`].
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "deadline")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: DeadlineId,
    /// Its engagement.
    pub engagement_id: EngagementId,
    /// The Bezirksstelle it is set for; none where it binds the audit function itself.
    pub bezirksstelle_id: Option<BezirksstelleId>,
    /// Serial among the deadlines of the engagement for this Bezirksstelle, so that it tells of no others.
    pub serial: i32,
    /// The number people see: `P-2026-014/09/T-03`.
    pub number: String,
    /// Kind of the thing it is about, as in the trail.
    pub subject_kind: Option<String>,
    /// Id of the thing it is about.
    pub subject_id: Option<Uuid>,
    /// What has to be done.
    pub title: String,
    /// The norm or agreement it stands on.
    pub legal_basis: String,
    /// What its end means.
    pub expiry: Expiry,
    /// What the period begins with.
    pub start: Start,
    /// How many units long; none where the last day was named.
    pub length_count: Option<i32>,
    /// What the length is counted in.
    pub length_unit: Option<Unit>,
    /// What becomes of an end on a free day.
    pub free_days: FreeDays,
    /// The day of the event, of the notification, or the first day; none until a complete notice starts it.
    pub trigger_on: Option<Date>,
    /// The last day; none until it runs.
    pub ends_on: Option<Date>,
    /// The midnight at its end.
    pub ends_at: Option<DateTimeUtc>,
    /// The state.
    pub state: State,
    /// Rungs of the ladder behind the end that were reached.
    pub rung: i32,
    /// Who set it.
    pub set_by: String,
    /// When.
    pub set_at: DateTimeUtc,
    /// Who acknowledged the notice as complete.
    pub acknowledged_by: Option<String>,
    /// When.
    pub acknowledged_at: Option<DateTimeUtc>,
    /// Who objected, or said that it was met, given up or barred.
    pub settled_by: Option<String>,
    /// When.
    pub settled_at: Option<DateTimeUtc>,
    /// Why.
    pub settled_reason: Option<String>,
    /// Counts changes.
    pub version: i32,
}

/// No typed relations: finders join where they need to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Entity {
    /// Deadlines a caller may see: the audit function all, a Bezirksstelle those set for it, a grant of whole engagements theirs.
    pub fn visible_to(scope: &Scope) -> Select<Self> {
        Self::find().filter(match scope {
            Scope::Bezirksstelle { id, .. } => Condition::all().add(Column::BezirksstelleId.eq(*id)),
            scope => scope
                .papers(|coverage| Condition::all().add(Column::EngagementId.is_in(coverage.engagements()))),
        })
    }
}
