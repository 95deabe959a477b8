//! What a plan has to look like, how its size is found, and how it is shared out over strata.

use entity::sample::Method;
use entity::{Cents, ParameterSetId, PopulationId, SampleId};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::ceremony::{self, CeremonyInput};
use super::cited::CitedParameterSet;
use super::extension::{ExtensionRule, RuleKind, check_rule, two_stages};
use crate::sampling::planning::{self, MINIMUM_PER_STRATUM, PlanError, StratumSize, allocate};
use crate::{Code, Refusal};

/// Label of the one stratum of an unstratified sample, and context of its random start.
pub const WHOLE: &str = "gesamt";

/// Most sampling units of one sample: more is a full audit, and one transaction writes the draw.
pub const LARGEST_SAMPLE: i64 = 100_000;

/// What plans a sample.
///
/// The size is either given or computed from confidence, tolerable and expected error. Where it is given, confidence
/// and tolerable error may be named as well: they are bounds of the later evaluation; an expected error may not.
#[derive(Clone, Debug, Serialize)]
pub struct PlanInput {
    /// The frozen population.
    pub population_id: PopulationId,
    /// Name, unique in the engagement, up to 200 characters.
    pub name: String,
    /// How items are selected.
    pub method: Method,
    /// Whether they are so in each Bezirksstelle by itself.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub stratified: bool,
    /// Number of sampling units, where it is not to be computed.
    pub size: Option<i64>,
    /// Confidence, above 0 and below 1.
    pub confidence: Option<Decimal>,
    /// Tolerable error rate, for samples of items.
    pub tolerable_rate: Option<Decimal>,
    /// Expected error rate, for samples of items.
    pub expected_rate: Option<Decimal>,
    /// Tolerable error, for monetary unit samples.
    pub tolerable_cents: Option<Cents>,
    /// Expected error, for monetary unit samples.
    pub expected_cents: Option<Cents>,
    /// Checks every item needs: 1, or 2 for four eyes.
    pub checks_per_item: i32,
    /// Why there is another sample of the same population, up to 4,000 characters.
    pub reason: Option<String>,
    /// The drawn sample that this one extends. Without size and bounds it is the extension that the first plan fixed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extends: Option<SampleId>,
    /// How the sample may be extended, which finds its size too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extension_rule: Option<RuleKind>,
    /// The edition of a parameter set that confidence and materiality come from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter_set: Option<ParameterSetId>,
    /// How the seed comes about.
    #[serde(skip_serializing_if = "CeremonyInput::is_none")]
    pub ceremony: CeremonyInput,
}

impl PlanInput {
    /// The same with one name for one way: a stratified simple random sample has a method of its own.
    #[must_use]
    pub(super) fn plainly(mut self) -> Self {
        if self.stratified && self.method == Method::SimpleRandom {
            self.method = Method::StratifiedByBezirksstelle;
        }
        self.stratified &= self.method != Method::StratifiedByBezirksstelle;
        self
    }

    /// Whether it is drawn in each Bezirksstelle by itself.
    pub(super) fn is_stratified(&self) -> bool {
        self.stratified || self.method == Method::StratifiedByBezirksstelle
    }

    /// Whether it names a bound of the error.
    pub(super) const fn is_bounded(&self) -> bool {
        self.confidence.is_some()
            || self.tolerable_rate.is_some()
            || self.expected_rate.is_some()
            || self.tolerable_cents.is_some()
            || self.expected_cents.is_some()
    }
}

/// How the size of a sample was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SizeSource {
    /// Given with the plan.
    Given,
    /// Computed by a planning method.
    Computed,
    /// The sample was drawn elsewhere.
    Recorded,
    /// A person chose the items.
    Chosen,
}

