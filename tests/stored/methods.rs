//! Further methods of stored samples: by cells, and with replacement.

use serde_json::{Value, json};
use tests::oracle::oracle;
use tests::story::{Audit, DICE, cents, change, check, plan};
use tests::{Service, on_both};

use crate::{record_checks, redrawn, refusal};

/// Thirty lines, of which one is of nothing and one below it.
pub(crate) async fn filled(service: &Service) -> Audit<'_> {
    let lines: Vec<_> = (1..=30)
        .map(|number: i64| {
            let amount = match number {
                7 => 0,
                8 => -5_000,
                30 => 90_000,
                _ => number * 1_000,
            };
            let place = if number % 4 == 0 { "01" } else { "09" };
            (format!("Z{number:02}"), place, amount)
        })
        .collect();
    let lines: Vec<_> = lines
        .iter()
        .map(|(reference, place, amount)| (reference.as_str(), *place, *amount))
        .collect();
    Audit::small(service, &lines).await
}

/// What the oracle draws, which was written from the description of the methods alone.
async fn expected(
    audit: &Audit<'_>,
    algorithm: &str,
    size: u64,
    positive: bool,
) -> Option<Vec<(String, i64)>> {
    let items: Vec<Value> = audit
        .population_items()
        .await
        .iter()
        .filter(|item| !positive || item.amount_cents.0 > 0)
        .map(|item| json!([item.id.0, item.amount_cents.0]))
        .collect();
    let query = json!({
        "what": "draw", "algorithm": algorithm, "seed": DICE, "context": "gesamt", "size": size, "items": items,
    });
    let answer = oracle("draw.py", &[], &format!("{query}\n"))?;
    let drawn: Vec<(String, i64, Option<String>)> = serde_json::from_str(&answer).unwrap();
    Some(drawn.into_iter().map(|(id, hits, _)| (id, hits)).collect())
}

async fn selected(audit: &Audit<'_>, sample: &Value) -> Vec<(String, i64)> {
    audit
        .selected(sample)
        .await
        .into_iter()
        .map(|(id, hits, _)| (id, hits))
        .collect()
}

/// Checks all items of a sample: of the one with the largest amount a quarter was too much.
pub(crate) async fn checked_with_error(audit: &Audit<'_>, sample: &Value) -> (i64, i64) {
    let attributes = audit.attributes().await;
    let items = audit.items(sample).await;
    let largest = items.iter().map(|item| cents(&item["amount"])).max().unwrap();
    let mut hits = 0;
    let checks: Vec<Value> = items
        .iter()
        .map(|item| {
            let amount = cents(&item["amount"]);
            if amount == largest {
                hits = item["hits"].as_i64().unwrap();
                check(item, "OVERPAYMENT", [0, amount * 3 / 4, 0, 0], &attributes)
            } else {
                check(item, "NONE", [0, amount, 0, 0], &attributes)
            }
        })
        .collect();
    record_checks(audit, sample, &checks).await;
    (largest, hits)
}

