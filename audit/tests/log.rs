//! The log over the trail, on both databases: order, signatures, proofs, and what the database refuses.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[expect(unreachable_pub, dead_code, reason = "shared by several tests")]
mod support;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use audit::access::{Action, authorize};
use audit::trail::canonical::Entry;
use audit::trail::checkpoint::Checkpoint;
use audit::trail::export;
use audit::trail::merkle::{Hash, TreeHasher, leaf_hash};
use audit::trail::note::SigningKey;
use audit::trail::tile::Tile;
use audit::trail::{self, LogKeys, Subject};
use audit::{Ctx, Db};
use entity::{TrailEntryId, log_checkpoint, log_leaf, log_node, log_queue, trail_entry};
use sea_orm::{ConnectionTrait, EntityTrait, PaginatorTrait, QueryOrder};
use support::House;

const ORIGIN: &str = "example.com/log";

fn key(number: u8) -> SigningKey {
    SigningKey::new(ORIGIN, [number; 32]).unwrap()
}

fn keys() -> LogKeys {
    LogKeys::new(key(1), [])
}

/// So many entries, each in a transaction of its own.
async fn write(ctx: &Ctx, db: &Db, count: usize) {
    for _ in 0..count {
        trail::denied(db, ctx, Action::EngagementOpen).await.unwrap();
    }
}

/// The log is whole: every entry once, without gaps, all checkpoints signed by known keys over prefixes of one order, all
/// commitments opened by their entries. Says how many leaves there are.
async fn whole(db: &Db, keys: &LogKeys) -> u64 {
    let reader = db.reader();
    let leaves = log_leaf::Entity::find()
        .order_by_asc(log_leaf::Column::Idx)
        .all(reader)
        .await
        .unwrap();
    let mut entries: HashMap<TrailEntryId, trail_entry::Model> = trail_entry::Entity::find()
        .all(reader)
        .await
        .unwrap()
        .into_iter()
        .map(|entry| (entry.id, entry))
        .collect();
    assert_eq!(log_queue::Entity::find().count(reader).await.unwrap(), 0);
    assert_eq!(entries.len(), leaves.len(), "no entry is lost");
    let mut tree = TreeHasher::new();
    let mut roots = vec![tree.root()];
    for (place, leaf) in (0_i64..).zip(&leaves) {
        assert_eq!(leaf.idx, place);
        let entry = entries.remove(&leaf.entry_id).unwrap();
        let salt: [u8; 32] = entry.salt.clone().unwrap().try_into().unwrap();
        assert_eq!(Entry::from(&entry).commitment(&salt).as_slice(), leaf.commitment);
        tree.push(leaf_hash(&leaf.commitment));
        roots.push(tree.root());
    }
    let checkpoints = log_checkpoint::Entity::find()
        .order_by_asc(log_checkpoint::Column::Number)
        .all(reader)
        .await
        .unwrap();
    let mut size = 0;
    for (number, row) in (1_i64..).zip(&checkpoints) {
        let checkpoint = Checkpoint::open(&row.note, keys.known()).unwrap();
        assert_eq!(
            (row.number, u64::try_from(row.size).unwrap()),
            (number, checkpoint.size)
        );
        assert!(checkpoint.size >= size);
        size = checkpoint.size;
        assert_eq!(roots[usize::try_from(size).unwrap()], checkpoint.root, "{size}");
    }
    assert_eq!(size, tree.leaves());
    size
}

