//! From what was found in single items to what it says of the population.

use std::collections::{BTreeMap, HashMap, HashSet};

use entity::check_answer::Dimension;
use entity::item_check::ErrorClass;
use entity::known_error::Class;
use entity::parameter_set::FactorProfile;
use entity::sample::{Method, Model};
use entity::{BezirksstelleId, Cents, SampleItemId, StratumId, sample_stratum};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::stages::Stages;
use super::units::Unit;
use super::{
    BezirksstelleRate, CellFigures, Evaluate, Evaluation, Exclusion, Figures, FoundFigures, FoundSide,
    MonetaryFigures, MonetaryStrataFigures, RateFigures, StratumRate,
};
use crate::sample::cited::CitedParameterSet;
use crate::sample::known_error::Known;
use crate::sample::rules::{Parameters, is_monetary};
use crate::sample::service::parameters;
use crate::sampling::evaluation::monetary::{self, CellInput, MonetaryItem, MonetarySample, cell_bound};
use crate::sampling::evaluation::{
    self, Distribution, EvaluationError, MonetaryResult, OverallLimit, StratumCount, Tainting,
};
use crate::sampling::of_sample::{CheckedItem, CheckedSample, CheckedStratum, Drawn, KnownError};
use crate::{Code, Error, Result};

/// Confidence where neither question nor plan names one.
const USUAL_CONFIDENCE: (i64, u32) = (95, 2);

/// What is not projected. Amounts are cents; parts of an item's error do not exceed it.
#[derive(Default)]
struct SetApart {
    /// Systemic and anomalous part by item.
    parts: HashMap<SampleItemId, (i64, i64)>,
    /// Delimited systemic errors by stratum.
    systemic: HashMap<StratumId, i64>,
    errors: Vec<KnownError>,
}

impl SetApart {
    fn of(&self, unit: &Unit) -> CheckedItem {
        let (systemic, anomalous) = self.parts.get(&unit.id).copied().unwrap_or_default();
        CheckedItem {
            systemic,
            anomalous,
            ..unit.for_methods()
        }
    }
}

#[derive(Debug)]
pub(super) struct Checked {
    pub(super) sample: Model,
    /// The stages of which it is one, if they are evaluated together.
    pub(super) stages: Option<Stages>,
    /// It is an unplanned extension, or has one.
    pub(super) unplanned: bool,
    pub(super) units: Vec<Unit>,
    /// The sampling units, where cases were drawn.
    pub(super) cases: Option<Vec<Unit>>,
    pub(super) strata: Vec<sample_stratum::Model>,
    /// Errors that are known in the whole population.
    pub(super) known: Known,
    /// Items that gave their place to another.
    pub(super) replaced: usize,
    /// Items that cannot be checked and were not replaced.
    pub(super) not_evidenced: usize,
    pub(super) items: usize,
    pub(super) open: usize,
}

