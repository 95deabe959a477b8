//! No social data without a trace: what leaves a read record, what it holds, and what happens when it cannot be written.

#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use api::app;
use api::graphql::NodeKind;
use audit::Db;
use audit::reads::{ReadFilter, matching, operation_hash};
use audit::retention::{self, RunState};
use chrono::TimeDelta;
use entity::read_record::{self, Kind, Model};
use entity::trail_entry;
use futures_util::SinkExt as _;
use reqwest::{Method, StatusCode};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, PaginatorTrait as _, QueryFilter as _,
    QueryOrder as _,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tests::program::{Program, Serving};
use tests::story::{Audit, change, nodes};
use tests::{Service, next_message, on_both};
use uuid::Uuid;

/// Records so far, oldest first.
async fn records(db: &Db) -> Vec<Model> {
    read_record::Entity::find()
        .order_by_asc(read_record::Column::Id)
        .all(db.reads())
        .await
        .unwrap()
}

/// The records that something leaves.
async fn left_by<T>(service: &Service, work: impl Future<Output = T>) -> (T, Vec<Model>) {
    let before = records(&service.db).await.len();
    let done = work.await;
    (done, records(&service.db).await.split_off(before))
}

/// A population of some payments, drawn whole.
async fn drawn(service: &Service) -> (Audit<'_>, Value) {
    let lines = [
        ("a", "09", 100),
        ("b", "09", 200),
        ("c", "01", 300),
        ("d", "02", 400),
    ];
    let audit = Audit::small(service, &lines).await;
    let sample = audit.drawn("alle", "SIMPLE_RANDOM", &json!({ "size": 4 })).await;
    (audit, sample)
}

fn row(kind: NodeKind, id: &Value) -> Uuid {
    kind.parse(id.as_str().unwrap()).unwrap()
}

const PAGE: &str = "query Seite($filter: SampleItemFilter, $amounts: Boolean! = true) {
    sampleItems(filter: $filter) { totalCount edges { cursor node @include(if: $amounts) { id reference amount } } } }";

on_both!(
    an_answer_leaves_one_record_of_what_was_in_it,
    |service| async move {
        let (audit, sample) = drawn(&service).await;
        let filter = json!({ "filter": { "sample": sample["id"] } });
        let (data, left) = left_by(&service, audit.auditor.data(PAGE, filter.clone())).await;
        let mut ids: Vec<Uuid> = nodes(&data["sampleItems"])
            .iter()
            .map(|item| row(NodeKind::SampleItem, &item["id"]))
            .collect();
        ids.sort_unstable();
        let [record] = left.as_slice() else {
            panic!("{left:?}")
        };
        assert_eq!(record.objects().collect::<Vec<_>>(), ids);
        assert_eq!(
            (record.object_count, record.object_kind.as_str()),
            (4, "SampleItem")
        );
        assert_eq!((record.kind, record.query.as_deref()), (Kind::Answer, None));
        assert_eq!(
            (record.actor.as_str(), record.membership.as_str(), record.grant_id),
            ("auditor", "INNENREVISION+OWN_STAFF", None)
        );
        assert_eq!(record.purpose.as_deref(), Some("INNENREVISION"));
        assert_eq!(
            record.engagement_id.unwrap().0,
            row(NodeKind::Engagement, &json!(audit.engagement))
        );
        assert_eq!(record.classes, "SOCIAL_DATA");
        assert_eq!(record.operation_hash, operation_hash(PAGE, Some("Seite")));
        assert!((service.sources.now() - record.at).abs() < TimeDelta::minutes(1));

        // What the variables skip is not read; the sum of rows is nobody's.
        let skipped = json!({ "amounts": false });
        let (data, left) = left_by(&service, audit.auditor.data(PAGE, skipped)).await;
        assert_eq!((&data["sampleItems"]["totalCount"], left.len()), (&json!(4), 0));
        let (_, left) = left_by(
            &service,
            audit
                .auditor
                .data("{ engagements { edges { node { title } } } }", json!({})),
        )
        .await;
        assert_eq!(left, []);

        // Searching is reading: that there is none is an answer, too.
        let search = json!({ "filter": { "reference": "nirgends" }, "amounts": false });
        let (_, left) = left_by(&service, audit.auditor.data(PAGE, search)).await;
        assert_eq!(left.len(), 1);
        assert_eq!(
            (
                left[0].object_count,
                left[0].engagement_id,
                left[0].classes.as_str()
            ),
            (0, None, "SOCIAL_DATA")
        );

        // One item that an answer holds twice is one object; a class more is named.
        let twice = "query($id: ID!) { a: sampleItem(id: $id) { amount ownStaff } b: node(id: $id) { ... on SampleItem { kind } } }";
        let id = json!({ "id": NodeKind::SampleItem.id(ids[0]).as_str() });
        let (_, left) = left_by(&service, audit.auditor.data(twice, id)).await;
        assert_eq!(left.len(), 1);
        assert_eq!(
            (left[0].object_count, left[0].classes.as_str()),
            (1, "SOCIAL_DATA PERSONNEL")
        );

        // A mutation whose payload shows an item, and a socket, which may run several operations.
        let input = json!({ "sampleId": sample["id"] });
        let announce = change("announceSampleItems", "announced { count }");
        let (_, left) = left_by(&service, audit.auditor.done(&announce, input)).await;
        assert_eq!(left, []);
        let mut socket = audit.auditor.subscribe().await;
        for turn in 0..2 {
            let payload = json!({ "query": PAGE, "variables": filter });
            let start = json!({ "type": "subscribe", "id": "1", "payload": payload });
            let asked = async {
                socket.send(start.to_string().into()).await.unwrap();
                assert_eq!(next_message(&mut socket).await["type"], "next");
            };
            let ((), left) = left_by(&service, asked).await;
            assert_eq!((left.len(), left[0].object_count), (1, 4), "{turn}");
            assert_eq!(next_message(&mut socket).await["type"], "complete");
        }

        // What a Bezirksstelle reads is its own.
        let local = service.person("sb", "SACHBEARBEITUNG:09");
        let (_, left) = left_by(&service, local.data(PAGE, json!({}))).await;
        assert_eq!((left.len(), left[0].object_count), (1, 2));
        assert_eq!(left[0].membership, "SACHBEARBEITUNG:09");

        // Nothing runs, nothing is read.
        let (codes, left) = left_by(&service, service.person("b", "BUDGET").codes(PAGE, json!({}))).await;
        assert_eq!((codes.is_empty(), left.len()), (false, 0));
    }
);

