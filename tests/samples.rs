//! The main job over the wire: from an extract to samples, checks and what they say about the population.

#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::time::Duration;

use audit::demo::Extract;
use entity::{population_import, population_item};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, EntityTrait as _, PaginatorTrait as _, QueryFilter as _};
use serde_json::{Value, json};
use tests::oracle::oracle;
use tests::program::Program;
use tests::story::{
    Audit, DICE, ITEMS, cents, change, check, demo, demo_mapping, draw, euro, nodes, plan, truth, with,
};
use tests::{Backend, Person, Service, on_both};

fn refusal(code: &str, path: &str) -> Vec<(String, String)> {
    vec![(code.to_owned(), path.to_owned())]
}

fn number(rate: &Value) -> f64 {
    rate.as_str().unwrap().parse().unwrap()
}

fn close_to(found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance, "{found} is not {expected}");
}

/// Ids with ticket numbers of a simple random sample.
fn tickets(ids: &[String], size: usize) -> Option<Vec<(String, i64, Option<String>)>> {
    let answer = oracle(
        "tickets.py",
        &[],
        &format!("{}\n", json!({ "seed": DICE, "ids": ids, "n": size })),
    )?;
    let drawn: Vec<Value> = serde_json::from_str(&answer).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    Some(
        drawn
            .iter()
            .map(|item| (text(&item["id"]), 1, Some(text(&item["ticket"]))))
            .collect(),
    )
}

on_both!(
    the_main_job_from_the_extract_to_three_draws,
    |service| async move {
        let audit = Audit::open(&service).await;
        let early = audit.plan_input("zu früh", "SIMPLE_RANDOM", &json!({ "size": 5 }));
        assert_eq!(
            audit.auditor.refused(&plan(), early).await,
            refusal("POPULATION_NOT_FROZEN", "input.populationId")
        );
        let mut file = Vec::new();
        let lines = demo().write_payments(&mut file).unwrap();
        audit.import(demo_mapping(), file).await;
        let mut total = Vec::new();
        demo()
            .write_control_totals(Extract::Payments, &mut total)
            .unwrap();
        audit.control_total(&String::from_utf8(total).unwrap()).await;
        assert_eq!(audit.settle_differences().await, 1);
        audit.freeze().await;
        let population = audit.population_items().await;
        assert_eq!(population.len() as u64, lines);

        // What cannot be planned.
        let given = |size: u64| json!({ "size": size });
        for (method, fields, code, path) in [
            (
                "SIMPLE_RANDOM",
                given(lines + 1),
                "SAMPLE_LARGER_THAN_POPULATION",
                "input.size",
            ),
            ("SIMPLE_RANDOM", given(0), "SIZE_INVALID", "input.size"),
            (
                "SIMPLE_RANDOM",
                json!({ "confidence": "0.95", "tolerableRate": "0.02", "expectedRate": "0.02" }),
                "TOLERABLE_NOT_ABOVE_EXPECTED",
                "input.tolerableRate",
            ),
            (
                "MONETARY_UNIT_FIXED_INTERVAL",
                json!({ "confidence": "0.95", "tolerableError": "100.00", "expectedError": "200.00" }),
                "TOLERABLE_NOT_ABOVE_EXPECTED",
                "input.tolerableError",
            ),
            (
                "RECORDED_MONETARY_UNIT",
                given(5),
                "INVALID_VALUE",
                "input.method",
            ),
        ] {
            let input = audit.plan_input("unmöglich", method, &fields);
            assert_eq!(
                audit.auditor.refused(&plan(), input).await,
                refusal(code, path),
                "{fields}"
            );
        }

        // Simple random; the first sample needs no reason, the same key answers the same.
        let mut first = audit.plan_input("einfach", "SIMPLE_RANDOM", &given(60));
        first["reason"] = Value::Null;
        let sample = audit.planned(first.clone()).await;
        assert_eq!(
            (&sample["state"], &sample["frameCount"]),
            (&json!("PLANNED"), &json!(lines))
        );
        assert_eq!(audit.planned(first.clone()).await["id"], sample["id"]);
        let other = with(&first, &given(61));
        assert_eq!(
            audit.auditor.refused(&plan(), other).await,
            refusal("IDEMPOTENCY_KEY_REUSED", "input.idempotencyKey")
        );
        let taken = with(&first, &json!({ "idempotencyKey": "neu", "reason": "weitere" }));
        assert_eq!(
            audit.auditor.refused(&plan(), taken).await,
            refusal("NAME_TAKEN", "input.name")
        );
        let second = with(&first, &json!({ "idempotencyKey": "neu", "name": "zweite" }));
        assert_eq!(
            audit.auditor.refused(&plan(), second).await,
            refusal("REASON_REQUIRED", "input.reason")
        );
        let stale = json!({ "id": sample["id"], "expectedVersion": 7, "seed": DICE });
        assert_eq!(
            audit.auditor.refused(&draw(), stale).await,
            refusal("STALE_VERSION", "input.expectedVersion")
        );
        let input = json!({ "id": sample["id"], "expectedVersion": sample["version"], "seed": DICE });
        let bad_seed = with(&input, &json!({ "seed": "" }));
        assert_eq!(
            audit.auditor.refused(&draw(), bad_seed).await,
            refusal("SEED_INVALID", "input.seed")
        );
        let drawn = audit.auditor.done(&draw(), input.clone()).await["sample"].clone();
        assert_eq!((&drawn["state"], &drawn["seed"]), (&json!("DRAWN"), &json!(DICE)));
        let again = with(&input, &json!({ "expectedVersion": drawn["version"] }));
        assert_eq!(
            audit.auditor.refused(&draw(), again).await,
            refusal("SAMPLE_NOT_PLANNED", "input.id")
        );
        let ids: Vec<String> = population.iter().map(|item| item.id.0.to_string()).collect();
        if let Some(expected) = tickets(&ids, 60) {
            assert_eq!(audit.selected(&drawn).await, expected);
        }

        // One given up counts.
        let sample = audit
            .planned(audit.plan_input("aufgegeben", "SIMPLE_RANDOM", &given(5)))
            .await;
        let input =
            json!({ "id": sample["id"], "expectedVersion": sample["version"], "reason": "doppelt geplant" });
        let aborted = audit
            .auditor
            .done(&change("abortSample", "sample { state version }"), input.clone())
            .await;
        assert_eq!(aborted["sample"]["state"], "ABORTED");
        let late = json!({ "id": sample["id"], "expectedVersion": aborted["sample"]["version"] });
        assert_eq!(
            audit.auditor.refused(&draw(), late).await,
            refusal("SAMPLE_NOT_PLANNED", "input.id")
        );

        // Stratified: the same in every Bezirksstelle.
        let planned = audit
            .planned(audit.plan_input("geschichtet", "STRATIFIED_BY_BEZIRKSSTELLE", &given(100)))
            .await;
        let input = json!({ "id": planned["id"], "expectedVersion": planned["version"], "seed": DICE });
        let stratified = audit.auditor.done(&draw(), input).await["sample"].clone();
        let names = audit
            .auditor
            .data("{ bezirksstellen { id number } }", json!({}))
            .await;
        let mut expected = Some(Vec::new());
        for stratum in planned["strata"].as_array().unwrap() {
            let number = stratum["label"].as_str().unwrap().split(' ').next().unwrap();
            let part = names["bezirksstellen"]
                .as_array()
                .unwrap()
                .iter()
                .find(|part| part["number"] == number)
                .unwrap();
            let part = api::graphql::NodeKind::Bezirksstelle
                .parse(part["id"].as_str().unwrap())
                .unwrap();
            let own = population.iter().filter(|item| item.bezirksstelle_id.0 == part);
            let ids: Vec<String> = own.map(|item| item.id.0.to_string()).collect();
            assert_eq!(stratum["itemCount"], ids.len());
            let size = usize::try_from(stratum["size"].as_u64().unwrap()).unwrap();
            expected = expected
                .zip(tickets(&ids, size))
                .map(|(all, some)| [all, some].concat());
        }
        if let Some(expected) = expected {
            assert_eq!(audit.selected(&stratified).await, expected);
        }

        // Monetary unit: every fixed interval's hit, from the items above zero.
        let monetary = audit
            .drawn("Wert", "MONETARY_UNIT_FIXED_INTERVAL", &given(60))
            .await;
        let frame: Vec<_> = population.iter().filter(|item| item.amount_cents.0 > 0).collect();
        assert_eq!(monetary["frameCount"], frame.len());
        assert_eq!(
            cents(&monetary["frameSum"]),
            frame.iter().map(|item| item.amount_cents.0).sum::<i64>()
        );
        let items: Vec<_> = frame
            .iter()
            .map(|item| json!([item.id.0, item.amount_cents.0]))
            .collect();
        let query = json!({ "seed": DICE, "context": "gesamt", "n": 60, "items": items });
        if let Some(answer) = oracle("intervals.py", &[], &format!("{query}\n")) {
            let answer: Value = serde_json::from_str(&answer).unwrap();
            let hits = answer["sample"].as_array().unwrap().iter();
            let expected: Vec<_> = hits
                .map(|item| {
                    (
                        item["id"].as_str().unwrap().to_owned(),
                        item["hits"].as_i64().unwrap(),
                        None,
                    )
                })
                .collect();
            assert_eq!(audit.selected(&monetary).await, expected);
        }

        // Freeze, draw, abort, draw, draw; plans do not count.
        let document =
            "query($id: ID!) { engagement(id: $id) { drawEvents { number kind by sample { name } } } }";
        let told = audit
            .auditor
            .data(document, json!({ "id": audit.engagement }))
            .await;
        let events = told["engagement"]["drawEvents"].as_array().unwrap();
        let found: Vec<_> = events
            .iter()
            .map(|event| (event["number"].as_i64().unwrap(), event["kind"].as_str().unwrap()))
            .collect();
        assert_eq!(
            found,
            [(1, "FREEZE"), (2, "DRAW"), (3, "ABORT"), (4, "DRAW"), (5, "DRAW")]
        );
        assert_eq!(
            (&events[0]["sample"], &events[2]["sample"]["name"]),
            (&Value::Null, &json!("aufgegeben"))
        );
    }
);

