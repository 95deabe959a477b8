//! Access for people from outside, tried by them: what a grant opens, and where it ends.

#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use api::app;
use api::auth::{GrantToken, system_clock};
use api::graphql::NodeKind;
use audit::access::{Class, Classes};
use audit::grant::Details;
use chrono::TimeDelta;
use entity::grant::Coverage;
use entity::{EngagementId, GrantId, trail_entry};
use futures_util::{SinkExt as _, StreamExt as _};
use reqwest::{Method, StatusCode};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use serde_json::{Value, json};
use tests::grants::{RECIPIENT, commission, inspection, issue, issued, of, proposed, revoke};
use tests::story::{Audit, change, check, nodes, with};
use tests::{Person, Service, missing, next_message, on_both};
use tokio::io::AsyncWriteExt as _;

const LINES: [(&str, &str, i64); 4] = [
    ("a", "09", 100),
    ("b", "09", 200),
    ("c", "01", 300),
    ("d", "02", 400),
];

/// An engagement whose sample holds all of its four items.
async fn world(service: &Service) -> (Audit<'_>, Value) {
    let audit = Audit::small(service, &LINES).await;
    let sample = audit.drawn("alle", "SIMPLE_RANDOM", &json!({ "size": 4 })).await;
    (audit, sample)
}

/// Whether an item lies within a grant.
type Meets = fn(&Value) -> bool;

/// References of the items somebody sees.
async fn seen(person: &Person<'_>) -> BTreeSet<String> {
    let data = person
        .data(
            "{ sampleItems(first: 200) { edges { node { reference } } totalCount } }",
            json!({}),
        )
        .await["sampleItems"]
        .clone();
    let items = nodes(&data);
    assert_eq!(data["totalCount"], items.len());
    items
        .iter()
        .map(|item| item["reference"].as_str().unwrap().to_owned())
        .collect()
}

/// Who was refused what, newest first.
async fn denied(service: &Service) -> Vec<(String, String)> {
    let officer = service.person("dsb", "DATENSCHUTZ");
    let attempts = "{ deniedAttempts(first: 50) { edges { node { actor action } } } }";
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    nodes(&officer.data(attempts, json!({})).await["deniedAttempts"])
        .iter()
        .map(|one| (text(&one["actor"]), text(&one["action"])))
        .collect()
}

fn set(items: &[&str]) -> BTreeSet<String> {
    items.iter().map(|item| (*item).to_owned()).collect()
}

/// Status and reason of a request that is refused at the door.
async fn at_the_door(person: &Person<'_>) -> (u16, String) {
    let answer = person
        .request(Method::POST, "/graphql")
        .json(&json!({ "query": "{ viewer { subject } }" }))
        .send()
        .await
        .unwrap();
    let status = answer.status().as_u16();
    let body: Value = answer.json().await.unwrap();
    let reason = body["errors"][0]["extensions"]["reason"]
        .as_str()
        .unwrap_or("none");
    (status, reason.to_owned())
}

/// A token that the service signed by mistake: for anybody, with any details.
fn forged(service: &Service, subject: &str, grant: &Value, details: &Details) -> String {
    let issuer = app::grant_issuer(&service.settings).unwrap();
    let token = GrantToken {
        subject,
        name: "R. Prüfer",
        grant: GrantId(NodeKind::Grant.parse(grant["id"].as_str().unwrap()).unwrap()),
        details,
        bound_to: None,
        grant_ends: None,
    };
    issuer.issue(&token, system_clock()()).unwrap().0
}

/// All that can be said in details about some engagements.
fn everything(engagements: &[&str]) -> Details {
    Details {
        coverage: Coverage {
            engagements: engagements
                .iter()
                .map(|id| EngagementId(NodeKind::Engagement.parse(id).unwrap()))
                .collect(),
            bezirksstellen: None,
            period: None,
            funds: None,
        },
        classes: Classes::ALL,
    }
}

async fn bezirksstelle(person: &Person<'_>, number: &str) -> Value {
    let data = person.data("{ bezirksstellen { id number } }", json!({})).await;
    let all = data["bezirksstellen"].as_array().unwrap();
    all.iter().find(|place| place["number"] == number).unwrap()["id"].clone()
}

