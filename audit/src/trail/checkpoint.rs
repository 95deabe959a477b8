//! Checkpoints (C2SP `tlog-checkpoint`), and the two texts that carry a proof out of the house together with the checkpoint it
//! leads to: C2SP `tlog-proof` for an entry, and the body of `add-checkpoint` of C2SP `tlog-witness` for consistency. Pure.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::canonical::commitment;
use super::merkle::{Hash, leaf_hash};
use super::note::{self, NoteError, VerifierKey};
use super::proof::{is_consistent, root_by_inclusion};

/// First line of a proof of inclusion.
const PROOF: &str = "c2sp.org/tlog-proof@v1";

/// Most hashes of a proof: the height of the largest tree.
const HASHES: usize = 63;

/// What a log says of itself: its name, its size, its root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Name of the log.
    pub origin: String,
    /// Leaves of the tree.
    pub size: u64,
    /// Root of the tree.
    pub root: Hash,
}

/// What does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refuted {
    /// Not of the form it should have.
    #[error("not of the expected form")]
    Form,
    /// Not signed as it should be.
    #[error("the checkpoint {0}")]
    Note(#[from] NoteError),
    /// Signed by a key of another log.
    #[error("the checkpoint is of another log")]
    Origin,
    /// The proof does not lead to the signed root.
    #[error("the proof does not lead to the signed root")]
    Root,
    /// A checkpoint kept elsewhere is of a larger log: the log was set back.
    #[error("the log is shorter than the checkpoint of size {0} that was kept: it was set back")]
    SetBack(u64),
    /// A checkpoint kept elsewhere has another root at the same size: the log was forked.
    #[error("the log differs from the checkpoint of size {0} that was kept: it was forked")]
    Forked(u64),
    /// Fewer witnesses than somebody asks for cosigned the checkpoint.
    #[error("{found} of the named witnesses cosigned the checkpoint, {needed} are needed")]
    Unwitnessed {
        /// How many did.
        found: usize,
        /// How many are needed.
        needed: usize,
    },
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}\n{}\n{}",
            self.origin,
            self.size,
            STANDARD.encode(self.root)
        )
    }
}

/// The text of the note. Extension lines, if any, are let through and not read.
impl FromStr for Checkpoint {
    type Err = Refuted;

    fn from_str(text: &str) -> Result<Self, Refuted> {
        let text = text.strip_suffix('\n').ok_or(Refuted::Form)?;
        let mut lines = text.split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next()) else {
            return Err(Refuted::Form);
        };
        if origin.is_empty() || lines.any(str::is_empty) {
            return Err(Refuted::Form);
        }
        Ok(Self {
            origin: origin.to_owned(),
            size: number(size)?,
            root: hash(root)?,
        })
    }
}

impl Checkpoint {
    /// The checkpoint of a note that one of the keys signed.
    pub fn open(text: &str, keys: &[VerifierKey]) -> Result<Self, Refuted> {
        let (text, signer) = note::open(text, keys)?;
        let checkpoint: Self = text.parse()?;
        if checkpoint.origin == signer.name() {
            Ok(checkpoint)
        } else {
            Err(Refuted::Origin)
        }
    }

    /// Whether it can come after a checkpoint that was kept elsewhere, as far as the two alone tell.
    pub fn follows(&self, kept: &Self) -> Result<(), Refuted> {
        if self.origin != kept.origin {
            Err(Refuted::Origin)
        } else if self.size < kept.size {
            Err(Refuted::SetBack(kept.size))
        } else if self.size == kept.size && self.root != kept.root {
            Err(Refuted::Forked(kept.size))
        } else {
            Ok(())
        }
    }
}

fn number(text: &str) -> Result<u64, Refuted> {
    let number: u64 = text.parse().map_err(|_| Refuted::Form)?;
    (number.to_string() == text)
        .then_some(number)
        .ok_or(Refuted::Form)
}

fn hash(text: &str) -> Result<Hash, Refuted> {
    let bytes = STANDARD.decode(text).map_err(|_| Refuted::Form)?;
    bytes.try_into().map_err(|_| Refuted::Form)
}

/// The lines up to the empty one as hashes, and the note behind it.
fn path(text: &str) -> Result<(Vec<Hash>, &str), Refuted> {
    let mut hashes = Vec::new();
    let mut rest = text;
    loop {
        let (line, after) = rest.split_once('\n').ok_or(Refuted::Form)?;
        rest = after;
        if line.is_empty() {
            return Ok((hashes, rest));
        }
        if hashes.len() == HASHES {
            return Err(Refuted::Form);
        }
        hashes.push(hash(line)?);
    }
}

