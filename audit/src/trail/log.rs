//! The log in the database: the sequencer that gives entries their place, and what is read from it.
//!
//! # Order
//!
//! An entry's commitment waits in `log_queue`, written in the transaction of the entry. The sequencer takes what is committed, in
//! the order in which it was written (entries of one row are written under its lock: theirs is the order of what happened, whatever
//! the clocks of the instances), and in one transaction makes it leaves with the next free numbers, writes the hashes of the subtrees
//! that this completes, signs the checkpoint, and empties the queue. A transaction that commits later finds its place later: it
//! is neither lost nor put before what was signed. What is interrupted has not happened.
//!
//! On PostgreSQL one instance sequences at a time: an advisory lock, held for the transaction and released by the database
//! whatever becomes of the instance, is its lease; the others pass the turn. On SQLite the one writer is the lock.
//!
//! A turn reads the last checkpoint, the roots along the right edge of the tree and the queue; its cost does not grow with the log.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Write;
use std::ops::Range;

use entity::{TrailEntryId, log_checkpoint, log_leaf, log_node, log_queue, trail_entry};
use sea_orm::sea_query::{Expr, SimpleExpr};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseBackend, DatabaseTransaction, EntityTrait, Order,
    QueryFilter, QueryOrder, QuerySelect, Set, Statement,
};

use super::checkpoint::{Checkpoint, ConsistencyProof, InclusionProof};
use super::cosigned::cosigned_note;
use super::export::{Header, Line};
use super::merkle::{Hash, Node, TreeHasher, fold, leaf_hash, subtrees};
use super::note::{SigningKey, VerifierKey};
use super::proof;
use super::tile::Tile;
use crate::access::{Action, authorize};
use crate::db::among;
use crate::{Ctx, Db, Error, Result, Sources};

/// Lock of the sequencer.
const GATE: i64 = 0x50_03;

/// Leaves of one turn: what one statement's parameters hold on both databases.
const BATCH: u64 = 2_000;

/// The key that signs, and all keys by which this log's checkpoints may be signed.
#[derive(Debug)]
pub struct LogKeys {
    signer: SigningKey,
    known: Vec<VerifierKey>,
}

impl LogKeys {
    /// The signing key, and the keys before it.
    pub fn new(signer: SigningKey, earlier: impl IntoIterator<Item = VerifierKey>) -> Self {
        let mut known = vec![signer.verifier().clone()];
        for key in earlier {
            if !known.contains(&key) {
                known.push(key);
            }
        }
        Self { signer, known }
    }

    /// All keys, the one that signs first.
    pub fn known(&self) -> &[VerifierKey] {
        &self.known
    }

    fn id(&self) -> String {
        self.signer.verifier().id().to_string()
    }
}

/// Gives all waiting entries their place, and says how many there were. A checkpoint is signed where the log has grown, where
/// there is none yet, and where the last one is by an earlier key.
pub async fn integrate(sources: &Sources, db: &Db, keys: &LogKeys) -> Result<u64> {
    let mut appended = 0;
    // Looking first keeps an idle service from asking for the write lock every time.
    while is_due(db, keys).await? {
        match turn(sources, db, keys).await? {
            Some(count) => appended += count,
            None => break,
        }
    }
    Ok(appended)
}

async fn is_due(db: &Db, keys: &LogKeys) -> Result<bool> {
    if log_queue::Entity::find()
        .limit(1)
        .one(db.reader())
        .await?
        .is_some()
    {
        return Ok(true);
    }
    Ok(latest_checkpoint(db)
        .await?
        .is_none_or(|last| last.key_id != keys.id()))
}

/// One turn; none where another instance has it.
async fn turn(sources: &Sources, db: &Db, keys: &LogKeys) -> Result<Option<u64>> {
    let tx = db.begin_write().await?;
    let outcome = take_turn(&tx, sources, keys).await;
    // Ended here, whatever came of it: one that is dropped keeps its turn until the pool has rolled it back.
    match outcome {
        Ok(_) => tx.commit().await?,
        Err(_) => tx.rollback().await?,
    }
    outcome
}

