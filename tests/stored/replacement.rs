//! Drawn items that cannot be checked.

use audit::sampling::selection::{Seed, ticket};
use serde_json::{Value, json};
use tests::on_both;
use tests::story::{Audit, DICE, change, check, draw, nodes, plan, with};
use tests::{Person, Service};

use crate::{checked, events, redrawn, refusal};

/// Twenty lines over two Bezirksstellen.
async fn filled(service: &Service) -> Audit<'_> {
    let lines: Vec<_> = (1..=20)
        .map(|number| {
            let place = if number % 4 == 0 { "01" } else { "09" };
            (format!("Z{number:02}"), place, number * 1_000)
        })
        .collect();
    let lines: Vec<_> = lines
        .iter()
        .map(|(reference, place, amount)| (reference.as_str(), *place, *amount))
        .collect();
    Audit::small(service, &lines).await
}

fn request() -> String {
    change(
        "requestReplacement",
        "replacement { id version state cause reason requestedBy by { id } permissions }",
    )
}

fn approve() -> String {
    change(
        "approveReplacement",
        "replacement { id version state decidedBy item { id state } by { id drawOrder ticket state bezirksstelle { number } } }",
    )
}

fn decline() -> String {
    change(
        "declineReplacement",
        "replacement { id version state decisionReason by { id } }",
    )
}

fn asking(item: &Value, fields: &Value) -> Value {
    let input = json!({
        "sampleItemId": item["id"], "expectedVersion": item["version"], "cause": "FILE_DESTROYED",
        "reason": "Die Akte ist beim Wasserschaden vernichtet worden", "idempotencyKey": item["id"],
    });
    with(&input, fields)
}

fn decision(replacement: &Value) -> Value {
    json!({ "id": replacement["id"], "expectedVersion": replacement["version"] })
}

/// Ids of the population in the order of their tickets.
async fn by_ticket(audit: &Audit<'_>, keep: impl Fn(&entity::population_item::Model) -> bool) -> Vec<String> {
    let seed = Seed::new(DICE).unwrap();
    let items = audit.population_items().await;
    let kept = items
        .iter()
        .filter(|item| keep(item))
        .map(|item| item.id.0.to_string());
    let mut tickets: Vec<_> = kept.map(|id| (ticket(&seed, &id), id)).collect();
    tickets.sort();
    tickets.into_iter().map(|(_, id)| id).collect()
}

async fn told(person: &Person<'_>, sample: &Value) -> Vec<Value> {
    let document = "query($id: ID!) { sample(id: $id) { replacements { state cause reason requestedBy decidedBy decisionReason
        item { id state } by { id state } permissions } } }";
    let data = person.data(document, json!({ "id": sample["id"] })).await;
    data["sample"]["replacements"].as_array().unwrap().clone()
}

/// Checks one item without finding an error.
async fn check_one(audit: &Audit<'_>, item: &Value) -> Vec<(String, String)> {
    let attributes = audit.attributes().await;
    let mut input = check(
        item,
        "NONE",
        [0, tests::story::cents(&item["amount"]), 0, 0],
        &attributes,
    );
    input["idempotencyKey"] = json!(tests::unique("k"));
    audit
        .auditor
        .refused(&change("recordCheck", "check { id }"), input)
        .await
}

