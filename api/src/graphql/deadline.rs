//! Deadlines: set, run, extended and settled; the notices about them; and the pure calculators of periods and legal clocks.

use async_graphql::{Context, Description, Enum, ID, InputObject, Object, Result, SimpleObject};
use audit::access::Action as May;
use audit::deadline as service;
use audit::deadline::rules::{self, Event};
use audit::deadline::{calendar, clock, period};
use entity::deadline::{Expiry, FreeDays, Start, State, Unit};
use entity::{BezirksstelleId, DeadlineId, EngagementId, NoticeId, deadline_date, notice};

use super::ContextExt;
use super::disclosure::{Class, disclosure};
use super::engagement::Engagement;
use super::error::{Maybe, bad_input, field, payload};
use super::jobcenter::Bezirksstelle;
use super::node::NodeKind;
use super::page::{Window, by_id, connection, counted};
use super::permissions::{Action, permitted_in};
use super::scalars::{Date, DateTime, Euro};

const ORDER: &str = "deadlines";
const NOTICES: &str = "notices";

/// What the end of a deadline means.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "Expiry")]
pub(super) enum DeadlineExpiry {
    /// It is overdue: the addressee is reminded.
    Remind,
    /// The same, and after the reminders the next higher places are told.
    Escalate,
    /// Nobody objected in time: what was announced may be done. No approval.
    MayProceed,
    /// The right is presumed to be barred, until a person confirms it with a reason.
    PresumedBarred,
}

/// The state of a deadline.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "State")]
pub(super) enum DeadlineState {
    /// Waits for a complete notice: an incomplete one does not start it.
    NotStarted,
    /// Runs.
    Running,
    /// Stopped by an objection in time.
    Stopped,
    /// What it was set for was done; final.
    Met,
    /// Its end passed.
    Expired,
    /// A person confirmed that the right is barred; final.
    Confirmed,
    /// Cancelled; final.
    Cancelled,
}

/// What the length of a period is counted in.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "Unit")]
pub(super) enum PeriodUnit {
    /// Days of the calendar.
    Day,
    /// Days that are neither Saturday, Sunday, holiday nor free by the office's own rule.
    WorkingDay,
    /// Weeks.
    Week,
    /// Months.
    Month,
    /// Years.
    Year,
}

/// What becomes of an end on a Saturday, Sunday or holiday.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "FreeDays")]
pub(super) enum DeadlineFreeDays {
    /// It moves to the next day that is none (§ 193 BGB, § 26 (3) sentence 1 SGB X).
    Move,
    /// It stays: the authority named the day, with a reference to the rule (§ 26 (3) sentence 2 SGB X).
    NamedDay,
    /// It stays: it is a Termin (§ 26 (5) SGB X).
    Termin,
}

/// What the period begins with.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "Start")]
pub(super) enum DeadlineStart {
    /// An event, whose day is not counted (§ 187 (1) BGB).
    Event,
    /// The beginning of a day, which is counted (§ 187 (2) BGB).
    DayBegins,
    /// Notification of a period that an authority sets (§ 26 (2) SGB X). Only such a period can be extended.
    Notification,
}

/// How an end of a deadline came about.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "deadline_date::Kind")]
pub(super) enum DeadlineDateKind {
    /// It was set, or started by a complete notice.
    Set,
    /// It was extended before it had passed.
    Extended,
    /// It was extended after it had passed (§ 26 (7) SGB X).
    Retroactive,
}

/// The length of a period.
#[derive(SimpleObject)]
#[graphql(directive = disclosure::apply(Class::Internal))]
pub(super) struct PeriodLength {
    /// How many.
    count: i32,
    /// Of what.
    unit: PeriodUnit,
}

/// The length of a period.
#[derive(Clone, Copy, InputObject)]
pub(super) struct PeriodLengthInput {
    /// How many, 1 to 10,000.
    #[graphql(directive = disclosure::apply(Class::Internal))]
    count: i32,
    /// Of what.
    #[graphql(directive = disclosure::apply(Class::Internal))]
    unit: PeriodUnit,
}

impl PeriodLengthInput {
    /// What is below one is refused by the rule, as zero is.
    fn parts(self) -> (u32, Unit) {
        (u32::try_from(self.count).unwrap_or(0), self.unit.into())
    }
}

/// One end that a deadline had or has.
#[derive(Description)]
pub(super) struct DeadlineDate(deadline_date::Model);

#[Object(use_type_description, directive = disclosure::apply(Class::Internal))]
impl DeadlineDate {
    /// How it came about.
    async fn kind(&self) -> DeadlineDateKind {
        self.0.kind.into()
    }

    /// The last day.
    async fn ends_on(&self) -> Date {
        self.0.ends_on.into()
    }

