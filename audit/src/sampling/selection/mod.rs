//! Which items a sample holds, given a public seed: tickets for simple random samples, a fixed interval for monetary
//! unit samples.
//!
//! Both selectors take the items one by one and keep the sample only, never the population. Both are functions of
//! seed, items and size alone and can be recomputed in any language from the descriptions at [`SimpleRandom`] and
//! [`FixedInterval`]; `tests/oracles/tickets.py` and `tests/oracles/intervals.py` do so in Python.

use std::{collections::BTreeSet, fmt::Display};

use sha2::{Digest, Sha256};

/// Algorithm and version of [`SimpleRandom`].
pub const TICKETS: &str = "tickets-1";
/// Algorithm and version of [`FixedInterval`].
pub const FIXED_INTERVAL: &str = "fixed-interval-1";
/// Longest seed, in characters.
pub const LONGEST_SEED: usize = 200;

/// Why a selection is impossible.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    /// The seed is empty.
    #[error("the seed is empty")]
    SeedEmpty,
    /// The seed has more than [`LONGEST_SEED`] characters.
    #[error("the seed has {0} characters, more than {LONGEST_SEED}")]
    SeedTooLong(usize),
    /// The sample would have no items.
    #[error("a sample has at least one item")]
    SizeZero,
    /// The total is zero or negative.
    #[error("the total of {0} cents is not positive")]
    TotalNotPositive(i64),
    /// There are fewer cents than hits: an interval below one cent.
    #[error("{size} hits do not fit into {total_cents} cents")]
    SizeAboveTotal {
        /// Hits asked for.
        size: u64,
        /// Total of the population.
        total_cents: i64,
    },
    /// A zero or negative amount was offered: it has no chance in a monetary unit sample.
    #[error("item {id} has {cents} cents: only positive amounts can be hit")]
    AmountNotPositive {
        /// The item.
        id: String,
        /// Its amount.
        cents: i64,
    },
    /// The offered amounts do not add up to the total given at the start.
    #[error("the items add up to {offered_cents} cents, not to {total_cents}")]
    TotalDiffers {
        /// Total given at the start.
        total_cents: i64,
        /// Sum of the offered amounts, up to the first one that exceeded the total.
        offered_cents: i128,
    },
}

impl SelectionError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::SeedEmpty => "SEED_EMPTY",
            Self::SeedTooLong(_) => "SEED_TOO_LONG",
            Self::SizeZero => "SAMPLE_SIZE_ZERO",
            Self::TotalNotPositive(_) => "BOOK_VALUE_NOT_POSITIVE",
            Self::SizeAboveTotal { .. } => "SAMPLE_LARGER_THAN_POPULATION",
            Self::AmountNotPositive { .. } => "AMOUNT_NOT_POSITIVE",
            Self::TotalDiffers { .. } => "TOTAL_DIFFERS",
        }
    }
}

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

/// A selected item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selected {
    /// Place in the sample, from 1: ticket order for tickets, order of the offers for the fixed interval.
    pub order: u64,
    /// Id of the item, as offered.
    pub id: String,
    /// How often the item was hit; each hit is a sampling unit. Always 1 for tickets.
    pub hits: u64,
    /// Ticket number `0.ddd…`, all digits; none for the fixed interval.
    pub ticket: Option<String>,
}

/// Digits compared before a ticket number is built in full.
const PREFIX_DIGITS: u32 = 4;
/// `10^PREFIX_DIGITS`.
const PREFIX_RANGE: u64 = 10u64.pow(PREFIX_DIGITS);
/// `2^64` modulo `PREFIX_RANGE`.
const LIMB_STEP: u64 = 1_616;
/// Decimal digits taken off at a time.
const CHUNK: u64 = 10u64.pow(19);
/// Fewest digits of a ticket number.
const FEWEST_DIGITS: usize = 64;

/// Simple random sample without replacement by ticket numbers (R. Rivest, consistent sampling), streaming.
///
/// The ticket number of an item is computed as follows; the items with the `n` smallest numbers are the sample.
///
/// 1. `s` = SHA-256 of the seed (UTF-8) as 64 lower-case hexadecimal digits.
/// 2. `h` = SHA-256 of `s` followed by the id (UTF-8), read as one big-endian whole number.
/// 3. `h` in decimal, filled up with leading zeros to 64 digits at least, written backwards behind `0.`.
///
/// Ticket numbers are compared as text, byte by byte; this is Python's order of strings and the order of the `PyPI`
/// package `consistent_sampler` 1.0.10 (first generation, without replacement), whose result this equals.
///
/// The sample does not depend on the order of the offers; a smaller sample is the beginning of a larger one; the
/// sample of a part of the population is that part's items in ticket order. Offering an id twice is offering it once.
///
/// Memory: the sample. Time: one hash per item, and the full number for those that may enter.
#[derive(Debug, Clone)]
pub struct SimpleRandom {
    /// State of the hash after the constant first block of 64 bytes.
    midstate: Sha256,
    size: usize,
    /// Ticket number and id; the greatest is the one to leave.
    kept: BTreeSet<(String, String)>,
    /// First digits of the greatest kept ticket number, once the sample is full.
    threshold: u64,
}

