//! What a check has to look like, who may make it, and what several checks say together.

use std::collections::HashSet;

use entity::check_answer::Answer;
use entity::item_check::{ErrorClass, Model};
use entity::sample_item::{CheckResult, State};
use entity::{Cents, FundSplit, SampleItemId};
use serde::Serialize;

use super::programme::Programme;
use crate::access::FourEyes;
use crate::{Code, Refusal};

/// Most checks of one bulk record.
pub const MAX_BULK: usize = 200;
/// Most characters of a remark.
const MAX_REMARK: usize = 4_000;
/// Most characters of an answer's remark.
const MAX_ANSWER_REMARK: usize = 1_000;
/// Most characters of an unknown code that a message repeats.
const SHOWN: usize = 60;

/// What records a check.
#[derive(Clone, Debug, Serialize)]
pub struct RecordCheck {
    /// The drawn item.
    pub sample_item_id: SampleItemId,
    /// The version of the item the caller saw.
    pub expected_version: i32,
    /// Programme and version; the first built-in one where none is named.
    pub programme: Option<String>,
    /// A new version of the caller's own check, instead of a further check.
    pub correction: bool,
    /// Kind of error.
    pub error_class: ErrorClass,
    /// What would have been correct, per fund.
    pub correct: FundSplit,
    /// Remark, up to 4,000 characters; may be empty.
    pub remark: String,
    /// One answer to each attribute of the programme.
    pub answers: Vec<AnswerInput>,
}

/// The answer to one attribute.
#[derive(Clone, Debug, Serialize)]
pub struct AnswerInput {
    /// Code of the attribute.
    pub attribute: String,
    /// The answer.
    pub answer: Answer,
    /// Remark, up to 1,000 characters; may be empty.
    pub remark: String,
}

/// Everything that is wrong with a check of an item booked so.
pub(super) fn check(input: &RecordCheck, programme: &Programme, booked: FundSplit) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    refusals.extend(crate::refusal::optional_text(
        "input.remark",
        &input.remark,
        MAX_REMARK,
    ));
    refusals.extend(check_answers(&input.answers, programme));
    refusals.extend(check_amounts(input.error_class, booked, input.correct));
    let failed = input.answers.iter().any(|answer| failed(answer.answer));
    if refusals.is_empty() && failed != (input.error_class != ErrorClass::None) {
        refusals.push(Refusal::new(Code::ErrorClassContradictsAnswers, "input.answers"));
    }
    refusals
}

/// An attribute that is not met, or that the file does not show to be met.
pub(crate) const fn failed(answer: Answer) -> bool {
    matches!(answer, Answer::No | Answer::NotEvidenced)
}

fn check_answers(answers: &[AnswerInput], programme: &Programme) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    let mut answered = HashSet::new();
    if answers.len() > programme.attributes.len() * 2 {
        return vec![Refusal::new(Code::TooMany, "input.answers").with(programme.attributes.len())];
    }
    for (place, answer) in answers.iter().enumerate() {
        let path = format!("input.answers.{place}.attribute");
        match programme.attribute(&answer.attribute) {
            None => {
                let shown: String = answer.attribute.chars().take(SHOWN).collect();
                refusals.push(Refusal::new(Code::AttributeUnknown, &path).with(shown));
            }
            Some(attribute) if !answered.insert(attribute.code) => {
                refusals.push(Refusal::new(Code::AttributeDoubled, &path).with(attribute.code));
            }
            Some(_) => {}
        }
        let path = format!("input.answers.{place}.remark");
        refusals.extend(crate::refusal::optional_text(
            &path,
            &answer.remark,
            MAX_ANSWER_REMARK,
        ));
    }
    let missing = programme
        .attributes
        .iter()
        .filter(|attribute| !answered.contains(attribute.code));
    refusals.extend(
        missing.map(|attribute| Refusal::new(Code::AttributeMissing, "input.answers").with(attribute.code)),
    );
    refusals
}

