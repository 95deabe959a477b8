//! Draws that are witnessed, and draws nobody can steer, as the people of a Jobcenter make them.

#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use api::graphql::NodeKind;
use audit::Ctx;
use audit::access::{Caller, Membership};
use audit::sampling::ceremony::{Bytes32, Contribution, commitment, drand};
use audit::trail::rows::unexplained;
use entity::{PopulationId, SampleId};
use reqwest::Method;
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};
use tests::program::binary;
use tests::story::{Audit, DICE, change, draw, nodes, plan, with};
use tests::{Backend, Hand, Person, Service, missing};

/// Time of round 1000 of quicknet, in seconds since 1970.
const SOURCE: i64 = 1_692_806_364;
/// When the stories begin: forty minutes before.
const BEGIN: i64 = SOURCE - 2_400;
const SIGNATURE: &str =
    "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39";
const LINES: [(&str, &str, i64); 8] = [
    ("a", "09", 100),
    ("b", "01", 200),
    ("c", "09", 0),
    ("d", "01", 50_000),
    ("e", "02", 700),
    ("f", "02", 90),
    ("g", "09", 1_200),
    ("h", "01", 3),
];

const SEEN: &str = "query($id: ID!) { sample(id: $id) { state version seed assurance permissions drawNumber { number of }
    ceremony { planDigest populationRoot frameDigest openUntil seed plannedSource { chain round at throws }
        parties { name subject role standing spokeAs commitment committedAt openedAt salt text silent late couldSteer version }
        source { text recordedBy recordedAt } steps { text value } cannotRuleOut } } }";

const OWN: &str = "{ contributions { edges { node { id engagementNumber sampleState assurance party planDigest openUntil waitingFor
    plannedSource { chain round at throws } commitment committedAt openedAt version permissions } } } }";

/// Two tests of one story, whose service has a clock that is set by hand: `name::sqlite` and `name::postgres`.
macro_rules! by_hand {
    ($name:ident, $story:expr) => {
        mod $name {
            use super::*;

            async fn on(backend: Backend) {
                let clock = Hand::at(BEGIN);
                if let Some(service) = Service::start_by(backend, &[], Some(clock.clone())).await {
                    let story: fn(Service, Arc<Hand>) -> _ = $story;
                    let service: Service = story(service, clock).await;
                    service.stop().await;
                }
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                on(Backend::Sqlite).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                on(Backend::Postgres).await;
            }
        }
    };
}

fn refusal(code: &str, path: &str) -> Vec<(String, String)> {
    vec![(code.to_owned(), path.to_owned())]
}

fn auditors() -> Value {
    json!({ "name": "Innenrevision", "subject": "auditor", "role": "INNENREVISION" })
}

fn officers() -> Value {
    json!({ "name": "Datenschutz", "subject": "dsb", "role": "DATENSCHUTZ" })
}

fn officer(service: &Service) -> Person<'_> {
    service.person("dsb", "DATENSCHUTZ")
}

fn quicknet(round: u64) -> Value {
    json!({ "drand": { "chain": drand::CHAINS[0].hash, "round": round } })
}

fn dice(digits: &str, begun_at: i64) -> Value {
    json!({ "dice": {
        "digits": digits, "begunAt": chrono::DateTime::from_timestamp(begun_at, 0).unwrap().to_rfc3339(),
        "thrownBy": "Anna", "witnesses": ["Bert"], "recording": "Aufzeichnung 17",
    } })
}

/// What plans a sample of four items at this level.
fn input(audit: &Audit<'_>, level: &str, fields: &Value) -> Value {
    let level = json!({ "size": 4, "assurance": level, "parties": [auditors(), officers()] });
    audit.plan_input("Ziehung", "SIMPLE_RANDOM", &with(&level, fields))
}

async fn seen(person: &Person<'_>, sample: &Value) -> Value {
    person.data(SEEN, json!({ "id": sample["id"] })).await["sample"].clone()
}

/// One's own newest contribution.
async fn own(person: &Person<'_>) -> Value {
    let data = person.data(OWN, json!({})).await;
    nodes(&data["contributions"])[0].clone()
}

fn salt(party: &str) -> Bytes32 {
    Bytes32([u8::try_from(party.len()).unwrap(); 32])
}

/// What commits a contribution with this text, by the published rule.
fn committing(own: &Value, text: &str) -> Value {
    let party = own["party"].as_str().unwrap();
    let made = Contribution {
        party: party.to_owned(),
        salt: salt(party),
        text: text.to_owned(),
    };
    let plan = Bytes32::parse(own["planDigest"].as_str().unwrap()).unwrap();
    json!({
        "id": own["id"], "expectedVersion": own["version"], "commitment": commitment(plan, &made).unwrap().to_string(),
        "idempotencyKey": format!("commit {}", own["id"]),
    })
}

