//! Whoever may come, and all they can ask.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use audit::access::Role;
use futures_util::SinkExt as _;
use rand::Rng as _;
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use reqwest::Method;
use serde_json::{Value, json};
use tests::contract::{Contract, Values};
use tests::grants::{commission, inspection, issued};
use tests::story::change;
use tests::{Person, next_message};

use crate::view::{Rows, View};
use crate::world::{PLACES, World};

/// Questions of one document.
const AT_ONCE: usize = 40;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) question: String,
    pub(crate) said: String,
}

pub(crate) struct Caller<'a> {
    pub(crate) name: String,
    pub(crate) view: View,
    /// What they were told last.
    pub(crate) last: Vec<Answer>,
    /// What happened since that they must not learn of.
    pub(crate) unseen: Vec<String>,
    /// Ids of what they must not find.
    pub(crate) hidden: Vec<String>,
    person: Person<'a>,
    questions: Vec<String>,
    paths: Vec<String>,
    /// Mutations that name what they do not see: document and input.
    attempts: Vec<(String, Value)>,
    import: Option<String>,
}

impl Caller<'_> {
    pub(crate) const fn sees_rows(&self) -> bool {
        !matches!(self.view.rows, Rows::None)
    }

    /// Asks everything.
    pub(crate) async fn look(&mut self) {
        let mut answers = Vec::new();
        let used = self.handed_out().await;
        for questions in self.questions.chunks(AT_ONCE) {
            self.ask(questions, &mut answers).await;
        }
        for path in &self.paths {
            let answer = self.person.request(Method::GET, path).send().await.unwrap();
            let status = answer.status();
            let text = answer.text().await.unwrap();
            let said = match serde_json::from_str(&text) {
                Ok(json) => format!("{status} {}", Self::settled(json)),
                Err(_) => format!("{status} {text}"),
            };
            answers.push(Answer {
                question: path.clone(),
                said,
            });
        }
        for (document, input) in &self.attempts {
            let said = self.person.graphql(document, json!({ "input": input })).await;
            assert!(
                !said.to_string().contains("\"userErrors\":[]"),
                "{}: {document} {input} was done: {said}",
                self.name
            );
            answers.push(Answer {
                question: format!("{document} {input}"),
                said: Self::settled(said),
            });
        }
        if let Some(import) = &self.import {
            let mut socket = self.person.subscribe().await;
            let watch = "subscription($id: ID!) { importProgress(id: $id) { state } }";
            let payload = json!({ "query": watch, "variables": { "id": import } });
            let start = json!({ "type": "subscribe", "id": "1", "payload": payload });
            socket.send(start.to_string().into()).await.unwrap();
            answers.push(Answer {
                question: watch.to_owned(),
                said: Self::settled(next_message(&mut socket).await),
            });
        }
        answers.push(Answer {
            question: "what these answers counted for".to_owned(),
            said: (self.handed_out().await - used).to_string(),
        });
        self.last = answers;
    }

    /// One answer for each question, with its errors.
    async fn ask(&self, questions: &[String], answers: &mut Vec<Answer>) {
        let mut document = "{ ".to_owned();
        for (place, question) in questions.iter().enumerate() {
            writeln!(document, "a{place}: {question}").unwrap();
        }
        document.push('}');
        let answer = self
            .person
            .request(Method::POST, "/graphql")
            .json(&json!({ "query": document }))
            .send()
            .await
            .unwrap();
        let status = answer.status();
        let mut body: Value = answer.json().await.unwrap();
        let errors = body["errors"].take().as_array().cloned().unwrap_or_default();
        let refused = body["data"].is_null();
        for (place, question) in questions.iter().enumerate() {
            let alias = format!("a{place}");
            let mut of: Vec<&Value> = errors
                .iter()
                .filter(|error| refused || error["path"][0] == alias.as_str())
                .collect();
            // Fields are answered side by side.
            of.sort_by_key(|error| error["path"].to_string());
            // A question that means nothing tells nothing.
            for error in &of {
                let code = error["extensions"]["code"].as_str().unwrap_or("none");
                assert!(
                    ["FORBIDDEN", "UNAUTHENTICATED", "BAD_USER_INPUT"].contains(&code),
                    "{}: {question}: {error}",
                    self.name
                );
            }
            answers.push(Answer {
                question: question.clone(),
                said: Self::settled(json!([status.as_u16(), body["data"][&alias], of])),
            });
        }
    }

    /// An answer without what each request has anew.
    fn settled(mut answer: Value) -> String {
        settle(&mut answer);
        answer.to_string()
    }

    /// What the grant they come under handed out so far.
    async fn handed_out(&self) -> i64 {
        let used = self
            .person
            .graphql("{ viewer { grant { readUsed } } }", json!({}))
            .await;
        used["data"]["viewer"]["grant"]["readUsed"].as_i64().unwrap_or(0)
    }

    /// What they must not find is not there by its id.
    pub(crate) async fn finds_nothing_hidden(&self) {
        for ids in self.hidden.chunks(100) {
            let document = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }";
            let said = self.person.graphql(document, json!({ "ids": ids })).await;
            let found = said["data"]["nodes"].as_array().cloned().unwrap_or_default();
            assert!(found.iter().all(Value::is_null), "{} finds {said}", self.name);
        }
    }
}

