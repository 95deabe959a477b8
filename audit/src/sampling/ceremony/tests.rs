//! Ceremonies that lead to a seed, and those that must not.

use super::*;
use crate::sampling::selection::SelectionMethod;

const ROUND: u64 = 1000;
/// Time of round 1000 of quicknet.
const SOURCE: i64 = 1_692_806_364;
const SIGNATURE: &str =
    "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39";

fn quicknet() -> Bytes32 {
    Bytes32::parse(drand::CHAINS[0].hash).unwrap()
}

fn plan(assurance: Assurance) -> Plan {
    let everyday = assurance == Assurance::Everyday;
    Plan {
        engagement: "P-2026-001".to_owned(),
        sample: "Auszahlungen 2025".to_owned(),
        population_root: Bytes32([0x11; 32]),
        frame_digest: Bytes32([0x22; 32]),
        strata: vec![PlannedStratum {
            name: "gesamt".to_owned(),
            method: SelectionMethod::FixedInterval,
            size: 60,
            population_size: 1_000,
            book_value: Some(500_000),
        }],
        confidence: Some("0.950".parse().unwrap()),
        tolerable_rate: None,
        expected_rate: None,
        tolerable_error: Some(10_000),
        expected_error: Some(0),
        extension_rule: None,
        assurance,
        parties: if everyday {
            Vec::new()
        } else {
            ["Innenrevision", "Datenschutz"].map(str::to_owned).into()
        },
        source: (assurance == Assurance::NotSteerable).then(|| PlannedSource::Drand {
            chain: quicknet(),
            round: ROUND,
        }),
    }
}

fn logged(position: u64, before_source: i64) -> Logged {
    Logged {
        position,
        at: SOURCE - before_source,
    }
}

fn contribution(party: &str) -> Contribution {
    Contribution {
        party: party.to_owned(),
        salt: Bytes32([u8::try_from(party.len()).unwrap(); 32]),
        text: format!("Beitrag von {party}"),
    }
}

fn material(plan: &Plan) -> Material {
    let parties = || (10..).zip(&plan.parties);
    let everyday = plan.assurance == Assurance::Everyday;
    Material {
        frozen: logged(1, 5_000),
        planned: logged(2, 4_000),
        commitments: parties()
            .map(|(position, party)| Commitment {
                party: party.clone(),
                digest: commitment(plan.digest(), &contribution(party)).unwrap(),
                logged: logged(position, 3_000),
            })
            .collect(),
        openings: parties()
            .map(|(position, party)| Opening {
                contribution: contribution(party),
                logged: logged(position + 10, 1_000),
            })
            .collect(),
        source: match &plan.source {
            None => None,
            Some(PlannedSource::Drand { .. }) => Some(Source::Drand(drand::Round {
                round: ROUND,
                signature: SIGNATURE.to_owned(),
                previous_signature: None,
                randomness: None,
                chain_hash: None,
            })),
            Some(PlannedSource::Dice { .. }) => Some(Source::Dice(session())),
        },
        own_seed: everyday.then(|| "01382438112797316654".to_owned()),
    }
}

fn session() -> Session {
    Session {
        digits: "01382438112797316654".to_owned(),
        begun_at: SOURCE,
        thrown_by: "Anna".to_owned(),
        witnesses: vec!["Bert".to_owned()],
        recording: "Aufzeichnung 17".to_owned(),
        logged: Logged {
            position: 90,
            at: SOURCE + 600,
        },
    }
}

fn refused(plan: &Plan, change: impl FnOnce(&mut Material)) -> (&'static str, &'static str) {
    let mut material = material(plan);
    change(&mut material);
    let error = conclude(plan, &material).unwrap_err();
    (error.code(), error.field())
}

#[test]
fn seeds_equal_those_computed_in_python() {
    // tests/oracles/draw.py, from the text of audit/README.md
    let plan = plan(Assurance::NotSteerable);
    let ceremony = conclude(&plan, &material(&plan)).unwrap();
    assert_eq!(
        plan.digest().to_string(),
        "08e72e5feba27e9aa09b8030758cc2c810bfd4759599b7d44e18b12d537e2ccc"
    );
    assert_eq!(
        material(&plan).commitments[0].digest.to_string(),
        "4bb5169ea0667a479168b67630f1cdde6a305dc188fbcfb065ccfae7b9e6f391"
    );
    assert_eq!(
        ceremony.seed,
        "10ba5df57a60b30f15593fc8087a887037626edca494555ed8f02f610a38188f"
    );
    assert_eq!(ceremony.opened, plan.parties);
    assert!(ceremony.silent.is_empty());
    assert_eq!(ceremony.source.as_ref().unwrap().at, SOURCE);
    let json = serde_json::to_value(&ceremony).unwrap();
    assert_eq!(json["assurance"], "NOT_STEERABLE");
    assert_eq!(json["planDigest"], plan.digest().to_string());
}

