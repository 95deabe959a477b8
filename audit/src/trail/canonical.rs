//! The canonical entry: the bytes of a trail entry that its commitment in the log is made of. Whoever has an entry, its salt and
//! this description can recompute the commitment without this program (`tests/oracles/log.py` does so).
//!
//! # The bytes
//!
//! A *field* is its length in bytes as an unsigned 32-bit big-endian number, followed by that many bytes. A *text* is the UTF-8
//! of the stored text, as it is. An *id* is the 16 bytes of a UUID in the order of its notation.
//!
//! | # | Part | Content |
//! |---|------|---------|
//! | 0 | 16 bytes, no length | version tag: the ASCII text `pruefpfad-log-01` |
//! | 1 | 32 bytes, no length | salt, drawn afresh for each entry |
//! | 2 | field of 16 bytes | entry id |
//! | 3 | field of 8 bytes | time in microseconds since 1970-01-01T00:00:00Z, signed 64-bit big-endian |
//! | 4 | field | actor, text |
//! | 5 | field | membership, text; may be empty |
//! | 6 | field | action, text |
//! | 7 | field | outcome, text: `DONE` or `DENIED` |
//! | 8 | field of 0 or 16 bytes | id of the engagement; empty without one |
//! | 9 | field | kind of the subject, text |
//! | 10 | field of 0 or 16 bytes | id of the subject; empty without one |
//! | 11 | field of 16 bytes | request id |
//! | 12 | field | detail, text (JSON, byte by byte as stored) |
//!
//! The commitment is SHA-256 over all of it. It is the entry of the log in the words of RFC 6962: the hash of its leaf is SHA-256
//! over 0x00 and the 32 bytes of the commitment. The tag in front keeps a commitment from passing as a leaf or a node, whose
//! bytes start with 0x00 and 0x01. Without the salt nobody can guess the content behind a commitment; with the salt erased
//! nobody ever can, and leaf, tree and proofs stay as they are.

use chrono::{DateTime, Utc};
use entity::trail_entry;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::merkle::Hash;

/// First bytes of every canonical entry; another layout gets another tag.
pub const VERSION_TAG: &[u8; 16] = b"pruefpfad-log-01";

/// The random bytes of a commitment.
pub type Salt = [u8; 32];

/// A trail entry as it is hashed, and as it stands in an export of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Entry {
    /// Id.
    pub id: Uuid,
    /// When, in whole microseconds.
    pub at: DateTime<Utc>,
    /// Who.
    pub actor: String,
    /// Under which membership; may be empty.
    pub membership: String,
    /// What.
    pub action: String,
    /// `DONE` or `DENIED`.
    pub outcome: String,
    /// In which engagement.
    pub engagement_id: Option<Uuid>,
    /// Kind of the subject.
    pub subject_kind: String,
    /// Id of the subject.
    pub subject_id: Option<Uuid>,
    /// The request it came with.
    pub request_id: Uuid,
    /// What changed, as a JSON text.
    pub detail: String,
}

impl From<&trail_entry::Model> for Entry {
    fn from(row: &trail_entry::Model) -> Self {
        Self {
            id: row.id.0,
            at: row.at,
            actor: row.actor.clone(),
            membership: row.membership.clone(),
            action: row.action.clone(),
            outcome: row.outcome.as_str().to_owned(),
            engagement_id: row.engagement_id.map(|id| id.0),
            subject_kind: row.subject_kind.clone(),
            subject_id: row.subject_id,
            request_id: row.request_id,
            detail: row.detail.clone(),
        }
    }
}

impl Entry {
    /// Tag, salt and canonical entry: what is hashed.
    pub fn opening(&self, salt: &Salt) -> Vec<u8> {
        let mut out = Vec::with_capacity(256 + self.detail.len());
        out.extend_from_slice(VERSION_TAG);
        out.extend_from_slice(salt);
        field(&mut out, self.id.as_bytes());
        field(&mut out, &self.at.timestamp_micros().to_be_bytes());
        field(&mut out, self.actor.as_bytes());
        field(&mut out, self.membership.as_bytes());
        field(&mut out, self.action.as_bytes());
        field(&mut out, self.outcome.as_bytes());
        field(&mut out, bytes(self.engagement_id.as_ref()));
        field(&mut out, self.subject_kind.as_bytes());
        field(&mut out, bytes(self.subject_id.as_ref()));
        field(&mut out, self.request_id.as_bytes());
        field(&mut out, self.detail.as_bytes());
        out
    }

    /// The entry that bytes made by [`Self::opening`] tell of; none where they are no such bytes.
    pub fn from_opening(opening: &[u8]) -> Option<Self> {
        let rest = opening.strip_prefix(VERSION_TAG.as_slice())?;
        let (_salt, rest) = rest.split_first_chunk::<32>()?;
        let mut rest = rest;
        let entry = Self {
            id: id(&mut rest)?,
            at: DateTime::from_timestamp_micros(i64::from_be_bytes(take(&mut rest)?.try_into().ok()?))?,
            actor: text(&mut rest)?,
            membership: text(&mut rest)?,
            action: text(&mut rest)?,
            outcome: text(&mut rest)?,
            engagement_id: ids(&mut rest)?.pop(),
            subject_kind: text(&mut rest)?,
            subject_id: ids(&mut rest)?.pop(),
            request_id: id(&mut rest)?,
            detail: text(&mut rest)?,
        };
        rest.is_empty().then_some(entry)
    }

