//! Calculators, as whoever plans or evaluates a sample uses them: over the API and on the command line.

#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};

use audit::sampling::calculator::{CALCULATORS, Calculator, Purpose};
use serde_json::{Map, Value, json};
use tests::on_both;
use tests::program::binary;

/// A request for each calculator that has an answer.
#[expect(clippy::too_many_lines, reason = "a table")]
fn requests() -> Vec<(&'static str, Value)> {
    let drawn = json!({ "unit": "CENT", "bookValue": 1_000_000, "size": 3, "confidence": "0.95", "tolerable": 900_000, "items": [
        { "book": 1_000, "audit": 1_000 }, { "book": 2_000, "audit": 1_500 }, { "book": 500, "audit": 500, "hits": 1 },
    ], "exhaustive": [] });
    let of = |fields: Value| {
        let mut all = Map::from_iter([("sample".to_owned(), drawn.clone())]);
        all.extend(fields.as_object().unwrap().clone());
        Value::Object(all)
    };
    let strata = json!([
        { "label": "A", "items": 4_000, "deviation": "30" }, { "label": "B", "items": 1_000, "deviation": "90" },
    ]);
    vec![
        (
            "attributeSize",
            json!({ "distribution": "BINOMIAL", "confidence": "0.95", "tolerable": "0.09", "expectedRate": "0.02" }),
        ),
        (
            "attributeSizeGrid",
            json!({
                "distribution": "POISSON", "confidence": "0.9", "tolerable": ["0.05", "0.1"], "expected": ["0", "0.02", "0.2"],
            }),
        ),
        (
            "discovery",
            json!({ "distribution": "HYPERGEOMETRIC", "population": 1_000, "criticalItems": 10, "confidence": "0.95" }),
        ),
        (
            "stopOrGo",
            json!({ "distribution": "BINOMIAL", "confidence": "0.95", "tolerable": "0.05", "mostDeviations": 3 }),
        ),
        (
            "twoStage",
            json!({ "distribution": "POISSON", "confidence": "0.95", "tolerable": "0.05" }),
        ),
        (
            "monetarySize",
            json!({
                "method": "GAMMA", "unit": "EURO", "bookValue": 1_000_000, "confidence": "0.95", "tolerable": 30_000, "expected": 6_000,
            }),
        ),
        (
            "ecStandardSize",
            json!({
                "profile": "EC_TABLES", "unit": "EURO", "confidence": "0.9", "tolerable": 20_000, "expected": 2_000,
                "strata": [{ "label": "alle", "bookValue": 1_000_000, "deviation": "0.05" }],
                "rounding": "UP", "shareRounding": "LARGEST_REMAINDER",
            }),
        ),
        (
            "ecConservativeSize",
            json!({
                "profile": "EC_TABLES", "unit": "EURO", "bookValue": 1_000_000, "confidence": "0.9", "tolerable": 20_000, "expected": 2_000,
                "rounding": "UP",
            }),
        ),
        (
            "highValueStratum",
            json!({ "rule": "ABOVE_ITERATED", "unit": "EURO", "size": 3, "amounts": [500, 100, 100, 100, 100, 100] }),
        ),
        (
            "variablesSize",
            json!({
                "method": "EC", "profile": "EC_TABLES", "unit": "EURO", "population": 4_000, "confidence": "0.9", "deviation": "35",
                "tolerable": 20_000, "expected": 5_000, "finiteCorrection": "NONE", "rounding": "UP",
            }),
        ),
        (
            "stratifiedSize",
            json!({
                "allocation": "NEYMAN", "basis": "ALLOCATED", "factor": "EXACT", "unit": "EURO", "confidence": "0.95", "precision": 20_000,
                "strata": strata, "finiteCorrection": "NONE", "rounding": "UP", "shareRounding": "LARGEST_REMAINDER",
            }),
        ),
        (
            "sampleConfidence",
            json!({
                "auditRisk": "0.05", "inherentRisk": { "rate": "1" }, "controlRisk": { "rate": "0.5" },
            }),
        ),
        (
            "strataByRoot",
            json!({ "unit": "EURO", "amounts": [1, 2, 3, 4, 5, 60, 70, 80, 900, 1_000], "strata": 2, "classes": 10 }),
        ),
        (
            "strataByValue",
            json!({ "unit": "EURO", "amounts": [1, 2, 3, 4, 5, 60, 70, 80, 900, 1_000], "strata": 2 }),
        ),
        (
            "select",
            json!({
                "draw": { "method": "FIXED_INTERVAL", "seed": "2026-11-21", "size": 2, "bookValue": 600 },
                "items": [{ "id": "a", "amount": 100 }, { "id": "b", "amount": 200 }, { "id": "c", "amount": 300 }],
            }),
        ),
        (
            "rateLimits",
            json!({ "size": 60, "deviations": 2, "confidence": "0.95", "sides": "UPPER", "distribution": "BINOMIAL", "tolerable": "0.2" }),
        ),
        (
            "strataLimits",
            json!({
                "strata": [
                    { "ordinal": 1, "population": 500, "size": 30, "deviations": 1 }, { "ordinal": 2, "population": 500, "size": 30, "deviations": 0 },
                ],
                "confidence": "0.95", "sides": "UPPER", "distribution": "BINOMIAL", "combination": "POOLED",
            }),
        ),
        (
            "stringerBound",
            of(json!({ "distribution": "BINOMIAL", "form": "RATE" })),
        ),
        ("allowances", of(json!({ "factors": "EXACT" }))),
        ("cellBound", of(json!({ "distribution": "POISSON" }))),
        ("momentBound", of(json!({ "populationType": "ACCOUNTS" }))),
        ("rohrbachBound", of(json!({ "delta": "2.7" }))),
        (
            "coxSnellBound",
            of(json!({ "priorA": "1", "priorB": "3", "priorMu": "0.5", "priorPi": "0.5" })),
        ),
        (
            "meanEstimate",
            of(json!({ "method": "MEAN_PER_UNIT", "netSides": "UPPER" })),
        ),
        (
            "variables",
            json!({
                "estimator": "DIFFERENCE", "unit": "EURO", "confidence": "0.95", "sides": "TWO_SIDED", "quantile": "STUDENT_T",
                "finiteCorrection": "POPULATION", "fewErrors": "NONE", "samplingUnit": "ITEM",
                "strata": [{ "name": "alle", "population": 100, "bookValue": 10_000, "items": [
                    { "bookValue": 100, "auditValue": 90 }, { "bookValue": 120, "auditValue": 120 }, { "bookValue": 80, "auditValue": 70 },
                ] }],
            }),
        ),
        (
            "ec",
            json!({
                "method": "MEAN_PER_UNIT", "unit": "EURO", "confidence": "0.9", "profile": "EC_TABLES", "materiality": "0.02",
                "strata": [{ "name": "alle", "bookValue": 10_000, "population": 100, "items": [
                    { "bookValue": 100, "auditValue": 90 }, { "bookValue": 120, "auditValue": 120 }, { "bookValue": 80, "auditValue": 80 },
                ] }],
            }),
        ),
        (
            "totalError",
            json!({
                "unit": "EURO", "bookValue": 1_000_000, "materiality": "0.02", "projected": "12000", "precision": "4000",
                "knownErrors": [{ "class": "SYSTEMIC", "amount": 1_000, "reason": "Regelsatz 2025" }],
            }),
        ),
        (
            "residualError",
            json!({
                "unit": "EURO", "bookValue": 1_000_000, "totalErrorRate": "0.03", "ongoingAssessment": 0, "otherDeductions": 10_000,
                "corrections": 5_000, "materiality": "0.02",
            }),
        ),
    ]
}

