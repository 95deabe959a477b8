//! Callers with good tokens who ask for what is not theirs.

#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

use serde_json::{Value, json};
use tests::story::{Audit, change};
use tests::{attack, on_both};

on_both!(nobody_gets_what_is_not_theirs, |service| async move {
    let lines = [
        ("EIGEN-1", "09", 100),
        ("GEHEIM-2", "09", 271_828),
        ("GEHEIM-3", "01", 314_159),
        ("GEHEIM-4", "02", 161_803),
    ];
    let audit = Audit::small(&service, &lines).await;
    let sample = audit.drawn("alle", "SIMPLE_RANDOM", &json!({ "size": 4 })).await;
    let items = audit.items(&sample).await;
    let of = |reference: &str| {
        let found = items.iter().find(|item| item["reference"] == reference);
        found.unwrap()["id"].clone()
    };
    let (own, foreign) = (of("EIGEN-1"), of("GEHEIM-3"));
    let input = json!({ "sampleId": sample["id"], "itemIds": [own, foreign] });
    audit
        .auditor
        .done(&change("announceSampleItems", "announced { count }"), input)
        .await;

    // Secrets, besides the lines of others: what the draw says of the own one.
    let tickets = "query($id: ID!) { sample(id: $id) { items { edges { node { ticket } } } } }";
    let tickets = audit.auditor.data(tickets, json!({ "id": sample["id"] })).await;
    let tickets = tickets["sample"]["items"]["edges"].as_array().unwrap();
    let mut words: Vec<Value> = tickets
        .iter()
        .map(|edge| edge["node"]["ticket"].clone())
        .collect();
    words.extend(
        [
            "GEHEIM", "2718.28", "3141.59", "1618.03", "2718,28", "3141,59", "1618,03",
        ]
        .map(Value::from),
    );

    let seen = "query($id: ID!) { population(id: $id) { imports { id } } bezirksstellen { id number } }";
    let seen = audit.auditor.data(seen, json!({ "id": audit.population })).await;
    let elsewhere = seen["bezirksstellen"]
        .as_array()
        .unwrap()
        .iter()
        .find(|part| part["number"] == "01");
    // An import that waits for its file, to be watched.
    let input = json!({
        "engagementId": audit.engagement, "name": "Noch eine", "unit": "PAYMENT", "source": "Fachverfahren",
        "idempotencyKey": "noch eine",
    });
    let another = audit
        .auditor
        .done(&change("createPopulation", "population { id }"), input)
        .await;
    let mapping = json!({
        "encoding": "UTF_8", "delimiter": "SEMICOLON", "decimals": "GERMAN", "dateFormat": "ISO", "key": ["Beleg"],
        "reference": "Beleg", "bezirksstelle": "Ort", "amount": "Betrag", "singleFund": "KOMMUNE",
    });
    let input = json!({
        "populationId": another["population"]["id"], "fileName": "warten.csv", "mapping": mapping, "idempotencyKey": "warten",
    });
    let waiting = audit
        .auditor
        .done(&change("openImport", "import { id }"), input)
        .await;

    let situation = json!({
        "address": service.address,
        "key_file": service.settings.auth.development_key_file,
        "tokens": {
            "auditor": service.token("auditor", &["INNENREVISION"]),
            "second": service.token("second", &["INNENREVISION"]),
            "stelle": service.token("stelle", &["SACHBEARBEITUNG:09"]),
            "budget": service.token("budget", &["BUDGET"]),
        },
        "words": words,
        "visible": "EIGEN-1",
        "ids": {
            "own": own, "foreign": foreign, "hidden": of("GEHEIM-2"), "sample": sample["id"],
            "engagement": audit.engagement, "population": audit.population,
            "import": seen["population"]["imports"][0]["id"], "waiting": waiting["import"]["id"],
            "elsewhere": elsewhere.unwrap()["id"],
        },
    });
    let Some(verdict) = attack("documents.py", &[], &situation).await else {
        return;
    };
    assert!(verdict["tried"].as_u64() > Some(250), "{verdict}");
});