/// Each request has its id; what a grant handed out grows with every question, and is asked for by itself.
fn settle(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if name == "readUsed" {
                    *value = Value::Null;
                }
                if let ("extensions" | "error", Some(fields)) = (name.as_str(), value.as_object_mut()) {
                    fields.remove("requestId");
                }
                settle(value);
            }
        }
        Value::Array(list) => list.iter_mut().for_each(settle),
        _ => {}
    }
}

/// Literals for what the contract leaves open.
struct Known {
    /// Ids by kind: `Sample`.
    ids: Vec<(&'static str, Vec<String>)>,
    references: Vec<String>,
    cursors: Vec<String>,
    began: String,
    leaves: i64,
}

impl Known {
    fn ids(&self, kind: &str) -> Vec<String> {
        let found = self.ids.iter().find(|(known, _)| *known == kind);
        found.map(|(_, ids)| ids.clone()).unwrap_or_default()
    }
}

/// A text as a literal.
fn quoted(text: &str) -> String {
    json!(text).to_string()
}

fn all_quoted(texts: &[String]) -> Vec<String> {
    texts.iter().map(|text| quoted(text)).collect()
}

impl Values for Known {
    fn argument(&self, field: &str, argument: &str) -> Option<Vec<String>> {
        let of = |kind| Some(all_quoted(&self.ids(kind)));
        let all: Vec<String> = self.ids.iter().flat_map(|(_, ids)| ids.clone()).collect();
        match (field, argument) {
            ("engagement", "id") | ("populations", "engagementId") => of("Engagement"),
            ("population", "id") => of("Population"),
            ("sample", "id") => of("Sample"),
            ("sampleItem", "id") => of("SampleItem"),
            ("grant", "id") => of("Grant"),
            // All of them are asked for at once.
            ("node", "id") => Some(all_quoted(&all[..1])),
            ("nodes", "ids") => {
                let one_of_each: Vec<String> = self.ids.iter().map(|(_, ids)| ids[0].clone()).collect();
                let lists = [one_of_each.as_slice()].into_iter().chain(all.chunks(100));
                Some(
                    lists
                        .map(|ids| format!("[{}]", all_quoted(ids).join(", ")))
                        .collect(),
                )
            }
            // What happens is written to records and log: those of before stay.
            ("readRecords", "filter") => Some(vec![
                format!("{{ until: {} }}", quoted(&self.began)),
                format!("{{ until: {}, kind: ANSWER }}", quoted(&self.began)),
            ]),
            ("deniedAttempts", "filter") => Some(vec![format!("{{ until: {} }}", quoted(&self.began))]),
            ("logCheckpoint", "size") | ("logConsistency", "to") => Some(vec![self.leaves.to_string()]),
            ("logConsistency", "from") => Some(vec!["1".to_owned()]),
            ("deadlineEnd", "input") => Some(vec![
                "{ start: EVENT, on: \"2026-05-28\", length: { count: 1, unit: WEEK } }".to_owned(),
            ]),
            ("legalClocks", "input") => Some(vec![
                "{ actNotifiedOn: \"2026-05-28\", hearingEndedOn: \"2026-05-28\", amount: \"49.99\" }"
                    .to_owned(),
            ]),
            _ => None,
        }
    }

