//! The development key: a key pair of this machine that signs tokens for any role. Production refuses it.

use std::io;
use std::path::Path;

use audit::access::Membership;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, encode};
use serde_json::json;

use crate::config::{AuthSettings, read_or_create};

/// The `kid` of tokens signed with the development key.
pub const DEVELOPMENT_KID: &str = "development";

const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";

/// What a development token shall say.
#[derive(Debug, Clone)]
pub struct TokenRequest {
    /// Who the holder is.
    pub subject: String,
    /// A name for people.
    pub name: Option<String>,
    /// What the holder may act as.
    pub memberships: Vec<Membership>,
    /// How long it holds.
    pub lifetime: TimeDelta,
}

/// The key pair.
pub struct DevelopmentKey {
    pair: Ed25519KeyPair,
    pkcs8: Vec<u8>,
}

fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

impl DevelopmentKey {
    /// Reads the key pair; makes one, readable by its owner only, if there is none.
    pub fn open(path: &Path) -> io::Result<Self> {
        let pem = read_or_create(path, || {
            let pair = Ed25519KeyPair::generate().map_err(|_| broken("no key could be made"))?;
            let pkcs8 = pair.to_pkcs8v1().map_err(|_| broken("no key could be made"))?;
            Ok(format!("{BEGIN}\n{}\n{END}\n", STANDARD.encode(pkcs8.as_ref())))
        })?;
        let body: String = pem
            .trim()
            .trim_start_matches(BEGIN)
            .trim_end_matches(END)
            .split_whitespace()
            .collect();
        let unusable = || {
            broken(&format!(
                "{} holds no Ed25519 key; delete it and it is made anew",
                path.display()
            ))
        };
        let pkcs8 = STANDARD.decode(body).map_err(|_| unusable())?;
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&pkcs8).map_err(|_| unusable())?;
        Ok(Self { pair, pkcs8 })
    }

    /// Its public half, for the verifier.
    pub fn decoding_key(&self) -> DecodingKey {
        DecodingKey::from_ed_der(self.pair.public_key().as_ref())
    }

    /// A token that a service with these settings and this key accepts.
    pub fn issue(
        &self,
        settings: &AuthSettings,
        request: &TokenRequest,
        now: DateTime<Utc>,
    ) -> Result<String, jsonwebtoken::errors::Error> {
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(DEVELOPMENT_KID.to_owned());
        header.typ = Some(settings.typ.clone());
        let groups: Vec<_> = request.memberships.iter().map(ToString::to_string).collect();
        let mut claims = json!({
            "iss": settings.issuer,
            "aud": settings.audience,
            "sub": request.subject,
            "client_id": "pruefpfad-cli",
            "jti": crate::http::random_id().to_string(),
            "iat": now.timestamp(),
            "exp": (now + request.lifetime).timestamp(),
        });
        if let Some(name) = &request.name {
            claims["name"] = json!(name);
        }
        claims[&settings.groups_claim] = json!(groups);
        encode(&header, &claims, &EncodingKey::from_ed_der(&self.pkcs8))
    }
}

/// This build cannot check signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "dieses Programm kann keine Unterschriften prüfen: falsch gebaut / this build cannot check signatures: built wrongly"
)]
pub struct NoSignatures;

/// Signs and verifies once: a build with two crypto providers, or none, fails here and not at the first request.
pub fn start_check() -> Result<(), NoSignatures> {
    let attempt = std::panic::catch_unwind(|| {
        let pair = Ed25519KeyPair::generate().ok()?;
        let pkcs8 = pair.to_pkcs8v1().ok()?;
        let message = b"start check";
        let signature = jsonwebtoken::crypto::sign(
            message,
            &EncodingKey::from_ed_der(pkcs8.as_ref()),
            Algorithm::EdDSA,
        )
        .ok()?;
        let key = DecodingKey::from_ed_der(pair.public_key().as_ref());
        jsonwebtoken::crypto::verify(&signature, message, &key, Algorithm::EdDSA).ok()
    });
    match attempt {
        Ok(Some(true)) => Ok(()),
        _ => Err(NoSignatures),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::{TokenError, system_clock, verifier};
    use crate::config::Layers;

    #[test]
    fn its_tokens_are_accepted_where_it_is_allowed_and_nowhere_else() {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = Layers::default().load().unwrap().settings.auth;
        settings.development_key_file = folder.path().join("development-key.pem");
        settings.development_key = true;
        let request = TokenRequest {
            subject: "demo".to_owned(),
            name: Some("Demo".to_owned()),
            memberships: vec!["SACHBEARBEITUNG:03".parse().unwrap()],
            lifetime: TimeDelta::minutes(5),
        };
        let token = DevelopmentKey::open(&settings.development_key_file)
            .unwrap()
            .issue(&settings, &request, system_clock()())
            .unwrap();
        let identity = verifier(&settings, system_clock())
            .unwrap()
            .verify(&token)
            .unwrap();
        assert_eq!(
            (identity.subject.as_str(), &identity.memberships),
            ("demo", &request.memberships)
        );

        settings.development_key = false;
        assert_eq!(
            verifier(&settings, system_clock()).unwrap().verify(&token),
            Err(TokenError::UnknownKey)
        );

        std::fs::write(&settings.development_key_file, "nonsense").unwrap();
        assert!(DevelopmentKey::open(&settings.development_key_file).is_err());
    }
}
