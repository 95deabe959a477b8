//! What holds for every sample: order, grouping, size, errors, the method of the house.

use proptest::prelude::*;
use rust_decimal::Decimal;

use super::bound_tests::{ALL, cell, decimal, money, sample, stringer_of, upper};
use super::*;
use crate::sampling::evaluation::Distribution;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn rates_round_to_the_method_of_the_house(
        items in prop::collection::vec((1i64..100_000, -50_000i64..150_000, 1u64..4), 1..30),
    ) {
        let size = items.iter().map(|item| item.2).sum();
        let ours = stringer_of(
            &sample(1_000_000_000, size, &items, "0.95"), Distribution::Binomial, StringerForm::Rate, None,
        );
        let house: Vec<Tainting> = items
            .iter()
            .map(|&(book_cents, audit_cents, hits)| Tainting { book_cents, audit_cents, hits })
            .collect();
        let house = stringer(&house, size, 1_000_000_000, decimal("0.95")).unwrap();
        for (ours, house) in [(&ours.over, &house.over), (&ours.under, &house.under)] {
            prop_assert_eq!(upper(ours).ceil(), Decimal::from(house.upper_limit_cents));
            prop_assert_eq!(ours.projected.round_dp(0), Decimal::from(house.projected_cents));
            let found = (house.items, house.hits, house.known_cents);
            prop_assert_eq!((ours.items, ours.hits, ours.known), found);
        }
    }

    #[test]
    fn order_and_grouping_change_nothing(
        items in prop::collection::vec((1i64..1_000, -500i64..1_500, 1u64..4), 1..20),
    ) {
        let size = items.iter().map(|item| item.2).sum();
        let single: Vec<(i64, i64, u64)> = items
            .iter()
            .rev()
            .flat_map(|&(book, audit, hits)| (0..hits).map(move |_| (book, audit, 1)))
            .collect();
        let grouped = sample(1_000_000, size, &items, "0.9");
        let apart = sample(1_000_000, size, &single, "0.9");
        for method in [money, cell] {
            let left = method(&grouped, Distribution::Poisson);
            let right = method(&apart, Distribution::Poisson);
            prop_assert_eq!(upper(&left.over), upper(&right.over));
            prop_assert_eq!(upper(&left.under), upper(&right.under));
            prop_assert_eq!(left.over.steps, right.over.steps);
        }
    }

    #[test]
    fn limits_rise_with_errors_and_fall_with_the_size(
        items in prop::collection::vec((1i64..1_000, -100i64..1_000, 1u64..4), 0..12), more in 1u64..60,
    ) {
        let hits: u64 = items.iter().map(|item| item.2).sum();
        let size = 2 * hits + more;
        let base = sample(10_000_000, size, &items, "0.95");
        let larger = sample(10_000_000, size + 1, &items, "0.95");
        let mut worse = items.clone();
        worse.push((100, 70, 1));
        let worse = sample(10_000_000, size, &worse, "0.95");
        for method in [money, cell] {
            let limits = ALL.map(|distribution| upper(&method(&base, distribution).over));
            prop_assert!(limits[0] <= limits[1] && limits[1] <= limits[2], "{:?}", limits);
            let limit = |sample| upper(&method(sample, Distribution::Binomial).over);
            prop_assert!(limit(&worse) >= limit(&base));
            prop_assert!(limit(&larger) <= limit(&base));
            let over = method(&base, Distribution::Binomial).over;
            prop_assert!(upper(&over) >= over.projected);
        }
    }
}
