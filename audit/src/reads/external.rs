//! What a Bezirksstelle learns afterwards: which bodies from outside read its items.
//!
//! It is told once a grant has ended, and not at all where the grant withholds it (§ 96 (4) BHO) or as long as the engagement is
//! restricted. Only items that the Bezirksstelle sees are spoken of: those that were announced to it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::read_record::{Column, Entity, Kind, Model};
use entity::{
    BezirksstelleId, EngagementId, GrantId, ReadRecordId, SampleId, SampleItemId, Scope, StratumId,
    engagement, grant, sample_item,
};
use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use uuid::Uuid;

use crate::access::{Action, Class, authorize};
use crate::db::among;
use crate::grant::{Standing, details, standing};
use crate::{Ctx, Db, Result};

/// Records read at once.
const AT_ONCE: u64 = 500;

/// What was read of one item under one grant that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalRead {
    /// Number of the grant.
    pub grant: String,
    /// The recipient's body.
    pub body: String,
    /// Code of the legal basis.
    pub basis: String,
    /// When it was read first.
    pub first: DateTime<Utc>,
    /// When it was read last.
    pub last: DateTime<Utc>,
    /// Answers that held it.
    pub answers: u64,
    /// Downloads that may have held it: they keep no ids, so it is all of those that did not keep to another engagement, sample,
    /// Bezirksstelle or stratum.
    pub downloads: u64,
}

/// Who from outside read these items, of those the caller sees: by item, in the order of the grants.
pub async fn external_reads(
    ctx: &Ctx,
    db: &Db,
    ids: &[SampleItemId],
) -> Result<HashMap<SampleItemId, Vec<ExternalRead>>> {
    authorize(ctx, Action::ExternalReadList)?;
    let mut items = visible(db, &ctx.caller.scope(ctx.now()), ids).await?;
    let restricted = restricted(db, items.values().map(|item| item.engagement)).await?;
    items.retain(|_, item| !restricted.contains(&item.engagement));
    let mut found = HashMap::new();
    if items.is_empty() {
        return Ok(found);
    }
    let told = told(ctx, db).await?;
    let mut all = Told::default();
    let mut last = ReadRecordId(uuid::Uuid::nil());
    loop {
        let rows = records(db, &told, &items, last).await?;
        let Some(end) = rows.last() else { break };
        last = end.id;
        for row in &rows {
            all.add(row, &items);
        }
    }
    let no_reads = Reads::default();
    for row in &told {
        let shown = if all.downloads.contains_key(&row.id) {
            shown(db, row, &items).await?
        } else {
            Vec::new()
        };
        for (id, item) in &items {
            let mut reads = all.answers.get(&(row.id, *id)).unwrap_or(&no_reads).clone();
            let downloads = all.downloads.get(&row.id).filter(|_| shown.contains(id));
            let mut count = 0;
            for download in downloads.into_iter().flatten().filter(|one| one.may_hold(item)) {
                reads.span(download.at);
                count += 1;
            }
            let Some((first, last)) = reads.between else {
                continue;
            };
            found.entry(*id).or_insert_with(Vec::new).push(ExternalRead {
                grant: row.number.clone(),
                body: row.recipient_body.clone(),
                basis: row.basis.clone(),
                first,
                last,
                answers: reads.count,
                downloads: count,
            });
        }
    }
    Ok(found)
}

/// Answers that held one item.
#[derive(Clone, Debug, Default)]
struct Reads {
    count: u64,
    between: Option<(DateTime<Utc>, DateTime<Utc>)>,
}

impl Reads {
    fn span(&mut self, at: DateTime<Utc>) {
        let (first, last) = self.between.unwrap_or((at, at));
        self.between = Some((first.min(at), last.max(at)));
    }
}

/// A download that began.
struct Download {
    /// The engagement it kept to, if any.
    engagement: Option<EngagementId>,
    /// The sample, Bezirksstelle and stratum it kept to, if any.
    within: Vec<Uuid>,
    at: DateTime<Utc>,
}

impl Download {
    fn may_hold(&self, item: &Place) -> bool {
        self.engagement.is_none_or(|of| of == item.engagement)
            && self.within.iter().all(|of| item.within.contains(of))
    }
}

/// Where an item lies.
struct Place {
    engagement: EngagementId,
    /// Its sample, Bezirksstelle and stratum.
    within: [Uuid; 3],
}

