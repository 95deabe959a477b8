//! A draw, repeated by somebody outside: from the draw file and the draw record alone.

#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

use entity::read_record;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tests::grants::{inspection, issued};
use tests::program::binary;
use tests::redraw::{LINES, fetched, redraw};
use tests::story::Audit;
use tests::{Service, on_both};
use uuid::Uuid;

fn codes(answer: &Value) -> Vec<&str> {
    let differences = answer["differences"].as_array().unwrap();
    differences
        .iter()
        .map(|one| one["code"].as_str().unwrap())
        .collect()
}

/// The records of a download: how it began and ended.
async fn records(service: &Service) -> Vec<read_record::Model> {
    read_record::Entity::find()
        .filter(read_record::Column::Kind.ne(read_record::Kind::Answer))
        .order_by_asc(read_record::Column::Id)
        .all(service.db.reads())
        .await
        .unwrap()
}

on_both!(a_draw_is_repeated_from_its_files_alone, |service| async move {
    let audit = Audit::small(&service, &LINES).await;
    let whole = service.person("gruppe", "INNENREVISION+OWN_STAFF");
    let root = audit.seen("merkleRoot").await["merkleRoot"]
        .as_str()
        .unwrap()
        .to_owned();
    let Some(binary) = binary() else { return };
    for (name, method, size, rows) in [
        ("einfach", "SIMPLE_RANDOM", 3, 8),
        ("geschichtet", "STRATIFIED_BY_BEZIRKSSTELLE", 5, 8),
        ("wert", "MONETARY_UNIT_FIXED_INTERVAL", 4, 7),
    ] {
        let sample = audit.drawn(name, method, &json!({ "size": size })).await;
        let (status, file) = fetched(&whole, "/exports/draw-file.csv", &sample["id"]).await;
        assert_eq!(status, 200, "{file}");
        // It says who may receive it; own staff, references and case numbers are not in it.
        assert!(file.starts_with("# Draw file: social data"), "{file}");
        assert_eq!(
            file.lines().filter(|line| !line.starts_with('#')).count(),
            rows + 1,
            "{file}"
        );
        let (status, record) = fetched(&whole, "/exports/draw-record.json", &sample["id"]).await;
        assert_eq!(status, 200, "{record}");

        let (code, answer) = redraw(&binary, &file, &record, &["--root", &root]);
        assert_eq!((code, &answer["agrees"]), (0, &json!(true)), "{name}: {answer}");
        assert_eq!(answer["populationRoot"], root);
        let drawn = audit.items(&sample).await;
        assert_eq!(answer["items"].as_array().unwrap().len(), drawn.len());

        // Whatever was changed is named.
        let mut lines: Vec<&str> = file.lines().collect();
        let removed = lines.remove(3);
        let (code, answer) = redraw(&binary, &lines.join("\n"), &record, &[]);
        assert_eq!(code, 1, "{name}: {removed}");
        assert!(
            codes(&answer).contains(&"FRAME_DIFFERS") && codes(&answer).contains(&"COUNT_DIFFERS"),
            "{answer}"
        );
        let other = "00".repeat(32);
        let (code, answer) = redraw(&binary, &file, &record, &["--root", &other]);
        assert_eq!((code, codes(&answer)), (1, vec!["ROOT_DIFFERS"]), "{name}");
        let mut seeded: Value = serde_json::from_str(&record).unwrap();
        seeded["seed"] = json!("ein anderer");
        let (code, answer) = redraw(&binary, &file, &seeded.to_string(), &[]);
        assert_eq!(code, 1, "{name}: {answer}");
        let mut swapped: Value = serde_json::from_str(&record).unwrap();
        let last = swapped["items"].as_array_mut().unwrap().pop().unwrap();
        let (code, answer) = redraw(&binary, &file, &swapped.to_string(), &[]);
        assert_eq!(code, 1);
        assert!(
            answer.to_string().contains(last["id"].as_str().unwrap()),
            "{name}: {answer}"
        );
        let (code, answer) = redraw(&binary, "item;stratum\nx", &record, &[]);
        assert_eq!((code, &answer["agrees"]), (2, &Value::Null));

        // Each download has its records: what was asked for, and which ids left.
        let told = records(&service).await;
        let [begun, ended, ..] = &told[told.len() - 4..] else {
            panic!("{told:?}");
        };
        assert_eq!(
            (begun.kind, ended.kind),
            (read_record::Kind::ExportBegun, read_record::Kind::ExportEnded)
        );
        assert_eq!(ended.object_count, i64::try_from(rows).unwrap());
        let mut digest = Sha256::new();
        for line in file.lines().filter(|line| !line.starts_with(['#', 'i'])) {
            let id: Uuid = line.split(';').next().unwrap().parse().unwrap();
            digest.update(id.as_bytes());
        }
        assert_eq!(ended.object_digest, Some(digest.finalize().to_vec()));
        assert_eq!(begun.actor, "gruppe");
    }
});

