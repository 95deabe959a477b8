//! Errors that are known in the whole population, and therefore not projected.

use audit::trail::rows::unexplained;
use serde_json::{Value, json};
use tests::on_both;
use tests::story::{Audit, cents, change, check, nodes, with};

use crate::evaluation_by::{alone, by};
use crate::methods::filled;
use crate::{checked, record_checks, refusal};

fn propose() -> String {
    change(
        "proposeKnownError",
        "knownError { id version state class amount corrected proposedBy permissions items { item { id } amount } }",
    )
}

fn approve() -> String {
    change("approveKnownError", "knownError { id version state approvedBy }")
}

fn revoke() -> String {
    change(
        "revokeKnownError",
        "knownError { id version state revokedBy revocationReason permissions }",
    )
}

fn decision(error: &Value, fields: &Value) -> Value {
    with(
        &json!({ "id": error["id"], "expectedVersion": error["version"] }),
        fields,
    )
}

/// One error that is systemic: 0.40 of 1.00 in the item, 5.00 in the stratum.
fn systemic(sample: &Value, item: &Value, fields: &Value) -> Value {
    let input = json!({
        "sampleId": sample["id"], "class": "SYSTEMIC", "cause": "Falsche Schlüsselzahl", "reason": "Alle Fälle der Schlüsselzahl geprüft",
        "delimitedAmount": "5.00", "corrected": false, "items": [{ "sampleItemId": item["id"], "amount": "0.40" }],
        "idempotencyKey": tests::unique("k"),
    });
    with(&input, fields)
}

/// One error that is anomalous, with all of its amount.
fn anomalous(sample: &Value, item: &Value, fields: &Value) -> Value {
    let input = json!({
        "sampleId": sample["id"], "class": "ANOMALOUS", "cause": "Stromausfall", "reason": "Nur an diesem Tag",
        "corrected": true, "items": [{ "sampleItemId": item["id"] }], "idempotencyKey": tests::unique("k"),
    });
    with(&input, fields)
}

const FIGURES: &str = "overall { total { projected systemic anomalous anomalousCorrected totalError } }";

/// What the guidance says of the sample, and what it does not.
async fn ec(audit: &Audit<'_>, sample: &Value, method: &str) -> (Value, Vec<String>) {
    let selection = format!(
        "exclusions {{ code }} ec(input: {{ method: {method}, profile: EXACT, materiality: \"0.02\", understatements: SET_ASIDE }}) {{
            result {{ {FIGURES} }} userErrors {{ code path }} }}"
    );
    let told = by(&audit.auditor, sample, &selection).await;
    let codes = told["exclusions"].as_array().unwrap().iter();
    let codes = codes
        .map(|one| one["code"].as_str().unwrap().to_owned())
        .collect();
    (told["ec"].clone(), codes)
}

