//! Items chosen by hand for their risk.

use serde_json::{Value, json};
use tests::on_both;
use tests::story::{Audit, change, check, nodes, plan, with};

use crate::{events, refusal};

const LINES: [(&str, &str, i64); 5] = [
    ("a", "09", 100),
    ("b", "01", 20_000),
    ("c", "09", 0),
    ("d", "01", 50_000),
    ("e", "02", 700),
];

fn choose() -> String {
    change(
        "chooseSample",
        "sample { id name method state size seed algorithm reason version frameCount parameters { sizeSource confidence } permissions }",
    )
}

fn choice(audit: &Audit<'_>, fields: &Value) -> Value {
    let input = json!({
        "populationId": audit.population, "name": "Risiko", "reason": "Beträge über 150 Euro und Nullzahlungen",
        "idempotencyKey": "r",
        "items": [{ "key": ["d"], "reason": "der höchste Betrag" }, { "key": ["b"] }, { "key": ["c"], "reason": " " }],
    });
    with(&input, fields)
}

/// The items with why they were chosen.
async fn chosen(audit: &Audit<'_>, sample: &Value) -> Vec<Value> {
    let document = "query($id: ID!) { sample(id: $id) {
        items { edges { node { id version reference drawOrder hits ticket choiceReason state } } } } }";
    let told = audit.auditor.data(document, json!({ "id": sample["id"] })).await;
    nodes(&told["sample"]["items"])
}

on_both!(a_person_chooses_and_nothing_is_projected, |service| async move {
    let audit = Audit::small(&service, &LINES).await;
    let sample = audit.auditor.done(&choose(), choice(&audit, &json!({}))).await["sample"].clone();
    assert_eq!(
        json!([
            sample["method"],
            sample["state"],
            sample["size"],
            sample["seed"],
            sample["algorithm"]
        ]),
        json!(["JUDGEMENTAL", "DRAWN", 3, null, "judgemental-1"])
    );
    assert_eq!(
        sample["parameters"],
        json!({ "sizeSource": "CHOSEN", "confidence": null })
    );
    assert_eq!(sample["frameCount"], 5);
    assert!(
        sample["permissions"]
            .as_array()
            .unwrap()
            .contains(&json!("SAMPLE_EVALUATE"))
    );
    // The same key answers the same; it counts among the draws, once.
    let again = audit.auditor.done(&choose(), choice(&audit, &json!({}))).await["sample"].clone();
    assert_eq!(again["id"], sample["id"]);
    let other = choice(&audit, &json!({ "reason": "ein anderer Grund" }));
    assert_eq!(
        audit.auditor.refused(&choose(), other).await,
        refusal("IDEMPOTENCY_KEY_REUSED", "input.idempotencyKey")
    );
    assert_eq!(
        events(&audit.auditor, &audit.engagement).await,
        [
            (1, "FREEZE".to_owned(), Value::Null),
            (2, "CHOOSE".to_owned(), json!("Risiko"))
        ]
    );
    let items = chosen(&audit, &sample).await;
    let told: Vec<_> = items
        .iter()
        .map(|item| {
            json!([
                item["reference"],
                item["drawOrder"],
                item["hits"],
                item["ticket"],
                item["choiceReason"]
            ])
        })
        .collect();
    assert_eq!(
        told,
        [
            json!(["d", 1, 1, null, "der höchste Betrag"]),
            json!(["b", 2, 1, null, null]),
            json!(["c", 3, 1, null, null])
        ]
    );

    // What was found is told, and nothing beyond it.
    let attributes = audit.attributes().await;
    let checks: Vec<Value> = items
        .iter()
        .zip([("OVERPAYMENT", 45_000), ("UNDERPAYMENT", 20_100), ("NONE", 0)])
        .map(|(item, (class, correct))| check(item, class, [0, correct, 0, 0], &attributes))
        .collect();
    let record = change("recordChecks", "results { userErrors { code path } }");
    let done = audit
        .auditor
        .done(&record, json!({ "checks": checks, "idempotencyKey": "p" }))
        .await;
    for result in done["results"].as_array().unwrap() {
        assert_eq!(result["userErrors"], json!([]));
    }
    let found = audit.evaluation(&sample, "").await;
    assert_eq!(
        found["figures"],
        json!({
            "bookValue": "700.00", "over": { "items": 1, "knownError": "50.00" },
            "under": { "items": 1, "knownError": "1.00" },
        })
    );
    assert_eq!(
        json!([found["confidence"], found["errors"], found["units"]]),
        json!([null, 2, 3])
    );
    let codes: Vec<_> = found["exclusions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["code"])
        .collect();
    assert!(codes.contains(&&json!("NOT_PROJECTED")), "{codes:?}");
    let asked = "query($id: ID!) { sample(id: $id) { evaluation(confidence: \"0.95\") { errors } } }";
    let answer = audit.auditor.graphql(asked, json!({ "id": sample["id"] })).await;
    assert_eq!(answer["errors"][0]["extensions"]["reason"], "INVALID_VALUE");
    let sentence = "query($id: ID!) { sample(id: $id) { evaluation { exclusions { code text } } } }";
    let german = service.auditor().in_german();
    let told = german.data(sentence, json!({ "id": sample["id"] })).await;
    assert!(told.to_string().contains("wird nicht hochgerechnet"), "{told}");

    // It is no draw: nothing repeats it, nothing draws it, and whoever plans another sample says why.
    let answer = audit
        .auditor
        .request(
            reqwest::Method::GET,
            &format!(
                "/exports/draw-record.json?sample={}",
                sample["id"].as_str().unwrap()
            ),
        )
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 422);
    let drawing = change("drawSample", "sample { id }");
    assert_eq!(
        audit
            .auditor
            .refused(&drawing, json!({ "id": sample["id"], "expectedVersion": 1 }))
            .await,
        refusal("SAMPLE_NOT_PLANNED", "input.id")
    );
    let silent = audit.plan_input("zufällig", "SIMPLE_RANDOM", &json!({ "size": 2, "reason": null }));
    assert_eq!(
        audit.auditor.refused(&plan(), silent).await,
        refusal("REASON_REQUIRED", "input.reason")
    );
});

