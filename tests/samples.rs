//! The main job over the wire: from an extract to samples, checks and what they say about the population.

#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};

use audit::demo::{Demo, Extract, Size, true_amount};
use entity::{Scope, population_item, sample_item};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _};
use serde_json::{Value, json};
use tests::{Person, Service, on_both};

/// Thrown with twenty ten-sided dice.
const DICE: &str = "01382438112797316654";
const DEMO: [u8; 32] = [7; 32];
const HOUSEHOLDS: u32 = 80;

/// The document of a mutation with its user errors.
fn change(name: &str, selection: &str) -> String {
    let kind = name[..1].to_uppercase() + &name[1..];
    format!("mutation($input: {kind}Input!) {{ {name}(input: $input) {{ {selection} userErrors {{ code path }} }} }}")
}

fn refusal(code: &str, path: &str) -> Vec<(String, String)> {
    vec![(code.to_owned(), path.to_owned())]
}

/// An input with some fields set otherwise.
fn with(input: &Value, fields: &Value) -> Value {
    let mut changed = input.clone();
    for (name, value) in fields.as_object().unwrap() {
        changed[name] = value.clone();
    }
    changed
}

fn cents(euro: &Value) -> i64 {
    euro.as_str().unwrap().replace('.', "").parse().unwrap()
}

fn euro(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", cents.abs() / 100, cents.abs() % 100)
}

fn number(rate: &Value) -> f64 {
    rate.as_str().unwrap().parse().unwrap()
}

fn nodes(connection: &Value) -> Vec<Value> {
    connection["edges"].as_array().unwrap().iter().map(|edge| edge["node"].clone()).collect()
}

fn close_to(found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance, "{found} is not {expected}");
}

/// What an oracle in Python prints; nothing where Python or its packages are missing and nobody named an interpreter.
fn oracle(script: &str, arguments: &[&str], input: &str) -> Option<String> {
    let named = std::env::var("PYTHON");
    let mut python = Command::new(named.as_deref().unwrap_or("python3"))
        .arg(format!("{}/oracles/{script}", env!("CARGO_MANIFEST_DIR")))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // A script that fails at once closes its end.
    let _closed = python.stdin.take().unwrap().write_all(input.as_bytes());
    let answer = python.wait_with_output().unwrap();
    if !answer.status.success() {
        assert!(named.is_err(), "{script} failed");
        println!("skipped: {script} needs the packages of tests/requirements.txt");
        return None;
    }
    Some(String::from_utf8(answer.stdout).unwrap())
}

/// An engagement with a population that the auditor fills and others confirm.
struct Audit<'a> {
    service: &'a Service,
    auditor: Person<'a>,
    head: Person<'a>,
    engagement: String,
    population: String,
}

impl<'a> Audit<'a> {
    /// With an empty population.
    async fn open(service: &'a Service) -> Self {
        let (auditor, head) = (service.auditor(), service.head());
        let input = json!({
            "title": "Leistungen 2025", "function": "INNENREVISION", "objective": "Rechtmäßigkeit",
            "legalBasis": "§ 6b (4) SGB II", "periodFrom": "2025-01-01", "periodTo": "2025-12-31", "idempotencyKey": "e",
        });
        let opened = auditor.done(&change("openEngagement", "engagement { id }"), input).await;
        let engagement = opened["engagement"]["id"].as_str().unwrap().to_owned();
        let input = json!({
            "engagementId": engagement, "name": "Zahlungen", "unit": "PAYMENT", "source": "Fachverfahren",
            "idempotencyKey": "p",
        });
        let created = auditor.done(&change("createPopulation", "population { id }"), input).await;
        let population = created["population"]["id"].as_str().unwrap().to_owned();
        Self { service, auditor, head, engagement, population }
    }

    /// With the demonstration's payments, frozen.
    async fn demo(service: &'a Service) -> Self {
        let audit = Self::open(service).await;
        let demo = demo();
        let mut file = Vec::new();
        demo.write_payments(&mut file).unwrap();
        audit.import(demo_mapping(), file).await;
        let mut total = Vec::new();
        demo.write_control_totals(Extract::Payments, &mut total).unwrap();
        audit.control_total(&String::from_utf8(total).unwrap()).await;
        audit.settle_differences().await;
        audit.freeze().await;
        audit
    }

