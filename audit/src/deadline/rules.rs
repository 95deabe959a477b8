//! What may become of a deadline, and who is told when it has passed.

use chrono::{DateTime, NaiveDate, Utc};
use entity::deadline::{Expiry, State};

use super::calendar::Calendar;
use super::period::midnight;
use crate::access::Role;

/// What happens to a deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// The notice it waits for is acknowledged as complete.
    AcknowledgeComplete,
    /// Somebody objects in time.
    Object,
    /// What it was set for is done, or agreed on.
    Meet,
    /// It gets a later end before it has passed.
    Extend,
    /// It gets a later end after it has passed (§ 26 (7) SGB X).
    ExtendRetroactively,
    /// It is given up.
    Cancel,
    /// Its end passes.
    Expire,
    /// A person confirms that the right is barred.
    Confirm,
}

impl Event {
    /// Every event.
    pub const ALL: [Self; 8] = [
        Self::AcknowledgeComplete,
        Self::Object,
        Self::Meet,
        Self::Extend,
        Self::ExtendRetroactively,
        Self::Cancel,
        Self::Expire,
        Self::Confirm,
    ];
}

/// The kinds of which somebody is reminded: they can be met late.
const REMINDED: &[Expiry] = &[Expiry::Remind, Expiry::Escalate];

/// Every transition: from which state, by what, for which kinds, to which state. What is not here is forbidden.
///
/// Whoever may proceed may have done so already: such a deadline changes no more once it has passed.
pub const TRANSITIONS: &[(State, Event, &[Expiry], State)] = &[
    (
        State::NotStarted,
        Event::AcknowledgeComplete,
        Expiry::ALL,
        State::Running,
    ),
    (State::NotStarted, Event::Cancel, Expiry::ALL, State::Cancelled),
    (
        State::Running,
        Event::Object,
        &[Expiry::MayProceed],
        State::Stopped,
    ),
    (State::Running, Event::Meet, Expiry::ALL, State::Met),
    (State::Running, Event::Extend, Expiry::ALL, State::Running),
    (State::Running, Event::Cancel, Expiry::ALL, State::Cancelled),
    (State::Running, Event::Expire, Expiry::ALL, State::Expired),
    (State::Stopped, Event::Meet, &[Expiry::MayProceed], State::Met),
    (
        State::Stopped,
        Event::Cancel,
        &[Expiry::MayProceed],
        State::Cancelled,
    ),
    (State::Expired, Event::Meet, REMINDED, State::Met),
    (
        State::Expired,
        Event::ExtendRetroactively,
        &[Expiry::Remind, Expiry::Escalate, Expiry::PresumedBarred],
        State::Running,
    ),
    (
        State::Expired,
        Event::Cancel,
        &[Expiry::Remind, Expiry::Escalate, Expiry::PresumedBarred],
        State::Cancelled,
    ),
    (
        State::Expired,
        Event::Confirm,
        &[Expiry::PresumedBarred],
        State::Confirmed,
    ),
];

/// The state after an event; none where it is forbidden.
pub fn next(state: State, event: Event, expiry: Expiry) -> Option<State> {
    TRANSITIONS
        .iter()
        .find(|(from, by, kinds, _)| *from == state && *by == event && kinds.contains(&expiry))
        .map(|(.., to)| *to)
}

/// Who is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// Whom the deadline is set for.
    Addressee,
    /// A higher place.
    Role(Role),
}

/// One rung of the ladder after the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rung {
    /// Working days after the rung before, or after the end.
    pub after: u32,
    /// Who is told.
    pub to: To,
}

const fn rung(to: To) -> Rung {
    Rung { after: 5, to }
}

const REMIND: &[Rung] = &[rung(To::Addressee), rung(To::Addressee)];
const ESCALATE: &[Rung] = &[
    rung(To::Addressee),
    rung(To::Addressee),
    rung(To::Role(Role::Bezirksstellenleitung)),
    rung(To::Role(Role::Fachbereichsleitung)),
    rung(To::Role(Role::Vorstand)),
];

