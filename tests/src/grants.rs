//! Grants, told over the wire: proposed, issued and redeemed.

use std::fmt::Write as _;

use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

use crate::story::{Audit, change, with};
use crate::{Person, Service};

/// Whom the grants of the tests are for.
pub const RECIPIENT: &str = "brh-pruefer";

/// The selection of a grant that changes go on with.
const GRANT: &str = "grant { id number state version }";

/// What proposes an inspection of an engagement by a public body.
pub fn inspection(engagement: &str, fields: &Value) -> Value {
    let input = json!({
        "kind": "INSPECTION", "basis": "SGB2_6B_3", "recipientBody": "Bundesrechnungshof", "recipientName": "R. Prüfer",
        "recipientSubject": RECIPIENT, "purpose": "Prüfung der Leistungsgewährung 2025", "engagementIds": [engagement],
        "classes": ["AUDIT", "SOCIAL_DATA"], "idempotencyKey": crate::unique("zugang"),
    });
    with(&input, fields)
}

/// What proposes a commission by contract.
pub fn commission(engagement: &str, fields: &Value) -> Value {
    let input = inspection(
        engagement,
        &json!({
            "kind": "COMMISSION", "basis": "CONTRACT", "recipientBody": "Muster Wirtschaftsprüfung", "contract": "Vertrag 17/2026",
            "teamRole": "Prüferin",
            "verpflichtung": { "on": "2026-01-15", "text": "Verpflichtung nach § 78 SGB X, Fassung 3", "staffInstructedOn": "2026-01-16" },
        }),
    );
    with(&input, fields)
}

/// A proposed grant.
pub async fn proposed(by: &Person<'_>, input: Value) -> Value {
    by.done(&change("proposeGrant", GRANT), input).await["grant"].clone()
}

/// What a change names.
pub fn of(grant: &Value) -> Value {
    json!({ "id": grant["id"], "expectedVersion": grant["version"] })
}

/// The document that issues a grant.
pub fn issue() -> String {
    change("issueGrant", GRANT)
}

/// The document that revokes a grant.
pub fn revoke() -> String {
    change("revokeGrant", GRANT)
}

/// A grant that an auditor proposed and the head of the Fachbereich issued.
pub async fn issued(audit: &Audit<'_>, input: Value) -> Value {
    let grant = proposed(&audit.auditor, input).await;
    let department = audit.service.person("fachbereich", "FACHBEREICHSLEITUNG");
    department.done(&issue(), of(&grant)).await["grant"].clone()
}

impl Service {
    /// What the token endpoint says to a form: status and answer.
    pub async fn exchange(&self, form: &[(&str, &str)]) -> (u16, Value) {
        self.exchange_with(form, &[]).await
    }

    /// The same to a form that comes with proofs.
    pub async fn exchange_with(&self, form: &[(&str, &str)], proofs: &[&str]) -> (u16, Value) {
        let mut body = String::new();
        for (name, value) in form {
            if !body.is_empty() {
                body.push('&');
            }
            body.push_str(name);
            body.push('=');
            for byte in value.bytes() {
                write!(body, "%{byte:02X}").unwrap();
            }
        }
        let mut request = self.http.post(format!("{}/oauth/token", self.address));
        for proof in proofs {
            request = request.header("DPoP", *proof);
        }
        let answer = request
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("Accept-Language", "en")
            .body(body)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.headers()["cache-control"], "no-store");
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// Redeems a grant as somebody who is logged in; the details ask for less where they say so.
    pub async fn redeem(&self, subject: &str, grant: &Value, fields: &Value) -> (u16, Value) {
        let detail = with(
            &json!({ "type": "pruefpfad_engagement", "identifier": grant["id"] }),
            fields,
        );
        let (login, details) = (self.token(subject, &[]), json!([detail]).to_string());
        self.exchange(&[
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("subject_token", &login),
            (
                "subject_token_type",
                "urn:ietf:params:oauth:token-type:access_token",
            ),
            ("authorization_details", &details),
        ])
        .await
    }

    /// Somebody under a grant they redeemed.
    pub async fn holder(&self, grant: &Value) -> Person<'_> {
        let (status, answer) = self.redeem(RECIPIENT, grant, &json!({})).await;
        assert_eq!(status, 200, "{answer}");
        self.bearer(answer["access_token"].as_str().unwrap())
    }
}
