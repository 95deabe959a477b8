//! Verification of access tokens by RFC 9068 and RFC 8725.
//!
//! A key has one algorithm, and the header must name it before a signature is looked at: neither `none` nor a public key
//! used as a shared secret gets that far. Times are compared with the injected clock, also for tokens kept as verified.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, decode};
use lru::LruCache;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::groups::{GroupMap, GroupsClaim};
use super::keys::{ALGORITHMS, TrustedKey};
use super::{DEVELOPMENT_KID, DevelopmentKey, GrantIssuer, Identity, Now, Provider, TokenError};
use crate::config::{AuthSettings, KeyAlgorithm, KeySettings};

/// Longest accepted token.
const MAX_LENGTH: usize = 8 * 1024;

/// Why a configured key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Its file cannot be read.
    #[error("Schlüssel {kid:?}: {path} ist nicht lesbar: {error}", path = path.display())]
    Unreadable {
        /// The key.
        kid: String,
        /// Its file.
        path: PathBuf,
        /// What the operating system says.
        error: std::io::Error,
    },
    /// It is no key of its algorithm.
    #[error(
        "Schlüssel {kid:?} ist kein öffentlicher Schlüssel (PEM, \"BEGIN PUBLIC KEY\") für {algorithm:?}"
    )]
    Unusable {
        /// The key.
        kid: String,
        /// The algorithm it was configured for.
        algorithm: KeyAlgorithm,
    },
    /// The development key cannot be read or made.
    #[error("Entwicklungsschlüssel: {0}")]
    Development(#[from] std::io::Error),
    /// The HTTP client for a provider cannot be made.
    #[error("HTTP-Client: {0}")]
    Client(reqwest::Error),
}

/// Where the keys of an issuer come from.
enum Keys {
    /// The configuration.
    Fixed(HashMap<String, Arc<TrustedKey>>),
    /// The issuer's JWK set.
    Fetched(Arc<Provider>),
}

impl Keys {
    fn get(&self, kid: &str) -> Result<Arc<TrustedKey>, TokenError> {
        match self {
            Self::Fixed(keys) => keys.get(kid).cloned().ok_or(TokenError::UnknownKey),
            Self::Fetched(provider) => provider.key(kid),
        }
    }
}

/// Whose tokens are accepted, and what they have to look like.
struct Issuer {
    typ: String,
    groups_claim: GroupsClaim,
    groups: GroupMap,
    subject_prefix: String,
    keys: Keys,
}

/// Verifies tokens and remembers those it verified.
pub struct TokenVerifier {
    issuers: HashMap<String, Arc<Issuer>>,
    leeway: TimeDelta,
    now: Now,
    verified: Mutex<LruCache<[u8; 32], Verified>>,
    /// Tokens the service signed itself, from grants.
    grants: Option<Arc<GrantIssuer>>,
}

#[derive(Clone)]
struct Verified {
    identity: Arc<Identity>,
    not_before: Option<DateTime<Utc>>,
    issuer: Arc<Issuer>,
    kid: String,
    key: Arc<TrustedKey>,
}

impl Verified {
    /// Whether its key is still the issuer's: providers withdraw keys, and keys that nobody confirms grow too old.
    fn is_current(&self) -> bool {
        match &self.issuer.keys {
            Keys::Fixed(_) => true,
            keys @ Keys::Fetched(_) => keys.get(&self.kid).is_ok_and(|key| Arc::ptr_eq(&key, &self.key)),
        }
    }
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    typ: Option<String>,
    kid: Option<String>,
    crit: Option<serde_json::Value>,
}

/// What is read of a token before its signature is.
#[derive(Deserialize)]
struct Named {
    iss: String,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    jti: String,
    #[serde(deserialize_with = "numeric_date")]
    exp: DateTime<Utc>,
    // Required by RFC 9068; nothing is decided by it.
    #[serde(rename = "iat", deserialize_with = "numeric_date")]
    _iat: DateTime<Utc>,
    #[serde(default, deserialize_with = "optional_numeric_date")]
    nbf: Option<DateTime<Utc>>,
    name: Option<String>,
    preferred_username: Option<String>,
    #[serde(flatten)]
    others: serde_json::Map<String, serde_json::Value>,
}