    fn input(&self, of: &str, field: &str) -> Option<Vec<String>> {
        match (of, field) {
            ("DeadlineFilter", "states") => Some(vec!["[RUNNING, EXPIRED]".to_owned()]),
            ("DeadlineFilter", "endsUntil") => Some(vec![quoted("2100-01-01")]),
            ("SampleItemFilter" | "DeadlineFilter", "engagement") => {
                Some(all_quoted(&self.ids("Engagement")))
            }
            ("SampleItemFilter", "sample") => Some(all_quoted(&self.ids("Sample"))),
            ("SampleItemFilter", "stratum") => Some(all_quoted(&self.ids("Stratum"))),
            ("SampleItemFilter" | "DeadlineFilter", "bezirksstelle") => {
                Some(all_quoted(&self.ids("Bezirksstelle")))
            }
            ("PaperFilter" | "DecisionFilter", "body") | ("DecisionFilter", "tells") => {
                Some(all_quoted(&self.ids("Body")))
            }
            ("SampleItemFilter", "amountFrom" | "amountTo") => Some(["0.00", "80.00"].map(quoted).to_vec()),
            ("SampleItemFilter", "reference") => Some(
                self.references
                    .iter()
                    .map(|text| quoted(text))
                    .chain([quoted("X")])
                    .collect(),
            ),
            _ => None,
        }
    }

    fn cursors(&self, field: &str) -> Vec<String> {
        if field == "sampleItems" {
            self.cursors.clone()
        } else {
            Vec::new()
        }
    }
}

/// What there is when the world begins.
async fn known(world: &mut World<'_>) -> Known {
    let auditor = world.service.auditor();
    let all = "{ engagements(first: 50) { edges { node { id populations { id imports { id } differences { edges { node { id } } } }
            samples { edges { node { id strata { id } } } } } } }
        grants(first: 50) { edges { node { id } } } bodies { id } }";
    let seen = auditor.data(all, json!({})).await;
    let mut found: Vec<(&'static str, Vec<String>)> = Vec::new();
    // The ids say their kind.
    for (kind, word) in [
        ("Engagement", "Engagement:"),
        ("Population", "Population:"),
        ("Import", "Import:"),
        ("Sample", "Sample:"),
        ("Stratum", "Stratum:"),
        ("Grant", "Grant:"),
        ("Body", "Body:"),
    ] {
        let mut ids = Vec::new();
        gather(&seen, kind, &mut ids);
        assert!(!ids.is_empty(), "no {word}");
        found.push((kind, ids));
    }
    let items = world.some(8, |_| true);
    world.marked.clone_from(&items);
    found.push((
        "SampleItem",
        items.iter().map(|item| world.items[*item].id.clone()).collect(),
    ));
    found.push((
        "Bezirksstelle",
        PLACES
            .iter()
            .map(|number| world.place(number).to_owned())
            .collect(),
    ));
    let cursors = cursors(world).await;
    for (_, ids) in &mut found {
        ids.shuffle(&mut world.random);
    }
    let lines: Vec<String> = world
        .items
        .iter()
        .map(|item| item.line.reference.clone())
        .collect();
    Known {
        ids: found,
        references: lines.choose_multiple(&mut world.random, 3).cloned().collect(),
        cursors,
        began: world.began.clone(),
        leaves: world.leaves,
    }
}

