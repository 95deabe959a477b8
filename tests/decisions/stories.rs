//! How three Jobcenter decide.

use std::sync::Arc;

use serde_json::json;
use tests::story::{nodes, with};
use tests::{Hand, Service, unique};

use crate::in_jobcenter;
use crate::room::*;

in_jobcenter!(
    the_vorstand_decides_in_consensus,
    RECKLINGHAUSEN,
    |service: Arc<Service>, clock: Arc<Hand>| async move {
        let room = Room::of(service, clock);
        let body = room.vorstand().await;
        assert_eq!(
            body["rules"],
            json!({
                "onDissent": "CHAIR_DECIDES", "abstention": "NEITHER", "quorum": "MORE_THAN_HALF", "callingDays": 7,
                "authorVotes": true, "castingVote": false,
            })
        );
        let author = room.service.head();
        let paper = room.in_session(&author, &body, &json!({})).await;
        assert_eq!(
            json!([
                paper["number"],
                paper["state"],
                paper["round"],
                paper["shortNotice"],
                paper["votesUntil"]
            ]),
            json!(["VS-2026-001", "CALLED", 1, false, "2026-03-11T08:00:00.000000Z"])
        );
        let chair = room.seen(&room.member("landrat-1"), &paper).await;
        assert_eq!(chair["permissions"], json!(["PAPER_READ", "PAPER_VOTE"]));
        room.votes(&paper, ["YES", "YES", "ABSTAIN", "YES", "YES"]).await;
        let chair = room.seen(&room.member("landrat-1"), &paper).await;
        assert_eq!(chair["permissions"], json!(["PAPER_READ"]));
        let decided = room.closed(&paper).await;
        let decision = &decided["decisions"][0];
        assert_eq!(
            json!([
                decided["state"],
                decision["outcome"],
                decision["decidedBy"],
                decision["dissent"],
                decision["yes"],
                decision["abstained"],
                decision["silent"],
                decision["tells"]
            ]),
            json!(["DECIDED", "ADOPTED", "CONSENSUS", false, 4, 1, 0, null])
        );

        // Minutes, a correction of them, and who signed what.
        let office = room.office();
        let minute = |text: &str| {
            let input =
                json!({ "text": text, "paperId": decided["id"], "expectedVersion": decided["version"] });
            with(&input, &json!({ "idempotencyKey": text }))
        };
        let first = office.done(&minutes(), minute("Einstimmig")).await["minutes"].clone();
        let again = office.done(&minutes(), minute("Einstimmig")).await["minutes"].clone();
        assert_eq!(first, again);
        let second = office
            .done(&minutes(), minute("Bei einer Enthaltung einstimmig"))
            .await["minutes"]
            .clone();
        assert_eq!(
            json!([first["edition"], second["edition"], second["round"]]),
            json!([1, 2, 1])
        );
        let scan = json!({
            "decisionId": decision["id"], "kind": "SCAN", "fileHash": "cd".repeat(32), "signer": "Landrat Muster",
            "signedOn": "2026-03-10", "idempotencyKey": unique("x"),
        });
        let signed = office.done(&signature(), scan.clone()).await["signature"].clone();
        assert_eq!(
            json!([signed["kind"], signed["contentHash"], signed["verification"]]),
            json!(["SCAN", decision["decisionHash"], null])
        );
        let mut qualified = with(
            &scan,
            &json!({ "kind": "QUALIFIED", "minutesId": second["id"], "idempotencyKey": unique("x") }),
        );
        qualified.as_object_mut().unwrap().remove("decisionId");
        assert_eq!(
            office.refused(&signature(), qualified.clone()).await,
            refusal("REQUIRED", "input.verification")
        );
        qualified["verification"] = json!("DSS 6.1: TOTAL_PASSED");
        let signed = office.done(&signature(), qualified).await["signature"].clone();
        assert_eq!(
            json!([signed["minutesId"], signed["contentHash"], signed["verification"]]),
            json!([second["id"], second["contentHash"], "DSS 6.1: TOTAL_PASSED"])
        );
        let claimed = with(
            &scan,
            &json!({ "verification": "geprüft", "idempotencyKey": unique("x") }),
        );
        assert_eq!(
            office.refused(&signature(), claimed).await,
            refusal("INVALID_VALUE", "input.verification")
        );
        let ahead = with(
            &scan,
            &json!({ "signedOn": "2026-03-11", "idempotencyKey": unique("x") }),
        );
        assert_eq!(
            office.refused(&signature(), ahead).await,
            refusal("INVALID_VALUE", "input.signedOn")
        );
        crate::seen::nothing_unexplained(&room).await;
    }
);

