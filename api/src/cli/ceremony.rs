//! `pruefpfad ceremony`: what a party of a draw needs at its own desk, without database, service and configuration.

use std::process::ExitCode;

use anyhow::anyhow;
use audit::sampling::ceremony::drand::CHAINS;
use audit::sampling::ceremony::{Bytes32, Contribution, LONGEST_TEXT, commitment};
use audit::{OsRandom, Random as _};
use chrono::{DateTime, SecondsFormat};
use serde_json::{Value, json};

use super::CeremonyCommand;
use crate::language::Language;

/// Makes a contribution, or finds a round.
pub(super) fn run(command: &CeremonyCommand, language: Language) -> anyhow::Result<ExitCode> {
    let answer = match command {
        CeremonyCommand::Commit {
            plan_digest,
            party,
            text,
        } => contribution(*plan_digest, party, text, language)?,
        CeremonyCommand::Round { chain, after } => round(chain, after.timestamp(), language)?,
    };
    super::emit(&format!("{}\n", serde_json::to_string_pretty(&answer)?))?;
    Ok(ExitCode::SUCCESS)
}

/// A fresh salt, and the commitment that it makes: to be kept until the opening.
fn contribution(plan: Bytes32, party: &str, text: &str, language: Language) -> anyhow::Result<Value> {
    if text
        .chars()
        .any(|letter| letter.is_control() && !matches!(letter, '\n' | '\r' | '\t'))
    {
        return Err(anyhow!(language.say(
            "Der Text enthält Steuerzeichen, mit denen er sich nicht öffnen ließe.",
            "The text holds control characters, with which it could not be opened.",
        )));
    }
    let mut salt = [0; 32];
    OsRandom::new()?.fill(&mut salt);
    let made = Contribution {
        party: party.to_owned(),
        salt: Bytes32(salt),
        text: text.to_owned(),
    };
    let digest = commitment(plan, &made).map_err(|_| {
        anyhow!(language.say(
            format!("Der Text ist länger als {LONGEST_TEXT} Zeichen."),
            format!("The text is longer than {LONGEST_TEXT} characters."),
        ))
    })?;
    Ok(json!({
        "planDigest": plan, "party": made.party, "salt": made.salt, "text": made.text, "commitment": digest,
    }))
}

/// The first round of a chain after a time, as a plan names it.
fn round(chain: &str, after: i64, language: Language) -> anyhow::Result<Value> {
    let Some(chain) = CHAINS
        .iter()
        .find(|known| known.name == chain || known.hash == chain)
    else {
        let known: Vec<&str> = CHAINS.iter().map(|known| known.name).collect();
        return Err(anyhow!(language.say(
            format!(
                "Diese Kette ist nicht bekannt. Bekannt sind {}.",
                known.join(", ")
            ),
            format!("This chain is not known. Known are {}.", known.join(", ")),
        )));
    };
    let round = chain.first_round_after(after);
    let at = chain
        .round_time(round)
        .ok()
        .and_then(|at| DateTime::from_timestamp(at, 0));
    let at = at.map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true));
    Ok(json!({ "chain": chain.hash, "round": round, "at": at }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contribution_is_fresh_and_commits_to_itself() {
        let plan = Bytes32([7; 32]);
        let fresh = || contribution(plan, "Datenschutz", "Würfel", Language::En).unwrap();
        let (one, other) = (fresh(), fresh());
        assert_ne!(one["salt"], other["salt"]);
        let made = Contribution {
            party: "Datenschutz".to_owned(),
            salt: Bytes32::parse(one["salt"].as_str().unwrap()).unwrap(),
            text: "Würfel".to_owned(),
        };
        assert_eq!(one["commitment"], commitment(plan, &made).unwrap().to_string());
        let refused = |text: &str| {
            contribution(plan, "x", text, Language::De)
                .unwrap_err()
                .to_string()
        };
        assert!(refused(&"x".repeat(1_001)).contains("1000"));
        assert!(refused("\0").contains("Steuerzeichen"));
    }

    #[test]
    fn a_round_is_found_for_a_time() {
        let found = round("quicknet", 1_692_806_363, Language::En).unwrap();
        assert_eq!(
            (&found["round"], &found["at"]),
            (&json!(1000), &json!("2023-08-23T15:59:24Z"))
        );
        assert_eq!(found["chain"], CHAINS[0].hash);
        assert_eq!(round(CHAINS[1].hash, 0, Language::En).unwrap()["round"], 1);
        assert!(
            round("other", 0, Language::De)
                .unwrap_err()
                .to_string()
                .contains("default")
        );
    }
}
