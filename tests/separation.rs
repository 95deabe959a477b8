//! Separation of duties: own staff's items stay with their group, and few people can still do all of the work.

#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

use std::fmt::Write as _;

use api::graphql::NodeKind;
use audit::retention;
use audit::trail::rows::unexplained;
use entity::{case_number, engagement};
use reqwest::Method;
use sea_orm::{EntityTrait as _, QueryOrder as _};
use serde_json::{Value, json};
use tests::grants::{commission, inspection, issued};
use tests::story::{Audit, change, check, demo_mapping, nodes, with};
use tests::{Person, Service, on_both};

const LIST: &str = "query($sample: ID!) { sampleItems(filter: { sample: $sample }, first: 200) {
    edges { node { id reference bezirksstelle { number } } } totalCount } }";

/// Twelve payments of one Bezirksstelle, three of them to own staff, in a population that is frozen.
async fn with_own_staff(service: &Service) -> Audit<'_> {
    let audit = Audit::open(service).await;
    let mut file = "Beleg;Ort;Betrag;Eigen\n".to_owned();
    for line in 1..=12 {
        let own = if line % 4 == 0 { "ja" } else { "nein" };
        writeln!(file, "B{line:02};09;10,00;{own}").unwrap();
    }
    let mapping = json!({
        "encoding": "UTF_8", "delimiter": "SEMICOLON", "decimals": "GERMAN", "dateFormat": "ISO", "key": ["Beleg"],
        "reference": "Beleg", "bezirksstelle": "Ort", "amount": "Betrag", "singleFund": "KOMMUNE", "ownStaff": "Eigen",
    });
    audit.import(mapping, file.into_bytes()).await;
    audit
        .control_total("fund;bezirksstelle;month;count;sum\nKOMMUNE;09;;12;120,00\n")
        .await;
    audit.freeze().await;
    audit
}

/// References a person finds in the list and in the download; both have to say the same, and so has the count.
async fn found(person: &Person<'_>, sample: &Value) -> Vec<String> {
    let list = person.data(LIST, json!({ "sample": sample["id"] })).await["sampleItems"].clone();
    let mut listed: Vec<String> = nodes(&list)
        .iter()
        .map(|node| node["reference"].as_str().unwrap().to_owned())
        .collect();
    listed.sort();
    assert_eq!(list["totalCount"], json!(listed.len()));
    let path = format!(
        "/exports/sample-items.csv?sample={}",
        sample["id"].as_str().unwrap()
    );
    let answer = person.request(Method::GET, &path).send().await.unwrap();
    let text = answer.text().await.unwrap();
    let downloaded = text.lines().filter(|line| line.contains(";09;")).count();
    assert_eq!(downloaded, listed.len(), "{text}");
    listed
}