async fn take_turn(tx: &DatabaseTransaction, sources: &Sources, keys: &LogKeys) -> Result<Option<u64>> {
    if !is_mine(tx).await? {
        return Ok(None);
    }
    let last = newest(tx).await?;
    let mut tree = match &last {
        None => TreeHasher::new(),
        Some(last) => resume(tx, last, keys).await?,
    };
    let waiting = log_queue::Entity::find()
        .order_by(arrival(tx), Order::Asc)
        .limit(BATCH)
        .all(tx)
        .await?;
    if waiting.is_empty() && last.as_ref().is_some_and(|last| last.key_id == keys.id()) {
        return Ok(Some(0));
    }
    append(tx, &mut tree, &waiting).await?;
    let checkpoint = Checkpoint {
        origin: keys.signer.verifier().name().to_owned(),
        size: tree.leaves(),
        root: tree.root(),
    };
    let signed = log_checkpoint::ActiveModel {
        number: Set(last.map_or(0, |last| last.number) + 1),
        size: Set(signed(checkpoint.size)?),
        root: Set(checkpoint.root.to_vec()),
        key_id: Set(keys.id()),
        at: Set(sources.now()),
        note: Set(keys.signer.sign(&checkpoint.to_string())),
    };
    log_checkpoint::Entity::insert(signed)
        .exec_without_returning(tx)
        .await?;
    Ok(Some(waiting.len() as u64))
}

/// In what order waiting entries were written: by a number of their own on PostgreSQL, by that of the row on SQLite.
pub(super) fn arrival(db: &impl ConnectionTrait) -> SimpleExpr {
    Expr::cust(match db.get_database_backend() {
        DatabaseBackend::Postgres => "log_queue.arrival",
        _ => "log_queue.rowid",
    })
}

async fn is_mine(tx: &DatabaseTransaction) -> Result<bool> {
    if tx.get_database_backend() != DatabaseBackend::Postgres {
        return Ok(true);
    }
    let statement = Statement::from_string(
        DatabaseBackend::Postgres,
        format!("SELECT pg_try_advisory_xact_lock({GATE}) AS mine"),
    );
    match tx.query_one_raw(statement).await? {
        Some(row) => Ok(row.try_get("", "mine")?),
        None => Ok(false),
    }
}

/// The tree as the last checkpoint signed it. What does not fit together is not signed over.
async fn resume(
    tx: &DatabaseTransaction,
    last: &log_checkpoint::Model,
    keys: &LogKeys,
) -> Result<TreeHasher> {
    let checkpoint = Checkpoint::open(&last.note, &keys.known).map_err(|error| {
        Error::internal(format!(
            "checkpoint {} of the log: {error}; if the signing key was replaced, name the earlier key in log.verifier_keys",
            last.number
        ))
    })?;
    if checkpoint.origin != keys.signer.verifier().name() {
        return Err(Error::internal(format!(
            "the log is called {}, the signing key {}: make the new key with the name of the log",
            checkpoint.origin,
            keys.signer.verifier().name()
        )));
    }
    let edge = subtrees(0..checkpoint.size);
    let found = nodes(tx, edge.iter().copied()).await?;
    let hashes: Option<Vec<Hash>> = edge.iter().map(|node| found.get(node).copied()).collect();
    let tree = hashes.and_then(|hashes| TreeHasher::resume(checkpoint.size, hashes));
    match tree {
        Some(tree)
            if tree.root() == checkpoint.root
                && last.root == checkpoint.root
                && unsigned(last.size) == checkpoint.size =>
        {
            Ok(tree)
        }
        _ => Err(Error::internal(format!(
            "the tables of the log do not match checkpoint {}: nothing is signed until a backup that does is restored",
            last.number
        ))),
    }
}

async fn append(tx: &DatabaseTransaction, tree: &mut TreeHasher, waiting: &[log_queue::Model]) -> Result<()> {
    if waiting.is_empty() {
        return Ok(());
    }
    let (mut leaves, mut hashes) = (Vec::new(), Vec::new());
    for row in waiting {
        leaves.push(log_leaf::ActiveModel {
            idx: Set(signed(tree.leaves())?),
            entry_id: Set(row.id),
            commitment: Set(row.commitment.clone()),
        });
        tree.push_told(leaf_hash(&row.commitment), |node, hash| hashes.push((node, hash)));
    }
    let hashes = hashes
        .into_iter()
        .map(|(node, hash)| {
            Ok(log_node::ActiveModel {
                level: Set(level(node)),
                idx: Set(signed(node.index)?),
                hash: Set(hash.to_vec()),
            })
        })
        .collect::<Result<Vec<_>>>()?;
    log_leaf::Entity::insert_many(leaves)
        .exec_without_returning(tx)
        .await?;
    log_node::Entity::insert_many(hashes)
        .exec_without_returning(tx)
        .await?;
    log_queue::Entity::delete_many()
        .filter(among(
            tx,
            log_queue::Column::Id,
            waiting.iter().map(|row| row.id.0),
        ))
        .exec(tx)
        .await?;
    Ok(())
}

async fn newest(db: &impl ConnectionTrait) -> Result<Option<log_checkpoint::Model>> {
    Ok(log_checkpoint::Entity::find()
        .order_by_desc(log_checkpoint::Column::Number)
        .limit(1)
        .one(db)
        .await?)
}

/// The last checkpoint; none before the first one.
pub async fn latest_checkpoint(db: &Db) -> Result<Option<log_checkpoint::Model>> {
    newest(db.reader()).await
}