on_both!(empty every_entry_gets_its_place_and_its_proof, async |house: House| {
    let anna = house.person("anna", "INNENREVISION").await;
    let keys = keys();
    // The first checkpoint is that of the empty log.
    assert_eq!(trail::latest_checkpoint(&house.db).await.unwrap(), None);
    assert_eq!(
        trail::integrate(&house.sources, &house.db, &keys).await.unwrap(),
        0
    );
    let mut sizes = vec![0_i64];
    for step in [1, 1, 5, 250, 43] {
        write(&anna, &house.db, step).await;
        assert_eq!(
            trail::integrate(&house.sources, &house.db, &keys).await.unwrap(),
            step as u64
        );
        sizes.push(sizes[sizes.len() - 1] + i64::try_from(step).unwrap());
    }
    assert_eq!(whole(&house.db, &keys).await, 300);
    assert_eq!(
        trail::integrate(&house.sources, &house.db, &keys).await.unwrap(),
        0
    );
    assert_eq!(
        log_checkpoint::Entity::find()
            .count(house.db.reader())
            .await
            .unwrap(),
        6,
        "nothing new, nothing signed"
    );

    let entries = trail_entry::Entity::find().all(house.db.reader()).await.unwrap();
    let ids: Vec<_> = entries.iter().map(|entry| entry.id).collect();
    let placed = trail::proofs(&anna, &house.db, &ids).await.unwrap();
    assert_eq!(placed.len(), 300);
    for placed in &placed {
        let commitment: Hash = placed.leaf.commitment.clone().try_into().unwrap();
        assert_eq!(placed.proof.proves(&commitment, keys.known()).unwrap().size, 300);
        let entry = entries
            .iter()
            .find(|entry| entry.id == placed.leaf.entry_id)
            .unwrap();
        let opened = placed.opened(entry);
        assert_eq!(opened.commitment(), Some(commitment));
        let told = Entry::from_opening(&opened.opening.unwrap());
        assert_eq!(told, Some(Entry::from(entry)));
    }
    let stranger = house.person("vorstand", "VORSTAND").await;
    assert!(trail::proofs(&stranger, &house.db, &ids).await.is_err());

    for (place, from) in sizes.iter().enumerate() {
        let row = trail::checkpoint_at(&house.db, *from).await.unwrap().unwrap();
        let old = Checkpoint::open(&row.note, keys.known()).unwrap();
        for to in &sizes[place..] {
            let proof = trail::consistency(&house.db, *from, Some(*to))
                .await
                .unwrap()
                .unwrap();
            let new = proof.proves(&old, keys.known()).unwrap();
            assert_eq!(i64::try_from(new.size), Ok(*to), "{from} to {to}");
        }
        let proof = trail::consistency(&house.db, *from, None).await.unwrap().unwrap();
        assert_eq!(proof.proves(&old, keys.known()).unwrap().size, 300);
    }
    for (from, to) in [
        (301, None),
        (0, Some(299)),
        (7, Some(2)),
        (0, Some(-1)),
        (-1, None),
    ] {
        assert_eq!(trail::consistency(&house.db, from, to).await.unwrap(), None);
    }

    let tile = async |path: &str| {
        let tile = Tile::parse(path).unwrap();
        trail::tile_hashes(&house.db, tile).await.unwrap()
    };
    let leaves = log_leaf::Entity::find()
        .order_by_asc(log_leaf::Column::Idx)
        .all(house.db.reader())
        .await
        .unwrap();
    let hashes: Vec<u8> = leaves
        .iter()
        .flat_map(|leaf| leaf_hash(&leaf.commitment))
        .collect();
    assert_eq!(tile("0/000").await.unwrap(), hashes[..8192]);
    assert_eq!(tile("0/001.p/44").await.unwrap(), hashes[8192..]);
    let mut first = TreeHasher::new();
    leaves[..256]
        .iter()
        .for_each(|leaf| first.push(leaf_hash(&leaf.commitment)));
    assert_eq!(tile("1/000.p/1").await.unwrap(), first.root());
    for beyond in [
        "0/001",
        "0/001.p/45",
        "1/000",
        "1/000.p/2",
        "2/000.p/1",
        "0/x999/999",
    ] {
        assert_eq!(tile(beyond).await, None, "{beyond}");
    }
    let bundle = Tile::parse_entries("001.p/44").unwrap();
    let bytes = trail::entries(&house.db, bundle).await.unwrap().unwrap();
    assert_eq!(bytes.len(), 44 * 34);
    assert_eq!(bytes[..2], [0, 32]);
    assert_eq!(bytes[2..34], leaves[256].commitment);
    assert_eq!(
        trail::entries(&house.db, Tile::parse_entries("002").unwrap())
            .await
            .unwrap(),
        None
    );
});

