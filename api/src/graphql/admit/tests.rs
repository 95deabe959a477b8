use std::fmt::Write as _;
use std::time::{Duration, Instant};

use serde_json::json;

use super::*;
use crate::graphql::toy;
use crate::language::Language;

const OPEN: Facts = Facts {
    authenticated: true,
    introspection_allowed: true,
    method_get: false,
    classes: Classes::ALL,
};

fn incoming(query: &str, variables: Json) -> Incoming {
    let Json::Object(variables) = variables else {
        panic!("variables are an object");
    };
    Incoming {
        query: query.to_owned(),
        variables,
        ..Incoming::default()
    }
}

fn admit(query: &str, variables: Json) -> Result<Admitted, Refusal> {
    toy::admission(Limits::default()).admit(incoming(query, variables), OPEN)
}

fn refused(query: &str, variables: Json) -> Reason {
    let mut refusal = admit(query, variables).unwrap_err();
    for language in [Language::De, Language::En] {
        assert!(
            refusal
                .errors(language)
                .iter()
                .all(|error| !error.message.is_empty())
        );
    }
    refusal.faults.remove(0).reason
}

fn limit(query: &str) -> Limit {
    match refused(query, json!({})) {
        Reason::Limit { limit, .. } => limit,
        other => panic!("{other:?}"),
    }
}

async fn run(query: &str, variables: Json) -> Json {
    let admitted = admit(query, variables).unwrap();
    serde_json::to_value(toy::schema().execute(admitted.request).await).unwrap()
}

fn unfit(path: &str, expected: &str) -> Reason {
    Reason::Unfit {
        path: path.to_owned(),
        expected: expected.to_owned(),
    }
}

fn doubled(levels: usize) -> String {
    let mut text = "{ ...F0 }".to_owned();
    for level in 0..levels {
        let next = level + 1;
        write!(text, " fragment F{level} on Query {{ ...F{next} ...F{next} }}").unwrap();
    }
    write!(text, " fragment F{levels} on Query {{ hello }}").unwrap();
    text
}

#[test]
fn doubled_fragments_are_refused_at_once() {
    let admission = toy::admission(Limits::default());
    for levels in [18, 40] {
        let request = incoming(&doubled(levels), json!({}));
        let start = Instant::now();
        let refusal = admission.admit(request, OPEN).unwrap_err();
        assert!(
            start.elapsed() < Duration::from_millis(50),
            "{:?}",
            start.elapsed()
        );
        assert!(matches!(
            refusal.faults[0].reason,
            Reason::Limit {
                limit: Limit::Selections,
                ..
            }
        ));
    }
}

#[test]
fn doubled_fragments_of_another_operation_are_refused_too() {
    let text = doubled(18).replacen("{ ...F0 }", "query A { hello } query B { ...F0 }", 1);
    let request = Incoming {
        operation_name: Some("A".to_owned()),
        ..incoming(&text, json!({}))
    };
    let refusal = toy::admission(Limits::default())
        .admit(request, OPEN)
        .unwrap_err();
    assert!(matches!(
        refusal.faults[0].reason,
        Reason::Limit {
            limit: Limit::Selections,
            ..
        }
    ));
}

#[test]
fn fragment_cycles_are_refused_wherever_they_are() {
    let cycle = "fragment A on Query { ...B } fragment B on Query { hello ...A }";
    assert_eq!(
        refused(&format!("{{ ...A }} {cycle}"), json!({})),
        Reason::FragmentCycle("A".to_owned())
    );
    assert_eq!(
        refused(&format!("{{ hello }} {cycle}"), json!({})),
        Reason::UnusedFragment("A".to_owned())
    );
}

