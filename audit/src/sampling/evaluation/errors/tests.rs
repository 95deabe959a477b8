use proptest::prelude::*;

use super::*;

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn error(class: ErrorClass, amount: i64, corrected: Option<bool>) -> KnownError {
    KnownError {
        class,
        amount,
        corrected,
        reason: Some("one of its kind".into()),
        group: None,
    }
}

fn input() -> TotalErrorInput {
    TotalErrorInput {
        unit: Unit::Euro,
        book_value: 1_000_000,
        materiality: decimal("0.02"),
        projected: decimal("9000.5"),
        precision: Some(decimal("5000")),
        known_errors: Vec::new(),
    }
}

#[test]
fn only_what_is_uncorrected_or_delimited_is_added() {
    let mut input = input();
    input.known_errors = vec![
        error(ErrorClass::Systemic, 3_000, None),
        error(ErrorClass::Anomalous, 700, Some(false)),
        error(ErrorClass::Anomalous, 40_000, Some(true)),
    ];
    let result = total_error(&input).unwrap();
    assert_eq!(result.total_error, decimal("12700.5"));
    assert_eq!(
        (result.systemic, result.anomalous, result.anomalous_corrected),
        (decimal("3000"), decimal("700"), decimal("40000"))
    );
    assert_eq!(result.total_error_rate, decimal("0.0127005"));
    assert_eq!(result.upper_limit, Some(decimal("17700.5")));
    assert_eq!(result.upper_limit_rate, Some(decimal("0.0177005")));
    assert_eq!(result.conclusion, Conclusion::NotMaterial);
    assert!(result.steps.len() == 5);
}

#[test]
fn limits_decide_the_conclusion_and_equality_decides_nothing() {
    let conclusion = |projected: &str, precision: Option<&str>| {
        let mut input = input();
        input.projected = decimal(projected);
        input.precision = precision.map(decimal);
        total_error(&input).unwrap().conclusion
    };
    assert_eq!(conclusion("20000.000001", Some("0")), Conclusion::Material);
    assert_eq!(conclusion("20000", Some("0")), Conclusion::Inconclusive);
    assert_eq!(conclusion("15000", Some("5000")), Conclusion::Inconclusive);
    assert_eq!(conclusion("15000", Some("4999.999999")), Conclusion::NotMaterial);
    assert_eq!(conclusion("19999", None), Conclusion::NotMaterial);
    assert_eq!(conclusion("20001", None), Conclusion::Material);
    let mut input = input();
    input.precision = None;
    assert_eq!(total_error(&input).unwrap().upper_limit, None);
}

#[test]
fn impossible_totals_are_refused() {
    let refused = |change: &dyn Fn(&mut TotalErrorInput)| {
        let mut input = input();
        change(&mut input);
        let error = total_error(&input).unwrap_err();
        (error.code(), error.field())
    };
    for value in [0, -5] {
        assert_eq!(
            refused(&|input| input.book_value = value),
            ("BOOK_VALUE_NOT_POSITIVE", "bookValue")
        );
    }
    for value in ["0", "1", "2", "-0.02"] {
        assert_eq!(
            refused(&|input| input.materiality = decimal(value)),
            ("MATERIALITY_OUT_OF_RANGE", "materiality")
        );
    }
    assert_eq!(
        refused(&|input| input.precision = Some(decimal("-1"))),
        ("PRECISION_NEGATIVE", "precision")
    );
    let with = |known: KnownError| refused(&move |input| input.known_errors = vec![known.clone()]);
    assert_eq!(
        with(error(ErrorClass::Random, 5, None)),
        ("RANDOM_NOT_PROJECTED", "class")
    );
    assert_eq!(
        with(error(ErrorClass::Systemic, -5, None)),
        ("ERROR_NEGATIVE", "amount")
    );
    assert_eq!(
        with(error(ErrorClass::Anomalous, 5, None)),
        ("CORRECTED_MISSING", "corrected")
    );
    let mut silent = error(ErrorClass::Anomalous, 5, Some(true));
    silent.reason = Some(" ".into());
    assert_eq!(with(silent), ("REASON_MISSING", "reason"));
}

/// The template's examples, in tenths.
fn template(rate: &str, ongoing: i64, other: i64, corrections: i64) -> ResidualErrorResult {
    residual_error(&ResidualErrorInput {
        unit: Unit::Euro,
        book_value: 10_000,
        total_error_rate: decimal(rate),
        ongoing_assessment: ongoing,
        other_deductions: other,
        corrections,
        materiality: decimal("0.02"),
    })
    .unwrap()
}

