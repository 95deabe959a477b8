//! Votes that do not count, and calls that do not hold.

use std::sync::Arc;

use serde_json::json;
use tests::story::with;
use tests::{Hand, Service, unique};

use crate::in_jobcenter;
use crate::room::*;

in_jobcenter!(
    who_votes_and_who_does_not,
    RECKLINGHAUSEN,
    |service: Arc<Service>, clock: Arc<Hand>| async move {
        let room = Room::of(service, clock);
        let body = room.vorstand().await;
        let author = room.service.head();
        let submitted = room.submitted(&author, &body, &json!({})).await;
        let paper = room.call(&submitted, room.now() + 8 * DAY).await;

        // Not before the session.
        let landrat = room.member("landrat-1");
        assert_eq!(
            landrat.refused(&cast(), voting(&paper, "YES")).await,
            refusal("VOTING_NOT_BEGUN", "input.paperId")
        );
        room.clock.set(room.now() + 8 * DAY);

        // Who has no seat: the office sees the paper, somebody else does not.
        let before = crate::seen::denied(&room).await.len();
        assert_eq!(
            room.office().refused(&cast(), voting(&paper, "YES")).await,
            refusal("NOT_A_MEMBER", "input.paperId")
        );
        assert_eq!(
            room.member("jemand")
                .refused(&cast(), voting(&paper, "YES"))
                .await,
            refusal("NOT_FOUND", "input.paperId")
        );
        // Who wrote it is no member: the head of the Innenrevision has no right to vote at all.
        let input = json!({ "input": voting(&paper, "YES") });
        assert_eq!(author.codes(&cast(), input).await, ["FORBIDDEN"]);
        let denied = crate::seen::denied(&room).await.split_off(before);
        assert_eq!(
            denied,
            [
                (
                    "office".to_owned(),
                    "PAPER_VOTE".to_owned(),
                    "{\"reason\":\"NOT_A_MEMBER\"}".to_owned()
                ),
                ("head".to_owned(), "PAPER_VOTE".to_owned(), "null".to_owned()),
            ]
        );

        // Twice, and again under the same key.
        let first = voting(&paper, "YES");
        let vote = landrat.done(&cast(), first.clone()).await["vote"].clone();
        assert_eq!(
            json!([vote["seatKind"], vote["capacity"], vote["choice"]]),
            json!(["LANDRAT", "MEMBER", "YES"])
        );
        assert_eq!(landrat.done(&cast(), first.clone()).await["vote"], vote);
        assert_eq!(
            landrat
                .refused(&cast(), with(&first, &json!({ "choice": "NO" })))
                .await,
            refusal("IDEMPOTENCY_KEY_REUSED", "input.idempotencyKey")
        );
        assert_eq!(
            landrat.refused(&cast(), voting(&paper, "NO")).await,
            refusal("SEAT_HAS_VOTED", "input.paperId")
        );

        // The deputy votes; then the member does, and only that counts; then the deputy no more.
        let deputy = room.vote(&paper, "buergermeister", "NO").await;
        assert_eq!(
            json!([deputy["seatKind"], deputy["capacity"]]),
            json!(["STADT_LARGE", "DEPUTY"])
        );
        assert_eq!(
            room.member("buergermeister")
                .refused(&cast(), voting(&paper, "YES"))
                .await,
            refusal("SEAT_HAS_VOTED", "input.paperId")
        );
        room.vote(&paper, "stadt_large-1", "YES").await;

        // Whoever lost the seat meanwhile does not vote, and the successor does.
        let seats = "query($id: ID!) { node(id: $id) { ... on Body { seats { id kind version } } } }";
        let data = room.office().data(seats, json!({ "id": body["id"] })).await;
        let of = |kind: &str| {
            let seats = data["node"]["seats"].as_array().unwrap();
            seats.iter().find(|seat| seat["kind"] == kind).unwrap().clone()
        };
        for kind in ["STADT_SMALL", "LANDRAT"] {
            let input = with(&version(&of(kind)), &json!({ "reason": "Wahl" }));
            let released = room.office().done(&release_seat(), input.clone()).await["seat"].clone();
            assert_eq!(released["permissions"], json!(["PAPER_READ"]));
            assert_eq!(
                room.office().refused(&release_seat(), input).await,
                refusal("SEAT_RELEASED", "input.id")
            );
        }
        assert_eq!(
            room.member("stadt_small-1")
                .refused(&cast(), voting(&paper, "NO"))
                .await,
            refusal("NOT_FOUND", "input.paperId")
        );
        for kind in ["STADT_SMALL", "LANDRAT"] {
            let input = json!({
                "bodyId": body["id"], "kind": kind, "holder": format!("neu-{kind}"), "namedBy": "Wahl",
                "idempotencyKey": unique("s"),
            });
            room.office().done(&seat_member(), input).await;
        }
        room.vote(&paper, "neu-STADT_SMALL", "YES").await;
        // The seat of the Landrat has voted.
        assert_eq!(
            room.member("neu-LANDRAT")
                .refused(&cast(), voting(&paper, "NO"))
                .await,
            refusal("SEAT_HAS_VOTED", "input.paperId")
        );

        // The count waits for the others, or for the end.
        assert_eq!(
            room.office().refused(&close(), version(&paper)).await,
            refusal("VOTING_RUNS", "input.id")
        );
        room.clock.set(room.now() + DAY);
        assert_eq!(
            room.member("stadt_medium-1")
                .refused(&cast(), voting(&paper, "NO"))
                .await,
            refusal("VOTING_ENDED", "input.paperId")
        );
        let decided = room.closed(&paper).await;
        let decision = &decided["decisions"][0];
        assert_eq!(
            json!([
                decision["decidedBy"],
                decision["yes"],
                decision["no"],
                decision["silent"]
            ]),
            json!(["CONSENSUS", 3, 0, 2])
        );
        crate::seen::nothing_unexplained(&room).await;
    }
);