impl Claims {
    /// The thumbprint of the key the token is bound to. A binding that cannot be checked lets nobody in (RFC 7800).
    fn bound_to(&self) -> Result<Option<String>, TokenError> {
        let Some(confirmation) = self.others.get("cnf") else {
            return Ok(None);
        };
        match confirmation.as_object().filter(|methods| methods.len() == 1) {
            Some(methods) => match methods.get("jkt").and_then(serde_json::Value::as_str) {
                Some(thumbprint) => Ok(Some(thumbprint.to_owned())),
                None => Err(TokenError::Malformed),
            },
            None => Err(TokenError::Malformed),
        }
    }

    /// Whether it says itself that it is no access token. Some providers write `typ: JWT` into the header of all they sign.
    fn is_of_another_kind(&self) -> bool {
        let typ = self.others.get("typ").and_then(serde_json::Value::as_str);
        // Keycloak: "Bearer" and "DPoP" are access tokens, "ID", "Refresh" and "Logout" are not.
        typ.is_some_and(|typ| !["bearer", "dpop"].contains(&typ.to_ascii_lowercase().as_str()))
            // OpenID Connect Core, sections 3.1.3.6 and 3.3.2.11; Back-Channel Logout, section 2.4.
            || ["at_hash", "c_hash", "events"].iter().any(|claim| self.others.contains_key(*claim))
    }
}

/// Seconds since 1970, with or without a fraction (RFC 7519, section 2).
pub(super) fn numeric_date<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<DateTime<Utc>, D::Error> {
    optional_numeric_date(deserializer)?.ok_or_else(|| serde::de::Error::custom("no date"))
}

fn optional_numeric_date<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<DateTime<Utc>>, D::Error> {
    let Some(number) = Option::<serde_json::Number>::deserialize(deserializer)? else {
        return Ok(None);
    };
    #[expect(
        clippy::cast_possible_truncation,
        reason = "dates beyond i64 are refused by the next line"
    )]
    let seconds = number
        .as_i64()
        .or_else(|| number.as_f64().map(|seconds| seconds.floor() as i64));
    let date = seconds.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    date.map(Some).ok_or_else(|| serde::de::Error::custom("no date"))
}

/// The verifier of a configuration; reads the keys' files. Keys of providers are fetched by whoever has
/// [`TokenVerifier::providers`] do so.
pub fn verifier(settings: &AuthSettings, now: Now) -> Result<TokenVerifier, KeyError> {
    let mut keys = HashMap::new();
    let trusted =
        |algorithm, decoding| TrustedKey::new(&settings.issuer, &settings.audience, algorithm, decoding);
    for key in &settings.keys {
        let (algorithm, decoding) = read_key(key)?;
        keys.insert(key.kid.clone(), Arc::new(trusted(algorithm, decoding)));
    }
    if settings.development_key {
        let key = DevelopmentKey::open(&settings.development_key_file)?;
        let trusted = TrustedKey {
            names_memberships: true,
            ..trusted(Algorithm::EdDSA, key.decoding_key())
        };
        keys.insert(DEVELOPMENT_KID.to_owned(), Arc::new(trusted));
    }
    let fixed = Issuer {
        typ: settings.typ.clone(),
        groups_claim: GroupsClaim::new(&settings.groups_claim),
        // Lines that cannot be used were refused before the service starts.
        groups: GroupMap::new(&settings.groups).unwrap_or_default(),
        subject_prefix: String::new(),
        keys: Keys::Fixed(keys),
    };
    let mut issuers = HashMap::from([(settings.issuer.clone(), Arc::new(fixed))]);
    for issuer in &settings.issuers {
        let or = |own: &Option<String>, usual: &String| own.as_ref().unwrap_or(usual).clone();
        let audience = or(&issuer.audience, &settings.audience);
        let provider = Provider::new(issuer, &audience, Arc::clone(&now)).map_err(KeyError::Client)?;
        issuers.insert(
            issuer.issuer.clone(),
            Arc::new(Issuer {
                typ: or(&issuer.typ, &settings.typ),
                groups_claim: GroupsClaim::new(&or(&issuer.groups_claim, &settings.groups_claim)),
                groups: GroupMap::new(&issuer.groups).unwrap_or_default(),
                subject_prefix: issuer.subject_prefix.clone(),
                keys: Keys::Fetched(Arc::new(provider)),
            }),
        );
    }
    Ok(TokenVerifier {
        issuers,
        leeway: TimeDelta::seconds(i64::from(settings.leeway_seconds)),
        now,
        verified: Mutex::new(LruCache::new(
            NonZeroUsize::new(settings.cached_tokens).unwrap_or(NonZeroUsize::MIN),
        )),
        grants: None,
    })
}

