//! Choices, warnings, refusals and properties.

use proptest::prelude::*;

use super::*;

#[test]
fn the_choices_decide_the_limits() {
    let mut input = input(Estimator::Difference);
    input.strata = vec![stratum("plots", 100, 1_130, &TREES)];
    let plain = variables(&input).unwrap();
    let ratio = |a: Decimal, b: Decimal| (a * a / (b * b)).round_dp(6);
    input.finite_correction = FiniteCorrection::None;
    let without = variables(&input).unwrap();
    assert_eq!(
        ratio(plain.standard_error, without.standard_error),
        decimal("0.75")
    );
    input.finite_correction = FiniteCorrection::PopulationLessOne;
    let less = variables(&input).unwrap();
    assert_eq!(
        ratio(less.standard_error, without.standard_error),
        decimal("0.757576")
    );
    input.quantile = QuantileChoice::Normal;
    let normal = variables(&input).unwrap();
    assert_eq!(normal.quantile_value, decimal("1.959963984540"));
    assert_eq!(normal.degrees_of_freedom, None);
    assert_eq!(less.quantile_value.round_dp(6), decimal("2.063899"));
    input.sides = Sides::Upper;
    input.tolerable = Some(50);
    let upper = variables(&input).unwrap();
    assert_eq!(
        (upper.quantile_value, upper.misstatement.lower),
        (decimal("1.644853626951"), None)
    );
    assert_eq!(upper.audited_value.upper, None);
    assert_eq!(
        upper.audited_value.lower.unwrap() + upper.misstatement.upper.unwrap(),
        decimal("1130")
    );
    assert_eq!(upper.conclusion, Some(Conclusion::NotMaterial));
    input.sides = Sides::Lower;
    let lower = variables(&input).unwrap();
    assert_eq!((lower.misstatement.upper, lower.conclusion), (None, None));
    assert!(lower.misstatement.lower.unwrap() < lower.misstatement.estimate);
    assert!(!upper.steps.is_empty() && upper.steps.iter().all(|step| !step.value.is_empty()));
}

#[test]
fn separate_and_combined_ratios_agree_for_one_stratum_and_differ_for_two() {
    let pairs = [&TREES[..12], &TREES[12..]];
    let mut input = input(Estimator::Ratio);
    input.strata = vec![stratum("a", 40, 500, pairs[0]), stratum("b", 60, 630, pairs[1])];
    input.combination = Some(Combination::Separate);
    let separate = variables(&input).unwrap();
    input.combination = Some(Combination::Combined);
    let combined = variables(&input).unwrap();
    assert_eq!(
        (separate.method, combined.method),
        ("separate-ratio-estimation", "combined-ratio-estimation")
    );
    assert_ne!(separate.strata[0].factor, separate.strata[1].factor);
    assert_eq!(combined.strata[0].factor, combined.strata[1].factor);
    // 500 * 149/145 + 630 * 140/130
    let sums: Vec<(i64, i64)> = pairs
        .iter()
        .map(|pairs| (pairs.iter().map(|p| p.0).sum(), pairs.iter().map(|p| p.1).sum()))
        .collect();
    let expected: Fraction = sums
        .iter()
        .zip([500, 630])
        .map(|(&(book, audit), value)| &Fraction::new(audit, book) * &Fraction::from(value))
        .sum();
    assert_eq!(separate.audited_value.estimate, expected.even(6).unwrap());
    input.estimator = Estimator::Regression;
    let slopes = variables(&input).unwrap();
    input.combination = Some(Combination::Separate);
    let own = variables(&input).unwrap();
    assert_eq!(slopes.strata[0].factor, slopes.strata[1].factor);
    assert_ne!(own.strata[0].factor, own.strata[1].factor);
    assert_eq!(own.method, "separate-regression-estimation");
}

#[test]
fn lines_of_a_cluster_are_one_unit() {
    let mut lines = Vec::new();
    for (ordinal, &(book, audit)) in TREES.iter().enumerate() {
        for (book, audit) in [(book - 3, audit - 4), (3, 4)] {
            lines.push(VariablesItem {
                id: None,
                cluster: Some(format!("decision {ordinal}")),
                book_value: book,
                audit_value: audit,
            });
        }
    }
    for estimator in [
        Estimator::MeanPerUnit,
        Estimator::Difference,
        Estimator::Ratio,
        Estimator::Regression,
    ] {
        let mut input = input(estimator);
        input.strata = vec![stratum("plots", 100, 1_130, &TREES)];
        let alone = variables(&input).unwrap();
        input.sampling_unit = SamplingUnit::Cluster;
        input.strata[0].items.clone_from(&lines);
        let clusters = variables(&input).unwrap();
        assert_eq!(clusters.size, 25);
        assert_eq!(clusters.misstatement, alone.misstatement);
    }
}

