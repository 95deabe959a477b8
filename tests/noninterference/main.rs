//! Noninterference: whatever happens outside the rows somebody sees, no answer they get changes: status, body, error codes,
//! counts, totals, order, cursors, downloads, streams. Time aside.
//!
//! A random world, every kind of caller, every question the contract knows; then random changes, and the same questions to
//! those who must not learn of them. Who may learn of what is in `view.rs`. Another seed each time:
//! `PRUEFPFAD_TEST_SEED=4711` repeats one, with `PRUEFPFAD_TEST_WORLDS=1` that world alone.

#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

mod callers;
mod changes;
mod view;
mod world;

use std::time::{Duration, Instant};

use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha8Rng;
use tests::contract::Contract;
use tests::{Service, on_both};

use audit::access::Aggregate;
use audit::{OsRandom, Random as _};
use callers::{Answer, Caller, callers};
use changes::Change;
use world::World;

/// Worlds of a run, and how long new ones are begun.
const WORLDS: u64 = 4;
const PATIENCE: Duration = Duration::from_secs(15);
/// Rounds in a world, each about somebody else who must not notice.
const ROUNDS: usize = 5;
/// Changes of a round.
const CHANGES: usize = 25;

/// Fields that may tell of rows out of scope: the declared aggregates, and the log, which is public and says of every entry
/// that there is one and nothing else; and what reads no rows.
fn exempt() -> Vec<&'static str> {
    let mut fields = vec![
        "TrailEntry.proof",
        // Pure figures: no row is read.
        "Query.planSample",
        "Query.selectSample",
        "Query.evaluateSample",
    ];
    for aggregate in Aggregate::ALL {
        match aggregate {
            Aggregate::Evaluation => fields.extend(["Sample.evaluation", "Sample.evaluationBy"]),
            // An error of closing an engagement.
            Aggregate::OpenWork => {}
        }
    }
    fields
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

on_both!(nothing_outside_a_scope_changes_an_answer with [
    ("PRUEFPFAD__LIMITS__COST", "1000000000000"),
    ("PRUEFPFAD__LIMITS__TOKENS", "200000"),
    ("PRUEFPFAD__LIMITS__SELECTIONS", "100000"),
    ("PRUEFPFAD__LIMITS__ALIASES", "1000"),
    ("PRUEFPFAD__LIMITS__DEPTH", "40"),
    ("PRUEFPFAD__SERVER__WORKERS", "2"),
], |service| async move {
    let seed = number("PRUEFPFAD_TEST_SEED").unwrap_or_else(fresh);
    println!("PRUEFPFAD_TEST_SEED={seed}");
    let begun = Instant::now();
    for world in 0..number("PRUEFPFAD_TEST_WORLDS").unwrap_or(WORLDS) {
        if begun.elapsed() > PATIENCE {
            println!("{world} worlds in time");
            break;
        }
        try_world(&service, seed + world).await;
        println!("world {}: {:?} since the beginning", seed + world, begun.elapsed());
    }
});

/// A seed of no earlier run.
fn fresh() -> u64 {
    let mut bytes = [0; 4];
    OsRandom::new().unwrap().fill(&mut bytes);
    u32::from_be_bytes(bytes).into()
}

async fn try_world(service: &Service, seed: u64) {
    let contract = Contract::without(exempt());
    let without_cases = Contract::without([exempt(), vec!["SampleItem.caseNumber"]].concat());
    let mut world = World::random(service, seed).await;
    let mut callers = callers(&mut world, &contract, &without_cases).await;
    // Whoever sees rows is somebody who must not notice, in turn over the worlds of a run; and one who sees none.
    let (mut seeing, others): (Vec<usize>, Vec<usize>) =
        (0..callers.len()).partition(|place| callers[*place].sees_rows());
    seeing.shuffle(&mut ChaCha8Rng::seed_from_u64(0));
    let turn = usize::try_from(seed).unwrap() * ROUNDS;
    for round in turn..turn + ROUNDS {
        let target = seeing[round % seeing.len()];
        let present = [target, others[round % others.len()]];
        for place in present {
            callers[place].look().await;
        }
        let mut happened = 0;
        while happened < CHANGES {
            let change = Change::random(&mut world);
            if present
                .iter()
                .any(|place| callers[*place].view.learns(&change, &world))
            {
                continue;
            }
            happened += 1;
            let new = change.happen(&mut world).await;
            for place in present {
                callers[place].unseen.push(format!("{change:?}"));
                callers[place].hidden.extend(new.iter().cloned());
            }
        }
        for place in present {
            compare(&mut callers[place], seed).await;
        }
    }
}

/// Asks again, and nothing is another.
async fn compare(caller: &mut Caller<'_>, seed: u64) {
    let before = std::mem::take(&mut caller.last);
    caller.look().await;
    let after = &caller.last;
    assert_eq!(before.len(), after.len());
    let changed: Vec<(&Answer, &Answer)> = before
        .iter()
        .zip(after)
        .filter(|(before, after)| before != after)
        .collect();
    if let Some((before, after)) = changed.first() {
        panic!(
            "world {seed}: {} learns of {}: {} answers of {} changed, the first to {}\nbefore {}\nafter  {}",
            caller.name,
            caller.unseen.join(", "),
            changed.len(),
            caller.last.len(),
            before.question,
            around(&before.said, &after.said),
            around(&after.said, &before.said)
        );
    }
    caller.finds_nothing_hidden().await;
    caller.unseen.clear();
    caller.hidden.clear();
}

/// What is there where two texts begin to differ.
fn around(text: &str, other: &str) -> String {
    let same = text
        .chars()
        .zip(other.chars())
        .take_while(|(one, two)| one == two)
        .count();
    text.chars().skip(same.saturating_sub(300)).take(600).collect()
}
