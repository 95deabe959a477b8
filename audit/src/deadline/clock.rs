//! Clocks of the law that run for a case once an error was found, as data: norm and wording, what starts them, whose knowledge counts.
//!
//! What comes out is a warning and no legal opinion: the earliest day on which a clock can run out. It is never moved for a weekend,
//! and of several days on which somebody may be said to have known, each starts a clock of its own.

use chrono::{Datelike as _, Months, NaiveDate};
use entity::Cents;

use crate::Language;
use crate::access::words;

words! {
    /// What starts a clock.
    Trigger {
        /// The end of the provisionally granted period (Bewilligungszeitraum).
        ProvisionalPeriodEnded = "PROVISIONAL_PERIOD_ENDED",
        /// Notification of the provisional decision.
        ProvisionalDecisionNotified = "PROVISIONAL_DECISION_NOTIFIED",
        /// Notification of the act (Bekanntgabe).
        ActNotified = "ACT_NOTIFIED",
        /// Withdrawal of the act.
        ActWithdrawn = "ACT_WITHDRAWN",
        /// Knowledge of the facts that justify withdrawal; whose, [`Knowledge`] says.
        Knowledge = "KNOWLEDGE",
        /// The change of circumstances.
        CircumstancesChanged = "CIRCUMSTANCES_CHANGED",
        /// The recovery decision can no longer be contested.
        RecoveryFinal = "RECOVERY_FINAL",
        /// The last day for which the benefit was paid.
        LastBenefitDay = "LAST_BENEFIT_DAY",
        /// Knowledge of the other carrier's decision on its own duty.
        OtherCarrierDecisionKnown = "OTHER_CARRIER_DECISION_KNOWN",
    }
}

words! {
    /// Whose knowledge starts a clock. Which of them counts is disputed in single cases: each is shown.
    Knowledge {
        /// The auditor told the office.
        AuditorToldOffice = "AUDITOR_TOLD_OFFICE",
        /// The office in charge knew all facts.
        OfficeKnewAllFacts = "OFFICE_KNEW_ALL_FACTS",
        /// The hearing (§ 24 SGB X) ended: only then the facts on good faith are known, as a rule.
        Hearing = "HEARING",
    }
}

words! {
    /// How far a clock has run.
    Progress {
        /// No warning yet.
        Running = "RUNNING",
        /// The first warning is due.
        Warned = "WARNED",
        /// The second warning is due.
        Urgent = "URGENT",
        /// The earliest end has passed: presume it barred, and have a person decide.
        Passed = "PASSED",
    }
}

/// How a clock counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counting {
    /// Months after the day of the trigger.
    Months(u32),
    /// Years after the end of the calendar year of the trigger.
    YearsAfterYear(i32),
    /// Back from the beginning of the year of the trigger: the first day that is still paid for.
    YearsBack(i32),
}

/// A clock of the law.
#[derive(Debug, PartialEq, Eq)]
pub struct LegalClock {
    /// Code; never changes.
    pub code: &'static str,
    /// Norm.
    pub norm: &'static str,
    /// The wording it was read in.
    pub wording: &'static str,
    /// First day of that wording: year, month, day.
    valid_from: (i32, u32, u32),
    /// What starts it.
    pub trigger: Trigger,
    /// How it counts.
    pub counting: Counting,
    german: &'static str,
    english: &'static str,
}

impl LegalClock {
    /// What ends with it.
    pub const fn meaning(&self, language: Language) -> &'static str {
        match language {
            Language::De => self.german,
            Language::En => self.english,
        }
    }

    /// First day of the wording.
    pub fn valid_from(&self) -> NaiveDate {
        let (year, month, day) = self.valid_from;
        NaiveDate::from_ymd_opt(year, month, day).unwrap_or_default()
    }

    fn end(&self, trigger: NaiveDate) -> Option<NaiveDate> {
        match self.counting {
            // A month without the day ends on its last one (§ 188 (3) BGB), as chrono does.
            Counting::Months(months) => trigger.checked_add_months(Months::new(months)),
            Counting::YearsAfterYear(years) => NaiveDate::from_ymd_opt(trigger.year() + years, 12, 31),
            Counting::YearsBack(years) => NaiveDate::from_ymd_opt(trigger.year() - years, 1, 1),
        }
    }

    /// Warnings: after nine and eleven months of a year, twelve and three months before the end of what is longer.
    fn warnings(&self, trigger: NaiveDate, end: NaiveDate) -> Option<[NaiveDate; 2]> {
        match self.counting {
            Counting::Months(12) => Some([
                trigger.checked_add_months(Months::new(9))?,
                trigger.checked_add_months(Months::new(11))?,
            ]),
            Counting::Months(_) | Counting::YearsAfterYear(_) => Some([
                end.checked_sub_months(Months::new(12))?,
                end.checked_sub_months(Months::new(3))?,
            ]),
            Counting::YearsBack(_) => None,
        }
    }
}