fn calculated(name: &str, input: &Value) -> Value {
    let calculator = Calculator::named(name).unwrap();
    calculator
        .run(input.clone())
        .unwrap_or_else(|fault| panic!("{name}: {fault:?}"))
}

#[test]
fn every_calculator_answers_and_says_how() {
    let requests = requests();
    let named: Vec<_> = requests.iter().map(|(name, _)| *name).collect();
    let all: Vec<_> = CALCULATORS.iter().map(|one| one.name).collect();
    assert_eq!(named, all, "a request for each, in their order");
    for (name, input) in &requests {
        let result = calculated(name, input);
        let calculator = Calculator::named(name).unwrap();
        if *name != "attributeSizeGrid" {
            let method = result["method"].as_str().unwrap();
            assert!(calculator.methods.contains(&method), "{name}: {method}");
            assert!(!result["version"].as_str().unwrap().is_empty(), "{name}");
        }
        assert_eq!(calculated(name, input), result, "{name} gives the same again");
        derived(name, input, &result);
        // A field that is not known, and one that is missing, are named.
        let mut more = input.clone();
        more["unbekannt"] = json!(1);
        let fault = calculator.run(more).unwrap_err();
        assert_eq!(
            (fault.code, fault.field.as_str()),
            ("UNKNOWN_FIELD", "unbekannt"),
            "{name}"
        );
        let required = calculator.input()["required"][0].as_str().unwrap().to_owned();
        let mut less = input.clone();
        less.as_object_mut().unwrap().remove(&required);
        let fault = calculator.run(less).unwrap_err();
        assert_eq!(
            (fault.code, fault.field.as_str()),
            ("REQUIRED", required.as_str()),
            "{name}"
        );
        assert_ne!(fault.message.de, fault.message.en);
    }
}