/// What a filter keeps.
type Holds = Box<dyn Fn(&Value) -> bool>;

/// A page of items for these arguments, beside the ids on it.
async fn page(person: &Person<'_>, variables: &Value) -> (Value, Vec<Value>) {
    let connection = person.data(ITEMS, variables.clone()).await["sampleItems"].clone();
    let ids = nodes(&connection).iter().map(|node| node["id"].clone()).collect();
    (connection, ids)
}

/// All ids of a list, walked in small pages from its start or from its end.
async fn walked(person: &Person<'_>, list: &Value, forward: bool) -> Vec<Value> {
    let (size, cursor, end, more) = if forward {
        ("first", "after", "endCursor", "hasNextPage")
    } else {
        ("last", "before", "startCursor", "hasPreviousPage")
    };
    let mut walked: Vec<Value> = Vec::new();
    let mut variables = with(list, &json!({ size: 17 }));
    loop {
        let (connection, ids) = page(person, &variables).await;
        let place = if forward { walked.len() } else { 0 };
        walked.splice(place..place, ids);
        variables[cursor] = connection["pageInfo"][end].clone();
        if connection["pageInfo"][more] == false {
            return walked;
        }
    }
}

on_both!(items_are_filtered_sorted_and_paged, |service| async move {
    let audit = Audit::demo(&service).await;
    let sample = audit
        .drawn(
            "Wert",
            "STRATIFIED_BY_BEZIRKSSTELLE",
            &json!({ "size": 120, "reason": null }),
        )
        .await;
    let other = audit
        .drawn("andere", "SIMPLE_RANDOM", &json!({ "size": 10 }))
        .await;
    audit.check_truly(&audit.items(&sample).await[..60]).await;
    let some: Vec<_> = audit.items(&sample).await[10..30]
        .iter()
        .map(|item| item["id"].clone())
        .collect();
    let announce = json!({ "sampleId": sample["id"], "itemIds": some });
    let announced = audit
        .auditor
        .done(&change("announceSampleItems", "announced { count }"), announce)
        .await;
    assert_eq!(announced["announced"]["count"], 20);
    let all = audit.items(&sample).await;
    let (one, two) = (&all[0], &all[all.len() / 2]);
    assert!(all.iter().any(|item| item["result"] == "ERROR"));

    // Every filter is what it says, with totals of what it leaves.
    let own = |fields: Value| with(&json!({ "sample": sample["id"] }), &fields);
    let (low, high) = (10_000, 60_000);
    let text = &one["reference"].as_str().unwrap()[6..10];
    let is = |field: &'static str, value: Value| -> Holds { Box::new(move |item| item[field] == value) };
    let within =
        |field: &'static str, value: Value| -> Holds { Box::new(move |item| item[field]["id"] == value) };
    let owned_text = text.to_owned();
    let filters: Vec<(Value, Holds)> = vec![
        (own(json!({})), Box::new(|_| true)),
        (
            own(json!({ "bezirksstelle": two["bezirksstelle"]["id"] })),
            within("bezirksstelle", two["bezirksstelle"]["id"].clone()),
        ),
        (
            own(json!({ "stratum": one["stratum"]["id"] })),
            within("stratum", one["stratum"]["id"].clone()),
        ),
        (own(json!({ "state": "OPEN" })), is("state", json!("OPEN"))),
        (own(json!({ "state": "CHECKED" })), is("state", json!("CHECKED"))),
        (own(json!({ "result": "ERROR" })), is("result", json!("ERROR"))),
        (
            own(json!({ "result": "NO_ERROR" })),
            is("result", json!("NO_ERROR")),
        ),
        (
            own(json!({ "amountFrom": euro(low) })),
            Box::new(move |item| cents(&item["amount"]) >= low),
        ),
        (
            own(json!({ "amountFrom": euro(low), "amountTo": euro(high) })),
            Box::new(move |item| (low..=high).contains(&cents(&item["amount"]))),
        ),
        (
            own(json!({ "reference": format!("z2025-{text}") })),
            Box::new(move |item| {
                item["reference"]
                    .as_str()
                    .unwrap()
                    .starts_with(&format!("Z2025-{owned_text}"))
            }),
        ),
        (own(json!({ "reference": "%" })), Box::new(|_| false)),
        (
            own(json!({ "announced": true })),
            Box::new(|item| !item["visibleFrom"].is_null()),
        ),
        (
            own(json!({ "announced": false })),
            Box::new(|item| item["visibleFrom"].is_null()),
        ),
    ];
    for (filter, holds) in &filters {
        let expected: Vec<&Value> = all.iter().filter(|item| holds(item)).collect();
        let (connection, ids) = page(&audit.auditor, &json!({ "filter": filter, "first": 200 })).await;
        assert_eq!(
            ids,
            expected.iter().map(|item| item["id"].clone()).collect::<Vec<_>>(),
            "{filter}"
        );
        let sum = |of: &dyn Fn(&Value) -> i64| expected.iter().map(|item| of(item)).sum::<i64>();
        let totals = json!({
            "count": expected.len(), "amount": euro(sum(&|item| cents(&item["amount"]))),
            "hits": sum(&|item| item["hits"].as_i64().unwrap()),
        });
        assert_eq!(connection["totals"], totals, "{filter}");
    }
    let (connection, _) = page(
        &audit.auditor,
        &json!({ "filter": { "engagement": audit.engagement } }),
    )
    .await;
    assert_eq!(connection["totals"]["count"], all.len() + 10);
    let (_, ids) = page(
        &audit.auditor,
        &json!({ "filter": { "sample": other["id"], "stratum": one["stratum"]["id"] } }),
    )
    .await;
    assert_eq!(ids, Vec::<Value>::new());

    // Every order is the sorted list, forwards and backwards.
    let filter = json!({ "sample": sample["id"] });
    for by in ["DRAW_ORDER", "AMOUNT", "REFERENCE"] {
        let mut sorted = all.clone();
        match by {
            "DRAW_ORDER" => sorted.sort_by_key(|item| item["drawOrder"].as_i64()),
            "AMOUNT" => sorted.sort_by_key(|item| cents(&item["amount"])),
            _ => sorted.sort_by_key(|item| item["reference"].as_str().unwrap().to_owned()),
        }
        for descending in [false, true] {
            let list = json!({ "filter": filter, "order": { "by": by, "descending": descending } });
            let (_, whole) = page(&audit.auditor, &with(&list, &json!({ "first": 200 }))).await;
            let amounts = |ids: &[Value]| -> Vec<Value> {
                ids.iter()
                    .map(|id| all.iter().find(|item| item["id"] == *id).unwrap()["amount"].clone())
                    .collect()
            };
            let mut expected: Vec<Value> = sorted.iter().map(|item| item["id"].clone()).collect();
            if descending {
                expected.reverse();
            }
            // Equal amounts may stand in either order of their ids.
            assert_eq!(amounts(&whole), amounts(&expected), "{by}");
            assert!(by == "AMOUNT" || whole == expected, "{by}");
            assert_eq!(walked(&audit.auditor, &list, true).await, whole, "{by}");
            assert_eq!(walked(&audit.auditor, &list, false).await, whole, "{by}");
        }
    }

    // What cannot be meant.
    let (connection, _) = page(&audit.auditor, &json!({ "filter": filter, "first": 5 })).await;
    let cursor = &connection["pageInfo"]["endCursor"];
    for wrong in [
        json!({ "after": cursor, "order": { "by": "AMOUNT" } }),
        json!({ "after": cursor, "order": { "by": "DRAW_ORDER", "descending": true } }),
        json!({ "filter": { "sample": audit.population } }),
        json!({ "filter": { "bezirksstelle": sample["id"] } }),
        json!({ "filter": { "sample": "nonsense" } }),
        json!({ "filter": { "reference": "x".repeat(201) } }),
    ] {
        assert_eq!(
            audit.auditor.codes(ITEMS, wrong.clone()).await,
            ["BAD_USER_INPUT"],
            "{wrong}"
        );
    }

    // Statements do not grow with the rows.
    let document = "query($sample: ID!, $first: Int!) { sampleItems(filter: { sample: $sample }, first: $first) {
        edges { node { reference bezirksstelle { name } checks { errorClass answers { answer } } product funds { bund }
            stratum { label } sample { name } } } } }";
    let mut counts = Vec::new();
    for first in [5, 50] {
        let asked = audit
            .auditor
            .data(document, json!({ "sample": sample["id"], "first": first }));
        let (data, statements) = service.statements(asked).await;
        let found = nodes(&data["sampleItems"]);
        assert_eq!(found.len(), first);
        assert!(
            found
                .iter()
                .all(|item| item["checks"].as_array().is_some_and(|checks| checks.len() == 1))
        );
        counts.push(statements);
    }
    assert_eq!(counts[0], counts[1]);
    assert!(counts[0] <= 10, "{counts:?}");
});

