//! Stored samples by the methods of the calculators.

use serde_json::{Value, json};
use tests::story::{Audit, cents};
use tests::{Person, on_both};

use crate::methods::{checked_with_error, filled};

/// The calculators' answers for a sample.
pub(crate) async fn by(person: &Person<'_>, sample: &Value, selection: &str) -> Value {
    let document = format!(
        "query($id: ID!) {{ sample(id: $id) {{ evaluationBy(confidence: \"0.95\") {{ {selection} }} }} }}"
    );
    let told = person.data(&document, json!({ "id": sample["id"] })).await;
    told["sample"]["evaluationBy"].clone()
}

/// Book and audited value of each item, and its hits, as they were checked.
async fn found(audit: &Audit<'_>, sample: &Value, largest: i64) -> Vec<(i64, i64, Value)> {
    let items = audit.items(sample).await;
    items
        .iter()
        .map(|item| {
            let book = cents(&item["amount"]);
            let audited = if book == largest { book * 3 / 4 } else { book };
            (book, audited, item["hits"].clone())
        })
        .collect()
}

/// The pure calculator's answer to the same figures.
pub(crate) async fn alone(audit: &Audit<'_>, name: &str, input: &Value, selection: &str) -> Value {
    let kind = api_type(audit, name).await;
    let document = format!(
        "query($input: {kind}) {{ evaluateSample {{ {name}(input: $input) {{ result {{ {selection} }} userErrors {{ code path }} }} }} }}"
    );
    let told = audit.auditor.data(&document, json!({ "input": input })).await;
    told["evaluateSample"][name].clone()
}

/// The type of a calculator's input, as the contract tells it.
async fn api_type(audit: &Audit<'_>, name: &str) -> String {
    let document =
        "{ __type(name: \"SampleEvaluationMethods\") { fields { name args { type { ofType { name } } } } } }";
    let told = audit.auditor.data(document, json!({})).await;
    let fields = told["__type"]["fields"].as_array().unwrap();
    let field = fields.iter().find(|field| field["name"] == name).unwrap();
    format!(
        "{}!",
        field["args"][0]["type"]["ofType"]["name"].as_str().unwrap()
    )
}