on_both!(the_next_ticket_takes_the_place, |service| async move {
    let audit = filled(&service).await;
    let sample = audit
        .drawn("Zufall", "SIMPLE_RANDOM", &json!({ "size": 5 }))
        .await;
    let items = audit.items(&sample).await;
    for item in &items[1..] {
        assert_eq!(check_one(&audit, item).await, []);
    }
    let stale = asking(&items[0], &json!({ "expectedVersion": 7 }));
    assert_eq!(
        audit.auditor.refused(&request(), stale).await,
        refusal("STALE_VERSION", "input.expectedVersion")
    );
    let asked = audit
        .auditor
        .done(&request(), asking(&items[0], &json!({})))
        .await["replacement"]
        .clone();
    assert_eq!(
        json!([
            asked["state"],
            asked["cause"],
            asked["requestedBy"],
            asked["by"],
            asked["permissions"]
        ]),
        json!(["REQUESTED", "FILE_DESTROYED", "auditor", null, []])
    );
    let again = audit
        .auditor
        .done(&request(), asking(&items[0], &json!({})))
        .await["replacement"]
        .clone();
    assert_eq!(again["id"], asked["id"]);
    let other = asking(&items[0], &json!({ "cause": "OTHER" }));
    assert_eq!(
        audit.auditor.refused(&request(), other).await,
        refusal("IDEMPOTENCY_KEY_REUSED", "input.idempotencyKey")
    );
    let second = asking(&items[0], &json!({ "idempotencyKey": "zweiter Antrag" }));
    assert_eq!(
        audit.auditor.refused(&request(), second).await,
        refusal("REPLACEMENT_REQUESTED", "input.sampleItemId")
    );

    // Until somebody else approves, it is an error with its full amount.
    let found = audit.evaluation(&sample, "").await;
    assert_eq!(
        json!([
            found["checked"],
            found["errors"],
            found["notEvidenced"],
            found["replaced"],
            found["errorClasses"]
        ]),
        json!([5, 1, 1, 0, [{ "errorClass": "NOT_EVIDENCED", "count": 1 }]])
    );
    assert!(
        found["exclusions"].to_string().contains("COUNTED_NOT_EVIDENCED"),
        "{found}"
    );

    // The auditor may not approve at all; the head may, in the version she saw.
    assert_eq!(
        audit
            .auditor
            .codes(
                &change("approveReplacement", ""),
                json!({ "input": decision(&asked) })
            )
            .await,
        ["FORBIDDEN"]
    );
    assert_eq!(
        told(&audit.head, &sample).await[0]["permissions"],
        json!(["REPLACEMENT_APPROVE"])
    );
    let stale = with(&decision(&asked), &json!({ "expectedVersion": 2 }));
    assert_eq!(
        audit.head.refused(&approve(), stale).await,
        refusal("STALE_VERSION", "input.expectedVersion")
    );
    let approved = audit.head.done(&approve(), decision(&asked)).await["replacement"].clone();
    assert_eq!(
        json!([
            approved["state"],
            approved["decidedBy"],
            approved["item"]["state"],
            approved["by"]["drawOrder"],
            approved["by"]["state"]
        ]),
        json!(["APPROVED", "head", "REPLACED", 6, "OPEN"])
    );
    let expected = by_ticket(&audit, |_| true).await;
    let selected: Vec<_> = audit
        .selected(&sample)
        .await
        .into_iter()
        .map(|(id, ..)| id)
        .collect();
    assert_eq!(selected, expected[..6]);
    assert_eq!(
        audit.head.refused(&approve(), decision(&approved)).await,
        refusal("REPLACEMENT_DECIDED", "input.id")
    );

    // The replaced item stays, and nobody checks or replaces it any more.
    let items = audit.items(&sample).await;
    assert_eq!((items.len(), &items[0]["state"]), (6, &json!("REPLACED")));
    assert_eq!(
        check_one(&audit, &items[0]).await,
        refusal("ITEM_REPLACED", "input.sampleItemId")
    );
    let once_more = asking(&items[0], &json!({ "idempotencyKey": "noch einmal" }));
    assert_eq!(
        audit.auditor.refused(&request(), once_more).await,
        refusal("ITEM_REPLACED", "input.sampleItemId")
    );
    let announce = change("announceSampleItems", "announced { count }");
    let announced = audit
        .auditor
        .done(&announce, json!({ "sampleId": sample["id"] }))
        .await;
    assert_eq!(announced["announced"]["count"], 5);
    let last = events(&audit.auditor, &audit.engagement).await.pop().unwrap();
    assert_eq!(last, (3, "REPLACE".to_owned(), json!("Zufall")));

    // The item in its place is waited for; then the sample is as large as planned.
    let answer = "query($id: ID!) { sample(id: $id) { evaluation { errors } } }";
    let answer = audit.auditor.graphql(answer, json!({ "id": sample["id"] })).await;
    assert_eq!(
        answer["errors"][0]["extensions"]["reason"],
        "SAMPLE_NOT_EVALUABLE"
    );
    let items = audit.items(&sample).await;
    assert_eq!(check_one(&audit, &items[5]).await, []);
    let found = audit.evaluation(&sample, "").await;
    assert_eq!(
        json!([
            found["items"],
            found["checked"],
            found["errors"],
            found["notEvidenced"],
            found["replaced"]
        ]),
        json!([5, 5, 0, 0, 1])
    );
    assert!(found["exclusions"].to_string().contains("REPLACED"), "{found}");
    let reported = told(&audit.auditor, &sample).await;
    assert_eq!(
        json!([reported[0]["reason"], reported[0]["by"]["id"]]),
        json!([
            "Die Akte ist beim Wasserschaden vernichtet worden",
            items[5]["id"]
        ])
    );

    // The draw is what it was; an extension knows of all six.
    redrawn(&audit, &sample, 20).await;
    let extension = audit.plan_input(
        "weitere",
        "SIMPLE_RANDOM",
        &json!({ "size": 3, "extends": sample["id"] }),
    );
    let extension = audit.planned(extension).await;
    assert_eq!(extension["frameCount"], 14);
    // Nothing is left to be done.
    let open = "query($id: ID!) { engagement(id: $id) { version } }";
    let version =
        audit.auditor.data(open, json!({ "id": audit.engagement })).await["engagement"]["version"].clone();
    let abort = json!({ "id": extension["id"], "expectedVersion": extension["version"], "reason": "x" });
    audit
        .auditor
        .done(&change("abortSample", "sample { state }"), abort)
        .await;
    let close = json!({ "id": audit.engagement, "expectedVersion": version });
    audit
        .head
        .done(&change("closeEngagement", "engagement { state }"), close)
        .await;
});

