//! Draws with a witness.

use std::process::Command;
use std::sync::Arc;

use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};
use tests::program::binary;
use tests::redraw::LINES;
use tests::story::{Audit, DICE, draw, nodes, plan, with};
use tests::{Backend, Hand, Service};

use crate::by_hand;
use crate::desk::{
    BEGIN, OWN, SOURCE, auditors, commit, commits, committing, dice, drawing, input, officer, open, opening,
    opens, own, refusal, seen,
};
use crate::outside::{nothing_unexplained, oracle, reason, redraw, repeated, tampered};

by_hand!(
    a_witnessed_draw,
    |service: Service, clock: Arc<Hand>| async move {
        let audit = Audit::small(&service, &LINES).await;
        let dsb = officer(&service);
        let auditor = &audit.auditor;
        let asked = input(&audit, "WITNESSED", &json!({ "reason": null }));
        let sample = audit.planned_once_signed(asked.clone()).await;
        assert_eq!(
            audit.planned_once_signed(asked.clone()).await["id"],
            sample["id"],
            "the same key"
        );
        let other = with(&asked, &json!({ "assurance": "EVERYDAY", "parties": [] }));
        assert_eq!(
            auditor.refused(&plan(), other).await,
            refusal("IDEMPOTENCY_KEY_REUSED", "input.idempotencyKey")
        );

        // The second party sees its part, and nothing of what is drawn.
        let part = own(&dsb).await;
        let told = seen(auditor, &sample).await;
        assert_eq!(part["planDigest"], told["ceremony"]["planDigest"]);
        assert_eq!(
            (
                &part["party"],
                &part["assurance"],
                &part["sampleState"],
                &part["waitingFor"]
            ),
            (
                &json!("Datenschutz"),
                &json!("WITNESSED"),
                &json!("PLANNED"),
                &json!(["Innenrevision", "Datenschutz"])
            )
        );
        assert_eq!(part["engagementNumber"], "P-2023-001");
        assert_eq!(
            part["permissions"],
            json!(["CONTRIBUTION_READ", "CONTRIBUTION_COMMIT"])
        );
        let name = "query($id: ID!) { sample(id: $id) { name } }";
        assert_eq!(
            dsb.codes(name, json!({ "id": sample["id"] })).await,
            ["FORBIDDEN"]
        );
        let node = dsb
            .data(
                "query($id: ID!) { node(id: $id) { id } }",
                json!({ "id": sample["id"] }),
            )
            .await;
        assert_eq!(node["node"], Value::Null);
        assert_eq!(
            told["permissions"],
            json!(["SAMPLE_READ", "CONTRIBUTION_COMMIT", "SAMPLE_ABORT"])
        );
        assert_eq!(
            (&told["assurance"], &told["drawNumber"]),
            (&json!("WITNESSED"), &Value::Null)
        );
        assert_eq!(told["ceremony"]["parties"][1]["standing"], "OUTSIDE");
        assert_eq!(told["ceremony"]["parties"][0]["standing"], "AUDIT_FUNCTION");

        // Nobody else speaks for it.
        let committed = committing(&part, "was niemand weiß");
        let missing = refusal("NOT_FOUND", "input.id");
        assert_eq!(
            service
                .person("dsb2", "DATENSCHUTZ")
                .refused(&commit(), committed.clone())
                .await,
            missing
        );
        assert_eq!(
            auditor.refused(&commit(), committed.clone()).await,
            refusal("PARTY_OF_ANOTHER", "input.id")
        );
        assert_eq!(
            service
                .person("dsb", "EXTERNAL_AUDITOR")
                .refused(&commit(), committed.clone())
                .await,
            refusal("PARTY_OTHER_ROLE", "input.id")
        );
        let asking = json!({ "input": committed });
        for role in ["SACHBEARBEITUNG:09", "VORSTAND", "ADMINISTRATION"] {
            let person = service.person("dsb", role);
            assert_eq!(
                person.codes(&commit(), asking.clone()).await,
                ["FORBIDDEN"],
                "{role}"
            );
            assert_eq!(person.codes(OWN, json!({})).await, ["FORBIDDEN"], "{role}");
        }
        assert_eq!(
            nodes(&service.person("dsb2", "DATENSCHUTZ").data(OWN, json!({})).await["contributions"]),
            [Value::Null; 0]
        );

        // Committed once: repeated under the same key, never replaced.
        assert_eq!(
            dsb.refused(&open(), opening(&part, "")).await,
            refusal("COMMITMENT_MISSING", "input.id")
        );
        let done = dsb.done(&commit(), committed.clone()).await["contribution"].clone();
        assert_eq!(done["commitment"], committed["commitment"]);
        assert_eq!(dsb.done(&commit(), committed.clone()).await["contribution"], done);
        let other = with(&committed, &json!({ "commitment": "00".repeat(32) }));
        assert_eq!(
            dsb.refused(&commit(), other.clone()).await,
            refusal("IDEMPOTENCY_KEY_REUSED", "input.idempotencyKey")
        );
        let other = with(&other, &json!({ "idempotencyKey": "neu" }));
        assert_eq!(
            dsb.refused(&commit(), other.clone()).await,
            refusal("STALE_VERSION", "input.expectedVersion")
        );
        let other = with(&other, &json!({ "expectedVersion": 2 }));
        assert_eq!(
            dsb.refused(&commit(), other).await,
            refusal("CONTRIBUTION_COMMITTED", "input.id")
        );
        for change in [
            "digest = NULL",
            "committed_at = NULL",
            "party = 'RPA'",
            "subject = 'auditor'",
        ] {
            let sql = format!("UPDATE contribution SET {change} WHERE party = 'Datenschutz'");
            assert!(
                service.db.owner().execute_unprepared(&sql).await.is_err(),
                "{change}"
            );
        }
        let sql = "UPDATE ceremony SET plan = '{}'";
        assert!(service.db.owner().execute_unprepared(sql).await.is_err());

        // Nobody opens, and nothing is drawn, before all have committed.
        let part = own(&dsb).await;
        assert_eq!(part["waitingFor"], json!(["Innenrevision"]));
        assert_eq!(part["permissions"], json!(["CONTRIBUTION_READ"]));
        let early = refusal("COMMITMENT_MISSING", "input.id");
        assert_eq!(
            dsb.refused(&open(), opening(&part, "was niemand weiß")).await,
            early
        );
        assert_eq!(
            auditor
                .refused(&draw(), drawing(&audit, &sample, &Value::Null).await)
                .await,
            early
        );
        clock.set(BEGIN + 60);
        // Made at the desk, by the program.
        let mine = own(auditor).await;
        let Some(program) = binary() else {
            drop((part, audit, dsb));
            return service;
        };
        let made = Command::new(&program)
            .args([
                "ceremony",
                "commit",
                "--party",
                "Innenrevision",
                "--text",
                "Würfelwurf 3",
                "--plan-digest",
            ])
            .arg(mine["planDigest"].as_str().unwrap())
            .output()
            .unwrap();
        let made: Value = serde_json::from_slice(&made.stdout).unwrap();
        let by_program = json!({
            "id": mine["id"], "expectedVersion": 1, "commitment": made["commitment"], "idempotencyKey": "Innenrevision",
        });
        auditor.done(&commit(), by_program).await;
        let told = seen(auditor, &sample).await;
        assert_eq!(
            told["permissions"],
            json!(["SAMPLE_READ", "CONTRIBUTION_OPEN", "SAMPLE_ABORT"])
        );
        assert_eq!(
            auditor
                .refused(&draw(), drawing(&audit, &sample, &Value::Null).await)
                .await,
            refusal("NOBODY_OPENED", "input.id")
        );

        // Opened as committed, or not at all.
        let part = own(&dsb).await;
        let told = open().replace("code path", "code path message");
        let payload = dsb.payload(&told, opening(&part, "etwas anderes")).await;
        assert_eq!(payload["userErrors"][0]["code"], "COMMITMENT_DIFFERS");
        assert!(
            payload["userErrors"][0]["message"]
                .as_str()
                .unwrap()
                .contains("Datenschutz")
        );
        let attempts = "{ deniedAttempts(first: 1) { edges { node { actor action } } } }";
        let told = dsb.data(attempts, json!({})).await;
        assert_eq!(
            told["deniedAttempts"]["edges"][0]["node"],
            json!({ "actor": "dsb", "action": "CONTRIBUTION_OPEN" })
        );
        let long = with(&opening(&part, ""), &json!({ "text": "x".repeat(1_001) }));
        assert_eq!(
            dsb.refused(&open(), long).await,
            refusal("TOO_LONG", "input.text")
        );
        let stale = with(
            &opening(&part, "was niemand weiß"),
            &json!({ "expectedVersion": 1 }),
        );
        assert_eq!(
            dsb.refused(&open(), stale).await,
            refusal("STALE_VERSION", "input.expectedVersion")
        );
        let right = opening(&part, "was niemand weiß");
        let opened = dsb.done(&open(), right.clone()).await["contribution"].clone();
        assert_eq!(dsb.done(&open(), right.clone()).await["contribution"], opened);
        let again = with(
            &right,
            &json!({ "expectedVersion": 3, "idempotencyKey": "noch einmal" }),
        );
        assert_eq!(
            dsb.refused(&open(), again).await,
            refusal("CONTRIBUTION_OPENED", "input.id")
        );
        // The other one does not learn here what was opened.
        let told = seen(auditor, &sample).await;
        let theirs = &told["ceremony"]["parties"][1];
        assert_eq!((&theirs["salt"], &theirs["text"]), (&Value::Null, &Value::Null));
        assert!(theirs["openedAt"].is_string());
        let trail = "query($id: ID!) { engagement(id: $id) { trail(first: 100) { edges { node { action actor membership subjectKind detail } } } } }";
        let entries = auditor.data(trail, json!({ "id": audit.engagement })).await;
        assert!(!entries.to_string().contains("was niemand"), "{entries}");
        // Without a time until when to open, the draw waits for everybody.
        assert_eq!(
            auditor
                .refused(&draw(), drawing(&audit, &sample, &Value::Null).await)
                .await,
            refusal("CONTRIBUTIONS_NOT_OPENED", "input.id")
        );
        let by_program = json!({
            "id": mine["id"], "expectedVersion": 2, "salt": made["salt"], "text": made["text"], "idempotencyKey": "auf",
        });
        auditor.done(&open(), by_program).await;
        assert_eq!(
            seen(auditor, &sample).await["permissions"],
            json!(["SAMPLE_READ", "SAMPLE_DRAW", "SAMPLE_ABORT"])
        );

        // The seed is nobody's choice, and there is no source.
        let drawn = drawing(&audit, &sample, &Value::Null).await;
        let seeded = with(&drawn, &json!({ "seed": DICE }));
        assert_eq!(
            auditor.refused(&draw(), seeded).await,
            refusal("NOT_USED_AT_THIS_LEVEL", "input.seed")
        );
        let sourced = with(&drawn, &json!({ "source": dice(DICE, BEGIN) }));
        assert_eq!(
            auditor.refused(&draw(), sourced).await,
            refusal("SOURCE_DIFFERS", "input.source.dice")
        );
        let stale = with(&drawn, &json!({ "expectedVersion": 7 }));
        assert_eq!(
            auditor.refused(&draw(), stale).await,
            refusal("STALE_VERSION", "input.expectedVersion")
        );
        let done = auditor.done(&draw(), drawn).await["sample"].clone();
        assert_eq!(
            (&done["state"], done["seed"].as_str().unwrap().len()),
            (&json!("DRAWN"), 64)
        );
        let told = seen(auditor, &sample).await;
        assert_eq!(told["drawNumber"], json!({ "number": 2, "of": 2 }));
        let ceremony = &told["ceremony"];
        assert_eq!(ceremony["seed"], done["seed"]);
        assert_eq!(ceremony["parties"][1]["text"], "was niemand weiß");
        assert_eq!(ceremony["parties"][1]["spokeAs"], "DATENSCHUTZ");
        assert_eq!(
            (&ceremony["parties"][1]["silent"], &ceremony["parties"][1]["late"]),
            (&json!(false), &json!(false))
        );
        assert!(ceremony["steps"].as_array().unwrap().len() >= 4, "{ceremony}");
        assert!(
            ceremony["cannotRuleOut"]
                .to_string()
                .contains("All parties together")
        );

        // Anybody repeats it, and every change shows.
        let (binary, file, record) = repeated(&audit, &sample).await.unwrap();
        let why = |change: fn(&mut Value)| reason(&binary, &file, &tampered(&record, change));
        assert_eq!(
            why(|record| record["material"]["openings"][0]["contribution"]["text"] = json!("anders")),
            "COMMITMENT_DIFFERS"
        );
        assert_eq!(
            why(|record| record["material"]["commitments"][0]["logged"]["position"] = json!(1_000)),
            "OPENED_TOO_EARLY"
        );
        assert_eq!(
            why(|record| record["material"]["planned"]["position"] = json!(1_000)),
            "LOG_OUT_OF_ORDER"
        );
        assert_eq!(
            why(|record| drop(record["material"]["commitments"].as_array_mut().unwrap().pop())),
            "COMMITMENT_MISSING"
        );
        let silenced = tampered(&record, |record| {
            record["material"]["openings"].as_array_mut().unwrap().pop();
        });
        let (code, answer) = redraw(&binary, &file, &silenced, &[]);
        assert_eq!(
            (code, &answer["differences"][0]["code"]),
            (1, &json!("SEED_DIFFERS"))
        );
        if let Some(said) = oracle(&file, &silenced) {
            assert_eq!(said["differences"], json!(["seed", "items"]));
            assert_eq!(said["silent"], json!(["Datenschutz"]));
        }

        // The log names who did what, in which role.
        let entries =
            nodes(&auditor.data(trail, json!({ "id": audit.engagement })).await["engagement"]["trail"]);
        let steps: Vec<(&str, &str)> = entries
            .iter()
            .filter(|entry| entry["subjectKind"] == "Ceremony")
            .map(|entry| {
                (
                    entry["action"].as_str().unwrap(),
                    entry["membership"].as_str().unwrap(),
                )
            })
            .collect();
        assert_eq!(
            steps,
            [
                ("SAMPLE_PLAN", "INNENREVISION+OWN_STAFF"),
                ("CONTRIBUTION_COMMIT", "DATENSCHUTZ"),
                ("CONTRIBUTION_COMMIT", "INNENREVISION+OWN_STAFF"),
                ("CONTRIBUTION_OPEN", "DATENSCHUTZ"),
                ("CONTRIBUTION_OPEN", "INNENREVISION+OWN_STAFF"),
            ]
        );
        nothing_unexplained(&service).await;
        drop((audit, dsb));
        service
    }
);