#[test]
fn improbable_input_is_warned_of() {
    let mut input = input(Estimator::Difference);
    let words = |input: &VariablesInput| -> String {
        let warnings = variables(input).unwrap().warnings;
        warnings.iter().map(|text| text.en.clone()).collect()
    };
    let right: Vec<(i64, i64)> = (0..40)
        .map(|i| (1_000, if i < 5 { 900 } else { 1_000 }))
        .collect();
    input.strata = vec![stratum("a", 1_000, 1_000_000, &right)];
    let quiet = words(&input);
    assert!(!quiet.contains("swapped") && !quiet.contains("tenfold") && quiet.contains("Only 5 units"));
    let swapped: Vec<(i64, i64)> = right.iter().map(|&(book, audit)| (audit, book)).collect();
    input.strata = vec![stratum("a", 1_000, 1_000_000, &swapped)];
    assert!(words(&input).contains("swapped"));
    input.strata = vec![stratum("a", 1_000, 100_000_000, &right)];
    assert!(words(&input).contains("tenfold"));
    input.strata = vec![stratum("a", 40, 39_000, &right)];
    assert!(words(&input).contains("higher book value"));
    let empty: Vec<(i64, i64)> = right.iter().map(|&(book, _)| (book, 0)).collect();
    input.strata = vec![stratum("a", 1_000, 1_000_000, &empty[..20])];
    let empty = words(&input);
    assert!(empty.contains("results missing") && empty.contains("Only 20 units were checked"));
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn what_cannot_be_projected_is_refused() {
    let good = || {
        let mut input = input(Estimator::Ratio);
        input.strata = vec![stratum("plots", 100, 1_130, &TREES)];
        input
    };
    let refused = |change: &dyn Fn(&mut VariablesInput)| {
        let mut input = good();
        change(&mut input);
        let error = variables(&input).unwrap_err();
        (error.code(), error.field())
    };
    assert!(variables(&good()).is_ok());
    for wrong in ["0", "1", "100", "-0.5"] {
        assert_eq!(
            refused(&|input| input.confidence = decimal(wrong)),
            ("CONFIDENCE_OUT_OF_RANGE", "confidence")
        );
    }
    assert_eq!(refused(&|input| input.strata.clear()), ("STRATA_EMPTY", "strata"));
    let twice = |input: &mut VariablesInput| input.strata.push(input.strata[0].clone());
    assert_eq!(refused(&twice), ("DUPLICATE_STRATUM", "name"));
    let other = |input: &mut VariablesInput| {
        twice(input);
        input.strata[1].name = "other".into();
    };
    assert_eq!(refused(&other), ("COMBINATION_MISSING", "combination"));
    let separate = |input: &mut VariablesInput| {
        other(input);
        input.combination = Some(Combination::Separate);
        input.few_errors = FewErrors::Idea;
    };
    assert_eq!(refused(&separate), ("FEW_ERRORS_SEPARATE", "fewErrors"));
    let useless = |input: &mut VariablesInput| {
        input.estimator = Estimator::Difference;
        input.combination = Some(Combination::Combined);
    };
    assert_eq!(refused(&useless), ("COMBINATION_NOT_APPLICABLE", "combination"));
    let same_id = |input: &mut VariablesInput| {
        for item in &mut input.strata[0].items[..2] {
            item.id = Some("7".into());
        }
    };
    assert_eq!(refused(&same_id), ("DUPLICATE_ITEM", "id"));
    assert_eq!(
        refused(&|input| input.strata[0].items.truncate(1)),
        ("SAMPLE_TOO_SMALL", "items")
    );
    let slope_of_two = |input: &mut VariablesInput| {
        input.estimator = Estimator::Regression;
        input.strata[0].items.truncate(2);
    };
    assert_eq!(refused(&slope_of_two), ("SAMPLE_TOO_SMALL", "items"));
    assert_eq!(
        refused(&|input| input.strata[0].population = 24),
        ("SAMPLE_LARGER_THAN_POPULATION", "population")
    );
    for value in [0, -1] {
        assert_eq!(
            refused(&|input| input.strata[0].book_value = value),
            ("BOOK_VALUE_NOT_POSITIVE", "bookValue")
        );
        assert_eq!(
            refused(&|input| input.tolerable = Some(value)),
            ("TOLERABLE_NOT_POSITIVE", "tolerable")
        );
    }
    let nothing = |input: &mut VariablesInput| {
        for item in &mut input.strata[0].items {
            item.book_value = 0;
        }
    };
    assert_eq!(refused(&nothing), ("SAMPLE_BOOK_VALUE_NOT_POSITIVE", "items"));
    let alike = |input: &mut VariablesInput| {
        nothing(input);
        input.estimator = Estimator::Regression;
    };
    assert_eq!(refused(&alike), ("BOOK_VALUES_ALIKE", "estimator"));
    assert_eq!(
        refused(&|input| input.sampling_unit = SamplingUnit::Cluster),
        ("CLUSTER_MISSING", "cluster")
    );
    assert_eq!(
        refused(&|input| input.strata[0].items[0].cluster = Some("x".into())),
        ("CLUSTER_UNEXPECTED", "cluster")
    );
    let torn = |input: &mut VariablesInput| {
        other(input);
        for stratum in &mut input.strata {
            stratum.items[0].cluster = Some("x".into());
        }
    };
    assert_eq!(refused(&torn), ("CLUSTER_IN_TWO_STRATA", "cluster"));
    let few = |input: &mut VariablesInput| {
        input.few_errors = FewErrors::Idea;
        input.combination = Some(Combination::Combined);
        input.strata = (0..3)
            .map(|ordinal| {
                let pairs: Vec<(i64, i64)> = (0..20)
                    .map(|i| (100 + i, 100 + i - i64::from(i == 0) * 9))
                    .collect();
                stratum(&ordinal.to_string(), 500, 55_000, &pairs)
            })
            .collect();
    };
    assert_eq!(refused(&few), ("TOO_FEW_ERRORS", "fewErrors"));
    let huge = |input: &mut VariablesInput| {
        input.estimator = Estimator::MeanPerUnit;
        input.strata[0].population = 1_000_000_000_000;
        input.strata[0].items = items(&[(i64::MIN, i64::MAX), (i64::MAX, i64::MIN)]);
    };
    assert_eq!(refused(&huge).0, "AMOUNT_TOO_LARGE");
    assert_eq!(
        refused(&|input| input.strata[0].population = u64::MAX),
        ("POPULATION_TOO_LARGE", "population")
    );
}

#[test]
fn shapes_are_those_of_json() {
    let text = r#"{"estimator":"DIFFERENCE","unit":"CENT","confidence":"0.9","sides":"UPPER","quantile":"STUDENT_T",
        "finiteCorrection":"POPULATION_LESS_ONE","fewErrors":"IDEA","samplingUnit":"ITEM","tolerable":900,
        "strata":[{"name":"all","population":10,"bookValue":1000,"items":[{"bookValue":100,"auditValue":90},
        {"id":"b","bookValue":100,"auditValue":100}]}]}"#;
    let input: VariablesInput = serde_json::from_str(text).unwrap();
    let result = serde_json::to_value(variables(&input).unwrap()).unwrap();
    assert_eq!(result["method"], "difference-estimation");
    assert_eq!(result["misstatement"]["estimate"], "50.000000");
    assert_eq!(result["auditedValue"]["estimate"], "950.000000");
    assert_eq!(result["fewErrors"], "IDEA");
    assert!(serde_json::from_str::<VariablesInput>(&text.replace("\"tolerable\"", "\"tolerabel\"")).is_err());
}