on_both!(every_stratum_has_its_own_tickets, |service| async move {
    let audit = filled(&service).await;
    let sample = audit
        .drawn("Schichten", "STRATIFIED_BY_BEZIRKSSTELLE", &json!({ "size": 8 }))
        .await;
    let items = audit.items(&sample).await;
    let place = items[0]["bezirksstelle"].clone();
    let before = items.iter().filter(|item| item["bezirksstelle"] == place).count();
    let asked = audit
        .auditor
        .done(&request(), asking(&items[0], &json!({})))
        .await["replacement"]
        .clone();
    let approved = audit.head.done(&approve(), decision(&asked)).await["replacement"].clone();
    assert_eq!(approved["by"]["bezirksstelle"]["number"], place["number"]);
    let part = api::graphql::NodeKind::Bezirksstelle
        .parse(place["id"].as_str().unwrap())
        .unwrap();
    let expected = by_ticket(&audit, |item| item.bezirksstelle_id.0 == part).await;
    let last = audit.selected(&sample).await.pop().unwrap();
    assert_eq!(last.0, expected[before]);
    redrawn(&audit, &sample, 20).await;
});

on_both!(a_declined_replacement_stays_an_error, |service| async move {
    let audit = filled(&service).await;
    let sample = audit
        .drawn("Zufall", "SIMPLE_RANDOM", &json!({ "size": 4 }))
        .await;
    let items = audit.items(&sample).await;
    for item in &items[2..] {
        assert_eq!(check_one(&audit, item).await, []);
    }
    // Whoever asked decides nothing of it, even with the right to.
    let own = audit.head.done(&request(), asking(&items[0], &json!({}))).await["replacement"].clone();
    for document in [approve(), decline()] {
        let mut input = decision(&own);
        if document == decline() {
            input["reason"] = json!("nein");
        }
        assert_eq!(
            audit.head.refused(&document, input).await,
            refusal("REPLACEMENT_OWN", "input.id")
        );
    }
    let quality = service.person("qs", "QUALITAETSSICHERUNG");
    let mut input = decision(&own);
    input["reason"] = json!(" ");
    assert_eq!(
        quality.refused(&decline(), input.clone()).await,
        refusal("REQUIRED", "input.reason")
    );
    input["reason"] = json!("Die Akte liegt im Archiv");
    let declined = quality.done(&decline(), input).await["replacement"].clone();
    assert_eq!(
        json!([declined["state"], declined["decisionReason"], declined["by"]]),
        json!(["DECLINED", "Die Akte liegt im Archiv", null])
    );
    // A second one may be asked for; a third while it waits may not.
    let again = asking(&items[0], &json!({ "idempotencyKey": "noch einmal" }));
    audit.auditor.done(&request(), again).await;
    let other = audit
        .auditor
        .done(&request(), asking(&items[1], &json!({})))
        .await["replacement"]
        .clone();
    let found = audit.evaluation(&sample, "").await;
    assert_eq!(
        json!([found["checked"], found["errors"], found["notEvidenced"]]),
        json!([4, 2, 2])
    );
    // The file was found: the check holds, and nothing is replaced any more.
    assert_eq!(check_one(&audit, &items[1]).await, []);
    assert_eq!(
        audit.head.refused(&approve(), decision(&other)).await,
        refusal("REPLACEMENT_ITEM_CHECKED", "input.id")
    );
    let found = audit.evaluation(&sample, "").await;
    assert_eq!(
        json!([found["checked"], found["errors"], found["notEvidenced"]]),
        json!([4, 1, 1])
    );
    assert_eq!(told(&audit.auditor, &sample).await.len(), 3);
});

