//! Cases at random, each with all its lines.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};
use tests::on_both;
use tests::oracle::oracle;
use tests::redraw::fetched;
use tests::story::{Audit, DICE, cents, change, check, euro, nodes, plan};

use crate::{record_checks, redrawn, refusal};

/// Thirty lines of twelve cases, in two Bezirksstellen.
async fn filled(service: &tests::Service) -> Audit<'_> {
    let audit = Audit::open(service).await;
    let mut file = "Beleg;Fall;Ort;Betrag\n".to_owned();
    let mut sums = BTreeMap::from([("01", (0, 0)), ("09", (0, 0))]);
    for line in 1..=30_i64 {
        let case = line * line % 12;
        let (place, amount) = (if case % 3 == 0 { "01" } else { "09" }, line * 1_000);
        let cell = sums.get_mut(place).unwrap();
        *cell = (cell.0 + 1, cell.1 + amount);
        writeln!(
            file,
            "Z{line:02};BG{case:02};{place};{}",
            euro(amount).replace('.', ",")
        )
        .unwrap();
    }
    let mapping = json!({
        "encoding": "UTF_8", "delimiter": "SEMICOLON", "decimals": "GERMAN", "dateFormat": "ISO", "key": ["Beleg"],
        "reference": "Beleg", "caseNumber": "Fall", "bezirksstelle": "Ort", "amount": "Betrag", "singleFund": "KOMMUNE",
    });
    audit.import(mapping, file.into_bytes()).await;
    let mut total = "fund;bezirksstelle;month;count;sum\n".to_owned();
    for (place, (count, sum)) in sums {
        writeln!(total, "KOMMUNE;{place};;{count};{}", euro(sum).replace('.', ",")).unwrap();
    }
    audit.control_total(&total).await;
    audit.freeze().await;
    audit
}

/// Lines of each case by its pseudonym in the spelling of an id.
async fn cases(audit: &Audit<'_>) -> BTreeMap<String, Vec<String>> {
    let mut cases: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for item in audit.population_items().await {
        let case = uuid::Uuid::from_slice(item.case_key.as_ref().unwrap()).unwrap();
        cases
            .entry(case.to_string())
            .or_default()
            .push(item.id.0.to_string());
    }
    cases
}