    /// Its midnight in Europe/Berlin.
    async fn ends_at(&self) -> DateTime {
        self.0.ends_at.into()
    }

    /// How it was found, line by line, with the norms.
    async fn derivation(&self, ctx: &Context<'_>) -> Vec<String> {
        let language = match ctx.language() {
            audit::Language::De => "de",
            audit::Language::En => "en",
        };
        let lines: serde_json::Value = serde_json::from_str(&self.0.derivation).unwrap_or_default();
        serde_json::from_value(lines[language].clone()).unwrap_or_default()
    }

    /// Why it was extended.
    async fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }

    /// By whom.
    async fn made_by(&self) -> &str {
        &self.0.made_by
    }

    /// When.
    async fn made_at(&self) -> DateTime {
        self.0.made_at.into()
    }
}

/// A deadline (Frist). Its end changes by extension alone, and each end it had stays on record.
#[derive(Clone, Description)]
pub(super) struct Deadline(service::Deadline);

impl From<service::Deadline> for Deadline {
    fn from(deadline: service::Deadline) -> Self {
        Self(deadline)
    }
}

#[Object(use_type_description, directive = disclosure::apply(Class::Internal))]
impl Deadline {
    /// Opaque id.
    pub(super) async fn id(&self) -> ID {
        NodeKind::Deadline.id(self.0.row.id.0)
    }

    /// Number: `P-2026-014/09/T-03` is the third one for Bezirksstelle 09 in the engagement `P-2026-014`.
    async fn number(&self) -> &str {
        &self.0.row.number
    }

    /// Its engagement; null where the caller sees nothing else of it.
    async fn engagement(&self, ctx: &Context<'_>) -> Maybe<Engagement> {
        if !ctx.caller().may(May::EngagementRead) {
            return None;
        }
        ctx.loaders()
            .one(ctx, self.0.row.engagement_id)
            .await
            .map(|row| row.map(Engagement))
            .transpose()
    }

    /// The Bezirksstelle it is set for; null where it binds the audit function itself.
    async fn bezirksstelle(&self, ctx: &Context<'_>) -> Option<Bezirksstelle> {
        ctx.info().bezirksstelle(self.0.row.bezirksstelle_id?)
    }

    /// What has to be done.
    async fn title(&self) -> &str {
        &self.0.row.title
    }

    /// The norm or agreement it stands on.
    async fn legal_basis(&self) -> &str {
        &self.0.row.legal_basis
    }

    /// What its end means.
    async fn expiry(&self) -> DeadlineExpiry {
        self.0.row.expiry.into()
    }

    /// What the period begins with.
    async fn start(&self) -> DeadlineStart {
        self.0.row.start.into()
    }

    /// How long it is; null where the last day was named.
    async fn length(&self) -> Option<PeriodLength> {
        Some(PeriodLength {
            count: self.0.row.length_count?,
            unit: self.0.row.length_unit?.into(),
        })
    }

    /// What becomes of an end on a free day.
    async fn free_days(&self) -> DeadlineFreeDays {
        self.0.row.free_days.into()
    }

    /// The day the period began with; null until a complete notice starts it.
    async fn trigger_on(&self) -> Option<Date> {
        self.0.row.trigger_on.map(Into::into)
    }

    /// The last day; null until it runs.
    async fn ends_on(&self) -> Option<Date> {
        self.0.row.ends_on.map(Into::into)
    }

    /// The midnight at its end in Europe/Berlin.
    async fn ends_at(&self) -> Option<DateTime> {
        self.0.row.ends_at.map(Into::into)
    }

    /// Every end it had, oldest first.
    async fn dates(&self) -> Vec<DeadlineDate> {
        self.0.dates.iter().cloned().map(DeadlineDate).collect()
    }

    /// The state.
    async fn state(&self) -> DeadlineState {
        self.0.row.state.into()
    }

    /// Who set it.
    async fn set_by(&self) -> &str {
        &self.0.row.set_by
    }

    /// When.
    async fn set_at(&self) -> DateTime {
        self.0.row.set_at.into()
    }

    /// Who acknowledged the notice that started it as complete.
    async fn acknowledged_by(&self) -> Option<&str> {
        self.0.row.acknowledged_by.as_deref()
    }

    /// When.
    async fn acknowledged_at(&self) -> Option<DateTime> {
        self.0.row.acknowledged_at.map(Into::into)
    }

    /// Who objected, or said that it was met, given up or barred.
    async fn settled_by(&self) -> Option<&str> {
        self.0.row.settled_by.as_deref()
    }

    /// When.
    async fn settled_at(&self) -> Option<DateTime> {
        self.0.row.settled_at.map(Into::into)
    }

