//! The derivations of the bounds from moments and of the estimates can be followed with a calculator: this is one.

use rust_decimal::Decimal;

use super::bound_tests::{decimal, sample};
use super::*;
use crate::sampling::derivation::Step;
use crate::sampling::evaluation::{Conclusion, Sides};

/// What is left of a formula.
struct Calculator<'a>(std::iter::Peekable<std::str::Chars<'a>>);

impl Calculator<'_> {
    fn value(text: &str) -> f64 {
        let text = text.replace("root", "√").replace("tanh", "t").replace(' ', "");
        let mut calculator = Calculator(text.chars().peekable());
        let value = calculator.sum();
        assert_eq!(calculator.0.next(), None, "not a formula: {text}");
        value
    }

    fn takes(&mut self, sign: char) -> bool {
        self.0.next_if_eq(&sign).is_some()
    }

    fn sum(&mut self) -> f64 {
        let mut value = self.product();
        loop {
            if self.takes('+') {
                value += self.product();
            } else if self.takes('-') {
                value -= self.product();
            } else {
                return value;
            }
        }
    }

    fn product(&mut self) -> f64 {
        let mut value = self.power();
        loop {
            if self.takes('*') {
                value *= self.power();
            } else if self.takes('/') {
                value /= self.power();
            } else {
                return value;
            }
        }
    }

    fn power(&mut self) -> f64 {
        let value = if self.takes('√') {
            self.power().sqrt()
        } else if self.takes('t') {
            self.power().tanh()
        } else if self.takes('(') {
            let value = self.sum();
            assert!(self.takes(')'));
            value
        } else {
            let negative = self.takes('-');
            let mut number = String::new();
            while let Some(digit) = self.0.next_if(|sign| sign.is_ascii_digit() || *sign == '.') {
                number.push(digit);
            }
            number.parse::<f64>().unwrap() * if negative { -1.0 } else { 1.0 }
        };
        if self.takes('²') {
            value * value
        } else if self.takes('³') {
            value.powi(3)
        } else {
            value
        }
    }
}

/// How many steps are formulas; each has the value that its figures give, up to what intermediate ones are rounded by.
fn followed(steps: &[Step]) -> usize {
    let formulas = steps
        .iter()
        .filter_map(|step| Some((step, step.en.rsplit_once(" = ")?.1)));
    let mut count = 0;
    for (step, formula) in formulas {
        if formula.contains("degrees") {
            continue;
        }
        let (computed, shown) = (Calculator::value(formula), step.value.parse::<f64>().unwrap());
        let scale = shown.abs().max(1e-6);
        assert!(
            (computed - shown).abs() <= 1e-6 * scale,
            "{}: {computed}, not {shown}",
            step.en
        );
        let german = step.de.rsplit_once(" = ").unwrap().1;
        assert_eq!(german.replace("Wurzel", "root"), formula.replace('.', ","));
        count += 1;
    }
    count
}

fn asked(errors: &[(i64, i64, u64)]) -> MonetarySample {
    MonetarySample {
        tolerable: Some(90_000_000),
        ..sample(1_000_000_000, 60, errors, "0.95")
    }
}

#[test]
fn moments_can_be_followed() {
    for errors in [&[][..], &[(100, 40, 3), (100, 70, 2)], &[(300, 299, 1)]] {
        for population_type in [MomentPopulation::Accounts, MomentPopulation::Inventory] {
            let sample = asked(errors);
            let input = MomentInput {
                sample,
                population_type,
            };
            assert_eq!(followed(&moment_bound(&input).unwrap().over.steps), 18);
        }
        let rohrbach = rohrbach_bound(&RohrbachInput {
            sample: asked(errors),
            delta: decimal("2.7"),
            population: Some(1_000),
        })
        .unwrap();
        assert_eq!(followed(&rohrbach.over.steps), 6);
        let parameters = rohrbach.parameters.unwrap();
        assert_eq!(
            (parameters.delta, parameters.population),
            (Some(decimal("2.7")), Some(1_000))
        );
        let prior = |text| Some(decimal(text));
        let cox_snell = cox_snell_bound(&CoxSnellInput {
            sample: asked(errors),
            prior_a: decimal("1"),
            prior_b: decimal("3"),
            prior_mu: decimal("0.5"),
            prior_pi: decimal("0.25"),
        })
        .unwrap();
        assert_eq!(followed(&cox_snell.over.steps), 3);
        let given = cox_snell.parameters.unwrap();
        assert_eq!(
            [given.prior_a, given.prior_b, given.prior_mu, given.prior_pi],
            [prior("1"), prior("3"), prior("0.5"), prior("0.25")]
        );
    }
}

fn mean(sample: &MonetarySample, method: MeanMethod) -> BoundResult {
    mean_estimate(&MeanInput {
        sample: sample.clone(),
        method,
        net_sides: Sides::Upper,
    })
    .unwrap()
}

#[test]
fn mean_estimates_can_be_followed() {
    let sample = asked(&[(100, 40, 3), (100, 70, 2)]);
    for method in [
        MeanMethod::MeanPerUnit,
        MeanMethod::StudentT,
        MeanMethod::HansenHurwitz,
    ] {
        assert_eq!(followed(&mean(&sample, method).over.steps), 4);
    }
}

/// Student's t has no degree of freedom with a single error: no limit, and a verdict from the projection alone.
#[test]
fn a_single_error_has_a_verdict_without_a_limit() {
    let verdict = |tolerable, errors: &[(i64, i64, u64)]| {
        let sample = MonetarySample {
            tolerable: Some(tolerable),
            ..asked(errors)
        };
        let over = mean(&sample, MeanMethod::StudentT).over;
        (over.upper_limit, over.conclusion)
    };
    // one of 60 by half: 1/120 of a billion
    let one = [(100, 50, 1)];
    assert_eq!(verdict(9_000_000, &one), (None, Some(Conclusion::Inconclusive)));
    assert_eq!(verdict(8_000_000, &one), (None, Some(Conclusion::Material)));
    assert_eq!(verdict(8_000_000, &[]), (None, None));
    let two = verdict(900_000_000, &[(100, 50, 1), (100, 60, 1)]);
    assert_eq!(two.1, Some(Conclusion::NotMaterial));
    assert!(two.0 < Some(Decimal::from(900_000_000)));
}
