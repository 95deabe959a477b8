//! Who is to check which item, one's own list, and how far checking has come.

use std::collections::BTreeMap;

use futures_util::SinkExt as _;
use serde_json::{Value, json};
use tests::story::{Audit, cents, change, check, nodes, with};
use tests::{Person, next_message, on_both};

use crate::methods::filled;
use crate::refusal;

fn assign() -> String {
    change("assignSampleItems", "sample { id }")
}

fn distribute() -> String {
    change(
        "distributeSampleItems",
        "sample { progress { items open unassigned } }",
    )
}

fn release() -> String {
    change("releaseSampleItems", "sample { id }")
}

/// Some items of a sample for somebody.
fn to(sample: &Value, items: &[Value], tester: &str) -> Value {
    let ids: Vec<&Value> = items.iter().map(|item| &item["id"]).collect();
    json!({ "sampleId": sample["id"], "itemIds": ids, "tester": tester, "idempotencyKey": tests::unique("k") })
}

fn among(sample: &Value, testers: &[&str]) -> Value {
    json!({ "sampleId": sample["id"], "testers": testers, "idempotencyKey": tests::unique("k") })
}

/// What is left to do for somebody.
async fn list(person: &Person<'_>, sample: &Value) -> Vec<Value> {
    let document = "query($id: ID!) { sampleItems(filter: { sample: $id, mine: true }, first: 50) { edges { node { id } } } }";
    nodes(&person.data(document, json!({ "id": sample["id"] })).await["sampleItems"])
}

async fn progress(person: &Person<'_>, sample: &Value) -> Value {
    let document = "query($id: ID!) { sample(id: $id) { progress { items open partlyChecked disputed checked unassigned } } }";
    let told = person.data(document, json!({ "id": sample["id"] })).await;
    let progress = &told["sample"]["progress"];
    let figures = [
        "items",
        "open",
        "partlyChecked",
        "disputed",
        "checked",
        "unassigned",
    ];
    figures.map(|name| progress[name].clone()).into_iter().collect()
}

async fn check_by(audit: &Audit<'_>, person: &Person<'_>, item: &Value, version: i32) {
    let attributes = audit.attributes().await;
    let input = check(item, "NONE", [0, cents(&item["amount"]), 0, 0], &attributes);
    let input = with(
        &input,
        &json!({ "idempotencyKey": tests::unique("k"), "expectedVersion": version }),
    );
    person.done(&change("recordCheck", "check { id }"), input).await;
}

on_both!(items_are_assigned_by_hand, |service| async move {
    let audit = filled(&service).await;
    let fields = json!({ "size": 6, "checksPerItem": 2, "reason": null });
    let sample = audit.drawn("Zeilen", "SIMPLE_RANDOM", &fields).await;
    let items = audit.items(&sample).await;
    let berta = service.person("berta", "INNENREVISION");
    let input = to(&sample, &items[..3], "berta");
    audit.auditor.done(&assign(), input.clone()).await;
    audit.auditor.done(&assign(), input.clone()).await;
    assert_eq!(
        audit
            .auditor
            .refused(&assign(), with(&input, &json!({ "tester": "clara" })))
            .await,
        refusal("IDEMPOTENCY_KEY_REUSED", "input.idempotencyKey")
    );
    // Whoever has an item already keeps it, and it needs two people.
    audit
        .head
        .done(&assign(), to(&sample, &items[..4], "berta"))
        .await;
    audit
        .head
        .done(&assign(), to(&sample, &items[..1], "auditor"))
        .await;
    assert_eq!(
        audit
            .head
            .refused(&assign(), to(&sample, &items[..2], "clara"))
            .await,
        refusal("ASSIGNMENT_COMPLETE", "input.itemIds.0")
    );
    assert_eq!(list(&berta, &sample).await.len(), 4);
    assert_eq!(list(&audit.head, &sample).await, Vec::<Value>::new());
    assert_eq!(progress(&berta, &sample).await, json!([6, 6, 0, 0, 0, 2]));

    let document = "query($id: ID!) { sampleItem(id: $id) { assignments { tester assignedBy } } }";
    let told = berta.data(document, json!({ "id": items[0]["id"] })).await;
    assert_eq!(
        told["sampleItem"]["assignments"],
        json!([
            { "tester": "berta", "assignedBy": "auditor" },
            { "tester": "auditor", "assignedBy": "head" }
        ])
    );
    // What one has checked is no longer on one's list, and stays on the other's.
    check_by(&audit, &berta, &items[0], 1).await;
    assert_eq!(
        (
            list(&berta, &sample).await.len(),
            list(&audit.auditor, &sample).await.len()
        ),
        (3, 1)
    );
    assert_eq!(progress(&berta, &sample).await, json!([6, 5, 1, 0, 0, 2]));
    check_by(&audit, &audit.auditor, &items[0], 2).await;
    assert_eq!(list(&audit.auditor, &sample).await, Vec::<Value>::new());
    assert_eq!(progress(&berta, &sample).await, json!([6, 5, 0, 0, 1, 2]));
    assert_eq!(
        audit
            .head
            .refused(&assign(), to(&sample, &items[..1], "clara"))
            .await,
        refusal("ASSIGNMENT_NOT_OPEN", "input.itemIds.0")
    );
    // Released items are nobody's; what was never theirs stays as it is.
    let gone = to(&sample, &items[1..5], "berta");
    let gone = json!({ "sampleId": gone["sampleId"], "itemIds": gone["itemIds"], "tester": "berta" });
    audit.head.done(&release(), gone.clone()).await;
    audit.head.done(&release(), gone).await;
    assert_eq!(list(&berta, &sample).await, Vec::<Value>::new());
    assert_eq!(progress(&berta, &sample).await, json!([6, 5, 0, 0, 1, 5]));
    audit
        .head
        .done(&assign(), to(&sample, &items[1..2], "berta"))
        .await;
    assert_eq!(list(&berta, &sample).await, vec![json!({ "id": items[1]["id"] })]);
    let trail =
        "query($id: ID!) { engagement(id: $id) { trail(first: 200) { edges { node { action detail } } } } }";
    let told = audit.head.data(trail, json!({ "id": audit.engagement })).await;
    let entries = nodes(&told["engagement"]["trail"]);
    let of: Vec<&Value> = entries
        .iter()
        .filter(|entry| entry["action"] == "CHECK_ASSIGN")
        .collect();
    assert_eq!(of.len(), 5, "what changed nothing leaves no entry");
});

