//! Engagements, the caller and ids, as a client meets them.

#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

use api::graphql::NodeKind;
use entity::{DrawEventId, EngagementId, PopulationId, draw_event};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, Set};
use serde_json::{Value, json};
use tests::story::{Audit, change, nodes};
use tests::{Person, on_both};

const OPEN: &str = "mutation($input: OpenEngagementInput!) { openEngagement(input: $input) {
    engagement { id number version state permissions openedBy } userErrors { code path message } } }";
const CLOSE: &str = "mutation($input: CloseEngagementInput!) { closeEngagement(input: $input) {
    engagement { state version closedBy permissions } userErrors { code path message } } }";

fn input(title: &str, key: &str) -> Value {
    json!({
        "title": title, "function": "INNENREVISION", "objective": "Rechtmäßigkeit", "legalBasis": "§ 6b (4) SGB II",
        "periodFrom": "2025-01-01", "periodTo": "2025-12-31", "idempotencyKey": key,
    })
}

async fn opened(person: &Person<'_>, title: &str) -> Value {
    person.done(OPEN, input(title, title)).await["engagement"].clone()
}

on_both!(
    an_engagement_is_opened_once_and_closed_once,
    |service| async move {
        let (auditor, head) = (service.auditor(), service.head());
        let engagement = opened(&auditor, "Leistungen").await;
        assert_eq!(
            (&engagement["state"], &engagement["openedBy"]),
            (&json!("OPEN"), &json!("auditor"))
        );
        let may = engagement["permissions"].as_array().unwrap();
        assert!(may.contains(&json!("POPULATION_CREATE")) && !may.contains(&json!("ENGAGEMENT_CLOSE")));
        // The same again, and the same key with other input.
        assert_eq!(opened(&auditor, "Leistungen").await, engagement);
        let reused = auditor.refused(OPEN, input("Anderes", "Leistungen")).await;
        assert_eq!(
            reused,
            [(
                "IDEMPOTENCY_KEY_REUSED".to_owned(),
                "input.idempotencyKey".to_owned()
            )]
        );

        let close = json!({ "id": engagement["id"], "expectedVersion": 7 });
        assert_eq!(
            auditor.codes(CLOSE, json!({ "input": close })).await,
            ["FORBIDDEN"]
        );
        let stale = head.refused(CLOSE, close).await;
        assert_eq!(
            stale,
            [("STALE_VERSION".to_owned(), "input.expectedVersion".to_owned())]
        );
        let close = json!({ "id": engagement["id"], "expectedVersion": 1 });
        let closed = head.done(CLOSE, close.clone()).await;
        assert_eq!(
            (&closed["engagement"]["state"], &closed["engagement"]["version"]),
            (&json!("CLOSED"), &json!(2))
        );
        assert_eq!(
            head.refused(CLOSE, close).await,
            [("ENGAGEMENT_CLOSED".to_owned(), "input.id".to_owned())]
        );

        let trail = auditor
        .data(
            "query($id: ID!) { engagement(id: $id) { trail { edges { node { actor action outcome } } } } }",
            json!({ "id": engagement["id"] }),
        )
        .await;
        let told: Vec<_> = trail["engagement"]["trail"]["edges"]
            .as_array()
            .unwrap()
            .iter()
            .map(|edge| edge["node"].clone())
            .collect();
        assert_eq!(
            told,
            [
                json!({ "actor": "auditor", "action": "ENGAGEMENT_OPEN", "outcome": "DONE" }),
                json!({ "actor": "head", "action": "ENGAGEMENT_CLOSE", "outcome": "DONE" }),
            ]
        );
    }
);

on_both!(
    faults_of_an_input_come_all_at_once_in_the_callers_language,
    |service| async move {
        let mut faulty = input(" ", "k");
        faulty["periodTo"] = json!("2024-12-31");
        let auditor = service.auditor();
        let refused = auditor.refused(OPEN, faulty.clone()).await;
        assert_eq!(
            refused,
            [
                ("REQUIRED".to_owned(), "input.title".to_owned()),
                ("PERIOD_REVERSED".to_owned(), "input.periodTo".to_owned()),
            ]
        );
        let german = service.auditor().in_german().payload(OPEN, faulty).await;
        assert_eq!(german["userErrors"][0]["message"], "Diese Angabe fehlt.");
        let mut malformed = input("Leistungen", "k");
        malformed["periodTo"] = json!("31.12.2025");
        assert_eq!(
            auditor.codes(OPEN, json!({ "input": malformed })).await,
            ["BAD_USER_INPUT"]
        );
    }
);