on_both!(cells_have_their_own_bound, |service| async move {
    let audit = filled(&service).await;
    let fields = json!({ "size": 12, "confidence": "0.95", "tolerableError": "2500.00", "reason": null });
    let sample = audit.drawn("Zellen", "MONETARY_UNIT_CELL", &fields).await;
    assert_eq!(
        json!([sample["frameCount"], sample["algorithm"]]),
        json!([28, "cell-1"])
    );
    if let Some(expected) = expected(&audit, "cell-1", 12, true).await {
        assert_eq!(selected(&audit, &sample).await, expected);
    }
    redrawn(&audit, &sample, 28).await;
    let (largest, hits) = checked_with_error(&audit, &sample).await;
    assert_eq!(largest, 90_000);
    let document = "query($id: ID!) { sample(id: $id) { evaluation { confidence units errorUnits exclusions { code } figures {
        ... on CellFigures { size bookValue method version tolerableError over { items hits knownError projectedError upperLimit
            basicPrecision steps conclusion } under { items upperLimit } } } } } }";
    let found =
        audit.auditor.data(document, json!({ "id": sample["id"] })).await["sample"]["evaluation"].clone();
    let figures = &found["figures"];
    assert_eq!(
        json!([
            found["units"],
            found["errorUnits"],
            figures["size"],
            figures["method"],
            figures["over"]["hits"],
            figures["over"]["knownError"]
        ]),
        json!([12, hits, 12, "cell-binomial", hits, "225.00"])
    );
    // The calculator says the same of the same items.
    let items: Vec<Value> = audit
        .items(&sample)
        .await
        .iter()
        .map(|item| {
            let book = cents(&item["amount"]);
            let audit = if book == largest { book * 3 / 4 } else { book };
            json!({ "book": book, "audit": audit, "hits": item["hits"] })
        })
        .collect();
    let input = json!({
        "unit": "CENT", "bookValue": cents(&sample["frameSum"]), "size": 12, "items": items, "confidence": "0.95",
        "tolerable": 250_000,
    });
    let input: audit::sampling::evaluation::monetary::CellInput =
        serde_json::from_value(json!({ "sample": input, "distribution": "BINOMIAL" })).unwrap();
    let alone = audit::sampling::evaluation::monetary::cell_bound(&input).unwrap();
    let sides = [
        ("over", alone.over.upper_limit),
        ("under", alone.under.upper_limit),
    ];
    for (side, limit) in sides {
        let cents: f64 = limit.unwrap().to_string().parse().unwrap();
        let euros: f64 = figures[side]["upperLimit"].as_str().unwrap().parse().unwrap();
        assert!((euros - cents / 100.0).abs() < 1e-6, "{side}: {euros}");
    }
    assert!(figures["over"]["steps"].as_array().unwrap().len() > 1);
    assert!(found["exclusions"].to_string().contains("NOT_POSITIVE"));

    // Extended, it is a second selection of all; and there is no next ticket.
    let extension = audit.plan_input(
        "mehr",
        "MONETARY_UNIT_CELL",
        &json!({ "size": 5, "extends": sample["id"] }),
    );
    assert_eq!(audit.planned(extension).await["frameCount"], 28);
    let item = audit.items(&sample).await[0].clone();
    let asking = json!({
        "sampleItemId": item["id"], "expectedVersion": item["version"], "cause": "OTHER", "reason": "x", "idempotencyKey": "k",
    });
    assert_eq!(
        audit
            .auditor
            .refused(&change("requestReplacement", "replacement { id }"), asking)
            .await,
        refusal("REPLACEMENT_NOT_BY_TICKETS", "input.sampleItemId")
    );
});

on_both!(a_hit_with_replacement_is_a_unit, |service| async move {
    let audit = filled(&service).await;
    let fields = json!({ "size": 25, "tolerableRate": "0.5", "reason": null });
    let sample = audit
        .drawn("mit Zurücklegen", "RECORDS_WITH_REPLACEMENT", &fields)
        .await;
    assert_eq!(
        json!([sample["frameCount"], sample["algorithm"]]),
        json!([30, "records-with-replacement-1"])
    );
    let drawn = selected(&audit, &sample).await;
    if let Some(expected) = expected(&audit, "records-with-replacement-1", 25, false).await {
        assert_eq!(drawn, expected);
    }
    assert_eq!(drawn.iter().map(|(_, hits)| hits).sum::<i64>(), 25);
    assert!(drawn.iter().any(|(_, hits)| *hits > 1), "{drawn:?}");
    redrawn(&audit, &sample, 30).await;
    let (_, hits) = checked_with_error(&audit, &sample).await;
    let found = audit.evaluation(&sample, "(confidence: \"0.95\")").await;
    assert_eq!(
        json!([
            found["checked"],
            found["units"],
            found["errors"],
            found["errorUnits"]
        ]),
        json!([drawn.len(), 25, 1, hits])
    );
    let hits = u64::try_from(hits).unwrap();
    let alone = audit::sampling::evaluation::attribute(25, hits, "0.95".parse().unwrap()).unwrap();
    assert_eq!(
        found["figures"]["upperLimit"],
        alone.upper_limit.normalize().to_string()
    );
    for method in ["MONETARY_UNIT_CELL", "RECORDS_WITH_REPLACEMENT"] {
        let input = audit.plan_input("zu groß", method, &json!({ "size": 31 }));
        assert_eq!(
            audit.auditor.refused(&plan(), input).await,
            refusal("SAMPLE_LARGER_THAN_POPULATION", "input.size")
        );
    }
});