on_both!(what_cannot_be_chosen, |service| async move {
    let audit = Audit::small(&service, &LINES).await;
    for (fields, code, path) in [
        (json!({ "reason": " " }), "REQUIRED", "input.reason"),
        (json!({ "name": "" }), "REQUIRED", "input.name"),
        (
            json!({ "checksPerItem": 3 }),
            "INVALID_VALUE",
            "input.checksPerItem",
        ),
        (json!({ "items": [] }), "REQUIRED", "input.items"),
        (
            json!({ "items": [{ "key": [" "] }] }),
            "REQUIRED",
            "input.items.0.key",
        ),
        (
            json!({ "items": [{ "key": ["a"] }, { "key": ["z"] }] }),
            "ITEM_NOT_IN_POPULATION",
            "input.items.1.key",
        ),
        (
            json!({ "items": [{ "key": ["a"] }, { "key": ["a"] }] }),
            "ITEM_DOUBLED",
            "input.items.1.key",
        ),
        (
            json!({ "items": [{ "key": ["a"], "reason": "x".repeat(1_001) }] }),
            "TOO_LONG",
            "input.items.0.reason",
        ),
    ] {
        assert_eq!(
            audit.auditor.refused(&choose(), choice(&audit, &fields)).await,
            refusal(code, path),
            "{fields}"
        );
    }
    let input = audit.plan_input("x", "JUDGEMENTAL", &json!({ "size": 2 }));
    assert_eq!(
        audit.auditor.refused(&plan(), input).await,
        refusal("INVALID_VALUE", "input.method")
    );
    let local = service.person("sb", "SACHBEARBEITUNG:09");
    let variables = json!({ "input": choice(&audit, &json!({})) });
    assert_eq!(
        local.codes(&change("chooseSample", ""), variables).await,
        ["FORBIDDEN"]
    );

    audit.auditor.done(&choose(), choice(&audit, &json!({}))).await;
    let taken = choice(&audit, &json!({ "idempotencyKey": "neu" }));
    assert_eq!(
        audit.auditor.refused(&choose(), taken).await,
        refusal("NAME_TAKEN", "input.name")
    );
    let unfrozen = Audit::of(&service, &audit.engagement, "Bescheide").await;
    let early = choice(&unfrozen, &json!({ "idempotencyKey": "früh", "name": "früh" }));
    assert_eq!(
        audit.auditor.refused(&choose(), early).await,
        refusal("POPULATION_NOT_FROZEN", "input.populationId")
    );
    let close = change("closeEngagement", "engagement { state }");
    let document = "query($id: ID!) { engagement(id: $id) { version } }";
    let version = audit
        .auditor
        .data(document, json!({ "id": audit.engagement }))
        .await["engagement"]["version"]
        .clone();
    let input = json!({ "id": audit.engagement, "expectedVersion": version, "note": "Ende" });
    audit.head.done(&close, input).await;
    let late = choice(&audit, &json!({ "idempotencyKey": "spät", "name": "spät" }));
    assert_eq!(
        audit.auditor.refused(&choose(), late).await,
        refusal("ENGAGEMENT_CLOSED", "input.populationId")
    );
});