#[test]
fn sizes_are_limited() {
    assert_eq!(limit(&format!("{{ {} }}", "hello ".repeat(6_000))), Limit::Tokens);
    assert_eq!(limit(&"{ item ".repeat(4_000)), Limit::Tokens);
    assert_eq!(limit(&"{ item ".repeat(2_000)), Limit::Nesting);
    assert_eq!(
        limit(&format!("{{ sum(numbers: {}", "[".repeat(4_000))),
        Limit::Nesting
    );
    let deep = |levels| {
        format!(
            "{{ item {}{{ id }}{} }}",
            "{ parent ".repeat(levels),
            "}".repeat(levels)
        )
    };
    assert!(admit(&deep(13), json!({})).is_ok());
    assert_eq!(limit(&deep(14)), Limit::Depth);
    let aliases = |count| {
        (0..count).fold(String::new(), |mut text, n| {
            write!(text, " a{n}: hello").unwrap();
            text
        })
    };
    assert!(admit(&format!("{{ {} }}", aliases(30)), json!({})).is_ok());
    assert_eq!(limit(&format!("{{ {} }}", aliases(31))), Limit::Aliases);
    assert_eq!(
        limit(&format!("{{ hello {} }}", "@skip(if: false) ".repeat(31))),
        Limit::Directives
    );
    assert_eq!(
        limit(&format!(
            "{{ {} }}",
            "...F ".repeat(2_000) + "} fragment F on Query { hello hello"
        )),
        Limit::Selections
    );
    let small = Limits {
        body_bytes: 10,
        ..Limits::default()
    };
    assert!(
        toy::admission(small)
            .admit(incoming("{ hello hello }", json!({})), OPEN)
            .is_err()
    );
}

#[test]
fn the_deepest_document_fits_the_stack() {
    let deep = format!("{{ {}hello{} }}", "... { ".repeat(62), " }".repeat(62));
    assert!(admit(&deep, json!({})).is_ok());
    let types = format!("query($x: {}Int{}) {{ hello }}", "[".repeat(62), "]".repeat(62));
    assert!(admit(&types, json!({ "x": 1 })).is_ok());
}

#[test]
fn pages_multiply_what_is_in_them() {
    let cost = |query: &str, variables| admit(query, variables).unwrap().cost;
    assert_eq!(cost("{ hello __typename }", json!({})), 1);
    assert_eq!(cost("{ items { totalCount } }", json!({})), 2);
    assert_eq!(cost("{ items { totalCount nodes { id } } }", json!({})), 3 + 20);
    assert_eq!(
        cost(
            "{ items(first: 50) { nodes { id checks { remark } } } }",
            json!({})
        ),
        2 + 50 * (2 + 5)
    );
    assert_eq!(cost("{ items(first: -3) { nodes { id } } }", json!({})), 2);
    assert_eq!(
        cost("{ items(first: 100000) { nodes { id } } }", json!({})),
        2 + 200
    );
    let paged = "query($n: Int) { items(first: $n, last: 10) { ...F } } fragment F on Items { nodes { id } }";
    assert_eq!(cost(paged, json!({ "n": 50 })), 2 + 50);
    assert_eq!(cost(paged, json!({})), 2 + 20);
    assert_eq!(
        cost(
            "query($n: Int = 40) { items(first: $n) { nodes { id } } }",
            json!({})
        ),
        2 + 40
    );
    assert_eq!(
        cost("{ hello items @skip(if: true) { nodes { id } } }", json!({})),
        1
    );
}

#[test]
fn a_field_with_a_cost_counts_for_its_weight() {
    let cost = |query: &str, variables| admit(query, variables).unwrap().cost;
    assert_eq!(
        cost("{ item { related { totalCount } } }", json!({})),
        1 + 100 + 1
    );
    assert_eq!(
        cost(
            "{ items(first: 50) { nodes { related { totalCount } } } }",
            json!({})
        ),
        2 + 50 * (100 + 1)
    );
    assert_eq!(
        limit("{ items(first: 200) { nodes { related { totalCount } } } }"),
        Limit::Cost
    );
}