    /// Why, or how.
    async fn settled_reason(&self) -> Option<&str> {
        self.0.row.settled_reason.as_deref()
    }

    /// Counts changes; an update names the version it saw.
    async fn version(&self) -> i32 {
        self.0.row.version
    }

    /// What the caller may do with it now.
    async fn permissions(&self, ctx: &Context<'_>) -> Result<Vec<Action>> {
        let row = &self.0.row;
        let own = row.set_by == ctx.caller().subject;
        let authority = row.start == Start::Notification;
        let candidates = [
            (Event::AcknowledgeComplete, May::DeadlineAcknowledge, true),
            (Event::Object, May::DeadlineObject, true),
            (Event::Meet, May::DeadlineMeet, true),
            (Event::Extend, May::DeadlineExtend, authority),
            (Event::ExtendRetroactively, May::DeadlineExtend, authority),
            (Event::Cancel, May::DeadlineCancel, true),
            (Event::Confirm, May::DeadlineConfirm, !own),
        ];
        let now = candidates
            .iter()
            .filter(|(event, _, fits)| *fits && rules::next(row.state, *event, row.expiry).is_some());
        let now: Vec<_> = std::iter::once(May::DeadlineRead)
            .chain(now.map(|(_, action, _)| *action))
            .collect();
        permitted_in(ctx, row.engagement_id, &now).await
    }
}

connection!(DeadlineConnection, DeadlineEdge, Deadline, Internal, total_count);

/// What a notice tells.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "notice::Kind")]
pub(super) enum NoticeKind {
    /// A deadline was set.
    Set,
    /// A complete notice started it.
    Started,
    /// It got a later end.
    Extended,
    /// An objection stopped it.
    Stopped,
    /// It was cancelled.
    Cancelled,
    /// It is overdue.
    Overdue,
    /// It is still overdue.
    Reminder,
    /// It is overdue in spite of reminders.
    Escalation,
    /// Nobody objected in time: what was announced may be done. No approval.
    MayProceed,
    /// The right is presumed to be barred; a person has to confirm it.
    PresumedBarred,
}

/// A notice about a deadline in the caller's inbox. It names the deadline by its number and never says what it is about.
#[derive(Description)]
pub(super) struct Notice(service::Told);

impl From<service::Told> for Notice {
    fn from(told: service::Told) -> Self {
        Self(told)
    }
}

#[Object(use_type_description, directive = disclosure::apply(Class::Internal))]
impl Notice {
    /// Opaque id.
    async fn id(&self) -> ID {
        NodeKind::Notice.id(self.0.row.id.0)
    }

    /// What it tells.
    async fn kind(&self) -> NoticeKind {
        self.0.row.kind.into()
    }

    /// Id of the deadline; `node` has it for whoever may see it.
    async fn deadline_id(&self) -> ID {
        NodeKind::Deadline.id(self.0.row.deadline_id.0)
    }

    /// Number of the deadline.
    async fn number(&self) -> &str {
        &self.0.row.number
    }

    /// The deadline's last day at that time; null where it had none yet.
    async fn ends_on(&self) -> Option<Date> {
        self.0.row.ends_on.map(Into::into)
    }

    /// When it was written.
    async fn at(&self) -> DateTime {
        self.0.row.at.into()
    }

    /// When the caller marked it as read; null where it is new.
    async fn read_at(&self) -> Option<DateTime> {
        self.0.read_at.map(Into::into)
    }
}

connection!(NoticeConnection, NoticeEdge, Notice, Internal, total_count);

/// Which deadlines. All conditions must hold.
#[derive(Default, InputObject)]
pub(super) struct DeadlineFilter {
    /// Of this engagement.
    #[graphql(directive = disclosure::apply(Class::Internal))]
    engagement: Option<ID>,
    /// Set for this Bezirksstelle.
    #[graphql(directive = disclosure::apply(Class::Internal))]
    bezirksstelle: Option<ID>,
    /// In one of these states.
    #[graphql(directive = disclosure::apply(Class::Internal))]
    states: Option<Vec<DeadlineState>>,
    /// Ending on this day or before.
    #[graphql(directive = disclosure::apply(Class::Internal))]
    ends_until: Option<Date>,
}

impl DeadlineFilter {
    fn parse(self) -> Result<service::DeadlineFilter> {
        let id = |id: Option<ID>, kind: NodeKind, path| id.map(|id| kind.require(&id, path)).transpose();
        Ok(service::DeadlineFilter {
            engagement: id(self.engagement, NodeKind::Engagement, "filter.engagement")?.map(EngagementId),
            bezirksstelle: id(
                self.bezirksstelle,
                NodeKind::Bezirksstelle,
                "filter.bezirksstelle",
            )?
            .map(BezirksstelleId),
            states: self
                .states
                .map(|states| states.into_iter().map(Into::into).collect()),
            ends_until: self.ends_until.map(|day| day.0),
        })
    }
}

