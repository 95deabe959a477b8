//! Populations from the first byte of a file to freezing, on both databases.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[expect(unreachable_pub, reason = "shared by several tests")]
mod support;

use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use audit::demo::{Demo, Extract, Size, mapping_payments};
use audit::engagement::{self, Open};
use audit::page::PageArgs;
use audit::population::import::Mapping;
use audit::population::{
    self, CellInput, ControlTotalInput, Create, IntakeLimits, OpenImport, cells_from_csv, run_import,
};
use audit::{Clock, Code, Ctx, Error, OsRandom, Sources, Vault};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use entity::population::Unit;
use entity::population_import::{self, State};
use entity::{Cents, Fund, PopulationId, control_total, population_item};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter};
use support::House;

const LIMITS: IntakeLimits = IntakeLimits {
    record_bytes: 1 << 20,
    file_bytes: 1 << 30,
    rejections_kept: 1_000,
};
const ALL: PageArgs = PageArgs {
    after: None,
    before: None,
    limit: 200,
    backward: false,
};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

async fn population(house: &House, ctx: &Ctx) -> PopulationId {
    population_of(house, ctx, Unit::Payment).await
}

async fn population_of(house: &House, ctx: &Ctx, unit: Unit) -> PopulationId {
    let open = Open {
        title: "Auszahlungen".to_owned(),
        function: entity::engagement::Function::Innenrevision,
        objective: "Rechtmäßigkeit".to_owned(),
        legal_basis: "§ 6b (4) SGB II".to_owned(),
        period_from: day("2025-01-01"),
        period_to: day("2025-12-31"),
    };
    let key = ctx.new_id().to_string();
    let engagement = engagement::open(ctx, &house.db, &key, open).await.unwrap();
    let create = Create {
        engagement_id: engagement.id,
        name: "Auszahlungen 2025".to_owned(),
        unit,
        source: "Fachverfahren".to_owned(),
    };
    population::create(ctx, &house.db, &key.replace('-', ""), create)
        .await
        .unwrap()
        .id
}

fn small_mapping() -> Mapping {
    serde_json::from_str(
        r#"{"encoding":"UTF_8","delimiter":"SEMICOLON","decimals":"GERMAN","dateFormat":"ISO",
            "key":["Beleg"],"caseNumber":"Fall","bezirksstelle":"Stelle","amount":"Betrag","singleFund":"BUND"}"#,
    )
    .unwrap()
}

async fn import(
    house: &House,
    ctx: &Ctx,
    population: PopulationId,
    mapping: Mapping,
    input: impl Read + Send + 'static,
) -> Result<population_import::Model, Error> {
    let open = OpenImport {
        population_id: population,
        file_name: "auszug.csv".to_owned(),
        bytes_expected: None,
        mapping,
    };
    let row = population::open_import(ctx, &house.db, &ctx.new_id().to_string(), open).await?;
    run_import(ctx.clone(), house.db.clone(), row.id, input, LIMITS).await
}

async fn items(house: &House) -> u64 {
    population_item::Entity::find()
        .count(house.db.reader())
        .await
        .unwrap()
}

async fn cases(house: &House) -> u64 {
    entity::case_number::Entity::find()
        .count(house.db.reader())
        .await
        .unwrap()
}

fn code(error: Error) -> Code {
    match error {
        Error::Refused(refusals) => refusals[0].code,
        other => panic!("{other}"),
    }
}