#[test]
fn a_complete_check_leaves_no_doubt() {
    for estimator in [
        Estimator::MeanPerUnit,
        Estimator::Difference,
        Estimator::Ratio,
        Estimator::Regression,
    ] {
        let mut input = input(estimator);
        let book = TREES.iter().map(|pair| pair.0).sum();
        let audit: i64 = TREES.iter().map(|pair| pair.1).sum();
        input.strata = vec![stratum("plots", 25, book, &TREES)];
        let result = variables(&input).unwrap();
        assert_eq!(result.audited_value.estimate, Decimal::from(audit));
        assert_eq!(result.precision, Decimal::ZERO);
        assert_eq!(result.audited_value.lower, result.audited_value.upper);
    }
}

#[test]
fn the_rules_for_few_errors_end_at_ten_and_at_twenty() {
    let result = |strata: &[usize], few_errors: FewErrors| {
        let mut input = input(Estimator::Difference);
        input.few_errors = few_errors;
        input.strata = strata
            .iter()
            .enumerate()
            .map(|(ordinal, &errors)| {
                let pairs: Vec<(i64, i64)> = (0..40i64)
                    .zip(0..)
                    .map(|(value, place)| {
                        (
                            500 + value,
                            500 + value - if place < errors { 20 + value } else { 0 },
                        )
                    })
                    .collect();
                stratum(&ordinal.to_string(), 800, 416_000, &pairs)
            })
            .collect();
        variables(&input).unwrap()
    };
    let variance = |errors, rule| result(&[errors], rule).strata[0].variance;
    // audited values where there are at most two, an enlarged variance up to nine, its own from ten on
    let audited = {
        let mut input = input(Estimator::MeanPerUnit);
        let pairs: Vec<(i64, i64)> = (0..40)
            .map(|value| (500 + value, 500 + value - if value < 2 { 20 + value } else { 0 }))
            .collect();
        input.strata = vec![stratum("0", 800, 416_000, &pairs)];
        variables(&input).unwrap().strata[0].variance
    };
    assert_eq!(variance(2, FewErrors::Idea), audited);
    for errors in [3, 9] {
        assert!(variance(errors, FewErrors::Idea) > variance(errors, FewErrors::None));
    }
    assert_eq!(variance(10, FewErrors::Idea), variance(10, FewErrors::None));
    // 19 units in error less two strata, and Satterthwaite's number from 20 on and below 3
    let freedom = |strata: &[usize]| result(strata, FewErrors::Idea).degrees_of_freedom.unwrap();
    assert_eq!(freedom(&[10, 9]), decimal("17"));
    assert!(freedom(&[10, 10]) > decimal("60"));
    assert!(freedom(&[1, 1]) > decimal("60"));
    assert_eq!(freedom(&[3]), decimal("2"));
}

