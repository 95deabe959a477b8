//! Which days are free: holidays of all 16 Länder with their validity, and days an office is closed.
//!
//! Two questions that are never mixed. Whether the end of a period moves (§ 193 BGB, § 26 (3) SGB X) depends on Saturdays, Sundays and
//! legal holidays alone. Whether a day counts as a working day depends on the office's own free days too, such as 24 and 31 December:
//! those are no holidays, and no period ends later for them.

use std::collections::BTreeSet;

use chrono::{Datelike as _, Days, NaiveDate, Weekday};

use crate::Language;

/// The first year the table speaks of: before the unity there were two legal orders, and one more holiday.
pub const FIRST_YEAR: i32 = 1991;
/// The last one: further ahead no law is known.
pub const LAST_YEAR: i32 = 2199;

macro_rules! laender {
    ($($(#[$doc:meta])* $land:ident = $code:literal,)+) => {
        /// A Land.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        pub enum Land {
            $($(#[$doc])* #[serde(rename = $code)] $land),+
        }

        impl Land {
            /// All of them, by their codes.
            pub const ALL: &'static [Self] = &[$(Self::$land),+];

            /// The code of ISO 3166-2 without its country: `NW`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$land => $code),+ }
            }
        }
    };
}

laender! {
    /// Brandenburg.
    Brandenburg = "BB",
    /// Berlin.
    Berlin = "BE",
    /// Baden-Württemberg.
    BadenWuerttemberg = "BW",
    /// Bayern.
    Bayern = "BY",
    /// Bremen.
    Bremen = "HB",
    /// Hessen.
    Hessen = "HE",
    /// Hamburg.
    Hamburg = "HH",
    /// Mecklenburg-Vorpommern.
    MecklenburgVorpommern = "MV",
    /// Niedersachsen.
    Niedersachsen = "NI",
    /// Nordrhein-Westfalen.
    NordrheinWestfalen = "NW",
    /// Rheinland-Pfalz.
    RheinlandPfalz = "RP",
    /// Schleswig-Holstein.
    SchleswigHolstein = "SH",
    /// Saarland.
    Saarland = "SL",
    /// Sachsen.
    Sachsen = "SN",
    /// Sachsen-Anhalt.
    SachsenAnhalt = "ST",
    /// Thüringen.
    Thueringen = "TH",
}

/// When in the year a holiday is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum On {
    /// Month and day.
    Day(u32, u32),
    /// Days after Easter Sunday.
    Easter(i64),
    /// The Wednesday before 23 November.
    Repentance,
}

/// A holiday of some Länder in some years.
#[derive(Debug, PartialEq, Eq)]
pub struct Holiday {
    /// What configuration calls it.
    pub code: &'static str,
    german: &'static str,
    english: &'static str,
    on: On,
    laender: &'static [Land],
    /// The first year.
    pub from: i32,
    /// The last year; none where it goes on.
    pub to: Option<i32>,
    /// Whether it is a holiday only in some communes of the Land, which name it in their configuration.
    pub in_communes: bool,
    /// The law it stands in.
    pub source: &'static str,
}

impl Holiday {
    /// Its name.
    pub const fn name(&self, language: Language) -> &'static str {
        match language {
            Language::De => self.german,
            Language::En => self.english,
        }
    }

    fn day(&self, year: i32) -> Option<NaiveDate> {
        match self.on {
            On::Day(month, day) => NaiveDate::from_ymd_opt(year, month, day),
            On::Easter(after) => easter(year)?.checked_add_signed(chrono::TimeDelta::try_days(after)?),
            On::Repentance => {
                let eve = NaiveDate::from_ymd_opt(year, 11, 22)?;
                let back = (7 + eve.weekday().num_days_from_monday() - 2) % 7;
                eve.checked_sub_days(Days::new(back.into()))
            }
        }
    }
}

