//! Draws, plans and seeds against `tests/oracles/draw.py`, which was written from the text of `README.md`
//! alone.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io::Write as _;
use std::process::{Command, Stdio};

use audit::sampling::ceremony::{
    Assurance, Bytes32, Commitment, Contribution, Logged, Material, Opening, Plan, PlannedSource,
    PlannedStratum, Session, Source, commitment, conclude, drand,
};
use audit::sampling::redraw::{FrameDigest, FrameRow};
use audit::sampling::selection::{DrawInput, Drawing, Seed, SelectionMethod, Tickets};
use serde_json::{Value, json};

/// What the script answers to these queries; nothing where Python is not installed.
fn oracle(queries: &[Value]) -> Option<Vec<Value>> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/oracles/draw.py");
    let Ok(mut python) = Command::new("python3")
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
    else {
        eprintln!("skipped: python3 is not installed");
        return None;
    };
    let lines: Vec<String> = queries.iter().map(ToString::to_string).collect();
    let lines = lines.join("\n");
    let mut input = python.stdin.take().unwrap();
    let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()));
    let output = python.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(answers.len(), queries.len());
    Some(answers)
}

/// Items of some shape: short and long ids, equal and very different amounts.
fn items(case: u64) -> Vec<(String, i64)> {
    let count = 1 + case * 37 % 90;
    let mut items: Vec<_> = (0..count)
        .map(|number| {
            let mixed = (number + 1) * (case + 3) * 2_654_435_761 % 1_000_003;
            let amount = match case % 3 {
                0 => 100,
                1 => i64::try_from(mixed).unwrap() % 5_000 + 1,
                _ => i64::try_from(mixed * mixed).unwrap() + 1,
            };
            (format!("ü{mixed:x}-{number}"), amount)
        })
        .collect();
    items.sort();
    items
}

fn drawn(input: DrawInput, mut items: Vec<(String, i64)>) -> Value {
    if input.method == SelectionMethod::RandomisedInterval {
        let tickets = Tickets::new(&Seed::new(input.seed.as_str()).unwrap());
        items.sort_by_key(|(id, _)| (tickets.of(id), id.clone()));
    }
    let mut drawing = Drawing::new(input).unwrap();
    for (id, amount) in &items {
        drawing.offer(id, *amount).unwrap();
    }
    let selected = drawing.finish().unwrap().items;
    selected
        .iter()
        .map(|item| json!([item.id, item.hits, item.ticket]))
        .collect()
}

#[test]
fn every_method_draws_what_python_draws() {
    let mut queries = Vec::new();
    let mut ours = Vec::new();
    for case in 0..60_u64 {
        let items = items(case);
        let count = u64::try_from(items.len()).unwrap();
        for method in SelectionMethod::ALL
            .into_iter()
            .filter(|method| method.projects())
        {
            let size = match method {
                SelectionMethod::Census => count,
                SelectionMethod::SimpleRandom
                | SelectionMethod::RecordInterval
                | SelectionMethod::ModifiedSieve => 1 + case % count,
                _ => 1 + case * 7 % 100,
            };
            let input = DrawInput {
                method,
                seed: format!("{:020}", case * 982_451_653),
                context: ["gesamt", "", "Bezirksstelle Süd"][usize::try_from(case % 3).unwrap()].to_owned(),
                size,
                population_size: Some(count),
                book_value: Some(items.iter().map(|(_, amount)| amount).sum()),
            };
            queries.push(json!({
                "what": "draw", "algorithm": method.algorithm(), "seed": input.seed, "context": input.context,
                "size": size, "items": items,
            }));
            ours.push(drawn(input, items.clone()));
        }
    }
    let Some(theirs) = oracle(&queries) else { return };
    for ((query, ours), theirs) in queries.iter().zip(&ours).zip(&theirs) {
        assert_eq!(ours, theirs, "{query}");
    }
}

fn rows() -> Vec<FrameRow> {
    let rows = (0..40).map(|number| FrameRow {
        id: format!("{number:02}"),
        stratum: if number % 2 == 0 { "Süd" } else { "Nord" }.to_owned(),
        bezirksstelle: format!("{}", number % 3),
        amount: (number % 2 == 0).then_some(number * 100 - 300),
    });
    rows.collect()
}

