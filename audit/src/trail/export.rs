//! The whole log as a file: JSON lines, so that it is written and checked line by line whatever its size. Pure.
//!
//! The first line is the [`Header`] with the last signed checkpoint; each further line is one leaf in order, a [`Line`]. Salt and
//! entry are null where they were erased; commitment, tree and checkpoint hold all the same.

use std::fmt;
use std::io::BufRead;

use entity::{log_leaf, trail_entry};
use serde::{Deserialize, Serialize};

use super::canonical::{Entry, Salt, commitment};
use super::checkpoint::{Checkpoint, Refuted};
use super::merkle::{Hash, TreeHasher, leaf_hash};
use super::note::VerifierKey;

/// Name of the form.
const FORMAT: &str = "pruefpfad-log-01";

/// The first line.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// `pruefpfad-log-01`.
    format: String,
    /// The signed note of the last checkpoint.
    checkpoint: String,
}

impl Header {
    /// The header over this checkpoint.
    pub fn new(note: &str) -> Self {
        Self {
            format: FORMAT.to_owned(),
            checkpoint: note.to_owned(),
        }
    }
}

/// One leaf.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Its place.
    index: u64,
    /// The commitment, in hexadecimal.
    commitment: String,
    /// The salt, in hexadecimal; null where it was erased.
    salt: Option<String>,
    /// The entry; null where it was erased.
    entry: Option<Entry>,
}

impl Line {
    /// The line of a leaf and, unless erased, its entry.
    pub fn new(leaf: &log_leaf::Model, entry: Option<&trail_entry::Model>) -> Self {
        Self {
            index: u64::try_from(leaf.idx).unwrap_or(u64::MAX),
            commitment: hex::encode(&leaf.commitment),
            salt: entry.and_then(|entry| entry.salt.as_ref()).map(hex::encode),
            entry: entry.map(Entry::from),
        }
    }

    /// What opens the commitment.
    pub fn opening(&self) -> Option<Vec<u8>> {
        let mut salt = Salt::default();
        hex::decode_to_slice(self.salt.as_ref()?, &mut salt).ok()?;
        Some(self.entry.as_ref()?.opening(&salt))
    }
}

/// The line itself, without its end.
impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

/// The line itself, without its end.
impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

