//! Setting, starting, extending, settling and finding deadlines.

use std::collections::HashMap;

use chrono::NaiveDate;
use entity::deadline::{ActiveModel, Column, Entity, Expiry, FreeDays, Model, Start, State, Unit};
use entity::deadline_date::Kind;
use entity::notice::Kind as Tells;
use entity::{
    BezirksstelleId, DeadlineId, EngagementId, bezirksstelle, deadline_date, deadline_due, engagement,
};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, ConnectionTrait, DatabaseTransaction, EntityTrait as _,
    PaginatorTrait as _, QueryFilter as _, QueryOrder as _, Set as Put,
};
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::calendar::Calendar;
use super::notice::{setter, tell, tell_addressee};
use super::period::{self, End, Length, PeriodError, day_of};
use super::rules::{self, Event};
use crate::access::{Action, FourEyes, Permit, authorize, authorize_write};
use crate::db::among;
use crate::engagement::{lock, lock_open, must_be_open};
use crate::error::{must_be_version, required};
use crate::idempotency::{Claimed, claim};
use crate::page::{self, Page, PageArgs};
use crate::refusal::text;
use crate::trail::{self, Subject};
use crate::{Code, Ctx, Db, Error, Language, Refusal, Result};

/// Longest reason.
const MAX_REASON: usize = 4_000;

/// A deadline with the ends it had, oldest first.
#[derive(Clone, Debug)]
pub struct Deadline {
    /// The deadline.
    pub row: Model,
    /// Its ends.
    pub dates: Vec<deadline_date::Model>,
}

/// What sets a deadline.
#[derive(Clone, Debug, Serialize)]
pub struct Set {
    /// Its engagement.
    pub engagement_id: EngagementId,
    /// The Bezirksstelle it is set for; none where it binds the audit function itself.
    pub bezirksstelle_id: Option<BezirksstelleId>,
    /// The thing it is about: kind as in the trail, and id. Whoever sets it for a thing has looked the thing up.
    pub subject: Option<(&'static str, Uuid)>,
    /// What has to be done, up to 200 characters.
    pub title: String,
    /// The norm or agreement it stands on, up to 200 characters.
    pub legal_basis: String,
    /// What its end means.
    pub expiry: Expiry,
    /// What the period begins with.
    pub start: Start,
    /// How long it is; none where the last day is named.
    pub length: Option<(u32, Unit)>,
    /// The day the period begins with; none where a complete notice has to start it, or the last day is named.
    pub trigger_on: Option<NaiveDate>,
    /// The last day; none where the length is given.
    pub ends_on: Option<NaiveDate>,
    /// What becomes of an end on a free day.
    pub free_days: FreeDays,
}

impl Set {
    fn check(&self) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        refusals.extend(text("input.title", &self.title, 200));
        refusals.extend(text("input.legalBasis", &self.legal_basis, 200));
        let named = self.length.is_none() && self.trigger_on.is_none() && self.ends_on.is_some();
        let counted = self.length.is_some() && self.ends_on.is_none() && self.free_days != FreeDays::Termin;
        if !named && !counted {
            refusals.push(Refusal::new(Code::DeadlineShapeInvalid, "input"));
        }
        refusals
    }

    fn end(&self, calendar: &Calendar) -> Result<Option<End>> {
        let path = if self.length.is_some() {
            "input.length"
        } else {
            "input.endsOn"
        };
        let end = match (self.length, self.trigger_on, self.ends_on) {
            (None, _, Some(day)) => period::until(calendar, day, self.free_days),
            (Some((count, unit)), Some(day), _) => period::end(
                calendar,
                begun(self.start, day),
                Length { count, unit },
                self.free_days,
            ),
            (Some((count, _)), None, _) if count == 0 || count > period::MOST => Err(PeriodError::Length),
            _ => return Ok(None),
        };
        end.map(Some).map_err(|error| uncounted(error, path))
    }
}

const fn begun(start: Start, day: NaiveDate) -> period::Start {
    match start {
        Start::Event => period::Start::Event(day),
        Start::DayBegins => period::Start::Day(day),
        Start::Notification => period::Start::Notified(day),
    }
}

