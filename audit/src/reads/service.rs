//! Making records of answers and downloads, and listing them.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, Utc};
use entity::engagement::Function;
use entity::read_record::{Column, Entity, Kind, Model};
use entity::{EngagementId, GrantId, ReadRecordId, Scope, engagement, sample_item};
use sea_orm::sea_query::{Expr, ExprTrait as _, IntoCondition as _};
use sea_orm::{ColumnTrait, Condition, EntityTrait, PaginatorTrait as _, QueryFilter, QuerySelect, Select};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::notes::Noted;
use super::writer::KeepsReads;
use crate::access::{Action, Class, Classes, authorize_write};
use crate::db::among;
use crate::page::{self, Page, PageArgs};
use crate::refusal::optional_text;
use crate::trail::{self, Subject};
use crate::{Ctx, Db, Error, Result};

/// Longest subject somebody is looked for by.
pub(crate) const MAX_ACTOR: usize = 500;

/// Names an operation: SHA-256 over the document as it was sent (UTF-8), a zero byte, and the name of the operation chosen
/// in it (nothing where the document has but one without a name). Variables are not part of it. Of a download, the
/// document is its address without parameters: `GET /exports/sample-items.csv`.
pub fn operation_hash(document: &str, operation: Option<&str>) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(document);
    hash.update([0]);
    hash.update(operation.unwrap_or_default());
    hash.finalize().into()
}

/// Makes records durable, and knows the purpose of each engagement.
pub struct Reads {
    db: Db,
    keeps: Box<dyn KeepsReads>,
    // The function of an engagement never changes.
    purposes: RwLock<HashMap<EngagementId, Function>>,
}

impl fmt::Debug for Reads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reads")
    }
}

/// What was asked for and gives away [`super::RECORDED`] classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Those of the classes that are recorded.
    pub classes: Classes,
    /// See [`operation_hash`].
    pub operation: [u8; 32],
}

impl Reads {
    /// Records of this database's content, kept there or elsewhere.
    pub fn new(db: Db, keeps: impl KeepsReads) -> Arc<Self> {
        Arc::new(Self {
            db,
            keeps: Box::new(keeps),
            purposes: RwLock::default(),
        })
    }

    /// Returns once the records of an answer are durable: one for each engagement it read in.
    pub async fn answered(&self, ctx: &Ctx, asked: &Asked, noted: &[Noted]) -> Result<()> {
        let mut records = Vec::new();
        for part in noted.chunk_by(|a, b| (a.engagement, a.kind) == (b.engagement, b.kind)) {
            let ids = || part.iter().map(|noted| noted.id).filter(|id| !id.is_nil());
            records.push(Model {
                engagement_id: Some(part[0].engagement),
                purpose: self.purpose(part[0].engagement).await?,
                object_kind: part[0].kind.to_owned(),
                object_count: count(ids().count()),
                object_ids: ids().flat_map(Uuid::into_bytes).collect(),
                ..record(ctx, asked, Kind::Answer)
            });
        }
        if records.is_empty() {
            records.push(record(ctx, asked, Kind::Answer));
        }
        self.keeps.keep(records).await
    }

    /// Returns once the record of a beginning download is durable. `query` says what is asked for, without texts that are
    /// searched for; `engagement` is the one it keeps to, if any, `within` the sample, Bezirksstelle and stratum.
    pub async fn begin_export(
        &self,
        ctx: &Ctx,
        asked: Asked,
        query: &str,
        engagement: Option<EngagementId>,
        within: &[Uuid],
    ) -> Result<Export> {
        let purpose = match engagement {
            Some(engagement) => self.purpose(engagement).await?,
            None => None,
        };
        let begun = Model {
            engagement_id: engagement,
            purpose,
            query: Some(text(query)),
            object_ids: within.iter().flat_map(|id| *id.as_bytes()).collect(),
            ..record(ctx, &asked, Kind::ExportBegun)
        };
        self.keeps.keep(vec![begun]).await?;
        Ok(Export {
            asked,
            query: text(query),
            objects: BTreeSet::new(),
        })
    }