/// Pages that begin at a marked item, in every order.
async fn cursors(world: &mut World<'_>) -> Vec<String> {
    let auditor = world.service.auditor();
    let mut cursors = Vec::new();
    for by in ["ID", "AMOUNT", "REFERENCE", "DRAW_ORDER"] {
        for descending in [false, true] {
            let order = format!("order: {{ by: {by}, descending: {descending} }}");
            let document =
                format!("{{ sampleItems(first: 200, {order}) {{ edges {{ cursor node {{ id }} }} }} }}");
            let seen = auditor.data(&document, json!({})).await;
            let edges = seen["sampleItems"]["edges"].as_array().unwrap();
            for window in ["first: 2, after", "last: 3, before"] {
                let marked = *world.marked.choose(&mut world.random).unwrap();
                let id = world.items[marked].id.as_str();
                if let Some(edge) = edges.iter().find(|edge| edge["node"]["id"] == id) {
                    cursors.push(format!("{window}: {}, {order}", edge["cursor"]));
                }
            }
        }
    }
    cursors
}

/// Ids of a kind anywhere in an answer.
fn gather(value: &Value, kind: &str, into: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value.as_str() {
                    Some(id) if name == "id" && kind_of(id) == Some(kind.to_owned()) => {
                        into.push(id.to_owned());
                    }
                    _ => gather(value, kind, into),
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|value| gather(value, kind, into)),
        _ => {}
    }
}

/// The kind an id names.
fn kind_of(id: &str) -> Option<String> {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::STANDARD_NO_PAD
        .decode(id.trim_end_matches('='))
        .or_else(|_| base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(id.trim_end_matches('=')))
        .ok()?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    text.split_once(':').map(|(kind, _)| kind.to_owned())
}

/// Who comes, before they ask.
struct Visitor<'a> {
    name: String,
    view: View,
    person: Person<'a>,
}

/// Everybody, with their questions.
pub(crate) async fn callers<'a>(
    world: &mut World<'a>,
    contract: &Contract,
    without_cases: &Contract,
) -> Vec<Caller<'a>> {
    let mut all = roles(world);
    all.extend(granted(world).await);
    let known = known(world).await;
    let mut callers = Vec::new();
    for visitor in all {
        let told = visitor
            .person
            .graphql("{ viewer { classes actions } }", json!({}))
            .await;
        let viewer = &told["data"]["viewer"];
        let words = |list: &Value| -> Vec<String> {
            list.as_array()
                .into_iter()
                .flatten()
                .map(|word| word.as_str().unwrap().to_owned())
                .collect()
        };
        // What they are refused anyway is asked by somebody without a role.
        let mut classes = words(&viewer["classes"]);
        if classes.is_empty() {
            classes = vec!["PUBLIC".to_owned()];
        }
        let actions = words(&viewer["actions"]);
        let contract = if actions.iter().any(|action| action == "CASE_NUMBER_READ") {
            contract
        } else {
            // Each row would answer that it is forbidden.
            without_cases
        };
        let mut questions = contract.questions(&classes, &known, &mut world.random);
        if matches!(visitor.view.rows, Rows::None) {
            // One of each: they are refused, or of no row.
            let mut known = BTreeSet::new();
            questions.retain(|question| {
                let words: Vec<&str> = question.split(['(', ' ']).take(1).collect();
                question.starts_with("node") || known.insert(words.concat())
            });
        }
        let mut paths = vec!["/exports/sample-items.csv".to_owned()];
        let sample = &known.ids("Sample")[0];
        for query in [
            format!("sample={sample}"),
            "announced=true".to_owned(),
            "order=AMOUNT&descending=true".to_owned(),
        ] {
            paths.push(format!("/exports/sample-items.csv?{query}"));
        }
        let attempts = attempts(world, &visitor.view, &actions);
        let watches = visitor.view.papers || matches!(visitor.view.rows, Rows::None);
        callers.push(Caller {
            last: Vec::new(),
            unseen: Vec::new(),
            hidden: Vec::new(),
            questions,
            paths,
            attempts,
            import: (!watches).then(|| known.ids("Import")[0].clone()),
            name: visitor.name,
            view: visitor.view,
            person: visitor.person,
        });
    }
    callers
}