#[test]
fn examples_of_the_residual_template() {
    let a = template("0.022", 0, 0, 21);
    assert_eq!(
        (a.population, a.amount_at_risk, a.certifiable, a.residual_amount),
        (decimal("10000"), decimal("220"), decimal("9979"), decimal("199"))
    );
    assert_eq!(a.rounded_rate, Some(decimal("0.0199")));
    assert_eq!((a.exceeds_materiality, a.extrapolated_correction), (false, None));
    let b = template("0.025", 0, 0, 21);
    assert_eq!(
        (b.residual_amount, b.rounded_rate),
        (decimal("229"), Some(decimal("0.0229")))
    );
    // (229 - 199.58) / 0.98
    assert_eq!(b.extrapolated_correction, Some(decimal("30.020409")));
    assert_eq!(b.rate_after_correction, Some(decimal("0.02")));
    let c1 = template("0.022", 500, 0, 20);
    assert_eq!(
        (c1.population, c1.amount_at_risk, c1.certifiable, c1.rounded_rate),
        (
            decimal("9500"),
            decimal("209"),
            decimal("9480"),
            Some(decimal("0.0199"))
        )
    );
    let c2 = template("0.022", 500, 0, 5);
    assert_eq!(
        (c2.certifiable, c2.residual_amount, c2.rounded_rate),
        (decimal("9495"), decimal("204"), Some(decimal("0.0215")))
    );
    assert_eq!(c2.extrapolated_correction, Some(decimal("14.387756")));
    let negative = template("0.022", 500, 3_500, 20);
    assert_eq!(
        (
            negative.population,
            negative.amount_at_risk,
            negative.certifiable,
            negative.residual_amount
        ),
        (decimal("6000"), decimal("132"), decimal("5980"), decimal("112"))
    );
    assert!(!negative.exceeds_materiality);
}

#[test]
fn residues_at_the_edge() {
    let all = template("1", 0, 0, 10_000);
    assert_eq!((all.residual_error_rate, all.rounded_rate), (None, None));
    assert!(!all.exceeds_materiality);
    let much = template("0.001", 0, 0, 500);
    assert!(much.residual_amount < Decimal::ZERO && much.warnings.len() == 1);
    // 0.02005 rounds half up to 0.0201 and exceeds; 0.020049... does not
    assert!(template("0.02005", 0, 0, 0).exceeds_materiality);
    assert!(!template("0.0200499", 0, 0, 0).exceeds_materiality);
}

#[test]
fn impossible_residues_are_refused() {
    let refused = |change: &dyn Fn(&mut ResidualErrorInput)| {
        let mut input = ResidualErrorInput {
            unit: Unit::Cent,
            book_value: 1_000,
            total_error_rate: decimal("0.022"),
            ongoing_assessment: 0,
            other_deductions: 0,
            corrections: 2,
            materiality: decimal("0.02"),
        };
        change(&mut input);
        let error = residual_error(&input).unwrap_err();
        (error.code(), error.field())
    };
    assert_eq!(
        refused(&|input| input.total_error_rate = decimal("2.2")),
        ("TOTAL_ERROR_RATE_OUT_OF_RANGE", "totalErrorRate")
    );
    assert_eq!(
        refused(&|input| input.total_error_rate = decimal("-0.1")).0,
        "TOTAL_ERROR_RATE_OUT_OF_RANGE"
    );
    assert_eq!(
        refused(&|input| input.book_value = 0),
        ("BOOK_VALUE_NOT_POSITIVE", "bookValue")
    );
    assert_eq!(
        refused(&|input| input.ongoing_assessment = 1_000).0,
        "BOOK_VALUE_NOT_POSITIVE"
    );
    assert_eq!(
        refused(&|input| input.ongoing_assessment = -1),
        ("AMOUNT_NEGATIVE", "ongoingAssessment")
    );
    assert_eq!(
        refused(&|input| input.other_deductions = -1),
        ("AMOUNT_NEGATIVE", "otherDeductions")
    );
    assert_eq!(
        refused(&|input| input.corrections = -1),
        ("AMOUNT_NEGATIVE", "corrections")
    );
    assert_eq!(
        refused(&|input| input.corrections = 1_001),
        ("CORRECTIONS_ABOVE_POPULATION", "corrections")
    );
    assert_eq!(
        refused(&|input| input.materiality = Decimal::ONE),
        ("MATERIALITY_OUT_OF_RANGE", "materiality")
    );
}

proptest! {
    #[test]
    fn the_further_correction_brings_the_rate_down_to_the_materiality(
        rate in 1i64..200_000, corrections in 0i64..3_000, ongoing in 0i64..4_000,
    ) {
        let result = template(&Decimal::new(rate, 6).to_string(), ongoing, 0, corrections);
        if let Some(correction) = result.extrapolated_correction {
            prop_assert!(correction > Decimal::ZERO);
            prop_assert_eq!(result.rate_after_correction, Some(decimal("0.02")));
        } else {
            prop_assert!(result.residual_error_rate.unwrap() < decimal("0.02005"));
        }
    }

    #[test]
    fn known_errors_add_up_in_any_order(
        amounts in prop::collection::vec((0i64..1_000_000, 0u8..3), 0..12),
    ) {
        let mut input = input();
        input.known_errors = amounts.iter().map(|&(amount, kind)| match kind {
            0 => error(ErrorClass::Systemic, amount, None),
            kind => error(ErrorClass::Anomalous, amount, Some(kind == 1)),
        }).collect();
        let forward = total_error(&input).unwrap();
        input.known_errors.reverse();
        prop_assert_eq!(&total_error(&input).unwrap(), &forward);
        let added: i64 = amounts.iter().filter(|pair| pair.1 != 1).map(|pair| pair.0).sum();
        prop_assert_eq!(forward.total_error, input.projected + Decimal::from(added));
    }
}