on_both!(cases_are_drawn_with_all_their_lines, |service| async move {
    let audit = filled(&service).await;
    let cases = cases(&audit).await;
    // The squares modulo twelve: 0, 1, 4, 9.
    assert_eq!(cases.len(), 4);
    let fields = json!({ "size": 3, "tolerableRate": "0.9", "reason": null });
    let sample = audit.drawn("Fälle", "SIMPLE_RANDOM_CLUSTERS", &fields).await;
    assert_eq!(
        json!([sample["frameCount"], sample["size"], sample["algorithm"]]),
        json!([4, 3, "tickets-1"])
    );
    let drawn = audit.selected(&sample).await;
    let items: Vec<Value> = cases.keys().map(|case| json!([case, 0])).collect();
    let query = json!({ "what": "draw", "algorithm": "tickets-1", "seed": DICE, "context": "", "size": 3, "items": items });
    if let Some(answer) = oracle("draw.py", &[], &format!("{query}\n")) {
        let expected: Vec<(String, i64, Option<String>)> = serde_json::from_str(&answer).unwrap();
        let expected: Vec<_> = expected
            .into_iter()
            .flat_map(|(case, hits, ticket)| {
                let mut lines = cases[&case].clone();
                lines.sort();
                lines.into_iter().map(move |line| (line, hits, ticket.clone()))
            })
            .collect();
        assert_eq!(drawn, expected);
    }
    let record = redrawn(&audit, &sample, 4).await;
    assert_eq!(record["items"].as_array().unwrap().len(), 3);
    assert_eq!(record["plan"]["strata"][0]["populationSize"], 4);
    // The draw file and its read records speak of cases.
    let (_, file) = fetched(&audit.auditor, "/exports/draw-file.csv", &sample["id"]).await;
    assert!(
        file.contains("\r\n# Each row is a case with all its lines"),
        "{file}"
    );
    let officer = service.person("dsb", "DATENSCHUTZ");
    let document = "query($engagement: ID!) { readRecords(filter: { engagementId: $engagement }, first: 100) { edges { node {
        objectKind objectCount classes } } } }";
    let records = officer
        .data(document, json!({ "engagement": audit.engagement }))
        .await;
    let of_cases: Vec<Value> = nodes(&records["readRecords"])
        .into_iter()
        .filter(|node| node["objectKind"] == "Case")
        .collect();
    let counts: Vec<&Value> = of_cases.iter().map(|node| &node["objectCount"]).collect();
    assert!(
        counts.contains(&&json!(3)) && counts.contains(&&json!(4)),
        "{of_cases:?}"
    );

    // A case is in error where one of its lines is, and counts once all of them are checked.
    let attributes = audit.attributes().await;
    let items = audit.items(&sample).await;
    let first = items[0]["ticket"].clone();
    let of_first = items.iter().filter(|item| item["ticket"] == first).count();
    assert!(of_first > 1);
    let checks: Vec<Value> = items
        .iter()
        .map(|item| {
            let amount = cents(&item["amount"]);
            if item["ticket"] == first {
                check(item, "OVERPAYMENT", [0, amount / 2, 0, 0], &attributes)
            } else {
                check(item, "NONE", [0, amount, 0, 0], &attributes)
            }
        })
        .collect();
    let (last, others) = checks.split_last().unwrap();
    let record = change("recordChecks", "results { userErrors { code path } }");
    let input = json!({ "checks": others, "idempotencyKey": "erst" });
    audit.auditor.done(&record, input).await;
    let found = audit
        .evaluation(&sample, "(confidence: \"0.95\", provisional: true)")
        .await;
    assert_eq!(json!([found["units"], found["errorUnits"]]), json!([2, 1]));
    record_checks(&audit, &sample, std::slice::from_ref(last)).await;
    let found = audit.evaluation(&sample, "(confidence: \"0.95\")").await;
    assert_eq!(
        json!([
            found["checked"],
            found["units"],
            found["errors"],
            found["errorUnits"]
        ]),
        json!([items.len(), 3, of_first, 1])
    );
    assert!(
        found["exclusions"].to_string().contains("CASES_COUNTED"),
        "{found}"
    );
    let alone = audit::sampling::evaluation::attribute(3, 1, "0.95".parse().unwrap()).unwrap();
    assert_eq!(found["figures"]["upperLimit"], alone.upper_limit.to_string());

    // Amounts, by the sums of the cases; what is for other draws is refused.
    let document = "query($id: ID!) { sample(id: $id) { evaluationBy(confidence: \"0.95\") {
        variables(input: { estimator: RATIO, sides: UPPER, quantile: STUDENT_T, finiteCorrection: POPULATION, fewErrors: NONE })
            { result { method size } userErrors { code path } }
        stringerBound(input: { distribution: BINOMIAL, form: RATE }) { result { method } userErrors { code path } } } } }";
    let told = audit.auditor.data(document, json!({ "id": sample["id"] })).await;
    let by = &told["sample"]["evaluationBy"];
    assert_eq!(by["variables"]["userErrors"], json!([]), "{by}");
    assert_eq!(
        by["variables"]["result"],
        json!({ "method": "ratio-estimation", "size": 3 })
    );
    assert_eq!(
        by["stringerBound"],
        json!({ "result": null, "userErrors": [{ "code": "METHOD_NOT_FOR_SAMPLE", "path": ["input"] }] })
    );

    let input = audit.plan_input("zu viele Fälle", "SIMPLE_RANDOM_CLUSTERS", &json!({ "size": 5 }));
    assert_eq!(
        audit.auditor.refused(&plan(), input).await,
        refusal("SAMPLE_LARGER_THAN_POPULATION", "input.size")
    );
});
