//! The ceremony of a draw: who contributed to the seed, in what order, and what nobody could steer.
//!
//! Order of things, each logged before the next: the population is frozen and its root stands in a signed
//! checkpoint; the [`Plan`] is fixed; contributions are committed, then opened; the public source comes to
//! exist; the draw follows. What was logged when is given by the caller; this folder judges it and forms the
//! seed ([`conclude()`]). The bytes of every digest are in `audit/README.md`; `tests/oracles/draw.py` redoes
//! them from that text.
//!
//! # Levels
//!
//! - [`Assurance::Everyday`]: one person, a seed from the operating system, logged. That person could have looked
//!   at many seeds before logging one.
//! - [`Assurance::Witnessed`]: contributions of at least two parties, all committed before the first is opened. Who
//!   did not open is named. The last to open knows the result before the others and can stay silent: one choice
//!   between two results, which the report shows.
//! - [`Assurance::NotSteerable`]: the plan names a public source that does not exist yet, and every contribution
//!   that counts is committed and opened before it does. Whoever stays silent does so without knowing the result:
//!   silence gains nothing, the draw goes on without them, and they are named. An opening that comes later does not
//!   count either, so that nobody can spoil a result they have seen.

use sha2::{Digest as _, Sha256};

mod conclude;
mod contribution;
mod dice;
pub mod drand;
mod error;
mod plan;
mod source;
#[cfg(test)]
mod tests;

pub use conclude::{Ceremony, Material, Silence, conclude};
pub use contribution::{Commitment, Contribution, LONGEST_TEXT, Logged, Opening, commitment};
pub use dice::{FEWEST_THROWS, MOST_THROWS, Session};
pub use error::CeremonyError;
pub use plan::{Assurance, Plan, PlannedSource, PlannedStratum};
pub use source::{Source, SourceUsed};

/// Method id of the ceremony.
pub const CEREMONY: &str = "ceremony";
/// Its version; part of the tags that begin every digest.
pub const CEREMONY_VERSION: &str = "1";

/// 32 bytes that are written in lower-case hexadecimal: a SHA-256 digest, a root, or a salt.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Bytes32(pub [u8; 32]);

impl schemars::JsonSchema for Bytes32 {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Bytes32".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[0-9a-fA-F]{64}$" })
    }
}

impl Bytes32 {
    /// Reads 64 hexadecimal digits, of either case.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        Some(Self(bytes))
    }
}

impl std::fmt::Display for Bytes32 {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&hex::encode(self.0))
    }
}

impl std::fmt::Debug for Bytes32 {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{self}")
    }
}

impl serde::Serialize for Bytes32 {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Bytes32 {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("64 hexadecimal digits are expected"))
    }
}

/// SHA-256 over texts, each (UTF-8, as it is) behind its length in bytes (4 bytes, big-endian).
#[derive(Debug, Clone, Default)]
pub struct Fields(Sha256);

impl Fields {
    /// Begins with the tag that says what is hashed.
    pub fn new(tag: &str) -> Self {
        Self::default().text(tag)
    }

    /// Appends a text.
    #[must_use]
    pub fn text(mut self, text: impl AsRef<str>) -> Self {
        self.add(text.as_ref());
        self
    }

    /// Appends a number, a digest or whatever else is written as text.
    #[must_use]
    pub fn shown(self, value: &impl std::fmt::Display) -> Self {
        self.text(value.to_string())
    }

    /// Appends a text in place.
    pub fn add(&mut self, text: &str) {
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
        self.0.update(length.to_be_bytes());
        self.0.update(text);
    }

    /// The digest.
    pub fn finish(self) -> Bytes32 {
        Bytes32(self.0.finalize().into())
    }
}
