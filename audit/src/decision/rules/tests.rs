use proptest::prelude::*;

use super::*;
use crate::decision::body::Body;
use crate::decision::presets::bodies;

fn body(preset: &str, key: &str) -> &'static Body {
    bodies(preset).iter().find(|body| body.key == key).unwrap()
}

/// The seats of a body by preset, all of them filled.
fn sittings(body: &Body) -> Vec<Sitting<usize>> {
    let mut sittings = Vec::new();
    for kind in body.kinds {
        for place in 1..=kind.least.max(3.min(kind.most)) {
            sittings.push(Sitting {
                place: sittings.len(),
                bench: kind.bench,
                chair: kind.office == crate::decision::body::Office::Chair && place == 1,
                filled: true,
            });
        }
    }
    sittings
}

fn ballots(choices: &[Choice]) -> Vec<Ballot<usize>> {
    choices
        .iter()
        .enumerate()
        .map(|(place, choice)| ballot(place, Capacity::Member, *choice))
        .collect()
}

const fn ballot(place: usize, by: Capacity, choice: Choice) -> Ballot<usize> {
    Ballot {
        place,
        by,
        choice,
        waives: false,
    }
}

use Choice::{Abstain, No, Yes};

fn vorstand(rules: &Rules, choices: &[Choice]) -> Result<Verdict, TooFew> {
    let body = body("recklinghausen", "VORSTAND");
    verdict(rules, false, &tally(&sittings(body), &ballots(choices)))
}

const fn decided(adopted: bool, by: DecidedBy) -> Verdict {
    Verdict::Decided { adopted, by }
}

const fn dissent(decider: DecidedBy) -> Verdict {
    Verdict::Dissent { decider }
}

#[test]
fn the_vorstand_decides_in_consensus_and_else_its_chair() {
    let usual = body("recklinghausen", "VORSTAND").rules;
    let consensus = DecidedBy::Consensus;
    assert_eq!(vorstand(&usual, &[Yes; 5]), Ok(decided(true, consensus)));
    assert_eq!(vorstand(&usual, &[No; 5]), Ok(decided(false, consensus)));
    // Dissent is the lack of unanimity, not a majority.
    assert_eq!(
        vorstand(&usual, &[No, Yes, Yes, Yes, Yes]),
        Ok(dissent(DecidedBy::Chair))
    );
    assert_eq!(
        vorstand(&usual, &[Yes, Yes, Yes, Yes, No]),
        Ok(dissent(DecidedBy::Chair))
    );
    // Abstaining is neither, unless it is set otherwise.
    assert_eq!(
        vorstand(&usual, &[Yes, Abstain, Abstain, Abstain, Abstain]),
        Ok(decided(true, consensus))
    );
    assert_eq!(vorstand(&usual, &[Abstain; 5]), Ok(dissent(DecidedBy::Chair)));
    let strict = Rules {
        abstention: Abstention::Dissent,
        ..usual
    };
    assert_eq!(
        vorstand(&strict, &[Yes, Yes, Yes, Yes, Abstain]),
        Ok(dissent(DecidedBy::Chair))
    );
}

#[test]
fn too_few_decide_nothing() {
    let usual = body("recklinghausen", "VORSTAND").rules;
    let few = |took_part, needed| Err(TooFew { took_part, needed });
    assert_eq!(vorstand(&usual, &[]), few(0, 3));
    assert_eq!(vorstand(&usual, &[Yes, Yes]), few(2, 3));
    assert_eq!(
        vorstand(&usual, &[Yes, Yes, Abstain]),
        Ok(decided(true, DecidedBy::Consensus))
    );
    let all = Rules {
        quorum: Quorum::All,
        ..usual
    };
    assert_eq!(vorstand(&all, &[Yes; 4]), few(4, 5));
    let one = Rules {
        quorum: Quorum::One,
        ..usual
    };
    assert_eq!(vorstand(&one, &[Yes]), Ok(decided(true, DecidedBy::Consensus)));
    assert_eq!(vorstand(&one, &[]), few(0, 1));
}

#[test]
fn in_ennepe_ruhr_the_kreis_or_the_leitung_decides_and_nobody_overrules_a_stadt() {
    let group = body("ennepe-ruhr", "STEUERUNGSGRUPPE");
    let votes = [Yes, Yes, No, Yes, Yes];
    let of = |body: &Body, reserved, votes: &[Choice]| {
        verdict(&body.rules, reserved, &tally(&sittings(body), &ballots(votes)))
    };
    assert_eq!(of(group, false, &votes), Ok(dissent(DecidedBy::Kreis)));
    assert_eq!(of(group, true, &votes), Ok(Verdict::Undecided));
    assert_eq!(
        of(group, true, &[Yes; 5]),
        Ok(decided(true, DecidedBy::Consensus))
    );
    let leitung = body("ennepe-ruhr", "LEITUNGSGRUPPE");
    assert_eq!(
        of(leitung, false, &[Yes, No, Yes, Yes, Yes, No, Yes]),
        Ok(dissent(DecidedBy::Leitung))
    );
    let beirat = body("ennepe-ruhr", "ARBEITSMARKTBEIRAT");
    for votes in [[Yes, Yes, Yes], [Yes, No, Abstain], [No, No, No]] {
        assert_eq!(of(beirat, false, &votes), Ok(Verdict::Advised));
    }
}

