//! Parameter sets, and plans that cite them.

use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};
use tests::on_both;
use tests::story::{Audit, change, nodes, plan, with};

use crate::{checked, refusal};

const SHOWN: &str =
    "parameterSet { id version number edition state confidence materiality factorProfile decidedBy
    decisionReason permissions }";

fn propose() -> String {
    change("proposeParameterSet", SHOWN)
}

fn approve() -> String {
    change("approveParameterSet", SHOWN)
}

fn decline() -> String {
    change("declineParameterSet", SHOWN)
}

fn proposal(fields: &Value) -> Value {
    let input = json!({
        "name": "Leistungsprüfung", "confidence": "0.95", "validFrom": "2026-01-01",
        "reason": "Jahresplanung, Wesentlichkeit wie im Vorjahr", "idempotencyKey": "p",
    });
    with(&input, fields)
}

fn decision(edition: &Value) -> Value {
    json!({ "id": edition["id"], "expectedVersion": edition["version"] })
}

/// An approved edition.
async fn approved(audit: &Audit<'_>, fields: &Value) -> Value {
    let proposed = audit.head.done(&propose(), proposal(fields)).await["parameterSet"].clone();
    audit.auditor.done(&approve(), decision(&proposed)).await["parameterSet"].clone()
}

const LINES: [(&str, &str, i64); 6] = [
    ("a", "09", 10_000),
    ("b", "01", 20_000),
    ("c", "09", 0),
    ("d", "01", 50_099),
    ("e", "02", 70_000),
    ("f", "02", 9_000),
];

on_both!(one_person_proposes_and_another_approves, |service| async move {
    let audit = Audit::small(&service, &LINES).await;
    let first = audit.head.done(&propose(), proposal(&json!({}))).await["parameterSet"].clone();
    assert_eq!(
        json!([
            first["number"],
            first["edition"],
            first["state"],
            first["confidence"],
            first["materiality"],
            first["factorProfile"]
        ]),
        json!([1, 1, "PROPOSED", "0.95", "0.02", "EXACT"])
    );
    assert_eq!(first["permissions"], json!(["PARAMETER_SET_READ"]));
    let again = audit.head.done(&propose(), proposal(&json!({}))).await["parameterSet"].clone();
    assert_eq!(again["id"], first["id"]);
    let other = proposal(&json!({ "confidence": "0.9" }));
    assert_eq!(
        audit.head.refused(&propose(), other).await,
        refusal("IDEMPOTENCY_KEY_REUSED", "input.idempotencyKey")
    );
    for (fields, code, path) in [
        (json!({ "name": "" }), "REQUIRED", "input.name"),
        (json!({ "reason": " " }), "REQUIRED", "input.reason"),
        (
            json!({ "confidence": "1" }),
            "CONFIDENCE_OUT_OF_RANGE",
            "input.confidence",
        ),
        (
            json!({ "confidence": "0" }),
            "CONFIDENCE_OUT_OF_RANGE",
            "input.confidence",
        ),
        (
            json!({ "materiality": "0" }),
            "RATE_OUT_OF_RANGE",
            "input.materiality",
        ),
        (
            json!({ "materiality": "1.01" }),
            "RATE_OUT_OF_RANGE",
            "input.materiality",
        ),
        (json!({ "number": 7 }), "NOT_FOUND", "input.number"),
    ] {
        let input = with(&proposal(&fields), &json!({ "idempotencyKey": "falsch" }));
        assert_eq!(
            audit.head.refused(&propose(), input).await,
            refusal(code, path),
            "{fields}"
        );
    }
    // The auditor proposes none, the head approves none.
    let input = json!({ "input": proposal(&json!({ "idempotencyKey": "x" })) });
    assert_eq!(
        audit
            .auditor
            .codes(&change("proposeParameterSet", ""), input)
            .await,
        ["FORBIDDEN"]
    );
    let input = json!({ "input": decision(&first) });
    assert_eq!(
        audit.head.codes(&change("approveParameterSet", ""), input).await,
        ["FORBIDDEN"]
    );
    // Whoever has both rights still needs another person.
    let one = service.person("head", "INNENREVISION");
    assert_eq!(
        one.refused(&approve(), decision(&first)).await,
        refusal("PARAMETER_SET_OWN", "input.id")
    );
    let stale = with(&decision(&first), &json!({ "expectedVersion": 2 }));
    assert_eq!(
        audit.auditor.refused(&approve(), stale).await,
        refusal("STALE_VERSION", "input.expectedVersion")
    );
    let quality = service.person("qs", "QUALITAETSSICHERUNG");
    let done = quality.done(&approve(), decision(&first)).await["parameterSet"].clone();
    assert_eq!(
        json!([done["state"], done["decidedBy"]]),
        json!(["APPROVED", "qs"])
    );
    assert_eq!(
        quality.refused(&approve(), decision(&done)).await,
        refusal("PARAMETER_SET_DECIDED", "input.id")
    );

    // Another edition of it, and another set.
    let second = proposal(&json!({ "number": 1, "materiality": "0.01", "idempotencyKey": "2" }));
    let second = audit.head.done(&propose(), second).await["parameterSet"].clone();
    assert_eq!(json!([second["number"], second["edition"]]), json!([1, 2]));
    let mut input = decision(&second);
    input["reason"] = json!("");
    assert_eq!(
        audit.auditor.refused(&decline(), input.clone()).await,
        refusal("REQUIRED", "input.reason")
    );
    input["reason"] = json!("Ein Prozent ist nicht begründet");
    let declined = audit.auditor.done(&decline(), input).await["parameterSet"].clone();
    assert_eq!(
        json!([declined["state"], declined["decisionReason"]]),
        json!(["DECLINED", "Ein Prozent ist nicht begründet"])
    );
    let third = proposal(&json!({ "idempotencyKey": "3" }));
    let third = audit.head.done(&propose(), third).await["parameterSet"].clone();
    assert_eq!(json!([third["number"], third["edition"]]), json!([2, 1]));
    let list = "{ parameterSets(first: 2) { totalCount edges { node { number edition } } } }";
    let told = audit.auditor.data(list, json!({})).await["parameterSets"].clone();
    assert_eq!(told["totalCount"], 3);
    assert_eq!(
        nodes(&told),
        [
            json!({ "number": 2, "edition": 1 }),
            json!({ "number": 1, "edition": 2 })
        ]
    );
    let local = service.person("sb", "SACHBEARBEITUNG:09");
    assert_eq!(
        local.codes("{ parameterSets { __typename } }", json!({})).await,
        ["FORBIDDEN"]
    );

    let system = service.later(0);
    let (found, _) = audit::trail::rows::unexplained(&system, &service.db)
        .await
        .unwrap();
    assert_eq!(found, []);
    for statement in [
        "UPDATE parameter_set SET materiality = '0.5'",
        "UPDATE parameter_set SET state = 'PROPOSED'",
        "DELETE FROM parameter_set",
    ] {
        assert!(
            service.db.owner().execute_unprepared(statement).await.is_err(),
            "{statement}"
        );
    }
});

