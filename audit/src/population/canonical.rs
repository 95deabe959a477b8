//! The canonical row: the bytes of a population item that its Merkle leaf is made of. Whoever has the rows, their salts and
//! this description can recompute the root of a frozen population without this program
//! (`tests/oracles/merkle.py` does so).
//!
//! # The bytes
//!
//! A *field* is its length in bytes as an unsigned 32-bit big-endian number, followed by that many bytes. A *text* is UTF-8
//! in Unicode normalization form NFC. A *cents* value is a signed 64-bit big-endian number in two's complement. An *id* is the
//! 16 bytes of a UUID in the order of its notation.
//!
//! | # | Part | Content |
//! |---|------|---------|
//! | 0 | 16 bytes, no length | version tag: the ASCII text `pruefpfad-row-01` |
//! | 1 | field of 16 bytes | item id |
//! | 2 | field of 16 bytes | item key: pseudonym of the key columns |
//! | 3 | field of 0 or 16 bytes | case key: pseudonym of the case number; empty without one |
//! | 4 | field of 16 bytes | id of the Bezirksstelle |
//! | 5 | field of 8 bytes | amount in cents |
//! | 6 to 9 | four fields of 8 bytes | shares of Bund, Kommune, Land, EU in cents |
//! | 10 | field | product, text; may be empty |
//! | 11 | field of 0 or 10 bytes | first day of the period, ASCII `YYYY-MM-DD`; empty without one |
//! | 12 | field of 0 or 10 bytes | day of the decision, ASCII `YYYY-MM-DD`; empty without one |
//! | 13 | field | kind, text; may be empty |
//! | 14 | field of 1 byte | own staff: 0x01, otherwise 0x00 |
//! | 15 | 4 bytes, no length | number of attributes, unsigned 32-bit big-endian |
//! | 16 | two fields each | name and value of each attribute, both text, ascending by the bytes of the name |
//! | 17 | field | reference, text |
//!
//! The leaf is SHA-256 over the byte 0x00, the 32 bytes of the row's salt, and the canonical row. The tree over the leaves,
//! ascending by the bytes of the item id, is that of RFC 6962 section 2.1: a node is SHA-256 over 0x01, its left and its right child;
//! the left child covers the largest power of two below the number of leaves; the root of no leaves is SHA-256 of nothing.

use std::borrow::Cow;

use chrono::NaiveDate;
use sha2::{Digest as _, Sha256};
use unicode_normalization::{UnicodeNormalization as _, is_nfc};
use uuid::Uuid;

use crate::trail::canonical::{field, length};
use crate::trail::merkle::Hash;

/// First bytes of every canonical row; another layout gets another tag.
pub const VERSION_TAG: &[u8; 16] = b"pruefpfad-row-01";

/// A population item as it is hashed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CanonicalRow<'a> {
    /// Id of the item.
    pub id: Uuid,
    /// Pseudonym of the key columns.
    pub item_key: [u8; 16],
    /// Pseudonym of the case number.
    pub case_key: Option<[u8; 16]>,
    /// Id of the Bezirksstelle.
    pub bezirksstelle_id: Uuid,
    /// Amount in cents.
    pub amount: i64,
    /// Shares of Bund, Kommune, Land, EU in cents.
    pub funds: [i64; 4],
    /// Product or budget title.
    pub product: &'a str,
    /// First day of the month the item is for.
    pub period: Option<NaiveDate>,
    /// Day of the decision.
    pub decision_date: Option<NaiveDate>,
    /// Kind of item.
    pub kind: &'a str,
    /// Case of own staff.
    pub own_staff: bool,
    /// Free attributes in any order.
    pub attributes: &'a [(&'a str, &'a str)],
    /// Name of the item for people.
    pub reference: &'a str,
}

