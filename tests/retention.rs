//! What is kept no longer: working papers, ten years after the end of their engagement.

#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

use api::graphql::NodeKind;
use audit::Ctx;
use audit::access::{Caller, Membership, Role};
use audit::engagement::{Restrict, lift_restriction, restrict};
use audit::retention::{self, Kind};
use audit::trail::rows::unexplained;
use entity::EngagementId;
use sea_orm::{ConnectionTrait as _, Statement};
use serde_json::json;
use tests::grants::{inspection, issued};
use tests::story::{Audit, cents, change, check, nodes};
use tests::{Service, on_both};

/// Tables of working papers.
const PAPERS: [&str; 23] = [
    "deadline",
    "deadline_date",
    "notice",
    "population",
    "population_import",
    "population_item",
    "control_total",
    "control_cell",
    "sample",
    "sample_stratum",
    "sample_item",
    "replacement",
    "assignment",
    "known_error",
    "known_error_part",
    "draw_event",
    "ceremony",
    "contribution",
    "item_check",
    "check_answer",
    "comment",
    "difference",
    "import_rejection",
];

/// Rows of each table, in the order of the list.
async fn rows(service: &Service) -> Vec<i64> {
    let db = service.db.owner();
    let mut all = Vec::new();
    for table in PAPERS {
        let count = Statement::from_string(
            db.get_database_backend(),
            format!("SELECT count(*) AS rows FROM {table}"),
        );
        let row = db.query_one_raw(count).await.unwrap().unwrap();
        all.push(row.try_get::<i64>("", "rows").unwrap());
    }
    all
}

/// An engagement with a paper of each kind, but for what no import leaves.
async fn engagement<'a>(service: &'a Service, title: &str) -> Audit<'a> {
    let audit = Audit::titled(service, title).await;
    let audit = audit
        .filled(&[("a", "09", 100), ("b", "01", 200), ("c", "01", 300)])
        .await;
    let sample = audit.drawn(title, "SIMPLE_RANDOM", &json!({ "size": 1 })).await;
    let give = json!({ "sampleId": sample["id"], "testers": ["auditor"], "idempotencyKey": format!("{title}: Zuweisung") });
    let distribute = change("distributeSampleItems", "sample { id }");
    audit.auditor.done(&distribute, give).await;
    // One item is replaced by the second, and the third extends the sample.
    let item = audit.items(&sample).await[0].clone();
    let request = json!({
        "sampleItemId": item["id"], "expectedVersion": item["version"], "cause": "OTHER", "reason": "Akte vernichtet",
        "idempotencyKey": format!("{title}: Ersatz"),
    });
    let asked = audit
        .auditor
        .done(&change("requestReplacement", "replacement { id }"), request)
        .await;
    let approve = json!({ "id": asked["replacement"]["id"], "expectedVersion": 1 });
    audit
        .head
        .done(&change("approveReplacement", "replacement { id }"), approve)
        .await;
    let further = format!("{title}: weitere");
    let extension = json!({ "size": 1, "extends": sample["id"] });
    let extension = audit.plan_input(&further, "SIMPLE_RANDOM", &extension);
    let extension = audit.planned(extension).await;
    let draw = json!({ "id": extension["id"], "expectedVersion": extension["version"] });
    audit
        .auditor
        .done(&change("drawSample", "sample { id }"), draw)
        .await;
    audit.check_truly(&audit.items(&sample).await[1..]).await;
    let attributes = audit.attributes().await;
    let item = audit.items(&extension).await[0].clone();
    let mut wrong = check(
        &item,
        "OVERPAYMENT",
        [0, cents(&item["amount"]) - 1, 0, 0],
        &attributes,
    );
    wrong["idempotencyKey"] = item["id"].clone();
    audit
        .auditor
        .done(&change("recordCheck", "check { id }"), wrong)
        .await;
    let known = json!({
        "sampleId": extension["id"], "class": "ANOMALOUS", "cause": "Stromausfall", "reason": "Nur an diesem Tag",
        "corrected": true, "items": [{ "sampleItemId": item["id"] }], "idempotencyKey": format!("{title}: anomal"),
    });
    audit
        .auditor
        .done(&change("proposeKnownError", "knownError { id }"), known)
        .await;
    // A ceremony that came to nothing.
    let planned = audit.witnessed(&format!("{title}, bezeugt")).await;
    let abort = json!({ "id": planned["id"], "expectedVersion": planned["version"], "reason": "nicht zustande gekommen" });
    audit
        .auditor
        .done(&change("abortSample", "sample { state }"), abort)
        .await;
    let deadline = json!({
        "engagementId": audit.engagement, "title": "Unterlagen", "legalBasis": "Satzung", "expiry": "REMIND",
        "endsOn": "2190-01-04", "idempotencyKey": format!("{title}: Frist"),
    });
    let set = audit
        .auditor
        .done(&change("setDeadline", "deadline { id version }"), deadline)
        .await["deadline"]
        .clone();
    let cancel = json!({ "id": set["id"], "expectedVersion": set["version"], "reason": "erledigt" });
    audit
        .auditor
        .done(&change("cancelDeadline", "deadline { state }"), cancel)
        .await;
    let grant = issued(&audit, inspection(&audit.engagement, &json!({}))).await;
    let comment = json!({ "engagementId": audit.engagement, "text": "Woher?", "idempotencyKey": title });
    let holder = service.holder(&grant).await;
    holder
        .done(&change("addComment", "comment { id }"), comment)
        .await;
    audit
}