on_both!(from_the_file_to_the_frozen_population, async |house: House| {
    let anna = house.person("anna", "INNENREVISION").await;
    let head = house.person("leitung", "INNENREVISION_LEITUNG").await;
    let id = population(&house, &anna).await;
    let demo = Demo::new(
        [1; 32],
        Size {
            bedarfsgemeinschaften: 80,
        },
    );
    let (mut file, mut totals) = (Vec::new(), Vec::new());
    let lines = demo.write_payments(&mut file).unwrap();
    demo.write_control_totals(Extract::Payments, &mut totals).unwrap();

    let row = import(
        &house,
        &anna,
        id,
        mapping_payments(),
        std::io::Cursor::new(file.clone()),
    )
    .await
    .unwrap();
    assert_eq!(
        (row.state, row.lines_read),
        (State::Completed, i64::try_from(lines).unwrap()),
        "{:?}",
        row.failure
    );
    assert_eq!(items(&house).await, lines);
    let again = import(&house, &anna, id, mapping_payments(), std::io::Cursor::new(file))
        .await
        .unwrap();
    assert_eq!(
        (again.state, again.failure.as_deref()),
        (State::Rejected, Some("FILE_ALREADY_IMPORTED"))
    );
    assert_eq!(items(&house).await, lines, "nothing of the second import stays");

    let stored = population::find_many(&anna, &house.db, &[id])
        .await
        .unwrap()
        .remove(0);
    assert_eq!(
        code(
            population::freeze(&anna, &house.db, id, stored.version)
                .await
                .unwrap_err()
        ),
        Code::ControlTotalMissing
    );
    let total = ControlTotalInput {
        population_id: id,
        source: control_total::Source::HkrStatement,
        document_reference: "HKR-Auszug 12/2025".to_owned(),
        cells: cells_from_csv(std::str::from_utf8(&totals).unwrap()).unwrap(),
    };
    let refused = population::enter_control_total(&anna, &house.db, "t1", total.clone())
        .await
        .unwrap_err();
    assert_eq!(code(refused), Code::ControlTotalSamePerson);
    let entered = population::enter_control_total(&head, &house.db, "t1", total.clone())
        .await
        .unwrap();
    assert_eq!(
        population::enter_control_total(&head, &house.db, "t1", total)
            .await
            .unwrap(),
        entered,
        "repeated"
    );

    let found = population::differences(&head, &house.db, id, &ALL)
        .await
        .unwrap()
        .rows;
    assert_eq!(found.len(), 1, "the demonstration has one difference");
    assert_eq!(
        code(
            population::freeze(&anna, &house.db, id, stored.version)
                .await
                .unwrap_err()
        ),
        Code::DifferencesOpen
    );
    let difference = &found[0];
    let explained = population::explain_difference(&head, &house.db, difference.id, 1, "Barauszahlung")
        .await
        .unwrap();
    let own = population::approve_difference(&head, &house.db, difference.id, explained.version)
        .await
        .unwrap_err();
    assert_eq!(code(own), Code::ApproverIsAuthor);
    let quality = house.person("quality", "QUALITAETSSICHERUNG").await;
    let stale = population::approve_difference(&quality, &house.db, difference.id, 1)
        .await
        .unwrap_err();
    assert_eq!(code(stale), Code::StaleVersion);
    population::approve_difference(&quality, &house.db, difference.id, explained.version)
        .await
        .unwrap();

    let frozen = population::freeze(&anna, &house.db, id, stored.version)
        .await
        .unwrap();
    assert_eq!(frozen.merkle_root.as_ref().map(Vec::len), Some(32));
    assert_eq!(frozen.item_count, i64::try_from(lines).unwrap());
    assert_eq!(
        oracle_root(&house).await,
        hex::encode(frozen.merkle_root.unwrap()),
        "the root of an outsider"
    );
    let late = import(
        &house,
        &anna,
        id,
        mapping_payments(),
        std::io::Cursor::new(Vec::new()),
    )
    .await
    .unwrap_err();
    assert_eq!(code(late), Code::PopulationFrozen);
    for sql in [
        "UPDATE population SET name = 'x'",
        "DELETE FROM population_item",
        "UPDATE population_item SET amount_cents = 1",
        "INSERT INTO population_item SELECT * FROM population_item LIMIT 1",
        "UPDATE trail_entry SET actor = 'x'",
        "DELETE FROM trail_entry",
        "DELETE FROM draw_event",
    ] {
        assert!(
            house.db.owner().execute_unprepared(sql).await.is_err(),
            "the database lets through: {sql}"
        );
    }
});

