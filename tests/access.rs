//! Who may do what, tried from outside: every way in, for every role.

#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

use std::collections::BTreeSet;

use api::graphql::NodeKind;
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{TypeKind, TypeSystemDefinition};
use audit::access::{Action, Class, Classes, Role, classes, granted, permits};
use entity::grant::Kind;
use futures_util::SinkExt as _;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tests::grants::{commission, inspection, issued};
use tests::story::{Audit, change, nodes};
use tests::{Person, Service, next_message, on_both};

/// The Bezirksstelle of the local roles.
const HERE: &str = "09";

/// Whoever may come: every role, somebody under a grant of each kind, somebody with no role, and nobody.
struct Visitor<'a> {
    name: String,
    role: Option<Role>,
    grant: Option<Kind>,
    signed_in: bool,
    person: Person<'a>,
}

async fn visitors<'a>(service: &'a Service, world: &World<'a>) -> Vec<Visitor<'a>> {
    let mut all: Vec<_> = Role::ALL
        .iter()
        .map(|role| {
            let membership = if role.is_local() {
                format!("{role}:{HERE}")
            } else {
                role.to_string()
            };
            Visitor {
                person: service.person("besuch", &membership),
                name: membership,
                role: Some(*role),
                grant: None,
                signed_in: true,
            }
        })
        .collect();
    for (kind, grant) in &world.grants {
        let (status, answer) = service.redeem("besuch", grant, &json!({})).await;
        assert_eq!(status, 200, "{answer}");
        all.push(Visitor {
            name: kind.as_str().to_owned(),
            role: Some(Role::ExternalAuditor),
            grant: Some(*kind),
            signed_in: true,
            person: service.bearer(answer["access_token"].as_str().unwrap()),
        });
    }
    all.push(Visitor {
        name: "without a role".to_owned(),
        role: None,
        grant: None,
        signed_in: true,
        person: service.nobody("besuch"),
    });
    all.push(Visitor {
        name: "anonymous".to_owned(),
        role: None,
        grant: None,
        signed_in: false,
        person: service.anybody(),
    });
    all
}

impl Visitor<'_> {
    fn may(&self, needs: Needs) -> bool {
        match needs {
            Needs::Nothing => true,
            Needs::Token => self.signed_in,
            Needs::Action(action) => match self.grant {
                Some(kind) => granted(kind, action),
                None => self.role.is_some_and(|role| permits(role, action)),
            },
        }
    }

    /// The code of whoever may not.
    const fn refusal(&self) -> &'static str {
        if self.signed_in {
            "FORBIDDEN"
        } else {
            "UNAUTHENTICATED"
        }
    }
}

#[derive(Clone, Copy)]
enum Needs {
    Nothing,
    Token,
    Action(Action),
}

/// A way in: the field, the operation that tries it, and what it needs.
struct Way {
    field: &'static str,
    document: String,
    variables: Value,
    needs: Needs,
}

