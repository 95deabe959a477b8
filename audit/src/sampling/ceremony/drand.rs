//! Rounds of the drand beacon of the League of Entropy, proved offline against the public keys of its chains.
//!
//! A round is a BLS signature over BLS12-381 that a threshold of independent operators makes together at a
//! time known in advance; nobody can know or choose it before. Randomness is the SHA-256 digest of the
//! signature. Two chains are known by their keys: the default one (scheme `pedersen-bls-chained`, key on G1,
//! signature on G2, message = SHA-256 of the previous signature and the round) and quicknet
//! (`bls-unchained-g1-rfc9380`, key on G2, signature on G1, message = SHA-256 of the round). A round is 8
//! bytes, big-endian. Source: drand's documents and the hash-to-curve suites of RFC 9380.

use blst::{BLST_ERROR, min_pk, min_sig};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{Bytes32, CeremonyError};

/// Suite of signatures on G2.
const ON_G2: &[u8] = b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_NUL_";
/// Suite of signatures on G1.
const ON_G1: &[u8] = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_";

/// How a chain signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub enum Scheme {
    /// Every round signs the one before it.
    #[serde(rename = "pedersen-bls-chained")]
    Chained,
    /// Every round signs its number alone.
    #[serde(rename = "bls-unchained-g1-rfc9380")]
    Unchained,
}

/// A chain of the beacon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Chain {
    /// Its name.
    pub name: &'static str,
    /// Its hash, in hexadecimal.
    pub hash: &'static str,
    /// Its public key, in hexadecimal.
    pub public_key: &'static str,
    /// How it signs.
    pub scheme: Scheme,
    /// Time of round 1, in seconds since 1 January 1970 UTC.
    pub genesis_time: i64,
    /// Seconds from round to round.
    pub period: u32,
    /// What the first round of a chained scheme signs in place of a previous signature, in hexadecimal.
    pub genesis_seed: &'static str,
}

/// The chains whose keys are known here.
pub const CHAINS: [Chain; 2] = [
    Chain {
        name: "quicknet",
        hash: "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971",
        public_key: "\
            83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d106451\
            0d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a",
        scheme: Scheme::Unchained,
        genesis_time: 1_692_803_367,
        period: 3,
        genesis_seed: "f477d5c89f21a17c863a7f937c6a6d15859414d2be09cd448d4279af331c5d3e",
    },
    Chain {
        name: "default",
        hash: "8990e7a9aaed2ffed73dbd7092123d6f289930540d7651336225dc172e51b2ce",
        public_key: "\
            868f005eb8e6e4ca0a47c8a77ceaa5309a47978a7c71bc5cce96366b5d7a569937c529eeda66c7293784a9402801af31",
        scheme: Scheme::Chained,
        genesis_time: 1_595_431_050,
        period: 30,
        genesis_seed: "176f93498eac9ca337150b46d21dd58673ea4e3581185f869672e59fa4cb390a",
    },
];

/// A round as the beacon prints it (`/public/{round}` and `/v2/chains/{hash}/rounds/{round}`), in its own or
/// our spelling.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Round {
    /// Number of the round, from 1.
    pub round: u64,
    /// Signature, in hexadecimal.
    pub signature: String,
    /// Signature of the round before, in hexadecimal; chained scheme only.
    #[serde(alias = "previous_signature")]
    pub previous_signature: Option<String>,
    /// Randomness, in hexadecimal; compared with the signature's digest where given.
    pub randomness: Option<String>,
    /// Hash of the chain, in hexadecimal, where known; compared with the plan's.
    #[serde(alias = "chain_hash")]
    pub chain_hash: Option<String>,
}

impl Round {
    /// Reads a round from the JSON of the beacon.
    pub fn from_json(text: &str) -> Result<Self, CeremonyError> {
        serde_json::from_str(text).map_err(|_| CeremonyError::Invalid("source"))
    }
}