#[test]
fn everything_that_counts_changes_the_seed() {
    let seed = |change: fn(&mut Plan)| {
        let mut plan = plan(Assurance::NotSteerable);
        change(&mut plan);
        conclude(&plan, &material(&plan)).unwrap().seed
    };
    let seeds = [
        seed(|_| {}),
        seed(|plan| plan.engagement.push('x')),
        seed(|plan| plan.sample.push('x')),
        seed(|plan| plan.population_root = Bytes32([0x12; 32])),
        seed(|plan| plan.frame_digest = Bytes32([0x23; 32])),
        seed(|plan| plan.strata[0].name.push('x')),
        seed(|plan| plan.strata[0].method = SelectionMethod::Cell),
        seed(|plan| plan.strata[0].size = 61),
        seed(|plan| plan.strata[0].population_size = 1_001),
        seed(|plan| plan.strata[0].book_value = Some(500_001)),
        seed(|plan| plan.confidence = None),
        seed(|plan| plan.tolerable_rate = Some("0.05".parse().unwrap())),
        seed(|plan| plan.expected_rate = Some("0.01".parse().unwrap())),
        seed(|plan| plan.tolerable_error = Some(10_001)),
        seed(|plan| plan.expected_error = Some(1)),
        seed(|plan| plan.extension_rule = Some("30 weitere bei 1 Fehler".to_owned())),
        seed(|plan| plan.assurance = Assurance::Witnessed),
        seed(|plan| plan.parties.reverse()),
        seed(|plan| plan.parties.push("RPA".to_owned())),
        seed(|plan| plan.source = Some(PlannedSource::Dice { throws: 20 })),
    ];
    let different: std::collections::BTreeSet<_> = seeds.iter().collect();
    assert_eq!(different.len(), seeds.len());
    // notation is not content
    assert_eq!(
        seed(|plan| plan.confidence = Some("0.95".parse().unwrap())),
        seeds[0]
    );
}

#[test]
fn who_did_not_open_is_named() {
    let witnessed = plan(Assurance::Witnessed);
    let mut half = material(&witnessed);
    let all = conclude(&witnessed, &half).unwrap();
    half.openings.pop();
    let ceremony = conclude(&witnessed, &half).unwrap();
    assert_ne!(all.seed, ceremony.seed);
    let silence = |late, could_steer| Silence {
        party: "Datenschutz".to_owned(),
        late,
        could_steer,
    };
    assert_eq!(ceremony.silent, [silence(false, true)]);
    assert_eq!(ceremony.cannot_rule_out.len(), all.cannot_rule_out.len() + 1);

    // before a source that nobody knows, silence gains nothing, and neither does an opening after it
    let public = plan(Assurance::NotSteerable);
    let mut half = material(&public);
    half.openings[1].logged.at = SOURCE;
    let late = conclude(&public, &half).unwrap();
    assert_eq!(late.silent, [silence(true, false)]);
    half.openings.pop();
    let silent = conclude(&public, &half).unwrap();
    assert_eq!(silent.silent, [silence(false, false)]);
    assert_eq!(silent.seed, late.seed);
}