macro_rules! holidays {
    ($($code:literal $german:literal $english:literal $on:expr, [$($land:ident)*], $from:expr, $to:expr, $communes:literal, $source:literal;)+) => {
        /// The table.
        pub const HOLIDAYS: &[Holiday] = &[$(Holiday {
            code: $code,
            german: $german,
            english: $english,
            on: $on,
            laender: &[$(Land::$land),*],
            from: $from,
            to: $to,
            in_communes: $communes,
            source: $source,
        }),+];
    };
}

// An empty list of Länder stands for all of them.
holidays! {
    "NEUJAHR" "Neujahr" "New Year's Day" On::Day(1, 1), [], FIRST_YEAR, None, false, "Feiertagsgesetze aller Länder";
    "HEILIGE_DREI_KOENIGE" "Heilige Drei Könige" "Epiphany" On::Day(1, 6), [BadenWuerttemberg Bayern SachsenAnhalt], FIRST_YEAR, None, false,
        "FTG BW § 1; BayFTG Art. 1; FeiTG LSA § 2";
    "FRAUENTAG" "Internationaler Frauentag" "International Women's Day" On::Day(3, 8), [Berlin], 2019, None, false,
        "Gesetz über die Sonn- und Feiertage Berlin § 1, Änderung 2019";
    "FRAUENTAG" "Internationaler Frauentag" "International Women's Day" On::Day(3, 8), [MecklenburgVorpommern], 2023, None, false,
        "FTG M-V § 2, Änderung 2022";
    "KARFREITAG" "Karfreitag" "Good Friday" On::Easter(-2), [], FIRST_YEAR, None, false, "Feiertagsgesetze aller Länder";
    "OSTERSONNTAG" "Ostersonntag" "Easter Sunday" On::Easter(0), [Brandenburg], FIRST_YEAR, None, false, "FTG Bbg § 2";
    "OSTERMONTAG" "Ostermontag" "Easter Monday" On::Easter(1), [], FIRST_YEAR, None, false, "Feiertagsgesetze aller Länder";
    "TAG_DER_ARBEIT" "1. Mai" "1 May" On::Day(5, 1), [], FIRST_YEAR, None, false, "Feiertagsgesetze aller Länder";
    "TAG_DER_BEFREIUNG" "Tag der Befreiung" "Liberation Day" On::Day(5, 8), [Berlin], 2020, Some(2020), false,
        "Gesetz über die Sonn- und Feiertage Berlin § 1, einmalig 2020";
    "TAG_DER_BEFREIUNG" "Tag der Befreiung" "Liberation Day" On::Day(5, 8), [Berlin], 2025, Some(2025), false,
        "Gesetz über die Sonn- und Feiertage Berlin § 1, einmalig 2025";
    "CHRISTI_HIMMELFAHRT" "Christi Himmelfahrt" "Ascension Day" On::Easter(39), [], FIRST_YEAR, None, false, "Feiertagsgesetze aller Länder";
    "PFINGSTSONNTAG" "Pfingstsonntag" "Whit Sunday" On::Easter(49), [Brandenburg], FIRST_YEAR, None, false, "FTG Bbg § 2";
    "PFINGSTMONTAG" "Pfingstmontag" "Whit Monday" On::Easter(50), [], FIRST_YEAR, None, false, "Feiertagsgesetze aller Länder";
    "FRONLEICHNAM" "Fronleichnam" "Corpus Christi" On::Easter(60),
        [BadenWuerttemberg Bayern Hessen NordrheinWestfalen RheinlandPfalz Saarland], FIRST_YEAR, None, false,
        "FTG BW § 1; BayFTG Art. 1; HFeiertagsG § 1; Feiertagsgesetz NW § 2; LFtG RP § 2; SFG SL § 2";
    "FRONLEICHNAM" "Fronleichnam" "Corpus Christi" On::Easter(60), [Sachsen Thueringen], FIRST_YEAR, None, true,
        "SächsSFG § 1 mit Fronleichnamsverordnung; ThürFGtG § 10";
    "FRIEDENSFEST" "Augsburger Friedensfest" "Peace Festival of Augsburg" On::Day(8, 8), [Bayern], FIRST_YEAR, None, true, "BayFTG Art. 1 Abs. 2";
    "MARIAE_HIMMELFAHRT" "Mariä Himmelfahrt" "Assumption Day" On::Day(8, 15), [Saarland], FIRST_YEAR, None, false, "SFG SL § 2";
    "MARIAE_HIMMELFAHRT" "Mariä Himmelfahrt" "Assumption Day" On::Day(8, 15), [Bayern], FIRST_YEAR, None, true, "BayFTG Art. 1 Abs. 1 Nr. 2";
    "WELTKINDERTAG" "Weltkindertag" "World Children's Day" On::Day(9, 20), [Thueringen], 2019, None, false, "ThürFGtG § 2, Änderung 2019";
    "TAG_DER_DEUTSCHEN_EINHEIT" "Tag der Deutschen Einheit" "German Unity Day" On::Day(10, 3), [], FIRST_YEAR, None, false,
        "Einigungsvertrag Art. 2 Abs. 2";
    "REFORMATIONSTAG" "Reformationstag" "Reformation Day" On::Day(10, 31),
        [Brandenburg MecklenburgVorpommern Sachsen SachsenAnhalt Thueringen], FIRST_YEAR, None, false,
        "FTG Bbg § 2; FTG M-V § 2; SächsSFG § 1; FeiTG LSA § 2; ThürFGtG § 2";
    "REFORMATIONSTAG" "Reformationstag" "Reformation Day" On::Day(10, 31),
        [Berlin BadenWuerttemberg Bayern Bremen Hessen Hamburg Niedersachsen NordrheinWestfalen RheinlandPfalz SchleswigHolstein Saarland],
        2017, Some(2017), false, "einmalig 2017 (500 Jahre Reformation), Gesetze und Verordnungen der Länder";
    "REFORMATIONSTAG" "Reformationstag" "Reformation Day" On::Day(10, 31), [Bremen Hamburg Niedersachsen SchleswigHolstein], 2018, None, false,
        "Feiertagsgesetze HB, HH, NI und SH, Änderungen 2018";
    "ALLERHEILIGEN" "Allerheiligen" "All Saints' Day" On::Day(11, 1),
        [BadenWuerttemberg Bayern NordrheinWestfalen RheinlandPfalz Saarland], FIRST_YEAR, None, false,
        "FTG BW § 1; BayFTG Art. 1; Feiertagsgesetz NW § 2; LFtG RP § 2; SFG SL § 2";
    "BUSS_UND_BETTAG" "Buß- und Bettag" "Day of Repentance" On::Repentance, [], FIRST_YEAR, Some(1994), false,
        "Feiertagsgesetze aller Länder; abgeschafft zur Finanzierung der Pflegeversicherung (§ 58 SGB XI)";
    "BUSS_UND_BETTAG" "Buß- und Bettag" "Day of Repentance" On::Repentance, [Sachsen], 1995, None, false, "SächsSFG § 1; § 58 SGB XI";
    "WEIHNACHTEN_1" "1. Weihnachtstag" "Christmas Day" On::Day(12, 25), [], FIRST_YEAR, None, false, "Feiertagsgesetze aller Länder";
    "WEIHNACHTEN_2" "2. Weihnachtstag" "Boxing Day" On::Day(12, 26), [], FIRST_YEAR, None, false, "Feiertagsgesetze aller Länder";
}

