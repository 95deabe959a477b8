//! A body in session, and what its people do.

use std::sync::Arc;

use serde_json::{Value, json};
use tests::story::{change, nodes, with};
use tests::{Hand, Person, Service, unique};

/// When the stories begin: 2026-03-02T08:00:00Z.
pub(crate) const BEGIN: i64 = 1_772_438_400;
pub(crate) const DAY: i64 = 86_400;

pub(crate) const PRESET: &str = "PRUEFPFAD__JOBCENTER__PRESET";
pub(crate) const RECKLINGHAUSEN: [(&str, &str); 1] = [(PRESET, "recklinghausen")];
pub(crate) const ENNEPE_RUHR: [(&str, &str); 1] = [(PRESET, "ennepe-ruhr")];
pub(crate) const KOOPERATIV: [(&str, &str); 1] = [(PRESET, "kooperativ")];

pub(crate) const PAPER: &str = "id number state version round contentHash sessionAt votesUntil shortNotice permissions
    edition { number title motion } decisions { id outcome decidedBy dissent yes no abstained silent reason standInReason
        decisionHash recordedBy toldAtSession tells { key } }";

pub(crate) fn refusal(code: &str, path: &str) -> Vec<(String, String)> {
    vec![(code.to_owned(), path.to_owned())]
}

pub(crate) fn at(seconds: i64) -> String {
    chrono::DateTime::from_timestamp(seconds, 0).unwrap().to_rfc3339()
}

/// A service and its clock.
pub(crate) struct Room {
    pub(crate) service: Arc<Service>,
    pub(crate) clock: Arc<Hand>,
}

impl Room {
    pub(crate) fn of(service: Arc<Service>, clock: Arc<Hand>) -> Self {
        Self { service, clock }
    }

    /// The office of the bodies: it is no member here.
    pub(crate) fn office(&self) -> Person<'_> {
        self.service.person("office", "FACHBEREICHSLEITUNG")
    }

    /// Somebody who sits in a body.
    pub(crate) fn member(&self, subject: &str) -> Person<'_> {
        self.service.person(subject, "VORSTAND")
    }

    /// The body of this name.
    pub(crate) async fn body(&self, key: &str) -> Value {
        let all = "{ bodies { id key name source rules { onDissent abstention quorum callingDays authorVotes castingVote } competences
            reservedMatters seatKinds { key least most } version } }";
        let data = self.office().data(all, json!({})).await;
        let bodies = data["bodies"].as_array().unwrap();
        bodies.iter().find(|body| body["key"] == key).unwrap().clone()
    }

    /// Seats somebody: who votes is called as the seat, in small letters with the place.
    pub(crate) async fn seat(&self, body: &Value, kind: &str, place: i32, deputy: Option<&str>) -> Value {
        let holder = person(kind, place);
        let input = json!({
            "bodyId": body["id"], "kind": kind, "place": place, "holder": holder, "deputy": deputy,
            "namedBy": "Schreiben vom 1. März", "idempotencyKey": unique("s"),
        });
        let done = self.office().done(&seat_member(), input).await;
        done["seat"].clone()
    }

    /// The Vorstand of Recklinghausen, all of whom are there.
    pub(crate) async fn vorstand(&self) -> Value {
        let body = self.body("VORSTAND").await;
        for kind in VORSTAND {
            let deputy = (kind == "STADT_LARGE").then_some("buergermeister");
            self.seat(&body, kind, 1, deputy).await;
        }
        body
    }

    /// A paper that its author handed in.
    pub(crate) async fn submitted(&self, author: &Person<'_>, body: &Value, fields: &Value) -> Value {
        author.done(&submit(), paper(body, fields)).await["paper"].clone()
    }

    /// The same, called to a session in eight days, which has begun.
    pub(crate) async fn in_session(&self, author: &Person<'_>, body: &Value, fields: &Value) -> Value {
        let paper = self.submitted(author, body, fields).await;
        self.opened(&paper).await
    }

    /// A paper called to a session in eight days, which has begun.
    pub(crate) async fn opened(&self, paper: &Value) -> Value {
        let now = self.now();
        let called = self.call(paper, now + 8 * DAY).await;
        self.clock.set(now + 8 * DAY);
        called
    }

    pub(crate) fn now(&self) -> i64 {
        self.service.sources.now().timestamp()
    }

    /// A paper called to a session at this time.
    pub(crate) async fn call(&self, paper: &Value, session: i64) -> Value {
        let input = with(&version(paper), &json!({ "sessionAt": at(session) }));
        self.office().done(&call(), input).await["paper"].clone()
    }

    /// Members of the Vorstand vote, in the order of its seats.
    pub(crate) async fn votes(&self, paper: &Value, choices: [&str; 5]) {
        for (kind, choice) in VORSTAND.into_iter().zip(choices) {
            self.vote(paper, &person(kind, 1), choice).await;
        }
    }

    pub(crate) async fn vote(&self, paper: &Value, subject: &str, choice: &str) -> Value {
        let done = self.member(subject).done(&cast(), voting(paper, choice)).await;
        done["vote"].clone()
    }

    pub(crate) async fn closed(&self, paper: &Value) -> Value {
        self.office().done(&close(), version(paper)).await["paper"].clone()
    }

    /// What somebody sees of a paper.
    pub(crate) async fn seen(&self, person: &Person<'_>, paper: &Value) -> Value {
        let document = format!("query($id: ID!) {{ node(id: $id) {{ ... on Paper {{ {PAPER} }} }} }}");
        person.data(&document, json!({ "id": paper["id"] })).await["node"].clone()
    }
}

