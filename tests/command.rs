//! The binary as an operator uses it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hasher as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use tests::Backend;
use tests::program::{Program, Serving};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Two tests of one story.
macro_rules! on_both {
    ($name:ident, $story:expr) => {
        mod $name {
            use super::*;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                if let Some(program) = Program::on(Backend::Sqlite).await {
                    $story(program).await;
                }
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                if let Some(program) = Program::on(Backend::Postgres).await {
                    $story(program).await;
                }
            }
        }
    };
}

async fn graphql(serving: &Serving, token: &str, document: &str, variables: Value) -> Value {
    let mut body: Value = reqwest::Client::new()
        .post(format!("{}/graphql", serving.address))
        .bearer_auth(token.trim())
        .json(&json!({ "query": document, "variables": variables }))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(body.get("errors"), None, "{document}");
    body["data"].take()
}

on_both!(a_database_is_brought_up_and_served, async |program: Program| {
    let status = program.run(&["migrate", "status"]).await;
    assert_eq!(status.code, 1, "{status:?}");
    assert!(
        status.out.lines().count() > 0 && status.out.lines().all(|line| line.starts_with("missing\t")),
        "{status:?}"
    );
    let refused = program.run(&["serve"]).await;
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("pruefpfad migrate up"), "{refused:?}");
    let doctor = program.run(&["doctor"]).await;
    assert_eq!(doctor.code, 1);
    assert!(doctor.out.contains("ok      database reachable"), "{doctor:?}");
    assert!(
        doctor.out.contains("FAILED  database schema current"),
        "{doctor:?}"
    );
    assert!(
        doctor.out.contains("(remedy: pruefpfad migrate up)"),
        "{doctor:?}"
    );

    program.succeeds(&["migrate", "up"]).await;
    let status = program.succeeds(&["migrate", "status"]).await;
    assert!(
        status.lines().all(|line| line.starts_with("applied\t")),
        "{status}"
    );
    let doctor = program.succeeds(&["doctor"]).await;
    assert!(
        doctor.lines().all(|line| line.starts_with("ok      ")),
        "{doctor}"
    );

    let serving = program.serve(&["serve"]).await;
    let token = program
        .succeeds(&["token", "--role", "SACHBEARBEITUNG", "--bezirksstelle", "03"])
        .await;
    let viewer = graphql(
        &serving,
        &token,
        "{ viewer { subject membership { text } } }",
        json!({}),
    )
    .await;
    assert_eq!(viewer["viewer"]["membership"]["text"], "SACHBEARBEITUNG:03");
    let address = serving.address.clone();
    program.succeeds(&["healthcheck", "--url", &address]).await;
    let ended = serving.interrupt().await;
    assert_eq!(ended.code, 0, "{ended:?}");
    let gone = program.run(&["healthcheck", "--url", &address]).await;
    assert_eq!(gone.code, 1);
    assert!(gone.err.contains("not reachable"), "{gone:?}");
});

const MAPPING: &str = r#"{ "encoding": "UTF_8", "delimiter": "SEMICOLON", "decimals": "GERMAN", "dateFormat": "ISO",
    "key": ["Beleg"], "bezirksstelle": "Ort", "amount": "Betrag", "period": "Monat",
    "funds": { "bund": "Bund", "kommune": "Kommune" } }"#;
const EXTRACT: &str = "Beleg;Ort;Monat;Bund;Kommune;Betrag\n\
    A1;01;2025-01;100,00;50,00;150,00\n\
    A2;01;2025-01;-20,00;0,00;-20,00\n\
    A3;03;2025-02;0,00;70,50;70,50\n";

async fn engagement(serving: &Serving, token: &str) -> Value {
    let open = "mutation($input: OpenEngagementInput!) { openEngagement(input: $input) {
        engagement { id number } userErrors { code path } } }";
    let input = json!({ "input": {
        "title": "Leistungen", "function": "INNENREVISION", "objective": "Rechtmäßigkeit", "idempotencyKey": "e",
        "legalBasis": "§ 6b (4) SGB II", "periodFrom": "2025-01-01", "periodTo": "2025-12-31",
    } });
    graphql(serving, token, open, input).await["openEngagement"]["engagement"].take()
}

