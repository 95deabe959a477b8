//! A full disk, for real: a database on a mount that is too small for what comes, and larger later.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fmt::Write as _;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use audit::Db;
use entity::population_item;
use sea_orm::{ConnectionTrait as _, EntityTrait as _, PaginatorTrait as _};
use serde_json::{Value, json};
use tests::program::{Program, Serving};
use tests::{Backend, missing};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

const LINES: u32 = 40_000;
/// How long the service may take to notice that there is room again.
const PATIENCE: Duration = Duration::from_secs(20);

/// Mounting takes root, or a container that grants it.
async fn may_mount() -> bool {
    let tried = Command::new("unshare")
        .args(["--mount", "sh", "-c", "mount -t tmpfs -o size=64k small /mnt"])
        .stderr(Stdio::null())
        .status()
        .await;
    let may = tried.is_ok_and(|status| status.success());
    if !may {
        println!("skipped: a small disk cannot be mounted here (root may)");
    }
    may
}

/// More room on the disk that the process with this id sees at this place.
async fn make_room(pid: u32, disk: &Path) {
    let grown = Command::new("nsenter")
        .args(["--mount", "--target", &pid.to_string()])
        .args(["mount", "-o", "remount,size=1g"])
        .arg(disk)
        .status()
        .await
        .unwrap();
    assert!(grown.success());
}

fn extract() -> String {
    let mut text = "Beleg;Fall;Ort;Betrag\n".to_owned();
    for line in 1..=LINES {
        writeln!(text, "Z{line};BG{};0{};{line},00", line / 20, line % 9 + 1).unwrap();
    }
    text
}

/// An auditor of a running service.
struct Auditor<'a> {
    serving: &'a Serving,
    token: String,
}

impl Auditor<'_> {
    fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        reqwest::Client::new()
            .request(method, format!("{}{path}", self.serving.address))
            .bearer_auth(self.token.trim())
            .header("Accept-Language", "en")
    }

    async fn graphql(&self, document: &str, variables: Value) -> Value {
        let body = json!({ "query": document, "variables": variables });
        let answer = self.request(reqwest::Method::POST, "/graphql").json(&body).send();
        let mut body: Value = answer.await.unwrap().json().await.unwrap();
        assert_eq!(body.get("errors"), None, "{document}");
        body["data"].take()
    }

    /// The id of what a mutation makes; the code of its first user error, where it makes nothing.
    async fn makes(&self, mutation: &str, input: &str, what: &str, values: Value) -> Result<Value, String> {
        let document = format!(
            "mutation($input: {input}!) {{ done: {mutation}(input: $input) {{ {what} {{ id }} userErrors {{ code }} }} }}"
        );
        let done = self.graphql(&document, json!({ "input": values })).await["done"].take();
        match done["userErrors"][0]["code"].as_str() {
            Some(code) => Err(code.to_owned()),
            None => Ok(done[what]["id"].clone()),
        }
    }

    async fn population(&self) -> Value {
        let engagement = json!({
            "title": "Leistungen", "function": "INNENREVISION", "objective": "Rechtmäßigkeit", "idempotencyKey": "e",
            "legalBasis": "§ 6b (4) SGB II", "periodFrom": "2025-01-01", "periodTo": "2025-12-31",
        });
        let engagement = self
            .makes("openEngagement", "OpenEngagementInput", "engagement", engagement)
            .await
            .unwrap();
        let population = json!({
            "engagementId": engagement, "name": "Zahlungen", "unit": "PAYMENT", "source": "Fachverfahren",
            "idempotencyKey": "p",
        });
        self.makes(
            "createPopulation",
            "CreatePopulationInput",
            "population",
            population,
        )
        .await
        .unwrap()
    }

    /// Opens an import.
    async fn open(&self, population: &Value, key: &str) -> Result<Value, String> {
        let import = json!({
            "populationId": population, "fileName": "zahlungen.csv", "idempotencyKey": key,
            "mapping": {
                "encoding": "UTF_8", "delimiter": "SEMICOLON", "decimals": "GERMAN", "dateFormat": "ISO", "key": ["Beleg"],
                "reference": "Beleg", "caseNumber": "Fall", "bezirksstelle": "Ort", "amount": "Betrag",
                "singleFund": "BUND",
            },
        });
        self.makes("openImport", "OpenImportInput", "import", import)
            .await
    }

    /// Sends an import its file.
    async fn send(&self, import: &Value) -> (u16, Value) {
        let path = format!("/imports/{}", import.as_str().unwrap());
        let answer = self.request(reqwest::Method::PUT, &path).body(extract()).send();
        let answer = answer.await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    async fn seen(&self, population: &Value) -> Value {
        let document = "query($id: ID!) { population(id: $id) { itemCount sum imports { state failure } } }";
        self.graphql(document, json!({ "id": population })).await["population"].take()
    }
}

