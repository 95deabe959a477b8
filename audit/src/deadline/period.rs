//! When a period ends: §§ 187 to 193 BGB and § 26 SGB X, with the steps that lead there.
//!
//! - The day of an event is not counted (§ 187 (1) BGB). Notification of a period that an authority set is such an event: it runs from
//!   the day after (§ 26 (2) SGB X).
//! - A day whose beginning starts the period is counted (§ 187 (2) BGB).
//! - Weeks, months and years end on the day with the same name or number, or on the one before it where the first day counts
//!   (§ 188 (2) BGB); where the month has no such day, on its last one (§ 188 (3) BGB).
//! - An extension is counted from the end of the old period (§ 190 BGB), so that its first day is the one after.
//! - An end on a Saturday, Sunday or holiday moves to the next day that is none (§ 193 BGB, § 26 (3) sentence 1 SGB X); not where the
//!   authority named the day with a reference to that rule (sentence 2), and never a Termin (§ 26 (5) SGB X).
//! - Working days are the house's own unit: no law counts them.
//!
//! The last day belongs to the period until midnight in Europe/Berlin.

use chrono::{DateTime, Datelike as _, Days, Months, NaiveDate, NaiveTime, TimeZone as _, Utc};
use chrono_tz::Europe::Berlin;
use entity::deadline::{FreeDays, Unit};

use super::calendar::{Calendar, Free};
use crate::Language;

/// Most units of a period: whoever means more means something else.
pub const MOST: u32 = 10_000;

/// How long a period is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Length {
    /// How many.
    pub count: u32,
    /// Of what.
    pub unit: Unit,
}

/// What a period begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// An event in the course of a day, which is not counted.
    Event(NaiveDate),
    /// The beginning of a day, which is counted.
    Day(NaiveDate),
    /// Notification of a period that an authority set, on a day that is not counted.
    Notified(NaiveDate),
    /// The end of the period that is extended.
    OldEnd(NaiveDate),
}

/// Why a period has no end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeriodError {
    /// It is not between 1 and [`MOST`] units long.
    #[error("a period is 1 to {MOST} units long")]
    Length,
    /// It touches years whose holidays are not known.
    #[error("the calendar does not reach that far")]
    Calendar,
}

/// What a step of the derivation says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StepKind {
    /// What the period begins with happened on this day.
    Trigger,
    /// The first day that counts.
    Begins,
    /// The last day by counting.
    Ends,
    /// The month lacks the day: its last one stands for it.
    LastOfMonth,
    /// The end moved away from this day.
    Moved,
    /// The end stays on this free day.
    Stays,
    /// The last day in the end; the period is over at its midnight.
    Over,
}

/// A step of the derivation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// What it says.
    pub kind: StepKind,
    /// Of which day.
    pub on: NaiveDate,
    /// By which norm; none where no law counts so.
    pub norm: Option<&'static str>,
    /// Why it moved, or would have.
    pub because: Option<Free>,
}

impl Step {
    const fn new(kind: StepKind, on: NaiveDate, norm: Option<&'static str>) -> Self {
        Self {
            kind,
            on,
            norm,
            because: None,
        }
    }

    /// The step in words.
    pub fn text(&self, language: Language) -> String {
        let because = self.because.map(|free| free.name(language)).unwrap_or_default();
        let (day, norm) = match language {
            Language::De => (
                format!("{} {}", WEEKDAYS[weekday(self.on)].0, self.on.format("%d.%m.%Y")),
                self.norm.map(|norm| format!(" ({norm})")),
            ),
            Language::En => (
                format!("{} {}", WEEKDAYS[weekday(self.on)].1, self.on),
                self.norm.map(|norm| format!(" ({norm})")),
            ),
        };
        let norm = norm.unwrap_or_default();
        match (self.kind, language) {
            (StepKind::Trigger, Language::De) => format!("Auslöser: {day}{norm}"),
            (StepKind::Trigger, Language::En) => format!("Trigger: {day}{norm}"),
            (StepKind::Begins, Language::De) => format!("Erster Tag: {day}{norm}"),
            (StepKind::Begins, Language::En) => format!("First day: {day}{norm}"),
            (StepKind::Ends, Language::De) => format!("Ende nach Zählung: {day}{norm}"),
            (StepKind::Ends, Language::En) => format!("End by counting: {day}{norm}"),
            (StepKind::LastOfMonth, Language::De) => {
                format!("Der Tag fehlt in diesem Monat; letzter Tag: {day}{norm}")
            }
            (StepKind::LastOfMonth, Language::En) => {
                format!("This month has no such day; its last one: {day}{norm}")
            }
            (StepKind::Moved, Language::De) => format!("Verschoben, weil {because}: {day}{norm}"),
            (StepKind::Moved, Language::En) => format!("Moved because of {because}: {day}{norm}"),
            (StepKind::Stays, Language::De) => format!("Nicht verschoben trotz {because}: {day}{norm}"),
            (StepKind::Stays, Language::En) => format!("Not moved in spite of {because}: {day}{norm}"),
            (StepKind::Over, Language::De) => format!("Fristende: {day}, 24 Uhr{norm}"),
            (StepKind::Over, Language::En) => format!("End: {day}, midnight{norm}"),
        }
    }
}

