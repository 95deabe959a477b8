//! Who is calling: access tokens, the memberships they carry, and the one a request acts under.
//!
//! Owns the verification of tokens and their refusal. Knows no role's rights.

mod development;
mod dpop;
mod error;
mod grant_token;
mod groups;
mod identity;
mod keys;
mod provider;
mod request;
mod verifier;

use std::sync::Arc;

use audit::{Clock as _, SystemClock};
use chrono::{DateTime, Utc};

pub use development::{DEVELOPMENT_KID, DevelopmentKey, NoSignatures, TokenRequest, start_check};
pub use dpop::{PROOF_HEADER, Proof, ProofError, Proofs};
pub use error::{AuthError, GrantError, MembershipError, Refused, TokenError};
pub use grant_token::{AuthorizationDetail, DETAIL_TYPE, GrantClaims, GrantIssuer, GrantToken, LIFETIME};
pub use groups::{GroupError, GroupMap};
pub use identity::Identity;
pub use keys::thumbprint;
pub(crate) use provider::is_local;
pub use provider::{FetchError, Provider, ProviderReport, is_safe_address};
pub use request::{Actor, Authentication, MEMBERSHIP_HEADER, Shown, authenticate, authentication};
use verifier::read_part;
pub use verifier::{KeyError, TokenVerifier, verifier};

/// The injected clock.
pub type Now = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// The machine's clock.
pub fn system_clock() -> Now {
    Arc::new(|| SystemClock.now())
}