    /// The commitment under a salt.
    pub fn commitment(&self, salt: &Salt) -> Hash {
        commitment(&self.opening(salt))
    }
}

/// The commitment that an opening opens.
pub fn commitment(opening: &[u8]) -> Hash {
    Sha256::digest(opening).into()
}

/// Appends a field: its length, then its bytes.
pub(crate) fn field(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&length(bytes.len()));
    out.extend_from_slice(bytes);
}

/// What is hashed comes from bounded requests and records, so that the bound is never met.
pub(crate) fn length(count: usize) -> [u8; 4] {
    u32::try_from(count).unwrap_or(u32::MAX).to_be_bytes()
}

fn bytes(id: Option<&Uuid>) -> &[u8] {
    id.map_or(&[], |id| id.as_bytes().as_slice())
}

fn take<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, after) = rest.split_first_chunk::<4>()?;
    let (field, after) = after.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    *rest = after;
    Some(field)
}

fn text(rest: &mut &[u8]) -> Option<String> {
    String::from_utf8(take(rest)?.to_vec()).ok()
}

fn id(rest: &mut &[u8]) -> Option<Uuid> {
    Uuid::from_slice(take(rest)?).ok()
}

/// The id of a field that may be empty: as a list of none or one.
fn ids(rest: &mut &[u8]) -> Option<Vec<Uuid>> {
    match take(rest)? {
        [] => Some(Vec::new()),
        bytes => Some(vec![Uuid::from_slice(bytes).ok()?]),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entry() -> Entry {
        Entry {
            id: Uuid::from_u128(0x0193_4f2a_0000_7000_8000_0000_0000_0001),
            at: DateTime::from_timestamp_micros(1_763_712_000_123_456).unwrap(),
            actor: "anna".to_owned(),
            membership: "SACHBEARBEITUNG:03".to_owned(),
            action: "ENGAGEMENT_OPEN".to_owned(),
            outcome: "DONE".to_owned(),
            engagement_id: Some(Uuid::from_u128(0x0b03)),
            subject_kind: "Engagement".to_owned(),
            subject_id: None,
            request_id: Uuid::nil(),
            detail: "{\"ä\":1}".to_owned(),
        }
    }

    #[test]
    fn the_bytes_are_the_documented_ones() {
        let mut expected = b"pruefpfad-log-01".to_vec();
        expected.extend([0x5a; 32]);
        expected.extend(hex::decode("0000001001934f2a000070008000000000000001").unwrap());
        expected.extend(hex::decode("00000008000644163340e240").unwrap());
        expected.extend(b"\0\0\0\x04anna");
        expected.extend(b"\0\0\0\x12SACHBEARBEITUNG:03");
        expected.extend(b"\0\0\0\x0fENGAGEMENT_OPEN");
        expected.extend(b"\0\0\0\x04DONE");
        expected.extend(hex::decode("0000001000000000000000000000000000000b03").unwrap());
        expected.extend(b"\0\0\0\x0aEngagement");
        expected.extend(b"\0\0\0\0");
        expected.extend(hex::decode("0000001000000000000000000000000000000000").unwrap());
        expected.extend("\0\0\0\x08{\"ä\":1}".as_bytes());
        assert_eq!(hex::encode(entry().opening(&[0x5a; 32])), hex::encode(&expected));
        assert_eq!(Entry::from_opening(&expected), Some(entry()));
        assert_eq!(entry().commitment(&[0x5a; 32]), commitment(&expected));
        for end in 0..expected.len() {
            assert_eq!(Entry::from_opening(&expected[..end]), None, "cut at {end}");
        }
        expected.push(0);
        assert_eq!(Entry::from_opening(&expected), None);
    }

    #[test]
    fn whatever_changes_changes_the_commitment() {
        let changes: [fn(&mut Entry); 11] = [
            |entry| entry.id = Uuid::nil(),
            |entry| entry.at += chrono::TimeDelta::microseconds(1),
            |entry| entry.actor.push('x'),
            |entry| entry.membership.clear(),
            |entry| entry.action.push('x'),
            |entry| entry.outcome = "DENIED".to_owned(),
            |entry| entry.engagement_id = None,
            |entry| entry.subject_kind.push('x'),
            |entry| entry.subject_id = Some(Uuid::nil()),
            |entry| entry.request_id = Uuid::max(),
            |entry| entry.detail.push(' '),
        ];
        let mut seen = vec![entry().commitment(&[1; 32]), entry().commitment(&[2; 32])];
        for change in changes {
            let mut other = entry();
            change(&mut other);
            seen.push(other.commitment(&[1; 32]));
        }
        let count = seen.len();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), count);
    }

    proptest! {
        #[test]
        fn an_opening_is_read_as_it_was_written(actor in ".*", membership in ".*", detail in ".*", salt: [u8; 32], id: Option<u128>) {
            let written = Entry { actor, membership, detail, subject_id: id.map(Uuid::from_u128), ..entry() };
            prop_assert_eq!(Entry::from_opening(&written.opening(&salt)), Some(written));
        }
    }
}
