//! Rules and properties.

use proptest::prelude::*;

use super::*;
use crate::sampling::evaluation::Conclusion;

fn words(figures: &EcFigures) -> String {
    figures.warnings.iter().map(|text| text.en.clone()).collect()
}

#[test]
fn every_method_has_a_result_with_its_derivation() {
    let mut ids = BTreeSet::new();
    for method in METHODS {
        let result = ec(&good(method)).unwrap();
        assert!(ids.insert(result.method));
        assert_eq!(result.version, EC_VERSION);
        assert_eq!(
            method.is_statistical(),
            result.overall.total.upper_limit.is_some()
        );
        assert!(result.overall.total.projected > Decimal::ZERO);
        let last = &result.overall.steps.last().unwrap().value;
        assert!(!last.is_empty() && result.overall.steps.len() >= 5, "{method:?}");
        assert_eq!(result.cannot_find.len(), if method.by_size() { 3 } else { 2 });
    }
}

#[test]
fn projections_by_hand() {
    // errors 103 + 118 + 133 in books of 1,030 + 1,180 + 1,330; all books add up to 47,800
    let mean = ec(&good(EcMethod::MeanPerUnit)).unwrap().overall.total.projected;
    assert_eq!(mean, decimal("7080"));
    let ratio = ec(&good(EcMethod::Ratio)).unwrap().overall.total.projected;
    assert_eq!(
        ratio,
        (&Fraction::new(354, 47_800) * &Fraction::from(1_000_000))
            .even(6)
            .unwrap()
    );
    // each error is a tenth of its book value
    let by_size = ec(&good(EcMethod::MusStandard)).unwrap().overall;
    assert_eq!(by_size.total.projected, decimal("7500"));
    // s^2 = (3 * 0.01 - 0.09 / 40) / 39
    let variance = Fraction::new(2_775, 100_000 * 39);
    let precision = &(&Fraction::from(decimal("1.645")) * &Fraction::from(1_000_000))
        * &(&variance * &Fraction::new(1, 40)).root();
    assert_eq!(by_size.total.precision, precision.up(6));
    let conservative = ec(&good(EcMethod::MusConservative)).unwrap().overall;
    assert_eq!(conservative.total.projected, decimal("7500"));
    // 25,000 * 2.31 and 25,000 * 0.1 * (0.59 + 0.43 + 0.36)
    assert_eq!(conservative.total.precision, Some(decimal("61200")));
    assert_eq!(conservative.recalculated, None);
}

#[test]
fn systemic_and_anomalous_errors_are_not_projected() {
    for method in METHODS {
        let mut input = good(method);
        let before = ec(&input).unwrap().overall.total;
        // item 3 has more errors than the random one
        let item = &mut input.strata[0].items[3];
        item.audit_value = item.audit_value.map(|value| value - 250);
        item.systemic_error = 200;
        item.anomalous_error = 50;
        input.known_errors = vec![
            known(ErrorClass::Systemic, 5_000),
            known(ErrorClass::Anomalous, 50),
        ];
        let after = ec(&input).unwrap().overall.total;
        assert_eq!(
            (after.systemic, after.anomalous),
            (decimal("5000"), decimal("50"))
        );
        if !method.by_ratio() {
            assert_eq!(after.projected, before.projected);
            assert_eq!(after.precision, before.precision);
        }
        assert_eq!(after.total_error, after.projected + decimal("5050"));
        input.known_errors[1].corrected = Some(true);
        let corrected = ec(&input).unwrap().overall.total;
        assert_eq!(corrected.total_error, after.total_error - decimal("50"));
        assert_eq!(corrected.anomalous_corrected, decimal("50"));
    }
}