/// All texts of a language in a value.
fn texts<'a>(value: &'a Value, language: &str, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value.as_str().filter(|_| name == language) {
                    Some(text) => found.push(text),
                    None => texts(value, language, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| texts(item, language, found)),
        _ => {}
    }
}

/// A result says how it came about, in German with a comma, at which confidence, and what its method cannot find.
fn derived(name: &str, input: &Value, result: &Value) {
    let german = {
        let mut found = Vec::new();
        texts(result, "de", &mut found);
        found
    };
    for text in &german {
        let decimals = text.split(|sign: char| !sign.is_ascii_digit() && sign != '.');
        let point = decimals.into_iter().find(|part| {
            part.split_once('.')
                .is_some_and(|(left, right)| !left.is_empty() && !right.is_empty() && !right.contains('.'))
        });
        assert_eq!(point, None, "{name} has a decimal point in: {text}");
        assert!(!text.contains("Vertrauensniveau"), "{name}: {text}");
    }
    let of_pages = name == "attributeSizeGrid";
    let mut blind = Vec::new();
    texts(&result["cannotFind"], "de", &mut blind);
    assert!(!blind.is_empty(), "{name} does not say what it cannot find");
    assert_eq!(german.len() == blind.len(), of_pages, "{name} has no derivation");
    let given = input
        .get("confidence")
        .or_else(|| input["sample"].get("confidence"));
    if let Some(confidence) = given {
        assert_eq!(&result["confidence"], confidence, "{name}");
    }
    for field in ["tolerable", "expected", "bookValue", "unit"] {
        let given = input.get(field).or_else(|| input["sample"].get(field));
        let given = given.filter(|value| !value.is_null() && !result[field].is_null());
        if let Some(given) = given.filter(|_| !of_pages) {
            assert_eq!(figure(&result[field]), figure(given), "{name}: {field}");
        }
    }
}

/// A figure as it is written shortest; a word as it is.
fn figure(value: &Value) -> String {
    let text = value
        .as_str()
        .map_or_else(|| value.to_string(), ToOwned::to_owned);
    text.parse::<f64>().map_or(text, |number| number.to_string())
}

/// The schema without what says nothing of its shape.
fn shape(schema: &Value) -> Value {
    match schema {
        Value::Object(fields) => fields
            .iter()
            .filter(|(name, _)| !["title", "description", "$schema", "$defs"].contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), shape(value)))
            .collect(),
        Value::Array(items) => items.iter().map(shape).collect(),
        other => other.clone(),
    }
}

#[test]
fn a_name_of_a_type_means_one_thing() {
    let mut known: BTreeMap<(bool, String), (&str, Value)> = BTreeMap::new();
    for calculator in CALCULATORS.iter() {
        for (is_input, schema) in [(true, calculator.input()), (false, calculator.result())] {
            let parts = schema["$defs"].as_object().into_iter().flatten();
            let parts = parts.map(|(name, part)| (name.as_str(), part));
            for (name, part) in parts.chain([(schema["title"].as_str().unwrap(), &schema)]) {
                let name = name.strip_suffix("Input").filter(|_| is_input).unwrap_or(name);
                let (by, shape_known) = known
                    .entry((is_input, name.to_owned()))
                    .or_insert_with(|| (calculator.name, shape(part)));
                assert_eq!(
                    *shape_known,
                    shape(part),
                    "{name} of {} and {by}",
                    calculator.name
                );
            }
        }
    }
}

