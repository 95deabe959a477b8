//! The Stringer bound with three distributions, in rates and in whole units, and the allowances of AICPA and
//! EC.
//!
//! Sources: K. Stringer 1963; AICPA Audit Guide Audit Sampling (2017), appendix C; Touw and Hoogduin 2011,
//! chapter 5 (whole units, hypergeometric over monetary units); D. Leslie, A. Teitlebaum, R. Anderson 1979
//! (LTA offset).

use num_bigint::BigInt;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::factors::{FactorProfile, Factors, Kind};
use super::result::{Bound, BoundResult, Method, evaluate};
use super::sample::{Errors, MonetarySample, shown_tainting};
use crate::sampling::derivation::german_decimal as german;
use crate::sampling::derivation::{Step, Text};
use crate::sampling::evaluation::figures::{Rounding, amount, shown};
use crate::sampling::evaluation::{Distribution, EvaluationError};
use crate::sampling::numerics::float;
use crate::sampling::refusal::Located;

/// Version of [`stringer_bound`] and [`allowances`].
pub const BOUND_VERSION: &str = "1";
/// Method of [`allowances`] with [`FactorProfile::Exact`].
pub const ALLOWANCES_EXACT: &str = "mus-allowances-exact";
/// Method of [`allowances`] with [`FactorProfile::TwoPlacesUp`].
pub const ALLOWANCES_UP: &str = "mus-allowances-two-places-up";
/// Method of [`allowances`] with [`FactorProfile::TwoPlacesNearest`].
pub const ALLOWANCES_NEAREST: &str = "mus-allowances-two-places-nearest";
/// Taintings that a derivation lists one by one; the rest is one step.
pub(super) const LISTED: usize = 200;

/// How the factors of a Stringer bound are rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum StringerForm {
    /// `p(j)` as a rate, rounded up to twelve places.
    Rate,
    /// `p(j) * book value`, rounded up to a whole unit before differences are formed (IDEA, Touw and
    /// Hoogduin).
    Money,
}

/// What errors in the other direction take off a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Offset {
    /// Leslie, Teitlebaum and Anderson: their projected error. The limit is then one of the net error.
    Lta,
}

/// A sample to be evaluated by a Stringer bound.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StringerInput {
    /// The checked sample.
    pub sample: MonetarySample,
    /// Distribution of the number of errors; the hypergeometric one is over monetary units.
    pub distribution: Distribution,
    /// How factors are rounded.
    pub form: StringerForm,
    /// What errors in the other direction take off.
    pub offset: Option<Offset>,
}

/// A sample to be evaluated by basic precision and incremental allowances.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AllowancesInput {
    /// The checked sample.
    pub sample: MonetarySample,
    /// How the reliability factors are rounded.
    pub factors: FactorProfile,
}

/// Stringer bound, separately for over- and understatements.
///
/// The hits in error are ranked by tainting `t` (error / book value), largest first. With `p(j)` the upper
/// limit for `j` errors in `n` hits (`BV` the book value): `BV * (p(0) * max(1, t(1)) + sum over j of (p(j) -
/// p(j - 1)) * t(j))`.
///
/// Every hit is a unit. Taintings above 1 count in full. Limits are formed exactly from the rounded factors
/// (taintings with 30 places) and rounded up to six places. Monotone in the confidence; conservative in
/// practice, though no proof of that is known for every population.
pub fn stringer_bound(input: &StringerInput) -> Result<BoundResult, Located<EvaluationError>> {
    input.sample.check()?;
    input.sample.check_population(input.distribution)?;
    let kind = match input.form {
        StringerForm::Rate => Kind::Rate(input.distribution),
        StringerForm::Money => Kind::Money(input.distribution),
    };
    let mut result = evaluate(
        &input.sample,
        &Stringer {
            kind,
            id: id(input),
            offset: input.offset,
        },
    )?;
    if input.offset.is_some() {
        result.warnings.push(Text::new(
            "Die Obergrenzen sind um Fehler der Gegenrichtung gemindert (LTA): Sie gelten dem saldierten \
             Fehler.",
            "The limits are reduced by errors in the other direction (LTA): they are limits of the net \
             error.",
        ));
    }
    Ok(result)
}