/// The root as a program computes it that knows the documentation only.
async fn oracle_root(house: &House) -> String {
    let rows = population_item::Entity::find()
        .all(house.db.reader())
        .await
        .unwrap();
    let lines: Vec<String> = rows
        .iter()
        .map(|row| {
            let attributes: std::collections::BTreeMap<String, String> =
                serde_json::from_str(&row.attributes).unwrap();
            let funds = row.funds();
            serde_json::json!({
                "salt": hex::encode(&row.salt),
                "id": row.id.to_string(),
                "itemKey": hex::encode(&row.item_key),
                "caseKey": row.case_key.as_ref().map(hex::encode),
                "bezirksstelleId": row.bezirksstelle_id.to_string(),
                "amount": row.amount_cents.0,
                "funds": [funds.bund.0, funds.kommune.0, funds.land.0, funds.eu.0],
                "product": row.product,
                "period": row.period.map(|day| day.to_string()),
                "decisionDate": row.decision_date.map(|day| day.to_string()),
                "kind": row.kind,
                "ownStaff": row.own_staff,
                "attributes": attributes.into_iter().collect::<Vec<_>>(),
                "reference": row.reference,
            })
            .to_string()
        })
        .collect();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/oracles/merkle.py");
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let mut child = Command::new(python)
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(lines.join("\n").as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

on_both!(a_bad_file_leaves_nothing_behind, async |house: House| {
    let anna = house.person("anna", "INNENREVISION").await;
    let id = population(&house, &anna).await;
    let head = "Beleg;Fall;Stelle;Betrag\n";
    let long = format!("{head}1;\"{}", "x".repeat(2 << 20));
    for (text, state, failure, first) in [
        ("", State::Rejected, "FILE_EMPTY", None),
        (head, State::Rejected, "HEADER_ONLY", None),
        (
            "Beleg;Fall;Stelle\n1;a;03\n",
            State::Rejected,
            "HEADER_REFUSED",
            None,
        ),
        (
            "Beleg;Fall;Stelle;Betrag;Name\n1;a;03;1,00;Meier\n",
            State::Rejected,
            "HEADER_REFUSED",
            None,
        ),
        (
            "Beleg;Beleg;Fall;Stelle;Betrag\n1;1;a;03;1,00\n",
            State::Rejected,
            "HEADER_REFUSED",
            None,
        ),
        (
            "Beleg;Fall;Stelle;Betrag\n1;a;99;1,00\n",
            State::Rejected,
            "LINES_REJECTED",
            Some((2, "UNKNOWN_BEZIRKSSTELLE", None)),
        ),
        (
            "Beleg;Fall;Stelle;Betrag\n1;a;03;1,00\n2;a;03;eins\n",
            State::Rejected,
            "LINES_REJECTED",
            Some((3, "NOT_A_NUMBER", None)),
        ),
        (
            "Beleg;Fall;Stelle;Betrag\n1;a;03;1,005\n",
            State::Rejected,
            "LINES_REJECTED",
            Some((2, "TOO_MANY_DECIMALS", None)),
        ),
        (
            "Beleg;Fall;Stelle;Betrag\n1;a;03;99999999999999999999,00\n",
            State::Rejected,
            "LINES_REJECTED",
            Some((2, "AMOUNT_OVERFLOW", None)),
        ),
        (
            "Beleg;Fall;Stelle;Betrag\n1;a;03;1,00\n2;b;03;1,00\n1;c;03;2,00\n",
            State::Rejected,
            "LINES_REJECTED",
            Some((4, "DUPLICATE_KEY", Some(2))),
        ),
        (
            long.as_str(),
            State::Rejected,
            "RECORD_TOO_LONG",
            Some((2, "RECORD_TOO_LONG", None)),
        ),
    ] {
        let input = std::io::Cursor::new(text.as_bytes().to_vec());
        let row = import(&house, &anna, id, small_mapping(), input).await.unwrap();
        assert_eq!(
            (row.state, row.failure.as_deref()),
            (state, Some(failure)),
            "{text:.60}"
        );
        let list = population::rejections(&anna, &house.db, row.id, None, 10)
            .await
            .unwrap();
        let found = list
            .first()
            .map(|found| (found.line, found.code.as_str(), found.other_line));
        assert_eq!(found, first, "{text:.60}");
        assert_eq!(items(&house).await, 0, "{text:.60}");
    }
    let wrong = b"Beleg;Fall;Stelle;Betrag\n1;M\xfcller;03;1,00\n".to_vec();
    let row = import(&house, &anna, id, small_mapping(), std::io::Cursor::new(wrong))
        .await
        .unwrap();
    assert_eq!(
        (row.state, row.failure.as_deref()),
        (State::Rejected, Some("WRONG_ENCODING"))
    );
    assert_eq!(cases(&house).await, 0);
});

fn register(population: PopulationId, csv: &str) -> ControlTotalInput {
    ControlTotalInput {
        population_id: population,
        source: control_total::Source::DecisionRegister,
        document_reference: "Register 2025".to_owned(),
        cells: cells_from_csv(&format!("fund;bezirksstelle;month;count;sum\n{csv}")).unwrap(),
    }
}

on_both!(refusals_are_reconciled_too, async |house: House| {
    let anna = house.person("anna", "INNENREVISION").await;
    let head = house.person("leitung", "INNENREVISION_LEITUNG").await;
    let quality = house.person("quality", "QUALITAETSSICHERUNG").await;
    for unit in [Unit::Decision, Unit::Procedure, Unit::Payment, Unit::CaseMonth] {
        let id = population_of(&house, &anna, unit).await;
        // The register knows a second refusal in Dorsten, which the extract does not have.
        let file = "Beleg;Fall;Stelle;Betrag\n1;a;03;100,00\n2;b;03;0,00\n3;c;04;0,00\n";
        import(&house, &anna, id, small_mapping(), std::io::Cursor::new(file))
            .await
            .unwrap();
        let version = population::find_many(&anna, &house.db, &[id]).await.unwrap()[0].version;
        let freeze = async || population::freeze(&anna, &house.db, id, version).await;

        let key = |name: &str| format!("{} {name}", unit.as_str());
        let by_fund = register(id, "BUND;03;;1;100,00\n");
        population::enter_control_total(&head, &house.db, &key("by fund"), by_fund)
            .await
            .unwrap();
        let found = population::differences(&anna, &house.db, id, &ALL).await.unwrap();
        assert_eq!(found.rows, [], "by fund nothing is missing");
        let shown = population::population_cells(&anna, &house.db, id).await.unwrap();
        let all_lines: Vec<_> = shown
            .iter()
            .filter(|shown| shown.cell.fund.is_none())
            .map(|shown| (shown.expected, shown.actual.count, shown.actual.sum))
            .collect();
        assert_eq!(all_lines, [(None, 2, 10_000), (None, 1, 0)]);
        if matches!(unit, Unit::Payment | Unit::CaseMonth) {
            freeze().await.unwrap();
            continue;
        }
        assert_eq!(
            code(freeze().await.unwrap_err()),
            Code::ControlTotalWithoutAllLines
        );

        let all_lines = register(id, "BUND;03;;1;100,00\nALL;03;;3;100,00\nALL;04;;1;0,00\n");
        let doubled = ControlTotalInput {
            cells: [&all_lines.cells[..], &all_lines.cells[1..2]].concat(),
            ..all_lines.clone()
        };
        let refused = population::enter_control_total(&head, &house.db, &key("doubled"), doubled)
            .await
            .unwrap_err();
        let Error::Refused(refusals) = refused else {
            panic!("{refused}")
        };
        assert_eq!(
            (
                refusals[0].code,
                refusals[0].path.as_str(),
                refusals[0].detail.as_str()
            ),
            (Code::ControlCellDoubled, "input.cells.3.fund", "ALL 03 ")
        );
        population::enter_control_total(&head, &house.db, &key("all lines"), all_lines)
            .await
            .unwrap();
        let found = population::differences(&anna, &house.db, id, &ALL)
            .await
            .unwrap()
            .rows;
        let missing: Vec<_> = found
            .iter()
            .map(|found| {
                (
                    found.fund,
                    found.expected_count,
                    found.actual_count,
                    found.expected_cents,
                    found.actual_cents,
                )
            })
            .collect();
        assert_eq!(missing, [(None, 3, 2, Cents(10_000), Cents(10_000))]);
        assert_eq!(code(freeze().await.unwrap_err()), Code::DifferencesOpen);
        let why = "Ablehnung eines Antrags, der im Fachverfahren nicht erfasst ist";
        let explained = population::explain_difference(&head, &house.db, found[0].id, 1, why)
            .await
            .unwrap();
        population::approve_difference(&quality, &house.db, found[0].id, explained.version)
            .await
            .unwrap();
        freeze().await.unwrap();
    }
    let told = entity::trail_entry::Entity::find()
        .filter(entity::trail_entry::Column::SubjectKind.eq("ControlTotal"))
        .all(house.db.reader())
        .await
        .unwrap();
    let spoke = told
        .iter()
        .filter(|entry| entry.detail.contains("\"allLines\":true"))
        .count();
    let superseded = told.iter().filter(|entry| entry.detail.contains("supersededBy"));
    assert_eq!((told.len() - superseded.count(), spoke), (6, 2));
});

on_both!(
    lines_are_counted_while_others_may_write,
    async |mut house: House| {
        let anna = house.person("anna", "INNENREVISION").await;
        let head = house.person("leitung", "INNENREVISION_LEITUNG").await;
        let id = population(&house, &anna).await;
        let file = "Beleg;Fall;Stelle;Betrag\n1;a;03;1,00\n";
        import(&house, &anna, id, small_mapping(), std::io::Cursor::new(file))
            .await
            .unwrap();

        // Somebody else's extract is taken right after the lines were counted. On SQLite there is one writer: were they
        // counted within the write transaction, this could not come in between.
        let other = house.db.clone();
        let came = Arc::new(AtomicU64::new(0));
        let (coming, runtime) = (came.clone(), tokio::runtime::Handle::current());
        house.db.on_statement(move |sql| {
            if !sql.contains("GROUP BY bezirksstelle_id, period") || coming.fetch_add(1, Ordering::SeqCst) > 0
            {
                return;
            }
            let (other, runtime) = (other.clone(), runtime.clone());
            let sql = "UPDATE population SET version = version + 1";
            std::thread::spawn(move || runtime.block_on(other.owner().execute_unprepared(sql)).unwrap())
                .join()
                .unwrap();
        });
        let total = register(id, "BUND;03;;1;1,00\n");
        let refused = population::enter_control_total(&head, &house.db, "k", total.clone())
            .await
            .unwrap_err();
        let Error::Refused(refusals) = refused else {
            panic!("{refused}")
        };
        assert_eq!(
            (
                refusals[0].code,
                refusals[0].path.as_str(),
                refusals[0].detail.as_str()
            ),
            (Code::StaleVersion, "input.populationId", "3")
        );
        let kept = population::control_totals(&head, &house.db, id).await.unwrap();
        assert_eq!(kept, []);

        // The same key again: nothing was remembered, and nothing comes in between now.
        let entered = population::enter_control_total(&head, &house.db, "k", total.clone())
            .await
            .unwrap();
        assert_eq!(entered.population_version, 3);
        assert_eq!(came.load(Ordering::SeqCst), 2);
        let again = population::enter_control_total(&head, &house.db, "k", total)
            .await
            .unwrap();
        assert_eq!(again, entered);
        assert_eq!(
            came.load(Ordering::SeqCst),
            2,
            "what is repeated is not counted again"
        );
    }
);

on_both!(
    a_control_total_that_knows_no_line_at_all_says_so,
    async |house: House| {
        let anna = house.person("anna", "INNENREVISION").await;
        let head = house.person("leitung", "INNENREVISION_LEITUNG").await;
        let id = population_of(&house, &anna, Unit::Procedure).await;
        let file = "Beleg;Fall;Stelle;Betrag\n1;a;03;0,00\n2;b;04;0,00\n";
        import(&house, &anna, id, small_mapping(), std::io::Cursor::new(file))
            .await
            .unwrap();
        population::enter_control_total(&head, &house.db, "none", register(id, "ALL;03;;0;0,00\n"))
            .await
            .unwrap();
        let found = population::differences(&anna, &house.db, id, &ALL).await.unwrap();
        assert_eq!(found.rows.len(), 2, "both lines are too many");
        assert_eq!(
            code(population::freeze(&anna, &house.db, id, 2).await.unwrap_err()),
            Code::DifferencesOpen
        );
    }
);

struct Broken(std::io::Cursor<Vec<u8>>);

impl Read for Broken {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(std::io::ErrorKind::UnexpectedEof.into()),
            count => Ok(count),
        }
    }
}