on_both!(
    a_bezirksstelle_sees_its_own_items_once_they_are_announced,
    |service| async move {
        let audit = Audit::demo(&service).await;
        let sample = audit
            .drawn("Wert", "MONETARY_UNIT_FIXED_INTERVAL", &json!({ "size": 80 }))
            .await;
        let all = audit.items(&sample).await;
        audit.check_truly(&all[..3]).await;
        let local = service.person("sach", "SACHBEARBEITUNG:09");
        let leading = service.person("leitung", "BEZIRKSSTELLENLEITUNG:09");
        let own: Vec<&Value> = all
            .iter()
            .filter(|item| item["bezirksstelle"]["number"] == "09")
            .collect();
        let foreign = all
            .iter()
            .find(|item| item["bezirksstelle"]["number"] != "09")
            .unwrap();
        assert!(own.len() > 2 && own.len() < all.len());
        let list = "{ sampleItems(first: 200) { edges { node { id reference amount } } totals { count amount hits } } }";
        let by_id = "query($id: ID!) { sampleItem(id: $id) { id } node(id: $id) { id } }";
        let nothing = json!({ "sampleItem": null, "node": null });

        // Before: nothing, whatever is asked; a date to come changes nothing.
        let announce = change("announceSampleItems", "announced { count }");
        let later = json!({ "sampleId": sample["id"], "from": "2030-01-01T00:00:00.000000Z" });
        audit.auditor.done(&announce, later).await;
        for person in [&local, &leading] {
            let data = person.data(list, json!({})).await;
            assert_eq!(
                data["sampleItems"],
                json!({ "edges": [], "totals": { "count": 0, "amount": "0.00", "hits": 0 } })
            );
            assert_eq!(person.data(by_id, json!({ "id": own[0]["id"] })).await, nothing);
            let data = person
                .data(
                    "query($id: ID!) { sample(id: $id) { name } }",
                    json!({ "id": sample["id"] }),
                )
                .await;
            assert_eq!(data["sample"], Value::Null);
        }

        // Announced: own items, and nothing of how they were drawn and what was found.
        let done = audit
            .auditor
            .done(&announce, json!({ "sampleId": sample["id"] }))
            .await;
        assert_eq!(done["announced"]["count"], all.len());
        assert_eq!(
            audit
                .auditor
                .done(&announce, json!({ "sampleId": sample["id"] }))
                .await["announced"]["count"],
            0
        );
        let data = local.data(list, json!({})).await;
        let mut seen: Vec<_> = nodes(&data["sampleItems"])
            .iter()
            .map(|item| item["id"].to_string())
            .collect();
        let mut expected: Vec<_> = own.iter().map(|item| item["id"].to_string()).collect();
        seen.sort();
        expected.sort();
        assert_eq!(seen, expected);
        let sum: i64 = own.iter().map(|item| cents(&item["amount"])).sum();
        let hits: i64 = own.iter().map(|item| item["hits"].as_i64().unwrap()).sum();
        assert_eq!(
            data["sampleItems"]["totals"],
            json!({ "count": own.len(), "amount": euro(sum), "hits": hits })
        );
        assert_eq!(local.data(by_id, json!({ "id": foreign["id"] })).await, nothing);
        assert_eq!(
            local.data(by_id, json!({ "id": own[0]["id"] })).await["node"]["id"],
            own[0]["id"]
        );
        let papers = "query($item: ID!, $sample: ID!, $engagement: ID!) {
        sampleItem(id: $item) { ticket drawOrder state result checks { errorClass } }
        sample(id: $sample) { seed size frameCount frameSum populationRoot reason parameters { confidence } population { name } }
        engagement(id: $engagement) { drawEvents { number } } }";
        let variables =
            json!({ "item": own[0]["id"], "sample": sample["id"], "engagement": audit.engagement });
        let answer = local.graphql(papers, variables).await;
        assert_eq!(answer.get("data"), None);
        let mut offences: Vec<_> = answer["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|error| {
                assert_eq!(error["extensions"]["code"], "FORBIDDEN");
                assert_eq!(error["extensions"]["class"], "AUDIT");
                error["extensions"]["path"].as_str().unwrap()
            })
            .collect();
        offences.sort_unstable();
        assert_eq!(
            offences,
            [
                "engagement.drawEvents",
                "engagement.drawEvents.number",
                "sample.frameCount",
                "sample.frameSum",
                "sample.parameters",
                "sample.parameters.confidence",
                "sample.population",
                "sample.population.name",
                "sample.populationRoot",
                "sample.reason",
                "sample.seed",
                "sample.size",
                "sampleItem.checks",
                "sampleItem.drawOrder",
                "sampleItem.result",
                "sampleItem.state",
                "sampleItem.ticket",
            ]
        );
        let evaluation = "query($id: ID!) { sample(id: $id) { evaluation(provisional: true) { errors } } }";
        let codes = local.codes(evaluation, json!({ "id": sample["id"] })).await;
        assert_eq!(codes, ["FORBIDDEN"; 2]);
        let ids = "query($filter: SampleItemFilter, $order: SampleItemOrder) {
            sampleItems(filter: $filter, order: $order) { edges { node { id } } } }";
        assert_eq!(local.codes(ids, json!({})).await, [""; 0]);
        for filter in [json!({ "state": "CHECKED" }), json!({ "result": "ERROR" })] {
            assert_eq!(
                local.codes(ids, json!({ "filter": filter })).await,
                ["FORBIDDEN"],
                "{filter}"
            );
        }
        let as_drawn = json!({ "order": { "by": "DRAW_ORDER" } });
        assert_eq!(local.codes(ids, as_drawn).await, ["FORBIDDEN"]);

        // The download is the same list.
        let sample_id = sample["id"].as_str().unwrap();
        let path = format!("/exports/sample-items.csv?sample={sample_id}");
        let download = |person: Person<'_>, path: String| {
            let request = person.request(reqwest::Method::GET, &path);
            async move {
                let answer = request.send().await.unwrap();
                (answer.status().as_u16(), answer.text().await.unwrap())
            }
        };
        let (status, text) = download(service.person("sach", "SACHBEARBEITUNG:09"), path.clone()).await;
        assert_eq!(status, 200);
        let rows: Vec<Vec<&str>> = text
            .lines()
            .skip(1)
            .map(|line| line.split(';').collect())
            .collect();
        assert_eq!(rows.len(), own.len());
        for row in rows {
            assert_eq!((row[2], [row[0], row[6], row[7], row[8]]), ("09", [""; 4]));
        }
        let checked = download(
            service.person("sach", "SACHBEARBEITUNG:09"),
            format!("{path}&result=ERROR"),
        )
        .await;
        assert_eq!(checked.0, 403);
        assert_eq!(
            download(service.person("admin", "ADMINISTRATION"), path.clone())
                .await
                .0,
            403
        );
        assert_eq!(download(service.anybody(), path).await.0, 401);

        // Who may do what.
        let attributes = audit.attributes().await;
        let record = with(
            &check(own[0], "NONE", [0; 4], &attributes),
            &json!({ "idempotencyKey": "fremd" }),
        );
        let writes = [
            (
                change("planSample", "sample { id }"),
                audit.plan_input("neu", "SIMPLE_RANDOM", &json!({ "size": 3 })),
            ),
            (
                change("drawSample", "sample { id }"),
                json!({ "id": sample["id"], "expectedVersion": 1 }),
            ),
            (announce, json!({ "sampleId": sample["id"] })),
            (change("recordCheck", "check { id }"), record),
        ];
        for (document, input) in &writes {
            assert_eq!(
                local.codes(document, json!({ "input": input })).await,
                ["FORBIDDEN"],
                "{document}"
            );
            assert_eq!(
                service.anybody().codes(document, json!({ "input": input })).await,
                ["UNAUTHENTICATED"],
                "{document}"
            );
        }
        for role in ["ADMINISTRATION", "BUDGET", "DATENSCHUTZ"] {
            let person = service.person("p", role);
            assert_eq!(person.codes(ids, json!({})).await, ["FORBIDDEN"], "{role}");
            assert_eq!(person.codes(list, json!({})).await, ["FORBIDDEN"; 4], "{role}");
        }
        assert_eq!(
            service.anybody().codes(list, json!({})).await,
            ["UNAUTHENTICATED"]
        );
    }
);

