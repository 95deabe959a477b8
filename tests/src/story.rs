//! The main job, told over the wire: what tests begin their stories with.

use std::collections::BTreeMap;
use std::io::Write as _;

use audit::demo::{Demo, Extract, Size, TrueAmount, true_amount};
use entity::item_check::ErrorClass;
use entity::{Scope, population_item, sample_item};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _};
use serde_json::{Value, json};

use crate::{Person, Service};

/// Thrown with twenty ten-sided dice.
pub const DICE: &str = "01382438112797316654";

/// Seed of the demonstration.
pub const DEMO: [u8; 32] = [7; 32];

/// Households of the demonstration.
pub const HOUSEHOLDS: u32 = 80;

/// The document of a mutation with its user errors.
pub fn change(name: &str, selection: &str) -> String {
    let kind = name[..1].to_uppercase() + &name[1..];
    format!(
        "mutation($input: {kind}Input!) {{ {name}(input: $input) {{ {selection} userErrors {{ code path }} }} }}"
    )
}

/// An input with some fields set otherwise.
pub fn with(input: &Value, fields: &Value) -> Value {
    let mut changed = input.clone();
    for (name, value) in fields.as_object().unwrap() {
        changed[name] = value.clone();
    }
    changed
}

/// What is right for an item. The first one drawn has no evidence: whatever was drawn, there is an error to find.
pub fn truth(item: &Value) -> TrueAmount {
    let booked = FUNDS.map(|fund| cents(&item["funds"][fund]));
    if item["drawOrder"] == 1 {
        let class = if booked == [0; 4] {
            ErrorClass::Formal
        } else {
            ErrorClass::NotEvidenced
        };
        return TrueAmount {
            class,
            amount: 0,
            funds: [0; 4],
        };
    }
    true_amount(DEMO, item["reference"].as_str().unwrap(), booked)
}

/// Cents of an amount.
pub fn cents(euro: &Value) -> i64 {
    euro.as_str().unwrap().replace('.', "").parse().unwrap()
}

/// An amount in the API's spelling.
pub fn euro(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", cents.abs() / 100, cents.abs() % 100)
}

/// The nodes of a connection.
pub fn nodes(connection: &Value) -> Vec<Value> {
    connection["edges"]
        .as_array()
        .unwrap()
        .iter()
        .map(|edge| edge["node"].clone())
        .collect()
}

/// An engagement with a population that the auditor fills and others confirm.
pub struct Audit<'a> {
    /// The service.
    pub service: &'a Service,
    /// Who audits.
    pub auditor: Person<'a>,
    /// Who confirms.
    pub head: Person<'a>,
    /// Id of the engagement.
    pub engagement: String,
    /// Id of the population.
    pub population: String,
}

impl<'a> Audit<'a> {
    /// With an empty population.
    pub async fn open(service: &'a Service) -> Self {
        Self::titled(service, "Leistungen 2025").await
    }

    /// An engagement of that title, with an empty population.
    pub async fn titled(service: &'a Service, title: &str) -> Self {
        let auditor = service.auditor();
        let input = json!({
            "title": title, "function": "INNENREVISION", "objective": "Rechtmäßigkeit", "legalBasis": "§ 6b (4) SGB II",
            "periodFrom": "2025-01-01", "periodTo": "2025-12-31", "idempotencyKey": crate::unique("e"),
        });
        let opened = auditor
            .done(&change("openEngagement", "engagement { id }"), input)
            .await;
        let engagement = opened["engagement"]["id"].as_str().unwrap();
        Self::of(service, engagement, "Zahlungen").await
    }

    /// An engagement with another population, an empty one of that name.
    pub async fn of(service: &'a Service, engagement: &str, name: &str) -> Self {
        let (auditor, head) = (service.auditor(), service.head());
        let input = json!({
            "engagementId": engagement, "name": name, "unit": "PAYMENT", "source": "Fachverfahren",
            "idempotencyKey": crate::unique("p"),
        });
        let created = auditor
            .done(&change("createPopulation", "population { id }"), input)
            .await;
        Self {
            service,
            auditor,
            head,
            engagement: engagement.to_owned(),
            population: created["population"]["id"].as_str().unwrap().to_owned(),
        }
    }