on_both!(what_cannot_be_replaced, |service| async move {
    let audit = filled(&service).await;
    let sample = audit
        .drawn("Zufall", "SIMPLE_RANDOM", &json!({ "size": 3 }))
        .await;
    let items = audit.items(&sample).await;
    let money = audit
        .drawn("Wert", "MONETARY_UNIT_FIXED_INTERVAL", &json!({ "size": 3 }))
        .await;
    let of_money = audit.items(&money).await;
    assert_eq!(
        audit
            .auditor
            .refused(&request(), asking(&of_money[0], &json!({})))
            .await,
        refusal("REPLACEMENT_NOT_BY_TICKETS", "input.sampleItemId")
    );
    assert_eq!(check_one(&audit, &items[0]).await, []);
    let late = asking(&items[0], &json!({ "expectedVersion": 2 }));
    assert_eq!(
        audit.auditor.refused(&request(), late).await,
        refusal("REPLACEMENT_ITEM_CHECKED", "input.sampleItemId")
    );
    assert_eq!(
        audit
            .auditor
            .refused(&request(), asking(&items[1], &json!({ "reason": "" })))
            .await,
        refusal("REQUIRED", "input.reason")
    );
    let unknown = api::graphql::NodeKind::SampleItem.id(uuid::Uuid::from_u128(7));
    assert_eq!(
        audit
            .auditor
            .refused(
                &request(),
                asking(&items[1], &json!({ "sampleItemId": unknown.as_str() }))
            )
            .await,
        refusal("NOT_FOUND", "input.sampleItemId")
    );
    for membership in ["SACHBEARBEITUNG:09", "QUALITAETSSICHERUNG", "DATENSCHUTZ"] {
        let person = service.person("jemand", membership);
        let input = json!({ "input": asking(&items[1], &json!({})) });
        assert_eq!(
            person.codes(&change("requestReplacement", ""), input).await,
            ["FORBIDDEN"],
            "{membership}"
        );
    }
    let asked = audit
        .auditor
        .done(&request(), asking(&items[1], &json!({})))
        .await["replacement"]
        .clone();

    // What an extension was planned behind does not move any more.
    let extension = audit.plan_input(
        "weitere",
        "SIMPLE_RANDOM",
        &json!({ "size": 17, "extends": sample["id"] }),
    );
    let extension = audit.planned(extension).await;
    assert_eq!(
        audit.head.refused(&approve(), decision(&asked)).await,
        refusal("SAMPLE_EXTENDED", "input.id")
    );
    assert_eq!(
        audit
            .auditor
            .refused(&request(), asking(&items[2], &json!({})))
            .await,
        refusal("SAMPLE_EXTENDED", "input.sampleItemId")
    );
    // The extension took all that was left: there is no next ticket.
    let input =
        json!({ "id": extension["id"], "expectedVersion": extension["version"], "seed": "ein anderer" });
    let extension = audit.auditor.done(&draw(), input).await["sample"].clone();
    let of_extension = audit.items(&extension).await;
    let last = audit
        .auditor
        .done(&request(), asking(&of_extension[0], &json!({})))
        .await["replacement"]
        .clone();
    assert_eq!(
        audit.head.refused(&approve(), decision(&last)).await,
        refusal("NOTHING_TO_SELECT", "input.id")
    );

    // Nothing is replaced in a closed engagement; the rows are as the trail left them.
    let document = "query($id: ID!) { engagement(id: $id) { version } }";
    let version = audit
        .auditor
        .data(document, json!({ "id": audit.engagement }))
        .await["engagement"]["version"]
        .clone();
    let close = json!({ "id": audit.engagement, "expectedVersion": version, "note": "Ende" });
    audit
        .head
        .done(&change("closeEngagement", "engagement { state }"), close)
        .await;
    assert_eq!(
        audit.head.refused(&approve(), decision(&last)).await,
        refusal("ENGAGEMENT_CLOSED", "input.id")
    );
    let late = asking(&of_extension[1], &json!({}));
    assert_eq!(
        audit.auditor.refused(&request(), late).await,
        refusal("ENGAGEMENT_CLOSED", "input.sampleItemId")
    );
    let system = service.later(0);
    let (found, _) = audit::trail::rows::unexplained(&system, &service.db)
        .await
        .unwrap();
    assert_eq!(found, []);
});