on_both!(own_staffs_items_stay_with_their_group, |service| async move {
    let audit = with_own_staff(&service).await;
    let sample = audit.drawn("alle", "SIMPLE_RANDOM", &json!({ "size": 12 })).await;
    let announce = change("announceSampleItems", "announced { count }");
    audit
        .auditor
        .done(&announce, json!({ "sampleId": sample["id"] }))
        .await;

    let everybody: Vec<String> = (1..=12).map(|line| format!("B{line:02}")).collect();
    let others: Vec<String> = everybody
        .iter()
        .filter(|reference| !["B04", "B08", "B12"].contains(&reference.as_str()))
        .cloned()
        .collect();
    for (membership, sees) in [
        ("INNENREVISION+OWN_STAFF", &everybody),
        ("QUALITAETSSICHERUNG+OWN_STAFF", &everybody),
        ("SACHBEARBEITUNG:09+OWN_STAFF", &everybody),
        ("INNENREVISION", &others),
        ("INNENREVISION_LEITUNG", &others),
        ("QUALITAETSSICHERUNG", &others),
        ("SACHBEARBEITUNG:09", &others),
        ("BEZIRKSSTELLENLEITUNG:09", &others),
    ] {
        let person = service.person("jemand", membership);
        assert_eq!(found(&person, &sample).await, *sees, "{membership}");
    }

    // The mark itself is for the group alone: the operation is refused, whatever rows it would find.
    let marks = "query($sample: ID!) { sampleItems(filter: { sample: $sample }, first: 50) { edges { node { id reference ownStaff } } } }";
    let list = audit.auditor.data(marks, json!({ "sample": sample["id"] })).await;
    let items = nodes(&list["sampleItems"]);
    let marked: Vec<&Value> = items.iter().filter(|item| item["ownStaff"] == true).collect();
    assert_eq!(marked.len(), 3);
    for membership in ["INNENREVISION", "INNENREVISION_LEITUNG", "SACHBEARBEITUNG:09"] {
        let person = service.person("jemand", membership);
        assert_eq!(
            person.codes(marks, json!({ "sample": sample["id"] })).await,
            ["FORBIDDEN"]
        );
    }

    // By its id it is not there for anybody else, neither to be read nor to be checked.
    let items = audit.items(&sample).await;
    let own = items.iter().find(|item| item["id"] == marked[0]["id"]).unwrap();
    let plain = service.person("pruefer", "INNENREVISION");
    let node = plain
        .data(
            "query($id: ID!) { node(id: $id) { id } sampleItem(id: $id) { id } nodes(ids: [$id]) { id } }",
            json!({ "id": own["id"] }),
        )
        .await;
    assert_eq!(node, json!({ "node": null, "sampleItem": null, "nodes": [null] }));
    let attributes = audit.attributes().await;
    let record = change("recordCheck", "check { item { state } }");
    let mut input = check(own, "NONE", [0, 1000, 0, 0], &attributes);
    input["idempotencyKey"] = json!("eigen");
    let refused = plain.refused(&record, input.clone()).await;
    assert_eq!(
        refused,
        [("NOT_FOUND".to_owned(), "input.sampleItemId".to_owned())]
    );
    let recorded = audit.auditor.done(&record, input).await;
    assert_eq!(recorded["check"]["item"]["state"], "CHECKED");

    // What the sample says of the population counts all of it, for everybody.
    audit
        .check_truly(
            &items
                .iter()
                .filter(|item| item["id"] != own["id"])
                .cloned()
                .collect::<Vec<_>>(),
        )
        .await;
    for membership in ["INNENREVISION", "INNENREVISION+OWN_STAFF"] {
        let document = "query($id: ID!) { sample(id: $id) { evaluation { items checked errorClasses { count }
            exclusions { code } figures { ... on RateFigures { rate bezirksstellen { result { size } } } } } } }";
        let person = service.person("jemand", membership);
        let told = person.data(document, json!({ "id": sample["id"] })).await;
        let evaluation = &told["sample"]["evaluation"];
        assert_eq!(
            (&evaluation["items"], &evaluation["checked"]),
            (&json!(12), &json!(12)),
            "{membership}"
        );
        let document = "query($id: ID!) { sample(id: $id) { evaluationBy { exclusions { code }
            rateLimits(input: { sides: UPPER, distribution: BINOMIAL }) { result { deviations steps { value } } }
            ec(input: { method: DIFFERENCE, profile: EXACT, materiality: \"0.02\", understatements: NET })
                { result { overall { steps { value } strata { __typename } warnings { de } } } } } } }";
        let told = person.data(document, json!({ "id": sample["id"] })).await;
        let by = &told["sample"]["evaluationBy"];
        let hidden = by["exclusions"].to_string().contains("PARTS_WITHHELD");
        let steps = by["rateLimits"]["result"]["steps"].as_array().unwrap();
        assert_eq!(
            (hidden, steps.is_empty()),
            (membership == "INNENREVISION", hidden),
            "{by}"
        );
        assert!(by["rateLimits"]["result"]["deviations"].is_number(), "{by}");
        let overall = &by["ec"]["result"]["overall"];
        for part in ["steps", "strata"] {
            assert_eq!(
                overall[part].as_array().unwrap().is_empty(),
                hidden,
                "{part}: {by}"
            );
        }
        assert!(!hidden || overall["warnings"] == json!([]), "{by}");
        // Parts would tell of single ones.
        let withheld = evaluation["exclusions"].to_string().contains("PARTS_WITHHELD");
        let parts = evaluation["figures"]["bezirksstellen"].as_array().unwrap();
        assert_eq!(
            (withheld, parts.is_empty()),
            (membership == "INNENREVISION", withheld)
        );
    }

    // The trail tells others what was done, and nothing of these items.
    let trail =
        "query($id: ID!) { engagement(id: $id) { trail(first: 200) { edges { node { action detail } } } } }";
    let mut counts = Vec::new();
    for membership in ["INNENREVISION_LEITUNG", "INNENREVISION+OWN_STAFF"] {
        let person = service.person("jemand", membership);
        let told = person.data(trail, json!({ "id": audit.engagement })).await;
        let entries = nodes(&told["engagement"]["trail"]);
        counts.push(
            entries
                .iter()
                .filter(|entry| entry["action"] == "CHECK_RECORD")
                .count(),
        );
    }
    assert_eq!(counts, [9, 12]);

    // Who does not see them does not announce them, nor learns of them by a sample drawn elsewhere.
    let other = audit
        .drawn(
            "noch eine",
            "SIMPLE_RANDOM",
            &json!({ "size": 12, "reason": "weitere" }),
        )
        .await;
    let announced = plain.done(&announce, json!({ "sampleId": other["id"] })).await;
    assert_eq!(announced["announced"]["count"], 9);
    let announced = audit
        .auditor
        .done(&announce, json!({ "sampleId": other["id"] }))
        .await;
    assert_eq!(announced["announced"]["count"], 3);
    let input = json!({
        "populationId": audit.population, "name": "Probe", "reason": "weitere", "idempotencyKey": "Probe",
        "items": [{ "key": ["B04"] }],
    });
    let refused = plain
        .refused(&change("recordSample", "sample { id }"), input)
        .await;
    assert_eq!(
        refused,
        [(
            "ITEM_NOT_IN_POPULATION".to_owned(),
            "input.items.0.key".to_owned()
        )]
    );
});

