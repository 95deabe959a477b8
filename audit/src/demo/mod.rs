//! The demonstration Jobcenter: invented Bedarfsgemeinschaften over the ten Bezirksstellen of the Kreis Recklinghausen in the
//! year 2025, the same for the same seed on any machine. It writes files as an export would, so that the demonstration
//! goes through the real import.
//!
//! What real populations have, this one has: reversals, splits over funds, a payment run booked twice (Datteln, September),
//! back payments over several months, cases of own staff, refusals without payment, lines of zero, and orders just below
//! an authority limit (Recklinghausen, 4,990.00 to 4,999.99 under 5,000).

mod decisions;
mod errors;
mod household;
mod payments;

use std::collections::BTreeMap;
use std::io::{self, Write};

use entity::Fund;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore as _, SeedableRng as _};

use crate::population::import::Mapping;
use crate::population::import::amount::{self, Decimals, Rounding};
use crate::population::import::mapping::{AttributeColumn, DateFormat, Delimiter, Encoding, FundColumns};
use crate::population::reconciliation::ALL_LINES;

use household::Household;

pub use errors::{TrueAmount, true_amount};

/// Year of all lines.
pub const YEAR: i32 = 2025;

/// An organisational unit of the demonstration Jobcenter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Number in the files.
    pub number: &'static str,
    /// Name.
    pub name: &'static str,
    /// Share of the Bedarfsgemeinschaften in thousandths.
    pub weight: u64,
}

/// The ten Bezirksstellen, and last the Fachbereich, which has no cases of its own.
pub const PLACES: [Place; 11] = [
    Place {
        number: "01",
        name: "Castrop-Rauxel",
        weight: 125,
    },
    Place {
        number: "02",
        name: "Datteln",
        weight: 55,
    },
    Place {
        number: "03",
        name: "Dorsten",
        weight: 95,
    },
    Place {
        number: "04",
        name: "Gladbeck",
        weight: 150,
    },
    Place {
        number: "05",
        name: "Haltern am See",
        weight: 30,
    },
    Place {
        number: "06",
        name: "Herten",
        weight: 120,
    },
    Place {
        number: "07",
        name: "Marl",
        weight: 150,
    },
    Place {
        number: "08",
        name: "Oer-Erkenschwick",
        weight: 50,
    },
    Place {
        number: "09",
        name: "Recklinghausen",
        weight: 190,
    },
    Place {
        number: "10",
        name: "Waltrop",
        weight: 35,
    },
    Place {
        number: "00",
        name: "Fachbereich",
        weight: 0,
    },
];

const DATTELN: usize = 1;
const MARL: usize = 6;
const RECKLINGHAUSEN: usize = 8;
const FACHBEREICH: usize = 10;

/// How large the demonstration is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Number of Bedarfsgemeinschaften; below sixty some of the special cases are missing.
    pub bedarfsgemeinschaften: u32,
}

impl Size {
    /// About 200,000 payment lines and 40,000 decisions.
    pub const FULL: Self = Self {
        bedarfsgemeinschaften: 9_500,
    };
}

/// Which of the two files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extract {
    /// Payment lines.
    Payments,
    /// Decisions (Bescheide).
    Decisions,
}

/// The one cell in which the control total of the payments differs from the extract, so that there is something to explain: the
/// budget accounts have a cash payment at the counter that the benefits system, from which the extract comes, does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ControlDifference {
    /// Fund of the cell.
    pub fund: Fund,
    /// Number of its Bezirksstelle.
    pub bezirksstelle: &'static str,
    /// Its month, as in the file.
    pub month: &'static str,
    /// Lines that only the control total has.
    pub count: u64,
    /// Their sum in cents.
    pub sum: i64,
    /// The explanation that the demonstration records.
    pub explanation: &'static str,
}

/// See [`ControlDifference`].
pub const CONTROL_DIFFERENCE: ControlDifference = ControlDifference {
    fund: Fund::Bund,
    bezirksstelle: PLACES[MARL].number,
    month: "2025-11",
    count: 1,
    sum: 13_742,
    explanation: "Barauszahlung am Schalter (Vorschuss), im HKR-Verfahren gebucht, nicht im Fachverfahren angeordnet.",
};

