use proptest::prelude::*;

use super::*;

/// The definition word by word: the first size for which the tail at `ceil(expected * n)` is within the risk.
fn defined(limit: u64, expected: Decimal, holds: impl Fn(u64, u64) -> bool) -> Option<u64> {
    (1..=limit).find(|n| {
        let k = (expected * Decimal::from(*n)).ceil().to_string().parse().unwrap();
        holds(k, *n)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn the_search_finds_what_the_definition_says(
        percent in 2u32..30,
        expected in 0u32..2500,
        confidence in prop::sample::select(vec!["0.05", "0.5", "0.8", "0.9", "0.99"]),
        population in 300u64..3_000,
    ) {
        let tolerable = Decimal::new(percent.into(), 2);
        let expected = Decimal::new(expected.into(), 4);
        prop_assume!(expected < tolerable);
        let risk = 1.0 - rate_of(parts("", decimal(confidence)).unwrap());
        let rate = f64::from(percent) / 100.0;
        let base = AttributeSizeInput {
            population: Some(population),
            tolerable: Some(tolerable),
            expected_rate: Some(expected),
            ..input(Distribution::Binomial, confidence, "0.5")
        };
        let found = attribute_size(&base).ok().map(|plan| plan.size);
        prop_assert_eq!(found, defined(population, expected, |k, n| binomial_tails(k, n, rate).0 <= risk));
        let units = planned(parts("", tolerable).unwrap(), population);
        if planned(parts("", expected).unwrap(), population) < units {
            let finite = AttributeSizeInput { distribution: Distribution::Hypergeometric, ..base.clone() };
            let found = attribute_size(&finite).ok().map(|plan| plan.size);
            let holds = |k, n| hypergeometric_tails(k, population, units, n).0 <= risk;
            prop_assert_eq!(found, defined(population, expected, holds));
        }
        let poisson = AttributeSizeInput { distribution: Distribution::Poisson, ..base };
        let found = attribute_size(&poisson).ok().map(|plan| plan.size);
        let e = rate_of(parts("", expected).unwrap());
        let first = (1..=population).find(|n| gamma_tails(1.0 + e * float(*n), float(*n) * rate).1 <= risk);
        prop_assert_eq!(found, first);
    }

    #[test]
    fn a_narrow_margin_agrees_with_the_proven_search(
        tolerable in 100u32..2_000,
        below in 1u32..40,
        confidence in prop::sample::select(vec!["0.8", "0.9", "0.95"]),
    ) {
        let expected = Decimal::new((tolerable - below.min(tolerable)).into(), 4);
        let tolerable = Decimal::new(tolerable.into(), 4);
        let stored = planning::attribute_size(10_000_000, decimal(confidence), tolerable, expected).ok();
        let found = attribute_size(&AttributeSizeInput {
            population: Some(10_000_000),
            tolerable: Some(tolerable),
            expected_rate: Some(expected),
            ..input(Distribution::Binomial, confidence, "0.5")
        }).ok();
        prop_assert_eq!(found.map(|plan| plan.size), stored.map(|plan| plan.size));
    }

    #[test]
    fn a_precision_is_met_first_at_the_size_found(
        width in 20u32..200,
        expected in 0u32..200,
        number in prop::option::of(0u64..8),
        confidence in prop::sample::select(vec!["0.8", "0.9", "0.95"]),
        law in prop::sample::select(vec![
            Distribution::Binomial, Distribution::Poisson, Distribution::Hypergeometric,
        ]),
        population in 500u64..5_000,
    ) {
        let plan = AttributeSizeInput {
            population: Some(population),
            tolerable: None,
            expected_rate: number.is_none().then(|| Decimal::new(expected.into(), 3)),
            expected_deviations: number,
            precision: Some(Decimal::new(width.into(), 3)),
            ..input(law, confidence, "0.5")
        };
        let found = attribute_size(&plan).ok();
        let risk = Decimal::ONE - decimal(confidence);
        let risk_float = rate_of(parts("", risk).unwrap());
        let (e, w) = (f64::from(expected) / 1000.0, f64::from(width) / 1000.0);
        let limit = |n: u64, k: u64| match law {
            Distribution::Binomial => beta_quantile(risk_float, float(k + 1), float(n - k)),
            _ => gamma_quantile(risk_float, float(k + 1)) / float(n),
        };
        let first = (1..=population).find(|n| {
            let k = number.unwrap_or_else(|| planned(u64::from(expected) * 1_000_000_000, *n));
            if law == Distribution::Poisson && number.is_none() {
                let n = float(*n);
                return gamma_quantile(risk_float, 1.0 + e * n) / n - e < w;
            }
            if *n <= k || *n < 2 * k {
                return false;
            }
            if law == Distribution::Hypergeometric {
                // exactly: the limit is a count
                let items = hypergeometric_upper(population, *n, k, risk);
                return items * *n * 1000 < population * (u64::from(width) * *n + 1000 * k);
            }
            limit(*n, k) - float(k) / float(*n) < w
        });
        prop_assert_eq!(found.map(|plan| plan.size), first);
    }

    #[test]
    fn finite_is_smaller_than_binomial_is_smaller_than_poisson(
        k in 0u64..6, percent in 3u32..20, population in 500u64..100_000,
    ) {
        let tolerable = Decimal::new(percent.into(), 2).to_string();
        prop_assume!(u64::from(percent) * population / 100 > k + 1);
        let size = |law, population| by_number(law, "0.95", &tolerable, k, population);
        let finite = size(Distribution::Hypergeometric, Some(population));
        let (binomial, poisson) = (size(Distribution::Binomial, None), size(Distribution::Poisson, None));
        prop_assert!(finite <= binomial && binomial <= poisson, "{finite} {binomial} {poisson}");
    }
}