on_both!(an_inspection_from_proposal_to_revocation, |service| async move {
    let (audit, sample) = world(&service).await;
    let department = service.person("fachbereich", "FACHBEREICHSLEITUNG");
    let grant = proposed(&audit.head, inspection(&audit.engagement, &json!({}))).await;
    assert_eq!(grant["state"], "PROPOSED");

    // Nobody redeems what one person alone decided, and the same person does not decide twice.
    let (status, answer) = service.redeem(RECIPIENT, &grant, &json!({})).await;
    assert_eq!((status, &answer["error"]), (400, &json!("invalid_grant")));
    assert_eq!(
        audit.head.refused(&issue(), of(&grant)).await,
        [("GRANT_SAME_PERSON".to_owned(), "input.id".to_owned())]
    );
    let grant = department.done(&issue(), of(&grant)).await["grant"].clone();
    assert_eq!(grant["state"], "ISSUED");
    assert_eq!(
        department.refused(&issue(), of(&grant)).await,
        [("GRANT_DECIDED".to_owned(), "input.id".to_owned())]
    );

    // The person redeems it.
    let (status, answer) = service.redeem(RECIPIENT, &grant, &json!({})).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["token_type"], "Bearer");
    assert!((890..=900).contains(&answer["expires_in"].as_i64().unwrap()));
    assert_eq!(
        answer["authorization_details"],
        json!([{
            "type": "pruefpfad_engagement", "identifier": grant["id"], "engagements": [audit.engagement],
            "datatypes": ["PUBLIC", "INTERNAL", "AUDIT", "SOCIAL_DATA"],
        }])
    );
    let auditor = service.bearer(answer["access_token"].as_str().unwrap());
    let viewer = "{ viewer { subject membership { text } grant { number state readBudget engagements { number } basis { citation } } classes } }";
    let told = auditor.data(viewer, json!({})).await["viewer"].clone();
    assert_eq!(told["subject"], RECIPIENT);
    assert_eq!(told["membership"]["text"], "EXTERNAL_AUDITOR");
    assert_eq!(told["grant"]["number"], grant["number"]);
    assert_eq!(told["grant"]["readBudget"], 10_000);
    assert_eq!(told["grant"]["basis"]["citation"], "§ 6b (3) SGB II");
    assert_eq!(
        told["classes"],
        json!(["PUBLIC", "INTERNAL", "AUDIT", "SOCIAL_DATA"])
    );

    // Reads all of the engagement, announced or not; downloads; comments; writes nothing else.
    assert_eq!(seen(&auditor).await, set(&["a", "b", "c", "d"]));
    let document = "query($id: ID!) { engagement(id: $id) { state populations { sum } drawEvents { number }
        samples { edges { node { strata { size } evaluation(provisional: true) { items } } } }
        trail { edges { node { action membership } } } } }";
    let answer = auditor.graphql(document, json!({ "id": audit.engagement })).await;
    let engagement = &answer["data"]["engagement"];
    assert_eq!(engagement["populations"][0]["sum"], "10.00", "{answer}");
    assert_eq!(engagement["drawEvents"].as_array().unwrap().len(), 2);
    let download = auditor
        .request(Method::GET, "/exports/sample-items.csv")
        .send()
        .await
        .unwrap();
    assert_eq!(download.status(), StatusCode::OK);
    assert_eq!(download.text().await.unwrap().lines().count(), 5);
    let item = audit.items(&sample).await[0].clone();
    let comment = json!({
        "engagementId": audit.engagement, "sampleItemId": item["id"], "text": "Woher kommt der Beleg?", "idempotencyKey": "k",
    });
    let add = change(
        "addComment",
        "comment { id text authorName sampleItem { reference } }",
    );
    let added = auditor.done(&add, comment.clone()).await["comment"].clone();
    assert_eq!(added["authorName"], "R. Prüfer");
    assert_eq!(added["sampleItem"]["reference"], item["reference"]);
    assert_eq!(
        auditor.done(&add, comment.clone()).await["comment"]["id"],
        added["id"]
    );
    let other = with(&comment, &json!({ "text": "Etwas anderes" }));
    assert_eq!(auditor.refused(&add, other).await[0].0, "IDEMPOTENCY_KEY_REUSED");
    let comments = "query($id: ID!) { engagement(id: $id) { comments { edges { node { id text } } } } }";
    let read = audit
        .auditor
        .data(comments, json!({ "id": audit.engagement }))
        .await;
    assert_eq!(nodes(&read["engagement"]["comments"])[0]["id"], added["id"]);
    let attributes = audit.attributes().await;
    let record = with(
        &check(&item, "NONE", [0, 100, 0, 0], &attributes),
        &json!({ "idempotencyKey": "c" }),
    );
    let codes = auditor
        .codes(&change("recordCheck", "check { id }"), json!({ "input": record }))
        .await;
    assert_eq!(codes, ["FORBIDDEN"]);

    // Whatever was done names the grant.
    let id = NodeKind::Grant.parse(grant["id"].as_str().unwrap()).unwrap();
    let entries = trail_entry::Entity::find()
        .filter(trail_entry::Column::Membership.eq(format!("EXTERNAL_AUDITOR grant:{id}")))
        .all(service.db.reader())
        .await
        .unwrap();
    let actions: Vec<_> = entries.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(actions, ["COMMENT_WRITE", "CHECK_RECORD"]);

    // What was read under it is on record.
    let officer = service.person("dsb", "DATENSCHUTZ");
    let records = "query($id: ID!) { readRecords(filter: { grantId: $id }) { totalCount edges { node { actor membership grantId } } } }";
    let data = officer.data(records, json!({ "id": grant["id"] })).await["readRecords"].clone();
    assert!(data["totalCount"].as_i64().unwrap() > 2, "{data}");
    for record in nodes(&data) {
        let expected =
            json!({ "actor": RECIPIENT, "membership": "EXTERNAL_AUDITOR", "grantId": grant["id"] });
        assert_eq!(record, expected);
    }

    // Revoked: the next request is refused, and so is a socket that was open.
    let mut socket = auditor.subscribe().await;
    let end = json!({ "id": grant["id"], "expectedVersion": grant["version"], "reason": "Prüfung beendet" });
    let gone = audit.auditor.done(&revoke(), end.clone()).await["grant"].clone();
    assert_eq!(gone["state"], "REVOKED");
    assert_eq!(at_the_door(&auditor).await, (401, "GRANT_REVOKED".to_owned()));
    let download = auditor
        .request(Method::GET, "/exports/sample-items.csv")
        .send()
        .await
        .unwrap();
    assert_eq!(download.status(), StatusCode::UNAUTHORIZED);
    let closed = tokio::time::timeout(Duration::from_secs(10), async {
        loop {
            if let Some(Ok(tokio_tungstenite::tungstenite::Message::Close(frame))) = socket.next().await {
                return frame.unwrap();
            }
        }
    })
    .await
    .unwrap();
    assert_eq!(
        (u16::from(closed.code), closed.reason.as_str()),
        (4403, "UNAUTHENTICATED: GRANT_REVOKED")
    );
    let (status, answer) = service.redeem(RECIPIENT, &grant, &json!({})).await;
    assert_eq!((status, &answer["error"]), (400, &json!("invalid_grant")));
    // Who tried what after the end is told.
    let actions: Vec<_> = denied(&service).await;
    assert_eq!(
        actions,
        [
            (RECIPIENT.to_owned(), "GRANT_REDEEM".to_owned()),
            (RECIPIENT.to_owned(), "GRANT_USE".to_owned()),
            (RECIPIENT.to_owned(), "GRANT_USE".to_owned()),
            (RECIPIENT.to_owned(), "CHECK_RECORD".to_owned()),
            (RECIPIENT.to_owned(), "GRANT_REDEEM".to_owned()),
        ]
    );
    assert_eq!(
        audit
            .auditor
            .refused(
                &revoke(),
                with(&end, &json!({ "expectedVersion": gone["version"] }))
            )
            .await[0]
            .0,
        "GRANT_NOT_ISSUED"
    );
});