    /// Returns once the records of a complete download are durable: one for each engagement it read in. To be called before
    /// its last part leaves.
    pub async fn end_export(&self, ctx: &Ctx, export: Export) -> Result<()> {
        let objects: Vec<Noted> = export.objects.iter().copied().collect();
        let mut records = Vec::new();
        for part in objects.chunk_by(|a, b| (a.engagement, a.kind) == (b.engagement, b.kind)) {
            records.push(Model {
                engagement_id: Some(part[0].engagement),
                purpose: self.purpose(part[0].engagement).await?,
                object_kind: part[0].kind.to_owned(),
                ..ended(ctx, &export, count(part.len()), digest(part))
            });
        }
        if records.is_empty() {
            records.push(ended(ctx, &export, 0, digest(&[])));
        }
        self.keeps.keep(records).await
    }

    /// The same for a download that counted and hashed by itself, of one engagement and kind: SHA-256 over the ids of what left,
    /// 16 bytes each, ascending.
    pub async fn end_whole(
        &self,
        ctx: &Ctx,
        export: Export,
        engagement: EngagementId,
        kind: &str,
        objects: u64,
        digest: Vec<u8>,
    ) -> Result<()> {
        let record = Model {
            engagement_id: Some(engagement),
            purpose: self.purpose(engagement).await?,
            object_kind: kind.to_owned(),
            ..ended(ctx, &export, i64::try_from(objects).unwrap_or(i64::MAX), digest)
        };
        self.keeps.keep(vec![record]).await
    }

    async fn purpose(&self, id: EngagementId) -> Result<Option<String>> {
        let word = |function: Function| function.as_str().to_owned();
        if let Some(function) = self.known_purpose(id) {
            return Ok(Some(word(function)));
        }
        let found = engagement::Entity::visible_to(&Scope::Everything)
            .filter(engagement::Column::Id.eq(id))
            .one(self.db.reader())
            .await?;
        let Some(row) = found else { return Ok(None) };
        self.purposes
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(id, row.function);
        Ok(Some(word(row.function)))
    }
}

impl Reads {
    fn known_purpose(&self, id: EngagementId) -> Option<Function> {
        let known = self.purposes.read().unwrap_or_else(PoisonError::into_inner);
        known.get(&id).copied()
    }
}

/// A download on its way: some fifty bytes are kept of each object until the end, for the digest. Samples are small.
#[derive(Debug)]
pub struct Export {
    asked: Asked,
    query: String,
    objects: BTreeSet<Noted>,
}

impl Export {
    /// Adds what is about to leave.
    pub fn add(&mut self, noted: Vec<Noted>) {
        self.objects.extend(noted);
    }
}

/// A record of the caller, still without objects.
fn record(ctx: &Ctx, asked: &Asked, kind: Kind) -> Model {
    let classes: Vec<&str> = asked.classes.iter().map(Class::as_str).collect();
    Model {
        id: ReadRecordId(ctx.new_id()),
        at: ctx.now(),
        kind,
        request_id: ctx.request_id,
        actor: text(&ctx.caller.subject),
        membership: ctx
            .caller
            .membership
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        grant_id: ctx.caller.grant.as_ref().map(|grant| grant.id),
        engagement_id: None,
        purpose: None,
        classes: classes.join(" "),
        operation_hash: asked.operation.to_vec(),
        query: None,
        object_kind: String::new(),
        object_count: 0,
        object_ids: Vec::new(),
        object_digest: None,
    }
}

/// The record of a download that is complete, still without its engagement.
fn ended(ctx: &Ctx, export: &Export, objects: i64, digest: Vec<u8>) -> Model {
    Model {
        query: Some(export.query.clone()),
        object_count: objects,
        object_digest: Some(digest),
        ..record(ctx, &export.asked, Kind::ExportEnded)
    }
}

/// SHA-256 over the ids, in their order.
fn digest(objects: &[Noted]) -> Vec<u8> {
    let mut digest = Sha256::new();
    for noted in objects {
        digest.update(noted.id.as_bytes());
    }
    digest.finalize().to_vec()
}