/// The kind of error and the amounts have to say the same.
fn check_amounts(class: ErrorClass, booked: FundSplit, correct: FundSplit) -> Option<Refusal> {
    let (Some(booked_total), Some(correct_total)) = (booked.total(), correct.total()) else {
        return Some(Refusal::new(Code::AmountOverflow, "input.correct"));
    };
    let agree = match class {
        ErrorClass::None | ErrorClass::Formal | ErrorClass::WrongYear => correct == booked,
        ErrorClass::Overpayment => correct_total < booked_total,
        ErrorClass::Underpayment => correct_total > booked_total,
        ErrorClass::WrongFund => correct_total == booked_total && correct != booked,
        ErrorClass::NotEvidenced => {
            [correct.bund, correct.kommune, correct.land, correct.eu] == [Cents(0); 4]
        }
        ErrorClass::SuspectedFraud => true,
    };
    (!agree).then(|| {
        Refusal::new(Code::ErrorClassContradictsAmounts, "input.errorClass")
            .with(format!("{}: {booked_total} / {correct_total}", class.as_str()))
    })
}

/// The checks that count: the newest version of each tester, testers in order.
pub(crate) fn current_versions(checks: &[Model]) -> Vec<&Model> {
    let mut current: Vec<&Model> = checks.iter().collect();
    current.sort_by(|a, b| a.tester.cmp(&b.tester).then(b.version.cmp(&a.version)));
    current.dedup_by(|later, kept| later.tester == kept.tester);
    current
}

/// The version a tester's check gets, given the newest version of each tester so far.
///
/// A correction replaces the tester's own check and nothing else; a further check is another person's, so that nobody
/// stands in for the second pair of eyes.
pub(super) fn version_for(
    checks_per_item: i32,
    current: &[(&str, i32)],
    tester: &str,
    correction: bool,
) -> Result<i32, Code> {
    let own = current
        .iter()
        .find(|(name, _)| *name == tester)
        .map(|(_, version)| *version);
    match (own, correction) {
        (Some(version), true) => Ok(version + 1),
        (None, true) => Err(Code::NotFound),
        (Some(_), false) if checks_per_item > 1 => Err(FourEyes::SecondCheck.refusal()),
        (Some(_), false) => Err(Code::ChecksComplete),
        (None, false) if enough(checks_per_item, current.len()) => Err(Code::ChecksComplete),
        (None, false) => Ok(1),
    }
}

/// How many checks an item needs: as many as planned, and one by own staff beside every one from outside. What somebody
/// checked under a commission is never the last word.
pub(super) fn needed(checks_per_item: i32, from_outside: i32) -> i32 {
    if from_outside == 0 {
        checks_per_item
    } else {
        checks_per_item.max(from_outside + 1)
    }
}

/// Whether one more check from outside has a place: of several checks, one is left to own staff.
pub(super) fn outside_has_place(checks_per_item: i32, from_outside: i32) -> bool {
    from_outside < (checks_per_item - 1).max(1)
}

fn enough(checks_per_item: i32, testers: usize) -> bool {
    usize::try_from(checks_per_item).is_ok_and(|needed| testers >= needed)
}