on_both!(a_monetary_sample_by_every_bound, |service| async move {
    let audit = filled(&service).await;
    let fields = json!({ "size": 12, "confidence": "0.95", "tolerableError": "2500.00", "reason": null });
    let sample = audit
        .drawn("Beträge", "MONETARY_UNIT_FIXED_INTERVAL", &fields)
        .await;
    let (largest, _) = checked_with_error(&audit, &sample).await;
    let items: Vec<Value> = found(&audit, &sample, largest)
        .await
        .into_iter()
        .map(|(book, audited, hits)| json!({ "book": book, "audit": audited, "hits": hits }))
        .collect();
    let figures = json!({
        "unit": "CENT", "bookValue": cents(&sample["frameSum"]), "size": 12, "items": items, "confidence": "0.95",
        "tolerable": 250_000,
    });
    let result = "method size bookValue over { known upperLimit conclusion } under { upperLimit }";
    for (name, settings, typed) in [
        (
            "stringerBound",
            json!({ "distribution": "POISSON", "form": "RATE" }),
            "distribution: POISSON, form: RATE",
        ),
        ("allowances", json!({ "factors": "EXACT" }), "factors: EXACT"),
        (
            "cellBound",
            json!({ "distribution": "BINOMIAL" }),
            "distribution: BINOMIAL",
        ),
        (
            "momentBound",
            json!({ "populationType": "ACCOUNTS" }),
            "populationType: ACCOUNTS",
        ),
        ("rohrbachBound", json!({ "delta": "2.7" }), "delta: \"2.7\""),
        (
            "coxSnellBound",
            json!({ "priorA": "1", "priorB": "3", "priorMu": "0.5", "priorPi": "0.5" }),
            "priorA: \"1\", priorB: \"3\", priorMu: \"0.5\", priorPi: \"0.5\"",
        ),
        (
            "meanEstimate",
            json!({ "method": "HANSEN_HURWITZ", "netSides": "UPPER" }),
            "method: HANSEN_HURWITZ, netSides: UPPER",
        ),
    ] {
        let selection =
            format!("{name}(input: {{ {typed} }}) {{ result {{ {result} }} userErrors {{ code path }} }}");
        let stored = by(&audit.auditor, &sample, &selection).await[name].clone();
        assert_eq!(stored["userErrors"], json!([]), "{name}: {stored}");
        let mut input = settings;
        input["sample"] = figures.clone();
        assert_eq!(stored, alone(&audit, name, &input, result).await, "{name}");
    }
    // The guidance's monetary methods are for it, its methods of items and rates are not.
    let refused = json!({ "userErrors": [{ "code": "METHOD_NOT_FOR_SAMPLE", "path": ["input"] }] });
    let told = by(
        &audit.auditor,
        &sample,
        "a: ec(input: { method: MUS_STANDARD, profile: EC_TABLES, materiality: \"0.02\" }) { userErrors { code path } }
         b: ec(input: { method: RATIO, profile: EC_TABLES, materiality: \"0.02\" }) { userErrors { code path } }
         c: rateLimits(input: { sides: UPPER, distribution: BINOMIAL }) { userErrors { code path } }
         d: rohrbachBound(input: { delta: \"-1\" }) { userErrors { path } }",
    )
    .await;
    assert_eq!(told["a"], json!({ "userErrors": [] }));
    assert_eq!(json!([told["b"], told["c"]]), json!([refused, refused]));
    assert_eq!(told["d"]["userErrors"][0]["path"], json!(["input", "delta"]));
});

on_both!(a_sample_of_items_by_every_estimator, |service| async move {
    let audit = filled(&service).await;
    let fields = json!({ "size": 12, "confidence": "0.95", "tolerableRate": "0.5", "reason": null });
    let sample = audit.drawn("Zeilen", "SIMPLE_RANDOM", &fields).await;
    let open = "query($id: ID!) { sample(id: $id) { evaluationBy { rateLimits(input: { sides: UPPER, distribution: POISSON }) {
        userErrors { code } } } } }";
    let told = audit.auditor.graphql(open, json!({ "id": sample["id"] })).await;
    assert_eq!(
        told["errors"][0]["extensions"]["reason"], "SAMPLE_NOT_EVALUABLE",
        "{told}"
    );
    let (largest, _) = checked_with_error(&audit, &sample).await;
    for (settings, method) in [
        ("estimator: MEAN_PER_UNIT", "mean-per-unit"),
        ("estimator: DIFFERENCE", "difference-estimation"),
        ("estimator: RATIO", "ratio-estimation"),
        ("estimator: REGRESSION", "regression-estimation"),
    ] {
        let selection = format!(
            "variables(input: {{ {settings}, sides: TWO_SIDED, quantile: STUDENT_T, finiteCorrection: POPULATION, fewErrors: NONE }})
                {{ result {{ method }} userErrors {{ code path }} }}"
        );
        let told = by(&audit.auditor, &sample, &selection).await["variables"].clone();
        assert_eq!(told, json!({ "result": { "method": method }, "userErrors": [] }));
    }
    let told = by(
        &audit.auditor,
        &sample,
        "rateLimits(input: { sides: UPPER, distribution: HYPERGEOMETRIC }) { result { method size deviations } userErrors { code } }
         strataLimits(input: { sides: UPPER, distribution: BINOMIAL, combination: POOLED }) { result { method } userErrors { code } }
         ec(input: { method: DIFFERENCE, profile: EXACT, materiality: \"0.02\" }) { result { method } userErrors { code } }
         stringerBound(input: { distribution: POISSON, form: RATE }) { userErrors { code } }",
    )
    .await;
    let in_error = found(&audit, &sample, largest)
        .await
        .iter()
        .filter(|(book, audited, _)| book != audited)
        .count();
    assert_eq!(
        told["rateLimits"]["result"],
        json!({ "method": "attribute-hypergeometric", "size": 12, "deviations": in_error })
    );
    assert_eq!(told["strataLimits"]["userErrors"], json!([]));
    assert_eq!(
        told["ec"],
        json!({ "result": { "method": "ec-difference" }, "userErrors": [] })
    );
    assert_eq!(
        told["stringerBound"]["userErrors"][0]["code"],
        "METHOD_NOT_FOR_SAMPLE"
    );

    // Without a tolerable error of the plan the request may name one.
    let told = by(
        &audit.auditor,
        &sample,
        "exclusions { code } variables(input: { estimator: DIFFERENCE, sides: UPPER, quantile: NORMAL, finiteCorrection: NONE,
            fewErrors: NONE, tolerable: 100000 }) { result { conclusion } userErrors { code } }
         ec(input: { method: MUS_RATIO, materiality: \"0.02\" }) { userErrors { code } }",
    )
    .await;
    assert!(told["variables"]["result"]["conclusion"].is_string(), "{told}");
    assert_eq!(told["exclusions"], json!([{ "code": "MISSING_ITEMS" }]));
    assert_eq!(told["ec"]["userErrors"][0]["code"], "METHOD_NOT_FOR_SAMPLE");

    // With replacement an item counts each time; what takes every item once is not for it.
    let again = audit
        .drawn("mehrfach", "RECORDS_WITH_REPLACEMENT", &json!({ "size": 25 }))
        .await;
    checked_with_error(&audit, &again).await;
    let told = by(
        &audit.auditor,
        &again,
        "a: rateLimits(input: { sides: UPPER, distribution: BINOMIAL }) { result { size } userErrors { code } }
         b: rateLimits(input: { sides: UPPER, distribution: HYPERGEOMETRIC }) { userErrors { code } }
         c: ec(input: { method: RATIO, profile: EXACT, materiality: \"0.02\" }) { userErrors { code } }",
    )
    .await;
    assert_eq!(told["a"], json!({ "result": { "size": 25 }, "userErrors": [] }));
    for refused in ["b", "c"] {
        assert_eq!(
            told[refused]["userErrors"][0]["code"], "METHOD_NOT_FOR_SAMPLE",
            "{told}"
        );
    }

    // A Bezirksstelle evaluates nothing; of a judgemental sample nothing is projected.
    let document = "query($id: ID!) { sample(id: $id) { evaluationBy { ec(input: { method: RATIO, materiality: \"0.02\" }) {
        userErrors { code } } } } }";
    let office = service.person("leitung-09", "BEZIRKSSTELLENLEITUNG:09");
    let told = office.graphql(document, json!({ "id": sample["id"] })).await;
    assert!(told["errors"].is_array(), "{told}");
});