fn uncounted(error: PeriodError, path: &str) -> Error {
    Error::refused(
        match error {
            PeriodError::Length => Code::DeadlineShapeInvalid,
            PeriodError::Calendar => Code::DeadlineOutsideCalendar,
        },
        path,
    )
}

/// Sets a deadline. It runs at once, or waits for a complete notice.
pub async fn set(
    ctx: &Ctx,
    db: &Db,
    calendar: &Calendar,
    idempotency_key: &str,
    input: Set,
) -> Result<Deadline> {
    let permit = authorize_write(ctx, db, Action::DeadlineSet).await?;
    let refusals = input.check();
    if !refusals.is_empty() {
        return Err(Error::Refused(refusals));
    }
    let tx = db.begin_write().await?;
    let engagement = lock(&tx, ctx, input.engagement_id, "input.engagementId").await?;
    let claim = match claim(&tx, ctx, idempotency_key, "setDeadline", &input).await? {
        Claimed::New(claim) => claim,
        Claimed::Repeated(id) => return with_dates(&tx, DeadlineId(id)).await,
    };
    must_be_open(&engagement, "input.engagementId")?;
    let end = input.end(calendar)?;
    if let Some(end) = end.as_ref().filter(|end| end.at <= ctx.now()) {
        let path = if input.length.is_some() {
            "input.triggerOn"
        } else {
            "input.endsOn"
        };
        return Err(Error::refused_with(Code::DeadlineInPast, path, end.on));
    }
    let (serial, number) = numbered(&tx, &engagement, input.bezirksstelle_id).await?;
    let row = ActiveModel {
        id: Put(DeadlineId(ctx.new_id())),
        engagement_id: Put(engagement.id),
        bezirksstelle_id: Put(input.bezirksstelle_id),
        serial: Put(serial),
        number: Put(number),
        subject_kind: Put(input.subject.map(|(kind, _)| kind.to_owned())),
        subject_id: Put(input.subject.map(|(_, id)| id)),
        title: Put(input.title),
        legal_basis: Put(input.legal_basis),
        expiry: Put(input.expiry),
        start: Put(input.start),
        length_count: Put(input.length.and_then(|(count, _)| i32::try_from(count).ok())),
        length_unit: Put(input.length.map(|(_, unit)| unit)),
        free_days: Put(input.free_days),
        trigger_on: Put(input.trigger_on),
        ends_on: Put(end.as_ref().map(|end| end.on)),
        ends_at: Put(end.as_ref().map(|end| end.at)),
        state: Put(if end.is_some() {
            State::Running
        } else {
            State::NotStarted
        }),
        rung: Put(0),
        set_by: Put(ctx.caller.subject.clone()),
        set_at: Put(ctx.now()),
        acknowledged_by: Put(None),
        acknowledged_at: Put(None),
        settled_by: Put(None),
        settled_at: Put(None),
        settled_reason: Put(None),
        version: Put(1),
    }
    .insert(&tx)
    .await?;
    claim.remember(&tx, ctx, row.id.0).await?;
    let mut deadline = Deadline {
        row,
        dates: Vec::new(),
    };
    if let Some(end) = end {
        deadline.add(&tx, ctx, Kind::Set, &end, None).await?;
    }
    tell_addressee(&tx, ctx, &deadline.row, Tells::Set).await?;
    let subject = deadline.subject().left(state_of(ctx, &deadline)?);
    trail::record(&tx, ctx, &permit, subject, deadline.detail()).await?;
    tx.commit().await?;
    Ok(deadline)
}

/// Numbers are given under the lock on the engagement, for each Bezirksstelle from 1.
async fn numbered(
    tx: &DatabaseTransaction,
    engagement: &engagement::Model,
    of: Option<BezirksstelleId>,
) -> Result<(i32, String)> {
    let same = Entity::find()
        .filter(Column::EngagementId.eq(engagement.id))
        .filter(match of {
            Some(id) => Column::BezirksstelleId.eq(id),
            None => Column::BezirksstelleId.is_null(),
        });
    let serial =
        i32::try_from(same.count(tx).await?).map_err(|error| Error::internal(error.to_string()))? + 1;
    let place = match of {
        None => String::new(),
        Some(id) => {
            let row = bezirksstelle::Entity::find_by_id(id).one(tx).await?;
            let row = row.ok_or_else(|| Error::refused(Code::NotFound, "input.bezirksstelleId"))?;
            format!("/{}", row.number)
        }
    };
    Ok((serial, format!("{}{place}/T-{serial:02}", engagement.number)))
}