on_both!(intervals_are_drawn_in_their_order, |service| async move {
    let audit = filled(&service).await;
    for (method, algorithm, size, positive) in [
        ("RECORD_INTERVAL", "record-interval-1", 11, false),
        (
            "MONETARY_UNIT_RANDOMISED_INTERVAL",
            "randomised-interval-1",
            12,
            true,
        ),
    ] {
        let sample = audit.drawn(method, method, &json!({ "size": size })).await;
        let frame = if positive { 28 } else { 30 };
        assert_eq!(
            json!([sample["frameCount"], sample["algorithm"]]),
            json!([frame, algorithm])
        );
        if let Some(expected) = expected(&audit, algorithm, size, positive).await {
            assert_eq!(selected(&audit, &sample).await, expected);
        }
        redrawn(&audit, &sample, frame).await;
        let (_, hits) = checked_with_error(&audit, &sample).await;
        let found = audit.evaluation(&sample, "(confidence: \"0.95\")").await;
        assert_eq!(
            json!([found["units"], found["errorUnits"]]),
            json!([size, hits]),
            "{method}"
        );
        // There is no next ticket.
        let item = audit.items(&sample).await[0].clone();
        let asking = json!({
            "sampleItemId": item["id"], "expectedVersion": item["version"], "cause": "OTHER", "reason": "x",
            "idempotencyKey": format!("Ersatz {method}"),
        });
        let refused = audit
            .auditor
            .refused(&change("requestReplacement", "replacement { id }"), asking)
            .await;
        assert_eq!(
            refused,
            refusal("REPLACEMENT_NOT_BY_TICKETS", "input.sampleItemId")
        );
    }
});

