use entity::{ContributionId, EngagementId, SampleId};
use uuid::Uuid;

use super::*;
use crate::sampling::ceremony::drand::CHAINS;
use crate::sampling::ceremony::{Bytes32, PlannedStratum};
use crate::sampling::selection::SelectionMethod;

/// Time of round 1000 of quicknet.
const SOURCE: i64 = 1_692_806_364;

fn at(before_source: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(SOURCE - before_source, 0).unwrap()
}

fn round(round: u64) -> PlannedSource {
    let chain = Bytes32::parse(CHAINS[0].hash).unwrap();
    PlannedSource::Drand { chain, round }
}

fn party(name: &str, subject: &str, role: Role) -> PartyInput {
    PartyInput {
        name: name.to_owned(),
        subject: subject.to_owned(),
        role,
    }
}

fn input(assurance: Assurance) -> CeremonyInput {
    CeremonyInput {
        assurance,
        parties: vec![
            party("Innenrevision", "anna", Role::Innenrevision),
            party("Datenschutz", "dsb", Role::Datenschutz),
        ],
        source: (assurance == Assurance::NotSteerable).then(|| round(1000)),
        open_until: None,
    }
}

fn faults(input: &CeremonyInput) -> Vec<(Code, String)> {
    let refusals = check(input).into_iter();
    refusals.map(|fault| (fault.code, fault.path)).collect()
}

fn planned(source: Option<PlannedSource>) -> Plan {
    Plan {
        engagement: "P-2026-001".to_owned(),
        sample: "eins".to_owned(),
        population_root: Bytes32([1; 32]),
        frame_digest: Bytes32([2; 32]),
        strata: vec![PlannedStratum {
            name: "gesamt".to_owned(),
            method: SelectionMethod::SimpleRandom,
            size: 1,
            population_size: 2,
            book_value: None,
        }],
        confidence: None,
        tolerable_rate: None,
        expected_rate: None,
        tolerable_error: None,
        expected_error: None,
        extension_rule: None,
        assurance: Assurance::NotSteerable,
        parties: vec!["Innenrevision".to_owned(), "Datenschutz".to_owned()],
        source,
    }
}

/// A ceremony of which some parties have committed, and some opened.
fn ceremony(source: Option<PlannedSource>, committed: usize, opened: usize) -> Ceremony {
    let people = [
        ("Innenrevision", "anna", Role::Innenrevision),
        ("Datenschutz", "dsb", Role::Datenschutz),
    ];
    let sample_id = SampleId(Uuid::nil());
    let row = |(place, (party, subject, role)): (usize, (&str, &str, Role))| contribution::Model {
        id: ContributionId(Uuid::from_u128(place as u128)),
        sample_id,
        ordinal: 1,
        party: party.to_owned(),
        subject: subject.to_owned(),
        role: role.to_string(),
        spoke_as: None,
        digest: (place < committed).then(|| vec![7; 32]),
        committed_at: None,
        salt: (place < opened).then(|| vec![8; 32]),
        words: None,
        opened_at: None,
        version: 1,
    };
    Ceremony {
        row: entity::ceremony::Model {
            sample_id,
            engagement_id: EngagementId(Uuid::nil()),
            plan: String::new(),
            open_until: None,
            source: None,
            source_by: None,
            source_at: None,
        },
        plan: planned(source),
        source: None,
        parties: people.into_iter().enumerate().map(row).collect(),
    }
}

#[test]
fn a_level_has_what_it_needs_and_nothing_else() {
    for level in [Assurance::Witnessed, Assurance::NotSteerable] {
        assert!(faults(&input(level)).is_empty());
    }
    assert!(faults(&CeremonyInput::default()).is_empty());
    let everyday = CeremonyInput {
        assurance: Assurance::Everyday,
        open_until: Some(at(0)),
        ..input(Assurance::NotSteerable)
    };
    let unused = |path: &str| (Code::NotUsedAtThisLevel, path.to_owned());
    assert_eq!(
        faults(&everyday),
        ["input.parties", "input.source", "input.openUntil"].map(unused)
    );
}

