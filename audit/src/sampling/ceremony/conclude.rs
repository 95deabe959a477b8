//! From plan, contributions and source to the seed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::plan::Assurance;
use super::{
    Bytes32, CEREMONY, CEREMONY_VERSION, CeremonyError, Commitment, Fields, Logged, Opening, Plan, Source,
    SourceUsed, commitment,
};
use crate::sampling::derivation::{Step, Text};
use crate::sampling::selection::Seed;

/// What the log holds of a ceremony.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Material {
    /// When the population was frozen.
    pub frozen: Logged,
    /// When the plan was fixed.
    pub planned: Logged,
    /// The commitments.
    #[serde(default)]
    pub commitments: Vec<Commitment>,
    /// The openings.
    #[serde(default)]
    pub openings: Vec<Opening>,
    /// The public source.
    pub source: Option<Source>,
    /// The seed at the level `EVERYDAY`, 1 to 200 characters.
    pub own_seed: Option<String>,
}

/// A party that committed and did not open, or not in time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Silence {
    /// Who.
    pub party: String,
    /// Opened when the source existed already: too late to count.
    pub late: bool,
    /// Whether silence could gain something: where a party may open when everything else is known.
    pub could_steer: bool,
}

/// A ceremony that led to a seed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Ceremony {
    /// Id of the method.
    pub method: &'static str,
    /// Its version.
    pub version: &'static str,
    /// The level that was reached: the plan's.
    pub assurance: Assurance,
    /// Digest of the plan.
    pub plan_digest: Bytes32,
    /// Root of the frozen population.
    pub population_root: Bytes32,
    /// The seed.
    pub seed: String,
    /// Who opened, in the order of the plan.
    pub opened: Vec<String>,
    /// Who did not, in the order of the plan.
    pub silent: Vec<Silence>,
    /// The public source.
    pub source: Option<SourceUsed>,
    /// How the seed came about.
    pub steps: Vec<Step>,
    /// What the level cannot rule out.
    pub cannot_rule_out: Vec<Text>,
}

/// Judges a ceremony and forms the seed.
pub fn conclude(plan: &Plan, material: &Material) -> Result<Ceremony, CeremonyError> {
    plan.check()?;
    in_order(material)?;
    if plan.assurance == Assurance::Everyday {
        return everyday(plan, material);
    }
    if material.own_seed.is_some() {
        return Err(CeremonyError::NotUsed("ownSeed"));
    }
    let digest = plan.digest();
    let commitments = commitments(plan, material)?;
    let source = source(plan, material, &commitments)?;
    let given = openings(plan, digest, material, &commitments)?;
    let late = |opening: &Opening| {
        let source = source
            .as_ref()
            .filter(|_| plan.assurance == Assurance::NotSteerable);
        source.is_some_and(|source| existed(source, material, opening.logged))
    };
    let openings: Vec<Option<&Opening>> = given
        .iter()
        .map(|opening| opening.filter(|opening| !late(opening)))
        .collect();
    if openings.iter().all(Option::is_none) {
        return Err(match given.iter().flatten().next() {
            Some(late) => CeremonyError::SourceBeforeContribution(late.contribution.party.clone()),
            None => CeremonyError::NobodyOpened,
        });
    }

    let mut fields = Fields::new("pruefpfad-draw-seed-1")
        .text(plan.assurance.name())
        .shown(&digest)
        .shown(&plan.population_root)
        .shown(&openings.iter().flatten().count());
    for opening in openings.iter().flatten() {
        let contribution = &opening.contribution;
        fields = fields
            .text(&contribution.party)
            .shown(&contribution.salt)
            .text(&contribution.text);
    }
    let seed = match &source {
        Some(source) => source.append(fields),
        None => fields.text("NONE"),
    }
    .finish()
    .to_string();

    let opened: Vec<String> = openings
        .iter()
        .flatten()
        .map(|opening| opening.contribution.party.clone())
        .collect();
    let silent: Vec<Silence> = plan
        .parties
        .iter()
        .zip(given.iter().zip(&openings))
        .filter(|(_, (_, counted))| counted.is_none())
        .map(|(party, (given, _))| Silence {
            party: party.clone(),
            late: given.is_some(),
            could_steer: plan.assurance == Assurance::Witnessed,
        })
        .collect();
    let mut steps = vec![plan_step(digest), root_step(plan.population_root)];
    steps.extend(opened.iter().map(|party| {
        Step::new(
            format!("Beitrag von {party}: geöffnet, entspricht der Festlegung"),
            format!("Contribution of {party}: opened, is what was committed"),
            party,
        )
    }));
    steps.extend(source.iter().map(source_step));
    steps.push(Step::new(
        "Startwert: SHA-256 über Stufe, Plan, Wurzel, geöffnete Beiträge und Quelle",
        "Seed: SHA-256 over level, plan, root, opened contributions and source",
        &seed,
    ));
    Ok(Ceremony {
        method: CEREMONY,
        version: CEREMONY_VERSION,
        assurance: plan.assurance,
        plan_digest: digest,
        population_root: plan.population_root,
        seed,
        cannot_rule_out: cannot_rule_out(plan.assurance, &silent, source.as_ref()),
        opened,
        silent,
        source,
        steps,
    })
}

