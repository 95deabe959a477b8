//! Proof of possession (RFC 9449): a token that is bound to a key is worth nothing without a fresh proof by that key.
//!
//! A proof is good for one request: its method, its address, its token, its minute, once. Which proofs were seen is known
//! to this process alone; behind several instances a proof could be shown once to each within its minute.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use reqwest::Url;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::keys::{ALGORITHMS, PublicKey, thumbprint};
use super::verifier::numeric_date;
use super::{Now, TokenError, read_part};
use crate::language::Language;

/// The header that carries a proof.
pub const PROOF_HEADER: &str = "dpop";

/// Longest accepted proof.
const MAX_LENGTH: usize = 4 * 1024;

/// How long a proof holds, besides the leeway between two clocks.
const LIFETIME: TimeDelta = TimeDelta::seconds(60);

/// Proofs remembered of one key, and of all keys, within the time a proof holds. Beyond them proofs are refused: to forget
/// one would be to accept it twice.
const OF_ONE_KEY: u32 = 5_000;
const OF_ALL_KEYS: usize = 200_000;

/// Why a proof is refused. The code is the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProofError {
    /// The token is bound to a key, and nothing proves that the caller has it.
    Missing,
    /// The scheme promises a bound token, and the token is bound to nothing.
    Unbound,
    /// No proof of the expected form, or several.
    Malformed,
    /// Altered, or signed by another key than it carries.
    BadSignature,
    /// For another method or address.
    WrongRequest,
    /// Too old, or from the future.
    WrongTime,
    /// For another token.
    WrongToken,
    /// By another key than the token is bound to.
    WrongKey,
    /// Shown before.
    Replayed,
    /// More proofs than can be remembered.
    TooMany,
}

impl ProofError {
    /// Every refusal.
    pub const ALL: [Self; 10] = [
        Self::Missing,
        Self::Unbound,
        Self::Malformed,
        Self::BadSignature,
        Self::WrongRequest,
        Self::WrongTime,
        Self::WrongToken,
        Self::WrongKey,
        Self::Replayed,
        Self::TooMany,
    ];

    /// Its code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Missing => "PROOF_MISSING",
            Self::Unbound => "PROOF_OF_UNBOUND_TOKEN",
            Self::Malformed => "PROOF_MALFORMED",
            Self::BadSignature => "PROOF_BAD_SIGNATURE",
            Self::WrongRequest => "PROOF_WRONG_REQUEST",
            Self::WrongTime => "PROOF_WRONG_TIME",
            Self::WrongToken => "PROOF_WRONG_TOKEN",
            Self::WrongKey => "PROOF_WRONG_KEY",
            Self::Replayed => "PROOF_REPLAYED",
            Self::TooMany => "PROOF_TOO_MANY",
        }
    }

    /// The value of `WWW-Authenticate` (RFC 9449, section 7.1).
    pub const fn challenge(self) -> &'static str {
        match self {
            Self::Missing | Self::Unbound => "DPoP error=\"invalid_token\", algs=\"EdDSA ES256 RS256\"",
            _ => "DPoP error=\"invalid_dpop_proof\", algs=\"EdDSA ES256 RS256\"",
        }
    }

    /// What is wrong, and what to do.
    pub fn message(self, language: Language) -> &'static str {
        match self {
            Self::Missing => language.say(
                "Das Zugangstoken ist an einen Schlüssel gebunden: `Authorization: DPoP <Token>` und einen Nachweis in `DPoP` senden",
                "The access token is bound to a key: send `Authorization: DPoP <token>` and a proof in `DPoP`",
            ),
            Self::Unbound => language.say(
                "Das Zugangstoken ist an keinen Schlüssel gebunden: `Authorization: Bearer <Token>` senden",
                "The access token is bound to no key: send `Authorization: Bearer <token>`",
            ),
            Self::Malformed => language.say(
                "Der Nachweis in `DPoP` ist nicht lesbar (RFC 9449, Abschnitt 4.2)",
                "The proof in `DPoP` cannot be read (RFC 9449, section 4.2)",
            ),
            Self::BadSignature => language.say(
                "Unterschrift des Nachweises in `DPoP` stimmt nicht",
                "The signature of the proof in `DPoP` is wrong",
            ),
            Self::WrongRequest => language.say(
                "Der Nachweis in `DPoP` gilt für eine andere Anfrage: `htm` und `htu` auf Methode und öffentliche Adresse setzen",
                "The proof in `DPoP` is for another request: set `htm` and `htu` to method and public address",
            ),
            Self::WrongTime => language.say(
                "Der Nachweis in `DPoP` ist zu alt oder aus der Zukunft: für jede Anfrage einen neuen machen, Uhr stellen",
                "The proof in `DPoP` is too old or from the future: make a new one for each request, set the clock",
            ),
            Self::WrongToken => language.say(
                "Der Nachweis in `DPoP` gilt für ein anderes Zugangstoken: `ath` daraus berechnen",
                "The proof in `DPoP` is for another access token: compute `ath` from it",
            ),
            Self::WrongKey => language.say(
                "Der Nachweis in `DPoP` ist nicht mit dem Schlüssel gemacht, an den das Zugangstoken gebunden ist",
                "The proof in `DPoP` is not made with the key that the access token is bound to",
            ),
            Self::Replayed => language.say(
                "Der Nachweis in `DPoP` wurde schon gezeigt: für jede Anfrage einen neuen machen",
                "The proof in `DPoP` was shown before: make a new one for each request",
            ),
            Self::TooMany => language.say(
                "Zu viele Nachweise in kurzer Zeit: bitte eine Minute warten",
                "Too many proofs in a short time: wait a minute",
            ),
        }
    }
}