on_both!(known_errors_are_added_and_not_projected, |service| async move {
    let audit = filled(&service).await;
    let fields = json!({ "size": 12, "confidence": "0.95", "tolerableRate": "0.5", "reason": null });
    let sample = audit.drawn("Zeilen", "SIMPLE_RANDOM", &fields).await;
    checked(&audit, &sample, 3).await;
    let items = audit.items(&sample).await;
    let quality = service.person("qs", "QUALITAETSSICHERUNG");
    let (plain, codes) = ec(&audit, &sample, "DIFFERENCE").await;
    assert_eq!(codes, ["MISSING_ITEMS"]);

    let input = systemic(&sample, &items[0], &json!({}));
    let first = audit.auditor.done(&propose(), input.clone()).await["knownError"].clone();
    assert_eq!(
        json!([
            first["state"],
            first["amount"],
            first["proposedBy"],
            first["items"],
            first["permissions"]
        ]),
        json!(["PROPOSED", "5.00", "auditor", [{ "item": { "id": items[0]["id"] }, "amount": "0.40" }], []])
    );
    let again = audit.auditor.done(&propose(), input.clone()).await["knownError"].clone();
    assert_eq!(again["id"], first["id"]);
    let other = with(&input, &json!({ "corrected": true }));
    assert_eq!(
        audit.auditor.refused(&propose(), other).await,
        refusal("IDEMPOTENCY_KEY_REUSED", "input.idempotencyKey")
    );
    let second = audit
        .head
        .done(&propose(), anomalous(&sample, &items[1], &json!({})))
        .await["knownError"]
        .clone();
    assert_eq!(
        json!([second["amount"], second["permissions"]]),
        json!(["1.00", ["KNOWN_ERROR_REVOKE"]])
    );

    // Until another person approves they count as random.
    let (waiting, codes) = ec(&audit, &sample, "DIFFERENCE").await;
    assert_eq!(
        (waiting, codes),
        (
            plain.clone(),
            vec!["MISSING_ITEMS".to_owned(), "KNOWN_ERRORS_WAITING".to_owned()]
        )
    );
    assert_eq!(
        audit
            .head
            .refused(&approve(), decision(&second, &json!({})))
            .await,
        refusal("KNOWN_ERROR_OWN", "input.id")
    );
    assert_eq!(
        audit
            .head
            .refused(&approve(), decision(&first, &json!({ "expectedVersion": 7 })))
            .await,
        refusal("STALE_VERSION", "input.expectedVersion")
    );
    let first = audit.head.done(&approve(), decision(&first, &json!({}))).await["knownError"].clone();
    assert_eq!(
        json!([first["state"], first["approvedBy"]]),
        json!(["APPROVED", "head"])
    );
    assert_eq!(
        quality.refused(&approve(), decision(&first, &json!({}))).await,
        refusal("KNOWN_ERROR_DECIDED", "input.id")
    );
    let second = quality.done(&approve(), decision(&second, &json!({}))).await["knownError"].clone();

    // As the calculator has it for the same figures.
    let (stored, codes) = ec(&audit, &sample, "DIFFERENCE").await;
    assert_eq!(codes, ["MISSING_ITEMS", "KNOWN_ERRORS_PROJECTED"]);
    let lines: Vec<Value> = (0..)
        .zip(&items)
        .map(|(place, item)| {
            let book = cents(&item["amount"]);
            let (error, known) = match place {
                0 => (100, json!({ "systemicError": 40 })),
                1 => (100, json!({ "anomalousError": 100 })),
                2 => (100, json!({})),
                _ => (0, json!({})),
            };
            with(&json!({ "bookValue": book, "auditValue": book - error }), &known)
        })
        .collect();
    let input = json!({
        "method": "DIFFERENCE", "unit": "CENT", "confidence": "0.95", "profile": "EXACT", "materiality": "0.02",
        "understatements": "SET_ASIDE",
        "strata": [{
            "name": "gesamt", "bookValue": cents(&sample["frameSum"]), "population": sample["frameCount"], "items": lines,
            "systemicError": 500,
        }],
        "knownErrors": [
            { "class": "SYSTEMIC", "amount": 500, "corrected": false },
            { "class": "ANOMALOUS", "amount": 100, "corrected": true, "reason": "Nur an diesem Tag" },
        ],
    });
    assert_eq!(stored, alone(&audit, "ec", &input, FIGURES).await);
    let total = &stored["result"]["overall"]["total"];
    assert_eq!(
        json!([total["systemic"], total["anomalous"], total["anomalousCorrected"]]),
        json!(["500.000000", "0.000000", "100.000000"])
    );
    let rates = "query($id: ID!) { sample(id: $id) { evaluation { errors exclusions { code } } evaluationBy(dimension: CALCULATION) {
        ec(input: { method: DIFFERENCE, profile: EXACT, materiality: \"0.02\" }) { result { overall { total { systemic } } } } } } }";
    let told = audit.auditor.data(rates, json!({ "id": sample["id"] })).await["sample"].clone();
    assert_eq!(told["evaluation"]["errors"], 3);
    assert!(
        told["evaluation"]["exclusions"]
            .as_array()
            .unwrap()
            .contains(&json!({ "code": "KNOWN_ERRORS_PROJECTED" }))
    );
    assert_eq!(
        told["evaluationBy"]["ec"]["result"]["overall"]["total"]["systemic"],
        "0.000000"
    );

    // A correction takes nothing away from under them; once revoked they are projected again.
    let attributes = audit.attributes().await;
    let mut correction = check(
        &items[1],
        "NONE",
        [0, cents(&items[1]["amount"]), 0, 0],
        &attributes,
    );
    correction["correction"] = json!(true);
    correction["idempotencyKey"] = json!("Korrektur");
    let record = change("recordCheck", "check { id }");
    assert_eq!(
        audit.auditor.refused(&record, correction.clone()).await,
        refusal("CHECK_BELOW_KNOWN_ERROR", "input.correct")
    );
    let reason = json!({ "reason": "Doch kein Einzelfall" });
    let revoked = quality.done(&revoke(), decision(&second, &reason)).await["knownError"].clone();
    assert_eq!(
        json!([revoked["state"], revoked["revokedBy"], revoked["permissions"]]),
        json!(["REVOKED", "qs", []])
    );
    assert_eq!(
        quality.refused(&revoke(), decision(&revoked, &reason)).await,
        refusal("KNOWN_ERROR_DECIDED", "input.id")
    );
    audit.auditor.done(&record, correction).await;
    audit.head.done(&revoke(), decision(&first, &reason)).await;
    let (rest, codes) = ec(&audit, &sample, "DIFFERENCE").await;
    assert_eq!(codes, ["MISSING_ITEMS"]);
    assert_eq!(rest["result"]["overall"]["total"]["systemic"], "0.000000");
    assert_ne!(rest, plain, "one error less is projected");

    // Everybody of the audit function sees what was classified and why, nobody else does.
    let document = "query($id: ID!) { sample(id: $id) { knownErrors { class state reason cause stratumId revocationReason
        items { amount item { id } } } } }";
    let (told, statements) = service
        .statements(quality.data(document, json!({ "id": sample["id"] })))
        .await;
    assert_eq!(told["sample"]["knownErrors"].as_array().unwrap().len(), 2);
    assert!(statements <= 8, "{statements}");
    let office = service.person("leitung-09", "BEZIRKSSTELLENLEITUNG:09");
    assert!(office.graphql(document, json!({ "id": sample["id"] })).await["errors"].is_array());
});