on_both!(empty a_turn_costs_the_same_whatever_the_size, async |house: House| {
    let anna = house.person("anna", "INNENREVISION").await;
    let mut db = house.another().await;
    let count = Arc::new(AtomicUsize::new(0));
    let counter = count.clone();
    db.on_statement(move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
    });
    let keys = keys();
    let mut counts = Vec::new();
    for step in [3, 1, 500, 1, 7] {
        write(&anna, &house.db, step).await;
        let before = count.load(Ordering::Relaxed);
        trail::integrate(&house.sources, &db, &keys).await.unwrap();
        counts.push(count.load(Ordering::Relaxed) - before);
    }
    assert!(counts[1..].iter().all(|count| *count == counts[1]), "{counts:?}");
    // Nodes are the complete subtrees, each once: fewer than two for each leaf.
    let (leaves, nodes) = (
        log_leaf::Entity::find().count(db.reader()).await.unwrap(),
        log_node::Entity::find().count(db.reader()).await.unwrap(),
    );
    assert_eq!(leaves, 512);
    assert_eq!(nodes, 1023);
});

on_both!(
    empty leaves_nodes_and_checkpoints_are_never_changed,
    async |house: House| {
        let anna = house.person("anna", "INNENREVISION").await;
        write(&anna, &house.db, 2).await;
        trail::integrate(&house.sources, &house.db, &keys())
            .await
            .unwrap();
        write(&anna, &house.db, 1).await;
        let mut refused = vec![
            "UPDATE log_leaf SET idx = 7 WHERE idx = 0",
            "UPDATE log_leaf SET commitment = commitment",
            "DELETE FROM log_leaf WHERE idx = 1",
            "UPDATE log_node SET hash = hash",
            "DELETE FROM log_node",
            "UPDATE log_checkpoint SET note = ''",
            "DELETE FROM log_checkpoint",
            "INSERT INTO log_leaf SELECT * FROM log_leaf WHERE idx = 0",
            "INSERT INTO log_node SELECT * FROM log_node WHERE level = 1",
            "UPDATE log_queue SET commitment = commitment",
            // What waits does not get lost, and its entry stays with it.
            "DELETE FROM log_queue",
            "DELETE FROM trail_entry WHERE id IN (SELECT id FROM log_queue)",
            "UPDATE trail_entry SET salt = NULL WHERE id IN (SELECT id FROM log_queue)",
            "UPDATE trail_entry SET detail = 'x'",
            "UPDATE trail_entry SET salt = NULL, detail = 'x'",
        ];
        if house.db.is_postgres() {
            refused.extend([
                "TRUNCATE log_leaf",
                "TRUNCATE log_node",
                "TRUNCATE log_checkpoint",
                "TRUNCATE log_queue",
                "TRUNCATE trail_entry",
                "UPDATE trail_entry SET salt = sha256(salt)",
            ]);
        } else {
            refused.extend([
                "REPLACE INTO log_leaf SELECT * FROM log_leaf",
                "REPLACE INTO log_node SELECT * FROM log_node",
                "REPLACE INTO log_checkpoint SELECT * FROM log_checkpoint",
                "REPLACE INTO log_queue SELECT * FROM log_queue",
                "UPDATE trail_entry SET salt = randomblob(32)",
            ]);
        }
        for sql in refused {
            assert!(
                house.db.owner().execute_unprepared(sql).await.is_err(),
                "the database lets through: {sql}"
            );
        }
        assert_eq!(
            trail::integrate(&house.sources, &house.db, &keys())
                .await
                .unwrap(),
            1
        );
        assert_eq!(whole(&house.db, &keys()).await, 3);
    }
);