/// A proof that holds, of the key it carries. It counts as shown once it was [`Proofs::remember`]ed.
#[derive(Debug, Clone)]
#[must_use = "a proof that is not remembered can be shown again"]
pub struct Proof {
    thumbprint: String,
    id: [u8; 32],
}

impl Proof {
    /// The thumbprint of its key (RFC 7638): what a token bound to it says in `cnf.jkt`.
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }
}

#[derive(Deserialize)]
struct Header {
    typ: String,
    alg: String,
    jwk: Value,
    crit: Option<Value>,
}

#[derive(Deserialize)]
struct Claims {
    jti: String,
    htm: String,
    htu: String,
    #[serde(deserialize_with = "numeric_date")]
    iat: DateTime<Utc>,
    ath: Option<String>,
}

/// Checks proofs and remembers those that were shown.
pub struct Proofs {
    public_url: String,
    leeway: TimeDelta,
    started: DateTime<Utc>,
    now: Now,
    seen: Mutex<Seen>,
}

impl Proofs {
    /// Proofs of requests to the service at that public address.
    pub fn new(public_url: &str, leeway_seconds: u32, now: Now) -> Self {
        Self {
            public_url: public_url.trim_end_matches('/').to_owned(),
            leeway: TimeDelta::seconds(i64::from(leeway_seconds)),
            started: now().trunc_subsecs(0),
            now,
            seen: Mutex::default(),
        }
    }

    /// Whether a text is a good proof for a request with that method and path, and for the token it goes with. Without a
    /// token (where one is about to be issued) the proof shows its key alone.
    ///
    /// Whose key it is, the caller compares; then it has the proof remembered.
    pub fn check(
        &self,
        text: &str,
        method: &str,
        path: &str,
        token: Option<&str>,
    ) -> Result<Proof, ProofError> {
        let malformed = |_: TokenError| ProofError::Malformed;
        if text.len() > MAX_LENGTH {
            return Err(ProofError::Malformed);
        }
        let header: Header = read_part(text, 0).map_err(malformed)?;
        if header.crit.is_some() || header.typ != "dpop+jwt" || !ALGORITHMS.contains(&header.alg.as_str()) {
            return Err(ProofError::Malformed);
        }
        let key = PublicKey::read(&header.jwk).ok_or(ProofError::Malformed)?;
        if header.alg.parse() != Ok(key.algorithm) {
            return Err(ProofError::Malformed);
        }
        let (message, signature) = text.rsplit_once('.').ok_or(ProofError::Malformed)?;
        if message.split('.').count() != 2 {
            return Err(ProofError::Malformed);
        }
        let claims: Claims = read_part(text, 1).map_err(malformed)?;
        if claims.jti.is_empty() {
            return Err(ProofError::Malformed);
        }
        // What costs least comes first.
        if claims.htm != method || !self.is_address(&claims.htu, path) {
            return Err(ProofError::WrongRequest);
        }
        let now = (self.now)();
        // What was shown before this process began is not remembered.
        let oldest = self.started.max(now - self.leeway - LIFETIME);
        if claims.iat > now + self.leeway || claims.iat < oldest {
            return Err(ProofError::WrongTime);
        }
        if let Some(token) = token
            && claims.ath.as_deref() != Some(&URL_SAFE_NO_PAD.encode(Sha256::digest(token)))
        {
            return Err(ProofError::WrongToken);
        }
        match jsonwebtoken::crypto::verify(signature, message.as_bytes(), &key.decoding, key.algorithm) {
            Ok(true) => {}
            _ => return Err(ProofError::BadSignature),
        }
        let thumbprint = thumbprint(&header.jwk).ok_or(ProofError::Malformed)?;
        let id = Sha256::new()
            .chain_update(&thumbprint)
            .chain_update([0])
            .chain_update(&claims.jti)
            .finalize()
            .into();
        Ok(Proof { thumbprint, id })
    }