const SGB_X: &str = "SGB X i. d. F. vom 18.01.2001 (BGBl. I S. 130)";
const NINTH: &str = "Neuntes Gesetz zur Änderung des SGB II vom 26.07.2016 (BGBl. I S. 1824)";
const SINCE_2001: (i32, u32, u32) = (2001, 1, 1);
const SINCE_AUGUST_2016: (i32, u32, u32) = (2016, 8, 1);

macro_rules! clocks {
    ($($code:literal $norm:literal $wording:expr, $from:expr, $trigger:ident, $counting:expr, $german:literal, $english:literal;)+) => {
        /// The table.
        pub const CLOCKS: &[LegalClock] = &[$(LegalClock {
            code: $code,
            norm: $norm,
            wording: $wording,
            valid_from: $from,
            trigger: Trigger::$trigger,
            counting: $counting,
            german: $german,
            english: $english,
        }),+];
    };
}

clocks! {
    "SGB2_41A_5_1" "§ 41a Abs. 5 S. 1 SGB II" NINTH, SINCE_AUGUST_2016, ProvisionalPeriodEnded, Counting::Months(12),
        "Ohne abschließende Entscheidung gilt das vorläufig Bewilligte als abschließend festgesetzt.",
        "Without a final decision what was granted provisionally counts as final.";
    "SGB2_41A_5_2_KNOWLEDGE" "§ 41a Abs. 5 S. 2 Nr. 2 SGB II" NINTH, SINCE_AUGUST_2016, Knowledge, Counting::Months(12),
        "Abschließende Entscheidung aus anderem Grund: ein Jahr seit Kenntnis der Tatsachen.",
        "Final decision for another reason: one year from knowledge of the facts.";
    "SGB2_41A_5_2_LIMIT" "§ 41a Abs. 5 S. 2 Nr. 2 SGB II" NINTH, SINCE_AUGUST_2016, ProvisionalDecisionNotified, Counting::Months(120),
        "Spätestens zehn Jahre nach Bekanntgabe der vorläufigen Entscheidung.",
        "Ten years after notification of the provisional decision at the latest.";
    "SGBX_44_WITHDRAWAL" "§ 44 SGB X mit § 40 Abs. 1 S. 2 Nr. 1 SGB II" NINTH, SINCE_AUGUST_2016, ActNotified, Counting::YearsAfterYear(4),
        "Rücknahme zugunsten der leistungsberechtigten Person, oder ihr Antrag darauf.",
        "Withdrawal in favour of the person, or the application for it.";
    "SGBX_44_BACK_PAYMENT" "§ 44 Abs. 4 SGB X mit § 40 Abs. 1 S. 2 Nr. 2 SGB II" NINTH, SINCE_AUGUST_2016, ActWithdrawn, Counting::YearsBack(1),
        "Erster Tag, für den nachgezahlt wird.",
        "The first day for which is paid back.";
    "SGBX_45_3_TWO_YEARS" "§ 45 Abs. 3 S. 1 SGB X" SGB_X, SINCE_2001, ActNotified, Counting::Months(24),
        "Rücknahme eines begünstigenden Verwaltungsakts mit Dauerwirkung.",
        "Withdrawal of a favourable act with lasting effect.";
    "SGBX_45_3_TEN_YEARS" "§ 45 Abs. 3 S. 3 SGB X" SGB_X, SINCE_2001, ActNotified, Counting::Months(120),
        "Dasselbe bei falschen Angaben, grober Fahrlässigkeit oder Widerrufsvorbehalt.",
        "The same after false statements, gross negligence or with revocation reserved.";
    "SGBX_45_4_ONE_YEAR" "§ 45 Abs. 4 S. 2 SGB X" SGB_X, SINCE_2001, Knowledge, Counting::Months(12),
        "Rücknahme für die Vergangenheit: ein Jahr seit Kenntnis der Tatsachen, die sie rechtfertigen.",
        "Withdrawal for the past: one year from knowledge of the facts that justify it.";
    "SGBX_48_4_ONE_YEAR" "§ 48 Abs. 4 S. 1 mit § 45 Abs. 4 S. 2 SGB X" SGB_X, SINCE_2001, Knowledge, Counting::Months(12),
        "Aufhebung für die Vergangenheit wegen geänderter Verhältnisse; nicht zugunsten der Person (§ 48 Abs. 4 S. 2).",
        "Cancellation for the past after a change of circumstances; not in favour of the person (§ 48 (4) sentence 2).";
    "SGBX_48_4_TEN_YEARS" "§ 48 Abs. 4 S. 1 mit § 45 Abs. 3 S. 3 SGB X" SGB_X, SINCE_2001, CircumstancesChanged, Counting::Months(120),
        "Äußerste Grenze der Aufhebung, gerechnet von der Änderung.",
        "Outer limit of the cancellation, counted from the change.";
    "SGBX_50_4" "§ 50 Abs. 4 S. 1 SGB X" SGB_X, SINCE_2001, RecoveryFinal, Counting::YearsAfterYear(4),
        "Verjährung des Erstattungsanspruchs.",
        "Limitation of the recovery claim.";
    "SGBX_111_1" "§ 111 S. 1 SGB X" SGB_X, SINCE_2001, LastBenefitDay, Counting::Months(12),
        "Geltendmachung gegenüber dem anderen Leistungsträger.",
        "Claim against the other carrier.";
    "SGBX_111_2" "§ 111 S. 2 SGB X" SGB_X, SINCE_2001, OtherCarrierDecisionKnown, Counting::Months(12),
        "Dieselbe Frist, wenn die Entscheidung des anderen Trägers später bekannt wurde.",
        "The same, where the other carrier's decision became known later.";
    "SGBX_113_1" "§ 113 Abs. 1 S. 1 SGB X" SGB_X, SINCE_2001, OtherCarrierDecisionKnown, Counting::YearsAfterYear(4),
        "Verjährung des Erstattungsanspruchs zwischen Leistungsträgern.",
        "Limitation of claims between carriers.";
}