/// The bounds of a sample and how its size was found, as kept with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Parameters {
    /// How the size was found.
    pub size_source: SizeSource,
    /// The size before it was shared out: minimums of small strata may add to it.
    pub requested_size: i64,
    /// Planning method, where the size was computed.
    pub planning_method: Option<String>,
    /// Its version.
    pub planning_version: Option<String>,
    /// Errors (or sum of taintings) at which the sample still supports the tolerable error.
    pub planned_errors: Option<Decimal>,
    /// Confidence.
    pub confidence: Option<Decimal>,
    /// Tolerable error rate.
    pub tolerable_rate: Option<Decimal>,
    /// Expected error rate.
    pub expected_rate: Option<Decimal>,
    /// Tolerable error in cents.
    pub tolerable_cents: Option<Cents>,
    /// Expected error in cents.
    pub expected_cents: Option<Cents>,
    /// Whether it is drawn in each Bezirksstelle by itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stratified: bool,
    /// How it may be extended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extension_rule: Option<ExtensionRule>,
    /// The edition of a parameter set that confidence and materiality come from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameter_set: Option<CitedParameterSet>,
}

impl Parameters {
    /// Of a sample without a plan.
    pub(super) const fn unplanned(size_source: SizeSource, size: i64) -> Self {
        Self {
            size_source,
            requested_size: size,
            planning_method: None,
            planning_version: None,
            planned_errors: None,
            confidence: None,
            tolerable_rate: None,
            expected_rate: None,
            tolerable_cents: None,
            expected_cents: None,
            stratified: false,
            extension_rule: None,
            parameter_set: None,
        }
    }
}

/// The items that can be selected.
#[derive(Clone, Copy, Debug)]
pub(super) struct FrameSize {
    pub(super) items: i64,
    pub(super) cents: i64,
}

/// Everything that is wrong with a plan before its population is looked at.
pub(super) fn check_plan(input: &PlanInput) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    refusals.extend(crate::refusal::text("input.name", &input.name, 200));
    if let Some(reason) = &input.reason {
        refusals.extend(crate::refusal::text("input.reason", reason, 4_000));
    }
    refusals.extend(check_checks_per_item(input.checks_per_item));
    if matches!(input.method, Method::RecordedMonetaryUnit | Method::Judgemental) {
        refusals.push(Refusal::new(Code::InvalidValue, "input.method"));
        return refusals;
    }
    // Lines of a case may be of several Bezirksstellen; the cell bound is one over all.
    let whole = matches!(
        input.method,
        Method::SimpleRandomClusters | Method::MonetaryUnitCell
    );
    if input.stratified && whole {
        refusals.push(Refusal::new(Code::InvalidValue, "input.stratifiedBy").with(input.method.as_str()));
    }
    refusals.extend(check_bounds(input));
    refusals.extend(match input.extension_rule {
        Some(_) => check_rule(input),
        None => check_size(input),
    });
    refusals.extend(ceremony::check(&input.ceremony));
    refusals
}

/// One check, or two where four eyes are asked.
pub(super) fn check_checks_per_item(checks: i32) -> Option<Refusal> {
    (!(1..=2).contains(&checks)).then(|| Refusal::new(Code::InvalidValue, "input.checksPerItem").with("1, 2"))
}

/// The confidence lies strictly between 0 and 1.
pub(super) fn check_confidence(confidence: Option<Decimal>) -> Option<Refusal> {
    let confidence = confidence?;
    (confidence <= Decimal::ZERO || confidence >= Decimal::ONE)
        .then(|| Refusal::new(Code::ConfidenceOutOfRange, "input.confidence"))
}

