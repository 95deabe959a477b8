//! What an engagement has to look like.

use chrono::NaiveDate;
use entity::engagement::Function;
use serde::Serialize;

use crate::{Code, Refusal};

/// What opens an engagement.
#[derive(Clone, Debug, Serialize)]
pub struct Open {
    /// Title, 3 to 200 characters.
    pub title: String,
    /// For whom it is done.
    pub function: Function,
    /// What is to be found out, up to 4,000 characters.
    pub objective: String,
    /// The norm it stands on, up to 500 characters.
    pub legal_basis: String,
    /// First day of the audited period.
    pub period_from: NaiveDate,
    /// Last day of the audited period.
    pub period_to: NaiveDate,
}

/// Everything that is wrong with it.
pub fn check_open(input: &Open) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    for (path, text, most) in [
        ("input.title", &input.title, 200),
        ("input.objective", &input.objective, 4_000),
        ("input.legalBasis", &input.legal_basis, 500),
    ] {
        refusals.extend(crate::refusal::text(path, text, most));
    }
    if input.period_to < input.period_from {
        refusals.push(Refusal::new(Code::PeriodReversed, "input.periodTo"));
    }
    refusals
}

/// The number people see.
pub(super) fn number(year: i32, serial: i32) -> String {
    format!("P-{year}-{serial:03}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input() -> Open {
        Open {
            title: "Leistungsgewährung".to_owned(),
            function: Function::Innenrevision,
            objective: "Rechtmäßigkeit der Bescheide".to_owned(),
            legal_basis: "§ 6b (4) SGB II".to_owned(),
            period_from: NaiveDate::from_ymd_opt(2025, 1, 1).unwrap(),
            period_to: NaiveDate::from_ymd_opt(2025, 12, 31).unwrap(),
        }
    }

    #[test]
    fn a_complete_engagement_is_accepted_and_every_fault_is_named() {
        assert!(check_open(&input()).is_empty());
        let faults = check_open(&Open {
            title: " ".to_owned(),
            legal_basis: "x".repeat(501),
            period_to: NaiveDate::from_ymd_opt(2024, 12, 31).unwrap(),
            ..input()
        });
        let found: Vec<_> = faults
            .iter()
            .map(|fault| (fault.code, fault.path.as_str()))
            .collect();
        assert_eq!(
            found,
            [
                (Code::Required, "input.title"),
                (Code::TooLong, "input.legalBasis"),
                (Code::PeriodReversed, "input.periodTo")
            ]
        );
    }

    #[test]
    fn numbers_have_at_least_three_digits() {
        assert_eq!(number(2026, 14), "P-2026-014");
        assert_eq!(number(2026, 1014), "P-2026-1014");
    }
}