/// An id of this kind that nobody gave out.
fn unknown(kind: NodeKind) -> Value {
    json!(kind.id(uuid::Uuid::from_u128(7)).as_str())
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn queries(audit: &Audit<'_>, sample: &Value, own: &Value) -> Vec<Way> {
    let way = |field, document: &str, variables, needs| Way {
        field,
        document: document.to_owned(),
        variables,
        needs,
    };
    let engagement = json!({ "id": audit.engagement });
    vec![
        way(
            "grant",
            "query($id: ID!) { grant(id: $id) { number } }",
            json!({ "id": unknown(NodeKind::Grant) }),
            Needs::Action(Action::GrantRead),
        ),
        way(
            "grants",
            "{ grants { edges { node { number } } } }",
            json!({}),
            Needs::Action(Action::GrantRead),
        ),
        way("grantBases", "{ grantBases { code } }", json!({}), Needs::Token),
        way(
            "serviceInfo",
            "{ serviceInfo { version } }",
            json!({}),
            Needs::Nothing,
        ),
        way(
            "logCheckpoint",
            "{ logCheckpoint { size } }",
            json!({}),
            Needs::Nothing,
        ),
        way(
            "logConsistency",
            "{ logConsistency(from: 1) { path } }",
            json!({}),
            Needs::Nothing,
        ),
        way("logKeys", "{ logKeys }", json!({}), Needs::Nothing),
        way("viewer", "{ viewer { subject } }", json!({}), Needs::Token),
        way("jobcenter", "{ jobcenter { name } }", json!({}), Needs::Token),
        way(
            "bezirksstellen",
            "{ bezirksstellen { number } }",
            json!({}),
            Needs::Token,
        ),
        way(
            "planSample",
            "{ planSample { __typename } }",
            json!({}),
            Needs::Token,
        ),
        way(
            "selectSample",
            "{ selectSample { __typename } }",
            json!({}),
            Needs::Token,
        ),
        way(
            "evaluateSample",
            "{ evaluateSample { __typename } }",
            json!({}),
            Needs::Token,
        ),
        way(
            "readRecords",
            "{ readRecords { edges { node { actor } } } }",
            json!({}),
            Needs::Action(Action::ReadRecordList),
        ),
        way(
            "deniedAttempts",
            "{ deniedAttempts { edges { node { actor } } } }",
            json!({}),
            Needs::Action(Action::ReadRecordList),
        ),
        way(
            "retentionRuns",
            "{ retentionRuns { edges { node { count } } } }",
            json!({}),
            Needs::Action(Action::ReadRecordList),
        ),
        way(
            "parameterSets",
            "{ parameterSets { __typename } }",
            json!({}),
            Needs::Action(Action::ParameterSetRead),
        ),
        way(
            "bodies",
            "{ bodies { id } }",
            json!({}),
            Needs::Action(Action::PaperRead),
        ),
        way(
            "papers",
            "{ papers { __typename } }",
            json!({}),
            Needs::Action(Action::PaperRead),
        ),
        way(
            "decisions",
            "{ decisions { __typename } }",
            json!({}),
            Needs::Action(Action::PaperRead),
        ),
        way(
            "deadlines",
            "{ deadlines { __typename } }",
            json!({}),
            Needs::Action(Action::DeadlineRead),
        ),
        way(
            "notices",
            "{ notices { __typename } }",
            json!({}),
            Needs::Action(Action::NoticeRead),
        ),
        way(
            "deadlineEnd",
            "{ deadlineEnd(input: { start: EVENT, on: \"2026-01-02\", length: { count: 1, unit: DAY } }) { __typename } }",
            json!({}),
            Needs::Token,
        ),
        way(
            "legalClocks",
            "{ legalClocks(input: {}) { __typename } }",
            json!({}),
            Needs::Token,
        ),
        way(
            "testProgrammes",
            "{ testProgrammes { id } }",
            json!({}),
            Needs::Token,
        ),
        way(
            "engagement",
            "query($id: ID!) { engagement(id: $id) { number } }",
            engagement.clone(),
            Needs::Action(Action::EngagementRead),
        ),
        way(
            "engagements",
            "{ engagements { edges { node { number } } } }",
            json!({}),
            Needs::Action(Action::EngagementRead),
        ),
        // An id may be of anything: what a role has no right to see is not there.
        way(
            "node",
            "query($id: ID!) { node(id: $id) { id } }",
            engagement.clone(),
            Needs::Token,
        ),
        way(
            "nodes",
            "query($ids: [ID!]!) { nodes(ids: $ids) { id } }",
            json!({ "ids": [own["id"]] }),
            Needs::Token,
        ),
        way(
            "population",
            "query($id: ID!) { population(id: $id) { id } }",
            json!({ "id": audit.population }),
            Needs::Action(Action::PopulationRead),
        ),
        way(
            "populations",
            "query($id: ID!) { populations(engagementId: $id) { __typename } }",
            engagement,
            Needs::Action(Action::PopulationRead),
        ),
        way(
            "sample",
            "query($id: ID!) { sample(id: $id) { name } }",
            json!({ "id": sample["id"] }),
            Needs::Action(Action::SampleRead),
        ),
        way(
            "sampleItem",
            "query($id: ID!) { sampleItem(id: $id) { id } }",
            json!({ "id": own["id"] }),
            Needs::Action(Action::SampleItemRead),
        ),
        way(
            "sampleItems",
            "{ sampleItems { edges { node { id } } } }",
            json!({}),
            Needs::Action(Action::SampleItemRead),
        ),
        way(
            "contributions",
            "{ contributions { edges { node { party } } } }",
            json!({}),
            Needs::Action(Action::ContributionRead),
        ),
    ]
}

/// Each with an input that is refused for another reason, so that nothing changes while it is tried.
#[expect(clippy::too_many_lines, reason = "a table")]
fn mutations() -> Vec<Way> {
    let way = |field: &'static str, input: Value, action| Way {
        field,
        document: change(field, ""),
        variables: json!({ "input": input }),
        needs: Needs::Action(action),
    };
    let (population, sample) = (unknown(NodeKind::Population), unknown(NodeKind::Sample));
    let check = json!({
        "sampleItemId": unknown(NodeKind::SampleItem), "expectedVersion": 1, "errorClass": "NONE", "correct": {},
        "answers": [],
    });
    let mut one_check = check.clone();
    one_check["idempotencyKey"] = json!("k");
    vec![
        way(
            "openEngagement",
            json!({
                "title": " ", "function": "INNENREVISION", "objective": "", "legalBasis": "", "periodFrom": "2025-01-01",
                "periodTo": "2024-01-01", "idempotencyKey": "k",
            }),
            Action::EngagementOpen,
        ),
        way(
            "closeEngagement",
            json!({ "id": unknown(NodeKind::Engagement), "expectedVersion": 1 }),
            Action::EngagementClose,
        ),
        way(
            "restrictEngagement",
            json!({ "id": unknown(NodeKind::Engagement), "reason": "x" }),
            Action::EngagementRestrict,
        ),
        way(
            "liftEngagementRestriction",
            json!({ "id": unknown(NodeKind::Engagement), "reason": "x" }),
            Action::EngagementRestrict,
        ),
        way(
            "createPopulation",
            json!({
                "engagementId": unknown(NodeKind::Engagement), "name": "x", "unit": "PAYMENT", "source": "x",
                "idempotencyKey": "k",
            }),
            Action::PopulationCreate,
        ),
        way(
            "discardPopulation",
            json!({ "id": population, "expectedVersion": 1, "reason": "x" }),
            Action::PopulationDiscard,
        ),
        way(
            "openImport",
            json!({
                "populationId": population, "fileName": "x.csv", "idempotencyKey": "k",
                "mapping": {
                    "encoding": "UTF_8", "delimiter": "COMMA", "decimals": "ENGLISH", "dateFormat": "ISO", "key": ["a"],
                },
            }),
            Action::PopulationImport,
        ),
        way(
            "recordControlTotal",
            json!({
                "populationId": population, "source": "HKR_STATEMENT", "documentReference": "x", "idempotencyKey": "k",
                "cells": [{ "bezirksstelle": "01", "count": 1, "sum": "1.00" }],
            }),
            Action::ControlTotalEnter,
        ),
        way(
            "explainDifference",
            json!({ "id": unknown(NodeKind::Difference), "expectedVersion": 1, "explanation": "x" }),
            Action::DifferenceExplain,
        ),
        way(
            "approveDifference",
            json!({ "id": unknown(NodeKind::Difference), "expectedVersion": 1 }),
            Action::DifferenceApprove,
        ),
        way(
            "freezePopulation",
            json!({ "id": population, "expectedVersion": 1 }),
            Action::PopulationFreeze,
        ),
        way(
            "planSample",
            json!({
                "populationId": population, "name": "x", "method": "SIMPLE_RANDOM", "size": 1, "idempotencyKey": "k",
            }),
            Action::SamplePlan,
        ),
        way(
            "drawSample",
            json!({ "id": sample, "expectedVersion": 1 }),
            Action::SampleDraw,
        ),
        way(
            "commitContribution",
            json!({
                "id": unknown(NodeKind::Contribution), "expectedVersion": 1, "commitment": "00".repeat(32),
                "idempotencyKey": "k",
            }),
            Action::ContributionCommit,
        ),
        way(
            "openContribution",
            json!({
                "id": unknown(NodeKind::Contribution), "expectedVersion": 2, "salt": "00".repeat(32), "idempotencyKey": "k",
            }),
            Action::ContributionOpen,
        ),
        way(
            "abortSample",
            json!({ "id": sample, "expectedVersion": 1, "reason": "x" }),
            Action::SampleAbort,
        ),
        way(
            "recordSample",
            json!({
                "populationId": population, "name": "x", "reason": "x", "idempotencyKey": "k", "items": [{ "key": ["a"] }],
            }),
            Action::SampleRecord,
        ),
        way(
            "chooseSample",
            json!({
                "populationId": population, "name": "x", "reason": "x", "idempotencyKey": "k", "items": [{ "key": ["a"] }],
            }),
            Action::SampleChoose,
        ),
        way(
            "announceSampleItems",
            json!({ "sampleId": sample }),
            Action::SampleItemAnnounce,
        ),
        way(
            "proposeGrant",
            json!({
                "kind": "INSPECTION", "basis": "x", "recipientBody": "x", "recipientName": "x", "purpose": "x",
                "engagementIds": [unknown(NodeKind::Engagement)], "classes": [], "idempotencyKey": "k",
            }),
            Action::GrantPropose,
        ),
        way(
            "recordGrantVerpflichtung",
            json!({
                "id": unknown(NodeKind::Grant), "expectedVersion": 1, "verpflichtung": { "on": "2026-01-15", "text": "x" },
            }),
            Action::GrantPropose,
        ),
        way(
            "withdrawGrant",
            json!({ "id": unknown(NodeKind::Grant), "expectedVersion": 1, "reason": "x" }),
            Action::GrantPropose,
        ),
        way(
            "issueGrant",
            json!({ "id": unknown(NodeKind::Grant), "expectedVersion": 1 }),
            Action::GrantIssue,
        ),
        way(
            "revokeGrant",
            json!({ "id": unknown(NodeKind::Grant), "expectedVersion": 1, "reason": "x" }),
            Action::GrantRevoke,
        ),
        way(
            "liftGrantLimits",
            json!({ "id": unknown(NodeKind::Grant), "expectedVersion": 1, "reason": "x" }),
            Action::GrantLift,
        ),
        way(
            "stateVisibility",
            json!({ "grantId": unknown(NodeKind::Grant) }),
            Action::VisibilityState,
        ),
        way(
            "addComment",
            json!({ "engagementId": unknown(NodeKind::Engagement), "text": "x", "idempotencyKey": "k" }),
            Action::CommentWrite,
        ),
        way(
            "reidentify",
            json!({ "sampleItemIds": [unknown(NodeKind::SampleItem)], "reason": "x" }),
            Action::Reidentify,
        ),
        way(
            "placeLegalHold",
            json!({ "engagementId": unknown(NodeKind::Engagement), "reason": "x", "idempotencyKey": "k" }),
            Action::LegalHoldPlace,
        ),
        way(
            "liftLegalHold",
            json!({ "id": unknown(NodeKind::LegalHold), "reason": "x" }),
            Action::LegalHoldLift,
        ),
        way(
            "proposeParameterSet",
            json!({
                "name": " ", "confidence": "0.95", "validFrom": "2026-01-01", "reason": "x", "idempotencyKey": "k",
            }),
            Action::ParameterSetPropose,
        ),
        way(
            "approveParameterSet",
            json!({ "id": unknown(NodeKind::ParameterSet), "expectedVersion": 1 }),
            Action::ParameterSetApprove,
        ),
        way(
            "declineParameterSet",
            json!({ "id": unknown(NodeKind::ParameterSet), "expectedVersion": 1, "reason": "x" }),
            Action::ParameterSetApprove,
        ),
        way(
            "assignSampleItems",
            json!({
                "sampleId": unknown(NodeKind::Sample), "itemIds": [unknown(NodeKind::SampleItem)], "tester": "x",
                "idempotencyKey": "k",
            }),
            Action::CheckAssign,
        ),
        way(
            "distributeSampleItems",
            json!({ "sampleId": unknown(NodeKind::Sample), "testers": ["x"], "idempotencyKey": "k" }),
            Action::CheckAssign,
        ),
        way(
            "releaseSampleItems",
            json!({
                "sampleId": unknown(NodeKind::Sample), "itemIds": [unknown(NodeKind::SampleItem)], "tester": "x",
            }),
            Action::CheckAssign,
        ),
        way(
            "setDeadline",
            json!({
                "engagementId": unknown(NodeKind::Engagement), "title": "x", "legalBasis": "x", "expiry": "REMIND",
                "endsOn": "2100-01-01", "idempotencyKey": "k",
            }),
            Action::DeadlineSet,
        ),
        way(
            "acknowledgeDeadline",
            json!({ "id": unknown(NodeKind::Deadline), "expectedVersion": 1 }),
            Action::DeadlineAcknowledge,
        ),
        way(
            "extendDeadline",
            json!({ "id": unknown(NodeKind::Deadline), "expectedVersion": 1, "reason": "x", "endsOn": "2100-01-01" }),
            Action::DeadlineExtend,
        ),
        way(
            "objectToDeadline",
            json!({ "id": unknown(NodeKind::Deadline), "expectedVersion": 1, "reason": "x" }),
            Action::DeadlineObject,
        ),
        way(
            "meetDeadline",
            json!({ "id": unknown(NodeKind::Deadline), "expectedVersion": 1, "reason": "x" }),
            Action::DeadlineMeet,
        ),
        way(
            "cancelDeadline",
            json!({ "id": unknown(NodeKind::Deadline), "expectedVersion": 1, "reason": "x" }),
            Action::DeadlineCancel,
        ),
        way(
            "confirmDeadline",
            json!({ "id": unknown(NodeKind::Deadline), "expectedVersion": 1, "reason": "x" }),
            Action::DeadlineConfirm,
        ),
        way(
            "markNoticeRead",
            json!({ "id": unknown(NodeKind::Notice) }),
            Action::NoticeRead,
        ),
        way(
            "requestReplacement",
            json!({
                "sampleItemId": unknown(NodeKind::SampleItem), "expectedVersion": 1, "cause": "OTHER", "reason": "x",
                "idempotencyKey": "k",
            }),
            Action::ReplacementRequest,
        ),
        way(
            "approveReplacement",
            json!({ "id": unknown(NodeKind::Replacement), "expectedVersion": 1 }),
            Action::ReplacementApprove,
        ),
        way(
            "declineReplacement",
            json!({ "id": unknown(NodeKind::Replacement), "expectedVersion": 1, "reason": "x" }),
            Action::ReplacementApprove,
        ),
        way(
            "proposeKnownError",
            json!({
                "sampleId": unknown(NodeKind::Sample), "class": "ANOMALOUS", "cause": "x", "reason": "x", "corrected": false,
                "items": [{ "sampleItemId": unknown(NodeKind::SampleItem) }], "idempotencyKey": "k",
            }),
            Action::KnownErrorPropose,
        ),
        way(
            "approveKnownError",
            json!({ "id": unknown(NodeKind::KnownError), "expectedVersion": 1 }),
            Action::KnownErrorApprove,
        ),
        way(
            "revokeKnownError",
            json!({ "id": unknown(NodeKind::KnownError), "expectedVersion": 1, "reason": "x" }),
            Action::KnownErrorRevoke,
        ),
        way(
            "seatMember",
            json!({ "bodyId": unknown(NodeKind::Body), "kind": "x", "holder": "x", "namedBy": "x", "idempotencyKey": "k" }),
            Action::SeatFill,
        ),
        way(
            "releaseSeat",
            json!({ "id": unknown(NodeKind::Seat), "expectedVersion": 1, "reason": "x" }),
            Action::SeatFill,
        ),
        way(
            "submitPaper",
            json!({
                "bodyId": unknown(NodeKind::Body), "matter": "AUDIT", "content": { "title": "x", "motion": "x" },
                "idempotencyKey": "k",
            }),
            Action::PaperSubmit,
        ),
        way(
            "revisePaper",
            json!({ "id": unknown(NodeKind::Paper), "expectedVersion": 1, "content": { "title": "x", "motion": "x" } }),
            Action::PaperSubmit,
        ),
        way(
            "withdrawPaper",
            json!({ "id": unknown(NodeKind::Paper), "expectedVersion": 1, "reason": "x" }),
            Action::PaperSubmit,
        ),
        way(
            "callPaper",
            json!({ "id": unknown(NodeKind::Paper), "expectedVersion": 1, "sessionAt": "2999-01-01T00:00:00Z" }),
            Action::PaperCall,
        ),
        way(
            "castVote",
            json!({
                "paperId": unknown(NodeKind::Paper), "expectedVersion": 1, "contentHash": "00".repeat(32), "choice": "YES",
                "idempotencyKey": "k",
            }),
            Action::PaperVote,
        ),
        way(
            "closeVote",
            json!({ "id": unknown(NodeKind::Paper), "expectedVersion": 1 }),
            Action::PaperCall,
        ),
        way(
            "decideOnDissent",
            json!({ "id": unknown(NodeKind::Paper), "expectedVersion": 1, "adopted": true, "reason": "x" }),
            Action::DissentDecide,
        ),
        way(
            "recordMinutes",
            json!({ "paperId": unknown(NodeKind::Paper), "expectedVersion": 1, "text": "x", "idempotencyKey": "k" }),
            Action::MinutesRecord,
        ),
        way(
            "recordSignature",
            json!({
                "decisionId": unknown(NodeKind::Decision), "kind": "SCAN", "fileHash": "00".repeat(32), "signer": "x",
                "signedOn": "2026-01-01", "idempotencyKey": "k",
            }),
            Action::SignatureRecord,
        ),
        way("recordCheck", one_check, Action::CheckRecord),
        way(
            "recordChecks",
            json!({ "checks": [check], "idempotencyKey": "k" }),
            Action::CheckRecord,
        ),
    ]
}