impl Chain {
    /// The chain with this hash.
    pub fn of_hash(hash: Bytes32) -> Option<&'static Self> {
        CHAINS.iter().find(|chain| chain.hash == hash.to_string())
    }

    /// When a round exists: genesis time + (round - 1) * period.
    pub fn round_time(&self, round: u64) -> Result<i64, CeremonyError> {
        let time = || {
            let steps = i64::try_from(round.checked_sub(1)?).ok()?;
            let since = steps.checked_mul(i64::from(self.period))?;
            self.genesis_time.checked_add(since)
        };
        time().ok_or(CeremonyError::Invalid("round"))
    }

    /// The first round that exists strictly after a time.
    pub fn first_round_after(&self, time: i64) -> u64 {
        let elapsed = i128::from(time) - i128::from(self.genesis_time);
        let rounds = elapsed.div_euclid(i128::from(self.period.max(1))) + 2;
        u64::try_from(rounds.max(1)).unwrap_or(u64::MAX)
    }

    /// Proves a round and gives its randomness.
    pub fn verify(&self, round: &Round) -> Result<Bytes32, CeremonyError> {
        if let Some(hash) = &round.chain_hash {
            let hash = Bytes32::parse(hash).ok_or(CeremonyError::Invalid("chainHash"))?;
            if hash.to_string() != self.hash {
                return Err(CeremonyError::RoundOfAnotherChain);
            }
        }
        self.round_time(round.round)?;
        let signature = unhex(&round.signature, "signature")?;
        let previous = match &round.previous_signature {
            Some(previous) if !previous.is_empty() => Some(unhex(previous, "previousSignature")?),
            _ => None,
        };
        let proves = |chain: &Self| chain.proves(round.round, previous.as_deref(), &signature);
        if !proves(self) {
            let elsewhere = CHAINS
                .iter()
                .any(|other| other.hash != self.hash && proves(other));
            return Err(if elsewhere {
                CeremonyError::RoundOfAnotherChain
            } else if self.scheme == Scheme::Chained && previous.is_none() {
                CeremonyError::Required("previousSignature")
            } else {
                CeremonyError::SignatureWrong
            });
        }
        let randomness = Bytes32(Sha256::digest(&signature).into());
        match &round.randomness {
            Some(given) if Bytes32::parse(given) != Some(randomness) => Err(CeremonyError::RandomnessDiffers),
            _ => Ok(randomness),
        }
    }

    /// Whether the signature is this chain's for this round. The library checks that key and signature are
    /// points of the right subgroup and not the one at infinity.
    fn proves(&self, round: u64, previous: Option<&[u8]>, signature: &[u8]) -> bool {
        let Ok(key) = hex::decode(self.public_key) else {
            return false;
        };
        let number = round.to_be_bytes();
        let result = match self.scheme {
            Scheme::Chained => {
                let Some(previous) = previous.filter(|previous| self.precedes(round, previous)) else {
                    return false;
                };
                let message = Sha256::new()
                    .chain_update(previous)
                    .chain_update(number)
                    .finalize();
                min_pk::PublicKey::uncompress(&key).and_then(|key| {
                    let signature = min_pk::Signature::uncompress(signature)?;
                    Ok(signature.verify(true, &message, ON_G2, &[], &key, true))
                })
            }
            Scheme::Unchained => {
                let message = Sha256::digest(number);
                min_sig::PublicKey::uncompress(&key).and_then(|key| {
                    let signature = min_sig::Signature::uncompress(signature)?;
                    Ok(signature.verify(true, &message, ON_G1, &[], &key, true))
                })
            }
        };
        result == Ok(BLST_ERROR::BLST_SUCCESS)
    }

    /// Whether this can be what a round of the chained scheme signs: a signature, or the genesis seed at
    /// round 1.
    fn precedes(&self, round: u64, previous: &[u8]) -> bool {
        if round == 1 {
            hex::encode(previous) == self.genesis_seed
        } else {
            previous.len() == 96
        }
    }
}

fn unhex(text: &str, field: &'static str) -> Result<Vec<u8>, CeremonyError> {
    if text.is_empty() {
        return Err(CeremonyError::Required(field));
    }
    // a signature on G2 is the longest thing there is
    if text.len() > 192 {
        return Err(CeremonyError::TooLong(field));
    }
    hex::decode(text).map_err(|_| CeremonyError::Invalid(field))
}

#[cfg(test)]
mod tests {
    use super::*;