impl SimpleRandom {
    /// A selector of `size` items (all of them where fewer are offered).
    pub fn new(seed: &Seed, size: u64) -> Result<Self, SelectionError> {
        if size == 0 {
            return Err(SelectionError::SizeZero);
        }
        let midstate = Sha256::new_with_prefix(hex::encode(Sha256::digest(seed.as_str())));
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        Ok(Self {
            midstate,
            size,
            kept: BTreeSet::new(),
            threshold: PREFIX_RANGE,
        })
    }

    /// Offers an item.
    pub fn offer(&mut self, id: &str) {
        let mut hash = self.midstate.clone();
        hash.update(id);
        let limbs = limbs(&hash.finalize());
        if first_digits(limbs) > self.threshold {
            return;
        }
        self.consider(ticket_number(limbs), id);
    }

    fn consider(&mut self, ticket: String, id: &str) {
        let full = self.kept.len() >= self.size;
        if full
            && self
                .kept
                .last()
                .is_some_and(|(last, last_id)| (last.as_str(), last_id.as_str()) < (&ticket, id))
        {
            return;
        }
        self.kept.insert((ticket, id.to_owned()));
        if self.kept.len() > self.size {
            self.kept.pop_last();
        }
        if self.kept.len() == self.size
            && let Some((last, _)) = self.kept.last()
        {
            self.threshold = last
                .bytes()
                .skip(2)
                .take(4)
                .fold(0, |value, digit| value * 10 + u64::from(digit - b'0'));
        }
    }

    /// The sample in ticket order.
    pub fn finish(self) -> Vec<Selected> {
        let numbered = (1..).zip(self.kept);
        numbered
            .map(|(order, (ticket, id))| Selected {
                order,
                id,
                hits: 1,
                ticket: Some(ticket),
            })
            .collect()
    }
}

/// A digest as four 64-bit numbers, the most significant first.
fn limbs(digest: &[u8]) -> [u64; 4] {
    let mut limbs = [0; 4];
    for (limb, bytes) in limbs.iter_mut().zip(digest.chunks_exact(8)) {
        *limb = bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
    }
    limbs
}

/// The first digits of a ticket number: the last decimal digits of the digest, backwards.
fn first_digits(limbs: [u64; 4]) -> u64 {
    let low = limbs.iter().fold(0, |rest, limb| {
        (rest * LIMB_STEP + limb % PREFIX_RANGE) % PREFIX_RANGE
    });
    low % 10 * 1000 + low / 10 % 10 * 100 + low / 100 % 10 * 10 + low / 1000
}

/// The full ticket number of a digest.
fn ticket_number(mut limbs: [u64; 4]) -> String {
    let mut number = String::with_capacity(80);
    number.push_str("0.");
    while limbs != [0; 4] {
        let mut rest = 0u64;
        for limb in &mut limbs {
            let value = u128::from(rest) << 64 | u128::from(*limb);
            *limb = u64::try_from(value / u128::from(CHUNK)).unwrap_or(u64::MAX);
            rest = u64::try_from(value % u128::from(CHUNK)).unwrap_or(u64::MAX);
        }
        let last = limbs == [0; 4];
        for _ in 0..19 {
            if last && rest == 0 {
                break;
            }
            number.push(char::from(b'0' + u8::try_from(rest % 10).unwrap_or(0)));
            rest /= 10;
        }
    }
    while number.len() < FEWEST_DIGITS + 2 {
        number.push('0');
    }
    number
}

/// The ticket number of one item, for proof and display.
pub fn ticket(seed: &Seed, id: &str) -> String {
    let mut hash = Sha256::new_with_prefix(hex::encode(Sha256::digest(seed.as_str())));
    hash.update(id);
    ticket_number(limbs(&hash.finalize()))
}