fn opening(own: &Value, text: &str) -> Value {
    json!({
        "id": own["id"], "expectedVersion": own["version"], "salt": salt(own["party"].as_str().unwrap()).to_string(),
        "text": text, "idempotencyKey": format!("open {}", own["id"]),
    })
}

fn commit() -> String {
    change(
        "commitContribution",
        "contribution { id party version commitment permissions }",
    )
}

fn open() -> String {
    change(
        "openContribution",
        "contribution { id party version openedAt permissions }",
    )
}

async fn commits(person: &Person<'_>, text: &str) -> Value {
    let own = own(person).await;
    person.done(&commit(), committing(&own, text)).await["contribution"].clone()
}

async fn opens(person: &Person<'_>, text: &str) -> Value {
    let own = own(person).await;
    person.done(&open(), opening(&own, text)).await["contribution"].clone()
}

/// What draws the sample as it is now, with this source.
async fn drawing(audit: &Audit<'_>, sample: &Value, source: &Value) -> Value {
    let version = seen(&audit.auditor, sample).await["version"].clone();
    json!({ "id": sample["id"], "expectedVersion": version, "source": source })
}

async fn fetched(person: &Person<'_>, path: &str, sample: &Value) -> String {
    let path = format!("{path}?sample={}", sample["id"].as_str().unwrap());
    let answer = person.request(Method::GET, &path).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    answer.text().await.unwrap()
}

/// The program's answer to these files.
fn redraw(binary: &Path, file: &str, record: &Value, more: &[&str]) -> (i32, Value) {
    let folder = tempfile::tempdir().unwrap();
    let paths = ["draw.csv", "record.json"].map(|name| folder.path().join(name));
    std::fs::write(&paths[0], file).unwrap();
    std::fs::write(&paths[1], record.to_string()).unwrap();
    let told = Command::new(binary)
        .args(["redraw", "--json", "--file"])
        .arg(&paths[0])
        .arg("--record")
        .arg(&paths[1])
        .args(more)
        .output()
        .unwrap();
    (
        told.status.code().unwrap(),
        serde_json::from_slice(&told.stdout).unwrap(),
    )
}

/// What the oracle in Python says of these files; nothing where there is no Python and nobody named an interpreter.
fn oracle(file: &str, record: &Value) -> Option<Value> {
    let rows: Vec<Value> = file
        .lines()
        .filter(|line| !line.starts_with('#'))
        .skip(1)
        .map(|line| {
            let fields: Vec<&str> = line.split(';').collect();
            json!([
                fields[0],
                fields[1],
                fields[2],
                fields[3].replace('.', "").parse::<i64>().ok()
            ])
        })
        .collect();
    let named = std::env::var("PYTHON");
    let python = Command::new(named.as_deref().unwrap_or("python3"))
        .arg(format!("{}/oracles/draw.py", env!("CARGO_MANIFEST_DIR")))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut python) = python else {
        missing("Python, for draw.py");
        return None;
    };
    let query = json!({ "what": "record", "record": record, "rows": rows });
    writeln!(python.stdin.take().unwrap(), "{query}").unwrap();
    let answer = python.wait_with_output().unwrap();
    assert!(answer.status.success(), "draw.py failed");
    Some(serde_json::from_slice(&answer.stdout).unwrap())
}

/// A record with one thing otherwise.
fn tampered(record: &Value, change: impl Fn(&mut Value)) -> Value {
    let mut record = record.clone();
    change(&mut record);
    record
}

/// The reason why the record's ceremony leads to no seed.
fn reason(binary: &Path, file: &str, record: &Value) -> Value {
    let (code, answer) = redraw(binary, file, record, &[]);
    assert_eq!(code, 1, "{answer}");
    let refused = answer["differences"].as_array().unwrap().iter();
    let mut refused = refused.filter(|one| one["code"] == "CEREMONY_REFUSED");
    refused.next().map_or(Value::Null, |one| one["reason"].clone())
}