on_both!(empty what_is_erased_leaves_every_proof_valid, async |house: House| {
    let anna = house.person("anna", "INNENREVISION").await;
    let keys = keys();
    write(&anna, &house.db, 6).await;
    trail::integrate(&house.sources, &house.db, &keys).await.unwrap();
    let entries = trail_entry::Entity::find()
        .order_by_asc(trail_entry::Column::Id)
        .all(house.db.reader())
        .await
        .unwrap();
    let kept = Checkpoint::open(
        &trail::latest_checkpoint(&house.db).await.unwrap().unwrap().note,
        keys.known(),
    )
    .unwrap();
    for sql in [
        "DELETE FROM trail_entry WHERE id = (SELECT entry_id FROM log_leaf WHERE idx = 2)",
        "UPDATE trail_entry SET salt = NULL WHERE id = (SELECT entry_id FROM log_leaf WHERE idx = 4)",
    ] {
        house.db.owner().execute_unprepared(sql).await.unwrap();
    }
    write(&anna, &house.db, 3).await;
    trail::integrate(&house.sources, &house.db, &keys).await.unwrap();

    let ids: Vec<_> = entries.iter().map(|entry| entry.id).collect();
    let placed = trail::proofs(&anna, &house.db, &ids).await.unwrap();
    assert_eq!(placed.len(), 6);
    for placed in placed {
        let commitment = placed.leaf.commitment.clone().try_into().unwrap();
        assert!(placed.proof.proves(&commitment, keys.known()).is_ok());
    }
    let without_salt = trail_entry::Entity::find_by_id(ids[4])
        .one(house.db.reader())
        .await
        .unwrap()
        .unwrap();
    let placed = trail::proofs(&anna, &house.db, &ids[4..5]).await.unwrap();
    assert_eq!(placed[0].opened(&without_salt).opening, None);
    let growth = trail::consistency(&house.db, 6, None).await.unwrap().unwrap();
    assert!(growth.proves(&kept, keys.known()).is_ok());

    let mut file = Vec::new();
    assert_eq!(trail::write_export(&anna, &house.db, &mut file).await.unwrap(), 9);
    let found = export::verify(file.as_slice(), keys.known(), &[kept]).unwrap();
    assert_eq!((found.checkpoint.size, found.erased), (9, 2));
});

