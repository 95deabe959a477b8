//! Populations over the wire: created, imported, reconciled, frozen, given up.

#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

use futures_util::SinkExt as _;
use serde_json::{Value, json};
use tests::{Person, next_message, on_both};

const ENGAGEMENT: &str = "mutation($input: OpenEngagementInput!) { openEngagement(input: $input) {
    engagement { id } userErrors { code path } } }";
const CREATE: &str = "mutation($input: CreatePopulationInput!) { createPopulation(input: $input) {
    population { id version state permissions } userErrors { code path } } }";
const OPEN: &str = "mutation($input: OpenImportInput!) { openImport(input: $input) {
    import { id state } userErrors { code path } } }";
const RECORD: &str = "mutation($input: RecordControlTotalInput!) { recordControlTotal(input: $input) {
    controlTotal { source documentReference enteredBy } userErrors { code path } } }";
const EXPLAIN: &str = "mutation($input: ExplainDifferenceInput!) { explainDifference(input: $input) {
    difference { state version permissions } userErrors { code path } } }";
const APPROVE: &str = "mutation($input: ApproveDifferenceInput!) { approveDifference(input: $input) {
    difference { state version } userErrors { code path } } }";
const FREEZE: &str = "mutation($input: FreezePopulationInput!) { freezePopulation(input: $input) {
    population { state merkleRoot itemCount sum version } userErrors { code path } } }";
const DISCARD: &str = "mutation($input: DiscardPopulationInput!) { discardPopulation(input: $input) {
    population { state } userErrors { code path } } }";

const EXTRACT: &str = "Beleg;Ort;Monat;Bund;Kommune;Betrag\n\
    A1;01;2025-01;100,00;50,00;150,00\n\
    A2;01;2025-01;-20,00;0,00;-20,00\n\
    A3;03;2025-02;0,00;70,50;70,50\n";

async fn population(person: &Person<'_>) -> Value {
    population_of(person, "PAYMENT").await
}

async fn population_of(person: &Person<'_>, unit: &str) -> Value {
    let engagement = person
        .done(
            ENGAGEMENT,
            json!({
                "title": "Leistungen", "function": "INNENREVISION", "objective": "Rechtmäßigkeit",
                "legalBasis": "§ 6b (4) SGB II", "periodFrom": "2025-01-01", "periodTo": "2025-12-31",
                "idempotencyKey": "e",
            }),
        )
        .await;
    let input = json!({
        "engagementId": engagement["engagement"]["id"], "name": "Zahlungen", "unit": unit,
        "source": "Fachverfahren", "idempotencyKey": "p",
    });
    person.done(CREATE, input).await["population"].clone()
}

fn import(population: &Value) -> Value {
    json!({
        "populationId": population["id"], "fileName": "zahlungen.csv", "idempotencyKey": "i",
        "mapping": {
            "encoding": "UTF_8", "delimiter": "SEMICOLON", "decimals": "GERMAN", "dateFormat": "ISO", "key": ["Beleg"],
            "bezirksstelle": "Ort", "amount": "Betrag", "period": "Monat", "funds": { "bund": "Bund", "kommune": "Kommune" },
        },
    })
}

async fn send(person: &Person<'_>, import: &Value, file: &str) -> (u16, Value) {
    let path = format!("/imports/{}", import["id"].as_str().unwrap());
    let answer = person
        .request(reqwest::Method::PUT, &path)
        .body(file.to_owned())
        .send()
        .await
        .unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn seen(person: &Person<'_>, population: &Value) -> Value {
    let document = "query($id: ID!) { population(id: $id) {
        version itemCount sum positiveCount negativeCount negativeSum permissions
        imports { state linesRead linesRejected failure rejections(first: 1) { edges { node { line column code } } pageInfo { hasNextPage } } }
        reconciliation { fund bezirksstelle { number } month expected { count sum } actual { count sum } }
        differences { edges { node { id fund expectedSum actualSum state version permissions } } } } }";
    person.data(document, json!({ "id": population["id"] })).await["population"].clone()
}