on_both!(
    an_answer_over_two_engagements_leaves_a_record_in_each,
    |service| async move {
        let (audit, _) = drawn(&service).await;
        let input = json!({
            "title": "Zweite", "function": "FACHAUFSICHT", "objective": "Rechtmäßigkeit",
            "legalBasis": "§ 6b (4) SGB II", "periodFrom": "2025-01-01", "periodTo": "2025-12-31", "idempotencyKey": "zwei",
        });
        let second = audit
            .auditor
            .done(&change("openEngagement", "engagement { id }"), input)
            .await["engagement"]["id"]
            .clone();
        let input = json!({
            "engagementId": second, "name": "Zahlungen", "unit": "PAYMENT", "source": "Fachverfahren", "idempotencyKey": "p2",
        });
        let population = audit
            .auditor
            .done(&change("createPopulation", "population { id }"), input)
            .await["population"]["id"]
            .clone();
        let second = Audit {
            service: &service,
            auditor: service.auditor(),
            head: service.head(),
            engagement: second.as_str().unwrap().to_owned(),
            population: population.as_str().unwrap().to_owned(),
        };
        let mapping = json!({
            "encoding": "UTF_8", "delimiter": "SEMICOLON", "decimals": "GERMAN", "dateFormat": "ISO", "key": ["Beleg"],
            "reference": "Beleg", "bezirksstelle": "Ort", "amount": "Betrag", "singleFund": "KOMMUNE",
        });
        let input = json!({
            "populationId": population, "fileName": "z.csv", "mapping": mapping, "idempotencyKey": "i2",
        });
        let import = second
            .auditor
            .done(&change("openImport", "import { id }"), input)
            .await["import"]["id"]
            .clone();
        let path = format!("/imports/{}", import.as_str().unwrap());
        let sent = second
            .auditor
            .request(Method::PUT, &path)
            .body("Beleg;Ort;Betrag\nz;03;5,00\n")
            .send();
        assert_eq!(sent.await.unwrap().status(), StatusCode::OK);
        let input = json!({
            "populationId": population, "source": "BOOKING_JOURNAL", "documentReference": "Journal", "idempotencyKey": "c2",
            "csv": "fund;bezirksstelle;month;count;sum\nKOMMUNE;03;;1;5,00\n",
        });
        second
            .head
            .done(&change("recordControlTotal", "controlTotal { enteredBy }"), input)
            .await;
        second.freeze().await;
        let plan = json!({ "idempotencyKey": "s2", "size": 1 });
        second.drawn("eine", "SIMPLE_RANDOM", &plan).await;

        let (_, left) = left_by(&service, audit.auditor.data(PAGE, json!({}))).await;
        let mut found: Vec<_> = left
            .iter()
            .map(|record| (record.object_count, record.purpose.as_deref().unwrap()))
            .collect();
        found.sort_unstable();
        assert_eq!(found, [(1, "FACHAUFSICHT"), (4, "INNENREVISION")]);
        assert_eq!(left[0].request_id, left[1].request_id);
    }
);