/// What is wrong with an export.
#[derive(Debug, thiserror::Error)]
pub enum Wrong {
    /// It cannot be read.
    #[error("{0}")]
    Read(#[from] std::io::Error),
    /// The checkpoint in it does not hold.
    #[error("{0}")]
    Checkpoint(#[from] Refuted),
    /// A line is not of the form it should have; the first one is 1.
    #[error("line {0} is not of the expected form")]
    Form(u64),
    /// A line stands where another index belongs.
    #[error("line {0} is out of order")]
    Order(u64),
    /// What the entry on a line says is not what was committed to.
    #[error("the entry on line {0} is not the one that was committed to")]
    Entry(u64),
    /// The tree over the lines is not the signed one.
    #[error("the entries are not those of the signed checkpoint")]
    Root,
}

/// What an export holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The checkpoint it ends with.
    pub checkpoint: Checkpoint,
    /// Its signed note.
    pub note: String,
    /// Entries whose content or salt was erased.
    pub erased: u64,
}

/// Whether an export is the log of its checkpoint, and of every checkpoint that was kept elsewhere. Memory does not grow with it.
pub fn verify(export: impl BufRead, keys: &[VerifierKey], kept: &[Checkpoint]) -> Result<Verified, Wrong> {
    let mut lines = export.lines();
    let header = lines.next().ok_or(Wrong::Form(1))??;
    let header: Header = serde_json::from_str(&header).map_err(|_| Wrong::Form(1))?;
    if header.format != FORMAT {
        return Err(Wrong::Form(1));
    }
    let checkpoint = Checkpoint::open(&header.checkpoint, keys)?;
    for kept in kept {
        checkpoint.follows(kept)?;
    }
    let mut tree = TreeHasher::new();
    let mut erased = 0;
    check_size(&tree, kept)?;
    for (number, line) in (2_u64..).zip(lines) {
        let line: Line = serde_json::from_str(&line?).map_err(|_| Wrong::Form(number))?;
        if line.index != tree.leaves() {
            return Err(Wrong::Order(number));
        }
        let mut committed = Hash::default();
        hex::decode_to_slice(&line.commitment, &mut committed).map_err(|_| Wrong::Form(number))?;
        match (line.opening(), &line.salt, &line.entry) {
            (Some(opening), ..) if commitment(&opening) == committed => {}
            (Some(_), ..) => return Err(Wrong::Entry(number)),
            // A salt that is none, or one that is left when its entry is gone.
            (None, Some(_), _) => return Err(Wrong::Form(number)),
            (None, None, _) => erased += 1,
        }
        tree.push(leaf_hash(&committed));
        check_size(&tree, kept)?;
    }
    if (tree.leaves(), tree.root()) == (checkpoint.size, checkpoint.root) {
        Ok(Verified {
            checkpoint,
            note: header.checkpoint,
            erased,
        })
    } else {
        Err(Wrong::Root)
    }
}

/// Compares with the checkpoints that were kept of a log of this size.
fn check_size(tree: &TreeHasher, kept: &[Checkpoint]) -> Result<(), Refuted> {
    let mut here = kept.iter().filter(|kept| kept.size == tree.leaves());
    if here.any(|kept| kept.root != tree.root()) {
        Err(Refuted::Forked(tree.leaves()))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use chrono::DateTime;
    use uuid::Uuid;

    use super::*;
    use crate::trail::note::SigningKey;

    struct Written {
        lines: Vec<Line>,
        key: SigningKey,
    }

    impl Written {
        fn new(count: u64) -> Self {
            let lines = (0..count)
                .map(|index| {
                    let entry = Entry {
                        id: Uuid::from_u128(u128::from(index)),
                        at: DateTime::from_timestamp_micros(1_763_712_000_000_001).unwrap(),
                        actor: format!("actor {index}"),
                        membership: String::new(),
                        action: "ENGAGEMENT_OPEN".to_owned(),
                        outcome: "DONE".to_owned(),
                        engagement_id: None,
                        subject_kind: "Engagement".to_owned(),
                        subject_id: None,
                        request_id: Uuid::nil(),
                        detail: "{}".to_owned(),
                    };
                    Line {
                        index,
                        commitment: hex::encode(entry.commitment(&[9; 32])),
                        salt: Some(hex::encode([9; 32])),
                        entry: Some(entry),
                    }
                })
                .collect();
            let key = SigningKey::new("example.com/log", [5; 32]).unwrap();
            Self { lines, key }
        }

        fn checkpoint(&self, size: usize) -> Checkpoint {
            let mut tree = TreeHasher::new();
            for line in &self.lines[..size] {
                tree.push(leaf_hash(&hex::decode(&line.commitment).unwrap()));
            }
            Checkpoint {
                origin: "example.com/log".to_owned(),
                size: tree.leaves(),
                root: tree.root(),
            }
        }

        fn file(&self, signed: &Checkpoint) -> String {
            let header = Header::new(&self.key.sign(&signed.to_string()));
            let mut text = format!("{header}\n");
            for line in &self.lines {
                writeln!(text, "{line}").unwrap();
            }
            text
        }

        fn verify(&self, signed: &Checkpoint, kept: &[Checkpoint]) -> Result<Verified, Wrong> {
            verify(self.file(signed).as_bytes(), &[self.key.verifier().clone()], kept)
        }
    }

    #[test]
    fn a_whole_log_holds_and_so_does_every_checkpoint_of_it() {
        let log = Written::new(9);
        let kept: Vec<_> = (0..=9).map(|size| log.checkpoint(size)).collect();
        let found = log.verify(&kept[9], &kept).unwrap();
        assert_eq!((found.checkpoint.size, found.erased), (9, 0));
        let mut erased = Written::new(9);
        erased.lines[3].salt = None;
        erased.lines[4].salt = None;
        erased.lines[4].entry = None;
        assert_eq!(erased.verify(&kept[9], &kept).unwrap().erased, 2);
        let empty = Written::new(0);
        assert!(empty.verify(&empty.checkpoint(0), &[]).is_ok());
    }

    /// Changes the lines of a log of nine, signed as it was.
    fn tampered(change: impl FnOnce(&mut Vec<Line>)) -> Wrong {
        let mut log = Written::new(9);
        let signed = log.checkpoint(9);
        change(&mut log.lines);
        log.verify(&signed, &[]).unwrap_err()
    }

    fn renumber(lines: &mut [Line]) {
        for (index, line) in (0..).zip(lines) {
            line.index = index;
        }
    }

    #[test]
    fn whatever_is_tampered_with_shows() {
        let change = |line: &mut Line| {
            if let Some(entry) = &mut line.entry {
                entry.actor = "somebody else".to_owned();
            }
        };
        assert!(matches!(tampered(|lines| change(&mut lines[4])), Wrong::Entry(6)));
        // The same with a commitment made to fit.
        let refitted = tampered(|lines| {
            change(&mut lines[4]);
            lines[4].commitment = hex::encode(commitment(&lines[4].opening().unwrap()));
        });
        assert!(matches!(refitted, Wrong::Root));
        assert!(matches!(tampered(|lines| drop(lines.remove(4))), Wrong::Order(6)));
        let removed = tampered(|lines| {
            lines.remove(4);
            renumber(lines);
        });
        assert!(matches!(removed, Wrong::Root));
        assert!(matches!(tampered(|lines| drop(lines.pop())), Wrong::Root));
        let inserted = tampered(|lines| {
            lines.insert(4, lines[0].clone());
            renumber(lines);
        });
        assert!(matches!(inserted, Wrong::Root));
        assert!(matches!(tampered(|lines| lines.swap(2, 3)), Wrong::Order(4)));
        let reordered = tampered(|lines| {
            lines.swap(2, 3);
            renumber(lines);
        });
        assert!(matches!(reordered, Wrong::Root));
        let salted = tampered(|lines| lines[1].salt = Some("00".repeat(31)));
        assert!(matches!(salted, Wrong::Form(3)));
        let left = tampered(|lines| lines[1].entry = None);
        assert!(matches!(left, Wrong::Form(3)));
    }

    #[test]
    fn a_checkpoint_kept_elsewhere_tells_of_a_fork_and_of_a_log_set_back() {
        let log = Written::new(9);
        let kept = [log.checkpoint(5), log.checkpoint(9)];
        let mut forked = Written::new(9);
        forked.lines.swap(0, 1);
        renumber(&mut forked.lines);
        let signed = forked.checkpoint(9);
        assert!(forked.verify(&signed, &[]).is_ok(), "it holds by itself");
        // Two checkpoints of one size tell at once, an older one when the tree has come to its size.
        assert!(matches!(
            forked.verify(&signed, &kept),
            Err(Wrong::Checkpoint(Refuted::Forked(9)))
        ));
        assert!(matches!(
            forked.verify(&signed, &kept[..1]),
            Err(Wrong::Checkpoint(Refuted::Forked(5)))
        ));
        let shorter = Written::new(7);
        let signed = shorter.checkpoint(7);
        assert!(shorter.verify(&signed, &kept[..1]).is_ok());
        assert!(matches!(
            shorter.verify(&signed, &kept),
            Err(Wrong::Checkpoint(Refuted::SetBack(9)))
        ));
        let other = Checkpoint {
            origin: "example.com/other".to_owned(),
            ..kept[0].clone()
        };
        assert!(matches!(
            log.verify(&kept[1], &[other]),
            Err(Wrong::Checkpoint(Refuted::Origin))
        ));
    }

    #[test]
    fn a_file_of_another_form_is_refused() {
        let log = Written::new(2);
        let whole = log.file(&log.checkpoint(2));
        let keys = [log.key.verifier().clone()];
        for (wrong, line) in [
            (String::new(), 1),
            (whole.replace("pruefpfad-log-01", "pruefpfad-log-02"), 1),
            (whole.replace("\"index\":1", "\"index\":\"1\""), 3),
            (whole.replace("\"index\":1", "\"index\":1,\"more\":1"), 3),
            (format!("{whole}\n"), 4),
        ] {
            let refused = verify(wrong.as_bytes(), &keys, &[]);
            assert!(
                matches!(refused, Err(Wrong::Form(at)) if at == line),
                "{refused:?}"
            );
        }
        let stranger = SigningKey::new("example.com/log", [6; 32]).unwrap();
        assert!(matches!(
            verify(whole.as_bytes(), &[stranger.verifier().clone()], &[]),
            Err(Wrong::Checkpoint(Refuted::Note(_)))
        ));
    }
}