/// Numbers for simulations: 64 bits of a linear congruential generator (Knuth), the upper ones.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % limit).unwrap()
    }
}

#[test]
fn limits_hold_as_often_as_they_say() {
    // 600 items, a third of them wrong by up to half of their value, in both directions
    let mut numbers = Numbers(7);
    let population: Vec<(i64, i64)> = (0..600)
        .map(|ordinal| {
            let book = 1_000 + i64::try_from(numbers.below(9_000)).unwrap();
            let share = i64::try_from(numbers.below(100)).unwrap() - 50;
            (
                book,
                if ordinal % 3 == 0 {
                    book - book * share / 100
                } else {
                    book
                },
            )
        })
        .collect();
    let book: i64 = population.iter().map(|pair| pair.0).sum();
    let truth: i64 = population.iter().map(|pair| pair.0 - pair.1).sum();
    for estimator in [
        Estimator::MeanPerUnit,
        Estimator::Difference,
        Estimator::Ratio,
        Estimator::Regression,
    ] {
        let mut input = input(estimator);
        input.confidence = decimal("0.9");
        let mut covered = 0;
        for _ in 0..400 {
            let mut left = population.clone();
            let drawn: Vec<(i64, i64)> = (0..60)
                .map(|_| {
                    let ordinal = numbers.below(u64::try_from(left.len()).unwrap());
                    left.swap_remove(ordinal)
                })
                .collect();
            input.strata = vec![stratum("all", 600, book, &drawn)];
            let limits = variables(&input).unwrap().misstatement;
            let truth = Decimal::from(truth);
            covered += u32::from(limits.lower.unwrap() <= truth && truth <= limits.upper.unwrap());
        }
        // 360 of 400 expected, with a deviation of 6
        assert!((340..=380).contains(&covered), "{estimator:?} {covered}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_order_of_rows_and_strata_changes_nothing(
        rows in prop::collection::vec((1i64..100_000, 0i64..100_000, 0u8..2), 8..40),
    ) {
        for estimator in [Estimator::MeanPerUnit, Estimator::Difference, Estimator::Ratio, Estimator::Regression] {
            let mut input = input(estimator);
            if matches!(estimator, Estimator::Ratio | Estimator::Regression) {
                input.combination = Some(Combination::Combined);
            }
            let of = |which: u8| -> Vec<(i64, i64)> {
                let mut pairs: Vec<(i64, i64)> =
                    rows.iter().filter(|row| row.2 == which).map(|row| (row.0, row.1)).collect();
                pairs.extend([(10, 10), (20, 15), (40, 40)]);
                pairs
            };
            let (one, two) = (of(0), of(1));
            input.strata = vec![stratum("a", 100, 5_000_000, &one), stratum("b", 200, 9_000_000, &two)];
            let forward = variables(&input).unwrap();
            input.strata.reverse();
            for stratum in &mut input.strata {
                stratum.items.reverse();
            }
            let backward = variables(&input).unwrap();
            prop_assert_eq!(&forward.misstatement, &backward.misstatement);
            prop_assert_eq!(forward.degrees_of_freedom, backward.degrees_of_freedom);
            prop_assert!(forward.misstatement.lower <= Some(forward.misstatement.estimate));
            prop_assert!(forward.misstatement.upper >= Some(forward.misstatement.estimate));
        }
    }

    #[test]
    fn a_higher_confidence_never_narrows_the_limits(low in 50u32..98, more in 1u32..2) {
        let mut input = input(Estimator::Difference);
        input.strata = vec![stratum("plots", 100, 1_130, &TREES)];
        input.confidence = Decimal::new(low.into(), 2);
        let narrow = variables(&input).unwrap();
        input.confidence = Decimal::new((low + more).into(), 2);
        let wide = variables(&input).unwrap();
        prop_assert!(wide.precision > narrow.precision);
        prop_assert_eq!(wide.misstatement.estimate, narrow.misstatement.estimate);
    }
}