on_both!(a_commission_is_always_reviewed, |service| async move {
    let (audit, sample) = world(&service).await;
    let department = service.person("fachbereich", "FACHBEREICHSLEITUNG");
    // Nothing is issued to a body that is not public before its people are bound and instructed.
    let unbound = commission(&audit.engagement, &json!({ "verpflichtung": null }));
    let grant = proposed(&audit.auditor, unbound).await;
    assert_eq!(
        department.refused(&issue(), of(&grant)).await[0].0,
        "GRANT_VERPFLICHTUNG_MISSING"
    );
    let record = change(
        "recordGrantVerpflichtung",
        "grant { id version verpflichtung { on recordedBy } }",
    );
    let bound = |grant: &Value, instructed: Value| {
        with(
            &of(grant),
            &json!({ "verpflichtung": { "on": "2026-01-15", "text": "Fassung 3", "staffInstructedOn": instructed } }),
        )
    };
    let future = with(
        &of(&grant),
        &json!({ "verpflichtung": { "on": "2999-01-01", "text": " ", "staffInstructedOn": null } }),
    );
    let refused: BTreeSet<_> = audit.auditor.refused(&record, future).await.into_iter().collect();
    assert_eq!(
        refused,
        BTreeSet::from([
            ("INVALID_VALUE".to_owned(), "input.verpflichtung.on".to_owned()),
            ("REQUIRED".to_owned(), "input.verpflichtung.text".to_owned()),
        ])
    );
    let grant = audit.auditor.done(&record, bound(&grant, Value::Null)).await["grant"].clone();
    assert_eq!(
        department.refused(&issue(), of(&grant)).await[0].0,
        "GRANT_STAFF_NOT_INSTRUCTED"
    );
    let grant = audit
        .auditor
        .done(&record, bound(&grant, json!("2026-01-16")))
        .await["grant"]
        .clone();
    assert_eq!(grant["verpflichtung"]["recordedBy"], "auditor");
    // Where an auditor proposed, the head stands in for the Fachbereich.
    let grant = audit.head.done(&issue(), of(&grant)).await["grant"].clone();
    assert_eq!(
        audit.auditor.refused(&record, bound(&grant, Value::Null)).await[0].0,
        "GRANT_DECIDED"
    );

    let outsider = service.holder(&grant).await;
    assert_eq!(seen(&outsider).await, set(&["a", "b", "c", "d"]));
    let population = "query($id: ID!) { population(id: $id) { id } }";
    assert_eq!(
        outsider
            .codes(population, json!({ "id": audit.population }))
            .await,
        ["FORBIDDEN"]
    );

    // One check is planned, and one there is: by somebody from outside it is half of what is needed.
    let attributes = audit.attributes().await;
    let items = audit.items(&sample).await;
    let record = change("recordCheck", "check { tester }");
    let checked = async |person: &Person<'_>, item: &Value, key: &str| {
        let amount = tests::story::cents(&item["amount"]);
        let input = with(
            &check(item, "NONE", [0, amount, 0, 0], &attributes),
            &json!({ "idempotencyKey": key }),
        );
        person.payload(&record, input).await
    };
    let now = async |item: &Value| {
        let document = "query($id: ID!) { sampleItem(id: $id) { id amount state result version } }";
        outsider.data(document, json!({ "id": item["id"] })).await["sampleItem"].clone()
    };
    let first = checked(&outsider, &items[0], "1").await;
    assert_eq!(first["check"]["tester"], RECIPIENT, "{first}");
    let item = now(&items[0]).await;
    assert_eq!(
        (&item["state"], &item["result"]),
        (&json!("PARTLY_CHECKED"), &Value::Null)
    );
    let twice = checked(&outsider, &item, "2").await;
    assert_eq!(twice["userErrors"][0]["code"], "SECOND_CHECK_SAME_PERSON");
    checked(&audit.auditor, &item, "3").await;
    let item = now(&items[0]).await;
    assert_eq!(
        (&item["state"], &item["result"]),
        (&json!("CHECKED"), &json!("NO_ERROR"))
    );
    // Of what own staff checked already, nothing is left.
    checked(&audit.auditor, &items[1], "4").await;
    let item = now(&items[1]).await;
    assert_eq!(item["state"], "CHECKED");
    assert_eq!(
        checked(&outsider, &item, "5").await["userErrors"][0]["code"],
        "CHECKS_COMPLETE"
    );
    // Two from outside are none from here.
    let second = commission(&audit.engagement, &json!({ "recipientSubject": "zweite" }));
    let second = issued(&audit, second).await;
    let (_, answer) = service.redeem("zweite", &second, &json!({})).await;
    let second = service.bearer(answer["access_token"].as_str().unwrap());
    checked(&outsider, &items[2], "6").await;
    assert_eq!(
        checked(&second, &now(&items[2]).await, "7").await["userErrors"][0]["code"],
        "CHECKS_COMPLETE"
    );
    let close = change("closeEngagement", "engagement { id }");
    let input = json!({ "input": { "id": audit.engagement, "expectedVersion": 1, "note": "x" } });
    assert_eq!(outsider.codes(&close, input).await, ["FORBIDDEN"]);
});

on_both!(a_proposal_is_refused_where_it_has_to_be, |service| async move {
    let audit = Audit::small(&service, &LINES).await;
    let propose = change("proposeGrant", "grant { id number state version }");
    let refused = async |input: Value| audit.auditor.refused(&propose, input).await;
    let now = system_clock()();
    let days =
        |days: i64| json!((now + TimeDelta::days(days)).to_rfc3339_opts(chrono::SecondsFormat::Secs, true));
    let public = |fields: Value| inspection(&audit.engagement, &fields);
    let hired = |fields: Value| commission(&audit.engagement, &fields);
    let unknown = NodeKind::Engagement.id(uuid::Uuid::from_u128(7));
    for (input, code, path) in [
        (
            public(json!({ "basis": "BGB" })),
            "GRANT_BASIS_UNKNOWN",
            "input.basis",
        ),
        (
            public(json!({ "basis": "SGB2_6B_3", "kind": "COMMISSION", "contract": "x", "teamRole": "x" })),
            "GRANT_KIND_NOT_CARRIED",
            "input.kind",
        ),
        (
            public(json!({ "recipientSubject": "auditor" })),
            "GRANT_RECIPIENT_INVOLVED",
            "input.recipientSubject",
        ),
        (
            public(json!({ "recipientSubject": null })),
            "REQUIRED",
            "input.recipientSubject",
        ),
        (
            public(json!({ "recipientKey": "kurz" })),
            "INVALID_VALUE",
            "input.recipientKey",
        ),
        (
            public(json!({ "recipientName": " " })),
            "REQUIRED",
            "input.recipientName",
        ),
        (
            public(json!({ "purpose": "x".repeat(2_001) })),
            "TOO_LONG",
            "input.purpose",
        ),
        (
            public(json!({ "engagementIds": [] })),
            "REQUIRED",
            "input.engagementIds",
        ),
        (
            public(json!({ "engagementIds": [unknown.as_str()] })),
            "NOT_FOUND",
            "input.engagementIds.0",
        ),
        (
            public(json!({ "bezirksstelleIds": [] })),
            "REQUIRED",
            "input.bezirksstelleIds",
        ),
        (public(json!({ "funds": [] })), "REQUIRED", "input.funds"),
        (
            public(json!({ "periodFrom": "2025-02-01", "periodTo": "2025-01-01" })),
            "PERIOD_REVERSED",
            "input.periodTo",
        ),
        (
            public(json!({ "classes": ["BENCHMARK"] })),
            "GRANT_CLASS_NOT_GRANTABLE",
            "input.classes",
        ),
        (
            hired(json!({ "classes": ["AUDIT", "SOCIAL_DATA", "SPECIAL"] })),
            "GRANT_CLASS_NOT_GRANTABLE",
            "input.classes",
        ),
        (
            hired(json!({ "classes": ["AUDIT"] })),
            "REQUIRED",
            "input.classes",
        ),
        (hired(json!({ "contract": null })), "REQUIRED", "input.contract"),
        (
            public(json!({ "contract": "x" })),
            "INVALID_VALUE",
            "input.contract",
        ),
        (
            public(json!({ "expiresAt": days(91) })),
            "GRANT_TOO_LONG",
            "input.expiresAt",
        ),
        (
            public(json!({ "expiresAt": days(367), "retrievalProcedure": "Verfahren 3/2026" })),
            "GRANT_TOO_LONG",
            "input.expiresAt",
        ),
        (
            hired(json!({ "expiresAt": days(91), "retrievalProcedure": "Verfahren 3/2026" })),
            "GRANT_TOO_LONG",
            "input.expiresAt",
        ),
        (
            public(json!({ "expiresAt": days(-1) })),
            "PERIOD_REVERSED",
            "input.expiresAt",
        ),
        (
            public(json!({ "notBefore": days(400), "expiresAt": days(401) })),
            "INVALID_VALUE",
            "input.notBefore",
        ),
        (
            public(json!({ "readBudget": 0 })),
            "INVALID_VALUE",
            "input.readBudget",
        ),
        (
            public(json!({ "addresses": ["192.0.2.0/24", "irgendwo"] })),
            "INVALID_VALUE",
            "input.addresses.1",
        ),
    ] {
        assert_eq!(refused(input).await, [(code.to_owned(), path.to_owned())]);
    }

    // Standing access of a public body cites its recorded Abrufverfahren.
    let standing = public(json!({ "expiresAt": days(300), "retrievalProcedure": "Verfahren 3/2026" }));
    let grant = proposed(&audit.auditor, standing.clone()).await;
    let again = proposed(&audit.auditor, standing.clone()).await;
    assert_eq!(grant, again);
    let other = with(&standing, &json!({ "purpose": "anders" }));
    assert_eq!(refused(other).await[0].0, "IDEMPOTENCY_KEY_REUSED");

    // Who proposes does not issue, who receives does neither; versions count.
    let issue_codes = audit
        .auditor
        .codes(&issue(), json!({ "input": of(&grant) }))
        .await;
    assert_eq!(issue_codes, ["FORBIDDEN"]);
    let recipient = service.person(RECIPIENT, "FACHBEREICHSLEITUNG");
    assert_eq!(
        recipient.refused(&issue(), of(&grant)).await[0].0,
        "GRANT_RECIPIENT_INVOLVED"
    );
    let stale = with(&of(&grant), &json!({ "expectedVersion": 7 }));
    assert_eq!(audit.head.refused(&issue(), stale).await[0].0, "STALE_VERSION");
    let withdraw = change("withdrawGrant", "grant { id state version }");
    let reason = |grant: &Value, reason: &str| with(&of(grant), &json!({ "reason": reason }));
    assert_eq!(
        audit.auditor.refused(&withdraw, reason(&grant, " ")).await[0].0,
        "REASON_REQUIRED"
    );
    assert_eq!(
        audit.head.refused(&revoke(), reason(&grant, "x")).await[0].0,
        "GRANT_NOT_ISSUED"
    );
    let gone = audit.auditor.done(&withdraw, reason(&grant, "Irrtum")).await["grant"].clone();
    assert_eq!(gone["state"], "WITHDRAWN");
    assert_eq!(
        audit.head.refused(&issue(), of(&gone)).await[0].0,
        "GRANT_DECIDED"
    );

    // Nothing is extended; only a public body has end and budget lifted.
    let lift = change(
        "liftGrantLimits",
        "grant { id expiresAt readBudget state version }",
    );
    let hired = issued(&audit, hired(json!({}))).await;
    assert_eq!(
        audit.head.refused(&lift, reason(&hired, "mehr Zeit")).await[0].0,
        "GRANT_NOT_EXTENDABLE"
    );
    let public = issued(&audit, public(json!({}))).await;
    let lifted = audit
        .head
        .done(&lift, reason(&public, "Schreiben vom 3. März"))
        .await["grant"]
        .clone();
    assert_eq!(
        (&lifted["expiresAt"], &lifted["readBudget"], &lifted["state"]),
        (&Value::Null, &Value::Null, &json!("ISSUED"))
    );
    assert_eq!(
        audit.head.refused(&lift, reason(&gone, "x")).await[0].0,
        "GRANT_NOT_ISSUED"
    );
});

