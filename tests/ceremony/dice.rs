//! Draws by dice, and a restart in the middle of one.

use std::sync::Arc;

use api::graphql::NodeKind;
use audit::Ctx;
use audit::access::{Caller, Membership};
use entity::{PopulationId, SampleId};
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};
use tests::redraw::LINES;
use tests::story::{Audit, DICE, draw, with};
use tests::{Backend, Hand, Service};

use crate::by_hand;
use crate::desk::{
    BEGIN, SOURCE, auditors, commits, dice, drawing, input, officer, officers, open, opening, opens, own,
    refusal, seen,
};
use crate::outside::{all_placed, nothing_unexplained, reason, redraw, repeated, tampered};

/// The auditor's own context, for what happens while nobody listens.
fn auditing(sources: &Arc<audit::Sources>) -> Ctx {
    let membership: Membership = "INNENREVISION+OWN_STAFF".parse().unwrap();
    let caller = Caller {
        subject: "auditor".to_owned(),
        name: None,
        membership: Some(membership),
        bezirksstelle: None,
        authenticated: true,
        grant: None,
    };
    Ctx::new(caller, sources.new_id(), sources.clone())
}

fn row(kind: NodeKind, id: &Value) -> uuid::Uuid {
    kind.parse(id.as_str().unwrap()).unwrap()
}