on_both!(rows_behind_a_replacement_are_guarded, |service| async move {
    use sea_orm::ConnectionTrait as _;
    let audit = filled(&service).await;
    let sample = audit
        .drawn("Zufall", "SIMPLE_RANDOM", &json!({ "size": 3 }))
        .await;
    let items = audit.items(&sample).await;
    let asked = audit
        .auditor
        .done(&request(), asking(&items[0], &json!({})))
        .await["replacement"]
        .clone();
    audit.head.done(&approve(), decision(&asked)).await;
    checked(&audit, &json!({ "id": sample["id"] }), 0).await;
    for statement in [
        "UPDATE replacement SET reason = 'x'",
        "UPDATE replacement SET state = 'REQUESTED'",
        "DELETE FROM replacement",
        "UPDATE sample_item SET state = 'OPEN' WHERE state = 'REPLACED'",
        "UPDATE sample SET extension = 'PLANNED'",
        "UPDATE sample_item SET choice_reason = 'x'",
    ] {
        assert!(
            service.db.owner().execute_unprepared(statement).await.is_err(),
            "{statement}"
        );
    }
    let names = nodes(
        &audit
            .auditor
            .data(
                "{ sampleItems(filter: { state: REPLACED }) { edges { node { id } } } }",
                json!({}),
            )
            .await["sampleItems"],
    );
    assert_eq!(names, [json!({ "id": items[0]["id"] })]);
    let by_plan = audit.plan_input("x", "SIMPLE_RANDOM", &json!({ "size": 1, "reason": null }));
    assert_eq!(
        audit.auditor.refused(&plan(), by_plan).await,
        refusal("REASON_REQUIRED", "input.reason")
    );
});

on_both!(
    why_an_item_of_own_staff_is_replaced_is_told_to_its_group,
    |service| async move {
        let audit = Audit::titled(&service, "Eigenes Personal").await;
        let mapping = json!({
            "encoding": "UTF_8", "delimiter": "SEMICOLON", "decimals": "GERMAN", "dateFormat": "ISO", "key": ["Beleg"],
            "reference": "Beleg", "bezirksstelle": "Ort", "amount": "Betrag", "singleFund": "KOMMUNE", "ownStaff": "Eigen",
        });
        let lines = "Beleg;Ort;Betrag;Eigen\na;09;1,00;ja\nb;09;2,00;ja\nc;09;3,00;ja\n";
        audit.import(mapping, lines.as_bytes().to_vec()).await;
        audit
            .control_total("fund;bezirksstelle;month;count;sum\nKOMMUNE;09;;3;6,00\n")
            .await;
        audit.freeze().await;
        let sample = audit
            .drawn("Zufall", "SIMPLE_RANDOM", &json!({ "size": 2 }))
            .await;
        let outside = service.person("andere", "INNENREVISION");
        let group = service.person("gruppe", "INNENREVISION+OWN_STAFF");
        let document =
            "query($id: ID!) { sample(id: $id) { items(first: 5) { edges { node { id version } } } } }";
        let items = group.data(document, json!({ "id": sample["id"] })).await;
        let item = nodes(&items["sample"]["items"])[0].clone();
        assert_eq!(
            outside.refused(&request(), asking(&item, &json!({}))).await,
            refusal("NOT_FOUND", "input.sampleItemId")
        );
        let asked = group.done(&request(), asking(&item, &json!({}))).await["replacement"].clone();
        assert_eq!(
            audit.head.refused(&approve(), decision(&asked)).await,
            refusal("NOT_FOUND", "input.id")
        );
        let second = service.person("zweite", "QUALITAETSSICHERUNG+OWN_STAFF");
        let approved = second.done(&approve(), decision(&asked)).await["replacement"].clone();
        assert_eq!(approved["state"], "APPROVED");
        assert_eq!(told(&group, &sample).await.len(), 1);
        assert_eq!(told(&outside, &sample).await, Vec::<Value>::new());
        let draws = "query($id: ID!) { engagement(id: $id) { drawEvents { kind reason } } }";
        let draws = outside.data(draws, json!({ "id": audit.engagement })).await;
        let last = draws["engagement"]["drawEvents"]
            .as_array()
            .unwrap()
            .last()
            .unwrap()
            .clone();
        assert_eq!(last, json!({ "kind": "REPLACE", "reason": null }));
    }
);