/// Of 700 cases.
fn five_thousand_lines() -> String {
    let mut text = "Beleg;Fall;Stelle;Betrag\n".to_owned();
    for number in 0..5_000 {
        writeln!(text, "{number};F{};0{};1,00", number % 700, number % 9 + 1).unwrap();
    }
    text
}

on_both!(a_broken_upload_can_be_repeated, async |house: House| {
    let anna = house.person("anna", "INNENREVISION").await;
    let id = population(&house, &anna).await;
    let text = five_thousand_lines();
    let broken = Broken(std::io::Cursor::new(text.clone().into_bytes()));
    let row = import(&house, &anna, id, small_mapping(), broken).await.unwrap();
    assert_eq!(
        (row.state, row.failure.as_deref()),
        (State::Failed, Some("UPLOAD_BROKEN"))
    );
    assert_eq!(items(&house).await, 0);
    let row = import(
        &house,
        &anna,
        id,
        small_mapping(),
        std::io::Cursor::new(text.into_bytes()),
    )
    .await
    .unwrap();
    assert_eq!(row.state, State::Completed);
    assert_eq!((items(&house).await, row.sum_cents), (5_000, Cents(500_000)));
    assert_eq!(cases(&house).await, 700, "a case number is kept once");
    let second = run_import(anna.clone(), house.db.clone(), row.id, std::io::empty(), LIMITS)
        .await
        .unwrap_err();
    assert_eq!(code(second), Code::ImportNotWaiting);
});

