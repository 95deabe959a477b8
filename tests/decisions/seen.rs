//! Who sees papers, what is kept of them, and what it costs to ask.

use std::sync::Arc;

use audit::Ctx;
use audit::trail::rows::unexplained;
use entity::trail_entry;
use sea_orm::{ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _};
use serde_json::{Value, json};
use tests::story::{change, nodes, with};
use tests::{Hand, Service};

use crate::in_jobcenter;
use crate::room::*;

/// Denied attempts so far: who, what, and what is told of it.
pub(crate) async fn denied(room: &Room) -> Vec<(String, String, String)> {
    let rows = trail_entry::Entity::find()
        .filter(trail_entry::Column::Outcome.eq(trail_entry::Outcome::Denied))
        .order_by_asc(trail_entry::Column::Id)
        .all(room.service.db.reader())
        .await
        .unwrap();
    rows.into_iter()
        .map(|row| (row.actor, row.action, row.detail))
        .collect()
}

/// Every row is as the trail left it.
pub(crate) async fn nothing_unexplained(room: &Room) {
    let ctx = Ctx::system(room.service.sources.clone());
    let (found, rows) = unexplained(&ctx, &room.service.db).await.unwrap();
    assert_eq!(found, []);
    assert!(rows > 10, "{rows}");
}

in_jobcenter!(
    papers_are_seen_by_the_body_its_office_and_who_wrote_them,
    RECKLINGHAUSEN,
    |service: Arc<Service>, clock: Arc<Hand>| async move {
        let room = Room::of(service, clock);
        let body = room.vorstand().await;
        let controlling = room.service.person("controlling", "CONTROLLING");
        let head = room.service.head();
        let budget = room
            .in_session(&controlling, &body, &json!({ "matter": "BUDGET" }))
            .await;
        let opened = head
            .done(
                &change("openEngagement", "engagement { id }"),
                json!({
                    "title": "Leistungen 2025", "function": "INNENREVISION", "objective": "Rechtmäßigkeit",
                    "legalBasis": "§ 6b (4) SGB II", "periodFrom": "2025-01-01", "periodTo": "2025-12-31",
                    "idempotencyKey": "e",
                }),
            )
            .await;
        let citing = json!({ "title": "Prüfauftrag", "motion": "Der Auftrag wird erteilt.", "engagementId": opened["engagement"]["id"] });
        // Whoever may not see an engagement does not cite it.
        let input = paper(&body, &json!({ "content": citing }));
        assert_eq!(
            controlling.refused(&submit(), input.clone()).await,
            refusal("NOT_FOUND", "input.content.engagementId")
        );
        let audit = head.done(&submit(), input).await["paper"].clone();
        let both = [audit["number"].clone(), budget["number"].clone()];
        let none: [Value; 0] = [];
        let other = room.service.person("controlling-2", "CONTROLLING");
        let auditor = room.service.auditor();
        assert_eq!(numbers(&room.office()).await, both);
        assert_eq!(numbers(&room.member("stadt_small-1")).await, both);
        assert_eq!(numbers(&room.member("buergermeister")).await, both);
        assert_eq!(
            numbers(&room.service.person("stadt_large-1", "STADT_LEITUNG:09")).await,
            both
        );
        assert_eq!(numbers(&room.member("jemand")).await, none);
        assert_eq!(numbers(&controlling).await, both[1..]);
        assert_eq!(numbers(&other).await, none);
        assert_eq!(numbers(&head).await, both[..1]);
        assert_eq!(numbers(&auditor).await, none);
        assert_eq!(room.seen(&auditor, &audit).await, json!(null));
        // A Bezirksstelle has no right to see any, whoever asks; nor has who administers.
        for membership in [
            "BEZIRKSSTELLENLEITUNG:09",
            "SACHBEARBEITUNG:09",
            "ADMINISTRATION",
            "DATENSCHUTZ",
        ] {
            let person = room.service.person("landrat-1", membership);
            for list in [
                "{ papers { __typename } }",
                "{ decisions { __typename } }",
                "{ bodies { id } }",
            ] {
                assert_eq!(person.codes(list, json!({})).await, ["FORBIDDEN"], "{membership}");
            }
            assert_eq!(room.seen(&person, &audit).await, json!(null));
            let input = json!({ "input": version(&audit) });
            assert_eq!(person.codes(&close(), input).await, ["FORBIDDEN"]);
        }
        let denials = denied(&room).await;
        assert_eq!(
            denials.iter().filter(|(actor, ..)| actor == "landrat-1").count(),
            4
        );

        // What was decided on its matters the audit function sees.
        let called = room.opened(&audit).await;
        room.votes(&called, ["YES"; 5]).await;
        let decided = room.closed(&called).await;
        assert_eq!(numbers(&auditor).await, both[..1]);
        let list = "{ decisions { totalCount edges { node { id outcome body { key } permissions } } } }";
        let data = auditor.data(list, json!({})).await;
        assert_eq!(
            json!(nodes(&data["decisions"])),
            json!([{
                "id": decided["decisions"][0]["id"], "outcome": "ADOPTED", "body": { "key": "VORSTAND" },
                "permissions": ["PAPER_READ"],
            }])
        );
        // A decision on another matter is nobody's licence; that on this one is.
        let decision = api::graphql::NodeKind::Decision
            .parse(decided["decisions"][0]["id"].as_str().unwrap())
            .unwrap();
        let cited = async |matter| {
            let id = entity::DecisionId(decision);
            let found =
                audit::decision::adopted(room.service.db.reader(), id, matter, "input.decisionId").await;
            found.is_ok()
        };
        assert!(cited(entity::paper::Matter::Audit).await);
        assert!(!cited(entity::paper::Matter::Budget).await);
    }
);