fn read_key(key: &KeySettings) -> Result<(Algorithm, DecodingKey), KeyError> {
    let pem = match (&key.public_key_pem, &key.public_key_file) {
        (None, Some(path)) => std::fs::read_to_string(path).map_err(|error| KeyError::Unreadable {
            kid: key.kid.clone(),
            path: path.clone(),
            error,
        })?,
        (pem, _) => pem.clone().unwrap_or_default(),
    };
    let pem = pem.as_bytes();
    let algorithm = key.algorithm.algorithm();
    let decoding = match key.algorithm {
        KeyAlgorithm::EdDSA => DecodingKey::from_ed_pem(pem),
        KeyAlgorithm::ES256 => DecodingKey::from_ec_pem(pem),
        KeyAlgorithm::RS256 => DecodingKey::from_rsa_pem(pem),
    };
    let unusable = || KeyError::Unusable {
        kid: key.kid.clone(),
        algorithm: key.algorithm,
    };
    Ok((algorithm, decoding.map_err(|_| unusable())?))
}

impl TokenVerifier {
    /// The same, knowing tokens of grants too.
    #[must_use]
    pub fn with_grants(self, issuer: Arc<GrantIssuer>) -> Self {
        Self {
            grants: Some(issuer),
            ..self
        }
    }