impl CanonicalRow<'_> {
    /// Appends the canonical bytes.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(VERSION_TAG);
        field(out, self.id.as_bytes());
        field(out, &self.item_key);
        field(out, self.case_key.as_ref().map_or(&[], |key| key.as_slice()));
        field(out, self.bezirksstelle_id.as_bytes());
        field(out, &self.amount.to_be_bytes());
        for share in self.funds {
            field(out, &share.to_be_bytes());
        }
        field(out, normal(self.product).as_bytes());
        field(out, day(self.period).as_bytes());
        field(out, day(self.decision_date).as_bytes());
        field(out, normal(self.kind).as_bytes());
        field(out, &[u8::from(self.own_staff)]);
        let mut attributes: Vec<_> = self
            .attributes
            .iter()
            .map(|(name, value)| (normal(name), normal(value)))
            .collect();
        attributes.sort_unstable();
        out.extend_from_slice(&length(attributes.len()));
        for (name, value) in &attributes {
            field(out, name.as_bytes());
            field(out, value.as_bytes());
        }
        field(out, normal(self.reference).as_bytes());
    }
}

fn normal(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || is_nfc(text) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.nfc().collect())
    }
}

fn day(date: Option<NaiveDate>) -> String {
    date.map(|date| date.to_string()).unwrap_or_default()
}

/// The Merkle leaf of a row.
pub fn leaf(salt: &[u8; 32], row: &CanonicalRow<'_>) -> Hash {
    leaf_in(salt, row, &mut Vec::with_capacity(512))
}