impl Checked {
    pub(super) fn evaluate(&self, input: &Evaluate) -> Result<Evaluation> {
        let bounds = parameters(&self.sample)?;
        let confidence = confidence(input, &bounds);
        if self.is_fixed() && input.confidence.is_some() {
            let method = self.sample.method.as_str();
            return Err(Error::refused_with(
                Code::InvalidValue,
                "input.confidence",
                method,
            ));
        }
        let (figures, confidence) = if let Some(stages) = &self.stages {
            let figures = stages.figures(&self.units, self.open > 0);
            let figures = figures.map_err(|error| self.refusal(&error))?;
            (Figures::TwoStage(figures), Some(stages.confidence))
        } else if self.sample.method == Method::Judgemental {
            (Figures::Found(self.found()?), None)
        } else if is_monetary(self.sample.method) && self.strata.len() > 1 {
            let figures = self.monetary_strata(confidence)?;
            (Figures::MonetaryStrata(figures), Some(confidence))
        } else if self.sample.method == Method::MonetaryUnitCell {
            let figures = self.cells(confidence, &bounds)?;
            (Figures::Cell(Box::new(figures)), Some(confidence))
        } else if is_monetary(self.sample.method) {
            let figures = self.monetary(confidence, &bounds)?;
            (Figures::Monetary(figures), Some(confidence))
        } else {
            (Figures::Rate(self.rates(confidence, &bounds)?), Some(confidence))
        };
        let sampled = self.sampled();
        let mut exclusions = self.exclusions(&figures, input.dimension);
        let by_tables = |set: &CitedParameterSet| set.factor_profile == FactorProfile::EcTables;
        exclusions.extend(
            bounds
                .parameter_set
                .as_ref()
                .is_some_and(by_tables)
                .then_some(Exclusion::ExactFactors),
        );
        Ok(Evaluation {
            sample_id: self.sample.id,
            confidence,
            dimension: input.dimension,
            provisional: self.open > 0,
            items: self.items as u64,
            checked: self.units.len() as u64,
            replaced: self.replaced as u64,
            not_evidenced: self.not_evidenced as u64,
            units: sampled.iter().map(|unit| unit.hits).sum(),
            errors: self.units.iter().filter(|unit| unit.error).count() as u64,
            error_units: sampled
                .iter()
                .filter(|unit| unit.error)
                .map(|unit| unit.hits)
                .sum(),
            error_classes: self.error_classes(),
            parameter_set: bounds.parameter_set,
            exclusions,
            figures,
        })
    }

    /// Nothing is projected, or confidence and method were fixed with the rule of an extension.
    fn is_fixed(&self) -> bool {
        self.sample.method == Method::Judgemental || self.stages.is_some()
    }

    /// The same as the methods of evaluation take it.
    pub(super) fn for_methods(&self, input: &Evaluate) -> Result<CheckedSample> {
        if self.is_fixed() {
            let method = self.sample.method.as_str();
            return Err(Error::refused_with(Code::InvalidValue, "input.id", method));
        }
        let bounds = parameters(&self.sample)?;
        let drawn = match self.sample.method {
            Method::SimpleRandomClusters => Drawn::Clusters,
            Method::RecordsWithReplacement => Drawn::ItemsWithReplacement,
            method if is_monetary(method) => Drawn::Money,
            _ => Drawn::Items,
        };
        let set_apart = if input.dimension.is_none() {
            self.set_apart()
        } else {
            SetApart::default()
        };
        let strata = self.strata.iter().map(|stratum| {
            let of = |unit: &&Unit| unit.stratum == stratum.id;
            let sampled: Vec<&Unit> = self.sampled().iter().filter(of).collect();
            CheckedStratum {
                name: stratum.label.clone(),
                population: stratum.item_count.unsigned_abs(),
                book_value: stratum.sum_cents.0,
                size: sampled.iter().map(|unit| unit.hits).sum(),
                deviations: sampled
                    .iter()
                    .filter(|unit| unit.error)
                    .map(|unit| unit.hits)
                    .sum(),
                items: self.lines().filter(of).map(|unit| set_apart.of(unit)).collect(),
                systemic: set_apart.systemic.get(&stratum.id).copied().unwrap_or(0),
            }
        });
        let cited = bounds.parameter_set.as_ref();
        Ok(CheckedSample {
            drawn,
            confidence: confidence(input, &bounds),
            tolerable_rate: bounds.tolerable_rate,
            tolerable_error: bounds
                .tolerable_cents
                .or_else(|| cited.map(|set| set.part_of(self.sample.frame_cents)))
                .map(|cents| cents.0)
                .filter(|cents| *cents > 0),
            cited: cited.map(|set| (set.materiality, set.factor_profile.as_str())),
            strata: strata.collect(),
            known_errors: set_apart.errors,
        })
    }