in_jobcenter!(
    dissent_is_lack_of_unanimity_and_then_the_chair_decides,
    RECKLINGHAUSEN,
    |service: Arc<Service>, clock: Arc<Hand>| async move {
        let room = Room::of(service, clock);
        let body = room.vorstand().await;
        let author = room.member("stadt_small-1");
        let paper = room
            .in_session(&author, &body, &json!({ "matter": "BUDGET" }))
            .await;
        let against = with(
            &voting(&paper, "NO"),
            &json!({ "opinion": "Die Verteilung berücksichtigt die Altersstruktur nicht" }),
        );
        for kind in &VORSTAND[..4] {
            room.vote(&paper, &person(kind, 1), "YES").await;
        }
        let vote = room.member("stadt_large-1").done(&cast(), against).await["vote"].clone();
        assert_eq!(
            vote["opinion"],
            "Die Verteilung berücksichtigt die Altersstruktur nicht"
        );
        let dissent = room.closed(&paper).await;
        assert_eq!(
            json!([dissent["state"], dissent["decisions"]]),
            json!(["DISSENT", []])
        );

        // Four to one decides nothing, and neither does who has another seat or none.
        let office = room.office();
        let trail = crate::seen::denied(&room).await;
        for (who, code) in [
            (room.member("stadt_small-1"), "NOT_THE_DECIDER"),
            (
                room.service.person("office", "FACHBEREICHSLEITUNG"),
                "NOT_THE_DECIDER",
            ),
        ] {
            assert_eq!(
                who.refused(&decide(), deciding(&dissent, true)).await,
                refusal(code, "input.id")
            );
        }
        let tried = crate::seen::denied(&room).await.split_off(trail.len());
        let who: Vec<_> = tried
            .iter()
            .map(|(actor, action, _)| format!("{actor} {action}"))
            .collect();
        assert_eq!(who, ["stadt_small-1 DISSENT_DECIDE", "office DISSENT_DECIDE"]);
        // The deputy chair stands in for the chair, and says why.
        let deputy = room.member("fachbereichsleitung-1");
        assert_eq!(
            deputy.refused(&decide(), deciding(&dissent, true)).await,
            refusal("REQUIRED", "input.standInReason")
        );
        let chair = room.member("landrat-1");
        assert_eq!(
            room.seen(&chair, &dissent).await["permissions"],
            json!(["PAPER_READ", "DISSENT_DECIDE"])
        );
        let silent = with(&deciding(&dissent, true), &json!({ "reason": " " }));
        assert_eq!(
            chair.refused(&decide(), silent).await,
            refusal("REQUIRED", "input.reason")
        );
        let decided = chair.done(&decide(), deciding(&dissent, false)).await["paper"].clone();
        let decision = &decided["decisions"][0];
        assert_eq!(
            json!([
                decided["state"],
                decision["outcome"],
                decision["decidedBy"],
                decision["dissent"],
                decision["yes"],
                decision["no"],
                decision["reason"],
                decision["standInReason"],
                decision["recordedBy"]
            ]),
            json!([
                "DECIDED",
                "REJECTED",
                "CHAIR",
                true,
                4,
                1,
                "Die Frist läuft ab",
                null,
                "landrat-1"
            ])
        );
        assert_eq!(
            chair.refused(&decide(), deciding(&decided, true)).await,
            refusal("PAPER_STATE", "input.id")
        );

        // The deputy chair, for the chair who is ill.
        let paper = room.in_session(&author, &body, &json!({})).await;
        room.votes(&paper, ["ABSTAIN", "YES", "NO", "YES", "YES"]).await;
        let dissent = room.closed(&paper).await;
        let standing_in = with(
            &deciding(&dissent, true),
            &json!({ "standInReason": "Der Landrat ist erkrankt" }),
        );
        let decided = deputy.done(&decide(), standing_in).await["paper"].clone();
        assert_eq!(
            json!([
                decided["decisions"][0]["decidedBy"],
                decided["decisions"][0]["standInReason"],
                decided["decisions"][0]["recordedBy"]
            ]),
            json!(["CHAIR", "Der Landrat ist erkrankt", "fachbereichsleitung-1"])
        );

        // Or they find a compromise: another edition, called anew, and nobody has voted on it yet.
        let paper = room.in_session(&author, &body, &json!({})).await;
        room.votes(&paper, ["YES", "YES", "YES", "YES", "NO"]).await;
        let dissent = room.closed(&paper).await;
        let revised = author
            .done(&revise(), revision(&dissent, "Mit Altersstruktur."))
            .await["paper"]
            .clone();
        assert_eq!(
            json!([revised["state"], revised["edition"]["number"]]),
            json!(["SUBMITTED", 2])
        );
        let paper = room.opened(&revised).await;
        room.votes(&paper, ["YES"; 5]).await;
        let decided = room.closed(&paper).await;
        assert_eq!(
            json!([
                decided["decisions"][0]["decidedBy"],
                decided["decisions"][0]["yes"],
                decided["round"]
            ]),
            json!(["CONSENSUS", 5, 2])
        );
        let data = office
            .data(
                "query($id: ID!) { node(id: $id) { ... on Paper { votes { round edition } editions { number } } } }",
                json!({ "id": decided["id"] }),
            )
            .await;
        assert_eq!(data["node"]["votes"].as_array().unwrap().len(), 10);
        assert_eq!(data["node"]["editions"].as_array().unwrap().len(), 2);
        crate::seen::nothing_unexplained(&room).await;
    }
);