#[test]
fn ids_count_as_the_rows_they_ask_for() {
    let cost = |query: &str, variables| admit(query, variables).unwrap().cost;
    assert_eq!(
        cost(r#"{ named(ids: ["1", "2", "3"]) { id } }"#, json!({})),
        1 + 3
    );
    let given = "query($ids: [ID!]!) { named(ids: $ids) { id checks { remark } } }";
    assert_eq!(cost(given, json!({ "ids": vec!["1"; 60] })), 1 + 60 * (2 + 5));
    assert_eq!(cost(given, json!({ "ids": "1" })), 1 + 7);
}

/// The contract as it is published, with the limits as they are delivered.
fn contract() -> Admission {
    Admission::new(&crate::graphql::sdl(), Limits::default()).unwrap()
}

#[test]
fn a_long_list_does_not_ask_the_database_once_a_row() {
    let engagements = "{ engagements(first: ROWS) { edges { node { FIELD } } } }";
    let populations = r#"{ populations(engagementId: "x", first: ROWS) { edges { node { FIELD } } } }"#;
    let samples = r#"{ engagement(id: "x") { samples(first: ROWS) { edges { node { FIELD } } } } }"#;
    let contract = contract();
    let refused = |list: &str, rows: u32, field: &str| {
        let document = list.replace("ROWS", &rows.to_string()).replace("FIELD", field);
        match contract.admit(incoming(&document, json!({})), OPEN) {
            Ok(_) => None,
            Err(mut refusal) => Some(refusal.faults.remove(0).reason),
        }
    };
    let too_dear = Reason::Limit {
        limit: Limit::Cost,
        allowed: 20_000,
    };
    for (list, field) in [
        (engagements, "samples { totalCount }"),
        (engagements, "trail(first: 1) { edges { cursor } }"),
        (populations, "differences(first: 1) { edges { cursor } }"),
        (populations, "reconciliation { month }"),
        (
            populations,
            "imports { rejections(first: 1) { edges { cursor } } }",
        ),
        (samples, "items(first: 1) { totalCount }"),
        (samples, "evaluation { errors }"),
    ] {
        assert_eq!(refused(list, 1, field), None, "{field}");
        assert_eq!(refused(list, 20, field), None, "the usual page of {field}");
        assert_eq!(refused(list, 200, field).as_ref(), Some(&too_dear), "{field}");
    }
    // What is fetched together with its siblings' stays cheap.
    for (list, field) in [
        (
            engagements,
            "title drawEvents { number population { name } } populations { name }",
        ),
        (populations, "imports { fileName } controlTotals { source }"),
        (samples, "name strata { label } population { name }"),
    ] {
        assert_eq!(refused(list, 200, field), None, "{field}");
    }
    let nodes = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Sample { evaluation { errors } } } }";
    let admitted = |ids: usize| contract.admit(incoming(nodes, json!({ "ids": vec!["x"; ids] })), OPEN);
    assert!(admitted(1).is_ok());
    assert!(admitted(100).is_err());
}

#[test]
fn every_page_below_an_object_has_its_cost() {
    let weightless: Vec<String> = contract()
        .index
        .below_the_roots()
        .filter(|(_, _, shape)| shape.paged && shape.weight < u64::from(NESTED_PAGE))
        .map(|(parent, name, _)| format!("{parent}.{name}"))
        .collect();
    assert_eq!(weightless, Vec::<String>::new());
}

#[test]
fn what_costs_too_much_is_refused_by_its_variables() {
    let admission = toy::admission(Limits {
        cost: 100,
        ..Limits::default()
    });
    let with = |n| {
        incoming(
            "query($n: Int) { items(first: $n) { nodes { id } } }",
            json!({ "n": n }),
        )
    };
    let admitted = admission.admit(with(50), OPEN).unwrap();
    assert!(!admitted.cached);
    admission.keep(admitted.kept());
    assert!(admission.admit(with(50), OPEN).unwrap().cached);
    let refusal = admission.admit(with(150), OPEN).unwrap_err();
    assert_eq!(refusal.faults[0].reason.code(), Code::LimitExceeded);
}

#[test]
fn the_usual_introspection_passes_and_costs_nothing() {
    let usual = "query IntrospectionQuery { __schema { queryType { name } types { ...FullType } \
        directives { name locations args { ...InputValue } } } } \
        fragment FullType on __Type { kind name fields(includeDeprecated: true) { name \
        args(includeDeprecated: true) { ...InputValue } type { ...TypeRef } } \
        inputFields { ...InputValue } interfaces { ...TypeRef } enumValues { name } possibleTypes { ...TypeRef } } \
        fragment InputValue on __InputValue { name type { ...TypeRef } defaultValue } \
        fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { \
        kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } } } }";
    let admitted = admit(usual, json!({})).unwrap();
    assert_eq!(admitted.cost, 0);
    assert!(admitted.plan.introspects());
    let closed = Facts {
        introspection_allowed: false,
        ..OPEN
    };
    let admission = toy::admission(Limits::default());
    let refusal = admission.admit(incoming(usual, json!({})), closed).unwrap_err();
    assert_eq!(refusal.faults[0].reason, Reason::IntrospectionForbidden);
    assert!(
        admission
            .admit(incoming("{ __typename }", json!({})), closed)
            .is_ok()
    );
    assert_eq!(
        limit("{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }"),
        Limit::Introspection
    );
}

#[tokio::test]
async fn defaults_of_variables_reach_skip_and_include() {
    let skip = "query($y: Boolean! = true) { hello @skip(if: $y) double(n: 1) }";
    assert_eq!(run(skip, json!({})).await, json!({ "data": { "double": 2 } }));
    assert_eq!(
        run(skip, json!({ "y": false })).await,
        json!({ "data": { "hello": "world", "double": 2 } })
    );
    let include = "query($y: Boolean = true) { hello @include(if: $y) }";
    assert_eq!(
        run(include, json!({})).await,
        json!({ "data": { "hello": "world" } })
    );
    assert_eq!(run(include, json!({ "y": false })).await, json!({ "data": {} }));
}

