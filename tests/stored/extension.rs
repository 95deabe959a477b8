//! Extensions: of items, of strata, of monetary units; planned and unplanned.

use std::collections::BTreeSet;

use audit::sampling::selection::{Seed, ticket};
use serde_json::{Value, json};
use tests::on_both;
use tests::redraw::fetched;
use tests::story::{Audit, DICE, change, draw, nodes, plan, with};

use crate::{checked, redrawn, refusal};

/// Thrown for the extension.
const SECOND: &str = "70915386022841967530";

/// Forty lines over two Bezirksstellen, of 10 to 400 euros.
fn lines() -> Vec<(String, &'static str, i64)> {
    (1..=40)
        .map(|number| {
            let place = if number % 4 == 0 { "01" } else { "09" };
            (format!("Z{number:02}"), place, number * 1_000)
        })
        .collect()
}

async fn filled(service: &tests::Service) -> Audit<'_> {
    let lines = lines();
    let lines: Vec<_> = lines
        .iter()
        .map(|(reference, place, amount)| (reference.as_str(), *place, *amount))
        .collect();
    Audit::small(service, &lines).await
}

const SHOWN: &str = "id name version state size seed frameCount frameSum extension extends { id } extendedBy { id }
    parameters { planningMethod confidence tolerableRate extensionRule { kind size acceptAt extendAt acceptExtendedAt risk method version } }
    strata { label itemCount size }";

async fn shown(audit: &Audit<'_>, sample: &Value) -> Value {
    let document = format!("query($id: ID!) {{ sample(id: $id) {{ {SHOWN} }} }}");
    audit.auditor.data(&document, json!({ "id": sample["id"] })).await["sample"].clone()
}

/// A planned extension of a sample.
async fn extended(audit: &Audit<'_>, sample: &Value, name: &str, method: &str, fields: &Value) -> Value {
    let input = with(
        &audit.plan_input(name, method, fields),
        &json!({ "extends": sample["id"] }),
    );
    let planned = audit.planned(input).await;
    shown(audit, &planned).await
}

async fn drawn(audit: &Audit<'_>, sample: &Value, seed: &str) -> Value {
    let input = json!({ "id": sample["id"], "expectedVersion": sample["version"], "seed": seed });
    audit.auditor.done(&draw(), input).await["sample"].clone()
}

async fn ids(audit: &Audit<'_>, sample: &Value) -> Vec<String> {
    audit
        .selected(sample)
        .await
        .into_iter()
        .map(|(id, ..)| id)
        .collect()
}

async fn exclusions(audit: &Audit<'_>, sample: &Value) -> BTreeSet<String> {
    let found = audit.evaluation(sample, "").await;
    let codes = found["exclusions"].as_array().unwrap().iter();
    codes
        .map(|one| one["code"].as_str().unwrap().to_owned())
        .collect()
}