/// Changes of items that are not there for them. Nothing happens, whatever becomes of the items meanwhile.
fn attempts(world: &mut World<'_>, view: &View, actions: &[String]) -> Vec<(String, Value)> {
    // Not even by an announcement.
    let hidden = world.some(2, |item| {
        let mut item = item.clone();
        item.announced = true;
        !view.reaches(&item)
    });
    let mut found = Vec::new();
    for place in hidden {
        let item = &world.items[place];
        let answers: Vec<Value> = world
            .attributes
            .iter()
            .map(|code| json!({ "attribute": code, "answer": "YES" }))
            .collect();
        let engagement = &world.engagements[item.engagement];
        for (action, field, input) in [
            (
                "CHECK_RECORD",
                "recordCheck",
                json!({ "sampleItemId": item.id, "expectedVersion": 1, "errorClass": "NONE", "correct": {},
                    "answers": answers, "idempotencyKey": "versuch" }),
            ),
            (
                "REIDENTIFY",
                "reidentify",
                json!({ "sampleItemIds": [item.id], "reason": "Neugier" }),
            ),
            (
                "COMMENT_WRITE",
                "addComment",
                json!({ "engagementId": engagement, "sampleItemId": item.id, "text": "?", "idempotencyKey": "versuch" }),
            ),
        ] {
            if actions.iter().any(|known| known == action) {
                found.push((change(field, ""), input));
            }
        }
    }
    if actions.iter().any(|known| known == "VISIBILITY_STATE") && !view.grants {
        let input = json!({ "grantId": world.grants[0]["id"] });
        found.push((change("stateVisibility", ""), input));
    }
    found
}

/// Every role, the named group where it is open, somebody without a role and nobody.
fn roles<'a>(world: &World<'a>) -> Vec<Visitor<'a>> {
    let service = world.service;
    let mut all = vec![
        Visitor {
            name: "without a role".to_owned(),
            view: View::NOTHING,
            person: service.nobody("besuch"),
        },
        Visitor {
            name: "anonymous".to_owned(),
            view: View::NOTHING,
            person: service.anybody(),
        },
    ];
    for role in Role::ALL {
        let membership = if role.is_local() {
            format!("{role}:{}", world.here)
        } else {
            role.to_string()
        };
        let group = matches!(
            role,
            Role::Innenrevision | Role::Qualitaetssicherung | Role::Sachbearbeitung
        );
        for own_staff in [false, true] {
            if own_staff && !group {
                continue;
            }
            let name = format!("{membership}{}", if own_staff { "+OWN_STAFF" } else { "" });
            all.push(Visitor {
                person: service.person("besuch", &name),
                view: view_of(*role, world.here, own_staff),
                name,
            });
        }
    }
    all
}

/// The design's sections on access, for roles.
const fn view_of(role: Role, here: &'static str, own_staff: bool) -> View {
    match role {
        Role::InnenrevisionLeitung | Role::Innenrevision | Role::Qualitaetssicherung => View {
            rows: Rows::All { own_staff },
            papers: true,
            audit: true,
            grants: !matches!(role, Role::Qualitaetssicherung),
        },
        Role::Bezirksstellenleitung | Role::Sachbearbeitung => View {
            rows: Rows::Place {
                number: here,
                own_staff,
            },
            ..View::NOTHING
        },
        Role::Fachbereichsleitung | Role::Datenschutz => View {
            grants: true,
            ..View::NOTHING
        },
        Role::Budget
        | Role::Controlling
        | Role::Fachleitung
        | Role::Vorstand
        | Role::StadtLeitung
        | Role::Gleichstellung
        | Role::Administration
        | Role::ExternalAuditor => View::NOTHING,
    }
}

