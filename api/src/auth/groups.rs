//! Groups of an identity provider, and what their members are here.
//!
//! A group is named whole, or by a pattern with the number of a Bezirksstelle in it, so that ten Bezirksstellen are one line:
//! `vks-bezirksstelle-{number}-leitung` to `BEZIRKSSTELLENLEITUNG:{number}`.

use std::collections::{BTreeMap, HashSet};

use audit::access::{Membership, MembershipTextError};
use serde_json::{Map, Value};

/// Stands for the number of a Bezirksstelle, in the name of a group and in the membership it gives.
pub(super) const NUMBER: &str = "{number}";

/// Why a line of the mapping cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GroupError {
    /// The right side is no membership.
    #[error(transparent)]
    Membership(#[from] MembershipTextError),
    /// The placeholder has to stand on both sides or on none, once each.
    #[error("{NUMBER} stands once in the group and once in the membership, or in neither")]
    Placeholder,
    /// Something else in braces.
    #[error("only {NUMBER} may stand in braces")]
    Brace,
}

/// Groups with their memberships.
#[derive(Debug, Clone, Default)]
pub struct GroupMap {
    exact: BTreeMap<String, Membership>,
    // The pattern with the longest fixed text first.
    patterns: Vec<Pattern>,
}

#[derive(Debug, Clone)]
struct Pattern {
    before: String,
    after: String,
    membership: String,
}

impl Pattern {
    fn membership(&self, group: &str) -> Option<Membership> {
        let number = group.strip_prefix(&self.before)?.strip_suffix(&self.after)?;
        // Without hyphens, so that `stelle-{number}` does not take `stelle-03-leitung` for a Bezirksstelle `03-leitung`.
        let plain = number.bytes().all(|byte| byte.is_ascii_alphanumeric());
        plain
            .then(|| self.membership.replace(NUMBER, number).parse().ok())
            .flatten()
    }

    const fn fixed(&self) -> usize {
        self.before.len() + self.after.len()
    }
}

impl GroupMap {
    /// The mapping, or each line that cannot be used with its reason.
    pub fn new(lines: &BTreeMap<String, String>) -> Result<Self, Vec<(String, GroupError)>> {
        let mut map = Self::default();
        let mut errors = Vec::new();
        for (group, text) in lines {
            if let Err(error) = map.add(group, text) {
                errors.push((group.clone(), error));
            }
        }
        map.patterns
            .sort_by_key(|pattern| std::cmp::Reverse(pattern.fixed()));
        if errors.is_empty() { Ok(map) } else { Err(errors) }
    }

    fn add(&mut self, group: &str, text: &str) -> Result<(), GroupError> {
        let (left, right) = (group.matches(NUMBER).count(), text.matches(NUMBER).count());
        if left != right || left > 1 {
            return Err(GroupError::Placeholder);
        }
        if group.replace(NUMBER, "").contains(['{', '}']) {
            return Err(GroupError::Brace);
        }
        // With any number in its place, a pattern has to give a membership.
        let membership: Membership = text.replace(NUMBER, "0").parse()?;
        match group.split_once(NUMBER) {
            None => {
                self.exact.insert(group.to_owned(), membership);
            }
            Some((before, after)) => self.patterns.push(Pattern {
                before: before.to_owned(),
                after: after.to_owned(),
                membership: text.to_owned(),
            }),
        }
        Ok(())
    }

    /// What the members of a group are: by its whole name, else by the pattern with the longest fixed text.
    pub fn membership(&self, group: &str) -> Option<Membership> {
        self.exact
            .get(group)
            .cloned()
            .or_else(|| self.patterns.iter().find_map(|pattern| pattern.membership(group)))
    }
}

/// Where a token names the groups of its holder.
#[derive(Debug, Clone)]
pub(super) struct GroupsClaim(String);

impl GroupsClaim {
    /// The claim of that name, else by the path of that name, with a dot between claims: `realm_access.roles`.
    pub(super) fn new(path: &str) -> Self {
        Self(path.to_owned())
    }

