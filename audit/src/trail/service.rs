//! Writing and reading the trail.

use chrono::{DateTime, Utc};
use entity::trail_entry::{ActiveModel, Column, Entity, Model, Outcome};
use entity::{ContributionId, EngagementId, GrantId, PaperId, TrailEntryId, log_queue};
use sea_orm::{ActiveModelTrait, ColumnTrait, Condition, DatabaseTransaction, EntityTrait, QueryFilter, Set};
use serde_json::{Value, json};
use uuid::Uuid;

use super::State;
use super::canonical::{self, Salt};
use crate::access::{Action, Class, Permit, authorize, authorize_write};
use crate::page::{self, Page, PageArgs};
use crate::reads::{Asked, MAX_ACTOR};
use crate::refusal::optional_text;
use crate::{Code, Ctx, Db, Error, Result};

/// What an entry is about.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    /// Kind, as in the API's type names.
    pub kind: &'static str,
    /// Id.
    pub id: Option<Uuid>,
    /// The engagement it belongs to.
    pub engagement: Option<EngagementId>,
    /// Whether it concerns a member of the own staff: then only the named group is told.
    pub own_staff: bool,
    /// What was found, and what was left.
    change: (Option<State>, Option<State>),
}

impl Subject {
    /// All of a kind, of no engagement.
    pub const fn all(kind: &'static str) -> Self {
        Self {
            kind,
            id: None,
            engagement: None,
            own_staff: false,
            change: (None, None),
        }
    }

    /// A subject of no engagement.
    pub const fn apart(kind: &'static str, id: Uuid) -> Self {
        Self {
            kind,
            id: Some(id),
            engagement: None,
            own_staff: false,
            change: (None, None),
        }
    }

    /// A subject of an engagement.
    pub const fn new(kind: &'static str, id: Uuid, engagement: EngagementId) -> Self {
        Self {
            kind,
            id: Some(id),
            engagement: Some(engagement),
            own_staff: false,
            change: (None, None),
        }
    }

    /// The same, where it concerns a member of the own staff.
    #[must_use]
    pub const fn of_own_staff(self, own_staff: bool) -> Self {
        Self { own_staff, ..self }
    }

    /// The same, left in this state; what was found there before is not told, or there was nothing.
    #[must_use]
    pub const fn left(self, after: State) -> Self {
        Self {
            change: (None, Some(after)),
            ..self
        }
    }

    /// The same, changed from one state to another.
    #[must_use]
    pub const fn changed(self, before: State, after: State) -> Self {
        Self {
            change: (Some(before), Some(after)),
            ..self
        }
    }
}

/// Appends that the permitted action was done. `detail` is an object that names what changed and never carries social data;
/// the states the subject was found and left in join it as `stateBefore` and `stateAfter`.
pub async fn record(
    tx: &DatabaseTransaction,
    ctx: &Ctx,
    permit: &Permit,
    subject: Subject,
    detail: Value,
) -> Result<()> {
    append(
        tx,
        entry(ctx, permit.action().as_str(), Outcome::Done, subject, detail),
        ctx,
    )
    .await
}

/// Appends that an attempt was denied, in a transaction of its own.
pub async fn denied(db: &Db, ctx: &Ctx, action: Action) -> Result<()> {
    append_denied(db, ctx, action.as_str(), Subject::all("Service"), Value::Null).await
}

/// What an entry about a refused attempt on social data names as its action.
const READ: &str = "SENSITIVE_READ";

/// Appends that somebody who is known was refused an answer with recorded classes: with these classes and the operation, and
/// nothing of what it asked about.
pub async fn denied_read(db: &Db, ctx: &Ctx, asked: &Asked) -> Result<()> {
    if !ctx.caller.authenticated {
        return Ok(());
    }
    let classes: Vec<_> = asked.classes.iter().map(Class::as_str).collect();
    let detail = json!({ "classes": classes, "operation": hex::encode(asked.operation) });
    append_denied(db, ctx, READ, Subject::all("Service"), detail).await
}

/// What was tried with a grant.
#[derive(Clone, Copy, Debug)]
pub enum GrantAttempt {
    /// To read under it, with a token of it.
    Use,
    /// To get a token of it.
    Redeem,
}

/// Appends that somebody tried a grant that does not hold, or is not theirs, and why it does not.
pub async fn denied_grant(db: &Db, ctx: &Ctx, attempt: GrantAttempt, id: GrantId, why: &str) -> Result<()> {
    let action = match attempt {
        GrantAttempt::Use => "GRANT_USE",
        GrantAttempt::Redeem => Action::GrantRedeem.as_str(),
    };
    append_denied(
        db,
        ctx,
        action,
        Subject::apart("Grant", id.0),
        json!({ "reason": why }),
    )
    .await
}

/// Appends that a party tried to open other content than it had committed to.
pub(crate) async fn denied_opening(db: &Db, ctx: &Ctx, id: ContributionId) -> Result<()> {
    append_denied(
        db,
        ctx,
        Action::ContributionOpen.as_str(),
        Subject::apart("Contribution", id.0),
        json!({ "reason": Code::CommitmentDiffers.as_str() }),
    )
    .await
}