/// At an exact tie the risk is not exceeded: decided in whole numbers.
#[test]
fn ties_are_decided_exactly() {
    for (population, confidence, expected) in [
        (1_000, "0.9", 900),
        (1_000, "0.8", 800),
        (5_000, "0.95", 4_750),
        (200, "0.8", 160),
    ] {
        let input = json!({
            "distribution": "HYPERGEOMETRIC", "population": population, "criticalItems": 1, "confidence": confidence,
        });
        assert_eq!(
            calculated("discovery", &input)["size"],
            expected,
            "{population} {confidence}"
        );
    }
    let half = json!({ "distribution": "BINOMIAL", "tolerable": "0.5", "expectedDeviations": 0, "confidence": "0.875" });
    assert_eq!(calculated("attributeSize", &half)["size"], 3);
}

/// A limit that is net by its method is compared with what is projected net, and the other direction is not taken off twice.
#[test]
fn a_net_limit_is_net_once() {
    let sample = json!({
        "unit": "EURO", "bookValue": 1_000_000, "size": 40, "confidence": "0.95", "tolerable": 20_000, "exhaustive": [],
        "items": [
            { "book": 1_000, "audit": 1_000, "hits": 36 }, { "book": 1_000, "audit": 500 }, { "book": 1_000, "audit": 400 },
            { "book": 1_000, "audit": 1_900 }, { "book": 1_000, "audit": 1_800 },
        ],
    });
    let lta = json!({ "distribution": "BINOMIAL", "form": "RATE", "offset": "LTA", "sample": sample });
    let over = calculated("stringerBound", &lta)["over"].clone();
    assert_eq!(over["netUpperLimit"], over["upperLimit"]);
    // 27,500 over and 42,500 under are projected: net there is no overstatement that would be material.
    let projected: f64 = over["projected"].as_str().unwrap().parse().unwrap();
    assert_eq!(
        (projected.round(), &over["conclusion"]),
        (27_500.0, &json!("INCONCLUSIVE"))
    );
}

#[test]
fn impossible_figures_are_refused_by_the_name_of_their_field() {
    let size = json!({ "distribution": "BINOMIAL", "confidence": "0.95", "tolerable": "0.09", "expectedRate": "0.02" });
    let draw = json!({ "draw": { "method": "SIMPLE_RANDOM", "seed": "s", "size": 1 }, "items": [{ "id": "a", "amount": 1 }] });
    for (name, base, change, code, field) in [
        (
            "attributeSize",
            &size,
            json!({ "confidence": "1" }),
            "CONFIDENCE_OUT_OF_RANGE",
            "confidence",
        ),
        (
            "attributeSize",
            &size,
            json!({ "confidence": "0" }),
            "CONFIDENCE_OUT_OF_RANGE",
            "confidence",
        ),
        (
            "attributeSize",
            &size,
            json!({ "confidence": 100 }),
            "CONFIDENCE_OUT_OF_RANGE",
            "confidence",
        ),
        (
            "attributeSize",
            &size,
            json!({ "confidence": "NaN" }),
            "INVALID_VALUE",
            "confidence",
        ),
        (
            "attributeSize",
            &size,
            json!({ "tolerable": "-0.1" }),
            "RATE_OUT_OF_RANGE",
            "tolerable",
        ),
        (
            "attributeSize",
            &size,
            json!({ "tolerable": "1.1" }),
            "RATE_OUT_OF_RANGE",
            "tolerable",
        ),
        (
            "attributeSize",
            &size,
            json!({ "expectedRate": "0.09" }),
            "TOLERABLE_NOT_ABOVE_EXPECTED",
            "tolerable",
        ),
        (
            "select",
            &draw,
            json!({ "items": [{ "id": "b", "amount": 1 }, { "id": "b", "amount": 1 }] }),
            "ITEM_DOUBLED",
            "items[1]",
        ),
        (
            "select",
            &draw,
            json!({ "draw": { "method": "CELL", "seed": "s", "size": 100_000_000, "bookValue": 1_000_000_000_000_i64 } }),
            "SAMPLE_TOO_LARGE",
            "draw.size",
        ),
    ] {
        let mut input = base.clone();
        input
            .as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        let fault = Calculator::named(name).unwrap().run(input).unwrap_err();
        assert_eq!(
            (fault.code, fault.field.as_str()),
            (code, field),
            "{name} {change}"
        );
        assert_ne!(fault.message.de, fault.message.en);
    }
}