/// The last checkpoint that was signed at this size.
pub async fn checkpoint_at(db: &Db, size: i64) -> Result<Option<log_checkpoint::Model>> {
    Ok(log_checkpoint::Entity::find()
        .filter(log_checkpoint::Column::Size.eq(size))
        .order_by_desc(log_checkpoint::Column::Number)
        .limit(1)
        .one(db.reader())
        .await?)
}

/// The bytes of a tile; none where the tree does not reach so far.
pub async fn tile_hashes(db: &Db, tile: Tile) -> Result<Option<Vec<u8>>> {
    let Some((first, range)) = place(tile) else {
        return Ok(None);
    };
    let rows = log_node::Entity::find()
        .filter(log_node::Column::Level.eq(level(first)))
        .filter(log_node::Column::Idx.between(range.start, range.end))
        .order_by_asc(log_node::Column::Idx)
        .all(db.reader())
        .await?;
    let whole = rows.len() as u64 == tile.width;
    Ok(whole.then(|| rows.into_iter().flat_map(|row| row.hash).collect()))
}

/// The bytes of a bundle of entries: each commitment after its length as an unsigned 16-bit big-endian number.
pub async fn entries(db: &Db, bundle: Tile) -> Result<Option<Vec<u8>>> {
    let Some((_, range)) = place(bundle) else {
        return Ok(None);
    };
    let rows = log_leaf::Entity::find()
        .filter(log_leaf::Column::Idx.between(range.start, range.end))
        .order_by_asc(log_leaf::Column::Idx)
        .all(db.reader())
        .await?;
    let whole = rows.len() as u64 == bundle.width;
    Ok(whole.then(|| {
        rows.into_iter()
            .flat_map(|row| [vec![0, 32], row.commitment].concat())
            .collect()
    }))
}

/// A tile's first node, and the first and last index in the database.
fn place(tile: Tile) -> Option<(Node, Range<i64>)> {
    let first = tile.first()?;
    let start = i64::try_from(first.index).ok()?;
    let end = i64::try_from(first.index.checked_add(tile.width - 1)?).ok()?;
    Some((first, start..end))
}

/// An entry with its place in the log and the proof of it.
#[derive(Debug, Clone)]
pub struct Placed {
    /// The leaf.
    pub leaf: log_leaf::Model,
    /// The proof, which leads to the last checkpoint and opens nothing.
    pub proof: InclusionProof,
}

impl Placed {
    /// The entry as a line of an export.
    pub fn line(&self, entry: &trail_entry::Model) -> Line {
        Line::new(&self.leaf, Some(entry))
    }

    /// The proof with what opens the commitment, unless the salt was erased.
    pub fn opened(&self, entry: &trail_entry::Model) -> InclusionProof {
        InclusionProof {
            opening: self.line(entry).opening(),
            ..self.proof.clone()
        }
    }
}

/// Proofs of entries, each against the last checkpoint. Entries without a place in it yet are left out.
pub async fn proofs(ctx: &Ctx, db: &Db, ids: &[TrailEntryId]) -> Result<Vec<Placed>> {
    // Entries of a grant are shown to whoever sees the grant.
    authorize(ctx, Action::TrailRead).or_else(|_| authorize(ctx, Action::GrantRead))?;
    let leaves = log_leaf::Entity::find()
        .filter(among(
            db.reader(),
            log_leaf::Column::EntryId,
            ids.iter().map(|id| id.0),
        ))
        .all(db.reader())
        .await?;
    // Read after the leaves: it covers them all.
    let Some(last) = latest_checkpoint(db).await? else {
        return Ok(Vec::new());
    };
    let note = cosigned_note(db, &last).await?;
    let mut paths = Vec::new();
    for leaf in leaves {
        if let Some(ranges) = proof::inclusion(unsigned(leaf.idx), unsigned(last.size)) {
            paths.push((leaf, ranges));
        }
    }
    let wanted = paths
        .iter()
        .flat_map(|(_, ranges)| ranges.iter().cloned().flat_map(subtrees));
    let found = nodes(db.reader(), wanted).await?;
    paths
        .into_iter()
        .map(|(leaf, ranges)| {
            let proof = InclusionProof {
                opening: None,
                index: unsigned(leaf.idx),
                path: hashes(&ranges, &found)?,
                note: note.clone(),
            };
            Ok(Placed { leaf, proof })
        })
        .collect()
}