fn id(input: &StringerInput) -> &'static str {
    use Distribution::{Binomial, Hypergeometric, Poisson};
    use StringerForm::{Money, Rate};
    match (input.form, input.distribution, input.offset.is_some()) {
        (Rate, Binomial, false) => "stringer-rate-binomial",
        (Rate, Poisson, false) => "stringer-rate-poisson",
        (Rate, Hypergeometric, false) => "stringer-rate-hypergeometric",
        (Money, Binomial, false) => "stringer-money-binomial",
        (Money, Poisson, false) => "stringer-money-poisson",
        (Money, Hypergeometric, false) => "stringer-money-hypergeometric",
        (Rate, Binomial, true) => "stringer-rate-binomial-lta",
        (Rate, Poisson, true) => "stringer-rate-poisson-lta",
        (Rate, Hypergeometric, true) => "stringer-rate-hypergeometric-lta",
        (Money, Binomial, true) => "stringer-money-binomial-lta",
        (Money, Poisson, true) => "stringer-money-poisson-lta",
        (Money, Hypergeometric, true) => "stringer-money-hypergeometric-lta",
    }
}

/// Projected error, basic precision `SI * RF(0)` and incremental allowances `(RF(j) - RF(j - 1) - 1) * SI *
/// t(j)` with the reliability factors of the Poisson distribution, separately for over- and understatements.
///
/// `SI` is the interval `BV / n`. The basic precision assumes that no unseen error exceeds its book value.
/// The upper limit is the sum of the three (AICPA appendix C; EC guidance EGESIF 16-0014, conservative
/// approach).
pub fn allowances(input: &AllowancesInput) -> Result<BoundResult, Located<EvaluationError>> {
    input.sample.check()?;
    let id = match input.factors {
        FactorProfile::Exact => ALLOWANCES_EXACT,
        FactorProfile::TwoPlacesUp => ALLOWANCES_UP,
        FactorProfile::TwoPlacesNearest => ALLOWANCES_NEAREST,
    };
    let kind = Kind::Reliability(input.factors);
    evaluate(
        &input.sample,
        &Stringer {
            kind,
            id,
            offset: None,
        },
    )
}

/// The sum over ranks that all these methods share.
struct Stringer {
    kind: Kind,
    id: &'static str,
    offset: Option<Offset>,
}

impl Stringer {
    fn factors(&self, errors: &Errors, risk: Decimal) -> Factors {
        Factors::new(self.kind, errors.size, errors.book_value, risk)
    }

    /// Whether allowances are added to the projection, and no tainting above one enlarges the basic
    /// precision.
    fn by_allowances(&self) -> bool {
        matches!(self.kind, Kind::Reliability(_))
    }
}

impl Method for Stringer {
    fn id(&self) -> &'static str {
        self.id
    }

    fn version(&self) -> &'static str {
        BOUND_VERSION
    }

    fn is_net(&self) -> bool {
        self.offset.is_some()
    }

    fn bound(&self, errors: &Errors, other: &Errors, risk: Decimal) -> Result<Bound, EvaluationError> {
        let factors = self.factors(errors, risk);
        let (worth, parts) = factors.amount();
        let parts = parts * Errors::one();
        // an amount of taintings times factors
        let money = |sum: &BigInt, rounding| amount(&(sum * &worth), &parts, rounding);
        let first = factors.at(0);
        let largest = if self.by_allowances() {
            Errors::one()
        } else {
            errors.largest()
        };
        let mut total = &largest * first;
        let basic = money(&total, Rounding::HalfEven)?;
        let mut steps = vec![self.basic_step(&factors, first, &largest, basic)];
        let (mut rank, mut last) = (0, first);
        let mut unlisted = BigInt::from(0);
        for (index, group) in errors.groups.iter().enumerate() {
            let next = factors.at(rank + group.hits);
            let term = &group.tainting * (i128::from(next) - i128::from(last));
            if index < LISTED {
                let (from, to) = (rank + 1, rank + group.hits);
                let allowance = if self.by_allowances() {
                    // what goes beyond the projection: one factor less for each hit
                    let projected = &group.tainting * group.hits * (&parts / Errors::one() / errors.size);
                    money(&(&term - projected), Rounding::HalfEven)?
                } else {
                    money(&term, Rounding::HalfEven)?
                };
                steps.push(self.rank_step(&factors, (from, to), (last, next), &group.tainting, allowance));
            } else {
                unlisted += &term;
            }
            total += term;
            (rank, last) = (rank + group.hits, next);
        }
        if errors.groups.len() > LISTED {
            let more = errors.groups.len() - LISTED;
            steps.push(Step::new(
                german(&format!("{more} weitere Taintings, ebenso")),
                format!("{more} more taintings, likewise"),
                shown(money(&unlisted, Rounding::HalfEven)?),
            ));
        }
        let mut upper = money(&total, Rounding::Up)?;
        steps.push(if self.by_allowances() {
            Step::new(
                "Obergrenze: hochgerechneter Fehler + Grundpräzision + Zuschläge",
                "Upper limit: projected error + basic precision + incremental allowances",
                shown(upper),
            )
        } else {
            Step::new(
                "Obergrenze: Summe dieser Beträge",
                "Upper limit: sum of these amounts",
                shown(upper),
            )
        });
        if self.offset.is_some() {
            let size = BigInt::from(errors.size) * Errors::one();
            let offset = amount(&(&other.sum * errors.book_value), &size, Rounding::HalfEven)?;
            upper -= offset;
            steps.push(Step::new(
                format!(
                    "LTA: abzüglich des hochgerechneten Fehlers der Gegenrichtung {}",
                    german(&shown(offset))
                ),
                format!(
                    "LTA: less the projected error in the other direction {}",
                    shown(offset)
                ),
                shown(upper),
            ));
        }
        Ok(Bound {
            basic_precision: Some(basic),
            upper_limit: Some(upper),
            steps,
        })
    }

    fn limit(&self, errors: &Errors, other: &Errors, risk: Decimal) -> Option<f64> {
        let factors = self.factors(errors, risk);
        let mut last = factors.at(0);
        let largest = if self.by_allowances() {
            1.0
        } else {
            errors.largest_float()
        };
        let mut total = float(last) * largest;
        let mut rank = 0;
        for group in &errors.groups {
            rank += group.hits;
            let next = factors.at(rank);
            total += (float(next) - float(last)) * group.rounded;
            last = next;
        }
        let offset = match self.offset {
            Some(Offset::Lta) => errors.book() * other.power_sum(1) / float(errors.size),
            None => 0.0,
        };
        Some(total * factors.amount_float() - offset)
    }
}