fn check_bounds(input: &PlanInput) -> Vec<Refusal> {
    let mut refusals: Vec<Refusal> = check_confidence(input.confidence).into_iter().collect();
    let rates = [
        (input.tolerable_rate, "input.tolerableRate"),
        (input.expected_rate, "input.expectedRate"),
    ];
    let amounts = [
        (input.tolerable_cents, "input.tolerableError"),
        (input.expected_cents, "input.expectedError"),
    ];
    let monetary = is_monetary(input.method);
    for (place, (rate, path)) in rates.into_iter().enumerate() {
        let Some(rate) = rate else { continue };
        let too_small = if place == 0 {
            rate <= Decimal::ZERO
        } else {
            rate < Decimal::ZERO
        };
        if monetary {
            refusals.push(Refusal::new(Code::InvalidValue, path).with(input.method.as_str()));
        } else if too_small || rate > Decimal::ONE {
            refusals.push(Refusal::new(Code::RateOutOfRange, path));
        }
    }
    for (place, (amount, path)) in amounts.into_iter().enumerate() {
        let Some(amount) = amount else { continue };
        if !monetary {
            refusals.push(Refusal::new(Code::InvalidValue, path).with(input.method.as_str()));
        } else if amount < Cents(0) || (place == 0 && amount == Cents(0)) {
            refusals.push(Refusal::new(Code::InvalidValue, path).with(amount));
        }
    }
    refusals
}

fn check_size(input: &PlanInput) -> Vec<Refusal> {
    let expected = input.expected_rate.is_some() || input.expected_cents.is_some();
    match input.size {
        Some(_) if expected => vec![Refusal::new(Code::SizeInvalid, "input.size")],
        Some(size) if size < 1 => vec![Refusal::new(Code::SizeInvalid, "input.size")],
        Some(size) if size > LARGEST_SAMPLE => {
            vec![Refusal::new(Code::TooMany, "input.size").with(LARGEST_SAMPLE)]
        }
        Some(_) => Vec::new(),
        // Whether the first plan fixed an extension is seen with the sample.
        None if input.extends.is_some() && !input.is_bounded() => Vec::new(),
        None => missing_for_computing(input),
    }
}

fn missing_for_computing(input: &PlanInput) -> Vec<Refusal> {
    let bounds = if is_monetary(input.method) {
        [
            (input.tolerable_cents.is_some(), "input.tolerableError"),
            (input.expected_cents.is_some(), "input.expectedError"),
        ]
    } else {
        [
            (input.tolerable_rate.is_some(), "input.tolerableRate"),
            (input.expected_rate.is_some(), "input.expectedRate"),
        ]
    };
    let given = [
        (input.confidence.is_some(), "input.confidence"),
        bounds[0],
        bounds[1],
    ];
    if given.iter().all(|(given, _)| !given) {
        return vec![Refusal::new(Code::SizeInvalid, "input.size")];
    }
    given
        .into_iter()
        .filter(|(given, _)| !given)
        .map(|(_, path)| Refusal::new(Code::Required, path))
        .collect()
}

/// Whether a method selects monetary units.
pub(super) const fn is_monetary(method: Method) -> bool {
    matches!(
        method,
        Method::MonetaryUnitFixedInterval
            | Method::MonetaryUnitRandomisedInterval
            | Method::MonetaryUnitCell
            | Method::RecordedMonetaryUnit
    )
}

/// Whether evaluation can leave known errors out of the projection: methods of the EC guidance, which are for items and monetary units.
pub const fn sets_known_errors_apart(method: Method) -> bool {
    !matches!(
        method,
        Method::Judgemental | Method::SimpleRandomClusters | Method::RecordsWithReplacement
    )
}

/// Whether an extension is drawn from the items that the chain has not drawn.
pub(super) const fn draws_the_rest(method: Method) -> bool {
    is_by_tickets(method) || matches!(method, Method::RecordInterval)
}

/// Whether a method draws items without replacement by their tickets, so that there is a next one.
pub(super) const fn is_by_tickets(method: Method) -> bool {
    matches!(method, Method::SimpleRandom | Method::StratifiedByBezirksstelle)
}