fn spell(f: &mut fmt::Formatter<'_>, hashes: &[Hash], note: &str) -> fmt::Result {
    for hash in hashes {
        writeln!(f, "{}", STANDARD.encode(hash))?;
    }
    write!(f, "\n{note}")
}

/// Proof that an entry is in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InclusionProof {
    /// What opens the commitment: tag, salt, canonical entry. None where the salt was erased.
    pub opening: Option<Vec<u8>>,
    /// Place of the leaf.
    pub index: u64,
    /// Siblings from the leaf upwards.
    pub path: Vec<Hash>,
    /// The signed checkpoint it leads to.
    pub note: String,
}

impl fmt::Display for InclusionProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{PROOF}")?;
        if let Some(opening) = &self.opening {
            writeln!(f, "extra {}", STANDARD.encode(opening))?;
        }
        writeln!(f, "index {}", self.index)?;
        spell(f, &self.path, &self.note)
    }
}

impl FromStr for InclusionProof {
    type Err = Refuted;

    fn from_str(text: &str) -> Result<Self, Refuted> {
        let rest = text
            .strip_prefix(PROOF)
            .and_then(|rest| rest.strip_prefix('\n'))
            .ok_or(Refuted::Form)?;
        let (opening, rest) = match rest.strip_prefix("extra ") {
            Some(rest) => {
                let (extra, rest) = rest.split_once('\n').ok_or(Refuted::Form)?;
                (Some(STANDARD.decode(extra).map_err(|_| Refuted::Form)?), rest)
            }
            None => (None, rest),
        };
        let (index, rest) = rest
            .strip_prefix("index ")
            .and_then(|rest| rest.split_once('\n'))
            .ok_or(Refuted::Form)?;
        let (path, note) = path(rest)?;
        Ok(Self {
            opening,
            index: number(index)?,
            path,
            note: note.to_owned(),
        })
    }
}

impl InclusionProof {
    /// Whether a commitment stands at this place of the log that one of the keys signed.
    pub fn proves(&self, commitment: &Hash, keys: &[VerifierKey]) -> Result<Checkpoint, Refuted> {
        let checkpoint = Checkpoint::open(&self.note, keys)?;
        let root = root_by_inclusion(&leaf_hash(commitment), self.index, checkpoint.size, &self.path);
        if root == Some(checkpoint.root) {
            Ok(checkpoint)
        } else {
            Err(Refuted::Root)
        }
    }

    /// The commitment that the opening opens.
    pub fn commitment(&self) -> Option<Hash> {
        self.opening.as_deref().map(commitment)
    }
}

/// Proof that a log has grown from one size to that of a signed checkpoint, and changed nothing before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsistencyProof {
    /// The old size.
    pub old: u64,
    /// The hashes of the proof.
    pub path: Vec<Hash>,
    /// The signed checkpoint it leads to.
    pub note: String,
}

impl fmt::Display for ConsistencyProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old)?;
        spell(f, &self.path, &self.note)
    }
}

impl FromStr for ConsistencyProof {
    type Err = Refuted;

    fn from_str(text: &str) -> Result<Self, Refuted> {
        let (old, rest) = text
            .strip_prefix("old ")
            .and_then(|rest| rest.split_once('\n'))
            .ok_or(Refuted::Form)?;
        let (path, note) = path(rest)?;
        Ok(Self {
            old: number(old)?,
            path,
            note: note.to_owned(),
        })
    }
}