/// What follows the end: two reminders five working days apart, then the higher places in their order.
pub const fn ladder(expiry: Expiry) -> &'static [Rung] {
    match expiry {
        Expiry::Remind => REMIND,
        Expiry::Escalate => ESCALATE,
        Expiry::MayProceed | Expiry::PresumedBarred => &[],
    }
}

/// When a rung is reached: the beginning of its working day, counted from the day on which the one before was told, or from the end.
/// None behind the last one. Counted so, a service that stood still catches up without telling everybody at once.
pub fn rung_at(calendar: &Calendar, expiry: Expiry, place: usize, from: NaiveDate) -> Option<DateTime<Utc>> {
    let rung = ladder(expiry).get(place)?;
    let day = calendar.working_day(from, rung.after)?;
    midnight(day.pred_opt()?).ok()
}

#[cfg(test)]
mod tests {
    use super::super::calendar::Land;
    use super::*;

    #[test]
    fn every_transition_that_is_not_in_the_table_is_forbidden() {
        let mut allowed = 0;
        for state in State::ALL {
            for event in Event::ALL {
                for expiry in Expiry::ALL {
                    let listed: Vec<_> = TRANSITIONS
                        .iter()
                        .filter(|(from, by, kinds, _)| {
                            from == state && *by == event && kinds.contains(expiry)
                        })
                        .collect();
                    assert!(listed.len() <= 1, "{state:?} {event:?} {expiry:?}");
                    let to = next(*state, event, *expiry);
                    assert_eq!(to, listed.first().map(|one| one.3));
                    allowed += usize::from(to.is_some());
                    let last = matches!(state, State::Met | State::Confirmed | State::Cancelled);
                    assert!(!last || to.is_none(), "{state:?} is final");
                    // Nothing is approved or barred by time alone.
                    if to == Some(State::Confirmed) {
                        assert_eq!((event, *expiry), (Event::Confirm, Expiry::PresumedBarred));
                    }
                }
            }
        }
        assert_eq!(allowed, 4 * 6 + 1 + 2 + 2 + 3 + 3 + 1);
    }

    #[test]
    fn every_state_can_be_reached_and_only_a_stopped_or_final_one_waits_for_nobody() {
        for state in State::ALL {
            let reached = TRANSITIONS.iter().any(|(.., to)| to == state);
            assert_eq!(reached, *state != State::NotStarted, "{state:?}");
        }
        assert_eq!(next(State::Expired, Event::Meet, Expiry::MayProceed), None);
        assert_eq!(
            next(State::Expired, Event::ExtendRetroactively, Expiry::MayProceed),
            None
        );
        assert_eq!(next(State::NotStarted, Event::Expire, Expiry::MayProceed), None);
    }

    #[test]
    fn the_ladder_counts_working_days() {
        let calendar = Calendar::of(Land::NordrheinWestfalen);
        let mut from = "2026-05-29".parse().unwrap();
        let mut told = Vec::new();
        for place in 0.. {
            let Some(at) = rung_at(&calendar, Expiry::Escalate, place, from) else {
                break;
            };
            from = super::super::period::day_of(at);
            told.push((from.to_string(), ladder(Expiry::Escalate)[place].to));
        }
        let on = |day: &str, to| (day.to_owned(), to);
        // Friday, 29 May; Corpus Christi is on 4 June.
        assert_eq!(
            told,
            [
                on("2026-06-08", To::Addressee),
                on("2026-06-15", To::Addressee),
                on("2026-06-22", To::Role(Role::Bezirksstellenleitung)),
                on("2026-06-29", To::Role(Role::Fachbereichsleitung)),
                on("2026-07-06", To::Role(Role::Vorstand)),
            ]
        );
        assert_eq!(rung_at(&calendar, Expiry::MayProceed, 0, from), None);
        assert!(rung_at(&calendar, Expiry::Remind, 1, from).is_some());
        assert_eq!(rung_at(&calendar, Expiry::Remind, 2, from), None);
    }
}