on_both!(
    a_file_is_imported_or_refused_with_its_lines,
    async |program: Program| {
        let serving = program.serve(&["serve", "--migrate"]).await;
        let token = program.succeeds(&["token", "--role", "INNENREVISION"]).await;
        let engagement = engagement(&serving, &token).await;
        let number = engagement["number"].as_str().unwrap();

        program.file("mapping.json", MAPPING);
        program.file("good.csv", EXTRACT);
        program.file(
            "bad.csv",
            &EXTRACT
                .replace("70,50;70,50", "70,50;71,50")
                .replace("-20,00;0,00", "x;0,00"),
        );
        let import = async |name: &str, engagement: &str, file: &str| {
            let population = [
                "import",
                "--engagement",
                engagement,
                "--population",
                name,
                "--unit",
                "PAYMENT",
            ];
            program
                .run(&[&population[..], &["--mapping", "mapping.json", file]].concat())
                .await
        };
        let refused = import("Zahlungen", number, "bad.csv").await;
        assert_eq!(refused.code, 1, "{refused:?}");
        assert!(
            refused.err.contains("Not imported: LINES_REJECTED"),
            "{refused:?}"
        );
        assert!(
            refused.err.contains("line 3") && refused.err.contains("line 4"),
            "{refused:?}"
        );
        let imported = import("Zahlungen", number, "good.csv").await;
        assert_eq!(imported.code, 0, "{imported:?}");
        assert!(
            imported.out.contains("3 lines imported, sum 200.50"),
            "{imported:?}"
        );
        for (engagement, file, said) in [
            ("P-1999-001", "good.csv", "no such engagement"),
            (number, "none.csv", "none.csv"),
        ] {
            let failed = import("Zahlungen", engagement, file).await;
            assert_eq!(failed.code, 1);
            assert!(failed.err.contains(said), "{failed:?}");
        }
        // What the command line imported is there for the service at once.
        let document = "query($id: ID!) { engagement(id: $id) { populations { name itemCount sum } } }";
        let seen = graphql(&serving, &token, document, json!({ "id": engagement["id"] })).await;
        assert_eq!(
            seen["engagement"]["populations"],
            json!([{ "name": "Zahlungen", "itemCount": 3, "sum": "200.50" }])
        );
        assert_eq!(serving.interrupt().await.code, 0);
    }
);

on_both!(
    an_import_that_cannot_start_is_not_opened,
    async |program: Program| {
        let serving = program.serve(&["serve", "--migrate"]).await;
        let token = program.succeeds(&["token", "--role", "INNENREVISION"]).await;
        let engagement = engagement(&serving, &token).await;
        let change = async |mutation: &str, input: Value| {
            graphql(&serving, &token, mutation, json!({ "input": input })).await
        };
        let create = "mutation($input: CreatePopulationInput!) { done: createPopulation(input: $input) {
            population { id } userErrors { code path } } }";
        let input = json!({
            "engagementId": engagement["id"], "name": "Zahlungen", "unit": "PAYMENT", "source": "Fachverfahren",
            "idempotencyKey": "p",
        });
        let population = change(create, input).await["done"]["population"]["id"].take();
        let open = "mutation($input: OpenImportInput!) { done: openImport(input: $input) {
            import { id } userErrors { code path } } }";
        let mapping: Value = serde_json::from_str(MAPPING).unwrap();
        let input = json!({
            "populationId": population, "fileName": "a.csv", "idempotencyKey": "i", "mapping": mapping,
        });
        let first = change(open, input).await["done"]["import"]["id"].take();
        let imports = async || {
            let document = "query($id: ID!) { population(id: $id) { imports { id state linesRead } } }";
            graphql(&serving, &token, document, json!({ "id": population })).await["population"]["imports"]
                .take()
        };

        // A sender in the middle of its file.
        let (begin, rest) = EXTRACT.split_at(EXTRACT.len() / 2);
        let mut sender = TcpStream::connect(serving.address.trim_start_matches("http://"))
            .await
            .unwrap();
        let head = format!(
            "PUT /imports/{} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {}\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{begin}",
            first.as_str().unwrap(),
            token.trim(),
            EXTRACT.len()
        );
        sender.write_all(head.as_bytes()).await.unwrap();
        while imports().await[0]["state"] != "RUNNING" {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }

        program.file("mapping.json", MAPPING);
        program.file("other.csv", &EXTRACT.replace('A', "B"));
        let import = async || {
            let number = engagement["number"].as_str().unwrap();
            let into = [
                "--engagement",
                number,
                "--population",
                "Zahlungen",
                "--unit",
                "PAYMENT",
            ];
            let file = ["--mapping", "mapping.json", "other.csv"];
            program.run(&[&["import"][..], &into, &file].concat()).await
        };
        let refused = import().await;
        assert_eq!(refused.code, 1, "{refused:?}");
        assert!(refused.err.contains("[IMPORT_RUNNING]"), "{refused:?}");
        assert_eq!(
            imports().await,
            json!([{ "id": first, "state": "RUNNING", "linesRead": 0 }]),
            "no import was left behind that waits for a file"
        );

        sender.write_all(rest.as_bytes()).await.unwrap();
        let mut answer = String::new();
        sender.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        let imported = import().await;
        assert_eq!(imported.code, 0, "{imported:?}");
        let states: Vec<_> = imports()
            .await
            .as_array()
            .unwrap()
            .iter()
            .map(|import| import["state"].clone())
            .collect();
        assert_eq!(states, ["COMPLETED", "COMPLETED"]);
        assert_eq!(serving.interrupt().await.code, 0);
    }
);