on_both!(what_lies_outside_a_grant_does_not_exist, |service| async move {
    let audit = Audit::demo(&service).await;
    let sample = audit
        .drawn("viele", "SIMPLE_RANDOM", &json!({ "size": 60 }))
        .await;
    let document = "query($id: ID!) { sampleItems(filter: { sample: $id }, first: 200) {
        edges { node { reference period ownStaff bezirksstelle { number } funds { bund kommune land eu } } } } }";
    let all = nodes(&audit.auditor.data(document, json!({ "id": sample["id"] })).await["sampleItems"]);
    // Own staff's items are nobody's who is not granted them by name.
    let all: BTreeMap<String, Value> = all
        .into_iter()
        .filter(|item| item["ownStaff"] == false)
        .map(|item| (item["reference"].as_str().unwrap().to_owned(), item))
        .collect();
    let place = bezirksstelle(&audit.auditor, "03").await;
    let month = |item: &Value| item["period"].as_str().unwrap_or_default().to_owned();
    let within: [(Value, Meets); 4] = [
        (json!({ "bezirksstelleIds": [place] }), |item| {
            item["bezirksstelle"]["number"] == "03"
        }),
        (json!({ "funds": ["KOMMUNE"] }), |item| {
            item["funds"]["kommune"] != "0.00"
        }),
        (
            json!({ "periodFrom": "2025-03-15", "periodTo": "2025-05-02" }),
            |item| {
                ["2025-03-01", "2025-04-01", "2025-05-01"]
                    .contains(&item["period"].as_str().unwrap_or_default())
            },
        ),
        (
            json!({ "bezirksstelleIds": [place], "funds": ["BUND"], "periodFrom": "2025-01-01", "periodTo": "2025-06-30" }),
            |item| {
                item["bezirksstelle"]["number"] == "03"
                    && item["funds"]["bund"] != "0.00"
                    && item["period"].as_str().unwrap_or_default() < "2025-07"
            },
        ),
    ];
    assert!(all.values().all(|item| !month(item).is_empty()));
    for (fields, meets) in within {
        let grant = issued(&audit, inspection(&audit.engagement, &fields)).await;
        let auditor = service.holder(&grant).await;
        let expected: BTreeSet<String> = all
            .iter()
            .filter(|(_, item)| meets(item))
            .map(|(reference, _)| reference.clone())
            .collect();
        assert!(expected.len() < all.len(), "{fields}");
        assert_eq!(seen(&auditor).await, expected, "{fields}");
        // A part of the items tells nothing of the whole.
        let whole =
            "query($id: ID!) { engagement(id: $id) { number drawEvents { number } samples { totalCount } } }";
        let data = auditor.data(whole, json!({ "id": audit.engagement })).await;
        assert_eq!(data["engagement"]["drawEvents"], json!([]));
        for document in [
            "query($id: ID!) { engagement(id: $id) { trail { edges { node { action } } } } }",
            "query($id: ID!) { engagement(id: $id) { populations { id } } }",
        ] {
            let codes = auditor.codes(document, json!({ "id": audit.engagement })).await;
            assert_eq!(codes, ["FORBIDDEN"], "{document}");
        }
    }
    // Not one of another engagement, by whatever name.
    let input = json!({
        "title": "Eine andere", "function": "INNENREVISION", "objective": "Rechtmäßigkeit",
        "legalBasis": "§ 6b (4) SGB II", "periodFrom": "2025-01-01", "periodTo": "2025-12-31", "idempotencyKey": "andere",
    });
    let other = audit
        .auditor
        .done(&change("openEngagement", "engagement { id number }"), input)
        .await["engagement"]
        .clone();
    let grant = issued(&audit, inspection(other["id"].as_str().unwrap(), &json!({}))).await;
    let auditor = service.holder(&grant).await;
    let document = "query($id: ID!, $sample: ID!) { engagement(id: $id) { id } node(id: $id) { id } sample(id: $sample) { id }
        engagements { totalCount edges { node { number } } } sampleItems { totalCount } }";
    let data = auditor
        .data(
            document,
            json!({ "id": audit.engagement, "sample": sample["id"] }),
        )
        .await;
    assert_eq!(
        data,
        json!({
            "engagement": null, "node": null, "sample": null, "sampleItems": { "totalCount": 0 },
            "engagements": { "totalCount": 1, "edges": [{ "node": { "number": other["number"] } }] },
        })
    );
    let comment = json!({ "engagementId": audit.engagement, "text": "x", "idempotencyKey": "k" });
    assert_eq!(
        auditor
            .refused(&change("addComment", "comment { id }"), comment)
            .await,
        [("NOT_FOUND".to_owned(), "input.engagementId".to_owned())]
    );
    // Classes the grant does not name are refused as a whole, before anything runs.
    let fields = json!({ "classes": ["SOCIAL_DATA"] });
    let grant = issued(&audit, inspection(&audit.engagement, &fields)).await;
    let auditor = service.holder(&grant).await;
    assert_eq!(seen(&auditor).await.len(), all.len());
    let codes = auditor
        .codes(
            "{ sampleItems { edges { node { reference state } } } }",
            json!({}),
        )
        .await;
    assert_eq!(codes, ["FORBIDDEN"]);
});