on_both!(from_the_extract_to_the_frozen_population, |service| async move {
    let (auditor, second) = (service.auditor(), service.person("second", "INNENREVISION"));
    let head = service.head();
    let population = population(&auditor).await;
    let freeze = |version: &Value| json!({ "id": population["id"], "expectedVersion": version });
    assert_eq!(
        auditor.refused(FREEZE, freeze(&json!(1))).await[0].0,
        "POPULATION_EMPTY"
    );

    let import = auditor.done(OPEN, import(&population)).await["import"].clone();
    let (status, ended) = send(&auditor, &import, EXTRACT).await;
    assert_eq!(
        (status, &ended["state"], &ended["sum"]),
        (200, &json!("COMPLETED"), &json!("200.50"))
    );
    let page = seen(&auditor, &population).await;
    assert_eq!(
        (&page["itemCount"], &page["sum"], &page["negativeSum"]),
        (&json!(3), &json!("200.50"), &json!("-20.00"))
    );
    assert_eq!(
        page["reconciliation"][0],
        json!({
            "fund": null, "bezirksstelle": { "number": "01" }, "month": "2025-01-01", "expected": null,
            "actual": { "count": 2, "sum": "130.00" },
        })
    );
    assert_eq!(
        page["reconciliation"][2],
        json!({
            "fund": "BUND", "bezirksstelle": { "number": "01" }, "month": "2025-01-01", "expected": null,
            "actual": { "count": 2, "sum": "80.00" },
        })
    );

    // Who imported must not enter the control total; a second person's shows a difference.
    let mut total = json!({
        "populationId": population["id"], "source": "HKR_STATEMENT", "documentReference": "HKR 4711", "idempotencyKey": "c",
        "cells": [{ "fund": "BUND", "bezirksstelle": "01", "month": "2025-01-01", "count": 2, "sum": "81.00" }],
        "csv": "fund;bezirksstelle;month;count;sum\nKOMMUNE;01;2025-01;1;50,00\nKOMMUNE;03;2025-02;1;70,50\n",
    });
    assert_eq!(
        auditor.refused(RECORD, total.clone()).await[0].0,
        "CONTROL_TOTAL_SAME_PERSON"
    );
    let recorded = second.done(RECORD, total.clone()).await;
    assert_eq!(recorded["controlTotal"]["enteredBy"], "second");
    total["cells"][0]["sum"] = json!("80");
    assert_eq!(
        second.codes(RECORD, json!({ "input": total })).await,
        ["BAD_USER_INPUT"]
    );

    let page = seen(&auditor, &population).await;
    assert_eq!(
        auditor.refused(FREEZE, freeze(&page["version"])).await[0].0,
        "DIFFERENCES_OPEN"
    );
    let difference = &page["differences"]["edges"][0]["node"];
    assert_eq!(
        (&difference["expectedSum"], &difference["actualSum"]),
        (&json!("81.00"), &json!("80.00"))
    );
    let approve = json!({ "id": difference["id"], "expectedVersion": difference["version"] });
    assert_eq!(
        head.refused(APPROVE, approve.clone()).await[0].0,
        "DIFFERENCE_NOT_EXPLAINED"
    );
    let mut explain = approve.clone();
    explain["explanation"] = json!("Rundung im Kontoauszug");
    let explained = head.done(EXPLAIN, explain).await["difference"].clone();
    assert_eq!(explained["permissions"], json!(["DIFFERENCE_EXPLAIN"]));
    assert_eq!(head.refused(APPROVE, approve).await[0].0, "STALE_VERSION");
    let approve = json!({ "id": difference["id"], "expectedVersion": explained["version"] });
    assert_eq!(
        auditor.codes(APPROVE, json!({ "input": approve })).await,
        ["FORBIDDEN"]
    );
    assert_eq!(
        head.refused(APPROVE, approve.clone()).await[0].0,
        "APPROVER_IS_AUTHOR"
    );
    service
        .person("review", "QUALITAETSSICHERUNG")
        .done(APPROVE, approve)
        .await;

    let version = seen(&auditor, &population).await["version"].clone();
    let frozen = auditor.done(FREEZE, freeze(&version)).await["population"].clone();
    assert_eq!(
        (&frozen["state"], frozen["merkleRoot"].as_str().map(str::len)),
        (&json!("FROZEN"), Some(64))
    );
    assert_eq!(
        auditor.refused(FREEZE, freeze(&frozen["version"])).await[0].0,
        "POPULATION_FROZEN"
    );
    let discard = json!({ "id": population["id"], "expectedVersion": frozen["version"], "reason": "nein" });
    assert_eq!(auditor.refused(DISCARD, discard).await[0].0, "POPULATION_FROZEN");
    let local = service.person("sach", "SACHBEARBEITUNG:03");
    let hidden = local
        .graphql(
            "query($id: ID!) { population(id: $id) { name } }",
            json!({ "id": population["id"] }),
        )
        .await;
    assert_eq!(hidden["errors"][0]["extensions"]["code"], "FORBIDDEN");
});

