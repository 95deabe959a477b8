//! Decisions (Bescheide) in the order of the cases: grants, changes, reductions, recoveries, and refusals without money.

use std::io;

use super::household::Household;
use super::{Demo, Dice, Entry, Sink, YEAR};

const PRODUCT: &str = "312.1 Bürgergeld";
const GRANTED: &str = "bewilligt";
const REFUSED: &str = "abgelehnt";
/// Topic of the dice; the payments use the months.
const TOPIC: u32 = 100;

pub(super) fn each(demo: &Demo, sink: Sink<'_>) -> io::Result<()> {
    for household in &demo.households {
        let mut dice = Dice::new(demo.seed, TOPIC, household.index);
        grants(household, &mut dice, sink)?;
        changes(household, &mut dice, sink)?;
        if household.index % 10 == 3 {
            applicant(household, &mut dice, sink)?;
        }
    }
    Ok(())
}

fn decision(household: &Household, month: u32, dice: &mut Dice) -> Entry {
    Entry {
        case: Some(household.case),
        place: household.place,
        benefit: "Bürgergeld gesamt",
        month,
        date: (YEAR, month, dice.between(1, 28)),
        funds: [0; 4],
        product: PRODUCT,
        kind: "Bewilligung",
        note: GRANTED,
        own_staff: household.own_staff,
    }
}

/// Half a year at a time; the amount is that of all months granted.
fn grants(household: &Household, dice: &mut Dice, sink: Sink<'_>) -> io::Result<()> {
    let mut month = household.first;
    while month <= household.last {
        let months = i64::from((household.last - month + 1).min(6));
        let funds = [
            months * (household.living + household.single_parent),
            months * household.rent,
            0,
            0,
        ];
        let kind = if month == household.first {
            "Bewilligung"
        } else {
            "Weiterbewilligung"
        };
        // Income above the need: the application is answered, and nothing is paid.
        let note = if funds == [0; 4] { REFUSED } else { GRANTED };
        sink(Entry {
            funds,
            kind,
            note,
            ..decision(household, month, dice)
        })?;
        month += 6;
    }
    Ok(())
}

fn changes(household: &Household, dice: &mut Dice, sink: Sink<'_>) -> io::Result<()> {
    for month in household.first..=household.last {
        let (living, rent) = (household.living, household.rent);
        let (kind, note, funds) = match dice.below(1000) {
            0..120 => ("Änderung", GRANTED, [living / 12, rent / 12, 0, 0]),
            120..160 => ("Änderung", GRANTED, [-living / 9, -rent / 9, 0, 0]),
            160..172 => ("Minderung", GRANTED, [-living / 10, 0, 0, 0]),
            172..190 => ("Aufhebung und Erstattung", "erstattet", [-living, -rent, 0, 0]),
            190..212 => ("Mehrbedarf", REFUSED, [0; 4]),
            212..230 => (
                "Einmalige Leistung",
                GRANTED,
                [0, dice.cents(5_000, 120_000), 0, 0],
            ),
            _ => continue,
        };
        sink(Entry {
            funds,
            kind,
            note,
            ..decision(household, month, dice)
        })?;
    }
    Ok(())
}

/// Somebody else who applied in vain and therefore stands in no payment.
fn applicant(household: &Household, dice: &mut Dice, sink: Sink<'_>) -> io::Result<()> {
    let month = dice.between(1, 12);
    let case = Some(5_000_000 + household.index);
    sink(Entry {
        case,
        kind: "Ablehnung",
        note: REFUSED,
        own_staff: false,
        ..decision(household, month, dice)
    })
}