/// How far an item's checking has come, and its result, from what each tester's newest version says.
pub(super) fn outcome(
    checks_per_item: i32,
    current: &[(ErrorClass, FundSplit)],
) -> (State, Option<CheckResult>) {
    let Some(first) = current.first() else {
        return (State::Open, None);
    };
    if !enough(checks_per_item, current.len()) {
        return (State::PartlyChecked, None);
    }
    if current.iter().any(|other| other != first) {
        return (State::Disputed, None);
    }
    let result = if first.0 == ErrorClass::None {
        CheckResult::NoError
    } else {
        CheckResult::Error
    };
    (State::Checked, Some(result))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::super::programme::PROGRAMMES;
    use super::*;

    const fn bund(bund: i64, kommune: i64) -> FundSplit {
        FundSplit {
            bund: Cents(bund),
            kommune: Cents(kommune),
            land: Cents(0),
            eu: Cents(0),
        }
    }

    fn answers(first: Answer) -> Vec<AnswerInput> {
        let attributes = PROGRAMMES[0].attributes.iter().enumerate();
        attributes
            .map(|(place, attribute)| AnswerInput {
                attribute: attribute.code.to_owned(),
                answer: if place == 0 { first } else { Answer::NotApplicable },
                remark: String::new(),
            })
            .collect()
    }

    fn input(class: ErrorClass, correct: FundSplit, first: Answer) -> RecordCheck {
        RecordCheck {
            sample_item_id: SampleItemId(Uuid::nil()),
            expected_version: 1,
            programme: None,
            correction: false,
            error_class: class,
            correct,
            remark: String::new(),
            answers: answers(first),
        }
    }

    fn codes(input: &RecordCheck) -> Vec<(Code, String)> {
        let refusals = check(input, &PROGRAMMES[0], bund(60, 40));
        refusals
            .into_iter()
            .map(|refusal| (refusal.code, refusal.path))
            .collect()
    }

    #[test]
    fn a_check_from_outside_is_never_the_last_word() {
        for planned in 1..4 {
            assert_eq!(needed(planned, 0), planned);
            for outside in 1..4 {
                assert!(needed(planned, outside) > outside);
                assert!(needed(planned, outside) >= planned);
            }
            assert!(outside_has_place(planned, 0));
            assert!(!outside_has_place(planned, planned.max(1)));
        }
        assert!(!outside_has_place(2, 1) && outside_has_place(3, 1));
    }

    #[test]
    fn class_and_amounts_have_to_agree() {
        use ErrorClass as C;
        let booked = bund(60, 40);
        for (class, correct, agree) in [
            (C::None, booked, true),
            (C::None, bund(100, 0), false),
            (C::Formal, booked, true),
            (C::Formal, bund(60, 39), false),
            (C::WrongYear, booked, true),
            (C::WrongYear, bund(0, 0), false),
            (C::Overpayment, bund(60, 39), true),
            (C::Overpayment, bund(-5, 0), true),
            (C::Overpayment, bund(100, 0), false),
            (C::Underpayment, bund(61, 40), true),
            (C::Underpayment, booked, false),
            (C::WrongFund, bund(100, 0), true),
            (C::WrongFund, booked, false),
            (C::WrongFund, bund(99, 0), false),
            (C::NotEvidenced, bund(0, 0), true),
            (C::NotEvidenced, bund(1, -1), false),
            (C::SuspectedFraud, bund(7, 7), true),
        ] {
            assert_eq!(
                check_amounts(class, booked, correct).is_none(),
                agree,
                "{class:?} {correct:?}"
            );
        }
        let overflow = check_amounts(C::Underpayment, booked, bund(i64::MAX, 1)).unwrap();
        assert_eq!(overflow.code, Code::AmountOverflow);
    }

    #[test]
    fn class_and_answers_have_to_agree() {
        let booked = bund(60, 40);
        assert!(codes(&input(ErrorClass::None, booked, Answer::Yes)).is_empty());
        assert!(codes(&input(ErrorClass::Formal, booked, Answer::No)).is_empty());
        assert!(codes(&input(ErrorClass::Formal, booked, Answer::NotEvidenced)).is_empty());
        let contradiction = vec![(Code::ErrorClassContradictsAnswers, "input.answers".to_owned())];
        assert_eq!(codes(&input(ErrorClass::None, booked, Answer::No)), contradiction);
        assert_eq!(
            codes(&input(ErrorClass::Formal, booked, Answer::Yes)),
            contradiction
        );
    }

    #[test]
    fn every_attribute_is_answered_once() {
        let mut wrong = input(ErrorClass::None, bund(60, 40), Answer::Yes);
        wrong.answers[1].attribute = "ENTITLEMENT".to_owned();
        wrong.answers[2].attribute = "WEATHER".to_owned();
        wrong.answers[3].remark = "x".repeat(1_001);
        let found = codes(&wrong);
        let expected = [
            (Code::AttributeDoubled, "input.answers.1.attribute"),
            (Code::AttributeUnknown, "input.answers.2.attribute"),
            (Code::TooLong, "input.answers.3.remark"),
            (Code::AttributeMissing, "input.answers"),
            (Code::AttributeMissing, "input.answers"),
        ];
        assert_eq!(found, expected.map(|(code, path)| (code, path.to_owned())));
    }

    #[test]
    fn nobody_is_their_own_second_pair_of_eyes() {
        assert_eq!(version_for(2, &[], "anna", false), Ok(1));
        assert_eq!(version_for(2, &[], "anna", true), Err(Code::NotFound));
        assert_eq!(
            version_for(2, &[("anna", 1)], "anna", false),
            Err(Code::SecondCheckSamePerson)
        );
        assert_eq!(version_for(2, &[("anna", 1)], "anna", true), Ok(2));
        assert_eq!(version_for(2, &[("anna", 2)], "bert", false), Ok(1));
        assert_eq!(
            version_for(2, &[("anna", 2), ("bert", 1)], "carl", false),
            Err(Code::ChecksComplete)
        );
        assert_eq!(
            version_for(1, &[("anna", 1)], "bert", false),
            Err(Code::ChecksComplete)
        );
        assert_eq!(
            version_for(1, &[("anna", 1)], "anna", false),
            Err(Code::ChecksComplete)
        );
        assert_eq!(version_for(1, &[("anna", 1)], "anna", true), Ok(2));
    }

    #[test]
    fn an_item_is_checked_once_enough_testers_agree() {
        let right = (ErrorClass::None, bund(60, 40));
        let wrong = (ErrorClass::Overpayment, bund(50, 40));
        let other = (ErrorClass::Overpayment, bund(40, 40));
        assert_eq!(outcome(2, &[]), (State::Open, None));
        assert_eq!(outcome(2, &[right]), (State::PartlyChecked, None));
        assert_eq!(
            outcome(2, &[right, right]),
            (State::Checked, Some(CheckResult::NoError))
        );
        assert_eq!(outcome(2, &[right, wrong]), (State::Disputed, None));
        assert_eq!(outcome(2, &[wrong, other]), (State::Disputed, None));
        assert_eq!(outcome(1, &[wrong]), (State::Checked, Some(CheckResult::Error)));
    }

    proptest! {
        #[test]
        fn agreement_does_not_depend_on_the_order_of_testers(
            first in 0_usize..3, second in 0_usize..3, needed in 1_i32..3
        ) {
            let says = [
                (ErrorClass::None, bund(60, 40)),
                (ErrorClass::Overpayment, bund(50, 40)),
                (ErrorClass::WrongFund, bund(100, 0)),
            ];
            let (one, two) = (says[first], says[second]);
            prop_assert_eq!(outcome(needed, &[one, two]), outcome(needed, &[two, one]));
            prop_assert_eq!(outcome(2, &[one, two]).1.is_some(), first == second);
        }

        #[test]
        fn a_class_without_effect_on_money_fits_exactly_the_booked_amounts(
            b in -1_000_i64..1_000, k in -1_000_i64..1_000, c in -1_000_i64..1_000, d in -1_000_i64..1_000
        ) {
            let (booked, correct) = (bund(b, k), bund(c, d));
            let fits = |class| check_amounts(class, booked, correct).is_none();
            prop_assert_eq!(fits(ErrorClass::None), booked == correct);
            let money = [ErrorClass::None, ErrorClass::Overpayment, ErrorClass::Underpayment, ErrorClass::WrongFund];
            prop_assert_eq!(money.into_iter().filter(|class| fits(*class)).count(), 1);
        }
    }
}