    /// The known errors whose items are all checked and in error; others are projected with them.
    fn set_apart(&self) -> SetApart {
        let in_error: HashSet<SampleItemId> = self
            .units
            .iter()
            .filter(|unit| unit.error)
            .map(|unit| unit.id)
            .collect();
        let mut apart = SetApart::default();
        for (row, parts) in &self.known.errors {
            if !parts.iter().all(|part| in_error.contains(&part.sample_item_id)) {
                continue;
            }
            let systemic = row.class == Class::Systemic;
            for part in parts {
                let (of_systemic, of_anomalous) = apart.parts.entry(part.sample_item_id).or_default();
                *(if systemic { of_systemic } else { of_anomalous }) += part.amount_cents.0;
            }
            if systemic {
                let sum = apart.systemic.entry(row.stratum_id).or_default();
                *sum = sum.saturating_add(row.amount_cents.0);
            }
            apart.errors.push(KnownError {
                class: if systemic {
                    evaluation::errors::ErrorClass::Systemic
                } else {
                    evaluation::errors::ErrorClass::Anomalous
                },
                amount: row.amount_cents.0,
                corrected: row.corrected,
                reason: row.reason.clone(),
            });
        }
        apart
    }

    /// The checked lines; of cases those whose lines are all checked.
    fn lines(&self) -> impl Iterator<Item = &Unit> {
        let whole: Option<HashSet<Uuid>> = self
            .cases
            .as_ref()
            .map(|cases| cases.iter().filter_map(|case| case.case).collect());
        self.units.iter().filter(move |unit| {
            let case = unit.case.as_ref();
            whole
                .as_ref()
                .is_none_or(|whole| case.is_some_and(|case| whole.contains(case)))
        })
    }

    /// What was drawn: items, or cases.
    fn sampled(&self) -> &[Unit] {
        self.cases.as_deref().unwrap_or(&self.units)
    }

    fn error_classes(&self) -> Vec<(ErrorClass, u64)> {
        let count = |class| {
            self.units
                .iter()
                .filter(|unit| unit.error && unit.class == class)
                .count() as u64
        };
        let classes = ErrorClass::ALL.iter().filter(|class| **class != ErrorClass::None);
        classes
            .map(|class| (*class, count(*class)))
            .filter(|(_, count)| *count > 0)
            .collect()
    }

    fn rates(&self, confidence: Decimal, bounds: &Parameters) -> Result<RateFigures> {
        let mut counts: HashMap<StratumId, (u64, u64)> = HashMap::new();
        let mut parts: BTreeMap<BezirksstelleId, (u64, u64)> = BTreeMap::new();
        for unit in self.sampled() {
            let error = u64::from(unit.error);
            // An item that was hit twice, with replacement, is two sampling units.
            let (hits, error) = (unit.hits, error * unit.hits);
            let (size, errors) = counts.entry(unit.stratum).or_default();
            (*size, *errors) = (*size + hits, *errors + error);
            if unit.of_several {
                continue;
            }
            let (size, errors) = parts.entry(unit.bezirksstelle).or_default();
            (*size, *errors) = (*size + hits, *errors + error);
        }
        let strata: Vec<StratumCount> = (1..)
            .zip(&self.strata)
            .map(|(ordinal, stratum)| {
                let (size, deviations) = counts.get(&stratum.id).copied().unwrap_or_default();
                let population = u64::try_from(stratum.item_count).unwrap_or(0);
                StratumCount {
                    ordinal,
                    population,
                    size,
                    deviations,
                }
            })
            .collect();
        let result = evaluation::stratified(&strata, confidence).map_err(|error| self.refusal(&error))?;
        let upper_limit = match result.upper_limit {
            OverallLimit::Pooled(limit) => Some(limit),
            OverallLimit::NotProportional => None,
        };
        let conclusion = bounds
            .tolerable_rate
            .zip(upper_limit)
            .map(|(tolerable, limit)| evaluation::conclude(&result.rate, &limit, &tolerable));
        let by_stratum = self
            .strata
            .iter()
            .zip(result.strata)
            .filter_map(|(stratum, part)| {
                let (stratum_id, population) = (stratum.id, part.population);
                Some(StratumRate {
                    stratum_id,
                    population,
                    result: part.result?,
                })
            });
        let bezirksstellen = parts
            .into_iter()
            .map(|(bezirksstelle_id, (size, errors))| {
                let result = evaluation::attribute(size, errors, confidence);
                Ok(BezirksstelleRate {
                    bezirksstelle_id,
                    result: result.map_err(|error| self.refusal(&error))?,
                })
            })
            .collect::<Result<_>>()?;
        Ok(RateFigures {
            rate: result.rate,
            upper_limit,
            method: evaluation::ATTRIBUTE_METHOD,
            version: evaluation::VERSION,
            tolerable_rate: bounds.tolerable_rate,
            conclusion,
            strata: if self.strata.len() > 1 {
                by_stratum.collect()
            } else {
                Vec::new()
            },
            bezirksstellen,
        })
    }

