//! What people decide about a sample: items chosen for their risk, and items replaced.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Longest reason, in characters.
const LONGEST_REASON: usize = 4_000;

/// A judgemental sample (bewusste Auswahl): a kind of its own, without seed, never projected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Judgement {
    /// Who chose.
    pub chosen_by: String,
    /// By what features, and why.
    pub reason: String,
    /// The items.
    pub items: Vec<String>,
}

/// The replacement of a drawn item by another: only with a reason, and not by one person alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Replacement {
    /// The drawn item that is replaced.
    pub replaced: String,
    /// The item in its place.
    pub by: String,
    /// Why it cannot be examined.
    pub reason: String,
    /// Who decided.
    pub decided_by: String,
    /// Who agreed.
    pub approved_by: String,
}

/// What is wrong with a decision of people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JudgementError {
    /// A text is missing.
    #[error("`{0}` is missing")]
    Required(&'static str),
    /// A reason is too long.
    #[error("the reason has more than {LONGEST_REASON} characters")]
    ReasonTooLong,
    /// One person decided and agreed.
    #[error("{0} cannot agree to their own decision")]
    SamePerson(String),
    /// An item is named twice.
    #[error("item {0} is named twice")]
    ItemDoubled(String),
    /// The replaced item was not drawn.
    #[error("item {0} was not drawn")]
    NotDrawn(String),
    /// The item in its place was drawn itself.
    #[error("item {0} is in the sample already")]
    AlreadyDrawn(String),
}

impl JudgementError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Required(_) => "REQUIRED",
            Self::ReasonTooLong => "TOO_LONG",
            Self::SamePerson(_) => "SECOND_PERSON_REQUIRED",
            Self::ItemDoubled(_) => "ITEM_DOUBLED",
            Self::NotDrawn(_) => "ITEM_NOT_DRAWN",
            Self::AlreadyDrawn(_) => "ITEM_ALREADY_DRAWN",
        }
    }

    /// The input that has to change.
    pub fn field(&self) -> &'static str {
        match self {
            Self::Required(field) => field,
            Self::ReasonTooLong => "reason",
            Self::SamePerson(_) => "approvedBy",
            Self::ItemDoubled(_) => "items",
            Self::NotDrawn(_) => "replaced",
            Self::AlreadyDrawn(_) => "by",
        }
    }

    /// The same in German.
    pub fn german(&self) -> String {
        match self {
            Self::Required(field) => format!("Die Angabe „{field}“ fehlt."),
            Self::ReasonTooLong => format!("Die Begründung hat mehr als {LONGEST_REASON} Zeichen."),
            Self::SamePerson(name) => format!(
                "{name} kann der eigenen Entscheidung nicht zustimmen. Das muss eine zweite Person tun."
            ),
            Self::ItemDoubled(id) => format!("Die Position {id} ist zweimal genannt."),
            Self::NotDrawn(id) => format!("Die Position {id} wurde nicht gezogen."),
            Self::AlreadyDrawn(id) => format!("Die Position {id} ist schon in der Stichprobe."),
        }
    }
}

/// Whether a judgemental sample says who chose what and why, and names no item twice.
pub fn check_judgement(judgement: &Judgement) -> Result<(), JudgementError> {
    given("chosenBy", &judgement.chosen_by)?;
    reason(&judgement.reason)?;
    if judgement.items.is_empty() {
        return Err(JudgementError::Required("items"));
    }
    let mut seen = BTreeSet::new();
    match judgement.items.iter().find(|id| !seen.insert(id.as_str())) {
        Some(id) => Err(JudgementError::ItemDoubled(id.clone())),
        None => Ok(()),
    }
}