impl Deadline {
    const fn subject(&self) -> Subject {
        Subject::new("Deadline", self.row.id.0, self.row.engagement_id)
    }

    fn detail(&self) -> serde_json::Value {
        json!({ "number": self.row.number, "state": self.row.state, "endsOn": self.row.ends_on })
    }

    /// Adds an end, and has the scheduler look at it.
    async fn add(
        &mut self,
        tx: &DatabaseTransaction,
        ctx: &Ctx,
        kind: Kind,
        end: &End,
        reason: Option<String>,
    ) -> Result<()> {
        let lines = |language| {
            let lines = end.steps.iter().map(|step| step.text(language));
            lines.collect::<Vec<_>>()
        };
        let derivation = json!({ "de": lines(Language::De), "en": lines(Language::En) });
        let ordinal = self.dates.last().map_or(1, |last| last.ordinal + 1);
        let date = deadline_date::ActiveModel {
            deadline_id: Put(self.row.id),
            ordinal: Put(ordinal),
            engagement_id: Put(self.row.engagement_id),
            kind: Put(kind),
            ends_on: Put(end.on),
            ends_at: Put(end.at),
            derivation: Put(derivation.to_string()),
            reason: Put(reason),
            made_by: Put(ctx.caller.subject.clone()),
            made_at: Put(ctx.now()),
        };
        self.dates.push(date.insert(tx).await?);
        look_at(tx, self.row.id, Some(end.at)).await
    }
}

/// When the scheduler looks next; never again where nothing more happens by itself.
pub(super) async fn look_at(
    tx: &DatabaseTransaction,
    id: DeadlineId,
    at: Option<chrono::DateTime<chrono::Utc>>,
) -> Result<()> {
    deadline_due::Entity::delete_by_id(id).exec(tx).await?;
    if let Some(at) = at {
        let due = deadline_due::ActiveModel {
            deadline_id: Put(id),
            at: Put(at),
            lease: Put(None),
            leased_at: Put(None),
            leased_until: Put(None),
        };
        deadline_due::Entity::insert(due)
            .exec_without_returning(tx)
            .await?;
    }
    Ok(())
}

/// The state of a deadline and of all its ends, as the trail tells it.
pub(super) fn state_of(ctx: &Ctx, deadline: &Deadline) -> Result<trail::State> {
    trail::state_with(ctx, &deadline.row, &deadline.dates)
}

/// A deadline by its id, whoever asks.
pub(super) async fn with_dates(db: &impl ConnectionTrait, id: DeadlineId) -> Result<Deadline> {
    let row = required(Entity::find_by_id(id).one(db).await?)?;
    let dates = deadline_date::Entity::find()
        .filter(deadline_date::Column::DeadlineId.eq(id))
        .order_by_asc(deadline_date::Column::Ordinal)
        .all(db)
        .await?;
    Ok(Deadline { row, dates })
}

/// The visible deadline of an open engagement in the version the caller saw, both locked until the transaction ends.
async fn locked(
    tx: &DatabaseTransaction,
    ctx: &Ctx,
    id: DeadlineId,
    expected_version: i32,
) -> Result<Deadline> {
    let visible = Entity::visible_to(&ctx.caller.scope(ctx.now())).filter(Column::Id.eq(id));
    let row = visible.one(tx).await?;
    let row = row.ok_or_else(|| Error::refused(Code::NotFound, "input.id"))?;
    lock_open(tx, ctx, row.engagement_id, "input.id").await?;
    // Read again: whoever held the lock before may have changed it meanwhile.
    let deadline = with_dates(tx, id).await?;
    must_be_version(deadline.row.version, expected_version)?;
    Ok(deadline)
}

