//! A draw by the name of its method, with its explanation.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Cell, Census, FixedInterval, ModifiedSieve, RandomisedInterval, RecordInterval, RecordsWithReplacement,
    Seed, Selected, SelectionError, SelectionMethod, Selector, Sieve, SimpleRandom, UnitsWithReplacement,
};
use crate::sampling::derivation::{Step, Text};

/// What is drawn, how, and from how much.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DrawInput {
    /// The method.
    pub method: SelectionMethod,
    /// The public seed, 1 to 200 characters.
    pub seed: String,
    /// What separates draws that share a seed: the stratum's name; may be empty.
    #[serde(default)]
    pub context: String,
    /// Items or hits; the mean of items for the sieve; all items for the census.
    pub size: u64,
    /// Number of items. Needed by the methods that count items off; checked where given.
    pub population_size: Option<u64>,
    /// Sum of the amounts in whole monetary units. Needed by the methods that draw monetary units, except the
    /// modified sieve; checked where given.
    pub book_value: Option<i64>,
}

/// A sample and how it came about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Selection {
    /// Id of the method.
    pub method: &'static str,
    /// Its version.
    pub version: &'static str,
    /// Size asked for.
    pub size: u64,
    /// Items offered.
    pub population_size: u64,
    /// Sum of the amounts offered.
    pub book_value: i64,
    /// The sample, in draw order.
    pub items: Vec<Selected>,
    /// Sampling units: the hits of all items.
    pub hits: u64,
    /// How it came about.
    pub steps: Vec<Step>,
    /// What such a sample cannot find.
    pub cannot_find: Vec<Text>,
}

/// A draw under way: items are offered, then it is finished.
pub struct Drawing {
    input: DrawInput,
    selector: Box<dyn Selector + Send>,
    count: u64,
    sum: i128,
    steps: Vec<Step>,
}

impl std::fmt::Debug for Drawing {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Drawing")
            .field("input", &self.input)
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}

impl Drawing {
    /// Begins; refused where the figures of the population make the draw impossible.
    pub fn new(input: DrawInput) -> Result<Self, SelectionError> {
        let seed = Seed::new(input.seed.as_str())?;
        if input.size == 0 {
            return Err(SelectionError::SizeZero);
        }
        let mut steps = Vec::new();
        let selector = selector(&input, &seed, &mut steps)?;
        Ok(Self {
            input,
            selector,
            count: 0,
            sum: 0,
            steps,
        })
    }

    /// Offers the next item, in the order that the method needs (see the table in [`super`]).
    pub fn offer(&mut self, id: &str, amount: i64) -> Result<(), SelectionError> {
        self.selector.offer(id, amount)?;
        self.count += 1;
        self.sum += i128::from(amount);
        Ok(())
    }

    /// The sample; refused if count or sum are not those given at the start.
    pub fn finish(self) -> Result<Selection, SelectionError> {
        let DrawInput { method, size, .. } = self.input;
        let offered = self.count;
        let items = self.selector.finish()?;
        if let Some(count) = self.input.population_size.filter(|count| *count != offered) {
            return Err(SelectionError::CountDiffers { count, offered });
        }
        if let Some(total_cents) = self
            .input
            .book_value
            .filter(|total| i128::from(*total) != self.sum)
        {
            let offered_cents = self.sum;
            return Err(SelectionError::TotalDiffers {
                total_cents,
                offered_cents,
            });
        }
        match method {
            SelectionMethod::Census if size != offered => {
                let count = size;
                return Err(SelectionError::CountDiffers { count, offered });
            }
            SelectionMethod::SimpleRandom | SelectionMethod::ModifiedSieve if size > offered => {
                let count = offered;
                return Err(SelectionError::SizeAboveCount { size, count });
            }
            _ => {}
        }
        let book_value = i64::try_from(self.sum);
        let book_value = book_value.map_err(|_| SelectionError::AmountTooLarge(self.input.context))?;
        let hits = items.iter().map(|item| item.hits).sum();
        let mut steps = self.steps;
        steps.insert(0, offered_step(offered, book_value));
        steps.push(Step::new(
            format!(
                "Stichprobe: {} Positionen mit zusammen {hits} Treffern",
                items.len()
            ),
            format!("Sample: {} items with {hits} hits in all", items.len()),
            hits,
        ));
        Ok(Selection {
            method: method.id(),
            version: method.version(),
            size,
            population_size: offered,
            book_value,
            items,
            hits,
            steps,
            cannot_find: method.cannot_find(),
        })
    }
}