/// What a calculated period begins with.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
pub(super) enum PeriodStart {
    /// An event, whose day is not counted (§ 187 (1) BGB).
    Event,
    /// The beginning of a day, which is counted (§ 187 (2) BGB).
    DayBegins,
    /// Notification of a period that an authority sets (§ 26 (2) SGB X).
    Notification,
    /// The end of the period that is extended (§ 190 BGB).
    OldEnd,
}

/// A Land, by the code of ISO 3166-2.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "calendar::Land")]
pub(super) enum Land {
    /// Brandenburg.
    #[graphql(name = "BB")]
    Brandenburg,
    /// Berlin.
    #[graphql(name = "BE")]
    Berlin,
    /// Baden-Württemberg.
    #[graphql(name = "BW")]
    BadenWuerttemberg,
    /// Bayern.
    #[graphql(name = "BY")]
    Bayern,
    /// Bremen.
    #[graphql(name = "HB")]
    Bremen,
    /// Hessen.
    #[graphql(name = "HE")]
    Hessen,
    /// Hamburg.
    #[graphql(name = "HH")]
    Hamburg,
    /// Mecklenburg-Vorpommern.
    #[graphql(name = "MV")]
    MecklenburgVorpommern,
    /// Niedersachsen.
    #[graphql(name = "NI")]
    Niedersachsen,
    /// Nordrhein-Westfalen.
    #[graphql(name = "NW")]
    NordrheinWestfalen,
    /// Rheinland-Pfalz.
    #[graphql(name = "RP")]
    RheinlandPfalz,
    /// Schleswig-Holstein.
    #[graphql(name = "SH")]
    SchleswigHolstein,
    /// Saarland.
    #[graphql(name = "SL")]
    Saarland,
    /// Sachsen.
    #[graphql(name = "SN")]
    Sachsen,
    /// Sachsen-Anhalt.
    #[graphql(name = "ST")]
    SachsenAnhalt,
    /// Thüringen.
    #[graphql(name = "TH")]
    Thueringen,
}

/// A period whose end is asked for.
#[derive(InputObject)]
pub(super) struct DeadlineEndInput {
    /// What it begins with.
    #[graphql(directive = disclosure::apply(Class::Internal))]
    start: PeriodStart,
    /// On which day.
    #[graphql(directive = disclosure::apply(Class::Internal))]
    on: Date,
    /// How long it is.
    #[graphql(directive = disclosure::apply(Class::Internal))]
    length: PeriodLengthInput,
    /// What becomes of an end on a free day.
    #[graphql(default_with = "DeadlineFreeDays::Move", directive = disclosure::apply(Class::Internal))]
    free_days: DeadlineFreeDays,
    /// By the holidays of this Land; where none is given, by the calendar of this Jobcenter with its own free days.
    #[graphql(directive = disclosure::apply(Class::Internal))]
    land: Option<Land>,
}

/// What a step of a derivation says.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "period::StepKind")]
pub(super) enum PeriodStepKind {
    /// What the period begins with happened on this day.
    Trigger,
    /// The first day that counts.
    Begins,
    /// The last day by counting.
    Ends,
    /// The month lacks the day: its last one stands for it.
    LastOfMonth,
    /// The end moved away from this day.
    Moved,
    /// The end stays on this free day.
    Stays,
    /// The last day in the end; the period is over at its midnight.
    Over,
}

/// A step of a derivation.
#[derive(SimpleObject)]
#[graphql(directive = disclosure::apply(Class::Internal))]
pub(super) struct PeriodStep {
    /// What it says.
    kind: PeriodStepKind,
    /// Of which day.
    on: Date,
    /// By which norm; null where no law counts so.
    norm: Option<&'static str>,
    /// Why it moved, or would have: the holiday or day of the week.
    because: Option<&'static str>,
    /// The same in words.
    text: String,
}

/// The end of a period.
#[derive(SimpleObject)]
#[graphql(directive = disclosure::apply(Class::Internal))]
pub(super) struct DeadlineEnd {
    /// The last day.
    ends_on: Date,
    /// Its midnight in Europe/Berlin.
    ends_at: DateTime,
    /// How it was found.
    derivation: Vec<PeriodStep>,
}

