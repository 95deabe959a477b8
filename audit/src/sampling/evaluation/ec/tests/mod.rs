use super::*;

mod published;
mod refusals;
mod rules;
mod stages;

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn input(method: EcMethod, confidence: &str, strata: Vec<EcStratum>) -> EcInput {
    EcInput {
        method,
        unit: Unit::Euro,
        confidence: Some(decimal(confidence)),
        profile: Some(FactorProfile::EcTables),
        materiality: decimal("0.02"),
        planned_size: None,
        understatements: None,
        strata,
        known_errors: Vec::new(),
    }
}

fn non_statistical(method: EcMethod, strata: Vec<EcStratum>) -> EcInput {
    EcInput {
        confidence: None,
        profile: None,
        ..input(method, "0.9", strata)
    }
}

/// A stratum of which the sums are printed: book value, items, size, sum of errors (or rates), standard deviation.
fn printed(book_value: i64, population: u64, size: u64, error_sum: &str, deviation: &str) -> EcStratum {
    EcStratum {
        name: "programme".into(),
        book_value,
        population: (population > 0).then_some(population),
        summary: Some(EcSummary {
            size,
            error_sum: decimal(error_sum),
            book_sum: None,
            standard_deviation: (!deviation.is_empty()).then(|| decimal(deviation)),
        }),
        ..EcStratum::default()
    }
}

impl EcStratum {
    fn named(mut self, name: &str) -> Self {
        self.name = name.into();
        self
    }

    fn in_period(mut self, period: &str) -> Self {
        self.period = Some(period.into());
        self
    }

    fn of_group(mut self, group: &str) -> Self {
        self.group = Some(group.into());
        self
    }

    fn books(mut self, sum: &str) -> Self {
        self.summary.as_mut().unwrap().book_sum = Some(decimal(sum));
        self
    }

    fn complete(mut self, items: u64, book_value: i64, error_sum: i64) -> Self {
        self.exhaustive_summary = Some(ExhaustiveSummary {
            items,
            book_value,
            error_sum,
        });
        self
    }

    fn without(mut self, excluded: Excluded) -> Self {
        self.excluded = Some(excluded);
        self
    }
}

fn item(book_value: i64, audit_value: i64) -> EcItem {
    EcItem {
        book_value,
        audit_value: Some(audit_value),
        ..EcItem::default()
    }
}

/// The value is the printed one, which may be off by `off` in its last digit.
fn assert_printed(value: Decimal, printed: i64, off: i64) {
    let difference = (value.round_dp(0) - Decimal::from(printed)).abs();
    assert!(difference <= Decimal::from(off), "{value} is not {printed}");
}

fn precision(result: &EcResult) -> Decimal {
    result.overall.total.precision.unwrap()
}

fn upper(result: &EcResult) -> Decimal {
    result.overall.total.upper_limit.unwrap()
}

fn stratum(name: &str, book_value: i64, population: u64, items: Vec<EcItem>) -> EcStratum {
    EcStratum {
        name: name.into(),
        book_value,
        population: Some(population),
        items,
        ..EcStratum::default()
    }
}

/// Forty items, three of them in error.
fn sample() -> Vec<EcItem> {
    (0..40)
        .map(|ordinal| {
            let book = 1_000 + 10 * ordinal;
            item(
                book,
                if ordinal % 15 == 3 {
                    book - 100 - ordinal
                } else {
                    book
                },
            )
        })
        .collect()
}

fn good(method: EcMethod) -> EcInput {
    let mut input = input(method, "0.9", vec![stratum("all", 1_000_000, 800, sample())]);
    if method == EcMethod::MusConservative {
        input.planned_size = Some(40);
    }
    if !method.is_statistical() {
        (input.confidence, input.profile) = (None, None);
    }
    input
}

const METHODS: [EcMethod; 9] = [
    EcMethod::MeanPerUnit,
    EcMethod::Ratio,
    EcMethod::Difference,
    EcMethod::MusStandard,
    EcMethod::MusRatio,
    EcMethod::MusConservative,
    EcMethod::NonStatisticalMeanPerUnit,
    EcMethod::NonStatisticalRatio,
    EcMethod::NonStatisticalPps,
];

fn known(class: ErrorClass, amount: i64) -> KnownError {
    KnownError {
        class,
        amount,
        corrected: Some(false),
        reason: Some("one of its kind".into()),
        group: None,
    }
}
