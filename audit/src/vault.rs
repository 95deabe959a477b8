//! Encryption of case numbers and engagement keys, the pseudonyms made with an engagement's key, and the key of the trail's digests.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hmac;

use crate::{Error, Result};

/// Holds the service's key. AES-256-GCM; the additional data binds a ciphertext to its row.
pub struct Vault {
    sealing: Option<LessSafeKey>,
    states: hmac::Key,
}

impl Vault {
    /// A vault with this key.
    pub fn new(key: [u8; 32]) -> Self {
        let root = hmac::Key::new(hmac::HMAC_SHA256, &key);
        let states = hmac::sign(&root, b"pruefpfad state");
        Self {
            sealing: UnboundKey::new(&AES_256_GCM, &key).ok().map(LessSafeKey::new),
            states: hmac::Key::new(hmac::HMAC_SHA256, states.as_ref()),
        }
    }

    /// The key of the digests that tell what a change found and left: derived from the service's, for nothing else.
    pub(crate) const fn states(&self) -> &hmac::Key {
        &self.states
    }

    /// Seals bytes: nonce, ciphertext, tag. The nonce is random and must not repeat under one key.
    pub fn seal(&self, nonce: [u8; NONCE_LEN], bound_to: &[u8], plain: &[u8]) -> Result<Vec<u8>> {
        let mut sealed = Vec::with_capacity(NONCE_LEN + plain.len() + AES_256_GCM.tag_len());
        sealed.extend_from_slice(&nonce);
        let mut body = plain.to_vec();
        self.key()?
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(bound_to),
                &mut body,
            )
            .map_err(|_| Error::internal("sealing failed"))?;
        sealed.append(&mut body);
        Ok(sealed)
    }

    /// Opens what [`Self::seal`] made for the same row.
    pub fn open(&self, bound_to: &[u8], sealed: &[u8]) -> Result<Vec<u8>> {
        let (nonce, body) = sealed
            .split_first_chunk::<NONCE_LEN>()
            .ok_or_else(|| Error::internal("sealed value is too short"))?;
        let mut body = body.to_vec();
        let plain = self
            .key()?
            .open_in_place(
                Nonce::assume_unique_for_key(*nonce),
                Aad::from(bound_to),
                &mut body,
            )
            .map_err(|_| Error::internal("sealed value does not open: wrong key or changed row"))?;
        Ok(plain.to_vec())
    }

    fn key(&self) -> Result<&LessSafeKey> {
        self.sealing
            .as_ref()
            .ok_or_else(|| Error::internal("the sealing key is unusable"))
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault")
    }
}

/// The key that makes an engagement's pseudonyms: the same case has another pseudonym in another engagement.
pub struct EngagementKey(hmac::Key);

impl EngagementKey {
    /// The key from its 32 bytes.
    pub fn new(bytes: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }

    /// Pseudonym of a line's business key: HMAC-SHA-256 over `item`, 0x1f and the key, first 16 bytes.
    pub fn item(&self, key: &str) -> [u8; 16] {
        self.pseudonym(b"item\x1f", key)
    }

    /// Pseudonym of a case number: HMAC-SHA-256 over `case`, 0x1f and the number, first 16 bytes.
    pub fn case(&self, number: &str) -> [u8; 16] {
        self.pseudonym(b"case\x1f", number)
    }

    fn pseudonym(&self, domain: &[u8], text: &str) -> [u8; 16] {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(domain);
        context.update(text.as_bytes());
        let tag = context.sign();
        let mut short = [0; 16];
        short.copy_from_slice(&tag.as_ref()[..16]);
        short
    }
}

impl fmt::Debug for EngagementKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EngagementKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_value_opens_only_for_its_row_and_key() {
        let vault = Vault::new([1; 32]);
        let sealed = vault.seal([9; 12], b"row-1", "BG 0815".as_bytes()).unwrap();
        assert_eq!(vault.open(b"row-1", &sealed).unwrap(), b"BG 0815");
        assert!(vault.open(b"row-2", &sealed).is_err());
        assert!(Vault::new([2; 32]).open(b"row-1", &sealed).is_err());
        assert!(vault.open(b"row-1", &sealed[..5]).is_err());
    }

    #[test]
    fn pseudonyms_differ_by_engagement_and_kind() {
        let (one, two) = (EngagementKey::new(&[1; 32]), EngagementKey::new(&[2; 32]));
        assert_eq!(one.item("4711"), one.item("4711"));
        assert_ne!(one.item("4711"), two.item("4711"));
        assert_ne!(one.item("4711"), one.case("4711"));
    }
}