/// Easter Sunday (Gauß's rule of the Gregorian calendar in the form of Meeus, Jones and Butcher); none outside the calendar.
pub fn easter(year: i32) -> Option<NaiveDate> {
    if !(1583..=9999).contains(&year) {
        return None;
    }
    let (golden, century, rest) = (year % 19, year / 100, year % 100);
    let correction = (century + 8) / 25;
    let moon = (century - correction + 1) / 3;
    let full = (19 * golden + century - century / 4 - moon + 15) % 30;
    let sunday = (32 + 2 * (century % 4) + 2 * (rest / 4) - full - rest % 4) % 7;
    let late = (golden + 11 * full + 22 * sunday) / 451;
    let sum = full + sunday - 7 * late + 114;
    NaiveDate::from_ymd_opt(
        year,
        u32::try_from(sum / 31).ok()?,
        u32::try_from(sum % 31 + 1).ok()?,
    )
}

/// Why a day is no working day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Free {
    /// A Saturday.
    Saturday,
    /// A Sunday.
    Sunday,
    /// A legal holiday.
    Holiday(&'static Holiday),
    /// Free by the office's own rule, and no holiday: it moves no end.
    OfficeClosed,
}

impl Free {
    /// The same in words.
    pub const fn name(self, language: Language) -> &'static str {
        match (self, language) {
            (Self::Saturday, Language::De) => "Samstag",
            (Self::Saturday, Language::En) => "Saturday",
            (Self::Sunday, Language::De) => "Sonntag",
            (Self::Sunday, Language::En) => "Sunday",
            (Self::Holiday(holiday), language) => holiday.name(language),
            (Self::OfficeClosed, Language::De) => "dienstfrei",
            (Self::OfficeClosed, Language::En) => "office closed",
        }
    }
}