    fn monetary(&self, confidence: Decimal, bounds: &Parameters) -> Result<MonetaryFigures> {
        let result = self.stringer(self.units.iter(), self.sample.frame_cents, confidence)?;
        let tolerable = bounds.tolerable_cents;
        Ok(MonetaryFigures {
            over: tolerable.map(|tolerable| result.over.conclude(tolerable.0)),
            under: tolerable.map(|tolerable| result.under.conclude(tolerable.0)),
            tolerable,
            result,
        })
    }

    fn monetary_strata(&self, confidence: Decimal) -> Result<MonetaryStrataFigures> {
        let mut strata = Vec::with_capacity(self.strata.len());
        for stratum in self.strata.iter().filter(|stratum| stratum.item_count > 0) {
            let units = self.units.iter().filter(|unit| unit.stratum == stratum.id);
            strata.push((stratum.id, self.stringer(units, stratum.sum_cents, confidence)?));
        }
        Ok(MonetaryStrataFigures {
            over: sum(strata.iter().map(|(_, result)| result.over.projected_cents))?,
            under: sum(strata.iter().map(|(_, result)| result.under.projected_cents))?,
            strata,
        })
    }

    fn stringer<'a>(
        &self,
        units: impl Iterator<Item = &'a Unit>,
        book: Cents,
        confidence: Decimal,
    ) -> Result<MonetaryResult> {
        let taintings: Vec<Tainting> = units
            .map(|unit| Tainting {
                book_cents: unit.book.0,
                audit_cents: unit.audited().0,
                hits: unit.hits,
            })
            .collect();
        let size = taintings.iter().map(|unit| unit.hits).sum();
        evaluation::stringer(&taintings, size, book.0, confidence).map_err(|error| self.refusal(&error))
    }

    fn cells(&self, confidence: Decimal, bounds: &Parameters) -> Result<CellFigures> {
        let items: Vec<MonetaryItem> = self
            .units
            .iter()
            .map(|unit| MonetaryItem {
                book: unit.book.0,
                audit: unit.audited().0,
                hits: unit.hits,
            })
            .collect();
        let input = CellInput {
            sample: MonetarySample {
                unit: monetary::Unit::Cent,
                book_value: self.sample.frame_cents.0,
                size: items.iter().map(|item| item.hits).sum(),
                items,
                exhaustive: Vec::new(),
                confidence,
                tolerable: bounds.tolerable_cents.map(|cents| cents.0),
            },
            // As of the Stringer bounds of stored samples.
            distribution: Distribution::Binomial,
        };
        let result = cell_bound(&input).map_err(|error| self.refusal(&error))?;
        Ok(CellFigures { result })
    }

    /// What was found, and nothing more.
    fn found(&self) -> Result<FoundFigures> {
        let side = |sign: i64| {
            let errors: Vec<i64> = self
                .units
                .iter()
                .filter(|unit| unit.error)
                .map(|unit| (unit.book.0 - unit.correct.0) * sign)
                .filter(|error| *error > 0)
                .collect();
            Ok::<_, Error>(FoundSide {
                items: errors.len() as u64,
                cents: sum(errors.into_iter())?,
            })
        };
        Ok(FoundFigures {
            book: sum(self.units.iter().map(|unit| unit.book.0))?,
            over: side(1)?,
            under: side(-1)?,
        })
    }

    /// An unchecked stratum or an amount out of range; anything else is our own mistake.
    fn refusal(&self, error: &EvaluationError) -> Error {
        match error {
            EvaluationError::Confidence(_) => Error::refused(Code::ConfidenceOutOfRange, "input.confidence"),
            EvaluationError::SampleEmpty => {
                let detail = format!("{} / {}", self.units.len(), self.items);
                Error::refused_with(Code::SampleNotEvaluable, "input.id", detail)
            }
            EvaluationError::AmountTooLarge => Error::refused(Code::AmountOverflow, "input.id"),
            other => Error::internal(other.to_string()),
        }
    }

    fn exclusions(&self, figures: &Figures, dimension: Option<Dimension>) -> Vec<Exclusion> {
        let mut exclusions = vec![Exclusion::MissingItems];
        match figures {
            Figures::Monetary(_) | Figures::Cell(_) => {
                exclusions.extend([Exclusion::NotPositive, Exclusion::WithoutEffectOnTotal]);
            }
            Figures::MonetaryStrata(_) => exclusions.extend([
                Exclusion::NotPositive,
                Exclusion::WithoutEffectOnTotal,
                Exclusion::BoundsByStratum,
            ]),
            Figures::Rate(rates) => {
                exclusions.extend([Exclusion::RateOnly, Exclusion::LimitsHoldSingly]);
                exclusions.extend(rates.upper_limit.is_none().then_some(Exclusion::NoOverallLimit));
            }
            Figures::TwoStage(_) => exclusions.push(Exclusion::RateOnly),
            Figures::Found(_) => {
                exclusions.extend([Exclusion::NotProjected, Exclusion::WithoutEffectOnTotal]);
            }
        }
        exclusions.extend(self.circumstances(dimension));
        exclusions
    }

    /// What an evaluation by any method has to say besides.
    fn circumstances(&self, dimension: Option<Dimension>) -> Vec<Exclusion> {
        let elsewhere = self.sample.method == Method::RecordedMonetaryUnit;
        let all = [
            (self.cases.is_some(), Exclusion::CasesCounted),
            (self.open > 0, Exclusion::Provisional),
            (dimension.is_some(), Exclusion::OneDimension),
            (self.replaced > 0, Exclusion::Replaced),
            (self.not_evidenced > 0, Exclusion::CountedNotEvidenced),
            (!self.known.errors.is_empty(), Exclusion::KnownErrorsProjected),
            (self.known.waiting, Exclusion::KnownErrorsWaiting),
            (self.unplanned, Exclusion::UnplannedExtension),
            (elsewhere, Exclusion::DrawnElsewhere),
        ];
        all.into_iter()
            .filter(|(holds, _)| *holds)
            .map(|(_, exclusion)| exclusion)
            .collect()
    }

    /// The same for the methods of [`Self::for_methods`].
    pub(super) fn exclusions_of_methods(&self, dimension: Option<Dimension>) -> Vec<Exclusion> {
        let mut exclusions = vec![Exclusion::MissingItems];
        if is_monetary(self.sample.method) {
            exclusions.extend([Exclusion::NotPositive, Exclusion::WithoutEffectOnTotal]);
        }
        exclusions.extend(self.circumstances(dimension));
        exclusions
    }
}

/// The confidence asked for, that of the plan, or the usual one.
fn confidence(input: &Evaluate, bounds: &Parameters) -> Decimal {
    let usual = Decimal::new(USUAL_CONFIDENCE.0, USUAL_CONFIDENCE.1);
    input.confidence.or(bounds.confidence).unwrap_or(usual)
}

fn sum(mut amounts: impl Iterator<Item = i64>) -> Result<Cents> {
    amounts
        .try_fold(0_i64, i64::checked_add)
        .map(Cents)
        .ok_or_else(|| Error::refused(Code::AmountOverflow, "input.id"))
}
