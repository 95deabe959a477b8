//! Notices: what those concerned are told, in their inboxes. They name the deadline by its number and never say what it is about.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::deadline;
use entity::notice::{ActiveModel, Column, Entity, Inbox, Kind, Model};
use entity::{BezirksstelleId, NoticeId, notice_read};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, DatabaseTransaction, EntityTrait as _, PaginatorTrait as _,
    QueryFilter as _, QuerySelect as _, QueryTrait as _, Set,
};

use crate::access::{Action, Role, authorize, authorize_write};
use crate::db::among;
use crate::page::{self, Page, PageArgs};
use crate::{Code, Ctx, Db, Error, Result};

/// Whom a notice is for.
pub(super) enum For<'a> {
    Person(&'a str),
    Role(Role, Option<BezirksstelleId>),
}

/// Who set the deadline.
pub(super) fn setter(row: &deadline::Model) -> For<'_> {
    For::Person(&row.set_by)
}

/// Writes a notice about a deadline.
pub(super) async fn tell(
    tx: &DatabaseTransaction,
    ctx: &Ctx,
    row: &deadline::Model,
    kind: Kind,
    to: For<'_>,
) -> Result<()> {
    let (subject, role, place) = match to {
        For::Person(subject) => (Some(subject.to_owned()), None, None),
        For::Role(role, place) => (None, Some(role.as_str().to_owned()), place),
    };
    ActiveModel {
        id: Set(NoticeId(ctx.new_id())),
        engagement_id: Set(row.engagement_id),
        deadline_id: Set(row.id),
        number: Set(row.number.clone()),
        kind: Set(kind),
        ends_on: Set(row.ends_on),
        to_subject: Set(subject),
        to_role: Set(role),
        bezirksstelle_id: Set(place),
        at: Set(ctx.now()),
    }
    .insert(tx)
    .await?;
    Ok(())
}

/// Tells whom the deadline is set for: the people of its Bezirksstelle, or who set it for the own house.
pub(super) async fn tell_addressee(
    tx: &DatabaseTransaction,
    ctx: &Ctx,
    row: &deadline::Model,
    kind: Kind,
) -> Result<()> {
    match row.bezirksstelle_id {
        None => tell(tx, ctx, row, kind, setter(row)).await,
        Some(place) => {
            for role in [Role::Bezirksstellenleitung, Role::Sachbearbeitung] {
                tell(tx, ctx, row, kind, For::Role(role, Some(place))).await?;
            }
            Ok(())
        }
    }
}

/// The caller's inbox. Who comes under a grant has none.
fn inbox(ctx: &Ctx) -> Option<Inbox> {
    let caller = &ctx.caller;
    if caller.grant.is_some() {
        return None;
    }
    let role = caller.role()?;
    Some(Inbox {
        subject: role.audits().then(|| caller.subject.clone()),
        role: role.as_str().to_owned(),
        bezirksstelle: caller.bezirksstelle,
    })
}

/// A notice, and when the caller read it.
#[derive(Clone, Debug)]
pub struct Told {
    /// The notice.
    pub row: Model,
    /// When the caller marked it as read.
    pub read_at: Option<DateTime<Utc>>,
}

/// The caller's inbox, newest first. The count only where asked for.
pub async fn notices(
    ctx: &Ctx,
    db: &Db,
    unread: bool,
    args: &PageArgs,
    counted: bool,
) -> Result<(Page<Told>, Option<u64>)> {
    authorize(ctx, Action::NoticeRead)?;
    let mut select = Entity::visible_to(inbox(ctx).as_ref());
    if unread {
        let read = notice_read::Entity::find()
            .filter(notice_read::Column::Reader.eq(&ctx.caller.subject))
            .select_only()
            .column(notice_read::Column::NoticeId)
            .into_query();
        select = select.filter(Column::Id.not_in_subquery(read));
    }
    let total = if counted {
        Some(select.clone().count(db.reader()).await?)
    } else {
        None
    };
    let page = page::by_id(select, Column::Id, true, args, db.reader()).await?;
    let ids = page.rows.iter().map(|row| row.id);
    let marks = notice_read::Entity::find()
        .filter(notice_read::Column::Reader.eq(&ctx.caller.subject))
        .filter(among(db.reader(), notice_read::Column::NoticeId, ids))
        .all(db.reader())
        .await?;
    let marks: HashMap<NoticeId, DateTime<Utc>> =
        marks.into_iter().map(|mark| (mark.notice_id, mark.at)).collect();
    let told = |row: Model| Told {
        read_at: marks.get(&row.id).copied(),
        row,
    };
    Ok((
        Page {
            rows: page.rows.into_iter().map(told).collect(),
            has_previous: page.has_previous,
            has_next: page.has_next,
        },
        total,
    ))
}

/// Marks a notice as read by the caller; a second time nothing changes. No entry of the trail: it is the caller's own desk.
pub async fn mark_read(ctx: &Ctx, db: &Db, id: NoticeId) -> Result<Told> {
    authorize_write(ctx, db, Action::NoticeRead).await?;
    let tx = db.begin_write().await?;
    let visible = Entity::visible_to(inbox(ctx).as_ref()).filter(Column::Id.eq(id));
    let row = visible.one(&tx).await?;
    let row = row.ok_or_else(|| Error::refused(Code::NotFound, "input.id"))?;
    let key = (id, ctx.caller.subject.clone());
    let marked = notice_read::Entity::find_by_id(key.clone()).one(&tx).await?;
    let mark = if let Some(mark) = marked {
        mark
    } else {
        let mark = notice_read::ActiveModel {
            notice_id: Set(key.0),
            reader: Set(key.1),
            at: Set(ctx.now()),
        };
        mark.insert(&tx).await?
    };
    tx.commit().await?;
    Ok(Told {
        row,
        read_at: Some(mark.at),
    })
}
