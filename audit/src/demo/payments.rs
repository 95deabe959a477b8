//! Payment lines in the order of booking: month by month the run, then what happens beside it.

use std::io;

use super::household::Household;
use super::{DATTELN, Demo, Dice, Entry, FACHBEREICH, LAST_DAY, RECKLINGHAUSEN, Sink, YEAR};

/// Month of the run that Datteln booked twice.
pub(super) const DOUBLE_RUN: u32 = 9;
const LIVING: &str = "312.1 Bürgergeld";
const RENT: &str = "312.2 Unterkunft und Heizung";
const INTEGRATION: &str = "312.3 Eingliederung";
const SINGLE_SIGNATURE: &str = "bis 5.000 EUR";

pub(super) fn each(demo: &Demo, sink: Sink<'_>) -> io::Result<()> {
    for month in 1..=12 {
        let active = || {
            demo.households
                .iter()
                .filter(move |household| household.pays_in(month))
        };
        for household in active() {
            run(household, month, payday(month), sink)?;
        }
        if month == DOUBLE_RUN {
            // The same lines once more, a day later and under other document numbers.
            for household in active().filter(|household| household.place == DATTELN) {
                run(household, month, (YEAR, month, 1), sink)?;
            }
        }
        for household in active() {
            back_payments(household, month, sink)?;
            reversal(household, month, sink)?;
            order(demo, household, month, sink)?;
        }
        below_the_limit(demo, month, sink)?;
        measures(demo, month, sink)?;
    }
    Ok(())
}

/// Benefits are paid in advance (§ 42 SGB II): on the last day of the month before.
fn payday(month: u32) -> (i32, u32, u32) {
    match month
        .checked_sub(2)
        .and_then(|before| LAST_DAY.get(before as usize))
    {
        Some(day) => (YEAR, month - 1, *day),
        None => (YEAR - 1, 12, 31),
    }
}

fn line(household: &Household, month: u32, date: (i32, u32, u32), funds: [i64; 4]) -> Entry {
    Entry {
        case: Some(household.case),
        place: household.place,
        benefit: "Regelbedarf",
        month,
        date,
        funds,
        product: LIVING,
        kind: "Auszahlung",
        note: SINGLE_SIGNATURE,
        own_staff: household.own_staff,
    }
}

fn rent(household: &Household, month: u32, date: (i32, u32, u32)) -> Entry {
    Entry {
        benefit: "Unterkunft",
        product: RENT,
        ..line(household, month, date, [0, household.rent, 0, 0])
    }
}

fn run(household: &Household, month: u32, date: (i32, u32, u32), sink: Sink<'_>) -> io::Result<()> {
    let living = household.living;
    if living + household.rent == 0 {
        // Income covers the whole need in this month; the case stays open.
        return sink(Entry {
            kind: "Nullzahlung",
            ..line(household, month, date, [0; 4])
        });
    }
    if household.combined && living > 0 && household.rent > 0 {
        sink(Entry {
            benefit: "Bürgergeld gesamt",
            ..line(household, month, date, [living, household.rent, 0, 0])
        })?;
    } else {
        if living > 0 {
            sink(line(household, month, date, [living, 0, 0, 0]))?;
        }
        if household.rent > 0 {
            sink(rent(household, month, date))?;
        }
    }
    if household.single_parent > 0 {
        sink(Entry {
            benefit: "Mehrbedarf",
            ..line(household, month, date, [household.single_parent, 0, 0, 0])
        })?;
    }
    Ok(())
}

/// Three earlier months are corrected by one decision.
fn back_payments(household: &Household, month: u32, sink: Sink<'_>) -> io::Result<()> {
    if !household.one_in(53, month * 5) {
        return Ok(());
    }
    for earlier in (household.first.max(month.saturating_sub(3))..month).filter(|_| household.living > 0) {
        let more = [household.living / 10, household.rent / 20, 0, 0];
        sink(Entry {
            benefit: "Bürgergeld gesamt",
            kind: "Nachzahlung",
            ..line(household, earlier, (YEAR, month, 14), more)
        })?;
    }
    Ok(())
}

