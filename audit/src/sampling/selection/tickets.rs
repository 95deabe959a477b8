//! Simple random samples by tickets.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use super::{Seed, Selected, SelectionError, Selector};

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
/// The ticket number of an item is computed as follows; the items with the `n` smallest numbers are the
/// sample.
///
/// 1. `s` = SHA-256 of the seed (UTF-8) as 64 lower-case hexadecimal digits.
/// 2. `h` = SHA-256 of `s` followed by the id (UTF-8), read as one big-endian whole number.
/// 3. `h` in decimal, filled up with leading zeros to 64 digits at least, written backwards behind `0.`.
///
/// Ticket numbers are compared as text, byte by byte; this is Python's order of strings and the order of the
/// `PyPI` package `consistent_sampler` 1.0.10 (first generation, without replacement), whose result this
/// equals.
///
/// The sample does not depend on the order of the offers; a smaller sample is the beginning of a larger one;
/// the sample of a part of the population is that part's items in ticket order. Offering an id twice is
/// offering it once.
///
/// Memory: the sample. Time: one hash per item, and the full number for those that may enter.
#[derive(Debug, Clone)]
pub struct SimpleRandom {
    tickets: Tickets,
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
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        Ok(Self {
            tickets: Tickets::new(seed),
            size,
            kept: BTreeSet::new(),
            threshold: PREFIX_RANGE,
        })
    }

    /// Offers an item.
    pub fn offer(&mut self, id: &str) {
        let limbs = self.tickets.limbs(id);
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
        let mut rest = last_digits(&mut limbs);
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

/// Takes the last decimal digits, as many as a chunk has, off a digest.
fn last_digits(limbs: &mut [u64; 4]) -> u64 {
    let mut rest = 0u64;
    for limb in limbs {
        let value = u128::from(rest) << 64 | u128::from(*limb);
        *limb = u64::try_from(value / u128::from(CHUNK)).unwrap_or(u64::MAX);
        rest = u64::try_from(value % u128::from(CHUNK)).unwrap_or(u64::MAX);
    }
    rest
}

/// The digits of a chunk backwards.
fn backwards(mut chunk: u64) -> u64 {
    let mut turned = 0;
    for _ in 0..19 {
        turned = turned * 10 + chunk % 10;
        chunk /= 10;
    }
    turned
}

/// The ticket numbers of a seed; see [`SimpleRandom`].
#[derive(Debug, Clone)]
pub struct Tickets {
    /// State of the hash after the constant first block of 64 bytes.
    midstate: Sha256,
}

impl Tickets {
    /// The tickets of this seed.
    pub fn new(seed: &Seed) -> Self {
        Self {
            midstate: Sha256::new_with_prefix(hex::encode(Sha256::digest(seed.as_str()))),
        }
    }

    /// The ticket number of an item.
    pub fn of(&self, id: &str) -> String {
        ticket_number(self.limbs(id))
    }

    /// The first 38 digits of the ticket number of an item: numbers that differ here are in the order of the tickets.
    pub fn leading(&self, id: &str) -> u128 {
        let mut limbs = self.limbs(id);
        let (first, second) = (last_digits(&mut limbs), last_digits(&mut limbs));
        u128::from(backwards(first)) * u128::from(CHUNK) + u128::from(backwards(second))
    }

    fn limbs(&self, id: &str) -> [u64; 4] {
        let mut hash = self.midstate.clone();
        hash.update(id);
        limbs(&hash.finalize())
    }
}

/// The ticket number of one item, for proof and display.
pub fn ticket(seed: &Seed, id: &str) -> String {
    Tickets::new(seed).of(id)
}

impl Selector for SimpleRandom {
    fn offer(&mut self, id: &str, _amount: i64) -> Result<(), SelectionError> {
        Self::offer(self, id);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Vec<Selected>, SelectionError> {
        Ok(Self::finish(*self))
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

    #[test]
    fn leading_digits_are_those_of_the_ticket() {
        let tickets = Tickets::new(&Seed::new("Los").unwrap());
        for number in 0..500 {
            let id = number.to_string();
            let leading = format!("{:038}", tickets.leading(&id));
            assert_eq!(tickets.of(&id)[2..40], leading);
        }
    }

    proptest! {
        #[test]
        fn tickets_do_not_depend_on_order_or_repetition(ids in ids().prop_shuffle(), size in 1u64..60) {
            let seed = seed("s");
            let mut selector = SimpleRandom::new(&seed, size).unwrap();
            ids.iter().chain(ids.iter().take(9)).for_each(|id| selector.offer(id));
            let mut all: Vec<(String, String)> =
                ids.iter().map(|id| (ticket(&seed, id), id.clone())).collect();
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
    }
}