    /// With a few lines `reference;bezirksstelle;amount` that the Kommune bears, frozen.
    async fn small(service: &'a Service, lines: &[(&str, &str, i64)]) -> Self {
        let audit = Self::open(service).await;
        let (mut file, mut total) = ("Beleg;Ort;Betrag\n".to_owned(), "fund;bezirksstelle;month;count;sum\n".to_owned());
        let mut cells: BTreeMap<&str, (u32, i64)> = BTreeMap::new();
        for (reference, place, amount) in lines {
            let quoted = reference.replace('"', "\"\"");
            file.push_str(&format!("\"{quoted}\";{place};{}\n", euro(*amount).replace('.', ",")));
            let cell = cells.entry(*place).or_default();
            *cell = (cell.0 + 1, cell.1 + amount);
        }
        for (place, (count, sum)) in cells {
            total.push_str(&format!("KOMMUNE;{place};;{count};{}\n", euro(sum).replace('.', ",")));
        }
        let mapping = json!({
            "encoding": "UTF_8", "delimiter": "SEMICOLON", "decimals": "GERMAN", "dateFormat": "ISO", "key": ["Beleg"],
            "reference": "Beleg", "bezirksstelle": "Ort", "amount": "Betrag", "singleFund": "KOMMUNE",
        });
        audit.import(mapping, file.into_bytes()).await;
        audit.control_total(&total).await;
        audit.freeze().await;
        audit
    }

    async fn import(&self, mapping: Value, file: Vec<u8>) {
        let input = json!({
            "populationId": self.population, "fileName": "zahlungen.csv", "mapping": mapping, "idempotencyKey": "i",
        });
        let opened = self.auditor.done(&change("openImport", "import { id }"), input).await;
        let path = format!("/imports/{}", opened["import"]["id"].as_str().unwrap());
        let answer = self.auditor.request(reqwest::Method::PUT, &path).body(file).send().await.unwrap();
        let (status, ended) = (answer.status(), answer.json::<Value>().await.unwrap());
        assert_eq!((status.as_u16(), &ended["state"]), (200, &json!("COMPLETED")), "{ended}");
    }

    async fn control_total(&self, csv: &str) {
        let input = json!({
            "populationId": self.population, "source": "BOOKING_JOURNAL", "documentReference": "Journal 2025",
            "csv": csv, "idempotencyKey": "c",
        });
        self.head.done(&change("recordControlTotal", "controlTotal { enteredBy }"), input).await;
    }

    async fn seen(&self, selection: &str) -> Value {
        let document = format!("query($id: ID!) {{ population(id: $id) {{ {selection} }} }}");
        self.auditor.data(&document, json!({ "id": self.population })).await["population"].clone()
    }

    /// The auditor explains every difference, the head approves it; how many there were.
    async fn settle_differences(&self) -> usize {
        let found = nodes(&self.seen("differences(first: 200) { edges { node { id version } } }").await["differences"]);
        for difference in &found {
            let input = json!({ "id": difference["id"], "expectedVersion": difference["version"], "explanation": "Barauszahlung" });
            let explained = self.auditor.done(&change("explainDifference", "difference { version }"), input).await;
            let input = json!({ "id": difference["id"], "expectedVersion": explained["difference"]["version"] });
            self.head.done(&change("approveDifference", "difference { state }"), input).await;
        }
        found.len()
    }

    async fn freeze(&self) {
        let version = self.seen("version").await["version"].clone();
        let input = json!({ "id": self.population, "expectedVersion": version });
        let frozen = self.auditor.done(&change("freezePopulation", "population { state }"), input).await;
        assert_eq!(frozen["population"]["state"], "FROZEN");
    }

    fn plan_input(&self, name: &str, method: &str, fields: &Value) -> Value {
        let input = json!({
            "populationId": self.population, "name": name, "method": method, "idempotencyKey": name, "reason": "weitere",
        });
        with(&input, fields)
    }

    async fn planned(&self, input: Value) -> Value {
        self.auditor.done(&plan(), input).await["sample"].clone()
    }

    async fn drawn(&self, name: &str, method: &str, fields: &Value) -> Value {
        let sample = self.planned(self.plan_input(name, method, fields)).await;
        let input = json!({ "id": sample["id"], "expectedVersion": sample["version"], "seed": DICE });
        self.auditor.done(&draw(), input).await["sample"].clone()
    }

    /// All items of a sample, at most 200.
    async fn items(&self, sample: &Value) -> Vec<Value> {
        let data = self.auditor.data(ITEMS, json!({ "filter": { "sample": sample["id"] }, "first": 200 })).await;
        nodes(&data["sampleItems"])
    }