/// The fields of a root type of the contract.
fn roots(of: &str) -> BTreeSet<String> {
    let contract = include_str!("../schema.graphql");
    let found =
        parse_schema(contract)
            .unwrap()
            .definitions
            .into_iter()
            .find_map(|definition| match definition {
                TypeSystemDefinition::Type(ty) if ty.node.name.node == of => match ty.node.kind {
                    TypeKind::Object(object) => Some(object.fields),
                    _ => None,
                },
                _ => None,
            });
    found
        .unwrap()
        .into_iter()
        .map(|field| field.node.name.node.to_string())
        .collect()
}

fn fields(ways: &[Way]) -> BTreeSet<String> {
    ways.iter().map(|way| way.field.to_owned()).collect()
}

/// Two announced items: of the visitors' Bezirksstelle and of another; and one of theirs that is not announced.
struct World<'a> {
    audit: Audit<'a>,
    sample: Value,
    own: Value,
    foreign: Value,
    hidden: Value,
    /// One of each kind, of the whole engagement.
    grants: Vec<(Kind, Value)>,
}

async fn world(service: &Service) -> World<'_> {
    let lines = [
        ("a", "09", 100),
        ("b", "09", 200),
        ("c", "01", 300),
        ("d", "02", 400),
    ];
    let audit = Audit::small(service, &lines).await;
    let sample = audit.drawn("alle", "SIMPLE_RANDOM", &json!({ "size": 4 })).await;
    let items = audit.items(&sample).await;
    let of = |reference: &str| {
        items
            .iter()
            .find(|item| item["reference"] == reference)
            .unwrap()
            .clone()
    };
    let (own, foreign, hidden) = (of("a"), of("c"), of("b"));
    let input = json!({ "sampleId": sample["id"], "itemIds": [own["id"], foreign["id"]] });
    audit
        .auditor
        .done(&change("announceSampleItems", "announced { count }"), input)
        .await;
    let to = json!({ "recipientSubject": "besuch" });
    let inspected = issued(&audit, inspection(&audit.engagement, &to)).await;
    let commissioned = issued(&audit, commission(&audit.engagement, &to)).await;
    World {
        grants: vec![(Kind::Inspection, inspected), (Kind::Commission, commissioned)],
        audit,
        sample,
        own,
        foreign,
        hidden,
    }
}