in_jobcenter!(
    what_was_voted_and_decided_is_never_changed,
    RECKLINGHAUSEN,
    |service: Arc<Service>, clock: Arc<Hand>| async move {
        let room = Room::of(service, clock);
        let body = room.vorstand().await;
        let author = room.member("stadt_small-1");
        let paper = room.in_session(&author, &body, &json!({})).await;
        room.votes(&paper, ["YES"; 5]).await;
        let decided = room.closed(&paper).await;
        let input = json!({ "paperId": decided["id"], "expectedVersion": decided["version"], "text": "x", "idempotencyKey": "m" });
        let recorded = room.office().done(&minutes(), input).await;
        let scan = json!({
            "minutesId": recorded["minutes"]["id"], "kind": "SCAN", "fileHash": "00".repeat(32), "signer": "Landrat",
            "signedOn": "2026-03-10", "idempotencyKey": "s",
        });
        room.office().done(&signature(), scan).await;
        let owner = room.service.db.owner();
        for statement in [
            "UPDATE vote SET choice = 'NO'",
            "UPDATE decision SET outcome = 'REJECTED'",
            "UPDATE decision SET tells_body_id = body_id",
            "UPDATE paper SET state = 'SUBMITTED'",
            "UPDATE paper_edition SET motion = 'anders'",
            "UPDATE minutes SET text = 'anders'",
            "UPDATE signature SET kind = 'QUALIFIED', verification = 'x'",
            "UPDATE seat SET holder = 'anders'",
        ] {
            assert!(owner.execute_unprepared(statement).await.is_err(), "{statement}");
        }
        for table in [
            "signature",
            "minutes",
            "decision",
            "vote",
            "paper_edition",
            "paper",
            "seat",
            "body",
        ] {
            let statement = format!("DELETE FROM {table}");
            assert!(owner.execute_unprepared(&statement).await.is_err(), "{statement}");
        }
        nothing_unexplained(&room).await;
        // Rules that were changed past the service show.
        owner
            .execute_unprepared("UPDATE body SET rules = replace(rules, '7', '0')")
            .await
            .unwrap();
        let ctx = Ctx::system(room.service.sources.clone());
        let (found, _) = unexplained(&ctx, &room.service.db).await.unwrap();
        assert_eq!(found.iter().map(|one| one.kind).collect::<Vec<_>>(), ["Body"]);
    }
);

in_jobcenter!(
    a_page_of_papers_takes_as_many_statements_as_one_paper,
    RECKLINGHAUSEN,
    |service: Arc<Service>, clock: Arc<Hand>| async move {
        let room = Room::of(service, clock);
        let body = room.vorstand().await;
        let author = room.member("stadt_small-1");
        let all = "query($filter: PaperFilter) { papers(filter: $filter, first: 20) { edges { node { number body { key seats { holder } }
            edition { title } editions { number attachments { name sha256 } } votes { choice voter }
            decisions { outcome rules { quorum } body { key } } minutes { text } signatures { signer } rules { onDissent } permissions } } } }";
        let mut counts = Vec::new();
        for _ in 0..3 {
            let paper = room.in_session(&author, &body, &json!({})).await;
            room.votes(&paper, ["YES"; 5]).await;
            room.closed(&paper).await;
            let asked = room.service.statements(author.data(all, json!({})));
            let (data, statements) = asked.await;
            counts.push((nodes(&data["papers"]).len(), statements));
        }
        assert_eq!(counts, [(1, 10), (2, 10), (3, 10)]);
        // Filters.
        let open = room
            .submitted(&author, &body, &json!({ "matter": "BUDGET" }))
            .await;
        for (filter, count) in [
            (json!({ "states": ["DECIDED"] }), 3),
            (json!({ "states": ["SUBMITTED", "CALLED"] }), 1),
            (json!({ "matter": "BUDGET" }), 1),
            (json!({ "matter": "BUDGET", "states": ["DECIDED"] }), 0),
            (json!({ "body": body["id"] }), 4),
        ] {
            let data = author.data(all, json!({ "filter": filter })).await;
            assert_eq!(nodes(&data["papers"]).len(), count, "{filter}");
        }
        let wrong = json!({ "filter": { "body": open["id"] } });
        assert_eq!(author.codes(all, wrong).await, ["BAD_USER_INPUT"]);
        let document = with(&json!({}), &json!({ "filter": { "outcome": "ADOPTED" } }));
        let list = "query($filter: DecisionFilter) { decisions(filter: $filter, first: 2) { totalCount edges { node { paper { number } } } } }";
        let ((data, statements), expected) = (
            room.service.statements(author.data(list, document)).await,
            json!([3, 2]),
        );
        let found = nodes(&data["decisions"]).len();
        assert_eq!(json!([data["decisions"]["totalCount"], found]), expected);
        assert_eq!(statements, 3);
    }
);
