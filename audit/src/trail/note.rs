//! Signed notes (C2SP `signed-note`) with Ed25519, and the keys that sign and verify them. Pure.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, ParsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

/// Type of a key, and of the signatures by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Ed25519 over the text itself.
    Note = 0x01,
    /// Ed25519 over the text and the time of a witness (C2SP `tlog-cosignature`).
    Cosignature = 0x04,
}

/// Signatures of one note that are looked at.
const SIGNATURES: usize = 100;

/// Id of a key: the first bytes of a digest of its name, type and public half.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyId(pub [u8; 4]);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// Why a text is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not name, id and key with plus signs between them.
    #[error("is not of the form NAME+ID+KEY")]
    Form,
    /// A name with spaces or plus signs, or none.
    #[error("has a name that is empty or holds spaces or plus signs")]
    Name,
    /// Another algorithm than Ed25519, not its 32 bytes, or a witness's key where a log's belongs, and the other way round.
    #[error("is no Ed25519 key of this kind")]
    Algorithm,
    /// The id does not follow from name and key: something was mistyped.
    #[error("has an id that does not belong to its name and key: something is mistyped")]
    Id,
}

/// Whether a key, and the log it is for, may be called this.
pub fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name
            .chars()
            .any(|c| c.is_whitespace() || c.is_control() || c == '+')
}

pub(super) fn key_id(name: &str, kind: Kind, public: &[u8; 32]) -> KeyId {
    let mut hasher = Sha256::new();
    hasher.update(name.as_bytes());
    hasher.update([b'\n', kind as u8]);
    hasher.update(public);
    let digest: [u8; 32] = hasher.finalize().into();
    KeyId([digest[0], digest[1], digest[2], digest[3]])
}

/// Name and public half of a key of this kind.
pub(super) fn parse_key(text: &str, kind: Kind) -> Result<(String, [u8; 32]), KeyError> {
    let mut parts = text.trim().splitn(3, '+');
    let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(KeyError::Form);
    };
    if !is_name(name) {
        return Err(KeyError::Name);
    }
    let mut given = [0; 4];
    hex::decode_to_slice(id, &mut given).map_err(|_| KeyError::Form)?;
    let key = STANDARD.decode(key).map_err(|_| KeyError::Form)?;
    let public = match key.split_first() {
        Some((first, key)) if *first == kind as u8 => key.try_into().map_err(|_| KeyError::Algorithm)?,
        _ => return Err(KeyError::Algorithm),
    };
    if key_id(name, kind, &public) == KeyId(given) {
        Ok((name.to_owned(), public))
    } else {
        Err(KeyError::Id)
    }
}

/// The key as `name+id+key`.
pub(super) fn spell_key(name: &str, kind: Kind, public: &[u8; 32]) -> String {
    let mut typed = vec![kind as u8];
    typed.extend_from_slice(public);
    format!("{name}+{}+{}", key_id(name, kind, public), STANDARD.encode(typed))
}

/// The pair that follows from 32 random bytes, and its public half.
pub(super) fn pair_of(name: &str, seed: [u8; 32]) -> Result<(Ed25519KeyPair, [u8; 32]), KeyError> {
    if !is_name(name) {
        return Err(KeyError::Name);
    }
    let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| KeyError::Algorithm)?;
    let public = pair
        .public_key()
        .as_ref()
        .try_into()
        .map_err(|_| KeyError::Algorithm)?;
    Ok((pair, public))
}

pub(super) fn verifies(public: &[u8; 32], message: &[u8], signature: &[u8]) -> bool {
    ParsedPublicKey::new(&ED25519, public).is_ok_and(|key| key.verify_sig(message, signature).is_ok())
}

/// A signature line, with its end.
pub(super) fn spell_signature(name: &str, id: KeyId, signature: &[u8]) -> String {
    let bytes = [&id.0, signature].concat();
    format!("\u{2014} {name} {}\n", STANDARD.encode(bytes))
}

