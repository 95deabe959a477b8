//! What cannot be planned.

use std::sync::Arc;

use serde_json::{Value, json};
use tests::redraw::LINES;
use tests::story::{Audit, change, plan, with};
use tests::{Backend, Hand, Service};

use crate::by_hand;
use crate::desk::{BEGIN, auditors, input, officers, quicknet, refusal};

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