on_both!(
    two_auditors_and_a_head_work_the_whole_story,
    |service| async move {
        let (first, second) = (
            service.person("erste", "INNENREVISION"),
            service.person("zweiter", "INNENREVISION"),
        );
        let head = service.head();
        let mut audit = Audit::open(&service).await;
        audit.auditor = service.person("erste", "INNENREVISION");
        audit.head = service.person("zweiter", "INNENREVISION");
        let demo = tests::story::demo();
        let mut file = Vec::new();
        demo.write_payments(&mut file).unwrap();
        // Own staff's items need people of their group; here nobody is of the own staff.
        let file = String::from_utf8(file).unwrap().replace(";ja", ";nein");
        audit.import(demo_mapping(), file.into_bytes()).await;
        let mut total = Vec::new();
        demo.write_control_totals(audit::demo::Extract::Payments, &mut total)
            .unwrap();
        let total = String::from_utf8(total).unwrap();

        // Whoever imported says nothing about the total; the second auditor does, and the first explains what differs.
        let input = json!({
            "populationId": audit.population, "source": "BOOKING_JOURNAL", "documentReference": "Journal",
            "csv": total, "idempotencyKey": "selbst",
        });
        let document = change("recordControlTotal", "controlTotal { enteredBy }");
        let refused = first.refused(&document, input).await;
        assert_eq!(refused[0].0, "CONTROL_TOTAL_SAME_PERSON");
        audit.control_total(&total).await;
        let differences = nodes(
            &audit
                .seen("differences(first: 200) { edges { node { id version } } }")
                .await["differences"],
        );
        assert!(!differences.is_empty());
        audit.head = service.head();
        let explain = change("explainDifference", "difference { version }");
        let input =
            json!({ "id": differences[0]["id"], "expectedVersion": 1, "explanation": "Barauszahlung" });
        let explained = first.done(&explain, input).await;
        let version = explained["difference"]["version"].clone();
        let approve = change("approveDifference", "difference { state approvedBy }");
        let input = json!({ "id": differences[0]["id"], "expectedVersion": version });
        assert_eq!(
            first.codes(&approve, json!({ "input": input })).await,
            ["FORBIDDEN"]
        );
        assert_eq!(
            second.codes(&approve, json!({ "input": input })).await,
            ["FORBIDDEN"]
        );
        let approved = head.done(&approve, input).await;
        assert_eq!(approved["difference"]["approvedBy"], "head");
        assert_eq!(audit.settle_differences().await, differences.len() - 1);
        audit.freeze().await;

        // Both check; what they do not agree on, one of them corrects.
        let sample = audit
            .drawn(
                "vier Augen",
                "SIMPLE_RANDOM",
                &json!({ "size": 2, "checksPerItem": 2 }),
            )
            .await;
        let attributes = audit.attributes().await;
        let record = change("recordCheck", "check { item { version state } }");
        for (place, item) in audit.items(&sample).await.iter().enumerate() {
            let funds = tests::story::FUNDS.map(|fund| tests::story::cents(&item["funds"][fund]));
            let mut input = check(item, "NONE", funds, &attributes);
            input["idempotencyKey"] = json!(format!("erste {place}"));
            let done = first.done(&record, input.clone()).await;
            assert_eq!(done["check"]["item"]["state"], "PARTLY_CHECKED");
            input["expectedVersion"] = done["check"]["item"]["version"].clone();
            input["idempotencyKey"] = json!(format!("selbst {place}"));
            assert_eq!(
                first.refused(&record, input.clone()).await[0].0,
                "SECOND_CHECK_SAME_PERSON"
            );
            input["idempotencyKey"] = json!(format!("zweiter {place}"));
            let done = second.done(&record, input).await;
            assert_eq!(done["check"]["item"]["state"], "CHECKED");
        }
        let evaluation = audit.evaluation(&sample, "").await;
        assert_eq!(
            (&evaluation["items"], &evaluation["provisional"]),
            (&json!(2), &json!(false))
        );

        let close = change("closeEngagement", "engagement { state }");
        let seen = head
            .data(
                "query($id: ID!) { engagement(id: $id) { version } }",
                json!({ "id": audit.engagement }),
            )
            .await;
        let input = json!({ "id": audit.engagement, "expectedVersion": seen["engagement"]["version"] });
        assert_eq!(
            first.codes(&close, json!({ "input": input })).await,
            ["FORBIDDEN"]
        );
        assert_eq!(head.done(&close, input).await["engagement"]["state"], "CLOSED");
    }
);