on_both!(an_import_whose_process_died_is_swept, async |house: House| {
    let anna = house.person("anna", "INNENREVISION").await;
    let id = population(&house, &anna).await;
    let open = OpenImport {
        population_id: id,
        file_name: "a.csv".to_owned(),
        bytes_expected: None,
        mapping: small_mapping(),
    };
    let row = population::open_import(&anna, &house.db, "k", open)
        .await
        .unwrap();
    let long_ago = anna.now() - TimeDelta::minutes(5);
    population_import::Entity::update_many()
        .col_expr(
            population_import::Column::State,
            sea_orm::sea_query::Expr::val("RUNNING"),
        )
        .col_expr(
            population_import::Column::HeartbeatAt,
            sea_orm::sea_query::Expr::val(long_ago),
        )
        .filter(population_import::Column::Id.eq(row.id))
        .exec(house.db.owner())
        .await
        .unwrap();
    assert_eq!(population::sweep(&house.sources, &house.db).await.unwrap(), 1);
    let row = population::find_imports(&anna, &house.db, &[row.id])
        .await
        .unwrap()
        .remove(0);
    assert_eq!(
        (row.state, row.failure.as_deref()),
        (State::Failed, Some("INTERRUPTED"))
    );
    assert_eq!(population::sweep(&house.sources, &house.db).await.unwrap(), 0);
    assert_eq!(
        told_ends(&house).await,
        [("pruefpfad".to_owned(), "INTERRUPTED".to_owned())]
    );
});