#[test]
fn contributions_have_to_be_those_committed_in_their_order() {
    for assurance in [Assurance::Witnessed, Assurance::NotSteerable] {
        let plan = plan(assurance);
        let refused = |change: fn(&mut Material)| refused(&plan, change);
        let differs = ("COMMITMENT_DIFFERS", "openings");
        assert_eq!(refused(|m| m.openings[0].contribution.text.push('!')), differs);
        assert_eq!(refused(|m| m.openings[0].contribution.salt.0[31] ^= 1), differs);
        assert_eq!(
            refused(|m| m.openings[0].contribution.party = "RPA".to_owned()).0,
            "PARTY_UNKNOWN"
        );
        assert_eq!(
            refused(|m| m.commitments[0].party = "RPA".to_owned()).0,
            "PARTY_UNKNOWN"
        );
        // the commitment of another party is not one's own
        assert_eq!(
            refused(|m| m.commitments[0].digest = m.commitments[1].digest),
            differs
        );
        assert_eq!(refused(|m| drop(m.commitments.pop())).0, "COMMITMENT_MISSING");
        let twice = |m: &mut Material| {
            let mut again = m.commitments[0].clone();
            again.logged.position = 12;
            m.commitments.push(again);
        };
        assert_eq!(refused(twice).0, "CONTRIBUTION_DOUBLED");
        let twice = |m: &mut Material| {
            let mut again = m.openings[0].clone();
            again.logged.position = 25;
            m.openings.push(again);
        };
        assert_eq!(refused(twice).0, "CONTRIBUTION_DOUBLED");
        let early = |m: &mut Material| {
            m.commitments[1].logged.position = 30;
            m.commitments[1].logged.at += 2_500;
        };
        assert_eq!(refused(early), ("OPENED_TOO_EARLY", "openings"));
        assert_eq!(refused(|m| m.openings.clear()), ("NOBODY_OPENED", "openings"));
        assert_eq!(
            refused(|m| m.own_seed = Some("1".to_owned())),
            ("NOT_USED_AT_THIS_LEVEL", "ownSeed")
        );
        let long = |m: &mut Material| m.openings[0].contribution.text = "x".repeat(1_001);
        assert_eq!(refused(long), ("TOO_LONG", "text"));
    }
}

#[test]
fn the_log_has_its_order() {
    let plan = plan(Assurance::Witnessed);
    let field = |change: fn(&mut Material)| {
        let (code, field) = refused(&plan, change);
        assert_eq!(code, "LOG_OUT_OF_ORDER");
        field
    };
    assert_eq!(field(|m| m.planned.position = 1), "planned");
    assert_eq!(field(|m| m.commitments[0].logged.position = 2), "commitments");
    // times that run backwards, and two entries at one place
    assert_eq!(field(|m| m.planned.at -= 2_000), "planned");
    assert_eq!(field(|m| m.openings[0].logged.at -= 9_000), "openings");
    assert_eq!(field(|m| m.openings[0].logged.position = 21), "openings");
}

#[test]
fn a_source_from_before_the_contributions_is_refused() {
    let public = plan(Assurance::NotSteerable);
    let before = "SOURCE_BEFORE_CONTRIBUTION";
    let all = |m: &mut Material, by: i64| {
        m.openings.iter_mut().for_each(|entry| entry.logged.at += by);
    };
    assert_eq!(refused(&public, |m| all(m, 1_000)), (before, "source"));
    assert!(
        conclude(&public, &{
            let mut material = material(&public);
            all(&mut material, 999);
            material
        })
        .is_ok()
    );
    let commitments = |m: &mut Material| {
        all(m, 2_000);
        m.commitments[1].logged.at = SOURCE;
    };
    assert_eq!(refused(&public, commitments), (before, "source"));
    let plan_too = |m: &mut Material| {
        all(m, 2_000);
        m.commitments
            .iter_mut()
            .for_each(|entry| entry.logged.at = SOURCE);
        m.planned.at = SOURCE;
    };
    assert_eq!(refused(&public, plan_too), ("SOURCE_BEFORE_PLAN", "source"));
}

#[test]
fn the_source_has_to_be_the_planned_one() {
    let public = plan(Assurance::NotSteerable);
    assert_eq!(refused(&public, |m| m.source = None), ("REQUIRED", "source"));
    let dice = |m: &mut Material| m.source = Some(Source::Dice(session()));
    assert_eq!(refused(&public, dice), ("SOURCE_DIFFERS", "source"));
    let round = |change: fn(&mut drand::Round)| {
        refused(&public, |m| {
            if let Some(Source::Drand(round)) = &mut m.source {
                change(round);
            }
        })
    };
    assert_eq!(round(|round| round.round = 1_001), ("ROUND_DIFFERS", "round"));
    assert_eq!(
        round(|round| round.signature.replace_range(90.., "000000")).0,
        "SIGNATURE_WRONG"
    );
    let of_another = |round: &mut drand::Round| round.chain_hash = Some(drand::CHAINS[1].hash.to_owned());
    assert_eq!(round(of_another), ("ROUND_OF_ANOTHER_CHAIN", "source"));
    // a source nobody planned
    let witnessed = plan(Assurance::Witnessed);
    assert_eq!(refused(&witnessed, dice), ("SOURCE_DIFFERS", "source"));
}