/// A public key with its name: `name+id+key`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    public: [u8; 32],
}

impl VerifierKey {
    /// What the key is called: the origin of the log.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its id.
    pub fn id(&self) -> KeyId {
        key_id(&self.name, Kind::Note, &self.public)
    }
}

impl FromStr for VerifierKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let (name, public) = parse_key(text, Kind::Note)?;
        Ok(Self { name, public })
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&spell_key(&self.name, Kind::Note, &self.public))
    }
}

/// A secret key with its name.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    verifier: VerifierKey,
}

impl SigningKey {
    /// The key of a name and 32 random bytes.
    pub fn new(name: &str, seed: [u8; 32]) -> Result<Self, KeyError> {
        let (pair, public) = pair_of(name, seed)?;
        let verifier = VerifierKey {
            name: name.to_owned(),
            public,
        };
        Ok(Self { pair, verifier })
    }

    /// Its public half.
    pub const fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// A note of this text, which ends with a line break.
    pub fn sign(&self, text: &str) -> String {
        let verifier = &self.verifier;
        let signature = self.pair.sign(text.as_bytes());
        let line = spell_signature(&verifier.name, verifier.id(), signature.as_ref());
        format!("{text}\n{line}")
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SigningKey").field(&self.verifier).finish()
    }
}

/// Why a note is not to be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Not a text, an empty line and signatures.
    #[error("is no signed note")]
    Form,
    /// No signature is by a known key.
    #[error("carries no signature by a known key")]
    Unsigned,
    /// A signature that names a known key is not by it.
    #[error("carries a signature that does not belong to its text")]
    Forged,
}

/// One signature line of a note.
pub(super) struct Signature<'n> {
    /// Name of the key.
    pub name: &'n str,
    /// Id of the key.
    pub id: KeyId,
    /// What follows the id.
    pub bytes: Vec<u8>,
}

/// The text of a note with its last line break, and its signatures, which are not verified.
pub(super) fn split(note: &str) -> Result<(&str, Vec<Signature<'_>>), NoteError> {
    if note.chars().any(|c| c < ' ' && c != '\n') {
        return Err(NoteError::Form);
    }
    let (text, lines) = note.rsplit_once("\n\n").ok_or(NoteError::Form)?;
    let text = &note[..=text.len()];
    let lines = lines.strip_suffix('\n').ok_or(NoteError::Form)?;
    let mut signatures = Vec::new();
    for line in lines.split('\n') {
        let (name, signature) = line
            .strip_prefix("\u{2014} ")
            .and_then(|line| line.split_once(' '))
            .filter(|(name, _)| is_name(name) && signatures.len() < SIGNATURES)
            .ok_or(NoteError::Form)?;
        let bytes = STANDARD.decode(signature).map_err(|_| NoteError::Form)?;
        let (id, bytes) = bytes.split_first_chunk::<4>().ok_or(NoteError::Form)?;
        signatures.push(Signature {
            name,
            id: KeyId(*id),
            bytes: bytes.to_vec(),
        });
    }
    Ok((text, signatures))
}