/// A day of every year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Yearly {
    month: u32,
    day: u32,
}

impl Yearly {
    /// Month and day, as they can be in some year.
    pub fn new(month: u32, day: u32) -> Option<Self> {
        // 2000 has a 29 February.
        NaiveDate::from_ymd_opt(2000, month, day).map(|_| Self { month, day })
    }
}

/// The calendar of one office.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    land: Land,
    communal: BTreeSet<String>,
    dates: BTreeSet<NaiveDate>,
    yearly: BTreeSet<Yearly>,
}

impl Calendar {
    /// The holidays of a Land, and no other free days.
    pub const fn of(land: Land) -> Self {
        Self {
            land,
            communal: BTreeSet::new(),
            dates: BTreeSet::new(),
            yearly: BTreeSet::new(),
        }
    }

    /// The same with holidays that are ones in some communes of the Land alone; what is none there is left out.
    #[must_use]
    pub fn with_communal(mut self, codes: impl IntoIterator<Item = String>) -> Self {
        self.communal
            .extend(codes.into_iter().filter(|code| is_communal(self.land, code)));
        self
    }

    /// The same with days on which the office is closed.
    #[must_use]
    pub fn with_closed(
        mut self,
        dates: impl IntoIterator<Item = NaiveDate>,
        yearly: impl IntoIterator<Item = Yearly>,
    ) -> Self {
        self.dates.extend(dates);
        self.yearly.extend(yearly);
        self
    }

    /// The Land.
    pub const fn land(&self) -> Land {
        self.land
    }

    /// Whether the table speaks of this day.
    pub fn knows(day: NaiveDate) -> bool {
        (FIRST_YEAR..=LAST_YEAR).contains(&day.year())
    }

    /// The holidays of a year, in the order of their days.
    pub fn holidays(&self, year: i32) -> Vec<(NaiveDate, &'static Holiday)> {
        let mut found: Vec<_> = self
            .valid(year)
            .filter_map(|holiday| Some((holiday.day(year)?, holiday)))
            .collect();
        found.sort_by_key(|(day, _)| *day);
        found
    }

    fn valid(&self, year: i32) -> impl Iterator<Item = &'static Holiday> + '_ {
        HOLIDAYS.iter().filter(move |holiday| {
            (holiday.laender.is_empty() || holiday.laender.contains(&self.land))
                && holiday.from <= year
                && holiday.to.is_none_or(|to| year <= to)
                && (!holiday.in_communes || self.communal.contains(holiday.code))
        })
    }

    /// Why a period does not end on this day: Saturday, Sunday, legal holiday.
    pub fn free_by_law(&self, day: NaiveDate) -> Option<Free> {
        let holiday = self
            .valid(day.year())
            .find(|holiday| holiday.day(day.year()) == Some(day));
        match (holiday, day.weekday()) {
            (Some(holiday), _) => Some(Free::Holiday(holiday)),
            (None, Weekday::Sat) => Some(Free::Saturday),
            (None, Weekday::Sun) => Some(Free::Sunday),
            (None, _) => None,
        }
    }

