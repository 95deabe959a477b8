//! What a use case needs besides the database: who asks, and where time, randomness, ids and keys come from.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, SubsecRound, Utc};
use uuid::Uuid;

use crate::access::Caller;
use crate::reads::Notes;
use crate::vault::Vault;

/// Where the time comes from.
pub trait Clock: Send + Sync {
    /// Now, in whole microseconds: what PostgreSQL keeps, so that a value read equals the value written.
    fn now(&self) -> DateTime<Utc>;
}

/// The machine's clock.
#[derive(Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the machine's clock is read"
    )]
    fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(6)
    }
}

/// Where randomness comes from.
pub trait Random: Send + Sync {
    /// Fills the buffer with random bytes.
    fn fill(&self, bytes: &mut [u8]);
}

/// The operating system's randomness, stretched by `ChaCha20` for bulk use.
pub struct OsRandom(Mutex<rand_chacha::ChaCha20Rng>);

impl OsRandom {
    /// A generator seeded by the operating system.
    pub fn new() -> std::io::Result<Self> {
        use rand_chacha::rand_core::SeedableRng;
        rand_chacha::ChaCha20Rng::try_from_os_rng()
            .map(|rng| Self(Mutex::new(rng)))
            .map_err(std::io::Error::other)
    }
}

impl Random for OsRandom {
    fn fill(&self, bytes: &mut [u8]) {
        use rand_chacha::rand_core::RngCore;
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .fill_bytes(bytes);
    }
}

impl fmt::Debug for OsRandom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OsRandom")
    }
}

/// Time, randomness, ids and keys: injected once at start, swapped in tests. There is one in a process, and it knows what
/// the process has in hand.
pub struct Sources {
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    vault: Vault,
    last_id: Mutex<u128>,
    in_hand: Mutex<HashSet<Uuid>>,
}

impl Sources {
    /// Sources from their parts.
    pub fn new(clock: Arc<dyn Clock>, random: Arc<dyn Random>, vault: Vault) -> Self {
        Self {
            clock,
            random,
            vault,
            last_id: Mutex::new(0),
            in_hand: Mutex::default(),
        }
    }

    /// Now.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// The clock itself.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Random bytes.
    pub fn random_bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.random.fill(&mut bytes);
        bytes
    }

    /// Fills a buffer with random bytes.
    pub fn fill_random(&self, bytes: &mut [u8]) {
        self.random.fill(bytes);
    }

    /// Seals case numbers and engagement keys.
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// From now on this process works on what has this id.
    pub(crate) fn take_in_hand(&self, id: Uuid) {
        self.in_hand().insert(id);
    }

    /// It no longer does.
    pub(crate) fn let_go(&self, id: Uuid) {
        self.in_hand().remove(&id);
    }

    /// Whether it does.
    pub(crate) fn has_in_hand(&self, id: Uuid) -> bool {
        self.in_hand().contains(&id)
    }

    fn in_hand(&self) -> MutexGuard<'_, HashSet<Uuid>> {
        self.in_hand.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new `UUIDv7` (RFC 9562), greater than every id this process made before.
    pub fn new_id(&self) -> Uuid {
        self.new_ids(1).next().unwrap_or_else(Uuid::nil)
    }

    /// Ascending new ids, `count` of them: 74 random bits each, at random distances within a millisecond.
    pub fn new_ids(&self, count: usize) -> impl Iterator<Item = Uuid> + use<> {
        let millis = u128::try_from(self.now().timestamp_millis()).unwrap_or(0);
        let mut random = vec![0_u8; count * 10];
        self.random.fill(&mut random);
        let mut last = self.last_id.lock().unwrap_or_else(PoisonError::into_inner);
        let ids: Vec<Uuid> = random
            .chunks_exact(10)
            .map(|bytes| {
                let noise = bytes.iter().fold(0_u128, |n, byte| (n << 8) | u128::from(*byte)) & NOISE;
                // Within the millisecond of the last id the next one follows at a random distance below 2^40.
                *last = if millis > *last >> NOISE_BITS {
                    (millis << NOISE_BITS) | (noise >> 1)
                } else {
                    *last + 1 + (noise & 0xff_ffff_ffff)
                };
                uuid_v7(*last)
            })
            .collect();
        ids.into_iter()
    }
}

const NOISE_BITS: u32 = 74;
const NOISE: u128 = (1 << NOISE_BITS) - 1;

/// Spreads 48 bits of milliseconds and 74 bits of noise around version and variant.
fn uuid_v7(value: u128) -> Uuid {
    let millis = value >> NOISE_BITS;
    let high = (value >> 62) & 0xfff;
    let low = value & ((1 << 62) - 1);
    Uuid::from_u128((millis << 80) | (0x7 << 76) | (high << 64) | (0b10 << 62) | low)
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sources")
    }
}

/// Who asks, in which request, with the sources of the service.
#[derive(Clone, Debug)]
pub struct Ctx {
    /// Who asks.
    pub caller: Caller,
    /// The request, as in log and trail.
    pub request_id: Uuid,
    /// Time, randomness, ids, keys.
    pub sources: Arc<Sources>,
    /// What the use cases handed out that needs a read record.
    pub notes: Notes,
}

impl Ctx {
    /// The context of a request.
    pub fn new(caller: Caller, request_id: Uuid, sources: Arc<Sources>) -> Self {
        Self {
            caller,
            request_id,
            sources,
            notes: Notes::default(),
        }
    }

    /// The same for one operation, with notes of its own.
    #[must_use]
    pub fn noting(&self, notes: Notes) -> Self {
        Self {
            notes,
            ..self.clone()
        }
    }

    /// The context of work the service does by itself.
    pub fn system(sources: Arc<Sources>) -> Self {
        Self::new(Caller::system(), sources.new_id(), sources)
    }

    /// Now.
    pub fn now(&self) -> DateTime<Utc> {
        self.sources.now()
    }

    /// A new row id.
    pub fn new_id(&self) -> Uuid {
        self.sources.new_id()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Still;

    impl Clock for Still {
        fn now(&self) -> DateTime<Utc> {
            DateTime::UNIX_EPOCH + chrono::TimeDelta::days(20_000)
        }
    }

    #[test]
    fn ids_ascend_within_one_millisecond_and_are_version_7() {
        let random = Arc::new(OsRandom::new().unwrap());
        let sources = Sources::new(Arc::new(Still), random, Vault::new([7; 32]));
        let ids: Vec<Uuid> = sources.new_ids(5_000).chain(sources.new_ids(5_000)).collect();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(
            ids.iter()
                .all(|id| id.get_version_num() == 7 && id.get_variant() == uuid::Variant::RFC4122)
        );
    }
}