/// [`leaf`] with a buffer that is used again from row to row.
pub fn leaf_in(salt: &[u8; 32], row: &CanonicalRow<'_>, buffer: &mut Vec<u8>) -> Hash {
    buffer.clear();
    buffer.push(0x00);
    buffer.extend_from_slice(salt);
    row.encode(buffer);
    Sha256::digest(buffer.as_slice()).into()
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    use super::*;
    use crate::trail::merkle::{TreeHasher, leaf_hash};

    const ATTRIBUTES: &[(&str, &str)] = &[
        ("Zahlweg", "Konto"),
        ("Leistungsart", "Unterkunft"),
        ("Ämter", ""),
    ];

    fn row() -> CanonicalRow<'static> {
        CanonicalRow {
            id: Uuid::from_u128(0x0193_4f2a_0000_7000_8000_0000_0000_0001),
            item_key: [0x11; 16],
            case_key: Some([0x22; 16]),
            bezirksstelle_id: Uuid::from_u128(0x0193_4f2a_0000_7000_8000_0000_0000_0b03),
            amount: -12_345,
            funds: [-12_000, -345, 0, 0],
            product: "312100 Bürgergeld",
            period: NaiveDate::from_ymd_opt(2025, 3, 1),
            decision_date: None,
            kind: "Storno",
            own_staff: true,
            attributes: ATTRIBUTES,
            reference: "2025-0000001",
        }
    }

    const SALT: [u8; 32] = [0x5a; 32];

    #[test]
    fn the_bytes_are_the_documented_ones() {
        let mut bytes = Vec::new();
        row().encode(&mut bytes);
        let mut expected = b"pruefpfad-row-01".to_vec();
        expected.extend(hex::decode("0000001001934f2a000070008000000000000001").unwrap());
        expected.extend(hex::decode("0000001011111111111111111111111111111111").unwrap());
        expected.extend(hex::decode("0000001022222222222222222222222222222222").unwrap());
        expected.extend(hex::decode("0000001001934f2a000070008000000000000b03").unwrap());
        expected.extend(hex::decode("00000008ffffffffffffcfc7").unwrap());
        expected.extend(hex::decode("00000008ffffffffffffd12000000008fffffffffffffea7000000080000000000000000000000080000000000000000").unwrap());
        expected.extend(
            b"\0\0\0\x12312100 B\xc3\xbcrgergeld\0\0\0\x0a2025-03-01\0\0\0\0\0\0\0\x06Storno\0\0\0\x01\x01",
        );
        expected.extend(b"\0\0\0\x03\0\0\0\x0cLeistungsart\0\0\0\x0aUnterkunft\0\0\0\x07Zahlweg\0\0\0\x05Konto\0\0\0\x06\xc3\x84mter\0\0\0\0");
        expected.extend(b"\0\0\0\x0c2025-0000001");
        assert_eq!(hex::encode(&bytes), hex::encode(expected));
        assert_eq!(leaf(&SALT, &row()), leaf_hash(&[&SALT[..], &bytes].concat()));
        assert_eq!(
            hex::encode(leaf(&SALT, &row())),
            "3e9a3f274be7d3142d989a0cda789e774e706e563b66fb0bc1171cf01601e8f2"
        );
    }

    #[test]
    fn every_field_changes_the_leaf() {
        let changed = [
            CanonicalRow {
                id: Uuid::nil(),
                ..row()
            },
            CanonicalRow {
                item_key: [0; 16],
                ..row()
            },
            CanonicalRow {
                case_key: None,
                ..row()
            },
            CanonicalRow {
                bezirksstelle_id: Uuid::nil(),
                ..row()
            },
            CanonicalRow {
                amount: 12_345,
                ..row()
            },
            CanonicalRow {
                funds: [-345, -12_000, 0, 0],
                ..row()
            },
            CanonicalRow { product: "", ..row() },
            CanonicalRow {
                period: None,
                ..row()
            },
            CanonicalRow {
                decision_date: row().period,
                ..row()
            },
            CanonicalRow { kind: "", ..row() },
            CanonicalRow {
                own_staff: false,
                ..row()
            },
            CanonicalRow {
                attributes: &[],
                ..row()
            },
            CanonicalRow {
                reference: "",
                ..row()
            },
        ];
        let leaves: std::collections::BTreeSet<Hash> = changed
            .iter()
            .chain([&row()])
            .map(|row| leaf(&SALT, row))
            .collect();
        assert_eq!(leaves.len(), changed.len() + 1);
        // Notation is not content.
        assert_eq!(
            leaf(
                &SALT,
                &CanonicalRow {
                    product: "312100 Bu\u{308}rgergeld",
                    ..row()
                }
            ),
            leaf(&SALT, &row())
        );
        let reversed: Vec<_> = ATTRIBUTES.iter().rev().copied().collect();
        assert_eq!(
            leaf(
                &SALT,
                &CanonicalRow {
                    attributes: &reversed,
                    ..row()
                }
            ),
            leaf(&SALT, &row())
        );
        assert_ne!(leaf(&[0; 32], &row()), leaf(&SALT, &row()));
    }

    fn as_json(salt: &[u8; 32], row: &CanonicalRow<'_>) -> String {
        serde_json::json!({
            "salt": hex::encode(salt), "id": row.id, "itemKey": hex::encode(row.item_key), "caseKey": row.case_key.map(hex::encode),
            "bezirksstelleId": row.bezirksstelle_id, "amount": row.amount, "funds": row.funds, "product": row.product,
            "period": row.period, "decisionDate": row.decision_date, "kind": row.kind, "ownStaff": row.own_staff,
            "attributes": row.attributes, "reference": row.reference,
        })
        .to_string()
    }

    #[test]
    fn the_description_suffices_to_recompute_the_root() {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/oracles/merkle.py");
        let Ok(mut python) = Command::new("python3")
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
        else {
            eprintln!("skipped: python3 is not installed");
            return;
        };
        let mut tree = TreeHasher::new();
        let mut rows = String::new();
        for number in 0..777_u16 {
            let salt: [u8; 32] = Sha256::digest(number.to_be_bytes()).into();
            let mut row = row();
            row.id = Uuid::from_u128(u128::from(number) << 64);
            row.amount = i64::from(number) * 1_000_003 - 300_000_000;
            row.funds[usize::from(number % 4)] = row.amount;
            row.case_key = (number % 3 != 0).then_some([number.to_be_bytes()[1]; 16]);
            row.period = row.period.filter(|_| number % 5 != 0);
            row.decision_date = NaiveDate::from_yo_opt(2025, u32::from(number % 365) + 1);
            row.own_staff = number % 7 == 0;
            row.attributes = &ATTRIBUTES[..usize::from(number % 4)];
            tree.push(leaf(&salt, &row));
            rows.push_str(&as_json(&salt, &row));
            rows.push('\n');
        }
        let mut stdin = python.stdin.take().unwrap();
        stdin.write_all(rows.as_bytes()).unwrap();
        drop(stdin);
        let answer = python.wait_with_output().unwrap();
        assert_eq!(
            String::from_utf8_lossy(&answer.stdout).trim(),
            hex::encode(tree.root())
        );
    }
}