/// What the trail tells of imports that ended in failure: who ended them, and why, by name.
async fn told_ends(house: &House) -> Vec<(String, String)> {
    let told = entity::trail_entry::Entity::find()
        .filter(entity::trail_entry::Column::SubjectKind.eq("Import"))
        .all(house.db.reader())
        .await
        .unwrap();
    let mut ends: Vec<_> = told
        .into_iter()
        .filter_map(|entry| {
            let detail: serde_json::Value = serde_json::from_str(&entry.detail).unwrap();
            assert!(entry.engagement_id.is_some());
            Some((entry.actor, detail["failure"].as_str()?.to_owned()))
        })
        .collect();
    ends.sort();
    ends
}

/// A clock that stands still until it is set on.
struct Watch {
    start: DateTime<Utc>,
    minutes: AtomicI64,
}

impl Watch {
    fn starting_at(start: DateTime<Utc>) -> Arc<Self> {
        Arc::new(Self {
            start,
            minutes: AtomicI64::new(0),
        })
    }

    fn a_minute_passes(&self) {
        self.minutes.fetch_add(1, Ordering::SeqCst);
    }
}

impl Clock for Watch {
    fn now(&self) -> DateTime<Utc> {
        self.start + TimeDelta::minutes(self.minutes.load(Ordering::SeqCst))
    }
}