async fn close(audit: &Audit<'_>) {
    let version = "query($id: ID!) { engagement(id: $id) { version } }";
    let seen = audit
        .auditor
        .data(version, json!({ "id": audit.engagement }))
        .await;
    let input = json!({ "id": audit.engagement, "expectedVersion": seen["engagement"]["version"] });
    let document = change("closeEngagement", "engagement { state }");
    audit.head.done(&document, input).await;
}

on_both!(working_papers_go_ten_years_after_the_end, |service| async move {
    let db = &service.db;
    let kept = engagement(&service, "Die bleibt").await;
    let one = rows(&service).await;
    let gone = engagement(&service, "Die geht").await;
    let both = rows(&service).await;
    assert_eq!(both, one.iter().map(|count| count * 2).collect::<Vec<_>>());
    let due = async |days: i64| {
        let due = retention::due(&service.later(days), db, Kind::WorkingPaper).await;
        due.unwrap().count
    };
    let run = async |days: i64| {
        let run = retention::run(&service.later(days), db, Kind::WorkingPaper).await;
        run.unwrap()
    };
    assert_eq!(due(5_000).await, 0, "open engagements keep theirs");
    close(&gone).await;
    assert_eq!((due(3_640).await, due(3_660).await), (0, 6));

    // Nobody else deletes any, and no gate is opened for an engagement that is open or held.
    for table in PAPERS
        .iter()
        .zip(&both)
        .filter(|(_, rows)| **rows > 0)
        .map(|(table, _)| table)
    {
        if ["population_import", "import_rejection"].contains(table) {
            continue;
        }
        let deleted = db
            .owner()
            .execute_unprepared(&format!("DELETE FROM {table}"))
            .await;
        assert!(deleted.is_err(), "{table}");
    }
    let gate = "INSERT INTO retention_gate (id, engagement_id) SELECT id, id FROM engagement WHERE title = 'Die bleibt'";
    assert!(db.owner().execute_unprepared(gate).await.is_err());
    let hold = json!({ "engagementId": gone.engagement, "reason": "Klage", "idempotencyKey": "h" });
    let hold = gone
        .auditor
        .done(&change("placeLegalHold", "legalHold { id }"), hold)
        .await;
    let gate = "INSERT INTO retention_gate (id, engagement_id) SELECT id, id FROM engagement WHERE title = 'Die geht'";
    assert!(db.owner().execute_unprepared(gate).await.is_err());
    assert_eq!((run(3_660).await.count, rows(&service).await), (0, both));
    let lift = json!({ "id": hold["legalHold"]["id"], "reason": "Klage zurückgenommen" });
    gone.head
        .done(&change("liftLegalHold", "legalHold { id }"), lift)
        .await;

    assert_eq!(run(3_660).await.count, 6);
    assert_eq!(rows(&service).await, one);
    assert_eq!(run(3_660).await.records, []);
    // The other one is whole, and of this one it is known that there was it, and who did what.
    let whole =
        "query($id: ID!) { engagement(id: $id) { title populations { itemCount } samples { totalCount }
        trail(first: 100) { edges { node { action } } } } }";
    let look = async |id: &str| {
        let data = gone.auditor.data(whole, json!({ "id": id })).await;
        data["engagement"].clone()
    };
    let rest = look(&gone.engagement).await;
    assert_eq!(
        (
            &rest["title"],
            &rest["populations"],
            &rest["samples"]["totalCount"]
        ),
        (&json!("Die geht"), &json!([]), &json!(0))
    );
    assert!(
        nodes(&rest["trail"])
            .iter()
            .any(|entry| entry["action"] == "SAMPLE_DRAW")
    );
    let whole = look(&kept.engagement).await;
    assert_eq!(whole["samples"]["totalCount"], 3);
    let runs = "{ retentionRuns { edges { node { kind state count records { engagementId } } } } }";
    let runs = service.person("dsb", "DATENSCHUTZ").data(runs, json!({})).await;
    let told = |state: &str| {
        json!({ "kind": "WORKING_PAPER", "state": state, "count": 6,
            "records": [{ "engagementId": gone.engagement }] })
    };
    assert_eq!(nodes(&runs["retentionRuns"]), [told("ENDED"), told("BEGUN")]);
    let (found, _) = unexplained(&service.later(0), db).await.unwrap();
    assert_eq!(found, []);
});