on_both!(
    a_grant_holds_in_its_time_and_from_its_places,
    |service| async move {
        let (audit, _) = world(&service).await;
        let engagement = audit.engagement.as_str();
        let at = |seconds: i64| {
            let time = system_clock()() + TimeDelta::seconds(seconds);
            json!(time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true))
        };
        let refusal = async |grant: &Value| {
            let (status, answer) = service.redeem(RECIPIENT, grant, &json!({})).await;
            assert_eq!((status, &answer["error"]), (400, &json!("invalid_grant")));
            answer["error_description"].as_str().unwrap().to_owned()
        };
        let door = async |grant: &Value| {
            let token = forged(&service, RECIPIENT, grant, &everything(&[engagement]));
            at_the_door(&service.bearer(&token)).await
        };

        let early = issued(&audit, inspection(engagement, &json!({ "notBefore": at(3_600) }))).await;
        assert!(refusal(&early).await.contains("not valid yet"));
        assert_eq!(door(&early).await, (401, "GRANT_NOT_YET_VALID".to_owned()));

        let elsewhere = issued(
            &audit,
            inspection(
                engagement,
                &json!({ "addresses": ["192.0.2.0/24", "2001:db8::1"] }),
            ),
        )
        .await;
        assert!(refusal(&elsewhere).await.contains("address"));
        assert_eq!(door(&elsewhere).await, (403, "GRANT_ADDRESS".to_owned()));
        let here = issued(
            &audit,
            inspection(engagement, &json!({ "addresses": ["127.0.0.0/8"] })),
        )
        .await;
        assert_eq!(seen(&service.holder(&here).await).await.len(), 4);

        let brief = issued(&audit, inspection(engagement, &json!({ "expiresAt": at(2) }))).await;
        let (_, answer) = service.redeem(RECIPIENT, &brief, &json!({})).await;
        assert!(answer["expires_in"].as_i64().unwrap() <= 2, "{answer}");
        tokio::time::sleep(Duration::from_millis(2_500)).await;
        assert!(refusal(&brief).await.contains("expired"));
        assert_eq!(door(&brief).await, (401, "GRANT_EXPIRED".to_owned()));
        let token = answer["access_token"].as_str().unwrap();
        assert_eq!(
            at_the_door(&service.bearer(token)).await,
            (401, "TOKEN_EXPIRED".to_owned())
        );
        let document = "query($id: ID!) { grant(id: $id) { state } }";
        let state = audit.auditor.data(document, json!({ "id": brief["id"] })).await;
        assert_eq!(state["grant"]["state"], "EXPIRED");
        let reason = with(&of(&brief), &json!({ "reason": "mehr Zeit" }));
        assert_eq!(
            audit
                .head
                .refused(&change("liftGrantLimits", "grant { id }"), reason)
                .await[0]
                .0,
            "GRANT_NOT_EXTENDABLE"
        );

        // For an audit of long ago: the engagement is closed, and stays as it is.
        let close = json!({ "id": engagement, "expectedVersion": 1, "note": "ohne Prüfung" });
        audit
            .head
            .done(&change("closeEngagement", "engagement { state }"), close)
            .await;
        let grant = issued(&audit, inspection(engagement, &json!({}))).await;
        let auditor = service.holder(&grant).await;
        assert_eq!(seen(&auditor).await.len(), 4);
        let comment = json!({ "engagementId": engagement, "text": "Spät gesehen", "idempotencyKey": "k" });
        auditor
            .done(&change("addComment", "comment { id }"), comment)
            .await;
    }
);

on_both!(a_read_budget_is_spent_once, |service| async move {
    let (audit, _) = world(&service).await;
    let grant = issued(&audit, inspection(&audit.engagement, &json!({ "readBudget": 3 }))).await;
    let auditor = service.holder(&grant).await;
    let list = "query($first: Int!) { sampleItems(first: $first) { edges { node { reference } } } }";
    let used = async || {
        let document = "query($id: ID!) { grant(id: $id) { readUsed state } }";
        audit.auditor.data(document, json!({ "id": grant["id"] })).await["grant"].clone()
    };
    assert_eq!(
        nodes(&auditor.data(list, json!({ "first": 2 })).await["sampleItems"]).len(),
        2
    );
    assert_eq!(used().await, json!({ "readUsed": 2, "state": "ISSUED" }));
    // What does not fit is not handed out in part.
    let answer = auditor.graphql(list, json!({ "first": 2 })).await;
    assert_eq!(answer["data"]["sampleItems"], Value::Null);
    assert_eq!(
        answer["errors"][0]["extensions"]["reason"],
        "GRANT_BUDGET_EXCEEDED"
    );
    assert!(
        answer["errors"][0]["message"]
            .as_str()
            .unwrap()
            .contains("1 left")
    );
    assert_eq!(used().await["readUsed"], 2);
    assert_eq!(
        denied(&service).await,
        [(RECIPIENT.to_owned(), "SENSITIVE_READ".to_owned())]
    );
    auditor.data(list, json!({ "first": 1 })).await;
    assert_eq!(used().await, json!({ "readUsed": 3, "state": "EXHAUSTED" }));
    assert_eq!(at_the_door(&auditor).await, (403, "GRANT_EXHAUSTED".to_owned()));
    // The public body has the budget lifted, and goes on.
    let lift = change("liftGrantLimits", "grant { readBudget }");
    let input = with(&of(&grant), &json!({ "reason": "Schreiben vom 3. März" }));
    audit.head.done(&lift, input).await;
    assert_eq!(seen(&auditor).await.len(), 4);
});