on_both!(
    the_download_is_the_list_and_holds_no_formulas,
    |service| async move {
        let lines = [
            ("=1+1", "01", 10_000),
            ("@SUM(A1)", "02", 123_456_789),
            ("-5;x", "09", -50),
            ("+49", "09", 0),
            ("a \"b\"", "01", 7),
            ("Ü-1", "10", 99_999),
        ];
        let audit = Audit::small(&service, &lines).await;
        let sample = audit.drawn("alle", "SIMPLE_RANDOM", &json!({ "size": 6 })).await;
        let path = format!(
            "/exports/sample-items.csv?sample={}",
            sample["id"].as_str().unwrap()
        );
        for order in ["DRAW_ORDER", "AMOUNT", "REFERENCE"] {
            let variables =
                json!({ "filter": { "sample": sample["id"] }, "order": { "by": order, "descending": true } });
            let listed = nodes(&audit.auditor.data(ITEMS, variables).await["sampleItems"]);
            let path = format!("{path}&order={order}&descending=true");
            let answer = audit
                .auditor
                .request(reqwest::Method::GET, &path)
                .send()
                .await
                .unwrap();
            assert_eq!(
                answer.headers()["content-type"],
                "text/csv; charset=utf-8; header=present"
            );
            let text = answer.text().await.unwrap();
            let mut rows = text.split_terminator("\r\n");
            assert!(rows.next().unwrap().starts_with('\u{feff}'));
            let mut expected = Vec::new();
            for item in &listed {
                let reference = item["reference"].as_str().unwrap();
                let cell = match reference {
                    "=1+1" | "@SUM(A1)" | "+49" => format!("'{reference}"),
                    "-5;x" => "\"'-5;x\"".to_owned(),
                    "a \"b\"" => "\"a \"\"b\"\"\"".to_owned(),
                    plain => plain.to_owned(),
                };
                let amount = item["amount"].as_str().unwrap().replace('.', ",");
                let number = item["bezirksstelle"]["number"].as_str().unwrap();
                expected.push((
                    item["drawOrder"].to_string(),
                    cell,
                    number.to_owned(),
                    amount,
                    item["ticket"].clone(),
                ));
            }
            for ((position, cell, number, amount, ticket), row) in expected.iter().zip(rows.by_ref()) {
                assert!(row.starts_with(&format!("{position};{cell};{number};")), "{row}");
                assert!(
                    row.ends_with(&format!(";{amount};1;{};OPEN;;", ticket.as_str().unwrap())),
                    "{row}"
                );
            }
            assert_eq!(rows.next(), None);
            assert_eq!(expected.len(), 6);
        }
        let wrong = audit
            .auditor
            .request(reqwest::Method::GET, "/exports/sample-items.csv?sample=x")
            .send()
            .await
            .unwrap();
        assert_eq!(wrong.status().as_u16(), 422);
    }
);