/// Repeats the draw from its files: as recorded, by the program and by the oracle. The program, the files and the record.
async fn repeated(audit: &Audit<'_>, sample: &Value) -> Option<(std::path::PathBuf, String, Value)> {
    let file = fetched(&audit.auditor, "/exports/draw-file.csv", sample).await;
    let record = fetched(&audit.auditor, "/exports/draw-record.json", sample).await;
    let record: Value = serde_json::from_str(&record).unwrap();
    let told = seen(&audit.auditor, sample).await;
    let digest = told["ceremony"]["planDigest"].as_str().unwrap();
    if let Some(said) = oracle(&file, &record) {
        assert_eq!(said["differences"], json!([]), "{said}");
        assert_eq!(
            (&said["planDigest"], &said["seed"]),
            (&json!(digest), &told["seed"])
        );
    }
    let binary = binary()?;
    let (code, answer) = redraw(&binary, &file, &record, &["--plan", digest]);
    assert_eq!((code, &answer["agrees"]), (0, &json!(true)), "{answer}");
    assert_eq!(
        (&answer["ceremonyChecked"], &answer["seed"]),
        (&json!(true), &told["seed"])
    );
    Some((binary, file, record))
}

/// Waits until all that happened in the engagement has its place in the log.
async fn all_placed(audit: &Audit<'_>) {
    let document =
        "query($id: ID!) { engagement(id: $id) { trail(first: 100) { edges { node { proof { text } } } } } }";
    for _ in 0..100 {
        let data = audit
            .auditor
            .data(document, json!({ "id": audit.engagement }))
            .await;
        let entries = nodes(&data["engagement"]["trail"]);
        if entries.iter().all(|entry| entry["proof"].is_object()) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("the log is not signed");
}

async fn nothing_unexplained(service: &Service) {
    let (found, rows) = unexplained(&Ctx::system(service.sources.clone()), &service.db)
        .await
        .unwrap();
    assert!(found.is_empty() && rows > 0, "{found:?}");
}

by_hand!(
    what_cannot_be_planned,
    |service: Service, _: Arc<Hand>| async move {
        let audit = Audit::small(&service, &LINES).await;
        let source = quicknet(1000);
        let refused = async |level: &str, fields: Value| {
            audit
                .auditor
                .refused(&plan(), input(&audit, level, &fields))
                .await
        };
        // Before anything else is looked at.
        let unused = |path: &str| refusal("NOT_USED_AT_THIS_LEVEL", path);
        assert_eq!(refused("EVERYDAY", json!({})).await, unused("input.parties"));
        let none = json!({ "parties": [], "source": source });
        assert_eq!(refused("EVERYDAY", none).await, unused("input.source"));
        let same = json!({ "parties": [auditors(), with(&officers(), &json!({ "subject": "auditor" }))] });
        assert_eq!(
            refused("WITNESSED", same).await,
            refusal("PARTIES_SAME_PERSON", "input.parties.1.subject")
        );
        let inside = json!({ "name": "Leitung", "subject": "head", "role": "INNENREVISION_LEITUNG" });
        assert_eq!(
            refused("WITNESSED", json!({ "parties": [auditors(), inside] })).await,
            refusal("PARTIES_ONE_SIDED", "input.parties")
        );
        // A good plan waits for the log alone; the rest is looked at once the root is signed.
        let sample = audit
            .planned_once_signed(input(&audit, "WITNESSED", &json!({})))
            .await;
        let abort =
            json!({ "id": sample["id"], "expectedVersion": sample["version"], "reason": "nur zur Probe" });
        audit
            .auditor
            .done(&change("abortSample", "sample { state }"), abort)
            .await;
        let fresh = |fields: &Value| with(&json!({ "name": "andere", "idempotencyKey": "andere" }), fields);
        for (level, fields, code, path) in [
            (
                "WITNESSED",
                json!({ "parties": [auditors()] }),
                "TOO_FEW_PARTIES",
                "input.parties",
            ),
            (
                "WITNESSED",
                json!({ "parties": [auditors(), with(&officers(), &json!({ "name": "Innenrevision" }))] }),
                "DOUBLED",
                "input.parties",
            ),
            ("NOT_STEERABLE", json!({}), "REQUIRED", "input.source"),
            (
                "NOT_STEERABLE",
                json!({ "source": { "drand": { "chain": "00".repeat(32), "round": 1000 } } }),
                "CHAIN_UNKNOWN",
                "input.source.drand.chain",
            ),
            (
                "NOT_STEERABLE",
                json!({ "source": { "dice": { "throws": 19 } } }),
                "DICE_THROWS_OUT_OF_RANGE",
                "input.source.dice.throws",
            ),
            (
                "NOT_STEERABLE",
                json!({ "source": quicknet(0) }),
                "INVALID_VALUE",
                "input.source.drand.round",
            ),
            // it exists for some minutes
            (
                "NOT_STEERABLE",
                json!({ "source": quicknet(1) }),
                "SOURCE_EXISTS",
                "input.source.drand.round",
            ),
            (
                "WITNESSED",
                json!({ "openUntil": "2023-01-01T00:00:00Z" }),
                "INVALID_VALUE",
                "input.openUntil",
            ),
            (
                "NOT_STEERABLE",
                json!({ "source": source, "openUntil": "2023-08-23T16:00:00Z" }),
                "INVALID_VALUE",
                "input.openUntil",
            ),
            // what everyday plans leave alone
            (
                "WITNESSED",
                json!({ "confidence": "0.95", "tolerableRate": "1" }),
                "INVALID_VALUE",
                "input.tolerableRate",
            ),
        ] {
            assert_eq!(
                refused(level, fresh(&fields)).await,
                refusal(code, path),
                "{fields}"
            );
        }
        // A choice of two sources is none.
        let two = json!({ "source": { "drand": source["drand"], "dice": { "throws": 20 } } });
        let document = plan();
        let asked = json!({ "input": input(&audit, "NOT_STEERABLE", &fresh(&two)) });
        assert_eq!(audit.auditor.codes(&document, asked).await, ["BAD_USER_INPUT"]);
        drop(audit);
        service
    }
);

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
    a_draw_nobody_can_steer,
    |service: Service, clock: Arc<Hand>| async move {
        let audit = Audit::small(&service, &LINES).await;
        let dsb = officer(&service);
        let rpa = service.person("rpa", "EXTERNAL_AUDITOR");
        let local = service.person("sb", "SACHBEARBEITUNG:09");
        let auditor = &audit.auditor;
        let third = json!({ "name": "Rechnungsprüfung", "subject": "rpa", "role": "EXTERNAL_AUDITOR" });
        let fields = json!({ "parties": [auditors(), officers(), third], "source": quicknet(1000) });
        let asked = audit.plan_input(
            "Ziehung",
            "STRATIFIED_BY_BEZIRKSSTELLE",
            &with(&json!({ "size": 5, "assurance": "NOT_STEERABLE" }), &fields),
        );
        let sample = audit.planned_once_signed(asked).await;
        for (person, text) in [(auditor, "eins"), (&dsb, ""), (&rpa, "drei")] {
            commits(person, text).await;
        }
        let part = own(&rpa).await;
        assert_eq!(
            part["plannedSource"],
            json!({ "chain": drand::CHAINS[0].hash, "round": 1000, "at": "2023-08-23T15:59:24.000000Z", "throws": null })
        );
        opens(auditor, "eins").await;

        let round = json!({ "drand": { "round": 1000, "signature": SIGNATURE } });
        let waiting = drawing(&audit, &sample, &round).await;
        assert_eq!(
            auditor.refused(&draw(), waiting.clone()).await,
            refusal("CONTRIBUTIONS_NOT_OPENED", "input.id")
        );
        opens(&dsb, "").await;
        // The round exists now; who opens from here on is late, and one of them stays silent.
        clock.set(SOURCE - 1);
        assert_eq!(
            seen(auditor, &sample).await["permissions"],
            json!(["SAMPLE_READ", "SAMPLE_ABORT"])
        );
        clock.set(SOURCE);
        assert_eq!(
            seen(auditor, &sample).await["permissions"],
            json!(["SAMPLE_READ", "SAMPLE_DRAW", "SAMPLE_ABORT"])
        );
        assert_eq!(
            own(&rpa).await["permissions"],
            json!(["CONTRIBUTION_READ", "CONTRIBUTION_OPEN"])
        );
        opens(&rpa, "drei").await;

        // What is not this round of this chain.
        let first =
            json!({ "round": 1, "signature": DEFAULT_1, "previousSignature": drand::CHAINS[1].genesis_seed });
        let other_chain =
            json!({ "round": 1000, "signature": SIGNATURE, "chainHash": drand::CHAINS[1].hash });
        let other_randomness =
            json!({ "round": 1000, "signature": SIGNATURE, "randomness": "00".repeat(32) });
        let spoilt = SIGNATURE.replace("b446", "a446");
        for (source, code, path) in [
            (Value::Null, "REQUIRED", "input.source"),
            (
                json!({ "drand": first }),
                "ROUND_DIFFERS",
                "input.source.drand.round",
            ),
            (
                json!({ "drand": other_chain }),
                "ROUND_OF_ANOTHER_CHAIN",
                "input.source.drand",
            ),
            (
                json!({ "drand": other_randomness }),
                "RANDOMNESS_DIFFERS",
                "input.source.drand.randomness",
            ),
            (
                json!({ "drand": { "round": 1000, "signature": spoilt } }),
                "SIGNATURE_WRONG",
                "input.source.drand.signature",
            ),
            (
                json!({ "drandJson": "{" }),
                "INVALID_VALUE",
                "input.source.drandJson",
            ),
            (
                json!({ "drandJson": json!({ "round": 1000, "signature": spoilt }).to_string() }),
                "SIGNATURE_WRONG",
                "input.source.drandJson",
            ),
            (dice(DICE, SOURCE), "SOURCE_DIFFERS", "input.source.dice"),
        ] {
            let asked = with(&waiting, &json!({ "source": source }));
            assert_eq!(
                auditor.refused(&draw(), asked).await,
                refusal(code, path),
                "{source}"
            );
        }
        assert_eq!(seen(auditor, &sample).await["ceremony"]["source"], Value::Null);

        // As the beacon prints it, pasted from a file.
        let pasted = json!({
            "round": 1000, "signature": SIGNATURE,
            "randomness": "fe290beca10872ef2fb164d2aa4442de4566183ec51c56ff3cd603d930e54fdd",
        });
        let asked = with(
            &waiting,
            &json!({ "source": { "drandJson": pasted.to_string() } }),
        );
        let done = auditor.done(&draw(), asked).await["sample"].clone();
        let told = seen(auditor, &sample).await;
        let late: Vec<Value> = told["ceremony"]["parties"]
            .as_array()
            .unwrap()
            .iter()
            .map(|party| json!([party["name"], party["silent"], party["late"], party["couldSteer"]]))
            .collect();
        assert_eq!(
            late,
            [
                json!(["Innenrevision", false, false, false]),
                json!(["Datenschutz", false, false, false]),
                json!(["Rechnungsprüfung", true, true, false]),
            ]
        );
        assert_eq!(told["ceremony"]["source"]["recordedBy"], "auditor");
        assert!(
            told["ceremony"]["source"]["text"]
                .as_str()
                .unwrap()
                .contains(SIGNATURE)
        );
        let document = "query($id: ID!) { engagement(id: $id) { trail(first: 100) { edges { node { action detail subjectKind } } } } }";
        let entries =
            nodes(&auditor.data(document, json!({ "id": audit.engagement })).await["engagement"]["trail"]);
        let draws: Vec<&Value> = entries
            .iter()
            .filter(|entry| entry["action"] == "SAMPLE_DRAW")
            .collect();
        assert_eq!(
            draws
                .iter()
                .map(|entry| &entry["subjectKind"])
                .collect::<Vec<_>>(),
            ["Ceremony", "Sample"],
            "the source stands in the log before the draw"
        );
        let detail: Value = serde_json::from_str(draws[1]["detail"].as_str().unwrap()).unwrap();
        assert_eq!(detail["ceremony"]["silent"][0]["party"], "Rechnungsprüfung");
        assert_eq!(detail["ceremony"]["planDigest"], told["ceremony"]["planDigest"]);

        if let Some((binary, file, record)) = repeated(&audit, &sample).await {
            if let Some(said) = oracle(&file, &record) {
                assert_eq!(
                    (&said["late"], &said["silent"]),
                    (&json!(["Rechnungsprüfung"]), &json!([]))
                );
            }
            let why = |change: fn(&mut Value)| reason(&binary, &file, &tampered(&record, change));
            assert_eq!(
                why(|record| record["material"]["source"]["round"] = json!(999)),
                "ROUND_DIFFERS"
            );
            assert_eq!(
                why(|record| record["material"]["source"] = Value::Null),
                "REQUIRED"
            );
            assert_eq!(
                why(|record| record["material"]["commitments"][0]["logged"]["at"] = json!(SOURCE + 1)),
                "LOG_OUT_OF_ORDER"
            );
            // whoever says the late one was in time gets another seed
            let earlier = tampered(&record, |record| {
                let openings = record["material"]["openings"].as_array_mut().unwrap();
                openings[2]["logged"]["at"] = json!(SOURCE - 1);
            });
            let (_, answer) = redraw(&binary, &file, &earlier, &[]);
            assert_eq!(answer["differences"][0]["code"], "SEED_DIFFERS");
        }

        // A Bezirksstelle sees seed and items as before: nothing until its items are announced, and the seed not then either.
        let look = "query($id: ID!) { sample(id: $id) { name } sampleItems { totalCount } }";
        let nothing = json!({ "sample": null, "sampleItems": { "totalCount": 0 } });
        assert_eq!(local.data(look, json!({ "id": sample["id"] })).await, nothing);
        let announce = json!({ "sampleId": sample["id"] });
        auditor
            .done(&change("announceSampleItems", "announced { count }"), announce)
            .await;
        assert_eq!(
            local.data(look, json!({ "id": sample["id"] })).await["sample"]["name"],
            "Ziehung"
        );
        for field in [
            "seed",
            "assurance",
            "ceremony { planDigest }",
            "drawNumber { number }",
        ] {
            let document = format!("query($id: ID!) {{ sample(id: $id) {{ {field} }} }}");
            let codes = local.codes(&document, json!({ "id": sample["id"] })).await;
            assert_eq!(codes[0], "FORBIDDEN", "{field}");
        }
        assert_eq!(own(&dsb).await["sampleState"], "DRAWN");
        assert_eq!(own(&dsb).await["permissions"], json!(["CONTRIBUTION_READ"]));
        let late = with(
            &opening(&own(&dsb).await, ""),
            &json!({ "idempotencyKey": "danach" }),
        );
        assert_eq!(
            dsb.refused(&open(), late).await,
            refusal("SAMPLE_NOT_PLANNED", "input.id")
        );
        assert_eq!(done["seed"], told["seed"]);
        nothing_unexplained(&service).await;
        drop((audit, dsb, rpa, local));
        service
    }
);