/// Seats the Steuerungsgruppe: the Kreis, the equal opportunities officer, three Städte.
async fn steuerungsgruppe(room: &Room) -> (serde_json::Value, Vec<String>) {
    let body = room.body("STEUERUNGSGRUPPE").await;
    let mut people = Vec::new();
    for (kind, place) in [
        ("KREIS", 1),
        ("GLEICHSTELLUNG", 1),
        ("STADT", 1),
        ("STADT", 2),
        ("STADT", 3),
    ] {
        room.seat(&body, kind, place, None).await;
        people.push(person(kind, place));
    }
    (body, people)
}

in_jobcenter!(
    in_ennepe_ruhr_nobody_overrules_a_stadt_in_its_own_matters,
    ENNEPE_RUHR,
    |service: Arc<Service>, clock: Arc<Hand>| async move {
        let room = Room::of(service, clock);
        let (body, people) = steuerungsgruppe(&room).await;
        assert_eq!(body["reservedMatters"], json!(["PERSONNEL", "ORGANISATION"]));
        let author = room.member("kreis-1");
        let mut outcomes = Vec::new();
        for matter in ["PERSONNEL", "ORGANISATION", "PRINCIPLE"] {
            let paper = room
                .in_session(&author, &body, &json!({ "matter": matter }))
                .await;
            for who in &people {
                let choice = if who == "stadt-2" { "NO" } else { "YES" };
                room.vote(&paper, who, choice).await;
            }
            let closed = room.closed(&paper).await;
            if closed["state"] == "DISSENT" {
                let decided = author.done(&decide(), deciding(&closed, true)).await["paper"].clone();
                outcomes.push(json!([decided["state"], decided["decisions"][0]["decidedBy"]]));
            } else {
                assert_eq!(
                    author.refused(&decide(), deciding(&closed, true)).await,
                    refusal("PAPER_STATE", "input.id")
                );
                let decision = &closed["decisions"][0];
                assert_eq!(
                    json!([decision["outcome"], decision["dissent"], decision["no"]]),
                    json!(["NONE", true, 1])
                );
                outcomes.push(json!([closed["state"], decision["decidedBy"]]));
            }
        }
        assert_eq!(
            json!(outcomes),
            json!([["UNDECIDED", "NONE"], ["UNDECIDED", "NONE"], ["DECIDED", "KREIS"]])
        );
        // Nobody else's matter either.
        let wrong = paper(&body, &json!({ "matter": "PROGRAMME" }));
        assert_eq!(
            author.refused(&submit(), wrong).await,
            refusal("MATTER_NOT_OF_BODY", "input.matter")
        );

        // The Beirat gives advice, of whatever mind it is.
        let beirat = room.body("ARBEITSMARKTBEIRAT").await;
        for place in 1..=3 {
            room.seat(&beirat, "MITGLIED", place, None).await;
        }
        let paper = room
            .in_session(
                &room.member("mitglied-1"),
                &beirat,
                &json!({ "matter": "PROGRAMME" }),
            )
            .await;
        for (place, choice) in [(1, "YES"), (2, "NO"), (3, "NO")] {
            room.vote(&paper, &person("MITGLIED", place), choice).await;
        }
        let advised = room.closed(&paper).await;
        assert_eq!(
            json!([
                advised["state"],
                advised["decisions"][0]["outcome"],
                advised["decisions"][0]["decidedBy"],
                advised["decisions"][0]["no"]
            ]),
            json!(["ADVISED", "ADVISED", "NONE", 2])
        );
    }
);