impl Stringer {
    fn basic_step(&self, factors: &Factors, first: u64, largest: &BigInt, basic: Decimal) -> Step {
        let factor = factors.shown(first);
        let largest = shown_tainting(largest);
        match self.kind {
            Kind::Rate(_) => Step::new(
                german(&format!(
                    "Grundpräzision: p(0) = {factor}, mal größtes Tainting (mindestens 1) {largest}, mal \
                     Buchwert"
                )),
                format!(
                    "Basic precision: p(0) = {factor}, times the largest tainting (at least 1) \
                     {largest}, times book value"
                ),
                shown(basic),
            ),
            Kind::Money(_) => Step::new(
                german(&format!(
                    "Grundpräzision: p(0) * Buchwert, aufgerundet auf {factor}, mal größtes Tainting \
                     (mindestens 1) {largest}"
                )),
                format!(
                    "Basic precision: p(0) * book value, rounded up to {factor}, times the largest \
                     tainting (at least 1) {largest}"
                ),
                shown(basic),
            ),
            Kind::Reliability(_) => Step::new(
                german(&format!("Grundpräzision: Intervall * RF(0) = {factor}")),
                format!("Basic precision: interval * RF(0) = {factor}"),
                shown(basic),
            ),
        }
    }

    fn rank_step(
        &self,
        factors: &Factors,
        (from, to): (u64, u64),
        (last, next): (u64, u64),
        tainting: &BigInt,
        value: Decimal,
    ) -> Step {
        let (last, next) = (factors.shown(last), factors.shown(next));
        let tainting = shown_tainting(tainting);
        let (before, hits) = (from - 1, to - from + 1);
        let (hit_de, hit_en) = if from == to {
            (format!("Treffer {from}"), format!("Hit {from}"))
        } else {
            (format!("Treffer {from} bis {to}"), format!("Hits {from} to {to}"))
        };
        match self.kind {
            Kind::Rate(_) => Step::new(
                german(&format!(
                    "{hit_de}: (p({to}) - p({before})) * Tainting * Buchwert, ({next} - {last}) * {tainting}"
                )),
                format!(
                    "{hit_en}: (p({to}) - p({before})) * tainting * book value, ({next} - {last}) * \
                     {tainting}"
                ),
                shown(value),
            ),
            Kind::Money(_) => Step::new(
                german(&format!(
                    "{hit_de}: Zuwachs der aufgerundeten Grenze * Tainting, ({next} - {last}) * {tainting}"
                )),
                format!(
                    "{hit_en}: increase of the limit in whole units * tainting, ({next} - {last}) * \
                     {tainting}"
                ),
                shown(value),
            ),
            Kind::Reliability(_) => Step::new(
                german(&format!(
                    "Zuschlag, {hit_de}: (RF({to}) - RF({before}) - {hits}) * Intervall * Tainting, \
                     ({next} - {last} - {hits}) * {tainting}"
                )),
                format!(
                    "Incremental allowance, {hit_en}: (RF({to}) - RF({before}) - {hits}) * interval * \
                     tainting, ({next} - {last} - {hits}) * {tainting}"
                ),
                shown(value),
            ),
        }
    }
}