on_both!(items_are_distributed_evenly, |service| async move {
    let audit = filled(&service).await;
    let sample = audit
        .drawn("Zeilen", "SIMPLE_RANDOM", &json!({ "size": 11, "reason": null }))
        .await;
    let items = audit.items(&sample).await;
    let people = ["anna", "berta", "clara"];
    audit
        .auditor
        .done(&assign(), to(&sample, &items[..3], "anna"))
        .await;
    let input = among(&sample, &people);
    let done = audit.head.done(&distribute(), input.clone()).await;
    assert_eq!(
        done["sample"]["progress"],
        json!({ "items": 11, "open": 11, "unassigned": 0 })
    );
    let again = audit.head.done(&distribute(), input).await;
    assert_eq!(again["sample"], done["sample"]);
    let mut loads = BTreeMap::new();
    for name in people {
        let person = service.person(name, "INNENREVISION");
        loads.insert(name, list(&person, &sample).await.len());
    }
    assert_eq!(loads, BTreeMap::from([("anna", 4), ("berta", 4), ("clara", 3)]));
    // All at once in one list of items, whose assignments cost one statement.
    let document = "query($id: ID!) { sampleItems(filter: { sample: $id }, first: 20) { edges { node { assignments { tester } } } } }";
    let (told, statements) = service
        .statements(audit.auditor.data(document, json!({ "id": sample["id"] })))
        .await;
    let assigned = nodes(&told["sampleItems"]);
    assert!(
        assigned
            .iter()
            .all(|item| item["assignments"].as_array().unwrap().len() == 1)
    );
    assert!(statements <= 6, "{statements}");

    let other = audit
        .drawn("andere", "SIMPLE_RANDOM", &json!({ "size": 1 }))
        .await;
    let elsewhere = audit.items(&other).await;
    for (input, code, path) in [
        (among(&sample, &[]), "REQUIRED", "input.testers"),
        (among(&sample, &["x", "x"]), "DOUBLED", "input.testers.1"),
        (among(&sample, &["x", " "]), "REQUIRED", "input.testers.1"),
        (among(&json!({ "id": audit.engagement }), &["x"]), "", ""),
    ] {
        if code.is_empty() {
            let told = audit
                .auditor
                .graphql(&distribute(), json!({ "input": input }))
                .await;
            assert_eq!(told["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
        } else {
            assert_eq!(
                audit.auditor.refused(&distribute(), input).await,
                refusal(code, path)
            );
        }
    }
    for (items, tester, code, path) in [
        (&items[..0], "x", "REQUIRED", "input.itemIds"),
        (&vec![items[0].clone(); 201][..], "x", "TOO_MANY", "input.itemIds"),
        (
            &[items[0].clone(), items[0].clone()][..],
            "x",
            "ITEM_DOUBLED",
            "input.itemIds.1",
        ),
        (&items[..1], " ", "REQUIRED", "input.tester"),
        (&elsewhere[..1], "x", "NOT_FOUND", "input.itemIds.0"),
    ] {
        assert_eq!(
            audit.auditor.refused(&assign(), to(&sample, items, tester)).await,
            refusal(code, path)
        );
    }
    let office = service.person("leitung-09", "BEZIRKSSTELLENLEITUNG:09");
    let told = office.graphql(document, json!({ "id": sample["id"] })).await;
    assert!(
        told["errors"].is_array(),
        "who checks is the audit function's alone: {told}"
    );
});

on_both!(
    own_staffs_items_are_assigned_by_their_group,
    |service| async move {
        let audit = Audit::titled(&service, "Eigenes Personal").await;
        let mapping = json!({
            "encoding": "UTF_8", "delimiter": "SEMICOLON", "decimals": "GERMAN", "dateFormat": "ISO", "key": ["Beleg"],
            "reference": "Beleg", "bezirksstelle": "Ort", "amount": "Betrag", "singleFund": "KOMMUNE", "ownStaff": "Eigen",
        });
        let lines = "Beleg;Ort;Betrag;Eigen\na;09;10,00;ja\nb;09;20,00;nein\n";
        audit.import(mapping, lines.as_bytes().to_vec()).await;
        audit
            .control_total("fund;bezirksstelle;month;count;sum\nKOMMUNE;09;;2;30,00\n")
            .await;
        audit.freeze().await;
        let sample = audit.drawn("alle", "SIMPLE_RANDOM", &json!({ "size": 2 })).await;
        let group = service.person("gruppe", "INNENREVISION+OWN_STAFF");
        audit.head.done(&distribute(), among(&sample, &["gruppe"])).await;
        assert_eq!(list(&group, &sample).await.len(), 1);
        assert_eq!(progress(&group, &sample).await, json!([2, 2, 0, 0, 0, 1]));
        let outside = service.person("andere", "INNENREVISION");
        assert_eq!(progress(&outside, &sample).await, json!([1, 1, 0, 0, 0, 0]));
        let document =
            "query($id: ID!) { sample(id: $id) { items(first: 5) { edges { node { id amount } } } } }";
        let items = group.data(document, json!({ "id": sample["id"] })).await;
        let items = nodes(&items["sample"]["items"]);
        let own: Vec<Value> = items
            .iter()
            .filter(|item| item["amount"] == "10.00")
            .cloned()
            .collect();
        assert_eq!(
            outside.refused(&assign(), to(&sample, &own, "gruppe")).await,
            refusal("NOT_FOUND", "input.itemIds.0")
        );
        group.done(&assign(), to(&sample, &own, "gruppe")).await;
        assert_eq!(list(&group, &sample).await.len(), 2);
        // That something of own staff was assigned is told to the group alone.
        let trail =
            "query($id: ID!) { engagement(id: $id) { trail(first: 200) { edges { node { action } } } } }";
        for (person, told) in [(&group, 2), (&outside, 1)] {
            let entries = person.data(trail, json!({ "id": audit.engagement })).await;
            let entries = nodes(&entries["engagement"]["trail"]);
            let of = entries.iter().filter(|entry| entry["action"] == "CHECK_ASSIGN");
            assert_eq!(of.count(), told);
        }
    }
);

on_both!(progress_is_watched_until_all_is_checked, |service| async move {
    let audit = filled(&service).await;
    let sample = audit
        .drawn("Zeilen", "SIMPLE_RANDOM", &json!({ "size": 2, "reason": null }))
        .await;
    let items = audit.items(&sample).await;
    check_by(&audit, &audit.auditor, &items[0], 1).await;
    let mut socket = audit.head.subscribe().await;
    let watch = "subscription($id: ID!) { checkProgress(id: $id) { items checked } }";
    let payload = json!({ "query": watch, "variables": { "id": sample["id"] } });
    let start = json!({ "type": "subscribe", "id": "1", "payload": payload });
    socket.send(start.to_string().into()).await.unwrap();
    let first = next_message(&mut socket).await;
    assert_eq!(
        first["payload"]["data"]["checkProgress"],
        json!({ "items": 2, "checked": 1 })
    );
    check_by(&audit, &audit.auditor, &items[1], 1).await;
    let last = next_message(&mut socket).await;
    assert_eq!(
        last["payload"]["data"]["checkProgress"],
        json!({ "items": 2, "checked": 2 })
    );
    assert_eq!(next_message(&mut socket).await["type"], "complete");
});