on_both!(
    empty concurrent_writers_and_several_instances_make_one_log,
    async |house: House| {
        const WRITERS: usize = 6;
        const EACH: usize = 30;
        let keys = Arc::new(keys());
        let done = Arc::new(AtomicBool::new(false));
        let mut instances = Vec::new();
        for _ in 0..3 {
            let db = house.another().await;
            let (keys, sources, done) = (keys.clone(), house.sources.clone(), done.clone());
            instances.push(tokio::spawn(async move {
                let mut appended = 0;
                while !done.load(Ordering::Relaxed) {
                    appended += trail::integrate(&sources, &db, &keys).await.unwrap();
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                appended
            }));
        }
        let mut writers = Vec::new();
        for number in 0..WRITERS {
            let ctx = house.person(&format!("writer {number}"), "INNENREVISION").await;
            let db = house.another().await;
            writers.push(tokio::spawn(async move { write(&ctx, &db, EACH).await }));
        }
        for writer in writers {
            writer.await.unwrap();
        }
        done.store(true, Ordering::Relaxed);
        let mut appended = 0;
        for instance in instances {
            appended += instance.await.unwrap();
        }
        appended += trail::integrate(&house.sources, &house.db, &keys).await.unwrap();
        assert_eq!(
            appended,
            (WRITERS * EACH) as u64,
            "each entry was counted by one instance"
        );
        assert_eq!(whole(&house.db, &keys).await, (WRITERS * EACH) as u64);
        assert!(
            log_checkpoint::Entity::find()
                .count(house.db.reader())
                .await
                .unwrap()
                > 2,
            "the log was signed while it was written to"
        );
    }
);

on_both!(empty what_is_interrupted_has_not_happened, async |house: House| {
    let anna = house.person("anna", "INNENREVISION").await;
    let keys = Arc::new(keys());
    let mut written = 0;
    for delay in 0..25 {
        write(&anna, &house.db, 4).await;
        written += 4;
        let (db, sources, keys) = (house.db.clone(), house.sources.clone(), keys.clone());
        let turn = tokio::spawn(async move { trail::integrate(&sources, &db, &keys).await.map(drop) });
        tokio::time::sleep(Duration::from_micros(delay * 150)).await;
        turn.abort();
        assert!(turn.await.is_err_and(|error| error.is_cancelled()) || delay > 0);
    }
    // The last one that was broken off keeps its turn until its connection is rolled back.
    for _ in 0..100 {
        trail::integrate(&house.sources, &house.db, &keys).await.unwrap();
        if log_queue::Entity::find().count(house.db.reader()).await.unwrap() == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(whole(&house.db, &keys).await, written);
});

/// On PostgreSQL a transaction that started first may commit last: its entry has the smaller id and the later place.
#[tokio::test]
async fn who_commits_late_is_placed_late() {
    let Some(house) = House::postgres().await else {
        return;
    };
    let anna = house.person("anna", "INNENREVISION").await;
    let keys = keys();
    let permit = authorize(&anna, Action::EngagementOpen).unwrap();
    let subject = Subject::all("Engagement");
    let late = house.db.begin_write().await.unwrap();
    trail::record(
        &late,
        &anna,
        &permit,
        subject,
        serde_json::json!({ "late": true }),
    )
    .await
    .unwrap();
    write(&anna, &house.db, 2).await;
    assert_eq!(
        trail::integrate(&house.sources, &house.db, &keys).await.unwrap(),
        2
    );
    late.commit().await.unwrap();
    assert_eq!(
        trail::integrate(&house.sources, &house.db, &keys).await.unwrap(),
        1
    );
    assert_eq!(whole(&house.db, &keys).await, 3);
    let leaves = log_leaf::Entity::find()
        .order_by_asc(log_leaf::Column::Idx)
        .all(house.db.reader())
        .await
        .unwrap();
    assert!(leaves[2].entry_id < leaves[0].entry_id);
}

on_both!(empty a_new_key_goes_on_where_the_old_one_ended, async |house: House| {
    let anna = house.person("anna", "INNENREVISION").await;
    write(&anna, &house.db, 2).await;
    trail::integrate(&house.sources, &house.db, &keys())
        .await
        .unwrap();
    // Without the old key named, nothing is signed over its checkpoint; nor under another name.
    for refused in [
        LogKeys::new(key(2), []),
        LogKeys::new(
            SigningKey::new("example.com/other", [2; 32]).unwrap(),
            [key(1).verifier().clone()],
        ),
    ] {
        let error = trail::integrate(&house.sources, &house.db, &refused)
            .await
            .unwrap_err();
        assert!(
            error.to_string().contains("log.verifier_keys") || error.to_string().contains("name of the log")
        );
    }
    let rotated = LogKeys::new(key(2), [key(1).verifier().clone()]);
    trail::integrate(&house.sources, &house.db, &rotated)
        .await
        .unwrap();
    let newest = trail::latest_checkpoint(&house.db).await.unwrap().unwrap();
    assert_eq!((newest.number, newest.size), (2, 2), "the same log, signed anew");
    assert!(Checkpoint::open(&newest.note, &[key(2).verifier().clone()]).is_ok());
    assert!(Checkpoint::open(&newest.note, &[key(1).verifier().clone()]).is_err());
    write(&anna, &house.db, 1).await;
    trail::integrate(&house.sources, &house.db, &rotated)
        .await
        .unwrap();
    assert_eq!(whole(&house.db, &rotated).await, 3);
});

on_both!(
    empty what_does_not_fit_its_checkpoint_is_not_signed_over,
    async |house: House| {
        let anna = house.person("anna", "INNENREVISION").await;
        write(&anna, &house.db, 3).await;
        trail::integrate(&house.sources, &house.db, &keys())
            .await
            .unwrap();
        let owner = house.db.owner();
        let off = if house.db.is_postgres() {
            "ALTER TABLE log_node DISABLE TRIGGER USER"
        } else {
            "DROP TRIGGER log_node_delete"
        };
        owner.execute_unprepared(off).await.unwrap();
        owner
            .execute_unprepared("DELETE FROM log_node WHERE level = 1")
            .await
            .unwrap();
        write(&anna, &house.db, 1).await;
        let error = trail::integrate(&house.sources, &house.db, &keys())
            .await
            .unwrap_err();
        assert!(error.to_string().contains("nothing is signed"), "{error}");
        assert_eq!(
            trail::latest_checkpoint(&house.db).await.unwrap().unwrap().size,
            3
        );
    }
);
