//! Plans that cite a parameter set: confidence and materiality are its, and nobody names others beside it.

use entity::parameter_set::FactorProfile;
use entity::{Cents, ParameterSetId};
use rust_decimal::prelude::ToPrimitive as _;
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

use super::rules::{PlanInput, is_monetary};
use super::service::{frame_of, frozen};
use crate::parameter_set::{Figures, in_force};
use crate::{Code, Ctx, Db, Error, Refusal, Result};

/// The edition of a parameter set that a plan cites.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CitedParameterSet {
    /// Its id.
    pub id: ParameterSetId,
    /// Number of the set.
    pub number: i32,
    /// Edition of the set.
    pub edition: i32,
    /// Its materiality: for samples of items the tolerable rate; for monetary units the tolerable error is this part of the frame,
    /// rounded down to the cent.
    pub materiality: Decimal,
    /// Where its factors come from. By printed tables no size is computed here: it is given, as the guidance's calculators find it.
    #[serde(default = "exact")]
    pub factor_profile: FactorProfile,
}

const fn exact() -> FactorProfile {
    FactorProfile::Exact
}

/// The plan with the figures of the set it cites, and the citation.
pub(super) async fn with_cited(
    ctx: &Ctx,
    db: &Db,
    input: &PlanInput,
) -> Result<(PlanInput, Option<CitedParameterSet>)> {
    let mut plan = input.clone();
    let Some(id) = input.parameter_set else {
        return Ok((plan, None));
    };
    let beside = [
        (input.confidence.is_some(), "input.confidence"),
        (input.tolerable_rate.is_some(), "input.tolerableRate"),
        (input.tolerable_cents.is_some(), "input.tolerableError"),
    ];
    let refusals: Vec<Refusal> = beside
        .into_iter()
        .filter(|(given, _)| *given)
        .map(|(_, path)| Refusal::new(Code::FigureBesideParameterSet, path))
        .collect();
    if !refusals.is_empty() {
        return Err(Error::Refused(refusals));
    }
    let figures = in_force(ctx, db, id, "input.parameterSet").await?;
    if figures.factor_profile == FactorProfile::EcTables {
        if input.extension_rule.is_some() {
            let profile = figures.factor_profile.as_str();
            return Err(Error::refused_with(
                Code::InvalidValue,
                "input.extensionRule",
                profile,
            ));
        }
        if input.size.is_none() {
            return Err(Error::refused(Code::Required, "input.size"));
        }
    }
    plan.confidence = Some(figures.confidence);
    if is_monetary(input.method) {
        let population = frozen(ctx, db.reader(), input.population_id).await?;
        plan.tolerable_cents = Some(part_of(
            frame_of(&population, input.method).cents,
            figures.materiality,
        ));
    } else {
        plan.tolerable_rate = Some(figures.materiality);
    }
    Ok((plan, Some(figures.into())))
}

impl From<Figures> for CitedParameterSet {
    fn from(figures: Figures) -> Self {
        Self {
            id: figures.id,
            number: figures.number,
            edition: figures.edition,
            materiality: figures.materiality,
            factor_profile: figures.factor_profile,
        }
    }
}

impl CitedParameterSet {
    /// Its part of an amount, rounded down to the cent.
    pub(super) fn part_of(&self, cents: Cents) -> Cents {
        part_of(cents.0, self.materiality)
    }
}

/// This part of an amount, rounded down to the cent.
fn part_of(cents: i64, materiality: Decimal) -> Cents {
    let part = Decimal::from(cents).checked_mul(materiality);
    let part = part.map(|part| part.round_dp_with_strategy(0, RoundingStrategy::ToZero));
    Cents(part.and_then(|part| part.to_i64()).unwrap_or(cents))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_rounded_down_to_the_cent() {
        let rate = |text: &str| text.parse::<Decimal>().unwrap();
        assert_eq!(part_of(10_099, rate("0.02")), Cents(201));
        assert_eq!(part_of(10_000, rate("0.02")), Cents(200));
        assert_eq!(part_of(49, rate("0.02")), Cents(0));
        assert_eq!(part_of(10_000, rate("1")), Cents(10_000));
        assert_eq!(
            part_of(900_000_000_000_000_000, rate("0.000000000001")),
            Cents(900_000)
        );
    }
}