in_jobcenter!(a_changed_paper_is_another_one, RECKLINGHAUSEN, |service: Arc<
    Service,
>,
                                                               clock: Arc<
    Hand,
>| async move {
    let room = Room::of(service, clock);
    let body = room.vorstand().await;
    let author = room.member("stadt_small-1");
    let paper = room.in_session(&author, &body, &json!({})).await;
    room.vote(&paper, "landrat-1", "YES").await;
    let other = room.member("stadt_medium-1");
    assert_eq!(
        other
            .refused(&revise(), revision(&paper, "Mein Vorschlag."))
            .await,
        refusal("PAPER_NOT_OWN", "input.id")
    );
    let stale = with(&revision(&paper, "Anders."), &json!({ "expectedVersion": 1 }));
    assert_eq!(
        author.refused(&revise(), stale).await,
        refusal("STALE_VERSION", "input.expectedVersion")
    );
    let revised = author
        .done(
            &revise(),
            revision(&paper, "Der Prüfplan wird mit Änderungen beschlossen."),
        )
        .await["paper"]
        .clone();
    assert_ne!(revised["contentHash"], paper["contentHash"]);
    assert_eq!(revised["state"], "SUBMITTED");
    // A vote on what was read before is refused, before the next call and after it.
    assert_eq!(
        room.member("landrat-1")
            .refused(&cast(), voting(&paper, "YES"))
            .await,
        refusal("PAPER_CHANGED", "input.contentHash")
    );
    let called = room.opened(&revised).await;
    let old = with(
        &voting(&called, "YES"),
        &json!({ "contentHash": paper["contentHash"] }),
    );
    assert_eq!(
        room.member("landrat-1").refused(&cast(), old).await,
        refusal("PAPER_CHANGED", "input.contentHash")
    );
    // The first vote counts no more.
    for who in ["stadt_small-1", "stadt_medium-1"] {
        room.vote(&called, who, "YES").await;
    }
    room.clock.set(room.now() + DAY);
    assert_eq!(
        room.office().refused(&close(), version(&called)).await,
        refusal("VOTES_TOO_FEW", "input.id")
    );
    let same = json!({ "title": "Prüfplan 2027", "motion": "Der Prüfplan wird mit Änderungen beschlossen." });
    let same = with(&version(&called), &json!({ "content": same }));
    assert_eq!(
        author.refused(&revise(), same).await,
        refusal("PAPER_UNCHANGED", "input.content")
    );
});

in_jobcenter!(
    short_notice_holds_where_everybody_waives_the_period,
    RECKLINGHAUSEN,
    |service: Arc<Service>, clock: Arc<Hand>| async move {
        let room = Room::of(service, clock);
        let body = room.vorstand().await;
        let author = room.member("stadt_small-1");
        let submitted = room.submitted(&author, &body, &json!({})).await;
        let past = with(&version(&submitted), &json!({ "sessionAt": at(room.now() - 1) }));
        assert_eq!(
            room.office().refused(&call(), past).await,
            refusal("SESSION_PAST", "input.sessionAt")
        );
        let reversed = json!({ "sessionAt": at(room.now() + DAY), "votesUntil": at(room.now() + DAY) });
        assert_eq!(
            room.office()
                .refused(&call(), with(&version(&submitted), &reversed))
                .await,
            refusal("SESSION_PAST", "input.sessionAt")
        );
        let mut states = Vec::new();
        let mut paper = submitted;
        for waived in [4, 5] {
            let called = room.call(&paper, room.now() + DAY).await;
            assert_eq!(called["shortNotice"], true);
            room.clock.set(room.now() + DAY);
            for (place, kind) in VORSTAND.into_iter().enumerate() {
                let vote = with(
                    &voting(&called, "YES"),
                    &json!({ "waivesCallingPeriod": place < waived }),
                );
                room.member(&person(kind, 1)).done(&cast(), vote).await;
            }
            let answer = room.office().payload(&close(), version(&called)).await;
            states.push(json!([answer["userErrors"][0]["code"], answer["paper"]["state"]]));
            paper = called;
        }
        assert_eq!(
            json!(states),
            json!([["CALLING_PERIOD", null], [null, "DECIDED"]])
        );
    }
);

