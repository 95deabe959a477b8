//! An invented Bedarfsgemeinschaft: its place, its months of benefit, its claims.

use super::{Dice, PLACES};

/// Standard needs of 2025 in cents (Regelbedarfsstufen 1, 2, 4, 5, 6; § 20, § 23 SGB II).
const SINGLE: i64 = 56_300;
const PARTNER: i64 = 50_600;
const CHILDREN: [i64; 3] = [47_100, 39_000, 35_700];
/// Additional need of a single parent with one child (§ 21 (3) SGB II): 36 percent of stage 1.
const SINGLE_PARENT: i64 = 20_268;

/// What the files are made of.
#[derive(Debug, Clone)]
pub(super) struct Household {
    pub(super) case: u32,
    pub(super) index: u32,
    pub(super) place: usize,
    /// First and last month of benefit, from 1 to 12.
    pub(super) first: u32,
    pub(super) last: u32,
    /// Standard need after income, in cents.
    pub(super) living: i64,
    /// Accommodation costs after income, in cents.
    pub(super) rent: i64,
    pub(super) single_parent: i64,
    /// Both needs are paid by one line.
    pub(super) combined: bool,
    pub(super) own_staff: bool,
}

impl Household {
    pub(super) fn invent(seed: [u8; 32], index: u32) -> Self {
        let mut dice = Dice::new(seed, 0, index);
        let place = place(&mut dice, index);
        let (first, last) = months(&mut dice, index);
        let couple = dice.chance(300);
        let children = dice.below(10).saturating_sub(6);
        let mut living = if couple { 2 * PARTNER } else { SINGLE };
        for _ in 0..children {
            living += CHILDREN[dice.below(3) as usize];
        }
        let heads = 1 + u32::from(couple) + children;
        let rent = dice.cents(34_000 + heads * 9_000, 46_000 + heads * 13_000);
        let income = match dice.below(100) {
            0..55 => 0,
            55..85 => dice.cents(10_000, 60_000),
            _ => dice.cents(60_000, 150_000),
        };
        Self {
            case: 1_000_000 + index * 7 + dice.below(7),
            index,
            place,
            first,
            last,
            // Income lowers the needs of the Bund first (§ 19 (3) SGB II).
            living: (living - income).max(0),
            rent: (rent - (income - living).max(0)).max(0),
            single_parent: if !couple && children > 0 { SINGLE_PARENT } else { 0 },
            combined: dice.chance(120),
            own_staff: index % 241 == 17,
        }
    }

    pub(super) fn pays_in(&self, month: u32) -> bool {
        (self.first..=self.last).contains(&month)
    }

    /// One of `share` Bedarfsgemeinschaften, another one for each `offset`. Special cases are spread by count and not by
    /// chance, so that small demonstrations have them too.
    pub(super) fn one_in(&self, share: u32, offset: u32) -> bool {
        self.index % share == offset % share
    }
}

/// The first ten stand one in each Bezirksstelle.
fn place(dice: &mut Dice, index: u32) -> usize {
    let mut point = u64::from(dice.below(1000));
    if index < 10 {
        return index as usize;
    }
    PLACES
        .iter()
        .position(|place| {
            let here = point < place.weight;
            point = point.saturating_sub(place.weight);
            here
        })
        .unwrap_or(0)
}

fn months(dice: &mut Dice, index: u32) -> (u32, u32) {
    let (start, end) = (dice.between(1, 12), dice.between(1, 12));
    if index < 10 || dice.chance(700) {
        (1, 12)
    } else {
        (start.min(end), start.max(end))
    }
}