on_both!(items_not_drawn_yet_extend_a_sample, |service| async move {
    let audit = filled(&service).await;
    let first = audit
        .drawn("erste", "SIMPLE_RANDOM", &json!({ "size": 10 }))
        .await;
    let before = shown(&audit, &first).await;
    let second = extended(&audit, &first, "zweite", "SIMPLE_RANDOM", &json!({ "size": 6 })).await;
    assert_eq!(
        json!([second["extension"], second["frameCount"], second["extends"]["id"]]),
        json!(["UNPLANNED", 30, first["id"]])
    );
    // The same key answers the same, though the sample is extended by now.
    let again = extended(&audit, &first, "zweite", "SIMPLE_RANDOM", &json!({ "size": 6 })).await;
    assert_eq!(again["id"], second["id"]);

    // A seed of the chain is no fresh one.
    let input = json!({ "id": second["id"], "expectedVersion": second["version"], "seed": DICE });
    assert_eq!(
        audit.auditor.refused(&draw(), input).await,
        refusal("SEED_USED", "input.seed")
    );
    let stale = json!({ "id": second["id"], "expectedVersion": 7, "seed": SECOND });
    assert_eq!(
        audit.auditor.refused(&draw(), stale).await,
        refusal("STALE_VERSION", "input.expectedVersion")
    );
    let second = drawn(&audit, &second, SECOND).await;
    let gone: BTreeSet<_> = ids(&audit, &first).await.into_iter().collect();
    let seed = Seed::new(SECOND).unwrap();
    let mut left: Vec<(String, String)> = audit
        .population_items()
        .await
        .iter()
        .map(|item| item.id.0.to_string())
        .filter(|id| !gone.contains(id))
        .map(|id| (ticket(&seed, &id), id))
        .collect();
    left.sort();
    let expected: Vec<_> = left.into_iter().take(6).map(|(_, id)| id).collect();
    assert_eq!(ids(&audit, &second).await, expected);

    // The first stays as it is, and says that it was extended.
    let after = shown(&audit, &first).await;
    assert_eq!(after["extendedBy"]["id"], second["id"]);
    assert_eq!(with(&after, &json!({ "extendedBy": null })), before);

    // Whoever has the files repeats it: the frame is without what was drawn before.
    redrawn(&audit, &second, 30).await;
    redrawn(&audit, &first, 40).await;

    // Each is evaluated for itself, and says UNPLANNED.
    checked(&audit, &first, 1).await;
    checked(&audit, &second, 0).await;
    for (sample, size) in [(&first, 10), (&second, 6)] {
        let found = audit.evaluation(sample, "").await;
        assert_eq!(found["checked"], size);
        assert!(exclusions(&audit, sample).await.contains("UNPLANNED_EXTENSION"));
    }

    // Who extends further extends the extension.
    let input = audit.plan_input(
        "dritte",
        "SIMPLE_RANDOM",
        &json!({ "size": 2, "extends": first["id"] }),
    );
    assert_eq!(
        audit.auditor.refused(&plan(), input).await,
        refusal("SAMPLE_EXTENDED", "input.extends")
    );
    let third = extended(&audit, &second, "dritte", "SIMPLE_RANDOM", &json!({ "size": 2 })).await;
    assert_eq!(third["frameCount"], 24);
    let abort = change("abortSample", "sample { state }");
    let input = json!({ "id": third["id"], "expectedVersion": third["version"], "reason": "doch nicht" });
    audit.auditor.done(&abort, input).await;
    let fourth = extended(&audit, &second, "vierte", "SIMPLE_RANDOM", &json!({ "size": 24 })).await;
    let fourth = drawn(&audit, &fourth, "ein dritter Startwert").await;
    let all: BTreeSet<_> = [
        ids(&audit, &first).await,
        ids(&audit, &second).await,
        ids(&audit, &fourth).await,
    ]
    .concat()
    .into_iter()
    .collect();
    assert_eq!(all.len(), 40);
    redrawn(&audit, &fourth, 24).await;
    let empty = audit.plan_input(
        "fünfte",
        "SIMPLE_RANDOM",
        &json!({ "size": 1, "extends": fourth["id"] }),
    );
    assert_eq!(
        audit.auditor.refused(&plan(), empty).await,
        refusal("NOTHING_TO_SELECT", "input.populationId")
    );
});

