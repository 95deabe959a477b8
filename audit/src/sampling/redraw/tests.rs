//! Redraws that agree, and those that say what does not.

use super::*;
use crate::sampling::ceremony::{Commitment, Contribution, Logged, Opening, commitment};
use crate::sampling::selection::{DrawInput, Drawing, ticket};

/// Strata of one method each, every one with items that are named after it.
fn rows() -> Vec<FrameRow> {
    let methods = SelectionMethod::ALL
        .into_iter()
        .filter(|method| method.projects());
    let mut rows: Vec<FrameRow> = methods
        .flat_map(|method| {
            (0..30).map(move |number| FrameRow {
                id: format!("{number:02}-{}", method.id()),
                stratum: method.id().to_owned(),
                bezirksstelle: format!("{}", number % 3),
                amount: method.is_monetary().then_some(number * 137 % 900 + 1),
            })
        })
        .collect();
    rows.sort_by(|left, right| left.id.cmp(&right.id));
    rows
}

fn of(rows: &[FrameRow], stratum: &str) -> Vec<FrameRow> {
    rows.iter()
        .filter(|row| row.stratum == stratum)
        .cloned()
        .collect()
}

fn plan(rows: &[FrameRow]) -> Plan {
    let mut frame = FrameDigest::default();
    for row in rows {
        frame.add(row).unwrap();
    }
    let methods = SelectionMethod::ALL
        .into_iter()
        .filter(|method| method.projects());
    Plan {
        engagement: "P-2026-001".to_owned(),
        sample: "Stichprobe".to_owned(),
        population_root: Bytes32([0x11; 32]),
        frame_digest: frame.finish(),
        strata: methods
            .map(|method| PlannedStratum {
                name: method.id().to_owned(),
                method,
                size: if method == SelectionMethod::Census { 30 } else { 7 },
                population_size: 30,
                book_value: method
                    .is_monetary()
                    .then(|| of(rows, method.id()).iter().filter_map(|row| row.amount).sum()),
            })
            .collect(),
        confidence: None,
        tolerable_rate: None,
        expected_rate: None,
        tolerable_error: None,
        expected_error: None,
        extension_rule: None,
        assurance: Assurance::Witnessed,
        parties: ["Innenrevision", "Datenschutz"].map(str::to_owned).into(),
        source: None,
    }
}

fn material(plan: &Plan) -> Material {
    let logged = |position| Logged { position, at: 1_000 };
    let contribution = |party: &String| Contribution {
        party: party.clone(),
        salt: Bytes32([7; 32]),
        text: String::new(),
    };
    let parties = || (10..).zip(&plan.parties);
    Material {
        frozen: logged(1),
        planned: logged(2),
        commitments: parties()
            .map(|(position, party)| Commitment {
                party: party.clone(),
                digest: commitment(plan.digest(), &contribution(party)).unwrap(),
                logged: logged(position),
            })
            .collect(),
        openings: parties()
            .map(|(position, party)| Opening {
                contribution: contribution(party),
                logged: logged(position + 10),
            })
            .collect(),
        source: None,
        own_seed: None,
    }
}

/// The record as the draw would leave it: each stratum drawn by itself, with the seed of the ceremony.
fn record() -> (DrawRecord, Vec<FrameRow>) {
    let rows = rows();
    let plan = plan(&rows);
    let material = material(&plan);
    let seed = conclude(&plan, &material).unwrap().seed;
    let mut items = Vec::new();
    for stratum in &plan.strata {
        let mut drawing = Drawing::new(DrawInput {
            method: stratum.method,
            seed: seed.clone(),
            context: stratum.name.clone(),
            size: stratum.size,
            population_size: Some(30),
            book_value: stratum.book_value,
        })
        .unwrap();
        let mut rows = of(&rows, &stratum.name);
        if stratum.method == SelectionMethod::RandomisedInterval {
            let seed = Seed::new(seed.clone()).unwrap();
            rows.sort_by_key(|row| ticket(&seed, &row.id));
        }
        for row in rows {
            drawing.offer(&row.id, row.amount.unwrap_or(0)).unwrap();
        }
        items.extend(drawing.finish().unwrap().items.into_iter().map(|item| DrawnItem {
            order: 0,
            stratum: stratum.name.clone(),
            id: item.id,
            hits: item.hits,
            ticket: item.ticket,
        }));
    }
    (1..).zip(&mut items).for_each(|(order, item)| item.order = order);
    let record = DrawRecord {
        population_root: plan.population_root,
        plan,
        material: Some(material),
        seed,
        items,
    };
    (record, rows)
}