fn plan(assurance: Assurance, source: Option<PlannedSource>) -> Plan {
    let mut frame = FrameDigest::default();
    for row in rows() {
        frame.add(&row).unwrap();
    }
    let stratum = |name: &str, method, book_value| PlannedStratum {
        name: name.to_owned(),
        method,
        size: 5,
        population_size: 20,
        book_value,
    };
    Plan {
        engagement: "P-2026-001".to_owned(),
        sample: "Bescheide „2025“".to_owned(),
        population_root: Bytes32([0xab; 32]),
        frame_digest: frame.finish(),
        strata: vec![
            stratum("Süd", SelectionMethod::Cell, Some(32_000)),
            stratum("Nord", SelectionMethod::SimpleRandom, None),
        ],
        confidence: Some("0.950".parse().unwrap()),
        tolerable_rate: None,
        expected_rate: Some("0".parse().unwrap()),
        tolerable_error: Some(1_000),
        expected_error: None,
        extension_rule: Some("einmal 5 weitere bei genau einem Fehler".to_owned()),
        assurance,
        parties: ["Innenrevision", "Datenschutzbeauftragte"]
            .map(str::to_owned)
            .into(),
        source,
    }
}

fn material(plan: &Plan, source: Option<Source>, silent: usize) -> Material {
    let logged = |position| Logged {
        position,
        at: 1_600_000_000,
    };
    let contribution = |party: &String| Contribution {
        party: party.clone(),
        salt: Bytes32([u8::try_from(party.len()).unwrap(); 32]),
        text: format!("Würfel von {party}"),
    };
    let parties = || (3..).zip(&plan.parties);
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
            .skip(silent)
            .map(|(position, party)| Opening {
                contribution: contribution(party),
                logged: logged(position + 10),
            })
            .collect(),
        source,
        own_seed: None,
    }
}

#[test]
fn plans_commitments_and_seeds_are_those_of_python() {
    let chain = Bytes32::parse(drand::CHAINS[0].hash).unwrap();
    let randomness = "fe290beca10872ef2fb164d2aa4442de4566183ec51c56ff3cd603d930e54fdd";
    let round = drand::Round::from_json(
        r#"{"round": 1000, "signature": "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39"}"#,
    );
    let digits = "01382438112797316654";
    let session = Session {
        digits: digits.to_owned(),
        begun_at: 1_600_000_001,
        thrown_by: "Anna".to_owned(),
        witnesses: vec!["Bert".to_owned()],
        recording: "Aufzeichnung".to_owned(),
        logged: Logged {
            position: 99,
            at: 1_600_000_060,
        },
    };
    let cases = [
        (Assurance::Witnessed, None, None, 0, json!(["NONE"])),
        (Assurance::Witnessed, None, None, 1, json!(["NONE"])),
        (
            Assurance::NotSteerable,
            Some(PlannedSource::Drand { chain, round: 1000 }),
            Some(Source::Drand(round.unwrap())),
            0,
            json!(["DRAND", chain, "1000", randomness]),
        ),
        (
            Assurance::NotSteerable,
            Some(PlannedSource::Dice { throws: 20 }),
            Some(Source::Dice(session)),
            1,
            json!(["DICE", digits]),
        ),
    ];
    let rows: Vec<Value> = rows()
        .iter()
        .map(|row| json!([row.id, row.stratum, row.bezirksstelle, row.amount]))
        .collect();
    let mut queries = vec![json!({ "what": "frame", "rows": rows })];
    let mut ours = vec![json!(plan(Assurance::Everyday, None).frame_digest)];
    for (assurance, planned, source, silent, value) in cases {
        let plan = plan(assurance, planned);
        let material = material(&plan, source, silent);
        let opened = material
            .openings
            .iter()
            .map(|opening| json!(opening.contribution));
        let opened: Vec<Value> = opened.collect();
        queries.push(json!({ "what": "plan", "plan": plan }));
        ours.push(json!(plan.digest()));
        queries.push(json!({ "what": "commitment", "plan": plan, "contribution": opened[0] }));
        ours.push(json!(material.commitments[silent].digest));
        queries.push(json!({ "what": "seed", "plan": plan, "contributions": opened, "source": value }));
        ours.push(json!(conclude(&plan, &material).unwrap().seed));
    }
    let Some(theirs) = oracle(&queries) else { return };
    for ((query, ours), theirs) in queries.iter().zip(&ours).zip(&theirs) {
        assert_eq!(ours, theirs, "{query}");
    }
}