/// Monetary unit sample by a fixed interval, streaming and in whole numbers.
///
/// The interval is `total / n`, not rounded: positions are counted in `1/n` cents. With the random start `r`, a whole
/// number in `0..total`, hit `i` (from 0 to `n - 1`) lies at `r + i * total`. An item covers the positions from `n`
/// times the sum before it up to, not including, `n` times the sum with it: a hit belongs to the first item whose
/// cumulative sum times `n` is strictly greater than the hit. Each item is therefore hit with a probability in exact
/// proportion to its amount, and an item of `k` intervals is hit `floor(k)` or `ceil(k)` times.
///
/// The items are offered in canonical order (bytewise by id), each with a positive amount.
///
/// The random start comes from a counter stream. For `c` = 0, 1, 2, … the block is SHA-256 of: length of the seed in
/// bytes (4 bytes, big-endian), seed (UTF-8), length of the context in bytes (4 bytes, big-endian), context (UTF-8),
/// `c` (8 bytes, big-endian). The first 8 bytes of the block, big-endian, are `v`. If `v` is below the greatest
/// multiple of `total` that does not exceed 2^64, then `r = v mod total`; otherwise the next block is taken.
///
/// The context separates draws that share a seed, for instance the strata of one sample.
#[derive(Debug, Clone)]
pub struct FixedInterval {
    size: u128,
    total: u128,
    total_cents: i64,
    /// Sum of the offered cents.
    offered: u128,
    /// Position of the next hit, in `1/n` cents.
    next: u128,
    selected: Vec<Selected>,
}

impl FixedInterval {
    /// A selector of `size` hits in a population of `total_cents`.
    pub fn new(seed: &Seed, context: &str, total_cents: i64, size: u64) -> Result<Self, SelectionError> {
        if size == 0 {
            return Err(SelectionError::SizeZero);
        }
        let total = u64::try_from(total_cents).ok().filter(|total| *total > 0);
        let total = total.ok_or(SelectionError::TotalNotPositive(total_cents))?;
        if size > total {
            return Err(SelectionError::SizeAboveTotal { size, total_cents });
        }
        Ok(Self {
            size: size.into(),
            total: total.into(),
            total_cents,
            offered: 0,
            next: random_start(seed, context, total).into(),
            selected: Vec::new(),
        })
    }

    /// Offers the next item in canonical order. `id` is turned into text only if the item is hit.
    pub fn offer(&mut self, id: impl Display, cents: i64) -> Result<(), SelectionError> {
        let Some(amount) = u64::try_from(cents).ok().filter(|amount| *amount > 0) else {
            return Err(SelectionError::AmountNotPositive {
                id: id.to_string(),
                cents,
            });
        };
        self.offered += u128::from(amount);
        if self.offered > self.total {
            return Err(self.total_differs());
        }
        let end = self.offered * self.size;
        if end > self.next {
            let hits = (end - self.next).div_ceil(self.total);
            self.next += hits * self.total;
            let order = u64::try_from(self.selected.len() + 1).unwrap_or(u64::MAX);
            let hits = u64::try_from(hits).unwrap_or(u64::MAX);
            self.selected.push(Selected {
                order,
                id: id.to_string(),
                hits,
                ticket: None,
            });
        }
        Ok(())
    }

    /// The items hit, in the order of the offers; refused if the amounts do not add up to the total.
    pub fn finish(self) -> Result<Vec<Selected>, SelectionError> {
        if self.offered == self.total {
            Ok(self.selected)
        } else {
            Err(self.total_differs())
        }
    }

    fn total_differs(&self) -> SelectionError {
        let offered_cents = i128::try_from(self.offered).unwrap_or(i128::MAX);
        SelectionError::TotalDiffers {
            total_cents: self.total_cents,
            offered_cents,
        }
    }
}