on_both!(checks_are_recorded_corrected_and_disputed, |service| async move {
    let lines = [
        ("A1", "01", 10_000),
        ("A2", "02", 20_000),
        ("A3", "09", 30_000),
        ("A4", "09", 40_000),
    ];
    let audit = Audit::small(&service, &lines).await;
    let sample = audit
        .drawn(
            "vier Augen",
            "SIMPLE_RANDOM",
            &json!({ "size": 3, "checksPerItem": 2 }),
        )
        .await;
    let items = audit.items(&sample).await;
    let attributes = audit.attributes().await;
    let (second, third) = (
        service.person("second", "QUALITAETSSICHERUNG"),
        service.person("third", "INNENREVISION"),
    );
    let record = change("recordCheck", "check { version tester errorClass booked { kommune } correct { kommune } answers { attribute answer }
        item { id version state result } }");
    let (item, own) = (&items[0], cents(&items[0]["amount"]));
    let asked = |key: &str, version: &Value, class: &str, correct: i64, fields: &Value| {
        let seen = with(item, &json!({ "version": version }));
        let input = with(&check(&seen, class, [0, correct, 0, 0], &attributes), fields);
        with(&input, &json!({ "idempotencyKey": key }))
    };
    let (none, one) = (json!({}), json!(1));

    // What contradicts itself.
    for (class, correct, fields, code, path) in [
        (
            "OVERPAYMENT",
            own,
            none.clone(),
            "ERROR_CLASS_CONTRADICTS_AMOUNTS",
            "input.errorClass",
        ),
        (
            "UNDERPAYMENT",
            own - 1,
            none.clone(),
            "ERROR_CLASS_CONTRADICTS_AMOUNTS",
            "input.errorClass",
        ),
        (
            "NONE",
            own - 1,
            none.clone(),
            "ERROR_CLASS_CONTRADICTS_AMOUNTS",
            "input.errorClass",
        ),
        (
            "NOT_EVIDENCED",
            own,
            none.clone(),
            "ERROR_CLASS_CONTRADICTS_AMOUNTS",
            "input.errorClass",
        ),
        (
            "WRONG_FUND",
            own,
            none.clone(),
            "ERROR_CLASS_CONTRADICTS_AMOUNTS",
            "input.errorClass",
        ),
        (
            "NONE",
            own,
            json!({ "answers": check(item, "FORMAL", [0; 4], &attributes)["answers"] }),
            "ERROR_CLASS_CONTRADICTS_ANSWERS",
            "input.answers",
        ),
        (
            "NONE",
            own,
            json!({ "programme": "unbekannt/1" }),
            "PROGRAMME_UNKNOWN",
            "input.programme",
        ),
        (
            "NONE",
            own,
            json!({ "expectedVersion": 9 }),
            "STALE_VERSION",
            "input.expectedVersion",
        ),
        (
            "NONE",
            own,
            json!({ "correction": true }),
            "NOT_FOUND",
            "input.correction",
        ),
    ] {
        let input = asked("falsch", &one, class, correct, &fields);
        assert_eq!(
            audit.auditor.refused(&record, input).await,
            refusal(code, path),
            "{class} {fields}"
        );
    }
    let not_drawn = api::graphql::NodeKind::SampleItem
        .id(uuid::Uuid::from_u128(7))
        .to_string();
    let input = asked("fremd", &one, "NONE", own, &json!({ "sampleItemId": not_drawn }));
    assert_eq!(
        audit.auditor.refused(&record, input).await,
        refusal("NOT_FOUND", "input.sampleItemId")
    );
    let input = asked(
        "fremd",
        &one,
        "NONE",
        own,
        &json!({ "sampleItemId": sample["id"] }),
    );
    assert_eq!(
        audit.auditor.codes(&record, json!({ "input": input })).await,
        ["BAD_USER_INPUT"]
    );

    // The first tester; again, and with other input under the same key.
    let first = asked("eins", &one, "OVERPAYMENT", own - 500, &none);
    let done = audit.auditor.done(&record, first.clone()).await["check"].clone();
    assert_eq!(
        (&done["item"]["state"], &done["version"]),
        (&json!("PARTLY_CHECKED"), &one)
    );
    assert_eq!(
        (
            cents(&done["booked"]["kommune"]),
            cents(&done["correct"]["kommune"])
        ),
        (own, own - 500)
    );
    assert_eq!(done["answers"].as_array().map(Vec::len), Some(attributes.len()));
    assert_eq!(
        audit.auditor.done(&record, first).await["check"]["item"]["version"],
        2
    );
    let reused = asked("eins", &json!(2), "NONE", own, &none);
    assert_eq!(
        audit.auditor.refused(&record, reused).await,
        refusal("IDEMPOTENCY_KEY_REUSED", "input.idempotencyKey")
    );
    let same = asked("zwei", &json!(2), "OVERPAYMENT", own - 500, &none);
    assert_eq!(
        audit.auditor.refused(&record, same).await,
        refusal("SECOND_CHECK_SAME_PERSON", "input.correction")
    );

    // The second says otherwise until the first corrects; a third is not asked.
    let other = asked("zwei", &json!(2), "OVERPAYMENT", own - 700, &none);
    let done = second.done(&record, other).await["check"].clone();
    assert_eq!(
        (&done["item"]["state"], &done["item"]["result"]),
        (&json!("DISPUTED"), &Value::Null)
    );
    let more = asked("drei", &json!(3), "OVERPAYMENT", own - 700, &none);
    assert_eq!(
        third.refused(&record, more).await,
        refusal("CHECKS_COMPLETE", "input.correction")
    );
    let correction = asked(
        "vier",
        &json!(3),
        "OVERPAYMENT",
        own - 700,
        &json!({ "correction": true }),
    );
    let done = audit.auditor.done(&record, correction).await["check"].clone();
    assert_eq!(done["version"], 2);
    assert_eq!(
        (&done["item"]["state"], &done["item"]["result"]),
        (&json!("CHECKED"), &json!("ERROR"))
    );
    let history = "query($id: ID!) { sampleItem(id: $id) { checks { tester version } } }";
    let data = audit.auditor.data(history, json!({ "id": item["id"] })).await;
    assert_eq!(
        data["sampleItem"]["checks"],
        json!([
            { "tester": "auditor", "version": 2 }, { "tester": "second", "version": 1 }, { "tester": "auditor", "version": 1 },
        ])
    );

    // Several at once: one that is refused does not hold up the others.
    let many = change(
        "recordChecks",
        "results { check { errorClass } userErrors { code path } }",
    );
    let right = |item: &Value| check(item, "NONE", [0, cents(&item["amount"]), 0, 0], &attributes);
    let checks = json!([right(&items[1]), right(item), right(&items[2])]);
    let done = third
        .done(&many, json!({ "checks": checks, "idempotencyKey": "viele" }))
        .await;
    let results = done["results"].as_array().unwrap();
    assert_eq!(
        (
            &results[0]["check"]["errorClass"],
            &results[2]["check"]["errorClass"]
        ),
        (&json!("NONE"), &json!("NONE"))
    );
    let stale = json!([{ "code": "STALE_VERSION", "path": ["input", "checks", "1", "expectedVersion"] }]);
    assert_eq!(
        (&results[1]["check"], &results[1]["userErrors"]),
        (&Value::Null, &stale)
    );
    let too_many = json!({ "checks": vec![right(item); 201], "idempotencyKey": "zu viele" });
    assert_eq!(
        third.refused(&many, too_many).await,
        refusal("TOO_MANY", "input.checks")
    );

    // Open items: no evaluation unless provisional, and no end without a word on it.
    let evaluation = "query($id: ID!) { sample(id: $id) { evaluation { errors } } }";
    let answer = audit
        .auditor
        .graphql(evaluation, json!({ "id": sample["id"] }))
        .await;
    assert_eq!(
        answer["errors"][0]["extensions"]["reason"],
        "SAMPLE_NOT_EVALUABLE"
    );
    let found = audit.evaluation(&sample, "(provisional: true)").await;
    assert_eq!(
        (&found["provisional"], &found["items"], &found["checked"]),
        (&json!(true), &json!(3), &json!(1))
    );
    let close = change("closeEngagement", "engagement { state closingNote }");
    let input = json!({ "id": audit.engagement, "expectedVersion": 1 });
    assert_eq!(
        audit.head.refused(&close, input.clone()).await,
        refusal("ENGAGEMENT_HAS_OPEN_WORK", "input.note")
    );
    let closed = audit
        .head
        .done(&close, with(&input, &json!({ "note": "Rest im Folgejahr" })))
        .await;
    assert_eq!(
        closed["engagement"],
        json!({ "state": "CLOSED", "closingNote": "Rest im Folgejahr" })
    );

    // Nothing changes any more.
    let late = asked("spät", &json!(4), "NONE", own, &json!({ "correction": true }));
    let announce = json!({ "sampleId": sample["id"] });
    let again = audit.plan_input("spät", "SIMPLE_RANDOM", &json!({ "size": 2 }));
    for (document, input, path) in [
        (record, late, "input.sampleItemId"),
        (
            change("announceSampleItems", "announced { count }"),
            announce,
            "input.sampleId",
        ),
        (plan(), again, "input.populationId"),
    ] {
        assert_eq!(
            audit.auditor.refused(&document, input).await,
            refusal("ENGAGEMENT_CLOSED", path),
            "{document}"
        );
    }
});