fn offered_step(count: u64, sum: i64) -> Step {
    Step::new(
        format!("Angebotene Positionen: {count}, Summe der Beträge: {sum}"),
        format!("Items offered: {count}, sum of the amounts: {sum}"),
        count,
    )
}

/// The selector of an input, with the steps that explain its figures.
pub(in crate::sampling) fn selector(
    input: &DrawInput,
    seed: &Seed,
    steps: &mut Vec<Step>,
) -> Result<Box<dyn Selector + Send>, SelectionError> {
    let (context, size) = (input.context.as_str(), input.size);
    let count = || {
        input
            .population_size
            .ok_or(SelectionError::Required("populationSize"))
    };
    let total = || input.book_value.ok_or(SelectionError::Required("bookValue"));
    Ok(match input.method {
        SelectionMethod::SimpleRandom => {
            fits(input)?;
            steps.push(Step::new(
                "Los je Position: SHA-256 aus dem hexadezimalen SHA-256 des Startwerts und der Id, als \
                 Dezimalzahl rückwärts hinter „0,“; gezogen werden die kleinsten Lose",
                "Ticket of an item: SHA-256 of the hexadecimal SHA-256 of the seed and the id, as a decimal \
                 number backwards behind `0.`; the smallest tickets are drawn",
                size,
            ));
            Box::new(SimpleRandom::new(seed, size)?)
        }
        SelectionMethod::RecordInterval => {
            let count = count()?;
            interval_step(steps, "Positionen", "items", i128::from(count), size);
            Box::new(RecordInterval::new(seed, context, count, size)?)
        }
        SelectionMethod::RecordsWithReplacement => {
            Box::new(RecordsWithReplacement::new(seed, context, count()?, size)?)
        }
        SelectionMethod::FixedInterval | SelectionMethod::RandomisedInterval => {
            let total = total()?;
            let selector = FixedInterval::new(seed, context, total, size)?;
            interval_step(steps, "Geldeinheiten", "monetary units", i128::from(total), size);
            let start = selector.start();
            steps.push(Step::new(
                format!("Zufallsstart: {start} / {size} Geldeinheiten, aus dem Zahlenstrom des Startwerts"),
                format!("Random start: {start} / {size} monetary units, from the seed's stream of numbers"),
                quotient(start, size),
            ));
            if input.method == SelectionMethod::FixedInterval {
                Box::new(selector)
            } else {
                Box::new(RandomisedInterval::new(seed, context, total, size)?)
            }
        }
        SelectionMethod::Cell => {
            let total = total()?;
            let selector = Cell::new(seed, context, total, size)?;
            interval_step(steps, "Geldeinheiten", "monetary units", i128::from(total), size);
            Box::new(selector)
        }
        SelectionMethod::UnitsWithReplacement => {
            Box::new(UnitsWithReplacement::new(seed, context, total()?, size)?)
        }
        SelectionMethod::Sieve => {
            let total = total()?;
            let selector = Sieve::new(seed, context, total, size)?;
            interval_step(steps, "Geldeinheiten", "monetary units", i128::from(total), size);
            Box::new(selector)
        }
        SelectionMethod::ModifiedSieve => {
            fits(input)?;
            Box::new(ModifiedSieve::new(seed, context, size)?)
        }
        SelectionMethod::Census => Box::new(Census::default()),
        SelectionMethod::Judgemental => return Err(SelectionError::NotByChance),
    })
}

fn fits(input: &DrawInput) -> Result<(), SelectionError> {
    match input.population_size {
        Some(count) if input.size > count => {
            let size = input.size;
            Err(SelectionError::SizeAboveCount { size, count })
        }
        _ => Ok(()),
    }
}

fn interval_step(steps: &mut Vec<Step>, de: &str, en: &str, total: i128, size: u64) {
    let value = quotient(u128::try_from(total).unwrap_or(0), size);
    steps.push(Step::new(
        format!("Intervall: {total} / {size} {de}"),
        format!("Interval: {total} / {size} {en}"),
        value,
    ));
}

