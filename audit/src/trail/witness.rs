//! Witnesses: cosignatures of checkpoints (C2SP `tlog-cosignature`), and what a witness says to a log that asks for one
//! (C2SP `tlog-witness`). Pure.
//!
//! A witness cosigns a checkpoint only if the log grew into it from the last one it cosigned. Whoever sees a checkpoint with the
//! cosignatures of enough witnesses knows that all of them saw this one log, and no other was shown to anybody else who asks for
//! as many.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use aws_lc_rs::signature::Ed25519KeyPair;

use super::checkpoint::{Checkpoint, ConsistencyProof, Refuted};
use super::merkle::fold;
use super::note::{self, KeyError, KeyId, Kind, NoteError, Signature, VerifierKey};
use super::proof::is_consistent;

/// The latest time that is believed to be one: the end of the year 9999.
const LAST: u64 = 253_402_300_799;

/// What a witness signs: its time and the text of the checkpoint.
fn message(text: &str, at: u64) -> String {
    format!("cosignature/v1\ntime {at}\n{text}")
}

/// The public key of a witness: `name+id+key`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessKey {
    name: String,
    public: [u8; 32],
}

impl WitnessKey {
    /// What the witness is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its id.
    pub fn id(&self) -> KeyId {
        note::key_id(&self.name, Kind::Cosignature, &self.public)
    }

    /// When the witness cosigned the text.
    fn opens(&self, text: &str, signature: &Signature<'_>) -> Result<u64, NoteError> {
        let (at, signature) = signature.bytes.split_first_chunk().ok_or(NoteError::Forged)?;
        let at = u64::from_be_bytes(*at);
        let holds = at <= LAST && note::verifies(&self.public, message(text, at).as_bytes(), signature);
        holds.then_some(at).ok_or(NoteError::Forged)
    }
}

impl FromStr for WitnessKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let (name, public) = note::parse_key(text, Kind::Cosignature)?;
        Ok(Self { name, public })
    }
}

impl fmt::Display for WitnessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&note::spell_key(&self.name, Kind::Cosignature, &self.public))
    }
}

/// The secret key of a witness.
pub struct WitnessSigner {
    pair: Ed25519KeyPair,
    verifier: WitnessKey,
}

impl WitnessSigner {
    /// The key of a name and 32 random bytes.
    pub fn new(name: &str, seed: [u8; 32]) -> Result<Self, KeyError> {
        let (pair, public) = note::pair_of(name, seed)?;
        let name = name.to_owned();
        Ok(Self {
            pair,
            verifier: WitnessKey { name, public },
        })
    }

    /// Its public half.
    pub const fn verifier(&self) -> &WitnessKey {
        &self.verifier
    }

    /// The signature line, with its end, over the text of a checkpoint at this time, in seconds since 1970.
    pub fn cosign(&self, text: &str, at: u64) -> String {
        let signature = self.pair.sign(message(text, at).as_bytes());
        let bytes = [&at.to_be_bytes(), signature.as_ref()].concat();
        note::spell_signature(&self.verifier.name, self.verifier.id(), &bytes)
    }
}

impl fmt::Debug for WitnessSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WitnessSigner").field(&self.verifier).finish()
    }
}

/// That a witness saw a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosignature {
    /// What the witness is called.
    pub witness: String,
    /// Id of its key.
    pub key: KeyId,
    /// When, in seconds since 1970, at most the year 9999.
    pub at: u64,
    /// The signature line, with its end.
    pub line: String,
}

/// The cosignatures of known witnesses on a note, in the order of the note. All of them must hold; those of others are passed
/// over. Whether the log signed it is another question.
pub fn cosignatures(note: &str, keys: &[WitnessKey]) -> Result<Vec<Cosignature>, NoteError> {
    let (text, signatures) = note::split(note)?;
    let mut found = Vec::new();
    for signature in signatures {
        let known = keys
            .iter()
            .find(|key| key.name == signature.name && key.id() == signature.id);
        if let Some(key) = known {
            found.push(Cosignature {
                witness: key.name.clone(),
                key: signature.id,
                at: key.opens(text, &signature)?,
                line: note::spell_signature(&key.name, signature.id, &signature.bytes),
            });
        }
    }
    Ok(found)
}

/// The witnesses that somebody trusts, and how many of them have to agree.
#[derive(Debug, Clone, Default)]
pub struct Quorum {
    /// Their keys. A witness that changed its key has two under one name, and counts once.
    pub keys: Vec<WitnessKey>,
    /// How many of them make a checkpoint a proved one; 0: nobody asks for it.
    pub needed: usize,
}

impl Quorum {
    /// Different witnesses among the keys.
    pub fn witnesses(&self) -> usize {
        self.keys
            .iter()
            .map(WitnessKey::name)
            .collect::<BTreeSet<_>>()
            .len()
    }