/// Amounts of a monetary unit sample as an oracle expects them: book value, correct value, hits.
fn stringer(rows: &[(i64, i64, i64)], book_value: i64, confidence: &str) -> Option<Value> {
    let hits: i64 = rows.iter().map(|(.., hits)| hits).sum();
    let lines: Vec<String> = rows
        .iter()
        .map(|(book, audit, hits)| format!("{book},{audit},{hits}"))
        .collect();
    let arguments = [&hits.to_string(), &book_value.to_string(), confidence];
    let answer = oracle("stringer.py", &arguments, &lines.join("\n"))?;
    Some(serde_json::from_str(&answer).unwrap())
}

fn assert_sides(figures: &Value, expected: &Value) {
    for direction in ["over", "under"] {
        let (found, expected) = (&figures[direction], &expected[direction]);
        assert_eq!(found["hits"], expected["hits"], "{direction}");
        assert_eq!(
            cents(&found["projectedError"]).to_string(),
            expected["projected_rounded"],
            "{direction}"
        );
        assert_eq!(
            cents(&found["knownError"]).to_string(),
            expected["known"],
            "{direction}"
        );
        // Rounded up to the cent.
        let (limit, bound) = (
            100.0 * number(&found["upperLimit"]),
            expected["bound"].as_f64().unwrap(),
        );
        assert!(
            (bound - 0.01..=bound + 1.01).contains(&limit),
            "{direction}: {limit} is not {bound}"
        );
    }
}