/// PostgreSQL takes no NUL, and one such text must not keep the records of others from being written.
fn text(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

fn count(objects: usize) -> i64 {
    i64::try_from(objects).unwrap_or(i64::MAX)
}

/// Which records are listed; what is not named does not restrict.
#[derive(Clone, Debug, Default)]
pub struct ReadFilter {
    /// In this engagement.
    pub engagement: Option<EngagementId>,
    /// By this subject.
    pub actor: Option<String>,
    /// Under this grant.
    pub grant: Option<GrantId>,
    /// In this request.
    pub request: Option<Uuid>,
    /// Answers that held this object. Downloads keep a digest, no ids: ask for those of its engagement.
    pub object: Option<Uuid>,
    /// Answers or downloads.
    pub kind: Option<Kind>,
    /// Made at this time or later.
    pub from: Option<DateTime<Utc>>,
    /// Made before this time.
    pub until: Option<DateTime<Utc>>,
}

/// The records that match, for whoever has the right to them by other means.
pub fn matching(db: &Db, filter: &ReadFilter) -> Select<Entity> {
    let object = filter.object.map(|id| {
        let place = if db.is_postgres() {
            "position($1 IN \"read_record\".\"object_ids\")"
        } else {
            "instr(\"read_record\".\"object_ids\", ?)"
        };
        // Ids are 16 bytes each: only there does one begin.
        let place = Expr::cust_with_values(place, [id.into_bytes().to_vec()]);
        place.modulo(16).eq(1).into_condition()
    });
    Entity::find().filter(
        Condition::all()
            .add_option(filter.engagement.map(|id| Column::EngagementId.eq(id)))
            .add_option(filter.actor.as_ref().map(|actor| Column::Actor.eq(actor)))
            .add_option(filter.grant.map(|id| Column::GrantId.eq(id)))
            .add_option(filter.request.map(|id| Column::RequestId.eq(id)))
            .add_option(filter.kind.map(|kind| Column::Kind.eq(kind)))
            .add_option(filter.from.map(|from| Column::At.gte(from)))
            .add_option(filter.until.map(|until| Column::At.lt(until)))
            .add_option(object),
    )
}

/// Read records, newest first; the count only where asked for.
///
/// Looking at them is itself a look at what the own staff does: each page leaves an entry in the trail with the filter.
/// The entry belongs to no engagement, so that whoever works in one does not learn of an inquiry.
pub async fn list(
    ctx: &Ctx,
    db: &Db,
    filter: &ReadFilter,
    args: &PageArgs,
    counted: bool,
) -> Result<(Page<Model>, Option<u64>)> {
    let permit = authorize_write(ctx, db, Action::ReadRecordList).await?;
    let named = filter
        .actor
        .as_deref()
        .and_then(|actor| optional_text("filter.actor", actor, MAX_ACTOR));
    if let Some(refusal) = named {
        return Err(Error::Refused(vec![refusal]));
    }
    let tx = db.begin_write().await?;
    let subject = Subject::all("ReadRecord");
    let detail = json!({
        "engagement": filter.engagement, "actor": filter.actor, "grant": filter.grant, "request": filter.request,
        "object": filter.object, "kind": filter.kind, "from": filter.from, "until": filter.until,
    });
    trail::record(&tx, ctx, &permit, subject, detail).await?;
    tx.commit().await?;

    let mut filter = filter.clone();
    if let (Some(object), None) = (filter.object, filter.engagement) {
        // Records are found by their engagement, and it is the object's.
        filter.engagement = match engagement_of(db, object).await? {
            Some(engagement) => Some(engagement),
            // No engagement has the nil id: what nobody knows was not read.
            None => Some(EngagementId(Uuid::nil())),
        };
    }
    let select = matching(db, &filter);
    let total = if counted {
        Some(select.clone().count(db.reads()).await?)
    } else {
        None
    };
    let page = page::by_id(select, Column::Id, true, args, db.reads()).await?;
    Ok((page, total))
}

async fn engagement_of(db: &Db, item: Uuid) -> Result<Option<EngagementId>> {
    Ok(sample_item::Entity::visible_to(&Scope::Everything)
        .filter(among(db.reader(), sample_item::Column::Id, [item]))
        .select_only()
        .column(sample_item::Column::EngagementId)
        .into_tuple()
        .one(db.reader())
        .await?)
}