on_both!(what_is_no_known_error, |service| async move {
    let audit = filled(&service).await;
    let fields = json!({ "size": 12, "confidence": "0.95", "reason": null });
    let sample = audit
        .drawn("Schichten", "STRATIFIED_BY_BEZIRKSSTELLE", &fields)
        .await;
    let open = audit.items(&sample).await;
    let one = |item: &Value| json!([{ "sampleItemId": item["id"] }]);
    assert_eq!(
        audit
            .auditor
            .refused(&propose(), anomalous(&sample, &open[0], &json!({})))
            .await,
        refusal("KNOWN_ERROR_NOT_FOUND", "input.items.0.sampleItemId"),
        "not checked yet"
    );
    checked(&audit, &sample, 11).await;
    let items = audit.items(&sample).await;
    let other = audit
        .drawn("andere", "RECORDS_WITH_REPLACEMENT", &json!({ "size": 3 }))
        .await;
    let elsewhere = audit.items(&other).await;
    let strata: Vec<&Value> = items[..11]
        .iter()
        .map(|item| &item["bezirksstelle"]["number"])
        .collect();
    let apart = strata.iter().position(|place| *place != strata[0]).unwrap();
    let pair = json!([{ "sampleItemId": items[0]["id"] }, { "sampleItemId": items[apart]["id"] }]);
    let twice = json!([{ "sampleItemId": items[0]["id"], "amount": "0.10" }, { "sampleItemId": items[0]["id"], "amount": "0.10" }]);
    for (fields, code, path) in [
        (json!({ "cause": " " }), "REQUIRED", "input.cause"),
        (json!({ "reason": "" }), "REQUIRED", "input.reason"),
        (json!({ "cause": "x".repeat(201) }), "TOO_LONG", "input.cause"),
        (
            json!({ "delimitedAmount": null }),
            "REQUIRED",
            "input.delimitedAmount",
        ),
        (
            json!({ "delimitedAmount": "0.39" }),
            "KNOWN_ERROR_NOT_DELIMITED",
            "input.delimitedAmount",
        ),
        (
            json!({ "class": "ANOMALOUS" }),
            "INVALID_VALUE",
            "input.delimitedAmount",
        ),
        (json!({ "items": [] }), "REQUIRED", "input.items"),
        (
            json!({ "items": vec![one(&items[0])[0].clone(); 201] }),
            "TOO_MANY",
            "input.items",
        ),
        (
            json!({ "items": twice }),
            "ITEM_DOUBLED",
            "input.items.1.sampleItemId",
        ),
        (
            json!({ "items": [{ "sampleItemId": items[0]["id"], "amount": "0.00" }] }),
            "INVALID_VALUE",
            "input.items.0.amount",
        ),
        (
            json!({ "items": [{ "sampleItemId": items[0]["id"], "amount": "1.01" }] }),
            "KNOWN_ERROR_ABOVE_ERROR",
            "input.items.0.amount",
        ),
        (
            json!({ "items": one(&items[11]) }),
            "KNOWN_ERROR_NOT_FOUND",
            "input.items.0.sampleItemId",
        ),
        (
            json!({ "items": one(&elsewhere[0]) }),
            "NOT_FOUND",
            "input.items.0.sampleItemId",
        ),
        (json!({ "items": pair }), "KNOWN_ERROR_STRATA", "input.items"),
        (
            json!({ "sampleId": other["id"] }),
            "KNOWN_ERROR_NOT_FOR_SAMPLE",
            "input.sampleId",
        ),
    ] {
        assert_eq!(
            audit
                .auditor
                .refused(&propose(), systemic(&sample, &items[0], &fields))
                .await,
            refusal(code, path),
            "{fields}"
        );
    }
    // What is proposed is no longer left.
    audit
        .auditor
        .done(&propose(), systemic(&sample, &items[0], &json!({})))
        .await;
    let rest = json!({ "items": [{ "sampleItemId": items[0]["id"], "amount": "0.61" }] });
    assert_eq!(
        audit
            .auditor
            .refused(&propose(), systemic(&sample, &items[0], &rest))
            .await,
        refusal("KNOWN_ERROR_ABOVE_ERROR", "input.items.0.amount")
    );
    let rest = audit
        .auditor
        .done(&propose(), anomalous(&sample, &items[0], &json!({})))
        .await;
    assert_eq!(rest["knownError"]["amount"], "0.60");
    // Of monetary units the ratio in the presence of systemic errors is possible.
    let fields = json!({ "size": 12, "confidence": "0.95", "tolerableError": "2500.00" });
    let money = audit
        .drawn("Beträge", "MONETARY_UNIT_FIXED_INTERVAL", &fields)
        .await;
    checked(&audit, &money, 1).await;
    let item = audit.items(&money).await[0].clone();
    let known = audit
        .auditor
        .done(&propose(), systemic(&money, &item, &json!({})))
        .await["knownError"]
        .clone();
    audit.head.done(&approve(), decision(&known, &json!({}))).await;
    let (told, _) = ec(&audit, &money, "MUS_RATIO").await;
    assert_eq!(told["userErrors"], json!([]));
    assert_eq!(told["result"]["overall"]["total"]["systemic"], "500.000000");
});