in_jobcenter!(
    the_leitung_decides_and_the_next_session_is_told,
    ENNEPE_RUHR,
    |service: Arc<Service>, clock: Arc<Hand>| async move {
        let room = Room::of(service, clock);
        let (steering, _) = steuerungsgruppe(&room).await;
        let body = room.body("LEITUNGSGRUPPE").await;
        let kinds = [
            ("LEITUNG", 1),
            ("SACHGEBIETSLEITUNG", 1),
            ("REGIONALSTELLENLEITUNG", 1),
            ("REGIONALSTELLENLEITUNG", 2),
        ];
        for (kind, place) in kinds {
            room.seat(&body, kind, place, None).await;
        }
        let author = room.member("regionalstellenleitung-1");
        let leitung = room.member("leitung-1");
        let paper = room
            .in_session(&author, &body, &json!({ "matter": "OPERATIONS" }))
            .await;
        for (kind, place) in kinds {
            let choice = if place == 2 { "NO" } else { "YES" };
            room.vote(&paper, &person(kind, place), choice).await;
        }
        let dissent = room.closed(&paper).await;
        let outside = room.member("stadt-1");
        assert_eq!(numbers(&outside).await, [json!(null); 0]);
        let decided = leitung.done(&decide(), deciding(&dissent, true)).await["paper"].clone();
        let decision = &decided["decisions"][0];
        assert_eq!(
            json!([
                decision["decidedBy"],
                decision["tells"]["key"],
                decision["toldAtSession"]
            ]),
            json!(["LEITUNG", "STEUERUNGSGRUPPE", null])
        );
        // The Steuerungsgruppe sees it from then on, and is told at the next session that is called.
        assert_eq!(numbers(&outside).await, [decided["number"].clone()]);
        let next = room
            .submitted(&outside, &steering, &json!({ "matter": "PRINCIPLE" }))
            .await;
        let called = room.call(&next, room.now() + 10 * DAY).await;
        let told = room.seen(&outside, &decided).await;
        assert_eq!(told["decisions"][0]["toldAtSession"], called["sessionAt"]);
        let list = "query($filter: DecisionFilter) { decisions(filter: $filter) { totalCount edges { node { outcome paper { number } } } } }";
        let data = outside
            .data(list, json!({ "filter": { "tells": steering["id"] } }))
            .await;
        assert_eq!(
            json!(nodes(&data["decisions"])),
            json!([{ "outcome": "ADOPTED", "paper": { "number": decided["number"] } }])
        );
        // It is told once.
        let called = room.call(&called, room.now() + 12 * DAY).await;
        let still = room.seen(&outside, &decided).await;
        assert_ne!(still["decisions"][0]["toldAtSession"], called["sessionAt"]);
        // What was decided in consensus is told to nobody.
        let paper = room
            .in_session(&author, &body, &json!({ "matter": "OPERATIONS" }))
            .await;
        for (kind, place) in kinds {
            room.vote(&paper, &person(kind, place), "YES").await;
        }
        let decided = room.closed(&paper).await;
        assert_eq!(decided["decisions"][0]["tells"], json!(null));
        crate::seen::nothing_unexplained(&room).await;
    }
);

