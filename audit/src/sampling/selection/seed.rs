//! Seeds, and the uniform numbers that come from them.

use std::num::NonZeroU64;

use sha2::{Digest, Sha256};

use super::SelectionError;

/// Longest seed, in characters.
pub const LONGEST_SEED: usize = 200;

/// The public seed of a draw: 1 to 200 characters, taken as they are (UTF-8, no trimming, no normalisation).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seed(String);

impl Seed {
    /// Takes the text as a seed if its length is right.
    pub fn new(text: impl Into<String>) -> Result<Self, SelectionError> {
        let text = text.into();
        match text.chars().count() {
            0 => Err(SelectionError::SeedEmpty),
            length if length > LONGEST_SEED => Err(SelectionError::SeedTooLong(length)),
            _ => Ok(Self(text)),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Uniform whole numbers from a counter stream.
///
/// For `c` = 0, 1, 2, … block `c` is SHA-256 of: length of the seed in bytes (4 bytes, big-endian), seed
/// (UTF-8), length of the context in bytes (4 bytes, big-endian), context (UTF-8), `c` (8 bytes, big-endian).
/// The first 8 bytes of a block, big-endian, are its value `v`.
///
/// A number below `total` is `v mod total` of the next block whose `v` is below the greatest multiple of
/// `total` that does not exceed 2^64; the blocks before it are passed over. Every number is therefore equally
/// probable.
///
/// The context separates draws that share a seed, for instance the strata of one sample.
#[derive(Debug, Clone)]
pub struct Uniforms {
    prefix: Sha256,
    counter: u64,
}

impl Uniforms {
    /// The stream of a seed and a context, from block 0.
    pub fn new(seed: &Seed, context: &str) -> Self {
        Self {
            prefix: prefix(seed, context),
            counter: 0,
        }
    }

    /// The next whole number in `0..total`.
    pub fn below(&mut self, total: NonZeroU64) -> u64 {
        // 2^64 mod total: values from there upwards would favour small results
        let surplus = (u64::MAX % total + 1) % total;
        loop {
            let block = self.prefix.clone().chain_update(self.counter.to_be_bytes());
            self.counter += 1;
            let value = first(&block.finalize());
            if value <= u64::MAX - surplus {
                return value % total;
            }
        }
    }
}

/// The uniform value of one item: the first 8 bytes, big-endian, of SHA-256 over seed, context and id, each
/// (UTF-8) behind its length in bytes (4 bytes, big-endian).
#[derive(Debug, Clone)]
pub(super) struct ItemValues(Sha256);

impl ItemValues {
    pub(super) fn new(seed: &Seed, context: &str) -> Self {
        Self(prefix(seed, context))
    }

    pub(super) fn of(&self, id: &str) -> u64 {
        let block = self.0.clone().chain_update(length(id)).chain_update(id);
        first(&block.finalize())
    }
}

fn prefix(seed: &Seed, context: &str) -> Sha256 {
    Sha256::new()
        .chain_update(length(seed.as_str()))
        .chain_update(seed.as_str())
        .chain_update(length(context))
        .chain_update(context)
}

fn length(text: &str) -> [u8; 4] {
    u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes()
}

fn first(block: &[u8]) -> u64 {
    block
        .iter()
        .take(8)
        .fold(0, |value, byte| value << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn below(text: &str, context: &str, total: u64) -> u64 {
        Uniforms::new(&Seed::new(text).unwrap(), context).below(NonZeroU64::new(total).unwrap())
    }

    #[test]
    fn seeds_have_one_to_two_hundred_characters() {
        assert_eq!(Seed::new("").unwrap_err().code(), "SEED_EMPTY");
        assert_eq!(
            Seed::new("ä".repeat(201)).unwrap_err(),
            SelectionError::SeedTooLong(201)
        );
        assert_eq!(Seed::new("ä".repeat(200)).unwrap().as_str().len(), 400);
    }

    #[test]
    fn numbers_equal_those_computed_in_python() {
        // tests/oracles/intervals.py
        assert_eq!(
            below("01382438112797316654", "stratum 1", 123_456_789),
            97_190_979
        );
        assert_eq!(below("ä", "", 1), 0);
        // a total above 2^63: about half of all values are passed over, here the first three
        assert_eq!(below("reject", "x", (1 << 63) + 1), 1_796_946_501_888_769_206);
    }

    #[test]
    fn every_number_is_equally_probable() {
        let mut uniforms = Uniforms::new(&Seed::new("s").unwrap(), "c");
        let mut found = [0_u32; 10];
        for _ in 0..100_000 {
            let number = uniforms.below(NonZeroU64::new(10).unwrap());
            found[usize::try_from(number).unwrap()] += 1;
        }
        // chi-squared with 9 degrees of freedom: 27.88 is exceeded by chance once in a thousand
        let squares: f64 = found
            .iter()
            .map(|count| (f64::from(*count) - 10_000.0).powi(2) / 10_000.0)
            .sum();
        assert!(squares < 27.88, "{squares}");
    }
}