on_both!(token_and_stored_grant_both_hold, |service| async move {
    let (audit, _) = world(&service).await;
    let (here, there) = (
        bezirksstelle(&audit.auditor, "09").await,
        bezirksstelle(&audit.auditor, "01").await,
    );
    let fields = json!({ "bezirksstelleIds": [here, there] });
    let grant = issued(&audit, inspection(&audit.engagement, &fields)).await;
    assert_eq!(seen(&service.holder(&grant).await).await, set(&["a", "b", "c"]));

    // Less may be asked for, more may not.
    let less = json!({ "bezirksstellen": [there], "datatypes": ["PUBLIC", "INTERNAL", "SOCIAL_DATA"] });
    let (status, answer) = service.redeem(RECIPIENT, &grant, &less).await;
    assert_eq!(status, 200, "{answer}");
    let narrow = service.bearer(answer["access_token"].as_str().unwrap());
    assert_eq!(seen(&narrow).await, set(&["c"]));
    assert_eq!(
        narrow
            .codes("{ sampleItems { edges { node { state } } } }", json!({}))
            .await,
        ["FORBIDDEN"]
    );
    let elsewhere = bezirksstelle(&audit.auditor, "02").await;
    for more in [
        json!({ "bezirksstellen": [here, elsewhere] }),
        json!({ "engagements": [audit.engagement, NodeKind::Engagement.id(uuid::Uuid::from_u128(7)).as_str()] }),
        json!({ "datatypes": ["SPECIAL"] }),
        json!({ "datatypes": ["ALLES"] }),
        json!({ "bezirksstellen": [audit.engagement] }),
        json!({ "period_from": "2025-01-01" }),
        json!({ "type": "payment_initiation" }),
        json!({ "rechte": "alle" }),
    ] {
        let (status, answer) = service.redeem(RECIPIENT, &grant, &more).await;
        assert_eq!(
            (status, &answer["error"]),
            (400, &json!("invalid_authorization_details")),
            "{more}"
        );
    }
    // It was their grant: nothing was tried that was not theirs to try.
    let tried = denied(&service).await;
    assert!(
        tried.iter().all(|(_, action)| action != "GRANT_REDEEM"),
        "{tried:?}"
    );
    // A token that says more than the grant reaches what the grant reaches.
    let wide = forged(&service, RECIPIENT, &grant, &everything(&[&audit.engagement]));
    let wide = service.bearer(&wide);
    assert_eq!(seen(&wide).await, set(&["a", "b", "c"]));
    let classes = wide.data("{ viewer { classes } }", json!({})).await["viewer"]["classes"].clone();
    assert_eq!(classes, json!(["PUBLIC", "INTERNAL", "AUDIT", "SOCIAL_DATA"]));
    assert!(
        !everything(&[])
            .classes
            .beyond(Classes::of(&[Class::Audit]))
            .is_empty()
    );

    // Nobody else's: neither the log-in, nor a token in another's name, nor a grant nobody gave.
    let (status, answer) = service.redeem("jemand", &grant, &json!({})).await;
    assert_eq!((status, &answer["error"]), (400, &json!("invalid_grant")));
    let made_up = json!({ "id": NodeKind::Grant.id(uuid::Uuid::from_u128(7)).as_str() });
    assert_eq!(service.redeem(RECIPIENT, &made_up, &json!({})).await.1, answer);
    let others = forged(&service, "jemand", &grant, &everything(&[&audit.engagement]));
    assert_eq!(
        at_the_door(&service.bearer(&others)).await,
        (401, "GRANT_UNKNOWN".to_owned())
    );

    // What is no exchange.
    let (_, answer) = service.redeem(RECIPIENT, &grant, &json!({})).await;
    let chained = answer["access_token"].as_str().unwrap().to_owned();
    let login = service.token(RECIPIENT, &[]);
    let details = json!([{ "type": "pruefpfad_engagement", "identifier": grant["id"] }]).to_string();
    let exchange = "urn:ietf:params:oauth:grant-type:token-exchange";
    let kind = "urn:ietf:params:oauth:token-type:access_token";
    let form = [
        ("grant_type", exchange),
        ("subject_token", login.as_str()),
        ("subject_token_type", kind),
        ("authorization_details", details.as_str()),
    ];
    assert_eq!(service.exchange(&form).await.0, 200);
    let other = |place: usize, value: &'static str| {
        let mut form = form;
        form[place].1 = value;
        form
    };
    for (form, error) in [
        (other(0, "password"), "unsupported_grant_type"),
        (other(0, "client_credentials"), "invalid_dpop_proof"),
        (other(1, "x"), "invalid_request"),
        (
            other(2, "urn:ietf:params:oauth:token-type:id_token"),
            "invalid_request",
        ),
        (other(3, "[]"), "invalid_authorization_details"),
        (other(3, "{"), "invalid_authorization_details"),
    ] {
        let (status, answer) = service.exchange(&form).await;
        assert_eq!((status, answer["error"].as_str()), (400, Some(error)));
    }
    let mut chain = form;
    chain[1].1 = &chained;
    assert_eq!(service.exchange(&chain).await.1["error"], "invalid_request");
    let twice: Vec<_> = form.iter().chain([&form[0]]).copied().collect();
    assert_eq!(service.exchange(&twice).await.1["error"], "invalid_request");
    let answer = service
        .http
        .post(format!("{}/oauth/token", service.address))
        .header("DPoP", "x")
        .json(&json!({}))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);

    // A grant that is bound to a key is not redeemed without it, whoever logs in.
    let key = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";
    let bound = issued(
        &audit,
        inspection(&audit.engagement, &json!({ "recipientKey": key })),
    )
    .await;
    let (status, answer) = service.redeem(RECIPIENT, &bound, &json!({})).await;
    assert_eq!((status, &answer["error"]), (400, &json!("invalid_grant")));
    assert!(answer["error_description"].as_str().unwrap().contains("key"));
    let stolen = forged(&service, RECIPIENT, &bound, &everything(&[&audit.engagement]));
    assert_eq!(
        at_the_door(&service.bearer(&stolen)).await,
        (401, "GRANT_KEY".to_owned())
    );
    // A grant for a key alone waits for somebody who shows it: no log-in redeems it.
    let fields =
        json!({ "recipientSubject": null, "recipientKey": "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs" });
    let keyed = issued(&audit, inspection(&audit.engagement, &fields)).await;
    let (status, answer) = service.redeem(RECIPIENT, &keyed, &json!({})).await;
    assert_eq!((status, &answer["error"]), (400, &json!("invalid_grant")));
});

/// What the verifier in Python says, which knows the documentation only. Nothing where Python is missing.
async fn roots(rows: &Value) -> Option<Value> {
    let named = std::env::var("PYTHON");
    let mut python = tokio::process::Command::new(named.as_deref().unwrap_or("python3"))
        .arg(format!("{}/oracles/visibility.py", env!("CARGO_MANIFEST_DIR")))
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .inspect_err(|error| {
            assert!(named.is_err(), "{error}");
            missing("python3");
        })
        .ok()?;
    let mut stdin = python.stdin.take().unwrap();
    stdin.write_all(rows.to_string().as_bytes()).await.unwrap();
    drop(stdin);
    let answer = python.wait_with_output().await.unwrap();
    assert!(answer.status.success());
    Some(serde_json::from_slice(&answer.stdout).unwrap())
}