pub(crate) const VORSTAND: [&str; 5] = [
    "LANDRAT",
    "FACHBEREICHSLEITUNG",
    "STADT_SMALL",
    "STADT_MEDIUM",
    "STADT_LARGE",
];

/// The subject of whoever sits there.
pub(crate) fn person(kind: &str, place: i32) -> String {
    format!("{}-{place}", kind.to_lowercase())
}

pub(crate) fn paper(body: &Value, fields: &Value) -> Value {
    let content = json!({
        "title": "Prüfplan 2027", "motion": "Der Prüfplan wird beschlossen.", "reasons": "Jahresplanung",
        "attachments": [{ "name": "plan.pdf", "sha256": "ab".repeat(32) }],
    });
    let input =
        json!({ "bodyId": body["id"], "matter": "AUDIT", "content": content, "idempotencyKey": unique("p") });
    with(&input, fields)
}

/// What a changed paper says.
pub(crate) fn revision(paper: &Value, motion: &str) -> Value {
    let content = json!({ "title": "Prüfplan 2027", "motion": motion });
    with(&version(paper), &json!({ "content": content }))
}

pub(crate) fn version(paper: &Value) -> Value {
    json!({ "id": paper["id"], "expectedVersion": paper["version"] })
}

pub(crate) fn voting(paper: &Value, choice: &str) -> Value {
    json!({
        "paperId": paper["id"], "expectedVersion": paper["version"], "contentHash": paper["contentHash"], "choice": choice,
        "idempotencyKey": unique("v"),
    })
}

pub(crate) fn deciding(paper: &Value, adopted: bool) -> Value {
    with(
        &version(paper),
        &json!({ "adopted": adopted, "reason": "Die Frist läuft ab" }),
    )
}

pub(crate) fn seat_member() -> String {
    change(
        "seatMember",
        "seat { id kind place holder deputy version permissions seatedUntil }",
    )
}

pub(crate) fn release_seat() -> String {
    change(
        "releaseSeat",
        "seat { id version seatedUntil releaseReason permissions }",
    )
}

pub(crate) fn submit() -> String {
    change("submitPaper", &format!("paper {{ {PAPER} }}"))
}

pub(crate) fn revise() -> String {
    change("revisePaper", &format!("paper {{ {PAPER} }}"))
}

pub(crate) fn withdraw() -> String {
    change("withdrawPaper", &format!("paper {{ {PAPER} }}"))
}

pub(crate) fn call() -> String {
    change("callPaper", &format!("paper {{ {PAPER} }}"))
}

pub(crate) fn cast() -> String {
    change(
        "castVote",
        "vote { edition round seatKind seatPlace capacity voter choice opinion waivesCallingPeriod contentHash }",
    )
}

pub(crate) fn close() -> String {
    change("closeVote", &format!("paper {{ {PAPER} }}"))
}

pub(crate) fn decide() -> String {
    change("decideOnDissent", &format!("paper {{ {PAPER} }}"))
}

pub(crate) fn minutes() -> String {
    change("recordMinutes", "minutes { id edition round text contentHash }")
}

pub(crate) fn signature() -> String {
    change(
        "recordSignature",
        "signature { id decisionId minutesId kind contentHash fileHash signer verification }",
    )
}

/// The numbers of the papers that somebody sees.
pub(crate) async fn numbers(person: &Person<'_>) -> Vec<Value> {
    let data = person
        .data("{ papers { totalCount edges { node { number } } } }", json!({}))
        .await;
    let found = nodes(&data["papers"]);
    assert_eq!(data["papers"]["totalCount"], found.len());
    found.into_iter().map(|node| node["number"].clone()).collect()
}