    /// Why this day is no working day.
    pub fn free(&self, day: NaiveDate) -> Option<Free> {
        self.free_by_law(day).or_else(|| {
            let yearly = Yearly {
                month: day.month(),
                day: day.day(),
            };
            (self.dates.contains(&day) || self.yearly.contains(&yearly)).then_some(Free::OfficeClosed)
        })
    }

    /// The working day that many after this day; none where the calendar ends before. Zero is the day itself or, where it is free, the
    /// next one that is not.
    pub fn working_day(&self, after: NaiveDate, count: u32) -> Option<NaiveDate> {
        let mut day = after;
        let mut left = count;
        loop {
            if left == 0 && self.free(day).is_none() {
                return Some(day);
            }
            day = day.succ_opt().filter(|day| Self::knows(*day))?;
            if left > 0 && self.free(day).is_none() {
                left -= 1;
            }
        }
    }
}

/// Whether this is a holiday of some communes of the Land.
pub fn is_communal(land: Land, code: &str) -> bool {
    HOLIDAYS
        .iter()
        .any(|holiday| holiday.in_communes && holiday.code == code && holiday.laender.contains(&land))
}

#[cfg(test)]
mod tests {
    use bdays::HolidayCalendar as _;
    use bdays::calendars::de::GermanState;
    use proptest::prelude::*;

    use super::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn theirs(land: Land) -> GermanState {
        match land {
            Land::Brandenburg => GermanState::BB,
            Land::Berlin => GermanState::BE,
            Land::BadenWuerttemberg => GermanState::BW,
            Land::Bayern => GermanState::BY,
            Land::Bremen => GermanState::HB,
            Land::Hessen => GermanState::HE,
            Land::Hamburg => GermanState::HH,
            Land::MecklenburgVorpommern => GermanState::MV,
            Land::Niedersachsen => GermanState::NI,
            Land::NordrheinWestfalen => GermanState::NW,
            Land::RheinlandPfalz => GermanState::RP,
            Land::SchleswigHolstein => GermanState::SH,
            Land::Saarland => GermanState::SL,
            Land::Sachsen => GermanState::SN,
            Land::SachsenAnhalt => GermanState::ST,
            Land::Thueringen => GermanState::TH,
        }
    }

    /// The other table lacks the one-off days of Berlin, and has the Assumption in all of Bavaria.
    #[test]
    fn holidays_are_those_of_an_independent_table() {
        let mut differences = Vec::new();
        for land in Land::ALL {
            let calendar = Calendar::of(*land).with_communal(["MARIAE_HIMMELFAHRT".to_owned()]);
            for day in date("2000-01-01")
                .iter_days()
                .take_while(|day| day.year() <= 2026)
            {
                if day.weekday() == Weekday::Sun {
                    continue;
                }
                let ours = matches!(calendar.free_by_law(day), Some(Free::Holiday(_)));
                if ours != theirs(*land).is_holiday(day) {
                    differences.push(format!("{} {day} {ours}", land.as_str()));
                }
            }
        }
        assert_eq!(differences, ["BE 2020-05-08 true", "BE 2025-05-08 true"]);
    }

    #[test]
    fn easter_is_on_its_published_days() {
        for day in [
            "1818-03-22",
            "1886-04-25",
            "1943-04-25",
            "1961-04-02",
            "2000-04-23",
            "2008-03-23",
            "2011-04-24",
            "2019-04-21",
            "2024-03-31",
            "2025-04-20",
            "2026-04-05",
            "2027-03-28",
            "2038-04-25",
            "2285-03-22",
        ] {
            let day = date(day);
            assert_eq!(easter(day.year()), Some(day));
        }
        assert_eq!(easter(1582), None);
    }

