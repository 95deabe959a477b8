//! What becomes of stored samples beside a plan and its draw.

#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

mod assignment;
mod choice;
mod clusters;
mod evaluation_by;
mod extension;
mod known_error;
mod methods;
mod parameters;
mod replacement;

use serde_json::{Value, json};
use tests::Person;
use tests::program::binary;
use tests::redraw::{fetched, redraw};
use tests::story::{Audit, cents, change, check};

fn refusal(code: &str, path: &str) -> Vec<(String, String)> {
    vec![(code.to_owned(), path.to_owned())]
}

/// The numbered events of an engagement: number, kind and name of the sample.
async fn events(person: &Person<'_>, engagement: &str) -> Vec<(i64, String, Value)> {
    let document = "query($id: ID!) { engagement(id: $id) { drawEvents { number kind sample { name } } } }";
    let told = person.data(document, json!({ "id": engagement })).await;
    let events = told["engagement"]["drawEvents"].as_array().unwrap();
    events
        .iter()
        .map(|event| {
            (
                event["number"].as_i64().unwrap(),
                event["kind"].as_str().unwrap().to_owned(),
                event["sample"]["name"].clone(),
            )
        })
        .collect()
}

/// Checks the open items of a sample; the first ones drawn are in error.
async fn checked(audit: &Audit<'_>, sample: &Value, errors: usize) {
    let attributes = audit.attributes().await;
    let checks: Vec<Value> = audit
        .items(sample)
        .await
        .iter()
        .filter(|item| item["state"] == "OPEN")
        .enumerate()
        .map(|(place, item)| {
            let amount = cents(&item["amount"]);
            let (class, correct) = if place < errors {
                ("OVERPAYMENT", amount - 100)
            } else {
                ("NONE", amount)
            };
            check(item, class, [0, correct, 0, 0], &attributes)
        })
        .collect();
    record_checks(audit, sample, &checks).await;
}

/// Records checks of a sample's items, each of which is taken.
async fn record_checks(audit: &Audit<'_>, sample: &Value, checks: &[Value]) {
    let record = change("recordChecks", "results { userErrors { code path } }");
    let done = audit
        .auditor
        .done(
            &record,
            json!({ "checks": checks, "idempotencyKey": sample["id"] }),
        )
        .await;
    for result in done["results"].as_array().unwrap() {
        assert_eq!(result["userErrors"], json!([]));
    }
}

/// Repeats a draw from its files alone, of which the draw file has so many rows; the record.
async fn redrawn(audit: &Audit<'_>, sample: &Value, rows: usize) -> Value {
    let mut texts = Vec::new();
    for path in ["/exports/draw-file.csv", "/exports/draw-record.json"] {
        let (status, text) = fetched(&audit.auditor, path, &sample["id"]).await;
        assert_eq!(status, 200, "{path}");
        texts.push(text);
    }
    let found = texts[0].lines().filter(|line| !line.starts_with('#')).count();
    assert_eq!(found, rows + 1, "{}", texts[0]);
    if let Some(binary) = binary() {
        let (code, said) = redraw(&binary, &texts[0], &texts[1], &[]);
        assert_eq!(code, 0, "{said}");
    }
    serde_json::from_str(&texts[1]).unwrap()
}
