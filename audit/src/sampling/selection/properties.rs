//! What holds for all selectors.

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use proptest::prelude::*;

use super::*;

fn seed(text: &str) -> Seed {
    Seed::new(text).unwrap()
}

fn run(mut selector: Box<dyn Selector>, items: &[(String, i64)]) -> Result<Vec<Selected>, SelectionError> {
    for (id, amount) in items {
        selector.offer(id, *amount)?;
    }
    selector.finish()
}

type Make = fn(&Seed, &str) -> Box<dyn Selector>;

fn hits(selected: &[Selected]) -> BTreeMap<&str, u64> {
    selected
        .iter()
        .map(|item| (item.id.as_str(), item.hits))
        .collect()
}

fn items() -> impl Strategy<Value = Vec<(String, i64)>> {
    prop::collection::btree_map("[a-zäß0-9-]{1,12}", 1i64..5_000, 1..60)
        .prop_map(|items| items.into_iter().collect())
}

fn total(items: &[(String, i64)]) -> i64 {
    items.iter().map(|(_, amount)| amount).sum()
}

/// Hits of an item by the definition: how many of the positions, in `1/scale` units, lie in what it covers.
fn by_definition(items: &[(String, i64)], scale: u128, positions: &[u128]) -> BTreeMap<String, u64> {
    let mut found = BTreeMap::new();
    let mut before = 0_u128;
    for (id, amount) in items {
        let after = before + u128::from(amount.unsigned_abs());
        let inside = positions
            .iter()
            .filter(|position| (before * scale..after * scale).contains(position));
        match u64::try_from(inside.count()).unwrap() {
            0 => {}
            hits => {
                found.insert(id.clone(), hits);
            }
        }
        before = after;
    }
    found
}

fn as_definition(selected: &[Selected]) -> BTreeMap<String, u64> {
    selected.iter().map(|item| (item.id.clone(), item.hits)).collect()
}