#[test]
fn parties_are_different_people_of_both_sides() {
    let with = |parties: Vec<PartyInput>| {
        faults(&CeremonyInput {
            parties,
            ..input(Assurance::Witnessed)
        })
    };
    let anna = || party("Innenrevision", "anna", Role::Innenrevision);
    let fault = |code, path: &str| vec![(code, path.to_owned())];
    assert_eq!(
        with(vec![anna(), party("Datenschutz", "anna", Role::Datenschutz)]),
        fault(Code::PartiesSamePerson, "input.parties.1.subject")
    );
    assert_eq!(
        with(vec![
            anna(),
            party("Leitung", "berta", Role::InnenrevisionLeitung)
        ]),
        fault(Code::PartiesOneSided, "input.parties")
    );
    assert_eq!(
        with(vec![
            party("Datenschutz", "dsb", Role::Datenschutz),
            party("RPA", "rpa", Role::ExternalAuditor)
        ]),
        fault(Code::PartiesOneSided, "input.parties")
    );
    assert_eq!(
        with(vec![anna(), party("Vorstand", "v", Role::Vorstand)]),
        fault(Code::InvalidValue, "input.parties.1.role")
    );
    assert_eq!(
        with(vec![anna(), party(" ", "dsb", Role::Datenschutz)]),
        fault(Code::Required, "input.parties.1.name")
    );
    let many = (0..21).map(|number| party("x", &number.to_string(), Role::Datenschutz));
    assert_eq!(with(many.collect()), fault(Code::TooMany, "input.parties"));
}

#[test]
fn times_lie_ahead_and_before_the_source() {
    let plan = planned(Some(round(1000)));
    let told = |until: Option<i64>, now| {
        let refused = check_times(&plan, until.map(at), at(now)).err();
        refused.map(|refusal| (refusal.code, refusal.path))
    };
    assert_eq!(told(None, 1), None);
    assert_eq!(told(Some(0), 1), None);
    let exists = (Code::SourceExists, "input.source.drand.round".to_owned());
    assert_eq!(told(None, 0), Some(exists));
    let wrong = Some((Code::InvalidValue, "input.openUntil".to_owned()));
    assert_eq!(told(Some(-1), 60), wrong);
    assert_eq!(told(Some(60), 60), wrong);
}

#[test]
fn steps_follow_one_another() {
    let anna = |committed, opened, now| {
        let found = ceremony(Some(round(1000)), committed, opened);
        found.possible_for("anna", Some(Role::Innenrevision), at(now))
    };
    assert_eq!(anna(0, 0, 60), [Action::ContributionCommit]);
    assert_eq!(
        anna(0, 0, 0),
        [],
        "a source that exists is too late for a commitment"
    );
    assert_eq!(anna(1, 0, 60), []);
    assert_eq!(anna(2, 0, 60), [Action::ContributionOpen]);
    assert_eq!(
        anna(2, 1, 60),
        [],
        "the other one may open until the source exists"
    );
    assert_eq!(anna(2, 1, 0), [Action::SampleDraw]);
    assert_eq!(anna(2, 2, 60), [], "the source does not exist yet");
    assert_eq!(anna(2, 2, 0), [Action::SampleDraw]);
    // late, and told apart from silent
    let dsb = ceremony(Some(round(1000)), 2, 1).possible_for("dsb", Some(Role::Datenschutz), at(-60));
    assert_eq!(dsb, [Action::ContributionOpen, Action::SampleDraw]);
}