    proptest! {
        #[test]
        fn easter_is_a_sunday_in_spring(year in 1583..=9999_i32) {
            let day = easter(year).unwrap();
            prop_assert_eq!(day.weekday(), Weekday::Sun);
            prop_assert!((3, 22) <= (day.month(), day.day()) && (day.month(), day.day()) <= (4, 25));
        }

        #[test]
        fn the_next_working_day_is_one_and_none_is_skipped(offset in 0..60_000_u64, count in 0..40_u32) {
            let calendar = Calendar::of(Land::NordrheinWestfalen).with_closed([], [Yearly::new(12, 24).unwrap()]);
            let start = date("1991-01-01") + Days::new(offset);
            let end = calendar.working_day(start, count).unwrap();
            prop_assert_eq!(calendar.free(end), None);
            let between = start.iter_days().skip(1).take_while(|day| *day <= end);
            let counted = between.filter(|day| calendar.free(*day).is_none()).count();
            let began_free = calendar.free(start).is_some();
            prop_assert_eq!(counted, if count == 0 { usize::from(began_free) } else { count as usize });
        }
    }

    #[test]
    fn holidays_change_with_their_laws() {
        let holiday = |land: Land, day: &str| {
            matches!(Calendar::of(land).free_by_law(date(day)), Some(Free::Holiday(_)))
        };
        for land in Land::ALL {
            assert!(holiday(*land, "2017-10-31"), "{}", land.as_str());
            assert!(holiday(*land, "1994-11-16"), "{}", land.as_str());
            assert_eq!(holiday(*land, "1995-11-22"), *land == Land::Sachsen);
            assert_eq!(holiday(*land, "2026-11-18"), *land == Land::Sachsen);
        }
        assert!(!holiday(Land::Hamburg, "2016-10-31") && holiday(Land::Hamburg, "2018-10-31"));
        assert!(!holiday(Land::NordrheinWestfalen, "2018-10-31"));
        assert!(!holiday(Land::Berlin, "2018-03-08") && holiday(Land::Berlin, "2019-03-08"));
        assert!(!holiday(Land::MecklenburgVorpommern, "2022-03-08"));
        assert!(holiday(Land::MecklenburgVorpommern, "2023-03-08"));
        assert!(!holiday(Land::Thueringen, "2018-09-20") && holiday(Land::Thueringen, "2019-09-20"));
        assert!(holiday(Land::Berlin, "2025-05-08") && !holiday(Land::Berlin, "2026-05-08"));
    }

    #[test]
    fn a_closed_office_is_no_holiday() {
        let office = Calendar::of(Land::NordrheinWestfalen).with_closed(
            [date("2026-05-15")],
            [Yearly::new(12, 24).unwrap(), Yearly::new(12, 31).unwrap()],
        );
        for day in ["2026-12-24", "2026-12-31", "2027-12-24", "2026-05-15"] {
            assert_eq!(office.free_by_law(date(day)), None, "{day}");
            assert_eq!(office.free(date(day)), Some(Free::OfficeClosed), "{day}");
        }
        assert_eq!(office.free(date("2027-05-14")), None);
        // 24 December 2026 is a Thursday: the holidays follow, then a Sunday.
        assert_eq!(
            office.working_day(date("2026-12-23"), 1),
            Some(date("2026-12-28"))
        );
        assert_eq!(Yearly::new(2, 30), None);
    }

    #[test]
    fn some_communes_have_holidays_of_their_own() {
        let day = date("2026-08-15").pred_opt().unwrap();
        let code = |code: &str| [code.to_owned()];
        let munich = Calendar::of(Land::Bayern).with_communal(code("MARIAE_HIMMELFAHRT"));
        assert_eq!(Calendar::of(Land::Bayern).holidays(2026).len(), 12);
        assert_eq!(munich.holidays(2026).len(), 13);
        assert_eq!(munich.free(day), None);
        let elsewhere = Calendar::of(Land::NordrheinWestfalen).with_communal(code("MARIAE_HIMMELFAHRT"));
        assert_eq!(elsewhere, Calendar::of(Land::NordrheinWestfalen));
        assert!(HOLIDAYS.iter().all(|holiday| !holiday.source.is_empty()));
    }
}