/// The state after the event, or a refusal. Time counts from the clock and not from when the scheduler comes by: what has passed has
/// passed.
fn next(ctx: &Ctx, row: &Model, event: Event) -> Result<State> {
    let refused = || Error::refused_with(Code::DeadlineState, "input.id", row.state.as_str());
    let passed = row.state == State::Running && row.ends_at.is_some_and(|at| at <= ctx.now());
    if !passed {
        return rules::next(row.state, event, row.expiry).ok_or_else(refused);
    }
    rules::next(State::Expired, event, row.expiry).ok_or_else(|| match row.ends_on {
        Some(day) if rules::next(row.state, event, row.expiry).is_some() => {
            Error::refused_with(Code::DeadlineOver, "input.id", day)
        }
        _ => refused(),
    })
}

/// Writes a changed deadline with its entry.
pub(super) async fn change(
    tx: &DatabaseTransaction,
    ctx: &Ctx,
    permit: &Permit,
    before: trail::State,
    mut deadline: Deadline,
    mut changed: ActiveModel,
) -> Result<Deadline> {
    changed.version = Put(deadline.row.version + 1);
    deadline.row = changed.update(tx).await?;
    let subject = deadline.subject().changed(before, state_of(ctx, &deadline)?);
    trail::record(tx, ctx, permit, subject, deadline.detail()).await?;
    Ok(deadline)
}

/// What starts a deadline.
#[derive(Clone, Copy, Debug)]
pub struct Acknowledge {
    /// The deadline, which waits for a complete notice.
    pub id: DeadlineId,
    /// The version the caller saw.
    pub expected_version: i32,
}

/// Acknowledges the notice as complete: the period begins with this day.
pub async fn acknowledge_complete(
    ctx: &Ctx,
    db: &Db,
    calendar: &Calendar,
    input: Acknowledge,
) -> Result<Deadline> {
    let permit = authorize_write(ctx, db, Action::DeadlineAcknowledge).await?;
    let tx = db.begin_write().await?;
    let mut deadline = locked(&tx, ctx, input.id, input.expected_version).await?;
    let state = next(ctx, &deadline.row, Event::AcknowledgeComplete)?;
    let before = state_of(ctx, &deadline)?;
    let today = day_of(ctx.now());
    let length = length_of(&deadline.row)?;
    let end = period::end(
        calendar,
        begun(deadline.row.start, today),
        length,
        deadline.row.free_days,
    )
    .map_err(|error| uncounted(error, "input.id"))?;
    deadline.add(&tx, ctx, Kind::Set, &end, None).await?;
    let mut changed: ActiveModel = deadline.row.clone().into();
    changed.state = Put(state);
    changed.trigger_on = Put(Some(today));
    changed.acknowledged_by = Put(Some(ctx.caller.subject.clone()));
    changed.acknowledged_at = Put(Some(ctx.now()));
    ends(&mut changed, &end);
    let deadline = change(&tx, ctx, &permit, before, deadline, changed).await?;
    tell_addressee(&tx, ctx, &deadline.row, Tells::Started).await?;
    tx.commit().await?;
    Ok(deadline)
}

fn ends(changed: &mut ActiveModel, end: &End) {
    changed.ends_on = Put(Some(end.on));
    changed.ends_at = Put(Some(end.at));
}

fn length_of(row: &Model) -> Result<Length> {
    let count = row.length_count.and_then(|count| u32::try_from(count).ok());
    let (Some(count), Some(unit)) = (count, row.length_unit) else {
        return Err(Error::internal(
            "a deadline that waits for a notice has no length",
        ));
    };
    Ok(Length { count, unit })
}

/// The new end of an extended deadline.
#[derive(Clone, Copy, Debug)]
pub enum NewEnd {
    /// So much longer, counted from the old end (§ 190 BGB).
    Longer(u32, Unit),
    /// Until this day.
    Until(NaiveDate),
}

/// What extends a deadline.
#[derive(Clone, Debug)]
pub struct Extend {
    /// The deadline.
    pub id: DeadlineId,
    /// The version the caller saw.
    pub expected_version: i32,
    /// The new end.
    pub end: NewEnd,
    /// Why, up to 4,000 characters.
    pub reason: String,
}