/// What one instance of the service goes by.
fn instance(watch: &Arc<Watch>) -> Arc<Sources> {
    let random = Arc::new(OsRandom::new().unwrap());
    Arc::new(Sources::new(watch.clone(), random, Vault::new([7; 32])))
}

/// A file of which a part comes, then something happens, then the rest comes; in the end it breaks off, or not.
struct Halting<F> {
    text: std::io::Cursor<Vec<u8>>,
    halt: u64,
    happens: Option<F>,
    breaks: bool,
}

impl<F: FnOnce()> Read for Halting<F> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let most = buffer.len().min(4_096);
        if self.text.position() >= self.halt
            && let Some(happens) = self.happens.take()
        {
            happens();
        }
        match self.text.read(&mut buffer[..most])? {
            0 if self.breaks => Err(std::io::ErrorKind::UnexpectedEof.into()),
            count => Ok(count),
        }
    }
}

on_both!(
    what_a_reader_writes_after_it_was_given_up_goes_too,
    async |mut house: House| {
        let watch = Watch::starting_at(house.sources.now());
        house.sources = instance(&watch);
        let anna = house.person("anna", "INNENREVISION").await;
        let id = population(&house, &anna).await;
        let text = five_thousand_lines().into_bytes();
        for (breaks, failure) in [(false, "INTERRUPTED"), (true, "UPLOAD_BROKEN")] {
            // The reader's instance stands still for longer than its lease; another one gives the import up and removes
            // its lines. Then the reader goes on where it was.
            let (db, runtime, watch) = (house.db.clone(), tokio::runtime::Handle::current(), watch.clone());
            let given_up = move || {
                let other = instance(&watch);
                watch.a_minute_passes();
                while runtime.block_on(population::sweep(&other, &db)).unwrap() == 0 {
                    watch.a_minute_passes();
                }
            };
            let file = Halting {
                halt: text.len() as u64 / 2,
                text: std::io::Cursor::new(text.clone()),
                happens: Some(given_up),
                breaks,
            };
            let row = import(&house, &anna, id, small_mapping(), file).await.unwrap();
            assert_eq!(
                (row.state, row.failure.as_deref()),
                (State::Failed, Some(failure))
            );
            assert!(row.finished_at.is_some());
            assert_eq!((items(&house).await, cases(&house).await), (0, 0));
        }
        let file = std::io::Cursor::new(text);
        let row = import(&house, &anna, id, small_mapping(), file).await.unwrap();
        assert_eq!(row.state, State::Completed, "{:?}", row.failure);
        assert_eq!((items(&house).await, cases(&house).await), (5_000, 700));
    }
);

/// From now on lines meet a full disk, and so does the row of an import that is running. SQLite says the same of a table
/// whose ids have run out as of a full disk, and ends the transaction in the same way.
async fn fill_the_disk(house: &House) {
    let statements: &[&str] = if house.db.is_postgres() {
        &[
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'disk_full'; END $$",
            "CREATE TRIGGER full_disk_lines BEFORE INSERT ON population_item FOR EACH ROW EXECUTE FUNCTION full_disk()",
            "CREATE TRIGGER full_disk_end BEFORE UPDATE ON population_import FOR EACH ROW
                WHEN (OLD.state = 'RUNNING') EXECUTE FUNCTION full_disk()",
        ]
    } else {
        &[
            "CREATE TABLE full_disk (id INTEGER PRIMARY KEY AUTOINCREMENT)",
            "INSERT INTO full_disk VALUES (9223372036854775807)",
            "CREATE TRIGGER full_disk_lines BEFORE INSERT ON population_item
                BEGIN INSERT INTO full_disk VALUES (NULL); END",
            "CREATE TRIGGER full_disk_end BEFORE UPDATE ON population_import
                WHEN OLD.state = 'RUNNING' BEGIN INSERT INTO full_disk VALUES (NULL); END",
        ]
    };
    for statement in statements {
        house.db.owner().execute_unprepared(statement).await.unwrap();
    }
}

