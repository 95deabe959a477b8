//! What the parties of a draw do, and what whoever plans and draws asks for.

use audit::sampling::ceremony::{Bytes32, Contribution, commitment, drand};
use serde_json::{Value, json};
use tests::story::{Audit, change, nodes, with};
use tests::{Person, Service};

/// Time of round 1000 of quicknet, in seconds since 1970.
pub(crate) const SOURCE: i64 = 1_692_806_364;
/// When the stories begin: forty minutes before.
pub(crate) const BEGIN: i64 = SOURCE - 2_400;
pub(crate) const SIGNATURE: &str =
    "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39";
pub(crate) const SEEN: &str = "query($id: ID!) { sample(id: $id) { state version seed assurance permissions drawNumber { number of }
    ceremony { planDigest populationRoot frameDigest openUntil seed plannedSource { chain round at throws }
        parties { name subject role standing spokeAs commitment committedAt openedAt salt text silent late couldSteer version }
        source { text recordedBy recordedAt } steps { text value } cannotRuleOut } } }";

pub(crate) const OWN: &str = "{ contributions { edges { node { id engagementNumber sampleState assurance party planDigest openUntil waitingFor
    plannedSource { chain round at throws } commitment committedAt openedAt version permissions } } } }";

pub(crate) fn refusal(code: &str, path: &str) -> Vec<(String, String)> {
    vec![(code.to_owned(), path.to_owned())]
}

pub(crate) fn auditors() -> Value {
    json!({ "name": "Innenrevision", "subject": "auditor", "role": "INNENREVISION" })
}

pub(crate) fn officers() -> Value {
    json!({ "name": "Datenschutz", "subject": "dsb", "role": "DATENSCHUTZ" })
}

pub(crate) fn officer(service: &Service) -> Person<'_> {
    service.person("dsb", "DATENSCHUTZ")
}

pub(crate) fn quicknet(round: u64) -> Value {
    json!({ "drand": { "chain": drand::CHAINS[0].hash, "round": round } })
}

pub(crate) fn dice(digits: &str, begun_at: i64) -> Value {
    json!({ "dice": {
        "digits": digits, "begunAt": chrono::DateTime::from_timestamp(begun_at, 0).unwrap().to_rfc3339(),
        "thrownBy": "Anna", "witnesses": ["Bert"], "recording": "Aufzeichnung 17",
    } })
}

/// What plans a sample of four items at this level.
pub(crate) fn input(audit: &Audit<'_>, level: &str, fields: &Value) -> Value {
    let level = json!({ "size": 4, "assurance": level, "parties": [auditors(), officers()] });
    audit.plan_input("Ziehung", "SIMPLE_RANDOM", &with(&level, fields))
}

pub(crate) async fn seen(person: &Person<'_>, sample: &Value) -> Value {
    person.data(SEEN, json!({ "id": sample["id"] })).await["sample"].clone()
}

/// One's own newest contribution.
pub(crate) async fn own(person: &Person<'_>) -> Value {
    let data = person.data(OWN, json!({})).await;
    nodes(&data["contributions"])[0].clone()
}

pub(crate) fn salt(party: &str) -> Bytes32 {
    Bytes32([u8::try_from(party.len()).unwrap(); 32])
}

/// What commits a contribution with this text, by the published rule.
pub(crate) fn committing(own: &Value, text: &str) -> Value {
    let party = own["party"].as_str().unwrap();
    let made = Contribution {
        party: party.to_owned(),
        salt: salt(party),
        text: text.to_owned(),
    };
    let plan = Bytes32::parse(own["planDigest"].as_str().unwrap()).unwrap();
    json!({
        "id": own["id"], "expectedVersion": own["version"], "commitment": commitment(plan, &made).unwrap().to_string(),
        "idempotencyKey": format!("commit {}", own["id"]),
    })
}

pub(crate) fn opening(own: &Value, text: &str) -> Value {
    json!({
        "id": own["id"], "expectedVersion": own["version"], "salt": salt(own["party"].as_str().unwrap()).to_string(),
        "text": text, "idempotencyKey": format!("open {}", own["id"]),
    })
}

pub(crate) fn commit() -> String {
    change(
        "commitContribution",
        "contribution { id party version commitment permissions }",
    )
}

pub(crate) fn open() -> String {
    change(
        "openContribution",
        "contribution { id party version openedAt permissions }",
    )
}

pub(crate) async fn commits(person: &Person<'_>, text: &str) -> Value {
    let own = own(person).await;
    person.done(&commit(), committing(&own, text)).await["contribution"].clone()
}

pub(crate) async fn opens(person: &Person<'_>, text: &str) -> Value {
    let own = own(person).await;
    person.done(&open(), opening(&own, text)).await["contribution"].clone()
}

/// What draws the sample as it is now, with this source.
pub(crate) async fn drawing(audit: &Audit<'_>, sample: &Value, source: &Value) -> Value {
    let version = seen(&audit.auditor, sample).await["version"].clone();
    json!({ "id": sample["id"], "expectedVersion": version, "source": source })
}