/// Whether an item of the sample `drawn` may be replaced so. At simple random samples the item in its place
/// is the one with the next ticket: the last one of the sample that is larger by one.
pub fn check_replacement(replacement: &Replacement, drawn: &BTreeSet<String>) -> Result<(), JudgementError> {
    given("replaced", &replacement.replaced)?;
    given("by", &replacement.by)?;
    reason(&replacement.reason)?;
    given("decidedBy", &replacement.decided_by)?;
    given("approvedBy", &replacement.approved_by)?;
    if replacement.decided_by.trim() == replacement.approved_by.trim() {
        return Err(JudgementError::SamePerson(replacement.approved_by.clone()));
    }
    if !drawn.contains(&replacement.replaced) {
        return Err(JudgementError::NotDrawn(replacement.replaced.clone()));
    }
    if drawn.contains(&replacement.by) {
        return Err(JudgementError::AlreadyDrawn(replacement.by.clone()));
    }
    Ok(())
}

fn given(field: &'static str, text: &str) -> Result<(), JudgementError> {
    if text.trim().is_empty() {
        return Err(JudgementError::Required(field));
    }
    Ok(())
}

fn reason(text: &str) -> Result<(), JudgementError> {
    given("reason", text)?;
    if text.chars().count() > LONGEST_REASON {
        return Err(JudgementError::ReasonTooLong);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampling::derivation::assert_german;

    #[test]
    fn errors_are_told_in_german() {
        let name = || "A7".to_owned();
        let errors = [
            JudgementError::Required("chosenBy"),
            JudgementError::ReasonTooLong,
            JudgementError::SamePerson(name()),
            JudgementError::ItemDoubled(name()),
            JudgementError::NotDrawn(name()),
            JudgementError::AlreadyDrawn(name()),
        ];
        assert_german(&errors.map(|error| (error.german(), error.to_string())));
    }

    fn replacement() -> Replacement {
        Replacement {
            replaced: "a".to_owned(),
            by: "z".to_owned(),
            reason: "Akte vernichtet".to_owned(),
            decided_by: "anna".to_owned(),
            approved_by: "bert".to_owned(),
        }
    }

    #[test]
    fn replacement_needs_a_reason_and_a_second_person() {
        let drawn: BTreeSet<String> = ["a", "b"].map(str::to_owned).into();
        let code = |change: fn(&mut Replacement)| {
            let mut replacement = replacement();
            change(&mut replacement);
            check_replacement(&replacement, &drawn).map_err(|error| (error.code(), error.field()))
        };
        assert_eq!(code(|_| {}), Ok(()));
        assert_eq!(code(|r| r.reason = " ".to_owned()), Err(("REQUIRED", "reason")));
        assert_eq!(
            code(|r| r.reason = "x".repeat(4_001)),
            Err(("TOO_LONG", "reason"))
        );
        assert_eq!(code(|r| r.approved_by.clear()), Err(("REQUIRED", "approvedBy")));
        let same = code(|r| r.approved_by = " anna".to_owned());
        assert_eq!(same, Err(("SECOND_PERSON_REQUIRED", "approvedBy")));
        assert_eq!(
            code(|r| r.replaced = "c".to_owned()),
            Err(("ITEM_NOT_DRAWN", "replaced"))
        );
        assert_eq!(code(|r| r.by = "b".to_owned()), Err(("ITEM_ALREADY_DRAWN", "by")));
    }

    #[test]
    fn a_judgement_says_who_what_and_why() {
        let judgement = |chosen_by: &str, reason: &str, items: &[&str]| Judgement {
            chosen_by: chosen_by.to_owned(),
            reason: reason.to_owned(),
            items: items.iter().map(|id| (*id).to_owned()).collect(),
        };
        let code = |judgement| check_judgement(&judgement).map_err(|error| (error.code(), error.field()));
        assert_eq!(code(judgement("anna", "hohe Beträge", &["a", "b"])), Ok(()));
        assert_eq!(code(judgement("", "r", &["a"])), Err(("REQUIRED", "chosenBy")));
        assert_eq!(code(judgement("anna", "", &["a"])), Err(("REQUIRED", "reason")));
        assert_eq!(code(judgement("anna", "r", &[])), Err(("REQUIRED", "items")));
        assert_eq!(
            code(judgement("anna", "r", &["a", "a"])),
            Err(("ITEM_DOUBLED", "items"))
        );
    }
}