on_both!(each_bezirksstelle_is_drawn_by_itself, |service| async move {
    let audit = filled(&service).await;
    for (method, size, frame) in [
        ("RECORD_INTERVAL", 12, [23, 7]),
        ("RECORDS_WITH_REPLACEMENT", 12, [23, 7]),
        ("MONETARY_UNIT_FIXED_INTERVAL", 12, [22, 6]),
        ("MONETARY_UNIT_RANDOMISED_INTERVAL", 12, [22, 6]),
    ] {
        let fields = json!({ "size": size, "stratifiedBy": "BEZIRKSSTELLE" });
        let sample = audit.drawn(method, method, &fields).await;
        let document = "query($id: ID!) { sample(id: $id) { size parameters { stratifiedBy } strata { itemCount size sum } } }";
        let told = audit.auditor.data(document, json!({ "id": sample["id"] })).await["sample"].clone();
        assert_eq!(told["parameters"]["stratifiedBy"], "BEZIRKSSTELLE");
        let strata = told["strata"].as_array().unwrap();
        let mut items: Vec<i64> = strata
            .iter()
            .map(|stratum| stratum["itemCount"].as_i64().unwrap())
            .collect();
        items.sort_unstable_by(|a, b| b.cmp(a));
        assert_eq!(items, frame, "{method}: {strata:?}");
        let sizes: i64 = strata
            .iter()
            .map(|stratum| stratum["size"].as_i64().unwrap())
            .sum();
        assert_eq!(json!(sizes), told["size"]);
        redrawn(&audit, &sample, usize::try_from(frame[0] + frame[1]).unwrap()).await;
        let (_, hits) = checked_with_error(&audit, &sample).await;
        let found = audit.evaluation(&sample, "(confidence: \"0.95\")").await;
        assert_eq!(
            json!([found["units"], found["errorUnits"]]),
            json!([sizes, hits]),
            "{method}"
        );
        if method.starts_with("MONETARY") {
            let document = "query($id: ID!) { sample(id: $id) { evaluation { exclusions { code } figures { ... on MonetaryStrataFigures {
                projectedOver strata { stratum { itemCount } figures { size bookValue over { projectedError upperLimit } } } } } }
                evaluationBy { ec(input: { method: MUS_STANDARD, profile: EXACT, materiality: \"0.02\" })
                    { result { method } userErrors { code path } } stringerBound(input: { distribution: BINOMIAL, form: RATE })
                    { userErrors { code } } } } }";
            let told = audit.auditor.data(document, json!({ "id": sample["id"] })).await["sample"].clone();
            let figures = &told["evaluation"]["figures"];
            let parts = figures["strata"].as_array().unwrap();
            assert_eq!(parts.len(), 2);
            let projected: i64 = parts
                .iter()
                .map(|part| cents(&part["figures"]["over"]["projectedError"]))
                .sum();
            assert_eq!(projected, cents(&figures["projectedOver"]));
            assert!(
                told["evaluation"]["exclusions"]
                    .to_string()
                    .contains("BOUNDS_BY_STRATUM")
            );
            assert_eq!(
                told["evaluationBy"]["ec"],
                json!({ "result": { "method": "ec-mus-standard" }, "userErrors": [] })
            );
            assert_eq!(
                told["evaluationBy"]["stringerBound"]["userErrors"][0]["code"],
                "METHOD_NOT_FOR_SAMPLE"
            );
        }
    }
    let cases = audit.plan_input(
        "Fälle",
        "SIMPLE_RANDOM_CLUSTERS",
        &json!({ "size": 3, "stratifiedBy": "BEZIRKSSTELLE" }),
    );
    assert_eq!(
        audit.auditor.refused(&plan(), cases).await,
        refusal("INVALID_VALUE", "input.stratifiedBy")
    );
    let alike = json!({ "size": 12, "stratifiedBy": "BEZIRKSSTELLE" });
    let sample = audit
        .planned(audit.plan_input("gleich", "SIMPLE_RANDOM", &alike))
        .await;
    let document = "query($id: ID!) { sample(id: $id) { method } }";
    let told = audit.auditor.data(document, json!({ "id": sample["id"] })).await;
    assert_eq!(told["sample"]["method"], "STRATIFIED_BY_BEZIRKSSTELLE");
});

on_both!(what_is_left_is_drawn_from_at_an_interval, |service| async move {
    let audit = filled(&service).await;
    let first = audit
        .drawn("erste", "RECORD_INTERVAL", &json!({ "size": 10 }))
        .await;
    let before: Vec<String> = selected(&audit, &first)
        .await
        .into_iter()
        .map(|(id, _)| id)
        .collect();
    let fields = json!({ "size": 8, "extends": first["id"] });
    let second = audit
        .planned(audit.plan_input("zweite", "RECORD_INTERVAL", &fields))
        .await;
    assert_eq!(second["frameCount"], 20);
    let input =
        json!({ "id": second["id"], "expectedVersion": second["version"], "seed": "70915386022841967530" });
    let second = audit.auditor.done(&tests::story::draw(), input).await["sample"].clone();
    let drawn = selected(&audit, &second).await;
    assert_eq!(drawn.len(), 8);
    assert!(drawn.iter().all(|(id, _)| !before.contains(id)));
    redrawn(&audit, &second, 20).await;

    // Each line is a case by itself where no case numbers were imported; samples of cases are not extended.
    let cases = audit
        .drawn("Fälle", "SIMPLE_RANDOM_CLUSTERS", &json!({ "size": 4 }))
        .await;
    assert_eq!(cases["frameCount"], 30);
    redrawn(&audit, &cases, 30).await;
    let more = audit.plan_input(
        "mehr Fälle",
        "SIMPLE_RANDOM_CLUSTERS",
        &json!({ "size": 2, "extends": cases["id"] }),
    );
    assert_eq!(
        audit.auditor.refused(&plan(), more).await,
        refusal("INVALID_VALUE", "input.extends")
    );
});