on_both!(own_staffs_items_are_granted_by_name_alone, |service| async move {
    let audit = with_own_staff(&service).await;
    let sample = audit.drawn("alle", "SIMPLE_RANDOM", &json!({ "size": 12 })).await;
    for (classes, sees) in [
        (json!(["AUDIT", "SOCIAL_DATA"]), 9),
        (json!(["AUDIT", "SOCIAL_DATA", "PERSONNEL"]), 12),
    ] {
        let input = inspection(&audit.engagement, &json!({ "classes": classes }));
        let grant = issued(&audit, input).await;
        let outsider = service.holder(&grant).await;
        assert_eq!(found(&outsider, &sample).await.len(), sees, "{classes}");
    }
    // Nobody by contract, and not by a recipient's wish.
    let propose = change("proposeGrant", "grant { id }");
    let input = commission(
        &audit.engagement,
        &json!({ "classes": ["AUDIT", "SOCIAL_DATA", "PERSONNEL"] }),
    );
    assert_eq!(
        audit.auditor.refused(&propose, input).await,
        [("GRANT_CLASS_NOT_GRANTABLE".to_owned(), "input.classes".to_owned())]
    );
});

/// Two payments with a case number and one without, all drawn; those of Bezirksstelle 09 are announced.
async fn with_cases(service: &Service) -> (Audit<'_>, Vec<Value>) {
    let audit = Audit::open(service).await;
    let file = "Beleg;Ort;Betrag;Akte\nA;09;10,00;BG 4711\nB;01;10,00;BG 0815\nC;09;10,00;\n";
    let mapping = json!({
        "encoding": "UTF_8", "delimiter": "SEMICOLON", "decimals": "GERMAN", "dateFormat": "ISO", "key": ["Beleg"],
        "reference": "Beleg", "bezirksstelle": "Ort", "amount": "Betrag", "singleFund": "KOMMUNE", "caseNumber": "Akte",
    });
    audit.import(mapping, file.into()).await;
    audit
        .control_total("fund;bezirksstelle;month;count;sum\nKOMMUNE;09;;2;20,00\nKOMMUNE;01;;1;10,00\n")
        .await;
    audit.freeze().await;
    let sample = audit.drawn("alle", "SIMPLE_RANDOM", &json!({ "size": 3 })).await;
    let mut items = audit.items(&sample).await;
    items.sort_by_key(|item| item["reference"].to_string());
    let announced = json!({ "sampleId": sample["id"], "itemIds": [items[0]["id"], items[2]["id"]] });
    let announce = change("announceSampleItems", "announced { count }");
    audit.auditor.done(&announce, announced).await;
    (audit, items)
}