/// Appends that somebody tried to vote, or to decide over a dissent, without the seat for it.
pub(crate) async fn denied_seat(db: &Db, ctx: &Ctx, action: Action, paper: PaperId, why: Code) -> Result<()> {
    append_denied(
        db,
        ctx,
        action.as_str(),
        Subject::apart("Paper", paper.0),
        json!({ "reason": why.as_str() }),
    )
    .await
}

async fn append_denied(db: &Db, ctx: &Ctx, action: &str, subject: Subject, detail: Value) -> Result<()> {
    let tx = db.begin_write().await?;
    append(&tx, entry(ctx, action, Outcome::Denied, subject, detail), ctx).await?;
    tx.commit().await?;
    Ok(())
}

/// Which denied attempts are listed; what is not named does not restrict.
#[derive(Clone, Debug, Default)]
pub struct DenialFilter {
    /// By this subject.
    pub actor: Option<String>,
    /// Made at this time or later.
    pub from: Option<DateTime<Utc>>,
    /// Made before this time.
    pub until: Option<DateTime<Utc>>,
}

/// Attempts that were denied, newest first. Who asks leaves an entry: the list says what the own staff tried.
pub async fn denials(ctx: &Ctx, db: &Db, filter: &DenialFilter, args: &PageArgs) -> Result<Page<Model>> {
    let permit = authorize_write(ctx, db, Action::ReadRecordList).await?;
    let named = filter.actor.as_deref();
    if let Some(refusal) = named.and_then(|actor| optional_text("filter.actor", actor, MAX_ACTOR)) {
        return Err(Error::Refused(vec![refusal]));
    }
    let tx = db.begin_write().await?;
    let detail = json!({ "actor": filter.actor, "from": filter.from, "until": filter.until });
    record(&tx, ctx, &permit, Subject::all("DeniedAttempt"), detail).await?;
    tx.commit().await?;
    let select = Entity::find().filter(
        Condition::all()
            .add(Column::Outcome.eq(Outcome::Denied))
            .add_option(named.map(|actor| Column::Actor.eq(actor)))
            .add_option(filter.from.map(|from| Column::At.gte(from)))
            .add_option(filter.until.map(|until| Column::At.lt(until))),
    );
    Ok(page::by_id(select, Column::Id, true, args, db.reader()).await?)
}

fn entry(ctx: &Ctx, action: &str, outcome: Outcome, subject: Subject, mut detail: Value) -> Model {
    let (before, after) = subject.change;
    for (name, state) in [("stateBefore", before), ("stateAfter", after)] {
        if let Some(state) = state {
            detail[name] = state.hex().into();
        }
    }
    Model {
        id: TrailEntryId(ctx.new_id()),
        at: ctx.now(),
        actor: ctx.caller.subject.clone(),
        membership: ctx.caller.acting_as(),
        action: action.to_owned(),
        outcome,
        engagement_id: subject.engagement,
        subject_kind: subject.kind.to_owned(),
        subject_id: subject.id,
        request_id: ctx.request_id,
        own_staff: subject.own_staff,
        detail: detail.to_string(),
        salt: None,
    }
}

/// Writes an entry with a fresh salt, and its commitment into the queue of the log.
async fn append(tx: &DatabaseTransaction, entry: Model, ctx: &Ctx) -> Result<()> {
    let salt: Salt = ctx.sources.random_bytes();
    let waiting = log_queue::ActiveModel {
        id: Set(entry.id),
        commitment: Set(canonical::Entry::from(&entry).commitment(&salt).to_vec()),
    };
    let entry = Model {
        salt: Some(salt.to_vec()),
        ..entry
    };
    Entity::insert(ActiveModel::from(entry).reset_all())
        .exec_without_returning(tx)
        .await?;
    log_queue::Entity::insert(waiting)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// What happened in an engagement, oldest first.
pub async fn list(ctx: &Ctx, db: &Db, engagement: EngagementId, args: &PageArgs) -> Result<Page<Model>> {
    authorize(ctx, Action::TrailRead)?;
    let select = Entity::find()
        .filter(Column::EngagementId.eq(engagement))
        .filter(told_to(ctx));
    Ok(page::by_id(select, Column::Id, false, args, db.reader()).await?)
}

/// What concerns own staff is told to its group alone. Who comments under a grant is not told of comments under others: what another body looks at is its own affair
/// (§ 96 (4) BHO). Their leaves are in the log like all others.
fn told_to(ctx: &Ctx) -> Condition {
    let hidden = !ctx.caller.scope(ctx.now()).holds_own_staff();
    let open = Condition::all().add_option(hidden.then(|| Column::OwnStaff.eq(false)));
    open.add(match &ctx.caller.grant {
        None => Condition::all(),
        Some(_) => Condition::any()
            .add(Column::SubjectKind.ne("Comment"))
            .add(Column::Membership.eq(ctx.caller.acting_as())),
    })
}

/// What happened to one thing that belongs to no engagement, oldest first. Whoever asks was shown the thing before.
pub(crate) async fn of_subject(
    db: &Db,
    kind: &'static str,
    id: Uuid,
    args: &PageArgs,
) -> Result<Page<Model>> {
    let select = Entity::find()
        .filter(Column::SubjectId.eq(id))
        .filter(Column::SubjectKind.eq(kind));
    Ok(page::by_id(select, Column::Id, false, args, db.reader()).await?)
}