on_both!(what_was_visible_can_be_shown_later, |service| async move {
    let (audit, sample) = world(&service).await;
    let items = audit.items(&sample).await;
    audit.check_truly(&items[..3]).await;
    let state = change("stateVisibility", "statement { at lists { list count root } }");
    let rows = "query($id: ID!) { engagement(id: $id) { id version populations { id version }
        samples { edges { node { id version } } } }
        sampleItems(first: 200) { edges { node { id version checks { id version } } } } }";
    let pair = |node: &Value| json!([node["id"], node["version"]]);
    let stated = |statement: &Value| -> Value {
        statement["lists"]
            .as_array()
            .unwrap()
            .iter()
            .map(|list| {
                let said = json!({ "count": list["count"], "root": list["root"] });
                (list["list"].as_str().unwrap().to_owned(), said)
            })
            .collect::<serde_json::Map<_, _>>()
            .into()
    };

    let grant = issued(&audit, inspection(&audit.engagement, &json!({}))).await;
    let auditor = service.holder(&grant).await;
    let data = auditor.data(rows, json!({ "id": audit.engagement })).await;
    let fetched = nodes(&data["sampleItems"]);
    let checks: Vec<Value> = fetched
        .iter()
        .flat_map(|item| item["checks"].as_array().unwrap())
        .map(pair)
        .collect();
    assert_eq!(checks.len(), 3);
    let engagement = &data["engagement"];
    let own = json!({
        "ENGAGEMENTS": [pair(engagement)],
        "SAMPLES": nodes(&engagement["samples"]).iter().map(pair).collect::<Vec<_>>(),
        "SAMPLE_ITEMS": fetched.iter().map(pair).collect::<Vec<_>>(),
        "CHECKS": checks,
        "POPULATIONS": engagement["populations"].as_array().unwrap().iter().map(pair).collect::<Vec<_>>(),
    });
    let statement = auditor.done(&state, json!({ "grantId": grant["id"] })).await["statement"].clone();
    if let Some(expected) = roots(&own).await {
        assert_eq!(stated(&statement), expected);
    }

    // Whoever administers grants states the same; it stands in the trail, with a proof from the log.
    let again = audit.head.done(&state, json!({ "grantId": grant["id"] })).await["statement"].clone();
    assert_eq!(stated(&again), stated(&statement));
    let trail = "query($id: ID!) { grant(id: $id) { trail { edges { node { action membership detail proof { text } } } } } }";
    let mut entries = Vec::new();
    for _ in 0..50 {
        entries = nodes(&auditor.data(trail, json!({ "id": grant["id"] })).await["grant"]["trail"]);
        if entries.iter().all(|entry| entry["proof"] != Value::Null) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let actions: Vec<_> = entries
        .iter()
        .map(|entry| entry["action"].as_str().unwrap())
        .collect();
    assert_eq!(
        actions,
        [
            "GRANT_PROPOSE",
            "GRANT_ISSUE",
            "GRANT_REDEEM",
            "VISIBILITY_STATE",
            "VISIBILITY_STATE"
        ]
    );
    assert!(
        entries.iter().all(|entry| entry["proof"]["text"].is_string()),
        "{entries:?}"
    );
    let kept: Value = serde_json::from_str(entries[3]["detail"].as_str().unwrap()).unwrap();
    assert_eq!(kept["lists"], statement["lists"]);

    // One more check, and it is another statement.
    audit.check_truly(&items[3..]).await;
    let later = auditor.done(&state, json!({ "grantId": grant["id"] })).await["statement"].clone();
    assert_ne!(stated(&later)["CHECKS"], stated(&statement)["CHECKS"]);
    assert_eq!(stated(&later)["POPULATIONS"], stated(&statement)["POPULATIONS"]);

    // A part of the items, without working papers.
    let fields = json!({ "bezirksstelleIds": [bezirksstelle(&audit.auditor, "09").await], "classes": ["SOCIAL_DATA"] });
    let part = issued(&audit, inspection(&audit.engagement, &fields)).await;
    let auditor = service.holder(&part).await;
    let rows = "{ sampleItems(first: 200) { edges { node { id } } } }";
    let fetched = nodes(&auditor.data(rows, json!({})).await["sampleItems"]);
    assert_eq!(fetched.len(), 2);
    let mut own = json!({ "ENGAGEMENTS": own["ENGAGEMENTS"], "SAMPLES": own["SAMPLES"] });
    own["SAMPLE_ITEMS"] = fetched.iter().map(|item| json!([item["id"], 0])).collect();
    let statement = auditor.done(&state, json!({ "grantId": part["id"] })).await["statement"].clone();
    if let Some(expected) = roots(&own).await {
        assert_eq!(stated(&statement), expected);
    }
    assert_eq!(
        auditor.refused(&state, json!({ "grantId": grant["id"] })).await,
        [("NOT_FOUND".to_owned(), "input.grantId".to_owned())]
    );
});

on_both!(nobody_learns_of_anothers_grant, |service| async move {
    let (audit, _) = world(&service).await;
    let first = issued(&audit, inspection(&audit.engagement, &json!({}))).await;
    let fields = json!({ "recipientSubject": "lrh-pruefer", "recipientBody": "Landesrechnungshof", "basis": "LHO_NRW_91" });
    let second = issued(&audit, inspection(&audit.engagement, &fields)).await;
    let one = service.holder(&first).await;
    let (_, answer) = service.redeem("lrh-pruefer", &second, &json!({})).await;
    let other = service.bearer(answer["access_token"].as_str().unwrap());
    let comment = json!({ "engagementId": audit.engagement, "text": "Nur für uns", "idempotencyKey": "k" });
    other.done(&change("addComment", "comment { id }"), comment).await;

    let document = "query($id: ID!, $engagement: ID!) { grant(id: $id) { number } node(id: $id) { id } grants { totalCount edges { node { id } } }
        engagement(id: $engagement) { comments { edges { node { text } } } trail(first: 200) { edges { node { action membership } } } } }";
    let seen = |grant: &Value| json!({ "id": grant["id"], "engagement": audit.engagement });
    let data = one.data(document, seen(&second)).await;
    assert_eq!((&data["grant"], &data["node"]), (&Value::Null, &Value::Null));
    assert_eq!(nodes(&data["grants"]), [json!({ "id": first["id"] })]);
    assert_eq!(nodes(&data["engagement"]["comments"]), Vec::<Value>::new());
    let told = data["engagement"]["trail"].to_string();
    assert!(!told.contains("COMMENT_WRITE") && !told.contains("lrh"), "{told}");
    let data = other.data(document, seen(&second)).await;
    assert_eq!(nodes(&data["engagement"]["comments"]).len(), 1);
    assert!(data["engagement"]["trail"].to_string().contains("COMMENT_WRITE"));
    // A proposal is not yet the recipient's to know.
    let proposed = proposed(&audit.auditor, inspection(&audit.engagement, &json!({}))).await;
    assert_eq!(one.data(document, seen(&proposed)).await["grant"], Value::Null);
    let staff = audit
        .auditor
        .data("{ grants { totalCount } grantBases { code } }", json!({}))
        .await;
    assert_eq!(staff["grants"]["totalCount"], 3);
    assert!(staff["grantBases"].as_array().unwrap().len() > 5);
});

on_both!(a_subscription_ends_with_its_grant, |service| async move {
    let (audit, _) = world(&service).await;
    let grant = issued(&audit, inspection(&audit.engagement, &json!({}))).await;
    let auditor = service.holder(&grant).await;
    let mut socket = auditor.subscribe().await;
    let query = |id: &str| {
        json!({ "type": "subscribe", "id": id, "payload": { "query": "{ viewer { subject } }" } })
            .to_string()
            .into()
    };
    socket.send(query("1")).await.unwrap();
    assert_eq!(
        next_message(&mut socket).await["payload"]["data"]["viewer"]["subject"],
        RECIPIENT
    );
    assert_eq!(next_message(&mut socket).await["type"], "complete");
    let end = with(&of(&grant), &json!({ "reason": "Widerruf" }));
    audit.head.done(&revoke(), end).await;
    // The next operation is refused at once, without waiting for a turn of the clock.
    socket.send(query("2")).await.unwrap();
    while let Some(Ok(message)) = socket.next().await {
        assert!(!message.is_text(), "{message}");
        if message.is_close() {
            return;
        }
    }
});