/// The level without a ceremony: the seed is taken as it is.
fn everyday(plan: &Plan, material: &Material) -> Result<Ceremony, CeremonyError> {
    if !material.commitments.is_empty() {
        return Err(CeremonyError::NotUsed("commitments"));
    }
    if !material.openings.is_empty() {
        return Err(CeremonyError::NotUsed("openings"));
    }
    if material.source.is_some() {
        return Err(CeremonyError::NotUsed("source"));
    }
    let seed = material
        .own_seed
        .as_ref()
        .ok_or(CeremonyError::Required("ownSeed"))?;
    let seed = Seed::new(seed.as_str()).map_err(|_| CeremonyError::Invalid("ownSeed"))?;
    let digest = plan.digest();
    Ok(Ceremony {
        method: CEREMONY,
        version: CEREMONY_VERSION,
        assurance: Assurance::Everyday,
        plan_digest: digest,
        population_root: plan.population_root,
        seed: seed.as_str().to_owned(),
        opened: Vec::new(),
        silent: Vec::new(),
        source: None,
        steps: vec![
            plan_step(digest),
            root_step(plan.population_root),
            Step::new(
                "Startwert: vom Betriebssystem, eine Person, protokolliert",
                "Seed: from the operating system, one person, logged",
                seed.as_str(),
            ),
        ],
        cannot_rule_out: cannot_rule_out(Assurance::Everyday, &[], None),
    })
}

/// Whether frozen, planned, committed and opened follow one another in the log, and its times run with its
/// positions.
fn in_order(material: &Material) -> Result<(), CeremonyError> {
    if material.planned.position <= material.frozen.position {
        return Err(CeremonyError::LogOutOfOrder("planned"));
    }
    let planned = material.planned.position;
    if material
        .commitments
        .iter()
        .any(|entry| entry.logged.position <= planned)
    {
        return Err(CeremonyError::LogOutOfOrder("commitments"));
    }
    let mut entries = vec![("frozen", material.frozen), ("planned", material.planned)];
    entries.extend(
        material
            .commitments
            .iter()
            .map(|entry| ("commitments", entry.logged)),
    );
    entries.extend(material.openings.iter().map(|entry| ("openings", entry.logged)));
    if let Some(Source::Dice(session)) = &material.source {
        entries.push(("source", session.logged));
    }
    entries.sort_by_key(|(_, logged)| logged.position);
    let wrong = entries.windows(2).find(|pair| {
        let (before, after) = (pair[0].1, pair[1].1);
        before.position == after.position || before.at > after.at
    });
    match wrong {
        Some(pair) => Err(CeremonyError::LogOutOfOrder(pair[1].0)),
        None => Ok(()),
    }
}

/// The commitments in the order of the plan's parties: one of each.
fn commitments<'a>(plan: &Plan, material: &'a Material) -> Result<Vec<&'a Commitment>, CeremonyError> {
    for (place, entry) in material.commitments.iter().enumerate() {
        if !plan.parties.contains(&entry.party) {
            return Err(CeremonyError::PartyUnknown(entry.party.clone()));
        }
        if material.commitments[..place]
            .iter()
            .any(|other| other.party == entry.party)
        {
            return Err(CeremonyError::ContributionDoubled(entry.party.clone()));
        }
    }
    let of = |party: &String| {
        let found = material.commitments.iter().find(|entry| entry.party == *party);
        found.ok_or_else(|| CeremonyError::CommitmentMissing(party.clone()))
    };
    plan.parties.iter().map(of).collect()
}