    /// Ids of population items with their hits and tickets, in draw order, as the database has them.
    async fn selected(&self, sample: &Value) -> Vec<(String, i64, Option<String>)> {
        let id = api::graphql::NodeKind::Sample.parse(sample["id"].as_str().unwrap()).unwrap();
        let rows = sample_item::Entity::visible_to(&Scope::Everything)
            .filter(sample_item::Column::SampleId.eq(id))
            .order_by_asc(sample_item::Column::DrawOrder)
            .all(self.service.db.reader())
            .await
            .unwrap();
        rows.into_iter().map(|row| (row.item_id.0.to_string(), row.hits, row.ticket)).collect()
    }

    /// The population, in canonical order.
    async fn population_items(&self) -> Vec<population_item::Model> {
        let all = population_item::Entity::find().order_by_asc(population_item::Column::Id);
        all.all(self.service.db.reader()).await.unwrap()
    }

    /// Checks items as somebody who knows the truth of the demonstration.
    async fn check_truly(&self, items: &[Value]) {
        let answers = self.attributes().await;
        for (chunk, items) in items.chunks(200).enumerate() {
            let checks: Vec<Value> = items
                .iter()
                .map(|item| {
                    let booked = FUNDS.map(|fund| cents(&item["funds"][fund]));
                    let truth = true_amount(DEMO, item["reference"].as_str().unwrap(), booked);
                    check(item, truth.class.as_str(), truth.funds, &answers)
                })
                .collect();
            let key = format!("{} {chunk}", items[0]["id"]);
            let document = change("recordChecks", "results { check { errorClass } userErrors { code path } }");
            let done = self.auditor.done(&document, json!({ "checks": checks, "idempotencyKey": key })).await;
            for result in done["results"].as_array().unwrap() {
                assert_eq!(result["userErrors"], json!([]));
            }
        }
    }

    async fn attributes(&self) -> Vec<Value> {
        let data = self.auditor.data("{ testProgrammes { attributes { code } } }", json!({})).await;
        let attributes = data["testProgrammes"][0]["attributes"].as_array().unwrap();
        attributes.iter().map(|attribute| attribute["code"].clone()).collect()
    }

    async fn evaluation(&self, sample: &Value, arguments: &str) -> Value {
        let document = format!("query($id: ID!) {{ sample(id: $id) {{ evaluation{arguments} {EVALUATION} }} }}");
        self.auditor.data(&document, json!({ "id": sample["id"] })).await["sample"]["evaluation"].clone()
    }
}

const FUNDS: [&str; 4] = ["bund", "kommune", "land", "eu"];
const ITEMS: &str = "query($filter: SampleItemFilter, $order: SampleItemOrder, $first: Int, $after: String, $last: Int, $before: String) {
    sampleItems(filter: $filter, order: $order, first: $first, after: $after, last: $last, before: $before) {
        edges { node { id reference amount hits drawOrder ticket state result version visibleFrom
            bezirksstelle { id number } stratum { id } funds { bund kommune land eu } } }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totals { count amount hits } } }";
const EVALUATION: &str = "{ confidence provisional items checked units errors errorUnits errorClasses { errorClass count }
    exclusions { code } figures {
        ... on RateFigures { rate upperLimit bezirksstellen { result { size errors rate upperLimit } }
            strata { population result { size errors upperLimit } } }
        ... on MonetaryFigures { bookValue size over { items hits knownError projectedError upperLimit steps { rank } }
            under { items hits knownError projectedError upperLimit } } } }";

fn plan() -> String {
    change("planSample", "sample { id version state size frameCount frameSum strata { label size itemCount } }")
}

fn draw() -> String {
    change("drawSample", "sample { id version state size seed algorithm frameCount frameSum }")
}

fn demo() -> Demo {
    Demo::new(DEMO, Size { bedarfsgemeinschaften: HOUSEHOLDS })
}

fn demo_mapping() -> Value {
    json!({
        "encoding": "UTF_8", "delimiter": "SEMICOLON", "decimals": "GERMAN", "dateFormat": "GERMAN", "key": ["Beleg"],
        "caseNumber": "BG-Nummer", "reference": "Beleg", "bezirksstelle": "Bezirksstelle", "amount": "Betrag",
        "funds": { "bund": "Bund", "kommune": "Kommune", "land": "Land", "eu": "EU" }, "product": "Produkt",
        "period": "Monat", "decisionDate": "Buchungstag", "kind": "Art", "ownStaff": "Eigenes Personal",
        "attributes": [
            { "name": "Leistungsart", "column": "Leistungsart" },
            { "name": "Anordnungsbefugnis", "column": "Anordnungsbefugnis" },
        ],
    })
}