on_both!(strata_and_monetary_units_are_extended, |service| async move {
    let audit = filled(&service).await;
    let first = audit
        .drawn("Schichten", "STRATIFIED_BY_BEZIRKSSTELLE", &json!({ "size": 8 }))
        .await;
    let of_first = shown(&audit, &first).await;
    let second = extended(
        &audit,
        &first,
        "weitere",
        "STRATIFIED_BY_BEZIRKSSTELLE",
        &json!({ "size": 8 }),
    )
    .await;
    for (whole, rest) in of_first["strata"]
        .as_array()
        .unwrap()
        .iter()
        .zip(second["strata"].as_array().unwrap())
    {
        let number = |stratum: &Value, field: &str| stratum[field].as_i64().unwrap();
        assert_eq!(
            number(rest, "itemCount"),
            number(whole, "itemCount") - number(whole, "size")
        );
    }
    let second = drawn(&audit, &second, SECOND).await;
    let once: BTreeSet<_> = [ids(&audit, &first).await, ids(&audit, &second).await]
        .concat()
        .into_iter()
        .collect();
    assert_eq!(once.len(), 16);
    redrawn(&audit, &second, 32).await;

    // Monetary units: once more from all of them, by another seed.
    let first = audit
        .drawn("Wert", "MONETARY_UNIT_FIXED_INTERVAL", &json!({ "size": 10 }))
        .await;
    let second = extended(
        &audit,
        &first,
        "Wert 2",
        "MONETARY_UNIT_FIXED_INTERVAL",
        &json!({ "size": 10 }),
    )
    .await;
    assert_eq!(
        json!([second["frameCount"], second["extension"]]),
        json!([40, "UNPLANNED"])
    );
    assert_eq!(second["frameSum"], first["frameSum"]);
    let input = json!({ "id": second["id"], "expectedVersion": second["version"], "seed": DICE });
    assert_eq!(
        audit.auditor.refused(&draw(), input).await,
        refusal("SEED_USED", "input.seed")
    );
    let second = drawn(&audit, &second, SECOND).await;
    redrawn(&audit, &second, 40).await;
});

/// Plans two stages of the population.
async fn two_stages(audit: &Audit<'_>, name: &str) -> Value {
    let fields = json!({ "extensionRule": "TWO_STAGE", "confidence": "0.80", "tolerableRate": "0.20" });
    let planned = audit
        .planned(audit.plan_input(name, "SIMPLE_RANDOM", &fields))
        .await;
    drawn(audit, &planned, name).await
}

/// What both stages say together.
const TOGETHER: &str = "query($id: ID!) { sample(id: $id) { evaluation { confidence checked errors exclusions { code } figures {
    ... on TwoStageFigures { firstErrors secondErrors rate upperLimit decision conclusion rule { size } } } } } }";

async fn together(audit: &Audit<'_>, sample: &Value) -> Value {
    audit.auditor.data(TOGETHER, json!({ "id": sample["id"] })).await["sample"]["evaluation"].clone()
}