on_both!(rights_follow_from_token_and_role, |service| async move {
    let engagements = "{ engagements { edges { node { id } } totalCount } }";
    assert_eq!(
        service.anybody().codes(engagements, json!({})).await,
        ["UNAUTHENTICATED"]
    );
    assert_eq!(
        service
            .anybody()
            .codes(OPEN, json!({ "input": input("x", "x") }))
            .await,
        ["UNAUTHENTICATED"]
    );
    assert_eq!(
        service.anybody().codes("{ viewer { subject } }", json!({})).await,
        ["UNAUTHENTICATED"]
    );
    assert_eq!(
        service
            .anybody()
            .codes("{ bezirksstellen { name } }", json!({}))
            .await,
        ["UNAUTHENTICATED"]
    );
    let administrator = service.person("admin", "ADMINISTRATION");
    assert_eq!(administrator.codes(engagements, json!({})).await, ["FORBIDDEN"]);
    let info = service
        .anybody()
        .data(
            "{ serviceInfo { name limits { depth pageMax } introspection } }",
            json!({}),
        )
        .await;
    assert_eq!(info["serviceInfo"]["limits"]["pageMax"], 200);

    // What a Bezirksstelle may not see is not there for it.
    let engagement = opened(&service.auditor(), "Leistungen").await;
    let local = service.person("sach", "SACHBEARBEITUNG:03");
    let one = "query($id: ID!) { engagement(id: $id) { number } node(id: $id) { id } }";
    let hidden = local.data(one, json!({ "id": engagement["id"] })).await;
    assert_eq!(hidden, json!({ "engagement": null, "node": null }));
    let none = local.data(engagements, json!({})).await;
    assert_eq!(none["engagements"], json!({ "edges": [], "totalCount": 0 }));
    let viewer = local
        .data(
            "{ viewer { subject membership { text } bezirksstelle { number name } actions } }",
            json!({}),
        )
        .await;
    assert_eq!(
        viewer["viewer"],
        json!({
            "subject": "sach", "membership": { "text": "SACHBEARBEITUNG:03" },
            "bezirksstelle": { "number": "03", "name": "Dorsten" },
            "actions": [
                "ENGAGEMENT_READ", "SAMPLE_READ", "SAMPLE_ITEM_READ", "CASE_NUMBER_READ", "EXTERNAL_READ_LIST", "DEADLINE_READ",
                "NOTICE_READ",
            ],
        })
    );
});

on_both!(ids_name_their_type, |service| async move {
    let auditor = service.auditor();
    let engagement = opened(&auditor, "Leistungen").await;
    let parts = auditor.data("{ bezirksstellen { id number } }", json!({})).await;
    let part = &parts["bezirksstellen"][1]["id"];
    let nodes = auditor
        .data(
            "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on Bezirksstelle { name } } }",
            json!({ "ids": [part, engagement["id"], part] }),
        )
        .await;
    let names: Vec<_> = nodes["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| node["__typename"].clone())
        .collect();
    assert_eq!(names, ["Bezirksstelle", "Engagement", "Bezirksstelle"]);
    for wrong in [part.clone(), json!("x"), json!("")] {
        let one = "query($id: ID!) { engagement(id: $id) { number } }";
        let answer = auditor.graphql(one, json!({ "id": wrong })).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
        assert_eq!(answer["data"], json!({ "engagement": null }));
    }
});

on_both!(
    pages_forward_and_backward_are_the_whole_list,
    |service| async move {
        let auditor = service.auditor();
        let mut all = Vec::new();
        for number in 0..5 {
            all.insert(
                0,
                opened(&auditor, &format!("Prüfung {number}")).await["id"].clone(),
            );
        }
        let page = "query($first: Int, $after: String, $last: Int, $before: String) {
        engagements(first: $first, after: $after, last: $last, before: $before) {
            totalCount edges { node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";
        let ids = |data: &Value| -> Vec<Value> {
            data["engagements"]["edges"]
                .as_array()
                .unwrap()
                .iter()
                .map(|edge| edge["node"]["id"].clone())
                .collect()
        };
        let (mut forward, mut after) = (Vec::new(), Value::Null);
        loop {
            let data = auditor.data(page, json!({ "first": 2, "after": after })).await;
            assert_eq!(data["engagements"]["totalCount"], 5);
            forward.extend(ids(&data));
            after = data["engagements"]["pageInfo"]["endCursor"].clone();
            if data["engagements"]["pageInfo"]["hasNextPage"] == false {
                break;
            }
        }
        assert_eq!(forward, all);
        let (mut backward, mut before) = (Vec::new(), Value::Null);
        loop {
            let data = auditor.data(page, json!({ "last": 2, "before": before })).await;
            backward.splice(0..0, ids(&data));
            before = data["engagements"]["pageInfo"]["startCursor"].clone();
            if data["engagements"]["pageInfo"]["hasPreviousPage"] == false {
                break;
            }
        }
        assert_eq!(backward, all);
        for wrong in [
            json!({ "first": 1, "last": 1 }),
            json!({ "first": -1 }),
            json!({ "first": 201 }),
            json!({ "after": "x" }),
        ] {
            assert_eq!(auditor.codes(page, wrong).await, ["BAD_USER_INPUT"]);
        }
    }
);

/// An event as freezing leaves it behind: an empty population cannot be frozen.
async fn frozen(service: &tests::Service, engagement: &Value, population: &Value) {
    let row = |kind: NodeKind, node: &Value| kind.parse(node["id"].as_str().unwrap()).unwrap();
    let engagement_id = EngagementId(row(NodeKind::Engagement, engagement));
    let number = draw_event::Entity::find()
        .filter(draw_event::Column::EngagementId.eq(engagement_id))
        .count(service.db.reader())
        .await
        .unwrap();
    let event = draw_event::ActiveModel {
        id: Set(DrawEventId(service.sources.new_id())),
        engagement_id: Set(engagement_id),
        number: Set(i32::try_from(number).unwrap() + 1),
        kind: Set(draw_event::Kind::Freeze),
        population_id: Set(PopulationId(row(NodeKind::Population, population))),
        sample_id: Set(None),
        reason: Set(None),
        by_subject: Set("auditor".to_owned()),
        at: Set(chrono::DateTime::UNIX_EPOCH),
    };
    event.insert(service.db.owner()).await.unwrap();
}

on_both!(
    lists_within_lists_cost_no_more_statements_than_one,
    |service| async move {
        let auditor = service.auditor();
        let nested = "{ engagements { edges { node { id populations { name imports { fileName } controlTotals { source } engagement { id } }
            drawEvents { number by population { name } sample { name } } } } } }";
        let create = "mutation($input: CreatePopulationInput!) { createPopulation(input: $input) {
        population { id } userErrors { code } } }";
        let mut counts = Vec::new();
        for number in 0..3 {
            let engagement = opened(&auditor, &format!("Prüfung {number}")).await;
            for name in ["Bescheide", "Zahlungen"] {
                let input = json!({
                    "engagementId": engagement["id"], "name": name, "unit": "PAYMENT", "source": "Fachverfahren",
                    "idempotencyKey": format!("{number} {name}"),
                });
                let created = auditor.done(create, input).await;
                frozen(&service, &engagement, &created["population"]).await;
            }
            let (data, statements) = service.statements(auditor.data(nested, json!({}))).await;
            assert_eq!(
                data["engagements"]["edges"][0]["node"]["populations"]
                    .as_array()
                    .map(Vec::len),
                Some(2)
            );
            let events = &data["engagements"]["edges"][0]["node"]["drawEvents"];
            assert_eq!(
                events[1],
                json!({ "number": 2, "by": "auditor", "population": { "name": "Zahlungen" }, "sample": null })
            );
            counts.push(statements);
        }
        assert!(counts.iter().all(|count| *count == counts[0]), "{counts:?}");
        // Engagements, their populations, their events; imports, control totals with their populations' visibility,
        // engagements again, the events' populations.
        assert!(counts[0] <= 8, "{counts:?}");
        let (_, uncounted) = service
            .statements(auditor.data("{ engagements { edges { cursor } } }", json!({})))
            .await;
        let (_, counted) = service
            .statements(auditor.data("{ engagements { totalCount } }", json!({})))
            .await;
        assert_eq!((uncounted, counted), (1, 2));
    }
);

