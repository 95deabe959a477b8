//! What an operation gives away: the classes of the fields it selects and of the inputs it searches by, each with its
//! conditions. Found once for a document; a caller who holds all classes passes by comparing two numbers, whatever the
//! rows.

use async_graphql::parser::types::{BaseType, ConstDirective, Directive, Type};
use async_graphql::{Name, Positioned, Value, Variables};
use audit::access::{Class, Classes};

use super::index::{Index, Kind};

/// Offences reported at once.
const REPORTED: usize = 20;

/// What everybody sees.
const PUBLIC: Classes = Classes::of(&[Class::Public]);

/// What decides whether a selection or an input counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Condition {
    /// `@include(if: $name)`.
    Include(Name),
    /// `@skip(if: $name)`.
    Skip(Name),
    /// An input that is given only where the variable is.
    Given(Name),
}

impl Condition {
    /// Whether it holds with these variables, coerced and with defaults. In doubt it does.
    fn holds(&self, variables: &Variables) -> bool {
        match self {
            Self::Include(name) => variables.get(name) != Some(&Value::Boolean(false)),
            Self::Skip(name) => variables.get(name) != Some(&Value::Boolean(true)),
            Self::Given(name) => variables.get(name).is_some_and(|value| *value != Value::Null),
        }
    }

    /// Conditions of a selection that depend on variables; literals are settled when the plan is made.
    pub(super) fn of(directives: &[Positioned<Directive>]) -> impl Iterator<Item = Self> {
        directives.iter().filter_map(|directive| {
            let async_graphql_value::Value::Variable(name) = &directive.node.get_argument("if")?.node else {
                return None;
            };
            match directive.node.name.node.as_str() {
                "include" => Some(Self::Include(name.clone())),
                "skip" => Some(Self::Skip(name.clone())),
                _ => None,
            }
        })
    }
}

/// A field or an input that gives something away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Use {
    pub(super) classes: Classes,
    /// Response keys from the root, or the way through the arguments.
    pub(super) path: String,
    /// `Type.field`.
    pub(super) field: String,
    pub(super) conditions: Vec<Condition>,
}

/// A variable whose value may search by something classed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Search {
    pub(super) variable: Name,
    pub(super) ty: Type,
    pub(super) path: String,
    pub(super) conditions: Vec<Condition>,
}

/// All that an operation may give away.
#[derive(Debug, Default)]
pub(super) struct Disclosures {
    /// The classes of all uses, whatever their conditions.
    all: Classes,
    uses: Vec<Use>,
    searches: Vec<Search>,
}

/// A class that the caller lacks, and where the operation needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offence {
    /// Response keys from the root, or the way through the arguments.
    pub path: String,
    /// `Type.field`.
    pub field: String,
    /// The class.
    pub class: Class,
}

impl Disclosures {
    /// Adds a use, spelled out only where it may have to be reported: what is public never is, and of those with the same
    /// classes and conditions no more than can be reported.
    pub(super) fn add(
        &mut self,
        classes: Classes,
        conditions: &[Condition],
        spelled: impl FnOnce() -> (String, String),
    ) {
        if classes.beyond(PUBLIC).is_empty() {
            return;
        }
        self.all = self.all.or(classes);
        let alike = |known: &&Use| known.classes == classes && known.conditions == conditions;
        if self.uses.iter().filter(alike).count() < REPORTED {
            let (path, field) = spelled();
            self.uses.push(Use {
                classes,
                path,
                field,
                conditions: conditions.to_vec(),
            });
        }
    }

    /// Bytes it takes, roughly.
    pub(super) fn weight(&self) -> usize {
        let uses = self.uses.iter().map(|found| {
            size_of::<Use>() + found.path.len() + found.field.len() + size_of_val(found.conditions.as_slice())
        });
        let searches = self
            .searches
            .iter()
            .map(|found| size_of::<Search>() + found.path.len() + size_of_val(found.conditions.as_slice()));
        uses.chain(searches).sum()
    }

    pub(super) fn search(&mut self, found: Search) {
        self.searches.push(found);
    }