proptest! {
    #[test]
    fn monetary_hits_are_those_of_the_definition(items in items(), size in 1u64..60, text in "[a-z]{1,9}") {
        let total = total(&items);
        prop_assume!(size <= total.unsigned_abs());
        let seed = seed(&text);
        let range = NonZeroU64::new(total.unsigned_abs()).unwrap();
        let mut uniforms = Uniforms::new(&seed, "c");
        let numbers: Vec<u128> = (0..size).map(|_| u128::from(uniforms.below(range))).collect();
        let wide = u128::from(range.get());

        let interval = Box::new(FixedInterval::new(&seed, "c", total, size).unwrap());
        let positions: Vec<u128> = (0..u128::from(size)).map(|i| numbers[0] + i * wide).collect();
        let drawn = run(interval, &items).unwrap();
        prop_assert_eq!(as_definition(&drawn), by_definition(&items, size.into(), &positions));

        let cell = Box::new(Cell::new(&seed, "c", total, size).unwrap());
        let positions: Vec<u128> = (0..).zip(&numbers).map(|(i, number)| number + i * wide).collect();
        let drawn = run(cell, &items).unwrap();
        prop_assert_eq!(as_definition(&drawn), by_definition(&items, size.into(), &positions));

        let replaced = Box::new(UnitsWithReplacement::new(&seed, "c", total, size).unwrap());
        let drawn = run(replaced, &items).unwrap();
        prop_assert_eq!(as_definition(&drawn), by_definition(&items, 1, &numbers));
    }

    #[test]
    fn the_order_of_the_rows_has_no_effect_or_is_refused(
        (items, shuffled) in items().prop_flat_map(|items| (Just(items.clone()), Just(items).prop_shuffle())),
        size in 1u64..30,
    ) {
        let seed = seed("s");
        let total = total(&items);
        prop_assume!(size <= total.unsigned_abs());
        let sieve = || Box::new(Sieve::new(&seed, "c", total, size).unwrap());
        prop_assert_eq!(run(sieve(), &items), run(sieve(), &shuffled));
        let modified = || Box::new(ModifiedSieve::new(&seed, "c", size).unwrap());
        prop_assert_eq!(run(modified(), &items), run(modified(), &shuffled));
        let all = || Box::new(Census::default());
        prop_assert_eq!(run(all(), &items), run(all(), &shuffled));

        let count = u64::try_from(items.len()).unwrap();
        let ordered: Vec<Box<dyn Selector>> = vec![
            Box::new(FixedInterval::new(&seed, "c", total, size).unwrap()),
            Box::new(Cell::new(&seed, "c", total, size).unwrap()),
            Box::new(UnitsWithReplacement::new(&seed, "c", total, size).unwrap()),
            Box::new(RecordsWithReplacement::new(&seed, "c", count, size).unwrap()),
            Box::new(RecordInterval::new(&seed, "c", count, size.min(count)).unwrap()),
        ];
        for selector in ordered {
            let result = run(selector, &shuffled);
            if items == shuffled {
                prop_assert!(result.is_ok());
            } else {
                prop_assert_eq!(result.unwrap_err().code(), "ITEMS_OUT_OF_ORDER");
            }
        }
    }

    #[test]
    fn a_smaller_modified_sieve_begins_a_larger_one(items in items(), size in 1u64..30, more in 0u64..30) {
        let drawn = |size| run(Box::new(ModifiedSieve::new(&seed("s"), "c", size).unwrap()), &items).unwrap();
        let (small, large) = (drawn(size), drawn(size + more));
        prop_assert_eq!(&small[..], &large[..small.len()]);
    }

    #[test]
    fn the_sieve_of_a_part_is_the_part_of_the_sieve(items in items(), cut in 0usize..60) {
        // the same interval for both parts and the whole: a part's total and size are in proportion
        let seed = seed("s");
        let (left, right) = items.split_at(cut.min(items.len()));
        let sieve = |part: &[(String, i64)]| -> Vec<String> {
            let total = total(part);
            if total == 0 {
                return Vec::new();
            }
            // interval 1: everything is in; interval of 2 units where the total is even
            let size = total.unsigned_abs().div_ceil(2);
            let drawn = run(Box::new(Sieve::new(&seed, "c", total, size).unwrap()), part).unwrap();
            drawn.into_iter().map(|item| item.id).collect()
        };
        prop_assume!(total(left) % 2 == 0 && total(right) % 2 == 0);
        let mut parts = [sieve(left), sieve(right)].concat();
        parts.sort();
        prop_assert_eq!(parts, sieve(&items));
    }

    #[test]
    fn record_intervals_are_the_places_of_the_formula(
        count in 1u64..200, size in 1u64..200, text in "[a-z]{1,9}",
    ) {
        prop_assume!(size <= count);
        let seed = seed(&text);
        let start = Uniforms::new(&seed, "c").below(NonZeroU64::new(count).unwrap());
        let places: Vec<String> = (0..size)
            .map(|i| format!("{:03}", (start + 1 + i * count).div_ceil(size)))
            .collect();
        let items: Vec<_> = (1..=count).map(|place| (format!("{place:03}"), -5)).collect();
        let drawn = run(Box::new(RecordInterval::new(&seed, "c", count, size).unwrap()), &items).unwrap();
        prop_assert!(drawn.iter().all(|item| item.hits == 1));
        prop_assert_eq!(drawn.into_iter().map(|item| item.id).collect::<Vec<_>>(), places);
    }

    #[test]
    fn randomised_intervals_need_the_order_of_the_tickets(items in items(), size in 1u64..30) {
        let seed = seed("s");
        let total = total(&items);
        prop_assume!(size <= total.unsigned_abs());
        let selector = || Box::new(RandomisedInterval::new(&seed, "c", total, size).unwrap());
        let tickets = Tickets::new(&seed);
        let mut sorted = items.clone();
        sorted.sort_by_key(|(id, _)| (tickets.of(id), id.clone()));
        let drawn = run(selector(), &sorted).unwrap();
        prop_assert_eq!(drawn.iter().map(|item| item.hits).sum::<u64>(), size);
        if sorted == items {
            return Ok(());
        }
        prop_assert_eq!(run(selector(), &items).unwrap_err().code(), "ITEMS_OUT_OF_ORDER");
        let doubled = [&sorted[..1], &sorted[..]].concat();
        prop_assert_eq!(run(selector(), &doubled).unwrap_err().code(), "ITEM_DOUBLED");
    }
}

#[test]
fn chances_are_in_proportion_to_the_amounts() {
    // four items with 10, 20, 30 and 40 % of the total, one hit, 4,000 contexts: an estimated share is off by
    // more than
    // 0.03 (four standard deviations) hardly ever, and never for this seed
    let items: Vec<_> = (1..=4).map(|n| (n.to_string(), n * 100)).collect();
    let seed = seed("01382438112797316654");
    let methods: [(&str, Make); 4] = [
        (CELL, |seed, context| {
            Box::new(Cell::new(seed, context, 1_000, 1).unwrap())
        }),
        (UNITS_WITH_REPLACEMENT, |seed, context| {
            Box::new(UnitsWithReplacement::new(seed, context, 1_000, 1).unwrap())
        }),
        (SIEVE, |seed, context| {
            Box::new(Sieve::new(seed, context, 1_000, 1).unwrap())
        }),
        (MODIFIED_SIEVE, |seed, context| {
            Box::new(ModifiedSieve::new(seed, context, 1).unwrap())
        }),
    ];
    for (name, method) in methods {
        let mut found = BTreeMap::new();
        for context in 0..4_000 {
            let drawn = run(method(&seed, &context.to_string()), &items).unwrap();
            for (id, count) in hits(&drawn) {
                *found.entry(id.to_owned()).or_insert(0) += count;
            }
        }
        for (id, amount) in &items {
            let share = f64::from(u32::try_from(found[id]).unwrap()) / 4_000.0;
            // the modified sieve is only nearly in proportion: with one item of four the largest gains
            let tolerance = if name == MODIFIED_SIEVE { 0.12 } else { 0.03 };
            let expected = f64::from(u32::try_from(*amount).unwrap()) / 1_000.0;
            assert!((share - expected).abs() < tolerance, "{name} {id}: {share}");
        }
    }
}