on_both!(a_missing_refusal_is_found_before_freezing, |service| async move {
    let (auditor, head) = (service.auditor(), service.head());
    let population = population_of(&auditor, "DECISION").await;
    let import = auditor.done(OPEN, import(&population)).await["import"].clone();
    let extract = "Beleg;Ort;Monat;Bund;Kommune;Betrag\nB1;01;2025-01;100,00;50,00;150,00\nB2;01;2025-01;0,00;0,00;0,00\n";
    send(&auditor, &import, extract).await;
    let page = seen(&auditor, &population).await;
    let freeze = json!({ "id": population["id"], "expectedVersion": page["version"] });
    let by_fund = json!([
        { "fund": "BUND", "bezirksstelle": "01", "month": "2025-01-01", "count": 1, "sum": "100.00" },
        { "fund": "KOMMUNE", "bezirksstelle": "01", "month": "2025-01-01", "count": 1, "sum": "50.00" },
    ]);
    let total = |key: &str, cells: &Value, csv: &str| {
        json!({
            "populationId": population["id"], "source": "DECISION_REGISTER", "documentReference": "Register 2025",
            "idempotencyKey": key, "cells": cells, "csv": format!("fund;bezirksstelle;month;count;sum\n{csv}"),
        })
    };

    // By fund everything is there; nothing was said about refusals, and silence is not taken for completeness.
    head.done(RECORD, total("by fund", &by_fund, "")).await;
    let page = seen(&auditor, &population).await;
    assert_eq!(page["differences"]["edges"], json!([]));
    assert_eq!(
        auditor.refused(FREEZE, freeze.clone()).await,
        [(
            "CONTROL_TOTAL_WITHOUT_ALL_LINES".to_owned(),
            "input.id".to_owned()
        )]
    );
    let message = "mutation($input: FreezePopulationInput!) { freezePopulation(input: $input) { userErrors { message } } }";
    let german = service
        .auditor()
        .in_german()
        .payload(message, freeze.clone())
        .await;
    let told = german["userErrors"][0]["message"].as_str().unwrap();
    assert!(told.contains("Ablehnungen"), "{told}");

    // The register has one refusal more than the extract.
    assert_eq!(
        head.refused(RECORD, total("wrong", &by_fund, ";01;2025-01;3;150,00\n"))
            .await,
        [("INVALID_VALUE".to_owned(), "input.csv".to_owned())]
    );
    head.done(RECORD, total("csv", &by_fund, "ALL;01;2025-01;3;150,00\n"))
        .await;
    let page = seen(&auditor, &population).await;
    assert_eq!(
        page["reconciliation"][0],
        json!({
            "fund": null, "bezirksstelle": { "number": "01" }, "month": "2025-01-01",
            "expected": { "count": 3, "sum": "150.00" }, "actual": { "count": 2, "sum": "150.00" },
        })
    );
    let edges = page["differences"]["edges"].as_array().unwrap();
    assert_eq!(edges.len(), 1);
    let difference = &edges[0]["node"];
    assert_eq!(
        (
            &difference["fund"],
            &difference["expectedSum"],
            &difference["actualSum"]
        ),
        (&Value::Null, &json!("150.00"), &json!("150.00"))
    );
    assert_eq!(
        auditor.refused(FREEZE, freeze.clone()).await[0].0,
        "DIFFERENCES_OPEN"
    );
    let explain =
        json!({ "id": difference["id"], "expectedVersion": 1, "explanation": "Antrag doppelt registriert" });
    let explained = auditor.done(EXPLAIN, explain).await["difference"].clone();
    let approve = json!({ "id": difference["id"], "expectedVersion": explained["version"] });
    head.done(APPROVE, approve).await;

    // The same as typed cells, and with what the register should have said.
    let mut typed = by_fund.clone();
    typed
        .as_array_mut()
        .unwrap()
        .push(json!({ "bezirksstelle": "01", "month": "2025-01-01", "count": 2, "sum": "150.00" }));
    head.done(RECORD, total("typed", &typed, "")).await;
    let page = seen(&auditor, &population).await;
    assert_eq!(page["differences"]["edges"], json!([]));
    let frozen = auditor.done(FREEZE, freeze).await["population"].clone();
    assert_eq!(
        (&frozen["state"], &frozen["itemCount"]),
        (&json!("FROZEN"), &json!(2))
    );
});