/// Extends a deadline that an authority set, retroactively where it has passed (§ 26 (7) SGB X). The old end stays on record.
pub async fn extend(ctx: &Ctx, db: &Db, calendar: &Calendar, input: Extend) -> Result<Deadline> {
    let permit = authorize_write(ctx, db, Action::DeadlineExtend).await?;
    if let Some(refusal) = text("input.reason", &input.reason, MAX_REASON) {
        return Err(Error::Refused(vec![refusal]));
    }
    let tx = db.begin_write().await?;
    let mut deadline = locked(&tx, ctx, input.id, input.expected_version).await?;
    let row = &deadline.row;
    let passed = row.state == State::Expired || row.ends_at.is_some_and(|at| at <= ctx.now());
    let (event, kind) = if passed {
        (Event::ExtendRetroactively, Kind::Retroactive)
    } else {
        (Event::Extend, Kind::Extended)
    };
    let state = next(ctx, row, event)?;
    if row.start != Start::Notification {
        return Err(Error::refused(Code::DeadlineNotExtendable, "input.id"));
    }
    let old = required(row.ends_on)?;
    let (end, path) = match input.end {
        NewEnd::Longer(count, unit) => (
            period::end(
                calendar,
                period::Start::OldEnd(old),
                Length { count, unit },
                row.free_days,
            ),
            "input.length",
        ),
        NewEnd::Until(day) => (period::until(calendar, day, row.free_days), "input.endsOn"),
    };
    let end = end.map_err(|error| uncounted(error, path))?;
    if end.on <= old {
        return Err(Error::refused_with(Code::DeadlineNotLater, path, old));
    }
    if end.at <= ctx.now() {
        return Err(Error::refused_with(Code::DeadlineInPast, path, end.on));
    }
    let before = state_of(ctx, &deadline)?;
    deadline.add(&tx, ctx, kind, &end, Some(input.reason)).await?;
    let mut changed: ActiveModel = deadline.row.clone().into();
    changed.state = Put(state);
    changed.rung = Put(0);
    ends(&mut changed, &end);
    let deadline = change(&tx, ctx, &permit, before, deadline, changed).await?;
    tell_addressee(&tx, ctx, &deadline.row, Tells::Extended).await?;
    tx.commit().await?;
    Ok(deadline)
}

/// What settles a deadline.
#[derive(Clone, Debug)]
pub struct Decide {
    /// The deadline.
    pub id: DeadlineId,
    /// The version the caller saw.
    pub expected_version: i32,
    /// Why, or how, up to 4,000 characters.
    pub reason: String,
}

/// Objects in time: nobody may proceed, and the deadline stands still until there is an agreement or it is given up.
pub async fn object(ctx: &Ctx, db: &Db, input: Decide) -> Result<Deadline> {
    settle(ctx, db, Action::DeadlineObject, Event::Object, input).await
}

/// Records that what the deadline was set for was done, or agreed on.
pub async fn meet(ctx: &Ctx, db: &Db, input: Decide) -> Result<Deadline> {
    settle(ctx, db, Action::DeadlineMeet, Event::Meet, input).await
}

/// Gives a deadline up.
pub async fn cancel(ctx: &Ctx, db: &Db, input: Decide) -> Result<Deadline> {
    settle(ctx, db, Action::DeadlineCancel, Event::Cancel, input).await
}

/// Confirms that the right is barred; never by who set the deadline.
pub async fn confirm(ctx: &Ctx, db: &Db, input: Decide) -> Result<Deadline> {
    settle(ctx, db, Action::DeadlineConfirm, Event::Confirm, input).await
}