/// The Bagatellgrenze: an act is not cancelled for the past where all that would have to be paid back stays below.
#[derive(Debug, PartialEq, Eq)]
pub struct Threshold {
    /// Norm.
    pub norm: &'static str,
    /// The wording it was read in.
    pub wording: &'static str,
    valid_from: (i32, u32, u32),
    /// What is less is not recovered; of all members of the Bedarfsgemeinschaft together.
    pub below: Cents,
}

impl Threshold {
    /// First day of the wording.
    pub fn valid_from(&self) -> NaiveDate {
        let (year, month, day) = self.valid_from;
        NaiveDate::from_ymd_opt(year, month, day).unwrap_or_default()
    }
}

/// § 40 (1) sentences 3 to 5 SGB II.
pub const BAGATELLGRENZE: Threshold = Threshold {
    norm: "§ 40 Abs. 1 S. 3 bis 5 SGB II",
    wording: "Bürgergeld-Gesetz vom 16.12.2022 (BGBl. I S. 2328)",
    valid_from: (2023, 1, 1),
    below: Cents(5_000),
};

/// Whether an amount stays below the Bagatellgrenze on a day; none before there was one.
pub fn is_below_threshold(amount: Cents, on: NaiveDate) -> Option<bool> {
    (on >= BAGATELLGRENZE.valid_from()).then_some(amount < BAGATELLGRENZE.below)
}

/// What is known of a case: the day of each trigger.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    days: Vec<(Trigger, Option<Knowledge>, NaiveDate)>,
}

impl Facts {
    /// The same and when something happened.
    #[must_use]
    pub fn with(mut self, trigger: Trigger, on: Option<NaiveDate>) -> Self {
        self.days.extend(on.map(|on| (trigger, None, on)));
        self
    }

    /// The same and since when somebody knew.
    #[must_use]
    pub fn with_knowledge(mut self, knowledge: Knowledge, on: Option<NaiveDate>) -> Self {
        let known = on.map(|on| (Trigger::Knowledge, Some(knowledge), on));
        self.days.extend(known);
        self
    }
}

/// A clock that runs for a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    /// The clock.
    pub clock: &'static LegalClock,
    /// The day that started it.
    pub started_on: NaiveDate,
    /// Whose knowledge that was, where knowledge starts it.
    pub knowledge: Option<Knowledge>,
    /// The earliest last day; for back payments the first day that is paid for.
    pub ends_on: NaiveDate,
    /// When to warn; none for back payments.
    pub warn_on: Option<[NaiveDate; 2]>,
    /// How far it has run.
    pub progress: Progress,
}

/// The clocks that these facts start, the earliest end first. A trigger before the wording came into force starts none: another law
/// held then.
pub fn running(facts: &Facts, today: NaiveDate) -> Vec<Running> {
    let mut found: Vec<_> = CLOCKS
        .iter()
        .flat_map(|clock| {
            let starts = facts
                .days
                .iter()
                .filter(|(trigger, ..)| *trigger == clock.trigger);
            starts.filter_map(move |(_, knowledge, on)| started(clock, *knowledge, *on, today))
        })
        .collect();
    found.sort_by_key(|one| one.ends_on);
    found
}

