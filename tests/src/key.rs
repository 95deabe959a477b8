//! A key of somebody from outside and the proofs made with it (RFC 7638, RFC 8037, RFC 9449), written apart from the service.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// A key for Ed25519.
pub struct Key(Ed25519KeyPair);

impl Default for Key {
    fn default() -> Self {
        Self(Ed25519KeyPair::generate().unwrap())
    }
}

impl Key {
    fn public(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0.public_key().as_ref())
    }

    /// Its thumbprint: the members that are required, in their order.
    pub fn thumbprint(&self) -> String {
        let members = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, self.public());
        URL_SAFE_NO_PAD.encode(Sha256::digest(members))
    }

    /// A proof that says this.
    pub fn proof(&self, claims: &Value) -> String {
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": self.public() });
        let header = json!({ "typ": "dpop+jwt", "alg": "EdDSA", "jwk": jwk });
        let [header, claims] = [&header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let message = format!("{header}.{claims}");
        let signature = URL_SAFE_NO_PAD.encode(self.0.sign(message.as_bytes()));
        format!("{message}.{signature}")
    }
}

/// What a proof says for a request with this method to this address, and for the token it goes with.
pub fn claims(method: &str, address: &str, token: Option<&str>) -> Value {
    let mut claims = json!({
        "jti": crate::unique("proof"), "htm": method, "htu": address, "iat": api::auth::system_clock()().timestamp(),
    });
    if let Some(token) = token {
        claims["ath"] = json!(URL_SAFE_NO_PAD.encode(Sha256::digest(token)));
    }
    claims
}