#[test]
fn monetary_methods_refuse_what_has_no_chance() {
    let seed = seed("s");
    let selectors: [Box<dyn Selector>; 5] = [
        Box::new(FixedInterval::new(&seed, "c", 10, 2).unwrap()),
        Box::new(Cell::new(&seed, "c", 10, 2).unwrap()),
        Box::new(UnitsWithReplacement::new(&seed, "c", 10, 2).unwrap()),
        Box::new(Sieve::new(&seed, "c", 10, 2).unwrap()),
        Box::new(ModifiedSieve::new(&seed, "c", 2).unwrap()),
    ];
    for mut selector in selectors {
        assert_eq!(selector.offer("a", 0).unwrap_err().code(), "AMOUNT_NOT_POSITIVE");
        assert_eq!(selector.offer("b", -1).unwrap_err().code(), "AMOUNT_NOT_POSITIVE");
    }
}

#[test]
fn the_largest_figures_do_not_overflow() {
    let seed = seed("s");
    let all = |selector: Box<dyn Selector>| run(selector, &[("all".to_owned(), i64::MAX)]).unwrap();
    assert_eq!(
        all(Box::new(Cell::new(&seed, "c", i64::MAX, 1_000).unwrap()))[0].hits,
        1_000
    );
    let most = i64::MAX.unsigned_abs();
    assert_eq!(
        all(Box::new(Sieve::new(&seed, "c", i64::MAX, most).unwrap()))[0].hits,
        1
    );
    assert_eq!(
        all(Box::new(ModifiedSieve::new(&seed, "c", most).unwrap()))[0].hits,
        1
    );
    let replaced = UnitsWithReplacement::new(&seed, "c", i64::MAX, 1_000).unwrap();
    assert_eq!(all(Box::new(replaced))[0].hits, 1_000);
}

#[test]
fn stored_samples_come_out_again() {
    // twelve of twenty items with 100 to 2,000 cents; tests/oracles/draw.py. A figure that has to change here
    // needs a new version of its algorithm.
    let stored = [
        (
            SelectionMethod::SimpleRandom,
            "08 20 15 07 04 09 01 02 14 17 18 13",
        ),
        (
            SelectionMethod::RecordInterval,
            "02 03 05 07 08 10 12 13 15 17 18 20",
        ),
        (
            SelectionMethod::RecordsWithReplacement,
            "02 03 06 07 10 11 12 13 14 16 17 18",
        ),
        (
            SelectionMethod::FixedInterval,
            "06 08 10 12 13 14 16 17 18 19 20x2",
        ),
        (
            SelectionMethod::RandomisedInterval,
            "20 15 04 14 17 18 13 10 19 03 12 16",
        ),
        (SelectionMethod::Cell, "06x2 08 11 12 14 15 17x2 19 20x2"),
        (
            SelectionMethod::UnitsWithReplacement,
            "02 03 06 07 17x2 18 19x2 20x3",
        ),
        (SelectionMethod::Sieve, "06 07 10 11 12 13 16 17 18 19 20"),
        (
            SelectionMethod::ModifiedSieve,
            "11 13 07 20 06 12 18 10 19 16 17 15",
        ),
    ];
    for (method, expected) in stored {
        let seed = "01382438112797316654".to_owned();
        let tickets = Tickets::new(&Seed::new(seed.clone()).unwrap());
        let mut items: Vec<_> = (1..=20)
            .map(|number| (format!("{number:02}"), number * 100))
            .collect();
        if method == SelectionMethod::RandomisedInterval {
            items.sort_by_key(|(id, _)| tickets.of(id));
        }
        let mut drawing = Drawing::new(DrawInput {
            method,
            seed,
            context: "gesamt".to_owned(),
            size: 12,
            population_size: Some(20),
            book_value: Some(21_000),
        })
        .unwrap();
        for (id, amount) in &items {
            drawing.offer(id, *amount).unwrap();
        }
        let drawn = drawing.finish().unwrap().items;
        let short = drawn.iter().map(|item| match item.hits {
            1 => item.id.clone(),
            hits => format!("{}x{hits}", item.id),
        });
        assert_eq!(short.collect::<Vec<_>>().join(" "), expected, "{method:?}");
    }
}