const WEEKDAYS: [(&str, &str); 7] = [
    ("Montag", "Monday"),
    ("Dienstag", "Tuesday"),
    ("Mittwoch", "Wednesday"),
    ("Donnerstag", "Thursday"),
    ("Freitag", "Friday"),
    ("Samstag", "Saturday"),
    ("Sonntag", "Sunday"),
];

fn weekday(day: NaiveDate) -> usize {
    day.weekday().num_days_from_monday() as usize
}

/// The end of a period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// The last day.
    pub on: NaiveDate,
    /// Its midnight: the first instant that is no longer in the period.
    pub at: DateTime<Utc>,
    /// How it was found.
    pub steps: Vec<Step>,
}

/// The end of a period of this length.
pub fn end(
    calendar: &Calendar,
    start: Start,
    length: Length,
    free_days: FreeDays,
) -> Result<End, PeriodError> {
    if length.count == 0 || length.count > MOST {
        return Err(PeriodError::Length);
    }
    let (trigger, first, by) = match start {
        Start::Event(day) => (day, day.succ_opt(), "§ 187 Abs. 1 BGB"),
        Start::Notified(day) => (day, day.succ_opt(), "§ 26 Abs. 2 SGB X"),
        Start::Day(day) => (day, Some(day), "§ 187 Abs. 2 BGB"),
        Start::OldEnd(day) => (day, day.succ_opt(), "§ 190 BGB"),
    };
    let first = first.filter(|_| Calendar::knows(trigger));
    let first = first.ok_or(PeriodError::Calendar)?;
    let mut steps = vec![
        Step::new(StepKind::Trigger, trigger, None),
        Step::new(StepKind::Begins, first, Some(by)),
    ];
    let counted = match start {
        Start::Event(day) | Start::Notified(day) => after_event(calendar, day, length),
        Start::Day(_) | Start::OldEnd(_) => from_first(calendar, first, length),
    };
    let (on, missing) = counted
        .filter(|(on, _)| Calendar::knows(*on))
        .ok_or(PeriodError::Calendar)?;
    let by = match length.unit {
        Unit::Day => Some("§ 188 Abs. 1 BGB"),
        Unit::WorkingDay => None,
        Unit::Week | Unit::Month | Unit::Year => Some("§ 188 Abs. 2 BGB"),
    };
    steps.push(if missing {
        Step::new(StepKind::LastOfMonth, on, Some("§ 188 Abs. 3 BGB"))
    } else {
        Step::new(StepKind::Ends, on, by)
    });
    settle(calendar, on, free_days, steps)
}

/// The end on a day that was named instead of a length.
pub fn until(calendar: &Calendar, on: NaiveDate, free_days: FreeDays) -> Result<End, PeriodError> {
    if !Calendar::knows(on) {
        return Err(PeriodError::Calendar);
    }
    settle(calendar, on, free_days, vec![Step::new(StepKind::Ends, on, None)])
}

