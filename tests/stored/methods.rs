//! Further methods of stored samples: by cells, and with replacement.

use serde_json::{Value, json};
use tests::oracle::oracle;
use tests::story::{Audit, DICE, cents, change, check, plan};
use tests::{Service, on_both};

use crate::{record_checks, redrawn, refusal};

/// Thirty lines, of which one is of nothing and one below it.
async fn filled(service: &Service) -> Audit<'_> {
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
async fn checked_with_error(audit: &Audit<'_>, sample: &Value) -> (i64, i64) {
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