impl ConsistencyProof {
    /// Whether the log of this old checkpoint became the one of the proof's checkpoint by appending only.
    pub fn proves(&self, old: &Checkpoint, keys: &[VerifierKey]) -> Result<Checkpoint, Refuted> {
        let new = Checkpoint::open(&self.note, keys)?;
        new.follows(old)?;
        if self.old == old.size && is_consistent(old.size, new.size, &old.root, &new.root, &self.path) {
            Ok(new)
        } else {
            Err(Refuted::Root)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trail::merkle::{TreeHasher, node_hash};
    use crate::trail::note::SigningKey;

    fn key() -> SigningKey {
        SigningKey::new("example.com/log", [3; 32]).unwrap()
    }

    fn signed(key: &SigningKey, origin: &str, leaves: &[Hash]) -> String {
        let mut tree = TreeHasher::new();
        for leaf in leaves {
            tree.push(*leaf);
        }
        let checkpoint = Checkpoint {
            origin: origin.to_owned(),
            size: tree.leaves(),
            root: tree.root(),
        };
        key.sign(&checkpoint.to_string())
    }

    #[test]
    fn a_checkpoint_is_three_lines_of_one_spelling() {
        let text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
        let checkpoint: Checkpoint = text.parse().unwrap();
        assert_eq!(
            (checkpoint.size, checkpoint.to_string().as_str()),
            (20_852_163, text)
        );
        assert!(format!("{text}extension\n").parse::<Checkpoint>().is_ok());
        for wrong in [
            "",
            "a\n1\n",
            text.trim_end(),
            &text.replace("20852163", "020852163"),
            &text.replace("20852163", "+20852163"),
            &text.replace("CsUY", "CsU"),
            &format!("{text}\n"),
            &format!("\n{text}"),
        ] {
            assert_eq!(wrong.parse::<Checkpoint>(), Err(Refuted::Form), "{wrong:?}");
        }
    }

    #[test]
    fn a_checkpoint_counts_when_its_own_log_signed_it() {
        let (key, stranger) = (key(), SigningKey::new("example.com/log", [4; 32]).unwrap());
        let keys = [key.verifier().clone()];
        assert!(Checkpoint::open(&signed(&key, "example.com/log", &[]), &keys).is_ok());
        assert_eq!(
            Checkpoint::open(&signed(&key, "example.com/other", &[]), &keys),
            Err(Refuted::Origin)
        );
        assert_eq!(
            Checkpoint::open(&signed(&stranger, "example.com/log", &[]), &keys),
            Err(Refuted::Note(NoteError::Unsigned))
        );
    }

    #[test]
    fn proofs_are_read_as_they_are_written_and_prove_one_thing() {
        let key = key();
        let keys = [key.verifier().clone()];
        let commitments = [commitment(b"a"), commitment(b"b"), commitment(b"c")];
        let leaves: Vec<Hash> = commitments
            .iter()
            .map(|commitment| leaf_hash(commitment))
            .collect();
        let note = signed(&key, "example.com/log", &leaves);
        let proof = InclusionProof {
            opening: Some(b"b".to_vec()),
            index: 1,
            path: vec![leaves[0], leaves[2]],
            note: note.clone(),
        };
        let read: InclusionProof = proof.to_string().parse().unwrap();
        assert_eq!(read, proof);
        assert_eq!(read.commitment(), Some(commitments[1]));
        assert!(read.proves(&commitments[1], &keys).is_ok());
        assert_eq!(read.proves(&commitments[0], &keys), Err(Refuted::Root));
        let bare = InclusionProof {
            opening: None,
            ..proof
        };
        assert_eq!(bare.to_string().parse::<InclusionProof>().as_ref(), Ok(&bare));
        let elsewhere = InclusionProof {
            index: 0,
            ..bare.clone()
        };
        assert_eq!(elsewhere.proves(&commitments[1], &keys), Err(Refuted::Root));

        let old = Checkpoint::open(&signed(&key, "example.com/log", &leaves[..2]), &keys).unwrap();
        let growth = ConsistencyProof {
            old: 2,
            path: vec![leaves[2]],
            note,
        };
        let read: ConsistencyProof = growth.to_string().parse().unwrap();
        assert_eq!(read, growth);
        assert!(read.proves(&old, &keys).is_ok());
        let fork = Checkpoint {
            root: node_hash(&leaves[1], &leaves[0]),
            ..old.clone()
        };
        assert_eq!(read.proves(&fork, &keys), Err(Refuted::Root));
        let other = Checkpoint {
            origin: "example.com/other".to_owned(),
            ..old
        };
        assert_eq!(read.proves(&other, &keys), Err(Refuted::Origin));

        for wrong in ["", "old 2\n", "old 02\n\n", "old 2\nAA==\n\n", &bare.to_string()] {
            assert_eq!(wrong.parse::<ConsistencyProof>(), Err(Refuted::Form), "{wrong:?}");
        }
        let text = bare.to_string();
        for wrong in [
            text.replace("@v1", "@v2"),
            text.replace("index 1", "index 01"),
            text.replace("index 1\n", "index 1\nx\n"),
            text.replace(
                "index 1\n",
                &format!(
                    "index 1\n{}",
                    format!("{}\n", STANDARD.encode([0; 32])).repeat(64)
                ),
            ),
        ] {
            assert_eq!(wrong.parse::<InclusionProof>(), Err(Refuted::Form), "{wrong:?}");
        }
    }
}