/// What the records say.
#[derive(Default)]
struct Told {
    answers: BTreeMap<(GrantId, SampleItemId), Reads>,
    downloads: HashMap<GrantId, Vec<Download>>,
}

impl Told {
    fn add(&mut self, row: &Model, items: &BTreeMap<SampleItemId, Place>) {
        let Some(grant) = row.grant_id else { return };
        if row.kind == Kind::ExportBegun {
            let of = self.downloads.entry(grant).or_default();
            of.push(Download {
                engagement: row.engagement_id,
                within: row.objects().collect(),
                at: row.at,
            });
        }
        if row.kind != Kind::Answer || row.object_kind != "SampleItem" {
            return;
        }
        for id in row
            .objects()
            .map(SampleItemId)
            .filter(|id| items.contains_key(id))
        {
            let reads = self.answers.entry((grant, id)).or_default();
            reads.count += 1;
            reads.span(row.at);
        }
    }
}

async fn visible(db: &Db, scope: &Scope, ids: &[SampleItemId]) -> Result<BTreeMap<SampleItemId, Place>> {
    let rows: Vec<(SampleItemId, EngagementId, SampleId, BezirksstelleId, StratumId)> =
        sample_item::Entity::visible_to(scope)
            .filter(among(db.reader(), sample_item::Column::Id, ids.iter().copied()))
            .select_only()
            .column(sample_item::Column::Id)
            .column(sample_item::Column::EngagementId)
            .column(sample_item::Column::SampleId)
            .column(sample_item::Column::BezirksstelleId)
            .column(sample_item::Column::StratumId)
            .into_tuple()
            .all(db.reader())
            .await?;
    let place = |(id, engagement, sample, part, stratum): (_, _, SampleId, BezirksstelleId, StratumId)| {
        let within = [sample.0, part.0, stratum.0];
        (id, Place { engagement, within })
    };
    Ok(rows.into_iter().map(place).collect())
}

/// Those of the engagements that are restricted.
async fn restricted(
    db: &Db,
    engagements: impl Iterator<Item = EngagementId>,
) -> Result<HashSet<EngagementId>> {
    let rows: Vec<EngagementId> = engagement::Entity::find()
        .filter(among(db.reader(), engagement::Column::Id, engagements))
        .filter(engagement::Column::Restriction.is_not_null())
        .select_only()
        .column(engagement::Column::Id)
        .into_tuple()
        .all(db.reader())
        .await?;
    Ok(rows.into_iter().collect())
}

/// Grants that have ended and do not withhold what was read.
async fn told(ctx: &Ctx, db: &Db) -> Result<Vec<grant::Model>> {
    let rows = grant::Entity::find()
        .filter(grant::Column::ReadsWithheld.eq(false))
        .filter(grant::Column::State.is_in([grant::State::Issued, grant::State::Revoked]))
        .order_by_asc(grant::Column::Id)
        .all(db.reader())
        .await?;
    let ended =
        |row: &grant::Model| matches!(standing(row, ctx.now()), Standing::Revoked | Standing::Expired);
    Ok(rows.into_iter().filter(ended).collect())
}

async fn records(
    db: &Db,
    told: &[grant::Model],
    items: &BTreeMap<SampleItemId, Place>,
    after: ReadRecordId,
) -> Result<Vec<Model>> {
    let of_these = Condition::any().add(Column::EngagementId.is_null()).add(among(
        db.reads(),
        Column::EngagementId,
        items.values().map(|item| item.engagement),
    ));
    Ok(Entity::find()
        .filter(among(db.reads(), Column::GrantId, told.iter().map(|row| row.id)))
        .filter(Column::Kind.is_in([Kind::Answer, Kind::ExportBegun]))
        .filter(of_these)
        .filter(Column::Id.gt(after))
        .order_by_asc(Column::Id)
        .limit(AT_ONCE)
        .all(db.reads())
        .await?)
}

/// Those of the items that the grant shows.
async fn shown(
    db: &Db,
    row: &grant::Model,
    items: &BTreeMap<SampleItemId, Place>,
) -> Result<Vec<SampleItemId>> {
    let held = details(row)?;
    let scope = Scope::Grant {
        id: row.id,
        own_staff: held.classes.contains(Class::Personnel),
        coverage: Arc::new(held.coverage),
    };
    let ids: Vec<_> = items.keys().copied().collect();
    Ok(visible(db, &scope, &ids).await?.into_keys().collect())
}