on_both!(
    a_download_is_recorded_before_its_first_byte_and_before_its_last,
    |service| async move {
        let (audit, sample) = drawn(&service).await;
        let path = format!(
            "/exports/sample-items.csv?sample={}&reference=a&amountFrom=1.00",
            sample["id"].as_str().unwrap()
        );
        let (text, left) = left_by(&service, async {
            let answer = audit.auditor.request(Method::GET, &path).send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::OK);
            answer.text().await.unwrap()
        })
        .await;
        assert_eq!(text.lines().count(), 2, "{text}");
        let [begun, ended] = left.as_slice() else {
            panic!("{left:?}")
        };
        assert_eq!((begun.kind, ended.kind), (Kind::ExportBegun, Kind::ExportEnded));
        assert_eq!((begun.object_count, ended.object_count), (0, 1));
        assert_eq!(begun.request_id, ended.request_id);
        assert_eq!(begun.engagement_id, ended.engagement_id);
        let operation = operation_hash("GET /exports/sample-items.csv", None);
        assert_eq!(begun.operation_hash, operation);
        let query: Value = serde_json::from_str(begun.query.as_deref().unwrap()).unwrap();
        assert_eq!(
            query,
            json!({
                "sample": sample["id"], "reference": "*", "amountFrom": "1.00", "order": "DRAW_ORDER", "descending": false,
            })
        );
        assert_eq!(begun.query, ended.query);
        let items = audit.items(&sample).await;
        let of_a = items.iter().find(|item| item["reference"] == "a").unwrap();
        let digest = Sha256::digest(row(NodeKind::SampleItem, &of_a["id"]).as_bytes());
        assert_eq!(
            (ended.object_digest.as_deref(), ended.object_ids.len()),
            (Some(&digest[..]), 0)
        );

        // The same by the command, over all four.
        let Some(program) = Program::beside(&service) else {
            return;
        };
        let (_, left) = left_by(
            &service,
            program.succeeds(&[
                "export",
                "sample-items",
                "--sample",
                sample["id"].as_str().unwrap(),
                "--subject",
                "op",
            ]),
        )
        .await;
        let mut ids: Vec<Uuid> = items
            .iter()
            .map(|item| row(NodeKind::SampleItem, &item["id"]))
            .collect();
        ids.sort_unstable();
        let digest = ids
            .iter()
            .fold(Sha256::new(), |digest, id| digest.chain_update(id.as_bytes()));
        assert_eq!(left.len(), 2);
        assert_eq!(left[1].object_digest.as_deref(), Some(&digest.finalize()[..]));
        assert_eq!((left[1].object_count, left[1].actor.as_str()), (4, "op"));
    }
);

/// Keeps whoever writes read records waiting, until it is dropped: what a hanging disk or a lock does.
async fn blocked(service: &Service) -> sea_orm::DatabaseConnection {
    let other = app::connect(&service.settings).await.unwrap();
    let connection = other.reads_owner().clone();
    // A transaction by hand, so that it lasts as long as the connection.
    if other.is_postgres() {
        let mut options = sea_orm::ConnectOptions::new(
            secrecy::ExposeSecret::expose_secret(&service.settings.database.url).to_owned(),
        );
        options.max_connections(1);
        let connection = sea_orm::Database::connect(options).await.unwrap();
        for statement in ["BEGIN", "LOCK TABLE read_record IN ACCESS EXCLUSIVE MODE"] {
            connection.execute_unprepared(statement).await.unwrap();
        }
        return connection;
    }
    connection.execute_unprepared("BEGIN IMMEDIATE").await.unwrap();
    connection
}

on_both!(what_cannot_be_recorded_does_not_leave, |service| async move {
    let (audit, sample) = drawn(&service).await;
    let items = audit.items(&sample).await;
    let lock = blocked(&service).await;
    let begun = Instant::now();
    let answer = audit.auditor.graphql(PAGE, json!({})).await;
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    assert_eq!(answer["data"], Value::Null);
    assert_eq!(
        answer["errors"][0]["extensions"]["code"],
        "READ_RECORD_UNAVAILABLE"
    );
    assert_eq!(
        answer["errors"][0]["message"],
        "The read could not be recorded, and so there is no answer. Try again in a minute; if it lasts, tell the administration."
    );
    // What gives nothing away goes on.
    audit
        .auditor
        .data("{ sampleItems { totalCount } }", json!({}))
        .await;

    let path = format!(
        "/exports/sample-items.csv?sample={}",
        sample["id"].as_str().unwrap()
    );
    let download = audit.auditor.request(Method::GET, &path).send().await.unwrap();
    assert_eq!(download.status(), StatusCode::SERVICE_UNAVAILABLE);
    let told: Value = download.json().await.unwrap();
    assert_eq!(told["error"]["code"], "READ_RECORD_UNAVAILABLE");

    // A change is made, and its answer says so without showing anything.
    let answers = audit.attributes().await;
    let mut input = tests::story::check(
        &items[0],
        "NONE",
        [0, tests::story::cents(&items[0]["amount"]), 0, 0],
        &answers,
    );
    input["idempotencyKey"] = json!("k");
    let record = change("recordCheck", "check { version item { reference } }");
    let answer = audit.auditor.graphql(&record, json!({ "input": input })).await;
    assert_eq!(answer["data"], Value::Null);
    assert_eq!(
        answer["errors"][0]["extensions"]["code"],
        "READ_RECORD_UNAVAILABLE"
    );
    assert!(
        answer["errors"][0]["message"]
            .as_str()
            .unwrap()
            .starts_with("What the operation changed is saved."),
        "{answer}"
    );
    let metrics = service
        .anybody()
        .request(Method::GET, "/metrics")
        .send()
        .await
        .unwrap();
    let metrics = metrics.text().await.unwrap();
    assert!(
        metrics.contains("pruefpfad_read_record_duration_seconds_count{outcome=\"FAILED\""),
        "{metrics}"
    );

    lock.execute_unprepared("ROLLBACK").await.unwrap();
    let (page, left) = left_by(&service, audit.auditor.data(PAGE, json!({}))).await;
    assert_eq!((nodes(&page["sampleItems"]).len(), left.len()), (4, 1));
    // The repeat under the same key answers what was done.
    let (done, left) = left_by(&service, audit.auditor.done(&record, input)).await;
    assert_eq!((&done["check"]["version"], left.len()), (&json!(1), 1));
    lock.close().await.unwrap();
});