    /// Whether so many of the witnesses cosigned.
    pub fn is_met(&self, cosignatures: &[Cosignature]) -> bool {
        Self::different(cosignatures) >= self.needed
    }

    /// The cosignatures of a note, if they are enough.
    pub fn proves(&self, note: &str) -> Result<Vec<Cosignature>, Refuted> {
        let found = cosignatures(note, &self.keys)?;
        if self.is_met(&found) {
            Ok(found)
        } else {
            Err(Refuted::Unwitnessed {
                found: Self::different(&found),
                needed: self.needed,
            })
        }
    }

    fn different(cosignatures: &[Cosignature]) -> usize {
        let names: BTreeSet<_> = cosignatures.iter().map(|found| &found.witness).collect();
        names.len()
    }
}

/// Why a witness does not cosign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The request is not of the form it should have.
    #[error("not of the expected form")]
    Form,
    /// No log of this name is known.
    #[error("no such log is known")]
    UnknownLog,
    /// The checkpoint is not signed by a known key of the log.
    #[error("not signed by a known key of the log")]
    Unsigned,
    /// The old size is larger than that of the checkpoint.
    #[error("the old size is larger than that of the checkpoint")]
    Backwards,
    /// The last checkpoint that was cosigned is of this other size.
    #[error("the last checkpoint that was cosigned is of size {0}")]
    Elsewhere(u64),
    /// A checkpoint with another root was cosigned at this size.
    #[error("a checkpoint with another root was cosigned at size {0}: the log was forked")]
    Forked(u64),
    /// The log is not the one that was cosigned, grown.
    #[error("the proof does not hold: the log is not the one that was cosigned")]
    Proof,
}

impl Refusal {
    /// The status of the answer (C2SP `tlog-witness`).
    pub const fn status(self) -> u16 {
        match self {
            Self::Form | Self::Backwards => 400,
            Self::UnknownLog => 404,
            Self::Unsigned => 403,
            Self::Elsewhere(_) | Self::Forked(_) => 409,
            Self::Proof => 422,
        }
    }

    /// The size that the answer names.
    pub const fn size(self) -> Option<u64> {
        match self {
            Self::Elsewhere(size) | Self::Forked(size) => Some(size),
            _ => None,
        }
    }
}

/// What a log asks a witness: the body of `add-checkpoint`.
#[derive(Debug, Clone)]
pub struct Submission {
    proof: ConsistencyProof,
    checkpoint: Checkpoint,
}

impl Submission {
    /// Reads a request. Nothing of it is verified yet.
    pub fn read(body: &str) -> Result<Self, Refusal> {
        let proof: ConsistencyProof = body.parse().map_err(|_| Refusal::Form)?;
        let (text, _) = note::split(&proof.note).map_err(|_| Refusal::Form)?;
        let checkpoint = text.parse().map_err(|_| Refusal::Form)?;
        Ok(Self { proof, checkpoint })
    }

    /// The checkpoint that is to be cosigned.
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// Its signed note.
    pub fn note(&self) -> &str {
        &self.proof.note
    }

    /// Whether one of these keys of the log signed it.
    pub fn signed_by(&self, keys: &[VerifierKey]) -> Result<(), Refusal> {
        if keys.iter().all(|key| key.name() != self.checkpoint.origin) {
            return Err(Refusal::UnknownLog);
        }
        match Checkpoint::open(&self.proof.note, keys) {
            Ok(_) => Ok(()),
            Err(_) => Err(Refusal::Unsigned),
        }
    }

    /// Whether a witness may cosign it whose last cosigned checkpoint of this log is `known`; none: it never cosigned one. What
    /// comes back is what it knows from then on, to be kept before it answers.
    pub fn judged(&self, known: Option<&Checkpoint>) -> Result<&Checkpoint, Refusal> {
        let (old, new) = (self.proof.old, &self.checkpoint);
        let (size, root) = known.map_or_else(|| (0, fold(&[])), |known| (known.size, known.root));
        if old > new.size {
            Err(Refusal::Backwards)
        } else if old != size {
            Err(Refusal::Elsewhere(size))
        } else if new.size == size && new.root != root {
            Err(Refusal::Forked(size))
        } else if is_consistent(size, new.size, &root, &new.root, &self.proof.path) {
            Ok(new)
        } else {
            Err(Refusal::Proof)
        }
    }