#[test]
fn missing_null_and_overflow_are_refused_before_anything_runs() {
    let query = "query($n: Int!) { double(n: $n) }";
    assert_eq!(
        refused(query, json!({})),
        Reason::Missing {
            path: "$n".to_owned(),
            expected: "Int!".to_owned()
        }
    );
    for value in [
        json!(null),
        json!(1_u64 << 40),
        json!(1.5),
        json!("1"),
        json!(true),
        json!([1]),
        json!(1e300),
    ] {
        assert_eq!(
            refused(query, json!({ "n": value })),
            unfit("$n", "Int!"),
            "{value}"
        );
    }
    assert_eq!(
        refused("{ double(n: 1099511627776) }", json!({})),
        unfit("n", "Int!")
    );
    assert_eq!(
        refused("{ sum(numbers: [1, 1099511627776]) }", json!({})),
        unfit("numbers", "Int!")
    );
    assert_eq!(
        refused("query($n: Int! = 1099511627776) { double(n: $n) }", json!({})),
        unfit("$n", "Int!")
    );
}

#[tokio::test]
async fn built_in_scalars_and_lists_are_coerced() {
    assert_eq!(
        run(
            "query($n: Int!) { double(n: $n) }",
            json!({ "n": 3.0, "unknown": 1 })
        )
        .await,
        json!({ "data": { "double": 6 } })
    );
    assert_eq!(
        run("query($n: [Int!]!) { sum(numbers: $n) }", json!({ "n": 5 })).await,
        json!({ "data": { "sum": 5 } })
    );
    assert_eq!(
        run("query($id: ID!) { id(id: $id) }", json!({ "id": 5 })).await,
        json!({ "data": { "id": "5" } })
    );
    assert_eq!(
        refused(
            "query($n: [Int!]!) { sum(numbers: $n) }",
            json!({ "n": [1, null] })
        ),
        unfit("$n[1]", "Int!")
    );
    assert_eq!(
        refused("query($id: ID!) { id(id: $id) }", json!({ "id": 1.5 })),
        unfit("$id", "ID!")
    );
}

#[tokio::test]
async fn a_variable_left_out_leaves_the_argument_to_its_default() {
    assert_eq!(
        run("query($n: Int) { defaulted(n: $n) }", json!({})).await,
        json!({ "data": { "defaulted": 20 } })
    );
}