on_both!(a_read_does_not_wait_for_who_writes, |service| async move {
    let (audit, _) = drawn(&service).await;
    let populations = json!({
        "engagementId": audit.engagement, "name": "Nachtrag", "unit": "PAYMENT", "source": "Fachverfahren",
        "idempotencyKey": "n",
    });
    let population = audit
        .auditor
        .done(&change("createPopulation", "population { id }"), populations)
        .await["population"]["id"]
        .clone();
    let input = json!({
        "populationId": population, "fileName": "z.csv", "idempotencyKey": "lang",
        "mapping": {
            "encoding": "UTF_8", "delimiter": "SEMICOLON", "decimals": "GERMAN", "dateFormat": "ISO", "key": ["Beleg"],
            "reference": "Beleg", "bezirksstelle": "Ort", "amount": "Betrag", "singleFund": "KOMMUNE",
        },
    });
    let import = audit
        .auditor
        .done(&change("openImport", "import { id }"), input)
        .await["import"]["id"]
        .clone();
    // A file that goes on coming, until the reads are done.
    let (end, ended) = tokio::sync::watch::channel(false);
    let body = futures_util::stream::unfold(0_u32, move |line| {
        let ended = ended.clone();
        async move {
            if *ended.borrow() {
                return None;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            let mut text = if line == 0 {
                "Beleg;Ort;Betrag\n".to_owned()
            } else {
                String::new()
            };
            for number in line..line + 200 {
                std::fmt::Write::write_fmt(&mut text, format_args!("n{number};03;1,00\n")).unwrap();
            }
            Some((Ok::<_, std::io::Error>(text), line + 200))
        }
    });
    let path = format!("/imports/{}", import.as_str().unwrap());
    let upload = audit
        .auditor
        .request(Method::PUT, &path)
        .body(reqwest::Body::wrap_stream(body));
    let upload = tokio::spawn(upload.send());
    let progress = "query($id: ID!) { node(id: $id) { ... on Import { state } } }";
    while audit.auditor.data(progress, json!({ "id": import })).await["node"]["state"] != "RUNNING" {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut slowest = Duration::ZERO;
    let ((), left) = left_by(&service, async {
        for _ in 0..20 {
            let begun = Instant::now();
            audit.auditor.data(PAGE, json!({})).await;
            slowest = slowest.max(begun.elapsed());
        }
    })
    .await;
    assert_eq!(left.len(), 20);
    assert!(slowest < Duration::from_secs(2), "{slowest:?}");
    // Not even somebody who keeps the writer of the database, as a long transaction does.
    let writing = service.db.begin_write().await.unwrap();
    let begun = Instant::now();
    audit.auditor.data(PAGE, json!({})).await;
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    writing.rollback().await.unwrap();
    end.send(true).unwrap();
    let answer = upload.await.unwrap().unwrap();
    let ended: Value = answer.json().await.unwrap();
    assert_eq!(ended["state"], "COMPLETED", "{ended}");
});

const LIST: &str = "query($filter: ReadRecordFilter, $first: Int, $after: String) {
    readRecords(filter: $filter, first: $first, after: $after) { totalCount pageInfo { hasNextPage endCursor } edges { node {
        at kind actor membership engagementId purpose classes operationHash query objectKind objectCount objectIds
        objectDigest requestId } } } }";

on_both!(
    the_data_protection_officer_finds_who_read_what,
    |service| async move {
        let (audit, sample) = drawn(&service).await;
        let items = audit.items(&sample).await;
        let page = json!({ "filter": { "sample": sample["id"] } });
        audit.head.data(PAGE, page).await;
        let one = "query($id: ID!) { sampleItem(id: $id) { amount } }";
        audit.head.data(one, json!({ "id": items[2]["id"] })).await;
        let path = format!(
            "/exports/sample-items.csv?sample={}",
            sample["id"].as_str().unwrap()
        );
        audit
            .auditor
            .request(Method::GET, &path)
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();

        let officer = service.person("dsb", "DATENSCHUTZ");
        let asked = async |filter: Value| {
            let data = officer.data(LIST, json!({ "filter": filter })).await;
            let found = nodes(&data["readRecords"]);
            assert_eq!(data["readRecords"]["totalCount"], found.len());
            found
        };
        let all = asked(json!({})).await;
        let at = |record: &Value| record["at"].as_str().unwrap().to_owned();
        assert!(all.windows(2).all(|pair| at(&pair[0]) >= at(&pair[1])));
        assert_eq!(asked(json!({ "engagementId": audit.engagement })).await, all);
        assert_eq!(asked(json!({ "actor": "head" })).await.len(), 2);
        assert_eq!(asked(json!({ "actor": "niemand" })).await.len(), 0);
        let single = asked(json!({ "actor": "head", "objectId": items[2]["id"] })).await;
        assert_eq!(single.len(), 2);
        assert_eq!(
            asked(json!({ "actor": "head", "objectId": items[1]["id"] })).await,
            single[1..]
        );
        assert_eq!(single[0]["objectIds"], json!([items[2]["id"]]));
        assert_eq!(
            (
                &single[0]["purpose"],
                &single[0]["classes"],
                &single[0]["objectKind"]
            ),
            (
                &json!("INNENREVISION"),
                &json!(["SOCIAL_DATA"]),
                &json!("SampleItem")
            )
        );
        assert_eq!(
            single[0]["operationHash"],
            json!(hex::encode(operation_hash(one, None)))
        );
        let download = asked(json!({ "kind": "EXPORT_ENDED" })).await;
        assert_eq!((download.len(), &download[0]["objectCount"]), (1, &json!(4)));
        assert_eq!(
            asked(json!({ "requestId": download[0]["requestId"] }))
                .await
                .len(),
            2
        );
        assert_eq!(asked(json!({ "from": download[0]["at"] })).await, download);
        assert_eq!(asked(json!({ "until": download[0]["at"] })).await, all[1..]);

        // Page by page it is the same list.
        let (mut paged, mut after) = (Vec::new(), Value::Null);
        loop {
            let data = officer.data(LIST, json!({ "first": 2, "after": after })).await;
            paged.extend(nodes(&data["readRecords"]));
            after = data["readRecords"]["pageInfo"]["endCursor"].clone();
            if data["readRecords"]["pageInfo"]["hasNextPage"] == false {
                break;
            }
        }
        assert_eq!(paged, all);

        // Ids lead nowhere for the officer, and asking is no read of social data.
        let lead = json!({ "ids": [items[2]["id"], audit.engagement] });
        let nothing = officer
            .data("query($ids: [ID!]!) { nodes(ids: $ids) { __typename } }", lead)
            .await;
        assert_eq!(nothing, json!({ "nodes": [null, null] }));
        assert_eq!(
            officer.codes(one, json!({ "id": items[2]["id"] })).await,
            ["FORBIDDEN"]
        );
        assert_eq!(asked(json!({})).await, all);
        for (filter, input) in [
            (json!({ "engagementId": items[2]["id"] }), "filter.engagementId"),
            (json!({ "objectId": audit.engagement }), "filter.objectId"),
            (json!({ "requestId": "7" }), "filter.requestId"),
        ] {
            let answer = officer.graphql(LIST, json!({ "filter": filter })).await;
            let told = &answer["errors"][0]["extensions"];
            assert_eq!(
                (&told["code"], &told["input"]),
                (&json!("BAD_USER_INPUT"), &json!(input))
            );
        }
        // Asking leaves its own trace, in no engagement.
        let entries = trail_entry::Entity::find()
            .filter(trail_entry::Column::Action.eq("READ_RECORD_LIST"))
            .order_by_asc(trail_entry::Column::Id)
            .all(service.db.reader())
            .await
            .unwrap();
        assert!(
            entries
                .iter()
                .all(|entry| entry.actor == "dsb" && entry.engagement_id.is_none())
        );
        let detail: Value = serde_json::from_str(&entries[2].detail).unwrap();
        assert_eq!(detail["actor"], "head");

        // A grant's records are found by it, once there are grants.
        let filter = ReadFilter {
            grant: Some(entity::GrantId(Uuid::from_u128(7))),
            ..ReadFilter::default()
        };
        let found = matching(&service.db, &filter)
            .all(service.db.reads())
            .await
            .unwrap();
        assert_eq!(found, []);
    }
);

on_both!(read_records_cannot_be_changed, |service| async move {
    let (audit, _) = drawn(&service).await;
    audit.auditor.data(PAGE, json!({})).await;
    let before = records(&service.db).await;
    for statement in [
        "UPDATE read_record SET actor = 'x'",
        "DELETE FROM read_record",
        "TRUNCATE read_record",
        "REPLACE INTO read_record SELECT * FROM read_record",
    ] {
        let done = service.db.reads_owner().execute_unprepared(statement).await;
        assert!(done.is_err(), "{statement}");
    }
    assert!(!before.is_empty());
    assert_eq!(records(&service.db).await, before);
});

async fn close(audit: &Audit<'_>) {
    let version = audit
        .auditor
        .data(
            "query($id: ID!) { engagement(id: $id) { version } }",
            json!({ "id": audit.engagement }),
        )
        .await["engagement"]["version"]
        .clone();
    let input = json!({ "id": audit.engagement, "expectedVersion": version, "note": "Rest entfällt" });
    audit
        .head
        .done(&change("closeEngagement", "engagement { state }"), input)
        .await;
}

const RUNS: &str =
    "{ retentionRuns { edges { node { actor state count before records { engagementId count } } } } }";

on_both!(
    read_records_go_six_months_after_their_engagement,
    |service| async move {
        let (audit, _) = drawn(&service).await;
        audit.auditor.data(PAGE, json!({})).await;
        // One that belongs to no engagement.
        audit
            .auditor
            .data(PAGE, json!({ "filter": { "reference": "nirgends" } }))
            .await;
        let all = records(&service.db).await.len();
        let db = &service.db;
        // Half a year later the engagement is still open: only the other one goes.
        assert_eq!(
            retention::due(&service.later(150), db, retention::Kind::ReadRecord)
                .await
                .unwrap()
                .count,
            0
        );
        let due = retention::due(&service.later(190), db, retention::Kind::ReadRecord)
            .await
            .unwrap();
        assert_eq!(
            (due.count, due.records.len(), due.records[0].engagement),
            (1, 1, None)
        );
        close(&audit).await;
        let due = retention::due(&service.later(190), db, retention::Kind::ReadRecord)
            .await
            .unwrap();
        assert_eq!((due.state, due.count), (RunState::Begun, all as u64));

        // A legal hold stops it, also for the record of no engagement; who placed it does not lift it.
        let input = json!({ "engagementId": audit.engagement, "reason": "Klage S 12 AS 7/26", "idempotencyKey": "h" });
        let place = change(
            "placeLegalHold",
            "legalHold { id reason placedBy liftedAt permissions }",
        );
        let placed = audit.auditor.done(&place, input.clone()).await["legalHold"].clone();
        assert_eq!(
            (&placed["placedBy"], &placed["permissions"]),
            (&json!("auditor"), &json!([]))
        );
        let again = audit.auditor.done(&place, input).await["legalHold"].clone();
        assert_eq!(again, placed);
        let run = retention::run(&service.later(190), db, retention::Kind::ReadRecord)
            .await
            .unwrap();
        assert_eq!((run.state, run.count), (RunState::Ended, 0));
        assert_eq!(records(db).await.len(), all);
        let lift = change("liftLegalHold", "legalHold { liftedBy liftReason }");
        let input = json!({ "id": placed["id"], "reason": "Klage zurückgenommen" });
        let refusal = |code: &str, path: &str| vec![(code.to_owned(), path.to_owned())];
        assert_eq!(
            audit.auditor.refused(&lift, input.clone()).await,
            refusal("LEGAL_HOLD_OWN", "input.id")
        );
        let nameless = json!({ "id": placed["id"], "reason": " " });
        assert_eq!(
            audit.head.refused(&lift, nameless).await,
            refusal("REQUIRED", "input.reason")
        );
        let holds = "query($id: ID!) { engagement(id: $id) { legalHolds { liftedBy permissions } } }";
        let seen = audit.head.data(holds, json!({ "id": audit.engagement })).await;
        assert_eq!(
            seen["engagement"]["legalHolds"],
            json!([{ "liftedBy": null, "permissions": ["LEGAL_HOLD_LIFT"] }])
        );
        let lifted = audit.head.done(&lift, input.clone()).await;
        assert_eq!(lifted["legalHold"]["liftedBy"], "head");
        assert_eq!(
            audit.head.refused(&lift, input).await,
            refusal("LEGAL_HOLD_LIFTED", "input.id")
        );

        // A read of late is kept for its own six months.
        let program = Program::beside(&service);
        if let Some(program) = &program {
            let said = program.succeeds(&["retention", "run", "--dry-run"]).await;
            assert!(said.starts_with("0\t"), "{said}");
        }
        let run = retention::run(&service.later(190), db, retention::Kind::ReadRecord)
            .await
            .unwrap();
        assert_eq!(run.count, all as u64);
        assert_eq!(records(db).await, []);
        assert_eq!(
            retention::run(&service.later(190), db, retention::Kind::ReadRecord)
                .await
                .unwrap()
                .count,
            0
        );

        // The officer sees the runs, each with beginning and end; one that found nothing leaves none.
        let officer = service.person("dsb", "DATENSCHUTZ");
        let runs = nodes(&officer.data(RUNS, json!({})).await["retentionRuns"]);
        let told: Vec<_> = runs
            .iter()
            .map(|run| (run["state"].as_str().unwrap(), run["count"].as_u64().unwrap()))
            .collect();
        let all = all as u64;
        assert_eq!(told, [("ENDED", all), ("BEGUN", all)]);
        assert_eq!(runs[0]["actor"], "pruefpfad");
        let mut parts = runs[0]["records"].as_array().unwrap().clone();
        parts.sort_by_key(|part| part["engagementId"].is_string());
        assert_eq!(
            parts,
            [
                json!({ "engagementId": null, "count": 1 }),
                json!({ "engagementId": audit.engagement, "count": all - 1 }),
            ]
        );
    }
);

on_both!(a_running_service_deletes_by_itself, |service| async move {
    let (audit, _) = drawn(&service).await;
    audit
        .auditor
        .data(PAGE, json!({ "filter": { "reference": "nirgends" } }))
        .await;
    let before = records(&service.db).await.len();
    assert!(before > 0);
    // Another instance, whose clock is half a year on.
    let db = app::connect(&service.settings).await.unwrap();
    let other = app::start(&service.settings, db, service.sources_later(190))
        .await
        .unwrap();
    let begun = Instant::now();
    while records(&service.db)
        .await
        .iter()
        .any(|record| record.engagement_id.is_none())
    {
        assert!(begun.elapsed() < Duration::from_secs(20));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    other.stop().await.unwrap();
    assert_eq!(records(&service.db).await.len(), before - 1);
});

/// Asks over and over until the service is gone; the ids of the requests that were answered.
async fn ask_until_the_end(
    client: reqwest::Client,
    address: String,
    token: String,
    count: Arc<AtomicU64>,
) -> Vec<Uuid> {
    let mut answered = Vec::new();
    loop {
        let asked = client.post(format!("{address}/graphql")).bearer_auth(&token);
        let Ok(answer) = asked.json(&json!({ "query": PAGE })).send().await else {
            return answered;
        };
        let id = answer.headers()["x-request-id"]
            .to_str()
            .unwrap()
            .parse()
            .unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        let Ok(answer) = answer.json::<Value>().await else {
            return answered;
        };
        assert_eq!(nodes(&answer["data"]["sampleItems"]).len(), 4, "{answer}");
        answered.push(id);
        count.fetch_add(1, Ordering::Relaxed);
    }
}

async fn kill(serving: Serving) {
    let pid = serving.pid().to_string();
    let killed = tokio::process::Command::new("kill")
        .args(["-9", &pid])
        .status()
        .await;
    assert!(killed.unwrap().success());
}

on_both!(
    what_was_answered_before_a_kill_has_its_record,
    |service| async move {
        let (audit, _) = drawn(&service).await;
        let Some(program) = Program::beside(&service) else {
            return;
        };
        let program = program.with("PRUEFPFAD__RATE__PER_MINUTE", "0");
        let token = service.token("leser", &["INNENREVISION"]);
        for round in 0..3 {
            let serving = program.serve(&["serve"]).await;
            let count = Arc::new(AtomicU64::new(0));
            let readers: Vec<_> = (0..12)
                .map(|_| {
                    tokio::spawn(ask_until_the_end(
                        service.http.clone(),
                        serving.address.clone(),
                        token.clone(),
                        count.clone(),
                    ))
                })
                .collect();
            // Killed while all of them ask.
            while count.load(Ordering::Relaxed) < 100 + 37 * round {
                assert!(readers.iter().any(|reader| !reader.is_finished()));
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            kill(serving).await;
            let mut answered = Vec::new();
            for reader in readers {
                answered.extend(reader.await.unwrap());
            }
            let kept: BTreeSet<Uuid> = records(&service.db)
                .await
                .iter()
                .map(|record| record.request_id)
                .collect();
            let missing = answered.iter().filter(|id| !kept.contains(id)).count();
            assert_eq!(missing, 0, "of {}", answered.len());
            assert!(answered.len() >= 100, "{}", answered.len());
        }
        audit.auditor.data(PAGE, json!({})).await;
    }
);

const DENIALS: &str = "query($first: Int, $after: String, $filter: DeniedAttemptFilter) {
    deniedAttempts(first: $first, after: $after, filter: $filter) { pageInfo { hasNextPage endCursor }
    edges { node { actor membership action classes operationHash requestId at } } } }";

on_both!(refused_reads_are_told, |service| async move {
    let (audit, sample) = drawn(&service).await;
    let officer = service.person("dsb", "DATENSCHUTZ");
    let (budget, local) = (
        service.person("b", "BUDGET"),
        service.person("sb", "SACHBEARBEITUNG:09"),
    );
    let told = async || nodes(&officer.data(DENIALS, json!({})).await["deniedAttempts"]);
    assert_eq!(told().await, Vec::<Value>::new());

    // Who may read, who is nobody, and who is refused what is no social data, leaves nothing.
    audit.auditor.data(PAGE, json!({})).await;
    service.anybody().codes(PAGE, json!({})).await;
    let closing = "query($id: ID!) { sample(id: $id) { seed } }";
    assert_eq!(
        budget.codes(closing, json!({ "id": sample["id"] })).await,
        ["FORBIDDEN"]
    );
    assert_eq!(told().await, Vec::<Value>::new());

    // Over HTTP, in a socket, by download; and a change that was refused.
    assert!(!budget.codes(PAGE, json!({})).await.is_empty());
    let mut socket = budget.subscribe().await;
    let start = json!({ "type": "subscribe", "id": "1", "payload": { "query": PAGE } });
    socket.send(start.to_string().into()).await.unwrap();
    assert_eq!(next_message(&mut socket).await["type"], "error");
    let download = budget
        .request(Method::GET, "/exports/sample-items.csv")
        .send()
        .await;
    assert_eq!(download.unwrap().status(), 403);
    let input = json!({ "id": audit.engagement, "expectedVersion": 1 });
    local
        .graphql(
            &change("closeEngagement", "engagement { id }"),
            json!({ "input": input }),
        )
        .await;
    let all = told().await;
    let found: Vec<_> = all
        .iter()
        .map(|one| (one["actor"].as_str().unwrap(), one["action"].as_str().unwrap()))
        .collect();
    assert_eq!(
        found,
        [
            ("sb", "ENGAGEMENT_CLOSE"),
            ("b", "SENSITIVE_READ"),
            ("b", "SENSITIVE_READ"),
            ("b", "SENSITIVE_READ"),
        ]
    );
    assert_eq!(
        (&all[0]["classes"], &all[0]["operationHash"]),
        (&json!([]), &Value::Null)
    );
    let download = operation_hash("GET /exports/sample-items.csv", None);
    assert_eq!(all[1]["operationHash"], hex::encode(download));
    for one in &all[1..] {
        assert!(
            one["classes"].as_array().unwrap().contains(&json!("SOCIAL_DATA")),
            "{one}"
        );
        assert_eq!(one["membership"], "BUDGET");
    }
    let page = hex::encode(operation_hash(PAGE, Some("Seite")));
    assert!(all[2..].iter().all(|one| one["operationHash"] == page));

    // By person and time.
    let one = json!({ "filter": { "actor": "sb", "from": all[0]["at"] } });
    assert_eq!(
        nodes(&officer.data(DENIALS, one).await["deniedAttempts"]),
        all[..1]
    );
    let earlier = json!({ "filter": { "actor": "b", "until": all[1]["at"] } });
    assert_eq!(
        nodes(&officer.data(DENIALS, earlier).await["deniedAttempts"]),
        all[2..]
    );
    // By pages the same.
    let (mut paged, mut after) = (Vec::new(), Value::Null);
    loop {
        let page =
            officer.data(DENIALS, json!({ "first": 3, "after": after })).await["deniedAttempts"].take();
        paged.extend(nodes(&page));
        after = page["pageInfo"]["endCursor"].clone();
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    assert_eq!(paged, all);
    // Whoever sees the classes and asks for more than these made no attempt on social data; nor did an auditor whose answer
    // went out in part.
    let drawn_by = "query($id: ID!) { sample(id: $id) { name items(first: 2) { edges { node { reference ticket } } } } }";
    local.codes(drawn_by, json!({ "id": sample["id"] })).await;
    let part = "{ sampleItems(first: 2) { edges { node { reference externalReads { body } } } } }";
    audit.auditor.graphql(part, json!({})).await;
    assert_eq!(told().await, all);
    let long = json!({ "filter": { "actor": "x".repeat(2_000) } });
    assert_eq!(officer.codes(DENIALS, long).await, ["BAD_USER_INPUT"]);
    let asked = trail_entry::Entity::find()
        .filter(trail_entry::Column::Action.eq("READ_RECORD_LIST"))
        .filter(trail_entry::Column::SubjectKind.eq("DeniedAttempt"));
    assert!(asked.count(service.db.reader()).await.unwrap() > 5);
    // They are part of the log, as what was done.
    let waiting = trail_entry::Entity::find()
        .all(service.db.reader())
        .await
        .unwrap();
    let denied = waiting
        .iter()
        .filter(|entry| entry.outcome == trail_entry::Outcome::Denied);
    assert!(denied.clone().all(|entry| entry.salt.is_some()));
    assert_eq!(denied.count(), 4);
});