#[test]
fn ratios_lower_book_values_by_systemic_errors() {
    // appendix 1, 2.3 and 4.2
    let mut input = good(EcMethod::Ratio);
    let item = &mut input.strata[0].items[3];
    item.audit_value = item.audit_value.map(|value| value - 200);
    item.systemic_error = 200;
    input.strata[0].systemic_error = 50_000;
    input.known_errors = vec![known(ErrorClass::Systemic, 50_000)];
    let equal = ec(&input).unwrap().overall.total.projected;
    let expected = &Fraction::from(950_000) * &Fraction::new(354, 47_600);
    assert_eq!(equal, expected.even(6).unwrap());
    input.method = EcMethod::MusRatio;
    let by_size = ec(&input).unwrap().overall.total.projected;
    // sum of rates 0.3, of remaining shares 39 + 830 / 1030
    let rests = &Fraction::from(39) + &Fraction::new(830, 1_030);
    let expected = &Fraction::from(950_000) * &(&Fraction::new(3, 10) / &rests);
    assert_eq!(by_size, expected.even(6).unwrap());
    // precisions, formed anew with floats: q = error - ratio * rest, by size divided by the book value
    for method in [EcMethod::Ratio, EcMethod::MusRatio] {
        input.method = method;
        let divisor = |book: f64| if method == EcMethod::Ratio { 1.0 } else { book };
        let float = |value: i64| crate::sampling::numerics::decimal_to_float(value.into());
        let pairs: Vec<(f64, f64)> = input.strata[0]
            .items
            .iter()
            .map(|item| {
                let (book, systemic) = (float(item.book_value), float(item.systemic_error));
                let random = book - float(item.audit_value.unwrap()) - systemic;
                (random / divisor(book), (book - systemic) / divisor(book))
            })
            .collect();
        let ratio =
            pairs.iter().map(|pair| pair.0).sum::<f64>() / pairs.iter().map(|pair| pair.1).sum::<f64>();
        let variance = pairs
            .iter()
            .map(|pair| (pair.0 - ratio * pair.1).powi(2))
            .sum::<f64>()
            / 39.0;
        let base = if method == EcMethod::Ratio { 800.0 } else { 1e6 };
        let expected = 1.645 * base * (variance / 40.0).sqrt();
        let precision = ec(&input).unwrap().overall.total.precision.unwrap();
        let precision = crate::sampling::numerics::decimal_to_float(precision);
        assert!(
            (precision / expected - 1.0).abs() < 1e-9,
            "{precision} {expected}"
        );
    }
}

#[test]
fn the_ratio_by_size_without_systemic_errors_is_the_standard_approach() {
    let standard = ec(&good(EcMethod::MusStandard)).unwrap().overall.total;
    let ratio = ec(&good(EcMethod::MusRatio)).unwrap().overall.total;
    assert_eq!(ratio.projected, standard.projected);
    assert_eq!(ratio.precision, standard.precision);
}

#[test]
fn each_hit_counts() {
    for method in [
        EcMethod::MusStandard,
        EcMethod::MusRatio,
        EcMethod::MusConservative,
    ] {
        let mut several = good(method);
        several.strata[0].items[3].hits = Some(3);
        let mut single = good(method);
        let items = &mut single.strata[0].items;
        items.extend([items[3].clone(), items[3].clone()]);
        let (several, single) = (ec(&several).unwrap().overall, ec(&single).unwrap().overall);
        assert_eq!((several.size, single.size), (42, 42));
        assert_eq!(several.total, single.total);
        assert_eq!(several.conservative, single.conservative);
    }
}

#[test]
fn understatements_are_set_aside_or_netted_as_said() {
    for method in METHODS {
        let mut input = good(method);
        input.strata[0].items[5].audit_value = Some(1_050 + 105);
        assert_eq!(*ec(&input).unwrap_err(), EcError::UnderstatementsUndecided);
        input.understatements = Some(Understatements::SetAside);
        let aside = ec(&input).unwrap();
        assert_eq!(aside.overall.total, ec(&good(method)).unwrap().overall.total);
        assert_eq!(
            (aside.understated_items, aside.understatement),
            (1, decimal("105"))
        );
        input.understatements = Some(Understatements::Net);
        let net = ec(&input).unwrap();
        assert!(net.overall.total.projected < aside.overall.total.projected);
        if method == EcMethod::MusStandard {
            assert_eq!(net.overall.total.projected, decimal("5000"));
        }
    }
}

#[test]
fn what_is_improbable_is_warned_of() {
    let mut input = good(EcMethod::MusStandard);
    assert_eq!(words(&ec(&input).unwrap().overall), "");
    input.materiality = decimal("0.05");
    assert!(words(&ec(&input).unwrap().overall).contains("2 %"));
    input.strata[0].items.truncate(3);
    let few = words(&ec(&input).unwrap().overall);
    assert!(few.contains("Only 3 items") && few.contains("seems perfect"));
    input.strata[0].items.truncate(2);
    assert!(words(&ec(&input).unwrap().overall).contains("fewer than 3"));
    let mut input = good(EcMethod::MusStandard);
    input.strata[0].items[0] = item(30_000, 30_000);
    input.strata[0].exhaustive = vec![item(20_000, 20_000)];
    let placed = words(&ec(&input).unwrap().overall);
    assert!(placed.contains("exhaustive part (6.3.1.3)") && placed.contains("not above the interval"));
    let mut swapped = good(EcMethod::MeanPerUnit);
    for item in &mut swapped.strata[0].items {
        (item.book_value, item.audit_value) = (item.audit_value.unwrap(), Some(item.book_value));
    }
    swapped.understatements = Some(Understatements::Net);
    assert!(words(&ec(&swapped).unwrap().overall).contains("swapped"));
    let mut odd = good(EcMethod::Difference);
    odd.strata[0].items[3].audit_value = Some(-5);
    odd.strata[0].book_value = 40_000;
    let odd = words(&ec(&odd).unwrap().overall);
    assert!(odd.contains("below zero") && odd.contains("higher book value"));
    let many = words(&ec(&good(EcMethod::NonStatisticalRatio)).unwrap().overall);
    assert!(many.contains("from 300 on") && many.contains("Less than 10 %"));
    let mut enough = good(EcMethod::NonStatisticalRatio);
    enough.strata[0].population = Some(200);
    assert_eq!(words(&ec(&enough).unwrap().overall), "");
}