/// The size of a checked plan, and how it was found. Heavy for hopeless figures: not for the async runtime.
///
/// A monetary unit sample with more hits than there are items is refused too: checking every item costs less and
/// leaves nothing to project.
pub(super) fn find_size(input: &PlanInput, frame: FrameSize) -> Result<Parameters, Refusal> {
    if frame.items < 1 {
        return Err(Refusal::new(Code::NothingToSelect, "input.populationId"));
    }
    let mut parameters = Parameters {
        confidence: input.confidence,
        tolerable_rate: input.tolerable_rate,
        expected_rate: input.expected_rate,
        tolerable_cents: input.tolerable_cents,
        expected_cents: input.expected_cents,
        stratified: input.is_stratified(),
        ..Parameters::unplanned(SizeSource::Given, input.size.unwrap_or(0))
    };
    if input.extension_rule.is_some() {
        let rule = two_stages(input, frame)?;
        parameters = Parameters {
            size_source: SizeSource::Computed,
            requested_size: rule.size,
            planning_method: Some(rule.method.clone()),
            planning_version: Some(rule.version.clone()),
            planned_errors: Some(Decimal::from(rule.accept_at)),
            extension_rule: Some(rule),
            ..parameters
        };
    } else if input.size.is_none() {
        compute(input, frame, &mut parameters)?;
    }
    let path = if input.size.is_some() {
        "input.size"
    } else {
        tolerable_path(input)
    };
    if parameters.requested_size > frame.items
        || (is_monetary(input.method) && parameters.requested_size > frame.cents)
    {
        return Err(Refusal::new(Code::SampleLargerThanPopulation, path)
            .with(format!("{} > {}", parameters.requested_size, frame.items)));
    }
    if parameters.requested_size > LARGEST_SAMPLE {
        return Err(Refusal::new(Code::TooMany, path).with(LARGEST_SAMPLE));
    }
    Ok(parameters)
}

fn compute(input: &PlanInput, frame: FrameSize, parameters: &mut Parameters) -> Result<(), Refusal> {
    let confidence = input.confidence.unwrap_or_default();
    let (size, planned, method, version) = if is_monetary(input.method) {
        let (tolerable, expected) = (
            input.tolerable_cents.unwrap_or_default(),
            input.expected_cents.unwrap_or_default(),
        );
        let plan = planning::monetary_size(frame.cents, confidence, tolerable.0, expected.0)
            .map_err(|error| refusal_of(&error, input))?;
        (plan.size, plan.planned_taintings, plan.method, plan.version)
    } else {
        let items = u64::try_from(frame.items).unwrap_or(0);
        let (tolerable, expected) = (
            input.tolerable_rate.unwrap_or_default(),
            input.expected_rate.unwrap_or_default(),
        );
        let plan = planning::attribute_size(items, confidence, tolerable, expected)
            .map_err(|error| refusal_of(&error, input))?;
        let planned = Decimal::from(plan.planned_deviations);
        (plan.size, planned, plan.method, plan.version)
    };
    parameters.size_source = SizeSource::Computed;
    parameters.requested_size = i64::try_from(size).unwrap_or(i64::MAX);
    parameters.planned_errors = Some(planned);
    parameters.planning_method = Some(method.to_owned());
    parameters.planning_version = Some(version.to_owned());
    Ok(())
}

const fn tolerable_path(input: &PlanInput) -> &'static str {
    if is_monetary(input.method) {
        "input.tolerableError"
    } else {
        "input.tolerableRate"
    }
}

fn refusal_of(error: &PlanError, input: &PlanInput) -> Refusal {
    let monetary = is_monetary(input.method);
    match error {
        PlanError::Confidence(_) => Refusal::new(Code::ConfidenceOutOfRange, "input.confidence"),
        PlanError::Tolerable(_) if monetary => Refusal::new(Code::InvalidValue, "input.tolerableError")
            .with(input.tolerable_cents.unwrap_or_default()),
        PlanError::Tolerable(_) => Refusal::new(Code::RateOutOfRange, "input.tolerableRate"),
        PlanError::Expected(_) if monetary => Refusal::new(Code::InvalidValue, "input.expectedError")
            .with(input.expected_cents.unwrap_or_default()),
        PlanError::Expected(_) => Refusal::new(Code::RateOutOfRange, "input.expectedRate"),
        PlanError::TolerableNotAboveExpected { .. } => {
            Refusal::new(Code::TolerableNotAboveExpected, tolerable_path(input))
        }
        PlanError::Population | PlanError::BookValue(_) => {
            Refusal::new(Code::NothingToSelect, "input.populationId")
        }
        PlanError::SampleLargerThanPopulation(limit) => {
            Refusal::new(Code::SampleLargerThanPopulation, tolerable_path(input)).with(format!("> {limit}"))
        }
    }
}