async fn settle(ctx: &Ctx, db: &Db, action: Action, event: Event, input: Decide) -> Result<Deadline> {
    let permit = authorize_write(ctx, db, action).await?;
    if let Some(refusal) = text("input.reason", &input.reason, MAX_REASON) {
        return Err(Error::Refused(vec![refusal]));
    }
    let tx = db.begin_write().await?;
    let deadline = locked(&tx, ctx, input.id, input.expected_version).await?;
    let state = next(ctx, &deadline.row, event)?;
    if event == Event::Confirm {
        FourEyes::DeadlineBarred.another(ctx, [deadline.row.set_by.as_str()], "input.id")?;
    }
    let before = state_of(ctx, &deadline)?;
    look_at(&tx, deadline.row.id, None).await?;
    let mut changed: ActiveModel = deadline.row.clone().into();
    changed.state = Put(state);
    changed.settled_by = Put(Some(ctx.caller.subject.clone()));
    changed.settled_at = Put(Some(ctx.now()));
    changed.settled_reason = Put(Some(input.reason));
    let deadline = change(&tx, ctx, &permit, before, deadline, changed).await?;
    match state {
        State::Stopped => {
            tell_addressee(&tx, ctx, &deadline.row, Tells::Stopped).await?;
            tell(&tx, ctx, &deadline.row, Tells::Stopped, setter(&deadline.row)).await?;
        }
        State::Cancelled => tell_addressee(&tx, ctx, &deadline.row, Tells::Cancelled).await?,
        _ => {}
    }
    tx.commit().await?;
    Ok(deadline)
}

/// Which deadlines are listed; what is not named does not restrict.
#[derive(Clone, Debug, Default)]
pub struct DeadlineFilter {
    /// Of this engagement.
    pub engagement: Option<EngagementId>,
    /// Set for this Bezirksstelle.
    pub bezirksstelle: Option<BezirksstelleId>,
    /// In one of these states.
    pub states: Option<Vec<State>>,
    /// Ending on this day or before.
    pub ends_until: Option<NaiveDate>,
}

/// Deadlines the caller may see, newest first. The count only where asked for.
pub async fn list(
    ctx: &Ctx,
    db: &Db,
    filter: &DeadlineFilter,
    args: &PageArgs,
    counted: bool,
) -> Result<(Page<Deadline>, Option<u64>)> {
    authorize(ctx, Action::DeadlineRead)?;
    let mut select = Entity::visible_to(&ctx.caller.scope(ctx.now()));
    if let Some(id) = filter.engagement {
        select = select.filter(Column::EngagementId.eq(id));
    }
    if let Some(id) = filter.bezirksstelle {
        select = select.filter(Column::BezirksstelleId.eq(id));
    }
    if let Some(states) = &filter.states {
        select = select.filter(Column::State.is_in(states.iter().copied()));
    }
    if let Some(day) = filter.ends_until {
        select = select.filter(Column::EndsOn.lte(day));
    }
    let total = if counted {
        Some(select.clone().count(db.reader()).await?)
    } else {
        None
    };
    let page = page::by_id(select, Column::Id, true, args, db.reader()).await?;
    Ok((
        Page {
            rows: dated(db, page.rows).await?,
            has_previous: page.has_previous,
            has_next: page.has_next,
        },
        total,
    ))
}

/// Deadlines by id, those the caller may see.
pub async fn find_many(ctx: &Ctx, db: &Db, ids: &[DeadlineId]) -> Result<Vec<Deadline>> {
    authorize(ctx, Action::DeadlineRead)?;
    let rows = Entity::visible_to(&ctx.caller.scope(ctx.now()))
        .filter(among(db.reader(), Column::Id, ids.iter().copied()))
        .all(db.reader())
        .await?;
    dated(db, rows).await
}

/// Rows with all their ends, by one query.
async fn dated(db: &Db, rows: Vec<Model>) -> Result<Vec<Deadline>> {
    let ids = rows.iter().map(|row| row.id);
    let found = deadline_date::Entity::find()
        .filter(among(db.reader(), deadline_date::Column::DeadlineId, ids))
        .order_by_asc(deadline_date::Column::Ordinal)
        .all(db.reader())
        .await?;
    let mut of: HashMap<DeadlineId, Vec<_>> = HashMap::new();
    for date in found {
        of.entry(date.deadline_id).or_default().push(date);
    }
    let with = |row: Model| Deadline {
        dates: of.remove(&row.id).unwrap_or_default(),
        row,
    };
    Ok(rows.into_iter().map(with).collect())
}