on_both!(a_case_number_is_shown_for_a_reason, |service| async move {
    let (audit, items) = with_cases(&service).await;
    let [a, b, c] = [0, 1, 2].map(|place| items[place]["id"].clone());
    let reidentify = change(
        "reidentify",
        "reidentification { cases { sampleItemId caseNumber } }",
    );
    let input = json!({ "sampleItemIds": [b, a], "reason": "Akten werden angefordert" });
    let shown = audit.auditor.done(&reidentify, input.clone()).await;
    // It is a read, too, of these two items and no others.
    let record = entity::read_record::Entity::find()
        .order_by_desc(entity::read_record::Column::Id)
        .one(service.db.reads())
        .await
        .unwrap()
        .unwrap();
    let mut read = [&a, &b].map(|id| NodeKind::SampleItem.parse(id.as_str().unwrap()).unwrap());
    read.sort_unstable();
    assert_eq!(
        (record.actor.as_str(), record.objects().collect::<Vec<_>>()),
        ("auditor", read.to_vec())
    );
    assert_eq!(record.classes, "SOCIAL_DATA");
    assert_eq!(
        shown["reidentification"]["cases"],
        json!([{ "sampleItemId": b, "caseNumber": "BG 0815" }, { "sampleItemId": a, "caseNumber": "BG 4711" }])
    );
    // Each time anew, and each is in the trail with its reason; what was shown is not.
    audit.head.done(&reidentify, input.clone()).await;
    let trail = "query($id: ID!) { engagement(id: $id) { trail(first: 200) { edges { node {
        actor action subjectKind detail } } } } }";
    let trail = audit.auditor.data(trail, json!({ "id": audit.engagement })).await;
    let entries: Vec<_> = nodes(&trail["engagement"]["trail"])
        .into_iter()
        .filter(|entry| entry["action"] == "REIDENTIFY")
        .collect();
    assert_eq!(entries.len(), 4);
    assert_eq!(
        (&entries[0]["actor"], &entries[3]["actor"]),
        (&json!("auditor"), &json!("head"))
    );
    assert!(
        entries
            .iter()
            .all(|entry| entry["detail"].to_string().contains("Akten werden angefordert"))
    );
    assert!(!json!(entries).to_string().contains("0815"), "{entries:?}");

    // All or none; what is refused is named by its place.
    for (changed, code, path) in [
        (
            json!({ "sampleItemIds": [a, c] }),
            "CASE_NUMBER_MISSING",
            "input.sampleItemIds.1",
        ),
        (
            json!({ "sampleItemIds": [api::graphql::NodeKind::SampleItem.id(uuid::Uuid::from_u128(7)).as_str(), a] }),
            "NOT_FOUND",
            "input.sampleItemIds.0",
        ),
        (json!({ "sampleItemIds": [] }), "REQUIRED", "input.sampleItemIds"),
        (
            json!({ "sampleItemIds": vec![a.clone(); 201] }),
            "TOO_MANY",
            "input.sampleItemIds",
        ),
        (json!({ "reason": " " }), "REQUIRED", "input.reason"),
        (json!({ "reason": "x".repeat(501) }), "TOO_LONG", "input.reason"),
    ] {
        let refused = audit.auditor.refused(&reidentify, with(&input, &changed)).await;
        assert_eq!(refused, [(code.to_owned(), path.to_owned())]);
    }
    let another = json!({ "sampleItemIds": [audit.engagement], "reason": "x" });
    assert_eq!(
        audit
            .auditor
            .codes(&reidentify, json!({ "input": another }))
            .await,
        ["BAD_USER_INPUT"]
    );
    for membership in [
        "QUALITAETSSICHERUNG",
        "SACHBEARBEITUNG:09",
        "DATENSCHUTZ",
        "ADMINISTRATION",
    ] {
        let person = service.person("jemand", membership);
        let codes = person.codes(&reidentify, json!({ "input": input })).await;
        assert_eq!(codes, ["FORBIDDEN"], "{membership}");
    }
});