    /// Who holds this token.
    pub fn verify(&self, token: &str) -> Result<Arc<Identity>, TokenError> {
        if token.len() > MAX_LENGTH {
            return Err(TokenError::Malformed);
        }
        let digest: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let known = self
            .verified
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&digest)
            .filter(|verified| verified.is_current())
            .cloned();
        let verified = if let Some(verified) = known {
            verified
        } else {
            if let Some(identity) = self.holder_of_grant(token)? {
                return Ok(Arc::new(identity));
            }
            self.verify_signed(token).inspect_err(|_| {
                // Perhaps one that held until its key was withdrawn.
                self.verified
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .pop(&digest);
            })?
        };
        // Only a token that holds now is kept, and it is asked again each time whether it still holds.
        let checked = self.check_times(&verified);
        let mut cache = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        match checked {
            Ok(()) => {
                let identity = Arc::clone(&verified.identity);
                cache.put(digest, verified);
                Ok(identity)
            }
            Err(error) => {
                cache.pop(&digest);
                Err(error)
            }
        }
    }

    /// Who holds a token that the service signed itself; none where another signed it.
    fn holder_of_grant(&self, token: &str) -> Result<Option<Identity>, TokenError> {
        let Some(issuer) = &self.grants else {
            return Ok(None);
        };
        let header: Header = read_part(token, 0)?;
        if header.crit.is_some() || !header.kid.as_deref().is_some_and(|kid| issuer.names(kid)) {
            return Ok(None);
        }
        issuer
            .verify(token, header.typ.as_deref(), (self.now)())
            .map(Some)
    }

    fn check_times(&self, verified: &Verified) -> Result<(), TokenError> {
        let now = (self.now)();
        if verified.identity.expires_at + self.leeway <= now {
            return Err(TokenError::Expired);
        }
        match verified.not_before {
            Some(start) if start - self.leeway > now => Err(TokenError::NotYetValid),
            _ => Ok(()),
        }
    }

    fn verify_signed(&self, token: &str) -> Result<Verified, TokenError> {
        let header: Header = read_part(token, 0)?;
        if header.crit.is_some() {
            return Err(TokenError::Malformed);
        }
        if !ALGORITHMS.contains(&header.alg.as_str()) {
            return Err(TokenError::WrongAlgorithm);
        }
        let issuer = self.issuer_of(token)?;
        if !header
            .typ
            .as_deref()
            .is_some_and(|typ| same_type(typ, &issuer.typ))
        {
            return Err(TokenError::WrongType);
        }
        // A lookup in a map of known names: what `kid` contains is never opened or resolved.
        let kid = header.kid.ok_or(TokenError::UnknownKey)?;
        let key = issuer.keys.get(&kid).inspect_err(|error| {
            if let (Keys::Fetched(provider), TokenError::KeysUnavailable) = (&issuer.keys, error) {
                provider.count_refused();
            }
        })?;
        if header.alg.parse() != Ok(key.algorithm) {
            return Err(TokenError::WrongAlgorithm);
        }
        let claims = decode::<Claims>(token, &key.decoding, &key.validation)
            .map_err(|error| refusal(error.kind()))?
            .claims;
        if claims.is_of_another_kind() {
            return Err(TokenError::WrongType);
        }
        let bound_to = claims.bound_to()?;
        let memberships = issuer.groups_claim.memberships(&claims.others, |name| {
            if key.names_memberships {
                name.parse().ok()
            } else {
                issuer.groups.membership(name)
            }
        });
        Ok(Verified {
            not_before: claims.nbf,
            identity: Arc::new(Identity {
                subject: self.subject(issuer, &claims.sub)?,
                name: claims.name.or(claims.preferred_username),
                memberships,
                token_id: claims.jti,
                expires_at: claims.exp,
                bound_to,
                grant: None,
            }),
            issuer: Arc::clone(issuer),
            kid,
            key,
        })
    }

    /// Who a subject is among those of all issuers. One that reads like another issuer's is refused: `sub` is unique with its
    /// issuer only, and nobody may pass for somebody else's person.
    fn subject(&self, issuer: &Issuer, sub: &str) -> Result<String, TokenError> {
        let subject = format!("{}{sub}", issuer.subject_prefix);
        let foreign = self.issuers.values().any(|other| {
            other.subject_prefix.len() > issuer.subject_prefix.len()
                && subject.starts_with(&other.subject_prefix)
        });
        if foreign {
            Err(TokenError::Malformed)
        } else {
            Ok(subject)
        }
    }

    /// The issuer a token names. It is believed only once the signature was checked with that issuer's key.
    fn issuer_of(&self, token: &str) -> Result<&Arc<Issuer>, TokenError> {
        let named: Named = read_part(token, 1)?;
        self.issuers.get(&named.iss).ok_or(TokenError::WrongIssuer)
    }

    /// The same as [`Self::verify`]; for a key that a provider may have taken into use since, its keys are fetched and
    /// looked at once more.
    pub async fn verify_with_new_keys(&self, token: &str) -> Result<Arc<Identity>, TokenError> {
        let outcome = self.verify(token);
        if outcome == Err(TokenError::UnknownKey)
            && let Ok(issuer) = self.issuer_of(token)
            && let Keys::Fetched(provider) = &issuer.keys
            && provider.ask_for_unknown_key().await
        {
            return self.verify(token);
        }
        outcome
    }

    /// The providers whose keys have to be fetched.
    pub fn providers(&self) -> Vec<Arc<Provider>> {
        let mut providers: Vec<_> = self
            .issuers
            .values()
            .filter_map(|issuer| match &issuer.keys {
                Keys::Fetched(provider) => Some(Arc::clone(provider)),
                Keys::Fixed(_) => None,
            })
            .collect();
        providers.sort_by(|one, other| one.issuer().cmp(other.issuer()));
        providers
    }
}