    /// The answer.
    pub fn cosigned(&self, signer: &WitnessSigner, at: u64) -> Result<String, Refusal> {
        let (text, _) = note::split(&self.proof.note).map_err(|_| Refusal::Form)?;
        Ok(signer.cosign(text, at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trail::merkle::{Hash, TreeHasher, leaf_hash, node_hash};
    use crate::trail::note::SigningKey;

    const ORIGIN: &str = "example.com/log";

    /// The example of C2SP `tlog-witness`.
    const EXAMPLE: &str = "old 20852014\n\
        PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n\
        jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n\
        5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n\
        /6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n\n\
        example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\
        \u{2014} example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n\
        \u{2014} example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=\n";

    fn log(seed: u8) -> SigningKey {
        SigningKey::new(ORIGIN, [seed; 32]).unwrap()
    }

    fn witness(name: &str, seed: u8) -> WitnessSigner {
        WitnessSigner::new(name, [seed; 32]).unwrap()
    }

    fn leaves(count: u8) -> Vec<Hash> {
        (0..count).map(|leaf| leaf_hash(&[leaf])).collect()
    }

    fn checkpoint(leaves: &[Hash]) -> Checkpoint {
        let mut tree = TreeHasher::new();
        for leaf in leaves {
            tree.push(*leaf);
        }
        Checkpoint {
            origin: ORIGIN.to_owned(),
            size: tree.leaves(),
            root: tree.root(),
        }
    }

    fn asked(old: u64, path: &[Hash], new: &Checkpoint) -> Submission {
        let proof = ConsistencyProof {
            old,
            path: path.to_vec(),
            note: log(1).sign(&new.to_string()),
        };
        Submission::read(&proof.to_string()).unwrap()
    }

    #[test]
    fn keys_are_those_of_the_specification() {
        // A public witness.
        let text = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2";
        let key: WitnessKey = text.parse().unwrap();
        assert_eq!((key.name(), key.to_string().as_str()), ("remora.n621.de", text));
        // A witness's key is no log's key, and the other way round.
        assert_eq!(text.parse::<VerifierKey>(), Err(KeyError::Algorithm));
        let of_a_log = log(1).verifier().to_string();
        assert_eq!(of_a_log.parse::<WitnessKey>(), Err(KeyError::Algorithm));
        let mistyped = text.replace("da77ade7", "da77ade8");
        assert_eq!(mistyped.parse::<WitnessKey>(), Err(KeyError::Id));
        assert!(WitnessSigner::new("a b", [1; 32]).is_err());
    }

    #[test]
    fn a_cosignature_has_the_bytes_of_the_specification() {
        use base64::Engine as _;
        let (signer, text) = (witness("w.example", 7), "origin\n0\nAAAA\n");
        let line = signer.cosign(text, 1_679_315_147);
        let bytes = line
            .strip_prefix("\u{2014} w.example ")
            .unwrap()
            .strip_suffix('\n')
            .unwrap();
        let bytes = base64::engine::general_purpose::STANDARD.decode(bytes).unwrap();
        assert_eq!(bytes.len(), 4 + 8 + 64);
        assert_eq!(bytes[..4], signer.verifier().id().0);
        // The time of the example of the specification.
        assert_eq!(bytes[4..12], [0, 0, 0, 0, 0x64, 0x18, 0x50, 0xcb]);
        let message = b"cosignature/v1\ntime 1679315147\norigin\n0\nAAAA\n";
        assert!(note::verifies(&signer.verifier.public, message, &bytes[12..]));
    }

    #[test]
    fn only_what_known_witnesses_signed_counts() {
        let (one, two) = (witness("one.example", 1), witness("two.example", 2));
        let text = checkpoint(&leaves(3)).to_string();
        let note = format!(
            "{}{}{}",
            log(1).sign(&text),
            one.cosign(&text, 5),
            two.cosign(&text, 6)
        );
        // The log's own signature still opens.
        let keys = [log(1).verifier().clone()];
        assert!(Checkpoint::open(&note, &keys).is_ok());

        let quorum = |keys: &[&WitnessSigner], needed| Quorum {
            keys: keys.iter().map(|signer| signer.verifier().clone()).collect(),
            needed,
        };
        let found = quorum(&[&one, &two], 2).proves(&note).unwrap();
        let told: Vec<_> = found
            .iter()
            .map(|found| (found.witness.as_str(), found.at))
            .collect();
        assert_eq!(told, [("one.example", 5), ("two.example", 6)]);
        assert_eq!(found[0].line, one.cosign(&text, 5));
        let lacking = |found, needed| Err(Refuted::Unwitnessed { found, needed });
        assert_eq!(quorum(&[&two], 2).proves(&note), lacking(1, 2));
        let stranger = witness("one.example", 3);
        assert_eq!(quorum(&[&stranger, &two], 2).proves(&note), lacking(1, 2));
        // A witness that signed twice, with an old and a new key even, is one witness.
        let again = format!("{note}{}{}", one.cosign(&text, 9), stranger.cosign(&text, 9));
        let twice = quorum(&[&one, &stranger], 2);
        assert_eq!((twice.witnesses(), twice.proves(&again)), (1, lacking(1, 2)));

        // Another text, another time, a cut signature.
        let other = checkpoint(&leaves(2)).to_string();
        let moved = format!("{}{}", log(1).sign(&other), one.cosign(&text, 5));
        let cut = format!("{}\u{2014} one.example {}\n", log(1).sign(&text), {
            use base64::Engine as _;
            base64::engine::general_purpose::STANDARD.encode(one.verifier().id().0)
        });
        let late = format!("{}{}", log(1).sign(&text), one.cosign(&text, LAST + 1));
        for wrong in [moved, cut, late] {
            let refuted = quorum(&[&one], 1).proves(&wrong);
            assert_eq!(refuted, Err(Refuted::Note(NoteError::Forged)), "{wrong}");
        }
    }

    #[test]
    fn a_witness_cosigns_what_grew_and_nothing_else() {
        let all = leaves(3);
        let (two, three) = (checkpoint(&all[..2]), checkpoint(&all));
        assert_eq!(asked(0, &[], &two).judged(None), Ok(&two));
        assert_eq!(asked(2, &[all[2]], &three).judged(Some(&two)), Ok(&three));
        // The same again is cosigned again.
        assert_eq!(asked(3, &[], &three).judged(Some(&three)), Ok(&three));
        assert_eq!(asked(0, &[], &checkpoint(&[])).judged(None), Ok(&checkpoint(&[])));

        let fork = Checkpoint {
            root: node_hash(&all[1], &all[0]),
            ..two.clone()
        };
        let empty_fork = Checkpoint {
            size: 0,
            ..fork.clone()
        };
        for (asked, known, refusal, status) in [
            (asked(4, &[], &three), Some(&three), Refusal::Backwards, 400),
            (asked(0, &[], &three), Some(&two), Refusal::Elsewhere(2), 409),
            (asked(1, &[], &three), None, Refusal::Elsewhere(0), 409),
            (asked(2, &[], &two), Some(&three), Refusal::Elsewhere(3), 409),
            (asked(2, &[], &fork), Some(&two), Refusal::Forked(2), 409),
            (asked(0, &[], &empty_fork), None, Refusal::Forked(0), 409),
            (asked(2, &[all[1]], &three), Some(&two), Refusal::Proof, 422),
            (asked(2, &[], &three), Some(&two), Refusal::Proof, 422),
            (asked(2, &[all[2]], &three), Some(&fork), Refusal::Proof, 422),
            (asked(0, &[all[2]], &three), None, Refusal::Proof, 422),
            (asked(3, &[all[2]], &three), Some(&three), Refusal::Proof, 422),
        ] {
            assert_eq!(asked.judged(known), Err(refusal));
            assert_eq!(refusal.status(), status, "{refusal}");
        }
    }

    #[test]
    fn a_witness_knows_its_logs_by_name_and_key() {
        let asked = asked(0, &[], &checkpoint(&leaves(2)));
        let of = |key: &SigningKey| key.verifier().clone();
        assert_eq!(asked.signed_by(&[of(&log(2)), of(&log(1))]), Ok(()));
        assert_eq!(asked.signed_by(&[of(&log(2))]), Err(Refusal::Unsigned));
        let other = SigningKey::new("example.com/other", [1; 32]).unwrap();
        assert_eq!(asked.signed_by(&[of(&other)]), Err(Refusal::UnknownLog));
        let signer = witness("w.example", 1);
        let answer = format!("{}{}", asked.note(), asked.cosigned(&signer, 77).unwrap());
        let found = cosignatures(&answer, &[signer.verifier().clone()]).unwrap();
        assert_eq!(found[0].at, 77);
    }

    #[test]
    fn requests_are_read_as_the_specification_spells_them() {
        let read = Submission::read(EXAMPLE).unwrap();
        let checkpoint = read.checkpoint();
        assert_eq!(
            (checkpoint.origin.as_str(), checkpoint.size),
            ("example.com/behind-the-sofa", 20_852_163)
        );
        assert_eq!((read.proof.old, read.proof.path.len()), (20_852_014, 4));
        for wrong in [
            "",
            &EXAMPLE.replace("old 2", "old 02"),
            &EXAMPLE.replace("old ", "new "),
            &EXAMPLE.replace("20852163", "x"),
            &EXAMPLE.replace("PlRN", "PlR"),
            EXAMPLE.trim_end(),
            EXAMPLE.split("\n\n").next().unwrap(),
        ] {
            assert_eq!(Submission::read(wrong).err(), Some(Refusal::Form), "{wrong}");
        }
    }
}
