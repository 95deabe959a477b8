use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use entity::item_check::ErrorClass;
use entity::population::Unit;
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::*;
use crate::population::cells_from_csv;
use crate::population::import::{Line, Reader, Step};
use crate::population::reconciliation::{Cell, Cells, Tally, compare};

const SEED: [u8; 32] = [7; 32];

fn written(size: u32, extract: Extract) -> Vec<u8> {
    let mut file = Vec::new();
    Demo::new(
        SEED,
        Size {
            bedarfsgemeinschaften: size,
        },
    )
    .write(extract, &mut file)
    .unwrap();
    file
}

/// Through the real import: every line must be good.
fn lines(file: &[u8], extract: Extract) -> Vec<Line> {
    let (mapping, unit) = match extract {
        Extract::Payments => (mapping_payments(), Unit::Payment),
        Extract::Decisions => (mapping_decisions(), Unit::Decision),
    };
    let mut reader = Reader::open(file, &mapping, unit).unwrap();
    let (mut lines, mut rejections) = (Vec::new(), Vec::new());
    loop {
        let mut line = Line::default();
        let known = |number: &str| PLACES.iter().any(|place| place.number == number);
        match reader.read(known, &mut line, &mut rejections).unwrap() {
            Step::Line => lines.push(line),
            Step::Rejected => panic!("{rejections:?}"),
            Step::End => return lines,
        }
    }
}

fn id(number: &str) -> Uuid {
    Uuid::from_u128(number.parse().unwrap())
}

#[test]
fn the_files_never_change() {
    assert_eq!(PLACES.iter().map(|place| place.weight).sum::<u64>(), 1000);
    let digests = [Extract::Payments, Extract::Decisions]
        .map(|extract| hex::encode(Sha256::digest(written(60, extract))));
    assert_eq!(
        digests,
        [
            "c6c96638dc1f6dd4c6572c8adb430b723aca93d8293a8145e2e3a5bd04c9aa3a",
            "88e713df61b739d5efb54bd1d8b623289dea023f27825198dff21e9d9b1111d5"
        ]
    );
    assert_ne!(
        Demo::new(
            [8; 32],
            Size {
                bedarfsgemeinschaften: 60
            }
        )
        .households[11]
            .rent,
        Demo::new(
            SEED,
            Size {
                bedarfsgemeinschaften: 60
            }
        )
        .households[11]
            .rent
    );
}

#[test]
fn the_full_size_is_as_promised() {
    let demo = Demo::new(SEED, Size::FULL);
    let payments = demo.write_payments(std::io::sink()).unwrap();
    let decisions = demo.write_decisions(std::io::sink()).unwrap();
    assert!((195_000..=205_000).contains(&payments), "{payments} payments");
    assert!((38_000..=42_000).contains(&decisions), "{decisions} decisions");
}

#[test]
fn payments_have_every_nasty_case() {
    let all = lines(&written(300, Extract::Payments), Extract::Payments);
    let count = |test: &dyn Fn(&Line) -> bool| all.iter().filter(|line| test(line)).count();
    assert_eq!(
        all.iter()
            .map(|line| line.key.as_str())
            .collect::<BTreeSet<_>>()
            .len(),
        all.len(),
        "keys are unique"
    );
    assert_eq!(
        all.iter()
            .map(|line| line.bezirksstelle.as_str())
            .collect::<BTreeSet<_>>()
            .len(),
        PLACES.len()
    );
    assert!(
        count(&|line| line.kind == "Storno" && line.amount < 0) > 20,
        "reversals"
    );
    assert!(
        count(&|line| line.funds[0] != 0 && line.funds[1] != 0) > 50,
        "splits"
    );
    assert!(
        count(&|line| line.funds[2] != 0 && line.funds[3] != 0) > 10,
        "Land and EU"
    );
    assert!(count(&|line| line.amount == 0) > 0, "lines of zero");
    assert!(count(&|line| line.own_staff) > 5, "own staff");
    assert!(count(&|line| line.case_number.is_none()) > 10, "no case");
    assert!(
        count(&|line| line.bezirksstelle == "09" && (499_000..500_000).contains(&line.amount)) >= 8,
        "just below the limit"
    );
    assert!(count(&|line| line.amount > 500_000) > 5, "above the limit");
    let mut back: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for line in all.iter().filter(|line| line.kind == "Nachzahlung") {
        back.entry((line.case_number.clone(), line.decision_date))
            .or_default()
            .insert(line.period);
    }
    assert!(
        back.values().any(|months| months.len() >= 3),
        "back payments over several months"
    );
}