on_both!(
    every_field_of_the_contract_asks_for_its_right,
    |service| async move {
        let world = world(&service).await;
        let ways = queries(&world.audit, &world.sample, &world.own);
        let changes = mutations();
        assert_eq!(fields(&ways), roots("Query"), "a field of Query has no row here");
        assert_eq!(
            fields(&changes),
            roots("Mutation"),
            "a field of Mutation has no row here"
        );
        for visitor in visitors(&service, &world).await {
            for way in ways.iter().chain(&changes) {
                // One for each field that is not disclosed.
                let mut codes = visitor.person.codes(&way.document, way.variables.clone()).await;
                codes.dedup();
                let expected: &[&str] = if visitor.may(way.needs) {
                    &[]
                } else {
                    &[visitor.refusal()]
                };
                assert_eq!(codes, expected, "{}: {}", visitor.name, way.field);
            }
        }
    }
);

on_both!(
    subscriptions_downloads_and_uploads_ask_for_their_right,
    |service| async move {
        let world = world(&service).await;
        assert_eq!(
            roots("Subscription"),
            BTreeSet::from(["checkProgress".to_owned(), "importProgress".to_owned()])
        );
        let imports = "query($id: ID!) { population(id: $id) { imports { id } } }";
        let data = world
            .audit
            .auditor
            .data(imports, json!({ "id": world.audit.population }))
            .await;
        let import = data["population"]["imports"][0]["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let watch = "subscription($id: ID!) { importProgress(id: $id) { state } }";
        for visitor in visitors(&service, &world).await {
            let refused = visitor.refusal();
            let mut socket = visitor.person.subscribe().await;
            let payload = json!({ "query": watch, "variables": { "id": import } });
            let start = json!({ "type": "subscribe", "id": "1", "payload": payload });
            socket.send(start.to_string().into()).await.unwrap();
            let message = next_message(&mut socket).await;
            if visitor.may(Needs::Action(Action::PopulationRead)) {
                assert_eq!(
                    message["payload"]["data"]["importProgress"]["state"], "COMPLETED",
                    "{}",
                    visitor.name
                );
            } else {
                // Refused before it runs, or by the use case: an error of the operation or of its first answer.
                let payload = &message["payload"];
                let error = payload["errors"].get(0).unwrap_or(&payload[0]);
                assert_eq!(error["extensions"]["code"], refused, "{}", visitor.name);
            }

            let mut socket = visitor.person.subscribe().await;
            let watch = "subscription($id: ID!) { checkProgress(id: $id) { items } }";
            let payload = json!({ "query": watch, "variables": { "id": world.sample["id"] } });
            let start = json!({ "type": "subscribe", "id": "1", "payload": payload });
            socket.send(start.to_string().into()).await.unwrap();
            let payload = next_message(&mut socket).await["payload"].clone();
            if visitor.may(Needs::Action(Action::CheckRead)) {
                assert!(
                    payload["data"]["checkProgress"]["items"].is_number(),
                    "{}: {payload}",
                    visitor.name
                );
            } else {
                let error = payload["errors"].get(0).unwrap_or(&payload[0]);
                assert_eq!(error["extensions"]["code"], visitor.refusal(), "{}", visitor.name);
            }

            let refused = if visitor.signed_in {
                StatusCode::FORBIDDEN
            } else {
                StatusCode::UNAUTHORIZED
            };
            let path = format!(
                "/exports/sample-items.csv?sample={}",
                world.sample["id"].as_str().unwrap()
            );
            let answer = visitor.person.request(Method::GET, &path).send().await.unwrap();
            let may = visitor.may(Needs::Action(Action::SampleItemRead));
            assert_eq!(
                answer.status(),
                if may { StatusCode::OK } else { refused },
                "{}",
                visitor.name
            );

            let upload = visitor
                .person
                .request(Method::PUT, &format!("/imports/{import}"))
                .body("x");
            let answer = upload.send().await.unwrap();
            // Whoever may import is told that this one has ended.
            let may = visitor.may(Needs::Action(Action::PopulationImport));
            assert_eq!(
                answer.status() == refused,
                !may,
                "{}: {}",
                visitor.name,
                answer.status()
            );
        }
    }
);

on_both!(what_is_hidden_does_not_exist, |service| async move {
    let world = world(&service).await;
    let list = "{ sampleItems { edges { node { id reference } } totalCount totals { count amount } } }";
    let one = "query($id: ID!, $ids: [ID!]!) { sampleItem(id: $id) { id } node(id: $id) { id } nodes(ids: $ids) { id } }";
    for visitor in visitors(&service, &world).await {
        if !visitor.may(Needs::Action(Action::SampleItemRead)) {
            let document = "query($id: ID!, $ids: [ID!]!) { node(id: $id) { id } nodes(ids: $ids) { id } }";
            let id = &world.own["id"];
            let answer = visitor
                .person
                .graphql(document, json!({ "id": id, "ids": [id] }))
                .await;
            let nothing = json!({ "data": { "node": null, "nodes": [null] } });
            assert_eq!(visitor.signed_in, answer == nothing, "{}: {answer}", visitor.name);
            continue;
        }
        let local = visitor.role.is_some_and(Role::is_local);
        let seen = visitor.person.data(list, json!({})).await["sampleItems"].clone();
        let expected = if local { 1 } else { 4 };
        assert_eq!(nodes(&seen).len(), expected, "{}", visitor.name);
        assert_eq!(seen["totalCount"], expected, "{}", visitor.name);
        assert_eq!(seen["totals"]["count"], expected, "{}", visitor.name);
        for (item, visible) in [
            (&world.own, true),
            (&world.foreign, !local),
            (&world.hidden, !local),
        ] {
            let id = &item["id"];
            let variables = json!({ "id": id, "ids": [id] });
            let expected = if visible { json!({ "id": id }) } else { Value::Null };
            let found = visitor.person.data(one, variables).await;
            assert_eq!(
                found,
                json!({ "sampleItem": expected, "node": expected, "nodes": [expected] }),
                "{}",
                visitor.name
            );
        }
        // Somebody else's id and one that nobody gave out are answered alike.
        if local {
            let ask = |id: Value| visitor.person.graphql(one, json!({ "id": id, "ids": [id] }));
            let made_up = unknown(NodeKind::SampleItem);
            assert_eq!(ask(world.foreign["id"].clone()).await, ask(made_up).await);
        }
    }
});

/// What the local roles can ask, as one text.
async fn all_that(person: &Person<'_>, world: &World<'_>) -> String {
    let mut said = Vec::new();
    let ids = json!({ "sample": world.sample["id"], "engagement": world.audit.engagement, "ids": [
        world.own["id"], world.foreign["id"], world.hidden["id"], world.sample["id"], world.audit.engagement,
        world.audit.population,
    ] });
    let document = "query($sample: ID!, $engagement: ID!, $ids: [ID!]!) {
        sample(id: $sample) { name method state plannedBy decidedBy version permissions strata { ordinal label }
            items { edges { cursor node { id reference amount } } totalCount totals { count amount hits } } }
        engagement(id: $engagement) { number title state version permissions
            samples { edges { node { name } } totalCount } }
        engagements { edges { cursor node { number title } } totalCount }
        nodes(ids: $ids) { __typename id } }";
    said.push(person.graphql(document, ids).await.to_string());
    let list = "query($filter: SampleItemFilter, $order: SampleItemOrder, $first: Int, $last: Int) {
        sampleItems(filter: $filter, order: $order, first: $first, last: $last) {
            edges { cursor node { id reference amount hits visibleFrom kind period product funds { bund kommune } permissions
                casePseudonym attributes { name value } bezirksstelle { number } stratum { label } sample { name } } }
            pageInfo { hasNextPage hasPreviousPage } totalCount totals { count amount hits } } }";
    for filter in [
        json!({}),
        json!({ "sample": world.sample["id"] }),
        json!({ "amountFrom": "0.00" }),
        json!({ "reference": "" }),
        json!({ "announced": true }),
        json!({ "announced": false }),
    ] {
        for order in [Value::Null, json!({ "by": "AMOUNT", "descending": true })] {
            for page in [
                json!({ "first": 1 }),
                json!({ "last": 1 }),
                json!({ "first": 200 }),
            ] {
                let mut variables = page;
                variables["filter"] = filter.clone();
                variables["order"] = order.clone();
                said.push(person.graphql(list, variables).await.to_string());
            }
        }
    }
    let download = person
        .request(Method::GET, "/exports/sample-items.csv")
        .send()
        .await
        .unwrap();
    // The refusal of a download carries the id of its request.
    let status = download.status();
    said.push(status.to_string());
    if status.is_success() {
        said.push(download.text().await.unwrap());
    }
    said.join("\n")
}