on_both!(two_instances_delete_once, |service| async move {
    let db = &service.db;
    let gone = engagement(&service, "Die geht").await;
    close(&gone).await;
    let (one, other) = (service.later(3_660), service.later(3_660));
    for kind in [Kind::CaseNumber, Kind::WorkingPaper] {
        let (one, other) = tokio::join!(retention::run(&one, db, kind), retention::run(&other, db, kind));
        let expected = if kind == Kind::WorkingPaper { 6 } else { 0 };
        assert_eq!(one.unwrap().count + other.unwrap().count, expected, "{kind:?}");
    }
    assert!(rows(&service).await.iter().all(|count| *count == 0));
    let (found, _) = unexplained(&service.later(0), db).await.unwrap();
    assert_eq!(found, []);
});

on_both!(
    the_log_keeps_the_order_of_what_happened_whatever_the_clocks,
    |service| async move {
        let audit = Audit::titled(&service, "Zwei Uhren").await;
        let id = NodeKind::Engagement.parse(&audit.engagement).unwrap();
        let input = Restrict {
            id: EngagementId(id),
            reason: "Ermittlungen".to_owned(),
        };
        let head = Caller {
            subject: "leitung".to_owned(),
            membership: Some(Membership::new(Role::InnenrevisionLeitung, None).unwrap()),
            ..Caller::system()
        };
        // Another instance, whose clock is a day behind.
        let (slow, exact) = (service.sources_later(-1), service.sources_later(0));
        for (sources, restricted) in [(&exact, true), (&slow, false), (&exact, true), (&slow, false)] {
            let ctx = Ctx::new(head.clone(), sources.new_id(), sources.clone());
            let changed = if restricted {
                restrict(&ctx, &service.db, input.clone()).await
            } else {
                lift_restriction(&ctx, &service.db, input.clone()).await
            };
            assert_eq!(changed.unwrap().restriction.is_some(), restricted);
        }
        let (found, _) = unexplained(&service.later(0), &service.db).await.unwrap();
        assert_eq!(found, []);
    }
);