fn started(
    clock: &'static LegalClock,
    knowledge: Option<Knowledge>,
    on: NaiveDate,
    today: NaiveDate,
) -> Option<Running> {
    if on < clock.valid_from() {
        return None;
    }
    let ends_on = clock.end(on)?;
    let warn_on = clock.warnings(on, ends_on);
    let progress = match warn_on {
        Some(_) if today > ends_on => Progress::Passed,
        Some([_, second]) if today >= second => Progress::Urgent,
        Some([first, _]) if today >= first => Progress::Warned,
        _ => Progress::Running,
    };
    Some(Running {
        clock,
        started_on: on,
        knowledge,
        ends_on,
        warn_on,
        progress,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn ends(facts: &Facts, today: &str) -> Vec<(&'static str, String, Progress)> {
        running(facts, date(today))
            .into_iter()
            .map(|one| (one.clock.code, one.ends_on.to_string(), one.progress))
            .collect()
    }

    #[test]
    fn each_trigger_starts_its_clocks() {
        let on = |day: &str| Some(date(day));
        let only = |trigger, day| Facts::default().with(trigger, on(day));
        assert_eq!(
            ends(&only(Trigger::ProvisionalPeriodEnded, "2025-08-31"), "2026-06-15"),
            [("SGB2_41A_5_1", "2026-08-31".to_owned(), Progress::Warned)]
        );
        assert_eq!(
            ends(&only(Trigger::ActNotified, "2022-05-10"), "2026-01-01"),
            [
                ("SGBX_45_3_TWO_YEARS", "2024-05-10".to_owned(), Progress::Passed),
                ("SGBX_44_WITHDRAWAL", "2026-12-31".to_owned(), Progress::Warned),
                ("SGBX_45_3_TEN_YEARS", "2032-05-10".to_owned(), Progress::Running),
            ]
        );
        assert_eq!(
            ends(&only(Trigger::ActWithdrawn, "2026-05-10"), "2026-05-10"),
            [("SGBX_44_BACK_PAYMENT", "2025-01-01".to_owned(), Progress::Running)]
        );
        assert_eq!(
            ends(&only(Trigger::RecoveryFinal, "2022-02-01"), "2026-11-01"),
            [("SGBX_50_4", "2026-12-31".to_owned(), Progress::Urgent)]
        );
        assert_eq!(
            ends(
                &only(Trigger::OtherCarrierDecisionKnown, "2024-02-29"),
                "2024-03-01"
            ),
            [
                ("SGBX_111_2", "2025-02-28".to_owned(), Progress::Running),
                ("SGBX_113_1", "2028-12-31".to_owned(), Progress::Running),
            ]
        );
        // Another law held.
        assert_eq!(ends(&only(Trigger::ActNotified, "2000-12-31"), "2001-01-01"), []);
        for trigger in Trigger::ALL {
            assert!(
                CLOCKS.iter().any(|clock| clock.trigger == *trigger),
                "{trigger:?}"
            );
        }
    }

    #[test]
    fn every_knowledge_starts_a_clock_of_its_own_and_the_earliest_comes_first() {
        let facts = Facts::default()
            .with_knowledge(Knowledge::Hearing, Some(date("2026-03-01")))
            .with_knowledge(Knowledge::AuditorToldOffice, Some(date("2026-01-15")));
        let found = running(&facts, date("2026-12-15"));
        let year: Vec<_> = found
            .iter()
            .filter(|one| one.clock.code == "SGBX_45_4_ONE_YEAR")
            .map(|one| (one.knowledge, one.ends_on, one.progress))
            .collect();
        assert_eq!(
            year,
            [
                (
                    Some(Knowledge::AuditorToldOffice),
                    date("2027-01-15"),
                    Progress::Urgent
                ),
                (Some(Knowledge::Hearing), date("2027-03-01"), Progress::Warned),
            ]
        );
        assert_eq!(found[0].warn_on, Some([date("2026-10-15"), date("2026-12-15")]));
        assert_eq!(found.len(), 6);
    }

    #[test]
    fn small_amounts_are_not_recovered() {
        let day = date("2026-01-01");
        assert_eq!(is_below_threshold(Cents(4_999), day), Some(true));
        assert_eq!(is_below_threshold(Cents(5_000), day), Some(false));
        assert_eq!(is_below_threshold(Cents(1), date("2022-12-31")), None);
    }

    #[test]
    fn codes_are_unique_and_everything_is_sourced() {
        let mut codes: Vec<_> = CLOCKS.iter().map(|clock| clock.code).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), CLOCKS.len());
        for clock in CLOCKS {
            assert!(clock.wording.contains("BGBl") && clock.norm.starts_with('§'));
            assert!(clock.valid_from() > NaiveDate::default());
        }
    }
}