/// The openings in the order of the plan's parties, nothing for those who stayed silent.
fn openings<'a>(
    plan: &Plan,
    digest: Bytes32,
    material: &'a Material,
    commitments: &[&Commitment],
) -> Result<Vec<Option<&'a Opening>>, CeremonyError> {
    let committed = commitments.iter().map(|entry| entry.logged.position).max();
    for (place, opening) in material.openings.iter().enumerate() {
        let party = &opening.contribution.party;
        if material.openings[..place]
            .iter()
            .any(|other| other.contribution.party == *party)
        {
            return Err(CeremonyError::ContributionDoubled(party.clone()));
        }
        let Some(entry) = commitments.iter().find(|entry| entry.party == *party) else {
            return Err(CeremonyError::PartyUnknown(party.clone()));
        };
        if commitment(digest, &opening.contribution)? != entry.digest {
            return Err(CeremonyError::CommitmentDiffers(party.clone()));
        }
        if Some(opening.logged.position) <= committed {
            return Err(CeremonyError::OpenedTooEarly(party.clone()));
        }
    }
    let of = |party: &String| {
        material
            .openings
            .iter()
            .find(|entry| entry.contribution.party == *party)
    };
    Ok(plan.parties.iter().map(of).collect())
}

/// The checked source, which has to be younger than the plan and all commitments.
fn source(
    plan: &Plan,
    material: &Material,
    commitments: &[&Commitment],
) -> Result<Option<SourceUsed>, CeremonyError> {
    let used = match (&plan.source, &material.source) {
        (None, None) => return Ok(None),
        (None, Some(_)) => return Err(CeremonyError::SourceDiffers),
        (Some(_), None) => return Err(CeremonyError::Required("source")),
        (Some(planned), Some(source)) => source.check(planned)?,
    };
    if existed(&used, material, material.planned) {
        return Err(CeremonyError::SourceBeforePlan);
    }
    let early = commitments
        .iter()
        .find(|entry| existed(&used, material, entry.logged));
    if let Some(early) = early {
        return Err(CeremonyError::SourceBeforeContribution(early.party.clone()));
    }
    Ok(Some(used))
}

/// Whether the source existed when something was logged: at the same second is too early.
fn existed(source: &SourceUsed, material: &Material, logged: Logged) -> bool {
    let recorded = match &material.source {
        Some(Source::Dice(session)) => session.logged.position <= logged.position,
        _ => false,
    };
    recorded || source.at <= logged.at
}

fn plan_step(digest: Bytes32) -> Step {
    Step::new(
        "Plan: SHA-256 über Methode, Umfang, Schichten, Grenzen, Stufe, Beteiligte und Quelle",
        "Plan: SHA-256 over method, size, strata, bounds, level, parties and source",
        digest,
    )
}

fn root_step(root: Bytes32) -> Step {
    Step::new(
        "Wurzel der eingefrorenen Grundgesamtheit",
        "Root of the frozen population",
        root,
    )
}

fn source_step(source: &SourceUsed) -> Step {
    Step::new(
        format!("Öffentliche Quelle {} {}, geprüft", source.kind, source.name),
        format!("Public source {} {}, checked", source.kind, source.name),
        &source.value,
    )
}

fn cannot_rule_out(level: Assurance, silent: &[Silence], source: Option<&SourceUsed>) -> Vec<Text> {
    let mut texts = vec![];
    match level {
        Assurance::Everyday => texts.push(Text::new(
            "Wer gezogen hat, kann vorher andere Startwerte ausprobiert haben.",
            "Whoever drew may have tried other seeds before.",
        )),
        Assurance::Witnessed => texts.push(Text::new(
            "Alle Beteiligten zusammen können den Startwert wählen; wer zuletzt öffnet, kennt das Ergebnis \
             vorher und kann schweigen.",
            "All parties together can choose the seed; the last to open knows the result before and can stay \
             silent.",
        )),
        Assurance::NotSteerable => texts.push(Text::new(
            "Die Zeiten sind die des Protokolls: dass alles vor der Quelle darin stand, belegen Prüfpunkte, \
             die andere vorher gegengezeichnet haben.",
            "The times are those of the log: that everything stood in it before the source is proved by \
             checkpoints that others cosigned before.",
        )),
    }
    match source {
        Some(source) if source.kind == "DICE" => texts.push(Text::new(
            "Dass die Würfel nicht gezinkt und die Ziffern richtig abgelesen sind, zeigt allein die \
             Aufzeichnung.",
            "That the dice were fair and the digits read rightly is shown by the recording alone.",
        )),
        Some(_) => texts.push(Text::new(
            "Eine Mehrheit der Betreiber des Zufallsdienstes könnte eine Runde vorab kennen.",
            "A majority of the beacon's operators could know a round in advance.",
        )),
        None => {}
    }
    for silence in silent.iter().filter(|silence| silence.could_steer) {
        texts.push(Text::new(
            format!(
                "{} hat nicht geöffnet und konnte so zwischen zwei Ergebnissen wählen.",
                silence.party
            ),
            format!(
                "{} did not open and could so choose between two results.",
                silence.party
            ),
        ));
    }
    texts
}