/// Proof that the log only grew from one size to another, at which a checkpoint was signed; without it, to the last checkpoint.
/// None where there is no such checkpoint, or it is of a smaller log.
pub async fn consistency(db: &Db, from: i64, to: Option<i64>) -> Result<Option<ConsistencyProof>> {
    let checkpoint = match to {
        Some(size) => checkpoint_at(db, size).await?,
        None => latest_checkpoint(db).await?,
    };
    let Some(checkpoint) = checkpoint else {
        return Ok(None);
    };
    let Some(proof) = growth(db, from, &checkpoint).await? else {
        return Ok(None);
    };
    let note = cosigned_note(db, &checkpoint).await?;
    Ok(Some(ConsistencyProof { note, ..proof }))
}

/// Proof that the log grew from a size into a checkpoint, with its signed note alone: the body of `add-checkpoint`. None where
/// that size is the larger one.
pub async fn growth(
    db: &Db,
    from: i64,
    checkpoint: &log_checkpoint::Model,
) -> Result<Option<ConsistencyProof>> {
    let old = unsigned(from);
    let Some(ranges) = proof::consistency(old, unsigned(checkpoint.size)) else {
        return Ok(None);
    };
    let found = nodes(db.reader(), ranges.iter().cloned().flat_map(subtrees)).await?;
    Ok(Some(ConsistencyProof {
        old,
        path: hashes(&ranges, &found)?,
        note: checkpoint.note.clone(),
    }))
}

fn hashes(ranges: &[Range<u64>], nodes: &HashMap<Node, Hash>) -> Result<Vec<Hash>> {
    ranges
        .iter()
        .map(|range| {
            let parts: Option<Vec<Hash>> = subtrees(range.clone())
                .iter()
                .map(|node| nodes.get(node).copied())
                .collect();
            parts
                .map(|parts| fold(&parts))
                .ok_or_else(|| Error::internal(format!("hashes of the log are missing over {range:?}")))
        })
        .collect()
}

async fn nodes(
    db: &impl ConnectionTrait,
    wanted: impl IntoIterator<Item = Node>,
) -> Result<HashMap<Node, Hash>> {
    let mut levels: BTreeMap<i32, BTreeSet<i64>> = BTreeMap::new();
    for node in wanted {
        levels.entry(level(node)).or_default().insert(signed(node.index)?);
    }
    if levels.is_empty() {
        return Ok(HashMap::new());
    }
    let filter = levels
        .into_iter()
        .fold(Condition::any(), |any, (level, indices)| {
            any.add(Condition::all().add(log_node::Column::Level.eq(level)).add(among(
                db,
                log_node::Column::Idx,
                indices,
            )))
        });
    let rows = log_node::Entity::find().filter(filter).all(db).await?;
    rows.into_iter()
        .map(|row| {
            let node = Node {
                level: u32::try_from(row.level).unwrap_or(u32::MAX),
                index: unsigned(row.idx),
            };
            let hash = row
                .hash
                .try_into()
                .map_err(|_| Error::internal("a hash of the log has not 32 bytes"))?;
            Ok((node, hash))
        })
        .collect()
}

/// Writes the whole log up to its last checkpoint as JSON lines, and says how many entries there were.
pub async fn write_export(ctx: &Ctx, db: &Db, mut out: impl Write) -> Result<u64> {
    authorize(ctx, Action::TrailRead)?;
    let unwritten = |error: std::io::Error| Error::internal(format!("the export cannot be written: {error}"));
    let Some(last) = latest_checkpoint(db).await? else {
        return Err(Error::internal(
            "the log has no checkpoint yet: start the service, which signs the first one",
        ));
    };
    writeln!(out, "{}", Header::new(&cosigned_note(db, &last).await?)).map_err(unwritten)?;
    let mut next = 0;
    while next < last.size {
        let end = last.size.min(next + i64::try_from(BATCH).unwrap_or(1));
        let leaves = log_leaf::Entity::find()
            .filter(log_leaf::Column::Idx.between(next, end - 1))
            .order_by_asc(log_leaf::Column::Idx)
            .all(db.reader())
            .await?;
        let entries: HashMap<_, _> = trail_entry::Entity::find()
            .filter(among(
                db.reader(),
                trail_entry::Column::Id,
                leaves.iter().map(|leaf| leaf.entry_id.0),
            ))
            .all(db.reader())
            .await?
            .into_iter()
            .map(|entry| (entry.id, entry))
            .collect();
        for leaf in &leaves {
            writeln!(out, "{}", Line::new(leaf, entries.get(&leaf.entry_id))).map_err(unwritten)?;
        }
        next = end;
    }
    out.flush().map_err(unwritten)?;
    Ok(unsigned(last.size))
}

/// A level is at most 63.
fn level(node: Node) -> i32 {
    i32::try_from(node.level).unwrap_or(i32::MAX)
}

fn signed(number: u64) -> Result<i64> {
    i64::try_from(number).map_err(|_| Error::internal("a number of the log is too large"))
}

/// Numbers of the log are not negative: a negative one fits nothing.
fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