on_both!(a_plan_takes_its_figures_from_the_set, |service| async move {
    let audit = Audit::small(&service, &LINES).await;
    let set = approved(&audit, &json!({ "materiality": "0.3", "confidence": "0.8" })).await;
    let shown = "query($id: ID!) { sample(id: $id) { parameters { confidence tolerableRate tolerableError
        parameterSet { id number edition materiality } } } }";
    let fields = json!({ "parameterSet": set["id"], "expectedRate": "0.0", "reason": null });
    let rate = audit.drawn("Quote", "SIMPLE_RANDOM", &fields).await;
    let cited = json!({ "id": set["id"], "number": 1, "edition": 1, "materiality": "0.3" });
    let told = audit.auditor.data(shown, json!({ "id": rate["id"] })).await;
    assert_eq!(
        told["sample"]["parameters"],
        json!({ "confidence": "0.8", "tolerableRate": "0.3", "tolerableError": null, "parameterSet": cited })
    );
    // Of the 1,590.99 euros above zero 30 per cent, rounded down.
    let money = audit
        .drawn(
            "Wert",
            "MONETARY_UNIT_FIXED_INTERVAL",
            &json!({ "parameterSet": set["id"], "size": 3 }),
        )
        .await;
    let told = audit.auditor.data(shown, json!({ "id": money["id"] })).await;
    assert_eq!(
        told["sample"]["parameters"],
        json!({ "confidence": "0.8", "tolerableRate": null, "tolerableError": "477.29", "parameterSet": cited })
    );
    checked(&audit, &money, 0).await;
    let document = "query($id: ID!) { sample(id: $id) { evaluation { confidence parameterSet { number edition } figures {
        ... on MonetaryFigures { tolerableError } } } } }";
    let found =
        audit.auditor.data(document, json!({ "id": money["id"] })).await["sample"]["evaluation"].clone();
    assert_eq!(
        found,
        json!({ "confidence": "0.8", "parameterSet": { "number": 1, "edition": 1 }, "figures": { "tolerableError": "477.29" } })
    );

    // No other figure beside it.
    for (method, fields, path) in [
        (
            "SIMPLE_RANDOM",
            json!({ "confidence": "0.9" }),
            "input.confidence",
        ),
        (
            "SIMPLE_RANDOM",
            json!({ "tolerableRate": "0.2" }),
            "input.tolerableRate",
        ),
        (
            "MONETARY_UNIT_FIXED_INTERVAL",
            json!({ "tolerableError": "5.00" }),
            "input.tolerableError",
        ),
    ] {
        let fields = with(&fields, &json!({ "size": 2, "parameterSet": set["id"] }));
        let input = audit.plan_input("daneben", method, &fields);
        assert_eq!(
            audit.auditor.refused(&plan(), input).await,
            refusal("FIGURE_BESIDE_PARAMETER_SET", path)
        );
    }
    let citing = |name: &str, id: &Value| {
        audit.plan_input(name, "SIMPLE_RANDOM", &json!({ "size": 2, "parameterSet": id }))
    };
    let unknown = json!(
        api::graphql::NodeKind::ParameterSet
            .id(uuid::Uuid::from_u128(7))
            .as_str()
    );
    assert_eq!(
        audit
            .auditor
            .refused(&plan(), citing("unbekannt", &unknown))
            .await,
        refusal("NOT_FOUND", "input.parameterSet")
    );
    let proposed = proposal(&json!({ "number": 1, "idempotencyKey": "2" }));
    let proposed = audit.head.done(&propose(), proposed).await["parameterSet"].clone();
    assert_eq!(
        audit
            .auditor
            .refused(&plan(), citing("früh", &proposed["id"]))
            .await,
        refusal("PARAMETER_SET_NOT_IN_FORCE", "input.parameterSet")
    );
    // The first edition is cited until the second one holds; what was planned keeps its figures.
    audit
        .auditor
        .done(&plan(), citing("erste Fassung", &set["id"]))
        .await;
    audit.auditor.done(&approve(), decision(&proposed)).await;
    assert_eq!(
        audit.auditor.refused(&plan(), citing("alt", &set["id"])).await,
        refusal("PARAMETER_SET_OUTDATED", "input.parameterSet")
    );
    let told = audit.auditor.data(shown, json!({ "id": rate["id"] })).await;
    assert_eq!(told["sample"]["parameters"]["parameterSet"], cited);
    let later = approved(
        &audit,
        &json!({ "number": 1, "validFrom": "2999-01-01", "idempotencyKey": "3" }),
    )
    .await;
    assert_eq!(
        audit
            .auditor
            .refused(&plan(), citing("zu früh", &later["id"]))
            .await,
        refusal("PARAMETER_SET_NOT_IN_FORCE", "input.parameterSet")
    );
    audit
        .auditor
        .done(&plan(), citing("zweite Fassung", &proposed["id"]))
        .await;
    let tables = approved(
        &audit,
        &json!({ "factorProfile": "EC_TABLES", "idempotencyKey": "4" }),
    )
    .await;
    // By printed tables no size is computed: it is given, and the guidance's evaluation has the set's figures.
    assert_eq!(
        audit
            .auditor
            .refused(
                &plan(),
                with(&citing("Tabellen", &tables["id"]), &json!({ "size": null }))
            )
            .await,
        refusal("REQUIRED", "input.size")
    );
    let fields = json!({ "size": 3, "parameterSet": tables["id"] });
    let sample = audit
        .drawn("mit Tabellen", "MONETARY_UNIT_FIXED_INTERVAL", &fields)
        .await;
    crate::checked(&audit, &sample, 0).await;
    let document = "query($id: ID!) { sample(id: $id) { parameters { parameterSet { factorProfile materiality } } evaluationBy {
        ec(input: { method: MUS_CONSERVATIVE }) { result { method confidence profile } userErrors { code path } } } } }";
    let told = audit.auditor.data(document, json!({ "id": sample["id"] })).await;
    let sample = &told["sample"];
    assert_eq!(sample["parameters"]["parameterSet"]["factorProfile"], "EC_TABLES");
    assert_eq!(
        sample["evaluationBy"]["ec"],
        json!({ "result": { "method": "ec-mus-conservative", "confidence": "0.95", "profile": "EC_TABLES" }, "userErrors": [] })
    );
});