/// A check of an item: with an error, its first attribute is not met.
fn check(item: &Value, class: &str, correct: [i64; 4], attributes: &[Value]) -> Value {
    let answers: Vec<Value> = attributes
        .iter()
        .enumerate()
        .map(|(place, code)| json!({ "attribute": code, "answer": if place == 0 && class != "NONE" { "NO" } else { "YES" } }))
        .collect();
    let correct: serde_json::Map<String, Value> =
        FUNDS.iter().zip(correct).map(|(fund, share)| ((*fund).to_owned(), json!(euro(share)))).collect();
    json!({
        "sampleItemId": item["id"], "expectedVersion": item["version"], "errorClass": class, "correct": correct,
        "answers": answers,
    })
}

/// Ids with ticket numbers of a simple random sample.
fn tickets(ids: &[String], size: usize) -> Option<Vec<(String, i64, Option<String>)>> {
    let answer = oracle("tickets.py", &[], &format!("{}\n", json!({ "seed": DICE, "ids": ids, "n": size })))?;
    let drawn: Vec<Value> = serde_json::from_str(&answer).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    Some(drawn.iter().map(|item| (text(&item["id"]), 1, Some(text(&item["ticket"])))).collect())
}

on_both!(the_main_job_from_the_extract_to_three_draws, |service| async move {
    let audit = Audit::open(&service).await;
    let early = audit.plan_input("zu früh", "SIMPLE_RANDOM", &json!({ "size": 5 }));
    assert_eq!(audit.auditor.refused(&plan(), early).await, refusal("POPULATION_NOT_FROZEN", "input.populationId"));
    let mut file = Vec::new();
    let lines = demo().write_payments(&mut file).unwrap();
    audit.import(demo_mapping(), file).await;
    let mut total = Vec::new();
    demo().write_control_totals(Extract::Payments, &mut total).unwrap();
    audit.control_total(&String::from_utf8(total).unwrap()).await;
    assert_eq!(audit.settle_differences().await, 1);
    audit.freeze().await;
    let population = audit.population_items().await;
    assert_eq!(population.len() as u64, lines);

    // What cannot be planned.
    let given = |size: i64| json!({ "size": size });
    for (method, fields, code, path) in [
        ("SIMPLE_RANDOM", given(lines as i64 + 1), "SAMPLE_LARGER_THAN_POPULATION", "input.size"),
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
        ("RECORDED_MONETARY_UNIT", given(5), "INVALID_VALUE", "input.method"),
    ] {
        let input = audit.plan_input("unmöglich", method, &fields);
        assert_eq!(audit.auditor.refused(&plan(), input).await, refusal(code, path), "{fields}");
    }

    // Simple random; the first sample needs no reason, the same key answers the same.
    let mut first = audit.plan_input("einfach", "SIMPLE_RANDOM", &given(60));
    first["reason"] = Value::Null;
    let sample = audit.planned(first.clone()).await;
    assert_eq!((&sample["state"], &sample["frameCount"]), (&json!("PLANNED"), &json!(lines)));
    assert_eq!(audit.planned(first.clone()).await["id"], sample["id"]);
    let other = with(&first, &given(61));
    assert_eq!(audit.auditor.refused(&plan(), other).await, refusal("IDEMPOTENCY_KEY_REUSED", "input.idempotencyKey"));
    let taken = with(&first, &json!({ "idempotencyKey": "neu", "reason": "weitere" }));
    assert_eq!(audit.auditor.refused(&plan(), taken).await, refusal("NAME_TAKEN", "input.name"));
    let second = with(&first, &json!({ "idempotencyKey": "neu", "name": "zweite" }));
    assert_eq!(audit.auditor.refused(&plan(), second).await, refusal("REASON_REQUIRED", "input.reason"));
    let stale = json!({ "id": sample["id"], "expectedVersion": 7, "seed": DICE });
    assert_eq!(audit.auditor.refused(&draw(), stale).await, refusal("STALE_VERSION", "input.expectedVersion"));
    let input = json!({ "id": sample["id"], "expectedVersion": sample["version"], "seed": DICE });
    let bad_seed = with(&input, &json!({ "seed": "" }));
    assert_eq!(audit.auditor.refused(&draw(), bad_seed).await, refusal("SEED_INVALID", "input.seed"));
    let drawn = audit.auditor.done(&draw(), input.clone()).await["sample"].clone();
    assert_eq!((&drawn["state"], &drawn["seed"]), (&json!("DRAWN"), &json!(DICE)));
    let again = with(&input, &json!({ "expectedVersion": drawn["version"] }));
    assert_eq!(audit.auditor.refused(&draw(), again).await, refusal("SAMPLE_NOT_PLANNED", "input.id"));
    let ids: Vec<String> = population.iter().map(|item| item.id.0.to_string()).collect();
    if let Some(expected) = tickets(&ids, 60) {
        assert_eq!(audit.selected(&drawn).await, expected);
    }

    // One given up counts.
    let sample = audit.planned(audit.plan_input("aufgegeben", "SIMPLE_RANDOM", &given(5))).await;
    let input = json!({ "id": sample["id"], "expectedVersion": sample["version"], "reason": "doppelt geplant" });
    let aborted = audit.auditor.done(&change("abortSample", "sample { state version }"), input.clone()).await;
    assert_eq!(aborted["sample"]["state"], "ABORTED");
    let late = json!({ "id": sample["id"], "expectedVersion": aborted["sample"]["version"] });
    assert_eq!(audit.auditor.refused(&draw(), late).await, refusal("SAMPLE_NOT_PLANNED", "input.id"));

    // Stratified: the same in every Bezirksstelle.
    let planned = audit.planned(audit.plan_input("geschichtet", "STRATIFIED_BY_BEZIRKSSTELLE", &given(100))).await;
    let input = json!({ "id": planned["id"], "expectedVersion": planned["version"], "seed": DICE });
    let stratified = audit.auditor.done(&draw(), input).await["sample"].clone();
    let names = audit.auditor.data("{ bezirksstellen { id number } }", json!({})).await;
    let mut expected = Some(Vec::new());
    for stratum in planned["strata"].as_array().unwrap() {
        let number = stratum["label"].as_str().unwrap().split(' ').next().unwrap();
        let part = names["bezirksstellen"].as_array().unwrap().iter().find(|part| part["number"] == number).unwrap();
        let part = api::graphql::NodeKind::Bezirksstelle.parse(part["id"].as_str().unwrap()).unwrap();
        let own = population.iter().filter(|item| item.bezirksstelle_id.0 == part);
        let ids: Vec<String> = own.map(|item| item.id.0.to_string()).collect();
        assert_eq!(stratum["itemCount"], ids.len());
        let size = usize::try_from(stratum["size"].as_u64().unwrap()).unwrap();
        expected = expected.zip(tickets(&ids, size)).map(|(all, some)| [all, some].concat());
    }
    if let Some(expected) = expected {
        assert_eq!(audit.selected(&stratified).await, expected);
    }

    // Monetary unit: every fixed interval's hit, from the items above zero.
    let monetary = audit.drawn("Wert", "MONETARY_UNIT_FIXED_INTERVAL", &given(60)).await;
    let frame: Vec<_> = population.iter().filter(|item| item.amount_cents.0 > 0).collect();
    assert_eq!(monetary["frameCount"], frame.len());
    assert_eq!(cents(&monetary["frameSum"]), frame.iter().map(|item| item.amount_cents.0).sum::<i64>());
    let items: Vec<_> = frame.iter().map(|item| json!([item.id.0, item.amount_cents.0])).collect();
    let query = json!({ "seed": DICE, "context": "gesamt", "n": 60, "items": items });
    if let Some(answer) = oracle("intervals.py", &[], &format!("{query}\n")) {
        let answer: Value = serde_json::from_str(&answer).unwrap();
        let hits = answer["sample"].as_array().unwrap().iter();
        let expected: Vec<_> =
            hits.map(|item| (item["id"].as_str().unwrap().to_owned(), item["hits"].as_i64().unwrap(), None)).collect();
        assert_eq!(audit.selected(&monetary).await, expected);
    }

    // Freeze, draw, abort, draw, draw; plans do not count.
    let document = "query($id: ID!) { engagement(id: $id) { drawEvents { number kind by sample { name } } } }";
    let told = audit.auditor.data(document, json!({ "id": audit.engagement })).await;
    let events = told["engagement"]["drawEvents"].as_array().unwrap();
    let found: Vec<_> = events.iter().map(|event| (event["number"].as_i64().unwrap(), event["kind"].as_str().unwrap())).collect();
    assert_eq!(found, [(1, "FREEZE"), (2, "DRAW"), (3, "ABORT"), (4, "DRAW"), (5, "DRAW")]);
    assert_eq!((&events[0]["sample"], &events[2]["sample"]["name"]), (&Value::Null, &json!("aufgegeben")));
});