fn settle(
    calendar: &Calendar,
    mut on: NaiveDate,
    free_days: FreeDays,
    mut steps: Vec<Step>,
) -> Result<End, PeriodError> {
    while let Some(free) = calendar.free_by_law(on) {
        let norm = match free_days {
            FreeDays::Move => "§ 193 BGB, § 26 Abs. 3 S. 1 SGB X",
            FreeDays::NamedDay => "§ 26 Abs. 3 S. 2 SGB X",
            FreeDays::Termin => "§ 26 Abs. 5 SGB X",
        };
        let kind = if free_days == FreeDays::Move {
            StepKind::Moved
        } else {
            StepKind::Stays
        };
        steps.push(Step {
            because: Some(free),
            ..Step::new(kind, on, Some(norm))
        });
        if free_days != FreeDays::Move {
            break;
        }
        on = next(on)?;
    }
    steps.push(Step::new(StepKind::Over, on, None));
    Ok(End {
        on,
        at: midnight(on)?,
        steps,
    })
}

fn next(day: NaiveDate) -> Result<NaiveDate, PeriodError> {
    day.succ_opt()
        .filter(|day| Calendar::knows(*day))
        .ok_or(PeriodError::Calendar)
}

/// The midnight at the end of a day in Europe/Berlin.
pub fn midnight(day: NaiveDate) -> Result<DateTime<Utc>, PeriodError> {
    let next = day.succ_opt().ok_or(PeriodError::Calendar)?;
    Berlin
        .from_local_datetime(&next.and_time(NaiveTime::MIN))
        .earliest()
        .map(|time| time.with_timezone(&Utc))
        .ok_or(PeriodError::Calendar)
}

/// The day in Europe/Berlin.
pub fn day_of(time: DateTime<Utc>) -> NaiveDate {
    time.with_timezone(&Berlin).date_naive()
}

/// The last day where the event's day does not count, and whether it stands for one that the month lacks.
fn after_event(calendar: &Calendar, event: NaiveDate, length: Length) -> Option<(NaiveDate, bool)> {
    let count = length.count;
    match length.unit {
        Unit::Day => Some((event.checked_add_days(Days::new(count.into()))?, false)),
        Unit::WorkingDay => Some((calendar.working_day(event, count)?, false)),
        Unit::Week => Some((event.checked_add_days(Days::new(u64::from(count) * 7))?, false)),
        Unit::Month => numbered(event, count, event.day()),
        Unit::Year => numbered(event, count.checked_mul(12)?, event.day()),
    }
}

/// The same where the first day counts: the day before that which has its name or number.
fn from_first(calendar: &Calendar, first: NaiveDate, length: Length) -> Option<(NaiveDate, bool)> {
    match length.unit {
        Unit::Month | Unit::Year => {
            let months = if length.unit == Unit::Year {
                length.count.checked_mul(12)?
            } else {
                length.count
            };
            match first.day() {
                1 => Some((first.checked_add_months(Months::new(months))?.pred_opt()?, false)),
                day => numbered(first, months, day - 1),
            }
        }
        _ => after_event(calendar, first.pred_opt()?, length),
    }
}