#[test]
fn sizes_out_of_proportion_are_warned_of() {
    let mut input = good(EcMethod::Difference);
    input
        .strata
        .push(stratum("b", 500_000, 400, sample()[..20].to_vec()));
    let even = words(&ec(&input).unwrap().overall);
    assert!(!even.contains("proportion"), "{even}");
    input.strata[1].items.truncate(18);
    assert!(words(&ec(&input).unwrap().overall).contains("proportion"));
    input.strata[1].period = Some("2".into());
    assert!(!words(&ec(&input).unwrap().overall).contains("proportion"));
}

#[test]
fn the_estimator_that_the_guidance_prefers_is_named() {
    // errors grow with the book value: ratio; errors are all alike: mean per unit
    let grown: Vec<EcItem> = (1..=40).map(|i| item(1_000 * i, 900 * i)).collect();
    let alike: Vec<EcItem> = (1..=40).map(|i| item(1_000 * i, 1_000 * i - 50)).collect();
    let speaks = |method, items: &[EcItem]| {
        let input = input(
            method,
            "0.9",
            vec![stratum("all", 9_000_000, 800, items.to_vec())],
        );
        words(&ec(&input).unwrap().overall)
    };
    assert!(speaks(EcMethod::MeanPerUnit, &grown).contains("speak for the ratio"));
    assert!(!speaks(EcMethod::Ratio, &grown).contains("speak for"));
    assert!(speaks(EcMethod::Ratio, &alike).contains("speak for the mean per unit"));
    assert!(!speaks(EcMethod::MeanPerUnit, &alike).contains("speak for"));
}

#[test]
fn a_recalculated_confidence_is_there_only_where_the_sample_does_not_decide() {
    let mut input = good(EcMethod::MusStandard);
    // projected 7,500, precision about 6,938
    for (materiality, conclusion) in [
        ("0.007", Conclusion::Material),
        ("0.01", Conclusion::Inconclusive),
        ("0.02", Conclusion::NotMaterial),
    ] {
        input.materiality = decimal(materiality);
        let figures = ec(&input).unwrap().overall;
        assert_eq!(figures.total.conclusion, conclusion);
        assert_eq!(
            figures.recalculated.is_some(),
            conclusion == Conclusion::Inconclusive
        );
    }
}

#[test]
fn shapes_are_those_of_json() {
    let text = r#"{"method":"MUS_STANDARD","unit":"CENT","confidence":0.9,"profile":"EC_TABLES","materiality":"0.02",
        "strata":[{"name":"all","group":"Mitte","bookValue":1000000,"items":[
        {"id":"1","bookValue":5000,"auditValue":4000,"hits":2},{"bookValue":100,"auditValue":100}],
        "exhaustive":[{"bookValue":400000,"auditValue":399000}]}],
        "knownErrors":[{"class":"SYSTEMIC","amount":700,"group":"Mitte"}]}"#;
    let input: EcInput = serde_json::from_str(text).unwrap();
    let result = serde_json::to_value(ec(&input).unwrap()).unwrap();
    assert_eq!(result["method"], "ec-mus-standard");
    assert_eq!(result["z"], "1.645");
    assert_eq!(result["overall"]["total"]["systemic"], "700.000000");
    assert_eq!(result["groups"][0]["group"], "Mitte");
    assert_eq!(
        result["groups"][0]["figures"]["total"],
        result["overall"]["total"]
    );
    // 1,000,000 / 3 * 0.4 + 1,000
    assert_eq!(result["overall"]["total"]["projected"], "134333.333333");
    assert!(serde_json::from_str::<EcInput>(&text.replace("\"hits\"", "\"hit\"")).is_err());
}

/// Random items: book value, error in percent of it, stratum.
fn rows() -> impl Strategy<Value = Vec<(i64, i64, u8)>> {
    prop::collection::vec((1i64..100_000, -20i64..101, 0u8..2), 4..30)
}