#[test]
fn without_a_time_all_have_to_open() {
    let code = |found: &Ceremony, now: i64| found.may_end(at(now)).err().map(|refusal| refusal.code);
    let dice = || Some(PlannedSource::Dice { throws: 20 });
    assert_eq!(code(&ceremony(dice(), 1, 0), 0), Some(Code::CommitmentMissing));
    assert_eq!(code(&ceremony(dice(), 2, 0), 0), Some(Code::NobodyOpened));
    let mut half = ceremony(dice(), 2, 1);
    assert_eq!(code(&half, -1_000_000), Some(Code::ContributionsNotOpened));
    assert_eq!(half.may_end(at(0)).unwrap_err().detail, "Datenschutz");
    half.row.open_until = Some(at(100));
    assert_eq!(code(&half, 101), Some(Code::ContributionsNotOpened));
    assert_eq!(code(&half, 100), None);
    assert_eq!(code(&ceremony(dice(), 2, 2), 1_000), None);
    let round = || Some(round(1000));
    assert_eq!(code(&ceremony(round(), 2, 2), 1), Some(Code::SourceNotYet));
    assert_eq!(code(&ceremony(round(), 2, 1), 0), None);
}

#[test]
fn one_person_in_one_role_speaks_for_a_party() {
    let found = ceremony(None, 0, 0);
    let code = |subject, role| {
        let refused = must_speak(&found.parties[1], subject, Some(role)).err();
        refused.map(|refusal| refusal.code)
    };
    assert_eq!(code("dsb", Role::Datenschutz), None);
    assert_eq!(code("dsb", Role::Innenrevision), Some(Code::PartyOtherRole));
    assert_eq!(code("anna", Role::Datenschutz), Some(Code::PartyOfAnother));
    assert!(must_speak(&found.parties[1], "dsb", None).is_err());
    for role in Role::ALL
        .iter()
        .filter(|role| permits(**role, Action::ContributionCommit))
    {
        assert!(standing(role.as_str()).is_some());
    }
    assert_eq!(standing("QUALITAETSSICHERUNG"), Some(Standing::AuditFunction));
    assert_eq!(standing("BEZIRKSSTELLENLEITUNG"), Some(Standing::AuditedUnit));
    assert_eq!(standing("EXTERNAL_AUDITOR"), Some(Standing::Outside));
    assert_eq!(standing("NOBODY"), None);
}

#[test]
fn after_the_source_nothing_is_opened() {
    let mut found = ceremony(Some(PlannedSource::Dice { throws: 20 }), 2, 1);
    found.source = Some(crate::sampling::ceremony::Source::Drand(
        crate::sampling::ceremony::drand::Round {
            round: 1,
            signature: String::new(),
            previous_signature: None,
            randomness: None,
            chain_hash: None,
        },
    ));
    let refused = found.may_open(&found.parties[1]).unwrap_err();
    assert_eq!(refused.code, Code::SourceRecorded);
    let mut early = ceremony(None, 1, 0);
    early.source = found.source;
    let refused = early.may_commit(&early.parties[1], at(60)).unwrap_err();
    assert_eq!(refused.code, Code::SourceBeforeContribution);
}

/// Every error of the module is told by a code of the same name.
#[test]
fn errors_of_the_module_keep_their_codes() {
    let others = [
        CeremonyError::Required("source"),
        CeremonyError::TooLong("signature"),
        CeremonyError::Invalid("confidence"),
        CeremonyError::NotUsed("source"),
    ];
    for error in CeremonyError::each().into_iter().chain(others) {
        for refusal in [
            plan_refusal(&error),
            end_refusal(&error, "input.source.drand"),
            end_refusal(&error, "input.source.drandJson"),
        ] {
            assert_eq!(refusal.code.as_str(), error.code());
            assert!(refusal.path.starts_with("input."), "{}", refusal.path);
        }
    }
    let path = |error, source| end_refusal(&error, source).path;
    assert_eq!(
        path(CeremonyError::SignatureWrong, "input.source.drand"),
        "input.source.drand.signature"
    );
    assert_eq!(
        path(CeremonyError::SignatureWrong, "input.source.drandJson"),
        "input.source.drandJson"
    );
    assert_eq!(
        path(CeremonyError::WitnessMissing, "input.source.dice"),
        "input.source.dice.witnesses"
    );
    let late = CeremonyError::LogOutOfOrder("source");
    assert_eq!(path(late, "input.source.dice"), "input.source.dice.begunAt");
    assert_eq!(
        path(CeremonyError::SourceDiffers, "input.source.dice"),
        "input.source.dice"
    );
}