on_both!(
    a_bezirksstelle_sees_the_case_numbers_it_is_asked_for,
    |service| async move {
        let (audit, items) = with_cases(&service).await;
        let document = "query($id: ID!) { sampleItem(id: $id) { caseNumber permissions } }";
        let here = service.person("hier", "SACHBEARBEITUNG:09");
        let asked = here.data(document, json!({ "id": items[0]["id"] })).await;
        assert_eq!(
            asked["sampleItem"],
            json!({ "caseNumber": "BG 4711", "permissions": ["SAMPLE_ITEM_READ", "CASE_NUMBER_READ", "EXTERNAL_READ_LIST"] })
        );
        let without = here.data(document, json!({ "id": items[2]["id"] })).await;
        assert_eq!(without["sampleItem"]["caseNumber"], Value::Null);
        // Neither another's, nor its own before it is asked for it.
        let elsewhere = here.data(document, json!({ "id": items[1]["id"] })).await;
        assert_eq!(elsewhere["sampleItem"], Value::Null);
        let there = service.person("dort", "BEZIRKSSTELLENLEITUNG:01");
        let early = there.data(document, json!({ "id": items[1]["id"] })).await;
        assert_eq!(early["sampleItem"], Value::Null);
        // An auditor has to say why.
        let codes = audit
            .auditor
            .codes(document, json!({ "id": items[0]["id"] }))
            .await;
        assert_eq!(codes, ["FORBIDDEN"]);

        // A page of them costs as many statements as one.
        let page = "{ sampleItems(first: 50) { edges { node { caseNumber } } } }";
        let (page, statements) = service.statements(here.data(page, json!({}))).await;
        let items = nodes(&page["sampleItems"]);
        let numbers: Vec<_> = items.iter().map(|item| item["caseNumber"].as_str()).collect();
        assert_eq!(numbers.len(), 2);
        assert!(numbers.contains(&Some("BG 4711")) && numbers.contains(&None));
        assert!(statements <= 4, "{statements}");
    }
);

on_both!(
    case_numbers_are_destroyed_a_year_after_the_end,
    |service| async move {
        let (audit, items) = with_cases(&service).await;
        let db = &service.db;
        let kept = async || case_number::Entity::find().all(db.reader()).await.unwrap().len();
        let run = async |days: i64| {
            let run = retention::run(&service.later(days), db, retention::Kind::CaseNumber).await;
            run.unwrap()
        };
        let due = retention::due(&service.later(400), db, retention::Kind::CaseNumber).await;
        assert_eq!((due.unwrap().records.len(), kept().await), (0, 2));
        let version = "query($id: ID!) { engagement(id: $id) { version } }";
        let version = audit
            .auditor
            .data(version, json!({ "id": audit.engagement }))
            .await;
        let input = json!({
            "id": audit.engagement, "expectedVersion": version["engagement"]["version"], "note": "Rest entfällt",
        });
        audit
            .head
            .done(&change("closeEngagement", "engagement { state }"), input)
            .await;

        // Not before its time, and not while a hold stands.
        assert_eq!((run(360).await.count, kept().await), (0, 2));
        let hold = json!({ "engagementId": audit.engagement, "reason": "Klage", "idempotencyKey": "h" });
        let hold = audit
            .auditor
            .done(&change("placeLegalHold", "legalHold { id }"), hold)
            .await;
        assert_eq!((run(400).await.count, kept().await), (0, 2));
        let lift = json!({ "id": hold["legalHold"]["id"], "reason": "Klage zurückgenommen" });
        audit
            .head
            .done(&change("liftLegalHold", "legalHold { id }"), lift)
            .await;
        assert_eq!((run(400).await.count, kept().await), (2, 0));
        assert_eq!(run(400).await.records, []);

        // Nobody sees one any more, and nobody can find one again.
        let ids = json!({ "sampleItemIds": [items[0]["id"]], "reason": "Rückfrage" });
        let document = change("reidentify", "reidentification { cases { caseNumber } }");
        assert_eq!(
            audit.auditor.refused(&document, ids).await,
            [(
                "CASE_NUMBER_MISSING".to_owned(),
                "input.sampleItemIds.0".to_owned()
            )]
        );
        let here = service.person("sb", "SACHBEARBEITUNG:09");
        let number = "query($id: ID!) { sampleItem(id: $id) { caseNumber } }";
        let number = here.data(number, json!({ "id": items[0]["id"] })).await;
        assert_eq!(number["sampleItem"]["caseNumber"], Value::Null);
        let row = engagement::Entity::find().one(db.reader()).await.unwrap();
        assert_eq!(row.unwrap().sealed_key, [0_u8; 0]);
        // What was done is told, and explains the rows.
        let runs =
            "{ retentionRuns { edges { node { kind state count records { engagementId count from } } } } }";
        let runs = service.person("dsb", "DATENSCHUTZ").data(runs, json!({})).await;
        let told = |state: &str| {
            json!({ "kind": "CASE_NUMBER", "state": state, "count": 2,
                "records": [{ "engagementId": audit.engagement, "count": 2, "from": null }] })
        };
        assert_eq!(nodes(&runs["retentionRuns"]), [told("ENDED"), told("BEGUN")]);
        let (found, _) = unexplained(&service.later(0), db).await.unwrap();
        assert_eq!(found, []);
    }
);