/// Both sides of a parity committee vote; what comes of it.
async fn parity(room: &Room, body: &serde_json::Value, choices: [&str; 6]) -> serde_json::Value {
    let author = room.member("agentur-1");
    let paper = room
        .in_session(&author, body, &json!({ "matter": "PROGRAMME" }))
        .await;
    let seats = ["KOMMUNE", "AGENTUR"]
        .into_iter()
        .flat_map(|kind| (1..=3).map(move |place| (kind, place)));
    for ((kind, place), choice) in seats.zip(choices) {
        room.vote(&paper, &person(kind, place), choice).await;
    }
    room.closed(&paper).await
}

async fn kooperationsausschuss(room: &Room) -> serde_json::Value {
    let body = room.body("KOOPERATIONSAUSSCHUSS").await;
    for kind in ["KOMMUNE", "AGENTUR"] {
        for place in 1..=3 {
            room.seat(&body, kind, place, None).await;
        }
    }
    body
}

in_jobcenter!(
    a_tie_in_a_parity_committee_is_no_decision,
    KOOPERATIV,
    |service: Arc<Service>, clock: Arc<Hand>| async move {
        let room = Room::of(service, clock);
        let body = kooperationsausschuss(&room).await;
        let tie = parity(&room, &body, ["YES", "YES", "YES", "NO", "NO", "NO"]).await;
        assert_eq!(
            json!([
                tie["state"],
                tie["decisions"][0]["outcome"],
                tie["decisions"][0]["decidedBy"]
            ]),
            json!(["UNDECIDED", "NONE", "NONE"])
        );
        // It may be called again: the votes of before count no more.
        let again = room.opened(&tie).await;
        assert_eq!(
            room.office().refused(&close(), version(&again)).await,
            refusal("VOTING_RUNS", "input.id")
        );
        for kind in ["KOMMUNE", "AGENTUR"] {
            for place in 1..=3 {
                room.vote(&again, &person(kind, place), "YES").await;
            }
        }
        let decided = room.closed(&again).await;
        let by: Vec<_> = decided["decisions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|decision| decision["decidedBy"].clone())
            .collect();
        assert_eq!(
            json!([decided["state"], by]),
            json!(["DECIDED", ["NONE", "CONSENSUS"]])
        );
        let most = parity(&room, &body, ["YES", "YES", "YES", "YES", "NO", "NO"]).await;
        assert_eq!(
            json!([
                most["decisions"][0]["outcome"],
                most["decisions"][0]["decidedBy"],
                most["decisions"][0]["dissent"]
            ]),
            json!(["ADOPTED", "MAJORITY", true])
        );
    }
);

in_jobcenter!(
    the_chair_settles_a_tie_where_that_is_set,
    [
        (PRESET, "kooperativ"),
        ("PRUEFPFAD__DECISIONS__CASTING_VOTE", "true")
    ],
    |service: Arc<Service>, clock: Arc<Hand>| async move {
        let room = Room::of(service, clock);
        let body = kooperationsausschuss(&room).await;
        assert_eq!(body["rules"]["castingVote"], true);
        let tie = parity(&room, &body, ["NO", "NO", "NO", "YES", "YES", "YES"]).await;
        assert_eq!(
            json!([
                tie["state"],
                tie["decisions"][0]["outcome"],
                tie["decisions"][0]["decidedBy"]
            ]),
            json!(["DECIDED", "REJECTED", "CHAIR"])
        );
    }
);