on_both!(what_happens_elsewhere_leaves_no_trace, |service| async move {
    let world = world(&service).await;
    let people: Vec<_> = [
        "SACHBEARBEITUNG:09",
        "BEZIRKSSTELLENLEITUNG:09",
        "STADT_LEITUNG:09",
        "BUDGET",
    ]
    .into_iter()
    .map(|membership| service.person("besuch", membership))
    .collect();
    let mut before = Vec::new();
    for person in &people {
        before.push(all_that(person, &world).await);
    }
    for told in &before[..2] {
        assert!(!told.contains("\"errors\""), "{told}");
    }
    assert!(before[0].contains("\"reference\":\"a\""), "{}", before[0]);

    // Items elsewhere are announced, all are checked; there are more samples, more populations and engagements.
    let audit = &world.audit;
    let elsewhere = audit.items(&world.sample).await;
    let elsewhere: Vec<_> = elsewhere
        .iter()
        .filter(|item| item["bezirksstelle"]["number"] != HERE)
        .map(|item| item["id"].clone())
        .collect();
    let announce = change("announceSampleItems", "announced { count }");
    let input = json!({ "sampleId": world.sample["id"], "itemIds": elsewhere });
    audit.auditor.done(&announce, input).await;
    audit.check_truly(&audit.items(&world.sample).await).await;
    audit
        .drawn(
            "noch eine",
            "SIMPLE_RANDOM",
            &json!({ "size": 4, "reason": "Gegenprobe" }),
        )
        .await;
    let input = json!({
        "engagementId": audit.engagement, "name": "Bescheide", "unit": "DECISION", "source": "Fachverfahren",
        "idempotencyKey": "zweite",
    });
    audit
        .auditor
        .done(&change("createPopulation", "population { id }"), input)
        .await;
    let input = json!({
        "title": "Eine andere", "function": "INNENREVISION", "objective": "Rechtmäßigkeit",
        "legalBasis": "§ 6b (4) SGB II", "periodFrom": "2025-01-01", "periodTo": "2025-12-31", "idempotencyKey": "andere",
    });
    audit
        .auditor
        .done(&change("openEngagement", "engagement { id }"), input)
        .await;

    for (person, before) in people.iter().zip(before) {
        let after = all_that(person, &world).await;
        for (before, after) in before.lines().zip(after.lines()) {
            assert_eq!(before, after);
        }
        assert_eq!(before.lines().count(), after.lines().count());
    }
});

