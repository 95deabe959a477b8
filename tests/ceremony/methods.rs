//! Extensions, intervals, strata and cases with a witness.

use std::sync::Arc;

use serde_json::{Value, json};
use tests::redraw::LINES;
use tests::story::{Audit, draw, with};
use tests::{Backend, Hand, Service};

use crate::by_hand;
use crate::desk::{BEGIN, auditors, commits, drawing, officer, officers, opens, seen};
use crate::outside::{nothing_unexplained, repeated};

/// Plans with a witness, lets both parties contribute, and draws.
async fn drawn(service: &Service, audit: &Audit<'_>, name: &str, method: &str, fields: &Value) -> Value {
    let level = json!({ "assurance": "WITNESSED", "parties": [auditors(), officers()] });
    let input = audit.plan_input(name, method, &with(&level, fields));
    let sample = audit.planned_once_signed(input).await;
    let dsb = officer(service);
    for person in [&audit.auditor, &dsb] {
        commits(person, name).await;
    }
    for person in [&audit.auditor, &dsb] {
        opens(person, name).await;
    }
    let drawing = drawing(audit, &sample, &Value::Null).await;
    audit.auditor.done(&draw(), drawing).await;
    sample
}

by_hand!(
    every_method_with_a_witness,
    |service: Service, _clock: Arc<Hand>| async move {
        let audit = Audit::small(&service, &LINES).await;
        let size = |size: i64| json!({ "size": size });
        let first = drawn(&service, &audit, "erste", "SIMPLE_RANDOM", &size(3)).await;
        let fields = json!({ "size": 2, "extends": first["id"] });
        let second = drawn(&service, &audit, "Erweiterung", "SIMPLE_RANDOM", &fields).await;
        assert_ne!(
            seen(&audit.auditor, &first).await["seed"],
            seen(&audit.auditor, &second).await["seed"]
        );
        let taken = |sample: Value| {
            let audit = &audit;
            async move {
                let drawn = audit.selected(&sample).await;
                drawn.into_iter().map(|(id, ..)| id).collect::<Vec<_>>()
            }
        };
        let before = taken(first.clone()).await;
        assert!(taken(second.clone()).await.iter().all(|id| !before.contains(id)));
        let mut samples = vec![first, second];
        let strata = json!({ "size": 6, "stratifiedBy": "BEZIRKSSTELLE" });
        for (method, fields) in [
            ("RECORD_INTERVAL", size(3)),
            ("MONETARY_UNIT_RANDOMISED_INTERVAL", size(3)),
            ("SIMPLE_RANDOM_CLUSTERS", size(3)),
            ("RECORD_INTERVAL", strata.clone()),
            ("MONETARY_UNIT_FIXED_INTERVAL", strata),
        ] {
            let name = format!("{method} {fields}");
            samples.push(drawn(&service, &audit, &name, method, &fields).await);
        }
        for sample in &samples {
            repeated(&audit, sample).await;
        }
        nothing_unexplained(&service).await;
        service
    }
);