/// What is known of a case. Each day starts its clocks.
#[derive(Default, InputObject)]
pub(super) struct LegalClocksInput {
    /// The end of the provisionally granted period (Bewilligungszeitraum).
    #[graphql(directive = disclosure::apply(Class::Internal))]
    provisional_period_ended_on: Option<Date>,
    /// Notification of the provisional decision.
    #[graphql(directive = disclosure::apply(Class::Internal))]
    provisional_decision_notified_on: Option<Date>,
    /// Notification of the act (Bekanntgabe).
    #[graphql(directive = disclosure::apply(Class::Internal))]
    act_notified_on: Option<Date>,
    /// Withdrawal of the act.
    #[graphql(directive = disclosure::apply(Class::Internal))]
    act_withdrawn_on: Option<Date>,
    /// The auditor told the office.
    #[graphql(directive = disclosure::apply(Class::Internal))]
    auditor_told_office_on: Option<Date>,
    /// The office in charge knew all facts.
    #[graphql(directive = disclosure::apply(Class::Internal))]
    office_knew_all_facts_on: Option<Date>,
    /// The hearing (§ 24 SGB X) ended.
    #[graphql(directive = disclosure::apply(Class::Internal))]
    hearing_ended_on: Option<Date>,
    /// The change of circumstances.
    #[graphql(directive = disclosure::apply(Class::Internal))]
    circumstances_changed_on: Option<Date>,
    /// The recovery decision can no longer be contested.
    #[graphql(directive = disclosure::apply(Class::Internal))]
    recovery_final_on: Option<Date>,
    /// The last day for which the benefit was paid.
    #[graphql(directive = disclosure::apply(Class::Internal))]
    last_benefit_day: Option<Date>,
    /// Knowledge of the other carrier's decision on its own duty.
    #[graphql(directive = disclosure::apply(Class::Internal))]
    other_carrier_decision_known_on: Option<Date>,
    /// All that would have to be paid back, of all members of the Bedarfsgemeinschaft.
    #[graphql(directive = disclosure::apply(Class::Internal))]
    amount: Option<Euro>,
}

impl LegalClocksInput {
    fn facts(&self) -> clock::Facts {
        use clock::{Knowledge, Trigger};
        let day = |day: Option<Date>| day.map(|day| day.0);
        clock::Facts::default()
            .with(
                Trigger::ProvisionalPeriodEnded,
                day(self.provisional_period_ended_on),
            )
            .with(
                Trigger::ProvisionalDecisionNotified,
                day(self.provisional_decision_notified_on),
            )
            .with(Trigger::ActNotified, day(self.act_notified_on))
            .with(Trigger::ActWithdrawn, day(self.act_withdrawn_on))
            .with(Trigger::CircumstancesChanged, day(self.circumstances_changed_on))
            .with(Trigger::RecoveryFinal, day(self.recovery_final_on))
            .with(Trigger::LastBenefitDay, day(self.last_benefit_day))
            .with(
                Trigger::OtherCarrierDecisionKnown,
                day(self.other_carrier_decision_known_on),
            )
            .with_knowledge(Knowledge::AuditorToldOffice, day(self.auditor_told_office_on))
            .with_knowledge(Knowledge::OfficeKnewAllFacts, day(self.office_knew_all_facts_on))
            .with_knowledge(Knowledge::Hearing, day(self.hearing_ended_on))
    }
}

/// Whose knowledge starts a clock. Which of them counts is disputed in single cases: each is shown.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "clock::Knowledge")]
pub(super) enum ClockKnowledge {
    /// The auditor told the office.
    AuditorToldOffice,
    /// The office in charge knew all facts.
    OfficeKnewAllFacts,
    /// The hearing (§ 24 SGB X) ended: only then the facts on good faith are known, as a rule.
    Hearing,
}

/// How far a clock has run.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "clock::Progress")]
pub(super) enum ClockProgress {
    /// No warning yet.
    Running,
    /// The first warning is due.
    Warned,
    /// The second warning is due.
    Urgent,
    /// The earliest end has passed: presume it barred, and have a person decide.
    Passed,
}

/// A clock of the law that runs for a case. A warning, and no legal opinion.
#[derive(SimpleObject)]
#[graphql(directive = disclosure::apply(Class::Internal))]
pub(super) struct LegalClock {
    /// Code; never changes.
    code: &'static str,
    /// Norm.
    norm: &'static str,
    /// The wording it was read in.
    wording: &'static str,
    /// First day of that wording.
    valid_from: Date,
    /// What ends with it.
    meaning: &'static str,
    /// The day that started it.
    started_on: Date,
    /// Whose knowledge that was; null where something else starts it.
    knowledge: Option<ClockKnowledge>,
    /// The earliest last day, never moved for a weekend; for a back payment the first day that is paid for.
    ends_on: Date,
    /// When to warn: of one year after nine and eleven months, of more twelve and three months before the end.
    warn_on: Vec<Date>,
    /// How far it has run.
    progress: ClockProgress,
}