on_both!(
    what_was_checked_says_something_about_the_population,
    |service| async move {
        let audit = Audit::demo(&service).await;

        // A rate.
        let sample = audit
            .drawn(
                "Anteil",
                "SIMPLE_RANDOM",
                &json!({ "size": 150, "confidence": "0.9", "tolerableRate": "0.2" }),
            )
            .await;
        let items = audit.items(&sample).await;
        audit.check_truly(&items).await;
        let found = audit.evaluation(&sample, "").await;
        let errors = audit
            .items(&sample)
            .await
            .iter()
            .filter(|item| item["result"] == "ERROR")
            .count();
        assert!(errors > 2);
        let told = json!({
            "confidence": found["confidence"], "provisional": found["provisional"], "items": found["items"],
            "checked": found["checked"], "units": found["units"], "errors": found["errors"],
        });
        assert_eq!(
            told,
            json!({ "confidence": "0.9", "provisional": false, "items": 150, "checked": 150, "units": 150, "errors": errors })
        );
        let of_parts: Vec<_> = found["figures"]["bezirksstellen"]
            .as_array()
            .unwrap()
            .iter()
            .map(|part| &part["result"])
            .collect();
        let mut lines = format!("{errors},150\n");
        lines.extend(
            of_parts
                .iter()
                .map(|part| format!("{},{}\n", part["errors"], part["size"])),
        );
        if let Some(limits) = oracle("clopper_pearson.py", &["0.9"], &lines) {
            let expected: Vec<f64> = limits.lines().map(|line| line.parse().unwrap()).collect();
            let found: Vec<f64> = std::iter::once(&found["figures"]["upperLimit"])
                .chain(of_parts.iter().map(|part| &part["upperLimit"]))
                .map(number)
                .collect();
            assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(&expected) {
                // Rounded up to six places.
                close_to(*found, *expected, 1.1e-6);
                assert!(*found >= expected - 1e-12);
            }
        }
        close_to(
            number(&found["figures"]["rate"]),
            f64::from(u32::try_from(errors).unwrap()) / 150.0,
            1e-6,
        );
        let other = audit.evaluation(&sample, "(confidence: \"0.99\")").await;
        assert!(number(&other["figures"]["upperLimit"]) > number(&found["figures"]["upperLimit"]));
        let legality = audit.evaluation(&sample, "(dimension: LEGALITY)").await;
        let payment = audit.evaluation(&sample, "(dimension: PAYMENT)").await;
        assert_eq!(
            (&legality["errors"], &payment["errors"]),
            (&json!(errors), &json!(0))
        );

        // Amounts.
        let fields = json!({ "size": 180, "confidence": "0.95", "tolerableError": "90000.00" });
        let sample = audit.drawn("Wert", "MONETARY_UNIT_FIXED_INTERVAL", &fields).await;
        let items = audit.items(&sample).await;
        audit.check_truly(&items).await;
        let found = audit.evaluation(&sample, "").await;
        assert_eq!(
            (&found["units"], &found["items"]),
            (&json!(180), &json!(items.len()))
        );
        let rows: Vec<_> = items
            .iter()
            .map(|item| {
                let truth = truth(item);
                (
                    cents(&item["amount"]),
                    truth.amount,
                    item["hits"].as_i64().unwrap(),
                )
            })
            .collect();
        let figures = &found["figures"];
        assert_eq!(
            (&figures["bookValue"], &figures["size"]),
            (&sample["frameSum"], &json!(180))
        );
        if let Some(expected) = stringer(&rows, cents(&sample["frameSum"]), "0.95") {
            assert_sides(figures, &expected);
            let steps = figures["over"]["steps"].as_array().unwrap().len();
            assert!(steps > 0);
            assert_eq!(expected["over"]["hits"], steps);
        }
    }
);