    /// Counts a proof as shown; refuses the one that was before. To be called once the token or grant it goes with is known
    /// to belong to its key, so that strangers cannot fill the memory with keys of their own.
    pub fn remember(&self, proof: &Proof) -> Result<(), ProofError> {
        let hold = LIFETIME + self.leeway + self.leeway;
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .add(proof, (self.now)(), hold)
    }

    /// `htu` without query and fragment, compared as RFC 3986 (sections 6.2.2 and 6.2.3) normalises addresses.
    fn is_address(&self, htu: &str, path: &str) -> bool {
        let (Ok(given), Ok(own)) = (Url::parse(htu), Url::parse(&format!("{}{path}", self.public_url)))
        else {
            return false;
        };
        given.username().is_empty()
            && given.password().is_none()
            && given.scheme() == own.scheme()
            && given.host_str() == own.host_str()
            && given.port_or_known_default() == own.port_or_known_default()
            && normal(given.path()) == normal(own.path())
    }
}

/// A path whose escapes are spelled in one way: letters that need none are unescaped, hexadecimal digits are large.
fn normal(path: &str) -> Vec<u8> {
    let bytes = path.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut place = 0;
    while place < bytes.len() {
        let escaped = bytes
            .get(place + 1..place + 3)
            .filter(|_| bytes[place] == b'%')
            .and_then(|digits| hex::decode(digits).ok());
        match escaped.as_deref() {
            Some([plain]) if plain.is_ascii_alphanumeric() || b"-._~".contains(plain) => {
                out.push(*plain);
                place += 3;
            }
            Some(_) => {
                out.extend(bytes[place..place + 3].to_ascii_uppercase());
                place += 3;
            }
            None => {
                out.push(bytes[place]);
                place += 1;
            }
        }
    }
    out
}

/// Proofs shown within one span of time.
#[derive(Default)]
struct Generation {
    since: DateTime<Utc>,
    ids: HashSet<[u8; 32]>,
    of_key: HashMap<String, u32>,
}

/// Two generations: whatever may still be shown again is in one of them.
#[derive(Default)]
struct Seen {
    current: Generation,
    last: Generation,
}