/// What stands in a list is refused with its place.
#[test]
fn refusals_in_lists_name_the_entry() {
    let requests = requests();
    let refused = |name: &str, change: &dyn Fn(&mut Value)| {
        let (_, input) = requests.iter().find(|(one, _)| *one == name).unwrap();
        let mut input = input.clone();
        change(&mut input);
        let fault = Calculator::named(name).unwrap().run(input).unwrap_err();
        (fault.code, fault.field)
    };
    let faults = [
        refused("strataLimits", &|input| input["strata"][1]["size"] = json!(0)),
        refused("strataLimits", &|input| {
            input["strata"][1]["deviations"] = json!(31);
        }),
        refused("strataLimits", &|input| input["strata"][1]["ordinal"] = json!(1)),
        refused("stringerBound", &|input| {
            input["sample"]["items"][1]["book"] = json!(0);
        }),
        refused("stringerBound", &|input| input["sample"]["size"] = json!(4)),
        refused("stringerBound", &|input| {
            input["sample"]["exhaustive"] = json!([{ "book": 5, "audit": 5 }, { "book": 0, "audit": 0 }]);
        }),
        refused("ec", &|input| {
            input["strata"][0]["items"][2] = json!({ "bookValue": 1, "auditValue": 1, "hits": 2 });
        }),
        refused("ec", &|input| input["strata"][0]["population"] = json!(2)),
        refused("ec", &|input| input["confidence"] = json!("0.85")),
        refused("variables", &|input| {
            input["strata"][0]["items"][1]["cluster"] = json!("a");
        }),
        refused("stratifiedSize", &|input| {
            input["strata"][1]["deviation"] = json!("0");
        }),
        refused("ecStandardSize", &|input| {
            input["strata"][0]["bookValue"] = json!(-1);
        }),
        refused("attributeSizeGrid", &|input| input["tolerable"][1] = json!("1.5")),
        refused("highValueStratum", &|input| input["amounts"][3] = json!(0)),
        refused("strataByRoot", &|input| input["amounts"][9] = json!(-1)),
        refused("totalError", &|input| {
            input["knownErrors"][0]["amount"] = json!(-1);
        }),
        refused("select", &|input| input["items"][2]["amount"] = json!(0)),
    ];
    let faults: Vec<_> = faults
        .iter()
        .map(|(code, field)| (*code, field.as_str()))
        .collect();
    assert_eq!(
        faults,
        [
            ("SAMPLE_EMPTY", "strata[1].size"),
            ("DEVIATIONS_ABOVE_SIZE", "strata[1].deviations"),
            ("STRATUM_TWICE", "strata[1].ordinal"),
            ("AMOUNT_NOT_POSITIVE", "sample.items[1].book"),
            ("HITS_DIFFER", "sample.items"),
            ("EXHAUSTIVE_NOT_POSITIVE", "sample.exhaustive[1].book"),
            ("HITS_NOT_POSSIBLE", "strata[0].items[2].hits"),
            ("SAMPLE_LARGER_THAN_POPULATION", "strata[0].population"),
            ("CONFIDENCE_NOT_IN_TABLE", "confidence"),
            ("CLUSTER_UNEXPECTED", "strata[0].items[1].cluster"),
            ("AMOUNT_OUT_OF_RANGE", "strata[1].deviation"),
            ("AMOUNT_OUT_OF_RANGE", "strata[0].bookValue"),
            ("RATE_OUT_OF_RANGE", "tolerable[1]"),
            ("AMOUNT_OUT_OF_RANGE", "amounts[3]"),
            ("AMOUNT_OUT_OF_RANGE", "amounts[9]"),
            ("ERROR_NEGATIVE", "knownErrors[0].amount"),
            ("AMOUNT_NOT_POSITIVE", "items[2]"),
        ]
    );
}

/// Without any deviation the normal combination has no spread: no limit, no verdict, and the reason.
#[test]
fn a_normal_limit_without_deviations_has_no_verdict() {
    let input = json!({
        "strata": [{ "ordinal": 1, "population": 500, "size": 30, "deviations": 0 }],
        "confidence": "0.95", "sides": "TWO_SIDED", "distribution": "BINOMIAL", "combination": "NORMAL", "tolerable": "0.02",
    });
    let result = calculated("strataLimits", &input);
    for field in ["upperLimit", "lowerLimit", "conclusion", "achievedConfidence"] {
        assert_eq!(result[field], Value::Null, "{field}");
    }
    let mut warnings = Vec::new();
    texts(&result["warnings"], "en", &mut warnings);
    assert!(
        warnings.iter().any(|text| text.contains("no limits")),
        "{warnings:?}"
    );
}