/// The text of a note, and the first of the known keys that signed it. All signatures of known keys must hold; those of others,
/// such as of witnesses, are passed over.
pub fn open<'n, 'k>(note: &'n str, keys: &'k [VerifierKey]) -> Result<(&'n str, &'k VerifierKey), NoteError> {
    let (text, signatures) = split(note)?;
    let mut signer = None;
    for signature in signatures {
        let known = keys
            .iter()
            .find(|key| key.name == signature.name && key.id() == signature.id);
        if let Some(key) = known {
            if !verifies(&key.public, text.as_bytes(), &signature.bytes) {
                return Err(NoteError::Forged);
            }
            signer = signer.or(Some(key));
        }
    }
    signer.map(|key| (text, key)).ok_or(NoteError::Unsigned)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification.
    const EXAMPLE_KEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    const EXAMPLE: &str = "This is an example message.\n\n\u{2014} example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

    #[test]
    fn the_example_of_the_specification() {
        let key: VerifierKey = EXAMPLE_KEY.parse().unwrap();
        assert_eq!(key.to_string(), EXAMPLE_KEY);
        assert_eq!(
            (key.name(), key.id().to_string()),
            ("example.com/foo", "530d903a".to_owned())
        );
        let keys = [key];
        assert_eq!(
            open(EXAMPLE, &keys),
            Ok(("This is an example message.\n", &keys[0]))
        );
        let changed = EXAMPLE.replacen("example message", "exampel message", 1);
        assert_eq!(open(&changed, &keys), Err(NoteError::Forged));
        let unknown = EXAMPLE.replace("example.com/foo", "example.com/bar");
        assert_eq!(open(&unknown, &keys), Err(NoteError::Unsigned));
        assert_eq!(open(EXAMPLE, &[]), Err(NoteError::Unsigned));
        for wrong in [
            "",
            "text\n",
            "text\n\n",
            "text\n\nline\n",
            EXAMPLE.trim_end(),
            &EXAMPLE.replace("This is", "This\tis"),
            &EXAMPLE.replace("Uw2Q", "Uw2*"),
            &format!("{EXAMPLE}\u{2014} x AAA=\n"),
        ] {
            assert_eq!(open(wrong, &keys), Err(NoteError::Form), "{wrong:?}");
        }
    }

    #[test]
    fn old_and_new_keys_verify_what_each_signed() {
        let old = SigningKey::new("example.com/log", [1; 32]).unwrap();
        let new = SigningKey::new("example.com/log", [2; 32]).unwrap();
        let keys = [new.verifier().clone(), old.verifier().clone()];
        assert_ne!(keys[0].id(), keys[1].id());
        assert_eq!(open(&old.sign("a\n\nb\n"), &keys), Ok(("a\n\nb\n", &keys[1])));
        assert_eq!(open(&new.sign("a\n"), &keys), Ok(("a\n", &keys[0])));
        assert_eq!(open(&new.sign("a\n"), &keys[1..]), Err(NoteError::Unsigned));
        // A second signature counts, and a wrong one by a known key spoils the note.
        let second = new.sign("a\n");
        let both = format!("{}{}", old.sign("a\n"), second.rsplit_once("\n\n").unwrap().1);
        assert_eq!(open(&both, &keys[..1]), Ok(("a\n", &keys[0])));
        let wrong = new.sign("b\n");
        let spoilt = format!("{}{}", old.sign("a\n"), wrong.rsplit_once("\n\n").unwrap().1);
        assert_eq!(open(&spoilt, &keys), Err(NoteError::Forged));
    }

    #[test]
    fn keys_are_read_as_they_are_written() {
        let key = SigningKey::new("example.com/log", [7; 32]).unwrap();
        assert_eq!(
            key.verifier().to_string().parse::<VerifierKey>().as_ref(),
            Ok(key.verifier())
        );
        for (text, error) in [
            ("example.com/foo", KeyError::Form),
            (
                "a b+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
                KeyError::Name,
            ),
            (
                "example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
                KeyError::Id,
            ),
            (
                "example.com/foo+530d903a+AukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
                KeyError::Algorithm,
            ),
            ("example.com/foo+530d903a+AQ==", KeyError::Algorithm),
            ("example.com/foo+530d+AQ==", KeyError::Form),
        ] {
            assert_eq!(text.parse::<VerifierKey>(), Err(error), "{text}");
        }
        assert!(SigningKey::new("", [7; 32]).is_err());
    }

    /// RFC 8032 section 7.1, test 1: the seed and its public key.
    #[test]
    fn the_key_of_the_rfc() {
        let mut seed = [0; 32];
        hex::decode_to_slice(
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            &mut seed,
        )
        .unwrap();
        let key = SigningKey::new("x", seed).unwrap();
        assert_eq!(
            hex::encode(key.verifier().public),
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
        );
    }
}