on_both!(own_staffs_errors_count_as_random, |service| async move {
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
    let document =
        "query($id: ID!) { sample(id: $id) { items(first: 5) { edges { node { id version amount } } } } }";
    let items = group.data(document, json!({ "id": sample["id"] })).await;
    let items = nodes(&items["sample"]["items"]);
    let own = items.iter().find(|item| item["amount"] == "10.00").unwrap();
    assert_eq!(
        group
            .refused(&propose(), anomalous(&sample, own, &json!({})))
            .await,
        refusal("KNOWN_ERROR_OWN_STAFF", "input.items.0.sampleItemId")
    );
    let outside = service.person("andere", "INNENREVISION");
    assert_eq!(
        outside
            .refused(&propose(), anomalous(&sample, own, &json!({})))
            .await,
        refusal("NOT_FOUND", "input.items.0.sampleItemId")
    );
});

on_both!(known_errors_are_part_of_the_trail, |service| async move {
    let audit = filled(&service).await;
    let sample = audit
        .drawn("Zeilen", "SIMPLE_RANDOM", &json!({ "size": 4, "reason": null }))
        .await;
    let attributes = audit.attributes().await;
    let items = audit.items(&sample).await;
    let checks: Vec<Value> = items
        .iter()
        .map(|item| {
            check(
                item,
                "OVERPAYMENT",
                [0, cents(&item["amount"]) - 100, 0, 0],
                &attributes,
            )
        })
        .collect();
    record_checks(&audit, &sample, &checks).await;
    let known = audit
        .auditor
        .done(&propose(), systemic(&sample, &items[0], &json!({})))
        .await["knownError"]
        .clone();
    audit.head.done(&approve(), decision(&known, &json!({}))).await;
    let (found, _) = unexplained(&service.later(0), &service.db).await.unwrap();
    assert_eq!(found, []);
    let trail = "query($id: ID!) { engagement(id: $id) { trail(first: 200) { edges { node { action } } } } }";
    let told = audit.head.data(trail, json!({ "id": audit.engagement })).await;
    let actions = nodes(&told["engagement"]["trail"]);
    for action in ["KNOWN_ERROR_PROPOSE", "KNOWN_ERROR_APPROVE"] {
        let of = actions.iter().filter(|entry| entry["action"] == action);
        assert_eq!(of.count(), 1, "{action}");
    }
});