/// A tail that is a decimal is shown as it is, without the noise of floats.
#[test]
fn tails_are_rounded_up_exactly() {
    let coin = json!({ "distribution": "BINOMIAL", "criticalRate": "0.5", "confidence": "0.5" });
    let result = calculated("discovery", &coin);
    assert_eq!(
        (&result["size"], &result["probabilityOfFindingOne"]),
        (&json!(1), &json!("0.5"))
    );
    let tenth = json!({ "distribution": "HYPERGEOMETRIC", "population": 1_000, "criticalItems": 1, "confidence": "0.9" });
    assert_eq!(calculated("discovery", &tenth)["probabilityOfFindingOne"], "0.9");
}

/// All fields of a type, and of the types of these.
fn selection(of: &dyn Fn(&str) -> Value, named: &dyn Fn(&Value) -> String, ty: &str) -> String {
    let ty = of(ty);
    let Some(fields) = ty["fields"].as_array() else {
        return String::new();
    };
    let all: Vec<String> = fields
        .iter()
        .map(|field| {
            format!(
                "{} {}",
                field["name"].as_str().unwrap(),
                selection(of, named, &named(field))
            )
        })
        .collect();
    format!("{{ __typename {} }}", all.join(" "))
}

/// A document that asks a calculator for everything its result has, and for the type of each object.
fn document(calculator: &Calculator, schema: &Value) -> String {
    let root = match calculator.purpose {
        Purpose::Plan => "planSample",
        Purpose::Select => "selectSample",
        Purpose::Evaluate => "evaluateSample",
    };
    let types = schema["__schema"]["types"].as_array().unwrap();
    let of = |name: &str| types.iter().find(|one| one["name"] == name).unwrap();
    let named = |field: &Value| {
        let mut ty = &field["type"];
        while !ty["ofType"].is_null() {
            ty = &ty["ofType"];
        }
        ty["name"].as_str().unwrap().to_owned()
    };
    let kind = named(
        of("Query")["fields"]
            .as_array()
            .unwrap()
            .iter()
            .find(|field| field["name"] == root)
            .unwrap(),
    );
    let field = of(&kind)["fields"]
        .as_array()
        .unwrap()
        .iter()
        .find(|field| field["name"] == calculator.name)
        .unwrap()
        .clone();
    let input = named(&field["args"][0]);
    let answer = selection(&|name| of(name).clone(), &named, &named(&field));
    format!(
        "query($input: {input}!) {{ {root} {{ {}(input: $input) {answer} }} }}",
        calculator.name
    )
}

/// The same value without the names of its types.
fn plain(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .filter(|(name, _)| *name != "__typename")
            .map(|(name, value)| (name.clone(), plain(value)))
            .collect(),
        Value::Array(items) => items.iter().map(plain).collect(),
        other => other.clone(),
    }
}

