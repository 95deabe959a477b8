//! What is visible under a grant, as counts and roots.
//!
//! A statement says for each list how many rows the grant shows, and the root of a tree over their ids and versions. It is
//! kept in the trail, and so in the log: whoever fetched the rows computes the same root from them, and nobody can say later
//! that it was another one. A root is made like this:
//!
//! ```text
//! row   = id (16 bytes, the UUID in the order of RFC 9562) || version (4 bytes, big-endian)
//! leaf  = SHA-256(0x00 || row)
//! root  = the Merkle tree hash of RFC 6962 section 2.1 over the leaves, rows ascending by the bytes of their id;
//!         of no rows: SHA-256 of nothing
//! ```
//!
//! The id is the second part of an API id: the base64url text `SampleItem:<UUID>`. Lists: `ENGAGEMENTS`, `SAMPLES`,
//! `SAMPLE_ITEMS`; `CHECKS` where the grant shows the class AUDIT; `POPULATIONS` where it is an inspection of whole engagements
//! besides. The version of a sample item counts as 0 where the grant does not show AUDIT.

use chrono::{DateTime, Utc};
use entity::grant::{Column, Entity, Model};
use entity::{GrantId, Scope, engagement, item_check, population, sample, sample_item};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select};
use serde::Serialize;
use serde_json::json;
use std::sync::Arc;
use uuid::Uuid;

use super::service::details;
use crate::access::{Action, Class, Granted, authorize_write};
use crate::trail::merkle::{TreeHasher, leaf_hash};
use crate::trail::{self, Subject};
use crate::{Code, Ctx, Db, Error, Result};

/// What is visible of one list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Visible {
    /// Name of the list.
    pub list: &'static str,
    /// Rows.
    pub count: u64,
    /// Root over them.
    #[serde(serialize_with = "hex::serde::serialize")]
    pub root: [u8; 32],
}

/// What is visible under a grant, at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The grant.
    pub grant: GrantId,
    /// When.
    pub at: DateTime<Utc>,
    /// Each list.
    pub lists: Vec<Visible>,
}

/// States what is visible under a grant, as it is stored: for its holder under the grant itself, for whoever administers
/// grants under any.
pub async fn state(ctx: &Ctx, db: &Db, id: GrantId) -> Result<Statement> {
    let permit = authorize_write(ctx, db, Action::VisibilityState).await?;
    if ctx.caller.grant.as_ref().is_some_and(|held| held.id != id) {
        return Err(Error::refused(Code::NotFound, "input.grantId"));
    }
    let tx = db.begin_write().await?;
    let row = Entity::visible_to(&ctx.caller.grants())
        .filter(Column::Id.eq(id))
        .one(&tx)
        .await?
        .ok_or_else(|| Error::refused(Code::NotFound, "input.grantId"))?;
    let stated = statement(&tx, ctx, &row).await?;
    trail::record(
        &tx,
        ctx,
        &permit,
        Subject::apart("Grant", id.0),
        json!({ "lists": stated.lists }),
    )
    .await?;
    tx.commit().await?;
    Ok(stated)
}

async fn statement(tx: &DatabaseTransaction, ctx: &Ctx, row: &Model) -> Result<Statement> {
    let held = details(row)?;
    // Whoever changes what hangs on an engagement locks it first: while it is locked here, the lists belong together.
    for id in &held.coverage.engagements {
        engagement::Entity::find_by_id(*id)
            .lock_exclusive()
            .one(tx)
            .await?;
    }
    let grant = Granted {
        id: row.id,
        kind: row.kind,
        coverage: Arc::new(held.coverage),
        classes: held.classes,
        recipient_name: String::new(),
    };
    let papers = grant.classes.contains(Class::Audit);
    let scope = Scope::Grant {
        id: row.id,
        coverage: grant.coverage.clone(),
        own_staff: grant.classes.contains(Class::Personnel),
    };
    let mut lists = vec![
        visible(
            tx,
            "ENGAGEMENTS",
            engagement::Entity::visible_to(&scope),
            engagement::Column::Id,
            Some(engagement::Column::Version),
        )
        .await?,
        visible(
            tx,
            "SAMPLES",
            sample::Entity::visible_to(&scope),
            sample::Column::Id,
            Some(sample::Column::Version),
        )
        .await?,
        visible(
            tx,
            "SAMPLE_ITEMS",
            sample_item::Entity::visible_to(&scope),
            sample_item::Column::Id,
            papers.then_some(sample_item::Column::Version),
        )
        .await?,
    ];
    if papers && grant.permits(Action::CheckRead) {
        lists.push(
            visible(
                tx,
                "CHECKS",
                item_check::Entity::visible_to(&scope),
                item_check::Column::Id,
                Some(item_check::Column::Version),
            )
            .await?,
        );
    }
    if papers && grant.permits(Action::PopulationRead) {
        lists.push(
            visible(
                tx,
                "POPULATIONS",
                population::Entity::visible_to(&scope),
                population::Column::Id,
                Some(population::Column::Version),
            )
            .await?,
        );
    }
    Ok(Statement {
        grant: row.id,
        at: ctx.now(),
        lists,
    })
}

async fn visible<E: EntityTrait>(
    tx: &DatabaseTransaction,
    list: &'static str,
    select: Select<E>,
    id: E::Column,
    version: Option<E::Column>,
) -> Result<Visible> {
    let select = select.select_only().column(id);
    let select = match version {
        Some(column) => select.column_as(column, "version"),
        None => select.column_as(Expr::val(0_i32), "version"),
    };
    let rows: Vec<(Uuid, i32)> = select.order_by_asc(id).into_tuple().all(tx).await?;
    Ok(Visible {
        list,
        count: rows.len() as u64,
        root: root(&rows),
    })
}

/// The root over rows that ascend by id.
fn root(rows: &[(Uuid, i32)]) -> [u8; 32] {
    let mut tree = TreeHasher::new();
    for (id, version) in rows {
        let mut row = [0; 20];
        row[..16].copy_from_slice(id.as_bytes());
        row[16..].copy_from_slice(&version.to_be_bytes());
        tree.push(leaf_hash(&row));
    }
    tree.root()
}

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::*;

    #[test]
    fn a_root_is_made_as_the_page_says() {
        assert_eq!(root(&[])[..], Sha256::digest([])[..]);
        let one = [&[0_u8][..], &[7; 16], &[0, 0, 0, 3]].concat();
        let two = [&[0_u8][..], &[9; 16], &[0, 0, 1, 0]].concat();
        let leaves = [Sha256::digest(&one), Sha256::digest(&two)];
        assert_eq!(root(&[(Uuid::from_bytes([7; 16]), 3)])[..], leaves[0][..]);
        let node = [&[1_u8][..], &leaves[0], &leaves[1]].concat();
        let rows = [(Uuid::from_bytes([7; 16]), 3), (Uuid::from_bytes([9; 16]), 256)];
        assert_eq!(root(&rows)[..], Sha256::digest(node)[..]);
    }
}