const EXTERNAL: &str = "{ sampleItems(first: 50) { edges { node { reference externalReads {
    body grantNumber basis firstAt lastAt answers downloads } } } } }";

/// What a Bezirksstelle is told of each of its items.
async fn told(person: &Person<'_>) -> BTreeMap<String, Vec<Value>> {
    let items = nodes(&person.data(EXTERNAL, json!({})).await["sampleItems"]);
    items
        .iter()
        .map(|item| {
            (
                item["reference"].as_str().unwrap().to_owned(),
                item["externalReads"].as_array().unwrap().clone(),
            )
        })
        .collect()
}

on_both!(
    a_bezirksstelle_is_told_afterwards_who_read_its_items,
    |service| async move {
        let (audit, sample) = world(&service).await;
        let announced = audit.items(&sample).await;
        let announced: Vec<_> = announced
            .iter()
            .filter(|item| item["reference"] != "b")
            .map(|item| item["id"].clone())
            .collect();
        let input = json!({ "sampleId": sample["id"], "itemIds": announced });
        audit
            .auditor
            .done(&change("announceSampleItems", "announced { count }"), input)
            .await;
        let local = service.person("sb", "SACHBEARBEITUNG:09");
        let elsewhere = service.person("dort", "BEZIRKSSTELLENLEITUNG:01");
        let nothing = BTreeMap::from([("a".to_owned(), Vec::<Value>::new())]);

        let whole = issued(&audit, inspection(&audit.engagement, &json!({}))).await;
        let part = bezirksstelle(&audit.auditor, "01").await;
        let there = json!({ "bezirksstelleIds": [part] });
        let there = issued(&audit, inspection(&audit.engagement, &there)).await;
        let secret = issued(
            &audit,
            inspection(&audit.engagement, &json!({ "readsWithheld": true })),
        )
        .await;
        for (grant, answers) in [(&whole, 2), (&there, 1), (&secret, 1)] {
            let holder = service.holder(grant).await;
            for _ in 0..answers {
                seen(&holder).await;
            }
            let download = holder
                .request(Method::GET, "/exports/sample-items.csv")
                .send()
                .await;
            assert!(download.unwrap().text().await.unwrap().lines().count() > 1);
        }
        // A download that kept to another Bezirksstelle held nothing of this one.
        let holder = service.holder(&whole).await;
        let elsewhere_only = format!(
            "/exports/sample-items.csv?bezirksstelle={}",
            part.as_str().unwrap()
        );
        let download = holder.request(Method::GET, &elsewhere_only).send().await;
        assert_eq!(download.unwrap().text().await.unwrap().lines().count(), 2);

        // While it goes on, nobody is told.
        assert_eq!(told(&local).await, nothing);
        for grant in [&whole, &there, &secret] {
            let end = json!({ "id": grant["id"], "expectedVersion": grant["version"], "reason": "Ende" });
            audit.auditor.done(&revoke(), end).await;
        }
        // Then it is told of its own items that it sees, where nothing is withheld.
        let all = told(&local).await;
        assert_eq!(all.keys().collect::<Vec<_>>(), ["a"]);
        let [read] = all["a"].as_slice() else {
            panic!("{all:?}");
        };
        assert_eq!(
            (
                &read["body"],
                &read["grantNumber"],
                &read["basis"],
                &read["answers"],
                &read["downloads"]
            ),
            (
                &json!("Bundesrechnungshof"),
                &whole["number"],
                &json!("SGB2_6B_3"),
                &json!(2),
                &json!(1)
            )
        );
        assert!(read["firstAt"].as_str() < read["lastAt"].as_str());
        let all = told(&elsewhere).await;
        let found: Vec<_> = all["c"]
            .iter()
            .map(|read| {
                (
                    read["grantNumber"].clone(),
                    read["answers"].clone(),
                    read["downloads"].clone(),
                )
            })
            .collect();
        assert_eq!(
            found,
            [
                (whole["number"].clone(), json!(2), json!(2)),
                (there["number"].clone(), json!(1), json!(1)),
            ]
        );

        // Nobody else is told: neither auditors, nor who comes under another grant.
        let item = json!({ "id": announced[0] });
        let document = "query($id: ID!) { sampleItem(id: $id) { externalReads { body } } }";
        assert_eq!(audit.auditor.codes(document, item.clone()).await, ["FORBIDDEN"]);
        let another = issued(&audit, inspection(&audit.engagement, &json!({}))).await;
        let another = service.holder(&another).await;
        assert_eq!(another.codes(document, item).await, ["FORBIDDEN"]);
        // Nor is the Bezirksstelle, as long as the engagement is restricted; and it does not see that it is.
        let seen = "query($id: ID!) { engagement(id: $id) { version permissions } }";
        let id = json!({ "id": audit.engagement });
        let before = local.data(seen, id.clone()).await;
        let restrict = change("restrictEngagement", "engagement { restriction }");
        let lift = change("liftEngagementRestriction", "engagement { restriction }");
        let why = with(&id, &json!({ "reason": "Ermittlungen" }));
        let refusal = |code: &str| vec![(code.to_owned(), "input.id".to_owned())];
        let denied = json!({ "input": why });
        assert_eq!(audit.auditor.codes(&restrict, denied).await, ["FORBIDDEN"]);
        let too_long = "x".repeat(4_001);
        let unknown = NodeKind::Engagement.id(uuid::Uuid::nil());
        for (input, code, path) in [
            (with(&id, &json!({ "reason": " " })), "REQUIRED", "input.reason"),
            (
                with(&id, &json!({ "reason": too_long })),
                "TOO_LONG",
                "input.reason",
            ),
            (json!({ "id": unknown, "reason": "x" }), "NOT_FOUND", "input.id"),
        ] {
            let refused = audit.head.refused(&restrict, input).await;
            assert_eq!(refused, [(code.to_owned(), path.to_owned())]);
        }
        assert_eq!(
            audit.head.refused(&lift, why.clone()).await,
            refusal("ENGAGEMENT_NOT_RESTRICTED")
        );
        let restricted = audit.head.done(&restrict, why.clone()).await;
        assert_eq!(restricted["engagement"]["restriction"], "Ermittlungen");
        assert_eq!(
            audit.head.refused(&restrict, why.clone()).await,
            refusal("ENGAGEMENT_RESTRICTED")
        );
        assert_eq!(told(&local).await, nothing);
        assert_eq!(local.data(seen, id.clone()).await, before);
        let why_restricted = "query($id: ID!) { engagement(id: $id) { restriction } }";
        assert_eq!(local.codes(why_restricted, id).await, ["FORBIDDEN"]);
        let lifted = audit.head.done(&lift, why).await;
        assert_eq!(lifted["engagement"]["restriction"], Value::Null);
        assert_eq!(told(&local).await["a"].len(), 1);
        // A page costs as many statements as one item.
        let (_, statements) = service.statements(local.data(EXTERNAL, json!({}))).await;
        assert!(statements <= 12, "{statements}");
    }
);