/// No node is without its permissions.
async fn every_node_tells(service: &Service) {
    let nodes = r#"{ __type(name: "Node") { possibleTypes { name fields { name } } } }"#;
    let data = service.person("a", "ADMINISTRATION").data(nodes, json!({})).await;
    let types = data["__type"]["possibleTypes"].as_array().unwrap();
    assert!(types.len() > 6, "{data}");
    for node in types {
        let fields = node["fields"].as_array().unwrap();
        assert!(
            fields.iter().any(|field| field["name"] == "permissions"),
            "{node}"
        );
    }
}

on_both!(permissions_say_what_happens, |service| async move {
    let world = world(&service).await;
    let imports = "query($id: ID!) { population(id: $id) { imports { id } } }";
    let data = world
        .audit
        .auditor
        .data(imports, json!({ "id": world.audit.population }))
        .await;
    every_node_tells(&service).await;
    // What may be done with each as it is, by whoever has the right; the first is what it takes to see it.
    let kinds: [(&str, Value, &[Action]); 6] = [
        (
            "Grant",
            world.grants[0].1["id"].clone(),
            &[
                Action::GrantRead,
                Action::VisibilityState,
                Action::GrantRevoke,
                Action::GrantLift,
            ],
        ),
        (
            "Engagement",
            json!(world.audit.engagement),
            &[
                Action::EngagementRead,
                Action::EngagementClose,
                Action::EngagementRestrict,
                Action::PopulationCreate,
                Action::SamplePlan,
                Action::SampleRecord,
                Action::SampleChoose,
                Action::TrailRead,
                Action::CommentRead,
                Action::CommentWrite,
                Action::LegalHoldPlace,
            ],
        ),
        (
            "Population",
            json!(world.audit.population),
            &[
                Action::PopulationRead,
                Action::SamplePlan,
                Action::SampleRecord,
                Action::SampleChoose,
            ],
        ),
        (
            "Import",
            data["population"]["imports"][0]["id"].clone(),
            &[Action::PopulationRead],
        ),
        (
            "Sample",
            world.sample["id"].clone(),
            &[
                Action::SampleRead,
                Action::SampleItemRead,
                Action::SampleItemAnnounce,
                Action::CheckRead,
                Action::CheckRecord,
                Action::CheckAssign,
                Action::SampleEvaluate,
                Action::KnownErrorPropose,
            ],
        ),
        (
            "SampleItem",
            world.own["id"].clone(),
            &[
                Action::SampleItemRead,
                Action::CaseNumberRead,
                Action::ExternalReadList,
                Action::Reidentify,
                Action::CheckRead,
                Action::CheckRecord,
                Action::ReplacementRequest,
            ],
        ),
    ];
    let changes = mutations();
    for visitor in visitors(&service, &world).await {
        let viewer = visitor
            .person
            .graphql("{ viewer { actions classes } }", json!({}))
            .await;
        let Some(viewer) = viewer["data"]["viewer"].as_object() else {
            assert!(!visitor.signed_in, "{}", visitor.name);
            continue;
        };
        let told = |list: &Value| -> BTreeSet<String> {
            list.as_array()
                .unwrap()
                .iter()
                .map(|word| word.as_str().unwrap().to_owned())
                .collect()
        };
        let actions = told(&viewer["actions"]);
        for action in Action::ALL {
            let may = visitor.may(Needs::Action(*action));
            assert_eq!(
                actions.contains(action.as_str()),
                may,
                "{}: {}",
                visitor.name,
                action.as_str()
            );
        }
        for class in Class::ALL {
            let sees = match (visitor.grant, visitor.role) {
                (Some(_), _) => {
                    Classes::of(&[Class::Public, Class::Internal, Class::Audit, Class::SocialData])
                }
                (None, Some(role)) => classes(role),
                (None, None) => Classes::of(&[Class::Public, Class::Internal]),
            }
            .contains(*class);
            assert_eq!(
                told(&viewer["classes"]).contains(class.as_str()),
                sees,
                "{}: {}",
                visitor.name,
                class.as_str()
            );
        }
        for (kind, id, candidates) in &kinds {
            let document =
                format!("query($id: ID!) {{ node(id: $id) {{ ... on {kind} {{ permissions }} }} }}");
            let answer = visitor.person.graphql(&document, json!({ "id": id })).await;
            let permissions = answer["data"]["node"]["permissions"]
                .as_array()
                .map(|_| told(&answer["data"]["node"]["permissions"]));
            let expected = visitor.may(Needs::Action(candidates[0])).then(|| {
                let allowed = candidates
                    .iter()
                    .filter(|action| visitor.may(Needs::Action(**action)));
                allowed
                    .map(|action| action.as_str().to_owned())
                    .collect::<BTreeSet<_>>()
            });
            assert_eq!(permissions, expected, "{}: {kind}", visitor.name);
            for way in &changes {
                let Needs::Action(action) = way.needs else {
                    continue;
                };
                if permissions
                    .as_ref()
                    .is_some_and(|all| all.contains(action.as_str()))
                {
                    let codes = visitor.person.codes(&way.document, way.variables.clone()).await;
                    assert_eq!(codes, [""; 0], "{}: {kind} {}", visitor.name, action.as_str());
                }
            }
        }
    }
});