/// A uniform whole number in `0..total`; see [`FixedInterval`] for the bytes.
fn random_start(seed: &Seed, context: &str, total: u64) -> u64 {
    let length = |text: &str| u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes();
    // 2^64 mod total: values from there upwards would favour small results
    let surplus = (u64::MAX % total + 1) % total;
    let mut counter = 0u64;
    loop {
        let block = Sha256::new()
            .chain_update(length(seed.as_str()))
            .chain_update(seed.as_str())
            .chain_update(length(context))
            .chain_update(context)
            .chain_update(counter.to_be_bytes())
            .finalize();
        let value = limbs(&block)[0];
        if value <= u64::MAX - surplus {
            return value % total;
        }
        counter += 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seed(text: &str) -> Seed {
        Seed::new(text).unwrap()
    }

    fn draw<'a>(seed: &Seed, size: u64, ids: impl IntoIterator<Item = &'a String>) -> Vec<Selected> {
        let mut selector = SimpleRandom::new(seed, size).unwrap();
        ids.into_iter().for_each(|id| selector.offer(id));
        selector.finish()
    }

    #[test]
    fn seeds_have_one_to_two_hundred_characters() {
        assert_eq!(Seed::new("").unwrap_err().code(), "SEED_EMPTY");
        assert_eq!(
            Seed::new("ä".repeat(201)).unwrap_err(),
            SelectionError::SeedTooLong(201)
        );
        assert_eq!(seed(&"ä".repeat(200)).as_str().len(), 400);
    }

    #[test]
    fn ticket_numbers_equal_the_published_ones() {
        // documentation of consistent_sampler 1.0.10
        assert_eq!(
            ticket(&seed("01382438112797316654"), "AB-130"),
            "0.26299714122838008416507544297546663599715395525154425586041245287750224561854"
        );
        let cats = "0.24866413894129579898796850445568128508290132707747976039848637531569373309555";
        assert_eq!(ticket(&seed("xy()134!g2n"), "cat"), cats);
        // SHA-256 of "abc" as a number, backwards
        assert_eq!(
            ticket_number(limbs(&Sha256::digest("abc"))),
            "0.56998071861792858926477341561059638840106636224182943832566300809078486324348"
        );
    }

    #[test]
    fn the_published_shuffle_comes_out() {
        let ids = ["A-1", "A-2", "A-3", "B-1", "B-2", "B-3"].map(str::to_owned);
        let drawn = draw(&seed("314159"), 6, &ids);
        let order: Vec<&str> = drawn.iter().map(|item| item.id.as_str()).collect();
        assert_eq!(order, ["B-2", "B-3", "A-3", "A-2", "B-1", "A-1"]);
        assert_eq!(drawn[0].order, 1);
        assert!(drawn[0].ticket.as_ref().unwrap().starts_with("0.410310858"));
        assert_eq!(draw(&seed("314159"), 3, &ids), drawn[..3]);
    }

    #[test]
    fn short_numbers_are_filled_up() {
        assert_eq!(ticket_number([0, 0, 0, 120]), format!("0.021{}", "0".repeat(61)));
        assert_eq!(ticket_number([0; 4]), format!("0.{}", "0".repeat(64)));
        let chunk_with_zeros = ticket_number([0, 0, 1, 0]);
        assert!(
            chunk_with_zeros.starts_with("0.61615590737044764481"),
            "{chunk_with_zeros}"
        );
    }

    #[test]
    fn the_random_start_equals_the_one_computed_in_python() {
        // tests/oracles/intervals.py
        assert_eq!(
            random_start(&seed("01382438112797316654"), "stratum 1", 123_456_789),
            97_190_979
        );
        assert_eq!(random_start(&seed("ä"), "", 1), 0);
        // a total above 2^63 minus something: about half of all values are rejected, here the first three
        assert_eq!(
            random_start(&seed("reject"), "x", (1 << 63) + 1),
            1_796_946_501_888_769_206
        );
    }

    #[test]
    fn wrong_totals_and_amounts_are_refused() {
        let new = |total, size| FixedInterval::new(&seed("s"), "c", total, size);
        assert_eq!(new(0, 1).unwrap_err(), SelectionError::TotalNotPositive(0));
        assert_eq!(new(5, 0).unwrap_err(), SelectionError::SizeZero);
        assert_eq!(new(5, 6).unwrap_err().code(), "SAMPLE_LARGER_THAN_POPULATION");
        let mut selector = new(100, 2).unwrap();
        assert_eq!(selector.offer("a", 0).unwrap_err().code(), "AMOUNT_NOT_POSITIVE");
        assert_eq!(selector.offer("a", -5).unwrap_err().code(), "AMOUNT_NOT_POSITIVE");
        selector.offer("a", 60).unwrap();
        let short = SelectionError::TotalDiffers {
            total_cents: 100,
            offered_cents: 60,
        };
        assert_eq!(selector.clone().finish().unwrap_err(), short);
        assert_eq!(selector.offer("b", 41).unwrap_err().code(), "TOTAL_DIFFERS");
    }

    #[test]
    fn the_largest_total_does_not_overflow() {
        let mut selector = FixedInterval::new(&seed("s"), "c", i64::MAX, 1_000_000_000).unwrap();
        selector.offer("all", i64::MAX).unwrap();
        assert_eq!(selector.finish().unwrap()[0].hits, 1_000_000_000);
    }

    #[test]
    fn every_start_serves_every_cent_alike() {
        // all starts of a population of 12 cents and 5 hits: the hits of an item add up to its share exactly
        let amounts = [3i64, 1, 6, 2];
        let mut hits = [0u64; 4];
        for start in 0..12u128 {
            let mut selector = FixedInterval::new(&seed("s"), "c", 12, 5).unwrap();
            selector.next = start;
            for (index, cents) in amounts.iter().enumerate() {
                selector.offer(index, *cents).unwrap();
            }
            for item in selector.finish().unwrap() {
                hits[item.id.parse::<usize>().unwrap()] += item.hits;
            }
        }
        assert_eq!(hits, [15, 5, 30, 10]);
    }

    #[test]
    #[ignore = "a measurement: cargo test --release -p audit sampling -- --ignored --nocapture"]
    fn speed_of_tickets() {
        let ids: Vec<String> = (0..1_000_000u128)
            .map(|n| uuid::Uuid::from_u128((n << 64) | (n * n)).to_string())
            .collect();
        for size in [500, 50_000] {
            let started = std::time::Instant::now();
            let drawn = draw(&seed("01382438112797316654"), size, &ids);
            println!(
                "{size}: {:.0} ns/item, {}",
                started.elapsed().as_secs_f64() * 1e3,
                drawn[0].id
            );
        }
    }

    fn ids() -> impl Strategy<Value = Vec<String>> {
        prop::collection::btree_set("[a-zäß0-9-]{1,80}", 1..120).prop_map(|set| set.into_iter().collect())
    }

    proptest! {
        #[test]
        fn tickets_do_not_depend_on_order_or_repetition(ids in ids().prop_shuffle(), size in 1u64..60) {
            let seed = seed("s");
            let mut selector = SimpleRandom::new(&seed, size).unwrap();
            ids.iter().chain(ids.iter().take(9)).for_each(|id| selector.offer(id));
            let mut all: Vec<(String, String)> = ids.iter().map(|id| (ticket(&seed, id), id.clone())).collect();
            all.sort();
            let drawn: Vec<(String, String)> =
                selector.finish().into_iter().map(|item| (item.ticket.unwrap(), item.id)).collect();
            prop_assert_eq!(drawn, all.into_iter().take(usize::try_from(size).unwrap()).collect::<Vec<_>>());
        }

        #[test]
        fn a_smaller_sample_begins_a_larger_one(ids in ids(), size in 1u64..60, more in 0u64..60) {
            let (small, large) = (draw(&seed("s"), size, &ids), draw(&seed("s"), size + more, &ids));
            prop_assert_eq!(&small[..], &large[..small.len()]);
        }

        #[test]
        fn parts_agree_with_the_whole(ids in ids(), cut in 0usize..120) {
            let (left, right) = ids.split_at(cut.min(ids.len()));
            let order = |ids: &[String]| -> Vec<(Option<String>, String)> {
                draw(&seed("s"), 1000, ids).into_iter().map(|item| (item.ticket, item.id)).collect()
            };
            let whole = order(&ids);
            let of_left: Vec<_> = whole.iter().filter(|(_, id)| left.contains(id)).cloned().collect();
            prop_assert_eq!(of_left, order(left));
            let mut merged = [order(left), order(right)].concat();
            merged.sort();
            prop_assert_eq!(merged, whole);
        }

        #[test]
        fn hits_are_floor_or_ceil_of_the_intervals(
            amounts in prop::collection::vec(1i64..100_000, 1..80), size in 1u64..200, text in "[a-z]{1,9}",
        ) {
            let total: i64 = amounts.iter().sum();
            prop_assume!(size <= total.unsigned_abs());
            let mut selector = FixedInterval::new(&seed(&text), "c", total, size).unwrap();
            for (index, cents) in amounts.iter().enumerate() {
                selector.offer(index, *cents).unwrap();
            }
            let drawn = selector.finish().unwrap();
            prop_assert_eq!(drawn.iter().map(|item| item.hits).sum::<u64>(), size);
            let mut hits = vec![0; amounts.len()];
            for item in drawn {
                hits[item.id.parse::<usize>().unwrap()] = item.hits;
            }
            for (amount, hits) in amounts.iter().zip(hits) {
                let parts = amount.unsigned_abs() * size;
                let total = total.unsigned_abs();
                prop_assert!(hits == parts / total || hits == parts.div_ceil(total));
            }
        }
    }
}