on_both!(
    an_extension_fixed_beforehand_is_evaluated_together,
    |service| async move {
        let audit = filled(&service).await;
        let first = two_stages(&audit, "Stufe 1").await;
        let rule = shown(&audit, &first).await["parameters"]["extensionRule"].clone();
        let size = rule["size"].as_u64().unwrap();
        assert_eq!(
            json!([
                rule["kind"],
                rule["acceptAt"],
                rule["extendAt"],
                rule["acceptExtendedAt"],
                first["size"]
            ]),
            json!(["TWO_STAGE", 0, 1, 0, size])
        );
        // From whole numbers of ways to choose, apart from this program; a figure that has to change here needs a new version.
        assert_eq!(
            json!([rule["size"], rule["risk"], rule["method"], rule["version"]]),
            json!([8, "0.172774025406", "attribute-two-stage-hypergeometric", "1"])
        );
        // The record of the draw says it, and the plan in it is digested with it.
        let record = redrawn(&audit, &first, 40).await;
        let told = record["plan"]["extensionRule"].as_str().unwrap().to_owned();
        assert!(
            told.starts_with("attribute-two-stage-hypergeometric 1: accept at 0, at 1 draw"),
            "{told}"
        );

        // Not before the first stage is checked.
        let by_rule = audit.plan_input("Stufe 2", "SIMPLE_RANDOM", &json!({ "extends": first["id"] }));
        assert_eq!(
            audit.auditor.refused(&plan(), by_rule.clone()).await,
            refusal("SAMPLE_NOT_EVALUABLE", "input.extends")
        );
        checked(&audit, &first, 1).await;
        let found = together(&audit, &first).await;
        assert_eq!(
            json!([
                found["figures"]["decision"],
                found["figures"]["conclusion"],
                found["figures"]["upperLimit"],
                found["figures"]["secondErrors"]
            ]),
            json!(["EXTEND", "INCONCLUSIVE", null, null])
        );
        let asked = "query($id: ID!) { sample(id: $id) { evaluation(confidence: \"0.95\") { errors } } }";
        let answer = audit.auditor.graphql(asked, json!({ "id": first["id"] })).await;
        assert_eq!(answer["errors"][0]["extensions"]["reason"], "INVALID_VALUE");

        let planned = audit.planned(by_rule).await;
        let second = shown(&audit, &planned).await;
        assert_eq!(
            json!([
                second["extension"],
                second["size"],
                second["parameters"]["confidence"],
                second["parameters"]["extensionRule"]
            ]),
            json!(["PLANNED", size, "0.80", null])
        );
        let second = drawn(&audit, &second, SECOND).await;
        redrawn(&audit, &second, 40 - usize::try_from(size).unwrap()).await;
        // Once the second stage is drawn, its items are waited for.
        let answer = audit
            .auditor
            .graphql(TOGETHER, json!({ "id": first["id"] }))
            .await;
        assert_eq!(
            answer["errors"][0]["extensions"]["reason"],
            "SAMPLE_NOT_EVALUABLE"
        );
        let so_far = audit
            .auditor
            .data(
                &TOGETHER.replace("evaluation {", "evaluation(provisional: true) {"),
                json!({ "id": first["id"] }),
            )
            .await;
        assert_eq!(so_far["sample"]["evaluation"]["figures"]["decision"], Value::Null);
        checked(&audit, &second, 0).await;
        let found = together(&audit, &first).await;
        assert_eq!(found, together(&audit, &second).await);
        assert_eq!(
            json!([
                found["checked"],
                found["errors"],
                found["confidence"],
                found["figures"]["decision"],
                found["figures"]["conclusion"]
            ]),
            json!([2 * size, 1, "0.80", "ACCEPTED", "NOT_MATERIAL"])
        );
        assert_eq!(found["figures"]["upperLimit"], "0.175000");
        assert!(!found["exclusions"].to_string().contains("UNPLANNED"), "{found}");
    }
);

on_both!(whoever_leaves_the_rule_extends_unplanned, |service| async move {
    let audit = filled(&service).await;
    let first = two_stages(&audit, "Stufe 1").await;
    checked(&audit, &first, 2).await;
    let by_rule = audit.plan_input("Stufe 2", "SIMPLE_RANDOM", &json!({ "extends": first["id"] }));
    assert_eq!(
        audit.auditor.refused(&plan(), by_rule).await,
        refusal("EXTENSION_NOT_DUE", "input.extends")
    );
    assert_eq!(
        together(&audit, &first).await["figures"]["decision"],
        "NOT_ACCEPTED"
    );
    let second = extended(&audit, &first, "andere", "SIMPLE_RANDOM", &json!({ "size": 3 })).await;
    assert_eq!(second["extension"], "UNPLANNED");
    let second = drawn(&audit, &second, SECOND).await;
    checked(&audit, &second, 0).await;
    let found = together(&audit, &first).await;
    assert_eq!(
        json!([found["figures"]["decision"], found["figures"]["secondErrors"]]),
        json!(["NOT_ACCEPTED", null])
    );
    for sample in [&first, &second] {
        assert!(exclusions(&audit, sample).await.contains("UNPLANNED_EXTENSION"));
    }
});