on_both!(
    what_lies_outside_a_grant_changes_no_answer,
    |service| async move {
        let world = world(&service).await;
        let audit = &world.audit;
        let places = audit
            .auditor
            .data("{ bezirksstellen { id number } }", json!({}))
            .await;
        let here = places["bezirksstellen"]
            .as_array()
            .unwrap()
            .iter()
            .find(|place| place["number"] == HERE)
            .unwrap()["id"]
            .clone();
        let fields = json!({ "recipientSubject": "besuch", "bezirksstelleIds": [here] });
        let mut people = Vec::new();
        for input in [
            inspection(&audit.engagement, &fields),
            commission(&audit.engagement, &fields),
        ] {
            let grant = issued(audit, input).await;
            let (_, answer) = service.redeem("besuch", &grant, &json!({})).await;
            people.push(service.bearer(answer["access_token"].as_str().unwrap()));
        }
        let told = async |person: &Person<'_>| {
            let papers = "query($id: ID!, $engagement: ID!) { sample(id: $id) { size frameCount frameSum seed strata { label size } }
            engagement(id: $engagement) { comments { edges { node { text } } } drawEvents { number } trail { edges { node { action } } }
                populations { id } }
            sampleItems { edges { node { reference state result version drawOrder checks { tester errorClass } stratum { label }
                permissions } } totals { count amount hits } } grants { totalCount } }";
            let ids = json!({ "id": world.sample["id"], "engagement": audit.engagement });
            let papers = person.graphql(papers, ids).await;
            format!("{}\n{papers}", all_that(person, &world).await)
        };
        let mut before = Vec::new();
        for person in &people {
            before.push(told(person).await);
            assert!(before[0].contains("\"reference\":\"b\"") && !before[0].contains("\"reference\":\"c\""));
        }

        // Elsewhere items are announced and checked; there are more populations, engagements, grants and comments.
        let elsewhere: Vec<_> = audit
            .items(&world.sample)
            .await
            .into_iter()
            .filter(|item| item["bezirksstelle"]["number"] != HERE)
            .collect();
        let ids: Vec<_> = elsewhere.iter().map(|item| item["id"].clone()).collect();
        let input = json!({ "sampleId": world.sample["id"], "itemIds": ids });
        let announce = change("announceSampleItems", "announced { count }");
        audit.auditor.done(&announce, input).await;
        audit
            .check_truly(
                &audit
                    .items(&world.sample)
                    .await
                    .into_iter()
                    .filter(|item| item["bezirksstelle"]["number"] != HERE)
                    .collect::<Vec<_>>(),
            )
            .await;
        let input = json!({
            "engagementId": audit.engagement, "name": "Bescheide", "unit": "DECISION", "source": "Fachverfahren",
            "idempotencyKey": "zweite",
        });
        let create = change("createPopulation", "population { id }");
        audit.auditor.done(&create, input).await;
        let input = json!({
            "title": "Eine andere", "function": "INNENREVISION", "objective": "Rechtmäßigkeit",
            "legalBasis": "§ 6b (4) SGB II", "periodFrom": "2025-01-01", "periodTo": "2025-12-31", "idempotencyKey": "andere",
        });
        let open = change("openEngagement", "engagement { id }");
        audit.auditor.done(&open, input).await;
        let others = issued(audit, inspection(&audit.engagement, &json!({}))).await;
        let other = service.holder(&others).await;
        let input = json!({
            "engagementId": audit.engagement, "sampleItemId": world.own["id"], "text": "Nur für uns", "idempotencyKey": "k",
        });
        other.done(&change("addComment", "comment { id }"), input).await;

        for (person, before) in people.iter().zip(before) {
            let after = told(person).await;
            for (before, after) in before.lines().zip(after.lines()) {
                assert_eq!(before, after);
            }
            assert_eq!(before.lines().count(), after.lines().count());
        }
    }
);