impl Seen {
    fn add(&mut self, proof: &Proof, now: DateTime<Utc>, hold: TimeDelta) -> Result<(), ProofError> {
        if now >= self.current.since + hold {
            let ended = std::mem::replace(
                &mut self.current,
                Generation {
                    since: now,
                    ..Generation::default()
                },
            );
            self.last = if now < ended.since + hold + hold {
                ended
            } else {
                Generation::default()
            };
        }
        if self.current.ids.contains(&proof.id) || self.last.ids.contains(&proof.id) {
            return Err(ProofError::Replayed);
        }
        if self.current.ids.len() >= OF_ALL_KEYS {
            return Err(ProofError::TooMany);
        }
        let count = self.current.of_key.entry(proof.thumbprint.clone()).or_default();
        if *count >= OF_ONE_KEY {
            return Err(ProofError::TooMany);
        }
        *count += 1;
        self.current.ids.insert(proof.id);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
    use serde_json::json;

    use super::*;

    /// RFC 9449, section 4.1 (figure 2), section 7.1 (figure 13), section 6.1.
    const TO_TOKEN_ENDPOINT: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg";
    const TO_RESOURCE: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA";
    const TOKEN: &str = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
    const THUMBPRINT: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";

    const NOW: i64 = 1_562_262_620;
    /// When the process began.
    const START: i64 = NOW - 1_000;

    fn proofs(public_url: &str) -> (Proofs, Arc<AtomicI64>) {
        let clock = Arc::new(AtomicI64::new(START));
        let hand = Arc::clone(&clock);
        let now: Now = Arc::new(move || DateTime::from_timestamp(hand.load(Ordering::Relaxed), 0).unwrap());
        let proofs = Proofs::new(public_url, 30, now);
        clock.store(NOW, Ordering::Relaxed);
        (proofs, clock)
    }

    #[test]
    fn the_examples_of_the_document_hold() {
        let (server, _) = proofs("https://server.example.com/");
        let proof = server.check(TO_TOKEN_ENDPOINT, "POST", "/token", None).unwrap();
        assert_eq!(proof.thumbprint(), THUMBPRINT);
        let (resource, clock) = proofs("https://resource.example.org");
        let check = |token| resource.check(TO_RESOURCE, "GET", "/protectedresource", Some(token));
        assert_eq!(check(TOKEN).unwrap().thumbprint(), THUMBPRINT);
        assert_eq!(check("another").unwrap_err(), ProofError::WrongToken);
        assert_eq!(
            server
                .check(TO_TOKEN_ENDPOINT, "POST", "/token", Some(TOKEN))
                .unwrap_err(),
            ProofError::WrongToken
        );
        for (seconds, expected) in [
            (1_562_262_618 - 31, Some(ProofError::WrongTime)),
            (1_562_262_618 - 30, None),
            (1_562_262_618 + 90, None),
            (1_562_262_618 + 91, Some(ProofError::WrongTime)),
        ] {
            clock.store(seconds, Ordering::Relaxed);
            assert_eq!(check(TOKEN).err(), expected, "{seconds}");
        }
    }

    #[test]
    fn a_proof_from_before_the_start_may_have_been_shown() {
        let (vks, clock) = proofs("https://vks.example");
        let holder = Holder::new();
        clock.store(START + 1, Ordering::Relaxed);
        for (iat, expected) in [(START - 1, Some(ProofError::WrongTime)), (START, None)] {
            let text = holder.sign(&holder.header(), &with(claims(), "iat", json!(iat)));
            assert_eq!(vks.check(&text, "POST", "/graphql", None).err(), expected);
        }
    }

    struct Holder {
        pair: Ed25519KeyPair,
    }

    impl Holder {
        fn new() -> Self {
            Self {
                pair: Ed25519KeyPair::generate().unwrap(),
            }
        }

        fn jwk(&self) -> Value {
            json!({"kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(self.pair.public_key())})
        }

        fn sign(&self, header: &Value, claims: &Value) -> String {
            let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
            let message = format!("{}.{}", part(header), part(claims));
            let signature = self.pair.sign(message.as_bytes());
            format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
        }

        fn header(&self) -> Value {
            json!({"typ": "dpop+jwt", "alg": "EdDSA", "jwk": self.jwk()})
        }
    }

    fn claims() -> Value {
        json!({"jti": "1", "htm": "POST", "htu": "https://vks.example/graphql", "iat": NOW})
    }

    fn with(mut value: Value, member: &str, new: Value) -> Value {
        value[member] = new;
        value
    }

    #[test]
    fn a_proof_is_for_one_request() {
        let (vks, _) = proofs("https://VKS.example:443/vks");
        let holder = Holder::new();
        for (htu, good) in [
            ("https://vks.example/vks/graphql", true),
            ("HTTPS://vks.EXAMPLE:443/vks/./graphql", true),
            ("https://vks.example/vks/graph%71l?query=x#y", true),
            ("https://vks.example/graphql", false),
            ("https://vks.example/vks/graphql/", false),
            ("https://vks.example/vks/Graphql", false),
            ("https://vks.example/vks%2Fgraphql", false),
            ("https://vks.example:444/vks/graphql", false),
            ("http://vks.example:443/vks/graphql", false),
            ("https://user@vks.example/vks/graphql", false),
            ("https://vks.example.evil/vks/graphql", false),
            ("/vks/graphql", false),
            ("", false),
        ] {
            let text = holder.sign(&holder.header(), &with(claims(), "htu", json!(htu)));
            let outcome = vks.check(&text, "POST", "/graphql", None).err();
            assert_eq!(outcome, (!good).then_some(ProofError::WrongRequest), "{htu}");
        }
        let (vks, _) = proofs("https://vks.example");
        let text = holder.sign(&holder.header(), &claims());
        for (method, path, good) in [
            ("POST", "/graphql", true),
            ("GET", "/graphql", false),
            ("post", "/graphql", false),
            ("POST", "/exports", false),
        ] {
            assert_eq!(
                vks.check(&text, method, path, None).is_ok(),
                good,
                "{method} {path}"
            );
        }
    }

    #[test]
    fn whatever_is_not_a_proof_is_refused() {
        let (vks, _) = proofs("https://vks.example");
        let holder = Holder::new();
        let (header, foreign) = (holder.header(), Holder::new());
        let refusal = |text: &str| vks.check(text, "POST", "/graphql", None).unwrap_err();
        let mut private = holder.jwk();
        private["d"] = json!("AAAA");
        for changed in [
            with(header.clone(), "typ", json!("JWT")),
            with(header.clone(), "typ", json!("at+jwt")),
            with(header.clone(), "typ", Value::Null),
            with(header.clone(), "alg", json!("none")),
            with(header.clone(), "alg", json!("HS256")),
            with(header.clone(), "alg", json!("ES256")),
            with(header.clone(), "jwk", private),
            with(header.clone(), "jwk", json!({"kty": "oct", "k": "AAAA"})),
            with(header.clone(), "jwk", Value::Null),
            with(header.clone(), "crit", json!(["b64"])),
        ] {
            assert_eq!(
                refusal(&holder.sign(&changed, &claims())),
                ProofError::Malformed,
                "{changed}"
            );
        }
        for member in ["jti", "htm", "htu", "iat"] {
            let mut less = claims();
            less.as_object_mut().unwrap().remove(member);
            assert_eq!(
                refusal(&holder.sign(&header, &less)),
                ProofError::Malformed,
                "{member}"
            );
        }
        assert_eq!(
            refusal(&holder.sign(&header, &with(claims(), "jti", json!("")))),
            ProofError::Malformed
        );
        assert_eq!(
            refusal(&foreign.sign(&header, &claims())),
            ProofError::BadSignature
        );
        let good = holder.sign(&header, &claims());
        for text in [
            "",
            "..",
            &good[..good.len() / 2],
            &format!("{good}.AA"),
            &"x".repeat(MAX_LENGTH + 1),
        ] {
            assert_eq!(refusal(text), ProofError::Malformed, "{text:.40}");
        }
        assert!(vks.check(&good, "POST", "/graphql", None).is_ok());
    }

    #[test]
    fn a_proof_is_shown_once_for_as_long_as_it_holds() {
        let (vks, clock) = proofs("https://vks.example");
        let holder = Holder::new();
        let proof = |holder: &Holder, jti: &str, iat: i64| {
            let claims = with(with(claims(), "jti", json!(jti)), "iat", json!(iat));
            vks.check(&holder.sign(&holder.header(), &claims), "POST", "/graphql", None)
        };
        // The longest life there is: from the future, and shown again at its last moment, over a change of generations.
        for begin in (NOW..NOW + 400).step_by(7) {
            clock.store(begin, Ordering::Relaxed);
            let first = proof(&holder, &begin.to_string(), begin + 30).unwrap();
            assert_eq!(vks.remember(&first), Ok(()));
            for later in [0, 60, 120] {
                clock.store(begin + later, Ordering::Relaxed);
                let again = proof(&holder, &begin.to_string(), begin + 30).unwrap();
                assert_eq!(vks.remember(&again), Err(ProofError::Replayed), "{begin} {later}");
            }
            assert_eq!(
                vks.remember(&proof(&Holder::new(), &begin.to_string(), begin + 120).unwrap()),
                Ok(()),
                "another key has other proofs"
            );
        }
    }

    #[test]
    fn memory_is_bounded_for_each_key_and_in_time() {
        let mut seen = Seen::default();
        let proof = |key: &str, number: u32| Proof {
            thumbprint: key.to_owned(),
            id: Sha256::digest(format!("{key}{number}")).into(),
        };
        let at = |seconds: i64| DateTime::from_timestamp(NOW + seconds, 0).unwrap();
        let hold = TimeDelta::seconds(120);
        for number in 0..OF_ONE_KEY {
            assert_eq!(seen.add(&proof("a", number), at(0), hold), Ok(()));
        }
        assert_eq!(
            seen.add(&proof("a", OF_ONE_KEY), at(0), hold),
            Err(ProofError::TooMany)
        );
        assert_eq!(
            seen.add(&proof("b", 0), at(0), hold),
            Ok(()),
            "others are not held up"
        );
        assert_eq!(seen.add(&proof("a", 0), at(119), hold), Err(ProofError::Replayed));
        assert_eq!(seen.add(&proof("a", OF_ONE_KEY), at(120), hold), Ok(()));
        assert_eq!(seen.add(&proof("a", OF_ONE_KEY + 1), at(241), hold), Ok(()));
        assert_eq!(
            seen.current.ids.len() + seen.last.ids.len(),
            2,
            "the first ones are forgotten"
        );
        seen.add(&proof("a", 1), at(1_000), hold).unwrap();
        assert_eq!((seen.current.ids.len(), seen.last.ids.len()), (1, 0));
    }
}