    /// Those of these classes that the operation gives away with these variables: by what it selects, or by what it searches.
    pub(super) fn among(&self, wanted: Classes, index: &Index, variables: &Variables) -> Classes {
        let mut found = Classes::NONE;
        if !self.all.and(wanted).is_empty() {
            for of in &self.uses {
                let missing = of.classes.and(wanted).beyond(found);
                if !missing.is_empty() && of.conditions.iter().all(|condition| condition.holds(variables)) {
                    found = found.or(missing);
                }
            }
        }
        for search in &self.searches {
            if let Some(value) = variables.get(&search.variable)
                && search
                    .conditions
                    .iter()
                    .all(|condition| condition.holds(variables))
            {
                let mut add = |_: &str, _: &str, classes: Classes| found = found.or(classes.and(wanted));
                given(index, &search.ty, value, &search.path, &mut add);
            }
        }
        found
    }

    /// What the operation gives away with these variables beyond what the caller may see.
    pub(super) fn beyond(&self, allowed: Classes, index: &Index, variables: &Variables) -> Vec<Offence> {
        let mut offences = Vec::new();
        let mut report = |path: &str, field: &str, classes: Classes| {
            for class in classes.beyond(allowed).iter() {
                if offences.len() < REPORTED {
                    offences.push(Offence {
                        path: path.to_owned(),
                        field: field.to_owned(),
                        class,
                    });
                }
            }
        };
        if !self.all.beyond(allowed).is_empty() {
            for found in &self.uses {
                if found
                    .conditions
                    .iter()
                    .all(|condition| condition.holds(variables))
                {
                    report(&found.path, &found.field, found.classes);
                }
            }
        }
        for search in &self.searches {
            if let Some(value) = variables.get(&search.variable)
                && search
                    .conditions
                    .iter()
                    .all(|condition| condition.holds(variables))
            {
                given(index, &search.ty, value, &search.path, &mut report);
            }
        }
        offences
    }
}

/// Reports the classed parts of an input that are given.
pub(super) fn given(
    index: &Index,
    ty: &Type,
    value: &Value,
    path: &str,
    report: &mut impl FnMut(&str, &str, Classes),
) {
    match (&ty.base, value) {
        (_, Value::Null) => {}
        (BaseType::List(inner), Value::List(items)) => {
            for item in items {
                given(index, inner, item, path, report);
            }
        }
        (BaseType::List(inner), single) => given(index, inner, single, path, report),
        (BaseType::Named(name), value) => match (index.kind(name), value) {
            (Some(Kind::Input(shape)), Value::Object(fields)) => {
                for (field, input) in &shape.fields {
                    let Some(value) = fields.get(field).filter(|value| **value != Value::Null) else {
                        continue;
                    };
                    let path = format!("{path}.{field}");
                    if let Some(class) = input.class {
                        report(&path, &format!("{name}.{field}"), Classes::of(&[class]));
                    }
                    given(index, &input.ty, value, &path, report);
                }
            }
            (Some(Kind::Enum(values)), Value::Enum(word)) => {
                enum_value(name, values.get(word), word, path, report);
            }
            (Some(Kind::Enum(values)), Value::String(word)) => {
                enum_value(name, values.get(word.as_str()), word, path, report);
            }
            _ => {}
        },
    }
}

fn enum_value(
    ty: &Name,
    known: Option<&Option<Class>>,
    word: &str,
    path: &str,
    report: &mut impl FnMut(&str, &str, Classes),
) {
    if let Some(Some(class)) = known {
        report(path, &format!("{ty}.{word}"), Classes::of(&[*class]));
    }
}