by_hand!(
    dice_and_a_restart_in_the_middle,
    |service: Service, clock: Arc<Hand>| async move {
        let audit = Audit::small(&service, &LINES).await;
        let (dsb, auditor) = (officer(&service), &audit.auditor);
        let thrown = json!({ "source": { "dice": { "throws": 20 } }, "openUntil": "2023-08-23T15:30:00Z" });
        let asked = audit.plan_input(
            "Ziehung",
            "MONETARY_UNIT_FIXED_INTERVAL",
            &with(
                &json!({ "size": 3, "assurance": "NOT_STEERABLE", "parties": [auditors(), officers()] }),
                &thrown,
            ),
        );
        let sample = audit.planned_once_signed(asked).await;
        commits(auditor, "eins").await;
        commits(&dsb, "zwei").await;
        opens(auditor, "eins").await;
        // The other one stays silent beyond the time that the plan gives.
        clock.set(SOURCE);
        let next = Audit::of(&service, &audit.engagement, "Nachtrag").await;
        let (engagement, population, other) = (
            audit.engagement.clone(),
            audit.population.clone(),
            next.population.clone(),
        );
        let version = seen(auditor, &sample).await["version"].as_i64().unwrap();
        // The second population is ready but for freezing.
        let mapping = json!({
            "encoding": "UTF_8", "delimiter": "SEMICOLON", "decimals": "GERMAN", "dateFormat": "ISO", "key": ["Beleg"],
            "reference": "Beleg", "bezirksstelle": "Ort", "amount": "Betrag", "singleFund": "KOMMUNE",
        });
        next.import(mapping, b"Beleg;Ort;Betrag\nx;09;1,00\ny;01;2,00\n".to_vec())
            .await;
        next.control_total("fund;bezirksstelle;month;count;sum\nKOMMUNE;09;;1;1,00\nKOMMUNE;01;;1;2,00\n")
            .await;
        let frozen_version = next.seen("version").await["version"].as_i64().unwrap();
        all_placed(&audit).await;
        drop((next, dsb, audit));

        let service = service
            .restarted(async |db, sources| {
                let ctx = auditing(sources);
                // Nobody gives entries their place while the service is down.
                let id = PopulationId(row(NodeKind::Population, &json!(other)));
                audit::population::freeze(&ctx, db, id, i32::try_from(frozen_version).unwrap())
                    .await
                    .unwrap();
                let plan = audit::sample::PlanInput {
                    population_id: id,
                    name: "zu früh".to_owned(),
                    method: entity::sample::Method::SimpleRandom,
                    stratified: false,
                    size: Some(1),
                    confidence: None,
                    tolerable_rate: None,
                    expected_rate: None,
                    tolerable_cents: None,
                    expected_cents: None,
                    checks_per_item: 1,
                    reason: None,
                    extends: None,
                    extension_rule: None,
                    parameter_set: None,
                    ceremony: audit::sample::CeremonyInput {
                        assurance: audit::sampling::ceremony::Assurance::Witnessed,
                        parties: [
                            ("Innenrevision", "auditor", "INNENREVISION"),
                            ("Datenschutz", "dsb", "DATENSCHUTZ"),
                        ]
                        .map(|(name, subject, role)| audit::sample::PartyInput {
                            name: name.to_owned(),
                            subject: subject.to_owned(),
                            role: role.parse().unwrap(),
                        })
                        .into(),
                        source: None,
                        open_until: None,
                    },
                };
                let refused = audit::sample::plan(&ctx, db, "zu früh", plan).await.unwrap_err();
                assert!(format!("{refused:?}").contains("RootNotSigned"), "{refused:?}");
                let draw = audit::sample::Draw {
                    id: SampleId(row(NodeKind::Sample, &sample["id"])),
                    expected_version: i32::try_from(version).unwrap(),
                    seed: None,
                    source: Some(audit::sample::SourceInput::Dice(audit::sample::DiceInput {
                        digits: DICE.to_owned(),
                        begun_at: chrono::DateTime::from_timestamp(SOURCE - 60, 0).unwrap(),
                        thrown_by: "Anna".to_owned(),
                        witnesses: vec!["Bert".to_owned()],
                        recording: "Aufzeichnung 17".to_owned(),
                    })),
                };
                let refused = audit::sample::draw(&ctx, db, draw).await.unwrap_err();
                assert!(format!("{refused:?}").contains("LogPending"), "{refused:?}");
            })
            .await;

        // The source was recorded, and nothing was drawn: the draw goes on with it and with no other.
        let audit = Audit {
            service: &service,
            auditor: service.auditor(),
            head: service.head(),
            engagement,
            population,
        };
        let dsb = officer(&service);
        let auditor = &audit.auditor;
        let told = seen(auditor, &sample).await;
        assert_eq!((&told["state"], &told["seed"]), (&json!("PLANNED"), &Value::Null));
        assert!(
            told["ceremony"]["source"]["text"]
                .as_str()
                .unwrap()
                .contains(DICE)
        );
        let part = own(&dsb).await;
        assert_eq!(part["permissions"], json!(["CONTRIBUTION_READ"]));
        assert_eq!(
            dsb.refused(&open(), opening(&part, "zwei")).await,
            refusal("SOURCE_RECORDED", "input.id")
        );
        let other = dice("99999999999999999999", SOURCE - 60);
        let asked = drawing(&audit, &sample, &other).await;
        assert_eq!(
            auditor.refused(&draw(), asked).await,
            refusal("SOURCE_RECORDED", "input.source.dice")
        );
        let sql = "UPDATE ceremony SET source = NULL";
        assert!(service.db.owner().execute_unprepared(sql).await.is_err());
        let asked = drawing(&audit, &sample, &Value::Null).await;
        auditor.done(&draw(), asked).await;
        let told = seen(auditor, &sample).await;
        assert_eq!(told["ceremony"]["parties"][1]["silent"], true);
        assert_eq!(told["ceremony"]["parties"][1]["couldSteer"], false);
        assert!(told["ceremony"]["cannotRuleOut"].to_string().contains("dice"));
        if let Some((binary, file, record)) = repeated(&audit, &sample).await {
            assert_eq!(record["material"]["source"]["digits"], DICE);
            let why = |change: fn(&mut Value)| reason(&binary, &file, &tampered(&record, change));
            let other =
                |record: &mut Value| record["material"]["source"]["begunAt"] = json!(BEGIN - 1_000_000);
            assert_eq!(why(other), "SOURCE_BEFORE_PLAN");
            let (_, answer) = redraw(
                &binary,
                &file,
                &tampered(&record, |record| {
                    record["material"]["source"]["digits"] = json!("99999999999999999999");
                }),
                &[],
            );
            assert_eq!(answer["differences"][0]["code"], "SEED_DIFFERS");
        }

        // A session is complete, or it is none.
        let fields = with(
            &thrown,
            &json!({ "openUntil": null, "name": "zweite", "idempotencyKey": "zweite" }),
        );
        let second = audit
            .planned_once_signed(input(&audit, "NOT_STEERABLE", &fields))
            .await;
        commits(auditor, "eins").await;
        commits(&dsb, "zwei").await;
        opens(auditor, "eins").await;
        opens(&dsb, "zwei").await;
        clock.set(SOURCE + 600);
        let changed = |fields: Value| json!({ "dice": with(&dice(DICE, SOURCE + 60)["dice"], &fields) });
        for (source, code, path) in [
            (
                changed(json!({ "witnesses": ["Anna"] })),
                "WITNESS_MISSING",
                "witnesses",
            ),
            (
                changed(json!({ "witnesses": [] })),
                "WITNESS_MISSING",
                "witnesses",
            ),
            (changed(json!({ "recording": " " })), "REQUIRED", "recording"),
            (
                changed(json!({ "digits": "0138243811279731665" })),
                "DICE_THROWS_DIFFER",
                "digits",
            ),
            (
                changed(json!({ "digits": "0138243811279731665x" })),
                "INVALID_VALUE",
                "digits",
            ),
            (
                changed(json!({ "begunAt": "2024-01-01T00:00:00Z" })),
                "LOG_OUT_OF_ORDER",
                "begunAt",
            ),
        ] {
            let asked = drawing(&audit, &second, &source).await;
            let path = format!("input.source.dice.{path}");
            assert_eq!(
                auditor.refused(&draw(), asked).await,
                refusal(code, &path),
                "{source}"
            );
        }
        let early = drawing(&audit, &second, &dice(DICE, SOURCE - 3_000)).await;
        assert_eq!(
            auditor.refused(&draw(), early).await,
            refusal("SOURCE_BEFORE_PLAN", "input.source")
        );
        let asked = drawing(&audit, &second, &dice(DICE, SOURCE + 60)).await;
        auditor.done(&draw(), asked).await;
        repeated(&audit, &second).await;
        nothing_unexplained(&service).await;
        drop((audit, dsb));
        service
    }
);