#[test]
fn dice_are_thrown_before_witnesses_as_often_as_planned() {
    let mut plan = plan(Assurance::NotSteerable);
    plan.source = Some(PlannedSource::Dice { throws: 20 });
    let ceremony = conclude(&plan, &material(&plan)).unwrap();
    assert_eq!(ceremony.source.unwrap().value, "01382438112797316654");
    let refused = |change: fn(&mut Session)| {
        refused(&plan, |m| {
            if let Some(Source::Dice(session)) = &mut m.source {
                change(session);
            }
        })
    };
    assert_eq!(
        refused(|s| s.digits.truncate(19)),
        ("DICE_THROWS_DIFFER", "digits")
    );
    assert_eq!(
        refused(|s| s.digits.replace_range(3..4, "x")),
        ("INVALID_VALUE", "digits")
    );
    assert_eq!(
        refused(|s| s.digits.replace_range(3..4, "٣")),
        ("INVALID_VALUE", "digits")
    );
    assert_eq!(refused(|s| s.thrown_by.clear()), ("REQUIRED", "thrownBy"));
    assert_eq!(refused(|s| s.recording.clear()), ("REQUIRED", "recording"));
    assert_eq!(refused(|s| s.witnesses.clear()), ("WITNESS_MISSING", "witnesses"));
    assert_eq!(
        refused(|s| s.witnesses = vec!["Anna ".to_owned()]),
        ("WITNESS_MISSING", "witnesses")
    );
    assert_eq!(refused(|s| s.begun_at += 601), ("LOG_OUT_OF_ORDER", "source"));
    assert_eq!(
        refused(|s| s.begun_at -= 1_000),
        ("SOURCE_BEFORE_CONTRIBUTION", "source")
    );
}

#[test]
fn everyday_draws_have_a_seed_and_nothing_else() {
    let plan = plan(Assurance::Everyday);
    let ceremony = conclude(&plan, &material(&plan)).unwrap();
    assert_eq!(ceremony.seed, "01382438112797316654");
    assert_eq!(ceremony.cannot_rule_out.len(), 1);
    let not_used = |field| ("NOT_USED_AT_THIS_LEVEL", field);
    let others = material(&super::tests::plan(Assurance::NotSteerable));
    assert_eq!(refused(&plan, |m| m.own_seed = None), ("REQUIRED", "ownSeed"));
    assert_eq!(
        refused(&plan, |m| m.own_seed = Some(String::new())),
        ("INVALID_VALUE", "ownSeed")
    );
    assert_eq!(
        refused(&plan, |m| m.source = others.source.clone()),
        not_used("source")
    );
    assert_eq!(
        refused(&plan, |m| m.commitments = others.commitments.clone()),
        not_used("commitments")
    );
    assert_eq!(
        refused(&plan, |m| m.openings = others.openings.clone()),
        not_used("openings")
    );
}