#[test]
fn a_tie_of_a_parity_committee_is_no_decision_unless_the_chair_settles_it() {
    let body = body("kooperativ", "KOOPERATIONSAUSSCHUSS");
    let of =
        |rules: &Rules, votes: &[Choice]| verdict(rules, false, &tally(&sittings(body), &ballots(votes)));
    let casting = Rules {
        casting_vote: true,
        ..body.rules
    };
    let tie = [Yes, Yes, Yes, No, No, No];
    assert_eq!(of(&body.rules, &tie), Ok(Verdict::Undecided));
    assert_eq!(of(&casting, &tie), Ok(decided(true, DecidedBy::Chair)));
    let other = [No, No, No, Yes, Yes, Yes];
    assert_eq!(of(&casting, &other), Ok(decided(false, DecidedBy::Chair)));
    let silent_chair = [Abstain, Yes, Yes, No, No, Abstain];
    assert_eq!(of(&casting, &silent_chair), Ok(Verdict::Undecided));
    let majority = [Yes, Yes, Yes, Yes, No, No];
    assert_eq!(of(&body.rules, &majority), Ok(decided(true, DecidedBy::Majority)));
    assert_eq!(
        of(&body.rules, &[Yes; 6]),
        Ok(decided(true, DecidedBy::Consensus))
    );
    // One side alone decides nothing, however many it is.
    assert_eq!(
        of(&body.rules, &[Yes, Yes, Yes, Yes]),
        Err(TooFew {
            took_part: 1,
            needed: 2
        })
    );
}

/// What the table does not name is refused, whatever it is; and what it names leads on from somewhere.
#[test]
fn every_way_that_is_not_in_the_table_is_refused() {
    let final_states = [State::Decided, State::Advised, State::Withdrawn];
    for from in State::ALL {
        for act in Act::ALL {
            let named: Vec<_> = WAYS
                .iter()
                .filter(|(state, known, _)| (state, known) == (from, &act))
                .collect();
            assert!(named.len() <= 1, "{from:?} {act:?} is there twice");
            assert_eq!(ways(*from, act).is_some(), named.len() == 1, "{from:?} {act:?}");
            if final_states.contains(from) {
                assert!(
                    ways(*from, act).is_none_or(|to| to == [*from]),
                    "{from:?} is final: {act:?}"
                );
            }
        }
    }
    assert!(Act::ALL.iter().all(|act| ways(State::Withdrawn, *act).is_none()));
    // Every state is reached.
    for state in State::ALL {
        let reached = WAYS
            .iter()
            .any(|(from, _, to)| from != state && to.contains(state));
        assert!(reached, "{state:?}");
    }
    // Only the end of a voting, or somebody over a dissent, decides.
    for (_, act, to) in WAYS {
        let decides = to.contains(&State::Decided) && !matches!(act, Act::Minutes | Act::Sign);
        assert_eq!(decides, matches!(act, Act::Close | Act::Decide), "{act:?}");
    }
}

/// A change of the paper takes it out of every session, so that no vote on what it said before can count.
#[test]
fn a_changed_paper_is_called_anew() {
    for from in State::ALL {
        if let Some(to) = ways(*from, Act::Revise) {
            assert_eq!(to, [State::Submitted], "{from:?}");
        }
    }
    assert_eq!(ways(State::Submitted, Act::Vote), None);
    assert_eq!(ways(State::Submitted, Act::Close), None);
}

fn any_ballot() -> impl Strategy<Value = Ballot<usize>> {
    (
        0..7_usize,
        prop_oneof![Just(Capacity::Member), Just(Capacity::Deputy)],
        prop_oneof![Just(Yes), Just(No), Just(Abstain)],
        any::<bool>(),
    )
        .prop_map(|(place, by, choice, waives)| Ballot {
            place,
            by,
            choice,
            waives,
        })
}

/// At most one ballot of each seat and capacity, as the database has it, in any order.
fn any_ballots() -> impl Strategy<Value = Vec<Ballot<usize>>> {
    prop::collection::vec(any_ballot(), 0..12).prop_map(|mut ballots| {
        let mut seen = Vec::new();
        ballots.retain(|ballot| {
            let key = (ballot.place, ballot.by);
            let new = !seen.contains(&key);
            seen.push(key);
            new
        });
        ballots
    })
}