    // Published rounds: documentation and tests of drand-verify, drand-client and python-drand-verify.
    const QUICKNET_1000: &str = r#"{
        "round": 1000, "randomness": "fe290beca10872ef2fb164d2aa4442de4566183ec51c56ff3cd603d930e54fdd",
        "signature": "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39"
    }"#;
    const DEFAULT_1: &str = r#"{
        "round": 1, "randomness": "101297f1ca7dc44ef6088d94ad5fb7ba03455dc33d53ddb412bbc4564ed986ec",
        "signature": "8d61d9100567de44682506aea1a7a6fa6e5491cd27a0a0ed349ef6910ac5ac20ff7bc3e09d7c046566c9f7f3c6f3b10104990e7cb424998203d8f7de586fb7fa5f60045417a432684f85093b06ca91c769f0e7ca19268375e659c2a2352b4655",
        "previous_signature": "176f93498eac9ca337150b46d21dd58673ea4e3581185f869672e59fa4cb390a"
    }"#;
    const DEFAULT_72785: (&str, &str) = (
        "\
            82f5d3d2de4db19d40a6980e8aa37842a0e55d1df06bd68bddc8d60002e8e959eb9cfa368b3c1b77d18f02a54fe047b8\
            0f0989315f83b12a74fd8679c4f12aae86eaf6ab5690b34f1fddd50ee3cc6f6cdf59e95526d5a5d82aaa84fa6f181e42",
        "\
            a609e19a03c2fcc559e8dae14900aaefe517cb55c840f6e69bc8e4f66c8d18e8a609685d9917efbfb0c37f058c2de88f\
            13d297c7e19e0ab24813079efe57a182554ff054c7638153f9b26a60e7111f71a0ff63d9571704905d3ca6df0b031747",
    );

    fn quicknet() -> &'static Chain {
        &CHAINS[0]
    }

    fn default() -> &'static Chain {
        &CHAINS[1]
    }

    fn bare(round: u64, signature: &str, previous: Option<&str>) -> Round {
        Round {
            round,
            signature: signature.to_owned(),
            previous_signature: previous.map(str::to_owned),
            randomness: None,
            chain_hash: None,
        }
    }

    #[test]
    fn published_rounds_are_proved() {
        for (chain, json) in [(quicknet(), QUICKNET_1000), (default(), DEFAULT_1)] {
            let round = Round::from_json(json).unwrap();
            let randomness = chain.verify(&round).unwrap().to_string();
            assert_eq!(Some(randomness), round.randomness);
        }
        let quicknet_123 = "\
            b75c69d0b72a5d906e854e808ba7e2accb1542ac355ae486d591aa9d43765482e26cd02df835d3546d23c4b13e0dfc92";
        assert!(quicknet().verify(&bare(123, quicknet_123, None)).is_ok());
        let quicknet_657413 = "\
            b713718a38ae728dfd477991af2822e08d2f305e47718cef9f7848ce4050e7be41076862b98fad56e91a6b85b89cd97b";
        assert_eq!(
            quicknet()
                .verify(&bare(657_413, quicknet_657413, None))
                .unwrap()
                .to_string(),
            "fc1873a13f3545aeade8401532ef5519920652eee6b0d2b19ca12643b87b3587"
        );
        let (signature, previous) = DEFAULT_72785;
        assert!(default().verify(&bare(72_785, signature, Some(previous))).is_ok());
        let signature = "\
            a696b9409ababce45749c3a4ec369074453dd4a79967734e1390d969c8ad8d98897d217b9121e92c8ddebbddda8d92f9\
            00e3bd6bf9deb166863b1a19390d743f82774001487594c5c09e581db7365f02b70a2c8cc41ce32446ef08e4890c4754";
        let previous = "\
            8ed588f2a7716fb1349e2d9803da5db0005e98a83783c353d4a08f183236a9ad91d70ddb01266f4b7c576983db464b43\
            0e65680b9e0098552758afd6c1e6afcb77e3f62fe1b93d42d1cb63abbb2205512fe12fbf74ea9c5ac3b8f5c1e283a1d8";
        assert_eq!(
            default()
                .verify(&bare(3_311_596, signature, Some(previous)))
                .unwrap()
                .to_string(),
            "647c07b2abbf7ff2afb4d670214f565e5cd9f9c91bfdcecb59a21f3c78d73920"
        );
    }

    #[test]
    fn other_rounds_keys_and_chains_are_refused() {
        let code = |chain: &Chain, change: &dyn Fn(&mut Round), json: &str| {
            let mut round = Round::from_json(json).unwrap();
            change(&mut round);
            let error = chain.verify(&round).unwrap_err();
            (error.code(), error.field())
        };
        let wrong = ("SIGNATURE_WRONG", "signature");
        assert_eq!(
            code(quicknet(), &|round| round.round = 1001, QUICKNET_1000),
            wrong
        );
        // the signature of another round of the same chain
        let other = |round: &mut Round| round.signature = DEFAULT_72785.0.to_owned();
        assert_eq!(code(default(), &other, DEFAULT_1), wrong);
        // round 1 signs the genesis seed and nothing else
        let previous = |round: &mut Round| round.previous_signature = Some(DEFAULT_72785.1.to_owned());
        assert_eq!(code(default(), &previous, DEFAULT_1), wrong);
        let none = |round: &mut Round| round.previous_signature = None;
        assert_eq!(
            code(default(), &none, DEFAULT_1),
            ("REQUIRED", "previousSignature")
        );
        let another = ("ROUND_OF_ANOTHER_CHAIN", "source");
        assert_eq!(code(default(), &|_| {}, QUICKNET_1000), another);
        assert_eq!(code(quicknet(), &|_| {}, DEFAULT_1), another);
        let named = |round: &mut Round| round.chain_hash = Some(default().hash.to_owned());
        assert_eq!(code(quicknet(), &named, QUICKNET_1000), another);
        let randomness = |round: &mut Round| round.randomness = Some("00".repeat(32));
        assert_eq!(
            code(quicknet(), &randomness, QUICKNET_1000),
            ("RANDOMNESS_DIFFERS", "randomness")
        );
        let short = |round: &mut Round| round.signature.truncate(94);
        assert_eq!(code(quicknet(), &short, QUICKNET_1000), wrong);
        let text = |round: &mut Round| round.signature = "z".repeat(96);
        assert_eq!(
            code(quicknet(), &text, QUICKNET_1000),
            ("INVALID_VALUE", "signature")
        );
        // the point at infinity on G1, which fits every message if it is let in
        let infinity = |round: &mut Round| round.signature = format!("c0{}", "00".repeat(47));
        assert_eq!(code(quicknet(), &infinity, QUICKNET_1000), wrong);
        assert_eq!(
            code(quicknet(), &|round| round.round = 0, QUICKNET_1000),
            ("INVALID_VALUE", "round")
        );
        assert_eq!(Round::from_json("{}").unwrap_err().field(), "source");
    }

    #[test]
    fn the_hash_of_a_chain_binds_its_key_and_times() {
        for chain in CHAINS {
            let mut hash = Sha256::new()
                .chain_update(chain.period.to_be_bytes())
                .chain_update(chain.genesis_time.to_be_bytes())
                .chain_update(hex::decode(chain.public_key).unwrap())
                .chain_update(hex::decode(chain.genesis_seed).unwrap());
            if chain.name != "default" {
                hash.update(chain.name);
            }
            assert_eq!(hex::encode(hash.finalize()), chain.hash, "{}", chain.name);
        }
    }

    #[test]
    fn rounds_have_their_time() {
        assert_eq!(quicknet().round_time(1), Ok(1_692_803_367));
        assert_eq!(quicknet().round_time(1000), Ok(1_692_806_364));
        assert_eq!(
            quicknet().round_time(u64::MAX).unwrap_err().code(),
            "INVALID_VALUE"
        );
        for time in [i64::MIN, 0, 1_692_803_366] {
            assert_eq!(quicknet().first_round_after(time), 1);
        }
        assert_eq!(quicknet().first_round_after(1_692_803_367), 2);
        for time in 1_692_806_360..1_692_806_370 {
            let round = quicknet().first_round_after(time);
            assert!(quicknet().round_time(round).unwrap() > time);
            assert!(quicknet().round_time(round - 1).unwrap() <= time);
        }
    }
}