/// Every file of a folder with the hash of what it holds. In SQLite's shared memory (`-shm`) readers leave their marks.
fn files(folder: &Path) -> BTreeMap<PathBuf, u64> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let mut hash = DefaultHasher::new();
            if !path.display().to_string().ends_with("-shm") {
                hash.write(&std::fs::read(&path).unwrap());
            }
            found.insert(path, hash.finish());
        }
    }
    found
}

/// The same once a service has done what it does after its start: the log begins with a checkpoint.
async fn settled(folder: &Path) -> BTreeMap<PathBuf, u64> {
    let mut found = files(folder);
    for _ in 0..30 {
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        let again = files(folder);
        if again == found {
            return again;
        }
        found = again;
    }
    panic!("the files of {} never rest", folder.display());
}

on_both!(the_doctor_only_looks, async |program: Program| {
    let lines = |doctor: &str, start: &str, end: &str| {
        doctor
            .lines()
            .any(|line| line.starts_with(start) && line.ends_with(end))
    };
    let empty = program.run(&["doctor"]).await;
    assert_eq!(empty.code, 1, "{empty:?}");
    for what in ["keys of access tokens", "key of case numbers"] {
        let start = format!("ok      {what} (made at the first start: ");
        assert!(lines(&empty.out, &start, ")"), "{empty:?}");
    }
    assert!(
        lines(&empty.out, "FAILED  database ", "(remedy: pruefpfad migrate up)"),
        "{empty:?}"
    );
    assert_eq!(files(program.folder()), BTreeMap::new());

    // The same where there is something to change, with a service at work and without.
    program.succeeds(&["migrate", "up"]).await;
    let serving = program.serve(&["serve"]).await;
    let before = settled(program.folder()).await;
    let doctor = program.succeeds(&["doctor"]).await;
    assert!(
        doctor.lines().all(|line| line.starts_with("ok      ")),
        "{doctor}"
    );
    assert!(!doctor.contains("made at the first start"), "{doctor}");
    assert_eq!(files(program.folder()), before);
    assert_eq!(serving.interrupt().await.code, 0);
    let before = files(program.folder());
    program.succeeds(&["doctor"]).await;
    assert_eq!(files(program.folder()), before);
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_schema_is_compared_with_the_kept_one() {
    let Some(program) = Program::on(Backend::Sqlite).await else {
        return;
    };
    let printed = program.succeeds(&["schema", "print"]).await;
    program.file("schema.graphql", &printed);
    program.succeeds(&["schema", "check"]).await;
    program.file(
        "other.graphql",
        &printed.replacen("type Viewer @", "type Watcher @", 1),
    );
    let line = printed
        .lines()
        .position(|line| line.starts_with("type Viewer @"))
        .unwrap()
        + 1;
    let differs = program.run(&["schema", "check", "--file", "other.graphql"]).await;
    assert_eq!(differs.code, 1);
    for part in [
        &format!("other.graphql:{line}"),
        "- type Watcher @",
        "+ type Viewer @",
    ] {
        assert!(differs.err.contains(part), "{part}: {differs:?}");
    }
    let german = program
        .with("PRUEFPFAD_LANG", "de")
        .run(&["schema", "check", "--file", "other.graphql"])
        .await;
    assert!(german.err.contains("Das Schema weicht ab"), "{german:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_configuration_is_told_without_its_secrets() {
    let Some(program) = Program::on(Backend::Sqlite).await else {
        return;
    };
    let key = "5f".repeat(32);
    let program = program
        .with(
            "PRUEFPFAD__DATABASE__URL",
            "postgres://vks:GEHEIM@127.0.0.1:1/vks",
        )
        .with("PRUEFPFAD__SECRETS__CASE_KEY", &key);
    let printed = program
        .succeeds(&["config", "print", "--set", "limits.depth=7"])
        .await;
    assert!(
        printed.contains("depth = 7 #") && printed.contains("url = \"postgres://********@127.0.0.1:1/vks\""),
        "{printed}"
    );
    assert!(
        !printed.contains("GEHEIM") && !printed.contains(&key),
        "{printed}"
    );

    let doctor = program.run(&["doctor"]).await;
    assert_eq!(doctor.code, 1);
    assert!(
        doctor.out.contains("FAILED  database reachable") && doctor.out.contains("(remedy: database.url)"),
        "{doctor:?}"
    );
    assert!(
        !doctor.out.contains("GEHEIM") && !doctor.err.contains("GEHEIM"),
        "{doctor:?}"
    );

    let production = program.with("PRUEFPFAD__MODE", "PRODUCTION");
    for arguments in [
        &["serve"][..],
        &["token", "--role", "VORSTAND"],
        &["config", "print"],
    ] {
        let refused = production.run(arguments).await;
        assert_eq!(refused.code, 1, "{refused:?}");
        assert!(refused.err.contains("auth.development_key"), "{refused:?}");
    }
}

on_both!(
    the_demonstration_takes_a_database_that_is_named_and_nobody_elses,
    async |program: Program| {
        let demo = [
            "demo",
            "--directory",
            "demo",
            "--lines",
            "500",
            "--prepare-only",
            "--database-url",
        ];
        let url = program.database().to_owned();
        let demo = [&demo[..], &[url.as_str()]].concat();
        let tokens = program.succeeds(&demo).await;
        assert!(tokens.contains("DATENSCHUTZ\t"), "{tokens}");
        assert!(!program.folder().join("demo/demo.sqlite").exists());
        program.succeeds(&demo).await;
        let key = program
            .folder()
            .join("demo/development-key.pem")
            .display()
            .to_string();
        let program = program
            .with("PRUEFPFAD__AUTH__DEVELOPMENT_KEY_FILE", &key)
            .with("PRUEFPFAD__SECRETS__CASE_KEY", &"5a".repeat(32));
        let serving = program.serve(&["serve"]).await;
        let token = program
            .succeeds(&["token", "--role", "INNENREVISION", "--subject", "anna"])
            .await;
        engagement(&serving, &token).await;
        serving.interrupt().await;
        let refused = program.run(&demo).await;
        assert_eq!(refused.code, 1, "{refused:?}");
        assert!(
            refused.err.contains("Others work in this database"),
            "{refused:?}"
        );
    }
);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demonstration_is_there_again_and_its_sample_is_written() {
    let Some(program) = Program::on(Backend::Sqlite).await else {
        return;
    };
    let demo = ["demo", "--directory", "demo", "--lines", "2000"];
    let prepared = program.succeeds(&[&demo[..], &["--prepare-only"]].concat()).await;
    let token = |text: &str, role: &str| {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(&format!("{role}\t")))
            .map(str::to_owned);
        line.expect("a line for each role")
    };
    assert_eq!(token(&prepared, "INNENREVISION").split('.').count(), 3);

    let document = "{ engagements(first: 2) { totalCount edges { node { number
        populations { name state itemCount merkleRoot }
        samples(first: 10) { edges { node { id name state items(first: 1) { totals { count } } } } } } } } }";
    let first = program.serve(&demo).await;
    let seen = graphql(&first, &token(&first.out(), "INNENREVISION"), document, json!({})).await;
    assert!(first.out().contains("End with Ctrl-C."));
    assert_eq!(first.interrupt().await.code, 0);
    let second = program.serve(&demo).await;
    // The token of the first start still holds: the key is there again, too.
    let again = graphql(&second, &token(&prepared, "INNENREVISION"), document, json!({})).await;
    assert_eq!(second.interrupt().await.code, 0);
    assert_eq!(seen, again, "the second start finds its data");
    assert_eq!(seen["engagements"]["totalCount"], 1);
    let engagement = &seen["engagements"]["edges"][0]["node"];
    let frozen = engagement["populations"].as_array().unwrap();
    assert!(
        frozen.len() == 2 && frozen.iter().all(|population| population["state"] == "FROZEN"),
        "{engagement}"
    );

    let samples = engagement["samples"]["edges"].as_array().unwrap();
    let drawn = samples
        .iter()
        .map(|edge| &edge["node"])
        .find(|sample| sample["state"] == "DRAWN")
        .unwrap();
    let (id, count) = (
        drawn["id"].as_str().unwrap(),
        drawn["items"]["totals"]["count"].as_u64().unwrap(),
    );
    let url = format!("sqlite://{}", program.folder().join("demo/demo.sqlite").display());
    let export = ["--database-url", &url, "export", "sample-items", "--sample", id];
    let ended = program
        .run(&[&export[..], &["--output", "items.csv"]].concat())
        .await;
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.err.contains(&format!("{count} items")), "{ended:?}");
    let file = std::fs::read_to_string(program.folder().join("items.csv")).unwrap();
    assert!(file.starts_with("\u{feff}Position;Reference;"), "{file}");
    assert_eq!(file.lines().count() as u64, count + 1);
    assert_eq!(
        program.succeeds(&export).await,
        file,
        "standard output without a file"
    );
    let wrong = program
        .run(&[
            "--database-url",
            &url,
            "export",
            "sample-items",
            "--sample",
            "nothing",
        ])
        .await;
    assert_eq!(wrong.code, 1);
    assert!(wrong.err.contains("--sample nothing"), "{wrong:?}");
}