/// The clocks of a case.
#[derive(SimpleObject)]
#[graphql(directive = disclosure::apply(Class::Internal))]
pub(super) struct LegalClocks {
    /// The clocks, the earliest end first.
    clocks: Vec<LegalClock>,
    /// Norm of the Bagatellgrenze.
    threshold_norm: &'static str,
    /// What is less than this is not recovered.
    threshold: Euro,
    /// Whether the amount is less; null where no amount is given.
    below_threshold: Option<bool>,
}

/// Finds deadlines and notices, and computes.
#[derive(Default)]
pub(super) struct DeadlineQuery;

#[Object]
impl DeadlineQuery {
    /// Deadlines, newest first. A Bezirksstelle sees those set for it.
    async fn deadlines(
        &self,
        ctx: &Context<'_>,
        filter: Option<DeadlineFilter>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Maybe<DeadlineConnection> {
        let window = Window {
            first,
            after,
            last,
            before,
        };
        Some(list(ctx, filter.unwrap_or_default(), &window).await)
    }

    /// The caller's inbox, newest first: what is told to the person, or to everybody in the role.
    async fn notices(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those the caller has not marked as read.", default = false)] unread: bool,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Maybe<NoticeConnection> {
        let window = Window {
            first,
            after,
            last,
            before,
        };
        Some(inbox(ctx, unread, &window).await)
    }

    /// When a period ends, and why (§§ 187 to 193 BGB, § 26 SGB X). Pure: nothing stored is read, and nothing is stored.
    async fn deadline_end(&self, ctx: &Context<'_>, input: DeadlineEndInput) -> Maybe<DeadlineEnd> {
        Some(compute(ctx, &input))
    }

    /// Which clocks of the law run for a case, and when the earliest of them ends. Pure.
    async fn legal_clocks(&self, ctx: &Context<'_>, input: LegalClocksInput) -> Result<LegalClocks> {
        ctx.signed_in()?;
        let today = period::day_of(ctx.audit().now());
        let language = ctx.language();
        let clocks = clock::running(&input.facts(), today)
            .into_iter()
            .map(|running| LegalClock {
                code: running.clock.code,
                norm: running.clock.norm,
                wording: running.clock.wording,
                valid_from: running.clock.valid_from().into(),
                meaning: running.clock.meaning(language),
                started_on: running.started_on.into(),
                knowledge: running.knowledge.map(Into::into),
                ends_on: running.ends_on.into(),
                warn_on: running.warn_on.into_iter().flatten().map(Into::into).collect(),
                progress: running.progress.into(),
            })
            .collect();
        Ok(LegalClocks {
            clocks,
            threshold_norm: clock::BAGATELLGRENZE.norm,
            threshold: clock::BAGATELLGRENZE.below.into(),
            below_threshold: input
                .amount
                .and_then(|amount| clock::is_below_threshold(amount.0, today)),
        })
    }
}

async fn list(ctx: &Context<'_>, filter: DeadlineFilter, window: &Window) -> Result<DeadlineConnection> {
    let args = window.args(ctx, ORDER)?;
    let found = service::list(ctx.audit(), ctx.db(), &filter.parse()?, &args, counted(ctx)).await;
    let (page, total) = field(ctx, found)?;
    Ok(DeadlineConnection::of(
        ORDER,
        page,
        total,
        |deadline: &service::Deadline| by_id(deadline.row.id.0),
    ))
}

async fn inbox(ctx: &Context<'_>, unread: bool, window: &Window) -> Result<NoticeConnection> {
    let args = window.args(ctx, NOTICES)?;
    let found = service::notices(ctx.audit(), ctx.db(), unread, &args, counted(ctx)).await;
    let (page, total) = field(ctx, found)?;
    Ok(NoticeConnection::of(
        NOTICES,
        page,
        total,
        |told: &service::Told| by_id(told.row.id.0),
    ))
}

fn compute(ctx: &Context<'_>, input: &DeadlineEndInput) -> Result<DeadlineEnd> {
    ctx.signed_in()?;
    let start = match input.start {
        PeriodStart::Event => period::Start::Event(input.on.0),
        PeriodStart::DayBegins => period::Start::Day(input.on.0),
        PeriodStart::Notification => period::Start::Notified(input.on.0),
        PeriodStart::OldEnd => period::Start::OldEnd(input.on.0),
    };
    let (count, unit) = input.length.parts();
    let length = period::Length { count, unit };
    let own = &ctx.info().calendar;
    let other = input.land.map(|land| calendar::Calendar::of(land.into()));
    let end = period::end(
        other.as_ref().unwrap_or(own),
        start,
        length,
        input.free_days.into(),
    )
    .map_err(|error| bad_input("input", error.to_string()))?;
    let language = ctx.language();
    Ok(DeadlineEnd {
        ends_on: end.on.into(),
        ends_at: end.at.into(),
        derivation: end
            .steps
            .iter()
            .map(|step| PeriodStep {
                kind: step.kind.into(),
                on: step.on.into(),
                norm: step.norm,
                because: step.because.map(|free| free.name(language)),
                text: step.text(language),
            })
            .collect(),
    })
}

/// What sets a deadline: either a length, or the last day.
#[derive(InputObject)]
pub(super) struct SetDeadlineInput {
    /// Its engagement.
    engagement_id: ID,
    /// The Bezirksstelle it is set for, which sees it and is told of it; none where it binds the audit function itself.
    bezirksstelle_id: Option<ID>,
    /// What has to be done, up to 200 characters, without personal data.
    title: String,
    /// The norm or agreement it stands on, up to 200 characters.
    legal_basis: String,
    /// What its end means.
    expiry: DeadlineExpiry,
    /// What the period begins with.
    #[graphql(default_with = "DeadlineStart::Notification")]
    start: DeadlineStart,
    /// How long it is.
    length: Option<PeriodLengthInput>,
    /// The day the period begins with; none where it waits until a notice is acknowledged as complete.
    trigger_on: Option<Date>,
    /// The last day.
    ends_on: Option<Date>,
    /// What becomes of an end on a free day; a Termin is a day and no length.
    #[graphql(default_with = "DeadlineFreeDays::Move")]
    free_days: DeadlineFreeDays,
    /// Repeating the same input under the same key gives the same answer.
    idempotency_key: String,
}

/// What starts a deadline.
#[derive(InputObject)]
pub(super) struct AcknowledgeDeadlineInput {
    /// The deadline, which waits for a complete notice.
    id: ID,
    /// The version the caller saw.
    expected_version: i32,
}

/// What extends a deadline: either by a length, counted from the old end (§ 190 BGB), or until a day.
#[derive(InputObject)]
pub(super) struct ExtendDeadlineInput {
    /// The deadline.
    id: ID,
    /// The version the caller saw.
    expected_version: i32,
    /// So much longer.
    length: Option<PeriodLengthInput>,
    /// The new last day.
    ends_on: Option<Date>,
    /// Why, up to 4,000 characters.
    reason: String,
}

macro_rules! decisions {
    ($($(#[$doc:meta])* $input:ident, $payload:ident;)+) => {$(
        $(#[$doc])*
        #[derive(InputObject)]
        pub(super) struct $input {
            /// The deadline.
            id: ID,
            /// The version the caller saw.
            expected_version: i32,
            /// Why, or how, up to 4,000 characters, without personal data.
            reason: String,
        }

        impl $input {
            fn parse(self) -> Result<service::Decide> {
                Ok(service::Decide {
                    id: DeadlineId(NodeKind::Deadline.require(&self.id, "input.id")?),
                    expected_version: self.expected_version,
                    reason: self.reason,
                })
            }
        }

        payload! {
            $(#[$doc])*
            $payload {
                /// The deadline.
                deadline: Deadline
            }
        }
    )+};
}

decisions! {
    /// An objection in time.
    ObjectToDeadlineInput, ObjectToDeadlinePayload;
    /// That a deadline was met.
    MeetDeadlineInput, MeetDeadlinePayload;
    /// That a deadline is given up.
    CancelDeadlineInput, CancelDeadlinePayload;
    /// That a right is barred.
    ConfirmDeadlineInput, ConfirmDeadlinePayload;
}

payload! {
    /// A deadline that was set.
    SetDeadlinePayload {
        /// The deadline.
        deadline: Deadline
    }
}

payload! {
    /// A deadline that a complete notice started.
    AcknowledgeDeadlinePayload {
        /// The deadline.
        deadline: Deadline
    }
}

payload! {
    /// An extended deadline.
    ExtendDeadlinePayload {
        /// The deadline.
        deadline: Deadline
    }
}

/// What marks a notice as read.
#[derive(InputObject)]
pub(super) struct MarkNoticeReadInput {
    /// The notice.
    id: ID,
}

payload! {
    /// A notice that was read.
    MarkNoticeReadPayload {
        /// The notice.
        notice: Notice
    }
}

/// Changes deadlines.
#[derive(Default)]
pub(super) struct DeadlineMutation;

#[Object]
impl DeadlineMutation {
    /// Sets a deadline. It runs at once, or waits for a complete notice. What its end means is fixed here.
    async fn set_deadline(&self, ctx: &Context<'_>, input: SetDeadlineInput) -> Result<SetDeadlinePayload> {
        let place = |id: ID| NodeKind::Bezirksstelle.require(&id, "input.bezirksstelleId");
        let set = service::Set {
            engagement_id: EngagementId(
                NodeKind::Engagement.require(&input.engagement_id, "input.engagementId")?,
            ),
            bezirksstelle_id: input
                .bezirksstelle_id
                .map(place)
                .transpose()?
                .map(BezirksstelleId),
            subject: None,
            title: input.title,
            legal_basis: input.legal_basis,
            expiry: input.expiry.into(),
            start: input.start.into(),
            length: input.length.map(PeriodLengthInput::parts),
            trigger_on: input.trigger_on.map(|day| day.0),
            ends_on: input.ends_on.map(|day| day.0),
            free_days: input.free_days.into(),
        };
        let calendar = &ctx.info().calendar;
        SetDeadlinePayload::of(
            ctx,
            service::set(ctx.audit(), ctx.db(), calendar, &input.idempotency_key, set).await,
        )
    }

    /// Acknowledges the notice as complete that a deadline waits for: the period begins with this day.
    async fn acknowledge_deadline(
        &self,
        ctx: &Context<'_>,
        input: AcknowledgeDeadlineInput,
    ) -> Result<AcknowledgeDeadlinePayload> {
        let acknowledge = service::Acknowledge {
            id: DeadlineId(NodeKind::Deadline.require(&input.id, "input.id")?),
            expected_version: input.expected_version,
        };
        let calendar = &ctx.info().calendar;
        AcknowledgeDeadlinePayload::of(
            ctx,
            service::acknowledge_complete(ctx.audit(), ctx.db(), calendar, acknowledge).await,
        )
    }

    /// Objects in time to what was announced: nobody may proceed until there is an agreement.
    async fn object_to_deadline(
        &self,
        ctx: &Context<'_>,
        input: ObjectToDeadlineInput,
    ) -> Result<ObjectToDeadlinePayload> {
        ObjectToDeadlinePayload::of(ctx, service::object(ctx.audit(), ctx.db(), input.parse()?).await)
    }

    /// Records that what a deadline was set for was done, or agreed on.
    async fn meet_deadline(
        &self,
        ctx: &Context<'_>,
        input: MeetDeadlineInput,
    ) -> Result<MeetDeadlinePayload> {
        MeetDeadlinePayload::of(ctx, service::meet(ctx.audit(), ctx.db(), input.parse()?).await)
    }

    /// Extends a deadline that an authority set, retroactively where it has passed. The old end stays on record.
    async fn extend_deadline(
        &self,
        ctx: &Context<'_>,
        input: ExtendDeadlineInput,
    ) -> Result<ExtendDeadlinePayload> {
        let end = match (input.length, input.ends_on) {
            (Some(length), None) => {
                let (count, unit) = length.parts();
                service::NewEnd::Longer(count, unit)
            }
            (None, Some(day)) => service::NewEnd::Until(day.0),
            _ => return Err(bad_input("input", "give a length or a day")),
        };
        let extend = service::Extend {
            id: DeadlineId(NodeKind::Deadline.require(&input.id, "input.id")?),
            expected_version: input.expected_version,
            end,
            reason: input.reason,
        };
        let calendar = &ctx.info().calendar;
        ExtendDeadlinePayload::of(
            ctx,
            service::extend(ctx.audit(), ctx.db(), calendar, extend).await,
        )
    }

    /// Gives a deadline up.
    async fn cancel_deadline(
        &self,
        ctx: &Context<'_>,
        input: CancelDeadlineInput,
    ) -> Result<CancelDeadlinePayload> {
        CancelDeadlinePayload::of(ctx, service::cancel(ctx.audit(), ctx.db(), input.parse()?).await)
    }

    /// Confirms that the right is barred, after the deadline has passed. Who set the deadline cannot.
    async fn confirm_deadline(
        &self,
        ctx: &Context<'_>,
        input: ConfirmDeadlineInput,
    ) -> Result<ConfirmDeadlinePayload> {
        ConfirmDeadlinePayload::of(ctx, service::confirm(ctx.audit(), ctx.db(), input.parse()?).await)
    }

    /// Marks a notice as read by the caller; a second time nothing changes.
    async fn mark_notice_read(
        &self,
        ctx: &Context<'_>,
        input: MarkNoticeReadInput,
    ) -> Result<MarkNoticeReadPayload> {
        let id = NoticeId(NodeKind::Notice.require(&input.id, "input.id")?);
        MarkNoticeReadPayload::of(ctx, service::mark_read(ctx.audit(), ctx.db(), id).await)
    }
}