on_both!(a_closed_engagement_permits_no_change, |service| async move {
    let audit = Audit::small(&service, &[("a", "09", 100), ("b", "09", 200)]).await;
    let sample = audit.drawn("alle", "SIMPLE_RANDOM", &json!({ "size": 2 })).await;
    let permitted = async || {
        let document = "query($engagement: ID!, $population: ID!, $sample: ID!) {
            engagement(id: $engagement) { version permissions }
            population(id: $population) { permissions imports { permissions } }
            sample(id: $sample) { permissions items(first: 5) { edges { node { permissions } } } } }";
        let variables = json!({
            "engagement": audit.engagement, "population": audit.population, "sample": sample["id"],
        });
        let (data, statements) = service.statements(audit.head.data(document, variables)).await;
        assert!(statements <= 12, "{statements}");
        data
    };
    let before = permitted().await;
    let spoken = before["sample"]["permissions"].as_array().unwrap();
    assert!(spoken.contains(&json!("CHECK_RECORD")), "{before}");
    let input = json!({
        "id": audit.engagement, "expectedVersion": before["engagement"]["version"], "note": "Rest entfällt",
    });
    audit
        .head
        .done(&change("closeEngagement", "engagement { id }"), input)
        .await;
    let after = permitted().await;
    assert_eq!(
        after["engagement"]["permissions"],
        json!([
            "ENGAGEMENT_READ",
            "TRAIL_READ",
            "ENGAGEMENT_RESTRICT",
            "COMMENT_READ",
            "LEGAL_HOLD_PLACE",
        ])
    );
    assert_eq!(
        after["population"],
        json!({ "permissions": ["POPULATION_READ"], "imports": [{ "permissions": ["POPULATION_READ"] }] })
    );
    assert_eq!(
        after["sample"]["permissions"],
        json!(["SAMPLE_READ", "SAMPLE_ITEM_READ", "CHECK_READ", "SAMPLE_EVALUATE"])
    );
    for item in nodes(&after["sample"]["items"]) {
        assert_eq!(
            item["permissions"],
            json!(["SAMPLE_ITEM_READ", "REIDENTIFY", "CHECK_READ"])
        );
    }
});