on_both!(
    a_refused_file_leaves_nothing_and_names_its_lines,
    |service| async move {
        let auditor = service.auditor();
        let population = population(&auditor).await;
        let mut wrong = import(&population);
        wrong["mapping"]["key"] = json!([]);
        assert_eq!(
            auditor.refused(OPEN, wrong).await,
            [("MAPPING_INVALID".to_owned(), "input.mapping.key".to_owned())]
        );
        let import = auditor.done(OPEN, import(&population)).await["import"].clone();
        let (status, ended) = send(
            &auditor,
            &import,
            &EXTRACT.replace("70,50;70,50", "70,50;71,50").replace("A2", "A1"),
        )
        .await;
        assert_eq!((status, &ended["state"]), (422, &json!("REJECTED")));
        let page = seen(&auditor, &population).await;
        assert_eq!(page["itemCount"], 0);
        assert_eq!(page["imports"][0]["failure"], "LINES_REJECTED");
        assert_eq!(page["imports"][0]["rejections"]["edges"][0]["node"]["line"], 4);
        let (status, again) = send(&auditor, &import, EXTRACT).await;
        assert_eq!(
            (status, &again["userErrors"][0]["code"]),
            (422, &json!("IMPORT_NOT_WAITING"))
        );
        let discard = json!({ "id": population["id"], "expectedVersion": page["version"], "reason": "neu" });
        let gone = auditor.done(DISCARD, discard).await;
        assert_eq!(gone["population"]["state"], "DISCARDED");
    }
);

on_both!(an_import_is_watched_to_its_end, |service| async move {
    let auditor = service.auditor();
    let population = population(&auditor).await;
    let import = auditor.done(OPEN, import(&population)).await["import"].clone();
    let mut watching = auditor.subscribe().await;
    let document = "subscription($id: ID!) { importProgress(id: $id) { state linesRead } }";
    let start = json!({ "type": "subscribe", "id": "1", "payload": { "query": document, "variables": { "id": import["id"] } } });
    watching.send(start.to_string().into()).await.unwrap();
    let first = next_message(&mut watching).await;
    assert_eq!(first["payload"]["data"]["importProgress"]["state"], "WAITING");
    send(&auditor, &import, EXTRACT).await;
    let mut last = first;
    loop {
        let message = next_message(&mut watching).await;
        if message["type"] == "complete" {
            break;
        }
        last = message;
    }
    assert_eq!(
        last["payload"]["data"]["importProgress"],
        json!({ "state": "COMPLETED", "linesRead": 3 })
    );
});

on_both!(
    the_ennepe_ruhr_kreis_has_regionalstellen_and_imports_into_them
    with [("PRUEFPFAD__JOBCENTER__PRESET", "ennepe-ruhr")],
    |service| async move {
        let auditor = service.auditor();
        let document = "{ jobcenter { name label labelPlural } bezirksstellen { number name kind } }";
        let house = auditor.data(document, json!({})).await;
        assert_eq!(
            house["jobcenter"],
            json!({ "name": "Jobcenter EN", "label": "Regionalstelle", "labelPlural": "Regionalstellen" })
        );
        let parts: Vec<_> = house["bezirksstellen"]
            .as_array()
            .unwrap()
            .iter()
            .map(|part| (part["number"].as_str().unwrap(), part["name"].as_str().unwrap(), part["kind"] == "FACHBEREICH"))
            .collect();
        assert_eq!(
            parts,
            [
                ("00", "Koordinierungsstelle", true),
                ("01", "Ennepetal/Breckerfeld", false),
                ("02", "Gevelsberg", false),
                ("03", "Hattingen", false),
                ("04", "Herdecke/Wetter", false),
                ("05", "Schwelm", false),
                ("06", "Sprockhövel", false),
                ("07", "Witten", false),
            ]
        );

        // There is no eighth Regionalstelle, as there is an eighth Bezirksstelle elsewhere.
        let population = population(&auditor).await;
        let open = async |key: &str| {
            let mut input = import(&population);
            input["idempotencyKey"] = json!(key);
            auditor.done(OPEN, input).await["import"].clone()
        };
        let (status, ended) = send(&auditor, &open("a").await, &EXTRACT.replace(";03;", ";08;")).await;
        assert_eq!((status, &ended["failure"]), (422, &json!("LINES_REJECTED")));
        let page = seen(&auditor, &population).await;
        let rejection = &page["imports"][0]["rejections"]["edges"][0]["node"];
        assert_eq!(
            (&rejection["line"], &rejection["column"], &rejection["code"]),
            (&json!(4), &json!("Ort"), &json!("UNKNOWN_BEZIRKSSTELLE"))
        );

        let (status, ended) = send(&auditor, &open("b").await, &EXTRACT.replace(";03;", ";07;")).await;
        assert_eq!(
            (status, &ended["state"], &ended["sum"]),
            (200, &json!("COMPLETED"), &json!("200.50"))
        );
        let page = seen(&auditor, &population).await;
        let places: Vec<_> = page["reconciliation"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|cell| cell["fund"] == "KOMMUNE")
            .map(|cell| (cell["bezirksstelle"]["number"].as_str().unwrap(), cell["actual"]["sum"].as_str().unwrap()))
            .collect();
        assert_eq!(places, [("01", "50.00"), ("07", "70.50")]);
    }
);