/// The day with this number, that many months on; the last one of the month where it has none.
fn numbered(from: NaiveDate, months: u32, day: u32) -> Option<(NaiveDate, bool)> {
    let month = from.with_day(1)?.checked_add_months(Months::new(months))?;
    match month.with_day(day) {
        Some(on) => Some((on, false)),
        None => Some((month.checked_add_months(Months::new(1))?.pred_opt()?, true)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::calendar::{Land, Yearly};
    use super::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn nrw() -> Calendar {
        Calendar::of(Land::NordrheinWestfalen)
            .with_closed([], [Yearly::new(12, 24).unwrap(), Yearly::new(12, 31).unwrap()])
    }

    const fn of(count: u32, unit: Unit) -> Length {
        Length { count, unit }
    }

    fn event(day: &str, count: u32, unit: Unit) -> String {
        let end = end(
            &nrw(),
            Start::Event(date(day)),
            of(count, unit),
            FreeDays::NamedDay,
        )
        .unwrap();
        end.on.to_string()
    }

    fn counted(day: &str, count: u32, unit: Unit) -> String {
        let end = end(&nrw(), Start::Day(date(day)), of(count, unit), FreeDays::NamedDay).unwrap();
        end.on.to_string()
    }

    #[test]
    fn the_day_of_an_event_is_not_counted() {
        assert_eq!(event("2026-03-03", 10, Unit::Day), "2026-03-13");
        assert_eq!(event("2026-03-03", 1, Unit::Week), "2026-03-10");
        assert_eq!(event("2026-03-03", 1, Unit::Month), "2026-04-03");
        assert_eq!(event("2026-03-03", 1, Unit::Year), "2027-03-03");
        assert_eq!(event("2026-01-31", 1, Unit::Month), "2026-02-28");
        assert_eq!(event("2024-01-31", 1, Unit::Month), "2024-02-29");
        assert_eq!(event("2026-02-28", 1, Unit::Month), "2026-03-28");
        assert_eq!(event("2024-02-29", 1, Unit::Year), "2025-02-28");
        assert_eq!(event("2024-02-29", 4, Unit::Year), "2028-02-29");
        // Maundy Thursday: Good Friday and Easter Monday do not count.
        assert_eq!(event("2026-04-02", 1, Unit::WorkingDay), "2026-04-07");
        // The house is closed on 24 December, and then it is Christmas.
        assert_eq!(event("2026-12-23", 2, Unit::WorkingDay), "2026-12-29");
    }

    #[test]
    fn a_day_that_begins_the_period_is_counted() {
        assert_eq!(counted("2026-03-03", 10, Unit::Day), "2026-03-12");
        assert_eq!(counted("2026-03-03", 1, Unit::Week), "2026-03-09");
        assert_eq!(counted("2026-03-01", 1, Unit::Month), "2026-03-31");
        assert_eq!(counted("2026-03-03", 1, Unit::Month), "2026-04-02");
        assert_eq!(counted("2026-01-31", 1, Unit::Month), "2026-02-28");
        assert_eq!(counted("2026-01-30", 1, Unit::Month), "2026-02-28");
        assert_eq!(counted("2026-01-29", 1, Unit::Month), "2026-02-28");
        assert_eq!(counted("2024-02-29", 1, Unit::Year), "2025-02-28");
        assert_eq!(counted("2026-01-01", 1, Unit::Year), "2026-12-31");
        assert_eq!(counted("2026-04-07", 1, Unit::WorkingDay), "2026-04-07");
        assert_eq!(counted("2026-04-03", 1, Unit::WorkingDay), "2026-04-07");
    }

    #[test]
    fn an_end_on_a_free_day_moves_and_says_why() {
        // A week from Corpus Christi's eve's week: Thursday, 4 June 2026 is a holiday in NRW and none in Berlin.
        let start = Start::Notified(date("2026-05-28"));
        let moved = end(&nrw(), start, of(1, Unit::Week), FreeDays::Move).unwrap();
        assert_eq!(moved.on, date("2026-06-05"));
        let told: Vec<_> = moved.steps.iter().map(|step| step.text(Language::De)).collect();
        assert_eq!(
            told,
            [
                "Auslöser: Donnerstag 28.05.2026",
                "Erster Tag: Freitag 29.05.2026 (§ 26 Abs. 2 SGB X)",
                "Ende nach Zählung: Donnerstag 04.06.2026 (§ 188 Abs. 2 BGB)",
                "Verschoben, weil Fronleichnam: Donnerstag 04.06.2026 (§ 193 BGB, § 26 Abs. 3 S. 1 SGB X)",
                "Fristende: Freitag 05.06.2026, 24 Uhr",
            ]
        );
        assert_eq!(
            moved.steps[3].text(Language::En),
            "Moved because of Corpus Christi: Thursday 2026-06-04 (§ 193 BGB, § 26 Abs. 3 S. 1 SGB X)"
        );
        let berlin = end(
            &Calendar::of(Land::Berlin),
            start,
            of(1, Unit::Week),
            FreeDays::Move,
        );
        assert_eq!(berlin.unwrap().on, date("2026-06-04"));
        // Good Friday, Saturday, Easter Sunday and Monday.
        let start = Start::Event(date("2026-03-27"));
        let easter = end(&nrw(), start, of(1, Unit::Week), FreeDays::Move).unwrap();
        assert_eq!(easter.on, date("2026-04-07"));
        let because: Vec<_> = easter.steps.iter().filter_map(|step| step.because).collect();
        let names: Vec<_> = because.iter().map(|free| free.name(Language::De)).collect();
        assert_eq!(names, ["Karfreitag", "Samstag", "Sonntag", "Ostermontag"]);
        // The office is closed on 24 December, and the period ends nevertheless.
        let start = Start::Event(date("2026-12-17"));
        let eve = end(&nrw(), start, of(1, Unit::Week), FreeDays::Move).unwrap();
        assert_eq!(eve.on, date("2026-12-24"));
    }

    #[test]
    fn a_termin_and_a_named_day_stay() {
        let saturday = date("2026-06-06");
        for (free_days, norm) in [
            (FreeDays::Termin, "§ 26 Abs. 5 SGB X"),
            (FreeDays::NamedDay, "§ 26 Abs. 3 S. 2 SGB X"),
        ] {
            let end = until(&nrw(), saturday, free_days).unwrap();
            assert_eq!(end.on, saturday);
            assert_eq!(
                (end.steps[1].kind, end.steps[1].norm),
                (StepKind::Stays, Some(norm))
            );
        }
        assert_eq!(
            until(&nrw(), saturday, FreeDays::Move).unwrap().on,
            date("2026-06-08")
        );
    }

    #[test]
    fn an_extension_begins_at_the_end_of_the_old_period() {
        let extended = |day: &str, length| {
            let old = Start::OldEnd(date(day));
            end(&nrw(), old, length, FreeDays::Move).unwrap().on.to_string()
        };
        assert_eq!(extended("2026-03-09", of(1, Unit::Week)), "2026-03-16");
        // The first day of the extension is 1 March.
        assert_eq!(extended("2025-02-28", of(1, Unit::Month)), "2025-03-31");
        assert_eq!(extended("2026-04-02", of(2, Unit::WorkingDay)), "2026-04-08");
    }

    #[test]
    fn the_last_day_ends_at_midnight_in_berlin() {
        let at = |day: &str| midnight(date(day)).unwrap().to_rfc3339();
        assert_eq!(at("2026-01-15"), "2026-01-15T23:00:00+00:00");
        // The clock is put forward on 29 March and back on 25 October.
        assert_eq!(at("2026-03-28"), "2026-03-28T23:00:00+00:00");
        assert_eq!(at("2026-03-29"), "2026-03-29T22:00:00+00:00");
        assert_eq!(at("2026-10-24"), "2026-10-24T22:00:00+00:00");
        assert_eq!(at("2026-10-25"), "2026-10-25T23:00:00+00:00");
        assert_eq!(
            day_of("2026-03-29T22:00:00Z".parse().unwrap()),
            date("2026-03-30")
        );
        assert_eq!(
            day_of("2026-03-29T21:59:59Z".parse().unwrap()),
            date("2026-03-29")
        );
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        let try_it = |day: &str, count, unit| {
            end(&nrw(), Start::Event(date(day)), of(count, unit), FreeDays::Move).map(|end| end.on)
        };
        assert_eq!(try_it("2026-01-01", 0, Unit::Day), Err(PeriodError::Length));
        assert_eq!(
            try_it("2026-01-01", MOST + 1, Unit::Day),
            Err(PeriodError::Length)
        );
        assert_eq!(try_it("2026-01-01", MOST, Unit::Year), Err(PeriodError::Calendar));
        assert_eq!(try_it("1990-12-31", 1, Unit::Day), Err(PeriodError::Calendar));
        assert_eq!(try_it("2199-12-30", 2, Unit::Day), Err(PeriodError::Calendar));
        assert_eq!(
            until(&nrw(), NaiveDate::MAX, FreeDays::Move),
            Err(PeriodError::Calendar)
        );
    }

    proptest! {
        #[test]
        fn ends_never_fall_on_free_days_and_longer_is_never_earlier(
            offset in 0..70_000_u64,
            count in 1..60_u32,
            unit in proptest::sample::select(Unit::ALL),
            counts in any::<bool>(),
        ) {
            let day = date("1991-01-01") + Days::new(offset);
            let start = if counts { Start::Day(day) } else { Start::Event(day) };
            let calendar = nrw();
            if let (Ok(short), Ok(long)) = (
                end(&calendar, start, of(count, unit), FreeDays::Move),
                end(&calendar, start, of(count + 1, unit), FreeDays::Move),
            ) {
                prop_assert_eq!(calendar.free_by_law(short.on), None);
                prop_assert!(day <= short.on && short.on <= long.on);
                prop_assert!(short.at <= long.at);
                prop_assert_eq!(day_of(short.at - chrono::TimeDelta::microseconds(1)), short.on);
            }
        }
    }
}
