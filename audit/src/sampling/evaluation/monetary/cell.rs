//! The cell bound: for samples with one hit in each cell of the size of the interval.
//!
//! Sources: D. Leslie, A. Teitlebaum, R. Anderson, Dollar-Unit Sampling (1979); Touw and Hoogduin 2011,
//! chapter 5.

use num_bigint::BigInt;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Deserialize;

use super::Direction;
use super::bound::LISTED;
use super::factors::{Factors, Kind};
use super::result::{Bound, BoundResult, Method, evaluate};
use super::sample::{Errors, MonetarySample, SAMPLE, shown_tainting};
use crate::sampling::derivation::Step;
use crate::sampling::derivation::german_decimal as german;
use crate::sampling::evaluation::figures::{Rounding, amount, shown};
use crate::sampling::evaluation::{Distribution, EvaluationError};
use crate::sampling::numerics::{divide_half_even, float};
use crate::sampling::refusal::{Located, Refused as _};

/// Version of [`cell_bound`].
pub const CELL_VERSION: &str = "1";
/// Most hits in error in one direction: each is a stage with a limit of its own, and the achieved confidence forms all of them
/// some twenty times.
pub const MOST_STAGES: u64 = 10_000;

/// A sample to be evaluated by the cell bound.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CellInput {
    /// The checked sample.
    pub sample: MonetarySample,
    /// Distribution of the number of errors; the hypergeometric one is over monetary units.
    pub distribution: Distribution,
}

/// Cell bound, separately for over- and understatements.
///
/// With `U(j)` the upper limit for `j` errors times the book value, rounded up to a whole unit, `SI` the
/// interval and the taintings `t` from the largest down: `UEL(0) = U(0) * max(1, t(1))`, and `UEL(j)` is the
/// larger of `UEL(j - 1) + SI * t(j)` (load and spread) and `U(j) * mean of t(1) to t(j)` (simple spread).
/// The result is the last one, rounded up to six places. Every hit is a stage; more than [`MOST_STAGES`] of them are
/// refused.
pub fn cell_bound(input: &CellInput) -> Result<BoundResult, Located<EvaluationError>> {
    input.sample.check()?;
    input.sample.check_population(input.distribution)?;
    for direction in [Direction::Over, Direction::Under] {
        let hits = input.sample.hits_in_error(direction);
        if hits > MOST_STAGES {
            let limit = MOST_STAGES;
            return Err(EvaluationError::TooManyErrors { hits, limit }.at(SAMPLE));
        }
    }
    evaluate(&input.sample, &Cell(input.distribution))
}

struct Cell(Distribution);

impl Method for Cell {
    fn id(&self) -> &'static str {
        match self.0 {
            Distribution::Binomial => "cell-binomial",
            Distribution::Poisson => "cell-poisson",
            Distribution::Hypergeometric => "cell-hypergeometric",
        }
    }

    fn version(&self) -> &'static str {
        CELL_VERSION
    }

    fn bound(&self, errors: &Errors, _other: &Errors, risk: Decimal) -> Result<Bound, EvaluationError> {
        let factors = Factors::new(Kind::Money(self.0), errors.size, errors.book_value, risk);
        let one = Errors::one();
        let first = factors.at(0);
        let largest = errors.largest();
        // all amounts with 30 places, as the taintings
        let mut stage = &largest * first;
        let basic = amount(&stage, &one, Rounding::HalfEven)?;
        let mut steps = vec![Step::new(
            german(&format!(
                "Stufe 0: U(0) = {first}, mal größtes Tainting (mindestens 1) {}",
                shown_tainting(&largest)
            )),
            format!(
                "Stage 0: U(0) = {first}, times the largest tainting (at least 1) {}",
                shown_tainting(&largest)
            ),
            shown(basic),
        )];
        let mut sum = BigInt::from(0);
        let mut rank = 0u64;
        for group in &errors.groups {
            let load = divide_half_even(&(&group.tainting * errors.book_value), &errors.size.into());
            for _ in 0..group.hits {
                rank += 1;
                sum += &group.tainting;
                let limit = factors.at(rank);
                let loaded = &stage + &load;
                let spread = divide_half_even(&(&sum * limit), &rank.into());
                stage = loaded.clone().max(spread.clone());
                if steps.len() <= LISTED {
                    let tainting = shown_tainting(&group.tainting);
                    let loaded = shown(amount(&loaded, &one, Rounding::HalfEven)?);
                    let spread = shown(amount(&spread, &one, Rounding::HalfEven)?);
                    steps.push(Step::new(
                        german(&format!(
                            "Stufe {rank}, Tainting {tainting}: größerer Wert aus voriger Stufe + \
                             Intervall * Tainting = {loaded} und \
                             U({rank}) = {limit} mal mittlerem Tainting = {spread}"
                        )),
                        format!(
                            "Stage {rank}, tainting {tainting}: larger of previous stage + interval * \
                             tainting = {loaded} and \
                             U({rank}) = {limit} times mean tainting = {spread}"
                        ),
                        shown(amount(&stage, &one, Rounding::HalfEven)?),
                    ));
                }
            }
        }
        let upper = amount(&stage, &one, Rounding::Up)?;
        steps.push(Step::new(
            "Obergrenze: letzte Stufe",
            "Upper limit: last stage",
            shown(upper),
        ));
        Ok(Bound {
            basic_precision: Some(basic),
            upper_limit: Some(upper),
            steps,
        })
    }

    fn limit(&self, errors: &Errors, _other: &Errors, risk: Decimal) -> Option<f64> {
        let factors = Factors::new(Kind::Money(self.0), errors.size, errors.book_value, risk);
        let interval = errors.book() / float(errors.size);
        let mut stage = float(factors.at(0)) * errors.largest_float();
        let (mut sum, mut rank) = (0.0, 0u64);
        for group in &errors.groups {
            for _ in 0..group.hits {
                rank += 1;
                sum += group.rounded;
                let spread = float(factors.at(rank)) * sum / float(rank);
                stage = (stage + interval * group.rounded).max(spread);
            }
        }
        Some(stage)
    }
}
