//! How items are distributed evenly.

use std::collections::{HashMap, HashSet};

use entity::SampleItemId;

use crate::{Code, Refusal};

/// Most items that are assigned or released at once.
pub const MAX_ITEMS: usize = 200;
/// Most people among whom items are distributed.
pub const MAX_TESTERS: usize = 50;
/// Longest subject of a person.
const MAX_SUBJECT: usize = 200;

/// What is wrong with a person's subject.
pub(super) fn check_tester(path: &str, tester: &str) -> Option<Refusal> {
    crate::refusal::text(path, tester, MAX_SUBJECT)
}

/// What is wrong with the people among whom items are distributed.
pub(super) fn check_testers(testers: &[String]) -> Vec<Refusal> {
    if testers.is_empty() {
        return vec![Refusal::new(Code::Required, "input.testers")];
    }
    if testers.len() > MAX_TESTERS {
        return vec![Refusal::new(Code::TooMany, "input.testers").with(MAX_TESTERS)];
    }
    let mut named = HashSet::new();
    let mut refusals = Vec::new();
    for (place, tester) in testers.iter().enumerate() {
        let path = format!("input.testers.{place}");
        refusals.extend(check_tester(&path, tester));
        if !named.insert(tester) {
            refusals.push(Refusal::new(Code::Doubled, &path).with(tester));
        }
    }
    refusals
}

/// An item with those to whom it is assigned, or who have checked it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Open {
    pub(super) item: SampleItemId,
    pub(super) taken_by: HashSet<String>,
}

/// New assignments, so that each item has as many people as it needs, as far as there are any. Each goes to whoever has the
/// fewest, of equal ones to whoever is named first; `load` is how many each has already.
pub(super) fn distribute<'a>(
    items: &[Open],
    needed: usize,
    testers: &'a [String],
    load: &HashMap<String, usize>,
) -> Vec<(SampleItemId, &'a str)> {
    let mut load: Vec<usize> = testers
        .iter()
        .map(|tester| load.get(tester).copied().unwrap_or(0))
        .collect();
    let mut given = Vec::new();
    for open in items {
        let mut taken_by: HashSet<&str> = open.taken_by.iter().map(String::as_str).collect();
        while taken_by.len() < needed {
            let free = testers
                .iter()
                .enumerate()
                .filter(|(_, tester)| !taken_by.contains(tester.as_str()));
            let Some((place, tester)) = free.min_by_key(|(place, _)| (load[*place], *place)) else {
                break;
            };
            load[place] += 1;
            taken_by.insert(tester);
            given.push((open.item, tester.as_str()));
        }
    }
    given
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn items(count: usize) -> Vec<Open> {
        (0..count)
            .map(|number| Open {
                item: SampleItemId(Uuid::from_u128(number as u128)),
                taken_by: HashSet::new(),
            })
            .collect()
    }

    fn testers(count: usize) -> Vec<String> {
        (0..count).map(|number| format!("p{number}")).collect()
    }

    #[test]
    fn the_people_are_named_once_and_in_number() {
        let codes = |testers: &[&str]| {
            let testers: Vec<String> = testers.iter().map(|name| (*name).to_owned()).collect();
            let refusals = check_testers(&testers).into_iter();
            refusals
                .map(|refusal| (refusal.code, refusal.path))
                .collect::<Vec<_>>()
        };
        assert_eq!(codes(&["a", "b"]), []);
        assert_eq!(codes(&[]), [(Code::Required, "input.testers".to_owned())]);
        assert_eq!(codes(&["x"; 51]), [(Code::TooMany, "input.testers".to_owned())]);
        assert_eq!(
            codes(&["a", " ", "a"]),
            [
                (Code::Required, "input.testers.1".to_owned()),
                (Code::Doubled, "input.testers.2".to_owned())
            ]
        );
    }

    #[test]
    fn whoever_has_less_gets_more() {
        let load = HashMap::from([("p0".to_owned(), 3)]);
        let people = testers(2);
        let given = distribute(&items(4), 1, &people, &load);
        let to: Vec<&str> = given.iter().map(|(_, tester)| *tester).collect();
        assert_eq!(to, ["p1", "p1", "p1", "p0"]);
    }

    proptest! {
        #[test]
        fn items_are_distributed_evenly_and_to_each_person_once(
            count in 0_usize..60, people in 1_usize..8, needed in 1_usize..4, taken in 0_usize..3
        ) {
            let people = testers(people);
            let mut open = items(count);
            for one in open.iter_mut().step_by(3) {
                one.taken_by = people.iter().take(taken).cloned().collect();
            }
            let given = distribute(&open, needed, &people, &HashMap::new());
            for one in &open {
                let to: Vec<&str> =
                    given.iter().filter(|(item, _)| *item == one.item).map(|(_, tester)| *tester).collect();
                let all: HashSet<&str> = to.iter().copied().chain(one.taken_by.iter().map(String::as_str)).collect();
                prop_assert_eq!(all.len(), to.len() + one.taken_by.len(), "nobody twice");
                prop_assert_eq!(all.len(), needed.min(people.len()).max(one.taken_by.len()));
            }
            if taken == 0 {
                let load = |name: &String| given.iter().filter(|(_, tester)| tester == name).count();
                let loads: Vec<usize> = people.iter().map(load).collect();
                let spread = loads.iter().max().unwrap_or(&0) - loads.iter().min().unwrap_or(&0);
                prop_assert!(spread <= 1, "{:?}", loads);
            }
        }
    }
}