fn grouped(method: EcMethod, rows: &[(i64, i64, u8)]) -> EcInput {
    let of = |which: u8| -> Vec<EcItem> {
        let mut items: Vec<EcItem> = rows
            .iter()
            .filter(|row| row.2 == which)
            .map(|&(book, percent, _)| item(book, book - book * percent / 100))
            .collect();
        items.extend([item(100, 100), item(50, 40)]);
        items
    };
    let mut strata = vec![stratum("a", 8_000_000, 900, of(0)).of_group("a")];
    if !matches!(method, EcMethod::MusConservative | EcMethod::MusRatio) {
        strata.push(stratum("b", 5_000_000, 500, of(1)).of_group("b"));
    }
    strata[0].exhaustive = vec![item(900_000, 899_000), item(800_000, 800_000)];
    let mut input = EcInput {
        strata,
        ..good(method)
    };
    input.understatements = Some(Understatements::Net);
    input.profile = input.profile.map(|_| FactorProfile::Exact);
    input
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_order_of_rows_and_strata_changes_nothing(rows in rows()) {
        for method in METHODS {
            let mut input = grouped(method, &rows);
            let forward = ec(&input).unwrap();
            input.strata.reverse();
            for stratum in &mut input.strata {
                stratum.items.reverse();
                stratum.exhaustive.reverse();
            }
            let backward = ec(&input).unwrap();
            prop_assert_eq!(&forward.overall.total, &backward.overall.total);
            prop_assert_eq!(&forward.overall.conservative, &backward.overall.conservative);
            prop_assert_eq!(&forward.groups[0].figures.total, &backward.groups[0].figures.total);
        }
    }

    #[test]
    fn groups_add_up_to_the_whole(rows in rows()) {
        for method in METHODS {
            let result = ec(&grouped(method, &rows)).unwrap();
            let book: Decimal = result.groups.iter().map(|group| group.figures.total.book_value).sum();
            prop_assert_eq!(book, result.overall.total.book_value);
            let projected: Decimal = result.groups.iter().map(|group| group.figures.total.projected).sum();
            prop_assert!((projected - result.overall.total.projected).abs() <= decimal("0.000002"));
            // by size, the squares of the precisions add up
            if method == EcMethod::MusStandard {
                let square = |value: Option<Decimal>| Fraction::from(value.unwrap()).square();
                let parts: Fraction =
                    result.groups.iter().map(|group| square(group.figures.total.precision)).sum();
                let root = parts.root().even(3);
                prop_assert_eq!(root, Fraction::from(result.overall.total.precision.unwrap()).even(3));
            }
        }
    }

    #[test]
    fn excluding_units_is_projecting_to_the_original_number(rows in rows(), excluded in 1u64..500) {
        // footnotes 69 and 70
        let mut reduced = grouped(EcMethod::MeanPerUnit, &rows);
        for stratum in &mut reduced.strata {
            stratum.group = None;
        }
        let mut direct = reduced.clone();
        reduced.strata[0].excluded = Some(Excluded { book_value: 77, items: excluded, ..Excluded::default() });
        direct.strata[0].population = direct.strata[0].population.map(|count| count + excluded);
        direct.strata[0].book_value += 77;
        prop_assert_eq!(ec(&reduced).unwrap().overall.total, ec(&direct).unwrap().overall.total);
    }

    #[test]
    fn more_confidence_never_lowers_the_limit(rows in rows(), low in 50i64..98) {
        for method in METHODS.into_iter().filter(|method| method.is_statistical()) {
            let mut input = grouped(method, &rows);
            let at = |input: &EcInput| ec(input).unwrap().overall.total;
            input.confidence = Some(Decimal::new(low, 2));
            let narrow = at(&input);
            input.confidence = Some(Decimal::new(low + 1, 2));
            let wide = at(&input);
            prop_assert!(wide.upper_limit >= narrow.upper_limit);
            prop_assert_eq!(wide.projected, narrow.projected);
        }
    }

    #[test]
    fn a_further_error_never_lowers_the_conservative_limit(rows in rows(), more in 1i64..100) {
        let mut input = grouped(EcMethod::MusConservative, &rows);
        let before = ec(&input).unwrap().overall.total;
        let item = input.strata[0].items.last_mut().unwrap();
        item.audit_value = Some(item.book_value * (100 - more) / 100 - item.book_value / 5);
        let after = ec(&input).unwrap().overall.total;
        prop_assert!(after.upper_limit >= before.upper_limit);
        prop_assert!(after.projected >= before.projected);
    }
}