#[test]
fn plans_that_cannot_be_carried_out_are_refused() {
    let check = |assurance, change: fn(&mut Plan)| {
        let mut plan = plan(assurance);
        change(&mut plan);
        plan.check().map_err(|error| (error.code(), error.field()))
    };
    let public = |change| check(Assurance::NotSteerable, change);
    let required = |field| Err(("REQUIRED", field));
    let invalid = |field| Err(("INVALID_VALUE", field));
    assert_eq!(public(|_| {}), Ok(()));
    assert_eq!(public(|p| p.engagement = " ".to_owned()), required("engagement"));
    assert_eq!(
        public(|p| p.sample = "x".repeat(201)),
        Err(("TOO_LONG", "sample"))
    );
    assert_eq!(public(|p| p.strata.clear()), required("strata"));
    assert_eq!(
        public(|p| p.strata.push(p.strata[0].clone())),
        Err(("DOUBLED", "strata.name"))
    );
    assert_eq!(
        public(|p| p.strata[0].method = SelectionMethod::Judgemental),
        invalid("strata.method")
    );
    assert_eq!(
        public(|p| p.strata[0].population_size = 0),
        invalid("strata.populationSize")
    );
    assert_eq!(public(|p| p.strata[0].size = 0), invalid("strata.size"));
    assert_eq!(public(|p| p.strata[0].size = 500_001), invalid("strata.size"));
    assert_eq!(
        public(|p| p.strata[0].method = SelectionMethod::Census),
        invalid("strata.size")
    );
    assert_eq!(
        public(|p| p.strata[0].book_value = None),
        required("strata.bookValue")
    );
    assert_eq!(
        public(|p| p.strata[0].book_value = Some(0)),
        invalid("strata.bookValue")
    );
    for text in ["0", "1", "100", "-0.5"] {
        let mut plan = plan(Assurance::NotSteerable);
        plan.confidence = Some(text.parse().unwrap());
        assert_eq!(plan.check().unwrap_err().field(), "confidence");
        plan.confidence = None;
        plan.tolerable_rate = Some(text.parse().unwrap());
        assert_eq!(plan.check().unwrap_err().field(), "tolerableRate");
    }
    let rates = |p: &mut Plan| {
        p.tolerable_rate = Some("0.05".parse().unwrap());
        p.expected_rate = p.tolerable_rate;
    };
    assert_eq!(public(rates), invalid("expectedRate"));
    assert_eq!(public(|p| p.tolerable_error = Some(0)), invalid("tolerableError"));
    assert_eq!(
        public(|p| p.expected_error = Some(10_000)),
        invalid("expectedError")
    );
    assert_eq!(public(|p| p.expected_error = Some(-1)), invalid("expectedError"));
    assert_eq!(
        public(|p| p.extension_rule = Some(String::new())),
        required("extensionRule")
    );
    assert_eq!(public(|p| p.source = None), required("source"));
    assert_eq!(
        public(|p| drop(p.parties.pop())),
        Err(("TOO_FEW_PARTIES", "parties"))
    );
    assert_eq!(
        public(|p| p.parties[1] = "Innenrevision ".to_owned()),
        Err(("DOUBLED", "parties"))
    );
    assert_eq!(public(|p| p.parties[1] = String::new()), required("parties"));
    let dice = |p: &mut Plan| p.source = Some(PlannedSource::Dice { throws: 19 });
    assert_eq!(public(dice), Err(("DICE_THROWS_OUT_OF_RANGE", "source")));
    let unknown = |p: &mut Plan| {
        let chain = Bytes32([7; 32]);
        p.source = Some(PlannedSource::Drand { chain, round: 1 });
    };
    assert_eq!(public(unknown), Err(("CHAIN_UNKNOWN", "source")));
    let zero = |p: &mut Plan| {
        let chain = quicknet();
        p.source = Some(PlannedSource::Drand { chain, round: 0 });
    };
    assert_eq!(public(zero), invalid("round"));
    let everyday = |change| check(Assurance::Everyday, change);
    let parties = |p: &mut Plan| p.parties = vec!["Innenrevision".to_owned()];
    assert_eq!(everyday(parties), Err(("NOT_USED_AT_THIS_LEVEL", "parties")));
    let source = |p: &mut Plan| p.source = Some(PlannedSource::Dice { throws: 20 });
    assert_eq!(everyday(source), Err(("NOT_USED_AT_THIS_LEVEL", "source")));
    assert_eq!(
        check(Assurance::Witnessed, |p| drop(p.parties.pop())),
        Err(("TOO_FEW_PARTIES", "parties"))
    );
}

#[test]
fn plans_and_material_are_read_from_json() {
    let plan = plan(Assurance::NotSteerable);
    let json = serde_json::to_string(&plan).unwrap();
    assert!(
        json.contains(r#""source":{"kind":"DRAND","chain":"52db"#),
        "{json}"
    );
    assert_eq!(serde_json::from_str::<Plan>(&json).unwrap(), plan);
    let material = material(&plan);
    let json = serde_json::to_string(&material).unwrap();
    assert_eq!(serde_json::from_str::<Material>(&json).unwrap(), material);
    assert!(serde_json::from_str::<Contribution>(r#"{"party": "a", "salt": "abc"}"#).is_err());
    // as the beacon prints it
    let printed = format!(
        r#"{{"kind": "DRAND", "round": 1000, "signature": "{SIGNATURE}", "previous_signature": ""}}"#
    );
    let source: Source = serde_json::from_str(&printed).unwrap();
    let chain = quicknet();
    assert!(source.check(&PlannedSource::Drand { chain, round: 1000 }).is_ok());
}