on_both!(the_api_calculates_the_same, |service| async move {
    let auditor = service.auditor();
    let types = "{ __schema { types { name fields { name args { type { ...T } } type { ...T } } } } }
        fragment T on __Type { name ofType { name ofType { name ofType { name ofType { name ofType { name } } } } } }";
    let schema = auditor.data(types, json!({})).await;
    for (name, input) in requests() {
        let calculator = Calculator::named(name).unwrap();
        let document = document(calculator, &schema);
        let (data, statements) = service
            .statements(auditor.data(&document, json!({ "input": input })))
            .await;
        let answer = data.as_object().unwrap().values().next().unwrap()[name].clone();
        assert_eq!(answer["userErrors"], json!([]), "{name}");
        assert_eq!(plain(&answer["result"]), calculated(name, &input), "{name}");
        assert!(
            answer["__typename"].as_str().unwrap().ends_with("Answer"),
            "{name}"
        );
        assert_eq!(statements, 0, "{name} reads nothing that is stored");
    }
    // A refusal names its field, in the language of who asks; fragments and aliases are as everywhere.
    let refused = "{ planSample { a: attributeSize(input: { distribution: BINOMIAL, confidence: \"2\", tolerable: \"0.1\",
        expectedRate: \"0\" }) { ...A } b: attributeSize(input: { distribution: BINOMIAL, confidence: \"0.95\", tolerable: \"0.1\",
        expectedRate: \"0\" }) { ...A } } }
        fragment A on SamplingAttributeSizeAnswer { result { n: size ... on SamplingAttributeSize { method } }
            userErrors { code path message } }";
    let data = service.auditor().in_german().data(refused, json!({})).await;
    let refusal = &data["planSample"]["a"];
    assert_eq!(refusal["result"], Value::Null);
    assert_eq!(refusal["userErrors"][0]["code"], "CONFIDENCE_OUT_OF_RANGE");
    assert_eq!(refusal["userErrors"][0]["path"], json!(["input", "confidence"]));
    assert!(
        refusal["userErrors"][0]["message"]
            .as_str()
            .unwrap()
            .contains("Sicherheit")
    );
    assert_eq!(
        data["planSample"]["b"],
        json!({ "result": { "n": 29, "method": "attribute-size-binomial" }, "userErrors": [] })
    );
    // An entry of a list is a part of the path.
    let listed = "{ planSample { attributeSizeGrid(input: { distribution: POISSON, confidence: \"0.9\", tolerable: [\"0.05\", \"2\"],
        expected: [\"0\"] }) { userErrors { path } } } }";
    let data = auditor.data(listed, json!({})).await;
    assert_eq!(
        data["planSample"]["attributeSizeGrid"]["userErrors"][0]["path"],
        json!(["input", "tolerable", "1"])
    );
    // What the contract does not know is refused before anything runs; and nobody calculates without a token.
    let unknown = "{ planSample { attributeSize(input: { distribution: NORMAL, confidence: \"0.9\" }) { result { size } } } }";
    assert_eq!(
        auditor.codes(unknown, json!({})).await,
        ["GRAPHQL_VALIDATION_FAILED"]
    );
    let anybody = "{ planSample { __typename } }";
    assert_eq!(
        service.anybody().codes(anybody, json!({})).await,
        ["UNAUTHENTICATED"]
    );
});

#[test]
fn the_command_line_answers_line_by_line() {
    let Some(binary) = binary() else { return };
    let mut program = Command::new(&binary)
        .arg("calculate")
        .env("LANG", "en_US.UTF-8")
        .env("PRUEFPFAD_LANGUAGE", "en")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = Vec::new();
    for (number, (name, input)) in requests().into_iter().enumerate() {
        lines.push(json!({ "id": number, "calculator": name, "input": input }).to_string());
    }
    lines.extend([
        "{".to_owned(),
        "[]".to_owned(),
        "5".to_owned(),
        String::new(),
        json!({ "id": "x", "calculator": "nichts", "input": {} }).to_string(),
        json!({ "id": "y", "calculator": "rateLimits", "input": { "size": 1 } }).to_string(),
    ]);
    let text = lines.join("\n");
    let mut stdin = program.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()));
    let output = program.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success());
    let answers: Vec<Value> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let requests = requests();
    for (number, (name, input)) in requests.iter().enumerate() {
        assert_eq!(
            answers[number],
            json!({ "id": number, "calculator": name, "result": calculated(name, input) })
        );
    }
    let rest: Vec<_> = answers[requests.len()..]
        .iter()
        .map(|answer| (answer["id"].clone(), answer["errors"][0]["code"].clone()))
        .collect();
    assert_eq!(
        rest,
        [
            (Value::Null, json!("NO_REQUEST")),
            (Value::Null, json!("NO_REQUEST")),
            (Value::Null, json!("NO_REQUEST")),
            (json!("x"), json!("CALCULATOR_UNKNOWN")),
            (json!("y"), json!("REQUIRED")),
        ]
    );
    let described = Command::new(&binary)
        .args(["calculate", "--describe"])
        .output()
        .unwrap();
    let described: Value = serde_json::from_slice(&described.stdout).unwrap();
    let all = described["calculators"].as_array().unwrap();
    assert_eq!(all.len(), CALCULATORS.len());
    for one in all {
        for part in ["source", "name", "purpose"] {
            assert!(!one[part].as_str().unwrap().is_empty());
        }
        assert!(one["input"]["properties"].is_object() && one["result"]["properties"].is_object());
    }
}