/// The class that `@disclosure` names.
pub(super) fn class(directives: &[Positioned<ConstDirective>]) -> Option<Class> {
    let directive = directives
        .iter()
        .find(|directive| directive.node.name.node == "disclosure")?;
    let Value::Enum(word) = &directive.node.get_argument("class")?.node else {
        return None;
    };
    Class::ALL
        .iter()
        .copied()
        .find(|class| class.as_str() == word.as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::graphql::admit::{Admission, Facts, Incoming, Limits, Reason};

    const SDL: &str = r"
        directive @disclosure(class: DisclosureClass!) on OBJECT | FIELD_DEFINITION | INPUT_FIELD_DEFINITION | ENUM_VALUE
        enum DisclosureClass { PUBLIC INTERNAL BUDGET AUDIT SOCIAL_DATA SPECIAL BENCHMARK PERSONNEL ACCESS_LOG }
        interface Node { id: ID! }
        type Case implements Node @disclosure(class: INTERNAL) {
            id: ID!
            name: String! @disclosure(class: SOCIAL_DATA)
            notes: String @disclosure(class: AUDIT)
            parent: Case
        }
        type Paper implements Node @disclosure(class: AUDIT) { id: ID! text: String! }
        union Any = Case | Paper
        input Filter { name: String @disclosure(class: SOCIAL_DATA) city: String not: Filter tags: [Tag!] order: Order }
        input Tag { text: String @disclosure(class: AUDIT) }
        enum Order { CITY NAME @disclosure(class: SOCIAL_DATA) }
        type Query @disclosure(class: INTERNAL) {
            hello: String! @disclosure(class: PUBLIC)
            forgotten: Unclassed
            node(id: ID!): Node
            any: Any
            case(name: String): Case
            cases(filter: Filter, filters: [Filter!], order: Order, orders: [Order!]): [Case!]!
            sorted(order: Order = NAME): [Case!]!
        }
        type Unclassed { id: ID! }
        type Mutation @disclosure(class: INTERNAL) { open: Case! }
        type Subscription { opened: Case! @disclosure(class: AUDIT) }
        schema { query: Query mutation: Mutation subscription: Subscription }
    ";

    const LOCAL: Classes = Classes::of(&[Class::Public, Class::Internal]);

    fn asked(query: &str, operation: Option<&str>, variables: Json, facts: Facts) -> Vec<String> {
        let Json::Object(variables) = variables else {
            panic!("variables are an object");
        };
        let incoming = Incoming {
            query: query.to_owned(),
            operation_name: operation.map(str::to_owned),
            variables,
            ..Incoming::default()
        };
        let admission = Admission::new(SDL, Limits::default()).unwrap();
        match admission.admit(incoming, facts) {
            Ok(_) => Vec::new(),
            Err(refusal) => refusal
                .faults
                .into_iter()
                .map(|fault| match fault.reason {
                    Reason::Disclosure(of) => format!("{} {} {}", of.path, of.field, of.class.as_str()),
                    other => format!("{other:?}"),
                })
                .collect(),
        }
    }

    fn local(query: &str, variables: Json) -> Vec<String> {
        let facts = Facts {
            authenticated: true,
            introspection_allowed: true,
            method_get: false,
            classes: LOCAL,
        };
        asked(query, None, variables, facts)
    }

    #[test]
    fn an_operation_runs_whole_or_not_at_all() {
        for allowed in [
            "{ hello __typename }",
            "{ case { id parent { id __typename } } }",
            "{ any { __typename ... on Case { id } } }",
            "mutation { open { id } }",
            "query A { case { id } }",
        ] {
            assert_eq!(local(allowed, json!({})), Vec::<String>::new(), "{allowed}");
        }
        for (refused, offences) in [
            ("{ case { id name } }", vec!["case.name Case.name SOCIAL_DATA"]),
            ("{ a: case { b: name } }", vec!["a.b Case.name SOCIAL_DATA"]),
            (
                "{ case { name parent { notes } } }",
                vec![
                    "case.name Case.name SOCIAL_DATA",
                    "case.parent.notes Case.notes AUDIT",
                ],
            ),
            (
                "{ case { ...F } } fragment F on Case { parent { ...G } } fragment G on Case { name }",
                vec!["case.parent.name Case.name SOCIAL_DATA"],
            ),
            (
                "{ any { ... on Paper { text } } }",
                vec!["any.text Paper.text AUDIT"],
            ),
            (
                "{ node(id: 1) { ... on Case { notes } } }",
                vec!["node.notes Case.notes AUDIT"],
            ),
            // Somewhere an implementor of the interface is stricter.
            ("{ node(id: 1) { id } }", vec!["node.id Node.id AUDIT"]),
            (
                "mutation { open { name } }",
                vec!["open.name Case.name SOCIAL_DATA"],
            ),
            (
                "subscription { opened { id } }",
                vec!["opened Subscription.opened AUDIT"],
            ),
        ] {
            assert_eq!(local(refused, json!({})), offences, "{refused}");
        }
    }

    #[test]
    fn what_needs_a_read_record_follows_the_variables() {
        let recorded = |query: &str, variables: Json| {
            let Json::Object(variables) = variables else {
                panic!("variables are an object");
            };
            let incoming = Incoming {
                query: query.to_owned(),
                variables,
                ..Incoming::default()
            };
            let facts = Facts {
                authenticated: true,
                introspection_allowed: true,
                method_get: false,
                classes: Classes::ALL,
            };
            let admission = Admission::new(SDL, Limits::default()).unwrap();
            let asked = admission.admit(incoming, facts).unwrap().recorded;
            asked.map(|asked| {
                assert_eq!(asked.operation, audit::reads::operation_hash(query, None));
                asked
                    .classes
                    .iter()
                    .map(Class::as_str)
                    .collect::<Vec<_>>()
                    .join(" ")
            })
        };
        let social = Some("SOCIAL_DATA".to_owned());
        assert_eq!(
            recorded("{ case { id notes } any { __typename } }", json!({})),
            None
        );
        assert_eq!(
            recorded(
                "{ a: case { ...F } } fragment F on Case { parent { name } }",
                json!({})
            ),
            social
        );
        assert_eq!(recorded("mutation { open { name } }", json!({})), social);
        let query = "query($x: Boolean = true) { case { id name @include(if: $x) } }";
        assert_eq!(recorded(query, json!({})), social);
        assert_eq!(recorded(query, json!({ "x": false })), None);
        // What is searched or sorted by, written down or given.
        assert_eq!(
            recorded("{ cases(filter: { name: \"x\" }) { id } }", json!({})),
            social
        );
        assert_eq!(recorded("{ cases(order: CITY) { id } }", json!({})), None);
        let query = "query($f: Filter) { cases(filter: $f) { id } }";
        assert_eq!(recorded(query, json!({ "f": { "city": "x" } })), None);
        assert_eq!(
            recorded(query, json!({ "f": { "not": { "order": "NAME" } } })),
            social
        );
        // What has no class may be anything.
        assert_eq!(
            recorded("{ forgotten { id } }", json!({})).as_deref(),
            Some("SOCIAL_DATA SPECIAL PERSONNEL")
        );
    }

    #[test]
    fn what_has_no_class_is_for_nobody() {
        let offences = local("{ forgotten { id } }", json!({}));
        assert_eq!(offences.len(), Class::ALL.len() - 2, "{offences:?}");
    }

    #[test]
    fn what_the_variables_skip_does_not_count() {
        let query = "query Q($x: Boolean! = true) { case { id name @include(if: $x) } }";
        let name = ["case.name Case.name SOCIAL_DATA"];
        assert_eq!(local(query, json!({})), name);
        assert_eq!(local(query, json!({ "x": true })), name);
        assert_eq!(local(query, json!({ "x": false })), [""; 0]);
        let query = "query Q($x: Boolean!) { case { id ... @skip(if: $x) { name } } }";
        assert_eq!(local(query, json!({ "x": false })), name);
        assert_eq!(local(query, json!({ "x": true })), [""; 0]);
        assert_eq!(local("{ case { id name @skip(if: true) } }", json!({})), [""; 0]);
        assert_eq!(local("{ case { id name @skip(if: false) } }", json!({})), name);
        // Two conditions: both have to hold.
        let query =
            "query Q($a: Boolean!, $b: Boolean!) { case @include(if: $a) { id name @include(if: $b) } }";
        assert_eq!(local(query, json!({ "a": true, "b": true })), name);
        assert_eq!(local(query, json!({ "a": false, "b": true })), [""; 0]);
        assert_eq!(local(query, json!({ "a": true, "b": false })), [""; 0]);
        // The same field without a condition beside it counts.
        let query = "query Q($x: Boolean!) { case { name @include(if: $x) name } }";
        assert_eq!(local(query, json!({ "x": false })), name);
    }

    #[test]
    fn nobody_searches_by_what_they_may_not_see() {
        for allowed in [
            r#"{ cases(filter: { city: "x", name: null }) { id } }"#,
            "{ cases(order: CITY) { id } }",
        ] {
            assert_eq!(local(allowed, json!({})), [""; 0], "{allowed}");
        }
        for (refused, offence) in [
            (
                r#"{ cases(filter: { name: "x" }) { id } }"#,
                "cases(filter).name Filter.name SOCIAL_DATA",
            ),
            (
                r#"{ cases(filter: { not: { name: "x" } }) { id } }"#,
                "cases(filter).not.name Filter.name SOCIAL_DATA",
            ),
            (
                r#"{ cases(filters: [{ city: "y" }, { name: "x" }]) { id } }"#,
                "cases(filters).name Filter.name SOCIAL_DATA",
            ),
            (
                r#"{ cases(filter: { tags: { text: "x" } }) { id } }"#,
                "cases(filter).tags.text Tag.text AUDIT",
            ),
            (
                "{ cases(order: NAME) { id } }",
                "cases(order) Order.NAME SOCIAL_DATA",
            ),
            (
                "{ cases(filter: { order: NAME }) { id } }",
                "cases(filter).order Order.NAME SOCIAL_DATA",
            ),
        ] {
            assert_eq!(local(refused, json!({})), [offence], "{refused}");
        }
        let query = "query Q($f: Filter) { cases(filter: $f) { id } }";
        assert_eq!(local(query, json!({})), [""; 0]);
        assert_eq!(
            local(query, json!({ "f": { "city": "x", "name": null } })),
            [""; 0]
        );
        for (filter, offence) in [
            (
                json!({ "name": "x" }),
                "cases(filter).name Filter.name SOCIAL_DATA",
            ),
            (
                json!({ "not": { "name": "x" } }),
                "cases(filter).not.name Filter.name SOCIAL_DATA",
            ),
            (
                json!({ "tags": [{ "text": "x" }] }),
                "cases(filter).tags.text Tag.text AUDIT",
            ),
            (
                json!({ "order": "NAME" }),
                "cases(filter).order Order.NAME SOCIAL_DATA",
            ),
        ] {
            assert_eq!(local(query, json!({ "f": filter })), [offence]);
        }
    }

    #[test]
    fn variables_within_lists_and_defaults_are_looked_at() {
        let query = "query Q($f: Filter!) { cases(filters: [{ city: \"y\" }, $f]) { id } }";
        assert_eq!(local(query, json!({ "f": { "city": "x" } })), [""; 0]);
        assert_eq!(
            local(query, json!({ "f": { "name": "x" } })),
            ["cases(filters).name Filter.name SOCIAL_DATA"]
        );
        let query = "query Q($t: Tag!) { cases(filter: { tags: [$t] }) { id } }";
        assert_eq!(
            local(query, json!({ "t": { "text": "x" } })),
            ["cases(filter).tags.text Tag.text AUDIT"]
        );
        let query = "query Q($o: Order!) { cases(orders: [CITY, $o]) { id } }";
        assert_eq!(local(query, json!({ "o": "CITY" })), [""; 0]);
        assert_eq!(
            local(query, json!({ "o": "NAME" })),
            ["cases(orders) Order.NAME SOCIAL_DATA"]
        );
        // So is what a default says.
        assert_eq!(
            local("{ sorted { id } }", json!({})),
            ["sorted(order) Order.NAME SOCIAL_DATA"]
        );
        assert_eq!(local("{ sorted(order: CITY) { id } }", json!({})), [""; 0]);
    }

    #[test]
    fn variables_count_by_what_they_hold() {
        let query = r#"query Q($f: Filter = { name: "x" }) { cases(filter: $f) { id } }"#;
        assert_eq!(
            local(query, json!({})),
            ["cases(filter).name Filter.name SOCIAL_DATA"]
        );
        let query = "query Q($n: String) { cases(filter: { name: $n }) { id } }";
        assert_eq!(local(query, json!({})), [""; 0]);
        assert_eq!(
            local(query, json!({ "n": "x" })),
            ["cases(filter).name Filter.name SOCIAL_DATA"]
        );
        let query = "query Q($o: Order) { cases(order: $o) { id } }";
        assert_eq!(local(query, json!({ "o": "CITY" })), [""; 0]);
        assert_eq!(
            local(query, json!({ "o": "NAME" })),
            ["cases(order) Order.NAME SOCIAL_DATA"]
        );
        let query = "query Q($f: Filter, $x: Boolean!) { cases(filter: $f) @include(if: $x) { id } hello }";
        let variables = |x: bool| json!({ "f": { "name": "x" }, "x": x });
        assert_eq!(local(query, variables(false)), [""; 0]);
        assert_eq!(
            local(query, variables(true)),
            ["cases(filter).name Filter.name SOCIAL_DATA"]
        );
    }

    #[test]
    fn only_the_chosen_operation_counts() {
        let facts = Facts {
            authenticated: true,
            introspection_allowed: true,
            method_get: false,
            classes: LOCAL,
        };
        let query = "query A { case { id } } query B { case { name } }";
        assert_eq!(asked(query, Some("A"), json!({}), facts), [""; 0]);
        assert_eq!(
            asked(query, Some("B"), json!({}), facts),
            ["case.name Case.name SOCIAL_DATA"]
        );
    }

    #[test]
    fn the_anonymous_are_told_to_sign_in_and_addresses_carry_nothing_confidential() {
        let mut facts = Facts {
            authenticated: false,
            introspection_allowed: true,
            method_get: false,
            classes: Classes::of(&[Class::Public]),
        };
        assert_eq!(
            asked(
                "{ hello __schema { queryType { name } } }",
                None,
                json!({}),
                facts
            ),
            [""; 0]
        );
        assert_eq!(
            asked("{ case { name } }", None, json!({}), facts),
            ["TokenRequired"]
        );
        facts = Facts {
            authenticated: true,
            method_get: true,
            classes: Classes::ALL,
            ..facts
        };
        assert_eq!(asked("{ case { id } }", None, json!({}), facts), [""; 0]);
        assert_eq!(
            asked("{ case { name } }", None, json!({}), facts),
            ["ConfidentialByGet"]
        );
    }

    #[test]
    fn offences_have_an_end() {
        let fields: Vec<_> = (0..30).map(|number| format!("a{number}: name")).collect();
        let document = format!("{{ case {{ {} }} }}", fields.join(" "));
        assert_eq!(local(&document, json!({})).len(), REPORTED);
    }

    #[test]
    fn a_plan_does_not_grow_with_what_it_gives_away() {
        let long = "a".repeat(200);
        let fields = "name notes ".repeat(400);
        let document = format!("{{ {long}: case {{ {fields} }} }}");
        let incoming = Incoming {
            query: document.clone(),
            ..Incoming::default()
        };
        let facts = Facts {
            authenticated: true,
            introspection_allowed: true,
            method_get: false,
            classes: Classes::ALL,
        };
        let admission = Admission::new(SDL, Limits::default()).unwrap();
        let admitted = admission.admit(incoming, facts).unwrap();
        assert!(admitted.plan.disclosures.weight() < 64 * 1024);
        let offences = local(&document, json!({}));
        assert_eq!(offences.len(), REPORTED);
        let longer = "a".repeat(257);
        let refusal = local(&format!("{{ {longer}: hello }}"), json!({}));
        assert_eq!(refusal, ["Limit { limit: Name, allowed: 256 }"]);
    }
}