by_hand!(
    silence_of_a_witness,
    |service: Service, clock: Arc<Hand>| async move {
        let audit = Audit::small(&service, &LINES).await;
        // Of an announced audit the head of a Bezirksstelle may be the witness.
        let witness = service.person("leitung", "BEZIRKSSTELLENLEITUNG:09");
        let auditor = &audit.auditor;
        let party =
            json!({ "name": "Bezirksstelle 09", "subject": "leitung", "role": "BEZIRKSSTELLENLEITUNG" });
        let until = json!({ "openUntil": "2023-08-23T16:00:00Z", "parties": [auditors(), party] });
        let sample = audit
            .planned_once_signed(input(&audit, "WITNESSED", &until))
            .await;
        commits(auditor, "eins").await;
        commits(&witness, "zwei").await;
        opens(auditor, "eins").await;
        let asked = drawing(&audit, &sample, &Value::Null).await;
        assert_eq!(
            auditor.refused(&draw(), asked.clone()).await,
            refusal("CONTRIBUTIONS_NOT_OPENED", "input.id")
        );
        clock.set(SOURCE + 36);
        auditor.done(&draw(), asked).await;
        let told = seen(auditor, &sample).await;
        let silent = &told["ceremony"]["parties"][1];
        assert_eq!(
            (&silent["standing"], &silent["spokeAs"]),
            (&json!("AUDITED_UNIT"), &json!("BEZIRKSSTELLENLEITUNG:09"))
        );
        assert_eq!(
            (&silent["silent"], &silent["late"], &silent["couldSteer"]),
            (&json!(true), &json!(false), &json!(true))
        );
        assert!(
            told["ceremony"]["cannotRuleOut"]
                .to_string()
                .contains("Bezirksstelle 09")
        );
        assert_eq!(told["ceremony"]["openUntil"], "2023-08-23T16:00:00.000000Z");
        repeated(&audit, &sample).await;
        // An everyday draw beside it stays as it was.
        let everyday = audit.plan_input("täglich", "SIMPLE_RANDOM", &json!({ "size": 2 }));
        let everyday = audit.planned(everyday).await;
        let sourced = drawing(&audit, &everyday, &dice(DICE, BEGIN)).await;
        assert_eq!(
            auditor.refused(&draw(), sourced).await,
            refusal("NOT_USED_AT_THIS_LEVEL", "input.source")
        );
        let drawn = drawing(&audit, &everyday, &Value::Null).await;
        let done = auditor.done(&draw(), drawn).await["sample"].clone();
        assert_eq!(done["seed"].as_str().unwrap().len(), 20);
        let told = seen(auditor, &everyday).await;
        assert_eq!(
            (&told["assurance"], &told["ceremony"]),
            (&json!("EVERYDAY"), &Value::Null)
        );
        assert_eq!(told["drawNumber"], json!({ "number": 3, "of": 3 }));
        drop((audit, witness));
        service
    }
);