fn redrawn(record: DrawRecord, known: Known, rows: &[FrameRow]) -> Redrawn {
    let mut redraw = Redraw::new(record, known).unwrap();
    for row in rows {
        redraw.offer(row).unwrap();
    }
    redraw.finish()
}

/// What a change of record or rows is found as: the codes in their order, and the sentences are there.
fn found(change: impl FnOnce(&mut DrawRecord, &mut Vec<FrameRow>)) -> Vec<String> {
    let (mut record, mut rows) = record();
    change(&mut record, &mut rows);
    let redrawn = redrawn(record, Known::default(), &rows);
    assert_eq!(redrawn.agrees, redrawn.differences.is_empty());
    let told = redrawn.differences.iter().map(|difference| {
        let text = difference.text();
        assert!(!text.de.is_empty() && text.de != text.en);
        let json = serde_json::to_value(difference).unwrap();
        json["code"].as_str().unwrap().to_owned()
    });
    told.collect()
}

#[test]
fn a_true_record_agrees() {
    let (record, rows) = record();
    let expected = record.items.clone();
    let redrawn = redrawn(
        record.clone(),
        Known {
            population_root: Some(record.population_root),
            plan_digest: Some(record.plan.digest()),
        },
        &rows,
    );
    assert_eq!(redrawn.differences, []);
    assert!(redrawn.agrees && redrawn.ceremony_checked);
    assert_eq!(redrawn.items, expected);
    assert_eq!(redrawn.rows, 300);
    assert!(
        serde_json::to_string(&redrawn)
            .unwrap()
            .contains(r#""assurance":"WITNESSED""#)
    );
    let json = serde_json::to_string(&record).unwrap();
    assert_eq!(serde_json::from_str::<DrawRecord>(&json).unwrap(), record);
}

#[test]
fn every_falsified_item_is_named() {
    let id = |record: &DrawRecord| record.items[3].id.clone();
    // another item in the place of one that was drawn
    let swapped = found(|record, rows| {
        let drawn = id(record);
        let other = rows.iter().find(|row| {
            row.stratum == "tickets" && row.id != drawn && {
                !record.items.iter().any(|item| item.id == row.id)
            }
        });
        record.items[3].id = other.unwrap().id.clone();
    });
    assert_eq!(swapped, ["ITEM_MISSING", "ITEM_EXTRA"]);
    let left_out = found(|record, _| drop(record.items.pop()));
    assert_eq!(left_out, ["ITEM_MISSING"]);
    let doubled = found(|record, _| record.items.push(record.items[0].clone()));
    assert_eq!(doubled, ["ITEM_DOUBLED"]);
    assert_eq!(found(|record, _| record.items[0].ticket = None), ["OTHER_TICKET"]);
    let other = |record: &mut DrawRecord| record.items[0].ticket.as_mut().unwrap().replace_range(9..10, "x");
    assert_eq!(found(|record, _| other(record)), ["OTHER_TICKET"]);
    assert_eq!(found(|record, _| record.items[20].hits += 1), ["OTHER_HITS"]);
    let swapped = found(|record, _| {
        let first = record.items[0].order;
        record.items[0].order = record.items[1].order;
        record.items[1].order = first;
    });
    assert_eq!(swapped, ["OTHER_ORDER", "OTHER_ORDER"]);
    assert_eq!(
        found(|record, _| record.items[0].stratum = "cell".to_owned()),
        ["OTHER_STRATUM"]
    );
}

#[test]
fn another_seed_plan_or_root_is_found() {
    let other_seed = found(|record, _| record.seed = "1".to_owned());
    assert_eq!(other_seed, ["SEED_DIFFERS"]);
    assert_eq!(
        found(|record, _| record.population_root = Bytes32([0x12; 32])),
        ["ROOT_DIFFERS"]
    );
    let opened_otherwise = found(|record, _| {
        let material = record.material.as_mut().unwrap();
        material.openings[0].contribution.text = "x".to_owned();
    });
    assert_eq!(opened_otherwise, ["CEREMONY_REFUSED"]);
    // a plan changed afterwards is not the one that was committed to
    let plan = found(|record, _| record.plan.strata[0].size = 8);
    assert_eq!(plan[..2], ["CEREMONY_REFUSED", "ITEM_MISSING"]);
    assert!(plan.len() > 2 && plan[2..].iter().all(|code| code == "OTHER_ORDER"));

    let (record, rows) = record();
    let known = Known {
        population_root: Some(Bytes32([0x12; 32])),
        plan_digest: Some(Bytes32([0x13; 32])),
    };
    let codes: Vec<_> = redrawn(record.clone(), known, &rows).differences;
    assert!(matches!(
        codes[..],
        [Difference::PlanDiffers { .. }, Difference::RootDiffers { .. }]
    ));
    // without the ceremony the seed is taken as it is, and the report says so
    let bare = DrawRecord {
        material: None,
        ..record
    };
    let redrawn = redrawn(bare, Known::default(), &rows);
    assert!(redrawn.agrees && !redrawn.ceremony_checked);
    let record = DrawRecord {
        seed: String::new(),
        material: None,
        ..super::tests::record().0
    };
    assert_eq!(
        Redraw::new(record, Known::default()).unwrap_err().code(),
        "SEED_EMPTY"
    );
}

#[test]
fn another_draw_file_is_found() {
    // a row that is missing changes what is drawn by tickets only where it was drawn
    let drawn = |record: &DrawRecord, id: &str| record.items.iter().any(|item| item.id == id);
    let missing = found(|record, rows| {
        let place = rows
            .iter()
            .position(|row| row.stratum == "tickets" && !drawn(record, &row.id));
        rows.remove(place.unwrap());
    });
    assert_eq!(missing, ["FRAME_DIFFERS", "COUNT_DIFFERS"]);
    let missing = found(|record, rows| {
        let id = record.items[6].id.clone();
        rows.retain(|row| row.id != id);
    });
    assert_eq!(
        missing,
        ["FRAME_DIFFERS", "COUNT_DIFFERS", "ITEM_MISSING", "ITEM_EXTRA"]
    );
    let amount = |by: i64| {
        found(move |_, rows| {
            let row = rows.iter_mut().find(|row| row.stratum == "cell");
            row.unwrap().amount = Some(by);
        })
    };
    assert_eq!(
        amount(901),
        ["FRAME_DIFFERS", "AMOUNT_DIFFERS", "STRATUM_NOT_DRAWN"]
    );
    assert_eq!(
        amount(-1),
        ["FRAME_DIFFERS", "AMOUNT_DIFFERS", "STRATUM_NOT_DRAWN"]
    );
    let unknown = found(|_, rows| {
        let (stratum, id) = ("neu".to_owned(), "99".to_owned());
        let row = rows[0].clone();
        rows.push(FrameRow { id, stratum, ..row });
    });
    assert_eq!(unknown, ["STRATUM_UNKNOWN", "FRAME_DIFFERS"]);
    // what is not drawn by is bound all the same
    assert_eq!(
        found(|_, rows| rows[0].bezirksstelle.push('x')),
        ["FRAME_DIFFERS"]
    );
}

#[test]
fn draw_files_that_cannot_be_read_are_refused() {
    let refused = |change: fn(&mut Vec<FrameRow>)| {
        let (record, mut rows) = record();
        change(&mut rows);
        let mut redraw = Redraw::new(record, Known::default()).unwrap();
        let error = rows.iter().find_map(|row| redraw.offer(row).err()).unwrap();
        (error.code(), error.field())
    };
    assert_eq!(refused(|rows| rows.swap(0, 1)), ("ITEMS_OUT_OF_ORDER", "id"));
    assert_eq!(
        refused(|rows| rows.insert(1, rows[0].clone())),
        ("ITEM_DOUBLED", "id")
    );
    assert_eq!(refused(|rows| rows[0].id.clear()), ("REQUIRED", "id"));
    assert_eq!(
        refused(|rows| rows.iter_mut().for_each(|row| row.amount = None)),
        ("REQUIRED", "amount")
    );
}