in_jobcenter!(
    what_cannot_be_seated_or_submitted,
    [
        (PRESET, "recklinghausen"),
        ("PRUEFPFAD__DECISIONS__AUTHOR_VOTES", "false")
    ],
    |service: Arc<Service>, clock: Arc<Hand>| async move {
        let room = Room::of(service, clock);
        let body = room.vorstand().await;
        let office = room.office();
        let seat = |fields: serde_json::Value| {
            let input = json!({
                "bodyId": body["id"], "kind": "LANDRAT", "holder": "neu", "namedBy": "Wahl", "idempotencyKey": unique("s"),
            });
            with(&input, &fields)
        };
        for (fields, code, path) in [
            (json!({}), "SEAT_TAKEN", "input.place"),
            (json!({ "kind": "KOENIG" }), "SEAT_UNKNOWN", "input.kind"),
            (json!({ "place": 2 }), "SEAT_UNKNOWN", "input.kind"),
            (json!({ "place": 0 }), "SEAT_UNKNOWN", "input.kind"),
            (json!({ "holder": " " }), "REQUIRED", "input.holder"),
            (json!({ "deputy": "neu" }), "SEAT_PERSON_TWICE", "input.deputy"),
            (
                json!({ "bodyId": api::graphql::NodeKind::Body.id(uuid::Uuid::from_u128(7)).as_str() }),
                "NOT_FOUND",
                "input.bodyId",
            ),
        ] {
            assert_eq!(
                office.refused(&seat_member(), seat(fields.clone())).await,
                refusal(code, path),
                "{fields}"
            );
        }
        // Nobody has two seats, as member or deputy.
        let data = office
            .data(
                "query($id: ID!) { node(id: $id) { ... on Body { seats { id kind version } } } }",
                json!({ "id": body["id"] }),
            )
            .await;
        let first = &data["node"]["seats"][1];
        assert_eq!(first["kind"], "LANDRAT");
        office
            .done(
                &release_seat(),
                with(&version(first), &json!({ "reason": "Wahl" })),
            )
            .await;
        for holder in ["stadt_small-1", "buergermeister"] {
            assert_eq!(
                office
                    .refused(&seat_member(), seat(json!({ "holder": holder })))
                    .await,
                refusal("SEAT_PERSON_TWICE", "input.holder")
            );
        }
        let author = room.member("stadt_small-1");
        for (content, code, path) in [
            (json!({ "title": "" }), "REQUIRED", "input.content.title"),
            (json!({ "motion": " " }), "REQUIRED", "input.content.motion"),
            (
                json!({ "attachments": [{ "name": "a", "sha256": "00".repeat(32) }, { "name": "a", "sha256": "01".repeat(32) }] }),
                "ATTACHMENT_DOUBLED",
                "input.content.attachments.1.name",
            ),
            (
                json!({ "engagementId": api::graphql::NodeKind::Engagement.id(uuid::Uuid::from_u128(7)).as_str() }),
                "NOT_FOUND",
                "input.content.engagementId",
            ),
        ] {
            let usual = json!({ "title": "x", "motion": "y" });
            let input = paper(&body, &json!({ "content": with(&usual, &content) }));
            assert_eq!(
                author.refused(&submit(), input).await,
                refusal(code, path),
                "{content}"
            );
        }
        let input = paper(&body, &json!({}));
        let once = author.done(&submit(), input.clone()).await["paper"].clone();
        let again = author.done(&submit(), input.clone()).await["paper"].clone();
        assert_eq!(once["id"], again["id"]);
        assert_eq!(
            author
                .refused(&submit(), with(&input, &json!({ "matter": "BUDGET" })))
                .await,
            refusal("IDEMPOTENCY_KEY_REUSED", "input.idempotencyKey")
        );
        // Here nobody votes on a paper of their own.
        let paper = room.opened(&once).await;
        assert_eq!(
            author.refused(&cast(), voting(&paper, "YES")).await,
            refusal("AUTHOR_VOTES", "input.paperId")
        );
    }
);