const MESSAGE: &str = "Storage is full; nothing was saved. Tell the administration.";

/// The story on either database: an import meets the end of the disk, somebody makes room, and it is repeated.
async fn the_disk_is_full_and_then_is_not(auditor: &Auditor<'_>, make_room: impl Future<Output = ()>) {
    let population = auditor.population().await;
    let import = auditor.open(&population, "first").await.unwrap();
    let (status, told) = auditor.send(&import).await;
    assert_eq!(status, 422, "{told}");
    assert_eq!(
        (&told["state"], &told["failure"], &told["failureMessage"]),
        (&json!("FAILED"), &json!("STORAGE_FULL"), &json!(MESSAGE))
    );

    // The service lives on, nothing counts, and whoever tries again is told the same, wherever the room ends this time.
    let ready = auditor
        .request(reqwest::Method::GET, "/health/ready")
        .send()
        .await;
    assert_eq!(ready.unwrap().status(), 200);
    let seen = auditor.seen(&population).await;
    assert_eq!((&seen["itemCount"], &seen["sum"]), (&json!(0), &json!("0.00")));
    let again = match auditor.open(&population, "second").await {
        Err(code) => json!(code),
        Ok(import) => {
            let (status, told) = auditor.send(&import).await;
            assert_eq!(status, 422, "{told}");
            match &told["userErrors"][0]["code"] {
                Value::Null => told["failure"].clone(),
                code => code.clone(),
            }
        }
    };
    assert_eq!(again, "STORAGE_FULL");

    // With room, the import says soon what it came to.
    make_room.await;
    let begun = Instant::now();
    loop {
        let seen = auditor.seen(&population).await;
        let first = &seen["imports"][0];
        if first["state"] == "FAILED" {
            assert_eq!(first["failure"], "STORAGE_FULL");
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "{seen}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let import = auditor.open(&population, "third").await.unwrap();
    let (status, told) = auditor.send(&import).await;
    assert_eq!(status, 200, "{told}");
    let seen = auditor.seen(&population).await;
    let sum = u64::from(LINES) * u64::from(LINES + 1) / 2;
    assert_eq!(
        (&seen["itemCount"], &seen["sum"]),
        (&json!(LINES), &json!(format!("{sum}.00")))
    );
}

/// Rows in the table of items, of whatever import.
async fn rows(url: &str) -> u64 {
    let db = Db::connect(url, 2).await.unwrap();
    population_item::Entity::find().count(db.reader()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_survives_a_full_disk_on_sqlite() {
    let Some(program) = Program::on(Backend::Sqlite).await else {
        return;
    };
    if !may_mount().await {
        return;
    }
    let program = program.on_small_disk("8m");
    let serving = program.serve(&["serve", "--migrate"]).await;
    let token = program.succeeds(&["token", "--role", "INNENREVISION"]).await;
    let auditor = Auditor {
        serving: &serving,
        token,
    };
    let disk = program.folder().join("small");
    the_disk_is_full_and_then_is_not(&auditor, make_room(serving.pid(), &disk)).await;
    let copy = program.folder().join("copy.sqlite");
    for part in ["", "-wal"] {
        let seen_by_it = format!("/proc/{}/root{}/test.sqlite{part}", serving.pid(), disk.display());
        std::fs::copy(seen_by_it, format!("{}{part}", copy.display())).unwrap();
    }
    assert_eq!(
        rows(&format!("sqlite://{}", copy.display())).await,
        u64::from(LINES)
    );
    assert_eq!(serving.interrupt().await.code, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_that_finds_no_room_for_its_record_is_refused() {
    let Some(program) = Program::on(Backend::Sqlite).await else {
        return;
    };
    if !may_mount().await {
        return;
    }
    let program = program.on_small_disk("8m");
    let serving = program.serve(&["serve", "--migrate"]).await;
    let token = program.succeeds(&["token", "--role", "INNENREVISION"]).await;
    let auditor = Auditor {
        serving: &serving,
        token,
    };
    let disk = program.folder().join("small");
    let within = async |script: &str| {
        Command::new("nsenter")
            .args([
                "--mount",
                "--target",
                &serving.pid().to_string(),
                "sh",
                "-c",
                script,
            ])
            .arg(&disk)
            .stderr(Stdio::null())
            .status()
            .await
            .unwrap()
    };
    // That nothing is found is an answer, too, and leaves a record.
    let search = json!({ "query": "{ sampleItems(filter: { reference: \"x\" }) { totalCount } }" });
    let asked = async || -> Value {
        let answer = auditor.request(reqwest::Method::POST, "/graphql").json(&search);
        answer.send().await.unwrap().json().await.unwrap()
    };
    let mut answered = 0_u64;
    let found = json!({ "data": { "sampleItems": { "totalCount": 0 } } });
    assert_eq!(asked().await, found);
    answered += 1;
    assert!(!within("cat /dev/zero > \"$0/fill\"").await.success());
    let begun = Instant::now();
    let refused = loop {
        assert!(begun.elapsed() < PATIENCE);
        let answer = asked().await;
        if answer != found {
            break answer;
        }
        answered += 1;
    };
    assert_eq!(refused["data"], Value::Null);
    assert_eq!(
        refused["errors"][0]["extensions"]["code"],
        "READ_RECORD_UNAVAILABLE"
    );
    // Nothing has to be restarted.
    assert!(within("rm \"$0/fill\"").await.success());
    assert_eq!(asked().await, found);
    answered += 1;
    let copy = program.folder().join("copy.sqlite");
    for part in ["", "-wal"] {
        let seen_by_it = format!(
            "/proc/{}/root{}/test-reads.sqlite{part}",
            serving.pid(),
            disk.display()
        );
        std::fs::copy(
            seen_by_it,
            format!("{}/copy-reads.sqlite{part}", program.folder().display()),
        )
        .unwrap();
    }
    let db = Db::connect(&format!("sqlite://{}", copy.display()), 2)
        .await
        .unwrap();
    let kept = entity::read_record::Entity::find()
        .count(db.reads())
        .await
        .unwrap();
    assert_eq!(kept, answered);
    assert_eq!(serving.interrupt().await.code, 0);
}

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/disk/postgres");
/// How it ends where PostgreSQL is not installed.
const NOT_INSTALLED: i32 = 77;

/// What starts a cluster with a small disk beside it.
fn cluster(folder: &Path, size: &str) -> Command {
    let mut cluster = Command::new("unshare");
    cluster.arg("--mount").arg(SCRIPT).arg(folder).arg(size);
    cluster
}

/// Starts a cluster and answers its URL; none where PostgreSQL is not installed. One that does not start is an error.
async fn started(mut cluster: Command) -> Result<Option<(Child, String)>, ExitStatus> {
    let mut cluster = cluster
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut url = String::new();
    BufReader::new(cluster.stdout.take().unwrap())
        .read_line(&mut url)
        .await
        .unwrap();
    if !url.is_empty() {
        return Ok(Some((cluster, url.trim().to_owned())));
    }
    let ended = cluster.wait().await.unwrap();
    if ended.code() == Some(NOT_INSTALLED) {
        return Ok(None);
    }
    Err(ended)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_missing_postgres_is_passed_over() {
    for (code, passed_over) in [(0, false), (1, false), (32, false), (NOT_INSTALLED, true)] {
        let mut ends = Command::new("sh");
        ends.arg("-c").arg(format!("exit {code}"));
        assert_eq!(matches!(started(ends).await, Ok(None)), passed_over, "{code}");
    }
    if !may_mount().await {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    if started(cluster(folder.path(), "no size"))
        .await
        .is_ok_and(|started| started.is_some())
    {
        panic!("there is no such disk");
    }
    // The script where no PostgreSQL is to be found.
    let hidden = "for place in /usr/lib/postgresql /usr/pgsql-*; do
            [ ! -d \"$place\" ] || mount -t tmpfs -o size=64k hidden \"$place\"
        done
        ! command -v initdb >/dev/null || exit 77
        exec \"$0\" \"$@\"";
    let mut nowhere = Command::new("unshare");
    nowhere
        .args(["--mount", "sh", "-c", hidden, SCRIPT])
        .arg(folder.path())
        .arg("16m");
    assert!(started(nowhere).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_survives_a_full_disk_on_postgres() {
    let Some(program) = Program::on(Backend::Sqlite).await else {
        return;
    };
    if !may_mount().await {
        return;
    }
    let Some((mut cluster, url)) = started(cluster(program.folder(), "16m")).await.unwrap() else {
        missing("the programs of PostgreSQL");
        return;
    };
    let disk = program.folder().join("small");
    let owner = Db::connect(&url, 2).await.unwrap();
    for statement in [
        format!("CREATE TABLESPACE small LOCATION '{}'", disk.display()),
        "CREATE DATABASE small TABLESPACE small".to_owned(),
    ] {
        owner.owner().execute_unprepared(&statement).await.unwrap();
    }
    let (server, _) = url.rsplit_once('/').unwrap();
    let url = format!("{server}/small");
    let program = program.with("PRUEFPFAD__DATABASE__URL", &url);
    let serving = program.serve(&["serve", "--migrate"]).await;
    let token = program.succeeds(&["token", "--role", "INNENREVISION"]).await;
    let auditor = Auditor {
        serving: &serving,
        token,
    };
    the_disk_is_full_and_then_is_not(&auditor, make_room(cluster.id().unwrap(), &disk)).await;
    assert_eq!(rows(&url).await, u64::from(LINES));
    assert_eq!(serving.interrupt().await.code, 0);
    drop(cluster.stdin.take());
    assert!(cluster.wait().await.unwrap().success());
}