on_both!(what_cannot_extend, |service| async move {
    let audit = filled(&service).await;
    let first = audit.drawn("erste", "SIMPLE_RANDOM", &json!({ "size": 5 })).await;
    let planned = audit
        .planned(audit.plan_input("geplant", "SIMPLE_RANDOM", &json!({ "size": 2 })))
        .await;
    let choose = change("chooseSample", "sample { id }");
    let input = json!({
        "populationId": audit.population, "name": "Risiko", "reason": "x", "idempotencyKey": "r", "items": [{ "key": ["Z01"] }],
    });
    let chosen = audit.auditor.done(&choose, input).await["sample"].clone();
    let (status, text) = fetched(&audit.auditor, "/exports/draw-file.csv", &chosen["id"]).await;
    assert!(
        status == 422 && text.contains("SAMPLE_NOT_DRAWN_HERE"),
        "{status}: {text}"
    );
    let other = Audit::of(&service, &audit.engagement, "andere").await;
    let other = other.filled(&[("a", "09", 100), ("b", "01", 200)]).await;
    let elsewhere = other
        .drawn("anderswo", "SIMPLE_RANDOM", &json!({ "size": 1 }))
        .await;
    let rule = |fields: Value| {
        with(
            &json!({ "extensionRule": "TWO_STAGE", "confidence": "0.80", "tolerableRate": "0.20" }),
            &fields,
        )
    };
    for (method, fields, code, path) in [
        (
            "SIMPLE_RANDOM",
            json!({ "size": 2, "extends": planned["id"] }),
            "SAMPLE_NOT_DRAWN",
            "input.extends",
        ),
        (
            "SIMPLE_RANDOM",
            json!({ "size": 2, "extends": elsewhere["id"] }),
            "INVALID_VALUE",
            "input.extends",
        ),
        (
            "SIMPLE_RANDOM",
            json!({ "size": 2, "extends": chosen["id"] }),
            "INVALID_VALUE",
            "input.extends",
        ),
        (
            "SIMPLE_RANDOM",
            json!({ "extends": first["id"] }),
            "SIZE_INVALID",
            "input.size",
        ),
        (
            "SIMPLE_RANDOM",
            json!({ "size": 36, "extends": first["id"] }),
            "SAMPLE_LARGER_THAN_POPULATION",
            "input.size",
        ),
        (
            "STRATIFIED_BY_BEZIRKSSTELLE",
            json!({ "size": 2, "extends": first["id"] }),
            "INVALID_VALUE",
            "input.method",
        ),
        (
            "SIMPLE_RANDOM",
            json!({ "size": 2, "extends": api::graphql::NodeKind::Sample.id(uuid::Uuid::from_u128(7)).as_str() }),
            "NOT_FOUND",
            "input.extends",
        ),
        (
            "STRATIFIED_BY_BEZIRKSSTELLE",
            rule(json!({})),
            "INVALID_VALUE",
            "input.extensionRule",
        ),
        (
            "SIMPLE_RANDOM",
            rule(json!({ "extends": first["id"] })),
            "INVALID_VALUE",
            "input.extensionRule",
        ),
        (
            "SIMPLE_RANDOM",
            rule(json!({ "size": 3 })),
            "SIZE_INVALID",
            "input.size",
        ),
        (
            "SIMPLE_RANDOM",
            rule(json!({ "expectedRate": "0.01" })),
            "INVALID_VALUE",
            "input.expectedRate",
        ),
        (
            "SIMPLE_RANDOM",
            rule(json!({ "confidence": null })),
            "REQUIRED",
            "input.confidence",
        ),
        (
            "SIMPLE_RANDOM",
            rule(json!({ "tolerableRate": "0.0001" })),
            "SAMPLE_LARGER_THAN_POPULATION",
            "input.tolerableRate",
        ),
    ] {
        let input = audit.plan_input("unmöglich", method, &fields);
        assert_eq!(
            audit.auditor.refused(&plan(), input).await,
            refusal(code, path),
            "{fields}"
        );
    }
    // Nothing of it was stored.
    let document = "query($id: ID!) { engagement(id: $id) { samples { edges { node { name } } } } }";
    let told = audit
        .auditor
        .data(document, json!({ "id": audit.engagement }))
        .await;
    assert_eq!(nodes(&told["engagement"]["samples"]).len(), 4);
});