/// `dividend / divisor` to two places, cut off.
fn quotient(dividend: u128, divisor: u64) -> String {
    let divisor = u128::from(divisor.max(1));
    let rest = dividend % divisor * 100 / divisor;
    format!("{}.{rest:02}", dividend / divisor)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(method: SelectionMethod) -> DrawInput {
        DrawInput {
            method,
            seed: "01382438112797316654".to_owned(),
            context: "gesamt".to_owned(),
            size: 3,
            population_size: Some(8),
            book_value: Some(3_600),
        }
    }

    fn drawn(input: DrawInput) -> Result<Selection, SelectionError> {
        let by_ticket = input.method == SelectionMethod::RandomisedInterval;
        let tickets = super::super::Tickets::new(&Seed::new(input.seed.clone())?);
        let mut drawing = Drawing::new(input)?;
        let mut items: Vec<_> = (1..=8)
            .map(|number| (format!("id-{number}"), number * 100))
            .collect();
        if by_ticket {
            items.sort_by_key(|(id, _)| tickets.of(id));
        }
        for (id, amount) in items {
            drawing.offer(&id, amount)?;
        }
        drawing.finish()
    }

    #[test]
    fn every_method_by_chance_draws_and_says_how() {
        for method in SelectionMethod::ALL {
            let result = drawn(DrawInput {
                size: if method == SelectionMethod::Census { 8 } else { 3 },
                ..input(method)
            });
            if method == SelectionMethod::Judgemental {
                assert_eq!(result.unwrap_err().code(), "METHOD_NOT_BY_CHANCE");
                continue;
            }
            let selection = result.unwrap();
            assert_eq!(
                format!("{}-{}", selection.method, selection.version),
                method.algorithm()
            );
            assert_eq!(SelectionMethod::of_algorithm(method.algorithm()), Some(method));
            match method {
                SelectionMethod::Census => assert_eq!(selection.hits, 8),
                SelectionMethod::Sieve => assert!(selection.hits <= 8),
                _ => assert_eq!(selection.hits, 3, "{method:?}"),
            }
            assert_eq!(
                selection.cannot_find.len(),
                if method.is_monetary() { 3 } else { 1 }
            );
            assert!(selection.steps.len() >= 2);
            assert!(
                serde_json::to_string(&selection)
                    .unwrap()
                    .contains("\"populationSize\":8")
            );
        }
    }

    #[test]
    fn figures_that_do_not_fit_are_refused() {
        let code = |method, change: fn(&mut DrawInput)| {
            let mut input = input(method);
            change(&mut input);
            let error = drawn(input).unwrap_err();
            (error.code(), error.field())
        };
        let tickets = SelectionMethod::SimpleRandom;
        let too_large = ("SAMPLE_LARGER_THAN_POPULATION", "size");
        assert_eq!(code(tickets, |i| i.size = 0), ("SAMPLE_SIZE_ZERO", "size"));
        assert_eq!(code(tickets, |i| i.size = 9), too_large);
        assert_eq!(
            code(tickets, |i| (i.size, i.population_size) = (9, None)),
            too_large
        );
        assert_eq!(
            code(tickets, |i| i.population_size = Some(7)),
            ("COUNT_DIFFERS", "populationSize")
        );
        assert_eq!(
            code(tickets, |i| i.book_value = Some(1)),
            ("TOTAL_DIFFERS", "bookValue")
        );
        assert_eq!(code(tickets, |i| i.seed.clear()), ("SEED_EMPTY", "seed"));
        let records = SelectionMethod::RecordInterval;
        assert_eq!(
            code(records, |i| i.population_size = None),
            ("REQUIRED", "populationSize")
        );
        assert_eq!(
            code(records, |i| i.population_size = Some(0)),
            ("POPULATION_EMPTY", "populationSize")
        );
        assert_eq!(code(records, |i| i.size = 9), too_large);
        let interval = SelectionMethod::FixedInterval;
        assert_eq!(code(interval, |i| i.book_value = None), ("REQUIRED", "bookValue"));
        assert_eq!(
            code(interval, |i| i.book_value = Some(-5)),
            ("BOOK_VALUE_NOT_POSITIVE", "bookValue")
        );
        assert_eq!(code(interval, |i| i.size = 3_601), too_large);
        assert_eq!(
            code(SelectionMethod::Census, |_| {}),
            ("COUNT_DIFFERS", "populationSize")
        );
    }

    #[test]
    fn the_interval_of_the_guidance_is_printed_so() {
        // EGESIF_16-0014-01, 6.3.1.7: 69 hits in 4,199,882,024 less the 786,837,081 of eight operations of
        // the high-value stratum; the guidance prints 49,464,419
        let drawing = Drawing::new(DrawInput {
            size: 69,
            population_size: None,
            book_value: Some(4_199_882_024 - 786_837_081),
            ..input(SelectionMethod::FixedInterval)
        });
        assert_eq!(drawing.unwrap().steps[0].value, "49464419.46");
    }
}