on_both!(draw_files_go_to_who_sees_the_whole_frame, |service| async move {
    let audit = Audit::small(&service, &LINES).await;
    let sample = audit.drawn("alle", "SIMPLE_RANDOM", &json!({ "size": 8 })).await;
    let planned = audit
        .planned(audit.plan_input(
            "noch nicht",
            "SIMPLE_RANDOM",
            &json!({ "size": 1, "reason": "x" }),
        ))
        .await;
    let whole = service.person("gruppe", "INNENREVISION+OWN_STAFF");
    let classes = json!(["PUBLIC", "INTERNAL", "AUDIT", "SOCIAL_DATA", "PERSONNEL"]);
    let complete = issued(
        &audit,
        inspection(&audit.engagement, &json!({ "classes": classes })),
    )
    .await;
    let without_staff = issued(&audit, inspection(&audit.engagement, &json!({}))).await;
    let part =
        audit.auditor.data("{ bezirksstellen { id } }", json!({})).await["bezirksstellen"][1]["id"].clone();
    let partial = json!({ "classes": classes, "bezirksstelleIds": [part] });
    let partial = issued(&audit, inspection(&audit.engagement, &partial)).await;
    for path in ["/exports/draw-file.csv", "/exports/draw-record.json"] {
        for (person, expected) in [
            (&whole, 200),
            (&service.holder(&complete).await, 200),
            (&service.holder(&without_staff).await, 403),
            (&service.holder(&partial).await, 403),
            (&audit.auditor, 200),
            (&service.person("ohne", "INNENREVISION"), 403),
            (&audit.head, 403),
            (&service.person("sb", "SACHBEARBEITUNG:09"), 403),
            (&service.person("b", "BUDGET"), 403),
            (&service.anybody(), 401),
        ] {
            let (status, text) = fetched(person, path, &sample["id"]).await;
            assert_eq!(status, expected, "{path}: {text}");
            assert!(status == 200 || !text.contains("01a"), "{text}");
        }
        for (id, code) in [
            (planned["id"].clone(), "SAMPLE_NOT_DRAWN"),
            (json!(audit.population), "INVALID_VALUE"),
            (json!(""), "INVALID_VALUE"),
        ] {
            let (status, text) = fetched(&whole, path, &id).await;
            assert_eq!(status, 422, "{text}");
            assert!(text.contains(code), "{text}");
        }
    }
    // Who lacked the classes was noticed.
    let officer = service.person("dsb", "DATENSCHUTZ");
    let attempts = "{ deniedAttempts(filter: { actor: \"b\" }) { edges { node { action classes } } } }";
    let told = officer.data(attempts, json!({})).await["deniedAttempts"]["edges"].clone();
    assert_eq!(told.as_array().unwrap().len(), 2, "{told}");
    assert_eq!(
        told[0]["node"],
        json!({ "action": "SENSITIVE_READ", "classes": ["SOCIAL_DATA"] })
    );
});