#[tokio::test]
async fn enums_scalars_and_inputs_are_coerced() {
    assert_eq!(
        run("query($c: Color!) { color(color: $c) }", json!({ "c": "RED" })).await,
        json!({ "data": { "color": "RED" } })
    );
    assert_eq!(
        refused("query($c: Color!) { color(color: $c) }", json!({ "c": "BLUE" })),
        unfit("$c", "Color!")
    );
    let scalar = |path: &str| Reason::Scalar {
        path: path.to_owned(),
        scalar: "Euro".to_owned(),
        detail: "no amount".to_owned(),
    };
    assert_eq!(
        refused("query($e: Euro!) { euro(amount: $e) }", json!({ "e": "x" })),
        scalar("$e")
    );
    assert_eq!(refused(r#"{ euro(amount: "x") }"#, json!({})), scalar("amount"));
    let query = "query($f: Filter!) { filter(input: $f) }";
    assert_eq!(
        run(
            query,
            json!({ "f": { "color": "GREEN", "amounts": "1.00", "inner": { "color": "RED" } } })
        )
        .await,
        json!({ "data": { "filter": "1 1 7 true" } })
    );
    assert_eq!(
        refused(
            query,
            json!({ "f": { "color": "RED", "inner": { "color": "RED", "amounts": ["1", "x"] } } })
        ),
        scalar("$f.inner.amounts[1]")
    );
    assert_eq!(
        refused(query, json!({ "f": { "color": "RED", "colour": "RED" } })),
        Reason::UnknownField {
            path: "$f.colour".to_owned(),
            parent: "Filter".to_owned()
        }
    );
    assert_eq!(
        refused(query, json!({ "f": { "inner": null } })),
        Reason::Missing {
            path: "$f.color".to_owned(),
            expected: "Color!".to_owned()
        }
    );
    assert_eq!(refused(query, json!({ "f": [] })), unfit("$f", "Filter!"));
    let target = "query($t: Target!) { target(target: $t) }";
    assert_eq!(
        run(target, json!({ "t": { "name": "n" } })).await,
        json!({ "data": { "target": "n" } })
    );
    for wrong in [
        json!({}),
        json!({ "id": "1", "name": "n" }),
        json!({ "id": null }),
    ] {
        assert!(matches!(
            refused(target, json!({ "t": wrong })),
            Reason::OneOf { .. }
        ));
    }
}

#[test]
fn the_operation_is_chosen_by_the_specification() {
    let admission = toy::admission(Limits::default());
    let choose = |query: &str, name: Option<&str>| {
        let request = Incoming {
            operation_name: name.map(str::to_owned),
            ..incoming(query, json!({}))
        };
        admission
            .admit(request, OPEN)
            .map(|admitted| admitted.operation_name)
            .map_err(|mut refusal| refusal.faults.remove(0).reason)
    };
    assert_eq!(choose("{ hello }", None), Ok(None));
    assert_eq!(choose("{ hello }", Some("")), Ok(None));
    assert_eq!(
        choose("{ hello }", Some("A")),
        Err(Reason::UnknownOperation("A".to_owned()))
    );
    assert_eq!(choose("query A { hello }", None), Ok(Some("A".to_owned())));
    let two = "query A { hello } mutation B { rename(name: \"n\") }";
    assert_eq!(choose(two, None), Err(Reason::OperationNameRequired));
    assert_eq!(choose(two, Some("B")), Ok(Some("B".to_owned())));
    assert_eq!(
        choose(two, Some("C")),
        Err(Reason::UnknownOperation("C".to_owned()))
    );
    assert_eq!(
        choose("query A { hello } { hello }", None),
        Err(Reason::AnonymousBesideOthers)
    );
    assert_eq!(
        choose("query A { hello } query A { hello }", None),
        Err(Reason::DuplicateName("A".to_owned()))
    );
    assert_eq!(
        choose("fragment F on Query { hello }", None),
        Err(Reason::NoOperation)
    );
    assert_eq!(choose("{", None), Err(Reason::NotGraphql));
    assert_eq!(choose("", None), Err(Reason::NotGraphql));
    let get = Facts {
        method_get: true,
        ..OPEN
    };
    let by_get = |name: &str| {
        let request = Incoming {
            operation_name: Some(name.to_owned()),
            ..incoming(two, json!({}))
        };
        admission.admit(request, get)
    };
    assert!(by_get("A").is_ok());
    assert!(by_get("B").unwrap_err().needs_post());
}

#[test]
fn unknown_names_are_left_to_the_engine_except_types_of_variables() {
    assert!(admit("{ nothing { below } ...Gone ... on Nowhere { a } }", json!({})).is_ok());
    for declared in ["Nowhere", "[Nowhere!]", "Item"] {
        let reason = refused(&format!("query($x: {declared} = 1) {{ hello }}"), json!({}));
        assert!(matches!(reason, Reason::VariableType { .. }), "{reason:?}");
    }
}

#[test]
fn locations_are_kept() {
    let refusal = admit("{ hello\n  ...A }\nfragment A on Query { ...A }", json!({})).unwrap_err();
    assert_eq!(refusal.faults[0].locations[0].line, 3);
    let refusal = admit("{\n  hello(", json!({})).unwrap_err();
    assert_eq!(refusal.faults[0].locations[0].line, 2);
    assert_eq!(
        serde_json::to_value(refusal.errors(Language::En)).unwrap(),
        json!([{
            "message": "The document is not valid GraphQL.",
            "locations": [{ "line": 2, "column": 9 }],
            "extensions": { "code": "GRAPHQL_PARSE_FAILED" },
        }])
    );
}

#[test]
fn limits_come_from_the_configuration_as_they_are_written() {
    let limits: Limits = serde_json::from_value(json!({ "depth": 7 })).unwrap();
    assert_eq!((limits.depth, limits.cost), (7, 20_000));
    assert!(serde_json::from_value::<Limits>(json!({ "deepth": 7 })).is_err());
    let batch = Limits {
        batch: 10,
        ..Limits::default()
    };
    assert!(Admission::new(&toy::schema().sdl(), batch).is_err());
    let introspection: Introspection = serde_json::from_value(json!("AUTHENTICATED")).unwrap();
    assert!(introspection.allows(true) && !introspection.allows(false));
}