/// The sizes of strata with these numbers of items, or of cents where monetary units are drawn, in their order.
pub(super) fn share_out(size: i64, items: &[i64]) -> Vec<i64> {
    let strata: Vec<StratumSize> = (1..)
        .zip(items)
        .map(|(ordinal, items)| StratumSize {
            ordinal,
            items: u64::try_from(*items).unwrap_or(0),
        })
        .collect();
    allocate(u64::try_from(size).unwrap_or(0), &strata, MINIMUM_PER_STRATUM)
        .into_iter()
        .map(|size| i64::try_from(size).unwrap_or(i64::MAX))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn rate(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn input() -> PlanInput {
        PlanInput {
            population_id: PopulationId(Uuid::nil()),
            name: "Stichprobe 1".to_owned(),
            method: Method::SimpleRandom,
            stratified: false,
            size: None,
            confidence: Some(rate("0.95")),
            tolerable_rate: Some(rate("0.09")),
            expected_rate: Some(rate("0.02")),
            tolerable_cents: None,
            expected_cents: None,
            checks_per_item: 1,
            reason: None,
            extends: None,
            extension_rule: None,
            parameter_set: None,
            ceremony: CeremonyInput::default(),
        }
    }

    fn monetary() -> PlanInput {
        PlanInput {
            method: Method::MonetaryUnitFixedInterval,
            tolerable_rate: None,
            expected_rate: None,
            tolerable_cents: Some(Cents(500_000)),
            expected_cents: Some(Cents(0)),
            ..input()
        }
    }

    const FRAME: FrameSize = FrameSize {
        items: 3_653,
        cents: 10_000_000,
    };

    fn faults(input: &PlanInput) -> Vec<(Code, String)> {
        let refusals = check_plan(input);
        refusals
            .into_iter()
            .map(|fault| (fault.code, fault.path))
            .collect()
    }

    fn fault(code: Code, path: &str) -> Vec<(Code, String)> {
        vec![(code, path.to_owned())]
    }

    #[test]
    fn a_size_is_computed_or_given_and_says_how() {
        assert!(faults(&input()).is_empty());
        let computed = find_size(&input(), FRAME).unwrap();
        assert_eq!(
            (computed.requested_size, computed.size_source),
            (68, SizeSource::Computed)
        );
        assert_eq!(computed.planning_method.as_deref(), Some("attribute-binomial"));
        let given = PlanInput {
            size: Some(30),
            expected_rate: None,
            ..input()
        };
        assert!(faults(&given).is_empty());
        let found = find_size(&given, FRAME).unwrap();
        assert_eq!((found.requested_size, found.size_source), (30, SizeSource::Given));
        let kept = serde_json::to_string(&found).unwrap();
        assert_eq!(serde_json::from_str::<Parameters>(&kept).unwrap(), found);
        assert!(faults(&monetary()).is_empty());
        assert_eq!(find_size(&monetary(), FRAME).unwrap().requested_size, 60);
    }

    #[test]
    fn given_and_computed_exclude_each_other_and_gaps_are_named() {
        let both = PlanInput {
            size: Some(30),
            ..input()
        };
        assert_eq!(faults(&both), fault(Code::SizeInvalid, "input.size"));
        let neither = PlanInput {
            confidence: None,
            tolerable_rate: None,
            expected_rate: None,
            ..input()
        };
        assert_eq!(faults(&neither), fault(Code::SizeInvalid, "input.size"));
        let gap = PlanInput {
            expected_rate: None,
            ..input()
        };
        assert_eq!(faults(&gap), fault(Code::Required, "input.expectedRate"));
        for size in [0, -1] {
            let none = PlanInput {
                size: Some(size),
                ..neither.clone()
            };
            assert_eq!(faults(&none), fault(Code::SizeInvalid, "input.size"));
        }
    }

    #[test]
    fn bounds_outside_their_range_or_of_the_wrong_kind_are_named() {
        for (wrong, code, path) in [
            (
                PlanInput {
                    confidence: Some(rate("1")),
                    ..input()
                },
                Code::ConfidenceOutOfRange,
                "input.confidence",
            ),
            (
                PlanInput {
                    tolerable_rate: Some(rate("1.1")),
                    ..input()
                },
                Code::RateOutOfRange,
                "input.tolerableRate",
            ),
            (
                PlanInput {
                    expected_rate: Some(rate("-0.1")),
                    ..input()
                },
                Code::RateOutOfRange,
                "input.expectedRate",
            ),
            (
                PlanInput {
                    tolerable_cents: Some(Cents(1)),
                    ..input()
                },
                Code::InvalidValue,
                "input.tolerableError",
            ),
            (
                PlanInput {
                    expected_rate: Some(rate("0.1")),
                    ..monetary()
                },
                Code::InvalidValue,
                "input.expectedRate",
            ),
            (
                PlanInput {
                    tolerable_cents: Some(Cents(0)),
                    ..monetary()
                },
                Code::InvalidValue,
                "input.tolerableError",
            ),
            (
                PlanInput {
                    checks_per_item: 3,
                    ..input()
                },
                Code::InvalidValue,
                "input.checksPerItem",
            ),
            (
                PlanInput {
                    name: "x".repeat(201),
                    ..input()
                },
                Code::TooLong,
                "input.name",
            ),
            (
                PlanInput {
                    reason: Some(String::new()),
                    ..input()
                },
                Code::Required,
                "input.reason",
            ),
            (
                PlanInput {
                    method: Method::RecordedMonetaryUnit,
                    ..input()
                },
                Code::InvalidValue,
                "input.method",
            ),
        ] {
            assert_eq!(faults(&wrong), fault(code, path));
        }
    }

    #[test]
    fn impossible_sizes_are_refused() {
        let refused = |input: &PlanInput, frame| {
            let refusal = find_size(input, frame).unwrap_err();
            (refusal.code, refusal.path)
        };
        let equal = PlanInput {
            expected_rate: Some(rate("0.09")),
            ..input()
        };
        assert_eq!(
            refused(&equal, FRAME),
            (Code::TolerableNotAboveExpected, "input.tolerableRate".to_owned())
        );
        let small = FrameSize {
            items: 20,
            cents: 1_000,
        };
        assert_eq!(
            refused(&input(), small),
            (Code::SampleLargerThanPopulation, "input.tolerableRate".to_owned())
        );
        let given = PlanInput {
            size: Some(21),
            expected_rate: None,
            ..input()
        };
        assert_eq!(
            refused(&given, small),
            (Code::SampleLargerThanPopulation, "input.size".to_owned())
        );
        let none = FrameSize { items: 0, cents: 0 };
        assert_eq!(
            refused(&monetary(), none),
            (Code::NothingToSelect, "input.populationId".to_owned())
        );
        assert_eq!(
            refused(&monetary(), small),
            (Code::InvalidValue, "input.tolerableError".to_owned())
        );
    }

    proptest! {
        #[test]
        fn every_stratum_gets_its_minimum_and_never_more_than_it_has(
            size in 1_i64..500, items in prop::collection::vec(0_i64..400, 1..12)
        ) {
            let shares = share_out(size, &items);
            prop_assert_eq!(shares.len(), items.len());
            for (share, items) in shares.iter().zip(&items) {
                prop_assert!(*share >= 3.min(*items) && share <= items);
            }
            let whole: i64 = items.iter().sum();
            prop_assert!(shares.iter().sum::<i64>() >= size.min(whole));
        }
    }
}
