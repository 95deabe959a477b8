//! Every way of a paper that the table does not name, tried.

use std::sync::Arc;

use audit::decision::rules::{Act, WAYS, ways};
use entity::paper::State;
use serde_json::{Value, json};
use tests::story::with;
use tests::{Hand, Service, unique};

use crate::in_jobcenter;
use crate::room::*;

/// Who does what in a body.
struct Cast {
    author: &'static str,
    voter: &'static str,
    decider: &'static str,
}

/// Tries what is not open to a paper in its state, each act by whoever could do it elsewhere; how many.
async fn tried(room: &Room, paper: &Value, cast: &Cast) -> usize {
    let state = State::ALL
        .iter()
        .find(|state| paper["state"] == state.as_str())
        .unwrap();
    let (office, author) = (room.office(), room.member(cast.author));
    let mut count = 0;
    for act in Act::ALL {
        if ways(*state, act).is_some() {
            continue;
        }
        let (found, path) = match act {
            Act::Revise => (
                author.refused(&revise(), revision(paper, "Etwas anderes.")).await,
                "input.id",
            ),
            Act::Call => {
                let input = with(&version(paper), &json!({ "sessionAt": at(room.now() + 9 * DAY) }));
                (office.refused(&call(), input).await, "input.id")
            }
            Act::Vote => {
                let voter = room.member(cast.voter);
                (
                    voter.refused(&crate::room::cast(), voting(paper, "YES")).await,
                    "input.paperId",
                )
            }
            Act::Close => (office.refused(&close(), version(paper)).await, "input.id"),
            Act::Decide => {
                let decider = room.member(cast.decider);
                (
                    decider.refused(&decide(), deciding(paper, true)).await,
                    "input.id",
                )
            }
            Act::Minutes => {
                let input = json!({
                    "paperId": paper["id"], "expectedVersion": paper["version"], "text": "x", "idempotencyKey": unique("m"),
                });
                (office.refused(&minutes(), input).await, "input.paperId")
            }
            Act::Sign => {
                let Some(decision) = paper["decisions"].get(0) else {
                    continue;
                };
                let input = json!({
                    "decisionId": decision["id"], "kind": "SCAN", "fileHash": "00".repeat(32), "signer": "x",
                    "signedOn": "2026-03-01", "idempotencyKey": unique("x"),
                });
                (office.refused(&signature(), input).await, "input.decisionId")
            }
            Act::Withdraw => {
                let input = with(&version(paper), &json!({ "reason": "x" }));
                (author.refused(&withdraw(), input).await, "input.id")
            }
        };
        assert_eq!(found, refusal("PAPER_STATE", path), "{} {act:?}", paper["state"]);
        count += 1;
    }
    assert_eq!(
        room.seen(&room.office(), paper).await["version"],
        paper["version"],
        "nothing changed"
    );
    count
}

async fn withdrawn(room: &Room, paper: &Value, author: &str) -> Value {
    let input = with(&version(paper), &json!({ "reason": "Erledigt" }));
    room.member(author).done(&withdraw(), input).await["paper"].clone()
}

in_jobcenter!(
    what_the_table_does_not_name_is_refused_in_the_vorstand,
    RECKLINGHAUSEN,
    |service: Arc<Service>, clock: Arc<Hand>| async move {
        let room = Room::of(service, clock);
        let body = room.vorstand().await;
        let cast = Cast {
            author: "stadt_small-1",
            voter: "stadt_medium-1",
            decider: "landrat-1",
        };
        let author = room.member(cast.author);
        let submitted = room.submitted(&author, &body, &json!({})).await;
        let mut count = tried(&room, &submitted, &cast).await;
        let called = room.opened(&submitted).await;
        count += tried(&room, &called, &cast).await;
        room.votes(&called, ["NO", "YES", "YES", "YES", "YES"]).await;
        let dissent = room.closed(&called).await;
        count += tried(&room, &dissent, &cast).await;
        let decided = room
            .member(cast.decider)
            .done(&decide(), deciding(&dissent, true))
            .await["paper"]
            .clone();
        count += tried(&room, &decided, &cast).await;
        let other = room.submitted(&author, &body, &json!({})).await;
        let gone = withdrawn(&room, &other, cast.author).await;
        assert_eq!(gone["state"], "WITHDRAWN");
        count += tried(&room, &gone, &cast).await;
        let states = [
            State::Submitted,
            State::Called,
            State::Dissent,
            State::Decided,
            State::Withdrawn,
        ];
        let named = WAYS.iter().filter(|(from, ..)| states.contains(from)).count();
        // Where nothing was decided, there is nothing to sign.
        assert_eq!(count, states.len() * Act::ALL.len() - named - 4);
    }
);

in_jobcenter!(
    what_the_table_does_not_name_is_refused_without_a_decision,
    KOOPERATIV,
    |service: Arc<Service>, clock: Arc<Hand>| async move {
        let room = Room::of(service, clock);
        let body = room.body("KOOPERATIONSAUSSCHUSS").await;
        for kind in ["KOMMUNE", "AGENTUR"] {
            for place in 1..=3 {
                room.seat(&body, kind, place, None).await;
            }
        }
        let cast = Cast {
            author: "kommune-1",
            voter: "agentur-1",
            decider: "kommune-1",
        };
        let author = room.member(cast.author);
        let paper = room
            .in_session(&author, &body, &json!({ "matter": "TARGETS" }))
            .await;
        for (kind, choice) in [("KOMMUNE", "YES"), ("AGENTUR", "NO")] {
            for place in 1..=3 {
                room.vote(&paper, &person(kind, place), choice).await;
            }
        }
        let undecided = room.closed(&paper).await;
        assert_eq!(undecided["state"], "UNDECIDED");
        tried(&room, &undecided, &cast).await;
        // What was decided before stays, and is signed no more once the paper goes on.
        let called = room.opened(&undecided).await;
        tried(&room, &called, &cast).await;
        let revised = author.done(&revise(), revision(&called, "Andere Ziele.")).await["paper"].clone();
        tried(&room, &revised, &cast).await;
        let gone = withdrawn(&room, &revised, cast.author).await;
        assert_eq!(tried(&room, &gone, &cast).await, 8);
    }
);

in_jobcenter!(
    what_the_table_does_not_name_is_refused_after_advice,
    ENNEPE_RUHR,
    |service: Arc<Service>, clock: Arc<Hand>| async move {
        let room = Room::of(service, clock);
        let body = room.body("ARBEITSMARKTBEIRAT").await;
        room.seat(&body, "MITGLIED", 1, None).await;
        let cast = Cast {
            author: "mitglied-1",
            voter: "mitglied-1",
            decider: "mitglied-1",
        };
        let author = room.member(cast.author);
        let paper = room
            .in_session(&author, &body, &json!({ "matter": "PROGRAMME" }))
            .await;
        room.vote(&paper, cast.voter, "YES").await;
        let advised = room.closed(&paper).await;
        assert_eq!(advised["state"], "ADVISED");
        assert_eq!(tried(&room, &advised, &cast).await, 6);
    }
);
