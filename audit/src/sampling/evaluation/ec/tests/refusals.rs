//! What is refused.

use super::*;

fn refused(method: EcMethod, change: &dyn Fn(&mut EcInput)) -> (&'static str, &'static str) {
    let mut input = good(method);
    change(&mut input);
    let error = ec(&input).unwrap_err();
    assert!(!error.to_string().is_empty());
    (error.code(), error.field())
}

#[test]
fn impossible_settings_are_refused() {
    use EcMethod::{MeanPerUnit, MusConservative, MusStandard, NonStatisticalPps};
    for wrong in ["0", "1", "90", "-1"] {
        assert_eq!(
            refused(MusStandard, &|input| input.confidence = Some(decimal(wrong))),
            ("CONFIDENCE_OUT_OF_RANGE", "confidence")
        );
    }
    assert_eq!(
        refused(MusStandard, &|input| input.confidence = None),
        ("CONFIDENCE_MISSING", "confidence")
    );
    assert_eq!(
        refused(MusStandard, &|input| input.profile = None),
        ("PROFILE_MISSING", "profile")
    );
    assert_eq!(
        refused(NonStatisticalPps, &|input| input.confidence =
            Some(decimal("0.9"))),
        ("NOT_STATISTICAL", "confidence")
    );
    assert_eq!(
        refused(MusStandard, &|input| input.confidence = Some(decimal("0.85"))),
        ("CONFIDENCE_NOT_IN_TABLE", "confidence")
    );
    assert_eq!(
        refused(MusConservative, &|input| {
            for item in &mut input.strata[0].items {
                (item.audit_value, item.hits) = (Some(0), Some(2));
            }
        }),
        ("TOO_MANY_ERRORS", "profile")
    );
    assert_eq!(
        refused(MusConservative, &|input| input.planned_size = None),
        ("PLANNED_SIZE", "plannedSize")
    );
    assert_eq!(
        refused(MusConservative, &|input| input.planned_size = Some(0)),
        ("PLANNED_SIZE", "plannedSize")
    );
    assert_eq!(
        refused(MusStandard, &|input| input.planned_size = Some(5)),
        ("PLANNED_SIZE", "plannedSize")
    );
    assert_eq!(
        refused(MusStandard, &|input| input.strata.clear()),
        ("STRATA_EMPTY", "strata")
    );
    assert_eq!(
        refused(MusStandard, &|input| input.materiality = Decimal::ZERO),
        ("MATERIALITY_OUT_OF_RANGE", "materiality")
    );
    assert_eq!(
        refused(MeanPerUnit, &|input| input.known_errors =
            vec![known(ErrorClass::Random, 5)]),
        ("RANDOM_NOT_PROJECTED", "class")
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn impossible_strata_are_refused() {
    use EcMethod::{MeanPerUnit, MusConservative, MusRatio, MusStandard, Ratio};
    let twice = |input: &mut EcInput| input.strata.push(input.strata[0].clone());
    assert_eq!(refused(MusStandard, &twice), ("DUPLICATE_STRATUM", "strata"));
    let two = |input: &mut EcInput| {
        twice(input);
        input.strata[1].name = "other".into();
    };
    for method in [MusConservative, MusRatio] {
        assert_eq!(refused(method, &two), ("STRATA_NOT_POSSIBLE", "strata"));
    }
    let grouped = |input: &mut EcInput| {
        two(input);
        input.strata[0].group = Some("north".into());
    };
    assert_eq!(refused(MusStandard, &grouped), ("GROUP_MISSING", "group"));
    let unknown = |input: &mut EcInput| {
        let mut error = known(ErrorClass::Systemic, 5);
        error.group = Some("south".into());
        input.known_errors = vec![error];
    };
    assert_eq!(refused(MusStandard, &unknown), ("GROUP_UNKNOWN", "knownErrors"));
    let both = |input: &mut EcInput| input.strata[0].summary = printed(1, 1, 5, "1", "1").summary;
    assert_eq!(refused(MusStandard, &both), ("ITEMS_AND_SUMMARY", "summary"));
    let sums = |size: u64, deviation: &'static str| {
        move |input: &mut EcInput| {
            input.strata[0].items.clear();
            input.strata[0].summary = printed(1, 1, size, "1", deviation).summary;
        }
    };
    assert_eq!(
        refused(MusConservative, &sums(5, "1")),
        ("SUMMARY_NOT_POSSIBLE", "summary")
    );
    assert_eq!(
        refused(MusStandard, &sums(5, "")),
        ("SUMMARY_INCOMPLETE", "standardDeviation")
    );
    assert_eq!(refused(Ratio, &sums(5, "1")), ("SUMMARY_INCOMPLETE", "bookSum"));
    let negative = |input: &mut EcInput| {
        sums(5, "1")(input);
        input.strata[0].summary.as_mut().unwrap().error_sum = decimal("-1");
        input.understatements = Some(Understatements::SetAside);
    };
    assert_eq!(
        refused(MusStandard, &negative),
        ("UNDERSTATEMENTS_UNDECIDED", "understatements")
    );
    let exhaustive = |book_value: i64, error_sum: i64| {
        move |input: &mut EcInput| {
            input.strata[0].exhaustive_summary = Some(ExhaustiveSummary {
                items: 1,
                book_value,
                error_sum,
            });
        }
    };
    assert_eq!(
        refused(MusStandard, &exhaustive(9, -1)).0,
        "UNDERSTATEMENTS_UNDECIDED"
    );
    assert_eq!(
        refused(MusStandard, &exhaustive(-9, 1)).0,
        "BOOK_VALUE_NOT_POSITIVE"
    );
    assert_eq!(refused(MusStandard, &sums(0, "1")), ("SAMPLE_EMPTY", "items"));
    assert_eq!(
        refused(MusStandard, &|input| input.strata[0].items.clear()),
        ("SAMPLE_EMPTY", "items")
    );
    assert_eq!(
        refused(MusStandard, &|input| input.strata[0].items.truncate(1)),
        ("SAMPLE_TOO_SMALL", "items")
    );
    assert_eq!(
        refused(MeanPerUnit, &|input| input.strata[0].population = Some(39)),
        ("SAMPLE_LARGER_THAN_POPULATION", "population")
    );
    assert_eq!(
        refused(MeanPerUnit, &|input| input.strata[0].population = None),
        ("POPULATION_MISSING", "population")
    );
    assert_eq!(
        refused(MeanPerUnit, &|input| input.strata[0].population = Some(u64::MAX)),
        ("POPULATION_TOO_LARGE", "population")
    );
    for value in [0, -1] {
        assert_eq!(
            refused(MusStandard, &|input| input.strata[0].book_value = value),
            ("BOOK_VALUE_NOT_POSITIVE", "bookValue")
        );
    }
    let nothing = |input: &mut EcInput| {
        input.strata[0].items.clear();
        input.strata[0].book_value = 0;
    };
    assert_eq!(
        refused(MusStandard, &nothing),
        ("BOOK_VALUE_NOT_POSITIVE", "bookValue")
    );
    let worthless = |input: &mut EcInput| {
        for item in &mut input.strata[0].items {
            (item.book_value, item.audit_value) = (0, Some(0));
        }
    };
    assert_eq!(
        refused(Ratio, &worthless),
        ("SAMPLE_BOOK_VALUE_NOT_POSITIVE", "items")
    );
    assert_eq!(
        refused(MusStandard, &worthless),
        ("AMOUNT_NOT_POSITIVE", "bookValue")
    );
}

#[test]
fn impossible_items_are_refused() {
    use EcMethod::{MeanPerUnit, MusStandard};
    let first = |change: fn(&mut EcItem)| move |input: &mut EcInput| change(&mut input.strata[0].items[0]);
    let same = |input: &mut EcInput| {
        for item in &mut input.strata[0].items[..2] {
            item.id = Some("7".into());
        }
    };
    assert_eq!(refused(MusStandard, &same), ("DUPLICATE_ITEM", "id"));
    assert_eq!(
        refused(MeanPerUnit, &first(|item| item.hits = Some(2))),
        ("HITS_NOT_POSSIBLE", "hits")
    );
    for hits in [0, u64::MAX] {
        assert_eq!(
            refused(MusStandard, &|input| input.strata[0].items[0].hits = Some(hits)),
            ("HITS_NOT_POSSIBLE", "hits")
        );
    }
    assert_eq!(
        refused(MusStandard, &first(|item| item.audit_value = None)),
        ("AUDIT_VALUE_OR_SUBSAMPLE", "auditValue")
    );
    assert_eq!(
        refused(MusStandard, &first(|item| item.anomalous_error = -1)),
        ("ERROR_PART_NEGATIVE", "systemicError")
    );
    assert_eq!(
        refused(
            MusStandard,
            &first(|item| {
                item.audit_value = Some(500);
                item.systemic_error = 400;
            })
        ),
        ("SYSTEMIC_NOT_DELIMITED", "knownErrors")
    );
    assert_eq!(
        refused(
            MusStandard,
            &first(|item| {
                item.audit_value = Some(500);
                item.anomalous_error = 400;
            })
        ),
        ("ANOMALOUS_DIFFER", "knownErrors")
    );
    assert_eq!(
        refused(MusStandard, &|input| input.strata[0].systemic_error = 5),
        ("SYSTEMIC_NOT_DELIMITED", "knownErrors")
    );
    assert_eq!(
        refused(MusStandard, &|input| input.strata[0].systemic_error = -5),
        ("ERROR_PART_NEGATIVE", "systemicError")
    );
    let huge = |input: &mut EcInput| {
        input.strata[0].book_value = i64::MAX;
        input.strata[0].population = Some(1_000_000_000_000);
        for item in &mut input.strata[0].items {
            (item.book_value, item.audit_value) = (i64::MAX, Some(i64::MIN));
        }
    };
    assert_eq!(refused(MeanPerUnit, &huge).0, "AMOUNT_TOO_LARGE");
}

#[test]
fn impossible_exclusions_and_subsamples_are_refused() {
    use EcMethod::{MeanPerUnit, MusStandard, Ratio};
    let excluding = |excluded: Excluded| move |input: &mut EcInput| input.strata[0].excluded = Some(excluded);
    let own = |book_value, items| Excluded {
        book_value,
        items,
        ..Excluded::default()
    };
    for (method, excluded) in [
        (MeanPerUnit, own(500, 0)),
        (MeanPerUnit, own(-500, 1)),
        (MusStandard, own(0, 1)),
        (
            MusStandard,
            Excluded {
                exhaustive_book_value: 5,
                ..Excluded::default()
            },
        ),
    ] {
        assert_eq!(
            refused(method, &excluding(excluded)),
            ("EXCLUSION_OUT_OF_RANGE", "excluded")
        );
    }
    let two = |input: &mut EcInput| {
        input.strata.push(input.strata[0].clone().named("other"));
        input.strata[0].excluded = Some(own(500, 1));
    };
    assert_eq!(refused(Ratio, &two), ("EXCLUSION_NOT_POSSIBLE", "excluded"));
    let only_exhaustive = |input: &mut EcInput| {
        input.strata[0] = EcStratum::default().complete(3, 5_000, 10).without(own(500, 1));
    };
    assert_eq!(
        refused(MusStandard, &only_exhaustive),
        ("EXCLUSION_OUT_OF_RANGE", "excluded")
    );
    let with = |subsample: Subsample| {
        refused(MusStandard, &move |input| {
            let item = &mut input.strata[0].items[0];
            item.audit_value = None;
            item.subsample = Some(subsample.clone());
        })
    };
    let part = SubItem {
        book_value: 10,
        audit_value: 9,
    };
    let good = Subsample {
        estimator: SubsampleEstimator::MeanPerUnit,
        book_value: 1_000,
        population: Some(4),
        items: vec![part; 4],
        exhaustive: Vec::new(),
    };
    let changes: [fn(&mut Subsample); 6] = [
        |sub| sub.population = None,
        |sub| sub.population = Some(3),
        |sub| sub.items.clear(),
        |sub| {
            sub.book_value = 0;
            sub.exhaustive = vec![SubItem {
                book_value: 1_000,
                audit_value: 1_000,
            }];
        },
        |sub| {
            sub.estimator = SubsampleEstimator::Ratio;
            sub.items = vec![SubItem {
                book_value: 0,
                audit_value: 0,
            }];
        },
        |sub| {
            sub.estimator = SubsampleEstimator::Pps;
            sub.items[0].book_value = 0;
        },
    ];
    for change in changes {
        let mut wrong = good.clone();
        change(&mut wrong);
        assert_eq!(with(wrong), ("SUBSAMPLE_NOT_POSSIBLE", "subsample"));
    }
    let mut other = good.clone();
    other.book_value = 999;
    assert_eq!(with(other), ("SUBSAMPLE_DIFFERS", "subsample"));
    for (estimator, projected) in [
        (SubsampleEstimator::MeanPerUnit, 4),
        (SubsampleEstimator::Ratio, 100),
        (SubsampleEstimator::Pps, 100),
    ] {
        let sub = Subsample {
            estimator,
            ..good.clone()
        };
        let error = units::subsample_error(&sub, 1_000).unwrap();
        assert_eq!(error, Fraction::from(projected));
    }
}