/// People under grants: whole and in part, with the classes of papers and without, and with a token that says less.
async fn granted<'a>(world: &mut World<'a>) -> Vec<Visitor<'a>> {
    let whole = Rows::Granted {
        engagements: BTreeSet::from([0]),
        places: None,
        funds: None,
        months: None,
        own_staff: false,
    };
    let papers = |rows: Rows| View {
        rows,
        papers: true,
        audit: true,
        grants: false,
    };
    let mut all = Vec::new();
    let none = json!({});
    all.push(visitor(world, "inspection", true, &none, &none, papers(whole.clone())).await);
    let personnel = json!({ "classes": ["AUDIT", "SOCIAL_DATA", "PERSONNEL"] });
    let mut rows = whole.clone();
    if let Rows::Granted { own_staff, .. } = &mut rows {
        *own_staff = true;
    }
    all.push(
        visitor(
            world,
            "inspection with own staff",
            true,
            &personnel,
            &none,
            papers(rows),
        )
        .await,
    );
    all.push(
        visitor(
            world,
            "commission",
            false,
            &none,
            &none,
            View {
                rows: whole.clone(),
                papers: false,
                audit: true,
                grants: false,
            },
        )
        .await,
    );
    // A part, in the grant or in the token alone.
    for (name, kind, of_token) in [
        ("inspection of a part", true, false),
        ("commission for a part", false, false),
        ("token for a part", true, true),
    ] {
        let (part, rows) = part(world, of_token);
        let audit = !kind || world.random.random_bool(0.5);
        let mut fields = part.clone();
        fields[if of_token { "datatypes" } else { "classes" }] = if audit {
            json!(["AUDIT", "SOCIAL_DATA"])
        } else {
            json!(["SOCIAL_DATA"])
        };
        let view = View {
            rows,
            audit,
            ..View::NOTHING
        };
        if of_token && let Some(list) = fields["datatypes"].as_array_mut() {
            list.extend([json!("PUBLIC"), json!("INTERNAL")]);
        }
        let (grant, token) = if of_token {
            (&none, &fields)
        } else {
            (&fields, &none)
        };
        all.push(visitor(world, name, kind, grant, token, view).await);
    }
    all
}

/// A random part of the first engagement's items.
fn part(world: &mut World<'_>, of_token: bool) -> (Value, Rows) {
    let mut fields = json!({});
    let (mut places, mut funds, mut months) = (None, None, None);
    // One restriction hides the more.
    let some = *[1, 1, 2, 2, 4, 4, 3, 5, 6, 7].choose(&mut world.random).unwrap();
    if some & 1 == 1 {
        let mut numbers = PLACES.to_vec();
        numbers.shuffle(&mut world.random);
        numbers.truncate(2);
        let ids: Vec<&str> = numbers.iter().map(|number| world.place(number)).collect();
        fields[if of_token {
            "bezirksstellen"
        } else {
            "bezirksstelleIds"
        }] = json!(ids);
        places = Some(numbers.into_iter().collect());
    }
    if some & 2 == 2 {
        let fund = world.random.random_range(0..4);
        fields["funds"] = json!([tests::story::FUNDS[fund].to_uppercase()]);
        funds = Some(BTreeSet::from([fund]));
    }
    if some & 4 == 4 {
        let from = world.random.random_range(1..=6);
        let to = from + world.random.random_range(2..=6);
        let (first, last) = if of_token {
            ("period_from", "period_to")
        } else {
            ("periodFrom", "periodTo")
        };
        fields[first] = json!(format!("2025-{from:02}-01"));
        fields[last] = json!(format!("2025-{to:02}-28"));
        months = Some((from, to));
    }
    let rows = Rows::Granted {
        engagements: BTreeSet::from([0]),
        places,
        funds,
        months,
        own_staff: false,
    };
    (fields, rows)
}

async fn visitor<'a>(
    world: &mut World<'a>,
    name: &str,
    inspects: bool,
    grant: &Value,
    token: &Value,
    view: View,
) -> Visitor<'a> {
    let subject = name.replace(' ', "-");
    let fields = tests::story::with(
        grant,
        &json!({ "recipientSubject": subject, "readBudget": 1_000_000 }),
    );
    let engagement = &world.engagements[0];
    let input = if inspects {
        inspection(engagement, &fields)
    } else {
        commission(engagement, &fields)
    };
    let grant = issued(&world.extracts[0].audit, input).await;
    Visitor {
        name: format!("{name} {:?}", view.rows),
        person: world.holder(&subject, &grant, token).await,
        view,
    }
}
