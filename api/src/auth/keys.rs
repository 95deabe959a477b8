//! Public keys as verification needs them, and how one is read from a JSON Web Key (RFC 7517, RFC 8037).
//!
//! A key has one algorithm: the token that names another is refused before its signature is looked at.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{Jwk, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::Value;

/// The algorithms in the words of RFC 7518 and RFC 8037.
pub(super) const ALGORITHMS: [&str; 3] = ["EdDSA", "ES256", "RS256"];

/// Bytes of an RSA modulus: 2048 to 4096 bits.
const MODULUS: std::ops::RangeInclusive<usize> = 256..=512;

/// Members of a key that nobody may show.
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// A key whose signatures are believed, for the tokens of one issuer.
pub(super) struct TrustedKey {
    pub(super) decoding: DecodingKey,
    pub(super) algorithm: Algorithm,
    pub(super) validation: Validation,
    /// The development key names memberships; an identity provider names groups.
    pub(super) names_memberships: bool,
}

impl TrustedKey {
    pub(super) fn new(issuer: &str, audience: &str, algorithm: Algorithm, decoding: DecodingKey) -> Self {
        let mut validation = Validation::new(algorithm);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[audience]);
        validation.required_spec_claims = ["iss", "aud", "sub", "exp"].map(str::to_owned).into();
        // The library reads the system's clock; the verifier reads ours.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        Self {
            decoding,
            algorithm,
            validation,
            names_memberships: false,
        }
    }
}

/// A public key read from a JSON Web Key.
pub(super) struct PublicKey {
    pub(super) algorithm: Algorithm,
    pub(super) decoding: DecodingKey,
}

impl PublicKey {
    /// The key, if it is one of our algorithms, made for signatures, strong enough, and without any private part.
    pub(super) fn read(jwk: &Value) -> Option<Self> {
        let key = jwk.as_object()?;
        if PRIVATE.iter().any(|member| key.contains_key(*member)) {
            return None;
        }
        let text = |member: &str| key.get(member).and_then(Value::as_str);
        let signs = key.get("use").is_none_or(|purpose| purpose == "sig");
        let verifies = key.get("key_ops").is_none_or(|operations| {
            operations
                .as_array()
                .is_some_and(|operations| operations.iter().any(|operation| operation == "verify"))
        });
        if !signs || !verifies {
            return None;
        }
        let (algorithm, decoding) = match (text("kty")?, text("crv")) {
            ("OKP", Some("Ed25519")) => {
                bytes(text("x")?).filter(|x| x.len() == 32)?;
                (Algorithm::EdDSA, DecodingKey::from_ed_components(text("x")?))
            }
            ("EC", Some("P-256")) => {
                let (x, y) = (text("x")?, text("y")?);
                [x, y]
                    .iter()
                    .all(|part| bytes(part).is_some_and(|part| part.len() == 32))
                    .then_some(())?;
                (Algorithm::ES256, DecodingKey::from_ec_components(x, y))
            }
            ("RSA", None) => {
                let modulus = bytes(text("n")?)?;
                let length = modulus.len() - modulus.iter().take_while(|byte| **byte == 0).count();
                MODULUS.contains(&length).then_some(())?;
                (
                    Algorithm::RS256,
                    DecodingKey::from_rsa_components(text("n")?, text("e")?),
                )
            }
            _ => return None,
        };
        let named = key.get("alg").is_none_or(|name| {
            // RFC 9864 has a name of its own for EdDSA on this curve.
            name.as_str().is_some_and(|name| {
                name.parse() == Ok(algorithm) || (name == "Ed25519" && algorithm == Algorithm::EdDSA)
            })
        });
        named.then_some(Self {
            algorithm,
            decoding: decoding.ok()?,
        })
    }
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// The SHA-256 thumbprint of a key (RFC 7638), as `cnf.jkt` names it.
pub fn thumbprint(jwk: &Value) -> Option<String> {
    let jwk: Jwk = serde_json::from_value(jwk.clone()).ok()?;
    jwk.thumbprint(ThumbprintHash::SHA256).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// RFC 7638, section 3.1, and RFC 8037, appendix A.3.
    #[test]
    fn thumbprints_are_those_of_the_documents() {
        let rsa = json!({
            "kty": "RSA", "e": "AQAB", "alg": "RS256", "kid": "2011-04-29",
            "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMs\
                  tn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn\
                  1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
        });
        assert_eq!(
            thumbprint(&rsa).as_deref(),
            Some("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs")
        );
        let ed = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
        assert_eq!(
            thumbprint(&ed).as_deref(),
            Some("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")
        );
        for key in [&rsa, &ed] {
            assert!(PublicKey::read(key).is_some());
        }
    }

    #[test]
    fn only_public_keys_for_signatures_of_our_algorithms_are_read() {
        let ed = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "kid": "k"});
        let with = |member: &str, value: Value| {
            let mut key = ed.clone();
            key[member] = value;
            key
        };
        for good in [
            ed.clone(),
            with("use", json!("sig")),
            with("alg", json!("EdDSA")),
            with("alg", json!("Ed25519")),
            with("key_ops", json!(["verify"])),
        ] {
            assert!(PublicKey::read(&good).is_some(), "{good}");
        }
        for bad in [
            with("d", json!("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")),
            with("use", json!("enc")),
            with("alg", json!("ES256")),
            with("alg", json!(7)),
            with("key_ops", json!(["sign"])),
            with("x", json!("AAAA")),
            with("x", json!("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHUR+")),
            with("crv", json!("X25519")),
            json!({"kty": "oct", "k": "AAAA"}),
            json!({"kty": "RSA", "e": "AQAB", "n": "AQAB"}),
            json!({"kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA"}),
            json!({}),
            json!([]),
        ] {
            assert!(PublicKey::read(&bad).is_none(), "{bad}");
        }
    }
}