/// There is room again.
async fn make_room(house: &House) {
    for (trigger, table) in [
        ("full_disk_lines", "population_item"),
        ("full_disk_end", "population_import"),
    ] {
        let on = if house.db.is_postgres() {
            format!(" ON {table}")
        } else {
            String::new()
        };
        let statement = format!("DROP TRIGGER {trigger}{on}");
        house.db.owner().execute_unprepared(&statement).await.unwrap();
    }
}

/// An import that meets a full disk, on which not even its end can be written for longer than its lease; then there is
/// room. Who looks for lost imports comes first: the service's own instance, or another one.
async fn full_for_a_minute(mut house: House, own: bool) {
    let watch = Watch::starting_at(house.sources.now());
    house.sources = instance(&watch);
    let anna = house.person("anna", "INNENREVISION").await;
    let id = population(&house, &anna).await;
    let file = || std::io::Cursor::new(five_thousand_lines().into_bytes());
    fill_the_disk(&house).await;
    let told = import(&house, &anna, id, small_mapping(), file()).await.unwrap();
    let full = (State::Failed, Some("STORAGE_FULL"));
    assert_eq!((told.state, told.failure.as_deref()), full);
    let seen = async || {
        population_import::Entity::find_by_id(told.id)
            .one(house.db.reader())
            .await
            .unwrap()
            .unwrap()
    };
    assert_eq!(
        seen().await.state,
        State::Running,
        "not even this could be written"
    );

    watch.a_minute_passes();
    make_room(&house).await;
    let other = instance(&watch);
    let swept = population::sweep(if own { &house.sources } else { &other }, &house.db)
        .await
        .unwrap();
    assert_eq!(swept, u64::from(!own));
    let by = |actor: &str, failure: &str| (actor.to_owned(), failure.to_owned());
    let ends = if own {
        vec![by("anna", "STORAGE_FULL")]
    } else {
        vec![by("anna", "STORAGE_FULL"), by("pruefpfad", "INTERRUPTED")]
    };
    let begun = std::time::Instant::now();
    while told_ends(&house).await != ends || seen().await.finished_at.is_none() {
        assert!(
            begun.elapsed().as_secs() < 20,
            "{:?} {:?}",
            told_ends(&house).await,
            seen().await
        );
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let row = seen().await;
    assert_eq!((row.state, row.failure.as_deref()), full);
    assert_eq!((items(&house).await, cases(&house).await), (0, 0));

    // It is in nobody's hands any more, and is repeated.
    let row = import(&house, &anna, id, small_mapping(), file()).await.unwrap();
    assert_eq!(row.state, State::Completed, "{:?}", row.failure);
    assert_eq!(told_ends(&house).await, ends);
}

on_both!(a_full_disk_stays_the_reason_of_the_end, async |house: House| {
    full_for_a_minute(house, true).await;
});

on_both!(
    a_full_disk_is_the_reason_although_another_instance_was_first,
    async |house: House| full_for_a_minute(house, false).await
);

on_both!(who_may_not_is_refused_and_remembered, async |house: House| {
    let anna = house.person("anna", "INNENREVISION").await;
    let id = population(&house, &anna).await;
    for membership in ["SACHBEARBEITUNG:03", "ADMINISTRATION", "VORSTAND"] {
        let other = house.person("other", membership).await;
        let cell = CellInput {
            fund: Some(Fund::Bund),
            bezirksstelle: "03".to_owned(),
            month: None,
            count: 1,
            sum: Cents(1),
        };
        let total = ControlTotalInput {
            population_id: id,
            source: control_total::Source::PaymentRun,
            document_reference: "x".to_owned(),
            cells: vec![cell],
        };
        let denied = population::enter_control_total(&other, &house.db, "k", total)
            .await
            .unwrap_err();
        assert!(matches!(denied, Error::Forbidden(_)));
        assert!(matches!(
            population::find_many(&other, &house.db, &[id]).await,
            Err(Error::Forbidden(_))
        ));
    }
    let denied = entity::trail_entry::Entity::find()
        .filter(entity::trail_entry::Column::Outcome.eq("DENIED"))
        .count(house.db.reader())
        .await
        .unwrap();
    assert_eq!(denied, 3);
});