fn any_body() -> impl Strategy<Value = &'static Body> {
    prop_oneof![
        Just(body("recklinghausen", "VORSTAND")),
        Just(body("ennepe-ruhr", "STEUERUNGSGRUPPE")),
        Just(body("ennepe-ruhr", "LEITUNGSGRUPPE")),
        Just(body("ennepe-ruhr", "ARBEITSMARKTBEIRAT")),
        Just(body("kooperativ", "KOOPERATIONSAUSSCHUSS")),
    ]
}

proptest! {
    #[test]
    fn the_order_of_votes_does_not_matter(
        body in any_body(),
        (ballots, shuffled) in any_ballots().prop_flat_map(|ballots| (Just(ballots.clone()), Just(ballots).prop_shuffle())),
    ) {
        let seats = sittings(body);
        prop_assert_eq!(tally(&seats, &ballots), tally(&seats, &shuffled));
    }

    #[test]
    fn a_seat_has_one_vote_and_the_members_goes_before(body in any_body(), ballots in any_ballots()) {
        let seats = sittings(body);
        let found = tally(&seats, &ballots);
        let all = u32::try_from(seats.len()).unwrap();
        prop_assert_eq!(found.yes + found.no + found.abstained + found.silent, all);
        for (place, ballot) in counted(&seats, &ballots) {
            let of_member = ballots.iter().find(|one| one.place == place && one.by == Capacity::Member);
            prop_assert_eq!(&ballot, of_member.unwrap_or(&ballot));
        }
    }

    /// Whatever a deputy says where the member votes, and whoever has no seat, changes nothing.
    #[test]
    fn what_does_not_count_changes_nothing(body in any_body(), ballots in any_ballots(), other in any_ballot()) {
        let seats = sittings(body);
        let before = tally(&seats, &ballots);
        let voted = ballots.iter().any(|one| one.place == other.place && one.by == Capacity::Member);
        let of_deputy = Ballot { by: Capacity::Deputy, ..other };
        let of_stranger = Ballot { place: seats.len() + 3, ..other };
        for (more, counts) in [(of_deputy, !voted), (of_stranger, false)] {
            if !counts {
                let with = [ballots.as_slice(), &[more]].concat();
                prop_assert_eq!(&tally(&seats, &with), &before);
            }
        }
    }

    /// Nobody decides without a quorum; consensus never holds against a voice; what is reserved nobody decides over a dissent.
    #[test]
    fn verdicts_keep_to_the_rules(
        body in any_body(), ballots in any_ballots(), reserved: bool, casting_vote: bool,
        quorum in prop_oneof![Just(Quorum::One), Just(Quorum::MoreThanHalf), Just(Quorum::All)],
        abstention in prop_oneof![Just(Abstention::Neither), Just(Abstention::Dissent)],
    ) {
        let rules = Rules { abstention, quorum, casting_vote, ..body.rules };
        let found = tally(&sittings(body), &ballots);
        let voices = found.yes + found.no + found.abstained;
        match verdict(&rules, reserved, &found) {
            Err(few) => prop_assert!(few.took_part < few.needed),
            Ok(Verdict::Decided { adopted, by }) => {
                prop_assert!(voices > 0);
                match by {
                    DecidedBy::Consensus => {
                        prop_assert_eq!(if adopted { found.no } else { found.yes }, 0);
                        prop_assert!(abstention == Abstention::Neither || found.abstained == 0);
                    }
                    DecidedBy::Majority => prop_assert_eq!(adopted, found.yes > found.no),
                    DecidedBy::Chair => {
                        prop_assert!(casting_vote && found.yes == found.no);
                        prop_assert_eq!(found.chair, Some(if adopted { Yes } else { No }));
                    }
                    other => prop_assert!(false, "{other:?}"),
                }
            }
            Ok(Verdict::Dissent { decider }) => {
                prop_assert!(!reserved && decider != DecidedBy::None);
                prop_assert!(abstention == Abstention::Dissent || found.yes.min(found.no) > 0 || found.yes + found.no == 0);
            }
            Ok(Verdict::Advised) => prop_assert_eq!(body.rules.on_dissent, OnDissent::AdviceOnly),
            Ok(Verdict::Undecided) => prop_assert!(reserved || body.rules.on_dissent == OnDissent::Parity),
        }
    }

    /// A call at short notice holds where everybody who sits there took part and waived the period.
    #[test]
    fn one_voice_keeps_the_calling_period(body in any_body(), ballots in any_ballots()) {
        let seats = sittings(body);
        let found = tally(&seats, &ballots);
        let counted = counted(&seats, &ballots);
        prop_assert_eq!(found.waived, seats.iter().all(|seat| counted.get(&seat.place).is_some_and(|one| one.waives)));
        let of_members = |place| counted.get(place).is_some_and(|one| one.by == Capacity::Member);
        prop_assert_eq!(found.members_voted, seats.iter().all(|seat| of_members(&seat.place)));
    }
}