/// Signature of round 1 of the chain `default`.
const DEFAULT_1: &str = "8d61d9100567de44682506aea1a7a6fa6e5491cd27a0a0ed349ef6910ac5ac20ff7bc3e09d7c046566c9f7f3c6f3b10104990e7cb424998203d8f7de586fb7fa5f60045417a432684f85093b06ca91c769f0e7ca19268375e659c2a2352b4655";

by_hand!(
    a_source_older_than_the_contributions,
    |service: Service, clock: Arc<Hand>| async move {
        let audit = Audit::small(&service, &LINES).await;
        let dsb = officer(&service);
        let auditor = &audit.auditor;
        let source = json!({ "source": quicknet(1000) });
        let sample = audit
            .planned_once_signed(input(&audit, "NOT_STEERABLE", &source))
            .await;
        commits(auditor, "eins").await;
        clock.set(SOURCE);
        // It can come to nothing: who did not commit cannot any more.
        let part = own(&dsb).await;
        assert_eq!(part["permissions"], json!(["CONTRIBUTION_READ"]));
        assert_eq!(
            dsb.refused(&commit(), committing(&part, "zwei")).await,
            refusal("SOURCE_BEFORE_CONTRIBUTION", "input.id")
        );
        let round = json!({ "drand": { "round": 1000, "signature": SIGNATURE } });
        let asked = drawing(&audit, &sample, &round).await;
        assert_eq!(
            auditor.refused(&draw(), asked).await,
            refusal("COMMITMENT_MISSING", "input.id")
        );
        // Given up, with a reason; it stays among the draws, and nothing more is contributed.
        let abort = json!({ "id": sample["id"], "expectedVersion": sample["version"], "reason": "zu spät festgelegt" });
        auditor
            .done(&change("abortSample", "sample { state }"), abort)
            .await;
        let told = seen(auditor, &sample).await;
        assert_eq!(told["drawNumber"], json!({ "number": 2, "of": 2 }));
        assert_eq!(told["ceremony"]["parties"][0]["silent"], Value::Null);
        let late = with(&committing(&part, "zwei"), &json!({ "idempotencyKey": "danach" }));
        assert_eq!(
            dsb.refused(&commit(), late).await,
            refusal("SAMPLE_NOT_PLANNED", "input.id")
        );
        assert_eq!(own(&dsb).await["sampleState"], "ABORTED");

        // All opened when the round existed already.
        clock.set(BEGIN);
        let again = with(
            &source,
            &json!({ "name": "neu", "idempotencyKey": "neu", "reason": "die erste kam zu spät" }),
        );
        let sample = audit
            .planned_once_signed(input(&audit, "NOT_STEERABLE", &again))
            .await;
        commits(auditor, "eins").await;
        commits(&dsb, "zwei").await;
        clock.set(SOURCE);
        opens(auditor, "eins").await;
        opens(&dsb, "zwei").await;
        let asked = drawing(&audit, &sample, &round).await;
        assert_eq!(
            auditor.refused(&draw(), asked).await,
            refusal("SOURCE_BEFORE_CONTRIBUTION", "input.source")
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
        let dsb = officer(&service);
        let auditor = &audit.auditor;
        let until = json!({ "openUntil": "2023-08-23T16:00:00Z" });
        let sample = audit
            .planned_once_signed(input(&audit, "WITNESSED", &until))
            .await;
        commits(auditor, "eins").await;
        commits(&dsb, "zwei").await;
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
            (&silent["silent"], &silent["late"], &silent["couldSteer"]),
            (&json!(true), &json!(false), &json!(true))
        );
        assert!(
            told["ceremony"]["cannotRuleOut"]
                .to_string()
                .contains("Datenschutz")
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
        drop((audit, dsb));
        service
    }
);

/// The auditor's own context, for what happens while nobody listens.
fn auditing(sources: &Arc<audit::Sources>) -> Ctx {
    let membership: Membership = "INNENREVISION+OWN_STAFF".parse().unwrap();
    let caller = Caller {
        subject: "auditor".to_owned(),
        name: None,
        membership: Some(membership),
        bezirksstelle: None,
        authenticated: true,
        grant: None,
    };
    Ctx::new(caller, sources.new_id(), sources.clone())
}

fn row(kind: NodeKind, id: &Value) -> uuid::Uuid {
    kind.parse(id.as_str().unwrap()).unwrap()
}

by_hand!(
    dice_and_a_restart_in_the_middle,
    |service: Service, clock: Arc<Hand>| async move {
        let audit = Audit::small(&service, &LINES).await;
        let (dsb, auditor) = (officer(&service), &audit.auditor);
        let thrown = json!({ "source": { "dice": { "throws": 20 } }, "openUntil": "2023-08-23T15:30:00Z" });
        let asked = audit.plan_input(
            "Ziehung",
            "MONETARY_UNIT_FIXED_INTERVAL",
            &with(
                &json!({ "size": 3, "assurance": "NOT_STEERABLE", "parties": [auditors(), officers()] }),
                &thrown,
            ),
        );
        let sample = audit.planned_once_signed(asked).await;
        commits(auditor, "eins").await;
        commits(&dsb, "zwei").await;
        opens(auditor, "eins").await;
        // The other one stays silent beyond the time that the plan gives.
        clock.set(SOURCE);
        let next = Audit::of(&service, &audit.engagement, "Nachtrag").await;
        let (engagement, population, other) = (
            audit.engagement.clone(),
            audit.population.clone(),
            next.population.clone(),
        );
        let version = seen(auditor, &sample).await["version"].as_i64().unwrap();
        // The second population is ready but for freezing.
        let mapping = json!({
            "encoding": "UTF_8", "delimiter": "SEMICOLON", "decimals": "GERMAN", "dateFormat": "ISO", "key": ["Beleg"],
            "reference": "Beleg", "bezirksstelle": "Ort", "amount": "Betrag", "singleFund": "KOMMUNE",
        });
        next.import(mapping, b"Beleg;Ort;Betrag\nx;09;1,00\ny;01;2,00\n".to_vec())
            .await;
        next.control_total("fund;bezirksstelle;month;count;sum\nKOMMUNE;09;;1;1,00\nKOMMUNE;01;;1;2,00\n")
            .await;
        let frozen_version = next.seen("version").await["version"].as_i64().unwrap();
        all_placed(&audit).await;
        drop((next, dsb, audit));

        let service = service
            .restarted(async |db, sources| {
                let ctx = auditing(sources);
                // Nobody gives entries their place while the service is down.
                let id = PopulationId(row(NodeKind::Population, &json!(other)));
                audit::population::freeze(&ctx, db, id, i32::try_from(frozen_version).unwrap())
                    .await
                    .unwrap();
                let plan = audit::sample::PlanInput {
                    population_id: id,
                    name: "zu früh".to_owned(),
                    method: entity::sample::Method::SimpleRandom,
                    size: Some(1),
                    confidence: None,
                    tolerable_rate: None,
                    expected_rate: None,
                    tolerable_cents: None,
                    expected_cents: None,
                    checks_per_item: 1,
                    reason: None,
                    ceremony: audit::sample::CeremonyInput {
                        assurance: audit::sampling::ceremony::Assurance::Witnessed,
                        parties: [
                            ("Innenrevision", "auditor", "INNENREVISION"),
                            ("Datenschutz", "dsb", "DATENSCHUTZ"),
                        ]
                        .map(|(name, subject, role)| audit::sample::PartyInput {
                            name: name.to_owned(),
                            subject: subject.to_owned(),
                            role: role.parse().unwrap(),
                        })
                        .into(),
                        source: None,
                        open_until: None,
                    },
                };
                let refused = audit::sample::plan(&ctx, db, "zu früh", plan).await.unwrap_err();
                assert!(format!("{refused:?}").contains("RootNotSigned"), "{refused:?}");
                let draw = audit::sample::Draw {
                    id: SampleId(row(NodeKind::Sample, &sample["id"])),
                    expected_version: i32::try_from(version).unwrap(),
                    seed: None,
                    source: Some(audit::sample::SourceInput::Dice(audit::sample::DiceInput {
                        digits: DICE.to_owned(),
                        begun_at: chrono::DateTime::from_timestamp(SOURCE - 60, 0).unwrap(),
                        thrown_by: "Anna".to_owned(),
                        witnesses: vec!["Bert".to_owned()],
                        recording: "Aufzeichnung 17".to_owned(),
                    })),
                };
                let refused = audit::sample::draw(&ctx, db, draw).await.unwrap_err();
                assert!(format!("{refused:?}").contains("LogPending"), "{refused:?}");
            })
            .await;

        // The source was recorded, and nothing was drawn: the draw goes on with it and with no other.
        let audit = Audit {
            service: &service,
            auditor: service.auditor(),
            head: service.head(),
            engagement,
            population,
        };
        let dsb = officer(&service);
        let auditor = &audit.auditor;
        let told = seen(auditor, &sample).await;
        assert_eq!((&told["state"], &told["seed"]), (&json!("PLANNED"), &Value::Null));
        assert!(
            told["ceremony"]["source"]["text"]
                .as_str()
                .unwrap()
                .contains(DICE)
        );
        let part = own(&dsb).await;
        assert_eq!(part["permissions"], json!(["CONTRIBUTION_READ"]));
        assert_eq!(
            dsb.refused(&open(), opening(&part, "zwei")).await,
            refusal("SOURCE_RECORDED", "input.id")
        );
        let other = dice("99999999999999999999", SOURCE - 60);
        let asked = drawing(&audit, &sample, &other).await;
        assert_eq!(
            auditor.refused(&draw(), asked).await,
            refusal("SOURCE_RECORDED", "input.source.dice")
        );
        let sql = "UPDATE ceremony SET source = NULL";
        assert!(service.db.owner().execute_unprepared(sql).await.is_err());
        let asked = drawing(&audit, &sample, &Value::Null).await;
        auditor.done(&draw(), asked).await;
        let told = seen(auditor, &sample).await;
        assert_eq!(told["ceremony"]["parties"][1]["silent"], true);
        assert_eq!(told["ceremony"]["parties"][1]["couldSteer"], false);
        assert!(told["ceremony"]["cannotRuleOut"].to_string().contains("dice"));
        if let Some((binary, file, record)) = repeated(&audit, &sample).await {
            assert_eq!(record["material"]["source"]["digits"], DICE);
            let why = |change: fn(&mut Value)| reason(&binary, &file, &tampered(&record, change));
            let other =
                |record: &mut Value| record["material"]["source"]["begunAt"] = json!(BEGIN - 1_000_000);
            assert_eq!(why(other), "SOURCE_BEFORE_PLAN");
            let (_, answer) = redraw(
                &binary,
                &file,
                &tampered(&record, |record| {
                    record["material"]["source"]["digits"] = json!("99999999999999999999");
                }),
                &[],
            );
            assert_eq!(answer["differences"][0]["code"], "SEED_DIFFERS");
        }

        // A session is complete, or it is none.
        let fields = with(
            &thrown,
            &json!({ "openUntil": null, "name": "zweite", "idempotencyKey": "zweite" }),
        );
        let second = audit
            .planned_once_signed(input(&audit, "NOT_STEERABLE", &fields))
            .await;
        commits(auditor, "eins").await;
        commits(&dsb, "zwei").await;
        opens(auditor, "eins").await;
        opens(&dsb, "zwei").await;
        clock.set(SOURCE + 600);
        let changed = |fields: Value| json!({ "dice": with(&dice(DICE, SOURCE + 60)["dice"], &fields) });
        for (source, code, path) in [
            (
                changed(json!({ "witnesses": ["Anna"] })),
                "WITNESS_MISSING",
                "witnesses",
            ),
            (
                changed(json!({ "witnesses": [] })),
                "WITNESS_MISSING",
                "witnesses",
            ),
            (changed(json!({ "recording": " " })), "REQUIRED", "recording"),
            (
                changed(json!({ "digits": "0138243811279731665" })),
                "DICE_THROWS_DIFFER",
                "digits",
            ),
            (
                changed(json!({ "digits": "0138243811279731665x" })),
                "INVALID_VALUE",
                "digits",
            ),
            (
                changed(json!({ "begunAt": "2024-01-01T00:00:00Z" })),
                "LOG_OUT_OF_ORDER",
                "begunAt",
            ),
        ] {
            let asked = drawing(&audit, &second, &source).await;
            let path = format!("input.source.dice.{path}");
            assert_eq!(
                auditor.refused(&draw(), asked).await,
                refusal(code, &path),
                "{source}"
            );
        }
        let early = drawing(&audit, &second, &dice(DICE, SOURCE - 3_000)).await;
        assert_eq!(
            auditor.refused(&draw(), early).await,
            refusal("SOURCE_BEFORE_PLAN", "input.source")
        );
        let asked = drawing(&audit, &second, &dice(DICE, SOURCE + 60)).await;
        auditor.done(&draw(), asked).await;
        repeated(&audit, &second).await;
        nothing_unexplained(&service).await;
        drop((audit, dsb));
        service
    }
);