pub(super) fn read_part<T: serde::de::DeserializeOwned>(token: &str, place: usize) -> Result<T, TokenError> {
    let part = token.split('.').nth(place).ok_or(TokenError::Malformed)?;
    let json = URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Malformed)?;
    // The parser would take a list for an object, too, by the order of the fields.
    if json.trim_ascii_start().first() != Some(&b'{') {
        return Err(TokenError::Malformed);
    }
    serde_json::from_slice(&json).map_err(|_| TokenError::Malformed)
}

/// `typ` without regard to case, with or without `application/` (RFC 7515, section 4.1.9).
fn same_type(given: &str, wanted: &str) -> bool {
    let short = |text: &str| {
        let text = text.to_ascii_lowercase();
        text.strip_prefix("application/")
            .map(str::to_owned)
            .unwrap_or(text)
    };
    short(given) == short(wanted)
}

fn refusal(kind: &ErrorKind) -> TokenError {
    match kind {
        ErrorKind::InvalidSignature => TokenError::BadSignature,
        ErrorKind::InvalidIssuer => TokenError::WrongIssuer,
        ErrorKind::InvalidAudience => TokenError::WrongAudience,
        ErrorKind::InvalidAlgorithm => TokenError::WrongAlgorithm,
        _ => TokenError::Malformed,
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::sync::atomic::{AtomicI64, Ordering};

    use aws_lc_rs::signature::KeyPair as _;
    use jsonwebtoken::{EncodingKey, encode};
    use serde_json::json;

    use super::*;
    use crate::auth::{start_check, system_clock};
    use crate::config::Layers;

    const NOW: i64 = 1_800_000_000;

    struct Issuer {
        _folder: tempfile::TempDir,
        clock: Arc<AtomicI64>,
        verifier: TokenVerifier,
        keys: HashMap<&'static str, (Algorithm, EncodingKey)>,
        rsa_public: String,
    }

    fn openssl(folder: &std::path::Path, name: &str, options: &[&str]) -> (Vec<u8>, String) {
        let private = folder.join(format!("{name}.pem"));
        let made = Command::new("openssl")
            .arg("genpkey")
            .args(options)
            .arg("-out")
            .arg(&private)
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let public = Command::new("openssl")
            .args(["pkey", "-pubout", "-in"])
            .arg(&private)
            .output()
            .unwrap();
        (
            std::fs::read(private).unwrap(),
            String::from_utf8(public.stdout).unwrap(),
        )
    }

    fn issuer() -> Issuer {
        let folder = tempfile::tempdir().unwrap();
        let ed = openssl(folder.path(), "ed", &["-algorithm", "ed25519"]);
        let ec = openssl(
            folder.path(),
            "ec",
            &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
        );
        let rsa = openssl(
            folder.path(),
            "rsa",
            &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
        );
        let mut settings = Layers::default().load().unwrap().settings.auth;
        settings.issuer = "https://idp.example".to_owned();
        settings.development_key = true;
        settings.development_key_file = folder.path().join("development.pem");
        settings.cached_tokens = 2;
        settings.groups = [("revision", "INNENREVISION"), ("stelle-3", "SACHBEARBEITUNG:03")]
            .map(|(group, text)| (group.to_owned(), text.to_owned()))
            .into();
        settings.keys = [
            ("ed", KeyAlgorithm::EdDSA, &ed.1),
            ("ec", KeyAlgorithm::ES256, &ec.1),
            ("rsa", KeyAlgorithm::RS256, &rsa.1),
        ]
        .map(|(kid, algorithm, pem)| KeySettings {
            kid: kid.to_owned(),
            algorithm,
            public_key_file: None,
            public_key_pem: Some(pem.clone()),
        })
        .into();
        let clock = Arc::new(AtomicI64::new(NOW));
        let hand = Arc::clone(&clock);
        let now: Now = Arc::new(move || DateTime::from_timestamp(hand.load(Ordering::Relaxed), 0).unwrap());
        Issuer {
            verifier: verifier(&settings, now).unwrap(),
            clock,
            keys: HashMap::from([
                ("ed", (Algorithm::EdDSA, EncodingKey::from_ed_pem(&ed.0).unwrap())),
                ("ec", (Algorithm::ES256, EncodingKey::from_ec_pem(&ec.0).unwrap())),
                (
                    "rsa",
                    (Algorithm::RS256, EncodingKey::from_rsa_pem(&rsa.0).unwrap()),
                ),
            ]),
            rsa_public: rsa.1,
            _folder: folder,
        }
    }

    fn claims() -> serde_json::Value {
        json!({
            "iss": "https://idp.example", "aud": ["pruefpfad", "other"], "sub": "u-17", "jti": "t-1", "iat": NOW, "exp": NOW + 600,
            "client_id": "spa", "name": "Frau Muster", "groups": ["revision", "stelle-3", "revision", "drucker"],
        })
    }

    fn with(key: &str, value: serde_json::Value) -> serde_json::Value {
        let mut claims = claims();
        claims[key] = value;
        claims
    }

    fn without(key: &str) -> serde_json::Value {
        let mut claims = claims();
        claims.as_object_mut().unwrap().remove(key);
        claims
    }

    impl Issuer {
        fn sign(&self, kid: &str, claims: &serde_json::Value) -> String {
            self.sign_as(kid, kid, "at+jwt", claims)
        }

        fn sign_as(&self, key: &str, kid: &str, typ: &str, claims: &serde_json::Value) -> String {
            let (algorithm, key) = &self.keys[key];
            let mut header = jsonwebtoken::Header::new(*algorithm);
            header.kid = Some(kid.to_owned());
            header.typ = Some(typ.to_owned());
            encode(&header, claims, key).unwrap()
        }

        fn refusal(&self, token: &str) -> TokenError {
            self.verifier.verify(token).unwrap_err()
        }
    }

    fn raw(header: &serde_json::Value, claims: &serde_json::Value, signature: &[u8]) -> String {
        let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!(
            "{}.{}.{}",
            part(header),
            part(claims),
            URL_SAFE_NO_PAD.encode(signature)
        )
    }

    #[test]
    fn signing_and_verifying_work_in_this_build() {
        start_check().unwrap();
    }

    #[test]
    fn all_three_algorithms_are_verified() {
        let issuer = issuer();
        for kid in ["ed", "ec", "rsa"] {
            let token = issuer.sign(kid, &claims());
            for _ in 0..2 {
                let identity = issuer.verifier.verify(&token).unwrap();
                assert_eq!(
                    (
                        identity.subject.as_str(),
                        identity.name.as_deref(),
                        identity.token_id.as_str()
                    ),
                    ("u-17", Some("Frau Muster"), "t-1")
                );
                assert_eq!(identity.expires_at.timestamp(), NOW + 600);
                let memberships: Vec<_> = identity.memberships.iter().map(ToString::to_string).collect();
                assert_eq!(memberships, ["INNENREVISION", "SACHBEARBEITUNG:03"]);
            }
        }
        assert_eq!(
            issuer.verifier.verified.lock().unwrap().len(),
            2,
            "the memory is bounded"
        );
        let application = issuer.sign_as("ed", "ed", "application/AT+JWT", &claims());
        assert!(issuer.verifier.verify(&application).is_ok());
        let nobody = issuer.sign("ed", &without("groups"));
        assert!(issuer.verifier.verify(&nobody).unwrap().memberships.is_empty());
    }

    #[test]
    fn unsigned_tokens_are_refused() {
        let issuer = issuer();
        for alg in ["none", "None", "NONE", "HS512", ""] {
            for kid in [None, Some("ed")] {
                let token = raw(&json!({"alg": alg, "typ": "at+jwt", "kid": kid}), &claims(), b"");
                assert_eq!(issuer.refusal(&token), TokenError::WrongAlgorithm, "{alg}");
            }
        }
    }

    #[test]
    fn a_public_key_is_no_shared_secret() {
        let issuer = issuer();
        let mut header = jsonwebtoken::Header::new(Algorithm::HS256);
        header.kid = Some("rsa".to_owned());
        header.typ = Some("at+jwt".to_owned());
        let token = encode(
            &header,
            &claims(),
            &EncodingKey::from_secret(issuer.rsa_public.as_bytes()),
        )
        .unwrap();
        assert_eq!(issuer.refusal(&token), TokenError::WrongAlgorithm);
    }

    #[test]
    fn a_key_has_one_algorithm() {
        let issuer = issuer();
        assert_eq!(
            issuer.refusal(&issuer.sign_as("ed", "rsa", "at+jwt", &claims())),
            TokenError::WrongAlgorithm
        );
        assert_eq!(
            issuer.refusal(&issuer.sign_as("ec", "ed", "at+jwt", &claims())),
            TokenError::WrongAlgorithm
        );
    }

    #[test]
    fn only_configured_keys_are_looked_up() {
        let issuer = issuer();
        for kid in [
            "ED",
            "other",
            "",
            "../../etc/passwd",
            "ed\0",
            "file:///dev/null",
            "' OR 1=1 --",
        ] {
            assert_eq!(
                issuer.refusal(&issuer.sign_as("ed", kid, "at+jwt", &claims())),
                TokenError::UnknownKey,
                "{kid}"
            );
        }
        let anonymous = raw(&json!({"alg": "EdDSA", "typ": "at+jwt"}), &claims(), &[0; 64]);
        assert_eq!(issuer.refusal(&anonymous), TokenError::UnknownKey);
    }

    #[test]
    fn a_foreign_key_under_a_known_name_is_refused() {
        let issuer = issuer();
        let foreign = aws_lc_rs::signature::Ed25519KeyPair::generate().unwrap();
        assert_eq!(foreign.public_key().as_ref().len(), 32);
        let header = json!({"alg": "EdDSA", "typ": "at+jwt", "kid": "ed"});
        let unsigned = raw(&header, &claims(), b"");
        let message = unsigned.trim_end_matches('.');
        let token = format!(
            "{message}.{}",
            URL_SAFE_NO_PAD.encode(foreign.sign(message.as_bytes()))
        );
        assert_eq!(issuer.refusal(&token), TokenError::BadSignature);
    }

    #[test]
    fn times_are_those_of_the_injected_clock() {
        let issuer = issuer();
        let token = issuer.sign("ed", &with("nbf", json!(NOW - 10)));
        for (now, expected) in [
            (NOW - 41, Some(TokenError::NotYetValid)),
            (NOW - 40, None),
            (NOW, None),
            (NOW + 629, None),
            (NOW + 630, Some(TokenError::Expired)),
            (NOW + 629, None),
        ] {
            issuer.clock.store(now, Ordering::Relaxed);
            assert_eq!(issuer.verifier.verify(&token).err(), expected, "{}", now - NOW);
        }
    }

    #[test]
    fn a_token_is_kept_only_as_long_as_it_holds() {
        let issuer = issuer();
        let token = issuer.sign("ed", &claims());
        assert!(issuer.verifier.verify(&token).is_ok());
        assert_eq!(issuer.verifier.verified.lock().unwrap().len(), 1);
        issuer.clock.store(NOW + 700, Ordering::Relaxed);
        assert_eq!(issuer.refusal(&token), TokenError::Expired);
        assert_eq!(issuer.verifier.verified.lock().unwrap().len(), 0);
    }

    #[test]
    fn tokens_for_or_from_others_are_refused() {
        let issuer = issuer();
        for (claims, expected) in [
            (
                with("iss", json!("https://foreign.example")),
                TokenError::WrongIssuer,
            ),
            (with("aud", json!("other")), TokenError::WrongAudience),
            (with("aud", json!(["other"])), TokenError::WrongAudience),
            (without("iss"), TokenError::Malformed),
            (without("aud"), TokenError::Malformed),
            (without("sub"), TokenError::Malformed),
            (without("jti"), TokenError::Malformed),
            (without("iat"), TokenError::Malformed),
            (without("exp"), TokenError::Malformed),
            (with("exp", json!("soon")), TokenError::Malformed),
            (with("exp", json!(1e300)), TokenError::Malformed),
            (with("cnf", json!({"x5t#S256": "x"})), TokenError::Malformed),
            (
                with("cnf", json!({"jkt": "x", "x5t#S256": "x"})),
                TokenError::Malformed,
            ),
            (with("cnf", json!({"jkt": 7})), TokenError::Malformed),
            (with("cnf", json!("x")), TokenError::Malformed),
            (with("at_hash", json!("x")), TokenError::WrongType),
            (with("typ", json!("ID")), TokenError::WrongType),
        ] {
            assert_eq!(issuer.refusal(&issuer.sign("ed", &claims)), expected, "{claims}");
        }
        let bound = issuer.sign("ed", &with("cnf", json!({"jkt": "x"})));
        assert_eq!(
            issuer.verifier.verify(&bound).unwrap().bound_to.as_deref(),
            Some("x")
        );
        assert!(
            issuer
                .verifier
                .verify(&issuer.sign("ed", &without("client_id")))
                .is_ok()
        );
        assert!(
            issuer
                .verifier
                .verify(&issuer.sign("ed", &with("aud", json!("pruefpfad"))))
                .is_ok()
        );
    }

    #[test]
    fn id_tokens_are_refused() {
        let issuer = issuer();
        for typ in ["JWT", "id+jwt", "", "at+jwt+"] {
            assert_eq!(
                issuer.refusal(&issuer.sign_as("ed", "ed", typ, &claims())),
                TokenError::WrongType,
                "{typ}"
            );
        }
    }

    #[test]
    fn altered_or_broken_tokens_are_refused() {
        let issuer = issuer();
        for kid in ["ed", "ec", "rsa"] {
            let token = issuer.sign(kid, &claims());
            let (header, rest) = token.split_once('.').unwrap();
            let (_, signature) = rest.split_once('.').unwrap();
            let payload = URL_SAFE_NO_PAD.encode(with("sub", json!("u-1")).to_string());
            assert_eq!(
                issuer.refusal(&format!("{header}.{payload}.{signature}")),
                TokenError::BadSignature
            );
        }
        let critical = raw(
            &json!({"alg": "EdDSA", "typ": "at+jwt", "kid": "ed", "crit": ["b64"]}),
            &claims(),
            &[0; 64],
        );
        for token in [
            "",
            ".",
            "..",
            "a.b.c",
            "e30.e30.e30",
            // Lists in the place of header and claims.
            "WyJFZERTQSIsImF0K2p3dCIsImVkIixudWxsXQ.e30.e30",
            &critical,
            &"x".repeat(MAX_LENGTH + 1),
        ] {
            assert_eq!(issuer.refusal(token), TokenError::Malformed, "{token:.40}");
        }
    }

    #[test]
    fn group_names_of_an_identity_provider_are_no_roles() {
        let issuer = issuer();
        let token = issuer.sign(
            "ed",
            &with("groups", json!(["ADMINISTRATION", "INNENREVISION_LEITUNG"])),
        );
        assert!(issuer.verifier.verify(&token).unwrap().memberships.is_empty());
    }

    #[test]
    fn unusable_keys_are_named() {
        let mut settings = Layers::default().load().unwrap().settings.auth;
        for (file, pem, expected) in [
            (
                Some("/nowhere/key.pem"),
                None,
                "/nowhere/key.pem ist nicht lesbar",
            ),
            (None, Some("nonsense"), "ist kein öffentlicher Schlüssel"),
        ] {
            settings.keys = vec![KeySettings {
                kid: "k".to_owned(),
                algorithm: KeyAlgorithm::ES256,
                public_key_file: file.map(PathBuf::from),
                public_key_pem: pem.map(str::to_owned),
            }];
            let error = verifier(&settings, system_clock()).err().unwrap().to_string();
            assert!(error.contains(expected) && error.contains("\"k\""), "{error}");
        }
    }
}
