//! How a paper goes its way, and what votes add up to. Pure: no database, no clock.

use std::collections::BTreeMap;

use entity::body::{Abstention, OnDissent, Quorum};
use entity::decision::DecidedBy;
use entity::paper::State;
use entity::vote::{Capacity, Choice};

use super::body::{Bench, Rules};

/// What can be done with a paper.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Act {
    /// Another edition.
    Revise,
    /// A call to a session.
    Call,
    /// A vote.
    Vote,
    /// The end of the voting.
    Close,
    /// A decision over a dissent.
    Decide,
    /// Minutes.
    Minutes,
    /// A signature.
    Sign,
    /// The withdrawal.
    Withdraw,
}

impl Act {
    /// Every act.
    pub const ALL: [Self; 8] = [
        Self::Revise,
        Self::Call,
        Self::Vote,
        Self::Close,
        Self::Decide,
        Self::Minutes,
        Self::Sign,
        Self::Withdraw,
    ];
}

/// Every way of a paper: from where, by what, to where. What is not here is refused.
pub const WAYS: &[(State, Act, &[State])] = &[
    (State::Submitted, Act::Revise, &[State::Submitted]),
    (State::Submitted, Act::Call, &[State::Called]),
    (State::Submitted, Act::Withdraw, &[State::Withdrawn]),
    (State::Called, Act::Revise, &[State::Submitted]),
    (State::Called, Act::Call, &[State::Called]),
    (State::Called, Act::Vote, &[State::Called]),
    (
        State::Called,
        Act::Close,
        &[State::Decided, State::Dissent, State::Advised, State::Undecided],
    ),
    (State::Called, Act::Withdraw, &[State::Withdrawn]),
    (State::Dissent, Act::Revise, &[State::Submitted]),
    (State::Dissent, Act::Call, &[State::Called]),
    (State::Dissent, Act::Decide, &[State::Decided]),
    (State::Dissent, Act::Minutes, &[State::Dissent]),
    (State::Dissent, Act::Withdraw, &[State::Withdrawn]),
    (State::Decided, Act::Minutes, &[State::Decided]),
    (State::Decided, Act::Sign, &[State::Decided]),
    (State::Advised, Act::Minutes, &[State::Advised]),
    (State::Advised, Act::Sign, &[State::Advised]),
    (State::Undecided, Act::Revise, &[State::Submitted]),
    (State::Undecided, Act::Call, &[State::Called]),
    (State::Undecided, Act::Minutes, &[State::Undecided]),
    (State::Undecided, Act::Sign, &[State::Undecided]),
    (State::Undecided, Act::Withdraw, &[State::Withdrawn]),
];

/// Where an act leads from a state; none where it is refused.
pub fn ways(from: State, act: Act) -> Option<&'static [State]> {
    WAYS.iter()
        .find(|(state, known, _)| *state == from && *known == act)
        .map(|(_, _, to)| *to)
}

/// A seat of a body at the end of the voting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sitting<P> {
    /// Which seat.
    pub place: P,
    /// The side it is on.
    pub bench: Bench,
    /// Whether it has the chair.
    pub chair: bool,
    /// Whether somebody sits there.
    pub filled: bool,
}

/// A vote, as far as it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ballot<P> {
    /// For which seat.
    pub place: P,
    /// As member or deputy.
    pub by: Capacity,
    /// Yes, no, or neither.
    pub choice: Choice,
    /// Whether the voter waived the calling period.
    pub waives: bool,
}

/// The ballots that count: one a seat, the member's before the deputy's. Those of places that are no seats count nothing.
pub fn counted<P: Ord + Copy>(sittings: &[Sitting<P>], ballots: &[Ballot<P>]) -> BTreeMap<P, Ballot<P>> {
    let mut counted: BTreeMap<P, Ballot<P>> = BTreeMap::new();
    for ballot in ballots {
        if !sittings.iter().any(|sitting| sitting.place == ballot.place) {
            continue;
        }
        let known = counted.entry(ballot.place).or_insert(*ballot);
        if known.by == Capacity::Deputy && ballot.by == Capacity::Member {
            *known = *ballot;
        }
    }
    counted
}

/// What votes add up to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// Seats that voted yes.
    pub yes: u32,
    /// Seats that voted no.
    pub no: u32,
    /// Seats that abstained.
    pub abstained: u32,
    /// Seats that did not vote, vacant ones too.
    pub silent: u32,
    /// The vote of the chair.
    pub chair: Option<Choice>,
    /// Whether every member voted, and not only a deputy.
    pub members_voted: bool,
    /// Whether every seat that is filled took part and waived the calling period.
    pub waived: bool,
    /// Of each side, how many seats took part, and how many it has.
    pub benches: BTreeMap<Bench, (u32, u32)>,
}