    /// With the demonstration's payments, frozen.
    pub async fn demo(service: &'a Service) -> Self {
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
    pub async fn small(service: &'a Service, lines: &[(&str, &str, i64)]) -> Self {
        Self::open(service).await.filled(lines).await
    }

    /// The same of an engagement whose population is empty so far.
    pub async fn filled(self, lines: &[(&str, &str, i64)]) -> Self {
        let mut file = b"Beleg;Ort;Betrag\n".to_vec();
        let mut total = b"fund;bezirksstelle;month;count;sum\n".to_vec();
        let mut cells: BTreeMap<&str, (u32, i64)> = BTreeMap::new();
        for (reference, place, amount) in lines {
            let quoted = reference.replace('"', "\"\"");
            writeln!(file, "\"{quoted}\";{place};{}", euro(*amount).replace('.', ",")).unwrap();
            // Nobody bears a line of zero.
            let cell = cells.entry(*place).or_default();
            *cell = (cell.0 + u32::from(*amount != 0), cell.1 + amount);
        }
        for (place, (count, sum)) in cells {
            writeln!(total, "KOMMUNE;{place};;{count};{}", euro(sum).replace('.', ",")).unwrap();
        }
        let mapping = json!({
            "encoding": "UTF_8", "delimiter": "SEMICOLON", "decimals": "GERMAN", "dateFormat": "ISO", "key": ["Beleg"],
            "reference": "Beleg", "bezirksstelle": "Ort", "amount": "Betrag", "singleFund": "KOMMUNE",
        });
        self.import(mapping, file).await;
        self.control_total(&String::from_utf8(total).unwrap()).await;
        self.freeze().await;
        self
    }

    /// Imports an extract.
    pub async fn import(&self, mapping: Value, file: Vec<u8>) {
        let input = json!({
            "populationId": self.population, "fileName": "zahlungen.csv", "mapping": mapping,
            "idempotencyKey": crate::unique("i"),
        });
        let opened = self
            .auditor
            .done(&change("openImport", "import { id }"), input)
            .await;
        let path = format!("/imports/{}", opened["import"]["id"].as_str().unwrap());
        let answer = self
            .auditor
            .request(reqwest::Method::PUT, &path)
            .body(file)
            .send()
            .await
            .unwrap();
        let (status, ended) = (answer.status(), answer.json::<Value>().await.unwrap());
        assert_eq!(
            (status.as_u16(), &ended["state"]),
            (200, &json!("COMPLETED")),
            "{ended}"
        );
    }

    /// Records a control total.
    pub async fn control_total(&self, csv: &str) {
        let input = json!({
            "populationId": self.population, "source": "BOOKING_JOURNAL", "documentReference": "Journal 2025",
            "csv": csv, "idempotencyKey": crate::unique("c"),
        });
        self.head
            .done(&change("recordControlTotal", "controlTotal { enteredBy }"), input)
            .await;
    }

    /// What the auditor sees of the population.
    pub async fn seen(&self, selection: &str) -> Value {
        let document = format!("query($id: ID!) {{ population(id: $id) {{ {selection} }} }}");
        self.auditor
            .data(&document, json!({ "id": self.population }))
            .await["population"]
            .clone()
    }

    /// The auditor explains every difference that is open, the head approves it; how many there were.
    pub async fn settle_differences(&self) -> usize {
        let mut found = nodes(
            &self
                .seen("differences(first: 200) { edges { node { id version state } } }")
                .await["differences"],
        );
        found.retain(|difference| difference["state"] == "OPEN");
        for difference in &found {
            let input = json!({ "id": difference["id"], "expectedVersion": difference["version"], "explanation": "Barauszahlung" });
            let explained = self
                .auditor
                .done(&change("explainDifference", "difference { version }"), input)
                .await;
            let input =
                json!({ "id": difference["id"], "expectedVersion": explained["difference"]["version"] });
            self.head
                .done(&change("approveDifference", "difference { state }"), input)
                .await;
        }
        found.len()
    }

    /// Freezes the population.
    pub async fn freeze(&self) {
        let version = self.seen("version").await["version"].clone();
        let input = json!({ "id": self.population, "expectedVersion": version });
        let frozen = self
            .auditor
            .done(&change("freezePopulation", "population { state }"), input)
            .await;
        assert_eq!(frozen["population"]["state"], "FROZEN");
    }

    /// What plans a sample.
    pub fn plan_input(&self, name: &str, method: &str, fields: &Value) -> Value {
        let input = json!({
            "populationId": self.population, "name": name, "method": method, "idempotencyKey": name, "reason": "weitere",
        });
        with(&input, fields)
    }

    /// A planned sample.
    pub async fn planned(&self, input: Value) -> Value {
        self.auditor.done(&plan(), input).await["sample"].clone()
    }

    /// A sample planned by this input, once the root of its population stands in a signed checkpoint: about a second after freezing.
    pub async fn planned_once_signed(&self, input: Value) -> Value {
        for _ in 0..100 {
            let payload = self.auditor.payload(&plan(), input.clone()).await;
            if payload["userErrors"][0]["code"] != "ROOT_NOT_SIGNED" {
                assert_eq!(payload["userErrors"], json!([]), "{input}");
                return payload["sample"].clone();
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        panic!("the log is not signed");
    }

    /// A planned sample of one item, to which the data protection officer contributes.
    pub async fn witnessed(&self, name: &str) -> Value {
        let parties = json!([
            { "name": "Innenrevision", "subject": "auditor", "role": "INNENREVISION" },
            { "name": "Datenschutz", "subject": "dsb", "role": "DATENSCHUTZ" },
        ]);
        let fields = json!({ "size": 1, "assurance": "WITNESSED", "parties": parties });
        self.planned_once_signed(self.plan_input(name, "SIMPLE_RANDOM", &fields))
            .await
    }

    /// A drawn sample.
    pub async fn drawn(&self, name: &str, method: &str, fields: &Value) -> Value {
        let sample = self.planned(self.plan_input(name, method, fields)).await;
        let input = json!({ "id": sample["id"], "expectedVersion": sample["version"], "seed": DICE });
        self.auditor.done(&draw(), input).await["sample"].clone()
    }

    /// All items of a sample, at most 200.
    pub async fn items(&self, sample: &Value) -> Vec<Value> {
        let data = self
            .auditor
            .data(
                ITEMS,
                json!({ "filter": { "sample": sample["id"] }, "first": 200 }),
            )
            .await;
        nodes(&data["sampleItems"])
    }

    /// Ids of population items with their hits and tickets, in draw order, as the database has them.
    pub async fn selected(&self, sample: &Value) -> Vec<(String, i64, Option<String>)> {
        let id = api::graphql::NodeKind::Sample
            .parse(sample["id"].as_str().unwrap())
            .unwrap();
        let rows = sample_item::Entity::visible_to(&Scope::Everything)
            .filter(sample_item::Column::SampleId.eq(id))
            .order_by_asc(sample_item::Column::DrawOrder)
            .all(self.service.db.reader())
            .await
            .unwrap();
        rows.into_iter()
            .map(|row| (row.item_id.0.to_string(), row.hits, row.ticket))
            .collect()
    }

    /// The population, in canonical order.
    pub async fn population_items(&self) -> Vec<population_item::Model> {
        let all = population_item::Entity::find().order_by_asc(population_item::Column::Id);
        all.all(self.service.db.reader()).await.unwrap()
    }

    /// Checks items as somebody who knows the truth of the demonstration.
    pub async fn check_truly(&self, items: &[Value]) {
        let answers = self.attributes().await;
        for (chunk, items) in items.chunks(200).enumerate() {
            let checks: Vec<Value> = items
                .iter()
                .map(|item| {
                    let truth = truth(item);
                    check(item, truth.class.as_str(), truth.funds, &answers)
                })
                .collect();
            let key = format!("{} {chunk}", items[0]["id"]);
            let document = change(
                "recordChecks",
                "results { check { errorClass } userErrors { code path } }",
            );
            let done = self
                .auditor
                .done(&document, json!({ "checks": checks, "idempotencyKey": key }))
                .await;
            for result in done["results"].as_array().unwrap() {
                assert_eq!(result["userErrors"], json!([]));
            }
        }
    }

    /// Codes of the programme's attributes.
    pub async fn attributes(&self) -> Vec<Value> {
        let data = self
            .auditor
            .data("{ testProgrammes { attributes { code } } }", json!({}))
            .await;
        let attributes = data["testProgrammes"][0]["attributes"].as_array().unwrap();
        attributes
            .iter()
            .map(|attribute| attribute["code"].clone())
            .collect()
    }

    /// The evaluation of a sample.
    pub async fn evaluation(&self, sample: &Value, arguments: &str) -> Value {
        let document =
            format!("query($id: ID!) {{ sample(id: $id) {{ evaluation{arguments} {EVALUATION} }} }}");
        self.auditor.data(&document, json!({ "id": sample["id"] })).await["sample"]["evaluation"].clone()
    }
}

/// The funds, in their order.
pub const FUNDS: [&str; 4] = ["bund", "kommune", "land", "eu"];

/// A page of sample items with all that the audit function sees.
pub const ITEMS: &str = "query($filter: SampleItemFilter, $order: SampleItemOrder, $first: Int, $after: String, $last: Int, $before: String) {
    sampleItems(filter: $filter, order: $order, first: $first, after: $after, last: $last, before: $before) {
        edges { node { id reference amount hits drawOrder ticket state result version visibleFrom
            bezirksstelle { id number } stratum { id } funds { bund kommune land eu } } }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totals { count amount hits } } }";

/// Plans a sample.
pub fn plan() -> String {
    change(
        "planSample",
        "sample { id version state size frameCount frameSum strata { label size itemCount } }",
    )
}

/// Draws a sample.
pub fn draw() -> String {
    change(
        "drawSample",
        "sample { id version state size seed algorithm frameCount frameSum }",
    )
}

/// A small demonstration population.
pub fn demo() -> Demo {
    Demo::new(
        DEMO,
        Size {
            bedarfsgemeinschaften: HOUSEHOLDS,
        },
    )
}

/// How its extract is read.
pub fn demo_mapping() -> Value {
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
pub fn check(item: &Value, class: &str, correct: [i64; 4], attributes: &[Value]) -> Value {
    let answers: Vec<Value> = attributes
        .iter()
        .enumerate()
        .map(|(place, code)| json!({ "attribute": code, "answer": if place == 0 && class != "NONE" { "NO" } else { "YES" } }))
        .collect();
    let correct: serde_json::Map<String, Value> = FUNDS
        .iter()
        .zip(correct)
        .map(|(fund, share)| ((*fund).to_owned(), json!(euro(share))))
        .collect();
    json!({
        "sampleItemId": item["id"], "expectedVersion": item["version"], "errorClass": class, "correct": correct,
        "answers": answers,
    })
}

/// All of an evaluation.
pub const EVALUATION: &str = "{ confidence provisional items checked replaced notEvidenced units errors errorUnits errorClasses { errorClass count }
    exclusions { code } figures {
        ... on RateFigures { rate upperLimit bezirksstellen { result { size errors rate upperLimit } }
            strata { population result { size errors upperLimit } } }
        ... on FoundFigures { bookValue over { items knownError } under { items knownError } }
        ... on MonetaryFigures { bookValue size over { items hits knownError projectedError upperLimit steps { rank } }
            under { items hits knownError projectedError upperLimit } } } }";