/// A line of either file.
struct Entry {
    case: Option<u32>,
    place: usize,
    benefit: &'static str,
    /// Month from 1 to 12 that the line is for.
    month: u32,
    /// Day of booking or decision.
    date: (i32, u32, u32),
    funds: [i64; 4],
    product: &'static str,
    kind: &'static str,
    /// Authority limit (payments) or outcome (decisions).
    note: &'static str,
    own_staff: bool,
}

impl Entry {
    fn amount(&self) -> i64 {
        self.funds.iter().sum()
    }
}

type Sink<'a> = &'a mut dyn FnMut(Entry) -> io::Result<()>;

/// The demonstration Jobcenter of one seed and size.
#[derive(Debug)]
pub struct Demo {
    seed: [u8; 32],
    households: Vec<Household>,
}

impl Demo {
    /// Invents the Bedarfsgemeinschaften.
    pub fn new(seed: [u8; 32], size: Size) -> Self {
        let households = (0..size.bedarfsgemeinschaften)
            .map(|index| Household::invent(seed, index))
            .collect();
        Self { seed, households }
    }

    /// Writes the payments as CSV; the number of lines without the header row.
    pub fn write_payments(&self, writer: impl Write) -> io::Result<u64> {
        self.write(Extract::Payments, writer)
    }

    /// Writes the decisions as CSV; the number of lines without the header row.
    pub fn write_decisions(&self, writer: impl Write) -> io::Result<u64> {
        self.write(Extract::Decisions, writer)
    }

    /// Writes the control total of one file as CSV `fund;bezirksstelle;month;count;sum`, added up from the invented cases and
    /// not from the file. That of the payments has [`CONTROL_DIFFERENCE`] and no cells of all lines, since budget accounts
    /// know no line without money; that of the decisions has them, since the register knows every refusal.
    pub fn write_control_totals(&self, extract: Extract, mut writer: impl Write) -> io::Result<()> {
        let mut cells: BTreeMap<(Option<Fund>, &str, String), (u64, i64)> = BTreeMap::new();
        let mut add = |fund: Option<Fund>, place, month, count, cents| {
            let cell = cells.entry((fund, place, month)).or_default();
            *cell = (cell.0 + count, cell.1 + cents);
        };
        self.entries(extract, &mut |entry| {
            let (place, month) = (PLACES[entry.place].number, format!("{YEAR}-{:02}", entry.month));
            if extract == Extract::Decisions {
                add(None, place, month.clone(), 1, entry.amount());
            }
            for (fund, share) in Fund::ALL.iter().zip(entry.funds).filter(|(_, share)| *share != 0) {
                add(Some(*fund), place, month.clone(), 1, share);
            }
            Ok(())
        })?;
        if extract == Extract::Payments {
            let extra = CONTROL_DIFFERENCE;
            add(
                Some(extra.fund),
                extra.bezirksstelle,
                extra.month.to_owned(),
                extra.count,
                extra.sum,
            );
        }
        writeln!(writer, "fund;bezirksstelle;month;count;sum")?;
        for ((fund, place, month), (count, sum)) in cells {
            writeln!(
                writer,
                "{};{place};{month};{count};{}",
                fund.map_or(ALL_LINES, Fund::as_str),
                german(sum)
            )?;
        }
        writer.flush()
    }

    fn entries(&self, extract: Extract, sink: Sink<'_>) -> io::Result<()> {
        match extract {
            Extract::Payments => payments::each(self, sink),
            Extract::Decisions => decisions::each(self, sink),
        }
    }