/// The whole line of the month is taken back.
fn reversal(household: &Household, month: u32, sink: Sink<'_>) -> io::Result<()> {
    let date = (YEAR, month, 9);
    if household.one_in(41, month * 3) && household.living > 0 && !household.combined {
        sink(Entry {
            kind: "Storno",
            ..line(household, month, date, [-household.living, 0, 0, 0])
        })?;
    }
    if household.one_in(83, month * 7) && household.rent > 0 && !household.combined {
        let paid = rent(household, month, date);
        sink(Entry {
            kind: "Storno",
            funds: paid.funds.map(|share| -share),
            ..paid
        })?;
    }
    Ok(())
}

/// Single benefits: integration (Bund), first furnishing and participation of children (Kommune).
fn order(demo: &Demo, household: &Household, month: u32, sink: Sink<'_>) -> io::Result<()> {
    let mut dice = Dice::new(demo.seed, month, household.index);
    let date = (YEAR, month, dice.between(2, 27));
    match dice.below(1000) {
        0..12 => {
            let price = dice.cents(40_000, 1_200_000);
            let note = if price > 500_000 {
                "über 5.000 EUR, zwei Personen"
            } else {
                SINGLE_SIGNATURE
            };
            let entry = line(household, month, date, [price, 0, 0, 0]);
            sink(Entry {
                benefit: "Maßnahme",
                product: INTEGRATION,
                kind: "Auftrag",
                note,
                ..entry
            })
        }
        12..22 => {
            let price = dice.cents(8_000, 140_000);
            let entry = line(household, month, date, [0, price, 0, 0]);
            sink(Entry {
                benefit: "Erstausstattung",
                product: "312.4 Einmalige Leistungen",
                kind: "Einzelzahlung",
                ..entry
            })
        }
        22..40 => {
            let price = dice.cents(1_500, 13_000);
            let entry = line(household, month, date, [0, price, 0, 0]);
            sink(Entry {
                benefit: "Bildung und Teilhabe",
                product: "312.6 Bildung und Teilhabe",
                kind: "Einzelzahlung",
                ..entry
            })
        }
        _ => Ok(()),
    }
}

/// One case manager of Recklinghausen orders again and again what a single person may just still sign.
fn below_the_limit(demo: &Demo, month: u32, sink: Sink<'_>) -> io::Result<()> {
    let mut dice = Dice::new(demo.seed, month, u32::MAX);
    let buyers = demo
        .households
        .iter()
        .filter(|household| household.place == RECKLINGHAUSEN);
    let wanted = 1 + demo.households.len() / 1_500;
    for household in buyers
        .skip(month as usize % 3)
        .take(wanted)
        .filter(|_| (3..=10).contains(&month))
    {
        let date = (YEAR, month, dice.between(2, 27));
        let entry = line(household, month, date, [dice.cents(499_000, 499_999), 0, 0, 0]);
        sink(Entry {
            benefit: "Maßnahme",
            product: INTEGRATION,
            kind: "Auftrag",
            ..entry
        })?;
    }
    Ok(())
}

/// The Fachbereich pays providers of measures that Bund, Land and EU bear together; no case stands behind them.
fn measures(demo: &Demo, month: u32, sink: Sink<'_>) -> io::Result<()> {
    let mut dice = Dice::new(demo.seed, month, u32::MAX - 1);
    for _ in 0..=demo.households.len() / 500 {
        let price = dice.cents(250_000, 4_500_000);
        let (eu, land) = (price * 40 / 100, price / 10);
        sink(Entry {
            case: None,
            place: FACHBEREICH,
            benefit: "Maßnahme",
            month,
            date: (YEAR, month, dice.between(2, 27)),
            funds: [price - eu - land, 0, land, eu],
            product: "312.5 ESF-Projekte",
            kind: "Auftrag",
            note: "Fachbereichsleitung",
            own_staff: false,
        })?;
    }
    Ok(())
}