#[test]
fn datteln_booked_its_september_run_twice() {
    let all = lines(&written(300, Extract::Payments), Extract::Payments);
    let booked = |place: &str, day| {
        let mut run: Vec<_> = all
            .iter()
            .filter(|line| line.bezirksstelle == place && line.decision_date == day)
            .map(|line| {
                (
                    line.case_number.clone(),
                    line.attributes.clone(),
                    line.period,
                    line.funds,
                )
            })
            .collect();
        run.sort();
        run
    };
    let (first, second) = (
        NaiveDate::from_ymd_opt(YEAR, 8, 31),
        NaiveDate::from_ymd_opt(YEAR, 9, 1),
    );
    assert!(booked("02", first).len() > 10);
    assert_eq!(booked("02", first), booked("02", second));
    assert_eq!(booked("04", second), []);
}

#[test]
fn decisions_have_refusals_without_money() {
    let all = lines(&written(300, Extract::Decisions), Extract::Decisions);
    let refused = all.iter().filter(|line| line.kind == "Ablehnung").count();
    assert!(
        refused >= 30
            && all
                .iter()
                .filter(|line| line.kind == "Ablehnung")
                .all(|line| line.amount == 0)
    );
    assert!(all.iter().any(|line| line.amount < 0));
    let cases: BTreeSet<_> = all.iter().map(|line| line.case_number.clone()).collect();
    assert!(cases.len() * 2 < all.len(), "several decisions of one case");
}

#[test]
fn the_control_total_differs_in_the_one_declared_cell() {
    for extract in [Extract::Payments, Extract::Decisions] {
        let mut actual = Cells::default();
        for line in lines(&written(80, extract), extract) {
            actual
                .add(id(&line.bezirksstelle), line.period, line.funds)
                .unwrap();
        }
        let mut file = Vec::new();
        Demo::new(
            SEED,
            Size {
                bedarfsgemeinschaften: 80,
            },
        )
        .write_control_totals(extract, &mut file)
        .unwrap();
        let cells = cells_from_csv(std::str::from_utf8(&file).unwrap()).unwrap();
        let expected = Cells(
            cells
                .into_iter()
                .map(|given| {
                    let cell = Cell {
                        fund: given.fund,
                        bezirksstelle_id: id(&given.bezirksstelle),
                        month: given.month,
                    };
                    let tally = Tally {
                        count: u64::try_from(given.count).unwrap(),
                        sum: given.sum.0,
                    };
                    (cell, tally)
                })
                .collect(),
        );
        let found = compare(&expected, &actual);
        assert_eq!(
            expected.speak_of_all_lines(),
            extract == Extract::Decisions,
            "refusals stand in the register, not in the accounts"
        );
        if extract == Extract::Decisions {
            assert_eq!(found, []);
            continue;
        }
        let month = NaiveDate::from_ymd_opt(YEAR, 11, 1);
        let cell = Cell {
            fund: Some(Fund::Bund),
            bezirksstelle_id: id(CONTROL_DIFFERENCE.bezirksstelle),
            month,
        };
        assert_eq!(
            found.iter().map(|difference| difference.cell).collect::<Vec<_>>(),
            [cell]
        );
        let Tally { count, sum } = found[0].actual;
        assert_eq!(
            found[0].expected,
            Tally {
                count: count + CONTROL_DIFFERENCE.count,
                sum: sum + CONTROL_DIFFERENCE.sum
            }
        );
    }
}

#[test]
fn about_six_percent_are_wrong() {
    let all = lines(&written(500, Extract::Payments), Extract::Payments);
    let found: Vec<_> = all
        .iter()
        .map(|line| true_amount(SEED, &line.key, line.funds))
        .collect();
    let wrong = found
        .iter()
        .filter(|truth| truth.class != ErrorClass::None)
        .count()
        * 1000
        / all.len();
    assert!((50..=70).contains(&wrong), "{wrong} of a thousand");
    for class in [
        ErrorClass::Formal,
        ErrorClass::Overpayment,
        ErrorClass::Underpayment,
        ErrorClass::NotEvidenced,
        ErrorClass::WrongFund,
    ] {
        assert!(found.iter().any(|truth| truth.class == class), "{class:?}");
    }
}

proptest! {
    #[test]
    fn truths_are_consistent(reference in "[A-Z0-9-]{1,12}", booked in proptest::array::uniform4(-1_000_000_i64..1_000_000)) {
        let truth = true_amount(SEED, &reference, booked);
        prop_assert_eq!(truth, true_amount(SEED, &reference, booked));
        prop_assert_eq!(truth.funds.iter().sum::<i64>(), truth.amount);
        let same = truth.funds == booked;
        prop_assert_eq!(same, matches!(truth.class, ErrorClass::None | ErrorClass::Formal));
    }
}