    fn write(&self, extract: Extract, mut writer: impl Write) -> io::Result<u64> {
        let (prefix, header) = match extract {
            Extract::Payments => ("Z", PAYMENT_HEADER),
            Extract::Decisions => ("B", DECISION_HEADER),
        };
        writeln!(writer, "{}", header.join(";"))?;
        let mut number = 0_u64;
        self.entries(extract, &mut |entry| {
            number += 1;
            let case = entry.case.map(|case| format!("BG{case:07}")).unwrap_or_default();
            let (year, month, day) = entry.date;
            let [bund, kommune, land, eu] = entry.funds.map(share);
            writeln!(
                writer,
                "{prefix}{YEAR}-{number:07};{case};{};{};{:02}/{YEAR};{day:02}.{month:02}.{year};{};{bund};{kommune};{land};{eu};{};{};{};{}",
                PLACES[entry.place].number,
                entry.benefit,
                entry.month,
                german(entry.amount()),
                entry.product,
                entry.kind,
                entry.note,
                if entry.own_staff { "ja" } else { "nein" },
            )
        })?;
        writer.flush()?;
        Ok(number)
    }
}

const PAYMENT_HEADER: [&str; 15] = [
    "Beleg",
    "BG-Nummer",
    "Bezirksstelle",
    "Leistungsart",
    "Monat",
    "Buchungstag",
    "Betrag",
    "Bund",
    "Kommune",
    "Land",
    "EU",
    "Produkt",
    "Art",
    "Anordnungsbefugnis",
    "Eigenes Personal",
];
const DECISION_HEADER: [&str; 15] = [
    "Bescheid",
    "BG-Nummer",
    "Bezirksstelle",
    "Leistungsart",
    "Monat",
    "Bescheiddatum",
    "Betrag",
    "Bund",
    "Kommune",
    "Land",
    "EU",
    "Produkt",
    "Art",
    "Entscheidung",
    "Eigenes Personal",
];

/// How the payments are to be imported.
pub fn mapping_payments() -> Mapping {
    mapping(PAYMENT_HEADER)
}

/// How the decisions are to be imported.
pub fn mapping_decisions() -> Mapping {
    mapping(DECISION_HEADER)
}

/// Both files have the same order of columns.
fn mapping(header: [&str; 15]) -> Mapping {
    let column = |place: usize| Some(header[place].to_owned());
    let attribute = |place: usize| AttributeColumn {
        name: header[place].to_owned(),
        column: header[place].to_owned(),
    };
    Mapping {
        encoding: Encoding::Utf8,
        delimiter: Delimiter::Semicolon,
        decimals: Decimals::German,
        rounding: Rounding::Refuse,
        date_format: DateFormat::German,
        key: vec![header[0].to_owned()],
        case_number: column(1),
        reference: column(0),
        bezirksstelle: column(2),
        bezirksstelle_constant: None,
        amount: column(6),
        funds: Some(FundColumns {
            bund: column(7),
            kommune: column(8),
            land: column(9),
            eu: column(10),
        }),
        single_fund: None,
        product: column(11),
        period: column(4),
        decision_date: column(5),
        kind: column(12),
        own_staff: column(14),
        attributes: vec![attribute(3), attribute(13)],
    }
}

fn german(cents: i64) -> String {
    amount::format(cents, Decimals::German, true)
}

/// Exports leave the share of a fund that bears nothing empty.
fn share(cents: i64) -> String {
    if cents == 0 { String::new() } else { german(cents) }
}

/// Only the last day of a month depends on the calendar; 2025 has no leap day.
const LAST_DAY: [u32; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// Seeded chance. The reductions are written out here, because those of the `rand` crate may change with its versions.
struct Dice(ChaCha8Rng);

impl Dice {
    /// One independent sequence for each pair of topic and index.
    fn new(seed: [u8; 32], topic: u32, index: u32) -> Self {
        let mut generator = ChaCha8Rng::from_seed(seed);
        generator.set_stream(u64::from(topic) << 32 | u64::from(index));
        Self(generator)
    }

    /// A number below `bound`.
    fn below(&mut self, bound: u32) -> u32 {
        let product = u64::from(self.0.next_u32()) * u64::from(bound);
        u32::try_from(product >> 32).unwrap_or(0)
    }

    fn between(&mut self, low: u32, high: u32) -> u32 {
        low + self.below(high - low + 1)
    }

    fn cents(&mut self, low: u32, high: u32) -> i64 {
        i64::from(self.between(low, high))
    }

    fn chance(&mut self, permille: u32) -> bool {
        self.below(1000) < permille
    }
}

#[cfg(test)]
mod tests;