/// Adds votes up. Their order does not matter.
pub fn tally<P: Ord + Copy>(sittings: &[Sitting<P>], ballots: &[Ballot<P>]) -> Tally {
    let counted = counted(sittings, ballots);
    let mut tally = Tally {
        yes: 0,
        no: 0,
        abstained: 0,
        silent: 0,
        chair: None,
        members_voted: true,
        waived: true,
        benches: BTreeMap::new(),
    };
    for sitting in sittings {
        let ballot = counted.get(&sitting.place);
        match ballot.map(|ballot| ballot.choice) {
            Some(Choice::Yes) => tally.yes += 1,
            Some(Choice::No) => tally.no += 1,
            Some(Choice::Abstain) => tally.abstained += 1,
            None => tally.silent += 1,
        }
        let (voted, seats) = tally.benches.entry(sitting.bench).or_default();
        *voted += u32::from(ballot.is_some());
        *seats += 1;
        if sitting.chair {
            tally.chair = ballot.map(|ballot| ballot.choice);
        }
        if sitting.filled {
            tally.members_voted &= ballot.is_some_and(|ballot| ballot.by == Capacity::Member);
            tally.waived &= ballot.is_some_and(|ballot| ballot.waives);
        }
    }
    tally
}

/// Too few took part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooFew {
    /// Seats that took part.
    pub took_part: u32,
    /// Seats that have to.
    pub needed: u32,
}

/// What votes led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The motion holds, or does not.
    Decided {
        /// Whether it holds.
        adopted: bool,
        /// Who decided.
        by: DecidedBy,
    },
    /// Somebody has to decide over a dissent.
    Dissent {
        /// Who.
        decider: DecidedBy,
    },
    /// Advice was given.
    Advised,
    /// No decision came about.
    Undecided,
}

/// What votes led to under these rules; `reserved` where nobody decides the matter over a dissent.
///
/// - Consensus is unanimity of those who voted yes or no. Dissent is the lack of it, not a minority: one no among any number of
///   yes is dissent (Evaluation SGB II im Kreis Recklinghausen, Nr. 4, note 1). Where all abstain, nobody agreed to anything.
/// - The chair decides over a dissent in the Vorstand (the same, Nr. 4); the head of the Jobcenter in the Leitungsgruppe; the Kreis in
///   the Steuerungsgruppe, except in what the Stadt decides for its staff and organisation (Ennepe-Ruhr-Kreis, Nr. 2.4).
/// - A Beirat gives advice, of whatever mind it is (the same).
/// - In a parity committee the majority decides, and a tie is no decision (Das kooperative Jobcenter, B, says that both sides have as
///   many seats, and leaves the rest open).
pub fn verdict(rules: &Rules, reserved: bool, tally: &Tally) -> Result<Verdict, TooFew> {
    quorate(rules, tally)?;
    if rules.on_dissent == OnDissent::AdviceOnly {
        return Ok(Verdict::Advised);
    }
    let spoilt = rules.abstention == Abstention::Dissent && tally.abstained > 0;
    if !spoilt && (tally.yes == 0) != (tally.no == 0) {
        return Ok(Verdict::Decided {
            adopted: tally.yes > 0,
            by: DecidedBy::Consensus,
        });
    }
    Ok(match rules.on_dissent {
        OnDissent::ChairDecides | OnDissent::LeitungDecides | OnDissent::KreisDecides if reserved => {
            Verdict::Undecided
        }
        OnDissent::ChairDecides => Verdict::Dissent {
            decider: DecidedBy::Chair,
        },
        OnDissent::LeitungDecides => Verdict::Dissent {
            decider: DecidedBy::Leitung,
        },
        OnDissent::KreisDecides => Verdict::Dissent {
            decider: DecidedBy::Kreis,
        },
        OnDissent::Parity => by_parity(rules, tally),
        OnDissent::AdviceOnly => Verdict::Advised,
    })
}

fn by_parity(rules: &Rules, tally: &Tally) -> Verdict {
    if tally.yes != tally.no {
        return Verdict::Decided {
            adopted: tally.yes > tally.no,
            by: DecidedBy::Majority,
        };
    }
    match tally.chair.filter(|_| rules.casting_vote) {
        Some(Choice::Yes) => Verdict::Decided {
            adopted: true,
            by: DecidedBy::Chair,
        },
        Some(Choice::No) => Verdict::Decided {
            adopted: false,
            by: DecidedBy::Chair,
        },
        Some(Choice::Abstain) | None => Verdict::Undecided,
    }
}

/// Whether enough took part: in a parity committee of each side, elsewhere of all.
fn quorate(rules: &Rules, tally: &Tally) -> Result<(), TooFew> {
    let sides: Vec<(u32, u32)> = if rules.on_dissent == OnDissent::Parity {
        tally.benches.values().copied().collect()
    } else {
        let add = |sum: (u32, u32), side: &(u32, u32)| (sum.0 + side.0, sum.1 + side.1);
        vec![tally.benches.values().fold((0, 0), add)]
    };
    for (took_part, seats) in sides {
        let needed = match rules.quorum {
            Quorum::One => 1,
            Quorum::MoreThanHalf => seats / 2 + 1,
            Quorum::All => seats,
        };
        if took_part < needed {
            return Err(TooFew { took_part, needed });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