    fn of<'a>(&self, claims: &'a Map<String, Value>) -> Option<&'a Value> {
        // The whole name goes first: names that are addresses (`https://kreis.example/groups`) have dots, too.
        if let Some(value) = claims.get(&self.0) {
            return Some(value);
        }
        let mut names = self.0.split('.');
        let first = claims.get(names.next()?)?;
        names.try_fold(first, |value, name| value.as_object()?.get(name))
    }

    /// The memberships of a token, each once, in its order. Names that `membership` does not know are nothing.
    pub(super) fn memberships(
        &self,
        claims: &Map<String, Value>,
        membership: impl Fn(&str) -> Option<Membership>,
    ) -> Vec<Membership> {
        let named: Vec<&str> = match self.of(claims) {
            Some(Value::Array(groups)) => groups.iter().filter_map(Value::as_str).collect(),
            Some(Value::String(groups)) => groups.split_whitespace().collect(),
            _ => Vec::new(),
        };
        let mut seen = HashSet::new();
        named
            .into_iter()
            .filter_map(membership)
            .filter(|membership| seen.insert(membership.clone()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn lines(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(group, text)| ((*group).to_owned(), (*text).to_owned()))
            .collect()
    }

    #[test]
    fn groups_are_named_whole_or_by_a_pattern() {
        let map = GroupMap::new(&lines(&[
            ("revision", "INNENREVISION"),
            ("stelle-{number}", "SACHBEARBEITUNG:{number}"),
            ("stelle-{number}-leitung", "BEZIRKSSTELLENLEITUNG:{number}"),
            ("{number}leitung", "STADT_LEITUNG:{number}"),
            ("stelle-{number}-personal", "SACHBEARBEITUNG:{number}+OWN_STAFF"),
            ("stelle-99", "VORSTAND"),
        ]))
        .unwrap();
        for (group, expected) in [
            ("revision", Some("INNENREVISION")),
            ("Revision", None),
            ("revision ", None),
            ("stelle-03", Some("SACHBEARBEITUNG:03")),
            ("stelle-03-leitung", Some("BEZIRKSSTELLENLEITUNG:03")),
            ("03leitung", Some("STADT_LEITUNG:03")),
            ("stelle-03-personal", Some("SACHBEARBEITUNG:03+OWN_STAFF")),
            ("stelle-99", Some("VORSTAND")),
            ("stelle-", None),
            ("stelle--leitung", None),
            ("stelle-{number}", None),
            ("stelle-0 3", None),
            ("stelle-03-leitung-x", None),
            ("stelle-00000000000000003", None),
        ] {
            let found = map.membership(group).map(|membership| membership.to_string());
            assert_eq!(found.as_deref(), expected, "{group}");
        }
    }

    #[test]
    fn every_unusable_line_is_named() {
        let errors = GroupMap::new(&lines(&[
            ("a", "NOBODY"),
            ("b", "SACHBEARBEITUNG"),
            ("c-{number}", "SACHBEARBEITUNG:03"),
            ("d", "SACHBEARBEITUNG:{number}"),
            ("e-{number}-{number}", "SACHBEARBEITUNG:{number}"),
            ("f-{nummer}", "INNENREVISION"),
            ("g-{number}", "INNENREVISION:{number}"),
            ("h", "INNENREVISION"),
        ]))
        .unwrap_err();
        let named: Vec<_> = errors.iter().map(|(group, _)| group.as_str()).collect();
        assert_eq!(
            named,
            [
                "a",
                "b",
                "c-{number}",
                "d",
                "e-{number}-{number}",
                "f-{nummer}",
                "g-{number}"
            ]
        );
        assert_eq!(errors[2].1, GroupError::Placeholder);
        assert_eq!(errors[5].1, GroupError::Brace);
    }

    #[test]
    fn a_claim_is_found_by_name_or_path() {
        let claims = json!({
            "groups": ["VORSTAND", 7, "VORSTAND"],
            "realm_access": {"roles": ["BUDGET"]},
            "https://kreis.example/groups": "VORSTAND BUDGET",
            "a.b": ["VORSTAND"], "a": {"b": ["BUDGET"]},
        });
        let claims = claims.as_object().unwrap();
        for (path, expected) in [
            ("groups", vec!["VORSTAND"]),
            ("realm_access.roles", vec!["BUDGET"]),
            ("https://kreis.example/groups", vec!["VORSTAND", "BUDGET"]),
            ("a.b", vec!["VORSTAND"]),
            ("realm_access", vec![]),
            ("realm_access.roles.x", vec![]),
            ("nothing", vec![]),
            ("", vec![]),
        ] {
            let found = GroupsClaim::new(path).memberships(claims, |name| name.parse().ok());
            let found: Vec<_> = found.iter().map(ToString::to_string).collect();
            assert_eq!(found, expected, "{path}");
        }
    }
}
