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

use futures_util::future::join_all;
use rand::seq::SliceRandom as _;
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
/// Rounds in a world, each about somebody who must not notice.
const ROUNDS: usize = 3;
/// Callers who see rows and are asked in a round.
const GUESTS: usize = 3;
/// Changes of a round.
const CHANGES: usize = 12;

/// Fields that may tell of rows out of scope: the declared aggregates, and the log, which is public and says of every entry
/// that there is one and nothing else.
fn exempt() -> Vec<&'static str> {
    let mut fields = vec!["TrailEntry.proof"];
    for aggregate in Aggregate::ALL {
        match aggregate {
            Aggregate::Evaluation => fields.push("Sample.evaluation"),
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
    // Whoever sees rows is somebody who must not notice, in turn; with a few others.
    let (mut seeing, mut others): (Vec<usize>, Vec<usize>) =
        (0..callers.len()).partition(|place| callers[*place].sees_rows());
    seeing.shuffle(&mut world.random);
    for round in 0..ROUNDS {
        let target = seeing[round % seeing.len()];
        others.shuffle(&mut world.random);
        let mut guests: Vec<usize> = (1..GUESTS)
            .map(|next| seeing[(round * 3 + next) % seeing.len()])
            .collect();
        guests.extend([target, others[0]]);
        for (place, caller) in callers.iter_mut().enumerate() {
            caller.present = guests.contains(&place);
        }
        let waiting = callers
            .iter_mut()
            .filter(|caller| caller.present && caller.last.is_none());
        join_all(waiting.map(Caller::look)).await;
        let mut happened = 0;
        while happened < CHANGES {
            let change = Change::random(&mut world);
            if callers[target].view.learns(&change, &world) {
                continue;
            }
            happened += 1;
            let learn: Vec<bool> = callers
                .iter()
                .map(|caller| caller.view.learns(&change, &world))
                .collect();
            let new = change.happen(&mut world).await;
            for (caller, learns) in callers.iter_mut().zip(learn) {
                if learns {
                    caller.last = None;
                    caller.unseen.clear();
                } else {
                    caller.unseen.push(format!("{change:?}"));
                    caller.hidden.extend(new.iter().cloned());
                }
            }
        }
        let kept = callers
            .iter_mut()
            .filter(|caller| caller.present && caller.last.is_some());
        join_all(kept.map(|caller| compare(caller, seed))).await;
    }
}

/// Asks again, and nothing is another.
async fn compare(caller: &mut Caller<'_>, seed: u64) {
    let before = caller.last.take().unwrap();
    caller.look().await;
    let after = caller.last.as_ref().unwrap();
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
            caller.last.as_ref().unwrap().len(),
            before.question,
            around(&before.said, &after.said),
            around(&after.said, &before.said)
        );
    }
    caller.unseen.clear();
    caller.finds_nothing_hidden().await;
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
