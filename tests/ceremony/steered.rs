//! Draws nobody can steer, by a round of the beacon.

use std::sync::Arc;

use audit::sampling::ceremony::drand;
use serde_json::{Value, json};
use tests::redraw::LINES;
use tests::story::{Audit, DICE, change, draw, nodes, with};
use tests::{Backend, Hand, Service};

use crate::by_hand;
use crate::desk::{
    BEGIN, SIGNATURE, SOURCE, auditors, commit, commits, committing, dice, drawing, input, officer, officers,
    open, opening, opens, own, quicknet, refusal, seen,
};
use crate::outside::{nothing_unexplained, oracle, reason, redraw, repeated, tampered};

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