/// Cents of a decimal, halves to the even one: in whole numbers, apart from the service's own reading.
fn half_even(text: &str) -> i64 {
    let (negative, digits) = text
        .strip_prefix('-')
        .map_or((false, text), |digits| (true, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let (first, rest) = fraction.split_at(fraction.len().min(2));
    let kept: i64 = format!("{whole}{first:0<2}").parse().unwrap();
    let rest = format!("{rest}0");
    let half = format!("5{}", "0".repeat(rest.len() - 1));
    let up = rest > half || (rest == half && kept % 2 == 1);
    let rounded = kept + i64::from(up);
    if negative { -rounded } else { rounded }
}

/// The published allowances, where they are: item, branch, book value, audit value, hits.
fn allowances() -> Option<Vec<[String; 5]>> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data");
    let folder = std::env::var("PRUEFPFAD_TEST_DATA").unwrap_or_else(|_| beside.to_owned());
    let Ok(file) = std::fs::read_to_string(format!("{folder}/allowances.csv")) else {
        println!("skipped: {folder}/allowances.csv is not there");
        return None;
    };
    let lines = file.lines().skip(1);
    Some(
        lines
            .map(|line| {
                line.split(',')
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
                    .try_into()
                    .unwrap()
            })
            .collect(),
    )
}

on_both!(
    a_published_sample_is_evaluated_as_its_auditor_would,
    |service| async move {
        let Some(rows) = allowances() else { return };
        let audit = Audit::open(&service).await;
        let mut file = b"item,branch,book_value\n".to_vec();
        for [item, branch, book, ..] in &rows {
            writeln!(file, "{item},{branch},{book}").unwrap();
        }
        let mapping = json!({
            "encoding": "UTF_8", "delimiter": "COMMA", "decimals": "ENGLISH", "rounding": "HALF_EVEN", "dateFormat": "ISO",
            "key": ["item"], "reference": "item", "bezirksstelleConstant": "00", "amount": "book_value", "singleFund": "KOMMUNE",
            "attributes": [{ "name": "branch", "column": "branch" }],
        });
        audit.import(mapping, file).await;
        let books: Vec<i64> = rows.iter().map(|[_, _, book, ..]| half_even(book)).collect();
        let borne = books.iter().filter(|cents| **cents != 0).count();
        let sum = euro(books.iter().sum()).replace('.', ",");
        audit
            .control_total(&format!(
                "fund;bezirksstelle;month;count;sum\nKOMMUNE;00;;{borne};{sum}\n"
            ))
            .await;
        assert_eq!(audit.settle_differences().await, 0);
        audit.freeze().await;
        let positive: i64 = books.iter().filter(|cents| **cents > 0).sum();
        let seen = audit
            .seen("itemCount positiveCount positiveSum zeroCount negativeCount")
            .await;
        assert_eq!(
            (&seen["itemCount"], &seen["positiveCount"]),
            (&json!(4_076), &json!(4_024))
        );
        assert_eq!(
            seen["zeroCount"].as_i64().unwrap() + seen["negativeCount"].as_i64().unwrap(),
            52
        );
        assert_eq!(seen["positiveSum"], euro(positive));

        // What their own auditor drew.
        let hits = |row: &[String; 5]| row[4].strip_suffix(".0").unwrap().parse::<i64>().unwrap();
        let drawn: Vec<&[String; 5]> = rows.iter().filter(|row| hits(row) > 0).collect();
        let items: Vec<Value> = drawn
            .iter()
            .map(|row| json!({ "key": [row[0]], "hits": hits(row) }))
            .collect();
        let record = change("recordSample", "sample { id size method state frameSum }");
        let input = json!({
            "populationId": audit.population, "name": "Prüfer", "reason": "gezogen vom Prüfer", "confidence": "0.95",
            "items": items, "idempotencyKey": "r",
        });
        let unknown = with(&input, &json!({ "items": [{ "key": ["99999"] }] }));
        assert_eq!(
            audit.auditor.refused(&record, unknown).await,
            refusal("ITEM_NOT_IN_POPULATION", "input.items.0.key")
        );
        let nothing = rows.iter().zip(&books).find(|(_, cents)| **cents <= 0).unwrap().0;
        let not_positive = with(&input, &json!({ "items": [{ "key": [nothing[0]] }] }));
        assert_eq!(
            audit.auditor.refused(&record, not_positive).await,
            refusal("ITEM_NOT_POSITIVE", "input.items.0.key")
        );
        let doubled = with(&input, &json!({ "items": [items[0], items[0]] }));
        assert_eq!(
            audit.auditor.refused(&record, doubled).await,
            refusal("ITEM_DOUBLED", "input.items.1.key")
        );
        let sample = audit.auditor.done(&record, input).await["sample"].clone();
        assert_eq!(
            (drawn.len(), &sample["size"], &sample["method"]),
            (1_350, &json!(1_604), &json!("RECORDED_MONETARY_UNIT"))
        );

        // What was found there, 200 at a time.
        let attributes = audit.attributes().await;
        let document = change(
            "recordChecks",
            "results { check { version } userErrors { code path } }",
        );
        let mut variables = json!({ "filter": { "sample": sample["id"] }, "first": 200 });
        loop {
            let (connection, _) = page(&audit.auditor, &variables).await;
            let checks: Vec<Value> = nodes(&connection)
                .iter()
                .map(|item| {
                    let row = drawn.iter().find(|row| item["reference"] == row[0]).unwrap();
                    let (book, correct) = (cents(&item["amount"]), half_even(&row[3]));
                    let class = match correct.cmp(&book) {
                        std::cmp::Ordering::Less => "OVERPAYMENT",
                        std::cmp::Ordering::Equal => "NONE",
                        std::cmp::Ordering::Greater => "UNDERPAYMENT",
                    };
                    check(item, class, [0, correct, 0, 0], &attributes)
                })
                .collect();
            let key = checks[0]["sampleItemId"].clone();
            let done = audit
                .auditor
                .done(&document, json!({ "checks": checks, "idempotencyKey": key }))
                .await;
            for result in done["results"].as_array().unwrap() {
                assert_eq!(result["userErrors"], json!([]));
            }
            variables["after"] = connection["pageInfo"]["endCursor"].clone();
            if connection["pageInfo"]["hasNextPage"] == false {
                break;
            }
        }

        let found = audit.evaluation(&sample, "").await;
        assert_eq!(
            (&found["provisional"], &found["units"]),
            (&json!(false), &json!(1_604))
        );
        let codes: Vec<_> = found["exclusions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|exclusion| &exclusion["code"])
            .collect();
        assert!(codes.contains(&&json!("DRAWN_ELSEWHERE")) && codes.contains(&&json!("NOT_POSITIVE")));
        assert_eq!(found["figures"]["bookValue"], euro(positive));
        assert_eq!(found["figures"]["over"]["projectedError"], "2644745.36");
        assert_eq!(found["figures"]["over"]["upperLimit"], "2904084.77");
        let checked: Vec<_> = drawn
            .iter()
            .map(|row| (half_even(&row[2]), half_even(&row[3]), hits(row)))
            .collect();
        if let Some(expected) = stringer(&checked, positive, "0.95") {
            assert_sides(&found["figures"], &expected);
        }
    }
);

#[test]
fn halves_go_to_the_even_cent() {
    for (text, cents) in [
        ("1600.0", 160_000),
        ("0.005", 0),
        ("0.015", 2),
        ("0.0150000001", 2),
        ("0.0149999999", 1),
        ("-0.025", -2),
        ("7", 700),
        ("-3.5", -350),
        ("0.995", 100),
    ] {
        assert_eq!(half_even(text), cents, "{text}");
    }
}

/// A CSV file of so many lines and its mapping.
fn large_extract(folder: &Path, count: u32) -> (String, String) {
    let (file, mapping) = (folder.join("zahlungen.csv"), folder.join("mapping.json"));
    let mut lines = BufWriter::new(File::create(&file).unwrap());
    writeln!(lines, "Beleg;Fall;Ort;Betrag").unwrap();
    for line in 1..=count {
        writeln!(lines, "Z{line};BG{};0{};{line},00", line / 20, line % 9 + 1).unwrap();
    }
    lines.into_inner().unwrap();
    let columns = json!({
        "encoding": "UTF_8", "delimiter": "SEMICOLON", "decimals": "GERMAN", "dateFormat": "ISO", "key": ["Beleg"],
        "reference": "Beleg", "caseNumber": "Fall", "bezirksstelle": "Ort", "amount": "Betrag", "singleFund": "BUND",
    });
    std::fs::write(&mapping, columns.to_string()).unwrap();
    (file.display().to_string(), mapping.display().to_string())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_killed_in_the_middle_leaves_nothing_and_can_be_repeated() {
    const LINES: u32 = 120_000;
    let service = Service::start(Backend::Sqlite).await.unwrap();
    let audit = Audit::open(&service).await;
    let document = "query($id: ID!) { engagement(id: $id) { number } }";
    let number = audit
        .auditor
        .data(document, json!({ "id": audit.engagement }))
        .await["engagement"]["number"]
        .clone();
    let folder = tempfile::tempdir().unwrap();
    let (file, mapping) = large_extract(folder.path(), LINES);
    let engagement = number.as_str().unwrap();
    let import = [
        "import",
        "--engagement",
        engagement,
        "--population",
        "Zahlungen",
        "--unit",
        "PAYMENT",
        "--mapping",
        &mapping,
        &file,
    ];

    // Killed once it has written some lines, and before it has written all.
    let Some(program) = Program::beside(&service) else {
        return;
    };
    let mut running = program.start(&import);
    let written = || async {
        population_item::Entity::find()
            .count(service.db.reader())
            .await
            .unwrap()
    };
    while written().await == 0 {
        assert_eq!(
            running.try_wait().unwrap(),
            None,
            "the import ended before anything was written"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    running.kill().await.unwrap();
    let left = written().await;
    assert!((1..u64::from(LINES)).contains(&left), "{left}");

    // Nothing of it counts.
    let selection = "itemCount sum version imports { state linesRead failure }";
    let seen = audit.seen(selection).await;
    assert_eq!((&seen["itemCount"], &seen["sum"]), (&json!(0), &json!("0.00")));
    assert_eq!(seen["imports"][0]["state"], "RUNNING");
    let freeze = json!({ "id": audit.population, "expectedVersion": seen["version"] });
    let refused = audit
        .auditor
        .refused(&change("freezePopulation", "population { state }"), freeze)
        .await;
    assert!(
        ["POPULATION_EMPTY", "IMPORT_RUNNING"].contains(&refused[0].0.as_str()),
        "{refused:?}"
    );

    // While its lease runs, nobody can tell that its reader is gone; a minute later it is repeated.
    let early = program.run(&import).await;
    assert_eq!(early.code, 1, "{early:?}");
    let minute_ago = service.sources.now() - chrono::TimeDelta::minutes(1);
    population_import::Entity::update_many()
        .col_expr(population_import::Column::HeartbeatAt, Expr::val(minute_ago))
        .filter(population_import::Column::State.eq(population_import::State::Running))
        .exec(service.db.owner())
        .await
        .unwrap();
    program.succeeds(&import).await;
    let seen = audit.seen(selection).await;
    let sum = i64::from(LINES) * (i64::from(LINES) + 1) / 2 * 100;
    assert_eq!(
        (&seen["itemCount"], &seen["sum"]),
        (&json!(LINES), &json!(euro(sum)))
    );
    assert_eq!(written().await, u64::from(LINES));
    let imports = seen["imports"].as_array().unwrap();
    assert_eq!(
        (&imports[0]["state"], &imports[0]["failure"]),
        (&json!("FAILED"), &json!("INTERRUPTED"))
    );
    let last = imports.last().unwrap();
    assert_eq!(
        (&last["state"], &last["linesRead"]),
        (&json!("COMPLETED"), &json!(LINES))
    );
    service.stop().await;
}
